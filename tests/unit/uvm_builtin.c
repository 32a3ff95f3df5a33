// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Built-in tests of unified memory over the hand-made resource manager: that they are off unless
 * switched on, what they tell of ranges, blocks, pages and groups, errors that they inject, and
 * that they find what is wrong with engines, memory and page tables.
 */
#include "uvm_cpu.h"
#include "uvm_fake.h"

#define BASE 0x300000000ull
#define PAGE 0x1000ull
#define ALL 7u
#define FIRST 200u
#define LAST 330u

static int file, mm_file;

#define IOCTL(fd, number, p) uvm_ioctl(fake.files[fd], number, (u64)(uintptr_t)(p))

static void begin(u32 gpus)
{
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };

	fake.on_unmap = cpu_unmap;
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
	fake_start_tests();
	begin(1);
	return 0;
}

static int start_two(void **state)
{
	fake_start_tests();
	begin(2);
	return 0;
}

static int start_empty(void **state)
{
	fake_start_tests();
	return 0;
}

static int start_off(void **state)
{
	fake_start(false);
	return 0;
}

static void map(u64 start_at, u64 size)
{
	enum uvm_mmap_kind kind;

	assert_int_equal(uvm_file_mmap(fake.files[file], start_at, size, start_at, ALL, &kind),
			 UVM_RESULT_OK);
}

static void unmap(u64 start_at, u64 size)
{
	cpu_unmap(start_at, size);
	uvm_file_munmap(fake.files[file], start_at, size);
}

static void touch(u64 address)
{
	u64 was;

	assert_true(cpu_add(address, 1, &was));
}

static void migrate(u64 start_at, u64 size, const NvProcessorUuid *to)
{
	UVM_MIGRATE_PARAMS p = { .base = start_at, .length = size, .destinationUuid = *to };

	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
}

static UVM_TEST_VA_RANGE_INFO_PARAMS info(u64 address)
{
	UVM_TEST_VA_RANGE_INFO_PARAMS p = { .lookup_address = address };

	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INFO, &p), NV_OK);
	return p;
}

static u32 split(u64 address)
{
	UVM_TEST_VA_RANGE_SPLIT_PARAMS p = { .split_address = address };

	return CALL(file, UVM_TEST_VA_RANGE_SPLIT, &p);
}

/* -- Which there are -----------------------------------------------------------------------------
 */

/* As r535 has them; the others are no ioctls. */
static bool is_served(u32 number)
{
	static const u16 served[] = { 200, 201, 202, 203, 204, 205, 206, 207, 208, 209,
				      210, 212, 213, 214, 215, 216, 217, 218, 220, 222,
				      228, 229, 230, 235, 240, 242, 243, 245, 247, 248,
				      249, 254, 255, 259, 270, 272, 283, 288, 293 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(served); i++) {
		if (served[i] == number)
			return true;
	}
	return false;
}

static void test_off(void **state)
{
	u8 block[4096] = { 0 };
	u32 number;

	begin(1);
	for (number = FIRST; number < LAST; number++)
		assert_int_equal(IOCTL(file, number, block), UVM_RESULT_EINVAL);
	assert_int_equal(IOCTL(file, UVM_RUN_TEST, block), UVM_RESULT_EINVAL);
}

static void test_numbers(void **state)
{
	u8 block[4096] = { 0 };
	UVM_TEST_VA_RANGE_INFO_PARAMS p = { 0 };
	int tools = fake_open(UVM_NODE_TOOLS);
	u32 number;

	file = fake_open(UVM_NODE_UVM);
	for (number = FIRST; number < LAST; number++) {
		assert_int_equal(IOCTL(file, number, block),
				 is_served(number) ? UVM_RESULT_OK : UVM_RESULT_EINVAL);
		assert_int_equal(IOCTL(file, number, 8),
				 is_served(number) ? UVM_RESULT_EFAULT : UVM_RESULT_EINVAL);
		assert_int_equal(IOCTL(tools, number, block), UVM_RESULT_EINVAL);
	}
	assert_int_equal(IOCTL(file, UVM_RUN_TEST, block), UVM_RESULT_EINVAL);
	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INFO, &p), NV_ERR_ILLEGAL_ACTION);
}

/* -- Ranges --------------------------------------------------------------------------------------
 */

static void check_range(u64 address, u64 start_at, u64 size, u64 vma_start, u64 vma_size)
{
	UVM_TEST_VA_RANGE_INFO_PARAMS p = info(address);

	assert_int_equal(p.type, UVM_TEST_VA_RANGE_TYPE_MANAGED);
	assert_int_equal(p.managed.subtype, UVM_TEST_RANGE_SUBTYPE_UVM);
	assert_true(p.va_range_start == start_at && p.va_range_end == start_at + size - 1);
	assert_false(p.managed.is_zombie);
	assert_true(p.managed.owned_by_calling_process);
	assert_true(p.managed.vma_start == vma_start &&
		    p.managed.vma_end == vma_start + vma_size - 1);
}

