// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The tree of page tables, shadowed: which entries are in use and which table each leads to is kept
 * here, so that nothing is read back from video memory.
 */
#include "rm/gpu/page_table.h"

#include "base/bits.h"
#include "base/range.h"
#include "rm/class/memory.h"
#include "rm/gpu/video.h"

#define ENTRIES_MAX 512u
#define ENTRY_SIZE 8u
#define LEVEL_PDE3 1u
#define LEVEL_PDE2 2u
#define LEVEL_PDE1 3u
#define LEVEL_PDE0 4u
#define LEVEL_BIG 5u
#define LEVEL_SMALL 6u

/* What a table's entries cover. Entries of PDE0 are halves: the even one leads to big pages. */
static const struct {
	u8 shift, bits;
} levels[] = {
	{ NV_MMU_VER3_LEVEL_PDE4__LO, 1 },   { NV_MMU_VER3_LEVEL_PDE3__LO, 9 },
	{ NV_MMU_VER3_LEVEL_PDE2__LO, 9 },   { NV_MMU_VER3_LEVEL_PDE1__LO, 9 },
	{ NV_MMU_VER3_LEVEL_PDE0__LO, 8 },   { NV_MMU_VER3_LEVEL_PTE_64K__LO, 5 },
	{ NV_MMU_VER3_LEVEL_PTE_4K__LO, 9 },
};

struct page_table_node {
	struct list_node dead;
	struct rm_backing *memory;
	u64 address;
	u32 level;
	u32 used; /* entries that lead somewhere: tables and pages */
	bool pinned;
	u64 pages[ENTRIES_MAX / 64];	  /* which entries are pages, or sparse */
	u64 holes[ENTRIES_MAX / 64];	  /* ... and which of those are sparse */
	struct page_table_node *tables[]; /* of directories, by entry */
};

static u32 entries_of(u32 level)
{
	return (level == LEVEL_PDE0 ? 2u : 1u) << levels[level].bits;
}

static u32 index_of(u32 level, u64 va)
{
	u32 index = (u32)(va >> levels[level].shift) & ((1u << levels[level].bits) - 1);

	return level == LEVEL_PDE0 ? 2 * index : index;
}

static u64 span_of(u32 level)
{
	return BIT64(levels[level].shift);
}

/* The level whose entries are pages of that size. */
static u32 level_of(u64 page_size)
{
	switch (page_size) {
	case BIT64(NV_MMU_VER3_LEVEL_PDE3__LO):
		return LEVEL_PDE3;
	case BIT64(NV_MMU_VER3_LEVEL_PDE2__LO):
		return LEVEL_PDE2;
	case MIB(512):
		return LEVEL_PDE1;
	case MIB(2):
		return LEVEL_PDE0;
	case KIB(64):
		return LEVEL_BIG;
	default:
		return LEVEL_SMALL;
	}
}

static bool is_page(const struct page_table_node *node, u32 index)
{
	return node->pages[index / 64] >> (index % 64) & 1;
}

static bool is_hole(const struct page_table_node *node, u32 index)
{
	return node->holes[index / 64] >> (index % 64) & 1;
}

static u64 hole_entry(u32 level)
{
	if (level <= LEVEL_PDE0)
		return REG_PREP(NV_MMU_VER3_PDE_PCF, NV_MMU_VER3_PDE_PCF_SPARSE_ATS_NOT_ALLOWED);
	return REG_PREP(NV_MMU_VER3_PTE_PCF, NV_MMU_VER3_PTE_PCF_SPARSE);
}

/* -- Tables ------------------------------------------------------------------------------------ */

static void entry_write(const struct page_table *pt, const struct page_table_node *node, u32 index,
			u64 value)
{
	rm_video_put64(pt->gpu, node->address + (u64)index * ENTRY_SIZE, value);
}

static enum nv_status node_new(const struct page_table *pt, u32 level, struct page_table_node **out)
{
	u32 tables = level >= LEVEL_BIG ? 0 : entries_of(level);
	struct page_table_node *node;
	enum rm_aperture aperture;
	enum nv_status status;
	u64 contiguous;

	node = os_alloc(sizeof(*node) + tables * sizeof(node->tables[0]));
	if (!node)
		return NV_ERR_NO_MEMORY;
	status = rm_backing_alloc_video(pt->gpu, OS_PAGE_SIZE, OS_PAGE_SIZE, &node->memory);
	if (status != NV_OK) {
		os_free(node);
		return status;
	}
	node->address = rm_backing_address(node->memory, 0, &aperture, &contiguous);
	node->level = level;
	*out = node;
	return NV_OK;
}

