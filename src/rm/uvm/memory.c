// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Clients' memory and video memory of UVM's own (rm/uvm.h): backings under other names. */
#include "base/bits.h"
#include "rm/class/memory.h"
#include "rm/class/state.h"
#include "rm/gpu/static_info.h"
#include "rm/gpu/tlb.h"
#include "rm/gpu/video.h"
#include "rm/uvm/internal.h"

struct rm_uvm_memory {
	struct rm_gpu *gpu;	    /* referenced: which maps it */
	struct rm_backing *backing; /* referenced; as that GPU reaches it */
	struct rm_tlb_late late;    /* once nobody has it any more */
};

struct rm_uvm_video {
	struct rm_backing *backing;
};

static void describe(const struct rm_object *object, const struct rm_backing *backing,
		     struct rm_uvm_memory_info *info)
{
	const struct rm_gpu *owner = rm_backing_gpu(backing);
	enum rm_backing_kind kind = rm_backing_kind(backing);
	u32 attr2 = to_mappable(object)->attr2;
	u32 cacheable = (u32)REG_GET(NVOS32_ATTR2_GPU_CACHEABLE, attr2);

	os_memset(info, 0, sizeof(*info));
	info->size = rm_backing_size(backing);
	info->page_size = rm_backing_page_size(backing);
	info->sysmem =
		kind == RM_BACKING_SYSTEM || kind == RM_BACKING_PINNED || kind == RM_BACKING_BUS;
	info->device = kind == RM_BACKING_VIDEO;
	info->read_only = REG_GET(NVOS32_ATTR2_PROTECTION_DEVICE, attr2) ==
			  NVOS32_ATTR2_PROTECTION_DEVICE_READ_ONLY;
	info->cached = cacheable == NVOS32_ATTR2_GPU_CACHEABLE_YES ||
		       (info->device && cacheable == NVOS32_ATTR2_GPU_CACHEABLE_DEFAULT);
	info->kind = rm_memory_kind(to_mappable(object)->attr);
	if (owner->info)
		os_memcpy(info->uuid.uuid, owner->info->uuid, sizeof(info->uuid.uuid));
}

/*
 * For the GPU: memory of the system has bus addresses of each GPU's own; video memory of another is
 * that one's.
 */
static enum nv_status backing_for(struct rm_gpu *gpu, struct rm_backing *backing,
				  struct rm_backing **out)
{
	enum rm_backing_kind kind = rm_backing_kind(backing);

	if (kind == RM_BACKING_BAR)
		return NV_ERR_NOT_SUPPORTED;
	if (kind != RM_BACKING_VIDEO && rm_backing_gpu(backing) != gpu)
		return rm_backing_share(backing, gpu, out);
	rm_backing_get(backing);
	*out = backing;
	return NV_OK;
}

enum nv_status rm_uvm_memory_get(struct rm_gpu *gpu, const struct rm_uvm_object *object,
				 struct rm_uvm_memory **out, struct rm_uvm_memory_info *info)
{
	struct rm_uvm_memory *memory = os_alloc(sizeof(*memory));
	struct rm_backing *backing;
	enum nv_status status;
	struct rm_call call;

	if (!memory)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_begin(&call, object);
	if (status != NV_OK) {
		os_free(memory);
		return status;
	}
	backing = rm_memory_backing(call.object);
	if (backing) {
		status = backing_for(gpu, backing, &memory->backing);
		if (status == NV_OK)
			describe(call.object, backing, info);
	} else {
		status = NV_ERR_INVALID_OBJECT_HANDLE;
	}
	rm_api_end(&call);
	if (status != NV_OK) {
		os_free(memory);
		return status;
	}
	memory->gpu = gpu;
	rm_gpu_get(gpu);
	*out = memory;
	return NV_OK;
}

static void memory_free(struct rm_tlb_late *late)
{
	struct rm_uvm_memory *memory = container_of(late, struct rm_uvm_memory, late);

	rm_backing_put(memory->backing);
	rm_gpu_put(memory->gpu);
	os_free(memory);
}

/* What the backing's own GPU may still reach waits in rm_backing_put. */
void rm_uvm_memory_put(struct rm_uvm_memory *memory)
{
	memory->late.free = memory_free;
	if (rm_backing_gpu(memory->backing) == memory->gpu ||
	    !rm_tlb_keep_foreign(memory->gpu, &memory->late))
		memory_free(&memory->late);
}

enum nv_status rm_uvm_memory_segment(struct rm_uvm_memory *memory, u64 offset,
				     struct rm_uvm_segment *out)
{
	enum rm_aperture aperture;

	if (offset >= rm_backing_size(memory->backing))
		return NV_ERR_INVALID_OFFSET;
	out->address = rm_backing_address(memory->backing, offset, &aperture, &out->size);
	out->aperture = (enum rm_uvm_aperture)aperture;
	return out->size ? NV_OK : NV_ERR_NOT_SUPPORTED;
}

enum nv_status rm_uvm_video_alloc(struct rm_gpu *gpu, u64 size, u64 alignment,
				  struct rm_uvm_video **out, u64 *address)
{
	struct rm_uvm_video *video = os_alloc(sizeof(*video));
	enum rm_aperture aperture;
	enum nv_status status;
	u64 contiguous;

	if (!video)
		return NV_ERR_NO_MEMORY;
	status = rm_backing_alloc_video(gpu, size, alignment, &video->backing);
	if (status != NV_OK) {
		os_free(video);
		return status;
	}
	*address = rm_backing_address(video->backing, 0, &aperture, &contiguous);
	*out = video;
	return NV_OK;
}

void rm_uvm_video_free(struct rm_uvm_video *video)
{
	rm_backing_put(video->backing);
	os_free(video);
}

bool rm_uvm_reclaim(struct rm_gpu *gpu, u64 bytes)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct rm *rm = gpu->rm;
	bool given = false;
	u64 free;

	os_mutex_lock(&objects->lock);
	free = objects->heap.total - objects->heap.used;
	os_mutex_unlock(&objects->lock);
	if (free < bytes)
		bytes -= free;
	os_mutex_lock(&rm->uvm_lock);
	if (rm->uvm && rm->uvm->reclaim)
		given = rm->uvm->reclaim(rm->uvm_ctx, gpu, bytes);
	os_mutex_unlock(&rm->uvm_lock);
	return given;
}

void rm_uvm_video_write(struct rm_gpu *gpu, u64 address, const u64 *words, u32 count)
{
	struct rm_call hold;
	u32 i;

	rm_video_hold(gpu, &hold);
	for (i = 0; i < count; i++)
		rm_video_put64(gpu, address + i * sizeof(words[0]), words[i]);
	rm_video_release(gpu, &hold);
}
