// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The key store: what keys there are and what they are derived from, computed here once more by
 * OpenSSL's own HKDF; states, counters up to their last value, update, and what is wiped.
 */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "unit.h"

/* The source itself: counters of 64 bits do not come to their end by calls. */
#include "os/crypto.h"
static u32 freed_secrets;
static size_t freed_size;
static bool zero_keys; /* what HKDF gives for LCE0's last key */

static void spy_free_secret(void *mem, size_t size)
{
	freed_secrets++;
	freed_size = size;
	os_free_secret(mem, size);
}

static enum nv_status spy_expand(enum os_hash_kind kind, const void *prk, size_t prk_size,
				 const void *info, size_t info_size, void *out, size_t size)
{
	if (zero_keys && info_size == 15 && memcmp(info, "Lce0_d2h_kernel", 15) == 0) {
		memset(out, 0, size);
		return NV_OK;
	}
	return os_hkdf_expand(kind, prk, prk_size, info, info_size, out, size);
}

#define os_free_secret spy_free_secret
#define os_hkdf_expand spy_expand
#include "../../src/rm/cc/key_store.c"
#undef os_free_secret
#undef os_hkdf_expand

static u8 master[KEY_SIZE];

static struct key_store *new_store(void)
{
	struct key_store *store = key_store_create();
	u32 i;

	assert_non_null(store);
	for (i = 0; i < KEY_SIZE; i++)
		master[i] = (u8)i;
	assert_int_equal(key_store_set_master(store, master), NV_OK);
	return store;
}

static void derive_all(struct key_store *store)
{
	u32 space;

	for (space = 0; space < KEY_SPACE_COUNT; space++)
		assert_int_equal(key_store_derive_space(store, space), NV_OK);
}

