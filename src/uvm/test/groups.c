// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Range groups of the client's, given addresses that no process has: where their parts begin, end,
 * meet and are cut.
 */
#include "uvm/range.h"
#include "uvm/test/test.h"

/* Between the halves of the address space, where nothing can be mapped; in units of a page. */
#define BASE BIT64(60)
#define UNIT OS_PAGE_SIZE
#define SPAN 64u
#define GROUPS 4u
#define NONE UVM_RANGE_GROUP_ID_NONE

struct group_test {
	struct uvm_space *space;
	const NvU64 *ids;
	u64 counts[GROUPS]; /* parts of each before the test */
	u8 expected[SPAN];  /* by unit: 0 none, else 1 + index of the group */
};

static u64 id_of(const struct group_test *t, u32 owner)
{
	return owner ? t->ids[owner - 1] : NONE;
}

/* first .. last by unit, becomes the owner's. */
static enum nv_status assign(struct group_test *t, u32 owner, u32 first, u32 last)
{
	u32 i;

	TEST_OK(uvm_group_assign(t->space, id_of(t, owner), BASE + first * UNIT,
				 BASE + (last + 1) * UNIT - 1));
	for (i = first; i <= last; i++)
		t->expected[i] = (u8)owner;
	return NV_OK;
}

/* Every address is whose it should be, in parts that are as large as they can be. */
static enum nv_status check(const struct group_test *t)
{
	u64 counts[GROUPS] = { 0 }, start, last, id, count;
	u32 i, end;

	for (i = 0; i < SPAN; i = end) {
		bool present;

		for (end = i + 1; end < SPAN && t->expected[end] == t->expected[i]; end++)
			;
		present = uvm_group_at(t->space, BASE + i * UNIT, &start, &last, &id);
		TEST_CHECK(present == (t->expected[i] != 0) && id == id_of(t, t->expected[i]));
		/* A gap goes on beyond what the test has. */
		TEST_CHECK(i == 0 && !present ? start <= BASE : start == BASE + i * UNIT);
		TEST_CHECK(end == SPAN && !present ? last >= BASE + SPAN * UNIT - 1
						   : last == BASE + end * UNIT - 1);
		TEST_CHECK(uvm_group_at(t->space, BASE + end * UNIT - 1, &start, &last, &id) ==
			   present);
		if (present)
			counts[t->expected[i] - 1]++;
	}
	for (i = 0; i < GROUPS; i++) {
		TEST_OK(uvm_group_count(t->space, t->ids[i], &count));
		TEST_CHECK(count == t->counts[i] + counts[i]);
	}
	return NV_OK;
}

static enum nv_status by_hand(struct group_test *t)
{
	static const u8 steps[][3] = {
		{ 1, 10, 19 }, /* alone */
		{ 1, 20, 29 }, /* one with it */
		{ 1, 5, 9 },   /* at its other end */
		{ 2, 12, 15 }, /* in its middle: three parts */
		{ 1, 12, 15 }, /* closed again */
		{ 2, 0, 10 },  /* over its start */
		{ 3, 25, 40 }, /* over its end */
		{ 0, 11, 12 }, /* taken out */
		{ 4, 3, 3 },   /* one page */
		{ 4, 0, 63 },  /* over all */
		{ 0, 1, 62 },  /* only the ends are left */
		{ 2, 30, 30 }, { 3, 31, 31 }, { 2, 29, 29 }, { 2, 31, 31 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		TEST_OK(assign(t, steps[i][0], steps[i][1], steps[i][2]));
		TEST_OK(check(t));
	}
	return NV_OK;
}

static enum nv_status at_random(struct group_test *t)
{
	struct uvm_test_random random;
	u32 i;

	uvm_test_random_init(&random, 3);
	for (i = 0; i < 500; i++) {
		u32 first = (u32)uvm_test_random_in(&random, 0, SPAN - 1);
		u32 last = (u32)uvm_test_random_in(&random, first, SPAN - 1);

		TEST_OK(assign(t, (u32)uvm_test_random_in(&random, 0, GROUPS), first, last));
		TEST_OK(check(t));
	}
	return NV_OK;
}

static enum nv_status run(struct group_test *t)
{
	u32 i, k;

	for (i = 0; i < GROUPS; i++) {
		/* One twice would be counted twice. */
		for (k = 0; k < i; k++) {
			if (t->ids[i] == t->ids[k])
				return NV_ERR_INVALID_PARAMETER;
		}
		if (uvm_group_count(t->space, t->ids[i], &t->counts[i]) != NV_OK)
			return NV_ERR_INVALID_PARAMETER;
	}
	TEST_OK(by_hand(t));
	return at_random(t);
}

enum nv_status uvm_test_range_group_tree(struct uvm_file *file, void *params)
{
	UVM_TEST_RANGE_GROUP_TREE_PARAMS *p = params;
	struct group_test t = { .space = file->space, .ids = p->rangeGroupIds };
	enum nv_status status, end;

	os_mutex_lock(&file->space->lock);
	status = run(&t);
	/* No part goes beyond the test's, so this needs no memory. */
	end = uvm_group_assign(file->space, NONE, BASE, BASE + SPAN * UNIT - 1);
	os_mutex_unlock(&file->space->lock);
	return status == NV_OK ? end : status;
}
