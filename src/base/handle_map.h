/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A map from 32-bit handles to pointers: the objects of one client. A look-up reads one cache line
 * in the usual case, the next one rarely, at any size; it allocates nothing and takes no lock.
 * Clients choose handles, so where one falls depends on a secret key.
 * Growing and shrinking moves a few lines at each insertion and removal, so no single call is long.
 *
 *   cur:  | line | line | line | ...        line: 5 pointers, 5 handles, how many entries went past
 *   old:  |  --  | line | ...               what is left to move after a change of size
 *
 * An empty map holds no memory; a full line costs 12.8 bytes an entry, and lines are 57 % to 85 %
 * full once there are more than a few. The caller serialises changes against everything else.
 */
#ifndef BASE_HANDLE_MAP_H
#define BASE_HANDLE_MAP_H

#include "abi/status.h"
#include "base/types.h"

/*
 * Secret and random: who knows it can choose handles that all fall into one place. One key may
 * serve any number of maps.
 */
struct handle_map_key {
	u32 first, second, third; /* odd */
};

/* NV_ERR_NOT_READY when the system has no entropy to give; *key is unchanged. */
enum nv_status handle_map_key_init(struct handle_map_key *key);

/*
 * One to one for every key; the high bits are the ones to choose a place by. The three rounds are
 * needed: after two, handles that differ in their high bits only are still evenly spaced, and for
 * one key in a hundred the spacing crowds them.
 */
static inline u32 handle_map_hash(const struct handle_map_key *key, u32 handle)
{
	u32 h = handle * key->first;

	h = (h ^ h >> 16) * key->second;
	return (h ^ h >> 15) * key->third;
}

struct handle_map_line;

struct handle_map_table {
	void *memory; /* what os_alloc gave; lines is aligned in it */
	struct handle_map_line *lines;
	u32 line_count;
};

struct handle_map {
	struct handle_map_key key;
	struct handle_map_table cur;
	struct handle_map_table old; /* no lines unless a change of size is under way */
	u32 count;
	u32 moved; /* lines of old that are empty by now */
};

/*
 * key is one that handle_map_key_init drew. Zeroed memory is an empty map that can be searched and
 * destroyed, but takes no entry.
 */
void handle_map_init(struct handle_map *map, const struct handle_map_key *key);
/* Frees the map's memory, not what the entries point to. The map is empty and usable. */
void handle_map_destroy(struct handle_map *map);

/*
 * ptr must not be NULL; any handle will do, 0 too. NV_ERR_INSERT_DUPLICATE_NAME when the handle is
 * there, NV_ERR_NO_MEMORY; on both the map is as it was.
 */
enum nv_status handle_map_insert(struct handle_map *map, u32 handle, void *ptr);
/* NULL when the handle is not there. */
void *handle_map_find(const struct handle_map *map, u32 handle);
/* Returns what the handle pointed to, or NULL when it is not there. Needs no memory. */
void *handle_map_remove(struct handle_map *map, u32 handle);

static inline u32 handle_map_count(const struct handle_map *map)
{
	return map->count;
}

/*
 * Iteration: start with *cursor 0; each call returns the next entry, or NULL at the end. handle may
 * be NULL. The order is fixed by the key and the handles alone, so any entries may be added and
 * removed meanwhile: those that stay are seen exactly once. Keep the cursor while removing:
 * starting again at 0 each time walks over the emptied part again. Changes the table (not the
 * entries), so it needs the same exclusion as insertion.
 */
void *handle_map_next(struct handle_map *map, u64 *cursor, u32 *handle);

/* Bytes of memory that the map holds. */
size_t handle_map_memory(const struct handle_map *map);

#endif
