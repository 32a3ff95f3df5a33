// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Hashes, HMAC, HKDF and AES-GCM of os/crypto.h, against the published known answers.
 */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>

#include "os_crypto.h"

static void assert_bytes(const void *found, const char *want)
{
	struct bytes b = hex(want);

	assert_memory_equal(found, b.data, b.size);
}

/* -- Secrets ----------------------------------------------------------------------------------- */

static void test_check(void **state)
{
	assert_int_equal(os_crypto_check(), NV_OK);
}

static void test_secrets(void **state)
{
	u8 a[33] = { 0 }, b[33] = { 0 };
	u32 i;

	assert_true(os_equal_secret(a, b, sizeof(a)));
	for (i = 0; i < sizeof(a) * 8; i++) {
		b[i / 8] = (u8)(1u << i % 8);
		assert_false(os_equal_secret(a, b, sizeof(a)));
		b[i / 8] = 0;
	}
	assert_true(os_equal_secret(a, b, 0));
	memset(a, 0xa5, sizeof(a));
	os_wipe(a, sizeof(a) - 1);
	assert_true(all_zero(a, sizeof(a) - 1));
	assert_int_equal(a[sizeof(a) - 1], 0xa5);
	os_wipe(a, 0);
}

/* -- Hashes ------------------------------------------------------------------------------------ */

static void test_hashes(void **state)
{
	u8 digest[OS_HASH_SIZE_MAX];
	u32 i;

	for (i = 0; i < HASH_ANSWERS; i++) {
		const char *text = hash_answers[i].text;

		assert_int_equal(os_hash_digest(OS_SHA256, text, strlen(text), digest), NV_OK);
		assert_bytes(digest, hash_answers[i].sha256);
		assert_int_equal(os_hash_digest(OS_SHA384, text, strlen(text), digest), NV_OK);
		assert_bytes(digest, hash_answers[i].sha384);
	}
	assert_int_equal(os_hash_size(OS_SHA256), 32);
	assert_int_equal(os_hash_size(OS_SHA384), 48);
}

/* A million times "a", in pieces of all sizes; used again; looked at in between. */
static void test_hash_pieces(void **state)
{
	u8 digest[OS_HASH_SIZE_MAX], text[1000];
	struct os_hash *hash;
	u32 kind, done, part;

	memset(text, 'a', sizeof(text));
	for (kind = OS_SHA256; kind <= OS_SHA384; kind++) {
		hash = os_hash_create(kind);
		assert_non_null(hash);
		os_hash_update(hash, "forgotten", 9);
		os_hash_begin(hash);
		for (done = 0, part = 0; done < 1000000; done += part) {
			part = (part + 1) % sizeof(text);
			if (part > 1000000 - done)
				part = 1000000 - done;
			os_hash_update(hash, text, part);
		}
		os_hash_update(hash, NULL, 0);
		assert_int_equal(os_hash_peek(hash, digest), NV_OK);
		assert_bytes(digest, million_answers[kind]);
		memset(digest, 0, sizeof(digest));
		assert_int_equal(os_hash_finish(hash, digest), NV_OK);
		assert_bytes(digest, million_answers[kind]);

		os_hash_update(hash, "ab", 2);
		assert_int_equal(os_hash_peek(hash, digest), NV_OK);
		os_hash_update(hash, "c", 1);
		assert_int_equal(os_hash_finish(hash, digest), NV_OK);
		assert_bytes(digest,
			     kind == OS_SHA256 ? hash_answers[0].sha256 : hash_answers[0].sha384);
		os_hash_destroy(hash);
	}
	os_hash_destroy(NULL);
}

/* -- HMAC -------------------------------------------------------------------------------------- */

