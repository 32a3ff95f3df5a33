// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a caller shall not get: rights of the driver through its older commands, and bytes of the
 * driver's memory.
 */
#include "base/bits.h"
#include "rm/escape/escape.h"
#include "rm/gpu/gpu.h"
#include "rm_host.h"
#include "unit.h"

static const struct os_cred user = { .pid = 4711, .uid = 1000, .gid = 1000 };

static int start(void **state)
{
	host_start(1);
	return 0;
}

/* -- Older commands ---------------------------------------------------------------------------- */

static u32 heap_alloc(int ctl, u32 client, u32 device, u32 attr2, u32 *memory)
{
	NVOS32_PARAMETERS p = {
		.hRoot = client,
		.hObjectParent = device,
		.function = NVOS32_FUNCTION_ALLOC_SIZE,
	};

	p.data.AllocSize.owner = 1;
	p.data.AllocSize.size = MIB(1);
	p.data.AllocSize.attr2 = attr2;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &p, sizeof(p)), RM_IOCTL_OK);
	*memory = p.data.AllocSize.hMemory;
	return p.status;
}

static void test_old_heap_has_the_callers_rights(void **state)
{
	const u32 offlining_off =
		(u32)REG_PREP(NVOS32_ATTR2_PAGE_OFFLINING, NVOS32_ATTR2_PAGE_OFFLINING_OFF);
	int ctl, gpu, other;
	u32 client, device = 0xd0, memory = 0;
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = MIB(1), .attr2 = offlining_off };

	os_user_set_cred(&user);
	ctl = host_open(RM_NODE_CONTROL, 0);
	other = host_open(RM_NODE_CONTROL, 0);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	client = host_client(ctl);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	/* Where RM_ALLOC says no, so does the older command. */
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(heap_alloc(ctl, client, device, offlining_off, &memory),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(heap_alloc(ctl, client, device, 0, &memory), NV_OK);
	assert_int_equal(host_free(ctl, client, memory), NV_OK);
	/* Another file's client is out of reach. */
	assert_int_equal(heap_alloc(other, client, device, 0, &memory), NV_ERR_INVALID_CLIENT);
}

static void test_old_controls_have_the_callers_clients(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), other = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl);
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS p = { .sizeOfStrings = 0 };

	assert_int_equal(host_control(ctl, client, client, NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION,
				      &p, sizeof(p)),
			 NV_OK);
	assert_true(p.sizeOfStrings > 0);
	assert_int_equal(host_control(other, client, client,
				      NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION, &p, sizeof(p)),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(host_control(ctl, client, 0xbad, NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION,
				      &p, sizeof(p)),
			 NV_ERR_OBJECT_NOT_FOUND);
}

/* -- Padding ----------------------------------------------------------------------------------- */

/* What the next function finds on its stack. */
static void __attribute__((noinline)) soil_stack(void)
{
	volatile u8 dirt[4096];
	u32 i;

	for (i = 0; i < sizeof(dirt); i++)
		dirt[i] = 0xa5;
}

static void test_event_data_has_no_strange_bytes(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0, subdevice = 0, event = 0;
	enum rm_ioctl_result result;
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV2080_ALLOC_PARAMETERS s = { .subDeviceId = 0 };
	nv_ioctl_alloc_os_event_t os_event = { .hClient = client, .fd = 5 };
	NV0005_ALLOC_PARAMETERS params = {
		.hParentClient = client,
		.hClass = NV01_EVENT_OS_EVENT,
		.notifyIndex = NV2080_NOTIFIERS_SW,
		.data = 5,
	};
	NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS arm = {
		.event = NV2080_NOTIFIERS_SW,
		.action = NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT,
	};
	u8 got[sizeof(NvUnixEvent)];
	const size_t padding = offsetof(NvUnixEvent, info16) + sizeof(u16);
	NVOS41_PARAMETERS p = { .pEvent = (u64)(uintptr_t)got };

	assert_true(gpu >= 0 && padding < sizeof(got));
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &subdevice, NV20_SUBDEVICE_0, &s, 0),
			 NV_OK);
	assert_int_equal(host_ioctl(ctl, NV_ESC_ALLOC_OS_EVENT, &os_event, sizeof(os_event)),
			 RM_IOCTL_OK);
	params.hSrcResource = subdevice;
	assert_int_equal(
		host_alloc(ctl, client, subdevice, &event, NV01_EVENT_OS_EVENT, &params, 0), NV_OK);
	assert_int_equal(host_control(ctl, client, subdevice,
				      NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION, &arm, sizeof(arm)),
			 NV_OK);
	assert_int_equal(
		host_control(ctl, client, subdevice, NV2080_CTRL_CMD_EVENT_SET_TRIGGER, NULL, 0),
		NV_OK);
	memset(got, 0x5a, sizeof(got));
	/* Not by an ioctl, on whose way others clean that part of the stack. */
	soil_stack();
	result = escape_get_event_data(host.fds[ctl].file, &p, sizeof(p));
	assert_int_equal(result, RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	for (size_t i = padding; i < sizeof(got); i++)
		assert_int_equal(got[i], 0);
}

