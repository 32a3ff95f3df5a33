// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory made of listed pages, context DMA, and waiting for channels, by real system calls: what
 * each gives, and every wrong pointer.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "client.h"

#define DEVICE 0x10u
#define SUBDEVICE 0x11u
#define VIDEO 0x20u
#define LIST 0x21u
#define OBJECT_LIST 0x22u
#define BUS_LIST 0x23u
#define CONTEXT 0x24u
#define CHANNEL 0x25u
#define SPACE 0x26u
#define NOBODY 0x99u
#define PAGE 4096u
#define PAGES 16u

#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))

static int ctl;
static u32 client;

static u32 make(u32 parent, u32 handle, u32 class_id, void *params)
{
	return alloc(ctl, client, parent, &handle, class_id, params, 0);
}

static volatile u32 *map(u32 memory, u32 pages)
{
	int gpu = open_gpu(0);
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = client,
			    .hDevice = DEVICE,
			    .hMemory = memory,
			    .length = pages * PAGE },
		.fd = gpu,
	};
	void *at;

	CHECK(gpu >= 0);
	CHECK_IS(escape(ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)), 0);
	CHECK_IS(p.params.status, NV_OK);
	at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gpu, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

/* -- Pages by their numbers -------------------------------------------------------------------- */

static void check_lists(u64 offset)
{
	u64 numbers[2] = { offset / PAGE + 3, offset / PAGE };
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = {
		.pageCount = 2,
		.pageNumberList = (NvP64)(uintptr_t)numbers,
		.limit = 2 * PAGE - 1,
		.flagsOs02 = FIELD(NONCONTIGUOUS, NVOS02_FLAGS_PHYSICALITY),
	};
	volatile u32 *all, *listed;

	if (geteuid() != 0) {
		CHECK_IS(make(DEVICE, LIST, NV01_MEMORY_LIST_FBMEM, &p),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
		return;
	}
	CHECK_IS(make(DEVICE, LIST, NV01_MEMORY_LIST_FBMEM, &p), NV_OK);
	all = map(VIDEO, PAGES);
	listed = map(LIST, 2);
	all[3 * PAGE / 4] = 33;
	all[0] = 30;
	CHECK_IS(listed[0], 33);
	CHECK_IS(listed[PAGE / 4], 30);
	listed[1] = 5;
	CHECK_IS(all[3 * PAGE / 4 + 1], 5);
	munmap((void *)listed, 2 * PAGE);
	CHECK_IS(free_object(ctl, client, LIST), NV_OK);
	CHECK_IS(all[3 * PAGE / 4 + 1], 5);

	p.hObject = VIDEO;
	numbers[0] = 1;
	numbers[1] = 2;
	CHECK_IS(make(DEVICE, OBJECT_LIST, NV01_MEMORY_LIST_OBJECT, &p), NV_OK);
	numbers[1] = PAGES;
	CHECK_IS(make(DEVICE, LIST, NV01_MEMORY_LIST_OBJECT, &p), NV_ERR_BUFFER_TOO_SMALL);
	p.hObject = 0;
	CHECK_IS(make(DEVICE, BUS_LIST, NV01_MEMORY_LIST_SYSTEM, &p), NV_OK);
	p.pageNumberList = (NvP64)(uintptr_t)BAD_POINTER;
	CHECK_IS(make(DEVICE, LIST, NV01_MEMORY_LIST_SYSTEM, &p), NV_ERR_INVALID_ADDRESS);
	p.pageCount = ~0u;
	CHECK_IS(make(DEVICE, LIST, NV01_MEMORY_LIST_SYSTEM, &p), NV_ERR_INVALID_ARGUMENT);
	munmap((void *)all, PAGES * PAGE);
}

static void check_old_list(int gpu)
{
	nv_ioctl_nvos02_parameters_with_fd p = {
		.params = { .hRoot = client,
			    .hObjectParent = DEVICE,
			    .hObjectNew = LIST,
			    .hClass = NV01_MEMORY_LIST_FBMEM,
			    .pMemory = (NvP64)(uintptr_t)BAD_POINTER,
			    .limit = PAGE - 1 },
	};

	CHECK_IS(escape(gpu, NV_ESC_RM_ALLOC_MEMORY, &p, sizeof(p)), 0);
	CHECK_IS(p.params.status, NV_ERR_INVALID_ADDRESS);
}

/* -- Context DMA and channels ------------------------------------------------------------------ */

static void check_context_dma(void)
{
	NVOS39_PARAMETERS p = { .hObjectParent = client,
				.hObjectNew = CONTEXT,
				.hClass = NV01_CONTEXT_DMA,
				.flags = FIELD(DISABLE, NVOS03_FLAGS_HASH_TABLE),
				.hMemory = VIDEO,
				.offset = 64,
				.limit = 31 };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_CHANNEL_ALLOC_PARAMS channel = {
		.hObjectError = CONTEXT,
		.gpFifoOffset = 0x200600000ull,
		.gpFifoEntries = 0x100,
		.hVASpace = SPACE,
		.hUserdMemory = { VIDEO },
		.userdOffset = { PAGE },
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};
	NVOS49_PARAMETERS bind = { .hClient = client, .hChannel = CHANNEL, .hCtxDma = CONTEXT };
	NVA06F_CTRL_STOP_CHANNEL_PARAMS stop = { .bImmediate = 1 };
	volatile u32 *notifier = map(VIDEO, 1);

	CHECK_IS(escape(ctl, NV_ESC_RM_ALLOC_CONTEXT_DMA2, &p, sizeof(p)), 0);
	CHECK_IS(p.status, NV_OK);
	CHECK_IS(make(DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	CHECK_IS(make(DEVICE, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &channel), NV_OK);
	CHECK_IS(escape(ctl, NV_ESC_RM_BIND_CONTEXT_DMA, &bind, sizeof(bind)), 0);
	CHECK_IS(bind.status, NV_OK);
	bind.hChannel = NOBODY;
	CHECK_IS(escape(ctl, NV_ESC_RM_BIND_CONTEXT_DMA, &bind, sizeof(bind)), 0);
	CHECK_IS(bind.status, NV_ERR_OBJECT_NOT_FOUND);
	/* Being stopped is told there. */
	CHECK_IS(control(ctl, client, CHANNEL, NVA06F_CTRL_CMD_STOP_CHANNEL, &stop, sizeof(stop)),
		 NV_OK);
	CHECK_IS(notifier[(64 + 8) / 4], ROBUST_CHANNEL_PREEMPTIVE_REMOVAL);
	CHECK_IS(notifier[8 / 4], 0);
	munmap((void *)notifier, PAGE);
}

static u32 idle(NVOS30_PARAMETERS p)
{
	p.hClient = client;
	CHECK_IS(escape(ctl, NV_ESC_RM_IDLE_CHANNELS, &p, sizeof(p)), 0);
	return p.status;
}

static void check_idle(void)
{
	const u32 single = FIELD(SINGLE, NVOS30_FLAGS_CHANNEL);
	u32 clients = client, devices = DEVICE, channels = CHANNEL;
	NVOS30_PARAMETERS list = { .numChannels = 1,
				   .phClients = (NvP64)(uintptr_t)&clients,
				   .phDevices = (NvP64)(uintptr_t)&devices,
				   .phChannels = (NvP64)(uintptr_t)&channels };
	NVOS30_PARAMETERS one = { .hDevice = SUBDEVICE, .hChannel = CHANNEL, .flags = single };
	volatile u32 *userd = map(VIDEO, 2);

	CHECK_IS(idle(one), NV_OK);
	CHECK_IS(idle(list), NV_OK);
	/* Work that nobody rang for: there is no end of it. */
	userd[(PAGE + 0x8c) / 4] = 1;
	one.timeout = 10000;
	CHECK_IS(idle(one), NV_ERR_TIMEOUT);
	userd[(PAGE + 0x8c) / 4] = 0;
	CHECK_IS(idle(one), NV_OK);
	munmap((void *)userd, 2 * PAGE);
	one.hChannel = NOBODY;
	CHECK_IS(idle(one), NV_ERR_OBJECT_NOT_FOUND);
	list.phDevices = (NvP64)(uintptr_t)BAD_POINTER;
	CHECK_IS(idle(list), NV_ERR_INVALID_ADDRESS);
	list.phDevices = 0;
	CHECK_IS(idle(list), NV_ERR_INVALID_ARGUMENT);
	list.numChannels = ~0u;
	CHECK_IS(idle(list), NV_ERR_INVALID_ARGUMENT);
	one.flags = 2 * single;
	CHECK_IS(idle(one), NV_ERR_INVALID_FLAGS);
}

int row_parts(void)
{
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = PAGES * PAGE };
	int gpu = open_gpu(0);
	nv_ioctl_register_fd_t link;

	CHECK(gpu >= 0);
	ctl = open_control();
	link.ctl_fd = ctl;
	CHECK_IS(escape(gpu, NV_ESC_REGISTER_FD, &link, sizeof(link)), 0);
	client = make_client(ctl);
	make_subdevice(ctl, client, DEVICE, SUBDEVICE);
	CHECK_IS(make(DEVICE, VIDEO, NV01_MEMORY_LOCAL_USER, &video), NV_OK);
	check_lists(video.offset);
	check_old_list(gpu);
	check_context_dma();
	check_idle();
	return 0;
}
