// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Rows R1 to R10: what controls and allocations refuse, by real system calls. */
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

#define DEVICE 0x10u
#define SUBDEVICE 0x11u
#define NOBODY 0x99u
#define PARAMS_MOST (1u << 20)

#define PROBED_IDS NV0000_CTRL_CMD_GPU_GET_PROBED_IDS
#define PROBED_SIZE ((u32)sizeof(NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS))
#define NAME NV2080_CTRL_CMD_GPU_GET_NAME_STRING
#define NAME_SIZE ((u32)sizeof(NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS))

static void check_order(int ctl, int other, u32 client)
{
	static u8 params[PARAMS_MOST + 1];

	/* A command of none: before anything is looked at. */
	CHECK_IS(control(other, NOBODY, NOBODY, 0, BAD_POINTER, 12345), NV_OK);
	CHECK_IS(control(other, NOBODY, NOBODY, 0x20800000, BAD_POINTER, 0), NV_OK);
	CHECK_IS(control(other, NOBODY, NOBODY, 0x20800100, NULL, 0), NV_ERR_INVALID_CLIENT);
	/* Flags that are the kernel's. */
	CHECK_IS(control_flags(ctl, client, SUBDEVICE, NAME, params, NAME_SIZE,
			       NVOS54_FLAGS_IRQL_RAISED),
		 NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(control_flags(ctl, client, SUBDEVICE, NAME, params, NAME_SIZE,
			       NVOS54_FLAGS_LOCK_BYPASS),
		 NV_ERR_INVALID_ARGUMENT);
	/* Sizes, before client and object. */
	for (u32 size = PROBED_SIZE - 1; size <= PROBED_SIZE + 1; size += 2) {
		CHECK_IS(control(ctl, client, client, PROBED_IDS, params, size),
			 NV_ERR_INVALID_ARGUMENT);
		CHECK_IS(control(ctl, NOBODY, NOBODY, PROBED_IDS, params, size),
			 NV_ERR_INVALID_ARGUMENT);
	}
	CHECK_IS(control(ctl, NOBODY, client, PROBED_IDS, params, PROBED_SIZE),
		 NV_ERR_INVALID_CLIENT);
	CHECK_IS(control(other, client, client, PROBED_IDS, params, PROBED_SIZE),
		 NV_ERR_INVALID_CLIENT);
	CHECK_IS(control(ctl, client, NOBODY, PROBED_IDS, params, PROBED_SIZE),
		 NV_ERR_OBJECT_NOT_FOUND);
	CHECK_IS(control(ctl, client, client, PROBED_IDS, NULL, PROBED_SIZE),
		 NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(control(ctl, client, client, PROBED_IDS, params, 0), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(control(ctl, client, client, 0x9999, params, PARAMS_MOST + 1),
		 NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(control(ctl, client, client, 0x9999, params, 64), NV_ERR_NOT_SUPPORTED);
	CHECK_IS(control(ctl, client, client, 0x9999, NULL, 0), NV_ERR_NOT_SUPPORTED);
	/* A command of another class. */
	CHECK_IS(control(ctl, client, DEVICE, PROBED_IDS, params, PROBED_SIZE),
		 NV_ERR_NOT_SUPPORTED);
}

static void check_copies(int ctl, u32 client)
{
	u8 *pages =
		mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *edge = pages + 4096 - NAME_SIZE;

	CHECK(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, edge, NAME_SIZE), NV_OK);
	CHECK(memcmp(edge + 4, "NVIDIA H", 8) == 0);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, edge + 1, NAME_SIZE),
		 NV_ERR_INVALID_ADDRESS);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, BAD_POINTER, NAME_SIZE),
		 NV_ERR_INVALID_ADDRESS);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, (void *)~0ull, NAME_SIZE),
		 NV_ERR_INVALID_ADDRESS);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, (void *)0xffff888000000000ull, NAME_SIZE),
		 NV_ERR_INVALID_ADDRESS);
	/* Readable only: served, and no place for the answer. */
	memset(edge, 0, NAME_SIZE);
	CHECK(mprotect(pages, 4096, PROT_READ) == 0);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, edge, NAME_SIZE), NV_ERR_INVALID_ADDRESS);
	munmap(pages, 2 * 4096);
}

