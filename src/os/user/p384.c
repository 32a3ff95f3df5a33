// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * P-384 of os/crypto.h on OpenSSL's libcrypto: key exchange and the check of signatures.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "os/user/crypto.h"

#define UNCOMPRESSED 4u /* the first byte of a point that has both coordinates (SEC 1, 2.3.3) */
#define ENCODED_SIZE (1u + OS_P384_POINT_SIZE)

static char group_name[] = "P-384";

struct os_p384_key {
	EVP_PKEY *pkey;
	u8 point[OS_P384_POINT_SIZE];
};

/* A key of libcrypto's from an encoded point and, where it is not NULL, the private number. */
static EVP_PKEY *make_key(const u8 *encoded, const BIGNUM *number)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (build && ctx &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group_name, 0) ==
		    1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, encoded,
					     ENCODED_SIZE) == 1 &&
	    (!number || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1))
		params = OSSL_PARAM_BLD_to_param(build);
	if (params &&
	    (EVP_PKEY_fromdata_init(ctx) != 1 ||
	     EVP_PKEY_fromdata(ctx, &pkey, number ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			       params) != 1))
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *public_key(const u8 point[OS_P384_POINT_SIZE])
{
	u8 encoded[ENCODED_SIZE];

	encoded[0] = UNCOMPRESSED;
	os_memcpy(encoded + 1, point, OS_P384_POINT_SIZE);
	return make_key(encoded, NULL);
}

/* The pair that a private number belongs to. */
static enum nv_status import_key(const u8 *private_key, EVP_PKEY **pkey)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(NULL, NULL, NID_secp384r1);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	BIGNUM *number = BN_secure_new();
	enum nv_status status = NV_ERR_NO_MEMORY;
	u8 encoded[ENCODED_SIZE];

	*pkey = NULL;
	if (!point || !number || !BN_bin2bn(private_key, OS_P384_SIZE, number))
		goto done;
	BN_set_flags(number, BN_FLG_CONSTTIME);
	if (BN_is_zero(number) || BN_cmp(number, EC_GROUP_get0_order(group)) >= 0) {
		status = NV_ERR_INVALID_ARGUMENT;
		goto done;
	}
	if (EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded,
			       sizeof(encoded), NULL) == sizeof(encoded))
		*pkey = make_key(encoded, number);
	status = *pkey ? NV_OK : crypto_failure(NV_ERR_NO_MEMORY);
done:
	(void)crypto_failure(NV_OK);
	BN_clear_free(number);
	EC_POINT_clear_free(point);
	EC_GROUP_free(group);
	return status;
}

enum nv_status os_p384_key_create(const u8 private_key[OS_P384_SIZE], struct os_p384_key **out)
{
	struct os_p384_key *key = os_alloc(sizeof(*key));
	enum nv_status status = NV_OK;
	u8 encoded[ENCODED_SIZE];
	size_t size = 0;

	*out = NULL;
	if (!key)
		return NV_ERR_NO_MEMORY;
	if (private_key)
		status = import_key(private_key, &key->pkey);
	else if (!(key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group_name)))
		status = crypto_failure(NV_ERR_NO_MEMORY);
	if (status == NV_OK &&
	    (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, encoded,
					     sizeof(encoded), &size) != 1 ||
	     size != sizeof(encoded) || encoded[0] != UNCOMPRESSED))
		status = crypto_failure(NV_ERR_NO_MEMORY);
	if (status != NV_OK) {
		os_p384_key_destroy(key);
		return status;
	}
	os_memcpy(key->point, encoded + 1, sizeof(key->point));
	*out = key;
	return NV_OK;
}

void os_p384_key_destroy(struct os_p384_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	os_free(key);
}

void os_p384_key_public(const struct os_p384_key *key, u8 point[OS_P384_POINT_SIZE])
{
	os_memcpy(point, key->point, OS_P384_POINT_SIZE);
}

enum nv_status os_p384_key_shared(const struct os_p384_key *key, const u8 peer[OS_P384_POINT_SIZE],
				  u8 secret[OS_P384_SIZE])
{
	EVP_PKEY *peer_key = public_key(peer);
	enum nv_status status = NV_OK;
	EVP_PKEY_CTX *ctx = NULL;
	size_t size = OS_P384_SIZE;

	if (!peer_key) {
		status = crypto_failure(NV_ERR_INVALID_DATA);
		goto done;
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (!ctx || EVP_PKEY_derive_init(ctx) != 1)
		status = crypto_failure(NV_ERR_NO_MEMORY);
	else if (EVP_PKEY_derive_set_peer_ex(ctx, peer_key, 1) != 1)
		status = crypto_failure(NV_ERR_INVALID_DATA);
	else if (EVP_PKEY_derive(ctx, secret, &size) != 1 || size != OS_P384_SIZE)
		status = crypto_failure(NV_ERR_NO_MEMORY);
done:
	if (status != NV_OK)
		os_wipe(secret, OS_P384_SIZE);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer_key);
	return status;
}

enum nv_status os_p384_check_point(const u8 point[OS_P384_POINT_SIZE])
{
	EVP_PKEY *pkey = public_key(point);
	enum nv_status status = pkey ? NV_OK : crypto_failure(NV_ERR_INVALID_DATA);

	EVP_PKEY_free(pkey);
	return status;
}

/* r||s as libcrypto reads it; *der is OPENSSL_free's. 0: no memory. */
static int encode_signature(const u8 *raw, u8 **der)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, OS_P384_SIZE, NULL);
	BIGNUM *s = BN_bin2bn(raw + OS_P384_SIZE, OS_P384_SIZE, NULL);
	int size = 0;

	*der = NULL;
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		size = i2d_ECDSA_SIG(signature, der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(signature);
	return size > 0 ? size : 0;
}

enum nv_status os_p384_verify(const u8 key[OS_P384_POINT_SIZE], const void *digest, size_t size,
			      const u8 signature[OS_P384_SIGNATURE_SIZE])
{
	EVP_PKEY *pkey = public_key(key);
	enum nv_status status = NV_OK;
	EVP_PKEY_CTX *ctx = NULL;
	u8 *der = NULL;
	int der_size;

	if (!pkey) {
		status = crypto_failure(NV_ERR_INVALID_DATA);
		goto done;
	}
	der_size = encode_signature(signature, &der);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (!der_size || !ctx || EVP_PKEY_verify_init(ctx) != 1)
		status = crypto_failure(NV_ERR_NO_MEMORY);
	else if (EVP_PKEY_verify(ctx, der, (size_t)der_size, digest, size) != 1)
		status = crypto_failure(NV_ERR_INVALID_DATA);
done:
	OPENSSL_free(der);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return status;
}
