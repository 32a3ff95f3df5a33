// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secrets and hashes of os/crypto.h on OpenSSL's libcrypto.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "os/user/crypto.h"

enum nv_status crypto_failure(enum nv_status otherwise)
{
	unsigned long error;

	while ((error = ERR_get_error()) != 0)
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
			otherwise = NV_ERR_NO_MEMORY;
	return otherwise;
}

/* What OpenSSL's default provider has; a configuration may leave some of it out. */
enum nv_status os_crypto_check(void)
{
	EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD *sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	EVP_PKEY_CTX *ec = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	enum nv_status status = NV_OK;

	if (!gcm || !sha256 || !sha384 || !ec) {
		status = crypto_failure(NV_ERR_NOT_SUPPORTED);
		os_log(OS_LOG_ERROR, "libcrypto lacks what is asked of it:%s%s%s%s",
		       gcm ? "" : " AES-256-GCM", sha256 ? "" : " SHA-256",
		       sha384 ? "" : " SHA-384", ec ? "" : " EC");
	}
	EVP_PKEY_CTX_free(ec);
	EVP_MD_free(sha384);
	EVP_MD_free(sha256);
	EVP_CIPHER_free(gcm);
	return status;
}

void os_wipe(void *mem, size_t size)
{
	OPENSSL_cleanse(mem, size);
}

bool os_equal_secret(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

struct os_hash {
	enum os_hash_kind kind;
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	enum nv_status status; /* since begin */
};

static const char *hash_name(enum os_hash_kind kind)
{
	return kind == OS_SHA256 ? "SHA256" : "SHA384";
}

struct os_hash *os_hash_create(enum os_hash_kind kind)
{
	struct os_hash *hash = os_alloc(sizeof(*hash));

	if (!hash)
		return NULL;
	hash->kind = kind;
	hash->md = EVP_MD_fetch(NULL, hash_name(kind), NULL);
	hash->ctx = EVP_MD_CTX_new();
	if (hash->md && hash->ctx) {
		os_hash_begin(hash);
		if (hash->status == NV_OK)
			return hash;
	}
	(void)crypto_failure(NV_ERR_NO_MEMORY);
	os_hash_destroy(hash);
	return NULL;
}

void os_hash_destroy(struct os_hash *hash)
{
	if (!hash)
		return;
	EVP_MD_CTX_free(hash->ctx);
	EVP_MD_free(hash->md);
	os_free(hash);
}

/* The library makes its state anew each time. */
void os_hash_begin(struct os_hash *hash)
{
	hash->status = EVP_DigestInit_ex2(hash->ctx, hash->md, NULL) == 1
			       ? NV_OK
			       : crypto_failure(NV_ERR_NO_MEMORY);
}

void os_hash_update(struct os_hash *hash, const void *data, size_t size)
{
	if (hash->status == NV_OK && size && EVP_DigestUpdate(hash->ctx, data, size) != 1)
		hash->status = crypto_failure(NV_ERR_NO_MEMORY);
}

static enum nv_status finish(EVP_MD_CTX *ctx, enum os_hash_kind kind, void *digest)
{
	u8 result[OS_HASH_SIZE_MAX];
	enum nv_status status = NV_OK;
	u32 size = 0;

	if (EVP_DigestFinal_ex(ctx, result, &size) != 1 || size != os_hash_size(kind))
		status = crypto_failure(NV_ERR_NO_MEMORY);
	else
		os_memcpy(digest, result, size);
	os_wipe(result, sizeof(result));
	return status;
}

enum nv_status os_hash_finish(struct os_hash *hash, void *digest)
{
	enum nv_status status = hash->status;

	if (status == NV_OK)
		status = finish(hash->ctx, hash->kind, digest);
	if (status != NV_OK)
		os_memset(digest, 0, os_hash_size(hash->kind));
	os_hash_begin(hash);
	return status;
}

enum nv_status os_hash_peek(const struct os_hash *hash, void *digest)
{
	enum nv_status status = hash->status;
	EVP_MD_CTX *copy = NULL;

	if (status == NV_OK) {
		copy = EVP_MD_CTX_new();
		if (!copy || EVP_MD_CTX_copy_ex(copy, hash->ctx) != 1)
			status = crypto_failure(NV_ERR_NO_MEMORY);
		else
			status = finish(copy, hash->kind, digest);
	}
	if (status != NV_OK)
		os_memset(digest, 0, os_hash_size(hash->kind));
	EVP_MD_CTX_free(copy);
	return status;
}