/* R3, R5: the checks of a control and their order; a routed one with every wrong pointer. */
int row_controls(void)
{
	int ctl = open_control(), other = open_control(), gpu = open_gpu(0);
	u32 client = make_client(ctl);

	CHECK(gpu >= 0);
	make_subdevice(ctl, client, DEVICE, SUBDEVICE);
	check_order(ctl, other, client);
	check_copies(ctl, client);
	return 0;
}

/* R9: allocation, the tree, and what goes with what. */
int row_objects(void)
{
	int ctl = open_control(), other = open_control(), gpu = open_gpu(0);
	u32 client = make_client(ctl), stranger = make_client(other), handle;
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { .subDeviceId = 7 };
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids = { 0 };
	NVOS55_PARAMETERS dup = { 0 };

	CHECK(gpu >= 0);
	handle = DEVICE;
	CHECK_IS(alloc(ctl, NOBODY, client, &handle, NV01_DEVICE_0, &device, 0),
		 NV_ERR_INVALID_OBJECT_HANDLE);
	CHECK_IS(alloc(other, client, client, &handle, NV01_DEVICE_0, &device, 0),
		 NV_ERR_INVALID_CLIENT);
	CHECK_IS(alloc(ctl, client, client, &handle, 0xdeadu, &device, 0), NV_ERR_INVALID_CLASS);
	CHECK_IS(alloc(ctl, client, client, &handle, NV01_DEVICE_0, BAD_POINTER, 0),
		 NV_ERR_INVALID_ADDRESS);
	CHECK_IS(alloc(ctl, client, client, &handle, NV20_SUBDEVICE_0, &subdevice, 0),
		 NV_ERR_INVALID_OBJECT_PARENT);
	CHECK_IS(alloc(ctl, client, client, &handle, NV01_DEVICE_0, &device, 0), NV_OK);
	CHECK_IS(alloc(ctl, client, client, &handle, NV01_DEVICE_0, &device, 0),
		 NV_ERR_INSERT_DUPLICATE_NAME);
	handle = SUBDEVICE;
	CHECK(alloc(ctl, client, DEVICE, &handle, NV20_SUBDEVICE_0, &subdevice, 0) != NV_OK);
	subdevice.subDeviceId = 0;
	handle = SUBDEVICE;
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, NV20_SUBDEVICE_0, &subdevice, 0), NV_OK);

	dup = (NVOS55_PARAMETERS){ .hClient = stranger,
				   .hParent = stranger,
				   .hObject = 0x20,
				   .hClientSrc = client,
				   .hObjectSrc = NOBODY };
	CHECK_IS(escape(other, NV_ESC_RM_DUP_OBJECT, &dup, sizeof(dup)), 0);
	CHECK(dup.status != NV_OK);

	/* Freeing what is not there is no mistake. The device takes its subdevice along. */
	CHECK_IS(free_object(ctl, client, NOBODY), NV_OK);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, &name, sizeof(name)), NV_OK);
	CHECK_IS(free_object(ctl, client, DEVICE), NV_OK);
	CHECK_IS(control(ctl, client, SUBDEVICE, NAME, &name, sizeof(name)),
		 NV_ERR_OBJECT_NOT_FOUND);
	CHECK_IS(free_object(ctl, client, client), NV_OK);
	CHECK_IS(control(ctl, client, client, PROBED_IDS, &ids, PROBED_SIZE),
		 NV_ERR_INVALID_CLIENT);
	return 0;
}

/* R3, I8: what only an administrator may. */
int row_rights(void)
{
	NV0000_CTRL_GPU_MODIFY_DRAIN_STATE_PARAMS drain = { 0 };
	int ctl;
	u32 mine;

	if (geteuid() == 0)
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	ctl = open_control();
	mine = make_client(ctl);
	CHECK_IS(control(ctl, mine, mine, NV0000_CTRL_CMD_GPU_MODIFY_DRAIN_STATE, &drain,
			 sizeof(drain)),
		 NV_ERR_INSUFFICIENT_PERMISSIONS);
	return 0;
}

