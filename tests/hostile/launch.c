// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pushes of unified memory, launched by SEC2 (uvm/launch.h), while he changes what they pass by.
 * Each cell has a device of its own: one good push, and one that he is after.
 */
#include "hostile.h"

#include "base/bits.h"
#include "h100/gsp/gpu.h"
#include "rm/gpu/static_info.h"
#include "uvm/internal.h"
#include "uvm/queue.h"

#define WORDS 256u
#define NOBODYS 0x5a5a5a5au
#define PATIENCE_US 200000u
#define ENTRIES (2 * UVM_QUEUES * UVM_QUEUE_SLOTS) /* of SEC2's channel */
#define SECRET_BYTES 40u /* of the methods of a fill: with the value, and where it goes */
#define BIND_BYTES 8u	 /* that only a queue's first push has */
#define SIZE_WORD 9u	 /* of a launch's methods: DECRYPT_COPY_SIZE's data */
#define TAGS 2u		 /* in use */

static const struct uvm_host_ops ops;
static struct uvm *uvm;
static struct rm_gpu *gpu;
static struct uvm_device *device;
static struct rm_uvm_video *video;
static u64 video_at;

static void begin(void)
{
	struct uvm_config config = { .rm = host.rm, .host = &ops };
	struct rm_uvm_gpu_info info;
	NvProcessorUuid uuid;

	rig_up();
	memcpy(uuid.uuid, rig_gpu(VICTIM)->info->uuid, sizeof(uuid.uuid));
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	assert_int_equal(rm_uvm_gpu_get(host.rm, &uuid, &gpu, &info), NV_OK);
	assert_int_equal(uvm_device_get(uvm, gpu, &info, &device), NV_OK);
	assert_int_equal(uvm_device_start(device), NV_OK);
	assert_int_equal(rm_uvm_video_alloc(gpu, KIB(4), KIB(4), &video, &video_at), NV_OK);
}

static void end(void)
{
	adversary_forget(adversary);
	uvm_device_put(device);
	rm_uvm_video_free(video);
	rm_uvm_gpu_put(gpu);
	uvm_destroy(uvm);
}

static u32 *words(void)
{
	return (u32 *)(host.gpus[VICTIM].model->memory.video + video_at);
}

static bool all_are(u32 value)
{
	u32 i;

	for (i = 0; i < WORDS && words()[i] == value; i++)
		;
	return i == WORDS;
}

static void clear(void)
{
	u32 i;

	for (i = 0; i < WORDS; i++)
		words()[i] = NOBODYS;
}

/* What it does is for nobody to see. */
static struct uvm_tracker_entry fill(struct uvm_queue *queue, u32 value)
{
	struct uvm_place to = { RM_UVM_VIDEO, video_at };
	struct uvm_tracker_entry entry;
	struct uvm_push push;

	assert_int_equal(
		uvm_push_begin(device, (enum uvm_queue_kind)(queue - device->queues), NULL, &push),
		NV_OK);
	push.ce->fill(push.ce, &push.methods, &to, value, WORDS, UVM_ORDER_AFTER);
	rig_secret("a method of unified memory", push.methods.words, SECRET_BYTES);
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	return entry;
}

/* Of the push before, which is as long as the next, but for what the first has more. */
static u32 bytes_of_last(const struct uvm_queue *queue)
{
	const u8 *slot = device->launcher->cpu + uvm_launch_slot(queue, queue->pushed);
	u32 bytes;

	memcpy(&bytes, slot + SIZE_WORD * sizeof(bytes), sizeof(bytes));
	assert_true(bytes > BIND_BYTES && bytes <= UVM_SLOT_BYTES);
	return bytes - BIND_BYTES;
}

/* What of the cell's field lies where, for the queue's next push. */
static void place(const struct cell *cell, const struct uvm_queue *queue,
		  struct adversary_rule *rule)
{
	const struct uvm_launcher *launcher = device->launcher;
	u64 value = queue->pushed + 1;
	const u8 *slot = launcher->cpu + uvm_launch_slot(queue, value);

