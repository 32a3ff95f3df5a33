// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * os/crypto.h in the kernel: the published answers that the tests in a process have, messages in
 * every kind of memory, more contexts than rooms, and every allocation failed in turn.
 */
#include <linux/atomic.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "os_selftest.h"
#include "os/crypto.h"
#include "tests/unit/crypto_answers.h"
#include "tests/unit/x509_answers.h"

#define BYTES_MAX 160u

struct bytes {
	u8 data[BYTES_MAX];
	size_t size;
};

static void get(struct bytes *b, const char *text)
{
	b->size = answer_bytes(text, b->data, sizeof(b->data));
}

static bool is(const void *found, const char *want)
{
	struct bytes b;

	get(&b, want);
	return memcmp(found, b.data, b.size) == 0;
}

static bool is_zero(const void *data, size_t size)
{
	return !memchr_inv(data, 0, size);
}

static void test_check(void)
{
	u8 a[5] = { 1, 2, 3, 4, 5 }, b[5] = { 1, 2, 3, 4, 4 };

	CHECK(os_crypto_check() == NV_OK);
	CHECK(!os_equal_secret(a, b, 5) && os_equal_secret(a, b, 4));
	os_wipe(a, 4);
	CHECK(is_zero(a, 4) && a[4] == 5);
}

/* -- Hashes ------------------------------------------------------------------------------------ */

static void test_hashes(void)
{
	const struct hash_answer *answer;
	u8 digest[OS_HASH_SIZE_MAX];

	for (answer = hash_answers; answer->text; answer++) {
		size_t size = strlen(answer->text);

		CHECK(os_hash_digest(OS_SHA256, answer->text, size, digest) == NV_OK);
		CHECK(is(digest, answer->sha256));
		CHECK(os_hash_digest(OS_SHA384, answer->text, size, digest) == NV_OK);
		CHECK(is(digest, answer->sha384));
	}
}

static void test_hash_pieces(void)
{
	u8 digest[OS_HASH_SIZE_MAX], *text = os_alloc(100000);
	struct os_hash *hash;
	u32 kind, done, part;

	if (!CHECK(text))
		return;
	memset(text, 'a', 100000);
	for (kind = OS_SHA256; kind <= OS_SHA384; kind++) {
		hash = os_hash_create(kind);
		if (!CHECK(hash))
			break;
		os_hash_update(hash, "forgotten", 9);
		os_hash_begin(hash);
		for (done = 0, part = 0; done < 1000000; done += part) {
			part = min(part * 3 + 1, min(100000u, 1000000 - done));
			os_hash_update(hash, text, part);
		}
		CHECK(os_hash_peek(hash, digest) == NV_OK);
		CHECK(is(digest, million_answers[kind]));
		memset(digest, 0, sizeof(digest));
		CHECK(os_hash_finish(hash, digest) == NV_OK);
		CHECK(is(digest, million_answers[kind]));
		os_hash_update(hash, "ab", 2);
		CHECK(os_hash_peek(hash, digest) == NV_OK);
		os_hash_update(hash, "c", 1);
		CHECK(os_hash_finish(hash, digest) == NV_OK);
		CHECK(is(digest,
			 kind == OS_SHA256 ? hash_answers[0].sha256 : hash_answers[0].sha384));
		os_hash_destroy(hash);
	}
	os_free(text);
}

static void test_hmac(void)
{
	const struct hmac_answer *answer;
	u8 mac[OS_HASH_SIZE_MAX];
	struct bytes key, data;

	for (answer = hmac_answers; answer->key; answer++) {
		get(&key, answer->key);
		if (answer->text) {
			data.size = strlen(answer->text);
			memcpy(data.data, answer->text, data.size);
		} else {
			get(&data, answer->data);
		}
		CHECK(os_hmac_mac(OS_SHA256, key.data, key.size, data.data, data.size, mac) ==
		      NV_OK);
		CHECK(is(mac, answer->sha256));
		CHECK(os_hmac_mac(OS_SHA384, key.data, key.size, data.data, data.size, mac) ==
		      NV_OK);
		CHECK(is(mac, answer->sha384));
	}
}