static void test_range_info(void **state)
{
	UVM_TEST_VA_RANGE_INFO_PARAMS p = { .lookup_address = BASE };
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE + PAGE,
						     .length = PAGE,
						     .preferredLocation = *fake_uuid(0) };
	UVM_SET_ACCESSED_BY_PARAMS by = { .requestedBase = BASE + PAGE,
					  .length = PAGE,
					  .accessedByUuid = fake_cpu };
	UVM_ENABLE_READ_DUPLICATION_PARAMS twice = { .requestedBase = BASE + PAGE, .length = PAGE };

	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INFO, &p), NV_ERR_INVALID_ADDRESS);
	map(BASE, 8 * PAGE);
	check_range(BASE, BASE, 8 * PAGE, BASE, 8 * PAGE);
	check_range(BASE + 8 * PAGE - 1, BASE, 8 * PAGE, BASE, 8 * PAGE);
	p = info(BASE);
	assert_int_equal(p.read_duplication, UVM_TEST_READ_DUPLICATION_UNSET);
	assert_int_equal(p.accessed_by_count, 0);
	assert_true(!memcmp(&p.preferred_location, &(NvProcessorUuid){ { 0 } }, 16));
	/* Advice cuts the range, and not the mapping. */
	assert_int_equal(CALL(file, UVM_SET_PREFERRED_LOCATION, &prefer), NV_OK);
	assert_int_equal(CALL(file, UVM_SET_ACCESSED_BY, &by), NV_OK);
	by.accessedByUuid = *fake_uuid(0);
	assert_int_equal(CALL(file, UVM_SET_ACCESSED_BY, &by), NV_OK);
	assert_int_equal(CALL(file, UVM_ENABLE_READ_DUPLICATION, &twice), NV_OK);
	check_range(BASE, BASE, PAGE, BASE, 8 * PAGE);
	check_range(BASE + PAGE, BASE + PAGE, PAGE, BASE, 8 * PAGE);
	check_range(BASE + 2 * PAGE, BASE + 2 * PAGE, 6 * PAGE, BASE, 8 * PAGE);
	p = info(BASE + PAGE);
	assert_int_equal(p.read_duplication, UVM_TEST_READ_DUPLICATION_ENABLED);
	assert_memory_equal(&p.preferred_location, fake_uuid(0), 16);
	assert_int_equal(p.accessed_by_count, 2);
	assert_memory_equal(&p.accessed_by[0], &fake_cpu, 16);
	assert_memory_equal(&p.accessed_by[1], fake_uuid(0), 16);
	/* A hole cuts both; what fills it is a mapping of its own. */
	unmap(BASE + 3 * PAGE, PAGE);
	check_range(BASE + 2 * PAGE, BASE + 2 * PAGE, PAGE, BASE, 3 * PAGE);
	check_range(BASE + 5 * PAGE, BASE + 4 * PAGE, 4 * PAGE, BASE + 4 * PAGE, 4 * PAGE);
	map(BASE + 3 * PAGE, PAGE);
	check_range(BASE + 3 * PAGE, BASE + 3 * PAGE, PAGE, BASE + 3 * PAGE, PAGE);
	check_range(BASE + 4 * PAGE, BASE + 4 * PAGE, 4 * PAGE, BASE + 4 * PAGE, 4 * PAGE);
	/* Also where the hole ends at a cut that is there already. */
	assert_int_equal(split(BASE + 6 * PAGE - 1), NV_OK);
	check_range(BASE + 6 * PAGE, BASE + 6 * PAGE, 2 * PAGE, BASE + 4 * PAGE, 4 * PAGE);
	unmap(BASE + 4 * PAGE, 2 * PAGE);
	map(BASE + 4 * PAGE, 2 * PAGE);
	check_range(BASE + 6 * PAGE, BASE + 6 * PAGE, 2 * PAGE, BASE + 6 * PAGE, 2 * PAGE);
	/* Another process may ask; it has no mapping there. */
	fake.mm = 200;
	p = info(BASE + 6 * PAGE);
	assert_false(p.managed.owned_by_calling_process || p.managed.is_zombie);
	fake.mm = 100;
}

static void test_kinds(void **state)
{
	UVM_CREATE_EXTERNAL_RANGE_PARAMS external = { .base = BASE, .length = MIB(2) };
	UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool = { .base = BASE + MIB(4), .length = PAGE };
	UVM_MAP_DYNAMIC_PARALLELISM_REGION_PARAMS sked = { .base = BASE + MIB(6),
							   .length = PAGE,
							   .gpuUuid = *fake_uuid(0) };
	UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR_PARAMS inject = { .lookup_address = BASE };
	UVM_TEST_VA_BLOCK_INFO_PARAMS block = { .lookup_address = BASE };
	static UVM_TEST_VA_RESIDENCY_INFO_PARAMS where = { .lookup_address = BASE };

	assert_int_equal(CALL(file, UVM_CREATE_EXTERNAL_RANGE, &external), NV_OK);
	assert_int_equal(CALL(file, UVM_ALLOC_SEMAPHORE_POOL, &pool), NV_OK);
	assert_int_equal(CALL(file, UVM_MAP_DYNAMIC_PARALLELISM_REGION, &sked), NV_OK);
	assert_int_equal(info(BASE).type, UVM_TEST_VA_RANGE_TYPE_EXTERNAL);
	assert_int_equal(info(BASE + MIB(4)).type, UVM_TEST_VA_RANGE_TYPE_SEMAPHORE_POOL);
	assert_int_equal(info(BASE + MIB(6)).type, UVM_TEST_VA_RANGE_TYPE_SKED_REFLECTED);
	/* None of them is of pages. */
	assert_int_equal(split(BASE + MIB(1) - 1), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR, &inject),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(CALL(file, UVM_TEST_VA_BLOCK_INFO, &block), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(CALL(file, UVM_TEST_VA_RESIDENCY_INFO, &where), NV_ERR_INVALID_ADDRESS);
}

static void test_zombie(void **state)
{
	UVM_INITIALIZE_PARAMS init = { .flags = UVM_INIT_FLAGS_MULTI_PROCESS_SHARING_MODE };
	UVM_TEST_GET_PAGEABLE_MEM_ACCESS_TYPE_PARAMS pageable = { .type = 77 };
	UVM_TEST_VA_RANGE_INFO_PARAMS p;

	file = fake_open(UVM_NODE_UVM);
	assert_int_equal(CALL(file, UVM_INITIALIZE, &init), NV_OK);
	assert_int_equal(CALL(file, UVM_TEST_GET_PAGEABLE_MEM_ACCESS_TYPE, &pageable), NV_OK);
	assert_int_equal(pageable.type, UVM_TEST_PAGEABLE_MEM_ACCESS_TYPE_NONE);
	map(BASE, PAGE);
	p = info(BASE);
	assert_false(p.managed.is_zombie || p.managed.owned_by_calling_process);
	/* The process ends, and the file is another's too. */
	fake.mm = 0;
	uvm_file_munmap(fake.files[file], BASE, PAGE);
	fake.mm = 200;
	assert_true(info(BASE).managed.is_zombie);
}

static void test_split(void **state)
{
	UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR_PARAMS inject = { .lookup_address = BASE + PAGE };
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE + 2 * PAGE,
						     .length = PAGE,
						     .preferredLocation = fake_cpu };

	assert_int_equal(split(BASE + PAGE - 1), NV_ERR_INVALID_ADDRESS);
	map(BASE, 4 * PAGE);
	touch(BASE);
	touch(BASE + 3 * PAGE);
	assert_int_equal(split(BASE + PAGE), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(split(BASE + 4 * PAGE - 1), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(split(BASE + PAGE - 1), NV_OK);
	check_range(BASE, BASE, PAGE, BASE, 4 * PAGE);
	check_range(BASE + PAGE, BASE + PAGE, 3 * PAGE, BASE, 4 * PAGE);
	/* The next one fails, and only that, wherever it comes from. */
	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR, &inject), NV_OK);
	assert_int_equal(CALL(file, UVM_SET_PREFERRED_LOCATION, &prefer), NV_ERR_NO_MEMORY);
	check_range(BASE + 2 * PAGE, BASE + PAGE, 3 * PAGE, BASE, 4 * PAGE);
	assert_int_equal(CALL(file, UVM_SET_PREFERRED_LOCATION, &prefer), NV_OK);
	check_range(BASE + 2 * PAGE, BASE + 2 * PAGE, PAGE, BASE, 4 * PAGE);
	inject.lookup_address = BASE + 4 * PAGE;
	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR, &inject),
			 NV_ERR_INVALID_ADDRESS);
}

