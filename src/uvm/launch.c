// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* SEC2's channel of a device, and what it does for the queues (uvm/launch.h). */
#include "uvm/launch.h"

#include "uvm/queue.h"

#define SLOTS (UVM_QUEUES * UVM_QUEUE_SLOTS)
/* One that is written again is older than all that is not done. */
#define ENTRIES (2 * SLOTS)
#define STREAM_WORDS (UVM_LAUNCH_STREAM_BYTES / (u32)sizeof(u32))
#define SLOTS_AT OS_PAGE_SIZE
/* What SEC2 decrypts GPPut with: GPGet, too, which the GPU writes. */
#define PUT_BYTES UVM_SEC2_ALIGN
#define PUT_WORD (offsetof(Nvc86fControl, GPPut) % UVM_SEC2_ALIGN / sizeof(u32))
#define MESSAGES 2u /* of a launch */

/* One that is being written. */
struct launch {
	struct uvm_launcher *launcher;
	u32 at; /* its slot */
	u32 streams, begin;
	struct uvm_methods methods;
	u32 words[UVM_LAUNCH_STREAMS * STREAM_WORDS];
};

static u32 number_of(const struct uvm_queue *queue)
{
	return (u32)(queue - queue->device->queues);
}

u32 uvm_launch_slot(const struct uvm_queue *queue, u64 value)
{
	u32 slot = number_of(queue) * UVM_QUEUE_SLOTS + (u32)(value % UVM_QUEUE_SLOTS);

	return (u32)SLOTS_AT + slot * UVM_LAUNCH_SLOT_BYTES;
}

/* -- Life -------------------------------------------------------------------------------------- */

enum nv_status uvm_launcher_create(struct uvm_device *device)
{
	struct uvm_launcher *launcher = os_alloc(sizeof(*launcher));
	enum nv_status status;
	void *cpu;

	if (!launcher)
		return NV_ERR_NO_MEMORY;
	status = os_mutex_init(&launcher->lock, LOCK_RANK_UVM_LAUNCH, "uvm launch");
	if (status != NV_OK)
		goto free_launcher;
	launcher->hal = device->sec2;
	status = rm_uvm_buffer_alloc(device->session, SLOTS_AT + SLOTS * UVM_LAUNCH_SLOT_BYTES,
				     &launcher->buffer, &cpu, &launcher->address);
	if (status != NV_OK)
		goto destroy_lock;
	launcher->cpu = cpu;
	status = rm_uvm_queue_create(device->session, RM_UVM_ENGINE_SEC2, launcher->address,
				     ENTRIES, &launcher->rm, &launcher->info);
	if (status != NV_OK)
		goto free_buffer;
	device->launcher = launcher;
	return NV_OK;

free_buffer:
	rm_uvm_buffer_free(launcher->buffer);
destroy_lock:
	os_mutex_destroy(&launcher->lock);
free_launcher:
	os_free(launcher);
	return status;
}

void uvm_launcher_destroy(struct uvm_device *device)
{
	struct uvm_launcher *launcher = device->launcher;

	if (!launcher)
		return;
	device->launcher = NULL;
	rm_uvm_queue_destroy(launcher->rm);
	rm_uvm_buffer_free(launcher->buffer);
	os_mutex_destroy(&launcher->lock);
	os_free(launcher);
}

void uvm_launcher_stop(struct uvm_device *device)
{
	if (device->launcher)
		rm_uvm_queue_stop(device->launcher->rm);
}

u32 uvm_launcher_error(struct uvm_device *device)
{
	return device->launcher ? rm_uvm_queue_error(device->launcher->rm) : 0;
}

enum nv_status uvm_launch_prepare(struct uvm_queue *queue)
{
	enum nv_status status;
	u64 physical;

	queue->methods = os_alloc(UVM_SLOT_BYTES);
	if (!queue->methods)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_buffer_alloc_video(queue->device->session, UVM_QUEUE_BYTES, &queue->video,
					   &queue->video_at, &physical);
	if (status != NV_OK)
		uvm_launch_end(queue);
	return status;
}

void uvm_launch_end(struct uvm_queue *queue)
{
	if (queue->video)
		rm_uvm_buffer_free(queue->video);
	os_free(queue->methods);
	queue->video = NULL;
	queue->methods = NULL;
}

/* -- Streams ----------------------------------------------------------------------------------- */

static void begin(struct launch *launch, struct uvm_launcher *launcher,
		  const struct uvm_queue *queue, u64 value)
{
	*launch = (struct launch){
		.launcher = launcher,
		.at = uvm_launch_slot(queue, value),
		.methods = { .words = launch->words, .limit = ARRAY_SIZE(launch->words) },
	};
}

static u32 signature_at(const struct launch *launch)
{
	return launch->at + UVM_LAUNCH_SIGNATURES + launch->streams * CSL_SIGN_AUTH_TAG_SIZE;
}

/* What was written since the last one is a stream. */
static enum nv_status sign(struct launch *launch)
{
	struct uvm_launcher *launcher = launch->launcher;
	u32 words = launch->methods.count - launch->begin;
	u32 pairs[STREAM_WORDS];
	u8 mac[CSL_SIGN_AUTH_TAG_SIZE];
	enum nv_status status;

