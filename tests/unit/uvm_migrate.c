// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that moves, between a hand-made GPU and a CPU whose mappings of pages stay until
 * the host takes them away: bytes both ways, ranges that are cut, no room, errors in the middle, a
 * GPU that goes, and threads that touch what is moved.
 */
#include "uvm_cpu.h"
#include "uvm_fake.h"

#define BASE 0x300000000ull
#define PAGE CPU_PAGE
#define ALL 7u
#define VIDEO_APERTURE 0u
#define SYSTEM_APERTURE 2u

static int file, mm_file;
static u64 seed;

/* -- The CPU ---------------------------------------------------------------------------------- */

static u64 value_at(u64 address)
{
	u64 x = address ^ seed;

	return unit_random(&x);
}

static void write_all(u64 start, u64 size)
{
	u64 at, was;

	for (at = start; at < start + size; at += PAGE / 2) {
		assert_true(cpu_add(at, 0, &was));
		assert_true(cpu_add(at, value_at(at) - was, &was));
	}
}

static void read_all(u64 start, u64 size)
{
	u64 at, was;

	for (at = start; at < start + size; at += PAGE / 2) {
		assert_true(cpu_add(at, 0, &was));
		if (was != value_at(at))
			fail_msg("%#llx is %#llx", (unsigned long long)at, (unsigned long long)was);
	}
}

/* -- The GPU ----------------------------------------------------------------------------------- */

/* Adds to the word as the GPU reaches it; where that is. */
static u32 gpu_add(u64 address, u64 add, u64 *was)
{
	struct fake_page page = fake_walk(0, address);
	u64 now;

	assert_true(page.valid && !page.read_only && !page.no_atomics);
	if (page.aperture == VIDEO_APERTURE) {
		memcpy(was, fake.gpus[0].video + page.address, 8);
		now = *was + add;
		memcpy(fake.gpus[0].video + page.address, &now, 8);
		return VIDEO_APERTURE;
	}
	assert_int_equal(page.aperture, SYSTEM_APERTURE);
	assert_true(os_user_dma_read(fake.gpus[0].pci, page.address, was, 8));
	now = *was + add;
	assert_true(os_user_dma_write(fake.gpus[0].pci, page.address, &now, 8));
	return SYSTEM_APERTURE;
}

/* All of it is there, and there is what the CPU wrote. */
static void gpu_sees(u64 start, u64 size, u32 aperture)
{
	u64 at, was;

	for (at = start; at < start + size; at += PAGE / 2) {
		assert_int_equal(gpu_add(at, 0, &was), aperture);
		assert_true(was == value_at(at));
	}
}

/* -- Set up ------------------------------------------------------------------------------------ */

static void begin(u32 gpus)
{
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };

	fake.on_unmap = cpu_unmap;
	fake.on_protect = cpu_hold;
	fake.on_discard = cpu_discard;
	seed = 0x1234567;
	file = fake_open(UVM_NODE_UVM);
	cpu_begin(fake.files[file], BASE);
	mm.uvmFd = file;
	mm_file = fake_open(UVM_NODE_UVM);
	assert_int_equal(CALL(file, UVM_INITIALIZE, &init), NV_OK);
	assert_int_equal(CALL(mm_file, UVM_MM_INITIALIZE, &mm), NV_OK);
	fake_register_gpus(file, gpus);
}

static int start(void **state)
{
	fake_start(false);
	begin(1);
	return 0;
}

static int start_populated(void **state)
{
	fake_start(true);
	begin(1);
	return 0;
}

static int start_empty(void **state)
{
	fake_start(false);
	return 0;
}

static int start_two_steps(void **state)
{
	fake_start_two_steps();
	begin(1);
	return 0;
}

static int start_empty_two_steps(void **state)
{
	fake_start_two_steps();
	return 0;
}

static void map(u64 start, u64 size)
{
	enum uvm_mmap_kind kind;

	assert_int_equal(uvm_file_mmap(fake.files[file], start, size, start, ALL, &kind),
			 UVM_RESULT_OK);
}

static void unmap(u64 start, u64 size)
{
	cpu_unmap(start, size);
	uvm_file_munmap(fake.files[file], start, size);
}

