// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * P-384 of os/crypto.h: published known answers, and numbers and points that are none.
 */
#include <openssl/evp.h>

#include "os_crypto.h"

/* -- Key exchange ------------------------------------------------------------------------------ */

static void make_point(u8 point[OS_P384_POINT_SIZE], const char *x, const char *y)
{
	struct bytes bx = hex(x), by = hex(y);

	memcpy(point, bx.data, OS_P384_SIZE);
	memcpy(point + OS_P384_SIZE, by.data, OS_P384_SIZE);
}

static void test_ecdh(void **state)
{
	u8 mine[OS_P384_POINT_SIZE], peer[OS_P384_POINT_SIZE], found[OS_P384_POINT_SIZE];
	u8 secret[OS_P384_SIZE];
	struct os_p384_key *key;
	u32 i;

	for (i = 0; i < ECDH_ANSWERS; i++) {
		struct bytes number = hex(ecdh_answers[i].private_key);
		struct bytes want = hex(ecdh_answers[i].secret);

		make_point(mine, ecdh_answers[i].x, ecdh_answers[i].y);
		make_point(peer, ecdh_answers[i].peer_x, ecdh_answers[i].peer_y);
		assert_int_equal(os_p384_key_create(number.data, &key), NV_OK);
		os_p384_key_public(key, found);
		assert_memory_equal(found, mine, sizeof(mine));
		assert_int_equal(os_p384_check_point(peer), NV_OK);
		assert_int_equal(os_p384_key_shared(key, peer, secret), NV_OK);
		assert_memory_equal(secret, want.data, sizeof(secret));
		os_p384_key_destroy(key);
	}
	os_p384_key_destroy(NULL);
}

static void test_fresh_keys(void **state)
{
	u8 point[2][OS_P384_POINT_SIZE], secret[2][OS_P384_SIZE];
	struct os_p384_key *key[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(os_p384_key_create(NULL, &key[i]), NV_OK);
		os_p384_key_public(key[i], point[i]);
	}
	assert_memory_not_equal(point[0], point[1], OS_P384_POINT_SIZE);
	for (i = 0; i < 2; i++)
		assert_int_equal(os_p384_key_shared(key[i], point[1 - i], secret[i]), NV_OK);
	assert_memory_equal(secret[0], secret[1], OS_P384_SIZE);
	os_p384_key_destroy(key[0]);
	os_p384_key_destroy(key[1]);
}

static void test_bad_private_keys(void **state)
{
	u8 one_point[OS_P384_POINT_SIZE], point[OS_P384_POINT_SIZE];
	struct bytes n = hex(p384_order), zero = hex("00*48"), one = zero, most = hex("ff*48");
	struct os_p384_key *key = (void *)1;

	assert_int_equal(os_p384_key_create(zero.data, &key), NV_ERR_INVALID_ARGUMENT);
	assert_null(key);
	assert_int_equal(os_p384_key_create(n.data, &key), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_p384_key_create(most.data, &key), NV_ERR_INVALID_ARGUMENT);
	assert_null(key);
	/* 1 is the base point, n - 1 is that with the other y */
	one.data[47] = 1;
	assert_int_equal(os_p384_key_create(one.data, &key), NV_OK);
	os_p384_key_public(key, one_point);
	os_p384_key_destroy(key);
	n.data[47]--;
	assert_int_equal(os_p384_key_create(n.data, &key), NV_OK);
	os_p384_key_public(key, point);
	os_p384_key_destroy(key);
	assert_memory_equal(point, one_point, OS_P384_SIZE);
	assert_memory_not_equal(point, one_point, OS_P384_POINT_SIZE);
}

/* No secret comes of a point that is none, and no signature of such a key holds. */
static void refuse_point(const struct os_p384_key *key, const u8 point[OS_P384_POINT_SIZE])
{
	u8 secret[OS_P384_SIZE], signature[OS_P384_SIGNATURE_SIZE];

	memset(secret, 0xa5, sizeof(secret));
	memset(signature, 1, sizeof(signature));
	assert_int_equal(os_p384_check_point(point), NV_ERR_INVALID_DATA);
	assert_int_equal(os_p384_key_shared(key, point, secret), NV_ERR_INVALID_DATA);
	assert_true(all_zero(secret, sizeof(secret)));
	assert_int_equal(os_p384_verify(point, secret, sizeof(secret), signature),
			 NV_ERR_INVALID_DATA);
}

static void test_bad_points(void **state)
{
	struct bytes p = hex(p384_prime);
	u8 good[OS_P384_POINT_SIZE], point[OS_P384_POINT_SIZE] = { 0 };
	struct os_p384_key *key;
	u32 i;

	assert_int_equal(os_p384_key_create(NULL, &key), NV_OK);
	refuse_point(key, point); /* what some use for the point at infinity */
	point[OS_P384_POINT_SIZE - 1] = 1;
	refuse_point(key, point);
	memset(point, 0xff, sizeof(point));
	refuse_point(key, point);
	make_point(good, ecdh_answers[0].x, ecdh_answers[0].y);
	for (i = 0; i < 8 * OS_P384_POINT_SIZE; i += 37) {
		memcpy(point, good, sizeof(point));
		point[i / 8] ^= (u8)(1u << i % 8);
		refuse_point(key, point);
	}
	/* x, y at the prime: not below it. (p, y) for x = 0 would be on the curve. */
	memcpy(point, p.data, OS_P384_SIZE);
	refuse_point(key, point);
	memcpy(point, good, sizeof(point));
	memcpy(point + OS_P384_SIZE, p.data, OS_P384_SIZE);
	refuse_point(key, point);
	os_p384_key_destroy(key);
}

/* -- Signatures -------------------------------------------------------------------------------- */