static void test_hmac(void **state)
{
	struct os_hmac *hmac[2] = { os_hmac_create(OS_SHA256), os_hmac_create(OS_SHA384) };
	u8 mac[OS_HASH_SIZE_MAX];
	struct bytes key, data;
	u32 i, kind, again;

	for (i = 0; i < HMAC_ANSWERS * 2; i++) {
		const char *text = hmac_answers[i / 2].text;
		const char *want = i % 2 ? hmac_answers[i / 2].sha384 : hmac_answers[i / 2].sha256;

		kind = i % 2 ? OS_SHA384 : OS_SHA256;
		key = hex(hmac_answers[i / 2].key);
		if (text) {
			data.size = strlen(text);
			memcpy(data.data, text, data.size);
		} else {
			data = hex(hmac_answers[i / 2].data);
		}
		assert_int_equal(os_hmac_mac(kind, key.data, key.size, data.data, data.size, mac),
				 NV_OK);
		assert_bytes(mac, want);
		/* A context keeps its key, however often it is used and in whatever pieces. */
		assert_int_equal(os_hmac_set_key(hmac[kind], key.data, key.size), NV_OK);
		for (again = 0; again < 3; again++) {
			os_hmac_update(hmac[kind], data.data, again);
			os_hmac_update(hmac[kind], data.data + again, data.size - again);
			memset(mac, 0, sizeof(mac));
			assert_int_equal(os_hmac_finish(hmac[kind], mac), NV_OK);
			assert_bytes(mac, want);
		}
		os_hmac_update(hmac[kind], "forgotten", 9);
		os_hmac_begin(hmac[kind]);
		os_hmac_update(hmac[kind], data.data, data.size);
		assert_int_equal(os_hmac_finish(hmac[kind], mac), NV_OK);
		assert_bytes(mac, want);
	}
	os_hmac_destroy(hmac[0]);
	os_hmac_destroy(hmac[1]);
	os_hmac_destroy(NULL);
	/* Without a key */
	assert_int_equal(os_hmac_mac(OS_SHA256, NULL, 0, NULL, 0, mac), NV_OK);
	assert_bytes(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* -- HKDF -------------------------------------------------------------------------------------- */

static void assert_hkdf(struct bytes ikm, struct bytes salt, struct bytes info, const char *prk,
			const char *okm)
{
	struct bytes want = hex(okm);
	u8 out[256], found_prk[OS_SHA256_SIZE];

	assert_int_equal(
		os_hkdf_extract(OS_SHA256, salt.data, salt.size, ikm.data, ikm.size, found_prk),
		NV_OK);
	assert_bytes(found_prk, prk);
	memset(out, 0xee, sizeof(out));
	assert_int_equal(os_hkdf_expand(OS_SHA256, found_prk, sizeof(found_prk), info.data,
					info.size, out, want.size),
			 NV_OK);
	assert_memory_equal(out, want.data, want.size);
	assert_int_equal(out[want.size], 0xee);
}

static void test_hkdf(void **state)
{
	const struct hkdf_answer *answer;

	for (answer = hkdf_answers; answer->ikm; answer++)
		assert_hkdf(hex(answer->ikm), hex(answer->salt), hex(answer->info), answer->prk,
			    answer->okm);
}

/* OpenSSL's own HKDF, which os/hkdf.c does not use. */
static void hkdf_of_library(const char *digest, const u8 *salt, size_t salt_size, const u8 *ikm,
			    size_t ikm_size, const u8 *info, size_t info_size, u8 *out, size_t size)
{
	OSSL_PARAM params[5], *p = params;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);

	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)ikm, ikm_size);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_size);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_size);
	*p = OSSL_PARAM_construct_end();
	assert_int_equal(EVP_KDF_derive(ctx, out, size, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static void test_hkdf_of_another(void **state)
{
	u8 ikm[100], salt[200], info[200], prk[OS_HASH_SIZE_MAX], found[600], want[600];
	u64 seed = 5869;
	u32 i, j;

	for (i = 0; i < 200; i++) {
		u32 kind = i % 2 ? OS_SHA384 : OS_SHA256;
		size_t ikm_size = 1 + unit_random(&seed) % sizeof(ikm);
		size_t salt_size = 1 + unit_random(&seed) % sizeof(salt);
		size_t info_size = unit_random(&seed) % sizeof(info);
		size_t size = 1 + unit_random(&seed) % sizeof(found);

		for (j = 0; j < sizeof(salt); j++) {
			ikm[j % sizeof(ikm)] = (u8)unit_random(&seed);
			salt[j] = (u8)unit_random(&seed);
			info[j] = (u8)unit_random(&seed);
		}
		hkdf_of_library(i % 2 ? "SHA384" : "SHA256", salt, salt_size, ikm, ikm_size, info,
				info_size, want, size);
		assert_int_equal(os_hkdf_extract(kind, salt, salt_size, ikm, ikm_size, prk), NV_OK);
		assert_int_equal(
			os_hkdf_expand(kind, prk, os_hash_size(kind), info, info_size, found, size),
			NV_OK);
		assert_memory_equal(found, want, size);
	}
}

static void test_hkdf_limits(void **state)
{
	size_t most = 255 * OS_SHA256_SIZE;
	u8 prk[OS_SHA256_SIZE] = { 1 }, *out = malloc(most + 1), *again = malloc(most);

	memset(out, 0xee, most + 1);
	assert_int_equal(os_hkdf_expand(OS_SHA256, prk, sizeof(prk), "x", 1, out, most), NV_OK);
	hkdf_of_library("SHA256", prk, 0, prk, sizeof(prk), (u8 *)"x", 1, again, most);
	/* The library extracts first: another key, so another output. */
	assert_memory_not_equal(out, again, most);
	assert_int_equal(out[most], 0xee);
	assert_false(all_zero(out + most - 32, 32));
	assert_int_equal(os_hkdf_expand(OS_SHA256, prk, sizeof(prk), "x", 1, out, most + 1),
			 NV_ERR_INVALID_ARGUMENT);
	assert_true(all_zero(out, most + 1));
	assert_int_equal(os_hkdf_expand(OS_SHA256, prk, sizeof(prk), "x", 1, out, 0), NV_OK);
	free(out);
	free(again);
}

/* Tests of ciphers run on either library, or twice on the one that there is. */
static int with_libcrypto(void **state)
{
	(void)os_user_gcm_only_libcrypto(true);
	return 0;
}

static int with_the_fastest(void **state)
{
	(void)os_user_gcm_only_libcrypto(false);
	return 0;
}

static void test_libraries(void **state)
{
	if (!os_user_gcm_only_libcrypto(false))
		skip();
}

/* -- AES-256-GCM ------------------------------------------------------------------------------- */

static void test_gcm(void **state)
{
	struct os_gcm *gcm = os_gcm_create(256);
	u8 out[64], tag[OS_GCM_TAG_SIZE];
	u32 i, in_place;

	assert_non_null(gcm);
	for (i = 0; i < GCM_ANSWERS * 2; i++) {
		struct bytes key = hex(gcm_answers[i / 2].key), iv = hex(gcm_answers[i / 2].iv);
		struct bytes aad = hex(gcm_answers[i / 2].aad);
		struct bytes plain = hex(gcm_answers[i / 2].plain);
		struct bytes cipher = hex(gcm_answers[i / 2].cipher);
		struct bytes want = hex(gcm_answers[i / 2].tag);

		in_place = i % 2;
		assert_int_equal(os_gcm_set_key(gcm, key.data), NV_OK);
		if (in_place)
			memcpy(out, plain.data, plain.size);
		assert_int_equal(os_gcm_encrypt(gcm, iv.data, aad.data, aad.size,
						in_place ? out : plain.data, plain.size, out, tag),
				 NV_OK);
		assert_memory_equal(out, cipher.data, cipher.size);
		assert_memory_equal(tag, want.data, sizeof(tag));
		memset(out, 0, sizeof(out));
		if (in_place)
			memcpy(out, cipher.data, cipher.size);
		assert_int_equal(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size,
						in_place ? out : cipher.data, cipher.size, out,
						tag),
				 NV_OK);
		assert_memory_equal(out, plain.data, plain.size);
	}
	os_gcm_destroy(gcm);
	os_gcm_destroy(NULL);
}

/* Every bit that is not the sender's is seen, and nothing of the text is told then. */
static void test_gcm_tampered(void **state)
{
	struct bytes key = hex(gcm_answers[3].key), iv = hex(gcm_answers[3].iv);
	struct bytes aad = hex(gcm_answers[3].aad), cipher = hex(gcm_answers[3].cipher);
	struct bytes tag = hex(gcm_answers[3].tag), plain = hex(gcm_answers[3].plain);
	struct os_gcm *gcm = os_gcm_create(64);
	struct bytes *parts[] = { &iv, &aad, &cipher, &tag };
	u8 out[64];
	u32 i, bit;

	assert_int_equal(os_gcm_set_key(gcm, key.data), NV_OK);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (bit = 0; bit < parts[i]->size * 8; bit++) {
			parts[i]->data[bit / 8] ^= (u8)(1u << bit % 8);
			memset(out, 0xa5, sizeof(out));
			assert_int_equal(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size,
							cipher.data, cipher.size, out, tag.data),
					 NV_ERR_INVALID_DATA);
			assert_true(all_zero(out, cipher.size));
			parts[i]->data[bit / 8] ^= (u8)(1u << bit % 8);
		}
	}
	/* Too short, of another split between the parts, in place */
	assert_int_equal(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, cipher.data,
					cipher.size - 1, out, tag.data),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size - 1, cipher.data,
					cipher.size, out, tag.data),
			 NV_ERR_INVALID_DATA);
	memcpy(out, cipher.data, cipher.size);
	out[7]++;
	assert_int_equal(
		os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, out, cipher.size, out, tag.data),
		NV_ERR_INVALID_DATA);
	assert_true(all_zero(out, cipher.size));
	/* The failures left nothing behind. */
	assert_int_equal(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, cipher.data, cipher.size,
					out, tag.data),
			 NV_OK);
	assert_memory_equal(out, plain.data, plain.size);
	os_gcm_destroy(gcm);
}