static u32 migrate(u64 start, u64 size, bool to_gpu)
{
	UVM_MIGRATE_PARAMS p = { .base = start,
				 .length = size,
				 .destinationUuid = to_gpu ? *fake_uuid(0) : fake_cpu };

	return CALL(file, UVM_MIGRATE, &p);
}

static u32 unregister_space(void)
{
	UVM_UNREGISTER_GPU_VASPACE_PARAMS p = { .gpuUuid = *fake_uuid(0) };

	return CALL(file, UVM_UNREGISTER_GPU_VASPACE, &p);
}

/* -- Both ways --------------------------------------------------------------------------------- */

static void there_and_back(void)
{
	const u64 start = BASE + 3 * PAGE, size = MIB(5) + 7 * PAGE;
	u64 was, videos, copied;

	map(start, size);
	write_all(start, size);
	/* a part at no block's edge, then all, of which that part is there */
	assert_int_equal(migrate(start + 9 * PAGE, MIB(3), true), NV_OK);
	gpu_sees(start, 9 * PAGE, SYSTEM_APERTURE);
	gpu_sees(start + 9 * PAGE, MIB(3), VIDEO_APERTURE);
	gpu_sees(start + 9 * PAGE + MIB(3), size - 9 * PAGE - MIB(3), SYSTEM_APERTURE);
	assert_true(fake.copied == MIB(3));
	assert_int_equal(migrate(start, size, true), NV_OK);
	gpu_sees(start, size, VIDEO_APERTURE);
	assert_true(fake.copied == size);
	copied = fake.copied;
	assert_int_equal(migrate(start, size, true), NV_OK);
	assert_true(fake.copied == copied); /* it was there */
	videos = fake.videos;
	/* the GPU writes; the CPU touches, and has what was written; 64 KiB come, not more */
	gpu_add(start + 20 * PAGE, 5, &was);
	assert_true(cpu_add(start + 20 * PAGE, 0, &was));
	assert_true(was == value_at(start + 20 * PAGE) + 5);
	assert_true(fake.copied == copied + KIB(64));
	assert_int_equal(gpu_add(start + 20 * PAGE, (u64)0 - 5, &was), SYSTEM_APERTURE);
	assert_int_equal(gpu_add(start + 40 * PAGE, 0, &was), VIDEO_APERTURE);
	read_all(start, size);
	gpu_sees(start, size, SYSTEM_APERTURE);
	assert_true(fake.videos == videos); /* their places are kept */
	/* and explicitly */
	assert_int_equal(migrate(start, size, true), NV_OK);
	assert_int_equal(migrate(start + PAGE, MIB(2), false), NV_OK);
	gpu_sees(start + PAGE, MIB(2), SYSTEM_APERTURE);
	gpu_sees(start + PAGE + MIB(2), size - PAGE - MIB(2), VIDEO_APERTURE);
	read_all(start, size);
	assert_int_equal(migrate(start, size, true), NV_OK);
	unmap(start, size);
	assert_true(fake.videos == videos - 3); /* of three blocks */
}

static void test_both_ways(void **state)
{
	there_and_back();
}

/* Memory that nobody has touched is made, and empty there too. */
static void test_fresh(void **state)
{
	u64 was;

	map(BASE, MIB(2));
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	assert_int_equal(gpu_add(BASE + PAGE, 7, &was), VIDEO_APERTURE);
	assert_true(was == 0);
	assert_true(cpu_add(BASE + PAGE, 0, &was) && was == 7);
	assert_true(cpu_add(BASE + MIB(1), 0, &was) && was == 0);
}

/* The semaphore is released at the end, and not after an error. */
static void test_semaphore(void **state)
{
	static UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool;
	UVM_MIGRATE_PARAMS p = { .base = BASE,
				 .length = MIB(2),
				 .destinationUuid = *fake_uuid(0),
				 .flags = UVM_MIGRATE_FLAG_ASYNC,
				 .semaphoreAddress = BASE + MIB(8) + 16,
				 .semaphorePayload = 77 };
	enum uvm_mmap_kind kind;
	struct uvm_extent e;
	u32 *word;

	pool.base = BASE + MIB(8);
	pool.length = MIB(1);
	assert_int_equal(CALL(file, UVM_ALLOC_SEMAPHORE_POOL, &pool), NV_OK);
	assert_int_equal(uvm_file_mmap(fake.files[file], pool.base, MIB(1), pool.base, ALL, &kind),
			 UVM_RESULT_OK);
	assert_int_equal(uvm_file_fault(fake.files[file], pool.base, true, &e, NULL, NULL),
			 UVM_RESULT_OK);
	word = (u32 *)((u8 *)e.pages->cpu + 16);
	map(BASE, MIB(2));
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
	assert_int_equal(*word, 77);
	p.destinationUuid = fake_cpu;
	p.semaphorePayload = 78;
	fake.fail_launch = 1;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_RC_ERROR);
	assert_int_equal(*word, 77);
}