static void test_add_fails(void **state)
{
	UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR_PARAMS inject = { .lookup_address = BASE };
	UVM_UNREGISTER_GPU_VASPACE_PARAMS end = { .gpuUuid = *fake_uuid(0) };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = *fake_uuid(0),
						  .rmCtrlFd = FAKE_FD,
						  .hClient = FAKE_CLIENT,
						  .hVaSpace = FAKE_VASPACE };

	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR, &inject),
			 NV_ERR_INVALID_ADDRESS);
	map(BASE - PAGE, PAGE);
	map(BASE, PAGE);
	touch(BASE);
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU_VASPACE, &end), NV_OK);
	assert_int_equal(CALL(file, UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR, &inject),
			 NV_OK);
	assert_int_equal(CALL(file, UVM_REGISTER_GPU_VASPACE, &space), NV_ERR_NO_MEMORY);
	assert_int_equal(fake.gpus[0].vaspaces, 0);
	assert_int_equal(CALL(file, UVM_REGISTER_GPU_VASPACE, &space), NV_OK);
	assert_true(fake_walk(0, BASE).valid);
}

/* The second block that is made cannot be; a touch of it is a bus error once. */
static void test_block_fails(void **state)
{
	UVM_TEST_VA_SPACE_INJECT_ERROR_PARAMS inject = { .va_block_allocation_fail_nth = 2 };
	UVM_MIGRATE_PARAMS all = { .base = BASE, .length = MIB(8), .destinationUuid = fake_cpu };
	struct uvm_extent extent;
	u64 was;

	map(BASE, MIB(8));
	assert_int_equal(CALL(file, UVM_TEST_VA_SPACE_INJECT_ERROR, &inject), NV_OK);
	touch(BASE);
	touch(BASE + PAGE);
	assert_int_equal(uvm_file_fault(fake.files[file], BASE + MIB(2), true, &extent, NULL, NULL),
			 UVM_RESULT_ENOMEM);
	assert_true(cpu_add(BASE + MIB(2), 1, &was));
	/* Likewise of a migration, which goes on where it is asked for again. */
	inject.va_block_allocation_fail_nth = 1;
	assert_int_equal(CALL(file, UVM_TEST_VA_SPACE_INJECT_ERROR, &inject), NV_OK);
	assert_int_equal(CALL(file, UVM_MIGRATE, &all), NV_ERR_NO_MEMORY);
	assert_int_equal(CALL(file, UVM_MIGRATE, &all), NV_OK);
	inject.migrate_vma_allocation_fail_nth = 1;
	assert_int_equal(CALL(file, UVM_TEST_VA_SPACE_INJECT_ERROR, &inject), NV_ERR_NOT_SUPPORTED);
}

/* -- Blocks and pages ----------------------------------------------------------------------------
 */

static UVM_TEST_VA_RESIDENCY_INFO_PARAMS *residency(u64 address)
{
	static UVM_TEST_VA_RESIDENCY_INFO_PARAMS p;

	memset(&p, 0xee, sizeof(p));
	p.lookup_address = address;
	assert_int_equal(CALL(file, UVM_TEST_VA_RESIDENCY_INFO, &p), NV_OK);
	return &p;
}

static void check_page(u64 address, const NvProcessorUuid *resident, u32 physical, u32 populated)
{
	UVM_TEST_VA_RESIDENCY_INFO_PARAMS *p = residency(address);
	struct fake_page page = fake_walk(0, address & ~(PAGE - 1));

	assert_int_equal(p->resident_on_count, 1);
	assert_memory_equal(&p->resident_on[0], resident, 16);
	assert_int_equal(p->resident_physical_size[0], physical);
	assert_int_equal(p->populated_on_count, populated);
	assert_memory_equal(&p->populated_on[0], &fake_cpu, 16);
	if (populated > 1)
		assert_memory_equal(&p->populated_on[1], fake_uuid(0), 16);
	assert_int_equal(p->mapped_on_count, 1);
	assert_memory_equal(&p->mapped_on[0], fake_uuid(0), 16);
	assert_int_equal(p->mapping_type[0], UVM_TEST_PTE_MAPPING_READ_WRITE_ATOMIC);
	assert_int_equal(p->page_size[0], PAGE);
	/* It is what the tables say. */
	assert_true(page.valid && page.size == PAGE);
	assert_true(p->mapping_physical_address[0] == page.address);
	if (resident != &fake_cpu)
		assert_true(p->resident_physical_address[0] == page.address);
}

