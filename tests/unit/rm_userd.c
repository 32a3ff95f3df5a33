// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The USERD that the driver makes for a channel without memory of its client's: mapped by the
 * channel's handle, work that is submitted through it, what is refused, what outlives what; and the
 * levels by which channels' groups take turns.
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/gsp/gpu.h"
#include "rm/api/api.h"
#include "rm/class/channel.h"
#include "rm/class/memory.h"
#include "rm_host.h"
#include "unit.h"

#define SPACE 0xe0u
#define RANGE 0xe1u
#define MEMORY 0xe2u
#define GROUP 0xf0u
#define CHANNEL 0x100u
#define NOWHERE 0xbadu
#define PAGE OS_PAGE_SIZE
#define USERD_GP_GET 0x88u
#define USERD_GP_PUT 0x8cu
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))
#define FIFO_MAPPING ((u32)REG_PREP(NVOS33_FLAGS_FIFO_MAPPING, NVOS33_FLAGS_FIFO_MAPPING_ENABLE))

/* In the memory. */
#define USERD KIB(16)
#define GPFIFO KIB(4)
#define PUSHBUFFER KIB(8)
#define SEMAPHORE KIB(12)

static u64 base; /* where the memory is mapped */
static struct rm_backing *memory;

static void begin(const struct fixture_gpu_config *like)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS range = { .hVASpace = SPACE };
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = KIB(64) };

	host_program_start_like(false, like);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, RANGE, NV01_MEMORY_VIRTUAL, &range), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &m), NV_OK);
	base = host_map_to_gpu(RANGE, MEMORY, KIB(64));
	memory = host_backing(MEMORY);
}

static int start(void **state)
{
	const struct fixture_gpu_config plain = { 0 };

	begin(&plain);
	return 0;
}

static int start_confidential(void **state)
{
	const struct fixture_gpu_config like = { .cc = H100_CC_ON };

	os_user_set_tee(OS_TEE_TDX);
	begin(&like);
	return 0;
}

static int end_confidential(void **state)
{
	int rc = host_end(state);

	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

static u32 make_channel(u32 handle, u32 userd)
{
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = base + GPFIFO,
		.gpFifoEntries = 0x100,
		.hVASpace = SPACE,
		.hUserdMemory = { userd },
		.userdOffset = { userd ? USERD : 0 },
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};

	return host_make(HOST_DEVICE, handle, HOPPER_CHANNEL_GPFIFO_A, &p);
}

/* A file of the GPU's for one mapping; the test's end closes it. */
static int new_file(void)
{
	int fd = host_open(RM_NODE_GPU, 0);

	assert_true(fd >= 0);
	return fd;
}

static u32 map_through(u32 device, u32 handle, u64 offset, u64 length, u32 flags, int fd,
		       u64 *address)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = host_program.client,
			    .hDevice = device,
			    .hMemory = handle,
			    .offset = offset,
			    .length = length,
			    .flags = flags },
		.fd = fd,
	};

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)),
			 RM_IOCTL_OK);
	if (address)
		*address = (u64)p.params.pLinearAddress;
	return p.params.status;
}

static u32 map(u32 handle, u64 offset, u64 length, u32 flags, int fd)
{
	return map_through(HOST_DEVICE, handle, offset, length, flags, fd, NULL);
}

static u32 unmap(u32 handle, u64 address)
{
	NVOS34_PARAMETERS p = { .hClient = host_program.client,
				.hDevice = HOST_DEVICE,
				.hMemory = handle,
				.pLinearAddress = (NvP64)address };

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_UNMAP_MEMORY, &p, sizeof(p)),
			 RM_IOCTL_OK);
	return p.status;
}

static struct rm_mapping *mapped(int fd)
{
	struct rm_mapping *mapping;

	assert_int_equal(rm_file_mmap(host.fds[fd].file, 0, PAGE, true, &mapping), NV_OK);
	assert_int_equal(mapping->count, 1);
	assert_int_equal(mapping->size, PAGE);
	return mapping;
}

static u32 bar_kib(void)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 1 };

	p.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_BAR1_AVAIL_SIZE;
	assert_int_equal(host_ask(HOST_SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)),
			 NV_OK);
	return p.fbInfoList[0].data;
}