/* -- Cut --------------------------------------------------------------------------------------- */

static void test_split(void **state)
{
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE + MIB(1) + PAGE,
						     .length = 3 * PAGE,
						     .preferredLocation = fake_cpu };
	const u64 size = MIB(4);
	u64 videos;

	map(BASE, size);
	write_all(BASE, size);
	videos = fake.videos;
	assert_int_equal(migrate(BASE + PAGE, MIB(2), true), NV_OK);
	assert_int_equal(CALL(file, UVM_SET_PREFERRED_LOCATION, &prefer), NV_OK);
	gpu_sees(BASE + PAGE, MIB(2), VIDEO_APERTURE);
	/* moved and unmapped in parts, of which some share a chunk */
	assert_int_equal(migrate(BASE + MIB(1), 2 * PAGE, false), NV_OK);
	assert_int_equal(migrate(BASE + MIB(1), 2 * PAGE, true), NV_OK);
	unmap(BASE + MIB(1) + 2 * PAGE, 5 * PAGE);
	read_all(BASE, MIB(1) + 2 * PAGE);
	read_all(BASE + MIB(1) + 7 * PAGE, size - MIB(1) - 7 * PAGE);
	assert_int_equal(migrate(BASE, MIB(1), true), NV_OK);
	assert_int_equal(migrate(BASE + MIB(1) + 7 * PAGE, size - MIB(1) - 7 * PAGE, true), NV_OK);
	unmap(BASE, MIB(1));
	gpu_sees(BASE + MIB(1), 2 * PAGE, SYSTEM_APERTURE);
	gpu_sees(BASE + MIB(1) + 7 * PAGE, size - MIB(1) - 7 * PAGE, VIDEO_APERTURE);
	read_all(BASE + MIB(1) + 7 * PAGE, size - MIB(1) - 7 * PAGE);
	assert_true(fake.videos <= videos + 6); /* its channels' pages, tables */
	assert_int_equal(migrate(BASE + MIB(2), MIB(2), true), NV_OK);
	unmap(BASE, size);
}

static void test_groups(void **state)
{
	UVM_CREATE_RANGE_GROUP_PARAMS group = { 0 };
	UVM_SET_RANGE_GROUP_PARAMS set = { .requestedBase = BASE, .length = MIB(2) };
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE,
						     .length = MIB(4),
						     .preferredLocation = fake_cpu };
	static UVM_PREVENT_MIGRATION_RANGE_GROUPS_PARAMS prevent;
	static UVM_ALLOW_MIGRATION_RANGE_GROUPS_PARAMS allow;

	map(BASE, MIB(2));
	map(BASE + MIB(2), MIB(2));
	write_all(BASE, MIB(4));
	assert_int_equal(CALL(file, UVM_SET_PREFERRED_LOCATION, &prefer), NV_OK);
	assert_int_equal(CALL(file, UVM_CREATE_RANGE_GROUP, &group), NV_OK);
	set.rangeGroupId = group.rangeGroupId;
	assert_int_equal(CALL(file, UVM_SET_RANGE_GROUP, &set), NV_OK);
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	prevent.rangeGroupIds[0] = group.rangeGroupId;
	prevent.numGroupIds = 1;
	assert_int_equal(CALL(file, UVM_PREVENT_MIGRATION_RANGE_GROUPS, &prevent), NV_OK);
	gpu_sees(BASE, MIB(2), SYSTEM_APERTURE);
	assert_int_equal(migrate(BASE, MIB(4), true), NV_WARN_MORE_PROCESSING_REQUIRED);
	gpu_sees(BASE, MIB(2), SYSTEM_APERTURE);
	gpu_sees(BASE + MIB(2), MIB(2), VIDEO_APERTURE);
	allow.rangeGroupIds[0] = group.rangeGroupId;
	allow.numGroupIds = 1;
	assert_int_equal(CALL(file, UVM_ALLOW_MIGRATION_RANGE_GROUPS, &allow), NV_OK);
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	gpu_sees(BASE, MIB(4), VIDEO_APERTURE);
}

