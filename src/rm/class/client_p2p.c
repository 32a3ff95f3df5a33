// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whether GPUs reach each other's memory: NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS and its kin. What a
 * pair has between it is read from the links that the firmware reports.
 */
#include "base/bits.h"
#include "rm/class/client.h"
#include "rm/class/nvlink.h"
#include "rm/class/peer.h"

struct p2p_result {
	u32 caps;
	u8 status[NV0000_CTRL_P2P_CAPS_INDEX_TABLE_SIZE];
};

/* -- One GPU, or two of them
 * ----------------------------------------------------------------------- */

static enum nv_status over_nvlink(struct rm_gpu *a, struct rm_gpu *b, bool *connected)
{
	u32 there = 0, back = 0;
	enum nv_status status;

	status = rm_nvlink_between(a, b, &there);
	if (status == NV_OK)
		status = rm_nvlink_between(b, a, &back);
	*connected = status == NV_OK && there != 0 && bits_count(there) == bits_count(back);
	return status;
}

/* GPUs on switches reach each other over these or not at all. */
static enum nv_status is_bound_to_switches(struct rm_gpu *gpu, bool *bound)
{
	const struct rm_nvlink *wiring;
	enum nv_status status = rm_nvlink_get(gpu, &wiring);

	if (status == NV_OK)
		*bound = wiring->links != 0 && wiring->switched;
	return status;
}

static enum nv_status is_divided(struct rm_gpu *gpu, bool *divided)
{
	const struct rm_nvlink *wiring;
	enum nv_status status = rm_nvlink_get(gpu, &wiring);

	if (status == NV_OK)
		*divided = wiring->divided;
	return status;
}

/* What the firmware says of requests that go over PCI Express: both must be able. */
static enum nv_status over_pcie(struct rm_gpu *const *gpus, u32 count, u8 *read, u8 *write)
{
	NV2080_CTRL_INTERNAL_GET_PCIE_P2P_CAPS_PARAMS ask;
	enum nv_status status;
	u32 i;

	*read = NV0000_P2P_CAPS_STATUS_OK;
	*write = NV0000_P2P_CAPS_STATUS_OK;
	for (i = 0; i < count; i++) {
		os_memset(&ask, 0, sizeof(ask));
		status = rm_gpu_internal_control(
			gpus[i], NV2080_CTRL_CMD_INTERNAL_GET_PCIE_P2P_CAPS, &ask, sizeof(ask));
		if (status != NV_OK)
			return status;
		if (*read == NV0000_P2P_CAPS_STATUS_OK)
			*read = ask.p2pReadCapsStatus;
		if (*write == NV0000_P2P_CAPS_STATUS_OK)
			*write = ask.p2pWriteCapsStatus;
	}
	return NV_OK;
}

/* -- A list of GPUs
 * ---------------------------------------------------------------------------------- */

static u32 cap(u64 bit)
{
	return (u32)bit;
}

static void fill_nvlink(struct p2p_result *r)
{
	r->caps = cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_NVLINK_SUPPORTED, 1)) |
		  cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_ATOMICS_SUPPORTED, 1)) |
		  cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_READS_SUPPORTED, 1)) |
		  cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_WRITES_SUPPORTED, 1));
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_NVLINK] = NV0000_P2P_CAPS_STATUS_OK;
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_ATOMICS] = NV0000_P2P_CAPS_STATUS_OK;
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_READ] = NV0000_P2P_CAPS_STATUS_OK;
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_WRITE] = NV0000_P2P_CAPS_STATUS_OK;
}

static void fill_pcie(struct p2p_result *r, bool single)
{
	bool reads = r->status[NV0000_CTRL_P2P_CAPS_INDEX_READ] == NV0000_P2P_CAPS_STATUS_OK;
	bool writes = r->status[NV0000_CTRL_P2P_CAPS_INDEX_WRITE] == NV0000_P2P_CAPS_STATUS_OK;

	if (!reads && !writes)
		return;
	r->caps = cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_READS_SUPPORTED, reads)) |
		  cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_WRITES_SUPPORTED, writes)) |
		  cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PROP_SUPPORTED, 1)) |
		  cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PCI_SUPPORTED, 1));
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_PROP] = NV0000_P2P_CAPS_STATUS_OK;
	r->status[NV0000_CTRL_P2P_CAPS_INDEX_PCI] = NV0000_P2P_CAPS_STATUS_OK;
	if (single) {
		r->caps |= cap(REG_PREP(NV0000_CTRL_SYSTEM_GET_P2P_CAPS_LOOPBACK_SUPPORTED, 1));
		r->status[NV0000_CTRL_P2P_CAPS_INDEX_LOOPBACK] = NV0000_P2P_CAPS_STATUS_OK;
	}
}