/* -- Work -------------------------------------------------------------------------------------- */

/* An entry whose pushbuffer releases the semaphore. */
static void write_release(u32 value)
{
	const u64 semaphore = base + SEMAPHORE, pushbuffer = base + PUSHBUFFER;
	const u32 words[] = {
		(u32)(REG_PREP(NVC86F_DMA_INCR_OPCODE, NVC86F_DMA_INCR_OPCODE_VALUE) |
		      REG_PREP(NVC86F_DMA_INCR_COUNT, 5) |
		      REG_PREP(NVC86F_DMA_INCR_ADDRESS, NVC86F_SEM_ADDR_LO / 4)),
		(u32)semaphore,
		(u32)(semaphore >> 32),
		value,
		0,
		(u32)REG_PREP(NVC86F_SEM_EXECUTE_OPERATION, NVC86F_SEM_EXECUTE_OPERATION_RELEASE),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		rm_backing_write32(memory, PUSHBUFFER + 4 * i, words[i]);
	rm_backing_write32(memory, GPFIFO, (u32)pushbuffer);
	rm_backing_write32(memory, GPFIFO + 4,
			   (u32)(pushbuffer >> 32) |
				   (u32)REG_PREP(NVC86F_GP_ENTRY1_LENGTH, ARRAY_SIZE(words)));
}

static void schedule_and_ring(u32 channel)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS token = { 0 };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };

	assert_int_equal(
		host_ask(channel, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
	assert_int_equal(host_ask(channel, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &token,
				  sizeof(token)),
			 NV_OK);
	h100_bar_write(host.gpus[0].model, 0, DOORBELL, 4, token.workSubmitToken);
}

static u32 userd_read(const struct rm_mapping *mapping, u32 offset)
{
	return (u32)h100_bar_read(host.gpus[0].model, mapping->extents[0].bar,
				  mapping->extents[0].offset + offset, 4);
}

/* GPPut by the mapping alone, as a process would; the engine's GPGet comes back there. */
static void test_work(void **state)
{
	struct rm_mapping *mapping;
	int fd = new_file();
	u32 looks, before;
	u64 address;

	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	before = bar_kib();
	assert_int_equal(map_through(HOST_SUBDEVICE, CHANNEL, 0, RM_USERD_BYTES, 0, fd, &address),
			 NV_OK);
	assert_int_equal(before - bar_kib(), PAGE / KIB(1));
	mapping = mapped(fd);
	assert_true(mapping->writable);
	assert_int_equal(mapping->cache, RM_MAP_UNCACHED);
	assert_int_equal(mapping->extents[0].kind, RM_MAP_BAR);
	assert_int_equal(mapping->extents[0].size, PAGE);
	assert_true(address == os_pci_bar_address(mapping->pci, mapping->extents[0].bar) +
				       mapping->extents[0].offset);

	write_release(77);
	h100_bar_write(host.gpus[0].model, mapping->extents[0].bar,
		       mapping->extents[0].offset + USERD_GP_PUT, 4, 1);
	schedule_and_ring(CHANNEL);
	for (looks = 0; looks < 5000 && rm_backing_read32(memory, SEMAPHORE) != 77; looks++)
		os_sleep_us(1000);
	assert_int_equal(rm_backing_read32(memory, SEMAPHORE), 77);
	for (looks = 0; looks < 5000 && userd_read(mapping, USERD_GP_GET) != 1; looks++)
		os_sleep_us(1000);
	assert_int_equal(userd_read(mapping, USERD_GP_GET), 1);

	rm_mapping_put(mapping);
	assert_int_equal(unmap(CHANNEL, address), NV_OK);
	assert_int_equal(unmap(CHANNEL, address), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(bar_kib(), before);
}

/* A page is of one channel alone. */
static void test_neighbours(void **state)
{
	int first = new_file(), second = new_file();
	struct rm_mapping *a, *b;

	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	assert_int_equal(make_channel(CHANNEL + 1, 0), NV_OK);
	assert_int_equal(map(CHANNEL, 0, 1, 0, first), NV_OK);
	assert_int_equal(map(CHANNEL + 1, RM_USERD_BYTES - 1, 1, 0, second), NV_OK);
	a = mapped(first);
	b = mapped(second);
	assert_true(a->extents[0].offset != b->extents[0].offset);
	rm_mapping_put(a);
	rm_mapping_put(b);
}

/* The page stays whose it was while a process has it mapped. */
static void test_lives_on(void **state)
{
	int fd = new_file(), other = new_file();
	struct rm_mapping *mapping, *next;
	u32 before;
	u64 at;

	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	before = bar_kib();
	assert_int_equal(map(CHANNEL, 0, RM_USERD_BYTES, 0, fd), NV_OK);
	mapping = mapped(fd);
	at = mapping->extents[0].offset;
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_int_equal(bar_kib(), before);
	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	assert_int_equal(map(CHANNEL, 0, RM_USERD_BYTES, 0, other), NV_OK);
	next = mapped(other);
	assert_true(next->extents[0].offset != at);
	rm_mapping_put(next);
	rm_mapping_put(mapping);
	host_close(fd);
}

/* -- What is refused --------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	const u32 read_only = (u32)REG_PREP(NVOS33_FLAGS_ACCESS, NVOS33_FLAGS_ACCESS_READ_ONLY);
	int fd = new_file(), taken = new_file(), control = host_open(RM_NODE_CONTROL, 0);
	NVOS56_PARAMETERS update = { .hClient = host_program.client,
				     .hDevice = HOST_DEVICE,
				     .hMemory = CHANNEL };
	struct rm_mapping *mapping;
	u64 address;

	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	assert_int_equal(make_channel(CHANNEL + 1, MEMORY), NV_OK);
	assert_int_equal(map(NOWHERE, 0, 4, 0, fd), NV_ERR_OBJECT_NOT_FOUND);
	/* Who has it in memory of its own maps that. */
	assert_int_equal(map(CHANNEL + 1, 0, RM_USERD_BYTES, 0, fd), NV_ERR_INVALID_REQUEST);
	assert_int_equal(unmap(CHANNEL + 1, 0), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(map(CHANNEL, RM_USERD_BYTES, 1, 0, fd), NV_ERR_INVALID_BASE);
	assert_int_equal(map(CHANNEL, ~0ull, 1, 0, fd), NV_ERR_INVALID_BASE);
	assert_int_equal(map(CHANNEL, 0, 0, 0, fd), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(CHANNEL, 0, RM_USERD_BYTES + 1, 0, fd), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(CHANNEL, 4, ~0ull, 0, fd), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(CHANNEL, 0, 4, 3, fd), NV_ERR_INVALID_FLAGS);
	assert_int_equal(map(CHANNEL, 0, 4, 0, control), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map(CHANNEL, 0, 4, 0, -1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map_through(host_program.client, CHANNEL, 0, 4, 0, fd, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(map_through(SPACE, CHANNEL, 0, 4, 0, fd, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(map_through(NOWHERE, CHANNEL, 0, 4, 0, fd, NULL), NV_ERR_OBJECT_NOT_FOUND);

	/* With that flag it is all of it, whatever is asked for. */
	assert_int_equal(
		map_through(HOST_DEVICE, CHANNEL, ~0ull, 0, FIFO_MAPPING | read_only, fd, &address),
		NV_OK);
	mapping = mapped(fd);
	assert_false(mapping->writable);
	rm_mapping_put(mapping);
	assert_int_equal(map(CHANNEL, 0, 4, 0, fd), NV_ERR_STATE_IN_USE);
	assert_int_equal(map(CHANNEL, 0, 4, 0, taken), NV_OK);

	/* It may be called by where it is in the process. */
	update.pOldCpuAddress = (NvP64)address;
	update.pNewCpuAddress = (NvP64)0x7f0000001000ull;
	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO, &update,
				    sizeof(update)),
			 RM_IOCTL_OK);
	assert_int_equal(update.status, NV_OK);
	assert_int_equal(unmap(CHANNEL, 0x7f0000001000ull), NV_OK);

	/* A channel is no memory otherwise. */
	{
		NVOS46_PARAMETERS dma = { .hClient = host_program.client,
					  .hDevice = HOST_DEVICE,
					  .hDma = RANGE,
					  .hMemory = CHANNEL,
					  .length = PAGE };

		assert_int_equal(
			host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY_DMA, &dma, sizeof(dma)),
			RM_IOCTL_OK);
		assert_int_not_equal(dma.status, NV_OK);
	}
	assert_int_not_equal(make_channel(CHANNEL + 2, CHANNEL), NV_OK);
}

static void test_no_memory(void **state)
{
	u32 status = NV_ERR_GENERIC, i, before;
	int fd = new_file();

	if (!os_user_fail_alloc_thread(0))
		skip();
	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	before = bar_kib();
	for (i = 1; i < 20 && status != NV_OK; i++) {
		os_user_fail_alloc_thread(i);
		status = map(CHANNEL, 0, RM_USERD_BYTES, 0, fd);
		os_user_fail_alloc_thread(0);
		if (status != NV_OK) {
			assert_int_equal(status, NV_ERR_NO_MEMORY);
			assert_int_equal(bar_kib(), before);
		}
	}
	assert_int_equal(status, NV_OK);
	assert_true(i > 2);
}

/* Where no BAR shows video memory it is in system memory. */
static void test_confidential(void **state)
{
	struct rm_mapping *mapping;
	int fd = new_file();

	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	assert_int_equal(map(CHANNEL, 0, RM_USERD_BYTES, 0, fd), NV_OK);
	mapping = mapped(fd);
	assert_int_equal(mapping->extents[0].kind, RM_MAP_PAGES);
	rm_mapping_put(mapping);
}

/* -- Turns ------------------------------------------------------------------------------------- */

/* A channel's level is its group's; the firmware decides which there are. */
static void test_interleave(void **state)
{
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS group = { .engineType = NV2080_ENGINE_TYPE_COPY4,
							 .hVASpace = SPACE };
	NVA06F_CTRL_INTERLEAVE_LEVEL_PARAMS level = { NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH };
	NVA06C_CTRL_INTERLEAVE_LEVEL_PARAMS groups = { NVA06C_CTRL_INTERLEAVE_LEVEL_LOW };
	NV_CHANNEL_ALLOC_PARAMS p = { .gpFifoOffset = base + GPFIFO, .gpFifoEntries = 0x100 };
	const u32 of_channel = NVA06F_CTRL_CMD_SET_INTERLEAVE_LEVEL;
	const u32 of_group = NVA06C_CTRL_CMD_SET_INTERLEAVE_LEVEL;
	struct rm_channel *alone, *member;

	assert_int_equal(make_channel(CHANNEL, 0), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &group), NV_OK);
	assert_int_equal(host_make(GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &p), NV_OK);
	alone = host_channel(CHANNEL);
	member = host_channel(CHANNEL + 1);
	assert_int_equal(alone->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_MEDIUM);

	/* Others' turns are shorter by it: not for everybody. */
	assert_int_equal(host_ask(CHANNEL, of_channel, &level, sizeof(level)),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(host_ask(GROUP, of_group, &groups, sizeof(groups)),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	host_be(true);
	assert_int_equal(host_ask(CHANNEL, of_channel, &level, sizeof(level)), NV_OK);
	assert_int_equal(alone->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH);
	assert_int_equal(host_ask(CHANNEL + 1, of_channel, &level, sizeof(level)), NV_OK);
	assert_int_equal(member->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH);
	assert_int_equal(host_ask(GROUP, of_group, &groups, sizeof(groups)), NV_OK);
	assert_int_equal(member->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_LOW);
	assert_int_equal(alone->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH);

	level.channelInterleaveLevel = NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH + 1;
	groups.tsgInterleaveLevel = NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH + 1;
	assert_int_equal(host_ask(CHANNEL, of_channel, &level, sizeof(level)),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(host_ask(GROUP, of_group, &groups, sizeof(groups)), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(alone->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH);
	assert_int_equal(member->group->interleave, NVA06C_CTRL_INTERLEAVE_LEVEL_LOW);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, start, host_end)
	const struct CMUnitTest tests[] = {
		T(test_work),
		T(test_neighbours),
		T(test_lives_on),
		T(test_refused),
		T(test_no_memory),
		T(test_interleave),
		cmocka_unit_test_setup_teardown(test_confidential, start_confidential,
						end_confidential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
