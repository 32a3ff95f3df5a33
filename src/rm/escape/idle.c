// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Waiting until channels have done their work: NV_ESC_RM_IDLE_CHANNELS, and the same by a control
 * of the client or of a device. Each look is a request of its own (NV0080_CTRL_CMD_FIFO_-
 * IDLE_CHANNELS as class/device_fifo.c serves it), so that no lock is held while time goes by.
 */
#include "base/bits.h"
#include "rm/escape/escape.h"

/* As long as r535 waits for an answer of the firmware. */
#define WAIT_MAX_US 4000000u
/* Looks come so far apart at first, and after an eighth of what has been waited. */
#define LOOK_MIN_US 20u
#define LOOK_MAX_US 10000u

#define CHANNELS_MAX NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS_MAX_CHANNELS

/* Channels of one device. */
struct batch {
	struct rm_file *file;
	u32 client, device;
	NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS *params;
};

static enum nv_status look(const struct batch *batch)
{
	NVOS54_PARAMETERS control = {
		.hClient = batch->client,
		.hObject = batch->device,
		.cmd = NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS,
		.params = (NvP64)(uintptr_t)batch->params,
		.paramsSize = sizeof(*batch->params),
	};
	struct rm_file *none = NULL;

	return rm_api_control_prepared(batch->file, &control, &none);
}

/* Looks until all are idle, something is wrong, or it is that late. */
static enum nv_status wait_idle(const struct batch *batch, u64 begin_ns, u64 end_ns)
{
	bool query =
		REG_GET(NVOS30_FLAGS_BEHAVIOR, batch->params->flags) == NVOS30_FLAGS_BEHAVIOR_QUERY;
	enum nv_status status;
	u64 now, us;

	for (;;) {
		status = look(batch);
		now = os_time_ns();
		if (status != NV_ERR_TIMEOUT || query || now >= end_ns)
			return status;
		us = min(max((now - begin_ns) / 8000, (u64)LOOK_MIN_US), (u64)LOOK_MAX_US);
		os_sleep_us(min(us, (end_ns - now) / 1000 + 1));
	}
}

static u64 end_of(u64 begin_ns, u32 timeout_us)
{
	return begin_ns + min(timeout_us, WAIT_MAX_US) * 1000ull;
}

/* -- Lists of clients, devices and channels -----------------------------------------------------
 */

struct idle_list {
	const u32 *clients, *devices, *channels;
	u32 count, flags, timeout_us;
};

/* The device that a handle of one, or of a subdevice, means. */
static enum nv_status find_device(struct rm_file *file, u32 client, u32 handle, u32 *device)
{
	struct rm_object *object;
	struct rm_call call;
	enum nv_status status;

	status = rm_api_begin(&call, file, client, handle);
	if (status != NV_OK)
		return status;
	object = call.object;
	if (object->class->iclass == ABI_ICLASS_Subdevice)
		object = rm_object_ancestor(object, ABI_ICLASS_Device);
	if (object && object->class->iclass == ABI_ICLASS_Device)
		*device = object->handle;
	else
		status = NV_ERR_INVALID_OBJECT_HANDLE;
	rm_api_end(&call);
	return status;
}

/* All clients and devices are looked at before any channel is. */
static enum nv_status check_list(struct rm_file *file, u32 client, const struct idle_list *list)
{
	enum nv_status status = NV_OK;
	u32 i, device;

	for (i = 0; i < list->count && status == NV_OK; i++)
		status = list->clients[i] != client
				 ? NV_ERR_INSUFFICIENT_PERMISSIONS
				 : find_device(file, client, list->devices[i], &device);
	return status;
}

/* Neighbours of one device are looked at together. */
static enum nv_status wait_list(struct rm_file *file, u32 client, const struct idle_list *list)
{
	struct batch batch = { .file = file, .client = client };
	u64 begin_ns = os_time_ns();
	enum nv_status status;
	u32 i, from;

	status = check_list(file, client, list);
	if (status != NV_OK)
		return status;
	batch.params = os_alloc(sizeof(*batch.params));
	if (!batch.params)
		return NV_ERR_NO_MEMORY;
	batch.params->flags = list->flags;
	for (from = 0; from < list->count && status == NV_OK; from = i) {
		status = find_device(file, client, list->devices[from], &batch.device);
		for (i = from; i < list->count && list->devices[i] == list->devices[from]; i++)
			batch.params->hChannels[i - from] = list->channels[i];
		batch.params->numChannels = i - from;
		if (status == NV_OK)
			status = wait_idle(&batch, begin_ns, end_of(begin_ns, list->timeout_us));
	}
	os_free(batch.params);
	return status;
}

