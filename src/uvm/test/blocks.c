// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed ranges and their blocks, at addresses that no process and no GPU has: how they are cut
 * into blocks, and that memory stays what it is however often they are split.
 */
#include "uvm/block.h"
#include "uvm/test/test.h"

/* Between the halves of the address space, 2 MiB aligned. */
#define BASE (BIT64(60) + GIB(1))
/* Begins and ends in the middle of a block. */
#define START (BASE + MIB(2) - 3 * OS_PAGE_SIZE)
#define SIZE (MIB(4) + 5 * OS_PAGE_SIZE)

static enum nv_status make(struct uvm_space *space, u64 start, u64 size, struct uvm_range **out)
{
	enum nv_status status = uvm_range_create(space, start, size, UVM_RANGE_MANAGED, out);

	if (status != NV_OK)
		return status;
	status = uvm_managed_init(*out);
	if (status != NV_OK)
		uvm_range_destroy(*out);
	return status;
}

/* -- Arithmetic -------------------------------------------------------------------------------- */

/* Blocks cover the range, none across a multiple of 2 MiB, and each address is of its block. */
static enum nv_status check_shape(const struct uvm_range *range)
{
	u64 count = uvm_block_count(range), at = range->node.start, i;

	for (i = 0; i < count; i++) {
		u64 start = uvm_block_start(range, i), last = uvm_block_last(range, i);

		TEST_CHECK(start == at && last >= start && last <= range->node.last);
		TEST_CHECK(start / UVM_BLOCK_SIZE == last / UVM_BLOCK_SIZE);
		TEST_CHECK(last == range->node.last || is_aligned(last + 1, UVM_BLOCK_SIZE));
		TEST_CHECK(uvm_block_index(range, start) == i && uvm_block_index(range, last) == i);
		at = last + 1;
	}
	TEST_CHECK(at == range->node.last + 1);
	return NV_OK;
}

static enum nv_status shapes(struct uvm_space *space)
{
	static const u64 ranges[][2] = {
		{ BASE, OS_PAGE_SIZE },
		{ BASE, MIB(2) },
		{ BASE, MIB(2) + OS_PAGE_SIZE },
		{ BASE + MIB(2) - OS_PAGE_SIZE, OS_PAGE_SIZE },
		{ BASE + MIB(2) - OS_PAGE_SIZE, 2 * OS_PAGE_SIZE },
		{ BASE + OS_PAGE_SIZE, MIB(6) },
		{ START, SIZE },
	};
	struct uvm_range *range;
	enum nv_status status;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		TEST_OK(make(space, ranges[i][0], ranges[i][1], &range));
		status = check_shape(range);
		uvm_range_destroy(range);
		if (status != NV_OK)
			return status;
	}
	return NV_OK;
}

/* -- Memory ------------------------------------------------------------------------------------ */

static u64 word_at(u64 address)
{
	return address * 0x9e3779b97f4a7c15ull;
}

/* The CPU's view of the page, by whatever range has it now. */
static enum nv_status page_at(struct uvm_space *space, u64 address, u64 **page)
{
	struct uvm_range *range = uvm_range_find(space, address);
	struct uvm_extent extent;

	TEST_CHECK(range && range->kind == UVM_RANGE_MANAGED);
	TEST_OK(uvm_managed_populate(range, address, &extent));
	TEST_CHECK(address >= extent.address && address - extent.address < extent.size);
	TEST_CHECK(extent.address >= range->node.start &&
		   extent.address + extent.size - 1 <= range->node.last);
	TEST_CHECK(extent.writable && extent.offset + extent.size <= extent.pages->size);
	*page = (u64 *)((u8 *)extent.pages->cpu + extent.offset + (address - extent.address));
	return NV_OK;
}

static enum nv_status write_all(struct uvm_space *space)
{
	u64 at, *page;

	for (at = START; at < START + SIZE; at += OS_PAGE_SIZE) {
		TEST_OK(page_at(space, at, &page));
		TEST_CHECK(page[0] == 0 && page[OS_PAGE_SIZE / sizeof(u64) - 1] == 0);
		page[0] = word_at(at);
		page[OS_PAGE_SIZE / sizeof(u64) - 1] = ~word_at(at);
	}
	return NV_OK;
}

static enum nv_status read_all(struct uvm_space *space)
{
	u64 at, *page;

	for (at = START; at < START + SIZE; at += OS_PAGE_SIZE) {
		TEST_OK(page_at(space, at, &page));
		TEST_CHECK(page[0] == word_at(at));
		TEST_CHECK(page[OS_PAGE_SIZE / sizeof(u64) - 1] == ~word_at(at));
	}
	return NV_OK;
}

static enum nv_status split_all(struct uvm_space *space)
{
	/* In pages from the start on: at a block's border, beside it, in its middle, twice in one.
	 */
	static const u32 cuts[] = { 3, 2, 515, 516, 200, 100, 1027, 1 };
	struct uvm_range *range, *upper;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		u64 at = START + (u64)cuts[i] * OS_PAGE_SIZE, first, last;

		range = uvm_range_find(space, at);
		first = range->node.start;
		last = range->node.last;
		TEST_OK(uvm_managed_split(range, at - 1, &upper));
		TEST_CHECK(uvm_range_find(space, at - 1) == range);
		TEST_CHECK(uvm_range_find(space, at) == upper && uvm_range_next(range) == upper);
		TEST_CHECK(range->node.start == first && range->node.last == at - 1);
		TEST_CHECK(upper->node.start == at && upper->node.last == last);
		TEST_OK(check_shape(range));
		TEST_OK(check_shape(upper));
		TEST_OK(read_all(space));
	}
	/* One that is to fail changes nothing. */
	range = uvm_range_find(space, START + 700 * OS_PAGE_SIZE);
	range->fail_split = true;
	TEST_CHECK(uvm_managed_split(range, START + 700 * OS_PAGE_SIZE - 1, &upper) ==
		   NV_ERR_NO_MEMORY);
	TEST_CHECK(!range->fail_split);
	return read_all(space);
}

static enum nv_status contents(struct uvm_space *space)
{
	struct uvm_range *range;
	enum nv_status status;

	TEST_OK(make(space, START, SIZE, &range));
	status = write_all(space);
	if (status == NV_OK)
		status = read_all(space);
	if (status == NV_OK)
		status = split_all(space);
	while ((range = uvm_range_first_in(space, START, START + SIZE - 1)))
		uvm_range_destroy(range);
	return status;
}

enum nv_status uvm_test_va_block(struct uvm_file *file, void *params)
{
	struct uvm_space *space = file->space;
	enum nv_status status;

	os_mutex_lock(&space->lock);
	status = shapes(space);
	if (status == NV_OK)
		status = contents(space);
	os_mutex_unlock(&space->lock);
	return status;
}
