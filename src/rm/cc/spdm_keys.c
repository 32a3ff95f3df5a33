// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The requester's key schedule (DSP0274 1.1, 12: Key schedule) and secured messages (DSP0277).
 * Every secret comes from another by HKDF-Expand over this:
 *
 *   | bytes wanted 2 | "spdm1.1 " | label | transcript's digest, or nothing |
 */
#include "rm/cc/spdm_internal.h"

#define PREFIX "spdm1.1 "
#define PREFIX_BYTES (sizeof(PREFIX) - 1)
#define LABEL_MAX 16u

static enum nv_status expand(const u8 secret[SPDM_HASH_BYTES], const char *label,
			     const u8 *transcript, void *out, u16 bytes)
{
	u8 info[sizeof(bytes) + PREFIX_BYTES + LABEL_MAX + SPDM_HASH_BYTES];
	size_t length = os_strnlen(label, LABEL_MAX), at = 0;

	info[at++] = (u8)bytes;
	info[at++] = (u8)(bytes >> 8);
	os_memcpy(info + at, PREFIX, PREFIX_BYTES);
	at += PREFIX_BYTES;
	os_memcpy(info + at, label, length);
	at += length;
	if (transcript) {
		os_memcpy(info + at, transcript, SPDM_HASH_BYTES);
		at += SPDM_HASH_BYTES;
	}
	return os_hkdf_expand(OS_SHA384, secret, SPDM_HASH_BYTES, info, at, out, bytes);
}

/* A direction's secret has changed: its key, IV and count anew. */
static enum nv_status rekey(struct rm_spdm_direction *direction)
{
	u8 key[SPDM_AEAD_KEY_BYTES];
	enum nv_status status;

	if (!direction->gcm)
		direction->gcm = os_gcm_create(SPDM_SURFACE);
	if (!direction->gcm)
		return NV_ERR_NO_MEMORY;
	direction->sequence = 0;
	status = expand(direction->secret, "iv", NULL, direction->salt, sizeof(direction->salt));
	if (status == NV_OK)
		status = expand(direction->secret, "key", NULL, key, sizeof(key));
	if (status == NV_OK)
		status = os_gcm_set_key(direction->gcm, key);
	os_wipe(key, sizeof(key));
	return status;
}

/* Both directions' secrets from one that both come from. */
static enum nv_status branch(struct rm_spdm *spdm, const u8 secret[SPDM_HASH_BYTES],
			     const char *request_label, const char *response_label,
			     const u8 transcript[SPDM_HASH_BYTES])
{
	enum nv_status status;

	status = expand(secret, request_label, transcript, spdm->request_keys.secret,
			SPDM_HASH_BYTES);
	if (status == NV_OK)
		status = expand(secret, response_label, transcript, spdm->response_keys.secret,
				SPDM_HASH_BYTES);
	if (status == NV_OK)
		status = rekey(&spdm->request_keys);
	if (status == NV_OK)
		status = rekey(&spdm->response_keys);
	return status;
}

enum nv_status rm_spdm_keys_handshake(struct rm_spdm *spdm, const u8 shared[SPDM_HASH_BYTES],
				      const u8 th1[SPDM_HASH_BYTES])
{
	static const u8 no_salt[SPDM_HASH_BYTES];
	enum nv_status status;

	status = os_hkdf_extract(OS_SHA384, no_salt, sizeof(no_salt), shared, SPDM_HASH_BYTES,
				 spdm->handshake_secret);
	if (status == NV_OK)
		status = branch(spdm, spdm->handshake_secret, "req hs data", "rsp hs data", th1);
	if (status == NV_OK)
		status = expand(spdm->request_keys.secret, "finished", NULL, spdm->request_finished,
				SPDM_HASH_BYTES);
	if (status == NV_OK)
		status = expand(spdm->response_keys.secret, "finished", NULL,
				spdm->response_finished, SPDM_HASH_BYTES);
	return status;
}

enum nv_status rm_spdm_keys_session(struct rm_spdm *spdm, const u8 th2[SPDM_HASH_BYTES])
{
	static const u8 nothing[SPDM_HASH_BYTES];
	u8 salt[SPDM_HASH_BYTES], master[SPDM_HASH_BYTES];
	enum nv_status status;

