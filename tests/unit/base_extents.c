// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The free parts of a range against a plain map of its pages, at random, and under failures. */
#include "base/bits.h"
#include "base/extents.h"
#include "unit.h"

#define PAGES 4096u
#define UNIT 4096ull
#define BASE 0x7000000ull

static u8 taken[PAGES];

/* Where a piece would fit, by looking at every page. */
static bool expect(u64 size, u64 align, u64 lo, u64 hi, bool high, u64 *at)
{
	u64 pages = size / UNIT, i, j;

	for (i = 0; i + pages <= PAGES; i++) {
		u64 first = high ? PAGES - pages - i : i, start = BASE + first * UNIT;

		if (start % align || start < lo || start + size - 1 > hi)
			continue;
		for (j = 0; j < pages && !taken[first + j]; j++)
			;
		if (j == pages) {
			*at = start;
			return true;
		}
	}
	return false;
}

static void mark(const struct extent *x, u8 value)
{
	memset(&taken[(x->start - BASE) / UNIT], value, x->size / UNIT);
}

static u64 largest(u64 align)
{
	u64 i, run, best = 0;

	for (i = 0; i < PAGES; i++) {
		if ((BASE + i * UNIT) % align)
			continue;
		for (run = 0; i + run < PAGES && !taken[i + run]; run++)
			;
		best = run > best ? run : best;
	}
	return best * UNIT;
}

static void test_against_a_map(void **state)
{
	struct extent *held[512] = { 0 };
	struct extents e;
	u64 live = unit_live(), start, size;
	u32 round, i;

	extents_init(&e);
	e.seed = 12345;
	srand(1);
	memset(taken, 0, sizeof(taken));
	assert_int_equal(extents_add(&e, BASE, PAGES * UNIT), NV_OK);
	for (round = 0; round < 20000; round++) {
		i = (u32)rand() % ARRAY_SIZE(held);
		if (held[i]) {
			mark(held[i], 0);
			extents_give(&e, held[i]);
			held[i] = NULL;
		} else {
			u64 align = UNIT << (rand() % 11), at = 0, lo = 0, hi = ~0ull;
			bool high = rand() % 2, found;

			size = ((u64)rand() % (rand() % 4 ? 8 : 600) + 1) * UNIT;
			if (rand() % 4 == 0) {
				lo = BASE + (u64)rand() % PAGES * UNIT;
				hi = lo + (u64)rand() % PAGES * UNIT + UNIT - 1;
			}
			found = expect(size, align, lo, hi, high, &at);
			assert_int_equal(extents_take(&e, size, align, lo, hi, high, &held[i]),
					 found ? NV_OK : NV_ERR_NO_MEMORY);
			if (!found)
				continue;
			assert_int_equal(held[i]->start, at);
			assert_int_equal(held[i]->size, size);
			mark(held[i], 1);
		}
		if (round % 64 == 0) {
			u64 want = largest(UNIT);

			assert_int_equal(extents_largest(&e, UNIT, &start, &size), want != 0);
			if (want)
				assert_int_equal(size, want);
			want = largest(65536);
			if (extents_largest(&e, 65536, &start, &size))
				assert_int_equal(size, want);
			else
				assert_int_equal(want, 0);
		}
	}
	for (i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i])
			extents_give(&e, held[i]);
	assert_int_equal(e.free, PAGES * UNIT);
	assert_true(extents_largest(&e, UNIT, &start, &size));
	assert_int_equal(size, PAGES * UNIT);
	extents_fini(&e);
	assert_int_equal(unit_live(), live);
}

static void test_ends_of_the_world(void **state)
{
	struct extent *x, *rest;
	struct extents e;
	u64 start, size;

	extents_init(&e);
	assert_int_equal(extents_add(&e, ~0ull - 0xffff, 0x10000), NV_OK);
	assert_int_equal(extents_take(&e, 0x20000, 1, 0, ~0ull, false, &x), NV_ERR_NO_MEMORY);
	assert_int_equal(extents_take(&e, ~0ull, 1ull << 63, 0, ~0ull, true, &x), NV_ERR_NO_MEMORY);
	assert_int_equal(extents_take(&e, 0x1000, 0x1000, ~0ull - 0xfff, ~0ull, false, &x), NV_OK);
	assert_int_equal(x->start, ~0ull - 0xfff);
	assert_int_equal(extent_split(x, ~0ull - 0x7ff, &rest), NV_OK);
	extents_give(&e, x);
	assert_int_equal(e.free, 0xf800);
	extents_give(&e, rest);
	assert_int_equal(extents_take(&e, 0x10000, 0x10000, 0, ~0ull, true, &x), NV_OK);
	extent_free(x);
	assert_false(extents_largest(&e, 1, &start, &size));
	extents_fini(&e);
}

