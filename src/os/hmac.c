// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * HMAC (RFC 2104) of os/crypto.h on its hashes, for every implementation of those:
 * H((key ^ opad) || H((key ^ ipad) || data)). The contexts of libraries take memory for each MAC,
 * which the data path must not.
 */
#include "os/crypto.h"

#define IPAD 0x36u
#define OPAD 0x5cu

struct os_hmac {
	enum os_hash_kind kind;
	struct os_hash *hash;
	u8 key[OS_HASH_BLOCK_MAX]; /* padded with zeros to the hash's block */
	u8 pad[OS_HASH_BLOCK_MAX];
};

struct os_hmac *os_hmac_create(enum os_hash_kind kind)
{
	struct os_hmac *hmac = os_alloc(sizeof(*hmac));

	if (!hmac)
		return NULL;
	hmac->kind = kind;
	hmac->hash = os_hash_create(kind);
	if (!hmac->hash) {
		os_free(hmac);
		return NULL;
	}
	os_hmac_begin(hmac);
	return hmac;
}

void os_hmac_destroy(struct os_hmac *hmac)
{
	if (!hmac)
		return;
	os_hash_destroy(hmac->hash);
	os_free_secret(hmac, sizeof(*hmac));
}

enum nv_status os_hmac_set_key(struct os_hmac *hmac, const void *key, size_t size)
{
	enum nv_status status = NV_OK;

	os_wipe(hmac->key, sizeof(hmac->key));
	if (size > os_hash_block(hmac->kind)) {
		os_hash_begin(hmac->hash);
		os_hash_update(hmac->hash, key, size);
		status = os_hash_finish(hmac->hash, hmac->key);
	} else {
		os_memcpy(hmac->key, key, size);
	}
	os_hmac_begin(hmac);
	return status;
}

static void hash_padded_key(struct os_hmac *hmac, u8 pad)
{
	u32 block = os_hash_block(hmac->kind), i;

	for (i = 0; i < block; i++)
		hmac->pad[i] = hmac->key[i] ^ pad;
	os_hash_begin(hmac->hash);
	os_hash_update(hmac->hash, hmac->pad, block);
	os_wipe(hmac->pad, block);
}

void os_hmac_begin(struct os_hmac *hmac)
{
	hash_padded_key(hmac, IPAD);
}

void os_hmac_update(struct os_hmac *hmac, const void *data, size_t size)
{
	os_hash_update(hmac->hash, data, size);
}

enum nv_status os_hmac_finish(struct os_hmac *hmac, void *mac)
{
	u32 size = os_hash_size(hmac->kind);
	u8 inner[OS_HASH_SIZE_MAX];
	enum nv_status status;

	status = os_hash_finish(hmac->hash, inner);
	if (status == NV_OK) {
		hash_padded_key(hmac, OPAD);
		os_hash_update(hmac->hash, inner, size);
		status = os_hash_finish(hmac->hash, mac);
	}
	if (status != NV_OK)
		os_memset(mac, 0, size);
	os_wipe(inner, sizeof(inner));
	os_hmac_begin(hmac);
	return status;
}

enum nv_status os_hmac_mac(enum os_hash_kind kind, const void *key, size_t key_size,
			   const void *data, size_t size, void *mac)
{
	struct os_hmac *hmac = os_hmac_create(kind);
	enum nv_status status = NV_ERR_NO_MEMORY;

	if (hmac)
		status = os_hmac_set_key(hmac, key, key_size);
	if (status == NV_OK) {
		os_hmac_update(hmac, data, size);
		status = os_hmac_finish(hmac, mac);
	} else {
		os_memset(mac, 0, os_hash_size(kind));
	}
	os_hmac_destroy(hmac);
	return status;
}
