// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Channels as CUDA makes them: group, context share, channels with USERD and notifiers of the
 * client's, objects of engines, and what is refused on the way; errors that the firmware reports.
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/channel.h"
#include "rm/class/fifo.h"
#include "rm/class/memory.h"
#include "rm/class/state.h"
#include "rm/class/vaspace.h"
#include "rm/gpu/notify.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE HOST_DEVICE
#define SUBDEVICE HOST_SUBDEVICE
#define SPACE 0xe0u
#define MEMORY 0xe1u /* USERD and GPFIFO */
#define NOTIFIER 0xe2u
#define SYSTEM_NOTIFIER 0xe3u
#define GROUP 0xf0u
#define SHARE 0xf1u
#define CHANNEL 0x100u
#define OBJECT 0x900u
#define NOWHERE 0xbadu
#define MEMORY_BYTES (4u << 20)
#define USERD_GP_PUT 0x8cu
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))

#define ASK(object, cmd, p) host_ask(object, cmd, &(p), sizeof(p))

static void make_memory(u32 handle, u32 class_id, u64 size)
{
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = size };

	if (class_id == NV01_MEMORY_SYSTEM)
		m.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI);
	assert_int_equal(host_make(DEVICE, handle, class_id, &m), NV_OK);
}

static int start(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS s = { 0 };

	host_program_start(false);
	assert_int_equal(host_make(DEVICE, SPACE, FERMI_VASPACE_A, &s), NV_OK);
	make_memory(MEMORY, NV01_MEMORY_LOCAL_USER, MEMORY_BYTES);
	make_memory(NOTIFIER, NV01_MEMORY_LOCAL_USER, 4096);
	make_memory(SYSTEM_NOTIFIER, NV01_MEMORY_SYSTEM, 4096);
	return 0;
}

static u32 make_group(u32 handle, u32 engine)
{
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS p = { .engineType = engine };

	return host_make(DEVICE, handle, KEPLER_CHANNEL_GROUP_A, &p);
}

static u32 make_share(u32 group, u32 handle, u32 *subcontext)
{
	NV_CTXSHARE_ALLOCATION_PARAMETERS p = {
		.hVASpace = SPACE,
		.flags = NV_CTXSHARE_ALLOCATION_FLAGS_SUBCONTEXT_ASYNC,
	};
	u32 status = host_make(group, handle, FERMI_CONTEXT_SHARE_A, &p);

	if (subcontext)
		*subcontext = p.subctxId;
	return status;
}

/* The n-th channel's parameters as CUDA has them. */
static NV_CHANNEL_ALLOC_PARAMS params_of(u32 n)
{
	return (NV_CHANNEL_ALLOC_PARAMS){
		.hObjectError = NOTIFIER,
		.hObjectBuffer = MEMORY,
		.gpFifoOffset = 0x200600000ull + 0x3000ull * n,
		.gpFifoEntries = 0x400,
		.hContextShare = SHARE,
		.hUserdMemory = { MEMORY },
		.userdOffset = { 0x2000 + 0x3000ull * n },
	};
}

static u32 make_channel(u32 parent, u32 handle, NV_CHANNEL_ALLOC_PARAMS p)
{
	return host_make(parent, handle, HOPPER_CHANNEL_GPFIFO_A, &p);
}

static void make_group_and_share(void)
{
	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_GR0), NV_OK);
	assert_int_equal(make_share(GROUP, SHARE, NULL), NV_OK);
}

static u32 token_of(u32 channel)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS p = { ~0u };

	assert_int_equal(ASK(channel, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, p), NV_OK);
	return p.workSubmitToken;
}

/* -- As CUDA does it --------------------------------------------------------------------------- */