static void test_hkdf(void)
{
	const struct hkdf_answer *answer;
	u8 prk[OS_SHA256_SIZE], out[128];
	struct bytes b, info, want;

	for (answer = hkdf_answers; answer->ikm; answer++) {
		get(&b, answer->ikm);
		get(&info, answer->salt);
		CHECK(os_hkdf_extract(OS_SHA256, info.data, info.size, b.data, b.size, prk) ==
		      NV_OK);
		CHECK(is(prk, answer->prk));
		get(&info, answer->info);
		get(&want, answer->okm);
		CHECK(os_hkdf_expand(OS_SHA256, prk, sizeof(prk), info.data, info.size, out,
				     want.size) == NV_OK);
		CHECK(memcmp(out, want.data, want.size) == 0);
	}
}

/* -- AES-256-GCM ------------------------------------------------------------------------------- */

/* Both ways, in memory of the caller's (the stack's, mostly); each bit of the tag counts. */
static void check_gcm(struct os_gcm *gcm, const struct gcm_answer *answer, u8 *out, bool in_place)
{
	struct bytes key, iv, aad, plain;
	u8 tag[OS_GCM_TAG_SIZE];

	get(&key, answer->key);
	get(&iv, answer->iv);
	get(&aad, answer->aad);
	get(&plain, answer->plain);
	CHECK(os_gcm_set_key(gcm, key.data) == NV_OK);
	memset(out, 0xa5, plain.size + 1);
	if (in_place)
		memcpy(out, plain.data, plain.size);
	CHECK(os_gcm_encrypt(gcm, iv.data, aad.data, aad.size, in_place ? out : plain.data,
			     plain.size, out, tag) == NV_OK);
	CHECK(is(out, answer->cipher) && is(tag, answer->tag) && out[plain.size] == 0xa5);
	CHECK(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, out, plain.size, out, tag) == NV_OK);
	CHECK(memcmp(out, plain.data, plain.size) == 0 && out[plain.size] == 0xa5);
	tag[15] ^= 1;
	CHECK(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, out, plain.size, out, tag) ==
	      NV_ERR_INVALID_DATA);
	CHECK(is_zero(out, plain.size) && out[plain.size] == 0xa5);
}

static void test_gcm(void)
{
	struct os_gcm *gcm = os_gcm_create(256);
	const struct gcm_answer *answer;
	u8 stack[BYTES_MAX], *heap = os_alloc(BYTES_MAX), *mapped = os_alloc(3 << 20);

	if (CHECK(gcm && heap && mapped)) {
		CHECK(!os_gcm_create(0x80000000u));
		for (answer = gcm_answers; answer->key; answer++) {
			check_gcm(gcm, answer, stack, false);
			check_gcm(gcm, answer, heap, true);
			/* across pages that are no neighbours */
			check_gcm(gcm, answer, mapped + 4096 - 48 - 21, answer == gcm_answers);
		}
	}
	os_gcm_destroy(gcm);
	os_free(heap);
	os_free(mapped);
}

/* Every bit that is not the sender's is seen, and nothing of the text is told then. */
static void test_gcm_tampered(void)
{
	struct os_gcm *gcm = os_gcm_create(64);
	struct bytes key, iv, aad, cipher, tag;
	struct bytes *parts[] = { &iv, &aad, &cipher, &tag };
	u8 out[64];
	u32 i, bit;

	get(&key, gcm_answers[3].key);
	get(&iv, gcm_answers[3].iv);
	get(&aad, gcm_answers[3].aad);
	get(&cipher, gcm_answers[3].cipher);
	get(&tag, gcm_answers[3].tag);
	if (!CHECK(gcm && os_gcm_set_key(gcm, key.data) == NV_OK))
		goto out;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (bit = 0; bit < parts[i]->size * 8; bit += 3) {
			parts[i]->data[bit / 8] ^= 1u << bit % 8;
			memset(out, 0xa5, sizeof(out));
			CHECK(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, cipher.data,
					     cipher.size, out, tag.data) == NV_ERR_INVALID_DATA);
			CHECK(is_zero(out, cipher.size));
			parts[i]->data[bit / 8] ^= 1u << bit % 8;
		}
	}
	CHECK(os_gcm_decrypt(gcm, iv.data, aad.data, aad.size, cipher.data, cipher.size, out,
			     tag.data) == NV_OK);
out:
	os_gcm_destroy(gcm);
}