static enum nv_status copy_handles(u32 *to, NvP64 user, u32 count)
{
	if (!user)
		return NV_ERR_INVALID_ARGUMENT;
	return os_copy_from_user(to, (u64)user, count * sizeof(to[0])) == NV_OK
		       ? NV_OK
		       : NV_ERR_INVALID_ADDRESS;
}

static enum nv_status wait_many(struct rm_file *file, u32 client, const NVOS30_PARAMETERS *p)
{
	struct idle_list list = { .flags = p->flags, .timeout_us = p->timeout };
	enum nv_status status;
	u32 *handles;

	list.count = p->numChannels;
	if (list.count > CHANNELS_MAX)
		return list.count > ~0u / sizeof(u32) ? NV_ERR_INVALID_ARGUMENT : NV_ERR_GENERIC;
	handles = os_alloc(3ull * list.count * sizeof(handles[0]));
	if (!handles)
		return NV_ERR_NO_MEMORY;
	list.clients = handles;
	list.devices = handles + list.count;
	list.channels = handles + 2 * list.count;
	status = copy_handles(handles, p->phClients, list.count);
	if (status == NV_OK)
		status = copy_handles(handles + list.count, p->phDevices, list.count);
	if (status == NV_OK)
		status = copy_handles(handles + 2 * list.count, p->phChannels, list.count);
	if (status == NV_OK)
		status = wait_list(file, client, &list);
	os_free(handles);
	return status;
}

static enum nv_status wait_channels(struct rm_file *file, const NVOS30_PARAMETERS *p)
{
	const struct idle_list one = {
		.clients = &p->hClient,
		.devices = &p->hDevice,
		.channels = &p->hChannel,
		.count = 1,
		.flags = p->flags,
		.timeout_us = p->timeout,
	};
	enum nv_status status = escape_check_object(file, p->hClient, p->hClient);

	if (status != NV_OK)
		return status;
	switch (REG_GET(NVOS30_FLAGS_CHANNEL, p->flags)) {
	case NVOS30_FLAGS_CHANNEL_SINGLE:
		return wait_list(file, p->hClient, &one);
	case NVOS30_FLAGS_CHANNEL_LIST:
		return p->numChannels ? wait_many(file, p->hClient, p) : NV_OK;
	default:
		return NV_ERR_INVALID_FLAGS;
	}
}

enum rm_ioctl_result escape_idle_channels(struct rm_file *file, void *data, u32 size)
{
	NVOS30_PARAMETERS *p = data;

	p->status = wait_channels(file, p);
	return RM_IOCTL_OK;
}

/* -- Controls -----------------------------------------------------------------------------------
 */

static enum nv_status control_client(struct rm_file *file, const NVOS54_PARAMETERS *p)
{
	NV0000_CTRL_GPU_IDLE_CHANNELS_PARAMS params;
	NVOS30_PARAMETERS old;

	if (os_copy_from_user(&params, (u64)p->params, sizeof(params)) != NV_OK)
		return NV_ERR_INVALID_ADDRESS;
	old = (NVOS30_PARAMETERS){
		.hClient = p->hClient,
		.hDevice = params.hDevice,
		.hChannel = params.hChannel,
		.numChannels = params.numChannels,
		.phClients = params.phClients,
		.phDevices = params.phDevices,
		.phChannels = params.phChannels,
		.flags = params.flags,
		.timeout = params.timeout,
	};
	return wait_channels(file, &old);
}

static enum nv_status control_device(struct rm_file *file, const NVOS54_PARAMETERS *p)
{
	struct batch batch = { .file = file, .client = p->hClient, .device = p->hObject };
	u64 begin_ns = os_time_ns();
	enum nv_status status;

	batch.params = os_alloc(sizeof(*batch.params));
	if (!batch.params)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	if (os_copy_from_user(batch.params, (u64)p->params, sizeof(*batch.params)) != NV_OK)
		status = NV_ERR_INVALID_ADDRESS;
	else
		status = wait_idle(&batch, begin_ns, end_of(begin_ns, batch.params->timeout));
	os_free(batch.params);
	return status;
}

bool escape_control_idle(struct rm_file *file, NVOS54_PARAMETERS *p)
{
	if (p->flags || !p->params)
		return false;
	if (p->cmd == NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS &&
	    p->paramsSize == sizeof(NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS))
		p->status = control_device(file, p);
	else if (p->cmd == NV0000_CTRL_CMD_IDLE_CHANNELS && p->hObject == p->hClient &&
		 p->paramsSize == sizeof(NV0000_CTRL_GPU_IDLE_CHANNELS_PARAMS))
		p->status = control_client(file, p);
	else
		return false;
	return true;
}
