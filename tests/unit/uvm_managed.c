// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory: mapped, touched, cut and unmapped by the CPU, reached by GPUs, advised on,
 * grouped and migrated; processes that share a file; and the whole life of a space with every
 * allocation failing in turn.
 */
#include "uvm_fake.h"

#define BASE 0x300000000ull
#define ALL 7u

static int file;

static int make_file(u64 flags, u32 gpus)
{
	UVM_INITIALIZE_PARAMS init = { .flags = flags };
	int fd = fake_open(UVM_NODE_UVM);
	UVM_MM_INITIALIZE_PARAMS mm = { .uvmFd = fd };

	assert_int_equal(CALL(fd, UVM_INITIALIZE, &init), NV_OK);
	if (!(flags & UVM_INIT_FLAGS_MULTI_PROCESS_SHARING_MODE))
		assert_int_equal(CALL(fake_open(UVM_NODE_UVM), UVM_MM_INITIALIZE, &mm), NV_OK);
	fake_register_gpus(fd, gpus);
	return fd;
}

static int start(void **state)
{
	fake_start(false);
	file = make_file(0, 2);
	return 0;
}

static int start_populated(void **state)
{
	fake_start(true);
	file = make_file(0, 2);
	return 0;
}

static int start_empty(void **state)
{
	fake_start(false);
	return 0;
}

static enum uvm_result mmap_at(u64 address, u64 size)
{
	enum uvm_mmap_kind kind = UVM_MMAP_SEMAPHORE_POOL;
	enum uvm_result result =
		uvm_file_mmap(fake.files[file], address, size, address, ALL, &kind);

	if (!result)
		assert_int_equal(kind, UVM_MMAP_MANAGED);
	return result;
}

static u8 *touch(u64 address)
{
	struct uvm_extent e;

	if (uvm_file_fault(fake.files[file], address, true, &e, NULL, NULL))
		return NULL;
	assert_true(address >= e.address && address - e.address < e.size);
	assert_true(e.offset + e.size <= e.pages->size);
	return (u8 *)e.pages->cpu + e.offset + (address - e.address);
}

static u32 validate(u64 base, u64 length)
{
	UVM_VALIDATE_VA_RANGE_PARAMS p = { .base = base, .length = length };

	return CALL(file, UVM_VALIDATE_VA_RANGE, &p);
}

/* The GPU reads what the CPU has there. */
static void same_bytes(u32 gpu, u64 address)
{
	struct fake_page page = fake_walk(gpu, address);
	u8 *cpu = touch(address), value = 0;
	static u8 next;

	assert_non_null(cpu);
	assert_true(page.valid && page.aperture == 2 && !page.read_only && !page.no_atomics);
	*cpu = ++next;
	assert_true(os_user_dma_read(fake.gpus[gpu].pci, page.address, &value, 1));
	assert_int_equal(value, next);
}

/* -- The CPU ----------------------------------------------------------------------------------- */