/* -- Where nothing moves ----------------------------------------------------------------------- */

static void test_cannot(void **state)
{
	fake.can_unmap = false;
	map(BASE, MIB(2));
	write_all(BASE, MIB(2));
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	gpu_sees(BASE, MIB(2), SYSTEM_APERTURE);
	fake.can_unmap = true;
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	gpu_sees(BASE, MIB(2), VIDEO_APERTURE);
	/* a second GPU must reach it as well */
	fake_register_gpus_from(file, 1, 2);
	gpu_sees(BASE, MIB(2), SYSTEM_APERTURE);
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	gpu_sees(BASE, MIB(2), SYSTEM_APERTURE);
	read_all(BASE, MIB(2));
}

/* A process that does not let its stores be held in time keeps its memory, and loses none of it. */
static void test_not_held(void **state)
{
	u64 was;

	map(BASE, MIB(4));
	write_all(BASE, MIB(4));
	assert_int_equal(migrate(BASE + PAGE, MIB(1), true), NV_OK);
	fake.fail_protect = true;
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	assert_false(fake.gpus[0].paused);
	gpu_sees(BASE, PAGE, SYSTEM_APERTURE);
	gpu_sees(BASE + PAGE, MIB(1), VIDEO_APERTURE);
	gpu_sees(BASE + PAGE + MIB(1), MIB(3) - PAGE, SYSTEM_APERTURE);
	/* what was held all the same waits for an answer, and goes on in the same memory */
	assert_true(cpu.held[0] && cpu_add(BASE, 5, &was) && !cpu.held[0]);
	assert_true(gpu_add(BASE, (u64)0 - 5, &was) == SYSTEM_APERTURE &&
		    was == value_at(BASE) + 5);
	read_all(BASE, MIB(4));
}

/* A process that goes on without its mapping has all it had. */
static void test_brought_back(void **state)
{
	u64 copied;

	map(BASE, MIB(4));
	write_all(BASE, MIB(4));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	copied = fake.copied;
	uvm_file_bring_back(fake.files[file], BASE + MIB(2) - PAGE, 2 * PAGE);
	assert_true(fake.copied == copied + 2 * PAGE);
	gpu_sees(BASE + MIB(2) - PAGE, 2 * PAGE, SYSTEM_APERTURE);
	uvm_file_bring_back(fake.files[file], 0, BASE);
	uvm_file_bring_back(fake.files[file], BASE + MIB(4), MIB(1));
	uvm_file_bring_back(fake.files[file], BASE, 0);
	uvm_file_bring_back(fake.files[file], BASE, (u64)0 - BASE + 1);
	uvm_file_bring_back(fake.files[mm_file], BASE, MIB(4));
	gpu_sees(BASE, MIB(2) - PAGE, VIDEO_APERTURE);
	uvm_file_bring_back(fake.files[file], BASE - MIB(1), MIB(64));
	gpu_sees(BASE, MIB(4), SYSTEM_APERTURE);
	read_all(BASE, MIB(4));
}