	OS_BUG_ON(words > STREAM_WORDS);
	status = rm_uvm_csl_sign(launcher->rm,
				 uvm_sec2_signed(launch->words + launch->begin, words, pairs),
				 pairs, mac);
	if (status != NV_OK)
		return status;
	os_memcpy(launcher->cpu + signature_at(launch), mac, sizeof(mac));
	launch->begin = launch->methods.count;
	launch->streams++;
	return NV_OK;
}

/* What of plain is to lie at an address in video memory, by way of cipher. */
static enum nv_status deliver(struct launch *launch, u64 to, const void *plain, u32 bytes,
			      void *cipher, u64 cipher_at)
{
	struct uvm_launcher *launcher = launch->launcher;
	u32 tag = launch->at + UVM_LAUNCH_TAGS + launch->streams * CSL_CRYPT_AUTH_TAG_SIZE;
	const struct uvm_sec2_message message = {
		.plain = to, .cipher = cipher_at, .tag = launcher->address + tag, .bytes = bytes
	};
	enum nv_status status;

	status = rm_uvm_csl_encrypt(launcher->rm, bytes, plain, NULL, cipher, launcher->cpu + tag);
	if (status != NV_OK)
		return status;
	launcher->hal.decrypt(&launcher->hal, &launch->methods, &message,
			      launcher->address + signature_at(launch));
	return sign(launch);
}

static enum nv_status ring(struct launch *launch, const struct rm_uvm_queue_info *info)
{
	struct uvm_launcher *launcher = launch->launcher;

	launcher->hal.semaphore_release(&launcher->hal, &launch->methods, info->doorbell_at,
					info->token, launcher->address + signature_at(launch));
	return sign(launch);
}

static void submit(struct launch *launch, struct uvm_device *device)
{
	struct uvm_launcher *launcher = launch->launcher;
	u32 bytes = launch->methods.count * (u32)sizeof(u32);
	u64 *entries = (u64 *)launcher->cpu;

	os_memcpy(launcher->cpu + launch->at, launch->words, bytes);
	entries[launcher->count++ % ENTRIES] =
		device->host.gp_entry(&device->host, launcher->address + launch->at, bytes);
	uvm_device_ring(device, &launcher->info, (u32)(launcher->count % ENTRIES));
}

/* -- Launches ---------------------------------------------------------------------------------- */

enum nv_status uvm_launch_entries(struct uvm_queue *queue)
{
	struct uvm_device *device = queue->device;
	struct uvm_launcher *launcher = device->launcher;
	u64 entries[UVM_QUEUE_ENTRIES];
	enum nv_status status;
	struct launch launch;
	u32 i;

	for (i = 0; i < UVM_QUEUE_ENTRIES; i++)
		entries[i] = device->host.gp_entry(
			&device->host, queue->video_at + uvm_queue_slot(i + 1), UVM_SLOT_BYTES);
	os_mutex_lock(&launcher->lock);
	begin(&launch, launcher, queue, 0);
	status = deliver(&launch, queue->video_at, entries, sizeof(entries),
			 queue->cpu + uvm_queue_slot(0), queue->address + uvm_queue_slot(0));
	if (status == NV_OK)
		submit(&launch, device);
	os_mutex_unlock(&launcher->lock);
	return status;
}

/* There are IVs for one more: if there were not, all that was launched is done. */
static enum nv_status renew(struct uvm_launcher *launcher, struct uvm_device *device)
{
	enum nv_status status;
	u64 left;
	u32 i;

	status = rm_uvm_csl_query_message_pool(launcher->rm, CSL_OPERATION_ENCRYPT, &left);
	if (status != NV_OK || left >= MESSAGES)
		return status;
	for (i = 0; i < UVM_QUEUES && status == NV_OK; i++)
		status = uvm_queue_wait(&device->queues[i], launcher->launched[i]);
	return status == NV_OK ? uvm_csl_rotate(launcher->rm, CSL_OPERATION_ENCRYPT) : status;
}

static enum nv_status launch_push(struct uvm_queue *queue, u64 value, u32 words)
{
	struct uvm_device *device = queue->device;
	struct uvm_launcher *launcher = device->launcher;
	const u32 put[PUT_BYTES / sizeof(u32)] = {
		[PUT_WORD] = (u32)(value % UVM_QUEUE_ENTRIES),
	};
	u64 slot = uvm_queue_slot(value);
	enum nv_status status;
	struct launch launch;

	status = renew(launcher, device);
	if (status != NV_OK)
		return status;
	begin(&launch, launcher, queue, value);
	status = deliver(&launch, queue->video_at + slot, queue->methods, words * (u32)sizeof(u32),
			 queue->cpu + slot, queue->address + slot);
	if (status == NV_OK)
		status = deliver(&launch,
				 queue->info.userd_at +
					 align_down(offsetof(Nvc86fControl, GPPut), UVM_SEC2_ALIGN),
				 put, sizeof(put), launcher->cpu + launch.at + UVM_LAUNCH_PUT,
				 launcher->address + launch.at + UVM_LAUNCH_PUT);
	if (status == NV_OK)
		status = ring(&launch, &queue->info);
	if (status == NV_OK) {
		launcher->launched[number_of(queue)] = value;
		submit(&launch, device);
	}
	return status;
}

enum nv_status uvm_launch(struct uvm_queue *queue, u64 value, u32 words)
{
	struct uvm_launcher *launcher = queue->device->launcher;
	enum nv_status status;

	os_mutex_lock(&launcher->lock);
	status = launch_push(queue, value, words);
	os_mutex_unlock(&launcher->lock);
	return status;
}
