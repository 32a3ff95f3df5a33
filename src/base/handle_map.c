// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The handle map: open addressing over cache lines of five entries. The hash is a bijection of the
 * handle, a secret one, and its high bits choose the line, so the order of hashes is the order of
 * home lines, which makes iteration independent of the table's size.
 */
#include "base/handle_map.h"

#include "base/bits.h"
#include "os/os.h"

#define LINE_SLOTS 5u
#define LINE_BYTES 64u

/* An entry sits in its home line or, when that is full, in the next one that has room. */
struct handle_map_line {
	void *ptr[LINE_SLOTS]; /* NULL: free */
	u32 handle[LINE_SLOTS];
	u32 passed; /* entries of this or an earlier home line that sit beyond this line */
};

_Static_assert(sizeof(struct handle_map_line) == LINE_BYTES, "a line is one cache line");

#define MOVE_LINES 4u	   /* lines of old moved at each change */
#define MOVE_AT_ONCE 32u   /* tables up to this many lines move as a whole */
#define UNALIGNED_LINES 4u /* tables up to this many lines are not worth the alignment */
#define MAX_LINES 0x80000000u

enum nv_status handle_map_key_init(struct handle_map_key *key)
{
	struct handle_map_key drawn;
	enum nv_status status = os_random(&drawn, sizeof(drawn));

	if (status != NV_OK)
		return status;
	key->first = drawn.first | 1;
	key->second = drawn.second | 1;
	key->third = drawn.third | 1;
	return NV_OK;
}

static u32 home_line(const struct handle_map_table *t, u32 hash)
{
	return (u32)(((u64)hash * t->line_count) >> 32);
}

static u32 next_line(const struct handle_map_table *t, u32 line)
{
	return line + 1 == t->line_count ? 0 : line + 1;
}

/* Entries that a table takes before it grows: 85 % of its slots; a single line is filled. */
static u64 table_limit(u32 lines)
{
	u64 slots = (u64)lines * LINE_SLOTS;

	return lines == 1 ? slots : slots * 85 / 100;
}

static enum nv_status table_alloc(struct handle_map_table *t, u32 lines)
{
	size_t pad = lines > UNALIGNED_LINES ? LINE_BYTES - 16 : 0;
	void *memory = os_alloc((size_t)lines * LINE_BYTES + pad);

	if (!memory)
		return NV_ERR_NO_MEMORY;
	t->memory = memory;
	t->lines = pad ? (void *)(uintptr_t)align_up((uintptr_t)memory, LINE_BYTES) : memory;
	t->line_count = lines;
	return NV_OK;
}

static void table_free(struct handle_map_table *t)
{
	os_free(t->memory);
	t->memory = NULL;
	t->lines = NULL;
	t->line_count = 0;
}

/* The table has room and not this handle. */
static void table_insert(struct handle_map_table *t, u32 handle, u32 hash, void *ptr)
{
	u32 i, line = home_line(t, hash);

	for (;; line = next_line(t, line)) {
		struct handle_map_line *l = &t->lines[line];

		for (i = 0; i < LINE_SLOTS; i++) {
			if (l->ptr[i])
				continue;
			l->ptr[i] = ptr;
			l->handle[i] = handle;
			return;
		}
		l->passed++;
	}
}

static void **table_find(const struct handle_map_table *t, u32 handle, u32 hash)
{
	u32 i, line, tries;

	if (!t->line_count)
		return NULL;
	line = home_line(t, hash);
	for (tries = t->line_count; tries; tries--, line = next_line(t, line)) {
		struct handle_map_line *l = &t->lines[line];

		for (i = 0; i < LINE_SLOTS; i++)
			if (l->handle[i] == handle && l->ptr[i])
				return &l->ptr[i];
		if (!l->passed)
			break;
	}
	return NULL;
}

/* slot is what table_find gave for the handle of that hash. */
static void *table_remove(struct handle_map_table *t, u32 hash, void **slot)
{
	void *ptr = *slot;
	u32 line = home_line(t, hash);
	u32 at = (u32)(((char *)slot - (char *)t->lines) / LINE_BYTES);

	for (; line != at; line = next_line(t, line))
		t->lines[line].passed--;
	*slot = NULL;
	return ptr;
}

/* Moves up to lines lines of the old table, and drops it when it is empty. */
static void map_move(struct handle_map *map, u32 lines)
{
	u32 i;

	for (; lines && map->moved < map->old.line_count; lines--, map->moved++) {
		struct handle_map_line *l = &map->old.lines[map->moved];

		for (i = 0; i < LINE_SLOTS; i++) {
			u32 handle = l->handle[i], hash = handle_map_hash(&map->key, handle);

			if (l->ptr[i])
				table_insert(&map->cur, handle, hash,
					     table_remove(&map->old, hash, &l->ptr[i]));
		}
	}
	if (map->moved == map->old.line_count) {
		table_free(&map->old);
		map->moved = 0;
	}
}

static enum nv_status map_resize(struct handle_map *map, u32 lines)
{
	struct handle_map_table table;
	enum nv_status status;