/* More than there is: what came first makes room, and without such nothing moves. */
static void test_no_room(void **state)
{
	const u64 size = MIB(14);
	struct rm_uvm_video *taken[FAKE_VIDEO / MIB(2)];
	u32 count = 0, videos;
	u64 address, was;

	map(BASE, size);
	write_all(BASE, size);
	assert_int_equal(migrate(BASE, PAGE, true), NV_OK); /* with channels and tables */
	assert_int_equal(migrate(BASE, PAGE, false), NV_OK);
	while (rm_uvm_video_alloc(&fake.gpus[0], MIB(2), MIB(2), &taken[count], &address) == NV_OK)
		count++;
	assert_true(count > 4);
	rm_uvm_video_free(taken[--count]);
	rm_uvm_video_free(taken[--count]);
	assert_int_equal(migrate(BASE, size, true), NV_OK);
	gpu_sees(BASE, size - MIB(6), SYSTEM_APERTURE);
	gpu_sees(BASE + size - MIB(6), MIB(6), VIDEO_APERTURE);
	read_all(BASE, size);
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	gpu_sees(BASE, MIB(2), VIDEO_APERTURE);
	/* one that is another's has its own */
	videos = fake.videos;
	assert_true(fake.listener->reclaim(fake.listener_ctx, &fake.gpus[0], MIB(4)));
	assert_true(fake.videos == videos - 2);
	gpu_sees(BASE, MIB(2), VIDEO_APERTURE);
	assert_false(fake.listener->reclaim(fake.listener_ctx, &fake.gpus[0], MIB(4)));
	assert_false(fake.listener->reclaim(fake.listener_ctx, &fake.gpus[1], MIB(2)));
	assert_true(fake.listener->reclaim(fake.listener_ctx, &fake.gpus[0], 1));
	gpu_sees(BASE, size, SYSTEM_APERTURE);
	while (rm_uvm_video_alloc(&fake.gpus[0], MIB(2), MIB(2), &taken[count], &address) == NV_OK)
		count++;
	assert_int_equal(migrate(BASE, size, true), NV_ERR_NO_MEMORY);
	gpu_sees(BASE, size, SYSTEM_APERTURE);
	while (count)
		rm_uvm_video_free(taken[--count]);
	assert_int_equal(migrate(BASE, size, true), NV_OK);
	gpu_sees(BASE, size, VIDEO_APERTURE);
	read_all(BASE, size);
	assert_true(gpu_add(BASE, 0, &was) == SYSTEM_APERTURE);
}

/* A block that cannot be brought back stays, and so does what wanted its place. */
static void test_not_evicted(void **state)
{
	struct rm_uvm_video *taken[FAKE_VIDEO / MIB(2)];
	u32 count = 0;
	u64 address;

	map(BASE, MIB(6));
	write_all(BASE, MIB(6));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	while (rm_uvm_video_alloc(&fake.gpus[0], MIB(2), MIB(2), &taken[count], &address) == NV_OK)
		count++;
	fake.gpus[0].invalidation = NV_ERR_TIMEOUT;
	assert_int_equal(migrate(BASE + MIB(4), MIB(2), true), NV_ERR_TIMEOUT);
	gpu_sees(BASE, MIB(4), VIDEO_APERTURE);
	gpu_sees(BASE + MIB(4), MIB(2), SYSTEM_APERTURE);
	fake.gpus[0].invalidation = NV_OK;
	/* the other one is the next by now */
	assert_int_equal(migrate(BASE + MIB(4), MIB(2), true), NV_OK);
	gpu_sees(BASE, MIB(2), VIDEO_APERTURE);
	gpu_sees(BASE + MIB(2), MIB(2), SYSTEM_APERTURE);
	gpu_sees(BASE + MIB(4), MIB(2), VIDEO_APERTURE);
	fake.fail_launch = 1;
	assert_int_equal(migrate(BASE + MIB(2), MIB(2), true), NV_ERR_RC_ERROR);
	gpu_sees(BASE + MIB(2), MIB(2), SYSTEM_APERTURE);
	while (count)
		rm_uvm_video_free(taken[--count]);
}

/* -- Errors ------------------------------------------------------------------------------------ */

/* On the way there the data is where it was; on the way back it cannot be had. */
static void test_copy_fails(void **state)
{
	u64 was;

	map(BASE, MIB(6));
	write_all(BASE, MIB(6));
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	fake.fail_launch = 1;
	assert_int_equal(migrate(BASE + MIB(2), MIB(4), true), NV_ERR_RC_ERROR);
	gpu_sees(BASE + MIB(2), MIB(4), SYSTEM_APERTURE);
	read_all(BASE + MIB(2), MIB(4));
	assert_int_equal(migrate(BASE + MIB(2), MIB(2), true), NV_ERR_RC_ERROR);
	gpu_sees(BASE, MIB(2), VIDEO_APERTURE);
	assert_false(cpu_add(BASE, 0, &was));
	assert_int_equal(migrate(BASE, MIB(2), false), NV_ERR_RC_ERROR);
	/* without its GPU it is lost, and says so */
	assert_int_equal(unregister_space(), NV_OK);
	assert_false(cpu_add(BASE, 0, &was));
	read_all(BASE + MIB(2), MIB(4));
}

