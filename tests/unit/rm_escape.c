// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The commands of the device nodes, rows I1 to I9: every way in which each may go wrong, and what
 * is left behind when allocations fail.
 */
#include "rm/gpu/gpu.h"
#include "rm/instance.h"
#include "rm_host.h"
#include "unit.h"

static int start(void **state)
{
	host_start(2);
	return 0;
}

static int start_bare(void **state)
{
	host_start(0);
	return 0;
}

static void be_user(u32 uid)
{
	struct os_cred cred = { .pid = 1000 + uid, .uid = uid, .gid = uid, .admin = uid == 0 };

	os_user_set_cred(&cred);
}

#define BAD_POINTER ((void *)(uintptr_t)0x10)

/* -- I1, I9: entry --------------------------------------------------------------------------------
 */

static void test_unknown_number(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 numbers[] = {
		0, 0x26, 0x2c, 0x32, 0x33, 0x37, 0x38, 0x56, 0x5c, 0x5d, 0x60, 0xcd, 0xff
	};
	u8 data[16], same[16];
	u32 i;

	memset(data, 0x5a, sizeof(data));
	memset(same, 0x5a, sizeof(same));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(host_ioctl(ctl, numbers[i], data, sizeof(data)), RM_IOCTL_EINVAL);
		assert_memory_equal(data, same, sizeof(data));
	}
}

static void test_copy_faults(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_CONTROL, BAD_POINTER, 32), RM_IOCTL_EFAULT);
	assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, BAD_POINTER, 2304), RM_IOCTL_EFAULT);
	/* Nothing to copy, nothing to fault on. */
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_CONTROL, BAD_POINTER, 0), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, BAD_POINTER, 0), RM_IOCTL_OK);
}

static void test_xfer(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	nv_ioctl_rm_api_version_t version = { .cmd = NV_RM_API_VERSION_CMD_QUERY };
	nv_ioctl_xfer_t xfer = {
		.cmd = NV_ESC_CHECK_VERSION_STR,
		.size = sizeof(version),
		.ptr = (u64)(uintptr_t)&version,
	};
	static u8 large[16384];

	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), RM_IOCTL_OK);
	assert_string_equal(version.versionString, RM_DEFAULT_VERSION);

	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer) - 1),
			 RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer) + 1),
			 RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, BAD_POINTER, sizeof(xfer)),
			 RM_IOCTL_EFAULT);
	xfer.ptr = (u64)(uintptr_t)BAD_POINTER;
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)),
			 RM_IOCTL_EFAULT);
	xfer.size = 16385;
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)),
			 RM_IOCTL_EINVAL);
	/* The largest is fine, and an inner XFER is a number like any other. */
	xfer = (nv_ioctl_xfer_t){ .cmd = NV_ESC_CARD_INFO,
				  .size = sizeof(large),
				  .ptr = (u64)(uintptr_t)large };
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), RM_IOCTL_OK);
	xfer.cmd = NV_ESC_IOCTL_XFER_CMD;
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)),
			 RM_IOCTL_EINVAL);
	xfer.cmd = 0x10000 + NV_ESC_CARD_INFO;
	assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)),
			 RM_IOCTL_EINVAL);
	if (os_user_fail_alloc_thread(1)) {
		xfer.cmd = NV_ESC_CARD_INFO;
		assert_int_equal(host_ioctl(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)),
				 RM_IOCTL_ENOMEM);
	}
}

static void test_power_lock(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	nv_ioctl_rm_api_version_t version = { .cmd = NV_RM_API_VERSION_CMD_QUERY };

	rm_power_suspend(host.rm);
	os_user_signal_raise(&host.signal);
	assert_int_equal(host_ioctl(ctl, NV_ESC_CHECK_VERSION_STR, &version, sizeof(version)),
			 RM_IOCTL_EINTR);
	/* The signal counts before the pointer does. */
	assert_int_equal(host_ioctl(ctl, NV_ESC_CHECK_VERSION_STR, BAD_POINTER, sizeof(version)),
			 RM_IOCTL_EINTR);
	os_user_signal_clear(&host.signal);
	rm_power_resume(host.rm);
	assert_int_equal(host_ioctl(ctl, NV_ESC_CHECK_VERSION_STR, &version, sizeof(version)),
			 RM_IOCTL_OK);
}

static void test_lost_gpu(void **state)
{
	int gpu = host_open(RM_NODE_GPU, 0);
	nv_ioctl_numa_info_t numa;

	assert_true(gpu >= 0);
	assert_int_equal(host_ioctl(gpu, NV_ESC_NUMA_INFO, &numa, sizeof(numa)), RM_IOCTL_OK);
	rm_gpu_lose(host.rm_gpus[0], RM_XID_OFF_BUS, "test");
	assert_int_equal(host_ioctl(gpu, NV_ESC_NUMA_INFO, &numa, sizeof(numa)), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(gpu, NV_ESC_NUMA_INFO, BAD_POINTER, sizeof(numa)),
			 RM_IOCTL_EINVAL);
	assert_true(host_open(RM_NODE_GPU, 0) < 0);
}

/* -- Sizes and nodes of every command
 * --------------------------------------------------------------- */

