// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The handle map against a plain array, with sequential, random and clashing handles, at a million
 * entries, with handles that were chosen to clash, under allocation failure, and iterated while it
 * changes.
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

static void map_init(struct handle_map *map)
{
	struct handle_map_key key;

	assert_int_equal(handle_map_key_init(&key), NV_OK);
	handle_map_init(map, &key);
}

static void test_empty(void **state)
{
	struct handle_map map;
	u64 cursor = 0;

	map_init(&map);
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

	map_init(&map);
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
static void assert_sound(const struct handle_map *map, const struct handle_map_table *t)
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
			at = home_line(t, handle_map_hash(&map->key, t->lines[line].handle[i]));
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

		map_init(&map);
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
					assert_sound(&map, &map.cur);
					assert_sound(&map, &map.old);
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

	map_init(&map);
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

/* -- Handles chosen by somebody who wants the map slow ------------------------------------------
 */

#define HOSTILE 60000u

/* The number that an odd one makes 1 with. */
static u32 inverse(u32 odd)
{
	u32 x = odd, i;

	for (i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

/* The handle of a hash, for those who know the key. */
static u32 unhash(const struct handle_map_key *key, u32 hash)
{
	u32 h = hash * inverse(key->third);

	h = (h ^ h >> 15 ^ h >> 30) * inverse(key->second);
	return (h ^ h >> 16) * inverse(key->first);
}

/* How many lines the entries of a map lie beyond their home lines, all together. */
static u64 lines_passed(const struct handle_map *map)
{
	u64 passed = 0;
	u32 line;

	for (line = 0; line < map->cur.line_count; line++)
		passed += map->cur.lines[line].passed;
	return passed;
}

/* The same for count handles that all fall close together in a map of that key. */
static u64 passed_when_hostile(const struct handle_map_key *known, const struct handle_map_key *key,
			       u32 count)
{
	struct handle_map map;
	u64 passed;
	u32 i;

	handle_map_init(&map, key);
	for (i = 0; i < count; i++)
		assert_int_equal(handle_map_insert(&map, unhash(known, 0x40000000u + i), entry(i)),
				 NV_OK);
	map_move(&map, map.old.line_count);
	passed = lines_passed(&map);
	handle_map_destroy(&map);
	return passed;
}

/*
 * Without the map's key, handles cannot be chosen so that look-ups get long: not with a well-known
 * one, nor with that of another map.
 */
static void test_hostile_handles(void **state)
{
	static const struct handle_map_key known = { 0x9e3779b1u, 0x85ebca6bu, 0xc2b2ae35u };
	struct handle_map_key key, other;
	u32 round;

	assert_int_equal(unhash(&known, handle_map_hash(&known, 0xcaf00001u)), 0xcaf00001u);
	/* with it they can: what this test counts is what an attacker gains */
	assert_true(passed_when_hostile(&known, &known, 2000) > 2000 * 100);
	for (round = 0; round < 8; round++) {
		assert_int_equal(handle_map_key_init(&key), NV_OK);
		assert_int_equal(handle_map_key_init(&other), NV_OK);
		assert_memory_not_equal(&key, &other, sizeof(key));
		assert_true(passed_when_hostile(&known, &key, HOSTILE) < HOSTILE * 2);
		assert_true(passed_when_hostile(&other, &key, HOSTILE) < HOSTILE * 2);
	}
}

/* Nor by what they have in common: for some key all of a kind would be evenly spaced. */
static void test_hostile_spacing(void **state)
{
	static const u32 steps[] = { 1, 1u << 12, 1u << 16, 1u << 17, 0x10001, 0x9e3779b1u };
	u32 round, kind, i, count = 4000;

	for (round = 0; round < 300; round++) {
		for (kind = 0; kind < ARRAY_SIZE(steps); kind++) {
			struct handle_map map;

			map_init(&map);
			for (i = 0; i < count; i++)
				assert_int_equal(handle_map_insert(&map, i * steps[kind], entry(i)),
						 NV_OK);
			map_move(&map, map.old.line_count);
			assert_true(lines_passed(&map) < 2 * count);
			handle_map_destroy(&map);
		}
	}
}

static void insert_without_key(void)
{
	struct handle_map map = { 0 };

	(void)handle_map_insert(&map, 1, entry(1));
}

/* Memory that nobody initialised is an empty map, but no map with a key that everybody knows. */
static void test_no_key(void **state)
{
	struct handle_map map = { 0 };
	u64 cursor = 0;

	assert_null(handle_map_find(&map, 1));
	assert_null(handle_map_remove(&map, 1));
	assert_null(handle_map_next(&map, &cursor, NULL));
	handle_map_destroy(&map);
	unit_assert_aborts(insert_without_key, "key");
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
	map_init(&map);
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

		map_init(&map);
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
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_random_ops),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_hostile_handles),
		cmocka_unit_test(test_hostile_spacing),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_iterate_while_changing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