static void test_mmap(void **state)
{
	int fresh = fake_open(UVM_NODE_UVM), tools = fake_open(UVM_NODE_TOOLS);
	UVM_CREATE_EXTERNAL_RANGE_PARAMS external = { .base = BASE + MIB(64), .length = MIB(2) };
	UVM_FREE_PARAMS free_it = { .base = BASE, .length = MIB(2) };
	enum uvm_mmap_kind kind;
	u32 flags;

	assert_int_equal(uvm_file_mmap(fake.files[fresh], BASE, MIB(2), BASE, ALL, &kind),
			 UVM_RESULT_EBADFD);
	assert_int_equal(uvm_file_mmap(fake.files[tools], BASE, MIB(2), BASE, ALL, &kind),
			 UVM_RESULT_ENODEV);
	assert_int_equal(uvm_file_mmap(fake.files[file], BASE, MIB(2), 0, ALL, &kind),
			 UVM_RESULT_EINVAL);
	for (flags = 0; flags < ALL; flags++)
		assert_int_equal(uvm_file_mmap(fake.files[file], BASE, MIB(2), BASE, flags, &kind),
				 UVM_RESULT_EINVAL);
	fake.mm = 101;
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_EOPNOTSUPP);
	fake.mm = 100;
	assert_int_equal(CALL(file, UVM_CREATE_EXTERNAL_RANGE, &external), NV_OK);
	assert_int_equal(mmap_at(BASE + MIB(62), MIB(4)), UVM_RESULT_EINVAL);
	assert_int_equal(mmap_at(BASE, ~(u64)0xfff), UVM_RESULT_EINVAL);
	assert_int_equal(mmap_at(BASE + GIB(1), BIT64(60)), UVM_RESULT_ENOMEM);
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_OK);
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_EINVAL);
	assert_int_equal(validate(BASE, MIB(2)), NV_OK);
	assert_int_equal(CALL(file, UVM_FREE, &free_it), NV_ERR_INVALID_ADDRESS);
	assert_null(touch(BASE - 1));
	assert_null(touch(BASE + MIB(2)));
	assert_null(touch(external.base));
	uvm_file_munmap(fake.files[file], BASE, MIB(2));
	assert_int_equal(validate(BASE, MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_null(touch(BASE));
	uvm_file_munmap(fake.files[file], BASE, MIB(2));
	uvm_file_munmap(fake.files[file], BASE, 0);
	uvm_file_munmap(fake.files[file], BASE, ~(u64)0);
	uvm_file_munmap(fake.files[fresh], BASE, MIB(2));
	assert_int_equal(uvm_file_fault(fake.files[fresh], BASE, true, NULL, NULL, NULL),
			 UVM_RESULT_EFAULT);
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_OK);
}

static enum uvm_result refuse(void *ctx, const struct uvm_extent *extent)
{
	*(u64 *)ctx = extent->size;
	return UVM_RESULT_EBUSY;
}

/* An odd range, cut everywhere: what is left keeps its bytes, also for GPUs. */
static void test_cut(void **state)
{
	const u64 at = BASE + KIB(12), size = MIB(7);
	struct uvm_extent extent;
	u64 seen = 0, i;

	assert_int_equal(mmap_at(at, size), UVM_RESULT_OK);
	assert_int_equal(uvm_file_fault(fake.files[file], at, true, &extent, refuse, &seen),
			 UVM_RESULT_EBUSY);
	assert_true(seen == MIB(2) - KIB(12));
	for (i = 0; i < size; i += KIB(4)) {
		u8 *byte = touch(at + i);

		assert_int_equal(*byte, 0);
		*byte = (u8)(i / KIB(4) * 7 + 1);
	}
	same_bytes(0, at + MIB(3));
	*touch(at + MIB(3)) = (u8)(MIB(3) / KIB(4) * 7 + 1);
	uvm_file_munmap(fake.files[file], at + MIB(3), KIB(8));
	uvm_file_munmap(fake.files[file], at, KIB(4));
	uvm_file_munmap(fake.files[file], at + size - KIB(4), MIB(1));
	for (i = 0; i < size; i += KIB(4)) {
		bool gone = i == 0 || i == size - KIB(4) || i == MIB(3) || i == MIB(3) + KIB(4);
		u8 *byte = touch(at + i);

		assert_int_equal(!byte, gone);
		assert_int_equal(!fake_walk(1, at + i).valid, gone);
		if (byte)
			assert_int_equal(*byte, (u8)(i / KIB(4) * 7 + 1));
	}
	assert_int_equal(validate(at + KIB(4), MIB(3) - KIB(4)), NV_OK);
	assert_int_equal(validate(at + MIB(3) + KIB(8), MIB(4) - KIB(12)), NV_OK);
	/* not at a page: nothing; a size in part: the page */
	uvm_file_munmap(fake.files[file], at + MIB(4) + 1, KIB(4));
	assert_int_equal(validate(at + MIB(3) + KIB(8), MIB(4) - KIB(12)), NV_OK);
	uvm_file_munmap(fake.files[file], at + MIB(5), 1);
	assert_null(touch(at + MIB(5) + 1));
	assert_false(fake_walk(0, at + MIB(5) + KIB(4) - 1).valid);
	same_bytes(0, at + MIB(5) + KIB(4));
	/* a hole is free to be mapped again */
	assert_int_equal(mmap_at(at + MIB(3), KIB(8)), UVM_RESULT_OK);
	assert_int_equal(*touch(at + MIB(3)), 0);
	same_bytes(1, at + MIB(3));
	uvm_file_munmap(fake.files[file], BASE, MIB(16));
	assert_null(touch(at + MIB(1)));
	assert_false(fake_walk(0, at + MIB(1)).valid);
}