static void test_gpu_lost(void **state)
{
	u64 was;

	map(BASE, MIB(6));
	write_all(BASE, MIB(6));
	assert_int_equal(migrate(BASE, MIB(2), true), NV_OK);
	fake.lose_launch = 1;
	assert_int_equal(migrate(BASE + MIB(2), MIB(2), true), NV_ERR_GPU_IS_LOST);
	read_all(BASE + MIB(2), MIB(4));
	fake.listener->gone(fake.listener_ctx, &fake.gpus[0]);
	assert_false(cpu_add(BASE, 0, &was));
	assert_false(cpu_add(BASE + MIB(1), 0, &was));
	read_all(BASE + MIB(2), MIB(4));
	/* nor does another GPU see what was there before */
	fake_register_gpus_from(file, 1, 2);
	assert_false(fake_walk(1, BASE).valid);
	assert_false(fake_walk(1, BASE + MIB(2) - PAGE).valid);
	assert_true(fake_walk(1, BASE + MIB(2)).valid);
	/* gone with the mapping: a new one there is new memory */
	unmap(BASE, MIB(2));
	map(BASE, MIB(2));
	assert_true(cpu_add(BASE, 0, &was) && was == 0);
}

/*
 * A GPU that does not confirm that it forgot: channels may go on by the old entries, so the data is
 * where these lead.
 */
static void test_not_forgotten(void **state)
{
	struct rm_gpu *gpu = &fake.gpus[0];
	u64 was;

	map(BASE, MIB(4));
	write_all(BASE, MIB(4));
	gpu_sees(BASE, MIB(4), SYSTEM_APERTURE);
	gpu->invalidation = NV_ERR_TIMEOUT;
	assert_int_equal(migrate(BASE, MIB(4), true), NV_ERR_TIMEOUT);
	assert_false(gpu->paused);
	gpu_sees(BASE, MIB(4), SYSTEM_APERTURE);
	read_all(BASE, MIB(4));
	gpu->invalidation = NV_OK;
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	gpu->invalidation = NV_ERR_TIMEOUT;
	assert_int_equal(migrate(BASE, MIB(4), false), NV_ERR_TIMEOUT);
	assert_false(cpu_add(BASE, 0, &was));
	assert_false(gpu->paused);
	gpu_sees(BASE, MIB(4), VIDEO_APERTURE);
	/* with its address space nothing is lost: there is no entry to be forgotten any more */
	assert_int_equal(unregister_space(), NV_OK);
	read_all(BASE, MIB(4));
	gpu->invalidation = NV_OK;
}

/* Lost at that moment: what had not gone is here, what had come back too. */
static void test_lost_at_invalidation(void **state)
{
	u64 was;

	map(BASE, MIB(6));
	write_all(BASE, MIB(6));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	gpu_sees(BASE + MIB(4), MIB(2), SYSTEM_APERTURE);
	fake.gpus[0].invalidation = NV_ERR_GPU_IS_LOST;
	assert_int_equal(migrate(BASE, MIB(2), false), NV_OK);
	assert_int_equal(migrate(BASE + MIB(4), MIB(2), true), NV_ERR_GPU_IS_LOST);
	fake.listener->gone(fake.listener_ctx, &fake.gpus[0]);
	read_all(BASE, MIB(2));
	assert_false(cpu_add(BASE + MIB(2), 0, &was));
	read_all(BASE + MIB(4), MIB(2));
}

/* Likewise on the way there. */
static void test_lost_on_the_way(void **state)
{
	map(BASE, MIB(2));
	write_all(BASE, MIB(2));
	assert_int_equal(migrate(BASE, PAGE, true), NV_OK); /* the block is mapped */
	assert_int_equal(migrate(BASE, PAGE, false), NV_OK);
	fake.gpus[0].invalidation = NV_ERR_GPU_IS_LOST;
	assert_int_equal(migrate(BASE, MIB(2), true), NV_ERR_GPU_IS_LOST);
	fake.listener->gone(fake.listener_ctx, &fake.gpus[0]);
	read_all(BASE, MIB(2));
}

