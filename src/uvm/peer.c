// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* GPUs that reach each other's memory: by links from registration on, over the bus when asked. */
#include "uvm/range.h"

static void masks_enable(struct uvm_space *space, u32 a, u32 b, bool link)
{
	uvm_mask bit = BIT32(b);

	space->can_access[a] |= bit;
	space->accessible_from[a] |= bit;
	space->can_copy_from[a] |= bit;
	if (link) {
		space->nvlink[a] |= bit;
		space->native_atomics[a] |= bit;
	}
}

static void masks_disable(struct uvm_space *space, u32 a, u32 b)
{
	uvm_mask keep = ~BIT32(b);

	space->can_access[a] &= keep;
	space->accessible_from[a] &= keep;
	space->can_copy_from[a] &= keep;
	space->nvlink[a] &= keep;
	space->native_atomics[a] &= keep;
}

static struct uvm_peer *peer_of(struct uvm_space *space, const struct uvm_gpu *a,
				const struct uvm_gpu *b)
{
	return &space->peers[a->info.instance][b->info.instance];
}

/* want_link: only where there is one. */
static enum nv_status peer_enable(struct uvm_space *space, struct uvm_gpu *a, struct uvm_gpu *b,
				  bool want_link)
{
	struct uvm_peer *ab = peer_of(space, a, b), *ba = peer_of(space, b, a);
	enum nv_status status;
	bool link;

	status = rm_uvm_peer_create(a->rm, b->rm, &ab->way, &ba->way);
	if (status != NV_OK)
		return status;
	link = ab->way.links != 0;
	if (want_link && !link) {
		rm_uvm_peer_destroy(a->rm, b->rm);
		return NV_ERR_NOT_SUPPORTED;
	}
	ab->enabled = true;
	ba->enabled = true;
	masks_enable(space, a->id, b->id, link);
	masks_enable(space, b->id, a->id, link);
	return NV_OK;
}

static void peer_disable(struct uvm_space *space, struct uvm_gpu *a, struct uvm_gpu *b)
{
	struct uvm_range *range;

	for (range = uvm_range_first_in(space, 0, ~(u64)0); range; range = uvm_range_next(range))
		uvm_range_disable_peer(range, a, b);
	masks_disable(space, a->id, b->id);
	masks_disable(space, b->id, a->id);
	peer_of(space, a, b)->enabled = false;
	peer_of(space, b, a)->enabled = false;
	rm_uvm_peer_destroy(a->rm, b->rm);
}

void uvm_peers_register(struct uvm_space *space, struct uvm_gpu *gpu)
{
	struct uvm_gpu *other;
	u32 slot;

	uvm_for_each_gpu(other, slot, space)
	{
		if (other != gpu)
			(void)peer_enable(space, gpu, other, true);
	}
}

void uvm_peers_remove(struct uvm_space *space, struct uvm_gpu *gpu)
{
	struct uvm_gpu *other;
	u32 slot;

	uvm_for_each_gpu(other, slot, space)
	{
		if (other != gpu && peer_of(space, gpu, other)->enabled)
			peer_disable(space, gpu, other);
	}
}

enum nv_status uvm_enable_peer_access(struct uvm_file *file, void *params)
{
	UVM_ENABLE_PEER_ACCESS_PARAMS *p = params;
	struct uvm_space *space = file->space;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct uvm_gpu *a, *b;

	os_mutex_lock(&space->lock);
	a = uvm_gpu_find(space, &p->gpuUuidA);
	b = uvm_gpu_find(space, &p->gpuUuidB);
	if (a && b && a != b && !peer_of(space, a, b)->enabled)
		status = peer_enable(space, a, b, false);
	os_mutex_unlock(&space->lock);
	return status;
}

enum nv_status uvm_disable_peer_access(struct uvm_file *file, void *params)
{
	UVM_DISABLE_PEER_ACCESS_PARAMS *p = params;
	struct uvm_space *space = file->space;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct uvm_gpu *a, *b;

	os_mutex_lock(&space->lock);
	a = uvm_gpu_find(space, &p->gpuUuidA);
	b = uvm_gpu_find(space, &p->gpuUuidB);
	/* Links stay on while both are registered. */
	if (a && b && a != b && peer_of(space, a, b)->enabled && !peer_of(space, a, b)->way.links) {
		peer_disable(space, a, b);
		status = NV_OK;
	}
	os_mutex_unlock(&space->lock);
	return status;
}