	status = expand(spdm->handshake_secret, "derived", NULL, salt, sizeof(salt));
	if (status == NV_OK)
		status = os_hkdf_extract(OS_SHA384, salt, sizeof(salt), nothing, sizeof(nothing),
					 master);
	if (status == NV_OK)
		status = branch(spdm, master, "req app data", "rsp app data", th2);
	if (status == NV_OK)
		status = expand(master, "exp master", th2, spdm->export_secret, SPDM_HASH_BYTES);
	os_wipe(salt, sizeof(salt));
	os_wipe(master, sizeof(master));
	os_wipe(spdm->handshake_secret, sizeof(spdm->handshake_secret));
	os_wipe(spdm->request_finished, sizeof(spdm->request_finished));
	os_wipe(spdm->response_finished, sizeof(spdm->response_finished));
	return status;
}

enum nv_status rm_spdm_keys_next(struct rm_spdm_direction *direction)
{
	u8 next[SPDM_HASH_BYTES];
	enum nv_status status = expand(direction->secret, "traffic upd", NULL, next, sizeof(next));

	if (status == NV_OK) {
		os_memcpy(direction->secret, next, sizeof(next));
		status = rekey(direction);
	}
	os_wipe(next, sizeof(next));
	return status;
}

/* -- Records ----------------------------------------------------------------------------------- */

/* Each number once: NV_ERR_INSUFFICIENT_RESOURCES when there is none left. */
static enum nv_status take_iv(struct rm_spdm_direction *direction, u8 iv[SPDM_AEAD_IV_BYTES])
{
	u32 i;

	if (direction->sequence == ~(u64)0)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	os_memcpy(iv, direction->salt, SPDM_AEAD_IV_BYTES);
	for (i = 0; i < sizeof(direction->sequence); i++)
		iv[i] ^= (u8)(direction->sequence >> 8 * i);
	direction->sequence++;
	return NV_OK;
}

enum nv_status rm_spdm_record_seal(struct rm_spdm *spdm, const void *message, u32 bytes,
				   void *record, u32 *record_bytes)
{
	SPDM_SECURED_HEADER *header = record;
	u8 *body = (u8 *)(header + 1), iv[SPDM_AEAD_IV_BYTES], count;
	enum nv_status status = os_random(&count, sizeof(count));
	u32 padding, plain;

	if (status != NV_OK)
		return status;
	padding = count % NV_SPDM_MAX_RANDOM_MSG_BYTES + 1; /* hides the message's size */
	plain = 2 + bytes + padding;
	body[0] = (u8)bytes;
	body[1] = (u8)(bytes >> 8);
	os_memcpy(body + 2, message, bytes);
	header->SessionID = spdm->session_id;
	header->Length = (u16)(plain + SPDM_AEAD_TAG_BYTES);
	*record_bytes = sizeof(*header) + header->Length;
	status = os_random(body + 2 + bytes, padding);
	if (status == NV_OK)
		status = take_iv(&spdm->request_keys, iv);
	if (status == NV_OK)
		status = os_gcm_encrypt(spdm->request_keys.gcm, iv, header, sizeof(*header), body,
					plain, body, body + plain);
	if (status != NV_OK)
		os_wipe(record, *record_bytes);
	return status;
}

enum nv_status rm_spdm_record_open(struct rm_spdm *spdm, const void *record, u32 record_bytes,
				   const u8 **message, u32 *bytes)
{
	const SPDM_SECURED_HEADER *header = record;
	const u8 *body = (const u8 *)(header + 1);
	u8 iv[SPDM_AEAD_IV_BYTES];
	enum nv_status status;
	u32 size;

	if (record_bytes < sizeof(*header) + 2 + SPDM_AEAD_TAG_BYTES ||
	    header->SessionID != spdm->session_id ||
	    header->Length != record_bytes - sizeof(*header))
		return NV_ERR_INVALID_DATA;
	status = take_iv(&spdm->response_keys, iv);
	if (status != NV_OK)
		return status;
	size = header->Length - SPDM_AEAD_TAG_BYTES;
	status = os_gcm_decrypt(spdm->response_keys.gcm, iv, header, sizeof(*header), body, size,
				spdm->plain, body + size);
	if (status != NV_OK)
		return status;
	*bytes = spdm->plain[0] | (u32)spdm->plain[1] << 8;
	*message = spdm->plain + 2;
	return *bytes <= size - 2 ? NV_OK : NV_ERR_INVALID_DATA;
}
