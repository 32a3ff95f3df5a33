/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * CSL contexts: encryption, decryption and signatures of one secure channel, or of one of GSP's key
 * pairs, with the counters that make every IV differ. Names and behaviour follow the interface that
 * r535.261 offers unified memory (nvUvmInterfaceCsl*); docs/confidential-computing.md has the IVs'
 * layout and where this differs.
 *
 * Calls on one context are the caller's to serialise; those on different ones are independent. None
 * takes an RM lock. Only init takes memory.
 */
#ifndef RM_CC_CSL_H
#define RM_CC_CSL_H

#include "rm/cc/csl_iv.h"
#include "rm/cc/key_store.h"

#define CSL_NONCE_SIZE 32u

/* Which channel a context is for; a channel object fills it in. */
struct csl_channel {
	struct key_store *keys; /* outlives the context. NULL: no confidential mode */
	bool secure;		/* made with NVOS04_FLAGS_CC_SECURE */
	bool kernel;		/* the driver's own, not a client's */
	u32 engine;		/* NV2080_ENGINE_TYPE_* */
	/* What it was made with, and the GPU counts on from; used once. init has a copy. */
	const struct key_pair *material;
	/*
	 * Makes the GPU count on from this IV, or, on SEC2 for what is signed, from this nonce,
	 * with the channel idle. An error leaves the GPU as it was.
	 */
	enum nv_status (*rotate)(void *owner, enum csl_operation operation, const u8 *iv, u32 size);
	void *owner;
};

/* The message counter and the channel's part of one direction's IV. */
struct csl_counter {
	u64 message; /* of the last message */
	u64 channel;
	u8 mask[CSL_IV_SIZE];
	u32 generation; /* of the key */
};

/* All zero: not initialised. Only csl.c looks inside. */
struct csl_context {
	bool ready, sends, receives, signs;
	u64 message_max; /* the last value of a message counter */
	u32 key_id;
	struct csl_channel channel; /* without the material */
	struct csl_counter out, in;
	u64 nonce[4]; /* of the last signature: 192 bits of message counter, 64 bits of the
			 channel's */
	struct os_gcm *encrypt, *decrypt;
	struct os_hmac *sign;
};

/*
 * For a secure channel: message counters of 32 bits. NV_ERR_IN_USE: the context is initialised.
 * NV_ERR_INVALID_STATE: no confidential mode. NV_ERR_INVALID_CHANNEL: not a secure channel, or on
 * an engine without keys. NV_ERR_NO_MEMORY. The context stays as it was.
 */
enum nv_status csl_init_context(struct csl_context *csl, const struct csl_channel *channel);
/*
 * For one of GSP's key pairs (either one's id), which has one user: message counters of 64 bits.
 * NV_ERR_INVALID_ARGUMENT: not GSP's. NV_ERR_IN_USE also: there was a context that sends with this
 * key, whose IVs another one would repeat; NV_ERR_INVALID_STATE also: the key is not derived.
 * Otherwise as above.
 */
enum nv_status csl_init_key(struct csl_context *csl, struct key_store *keys, u32 key_id);
/* Wipes it. May be repeated. */
void csl_deinit_context(struct csl_context *csl);

/*
 * From here on NV_ERR_INVALID_STATE where the context is not initialised, or has no key for what is
 * asked: SEC2's sign and do not decrypt, those of faults do not encrypt.
 */

/*
 * Moves the message counter on and, where iv is not NULL, tells the IV: to encrypt with, and fresh,
 * if anything was added, or to decrypt with. (Before 535.54: AcquireEncryptionIv and
 * LogDeviceEncryption, which add one.) NV_ERR_INVALID_ARGUMENT: no such operation, or increment is
 * more than the counter holds; NV_ERR_INSUFFICIENT_RESOURCES: the counter would overflow. Nothing
 * moves then.
 */
enum nv_status csl_increment_iv(struct csl_context *csl, enum csl_operation operation,
				u64 increment, struct csl_iv *iv);
/*
 * Encrypts with this fresh IV, which is fresh no more whatever comes of it, or, where it is NULL,
 * with the next one. Input and output do not overlap, unless they are the same. aad may be NULL.
 * NV_ERR_INVALID_ARGUMENT: no bytes, or more than CSL_MESSAGE_MAX; aad of no bytes, or more than
 * OS_GCM_AAD_MAX; an IV that was used, or that is not of this context's present counters.
 * NV_ERR_INSUFFICIENT_RESOURCES: no IV is left.
 */
enum nv_status csl_encrypt(struct csl_context *csl, u32 size, const u8 *input, struct csl_iv *iv,
			   const u8 *aad, u32 aad_size, u8 *output,
			   u8 tag[CSL_CRYPT_AUTH_TAG_SIZE]);
/*
 * Decrypts with this IV, or, where it is NULL, with the next one: then messages come in their
 * order, and the counter moves on also when the tag is wrong. Status as above, and
 * NV_ERR_INVALID_DATA: the tag is not that of these bytes; output is all zero then.
 */
enum nv_status csl_decrypt(struct csl_context *csl, u32 size, const u8 *input,
			   const struct csl_iv *iv, const u8 *aad, u32 aad_size, u8 *output,
			   const u8 tag[CSL_CRYPT_AUTH_TAG_SIZE]);
/*
 * HMAC-SHA256 of the input and the next nonce. NV_ERR_INVALID_ARGUMENT: no bytes;
 * NV_ERR_INSUFFICIENT_RESOURCES: no nonce is left.
 */
enum nv_status csl_sign(struct csl_context *csl, u32 size, const u8 *input,
			u8 tag[CSL_SIGN_AUTH_TAG_SIZE]);
/*
 * A new channel counter for one direction, and the message counter from the beginning, on the CPU
 * and the GPU. The channel is idle. NV_ERR_INVALID_ARGUMENT: no such operation.
 * NV_ERR_INSUFFICIENT_RESOURCES: no channel counter is left. NV_ERR_INVALID_STATE: GSP's keys do
 * not rotate, or the key was updated since init. Otherwise what the GPU said; the context is as it
 * was.
 */
enum nv_status csl_rotate_iv(struct csl_context *csl, enum csl_operation operation);
/*
 * How many messages may follow before the message counter ends (of signatures on SEC2, at most 2^64
 * - 1). NV_ERR_INVALID_ARGUMENT: no such operation. (Before 535.54 operation was named direction.)
 */
enum nv_status csl_query_message_pool(const struct csl_context *csl, enum csl_operation operation,
				      u64 *messages);

#endif
