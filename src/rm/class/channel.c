// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes *_CHANNEL_GPFIFO (KernelChannel): a queue of work for one engine. The id and all memory
 * are chosen here; the firmware writes the instance block and runs the channel.
 */
#include "base/bits.h"
#include "rm/cc/channel_keys.h"
#include "rm/cc/session.h"
#include "rm/class/channel_group.h"
#include "rm/class/channel_pause.h"
#include "rm/class/channel_object.h"
#include "rm/class/channel_secure.h"
#include "rm/class/class.h"
#include "rm/class/context_dma.h"
#include "rm/class/listed.h"
#include "rm/class/mapping.h"
#include "rm/class/memory.h"
#include "rm/class/vaspace.h"
#include "rm/gpu/video.h"
#include "rm/gsp/rpc.h"

#define CHANNELS_PER_USERD_PAGE 8u
#define TOKEN_RUNLIST_SHIFT 16u
/* A group that only the firmware calls by a handle: one of those that no client's object has. */
#define IMPLICIT_GROUP_HANDLE 0xc9f00000u

struct rm_channel *rm_channel_of(const struct rm_object *object)
{
	return object->class == &rm_class_channel ? to_channel_object(object)->channel : NULL;
}

static struct rm_fifo *fifo_of(const struct rm_channel *channel)
{
	return &rm_gpu_objects_of(channel->gpu)->fifo;
}

void rm_channel_get(struct rm_channel *channel)
{
	os_fetch_add(&channel->references, 1);
}

static void channel_free(struct rm_channel *channel)
{
	if (channel->notifier)
		rm_backing_put(channel->notifier);
	if (channel->userd)
		rm_backing_put(channel->userd);
	if (channel->instance)
		rm_backing_put(channel->instance);
	if (channel->space)
		rm_vaspace_put(channel->space);
	if (channel->group)
		rm_channel_group_put(channel->group);
	rm_channel_keys_destroy(channel->keys);
	rm_gpu_put(channel->gpu);
	os_free(channel);
}

void rm_channel_put(struct rm_channel *channel)
{
	struct rm_fifo *fifo = fifo_of(channel);

	if (os_fetch_sub(&channel->references, 1) != 1)
		return;
	os_mutex_lock(&fifo->lock);
	if (channel->chid != RM_NO_ID && channel->generation == fifo->generation)
		rm_fifo_free_channel(fifo, channel->runlist, channel->chid);
	os_mutex_unlock(&fifo->lock);
	channel_free(channel);
}

u32 rm_channel_token(const struct rm_channel *channel)
{
	return channel->chid | channel->runlist << TOKEN_RUNLIST_SHIFT;
}

bool rm_channel_schedulable(struct rm_channel *channel)
{
	return !rm_vaspace_is_external(channel->space) ||
	       channel->engine_type != NV2080_ENGINE_TYPE_GR0 || os_load_acquire(&channel->bound);
}

void rm_channel_set_bound(struct rm_channel *channel)
{
	os_store_release(&channel->bound, true);
}

/* -- What an alloc says ------------------------------------------------------------------------ */

enum nv_status rm_channel_notifier(struct rm_client *client, u32 handle, struct rm_notifier *out)
{
	const struct rm_context_dma *context_dma;
	enum nv_status status = rm_object_find(client, handle, &out->object);

	if (status != NV_OK)
		return status;
	if (out->object->flags & RM_OBJECT_DEAD)
		return NV_ERR_INVALID_OBJECT;
	context_dma = rm_context_dma_of(out->object);
	out->backing = context_dma ? context_dma->backing : rm_memory_backing(out->object);
	if (!out->backing || !rm_backing_accessible(out->backing))
		return NV_ERR_INVALID_OBJECT;
	out->offset = context_dma ? context_dma->offset : 0;
	out->size = context_dma ? context_dma->size : rm_backing_size(out->backing);
	if (!is_aligned(out->offset, sizeof(u64)))
		return NV_ERR_INVALID_OFFSET;
	return out->size < sizeof(NvNotification) ? NV_ERR_INVALID_LIMIT : NV_OK;
}

