// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * CSL contexts against a GPU of the test's own, which has its keys by OpenSSL's HKDF and uses
 * AES-GCM and HMAC through OpenSSL; every status, both ends of every counter, and long random use
 * in which no IV may come twice.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "os_crypto.h"
#include "rm/cc/csl.h"

#define LCE NV2080_ENGINE_TYPE_COPY4 /* LCE2 */

static struct key_store *keys;
static u8 master[KEY_SIZE];

static int setup(void **state)
{
	u8 mask[KEY_IV_SIZE];
	u32 space, i;

	for (i = 0; i < KEY_SIZE; i++)
		master[i] = (u8)(3 * i + 1);
	keys = key_store_create();
	assert_int_equal(key_store_set_master(keys, master), NV_OK);
	for (space = 0; space < KEY_SPACE_COUNT; space++)
		assert_int_equal(key_store_derive_space(keys, space), NV_OK);
	key_store_clear_master(keys);
	for (i = 0; i < 4; i++) {
		memset(mask, (int)(0x11 * (i + 1)), sizeof(mask));
		assert_int_equal(
			key_store_deposit_iv_mask(keys, KEY_ID(KEY_SPACE_LCE0 + 2, i), mask),
			NV_OK);
	}
	memset(mask, 0x77, sizeof(mask));
	assert_int_equal(
		key_store_deposit_iv_mask(keys, KEY_ID(KEY_SPACE_SEC2, KEY_SEC2_DATA_KERNEL), mask),
		NV_OK);
	return 0;
}

static int teardown(void **state)
{
	key_store_destroy(keys);
	return 0;
}

/* -- The GPU ----------------------------------------------------------------------------------- */

/* What the last rotation told the GPU. */
static struct {
	enum csl_operation operation;
	u8 iv[CSL_NONCE_SIZE];
	u32 size, calls;
	enum nv_status status; /* that it answers */
} gpu;

static enum nv_status gpu_rotate(void *owner, enum csl_operation operation, const u8 *iv, u32 size)
{
	assert_ptr_equal(owner, &gpu);
	gpu.operation = operation;
	gpu.size = size;
	memcpy(gpu.iv, iv, size);
	gpu.calls++;
	return gpu.status;
}

/* HKDF's expansion, one block of it. */
static void gpu_key(const char *label, u8 key[KEY_SIZE])
{
	u8 info[64];
	size_t size = strlen(label);

	memcpy(info, label, size);
	info[size] = 1;
	assert_non_null(HMAC(EVP_sha256(), master, KEY_SIZE, info, size + 1, key, NULL));
}

/* Little endian: 32 bits of messages, 64 of channels; combined with the mask. */
static void gpu_iv(u8 iv[12], u32 message, u64 channel, u8 mask)
{
	u32 i;

	for (i = 0; i < 12; i++)
		iv[i] = (u8)((i < 4 ? message >> 8 * i : channel >> 8 * (i - 4)) ^ mask);
}