static void test_pages(void **state)
{
	UVM_TEST_VA_BLOCK_INFO_PARAMS block = { .lookup_address = BASE + MIB(2) };
	static UVM_TEST_VA_RESIDENCY_INFO_PARAMS nothing = { .lookup_address = BASE };
	u64 was;

	assert_int_equal(CALL(file, UVM_TEST_VA_RESIDENCY_INFO, &nothing), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(CALL(file, UVM_TEST_VA_BLOCK_INFO, &block), NV_ERR_INVALID_ADDRESS);
	map(BASE + MIB(1), MIB(2));
	assert_int_equal(CALL(file, UVM_TEST_VA_BLOCK_INFO, &block), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(residency(BASE + MIB(2))->resident_on_count, 0);
	assert_int_equal(residency(BASE + MIB(2))->populated_on_count, 0);
	assert_int_equal(residency(BASE + MIB(2))->mapped_on_count, 0);
	touch(BASE + MIB(2) + 5 * PAGE);
	assert_int_equal(CALL(file, UVM_TEST_VA_BLOCK_INFO, &block), NV_OK);
	assert_true(block.va_block_start == BASE + MIB(2) &&
		    block.va_block_end == BASE + MIB(3) - 1);
	check_page(BASE + MIB(2) + 100, &fake_cpu, PAGE, 1);
	migrate(BASE + MIB(2), 64 * PAGE, fake_uuid(0));
	check_page(BASE + MIB(2), fake_uuid(0), KIB(64), 2);
	check_page(BASE + MIB(2) + 64 * PAGE, &fake_cpu, PAGE, 1);
	/* A touch brings 64 KiB back. */
	touch(BASE + MIB(2) + 20 * PAGE);
	check_page(BASE + MIB(2) + 16 * PAGE, &fake_cpu, PAGE, 2);
	check_page(BASE + MIB(2) + 32 * PAGE, fake_uuid(0), KIB(64), 2);
	/* A chunk that is cut is so many pages. */
	assert_int_equal(split(BASE + MIB(2) + 40 * PAGE - 1), NV_OK);
	check_page(BASE + MIB(2) + 39 * PAGE, fake_uuid(0), PAGE, 2);
	check_page(BASE + MIB(2) + 40 * PAGE, fake_uuid(0), PAGE, 2);
	check_page(BASE + MIB(2) + 48 * PAGE, fake_uuid(0), KIB(64), 2);
	block.lookup_address = BASE + MIB(2) + 40 * PAGE;
	assert_int_equal(CALL(file, UVM_TEST_VA_BLOCK_INFO, &block), NV_OK);
	assert_true(block.va_block_start == BASE + MIB(2) + 40 * PAGE);
	/* What goes with the GPU is nowhere. */
	fake.gpus[0].lost = true;
	fake.listener->gone(fake.listener_ctx, &fake.gpus[0]);
	assert_int_equal(residency(BASE + MIB(2) + 39 * PAGE)->resident_on_count, 0);
	assert_int_equal(residency(BASE + MIB(2) + 39 * PAGE)->mapped_on_count, 0);
	assert_int_equal(residency(BASE + MIB(2))->populated_on_count, 1);
	assert_false(cpu_add(BASE + MIB(2) + 39 * PAGE, 0, &was));
	fake.gpus[0].lost = false;
}

/* -- Groups --------------------------------------------------------------------------------------
 */

static u64 make_group(void)
{
	UVM_CREATE_RANGE_GROUP_PARAMS p = { 0 };

	assert_int_equal(CALL(file, UVM_CREATE_RANGE_GROUP, &p), NV_OK);
	return p.rangeGroupId;
}

static void set_group(u64 id, u64 start_at, u64 size)
{
	UVM_SET_RANGE_GROUP_PARAMS p = { .rangeGroupId = id,
					 .requestedBase = start_at,
					 .length = size };

	assert_int_equal(CALL(file, UVM_SET_RANGE_GROUP, &p), NV_OK);
}

static u64 group_count(u64 id)
{
	UVM_TEST_RANGE_GROUP_RANGE_COUNT_PARAMS p = { .rangeGroupId = id };

	assert_int_equal(CALL(file, UVM_TEST_RANGE_GROUP_RANGE_COUNT, &p), NV_OK);
	return p.count;
}

static void check_group(u64 address, u64 first, u64 last, u64 id)
{
	UVM_TEST_RANGE_GROUP_RANGE_INFO_PARAMS p = { .lookup_address = address };

	assert_int_equal(CALL(file, UVM_TEST_RANGE_GROUP_RANGE_INFO, &p), NV_OK);
	assert_int_equal(p.range_group_present, id != UVM_RANGE_GROUP_ID_NONE);
	assert_true(p.range_group_range_start == first && p.range_group_range_end == last &&
		    p.range_group_id == id);
}

static void test_groups(void **state)
{
	UVM_TEST_RANGE_GROUP_TREE_PARAMS tree = { { 0 } };
	UVM_TEST_RANGE_GROUP_RANGE_COUNT_PARAMS none = { .rangeGroupId = 1234 };
	u64 a = make_group(), b = make_group();

	map(BASE, 16 * PAGE);
	check_group(BASE, 0, ~0ull, UVM_RANGE_GROUP_ID_NONE);
	set_group(a, BASE, 8 * PAGE);
	set_group(b, BASE + 2 * PAGE, PAGE);
	assert_int_equal(group_count(a), 2);
	assert_int_equal(group_count(b), 1);
	assert_int_equal(CALL(file, UVM_TEST_RANGE_GROUP_RANGE_COUNT, &none),
			 NV_ERR_OBJECT_NOT_FOUND);
	check_group(BASE + PAGE, BASE, BASE + 2 * PAGE - 1, a);
	check_group(BASE + 2 * PAGE, BASE + 2 * PAGE, BASE + 3 * PAGE - 1, b);
	check_group(BASE + 9 * PAGE, BASE + 8 * PAGE, ~0ull, UVM_RANGE_GROUP_ID_NONE);
	check_group(BASE - 1, 0, BASE - 1, UVM_RANGE_GROUP_ID_NONE);
	set_group(UVM_RANGE_GROUP_ID_NONE, BASE + 4 * PAGE, PAGE);
	check_group(BASE + 4 * PAGE, BASE + 4 * PAGE, BASE + 5 * PAGE - 1, UVM_RANGE_GROUP_ID_NONE);
	/* The test of their tree leaves them as they are. */
	tree.rangeGroupIds[0] = a;
	tree.rangeGroupIds[1] = b;
	tree.rangeGroupIds[2] = make_group();
	assert_int_equal(CALL(file, UVM_TEST_RANGE_GROUP_TREE, &tree), NV_ERR_INVALID_PARAMETER);
	tree.rangeGroupIds[3] = a;
	assert_int_equal(CALL(file, UVM_TEST_RANGE_GROUP_TREE, &tree), NV_ERR_INVALID_PARAMETER);
	tree.rangeGroupIds[3] = make_group();
	assert_int_equal(CALL(file, UVM_TEST_RANGE_GROUP_TREE, &tree), NV_OK);
	assert_int_equal(group_count(a), 3);
	assert_int_equal(group_count(b), 1);
	assert_int_equal(group_count(tree.rangeGroupIds[3]), 0);
	check_group(1ull << 60, BASE + 8 * PAGE, ~0ull, UVM_RANGE_GROUP_ID_NONE);
}

/* -- GPUs, channels ------------------------------------------------------------------------------
 */

static u64 gpu_references(u32 gpu, u32 partition)
{
	UVM_TEST_GET_GPU_REF_COUNT_PARAMS p = { .gpu_uuid = *fake_uuid(gpu),
						.swizz_id = partition,
						.ref_count = 99 };

	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_REF_COUNT, &p), NV_OK);
	return p.ref_count;
}

