/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Half-open ranges [start, end) of 64-bit addresses. A range with end <= start is empty.
 */
#ifndef BASE_RANGE_H
#define BASE_RANGE_H

#include "base/types.h"

struct range {
	u64 start, end;
};

/* False (and *range untouched) when start + size does not fit 64 bits. */
static inline bool range_make(u64 start, u64 size, struct range *range)
{
	if (size > ~(u64)0 - start)
		return false;
	range->start = start;
	range->end = start + size;
	return true;
}

static inline bool range_empty(struct range r)
{
	return r.end <= r.start;
}

static inline u64 range_size(struct range r)
{
	return range_empty(r) ? 0 : r.end - r.start;
}

static inline bool range_has(struct range r, u64 address)
{
	return address >= r.start && address < r.end;
}

/* Every byte of inner is in outer; an empty inner is in anything. */
static inline bool range_contains(struct range outer, struct range inner)
{
	return range_empty(inner) || (inner.start >= outer.start && inner.end <= outer.end);
}

/* They have a byte in common. */
static inline bool range_overlaps(struct range a, struct range b)
{
	return !range_empty(a) && !range_empty(b) && a.start < b.end && b.start < a.end;
}

/* What they have in common; empty when that is nothing. */
static inline struct range range_intersect(struct range a, struct range b)
{
	struct range both = { a.start > b.start ? a.start : b.start,
			      a.end < b.end ? a.end : b.end };

	return both;
}

/*
 * offset + size lies within limit bytes: the check for any offset and size that came from outside.
 * It cannot overflow. Size 0 is fine at any offset up to limit.
 */
static inline bool range_fits(u64 offset, u64 size, u64 limit)
{
	return offset <= limit && size <= limit - offset;
}

#endif
