// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pushes on one software H100 that wait for another's (uvm/across.c), through the real resource
 * manager: order by bytes that are looked at, GPUs that are lost or have errors while another waits
 * for them, devices that come and go, each allocation failing in turn, and confidential mode, where
 * the CPU waits.
 */
#include "rm_host.h"
#include "unit.h"

#include "h100/gsp/gpu.h"
#include "uvm/internal.h"
#include "uvm/queue.h"

#define GPUS 3u
#define SYSTEM MIB(2)
#define PAGES (SYSTEM / KIB(4))
#define THREADS 4u
#define ROUNDS 100u
#define A_WHILE_US 100000u

struct side {
	struct rm_gpu *gpu; /* NULL: gone, and all else with it */
	struct rm_uvm_gpu_info info;
	struct uvm_device *device; /* NULL: put already */
	struct os_pages view;	   /* of the pages */
};

static const struct uvm_host_ops ops;
static struct uvm *uvm;
static struct side sides[GPUS];
static u32 count; /* of them */
static struct os_pages pages;
static u64 seed;

/* -- Set up ------------------------------------------------------------------------------------ */

static void find_gpus(void)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl), i;

	for (i = 0; i < count; i++) {
		NvProcessorUuid uuid = host_gpu_uuid(ctl, client, i);

		assert_int_equal(rm_uvm_gpu_get(host.rm, &uuid, &sides[i].gpu, &sides[i].info),
				 NV_OK);
	}
}

static void begin(u32 gpus, const struct fixture_gpu_config *like)
{
	struct uvm_config config = { .host = &ops };
	u32 i;

	memset(sides, 0, sizeof(sides));
	count = gpus;
	seed = 99;
	host_start_like(gpus, like);
	config.rm = host.rm;
	for (i = 0; i < gpus; i++)
		assert_true(host_open(RM_NODE_GPU, i) >= 0);
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	find_gpus();
	for (i = 0; i < gpus; i++)
		assert_int_equal(
			uvm_device_get(uvm, sides[i].gpu, &sides[i].info, &sides[i].device), NV_OK);
	assert_int_equal(
		os_pages_alloc(rm_uvm_gpu_pci(sides[0].gpu), SYSTEM, OS_PAGES_SHARED, &pages),
		NV_OK);
	for (i = 0; i < gpus; i++)
		assert_int_equal(
			os_pages_share(&pages, rm_uvm_gpu_pci(sides[i].gpu), &sides[i].view),
			NV_OK);
}

static int start(void **state)
{
	const struct fixture_gpu_config plain = { 0 };

	begin(GPUS, &plain);
	return 0;
}

static int start_confidential(void **state)
{
	const struct fixture_gpu_config like = { .cc = H100_CC_ON };

	os_user_set_tee(OS_TEE_TDX);
	begin(2, &like);
	return 0;
}

static void put(struct side *side)
{
	uvm_device_put(side->device);
	side->device = NULL;
}

static void get(struct side *side)
{
	assert_int_equal(uvm_device_get(uvm, side->gpu, &side->info, &side->device), NV_OK);
}

static void let_go(struct side *side)
{
	if (side->device)
		put(side);
	os_pages_free(&side->view);
	rm_uvm_gpu_put(side->gpu);
	side->gpu = NULL;
}

static int end(void **state)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (sides[i].gpu)
			let_go(&sides[i]);
	}
	os_pages_free(&pages);
	uvm_destroy(uvm);
	return host_end(state);
}

static int end_confidential(void **state)
{
	int rc = end(state);

	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

/* -- Work -------------------------------------------------------------------------------------- */

static u8 *page(u32 n)
{
	return (u8 *)pages.cpu + n * KIB(4);
}

static void fill_page(u32 n)
{
	unit_fill(&seed, page(n), KIB(4));
}

static bool page_is_zero(u32 n)
{
	u32 i;

	for (i = 0; i < KIB(4) && !page(n)[i]; i++)
		;
	return i == KIB(4);
}

static void copy(struct side *side, struct uvm_push *push, u32 from, u32 to)
{
	struct uvm_place f = { RM_UVM_SYSTEM_COHERENT, os_pages_dma(&side->view, from * KIB(4)) };
	struct uvm_place t = { RM_UVM_SYSTEM_COHERENT, os_pages_dma(&side->view, to * KIB(4)) };

	push->ce->copy(push->ce, &push->methods, &t, &f, KIB(4), UVM_ORDER_AFTER);
}

/* Copies a page when what the tracker has is done. */
static void push_copy(struct side *side, enum uvm_queue_kind kind, struct uvm_tracker *after,
		      u32 from, u32 to, struct uvm_tracker_entry *entry)
{
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(side->device, kind, after, &push), NV_OK);
	copy(side, &push, from, to);
	uvm_push_end(&push, UVM_MEMBAR_SYS, entry);
}