/* Objects that the channel stands on, and what else its alloc found. */
struct alloc {
	NV_CHANNEL_ALLOC_PARAMS *p;
	struct rm_object *object;
	struct rm_object *userd, *share, *space;
	struct rm_notifier notifier, ecc_notifier;
	u32 notifier_handle;
	u32 privilege;
	struct rm_channel *channel;
	u32 implicit_group; /* a handle for the firmware; 0: none */
};

/* Fields that are between the driver's halves come from no client. */
static void clear_internal(NV_CHANNEL_ALLOC_PARAMS *p)
{
	p->hPhysChannelGroup = 0;
	p->internalFlags = 0;
	p->ProcessID = 0;
	p->SubProcessID = 0;
	os_memset(&p->errorNotifierMem, 0, sizeof(p->errorNotifierMem));
	os_memset(&p->eccErrorNotifierMem, 0, sizeof(p->eccErrorNotifierMem));
	os_memset(p->encryptIv, 0, sizeof(p->encryptIv));
	os_memset(p->decryptIv, 0, sizeof(p->decryptIv));
	os_memset(p->hmacNonce, 0, sizeof(p->hmacNonce));
}

static void set_privilege(const struct rm_call *call, struct alloc *a)
{
	NV_CHANNEL_ALLOC_PARAMS *p = a->p;

	a->privilege = NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_USER;
	if (call->kernel)
		a->privilege = NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_KERNEL;
	else if (call->cred.admin)
		a->privilege = NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_ADMIN;
	if (a->privilege != NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_USER)
		p->flags = (u32)REG_SET(NVOS04_FLAGS_PRIVILEGED_CHANNEL, p->flags,
					(u64)NVOS04_FLAGS_PRIVILEGED_CHANNEL_TRUE);
}

static bool is_kernel(const struct alloc *a)
{
	return a->privilege == NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_KERNEL;
}

static bool is_secure(const NV_CHANNEL_ALLOC_PARAMS *p)
{
	return REG_GET(NVOS04_FLAGS_CC_SECURE, p->flags) == NVOS04_FLAGS_CC_SECURE_TRUE;
}

static enum nv_status check_params(const struct alloc *a)
{
	const NV_CHANNEL_ALLOC_PARAMS *p = a->p;

	if (REG_GET(NVOS04_FLAGS_CHANNEL_TYPE, p->flags) != NVOS04_FLAGS_CHANNEL_TYPE_PHYSICAL)
		return NV_ERR_NOT_SUPPORTED;
	if (p->hContextShare && p->hVASpace)
		return NV_ERR_INVALID_ARGUMENT;
	if (REG_GET(NVOS04_FLAGS_CHANNEL_SKIP_SCRUBBER, p->flags) && !is_kernel(a))
		return NV_ERR_INVALID_ARGUMENT;
	if (is_secure(p) && !is_kernel(a) && !rm_cc_accepts_work(a->object->gpu->rm))
		return NV_ERR_NOT_READY;
	return NV_OK;
}

/* The group above, or one made around this channel. */
static enum nv_status find_group(struct alloc *a, struct rm_object *parent)
{
	NV_CHANNEL_ALLOC_PARAMS *p = a->p;
	struct rm_channel_group *group = rm_channel_group_of(parent);
	struct rm_vaspace *space = NULL;
	enum nv_status status;

	if (group) {
		if (p->hVASpace)
			return NV_ERR_INVALID_ARGUMENT;
		if (p->engineType != NV2080_ENGINE_TYPE_NULL &&
		    p->engineType < NV2080_ENGINE_TYPE_LAST && p->engineType != group->engine_type)
			return NV_ERR_INVALID_ARGUMENT;
		rm_channel_group_get(group);
		a->channel->group = group;
		return NV_OK;
	}
	if (p->hContextShare || rm_channel_group_check_engine(p->engineType) != NV_OK)
		return NV_ERR_INVALID_ARGUMENT;
	status = rm_vaspace_find(parent, p->hVASpace, &space);
	if (status != NV_OK)
		return status;
	status = rm_channel_group_create(a->object->gpu, p->engineType, space, true,
					 &a->channel->group);
	rm_vaspace_put(space);
	return status;
}

