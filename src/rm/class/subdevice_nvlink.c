// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * NVLink as tools see it: what the GPU's links can do, and how each of them is. The wiring comes
 * from class/nvlink.h, speeds and states from the firmware at each call.
 */
#include "base/bits.h"
#include "rm/class/nvlink.h"
#include "rm/class/subdevice.h"
#include "rm/instance.h"

#define LINK_CLOCKS_A_COMMON_CLOCK 16u
#define NOWHERE 0xffffu

#define LINK_STATUS NV2080_CTRL_NVLINK_LINK_STATUS_INFO
#define LINK_VALUES NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_VALUES

struct caps {
	u8 bytes[NV2080_CTRL_NVLINK_CAPS_TBL_SIZE];
};

#define SET_CAP(caps, name)                                       \
	((caps)->bytes[NV2080_CTRL_NVLINK_CAPS_##name##__BYTE] |= \
	 NV2080_CTRL_NVLINK_CAPS_##name##__MASK)

/* The first bytes of the word are the table. */
static void put_caps(NvU32 *word, const struct caps *caps)
{
	*word = 0;
	os_memcpy(word, caps->bytes, sizeof(caps->bytes));
}

/* The version of the link's controller is the version of the link itself from 1.0 to 4.0. */
enum nv_status subdevice_nvlink_get_caps(struct rm_call *call, void *params)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_CAPS_PARAMS *p = params;
	const struct rm_nvlink *wiring;
	struct caps caps;
	enum nv_status status;

	p->discoveredLinkMask = 0;
	p->enabledLinkMask = 0;
	status = rm_nvlink_get(call->object->gpu, &wiring);
	if (status != NV_OK || wiring->links == 0)
		return status;
	os_memset(&caps, 0, sizeof(caps));
	if (!wiring->divided) {
		SET_CAP(&caps, SUPPORTED);
		SET_CAP(&caps, P2P_SUPPORTED);
		SET_CAP(&caps, P2P_ATOMICS);
		SET_CAP(&caps, SYSMEM_ACCESS);
		if (wiring->version != NV2080_CTRL_NVLINK_CAPS_NVLINK_VERSION_1_0)
			SET_CAP(&caps, SYSMEM_ATOMICS);
	}
	SET_CAP(&caps, POWER_STATE_L0);
	if (wiring->version == NV2080_CTRL_NVLINK_CAPS_NVLINK_VERSION_4_0)
		SET_CAP(&caps, POWER_STATE_L1);
	put_caps(&p->capsTbl, &caps);
	p->lowestNvlinkVersion = (u8)wiring->version;
	p->highestNvlinkVersion = (u8)wiring->version;
	p->lowestNciVersion = (u8)wiring->version;
	p->highestNciVersion = (u8)wiring->version;
	p->discoveredLinkMask = wiring->links;
	p->enabledLinkMask = wiring->links;
	return NV_OK;
}

static void put_device(NV2080_CTRL_NVLINK_DEVICE_INFO *device, const struct rm_gpu *gpu)
{
	device->domain = gpu->location.domain;
	device->bus = gpu->location.bus;
	device->device = gpu->location.device;
	device->function = 0;
	device->pciDeviceId = (u32)gpu->device_id << 16 | gpu->vendor_id;
	device->deviceType = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_GPU;
	device->deviceIdFlags = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_ID_FLAGS_PCI;
}

/*
 * The other end, of a link that has been up: one that never came up since boot knows of none, and
 * one that fails later keeps what it knew. Switches are nobody's device on this bus, so they have a
 * type and a name but no place on it; a GPU that nobody has opened has not told its name, and the
 * link counts as not connected.
 */
static void put_far_end(struct rm *rm, const struct rm_nvlink_end *end, LINK_STATUS *link)
{
	NV2080_CTRL_NVLINK_DEVICE_INFO *remote = &link->remoteDeviceInfo;
	const struct rm_gpu *peer;

	link->connected = NV2080_CTRL_NVLINK_STATUS_CONNECTED_FALSE;
	link->remoteDeviceLinkNumber = NV2080_CTRL_NVLINK_STATUS_REMOTE_LINK_NUMBER_INVALID;
	remote->deviceType = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE;
	if (end->type == NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_SWITCH) {
		remote->domain = ~0u;
		remote->bus = NOWHERE;
		remote->device = NOWHERE;
		remote->function = NOWHERE;
		remote->pciDeviceId = ~0u;
		remote->deviceType = end->type;
		remote->deviceIdFlags = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_ID_FLAGS_PCI;
	} else if (end->type == NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_GPU) {
		peer = rm_nvlink_gpu_named(rm, end->remote_sid);
		if (!peer)
			return;
		put_device(remote, peer);
	} else {
		return;
	}
	link->connected = NV2080_CTRL_NVLINK_STATUS_CONNECTED_TRUE;
	link->loopProperty = NV2080_CTRL_NVLINK_STATUS_LOOP_PROPERTY_NONE;
	link->remoteDeviceLinkNumber = (u8)end->remote_link;
	link->remoteLinkSid = end->remote_sid;
}

static void put_caps_of_link(LINK_STATUS *link, bool to_system, u32 version)
{
	struct caps caps;

	os_memset(&caps, 0, sizeof(caps));
	SET_CAP(&caps, VALID);
	SET_CAP(&caps, POWER_STATE_L0);
	if (to_system) {
		SET_CAP(&caps, SYSMEM_ACCESS);
		if (version != NV2080_CTRL_NVLINK_CAPS_NVLINK_VERSION_1_0)
			SET_CAP(&caps, SYSMEM_ATOMICS);
	}
	if (link->connected) {
		SET_CAP(&caps, P2P_SUPPORTED);
		SET_CAP(&caps, P2P_ATOMICS);
	}
	put_caps(&link->capsTbl, &caps);
}

static void put_condition(LINK_STATUS *link, const LINK_VALUES *values)
{
	link->subLinkWidth = values->subLinkWidth;
	link->linkState = values->linkState;
	link->rxSublinkStatus = (u8)values->rxSublinkState;
	link->txSublinkStatus = (u8)values->txSublinkState;
	link->bLaneReversal = values->bLaneReversal;
	link->nvlinkLinkClockKHz = values->nvlinkLinkClockKHz;
	link->nvlinkLinkClockMhz = values->nvlinkLinkClockMhz;
	link->nvlinkLineRateMbps = values->nvlinkLineRateMbps;
	link->nvlinkLinkDataRateKiBps = values->nvlinkLinkDataRateKiBps;
	link->nvlinkRefClkType = values->nvlinkRefClkType;
	link->nvlinkRefClkSpeedMhz = values->nvlinkReqLinkClockMhz;
	link->nvlinkCommonClockSpeedKHz = values->nvlinkLinkClockKHz / LINK_CLOCKS_A_COMMON_CLOCK;
	link->nvlinkCommonClockSpeedMhz = link->nvlinkCommonClockSpeedKHz / 1000;
}

/* Which links have been up since boot, by what they are now. */
static u32 links_seen(struct rm_gpu_static *info, u32 links,
		      const NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_INFO_PARAMS *now)
{
	u32 up = 0, i;

	for (i = 0; i < ARRAY_SIZE(now->linkInfo); i++)
		if ((links & BIT32(i)) &&
		    now->linkInfo[i].linkState == NV2080_CTRL_NVLINK_STATUS_LINK_STATE_ACTIVE)
			up |= BIT32(i);
	return os_fetch_or(&info->nvlink_seen, up) | up;
}

enum nv_status subdevice_nvlink_get_status(struct rm_call *call, void *params)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *p = params;
	NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_INFO_PARAMS *now;
	struct rm_gpu *gpu = call->object->gpu;
	const struct rm_nvlink *wiring;
	static const struct rm_nvlink_end no_end = {
		.type = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE,
	};
	enum nv_status status;
	u32 i, seen;

	p->enabledLinkMask = 0;
	status = rm_nvlink_get(gpu, &wiring);
	if (status != NV_OK || wiring->links == 0 || wiring->divided)
		return status;
	now = os_alloc(sizeof(*now));
	if (!now)
		return NV_ERR_NO_MEMORY;
	now->linkMask = wiring->links;
	now->bSublinkStateInst = 1;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_GET_LINK_AND_CLOCK_INFO, now,
					 sizeof(*now));
	if (status != NV_OK)
		goto out;
	p->enabledLinkMask = wiring->links;
	seen = links_seen(gpu->info, wiring->links, now);
	for (i = 0; i < ARRAY_SIZE(p->linkInfo); i++) {
		LINK_STATUS *link = &p->linkInfo[i];

		if (!(wiring->links & BIT32(i)))
			continue;
		os_memset(link, 0, sizeof(*link));
		link->phyType = NV2080_CTRL_NVLINK_STATUS_PHY_NVHS;
		link->phyVersion = NV2080_CTRL_NVLINK_STATUS_NVHS_VERSION_1_0;
		link->nvlinkVersion = (u8)wiring->version;
		link->nciVersion = (u8)wiring->version;
		link->nvlinkRefClkSpeedKHz = now->nvlinkRefClkSpeedKHz;
		link->localDeviceLinkNumber = (u8)i;
		link->localLinkSid = wiring->ends[i].local_sid;
		put_device(&link->localDeviceInfo, gpu);
		put_condition(link, &now->linkInfo[i]);
		put_far_end(call->rm, seen & BIT32(i) ? &wiring->ends[i] : &no_end, link);
		put_caps_of_link(link, now->linkInfo[i].bLinkConnectedToSystem, wiring->version);
	}
out:
	os_free(now);
	return status;
}
