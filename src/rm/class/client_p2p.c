// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whether GPUs reach each other's memory: NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS and its kin. What a pair
 * has between it is read from the links that the firmware reports.
 */
#include "base/bits.h"
#include "rm/class/client.h"

enum connection { CONNECTION_NONE, CONNECTION_PCIE, CONNECTION_NVLINK };

static bool same_place(const NV2080_CTRL_NVLINK_DEVICE_INFO *info, const struct rm_gpu *gpu)
{
	return info->domain == gpu->location.domain && info->bus == gpu->location.bus &&
	       info->device == gpu->location.device;
}

/* What the GPU's links lead to: the peer itself, or a switch. */
static enum nv_status read_links(struct rm_gpu *gpu, const struct rm_gpu *peer, bool *direct,
				 bool *switched)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *links = os_alloc(sizeof(*links));
	enum nv_status status;
	u32 i;

	*direct = false;
	*switched = false;
	if (!links)
		return NV_ERR_NO_MEMORY;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS, links,
					 sizeof(*links));
	for (i = 0; status == NV_OK && i < ARRAY_SIZE(links->linkInfo); i++) {
		const NV2080_CTRL_NVLINK_LINK_STATUS_INFO *link = &links->linkInfo[i];

		if (i >= 32 || !(links->enabledLinkMask & BIT32(i)) || !link->connected)
			continue;
		if (link->remoteDeviceInfo.deviceType ==
		    NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_SWITCH)
			*switched = true;
		else if (same_place(&link->remoteDeviceInfo, peer))
			*direct = true;
	}
	os_free(links);
	/* A GPU whose firmware knows of no links has none. */
	return status == NV_ERR_NOT_SUPPORTED ? NV_OK : status;
}

static enum nv_status connection_of(struct rm_gpu *a, struct rm_gpu *b, enum connection *out)
{
	bool direct, switched_a, switched_b, ignored;
	enum nv_status status;

	*out = CONNECTION_PCIE;
	if (a == b)
		return NV_OK;
	status = read_links(a, b, &direct, &switched_a);
	if (status == NV_OK && direct) {
		*out = CONNECTION_NVLINK;
		return NV_OK;
	}
	if (status == NV_OK && switched_a) {
		status = read_links(b, a, &ignored, &switched_b);
		if (status == NV_OK && switched_b)
			*out = CONNECTION_NVLINK;
	}
	return status;
}

struct p2p_result {
	u32 caps;
	u8 status[NV0000_CTRL_P2P_CAPS_INDEX_TABLE_SIZE];
};

static u32 cap(u64 bit)
{
	return (u32)bit;
}

static void fill(struct p2p_result *r, enum connection connection, bool loopback)
{
	u32 i;

	r->caps = 0;
	for (i = 0; i < ARRAY_SIZE(r->status); i++)
		r->status[i] = NV0000_P2P_CAPS_STATUS_NOT_SUPPORTED;
	if (connection == CONNECTION_NONE)
		return;
	r->caps |= cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_READS_SUPPORTED, 1)) |
		   cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_WRITES_SUPPORTED, 1));
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_READ] = NV0000_P2P_CAPS_STATUS_OK;
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_WRITE] = NV0000_P2P_CAPS_STATUS_OK;
	if (connection == CONNECTION_NVLINK) {
		r->caps |= cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_NVLINK_SUPPORTED, 1)) |
			   cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_ATOMICS_SUPPORTED, 1));
		r->status[NV0000_CTRL_P2P_CAPS_INDEX_NVLINK] = NV0000_P2P_CAPS_STATUS_OK;
		r->status[NV0000_CTRL_P2P_CAPS_INDEX_ATOMICS] = NV0000_P2P_CAPS_STATUS_OK;
		return;
	}
	r->caps |= cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PROP_SUPPORTED, 1)) |
		   cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PCI_SUPPORTED, 1));
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_PROP] = NV0000_P2P_CAPS_STATUS_OK;
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_PCI] = NV0000_P2P_CAPS_STATUS_OK;
	if (loopback) {
		r->caps |= cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_LOOPBACK_SUPPORTED, 1));
		r->status[NV0000_CTRL_P2P_CAPS_INDEX_LOOPBACK] = NV0000_P2P_CAPS_STATUS_OK;
	}
}

