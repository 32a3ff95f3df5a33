// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Ranges that clients make by ioctls: external ranges with RM's memory in every form, sparse pages,
 * the scheduler's page, semaphore pools; the tables are read by the walk of uvm_fake.
 */
#include "uvm_fake.h"

#define BASE 0x200000000ull

static int file;

static int start_with(u32 gpus, u32 links)
{
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm;

	fake_start(false);
	file = fake_open(UVM_NODE_UVM);
	assert_int_equal(CALL(file, UVM_INITIALIZE, &init), NV_OK);
	mm.uvmFd = file;
	assert_int_equal(CALL(fake_open(UVM_NODE_UVM), UVM_MM_INITIALIZE, &mm), NV_OK);
	fake.links = links;
	fake_register_gpus(file, gpus);
	return 0;
}

static int start(void **state)
{
	return start_with(2, 0);
}

static int start_linked(void **state)
{
	return start_with(2, 18);
}

static u32 create(u64 base, u64 length)
{
	UVM_CREATE_EXTERNAL_RANGE_PARAMS p = { .base = base, .length = length };

	return CALL(file, UVM_CREATE_EXTERNAL_RANGE, &p);
}

static u32 free_range(u64 base, u64 length)
{
	UVM_FREE_PARAMS p = { .base = base, .length = length };

	return CALL(file, UVM_FREE, &p);
}

static u32 validate(u64 base, u64 length)
{
	UVM_VALIDATE_VA_RANGE_PARAMS p = { .base = base, .length = length };

	return CALL(file, UVM_VALIDATE_VA_RANGE, &p);
}

static UVM_MAP_EXTERNAL_ALLOCATION_PARAMS map_params;

static u32 map_as(u32 gpu, u64 base, u64 length, u64 offset, u32 memory, u32 type, u32 caching)
{
	UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p = &map_params;

	memset(p, 0, sizeof(*p));
	p->base = base;
	p->length = length;
	p->offset = offset;
	p->gpuAttributesCount = 1;
	p->perGpuAttributes[0].gpuUuid = *fake_uuid(gpu);
	p->perGpuAttributes[0].gpuMappingType = type;
	p->perGpuAttributes[0].gpuCachingType = caching;
	p->rmCtrlFd = FAKE_FD;
	p->hClient = FAKE_CLIENT;
	p->hMemory = memory;
	return CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p);
}

static u32 map(u32 gpu, u64 base, u64 length, u64 offset, u32 memory)
{
	return map_as(gpu, base, length, offset, memory, 0, 0);
}

static u32 unmap(const NvProcessorUuid *gpu, u64 base, u64 length)
{
	UVM_UNMAP_EXTERNAL_PARAMS p = { .base = base, .length = length, .gpuUuid = *gpu };

	return CALL(file, UVM_UNMAP_EXTERNAL, &p);
}

static u32 sparse(const NvProcessorUuid *gpu, u64 base, u64 length)
{
	UVM_MAP_EXTERNAL_SPARSE_PARAMS p = { .base = base, .length = length, .gpuUuid = *gpu };

	return CALL(file, UVM_MAP_EXTERNAL_SPARSE, &p);
}

static void check(u32 gpu, u64 va, u64 size, u32 aperture, u64 address)
{
	struct fake_page page = fake_walk(gpu, va);

	assert_true(page.valid);
	assert_true(page.size == size);
	assert_int_equal(page.aperture, aperture);
	assert_true(page.address == address);
}

static void nothing(u32 gpu, u64 va)
{
	struct fake_page page = fake_walk(gpu, va);

	assert_false(page.valid);
	assert_false(page.sparse);
}

/* -- External ranges --------------------------------------------------------------------------- */

static const struct {
	u64 base, length;
} bad[] = {
	{ 0, KIB(4) },	       { BASE, 0 },
	{ BASE + 1, KIB(4) },  { BASE, KIB(4) + 1 },
	{ BASE, 1 },	       { ~(u64)0 - 0xfff, KIB(8) },
	{ BASE, ~(u64)0xfff }, { ~(u64)0xfff, KIB(4) },
};

