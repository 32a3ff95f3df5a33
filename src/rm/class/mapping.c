// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Mappings of memory into processes: who has which, and what mmap of a file is to map. */
#include "rm/class/mapping.h"

#include "base/bits.h"
#include "base/range.h"
#include "rm/class/channel_object.h"
#include "rm/class/class.h"
#include "rm/file.h"
#include "rm/gpu/video.h"

struct cpu_mapping {
	struct list_node node;
	u64 address;   /* cookie, or where it is in the process */
	u64 bar_bytes; /* of video memory's BAR */
};

/* What of an object is mapped: its memory, or the USERD that the driver made for a channel. */
struct target {
	struct rm_backing *backing;
	u64 size; /* bytes from its beginning on */
	u32 attr, attr2;
	bool is_userd;
	struct list *mappings;
};

bool rm_cpu_can_map(const struct rm_object *object)
{
	return object->class->mappable || rm_channel_of(object);
}

static enum nv_status find_target(const struct rm_object *object, struct target *out)
{
	struct rm_channel *channel = rm_channel_of(object);
	struct rm_mappable *memory;

	os_memset(out, 0, sizeof(*out));
	if (channel) {
		if (!channel->own_userd)
			return NV_ERR_INVALID_REQUEST;
		out->backing = channel->userd;
		out->size = RM_USERD_BYTES;
		out->is_userd = true;
		out->mappings = &to_channel_object(object)->userd_mappings;
		return NV_OK;
	}
	if (!object->class->mappable)
		return NV_ERR_NOT_SUPPORTED;
	memory = to_mappable(object);
	out->backing = memory->backing;
	out->size = rm_backing_size(memory->backing);
	out->attr = memory->attr;
	out->attr2 = memory->attr2;
	out->mappings = &memory->mappings;
	return NV_OK;
}

/* -- What mmap maps ---------------------------------------------------------------------------- */

/* Pieces of the whole pages that hold the range. False: the BAR does not show all of it. */
static bool count_extents(const struct rm_backing *backing, struct range pages, u32 *count)
{
	struct rm_map_extent extent;
	u64 at;

	*count = 0;
	for (at = pages.start; at < pages.end; at += extent.size) {
		if (!rm_backing_extent(backing, at, &extent))
			return false;
		(*count)++;
	}
	return true;
}

static enum rm_map_cache cache_of(const struct target *target)
{
	if (target->is_userd)
		return RM_MAP_UNCACHED;
	switch (rm_backing_kind(target->backing)) {
	case RM_BACKING_VIDEO:
		return RM_MAP_WRITE_COMBINED;
	case RM_BACKING_BAR:
		return RM_MAP_UNCACHED;
	default:
		break;
	}
	switch (REG_GET(NVOS32_ATTR_COHERENCY, target->attr)) {
	case NVOS32_ATTR_COHERENCY_UNCACHED:
		return RM_MAP_UNCACHED;
	case NVOS32_ATTR_COHERENCY_WRITE_COMBINE:
		return RM_MAP_WRITE_COMBINED;
	default:
		return RM_MAP_CACHED;
	}
}

static enum nv_status mapping_new(const struct rm_cpu_map *map, const struct target *target,
				  bool writable, struct rm_mapping **out)
{
	struct rm_backing *backing = target->backing;
	struct range pages = { align_down(map->offset, OS_PAGE_SIZE),
			       align_up(map->offset + map->length, OS_PAGE_SIZE) };
	struct rm_mapping *mapping;
	enum nv_status status;
	u32 count, i;
	u64 at;

	pages.end = min(pages.end, rm_backing_size(backing));
	if (!count_extents(backing, pages, &count))
		return NV_ERR_NOT_SUPPORTED;
	mapping = os_alloc(sizeof(*mapping) + count * sizeof(mapping->extents[0]));
	if (!mapping)
		return NV_ERR_NO_MEMORY;
	/* Its memory is the GPU's as long as somebody uses the GPU. */
	status = rm_gpu_retain(rm_backing_gpu(backing));
	if (status != NV_OK) {
		os_free(mapping);
		return status;
	}
	for (at = pages.start, i = 0; i < count; at += mapping->extents[i].size, i++) {
		(void)rm_backing_extent(backing, at, &mapping->extents[i]);
		mapping->extents[i].size = min(mapping->extents[i].size, pages.end - at);
	}
	mapping->gpu = rm_backing_gpu(backing);
	mapping->pci = mapping->gpu->pci;
	mapping->writable = writable;
	mapping->cache = cache_of(target);
	mapping->client = map->memory->client->handle;
	mapping->size = range_size(pages);
	rm_backing_get(backing);
	mapping->memory = backing;
	mapping->references = 1;
	mapping->count = count;
	*out = mapping;
	return NV_OK;
}

