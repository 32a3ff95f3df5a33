// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Peer ids over NVLink (NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER and its kin). */
#include "rm/class/peer.h"

#include "base/bits.h"
#include "rm/class/nvlink.h"

enum nv_status rm_peers_init(struct rm_peers *peers)
{
	os_memset(peers->gpus, 0, sizeof(peers->gpus));
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

/* A GPU that is lost has forgotten it. */
static void id_clear(struct rm_gpu *gpu, u32 id)
{
	NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_PARAMS p = {
		.mapTypeMask = NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_TYPE_PEER,
		.peerMask = BIT32(id),
	};

	(void)enable(gpu, id, false);
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

static enum nv_status way_open(struct rm_gpu *from, struct rm_gpu *to, struct rm_peer_way *way)
{
	struct rm_peer_gpu *peer = record(from);
	const struct rm_nvlink *wiring = NULL, *other = NULL;
	enum nv_status status;
	u32 links = 0;

	status = rm_nvlink_get(from, &wiring);
	if (status == NV_OK)
		status = rm_nvlink_get(to, &other);
	if (status == NV_OK)
		status = rm_nvlink_between(from, to, &links);
	if (status == NV_OK && (!links || wiring->divided || other->divided))
		status = NV_ERR_NOT_SUPPORTED;
	if (status == NV_OK)
		status = choose(peer, to->instance, wiring->switched, way->id, &way->id);
	if (status == NV_OK && !peer->id_users[way->id])
		status = id_set(from, way->id, links, wiring->switched);
	if (status != NV_OK)
		return status;
	way->links = bits_count(links);
	way->base = wiring->switched ? other->fabric_address : 0;
	if (!peer->to[to->instance].users++)
		peer->id_users[way->id]++;
	peer->to[to->instance].id = way->id;
	return NV_OK;
}

static void way_close(struct rm_gpu *from, const struct rm_gpu *to)
{
	struct rm_peer_gpu *peer = record(from);
	u32 id = peer->to[to->instance].id;

	OS_BUG_ON(!peer->to[to->instance].users);
	if (--peer->to[to->instance].users)
		return;
	if (!--peer->id_users[id])
		id_clear(from, id);
}

/* -- Pairs ------------------------------------------------------------------------------------- */

enum nv_status rm_peer_create(struct rm_gpu *a, struct rm_gpu *b, struct rm_peer_way *ab,
			      struct rm_peer_way *ba)
{
	struct rm_peers *peers = peers_of(a);
	enum nv_status status;

	os_mutex_lock(&peers->lock);
	status = way_open(a, b, ab);
	if (status == NV_OK && a == b) {
		*ba = *ab;
	} else if (status == NV_OK) {
		status = way_open(b, a, ba);
		/* Traffic that leaves by some links and comes back by others is none. */
		if (status == NV_OK && ab->links != ba->links) {
			way_close(b, a);
			status = NV_ERR_NOT_SUPPORTED;
		}
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
	struct rm_peers *peers = peers_of(a);
	const struct rm_peer_gpu *peer = record(a);
	u32 id;

	os_mutex_lock(&peers->lock);
	id = peer->to[b->instance].users ? peer->to[b->instance].id : RM_PEER_ANY;
	os_mutex_unlock(&peers->lock);
	return id;
}