static void test_populated(void **state)
{
	UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = *fake_uuid(2) };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = *fake_uuid(2),
						  .rmCtrlFd = FAKE_FD,
						  .hClient = FAKE_CLIENT,
						  .hVaSpace = FAKE_VASPACE + 2 };
	UVM_UNREGISTER_GPU_PARAMS gone = { .gpu_uuid = *fake_uuid(0) };

	/* GPUs reach all of it before the CPU did, those that come later too */
	assert_int_equal(mmap_at(BASE + KIB(4), MIB(9)), UVM_RESULT_OK);
	assert_true(fake_walk(0, BASE + KIB(4)).valid);
	assert_true(fake_walk(1, BASE + MIB(9)).valid);
	assert_int_equal(CALL(file, UVM_REGISTER_GPU, &gpu), NV_OK);
	assert_int_equal(CALL(file, UVM_REGISTER_GPU_VASPACE, &space), NV_OK);
	same_bytes(2, BASE + MIB(4));
	assert_int_equal(CALL(file, UVM_UNREGISTER_GPU, &gone), NV_OK);
	same_bytes(1, BASE + MIB(4));
	uvm_file_munmap(fake.files[file], BASE + MIB(4), MIB(1));
	assert_false(fake_walk(1, BASE + MIB(4)).valid);
	same_bytes(1, BASE + MIB(5));
}

/* -- Advice, groups, migration ----------------------------------------------------------------- */

static u32 prefer(u64 base, u64 length, const NvProcessorUuid *where)
{
	UVM_SET_PREFERRED_LOCATION_PARAMS p = { .requestedBase = base,
						.length = length,
						.preferredLocation = *where };

	return CALL(file, UVM_SET_PREFERRED_LOCATION, &p);
}

static u32 accessed_by(bool set, u64 base, u64 length, const NvProcessorUuid *who)
{
	UVM_SET_ACCESSED_BY_PARAMS on = { .requestedBase = base,
					  .length = length,
					  .accessedByUuid = *who };
	UVM_UNSET_ACCESSED_BY_PARAMS off = { .requestedBase = base,
					     .length = length,
					     .accessedByUuid = *who };

	return set ? CALL(file, UVM_SET_ACCESSED_BY, &on) : CALL(file, UVM_UNSET_ACCESSED_BY, &off);
}

