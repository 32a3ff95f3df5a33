// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Chunks of video memory, and the roots that they are taken of (uvm/chunk.h). */
#include "uvm/chunk.h"

#include "base/bitmap.h"
#include "uvm/internal.h"

#define UNIT_PAGES ((u32)(UVM_CHUNK_UNIT / OS_PAGE_SIZE))
#define UNIT_BITS ((u64)BIT32(UNIT_PAGES) - 1)
#define UNITS (UVM_ROOT_PAGES / UNIT_PAGES)

_Static_assert(64 % UNIT_PAGES == 0, "a unit's bits are in one word");

void uvm_chunks_init(struct uvm_chunks *chunks, struct rm_gpu *gpu)
{
	u32 kind, room;

	chunks->gpu = gpu;
	os_spinlock_init(&chunks->lock, "uvm chunks");
	list_init(&chunks->roots);
	list_init(&chunks->unused);
	list_init(&chunks->used);
	for (kind = 0; kind < UVM_CHUNK_KINDS; kind++) {
		for (room = 0; room < UVM_CHUNK_ROOMS; room++)
			list_init(&chunks->free[kind][room]);
	}
}

void uvm_chunks_fini(struct uvm_chunks *chunks)
{
	OS_BUG_ON(chunks->gpu && !list_empty(&chunks->roots));
}

/* -- Pages of a root: the lock of its chunks -----------------------------------------------------
 */

static u64 unit_bits(const u64 *map, u32 unit)
{
	u32 page = unit * UNIT_PAGES;

	return map[page / 64] >> page % 64 & UNIT_BITS;
}

/* The first page of a free piece of that many. */
static bool pages_find(const struct uvm_root *root, u32 pages, u32 *first)
{
	u32 unit, found = UNITS;

	if (pages == UVM_ROOT_PAGES) {
		*first = 0;
		return bitmap_find_set(root->taken, UVM_ROOT_PAGES, 0) == BITMAP_NONE;
	}
	for (unit = 0; unit < UNITS; unit++) {
		u64 bits = unit_bits(root->taken, unit);

		if (!bits && found == UNITS)
			found = unit;
		/* Pages come from a unit that is split already, if there is one. */
		if (pages == 1 && bits && bits != UNIT_BITS) {
			*first = bitmap_find_clear(root->taken, UVM_ROOT_PAGES, unit * UNIT_PAGES);
			return true;
		}
	}
	*first = found * UNIT_PAGES;
	return found != UNITS;
}

static void pages_mark(u64 *map, u32 first, u32 pages, bool set)
{
	for (; pages; first++, pages--) {
		if (set)
			bitmap_set(map, first);
		else
			bitmap_clear(map, first);
	}
}

static u32 page_of(const struct uvm_chunk *chunk)
{
	return (u32)((chunk->address - chunk->root->address) / OS_PAGE_SIZE);
}

/* -- Lists: likewise -----------------------------------------------------------------------------
 */

static void node_out(struct list_node *node)
{
	if (list_linked(node))
		list_del(node);
}

/* Puts it among those with room, as it is now. */
static void root_file(struct uvm_root *root)
{
	struct list *free = root->chunks->free[root->kind];
	u32 page;

	node_out(&root->free);
	if (root->evicting)
		return;
	if (pages_find(root, UNIT_PAGES, &page))
		list_add_head(&root->free, &free[UVM_CHUNK_ROOM_UNIT]);
	else if (pages_find(root, 1, &page))
		list_add_head(&root->free, &free[UVM_CHUNK_ROOM_PAGE]);
}

static void root_unorder(struct uvm_root *root)
{
	if (!list_linked(&root->order))
		return;
	list_del(&root->order);
	root->chunks->evictable--;
}

/* It has just been used, or something of it no longer is. */
static void root_order(struct uvm_root *root)
{
	struct uvm_chunks *chunks = root->chunks;

	root_unorder(root);
	if (root->kind != UVM_CHUNK_USER || root->evicting || root->pinned)
		return;
	list_add_tail(&root->order, root->uses ? &chunks->used : &chunks->unused);
	chunks->evictable++;
}