/* What all of the list have in common: the least that a pair of them has. */
static enum nv_status query(struct rm *rm, const u32 *ids, u32 count, struct p2p_result *r)
{
	enum connection least = CONNECTION_NVLINK, one;
	struct rm_gpu *gpus[RM_MAX_GPUS];
	enum nv_status status;
	u32 i, j;

	if (count == 0 || count > ARRAY_SIZE(gpus))
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < count; i++) {
		gpus[i] = rm_gpu_by_id(rm, ids[i]);
		if (!gpus[i] || os_load_acquire(&gpus[i]->state) != RM_GPU_RUNNING)
			return NV_ERR_INVALID_ARGUMENT;
	}
	for (i = 0; i < count; i++) {
		for (j = i + (count > 1); j < count; j++) {
			status = connection_of(gpus[i], gpus[j], &one);
			if (status != NV_OK)
				return status;
			if (one < least)
				least = one;
		}
	}
	fill(r, least, count == 1);
	return NV_OK;
}

enum nv_status client_get_p2p_caps(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS *p = params;
	struct p2p_result r;
	enum nv_status status;

	if (p->gpuCount > ARRAY_SIZE(p->gpuIds))
		return NV_ERR_INVALID_ARGUMENT;
	status = query(call->rm, p->gpuIds, p->gpuCount, &r);
	if (status != NV_OK)
		return status;
	p->p2pCaps = r.caps;
	p->p2pOptimalReadCEs = 0;
	p->p2pOptimalWriteCEs = 0;
	os_memcpy(p->p2pCapsStatus, r.status, sizeof(r.status));
	return NV_OK;
}

enum nv_status client_get_p2p_caps_v2(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_V2_PARAMS *p = params;
	bool loopback = p->gpuCount == 2 && p->gpuIds[0] == p->gpuIds[1];
	struct p2p_result r;
	enum nv_status status;
	u32 i, j;

	if (p->gpuCount > ARRAY_SIZE(p->gpuIds))
		return NV_ERR_INVALID_ARGUMENT;
	status = query(call->rm, p->gpuIds, loopback ? 1 : p->gpuCount, &r);
	if (status != NV_OK)
		return status;
	p->p2pCaps = r.caps;
	p->p2pOptimalReadCEs = 0;
	p->p2pOptimalWriteCEs = 0;
	os_memcpy(p->p2pCapsStatus, r.status, sizeof(r.status));
	/* A peer has the number of its instance; a GPU is no peer of itself. */
	for (i = 0; i < p->gpuCount; i++) {
		for (j = 0; j < p->gpuCount; j++) {
			const struct rm_gpu *peer = rm_gpu_by_id(call->rm, p->gpuIds[j]);

			p->busPeerIds[i * p->gpuCount + j] =
				p->gpuIds[i] == p->gpuIds[j] ?
					NV0000_CTRL_SYSTEM_GET_P2P_CAPS_INVALID_PEER :
					peer->instance;
		}
	}
	return NV_OK;
}

enum nv_status client_get_p2p_caps_matrix(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_MATRIX_PARAMS *p = params;
	u32 groups = ARRAY_SIZE(p->gpuIdGrpA), i, j, count_b;
	const u32 *group_b;
	struct p2p_result r;
	enum nv_status status;

	if (p->grpACount == 0 || p->grpACount > groups || p->grpBCount > groups)
		return NV_ERR_INVALID_ARGUMENT;
	group_b = p->grpBCount ? p->gpuIdGrpB : p->gpuIdGrpA;
	count_b = p->grpBCount ? p->grpBCount : p->grpACount;
	for (i = 0; i < p->grpACount; i++) {
		for (j = 0; j < count_b; j++) {
			u32 pair[2] = { p->gpuIdGrpA[i], group_b[j] };

			status = query(call->rm, pair, pair[0] == pair[1] ? 1 : 2, &r);
			if (status != NV_OK)
				return status;
			p->p2pCaps[i][j] = r.caps;
			p->a2bOptimalReadCes[i][j] = 0;
			p->a2bOptimalWriteCes[i][j] = 0;
			p->b2aOptimalReadCes[i][j] = 0;
			p->b2aOptimalWriteCes[i][j] = 0;
		}
	}
	return NV_OK;
}