/* The semaphore of a queue that has nothing to do otherwise. */
static struct uvm_queue *gate(struct side *side)
{
	return &side->device->queues[UVM_QUEUE_INTERNAL];
}

static void open_gate(struct side *side)
{
	os_store_release(gate(side)->semaphore, 1u);
}

/* Copies a page when what the tracker has is done and its gate is open. */
static void push_held(struct side *side, struct uvm_tracker *after, u32 from, u32 to,
		      struct uvm_tracker_entry *entry)
{
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(side->device, UVM_QUEUE_TO_GPU, after, &push), NV_OK);
	push.host->semaphore_acquire(push.host, &push.methods, uvm_queue_semaphore(gate(side)), 1);
	copy(side, &push, from, to);
	uvm_push_end(&push, UVM_MEMBAR_SYS, entry);
}

static void push_nonsense(struct side *side)
{
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(side->device, UVM_QUEUE_MEMOPS, NULL, &push), NV_OK);
	uvm_method(&push.methods, 0, 0xfc, 1);
	uvm_method_data(&push.methods, 1);
	uvm_push_end(&push, UVM_MEMBAR_NONE, NULL);
}

static struct uvm_tracker after_one(const struct uvm_tracker_entry *entry)
{
	struct uvm_tracker tracker = { 0 };

	assert_int_equal(uvm_tracker_add(&tracker, entry), NV_OK);
	return tracker;
}

/* Page 0 to 1 on the second GPU, held; then 1 to 2 on the first: entries of both. */
static void push_waiting(struct uvm_tracker_entry *held, struct uvm_tracker_entry *waiting)
{
	struct uvm_tracker after;

	fill_page(0);
	/* Its semaphores are seen from when both have begun. */
	assert_int_equal(uvm_device_start(sides[0].device), NV_OK);
	push_held(&sides[1], NULL, 0, 1, held);
	after = after_one(held);
	push_copy(&sides[0], UVM_QUEUE_FROM_GPU, &after, 1, 2, waiting);
}

/* -- Tests ------------------------------------------------------------------------------------- */

/* A push that waits is submitted at once, and does nothing until the other GPU's is done. */
static void test_order(void **state)
{
	static const enum uvm_queue_kind kinds[] = { UVM_QUEUE_TO_GPU, UVM_QUEUE_FROM_GPU,
						     UVM_QUEUE_INTERNAL, UVM_QUEUE_MEMOPS };
	struct uvm_tracker_entry held, waiting[ARRAY_SIZE(kinds)];
	struct uvm_tracker after;
	u32 i;

	fill_page(0);
	push_held(&sides[1], NULL, 0, 1, &held);
	after = after_one(&held);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		push_copy(&sides[0], kinds[i], &after, 1, 2 + i, &waiting[i]);
	os_sleep_us(A_WHILE_US);
	assert_false(uvm_entry_is_done(&held));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_false(uvm_entry_is_done(&waiting[i]));
		assert_true(page_is_zero(2 + i));
	}
	open_gate(&sides[1]);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(uvm_entry_wait(&waiting[i]), NV_OK);
		assert_memory_equal(page(2 + i), page(0), KIB(4));
	}
	assert_true(uvm_entry_is_done(&held));
}

/* From page to page, on GPUs and queues in turn, each after the one before; nobody waits here. */
static void run_relay(void *arg)
{
	u32 first = (u32)(uintptr_t)arg * (u32)(PAGES / THREADS), i;
	struct uvm_tracker after = { 0 };
	struct uvm_tracker_entry entry;

	for (i = 0; i < ROUNDS; i++) {
		push_copy(&sides[i % GPUS], (enum uvm_queue_kind)(i % UVM_QUEUES), &after,
			  first + i, first + i + 1, &entry);
		after.count = 0;
		assert_int_equal(uvm_tracker_add(&after, &entry), NV_OK);
	}
	assert_int_equal(uvm_tracker_wait(&after), NV_OK);
	assert_memory_equal(page(first), page(first + ROUNDS), KIB(4));
}