static void test_context(void **state)
{
	NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NVA06C_CTRL_TIMESLICE_PARAMS slice = { .timesliceUs = 2000 };
	NVA06C_CTRL_GET_INFO_PARAMS info = { 0 };
	NV906F_CTRL_GET_CLASS_ENGINEID_PARAMS id = { 0 };
	NVB0B5_ALLOCATION_PARAMETERS copy = { .version = 0, .engineType = 0 };
	u32 i, subcontext;

	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_GR0), NV_OK);
	assert_int_equal(make_share(GROUP, SHARE, &subcontext), NV_OK);
	assert_int_equal(subcontext, RM_SUBCONTEXTS - 1);
	for (i = 0; i < 8; i++) {
		assert_int_equal(make_channel(GROUP, CHANNEL + i, params_of(i)), NV_OK);
		assert_int_equal(host_make(CHANNEL + i, OBJECT + 2 * i, HOPPER_COMPUTE_A, NULL),
				 NV_OK);
		assert_int_equal(
			host_make(CHANNEL + i, OBJECT + 2 * i + 1, HOPPER_DMA_COPY_A, &copy),
			NV_OK);
		id.hObject = OBJECT + 2 * i;
		assert_int_equal(ASK(CHANNEL + i, NVC36F_CTRL_GET_CLASS_ENGINEID, id), NV_OK);
		assert_int_equal(id.classEngineID, HOPPER_COMPUTE_A);
		assert_int_equal(id.engineID, NV2080_ENGINE_TYPE_GR0);
		id.hObject = OBJECT + 2 * i + 1;
		assert_int_equal(ASK(CHANNEL + i, NVC36F_CTRL_GET_CLASS_ENGINEID, id), NV_OK);
		assert_int_equal(id.classEngineID, HOPPER_DMA_COPY_A);
		assert_int_equal(id.engineID, NV2080_ENGINE_TYPE_COPY0);
		assert_int_equal(token_of(CHANNEL + i), i);
	}
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, schedule), NV_OK);
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_SET_TIMESLICE, slice), NV_OK);
	slice.timesliceUs = 0;
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_GET_TIMESLICE, slice), NV_OK);
	assert_int_equal(slice.timesliceUs, 2000);
	/* an hour is taken for what the GPU makes of it, and told as that */
	slice.timesliceUs = 3600000000ull;
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_SET_TIMESLICE, slice), NV_OK);
	assert_true(slice.timesliceUs == 3600000000ull);
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_GET_TIMESLICE, slice), NV_OK);
	assert_int_equal(slice.timesliceUs, 25000);
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_GET_INFO, info), NV_OK);
	assert_int_equal(info.tsgID, 0);

	/* A copy engine's group has a runlist of its own, and ids that begin anew. */
	assert_int_equal(make_group(GROUP + 2, NV2080_ENGINE_TYPE_COPY2), NV_OK);
	assert_int_equal(make_share(GROUP + 2, SHARE + 2, NULL), NV_OK);
	for (i = 8; i < 12; i++) {
		NV_CHANNEL_ALLOC_PARAMS p = params_of(i);

		p.hContextShare = SHARE + 2;
		assert_int_equal(make_channel(GROUP + 2, CHANNEL + i, p), NV_OK);
		assert_int_equal(token_of(CHANNEL + i), (i - 8) | 1u << 16);
	}
	copy.engineType = 2;
	assert_int_equal(host_make(CHANNEL + 8, OBJECT + 99, HOPPER_DMA_COPY_A, &copy), NV_OK);
	copy.engineType = 3;
	assert_int_equal(host_make(CHANNEL + 8, OBJECT + 98, HOPPER_DMA_COPY_A, &copy),
			 NV_ERR_INVALID_STATE);
	copy.engineType = 10;
	assert_int_equal(host_make(CHANNEL + 8, OBJECT + 98, HOPPER_DMA_COPY_A, &copy),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(host_make(CHANNEL + 8, OBJECT + 98, HOPPER_COMPUTE_A, NULL),
			 NV_ERR_INVALID_STATE);
}

