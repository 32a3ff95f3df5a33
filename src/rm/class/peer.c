// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Peer ids over NVLink (NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER and its kin). */
#include "rm/class/peer.h"

#include "base/bits.h"
#include "rm/class/nvlink.h"

enum nv_status rm_peers_init(struct rm_peers *peers)
{
	u32 a, b;

	os_memset(peers->gpus, 0, sizeof(peers->gpus));
	for (a = 0; a < RM_MAX_GPUS; a++) {
		for (b = 0; b < RM_MAX_GPUS; b++)
			peers->gpus[a].to[b].id = RM_PEER_ANY;
	}
	return os_mutex_init(&peers->lock, LOCK_RANK_PEER, "rm peers");
}

void rm_peers_fini(struct rm_peers *peers)
{
	os_mutex_destroy(&peers->lock);
}

static struct rm_peers *peers_of(const struct rm_gpu *gpu)
{
	return &gpu->rm->classes->peers;
}

static struct rm_peer_gpu *record(const struct rm_gpu *gpu)
{
	return &peers_of(gpu)->gpus[gpu->instance];
}

/* -- What the firmware is told ----------------------------------------------------------------- */

static enum nv_status enable(struct rm_gpu *gpu, u32 id, bool on)
{
	NV2080_CTRL_NVLINK_ENABLE_NVLINK_PEER_PARAMS p = { .peerMask = BIT32(id), .bEnable = on };

	return rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER, &p,
				       sizeof(p));
}

/*
 * A GPU that is lost has forgotten it. Firmware that is silent is asked once: a number that is off
 * leads nowhere, and its mapping is made anew with its next user.
 */
static void id_clear(struct rm_gpu *gpu, u32 id)
{
	NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_PARAMS p = {
		.mapTypeMask = NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_TYPE_PEER,
		.peerMask = BIT32(id),
	};

	if (enable(gpu, id, false) == NV_ERR_TIMEOUT) {
		os_log(OS_LOG_ERROR,
		       "NVRM: GPU%u: GSP did not answer that peer id %u is free: it may still lead "
		       "to another GPU's memory",
		       gpu->instance, id);
		return;
	}
	(void)rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_REMOVE_NVLINK_MAPPING, &p,
				      sizeof(p));
}

static enum nv_status id_set(struct rm_gpu *gpu, u32 id, u32 links, bool switched)
{
	NV2080_CTRL_NVLINK_PRE_SETUP_NVLINK_PEER_PARAMS pre = {
		.peerId = id,
		.peerLinkMask = links,
		.bNvswitchConn = switched,
	};
	NV2080_CTRL_NVLINK_POST_SETUP_NVLINK_PEER_PARAMS post = { .peerMask = BIT32(id) };
	enum nv_status status;

	status = enable(gpu, id, true);
	if (status != NV_OK)
		return status;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, &pre,
					 sizeof(pre));
	if (status == NV_OK)
		status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_POST_SETUP_NVLINK_PEER,
						 &post, sizeof(post));
	if (status != NV_OK)
		id_clear(gpu, id);
	return status;
}

/* -- One direction; the lock is held ----------------------------------------------------------- */

static enum nv_status choose(const struct rm_peer_gpu *from, u32 to, bool switched, u32 wanted,
			     u32 *id)
{
	bool used = from->to[to].users != 0;
	u32 i = used ? from->to[to].id : 0;

	/* What leads to the switches leads to all on them. */
	while (!used && i < RM_PEER_IDS && (from->id_users[i] != 0) != switched)
		i++;
	if (!used && switched && i == RM_PEER_IDS)
		i = 0;
	if (wanted == RM_PEER_ANY) {
		*id = i;
		return i < RM_PEER_IDS ? NV_OK : NV_ERR_INSUFFICIENT_RESOURCES;
	}
	*id = wanted;
	if (wanted >= RM_PEER_IDS)
		return NV_ERR_INVALID_ARGUMENT;
	return (used || from->id_users[wanted] != 0) && wanted != i ? NV_ERR_IN_USE : NV_OK;
}

/* What leads from one to the other, asked for without the lock: firmware may take long. */
struct wiring {
	const struct rm_nvlink *from, *to;
	u32 links;
};

static enum nv_status wiring_get(struct rm_gpu *from, struct rm_gpu *to, struct wiring *w)
{
	enum nv_status status = rm_nvlink_get(from, &w->from);

	if (status == NV_OK)
		status = rm_nvlink_get(to, &w->to);
	if (status == NV_OK)
		status = rm_nvlink_between(from, to, &w->links);
	if (status == NV_OK && (!w->links || w->from->divided || w->to->divided))
		status = NV_ERR_NOT_SUPPORTED;
	return status;
}

static enum nv_status way_open(struct rm_gpu *from, struct rm_gpu *to, const struct wiring *w,
			       struct rm_peer_way *way)
{
	struct rm_peer_gpu *peer = record(from);
	enum nv_status status;

	status = choose(peer, to->instance, w->from->switched, way->id, &way->id);
	if (status == NV_OK && !peer->id_users[way->id])
		status = id_set(from, way->id, w->links, w->from->switched);
	if (status != NV_OK)
		return status;
	way->links = bits_count(w->links);
	way->base = w->from->switched ? w->to->fabric_address : 0;
	if (!peer->to[to->instance].users++)
		peer->id_users[way->id]++;
	os_store_release(&peer->to[to->instance].id, way->id);
	return NV_OK;
}

static void way_close(struct rm_gpu *from, const struct rm_gpu *to)
{
	struct rm_peer_gpu *peer = record(from);
	u32 id = peer->to[to->instance].id;

	OS_BUG_ON(!peer->to[to->instance].users);
	if (--peer->to[to->instance].users)
		return;
	os_store_release(&peer->to[to->instance].id, RM_PEER_ANY);
	if (!--peer->id_users[id])
		id_clear(from, id);
}

/* -- Pairs ------------------------------------------------------------------------------------- */

enum nv_status rm_peer_create(struct rm_gpu *a, struct rm_gpu *b, struct rm_peer_way *ab,
			      struct rm_peer_way *ba)
{
	struct rm_peers *peers = peers_of(a);
	struct wiring there = { 0 }, back = { 0 };
	enum nv_status status;

	status = wiring_get(a, b, &there);
	if (status == NV_OK && a != b)
		status = wiring_get(b, a, &back);
	/* Traffic that leaves by some links and comes back by others is none. */
	if (status == NV_OK && a != b && bits_count(there.links) != bits_count(back.links))
		status = NV_ERR_NOT_SUPPORTED;
	if (status != NV_OK)
		return status;
	os_mutex_lock(&peers->lock);
	status = way_open(a, b, &there, ab);
	if (status == NV_OK && a == b) {
		*ba = *ab;
	} else if (status == NV_OK) {
		status = way_open(b, a, &back, ba);
		if (status != NV_OK)
			way_close(a, b);
	}
	os_mutex_unlock(&peers->lock);
	return status;
}

void rm_peer_destroy(struct rm_gpu *a, struct rm_gpu *b)
{
	struct rm_peers *peers = peers_of(a);

	os_mutex_lock(&peers->lock);
	way_close(a, b);
	if (a != b)
		way_close(b, a);
	os_mutex_unlock(&peers->lock);
}

u32 rm_peer_id(struct rm_gpu *a, struct rm_gpu *b)
{
	return os_load_acquire(&record(a)->to[b->instance].id);
}