static const struct {
	u32 number;
	u32 size;
	bool on_control, on_gpu;
} shapes[] = {
	{ NV_ESC_REGISTER_FD, sizeof(nv_ioctl_register_fd_t), true, true },
	{ NV_ESC_ALLOC_OS_EVENT, sizeof(nv_ioctl_alloc_os_event_t), true, true },
	{ NV_ESC_FREE_OS_EVENT, sizeof(nv_ioctl_free_os_event_t), true, true },
	{ NV_ESC_STATUS_CODE, sizeof(nv_ioctl_status_code_t), true, false },
	{ NV_ESC_CHECK_VERSION_STR, sizeof(nv_ioctl_rm_api_version_t), true, false },
	{ NV_ESC_SYS_PARAMS, sizeof(nv_ioctl_sys_params_t), true, false },
	{ NV_ESC_NUMA_INFO, sizeof(nv_ioctl_numa_info_t), false, true },
	{ NV_ESC_EXPORT_TO_DMABUF_FD, sizeof(nv_ioctl_export_to_dma_buf_fd_t), false, true },
	{ NV_ESC_RM_ALLOC_MEMORY, sizeof(nv_ioctl_nvos02_parameters_with_fd), false, true },
	{ NV_ESC_RM_ALLOC_OBJECT, sizeof(NVOS05_PARAMETERS), true, false },
	{ NV_ESC_RM_FREE, sizeof(NVOS00_PARAMETERS), true, false },
	{ NV_ESC_RM_CONTROL, sizeof(NVOS54_PARAMETERS), true, false },
	{ NV_ESC_RM_DUP_OBJECT, sizeof(NVOS55_PARAMETERS), true, false },
	{ NV_ESC_RM_SHARE, sizeof(NVOS57_PARAMETERS), true, false },
	{ NV_ESC_RM_I2C_ACCESS, sizeof(NVOS_I2C_ACCESS_PARAMS), false, true },
	{ NV_ESC_RM_IDLE_CHANNELS, sizeof(NVOS30_PARAMETERS), true, false },
	{ NV_ESC_RM_VID_HEAP_CONTROL, sizeof(NVOS32_PARAMETERS), true, false },
	{ NV_ESC_RM_ACCESS_REGISTRY, sizeof(NVOS38_PARAMETERS), true, false },
	{ NV_ESC_RM_MAP_MEMORY, sizeof(nv_ioctl_nvos33_parameters_with_fd), true, false },
	{ NV_ESC_RM_UNMAP_MEMORY, sizeof(NVOS34_PARAMETERS), true, false },
	{ NV_ESC_RM_GET_EVENT_DATA, sizeof(NVOS41_PARAMETERS), true, true },
	{ NV_ESC_RM_ALLOC_CONTEXT_DMA2, sizeof(NVOS39_PARAMETERS), true, false },
	{ NV_ESC_RM_MAP_MEMORY_DMA, sizeof(NVOS46_PARAMETERS), true, false },
	{ NV_ESC_RM_UNMAP_MEMORY_DMA, sizeof(NVOS47_PARAMETERS), true, false },
	{ NV_ESC_RM_BIND_CONTEXT_DMA, sizeof(NVOS49_PARAMETERS), true, false },
	{ NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO, sizeof(NVOS56_PARAMETERS), true, false },
};

static void test_shapes(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u8 data[4096], same[4096];
	u32 i;

	memset(same, 0xa5, sizeof(same));
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		s32 delta;

		for (delta = -1; delta <= 1; delta += 2) {
			memset(data, 0xa5, sizeof(data));
			assert_int_equal(
				host_ioctl(ctl, shapes[i].number, data, shapes[i].size + delta),
				RM_IOCTL_EINVAL);
			assert_int_equal(
				host_ioctl(gpu, shapes[i].number, data, shapes[i].size + delta),
				RM_IOCTL_EINVAL);
			assert_memory_equal(data, same, sizeof(data));
		}
		if (!shapes[i].on_control)
			assert_int_equal(host_ioctl(ctl, shapes[i].number, data, shapes[i].size),
					 RM_IOCTL_EINVAL);
		if (!shapes[i].on_gpu)
			assert_int_equal(host_ioctl(gpu, shapes[i].number, data, shapes[i].size),
					 RM_IOCTL_EINVAL);
	}
}

/* The two sizes of RM_ALLOC, and which classes may come from a device file. */
static void test_alloc_shape(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	NVOS64_PARAMETERS p = { .hClass = NV01_ROOT };
	u32 size;

	for (size = 0; size <= 64; size++) {
		if (size == sizeof(NVOS21_PARAMETERS) || size == sizeof(NVOS64_PARAMETERS))
			continue;
		assert_int_equal(host_ioctl(ctl, NV_ESC_RM_ALLOC, &p, size), RM_IOCTL_EINVAL);
	}
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_ALLOC, &p, sizeof(p)), RM_IOCTL_EINVAL);
	p.hClass = NV01_DEVICE_0;
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_ALLOC, &p, sizeof(p)), RM_IOCTL_EINVAL);
	p.hClass = NV01_EVENT_OS_EVENT;
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_ALLOC, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_ERR_INVALID_ARGUMENT); /* it needs parameters */
	/* Whatever root class was asked for, it is the client's. */
	p = (NVOS64_PARAMETERS){ .hClass = NV01_ROOT_NON_PRIV };
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_ALLOC, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	assert_int_equal(p.hClass, NV01_ROOT_CLIENT);
}

/* -- I2 to I4, STATUS_CODE ------------------------------------------------------------------------
 */

static void test_query_device_intr(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	nv_ioctl_query_device_intr p = { .status = 1 };

	assert_int_equal(host_ioctl(ctl, NV_ESC_QUERY_DEVICE_INTR, &p, sizeof(p)), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(gpu, NV_ESC_QUERY_DEVICE_INTR, &p, sizeof(p) - 1),
			 RM_IOCTL_EINVAL);
	assert_int_equal(p.status, 1);
	assert_int_equal(host_ioctl(gpu, NV_ESC_QUERY_DEVICE_INTR, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
}

static void test_card_info(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	nv_ioctl_card_info_t cards[4];

	memset(cards, 0xff, sizeof(cards));
	assert_int_equal(host_ioctl(gpu, NV_ESC_CARD_INFO, cards, sizeof(cards)), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards)), RM_IOCTL_OK);
	assert_int_equal(cards[0].valid, 1);
	assert_int_equal(cards[0].pci_info.vendor_id, 0x10de);
	assert_int_equal(cards[0].minor_number, 0);
	assert_int_equal(cards[1].valid, 1);
	assert_int_equal(cards[1].minor_number, 1);
	assert_int_not_equal(cards[0].gpu_id, cards[1].gpu_id);
	assert_true(cards[0].reg_size >= MIB(16));
	assert_int_equal(cards[2].valid, 0);
	assert_int_equal(cards[3].gpu_id, 0);

	memset(cards, 0xff, sizeof(cards));
	assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards[0])), RM_IOCTL_OK);
	assert_int_equal(cards[0].valid, 1);
	assert_int_equal(cards[1].gpu_id, 0xffffffff);
}

static u32 gpu_id_of(int ctl, u32 index)
{
	nv_ioctl_card_info_t cards[2];

	assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards)), RM_IOCTL_OK);
	return cards[index].gpu_id;
}

static void test_attach_gpus(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 1);
	u32 ids[4] = { gpu_id_of(ctl, 0), 0, 0xdead, 0 };
	u8 bytes[6] = { 0 };

	assert_int_equal(host_ioctl(gpu, NV_ESC_ATTACH_GPUS_TO_FD, ids, 4), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, bytes, 0), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, bytes, 3), RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, bytes, 6), RM_IOCTL_EINVAL);
	/* An unknown GPU: what was taken is let go, and the next attempt is a first one. */
	assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, 16), RM_IOCTL_EINVAL);
	assert_int_equal(host.rm_gpus[0]->users, 0);
	ids[2] = gpu_id_of(ctl, 1);
	assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, 16), RM_IOCTL_OK);
	assert_int_equal(host.rm_gpus[0]->users, 1);
	assert_int_equal(host.rm_gpus[1]->users, 2);
	assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, 16), RM_IOCTL_EINVAL);
	host_close(ctl);
	assert_int_equal(host.rm_gpus[0]->users, 0);
	assert_int_equal(host.rm_gpus[1]->users, 1);
}

