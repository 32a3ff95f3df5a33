// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * UVM's own channels on a software H100 through the real resource manager: copies and fills whose
 * bytes are looked at, order across queues, rings that come round, errors, a GPU that goes, and
 * each allocation failing in turn.
 */
#include "rm_host.h"
#include "unit.h"

#include "uvm/internal.h"
#include "uvm/queue.h"

#define VIDEO MIB(4)
#define SYSTEM MIB(2)
#define THREADS 4u
#define ROUNDS 150u

static const struct uvm_host_ops ops;
static struct uvm *uvm;
static struct rm_gpu *gpu;
static struct uvm_device *device;
static struct rm_uvm_video *video;
static u64 video_at;
static struct os_pages pages;
static u64 seed = 77;

static int start(void **state)
{
	struct uvm_config config = { .host = &ops };
	struct rm_uvm_gpu_info info;
	NvProcessorUuid uuid;
	int ctl;

	host_start(1);
	config.rm = host.rm;
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	uuid = host_gpu_uuid(ctl, host_client(ctl), 0);
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	assert_int_equal(rm_uvm_gpu_get(host.rm, &uuid, &gpu, &info), NV_OK);
	assert_int_equal(uvm_device_get(uvm, gpu, &info, &device), NV_OK);
	assert_int_equal(rm_uvm_video_alloc(gpu, VIDEO, KIB(64), &video, &video_at), NV_OK);
	assert_int_equal(os_pages_alloc(rm_uvm_gpu_pci(gpu), SYSTEM, OS_PAGES_SHARED, &pages),
			 NV_OK);
	return 0;
}

static void let_go(void)
{
	rm_uvm_video_free(video);
	uvm_device_put(device);
	os_pages_free(&pages);
	rm_uvm_gpu_put(gpu);
	gpu = NULL;
}

static int end(void **state)
{
	if (gpu)
		let_go();
	uvm_destroy(uvm);
	return host_end(state);
}

static struct uvm_place in_video(u64 offset)
{
	return (struct uvm_place){ RM_UVM_VIDEO, video_at + offset };
}

static struct uvm_place in_system(u64 offset)
{
	return (struct uvm_place){ RM_UVM_SYSTEM_COHERENT, os_pages_dma(&pages, offset) };
}

static void fill_random(u64 offset, u64 size)
{
	u64 i, value;

	for (i = 0; i < size; i += 8) {
		value = unit_random(&seed);
		memcpy((u8 *)pages.cpu + offset + i, &value, 8);
	}
}

/* A page from system memory to video memory, or back. */
static void copy_page(enum uvm_queue_kind kind, u64 system, u64 at, struct uvm_tracker *after,
		      struct uvm_tracker_entry *entry)
{
	struct uvm_place s = in_system(system), v = in_video(at);
	bool up = kind == UVM_QUEUE_TO_GPU;
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(device, kind, after, &push), NV_OK);
	push.ce->copy(push.ce, &push.methods, up ? &v : &s, up ? &s : &v, KIB(4),
		      UVM_ORDER_PIPELINED);
	uvm_push_end(&push, UVM_MEMBAR_SYS, entry);
}

static void test_copies(void **state)
{
	struct uvm_tracker_entry entry;
	struct uvm_push push;
	u64 i;

	fill_random(0, SYSTEM / 2);
	/* Page by page up to places in falling order, in one push; then back in the same way. */
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_TO_GPU, NULL, &push), NV_OK);
	for (i = 0; i < 128; i++) {
		struct uvm_place from = in_system(i * KIB(4)), to = in_video((128 - i) * KIB(4));

		assert_true(uvm_push_has_room(&push, UVM_METHODS_MAX));
		push.ce->copy(push.ce, &push.methods, &to, &from, KIB(4), UVM_ORDER_PIPELINED);
	}
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_true(uvm_entry_is_done(&entry));
	assert_ptr_equal(uvm_entry_device(&entry), device);
	for (i = 0; i < 128; i++)
		assert_true(os_pci_rd64(rm_uvm_gpu_pci(gpu), 2, video_at + (128 - i) * KIB(4)) ==
			    *(u64 *)((u8 *)pages.cpu + i * KIB(4)));
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_FROM_GPU, NULL, &push), NV_OK);
	for (i = 0; i < 128; i++) {
		struct uvm_place to = in_system(SYSTEM / 2 + i * KIB(4)),
				 from = in_video((128 - i) * KIB(4));

		push.ce->copy(push.ce, &push.methods, &to, &from, KIB(4), UVM_ORDER_PIPELINED);
	}
	assert_int_equal(uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS), NV_OK);
	assert_memory_equal(pages.cpu, (u8 *)pages.cpu + SYSTEM / 2, 128 * KIB(4));
}

