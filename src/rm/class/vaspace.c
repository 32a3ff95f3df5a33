// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class FERMI_VASPACE_A, and the spaces behind its objects. The firmware has a twin of each object;
 * of a space that is managed here it is told the upper page directories, of another one the root
 * that UVM sets.
 */
#include "rm/class/vaspace.h"

#include "base/bits.h"
#include "base/range.h"
#include "rm/api/api.h"
#include "rm/class/class.h"
#include "rm/gpu/page_table.h"
#include "rm/gpu/tlb.h"
#include "rm/gpu/video.h"
#include "rm/gsp/rpc.h"

/* Page 0 is nobody's: what lies at NULL faults. */
#define FIRST_ADDRESS KIB(4)
#define LAST_ADDRESS (BIT64(PAGE_TABLE_VA_BITS) - 1)
#define BIG_PAGE_64K KIB(64)
#define BIG_PAGE_128K KIB(128)

struct rm_vaspace {
	u32 references;	    /* atomic */
	struct rm_gpu *gpu; /* referenced */
	u32 flags, handle;
	u64 first, last;
	bool external;
	struct list channels;	 /* rm_fifo.lock: struct rm_channel, not freed */
	bool paused;		 /* likewise: they stand still */
	struct os_mutex lock;	 /* LOCK_RANK_VASPACE: all below */
	struct extents free;	 /* managed here */
	struct page_table table; /* managed here */
	bool set;		 /* owned elsewhere: root is set */
	enum rm_aperture aperture;
	u64 root;
};

struct vaspace_object {
	struct rm_object object;
	struct rm_vaspace *space;
	bool is_default; /* of its device */
	bool told;	 /* the firmware has the root that is set, for this object */
};

static struct vaspace_object *to_vaspace(const struct rm_object *object)
{
	return container_of(object, struct vaspace_object, object);
}

/* -- Spaces ------------------------------------------------------------------------------------ */

struct list *rm_vaspace_channels(struct rm_vaspace *space)
{
	return &space->channels;
}

bool rm_vaspace_is_paused(const struct rm_vaspace *space)
{
	return space->paused;
}

void rm_vaspace_set_paused(struct rm_vaspace *space, bool paused)
{
	space->paused = paused;
}

static void space_free(struct rm_vaspace *space)
{
	if (!space->external) {
		/* Where that fails, the tables' memory is kept. */
		if (space->table.root)
			(void)rm_tlb_invalidate_root(space->gpu, true,
						     page_table_address(&space->table));
		page_table_destroy(&space->table);
		extents_fini(&space->free);
	}
	os_mutex_destroy(&space->lock);
	rm_gpu_put(space->gpu);
	os_free(space);
}

/* All of first .. last but the firmware's part. */
static enum nv_status fill_ranges(struct rm_vaspace *space)
{
	const u64 start = RM_VASPACE_SERVER_START, size = RM_VASPACE_SERVER_SIZE;
	enum nv_status status = NV_OK;

	if (space->first < start)
		status = extents_add(&space->free, space->first,
				     min(space->last, start - 1) - space->first + 1);
	if (status == NV_OK && space->last >= start + size) {
		u64 from = max(space->first, start + size);

		status = extents_add(&space->free, from, space->last - from + 1);
	}
	return status;
}

static enum nv_status space_new(struct rm_gpu *gpu, const NV_VASPACE_ALLOCATION_PARAMETERS *p,
				struct rm_vaspace **out)
{
	struct rm_vaspace *space = os_alloc(sizeof(*space));
	enum nv_status status;

	if (!space)
		return NV_ERR_NO_MEMORY;
	status = os_mutex_init(&space->lock, LOCK_RANK_VASPACE, "rm VA space");
	if (status != NV_OK) {
		os_free(space);
		return status;
	}
	space->references = 1;
	space->gpu = gpu;
	rm_gpu_get(gpu);
	space->flags = p->flags;
	space->external = p->flags & RM_VASPACE_EXTERNALLY_OWNED;
	list_init(&space->channels);
	space->first = max((u64)p->vaBase, FIRST_ADDRESS);
	space->last = LAST_ADDRESS;
	if (p->vaSize)
		space->last = min(space->last, space->first + (p->vaSize - 1));
	if (!space->external) {
		extents_init(&space->free);
		status = page_table_create(&space->table, gpu);
		if (status == NV_OK)
			status = fill_ranges(space);
	}
	if (status != NV_OK)
		space_free(space);
	else
		*out = space;
	return status;
}