static void expand_by_library(const u8 prk[KEY_SIZE], const char *label, u8 out[KEY_SIZE])
{
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	OSSL_PARAM params[5], *p = params;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);

	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
	*p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)prk, KEY_SIZE);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)label, strlen(label));
	*p = OSSL_PARAM_construct_end();
	assert_int_equal(EVP_KDF_derive(ctx, out, KEY_SIZE, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* -- What keys there are ----------------------------------------------------------------------- */

/* The labels of the r535 driver, a pair a line; those of a copy engine stand for all eight. */
static const char *const pairs[][2] = {
	{ "cpu_gsp_locked_rpc", "gsp_cpu_locked_rpc" },
	{ "cpu_gsp_dma", "gsp_cpu_dma" },
	{ NULL, "gsp_cpu_replayable_fault" },
	{ NULL, "gsp_cpu_non_replayable_fault" },
	{ "cpu_sec2_data_user", "cpu_sec2_hmac_user" },
	{ "cpu_sec2_data_kernel", "cpu_sec2_hmac_kernel" },
	{ "Lce0_h2d_user", "Lce0_d2h_user" },
	{ "Lce0_h2d_kernel", "Lce0_d2h_kernel" },
	{ "Lce0_h2d_p2p", "Lce0_d2h_p2p" },
};

static u32 id_of_pair(u32 pair)
{
	return pair < 4	  ? KEY_ID(KEY_SPACE_GSP, 2 * pair)
	       : pair < 6 ? KEY_ID(KEY_SPACE_SEC2, 2 * (pair - 4))
			  : KEY_ID(KEY_SPACE_LCE0, 2 * (pair - 6));
}

static void test_labels(void **state)
{
	char label[KEY_LABEL_MAX], want[KEY_LABEL_MAX];
	u32 pair, side, lce;

	for (pair = 0; pair < ARRAY_SIZE(pairs); pair++) {
		for (side = 0; side < 2; side++) {
			if (!pairs[pair][side]) {
				assert_int_equal(key_store_label(id_of_pair(pair) + side, label),
						 NV_ERR_INVALID_ARGUMENT);
				continue;
			}
			assert_int_equal(key_store_label(id_of_pair(pair) + side, label), NV_OK);
			assert_string_equal(label, pairs[pair][side]);
			for (lce = 0; pair >= 6 && lce < 8; lce++) {
				strcpy(want, pairs[pair][side]);
				want[3] = (char)('0' + lce);
				assert_int_equal(
					key_store_label(id_of_pair(pair) + (lce << 16) + side,
							label),
					NV_OK);
				assert_string_equal(label, want);
			}
		}
	}
	assert_int_equal(key_store_label(KEY_ID(KEY_SPACE_GSP, KEY_GSP_COUNT), label),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_label(KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_COUNT), label),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_label(KEY_ID(KEY_SPACE_LCE7, KEY_LCE_COUNT), label),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_label(KEY_ID(KEY_SPACE_COUNT, 0), label),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_label(~0u, label), NV_ERR_INVALID_ARGUMENT);
}

static void test_engines(void **state)
{
	u32 engine, id;

	for (engine = 0; engine < 64; engine++) {
		bool copy =
			engine >= NV2080_ENGINE_TYPE_COPY2 && engine <= NV2080_ENGINE_TYPE_COPY9;

		if (!copy && engine != NV2080_ENGINE_TYPE_SEC2) {
			assert_int_equal(key_store_channel_key(engine, true, &id),
					 NV_ERR_INVALID_ARGUMENT);
			continue;
		}
		assert_int_equal(key_store_channel_key(engine, false, &id), NV_OK);
		assert_int_equal(id, copy ? KEY_ID(2 + engine - NV2080_ENGINE_TYPE_COPY2, 0)
					  : KEY_ID(1, 0));
		assert_int_equal(key_store_channel_key(engine, true, &id), NV_OK);
		assert_int_equal(id, copy ? KEY_ID(2 + engine - NV2080_ENGINE_TYPE_COPY2, 2)
					  : KEY_ID(1, 2));
	}
}

/* -- Derivation -------------------------------------------------------------------------------- */

static void assert_hex(const u8 *found, const char *want)
{
	char text[2 * KEY_SIZE + 1];
	u32 i;

	for (i = 0; i < KEY_SIZE; i++)
		sprintf(text + 2 * i, "%02x", found[i]);
	assert_string_equal(text, want);
}

static void test_derivation(void **state)
{
	struct key_store *store = new_store();
	u32 space, count, first, key;
	struct key_pair pair;
	u8 want[KEY_SIZE];
	char label[KEY_LABEL_MAX];

	derive_all(store);
	for (space = 0; space < KEY_SPACE_COUNT; space++) {
		(void)keys_of_space(space, &count, &first);
		for (key = 0; key < count; key++) {
			bool peers = space >= KEY_SPACE_LCE0 && key >= KEY_LCE_H2D_P2P;
			const struct key_material *m;

			if (key_store_label(KEY_ID(space, key), label) != NV_OK)
				continue;
			assert_int_equal(
				key_store_retrieve(store, KEY_ID(space, key),
						   key % 2 ? ROTATE_IV_DECRYPT : ROTATE_IV_ENCRYPT,
						   &pair),
				peers ? NV_ERR_INVALID_STATE : NV_OK);
			if (peers)
				continue;
			m = key % 2 ? &pair.receive : &pair.send;
			assert_true(m->valid);
			assert_false(key % 2 ? pair.send.valid : pair.receive.valid);
			assert_int_equal(m->signs, space == KEY_SPACE_SEC2 && key % 2);
			if (m->signs) {
				strstr(label, "hmac")[0] = '\0';
				strcat(label, "data");
				strcat(label, key == KEY_SEC2_HMAC_USER ? "_user" : "_kernel");
				expand_by_library(master, label, want);
				SHA256(want, KEY_SIZE, want);
			} else {
				expand_by_library(master, label, want);
			}
			assert_memory_equal(m->key, want, KEY_SIZE);
		}
	}
	/* Three of them by another language's library */
	assert_non_null(find_key(KEY_ID(KEY_SPACE_GSP, 0), &first));
	assert_hex(store->slots[first].key,
		   "fbbf9718624cfb5ee544c231078eb10527b4c102cd3533c158164e6aff060334");
	assert_int_equal(
		key_store_retrieve(store, KEY_ID(KEY_SPACE_SEC2, 0), ROTATE_IV_ALL_VALID, &pair),
		NV_OK);
	assert_hex(pair.send.key,
		   "bc14efa9e56fe6c039cb81821220016c93eb5a3a9189c45ae0c4d1bd9829b8e4");
	assert_hex(pair.receive.key,
		   "df23e376b653c4bb986b9aeec55caeef65d7e8ec2821c785a340fc7c722472fd");
	assert_int_equal(key_store_retrieve(store, KEY_ID(KEY_SPACE_LCE7, KEY_LCE_D2H_KERNEL),
					    ROTATE_IV_DECRYPT, &pair),
			 NV_OK);
	assert_hex(pair.receive.key,
		   "c6c7ab7631daeede598e32a43c07cad54b07776455e59dda71fe1f2d51af96b3");
	/* Keys for peers, one by one */
	assert_int_equal(key_store_derive(store, KEY_ID(KEY_SPACE_LCE0 + 3, KEY_LCE_D2H_P2P)),
			 NV_OK);
	assert_int_equal(key_store_retrieve(store, KEY_ID(KEY_SPACE_LCE0 + 3, KEY_LCE_D2H_P2P),
					    ROTATE_IV_DECRYPT, &pair),
			 NV_OK);
	expand_by_library(master, "Lce3_d2h_p2p", want);
	assert_memory_equal(pair.receive.key, want, KEY_SIZE);
	key_store_destroy(store);
}

static void test_states(void **state)
{
	u32 data = KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_DATA_USER);
	struct key_store *store = key_store_create();
	u8 zero[KEY_SIZE] = { 0 };
	struct key_pair pair;

	assert_int_equal(key_store_derive(store, data), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_derive_space(store, KEY_SPACE_SEC2), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_set_master(store, zero), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_derive(store, data), NV_ERR_INVALID_STATE);
	memset(master, 7, sizeof(master));
	assert_int_equal(key_store_set_master(store, master), NV_OK);
	assert_int_equal(key_store_derive(store, data + 1), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_derive(store, data), NV_OK);
	assert_int_equal(key_store_derive(store, data), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_set_master(store, master), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_derive(store, KEY_ID(KEY_SPACE_GSP, KEY_GSP_RESERVED1)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_derive(store, KEY_ID(KEY_SPACE_COUNT, 0)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_derive_space(store, KEY_SPACE_COUNT), NV_ERR_INVALID_ARGUMENT);
	/* Half of a pair is there */
	memset(&pair, 1, sizeof(pair));
	assert_int_equal(key_store_retrieve(store, data, ROTATE_IV_ALL_VALID, &pair),
			 NV_ERR_INVALID_STATE);
	assert_false(pair.send.valid || pair.receive.valid);
	assert_int_equal(key_store_derive(store, data + 1), NV_OK);
	assert_int_equal(key_store_retrieve(store, data, ROTATE_IV_ALL_VALID, &pair), NV_OK);
	/* What had been taken by the try that failed: nothing */
	assert_int_equal(pair.send.channel_counter, 1);
	assert_int_equal(key_store_retrieve(store, ~0u, ROTATE_IV_ALL_VALID, &pair),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_retrieve(store, data, 4, &pair), NV_ERR_INVALID_ARGUMENT);
	key_store_clear_master(store);
	assert_true(is_zero(store->master));
	assert_int_equal(key_store_derive(store, data + 2), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_retrieve(store, data, ROTATE_IV_ENCRYPT, &pair), NV_OK);
	assert_int_equal(key_store_set_master(store, master), NV_ERR_INVALID_STATE);
	freed_secrets = 0;
	key_store_destroy(store);
	assert_int_equal(freed_secrets, 1);
	assert_int_equal(freed_size, sizeof(struct key_store));
	key_store_destroy(NULL);
}

/* A copy engine refuses a key of zeros: there is none then, and none of its space. */
static void test_zero_key(void **state)
{
	struct key_store *store = new_store();
	u32 slot, count, first, i;
	struct key_pair pair;

	zero_keys = true;
	assert_int_equal(key_store_derive(store, KEY_ID(KEY_SPACE_LCE0, KEY_LCE_D2H_KERNEL)),
			 NV_ERR_FATAL_ERROR);
	assert_int_equal(key_store_retrieve(store, KEY_ID(KEY_SPACE_LCE0, KEY_LCE_D2H_KERNEL),
					    ROTATE_IV_DECRYPT, &pair),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_derive_space(store, KEY_SPACE_LCE0), NV_ERR_FATAL_ERROR);
	assert_non_null(keys_of_space(KEY_SPACE_LCE0, &count, &first));
	for (slot = first; slot < first + count; slot++) {
		assert_false(store->slots[slot].derived);
		assert_true(is_zero(store->slots[slot].key));
	}
	zero_keys = false;
	assert_int_equal(key_store_derive_space(store, KEY_SPACE_LCE0), NV_OK);
	/* Again: the keys that are there stay. */
	assert_int_equal(key_store_derive_space(store, KEY_SPACE_LCE0), NV_ERR_INVALID_STATE);
	for (i = 0; i < KEY_LCE_H2D_P2P; i++)
		assert_true(store->slots[first + i].derived);
	zero_keys = true;
	memcpy(&pair, &store->slots[first + KEY_LCE_D2H_KERNEL], sizeof(store->slots[0]));
	assert_int_equal(key_store_update(store, KEY_ID(KEY_SPACE_LCE0, KEY_LCE_D2H_KERNEL)),
			 NV_ERR_FATAL_ERROR);
	assert_memory_equal(&pair, &store->slots[first + KEY_LCE_D2H_KERNEL],
			    sizeof(store->slots[0]));
	zero_keys = false;
	key_store_destroy(store);
}

/* -- IVs --------------------------------------------------------------------------------------- */

static void test_masks_and_counters(void **state)
{
	u32 lce = KEY_ID(KEY_SPACE_LCE0 + 2, KEY_LCE_H2D_USER), gsp = KEY_ID(KEY_SPACE_GSP, 0), i;
	struct key_store *store = new_store();
	u8 mask[2][KEY_IV_SIZE], zero[KEY_IV_SIZE] = { 0 };
	struct key_pair pair;

	derive_all(store);
	memset(mask[0], 0x5a, KEY_IV_SIZE);
	memset(mask[1], 0xc3, KEY_IV_SIZE);
	assert_int_equal(key_store_deposit_iv_mask(store, lce, mask[0]), NV_OK);
	assert_int_equal(key_store_deposit_iv_mask(store, lce + 1, mask[1]), NV_OK);
	assert_int_equal(key_store_deposit_iv_mask(
				 store, KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_HMAC_USER), mask[0]),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(key_store_deposit_iv_mask(store, ~0u, mask[0]), NV_ERR_INVALID_ARGUMENT);
	for (i = 1; i <= 3; i++) {
		/* Either one's id means the pair. */
		assert_int_equal(key_store_retrieve(store, lce + i % 2, ROTATE_IV_ALL_VALID, &pair),
				 NV_OK);
		assert_int_equal(pair.send.channel_counter, i);
		assert_int_equal(pair.receive.channel_counter, i);
		assert_memory_equal(pair.send.iv_mask, mask[0], KEY_IV_SIZE);
		assert_memory_equal(pair.receive.iv_mask, mask[1], KEY_IV_SIZE);
	}
	assert_int_equal(key_store_retrieve(store, lce, ROTATE_IV_DECRYPT, &pair), NV_OK);
	assert_int_equal(pair.receive.channel_counter, 4);
	assert_int_equal(key_store_retrieve(store, lce, ROTATE_IV_ENCRYPT, &pair), NV_OK);
	assert_int_equal(pair.send.channel_counter, 4);
	/* Another pair counts for itself; nothing of GSP's counts channels. */
	assert_int_equal(key_store_retrieve(store, lce + 2, ROTATE_IV_ALL_VALID, &pair), NV_OK);
	assert_int_equal(pair.send.channel_counter, 1);
	assert_memory_equal(pair.send.iv_mask, zero, KEY_IV_SIZE);
	assert_int_equal(key_store_retrieve(store, gsp, ROTATE_IV_ALL_VALID, &pair), NV_OK);
	assert_int_equal(pair.send.channel_counter, 0);
	assert_int_equal(pair.receive.channel_counter, 0);
	/* So that a second one who sends would send with the same IVs: there is none. */
	assert_int_equal(key_store_retrieve(store, gsp, ROTATE_IV_ALL_VALID, &pair), NV_ERR_IN_USE);
	assert_int_equal(key_store_retrieve(store, gsp, ROTATE_IV_ENCRYPT, &pair), NV_ERR_IN_USE);
	assert_false(pair.send.valid || pair.receive.valid);
	assert_int_equal(key_store_retrieve(store, gsp, ROTATE_IV_DECRYPT, &pair), NV_OK);
	assert_int_equal(key_store_update(store, gsp), NV_OK);
	assert_int_equal(key_store_retrieve(store, gsp, ROTATE_IV_ENCRYPT, &pair), NV_OK);
	/* Of a fault's pair there is the one half. */
	assert_int_equal(key_store_retrieve(store,
					    KEY_ID(KEY_SPACE_GSP, KEY_GSP_CPU_REPLAYABLE_FAULT),
					    ROTATE_IV_ALL_VALID, &pair),
			 NV_OK);
	assert_true(!pair.send.valid && pair.receive.valid);
	assert_int_equal(key_store_retrieve(store,
					    KEY_ID(KEY_SPACE_GSP, KEY_GSP_CPU_REPLAYABLE_FAULT),
					    ROTATE_IV_ENCRYPT, &pair),
			 NV_ERR_INVALID_ARGUMENT);
	key_store_destroy(store);
}

/* All 64 bits count: the last value is given out once, and then none. */
static void test_last_counters(void **state)
{
	static const u64 near[] = { 0x7fffffffull, 0xffffffffull, 0x1ffffffffull,
				    0x7fffffffffffffffull, 0xfffffffeffffffffull };
	u32 id = KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_DATA_KERNEL), slot, i;
	struct key_store *store = new_store();
	struct key_pair pair;

	derive_all(store);
	assert_non_null(find_key(id, &slot));
	for (i = 0; i < ARRAY_SIZE(near); i++) {
		store->slots[slot].channel_counter = near[i];
		assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_ENCRYPT, &pair), NV_OK);
		assert_true(pair.send.channel_counter == near[i] + 1);
	}
	store->slots[slot].channel_counter = COUNTER_MAX - 1;
	assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_ENCRYPT, &pair), NV_OK);
	assert_true(pair.send.channel_counter == COUNTER_MAX);
	for (i = 0; i < 2; i++) {
		assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_ENCRYPT, &pair),
				 NV_ERR_INSUFFICIENT_RESOURCES);
		assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_ALL_VALID, &pair),
				 NV_ERR_INSUFFICIENT_RESOURCES);
		assert_false(pair.send.valid || pair.receive.valid);
	}
	/* The other one of the pair lost nothing by that. */
	assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_HMAC, &pair), NV_OK);
	assert_int_equal(pair.receive.channel_counter, 1);
	store->slots[slot].channel_counter = 5;
	store->slots[slot + 1].channel_counter = COUNTER_MAX;
	assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_ALL_VALID, &pair),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(store->slots[slot].channel_counter, 5);
	/* Another key, another count. */
	assert_int_equal(key_store_update(store, id + 1), NV_OK);
	assert_int_equal(key_store_retrieve(store, id, ROTATE_IV_ALL_VALID, &pair), NV_OK);
	assert_int_equal(pair.receive.channel_counter, 1);
	assert_int_equal(pair.send.channel_counter, 6);
	key_store_destroy(store);
}