static void test_ecdsa(void **state)
{
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE], digest[64];
	u32 i, size;

	make_point(key, ecdsa_signer_x, ecdsa_signer_y);
	for (i = 0; i < ECDSA_ANSWERS; i++) {
		assert_int_equal(EVP_Digest(ecdsa_answers[i].text, strlen(ecdsa_answers[i].text),
					    digest, &size,
					    EVP_get_digestbyname(ecdsa_answers[i].hash), NULL),
				 1);
		make_point(signature, ecdsa_answers[i].r, ecdsa_answers[i].s);
		assert_int_equal(os_p384_verify(key, digest, size, signature), NV_OK);
		digest[0] ^= 1;
		assert_int_equal(os_p384_verify(key, digest, size, signature), NV_ERR_INVALID_DATA);
	}
}

static void refuse(const u8 *key, const u8 *digest, const u8 *r, const u8 *s)
{
	u8 signature[OS_P384_SIGNATURE_SIZE];

	memcpy(signature, r, OS_P384_SIZE);
	memcpy(signature + OS_P384_SIZE, s, OS_P384_SIZE);
	assert_int_equal(os_p384_verify(key, digest, OS_SHA384_SIZE, signature),
			 NV_ERR_INVALID_DATA);
}

/* 384-bit big endian a + b; false: more than 384 bits. */
static bool add(u8 *a, const u8 *b)
{
	u32 carry = 0, i;

	for (i = OS_P384_SIZE; i-- > 0;) {
		carry += (u32)a[i] + b[i];
		a[i] = (u8)carry;
		carry >>= 8;
	}
	return !carry;
}

static void test_bad_signatures(void **state)
{
	u8 key[OS_P384_POINT_SIZE], other[OS_P384_POINT_SIZE], digest[OS_SHA384_SIZE];
	struct bytes r = hex(ecdsa_answers[1].r), s = hex(ecdsa_answers[1].s);
	struct bytes n = hex(p384_order), zero = hex("00*48"), one = zero, most = hex("ff*48");
	struct bytes odd[6];
	u8 signature[OS_P384_SIGNATURE_SIZE];
	u32 i, j;

	make_point(key, ecdsa_signer_x, ecdsa_signer_y);
	one.data[47] = 1;
	assert_int_equal(os_hash_digest(OS_SHA384, "sample", 6, digest), NV_OK);
	odd[0] = zero;
	odd[1] = one;
	odd[2] = n;
	odd[3] = most;
	odd[4] = n;
	odd[4].data[47]++;
	odd[5] = n;
	odd[5].data[47]--;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		refuse(key, digest, odd[i].data, s.data);
		refuse(key, digest, r.data, odd[i].data);
		for (j = 0; j < ARRAY_SIZE(odd); j++)
			refuse(key, digest, odd[i].data, odd[j].data);
	}
	refuse(key, digest, s.data, r.data);
	/* The same numbers modulo the order are not the same numbers. */
	if (add(r.data, n.data))
		refuse(key, digest, r.data, s.data);
	r = hex(ecdsa_answers[1].r);
	make_point(signature, ecdsa_answers[1].r, ecdsa_answers[1].s);
	for (i = 0; i < 8 * sizeof(signature); i += 29) {
		signature[i / 8] ^= (u8)(1u << i % 8);
		assert_int_equal(os_p384_verify(key, digest, sizeof(digest), signature),
				 NV_ERR_INVALID_DATA);
		signature[i / 8] ^= (u8)(1u << i % 8);
	}
	make_point(other, ecdh_answers[0].x, ecdh_answers[0].y);
	assert_int_equal(os_p384_verify(other, digest, sizeof(digest), signature),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(os_p384_verify(key, digest, sizeof(digest) - 1, signature),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(os_p384_verify(key, digest, sizeof(digest), signature), NV_OK);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static enum nv_status use_ecdh(void)
{
	struct bytes number = hex(ecdh_answers[0].private_key), want = hex(ecdh_answers[0].secret);
	u8 peer[OS_P384_POINT_SIZE], secret[OS_P384_SIZE];
	struct os_p384_key *key;
	enum nv_status status;

	make_point(peer, ecdh_answers[0].peer_x, ecdh_answers[0].peer_y);
	status = os_p384_key_create(number.data, &key);
	if (status != NV_OK) {
		assert_null(key);
		return status;
	}
	status = os_p384_key_shared(key, peer, secret);
	if (status == NV_OK)
		assert_memory_equal(secret, want.data, sizeof(secret));
	else
		assert_true(all_zero(secret, sizeof(secret)));
	os_p384_key_destroy(key);
	return status;
}

static enum nv_status use_fresh_key(void)
{
	struct os_p384_key *key;
	enum nv_status status = os_p384_key_create(NULL, &key);

	os_p384_key_destroy(key);
	return status;
}

static enum nv_status use_verify(void)
{
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE];
	static u8 digest[OS_SHA384_SIZE];

	if (all_zero(digest, sizeof(digest)))
		assert_int_equal(os_hash_digest(OS_SHA384, "test", 4, digest), NV_OK);
	make_point(key, ecdsa_signer_x, ecdsa_signer_y);
	make_point(signature, ecdsa_answers[2].r, ecdsa_answers[2].s);
	return os_p384_verify(key, digest, sizeof(digest), signature);
}

static void test_no_memory(void **state)
{
	fail_each(use_ecdh);
	fail_each(use_fresh_key);
	fail_each(use_verify);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ecdh),
		cmocka_unit_test(test_fresh_keys),
		cmocka_unit_test(test_bad_private_keys),
		cmocka_unit_test(test_bad_points),
		cmocka_unit_test(test_ecdsa),
		cmocka_unit_test(test_bad_signatures),
		cmocka_unit_test(test_no_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