static void test_gcm_arguments(void)
{
	struct os_gcm *gcm = os_gcm_create(32), *large = os_gcm_create(2 * OS_GCM_AAD_MAX);
	u8 key[OS_GCM_KEY_SIZE] = { 1 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	u8 in[33] = { 1 }, out[33], *aad = os_alloc(OS_GCM_AAD_MAX + 1);

	if (!CHECK(gcm && large && aad))
		goto out;
	memset(out, 3, sizeof(out));
	memset(tag, 3, sizeof(tag));
	CHECK(os_gcm_encrypt(gcm, iv, NULL, 0, in, 32, out, tag) == NV_ERR_INVALID_STATE);
	CHECK(is_zero(out, 32) && is_zero(tag, sizeof(tag)));
	CHECK(os_gcm_decrypt(gcm, iv, NULL, 0, in, 32, out, tag) == NV_ERR_INVALID_STATE);
	CHECK(os_gcm_set_key(gcm, key) == NV_OK && os_gcm_set_key(large, key) == NV_OK);
	CHECK(os_gcm_encrypt(gcm, iv, NULL, 0, in, 33, out, tag) == NV_ERR_INVALID_ARGUMENT);
	CHECK(is_zero(out, 33));
	CHECK(os_gcm_encrypt(gcm, iv, aad, 33, in, 32, out, tag) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_gcm_decrypt(gcm, iv, NULL, 0, in, 33, out, tag) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_gcm_decrypt(gcm, iv, aad, 33, in, 32, out, tag) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_gcm_encrypt(large, iv, aad, OS_GCM_AAD_MAX, in, 32, out, tag) == NV_OK);
	CHECK(os_gcm_encrypt(large, iv, aad, OS_GCM_AAD_MAX + 1, in, 32, out, tag) ==
	      NV_ERR_INVALID_ARGUMENT);
	/* Associated data alone */
	CHECK(os_gcm_encrypt(gcm, iv, aad, 32, NULL, 0, NULL, tag) == NV_OK);
	CHECK(os_gcm_decrypt(gcm, iv, aad, 32, NULL, 0, NULL, tag) == NV_OK);
	aad[0]++;
	CHECK(os_gcm_decrypt(gcm, iv, aad, 32, NULL, 0, NULL, tag) == NV_ERR_INVALID_DATA);
out:
	os_gcm_destroy(gcm);
	os_gcm_destroy(large);
	os_free(aad);
}

/*
 * More threads than processors, each with a context of its own over the same rooms: nobody waits
 * for good, and nobody gets another's bytes.
 */
#define CROWD 6u
#define CROWD_BYTES 70000u

static void crowd(void *arg)
{
	u8 key[OS_GCM_KEY_SIZE] = { (u8)(uintptr_t)arg }, iv[OS_GCM_IV_SIZE] = { 0 };
	u8 *text = os_alloc(CROWD_BYTES), *out = os_alloc(CROWD_BYTES), tag[OS_GCM_TAG_SIZE];
	struct os_gcm *gcm = os_gcm_create(CROWD_BYTES);
	u32 i, size;

	if (!CHECK(text && out && gcm && os_gcm_set_key(gcm, key) == NV_OK))
		goto out;
	memset(text, (u8)(uintptr_t)arg, CROWD_BYTES);
	for (i = 0; i < 20; i++) {
		size = CROWD_BYTES - i * 1001;
		iv[0] = i;
		CHECK(os_gcm_encrypt(gcm, iv, text, 16, text, size, out, tag) == NV_OK);
		CHECK(memcmp(out, text, size) != 0);
		CHECK(os_gcm_decrypt(gcm, iv, text, 16, out, size, out, tag) == NV_OK);
		CHECK(memcmp(out, text, size) == 0);
	}
out:
	os_gcm_destroy(gcm);
	os_free(text);
	os_free(out);
}

static void test_gcm_crowd(void)
{
	struct os_thread *threads[CROWD];
	u32 i;

	for (i = 0; i < CROWD; i++)
		CHECK((threads[i] = os_thread_create("selftest crowd", crowd,
						     (void *)(uintptr_t)(i + 1))));
	for (i = 0; i < CROWD; i++)
		os_thread_join(threads[i]);
}

/* Somebody writes to the ciphertext all the time: what comes out is what was proven. */
#define SHARED_BYTES 65536u
static u8 *shared;
static u32 change_stops; /* atomic */

static void change_shared(void *arg)
{
	u32 at = 0;

	while (!os_load_acquire(&change_stops)) {
		(void)os_fetch_add((u32 *)shared + at % (SHARED_BYTES / 4), 1);
		at += 61;
		if (at % 4096 == 0)
			cond_resched();
	}
}

static void test_gcm_shared(void)
{
	u8 key[OS_GCM_KEY_SIZE] = { 7 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	u8 want[OS_GCM_TAG_SIZE], *text = os_alloc(SHARED_BYTES), *cipher = os_alloc(SHARED_BYTES);
	struct os_gcm *gcm = os_gcm_create(SHARED_BYTES);
	struct os_thread *thread = NULL;
	enum nv_status status;
	u32 i;

	shared = os_alloc(SHARED_BYTES);
	if (!CHECK(text && cipher && shared && gcm && os_gcm_set_key(gcm, key) == NV_OK))
		goto out;
	change_stops = 0;
	CHECK((thread = os_thread_create("selftest change", change_shared, NULL)));
	for (i = 0; i < 30; i++) {
		iv[0] = i;
		CHECK(os_gcm_encrypt(gcm, iv, NULL, 0, text, SHARED_BYTES, cipher, want) == NV_OK);
		CHECK(os_gcm_encrypt(gcm, iv, NULL, 0, text, SHARED_BYTES, shared, tag) == NV_OK);
		CHECK(memcmp(tag, want, sizeof(tag)) == 0);
		memcpy(shared, cipher, SHARED_BYTES);
		memset(cipher, 1, SHARED_BYTES);
		status = os_gcm_decrypt(gcm, iv, NULL, 0, shared, SHARED_BYTES, cipher, tag);
		CHECK(status == NV_OK || status == NV_ERR_INVALID_DATA);
		CHECK(is_zero(cipher, SHARED_BYTES)); /* the text is zero, too */
	}
	os_store_release(&change_stops, 1);
	os_thread_join(thread);
out:
	os_gcm_destroy(gcm);
	os_free(text);
	os_free(cipher);
	os_free(shared);
}

/* -- P-384 ------------------------------------------------------------------------------------- */

static void get_pair(u8 *pair, const char *first, const char *second)
{
	answer_bytes(first, pair, OS_P384_SIZE);
	answer_bytes(second, pair + OS_P384_SIZE, OS_P384_SIZE);
}

static void test_ecdh(void)
{
	u8 mine[OS_P384_POINT_SIZE], peer[OS_P384_POINT_SIZE], secret[OS_P384_SIZE];
	const struct ecdh_answer *answer;
	struct os_p384_key *key;
	struct bytes number;

	for (answer = ecdh_answers; answer->private_key; answer++) {
		get(&number, answer->private_key);
		get_pair(peer, answer->peer_x, answer->peer_y);
		if (!CHECK(os_p384_key_create(number.data, &key) == NV_OK))
			continue;
		os_p384_key_public(key, mine);
		CHECK(is(mine, answer->x) && is(mine + OS_P384_SIZE, answer->y));
		CHECK(os_p384_check_point(peer) == NV_OK);
		CHECK(os_p384_key_shared(key, peer, secret) == NV_OK);
		CHECK(is(secret, answer->secret));
		os_p384_key_destroy(key);
	}
	os_p384_key_destroy(NULL);
}

static void test_fresh_keys(void)
{
	u8 point[2][OS_P384_POINT_SIZE], secret[2][OS_P384_SIZE];
	struct os_p384_key *key[2] = { NULL };
	u32 i;

	for (i = 0; i < 2; i++) {
		if (!CHECK(os_p384_key_create(NULL, &key[i]) == NV_OK))
			goto out;
		os_p384_key_public(key[i], point[i]);
	}
	CHECK(memcmp(point[0], point[1], OS_P384_POINT_SIZE) != 0);
	for (i = 0; i < 2; i++)
		CHECK(os_p384_key_shared(key[i], point[1 - i], secret[i]) == NV_OK);
	CHECK(memcmp(secret[0], secret[1], OS_P384_SIZE) == 0);
out:
	os_p384_key_destroy(key[0]);
	os_p384_key_destroy(key[1]);
}

static void test_bad_private_keys(void)
{
	struct os_p384_key *key = (void *)1;
	struct bytes number;
	u32 i;

	get(&number, "00*48");
	for (i = 0; i < 2; i++, number.data[47]++) {
		CHECK(os_p384_key_create(number.data, &key) == NV_ERR_INVALID_ARGUMENT);
		CHECK(!key);
	}
	CHECK(os_p384_key_create(number.data, &key) == NV_OK); /* 2 */
	os_p384_key_destroy(key);
	get(&number, p384_order);
	for (i = 0; i < 3; i++, number.data[47]--)
		CHECK(os_p384_key_create(number.data, &key) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_p384_key_create(number.data, &key) == NV_OK); /* n - 3 */
	os_p384_key_destroy(key);
	get(&number, "ff*48");
	CHECK(os_p384_key_create(number.data, &key) == NV_ERR_INVALID_ARGUMENT);
}

static void refuse_point(const struct os_p384_key *key, const u8 *point)
{
	u8 secret[OS_P384_SIZE], signature[OS_P384_SIGNATURE_SIZE];

	memset(secret, 0xa5, sizeof(secret));
	memset(signature, 1, sizeof(signature));
	CHECK(os_p384_check_point(point) == NV_ERR_INVALID_DATA);
	CHECK(os_p384_key_shared(key, point, secret) == NV_ERR_INVALID_DATA);
	CHECK(is_zero(secret, sizeof(secret)));
	CHECK(os_p384_verify(point, secret, sizeof(secret), signature) == NV_ERR_INVALID_DATA);
}

static void test_bad_points(void)
{
	u8 good[OS_P384_POINT_SIZE], point[OS_P384_POINT_SIZE] = { 0 };
	struct os_p384_key *key;
	u32 i;

	if (!CHECK(os_p384_key_create(NULL, &key) == NV_OK))
		return;
	refuse_point(key, point);
	point[OS_P384_POINT_SIZE - 1] = 1;
	refuse_point(key, point);
	memset(point, 0xff, sizeof(point));
	refuse_point(key, point);
	get_pair(good, ecdh_answers[0].x, ecdh_answers[0].y);
	for (i = 0; i < 8 * OS_P384_POINT_SIZE; i += 37) {
		memcpy(point, good, sizeof(point));
		point[i / 8] ^= 1u << i % 8;
		refuse_point(key, point);
	}
	get_pair(point, p384_prime, ecdh_answers[0].y);
	refuse_point(key, point);
	get_pair(point, ecdh_answers[0].x, p384_prime);
	refuse_point(key, point);
	os_p384_key_destroy(key);
}

static void test_ecdsa(void)
{
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE], digest[OS_HASH_SIZE_MAX];
	const struct ecdsa_answer *answer;
	enum os_hash_kind kind;
	u32 size;

	get_pair(key, ecdsa_signer_x, ecdsa_signer_y);
	for (answer = ecdsa_answers; answer->hash; answer++) {
		if (strcmp(answer->hash, "SHA512") == 0)
			continue; /* none of os.h's */
		kind = strcmp(answer->hash, "SHA256") == 0 ? OS_SHA256 : OS_SHA384;
		size = os_hash_size(kind);
		CHECK(os_hash_digest(kind, answer->text, strlen(answer->text), digest) == NV_OK);
		get_pair(signature, answer->r, answer->s);
		CHECK(os_p384_verify(key, digest, size, signature) == NV_OK);
		CHECK(os_p384_verify(key, digest, size - 1, signature) == NV_ERR_INVALID_DATA);
		digest[0] ^= 1;
		CHECK(os_p384_verify(key, digest, size, signature) == NV_ERR_INVALID_DATA);
	}
}

/* A digest of more than 384 bits: what follows them does not count. */
static void test_long_digest(void)
{
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE], digest[64];

	get_pair(key, ecdsa_signer_x, ecdsa_signer_y);
	get_pair(signature, ecdsa_answers[2].r, ecdsa_answers[2].s);
	memset(digest, 0x5a, sizeof(digest));
	CHECK(os_hash_digest(OS_SHA384, "test", 4, digest) == NV_OK);
	CHECK(os_p384_verify(key, digest, sizeof(digest), signature) == NV_OK);
	digest[47] ^= 1;
	CHECK(os_p384_verify(key, digest, sizeof(digest), signature) == NV_ERR_INVALID_DATA);
}

