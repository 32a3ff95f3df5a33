// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Rows I1 to I9: what each escape refuses, and in which order, by real system calls. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

#define ESC_CARDS 32u /* entries of CARD_INFO that clients ask for */

static void check_xfer(int ctl)
{
	nv_ioctl_rm_api_version_t version = { .cmd = NV_RM_API_VERSION_CMD_QUERY };
	static u8 large[16384];
	nv_ioctl_xfer_t xfer = {
		.cmd = NV_ESC_CHECK_VERSION_STR,
		.size = sizeof(version),
		.ptr = (u64)(uintptr_t)&version,
	};

	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), 0);
	CHECK(strncmp(version.versionString, "535.", 4) == 0);
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer) - 1), -EINVAL);
	memcpy(large, &xfer, sizeof(xfer));
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, large, sizeof(xfer) + 1), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, BAD_POINTER, sizeof(xfer) - 1), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, BAD_POINTER, sizeof(xfer)), -EFAULT);
	xfer.ptr = (u64)(uintptr_t)BAD_POINTER;
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), -EFAULT);
	xfer.ptr = ~0ull - 8;
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), -EFAULT);
	/* An address of the kernel's is one of nobody. */
	xfer.ptr = 0xffff888000000000ull;
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), -EFAULT);
	xfer.size = sizeof(large) + 1;
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), -EINVAL);
	xfer.size = ~0u;
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), -EINVAL);
	xfer = (nv_ioctl_xfer_t){ .cmd = NV_ESC_CARD_INFO,
				  .size = sizeof(large),
				  .ptr = (u64)(uintptr_t)large };
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), 0);
	xfer.cmd = NV_ESC_IOCTL_XFER_CMD;
	CHECK_IS(escape(ctl, NV_ESC_IOCTL_XFER_CMD, &xfer, sizeof(xfer)), -EINVAL);
}

static void check_pages(int ctl)
{
	const u32 size = sizeof(nv_ioctl_rm_api_version_t);
	nv_ioctl_rm_api_version_t query = { .cmd = NV_RM_API_VERSION_CMD_QUERY };
	char *pages =
		mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
	memcpy(pages + 4096 - size, &query, size);
	CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, pages + 4096 - size, size), 0);
	CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, pages + 4096 - size + 1, size), -EFAULT);
	CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, pages + 4096, size), -EFAULT);
	CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, (void *)0xffff888000000000ull, size),
		 -EFAULT);
	/* Readable only: done, and no place for the answer. */
	memcpy(pages, &query, size);
	CHECK(mprotect(pages, 4096, PROT_READ) == 0);
	CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, pages, size), -EFAULT);
	munmap(pages, 2 * 4096);
}

/* I1, and the numbers that are nobody's. */
int row_order(void)
{
	static const u8 numbers[] = { 0,    0x26, 0x2c, 0x32, 0x33, 0x37, 0x38,
				      0x56, 0x5c, 0x5d, 0x60, 0xcd, 0xff };
	int ctl = open_control();
	u8 data[16], same[16];

	memset(data, 0x5a, sizeof(data));
	memset(same, 0x5a, sizeof(same));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		CHECK_IS(escape(ctl, numbers[i], data, sizeof(data)), -EINVAL);
		CHECK(memcmp(data, same, sizeof(data)) == 0);
	}
	CHECK_IS(escape(ctl, NV_ESC_RM_CONTROL, BAD_POINTER, sizeof(NVOS54_PARAMETERS)), -EFAULT);
	CHECK_IS(escape(ctl, NV_ESC_CARD_INFO, BAD_POINTER, sizeof(nv_ioctl_card_info_t)), -EFAULT);
	CHECK_IS(escape(ctl, NV_ESC_RM_CONTROL, BAD_POINTER, 0), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_CARD_INFO, BAD_POINTER, 0), 0);
	check_xfer(ctl);
	check_pages(ctl);
	return 0;
}

