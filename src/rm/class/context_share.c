// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class FERMI_CONTEXT_SHARE_A (KernelCtxShareApi): an address space in a channel group, under an id
 * (subcontext, VEID) of the group. The id that is chosen here goes back to the client.
 */
#include "base/bitmap.h"
#include "rm/class/channel_group.h"
#include "rm/class/class.h"
#include "rm/class/vaspace.h"
#include "rm/gsp/rpc.h"

/* The highest free one, save that the first goes last: it is for who asks for it. */
static u32 highest_free(u64 used)
{
	u32 id = RM_SUBCONTEXTS;

	while (id--)
		if (!(used & BIT64(id)))
			return id;
	return RM_NO_ID;
}

static enum nv_status take_subcontext(struct rm_channel_group *group,
				      const NV_CTXSHARE_ALLOCATION_PARAMETERS *p, u32 *id)
{
	struct rm_fifo *fifo = rm_channel_group_fifo(group);
	enum nv_status status = NV_OK;

	os_mutex_lock(&fifo->lock);
	if (p->flags == NV_CTXSHARE_ALLOCATION_FLAGS_SUBCONTEXT_SYNC)
		*id = RM_SUBCONTEXT_SYNC;
	else if (p->flags == NV_CTXSHARE_ALLOCATION_FLAGS_SUBCONTEXT_ASYNC)
		*id = highest_free(group->subcontexts);
	else if (p->flags == NV_CTXSHARE_ALLOCATION_FLAGS_SUBCONTEXT_SPECIFIED)
		*id = p->subctxId;
	else
		status = NV_ERR_INVALID_ARGUMENT;
	if (status == NV_OK &&
	    (*id >= RM_SUBCONTEXTS || (group->subcontexts & BIT64(*id)) || group->legacy))
		status = NV_ERR_NO_MEMORY;
	if (status == NV_OK)
		group->subcontexts |= BIT64(*id);
	os_mutex_unlock(&fifo->lock);
	return status;
}

static void free_subcontext(struct rm_channel_group *group, u32 id)
{
	struct rm_fifo *fifo = rm_channel_group_fifo(group);

	os_mutex_lock(&fifo->lock);
	group->subcontexts &= ~BIT64(id);
	os_mutex_unlock(&fifo->lock);
}

static enum nv_status share_construct(struct rm_call *call, struct rm_object *object, void *params,
				      u32 params_size)
{
	NV_CTXSHARE_ALLOCATION_PARAMETERS *p = params;
	struct rm_context_share *share = to_context_share(object);
	struct rm_object *device, *named;
	enum rm_aperture aperture;
	enum nv_status status;
	u64 address;

	share->group = rm_channel_group_of(call->object);
	device = rm_object_ancestor(call->object, ABI_ICLASS_Device);
	if (!share->group || !device)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	status = rm_vaspace_find(device, p->hVASpace, &share->space);
	if (status != NV_OK)
		return status;
	/* One that UVM owns needs its page directory first. */
	if (rm_vaspace_is_external(share->space) &&
	    !rm_vaspace_page_directory(share->space, &aperture, &address)) {
		status = NV_ERR_INVALID_STATE;
		goto fail_space;
	}
	status = take_subcontext(share->group, p, &share->subcontext);
	if (status != NV_OK)
		goto fail_space;
	if (p->hVASpace) {
		status = rm_object_find(object->client, p->hVASpace, &named);
		if (status == NV_OK)
			status = rm_object_depend(object, named);
		if (status != NV_OK)
			goto fail_subcontext;
	}
	p->subctxId = share->subcontext;
	rm_channel_group_get(share->group);
	return NV_OK;

fail_subcontext:
	free_subcontext(share->group, share->subcontext);
fail_space:
	rm_vaspace_put(share->space);
	return status;
}

static void share_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_context_share *share = to_context_share(object);

	free_subcontext(share->group, share->subcontext);
	rm_vaspace_put(share->space);
	rm_channel_group_put(share->group);
}

const struct rm_class rm_class_context_share = {
	.iclass = ABI_ICLASS_KernelCtxShareApi,
	.object_size = sizeof(struct rm_context_share),
	.construct = share_construct,
	.destruct = share_destruct,
	.mirrored = true,
};
