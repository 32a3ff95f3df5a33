// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Context DMA: a part of memory under a handle of its own, by both ways to make one; as the error
 * notifier of channels; what is refused, and what goes first.
 */
#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/memory.h"
#include "rm/gpu/notify.h"
#include "rm_host.h"
#include "unit.h"

#define SPACE 0xe0u
#define RANGE 0xe1u
#define MEMORY 0xe2u
#define SYSTEM 0xe3u
#define USERMODE 0xe4u
#define CONTEXT 0xe5u
#define CHANNEL 0x100u
#define GROUP 0x101u
#define NOWHERE 0xbadu
#define BYTES KIB(64)

#define NO_TABLE ((u32)REG_PREP(NVOS03_FLAGS_HASH_TABLE, NVOS03_FLAGS_HASH_TABLE_DISABLE))

static void begin(bool admin)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS range = { .hVASpace = SPACE };
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = BYTES };
	NV_MEMORY_ALLOCATION_PARAMS system = {
		.owner = 1,
		.size = BYTES,
		.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI),
	};
	NV_HOPPER_USERMODE_A_PARAMS usermode = { 0 };

	host_program_start(admin);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, RANGE, NV01_MEMORY_VIRTUAL, &range), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &video), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SYSTEM, NV01_MEMORY_SYSTEM, &system), NV_OK);
	assert_int_equal(host_make(HOST_SUBDEVICE, USERMODE, HOPPER_USERMODE_A, &usermode), NV_OK);
}

static int start(void **state)
{
	begin(false);
	return 0;
}

static NV_CONTEXT_DMA_ALLOCATION_PARAMS part(u32 memory, u64 offset, u64 limit)
{
	return (NV_CONTEXT_DMA_ALLOCATION_PARAMS){
		.flags = NO_TABLE, .hMemory = memory, .offset = offset, .limit = limit
	};
}

static u32 make(NV_CONTEXT_DMA_ALLOCATION_PARAMS p)
{
	return host_make(HOST_DEVICE, CONTEXT, NV01_CONTEXT_DMA, &p);
}

static u32 make_channel(u32 parent, u32 notifier)
{
	NV_CHANNEL_ALLOC_PARAMS p = {
		.hObjectError = notifier,
		.gpFifoOffset = 0x200600000ull,
		.gpFifoEntries = 0x400,
		.hVASpace = parent == HOST_DEVICE ? SPACE : 0,
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};

	return host_make(parent, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p);
}

/* -- Making ------------------------------------------------------------------------------------ */

