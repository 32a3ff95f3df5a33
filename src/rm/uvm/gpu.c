// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* GPUs for unified memory, and the objects by which its clients name things (rm/uvm.h). */
#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/cc/session.h"
#include "rm/class/peer.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/name.h"
#include "rm/gpu/static_info.h"
#include "rm/uvm/internal.h"

enum nv_status rm_uvm_enter(struct rm *rm, u32 *token)
{
	return rm_power_enter(rm, token);
}

void rm_uvm_leave(struct rm *rm, u32 token)
{
	rm_power_leave(rm, token);
}

/* -- Objects ----------------------------------------------------------------------------------- */

struct rm_file *rm_uvm_file_get(struct rm *rm, s32 fd)
{
	struct rm_file *file = rm->host->file_get(fd);

	if (file && (file->rm != rm || file->node != RM_NODE_CONTROL)) {
		rm->host->file_put(file);
		return NULL;
	}
	return file;
}

void rm_uvm_file_put(struct rm *rm, struct rm_file *file)
{
	if (file)
		rm->host->file_put(file);
}

enum nv_status rm_uvm_begin(struct rm_call *call, const struct rm_uvm_object *object)
{
	if (!object->file)
		return NV_ERR_INVALID_ARGUMENT;
	return rm_api_begin(call, object->file, object->client, object->handle);
}

enum nv_status rm_uvm_begin_own(struct rm_call *call, struct rm *rm, u32 client, u64 serial,
				u32 handle)
{
	enum nv_status status;

	rm_call_begin(call, rm->server, NULL, true);
	status = rm_call_lock_client(call, client, NV_ERR_OBJECT_NOT_FOUND);
	if (status == NV_OK && call->client->serial != serial)
		status = NV_ERR_OBJECT_NOT_FOUND;
	if (status == NV_OK)
		status = rm_object_find(call->client, handle, &call->object);
	if (status == NV_OK && (call->object->flags & RM_OBJECT_DEAD))
		status = NV_ERR_OBJECT_NOT_FOUND;
	if (status != NV_OK)
		rm_call_end(call);
	return status;
}

/* -- GPUs -------------------------------------------------------------------------------------- */

static void describe(const struct rm_gpu *gpu, struct rm_uvm_gpu_info *info)
{
	os_memset(info, 0, sizeof(*info));
	os_memcpy(info->uuid.uuid, gpu->info->uuid, sizeof(info->uuid.uuid));
	os_snprintf(info->name, sizeof(info->name), "%s", rm_gpu_name(gpu));
	info->gpu_id = gpu->gpu_id;
	info->instance = gpu->instance;
	info->architecture = (u32)REG_GET(NV_PMC_BOOT_0_ARCHITECTURE, gpu->boot_0) << 4;
	info->implementation = (u32)REG_GET(NV_PMC_BOOT_0_IMPLEMENTATION, gpu->boot_0);
	info->host_class = HOPPER_CHANNEL_GPFIFO_A;
	info->copy_class = HOPPER_DMA_COPY_A;
	info->sec2_class = HOPPER_SEC2_WORK_LAUNCH_A;
	info->video_memory = gpu->info->fb_size;
	info->aperture = os_pci_bar_size(gpu->pci, RM_BAR_VIDEO);
	info->confidential = rm_cc_keys(gpu) != NULL;
}

enum nv_status rm_uvm_gpu_get(struct rm *rm, const NvProcessorUuid *uuid, struct rm_gpu **out,
			      struct rm_uvm_gpu_info *info)
{
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct rm_call call;
	u32 i;

	rm_gpus_hold(&call, rm, NULL);
	for (i = 0; i < RM_MAX_GPUS; i++) {
		struct rm_gpu *gpu = rm_gpu_by_instance(rm, i);

		/* Its UUID is known once it was booted. */
		if (!gpu || !gpu->info || os_memcmp(gpu->info->uuid, uuid->uuid, sizeof(*uuid)))
			continue;
		status = rm_gpu_retain(gpu);
		if (status == NV_OK) {
			describe(gpu, info);
			*out = gpu;
		}
		break;
	}
	rm_gpus_let_go(&call);
	return status;
}

void rm_uvm_gpu_put(struct rm_gpu *gpu)
{
	rm_gpu_release(gpu);
}

bool rm_uvm_gpu_is_lost(const struct rm_gpu *gpu)
{
	return rm_gpu_is_lost(gpu);
}

struct os_pci_dev *rm_uvm_gpu_pci(const struct rm_gpu *gpu)
{
	return gpu->pci;
}

void rm_uvm_listen(struct rm *rm, const struct rm_uvm_listener *listener, void *ctx)
{
	os_mutex_lock(&rm->uvm_lock);
	rm->uvm = listener;
	rm->uvm_ctx = ctx;
	os_mutex_unlock(&rm->uvm_lock);
}

enum nv_status rm_uvm_peer_create(struct rm_gpu *a, struct rm_gpu *b, struct rm_uvm_peer *ab,
				  struct rm_uvm_peer *ba)
{
	struct rm_peer_way there = { .id = RM_PEER_ANY }, back = { .id = RM_PEER_ANY };
	enum nv_status status;
	struct rm_call call;

	rm_gpus_hold(&call, a->rm, NULL);
	status = rm_peer_create(a, b, &there, &back);
	rm_gpus_let_go(&call);
	if (status != NV_OK)
		return status;
	*ab = (struct rm_uvm_peer){ there.id, there.links, there.base };
	*ba = (struct rm_uvm_peer){ back.id, back.links, back.base };
	return NV_OK;
}

void rm_uvm_peer_destroy(struct rm_gpu *a, struct rm_gpu *b)
{
	struct rm_call call;

	rm_gpus_hold(&call, a->rm, NULL);
	rm_peer_destroy(a, b);
	rm_gpus_let_go(&call);
}