/* Either all channels of a group name a context share, or none. */
static enum nv_status find_context(struct alloc *a)
{
	NV_CHANNEL_ALLOC_PARAMS *p = a->p;
	struct rm_channel *channel = a->channel;
	struct rm_channel_group *group = channel->group;
	struct rm_fifo *fifo = fifo_of(channel);
	struct rm_object *device = rm_object_ancestor(a->object, ABI_ICLASS_Device);
	enum nv_status status = NV_OK;

	os_mutex_lock(&fifo->lock);
	if (group->channel_count && group->legacy == (p->hContextShare != 0))
		status = NV_ERR_INVALID_ARGUMENT;
	else if (!p->hContextShare && !group->legacy && group->subcontexts)
		status = NV_ERR_INVALID_STATE; /* shares took the ids that it would need */
	os_mutex_unlock(&fifo->lock);
	if (status != NV_OK)
		return status;
	if (!p->hContextShare) {
		channel->subcontext = REG_GET(NVOS04_FLAGS_GROUP_CHANNEL_THREAD, p->flags) ==
						      NV_CTXSHARE_ALLOCATION_FLAGS_SUBCONTEXT_SYNC
					      ? RM_SUBCONTEXT_SYNC
					      : RM_SUBCONTEXT_ASYNC;
		if (!group->space)
			return rm_vaspace_find(device, 0, &channel->space);
		rm_vaspace_get(group->space);
		channel->space = group->space;
		return NV_OK;
	}
	status = rm_object_find_class(a->object->client, p->hContextShare,
				      ABI_ICLASS_KernelCtxShareApi, &a->share);
	if (status != NV_OK)
		return status;
	if ((a->share->flags & RM_OBJECT_DEAD) || a->share->parent != a->object->parent)
		return NV_ERR_INVALID_OBJECT_PARENT;
	channel->subcontext = to_context_share(a->share)->subcontext;
	channel->space = to_context_share(a->share)->space;
	rm_vaspace_get(channel->space);
	return NV_OK;
}

static enum nv_status find_notifiers(struct alloc *a, const struct rm_object *parent)
{
	NV_CHANNEL_ALLOC_PARAMS *p = a->p;
	struct rm_client *client = a->object->client;
	enum nv_status status = NV_OK;

	a->notifier_handle = p->hObjectError;
	if (!a->notifier_handle && rm_channel_group_of(parent))
		a->notifier_handle = rm_channel_group_notifier(parent);
	if (a->notifier_handle)
		status = rm_channel_notifier(client, a->notifier_handle, &a->notifier);
	if (status == NV_OK && p->hObjectEccError)
		status = rm_channel_notifier(client, p->hObjectEccError, &a->ecc_notifier);
	if (status != NV_OK || !a->notifier.object)
		return status;
	a->channel->notifier = a->notifier.backing;
	a->channel->notifier_offset = a->notifier.offset;
	a->channel->notifier_size = a->notifier.size;
	rm_backing_get(a->channel->notifier);
	return NV_OK;
}

/* USERD has no header: it is the client's, at a multiple of its size, or a page of the driver's. */
static enum nv_status find_userd(struct alloc *a)
{
	NV_CHANNEL_ALLOC_PARAMS *p = a->p;
	struct rm_channel *channel = a->channel;
	struct rm_backing *backing;
	enum nv_status status;

