/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The responder's files among themselves.
 */
#ifndef H100_GSP_SPDM_INTERNAL_H
#define H100_GSP_SPDM_INTERNAL_H

#include <string.h>

#include "h100/gsp/spdm.h"

struct evp_md_ctx_st;

/* -- spdm_crypto.c: libcrypto. False: out of memory, unless said otherwise ----------------------
 */

struct spdm_hash {
	struct evp_md_ctx_st *md; /* SHA-384 of what was added so far */
};

bool spdm_hash_init(struct spdm_hash *hash); /* makes it or starts it anew */
void spdm_hash_fini(struct spdm_hash *hash);
bool spdm_hash_add(struct spdm_hash *hash, const void *data, size_t size);
/* As if all of from had been added to it alone; makes it, if it must. */
bool spdm_hash_copy(struct spdm_hash *hash, const struct spdm_hash *from);
/* Of what was added; more can be added afterwards. */
bool spdm_hash_digest(const struct spdm_hash *hash, u8 digest[SPDM_HASH_BYTES]);
bool spdm_sha384(const void *data, size_t size, u8 digest[SPDM_HASH_BYTES]);
bool spdm_hmac(const u8 key[SPDM_HASH_BYTES], const void *data, size_t size,
	       u8 mac[SPDM_HASH_BYTES]);
bool spdm_random(void *data, size_t size);
/* r and s, over a digest. */
bool spdm_sign(struct evp_pkey_st *key, const u8 digest[SPDM_HASH_BYTES],
	       u8 signature[SPDM_SIGNATURE_BYTES]);
/*
 * ECDH with a key of this moment: its public point, and the x coordinate of the shared one. False
 * also when the peer's point is not on the curve; *bad_point tells.
 */
bool spdm_key_agree(const u8 peer[SPDM_POINT_BYTES], u8 own[SPDM_POINT_BYTES],
		    u8 secret[SPDM_HASH_BYTES], bool *bad_point);
bool spdm_seal(const u8 key[SPDM_AEAD_KEY_BYTES], const u8 iv[SPDM_AEAD_IV_BYTES], const void *aad,
	       u32 aad_bytes, const void *plain, u32 bytes, void *cipher,
	       u8 tag[SPDM_AEAD_TAG_BYTES]);
/* False also when the tag is wrong: plain is wiped then. */
bool spdm_unseal(const u8 key[SPDM_AEAD_KEY_BYTES], const u8 iv[SPDM_AEAD_IV_BYTES],
		 const void *aad, u32 aad_bytes, const void *cipher, u32 bytes,
		 const u8 tag[SPDM_AEAD_TAG_BYTES], void *plain);
bool spdm_equal(const void *a, const void *b, size_t size); /* in constant time */
void spdm_wipe(void *data, size_t size);

/* -- spdm_keys.c: the key schedule (DSP0274 1.1, 12) --------------------------------------------
 */

struct spdm_direction {
	u8 secret[SPDM_HASH_BYTES]; /* traffic keys come from it */
	u8 key[SPDM_AEAD_KEY_BYTES];
	u8 salt[SPDM_AEAD_IV_BYTES];
	u64 sequence; /* of the next record */
};

struct spdm_keys {
	u8 handshake_secret[SPDM_HASH_BYTES];
	u8 request_finished[SPDM_HASH_BYTES], response_finished[SPDM_HASH_BYTES];
	u8 export_secret[SPDM_HASH_BYTES];
	struct spdm_direction request, response;
};

/* From the shared secret and TH1: everything for the handshake. */
bool spdm_keys_handshake(struct spdm_keys *keys, const u8 shared[SPDM_HASH_BYTES],
			 const u8 th1[SPDM_HASH_BYTES]);
/* From TH2: those of the session, the export secret; the handshake's are gone. */
bool spdm_keys_session(struct spdm_keys *keys, const u8 th2[SPDM_HASH_BYTES]);
bool spdm_keys_update(struct spdm_direction *direction);

/*
 * One record (DSP0277): header, encrypted length and message and random bytes, tag. Open gives the
 * message inside of plain (room for bytes of it) and its size; false, and nothing of it, when the
 * record is not the next one of this session. Either way the number is used up.
 */
bool spdm_record_seal(struct spdm_direction *direction, u32 session_id, const void *message,
		      u32 bytes, void *record, u32 *record_bytes);
bool spdm_record_open(struct spdm_direction *direction, u32 session_id, const void *record,
		      u32 record_bytes, u8 *plain, const u8 **message, u32 *bytes);

/* -- The responder ----------------------------------------------------------------------------- */

enum spdm_state { /* of the connection */
		  SPDM_STATE_START,
		  SPDM_STATE_VERSION,
		  SPDM_STATE_CAPABILITIES,
		  SPDM_STATE_NEGOTIATED,
};

enum spdm_session_state {
	SPDM_SESSION_NONE,
	SPDM_SESSION_HANDSHAKE, /* waits for FINISH */
	SPDM_SESSION_ESTABLISHED,
};

struct spdm_responder {
	struct spdm_responder_config config;
	enum spdm_state state;
	u32 requester_flags;
	struct spdm_hash a;	/* messages A: version, capabilities, algorithms */
	struct spdm_hash th;	/* A, the chain's digest, messages K and F */
	struct spdm_hash m;	/* measurements since the last signature */
	bool m_used, m_secured; /* whether there is any in it, and where they were asked for */

	enum spdm_session_state session;
	u32 session_id;
	bool heartbeat;	   /* agreed on */
	bool update_begun; /* only VERIFY_NEW_KEY may follow */
	u64 heard_ns;	   /* when the requester said something in the session last */
	u64 now_ns;
	struct spdm_keys keys;
	u8 plain[SPDM_TRANSPORT_MAX];	/* of a record that came */
	u8 response[SPDM_RESPONSE_MAX]; /* before it is secured */
};

/* One request under way. */
struct spdm_call {
	struct spdm_responder *responder;
	const u8 *request;
	u32 request_bytes;
	u8 *response; /* SPDM_RESPONSE_MAX bytes */
	u32 response_bytes;
	bool secured; /* came in the session */
	/* Once the answer has been secured: */
	bool finished;	  /* the session begins */
	bool end_session; /* it ends */
	/* Before it is: */
	bool update_response_key;
};

/* What a request's function returns: 0, or the SPDM_ERROR_CODE_* that is the answer. */
typedef u8 (*spdm_request_fn)(struct spdm_call *call);

u8 spdm_serve_measurements(struct spdm_call *call);
u8 spdm_serve_key_exchange(struct spdm_call *call);
u8 spdm_serve_finish(struct spdm_call *call);
u8 spdm_serve_heartbeat(struct spdm_call *call);
u8 spdm_serve_key_update(struct spdm_call *call);
u8 spdm_serve_end_session(struct spdm_call *call);

static inline const SPDM_HEADER *spdm_call_header(const struct spdm_call *call)
{
	return (const SPDM_HEADER *)call->request;
}

/* Begins the response: its fixed part, zero but for the header. */
void *spdm_call_begin(struct spdm_call *call, u8 code, u32 bytes);
/* After FINISH: false, and nobody was told, when out of memory. */
bool spdm_session_begin(struct spdm_responder *responder);
/* The session's keys are wiped; whoever was told of it is told of its end. */
void spdm_session_end(struct spdm_responder *responder);

#endif
