// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What CUDA asks before it makes a context: engines, multiprocessors, capabilities, the page that
 * rings, and events of work done, which the GPU's interrupt tree is made to tell here.
 */
#include "abi/gh100.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE HOST_DEVICE
#define SUBDEVICE HOST_SUBDEVICE
#define OBJECT 0xf0u
#define TRIGGER (LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_TRIGGER)
#define ENABLED(leaf) (LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_SET(leaf))
#define LEAF (LH_INTR_VECTOR_NONSTALL / 32)
/* Order of engines: the graphics engine, then copy engines. */
#define VECTOR_GRAPHICS LH_INTR_VECTOR_NONSTALL
#define VECTOR_COPY(i) (LH_INTR_VECTOR_NONSTALL + 1 + (i))

#define ASK(object, cmd, p) host_ask(object, cmd, &(p), sizeof(p))

static int start(void **state)
{
	host_program_start(true);
	return 0;
}

/* -- Engines and multiprocessors --------------------------------------------------------------- */

static void test_engines(void **state)
{
	NV2080_CTRL_GPU_GET_ENGINES_V2_PARAMS engines = { 0 };
	NV2080_CTRL_CE_GET_ALL_CAPS_PARAMS caps = { 0 };
	NV2080_CTRL_CE_GET_CAPS_V2_PARAMS one = { .ceEngineType = NV2080_ENGINE_TYPE_COPY0 };
	u32 copies = 0, i;

	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_ENGINES_V2, engines), NV_OK);
	assert_int_equal(engines.engineList[0], NV2080_ENGINE_TYPE_GR0);
	for (i = 0; i < engines.engineCount; i++)
		copies += engines.engineList[i] - NV2080_ENGINE_TYPE_COPY0 <
			  NV2080_ENGINE_TYPE_COPY_SIZE;
	assert_int_equal(copies, 10);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_CE_GET_ALL_CAPS, caps), NV_OK);
	assert_int_equal(caps.present, 0x3ff);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_CE_GET_CAPS_V2, one), NV_OK);
	assert_memory_equal(one.capsTbl, caps.capsTbl[0], sizeof(one.capsTbl));
	one.ceEngineType = NV2080_ENGINE_TYPE_GR0;
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_CE_GET_CAPS_V2, one),
			 NV_ERR_INVALID_ARGUMENT);
}

static u32 gr_info(NV2080_CTRL_GR_INFO *list, u32 count)
{
	NV2080_CTRL_GR_GET_INFO_PARAMS p = {
		.grInfoListSize = count,
		.grInfoList = (NvP64)(uintptr_t)list,
	};

	return ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_INFO, p);
}

static void test_graphics_info(void **state)
{
	NV2080_CTRL_GR_INFO list[NV2080_CTRL_GR_INFO_MAX_SIZE + 1] = { { 0 } };
	NV2080_CTRL_GR_GET_INFO_V2_PARAMS v2 = { .grInfoListSize = 1 };
	u32 i;

	for (i = 0; i < NV2080_CTRL_GR_INFO_MAX_SIZE; i++)
		list[i].index = i;
	assert_int_equal(gr_info(list, NV2080_CTRL_GR_INFO_MAX_SIZE), NV_OK);
	assert_int_equal(list[NV2080_CTRL_GR_INFO_INDEX_SHADER_PIPE_SUB_COUNT].data, 132);
	assert_int_equal(list[NV2080_CTRL_GR_INFO_INDEX_SM_VERSION].data, 0x900);
	assert_int_equal(list[NV2080_CTRL_GR_INFO_INDEX_GPU_CORE_COUNT].data, 132 * 128);
	assert_int_equal(gr_info(list, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(gr_info(list, NV2080_CTRL_GR_INFO_MAX_SIZE + 1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(gr_info(NULL, 1), NV_ERR_INVALID_ARGUMENT);
	list[1].index = NV2080_CTRL_GR_INFO_INDEX_MAX + 1;
	assert_int_equal(gr_info(list, 2), NV_ERR_INVALID_ARGUMENT);
	v2.grInfoList[0].index = NV2080_CTRL_GR_INFO_INDEX_MAX_WARPS_PER_SM;
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_INFO_V2, v2), NV_OK);
	assert_int_equal(v2.grInfoList[0].data, 64);
	v2.grInfoListSize = ~0u;
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_INFO_V2, v2),
			 NV_ERR_INVALID_ARGUMENT);
}