static void test_status_code(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	nv_ioctl_card_info_t card;
	nv_ioctl_status_code_t p = { .bus = 0xee, .status = 7 };

	assert_int_equal(host_ioctl(ctl, NV_ESC_STATUS_CODE, &p, sizeof(p)), RM_IOCTL_EINVAL);
	assert_int_equal(p.status, 7);
	assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, &card, sizeof(card)), RM_IOCTL_OK);
	p = (nv_ioctl_status_code_t){ .domain = card.pci_info.domain,
				      .bus = card.pci_info.bus,
				      .slot = card.pci_info.slot,
				      .status = 7 };
	assert_int_equal(host_ioctl(ctl, NV_ESC_STATUS_CODE, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
}

/* -- I5 to I7
 * -------------------------------------------------------------------------------------- */

static enum rm_ioctl_result check_version(int ctl, u32 cmd, const char *text,
					  nv_ioctl_rm_api_version_t *p)
{
	memset(p, 0xff, sizeof(*p));
	p->cmd = cmd;
	p->reply = 77;
	memset(p->versionString, 'x', sizeof(p->versionString));
	strcpy(p->versionString, text);
	return host_ioctl(ctl, NV_ESC_CHECK_VERSION_STR, p, sizeof(*p));
}

static void test_check_version(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	nv_ioctl_rm_api_version_t p;

	assert_int_equal(check_version(ctl, 0, RM_DEFAULT_VERSION, &p), RM_IOCTL_OK);
	assert_int_equal(p.reply, NV_RM_API_VERSION_REPLY_RECOGNIZED);
	assert_int_equal(check_version(ctl, 0, "535.309", &p), RM_IOCTL_EINVAL);
	assert_int_equal(p.reply, NV_RM_API_VERSION_REPLY_RECOGNIZED);
	assert_string_equal(p.versionString, RM_DEFAULT_VERSION);
	assert_int_equal(check_version(ctl, 0, RM_DEFAULT_VERSION "1", &p), RM_IOCTL_EINVAL);
	assert_int_equal(check_version(ctl, '1', "535.1", &p), RM_IOCTL_OK);
	assert_string_equal(p.versionString, "535.1");
	assert_int_equal(check_version(ctl, '1', "536.1", &p), RM_IOCTL_EINVAL);
	assert_int_equal(check_version(ctl, '1', "535", &p), RM_IOCTL_EINVAL);
	assert_string_equal(p.versionString, RM_DEFAULT_VERSION);
	assert_int_equal(check_version(ctl, '2', "nothing", &p), RM_IOCTL_OK);
	assert_string_equal(p.versionString, RM_DEFAULT_VERSION);
	/* A text without an end is no reason to read on. */
	memset(&p, 'x', sizeof(p));
	p.cmd = 0;
	assert_int_equal(host_ioctl(ctl, NV_ESC_CHECK_VERSION_STR, &p, sizeof(p)), RM_IOCTL_EINVAL);
	assert_string_equal(p.versionString, RM_DEFAULT_VERSION);
}

static void test_sys_params(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	nv_ioctl_sys_params_t p = { .memblock_size = MIB(128) };

	assert_int_equal(host_ioctl(ctl, NV_ESC_SYS_PARAMS, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(host_ioctl(ctl, NV_ESC_SYS_PARAMS, &p, sizeof(p)), RM_IOCTL_OK);
	p.memblock_size = MIB(256);
	assert_int_equal(host_ioctl(ctl, NV_ESC_SYS_PARAMS, &p, sizeof(p)), RM_IOCTL_EBUSY);
	assert_int_equal(host_ioctl(ctl, NV_ESC_SYS_PARAMS, &p, 4), RM_IOCTL_EINVAL);
}

static enum rm_ioctl_result set_numa(int fd, s32 status)
{
	nv_ioctl_set_numa_status_t p = { .status = status };

	return host_ioctl(fd, NV_ESC_SET_NUMA_STATUS, &p, sizeof(p));
}

static void test_numa(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0), second;
	struct rm_numa *numa = &host.rm->numa[0];
	nv_ioctl_numa_info_t info;
	u8 byte = 0;

	assert_int_equal(host_ioctl(gpu, NV_ESC_NUMA_INFO, &info, sizeof(info)), RM_IOCTL_OK);
	assert_int_equal(info.nid, -1);
	assert_int_equal(info.status, NV_IOCTL_NUMA_STATUS_DISABLED);
	assert_int_equal(info.offline_addresses.numEntries, 0);

	/* No node: the state that there is, and no other. */
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_DISABLED), RM_IOCTL_OK);
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_ONLINE), RM_IOCTL_EINVAL);
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_OFFLINE_IN_PROGRESS), RM_IOCTL_EINVAL);
	assert_true(numa->online);
	assert_int_equal(host_ioctl(gpu, NV_ESC_SET_NUMA_STATUS, &byte, 1), RM_IOCTL_EINVAL);
	assert_int_equal(set_numa(ctl, NV_IOCTL_NUMA_STATUS_ONLINE), RM_IOCTL_EINVAL);
	be_user(7);
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_DISABLED), RM_IOCTL_EACCES);
	/* Rights before node and size. */
	assert_int_equal(set_numa(ctl, NV_IOCTL_NUMA_STATUS_DISABLED), RM_IOCTL_EACCES);
	assert_int_equal(host_ioctl(gpu, NV_ESC_SET_NUMA_STATUS, &byte, 1), RM_IOCTL_EACCES);
	os_user_set_cred(NULL);

	/* With a node. */
	numa->node = 1;
	numa->status = NV_IOCTL_NUMA_STATUS_ONLINE;
	second = host_open(RM_NODE_GPU, 0);
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_OFFLINE_IN_PROGRESS), RM_IOCTL_EBUSY);
	assert_true(numa->online);
	host_close(second);
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_OFFLINE_IN_PROGRESS), RM_IOCTL_OK);
	assert_false(numa->online);
	assert_int_equal(set_numa(gpu, NV_IOCTL_NUMA_STATUS_ONLINE), RM_IOCTL_OK);
	assert_true(numa->online);
	assert_int_equal(host_ioctl(gpu, NV_ESC_NUMA_INFO, &info, sizeof(info)), RM_IOCTL_OK);
	assert_int_equal(info.nid, 1);
	assert_int_equal(info.status, NV_IOCTL_NUMA_STATUS_ONLINE);
}

