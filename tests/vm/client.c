// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The requests that the parts of the client make. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

int escape(int fd, u32 number, void *data, u32 size)
{
	return ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'F', number, size), data) == 0 ? 0 : -errno;
}

int open_control(void)
{
	int fd = open("/dev/nvidiactl", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

int open_gpu(u32 index)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/nvidia%u", index);
	return open(path, O_RDWR | O_CLOEXEC);
}

u32 control_flags(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size, u32 flags)
{
	NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.flags = flags,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
		.status = ~0u,
	};

	CHECK_IS(escape(fd, NV_ESC_RM_CONTROL, &p, sizeof(p)), 0);
	return p.status;
}

u32 control(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size)
{
	return control_flags(fd, client, object, cmd, params, size, 0);
}

u32 alloc(int fd, u32 client, u32 parent, u32 *handle, u32 class_id, void *params, u32 size)
{
	NVOS64_PARAMETERS p = {
		.hRoot = client,
		.hObjectParent = parent,
		.hObjectNew = *handle,
		.hClass = class_id,
		.pAllocParms = (NvP64)(uintptr_t)params,
		.paramsSize = size,
		.status = ~0u,
	};

	CHECK_IS(escape(fd, NV_ESC_RM_ALLOC, &p, sizeof(p)), 0);
	*handle = p.hObjectNew;
	return p.status;
}

u32 free_object(int fd, u32 client, u32 object)
{
	NVOS00_PARAMETERS p = { .hRoot = client, .hObjectOld = object, .status = ~0u };

	CHECK_IS(escape(fd, NV_ESC_RM_FREE, &p, sizeof(p)), 0);
	return p.status;
}

u32 make_client(int fd)
{
	u32 handle = 0;

	CHECK_IS(alloc(fd, 0, 0, &handle, NV01_ROOT, NULL, 0), NV_OK);
	CHECK(handle != 0);
	return handle;
}

void make_subdevice(int fd, u32 client, u32 device, u32 subdevice)
{
	NV0080_ALLOC_PARAMETERS device_params = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice_params = { 0 };

	CHECK_IS(alloc(fd, client, client, &device, NV01_DEVICE_0, &device_params, 0), NV_OK);
	CHECK_IS(alloc(fd, client, device, &subdevice, NV20_SUBDEVICE_0, &subdevice_params, 0),
		 NV_OK);
}
