// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Page tables (uvm/page_tree.h). Every table, directory or not, is one 4 KiB page of a chunk; what
 * is in it is kept here too, so nothing is ever read back from the device.
 */
#include "uvm/page_tree.h"

#include "base/bits.h"

#define TABLE_BYTES KIB(4)
#define CHUNK_TABLES 16u
#define CHUNK_BYTES (CHUNK_TABLES * TABLE_BYTES)

_Static_assert(CHUNK_BYTES == UVM_CHUNK_UNIT, "a chunk's size");

struct table_chunk {
	struct list_node node;
	struct uvm_chunk *memory;
	u64 address;
	u32 used; /* a bit a table */
};

struct uvm_page_table {
	struct uvm_page_table *parent; /* NULL: the root */
	struct table_chunk *chunk;
	u64 address;
	u32 level;
	u32 index;  /* in the parent */
	bool small; /* a page table: of the second half of the parent's entry */
	u32 used;   /* entries that are set: tables below, or pages */
	/* Tables below, of directories: by entry, of the last directory big and small in turn. */
	struct uvm_page_table *below[];
};

/* What was gathered is in the GPU's memory. */
static void flush_words(struct uvm_page_tree *tree)
{
	if (tree->gathered)
		rm_uvm_video_write(tree->gpu, tree->gathered_at, tree->words, tree->gathered);
	tree->gathered = 0;
}

/* Before the next invalidation at the latest. */
static void write_word(struct uvm_page_tree *tree, u64 address, u64 value)
{
	if (tree->gathered == UVM_TREE_WORDS ||
	    (tree->gathered && address != tree->gathered_at + tree->gathered * sizeof(value)))
		flush_words(tree);
	if (!tree->gathered)
		tree->gathered_at = address;
	tree->words[tree->gathered++] = value;
}

/* -- The memory of tables ---------------------------------------------------------------------- */

/* What another tree left in it. */
static void chunk_clear(struct uvm_page_tree *tree, const struct table_chunk *chunk)
{
	static const u64 zeroes[UVM_TREE_WORDS];
	u64 at;

	for (at = 0; at < CHUNK_BYTES; at += sizeof(zeroes))
		rm_uvm_video_write(tree->gpu, chunk->address + at, zeroes, UVM_TREE_WORDS);
}

static struct table_chunk *chunk_create(struct uvm_page_tree *tree)
{
	struct table_chunk *chunk = os_alloc(sizeof(*chunk));

	if (!chunk)
		return NULL;
	if (uvm_chunk_alloc(tree->room, UVM_CHUNK_KERNEL, CHUNK_BYTES, &chunk->memory) != NV_OK) {
		os_free(chunk);
		return NULL;
	}
	chunk->address = chunk->memory->address;
	if (!chunk->memory->zero)
		chunk_clear(tree, chunk);
	list_add_head(&chunk->node, &tree->chunks);
	return chunk;
}

static void chunk_destroy(struct table_chunk *chunk)
{
	list_del(&chunk->node);
	uvm_chunk_free(chunk->memory);
	os_free(chunk);
}

/* A page of a chunk, which holds zeroes. */
static bool page_take(struct uvm_page_tree *tree, struct uvm_page_table *table)
{
	struct table_chunk *chunk, *found = NULL;
	u32 slot;

	list_for_each_entry (chunk, &tree->chunks, node) {
		if (chunk->used != (1u << CHUNK_TABLES) - 1) {
			found = chunk;
			break;
		}
	}
	if (!found)
		found = chunk_create(tree);
	if (!found)
		return false;
	slot = bits_first(~(u64)found->used);
	found->used |= BIT32(slot);
	table->chunk = found;
	table->address = found->address + slot * TABLE_BYTES;
	/* Full chunks go behind the others, so that the search is short. */
	if (found->used == (1u << CHUNK_TABLES) - 1) {
		list_del(&found->node);
		list_add_tail(&found->node, &tree->chunks);
	}
	return true;
}

static void page_give(struct uvm_page_tree *tree, struct uvm_page_table *table)
{
	struct table_chunk *chunk = table->chunk;

	chunk->used &= ~BIT32((table->address - chunk->address) / TABLE_BYTES);
	list_del(&chunk->node);
	list_add_head(&chunk->node, &tree->chunks);
	/* One empty chunk stays, so that a single mapping that comes and goes costs no allocation.
	 */
	if (!chunk->used && list_next(&tree->chunks, &chunk->node)) {
		struct table_chunk *next = list_entry(list_next(&tree->chunks, &chunk->node),
						      struct table_chunk, node);

		if (!next->used)
			chunk_destroy(chunk);
	}
}

/* -- Tables ------------------------------------------------------------------------------------ */

static u32 children_of(const struct uvm_mmu_hal *mmu, u32 level)
{
	if (level >= mmu->directories)
		return 0;
	return mmu->level[level].words << mmu->level[level].bits;
}

static struct uvm_page_table *table_create(struct uvm_page_tree *tree, u32 level)
{
	u32 children = children_of(tree->hal->mmu, level);
	struct uvm_page_table *table;

