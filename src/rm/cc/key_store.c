// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The key store: a table of what keys there are, and the slots that hold them.
 */
#include "rm/cc/key_store.h"

#define SLOTS (KEY_GSP_COUNT + KEY_SEC2_COUNT + KEY_LCES * KEY_LCE_COUNT)
#define COUNTER_MAX (~(u64)0)

/* What a key is for; NONE is a place without a key. */
enum purpose {
	PURPOSE_NONE,
	PURPOSE_CRYPT,	 /* AES-GCM for one user: no channel counter */
	PURPOSE_CHANNEL, /* AES-GCM for channels */
	PURPOSE_SIGN,	 /* HMAC for channels */
};

struct key_kind {
	const char *label; /* behind "LceN_" in the copy engines' spaces */
	enum purpose purpose;
};

static const struct key_kind gsp_keys[KEY_GSP_COUNT] = {
	[KEY_CPU_GSP_LOCKED_RPC] = { "cpu_gsp_locked_rpc", PURPOSE_CRYPT },
	[KEY_GSP_CPU_LOCKED_RPC] = { "gsp_cpu_locked_rpc", PURPOSE_CRYPT },
	[KEY_CPU_GSP_DMA] = { "cpu_gsp_dma", PURPOSE_CRYPT },
	[KEY_GSP_CPU_DMA] = { "gsp_cpu_dma", PURPOSE_CRYPT },
	[KEY_GSP_CPU_REPLAYABLE_FAULT] = { "gsp_cpu_replayable_fault", PURPOSE_CRYPT },
	[KEY_GSP_CPU_NON_REPLAYABLE_FAULT] = { "gsp_cpu_non_replayable_fault", PURPOSE_CRYPT },
};

static const struct key_kind sec2_keys[KEY_SEC2_COUNT] = {
	[KEY_SEC2_DATA_USER] = { "cpu_sec2_data_user", PURPOSE_CHANNEL },
	[KEY_SEC2_HMAC_USER] = { "cpu_sec2_hmac_user", PURPOSE_SIGN },
	[KEY_SEC2_DATA_KERNEL] = { "cpu_sec2_data_kernel", PURPOSE_CHANNEL },
	[KEY_SEC2_HMAC_KERNEL] = { "cpu_sec2_hmac_kernel", PURPOSE_SIGN },
};

static const struct key_kind lce_keys[KEY_LCE_COUNT] = {
	[KEY_LCE_H2D_USER] = { "h2d_user", PURPOSE_CHANNEL },
	[KEY_LCE_D2H_USER] = { "d2h_user", PURPOSE_CHANNEL },
	[KEY_LCE_H2D_KERNEL] = { "h2d_kernel", PURPOSE_CHANNEL },
	[KEY_LCE_D2H_KERNEL] = { "d2h_kernel", PURPOSE_CHANNEL },
	[KEY_LCE_H2D_P2P] = { "h2d_p2p", PURPOSE_CHANNEL },
	[KEY_LCE_D2H_P2P] = { "d2h_p2p", PURPOSE_CHANNEL },
};

struct key_slot {
	u8 key[KEY_SIZE];
	u8 iv_mask[KEY_IV_SIZE];
	u64 channel_counter; /* the last one that a channel has */
	u32 generation;
	bool derived;
	bool taken; /* somebody counts messages under it */
};

struct key_store {
	struct os_spinlock lock; /* all below */
	bool has_master, has_keys;
	u8 master[KEY_SIZE];
	struct key_slot slots[SLOTS];
};

static bool is_zero(const u8 key[KEY_SIZE])
{
	u8 bits = 0;
	u32 i;

	for (i = 0; i < KEY_SIZE; i++)
		bits |= key[i];
	return !bits;
}

/* -- Ids --------------------------------------------------------------------------------------- */