static void test_bad_ranges(void **state)
{
	u32 memory = fake_memory(0, true, MIB(2), MIB(2), 0, MIB(2)), i;

	assert_int_equal(create(BASE, MIB(8)), NV_OK);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool = { .base = bad[i].base,
							 .length = bad[i].length };
		UVM_MAP_DYNAMIC_PARALLELISM_REGION_PARAMS sked = { .base = bad[i].base,
								   .length = bad[i].length,
								   .gpuUuid = *fake_uuid(0) };
		UVM_SET_RANGE_GROUP_PARAMS group = { .requestedBase = bad[i].base,
						     .length = bad[i].length };
		UVM_MIGRATE_PARAMS migrate = { .base = bad[i].base,
					       .length = bad[i].length,
					       .destinationUuid = fake_cpu };
		UVM_POPULATE_PAGEABLE_PARAMS populate = { .base = bad[i].base,
							  .length = bad[i].length };
		UVM_UNSET_PREFERRED_LOCATION_PARAMS policy = { .requestedBase = bad[i].base,
							       .length = bad[i].length };

		assert_int_equal(create(bad[i].base, bad[i].length), NV_ERR_INVALID_ADDRESS);
		assert_int_equal(map(0, bad[i].base, bad[i].length, 0, memory),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(unmap(fake_uuid(0), bad[i].base, bad[i].length),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(sparse(fake_uuid(0), bad[i].base, bad[i].length),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(free_range(bad[i].base, bad[i].length), NV_ERR_INVALID_ADDRESS);
		assert_int_equal(validate(bad[i].base, bad[i].length), NV_ERR_INVALID_ADDRESS);
		assert_int_equal(CALL(file, UVM_ALLOC_SEMAPHORE_POOL, &pool),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(CALL(file, UVM_MAP_DYNAMIC_PARALLELISM_REGION, &sked),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(CALL(file, UVM_SET_RANGE_GROUP, &group), NV_ERR_INVALID_ADDRESS);
		assert_int_equal(CALL(file, UVM_MIGRATE, &migrate), NV_ERR_INVALID_ADDRESS);
		assert_int_equal(CALL(file, UVM_POPULATE_PAGEABLE, &populate),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(CALL(file, UVM_UNSET_PREFERRED_LOCATION, &policy),
				 NV_ERR_INVALID_ADDRESS);
	}
}

static void test_external(void **state)
{
	u32 video = fake_memory(0, true, MIB(4), MIB(2), MIB(64), MIB(4));

	assert_int_equal(create(BASE, MIB(8)), NV_OK);
	assert_int_equal(create(BASE + MIB(4), MIB(8)), NV_ERR_UVM_ADDRESS_IN_USE);
	assert_int_equal(create(BASE - KIB(4), KIB(8)), NV_ERR_UVM_ADDRESS_IN_USE);
	assert_int_equal(create(BASE - KIB(4), KIB(4)), NV_OK);
	assert_int_equal(validate(BASE, MIB(8)), NV_OK);
	assert_int_equal(validate(BASE, MIB(4)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(validate(BASE + KIB(4), MIB(8)), NV_ERR_INVALID_ADDRESS);

	assert_int_equal(map(0, BASE, MIB(4), 0, video), NV_OK);
	assert_int_equal(fake.memories, 1);
	check(0, BASE, MIB(2), 0, MIB(64));
	check(0, BASE + MIB(3) + 5, MIB(2), 0, MIB(67) + 5);
	nothing(0, BASE + MIB(4));
	nothing(1, BASE);
	assert_int_equal(fake_walk(0, BASE).kind, 6);
	assert_false(fake_walk(0, BASE).uncached);
	/* a part at a finer offset takes the place of what it overlaps: its pages must be whole */
	assert_int_equal(map(0, BASE + MIB(1), KIB(64), KIB(64), video), NV_ERR_INVALID_ADDRESS);
	check(0, BASE, MIB(2), 0, MIB(64));
	assert_int_equal(map(0, BASE + MIB(2), KIB(64), KIB(64), video), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(unmap(fake_uuid(0), BASE + MIB(2), MIB(2)), NV_OK);
	check(0, BASE, MIB(2), 0, MIB(64));
	nothing(0, BASE + MIB(2));
	assert_int_equal(map(0, BASE + MIB(2), KIB(128), KIB(64), video), NV_OK);
	check(0, BASE + MIB(2) + KIB(64), KIB(64), 0, MIB(64) + KIB(128));
	assert_int_equal(map(0, BASE + MIB(2) + KIB(128), KIB(8), KIB(4), video), NV_OK);
	check(0, BASE + MIB(2) + KIB(132), KIB(4), 0, MIB(64) + KIB(8));
	check(0, BASE + MIB(2), KIB(64), 0, MIB(64) + KIB(64));
	assert_int_equal(fake.memories, 3);
	/* the middle of one goes; the ends stay */
	assert_int_equal(map(0, BASE + MIB(4), KIB(256), 0, video), NV_OK);
	assert_int_equal(unmap(fake_uuid(0), BASE + MIB(4) + KIB(64), KIB(128)), NV_OK);
	check(0, BASE + MIB(4), KIB(64), 0, MIB(64));
	nothing(0, BASE + MIB(4) + KIB(64));
	nothing(0, BASE + MIB(4) + KIB(128));
	check(0, BASE + MIB(4) + KIB(192), KIB(64), 0, MIB(64) + KIB(192));
	assert_int_equal(fake.memories, 4);
	assert_int_equal(unmap(fake_uuid(0), BASE, MIB(8)), NV_OK);
	assert_int_equal(fake.memories, 0);
	assert_int_equal(unmap(fake_uuid(0), BASE, MIB(8)), NV_OK);
	assert_int_equal(unmap(fake_uuid(2), BASE, MIB(8)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(unmap(fake_uuid(0), BASE, MIB(16)), NV_ERR_INVALID_ADDRESS);

	assert_int_equal(map(0, BASE, MIB(4), 0, video), NV_OK);
	assert_int_equal(free_range(BASE, MIB(4)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(free_range(BASE + MIB(4), MIB(4)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(free_range(BASE, MIB(8)), NV_OK);
	nothing(0, BASE);
	assert_int_equal(fake.memories, 0);
	assert_int_equal(free_range(BASE, MIB(8)), NV_ERR_INVALID_ADDRESS);
}

static void test_huge(void **state)
{
	u32 huge = fake_memory(0, true, GIB(1), MIB(512), GIB(8), MIB(512));
	u64 at = BASE + GIB(30);

	assert_int_equal(create(at, GIB(1)), NV_OK);
	assert_int_equal(map(0, at, GIB(1), 0, huge), NV_OK);
	check(0, at, MIB(512), 0, GIB(8) + MIB(512));
	check(0, at + MIB(600), MIB(512), 0, GIB(8) + MIB(88));
	assert_int_equal(unmap(fake_uuid(0), at + MIB(256), MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(unmap(fake_uuid(0), at, MIB(512)), NV_OK);
	nothing(0, at);
	check(0, at + MIB(512), MIB(512), 0, GIB(8));
	/* smaller pages where the large one was */
	assert_int_equal(map(0, at, MIB(2), MIB(4), huge), NV_OK);
	check(0, at, MIB(2), 0, GIB(8) + MIB(512) + MIB(4));
}

static void test_attributes(void **state)
{
	static const struct {
		u32 type, caching;
		bool video, read_only, no_atomics, uncached;
	} good[] = {
		{ 0, 0, true, false, false, false }, { 1, 0, true, false, false, false },
		{ 2, 0, true, false, true, false },  { 3, 0, true, true, true, false },
		{ 0, 1, true, false, false, true },  { 3, 1, true, true, true, true },
		{ 0, 0, false, false, false, true }, { 0, 2, false, false, false, false },
		{ 2, 1, false, false, true, true },
	};
	u32 video = fake_memory(0, true, MIB(2), MIB(2), MIB(64), MIB(2));
	u32 system = fake_memory(0, false, KIB(64), KIB(4), GIB(500), KIB(4));
	u32 locked = fake_memory(0, true, MIB(2), MIB(2), MIB(66), MIB(2)), i, j;
	UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p = &map_params;

	fake.objects[2].info.read_only = true;
	assert_int_equal(create(BASE, MIB(4)), NV_OK);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		struct fake_page page;

		assert_int_equal(map_as(0, BASE, KIB(64), 0, good[i].video ? video : system,
					good[i].type, good[i].caching),
				 NV_OK);
		page = fake_walk(0, BASE + KIB(8));
		assert_int_equal(page.read_only, good[i].read_only);
		assert_int_equal(page.no_atomics, good[i].no_atomics);
		assert_int_equal(page.uncached, good[i].uncached);
		assert_int_equal(page.aperture, good[i].video ? 0 : 2);
		assert_true(page.address ==
			    (good[i].video ? MIB(64) + KIB(8) : GIB(500) + KIB(52)));
	}
	assert_int_equal(map_as(0, BASE, KIB(64), 0, video, 4, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map_as(0, BASE, KIB(64), 0, video, 0, 3), NV_ERR_INVALID_ARGUMENT);
	/* what was mapped before stays where nothing was begun */
	assert_true(fake_walk(0, BASE).valid);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 9; j++) {
			bool ok = (i == 0 && j == 0) || (i == 1 && j > 0 && j < 7 && j != 3);

			map_as(0, BASE, KIB(64), 0, video, 0, 0);
			p->perGpuAttributes[0].gpuFormatType = i;
			p->perGpuAttributes[0].gpuElementBits = j;
			assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p),
					 ok ? NV_OK : NV_ERR_INVALID_ARGUMENT);
		}
	}
	p->perGpuAttributes[0].gpuFormatType = 0;
	p->perGpuAttributes[0].gpuElementBits = 0;
	p->perGpuAttributes[0].gpuCompressionType = 2;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_ARGUMENT);
	p->perGpuAttributes[0].gpuCompressionType = 1;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_ARGUMENT);
	fake.objects[0].info.kind = 8;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_OK);
	assert_int_equal(fake_walk(0, BASE).kind, 9);
	/* memory that may not be written */
	for (i = 0; i < 4; i++) {
		bool ok = i == 0 || i == 3;

		assert_int_equal(map_as(0, BASE, KIB(64), 0, locked, i, 0),
				 ok ? NV_OK : NV_ERR_INVALID_ACCESS_TYPE);
		assert_int_equal(fake_walk(0, BASE).valid, ok);
		assert_true(!ok || fake_walk(0, BASE).read_only);
	}
}

static void test_bad_maps(void **state)
{
	u32 video = fake_memory(0, true, MIB(2) - 10, MIB(2), MIB(64), MIB(2)), i;
	u32 foreign = fake_memory(2, true, MIB(2), MIB(2), MIB(64), MIB(2));
	u32 foreign_system = fake_memory(2, false, MIB(2), KIB(4), GIB(500), KIB(4));
	u32 nobodys = fake_memory(0, false, KIB(64), KIB(4), GIB(900), KIB(64));
	UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p = &map_params;

	fake.objects[3].info.sysmem = false; /* neither: registers, say */
	assert_int_equal(create(BASE, MIB(8)), NV_OK);
	assert_int_equal(create(BIT64(47) - MIB(4), MIB(8)), NV_OK);
	assert_int_equal(map(0, BASE + MIB(8), MIB(2), 0, video), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(map(0, BASE + MIB(6), MIB(4), 0, video), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(map(0, BASE, MIB(2), MIB(2), video), NV_ERR_INVALID_BASE);
	assert_int_equal(map(0, BASE, MIB(4), 0, video), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(0, BASE, MIB(2), KIB(64), video), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(0, BASE, KIB(4), ~(u64)0xfff, video), NV_ERR_INVALID_BASE);
	assert_int_equal(map(0, BASE, KIB(4), 5, video), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(map(0, BASE, MIB(2), 0, 0x1234), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(map(2, BASE, MIB(2), 0, video), NV_ERR_INVALID_DEVICE);
	assert_int_equal(map(0, BASE, MIB(2), 0, foreign), NV_ERR_INVALID_DEVICE);
	assert_int_equal(map(0, BASE, MIB(2), 0, foreign_system), NV_ERR_INVALID_DEVICE);
	assert_int_equal(map(0, BIT64(47) - KIB(4), KIB(8), 0, video), NV_ERR_OUT_OF_RANGE);
	assert_int_equal(map(0, BASE, KIB(64), 0, nobodys), NV_OK);
	assert_int_equal(map(0, BASE, MIB(2), 0, video), NV_OK);
	p->rmCtrlFd = -1;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_ARGUMENT);
	p->rmCtrlFd = FAKE_FD;
	p->hClient = 9;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_CLIENT);
	p->hClient = FAKE_CLIENT;
	p->gpuAttributesCount = 0;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_ARGUMENT);
	p->gpuAttributesCount = 33;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(fake.memories, 0);
	/* the second GPU fails: the first has nothing either */
	map(0, BASE, MIB(2), 0, video);
	p->gpuAttributesCount = 2;
	p->perGpuAttributes[1].gpuUuid = fake_nobody;
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_ERR_INVALID_DEVICE);
	nothing(0, BASE);
	assert_int_equal(fake.memories, 0);
	/* memory whose pieces are finer than it says */
	fake.objects[0].piece = KIB(4);
	assert_int_equal(map(0, BASE, MIB(2), 0, video), NV_ERR_INVALID_STATE);
	fake.objects[0].piece = MIB(1);
	assert_int_equal(map(0, BASE, MIB(2), 0, video), NV_ERR_INVALID_STATE);
	nothing(0, BASE);
	for (i = 0; i < FAKE_GPUS; i++)
		assert_int_equal(fake.memories, 0);
}

static void test_two_gpus(void **state)
{
	u32 on_0 = fake_memory(0, true, MIB(2), MIB(2), MIB(64), MIB(2));
	u32 system = fake_memory(1, false, MIB(2), KIB(4), GIB(500), KIB(4));
	UVM_ENABLE_PEER_ACCESS_PARAMS on = { .gpuUuidA = *fake_uuid(0), .gpuUuidB = *fake_uuid(1) };
	UVM_DISABLE_PEER_ACCESS_PARAMS off = { .gpuUuidA = *fake_uuid(0),
					       .gpuUuidB = *fake_uuid(1) };
	UVM_UNREGISTER_GPU_PARAMS gone = { .gpu_uuid = *fake_uuid(1) };
	UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p = &map_params;

	assert_int_equal(create(BASE, MIB(8)), NV_OK);
	assert_int_equal(map(1, BASE, MIB(2), 0, on_0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(CALL(file, UVM_ENABLE_PEER_ACCESS, &on), NV_OK);
	assert_int_equal(map(0, BASE, MIB(2), 0, on_0), NV_OK);
	assert_int_equal(map(1, BASE, MIB(2), 0, on_0), NV_OK);
	check(0, BASE, MIB(2), 0, MIB(64));
	check(1, BASE, MIB(2), 1, MIB(64));
	assert_int_equal(fake_walk(1, BASE).peer, 0);
	/* both at once, of memory in the system */
	map(0, BASE + MIB(2), MIB(2), 0, system);
	p->gpuAttributesCount = 2;
	p->perGpuAttributes[1].gpuUuid = *fake_uuid(1);
	assert_int_equal(CALL(file, UVM_MAP_EXTERNAL_ALLOCATION, p), NV_OK);
	check(0, BASE + MIB(2), KIB(4), 2, GIB(500) + MIB(2) - KIB(4));
	check(1, BASE + MIB(4) - 1, KIB(4), 2, GIB(500) + KIB(4) - 1);
	assert_int_equal(fake.memories, 4);
	assert_int_equal(CALL(file, UVM_DISABLE_PEER_ACCESS, &off), NV_OK);
	check(0, BASE, MIB(2), 0, MIB(64));
	nothing(1, BASE);
	assert_int_equal(fake.memories, 3);
	/* what belongs to a GPU that goes goes, also from others */
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU, &gone), NV_OK);
	check(0, BASE, MIB(2), 0, MIB(64));
	nothing(0, BASE + MIB(2));
	assert_int_equal(fake.memories, 1);
}

/* GPUs with links have windows in a fabric: entries name addresses in these. */
static void test_two_gpus_by_links(void **state)
{
	u32 on_0 = fake_memory(0, true, MIB(2), MIB(2), MIB(64), MIB(2));
	UVM_UNREGISTER_GPU_PARAMS gone = { .gpu_uuid = *fake_uuid(0) };
	u64 window = (u64)1 << FAKE_WINDOW_SHIFT;

	assert_int_equal(create(BASE, MIB(8)), NV_OK);
	assert_int_equal(map(1, BASE, MIB(2), 0, on_0), NV_OK);
	check(1, BASE, MIB(2), 1, window + MIB(64));
	assert_int_equal(map(0, BASE + MIB(2), MIB(2), 0, on_0), NV_OK);
	check(0, BASE + MIB(2), MIB(2), 0, MIB(64));
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU, &gone), NV_OK);
	nothing(1, BASE);
	assert_int_equal(fake.memories, 0);
}

static void test_sparse(void **state)
{
	u32 video = fake_memory(0, true, MIB(2), MIB(2), MIB(64), MIB(2));

	assert_int_equal(create(BASE, MIB(8)), NV_OK);
	assert_int_equal(sparse(fake_uuid(0), BASE, KIB(4)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(sparse(fake_uuid(2), BASE, MIB(8)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(sparse(fake_uuid(0), BASE + MIB(8), MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(sparse(fake_uuid(0), BASE, MIB(8)), NV_OK);
	assert_true(fake_walk(0, BASE).sparse);
	assert_true(fake_walk(0, BASE + MIB(8) - 1).sparse);
	assert_false(fake_walk(1, BASE).sparse);
	assert_int_equal(map(0, BASE + MIB(2), MIB(2), 0, video), NV_OK);
	check(0, BASE + MIB(2), MIB(2), 0, MIB(64));
	assert_true(fake_walk(0, BASE + MIB(4)).sparse);
	assert_int_equal(unmap(fake_uuid(0), BASE + MIB(2), MIB(2)), NV_OK);
	nothing(0, BASE + MIB(2));
	assert_int_equal(free_range(BASE, MIB(8)), NV_OK);
	assert_false(fake_walk(0, BASE).sparse);
}

/* -- The scheduler's page ---------------------------------------------------------------------- */

static u32 sked(const NvProcessorUuid *gpu, u64 base, u64 length)
{
	UVM_MAP_DYNAMIC_PARALLELISM_REGION_PARAMS p = { .base = base,
							.length = length,
							.gpuUuid = *gpu };

	return CALL(file, UVM_MAP_DYNAMIC_PARALLELISM_REGION, &p);
}

static void test_sked(void **state)
{
	UVM_UNREGISTER_GPU_VASPACE_PARAMS gone = { .gpuUuid = *fake_uuid(0) };

	assert_int_equal(sked(fake_uuid(0), BASE, KIB(8)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(sked(fake_uuid(0), BASE + KIB(4), KIB(64)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(sked(fake_uuid(2), BASE, KIB(4)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(sked(fake_uuid(0), BIT64(47), KIB(4)), NV_ERR_OUT_OF_RANGE);
	assert_int_equal(sked(fake_uuid(0), BASE, KIB(4)), NV_OK);
	assert_int_equal(sked(fake_uuid(0), BASE, KIB(4)), NV_ERR_UVM_ADDRESS_IN_USE);
	assert_true(fake_walk(0, BASE).valid);
	assert_int_equal(fake_walk(0, BASE).kind, 15);
	assert_int_equal(fake_walk(0, BASE).size, KIB(4));
	assert_int_equal(sked(fake_uuid(0), BASE + MIB(2), MIB(2)), NV_OK);
	assert_int_equal(fake_walk(0, BASE + MIB(3)).size, MIB(2));
	assert_int_equal(free_range(BASE, KIB(4)), NV_OK);
	nothing(0, BASE);
	assert_int_equal(sked(fake_uuid(1), BASE + MIB(8), KIB(64)), NV_OK);
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU_VASPACE, &gone), NV_OK);
	assert_int_equal(validate(BASE + MIB(2), MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(validate(BASE + MIB(8), KIB(64)), NV_OK);
}

/* -- Pools ------------------------------------------------------------------------------------- */

static UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool_params;

static u32 pool(u64 base, u64 length, u32 count)
{
	pool_params.base = base;
	pool_params.length = length;
	pool_params.gpuAttributesCount = count;
	return CALL(file, UVM_ALLOC_SEMAPHORE_POOL, &pool_params);
}

static enum uvm_result mmap_at(u64 address, u64 size, enum uvm_mmap_kind *kind)
{
	return uvm_file_mmap(fake.files[file], address, size, address, 7, kind);
}

static void test_pool(void **state)
{
	UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = *fake_uuid(2) };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = *fake_uuid(2),
						  .rmCtrlFd = FAKE_FD,
						  .hClient = FAKE_CLIENT,
						  .hVaSpace = FAKE_VASPACE + 2 };
	UVM_UNREGISTER_GPU_PARAMS gone = { .gpu_uuid = *fake_uuid(0) };
	enum uvm_mmap_kind kind;
	struct uvm_extent extent;
	struct fake_page page;
	u32 value = 0, i;

	memset(&pool_params, 0, sizeof(pool_params));
	assert_int_equal(pool(BASE, MIB(2), 33), NV_ERR_INVALID_ARGUMENT);
	pool_params.perGpuAttributes[0].gpuUuid = fake_nobody;
	assert_int_equal(pool(BASE, MIB(2), 1), NV_ERR_INVALID_DEVICE);
	pool_params.perGpuAttributes[0].gpuUuid = *fake_uuid(1);
	pool_params.perGpuAttributes[0].gpuMappingType = 4;
	assert_int_equal(pool(BASE, MIB(2), 1), NV_ERR_INVALID_ARGUMENT);
	pool_params.perGpuAttributes[0].gpuMappingType = 3;
	pool_params.perGpuAttributes[0].gpuCachingType = 2;
	pool_params.perGpuAttributes[1] = pool_params.perGpuAttributes[0];
	pool_params.perGpuAttributes[1].gpuUuid = *fake_uuid(0);
	assert_int_equal(pool(BASE, MIB(2), 2), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(pool(BASE, MIB(2), 1), NV_OK);
	assert_int_equal(pool(BASE, MIB(2), 1), NV_ERR_UVM_ADDRESS_IN_USE);
	assert_int_equal(CALL(file, UVM_REGISTER_GPU, &gpu), NV_OK);
	assert_int_equal(CALL(file, UVM_REGISTER_GPU_VASPACE, &space), NV_OK);

	assert_int_equal(uvm_file_fault(fake.files[file], BASE, true, &extent, NULL, NULL),
			 UVM_RESULT_EFAULT);
	assert_int_equal(mmap_at(BASE, MIB(1), &kind), UVM_RESULT_EINVAL);
	assert_int_equal(mmap_at(BASE, MIB(2), &kind), UVM_RESULT_OK);
	assert_int_equal(kind, UVM_MMAP_SEMAPHORE_POOL);
	assert_int_equal(mmap_at(BASE, MIB(2), &kind), UVM_RESULT_EINVAL);
	assert_int_equal(uvm_file_fault(fake.files[file], BASE + MIB(1), true, &extent, NULL, NULL),
			 UVM_RESULT_OK);
	assert_true(extent.address == BASE && extent.size == MIB(2) && extent.offset == 0);
	/* CPU and GPUs have the same bytes, each as it was asked for */
	*(u32 *)((u8 *)extent.pages->cpu + KIB(20) + 8) = 0xfeedface;
	for (i = 0; i < 3; i++) {
		page = fake_walk(i, BASE + KIB(20) + 8);
		assert_true(page.valid);
		assert_int_equal(page.aperture, 2);
		assert_int_equal(page.read_only, i == 1);
		assert_int_equal(page.uncached, i != 1);
		assert_true(os_user_dma_read(fake.gpus[i].pci, page.address, &value, 4));
		assert_int_equal(value, 0xfeedface);
		value = 0;
	}
	assert_int_equal(free_range(BASE, MIB(2)), NV_ERR_INVALID_ARGUMENT);
	/* cut: the rest goes too, or by and by where the host cannot take it away */
	uvm_file_munmap(fake.files[file], BASE + MIB(1), KIB(4));
	assert_true(fake.unmapped == BASE && fake.unmapped_size == MIB(2));
	assert_int_equal(uvm_file_fault(fake.files[file], BASE, true, &extent, NULL, NULL),
			 UVM_RESULT_EFAULT);
	fake.can_unmap = false;
	assert_int_equal(mmap_at(BASE, MIB(2), &kind), UVM_RESULT_OK);
	uvm_file_munmap(fake.files[file], BASE, MIB(1));
	assert_int_equal(uvm_file_fault(fake.files[file], BASE, true, &extent, NULL, NULL),
			 UVM_RESULT_EFAULT);
	assert_int_equal(uvm_file_fault(fake.files[file], BASE + MIB(1), true, &extent, NULL, NULL),
			 UVM_RESULT_OK);
	assert_true(extent.address == BASE + MIB(1) && extent.offset == MIB(1));
	assert_int_equal(free_range(BASE, MIB(2)), NV_ERR_INVALID_ARGUMENT);
	uvm_file_munmap(fake.files[file], BASE + MIB(1), GIB(1));
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU, &gone), NV_OK);
	assert_true(fake_walk(1, BASE).valid);
	assert_int_equal(free_range(BASE, MIB(2)), NV_OK);
	nothing(1, BASE);
	assert_int_equal(pool(BIT64(47), MIB(2), 0), NV_ERR_OUT_OF_RANGE);
	assert_int_equal(validate(BIT64(47), MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(pool(BASE, MIB(2), 0), NV_OK);
	assert_int_equal(mmap_at(BASE, MIB(2), &kind), UVM_RESULT_OK);
	/* the file is closed with all of it in place */
}

/* -- All together, and a GPU that is lost ------------------------------------------------------ */

static void test_everything_in_place(void **state)
{
	u32 video = fake_memory(0, true, MIB(4), MIB(2), MIB(64), MIB(4)), i;
	enum uvm_mmap_kind kind;

	memset(&pool_params, 0, sizeof(pool_params));
	for (i = 0; i < 64; i++) {
		u64 at = BASE + i * MIB(32);

		assert_int_equal(create(at, MIB(4)), NV_OK);
		assert_int_equal(map(0, at, MIB(4), 0, video), NV_OK);
		assert_int_equal(sparse(fake_uuid(1), at, MIB(4)), NV_OK);
		assert_int_equal(pool(at + MIB(8), KIB(64), 0), NV_OK);
		assert_int_equal(sked(fake_uuid(i % 2), at + MIB(16), KIB(4)), NV_OK);
		assert_int_equal(mmap_at(at + MIB(20), MIB(3), &kind), UVM_RESULT_OK);
	}
	assert_int_equal(fake.memories, 64);
	fake.gpus[0].lost = true;
	assert_int_equal(free_range(BASE, MIB(4)), NV_OK);
	assert_int_equal(fake.memories, 63);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, fake_end)
	const struct CMUnitTest tests[] = {
		TEST(test_bad_ranges),
		TEST(test_external),
		TEST(test_huge),
		TEST(test_attributes),
		TEST(test_bad_maps),
		TEST(test_two_gpus),
		cmocka_unit_test_setup_teardown(test_two_gpus_by_links, start_linked, fake_end),
		TEST(test_sparse),
		TEST(test_sked),
		TEST(test_pool),
		TEST(test_everything_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
