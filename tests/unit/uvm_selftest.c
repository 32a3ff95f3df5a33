// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The driver's built-in tests on two software H100s through the real resource manager: what
 * programs may have it do (UVM_TEST_*), all at once too.
 */
#include <pthread.h>

#include "rm_host.h"
#include "unit.h"

#include "base/bits.h"
#include "uvm/uvm.h"

#define GPUS 2u
#define THREADS 3u

static struct uvm *uvm;
static struct uvm_file *file;
static NvProcessorUuid uuids[GPUS];

static u64 current_mm(void)
{
	return 1;
}

static struct uvm_file *file_get(s32 fd)
{
	return NULL;
}

static const struct uvm_host_ops ops = { .file_get = file_get, .current_mm = current_mm };

#define CALL(of, number, p) \
	(assert_int_equal(uvm_ioctl(of, number, (u64)(uintptr_t)(p)), UVM_RESULT_OK), (p)->rmStatus)

static void learn_uuids(void)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl), i;

	for (i = 0; i < GPUS; i++)
		uuids[i] = host_gpu_uuid(ctl, client, i);
}

static struct uvm_file *open_with_gpus(void)
{
	UVM_INITIALIZE_PARAMS init = { 0 };
	struct uvm_file *of;
	u32 i;

	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &of), NV_OK);
	assert_int_equal(CALL(of, UVM_INITIALIZE, &init), NV_OK);
	for (i = 0; i < GPUS; i++) {
		UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = uuids[i] };

		assert_int_equal(CALL(of, UVM_REGISTER_GPU, &gpu), NV_OK);
	}
	return of;
}

static int start(void **state)
{
	struct uvm_config config = { .host = &ops, .builtin_tests = true };
	u32 i;

	host_start(GPUS);
	config.rm = host.rm;
	for (i = 0; i < GPUS; i++)
		assert_true(host_open(RM_NODE_GPU, i) >= 0);
	learn_uuids();
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	file = open_with_gpus();
	return 0;
}

static int end(void **state)
{
	uvm_file_close(file);
	uvm_destroy(uvm);
	return host_end(state);
}

/* Their structures hold parameters of these words at most, then the status. */
static const struct {
	u32 number;
	u32 param;
	u32 status_at; /* in words */
} tests[] = {
	{ UVM_TEST_RNG_SANITY, 0, 0 },
	{ UVM_TEST_RANGE_TREE_DIRECTED, 0, 0 },
	{ UVM_TEST_RM_MEM_SANITY, 0, 0 },
	{ UVM_TEST_GPU_SEMAPHORE_SANITY, 0, 0 },
	{ UVM_TEST_PAGE_TREE, 0, 0 },
	{ UVM_TEST_TRACKER_SANITY, 0, 0 },
	{ UVM_TEST_PUSH_SANITY, 0, 1 },
	{ UVM_TEST_CHANNEL_SANITY, 0, 0 },
	{ UVM_TEST_CE_SANITY, 0, 1 },
	{ UVM_TEST_LOCK_SANITY, 0, 0 },
	{ UVM_TEST_KVMALLOC, 0, 0 },
	{ UVM_TEST_MEM_SANITY, 0, 0 },
	{ UVM_TEST_PMM_SANITY, UvmTestPmmSanityModeFull, 1 },
	{ UVM_TEST_VA_BLOCK, 0, 0 },
	{ UVM_TEST_NV_KTHREAD_Q, 0, 0 },
	{ UVM_TEST_HOST_SANITY, 0, 0 },
};

static u32 run(struct uvm_file *of, u32 i)
{
	u32 params[2] = { tests[i].param, 0 };

	params[tests[i].status_at] = ~0u;
	assert_int_equal(uvm_ioctl(of, tests[i].number, (u64)(uintptr_t)params), UVM_RESULT_OK);
	return params[tests[i].status_at];
}

static u32 stress(struct uvm_file *of, u32 mode, u32 iterations, u32 seed)
{
	UVM_TEST_CHANNEL_STRESS_PARAMS p = {
		.mode = mode, .iterations = iterations, .num_streams = 9, .seed = seed
	};

	return CALL(of, UVM_TEST_CHANNEL_STRESS, &p);
}

static void test_each(void **state)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		u32 status = run(file, i);

		if (status != NV_OK)
			fail_msg("test %u: %#x", tests[i].number, status);
	}
}

static void test_stress(void **state)
{
	assert_int_equal(stress(file, UVM_TEST_CHANNEL_STRESS_MODE_NOOP_PUSH, 1000, 1), NV_OK);
	assert_int_equal(stress(file, UVM_TEST_CHANNEL_STRESS_MODE_UPDATE_CHANNELS, 1000, 2),
			 NV_OK);
	assert_int_equal(stress(file, UVM_TEST_CHANNEL_STRESS_MODE_STREAM, 100, 3), NV_OK);
}

/* The same, by threads with a file each: they share the GPUs' channels. */
static void *worker(void *arg)
{
	u32 seed = (u32)(uintptr_t)arg, i;
	struct uvm_file *of = open_with_gpus();

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		assert_int_equal(run(of, (i + 5 * seed) % ARRAY_SIZE(tests)), NV_OK);
	for (i = UVM_TEST_CHANNEL_STRESS_MODE_NOOP_PUSH; i <= UVM_TEST_CHANNEL_STRESS_MODE_STREAM;
	     i++)
		assert_int_equal(stress(of, i, 100, seed), NV_OK);
	uvm_file_close(of);
	return NULL;
}

static void test_at_once(void **state)
{
	pthread_t threads[THREADS];
	u32 i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void test_references(void **state)
{
	UVM_TEST_GET_GPU_REF_COUNT_PARAMS p = { .gpu_uuid = uuids[1] };
	UVM_TEST_GET_GPU_TIME_PARAMS time = { .gpu_uuid = uuids[0] };
	struct uvm_file *other = open_with_gpus();
	u64 first;

	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_REF_COUNT, &p), NV_OK);
	assert_int_equal(p.ref_count, 2);
	uvm_file_close(other);
	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_REF_COUNT, &p), NV_OK);
	assert_int_equal(p.ref_count, 1);
	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_TIME, &time), NV_OK);
	first = time.timestamp_ns;
	os_sleep_us(2000);
	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_TIME, &time), NV_OK);
	assert_true(first && time.timestamp_ns - first >= 1900000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest all[] = {
		TEST(test_each),
		TEST(test_stress),
		TEST(test_at_once),
		TEST(test_references),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