static bool gpu_decrypt(const char *label, const u8 iv[12], const u8 *aad, u32 aad_size,
			const u8 *in, u32 size, u8 *out, const u8 tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	u8 key[KEY_SIZE];
	int done;
	bool good;

	gpu_key(label, key);
	good = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
	       (!aad || EVP_DecryptUpdate(ctx, NULL, &done, aad, (int)aad_size) == 1) &&
	       EVP_DecryptUpdate(ctx, out, &done, in, (int)size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, 16, (void *)tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + done, &done) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static void gpu_encrypt(const char *label, const u8 iv[12], const u8 *aad, u32 aad_size,
			const u8 *in, u32 size, u8 *out, u8 tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	u8 key[KEY_SIZE];
	int done;

	gpu_key(label, key);
	assert_true(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
		    (!aad || EVP_EncryptUpdate(ctx, NULL, &done, aad, (int)aad_size) == 1) &&
		    EVP_EncryptUpdate(ctx, out, &done, in, (int)size) == 1 &&
		    EVP_EncryptFinal_ex(ctx, out + done, &done) == 1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static const struct csl_channel *channel_on(u32 engine)
{
	static struct csl_channel channel;
	static struct key_pair material;
	u32 id;

	memset(&gpu, 0, sizeof(gpu));
	assert_int_equal(key_store_channel_key(engine, true, &id), NV_OK);
	assert_int_equal(key_store_retrieve(keys, id, ROTATE_IV_ALL_VALID, &material), NV_OK);
	channel = (struct csl_channel){ .keys = keys,
					.secure = true,
					.kernel = true,
					.engine = engine,
					.material = &material,
					.rotate = gpu_rotate,
					.owner = &gpu };
	return &channel;
}

static void test_init(void **state)
{
	struct csl_channel channel = *channel_on(LCE);
	const struct key_pair *material = channel.material;
	struct key_store *empty = key_store_create();
	struct csl_context csl = { 0 };

	channel.keys = NULL;
	assert_int_equal(csl_init_context(&csl, &channel), NV_ERR_INVALID_STATE);
	channel.keys = keys;
	channel.secure = false;
	assert_int_equal(csl_init_context(&csl, &channel), NV_ERR_INVALID_CHANNEL);
	channel.secure = true;
	channel.material = NULL;
	assert_int_equal(csl_init_context(&csl, &channel), NV_ERR_INVALID_CHANNEL);
	channel.material = material;
	channel.engine = NV2080_ENGINE_TYPE_GRAPHICS;
	assert_int_equal(csl_init_context(&csl, &channel), NV_ERR_INVALID_CHANNEL);
	assert_true(all_zero(&csl, sizeof(csl)));
	channel.engine = LCE;
	assert_int_equal(csl_init_context(&csl, &channel), NV_OK);
	assert_int_equal(csl_init_context(&csl, &channel), NV_ERR_IN_USE);
	assert_int_equal(csl_init_key(&csl, keys, KEY_ID(KEY_SPACE_GSP, 0)), NV_ERR_IN_USE);
	csl_deinit_context(&csl);
	assert_true(all_zero(&csl, sizeof(csl)));
	csl_deinit_context(&csl);
	assert_int_equal(csl_init_key(&csl, NULL, KEY_ID(KEY_SPACE_GSP, 0)), NV_ERR_INVALID_STATE);
	assert_int_equal(csl_init_key(&csl, empty, KEY_ID(KEY_SPACE_GSP, 0)), NV_ERR_INVALID_STATE);
	assert_int_equal(csl_init_key(&csl, keys, KEY_ID(KEY_SPACE_SEC2, 0)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_init_key(&csl, keys, KEY_ID(KEY_SPACE_GSP, KEY_GSP_RESERVED1)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_true(all_zero(&csl, sizeof(csl)));
	key_store_destroy(empty);
}

static void test_not_initialised(void **state)
{
	u8 text[16] = { 0 }, tag[CSL_SIGN_AUTH_TAG_SIZE] = { 0 };
	struct csl_context csl = { 0 };
	u64 messages;

	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 1, NULL),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_encrypt(&csl, 16, text, NULL, NULL, 0, text, tag),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_decrypt(&csl, 16, text, NULL, NULL, 0, text, tag),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_sign(&csl, 16, text, tag), NV_ERR_INVALID_STATE);
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_ERR_INVALID_STATE);
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages),
			 NV_ERR_INVALID_STATE);
}

/* What a context has no key for */
static void test_kinds(void **state)
{
	struct csl_context lce = { 0 }, sec2 = { 0 }, faults = { 0 };
	u8 text[16] = { 0 }, tag[CSL_SIGN_AUTH_TAG_SIZE] = { 0 };
	struct csl_iv iv;
	u64 messages;

	assert_int_equal(csl_init_context(&lce, channel_on(LCE)), NV_OK);
	assert_int_equal(csl_init_context(&sec2, channel_on(NV2080_ENGINE_TYPE_SEC2)), NV_OK);
	assert_int_equal(
		csl_init_key(&faults, keys, KEY_ID(KEY_SPACE_GSP, KEY_GSP_CPU_REPLAYABLE_FAULT)),
		NV_OK);
	assert_int_equal(csl_sign(&lce, 16, text, tag), NV_ERR_INVALID_STATE);
	assert_int_equal(csl_decrypt(&sec2, 16, text, NULL, NULL, 0, text, tag),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_increment_iv(&sec2, CSL_OPERATION_DECRYPT, 1, &iv),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_encrypt(&faults, 16, text, NULL, NULL, 0, text, tag),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_increment_iv(&faults, CSL_OPERATION_ENCRYPT, 1, &iv),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_query_message_pool(&faults, CSL_OPERATION_ENCRYPT, &messages),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(csl_rotate_iv(&faults, CSL_OPERATION_DECRYPT), NV_ERR_INVALID_STATE);
	csl_deinit_context(&lce);
	csl_deinit_context(&sec2);
	csl_deinit_context(&faults);
}

/* -- Messages ---------------------------------------------------------------------------------- */

static void test_encrypt(void **state)
{
	struct csl_context csl = { 0 };
	u8 text[100], cipher[100], back[100], tag[CSL_CRYPT_AUTH_TAG_SIZE], iv[12];
	struct csl_iv acquired[2], stale, forged;
	u64 channel;

	memset(text, 0x42, sizeof(text));
	assert_int_equal(csl_init_context(&csl, channel_on(LCE)), NV_OK);
	channel = csl.out.channel;
	/* The next one, without and with associated data */
	assert_int_equal(csl_encrypt(&csl, 100, text, NULL, NULL, 0, cipher, tag), NV_OK);
	gpu_iv(iv, 1, channel, 0x33);
	assert_true(gpu_decrypt("Lce2_h2d_kernel", iv, NULL, 0, cipher, 100, back, tag));
	assert_memory_equal(back, text, 100);
	assert_int_equal(csl_encrypt(&csl, 1, text, NULL, text, 100, cipher, tag), NV_OK);
	gpu_iv(iv, 2, channel, 0x33);
	assert_true(gpu_decrypt("Lce2_h2d_kernel", iv, text, 100, cipher, 1, back, tag));
	/* Acquired ones, used in another order, each once */
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 1, &acquired[0]), NV_OK);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 1, &acquired[1]), NV_OK);
	assert_int_equal(acquired[0].fresh, 1);
	stale = acquired[0];
	assert_int_equal(csl_encrypt(&csl, 100, text, &acquired[1], NULL, 0, cipher, tag), NV_OK);
	gpu_iv(iv, 4, channel, 0x33);
	assert_true(gpu_decrypt("Lce2_h2d_kernel", iv, NULL, 0, cipher, 100, back, tag));
	assert_int_equal(acquired[1].fresh, 0);
	assert_int_equal(csl_encrypt(&csl, 100, text, &acquired[1], NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_encrypt(&csl, 0, text, &acquired[0], NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(acquired[0].fresh, 1); /* nothing was encrypted with it */
	assert_int_equal(csl_encrypt(&csl, 100, text, &acquired[0], NULL, 0, cipher, tag), NV_OK);
	gpu_iv(iv, 3, channel, 0x33);
	assert_true(gpu_decrypt("Lce2_h2d_kernel", iv, NULL, 0, cipher, 100, back, tag));
	/* One that nobody was told */
	forged = stale;
	forged.iv[0] = 5;
	assert_int_equal(csl_encrypt(&csl, 100, text, &forged, NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	forged = stale;
	forged.iv[4]++;
	assert_int_equal(csl_encrypt(&csl, 100, text, &forged, NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	forged = stale;
	forged.iv[0] = 0;
	assert_int_equal(csl_encrypt(&csl, 100, text, &forged, NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	/* Nothing added: the present one, which was used */
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 0, &forged), NV_OK);
	assert_int_equal(forged.fresh, 0);
	assert_int_equal(forged.iv[0], 4);
	/* To decrypt with, not to encrypt */
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_DECRYPT, 1, &forged), NV_OK);
	assert_int_equal(csl_encrypt(&csl, 100, text, &forged, NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_encrypt(&csl, 0, text, NULL, NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_encrypt(&csl, 100, text, NULL, text, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_encrypt(&csl, CSL_MESSAGE_MAX + 1, text, NULL, NULL, 0, cipher, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_increment_iv(&csl, 2, 1, &forged), NV_ERR_INVALID_ARGUMENT);
	/* None of the refused ones took an IV. */
	assert_int_equal(csl.out.message, 4);
	csl_deinit_context(&csl);
}

static void test_decrypt(void **state)
{
	struct csl_context csl = { 0 };
	u8 text[64], cipher[4][64], tag[4][CSL_CRYPT_AUTH_TAG_SIZE], out[64], iv[12], aad[20];
	struct csl_iv logged[3];
	u32 i, part, bit;

	assert_int_equal(csl_init_context(&csl, channel_on(LCE)), NV_OK);
	memset(aad, 9, sizeof(aad));
	for (i = 0; i < 4; i++) {
		memset(text, (int)i, sizeof(text));
		gpu_iv(iv, i + 1, csl.in.channel, 0x44);
		gpu_encrypt("Lce2_d2h_kernel", iv, i == 3 ? aad : NULL, sizeof(aad), text, 64,
			    cipher[i], tag[i]);
	}
	/* Three by the IVs that were logged, the last one first */
	for (i = 0; i < 3; i++)
		assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_DECRYPT, 1, &logged[i]),
				 NV_OK);
	for (i = 3; i-- > 0;) {
		assert_int_equal(csl_decrypt(&csl, 64, cipher[i], &logged[i], NULL, 0, out, tag[i]),
				 NV_OK);
		memset(text, (int)i, sizeof(text));
		assert_memory_equal(out, text, 64);
	}
	/* One IV's message under another's is seen. */
	assert_int_equal(csl_decrypt(&csl, 64, cipher[0], &logged[1], NULL, 0, out, tag[0]),
			 NV_ERR_INVALID_DATA);
	/* The fourth in its order */
	assert_int_equal(csl_decrypt(&csl, 64, cipher[3], NULL, aad, sizeof(aad), out, tag[3]),
			 NV_OK);
	memset(text, 3, sizeof(text));
	assert_memory_equal(out, text, 64);
	/* Twice: the next IV is another one. */
	assert_int_equal(csl_decrypt(&csl, 64, cipher[3], NULL, aad, sizeof(aad), out, tag[3]),
			 NV_ERR_INVALID_DATA);
	assert_true(all_zero(out, 64));
	assert_int_equal(csl.in.message, 5);
	for (part = 0; part < 3; part++) {
		u8 *bytes = part == 0 ? cipher[1] : part == 1 ? tag[1] : logged[1].iv;
		u32 size = part == 0 ? 64 : part == 1 ? CSL_CRYPT_AUTH_TAG_SIZE : CSL_IV_SIZE;

		for (bit = 0; bit < 8 * size; bit++) {
			bytes[bit / 8] ^= (u8)(1u << bit % 8);
			memset(out, 0xff, sizeof(out));
			assert_int_equal(
				csl_decrypt(&csl, 64, cipher[1], &logged[1], NULL, 0, out, tag[1]),
				NV_ERR_INVALID_DATA);
			assert_true(all_zero(out, 64));
			bytes[bit / 8] ^= (u8)(1u << bit % 8);
		}
	}
	assert_int_equal(csl_decrypt(&csl, 63, cipher[1], &logged[1], NULL, 0, out, tag[1]),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(csl_decrypt(&csl, 64, cipher[1], &logged[1], aad, 1, out, tag[1]),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(csl_decrypt(&csl, 0, cipher[1], &logged[1], NULL, 0, out, tag[1]),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_decrypt(&csl, 0, cipher[1], NULL, NULL, 0, out, tag[1]),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_decrypt(&csl, 64, cipher[1], NULL, aad, 0, out, tag[1]),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		csl_decrypt(&csl, CSL_MESSAGE_MAX + 1, cipher[1], NULL, NULL, 0, out, tag[1]),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl.in.message, 5);
	assert_int_equal(csl_decrypt(&csl, 64, cipher[1], &logged[1], NULL, 0, out, tag[1]), NV_OK);
	csl_deinit_context(&csl);
}

/* The signature is the HMAC of the text and of the nonce: 192 bits of messages, 64 of channels. */
static void assert_signed(struct csl_context *csl, const u64 nonce[4])
{
	u8 data[20 + CSL_NONCE_SIZE], key[KEY_SIZE], want[32], tag[CSL_SIGN_AUTH_TAG_SIZE];
	u32 i;

	memset(data, 0x61, 20);
	for (i = 0; i < CSL_NONCE_SIZE; i++)
		data[20 + i] = (u8)(nonce[i / 8] >> 8 * (i % 8));
	gpu_key("cpu_sec2_data_kernel", key);
	assert_int_equal(EVP_Digest(key, KEY_SIZE, key, NULL, EVP_sha256(), NULL), 1);
	assert_non_null(HMAC(EVP_sha256(), key, KEY_SIZE, data, sizeof(data), want, NULL));
	assert_int_equal(csl_sign(csl, 20, data, tag), NV_OK);
	assert_memory_equal(tag, want, sizeof(tag));
}

static void test_sign(void **state)
{
	struct csl_context csl = { 0 };
	u8 tag[CSL_SIGN_AUTH_TAG_SIZE], text[4] = { 0 };
	u64 channel, messages, none = ~(u64)0;

	assert_int_equal(csl_init_context(&csl, channel_on(NV2080_ENGINE_TYPE_SEC2)), NV_OK);
	channel = csl.nonce[3];
	assert_true(channel > 0);
	assert_signed(&csl, (u64[4]){ 1, 0, 0, channel });
	assert_signed(&csl, (u64[4]){ 2, 0, 0, channel });
	assert_int_equal(csl_sign(&csl, 0, text, tag), NV_ERR_INVALID_ARGUMENT);
	assert_signed(&csl, (u64[4]){ 3, 0, 0, channel });
	/* Carries, and not into the channel's part */
	csl.nonce[0] = 0xffffffffull;
	assert_signed(&csl, (u64[4]){ 0x100000000ull, 0, 0, channel });
	csl.nonce[0] = none;
	assert_signed(&csl, (u64[4]){ 0, 1, 0, channel });
	csl.nonce[0] = csl.nonce[1] = none;
	csl.nonce[2] = 6;
	assert_signed(&csl, (u64[4]){ 0, 0, 7, channel });
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages), NV_OK);
	assert_true(messages == none);
	csl.nonce[0] = none - 1;
	csl.nonce[1] = csl.nonce[2] = none;
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages), NV_OK);
	assert_int_equal(messages, 1);
	assert_signed(&csl, (u64[4]){ none, none, none, channel });
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages), NV_OK);
	assert_int_equal(messages, 0);
	assert_int_equal(csl_sign(&csl, 4, text, tag), NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(csl_sign(&csl, 4, text, tag), NV_ERR_INSUFFICIENT_RESOURCES);
	/* A rotation begins anew, with a nonce of a channel counter of its own. */
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_DECRYPT), NV_OK);
	assert_int_equal(gpu.size, CSL_NONCE_SIZE);
	assert_true(all_zero(gpu.iv, 24));
	assert_true(csl.nonce[3] > channel);
	assert_int_equal(gpu.iv[24], csl.nonce[3]);
	assert_signed(&csl, (u64[4]){ 1, 0, 0, csl.nonce[3] });
	csl_deinit_context(&csl);
}

/* -- Counters ---------------------------------------------------------------------------------- */

static void test_counter_of_32_bits(void **state)
{
	u8 text[4] = { 0 }, tag[CSL_CRYPT_AUTH_TAG_SIZE], out[4];
	struct csl_context csl = { 0 };
	struct csl_iv iv;
	u64 messages;

	assert_int_equal(csl_init_context(&csl, channel_on(LCE)), NV_OK);
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_ENCRYPT, &messages), NV_OK);
	assert_int_equal(messages, 0xffffffffull);
	assert_int_equal(csl_query_message_pool(&csl, 2, &messages), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 0x100000000ull, &iv),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 0xfffffffeull, NULL), NV_OK);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 2, &iv),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 0xffffffffull, &iv),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_ENCRYPT, &messages), NV_OK);
	assert_int_equal(messages, 1);
	assert_int_equal(csl_encrypt(&csl, 4, text, NULL, NULL, 0, out, tag), NV_OK);
	assert_int_equal(csl_encrypt(&csl, 4, text, NULL, NULL, 0, out, tag),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 1, &iv),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	/* The other direction has its own. */
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages), NV_OK);
	assert_int_equal(messages, 0xffffffffull);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_DECRYPT, 0xffffffffull, NULL), NV_OK);
	assert_int_equal(csl_decrypt(&csl, 4, text, NULL, NULL, 0, out, tag),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	/* The whole of the counter again after a rotation */
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_OK);
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_ENCRYPT, &messages), NV_OK);
	assert_int_equal(messages, 0xffffffffull);
	assert_int_equal(csl_encrypt(&csl, 4, text, NULL, NULL, 0, out, tag), NV_OK);
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages), NV_OK);
	assert_int_equal(messages, 0);
	csl_deinit_context(&csl);
}