/* Holds a client with a GPU's objects; serves requests until standard input ends. */
int row_hold(void)
{
	int ctl = open_control(), gpu = open_gpu(0);
	u32 client = make_client(ctl);
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
	char byte;

	CHECK(gpu >= 0);
	make_subdevice(ctl, client, DEVICE, SUBDEVICE);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		/* A byte on standard input is a request, its status a line. */
		printf("%#x\n", control(ctl, client, SUBDEVICE, NAME, &name, sizeof(name)));
		fflush(stdout);
	}
	return 0;
}

/* Until it is killed: opens, allocates, asks the firmware, frees, closes. */
int row_busy(void)
{
	for (;;) {
		int ctl = open_control(), gpu = open_gpu(0);
		NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
		NV0080_ALLOC_PARAMETERS device_params = { 0 };
		NV2080_ALLOC_PARAMETERS subdevice_params = { 0 };
		u32 device = DEVICE, subdevice = SUBDEVICE, client = make_client(ctl);

		if (gpu >= 0 &&
		    alloc(ctl, client, client, &device, NV01_DEVICE_0, &device_params, 0) ==
			    NV_OK &&
		    alloc(ctl, client, device, &subdevice, NV20_SUBDEVICE_0, &subdevice_params,
			  0) == NV_OK) {
			for (u32 i = 0; i < 20; i++)
				control(ctl, client, SUBDEVICE, NAME, &name, sizeof(name));
		}
		if (gpu >= 0)
			close(gpu);
		close(ctl);
	}
}

/*
 * One life of a client in which any allocation of the driver's may fail: every step is tried, what
 * fails does so with a status or errno, and nothing of it is judged but that it ends.
 */
int row_survive(void)
{
	int ctl, gpu;
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
	NVOS64_PARAMETERS root = { .hClass = NV01_ROOT }, object;
	NV0080_ALLOC_PARAMETERS device_params = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice_params = { 0 };
	NVOS54_PARAMETERS request = { .hObject = SUBDEVICE,
				      .cmd = NAME,
				      .params = (NvP64)(uintptr_t)&name,
				      .paramsSize = NAME_SIZE };

	ctl = open_control();
	gpu = open_gpu(0);
	escape(ctl, NV_ESC_RM_ALLOC, &root, sizeof(root));
	object = (NVOS64_PARAMETERS){ .hRoot = root.hObjectNew,
				      .hObjectParent = root.hObjectNew,
				      .hObjectNew = DEVICE,
				      .hClass = NV01_DEVICE_0,
				      .pAllocParms = (NvP64)(uintptr_t)&device_params };
	escape(ctl, NV_ESC_RM_ALLOC, &object, sizeof(object));
	object = (NVOS64_PARAMETERS){ .hRoot = root.hObjectNew,
				      .hObjectParent = DEVICE,
				      .hObjectNew = SUBDEVICE,
				      .hClass = NV20_SUBDEVICE_0,
				      .pAllocParms = (NvP64)(uintptr_t)&subdevice_params };
	escape(ctl, NV_ESC_RM_ALLOC, &object, sizeof(object));
	request.hClient = root.hObjectNew;
	escape(ctl, NV_ESC_RM_CONTROL, &request, sizeof(request));
	if (gpu >= 0)
		close(gpu);
	close(ctl);
	return 0;
}

/* Objects until there is no more memory for them, which must come: for a small memory cgroup. */
int row_greedy(void)
{
	const u32 enough = 300000;
	int ctl = open_control();
	u32 status = NV_OK, made;

	for (made = 0; made < enough && status == NV_OK; made++) {
		u32 handle = 0;

		status = alloc(ctl, 0, 0, &handle, NV01_ROOT, NULL, 0);
	}
	printf("%u clients\n", made);
	CHECK_IS(status, NV_ERR_NO_MEMORY);
	return 0;
}

/* A version that is not the driver's is told in the log, each time. */
int row_loud(void)
{
	int ctl = open_control();

	for (u32 i = 0; i < 2000; i++) {
		nv_ioctl_rm_api_version_t version = { .versionString = "1.2.3" };

		CHECK_IS(escape(ctl, NV_ESC_CHECK_VERSION_STR, &version, sizeof(version)), -EINVAL);
	}
	return 0;
}
