// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a client gets to judge the GPU by: the attestation report and the certificates that its
 * signature leads to.
 *
 *   report:  | GET_MEASUREMENTS 37 | MEASUREMENTS ... signature 96 |
 */
#include "rm/cc/spdm_internal.h"

#define BASE64_GROUP 3u	   /* bytes */
#define BASE64_LETTERS 4u  /* of each */
#define PEM_LINE_BYTES 48u /* of what is encoded, on a line */
#define DER_SEQUENCE 0x30u
#define DER_LONG 0x80u
#define CERTIFICATES_MAX 16u

/* -- The report -------------------------------------------------------------------------------- */

/* Whether blocks, nonce and opaque data fill the response up to its signature. */
static bool is_complete(const struct rm_spdm *spdm)
{
	const SPDM_MEASUREMENTS_RESPONSE *response =
		(const SPDM_MEASUREMENTS_RESPONSE *)spdm->response;
	const u8 *at = (const u8 *)(response + 1);
	u32 left = spdm->response_bytes - sizeof(*response), record, blocks, size;

	record = response->MeasurementRecordLength[0] |
		 (u32)response->MeasurementRecordLength[1] << 8 |
		 (u32)response->MeasurementRecordLength[2] << 16;
	if (record > left || left - record < SPDM_NONCE_BYTES + 2 + SPDM_SIGNATURE_BYTES)
		return false;
	left -= record;
	for (blocks = response->NumberOfBlocks; blocks; blocks--) {
		const SPDM_MEASUREMENT_BLOCK *block = (const SPDM_MEASUREMENT_BLOCK *)at;

		if (record < sizeof(*block))
			return false;
		size = offsetof(SPDM_MEASUREMENT_BLOCK, DMTFSpecMeasurementValueType) +
		       block->MeasurementSize;
		if (size < sizeof(*block) || size > record ||
		    block->MeasurementSpecification != SPDM_MEASUREMENT_SPEC_DMTF)
			return false;
		at += size;
		record -= size;
	}
	at += SPDM_NONCE_BYTES;
	left -= SPDM_NONCE_BYTES + 2;
	return !record && response->NumberOfBlocks &&
	       left == (at[0] | (u32)at[1] << 8) + SPDM_SIGNATURE_BYTES;
}

static enum nv_status check_signature(struct rm_spdm *spdm)
{
	u32 bytes = spdm->response_bytes - SPDM_SIGNATURE_BYTES;
	u8 digest[SPDM_HASH_BYTES];
	enum nv_status status;

	os_hash_begin(spdm->th);
	os_hash_update(spdm->th, spdm->request, spdm->request_bytes);
	os_hash_update(spdm->th, spdm->response, bytes);
	status = os_hash_finish(spdm->th, digest);
	if (status == NV_OK) {
		status = os_p384_verify(spdm->peer_key, digest, sizeof(digest),
					spdm->response + bytes);
		if (status == NV_ERR_INVALID_DATA)
			return rm_spdm_fail(spdm, RM_SPDM_FAULT_SIGNATURE, NV_OK);
	}
	return status == NV_OK ? NV_OK : rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
}

enum nv_status rm_spdm_attest(struct rm_spdm *spdm, const u8 nonce[RM_SPDM_NONCE_BYTES],
			      void *report, u32 room, u32 *bytes)
{
	SPDM_GET_MEASUREMENTS_REQUEST *request;
	enum nv_status status;

	if (!spdm->established)
		return NV_ERR_NOT_READY;
	if (room < SPDM_ATTESTATION_REPORT_MAX_SIZE)
		return NV_ERR_BUFFER_TOO_SMALL;
	request = rm_spdm_request(spdm, SPDM_GET_MEASUREMENTS, sizeof(*request));
	request->header.Param1 = SPDM_MEASUREMENTS_SIGNED;
	request->header.Param2 = SPDM_MEASUREMENTS_ALL;
	os_memcpy(request->Nonce, nonce, RM_SPDM_NONCE_BYTES);
	status =
		rm_spdm_exchange(spdm, true, SPDM_MEASUREMENTS, sizeof(SPDM_MEASUREMENTS_RESPONSE));
	if (status == NV_OK &&
	    (!is_complete(spdm) || spdm->response_bytes > room - spdm->request_bytes))
		status = rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	if (status == NV_OK)
		status = check_signature(spdm);
	if (status != NV_OK) {
		rm_spdm_forget(spdm);
		return status;
	}
	os_memcpy(report, spdm->request, spdm->request_bytes);
	os_memcpy((u8 *)report + spdm->request_bytes, spdm->response, spdm->response_bytes);
	*bytes = spdm->request_bytes + spdm->response_bytes;
	return NV_OK;
}