static void test_lists(void **state)
{
	NvHandle handles[4] = { CHANNEL + 1, CHANNEL, SPACE, NOWHERE };
	NvU32 ids[4] = { 9, 9, 9, 9 };
	NV0080_CTRL_FIFO_GET_CHANNELLIST_PARAMS list = {
		.numChannels = 4,
		.pChannelHandleList = (NvP64)(uintptr_t)handles,
		.pChannelList = (NvP64)(uintptr_t)ids,
	};
	NV2080_CTRL_GPU_GET_PIDS_PARAMS pids = {
		.idType = NV2080_CTRL_GPU_GET_PIDS_ID_TYPE_CLASS,
		.id = HOPPER_COMPUTE_A,
	};

	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_int_equal(make_channel(GROUP, CHANNEL + 1, params_of(1)), NV_OK);
	assert_int_equal(ASK(DEVICE, NV0080_CTRL_CMD_FIFO_GET_CHANNELLIST, list), NV_OK);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 0);
	assert_int_equal(ids[2], ~0u);
	assert_int_equal(ids[3], ~0u);
	list.pChannelList = 0;
	assert_int_equal(ASK(DEVICE, NV0080_CTRL_CMD_FIFO_GET_CHANNELLIST, list),
			 NV_ERR_INVALID_ARGUMENT);
	list.numChannels = 0;
	assert_int_equal(ASK(DEVICE, NV0080_CTRL_CMD_FIFO_GET_CHANNELLIST, list),
			 NV_ERR_INVALID_ARGUMENT);

	/* Who has compute objects is a compute process, once. */
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_PIDS, pids), NV_OK);
	assert_int_equal(pids.pidTblCount, 0);
	assert_int_equal(host_make(CHANNEL, OBJECT, HOPPER_COMPUTE_A, NULL), NV_OK);
	assert_int_equal(host_make(CHANNEL + 1, OBJECT + 1, HOPPER_COMPUTE_A, NULL), NV_OK);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_PIDS, pids), NV_OK);
	assert_int_equal(pids.pidTblCount, 1);
	assert_int_equal(pids.pidTbl[0], 4000);
	assert_int_equal(host_drop(GROUP), NV_OK);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_PIDS, pids), NV_OK);
	assert_int_equal(pids.pidTblCount, 0);
}

/* -- What is refused --------------------------------------------------------------------------- */

static void test_bad_groups(void **state)
{
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS p = { .engineType = NV2080_ENGINE_TYPE_GR0 };
	u64 held;

	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_GR0), NV_OK);
	assert_int_equal(host_drop(GROUP), NV_OK);
	held = unit_live_settled();
	assert_int_equal(make_group(GROUP, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_GR1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_LAST), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_NVENC0), NV_ERR_INVALID_ARGUMENT);
	p.hVASpace = NOWHERE;
	assert_int_not_equal(host_make(DEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &p), NV_OK);
	p.hVASpace = MEMORY;
	assert_int_not_equal(host_make(DEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &p), NV_OK);
	p.hVASpace = 0;
	p.hObjectError = NOWHERE;
	assert_int_equal(host_make(DEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &p),
			 NV_ERR_OBJECT_NOT_FOUND);
	p.hObjectError = SPACE;
	assert_int_equal(host_make(DEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &p),
			 NV_ERR_INVALID_OBJECT);
	assert_int_equal(host_make(SUBDEVICE, GROUP, KEPLER_CHANNEL_GROUP_A, &p),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_true(unit_live_becomes(held));
}

static u32 share_with(u32 flags, u32 id, u32 space)
{
	NV_CTXSHARE_ALLOCATION_PARAMETERS p = { .hVASpace = space, .flags = flags, .subctxId = id };

	return host_make(GROUP, SHARE, FERMI_CONTEXT_SHARE_A, &p);
}

