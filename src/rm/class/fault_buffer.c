// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class MMU_FAULT_BUFFER (MmuFaultBuffer), for the driver's own clients: the ring of entries that
 * the firmware fills, shared with it as r535's two halves share theirs.
 *
 *   queue, a page of its own    capacity, entry's size | get: ours | put: the firmware's
 *   entries                     | 32 bytes | 32 bytes | ...      one is always left empty
 */
#include "rm/class/fault_buffer.h"

#include "abi/fault_queue.h"
#include "base/bits.h"
#include "rm/class/class.h"
#include "rm/class/memory.h"

struct rm_fault_ring {
	u32 references; /* atomic */
	struct rm_backing *queue, *entries;
	u32 count; /* of entries */
	u32 get;   /* atomic, written by whoever takes them */
	bool complained;
};

struct rm_fault_buffer {
	struct rm_object object;
	struct rm_fault_ring *ring; /* the client's lock; NULL: none is registered */
};

static struct rm_fault_buffer *to_fault_buffer(const struct rm_object *object)
{
	return container_of(object, struct rm_fault_buffer, object);
}

/* -- The ring ---------------------------------------------------------------------------------- */

static u64 *queue_word(const struct rm_fault_ring *ring, u32 offset)
{
	return rm_backing_cpu(ring->queue, offset);
}

static enum nv_status ring_create(struct rm_gpu *gpu, u32 bytes, struct rm_fault_ring **out)
{
	struct rm_fault_ring *ring = os_alloc(sizeof(*ring));
	enum nv_status status;

	if (!ring)
		return NV_ERR_NO_MEMORY;
	ring->references = 1;
	ring->count = bytes / NVC369_BUF_SIZE;
	status = rm_backing_alloc_system(gpu, OS_PAGE_SIZE, &ring->queue);
	if (status != NV_OK)
		goto free_ring;
	status = rm_backing_alloc_system(gpu, bytes, &ring->entries);
	if (status != NV_OK)
		goto put_queue;
	*queue_word(ring, LH_SHADOW_QUEUE_CAPACITY) = ring->count;
	*queue_word(ring, LH_SHADOW_QUEUE_ENTRY_BYTES) = NVC369_BUF_SIZE;
	*out = ring;
	return NV_OK;

put_queue:
	rm_backing_put(ring->queue);
free_ring:
	os_free(ring);
	return status;
}

void rm_fault_ring_put(struct rm_fault_ring *ring)
{
	if (os_fetch_sub(&ring->references, 1) != 1)
		return;
	rm_backing_put(ring->entries);
	rm_backing_put(ring->queue);
	os_free(ring);
}

u32 rm_fault_ring_size(const struct rm_fault_ring *ring)
{
	return ring->count;
}

bool rm_fault_ring_pending(const struct rm_fault_ring *ring)
{
	u64 put = os_load_acquire(queue_word(ring, LH_SHADOW_QUEUE_PUT));

	return put < ring->count && put != os_load_relaxed(&ring->get);
}

u32 rm_fault_ring_take(struct rm_fault_ring *ring, u32 (*entries)[NVC369_BUF_SIZE / 4], u32 max)
{
	u64 put = os_load_acquire(queue_word(ring, LH_SHADOW_QUEUE_PUT));
	u32 get = ring->get, taken = 0;

	if (put >= ring->count) {
		if (!ring->complained)
			os_log(OS_LOG_ERROR, "NVRM: GPU%u: the fault buffer's put is out of range",
			       rm_backing_gpu(ring->queue)->instance);
		ring->complained = true;
		/* Nothing is pending until the firmware has it right again. */
		put = get;
	}
	for (; taken < max && get != put; taken++) {
		os_memcpy(entries[taken], rm_backing_cpu(ring->entries, (u64)get * NVC369_BUF_SIZE),
			  NVC369_BUF_SIZE);
		get = get + 1 == ring->count ? 0 : get + 1;
	}
	os_store_relaxed(&ring->get, get);
	os_store_release(queue_word(ring, LH_SHADOW_QUEUE_GET), (u64)get);
	return taken;
}

struct rm_fault_ring *rm_fault_ring_of(const struct rm_object *object)
{
	struct rm_fault_ring *ring;

	if (object->class->iclass != ABI_ICLASS_MmuFaultBuffer)
		return NULL;
	ring = to_fault_buffer(object)->ring;
	if (ring)
		os_fetch_add(&ring->references, 1);
	return ring;
}

/* -- What the firmware is told ----------------------------------------------------------------- */

static enum nv_status ring_register(struct rm_gpu *gpu, const struct rm_fault_ring *ring)
{
	NV2080_CTRL_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS *p;
	u64 size = rm_backing_size(ring->entries), offset, bytes;
	enum rm_aperture aperture;
	enum nv_status status;

	p = os_alloc(sizeof(*p));
	if (!p)
		return NV_ERR_NO_MEMORY;
	p->shadowFaultBufferQueuePhysAddr = rm_backing_address(ring->queue, 0, &aperture, &bytes);
	p->shadowFaultBufferSize = (u32)size;
	p->shadowFaultBufferType = NV2080_CTRL_FAULT_BUFFER_NON_REPLAYABLE;
	for (offset = 0; offset < size; offset += OS_PAGE_SIZE)
		p->shadowFaultBufferPteArray[offset / OS_PAGE_SIZE] =
			rm_backing_address(ring->entries, offset, &aperture, &bytes);
	status = rm_gpu_internal_control(
		gpu, NV2080_CTRL_CMD_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER, p,
		sizeof(*p));
	os_free(p);
	return status;
}

