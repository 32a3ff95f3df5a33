// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * CSL contexts. An IV is little endian, and combined with the key's mask (exclusive or):
 *
 *   channels  | message counter, 32 bits | channel counter, 64 bits   |
 *   GSP       | message counter, 64 bits            | zero, 32 bits    |
 *   nonce     | message counter, 192 bits ...       | channel counter, 64 bits |
 */
#include "rm/cc/csl.h"

#define MESSAGE_MAX_32 0xffffffffull
#define MESSAGE_MAX_64 (~(u64)0)

static void put_le(u8 *bytes, u64 value, u32 size)
{
	for (; size; size--, value >>= 8)
		*bytes++ = (u8)value;
}

static u64 get_le(const u8 *bytes, u32 size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static u32 message_bytes(const struct csl_context *csl)
{
	return csl->message_max == MESSAGE_MAX_32 ? 4 : 8;
}

static void make_iv(const struct csl_context *csl, const struct csl_counter *counter,
		    u8 iv[CSL_IV_SIZE])
{
	u32 bytes = message_bytes(csl);

	put_le(iv, counter->message, bytes);
	put_le(iv + bytes, counter->channel, CSL_IV_SIZE - bytes);
}

static void make_nonce(const u64 nonce[4], u8 bytes[CSL_NONCE_SIZE])
{
	u32 i;

	for (i = 0; i < 4; i++)
		put_le(bytes + 8 * i, nonce[i], 8);
}

static void mask_iv(const struct csl_counter *counter, const u8 iv[CSL_IV_SIZE],
		    u8 masked[CSL_IV_SIZE])
{
	u32 i;

	for (i = 0; i < CSL_IV_SIZE; i++)
		masked[i] = iv[i] ^ counter->mask[i];
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static void destroy_contexts(struct csl_context *csl)
{
	os_gcm_destroy(csl->encrypt);
	os_gcm_destroy(csl->decrypt);
	os_hmac_destroy(csl->sign);
	os_wipe(csl, sizeof(*csl));
}

void csl_deinit_context(struct csl_context *csl)
{
	if (csl->ready)
		destroy_contexts(csl);
}

static void start_counter(struct csl_counter *counter, const struct key_material *material)
{
	counter->message = 0;
	counter->channel = material->channel_counter;
	counter->generation = material->generation;
	os_memcpy(counter->mask, material->iv_mask, sizeof(counter->mask));
}

/* What the pair has, into contexts that are there. */
static enum nv_status take_keys(struct csl_context *csl, const struct key_pair *pair)
{
	enum nv_status status = NV_OK;

	csl->sends = pair->send.valid;
	csl->signs = pair->receive.valid && pair->receive.signs;
	csl->receives = pair->receive.valid && !pair->receive.signs;
	if (csl->sends) {
		start_counter(&csl->out, &pair->send);
		status = os_gcm_set_key(csl->encrypt, pair->send.key);
	}
	if (pair->receive.valid)
		start_counter(&csl->in, &pair->receive);
	if (status == NV_OK && csl->receives)
		status = os_gcm_set_key(csl->decrypt, pair->receive.key);
	if (status == NV_OK && csl->signs) {
		csl->nonce[3] = pair->receive.channel_counter;
		status = os_hmac_set_key(csl->sign, pair->receive.key, KEY_SIZE);
	}
	return status;
}

/* material: NULL for what nobody else has, which is retrieved when all else is there. */
static enum nv_status init(struct csl_context *csl, u64 message_max,
			   const struct key_pair *material)
{
	enum nv_status status = NV_ERR_NO_MEMORY;
	struct key_pair pair = { 0 };

	csl->message_max = message_max;
	csl->encrypt = os_gcm_create(CSL_MESSAGE_MAX);
	csl->decrypt = os_gcm_create(CSL_MESSAGE_MAX);
	csl->sign = os_hmac_create(OS_SHA256);
	if (csl->encrypt && csl->decrypt && csl->sign)
		status = material ? NV_OK
				  : key_store_retrieve(csl->channel.keys, csl->key_id,
						       ROTATE_IV_ALL_VALID, &pair);
	if (status == NV_OK)
		status = take_keys(csl, material ? material : &pair);
	os_wipe(&pair, sizeof(pair));
	if (status == NV_OK)
		csl->ready = true;
	else
		destroy_contexts(csl);
	return status;
}

enum nv_status csl_init_context(struct csl_context *csl, const struct csl_channel *channel)
{
	u32 key_id;

	if (csl->ready)
		return NV_ERR_IN_USE;
	if (!channel->keys)
		return NV_ERR_INVALID_STATE;
	if (!channel->secure || !channel->material ||
	    key_store_channel_key(channel->engine, channel->kernel, &key_id) != NV_OK)
		return NV_ERR_INVALID_CHANNEL;
	os_memset(csl, 0, sizeof(*csl));
	csl->channel = *channel;
	csl->channel.material = NULL;
	csl->key_id = key_id;
	return init(csl, MESSAGE_MAX_32, channel->material);
}

enum nv_status csl_init_key(struct csl_context *csl, struct key_store *keys, u32 key_id)
{
	if (csl->ready)
		return NV_ERR_IN_USE;
	if (!keys)
		return NV_ERR_INVALID_STATE;
	if (key_id >> 16 != KEY_SPACE_GSP)
		return NV_ERR_INVALID_ARGUMENT;
	os_memset(csl, 0, sizeof(*csl));
	csl->channel.keys = keys;
	csl->key_id = key_id;
	return init(csl, MESSAGE_MAX_64, NULL);
}

/* -- Counters ---------------------------------------------------------------------------------- */

/* Nothing moves past the last value, so no IV comes back. */
static enum nv_status add_messages(const struct csl_context *csl, struct csl_counter *counter,
				   u64 increment)
{
	if (increment > csl->message_max)
		return NV_ERR_INVALID_ARGUMENT;
	if (increment > csl->message_max - counter->message)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	counter->message += increment;
	return NV_OK;
}

enum nv_status csl_increment_iv(struct csl_context *csl, enum csl_operation operation,
				u64 increment, struct csl_iv *iv)
{
	bool encrypt = operation == CSL_OPERATION_ENCRYPT;
	struct csl_counter *counter = encrypt ? &csl->out : &csl->in;
	enum nv_status status;

	if (!encrypt && operation != CSL_OPERATION_DECRYPT)
		return NV_ERR_INVALID_ARGUMENT;
	if (!csl->ready || !(encrypt ? csl->sends : csl->receives))
		return NV_ERR_INVALID_STATE;
	status = add_messages(csl, counter, increment);
	if (status == NV_OK && iv) {
		make_iv(csl, counter, iv->iv);
		/* The present one may have been used. */
		iv->fresh = encrypt && increment;
	}
	return status;
}

enum nv_status csl_query_message_pool(const struct csl_context *csl, enum csl_operation operation,
				      u64 *messages)
{
	bool encrypt = operation == CSL_OPERATION_ENCRYPT;

	if (!encrypt && operation != CSL_OPERATION_DECRYPT)
		return NV_ERR_INVALID_ARGUMENT;
	if (!csl->ready || !(encrypt ? csl->sends : csl->receives || csl->signs))
		return NV_ERR_INVALID_STATE;
	if (encrypt)
		*messages = csl->message_max - csl->out.message;
	else if (csl->receives)
		*messages = csl->message_max - csl->in.message;
	else
		*messages = ~csl->nonce[1] || ~csl->nonce[2] ? ~(u64)0 : ~csl->nonce[0];
	return NV_OK;
}

enum nv_status csl_rotate_iv(struct csl_context *csl, enum csl_operation operation)
{
	bool encrypt = operation == CSL_OPERATION_ENCRYPT;
	struct csl_counter *counter = encrypt ? &csl->out : &csl->in, next = { 0 };
	u64 nonce[4] = { 0 };
	u8 told[CSL_NONCE_SIZE];
	const struct key_material *material;
	enum nv_status status;
	struct key_pair pair;

	if (!encrypt && operation != CSL_OPERATION_DECRYPT)
		return NV_ERR_INVALID_ARGUMENT;
	if (!csl->ready || !csl->channel.rotate)
		return NV_ERR_INVALID_STATE;
	status = key_store_retrieve(csl->channel.keys, csl->key_id,
				    encrypt ? ROTATE_IV_ENCRYPT : ROTATE_IV_DECRYPT, &pair);
	if (status != NV_OK)
		return status;
	material = encrypt ? &pair.send : &pair.receive;
	start_counter(&next, material);
	nonce[3] = material->channel_counter;
	if (next.generation != counter->generation) {
		status = NV_ERR_INVALID_STATE;
	} else if (material->signs) {
		make_nonce(nonce, told);
		status = csl->channel.rotate(csl->channel.owner, operation, told, CSL_NONCE_SIZE);
	} else {
		make_iv(csl, &next, told);
		status = csl->channel.rotate(csl->channel.owner, operation, told, CSL_IV_SIZE);
	}
	if (status == NV_OK) {
		*counter = next;
		if (material->signs)
			os_memcpy(csl->nonce, nonce, sizeof(nonce));
	}
	os_wipe(&pair, sizeof(pair));
	return status;
}

/* -- Messages ---------------------------------------------------------------------------------- */

static bool sizes_are_good(u32 size, const u8 *aad, u32 aad_size)
{
	return size && size <= CSL_MESSAGE_MAX &&
	       (!aad || (aad_size && aad_size <= OS_GCM_AAD_MAX));
}

/* Whether csl_increment_iv told it since the last rotation: no other one may be encrypted with. */
static bool was_told(const struct csl_context *csl, const struct csl_iv *iv)
{
	u32 bytes = message_bytes(csl);
	u64 message = get_le(iv->iv, bytes);
	struct csl_counter same = csl->out;
	u8 want[CSL_IV_SIZE];

	same.message = message;
	make_iv(csl, &same, want);
	return message && message <= csl->out.message && os_memcmp(want, iv->iv, sizeof(want)) == 0;
}

enum nv_status csl_encrypt(struct csl_context *csl, u32 size, const u8 *input, struct csl_iv *iv,
			   const u8 *aad, u32 aad_size, u8 *output, u8 tag[CSL_CRYPT_AUTH_TAG_SIZE])
{
	u8 next[CSL_IV_SIZE], masked[CSL_IV_SIZE];
	enum nv_status status;

	if (!csl->ready || !csl->sends)
		return NV_ERR_INVALID_STATE;
	if (!sizes_are_good(size, aad, aad_size))
		return NV_ERR_INVALID_ARGUMENT;
	if (iv) {
		if (iv->fresh != 1 || !was_told(csl, iv))
			return NV_ERR_INVALID_ARGUMENT;
		iv->fresh = 0;
		mask_iv(&csl->out, iv->iv, masked);
	} else {
		status = add_messages(csl, &csl->out, 1);
		if (status != NV_OK)
			return status;
		make_iv(csl, &csl->out, next);
		mask_iv(&csl->out, next, masked);
	}
	return os_gcm_encrypt(csl->encrypt, masked, aad, aad ? aad_size : 0, input, size, output,
			      tag);
}

enum nv_status csl_decrypt(struct csl_context *csl, u32 size, const u8 *input,
			   const struct csl_iv *iv, const u8 *aad, u32 aad_size, u8 *output,
			   const u8 tag[CSL_CRYPT_AUTH_TAG_SIZE])
{
	u8 next[CSL_IV_SIZE], masked[CSL_IV_SIZE];
	enum nv_status status;

	if (!csl->ready || !csl->receives)
		return NV_ERR_INVALID_STATE;
	if (!sizes_are_good(size, aad, aad_size))
		return NV_ERR_INVALID_ARGUMENT;
	if (!iv) {
		status = add_messages(csl, &csl->in, 1);
		if (status != NV_OK)
			return status;
		make_iv(csl, &csl->in, next);
	}
	mask_iv(&csl->in, iv ? iv->iv : next, masked);
	return os_gcm_decrypt(csl->decrypt, masked, aad, aad ? aad_size : 0, input, size, output,
			      tag);
}

static bool next_nonce(u64 nonce[4])
{
	u32 i;

	if (!~nonce[0] && !~nonce[1] && !~nonce[2])
		return false;
	for (i = 0; i < 3 && ++nonce[i] == 0; i++)
		;
	return true;
}

enum nv_status csl_sign(struct csl_context *csl, u32 size, const u8 *input,
			u8 tag[CSL_SIGN_AUTH_TAG_SIZE])
{
	u8 nonce[CSL_NONCE_SIZE];

	if (!csl->ready || !csl->signs)
		return NV_ERR_INVALID_STATE;
	if (!size)
		return NV_ERR_INVALID_ARGUMENT;
	if (!next_nonce(csl->nonce))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	make_nonce(csl->nonce, nonce);
	os_hmac_update(csl->sign, input, size);
	os_hmac_update(csl->sign, nonce, sizeof(nonce));
	return os_hmac_finish(csl->sign, tag);
}