static void node_free(struct page_table_node *node)
{
	rm_backing_put(node->memory);
	os_free(node);
}

/* A directory entry that leads to the table, in the form that its place has. */
static u64 directory_entry(u32 level, u32 index, const struct page_table_node *table)
{
	u64 entry = REG_PREP(NV_MMU_VER3_PDE_APERTURE, NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY) |
		    REG_PREP(NV_MMU_VER3_PDE_PCF, NV_MMU_VER3_PDE_PCF_VALID_CACHED_ATS_NOT_ALLOWED);

	/* The halves of a dual entry are alike, but for how far down the big one's address goes. */
	if (level == LEVEL_PDE0 && index % 2 == 0)
		return entry | (table->address & REG_MASK(NV_MMU_VER3_DUAL_PDE_ADDRESS_BIG));
	return entry | (table->address & REG_MASK(NV_MMU_VER3_PDE_ADDRESS));
}

static void page_drop(struct page_table_node *node, u32 index)
{
	if (!is_page(node, index))
		return;
	node->pages[index / 64] &= ~BIT64(index % 64);
	node->holes[index / 64] &= ~BIT64(index % 64);
	node->used--;
}

static void page_set(const struct page_table *pt, struct page_table_node *node, u32 index,
		     u64 entry)
{
	if (!is_page(node, index))
		node->used++;
	node->pages[index / 64] |= BIT64(index % 64);
	if (entry == hole_entry(node->level))
		node->holes[index / 64] |= BIT64(index % 64);
	else
		node->holes[index / 64] &= ~BIT64(index % 64);
	entry_write(pt, node, index, entry);
}

/* What is no page yet, of count entries, is sparse. */
static void make_holes(const struct page_table *pt, struct page_table_node *node, u32 first,
		       u32 count)
{
	u32 i, step = node->level == LEVEL_PDE0 ? 2 : 1;

	for (i = first; i < first + count; i += step)
		if (!is_page(node, i))
			page_set(pt, node, i, hole_entry(node->level));
}

/* A page gives way to tables (one of 2 MiB to the halves of its entry), or is cleared. */
static void page_give_way(struct page_table *pt, struct page_table_node *node, u32 index)
{
	if (!is_page(node, index))
		return;
	page_drop(node, index);
	entry_write(pt, node, index, 0);
}

static enum nv_status table_get(struct page_table *pt, struct page_table_node *node, u32 index,
				u32 level, struct page_table_node **out)
{
	u32 page = node->level == LEVEL_PDE0 ? index & ~1u : index;
	enum nv_status status;

	if (node->tables[index]) {
		*out = node->tables[index];
		return NV_OK;
	}
	status = node_new(pt, level, out);
	if (status != NV_OK)
		return status;
	/* What was sparse stays so around what comes. */
	if (is_hole(node, page))
		make_holes(pt, *out, 0, entries_of(level));
	page_give_way(pt, node, page);
	node->tables[index] = *out;
	node->used++;
	entry_write(pt, node, index, directory_entry(node->level, index, *out));
	return NV_OK;
}

static void bury(struct page_table *pt, struct page_table_node *node)
{
	u32 i, count = node->level >= LEVEL_BIG ? 0 : entries_of(node->level);

	for (i = 0; i < count; i++)
		if (node->tables[i])
			bury(pt, node->tables[i]);
	list_add_tail(&node->dead, &pt->dead);
}

/* The entry and all below it go. */
static void table_drop(struct page_table *pt, struct page_table_node *node, u32 index)
{
	struct page_table_node *table = node->tables[index];

	if (!table)
		return;
	entry_write(pt, node, index, 0);
	node->tables[index] = NULL;
	node->used--;
	bury(pt, table);
}

enum nv_status page_table_create(struct page_table *pt, struct rm_gpu *gpu)
{
	enum nv_status status;

	pt->gpu = gpu;
	list_init(&pt->dead);
	status = node_new(pt, 0, &pt->root);
	if (status == NV_OK)
		pt->root->pinned = true;
	return status;
}

void page_table_take_dead(struct page_table *pt, struct list *dead)
{
	list_splice_tail(&pt->dead, dead);
}

void page_table_reap(struct list *dead)
{
	struct page_table_node *node, *next;

	list_for_each_entry_safe (node, next, dead, dead) {
		list_del(&node->dead);
		node_free(node);
	}
}

void page_table_destroy(struct page_table *pt)
{
	if (!pt->root)
		return;
	bury(pt, pt->root);
	pt->root = NULL;
	page_table_reap(&pt->dead);
}

u64 page_table_address(const struct page_table *pt)
{
	return pt->root->address;
}

