// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The classes' own records: made with the instance, filled when a GPU's first objects need them.
 */
#include "rm/class/state.h"

#include "rm/gpu/notify.h"
#include "rm/gpu/static_info.h"
#include "rm/gpu/tlb.h"
#include "rm/gsp/rpc.h"

static void gpu_objects_reset(struct rm_gpu_objects *objects)
{
	rm_heap_init(&objects->heap);
	objects->tlb_stale = 0;
	list_init(&objects->kept);
	objects->bar_mapped = 0;
	list_init(&objects->subdevices);
	objects->compute_rules = 0;
	objects->compute_owner = 0;
	objects->fault_buffer = NULL;
	objects->draining = false;
	objects->removing = false;
}

static void gpu_objects_fini(struct rm_gpu_objects *objects)
{
	rm_fifo_fini(&objects->fifo);
	rm_heap_fini(&objects->heap);
	os_mutex_destroy(&objects->tlb_lock);
	os_mutex_destroy(&objects->lock);
}

enum nv_status rm_class_state_create(struct rm *rm)
{
	struct rm_class_state *state;
	enum nv_status status;
	u32 made;

	state = os_alloc(sizeof(*state));
	if (!state)
		return NV_ERR_NO_MEMORY;
	list_init(&state->events);
	status = os_mutex_init(&state->event_lock, LOCK_RANK_LEAF, "rm event objects");
	if (status != NV_OK)
		goto fail_event_lock;
	status = os_mutex_init(&state->session_lock, LOCK_RANK_LEAF, "rm sessions");
	if (status != NV_OK)
		goto fail_session_lock;
	status = rm_peers_init(&state->peers);
	if (status != NV_OK)
		goto fail_peers;
	for (made = 0; made < RM_MAX_GPUS; made++) {
		struct rm_gpu_objects *objects = &state->gpus[made];

		status = os_mutex_init(&objects->lock, LOCK_RANK_LEAF, "rm gpu objects");
		if (status != NV_OK)
			goto fail_gpus;
		status = os_mutex_init(&objects->tlb_lock, LOCK_RANK_TLB, "rm gpu tlb");
		if (status != NV_OK) {
			os_mutex_destroy(&objects->lock);
			goto fail_gpus;
		}
		status = rm_fifo_init(&objects->fifo);
		if (status != NV_OK) {
			os_mutex_destroy(&objects->tlb_lock);
			os_mutex_destroy(&objects->lock);
			goto fail_gpus;
		}
		gpu_objects_reset(objects);
	}
	rm->classes = state;
	return NV_OK;

fail_gpus:
	while (made--)
		gpu_objects_fini(&state->gpus[made]);
	rm_peers_fini(&state->peers);
fail_peers:
	os_mutex_destroy(&state->session_lock);
fail_session_lock:
	os_mutex_destroy(&state->event_lock);
fail_event_lock:
	os_free(state);
	return status;
}

void rm_class_state_destroy(struct rm *rm)
{
	struct rm_class_state *state = rm->classes;
	u32 i;

	OS_BUG_ON(!list_empty(&state->events));
	for (i = 0; i < RM_MAX_GPUS; i++)
		gpu_objects_fini(&state->gpus[i]);
	rm_peers_fini(&state->peers);
	os_mutex_destroy(&state->session_lock);
	os_mutex_destroy(&state->event_lock);
	os_free(state);
	rm->classes = NULL;
}

void rm_gpu_forget_objects(struct rm_gpu *gpu)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);

	rm_tlb_forget(gpu);
	os_mutex_lock(&objects->lock);
	OS_BUG_ON(!list_empty(&objects->subdevices));
	/* Memory that a process still has mapped is not given back to another heap: its epoch. */
	rm_heap_fini(&objects->heap);
	gpu_objects_reset(objects);
	os_mutex_unlock(&objects->lock);
	rm_fifo_reset(&objects->fifo);
	rm_numa_reset(gpu->rm, gpu);
}

/* The objects' lock held. Regions that the firmware keeps for itself are left out. */
static enum nv_status heap_fill(struct rm_heap *heap, const struct rm_gpu_static *info)
{
	const NV2080_CTRL_CMD_FB_GET_FB_REGION_INFO_PARAMS *regions =
		&info->config.fbRegionInfoParams;
	enum nv_status status;
	u32 i;

	for (i = 0; i < regions->numFBRegions; i++) {
		const NV2080_CTRL_CMD_FB_GET_FB_REGION_FB_REGION_INFO *r = &regions->fbRegion[i];
		u64 size = r->limit - r->base + 1;

		if (r->limit < r->base || r->reserved >= size || size == 0)
			continue;
		status = rm_heap_add(heap, r->base, size - r->reserved);
		if (status != NV_OK) {
			rm_heap_fini(heap);
			return status;
		}
	}
	heap->ready = true;
	return NV_OK;
}

enum nv_status rm_gpu_heap(struct rm_gpu *gpu, struct rm_gpu_objects **out)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	enum nv_status status = NV_OK;

	if (os_load_acquire(&gpu->state) != RM_GPU_RUNNING || !gpu->info)
		return NV_ERR_INVALID_STATE;
	os_mutex_lock(&objects->lock);
	if (!objects->heap.ready)
		status = heap_fill(&objects->heap, gpu->info);
	os_mutex_unlock(&objects->lock);
	*out = objects;
	return status;
}

enum nv_status rm_gpu_internal_control(struct rm_gpu *gpu, u32 cmd, void *params, u32 size)
{
	if (!gpu->info)
		return NV_ERR_INVALID_STATE;
	return gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
			       gpu->info->config.hInternalSubdevice, cmd, params, size);
}

bool rm_call_is_admin(const struct rm_call *call)
{
	return call->kernel || call->cred.admin;
}