static void test_shares(void **state)
{
	u32 i, id;

	assert_int_equal(make_group(GROUP, NV2080_ENGINE_TYPE_GR0), NV_OK);
	assert_int_equal(share_with(3, 0, SPACE), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(share_with(2, RM_SUBCONTEXTS, SPACE), NV_ERR_NO_MEMORY);
	assert_int_not_equal(share_with(0, 0, MEMORY), NV_OK);
	assert_int_equal(share_with(2, 5, SPACE), NV_OK);
	assert_int_equal(share_with(2, 5, SPACE), NV_ERR_INSERT_DUPLICATE_NAME);
	/* All ids, the highest first; the one that is taken is passed over. */
	for (i = 0; i < RM_SUBCONTEXTS - 1; i++) {
		assert_int_equal(make_share(GROUP, OBJECT + i, &id), NV_OK);
		assert_int_equal(id, i < 58 ? RM_SUBCONTEXTS - 1 - i : 62 - i);
	}
	assert_int_equal(make_share(GROUP, OBJECT + i, &id), NV_ERR_NO_MEMORY);
	assert_int_equal(host_drop(OBJECT + 3), NV_OK);
	assert_int_equal(make_share(GROUP, OBJECT + i, &id), NV_OK);
	assert_int_equal(id, RM_SUBCONTEXTS - 4);
	/* They go with the address space, and before it. */
	assert_int_equal(host_drop(SPACE), NV_OK);
	assert_int_equal(host_drop(GROUP), NV_OK);
}

static void test_bad_channels(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p;
	u64 held;

	make_group_and_share();
	assert_int_equal(make_group(GROUP + 2, NV2080_ENGINE_TYPE_COPY3), NV_OK);
	assert_int_equal(make_share(GROUP + 2, SHARE + 2, NULL), NV_OK);
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	held = unit_live_settled();

#define REFUSE(change, status)                                                 \
	do {                                                                   \
		p = params_of(1);                                              \
		change;                                                        \
		assert_int_equal(make_channel(GROUP, CHANNEL + 1, p), status); \
	} while (0)
	REFUSE(p.flags = NVOS04_FLAGS_CHANNEL_TYPE_VIRTUAL, NV_ERR_NOT_SUPPORTED);
	REFUSE(p.hVASpace = SPACE, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.flags = 1u << NVOS04_FLAGS_CHANNEL_SKIP_SCRUBBER__LO, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.flags = 1u << NVOS04_FLAGS_CC_SECURE__LO, NV_ERR_NOT_SUPPORTED);
	REFUSE(p.engineType = NV2080_ENGINE_TYPE_COPY3, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.hContextShare = 0, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.hContextShare = NOWHERE, NV_ERR_OBJECT_NOT_FOUND);
	REFUSE(p.hContextShare = SPACE, NV_ERR_INVALID_OBJECT_HANDLE);
	REFUSE(p.hContextShare = SHARE + 2, NV_ERR_INVALID_OBJECT_PARENT);
	REFUSE(p.hObjectError = NOWHERE, NV_ERR_OBJECT_NOT_FOUND);
	REFUSE(p.hObjectError = SPACE, NV_ERR_INVALID_OBJECT);
	REFUSE(p.hObjectEccError = DEVICE, NV_ERR_INVALID_OBJECT);
	REFUSE(p.hUserdMemory[0] = NOWHERE, NV_ERR_OBJECT_NOT_FOUND);
	REFUSE(p.hUserdMemory[0] = SPACE, NV_ERR_INVALID_OBJECT);
	REFUSE(p.userdOffset[0] = 0x2100, NV_ERR_INVALID_ADDRESS);
	REFUSE(p.userdOffset[0] = MEMORY_BYTES, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.userdOffset[0] = ~0x1ffull, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.flags = 1u << NVOS04_FLAGS_CHANNEL_USERD_INDEX_FIXED__LO |
			 1u << NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_FIXED__LO,
	       NV_ERR_INVALID_STATE);
	/* The id of the first channel, taken. */
	REFUSE(p.flags = 1u << NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_FIXED__LO,
	       NV_ERR_NO_FREE_FIFOS);
#undef REFUSE
	p = params_of(1);
	assert_int_equal(host_make(GROUP, CHANNEL + 1, MAXWELL_CHANNEL_GPFIFO_A, &p),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(make_channel(SUBDEVICE, CHANNEL + 1, p), NV_ERR_INVALID_OBJECT_PARENT);
	/* Below no group: no share, and an engine is named. */
	assert_int_equal(make_channel(DEVICE, CHANNEL + 1, p), NV_ERR_INVALID_ARGUMENT);
	p.hContextShare = 0;
	assert_int_equal(make_channel(DEVICE, CHANNEL + 1, p), NV_ERR_INVALID_ARGUMENT);
	assert_true(unit_live_becomes(held));
	/* Ids of what failed are free again. */
	assert_int_equal(make_channel(GROUP, CHANNEL + 1, params_of(1)), NV_OK);
	assert_int_equal(token_of(CHANNEL + 1), 1);
}

static void test_single_channel(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p = params_of(0);
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NVA06F_CTRL_BIND_PARAMS bind = { .engineType = NV2080_ENGINE_TYPE_COPY4 };
	u64 held = unit_live_settled();

	p.hContextShare = 0;
	p.hVASpace = SPACE;
	p.engineType = NV2080_ENGINE_TYPE_COPY4;
	assert_int_equal(make_channel(DEVICE, CHANNEL, p), NV_OK);
	assert_int_equal(token_of(CHANNEL), 3u << 16);
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_BIND, bind), NV_OK);
	bind.engineType = NV2080_ENGINE_TYPE_COPY5;
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_BIND, bind), NV_ERR_INVALID_STATE);
	bind.engineType = 99;
	assert_int_equal(ASK(CHANNEL, NVC36F_CTRL_CMD_BIND, bind), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, schedule), NV_OK);
	/* Without USERD of the client's it is the driver's. */
	p.hUserdMemory[0] = 0;
	assert_int_equal(make_channel(DEVICE, CHANNEL + 1, p), NV_OK);
	/* Its address space takes both away. */
	assert_int_equal(host_drop(SPACE), NV_OK);
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, schedule),
			 NV_ERR_RESOURCE_LOST);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_int_equal(host_drop(CHANNEL + 1), NV_OK);
	(void)held;
}

