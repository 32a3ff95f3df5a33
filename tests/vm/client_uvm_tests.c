// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The built-in tests of unified memory, by real system calls: switched off, and switched on. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "client_uvm.h"

#define FIRST 200u
#define LAST 330u
static const NvProcessorUuid cpu = { { 0xa6, 0x5e, 0x0f, 0x4e, 0xd7, 0xd4, 0x7b, 0xa2, 0x50, 0x47,
				       0x41, 0x2c, 0x14, 0x2a, 0x77, 0x73 } };

int row_uvm_tests_off(void)
{
	static u8 block[4096];
	int fd = open_uvm();

	CHECK_IS(initialize(fd, 0), NV_OK);
	for (u32 number = FIRST; number < LAST; number++)
		CHECK_IS(CALL(fd, number, block), -EINVAL);
	close(fd);
	return 0;
}

/* -- What is where -------------------------------------------------------------------------------
 */

static UVM_TEST_VA_RANGE_INFO_PARAMS *range_info(int fd, const u8 *at)
{
	static UVM_TEST_VA_RANGE_INFO_PARAMS p;

	p.lookup_address = (u64)(uintptr_t)at;
	CHECK_IS(STATUS(fd, UVM_TEST_VA_RANGE_INFO, &p), NV_OK);
	CHECK_IS(p.type, UVM_TEST_VA_RANGE_TYPE_MANAGED);
	return &p;
}

static void check_mapping(int fd, const u8 *at, const u8 *start, u64 size)
{
	UVM_TEST_VA_RANGE_INFO_PARAMS *p = range_info(fd, at);

	CHECK(p->managed.owned_by_calling_process && !p->managed.is_zombie);
	CHECK_IS(p->managed.vma_start, (u64)(uintptr_t)start);
	CHECK_IS(p->managed.vma_end, (u64)(uintptr_t)start + size - 1);
}

static bool is_resident(int fd, const u8 *at, const NvProcessorUuid *on)
{
	static UVM_TEST_VA_RESIDENCY_INFO_PARAMS p;

	p.lookup_address = (u64)(uintptr_t)at;
	CHECK_IS(STATUS(fd, UVM_TEST_VA_RESIDENCY_INFO, &p), NV_OK);
	CHECK_IS(p.resident_on_count, 1);
	CHECK_IS(p.mapped_on_count, 1);
	CHECK_IS(p.page_size[0], PAGE);
	return !memcmp(&p.resident_on[0], on, sizeof(*on));
}

static void check_ranges(const struct joined *j)
{
	UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR_PARAMS inject = { 0 };
	UVM_TEST_VA_RANGE_SPLIT_PARAMS split = { 0 };
	UVM_TEST_VA_BLOCK_INFO_PARAMS block = { 0 };
	UVM_MIGRATE_PARAMS migrate = { .length = MIB(2), .destinationUuid = j->uuid };
	u8 *all = reserve(MIB(6)), *at = all + (MIB(2) - (uintptr_t)all % MIB(2));
	bool moves = on_modules();
	u64 base = (u64)(uintptr_t)at;

	CHECK_IS(map_at(j->fd, at, MIB(4)), 0);
	check_mapping(j->fd, at + MIB(3), at, MIB(4));
	at[MIB(2) - 1] = 1;
	at[MIB(2)] = 2;
	block.lookup_address = base + MIB(2);
	CHECK_IS(STATUS(j->fd, UVM_TEST_VA_BLOCK_INFO, &block), NV_OK);
	CHECK_IS(block.va_block_start, base + MIB(2));
	CHECK_IS(block.va_block_end, base + MIB(4) - 1);
	split.split_address = base + MIB(1) - 1;
	CHECK_IS(STATUS(j->fd, UVM_TEST_VA_RANGE_SPLIT, &split), NV_OK);
	CHECK_IS(range_info(j->fd, at)->va_range_end, base + MIB(1) - 1);
	check_mapping(j->fd, at, at, MIB(4));
	inject.lookup_address = base + MIB(2);
	CHECK_IS(STATUS(j->fd, UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR, &inject), NV_OK);
	split.split_address = base + MIB(2) - 1;
	CHECK_IS(STATUS(j->fd, UVM_TEST_VA_RANGE_SPLIT, &split), NV_ERR_NO_MEMORY);
	CHECK_IS(STATUS(j->fd, UVM_TEST_VA_RANGE_SPLIT, &split), NV_OK);
	/* It moves where the host can take it from the CPU, and comes back when that touches it. */
	migrate.base = base;
	CHECK_IS(STATUS(j->fd, UVM_MIGRATE, &migrate), NV_OK);
	if (moves)
		CHECK(is_resident(j->fd, at + MIB(2) - 1, &j->uuid));
	CHECK(is_resident(j->fd, at + MIB(2), &cpu));
	CHECK_IS(at[MIB(2) - 1], 1);
	CHECK(is_resident(j->fd, at + MIB(2) - 1, &cpu));
	if (moves)
		CHECK(is_resident(j->fd, at, &j->uuid));
	/* A hole cuts the mapping too. */
	CHECK(munmap(at + MIB(1), PAGE) == 0);
	check_mapping(j->fd, at, at, MIB(1));
	check_mapping(j->fd, at + MIB(3), at + MIB(1) + PAGE, MIB(3) - PAGE);
	CHECK(munmap(at, MIB(4)) == 0);
	CHECK(munmap(all, MIB(6)) == 0);
}

