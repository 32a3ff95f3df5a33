/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A walk of page tables that is a test's own, from the published format, through the BAR that shows
 * video memory.
 */
#ifndef TESTS_PAGE_WALK_H
#define TESTS_PAGE_WALK_H

#include "base/bits.h"
#include "os/os.h"
#include "unit.h"

struct found {
	bool page, sparse;
	u64 address, size;
	u32 aperture, pcf, kind;
};

static inline bool page_walk_entry(u64 entry, u64 va, u64 size, struct found *f)
{
	if (!(entry & 1)) {
		f->sparse = (entry >> 3 & 0x1f) == 1;
		return f->sparse;
	}
	f->page = true;
	f->size = size;
	f->aperture = entry >> 1 & 3;
	f->pcf = entry >> 3 & 0x1f;
	f->kind = entry >> 8 & 0xf;
	f->address = (entry & 0xffffffffff000ull) + va % size;
	return true;
}

/* Tables lie in video memory, and so does the root. */
static inline struct found page_walk(struct os_pci_dev *pci, u64 table, u64 va)
{
	static const u32 shifts[] = { 56, 47, 38, 29 }, widths[] = { 1, 9, 9, 9 };
	struct found f = { 0 };
	u64 entry, high;
	u32 i;

	for (i = 0; i < 4; i++) {
		entry = os_pci_rd64(pci, 2,
				    table + (va >> shifts[i] & ((1ull << widths[i]) - 1)) * 8);
		if (entry & 1) {
			assert_int_equal(i, 3);
			page_walk_entry(entry, va, MIB(512), &f);
			return f;
		}
		if ((entry >> 1 & 3) == 0) {
			f.sparse = (entry >> 3 & 7) == 3;
			return f;
		}
		assert_int_equal(entry >> 1 & 3, 1);
		assert_int_equal(entry >> 3 & 7, 2);
		table = entry & 0xffffffffff000ull;
	}
	entry = os_pci_rd64(pci, 2, table + (va >> 21 & 0xff) * 16);
	high = os_pci_rd64(pci, 2, table + (va >> 21 & 0xff) * 16 + 8);
	if (entry & 1) {
		page_walk_entry(entry, va, MIB(2), &f);
		return f;
	}
	if ((entry >> 1 & 3) == 1 &&
	    page_walk_entry(os_pci_rd64(pci, 2, (entry & 0xfffffffffff00ull) + (va >> 16 & 31) * 8),
			    va, KIB(64), &f))
		return f;
	if ((high >> 1 & 3) == 1) {
		page_walk_entry(
			os_pci_rd64(pci, 2, (high & 0xffffffffff000ull) + (va >> 12 & 511) * 8), va,
			OS_PAGE_SIZE, &f);
		return f;
	}
	f.sparse = (entry >> 1 & 3) == 0 && (entry >> 3 & 7) == 3;
	return f;
}

#endif