/* Who names no address space has the device's, on both sides. */
static void test_default_space(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p = params_of(0);
	enum rm_aperture aperture;
	struct rm_channel *channel;
	struct rm_call call;
	u32 i, word;
	bool known;
	u64 root;

	p.hContextShare = 0;
	p.engineType = NV2080_ENGINE_TYPE_COPY4;
	for (i = 0; i < 2; i++) {
		p.userdOffset[0] = 0x2000 + 0x3000ull * i;
		assert_int_equal(make_channel(DEVICE, CHANNEL + i, p), NV_OK);
		assert_int_equal(rm_api_begin(&call, host.fds[host_program.ctl].file,
					      host_program.client, CHANNEL + i),
				 NV_OK);
		channel = rm_channel_of(call.object);
		known = rm_vaspace_page_directory(channel->space, &aperture, &root);
		word = rm_backing_read32(channel->instance,
					 NV_RAMIN_PAGE_DIR_BASE_WORD * (u32)sizeof(u32));
		rm_api_end(&call);
		assert_true(known);
		assert_int_equal(word & (u32)REG_MASK(NV_RAMIN_PAGE_DIR_BASE_LO),
				 root & (u32)REG_MASK(NV_RAMIN_PAGE_DIR_BASE_LO));
	}
}

/* -- Freeing in any order ---------------------------------------------------------------------- */

static void test_any_order(void **state)
{
	static const u32 order[][7] = {
		{ CHANNEL, OBJECT, SHARE, GROUP, MEMORY, NOTIFIER, SPACE },
		{ SPACE, NOTIFIER, MEMORY, GROUP, SHARE, OBJECT, CHANNEL },
		{ MEMORY, CHANNEL, SPACE, GROUP, NOTIFIER, OBJECT, SHARE },
		{ SHARE, MEMORY, GROUP, CHANNEL, SPACE, OBJECT, NOTIFIER },
	};
	NV_VASPACE_ALLOCATION_PARAMETERS s = { 0 };
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		make_group_and_share();
		assert_int_equal(make_channel(GROUP, CHANNEL, params_of(i)), NV_OK);
		assert_int_equal(host_make(CHANNEL, OBJECT, HOPPER_COMPUTE_A, NULL), NV_OK);
		for (j = 0; j < 7; j++)
			assert_int_equal(host_drop(order[i][j]), NV_OK);
		/* All handles are free: the same can be made again. */
		assert_int_equal(host_make(DEVICE, SPACE, FERMI_VASPACE_A, &s), NV_OK);
		make_memory(MEMORY, NV01_MEMORY_LOCAL_USER, MEMORY_BYTES);
		make_memory(NOTIFIER, NV01_MEMORY_LOCAL_USER, 4096);
	}
}

/* -- Notifiers and errors ---------------------------------------------------------------------- */

static NvNotification read_notifier(u32 handle, u32 index)
{
	struct rm_backing *memory = host_backing(handle);
	const u64 at = index * sizeof(NvNotification);
	NvNotification n;
	u32 last = rm_backing_read32(memory, at + 12);

	n.timeStamp.nanoseconds[0] = rm_backing_read32(memory, at);
	n.timeStamp.nanoseconds[1] = rm_backing_read32(memory, at + 4);
	n.info32 = rm_backing_read32(memory, at + 8);
	n.info16 = (u16)last;
	n.status = (u16)(last >> 16);
	return n;
}

static void test_token_notifier(void **state)
{
	NVC36F_CTRL_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX_PARAMS index = { 0 };
	NV_CHANNEL_ALLOC_PARAMS p = params_of(1);
	NvNotification n;

	p.hObjectError = SYSTEM_NOTIFIER;
	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_int_equal(make_channel(GROUP, CHANNEL + 1, p), NV_OK);
	assert_int_equal(token_of(CHANNEL + 1), 1);
	n = read_notifier(SYSTEM_NOTIFIER, NV_CHANNELGPFIFO_NOTIFICATION_TYPE_WORK_SUBMIT_TOKEN);
	assert_int_equal(n.info32, 1);
	assert_int_equal(n.status, 0xffff);
	assert_true(n.timeStamp.nanoseconds[0] || n.timeStamp.nanoseconds[1]);
#define SET ASK(CHANNEL + 1, NVC36F_CTRL_CMD_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX, index)
	assert_int_equal(SET, NV_ERR_INVALID_ARGUMENT);
	index.index = 256;
	assert_int_equal(SET, NV_ERR_OUT_OF_RANGE);
	index.index = ~0u;
	assert_int_equal(SET, NV_ERR_OUT_OF_RANGE);
	index.index = 255;
	assert_int_equal(SET, NV_OK);
#undef SET
	token_of(CHANNEL + 1);
	assert_int_equal(read_notifier(SYSTEM_NOTIFIER, 255).info32, 1);
}