	rule->at = slot;
	rule->at_bytes = UVM_LAUNCH_SIGNATURES;
	if (strcmp(cell->field, "push") == 0) {
		rule->at = queue->cpu + uvm_queue_slot(value);
		rule->at_bytes = bytes_of_last(queue);
	} else if (strcmp(cell->field, "signatures") == 0) {
		rule->at = slot + UVM_LAUNCH_SIGNATURES;
		rule->at_bytes = UVM_LAUNCH_TAGS - UVM_LAUNCH_SIGNATURES;
	} else if (strcmp(cell->field, "tags") == 0) {
		rule->at = slot + UVM_LAUNCH_TAGS;
		rule->at_bytes = TAGS * CSL_CRYPT_AUTH_TAG_SIZE;
	} else if (strcmp(cell->field, "GPPut") == 0) {
		rule->at = slot + UVM_LAUNCH_PUT;
		rule->at_bytes = UVM_SEC2_ALIGN;
	} else if (strcmp(cell->field, "entry") == 0) {
		rule->at = launcher->cpu + launcher->count % ENTRIES * sizeof(u64);
		rule->at_bytes = sizeof(u64);
	} else if (strcmp(cell->field, "SEC2's GPPut") == 0) {
		rule->at = launcher->info.put_cpu;
		rule->at_bytes = sizeof(u32);
	} else if (strcmp(cell->field, "seal") == 0) {
		rule->at = queue->cpu + uvm_seal_at(value);
		rule->at_bytes = UVM_SEAL_BYTES;
	}
}

static enum detector await(const struct uvm_tracker_entry *entry)
{
	u64 until = os_time_ns() + PATIENCE_US * 1000ull;

	for (;;) {
		if (uvm_entry_is_done(entry))
			return NOTHING_LOST;
		if (uvm_device_status(device) == NV_ERR_INVALID_DATA)
			return BY_CLIENT;
		if (rm_uvm_queue_error(device->launcher->rm))
			return BY_ENGINE;
		if (os_time_ns() > until)
			return STOPPED;
		os_sleep_us(50);
	}
}

static enum detector run_launch(const struct cell *cell)
{
	struct cell there = *cell;
	struct uvm_tracker_entry entry;
	enum detector detector;
	struct uvm_queue *queue;
	u32 value, i;

	begin();
	queue = &device->queues[draw(UVM_QUEUES)];
	for (i = 1 + draw(UVM_QUEUE_SLOTS + 2); i; i--) {
		memcpy(&value, marker, sizeof(value));
		clear();
		entry = fill(queue, value);
		assert_int_equal(uvm_entry_wait(&entry), NV_OK);
		assert_true(all_are(value));
	}
	clear();
	value = ~value;
	place(cell, queue, &there.rule);
	rig_arm(&there);
	entry = fill(queue, value);
	detector = await(&entry);
	if (detector == NOTHING_LOST)
		assert_true(all_are(value));
	else
		assert_true(all_are(value) || all_are(NOBODYS));
	end();
	return detector;
}

#define LAUNCH(field, on, way, text, told, mask, heavy)                          \
	{                                                                        \
		"sealed", "UVM launch", field, text, told, mask, run_launch,     \
			{ .object = ADVERSARY_##on, .action = way }, NULL, heavy \
	}
#define BY_SEC2(field, way, text) \
	LAUNCH(field, PAGE_READ, way, text, "SEC2 error, Xid 60", BIT_OF(BY_ENGINE), 1)

struct cell launch_cells[] = {
	BY_SEC2("push", ADVERSARY_FLIP, "a bit"),
	BY_SEC2("push", ADVERSARY_CUT, "half of it"),
	BY_SEC2("tags", ADVERSARY_FLIP, "a bit"),
	BY_SEC2("GPPut", ADVERSARY_FLIP, "a bit"),
	BY_SEC2("signatures", ADVERSARY_FLIP, "a bit"),
	LAUNCH("methods", PAGE_READ, ADVERSARY_FLIP, "a bit", "SEC2 error, Xid 60; or stops",
	       BIT_OF(BY_ENGINE) | BIT_OF(STOPPED) | BIT_OF(NOTHING_LOST), 2),
	LAUNCH("entry", PAGE_READ, ADVERSARY_FLIP, "a bit", "an error of the channel; or stops",
	       BIT_OF(BY_ENGINE) | BIT_OF(STOPPED) | BIT_OF(NOTHING_LOST), 1),
	LAUNCH("SEC2's GPPut", PAGE_READ, ADVERSARY_FLIP, "a bit", "unprotected: stops, or late",
	       BIT_OF(BY_ENGINE) | BIT_OF(STOPPED) | BIT_OF(NOTHING_LOST), 1),
	LAUNCH("seal", PAGE_WRITTEN, ADVERSARY_FLIP, "a bit", "INVALID_DATA",
	       BIT_OF(BY_CLIENT) | BIT_OF(NOTHING_LOST), 1),
};

const u32 launch_cell_count = ARRAY_SIZE(launch_cells);
