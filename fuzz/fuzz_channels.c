// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libFuzzer target: a client that makes, schedules, maps, rings and frees channels of a software
 * GPU in any order and with any parameters. Handles are few, so that objects meet. After each input
 * the client is freed, and nothing of it may be left.
 *
 *   operation: kind, handle, parent, then bytes over the parameters, as many as the first of them
 * says
 */
#include <stdlib.h>
#include <string.h>

#include "abi/gh100.h"
#include "abi/tables.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/notify.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE 0x10u
#define SUBDEVICE 0x11u
#define SPACE 0x12u
#define MEMORY 0x13u
#define HANDLES 16u
#define USERD_GP_PUT 0x8cu
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))

struct input {
	const u8 *data;
	size_t size;
};

static int ctl = -1;

static u32 take(struct input *in, u32 count)
{
	u32 value;

	if (!in->size)
		return 0;
	value = *in->data++;
	in->size--;
	return count ? value % count : value;
}

static u32 take_handle(struct input *in)
{
	return DEVICE + take(in, HANDLES);
}

/* Good parameters, some bytes of which are replaced. */
static void spoil(struct input *in, void *params, u32 size)
{
	u32 count = take(in, 4);

	while (count--)
		((u8 *)params)[take(in, 0) * 4 % size] = (u8)take(in, 0);
}

static void make(struct input *in, u32 client, u32 kind)
{
	union {
		NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS group;
		NV_CTXSHARE_ALLOCATION_PARAMETERS share;
		NV_CHANNEL_ALLOC_PARAMS channel;
		NVB0B5_ALLOCATION_PARAMETERS copy;
		NV_HOPPER_USERMODE_A_PARAMS usermode;
		NV83DE_ALLOC_PARAMETERS debugger;
	} p = { .channel = { 0 } };
	static const u32 classes[] = {
		KEPLER_CHANNEL_GROUP_A, FERMI_CONTEXT_SHARE_A, HOPPER_CHANNEL_GPFIFO_A,
		HOPPER_DMA_COPY_A,	HOPPER_COMPUTE_A,      HOPPER_USERMODE_A,
		GT200_DEBUGGER,		GP100_UVM_SW,	       HOPPER_SEC2_WORK_LAUNCH_A,
	};
	u32 class_id = classes[kind % ARRAY_SIZE(classes)], handle = take_handle(in);
	u32 parent = take(in, 3) ? take_handle(in) : DEVICE;

	switch (class_id) {
	case KEPLER_CHANNEL_GROUP_A:
		p.group.engineType = NV2080_ENGINE_TYPE_GR0 + take(in, 20);
		break;
	case FERMI_CONTEXT_SHARE_A:
		p.share.hVASpace = SPACE;
		p.share.flags = take(in, 3);
		break;
	case HOPPER_CHANNEL_GPFIFO_A:
		p.channel.hObjectError = take(in, 2) ? MEMORY : 0;
		p.channel.hContextShare = take(in, 2) ? take_handle(in) : 0;
		p.channel.gpFifoOffset = 0x200000;
		p.channel.gpFifoEntries = 1u << take(in, 12);
		p.channel.hUserdMemory[0] = take(in, 4) ? MEMORY : 0;
		p.channel.userdOffset[0] = 512ull * take(in, 0);
		p.channel.engineType = take(in, 3) ? 0 : NV2080_ENGINE_TYPE_COPY2;
		break;
	case GT200_DEBUGGER:
		p.debugger.hAppClient = client;
		p.debugger.hClass3dObject = take_handle(in);
		break;
	default:
		break;
	}
	spoil(in, &p,
	      abi_class_find(class_id)->params_size ? abi_class_find(class_id)->params_size : 1);
	host_alloc(ctl, client, parent, &handle, class_id, &p, 0);
}

static void command(struct input *in, u32 client)
{
	static const struct {
		u32 cmd, size;
	} commands[] = {
		{ NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, sizeof(NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS) },
		{ NVA06C_CTRL_CMD_SET_TIMESLICE, sizeof(NVA06C_CTRL_TIMESLICE_PARAMS) },
		{ NVA06C_CTRL_CMD_PREEMPT, sizeof(NVA06C_CTRL_PREEMPT_PARAMS) },
		{ NVA06C_CTRL_CMD_BIND, sizeof(NVA06C_CTRL_BIND_PARAMS) },
		{ NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, sizeof(NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS) },
		{ NVA06F_CTRL_CMD_STOP_CHANNEL, sizeof(NVA06F_CTRL_STOP_CHANNEL_PARAMS) },
		{ NVA06F_CTRL_CMD_SET_INTERLEAVE_LEVEL,
		  sizeof(NVA06F_CTRL_INTERLEAVE_LEVEL_PARAMS) },
		{ NVA06F_CTRL_CMD_SET_ERROR_NOTIFIER,
		  sizeof(NVA06F_CTRL_SET_ERROR_NOTIFIER_PARAMS) },
		{ NV906F_CTRL_CMD_RESET_CHANNEL, sizeof(NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS) },
		{ NVC36F_CTRL_GET_CLASS_ENGINEID, sizeof(NV906F_CTRL_GET_CLASS_ENGINEID_PARAMS) },
		{ NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, 4 },
		{ NVC36F_CTRL_CMD_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX, 4 },
		{ NV906F_CTRL_CMD_GET_MMU_FAULT_INFO,
		  sizeof(NV906F_CTRL_GET_MMU_FAULT_INFO_PARAMS) },
		{ NV2080_CTRL_CMD_GR_GET_CTX_BUFFER_SIZE,
		  sizeof(NV2080_CTRL_GR_GET_CTX_BUFFER_SIZE_PARAMS) },
	};
	u32 which = take(in, ARRAY_SIZE(commands)), i;
	u64 words[32] = { 0 };
	u8 *bytes = (u8 *)words;

	bytes[0] = 1;
	for (i = 0; i < commands[which].size && i < sizeof(words) && take(in, 2); i++)
		bytes[i] = (u8)take(in, 0);
	host_control(ctl, client, take_handle(in), commands[which].cmd, words,
		     commands[which].size);
}