void rm_vaspace_get(struct rm_vaspace *space)
{
	os_fetch_add(&space->references, 1);
}

void rm_vaspace_put(struct rm_vaspace *space)
{
	if (space && os_fetch_sub(&space->references, 1) == 1)
		space_free(space);
}

struct rm_gpu *rm_vaspace_gpu(const struct rm_vaspace *space)
{
	return space->gpu;
}

bool rm_vaspace_is_external(const struct rm_vaspace *space)
{
	return space->external;
}

u32 rm_vaspace_handle(const struct rm_vaspace *space)
{
	return space->handle;
}

u32 rm_vaspace_flags(const struct rm_vaspace *space)
{
	return space->flags;
}

void rm_vaspace_limits(const struct rm_vaspace *space, u64 *first, u64 *last)
{
	*first = space->first;
	*last = space->last;
}

bool rm_vaspace_page_directory(struct rm_vaspace *space, enum rm_aperture *aperture, u64 *address)
{
	bool set = true;

	if (!space->external) {
		*aperture = RM_APERTURE_VIDEO;
		*address = page_table_address(&space->table);
		return true;
	}
	os_mutex_lock(&space->lock);
	set = space->set;
	*aperture = space->aperture;
	*address = space->root;
	os_mutex_unlock(&space->lock);
	return set;
}

/* -- Ranges ------------------------------------------------------------------------------------ */

enum nv_status rm_vaspace_reserve(struct rm_vaspace *space, const struct rm_vaspace_request *r,
				  struct extent **range)
{
	enum nv_status status;

	if (space->external)
		return NV_ERR_INVALID_OPERATION;
	if (!r->size || !is_aligned(r->size, OS_PAGE_SIZE) || !is_power_of_2(r->align))
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&space->lock);
	status = extents_take(&space->free, r->size, max(r->align, (u64)OS_PAGE_SIZE), r->lo, r->hi,
			      r->high, range);
	os_mutex_unlock(&space->lock);
	return status;
}

void rm_vaspace_release(struct rm_vaspace *space, struct extent *range)
{
	os_mutex_lock(&space->lock);
	extents_give(&space->free, range);
	os_mutex_unlock(&space->lock);
}

/* -- Mapping ----------------------------------------------------------------------------------- */

static bool is_page_size(u64 size)
{
	return size == KIB(4) || size == KIB(64) || size == MIB(2) || size == MIB(512);
}

/* Whether the memory can be mapped with pages of that size all along. */
static bool memory_fits(const struct rm_vaspace_map *m)
{
	u64 at, address, contiguous;
	enum rm_aperture aperture;

	if (!is_page_size(m->page_size) || !m->size ||
	    !is_aligned(m->va | m->size | m->offset, m->page_size) ||
	    !range_fits(m->offset, m->size, rm_backing_size(m->backing)) ||
	    rm_backing_kind(m->backing) == RM_BACKING_BAR)
		return false;
	if (m->page_size == KIB(4))
		return true;
	for (at = 0; at < m->size; at += contiguous) {
		address = rm_backing_address(m->backing, m->offset + at, &aperture, &contiguous);
		contiguous = align_down(min(contiguous, m->size - at), m->page_size);
		if (!contiguous || !is_aligned(address, m->page_size))
			return false;
	}
	return true;
}