static void test_bad_signatures(void)
{
	static const char *const odd[] = { "00*48", p384_order, p384_prime, "ff*48" };
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE], digest[OS_SHA384_SIZE];
	u32 i;

	get_pair(key, ecdsa_signer_x, ecdsa_signer_y);
	CHECK(os_hash_digest(OS_SHA384, "sample", 6, digest) == NV_OK);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		get_pair(signature, odd[i], ecdsa_answers[1].s);
		CHECK(os_p384_verify(key, digest, sizeof(digest), signature) ==
		      NV_ERR_INVALID_DATA);
		get_pair(signature, ecdsa_answers[1].r, odd[i]);
		CHECK(os_p384_verify(key, digest, sizeof(digest), signature) ==
		      NV_ERR_INVALID_DATA);
	}
	get_pair(signature, ecdsa_answers[1].s, ecdsa_answers[1].r);
	CHECK(os_p384_verify(key, digest, sizeof(digest), signature) == NV_ERR_INVALID_DATA);
	for (i = 0; i < 8 * OS_P384_SIGNATURE_SIZE; i += 101) {
		get_pair(signature, ecdsa_answers[1].r, ecdsa_answers[1].s);
		signature[i / 8] ^= 1u << i % 8;
		CHECK(os_p384_verify(key, digest, sizeof(digest), signature) ==
		      NV_ERR_INVALID_DATA);
	}
}

