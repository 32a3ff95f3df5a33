// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secure launch of UVM's pushes on a software H100 in confidential mode: nothing of them in memory
 * that others see, and a host that changes, swaps, repeats and holds back what SEC2 launches them
 * by. He can stop work; he cannot have anything else done.
 */
#include "uvm_secret_rig.h"

#include "h100/engine/host.h"
#include "h100/gsp/gpu.h"

#define WORDS 64u
#define FILLED (WORDS * 4)
#define UNTOUCHED 0x77u
#define SEEN_BYTES 32u
#define THREADS 4u
#define ROUNDS 300u

/* -- Work -------------------------------------------------------------------------------------- */

static u8 methods[UVM_SLOT_BYTES]; /* of the last push, as they were written */

/* A push that fills WORDS words of video memory. */
static struct uvm_tracker_entry fill(enum uvm_queue_kind kind, u64 offset, u32 value)
{
	struct uvm_place to = { RM_UVM_VIDEO, video_at + offset };
	struct uvm_tracker_entry entry;
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(device, kind, NULL, &push), NV_OK);
	push.ce->fill(push.ce, &push.methods, &to, value, WORDS, UVM_ORDER_AFTER);
	memcpy(methods, push.methods.words, push.methods.count * sizeof(u32));
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	return entry;
}

static bool is_filled(u64 offset, u32 value)
{
	u32 i, word;

	for (i = 0; i < WORDS; i++) {
		memcpy(&word, in_video(offset + 4 * i), sizeof(word));
		if (word != value)
			return false;
	}
	return true;
}

static bool is_untouched(u64 offset)
{
	return is_filled(offset, UNTOUCHED * 0x01010101u);
}

static void check_works(void)
{
	u32 kind, value = (u32)unit_random(&seed);

	for (kind = 0; kind < UVM_QUEUES; kind++) {
		struct uvm_tracker_entry entry = fill(kind, KIB(4) * kind, value + kind);

		assert_int_equal(uvm_entry_wait(&entry), NV_OK);
		assert_true(is_filled(KIB(4) * kind, value + kind));
	}
}

/* No channel runs until it is told to go on. */
static void stand_still(bool on)
{
	h100_fifo_suspend(host.gpus[0].model->fifo, on);
}

static u8 *slot_of(const struct uvm_tracker_entry *entry)
{
	return device->launcher->cpu + uvm_launch_slot(entry->queue, entry->value);
}

static u8 *text_of(const struct uvm_tracker_entry *entry)
{
	return entry->queue->cpu + uvm_queue_slot(entry->value);
}

static void ring(const struct rm_uvm_queue_info *channel)
{
	os_pci_wr32(device->pci, 0, channel->doorbell, channel->token);
}

/* -- What others see --------------------------------------------------------------------------- */

/* More pushes than there are slots, of each queue: neither methods nor GP entries are shared. */
static void test_hidden(void **state)
{
	u32 i, kind;

	for (i = 0; i < 2 * UVM_QUEUE_ENTRIES + 3; i++) {
		for (kind = 0; kind < UVM_QUEUES; kind++) {
			u32 value = (u32)unit_random(&seed);
			struct uvm_tracker_entry entry = fill(kind, KIB(4) * kind, value);

			/* with the value in it */
			assert_false(i % 16 == 3 && host_shares(methods, SEEN_BYTES));
			assert_int_equal(uvm_entry_wait(&entry), NV_OK);
			assert_true(is_filled(KIB(4) * kind, value));
			assert_false(i % 16 == 5 && host_shares(methods, SEEN_BYTES));
		}
	}
	for (kind = 0; kind < UVM_QUEUES; kind++) {
		struct uvm_queue *queue = &device->queues[kind];
		u64 entries[2];

		assert_null(queue->info.put_cpu);
		assert_true(queue->info.userd_at && queue->info.doorbell_at);
		for (i = 0; i < 2; i++)
			entries[i] = device->host.gp_entry(
				&device->host, queue->video_at + uvm_queue_slot(i), UVM_SLOT_BYTES);
		assert_false(host_shares(entries, sizeof(entries)));
	}
	/* and what is looked for would be found */
	memcpy(device->queues[0].cpu, methods, SEEN_BYTES);
	assert_true(host_shares(methods, SEEN_BYTES));
}