	table = os_alloc(sizeof(*table) + children * sizeof(table->below[0]));
	if (!table)
		return NULL;
	table->level = level;
	if (!page_take(tree, table)) {
		os_free(table);
		return NULL;
	}
	return table;
}

static u32 words_at(const struct uvm_mmu_hal *mmu, u32 level)
{
	return level < mmu->directories ? mmu->level[level].words : 1;
}

/* Where the entry of that index is, or its second half. */
static u64 entry_address(const struct uvm_mmu_hal *mmu, const struct uvm_page_table *table,
			 u32 index, bool small)
{
	return table->address + 8 * ((u64)index * words_at(mmu, table->level) + small);
}

static u32 directory_index(const struct uvm_mmu_hal *mmu, u32 level, u64 va)
{
	return (u32)(va >> mmu->level[level].shift) & (BIT32(mmu->level[level].bits) - 1);
}

static u32 below_slot(const struct uvm_mmu_hal *mmu, u32 level, u32 index, bool small)
{
	return index * mmu->level[level].words + small;
}

/* The table that holds the entries of pages of that size at va; made if make says so. */
static struct uvm_page_table *table_get(struct uvm_page_tree *tree, u64 va, u32 level, bool small,
					bool make)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;
	struct uvm_page_table *at = tree->root;

	while (at->level < level) {
		bool half = at->level + 1 == mmu->directories && small;
		u32 index = directory_index(mmu, at->level, va);
		u32 slot = below_slot(mmu, at->level, index, half);
		struct uvm_page_table *next = at->below[slot];

		if (!next) {
			if (!make)
				return NULL;
			next = table_create(tree, at->level + 1);
			if (!next)
				return NULL;
			next->parent = at;
			next->index = index;
			next->small = half;
			at->below[slot] = next;
			at->used++;
			write_word(tree, entry_address(mmu, at, index, half),
				   mmu->pde(at->level, half, RM_UVM_VIDEO, next->address));
		}
		at = next;
	}
	return at;
}

static void table_free(struct uvm_page_tree *tree, struct uvm_page_table *table)
{
	page_give(tree, table);
	os_free(table);
}

/*
 * Takes table and what becomes empty above it out of the tree, on a chain by parent that the caller
 * frees once the GPU has forgotten them.
 */
static void table_prune(struct uvm_page_tree *tree, struct uvm_page_table *table,
			struct uvm_page_table **gone)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;

	while (table->parent && !table->used) {
		struct uvm_page_table *parent = table->parent;

		parent->below[below_slot(mmu, parent->level, table->index, table->small)] = NULL;
		parent->used--;
		write_word(tree, entry_address(mmu, parent, table->index, table->small), 0);
		table->parent = *gone;
		*gone = table;
		table = parent;
	}
}

static void tables_free(struct uvm_page_tree *tree, struct uvm_page_table *gone)
{
	while (gone) {
		struct uvm_page_table *next = gone->parent;

		table_free(tree, gone);
		gone = next;
	}
}

static void invalidate(struct uvm_page_tree *tree)
{
	flush_words(tree);
	os_fence();
	/*
	 * One that is lost or does not confirm may go on with what it remembers: the resource
	 * manager keeps the memory of clients, and of tables, until it cannot.
	 */
	(void)rm_uvm_tlb_invalidate(tree->gpu, RM_UVM_VIDEO, tree->root->address);
}

/* -- The tree ---------------------------------------------------------------------------------- */

enum nv_status uvm_page_tree_init(struct uvm_page_tree *tree, struct uvm_room *room,
				  const struct uvm_hal *hal)
{
	struct table_chunk *chunk;

	tree->gpu = room->chunks->gpu;
	tree->room = room;
	tree->hal = hal;
	list_init(&tree->chunks);
	tree->root = table_create(tree, 0);
	if (tree->root)
		return NV_OK;
	while (!list_empty(&tree->chunks)) {
		chunk = list_entry(list_first(&tree->chunks), struct table_chunk, node);
		chunk_destroy(chunk);
	}
	os_memset(tree, 0, sizeof(*tree));
	return NV_ERR_NO_MEMORY;
}

void uvm_page_tree_fini(struct uvm_page_tree *tree)
{
	if (!tree->root)
		return;
	OS_BUG_ON(tree->root->used);
	os_free(tree->root);
	while (!list_empty(&tree->chunks))
		chunk_destroy(list_entry(list_first(&tree->chunks), struct table_chunk, node));
	os_memset(tree, 0, sizeof(*tree));
}

u64 uvm_page_tree_root(const struct uvm_page_tree *tree, u32 *entries)
{
	*entries = BIT32(tree->hal->mmu->level[0].bits);
	return tree->root->address;
}

bool uvm_page_size_ok(const struct uvm_hal *hal, u64 page_size)
{
	return hal->mmu->page_level(page_size) != ~0u;
}

u64 uvm_page_size_for(const struct uvm_hal *hal, u64 value)
{
	static const u64 sizes[] = { UVM_PAGE_512M, UVM_PAGE_2M, UVM_PAGE_64K, UVM_PAGE_4K };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (is_aligned(value, sizes[i]) && uvm_page_size_ok(hal, sizes[i]))
			return sizes[i];
	}
	return 0;
}