static void test_failing(void **state)
{
	struct extent *x;
	struct extents e;
	u64 live = unit_live();
	u32 n;

	if (!os_user_fail_alloc_thread(0))
		skip();
	extents_init(&e);
	os_user_fail_alloc_thread(1);
	assert_int_equal(extents_add(&e, 0, 0x10000), NV_ERR_NO_MEMORY);
	assert_int_equal(extents_add(&e, 0, 0x10000), NV_OK);
	for (n = 1; n <= 2; n++) {
		os_user_fail_alloc_thread(n);
		assert_int_equal(extents_take(&e, 0x1000, 0x1000, 0x4000, ~0ull, false, &x),
				 NV_ERR_NO_MEMORY);
		assert_int_equal(e.free, 0x10000);
	}
	os_user_fail_alloc_thread(0);
	extents_fini(&e);
	assert_int_equal(unit_live(), live);
}

/* Of many parts that are large enough but not aligned as asked, few are tried, wherever they lie.
 */
/* More parts than are tried, none of which fits an alignment of 4 MiB. */
static void many_odd(struct extents *e)
{
	extents_init(e);
	for (u32 i = 0; i < 2 * EXTENT_TRIES; i++)
		assert_int_equal(extents_add(e, (2ull * i + 1) * MIB(2), MIB(2)), NV_OK);
}

static void test_odd_alignments(void **state)
{
	enum nv_status status = NV_OK;
	const u64 far = BIT64(50), big = GIB(1);
	struct extent *found;
	struct extents e;
	u64 live = unit_live();
	u32 i;

	/*
	 * The last one fits; it is not looked for so long. Priorities are drawn at random, and one
	 * tree in so many has it near its root.
	 */
	for (i = 0; i < 20 && status != NV_ERR_NO_MEMORY; i++) {
		if (i)
			extents_fini(&e);
		many_odd(&e);
		assert_int_equal(extents_add(&e, far + MIB(4), MIB(2)), NV_OK);
		status = extents_take(&e, MIB(2), MIB(4), 0, ~0ull, false, &found);
		if (status == NV_OK)
			extents_give(&e, found);
	}
	assert_int_equal(status, NV_ERR_NO_MEMORY);
	assert_int_equal(extents_take(&e, MIB(2), MIB(4), far, ~0ull, false, &found), NV_OK);
	assert_int_equal(found->start, far + MIB(4));
	extents_give(&e, found);
	/* What is aligned more than asked is found among however many. */
	assert_int_equal(extents_add(&e, 2 * far, big), NV_OK);
	assert_int_equal(extents_take(&e, MIB(2), MIB(4), 0, ~0ull, false, &found), NV_OK);
	assert_int_equal(found->start, 2 * far);
	extents_give(&e, found);
	assert_int_equal(extents_take(&e, MIB(2), MIB(512), 0, ~0ull, true, &found), NV_OK);
	assert_int_equal(found->start, 2 * far + MIB(512));
	extents_give(&e, found);
	assert_int_equal(extents_take(&e, big, big, 0, ~0ull, true, &found), NV_OK);
	extents_give(&e, found);
	extents_fini(&e);
	/* Few parts: the lowest, at a multiple of just what was asked for. */
	assert_int_equal(extents_add(&e, MIB(2), MIB(7)), NV_OK);
	assert_int_equal(extents_add(&e, MIB(512), MIB(8)), NV_OK);
	assert_int_equal(extents_take(&e, MIB(4), MIB(4), 0, ~0ull, false, &found), NV_OK);
	assert_int_equal(found->start, MIB(4));
	extents_give(&e, found);
	extents_fini(&e);
	assert_int_equal(unit_live(), live);
}

static void test_deep(void **state)
{
	u32 count = UNIT_SANITIZED ? 20000 : 200000, i;
	struct extent **held = calloc(count, sizeof(held[0]));
	struct extents e;
	u64 start;

	extents_init(&e);
	assert_int_equal(extents_add(&e, 0, (u64)count * UNIT * 2), NV_OK);
	start = os_time_ns();
	for (i = 0; i < count; i++)
		assert_int_equal(extents_take(&e, UNIT, UNIT, 0, ~0ull, false, &held[i]), NV_OK);
	for (i = 0; i < count; i += 2)
		extents_give(&e, held[i]);
	/* Free parts by the thousand, none of two pages but the last. */
	for (i = 0; i < count; i += 2)
		assert_int_equal(extents_take(&e, 2 * UNIT, UNIT, 0, ~0ull, false, &held[i]),
				 NV_OK);
	assert_true(os_time_ns() - start < 20000000000ull);
	for (i = 0; i < count; i++)
		extents_give(&e, held[i]);
	assert_int_equal(e.free, (u64)count * UNIT * 2);
	extents_fini(&e);
	free(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_map), cmocka_unit_test(test_ends_of_the_world),
		cmocka_unit_test(test_failing),	      cmocka_unit_test(test_odd_alignments),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
