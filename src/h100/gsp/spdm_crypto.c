// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The responder's cryptography, all of it libcrypto's: SHA-384, HMAC, ECDH and ECDSA on P-384,
 * AES-256-GCM.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "h100/gsp/spdm_internal.h"

#define COORDINATE_BYTES (SPDM_POINT_BYTES / 2)
#define POINT_UNCOMPRESSED 0x04u
#define SIGNATURE_DER_MAX 128u

/* -- Digests ----------------------------------------------------------------------------------- */

bool spdm_hash_init(struct spdm_hash *hash)
{
	if (!hash->md)
		hash->md = EVP_MD_CTX_new();
	return hash->md && EVP_DigestInit_ex(hash->md, EVP_sha384(), NULL) == 1;
}

void spdm_hash_fini(struct spdm_hash *hash)
{
	EVP_MD_CTX_free(hash->md);
	hash->md = NULL;
}

bool spdm_hash_add(struct spdm_hash *hash, const void *data, size_t size)
{
	return EVP_DigestUpdate(hash->md, data, size) == 1;
}

bool spdm_hash_copy(struct spdm_hash *hash, const struct spdm_hash *from)
{
	return spdm_hash_init(hash) && EVP_MD_CTX_copy_ex(hash->md, from->md) == 1;
}

bool spdm_hash_digest(const struct spdm_hash *hash, u8 digest[SPDM_HASH_BYTES])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	bool done = copy && EVP_MD_CTX_copy_ex(copy, hash->md) == 1 &&
		    EVP_DigestFinal_ex(copy, digest, NULL) == 1;

	EVP_MD_CTX_free(copy);
	return done;
}

bool spdm_sha384(const void *data, size_t size, u8 digest[SPDM_HASH_BYTES])
{
	return EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL) == 1;
}

bool spdm_hmac(const u8 key[SPDM_HASH_BYTES], const void *data, size_t size,
	       u8 mac[SPDM_HASH_BYTES])
{
	return HMAC(EVP_sha384(), key, SPDM_HASH_BYTES, data, size, mac, NULL) != NULL;
}

bool spdm_random(void *data, size_t size)
{
	return RAND_bytes(data, (int)size) == 1;
}

bool spdm_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

void spdm_wipe(void *data, size_t size)
{
	OPENSSL_cleanse(data, size);
}

/* -- P-384 ------------------------------------------------------------------------------------- */

/* ECDSA-Sig-Value as r and s of fixed size. */
static bool plain_signature(const u8 *der, size_t bytes, u8 signature[SPDM_SIGNATURE_BYTES])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)bytes);
	bool done = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, COORDINATE_BYTES) > 0 &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + COORDINATE_BYTES,
				 COORDINATE_BYTES) > 0;

	ECDSA_SIG_free(sig);
	return done;
}

bool spdm_sign(struct evp_pkey_st *key, const u8 digest[SPDM_HASH_BYTES],
	       u8 signature[SPDM_SIGNATURE_BYTES])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	u8 der[SIGNATURE_DER_MAX];
	size_t bytes = sizeof(der);
	bool done = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
		    EVP_PKEY_sign(ctx, der, &bytes, digest, SPDM_HASH_BYTES) == 1 &&
		    plain_signature(der, bytes, signature);

	EVP_PKEY_CTX_free(ctx);
	return done;
}

static bool public_point(EVP_PKEY *key, u8 point[SPDM_POINT_BYTES])
{
	u8 *encoded = NULL;
	size_t bytes = EVP_PKEY_get1_encoded_public_key(key, &encoded);
	bool done = bytes == SPDM_POINT_BYTES + 1 && encoded[0] == POINT_UNCOMPRESSED;

	if (done)
		memcpy(point, encoded + 1, SPDM_POINT_BYTES);
	OPENSSL_free(encoded);
	return done;
}

static bool derive(EVP_PKEY *own, EVP_PKEY *peer, u8 secret[SPDM_HASH_BYTES])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t bytes = SPDM_HASH_BYTES;
	bool done = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
		    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		    EVP_PKEY_derive(ctx, secret, &bytes) == 1 && bytes == SPDM_HASH_BYTES;

	EVP_PKEY_CTX_free(ctx);
	return done;
}

bool spdm_key_agree(const u8 peer[SPDM_POINT_BYTES], u8 own[SPDM_POINT_BYTES],
		    u8 secret[SPDM_HASH_BYTES], bool *bad_point)
{
	EVP_PKEY *own_key = EVP_EC_gen("P-384");
	EVP_PKEY *peer_key = EVP_PKEY_new();
	u8 encoded[SPDM_POINT_BYTES + 1];
	bool done = false;

	*bad_point = false;
	encoded[0] = POINT_UNCOMPRESSED;
	memcpy(encoded + 1, peer, SPDM_POINT_BYTES);
	if (!own_key || !peer_key || EVP_PKEY_copy_parameters(peer_key, own_key) != 1)
		goto out;
	if (EVP_PKEY_set1_encoded_public_key(peer_key, encoded, sizeof(encoded)) != 1) {
		*bad_point = true;
		goto out;
	}
	done = public_point(own_key, own) && derive(own_key, peer_key, secret);
out:
	EVP_PKEY_free(own_key);
	EVP_PKEY_free(peer_key);
	return done;
}

/* -- AES-256-GCM ------------------------------------------------------------------------------- */

bool spdm_seal(const u8 key[SPDM_AEAD_KEY_BYTES], const u8 iv[SPDM_AEAD_IV_BYTES], const void *aad,
	       u32 aad_bytes, const void *plain, u32 bytes, void *cipher,
	       u8 tag[SPDM_AEAD_TAG_BYTES])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool done = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
		    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_bytes) == 1 &&
		    EVP_EncryptUpdate(ctx, cipher, &n, plain, (int)bytes) == 1 &&
		    EVP_EncryptFinal_ex(ctx, (u8 *)cipher + bytes, &n) == 1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SPDM_AEAD_TAG_BYTES, tag) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return done;
}

bool spdm_unseal(const u8 key[SPDM_AEAD_KEY_BYTES], const u8 iv[SPDM_AEAD_IV_BYTES],
		 const void *aad, u32 aad_bytes, const void *cipher, u32 bytes,
		 const u8 tag[SPDM_AEAD_TAG_BYTES], void *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool done = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
		    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_bytes) == 1 &&
		    EVP_DecryptUpdate(ctx, plain, &n, cipher, (int)bytes) == 1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SPDM_AEAD_TAG_BYTES,
					(void *)(uintptr_t)tag) == 1 &&
		    EVP_DecryptFinal_ex(ctx, (u8 *)plain + bytes, &n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	if (!done)
		OPENSSL_cleanse(plain, bytes);
	return done;
}
