// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands that tell the driver what its GPU is wired to: the links that the chip has, the
 * names (SIDs) of both their ends as training exchanged them, and the GPU's address in a fabric of
 * switches.
 */
#include "h100/engine/fabric.h"
#include "h100/gsp/controls.h"

#define LINKS_PER_IOCTRL 6u
#define IP_VERSION_DLPL 0x40000000u /* of the data link and physical layer: 4.0 */
#define NO_FABRIC_ADDRESS ~0ull

static u32 link_count(const struct h100_state *state)
{
	u64 count = state->profile.nvlink_count;

	return count < H100_NVLINK_MAX ? (u32)count : H100_NVLINK_MAX;
}

static enum nv_status get_device_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_GET_NVLINK_DEVICE_INFO_PARAMS *p = params;
	u32 count = link_count(call->state);

	memset(p, 0, size);
	if (count == 0)
		return NV_ERR_NOT_SUPPORTED;
	p->ioctrlNumEntries = (u8)((count + LINKS_PER_IOCTRL - 1) / LINKS_PER_IOCTRL);
	p->ioctrlMask = (1u << p->ioctrlNumEntries) - 1;
	p->ioctrlSize = p->ioctrlNumEntries;
	p->discoveredLinks = (1u << count) - 1;
	p->ipVerNvlink = NV2080_CTRL_NVLINK_CAPS_NVLINK_VERSION_4_0;
	for (u32 i = 0; i < count; i++) {
		NV2080_CTRL_NVLINK_DEVICE_LINK_VALUES *link = &p->linkInfo[i];

		link->bValid = 1;
		link->linkId = (u8)i;
		link->ioctrlId = i / LINKS_PER_IOCTRL;
		link->pllMasterLinkId = (u8)i;
		link->pllSlaveLinkId = (u8)i;
		link->ipVerDlPl = IP_VERSION_DLPL;
	}
	return NV_OK;
}

static enum nv_status get_trained(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_ARE_LINKS_TRAINED_PARAMS *p = params;

	memset(p->bIsLinkActive, 0, sizeof(p->bIsLinkActive));
	for (u32 i = 0; i < link_count(call->state); i++) {
		if (p->linkMask & (1u << i))
			p->bIsLinkActive[i] = call->state->nvlink[i].up;
	}
	return NV_OK;
}

static enum nv_status get_link_mask(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_GET_LINK_MASK_POST_RX_DET_PARAMS *p = params;

	p->postRxDetLinkMask = 0;
	for (u32 i = 0; i < link_count(call->state); i++) {
		if (call->state->nvlink[i].cabled)
			p->postRxDetLinkMask |= 1u << i;
	}
	return NV_OK;
}

static enum nv_status get_ends(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_UPDATE_REMOTE_LOCAL_SID_PARAMS *p = params;
	NV2080_CTRL_NVLINK_REMOTE_LOCAL_SID_INFO *ends = &p->remoteLocalSidInfo;
	const struct h100_nvlink *link;

	memset(ends, 0, sizeof(*ends));
	ends->remoteDeviceType = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE;
	if (p->linkId >= link_count(call->state))
		return NV_ERR_INVALID_ARGUMENT;
	link = &call->state->nvlink[p->linkId];
	ends->localSid = h100_state_sid(call->state, call->state->index);
	if (!link->cabled)
		return NV_OK;
	ends->remoteLinkId = link->remote_link;
	ends->remoteSid = link->remote_sid;
	ends->remoteDeviceType = link->remote_gpu == H100_NVLINK_SWITCH
					 ? NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_SWITCH
					 : NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_GPU;
	return NV_OK;
}

/* The board's switches give every GPU its address before a driver comes; nobody may choose another.
 */
static enum nv_status get_fabric_address(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR_PARAMS *p = params;
	const struct h100_nvlink *link = &call->state->nvlink[0];

	if (!p->bGet)
		return NV_ERR_NOT_SUPPORTED;
	p->addr = NO_FABRIC_ADDRESS;
	if (link_count(call->state) != 0 && link->cabled && link->remote_gpu == H100_NVLINK_SWITCH)
		p->addr = h100_fabric_base(call->state->index);
	return NV_OK;
}

/* No root port of the software bus passes requests from one device on to another. */
static enum nv_status get_pcie_p2p(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_GET_PCIE_P2P_CAPS_PARAMS *p = params;

	p->p2pReadCapsStatus = NV0000_P2P_CAPS_STATUS_CHIPSET_NOT_SUPPORTED;
	p->p2pWriteCapsStatus = NV0000_P2P_CAPS_STATUS_CHIPSET_NOT_SUPPORTED;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_GET_NVLINK_DEVICE_INFO,
		   NV2080_CTRL_NVLINK_GET_NVLINK_DEVICE_INFO_PARAMS, get_device_info),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_ARE_LINKS_TRAINED,
		   NV2080_CTRL_NVLINK_ARE_LINKS_TRAINED_PARAMS, get_trained),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_GET_LINK_MASK_POST_RX_DET,
		   NV2080_CTRL_NVLINK_GET_LINK_MASK_POST_RX_DET_PARAMS, get_link_mask),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_UPDATE_REMOTE_LOCAL_SID,
		   NV2080_CTRL_NVLINK_UPDATE_REMOTE_LOCAL_SID_PARAMS, get_ends),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR,
		   NV2080_CTRL_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR_PARAMS,
		   get_fabric_address),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GET_PCIE_P2P_CAPS,
		   NV2080_CTRL_INTERNAL_GET_PCIE_P2P_CAPS_PARAMS, get_pcie_p2p),
};

FW_CONTROL_GROUP(fw_controls_topology, "topology", controls);
