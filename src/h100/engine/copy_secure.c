// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The copy engine's encryption and decryption: what it takes, and one message (message.h). The tag
 * goes out after the ciphertext, and after it the IV.
 */
#include "h100/engine/copy.h"

#include "abi/r535.h"
#include "base/bits.h"
#include "h100/engine/message.h"

#define SEGMENT_BYTES 32u
#define SIZE_UNIT 4u
#define SIDE_ALIGNMENT 16u /* of tags and IVs */

/* At segments, or within one. */
static bool place_holds(u64 address, u32 size)
{
	return is_aligned(address, SEGMENT_BYTES) ||
	       address % SEGMENT_BYTES + size <= SEGMENT_BYTES;
}

static bool is_system(u32 aperture)
{
	return aperture == H100_APERTURE_SYSTEM_COHERENT ||
	       aperture == H100_APERTURE_SYSTEM_NONCOHERENT;
}

enum h100_method_result copy_secure_check(struct h100_engine_call *call,
					  const struct copy_secure *c)
{
	if (c->size == 0)
		return COPY_REFUSE(call, INVALID_VALUE);
	if (c->size > H100_SECURE_MESSAGE_MAX)
		return COPY_REFUSE(call, NO_RESOURCES);
	if (!is_aligned(c->size, SIZE_UNIT) || !place_holds(c->plain_at, c->size) ||
	    !place_holds(c->cipher_at, c->size) || !is_aligned(c->tag, SIDE_ALIGNMENT) ||
	    (c->encrypt && !is_aligned(c->iv, SIDE_ALIGNMENT)))
		return COPY_REFUSE(call, INVALID_ALIGNMENT);
	if ((c->plain.physical && c->plain.aperture != H100_APERTURE_VIDEO) ||
	    (c->cipher.physical && !is_system(c->cipher.aperture)))
		return COPY_REFUSE(call, INVALID_CONFIG);
	return H100_METHOD_OK;
}

static enum h100_method_result result_of(struct h100_engine_call *call, enum nv_status status)
{
	switch (status) {
	case NV_OK:
		return H100_METHOD_OK;
	case NV_ERR_INVALID_DATA:
		return COPY_REFUSE(call, INVALID_VALUE);
	case NV_ERR_INVALID_STATE:
		return COPY_REFUSE(call, INVALID_CONFIG);
	default:
		return COPY_REFUSE(call, NO_RESOURCES);
	}
}

static enum h100_method_result encrypt(struct h100_mover *m, struct copy_secure *c)
{
	u8 tag[H100_TAG_BYTES], iv[H100_IV_BYTES];
	enum h100_method_result result;

	result = message_read(m, &c->plain, c->plain_at, c->size);
	if (result == H100_METHOD_OK)
		result = result_of(m->call, message_encrypt(m, c->size, tag, iv));
	if (result == H100_METHOD_OK)
		result = message_write(m, &c->cipher, c->cipher_at, c->size);
	if (result == H100_METHOD_OK)
		result = h100_move_write(m, &c->cipher, c->tag, tag, sizeof(tag));
	if (result == H100_METHOD_OK)
		result = h100_move_write(m, &c->cipher, c->iv, iv, sizeof(iv));
	return result;
}

static enum h100_method_result decrypt(struct h100_mover *m, struct copy_secure *c)
{
	enum h100_method_result result;
	u8 tag[H100_TAG_BYTES];

	result = h100_move_read(m, &c->cipher, c->tag, tag, sizeof(tag));
	if (result == H100_METHOD_OK)
		result = message_read(m, &c->cipher, c->cipher_at, c->size);
	if (result == H100_METHOD_OK)
		result = result_of(m->call, message_decrypt(m, c->size, tag));
	if (result == H100_METHOD_OK)
		result = message_write(m, &c->plain, c->plain_at, c->size);
	return result;
}

enum h100_method_result copy_secure_do(struct h100_mover *m, struct copy_secure *c)
{
	/* Plaintext is nowhere but in the GPU. */
	c->plain.video_only = true;
	c->cipher.outside = true;
	return c->encrypt ? encrypt(m, c) : decrypt(m, c);
}
