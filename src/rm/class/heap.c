// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The free parts of every range, and an account for each process that has some of them. */
#include "rm/class/heap.h"

#include "base/bits.h"

struct account {
	struct list_node node;
	u32 pid;
	u64 bytes;
};

void rm_heap_init(struct rm_heap *heap)
{
	list_init(&heap->accounts);
	heap->range_count = 0;
	heap->total = 0;
	heap->used = 0;
	heap->ready = false;
	heap->epoch++;
}

void rm_heap_fini(struct rm_heap *heap)
{
	struct account *account, *next;
	u32 i;

	for (i = 0; i < heap->range_count; i++)
		extents_fini(&heap->ranges[i].free);
	list_for_each_entry_safe (account, next, &heap->accounts, node) {
		list_del(&account->node);
		os_free(account);
	}
	rm_heap_init(heap);
}

enum nv_status rm_heap_add(struct rm_heap *heap, u64 base, u64 size)
{
	struct rm_heap_range *range;
	enum nv_status status;
	u32 at = heap->range_count, i;

	if (at == RM_HEAP_RANGES)
		return NV_ERR_NO_MEMORY;
	range = &heap->ranges[at];
	extents_init(&range->free);
	status = extents_add(&range->free, base, size);
	if (status != NV_OK)
		return status;
	range->base = base;
	range->size = size;
	for (i = at; i > 0 && heap->ranges[i - 1].base > base; i--) {
		struct rm_heap_range other = heap->ranges[i - 1];

		heap->ranges[i - 1] = heap->ranges[i];
		heap->ranges[i] = other;
	}
	heap->range_count++;
	heap->total += size;
	return NV_OK;
}

/* -- Accounts ---------------------------------------------------------------------------------- */

static struct account *account_find(const struct rm_heap *heap, u32 pid)
{
	struct account *account;

	list_for_each_entry (account, &heap->accounts, node) {
		if (account->pid == pid)
			return account;
	}
	return NULL;
}

/* The account, made where there is none, first of the list. NULL: no memory. */
static struct account *account_open(struct rm_heap *heap, u32 pid)
{
	struct account *account = account_find(heap, pid);

	if (account) {
		list_del(&account->node);
	} else {
		account = os_alloc(sizeof(*account));
		if (!account)
			return NULL;
		account->pid = pid;
	}
	list_add_head(&account->node, &heap->accounts);
	return account;
}

static void account_settle(struct account *account)
{
	if (account->bytes)
		return;
	list_del(&account->node);
	os_free(account);
}

/* -- Pieces ------------------------------------------------------------------------------------ */

static enum nv_status take(struct rm_heap *heap, const struct rm_heap_request *r, u64 size,
			   struct extent **piece)
{
	enum nv_status status = NV_ERR_NO_MEMORY;
	u32 i;

	for (i = 0; i < heap->range_count && status != NV_OK; i++) {
		u32 index = r->high ? heap->range_count - 1 - i : i;

		status = extents_take(&heap->ranges[index].free, size, r->align, r->lo, r->hi,
				      r->high, piece);
	}
	return status;
}

static void give(struct rm_heap *heap, struct extent *piece)
{
	u32 i = 0;

	while (piece->start - heap->ranges[i].base >= heap->ranges[i].size)
		i++;
	extents_give(&heap->ranges[i].free, piece);
}

enum nv_status rm_heap_alloc_scattered(struct rm_heap *heap, const struct rm_heap_request *r,
				       struct extent **pieces, u32 max, u32 *count)
{
	struct account *account = r->pid ? account_open(heap, r->pid) : NULL;
	enum nv_status status = NV_OK;
	u64 left = r->size;

	*count = 0;
	if (r->pid && !account)
		return NV_ERR_NO_MEMORY;
	while (left && status == NV_OK) {
		u64 size = left;

		/* What is asked for, else half of it, and so on down to one unit. */
		if (*count == max)
			break;
		while ((status = take(heap, r, size, &pieces[*count])) != NV_OK && max > 1 &&
		       size > r->align)
			size = align_up(size / 2, r->align);
		if (status == NV_OK) {
			left -= size;
			(*count)++;
		}
	}
	if (left) {
		while (*count)
			give(heap, pieces[--*count]);
		status = NV_ERR_NO_MEMORY;
	} else {
		heap->used += r->size;
		if (account)
			account->bytes += r->size;
	}
	if (account)
		account_settle(account);
	return status;
}

enum nv_status rm_heap_alloc(struct rm_heap *heap, const struct rm_heap_request *request,
			     struct extent **piece)
{
	u32 count;

	return rm_heap_alloc_scattered(heap, request, piece, 1, &count);
}

void rm_heap_free(struct rm_heap *heap, struct extent *piece, u32 pid)
{
	struct account *account = pid ? account_find(heap, pid) : NULL;

	heap->used -= piece->size;
	if (account) {
		account->bytes -= piece->size;
		account_settle(account);
	}
	give(heap, piece);
}

void rm_heap_largest(const struct rm_heap *heap, u64 *base, u64 *size)
{
	u64 start, bytes;
	u32 i;

	*base = 0;
	*size = 0;
	for (i = 0; i < heap->range_count; i++) {
		if (extents_largest(&heap->ranges[i].free, OS_PAGE_SIZE, &start, &bytes) &&
		    bytes > *size) {
			*base = start;
			*size = bytes;
		}
	}
}

u64 rm_heap_used_by(const struct rm_heap *heap, u32 pid)
{
	const struct account *account = account_find(heap, pid);

	return account ? account->bytes : 0;
}