static void test_relay(void **state)
{
	struct os_thread *threads[THREADS];
	u64 i;

	for (i = 0; i < THREADS; i++)
		fill_page((u32)(i * (PAGES / THREADS)));
	for (i = 0; i < THREADS; i++) {
		threads[i] = os_thread_create("relay", run_relay, (void *)(uintptr_t)i);
		assert_non_null(threads[i]);
	}
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
}

/* Whoever waits for what will not come fails; what came too late moves nothing. */
static void check_failed(const struct uvm_tracker_entry *waiting)
{
	assert_int_equal(uvm_entry_wait(waiting), NV_ERR_RC_ERROR);
	assert_int_equal(uvm_device_status(sides[0].device), NV_ERR_RC_ERROR);
	open_gate(&sides[1]);
	os_sleep_us(A_WHILE_US);
	assert_false(uvm_entry_is_done(waiting));
	assert_true(page_is_zero(2));
}

/* Once nobody counts on it any more, the GPU that had waited works again. */
static void check_works_again(void)
{
	struct uvm_tracker_entry entry;

	put(&sides[0]);
	get(&sides[0]);
	push_copy(&sides[0], UVM_QUEUE_TO_GPU, NULL, 0, 3, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_memory_equal(page(3), page(0), KIB(4));
}

static void test_lost(void **state)
{
	struct uvm_tracker_entry held, waiting;

	push_waiting(&held, &waiting);
	fixture_gpu_inject(&host.gpus[1], "off-bus");
	check_failed(&waiting);
	assert_int_equal(uvm_device_status(sides[1].device), NV_ERR_GPU_IS_LOST);
	check_works_again();
}

/* Nobody but the other GPU waits for the one with the error. */
static void test_error(void **state)
{
	struct uvm_tracker_entry held, waiting;

	push_waiting(&held, &waiting);
	push_nonsense(&sides[1]);
	check_failed(&waiting);
	assert_int_equal(uvm_device_status(sides[1].device), NV_ERR_RC_ERROR);
	check_works_again();
}

/* The first waits for the second, and that for the third, which is lost. */
static void test_chain(void **state)
{
	struct uvm_tracker_entry held, middle, waiting;
	struct uvm_tracker after;

	fill_page(0);
	push_held(&sides[2], NULL, 0, 1, &held);
	after = after_one(&held);
	push_copy(&sides[1], UVM_QUEUE_TO_GPU, &after, 1, 2, &middle);
	after = after_one(&middle);
	push_copy(&sides[0], UVM_QUEUE_TO_GPU, &after, 2, 3, &waiting);
	fixture_gpu_inject(&host.gpus[2], "off-bus");
	assert_int_equal(uvm_entry_wait(&waiting), NV_ERR_RC_ERROR);
	assert_int_equal(uvm_device_status(sides[1].device), NV_ERR_RC_ERROR);
	assert_true(page_is_zero(3));
}

/* What had been done before its GPU was lost harms nobody. */
static void test_lost_later(void **state)
{
	struct uvm_tracker_entry first, second, third;
	struct uvm_tracker after;

	fill_page(0);
	push_copy(&sides[1], UVM_QUEUE_TO_GPU, NULL, 0, 1, &first);
	after = after_one(&first);
	push_copy(&sides[0], UVM_QUEUE_TO_GPU, &after, 1, 2, &second);
	assert_int_equal(uvm_entry_wait(&second), NV_OK);
	fixture_gpu_inject(&host.gpus[1], "off-bus");
	push_copy(&sides[0], UVM_QUEUE_FROM_GPU, &after, 2, 3, &third);
	assert_int_equal(uvm_entry_wait(&third), NV_OK);
	assert_memory_equal(page(3), page(0), KIB(4));
	assert_int_equal(uvm_device_status(sides[0].device), NV_OK);
}

/* Of one that has failed already the caller hears before anything is pushed. */
static void test_failed_before(void **state)
{
	struct uvm_tracker_entry held;
	struct uvm_tracker after;
	struct uvm_push push;

	assert_int_equal(uvm_device_start(sides[0].device), NV_OK);
	push_held(&sides[1], NULL, 0, 1, &held);
	fixture_gpu_inject(&host.gpus[1], "off-bus");
	assert_int_equal(uvm_entry_wait(&held), NV_ERR_GPU_IS_LOST);
	after = after_one(&held);
	assert_int_equal(uvm_push_begin(sides[0].device, UVM_QUEUE_TO_GPU, &after, &push),
			 NV_ERR_GPU_IS_LOST);
	assert_int_equal(uvm_device_status(sides[0].device), NV_OK);
	check_works_again();
	/* A device that comes when another is lost has nothing to do with that one. */
	assert_null(sides[0].device->sights[sides[1].info.instance].memory);
}

static void open_later(void *arg)
{
	os_sleep_us(A_WHILE_US);
	open_gate(arg);
}

/* A device goes when others have what they wait for. */
static void test_put_awaited(void **state)
{
	struct uvm_tracker_entry held, waiting;
	struct os_thread *opener;

	push_waiting(&held, &waiting);
	opener = os_thread_create("opener", open_later, &sides[1]);
	assert_non_null(opener);
	uvm_device_put(sides[1].device);
	assert_int_equal(uvm_entry_wait(&waiting), NV_OK);
	assert_memory_equal(page(2), page(0), KIB(4));
	os_thread_join(opener);
	sides[1].device = NULL;
	assert_null(sides[0].device->sights[sides[1].info.instance].memory);
	assert_int_equal(sides[0].device->awaited, 0);
	/* It comes again. */
	get(&sides[1]);
	push_waiting(&held, &waiting);
	open_gate(&sides[1]);
	assert_int_equal(uvm_entry_wait(&waiting), NV_OK);
	assert_memory_equal(page(2), page(0), KIB(4));
}

/* One that waits itself is stopped, and harms nobody. */
static void test_put_waiting(void **state)
{
	struct uvm_tracker_entry held, waiting;

	push_waiting(&held, &waiting);
	put(&sides[0]);
	open_gate(&sides[1]);
	assert_int_equal(uvm_entry_wait(&held), NV_OK);
	assert_memory_equal(page(1), page(0), KIB(4));
	assert_true(page_is_zero(2));
	get(&sides[0]);
	check_works_again();
}

/* The GPU is taken away while another waits for it. */
static void gone(void *ctx, struct rm_gpu *gpu)
{
	struct side *side = ctx;

	assert_ptr_equal(gpu, side->gpu);
	let_go(side);
}

static const struct rm_uvm_listener gone_listener = { .gone = gone };

static void test_removed(void **state)
{
	struct uvm_tracker_entry held, waiting;

	push_waiting(&held, &waiting);
	rm_uvm_listen(host.rm, &gone_listener, &sides[1]);
	host_remove(1);
	assert_null(sides[1].gpu);
	assert_int_equal(uvm_entry_wait(&waiting), NV_ERR_RC_ERROR);
	assert_null(sides[0].device->sights[sides[1].info.instance].memory);
	check_works_again();
}

/* Another GPU's semaphores are there to be read; video memory is no other GPU's. */
static void test_read_only(void **state)
{
	struct uvm_device *device = sides[0].device, *other = sides[1].device;
	struct rm_uvm_buffer *memory, *view;
	u64 at, video;
	struct uvm_push push;

	assert_int_equal(uvm_device_start(device), NV_OK);
	assert_int_equal(uvm_device_start(other), NV_OK);
	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_MEMOPS, NULL, &push), NV_OK);
	push.host->semaphore_release(push.host, &push.methods,
				     device->sights[sides[1].info.instance].address, 7);
	assert_int_equal(uvm_push_end_and_wait(&push, UVM_MEMBAR_NONE), NV_ERR_RC_ERROR);
	assert_int_equal(*other->queues[0].semaphore, 0);
	assert_int_equal(rm_uvm_buffer_alloc_video(other->session, KIB(4), &memory, &at, &video),
			 NV_OK);
	assert_int_equal(rm_uvm_buffer_share(device->session, memory, &view, &at),
			 NV_ERR_NOT_SUPPORTED);
	rm_uvm_buffer_free(memory);
}