static void test_update(void **state)
{
	static const struct {
		u32 id, type;
		const char *label;
	} keys[] = {
		{ KEY_ID(KEY_SPACE_LCE0 + 5, KEY_LCE_H2D_USER), ROTATE_IV_ENCRYPT,
		  "Lce5_h2d_user" },
		{ KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_HMAC_USER), ROTATE_IV_HMAC,
		  "cpu_sec2_hmac_user" },
	};
	struct key_store *store = new_store();
	u8 want[KEY_SIZE], digest[KEY_SIZE];
	struct key_pair pair;
	u32 i, times;

	assert_int_equal(key_store_update(store, keys[0].id), NV_ERR_INVALID_STATE);
	assert_int_equal(key_store_update(store, ~0u), NV_ERR_INVALID_ARGUMENT);
	derive_all(store);
	key_store_clear_master(store);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key_material *m =
			keys[i].type == ROTATE_IV_ENCRYPT ? &pair.send : &pair.receive;

		assert_int_equal(key_store_retrieve(store, keys[i].id, keys[i].type, &pair), NV_OK);
		memcpy(want, m->key, KEY_SIZE);
		for (times = 1; times < 4; times++) {
			assert_int_equal(key_store_update(store, keys[i].id), NV_OK);
			assert_int_equal(key_store_retrieve(store, keys[i].id, keys[i].type, &pair),
					 NV_OK);
			SHA256(want, KEY_SIZE, digest);
			expand_by_library(digest, keys[i].label, want);
			assert_memory_equal(m->key, want, KEY_SIZE);
			assert_int_equal(m->generation, times);
			assert_int_equal(m->channel_counter, 1);
		}
	}
	key_store_destroy(store);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static void test_no_memory(void **state)
{
	struct key_store *store;
	u64 nth, failed, live = unit_live();
	enum nv_status status = NV_ERR_NO_MEMORY;
	u32 slot;

	if (!os_user_fail_alloc_thread(1))
		skip();
	assert_null(key_store_create());
	for (nth = 1; status != NV_OK; nth++) {
		store = new_store();
		failed = unit_failed();
		os_user_fail_alloc_thread(nth);
		status = key_store_derive_space(store, KEY_SPACE_SEC2);
		os_user_fail_alloc_thread(0);
		assert_int_equal(status, unit_failed() == failed ? NV_OK : NV_ERR_NO_MEMORY);
		for (slot = 0; status != NV_OK && slot < SLOTS; slot++)
			assert_true(!store->slots[slot].derived && is_zero(store->slots[slot].key));
		key_store_destroy(store);
	}
	assert_true(nth > 5);
	assert_int_equal(unit_live(), live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),	      cmocka_unit_test(test_engines),
		cmocka_unit_test(test_derivation),    cmocka_unit_test(test_states),
		cmocka_unit_test(test_zero_key),      cmocka_unit_test(test_masks_and_counters),
		cmocka_unit_test(test_last_counters), cmocka_unit_test(test_update),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