/* The permissions are bits of PCF, save that those of invalid entries are numbered among them. */
static u64 pte_flags(const struct rm_vaspace_map *m, enum rm_aperture aperture)
{
	u32 pcf = NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_CACHED_ACD;

	if (m->gpu_uncached)
		pcf |= NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_UNCACHED_ACE;
	if (m->privileged)
		pcf |= NV_MMU_VER3_PTE_PCF_PRIVILEGE_RW_ATOMIC_CACHED_ACE;
	if (m->read_only)
		pcf |= NV_MMU_VER3_PTE_PCF_REGULAR_RO_ATOMIC_CACHED_ACE;
	if (m->atomics_off)
		pcf |= NV_MMU_VER3_PTE_PCF_REGULAR_RW_NO_ATOMIC_CACHED_ACE;
	return REG_PREP(NV_MMU_VER3_PTE_VALID, NV_MMU_VER3_PTE_VALID_TRUE) |
	       REG_PREP(NV_MMU_VER3_PTE_APERTURE, aperture) | REG_PREP(NV_MMU_VER3_PTE_PCF, pcf) |
	       REG_PREP(NV_MMU_VER3_PTE_KIND, m->kind);
}

static void write_pages(struct rm_vaspace *space, const struct rm_vaspace_map *m)
{
	u64 at, address, contiguous, end;
	enum rm_aperture aperture;

	for (at = 0; at < m->size;) {
		address = rm_backing_address(m->backing, m->offset + at, &aperture, &contiguous);
		end = at + min(contiguous, m->size - at);
		for (; at < end; at += m->page_size, address += m->page_size)
			page_table_write(&space->table, m->va + at, m->page_size,
					 pte_flags(m, aperture) |
						 (address & REG_MASK(NV_MMU_VER3_PTE_ADDRESS_SYS)));
	}
}

/* A change of page tables, from taking the space's lock on. */
struct change {
	struct rm_call hold;
	struct list dead; /* tables that nothing walks any more */
};

static void change_begin(struct rm_vaspace *space, struct change *c)
{
	list_init(&c->dead);
	rm_video_hold(space->gpu, &c->hold);
	os_mutex_lock(&space->lock);
}

static void change_end(struct rm_vaspace *space, struct change *c)
{
	os_mutex_unlock(&space->lock);
	rm_video_release(space->gpu, &c->hold);
	page_table_reap(&c->dead);
}

/* Space's lock held. What is out of the tree stays where the GPU may still walk it. */
static enum nv_status flush(struct rm_vaspace *space, struct change *c)
{
	enum nv_status status;

	rm_video_flush(space->gpu);
	status = rm_tlb_invalidate_root(space->gpu, true, page_table_address(&space->table));
	if (status == NV_OK || status == NV_ERR_GPU_IS_LOST)
		page_table_take_dead(&space->table, &c->dead);
	return status;
}

static bool range_ok(const struct rm_vaspace *space, u64 va, u64 size)
{
	return size && is_aligned(va | size, OS_PAGE_SIZE) &&
	       range_fits(va, size, LAST_ADDRESS + 1) && va >= space->first &&
	       va + (size - 1) <= space->last;
}

enum nv_status rm_vaspace_map(struct rm_vaspace *space, const struct rm_vaspace_map *m)
{
	enum nv_status status;
	struct change change;

	if (space->external)
		return NV_ERR_INVALID_OPERATION;
	if (!range_ok(space, m->va, m->size) || !memory_fits(m))
		return NV_ERR_INVALID_ARGUMENT;
	change_begin(space, &change);
	status = page_table_prepare(&space->table, m->va, m->size, m->page_size);
	if (status == NV_OK)
		write_pages(space, m);
	else
		page_table_prune(&space->table, m->va, m->size);
	if (status == NV_OK)
		status = flush(space, &change);
	else
		(void)flush(space, &change);
	/* The GPU may know entries that are to be none: out they go, and it is not asked again. */
	if (status == NV_ERR_TIMEOUT) {
		page_table_clear(&space->table, m->va, m->size);
		page_table_prune(&space->table, m->va, m->size);
	}
	change_end(space, &change);
	return status;
}

/* The largest page that begins at the address and ends by the end. */
static u64 sparse_page(u64 at, u64 end)
{
	static const u64 sizes[] = { BIT64(NV_MMU_VER3_LEVEL_PDE3__LO),
				     BIT64(NV_MMU_VER3_LEVEL_PDE2__LO), MIB(512), MIB(2), KIB(64) };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (is_aligned(at, sizes[i]) && end - at >= sizes[i])
			return sizes[i];
	return KIB(4);
}