/* Every bit of the 64 counts, also where the lower half alone would say otherwise. */
static void test_counter_of_64_bits(void **state)
{
	static const struct {
		u64 message, increment;
		enum nv_status status;
	} cases[] = {
		{ 0xffffffffull, 1, NV_OK },
		{ 0xffffffff00000000ull, 0xffffffffull, NV_OK },
		{ 0xffffffff00000000ull, 0x100000000ull, NV_ERR_INSUFFICIENT_RESOURCES },
		{ 0xffffffff00000001ull, 0xffffffffull, NV_ERR_INSUFFICIENT_RESOURCES },
		{ 0x8000000000000000ull, 0x7fffffffffffffffull, NV_OK },
		{ 0x8000000000000000ull, 0x8000000000000000ull, NV_ERR_INSUFFICIENT_RESOURCES },
		{ 0, ~0ull, NV_OK },
		{ 1, ~0ull, NV_ERR_INSUFFICIENT_RESOURCES },
		{ ~0ull - 1, 1, NV_OK },
		{ ~0ull, 1, NV_ERR_INSUFFICIENT_RESOURCES },
		{ ~0ull, 0, NV_OK },
	};
	u8 text[4] = { 0 }, tag[CSL_CRYPT_AUTH_TAG_SIZE], out[4], back[4];
	struct csl_context csl = { 0 };
	u64 messages, after;
	struct csl_iv iv;
	u32 i, j, way;

	assert_int_equal(csl_init_key(&csl, keys, KEY_ID(KEY_SPACE_GSP, KEY_CPU_GSP_LOCKED_RPC)),
			 NV_OK);
	for (i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		struct csl_counter *counter = i % 2 ? &csl.in : &csl.out;

		way = i % 2 ? CSL_OPERATION_DECRYPT : CSL_OPERATION_ENCRYPT;
		counter->message = cases[i / 2].message;
		assert_int_equal(csl_query_message_pool(&csl, way, &messages), NV_OK);
		assert_true(messages == ~cases[i / 2].message);
		assert_int_equal(csl_increment_iv(&csl, way, cases[i / 2].increment, &iv),
				 cases[i / 2].status);
		after = cases[i / 2].message;
		if (cases[i / 2].status == NV_OK)
			after += cases[i / 2].increment;
		assert_true(counter->message == after);
		for (j = 0; cases[i / 2].status == NV_OK && j < 12; j++)
			assert_int_equal(iv.iv[j], j < 8 ? (u8)(after >> 8 * j) : 0);
	}
	csl.out.message = 0xffffffffull;
	assert_int_equal(csl_encrypt(&csl, 4, text, NULL, NULL, 0, out, tag), NV_OK);
	memset(&iv, 0, sizeof(iv));
	iv.iv[4] = 1;
	assert_true(gpu_decrypt("cpu_gsp_locked_rpc", iv.iv, NULL, 0, out, 4, back, tag));
	csl.out.message = ~0ull;
	assert_int_equal(csl_encrypt(&csl, 4, text, NULL, NULL, 0, out, tag),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	csl.in.message = ~0ull;
	assert_int_equal(csl_decrypt(&csl, 4, text, NULL, NULL, 0, out, tag),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	csl_deinit_context(&csl);
	/* A second context would begin at the first IV again. */
	assert_int_equal(csl_init_key(&csl, keys, KEY_ID(KEY_SPACE_GSP, KEY_CPU_GSP_LOCKED_RPC)),
			 NV_ERR_IN_USE);
	assert_true(all_zero(&csl, sizeof(csl)));
}

static void test_rotate(void **state)
{
	u8 text[4] = { 0 }, tag[CSL_CRYPT_AUTH_TAG_SIZE], out[4], back[4], iv[12];
	struct csl_context csl = { 0 }, second = { 0 };
	struct csl_iv before;
	u64 channel, in_channel;

	assert_int_equal(csl_init_context(&csl, channel_on(LCE)), NV_OK);
	channel = csl.out.channel;
	in_channel = csl.in.channel;
	assert_int_equal(csl_rotate_iv(&csl, 2), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(gpu.calls, 0);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 5, &before), NV_OK);
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_DECRYPT, 6, NULL), NV_OK);
	/* The GPU refuses: all stays. */
	gpu.status = NV_ERR_GPU_IS_LOST;
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_ERR_GPU_IS_LOST);
	assert_true(csl.out.channel == channel && csl.out.message == 5);
	gpu.status = NV_OK;
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_OK);
	assert_int_equal(gpu.operation, CSL_OPERATION_ENCRYPT);
	assert_int_equal(gpu.size, CSL_IV_SIZE);
	/* The counter of the try that failed is not given out again. */
	assert_true(csl.out.channel == channel + 2 && csl.out.message == 0);
	gpu_iv(iv, 0, channel + 2, 0);
	assert_memory_equal(gpu.iv, iv, sizeof(iv));
	assert_true(csl.in.channel == in_channel && csl.in.message == 6);
	/* An IV of before encrypts no more. */
	assert_int_equal(csl_encrypt(&csl, 4, text, &before, NULL, 0, out, tag),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_encrypt(&csl, 4, text, NULL, NULL, 0, out, tag), NV_OK);
	gpu_iv(iv, 1, channel + 2, 0x33);
	assert_true(gpu_decrypt("Lce2_h2d_kernel", iv, NULL, 0, out, 4, back, tag));
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_DECRYPT), NV_OK);
	assert_int_equal(gpu.operation, CSL_OPERATION_DECRYPT);
	assert_true(csl.in.channel == in_channel + 1 && csl.in.message == 0);
	/* A second channel on the engine has a counter of its own. */
	assert_int_equal(csl_init_context(&second, channel_on(LCE)), NV_OK);
	assert_true(second.out.channel == channel + 3);
	/* Another key: whoever has the old one is made anew. */
	assert_int_equal(key_store_update(keys, KEY_ID(KEY_SPACE_LCE0 + 2, KEY_LCE_H2D_KERNEL)),
			 NV_OK);
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_ERR_INVALID_STATE);
	assert_int_equal(gpu.calls, 0);
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_DECRYPT), NV_OK);
	csl_deinit_context(&csl);
	assert_int_equal(csl_init_context(&csl, channel_on(LCE)), NV_OK);
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_OK);
	csl_deinit_context(&csl);
	csl_deinit_context(&second);
}

