// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * os/crypto.h in a kernel that was configured without what src/os/linux/crypto needs; Kbuild takes
 * one or the other. Whoever asks os_crypto_check is told; nothing can be made, so what would use it
 * is not reached.
 */
#include <linux/string.h>

#include "os/linux/internal.h"
#include "os/crypto.h"

enum nv_status os_crypto_check(void)
{
	os_log(OS_LOG_ERROR, "the modules were built for a kernel without AEAD, hashes, ECDH or "
			     "elliptic curves (CONFIG_CRYPTO_...)");
	return NV_ERR_NOT_SUPPORTED;
}

void os_wipe(void *mem, size_t size)
{
	memzero_explicit(mem, size);
}

bool os_equal_secret(const void *a, const void *b, size_t size)
{
	const u8 *x = a, *y = b;
	u8 differs = 0;

	for (; size; size--)
		differs |= *x++ ^ *y++;
	OPTIMIZER_HIDE_VAR(differs);
	return !differs;
}

/* -- Hashes ------------------------------------------------------------------------------------ */

struct os_hash *os_hash_create(enum os_hash_kind kind)
{
	return NULL;
}

void os_hash_destroy(struct os_hash *hash)
{
}

void os_hash_begin(struct os_hash *hash)
{
}

void os_hash_update(struct os_hash *hash, const void *data, size_t size)
{
}

enum nv_status os_hash_finish(struct os_hash *hash, void *digest)
{
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_hash_peek(const struct os_hash *hash, void *digest)
{
	return NV_ERR_NOT_SUPPORTED;
}

/* -- AES-256-GCM ------------------------------------------------------------------------------- */

struct os_gcm *os_gcm_create(size_t max_size)
{
	return NULL;
}

void os_gcm_destroy(struct os_gcm *gcm)
{
}

enum nv_status os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE])
{
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_gcm_encrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      u8 tag[OS_GCM_TAG_SIZE])
{
	os_memset(out, 0, size);
	os_memset(tag, 0, OS_GCM_TAG_SIZE);
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_gcm_decrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      const u8 tag[OS_GCM_TAG_SIZE])
{
	os_memset(out, 0, size);
	return NV_ERR_NOT_SUPPORTED;
}

/* -- P-384 and certificates -------------------------------------------------------------------- */

enum nv_status os_p384_key_create(const u8 private_key[OS_P384_SIZE], struct os_p384_key **key)
{
	*key = NULL;
	return NV_ERR_NOT_SUPPORTED;
}

void os_p384_key_destroy(struct os_p384_key *key)
{
}

void os_p384_key_public(const struct os_p384_key *key, u8 point[OS_P384_POINT_SIZE])
{
}

enum nv_status os_p384_key_shared(const struct os_p384_key *key, const u8 peer[OS_P384_POINT_SIZE],
				  u8 secret[OS_P384_SIZE])
{
	os_memset(secret, 0, OS_P384_SIZE);
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_p384_check_point(const u8 point[OS_P384_POINT_SIZE])
{
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_p384_verify(const u8 key[OS_P384_POINT_SIZE], const void *digest, size_t size,
			      const u8 signature[OS_P384_SIGNATURE_SIZE])
{
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_x509_public_key(const void *certificate, size_t size,
				  u8 point[OS_P384_POINT_SIZE])
{
	os_memset(point, 0, OS_P384_POINT_SIZE);
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_x509_verify_chain(const void *root, size_t root_size, const void *chain,
				    size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE])
{
	os_memset(point, 0, OS_P384_POINT_SIZE);
	return NV_ERR_NOT_SUPPORTED;
}
