// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which parts of the program's address space are memory that the daemon has too: a list sorted by
 * address, in memory of its own that a child of fork finds empty.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/preload/conn.h"

#define AREAS_MAX 65536u

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct areas {
	u32 lock;
	u32 count;
	u64 low, high; /* all areas lie in between */
	u64 last_number;
	struct lh_area list[AREAS_MAX];
};

static struct areas *areas;

/* Made once; false without memory. */
static bool areas_make(void)
{
	struct areas *made, *none = NULL;

	if (__atomic_load_n(&areas, __ATOMIC_ACQUIRE))
		return true;
	made = (void *)syscall(SYS_mmap, NULL, sizeof(*made), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (made == MAP_FAILED)
		return false;
	/* Where the kernel cannot wipe it, a child finds its parent's list, and may not. */
	if (madvise(made, sizeof(*made), MADV_WIPEONFORK) ||
	    !__atomic_compare_exchange_n(&areas, &none, made, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		syscall(SYS_munmap, made, sizeof(*made));
	return __atomic_load_n(&areas, __ATOMIC_ACQUIRE) != NULL;
}

bool lh_area_lock(sigset_t *before)
{
	if (!areas_make())
		return false;
	lh_word_lock(&areas->lock, before);
	return true;
}

void lh_area_unlock(const sigset_t *before)
{
	lh_word_unlock(&areas->lock, before);
}

bool lh_area_near(u64 start, u64 size)
{
	const struct areas *a = __atomic_load_n(&areas, __ATOMIC_ACQUIRE);

	return a && __atomic_load_n(&a->count, __ATOMIC_ACQUIRE) &&
	       start < __atomic_load_n(&a->high, __ATOMIC_ACQUIRE) &&
	       start + size > __atomic_load_n(&a->low, __ATOMIC_ACQUIRE) && !lh_borrowed();
}

/* The index of the first area that ends behind address. */
static u32 find(u64 address)
{
	u32 from = 0, to = areas->count;

	while (from < to) {
		u32 middle = (from + to) / 2;

		if (areas->list[middle].end <= address)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void bounds_update(void)
{
	if (!areas->count)
		return;
	__atomic_store_n(&areas->low, areas->list[0].start, __ATOMIC_RELEASE);
	__atomic_store_n(&areas->high, areas->list[areas->count - 1].end, __ATOMIC_RELEASE);
}

const struct lh_area *lh_area_next(u64 address)
{
	u32 at = find(address);

	return at < areas->count ? &areas->list[at] : NULL;
}

bool lh_area_add(const struct lh_area *area)
{
	u32 at = find(area->start);

	if (areas->count == AREAS_MAX)
		return false;
	memmove(&areas->list[at + 1], &areas->list[at],
		(areas->count - at) * sizeof(areas->list[0]));
	areas->list[at] = *area;
	__atomic_store_n(&areas->count, areas->count + 1, __ATOMIC_RELEASE);
	bounds_update();
	return true;
}

bool lh_area_cut(u64 start, u64 end, struct lh_area *cut)
{
	u32 at = find(start);
	struct lh_area *area = &areas->list[at], rest;

	if (at == areas->count || area->start >= end)
		return false;
	*cut = rest = *area;
	if (start > cut->start) {
		cut->offset += start - cut->start;
		cut->start = start;
	}
	if (end < cut->end)
		cut->end = end;
	if (cut->start == area->start && cut->end == area->end) {
		memmove(area, area + 1, (areas->count - at - 1) * sizeof(*area));
		__atomic_store_n(&areas->count, areas->count - 1, __ATOMIC_RELEASE);
	} else if (cut->start == area->start) {
		area->offset += cut->end - area->start;
		area->start = cut->end;
	} else {
		area->end = cut->start;
		if (rest.end > cut->end) {
			rest.offset += cut->end - rest.start;
			rest.start = cut->end;
			/* Where there is no room for it the driver keeps it until the end. */
			lh_area_add(&rest);
		}
	}
	bounds_update();
	return true;
}

bool lh_area_has(u8 kind, u64 number)
{
	for (u32 i = 0; i < areas->count; i++) {
		if (areas->list[i].kind == kind && areas->list[i].number == number)
			return true;
	}
	return false;
}

u64 lh_area_number(void)
{
	return ++areas->last_number;
}