static const struct key_kind *keys_of_space(u32 space, u32 *count, u32 *first_slot)
{
	switch (space) {
	case KEY_SPACE_GSP:
		*count = KEY_GSP_COUNT;
		*first_slot = 0;
		return gsp_keys;
	case KEY_SPACE_SEC2:
		*count = KEY_SEC2_COUNT;
		*first_slot = KEY_GSP_COUNT;
		return sec2_keys;
	default:
		if (space >= KEY_SPACE_COUNT)
			return NULL;
		*count = KEY_LCE_COUNT;
		*first_slot =
			KEY_GSP_COUNT + KEY_SEC2_COUNT + (space - KEY_SPACE_LCE0) * KEY_LCE_COUNT;
		return lce_keys;
	}
}

/* NULL: no such place; one without a key has PURPOSE_NONE. */
static const struct key_kind *find_kind(u32 id, u32 *slot)
{
	u32 count, first, key = id & 0xffffu;
	const struct key_kind *keys = keys_of_space(id >> 16, &count, &first);

	if (!keys || key >= count)
		return NULL;
	*slot = first + key;
	return &keys[key];
}

static const struct key_kind *find_key(u32 id, u32 *slot)
{
	const struct key_kind *kind = find_kind(id, slot);

	return kind && kind->purpose != PURPOSE_NONE ? kind : NULL;
}

enum nv_status key_store_label(u32 id, char label[KEY_LABEL_MAX])
{
	const struct key_kind *kind;
	u32 slot;

	kind = find_key(id, &slot);
	if (!kind)
		return NV_ERR_INVALID_ARGUMENT;
	if (id >> 16 >= KEY_SPACE_LCE0)
		(void)os_snprintf(label, KEY_LABEL_MAX, "Lce%u_%s", (id >> 16) - KEY_SPACE_LCE0,
				  kind->label);
	else
		(void)os_snprintf(label, KEY_LABEL_MAX, "%s", kind->label);
	return NV_OK;
}

enum nv_status key_store_channel_key(u32 engine, bool kernel, u32 *id)
{
	if (engine == NV2080_ENGINE_TYPE_SEC2) {
		*id = KEY_ID(KEY_SPACE_SEC2, kernel ? KEY_SEC2_DATA_KERNEL : KEY_SEC2_DATA_USER);
		return NV_OK;
	}
	if (engine < NV2080_ENGINE_TYPE_COPY2 || engine > NV2080_ENGINE_TYPE_COPY9)
		return NV_ERR_INVALID_ARGUMENT;
	*id = KEY_ID(KEY_SPACE_LCE0 + (engine - NV2080_ENGINE_TYPE_COPY2),
		     kernel ? KEY_LCE_H2D_KERNEL : KEY_LCE_H2D_USER);
	return NV_OK;
}

/* -- A session's beginning and end ------------------------------------------------------------- */

struct key_store *key_store_create(void)
{
	struct key_store *store = os_alloc(sizeof(*store));

	if (store)
		os_spinlock_init(&store->lock, "key store");
	return store;
}

void key_store_destroy(struct key_store *store)
{
	os_free_secret(store, sizeof(*store));
}

enum nv_status key_store_set_master(struct key_store *store, const u8 master[KEY_SIZE])
{
	enum nv_status status = NV_OK;

	if (is_zero(master))
		return NV_ERR_INVALID_ARGUMENT;
	os_spinlock_lock(&store->lock);
	if (store->has_keys) {
		status = NV_ERR_INVALID_STATE;
	} else {
		os_memcpy(store->master, master, KEY_SIZE);
		store->has_master = true;
	}
	os_spinlock_unlock(&store->lock);
	return status;
}

void key_store_clear_master(struct key_store *store)
{
	os_spinlock_lock(&store->lock);
	os_wipe(store->master, KEY_SIZE);
	store->has_master = false;
	os_spinlock_unlock(&store->lock);
}

/* -- Derivation -------------------------------------------------------------------------------- */