/* -- Accounting of processes ------------------------------------------------------------------- */

static u32 accounting(int ctl, u32 client)
{
	NV0000_CTRL_GPUACCT_GET_ACCOUNTING_STATE_PARAMS p = { .gpuId = host.rm_gpus[0]->gpu_id,
							      .state = 77 };
	u32 status = host_control(ctl, client, client, NV0000_CTRL_CMD_GPUACCT_GET_ACCOUNTING_STATE,
				  &p, sizeof(p));

	return status == NV_OK ? p.state : ~status;
}

static u32 account(int ctl, u32 client, u32 id, u32 mode)
{
	NV0000_CTRL_GPUACCT_SET_ACCOUNTING_STATE_PARAMS p = { .gpuId = id, .newState = mode };

	return host_control(ctl, client, client, NV0000_CTRL_CMD_GPUACCT_SET_ACCOUNTING_STATE, &p,
			    sizeof(p));
}

static void test_accounting_mode(void **state)
{
	static NV0000_CTRL_GPUACCT_GET_ACCOUNTING_PIDS_PARAMS pids;
	NV0000_CTRL_GPUACCT_GET_PROC_ACCOUNTING_INFO_PARAMS info = { .pid = 4711 };
	NV0000_CTRL_GPUACCT_CLEAR_ACCOUNTING_DATA_PARAMS clear = { 0 };
	const u32 on = NV0000_CTRL_GPU_ACCOUNTING_STATE_ENABLED;
	const u32 off = NV0000_CTRL_GPU_ACCOUNTING_STATE_DISABLED;
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu;
	u32 id = host.rm_gpus[0]->gpu_id, client = host_client(ctl);

	/* Of a GPU that nobody has open there is nothing to tell. */
	assert_int_equal(account(ctl, client, id, on), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(accounting(ctl, client), ~(u32)NV_ERR_INVALID_ARGUMENT);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	assert_int_equal(accounting(ctl, client), off);
	assert_int_equal(account(ctl, client, id + 1, on), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(account(ctl, client, id, 2), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(account(ctl, client, id, on), NV_OK);
	assert_int_equal(accounting(ctl, client), on);

	/* All may ask, the administrator alone may tell. */
	os_user_set_cred(&user);
	assert_int_equal(account(ctl, client, id, off), NV_ERR_INSUFFICIENT_PERMISSIONS);
	clear.gpuId = id;
	assert_int_equal(host_control(ctl, client, client,
				      NV0000_CTRL_CMD_GPUACCT_CLEAR_ACCOUNTING_DATA, &clear,
				      sizeof(clear)),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(accounting(ctl, client), on);
	pids.gpuId = info.gpuId = id;
	pids.pidCount = 9;
	assert_int_equal(host_control(ctl, client, client,
				      NV0000_CTRL_CMD_GPUACCT_GET_ACCOUNTING_PIDS, &pids,
				      sizeof(pids)),
			 NV_OK);
	assert_int_equal(pids.pidCount, 0);
	assert_int_equal(host_control(ctl, client, client,
				      NV0000_CTRL_CMD_GPUACCT_GET_PROC_ACCOUNTING_INFO, &info,
				      sizeof(info)),
			 NV_ERR_OBJECT_NOT_FOUND);
	os_user_set_cred(NULL);
	assert_int_equal(host_control(ctl, client, client,
				      NV0000_CTRL_CMD_GPUACCT_CLEAR_ACCOUNTING_DATA, &clear,
				      sizeof(clear)),
			 NV_OK);
	assert_int_equal(accounting(ctl, client), on);
	assert_int_equal(account(ctl, client, id, off), NV_OK);
	assert_int_equal(accounting(ctl, client), off);
	assert_int_equal(account(ctl, client, id, on), NV_OK);

	/* It goes with the last user. */
	host_close(gpu);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	assert_int_equal(accounting(ctl, client), off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_old_heap_has_the_callers_rights, start,
						host_end),
		cmocka_unit_test_setup_teardown(test_old_controls_have_the_callers_clients, start,
						host_end),
		cmocka_unit_test_setup_teardown(test_event_data_has_no_strange_bytes, start,
						host_end),
		cmocka_unit_test_setup_teardown(test_accounting_mode, start, host_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
