// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Bit fields, alignment, overflow, ranges and bitmaps at their edges.
 */
#include "base/bitmap.h"
#include "base/bits.h"
#include "base/range.h"

#include "unit.h"

#define FIELD_LOW__HI 3
#define FIELD_LOW__LO 0
#define FIELD_MID__HI 15
#define FIELD_MID__LO 8
#define FIELD_TOP__HI 63
#define FIELD_TOP__LO 60
#define FIELD_ALL__HI 63
#define FIELD_ALL__LO 0

static void test_fields(void **state)
{
	u64 word = 0xfedcba9876543210ull;

	assert_int_equal(REG_GET(FIELD_LOW, word), 0x0);
	assert_int_equal(REG_GET(FIELD_MID, word), 0x32);
	assert_int_equal(REG_GET(FIELD_TOP, word), 0xf);
	assert_true(REG_GET(FIELD_ALL, word) == word);
	assert_int_equal(REG_PREP(FIELD_MID, 0x1ab), 0xab00);
	assert_true(REG_PREP(FIELD_TOP, 5) == 0x5000000000000000ull);
	assert_true(REG_SET(FIELD_MID, word, 0xff) == 0xfedcba987654ff10ull);
	assert_int_equal(REG_PREP(FIELD_LOW, 3) | REG_PREP(FIELD_MID, 1), 0x103);
	assert_int_equal(bits_high32(word), 0xfedcba98u);
	assert_int_equal(bits_low32(word), 0x76543210u);
}

static void test_alignment(void **state)
{
	u64 sum;
	u32 small;

	assert_int_equal(align_up(0, 4096), 0);
	assert_int_equal(align_up(1, 4096), 4096);
	assert_int_equal(align_up(4096, 4096), 4096);
	assert_int_equal(align_down(8191, 4096), 4096);
	assert_true(align_up_ok(~4095ull, 4096));
	assert_false(align_up_ok(~4095ull + 1, 4096));
	assert_true(is_power_of_2(1) && is_power_of_2(BIT64(63)));
	assert_false(is_power_of_2(0) || is_power_of_2(3));
	assert_true(is_aligned(0x1000, 0x1000));
	assert_false(is_aligned(0x1001, 2));
	assert_int_equal(div_round_up(0, 5), 0);
	assert_int_equal(div_round_up(11, 5), 3);
	assert_true(div_round_up(~0ull, 2) == BIT64(63));
	assert_int_equal(bits_log2(4097), 12);
	assert_int_equal(bits_first(0x50), 4);
	assert_int_equal(bits_count(0), 0);
	assert_int_equal(bits_count(~0ull), 64);
	assert_int_equal(bits_count(0x8000000000010101ull), 4);
	assert_true(add_overflows(~0ull, 1, &sum));
	assert_false(add_overflows(~0ull - 1, 1, &sum));
	assert_true(sub_overflows(1ull, 2ull, &sum));
	assert_true(mul_overflows(0x10000u, 0x10000u, &small));
	assert_false(mul_overflows(0xffffu, 0x10001u, &small));
	assert_int_equal(min(3, 5), 3);
	assert_int_equal(max(3, 5), 5);
}

static void test_ranges(void **state)
{
	struct range a = { 10, 20 }, b = { 20, 30 }, c = { 15, 25 }, none = { 5, 5 }, r;

	assert_false(range_overlaps(a, b));
	assert_true(range_overlaps(a, c) && range_overlaps(c, b));
	assert_false(range_overlaps(a, none));
	assert_true(range_contains(a, none));
	assert_true(range_contains(a, (struct range){ 10, 20 }));
	assert_false(range_contains(a, c));
	assert_true(range_has(a, 10) && range_has(a, 19));
	assert_false(range_has(a, 20) || range_has(a, 9));
	r = range_intersect(a, c);
	assert_true(r.start == 15 && r.end == 20);
	assert_true(range_empty(range_intersect(a, b)));
	assert_int_equal(range_size((struct range){ 7, 3 }), 0);
	assert_true(range_make(~0ull - 10, 10, &r));
	assert_false(range_make(~0ull - 10, 11, &r));
	assert_true(range_fits(0, 16, 16) && range_fits(16, 0, 16));
	assert_false(range_fits(1, 16, 16) || range_fits(17, 0, 16));
	assert_false(range_fits(~0ull, 2, 16) || range_fits(8, ~0ull, 16));
}

static void test_bitmap(void **state)
{
	DECLARE_BITMAP64(map, 130);
	bool model[130] = { false };
	u64 seed = 7;
	u32 i, j, count;

	assert_int_equal(sizeof(map), 24);
	bitmap_zero(map, 130);
	assert_int_equal(bitmap_find_set(map, 130, 0), BITMAP_NONE);
	assert_int_equal(bitmap_find_clear(map, 130, 0), 0);
	for (i = 0; i < 2000; i++) {
		u32 bit = unit_random(&seed) % 130, from = unit_random(&seed) % 131;

		model[bit] = !model[bit];
		if (model[bit])
			bitmap_set(map, bit);
		else
			bitmap_clear(map, bit);
		for (j = from; j < 130 && !model[j]; j++)
			;
		assert_int_equal(bitmap_find_set(map, 130, from), j < 130 ? j : BITMAP_NONE);
		for (j = from; j < 130 && model[j]; j++)
			;
		assert_int_equal(bitmap_find_clear(map, 130, from), j < 130 ? j : BITMAP_NONE);
		for (j = 0, count = 0; j < 130; j++) {
			assert_int_equal(bitmap_test(map, j), model[j]);
			count += model[j];
		}
		assert_int_equal(bitmap_count(map, 130), count);
	}
	count = 0;
	bitmap_for_each(i, map, 130)
	{
		assert_true(model[i]);
		count++;
	}
	assert_int_equal(count, bitmap_count(map, 130));
	/* bits past the end count for nothing */
	map[0] = ~0ull;
	assert_int_equal(bitmap_find_clear(map, 60, 0), BITMAP_NONE);
	assert_int_equal(bitmap_count(map, 60), 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
