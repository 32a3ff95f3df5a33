// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The handle map against a plain array, with sequential, random and clashing handles, at a million
 * entries, under allocation failure, and iterated while it changes.
 */
#include "base/handle_map.c" /* its lines are checked from inside */

#include "unit.h"

#define UNIVERSE 4096u
#define MANY (UNIT_SANITIZED ? 200000u : 1000000u)

static void *entry(u32 i)
{
	return (void *)(uintptr_t)(((u64)i + 1) * 16);
}

/* Handles as clients choose them: counted up, strided, arbitrary. */
static u32 handle_of(u32 kind, u32 i)
{
	switch (kind) {
	case 0:
		return 0xcaf00000u + i;
	case 1:
		return i << 16 | i >> 16;
	case 2:
		return i * 0x01000193u;
	default:
		return i << 12; /* all but the top bits equal for small i */
	}
}

static void test_empty(void **state)
{
	struct handle_map map;
	u64 cursor = 0;

	handle_map_init(&map);
	assert_null(handle_map_find(&map, 0));
	assert_null(handle_map_remove(&map, 0));
	assert_null(handle_map_next(&map, &cursor, NULL));
	assert_int_equal(handle_map_count(&map), 0);
	assert_int_equal(handle_map_memory(&map), 0);
	handle_map_destroy(&map);
}

