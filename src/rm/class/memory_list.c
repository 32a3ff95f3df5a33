// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes NV01_MEMORY_LIST_SYSTEM, _FBMEM and _OBJECT (MemoryList): memory made of pages that an
 * administrator lists by number, of the bus, of video memory, or of another object of the client's.
 * The pages stay whosever they are, and whoever frees them takes them away under the list; only the
 * pages of an object are kept for it.
 */
#include "base/bits.h"
#include "rm/class/class.h"
#include "rm/class/memory.h"
#include "rm/class/memory_control.h"

#define PAGE KIB(4)
/* Flags that choose a place, which is chosen here. */
#define PLACING                                                                          \
	(NVOS32_ALLOC_FLAGS_TURBO_CIPHER_ENCRYPTED | NVOS32_ALLOC_FLAGS_ALIGNMENT_HINT | \
	 NVOS32_ALLOC_FLAGS_ALIGNMENT_FORCE | NVOS32_ALLOC_FLAGS_BANK_FORCE)

struct listing {
	const NV_MEMORY_LIST_ALLOCATION_PARAMS *p;
	u64 bytes;		   /* of the memory, whole pages */
	bool contiguous;	   /* one number for all of them */
	struct rm_backing_list to; /* as many parts as there are numbers */
	u64 *addresses;		   /* of those; to be freed */
};

/* -- What is asked for --------------------------------------------------------------------------
 */

/* The numbers that are listed are the driver's copy (NV_MEMORY_LIST_ALLOCATION_PARAMS in abi/). */
static const u64 *numbers_of(const struct listing *list)
{
	return (const u64 *)(uintptr_t)list->p->pageNumberList;
}

/* Whose object it may be of: another client's is not looked at. */
static enum nv_status check_client(const struct rm_call *call,
				   const NV_MEMORY_LIST_ALLOCATION_PARAMS *p)
{
	if (!p->hClient)
		return p->hParent ? NV_ERR_INVALID_OBJECT_PARENT : NV_OK;
	return p->hClient == call->client->handle ? NV_OK : NV_ERR_NOT_SUPPORTED;
}

/* What all three check, in the interface's order. */
static enum nv_status check(const struct rm_call *call, const struct rm_object *object,
			    const NV_MEMORY_LIST_ALLOCATION_PARAMS *p)
{
	enum nv_status status = check_client(call, p);

	if (status != NV_OK)
		return status;
	if ((object->class_id == NV01_MEMORY_LIST_OBJECT) != (p->hObject != 0) || p->reserved_0 ||
	    p->pteAdjust >= PAGE)
		return NV_ERR_INVALID_ARGUMENT;
	return p->flags & NVOS32_ALLOC_FLAGS_VIRTUAL ? NV_ERR_NOT_SUPPORTED : NV_OK;
}

/* Each page of the memory has a number, or the first one alone. */
static enum nv_status count_parts(struct listing *list)
{
	const NV_MEMORY_LIST_ALLOCATION_PARAMS *p = list->p;

	if (p->limit == ~(u64)0 || !align_up_ok(p->limit + 1, PAGE))
		return NV_ERR_INVALID_ARGUMENT;
	list->bytes = align_up(p->limit + 1, PAGE);
	list->to.size = list->contiguous ? list->bytes : PAGE;
	list->to.count = list->bytes / list->to.size;
	return p->pageCount == list->to.count ? NV_OK : NV_ERR_INVALID_ARGUMENT;
}

/* -- Where the pages lie ------------------------------------------------------------------------
 */

/* Up to the end of what video memory the firmware leaves to the driver. */
static enum nv_status video_end(struct rm_gpu *gpu, u64 *end)
{
	struct rm_gpu_objects *objects;
	enum nv_status status;
	u32 i;

	status = rm_gpu_heap(gpu, &objects);
	if (status != NV_OK)
		return status;
	*end = 0;
	os_mutex_lock(&objects->lock);
	for (i = 0; i < objects->heap.range_count; i++)
		*end = max(*end, objects->heap.ranges[i].base + objects->heap.ranges[i].size);
	os_mutex_unlock(&objects->lock);
	return NV_OK;
}

/* In the object whose pages they are. */
static enum nv_status find_in_object(const struct listing *list, u64 offset, u64 *address)
{
	enum rm_aperture aperture;
	u64 contiguous;

	*address = rm_backing_address(list->to.of, offset, &aperture, &contiguous);
	return contiguous >= list->to.size ? NV_OK : NV_ERR_INVALID_ARGUMENT;
}

/* The numbers are of pages below end: of video memory, or of the object's. */
static enum nv_status find_parts(struct listing *list, u64 end)
{
	enum nv_status status = NV_OK;
	u64 i, number;

