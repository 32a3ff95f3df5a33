// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The GPU's end of a secure channel.
 */
#include "h100/engine/secure.h"

#include <string.h>

#include "abi/r535.h"
#include "os/crypto.h"

#define MESSAGE_BYTES 4u
#define COPY_SPACES (H100_KEY_SPACES - H100_KEY_SPACE_LCE0)

static void put_le(u8 *bytes, u64 value, u32 size)
{
	for (; size != 0; size--, value >>= 8)
		*bytes++ = (u8)value;
}

static u64 get_le(const u8 *bytes, u32 size)
{
	u64 value = 0;

	while (size-- != 0)
		value = value << 8 | bytes[size];
	return value;
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static void counter_start(struct h100_counter *counter, const u8 iv[H100_IV_BYTES])
{
	counter->message = (u32)get_le(iv, MESSAGE_BYTES);
	memcpy(counter->channel, iv + MESSAGE_BYTES, sizeof(counter->channel));
}

static void nonce_start(struct h100_secure *secure, const u8 nonce[H100_NONCE_BYTES])
{
	for (u32 i = 0; i < 4; i++)
		secure->nonce[i] = get_le(nonce + 8 * i, 8);
}

static enum nv_status take_cipher(struct h100_keys *keys, u32 space, u32 place, struct os_gcm **gcm,
				  struct h100_counter *counter, const u8 start[H100_IV_BYTES])
{
	enum nv_status status = NV_ERR_INVALID_STATE;
	struct h100_key key;

	if (h100_keys_get(keys, space, place, &key)) {
		*gcm = os_gcm_create(H100_SECURE_MESSAGE_MAX);
		status = *gcm ? os_gcm_set_key(*gcm, key.key) : NV_ERR_NO_MEMORY;
		memcpy(counter->mask, key.mask, sizeof(counter->mask));
		counter_start(counter, start);
	}
	os_wipe(&key, sizeof(key));
	return status;
}

static enum nv_status take_signing(struct h100_keys *keys, u32 space, u32 place,
				   struct h100_secure *secure, const u8 start[H100_NONCE_BYTES])
{
	enum nv_status status = NV_ERR_INVALID_STATE;
	struct h100_key key;

	if (h100_keys_get(keys, space, place, &key)) {
		secure->verify = os_hmac_create(OS_SHA256);
		status = secure->verify ? os_hmac_set_key(secure->verify, key.key, sizeof(key.key))
					: NV_ERR_NO_MEMORY;
		nonce_start(secure, start);
	}
	os_wipe(&key, sizeof(key));
	return status;
}

enum nv_status h100_secure_create(struct h100_keys *keys, u32 engine, bool kernel,
				  const struct h100_secure_start *start, struct h100_secure **out)
{
	u32 place = kernel ? H100_KEY_PLACE_KERNEL : 0, space;
	struct h100_secure *secure;
	enum nv_status status;

	*out = NULL;
	if (engine == NV2080_ENGINE_TYPE_SEC2)
		space = H100_KEY_SPACE_SEC2;
	else if (engine - NV2080_ENGINE_TYPE_COPY2 < COPY_SPACES)
		space = H100_KEY_SPACE_LCE0 + (engine - NV2080_ENGINE_TYPE_COPY2);
	else
		return NV_ERR_INVALID_ARGUMENT;
	if (!keys)
		return NV_ERR_INVALID_STATE;
	secure = os_alloc(sizeof(*secure));
	if (!secure)
		return NV_ERR_NO_MEMORY;
	status = take_cipher(keys, space, place, &secure->decrypt, &secure->in, start->decrypt);
	if (status == NV_OK && space == H100_KEY_SPACE_SEC2)
		status = take_signing(keys, space, place + 1, secure, start->nonce);
	else if (status == NV_OK)
		status = take_cipher(keys, space, place + 1, &secure->encrypt, &secure->out,
				     start->encrypt);
	if (status != NV_OK) {
		h100_secure_destroy(secure);
		return status;
	}
	*out = secure;
	return NV_OK;
}

void h100_secure_destroy(struct h100_secure *secure)
{
	if (!secure)
		return;
	os_gcm_destroy(secure->decrypt);
	os_gcm_destroy(secure->encrypt);
	os_hmac_destroy(secure->verify);
	os_free_secret(secure, sizeof(*secure));
}

enum nv_status h100_secure_rotate(struct h100_secure *secure, u32 which,
				  const struct h100_secure_start *start)
{
	if (!secure->decrypt)
		which &= ~H100_SECURE_DECRYPT;
	if (!secure->encrypt)
		which &= ~H100_SECURE_ENCRYPT;
	if (!secure->verify)
		which &= ~H100_SECURE_NONCE;
	if (which == 0)
		return NV_ERR_INVALID_ARGUMENT;
	if (which & H100_SECURE_DECRYPT)
		counter_start(&secure->in, start->decrypt);
	if (which & H100_SECURE_ENCRYPT)
		counter_start(&secure->out, start->encrypt);
	if (which & H100_SECURE_NONCE)
		nonce_start(secure, start->nonce);
	return NV_OK;
}

/* -- Messages ---------------------------------------------------------------------------------- */

/* The next IV, without and with the mask; false: there is none that was not used. */
static bool counter_next(struct h100_counter *counter, u8 iv[H100_IV_BYTES],
			 u8 masked[H100_IV_BYTES])
{
	if (counter->message == ~0u)
		return false;
	put_le(iv, ++counter->message, MESSAGE_BYTES);
	memcpy(iv + MESSAGE_BYTES, counter->channel, sizeof(counter->channel));
	for (u32 i = 0; i < H100_IV_BYTES; i++)
		masked[i] = iv[i] ^ counter->mask[i];
	return true;
}

enum nv_status h100_secure_decrypt(struct h100_secure *secure, u8 *data, u32 size,
				   const u8 tag[H100_TAG_BYTES])
{
	u8 iv[H100_IV_BYTES], masked[H100_IV_BYTES];

	if (!secure->decrypt)
		return NV_ERR_INVALID_STATE;
	if (!counter_next(&secure->in, iv, masked))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	return os_gcm_decrypt(secure->decrypt, masked, NULL, 0, data, size, data, tag);
}

enum nv_status h100_secure_encrypt(struct h100_secure *secure, u8 *data, u32 size,
				   u8 tag[H100_TAG_BYTES], u8 iv[H100_IV_BYTES])
{
	u8 masked[H100_IV_BYTES];

	if (!secure->encrypt)
		return NV_ERR_INVALID_STATE;
	if (!counter_next(&secure->out, iv, masked))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	return os_gcm_encrypt(secure->encrypt, masked, NULL, 0, data, size, data, tag);
}

static bool nonce_next(u64 nonce[4])
{
	if (~nonce[0] == 0 && ~nonce[1] == 0 && ~nonce[2] == 0)
		return false;
	for (u32 i = 0; i < 3 && ++nonce[i] == 0; i++)
		;
	return true;
}

enum nv_status h100_secure_verify(struct h100_secure *secure, const void *data, u32 size,
				  const u8 mac[H100_MAC_BYTES])
{
	u8 nonce[H100_NONCE_BYTES], wanted[H100_MAC_BYTES];
	enum nv_status status;

	if (!secure->verify)
		return NV_ERR_INVALID_STATE;
	if (!nonce_next(secure->nonce))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	for (u32 i = 0; i < 4; i++)
		put_le(nonce + 8 * i, secure->nonce[i], 8);
	os_hmac_update(secure->verify, data, size);
	os_hmac_update(secure->verify, nonce, sizeof(nonce));
	status = os_hmac_finish(secure->verify, wanted);
	if (status == NV_OK && !os_equal_secret(wanted, mac, sizeof(wanted)))
		status = NV_ERR_INVALID_DATA;
	os_wipe(wanted, sizeof(wanted));
	return status;
}