static void test_advice(void **state)
{
	UVM_DISABLE_READ_DUPLICATION_PARAMS off = { .requestedBase = BASE, .length = MIB(4) };
	UVM_ENABLE_READ_DUPLICATION_PARAMS on = { .requestedBase = BASE + MIB(1),
						  .length = MIB(1) };
	UVM_UNSET_PREFERRED_LOCATION_PARAMS unset = { .requestedBase = BASE, .length = MIB(4) };
	UVM_CREATE_EXTERNAL_RANGE_PARAMS external = { .base = BASE + MIB(6), .length = MIB(2) };

	assert_int_equal(prefer(BASE, MIB(4), &fake_cpu), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(mmap_at(BASE, MIB(4)), UVM_RESULT_OK);
	assert_int_equal(mmap_at(BASE + MIB(4), MIB(2)), UVM_RESULT_OK);
	assert_int_equal(CALL(file, UVM_CREATE_EXTERNAL_RANGE, &external), NV_OK);
	assert_int_equal(prefer(BASE, MIB(8), &fake_cpu), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(prefer(external.base, MIB(2), &fake_cpu), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(prefer(BASE, MIB(4), fake_uuid(2)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(prefer(BASE, MIB(4), &fake_nobody), NV_ERR_INVALID_DEVICE);
	/* the whole: nothing is cut; a part: that part becomes a range */
	assert_int_equal(prefer(BASE, MIB(6), &fake_cpu), NV_OK);
	assert_int_equal(validate(BASE, MIB(4)), NV_OK);
	assert_int_equal(prefer(BASE + MIB(1), MIB(1), &fake_cpu), NV_OK);
	assert_int_equal(validate(BASE, MIB(4)), NV_OK);
	*touch(BASE + MIB(1)) = 11;
	assert_int_equal(prefer(BASE + MIB(1), MIB(1), fake_uuid(0)), NV_OK);
	assert_int_equal(validate(BASE, MIB(1)), NV_OK);
	assert_int_equal(validate(BASE + MIB(1), MIB(1)), NV_OK);
	assert_int_equal(validate(BASE + MIB(2), MIB(2)), NV_OK);
	assert_int_equal(*touch(BASE + MIB(1)), 11);
	assert_int_equal(CALL(file, UVM_UNSET_PREFERRED_LOCATION, &unset), NV_OK);

	assert_int_equal(accessed_by(true, BASE + MIB(4), MIB(1), fake_uuid(2)),
			 NV_ERR_INVALID_DEVICE);
	assert_int_equal(accessed_by(true, BASE + MIB(5), MIB(2), fake_uuid(1)),
			 NV_ERR_INVALID_ADDRESS);
	assert_false(fake_walk(1, BASE + MIB(5)).valid);
	assert_int_equal(accessed_by(true, BASE + MIB(5), MIB(1), fake_uuid(1)), NV_OK);
	assert_int_equal(validate(BASE + MIB(5), MIB(1)), NV_OK);
	same_bytes(1, BASE + MIB(5));
	assert_false(fake_walk(1, BASE + MIB(4)).valid);
	assert_int_equal(accessed_by(true, BASE + MIB(4), MIB(2), &fake_cpu), NV_OK);
	assert_int_equal(accessed_by(false, BASE + MIB(5), MIB(1), fake_uuid(1)), NV_OK);
	assert_int_equal(accessed_by(false, BASE + MIB(5), MIB(1), &fake_nobody),
			 NV_ERR_INVALID_DEVICE);
	assert_int_equal(CALL(file, UVM_DISABLE_READ_DUPLICATION, &off), NV_OK);
	assert_int_equal(CALL(file, UVM_ENABLE_READ_DUPLICATION, &on), NV_OK);
	off.length = MIB(7);
	assert_int_equal(CALL(file, UVM_DISABLE_READ_DUPLICATION, &off), NV_ERR_INVALID_ADDRESS);
}

static u64 new_group(void)
{
	UVM_CREATE_RANGE_GROUP_PARAMS p = { 0 };

	assert_int_equal(CALL(file, UVM_CREATE_RANGE_GROUP, &p), NV_OK);
	return p.rangeGroupId;
}

static u32 set_group(u64 group, u64 base, u64 length)
{
	UVM_SET_RANGE_GROUP_PARAMS p = { .rangeGroupId = group,
					 .requestedBase = base,
					 .length = length };

	return CALL(file, UVM_SET_RANGE_GROUP, &p);
}

static u32 prevent(u64 a, u64 b, u64 count)
{
	UVM_PREVENT_MIGRATION_RANGE_GROUPS_PARAMS p = { .rangeGroupIds = { a, b },
							.numGroupIds = count };

	return CALL(file, UVM_PREVENT_MIGRATION_RANGE_GROUPS, &p);
}

static u32 allow(u64 a, u64 b, u64 count)
{
	UVM_ALLOW_MIGRATION_RANGE_GROUPS_PARAMS p = { .rangeGroupIds = { a, b },
						      .numGroupIds = count };

	return CALL(file, UVM_ALLOW_MIGRATION_RANGE_GROUPS, &p);
}

static u32 migrate_group(u64 group, const NvProcessorUuid *to)
{
	UVM_MIGRATE_RANGE_GROUP_PARAMS p = { .rangeGroupId = group, .destinationUuid = *to };

	return CALL(file, UVM_MIGRATE_RANGE_GROUP, &p);
}

static void test_groups(void **state)
{
	u64 a = new_group(), b = new_group();
	UVM_DESTROY_RANGE_GROUP_PARAMS destroy = { .rangeGroupId = b };

	assert_true(a && b && a != b);
	assert_int_equal(mmap_at(BASE, MIB(8)), UVM_RESULT_OK);
	assert_int_equal(set_group(99, BASE, MIB(8)), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(set_group(a, BASE, MIB(10)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(set_group(a, BASE, MIB(8)), NV_OK);
	assert_int_equal(set_group(b, BASE + MIB(2), MIB(2)), NV_OK);
	assert_int_equal(set_group(0, BASE + MIB(5), MIB(1)), NV_OK);
	assert_int_equal(migrate_group(99, fake_uuid(0)), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(migrate_group(b, fake_uuid(2)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(migrate_group(b, &fake_cpu), NV_OK);
	assert_int_equal(migrate_group(b, fake_uuid(0)), NV_OK);
	same_bytes(0, BASE + MIB(2));
	assert_false(fake_walk(0, BASE + MIB(4)).valid);
	assert_int_equal(migrate_group(a, fake_uuid(0)), NV_OK);
	same_bytes(0, BASE + MIB(6));

	assert_int_equal(prevent(a, 0, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(prevent(a, 0, 33), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(prevent(a, 99, 2), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(allow(a, 99, 2), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(allow(a, 0, 0), NV_ERR_INVALID_ARGUMENT);
	/* what may not move must be somewhere, and not where a GPU faults anyway */
	assert_int_equal(prevent(b, 0, 1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(set_group(b, BASE, MIB(1)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(allow(b, 0, 1), NV_OK);
	assert_int_equal(prefer(BASE, MIB(8), fake_uuid(0)), NV_OK);
	assert_int_equal(prevent(b, 0, 1), NV_ERR_INVALID_DEVICE);
	assert_int_equal(prefer(BASE, MIB(8), fake_uuid(1)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(prefer(BASE, MIB(8), &fake_cpu), NV_OK);
	assert_int_equal(prevent(a, b, 2), NV_OK);
	assert_int_equal(allow(a, b, 2), NV_OK);
	assert_int_equal(prefer(BASE, MIB(8), fake_uuid(1)), NV_OK);

	/* unmapped in the middle: that part is in no group */
	uvm_file_munmap(fake.files[file], BASE + MIB(6), MIB(1));
	assert_int_equal(migrate_group(a, fake_uuid(1)), NV_OK);
	same_bytes(1, BASE + MIB(7));
	assert_int_equal(CALL(file, UVM_DESTROY_RANGE_GROUP, &destroy), NV_OK);
	assert_int_equal(CALL(file, UVM_DESTROY_RANGE_GROUP, &destroy), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(migrate_group(b, fake_uuid(1)), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(set_group(a, BASE, MIB(2)), NV_OK);
}

static void test_migrate(void **state)
{
	static UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool = { .base = BASE + GIB(1), .length = KIB(8) };
	enum uvm_mmap_kind kind;
	u32 *semaphore;
	UVM_MIGRATE_PARAMS p = { .base = BASE, .length = MIB(4), .destinationUuid = *fake_uuid(0) };

	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(mmap_at(BASE, MIB(4)), UVM_RESULT_OK);
	assert_int_equal(CALL(file, UVM_ALLOC_SEMAPHORE_POOL, &pool), NV_OK);
	assert_int_equal(
		uvm_file_mmap(fake.files[file], pool.base, pool.length, pool.base, ALL, &kind),
		UVM_RESULT_OK);
	semaphore = (u32 *)touch(pool.base + KIB(4) + 8);
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
	same_bytes(0, BASE + MIB(3));
	assert_false(fake_walk(1, BASE).valid && !touch(BASE));
	p.destinationUuid = *fake_uuid(2);
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_DEVICE);
	p.destinationUuid = fake_cpu;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
	p.flags = 2;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ARGUMENT);
	p.flags = 8;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ARGUMENT);
	p.flags = 0;
	p.semaphoreAddress = pool.base + KIB(4) + 8;
	p.semaphorePayload = 0x1234;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ARGUMENT);
	p.flags = UVM_MIGRATE_FLAG_ASYNC;
	p.semaphoreAddress = pool.base + 2;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ADDRESS);
	p.semaphoreAddress = pool.base + KIB(8);
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ADDRESS);
	p.semaphoreAddress = BASE;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ADDRESS);
	p.semaphoreAddress = 0;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ARGUMENT);
	p.semaphoreAddress = pool.base + KIB(4) + 8;
	p.base = BASE + MIB(2);
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(*semaphore, 0);
	p.base = BASE;
	p.destinationUuid = *fake_uuid(1);
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
	assert_int_equal(*semaphore, 0x1234);
	same_bytes(1, BASE + MIB(4) - 1);
	/* no bytes: the semaphore alone */
	p.length = 0;
	p.base = 5;
	p.semaphorePayload = 0x77;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
	assert_int_equal(*semaphore, 0x77);
	p.flags = 0;
	p.semaphoreAddress = 0;
	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_ERR_INVALID_ADDRESS);
}

static void test_tools(void **state)
{
	u8 out[9000], in[9000];
	UVM_TOOLS_WRITE_PROCESS_MEMORY_PARAMS w = { .buffer = (u64)(uintptr_t)out,
						    .size = sizeof(out),
						    .targetVa = BASE + MIB(2) - 100 };
	UVM_TOOLS_READ_PROCESS_MEMORY_PARAMS r = { .buffer = (u64)(uintptr_t)in,
						   .size = sizeof(in),
						   .targetVa = BASE + MIB(2) - 100 };
	UVM_POPULATE_PAGEABLE_PARAMS p = { .base = (u64)(uintptr_t)out & ~(u64)0xfff,
					   .length = KIB(8) };
	UVM_TOOLS_FLUSH_EVENTS_PARAMS flush;
	u32 i;

	for (i = 0; i < sizeof(out); i++)
		out[i] = (u8)(i * 13);
	assert_int_equal(CALL(file, UVM_TOOLS_WRITE_PROCESS_MEMORY, &w), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(w.bytesWritten, 0);
	assert_int_equal(mmap_at(BASE, MIB(3)), UVM_RESULT_OK);
	assert_int_equal(CALL(file, UVM_TOOLS_WRITE_PROCESS_MEMORY, &w), NV_OK);
	assert_int_equal(w.bytesWritten, sizeof(out));
	assert_int_equal(*touch(BASE + MIB(2)), out[100]);
	assert_int_equal(CALL(file, UVM_TOOLS_READ_PROCESS_MEMORY, &r), NV_OK);
	assert_int_equal(r.bytesRead, sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
	r.targetVa = BASE + MIB(3) - 100;
	assert_int_equal(CALL(file, UVM_TOOLS_READ_PROCESS_MEMORY, &r), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(r.bytesRead, 100);
	r.targetVa = BASE;
	r.buffer = 0x1000;
	assert_int_equal(CALL(file, UVM_TOOLS_READ_PROCESS_MEMORY, &r), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(r.bytesRead, 0);
	w.targetVa = BASE;
	w.buffer = 0x1000;
	assert_int_equal(CALL(file, UVM_TOOLS_WRITE_PROCESS_MEMORY, &w), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(CALL(file, UVM_TOOLS_FLUSH_EVENTS, &flush), NV_OK);
	assert_int_equal(CALL(file, UVM_POPULATE_PAGEABLE, &p), NV_OK);
	p.flags = 1;
	assert_int_equal(CALL(file, UVM_POPULATE_PAGEABLE, &p), NV_ERR_INVALID_ARGUMENT);
	p.flags = 0;
	p.base = 0x1000;
	assert_int_equal(CALL(file, UVM_POPULATE_PAGEABLE, &p), NV_ERR_INVALID_ADDRESS);
	p.base = BASE;
	assert_int_equal(CALL(file, UVM_POPULATE_PAGEABLE, &p), NV_ERR_INVALID_ADDRESS);
}

/* -- Processes --------------------------------------------------------------------------------- */

static void test_shared_by_processes(void **state)
{
	UVM_CLEAN_UP_ZOMBIE_RESOURCES_PARAMS clean;

	file = make_file(UVM_INIT_FLAGS_MULTI_PROCESS_SHARING_MODE, 1);
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_OK);
	fake.mm = 200;
	assert_int_equal(mmap_at(BASE + MIB(2), MIB(2)), UVM_RESULT_OK);
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_EINVAL);
	*touch(BASE + MIB(2)) = 5;
	assert_true(fake_walk(0, BASE + MIB(2)).valid);
	/* it exits: its memory is there for the other's GPU work until it is cleaned up */
	fake.mm = 0;
	uvm_file_munmap(fake.files[file], BASE + MIB(2), MIB(2));
	fake.mm = 100;
	assert_null(touch(BASE + MIB(2)));
	assert_true(fake_walk(0, BASE + MIB(2)).valid);
	assert_int_equal(validate(BASE + MIB(2), MIB(2)), NV_OK);
	assert_int_equal(mmap_at(BASE + MIB(2), MIB(2)), UVM_RESULT_EINVAL);
	assert_int_equal(CALL(file, UVM_CLEAN_UP_ZOMBIE_RESOURCES, &clean), NV_OK);
	assert_int_equal(validate(BASE + MIB(2), MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(validate(BASE, MIB(2)), NV_OK);
	/* of a file of one process nothing outlives it */
	file = make_file(0, 0);
	assert_int_equal(mmap_at(BASE, MIB(2)), UVM_RESULT_OK);
	fake.mm = 0;
	uvm_file_munmap(fake.files[file], BASE, MIB(2));
	assert_int_equal(validate(BASE, MIB(2)), NV_ERR_INVALID_ADDRESS);
}

/* -- No memory --------------------------------------------------------------------------------- */

static UVM_MAP_EXTERNAL_ALLOCATION_PARAMS map;
static UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool;

/* All that a client does; false as soon as something fails, which must be for want of memory. */
#define MUST(fd, number, p)                                                                      \
	do {                                                                                     \
		enum uvm_result result = uvm_ioctl(fake.files[fd], number, (u64)(uintptr_t)(p)); \
		if (result == UVM_RESULT_ENOMEM)                                                 \
			return false;                                                            \
		assert_int_equal(result, UVM_RESULT_OK);                                         \
		if ((p)->rmStatus == NV_ERR_NO_MEMORY)                                           \
			return false;                                                            \
		assert_int_equal((p)->rmStatus, NV_OK);                                          \
	} while (0)

static bool life(u32 video, u32 system)
{
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };
	UVM_CREATE_EXTERNAL_RANGE_PARAMS external = { .base = BASE + GIB(2), .length = MIB(8) };
	UVM_MAP_EXTERNAL_SPARSE_PARAMS sparse = { .base = BASE + GIB(2) + MIB(4),
						  .length = MIB(4),
						  .gpuUuid = *fake_uuid(0) };
	UVM_UNMAP_EXTERNAL_PARAMS unmap = { .base = BASE + GIB(2) + MIB(5),
					    .length = MIB(1),
					    .gpuUuid = *fake_uuid(0) };
	UVM_REGISTER_CHANNEL_PARAMS channel = { .gpuUuid = *fake_uuid(0),
						.rmCtrlFd = FAKE_FD,
						.hClient = FAKE_CLIENT,
						.hChannel = FAKE_CHANNEL + 0x10,
						.base = BASE + GIB(4),
						.length = MIB(8) };
	UVM_MAP_DYNAMIC_PARALLELISM_REGION_PARAMS sked = { .base = BASE + GIB(3),
							   .length = KIB(4),
							   .gpuUuid = *fake_uuid(0) };
	UVM_CREATE_RANGE_GROUP_PARAMS group;
	UVM_SET_RANGE_GROUP_PARAMS in_group = { .requestedBase = BASE + MIB(1), .length = MIB(1) };
	UVM_SET_ACCESSED_BY_PARAMS by = { .requestedBase = BASE + MIB(2) + KIB(64),
					  .length = MIB(1),
					  .accessedByUuid = *fake_uuid(1) };
	UVM_MIGRATE_PARAMS migrate = { .base = BASE,
				       .length = MIB(4),
				       .destinationUuid = *fake_uuid(1) };
	enum uvm_result result;
	int second;
	u32 i;

	file = fake_open(UVM_NODE_UVM);
	if (file < 0)
		return false;
	MUST(file, UVM_INITIALIZE, &init);
	second = fake_open(UVM_NODE_UVM);
	if (second < 0)
		return false;
	mm.uvmFd = file;
	MUST(second, UVM_MM_INITIALIZE, &mm);
	pool.base = BASE + GIB(1);
	pool.length = MIB(2);
	MUST(file, UVM_ALLOC_SEMAPHORE_POOL, &pool);
	for (i = 0; i < 2; i++) {
		UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = *fake_uuid(i) };
		UVM_REGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = *fake_uuid(i),
							  .rmCtrlFd = FAKE_FD,
							  .hClient = FAKE_CLIENT,
							  .hVaSpace = FAKE_VASPACE + i };

		MUST(file, UVM_REGISTER_GPU, &gpu);
		MUST(file, UVM_REGISTER_GPU_VASPACE, &space);
	}
	MUST(file, UVM_REGISTER_CHANNEL, &channel);
	MUST(file, UVM_CREATE_EXTERNAL_RANGE, &external);
	map.base = external.base;
	map.length = MIB(2);
	map.gpuAttributesCount = 1;
	map.perGpuAttributes[0].gpuUuid = *fake_uuid(0);
	map.rmCtrlFd = FAKE_FD;
	map.hClient = FAKE_CLIENT;
	map.hMemory = video;
	MUST(file, UVM_MAP_EXTERNAL_ALLOCATION, &map);
	map.base += MIB(2);
	map.hMemory = system;
	map.gpuAttributesCount = 2;
	map.perGpuAttributes[1].gpuUuid = *fake_uuid(1);
	MUST(file, UVM_MAP_EXTERNAL_ALLOCATION, &map);
	MUST(file, UVM_MAP_EXTERNAL_SPARSE, &sparse);
	MUST(file, UVM_UNMAP_EXTERNAL, &unmap);
	MUST(file, UVM_MAP_DYNAMIC_PARALLELISM_REGION, &sked);
	result = mmap_at(BASE, MIB(4));
	if (result)
		return assert_int_equal(result, UVM_RESULT_ENOMEM), false;
	MUST(file, UVM_CREATE_RANGE_GROUP, &group);
	in_group.rangeGroupId = group.rangeGroupId;
	MUST(file, UVM_SET_RANGE_GROUP, &in_group);
	MUST(file, UVM_SET_ACCESSED_BY, &by);
	MUST(file, UVM_MIGRATE, &migrate);
	if (!touch(BASE + MIB(3)))
		return false;
	uvm_file_munmap(fake.files[file], BASE + MIB(1) + KIB(64), KIB(64));
	return true;
}

static void test_no_memory(void **state)
{
	u32 video = fake_memory(0, true, MIB(2), MIB(2), MIB(64), MIB(2));
	u32 system = fake_memory(1, false, MIB(2), KIB(64), GIB(500), KIB(64));
	u64 nth, failed;
	u32 i;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (nth = 1;; nth++) {
		bool done;

		failed = unit_failed();
		os_user_fail_alloc_thread(nth);
		done = life(video, system);
		os_user_fail_alloc_thread(0);
		for (i = 0; i < FAKE_FILES; i++) {
			if (fake.open[i])
				fake_close((int)i);
		}
		assert_int_equal(fake.memories, 0);
		assert_int_equal(fake.videos, 0);
		assert_int_equal(fake.gpus[0].refs + fake.gpus[1].refs, 0);
		if (unit_failed() == failed) {
			assert_true(done);
			break;
		}
	}
	assert_true(nth > 60);
}

int main(void)
{
#define TEST(name, before) cmocka_unit_test_setup_teardown(name, before, fake_end)
	const struct CMUnitTest tests[] = {
		TEST(test_mmap, start),
		TEST(test_cut, start),
		TEST(test_populated, start_populated),
		TEST(test_advice, start),
		TEST(test_groups, start),
		TEST(test_migrate, start),
		TEST(test_tools, start),
		TEST(test_shared_by_processes, start_empty),
		TEST(test_no_memory, start_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
