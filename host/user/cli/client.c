// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * client.h
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/tables.h"
#include "host/user/cli/client.h"

#define H_DEVICE 0xcaf00001u
#define H_SUBDEVICE 0xcaf00002u
#define NO_GPU 0xffffffffu

u32 client_alloc(const struct client *client, u32 parent, u32 handle, u32 class, void *params)
{
	NVOS64_PARAMETERS p = {
		.hRoot = client->handle,
		.hObjectParent = parent,
		.hObjectNew = handle,
		.hClass = class,
		.pAllocParms = (NvP64)(uintptr_t)params,
	};

	if (ioctl(client->ctl, _IOWR('F', NV_ESC_RM_ALLOC, NVOS64_PARAMETERS), &p))
		return NV_ERR_OPERATING_SYSTEM;
	return p.status;
}

u32 client_control(const struct client *client, u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = client->handle,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};

	if (ioctl(client->ctl, _IOWR('F', NV_ESC_RM_CONTROL, NVOS54_PARAMETERS), &p))
		return NV_ERR_OPERATING_SYSTEM;
	return p.status;
}

u32 client_free(const struct client *client, u32 handle)
{
	NVOS00_PARAMETERS p = { .hRoot = client->handle, .hObjectOld = handle };

	if (ioctl(client->ctl, _IOWR('F', NV_ESC_RM_FREE, NVOS00_PARAMETERS), &p))
		return NV_ERR_OPERATING_SYSTEM;
	return p.status;
}

bool client_failed(const struct client *client, const char *what, u32 status)
{
	fprintf(stderr, "leafhopper %s: %s: %s\n", client->command, what, abi_status_name(status));
	return false;
}

static bool system_failed(const struct client *client, const char *what)
{
	fprintf(stderr, "leafhopper %s: %s: %s\n", client->command, what, strerror(errno));
	return false;
}

bool client_open(struct client *client, const char *command)
{
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };

	client->command = command;
	client->ctl = open("/dev/nvidiactl", O_RDWR | O_CLOEXEC);
	if (client->ctl < 0)
		return system_failed(client, "/dev/nvidiactl");
	if (ioctl(client->ctl, _IOWR('F', NV_ESC_RM_ALLOC, NVOS21_PARAMETERS), &root))
		return system_failed(client, "client");
	if (root.status != NV_OK)
		return client_failed(client, "client", root.status);
	client->handle = root.hObjectNew;
	return true;
}

void client_close(struct client *client)
{
	if (client->ctl >= 0)
		close(client->ctl);
	client->ctl = -1;
}

bool client_gpus(const struct client *client, u32 ids[CLIENT_GPUS_MAX], u32 *count)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS probed;
	u32 status = client_control(client, client->handle, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS,
				    &probed, sizeof(probed));

	if (status != NV_OK)
		return client_failed(client, "GPUs", status);
	for (*count = 0; *count < ARRAY_SIZE(probed.gpuIds) && *count < CLIENT_GPUS_MAX; ++*count) {
		if (probed.gpuIds[*count] == NO_GPU)
			break;
		ids[*count] = probed.gpuIds[*count];
	}
	return true;
}

/* Opens the GPU's node and registers it for our client. False: errno says why. */
static bool node_open(const struct client *client, struct client_gpu *gpu)
{
	static nv_ioctl_card_info_t cards[CLIENT_GPUS_MAX];

	memset(cards, 0, sizeof(cards));
	if (ioctl(client->ctl, _IOC(_IOC_READ | _IOC_WRITE, 'F', NV_ESC_CARD_INFO, sizeof(cards)),
		  cards))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		nv_ioctl_register_fd_t with = { .ctl_fd = client->ctl };
		char node[32];

		if (!cards[i].valid || cards[i].gpu_id != gpu->id)
			continue;
		snprintf(gpu->bdf, sizeof(gpu->bdf), "%08x:%02x:%02x.%x", cards[i].pci_info.domain,
			 cards[i].pci_info.bus, cards[i].pci_info.slot, cards[i].pci_info.function);
		snprintf(node, sizeof(node), "/dev/nvidia%u", cards[i].minor_number);
		gpu->fd = open(node, O_RDWR | O_CLOEXEC);
		return gpu->fd >= 0 &&
		       !ioctl(gpu->fd, _IOWR('F', NV_ESC_REGISTER_FD, nv_ioctl_register_fd_t),
			      &with);
	}
	errno = ENODEV;
	return false;
}

static u32 objects_make(const struct client *client, struct client_gpu *gpu)
{
	NV0000_CTRL_GPU_ATTACH_IDS_PARAMS attach;
	NV0000_CTRL_GPU_GET_ID_INFO_PARAMS info = { .gpuId = gpu->id };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	u32 status;

	memset(&attach, 0xff, sizeof(attach));
	attach.gpuIds[0] = gpu->id;
	status = client_control(client, client->handle, NV0000_CTRL_CMD_GPU_ATTACH_IDS, &attach,
				sizeof(attach));
	if (status == NV_OK)
		status = client_control(client, client->handle, NV0000_CTRL_CMD_GPU_GET_ID_INFO,
					&info, sizeof(info));
	if (status != NV_OK)
		return status;
	device.deviceId = info.deviceInstance;
	subdevice.subDeviceId = info.subDeviceInstance;
	status = client_alloc(client, client->handle, H_DEVICE, NV01_DEVICE_0, &device);
	if (status != NV_OK)
		return status;
	status = client_alloc(client, H_DEVICE, H_SUBDEVICE, NV20_SUBDEVICE_0, &subdevice);
	if (status != NV_OK)
		client_free(client, H_DEVICE);
	return status;
}

bool client_gpu_open(const struct client *client, u32 id, struct client_gpu *gpu)
{
	char name[24];
	u32 status;

	*gpu = (struct client_gpu){ .id = id, .fd = -1, .subdevice = H_SUBDEVICE };
	snprintf(name, sizeof(name), "GPU 0x%x", id);
	if (!node_open(client, gpu)) {
		system_failed(client, name);
		goto fail;
	}
	status = objects_make(client, gpu);
	if (status == NV_OK)
		return true;
	client_failed(client, name, status);
fail:
	if (gpu->fd >= 0)
		close(gpu->fd);
	return false;
}

void client_gpu_close(const struct client *client, struct client_gpu *gpu)
{
	client_free(client, H_DEVICE);
	close(gpu->fd);
}

bool client_own_module(void)
{
	FILE *file = fopen("/proc/driver/nvidia/version", "re");
	char line[256];
	bool own = file && fgets(line, sizeof(line), file) && strstr(line, "Leafhopper");

	if (file)
		fclose(file);
	return own;
}