/* -- Ends -------------------------------------------------------------------------------------- */

static void test_ends(void **state)
{
	UVM_UNREGISTER_GPU_PARAMS gone = { .gpu_uuid = *fake_uuid(0) };
	u64 copied;

	map(BASE, MIB(4));
	write_all(BASE, MIB(4));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	fake.listener->suspend(fake.listener_ctx);
	gpu_sees(BASE, MIB(4), SYSTEM_APERTURE);
	read_all(BASE, MIB(4));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	assert_int_equal(unregister_space(), NV_OK);
	read_all(BASE, MIB(4));
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU, &gone), NV_OK);
	fake_register_gpus(file, 1);
	gpu_sees(BASE, MIB(4), SYSTEM_APERTURE);
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU, &gone), NV_OK);
	read_all(BASE, MIB(4));
	fake_register_gpus(file, 1);
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	copied = fake.copied;
	/* of a process that is gone nobody wants it */
	fake.mm = 0;
	uvm_file_mm_gone(fake.files[file]);
	assert_true(fake.copied == copied);
	fake_close(mm_file);
	assert_true(fake.copied == copied);
}

/* The file that says that the process lives is closed, and it lives: nothing of its data goes. */
static void test_hold_given_up(void **state)
{
	u64 was;

	map(BASE, MIB(4));
	write_all(BASE, MIB(4));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
	assert_int_equal(gpu_add(BASE + PAGE, 5, &was), VIDEO_APERTURE);
	fake_close(mm_file);
	assert_true(cpu_add(BASE + PAGE, (u64)0 - 5, &was));
	read_all(BASE, MIB(4));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_ERR_INVALID_DEVICE);
}

/* The file is closed with all of it at the GPU. */
static void test_close(void **state)
{
	map(BASE, MIB(4));
	assert_int_equal(migrate(BASE, MIB(4), true), NV_OK);
}

/* -- Threads ----------------------------------------------------------------------------------- */

#define TOUCHES 4000u

static bool stop;
static pthread_mutex_t requests = PTHREAD_MUTEX_INITIALIZER;

static void *mover(void *arg)
{
	u64 random = (u64)(uintptr_t)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		u64 page = unit_random(&random) % 1000, pages = 1 + unit_random(&random) % 200;

		/* The hand-made resource manager takes one request at a time. */
		pthread_mutex_lock(&requests);
		migrate(BASE + page * PAGE, pages * PAGE, unit_random(&random) & 1);
		pthread_mutex_unlock(&requests);
	}
	return NULL;
}

static void *toucher(void *arg)
{
	u64 random = (u64)(uintptr_t)arg, was;
	u32 i;

	for (i = 0; i < TOUCHES; i++)
		cpu_add(BASE + unit_random(&random) % 1024 * PAGE, 1, &was);
	return NULL;
}