static void test_references(void **state)
{
	UVM_TEST_PEER_REF_COUNT_PARAMS peers = { .gpu_uuid_1 = *fake_uuid(0),
						 .gpu_uuid_2 = *fake_uuid(1) };
	UVM_ENABLE_PEER_ACCESS_PARAMS enable = { .gpuUuidA = *fake_uuid(0),
						 .gpuUuidB = *fake_uuid(1) };
	UVM_REGISTER_GPU_PARAMS again = { .gpu_uuid = *fake_uuid(0) };
	UVM_INITIALIZE_PARAMS init = { 0 };
	int other = fake_open(UVM_NODE_UVM);

	assert_int_equal(gpu_references(0, 0), 1);
	assert_int_equal(gpu_references(0, 1), 0);
	assert_int_equal(gpu_references(2, 0), 0);
	assert_int_equal(CALL(other, UVM_INITIALIZE, &init), NV_OK);
	assert_int_equal(CALL(other, UVM_REGISTER_GPU, &again), NV_OK);
	assert_int_equal(gpu_references(0, 0), 2);
	assert_int_equal(CALL(file, UVM_TEST_PEER_REF_COUNT, &peers), NV_OK);
	assert_int_equal(peers.ref_count, 0);
	assert_int_equal(CALL(file, UVM_ENABLE_PEER_ACCESS, &enable), NV_OK);
	assert_int_equal(CALL(other, UVM_TEST_PEER_REF_COUNT, &peers), NV_OK);
	assert_int_equal(peers.ref_count, 1);
	peers.gpu_uuid_2 = *fake_uuid(2);
	assert_int_equal(CALL(file, UVM_TEST_PEER_REF_COUNT, &peers), NV_ERR_INVALID_DEVICE);
	fake_close(other);
	assert_int_equal(gpu_references(0, 0), 1);
}

static void test_channel(void **state)
{
	UVM_REGISTER_CHANNEL_PARAMS channel = { .gpuUuid = *fake_uuid(0),
						.rmCtrlFd = FAKE_FD,
						.hClient = FAKE_CLIENT,
						.hChannel = FAKE_CHANNEL };
	UVM_TEST_CHECK_CHANNEL_VA_SPACE_PARAMS p = { .gpu_uuid = *fake_uuid(0),
						     .rm_ctrl_fd = FAKE_FD,
						     .client = FAKE_CLIENT,
						     .channel = FAKE_CHANNEL,
						     .va_space_fd = 1000 };

	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_ERR_INVALID_ARGUMENT);
	p.va_space_fd = mm_file;
	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_ERR_INVALID_ARGUMENT);
	p.va_space_fd = file;
	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_ERR_INVALID_CHANNEL);
	assert_int_equal(CALL(file, UVM_REGISTER_CHANNEL, &channel), NV_OK);
	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_OK);
	p.ve_id = 64;
	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_ERR_INVALID_ARGUMENT);
	p.ve_id = 63;
	p.gpu_uuid = *fake_uuid(1);
	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_ERR_INVALID_CHANNEL);
	p.gpu_uuid = *fake_uuid(2);
	assert_int_equal(CALL(file, UVM_TEST_CHECK_CHANNEL_VA_SPACE, &p), NV_ERR_INVALID_DEVICE);
}

static void test_time(void **state)
{
	UVM_TEST_GET_PAGEABLE_MEM_ACCESS_TYPE_PARAMS pageable = { 0 };
	UVM_TEST_GET_GPU_TIME_PARAMS p = { .gpu_uuid = *fake_uuid(0) };
	u64 before = os_time_ns();

	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_TIME, &p), NV_OK);
	assert_true(p.timestamp_ns + 32 > before && p.timestamp_ns <= os_time_ns());
	p.gpu_uuid = fake_nobody;
	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_TIME, &p), NV_ERR_INVALID_DEVICE);
	fake.gpus[0].lost = true;
	p.gpu_uuid = *fake_uuid(0);
	assert_int_equal(CALL(file, UVM_TEST_GET_GPU_TIME, &p), NV_ERR_GPU_IS_LOST);
	assert_int_equal(CALL(file, UVM_TEST_GET_PAGEABLE_MEM_ACCESS_TYPE, &pageable), NV_OK);
	assert_int_equal(pageable.type, UVM_TEST_PAGEABLE_MEM_ACCESS_TYPE_MMU_NOTIFIER);
}

/* -- Tests of itself -----------------------------------------------------------------------------
 */

/* Of one of those whose structure is only a status, or has what matters first. */
struct self_test {
	u32 number;
	u32 params[2];
	u32 status_at;
	bool uses_gpus;
};

static const struct self_test self_tests[] = {
	{ UVM_TEST_RNG_SANITY, { 0 }, 0, false },
	{ UVM_TEST_RANGE_TREE_DIRECTED, { 0 }, 0, false },
	{ UVM_TEST_RM_MEM_SANITY, { 0 }, 0, true },
	{ UVM_TEST_GPU_SEMAPHORE_SANITY, { 0 }, 0, false },
	{ UVM_TEST_PAGE_TREE, { 0 }, 0, true },
	{ UVM_TEST_TRACKER_SANITY, { 0 }, 0, true },
	{ UVM_TEST_PUSH_SANITY, { 0 }, 4, true },
	{ UVM_TEST_CHANNEL_SANITY, { 0 }, 0, true },
	{ UVM_TEST_CE_SANITY, { 0 }, 4, true },
	{ UVM_TEST_LOCK_SANITY, { 0 }, 0, false },
	{ UVM_TEST_KVMALLOC, { 0 }, 0, false },
	{ UVM_TEST_MEM_SANITY, { 0 }, 0, true },
	{ UVM_TEST_PMM_SANITY, { UvmTestPmmSanityModeBasic }, 4, true },
	{ UVM_TEST_PMM_SANITY, { UvmTestPmmSanityModeFull }, 4, true },
	{ UVM_TEST_VA_BLOCK, { 0 }, 0, false },
	{ UVM_TEST_NV_KTHREAD_Q, { 0 }, 0, false },
	{ UVM_TEST_HOST_SANITY, { 0 }, 0, true },
};