/* What the key is derived from: the master key, or the data key beside one that signs. */
static enum nv_status copy_source(struct key_store *store, const struct key_kind *kind, u32 slot,
				  u8 source[KEY_SIZE])
{
	enum nv_status status = NV_OK;

	os_spinlock_lock(&store->lock);
	if (store->slots[slot].derived || !store->has_master ||
	    (kind->purpose == PURPOSE_SIGN && !store->slots[slot - 1].derived))
		status = NV_ERR_INVALID_STATE;
	else
		os_memcpy(source,
			  kind->purpose == PURPOSE_SIGN ? store->slots[slot - 1].key
							: store->master,
			  KEY_SIZE);
	os_spinlock_unlock(&store->lock);
	return status;
}

static enum nv_status expand(u32 id, const u8 source[KEY_SIZE], u8 key[KEY_SIZE])
{
	char label[KEY_LABEL_MAX];
	enum nv_status status = key_store_label(id, label);

	if (status != NV_OK)
		return status;
	return os_hkdf_expand(OS_SHA256, source, KEY_SIZE, label, os_strnlen(label, sizeof(label)),
			      key, KEY_SIZE);
}

enum nv_status key_store_derive(struct key_store *store, u32 id)
{
	u8 source[KEY_SIZE], key[KEY_SIZE] = { 0 };
	const struct key_kind *kind;
	enum nv_status status;
	u32 slot;

	kind = find_key(id, &slot);
	if (!kind)
		return NV_ERR_INVALID_ARGUMENT;
	status = copy_source(store, kind, slot, source);
	if (status != NV_OK)
		return status;
	if (kind->purpose == PURPOSE_SIGN)
		status = os_hash_digest(OS_SHA256, source, KEY_SIZE, key);
	else
		status = expand(id, source, key);
	if (status == NV_OK && is_zero(key))
		status = NV_ERR_FATAL_ERROR;
	if (status == NV_OK) {
		os_spinlock_lock(&store->lock);
		if (store->slots[slot].derived || !store->has_master) {
			status = NV_ERR_INVALID_STATE; /* another thread was there before */
		} else {
			os_memcpy(store->slots[slot].key, key, KEY_SIZE);
			store->slots[slot].derived = true;
			store->has_keys = true;
		}
		os_spinlock_unlock(&store->lock);
	}
	os_wipe(source, KEY_SIZE);
	os_wipe(key, KEY_SIZE);
	return status;
}

static void forget_key(struct key_store *store, u32 slot)
{
	os_spinlock_lock(&store->lock);
	os_wipe(store->slots[slot].key, KEY_SIZE);
	store->slots[slot].derived = false;
	os_spinlock_unlock(&store->lock);
}

enum nv_status key_store_derive_space(struct key_store *store, u32 space)
{
	const struct key_kind *keys;
	u32 count = 0, first = 0, i;
	enum nv_status status = NV_OK;

	keys = keys_of_space(space, &count, &first);
	if (!keys)
		return NV_ERR_INVALID_ARGUMENT;
	if (keys == lce_keys)
		count = KEY_LCE_H2D_P2P;
	for (i = 0; i < count && status == NV_OK; i++)
		if (keys[i].purpose != PURPOSE_NONE)
			status = key_store_derive(store, KEY_ID(space, i));
	/* The last one is not there; those before it are ours to take back. */
	if (status != NV_OK)
		for (i--; i-- > 0;)
			forget_key(store, first + i);
	return status;
}

enum nv_status key_store_deposit_iv_mask(struct key_store *store, u32 id,
					 const u8 mask[KEY_IV_SIZE])
{
	const struct key_kind *kind;
	u32 slot;

	kind = find_key(id, &slot);
	if (!kind || kind->purpose == PURPOSE_SIGN)
		return NV_ERR_INVALID_ARGUMENT;
	os_spinlock_lock(&store->lock);
	os_memcpy(store->slots[slot].iv_mask, mask, KEY_IV_SIZE);
	os_spinlock_unlock(&store->lock);
	return NV_OK;
}

enum nv_status key_store_update(struct key_store *store, u32 id)
{
	u8 key[KEY_SIZE], digest[OS_SHA256_SIZE];
	enum nv_status status = NV_OK;
	const struct key_kind *kind;
	u32 slot, generation = 0;