/* No increment is lost, wherever the page was. */
static void test_threads(void **state)
{
	pthread_t movers[2], touchers[3];
	u64 sum = 0, was, i;

	map(BASE, 1200 * PAGE);
	stop = false;
	for (i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&movers[i], NULL, mover, (void *)(uintptr_t)(i + 9)), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(
			pthread_create(&touchers[i], NULL, toucher, (void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < 3; i++)
		pthread_join(touchers[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(movers[i], NULL);
	for (i = 0; i < 1024; i++) {
		assert_true(cpu_add(BASE + i * PAGE, 0, &was));
		sum += was;
	}
	assert_true(sum == 3 * TOUCHES);
	assert_true(fake.copied > 0);
}

/* -- No memory --------------------------------------------------------------------------------- */

/* False as soon as something fails, which must be for want of memory. */
static bool life(void)
{
	UVM_MIGRATE_PARAMS p = { .base = BASE + PAGE,
				 .length = MIB(3),
				 .destinationUuid = *fake_uuid(0) };
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE + MIB(2) - 3 * PAGE,
						     .length = 2 * PAGE,
						     .preferredLocation = fake_cpu };
	u64 was;

	assert_int_equal(uvm_ioctl(fake.files[file], UVM_MIGRATE, (u64)(uintptr_t)&p),
			 UVM_RESULT_OK);
	if (p.rmStatus != NV_OK) {
		assert_int_equal(p.rmStatus, NV_ERR_NO_MEMORY);
		return false;
	}
	assert_int_equal(
		uvm_ioctl(fake.files[file], UVM_SET_PREFERRED_LOCATION, (u64)(uintptr_t)&prefer),
		UVM_RESULT_OK);
	if (prefer.rmStatus != NV_OK) {
		assert_int_equal(prefer.rmStatus, NV_ERR_NO_MEMORY);
		return false;
	}
	if (!cpu_add(BASE + 2 * PAGE, 0, &was))
		return false;
	p.destinationUuid = fake_cpu;
	p.length = PAGE;
	assert_int_equal(uvm_ioctl(fake.files[file], UVM_MIGRATE, (u64)(uintptr_t)&p),
			 UVM_RESULT_OK);
	if (p.rmStatus != NV_OK)
		assert_int_equal(p.rmStatus, NV_ERR_NO_MEMORY);
	return p.rmStatus == NV_OK;
}

static void test_no_memory(void **state)
{
	u64 nth, failed;
	bool done;
	u32 i;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (nth = 1;; nth++) {
		begin(1);
		map(BASE, MIB(4));
		write_all(BASE, MIB(4));
		failed = unit_failed();
		os_user_fail_alloc_thread(nth);
		done = life();
		os_user_fail_alloc_thread(0);
		/* Whatever it was, data is whole. */
		read_all(BASE, MIB(4));
		for (i = 0; i < FAKE_FILES; i++) {
			if (fake.open[i])
				fake_close((int)i);
		}
		assert_int_equal(fake.videos, 0);
		assert_int_equal(fake.sessions, 0);
		if (unit_failed() == failed) {
			assert_true(done);
			break;
		}
	}
	assert_true(nth > 20);
}

int main(void)
{
#define TEST(name, before) cmocka_unit_test_setup_teardown(name, before, fake_end)
#define TWO_STEPS(name, before)                                  \
	{                                                        \
#name "_two_steps", name, before, fake_end, NULL \
	}
	const struct CMUnitTest tests[] = {
		TEST(test_both_ways, start),
		{ "test_both_ways_populated", test_both_ways, start_populated, fake_end, NULL },
		TEST(test_fresh, start),
		TEST(test_semaphore, start),
		TEST(test_split, start),
		TEST(test_groups, start),
		TEST(test_cannot, start),
		TEST(test_no_room, start),
		TEST(test_not_evicted, start),
		TEST(test_copy_fails, start),
		TEST(test_gpu_lost, start),
		TEST(test_not_forgotten, start),
		TEST(test_lost_at_invalidation, start),
		TEST(test_lost_on_the_way, start),
		TEST(test_ends, start),
		TEST(test_hold_given_up, start),
		TEST(test_brought_back, start),
		TEST(test_close, start),
		TEST(test_threads, start),
		TEST(test_no_memory, start_empty),
		TEST(test_not_held, start_two_steps),
		TWO_STEPS(test_brought_back, start_two_steps),
		TWO_STEPS(test_both_ways, start_two_steps),
		TWO_STEPS(test_fresh, start_two_steps),
		TWO_STEPS(test_semaphore, start_two_steps),
		TWO_STEPS(test_split, start_two_steps),
		TWO_STEPS(test_groups, start_two_steps),
		TWO_STEPS(test_cannot, start_two_steps),
		TWO_STEPS(test_no_room, start_two_steps),
		TWO_STEPS(test_copy_fails, start_two_steps),
		TWO_STEPS(test_gpu_lost, start_two_steps),
		TWO_STEPS(test_not_forgotten, start_two_steps),
		TWO_STEPS(test_lost_at_invalidation, start_two_steps),
		TWO_STEPS(test_lost_on_the_way, start_two_steps),
		TWO_STEPS(test_ends, start_two_steps),
		TWO_STEPS(test_hold_given_up, start_two_steps),
		TWO_STEPS(test_close, start_two_steps),
		TWO_STEPS(test_threads, start_two_steps),
		TWO_STEPS(test_no_memory, start_empty_two_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