/* A root with room for so many pages; those that are split already first. */
static struct uvm_root *root_find(struct uvm_chunks *chunks, enum uvm_chunk_kind kind, u32 pages)
{
	struct list_node *node = NULL;

	if (pages == 1)
		node = list_first(&chunks->free[kind][UVM_CHUNK_ROOM_PAGE]);
	if (!node && pages < UVM_ROOT_PAGES)
		node = list_first(&chunks->free[kind][UVM_CHUNK_ROOM_UNIT]);
	return node ? list_entry(node, struct uvm_root, free) : NULL;
}

/* -- Roots ------------------------------------------------------------------------------------- */

static enum nv_status root_create(struct uvm_chunks *chunks, enum uvm_chunk_kind kind,
				  struct uvm_root **out)
{
	struct uvm_root *root = os_alloc(sizeof(*root));
	enum nv_status status;

	if (!root)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_video_alloc(chunks->gpu, UVM_ROOT_SIZE, UVM_ROOT_SIZE, &root->video,
				    &root->address);
	if (status != NV_OK) {
		os_free(root);
		return status;
	}
	root->chunks = chunks;
	root->kind = kind;
	list_init(&root->parts);
	os_spinlock_lock(&chunks->lock);
	list_add_tail(&root->node, &chunks->roots);
	os_spinlock_unlock(&chunks->lock);
	*out = root;
	return NV_OK;
}

void uvm_root_free(struct uvm_root *root)
{
	struct uvm_chunks *chunks = root->chunks;

	OS_BUG_ON(!list_empty(&root->parts));
	os_spinlock_lock(&chunks->lock);
	list_del(&root->node);
	node_out(&root->free);
	root_unorder(root);
	os_spinlock_unlock(&chunks->lock);
	rm_uvm_video_free(root->video);
	os_free(root);
}

/* A root that nothing is taken of and nobody else sees. */
static enum nv_status root_get(struct uvm_room *room, enum uvm_chunk_kind kind,
			       struct uvm_root **out)
{
	struct uvm_root *kept = room->kept;
	enum nv_status status;

	room->kept = NULL;
	if (kept && kind == UVM_CHUNK_USER) {
		*out = kept;
		return NV_OK;
	}
	/* What is not to be evicted is to be zero, mostly: the resource manager sees to that. */
	if (kept)
		uvm_root_free(kept);
	status = root_create(room->chunks, kind, out);
	room->lacks = room->lacks || status == NV_ERR_NO_MEMORY;
	return status;
}

/* -- Chunks ------------------------------------------------------------------------------------ */

/* Takes what it is to be of the root, if that has it. The lock. */
static bool chunk_take(struct uvm_chunk *chunk, struct uvm_root *root)
{
	u32 pages = (u32)(chunk->size / OS_PAGE_SIZE), first, dirty;

	if (!pages_find(root, pages, &first))
		return false;
	dirty = bitmap_find_set(root->written, UVM_ROOT_PAGES, first);
	chunk->root = root;
	chunk->address = root->address + (u64)first * OS_PAGE_SIZE;
	chunk->zero = dirty == BITMAP_NONE || dirty >= first + pages;
	pages_mark(root->taken, first, pages, true);
	pages_mark(root->written, first, pages, true);
	list_add_tail(&chunk->node, &root->parts);
	root->evicting = false;
	root->pinned += root->kind == UVM_CHUNK_USER;
	root_file(root);
	root_order(root);
	return true;
}

enum nv_status uvm_chunk_alloc(struct uvm_room *room, enum uvm_chunk_kind kind, u64 size,
			       struct uvm_chunk **out)
{
	struct uvm_chunks *chunks = room->chunks;
	struct uvm_chunk *chunk = os_alloc(sizeof(*chunk));
	enum nv_status status;
	struct uvm_root *root;