static void test_make(void **state)
{
	NV_CONTEXT_DMA_ALLOCATION_PARAMS p = part(MEMORY, 0, BYTES - 1);
	u32 i;

	assert_int_equal(make(p), NV_OK);
	assert_int_equal(make(p), NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(host_drop(CONTEXT), NV_OK);
	/* Read, write, both; of the subdevice alone; the last byte; of the system. */
	for (i = 0; i < 3; i++) {
		p = part(SYSTEM, BYTES - 1, 0);
		p.flags |= (u32)REG_PREP(NVOS03_FLAGS_ACCESS, i);
		p.hSubDevice = i == 0 ? HOST_SUBDEVICE : i == 1 ? HOST_DEVICE : 0;
		assert_int_equal(make(p), NV_OK);
		assert_int_equal(host_drop(CONTEXT), NV_OK);
	}
	/* It goes with its memory. */
	assert_int_equal(make(part(MEMORY, 0, 15)), NV_OK);
	assert_int_equal(host_drop(MEMORY), NV_OK);
	assert_int_equal(make_channel(HOST_DEVICE, CONTEXT), NV_ERR_INVALID_OBJECT);
	assert_int_equal(host_drop(CONTEXT), NV_OK);
}

static void test_refused(void **state)
{
	NV_CONTEXT_DMA_ALLOCATION_PARAMS p;
	u64 held = unit_live_settled();

#define REFUSE(change, status)                     \
	do {                                       \
		p = part(MEMORY, 0, BYTES - 1);    \
		change;                            \
		assert_int_equal(make(p), status); \
	} while (0)
	REFUSE(p.hMemory = NOWHERE, NV_ERR_OBJECT_NOT_FOUND);
	REFUSE(p.hMemory = 0, NV_ERR_OBJECT_NOT_FOUND);
	/* Another parent's, before anything else of it is looked at. */
	REFUSE((p.hMemory = USERMODE, p.flags = 3), NV_ERR_INVALID_OBJECT_PARENT);
	REFUSE(p.hMemory = HOST_DEVICE, NV_ERR_INVALID_OBJECT_PARENT);
	REFUSE(p.hMemory = HOST_SUBDEVICE, NV_ERR_INVALID_OBJECT);
	REFUSE(p.hMemory = SPACE, NV_ERR_INVALID_OBJECT);
	REFUSE(p.hMemory = RANGE, NV_ERR_OBJECT_TYPE_MISMATCH);
	REFUSE(p.flags = 0, NV_ERR_INVALID_FLAGS);
	REFUSE(p.flags |= 3, NV_ERR_INVALID_FLAGS);
	REFUSE(p.hSubDevice = NOWHERE, NV_ERR_OBJECT_NOT_FOUND);
	REFUSE(p.hSubDevice = MEMORY, NV_ERR_INVALID_OBJECT_HANDLE);
	REFUSE(p.limit = BYTES, NV_ERR_INVALID_LIMIT);
	REFUSE(p.offset = 1, NV_ERR_INVALID_LIMIT);
	REFUSE((p.offset = BYTES, p.limit = 0), NV_ERR_INVALID_LIMIT);
	REFUSE(p.limit = ~(u64)0, NV_ERR_INVALID_LIMIT);
	REFUSE((p.offset = ~(u64)0, p.limit = 1), NV_ERR_INVALID_LIMIT);
#undef REFUSE
	assert_int_equal(host_make(HOST_DEVICE, CONTEXT, NV01_CONTEXT_DMA, NULL),
			 NV_ERR_INVALID_ARGUMENT);
	assert_true(unit_live_becomes(held));
}

static u32 old(u32 memory, u32 class_id, u32 flags, u64 limit)
{
	NVOS39_PARAMETERS p = {
		.hObjectParent = host_program.client,
		.hObjectNew = CONTEXT,
		.hClass = class_id,
		.flags = flags,
		.hMemory = memory,
		.limit = limit,
	};

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_ALLOC_CONTEXT_DMA2, &p, sizeof(p)),
			 RM_IOCTL_OK);
	return p.status;
}

static u32 bind(u32 context, u32 channel)
{
	NVOS49_PARAMETERS p = { .hClient = host_program.client,
				.hChannel = channel,
				.hCtxDma = context };

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_BIND_CONTEXT_DMA, &p, sizeof(p)),
			 RM_IOCTL_OK);
	return p.status;
}