static u32 self_test(const struct self_test *test)
{
	u32 params[4] = { test->params[0], test->params[1], 0, 0 };

	params[test->status_at / 4] = ~0u;
	assert_int_equal(IOCTL(file, test->number, params), UVM_RESULT_OK);
	return params[test->status_at / 4];
}

static u32 stress(u32 mode, u32 iterations, u32 streams)
{
	UVM_TEST_CHANNEL_STRESS_PARAMS p = {
		.mode = mode, .iterations = iterations, .num_streams = streams, .seed = 5
	};

	return CALL(file, UVM_TEST_CHANNEL_STRESS, &p);
}

static u32 random_tree(UVM_TEST_RANGE_TREE_RANDOM_PARAMS *p)
{
	*p = (UVM_TEST_RANGE_TREE_RANDOM_PARAMS){
		.seed = p->seed,
		.main_iterations = p->main_iterations,
		.high_probability = 80,
		.add_remove_shrink_group_probability = 50,
		.shrink_probability = 20,
		.collision_checks = 3,
		.iterator_checks = 1,
		.max_end = p->max_end,
		.max_ranges = p->max_ranges,
		.max_batch_count = p->max_batch_count,
		.max_attempts = 10,
	};
	return CALL(file, UVM_TEST_RANGE_TREE_RANDOM, p);
}

static void test_self(void **state)
{
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS tree = { .seed = 1,
						   .main_iterations = 2000,
						   .max_end = 400,
						   .max_ranges = 50,
						   .max_batch_count = 4 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(self_tests); i++) {
		u32 status = self_test(&self_tests[i]);

		if (status != NV_OK)
			fail_msg("test %u: %#x", self_tests[i].number, status);
	}
	for (i = UVM_TEST_CHANNEL_STRESS_MODE_NOOP_PUSH; i <= UVM_TEST_CHANNEL_STRESS_MODE_STREAM;
	     i++)
		assert_int_equal(stress(i, 100, 7), NV_OK);
	assert_int_equal(random_tree(&tree), NV_OK);
	/* All of its operations came to pass, and some could not. */
	assert_true(tree.stats.total_adds && tree.stats.failed_adds && tree.stats.total_removes &&
		    tree.stats.total_splits && tree.stats.total_merges &&
		    tree.stats.failed_merges && tree.stats.total_shrinks &&
		    tree.stats.max_attempts_add > 1);
	tree.max_end = ~0ull;
	tree.max_ranges = 1000;
	assert_int_equal(random_tree(&tree), NV_OK);
	tree.max_end = 0;
	assert_int_equal(random_tree(&tree), NV_OK);
	/* Nothing of a test is left. */
	assert_int_equal(fake.gpus[0].paused, false);
}

static void test_refused(void **state)
{
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS tree = { .max_ranges = 65537, .max_batch_count = 1 };
	UVM_TEST_PMM_SANITY_PARAMS pmm = { .mode = 0 };
	UVM_TEST_PMM_CHECK_LEAK_PARAMS leak = { .gpu_uuid = *fake_uuid(0), .chunk_size = 3 * PAGE };
	UVM_TEST_PMM_ALLOC_FREE_ROOT_PARAMS root = { .gpu_uuid = fake_nobody };

	assert_int_equal(random_tree(&tree), NV_ERR_INVALID_PARAMETER);
	tree.max_ranges = 1;
	tree.max_batch_count = 0;
	assert_int_equal(random_tree(&tree), NV_ERR_INVALID_PARAMETER);
	tree.max_batch_count = 1;
	tree.high_probability = 101;
	assert_int_equal(CALL(file, UVM_TEST_RANGE_TREE_RANDOM, &tree), NV_ERR_INVALID_PARAMETER);
	assert_int_equal(CALL(file, UVM_TEST_PMM_SANITY, &pmm), NV_ERR_INVALID_ARGUMENT);
	pmm.mode = 3;
	assert_int_equal(CALL(file, UVM_TEST_PMM_SANITY, &pmm), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_ERR_INVALID_ARGUMENT);
	leak.chunk_size = MIB(4);
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_ERR_INVALID_ARGUMENT);
	leak.chunk_size = MIB(2);
	leak.alloc_limit = -2;
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_ERR_INVALID_ARGUMENT);
	leak.alloc_limit = 1;
	leak.gpu_uuid = fake_nobody;
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_ERR_INVALID_DEVICE);
	assert_int_equal(CALL(file, UVM_TEST_PMM_ALLOC_FREE_ROOT, &root), NV_ERR_INVALID_DEVICE);
	root.nap_us_before_free = 1000001;
	assert_int_equal(CALL(file, UVM_TEST_PMM_ALLOC_FREE_ROOT, &root), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(stress(3, 1, 1), NV_ERR_INVALID_PARAMETER);
	assert_int_equal(stress(UVM_TEST_CHANNEL_STRESS_MODE_STREAM, 1, 0),
			 NV_ERR_INVALID_PARAMETER);
	assert_int_equal(stress(UVM_TEST_CHANNEL_STRESS_MODE_STREAM, 1, 4097),
			 NV_ERR_INVALID_PARAMETER);
}

static void test_chunks(void **state)
{
	UVM_TEST_PMM_CHECK_LEAK_PARAMS leak = { .gpu_uuid = *fake_uuid(0),
						.chunk_size = MIB(2),
						.alloc_limit = 3 };
	UVM_TEST_PMM_ALLOC_FREE_ROOT_PARAMS root = { .gpu_uuid = *fake_uuid(0),
						     .nap_us_before_free = 3000 };
	u32 videos = fake.videos;
	u64 before, all;

	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_OK);
	assert_int_equal(leak.allocated, 3);
	/* All there is, twice alike; more than there is. */
	leak.alloc_limit = -1;
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_OK);
	all = leak.allocated;
	assert_true(all > 10 && all <= FAKE_VIDEO / MIB(2));
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_OK);
	assert_true(leak.allocated == all);
	leak.alloc_limit = (s64)all + 1;
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_ERR_NO_MEMORY);
	assert_true(leak.allocated == all);
	assert_int_equal(fake.videos, videos);
	before = os_time_ns();
	assert_int_equal(CALL(file, UVM_TEST_PMM_ALLOC_FREE_ROOT, &root), NV_OK);
	assert_true(os_time_ns() - before >= 3000000);
	assert_int_equal(fake.videos, videos);
}