/* -- Long use ---------------------------------------------------------------------------------- */

/* A set of IVs per key, by hashing with open addresses. */
#define SEEN (1u << 16)
static u8 seen[SEEN][13];

static void see_once(u8 key, const u8 iv[12])
{
	u64 hash = key;
	u32 i;

	for (i = 0; i < 12; i++)
		hash = (hash ^ iv[i]) * 0x100000001b3ull;
	for (i = (u32)(hash >> 20) % SEEN; seen[i][12]; i = (i + 1) % SEEN)
		if (seen[i][12] == key && memcmp(seen[i], iv, 12) == 0)
			fail_msg("an IV came twice");
	memcpy(seen[i], iv, 12);
	seen[i][12] = key;
}

/*
 * Several channels on one engine and all that they do in a random order: the GPU reads each message
 * by the IV that a model of the counters expects, and no IV comes twice under a key.
 */
static void test_random_use(void **state)
{
	struct csl_context csl[4] = { 0 };
	struct csl_iv held[4][8] = { 0 };
	u8 text[32], cipher[32], back[32], tag[CSL_CRYPT_AUTH_TAG_SIZE], iv[12];
	u64 seed = 535261, encrypted = 0, refused = 0;
	u32 step, i, k, j;

	for (i = 0; i < 4; i++)
		assert_int_equal(csl_init_context(&csl[i], channel_on(LCE)), NV_OK);
	for (step = 0; step < 6000; step++) {
		struct csl_iv *use = NULL;
		enum nv_status status;

		i = (u32)(unit_random(&seed) % 4);
		k = (u32)(unit_random(&seed) % 8);
		for (j = 0; j < sizeof(text); j++)
			text[j] = (u8)unit_random(&seed);
		switch (unit_random(&seed) % 8) {
		case 0:
			assert_int_equal(csl_rotate_iv(&csl[i], CSL_OPERATION_ENCRYPT), NV_OK);
			break;
		case 1:
			csl_deinit_context(&csl[i]);
			assert_int_equal(csl_init_context(&csl[i], channel_on(LCE)), NV_OK);
			break;
		case 2:
		case 3:
			assert_int_equal(csl_increment_iv(&csl[i], CSL_OPERATION_ENCRYPT,
							  unit_random(&seed) % 3, &held[i][k]),
					 NV_OK);
			break;
		case 4:
		case 5:
			use = &held[unit_random(&seed) % 4][k];
			/* fall through */
		default:
			status = csl_encrypt(&csl[i], 32, text, use, NULL, 0, cipher, tag);
			if (status != NV_OK) {
				assert_int_equal(status, NV_ERR_INVALID_ARGUMENT);
				assert_non_null(use);
				refused++;
				break;
			}
			memcpy(iv, use ? use->iv : (u8[12]){ 0 }, 12);
			if (!use)
				gpu_iv(iv, (u32)csl[i].out.message, csl[i].out.channel, 0);
			see_once(1, iv);
			for (j = 0; j < 12; j++)
				iv[j] ^= csl[i].out.mask[j];
			assert_true(
				gpu_decrypt("Lce2_h2d_kernel", iv, NULL, 0, cipher, 32, back, tag));
			assert_memory_equal(back, text, 32);
			encrypted++;
		}
	}
	assert_true(encrypted > 1500 && refused > 100);
	for (i = 0; i < 4; i++)
		csl_deinit_context(&csl[i]);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static void test_no_allocation(void **state)
{
	struct csl_context csl = { 0 }, sec2 = { 0 };
	u8 text[64] = { 0 }, tag[CSL_SIGN_AUTH_TAG_SIZE], out[64];
	struct os_user_alloc_stats before, after;
	u64 of_library, messages;
	struct csl_iv iv;

	assert_int_equal(csl_init_context(&csl, channel_on(LCE)), NV_OK);
	assert_int_equal(csl_init_context(&sec2, channel_on(NV2080_ENGINE_TYPE_SEC2)), NV_OK);
	os_user_alloc_stats(&before);
	of_library = library_allocations;
	assert_int_equal(csl_increment_iv(&csl, CSL_OPERATION_ENCRYPT, 1, &iv), NV_OK);
	assert_int_equal(csl_encrypt(&csl, 64, text, &iv, text, 8, out, tag), NV_OK);
	assert_int_equal(csl_encrypt(&csl, 64, text, NULL, NULL, 0, out, tag), NV_OK);
	assert_int_equal(csl_decrypt(&csl, 64, out, NULL, NULL, 0, text, tag), NV_ERR_INVALID_DATA);
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_OK);
	assert_int_equal(csl_rotate_iv(&sec2, CSL_OPERATION_DECRYPT), NV_OK);
	assert_int_equal(csl_query_message_pool(&csl, CSL_OPERATION_DECRYPT, &messages), NV_OK);
	assert_int_equal(library_allocations, of_library);
	assert_int_equal(csl_sign(&sec2, 64, text, tag), NV_OK);
	os_user_alloc_stats(&after);
	assert_int_equal(after.total, before.total);
	csl_deinit_context(&csl);
	csl_deinit_context(&sec2);
}

static enum nv_status init_and_deinit(void)
{
	struct csl_context csl = { 0 };
	enum nv_status status = csl_init_context(&csl, channel_on(LCE));

	if (status != NV_OK)
		assert_true(all_zero(&csl, sizeof(csl)));
	csl_deinit_context(&csl);
	return status;
}

static void test_no_memory(void **state)
{
	fail_each(init_and_deinit);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_init),
		EACH(test_not_initialised),
		EACH(test_kinds),
		EACH(test_encrypt),
		EACH(test_decrypt),
		EACH(test_sign),
		EACH(test_counter_of_32_bits),
		EACH(test_counter_of_64_bits),
		EACH(test_rotate),
		EACH(test_random_use),
		EACH(test_no_allocation),
		EACH(test_no_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