/* -- I8: files and events
 * --------------------------------------------------------------------------- */

static enum rm_ioctl_result register_fd(int fd, int ctl)
{
	nv_ioctl_register_fd_t p = { .ctl_fd = ctl };

	return host_ioctl(fd, NV_ESC_REGISTER_FD, &p, sizeof(p));
}

static void test_register_fd(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), other = host_open(RM_NODE_CONTROL, 0);
	int gpu = host_open(RM_NODE_GPU, 0), gpu2 = host_open(RM_NODE_GPU, 0);

	assert_int_equal(register_fd(gpu, -1), RM_IOCTL_EINVAL);
	assert_int_equal(register_fd(gpu, 55), RM_IOCTL_EINVAL);
	assert_int_equal(register_fd(gpu, gpu2), RM_IOCTL_EINVAL);
	assert_int_equal(register_fd(ctl, ctl), RM_IOCTL_EINVAL);
	assert_int_equal(register_fd(gpu, ctl), RM_IOCTL_OK);
	assert_int_equal(register_fd(gpu, ctl), RM_IOCTL_EINVAL);
	assert_int_equal(register_fd(gpu, other), RM_IOCTL_EINVAL);
	/* No chains. */
	assert_int_equal(register_fd(other, ctl), RM_IOCTL_OK);
	assert_int_equal(register_fd(gpu2, other), RM_IOCTL_EINVAL);
	/* The control file lives as long as who acts for it. */
	assert_int_equal(host.fds[ctl].references, 3);
	host_close(ctl);
	assert_non_null(host.fds[ctl].file);
	host_close(gpu);
	host_close(other);
	assert_null(host.fds[ctl].file);
}

static void test_registered_file_identity(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), other = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl), own;
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;

	assert_int_equal(host_control(ctl, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids,
				      sizeof(ids)),
			 NV_OK);
	assert_int_equal(host_control(other, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS,
				      &ids, sizeof(ids)),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(host_free(other, client, client), NV_ERR_INVALID_CLIENT);
	/* What it made before it acts for another file is out of its reach then, and goes with it.
	 */
	own = host_client(other);
	assert_int_equal(register_fd(other, ctl), RM_IOCTL_OK);
	assert_int_equal(host_free(other, own, own), NV_ERR_INVALID_CLIENT);
	assert_int_equal(host_control(other, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS,
				      &ids, sizeof(ids)),
			 NV_OK);
	/* Closing the file that acts frees nothing of the other's. */
	host_close(other);
	assert_int_equal(host_control(ctl, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids,
				      sizeof(ids)),
			 NV_OK);
}

static u32 os_event(int fd, u32 number, u32 client, u32 name)
{
	nv_ioctl_alloc_os_event_t p = { .hClient = client, .fd = name, .Status = 0xffff };

	assert_int_equal(host_ioctl(fd, number, &p, sizeof(p)), RM_IOCTL_OK);
	return p.Status;
}

static void test_os_events(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl);
	NVOS41_PARAMETERS data = { 0 };

	assert_int_equal(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 5), NV_ERR_INVALID_EVENT);
	assert_int_equal(os_event(gpu, NV_ESC_ALLOC_OS_EVENT, client, 5), NV_OK);
	assert_int_equal(os_event(ctl, NV_ESC_ALLOC_OS_EVENT, client, 5),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(os_event(ctl, NV_ESC_ALLOC_OS_EVENT, client, 6), NV_OK);
	/* Another user's names are another's. */
	be_user(9);
	assert_int_equal(os_event(ctl, NV_ESC_FREE_OS_EVENT, client, 5), NV_ERR_INVALID_EVENT);
	assert_int_equal(os_event(ctl, NV_ESC_ALLOC_OS_EVENT, client, 5), NV_OK);
	assert_int_equal(os_event(ctl, NV_ESC_FREE_OS_EVENT, client, 5), NV_OK);
	os_user_set_cred(NULL);
	assert_int_equal(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 5), NV_OK);
	assert_int_equal(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 5), NV_ERR_INVALID_EVENT);
	/* The client takes its names with it. */
	assert_int_equal(host_free(ctl, client, client), NV_OK);
	assert_int_equal(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 6), NV_ERR_INVALID_EVENT);

	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_GET_EVENT_DATA, &data, sizeof(data)),
			 RM_IOCTL_OK);
	assert_int_equal(data.status, NV_ERR_OPERATING_SYSTEM);
	assert_false(rm_file_poll(host.fds[gpu].file));
}

/* A device and a subdevice of GPU 0. */
static void make_subdevice(int ctl, u32 client, u32 *device, u32 *subdevice)
{
	NV0080_ALLOC_PARAMETERS device_params = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice_params = { 0 };

	assert_int_equal(host_alloc(ctl, client, client, device, NV01_DEVICE_0, &device_params, 0),
			 NV_OK);
	assert_int_equal(
		host_alloc(ctl, client, *device, subdevice, NV20_SUBDEVICE_0, &subdevice_params, 0),
		NV_OK);
}

static u32 make_event(int fd, u32 client, u32 source, u32 class_id, u32 index, u32 name)
{
	NV0005_ALLOC_PARAMETERS p = { .hParentClient = client,
				      .hSrcResource = source,
				      .hClass = class_id,
				      .notifyIndex = index,
				      .data = name };
	u32 handle = 0;

	return host_alloc(fd, client, source, &handle, class_id, &p, sizeof(p));
}

static u32 arm(int ctl, u32 client, u32 subdevice, u32 event, u32 action)
{
	NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS p = { .event = event, .action = action };

	return host_control(ctl, client, subdevice, NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION, &p,
			    sizeof(p));
}

static u32 trigger(int ctl, u32 client, u32 subdevice)
{
	return host_control(ctl, client, subdevice, NV2080_CTRL_CMD_EVENT_SET_TRIGGER, NULL, 0);
}

