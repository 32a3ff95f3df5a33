// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clients' channels in a GPU VA space: the buffers that their engine needs get addresses within the
 * range that the client set aside, one for each buffer however many channels share it.
 */
#include "uvm/evict.h"
#include "uvm/range.h"

#include "abi/gh100.h"

struct uvm_channel {
	struct list_node node; /* of its GPU VA space */
	struct uvm_gpu *gpu;
	u32 client, handle;
	struct rm_uvm_channel *rm;
	struct rm_uvm_channel_info info;
	struct uvm_range *ranges[RM_UVM_CHANNEL_RESOURCES];
};

static struct uvm_channel *channel_of(const struct uvm_gpu *gpu, u32 client, u32 handle)
{
	struct uvm_channel *channel;

	if (!gpu->space)
		return NULL;
	list_for_each_entry (channel, &gpu->space->channels, node) {
		if (channel->client == client && channel->handle == handle)
			return channel;
	}
	return NULL;
}

static struct uvm_channel *channel_find(struct uvm_space *space, u32 client, u32 handle)
{
	struct uvm_channel *channel;
	struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, space)
	{
		channel = channel_of(gpu, client, handle);
		if (channel)
			return channel;
	}
	return NULL;
}

bool uvm_channel_is_registered(const struct uvm_gpu *gpu, u32 client, u32 handle)
{
	return channel_of(gpu, client, handle) != NULL;
}

/* -- Buffers ----------------------------------------------------------------------------------- */

static struct uvm_range *resource_find(struct uvm_space *space, const struct uvm_gpu *gpu,
				       const struct rm_uvm_segment *segment)
{
	struct uvm_range *range;

	for (range = uvm_range_first_in(space, 0, ~(u64)0); range; range = uvm_range_next(range)) {
		if (range->kind == UVM_RANGE_CHANNEL && range->gpu == gpu &&
		    range->segment.address == segment->address &&
		    range->segment.aperture == segment->aperture)
			return range;
	}
	return NULL;
}

/* The first free address in base .. last for size bytes; 0: none. */
static u64 address_find(struct uvm_space *space, u64 base, u64 last, u64 size, u64 alignment)
{
	u64 at = base;

	while (align_up_ok(at, alignment)) {
		struct uvm_range *range;

		at = align_up(at, alignment);
		if (at > last || size - 1 > last - at)
			return 0;
		range = uvm_range_first_in(space, at, at + size - 1);
		if (!range)
			return at;
		at = range->node.last + 1;
		if (!at)
			return 0;
	}
	return 0;
}

static enum nv_status resource_pte(void *ctx, u64 offset, u64 *pte)
{
	const struct uvm_range *range = ctx;
	struct uvm_pte p = {
		.aperture = range->segment.aperture,
		.address = range->segment.address + offset,
		.protection = UVM_PROTECTION_ATOMIC,
		.cached = range->segment.aperture == RM_UVM_VIDEO,
		.kind = NV_MMU_PTE_KIND_GENERIC_MEMORY,
	};

	*pte = range->gpu->hal.mmu->pte(&p);
	return NV_OK;
}

static enum nv_status resource_map(struct uvm_space *space, struct uvm_channel *channel, u32 i,
				   u64 base, u64 last)
{
	const struct rm_uvm_segment *segment = &channel->info.resources[i].segment;
	u64 size = channel->info.resources[i].size;
	u64 alignment = channel->info.resources[i].alignment;
	struct uvm_range *range = resource_find(space, channel->gpu, segment);
	enum nv_status status;
	u64 address;

	if (range) {
		range->uses++;
		channel->ranges[i] = range;
		return NV_OK;
	}
	if (!size || !is_aligned(size | segment->address, UVM_PAGE_4K) || segment->size < size)
		return NV_ERR_INVALID_STATE;
	alignment = max(alignment, UVM_PAGE_4K);
	address = address_find(space, base, last, size, alignment);
	if (!address)
		return NV_ERR_INVALID_ADDRESS;
	status = uvm_range_create(space, address, size, UVM_RANGE_CHANNEL, &range);
	if (status != NV_OK)
		return status;
	range->segment = *segment;
	range->gpu = channel->gpu;
	range->page_size = uvm_page_size_for(&channel->gpu->hal, address | size | segment->address);
	status = uvm_page_tree_map(&channel->gpu->space->tree, address, size, range->page_size,
				   resource_pte, range);
	if (status != NV_OK) {
		range->gpu = NULL; /* not mapped */
		uvm_range_destroy(range);
		return status;
	}
	range->uses = 1;
	channel->ranges[i] = range;
	return NV_OK;
}