/* -- Ranges ------------------------------------------------------------------------------------ */

/* Directories and tables from the root to the one whose entries are at that level. */
static enum nv_status walk(struct page_table *pt, u64 va, u32 level, struct page_table_node **out)
{
	struct page_table_node *node = pt->root;
	enum nv_status status = NV_OK;

	while (node->level != level && status == NV_OK) {
		u32 index = index_of(node->level, va), next = node->level + 1;

		if (node->level == LEVEL_PDE0) {
			next = level;
			index += level == LEVEL_SMALL;
		}
		status = table_get(pt, node, index, next, &node);
	}
	*out = node;
	return status;
}

enum nv_status page_table_pin_upper(struct page_table *pt, u64 va,
				    struct page_table_level out[PAGE_TABLE_UPPER_LEVELS])
{
	struct page_table_node *node;
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < PAGE_TABLE_UPPER_LEVELS && status == NV_OK; i++) {
		status = walk(pt, va, i, &node);
		if (status != NV_OK)
			break;
		node->pinned = true;
		out[i].address = node->address;
		out[i].size = (u64)entries_of(i) * ENTRY_SIZE;
		out[i].shift = levels[i].shift;
	}
	return status;
}

/* What one table of the level that holds the entries covers. */
static u64 table_span(u32 level)
{
	return BIT64(levels[level].shift + levels[level].bits);
}

enum nv_status page_table_prepare(struct page_table *pt, u64 va, u64 size, u64 page_size)
{
	u32 level = level_of(page_size);
	u64 span = table_span(level), at, last = va + (size - 1);
	struct page_table_node *node;
	enum nv_status status = NV_OK;

	for (at = align_down(va, span); at <= last && status == NV_OK; at += span)
		status = walk(pt, at, level, &node);
	return status;
}

/* A page of 64 KiB hides small ones: it goes where one of them comes into its table. */
static void uncover(struct page_table *pt, struct page_table_node *small, u64 va)
{
	u32 count = 1u << (levels[LEVEL_BIG].shift - levels[LEVEL_SMALL].shift);
	u32 index = index_of(LEVEL_BIG, va);
	struct page_table_node *node = pt->root;

	while (node->level != LEVEL_PDE0)
		node = node->tables[index_of(node->level, va)];
	node = node->tables[index_of(LEVEL_PDE0, va)];
	if (!node || !is_page(node, index))
		return;
	if (is_hole(node, index))
		make_holes(pt, small, align_down(index_of(LEVEL_SMALL, va), count), count);
	page_drop(node, index);
	entry_write(pt, node, index, 0);
}

void page_table_write(struct page_table *pt, u64 va, u64 page_size, u64 entry)
{
	u32 level = level_of(page_size), index = index_of(level, va);
	struct page_table_node *node;
	enum nv_status status = walk(pt, va, level, &node);

	OS_BUG_ON(status != NV_OK); /* prepared */
	if (level == LEVEL_SMALL)
		uncover(pt, node, va);
	if (level <= LEVEL_PDE0)
		table_drop(pt, node, index);
	if (level == LEVEL_PDE0)
		table_drop(pt, node, index + 1);
	page_set(pt, node, index, entry);
}

/* Clears, or only takes out what is empty: entries of node, whose first covers from base on. */
static void sweep(struct page_table *pt, struct page_table_node *node, u64 base, u64 first,
		  u64 last, bool clear)
{
	u32 halves = node->level == LEVEL_PDE0 ? 2 : 1, half, i, count = entries_of(node->level);
	u64 span = span_of(node->level), lo = max(first, base);
	u64 end = base + (span * (count / halves) - 1), hi = min(last, end);

	for (i = (u32)((lo - base) / span); i <= (u32)((hi - base) / span); i++) {
		u64 at = base + i * span;

		if (clear)
			page_give_way(pt, node, i * halves);
		for (half = 0; node->level < LEVEL_BIG && half < halves; half++) {
			struct page_table_node *table = node->tables[i * halves + half];

			if (!table)
				continue;
			sweep(pt, table, at, max(first, at), min(last, at + (span - 1)), clear);
			if (!clear && !table->used && !table->pinned)
				table_drop(pt, node, i * halves + half);
		}
	}
}

void page_table_clear(struct page_table *pt, u64 va, u64 size)
{
	sweep(pt, pt->root, 0, va, va + (size - 1), true);
}

void page_table_prune(struct page_table *pt, u64 va, u64 size)
{
	sweep(pt, pt->root, 0, va, va + (size - 1), false);
}

u64 page_table_sparse_entry(u64 page_size)
{
	return hole_entry(level_of(page_size));
}