static void test_fill(void **state)
{
	struct uvm_place at = in_video(KIB(8)), back = in_system(0);
	struct uvm_push push;
	u32 i, *word = pages.cpu;

	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_INTERNAL, NULL, &push), NV_OK);
	push.ce->fill(push.ce, &push.methods, &at, 0xc0ffee00, KIB(4) / 4, UVM_ORDER_AFTER);
	push.ce->copy(push.ce, &push.methods, &back, &at, KIB(4), UVM_ORDER_AFTER);
	/* The next page of the system's may be anywhere on the bus. */
	at.address += KIB(4);
	back = in_system(KIB(4));
	push.ce->copy(push.ce, &push.methods, &back, &at, KIB(4), UVM_ORDER_AFTER);
	assert_int_equal(uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS), NV_OK);
	for (i = 0; i < KIB(8) / 4; i++)
		assert_int_equal(word[i], i < KIB(4) / 4 ? 0xc0ffee00 : 0);
}

/* TLB invalidations and membars by methods; the page directory is any there could be. */
static void test_memops(void **state)
{
	static const enum uvm_membar kinds[] = { UVM_MEMBAR_NONE, UVM_MEMBAR_GPU, UVM_MEMBAR_SYS };
	struct uvm_push push;
	u32 i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(uvm_push_begin(device, UVM_QUEUE_MEMOPS, NULL, &push), NV_OK);
		push.host->tlb_invalidate(push.host, &push.methods, RM_UVM_VIDEO, video_at,
					  kinds[i]);
		assert_int_equal(uvm_push_end_and_wait(&push, kinds[i]), NV_OK);
	}
}

/* Each copy back is after the copy there, by acquiring on the GPU, through rings that come round.
 */
static void test_order(void **state)
{
	struct uvm_tracker after = { 0 }, all = { 0 };
	struct uvm_tracker_entry entry;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u64 system = (i % 64) * KIB(4), half = SYSTEM / 2;

		assert_int_equal(uvm_tracker_wait(&after), NV_OK);
		fill_random(system, KIB(4));
		copy_page(UVM_QUEUE_TO_GPU, system, system, NULL, &entry);
		assert_int_equal(uvm_tracker_add(&after, &entry), NV_OK);
		copy_page(UVM_QUEUE_FROM_GPU, half + system, system, &after, &entry);
		assert_int_equal(uvm_tracker_add(&all, &entry), NV_OK);
		if (i % 7)
			continue;
		assert_int_equal(uvm_tracker_join(&after, &all), NV_OK);
		assert_int_equal(uvm_tracker_wait(&after), NV_OK);
		assert_true(uvm_tracker_is_done(&all));
		assert_memory_equal((u8 *)pages.cpu + system, (u8 *)pages.cpu + half + system,
				    KIB(4));
	}
	assert_int_equal(uvm_tracker_wait(&all), NV_OK);
	assert_memory_equal(pages.cpu, (u8 *)pages.cpu + SYSTEM / 2, 64 * KIB(4));
	uvm_tracker_fini(&after);
	uvm_tracker_fini(&all);
}

/* A tracker of more queues than it has room for at first: devices are many in real life. */
static void test_tracker_grows(void **state)
{
	struct uvm_queue queues[9];
	u32 semaphore = 0;
	struct uvm_tracker tracker = { 0 };
	u32 i;

	memset(queues, 0, sizeof(queues));
	for (i = 0; i < 9; i++) {
		struct uvm_tracker_entry entry = { &queues[i], 1 };

		queues[i].semaphore = &semaphore;
		assert_int_equal(uvm_tracker_add(&tracker, &entry), NV_OK);
		assert_int_equal(uvm_tracker_add(&tracker, &entry), NV_OK);
		assert_int_equal(tracker.count, i + 1);
	}
	semaphore = 1; /* all done */
	assert_true(uvm_tracker_is_done(&tracker));
	assert_int_equal(tracker.count, 0);
	uvm_tracker_fini(&tracker);
}