/* Devices that come and go leave nothing. */
static void test_again(void **state)
{
	u64 live = 0;
	u32 i, k;

	for (i = 0; i < 6; i++) {
		for (k = 0; k < GPUS; k++) {
			u32 which = (i + k) % GPUS;

			put(&sides[which]);
			get(&sides[which]);
			assert_int_equal(uvm_device_start(sides[which].device), NV_OK);
		}
		/* What the first time leaves stays. */
		if (i == 2)
			live = unit_live_settled();
	}
	assert_true(unit_live_becomes(live));
	for (i = 0; i < GPUS; i++) {
		for (k = 0; k < GPUS; k++)
			assert_true((sides[i].device->sights[sides[k].info.instance].memory !=
				     NULL) == (i != k));
	}
}

/* The last device's channels with each allocation failing in turn. */
static u64 fail_in_turn(u64 held)
{
	struct uvm_device *device = sides[2].device;
	u64 nth, failed;
	u32 i;

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
		for (i = 0; i < 2; i++) {
			assert_null(sides[i].device->sights[sides[2].info.instance].memory);
			assert_null(device->sights[sides[i].info.instance].memory);
		}
		assert_true(!held || unit_live_becomes(held));
	}
}

static void test_no_memory(void **state)
{
	struct uvm_tracker_entry entry;
	struct uvm_tracker after;

	if (!os_user_fail_alloc_thread(0))
		skip();
	assert_int_equal(uvm_device_start(sides[0].device), NV_OK);
	assert_int_equal(uvm_device_start(sides[1].device), NV_OK);
	/* What the resource manager and the firmware keep from the first time on. */
	fail_in_turn(0);
	put(&sides[2]);
	get(&sides[2]);
	assert_true(fail_in_turn(unit_live_settled()) > 70);
	fill_page(0);
	push_copy(&sides[2], UVM_QUEUE_TO_GPU, NULL, 0, 1, &entry);
	after = after_one(&entry);
	push_copy(&sides[1], UVM_QUEUE_TO_GPU, &after, 1, 2, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	assert_memory_equal(page(2), page(0), KIB(4));
}

/* -- Confidential mode ------------------------------------------------------------------------- */

static void open_video_later(void *arg)
{
	os_sleep_us(A_WHILE_US);
	os_store_release((u32 *)arg, 1u);
}

/* No GPU reads another's semaphores: whoever begins a push waits. */
static void test_confidential(void **state)
{
	struct uvm_device *other = sides[1].device;
	struct uvm_tracker_entry held, entry;
	struct rm_uvm_buffer *memory;
	struct os_thread *opener;
	struct uvm_tracker after;
	struct uvm_push push;
	u64 at, video;

	assert_int_equal(uvm_device_start(sides[0].device), NV_OK);
	assert_int_equal(uvm_device_start(other), NV_OK);
	assert_null(sides[0].device->sights[sides[1].info.instance].memory);
	assert_null(other->sights[sides[0].info.instance].memory);
	assert_int_equal(rm_uvm_buffer_alloc_video(other->session, KIB(4), &memory, &at, &video),
			 NV_OK);
	assert_int_equal(uvm_push_begin(other, UVM_QUEUE_TO_GPU, NULL, &push), NV_OK);
	push.host->semaphore_acquire(push.host, &push.methods, at, 1);
	uvm_push_end(&push, UVM_MEMBAR_SYS, &held);
	opener = os_thread_create("opener", open_video_later,
				  host.gpus[1].model->memory.video + video);
	assert_non_null(opener);
	assert_false(uvm_entry_is_done(&held));
	after = after_one(&held);
	assert_int_equal(uvm_push_begin(sides[0].device, UVM_QUEUE_TO_GPU, &after, &push), NV_OK);
	assert_true(uvm_entry_is_done(&held));
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	assert_int_equal(uvm_entry_wait(&entry), NV_OK);
	os_thread_join(opener);
	rm_uvm_buffer_free(memory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_relay),
		TEST(test_lost),
		TEST(test_error),
		TEST(test_chain),
		TEST(test_lost_later),
		TEST(test_failed_before),
		TEST(test_put_awaited),
		TEST(test_put_waiting),
		TEST(test_removed),
		TEST(test_read_only),
		TEST(test_again),
		TEST(test_no_memory),
		cmocka_unit_test_setup_teardown(test_confidential, start_confidential,
						end_confidential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
