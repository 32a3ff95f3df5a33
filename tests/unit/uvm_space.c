// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Unified memory's files, their processes, the GPUs registered in them, GPU VA spaces, peers and
 * channels: what is refused, and that everything is given back.
 */
#include "uvm_fake.h"

static int start(void **state)
{
	fake_start(false);
	return 0;
}

static u32 initialize(int fd, u64 flags)
{
	UVM_INITIALIZE_PARAMS p = { .flags = flags };

	return CALL(fd, UVM_INITIALIZE, &p);
}

static u32 mm_initialize(int fd, int of)
{
	UVM_MM_INITIALIZE_PARAMS p = { .uvmFd = of };

	return CALL(fd, UVM_MM_INITIALIZE, &p);
}

static u32 register_gpu(int fd, u32 gpu)
{
	UVM_REGISTER_GPU_PARAMS p = { .gpu_uuid = *fake_uuid(gpu), .numaEnabled = 1 };
	u32 status = CALL(fd, UVM_REGISTER_GPU, &p);

	if (!status) {
		assert_int_equal(p.numaEnabled, 0);
		assert_int_equal(p.numaNodeId, -1);
	}
	return status;
}

static u32 unregister_gpu(int fd, u32 gpu)
{
	UVM_UNREGISTER_GPU_PARAMS p = { .gpu_uuid = *fake_uuid(gpu) };

	return CALL(fd, UVM_UNREGISTER_GPU, &p);
}

static u32 register_vaspace(int fd, u32 gpu, int ctl, u32 client, u32 handle)
{
	UVM_REGISTER_GPU_VASPACE_PARAMS p = {
		.gpuUuid = *fake_uuid(gpu), .rmCtrlFd = ctl, .hClient = client, .hVaSpace = handle
	};

	return CALL(fd, UVM_REGISTER_GPU_VASPACE, &p);
}

static u32 good_vaspace(int fd, u32 gpu)
{
	return register_vaspace(fd, gpu, FAKE_FD, FAKE_CLIENT, FAKE_VASPACE + gpu);
}

static u32 unregister_vaspace(int fd, u32 gpu)
{
	UVM_UNREGISTER_GPU_VASPACE_PARAMS p = { .gpuUuid = *fake_uuid(gpu) };

	return CALL(fd, UVM_UNREGISTER_GPU_VASPACE, &p);
}

/* An initialised pair of files, as libcuda makes them. */
static int ready(void)
{
	int fd = fake_open(UVM_NODE_UVM), mm = fake_open(UVM_NODE_UVM);

	assert_int_equal(initialize(fd, 0), NV_OK);
	assert_int_equal(mm_initialize(mm, fd), NV_OK);
	return fd;
}

/* -- Files ------------------------------------------------------------------------------------- */

