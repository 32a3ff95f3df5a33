// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The cache of one GPU's cacheable commands. */
#include "rm/api/cache.h"

#include "abi/r535.h"

#define BUCKETS 64u
/* Inputs that are remembered of a command whose reply depends on them. */
#define INPUTS_KEPT 16u
/* Larger replies are not kept. */
#define REPLY_MAX KIB(64)

struct entry {
	struct entry *next;
	const struct abi_control *control;
	bool by_input;
	u8 data[]; /* the reply, then the input if by_input; params_size bytes each */
};

struct rm_control_cache {
	struct os_rwlock lock; /* LOCK_RANK_LEAF */
	u64 generation;
	struct entry *buckets[BUCKETS]; /* newest first */
};

static u32 bucket_of(u32 cmd)
{
	return (cmd * 0x9e3779b1u) >> 26;
}

enum nv_status rm_control_cache_create(struct rm_control_cache **out)
{
	struct rm_control_cache *cache = os_alloc(sizeof(*cache));
	enum nv_status status;

	if (!cache)
		return NV_ERR_NO_MEMORY;
	status = os_rwlock_init(&cache->lock, LOCK_RANK_LEAF, "control cache");
	if (status != NV_OK) {
		os_free(cache);
		return status;
	}
	*out = cache;
	return NV_OK;
}

void rm_control_cache_destroy(struct rm_control_cache *cache)
{
	if (!cache)
		return;
	rm_control_cache_invalidate(cache, 0);
	os_rwlock_destroy(&cache->lock);
	os_free(cache);
}

bool rm_control_cacheable(const struct abi_control *control)
{
	return (control->flags & (RMCTRL_FLAGS_CACHEABLE | RMCTRL_FLAGS_CACHEABLE_BY_INPUT)) &&
	       (control->flags & RMCTRL_FLAGS_NON_PRIVILEGED) &&
	       !(control->flags & RMCTRL_FLAGS_INTERNAL) && !control->rights &&
	       control->params_size && control->params_size <= REPLY_MAX;
}

static bool matches(const struct entry *entry, const struct abi_control *control, const void *input)
{
	u32 size = control->params_size;

	if (entry->control != control)
		return false;
	return !entry->by_input || (input && !os_memcmp(entry->data + size, input, size));
}

bool rm_control_cache_get(struct rm_control_cache *cache, const struct abi_control *control,
			  void *params, u64 *generation)
{
	struct entry *entry;

	os_rwlock_read_lock(&cache->lock);
	*generation = cache->generation;
	entry = cache->buckets[bucket_of(control->cmd)];
	while (entry && !matches(entry, control, params))
		entry = entry->next;
	if (entry)
		os_memcpy(params, entry->data, control->params_size);
	os_rwlock_read_unlock(&cache->lock);
	return entry != NULL;
}

void rm_control_cache_put(struct rm_control_cache *cache, const struct abi_control *control,
			  const void *input, const void *reply, u64 generation)
{
	u32 size = control->params_size, kept = 0;
	struct entry *entry = os_alloc(sizeof(*entry) + (input ? 2 : 1) * (size_t)size);
	struct entry *surplus = NULL, **at;

	if (!entry)
		return;
	entry->control = control;
	entry->by_input = input != NULL;
	os_memcpy(entry->data, reply, size);
	if (input)
		os_memcpy(entry->data + size, input, size);

	os_rwlock_write_lock(&cache->lock);
	at = &cache->buckets[bucket_of(control->cmd)];
	if (cache->generation != generation) {
		surplus = entry;
	} else {
		entry->next = *at;
		*at = entry;
		/* Out goes an older reply to the same input, or the oldest of too many. */
		for (at = &entry->next; *at; at = &(*at)->next) {
			if ((*at)->control != control)
				continue;
			if (matches(*at, control, input) || ++kept == INPUTS_KEPT) {
				surplus = *at;
				*at = surplus->next;
				break;
			}
		}
	}
	os_rwlock_write_unlock(&cache->lock);
	os_free(surplus);
}

void rm_control_cache_invalidate(struct rm_control_cache *cache, u32 cmd)
{
	struct entry *gone = NULL, *entry, **at;
	u32 i;

	if (!cache)
		return;
	os_rwlock_write_lock(&cache->lock);
	cache->generation++;
	for (i = 0; i < BUCKETS; i++) {
		for (at = &cache->buckets[i]; *at;) {
			entry = *at;
			if (cmd && entry->control->cmd != cmd) {
				at = &entry->next;
				continue;
			}
			*at = entry->next;
			entry->next = gone;
			gone = entry;
		}
	}
	os_rwlock_write_unlock(&cache->lock);
	while (gone) {
		entry = gone;
		gone = entry->next;
		os_free(entry);
	}
}
