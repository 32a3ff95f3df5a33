// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV50_P2P (P2PApi): two subdevices of a client whose GPUs reach each other's memory as long
 * as the object and both subdevices are there.
 */
#include "base/bits.h"
#include "rm/class/class.h"
#include "rm/class/peer.h"

struct rm_p2p {
	struct rm_object object;
	struct rm_gpu *local, *remote;
};

static struct rm_p2p *to_p2p(struct rm_object *object)
{
	return container_of(object, struct rm_p2p, object);
}

static bool one_bit_or_none(u32 mask)
{
	return (mask & (mask - 1)) == 0;
}

static u32 wanted_id(u32 mask)
{
	return mask ? bits_first(mask) : RM_PEER_ANY;
}

static enum nv_status check(const NV503B_ALLOC_PARAMETERS *p)
{
	if (!one_bit_or_none(p->subDevicePeerIdMask) ||
	    !one_bit_or_none(p->peerSubDevicePeerIdMask) ||
	    !one_bit_or_none(p->subDeviceEgmPeerIdMask) ||
	    !one_bit_or_none(p->peerSubDeviceEgmPeerIdMask))
		return NV_ERR_INVALID_ARGUMENT;
	if (p->hSubDevice == p->hPeerSubDevice &&
	    (p->subDevicePeerIdMask != p->peerSubDevicePeerIdMask ||
	     p->subDeviceEgmPeerIdMask != p->peerSubDeviceEgmPeerIdMask))
		return NV_ERR_INVALID_ARGUMENT;
	/* Addresses of the system lead to memory over links only where the GPU has ATS. */
	if (REG_GET(NV503B_FLAGS_P2P_TYPE, p->flags) == NV503B_FLAGS_P2P_TYPE_SPA)
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

static enum nv_status p2p_construct(struct rm_call *call, struct rm_object *object, void *params,
				    u32 params_size)
{
	NV503B_ALLOC_PARAMETERS *p = params;
	struct rm_p2p *p2p = to_p2p(object);
	struct rm_peer_way there = { .id = wanted_id(p->subDevicePeerIdMask) };
	struct rm_peer_way back = { .id = wanted_id(p->peerSubDevicePeerIdMask) };
	struct rm_object *subdevice, *other;
	enum nv_status status;

	if (rm_object_find_class(object->client, p->hSubDevice, ABI_ICLASS_Subdevice, &subdevice) !=
		    NV_OK ||
	    rm_object_find_class(object->client, p->hPeerSubDevice, ABI_ICLASS_Subdevice, &other) !=
		    NV_OK)
		return NV_ERR_INVALID_ARGUMENT;
	status = check(p);
	if (status != NV_OK)
		return status;
	if (!subdevice->gpu || !other->gpu)
		return NV_ERR_GPU_IS_LOST;
	status = rm_object_depend(object, subdevice);
	if (status == NV_OK && other != subdevice)
		status = rm_object_depend(object, other);
	if (status == NV_OK)
		status = rm_peer_create(subdevice->gpu, other->gpu, &there, &back);
	if (status != NV_OK)
		return status;
	p2p->local = subdevice->gpu;
	p2p->remote = other->gpu;
	p->l2pBar1P2PDmaInfo = (NV503B_BAR1_P2P_DMA_INFO){ .dma_address = ~(u64)0 };
	p->p2lBar1P2PDmaInfo = p->l2pBar1P2PDmaInfo;
	return NV_OK;
}

static void p2p_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_p2p *p2p = to_p2p(object);

	rm_peer_destroy(p2p->local, p2p->remote);
}

const struct rm_class rm_class_p2p = {
	.iclass = ABI_ICLASS_P2PApi,
	.object_size = sizeof(struct rm_p2p),
	.construct = p2p_construct,
	.destruct = p2p_destruct,
};