/* Masks, counts and the order of the SMs tell of the same chip. */
static void test_multiprocessors(void **state)
{
	static NV2080_CTRL_GR_GET_GLOBAL_SM_ORDER_PARAMS order;
	NV2080_CTRL_GR_GET_GPC_MASK_PARAMS gpcs = { 0 };
	NV2080_CTRL_GR_GET_TPC_MASK_PARAMS tpcs = { 0 };
	NV2080_CTRL_GR_GET_NUM_TPCS_FOR_GPC_PARAMS count = { 0 };
	u32 total = 0, gpc, i;

	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_GPC_MASK, gpcs), NV_OK);
	for (gpc = 0; gpc < 32; gpc++) {
		tpcs.gpcId = count.gpcId = gpc;
		if (!(gpcs.gpcMask & 1u << gpc)) {
			assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_TPC_MASK, tpcs),
					 NV_ERR_INVALID_ARGUMENT);
			continue;
		}
		assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_TPC_MASK, tpcs), NV_OK);
		assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_NUM_TPCS_FOR_GPC, count),
				 NV_OK);
		assert_int_equal(count.numTpcs, __builtin_popcount(tpcs.tpcMask));
		total += count.numTpcs;
	}
	tpcs.gpcId = ~0u;
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_TPC_MASK, tpcs),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_GLOBAL_SM_ORDER, order), NV_OK);
	assert_int_equal(order.numSm, 132);
	assert_int_equal(order.numTpc, total);
	for (i = 0; i < order.numSm; i++)
		assert_true(gpcs.gpcMask & 1u << order.globalSmId[i].gpcId);
}

/* What CUDA cannot do without, though nothing in the answer matters to it. */
static void test_the_rest(void **state)
{
	NV0080_CTRL_HOST_GET_CAPS_V2_PARAMS host_caps;
	NV0080_CTRL_FB_GET_CAPS_V2_PARAMS memory_caps;
	NV0080_CTRL_FIFO_GET_CAPS_V2_PARAMS fifo_caps;
	NV2080_CTRL_GR_GET_CAPS_V2_PARAMS graphics_caps = { 0 };
	NV2080_CTRL_GR_GET_SM_ISSUE_RATE_MODIFIER_PARAMS rate = { 0 };
	NV0000_SYNC_GPU_BOOST_GROUP_INFO_PARAMS groups = { .groupCount = 9 };
	NV2080_CTRL_RC_GET_WATCHDOG_INFO_PARAMS watchdog = { 0 };
	NV2080_CTRL_MC_SERVICE_INTERRUPTS_PARAMS service = { .engines = ~0u };
	NV2080_CTRL_GR_GET_CTX_BUFFER_SIZE_PARAMS size = { .hChannel = OBJECT };
	closed_gpu_information information = { .count = 2 };
	u8 byte = 3;

	assert_int_equal(ASK(DEVICE, NV0080_CTRL_CMD_HOST_GET_CAPS_V2, host_caps), NV_OK);
	assert_int_equal(ASK(DEVICE, NV0080_CTRL_CMD_FB_GET_CAPS_V2, memory_caps), NV_OK);
	assert_int_equal(ASK(DEVICE, NV0080_CTRL_CMD_FIFO_GET_CAPS_V2, fifo_caps), NV_OK);
	assert_int_equal(fifo_caps.capsTbl[1] & 0x20, 0x20);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_CAPS_V2, graphics_caps), NV_OK);
	assert_true(graphics_caps.bCapsPopulated);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_SM_ISSUE_RATE_MODIFIER, rate),
			 NV_OK);
	assert_int_equal(
		ASK(host_program.client, NV0000_CTRL_CMD_SYNC_GPU_BOOST_GROUP_INFO, groups), NV_OK);
	assert_int_equal(groups.groupCount, 0);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_RC_GET_WATCHDOG_INFO, watchdog), NV_OK);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_MC_SERVICE_INTERRUPTS, service), NV_OK);
	assert_int_equal(ASK(SUBDEVICE, 0x20808159, information), NV_OK);
	information.count = 42;
	assert_int_equal(ASK(SUBDEVICE, 0x20808159, information), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(DEVICE, 0x00809909, byte), NV_OK);
	assert_int_equal(byte, 3);
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_CTX_BUFFER_SIZE, size),
			 NV_ERR_OBJECT_NOT_FOUND);
	size.hChannel = DEVICE;
	assert_int_equal(ASK(SUBDEVICE, NV2080_CTRL_CMD_GR_GET_CTX_BUFFER_SIZE, size),
			 NV_ERR_INVALID_OBJECT_HANDLE);
}