static void test_small(void **state)
{
	struct handle_map map;
	u64 live = unit_live();
	u32 i;

	handle_map_init(&map);
	assert_int_equal(handle_map_insert(&map, 0, entry(0)), NV_OK);
	assert_int_equal(handle_map_insert(&map, ~0u, entry(1)), NV_OK);
	assert_int_equal(handle_map_insert(&map, 0, entry(2)), NV_ERR_INSERT_DUPLICATE_NAME);
	assert_ptr_equal(handle_map_find(&map, 0), entry(0));
	assert_ptr_equal(handle_map_find(&map, ~0u), entry(1));
	assert_true(handle_map_memory(&map) <= 64);
	assert_ptr_equal(handle_map_remove(&map, 0), entry(0));
	assert_null(handle_map_find(&map, 0));
	assert_null(handle_map_remove(&map, 0));
	assert_ptr_equal(handle_map_remove(&map, ~0u), entry(1));
	assert_int_equal(handle_map_memory(&map), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(handle_map_insert(&map, i, entry(i)), NV_OK);
	assert_true(handle_map_memory(&map) <= 20 * 32);
	handle_map_destroy(&map);
	assert_int_equal(unit_live(), live);
}

/*
 * Every entry sits where a look-up finds it, and each line counts exactly the entries that went
 * past it: one too many costs look-ups time, one too few loses an entry.
 */
static void assert_sound(const struct handle_map_table *t)
{
	u32 *passed, line, at, i;

	if (!t->line_count)
		return;
	passed = calloc(t->line_count, sizeof(*passed));
	assert_non_null(passed);
	for (line = 0; line < t->line_count; line++) {
		for (i = 0; i < LINE_SLOTS; i++) {
			if (!t->lines[line].ptr[i])
				continue;
			at = home_line(t, hash_handle(t->lines[line].handle[i]));
			for (; at != line; at = next_line(t, at))
				passed[at]++;
		}
	}
	for (line = 0; line < t->line_count; line++)
		assert_int_equal(t->lines[line].passed, passed[line]);
	free(passed);
}

static void assert_same(struct handle_map *map, u32 kind, const bool *model)
{
	bool seen[UNIVERSE] = { false };
	u32 i, handle, count = 0, seen_count = 0;
	u64 cursor = 0;
	void *ptr;

	for (i = 0; i < UNIVERSE; i++) {
		count += model[i];
		assert_ptr_equal(handle_map_find(map, handle_of(kind, i)),
				 model[i] ? entry(i) : NULL);
	}
	assert_int_equal(handle_map_count(map), count);
	while ((ptr = handle_map_next(map, &cursor, &handle)) != NULL) {
		i = (u32)((uintptr_t)ptr / 16 - 1);
		assert_true(i < UNIVERSE && model[i] && !seen[i]);
		assert_int_equal(handle, handle_of(kind, i));
		seen[i] = true;
		seen_count++;
	}
	assert_int_equal(seen_count, count);
	assert_null(handle_map_next(map, &cursor, &handle));
}

static void test_random_ops(void **state)
{
	u64 seed = 12345, live = unit_live();
	u32 kind, phase, i;

	for (kind = 0; kind < 4; kind++) {
		bool model[UNIVERSE] = { false };
		struct handle_map map;

		handle_map_init(&map);
		for (phase = 0; phase < 12; phase++) {
			/* grow, shrink and hover in turn */
			u32 bias = (u32[]){ 80, 20, 50, 95 }[phase % 4];

			for (i = 0; i < 6000; i++) {
				u32 pick = unit_random(&seed) % UNIVERSE;
				u32 handle = handle_of(kind, pick);

				if (unit_random(&seed) % 100 < bias) {
					assert_int_equal(
						handle_map_insert(&map, handle, entry(pick)),
						model[pick] ? NV_ERR_INSERT_DUPLICATE_NAME : NV_OK);
					model[pick] = true;
				} else {
					assert_ptr_equal(handle_map_remove(&map, handle),
							 model[pick] ? entry(pick) : NULL);
					model[pick] = false;
				}
				if (i % 64 == 0) {
					assert_sound(&map.cur);
					assert_sound(&map.old);
					pick = unit_random(&seed) % UNIVERSE;
				}
				assert_ptr_equal(handle_map_find(&map, handle_of(kind, pick)),
						 model[pick] ? entry(pick) : NULL);
			}
			assert_same(&map, kind, model);
		}
		for (i = 0; i < UNIVERSE; i++)
			handle_map_remove(&map, handle_of(kind, i));
		assert_int_equal(handle_map_memory(&map), 0);
		handle_map_destroy(&map);
	}
	assert_int_equal(unit_live(), live);
}

static void test_many(void **state)
{
	struct handle_map map;
	size_t full;
	u32 i;

	handle_map_init(&map);
	for (i = 0; i < MANY; i++)
		assert_int_equal(handle_map_insert(&map, 0x10000 + i, entry(i)), NV_OK);
	full = handle_map_memory(&map);
	for (i = 0; i < MANY; i++)
		if (handle_map_find(&map, 0x10000 + i) != entry(i))
			fail_msg("handle %#x is lost", 0x10000 + i);
	assert_null(handle_map_find(&map, 0x10000 + MANY));
	/* 12.8 bytes a slot between 57 % and 85 % full, and the table that is being left */
	assert_true(full < (size_t)MANY * 40);
	for (i = 0; i < MANY - 100; i++)
		if (handle_map_remove(&map, 0x10000 + i) != entry(i))
			fail_msg("handle %#x is lost", 0x10000 + i);
	assert_true(handle_map_memory(&map) < full / 100);
	for (; i < MANY; i++)
		assert_ptr_equal(handle_map_find(&map, 0x10000 + i), entry(i));
	handle_map_destroy(&map);
}

/* Every insertion fails once for want of memory where it allocates, and leaves the map as it was.
 */
static void test_no_memory(void **state)
{
	u64 live = unit_live();
	u32 i, failures = 0;
	struct handle_map map;

	if (!os_user_fail_alloc_thread(0))
		skip();
	handle_map_init(&map);
	for (i = 0; i < 3000; i++) {
		enum nv_status status;

		os_user_fail_alloc_thread(1);
		status = handle_map_insert(&map, i, entry(i));
		os_user_fail_alloc_thread(0);
		if (status != NV_OK) {
			assert_int_equal(status, NV_ERR_NO_MEMORY);
			assert_int_equal(handle_map_count(&map), i);
			assert_null(handle_map_find(&map, i));
			failures++;
			assert_int_equal(handle_map_insert(&map, i, entry(i)), NV_OK);
		}
		assert_ptr_equal(handle_map_find(&map, i / 2), entry(i / 2));
	}
	assert_true(failures > 5);
	for (i = 0; i < 3000; i++) {
		/* removal works without memory to shrink into */
		os_user_fail_alloc_thread(1);
		assert_ptr_equal(handle_map_remove(&map, i), entry(i));
		os_user_fail_alloc_thread(0);
	}
	assert_int_equal(handle_map_memory(&map), 0);
	assert_int_equal(unit_live(), live);
}

/* Entries that stay are seen exactly once whatever comes and goes meanwhile. */
static void test_iterate_while_changing(void **state)
{
	u32 i, round, handle, seen;
	u64 seed = 99;

	for (round = 0; round < 20; round++) {
		u8 times[2000] = { 0 };
		struct handle_map map;
		u64 cursor = 0;
		void *ptr;

		handle_map_init(&map);
		for (i = 0; i < 2000; i++)
			assert_int_equal(handle_map_insert(&map, i, entry(i)), NV_OK);
		while ((ptr = handle_map_next(&map, &cursor, &handle)) != NULL) {
			if (handle < 2000)
				times[handle]++;
			/* entries below 1000 stay, others go; new ones come */
			for (i = 0; i < round; i++) {
				u32 other = 1000 + unit_random(&seed) % 1000;

				if (unit_random(&seed) % 4)
					handle_map_remove(&map, other);
				else
					(void)handle_map_insert(&map, 5000 + other * 3,
								entry(other));
			}
		}
		for (i = 0; i < 1000; i++)
			assert_int_equal(times[i], 1);
		for (; i < 2000; i++)
			assert_true(times[i] <= 1);
		/* freeing all while walking ends with nothing */
		cursor = 0;
		seen = handle_map_count(&map);
		while (handle_map_next(&map, &cursor, &handle)) {
			assert_non_null(handle_map_remove(&map, handle));
			seen--;
		}
		assert_int_equal(seen, 0);
		assert_int_equal(handle_map_memory(&map), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	   cmocka_unit_test(test_small),
		cmocka_unit_test(test_random_ops), cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),  cmocka_unit_test(test_iterate_while_changing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