	channel->own_userd = !p->hUserdMemory[0];
	/* What the driver rings by itself it has to reach. */
	if (!p->hUserdMemory[0] && rm_video_is_closed(channel->gpu))
		return rm_backing_alloc_system(channel->gpu, OS_PAGE_SIZE, &channel->userd);
	if (!p->hUserdMemory[0])
		return rm_backing_alloc_video(channel->gpu, OS_PAGE_SIZE, OS_PAGE_SIZE,
					      &channel->userd);
	status = rm_object_find(a->object->client, p->hUserdMemory[0], &a->userd);
	if (status != NV_OK)
		return status;
	backing = a->userd->flags & RM_OBJECT_DEAD ? NULL : rm_memory_backing(a->userd);
	if (!backing ||
	    (rm_backing_kind(backing) != RM_BACKING_VIDEO && !rm_backing_accessible(backing)))
		return NV_ERR_INVALID_OBJECT;
	if (rm_backing_gpu(backing) != channel->gpu)
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (!is_aligned(p->userdOffset[0], RM_USERD_BYTES))
		return NV_ERR_INVALID_ADDRESS;
	if (p->userdOffset[0] >= rm_backing_size(backing) ||
	    rm_backing_size(backing) - p->userdOffset[0] < RM_USERD_BYTES)
		return NV_ERR_INVALID_ARGUMENT;
	rm_backing_get(backing);
	channel->userd = backing;
	channel->userd_offset = p->userdOffset[0];
	return NV_OK;
}

/* The client may want an id that is the n-th of a page of USERDs, or one in particular. */
static enum nv_status take_id(struct alloc *a)
{
	const u32 flags = a->p->flags;
	struct rm_channel *channel = a->channel;
	struct rm_fifo *fifo = fifo_of(channel);
	u32 value = (u32)REG_GET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_VALUE, flags);
	u32 page = (u32)REG_GET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_VALUE, flags);
	bool fixed = REG_GET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_FIXED, flags);
	bool page_fixed = REG_GET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_FIXED, flags);
	enum nv_status status;

	if (fixed && page_fixed)
		return NV_ERR_INVALID_STATE;
	os_mutex_lock(&fifo->lock);
	status =
		rm_fifo_take_channel(fifo, channel->runlist,
				     page_fixed ? page * CHANNELS_PER_USERD_PAGE + value : RM_NO_ID,
				     fixed ? value : RM_NO_ID, channel, &channel->chid);
	channel->generation = fifo->generation;
	channel->born = os_load_acquire(&channel->gpu->event_number);
	os_mutex_unlock(&fifo->lock);
	return status;
}

/* -- The firmware's twin ----------------------------------------------------------------------- */

static void describe(NV_MEMORY_DESC_PARAMS *out, const struct rm_backing *backing, u64 offset,
		     u64 size)
{
	enum rm_aperture aperture;
	u64 bytes;

	out->base = rm_backing_address(backing, offset, &aperture, &bytes);
	out->size = size;
	out->addressSpace = aperture == RM_APERTURE_VIDEO ? ADDR_FBMEM : ADDR_SYSMEM;
	out->cacheAttrib =
		aperture == RM_APERTURE_SYSTEM_COHERENT ? NV_MEMORY_CACHED : NV_MEMORY_UNCACHED;
}

static void describe_pages(NV_MEMORY_DESC_PARAMS *out, const struct os_pages *pages)
{
	out->base = os_pages_dma(pages, 0);
	out->size = pages->size;
	out->addressSpace = ADDR_SYSMEM;
	out->cacheAttrib = NV_MEMORY_CACHED;
}

static u32 notifier_type(const struct rm_notifier *notifier)
{
	if (!notifier->object)
		return ERROR_NOTIFIER_TYPE_NONE;
	return rm_context_dma_of(notifier->object) ? ERROR_NOTIFIER_TYPE_CTXDMA
						   : ERROR_NOTIFIER_TYPE_MEMORY;
}

static void describe_notifier(NV_MEMORY_DESC_PARAMS *out, const struct rm_notifier *notifier)
{
	if (notifier->object)
		describe(out, notifier->backing, notifier->offset, notifier->size);
}

