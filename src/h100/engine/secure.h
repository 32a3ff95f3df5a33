/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The GPU's end of a secure channel: keys from the slots, and counters that make every IV differ.
 * The other end is a CSL context of the driver's, or a client that was given the same keys.
 *
 *   IV      | message counter, 4      | channel counter, 8 |
 *   nonce   | message counter, 24 ... | channel counter, 8 |
 *
 * All are little endian; an IV is combined with the key's mask. A counter is that of the last
 * message, and moves on before each. What a failed tag used up stays used up. One thread at a time,
 * like all of a channel that runs.
 */
#ifndef H100_ENGINE_SECURE_H
#define H100_ENGINE_SECURE_H

#include "h100/engine/keys.h"

#define H100_SECURE_MESSAGE_MAX (4u << 20) /* bytes, as what a CSL context takes at most */
#define H100_TAG_BYTES 16u
#define H100_MAC_BYTES 32u
#define H100_NONCE_BYTES 32u

/* Where the counters begin. The direction is the GPU's own. */
struct h100_secure_start {
	u8 decrypt[H100_IV_BYTES]; /* message counter first, without the mask */
	u8 encrypt[H100_IV_BYTES];
	u8 nonce[H100_NONCE_BYTES];
};

/* Bits: which counters of it are meant. */
#define H100_SECURE_DECRYPT 1u
#define H100_SECURE_ENCRYPT 2u
#define H100_SECURE_NONCE 4u

struct h100_counter {
	u32 message;
	u8 channel[8];
	u8 mask[H100_IV_BYTES];
};

struct os_gcm;
struct os_hmac;

/* A copy engine's channel has the first two; SEC2's decrypts and verifies. */
struct h100_secure {
	struct os_gcm *decrypt, *encrypt;
	struct os_hmac *verify;
	struct h100_counter in, out;
	u64 nonce[4];
	u8 *buffer; /* H100_SECURE_MESSAGE_MAX bytes of the runlist's, private: who runs has it */
};

/*
 * For a channel on that engine (NV2080_ENGINE_TYPE_*), of the driver's own (kernel) or of a
 * client's. NV_ERR_INVALID_ARGUMENT: an engine without keys; NV_ERR_INVALID_STATE: its keys are not
 * loaded; NV_ERR_NO_MEMORY.
 */
enum nv_status h100_secure_create(struct h100_keys *keys, u32 engine, bool kernel,
				  const struct h100_secure_start *start, struct h100_secure **out);
void h100_secure_destroy(struct h100_secure *secure); /* wipes it; NULL is ignored */
/*
 * Counters begin anew from there, of those that it has. NV_ERR_INVALID_ARGUMENT: it has none of
 * them.
 */
enum nv_status h100_secure_rotate(struct h100_secure *secure, u32 which,
				  const struct h100_secure_start *start);

/*
 * In place, in memory that nobody else has. NV_ERR_INVALID_STATE: no key for that;
 * NV_ERR_INSUFFICIENT_RESOURCES: no IV is left; NV_ERR_NO_MEMORY, from libcrypto; data is zero
 * then, or as it was. decrypt also NV_ERR_INVALID_DATA: a wrong tag. *iv is without the mask.
 */
enum nv_status h100_secure_decrypt(struct h100_secure *secure, u8 *data, u32 size,
				   const u8 tag[H100_TAG_BYTES]);
enum nv_status h100_secure_encrypt(struct h100_secure *secure, u8 *data, u32 size,
				   u8 tag[H100_TAG_BYTES], u8 iv[H100_IV_BYTES]);
/*
 * Whether mac is HMAC-SHA256 of these bytes and the next nonce: NV_ERR_INVALID_DATA: it is not.
 * Otherwise statuses as above.
 */
enum nv_status h100_secure_verify(struct h100_secure *secure, const void *data, u32 size,
				  const u8 mac[H100_MAC_BYTES]);

#endif
