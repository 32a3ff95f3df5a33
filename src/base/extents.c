// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A treap: a search tree by address whose priorities, drawn at random, make it a heap, which keeps
 * it as deep as the logarithm of its size whatever the order of the calls.
 */
#include "base/extents.h"

#include "base/bits.h"
#include "os/os.h"

static const u64 alignments[EXTENT_ALIGNMENTS] = { 4096, 65536, 2097152, 536870912 };

void extents_init(struct extents *e)
{
	e->root = NULL;
	e->free = 0;
	if (os_random(&e->seed, sizeof(e->seed)) != NV_OK || !e->seed)
		e->seed = (u32)os_time_ns() | 1;
}

static u32 next_priority(struct extents *e)
{
	e->seed ^= e->seed << 13;
	e->seed ^= e->seed >> 17;
	e->seed ^= e->seed << 5;
	return e->seed;
}

void extent_free(struct extent *taken)
{
	os_free(taken);
}

/* -- The tree ---------------------------------------------------------------------------------- */

static u64 last_of(const struct extent *x)
{
	return x->start + (x->size - 1);
}

/* Bytes from the first multiple of align in lo .. hi. */
static u64 aligned_size(u64 lo, u64 hi, u64 align)
{
	u64 at;

	if (lo > hi || !align_up_ok(lo, align))
		return 0;
	at = align_up(lo, align);
	return at > hi ? 0 : hi - at + 1;
}

static void update(struct extent *x)
{
	u32 i;

	for (i = 0; i < EXTENT_ALIGNMENTS; i++) {
		u64 most = aligned_size(x->start, last_of(x), alignments[i]);

		if (x->left)
			most = max(most, x->left->largest[i]);
		if (x->right)
			most = max(most, x->right->largest[i]);
		x->largest[i] = most;
	}
}

/* Those below start go to *left, the others to *right. */
static void split(struct extent *x, u64 start, struct extent **left, struct extent **right)
{
	if (!x) {
		*left = NULL;
		*right = NULL;
	} else if (x->start < start) {
		split(x->right, start, &x->right, right);
		*left = x;
		update(x);
	} else {
		split(x->left, start, left, &x->left);
		*right = x;
		update(x);
	}
}

/* All of left lies below all of right. */
static struct extent *join(struct extent *left, struct extent *right)
{
	struct extent *top;

	if (!left || !right)
		return left ? left : right;
	if (left->priority > right->priority) {
		left->right = join(left->right, right);
		top = left;
	} else {
		right->left = join(left, right->left);
		top = right;
	}
	update(top);
	return top;
}

static void insert(struct extents *e, struct extent *x)
{
	struct extent *left, *right;

	x->left = NULL;
	x->right = NULL;
	x->priority = next_priority(e);
	update(x);
	split(e->root, x->start, &left, &right);
	e->root = join(join(left, x), right);
}

/* Takes the node that begins there out of the tree. */
static struct extent *take_out(struct extents *e, u64 start)
{
	struct extent *left, *node, *right;

	split(e->root, start, &left, &right);
	split(right, start + 1, &node, &right);
	e->root = join(left, right);
	return node;
}

/* The last that begins below the address (with it: or there). */
static struct extent *find_before(const struct extents *e, u64 address)
{
	struct extent *x = e->root, *found = NULL;

	while (x) {
		if (x->start < address) {
			found = x;
			x = x->right;
		} else {
			x = x->left;
		}
	}
	return found;
}

static struct extent *find_at(const struct extents *e, u64 start)
{
	struct extent *x = e->root;

	while (x && x->start != start)
		x = x->start < start ? x->right : x->left;
	return x;
}

/* -- Finding room ------------------------------------------------------------------------------ */

struct want {
	u64 size, align, lo, hi;
	u32 class; /* of alignments: the largest that is at most align */
	bool high;
	u32 tries; /* left */
};

static bool fits(const struct want *w, const struct extent *x)
{
	return aligned_size(max(x->start, w->lo), min(last_of(x), w->hi), w->align) >= w->size;
}

/*
 * Subtrees without a large enough piece are left out; one that has it fails to give it only where
 * lo or hi cut it, which few do, or where align is none of the alignments, for which the tries are.
 */
static struct extent *find(struct extent *x, struct want *w)
{
	struct extent *found;