static void resources_unmap(struct uvm_channel *channel)
{
	u32 i;

	for (i = 0; i < channel->info.resource_count; i++) {
		struct uvm_range *range = channel->ranges[i];

		channel->ranges[i] = NULL;
		if (range && !--range->uses)
			uvm_range_destroy(range);
	}
}

/* -- Channels ---------------------------------------------------------------------------------- */

static void channel_destroy(struct uvm_channel *channel)
{
	list_del(&channel->node);
	resources_unmap(channel);
	rm_uvm_channel_put(channel->rm);
	os_free(channel);
}

static enum nv_status channel_map_and_bind(struct uvm_space *space, struct uvm_channel *channel,
					   u64 base, u64 length)
{
	u64 addresses[RM_UVM_CHANNEL_RESOURCES];
	u32 i, count = channel->info.resource_count;
	enum nv_status status;

	if (count > RM_UVM_CHANNEL_RESOURCES)
		return NV_ERR_INVALID_STATE;
	if (count && (base + length - 1 >= channel->gpu->hal.channel_va_end ||
		      !uvm_gpu_can_address(channel->gpu, base, length)))
		return NV_ERR_OUT_OF_RANGE;
	for (i = 0; i < count; i++) {
		status = resource_map(space, channel, i, base, base + length - 1);
		if (status != NV_OK)
			return status;
		addresses[i] = channel->ranges[i]->node.start;
	}
	return rm_uvm_channel_bind(channel->rm, addresses, count);
}

static enum nv_status channel_add(struct uvm_space *space, struct rm_file *file,
				  UVM_REGISTER_CHANNEL_PARAMS *p)
{
	struct rm_uvm_object object = { file, p->hClient, p->hChannel };
	struct uvm_gpu *gpu = uvm_gpu_find_with_space(space, &p->gpuUuid);
	struct uvm_channel *channel;
	enum nv_status status;

	if (!gpu)
		return NV_ERR_INVALID_DEVICE;
	if (channel_find(space, p->hClient, p->hChannel))
		return NV_ERR_INVALID_CHANNEL;
	channel = os_alloc(sizeof(*channel));
	if (!channel)
		return NV_ERR_NO_MEMORY;
	channel->gpu = gpu;
	channel->client = p->hClient;
	channel->handle = p->hChannel;
	status = rm_uvm_channel_get(gpu->space->rm, &object, &channel->rm, &channel->info);
	if (status != NV_OK) {
		os_free(channel);
		return status;
	}
	list_add_tail(&channel->node, &gpu->space->channels);
	/* Only channels with buffers need a place for them. */
	if (channel->info.resource_count && uvm_bad_range(p->base, p->length, UVM_PAGE_4K))
		status = NV_ERR_INVALID_ADDRESS;
	else
		status = channel_map_and_bind(space, channel, p->base, p->length);
	if (status != NV_OK) {
		/* What lacked room, and was not bound, is to be registered again. */
		if (!uvm_space_lacks(space))
			rm_uvm_channel_stop(channel->rm, true);
		channel_destroy(channel);
	}
	return status;
}

enum nv_status uvm_register_channel(struct uvm_file *file, void *params)
{
	UVM_REGISTER_CHANNEL_PARAMS *p = params;
	struct rm *rm = file->uvm->rm;
	struct rm_file *control = rm_uvm_file_get(rm, p->rmCtrlFd);
	struct uvm_space *space = file->space;
	enum nv_status status;

	os_mutex_lock(&space->lock);
	do
		status = channel_add(space, control, p);
	while (uvm_evict_retry(space, &status));
	os_mutex_unlock(&space->lock);
	rm_uvm_file_put(rm, control);
	return status;
}

enum nv_status uvm_unregister_channel(struct uvm_file *file, void *params)
{
	UVM_UNREGISTER_CHANNEL_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_channel *channel;

	os_mutex_lock(&space->lock);
	channel = channel_find(space, p->hClient, p->hChannel);
	if (channel) {
		rm_uvm_channel_stop(channel->rm, true);
		channel_destroy(channel);
	}
	os_mutex_unlock(&space->lock);
	return channel ? NV_OK : NV_ERR_INVALID_CHANNEL;
}

void uvm_channels_stop(struct uvm_gpu_space *gpu_space)
{
	struct uvm_channel *channel;

	list_for_each_entry (channel, &gpu_space->channels, node)
		rm_uvm_channel_stop(channel->rm, true);
}

void uvm_channels_remove(struct uvm_space *space, struct uvm_gpu_space *gpu_space)
{
	while (!list_empty(&gpu_space->channels))
		channel_destroy(
			list_entry(list_first(&gpu_space->channels), struct uvm_channel, node));
}