static void test_initialize(void **state)
{
	int fd = fake_open(UVM_NODE_UVM), mm = fake_open(UVM_NODE_UVM), other, tools;
	UVM_PAGEABLE_MEM_ACCESS_PARAMS pageable = { .pageableMemAccess = 7 };

	assert_int_equal(CALL(fd, UVM_PAGEABLE_MEM_ACCESS, &pageable), NV_ERR_ILLEGAL_ACTION);
	assert_int_equal(pageable.pageableMemAccess, 7);
	assert_int_equal(mm_initialize(mm, fd), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(initialize(fd, 4), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(uvm_file_mm(fake.files[fd]), 0);
	assert_true(uvm_ioctl_attaches(UVM_INITIALIZE));
	assert_false(uvm_ioctl_attaches(UVM_MM_INITIALIZE));
	assert_int_equal(initialize(fd, UVM_INIT_FLAGS_DISABLE_HMM), NV_OK);
	assert_int_equal(initialize(fd, UVM_INIT_FLAGS_DISABLE_HMM), NV_OK);
	assert_int_equal(initialize(fd, 0), NV_ERR_INVALID_ARGUMENT);
	fake.mm = 200; /* another process that was handed the file */
	assert_int_equal(initialize(fd, UVM_INIT_FLAGS_DISABLE_HMM), NV_OK);
	fake.mm = 100;
	assert_int_equal(uvm_file_mm(fake.files[fd]), 100);
	assert_int_equal(uvm_file_mm(fake.files[mm]), 0);
	assert_int_equal(CALL(fd, UVM_PAGEABLE_MEM_ACCESS, &pageable), NV_OK);
	assert_int_equal(pageable.pageableMemAccess, 0);

	assert_int_equal(mm_initialize(mm, -1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(mm_initialize(mm, FAKE_FILES), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(mm_initialize(mm, mm), NV_ERR_INVALID_ARGUMENT);
	tools = fake_open(UVM_NODE_TOOLS);
	assert_int_equal(mm_initialize(mm, tools), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(mm_initialize(fd, fd), NV_ERR_IN_USE);
	fake.mm = 200; /* another process that was handed both */
	assert_int_equal(mm_initialize(mm, fd), NV_OK);
	fake.mm = 100;
	assert_int_equal(mm_initialize(mm, fd), NV_ERR_IN_USE);
	assert_int_equal(initialize(mm, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(CALL(mm, UVM_PAGEABLE_MEM_ACCESS, &pageable), NV_ERR_ILLEGAL_ACTION);
	other = fake_open(UVM_NODE_UVM);
	assert_int_equal(mm_initialize(other, fd), NV_ERR_INVALID_STATE);
	/* the file that names it keeps the space, also when its own descriptor goes */
	fake_close(fd);
	assert_non_null(fake.files[fd]);
	fake_close(mm);
	assert_null(fake.files[fd]);
	/* what has ended says so to all */
	fd = fake_open(UVM_NODE_UVM);
	assert_int_equal(initialize(fd, 0), NV_OK);
	uvm_file_mm_gone(fake.files[fd]);
	fake.mm = 200;
	assert_int_equal(mm_initialize(other, fd), NV_ERR_PAGE_TABLE_NOT_AVAIL);
}

static void test_multi_process(void **state)
{
	int fd = fake_open(UVM_NODE_UVM), mm = fake_open(UVM_NODE_UVM);

	assert_int_equal(initialize(fd, UVM_INIT_FLAGS_MULTI_PROCESS_SHARING_MODE), NV_OK);
	assert_int_equal(mm_initialize(mm, fd), NV_WARN_NOTHING_TO_DO);
	assert_int_equal(uvm_file_mm(fake.files[fd]), 0);
	/* it is free for another use, and nothing waits for a process */
	assert_int_equal(initialize(mm, 0), NV_OK);
	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
}

static const struct {
	u32 cmd, size, status;
} all[] = {
#define ALL(name)                                                              \
	{                                                                      \
		name, sizeof(name##_PARAMS), offsetof(name##_PARAMS, rmStatus) \
	}
	ALL(UVM_PAGEABLE_MEM_ACCESS),
	ALL(UVM_PAGEABLE_MEM_ACCESS_ON_GPU),
	ALL(UVM_REGISTER_GPU),
	ALL(UVM_UNREGISTER_GPU),
	ALL(UVM_CREATE_RANGE_GROUP),
	ALL(UVM_DESTROY_RANGE_GROUP),
	ALL(UVM_ENABLE_PEER_ACCESS),
	ALL(UVM_DISABLE_PEER_ACCESS),
	ALL(UVM_SET_RANGE_GROUP),
	ALL(UVM_CREATE_EXTERNAL_RANGE),
	ALL(UVM_MAP_EXTERNAL_ALLOCATION),
	ALL(UVM_MAP_EXTERNAL_SPARSE),
	ALL(UVM_FREE),
	ALL(UVM_PREVENT_MIGRATION_RANGE_GROUPS),
	ALL(UVM_ALLOW_MIGRATION_RANGE_GROUPS),
	ALL(UVM_SET_PREFERRED_LOCATION),
	ALL(UVM_UNSET_PREFERRED_LOCATION),
	ALL(UVM_SET_ACCESSED_BY),
	ALL(UVM_UNSET_ACCESSED_BY),
	ALL(UVM_REGISTER_GPU_VASPACE),
	ALL(UVM_UNREGISTER_GPU_VASPACE),
	ALL(UVM_REGISTER_CHANNEL),
	ALL(UVM_UNREGISTER_CHANNEL),
	ALL(UVM_ENABLE_READ_DUPLICATION),
	ALL(UVM_DISABLE_READ_DUPLICATION),
	ALL(UVM_MIGRATE),
	ALL(UVM_ENABLE_SYSTEM_WIDE_ATOMICS),
	ALL(UVM_DISABLE_SYSTEM_WIDE_ATOMICS),
	ALL(UVM_TOOLS_READ_PROCESS_MEMORY),
	ALL(UVM_TOOLS_WRITE_PROCESS_MEMORY),
	ALL(UVM_TOOLS_GET_PROCESSOR_UUID_TABLE),
	ALL(UVM_MAP_DYNAMIC_PARALLELISM_REGION),
	ALL(UVM_UNMAP_EXTERNAL),
	ALL(UVM_MIGRATE_RANGE_GROUP),
	ALL(UVM_TOOLS_FLUSH_EVENTS),
	ALL(UVM_ALLOC_SEMAPHORE_POOL),
	ALL(UVM_CLEAN_UP_ZOMBIE_RESOURCES),
	ALL(UVM_POPULATE_PAGEABLE),
	ALL(UVM_VALIDATE_VA_RANGE),
};

/* Each before initialisation: the status, all other bytes as they came, no byte beyond. */
static void test_every_number(void **state)
{
	int fd = fake_open(UVM_NODE_UVM), tools = fake_open(UVM_NODE_TOOLS);
	u8 bytes[1300], before[1300];
	u32 cmd, i, served = 0;

	for (cmd = 0; cmd < 3000; cmd++) {
		for (i = 0; i < ARRAY_SIZE(all) && all[i].cmd != cmd; i++)
			;
		memset(bytes, 0x5a, sizeof(bytes));
		memcpy(before, bytes, sizeof(bytes));
		/* Tools files have their own (uvm_events.c). */
		if (cmd < UVM_TOOLS_INIT_EVENT_TRACKER || cmd > UVM_TOOLS_DISABLE_COUNTERS)
			assert_int_equal(uvm_ioctl(fake.files[tools], cmd, (u64)(uintptr_t)bytes),
					 UVM_RESULT_EINVAL);
		if (cmd == UVM_MM_INITIALIZE)
			continue;
		if (i == ARRAY_SIZE(all)) {
			assert_int_equal(uvm_ioctl(fake.files[fd], cmd, (u64)(uintptr_t)bytes),
					 UVM_RESULT_EINVAL);
		} else {
			u32 status = NV_ERR_ILLEGAL_ACTION;

			assert_int_equal(uvm_ioctl(fake.files[fd], cmd, (u64)(uintptr_t)bytes),
					 UVM_RESULT_OK);
			memcpy(before + all[i].status, &status, sizeof(status));
			assert_int_equal(uvm_ioctl(fake.files[fd], cmd, 0x1000), UVM_RESULT_EFAULT);
			served++;
		}
		assert_memory_equal(bytes, before, sizeof(bytes));
	}
	assert_int_equal(served, ARRAY_SIZE(all));
	assert_int_equal(uvm_ioctl(fake.files[fd], UVM_DEINITIALIZE, 0), UVM_RESULT_OK);
	assert_int_equal(uvm_ioctl(fake.files[fd], UVM_INITIALIZE, 0), UVM_RESULT_EFAULT);
	assert_int_equal(initialize(fd, 0), NV_OK);
	assert_int_equal(uvm_ioctl(fake.files[fd], UVM_DEINITIALIZE, 0), UVM_RESULT_OK);
}

/* -- GPUs -------------------------------------------------------------------------------------- */

static void test_register_gpu(void **state)
{
	UVM_PAGEABLE_MEM_ACCESS_ON_GPU_PARAMS on = { .pageableMemAccess = 1 };
	UVM_ENABLE_SYSTEM_WIDE_ATOMICS_PARAMS atomics = { .gpu_uuid = *fake_uuid(0) };
	UVM_DISABLE_SYSTEM_WIDE_ATOMICS_PARAMS no_atomics = { .gpu_uuid = fake_nobody };
	UVM_REGISTER_GPU_PARAMS nobody = { .gpu_uuid = fake_nobody };
	NvProcessorUuid table[33] = { 0 };
	UVM_TOOLS_GET_PROCESSOR_UUID_TABLE_PARAMS p = { .tablePtr = (u64)(uintptr_t)table };
	int fd = ready();

	assert_int_equal(CALL(fd, UVM_REGISTER_GPU, &nobody), NV_ERR_INVALID_DEVICE);
	assert_int_equal(unregister_gpu(fd, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(CALL(fd, UVM_ENABLE_SYSTEM_WIDE_ATOMICS, &atomics), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(register_gpu(fd, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(fake.gpus[0].refs, 2); /* the file's, and the device's */
	assert_int_equal(CALL(fd, UVM_ENABLE_SYSTEM_WIDE_ATOMICS, &atomics), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(CALL(fd, UVM_DISABLE_SYSTEM_WIDE_ATOMICS, &no_atomics),
			 NV_ERR_INVALID_DEVICE);
	on.gpu_uuid = *fake_uuid(0);
	assert_int_equal(CALL(fd, UVM_PAGEABLE_MEM_ACCESS_ON_GPU, &on), NV_OK);
	assert_int_equal(on.pageableMemAccess, 0);
	on.gpu_uuid = *fake_uuid(1);
	assert_int_equal(CALL(fd, UVM_PAGEABLE_MEM_ACCESS_ON_GPU, &on), NV_ERR_INVALID_DEVICE);

	fake.gpus[1].info.coherent = true;
	assert_int_equal(register_gpu(fd, 1), NV_ERR_INVALID_DEVICE);
	fake.gpus[1].info.coherent = false;
	fake.gpus[1].info.architecture = 0x160;
	assert_int_equal(register_gpu(fd, 1), NV_ERR_NOT_SUPPORTED);
	fake.gpus[1].info.architecture = 0x180;
	fake.gpus[1].lost = true;
	assert_int_equal(register_gpu(fd, 1), NV_ERR_GPU_IS_LOST);
	fake.gpus[1].lost = false;
	assert_int_equal(fake.gpus[1].refs, 0);

	assert_int_equal(register_gpu(fd, 2), NV_OK);
	assert_int_equal(CALL(fd, UVM_TOOLS_GET_PROCESSOR_UUID_TABLE, &p), NV_OK);
	assert_int_equal(p.count, 4);
	assert_memory_equal(&table[0], &fake_cpu, 16);
	assert_memory_equal(&table[1], fake_uuid(0), 16);
	assert_int_equal(table[2].uuid[0], 0);
	assert_memory_equal(&table[3], fake_uuid(2), 16);
	p.tablePtr = 0x1000;
	assert_int_equal(CALL(fd, UVM_TOOLS_GET_PROCESSOR_UUID_TABLE, &p), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(unregister_gpu(fd, 0), NV_OK);
	assert_int_equal(unregister_gpu(fd, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(fd, 0), NV_OK);
}

static void test_vaspace(void **state)
{
	int fd = fake_open(UVM_NODE_UVM), mm = fake_open(UVM_NODE_UVM), second;

	assert_int_equal(initialize(fd, 0), NV_OK);
	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(good_vaspace(fd, 0), NV_ERR_PAGE_TABLE_NOT_AVAIL);
	assert_int_equal(mm_initialize(mm, fd), NV_OK);
	assert_int_equal(good_vaspace(fd, 1), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_vaspace(fd, 0, 3, FAKE_CLIENT, FAKE_VASPACE),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(register_vaspace(fd, 0, FAKE_FD, 1, FAKE_VASPACE), NV_ERR_INVALID_CLIENT);
	assert_int_equal(register_vaspace(fd, 0, FAKE_FD, FAKE_CLIENT, 1),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(unregister_vaspace(fd, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
	assert_true(fake.gpus[0].directory_set);
	assert_false(fake_walk(0, 0x12345000).valid);
	assert_int_equal(good_vaspace(fd, 0), NV_ERR_INVALID_DEVICE);
	/* the same address space cannot be another file's too */
	second = ready();
	assert_int_equal(register_gpu(second, 0), NV_OK);
	assert_int_equal(good_vaspace(second, 0), NV_ERR_IN_USE);
	assert_int_equal(unregister_vaspace(fd, 0), NV_OK);
	assert_false(fake.gpus[0].directory_set);
	assert_int_equal(good_vaspace(second, 0), NV_OK);
	assert_int_equal(unregister_gpu(second, 0), NV_OK);
	assert_false(fake.gpus[0].directory_set);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
	/* its process goes: no GPU of it any more, and no new one */
	fake_close(mm);
	assert_false(fake.gpus[0].directory_set);
	assert_int_equal(good_vaspace(fd, 0), NV_ERR_PAGE_TABLE_NOT_AVAIL);
	assert_int_equal(register_gpu(fd, 1), NV_ERR_PAGE_TABLE_NOT_AVAIL);
	assert_int_equal(unregister_gpu(fd, 0), NV_OK);
	mm = fake_open(UVM_NODE_UVM);
	assert_int_equal(mm_initialize(mm, fd), NV_ERR_PAGE_TABLE_NOT_AVAIL);
	/* the host says so itself */
	assert_int_equal(register_gpu(second, 1), NV_OK);
	assert_int_equal(good_vaspace(second, 1), NV_OK);
	uvm_file_mm_gone(fake.files[second]);
	assert_false(fake.gpus[1].directory_set);
	uvm_file_mm_gone(fake.files[mm]);
}

/* -- Peers ------------------------------------------------------------------------------------- */

static u32 peer(int fd, bool enable, const NvProcessorUuid *a, const NvProcessorUuid *b)
{
	UVM_ENABLE_PEER_ACCESS_PARAMS on = { .gpuUuidA = *a, .gpuUuidB = *b };
	UVM_DISABLE_PEER_ACCESS_PARAMS off = { .gpuUuidA = *a, .gpuUuidB = *b };

	return enable ? CALL(fd, UVM_ENABLE_PEER_ACCESS, &on)
		      : CALL(fd, UVM_DISABLE_PEER_ACCESS, &off);
}

static void test_peers(void **state)
{
	int fd = ready();

	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(peer(fd, true, fake_uuid(0), fake_uuid(1)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(fd, 1), NV_OK);
	assert_int_equal(fake.peers, 0);
	assert_int_equal(peer(fd, true, fake_uuid(0), fake_uuid(0)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(peer(fd, true, fake_uuid(0), &fake_cpu), NV_ERR_INVALID_DEVICE);
	assert_int_equal(peer(fd, false, fake_uuid(0), fake_uuid(1)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(peer(fd, true, fake_uuid(0), fake_uuid(1)), NV_OK);
	assert_int_equal(peer(fd, true, fake_uuid(1), fake_uuid(0)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(fake.peers, 1);
	assert_int_equal(peer(fd, false, fake_uuid(1), fake_uuid(0)), NV_OK);
	assert_int_equal(fake.peers, 0);
	assert_int_equal(peer(fd, true, fake_uuid(0), fake_uuid(1)), NV_OK);
	assert_int_equal(unregister_gpu(fd, 1), NV_OK);
	assert_int_equal(fake.peers, 0);
	/* links are on by themselves, and stay on */
	fake.links = 18;
	assert_int_equal(register_gpu(fd, 1), NV_OK);
	assert_int_equal(fake.peers, 1);
	assert_int_equal(peer(fd, true, fake_uuid(0), fake_uuid(1)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(peer(fd, false, fake_uuid(0), fake_uuid(1)), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(fd, 2), NV_OK);
	assert_int_equal(fake.peers, 3);
}

/* -- Channels ---------------------------------------------------------------------------------- */

static u32 register_channel(int fd, u32 gpu, u32 handle, u64 base, u64 length)
{
	UVM_REGISTER_CHANNEL_PARAMS p = { .gpuUuid = *fake_uuid(gpu),
					  .rmCtrlFd = FAKE_FD,
					  .hClient = FAKE_CLIENT,
					  .hChannel = handle,
					  .base = base,
					  .length = length };

	return CALL(fd, UVM_REGISTER_CHANNEL, &p);
}

static u32 unregister_channel(int fd, u32 gpu, u32 handle)
{
	UVM_UNREGISTER_CHANNEL_PARAMS p = { .gpuUuid = *fake_uuid(gpu),
					    .hClient = FAKE_CLIENT,
					    .hChannel = handle };

	return CALL(fd, UVM_UNREGISTER_CHANNEL, &p);
}

static void test_channels(void **state)
{
	const u32 plain = FAKE_CHANNEL, with = FAKE_CHANNEL + 0x10, more = FAKE_CHANNEL + 0x20;
	const u64 base = 0x400001000ull;
	UVM_FREE_PARAMS f = { .base = base, .length = KIB(64) };
	int fd = ready();

	assert_int_equal(register_channel(fd, 0, plain, 0, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(register_channel(fd, 0, plain, 0, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
	assert_int_equal(register_channel(fd, 0, 1, 0, 0), NV_ERR_INVALID_CHANNEL);
	assert_int_equal(register_channel(fd, 0, plain, 0, 0), NV_OK);
	assert_true(fake.gpus[0].channel_bound);
	assert_int_equal(register_channel(fd, 0, plain, 0, 0), NV_ERR_INVALID_CHANNEL);
	/* buffers need a place, and one that is large enough */
	assert_int_equal(register_channel(fd, 0, with, 0, 0), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(register_channel(fd, 0, with, base + 1, MIB(8)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(register_channel(fd, 0, with, base, MIB(2)), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(register_channel(fd, 0, with, BIT64(57) - MIB(4), MIB(8)),
			 NV_ERR_OUT_OF_RANGE);
	assert_int_equal(fake.gpus[0].channels, 1);
	assert_int_equal(register_channel(fd, 0, with, base, MIB(8)), NV_OK);
	assert_true(fake.gpus[0].bound[0] == base);
	assert_true(fake.gpus[0].bound[1] == 0x400200000ull);
	assert_int_equal(fake_walk(0, base).size, KIB(4));
	assert_int_equal(fake_walk(0, base).aperture, 2);
	assert_true(fake_walk(0, base + 0x5008).address == MIB(512) + 0x5008);
	assert_int_equal(fake_walk(0, 0x400200000ull).size, MIB(2));
	assert_int_equal(fake_walk(0, 0x400200000ull).aperture, 0);
	assert_true(fake_walk(0, 0x400200000ull).address == MIB(514));
	assert_int_equal(CALL(fd, UVM_FREE, &f), NV_ERR_INVALID_ADDRESS);
	/* another one with the same buffers finds them mapped */
	assert_int_equal(register_channel(fd, 0, more, base + MIB(64), MIB(8)), NV_OK);
	assert_true(fake.gpus[0].bound[0] == base);
	assert_int_equal(unregister_channel(fd, 0, with), NV_OK);
	assert_true(fake.gpus[0].channel_stopped);
	assert_int_equal(unregister_channel(fd, 0, with), NV_ERR_INVALID_CHANNEL);
	assert_true(fake_walk(0, base).valid);
	assert_int_equal(unregister_channel(fd, 0, more), NV_OK);
	assert_false(fake_walk(0, base).valid);
	assert_false(fake_walk(0, 0x400200000ull).valid);
	assert_int_equal(register_channel(fd, 0, with, base, MIB(8)), NV_OK);
	/* they end with the address space */
	assert_int_equal(unregister_vaspace(fd, 0), NV_OK);
	assert_int_equal(fake.gpus[0].channels, 0);
	assert_int_equal(unregister_channel(fd, 0, with), NV_ERR_INVALID_CHANNEL);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
	assert_int_equal(register_channel(fd, 0, with, base, MIB(8)), NV_OK);
	/* and with the file: fake_end looks */
}

/* -- GPUs off the bus, and power --------------------------------------------------------------- */

static void test_gpu_gone(void **state)
{
	int fd = ready(), second = ready();

	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(register_gpu(fd, 1), NV_OK);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
	assert_int_equal(register_channel(fd, 0, FAKE_CHANNEL + 0x10, 0x400000000ull, MIB(8)),
			 NV_OK);
	assert_int_equal(register_gpu(second, 0), NV_OK);
	fake.gpus[0].lost = true;
	fake.listener->gone(fake.listener_ctx, &fake.gpus[0]);
	assert_int_equal(fake.gpus[0].refs, 0);
	assert_int_equal(fake.gpus[0].channels, 0);
	assert_int_equal(fake.gpus[1].refs, 2);
	assert_int_equal(unregister_gpu(fd, 0), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(fd, 0), NV_ERR_GPU_IS_LOST);
	/* lost between the look-up and the registration */
	fake.gpus[2].lose_at_get = true;
	assert_int_equal(register_gpu(fd, 2), NV_ERR_GPU_IS_LOST);
	assert_int_equal(fake.gpus[2].refs, 0);
}

static void test_suspended(void **state)
{
	UVM_PAGEABLE_MEM_ACCESS_PARAMS p = { 0 };
	int fd = ready();

	fake.suspended = 1;
	assert_int_equal(uvm_ioctl(fake.files[fd], UVM_PAGEABLE_MEM_ACCESS, (u64)(uintptr_t)&p),
			 UVM_RESULT_EINTR);
	fake.suspended = 0;
	assert_int_equal(CALL(fd, UVM_PAGEABLE_MEM_ACCESS, &p), NV_OK);
	/* a close waits */
	assert_int_equal(register_gpu(fd, 0), NV_OK);
	assert_int_equal(good_vaspace(fd, 0), NV_OK);
	fake_close(fd);
	fake.suspended = 1;
	fake_close(fd + 1);
	assert_int_equal(fake.suspended, 0);
	assert_int_equal(fake.gpus[0].refs, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, fake_end)
	const struct CMUnitTest tests[] = {
		TEST(test_initialize),	 TEST(test_multi_process), TEST(test_every_number),
		TEST(test_register_gpu), TEST(test_vaspace),	   TEST(test_peers),
		TEST(test_channels),	 TEST(test_gpu_gone),	   TEST(test_suspended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
