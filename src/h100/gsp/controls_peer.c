// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands about the peer table: which links a peer id of page tables leads to, and whether
 * it may be used (engine/fabric.h). A driver enables an id, says its links, and confirms them.
 */
#include "h100/engine/fabric.h"
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

#define PEER_MASK ((1u << H100_PEERS) - 1)

/* What all the links of the mask lead to; false: not all to one place, or there is no such link. */
static bool common_end(const struct h100_state *state, u32 links, u32 *gpu)
{
	bool found = false;

	for (u32 i = 0; i < 32; i++) {
		if (!(links >> i & 1))
			continue;
		if (i >= H100_NVLINK_MAX || !state->nvlink[i].cabled ||
		    (found && state->nvlink[i].remote_gpu != *gpu))
			return false;
		*gpu = state->nvlink[i].remote_gpu;
		found = true;
	}
	return found;
}

/* NULL: the GPU is by itself. */
static struct h100_memory *memory_with_links(struct fw_call *call)
{
	struct h100_memory *memory = call->fw->memory;

	return memory && memory->fabric ? memory : NULL;
}

static enum nv_status enable(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_NVLINK_ENABLE_NVLINK_PEER_PARAMS *p = params;
	struct h100_memory *memory = memory_with_links(call);

	if (!memory)
		return NV_ERR_NOT_SUPPORTED;
	if (p->peerMask & ~PEER_MASK)
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 id = 0; id < H100_PEERS; id++) {
		if (p->peerMask >> id & 1)
			h100_peer_enable(memory, id, p->bEnable != 0);
	}
	return NV_OK;
}

static enum nv_status pre_setup(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_NVLINK_PRE_SETUP_NVLINK_PEER_PARAMS *p = params;
	struct h100_memory *memory = memory_with_links(call);
	u32 gpu = 0;

	if (!memory || p->bEgmPeer)
		return NV_ERR_NOT_SUPPORTED;
	if (p->peerId >= H100_PEERS || !common_end(call->state, p->peerLinkMask, &gpu) ||
	    (gpu == H100_NVLINK_SWITCH) != (p->bNvswitchConn != 0))
		return NV_ERR_INVALID_ARGUMENT;
	if (gpu == H100_NVLINK_SWITCH)
		h100_peer_by_switches(memory, p->peerId);
	else
		h100_peer_beside(memory, p->peerId, gpu);
	return NV_OK;
}

static enum nv_status post_setup(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_NVLINK_POST_SETUP_NVLINK_PEER_PARAMS *p = params;
	struct h100_memory *memory = memory_with_links(call);

	if (!memory)
		return NV_ERR_NOT_SUPPORTED;
	if (p->peerMask & ~PEER_MASK)
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 id = 0; id < H100_PEERS; id++) {
		if ((p->peerMask >> id & 1) && !h100_peer_usable(memory, h100_aperture_peer(id)))
			return NV_ERR_INVALID_STATE;
	}
	return NV_OK;
}

/* Of system memory there is nothing to remove: no link leads there. */
static enum nv_status remove_mapping(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_PARAMS *p = params;
	struct h100_memory *memory = memory_with_links(call);

	if (!memory)
		return NV_ERR_NOT_SUPPORTED;
	if (p->peerMask & ~PEER_MASK)
		return NV_ERR_INVALID_ARGUMENT;
	if (!(p->mapTypeMask & NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_TYPE_PEER))
		return NV_OK;
	for (u32 id = 0; id < H100_PEERS; id++) {
		if (p->peerMask >> id & 1)
			h100_peer_remove(memory, id);
	}
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER,
		   NV2080_CTRL_NVLINK_ENABLE_NVLINK_PEER_PARAMS, enable),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER,
		   NV2080_CTRL_NVLINK_PRE_SETUP_NVLINK_PEER_PARAMS, pre_setup),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_POST_SETUP_NVLINK_PEER,
		   NV2080_CTRL_NVLINK_POST_SETUP_NVLINK_PEER_PARAMS, post_setup),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_REMOVE_NVLINK_MAPPING,
		   NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_PARAMS, remove_mapping),
};

FW_CONTROL_GROUP(fw_controls_peer, "peer", controls);