static enum nv_status sparse_prepare(struct rm_vaspace *space, u64 va, u64 size)
{
	enum nv_status status = NV_OK;
	u64 at, page;

	for (at = va; at < va + size && status == NV_OK; at += page) {
		page = sparse_page(at, va + size);
		status = page_table_prepare(&space->table, at, page, page);
	}
	return status;
}

static void sparse_write(struct rm_vaspace *space, u64 va, u64 size)
{
	u64 at, page;

	for (at = va; at < va + size; at += page) {
		page = sparse_page(at, va + size);
		page_table_write(&space->table, at, page, page_table_sparse_entry(page));
	}
}

enum nv_status rm_vaspace_unmap(struct rm_vaspace *space, u64 va, u64 size, bool sparse)
{
	enum nv_status status = NV_OK;
	struct change change;

	if (space->external)
		return NV_ERR_INVALID_OPERATION;
	if (!range_ok(space, va, size))
		return NV_ERR_INVALID_ARGUMENT;
	change_begin(space, &change);
	if (sparse)
		status = sparse_prepare(space, va, size);
	if (status == NV_OK)
		page_table_clear(&space->table, va, size);
	if (status == NV_OK && sparse)
		sparse_write(space, va, size);
	page_table_prune(&space->table, va, size);
	if (status == NV_OK)
		status = flush(space, &change);
	else
		(void)flush(space, &change);
	change_end(space, &change);
	return status;
}

enum nv_status rm_tlb_invalidate(struct rm_gpu *gpu, enum rm_aperture aperture, u64 address)
{
	return rm_tlb_invalidate_root(gpu, aperture == RM_APERTURE_VIDEO, address);
}

/* -- What the firmware is told ----------------------------------------------------------------- */

/* The upper directories on the way to the firmware's part, which it fills from there on. */
static enum nv_status tell_directories(struct rm_object *object, struct rm_vaspace *space)
{
	NV90F1_CTRL_VASPACE_COPY_SERVER_RESERVED_PDES_PARAMS *p;
	struct page_table_level levels[PAGE_TABLE_UPPER_LEVELS];
	struct change change;
	enum nv_status status;
	u32 i;

	p = os_alloc(sizeof(*p));
	if (!p)
		return NV_ERR_NO_MEMORY;
	change_begin(space, &change);
	status = page_table_pin_upper(&space->table, RM_VASPACE_SERVER_START, levels);
	change_end(space, &change);
	p->pageSize = RM_VASPACE_SERVER_SIZE; /* of the last level's entries */
	p->virtAddrLo = RM_VASPACE_SERVER_START;
	p->virtAddrHi = RM_VASPACE_SERVER_START + RM_VASPACE_SERVER_SIZE - 1;
	p->numLevelsToCopy = PAGE_TABLE_UPPER_LEVELS;
	for (i = 0; i < PAGE_TABLE_UPPER_LEVELS && status == NV_OK; i++) {
		p->levels[i].physAddress = levels[i].address;
		p->levels[i].size = levels[i].size;
		p->levels[i].aperture = NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY;
		p->levels[i].pageShift = levels[i].shift;
	}
	if (status == NV_OK)
		status = gsp_rpc_control(object->gpu, object->client->handle, object->handle,
					 NV90F1_CTRL_CMD_VASPACE_COPY_SERVER_RESERVED_PDES, p,
					 sizeof(*p));
	os_free(p);
	return status;
}

/* NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_*; it counts for all channels of the space. */
static u32 directory_flags(enum rm_aperture aperture)
{
	u32 where = NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE_SYSMEM_NONCOH;

	if (aperture == RM_APERTURE_VIDEO)
		where = NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE_VIDMEM;
	else if (aperture == RM_APERTURE_SYSTEM_COHERENT)
		where = NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE_SYSMEM_COH;
	return (u32)(REG_PREP(NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE, where) |
		     REG_PREP(NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_ALL_CHANNELS, 1));
}