static const struct {
	u32 number, size;
	int on_control, on_gpu;
} shapes[] = {
	{ NV_ESC_REGISTER_FD, sizeof(nv_ioctl_register_fd_t), 1, 1 },
	{ NV_ESC_ALLOC_OS_EVENT, sizeof(nv_ioctl_alloc_os_event_t), 1, 1 },
	{ NV_ESC_FREE_OS_EVENT, sizeof(nv_ioctl_free_os_event_t), 1, 1 },
	{ NV_ESC_STATUS_CODE, sizeof(nv_ioctl_status_code_t), 1, 0 },
	{ NV_ESC_CHECK_VERSION_STR, sizeof(nv_ioctl_rm_api_version_t), 1, 0 },
	{ NV_ESC_SYS_PARAMS, sizeof(nv_ioctl_sys_params_t), 1, 0 },
	{ NV_ESC_NUMA_INFO, sizeof(nv_ioctl_numa_info_t), 0, 1 },
	{ NV_ESC_EXPORT_TO_DMABUF_FD, sizeof(nv_ioctl_export_to_dma_buf_fd_t), 0, 1 },
	{ NV_ESC_RM_ALLOC_MEMORY, sizeof(nv_ioctl_nvos02_parameters_with_fd), 0, 1 },
	{ NV_ESC_RM_ALLOC_OBJECT, sizeof(NVOS05_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_FREE, sizeof(NVOS00_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_CONTROL, sizeof(NVOS54_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_DUP_OBJECT, sizeof(NVOS55_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_SHARE, sizeof(NVOS57_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_I2C_ACCESS, sizeof(NVOS_I2C_ACCESS_PARAMS), 0, 1 },
	{ NV_ESC_RM_IDLE_CHANNELS, sizeof(NVOS30_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_VID_HEAP_CONTROL, sizeof(NVOS32_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_ACCESS_REGISTRY, sizeof(NVOS38_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_MAP_MEMORY, sizeof(nv_ioctl_nvos33_parameters_with_fd), 1, 0 },
	{ NV_ESC_RM_UNMAP_MEMORY, sizeof(NVOS34_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_GET_EVENT_DATA, sizeof(NVOS41_PARAMETERS), 1, 1 },
	{ NV_ESC_RM_ALLOC_CONTEXT_DMA2, sizeof(NVOS39_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_MAP_MEMORY_DMA, sizeof(NVOS46_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_UNMAP_MEMORY_DMA, sizeof(NVOS47_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_BIND_CONTEXT_DMA, sizeof(NVOS49_PARAMETERS), 1, 0 },
	{ NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO, sizeof(NVOS56_PARAMETERS), 1, 0 },
};

/* I8: sizes and nodes; a malformed request leaves the structure as it was. */
int row_shapes(void)
{
	int ctl = open_control(), gpu = open_gpu(0);
	static u8 data[4096], same[4096];
	NVOS64_PARAMETERS p = { .hClass = NV01_DEVICE_0 };

	CHECK(gpu >= 0);
	memset(same, 0xa5, sizeof(same));
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (int delta = -1; delta <= 1; delta += 2) {
			memset(data, 0xa5, sizeof(data));
			CHECK_IS(escape(ctl, shapes[i].number, data, shapes[i].size + delta),
				 -EINVAL);
			CHECK_IS(escape(gpu, shapes[i].number, data, shapes[i].size + delta),
				 -EINVAL);
			CHECK(memcmp(data, same, sizeof(data)) == 0);
		}
		if (!shapes[i].on_control)
			CHECK_IS(escape(ctl, shapes[i].number, data, shapes[i].size), -EINVAL);
		if (!shapes[i].on_gpu)
			CHECK_IS(escape(gpu, shapes[i].number, data, shapes[i].size), -EINVAL);
	}
	memcpy(data, &p, sizeof(p));
	for (u32 size = 0; size <= 64; size++) {
		if (size != sizeof(NVOS21_PARAMETERS) && size != sizeof(NVOS64_PARAMETERS))
			CHECK_IS(escape(ctl, NV_ESC_RM_ALLOC, data, size), -EINVAL);
	}
	CHECK_IS(escape(gpu, NV_ESC_RM_ALLOC, &p, sizeof(p)), -EINVAL);
	return 0;
}

static void check_attach(int ctl, u32 first, u32 second)
{
	u32 ids[4] = { first, 0, 0xdead, 0 };
	u8 bytes[6] = { 0 };

	CHECK_IS(escape(ctl, NV_ESC_ATTACH_GPUS_TO_FD, bytes, 0), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_ATTACH_GPUS_TO_FD, bytes, 3), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_ATTACH_GPUS_TO_FD, bytes, 6), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, sizeof(ids)), -EINVAL);
	ids[2] = second;
	CHECK_IS(escape(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, sizeof(ids)), 0);
	CHECK_IS(escape(ctl, NV_ESC_ATTACH_GPUS_TO_FD, ids, sizeof(ids)), -EINVAL);
}

/* I2, I3, I4, STATUS_CODE, on a machine of two GPUs. */
int row_information(void)
{
	int ctl = open_control(), gpu = open_gpu(0);
	nv_ioctl_query_device_intr intr = { .status = 1 };
	nv_ioctl_card_info_t cards[ESC_CARDS];
	nv_ioctl_status_code_t code = { .bus = 0xee, .status = 7 };

	CHECK_IS(escape(ctl, NV_ESC_QUERY_DEVICE_INTR, &intr, sizeof(intr)), -EINVAL);
	CHECK_IS(escape(gpu, NV_ESC_QUERY_DEVICE_INTR, &intr, sizeof(intr) - 1), -EINVAL);
	CHECK_IS(intr.status, 1);
	CHECK_IS(escape(gpu, NV_ESC_QUERY_DEVICE_INTR, &intr, sizeof(intr)), 0);
	CHECK_IS(intr.status, NV_OK);

	memset(cards, 0xff, sizeof(cards));
	CHECK_IS(escape(gpu, NV_ESC_CARD_INFO, cards, sizeof(cards)), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards)), 0);
	CHECK(cards[0].valid && cards[1].valid && !cards[2].valid);
	CHECK_IS(cards[0].pci_info.vendor_id, 0x10de);
	CHECK_IS(cards[0].minor_number, 0);
	CHECK_IS(cards[1].minor_number, 1);
	CHECK(cards[0].gpu_id != cards[1].gpu_id && cards[0].reg_size >= 16u << 20);
	memset(cards, 0xff, sizeof(cards[0]) * 2);
	CHECK_IS(escape(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards[0])), 0);
	CHECK(cards[0].valid && cards[1].gpu_id == ~0u);
	CHECK_IS(escape(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards)), 0);

	CHECK_IS(escape(ctl, NV_ESC_STATUS_CODE, &code, sizeof(code)), -EINVAL);
	CHECK_IS(code.status, 7);
	code = (nv_ioctl_status_code_t){ .domain = cards[0].pci_info.domain,
					 .bus = cards[0].pci_info.bus,
					 .slot = cards[0].pci_info.slot,
					 .status = 7 };
	CHECK_IS(escape(ctl, NV_ESC_STATUS_CODE, &code, sizeof(code)), 0);
	CHECK_IS(code.status, NV_OK);

	CHECK_IS(escape(gpu, NV_ESC_ATTACH_GPUS_TO_FD, &cards[0].gpu_id, 4), -EINVAL);
	check_attach(ctl, cards[0].gpu_id, cards[1].gpu_id);
	return 0;
}

static int check_version(int ctl, u32 cmd, const char *text, nv_ioctl_rm_api_version_t *p)
{
	memset(p, 'x', sizeof(*p));
	p->cmd = cmd;
	p->reply = 77;
	CHECK(strlen(text) < sizeof(p->versionString));
	memcpy(p->versionString, text, strlen(text) + 1);
	return escape(ctl, NV_ESC_CHECK_VERSION_STR, p, sizeof(*p));
}

/* I5. */
int row_version(void)
{
	int ctl = open_control();
	char own[NV_RM_API_VERSION_STRING_LENGTH], longer[NV_RM_API_VERSION_STRING_LENGTH + 1];
	nv_ioctl_rm_api_version_t p;

	CHECK_IS(check_version(ctl, '2', "nothing", &p), 0);
	memcpy(own, p.versionString, sizeof(own));
	snprintf(longer, sizeof(longer), "%s1", own);
	CHECK_IS(check_version(ctl, 0, own, &p), 0);
	CHECK_IS(p.reply, NV_RM_API_VERSION_REPLY_RECOGNIZED);
	CHECK_IS(check_version(ctl, 0, "535", &p), -EINVAL);
	CHECK(strcmp(p.versionString, own) == 0);
	CHECK_IS(check_version(ctl, 0, longer, &p), -EINVAL);
	CHECK_IS(check_version(ctl, '1', "535.1", &p), 0);
	CHECK_IS(check_version(ctl, '1', "536.1", &p), -EINVAL);
	CHECK(strcmp(p.versionString, own) == 0);
	/* A text without an end is no reason to read on. */
	memset(&p, 'x', sizeof(p));
	p.cmd = 0;
	CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, &p, sizeof(p)), -EINVAL);
	return 0;
}

/* I6 and I7: what is set once, and who may. */
int row_settings(void)
{
	int ctl = open_control(), gpu = open_gpu(0);
	nv_ioctl_sys_params_t sys = { .memblock_size = 128u << 20 };
	nv_ioctl_set_numa_status_t set = { .status = NV_IOCTL_NUMA_STATUS_DISABLED };
	nv_ioctl_numa_info_t numa = { 0 };

	CHECK_IS(escape(ctl, NV_ESC_SYS_PARAMS, &sys, sizeof(sys)), 0);
	CHECK_IS(escape(ctl, NV_ESC_SYS_PARAMS, &sys, sizeof(sys)), 0);
	sys.memblock_size *= 2;
	CHECK_IS(escape(ctl, NV_ESC_SYS_PARAMS, &sys, sizeof(sys)), -EBUSY);
	CHECK_IS(escape(ctl, NV_ESC_SYS_PARAMS, &sys, 4), -EINVAL);

	CHECK_IS(escape(gpu, NV_ESC_NUMA_INFO, &numa, sizeof(numa)), 0);
	CHECK_IS(numa.nid, -1);
	CHECK_IS(numa.status, NV_IOCTL_NUMA_STATUS_DISABLED);
	CHECK_IS(escape(gpu, NV_ESC_SET_NUMA_STATUS, &set, sizeof(set)), 0);
	CHECK_IS(escape(gpu, NV_ESC_SET_NUMA_STATUS, &set, 1), -EINVAL);
	CHECK_IS(escape(ctl, NV_ESC_SET_NUMA_STATUS, &set, sizeof(set)), -EINVAL);
	set.status = NV_IOCTL_NUMA_STATUS_ONLINE;
	CHECK_IS(escape(gpu, NV_ESC_SET_NUMA_STATUS, &set, sizeof(set)), -EINVAL);
	if (geteuid() == 0) {
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
		CHECK_IS(escape(gpu, NV_ESC_SET_NUMA_STATUS, &set, sizeof(set)), -EACCES);
		CHECK_IS(escape(gpu, NV_ESC_SET_NUMA_STATUS, &set, 1), -EACCES);
		CHECK_IS(escape(ctl, NV_ESC_SET_NUMA_STATUS, &set, sizeof(set)), -EACCES);
	}
	return 0;
}

static int register_fd(int fd, int control_fd)
{
	nv_ioctl_register_fd_t p = { .ctl_fd = control_fd };

	return escape(fd, NV_ESC_REGISTER_FD, &p, sizeof(p));
}

static u32 os_event(int fd, u32 number, u32 client, u32 name)
{
	nv_ioctl_alloc_os_event_t p = { .hClient = client, .fd = name, .Status = ~0u };

	CHECK_IS(escape(fd, number, &p, sizeof(p)), 0);
	return p.Status;
}

/* I8 and R2: which file acts for which. */
int row_files(void)
{
	int ctl = open_control(), other = open_control(), gpu = open_gpu(0), gpu2 = open_gpu(0);
	int zero = open("/dev/zero", O_RDWR);
	u32 client = make_client(ctl), own = make_client(other);
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	const u32 probed = NV0000_CTRL_CMD_GPU_GET_PROBED_IDS;
	NVOS41_PARAMETERS data = { 0 };

	CHECK_IS(register_fd(gpu, -1), -EINVAL);
	CHECK_IS(register_fd(gpu, 999), -EINVAL);
	CHECK_IS(register_fd(gpu, zero), -EINVAL);
	CHECK_IS(register_fd(gpu, gpu2), -EINVAL);
	CHECK_IS(register_fd(ctl, ctl), -EINVAL);
	CHECK_IS(register_fd(gpu, ctl), 0);
	CHECK_IS(register_fd(gpu, ctl), -EINVAL);
	CHECK_IS(register_fd(gpu, other), -EINVAL);

	CHECK_IS(control(ctl, client, client, probed, &ids, sizeof(ids)), NV_OK);
	CHECK_IS(control(other, client, client, probed, &ids, sizeof(ids)), NV_ERR_INVALID_CLIENT);
	CHECK_IS(free_object(other, client, client), NV_ERR_INVALID_CLIENT);
	CHECK_IS(register_fd(other, ctl), 0);
	CHECK_IS(register_fd(gpu2, other), -EINVAL);
	CHECK_IS(free_object(other, own, own), NV_ERR_INVALID_CLIENT);
	CHECK_IS(control(other, client, client, probed, &ids, sizeof(ids)), NV_OK);
	close(other);
	CHECK_IS(control(ctl, client, client, probed, &ids, sizeof(ids)), NV_OK);

	CHECK_IS(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 5), NV_ERR_INVALID_EVENT);
	CHECK_IS(os_event(gpu, NV_ESC_ALLOC_OS_EVENT, client, 5), NV_OK);
	CHECK_IS(os_event(ctl, NV_ESC_ALLOC_OS_EVENT, client, 5), NV_ERR_INSUFFICIENT_RESOURCES);
	CHECK_IS(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 5), NV_OK);
	CHECK_IS(os_event(gpu, NV_ESC_FREE_OS_EVENT, client, 5), NV_ERR_INVALID_EVENT);
	CHECK_IS(escape(gpu, NV_ESC_RM_GET_EVENT_DATA, &data, sizeof(data)), 0);
	CHECK_IS(data.status, NV_ERR_OPERATING_SYSTEM);
	return 0;
}
