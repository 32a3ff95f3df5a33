// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Waiting until channels have done their work: one, a list, by a control; those that are busy, that
 * wait for a semaphore, that failed; and every wrong handle, pointer, count and flag.
 */
#include <pthread.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/memory.h"
#include "rm_host.h"
#include "unit.h"

#define SPACE 0xe0u
#define RANGE 0xe1u
#define MEMORY 0xe2u
#define CHANNEL 0x100u
#define NOWHERE 0xbadu
#define USERD_GP_PUT 0x8cu
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))

/* In the memory, for each channel 16 KiB: USERD, GP entries, pushbuffer, semaphore. */
#define PART(channel) (KIB(16) * (u64)((channel)-CHANNEL))
#define GPFIFO KIB(4)
#define PUSHBUFFER KIB(8)
#define SEMAPHORE KIB(12)
#define MAX NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS_MAX_CHANNELS

#define SINGLE ((u32)REG_PREP(NVOS30_FLAGS_CHANNEL, NVOS30_FLAGS_CHANNEL_SINGLE))
#define QUERY ((u32)REG_PREP(NVOS30_FLAGS_BEHAVIOR, NVOS30_FLAGS_BEHAVIOR_QUERY))

static u64 base; /* where the memory is mapped */
static struct rm_backing *memory;

static int start(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS range = { .hVASpace = SPACE };
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = KIB(64) };

	host_program_start(false);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, RANGE, NV01_MEMORY_VIRTUAL, &range), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &m), NV_OK);
	base = host_map_to_gpu(RANGE, MEMORY, KIB(64));
	memory = host_backing(MEMORY);
	return 0;
}

static void make_channel(u32 handle)
{
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = base + PART(handle) + GPFIFO,
		.gpFifoEntries = 0x100,
		.hVASpace = SPACE,
		.hUserdMemory = { MEMORY },
		.userdOffset = { PART(handle) },
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};

	assert_int_equal(host_make(HOST_DEVICE, handle, HOPPER_CHANNEL_GPFIFO_A, &p), NV_OK);
	assert_int_equal(
		host_ask(handle, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
}

static void put(u32 channel, u32 entries)
{
	rm_backing_write32(memory, PART(channel) + USERD_GP_PUT, entries);
}

static void ring(u32 channel)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS token = { 0 };

	assert_int_equal(host_ask(channel, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &token,
				  sizeof(token)),
			 NV_OK);
	h100_bar_write(host.gpus[0].model, 0, DOORBELL, 4, token.workSubmitToken);
}

/* An entry whose pushbuffer waits until the semaphore is 1. */
static void push_acquire(u32 channel)
{
	const u64 part = PART(channel), semaphore = base + part + SEMAPHORE;
	const u64 pushbuffer = base + part + PUSHBUFFER;
	const u32 words[] = {
		(u32)(REG_PREP(NVC86F_DMA_INCR_OPCODE, NVC86F_DMA_INCR_OPCODE_VALUE) |
		      REG_PREP(NVC86F_DMA_INCR_COUNT, 5) |
		      REG_PREP(NVC86F_DMA_INCR_ADDRESS, NVC86F_SEM_ADDR_LO / 4)),
		(u32)semaphore,
		(u32)(semaphore >> 32),
		1,
		0,
		(u32)REG_PREP(NVC86F_SEM_EXECUTE_OPERATION, NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		rm_backing_write32(memory, part + PUSHBUFFER + 4 * i, words[i]);
	rm_backing_write32(memory, part + GPFIFO, (u32)pushbuffer);
	rm_backing_write32(memory, part + GPFIFO + 4,
			   (u32)(pushbuffer >> 32) |
				   (u32)REG_PREP(NVC86F_GP_ENTRY1_LENGTH, ARRAY_SIZE(words)));
}

static u32 idle(NVOS30_PARAMETERS p)
{
	if (!p.hClient)
		p.hClient = host_program.client;
	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_IDLE_CHANNELS, &p, sizeof(p)),
			 RM_IOCTL_OK);
	return p.status;
}

static u32 idle_one(u32 channel, u32 flags, u32 timeout_us)
{
	return idle((NVOS30_PARAMETERS){ .hDevice = HOST_SUBDEVICE,
					 .hChannel = channel,
					 .flags = SINGLE | flags,
					 .timeout = timeout_us });
}

static u32 idle_list(const u32 *channels, u32 count, u32 timeout_us)
{
	static u32 clients[MAX + 1], devices[MAX + 1];
	u32 i;

	for (i = 0; i < count && i <= MAX; i++) {
		clients[i] = host_program.client;
		devices[i] = i % 3 ? HOST_DEVICE : HOST_SUBDEVICE;
	}
	return idle((NVOS30_PARAMETERS){ .numChannels = count,
					 .phClients = (NvP64)(uintptr_t)clients,
					 .phDevices = (NvP64)(uintptr_t)devices,
					 .phChannels = (NvP64)(uintptr_t)channels,
					 .timeout = timeout_us });
}