static void test_events(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0xd0, subdevice = 0xd1;
	const u32 sw = NV2080_NOTIFIERS_SW, bare = NV01_EVENT_WITHOUT_EVENT_DATA;
	NvUnixEvent got;
	NVOS41_PARAMETERS data = { .pEvent = (u64)(uintptr_t)&got };

	make_subdevice(ctl, client, &device, &subdevice);
	assert_int_equal(os_event(gpu, NV_ESC_ALLOC_OS_EVENT, client, 3), NV_OK);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_OS_EVENT, sw, 3),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(register_fd(gpu, ctl), RM_IOCTL_OK);
	assert_int_equal(arm(ctl, client, subdevice, sw, 2), NV_ERR_INVALID_STATE);

	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_OS_EVENT, sw, 4),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT, sw, 3),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_KERNEL_CALLBACK, sw, 3),
			 NV_ERR_ILLEGAL_ACTION);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_KERNEL_CALLBACK_EX, sw, 3),
			 NV_ERR_ILLEGAL_ACTION);
	assert_int_equal(make_event(gpu, client, device, NV01_EVENT_OS_EVENT, sw, 3),
			 NV_ERR_INVALID_OBJECT);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_OS_EVENT,
				    sw | NV01_EVENT_NONSTALL_INTR, 3),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_OS_EVENT, sw, 3), NV_OK);

	/* Not armed: nothing comes. */
	assert_int_equal(trigger(ctl, client, subdevice), NV_OK);
	assert_false(rm_file_poll(host.fds[gpu].file));
	assert_int_equal(arm(ctl, client, subdevice, NV2080_NOTIFIERS_MAXCOUNT, 2),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(arm(ctl, client, subdevice, NV2080_NOTIFIERS_TIMER, 2),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(arm(ctl, client, subdevice, sw, 1), NV_OK);
	assert_int_equal(arm(ctl, client, subdevice, sw, 2), NV_ERR_INVALID_STATE);
	/* Once, with data. */
	assert_int_equal(trigger(ctl, client, subdevice), NV_OK);
	assert_int_equal(trigger(ctl, client, subdevice), NV_OK);
	assert_int_equal(host.notified, 1);
	assert_true(rm_file_poll(host.fds[gpu].file));
	assert_true(rm_file_poll(host.fds[gpu].file));
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_GET_EVENT_DATA, &data, sizeof(data)),
			 RM_IOCTL_OK);
	assert_int_equal(data.status, NV_OK);
	assert_int_equal(got.NotifyIndex, sw);
	assert_int_equal(data.MoreEvents, 0);
	assert_false(rm_file_poll(host.fds[gpu].file));

	/* Each time, without data: poll reports it once. */
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_OS_EVENT, sw | bare, 3),
			 NV_OK);
	assert_int_equal(arm(ctl, client, subdevice, sw, 2), NV_OK);
	assert_int_equal(trigger(ctl, client, subdevice), NV_OK);
	assert_true(rm_file_poll(host.fds[gpu].file));
	data.pEvent = (u64)(uintptr_t)BAD_POINTER;
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_GET_EVENT_DATA, &data, sizeof(data)),
			 RM_IOCTL_OK);
	assert_int_equal(data.status, NV_ERR_OPERATING_SYSTEM);
	assert_false(rm_file_poll(host.fds[gpu].file));
	assert_int_equal(arm(ctl, client, subdevice, sw, 0), NV_OK);
	/* The name is freed: whoever is told goes nowhere. */
	assert_int_equal(arm(ctl, client, subdevice, sw, 2), NV_OK);
	assert_int_equal(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 3), NV_OK);
	assert_int_equal(trigger(ctl, client, subdevice), NV_OK);
	assert_false(rm_file_poll(host.fds[gpu].file));
}

static void test_power_source(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0xd0, subdevice = 0xd1;
	NV2080_CTRL_PERF_SET_POWERSTATE_PARAMS p = {
		.powerStateInfo.powerState = NV2080_CTRL_PERF_POWER_SOURCE_BATTERY,
	};
	const u32 power = NV2080_NOTIFIERS_POWER_EVENT;
	NvUnixEvent got;
	NVOS41_PARAMETERS data = { .pEvent = (u64)(uintptr_t)&got };

	/* Without a firmware that runs nobody is there to tell. */
	rm_power_source_changed(host.rm, true);
	make_subdevice(ctl, client, &device, &subdevice);
	assert_int_equal(register_fd(gpu, ctl), RM_IOCTL_OK);
	assert_int_equal(os_event(gpu, NV_ESC_ALLOC_OS_EVENT, client, 3), NV_OK);
	assert_int_equal(make_event(gpu, client, subdevice, NV01_EVENT_OS_EVENT, power, 3), NV_OK);
	assert_int_equal(arm(ctl, client, subdevice, power, 2), NV_OK);

	rm_power_source_changed(host.rm, true);
	assert_true(rm_file_poll(host.fds[gpu].file));
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_GET_EVENT_DATA, &data, sizeof(data)),
			 RM_IOCTL_OK);
	assert_int_equal(data.status, NV_OK);
	assert_int_equal(got.NotifyIndex, power);
	assert_int_equal(data.MoreEvents, 0);

	assert_int_equal(host_control(ctl, client, subdevice, NV2080_CTRL_CMD_PERF_SET_POWERSTATE,
				      &p, sizeof(p)),
			 NV_OK);
	assert_true(rm_file_poll(host.fds[gpu].file));
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_GET_EVENT_DATA, &data, sizeof(data)),
			 RM_IOCTL_OK);
	assert_int_equal(got.NotifyIndex, power);
	p.powerStateInfo.powerState = 2;
	assert_int_equal(host_control(ctl, client, subdevice, NV2080_CTRL_CMD_PERF_SET_POWERSTATE,
				      &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_false(rm_file_poll(host.fds[gpu].file));
}

/* -- Registry
 * -------------------------------------------------------------------------------------- */

static u32 registry(int ctl, u32 client, u32 object, u32 type, const char *name, void *data,
		    u32 *size, u32 *value)
{
	NVOS38_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.AccessType = type,
		.ParmStrLength = name ? (u32)strlen(name) : 0,
		.pParmStr = (u64)(uintptr_t)name,
		.pBinaryData = (u64)(uintptr_t)data,
		.BinaryDataLength = size ? *size : 0,
		.Data = value ? *value : 0,
	};

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_ACCESS_REGISTRY, &p, sizeof(p)), RM_IOCTL_OK);
	if (size)
		*size = p.BinaryDataLength;
	if (value)
		*value = p.Data;
	return p.status;
}