enum nv_status rm_vaspace_set_page_directory(struct rm_call *call, struct rm_object *object,
					     u64 address, enum rm_aperture aperture, u32 entries)
{
	struct vaspace_object *api = to_vaspace(object);
	struct rm_vaspace *space = api->space;
	struct rm_object *device = rm_object_ancestor(object, ABI_ICLASS_Device);
	NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_PARAMS p = {
		.physAddress = address,
		.numEntries = entries,
		.flags = directory_flags(aperture),
		.hVASpace = object->handle,
		.pasid = ~0u,
	};
	enum nv_status status = NV_OK;

	if (!space->external)
		return NV_ERR_INVALID_OPERATION;
	rm_call_lock_gpu(call, object->gpu);
	os_mutex_lock(&space->lock);
	if (space->set) {
		status = NV_ERR_IN_USE;
	} else {
		space->set = true;
		space->aperture = aperture;
		space->root = address;
	}
	os_mutex_unlock(&space->lock);
	if (status != NV_OK)
		return status;
	status = gsp_rpc_control(object->gpu, object->client->handle, device->handle,
				 NV0080_CTRL_CMD_DMA_SET_PAGE_DIRECTORY, &p, sizeof(p));
	api->told = status == NV_OK;
	if (status != NV_OK) {
		os_mutex_lock(&space->lock);
		space->set = false;
		os_mutex_unlock(&space->lock);
	}
	return status;
}

enum nv_status rm_vaspace_unset_page_directory(struct rm_call *call, struct rm_object *object)
{
	struct vaspace_object *api = to_vaspace(object);
	struct rm_object *device = rm_object_ancestor(object, ABI_ICLASS_Device);
	NV0080_CTRL_DMA_UNSET_PAGE_DIRECTORY_PARAMS p = { .hVASpace = object->handle };
	enum nv_status status;

	if (!api->told)
		return NV_OK;
	rm_call_lock_gpu(call, object->gpu);
	status = gsp_rpc_control(object->gpu, object->client->handle, device->handle,
				 NV0080_CTRL_CMD_DMA_UNSET_PAGE_DIRECTORY, &p, sizeof(p));
	api->told = false;
	os_mutex_lock(&api->space->lock);
	api->space->set = false;
	os_mutex_unlock(&api->space->lock);
	return status;
}

/* -- Objects ----------------------------------------------------------------------------------- */

struct rm_vaspace *rm_vaspace_of(const struct rm_object *object)
{
	return object->class == &rm_class_vaspace ? to_vaspace(object)->space : NULL;
}

static struct rm_object *default_of(const struct rm_object *device)
{
	struct rm_object *child;

	list_for_each_entry (child, &device->children, sibling) {
		if (child->class == &rm_class_vaspace && !(child->flags & RM_OBJECT_DEAD) &&
		    to_vaspace(child)->is_default)
			return child;
	}
	return NULL;
}

/* A device's default space comes to be: the firmware means it too by no handle. */
static enum nv_status make_default(struct rm_object *device, struct rm_object **out)
{
	NV_VASPACE_ALLOCATION_PARAMETERS params = { .index = NV_VASPACE_ALLOCATION_INDEX_GPU_NEW };
	NV0080_CTRL_DMA_SET_DEFAULT_VASPACE_PARAMS told = { 0 };
	struct rm *rm = device->gpu->rm;
	u32 client = device->client->handle;
	enum nv_status status;

	status = rm_kernel_alloc(rm, client, device->handle, &told.hVASpace, FERMI_VASPACE_A,
				 &params, sizeof(params));
	if (status != NV_OK)
		return status;
	status = gsp_rpc_control(device->gpu, client, device->handle,
				 NV0080_CTRL_DMA_SET_DEFAULT_VASPACE, &told, sizeof(told));
	if (status == NV_OK)
		status = rm_object_find(device->client, told.hVASpace, out);
	if (status == NV_OK)
		to_vaspace(*out)->is_default = true;
	else
		rm_kernel_free(rm, client, told.hVASpace);
	return status;
}

enum nv_status rm_vaspace_find(struct rm_object *device, u32 handle, struct rm_vaspace **out)
{
	struct rm_object *object;
	enum nv_status status;