	for (i = 0; i < list->to.count && status == NV_OK; i++) {
		number = numbers_of(list)[i];
		if (number >= end / PAGE || list->to.size > end - number * PAGE)
			return list->contiguous ? NV_ERR_INVALID_ARGUMENT : NV_ERR_BUFFER_TOO_SMALL;
		list->addresses[i] = number * PAGE;
		if (list->to.of)
			status = find_in_object(list, number * PAGE, &list->addresses[i]);
	}
	return status;
}

static enum nv_status check_video(const NV_MEMORY_LIST_ALLOCATION_PARAMS *p)
{
	if (p->type >= NVOS32_NUM_MEM_TYPES ||
	    REG_GET(NVOS32_ATTR_LOCATION, p->attr) != NVOS32_ATTR_LOCATION_VIDMEM ||
	    (p->flags & PLACING))
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

/* The object whose pages are listed has to be video memory of this GPU. */
static enum nv_status find_object(struct rm_call *call, struct listing *list, struct rm_gpu *gpu,
				  u64 *end)
{
	struct rm_backing *backing;
	struct rm_object *object;
	enum nv_status status;

	status = rm_object_find(call->client, list->p->hObject, &object);
	if (status != NV_OK)
		return status;
	if (object->flags & RM_OBJECT_DEAD)
		return NV_ERR_RESOURCE_LOST;
	backing = rm_memory_backing(object);
	if (!backing)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	if (rm_backing_gpu(backing) != gpu)
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (rm_backing_kind(backing) == RM_BACKING_BAR)
		return NV_ERR_INVALID_OBJECT;
	if (rm_backing_kind(backing) != RM_BACKING_VIDEO)
		return NV_ERR_NOT_SUPPORTED;
	list->to.of = backing;
	*end = rm_backing_size(backing);
	return NV_OK;
}

static enum nv_status video_parts(struct rm_call *call, struct listing *list,
				  struct rm_object *object)
{
	enum nv_status status;
	u64 end;

	if (object->class_id == NV01_MEMORY_LIST_OBJECT)
		status = find_object(call, list, object->gpu, &end);
	else
		status = video_end(object->gpu, &end);
	if (status == NV_OK)
		status = check_video(list->p);
	return status == NV_OK ? find_parts(list, end) : status;
}

/* Any address that a page table can hold: what lies there, or nothing, is for the GPU to find out.
 */
static enum nv_status bus_parts(struct listing *list)
{
	u64 i;

	for (i = 0; i < list->to.count; i++) {
		if (numbers_of(list)[i] > REG_MASK(NV_MMU_VER3_PTE_ADDRESS_SYS) / PAGE)
			return NV_ERR_INVALID_ARGUMENT;
		list->addresses[i] = numbers_of(list)[i] * PAGE;
	}
	return NV_OK;
}

/* -- The object ---------------------------------------------------------------------------------
 */

static void finish(struct rm_mappable *memory, const struct listing *list)
{
	const NV_MEMORY_LIST_ALLOCATION_PARAMS *p = list->p;

	memory->attr = p->attr;
	memory->attr2 = p->attr2;
	if (!list->to.video)
		memory->attr = (u32)REG_SET(NVOS32_ATTR_LOCATION, memory->attr,
					    (u64)NVOS32_ATTR_LOCATION_PCI);
	memory->flags = p->flags;
	memory->type = p->type;
}

static enum nv_status list_construct(struct rm_call *call, struct rm_object *object, void *params,
				     u32 params_size)
{
	struct listing list = { .p = params };
	struct rm_mappable *memory = to_mappable(object);
	enum nv_status status;

	list.to.video = object->class_id != NV01_MEMORY_LIST_SYSTEM;
	list.contiguous = REG_GET(NVOS02_FLAGS_PHYSICALITY, list.p->flagsOs02) ==
			  NVOS02_FLAGS_PHYSICALITY_CONTIGUOUS;
	status = check(call, object, list.p);
	if (status != NV_OK)
		return status;
	if (list.p->pteAdjust || (!list.to.video && list.contiguous))
		return NV_ERR_NOT_SUPPORTED;
	status = count_parts(&list);
	if (status != NV_OK)
		return status;
	list.addresses = os_alloc(list.to.count * sizeof(list.addresses[0]));
	if (!list.addresses)
		return NV_ERR_NO_MEMORY;
	list.to.addresses = list.addresses;
	status = list.to.video ? video_parts(call, &list, object) : bus_parts(&list);
	if (status == NV_OK)
		status = rm_backing_of_list(object->gpu, &list.to, &memory->backing);
	os_free(list.addresses);
	if (status == NV_OK)
		finish(memory, &list);
	return status;
}

static void list_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_mappable_fini(to_mappable(object));
}

const struct rm_class rm_class_memory_list = {
	.iclass = ABI_ICLASS_MemoryList,
	.object_size = sizeof(struct rm_mappable),
	.construct = list_construct,
	.destruct = list_destruct,
	.duplicate = rm_memory_duplicate,
	.controls = rm_memory_controls,
	.control_count = RM_MEMORY_CONTROLS,
	.mappable = true,
};