/* What was once read there by the GPU, and doorbells that nobody asked for, do nothing. */
static void test_old_places(void **state)
{
	u32 i, kind;

	check_works();
	for (i = 0; i < 20; i++) {
		for (kind = 0; kind < UVM_QUEUES; kind++) {
			struct uvm_queue *queue = &device->queues[kind];

			fill_random(queue->cpu, OS_PAGE_SIZE);
			fill_random(queue->cpu + uvm_queue_slot(0),
				    UVM_QUEUE_SLOTS * UVM_SLOT_BYTES);
			ring(&queue->info);
		}
		ring(&device->launcher->info);
		check_works();
	}
}

/* -- What others change ------------------------------------------------------------------------ */

static void spoil_text(struct uvm_tracker_entry *entry)
{
	text_of(entry)[20] ^= 1;
}

static void spoil_text_tag(struct uvm_tracker_entry *entry)
{
	slot_of(entry)[UVM_LAUNCH_TAGS + 3] ^= 0x10;
}

static void spoil_put(struct uvm_tracker_entry *entry)
{
	slot_of(entry)[UVM_LAUNCH_PUT + 12] ^= 1;
}

static void spoil_put_tag(struct uvm_tracker_entry *entry)
{
	slot_of(entry)[UVM_LAUNCH_TAGS + CSL_CRYPT_AUTH_TAG_SIZE] ^= 1;
}

static void spoil_signature(struct uvm_tracker_entry *entry)
{
	slot_of(entry)[UVM_LAUNCH_SIGNATURES + 31] ^= 0x80;
}

static void spoil_last_signature(struct uvm_tracker_entry *entry)
{
	slot_of(entry)[UVM_LAUNCH_SIGNATURES + 2 * CSL_SIGN_AUTH_TAG_SIZE] ^= 1;
}

/* Data of the nth method, whose words follow each other. */
static void spoil_method(struct uvm_tracker_entry *entry, u32 n)
{
	slot_of(entry)[8 * n + 4] ^= 0x10;
}

static void spoil_source(struct uvm_tracker_entry *entry)
{
	spoil_method(entry, 1);
}

static void spoil_target(struct uvm_tracker_entry *entry)
{
	spoil_method(entry, 3);
}

static void spoil_size(struct uvm_tracker_entry *entry)
{
	spoil_method(entry, 4);
}

static void spoil_put_target(struct uvm_tracker_entry *entry)
{
	spoil_method(entry, 10 + 3);
}

static void spoil_token(struct uvm_tracker_entry *entry)
{
	spoil_method(entry, 10 + 10 + 4);
}

/*
 * Each thing once: SEC2 finds it, and nothing of the push is done; or all of it, where only the
 * doorbell is wrong.
 */
static void test_spoilt(void **state)
{
	static const struct {
		void (*spoil)(struct uvm_tracker_entry *entry);
		bool bell;
	} ways[] = {
		{ spoil_text, false },	    { spoil_text_tag, false },
		{ spoil_put, false },	    { spoil_put_tag, false },
		{ spoil_signature, false }, { spoil_last_signature, true },
		{ spoil_source, false },    { spoil_target, false },
		{ spoil_size, false },	    { spoil_put_target, false },
		{ spoil_token, true },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct uvm_tracker_entry entry, next;

		check_works();
		memset(in_video(0), UNTOUCHED, KIB(16));
		stand_still(true);
		entry = fill(i % UVM_QUEUES, 0, 4711);
		ways[i].spoil(&entry);
		/* what follows is right, and not done either */
		next = fill((i + 1) % UVM_QUEUES, KIB(4), 4711);
		stand_still(false);
		assert_int_equal(uvm_entry_wait(&entry), NV_ERR_RC_ERROR);
		assert_int_equal(uvm_entry_wait(&next), NV_ERR_RC_ERROR);
		assert_true(is_untouched(0) || (ways[i].bell && is_filled(0, 4711)));
		assert_true(is_untouched(KIB(4)));
		assert_int_equal(uvm_device_status(device), NV_ERR_RC_ERROR);
		secret_renew();
	}
}