/* What the firmware does not confirm goes all the same: its bus addresses end with the memory. */
static void ring_unregister(struct rm_gpu *gpu, struct rm_fault_ring *ring)
{
	NV2080_CTRL_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS p = {
		.shadowFaultBufferType = NV2080_CTRL_FAULT_BUFFER_NON_REPLAYABLE,
	};

	(void)rm_gpu_internal_control(
		gpu, NV2080_CTRL_CMD_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER, &p,
		sizeof(p));
	rm_fault_ring_put(ring);
}

/* How large the firmware wants it: whole pages of entries, which it can be told of. */
static enum nv_status ring_bytes(struct rm_gpu *gpu, u32 *bytes)
{
	NV2080_CTRL_INTERNAL_GMMU_GET_STATIC_INFO_PARAMS info = { 0 };
	enum nv_status status;

	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_INTERNAL_GMMU_GET_STATIC_INFO, &info,
					 sizeof(info));
	if (status != NV_OK)
		return status;
	*bytes = info.nonReplayableFaultBufferSize;
	if (*bytes == 0 || !is_aligned(*bytes, OS_PAGE_SIZE))
		return NV_ERR_INVALID_STATE;
	return *bytes / OS_PAGE_SIZE >
			       NV2080_CTRL_INTERNAL_GMMU_CLIENT_SHADOW_FAULT_BUFFER_MAX_PAGES
		       ? NV_ERR_BUFFER_TOO_SMALL
		       : NV_OK;
}

/* -- Commands ---------------------------------------------------------------------------------- */

static enum nv_status register_non_replay(struct rm_call *call, void *params)
{
	NVC369_CTRL_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF_PARAMS *p = params;
	struct rm_fault_buffer *self = to_fault_buffer(call->object);
	struct rm_gpu *gpu = call->object->gpu;
	struct rm_fault_ring *ring;
	enum nv_status status;
	u32 bytes;

	if (self->ring)
		return NV_ERR_NOT_SUPPORTED;
	status = ring_bytes(gpu, &bytes);
	if (status != NV_OK)
		return status;
	status = ring_create(gpu, bytes, &ring);
	if (status != NV_OK)
		return status;
	status = ring_register(gpu, ring);
	if (status != NV_OK) {
		rm_fault_ring_put(ring);
		return status;
	}
	self->ring = ring;
	p->pShadowBuffer = (NvP64)(uintptr_t)rm_backing_cpu(ring->queue, 0);
	p->pShadowBufferContext = (NvP64)(uintptr_t)rm_backing_cpu(ring->entries, 0);
	p->pShadowBufferMetadata = 0;
	p->bufferSize = bytes;
	return NV_OK;
}

static void forget_ring(struct rm_fault_buffer *self)
{
	if (self->ring)
		ring_unregister(self->object.gpu, self->ring);
	self->ring = NULL;
}

/* As r535: which buffer the caller means is not looked at, and none is none. */
static enum nv_status unregister_non_replay(struct rm_call *call, void *params)
{
	forget_ring(to_fault_buffer(call->object));
	return NV_OK;
}

/* Only in confidential mode. */
static enum nv_status refuse_replay(struct rm_call *call, void *params)
{
	return NV_ERR_NOT_SUPPORTED;
}

static const struct rm_control_handler controls[] = {
	{ NVC369_CTRL_CMD_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF, register_non_replay },
	{ NVC369_CTRL_CMD_MMU_FAULT_BUFFER_UNREGISTER_NON_REPLAY_BUF, unregister_non_replay },
	{ NVC369_CTRL_CMD_MMU_FAULT_BUFFER_REGISTER_REPLAY_BUF, refuse_replay },
	{ NVC369_CTRL_CMD_MMU_FAULT_BUFFER_UNREGISTER_REPLAY_BUF, refuse_replay },
};

/* -- The object -------------------------------------------------------------------------------- */

static enum nv_status fault_buffer_construct(struct rm_call *call, struct rm_object *object,
					     void *params, u32 params_size)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(object->gpu);
	enum nv_status status = NV_OK;

	if (object->class_id != MMU_FAULT_BUFFER)
		return NV_ERR_INVALID_CLASS;
	os_mutex_lock(&objects->lock);
	if (objects->fault_buffer)
		status = NV_ERR_NOT_SUPPORTED;
	else
		objects->fault_buffer = object;
	os_mutex_unlock(&objects->lock);
	return status;
}

static void fault_buffer_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(object->gpu);

	forget_ring(to_fault_buffer(object));
	os_mutex_lock(&objects->lock);
	objects->fault_buffer = NULL;
	os_mutex_unlock(&objects->lock);
}

const struct rm_class rm_class_fault_buffer = {
	.iclass = ABI_ICLASS_MmuFaultBuffer,
	.object_size = sizeof(struct rm_fault_buffer),
	.construct = fault_buffer_construct,
	.destruct = fault_buffer_destruct,
	.controls = controls,
	.control_count = ARRAY_SIZE(controls),
};