/* An error of one channel is told to all of its group, and to nobody else. */
/* What the firmware says next. */
static bool channel_error(u32 engine_type, u32 chid, u32 exception, u32 scope)
{
	struct rm_gpu *g = host.rm_gpus[0];

	return rm_gpu_channel_error(g, engine_type, chid, exception, scope, g->event_number + 1);
}

static void test_error(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p = params_of(1);
	NvNotification n;

	make_group_and_share();
	make_memory(0x500, NV01_MEMORY_LOCAL_USER, 4096);
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	p.hObjectError = SYSTEM_NOTIFIER;
	assert_int_equal(make_channel(GROUP, CHANNEL + 1, p), NV_OK);
	p = params_of(2);
	p.hObjectError = 0x500;
	p.hContextShare = 0;
	p.engineType = NV2080_ENGINE_TYPE_COPY2;
	assert_int_equal(make_channel(DEVICE, CHANNEL + 2, p), NV_OK);

	assert_true(channel_error(NV2080_ENGINE_TYPE_GR0, 1, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT,
				  RC_NOTIFIER_SCOPE_TSG));
	n = read_notifier(NOTIFIER, 0);
	assert_int_equal(n.info32, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_int_equal(n.info16, NV2080_ENGINE_TYPE_GR0);
	assert_int_equal(n.status, 0xffff);
	assert_memory_equal(&n.info32, &(NvV32){ 31 }, sizeof(n.info32));
	assert_int_equal(read_notifier(SYSTEM_NOTIFIER, 0).info32, 31);
	assert_int_equal(read_notifier(0x500, 0).status, 0);

	/* One channel alone. */
	assert_true(channel_error(NV2080_ENGINE_TYPE_GR0, 0, ROBUST_CHANNEL_GR_EXCEPTION,
				  RC_NOTIFIER_SCOPE_CHANNEL));
	assert_int_equal(read_notifier(NOTIFIER, 0).info32, 13);
	assert_int_equal(read_notifier(SYSTEM_NOTIFIER, 0).info32, 31);
	/* Another runlist has ids of its own; no engine and no id lead to none. */
	assert_true(channel_error(NV2080_ENGINE_TYPE_COPY2, 0, ROBUST_CHANNEL_CE2_ERROR,
				  RC_NOTIFIER_SCOPE_TSG));
	assert_int_equal(read_notifier(0x500, 0).info32, ROBUST_CHANNEL_CE2_ERROR);
	assert_false(channel_error(NV2080_ENGINE_TYPE_GR0, 7, 31, 1));
	assert_false(channel_error(NV2080_ENGINE_TYPE_GR0, ~0u, 31, 1));
	assert_false(channel_error(~0u, 0, 31, 1));
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_false(channel_error(NV2080_ENGINE_TYPE_GR0, 0, 31, 1));
}

/* The event that says so was received before the channel had its id: it was another's. */
static void test_error_before_birth(void **state)
{
	struct rm_gpu *g = host.rm_gpus[0];
	u64 before = g->event_number;

	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_false(rm_gpu_channel_error(g, NV2080_ENGINE_TYPE_GR0, 0, 31, RC_NOTIFIER_SCOPE_TSG,
					  before));
	assert_int_equal(rm_gpu_channel_pid(g, 0, 0, before), 0);
	assert_int_equal(read_notifier(NOTIFIER, 0).status, 0);
	assert_int_not_equal(rm_gpu_channel_pid(g, 0, 0, before + 1), 0);
	assert_true(channel_error(NV2080_ENGINE_TYPE_GR0, 0, 31, RC_NOTIFIER_SCOPE_TSG));
	assert_int_equal(read_notifier(NOTIFIER, 0).status, 0xffff);
}

static void wait_for_error(u32 notifier)
{
	u32 i;

	for (i = 0; i < 5000 && read_notifier(notifier, 0).status != 0xffff; i++)
		usleep(1000);
	assert_int_equal(read_notifier(notifier, 0).status, 0xffff);
}

static int make_event(u32 parent, u32 handle, u32 index)
{
	int fd = host_open(RM_NODE_GPU, 0);
	nv_ioctl_register_fd_t owner = { .ctl_fd = host_program.ctl };
	nv_ioctl_alloc_os_event_t os_event = { .hClient = host_program.client, .fd = (NvU32)fd };
	NV0005_ALLOC_PARAMETERS p = {
		.hParentClient = host_program.client,
		.hSrcResource = parent,
		.hClass = NV01_EVENT_OS_EVENT,
		.notifyIndex = index,
		.data = (NvP64)(u64)(u32)fd,
	};

	assert_int_equal(host_ioctl(fd, NV_ESC_REGISTER_FD, &owner, sizeof(owner)), RM_IOCTL_OK);
	assert_int_equal(host_ioctl(fd, NV_ESC_ALLOC_OS_EVENT, &os_event, sizeof(os_event)),
			 RM_IOCTL_OK);
	assert_int_equal(os_event.Status, NV_OK);
	assert_int_equal(host_make(parent, handle, NV01_EVENT_OS_EVENT, &p), NV_OK);
	return fd;
}

static bool polled(int fd)
{
	int i;

	for (i = 0; i < 2000; i++) {
		if (rm_file_poll(host.fds[fd].file))
			return true;
		usleep(1000);
	}
	return false;
}

/*
 * The GPU itself: work at an address that is mapped nowhere faults, and the firmware's report finds
 * notifiers and events of the whole group; another group's channel goes on.
 */
static void test_fault(void **state)
{
	NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NV906F_CTRL_EVENT_SET_NOTIFICATION_PARAMS arm = {
		.event = NV906F_NOTIFIERS_RC,
		.action = NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE,
	};
	NV_CHANNEL_ALLOC_PARAMS p = params_of(1);
	int fd;

	make_group_and_share();
	make_memory(0x500, NV01_MEMORY_LOCAL_USER, 4096);
	assert_int_equal(make_group(GROUP + 2, NV2080_ENGINE_TYPE_GR0), NV_OK);
	assert_int_equal(make_share(GROUP + 2, SHARE + 2, NULL), NV_OK);
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	p.hObjectError = SYSTEM_NOTIFIER;
	assert_int_equal(make_channel(GROUP, CHANNEL + 1, p), NV_OK);
	p = params_of(2);
	p.hObjectError = 0x500;
	p.hContextShare = SHARE + 2;
	assert_int_equal(make_channel(GROUP + 2, CHANNEL + 2, p), NV_OK);
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, schedule), NV_OK);
	assert_int_equal(ASK(GROUP + 2, NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, schedule), NV_OK);
	assert_int_equal(ASK(CHANNEL + 1, NV906F_CTRL_CMD_EVENT_SET_NOTIFICATION, arm),
			 NV_ERR_INVALID_STATE);
	fd = make_event(CHANNEL + 1, OBJECT, NV906F_NOTIFIERS_RC);
	assert_int_equal(ASK(CHANNEL + 1, NV906F_CTRL_CMD_EVENT_SET_NOTIFICATION, arm), NV_OK);
	assert_int_equal(ASK(CHANNEL + 1, NV906F_CTRL_CMD_EVENT_SET_NOTIFICATION, arm),
			 NV_ERR_INVALID_STATE);

	/* GPPut of the first channel, and the driver's own doorbell. */
	rm_backing_write32(host_backing(MEMORY), 0x2000 + USERD_GP_PUT, 1);
	h100_bar_write(host.gpus[0].model, 0, DOORBELL, 4, token_of(CHANNEL));
	wait_for_error(NOTIFIER);
	wait_for_error(SYSTEM_NOTIFIER);
	assert_int_equal(read_notifier(NOTIFIER, 0).info32, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_true(polled(fd));
	assert_int_equal(read_notifier(0x500, 0).status, 0);
	/* It can be taken down, and made anew. */
	assert_int_equal(host_drop(GROUP), NV_OK);
	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
}

