// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libFuzzer target: CSL contexts on one key store, used in any order by the input's operations,
 * beside a model of their counters. Every status is what the model says, no IV comes twice under a
 * key, the GPU (another store of the same session) reads what was encrypted, and no changed bit
 * goes unseen.
 */
#include <stdlib.h>
#include <string.h>

#include "os/user/user.h"
#include "rm/cc/csl.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define CONTEXTS 4u
#define HELD 8u
#define SEEN_MAX 4096u
#define TEXT 24u
#define COUNTER_MAX (~(u64)0)

#define CHECK(cond)              \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

struct direction {
	u64 message, channel;
};

struct model {
	struct csl_context csl;
	struct direction way[2]; /* by enum csl_operation */
	u64 max;
	struct csl_iv held[HELD];
};

static struct model models[CONTEXTS];
static struct key_store *keys, *gpu_keys;
static struct key_pair gpu_pairs[CONTEXTS];
static struct os_gcm *gpu;
static bool gpu_refuses;
static u8 seen[SEEN_MAX][2 + CSL_IV_SIZE];
static u32 seen_count;

static const u32 engines[CONTEXTS] = { NV2080_ENGINE_TYPE_COPY2, NV2080_ENGINE_TYPE_COPY2,
				       NV2080_ENGINE_TYPE_SEC2, 0 };

static enum nv_status rotate(void *owner, enum csl_operation operation, const u8 *iv, u32 size)
{
	return gpu_refuses ? NV_ERR_GPU_IS_LOST : NV_OK;
}

static bool is_sec2(u32 i)
{
	return engines[i] == NV2080_ENGINE_TYPE_SEC2;
}

static void start(u32 i)
{
	struct csl_channel channel = {
		.keys = keys, .secure = true, .kernel = true, .engine = engines[i], .rotate = rotate
	};
	struct model *m = &models[i];
	struct key_pair material;
	u32 id;

	channel.material = &material;
	if (engines[i])
		CHECK(key_store_channel_key(engines[i], true, &id) == NV_OK &&
		      key_store_retrieve(keys, id, ROTATE_IV_ALL_VALID, &material) == NV_OK);
	if (engines[i])
		CHECK(csl_init_context(&m->csl, &channel) == NV_OK);
	else
		CHECK(csl_init_key(&m->csl, keys, KEY_ID(KEY_SPACE_GSP, KEY_CPU_GSP_DMA)) == NV_OK);
	m->max = engines[i] ? 0xffffffffull : COUNTER_MAX;
	m->way[0] = (struct direction){ 0, m->csl.out.channel };
	m->way[1] = (struct direction){ 0, m->csl.in.channel };
}

static void start_all(void)
{
	u8 master[KEY_SIZE] = { 1, 2, 3 };
	u32 id[CONTEXTS] = { KEY_ID(KEY_SPACE_LCE0, KEY_LCE_H2D_KERNEL),
			     KEY_ID(KEY_SPACE_LCE0, KEY_LCE_H2D_KERNEL),
			     KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_DATA_KERNEL),
			     KEY_ID(KEY_SPACE_GSP, KEY_CPU_GSP_DMA) };
	u8 mask[KEY_IV_SIZE] = { 0x81, 0x42, 0x24, 0x18, 9, 8, 7, 6, 5, 4, 3, 2 };
	u32 i, k;

	for (i = 0; i < 2; i++) {
		struct key_store *store = key_store_create();

		CHECK(store && key_store_set_master(store, master) == NV_OK);
		for (k = 1; k < CONTEXTS; k++) {
			CHECK(key_store_derive(store, id[k]) == NV_OK);
			CHECK(key_store_derive(store, id[k] + 1) == NV_OK);
		}
		CHECK(key_store_deposit_iv_mask(store, id[0], mask) == NV_OK);
		key_store_clear_master(store);
		*(i ? &gpu_keys : &keys) = store;
	}
	memset(models, 0, sizeof(models));
	seen_count = 0;
	gpu = os_gcm_create(TEXT);
	CHECK(gpu);
	for (i = 0; i < CONTEXTS; i++) {
		CHECK(key_store_retrieve(gpu_keys, id[i], ROTATE_IV_ALL_VALID, &gpu_pairs[i]) ==
		      NV_OK);
		start(i);
	}
}