/* How the pages of a size lie in their tables. */
struct page_shape {
	u32 level;
	bool small;
	u64 page;
	u64 span; /* bytes that one table maps */
};

static struct page_shape shape_of(const struct uvm_page_tree *tree, u64 page_size)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;
	struct page_shape shape = { .level = mmu->page_level(page_size), .page = page_size };

	OS_BUG_ON(shape.level == ~0u);
	shape.small = shape.level == mmu->directories && page_size == UVM_PAGE_4K;
	/* What an entry of the level above covers. */
	shape.span = BIT64(mmu->level[shape.level - 1].shift);
	return shape;
}

static u32 page_index(const struct page_shape *shape, u64 va)
{
	return (u32)((va & (shape->span - 1)) / shape->page);
}

static u64 piece_end(const struct page_shape *shape, u64 va, u64 end)
{
	u64 next = align_down(va, shape->span) + shape->span;

	return next < end ? next : end;
}

/* The lowest table on the way to the entries of va that exists, down to level. */
static struct uvm_page_table *table_nearest(struct uvm_page_tree *tree, u64 va, u32 level,
					    bool small)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;
	struct uvm_page_table *at = tree->root, *next;

	for (; at->level < level; at = next) {
		bool half = at->level + 1 == mmu->directories && small;

		next = at->below[below_slot(mmu, at->level, directory_index(mmu, at->level, va),
					    half)];
		if (!next)
			break;
	}
	return at;
}

/* Removes the tables of the range that have no entries: they were made for a map that failed. */
static void prune_range(struct uvm_page_tree *tree, const struct page_shape *shape, u64 va, u64 end)
{
	struct uvm_page_table *gone = NULL;

	for (; va < end; va = piece_end(shape, va, end))
		table_prune(tree, table_nearest(tree, va, shape->level, shape->small), &gone);
	invalidate(tree);
	tables_free(tree, gone);
}

static void clear_range(struct uvm_page_tree *tree, const struct page_shape *shape, u64 va, u64 end)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;
	struct uvm_page_table *gone = NULL;

	while (va < end) {
		struct uvm_page_table *table =
			table_get(tree, va, shape->level, shape->small, false);
		u64 to = piece_end(shape, va, end);

		OS_BUG_ON(!table);
		for (; va < to; va += shape->page) {
			write_word(tree, entry_address(mmu, table, page_index(shape, va), false),
				   0);
			table->used--;
		}
		table_prune(tree, table, &gone);
	}
	invalidate(tree);
	tables_free(tree, gone);
}

enum nv_status uvm_page_tree_map(struct uvm_page_tree *tree, u64 va, u64 size, u64 page_size,
				 uvm_pte_maker make, void *ctx)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;
	struct page_shape shape = shape_of(tree, page_size);
	enum nv_status status = NV_OK;
	u64 end = va + size, at;

	for (at = va; at < end; at = piece_end(&shape, at, end)) {
		/* A huge page's entry may not have tables below it: empty ones are gone. */
		if (!table_get(tree, at, shape.level, shape.small, true)) {
			prune_range(tree, &shape, va, end);
			return NV_ERR_NO_MEMORY;
		}
	}
	for (at = va; at < end && status == NV_OK;) {
		struct uvm_page_table *table = table_get(tree, at, shape.level, shape.small, false);
		u64 to = piece_end(&shape, at, end);

		for (; at < to; at += page_size) {
			u64 pte = 0;

			status = make(ctx, at - va, &pte);
			if (status != NV_OK)
				break;
			write_word(tree, entry_address(mmu, table, page_index(&shape, at), false),
				   pte);
			table->used++;
		}
	}
	if (status != NV_OK) {
		if (at > va)
			clear_range(tree, &shape, va, at);
		prune_range(tree, &shape, va, end);
		return status;
	}
	invalidate(tree);
	return NV_OK;
}

void uvm_page_tree_unmap(struct uvm_page_tree *tree, u64 va, u64 size, u64 page_size)
{
	struct page_shape shape = shape_of(tree, page_size);

	clear_range(tree, &shape, va, va + size);
}

enum nv_status uvm_page_tree_replace(struct uvm_page_tree *tree, u64 va, u64 size, u64 page_size,
				     uvm_pte_maker make, void *ctx)
{
	const struct uvm_mmu_hal *mmu = tree->hal->mmu;
	struct page_shape shape = shape_of(tree, page_size);
	u64 end = va + size, at = va;

	while (at < end) {
		struct uvm_page_table *table = table_get(tree, at, shape.level, shape.small, false);
		u64 to = piece_end(&shape, at, end);

		OS_BUG_ON(!table);
		for (; at < to; at += page_size) {
			u64 pte = 0;

			(void)make(ctx, at - va, &pte);
			write_word(tree, entry_address(mmu, table, page_index(&shape, at), false),
				   pte);
		}
	}
	flush_words(tree);
	os_fence();
	return rm_uvm_tlb_invalidate(tree->gpu, RM_UVM_VIDEO, tree->root->address);
}