/* -- Tests of itself -----------------------------------------------------------------------------
 */

/* A parameter where there is one, then the status. */
static const struct {
	u32 number, param, status_at;
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

static u32 stress(int fd, u32 mode, u32 iterations)
{
	UVM_TEST_CHANNEL_STRESS_PARAMS p = { .mode = mode,
					     .iterations = iterations,
					     .num_streams = 5 };

	return STATUS(fd, UVM_TEST_CHANNEL_STRESS, &p);
}

static void check_tests(const struct joined *j)
{
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS tree = { .main_iterations = 1000,
						   .high_probability = 75,
						   .add_remove_shrink_group_probability = 50,
						   .shrink_probability = 20,
						   .collision_checks = 2,
						   .iterator_checks = 1,
						   .max_end = 10000,
						   .max_ranges = 100,
						   .max_batch_count = 5,
						   .max_attempts = 10 };
	UVM_TEST_PMM_CHECK_LEAK_PARAMS leak = { .gpu_uuid = j->uuid,
						.chunk_size = MIB(2),
						.alloc_limit = 64 };
	UVM_TEST_RANGE_GROUP_TREE_PARAMS groups = { { 0 } };
	UVM_TEST_GET_GPU_TIME_PARAMS before = { .gpu_uuid = j->uuid }, after = before;
	u32 i;

	CHECK_IS(STATUS(j->fd, UVM_TEST_GET_GPU_TIME, &before), NV_OK);
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		u32 params[2] = { tests[i].param, 0 };

		params[tests[i].status_at] = ~0u;
		CHECK_IS(CALL(j->fd, tests[i].number, params), 0);
		if (params[tests[i].status_at] != NV_OK)
			fprintf(stderr, "test %u\n", tests[i].number);
		CHECK_IS(params[tests[i].status_at], NV_OK);
	}
	for (i = UVM_TEST_CHANNEL_STRESS_MODE_NOOP_PUSH; i <= UVM_TEST_CHANNEL_STRESS_MODE_STREAM;
	     i++)
		CHECK_IS(stress(j->fd, i, 200), NV_OK);
	CHECK_IS(STATUS(j->fd, UVM_TEST_RANGE_TREE_RANDOM, &tree), NV_OK);
	CHECK(tree.stats.total_adds && tree.stats.total_merges);
	CHECK_IS(STATUS(j->fd, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_OK);
	CHECK_IS(leak.allocated, 64);
	for (i = 0; i < 4; i++) {
		UVM_CREATE_RANGE_GROUP_PARAMS group = { 0 };

		CHECK_IS(STATUS(j->fd, UVM_CREATE_RANGE_GROUP, &group), NV_OK);
		groups.rangeGroupIds[i] = group.rangeGroupId;
	}
	CHECK_IS(STATUS(j->fd, UVM_TEST_RANGE_GROUP_TREE, &groups), NV_OK);
	CHECK_IS(STATUS(j->fd, UVM_TEST_GET_GPU_TIME, &after), NV_OK);
	CHECK(before.timestamp_ns && after.timestamp_ns > before.timestamp_ns);
}

/* How many files have the GPU. */
static u64 references(int fd, const NvProcessorUuid *uuid)
{
	UVM_TEST_GET_GPU_REF_COUNT_PARAMS p = { .gpu_uuid = *uuid };

	CHECK_IS(STATUS(fd, UVM_TEST_GET_GPU_REF_COUNT, &p), NV_OK);
	return p.ref_count;
}

/* One that would take hours ends with its process, and so does all that the process had. */
static void check_killed(void)
{
	struct joined j;
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		j = join();
		stress(j.fd, UVM_TEST_CHANNEL_STRESS_MODE_STREAM, ~0u);
		_exit(1);
	}
	usleep(500000);
	CHECK(waitpid(child, &status, WNOHANG) == 0);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	j = join();
	for (int i = 0; i < 10000 && references(j.fd, &j.uuid) != 1; i++)
		usleep(1000);
	CHECK_IS(references(j.fd, &j.uuid), 1);
	leave(&j);
}

int row_uvm_tests(void)
{
	struct joined j;

	check_killed();
	j = join();
	check_ranges(&j);
	check_tests(&j);
	leave(&j);
	return 0;
}