void rm_mapping_put(struct rm_mapping *mapping)
{
	struct rm_gpu *gpu = mapping->gpu;

	if (os_fetch_sub(&mapping->references, 1) != 1)
		return;
	rm_backing_put(mapping->memory);
	os_free(mapping);
	rm_gpu_release(gpu);
}

/* Registers and video memory are mapped through the GPU's node, system memory through any. */
static enum nv_status prepare(struct rm_file *file, struct rm_mapping *mapping)
{
	enum nv_status status = NV_OK;

	if (!file || file->node == RM_NODE_CAP || (file->gpu && file->gpu != mapping->gpu) ||
	    (!file->gpu && mapping->extents[0].kind == RM_MAP_BAR))
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->rm->file_lock);
	if (file->mapping) {
		status = NV_ERR_STATE_IN_USE;
	} else {
		os_fetch_add(&mapping->references, 1);
		file->mapping = mapping;
	}
	os_mutex_unlock(&file->rm->file_lock);
	return status;
}

void rm_file_mapping_drop(struct rm_file *file)
{
	if (file->mapping)
		rm_mapping_put(file->mapping);
	file->mapping = NULL;
}

enum nv_status rm_file_mmap(struct rm_file *file, u64 offset, u64 size, bool write,
			    struct rm_mapping **out)
{
	enum nv_status status = NV_ERR_INVALID_ARGUMENT;
	struct rm_mapping *mapping;

	os_mutex_lock(&file->rm->file_lock);
	mapping = file->mapping;
	if (mapping && offset == 0 && size != 0 && is_aligned(size, OS_PAGE_SIZE) &&
	    (mapping->extents[0].kind == RM_MAP_BAR ? size == mapping->size
						    : size <= mapping->size)) {
		status = rm_gpu_is_lost(mapping->gpu) ? NV_ERR_GPU_IS_LOST : NV_OK;
	}
	if (status == NV_OK) {
		os_fetch_add(&mapping->references, 1);
		*out = mapping;
	}
	os_mutex_unlock(&file->rm->file_lock);
	return status;
}

/* -- What clients have mapped ------------------------------------------------------------------ */

static enum nv_status check(const struct rm_call *call, const struct rm_cpu_map *map,
			    const struct target *target, bool *writable)
{
	const struct rm_backing *backing = target->backing;
	u64 end;

	/* The process has that mapped already. */
	if (rm_backing_kind(backing) == RM_BACKING_PINNED)
		return NV_ERR_NOT_SUPPORTED;
	/* Protected: as r535, where neither BAR1 nor the bus is trusted. */
	if (rm_backing_kind(backing) == RM_BACKING_VIDEO &&
	    rm_video_is_closed(rm_backing_gpu(backing)))
		return NV_ERR_NOT_SUPPORTED;
	/* Nor has it any address of the CPU's. */
	if (rm_backing_kind(backing) == RM_BACKING_BUS)
		return NV_ERR_NOT_SUPPORTED;
	*writable = REG_GET(NVOS33_FLAGS_ACCESS, map->flags) != NVOS33_FLAGS_ACCESS_READ_ONLY;
	if (*writable && REG_GET(NVOS32_ATTR2_PROTECTION_USER, target->attr2) ==
				 NVOS32_ATTR2_PROTECTION_USER_READ_ONLY)
		return NV_ERR_INVALID_ARGUMENT;
	if (map->offset >= target->size)
		return NV_ERR_INVALID_BASE;
	if (map->length == 0)
		return NV_ERR_INVALID_LIMIT;
	if (REG_GET(NVOS33_FLAGS_SKIP_SIZE_CHECK, map->flags) ==
	    NVOS33_FLAGS_SKIP_SIZE_CHECK_ENABLE)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	if (add_overflows(map->offset, map->length, &end) || end > target->size)
		return NV_ERR_INVALID_LIMIT;
	if (map->device ? map->device->gpu != rm_backing_gpu(backing)
			: target->is_userd || !rm_backing_pages(backing))
		return NV_ERR_INVALID_OBJECT_PARENT;
	/* A process maps its own client's memory only. */
	if (map->memory->client->cred.pid != call->cred.pid)
		return NV_ERR_INVALID_CLIENT;
	return NV_OK;
}