static void test_registry(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 c = host_client(ctl), value = 5, size;
	char bytes[8] = "abcdefg", got[8], longest[300];
	const u32 read = NVOS38_ACCESS_TYPE_READ_DWORD, write = NVOS38_ACCESS_TYPE_WRITE_DWORD;
	const u32 read_b = NVOS38_ACCESS_TYPE_READ_BINARY,
		  write_b = NVOS38_ACCESS_TYPE_WRITE_BINARY;

	assert_int_equal(registry(ctl, 0xbad, 0xbad, read, "Key", NULL, NULL, &value),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(registry(ctl, c, 0xbad, read, "Key", NULL, NULL, &value),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(registry(ctl, c, c, read, "Key", NULL, NULL, &value), NV_ERR_GENERIC);
	assert_int_equal(registry(ctl, c, c, write, "Key", NULL, NULL, &value), NV_OK);
	value = 0;
	assert_int_equal(registry(ctl, c, c, read, "kEY", NULL, NULL, &value), NV_OK);
	assert_int_equal(value, 5);
	assert_int_equal(registry(ctl, c, c, read, NULL, NULL, NULL, &value),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(registry(ctl, c, c, 99, "Key", NULL, NULL, &value),
			 NV_ERR_INVALID_ACCESS_TYPE);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(registry(ctl, c, c, read, longest, NULL, NULL, &value),
			 NV_ERR_INVALID_STRING_LENGTH);

	size = 0;
	assert_int_equal(registry(ctl, c, c, write_b, "Bin", bytes, &size, NULL),
			 NV_ERR_INVALID_STRING_LENGTH);
	size = 257;
	assert_int_equal(registry(ctl, c, c, write_b, "Bin", bytes, &size, NULL),
			 NV_ERR_INVALID_STRING_LENGTH);
	size = 8;
	assert_int_equal(registry(ctl, c, c, write_b, "Bin", BAD_POINTER, &size, NULL),
			 NV_ERR_OPERATING_SYSTEM);
	size = 8;
	assert_int_equal(registry(ctl, c, c, write_b, "Bin", bytes, &size, NULL), NV_OK);
	size = 4;
	assert_int_equal(registry(ctl, c, c, read_b, "Bin", got, &size, NULL), NV_ERR_GENERIC);
	size = 8;
	assert_int_equal(registry(ctl, c, c, read_b, "Bin", BAD_POINTER, &size, NULL),
			 NV_ERR_OPERATING_SYSTEM);
	size = 8;
	assert_int_equal(registry(ctl, c, c, read_b, "Bin", got, &size, NULL), NV_OK);
	assert_memory_equal(got, bytes, 8);
	/* A dword out of bytes. */
	assert_int_equal(registry(ctl, c, c, read, "Bin", NULL, NULL, &value), NV_OK);
	assert_memory_equal(&value, bytes, 4);

	be_user(3);
	assert_int_equal(registry(ctl, c, c, read, "Key", NULL, NULL, &value), NV_OK);
	assert_int_equal(registry(ctl, c, c, write, "Key", NULL, NULL, &value),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
}

/* -- Memory and what is refused after its checks
 * ---------------------------------------------------- */

static void test_refused(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0xd0, subdevice = 0xd1, memory = 0xe0;
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = client,
					  .size = 8192,
					  .type = NVOS32_TYPE_IMAGE };
	nv_ioctl_nvos33_parameters_with_fd map = { .params = { .hClient = client } };
	NVOS34_PARAMETERS unmap = { .hClient = client };
	NVOS46_PARAMETERS dma = { .hClient = client };
	NVOS_I2C_ACCESS_PARAMS i2c = { .hClient = client };
	nv_ioctl_export_to_dma_buf_fd_t *dmabuf = calloc(1, sizeof(*dmabuf));

	assert_non_null(dmabuf);
	make_subdevice(ctl, client, &device, &subdevice);
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);

	map.params.hDevice = device;
	map.params.hMemory = 0xbad;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &map, sizeof(map)), RM_IOCTL_OK);
	assert_int_equal(map.params.status, NV_ERR_OBJECT_NOT_FOUND);
	map.params.hMemory = memory;
	map.params.hDevice = 0xbad;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &map, sizeof(map)), RM_IOCTL_OK);
	assert_int_equal(map.params.status, NV_ERR_OBJECT_NOT_FOUND);
	map.params.hDevice = memory;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &map, sizeof(map)), RM_IOCTL_OK);
	assert_int_equal(map.params.status, NV_ERR_INVALID_OBJECT_PARENT);
	map.params.hDevice = subdevice;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &map, sizeof(map)), RM_IOCTL_OK);
	assert_int_equal(map.params.status, NV_ERR_INVALID_LIMIT);
	map.params.hClient = 0xbad;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &map, sizeof(map)), RM_IOCTL_OK);
	assert_int_equal(map.params.status, NV_ERR_INVALID_CLIENT);

	unmap.hDevice = device;
	unmap.hMemory = memory;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_UNMAP_MEMORY, &unmap, sizeof(unmap)),
			 RM_IOCTL_OK);
	assert_int_equal(unmap.status, NV_ERR_OBJECT_NOT_FOUND);
	dma.hDma = 0xbad;
	dma.hMemory = memory;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY_DMA, &dma, sizeof(dma)), RM_IOCTL_OK);
	assert_int_equal(dma.status, NV_ERR_OBJECT_NOT_FOUND);
	i2c.hDevice = memory;
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_I2C_ACCESS, &i2c, sizeof(i2c)), RM_IOCTL_OK);
	assert_int_equal(i2c.status, NV_ERR_INVALID_CLIENT); /* the file is not registered */
	assert_int_equal(register_fd(gpu, ctl), RM_IOCTL_OK);
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_I2C_ACCESS, &i2c, sizeof(i2c)), RM_IOCTL_OK);
	assert_int_equal(i2c.status, NV_ERR_INVALID_OBJECT_HANDLE);
	i2c.hDevice = subdevice;
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_I2C_ACCESS, &i2c, sizeof(i2c)), RM_IOCTL_OK);
	assert_int_equal(i2c.status, NV_ERR_NOT_SUPPORTED);

	assert_int_equal(host_ioctl(gpu, NV_ESC_EXPORT_TO_DMABUF_FD, dmabuf, sizeof(*dmabuf)),
			 RM_IOCTL_OK);
	assert_int_equal(dmabuf->status, NV_ERR_INVALID_ARGUMENT);
	dmabuf->hClient = client;
	dmabuf->fd = -1;
	dmabuf->totalSize = 8192;
	dmabuf->totalObjects = 1;
	dmabuf->numObjects = 1;
	dmabuf->handles[0] = memory;
	assert_int_equal(host_ioctl(gpu, NV_ESC_EXPORT_TO_DMABUF_FD, dmabuf, sizeof(*dmabuf)),
			 RM_IOCTL_OK);
	assert_int_equal(dmabuf->status, NV_ERR_NOT_SUPPORTED);
	dmabuf->numObjects = 2;
	assert_int_equal(host_ioctl(gpu, NV_ESC_EXPORT_TO_DMABUF_FD, dmabuf, sizeof(*dmabuf)),
			 RM_IOCTL_OK);
	assert_int_equal(dmabuf->status, NV_ERR_INVALID_ARGUMENT);
	free(dmabuf);
}