static void test_old_ways(void **state)
{
	NV0002_CTRL_UNBIND_CONTEXTDMA_PARAMS unbind = { .hChannel = CHANNEL };
	NV0002_CTRL_UPDATE_CONTEXTDMA_PARAMS update = { .hCtxDma = CONTEXT };
	NV0002_CTRL_BIND_CONTEXTDMA_PARAMS control = { .hChannel = CHANNEL };
	u64 held = unit_live_settled();

	assert_int_equal(old(NOWHERE, NV01_CONTEXT_DMA, NO_TABLE, 15), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(old(MEMORY, NV01_MEMORY_SYSTEM, NO_TABLE, 15), NV_ERR_INVALID_CLASS);
	assert_int_equal(old(MEMORY, ~0u, NO_TABLE, 15), NV_ERR_INVALID_CLASS);
	assert_int_equal(old(MEMORY, NV01_CONTEXT_DMA, 0, 15), NV_ERR_INVALID_FLAGS);
	assert_int_equal(old(MEMORY, NV01_CONTEXT_DMA, NO_TABLE, BYTES), NV_ERR_INVALID_LIMIT);
	assert_int_equal(old(host_program.client, NV01_CONTEXT_DMA, NO_TABLE, 15),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_true(unit_live_becomes(held));
	assert_int_equal(old(MEMORY, NV01_CONTEXT_DMA, NO_TABLE, 15), NV_OK);

	assert_int_equal(make_channel(HOST_DEVICE, CONTEXT), NV_OK);
	assert_int_equal(bind(CONTEXT, CHANNEL), NV_OK);
	assert_int_equal(bind(CONTEXT, NOWHERE), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(bind(CONTEXT, MEMORY), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(bind(MEMORY, CHANNEL), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(bind(NOWHERE, CHANNEL), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(
		host_ask(CONTEXT, NV0002_CTRL_CMD_BIND_CONTEXTDMA, &control, sizeof(control)),
		NV_OK);
	/* Nothing is bound, and no channel could have been. */
	assert_int_equal(
		host_ask(CONTEXT, NV0002_CTRL_CMD_UNBIND_CONTEXTDMA, &unbind, sizeof(unbind)),
		NV_ERR_INVALID_OBJECT_HANDLE);
	unbind.hChannel = NOWHERE;
	assert_int_equal(
		host_ask(CONTEXT, NV0002_CTRL_CMD_UNBIND_CONTEXTDMA, &unbind, sizeof(unbind)),
		NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(
		host_ask(CONTEXT, NV0002_CTRL_CMD_UPDATE_CONTEXTDMA, &update, sizeof(update)),
		NV_ERR_INSUFFICIENT_PERMISSIONS);
}

/* It is no memory that could be mapped, of which a copy could be had, or that a file stands for. */
static void test_no_memory(void **state)
{
	nv_ioctl_nvos33_parameters_with_fd map = {
		.params = { .hClient = host_program.client,
			    .hDevice = HOST_DEVICE,
			    .hMemory = CONTEXT,
			    .length = 16 },
		.fd = host_program.gpu,
	};
	NVOS55_PARAMETERS dup = {
		.hClient = host_program.client,
		.hParent = HOST_DEVICE,
		.hClientSrc = host_program.client,
		.hObjectSrc = CONTEXT,
	};
	NVOS46_PARAMETERS dma = { .hClient = host_program.client,
				  .hDevice = HOST_DEVICE,
				  .hDma = CONTEXT,
				  .hMemory = MEMORY,
				  .length = KIB(4) };

	assert_int_equal(make(part(MEMORY, 0, 15)), NV_OK);
	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY, &map, sizeof(map)),
			 RM_IOCTL_OK);
	assert_int_equal(map.params.status, NV_ERR_NOT_SUPPORTED);
	assert_int_not_equal(rm_api_dup(host.fds[host_program.ctl].file, &dup), NV_OK);
	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY_DMA, &dma, sizeof(dma)),
			 RM_IOCTL_OK);
	assert_int_equal(dma.status, NV_ERR_INVALID_OBJECT_HANDLE);
}

/* -- As a notifier ----------------------------------------------------------------------------- */

static u32 word_of(u32 memory, u64 offset)
{
	return rm_backing_read32(host_backing(memory), offset);
}

static void raise_error(u32 exception)
{
	struct rm_gpu *gpu = host.rm_gpus[0];

	assert_true(rm_gpu_channel_error(gpu, NV2080_ENGINE_TYPE_COPY4, 0, exception,
					 RC_NOTIFIER_SCOPE_TSG, gpu->event_number + 1));
}

static void notifier_of(u32 memory)
{
	NVC36F_CTRL_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX_PARAMS index = { 2 };
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS token = { 0 };
	const u64 at = KIB(4) - 8; /* across pages */

	assert_int_equal(make(part(memory, at, 3 * sizeof(NvNotification) - 1)), NV_OK);
	assert_int_equal(make_channel(HOST_DEVICE, CONTEXT), NV_OK);
	raise_error(ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_int_equal(word_of(memory, at + 8), ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_int_equal(word_of(memory, at + 12), 0xffffu << 16 | NV2080_ENGINE_TYPE_COPY4);
	assert_int_equal(word_of(memory, 8), 0);
	/* The third notification is the last that the part has room for. */
	assert_int_equal(host_ask(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX,
				  &index, sizeof(index)),
			 NV_OK);
	assert_int_equal(host_ask(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &token,
				  sizeof(token)),
			 NV_OK);
	assert_int_equal(word_of(memory, at + 2 * sizeof(NvNotification) + 8),
			 token.workSubmitToken);
	index.index = 3;
	assert_int_equal(host_ask(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX,
				  &index, sizeof(index)),
			 NV_ERR_OUT_OF_RANGE);
	/* The channel goes with it. */
	assert_int_equal(host_drop(CONTEXT), NV_OK);
	assert_int_equal(host_ask(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &token,
				  sizeof(token)),
			 NV_ERR_RESOURCE_LOST);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
}

static void test_notifier(void **state)
{
	notifier_of(MEMORY);
	notifier_of(SYSTEM);
}

static void test_group_notifier(void **state)
{
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS p = { .engineType = NV2080_ENGINE_TYPE_COPY4,
						     .hObjectError = CONTEXT };

	assert_int_equal(make(part(MEMORY, 64, sizeof(NvNotification) - 1)), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &p), NV_OK);
	assert_int_equal(make_channel(GROUP, 0), NV_OK);
	raise_error(ROBUST_CHANNEL_CE4_ERROR);
	assert_int_equal(word_of(MEMORY, 64 + 8), ROBUST_CHANNEL_CE4_ERROR);
	/* Memory first: all that stands on it goes. */
	assert_int_equal(host_drop(MEMORY), NV_OK);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_int_equal(host_drop(GROUP), NV_OK);
	assert_int_equal(host_drop(CONTEXT), NV_OK);
}

static void test_bad_notifiers(void **state)
{
	u64 held;

	/* What the first channel makes for all is there. */
	assert_int_equal(make_channel(HOST_DEVICE, MEMORY), NV_OK);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_int_equal(make(part(MEMORY, 0, sizeof(NvNotification) - 2)), NV_OK);
	held = unit_live_settled();
	assert_int_equal(make_channel(HOST_DEVICE, CONTEXT), NV_ERR_INVALID_LIMIT);
	assert_true(unit_live_becomes(held));
	assert_int_equal(host_drop(CONTEXT), NV_OK);
	assert_int_equal(make(part(MEMORY, 4, 255)), NV_OK);
	assert_int_equal(make_channel(HOST_DEVICE, CONTEXT), NV_ERR_INVALID_OFFSET);
}

static void test_failing_allocations(void **state)
{
	u32 i, step, status;
	u64 held = unit_live_settled();

	for (step = 0; step < 2; step++) {
		status = NV_ERR_GENERIC;
		for (i = 1; i < 50 && status != NV_OK; i++) {
			assert_true(unit_live_becomes(held));
			os_user_fail_alloc_thread(i);
			status = step ? old(MEMORY, NV01_CONTEXT_DMA, NO_TABLE, 15)
				      : make(part(MEMORY, 0, 15));
			os_user_fail_alloc_thread(0);
		}
		assert_int_equal(status, NV_OK);
		assert_true(i > 2);
		assert_int_equal(host_drop(CONTEXT), NV_OK);
	}
	assert_true(unit_live_becomes(held));
}

static void test_removal(void **state)
{
	assert_int_equal(make(part(MEMORY, 0, 63)), NV_OK);
	assert_int_equal(make_channel(HOST_DEVICE, CONTEXT), NV_OK);
	host_remove(0);
	assert_int_equal(host_drop(CONTEXT), NV_OK);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_make),	       T(test_refused),
		T(test_old_ways),      T(test_no_memory),
		T(test_notifier),      T(test_group_notifier),
		T(test_bad_notifiers), T(test_failing_allocations),
		T(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