/* What the two halves of the driver say to each other of a channel, in the interface's own form. */
static void fill_request(const struct alloc *a, NV_CHANNEL_ALLOC_PARAMS *rpc)
{
	const NV_CHANNEL_ALLOC_PARAMS *p = a->p;
	const struct rm_channel *channel = a->channel;
	u32 queue = (u32)REG_GET(NVOS04_FLAGS_GROUP_CHANNEL_RUNQUEUE, p->flags);
	u32 flags = p->flags;

	rpc->hObjectError = p->hObjectError;
	rpc->hObjectEccError = p->hObjectEccError;
	rpc->gpFifoOffset = p->gpFifoOffset;
	rpc->gpFifoEntries = p->gpFifoEntries;
	rpc->hContextShare = p->hContextShare;
	rpc->hVASpace = p->hVASpace;
	rpc->engineType = p->engineType;
	rpc->subDeviceId = p->subDeviceId;
	rpc->cid = p->cid;
	rpc->hPhysChannelGroup = a->implicit_group;
	os_memcpy(rpc->hUserdMemory, p->hUserdMemory, sizeof(rpc->hUserdMemory));
	os_memcpy(rpc->userdOffset, p->userdOffset, sizeof(rpc->userdOffset));

	describe(&rpc->instanceMem, channel->instance, 0, RM_INSTANCE_BYTES);
	describe(&rpc->ramfcMem, channel->instance, 0, RM_RAMFC_BYTES);
	describe(&rpc->userdMem, channel->userd, channel->userd_offset, RM_USERD_BYTES);
	describe_pages(&rpc->mthdbufMem, &channel->group->method_buffers[queue]);
	describe_notifier(&rpc->errorNotifierMem, &a->notifier);
	describe_notifier(&rpc->eccErrorNotifierMem, &a->ecc_notifier);

	/* The firmware takes the id that was chosen here. */
	flags = (u32)REG_SET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_FIXED, flags, 0ull);
	flags = (u32)REG_SET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_FIXED, flags, 1ull);
	flags = (u32)REG_SET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_VALUE, flags,
			     (u64)(channel->chid % CHANNELS_PER_USERD_PAGE));
	flags = (u32)REG_SET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_VALUE, flags,
			     (u64)(channel->chid / CHANNELS_PER_USERD_PAGE));
	/* Whatever a client asks for, who it is decides. */
	flags = (u32)REG_SET(
		NVOS04_FLAGS_PRIVILEGED_CHANNEL, flags,
		(u64)(a->privilege != NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_USER));
	rpc->flags = flags;
	if (channel->keys)
		rm_channel_keys_describe(channel->keys, rpc);
	rpc->internalFlags =
		(u32)(REG_PREP(NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE, a->privilege) |
		      REG_PREP(NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_ERROR_NOTIFIER_TYPE,
			       notifier_type(&a->notifier)) |
		      REG_PREP(NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_ECC_ERROR_NOTIFIER_TYPE,
			       notifier_type(&a->ecc_notifier)));
	rpc->ProcessID = channel->pid;
}

static enum nv_status tell_firmware(const struct alloc *a)
{
	struct rm_object *object = a->object;
	NV_CHANNEL_ALLOC_PARAMS *rpc = os_alloc(sizeof(*rpc));
	enum nv_status status;

	if (!rpc)
		return NV_ERR_NO_MEMORY;
	fill_request(a, rpc);
	status = gsp_rpc_alloc(object->gpu, object->client->handle, object->parent->handle,
			       object->handle, object->class_id, rpc, sizeof(*rpc));
	os_free(rpc);
	if (status == NV_OK)
		object->flags |= RM_OBJECT_MIRRORED;
	return status;
}

/* -- Birth and death --------------------------------------------------------------------------- */

static enum nv_status depend(const struct alloc *a)
{
	struct rm_object *const on[] = { a->share, a->space, a->userd, a->notifier.object,
					 a->ecc_notifier.object };
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(on) && status == NV_OK; i++)
		if (on[i])
			status = rm_object_depend(a->object, on[i]);
	return status;
}

/* From here on it is found by its id, and errors of its group reach it. */
static void join_group(const struct alloc *a)
{
	struct rm_channel *channel = a->channel;
	struct rm_channel_group *group = channel->group;
	struct rm_fifo *fifo = fifo_of(channel);

	os_mutex_lock(&fifo->lock);
	channel->object = a->object;
	list_add_tail(&channel->node, &group->channels);
	list_add_tail(&channel->space_node, rm_vaspace_channels(channel->space));
	channel->paused = rm_vaspace_is_paused(channel->space);
	group->channel_count++;
	if (!a->p->hContextShare && !group->legacy) {
		group->legacy = true;
		group->subcontexts |= BIT64(RM_SUBCONTEXT_SYNC) | BIT64(RM_SUBCONTEXT_ASYNC);
	}
	os_mutex_unlock(&fifo->lock);
}