/* The lists that CUDA asks for, with the very indices. */
static void test_lists(void **state)
{
	static const u8 memory[][8] = { { 0x8 },
					{ 0x16, 0x9, 0x10 },
					{ 0xb, 0x19, 0x1b, 0x18, 0xd, 0x17, 0x8 },
					{ 0x1a, 0x22, 0x23 } };
	static const u8 memory_counts[] = { 1, 3, 7, 3 };
	static const u8 gpu_indices[] = {
		0x11, 0x22, 0x26, 0x27, 0x2a, 0x37, 0x3b, 0x3c, 0x3d, 0x2d
	};
	static const u8 bus[][6] = { { 0, 2, 0xb }, { 0xf, 0x10, 0x2c, 0x2d, 3, 6 } };
	static const u8 bus_counts[] = { 3, 6 };
	u32 i, j, status;

	for (i = 0; i < ARRAY_SIZE(memory); i++) {
		NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = memory_counts[i] };

		for (j = 0; j < memory_counts[i]; j++)
			p.fbInfoList[j].index = memory[i][j];
		status = ASK(SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, p);
		if (status != NV_OK)
			fail_msg("memory list %u: %#x", i, status);
	}
	for (i = 0; i < ARRAY_SIZE(bus); i++) {
		NV2080_CTRL_BUS_GET_INFO_V2_PARAMS p = { .busInfoListSize = bus_counts[i] };

		for (j = 0; j < bus_counts[i]; j++)
			p.busInfoList[j].index = bus[i][j];
		status = ASK(SUBDEVICE, NV2080_CTRL_CMD_BUS_GET_INFO_V2, p);
		if (status != NV_OK)
			fail_msg("bus list %u: %#x", i, status);
	}
	for (i = 0; i < ARRAY_SIZE(gpu_indices); i++) {
		NV2080_CTRL_GPU_GET_INFO_V2_PARAMS p = { .gpuInfoListSize = 1 };

		p.gpuInfoList[0].index = gpu_indices[i];
		status = ASK(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_INFO_V2, p);
		if (status != NV_OK)
			fail_msg("GPU information %#x: %#x", gpu_indices[i], status);
	}
}

/* -- The page that rings ----------------------------------------------------------------------- */

