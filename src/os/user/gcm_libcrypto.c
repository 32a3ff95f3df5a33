// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* AES-256-GCM by OpenSSL's libcrypto. */
#include <openssl/evp.h>

#include "os/user/gcm.h"

struct cipher {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
};

static void destroy(void *arg)
{
	struct cipher *c = arg;

	EVP_CIPHER_CTX_free(c->ctx);
	EVP_CIPHER_free(c->cipher);
	os_free(c);
}

static void *create(void)
{
	struct cipher *c = os_alloc(sizeof(*c));

	if (!c)
		return NULL;
	c->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	c->ctx = EVP_CIPHER_CTX_new();
	if (c->cipher && c->ctx && EVP_CipherInit_ex2(c->ctx, c->cipher, NULL, NULL, 1, NULL) == 1)
		return c;
	(void)crypto_failure(NV_ERR_NO_MEMORY);
	destroy(c);
	return NULL;
}

static enum nv_status set_key(void *arg, const u8 key[OS_GCM_KEY_SIZE])
{
	struct cipher *c = arg;

	return EVP_CipherInit_ex2(c->ctx, NULL, key, NULL, -1, NULL) == 1
		       ? NV_OK
		       : crypto_failure(NV_ERR_NO_MEMORY);
}

static enum nv_status begin(void *arg, bool encrypt, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			    size_t aad_size)
{
	struct cipher *c = arg;
	int done;

	return EVP_CipherInit_ex2(c->ctx, NULL, NULL, iv, encrypt, NULL) == 1 &&
			       (!aad_size ||
				EVP_CipherUpdate(c->ctx, NULL, &done, aad, (int)aad_size) == 1)
		       ? NV_OK
		       : crypto_failure(NV_ERR_NO_MEMORY);
}

static enum nv_status update(void *arg, const void *in, size_t size, void *out)
{
	struct cipher *c = arg;
	int done;

	return EVP_CipherUpdate(c->ctx, out, &done, in, (int)size) == 1 && done == (int)size
		       ? NV_OK
		       : crypto_failure(NV_ERR_NO_MEMORY);
}

static enum nv_status make_tag(void *arg, u8 tag[OS_GCM_TAG_SIZE])
{
	struct cipher *c = arg;
	u8 rest[OS_GCM_TAG_SIZE];
	int done;

	return EVP_CipherFinal_ex(c->ctx, rest, &done) == 1 &&
			       EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, OS_GCM_TAG_SIZE,
						   tag) == 1
		       ? NV_OK
		       : crypto_failure(NV_ERR_NO_MEMORY);
}

static enum nv_status check_tag(void *arg, u8 tag[OS_GCM_TAG_SIZE])
{
	struct cipher *c = arg;
	u8 rest[OS_GCM_TAG_SIZE];
	int done;

	if (EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, OS_GCM_TAG_SIZE, tag) != 1)
		return crypto_failure(NV_ERR_NO_MEMORY);
	return EVP_CipherFinal_ex(c->ctx, rest, &done) == 1 ? NV_OK
							    : crypto_failure(NV_ERR_INVALID_DATA);
}

const struct gcm_library gcm_libcrypto = { create, destroy,  set_key,  begin,
					   update, make_tag, check_tag };