/* -- Certificates ------------------------------------------------------------------------------ */

static enum nv_status judge(const u8 *chain, size_t size, u64 time)
{
	u8 point[OS_P384_POINT_SIZE];
	enum nv_status status;

	memset(point, 0xa5, sizeof(point));
	status = os_x509_verify_chain(x509_root, x509_root_size, chain, size, time, point);
	if (status == NV_OK)
		CHECK(memcmp(point, x509_leaf_key, sizeof(point)) == 0);
	else
		CHECK(is_zero(point, sizeof(point)));
	return status;
}

static void test_x509(void)
{
	size_t size = x509_middle_size + x509_leaf_size, i;
	u8 *chain = os_alloc(x509_root_size + size), point[OS_P384_POINT_SIZE];

	if (!CHECK(chain))
		return;
	memcpy(chain, x509_root, x509_root_size);
	memcpy(chain + x509_root_size, x509_middle, x509_middle_size);
	memcpy(chain + x509_root_size + x509_middle_size, x509_leaf, x509_leaf_size);
	CHECK(judge(chain, x509_root_size + size, X509_ANSWER_TIME) == NV_OK);
	memmove(chain, chain + x509_root_size, size);
	CHECK(judge(chain, size, X509_ANSWER_TIME) == NV_OK);
	CHECK(judge(chain, size, 1) == NV_ERR_INVALID_DATA);
	CHECK(judge(chain, size - 1, X509_ANSWER_TIME) == NV_ERR_INVALID_DATA);
	CHECK(judge(chain, size + 1, X509_ANSWER_TIME) == NV_ERR_INVALID_DATA);
	CHECK(judge(chain, x509_middle_size, X509_ANSWER_TIME) == NV_ERR_INVALID_DATA);
	CHECK(judge(chain + x509_middle_size, x509_leaf_size, X509_ANSWER_TIME) ==
	      NV_ERR_INVALID_DATA);
	CHECK(judge(chain, 0, X509_ANSWER_TIME) == NV_ERR_INVALID_DATA);
	for (i = 0; i < size; i += 29) {
		chain[i] ^= 1u << i % 8;
		CHECK(judge(chain, size, X509_ANSWER_TIME) == NV_ERR_INVALID_DATA);
		chain[i] ^= 1u << i % 8;
	}
	CHECK(os_x509_public_key(x509_leaf, x509_leaf_size, point) == NV_OK);
	CHECK(memcmp(point, x509_leaf_key, sizeof(point)) == 0);
	CHECK(os_x509_public_key(x509_leaf, x509_leaf_size - 1, point) == NV_ERR_INVALID_DATA);
	os_free(chain);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static enum nv_status use_hashes(void)
{
	u8 digest[OS_HASH_SIZE_MAX];
	struct os_hash *hash = os_hash_create(OS_SHA384);
	enum nv_status status = hash ? os_hash_peek(hash, digest) : NV_ERR_NO_MEMORY;

	os_hash_destroy(hash);
	if (status == NV_OK)
		status = os_hmac_mac(OS_SHA256, "k", 1, "data", 4, digest);
	if (status == NV_OK)
		status = os_hkdf_expand(OS_SHA256, digest, OS_SHA256_SIZE, "x", 1, digest, 16);
	return status;
}

static enum nv_status use_gcm(void)
{
	u8 key[OS_GCM_KEY_SIZE] = { 1 }, iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	struct os_gcm *gcm = os_gcm_create(100000);
	enum nv_status status = NV_ERR_NO_MEMORY;
	u64 counted, failed, before;

	if (gcm)
		status = os_gcm_set_key(gcm, key);
	if (status == NV_OK) {
		/* a message takes none */
		inject_state(&before, &failed);
		status = os_gcm_encrypt(gcm, iv, key, 16, key, sizeof(key), key, tag);
		if (status == NV_OK)
			status = os_gcm_decrypt(gcm, iv, NULL, 0, key, 0, NULL, tag);
		CHECK(status == NV_ERR_INVALID_DATA);
		status = NV_OK;
		inject_state(&counted, &failed);
		CHECK(counted == before);
	}
	os_gcm_destroy(gcm);
	return status;
}

static enum nv_status use_ecdh(void)
{
	u8 point[OS_P384_POINT_SIZE], secret[OS_P384_SIZE];
	struct os_p384_key *key;
	enum nv_status status = os_p384_key_create(NULL, &key);

	if (status != NV_OK) {
		CHECK(!key);
		return status;
	}
	os_p384_key_public(key, point);
	status = os_p384_key_shared(key, point, secret);
	CHECK(is_zero(secret, sizeof(secret)) == (status != NV_OK));
	os_p384_key_destroy(key);
	return status;
}

static enum nv_status use_x509(void)
{
	u8 point[OS_P384_POINT_SIZE];

	/* an authority may be what is trusted */
	return os_x509_verify_chain(x509_middle, x509_middle_size, x509_leaf, x509_leaf_size,
				    X509_ANSWER_TIME, point);
}

/* Each allocation fails once: no memory, nothing left, and the same again works. */
static void fail_each(const char *name, enum nv_status (*use)(void), u32 least)
{
	u64 counted, failed, blocks, bytes, blocks_before, bytes_before;
	enum nv_status status;
	u32 nth;

	CHECK(use() == NV_OK);
	os_linux_live(&blocks_before, &bytes_before);
	for (nth = 1; nth < 200; nth++) {
		inject_arm(nth, task_tgid_nr(current));
		status = use();
		inject_state(&counted, &failed);
		inject_arm(0, 0);
		os_linux_live(&blocks, &bytes);
		CHECK(blocks == blocks_before && bytes == bytes_before);
		CHECK(status == (failed ? NV_ERR_NO_MEMORY : NV_OK));
		if (!failed)
			break;
	}
	CHECK(nth > least && nth < 200);
	pr_info("os_selftest: %s: %u allocations failed\n", name, nth - 1);
}

static void test_no_memory(void)
{
	fail_each("hashes", use_hashes, 10);
	fail_each("gcm", use_gcm, 5);
	fail_each("ecdh", use_ecdh, 6);
	fail_each("x509", use_x509, 2);
	fail_each("check", os_crypto_check, 0);
}

const struct selftest selftest_crypto[] = {
	{ "cryptography is there", test_check },
	{ "hashes", test_hashes },
	{ "hashes in pieces", test_hash_pieces },
	{ "HMAC", test_hmac },
	{ "HKDF", test_hkdf },
	{ "AES-GCM", test_gcm },
	{ "AES-GCM, tampered", test_gcm_tampered },
	{ "AES-GCM, arguments", test_gcm_arguments },
	{ "AES-GCM, a crowd", test_gcm_crowd },
	{ "AES-GCM, shared memory", test_gcm_shared },
	{ "ECDH", test_ecdh },
	{ "fresh keys", test_fresh_keys },
	{ "bad private keys", test_bad_private_keys },
	{ "bad points", test_bad_points },
	{ "ECDSA", test_ecdsa },
	{ "a long digest", test_long_digest },
	{ "bad signatures", test_bad_signatures },
	{ "certificates", test_x509 },
	{ "cryptography without memory", test_no_memory },
	{},
};