static void test_stop(void **state)
{
	NVA06F_CTRL_STOP_CHANNEL_PARAMS stop = { .bImmediate = 1 };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS reset = { .resetReason = 3 };

	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_int_equal(ASK(CHANNEL, NV906F_CTRL_CMD_RESET_CHANNEL, reset),
			 NV_ERR_INVALID_PARAMETER);
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_STOP_CHANNEL, stop), NV_OK);
	assert_int_equal(read_notifier(NOTIFIER, 0).info32, ROBUST_CHANNEL_PREEMPTIVE_REMOVAL);
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, schedule),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(ASK(GROUP, NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, schedule),
			 NV_ERR_INVALID_STATE);
}

static u32 start_selected(const u32 *handles, u32 count)
{
	NV0080_CTRL_FIFO_CHANNEL list[4] = { { 0 } };
	NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS p = {
		.fifoStartChannelListCount = count,
		.fifoStartChannelList = (NvP64)(uintptr_t)list,
	};
	u32 i;

	for (i = 0; i < count; i++)
		list[i].hChannel = handles[i];
	return ASK(DEVICE, NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS, p);
}

/* A list of channels starts no more than each by itself. */
static void test_start_selected(void **state)
{
	NVA06F_CTRL_STOP_CHANNEL_PARAMS stop = { .bImmediate = 1 };
	const u32 both[] = { CHANNEL, CHANNEL + 1 }, not_one[] = { CHANNEL, MEMORY };

	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_int_equal(make_channel(GROUP, CHANNEL + 1, params_of(1)), NV_OK);
	assert_int_equal(start_selected(both, 2), NV_OK);
	assert_int_equal(start_selected(not_one, 2), NV_ERR_INVALID_ARGUMENT);
	/* As unified memory stops it. */
	rm_channel_stop(host_channel(CHANNEL + 1));
	assert_int_equal(start_selected(both, 2), NV_ERR_INVALID_STATE);
	assert_int_equal(start_selected(both, 1), NV_OK);
	assert_int_equal(ASK(CHANNEL, NVA06F_CTRL_CMD_STOP_CHANNEL, stop), NV_OK);
	assert_int_equal(start_selected(both, 1), NV_ERR_INVALID_STATE);
}