	if (!x || x->largest[w->class] < w->size || !w->tries)
		return NULL;
	if (alignments[w->class] != w->align)
		w->tries--;
	if (w->high) {
		found = last_of(x) < w->hi ? find(x->right, w) : NULL;
		if (!found && fits(w, x))
			found = x;
		return found || x->start <= w->lo ? found : find(x->left, w);
	}
	found = x->start > w->lo ? find(x->left, w) : NULL;
	if (!found && fits(w, x))
		found = x;
	return found || last_of(x) >= w->hi ? found : find(x->right, w);
}

/* -- Taking and giving ------------------------------------------------------------------------- */

enum nv_status extents_add(struct extents *e, u64 start, u64 size)
{
	struct extent *x = os_alloc(sizeof(*x));

	if (!x)
		return NV_ERR_NO_MEMORY;
	x->start = start;
	x->size = size;
	insert(e, x);
	e->free += size;
	return NV_OK;
}

enum nv_status extents_take(struct extents *e, u64 size, u64 align, u64 lo, u64 hi, bool high,
			    struct extent **out)
{
	struct want w = { size, align, lo, hi, 0, high, EXTENT_TRIES };
	struct extent *x, *before = NULL, *after = NULL;
	u64 at, last;

	while (w.class + 1 < EXTENT_ALIGNMENTS && alignments[w.class + 1] <= align)
		w.class ++;
	x = find(e->root, &w);
	if (!x && !w.tries && w.class + 1 < EXTENT_ALIGNMENTS) {
		align = w.align = alignments[++w.class];
		w.tries = EXTENT_TRIES;
		x = find(e->root, &w);
	}
	if (!x)
		return NV_ERR_NO_MEMORY;
	last = last_of(x);
	at = high ? align_down(min(last, hi) - (size - 1), align)
		  : align_up(max(x->start, lo), align);
	if (at != x->start)
		before = os_alloc(sizeof(*before));
	if (at + (size - 1) != last)
		after = os_alloc(sizeof(*after));
	if ((at != x->start && !before) || (at + (size - 1) != last && !after)) {
		os_free(before);
		os_free(after);
		return NV_ERR_NO_MEMORY;
	}
	take_out(e, x->start);
	if (before) {
		before->start = x->start;
		before->size = at - x->start;
		insert(e, before);
	}
	if (after) {
		after->start = at + size;
		after->size = last - (at + size) + 1;
		insert(e, after);
	}
	x->start = at;
	x->size = size;
	e->free -= size;
	*out = x;
	return NV_OK;
}

void extents_give(struct extents *e, struct extent *taken)
{
	struct extent *before = find_before(e, taken->start);
	struct extent *after = find_at(e, taken->start + taken->size);

	OS_BUG_ON(before && before->start + before->size > taken->start);
	e->free += taken->size;
	if (after) {
		after = take_out(e, after->start);
		taken->size += after->size;
		os_free(after);
	}
	if (before && before->start + before->size == taken->start) {
		before = take_out(e, before->start);
		taken->start = before->start;
		taken->size += before->size;
		os_free(before);
	}
	insert(e, taken);
}

enum nv_status extent_split(struct extent *taken, u64 at, struct extent **rest)
{
	struct extent *x = os_alloc(sizeof(*x));

	if (!x)
		return NV_ERR_NO_MEMORY;
	x->start = at;
	x->size = taken->start + taken->size - at;
	taken->size = at - taken->start;
	*rest = x;
	return NV_OK;
}

bool extents_largest(const struct extents *e, u64 align, u64 *start, u64 *size)
{
	const struct extent *x = e->root;
	u64 most;
	u32 class = 0;

	while (class + 1 < EXTENT_ALIGNMENTS && alignments[class + 1] <= align)
		class ++;
	if (!x || !x->largest[class])
		return false;
	most = x->largest[class];
	while (aligned_size(x->start, last_of(x), alignments[class]) != most)
		x = x->left && x->left->largest[class] == most ? x->left : x->right;
	*start = align_up(x->start, alignments[class]);
	*size = most;
	return true;
}

void extents_fini(struct extents *e)
{
	struct extent *x;

	/* Rotates what is left of the top to the right, until nothing is. */
	while ((x = e->root)) {
		if (x->left) {
			e->root = x->left;
			x->left = e->root->right;
			e->root->right = x;
		} else {
			e->root = x->right;
			os_free(x);
		}
	}
	e->free = 0;
}