static void test_usermode(void **state)
{
	NV_HOPPER_USERMODE_A_PARAMS p = { .bBar1Mapping = 1 };
	NV0000_CTRL_CLIENT_GET_ADDR_SPACE_TYPE_PARAMS type = { .hObject = OBJECT };
	u64 held = unit_live_settled();

	assert_int_equal(host_make(SUBDEVICE, OBJECT, HOPPER_USERMODE_A, NULL), NV_OK);
	assert_int_equal(host_make(SUBDEVICE, OBJECT + 1, HOPPER_USERMODE_A, &p), NV_OK);
	assert_int_equal(ASK(host_program.client, NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE, type),
			 NV_OK);
	assert_int_equal(type.addrSpaceType, NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_REGMEM);
	assert_int_equal(host_make(SUBDEVICE, OBJECT + 2, VOLTA_USERMODE_A, NULL), NV_OK);
	assert_int_equal(host_make(DEVICE, OBJECT + 3, HOPPER_USERMODE_A, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	p.bPriv = 1;
	assert_int_equal(host_make(SUBDEVICE, OBJECT + 3, HOPPER_USERMODE_A, &p),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	p.bBar1Mapping = 0;
	assert_int_equal(host_make(SUBDEVICE, OBJECT + 3, HOPPER_USERMODE_A, &p),
			 NV_ERR_INVALID_PARAMETER);
	assert_int_equal(host_drop(OBJECT + 1), NV_OK);
	assert_int_equal(host_drop(OBJECT), NV_OK);
	assert_int_equal(host_drop(OBJECT + 2), NV_OK);
	assert_true(unit_live_becomes(held));
}

/* -- Events of work done ----------------------------------------------------------------------- */

static u32 add_os_event(int fd)
{
	nv_ioctl_alloc_os_event_t p = { .hClient = host_program.client, .fd = (NvU32)fd };
	nv_ioctl_register_fd_t owner = { .ctl_fd = host_program.ctl };

	assert_int_equal(host_ioctl(fd, NV_ESC_REGISTER_FD, &owner, sizeof(owner)), RM_IOCTL_OK);
	assert_int_equal(host_ioctl(fd, NV_ESC_ALLOC_OS_EVENT, &p, sizeof(p)), RM_IOCTL_OK);
	return p.Status;
}

static u32 make_event(u32 parent, u32 handle, u32 index, int fd)
{
	NV0005_ALLOC_PARAMETERS p = {
		.hParentClient = host_program.client,
		.hSrcResource = parent,
		.hClass = NV01_EVENT_OS_EVENT,
		.notifyIndex = index,
		.data = (NvP64)(u64)(u32)fd,
	};

	return host_make(parent, handle, NV01_EVENT_OS_EVENT, &p);
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

static void ring(u32 vector)
{
	h100_bar_write(host.gpus[0].model, 0, (u32)TRIGGER, 4, vector);
}

static u32 enabled(void)
{
	return (u32)h100_bar_read(host.gpus[0].model, 0, (u32)ENABLED(LEAF), 4);
}

static void test_nonstall_events(void **state)
{
	const u32 flags = 0x38000000;
	int graphics = host_open(RM_NODE_GPU, 0), copy = host_open(RM_NODE_GPU, 0);

	assert_int_equal(add_os_event(graphics), NV_OK);
	assert_int_equal(add_os_event(copy), NV_OK);
	assert_int_equal(enabled(), 0);
	/* What came before anybody waited is nobody's. */
	ring(VECTOR_GRAPHICS);
	assert_int_equal(
		make_event(SUBDEVICE, OBJECT, flags | NV2080_NOTIFIERS_FIFO_EVENT_MTHD, graphics),
		NV_OK);
	assert_int_equal(make_event(SUBDEVICE, OBJECT + 1, flags | NV2080_NOTIFIERS_CE0, copy),
			 NV_OK);
	assert_int_equal(enabled(), 3);
	assert_false(rm_file_poll(host.fds[graphics].file));

	ring(VECTOR_GRAPHICS);
	assert_true(polled(graphics));
	assert_false(rm_file_poll(host.fds[copy].file));
	ring(VECTOR_COPY(0));
	assert_true(polled(copy));
	assert_false(rm_file_poll(host.fds[graphics].file));

	/* Another engine's index, one of none, and an object that is no subdevice. */
	assert_int_equal(make_event(SUBDEVICE, OBJECT + 2, flags | NV2080_NOTIFIERS_CE3, copy),
			 NV_OK);
	assert_int_equal(enabled(), 3 | 1u << 4);
	assert_int_equal(make_event(SUBDEVICE, OBJECT + 3, flags | NV2080_NOTIFIERS_HOTPLUG, copy),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(
		make_event(host_program.client, OBJECT + 3, flags | NV2080_NOTIFIERS_CE3, copy),
		NV_ERR_INVALID_ARGUMENT);

	assert_int_equal(host_drop(OBJECT), NV_OK);
	assert_int_equal(enabled(), 2 | 1u << 4);
	ring(VECTOR_GRAPHICS);
	ring(VECTOR_COPY(0));
	assert_true(polled(copy));
	assert_false(rm_file_poll(host.fds[graphics].file));
	assert_int_equal(host_drop(SUBDEVICE), NV_OK);
	assert_int_equal(enabled(), 0);
}

/* Each allocation fails once; until all succeed, nobody waits for the vector. host_end finds leaks.
 */
static void test_failing_allocations(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0);
	u32 status = NV_ERR_GENERIC, i;

	assert_int_equal(add_os_event(fd), NV_OK);
	for (i = 1; i < 200 && status != NV_OK; i++) {
		os_user_fail_alloc_thread(i);
		status = make_event(SUBDEVICE, OBJECT, 0x38000000u | NV2080_NOTIFIERS_CE0, fd);
		os_user_fail_alloc_thread(0);
		if (status != NV_OK)
			assert_int_equal(enabled(), 0);
	}
	assert_true(i > 3);
	assert_int_equal(status, NV_OK);
	assert_int_equal(enabled(), 2);
	assert_int_equal(host_drop(OBJECT), NV_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_engines),	 T(test_graphics_info),
		T(test_multiprocessors), T(test_the_rest),
		T(test_lists),		 T(test_usermode),
		T(test_nonstall_events), T(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