static u32 evict(UVM_TEST_EVICT_CHUNK_PARAMS *p, u32 mode, u64 address)
{
	*p = (UVM_TEST_EVICT_CHUNK_PARAMS){ .gpu_uuid = *fake_uuid(0),
					    .eviction_mode = mode,
					    .address = address,
					    .chunk_was_evicted = 7,
					    .evicted_physical_address = 7,
					    .chunk_size_backing_virtual = 7 };
	return CALL(file, UVM_TEST_EVICT_CHUNK, p);
}

static void test_evict(void **state)
{
	UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR_PARAMS inject = { .gpu_uuid = *fake_uuid(0),
							      .error_after_num_chunks = 2 };
	UVM_TEST_EVICT_CHUNK_PARAMS p;
	u64 address;

	/* Without any it is no error. */
	assert_int_equal(evict(&p, UvmTestEvictModeDefault, 0), NV_OK);
	assert_true(!p.chunk_was_evicted && !p.evicted_physical_address &&
		    !p.chunk_size_backing_virtual);
	map(BASE, MIB(6) + MIB(1));
	touch(BASE);
	migrate(BASE, MIB(7), fake_uuid(0));
	address = residency(BASE)->resident_physical_address[0];
	assert_int_equal(evict(&p, UvmTestEvictModeDefault, 0), NV_OK);
	assert_true(p.chunk_was_evicted && p.evicted_physical_address == address);
	check_page(BASE, &fake_cpu, PAGE, 1);
	/* By its address: the whole root goes. */
	assert_int_equal(evict(&p, UvmTestEvictModeVirtual, BASE), NV_OK);
	assert_false(p.chunk_was_evicted);
	address = residency(BASE + MIB(6))->resident_physical_address[0];
	assert_int_equal(evict(&p, UvmTestEvictModeVirtual, BASE + MIB(6) + 40 * PAGE), NV_OK);
	assert_true(p.chunk_was_evicted && p.evicted_physical_address == address);
	assert_true(p.chunk_size_backing_virtual == KIB(64));
	check_page(BASE + MIB(7) - PAGE, &fake_cpu, PAGE, 1);
	check_page(BASE + MIB(4), fake_uuid(0), MIB(2), 2);
	address = residency(BASE + MIB(4))->resident_physical_address[0];
	assert_int_equal(evict(&p, UvmTestEvictModePhysical, address + MIB(1)), NV_OK);
	assert_true(p.chunk_was_evicted && p.evicted_physical_address == address);
	check_page(BASE + MIB(4), &fake_cpu, PAGE, 1);
	check_page(BASE + MIB(2), fake_uuid(0), MIB(2), 2);
	assert_int_equal(evict(&p, UvmTestEvictModePhysical, address), NV_OK);
	assert_false(p.chunk_was_evicted);
	/* What others are given. */
	migrate(BASE, MIB(4), fake_uuid(0));
	assert_int_equal(CALL(file, UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR, &inject), NV_OK);
	assert_false(fake.listener->reclaim(fake.listener_ctx, &fake.gpus[0], MIB(4)));
	check_page(BASE, &fake_cpu, PAGE, 1);
	check_page(BASE + MIB(2), fake_uuid(0), MIB(2), 2);
	assert_true(fake.listener->reclaim(fake.listener_ctx, &fake.gpus[0], MIB(2)));
	check_page(BASE + MIB(2), &fake_cpu, PAGE, 1);
	inject.gpu_uuid = fake_nobody;
	assert_int_equal(CALL(file, UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR, &inject),
			 NV_ERR_INVALID_DEVICE);
	assert_int_equal(evict(&p, 0, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(evict(&p, 4, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(evict(&p, UvmTestEvictModeVirtual, BASE + MIB(7)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(evict(&p, UvmTestEvictModePhysical, GIB(512)), NV_ERR_INVALID_ADDRESS);
	p.gpu_uuid = fake_nobody;
	assert_int_equal(CALL(file, UVM_TEST_EVICT_CHUNK, &p), NV_ERR_INVALID_DEVICE);
}

/* What would take hours ends. */
static void test_signal(void **state)
{
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS tree = {
		.main_iterations = ~0ull, .max_end = 100, .max_ranges = 10, .max_batch_count = ~0ull
	};
	UVM_TEST_PMM_CHECK_LEAK_PARAMS leak = { .gpu_uuid = *fake_uuid(0),
						.chunk_size = PAGE,
						.alloc_limit = -1 };
	UVM_TEST_PMM_ALLOC_FREE_ROOT_PARAMS root = { .gpu_uuid = *fake_uuid(0),
						     .nap_us_before_free = 1000000 };
	struct os_user_signal signal = { 0 };
	u32 i;

	os_user_set_signal(&signal);
	os_user_signal_raise(&signal);
	for (i = UVM_TEST_CHANNEL_STRESS_MODE_NOOP_PUSH; i <= UVM_TEST_CHANNEL_STRESS_MODE_STREAM;
	     i++)
		assert_int_equal(stress(i, ~0u, 4096), NV_ERR_SIGNAL_PENDING);
	assert_int_equal(random_tree(&tree), NV_ERR_SIGNAL_PENDING);
	assert_int_equal(CALL(file, UVM_TEST_PMM_CHECK_LEAK, &leak), NV_ERR_SIGNAL_PENDING);
	assert_int_equal(leak.allocated, 1);
	assert_int_equal(CALL(file, UVM_TEST_PMM_ALLOC_FREE_ROOT, &root), NV_ERR_SIGNAL_PENDING);
	os_user_set_signal(NULL);
	assert_int_equal(fake.videos, 4 + 1); /* of channels and page tables */
	assert_int_equal(stress(UVM_TEST_CHANNEL_STRESS_MODE_STREAM, 2, 2), NV_OK);
}

static u32 run(u32 number)
{
	u32 i;

	for (i = 0; self_tests[i].number != number; i++)
		;
	return self_test(&self_tests[i]);
}

/* What is wrong is found. */
static void test_found(void **state)
{
	u32 videos = fake.videos;

	assert_int_equal(run(UVM_TEST_CE_SANITY), NV_OK);
	fake.spoil_copy = 5;
	assert_int_equal(run(UVM_TEST_CE_SANITY), NV_ERR_INVALID_STATE);
	fake.spoil_copy = 2;
	assert_int_equal(run(UVM_TEST_MEM_SANITY), NV_ERR_INVALID_STATE);
	fake.drop_release = 2;
	assert_int_equal(run(UVM_TEST_PUSH_SANITY), NV_ERR_INVALID_STATE);
	fake.drop_release = 2;
	assert_int_equal(run(UVM_TEST_HOST_SANITY), NV_ERR_INVALID_STATE);
	fake.drop_release = 1;
	assert_int_equal(run(UVM_TEST_RM_MEM_SANITY), NV_ERR_INVALID_STATE);
	fake.drop_write = 16;
	assert_int_equal(run(UVM_TEST_PAGE_TREE), NV_ERR_INVALID_STATE);
	fake.drop_write = 9;
	assert_int_equal(run(UVM_TEST_PMM_SANITY), NV_ERR_INVALID_STATE);
	assert_int_equal(run(UVM_TEST_PAGE_TREE), NV_OK);
	assert_int_equal(run(UVM_TEST_PMM_SANITY), NV_OK);
	assert_int_equal(fake.videos, videos + 4); /* the channels' */
}

static void test_errors(void **state)
{
	u32 i;

	fake.gpus[0].invalidation = NV_ERR_TIMEOUT;
	assert_int_equal(run(UVM_TEST_PAGE_TREE), NV_ERR_TIMEOUT);
	fake.gpus[0].invalidation = NV_OK;
	/* An error of a channel is the device's, and no test goes on. */
	fake.fail_launch = 3;
	assert_int_equal(run(UVM_TEST_CE_SANITY), NV_ERR_RC_ERROR);
	assert_int_equal(run(UVM_TEST_PUSH_SANITY), NV_ERR_RC_ERROR);
	assert_int_equal(stress(UVM_TEST_CHANNEL_STRESS_MODE_STREAM, 10, 2), NV_ERR_RC_ERROR);
	fake.gpus[0].lost = true;
	for (i = 0; i < ARRAY_SIZE(self_tests); i++) {
		if (self_tests[i].uses_gpus && self_tests[i].number != UVM_TEST_PMM_SANITY &&
		    self_tests[i].number != UVM_TEST_PAGE_TREE &&
		    self_tests[i].number != UVM_TEST_MEM_SANITY)
			assert_int_not_equal(self_test(&self_tests[i]), NV_OK);
	}
}

static int start_confidential(void **state)
{
	fake_start_tests();
	fake.gpus[0].info.confidential = true;
	begin(1);
	return 0;
}

static void test_confidential(void **state)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(self_tests); i++)
		assert_int_equal(self_test(&self_tests[i]),
				 self_tests[i].uses_gpus ? NV_ERR_NOT_SUPPORTED : NV_OK);
	assert_int_equal(stress(0, 1, 1), NV_ERR_NOT_SUPPORTED);
}

/* Every allocation of every test fails once. */
static void test_no_memory(void **state)
{
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS tree = {
		.main_iterations = 100, .max_end = 10000, .max_ranges = 200, .max_batch_count = 20
	};
	u64 nth, failed;
	u32 i, status;

	if (!os_user_fail_alloc_thread(0))
		skip();
	/* What the host keeps of a device that once had memory is there. */
	begin(2);
	assert_int_equal(run(UVM_TEST_MEM_SANITY), NV_OK);
	fake_close(file);
	fake_close(mm_file);
	for (i = 0; i < ARRAY_SIZE(self_tests) + 2; i++) {
		/* The same as the one before it, only more often. */
		if (i < ARRAY_SIZE(self_tests) &&
		    self_tests[i].params[0] == UvmTestPmmSanityModeFull)
			continue;
		for (nth = 1;; nth++) {
			u64 live;

			begin(2);
			live = unit_live();
			failed = unit_failed();
			os_user_fail_alloc_thread(nth);
			if (i < ARRAY_SIZE(self_tests))
				status = self_test(&self_tests[i]);
			else if (i == ARRAY_SIZE(self_tests))
				status = stress(UVM_TEST_CHANNEL_STRESS_MODE_STREAM, 3, 3);
			else
				status = random_tree(&tree);
			os_user_fail_alloc_thread(0);
			failed = unit_failed() - failed;
			if (status == NV_OK && failed)
				fail_msg("test %u: allocation %llu", i, (unsigned long long)nth);
			else if (status != NV_OK)
				assert_int_equal(status, NV_ERR_NO_MEMORY);
			/* But for the channels, which stay, all is given back. */
			if (!fake.sessions && unit_live() != live)
				fail_msg("test %u: allocation %llu leaves something", i,
					 (unsigned long long)nth);
			fake_close(file);
			fake_close(mm_file);
			assert_int_equal(fake.videos, 0);
			if (!failed)
				break;
		}
	}
}

int main(void)
{
#define TEST(name, before) cmocka_unit_test_setup_teardown(name, before, fake_end)
	const struct CMUnitTest tests[] = {
		TEST(test_off, start_off),
		TEST(test_numbers, start_empty),
		TEST(test_range_info, start),
		TEST(test_kinds, start),
		TEST(test_zombie, start_empty),
		TEST(test_split, start),
		TEST(test_add_fails, start),
		TEST(test_block_fails, start),
		TEST(test_pages, start),
		TEST(test_groups, start),
		TEST(test_references, start_two),
		TEST(test_channel, start_two),
		TEST(test_time, start),
		TEST(test_self, start_two),
		TEST(test_refused, start),
		TEST(test_chunks, start),
		TEST(test_evict, start),
		TEST(test_signal, start),
		TEST(test_found, start),
		TEST(test_errors, start),
		TEST(test_confidential, start_confidential),
		TEST(test_no_memory, start_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