static u32 idle_device(const u32 *channels, u32 count, u32 timeout_us)
{
	static NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS p;

	memset(&p, 0, sizeof(p));
	/* Too many are refused before any is looked at. */
	if (count <= MAX)
		memcpy(p.hChannels, channels, count * sizeof(u32));
	p.numChannels = count;
	p.timeout = timeout_us;
	return host_ask(HOST_DEVICE, NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS, &p, sizeof(p));
}

static u32 idle_client(u32 object, u32 channel)
{
	NV0000_CTRL_GPU_IDLE_CHANNELS_PARAMS p = { .hDevice = HOST_DEVICE,
						   .hChannel = channel,
						   .flags = SINGLE };

	return host_ask(object, NV0000_CTRL_CMD_IDLE_CHANNELS, &p, sizeof(p));
}

/* -- Work -------------------------------------------------------------------------------------- */

static void test_idle(void **state)
{
	const u32 channels[] = { CHANNEL, CHANNEL + 1, CHANNEL };

	make_channel(CHANNEL);
	make_channel(CHANNEL + 1);
	assert_int_equal(idle_one(CHANNEL, 0, 0), NV_OK);
	assert_int_equal(idle_list(channels, 3, 0), NV_OK);
	assert_int_equal(idle_device(channels, 3, 0), NV_OK);
	assert_int_equal(idle_device(channels, 0, 0), NV_OK);
	assert_int_equal(idle_client(host_program.client, CHANNEL), NV_OK);

	/* Entries that do nothing are work until somebody rings. */
	put(CHANNEL + 1, 3);
	assert_int_equal(idle_one(CHANNEL, 0, 0), NV_OK);
	assert_int_equal(idle_one(CHANNEL + 1, 0, 0), NV_ERR_TIMEOUT);
	assert_int_equal(idle_one(CHANNEL + 1, 0, 2000), NV_ERR_TIMEOUT);
	assert_int_equal(idle_list(channels, 3, 100), NV_ERR_TIMEOUT);
	assert_int_equal(idle_list(channels, 1, 100), NV_OK);
	assert_int_equal(idle_device(channels, 3, 100), NV_ERR_TIMEOUT);
	assert_int_equal(idle_client(host_program.client, CHANNEL + 1), NV_ERR_TIMEOUT);
	ring(CHANNEL + 1);
	assert_int_equal(idle_one(CHANNEL + 1, 0, ~0u), NV_OK);
	assert_int_equal(idle_list(channels, 3, 0), NV_OK);
}

static void test_semaphore(void **state)
{
	const u32 channels[] = { CHANNEL };
	u64 begin;

	make_channel(CHANNEL);
	push_acquire(CHANNEL);
	put(CHANNEL, 1);
	ring(CHANNEL);
	assert_int_equal(idle_one(CHANNEL, 0, 3000), NV_ERR_TIMEOUT);
	/* A question is answered at once, whatever the time. */
	begin = os_time_ns();
	assert_int_equal(idle_one(CHANNEL, QUERY, ~0u), NV_ERR_TIMEOUT);
	assert_true(os_time_ns() - begin < 3000000000ull);
	rm_backing_write32(memory, PART(CHANNEL) + SEMAPHORE, 1);
	assert_int_equal(idle_device(channels, 1, ~0u), NV_OK);
	assert_int_equal(idle_one(CHANNEL, QUERY, 0), NV_OK);
}

static void *release_later(void *unused)
{
	usleep(50000);
	rm_backing_write32(memory, PART(CHANNEL) + SEMAPHORE, 1);
	return NULL;
}

/* The work ends while somebody waits, who keeps nobody else of the client from its own. */
static void test_wait(void **state)
{
	pthread_t thread;

	make_channel(CHANNEL);
	push_acquire(CHANNEL);
	put(CHANNEL, 1);
	ring(CHANNEL);
	assert_int_equal(pthread_create(&thread, NULL, release_later, NULL), 0);
	assert_int_equal(idle_one(CHANNEL, 0, ~0u), NV_OK);
	pthread_join(thread, NULL);
}

/* What failed has nothing to come. */
static void test_failed(void **state)
{
	make_channel(CHANNEL);
	rm_backing_write32(memory, PART(CHANNEL) + GPFIFO, 0x1000);
	rm_backing_write32(memory, PART(CHANNEL) + GPFIFO + 4,
			   (u32)REG_PREP(NVC86F_GP_ENTRY1_LENGTH, 4));
	put(CHANNEL, 1);
	ring(CHANNEL);
	assert_int_equal(idle_one(CHANNEL, 0, ~0u), NV_OK);
}