static void stop_all(void)
{
	u32 i;

	for (i = 0; i < CONTEXTS; i++)
		csl_deinit_context(&models[i].csl);
	os_gcm_destroy(gpu);
	key_store_destroy(keys);
	key_store_destroy(gpu_keys);
}

static void expect_iv(u32 i, const struct direction *way, u8 iv[CSL_IV_SIZE])
{
	u32 bytes = engines[i] ? 4 : 8, b;

	for (b = 0; b < CSL_IV_SIZE; b++)
		iv[b] = (u8)(b < bytes ? way->message >> 8 * b : way->channel >> 8 * (b - bytes));
}

static void mask_iv(const struct key_material *key, u8 iv[CSL_IV_SIZE])
{
	u32 b;

	for (b = 0; b < CSL_IV_SIZE; b++)
		iv[b] ^= key->iv_mask[b];
}

/* The two contexts on one engine have one key. */
static void see_once(u32 i, const u8 iv[CSL_IV_SIZE])
{
	u8 entry[2 + CSL_IV_SIZE] = { 0, (u8)(i == 1 ? 0 : i) };
	u32 n;

	memcpy(entry + 2, iv, CSL_IV_SIZE);
	for (n = 0; n < seen_count; n++)
		CHECK(memcmp(seen[n], entry, sizeof(entry)) != 0);
	if (seen_count < SEEN_MAX)
		memcpy(seen[seen_count++], entry, sizeof(entry));
}

static enum nv_status expect_add(const struct model *m, u32 way, u64 increment)
{
	if (increment > m->max)
		return NV_ERR_INVALID_ARGUMENT;
	return increment > m->max - m->way[way].message ? NV_ERR_INSUFFICIENT_RESOURCES : NV_OK;
}

static void increment(u32 i, u32 way, u64 amount, u32 slot)
{
	struct model *m = &models[i];
	enum nv_status want = expect_add(m, way, amount);
	struct csl_iv iv;
	u8 expected[CSL_IV_SIZE];

	if (way == CSL_OPERATION_DECRYPT && is_sec2(i))
		want = NV_ERR_INVALID_STATE;
	CHECK(csl_increment_iv(&m->csl, way, amount, &iv) == want);
	if (want != NV_OK)
		return;
	m->way[way].message += amount;
	expect_iv(i, &m->way[way], expected);
	CHECK(memcmp(iv.iv, expected, sizeof(expected)) == 0);
	CHECK(iv.fresh == (way == CSL_OPERATION_ENCRYPT && amount));
	if (way == CSL_OPERATION_ENCRYPT)
		m->held[slot] = iv;
}

static void encrypt(u32 i, const u8 text[TEXT], struct csl_iv *held, u8 bit)
{
	u8 cipher[TEXT], back[TEXT], tag[CSL_CRYPT_AUTH_TAG_SIZE], iv[CSL_IV_SIZE];
	enum nv_status want = held ? NV_OK : expect_add(&models[i], 0, 1), status;

	status = csl_encrypt(&models[i].csl, TEXT, text, held, NULL, 0, cipher, tag);
	if (held && status == NV_ERR_INVALID_ARGUMENT)
		return; /* used, or of before a rotation */
	CHECK(status == want);
	if (status != NV_OK)
		return;
	if (held) {
		CHECK(!held->fresh);
		memcpy(iv, held->iv, sizeof(iv));
	} else {
		models[i].way[0].message++;
		expect_iv(i, &models[i].way[0], iv);
	}
	see_once(i, iv);
	mask_iv(&gpu_pairs[i].send, iv);
	CHECK(os_gcm_set_key(gpu, gpu_pairs[i].send.key) == NV_OK);
	CHECK(os_gcm_decrypt(gpu, iv, NULL, 0, cipher, TEXT, back, tag) == NV_OK);
	CHECK(memcmp(back, text, TEXT) == 0);
	cipher[bit / 8 % TEXT] ^= (u8)(1u << bit % 8);
	CHECK(os_gcm_decrypt(gpu, iv, NULL, 0, cipher, TEXT, back, tag) == NV_ERR_INVALID_DATA);
}