static enum nv_status prepare(struct rm_call *call, struct alloc *a)
{
	struct rm_channel *channel = a->channel;
	enum nv_status status;

	status = find_group(a, call->object);
	if (status == NV_OK)
		status = find_notifiers(a, call->object);
	if (status == NV_OK)
		status = find_context(a);
	if (status == NV_OK && a->p->hVASpace)
		status = rm_object_find(a->object->client, a->p->hVASpace, &a->space);
	if (status != NV_OK)
		return status;
	channel->engine_type = channel->group->engine_type;
	channel->runlist = channel->group->runlist;
	if (is_secure(a->p))
		status = rm_channel_make_secure(channel, is_kernel(a));
	if (status == NV_OK)
		status = take_id(a);
	if (status == NV_OK)
		status = rm_backing_alloc_video(channel->gpu, RM_INSTANCE_BYTES, RM_INSTANCE_BYTES,
						&channel->instance);
	if (status == NV_OK)
		status = find_userd(a);
	if (status == NV_ERR_NO_MEMORY)
		rm_call_lacks(call, channel->gpu, RM_INSTANCE_BYTES + OS_PAGE_SIZE);
	return status == NV_OK ? depend(a) : status;
}

static u32 next_cid;

static enum nv_status channel_construct(struct rm_call *call, struct rm_object *object,
					void *params, u32 params_size)
{
	struct alloc a = { .p = params, .object = object };
	struct rm_channel *channel;
	enum nv_status status;

	if (!rm_class_listed(object->class_id))
		return NV_ERR_INVALID_CLASS;
	a.p->cid = os_fetch_add(&next_cid, 1) + 1;
	clear_internal(a.p);
	set_privilege(call, &a);
	status = check_params(&a);
	if (status != NV_OK)
		return status;
	channel = os_alloc(sizeof(*channel));
	if (!channel)
		return NV_ERR_NO_MEMORY;
	channel->references = 1;
	channel->gpu = object->gpu;
	rm_gpu_get(channel->gpu);
	channel->chid = RM_NO_ID;
	channel->client = object->client->handle;
	channel->handle = object->handle;
	channel->pid = object->client->kernel ? 0 : object->client->cred.pid;
	channel->token_index = NV_CHANNELGPFIFO_NOTIFICATION_TYPE_WORK_SUBMIT_TOKEN;
	a.channel = channel;
	status = prepare(call, &a);
	if (status == NV_OK && channel->group->implicit)
		a.implicit_group = IMPLICIT_GROUP_HANDLE +
				   (channel->runlist * RM_FIFO_CHANNELS + channel->chid);
	if (status == NV_OK)
		status = tell_firmware(&a);
	if (status != NV_OK) {
		rm_channel_put(channel);
		return status;
	}
	to_channel_object(object)->channel = channel;
	join_group(&a);
	rm_channel_pause_new(channel);
	return NV_OK;
}

static void channel_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_channel *channel = to_channel_object(object)->channel;
	struct rm_fifo *fifo = fifo_of(channel);

	rm_cpu_mappings_drop(object);
	os_mutex_lock(&fifo->lock);
	list_del(&channel->node);
	list_del(&channel->space_node);
	channel->group->channel_count--;
	channel->object = NULL;
	channel->stopped = true;
	if (channel->generation == fifo->generation)
		rm_fifo_hide_channel(fifo, channel->runlist, channel->chid);
	os_mutex_unlock(&fifo->lock);
	rm_channel_put(channel);
}

const struct rm_class rm_class_channel = {
	.iclass = ABI_ICLASS_KernelChannel,
	.object_size = sizeof(struct rm_channel_object),
	.construct = channel_construct,
	.destruct = channel_destruct,
	.controls = rm_channel_controls,
	.control_count = RM_CHANNEL_CONTROLS,
};