/* -- Many, and none to spare ------------------------------------------------------------------- */

static void test_many(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p;
	u32 i;

	make_group_and_share();
	for (i = 0; i < 1000; i++) {
		p = params_of(i);
		p.userdOffset[0] = RM_USERD_BYTES * i;
		assert_int_equal(make_channel(GROUP, CHANNEL + i, p), NV_OK);
	}
	for (i = 0; i < 1000; i += 97)
		assert_int_equal(token_of(CHANNEL + i), i);
	assert_true(channel_error(NV2080_ENGINE_TYPE_GR0, 999, 31, 1));
	assert_int_equal(host_drop(GROUP), NV_OK);
	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_int_equal(token_of(CHANNEL), 0);
}

static void test_failing_allocations(void **state)
{
	u32 status, i, step;

	for (step = 0; step < 4; step++) {
		status = NV_ERR_GENERIC;
		for (i = 1; i < 400 && status != NV_OK; i++) {
			os_user_fail_alloc_thread(i);
			if (step == 0)
				status = make_group(GROUP, NV2080_ENGINE_TYPE_GR0);
			else if (step == 1)
				status = make_share(GROUP, SHARE, NULL);
			else if (step == 2)
				status = make_channel(GROUP, CHANNEL, params_of(0));
			else
				status = host_make(CHANNEL, OBJECT, HOPPER_COMPUTE_A, NULL);
			os_user_fail_alloc_thread(0);
		}
		assert_int_equal(status, NV_OK);
		assert_true(i > 2);
	}
	assert_int_equal(token_of(CHANNEL), 0);
}

/* The GPU goes while channels are there: nothing is left, and clients free dead handles. */
static void test_removal(void **state)
{
	make_group_and_share();
	assert_int_equal(make_channel(GROUP, CHANNEL, params_of(0)), NV_OK);
	assert_int_equal(host_make(CHANNEL, OBJECT, HOPPER_COMPUTE_A, NULL), NV_OK);
	host_remove(0);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_int_equal(host_drop(GROUP), NV_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_context),
		T(test_lists),
		T(test_bad_groups),
		T(test_shares),
		T(test_bad_channels),
		T(test_single_channel),
		T(test_default_space),
		T(test_any_order),
		T(test_token_notifier),
		T(test_error),
		T(test_error_before_birth),
		T(test_stop),
		T(test_start_selected),
		T(test_fault),
		T(test_many),
		T(test_failing_allocations),
		T(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