/* In its order, perhaps with one bit of text or tag changed. */
static void decrypt(u32 i, const u8 text[TEXT], u8 bit, bool change)
{
	u8 message[TEXT + CSL_CRYPT_AUTH_TAG_SIZE], out[TEXT], iv[CSL_IV_SIZE], zero[TEXT] = { 0 };
	struct model *m = &models[i];
	enum nv_status want = expect_add(m, 1, 1), status;
	struct direction next = m->way[1];

	if (is_sec2(i)) {
		CHECK(csl_decrypt(&m->csl, TEXT, text, NULL, NULL, 0, out, text) ==
		      NV_ERR_INVALID_STATE);
		return;
	}
	next.message++;
	expect_iv(i, &next, iv);
	mask_iv(&gpu_pairs[i].receive, iv);
	CHECK(os_gcm_set_key(gpu, gpu_pairs[i].receive.key) == NV_OK);
	CHECK(os_gcm_encrypt(gpu, iv, NULL, 0, text, TEXT, message, message + TEXT) == NV_OK);
	if (change)
		message[bit / 8 % sizeof(message)] ^= (u8)(1u << bit % 8);
	status = csl_decrypt(&m->csl, TEXT, message, NULL, NULL, 0, out, message + TEXT);
	if (want != NV_OK) {
		CHECK(status == want);
		return;
	}
	m->way[1] = next;
	CHECK(status == (change ? NV_ERR_INVALID_DATA : NV_OK));
	CHECK(memcmp(out, change ? zero : text, TEXT) == 0);
}

static void turn(u32 i, u32 way, bool refuse)
{
	struct model *m = &models[i];
	enum nv_status want = !engines[i] ? NV_ERR_INVALID_STATE
			      : refuse	  ? NV_ERR_GPU_IS_LOST
					  : NV_OK;

	gpu_refuses = refuse;
	CHECK(csl_rotate_iv(&m->csl, way) == want);
	if (want != NV_OK)
		return;
	CHECK((way ? m->csl.in.channel : m->csl.out.channel) > m->way[way].channel);
	m->way[way] = (struct direction){ 0, way ? m->csl.in.channel : m->csl.out.channel };
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u64 amounts[] = { 0,
				       1,
				       2,
				       0xfffffffeull,
				       0xffffffffull,
				       0x100000000ull,
				       0xffffffff00000000ull,
				       COUNTER_MAX - 1,
				       COUNTER_MAX };
	u8 text[TEXT], tag[CSL_SIGN_AUTH_TAG_SIZE];
	u64 messages;

	start_all();
	for (; size >= 4; data += 4, size -= 4) {
		u32 i = data[0] / 8 % CONTEXTS, way = data[0] / 32 % 2, slot = data[1] % HELD;
		struct model *m = &models[i];

		memset(text, data[2], sizeof(text));
		switch (data[0] % 8) {
		case 0:
			increment(i, way, amounts[data[1] / 8 % ARRAY_SIZE(amounts)], slot);
			break;
		case 1:
			encrypt(i, text, NULL, data[3]);
			break;
		case 2:
			encrypt(i, text, &m->held[slot], data[3]);
			break;
		case 3:
			decrypt(i, text, data[3], data[1] % 2);
			break;
		case 4:
			turn(i, way, data[1] % 4 == 0);
			break;
		case 5:
			if (!engines[i])
				break; /* a key of GSP's is given out once */
			csl_deinit_context(&m->csl);
			start(i);
			break;
		case 6:
			CHECK(csl_sign(&m->csl, TEXT, text, tag) ==
			      (is_sec2(i) ? NV_OK : NV_ERR_INVALID_STATE));
			break;
		case 7:
			CHECK(csl_query_message_pool(&m->csl, way, &messages) == NV_OK);
			CHECK((way && is_sec2(i)) || messages == m->max - m->way[way].message);
			break;
		}
	}
	stop_all();
	return 0;
}