	if (!chunk)
		return NV_ERR_NO_MEMORY;
	chunk->size = size;
	os_spinlock_lock(&chunks->lock);
	root = root_find(chunks, kind, (u32)(size / OS_PAGE_SIZE));
	if (root)
		OS_BUG_ON(!chunk_take(chunk, root));
	os_spinlock_unlock(&chunks->lock);
	if (!root) {
		status = root_get(room, kind, &root);
		if (status != NV_OK) {
			os_free(chunk);
			return status;
		}
		os_spinlock_lock(&chunks->lock);
		OS_BUG_ON(!chunk_take(chunk, root));
		os_spinlock_unlock(&chunks->lock);
	}
	*out = chunk;
	return NV_OK;
}

/* Leaves its root. The lock. */
static void chunk_leave(struct uvm_chunk *chunk)
{
	struct uvm_root *root = chunk->root;

	list_del(&chunk->node);
	root->uses -= chunk->used;
	root->pinned -= root->kind == UVM_CHUNK_USER && !chunk->owner;
}

void uvm_chunk_free(struct uvm_chunk *chunk)
{
	struct uvm_root *root;
	struct uvm_chunks *chunks;
	bool sure, empty;

	if (!chunk || !chunk->root) {
		os_free(chunk);
		return;
	}
	root = chunk->root;
	chunks = root->chunks;
	/* What the GPU may remember is given to nobody; with the whole root the resource manager
	 * sees to that. */
	sure = rm_uvm_tlb_settled(chunks->gpu);
	os_spinlock_lock(&chunks->lock);
	chunk_leave(chunk);
	if (sure)
		pages_mark(root->taken, page_of(chunk), (u32)(chunk->size / OS_PAGE_SIZE), false);
	/* One that is evicted is its evictor's. */
	empty = list_empty(&root->parts) && !root->evicting;
	if (empty) {
		root->evicting = true; /* nobody is to find it */
		node_out(&root->free);
		root_unorder(root);
	} else {
		root_file(root);
		if (!root->uses || !list_linked(&root->order))
			root_order(root);
	}
	os_spinlock_unlock(&chunks->lock);
	if (empty)
		uvm_root_free(root);
	os_free(chunk);
}

void uvm_chunk_own(struct uvm_chunk *chunk, struct uvm_space *owner, u64 start)
{
	struct uvm_chunks *chunks = chunk->root->chunks;

	os_spinlock_lock(&chunks->lock);
	OS_BUG_ON(chunk->owner);
	chunk->owner = owner;
	chunk->start = start;
	chunk->root->pinned--;
	root_order(chunk->root);
	os_spinlock_unlock(&chunks->lock);
}

void uvm_chunk_use(struct uvm_chunk *chunk, bool used)
{
	struct uvm_root *root = chunk->root;
	struct uvm_chunks *chunks = root->chunks;
	bool was;

	os_spinlock_lock(&chunks->lock);
	was = chunk->used;
	chunk->used = used;
	root->uses = root->uses + used - was;
	if (used || (was && !root->uses))
		root_order(root);
	os_spinlock_unlock(&chunks->lock);
}

void uvm_chunk_divide(struct uvm_chunk *chunk, struct uvm_chunk *part)
{
	struct uvm_root *root = chunk->root;

	part->root = root;
	part->address = chunk->address + (part->start - chunk->start);
	part->used = chunk->used;
	part->owner = chunk->owner;
	os_spinlock_lock(&root->chunks->lock);
	list_add_tail(&part->node, &root->parts);
	root->uses += part->used;
	os_spinlock_unlock(&root->chunks->lock);
}

void uvm_chunk_dissolve(struct uvm_chunk *chunk)
{
	struct uvm_chunks *chunks = chunk->root->chunks;

	os_spinlock_lock(&chunks->lock);
	chunk_leave(chunk);
	os_spinlock_unlock(&chunks->lock);
	os_free(chunk);
}