	kind = find_key(id, &slot);
	if (!kind)
		return NV_ERR_INVALID_ARGUMENT;
	os_spinlock_lock(&store->lock);
	os_memcpy(key, store->slots[slot].key, KEY_SIZE);
	generation = store->slots[slot].generation;
	if (!store->slots[slot].derived)
		status = NV_ERR_INVALID_STATE;
	os_spinlock_unlock(&store->lock);
	if (status == NV_OK)
		status = os_hash_digest(OS_SHA256, key, KEY_SIZE, digest);
	if (status == NV_OK)
		status = expand(id, digest, key);
	if (status == NV_OK && is_zero(key))
		status = NV_ERR_FATAL_ERROR;
	if (status == NV_OK) {
		os_spinlock_lock(&store->lock);
		if (!store->slots[slot].derived || store->slots[slot].generation != generation) {
			status = NV_ERR_INVALID_STATE; /* another thread was there before */
		} else {
			os_memcpy(store->slots[slot].key, key, KEY_SIZE);
			store->slots[slot].generation++;
			store->slots[slot].channel_counter = 0;
			store->slots[slot].taken = false;
		}
		os_spinlock_unlock(&store->lock);
	}
	os_wipe(key, KEY_SIZE);
	os_wipe(digest, sizeof(digest));
	return status;
}

/* -- Retrieval --------------------------------------------------------------------------------- */

/*
 * Whether a channel can have it now; the lock is held. Where no channel counter parts the users of
 * a key from each other, two that send would count the same IVs.
 */
static enum nv_status check(const struct key_store *store, const struct key_kind *kind, u32 slot,
			    bool send)
{
	const struct key_slot *s = &store->slots[slot];

	if (!s->derived)
		return NV_ERR_INVALID_STATE;
	if (kind->purpose == PURPOSE_CRYPT)
		return send && s->taken ? NV_ERR_IN_USE : NV_OK;
	return s->channel_counter == COUNTER_MAX ? NV_ERR_INSUFFICIENT_RESOURCES : NV_OK;
}

static void take(struct key_store *store, const struct key_kind *kind, u32 slot,
		 struct key_material *material)
{
	struct key_slot *s = &store->slots[slot];

	if (kind->purpose != PURPOSE_CRYPT)
		s->channel_counter++;
	s->taken = true;
	material->valid = true;
	material->signs = kind->purpose == PURPOSE_SIGN;
	os_memcpy(material->key, s->key, KEY_SIZE);
	os_memcpy(material->iv_mask, s->iv_mask, KEY_IV_SIZE);
	material->channel_counter = s->channel_counter;
	material->generation = s->generation;
}

enum nv_status key_store_retrieve(struct key_store *store, u32 id, u32 rotate_iv_type,
				  struct key_pair *pair)
{
	enum nv_status status = NV_OK;
	const struct key_kind *even;
	bool send, receive;
	u32 slot;

	os_memset(pair, 0, sizeof(*pair));
	if (!find_key(id, &slot))
		return NV_ERR_INVALID_ARGUMENT;
	even = find_kind(id & ~1u, &slot);
	send = KEY_SENDS(rotate_iv_type) && even[0].purpose != PURPOSE_NONE;
	receive = KEY_RECEIVES(rotate_iv_type) && even[1].purpose != PURPOSE_NONE;
	if (!send && !receive)
		return NV_ERR_INVALID_ARGUMENT;
	os_spinlock_lock(&store->lock);
	if (send)
		status = check(store, &even[0], slot, true);
	if (status == NV_OK && receive)
		status = check(store, &even[1], slot + 1, false);
	if (status == NV_OK && send)
		take(store, &even[0], slot, &pair->send);
	if (status == NV_OK && receive)
		take(store, &even[1], slot + 1, &pair->receive);
	os_spinlock_unlock(&store->lock);
	return status;
}
