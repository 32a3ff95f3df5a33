// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * First fit over a list of blocks in the order of their addresses; neighbours merge when freed.
 */
#include "rm/class/heap.h"

#include "base/bits.h"

void rm_heap_init(struct rm_heap *heap)
{
	list_init(&heap->blocks);
	heap->total = 0;
	heap->used = 0;
	heap->ready = false;
}

void rm_heap_fini(struct rm_heap *heap)
{
	struct rm_heap_block *block, *next;

	list_for_each_entry_safe (block, next, &heap->blocks, node) {
		list_del(&block->node);
		os_free(block);
	}
	rm_heap_init(heap);
}

enum nv_status rm_heap_add(struct rm_heap *heap, u64 base, u64 size)
{
	struct rm_heap_block *block, *at;

	block = os_alloc(sizeof(*block));
	if (!block)
		return NV_ERR_NO_MEMORY;
	block->base = base;
	block->size = size;
	block->free = true;
	block->range_start = true;
	list_for_each_entry (at, &heap->blocks, node) {
		if (at->base > base) {
			list_add_before(&block->node, &at->node);
			heap->total += size;
			return NV_OK;
		}
	}
	list_add_tail(&block->node, &heap->blocks);
	heap->total += size;
	return NV_OK;
}

/* Where in the block an allocation could begin; false when it does not fit. */
static bool block_fits(const struct rm_heap_block *block, u64 size, u64 align, u64 lo, u64 hi,
		       u64 *base)
{
	u64 end = block->base + block->size - 1, start = max(block->base, lo);

	if (!block->free || start > end || !align_up_ok(start, align))
		return false;
	start = align_up(start, align);
	end = min(end, hi);
	if (start > end || end - start < size - 1)
		return false;
	*base = start;
	return true;
}

/* Splits the block at the address; the new one, which begins there, comes after it. */
static struct rm_heap_block *block_split(struct rm_heap *heap, struct rm_heap_block *block, u64 at)
{
	struct rm_heap_block *rest = os_alloc(sizeof(*rest));
	struct list_node *next = list_next(&heap->blocks, &block->node);

	if (!rest)
		return NULL;
	rest->base = at;
	rest->size = block->base + block->size - at;
	rest->free = block->free;
	block->size = at - block->base;
	if (next)
		list_add_before(&rest->node, next);
	else
		list_add_tail(&rest->node, &heap->blocks);
	return rest;
}

static void block_merge_next(struct rm_heap *heap, struct rm_heap_block *block)
{
	struct list_node *node = list_next(&heap->blocks, &block->node);
	struct rm_heap_block *next;

	if (!node)
		return;
	next = list_entry(node, struct rm_heap_block, node);
	if (!block->free || !next->free || next->range_start)
		return;
	block->size += next->size;
	list_del(&next->node);
	os_free(next);
}

enum nv_status rm_heap_alloc(struct rm_heap *heap, u64 size, u64 align, u64 lo, u64 hi, u32 pid,
			     struct rm_heap_block **out)
{
	struct rm_heap_block *block, *taken;
	u64 base = 0;

	list_for_each_entry (block, &heap->blocks, node) {
		if (block_fits(block, size, align, lo, hi, &base))
			goto found;
	}
	return NV_ERR_NO_MEMORY;

found:
	taken = base == block->base ? block : block_split(heap, block, base);
	if (!taken)
		return NV_ERR_NO_MEMORY;
	if (taken->size != size && !block_split(heap, taken, base + size)) {
		block_merge_next(heap, block);
		return NV_ERR_NO_MEMORY;
	}
	taken->free = false;
	taken->pid = pid;
	heap->used += size;
	*out = taken;
	return NV_OK;
}

void rm_heap_free(struct rm_heap *heap, struct rm_heap_block *block)
{
	heap->used -= block->size;
	block->free = true;
	block->pid = 0;
	block_merge_next(heap, block);
	if (block->node.prev != &heap->blocks.root)
		block_merge_next(heap, list_entry(block->node.prev, struct rm_heap_block, node));
}

void rm_heap_largest(const struct rm_heap *heap, u64 *base, u64 *size)
{
	const struct rm_heap_block *block;

	*base = 0;
	*size = 0;
	list_for_each_entry (block, &heap->blocks, node) {
		if (block->free && block->size > *size) {
			*base = block->base;
			*size = block->size;
		}
	}
}

u64 rm_heap_used_by(const struct rm_heap *heap, u32 pid)
{
	const struct rm_heap_block *block;
	u64 bytes = 0;

	list_for_each_entry (block, &heap->blocks, node) {
		if (!block->free && block->pid == pid)
			bytes += block->size;
	}
	return bytes;
}