/* All of the list reach each other by NVLink, by PCI Express, or not at all. */
static enum nv_status connect(struct rm_gpu *const *gpus, u32 count, struct p2p_result *r)
{
	bool nvlink = true, bound = false, divided = false;
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < count && status == NV_OK && !divided; i++)
		status = is_divided(gpus[i], &divided);
	if (status != NV_OK || divided)
		return status;
	/* Whoever the first one reaches reach each other. */
	for (i = count > 1; i < count && status == NV_OK && nvlink; i++)
		status = over_nvlink(gpus[0], gpus[i], &nvlink);
	if (status != NV_OK)
		return status;
	if (nvlink) {
		fill_nvlink(r);
		return NV_OK;
	}
	for (i = 0; i < count && status == NV_OK && !bound; i++)
		status = is_bound_to_switches(gpus[i], &bound);
	if (status != NV_OK || bound)
		return status;
	status = over_pcie(gpus, count, &r->status[NV0000_CTRL_P2P_CAPS_INDEX_READ],
			   &r->status[NV0000_CTRL_P2P_CAPS_INDEX_WRITE]);
	if (status == NV_OK)
		fill_pcie(r, count == 1);
	return status;
}

/* A list may name a GPU more than once: it counts once. The GPUs are kept booted meanwhile. */
static enum nv_status query(struct rm *rm, const u32 *ids, u32 id_count, struct p2p_result *r)
{
	struct rm_gpu *gpus[RM_MAX_GPUS];
	enum nv_status status = NV_OK;
	u32 count = 0, i, j;

	if (id_count == 0)
		return NV_ERR_INVALID_ARGUMENT;
	r->caps = 0;
	os_memset(r->status, NV0000_P2P_CAPS_STATUS_NOT_SUPPORTED, sizeof(r->status));
	for (i = 0; i < id_count && status == NV_OK; i++) {
		struct rm_gpu *gpu = rm_gpu_by_id(rm, ids[i]);

		for (j = 0; j < count && gpus[j] != gpu; j++)
			;
		if (j < count)
			continue;
		if (!gpu || os_load_acquire(&gpu->state) != RM_GPU_RUNNING)
			status = NV_ERR_INVALID_ARGUMENT;
		else
			status = rm_gpu_retain(gpu);
		if (status == NV_OK)
			gpus[count++] = gpu;
	}
	if (status == NV_OK)
		status = connect(gpus, count, r);
	while (count--)
		rm_gpu_release(gpus[count]);
	return status;
}

/* -- The commands
 * -------------------------------------------------------------------------------------- */

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
	u32 count = loopback ? 1 : p->gpuCount, i;
	struct p2p_result r;
	enum nv_status status;

	if (p->gpuCount > ARRAY_SIZE(p->gpuIds))
		return NV_ERR_INVALID_ARGUMENT;
	status = query(call->rm, p->gpuIds, count, &r);
	if (status != NV_OK)
		return status;
	p->p2pCaps = r.caps;
	p->p2pOptimalReadCEs = 0;
	p->p2pOptimalWriteCEs = 0;
	os_memcpy(p->p2pCapsStatus, r.status, sizeof(r.status));
	/* GPUs have numbers for each other while somebody has them reach each other. */
	for (i = 0; i < count * count; i++) {
		struct rm_gpu *from = rm_gpu_by_id(call->rm, p->gpuIds[i / count]);
		struct rm_gpu *to = rm_gpu_by_id(call->rm, p->gpuIds[i % count]);
		u32 id = from && to ? rm_peer_id(from, to) : RM_PEER_ANY;

		p->busPeerIds[i] =
			id == RM_PEER_ANY ? NV0000_CTRL_SYSTEM_GET_P2P_CAPS_INVALID_PEER : id;
	}
	return NV_OK;
}

/* Both directions at once; of a group with itself, one half and the diagonal. */
enum nv_status client_get_p2p_caps_matrix(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_MATRIX_PARAMS *p = params;
	u32 groups = ARRAY_SIZE(p->gpuIdGrpA), i, j, count_b;
	bool reflexive = p->grpBCount == 0;
	const u32 *group_b;
	struct p2p_result r;
	enum nv_status status;

	if (p->grpACount == 0 || p->grpACount > groups || p->grpBCount > groups)
		return NV_ERR_INVALID_ARGUMENT;
	group_b = reflexive ? p->gpuIdGrpA : p->gpuIdGrpB;
	for (i = 0; i < p->grpACount; i++) {
		count_b = reflexive ? i + 1 : p->grpBCount;
		for (j = 0; j < count_b; j++) {
			u32 pair[2] = { p->gpuIdGrpA[i], group_b[j] };

			status = query(call->rm, pair, ARRAY_SIZE(pair), &r);
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
