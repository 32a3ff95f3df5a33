// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * AES-256-GCM of os/crypto.h on OpenSSL's libcrypto. That reads what it hashes from the buffers
 * that it is given, the ciphertext of a piece more than once: it goes through a buffer of the
 * context's, so that nobody who shares the caller's memory can have one thing hashed and another
 * one used.
 */
#include <limits.h>
#include <openssl/evp.h>

#include "os/user/crypto.h"

#define PIECE 16384u /* stays in the nearest cache; a multiple of the cipher's block */

struct os_gcm {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	u8 *piece;
	size_t max_size;
	bool keyed;
};

struct os_gcm *os_gcm_create(size_t max_size)
{
	struct os_gcm *gcm;

	if (max_size > INT_MAX)
		return NULL;
	gcm = os_alloc(sizeof(*gcm));
	if (!gcm)
		return NULL;
	gcm->max_size = max_size;
	gcm->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	gcm->ctx = EVP_CIPHER_CTX_new();
	gcm->piece = os_alloc(PIECE);
	if (gcm->cipher && gcm->ctx && gcm->piece &&
	    EVP_CipherInit_ex2(gcm->ctx, gcm->cipher, NULL, NULL, 1, NULL) == 1)
		return gcm;
	(void)crypto_failure(NV_ERR_NO_MEMORY);
	os_gcm_destroy(gcm);
	return NULL;
}

void os_gcm_destroy(struct os_gcm *gcm)
{
	if (!gcm)
		return;
	EVP_CIPHER_CTX_free(gcm->ctx);
	EVP_CIPHER_free(gcm->cipher);
	os_free(gcm->piece);
	os_free(gcm);
}

enum nv_status os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE])
{
	gcm->keyed = EVP_CipherInit_ex2(gcm->ctx, NULL, key, NULL, -1, NULL) == 1;
	return gcm->keyed ? NV_OK : crypto_failure(NV_ERR_NO_MEMORY);
}

/* One way or the other, but for the tag. The ciphertext that counts is the one in the piece. */
static bool transform(struct os_gcm *gcm, int encrypt, const u8 *iv, const void *aad,
		      size_t aad_size, const u8 *in, size_t size, u8 *out)
{
	size_t at, part;
	int done;

	if (EVP_CipherInit_ex2(gcm->ctx, NULL, NULL, iv, encrypt, NULL) != 1 ||
	    (aad_size && EVP_CipherUpdate(gcm->ctx, NULL, &done, aad, (int)aad_size) != 1))
		return false;
	for (at = 0; at < size; at += part) {
		part = size - at < PIECE ? size - at : PIECE;
		if (!encrypt)
			os_memcpy(gcm->piece, in + at, part);
		if (EVP_CipherUpdate(gcm->ctx, encrypt ? gcm->piece : out + at, &done,
				     encrypt ? in + at : gcm->piece, (int)part) != 1 ||
		    done != (int)part)
			return false;
		if (encrypt)
			os_memcpy(out + at, gcm->piece, part);
	}
	return true;
}

static enum nv_status check(const struct os_gcm *gcm, size_t aad_size, size_t size)
{
	if (aad_size > gcm->max_size || aad_size > OS_GCM_AAD_MAX || size > gcm->max_size)
		return NV_ERR_INVALID_ARGUMENT;
	return gcm->keyed ? NV_OK : NV_ERR_INVALID_STATE;
}

enum nv_status os_gcm_encrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      u8 tag[OS_GCM_TAG_SIZE])
{
	enum nv_status status = check(gcm, aad_size, size);
	u8 rest[OS_GCM_TAG_SIZE];
	int done;

	if (status == NV_OK &&
	    !(transform(gcm, 1, iv, aad, aad_size, in, size, out) &&
	      EVP_CipherFinal_ex(gcm->ctx, rest, &done) == 1 &&
	      EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, OS_GCM_TAG_SIZE, tag) == 1))
		status = crypto_failure(NV_ERR_NO_MEMORY);
	if (status != NV_OK) {
		os_memset(out, 0, size);
		os_memset(tag, 0, OS_GCM_TAG_SIZE);
	}
	return status;
}

enum nv_status os_gcm_decrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      const u8 tag[OS_GCM_TAG_SIZE])
{
	enum nv_status status = check(gcm, aad_size, size);
	u8 want[OS_GCM_TAG_SIZE], rest[OS_GCM_TAG_SIZE];
	int done;

	if (status == NV_OK) {
		os_memcpy(want, tag, sizeof(want));
		if (!transform(gcm, 0, iv, aad, aad_size, in, size, out) ||
		    EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, OS_GCM_TAG_SIZE, want) !=
			    1)
			status = crypto_failure(NV_ERR_NO_MEMORY);
		else if (EVP_CipherFinal_ex(gcm->ctx, rest, &done) != 1)
			status = crypto_failure(NV_ERR_INVALID_DATA);
	}
	if (status != NV_OK)
		os_wipe(out, size);
	return status;
}
