// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Faults that are not replayable, for unified memory (rm/uvm.h): the driver's fault buffer. */
#include "rm/class/fault_buffer.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/notify.h"
#include "rm/uvm/internal.h"

struct rm_uvm_faults {
	struct rm_gpu *gpu;
	u32 client;
	struct rm_fault_ring *ring; /* referenced */
};

static enum nv_status make_objects(struct rm_uvm_faults *faults, u32 *handle)
{
	NV0080_ALLOC_PARAMETERS device = { .deviceId = faults->gpu->instance };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	u32 device_handle = 0, subdevice_handle = 0;
	struct rm *rm = faults->gpu->rm;
	enum nv_status status;

	status = rm_kernel_alloc(rm, faults->client, faults->client, &device_handle, NV01_DEVICE_0,
				 &device, sizeof(device));
	if (status == NV_OK)
		status = rm_kernel_alloc(rm, faults->client, device_handle, &subdevice_handle,
					 NV20_SUBDEVICE_0, &subdevice, sizeof(subdevice));
	*handle = 0;
	if (status == NV_OK)
		status = rm_kernel_alloc(rm, faults->client, subdevice_handle, handle,
					 MMU_FAULT_BUFFER, NULL, 0);
	return status;
}

static enum nv_status find_ring(struct rm_uvm_faults *faults, u32 handle)
{
	struct rm_client *client = rm_client_get(rm_server(faults->gpu->rm), faults->client);
	enum nv_status status = NV_ERR_OBJECT_NOT_FOUND;
	struct rm_call call;
	u64 serial;

	if (!client)
		return status;
	serial = client->serial;
	rm_client_put(client);
	status = rm_uvm_begin_own(&call, faults->gpu->rm, faults->client, serial, handle);
	if (status != NV_OK)
		return status;
	faults->ring = rm_fault_ring_of(call.object);
	rm_call_end(&call);
	return faults->ring ? NV_OK : NV_ERR_INVALID_STATE;
}

enum nv_status rm_uvm_faults_create(struct rm_gpu *gpu, struct rm_uvm_faults **out, u32 *entries)
{
	NVC369_CTRL_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF_PARAMS p = { 0 };
	struct rm_uvm_faults *faults = os_alloc(sizeof(*faults));
	enum nv_status status;
	u32 handle;

	if (!faults)
		return NV_ERR_NO_MEMORY;
	faults->gpu = gpu;
	status = rm_kernel_alloc(gpu->rm, 0, 0, &faults->client, NV01_ROOT, NULL, 0);
	if (status != NV_OK)
		goto free_faults;
	status = make_objects(faults, &handle);
	if (status == NV_OK)
		status = rm_kernel_control(gpu->rm, faults->client, handle,
					   NVC369_CTRL_CMD_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF,
					   &p, sizeof(p));
	if (status == NV_OK)
		status = find_ring(faults, handle);
	if (status != NV_OK)
		goto free_client;
	*entries = rm_fault_ring_size(faults->ring);
	*out = faults;
	return NV_OK;

free_client:
	rm_kernel_free(gpu->rm, faults->client, faults->client);
free_faults:
	os_free(faults);
	return status;
}

void rm_uvm_faults_destroy(struct rm_uvm_faults *faults)
{
	rm_kernel_free(faults->gpu->rm, faults->client, faults->client);
	rm_fault_ring_put(faults->ring);
	os_free(faults);
}

bool rm_uvm_faults_pending(const struct rm_uvm_faults *faults)
{
	return rm_fault_ring_pending(faults->ring);
}

u32 rm_uvm_faults_take(struct rm_uvm_faults *faults, u32 (*entries)[NVC369_BUF_SIZE / 4], u32 max)
{
	return rm_fault_ring_take(faults->ring, entries, max);
}

void rm_gpu_faults_queued(struct rm_gpu *gpu)
{
	struct rm *rm = gpu->rm;

	os_mutex_lock(&rm->uvm_lock);
	if (rm->uvm && rm->uvm->faulted)
		rm->uvm->faulted(rm->uvm_ctx, gpu);
	os_mutex_unlock(&rm->uvm_lock);
}