static void swap(u8 *a, u8 *b, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++) {
		u8 byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* Two pushes in each other's place, of one queue or of two. */
static void test_swapped(void **state)
{
	u32 round;

	for (round = 0; round < 2; round++) {
		struct uvm_tracker_entry a, b;

		check_works();
		memset(in_video(0), UNTOUCHED, KIB(16));
		stand_still(true);
		a = fill(UVM_QUEUE_INTERNAL, 0, 1);
		b = fill(round ? UVM_QUEUE_INTERNAL : UVM_QUEUE_TO_GPU, KIB(4), 2);
		swap(slot_of(&a), slot_of(&b), UVM_LAUNCH_SLOT_BYTES);
		swap(text_of(&a), text_of(&b), UVM_SLOT_BYTES);
		stand_still(false);
		assert_int_equal(uvm_entry_wait(&a), NV_ERR_RC_ERROR);
		assert_true(is_untouched(0) && is_untouched(KIB(4)));
		secret_renew();
	}
}

/* A launch once more: SEC2 knows that it was. */
static void test_repeated(void **state)
{
	struct rm_uvm_queue_info *info;
	struct uvm_tracker_entry entry;
	u64 *entries;
	u32 put;

	check_works();
	memset(in_video(0), UNTOUCHED, KIB(16));
	info = &device->launcher->info;
	put = (u32)(device->launcher->count % (2 * UVM_QUEUES * UVM_QUEUE_SLOTS));
	entries = (u64 *)device->launcher->cpu;
	entries[put] = entries[put - 1];
	os_store_release(info->put_cpu, put + 1);
	ring(info);
	while (!rm_uvm_queue_error(device->launcher->rm))
		os_sleep_us(1000);
	entry = fill(UVM_QUEUE_INTERNAL, 0, 1);
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_RC_ERROR);
	assert_true(is_untouched(0) && is_untouched(KIB(4)) && is_untouched(KIB(12)));
}

/* Held back, work is not done, and nobody is told that it were; let go, it is. */
static void test_held_back(void **state)
{
	struct rm_uvm_queue_info *info;
	struct uvm_tracker_entry entry;
	u32 put;

	check_works();
	memset(in_video(0), UNTOUCHED, KIB(16));
	info = &device->launcher->info;
	stand_still(true);
	put = *info->put_cpu;
	entry = fill(UVM_QUEUE_INTERNAL, 0, 1);
	swap((u8 *)&put, (u8 *)info->put_cpu, sizeof(put));
	stand_still(false);
	os_sleep_us(20000);
	assert_false(uvm_entry_is_done(&entry));
	assert_true(is_untouched(0));
	os_store_release(info->put_cpu, put);
	ring(info);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_true(is_filled(0, 1));
	check_works();
}

/* -- Many -------------------------------------------------------------------------------------- */

static void thread(void *arg)
{
	u64 number = (u64)(uintptr_t)arg, mine = number + 1;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		struct uvm_place to = { RM_UVM_VIDEO, video_at + MIB(1) + number * KIB(64) };
		enum uvm_queue_kind kind =
			(enum uvm_queue_kind)(unit_random(&mine) >> 20) % UVM_QUEUES;
		u32 value = (u32)unit_random(&mine), many = 1 + i % 5, k;
		struct uvm_tracker_entry entry;
		struct uvm_push push;

		/* some of them long, one after the other */
		for (k = 0; k < many; k++) {
			assert_int_equal(uvm_push_begin(device, kind, NULL, &push), NV_OK);
			do {
				push.ce->fill(push.ce, &push.methods, &to, value + k, WORDS,
					      UVM_ORDER_AFTER);
			} while (i % 10 == 0 && uvm_push_has_room(&push, UVM_METHODS_MAX));
			uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
		}
		assert_int_equal(uvm_entry_wait(&entry), NV_OK);
		assert_true(is_filled(MIB(1) + number * KIB(64), value + many - 1));
	}
}

static void test_threads(void **state)
{
	struct os_thread *threads[THREADS];
	u64 i;

	for (i = 0; i < THREADS; i++) {
		threads[i] = os_thread_create("launcher", thread, (void *)(uintptr_t)i);
		assert_non_null(threads[i]);
	}
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
}

/* SEC2's counter is begun anew before it ends, at both ends. */
static void test_rotation(void **state)
{
	u32 round;

	for (round = 0; round < 3; round++) {
		u64 left;

		check_works();
		assert_int_equal(rm_uvm_csl_query_message_pool(device->launcher->rm,
							       CSL_OPERATION_ENCRYPT, &left),
				 NV_OK);
		assert_int_equal(rm_uvm_csl_increment_iv(device->launcher->rm,
							 CSL_OPERATION_ENCRYPT, left - round % 2,
							 NULL),
				 NV_OK);
		check_works();
		assert_int_equal(rm_uvm_csl_query_message_pool(device->launcher->rm,
							       CSL_OPERATION_ENCRYPT, &left),
				 NV_OK);
		assert_true(left > 0xffffff00u);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, secret_start, secret_end)
	const struct CMUnitTest tests[] = {
		TEST(test_hidden),   TEST(test_old_places), TEST(test_spoilt),	TEST(test_swapped),
		TEST(test_repeated), TEST(test_held_back),  TEST(test_threads), TEST(test_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