static u32 heap_free_kib(int ctl, u32 client, u32 subdevice)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 1 };

	p.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE;
	assert_int_equal(
		host_control(ctl, client, subdevice, NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)),
		NV_OK);
	return p.fbInfoList[0].data;
}

static void test_video_memory(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0xd0, subdevice = 0xd1, memory = 0xe0, before;
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = client,
					  .size = MIB(3),
					  .type = NVOS32_TYPE_IMAGE };
	NVOS32_PARAMETERS heap = { .hRoot = client, .function = NVOS32_FUNCTION_ALLOC_SIZE };

	assert_true(gpu >= 0);
	make_subdevice(ctl, client, &device, &subdevice);
	before = heap_free_kib(ctl, client, subdevice);
	assert_true(before > 70u << 20);
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);
	assert_int_equal(m.size, MIB(4));
	assert_int_equal(before - heap_free_kib(ctl, client, subdevice), 4096);
	assert_int_equal(host_free(ctl, client, memory), NV_OK);
	assert_int_equal(heap_free_kib(ctl, client, subdevice), before);

	m = (NV_MEMORY_ALLOCATION_PARAMS){ .owner = 0, .size = 4096 };
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_ERR_INVALID_OWNER);
	m.owner = client;
	m.size = GIB(200);
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_ERR_NO_MEMORY);
	m.size = ~(u64)0;
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_ERR_NO_MEMORY);

	/* The old way makes the same objects. */
	heap.hObjectParent = device;
	heap.data.AllocSize.owner = client;
	heap.data.AllocSize.size = KIB(64);
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &heap, sizeof(heap)),
			 RM_IOCTL_OK);
	assert_int_equal(heap.status, NV_OK);
	assert_int_equal(before - heap_free_kib(ctl, client, subdevice), 64);
	memory = heap.data.AllocSize.hMemory;
	heap = (NVOS32_PARAMETERS){ .hRoot = client, .function = NVOS32_FUNCTION_FREE };
	heap.hObjectParent = device;
	heap.data.Free.hMemory = memory;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &heap, sizeof(heap)),
			 RM_IOCTL_OK);
	assert_int_equal(heap.status, NV_ERR_INVALID_ARGUMENT);
	heap.data.Free.flags = NVOS32_FREE_FLAGS_MEMORY_HANDLE_PROVIDED;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &heap, sizeof(heap)),
			 RM_IOCTL_OK);
	assert_int_equal(heap.status, NV_OK);
	heap.function = 99;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &heap, sizeof(heap)),
			 RM_IOCTL_OK);
	assert_int_equal(heap.status, NV_ERR_INVALID_ARGUMENT);
}

/* -- Rights
 * ----------------------------------------------------------------------------------------- */

/* A GPU's node that one may not open is a GPU that one may not use. */
static void test_gpu_needs_its_node(void **state)
{
	int gpu, ctl;
	u32 client, device = 0;
	NV0080_ALLOC_PARAMETERS p = { .deviceId = 0 };

	be_user(1);
	gpu = host_open(RM_NODE_GPU, 0);
	be_user(2);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &p, 0),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	p.deviceId = 1;
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &p, 0),
			 NV_ERR_INVALID_CLASS);
	p.deviceId = 0;
	assert_int_equal(register_fd(gpu, ctl), RM_IOCTL_OK);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &p, 0), NV_OK);
	device = 0;
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &p, 0),
			 NV_ERR_INSUFFICIENT_RESOURCES);
}