	device = rm_object_ancestor(device, ABI_ICLASS_Device);
	if (!device)
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (handle) {
		status = rm_object_find(device->client, handle, &object);
		if (status == NV_OK && object->class != &rm_class_vaspace)
			status = NV_ERR_INVALID_OBJECT_HANDLE;
		if (status == NV_OK && (object->flags & RM_OBJECT_DEAD))
			status = NV_ERR_RESOURCE_LOST;
		if (status == NV_OK && object->gpu != device->gpu)
			status = NV_ERR_INVALID_OBJECT_PARENT;
		if (status != NV_OK)
			return status;
	} else {
		object = default_of(device);
	}
	if (!object) {
		status = make_default(device, &object);
		if (status != NV_OK)
			return status;
	}
	*out = to_vaspace(object)->space;
	rm_vaspace_get(*out);
	return NV_OK;
}

static enum nv_status check_params(const NV_VASPACE_ALLOCATION_PARAMETERS *p)
{
	if (p->flags & ~RM_VASPACE_ALL_FLAGS)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->flags & RM_VASPACE_ENABLE_ATS)
		return NV_ERR_NOT_SUPPORTED;
	if (p->bigPageSize && p->bigPageSize != BIG_PAGE_64K && p->bigPageSize != BIG_PAGE_128K)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->vaBase > LAST_ADDRESS || p->vaSize > LAST_ADDRESS + 1 - p->vaBase ||
	    !is_aligned(p->vaBase | p->vaSize, OS_PAGE_SIZE) ||
	    (p->vaSize && p->vaBase + p->vaSize <= FIRST_ADDRESS))
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

static enum nv_status vaspace_construct(struct rm_call *call, struct rm_object *object,
					void *params, u32 params_size)
{
	NV_VASPACE_ALLOCATION_PARAMETERS *p = params;
	struct vaspace_object *api = to_vaspace(object);
	enum nv_status status;

	if (p->index == NV_VASPACE_ALLOCATION_INDEX_GPU_DEVICE) {
		status = rm_vaspace_find(object->parent, 0, &api->space);
		if (status != NV_OK)
			return status;
	} else if (p->index != NV_VASPACE_ALLOCATION_INDEX_GPU_NEW) {
		/* The host's is the driver's, and others there are none. */
		return p->index == NV_VASPACE_ALLOCATION_INDEX_GPU_HOST ? NV_ERR_INVALID_ARGUMENT
									: NV_ERR_INVALID_STATE;
	} else {
		status = check_params(p);
		if (status == NV_OK)
			status = space_new(object->gpu, p, &api->space);
		if (status != NV_OK)
			return status;
		api->space->handle = object->handle;
	}
	p->vaBase = api->space->first;
	p->vaSize = api->space->last - api->space->first + 1;
	p->bigPageSize = BIG_PAGE_64K;
	return NV_OK;
}

static enum nv_status vaspace_constructed(struct rm_call *call, struct rm_object *object)
{
	struct rm_vaspace *space = to_vaspace(object)->space;

	return space->external ? NV_OK : tell_directories(object, space);
}

/*
 * Twins of one space share the root: with this one the firmware would forget who set it, while
 * channels of a duplicate walk on in page tables that UVM frees.
 */
static void vaspace_ending(struct rm_call *call, struct rm_object *object)
{
	(void)rm_vaspace_unset_page_directory(call, object);
}

static void vaspace_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_vaspace_put(to_vaspace(object)->space);
}

static enum nv_status vaspace_duplicate(struct rm_call *call, struct rm_object *copy,
					const struct rm_object *source)
{
	if (copy->gpu != source->gpu)
		return NV_ERR_INVALID_OBJECT_PARENT;
	to_vaspace(copy)->space = to_vaspace(source)->space;
	rm_vaspace_get(to_vaspace(copy)->space);
	return NV_OK;
}

const struct rm_class rm_class_vaspace = {
	.iclass = ABI_ICLASS_VaSpaceApi,
	.object_size = sizeof(struct vaspace_object),
	.construct = vaspace_construct,
	.constructed = vaspace_constructed,
	.ending = vaspace_ending,
	.destruct = vaspace_destruct,
	.duplicate = vaspace_duplicate,
	.mirrored = true,
};