/* -- Eviction ---------------------------------------------------------------------------------- */

/* If it can be: it is in the order then. The lock. */
static struct uvm_root *root_take_out(struct uvm_root *root)
{
	if (!list_linked(&root->order))
		return NULL;
	root_unorder(root);
	node_out(&root->free);
	root->evicting = true;
	return root;
}

struct uvm_root *uvm_root_pick(struct uvm_chunks *chunks)
{
	struct uvm_root *root = NULL;
	struct list_node *node;

	os_spinlock_lock(&chunks->lock);
	node = list_first(&chunks->unused);
	if (!node)
		node = list_first(&chunks->used);
	if (node)
		root = root_take_out(list_entry(node, struct uvm_root, order));
	os_spinlock_unlock(&chunks->lock);
	return root;
}

struct uvm_root *uvm_root_pick_of(struct uvm_chunk *chunk)
{
	struct uvm_chunks *chunks = chunk->root->chunks;
	struct uvm_root *root;

	os_spinlock_lock(&chunks->lock);
	root = root_take_out(chunk->root);
	os_spinlock_unlock(&chunks->lock);
	return root;
}

struct uvm_root *uvm_root_pick_at(struct uvm_chunks *chunks, u64 address)
{
	struct uvm_root *root, *picked = NULL;

	os_spinlock_lock(&chunks->lock);
	list_for_each_entry (root, &chunks->roots, node) {
		if (address - root->address >= UVM_ROOT_SIZE)
			continue;
		picked = root_take_out(root);
		break;
	}
	os_spinlock_unlock(&chunks->lock);
	return picked;
}

u64 uvm_chunks_evictable(struct uvm_chunks *chunks)
{
	u64 count;

	os_spinlock_lock(&chunks->lock);
	count = chunks->evictable;
	os_spinlock_unlock(&chunks->lock);
	return count * UVM_ROOT_SIZE;
}

struct uvm_space *uvm_root_owner(struct uvm_root *root)
{
	struct uvm_space *owner = NULL;

	os_spinlock_lock(&root->chunks->lock);
	if (!list_empty(&root->parts)) {
		owner = list_entry(list_first(&root->parts), struct uvm_chunk, node)->owner;
		/* It is there at least as long as the chunk. */
		uvm_space_get(owner);
	}
	os_spinlock_unlock(&root->chunks->lock);
	return owner;
}

struct uvm_chunk *uvm_root_chunk_of(struct uvm_root *root, const struct uvm_space *owner)
{
	struct uvm_chunk *chunk, *found = NULL;

	os_spinlock_lock(&root->chunks->lock);
	list_for_each_entry (chunk, &root->parts, node) {
		if (chunk->owner != owner)
			continue;
		found = chunk;
		break;
	}
	os_spinlock_unlock(&root->chunks->lock);
	return found;
}

void uvm_root_spare(struct uvm_root *root)
{
	struct uvm_chunks *chunks = root->chunks;
	bool empty;

	os_spinlock_lock(&chunks->lock);
	empty = list_empty(&root->parts);
	if (!empty) {
		root->evicting = false;
		root_file(root);
		root_order(root);
	}
	os_spinlock_unlock(&chunks->lock);
	if (empty)
		uvm_root_free(root);
}

bool uvm_room_keep(struct uvm_room *room, struct uvm_root *root)
{
	if (!rm_uvm_tlb_settled(root->chunks->gpu)) {
		uvm_root_free(root);
		return false;
	}
	/* All of it is forgotten by now. */
	pages_mark(root->taken, 0, UVM_ROOT_PAGES, false);
	if (room->kept)
		uvm_root_free(room->kept);
	room->kept = root;
	return true;
}

void uvm_room_clear(struct uvm_room *room)
{
	if (room->kept)
		uvm_root_free(room->kept);
	room->kept = NULL;
	room->lacks = false;
}