/* The low bits of the semaphore come round. */
static void test_wrap(void **state)
{
	struct uvm_queue *queue = &device->queues[UVM_QUEUE_TO_GPU];
	u32 i;

	fill_random(0, KIB(4));
	assert_int_equal(uvm_device_start(device), NV_OK);
	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, NULL);
	assert_int_equal(uvm_queue_wait(queue, 1), NV_OK);
	/* as if so many had been: the slots and the ring go by the remainder */
	queue->pushed = queue->done = 0xfffffff0ull + 1;
	*queue->semaphore = 0xfffffff1u;
	for (i = 0; i < 100; i++) {
		struct uvm_tracker_entry entry;

		copy_page(UVM_QUEUE_TO_GPU, 0, i * KIB(4), NULL, &entry);
		assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	}
	assert_true(queue->done == 0xfffffff1ull + 100);
}

static void *thread(void *arg)
{
	u64 base = (u64)(uintptr_t)arg * KIB(256);
	struct uvm_tracker after = { 0 };
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u64 at = base + (i % 16) * KIB(4);
		struct uvm_tracker_entry entry;
		u32 *word = (u32 *)((u8 *)pages.cpu + at);

		word[5] = i;
		copy_page(UVM_QUEUE_TO_GPU, at, at, NULL, &entry);
		assert_int_equal(uvm_tracker_add(&after, &entry), NV_OK);
		copy_page(UVM_QUEUE_FROM_GPU, at + KIB(128), at, &after, &entry);
		assert_int_equal(uvm_entry_wait(&entry), NV_OK);
		assert_int_equal(*(u32 *)((u8 *)word + KIB(128) + 20), i);
	}
	assert_int_equal(uvm_tracker_wait(&after), NV_OK);
	uvm_tracker_fini(&after);
	return NULL;
}

static void run_thread(void *arg)
{
	thread(arg);
}

static void test_threads(void **state)
{
	struct os_thread *threads[THREADS];
	u64 i;

	for (i = 0; i < THREADS; i++) {
		threads[i] = os_thread_create("pusher", run_thread, (void *)(uintptr_t)i);
		assert_non_null(threads[i]);
	}
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
}

/* A method that no host has: the channel's error is the device's, for all queues and for good. */
static void test_channel_error(void **state)
{
	struct uvm_tracker_entry entry;
	struct uvm_push push;

	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_TO_GPU, NULL, &push), NV_OK);
	uvm_method(&push.methods, 0, 0xfc, 1);
	uvm_method_data(&push.methods, 1);
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_RC_ERROR);
	assert_false(uvm_entry_is_done(&entry));
	assert_int_equal(uvm_device_status(device), NV_ERR_RC_ERROR);
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_FROM_GPU, NULL, &push), NV_ERR_RC_ERROR);
	assert_int_equal(uvm_device_start(device), NV_ERR_RC_ERROR);
}

/*
 * An error of one queue, seen by who waits for another: that one's work, which was about to wait
 * for long, is over as well, since its memory is somebody else's now.
 */
static void test_error_stops_others(void **state)
{
	struct uvm_queue *failing = &device->queues[UVM_QUEUE_TO_GPU];
	struct uvm_place to = in_system(KIB(4)), from = in_video(0);
	u32 *word = (u32 *)((u8 *)pages.cpu + KIB(4));
	struct uvm_tracker_entry entry;
	struct uvm_push push;

	fill_random(0, KIB(4));
	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_FROM_GPU, NULL, &push), NV_OK);
	push.host->semaphore_acquire(push.host, &push.methods, uvm_queue_semaphore(failing), 1000);
	push.ce->copy(push.ce, &push.methods, &to, &from, KIB(4), UVM_ORDER_AFTER);
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_TO_GPU, NULL, &push), NV_OK);
	uvm_method(&push.methods, 0, 0xfc, 1);
	uvm_method_data(&push.methods, 1);
	uvm_push_end(&push, UVM_MEMBAR_SYS, NULL);
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_RC_ERROR);
	/* what it waited for comes, too late */
	os_store_release(failing->semaphore, 1000u);
	os_sleep_us(200000);
	assert_false(uvm_entry_is_done(&entry));
	assert_int_equal(word[0], 0);
}

