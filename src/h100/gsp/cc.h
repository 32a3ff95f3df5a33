/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Confidential mode of the firmware: the SPDM responder that the driver reaches by
 * NV2080_CTRL_INTERNAL_SPDM_PARTITION, the keys that come from its session, and sealed messages.
 * A GPU whose mode is off has none of it (fw->cc is NULL).
 *
 *   boot        closed: messages in clear, and only those that lead to a session (fw_cc_allows)
 *   FINISH      the driver's messages are sealed from here on          cc->opens
 *   ENCRYPTION_CONTROL, sealed: so are the firmware's, this reply first cc->seals
 *
 * Whoever runs the firmware runs this.
 */
#ifndef H100_GSP_CC_H
#define H100_GSP_CC_H

#include "abi/r535.h"
#include "h100/engine/keys.h"
#include "h100/gsp/spdm.h"

struct evp_cipher_ctx_st;
struct fw;

#define CC_KEY_BYTES 32u
#define CC_MASK_BYTES 12u
#define CC_AAD_BYTES 16u
#define CC_TAG_BYTES 16u
#define CC_ENDPOINT 1u /* this firmware's only one */

/* One direction of the queues: AES-256-GCM; the IV is the message's number, from 1 on. */
struct cc_direction {
	struct evp_cipher_ctx_st *cipher;
	u64 count; /* of messages so far */
};

struct fw_cc {
	bool devtools;
	struct spdm_identity identity;
	struct spdm_responder *responder;

	u64 surface; /* bus address of the message under way; 0: no driver said */
	u32 guest;   /* as the driver calls itself */

	u8 master[CC_KEY_BYTES]; /* export master key, while keys are derived from it */
	bool has_master;
	u32 derived; /* bit by key space: its keys are in their slots */
	bool opens, seals;
	struct cc_direction from_driver, to_driver;
	struct cc_direction transfer_in, transfer_out; /* of memory: controls_transfer.c */

	u8 request[SPDM_TRANSPORT_MAX], response[SPDM_TRANSPORT_MAX];
};

/* What a GPU's confidential mode is made of; texts stay the caller's. */
struct fw_cc_config {
	bool devtools;
	const struct spdm_measures *measures; /* outlives the firmware */
	const char *issuer;		      /* PEM, or NULL: the project's test issuer */
	u32 issuer_bytes;
	u32 index;
};

/* cc.c. Statuses of spdm_identity_create and NV_ERR_NO_MEMORY; there is no mode then. */
enum nv_status fw_cc_create(struct fw *fw, const struct fw_cc_config *config);
void fw_cc_destroy(struct fw *fw);
/* The register that tells drivers, after a reset. */
void fw_cc_show(struct fw *fw);
/* No session, no keys, messages in clear; nothing where the mode is off. */
void fw_cc_reset(struct fw *fw);
/*
 * Whether a message is served now. Before messages are sealed anybody may have written it, so
 * nothing is that could leave anything behind.
 */
bool fw_cc_allows(const struct fw *fw, const void *message, u32 bytes);
/* What the firmware says by itself waits: the driver expects it sealed, and cannot open it yet. */
static inline bool fw_cc_holds(const struct fw_cc *cc)
{
	return cc && cc->opens && !cc->seals;
}

/* cc_keys.c: HKDF-SHA256's expansion of the master key. False: no such key, or libcrypto failed. */
bool cc_derive(const u8 master[CC_KEY_BYTES], u32 space, u32 place, u8 key[CC_KEY_BYTES]);
/*
 * All keys of a space into their slots, with fresh masks (by place; none of GSP's own and of those
 * that sign). NV_ERR_INVALID_STATE: there is no master key, or they are there already;
 * NV_ERR_INVALID_ARGUMENT; NV_ERR_NO_MEMORY.
 */
#define CC_PLACES 8u
enum nv_status cc_load_space(struct fw *fw, u32 space, u8 masks[CC_PLACES][CC_MASK_BYTES]);

/* cc_seal.c. False: libcrypto failed. */
bool cc_direction_start(struct cc_direction *d, const u8 key[CC_KEY_BYTES]);
void cc_direction_stop(struct cc_direction *d); /* wipes it */
/*
 * In place; the number moves on in any case. aad may be NULL: none. False: no number is left, or
 * libcrypto failed.
 */
bool cc_seal(struct cc_direction *d, u8 *text, u32 bytes, const u8 aad[CC_AAD_BYTES],
	     u8 tag[CC_TAG_BYTES]);
/* The same the other way: false too, and text is wiped, when it is not the next message. */
bool cc_open(struct cc_direction *d, u8 *text, u32 bytes, const u8 aad[CC_AAD_BYTES],
	     const u8 tag[CC_TAG_BYTES]);

#endif