static void test_sessions(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	int config = host_open(RM_NODE_CAP, 1), monitor = host_open(RM_NODE_CAP, 2);
	u32 client = host_client(ctl), handle = 0;
	NVC639_ALLOCATION_PARAMETERS p = { .capDescriptor = 40 };

	assert_int_equal(host_ioctl(config, NV_ESC_CARD_INFO, &p, 0), RM_IOCTL_ENOTTY);
	assert_int_equal(host_alloc(ctl, client, client, &handle, AMPERE_SMC_CONFIG_SESSION, &p, 0),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	p.capDescriptor = (u64)monitor;
	assert_int_equal(host_alloc(ctl, client, client, &handle, AMPERE_SMC_CONFIG_SESSION, &p, 0),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	p.capDescriptor = (u64)config;
	handle = 0;
	assert_int_equal(host_alloc(ctl, client, client, &handle, AMPERE_SMC_CONFIG_SESSION, &p, 0),
			 NV_OK);
	/* The session keeps the capability. */
	host_close(config);
	assert_non_null(host.fds[config].file);
	assert_int_equal(host_free(ctl, client, handle), NV_OK);
	assert_null(host.fds[config].file);
	be_user(5);
	assert_int_equal(host_open(RM_NODE_CAP, 1), -NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_true(host_open(RM_NODE_CAP, 2) >= 0);
	assert_int_equal(host_open(RM_NODE_CAP, 100000), -NV_ERR_INVALID_DEVICE);
	assert_int_equal(host_open(RM_NODE_GPU, 9), -NV_ERR_INVALID_DEVICE);
}

/* -- Old controls
 * ----------------------------------------------------------------------------------- */

static void test_build_version(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl);
	char driver[80], version[80], title[80];
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS p = {
		.sizeOfStrings = sizeof(driver),
		.pDriverVersionBuffer = (u64)(uintptr_t)driver,
		.pVersionBuffer = (u64)(uintptr_t)version,
		.pTitleBuffer = (u64)(uintptr_t)title,
	};
	const u32 cmd = NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION;

	assert_int_equal(host_control(ctl, client, client, cmd, &p, sizeof(p)), NV_OK);
	assert_string_equal(driver, RM_DEFAULT_VERSION);
	assert_int_equal(host_control(ctl, client, client, cmd, &p, 8), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(host_control(ctl, client, client, cmd, BAD_POINTER, sizeof(p)),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(host_control(ctl, 0xbad, client, cmd, &p, sizeof(p)),
			 NV_ERR_INVALID_CLIENT);
	p.sizeOfStrings = 3;
	assert_int_equal(host_control(ctl, client, client, cmd, &p, sizeof(p)),
			 NV_ERR_INVALID_PARAM_STRUCT);
	p.sizeOfStrings = sizeof(driver);
	p.pTitleBuffer = (u64)(uintptr_t)BAD_POINTER;
	assert_int_equal(host_control(ctl, client, client, cmd, &p, sizeof(p)),
			 NV_ERR_INVALID_PARAM_STRUCT);
	p.pTitleBuffer = 0;
	assert_int_equal(host_control(ctl, client, client, cmd, &p, sizeof(p)), NV_OK);
	assert_true(p.sizeOfStrings > strlen(RM_DEFAULT_VERSION));
}

static void test_old_list_control(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0xd0, subdevice = 0xd1;
	NVXXXX_CTRL_XXX_INFO list[2] = { { .index = NV2080_CTRL_BUS_INFO_INDEX_BUS_NUMBER },
					 { .index = NV2080_CTRL_BUS_INFO_INDEX_TYPE } };
	NV2080_CTRL_BUS_GET_INFO_PARAMS p = { .busInfoListSize = 2,
					      .busInfoList = (u64)(uintptr_t)list };
	const u32 cmd = NV2080_CTRL_CMD_BUS_GET_INFO;

	assert_true(gpu >= 0);
	make_subdevice(ctl, client, &device, &subdevice);
	assert_int_equal(host_control(ctl, client, subdevice, cmd, &p, sizeof(p)), NV_OK);
	assert_int_equal(list[0].data, 1);
	assert_int_equal(list[1].data, NV2080_CTRL_BUS_INFO_TYPE_PCI_EXPRESS);
	p.busInfoListSize = 53;
	assert_int_equal(host_control(ctl, client, subdevice, cmd, &p, sizeof(p)),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	p.busInfoListSize = ~0u;
	assert_int_equal(host_control(ctl, client, subdevice, cmd, &p, sizeof(p)),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	p.busInfoListSize = 2;
	p.busInfoList = (u64)(uintptr_t)BAD_POINTER;
	assert_int_equal(host_control(ctl, client, subdevice, cmd, &p, sizeof(p)),
			 NV_ERR_INVALID_ADDRESS);
}

/* -- Running out of memory
 * -------------------------------------------------------------------------- */

/* A program's life; every step may fail, and none may leave anything behind. */
static void script(void)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	NV0080_ALLOC_PARAMETERS device_params = { 0 };
	NV_MEMORY_ALLOCATION_PARAMS m = { .size = 4096, .type = NVOS32_TYPE_IMAGE };
	nv_ioctl_card_info_t cards[32];
	u32 device = 0xd0, subdevice = 0xd1, memory = 0, value = 1, ids[2];

	if (ctl < 0 || gpu < 0)
		goto out;
	host_ioctl(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards));
	ids[0] = cards[0].gpu_id;
	ids[1] = 0;
	host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, sizeof(ids));
	register_fd(gpu, ctl);
	host_ioctl(ctl, NV_ESC_RM_ALLOC, &root, sizeof(root));
	if (root.status != NV_OK)
		goto out;
	m.owner = root.hObjectNew;
	os_event(gpu, NV_ESC_ALLOC_OS_EVENT, root.hObjectNew, 3);
	host_alloc(ctl, root.hObjectNew, root.hObjectNew, &device, NV01_DEVICE_0, &device_params,
		   0);
	host_alloc(ctl, root.hObjectNew, device, &subdevice, NV20_SUBDEVICE_0, NULL, 0);
	make_event(gpu, root.hObjectNew, subdevice, NV01_EVENT_OS_EVENT, NV2080_NOTIFIERS_SW, 3);
	arm(ctl, root.hObjectNew, subdevice, NV2080_NOTIFIERS_SW, 2);
	trigger(ctl, root.hObjectNew, subdevice);
	host_alloc(ctl, root.hObjectNew, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0);
	m.attr = 1u << 25;
	memory = 0;
	host_alloc(ctl, root.hObjectNew, device, &memory, NV01_MEMORY_SYSTEM, &m, 0);
	registry(ctl, root.hObjectNew, root.hObjectNew, NVOS38_ACCESS_TYPE_WRITE_DWORD, "Script",
		 NULL, NULL, &value);
out:
	if (gpu >= 0)
		host_close(gpu);
	if (ctl >= 0)
		host_close(ctl);
}

static void test_failing_allocations(void **state)
{
	u32 nth, first_gone = 0;
	u64 before;
	int keep;

	if (!os_user_fail_alloc_thread(0))
		skip();
	/* Keeps the firmware up, so that each round is about the commands. */
	keep = host_open(RM_NODE_GPU, 0);
	assert_true(keep >= 0);
	script();
	before = unit_live_settled();
	for (nth = 1; nth < 2000; nth++) {
		u64 failed = unit_failed();

		os_user_fail_alloc_thread(nth);
		script();
		os_user_fail_alloc_thread(0);
		assert_true(unit_live_becomes(before));
		if (unit_failed() == failed) {
			first_gone = nth;
			break;
		}
	}
	assert_true(first_gone > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unknown_number, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_copy_faults, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_xfer, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_power_lock, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_check_version, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_sys_params, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_registry, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_build_version, start_bare, host_end),
		cmocka_unit_test_setup_teardown(test_registered_file_identity, start_bare,
						host_end),
		cmocka_unit_test_setup_teardown(test_shapes, start, host_end),
		cmocka_unit_test_setup_teardown(test_alloc_shape, start, host_end),
		cmocka_unit_test_setup_teardown(test_lost_gpu, start, host_end),
		cmocka_unit_test_setup_teardown(test_query_device_intr, start, host_end),
		cmocka_unit_test_setup_teardown(test_card_info, start, host_end),
		cmocka_unit_test_setup_teardown(test_attach_gpus, start, host_end),
		cmocka_unit_test_setup_teardown(test_status_code, start, host_end),
		cmocka_unit_test_setup_teardown(test_numa, start, host_end),
		cmocka_unit_test_setup_teardown(test_register_fd, start, host_end),
		cmocka_unit_test_setup_teardown(test_os_events, start, host_end),
		cmocka_unit_test_setup_teardown(test_events, start, host_end),
		cmocka_unit_test_setup_teardown(test_power_source, start, host_end),
		cmocka_unit_test_setup_teardown(test_refused, start, host_end),
		cmocka_unit_test_setup_teardown(test_video_memory, start, host_end),
		cmocka_unit_test_setup_teardown(test_gpu_needs_its_node, start, host_end),
		cmocka_unit_test_setup_teardown(test_sessions, start, host_end),
		cmocka_unit_test_setup_teardown(test_old_list_control, start, host_end),
		cmocka_unit_test_setup_teardown(test_failing_allocations, start, host_end),
	};

	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