/* Short waits of any of the ways, for any channels. */
static void idle(struct input *in, u32 client)
{
	static NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS list;
	u32 clients[4], devices[4], channels[4], i;
	NVOS30_PARAMETERS p = {
		.hClient = client,
		.hDevice = DEVICE + take(in, 3),
		.hChannel = take_handle(in),
		.numChannels = take(in, 5),
		.phClients = (NvP64)(uintptr_t)clients,
		.phDevices = (NvP64)(uintptr_t)devices,
		.phChannels = (NvP64)(uintptr_t)channels,
		.flags = take(in, 0),
		.timeout = take(in, 0),
	};

	for (i = 0; i < ARRAY_SIZE(channels); i++) {
		clients[i] = client;
		devices[i] = DEVICE + take(in, 2);
		channels[i] = take_handle(in);
		list.hChannels[i] = channels[i];
	}
	list.numChannels = p.numChannels;
	list.timeout = p.timeout;
	if (take(in, 2)) {
		host_control(ctl, client, DEVICE, NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS, &list,
			     sizeof(list));
		return;
	}
	spoil(in, &p, sizeof(p));
	p.timeout %= 1000;
	host_ioctl(ctl, NV_ESC_RM_IDLE_CHANNELS, &p, sizeof(p));
}

/* A channel's USERD, or what else has the handle: mapped, stored to, unmapped or left as it is. */
static void map(struct input *in, u32 client)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = client,
			    .hDevice = DEVICE + take(in, 3),
			    .hMemory = take_handle(in),
			    .length = 2 * take(in, 0) },
		.fd = host_open(RM_NODE_GPU, 0),
	};
	NVOS34_PARAMETERS u = { .hClient = client, .hDevice = DEVICE };
	struct rm_mapping *m;
	int fd = p.fd;

	if (fd < 0)
		abort();
	spoil(in, &p.params, sizeof(p.params));
	u.hMemory = p.params.hMemory;
	if (host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)) == RM_IOCTL_OK &&
	    p.params.status == NV_OK &&
	    rm_file_mmap(host.fds[fd].file, 0, OS_PAGE_SIZE, true, &m) == NV_OK) {
		if (m->extents[0].kind == RM_MAP_BAR && m->extents[0].bar == 2)
			os_pci_wr32(m->pci, 2, m->extents[0].offset + USERD_GP_PUT, take(in, 0));
		rm_mapping_put(m);
	}
	u.pLinearAddress = p.params.pLinearAddress;
	if (take(in, 2))
		host_ioctl(ctl, NV_ESC_RM_UNMAP_MEMORY, &u, sizeof(u));
	host_close(fd);
}

static void run(struct input *in, u32 client)
{
	u32 kind = take(in, 0) % 17;

	if (kind < 9)
		make(in, client, kind);
	else if (kind < 12)
		command(in, client);
	else if (kind == 12)
		host_free(ctl, client, take_handle(in));
	else if (kind == 13)
		h100_bar_write(host.gpus[0].model, 0, DOORBELL, 4, take(in, 4) | take(in, 4) << 16);
	else if (kind == 14)
		idle(in, client);
	else if (kind == 15)
		map(in, client);
	else
		rm_gpu_channel_error(host.rm_gpus[0], take(in, 20), take(in, 4), take(in, 0),
				     take(in, 2), host.rm_gpus[0]->event_number + take(in, 2));
}

static void begin(void)
{
	const struct os_cred cred = { .pid = 4000, .admin = true };

	os_user_set_cred(&cred);
	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	host_start(1);
	if (host_open(RM_NODE_GPU, 0) < 0)
		abort();
	ctl = host_open(RM_NODE_CONTROL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	NV_MEMORY_ALLOCATION_PARAMS memory = { .owner = 1, .size = 1 << 17 };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	struct input in = { bytes, size };
	NV0080_ALLOC_PARAMETERS d = { 0 };
	u32 client, handles[] = { DEVICE, SUBDEVICE, SPACE, MEMORY };

	if (ctl < 0)
		begin();
	client = host_client(ctl);
	if (host_alloc(ctl, client, client, &handles[0], NV01_DEVICE_0, &d, 0) != NV_OK ||
	    host_alloc(ctl, client, DEVICE, &handles[1], NV20_SUBDEVICE_0, NULL, 0) != NV_OK ||
	    host_alloc(ctl, client, DEVICE, &handles[2], FERMI_VASPACE_A, &space, 0) != NV_OK ||
	    host_alloc(ctl, client, DEVICE, &handles[3], NV01_MEMORY_LOCAL_USER, &memory, 0) !=
		    NV_OK)
		abort();
	while (in.size)
		run(&in, client);
	if (host_free(ctl, client, client) != NV_OK)
		abort();
	return 0;
}