static void test_gcm_arguments(void **state)
{
	struct os_gcm *gcm = os_gcm_create(32);
	u8 key[OS_GCM_KEY_SIZE] = { 1 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE], in[33];
	u8 out[33], aad[33], text[2 * OS_GCM_AAD_MAX] = { 0 };
	struct os_gcm *large;

	memset(in, 1, sizeof(in));
	memset(aad, 2, sizeof(aad));
	assert_null(os_gcm_create(0x80000000u));
	memset(out, 3, sizeof(out));
	memset(tag, 3, sizeof(tag));
	assert_int_equal(os_gcm_encrypt(gcm, iv, NULL, 0, in, 32, out, tag), NV_ERR_INVALID_STATE);
	assert_true(all_zero(out, 32) && all_zero(tag, sizeof(tag)));
	assert_int_equal(os_gcm_decrypt(gcm, iv, NULL, 0, in, 32, out, tag), NV_ERR_INVALID_STATE);
	assert_int_equal(os_gcm_set_key(gcm, key), NV_OK);
	memset(out, 3, sizeof(out));
	assert_int_equal(os_gcm_encrypt(gcm, iv, NULL, 0, in, 33, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_true(all_zero(out, 33));
	assert_int_equal(os_gcm_encrypt(gcm, iv, aad, 33, in, 32, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_gcm_decrypt(gcm, iv, NULL, 0, in, 33, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_gcm_decrypt(gcm, iv, aad, 33, in, 32, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	/* Associated data has a limit of its own. */
	large = os_gcm_create(2 * OS_GCM_AAD_MAX);
	assert_int_equal(os_gcm_set_key(large, key), NV_OK);
	assert_int_equal(
		os_gcm_encrypt(large, iv, text, OS_GCM_AAD_MAX, text, sizeof(text), text, tag),
		NV_OK);
	assert_int_equal(os_gcm_encrypt(large, iv, text, OS_GCM_AAD_MAX + 1, in, 32, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_gcm_decrypt(large, iv, text, OS_GCM_AAD_MAX + 1, in, 32, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	os_gcm_destroy(large);
	/* Associated data alone */
	assert_int_equal(os_gcm_encrypt(gcm, iv, aad, 32, NULL, 0, NULL, tag), NV_OK);
	assert_int_equal(os_gcm_decrypt(gcm, iv, aad, 32, NULL, 0, NULL, tag), NV_OK);
	aad[0]++;
	assert_int_equal(os_gcm_decrypt(gcm, iv, aad, 32, NULL, 0, NULL, tag), NV_ERR_INVALID_DATA);
	os_gcm_destroy(gcm);
}

/*
 * Somebody changes the ciphertext all the time, as who shares its memory can: no tag is ever that
 * of a changed text, and no changed text comes out as proven.
 */
#define SHARED_SIZE 65536u
static u8 shared[SHARED_SIZE];
static bool change_stops;

static void *change_shared(void *arg)
{
	u32 at = 0;

	while (!os_load_acquire(&change_stops)) {
		(void)os_fetch_add(&shared[at % SHARED_SIZE], 1);
		at += 61;
	}
	return NULL;
}

static void test_gcm_shared(void **state)
{
#ifdef __SANITIZE_THREAD__
	skip(); /* the race is the point */
#endif
	u8 key[OS_GCM_KEY_SIZE] = { 7 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	u8 want[OS_GCM_TAG_SIZE];
	u8 *text = calloc(1, SHARED_SIZE), *cipher = malloc(SHARED_SIZE),
	   *out = malloc(SHARED_SIZE);
	struct os_gcm *gcm = os_gcm_create(SHARED_SIZE);
	u32 i, proven = 0;
	pthread_t thread;

	assert_int_equal(os_gcm_set_key(gcm, key), NV_OK);
	change_stops = false;
	assert_int_equal(pthread_create(&thread, NULL, change_shared, NULL), 0);
	for (i = 0; i < 300; i++) {
		iv[0] = (u8)i;
		iv[1] = (u8)(i >> 8);
		assert_int_equal(os_gcm_encrypt(gcm, iv, NULL, 0, text, SHARED_SIZE, cipher, want),
				 NV_OK);
		assert_int_equal(os_gcm_encrypt(gcm, iv, NULL, 0, text, SHARED_SIZE, shared, tag),
				 NV_OK);
		assert_memory_equal(tag, want, sizeof(tag));
		memcpy(shared, cipher, SHARED_SIZE);
		if (os_gcm_decrypt(gcm, iv, NULL, 0, shared, SHARED_SIZE, out, tag) == NV_OK) {
			assert_memory_equal(out, text, SHARED_SIZE);
			proven++;
		} else {
			assert_true(all_zero(out, SHARED_SIZE));
		}
	}
	os_store_release(&change_stops, true);
	pthread_join(thread, NULL);
	print_message("%u of %u were left alone\n", proven, i);
	os_gcm_destroy(gcm);
	free(text);
	free(cipher);
	free(out);
}

/* -- Memory ------------------------------------------------------------------------------------ */

/* What the data path calls takes none; of libcrypto's own, hashes take some. */
static void test_no_allocation(void **state)
{
	u8 key[OS_GCM_KEY_SIZE] = { 1 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	struct os_hmac *hmac = os_hmac_create(OS_SHA256);
	struct os_hash *hash = os_hash_create(OS_SHA384);
	struct os_gcm *gcm = os_gcm_create(65536);
	u8 *text = calloc(1, 65536), digest[OS_HASH_SIZE_MAX];
	struct os_user_alloc_stats before, after;
	u64 of_library = library_allocations;
	u32 i;

	os_user_alloc_stats(&before);
	assert_int_equal(os_gcm_set_key(gcm, key), NV_OK);
	for (i = 0; i < 10; i++) {
		iv[0] = (u8)i;
		assert_int_equal(os_gcm_encrypt(gcm, iv, key, 20, text, 65536, text, tag), NV_OK);
		assert_int_equal(os_gcm_decrypt(gcm, iv, key, 20, text, 65536, text, tag), NV_OK);
	}
	assert_int_equal(library_allocations, of_library);
	assert_int_equal(os_hmac_set_key(hmac, key, sizeof(key)), NV_OK);
	for (i = 0; i < 10; i++) {
		os_hmac_update(hmac, text, 80);
		assert_int_equal(os_hmac_finish(hmac, digest), NV_OK);
		os_hash_update(hash, text, 1000);
		assert_int_equal(os_hash_finish(hash, digest), NV_OK);
	}
	os_user_alloc_stats(&after);
	assert_int_equal(after.total, before.total);
	os_gcm_destroy(gcm);
	os_hmac_destroy(hmac);
	os_hash_destroy(hash);
	free(text);
}

static enum nv_status use_hashes(void)
{
	u8 a[OS_HASH_SIZE_MAX], b[OS_HASH_SIZE_MAX];
	enum nv_status status;
	struct os_hash *hash = os_hash_create(OS_SHA384);

	if (!hash)
		return NV_ERR_NO_MEMORY;
	os_hash_update(hash, "abc", 3);
	status = os_hash_peek(hash, a);
	if (status == NV_OK)
		status = os_hash_finish(hash, b);
	else
		assert_true(all_zero(a, OS_SHA384_SIZE));
	os_hash_destroy(hash);
	if (status == NV_OK)
		assert_memory_equal(a, b, OS_SHA384_SIZE);
	return status;
}

static enum nv_status use_hkdf(void)
{
	u8 out[100];
	enum nv_status status = os_hkdf_extract(OS_SHA256, "salt", 4, "ikm", 3, out);

	if (status == NV_OK)
		status = os_hkdf_expand(OS_SHA256, out, 32, "info", 4, out, sizeof(out));
	else
		assert_true(all_zero(out, 32));
	return status;
}

static enum nv_status use_gcm(void)
{
	u8 key[OS_GCM_KEY_SIZE] = { 1 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE], out[4];
	struct os_gcm *gcm = os_gcm_create(16);
	enum nv_status status;

	if (!gcm)
		return NV_ERR_NO_MEMORY;
	status = os_gcm_set_key(gcm, key);
	if (status == NV_OK)
		status = os_gcm_encrypt(gcm, iv, NULL, 0, "text", 4, out, tag);
	os_gcm_destroy(gcm);
	return status;
}

static void test_no_memory(void **state)
{
	fail_each(use_hashes);
	fail_each(use_hkdf);
	fail_each_of(use_gcm, 0);
}

#define EITHER(test)                                                             \
	cmocka_unit_test_setup_teardown(test, with_libcrypto, with_the_fastest), \
		cmocka_unit_test_setup(test, with_the_fastest)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_hash_pieces),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hkdf),
		cmocka_unit_test(test_hkdf_of_another),
		cmocka_unit_test(test_hkdf_limits),
		cmocka_unit_test(test_libraries),
		EITHER(test_gcm),
		EITHER(test_gcm_tampered),
		EITHER(test_gcm_arguments),
		EITHER(test_gcm_shared),
		EITHER(test_no_allocation),
		EITHER(test_no_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
