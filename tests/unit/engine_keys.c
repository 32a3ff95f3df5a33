// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Key slots of the engines: loaded, replaced, wiped, and no others.
 */
#include "unit.h"

#include "h100/engine/keys.h"

static void fill(u8 *bytes, u32 size, u8 first)
{
	while (size-- != 0)
		*bytes++ = first++;
}

static void test_slots(void **state)
{
	u8 key[H100_KEY_BYTES], mask[H100_IV_BYTES];
	struct h100_keys keys;
	struct h100_key got;
	u32 space, place;

	assert_int_equal(h100_keys_init(&keys), NV_OK);
	assert_false(h100_keys_get(&keys, 2, 0, &got));
	for (space = 0; space < H100_KEY_SPACES; space++) {
		for (place = 0; place < H100_KEY_PLACES; place++) {
			fill(key, sizeof(key), (u8)(1 + space * 16 + place));
			fill(mask, sizeof(mask), (u8)(2 + space * 16 + place));
			assert_int_equal(h100_keys_load(&keys, space, place, key, mask), NV_OK);
		}
	}
	for (space = 0; space < H100_KEY_SPACES; space++) {
		for (place = 0; place < H100_KEY_PLACES; place++) {
			fill(key, sizeof(key), (u8)(1 + space * 16 + place));
			fill(mask, sizeof(mask), (u8)(2 + space * 16 + place));
			assert_true(h100_keys_get(&keys, space, place, &got));
			assert_memory_equal(got.key, key, sizeof(key));
			assert_memory_equal(got.mask, mask, sizeof(mask));
		}
	}
	fill(key, sizeof(key), 0x80);
	assert_int_equal(h100_keys_load(&keys, 9, 1, key, mask), NV_OK);
	assert_true(h100_keys_get(&keys, 9, 1, &got));
	assert_memory_equal(got.key, key, sizeof(key));
	h100_keys_fini(&keys);
}

static void test_refused(void **state)
{
	const u8 zero[H100_KEY_BYTES] = { 0 }, mask[H100_IV_BYTES] = { 1 };
	u8 key[H100_KEY_BYTES] = { [31] = 1 };
	struct h100_keys keys;
	struct h100_key got;

	assert_int_equal(h100_keys_init(&keys), NV_OK);
	assert_int_equal(h100_keys_load(&keys, H100_KEY_SPACES, 0, key, mask),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_keys_load(&keys, 0, H100_KEY_PLACES, key, mask),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_keys_load(&keys, 2, 1, zero, mask), NV_ERR_INVALID_ARGUMENT);
	assert_false(h100_keys_get(&keys, 2, 1, &got));
	assert_false(h100_keys_get(&keys, H100_KEY_SPACES, 0, &got));
	assert_false(h100_keys_get(&keys, 0, H100_KEY_PLACES, &got));
	h100_keys_fini(&keys);
}

static void test_wipe(void **state)
{
	const u8 mask[H100_IV_BYTES] = { 1 };
	u8 key[H100_KEY_BYTES] = { 7 };
	static const struct h100_key nothing;
	struct h100_keys keys;
	struct h100_key got;
	u32 space, place;

	assert_int_equal(h100_keys_init(&keys), NV_OK);
	assert_int_equal(h100_keys_load(&keys, 1, 3, key, mask), NV_OK);
	h100_keys_wipe(&keys);
	for (space = 0; space < H100_KEY_SPACES; space++)
		for (place = 0; place < H100_KEY_PLACES; place++)
			assert_memory_equal(&keys.slot[space][place], &nothing, sizeof(nothing));
	assert_false(h100_keys_get(&keys, 1, 3, &got));
	assert_memory_equal(&got, &nothing, sizeof(nothing));
	h100_keys_fini(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
