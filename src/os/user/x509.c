// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Certificates of os/crypto.h on OpenSSL's libcrypto.
 */
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "os/user/crypto.h"

#define UNCOMPRESSED 4u

/* The next certificate of [*from, end); NULL: there is none, or no memory. */
static X509 *read_one(const u8 **from, const u8 *end)
{
	return end - *from > LONG_MAX ? NULL : d2i_X509(NULL, from, (long)(end - *from));
}

/* False: a key of another kind. */
static bool key_of(X509 *certificate, u8 point[OS_P384_POINT_SIZE])
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	u8 encoded[1 + OS_P384_POINT_SIZE];
	char group[32];
	size_t size;

	if (!key || EVP_PKEY_is_a(key, "EC") != 1 ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &size) != 1 ||
	    OBJ_txt2nid(group) != NID_secp384r1 ||
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof(encoded),
					    &size) != 1 ||
	    size != sizeof(encoded) || encoded[0] != UNCOMPRESSED)
		return false;
	os_memcpy(point, encoded + 1, OS_P384_POINT_SIZE);
	return true;
}

enum nv_status os_x509_public_key(const void *certificate, size_t size,
				  u8 point[OS_P384_POINT_SIZE])
{
	const u8 *from = certificate, *end = from + size;
	enum nv_status status = NV_OK;
	X509 *x509 = read_one(&from, end);

	if (!x509 || from != end || !key_of(x509, point)) {
		status = crypto_failure(NV_ERR_INVALID_DATA);
		os_memset(point, 0, OS_P384_POINT_SIZE);
	}
	X509_free(x509);
	return status;
}

/* What both the root and every certificate of a chain must be. */
static bool acceptable(X509 *x509)
{
	u8 point[OS_P384_POINT_SIZE];

	return X509_get_signature_nid(x509) == NID_ecdsa_with_SHA384 && key_of(x509, point);
}

/* All of a chain, in its order, behind root where it does not begin with that. */
static STACK_OF(X509) * read_chain(X509 *root, const u8 *from, const u8 *end)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	u32 count = 0;
	X509 *x509;

	if (!chain)
		return NULL;
	while (from < end) {
		x509 = count++ < OS_X509_CHAIN_MAX ? read_one(&from, end) : NULL;
		if (!x509)
			goto fail;
		if (!sk_X509_num(chain) && X509_cmp(x509, root) != 0) {
			if (X509_up_ref(root) != 1 || !sk_X509_push(chain, root)) {
				X509_free(x509);
				goto fail;
			}
		}
		if (!acceptable(x509) || !sk_X509_push(chain, x509)) {
			X509_free(x509);
			goto fail;
		}
	}
	if (sk_X509_num(chain))
		return chain;
fail:
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

/* Whether libcrypto's way from the owner to the root is the given chain, each issuer an authority.
 */
static bool is_path(STACK_OF(X509) * path, STACK_OF(X509) * chain)
{
	int count = sk_X509_num(chain), i;

	if (sk_X509_num(path) != count)
		return false;
	for (i = 0; i < count; i++)
		if (X509_cmp(sk_X509_value(path, count - 1 - i), sk_X509_value(chain, i)) != 0 ||
		    (i < count - 1 && X509_check_ca(sk_X509_value(chain, i)) != 1))
			return false;
	return true;
}

/* Whether the key may sign something else than certificates: where its use is told, it is for that.
 */
static bool may_sign(X509 *owner)
{
	u32 usage = X509_get_key_usage(owner); /* all bits where none is told */

	return usage & KU_DIGITAL_SIGNATURE;
}

static enum nv_status verify(X509 *root, STACK_OF(X509) * chain, u64 time)
{
	X509 *owner = sk_X509_value(chain, sk_X509_num(chain) - 1);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	enum nv_status status = NV_OK;

	if (!ctx || !store || X509_STORE_add_cert(store, root) != 1 ||
	    X509_STORE_CTX_init(ctx, store, owner, chain) != 1) {
		status = crypto_failure(NV_ERR_NO_MEMORY);
		goto done;
	}
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_depth(ctx, (int)OS_X509_CHAIN_MAX);
	X509_STORE_CTX_set_time(ctx, 0, (time_t)time);
	if (X509_verify_cert(ctx) != 1)
		status = X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM
				 ? NV_ERR_NO_MEMORY
				 : crypto_failure(NV_ERR_INVALID_DATA);
	else if (!is_path(X509_STORE_CTX_get0_chain(ctx), chain) || !may_sign(owner))
		status = crypto_failure(NV_ERR_INVALID_DATA);
done:
	(void)crypto_failure(NV_OK);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return status;
}

enum nv_status os_x509_verify_chain(const void *root, size_t root_size, const void *chain,
				    size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE])
{
	const u8 *root_from = root, *root_end = root_from + root_size, *from = chain;
	STACK_OF(X509) *certificates = NULL;
	enum nv_status status;
	X509 *trusted;

	trusted = read_one(&root_from, root_end);
	if (trusted && root_from == root_end && acceptable(trusted))
		certificates = read_chain(trusted, from, from + chain_size);
	status = certificates ? verify(trusted, certificates, time)
			      : crypto_failure(NV_ERR_INVALID_DATA);
	if (status == NV_OK &&
	    !key_of(sk_X509_value(certificates, sk_X509_num(certificates) - 1), point))
		status = crypto_failure(NV_ERR_INVALID_DATA);
	if (status != NV_OK)
		os_memset(point, 0, OS_P384_POINT_SIZE);
	sk_X509_pop_free(certificates, X509_free);
	X509_free(trusted);
	return status;
}
