// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secrets and hashes of os/crypto.h on the kernel's.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "os/linux/crypto/crypto.h"

#define PIECE 65536u /* after which others may run */

void os_wipe(void *mem, size_t size)
{
	memzero_explicit(mem, size);
}

bool os_equal_secret(const void *a, const void *b, size_t size)
{
	return !crypto_memneq(a, b, size);
}

struct os_hash {
	enum os_hash_kind kind;
	struct crypto_shash *tfm;
	struct shash_desc *desc;
	size_t desc_size;
	int err; /* since begin */
};

const char *hash_algorithm(enum os_hash_kind kind)
{
	return kind == OS_SHA256 ? "sha256" : "sha384";
}

struct os_hash *os_hash_create(enum os_hash_kind kind)
{
	struct os_hash *hash = os_alloc(sizeof(*hash));

	if (!hash)
		return NULL;
	hash->kind = kind;
	hash->tfm = account_fails() ? ERR_PTR(-ENOMEM)
				    : crypto_alloc_shash(hash_algorithm(kind), 0, UNWANTED);
	if (IS_ERR(hash->tfm)) {
		hash->tfm = NULL;
		goto fail;
	}
	hash->desc_size = sizeof(*hash->desc) + crypto_shash_descsize(hash->tfm);
	hash->desc = os_alloc(hash->desc_size);
	if (!hash->desc)
		goto fail;
	hash->desc->tfm = hash->tfm;
	os_hash_begin(hash);
	return hash;
fail:
	os_hash_destroy(hash);
	return NULL;
}

void os_hash_destroy(struct os_hash *hash)
{
	if (!hash)
		return;
	os_free_secret(hash->desc, hash->desc_size);
	if (hash->tfm)
		crypto_free_shash(hash->tfm);
	os_free(hash);
}

void os_hash_begin(struct os_hash *hash)
{
	hash->err = crypto_shash_init(hash->desc);
}

void os_hash_update(struct os_hash *hash, const void *data, size_t size)
{
	const u8 *at = data;
	u32 part;

	for (; size && !hash->err; size -= part, at += part) {
		part = min_t(size_t, size, PIECE);
		hash->err = crypto_shash_update(hash->desc, at, part);
		cond_resched();
	}
}

/* The digest, or zeros. */
static enum nv_status finish(struct shash_desc *desc, int err, enum os_hash_kind kind, void *digest)
{
	if (!err)
		err = crypto_shash_final(desc, digest);
	if (err)
		os_memset(digest, 0, os_hash_size(kind));
	return err ? NV_ERR_NO_MEMORY : NV_OK;
}

enum nv_status os_hash_finish(struct os_hash *hash, void *digest)
{
	enum nv_status status = finish(hash->desc, hash->err, hash->kind, digest);

	os_hash_begin(hash);
	return status;
}

enum nv_status os_hash_peek(const struct os_hash *hash, void *digest)
{
	size_t state_size = crypto_shash_statesize(hash->tfm);
	struct shash_desc *copy = os_alloc(hash->desc_size);
	void *state = os_alloc(state_size);
	int err = copy && state ? hash->err : -ENOMEM;
	enum nv_status status;

	if (!err)
		err = crypto_shash_export(hash->desc, state);
	if (!err) {
		copy->tfm = hash->tfm;
		err = crypto_shash_import(copy, state);
	}
	status = finish(copy, err, hash->kind, digest);
	os_free_secret(copy, hash->desc_size);
	os_free_secret(state, state_size);
	return status;
}