/* Physical memory that is none of DMA's: an error too, and nothing was written. */
static void test_bad_address(void **state)
{
	struct uvm_place bad = { RM_UVM_SYSTEM_COHERENT, 0xfff000 }, at = in_video(0);
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_TO_GPU, NULL, &push), NV_OK);
	push.ce->copy(push.ce, &push.methods, &at, &bad, KIB(4), UVM_ORDER_AFTER);
	assert_int_equal(uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS), NV_ERR_RC_ERROR);
}

static void gone(void *ctx, struct rm_gpu *lost)
{
	struct uvm_push push;

	assert_ptr_equal(lost, gpu);
	assert_int_equal(uvm_entry_wait(ctx), NV_OK); /* was done before */
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_TO_GPU, NULL, &push), NV_ERR_GPU_IS_LOST);
	let_go();
}

static const struct rm_uvm_listener gone_listener = { .gone = gone };

static void test_gpu_removed(void **state)
{
	struct uvm_tracker_entry entry;

	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	rm_uvm_listen(host.rm, &gone_listener, &entry);
	host_remove(0);
	assert_null(gpu);
}

/* Off the bus while work is under way: whoever waits is told. */
static void test_gpu_lost(void **state)
{
	struct uvm_tracker_entry entry;
	struct uvm_push push;

	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_TO_GPU, NULL, &push), NV_OK);
	fixture_gpu_inject(&host.gpus[0], "off-bus");
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_GPU_IS_LOST);
	assert_int_equal(uvm_device_status(device), NV_ERR_GPU_IS_LOST);
}

/* Two of uvm's users share the channels; the last ends them. */
static void test_shared(void **state)
{
	struct rm_uvm_gpu_info info = { .host_class = 0xc86f, .copy_class = 0xc8b5 };
	struct uvm_device *again;

	assert_int_equal(uvm_device_get(uvm, gpu, &info, &again), NV_OK);
	assert_ptr_equal(again, device);
	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, NULL);
	uvm_device_put(again);
	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, NULL);
}

/* The device's channels with each allocation failing in turn. held: what there is without them. */
static u64 fail_in_turn(u64 held)
{
	u64 nth, failed;

	for (nth = 1;; nth++) {
		enum nv_status status;

		failed = unit_failed();
		os_user_fail_alloc_thread(nth);
		status = uvm_device_start(device);
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed) {
			assert_int_equal(status, NV_OK);
			return nth;
		}
		if (status == NV_OK)
			return nth; /* one that it could do without */
		assert_true(!held || unit_live_becomes(held));
	}
}

/* Whatever fails, nothing is left, and the next try has all of it. */
static void test_no_memory(void **state)
{
	struct rm_uvm_gpu_info info = { .uuid = device->uuid,
					.host_class = 0xc86f,
					.copy_class = 0xc8b5 };
	struct uvm_tracker_entry entry;

	if (!os_user_fail_alloc_thread(0))
		skip();
	/* What the resource manager and the firmware keep from the first time on. */
	fail_in_turn(0);
	uvm_device_put(device);
	assert_int_equal(uvm_device_get(uvm, gpu, &info, &device), NV_OK);
	assert_true(fail_in_turn(unit_live_settled()) > 60);
	copy_page(UVM_QUEUE_TO_GPU, 0, 0, NULL, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_copies),	  TEST(test_fill),
		TEST(test_memops),	  TEST(test_order),
		TEST(test_tracker_grows), TEST(test_wrap),
		TEST(test_threads),	  TEST(test_channel_error),
		TEST(test_bad_address),	  TEST(test_error_stops_others),
		TEST(test_gpu_removed),	  TEST(test_gpu_lost),
		TEST(test_shared),	  TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
