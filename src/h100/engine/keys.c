// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Key slots of the engines.
 */
#include "h100/engine/keys.h"

#include <string.h>

#include "os/crypto.h"

enum nv_status h100_keys_init(struct h100_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
	return pthread_mutex_init(&keys->lock, NULL) == 0 ? NV_OK : NV_ERR_NO_MEMORY;
}

void h100_keys_fini(struct h100_keys *keys)
{
	h100_keys_wipe(keys);
	pthread_mutex_destroy(&keys->lock);
}

static bool slot_exists(u32 space, u32 place)
{
	return space < H100_KEY_SPACES && place < H100_KEY_PLACES;
}

enum nv_status h100_keys_load(struct h100_keys *keys, u32 space, u32 place,
			      const u8 key[H100_KEY_BYTES], const u8 mask[H100_IV_BYTES])
{
	static const u8 zero[H100_KEY_BYTES];
	struct h100_key *slot;

	if (!slot_exists(space, place) || os_equal_secret(key, zero, sizeof(zero)))
		return NV_ERR_INVALID_ARGUMENT;
	slot = &keys->slot[space][place];
	pthread_mutex_lock(&keys->lock);
	slot->loaded = true;
	memcpy(slot->key, key, sizeof(slot->key));
	memcpy(slot->mask, mask, sizeof(slot->mask));
	pthread_mutex_unlock(&keys->lock);
	return NV_OK;
}

void h100_keys_wipe(struct h100_keys *keys)
{
	pthread_mutex_lock(&keys->lock);
	os_wipe(keys->slot, sizeof(keys->slot));
	pthread_mutex_unlock(&keys->lock);
}

bool h100_keys_get(struct h100_keys *keys, u32 space, u32 place, struct h100_key *key)
{
	memset(key, 0, sizeof(*key));
	if (!slot_exists(space, place))
		return false;
	pthread_mutex_lock(&keys->lock);
	*key = keys->slot[space][place];
	pthread_mutex_unlock(&keys->lock);
	return key->loaded;
}