/* -- The certificates -------------------------------------------------------------------------- */

u32 rm_spdm_certificate_bytes(const u8 *der, u32 bytes)
{
	u32 count, size = 0, i;

	if (bytes < 2 || der[0] != DER_SEQUENCE)
		return 0;
	if (!(der[1] & DER_LONG)) {
		size = 2u + der[1];
		return size <= bytes ? size : 0;
	}
	count = der[1] & ~DER_LONG;
	/* None at all is BER's indefinite form, which libcrypto would read, too. */
	if (!count || count > 2 || bytes < 2 + count)
		return 0;
	for (i = 0; i < count; i++)
		size = size << 8 | der[2 + i];
	size += 2 + count;
	return size <= bytes ? size : 0;
}

struct text {
	char *at;
	u32 room;
};

static bool put(struct text *text, const char *what, u32 bytes)
{
	if (bytes > text->room)
		return false;
	os_memcpy(text->at, what, bytes);
	text->at += bytes;
	text->room -= bytes;
	return true;
}

static bool put_group(struct text *text, const u8 *data, u32 bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char out[BASE64_LETTERS];
	u32 value = 0, i;

	for (i = 0; i < BASE64_GROUP; i++)
		value = value << 8 | (i < bytes ? data[i] : 0);
	for (i = 0; i < BASE64_LETTERS; i++)
		out[i] = i <= bytes ? letters[value >> (18 - 6 * i) & 0x3fu] : '=';
	return put(text, out, sizeof(out));
}

/* RFC 7468 */
static bool put_pem(struct text *text, const u8 *der, u32 bytes)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
	static const char end[] = "-----END CERTIFICATE-----\n";
	u32 at, take;

	if (!put(text, begin, sizeof(begin) - 1))
		return false;
	for (at = 0; at < bytes; at += take) {
		take = bytes - at < BASE64_GROUP ? bytes - at : BASE64_GROUP;
		if (!put_group(text, der + at, take) ||
		    (((at + take) % PEM_LINE_BYTES == 0 || at + take == bytes) &&
		     !put(text, "\n", 1)))
			return false;
	}
	return put(text, end, sizeof(end) - 1);
}

enum nv_status rm_spdm_certificates(const struct rm_spdm *spdm, char *pem, u32 room, u32 *bytes)
{
	const u8 *from[CERTIFICATES_MAX];
	u32 size[CERTIFICATES_MAX], count = 0, at = sizeof(SPDM_CERT_CHAIN);
	struct text text = { pem, room };
	const struct rm_spdm_config *config = &spdm->config;

	if (!spdm->established)
		return NV_ERR_NOT_READY;
	while (at < spdm->chain_bytes && count < ARRAY_SIZE(from)) {
		from[count] = spdm->chain + at;
		size[count] = rm_spdm_certificate_bytes(from[count], spdm->chain_bytes - at);
		if (!size[count])
			return NV_ERR_INVALID_DATA;
		at += size[count++];
	}
	/* The root comes last, unless it was sent along. */
	while (count--)
		if (size[count] != config->root_bytes ||
		    os_memcmp(from[count], config->root, config->root_bytes) != 0)
			if (!put_pem(&text, from[count], size[count]))
				return NV_ERR_BUFFER_TOO_SMALL;
	if (!put_pem(&text, config->root, config->root_bytes))
		return NV_ERR_BUFFER_TOO_SMALL;
	*bytes = room - text.room;
	return NV_OK;
}
