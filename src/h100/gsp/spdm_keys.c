// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The responder's key schedule and its records.
 *
 *   shared ---HMAC, key 0---> handshake secret --"derived"--> ---HMAC of 0---> master secret
 *                               | TH1                                           | TH2
 *                               +-- "req hs data", "rsp hs data"                +-- "req app data"
 *                                      | "finished": keys of FINISH             +-- "rsp app data"
 *                                      | "key", "iv": traffic                   +-- "exp master"
 *
 *   | session id 4 | length 2 |  encrypted: message's size 2 | message | random bytes  | tag 16 |
 *   '---- associated data ----'
 */
#include "h100/gsp/spdm_internal.h"

#define LABEL_PREFIX "spdm1.1 "
#define LABEL_MAX 32u

/* HKDF-Expand (RFC 5869) for at most one block. context may be NULL. */
static bool expand(const u8 secret[SPDM_HASH_BYTES], const char *label, const u8 *context, u8 *out,
		   u16 bytes)
{
	u8 info[2 + LABEL_MAX + SPDM_HASH_BYTES + 1], block[SPDM_HASH_BYTES];
	size_t prefix = sizeof(LABEL_PREFIX) - 1, length = strlen(label), at;
	bool done;

	info[0] = (u8)bytes;
	info[1] = (u8)(bytes >> 8);
	memcpy(info + 2, LABEL_PREFIX, prefix);
	memcpy(info + 2 + prefix, label, length);
	at = 2 + prefix + length;
	if (context) {
		memcpy(info + at, context, SPDM_HASH_BYTES);
		at += SPDM_HASH_BYTES;
	}
	info[at++] = 1; /* the block's number */
	done = spdm_hmac(secret, info, at, block);
	if (done)
		memcpy(out, block, bytes);
	spdm_wipe(block, sizeof(block));
	return done;
}

static bool traffic(struct spdm_direction *direction)
{
	direction->sequence = 0;
	return expand(direction->secret, "key", NULL, direction->key, sizeof(direction->key)) &&
	       expand(direction->secret, "iv", NULL, direction->salt, sizeof(direction->salt));
}

bool spdm_keys_handshake(struct spdm_keys *keys, const u8 shared[SPDM_HASH_BYTES],
			 const u8 th1[SPDM_HASH_BYTES])
{
	static const u8 zero[SPDM_HASH_BYTES];

	return spdm_hmac(zero, shared, SPDM_HASH_BYTES, keys->handshake_secret) &&
	       expand(keys->handshake_secret, "req hs data", th1, keys->request.secret,
		      SPDM_HASH_BYTES) &&
	       expand(keys->handshake_secret, "rsp hs data", th1, keys->response.secret,
		      SPDM_HASH_BYTES) &&
	       expand(keys->request.secret, "finished", NULL, keys->request_finished,
		      SPDM_HASH_BYTES) &&
	       expand(keys->response.secret, "finished", NULL, keys->response_finished,
		      SPDM_HASH_BYTES) &&
	       traffic(&keys->request) && traffic(&keys->response);
}

bool spdm_keys_session(struct spdm_keys *keys, const u8 th2[SPDM_HASH_BYTES])
{
	static const u8 zero[SPDM_HASH_BYTES];
	u8 salt[SPDM_HASH_BYTES], master[SPDM_HASH_BYTES];
	bool done = expand(keys->handshake_secret, "derived", NULL, salt, sizeof(salt)) &&
		    spdm_hmac(salt, zero, sizeof(zero), master) &&
		    expand(master, "req app data", th2, keys->request.secret, SPDM_HASH_BYTES) &&
		    expand(master, "rsp app data", th2, keys->response.secret, SPDM_HASH_BYTES) &&
		    expand(master, "exp master", th2, keys->export_secret, SPDM_HASH_BYTES) &&
		    traffic(&keys->request) && traffic(&keys->response);

	spdm_wipe(salt, sizeof(salt));
	spdm_wipe(master, sizeof(master));
	spdm_wipe(keys->handshake_secret, sizeof(keys->handshake_secret));
	spdm_wipe(keys->request_finished, sizeof(keys->request_finished));
	spdm_wipe(keys->response_finished, sizeof(keys->response_finished));
	return done;
}

bool spdm_keys_update(struct spdm_direction *direction)
{
	u8 next[SPDM_HASH_BYTES];
	bool done = expand(direction->secret, "traffic upd", NULL, next, sizeof(next));

	if (done)
		memcpy(direction->secret, next, sizeof(next));
	spdm_wipe(next, sizeof(next));
	return done && traffic(direction);
}

/* -- Records ----------------------------------------------------------------------------------- */

/* The next record's IV; false when all numbers are used up. */
static bool next_iv(struct spdm_direction *direction, u8 iv[SPDM_AEAD_IV_BYTES])
{
	u32 i;

	if (direction->sequence == ~(u64)0)
		return false;
	memcpy(iv, direction->salt, SPDM_AEAD_IV_BYTES);
	for (i = 0; i < sizeof(direction->sequence); i++)
		iv[i] ^= (u8)(direction->sequence >> 8 * i);
	direction->sequence++;
	return true;
}

bool spdm_record_seal(struct spdm_direction *direction, u32 session_id, const void *message,
		      u32 bytes, void *record, u32 *record_bytes)
{
	SPDM_SECURED_HEADER *header = record;
	u8 *body = (u8 *)(header + 1);
	u8 iv[SPDM_AEAD_IV_BYTES], count;
	u32 random, plain_bytes;

	if (!spdm_random(&count, sizeof(count)))
		return false;
	random = count % NV_SPDM_MAX_RANDOM_MSG_BYTES + 1;
	plain_bytes = 2 + bytes + random;
	header->SessionID = session_id;
	header->Length = (u16)(plain_bytes + SPDM_AEAD_TAG_BYTES);
	body[0] = (u8)bytes;
	body[1] = (u8)(bytes >> 8);
	memcpy(body + 2, message, bytes);
	*record_bytes = sizeof(*header) + plain_bytes + SPDM_AEAD_TAG_BYTES;
	if (spdm_random(body + 2 + bytes, random) && next_iv(direction, iv) &&
	    spdm_seal(direction->key, iv, header, sizeof(*header), body, plain_bytes, body,
		      body + plain_bytes))
		return true;
	spdm_wipe(record, *record_bytes);
	return false;
}

bool spdm_record_open(struct spdm_direction *direction, u32 session_id, const void *record,
		      u32 record_bytes, u8 *plain, const u8 **message, u32 *bytes)
{
	const SPDM_SECURED_HEADER *header = record;
	const u8 *body = (const u8 *)(header + 1);
	u8 iv[SPDM_AEAD_IV_BYTES];
	u32 cipher_bytes;

	if (!next_iv(direction, iv))
		return false;
	if (record_bytes < sizeof(*header) + 2 + SPDM_AEAD_TAG_BYTES ||
	    header->SessionID != session_id || header->Length != record_bytes - sizeof(*header))
		return false;
	cipher_bytes = header->Length - SPDM_AEAD_TAG_BYTES;
	if (!spdm_unseal(direction->key, iv, header, sizeof(*header), body, cipher_bytes,
			 body + cipher_bytes, plain))
		return false;
	*bytes = plain[0] | (u32)plain[1] << 8;
	*message = plain + 2;
	return *bytes <= cipher_bytes - 2;
}
