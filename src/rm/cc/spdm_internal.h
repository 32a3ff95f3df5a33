/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The requester's files among themselves.
 */
#ifndef RM_CC_SPDM_INTERNAL_H
#define RM_CC_SPDM_INTERNAL_H

#include "os/crypto.h"
#include "rm/cc/spdm.h"

#define SPDM_SURFACE NV_SPDM_RM_SURFACE_SIZE_IN_BYTE
#define SPDM_REQUEST_ROOM 512u /* bytes of the longest request's message */

/* One direction's keys. */
struct rm_spdm_direction {
	struct os_gcm *gcm;
	u8 secret[SPDM_HASH_BYTES];
	u8 salt[SPDM_AEAD_IV_BYTES];
	u64 sequence;
};

struct rm_spdm {
	struct rm_spdm_config config;
	enum rm_spdm_fault fault;
	bool established, heartbeat;
	u8 heartbeat_period;
	bool have_secret;
	bool renew_response_keys; /* once the request under way is sent */

	struct os_hash *th; /* the transcript so far */
	u32 session_id;
	u8 peer_key[OS_P384_POINT_SIZE];
	u8 handshake_secret[SPDM_HASH_BYTES];
	u8 request_finished[SPDM_HASH_BYTES], response_finished[SPDM_HASH_BYTES];
	u8 export_secret[SPDM_HASH_BYTES];
	struct rm_spdm_direction request_keys, response_keys;

	u32 chain_bytes;
	u8 chain[SPDM_MAX_CERT_CHAIN_SIZE]; /* SPDM_CERT_CHAIN and certificates */

	u8 request[SPDM_REQUEST_ROOM]; /* the message under way, before it is secured */
	u32 request_bytes;
	const u8 *response; /* its answer's message, in in or plain */
	u32 response_bytes;
	u8 out[SPDM_SURFACE], in[SPDM_SURFACE], plain[SPDM_SURFACE];
};

/* -- spdm.c ------------------------------------------------------------------------------------ */

/* Remembers the first fault and gives the status that stands for it; status is for those that have
 * one of their own. */
enum nv_status rm_spdm_fail(struct rm_spdm *spdm, enum rm_spdm_fault fault, enum nv_status status);
/* Begins a request of that many bytes, zero but for the header. */
void *rm_spdm_request(struct rm_spdm *spdm, u8 code, u32 bytes);
/*
 * Sends the request, in the session or in clear, and checks of the answer that it has the version
 * and the code and at least bytes bytes.
 */
enum nv_status rm_spdm_exchange(struct rm_spdm *spdm, bool secured, u8 code, u32 bytes);
/* Wipes the session's keys. */
void rm_spdm_forget(struct rm_spdm *spdm);

/* -- spdm_keys.c ------------------------------------------------------------------------------- */

enum nv_status rm_spdm_keys_handshake(struct rm_spdm *spdm, const u8 shared[SPDM_HASH_BYTES],
				      const u8 th1[SPDM_HASH_BYTES]);
enum nv_status rm_spdm_keys_session(struct rm_spdm *spdm, const u8 th2[SPDM_HASH_BYTES]);
enum nv_status rm_spdm_keys_next(struct rm_spdm_direction *direction);
/* One record, DSP0277; room for SPDM_SURFACE - 8 bytes of it. */
enum nv_status rm_spdm_record_seal(struct rm_spdm *spdm, const void *message, u32 bytes,
				   void *record, u32 *record_bytes);
/* NV_ERR_INVALID_DATA: not the session's next. The message is in spdm->plain. */
enum nv_status rm_spdm_record_open(struct rm_spdm *spdm, const void *record, u32 record_bytes,
				   const u8 **message, u32 *bytes);

/* -- spdm_connect.c, spdm_session.c -------------------------------------------------------------
 */

enum nv_status rm_spdm_connect(struct rm_spdm *spdm);	   /* up to the algorithms */
enum nv_status rm_spdm_authenticate(struct rm_spdm *spdm); /* the certificates */
enum nv_status rm_spdm_agree(struct rm_spdm *spdm);	   /* KEY_EXCHANGE and FINISH */

/* A certificate's size from its first bytes; 0: not within bytes. */
u32 rm_spdm_certificate_bytes(const u8 *der, u32 bytes);

#endif