	map_move(map, map->old.line_count);
	status = table_alloc(&table, lines);
	if (status != NV_OK)
		return status;
	map->old = map->cur;
	map->cur = table;
	map->moved = 0;
	map_move(map, map->old.line_count <= MOVE_AT_ONCE ? map->old.line_count : MOVE_LINES);
	return NV_OK;
}

static enum nv_status map_grow(struct handle_map *map)
{
	u32 lines = map->cur.line_count;

	OS_BUG_ON(!(map->key.first & map->key.second & map->key.third & 1));
	if (lines >= MAX_LINES)
		return NV_ERR_NO_MEMORY;
	return map_resize(map, lines + (lines + 1) / 2 + !lines);
}

/* Gives memory back when less than a quarter is in use; stays as it is when it cannot. */
static void map_shrink(struct handle_map *map)
{
	u32 lines = map->cur.line_count;

	if (!map->count) {
		handle_map_destroy(map);
		return;
	}
	if (map->old.line_count || lines <= 2 || map->count >= (u64)lines * LINE_SLOTS / 4)
		return;
	/* 57 % full afterwards: as after growing */
	lines = (u32)div_round_up((u64)map->count * 100, LINE_SLOTS * 57);
	(void)map_resize(map, lines);
}

void handle_map_init(struct handle_map *map, const struct handle_map_key *key)
{
	os_memset(map, 0, sizeof(*map));
	map->key = *key;
}

void handle_map_destroy(struct handle_map *map)
{
	table_free(&map->cur);
	table_free(&map->old);
	map->count = 0;
	map->moved = 0;
}

static void **map_find(const struct handle_map *map, u32 handle, u32 hash)
{
	void **slot = table_find(&map->cur, handle, hash);

	if (!slot && __builtin_expect(map->old.line_count != 0, 0))
		slot = table_find(&map->old, handle, hash);
	return slot;
}

void *handle_map_find(const struct handle_map *map, u32 handle)
{
	void **slot = map_find(map, handle, handle_map_hash(&map->key, handle));

	return slot ? *slot : NULL;
}

enum nv_status handle_map_insert(struct handle_map *map, u32 handle, void *ptr)
{
	u32 hash = handle_map_hash(&map->key, handle);

	OS_BUG_ON(!ptr);
	if (map_find(map, handle, hash))
		return NV_ERR_INSERT_DUPLICATE_NAME;
	if (map->count >= table_limit(map->cur.line_count)) {
		enum nv_status status = map_grow(map);

		if (status != NV_OK)
			return status;
	}
	table_insert(&map->cur, handle, hash, ptr);
	map->count++;
	map_move(map, MOVE_LINES);
	return NV_OK;
}

void *handle_map_remove(struct handle_map *map, u32 handle)
{
	struct handle_map_table *t = &map->cur;
	u32 hash = handle_map_hash(&map->key, handle);
	void **slot = table_find(t, handle, hash);
	void *ptr;

	if (!slot) {
		t = &map->old;
		slot = table_find(t, handle, hash);
	}
	if (!slot)
		return NULL;
	ptr = table_remove(t, hash, slot);
	map->count--;
	map_move(map, MOVE_LINES);
	map_shrink(map);
	return ptr;
}

struct map_entry {
	void *ptr; /* NULL: none */
	u32 handle;
	u32 hash;
};

/* The entry of home line `line` with the smallest hash that is at least from. */
static struct map_entry line_next(const struct handle_map_table *t,
				  const struct handle_map_key *key, u32 line, u32 from)
{
	struct map_entry best = { NULL, 0, 0 };
	u32 i, at = line, tries;

	for (tries = t->line_count; tries; tries--, at = next_line(t, at)) {
		const struct handle_map_line *l = &t->lines[at];

		for (i = 0; i < LINE_SLOTS; i++) {
			u32 hash = handle_map_hash(key, l->handle[i]);

			if (!l->ptr[i] || hash < from || home_line(t, hash) != line ||
			    (best.ptr && hash >= best.hash))
				continue;
			best.ptr = l->ptr[i];
			best.handle = l->handle[i];
			best.hash = hash;
		}
		if (!l->passed)
			break;
	}
	return best;
}

void *handle_map_next(struct handle_map *map, u64 *cursor, u32 *handle)
{
	const struct handle_map_table *t = &map->cur;
	u32 line;

	map_move(map, map->old.line_count);
	if (*cursor > ~(u32)0 || !t->line_count)
		return NULL;
	for (line = home_line(t, (u32)*cursor); line < t->line_count; line++) {
		struct map_entry e = line_next(t, &map->key, line, (u32)*cursor);

		if (!e.ptr)
			continue;
		*cursor = (u64)e.hash + 1;
		if (handle)
			*handle = e.handle;
		return e.ptr;
	}
	*cursor = (u64)1 << 32;
	return NULL;
}

static size_t table_memory(const struct handle_map_table *t)
{
	size_t pad = t->line_count > UNALIGNED_LINES ? LINE_BYTES - 16 : 0;

	return t->line_count ? (size_t)t->line_count * LINE_BYTES + pad : 0;
}

size_t handle_map_memory(const struct handle_map *map)
{
	return table_memory(&map->cur) + table_memory(&map->old);
}