/* -- What is refused --------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	const u32 wrong[] = { CHANNEL, NOWHERE };
	u32 clients[] = { host_program.client, host_program.client };
	u32 devices[] = { HOST_DEVICE, HOST_DEVICE };
	NVOS30_PARAMETERS list = {
		.numChannels = 2,
		.phClients = (NvP64)(uintptr_t)clients,
		.phDevices = (NvP64)(uintptr_t)devices,
		.phChannels = (NvP64)(uintptr_t)wrong,
	};
	u64 held;

	make_channel(CHANNEL);
	held = unit_live_settled();
	assert_int_equal(idle_one(NOWHERE, 0, 0), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(idle_one(MEMORY, 0, 0), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(idle_list(wrong, 2, 0), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(idle_device(wrong, 2, 0), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(idle_device(wrong, MAX + 1, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(idle_device(wrong, ~0u, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(idle_client(HOST_DEVICE, CHANNEL), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(idle((NVOS30_PARAMETERS){ .hClient = NOWHERE, .flags = SINGLE }),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(idle((NVOS30_PARAMETERS){ .hClient = NOWHERE }), NV_ERR_INVALID_CLIENT);
	assert_int_equal(idle((NVOS30_PARAMETERS){
				 .hDevice = NOWHERE, .hChannel = CHANNEL, .flags = SINGLE }),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(idle((NVOS30_PARAMETERS){
				 .hDevice = MEMORY, .hChannel = CHANNEL, .flags = SINGLE }),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(idle((NVOS30_PARAMETERS){ .flags = 2 * SINGLE }), NV_ERR_INVALID_FLAGS);
	/* Nothing to wait for. */
	assert_int_equal(idle((NVOS30_PARAMETERS){ .numChannels = 0 }), NV_OK);

	/* Lists: too long, missing, out of reach, of another client's. */
	list.numChannels = MAX + 1;
	assert_int_equal(idle(list), NV_ERR_GENERIC);
	list.numChannels = ~0u;
	assert_int_equal(idle(list), NV_ERR_INVALID_ARGUMENT);
	list.numChannels = 1;
	assert_int_equal(idle(list), NV_OK);
	list.phClients = 0;
	assert_int_equal(idle(list), NV_ERR_INVALID_ARGUMENT);
	list.phClients = (NvP64)(uintptr_t)clients;
	list.phDevices = 8;
	assert_int_equal(idle(list), NV_ERR_INVALID_ADDRESS);
	list.phDevices = (NvP64)(uintptr_t)devices;
	list.phChannels = 0;
	assert_int_equal(idle(list), NV_ERR_INVALID_ARGUMENT);
	list.phChannels = (NvP64)(uintptr_t)wrong;
	list.numChannels = 2;
	clients[1]++;
	assert_int_equal(idle(list), NV_ERR_INSUFFICIENT_PERMISSIONS);
	clients[1]--;
	devices[1] = NOWHERE;
	assert_int_equal(idle(list), NV_ERR_OBJECT_NOT_FOUND);
	devices[1] = CHANNEL;
	assert_int_equal(idle(list), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_true(unit_live_becomes(held));
}

static void test_removal(void **state)
{
	make_channel(CHANNEL);
	host_remove(0);
	assert_int_equal(idle_one(CHANNEL, 0, ~0u), NV_ERR_RESOURCE_LOST);
}

static void test_crash(void **state)
{
	const u32 channels[] = { CHANNEL };

	make_channel(CHANNEL);
	put(CHANNEL, 1);
	fixture_gpu_inject(&host.gpus[0], "gsp-crash");
	assert_int_equal(idle_device(channels, 1, ~0u), NV_ERR_GPU_IS_LOST);
	assert_int_equal(idle_one(CHANNEL, 0, ~0u), NV_ERR_GPU_IS_LOST);
}

static void test_failing_allocations(void **state)
{
	const u32 channels[] = { CHANNEL, CHANNEL };
	u32 i, step, status;
	u64 held;

	make_channel(CHANNEL);
	held = unit_live_settled();
	for (step = 0; step < 3; step++) {
		status = NV_ERR_GENERIC;
		for (i = 1; i < 50 && status != NV_OK; i++) {
			os_user_fail_alloc_thread(i);
			status = step == 0   ? idle_one(CHANNEL, 0, 0)
				 : step == 1 ? idle_list(channels, 2, 0)
					     : idle_device(channels, 2, 0);
			os_user_fail_alloc_thread(0);
			assert_true(unit_live_becomes(held));
		}
		assert_int_equal(status, NV_OK);
		assert_true(i > 2);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_idle),	 T(test_semaphore), T(test_wait),  T(test_failed),
		T(test_refused), T(test_removal),   T(test_crash), T(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