/* What the mapping is called until it is mapped: the bus address of its first byte. */
static u64 cookie_of(const struct rm_backing *backing, u64 offset)
{
	struct rm_map_extent extent;
	enum rm_aperture aperture;
	u64 contiguous;

	if (rm_backing_pages(backing))
		return rm_backing_address(backing, offset, &aperture, &contiguous);
	(void)rm_backing_extent(backing, offset, &extent);
	return os_pci_bar_address(rm_backing_gpu(backing)->pci, extent.bar) + extent.offset;
}

static void account_bar(const struct target *target, u64 add, u64 remove)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(rm_backing_gpu(target->backing));

	os_mutex_lock(&objects->lock);
	objects->bar_mapped += add;
	objects->bar_mapped -= min(remove, objects->bar_mapped);
	os_mutex_unlock(&objects->lock);
}

enum nv_status rm_cpu_map(struct rm_call *call, const struct rm_cpu_map *asked, u64 *address)
{
	struct rm_mapping *prepared = NULL;
	struct rm_cpu_map map = *asked;
	struct cpu_mapping *mapping;
	struct target target;
	bool writable = false;
	enum nv_status status;

	if (REG_GET(NVOS33_FLAGS_ACCESS, map.flags) > NVOS33_FLAGS_ACCESS_WRITE_ONLY)
		return NV_ERR_INVALID_FLAGS;
	status = find_target(map.memory, &target);
	if (status != NV_OK)
		return status;
	if (target.is_userd &&
	    REG_GET(NVOS33_FLAGS_FIFO_MAPPING, map.flags) == NVOS33_FLAGS_FIFO_MAPPING_ENABLE) {
		map.offset = 0;
		map.length = target.size;
	}
	status = check(call, &map, &target, &writable);
	if (status != NV_OK)
		return status;
	mapping = os_alloc(sizeof(*mapping));
	if (!mapping)
		return NV_ERR_NO_MEMORY;
	status = mapping_new(&map, &target, writable, &prepared);
	if (status == NV_OK)
		status = prepare(map.file, prepared);
	if (status == NV_OK) {
		if (prepared->extents[0].kind == RM_MAP_BAR &&
		    prepared->extents[0].bar == RM_BAR_VIDEO)
			mapping->bar_bytes = prepared->size;
		mapping->address = cookie_of(target.backing, map.offset);
		*address = mapping->address;
		if (!target.mappings->root.next)
			list_init(target.mappings);
		list_add_tail(&mapping->node, target.mappings);
		account_bar(&target, mapping->bar_bytes, 0);
	} else {
		os_free(mapping);
	}
	if (prepared)
		rm_mapping_put(prepared);
	return status;
}

static struct cpu_mapping *mapping_find(const struct rm_object *object, u64 address,
					struct target *target)
{
	struct cpu_mapping *mapping;

	if (find_target(object, target) != NV_OK || !target->mappings->root.next)
		return NULL;
	list_for_each_entry (mapping, target->mappings, node) {
		if (mapping->address == address)
			return mapping;
	}
	return NULL;
}

static void mapping_drop(const struct target *target, struct cpu_mapping *mapping)
{
	account_bar(target, 0, mapping->bar_bytes);
	list_del(&mapping->node);
	os_free(mapping);
}

enum nv_status rm_cpu_unmap(struct rm_object *memory, u64 address)
{
	struct cpu_mapping *mapping;
	struct target target;

	mapping = mapping_find(memory, address, &target);
	if (!mapping)
		return NV_ERR_OBJECT_NOT_FOUND;
	mapping_drop(&target, mapping);
	return NV_OK;
}

enum nv_status rm_cpu_mapping_rename(struct rm_object *memory, u64 old, u64 address)
{
	struct cpu_mapping *mapping;
	struct target target;

	mapping = mapping_find(memory, old, &target);
	if (!mapping)
		return NV_ERR_OBJECT_NOT_FOUND;
	mapping->address = address;
	return NV_OK;
}

void rm_cpu_mappings_drop(const struct rm_object *object)
{
	struct cpu_mapping *mapping, *next;
	struct target target;

	if (find_target(object, &target) != NV_OK || !target.mappings->root.next)
		return;
	list_for_each_entry_safe (mapping, next, target.mappings, node)
		mapping_drop(&target, mapping);
}
