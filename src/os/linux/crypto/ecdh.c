// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Key exchange with P-384 of os/crypto.h on the kernel's "ecdh-nist-p384". (The functions below it
 * changed the order of a private key's bytes between releases.)
 */
#include <crypto/ecdh.h>
#include <crypto/internal/ecc.h>
#include <crypto/kpp.h>
#include <linux/err.h>

#include "os/linux/crypto/crypto.h"

#define DIGITS ECC_CURVE_NIST_P384_DIGITS
#define TRIES 8u /* to draw a number: of 2^190 one is not taken */

struct os_p384_key {
	struct crypto_kpp *tfm;
	u8 point[OS_P384_POINT_SIZE];
};

/* One request; the kernel's drivers take pages, so bytes are in os_alloc's memory. */
struct exchange {
	u8 peer[OS_P384_POINT_SIZE], result[OS_P384_POINT_SIZE];
};

static enum nv_status status_of(int err)
{
	return err == -ENOMEM ? NV_ERR_NO_MEMORY : NV_ERR_INVALID_DATA;
}

/*
 * peer NULL: the own public key; else the secret shared with it. NV_ERR_INVALID_DATA: the kernel
 * refuses the point.
 */
static enum nv_status compute(struct crypto_kpp *tfm, const u8 *peer, u8 *result, u32 size)
{
	struct exchange *exchange = os_alloc(sizeof(*exchange));
	struct kpp_request *request = NULL;
	struct scatterlist in, out;
	DECLARE_CRYPTO_WAIT(wait);
	int err = -ENOMEM;

	if (exchange && !account_fails())
		request = kpp_request_alloc(tfm, GFP_KERNEL);
	if (request) {
		kpp_request_set_callback(request, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &wait);
		sg_init_one(&out, exchange->result, size);
		kpp_request_set_output(request, &out, size);
		if (peer) {
			os_memcpy(exchange->peer, peer, sizeof(exchange->peer));
			sg_init_one(&in, exchange->peer, sizeof(exchange->peer));
			kpp_request_set_input(request, &in, sizeof(exchange->peer));
			err = crypto_kpp_compute_shared_secret(request);
		} else {
			kpp_request_set_input(request, NULL, 0);
			err = crypto_kpp_generate_public_key(request);
		}
		err = crypto_wait_req(err, &wait);
		kpp_request_free(request);
	}
	if (!err)
		os_memcpy(result, exchange->result, size);
	os_free_secret(exchange, sizeof(*exchange));
	return err ? status_of(err) : NV_OK;
}

static bool number_taken(const u8 number[OS_P384_SIZE])
{
	u64 digits[DIGITS];
	bool taken;

	vli_from_be64(digits, number, DIGITS);
	taken = ecc_is_key_valid(ECC_CURVE_NIST_P384, DIGITS, digits, sizeof(digits)) == 0;
	os_wipe(digits, sizeof(digits));
	return taken;
}

static enum nv_status draw_number(u8 number[OS_P384_SIZE])
{
	enum nv_status status;
	u32 i;

	for (i = 0; i < TRIES; i++) {
		status = os_random(number, OS_P384_SIZE);
		if (status != NV_OK || number_taken(number))
			return status;
	}
	return NV_ERR_NOT_READY; /* that is no randomness */
}

static enum nv_status set_number(struct crypto_kpp *tfm, u8 number[OS_P384_SIZE])
{
	struct ecdh params = { .key = (char *)number, .key_size = OS_P384_SIZE };
	u32 size = crypto_ecdh_key_len(&params);
	char *packed = os_alloc(size);
	int err = packed ? crypto_ecdh_encode_key(packed, size, &params) : -ENOMEM;

	if (!err)
		err = crypto_kpp_set_secret(tfm, packed, size);
	os_free_secret(packed, size);
	return err ? status_of(err) : NV_OK;
}

enum nv_status os_p384_key_create(const u8 private_key[OS_P384_SIZE], struct os_p384_key **out)
{
	struct os_p384_key *key = NULL;
	enum nv_status status = NV_OK;
	u8 number[OS_P384_SIZE];

	*out = NULL;
	if (private_key)
		os_memcpy(number, private_key, sizeof(number));
	else
		status = draw_number(number);
	if (status == NV_OK && !number_taken(number))
		status = NV_ERR_INVALID_ARGUMENT;
	if (status != NV_OK)
		goto done;
	key = os_alloc(sizeof(*key));
	status = NV_ERR_NO_MEMORY;
	if (!key || account_fails())
		goto done;
	key->tfm = crypto_alloc_kpp(ECDH_NAME, 0, UNWANTED);
	if (IS_ERR(key->tfm)) {
		key->tfm = NULL;
		goto done;
	}
	status = set_number(key->tfm, number);
	if (status == NV_OK)
		status = compute(key->tfm, NULL, key->point, sizeof(key->point));
done:
	os_wipe(number, sizeof(number));
	if (status == NV_OK)
		*out = key;
	else
		os_p384_key_destroy(key);
	return status;
}

void os_p384_key_destroy(struct os_p384_key *key)
{
	if (!key)
		return;
	if (key->tfm)
		crypto_free_kpp(key->tfm);
	os_free(key);
}

void os_p384_key_public(const struct os_p384_key *key, u8 point[OS_P384_POINT_SIZE])
{
	os_memcpy(point, key->point, OS_P384_POINT_SIZE);
}

enum nv_status os_p384_key_shared(const struct os_p384_key *key, const u8 peer[OS_P384_POINT_SIZE],
				  u8 secret[OS_P384_SIZE])
{
	enum nv_status status = compute(key->tfm, peer, secret, OS_P384_SIZE);

	if (status != NV_OK)
		os_wipe(secret, OS_P384_SIZE);
	return status;
}
