// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the tests' clients share: the driver's calls, and a GPU with an event of it.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "client.h"

void query_version(int fd)
{
	nv_ioctl_rm_api_version_t v = { .cmd = NV_RM_API_VERSION_CMD_QUERY };

	CHECK(ioctl(fd, IOC(NV_ESC_CHECK_VERSION_STR, nv_ioctl_rm_api_version_t), &v) == 0);
	CHECK(strncmp(v.versionString, "535.", 4) == 0);
}

u32 alloc_root(int fd)
{
	NVOS21_PARAMETERS p = { .hClass = NV01_ROOT };

	CHECK(ioctl(fd, IOC(NV_ESC_RM_ALLOC, NVOS21_PARAMETERS), &p) == 0);
	CHECK(p.status == NV_OK && p.hObjectNew);
	return p.hObjectNew;
}

u32 alloc(int fd, u32 client, u32 parent, u32 handle, u32 class, void *params)
{
	NVOS64_PARAMETERS p = { .hRoot = client,
				.hObjectParent = parent,
				.hObjectNew = handle,
				.hClass = class,
				.pAllocParms = (NvP64)(uintptr_t)params };

	CHECK(ioctl(fd, IOC(NV_ESC_RM_ALLOC, NVOS64_PARAMETERS), &p) == 0);
	return p.status;
}

u32 control(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = { .hClient = client,
				.hObject = object,
				.cmd = cmd,
				.params = (NvP64)(uintptr_t)params,
				.paramsSize = size };

	CHECK(ioctl(fd, IOC(NV_ESC_RM_CONTROL, NVOS54_PARAMETERS), &p) == 0);
	return p.status;
}

u32 probed_ids(int fd, u32 client, void *params)
{
	return control(fd, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, params,
		       sizeof(NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS));
}

int open_ctl(void)
{
	int fd = open("/dev/nvidiactl", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

void send_fd(int sock, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = u.space,
			      .msg_controllen = sizeof(u.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK(sendmsg(sock, &msg, 0) == 1);
}

int receive_fd(int sock)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} u;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = u.space,
			      .msg_controllen = sizeof(u.space) };
	int fd;

	CHECK(recvmsg(sock, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

void wait_child(pid_t pid)
{
	int status;

	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

/* -- A GPU ------------------------------------------------------------------------------------- */

void gpu_open(struct gpu_client *c)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	NV0000_CTRL_GPU_ATTACH_IDS_PARAMS attach;
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	nv_ioctl_register_fd_t with;

	c->ctl = open_ctl();
	c->gpu = open("/dev/nvidia0", O_RDWR | O_CLOEXEC);
	CHECK(c->gpu >= 0);
	with.ctl_fd = c->ctl;
	CHECK(ioctl(c->gpu, IOC(NV_ESC_REGISTER_FD, nv_ioctl_register_fd_t), &with) == 0);
	c->client = alloc_root(c->ctl);
	CHECK(probed_ids(c->ctl, c->client, &ids) == NV_OK);
	memset(&attach, 0xff, sizeof(attach));
	attach.gpuIds[0] = ids.gpuIds[0];
	CHECK(control(c->ctl, c->client, c->client, NV0000_CTRL_CMD_GPU_ATTACH_IDS, &attach,
		      sizeof(attach)) == NV_OK);
	CHECK(alloc(c->ctl, c->client, c->client, HANDLE_DEVICE, NV01_DEVICE_0, &device) == NV_OK);
	CHECK(alloc(c->ctl, c->client, HANDLE_DEVICE, HANDLE_SUBDEVICE, NV20_SUBDEVICE_0,
		    &subdevice) == NV_OK);
}

void gpu_event(const struct gpu_client *c)
{
	NV0005_ALLOC_PARAMETERS event = { .hParentClient = c->client,
					  .hSrcResource = HANDLE_SUBDEVICE,
					  .hClass = NV01_EVENT_OS_EVENT,
					  .notifyIndex = NV2080_NOTIFIERS_SW,
					  .data = (NvP64)(uintptr_t)c->gpu };
	NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS notify = {
		.event = NV2080_NOTIFIERS_SW,
		.action = NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT
	};
	nv_ioctl_alloc_os_event_t os_event = { .hClient = c->client,
					       .hDevice = HANDLE_DEVICE,
					       .fd = (NvU32)c->gpu };

	CHECK(ioctl(c->gpu, IOC(NV_ESC_ALLOC_OS_EVENT, nv_ioctl_alloc_os_event_t), &os_event) == 0);
	CHECK(os_event.Status == NV_OK);
	CHECK(alloc(c->ctl, c->client, HANDLE_SUBDEVICE, HANDLE_EVENT, NV01_EVENT_OS_EVENT,
		    &event) == NV_OK);
	CHECK(control(c->ctl, c->client, HANDLE_SUBDEVICE, NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION,
		      &notify, sizeof(notify)) == NV_OK);
}

void gpu_fire(const struct gpu_client *c)
{
	CHECK(control(c->ctl, c->client, HANDLE_SUBDEVICE, NV2080_CTRL_CMD_EVENT_SET_TRIGGER, NULL,
		      0) == NV_OK);
}
