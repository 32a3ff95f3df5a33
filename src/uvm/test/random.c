// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Numbers that look random and come again for the same seed (splitmix64). */
#include "uvm/test/test.h"

#define DRAWS 4096u

void uvm_test_random_init(struct uvm_test_random *random, u32 seed)
{
	random->state = seed;
}

u64 uvm_test_random(struct uvm_test_random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

u64 uvm_test_random_in(struct uvm_test_random *random, u64 first, u64 last)
{
	u64 count = last - first + 1, draw, whole;

	if (!count)
		return uvm_test_random(random);
	/* Draws beyond the last whole multiple of count would make the low numbers likelier. */
	whole = ~(u64)0 - (~(u64)0 % count + 1) % count;
	do {
		draw = uvm_test_random(random);
	} while (draw > whole);
	return first + draw % count;
}

static enum nv_status check_sequences(void)
{
	struct uvm_test_random a, b, other;
	u32 i, same = 0;

	uvm_test_random_init(&a, 7);
	uvm_test_random_init(&b, 7);
	uvm_test_random_init(&other, 8);
	for (i = 0; i < DRAWS; i++) {
		u64 draw = uvm_test_random(&a);

		TEST_CHECK(draw == uvm_test_random(&b));
		same += draw == uvm_test_random(&other);
	}
	TEST_CHECK(same < 2);
	return NV_OK;
}

/* Each bit is set about half of the time: within eight standard deviations, which are 32. */
static enum nv_status check_bits(void)
{
	struct uvm_test_random random;
	u32 set[64] = { 0 }, i, bit;

	uvm_test_random_init(&random, 1);
	for (i = 0; i < DRAWS; i++) {
		u64 draw = uvm_test_random(&random);

		for (bit = 0; bit < 64; bit++)
			set[bit] += (draw >> bit) & 1;
	}
	for (bit = 0; bit < 64; bit++)
		TEST_CHECK(set[bit] > DRAWS / 2 - 256 && set[bit] < DRAWS / 2 + 256);
	return NV_OK;
}

static enum nv_status check_bounds(void)
{
	static const u64 bounds[][2] = {
		{ 0, 0 },
		{ 5, 5 },
		{ 0, ~0ull },
		{ ~0ull, ~0ull },
		{ 3, 12 },
		{ ~0ull - 9, ~0ull },
		{ 1ull << 63, ~0ull },
		{ 1, ~0ull },
	};
	struct uvm_test_random random;
	u32 i, n, seen = 0;

	uvm_test_random_init(&random, 2);
	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		for (n = 0; n < DRAWS / 16; n++) {
			u64 draw = uvm_test_random_in(&random, bounds[i][0], bounds[i][1]);

			TEST_CHECK(draw >= bounds[i][0] && draw <= bounds[i][1]);
		}
	}
	for (n = 0; n < DRAWS; n++)
		seen |= BIT32(uvm_test_random_in(&random, 3, 12));
	TEST_CHECK(seen == 0x1ff8);
	return NV_OK;
}

enum nv_status uvm_test_rng_sanity(struct uvm_file *file, void *params)
{
	TEST_OK(check_sequences());
	TEST_OK(check_bits());
	return check_bounds();
}
