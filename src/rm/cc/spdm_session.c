// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The requester's session: both ends agree on a secret (KEY_EXCHANGE), prove to each other that
 * they have it (FINISH), and keep it until one of them ends it.
 */
#include "rm/cc/spdm_internal.h"

/* The opaque data of KEY_EXCHANGE: the versions of DSP0277 that there are here. Padded to four. */
struct supported_versions {
	SPDM_OPAQUE_HEADER header;
	SPDM_OPAQUE_ELEMENT element;
	u8 count;
	u8 versions[4];
	u8 padding;
};

struct selected_version {
	SPDM_OPAQUE_HEADER header;
	SPDM_OPAQUE_ELEMENT element;
	u8 version[2];
};

static const struct supported_versions supported = {
	.header = { .SpecID = SPDM_OPAQUE_SPEC_ID,
		    .OpaqueVersion = SPDM_OPAQUE_VERSION,
		    .TotalElements = 1 },
	.element = { .OpaqueElementDataLen = 7,
		     .SMDataVersion = SPDM_SM_DATA_VERSION,
		     .SMDataID = SPDM_SM_DATA_SUPPORTED_VERSIONS },
	.count = 2,
	.versions = { SPDM_SECURED_VERSION_10 & 0xff, SPDM_SECURED_VERSION_10 >> 8,
		      SPDM_SECURED_VERSION_11 & 0xff, SPDM_SECURED_VERSION_11 >> 8 },
};

/* The one element that answers it: one of those versions, which are the same in what is used. */
static bool is_selection(const struct selected_version *s)
{
	u32 version = s->version[0] | (u32)s->version[1] << 8;

	return s->header.SpecID == SPDM_OPAQUE_SPEC_ID &&
	       s->header.OpaqueVersion == SPDM_OPAQUE_VERSION && s->header.TotalElements == 1 &&
	       !s->element.ID && !s->element.VendorLen && s->element.OpaqueElementDataLen == 4 &&
	       s->element.SMDataVersion == SPDM_SM_DATA_VERSION &&
	       s->element.SMDataID == SPDM_SM_DATA_VERSION_SELECTION &&
	       (version == SPDM_SECURED_VERSION_10 || version == SPDM_SECURED_VERSION_11);
}

/* -- KEY_EXCHANGE ------------------------------------------------------------------------------ */

static enum nv_status send_key_exchange(struct rm_spdm *spdm, const struct os_p384_key *key)
{
	SPDM_KEY_EXCHANGE_MESSAGE *request;
	enum nv_status status;
	u16 id;

	request = rm_spdm_request(spdm, SPDM_KEY_EXCHANGE, sizeof(*request) + sizeof(supported));
	request->header.Param1 = SPDM_MEASUREMENT_SUMMARY_NONE;
	request->OpaqueDataLength = sizeof(supported);
	os_memcpy(request + 1, &supported, sizeof(supported));
	os_p384_key_public(key, request->ExchangeData);
	status = os_random(request->RandomData, sizeof(request->RandomData));
	if (status == NV_OK)
		status = os_random(&id, sizeof(id));
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	request->SessionID = id;
	return rm_spdm_exchange(spdm, false, SPDM_KEY_EXCHANGE_RSP,
				sizeof(SPDM_KEY_EXCHANGE_MESSAGE) +
					sizeof(struct selected_version) + SPDM_SIGNATURE_BYTES +
					SPDM_HASH_BYTES);
}

static enum nv_status check_form(struct rm_spdm *spdm)
{
	const SPDM_KEY_EXCHANGE_MESSAGE *response =
		(const SPDM_KEY_EXCHANGE_MESSAGE *)spdm->response;

	if (response->OpaqueDataLength != sizeof(struct selected_version) ||
	    spdm->response_bytes != sizeof(*response) + sizeof(struct selected_version) +
					    SPDM_SIGNATURE_BYTES + SPDM_HASH_BYTES ||
	    !is_selection((const struct selected_version *)(response + 1)) ||
	    response->MutAuthRequested || response->SlotIDParam ||
	    (response->header.Param1 && !spdm->heartbeat))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	return NV_OK;
}

/* Signature, keys, and the peer's proof of them; the transcript is complete up to its end then. */
static enum nv_status accept_key_exchange(struct rm_spdm *spdm, const struct os_p384_key *key)
{
	const SPDM_KEY_EXCHANGE_MESSAGE *response =
		(const SPDM_KEY_EXCHANGE_MESSAGE *)spdm->response;
	const u8 *signature = (const u8 *)(response + 1) + sizeof(struct selected_version);
	const u8 *claimed = signature + SPDM_SIGNATURE_BYTES;
	u8 digest[SPDM_HASH_BYTES], shared[SPDM_HASH_BYTES], mac[SPDM_HASH_BYTES];
	enum nv_status status;

	os_hash_update(spdm->th, spdm->request, spdm->request_bytes);
	os_hash_update(spdm->th, response, (size_t)(signature - (const u8 *)response));
	status = os_hash_peek(spdm->th, digest);
	if (status == NV_OK) {
		status = os_p384_verify(spdm->peer_key, digest, sizeof(digest), signature);
		if (status == NV_ERR_INVALID_DATA)
			return rm_spdm_fail(spdm, RM_SPDM_FAULT_SIGNATURE, NV_OK);
	}
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	os_hash_update(spdm->th, signature, SPDM_SIGNATURE_BYTES);
	status = os_p384_key_shared(key, response->ExchangeData, shared);
	if (status == NV_ERR_INVALID_DATA)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	if (status == NV_OK)
		status = os_hash_peek(spdm->th, digest);
	if (status == NV_OK)
		status = rm_spdm_keys_handshake(spdm, shared, digest);
	os_wipe(shared, sizeof(shared));
	if (status == NV_OK)
		status = os_hmac_mac(OS_SHA384, spdm->response_finished, SPDM_HASH_BYTES, digest,
				     sizeof(digest), mac);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	if (!os_equal_secret(mac, claimed, sizeof(mac)))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_CONFIRMATION, NV_OK);
	os_hash_update(spdm->th, claimed, SPDM_HASH_BYTES);
	spdm->session_id = ((const SPDM_KEY_EXCHANGE_MESSAGE *)spdm->request)->SessionID |
			   (u32)response->SessionID << 16;
	spdm->heartbeat_period = response->header.Param1;
	return NV_OK;
}

/* -- FINISH ------------------------------------------------------------------------------------ */

static enum nv_status finish(struct rm_spdm *spdm)
{
	u32 bytes = sizeof(SPDM_HEADER) + SPDM_HASH_BYTES;
	u8 digest[SPDM_HASH_BYTES];
	SPDM_HEADER *request = rm_spdm_request(spdm, SPDM_FINISH, bytes);
	enum nv_status status;

	os_hash_update(spdm->th, request, sizeof(*request));
	status = os_hash_peek(spdm->th, digest);
	if (status == NV_OK)
		status = os_hmac_mac(OS_SHA384, spdm->request_finished, SPDM_HASH_BYTES, digest,
				     sizeof(digest), request + 1);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	os_hash_update(spdm->th, request + 1, SPDM_HASH_BYTES);
	status = rm_spdm_exchange(spdm, true, SPDM_FINISH_RSP, sizeof(SPDM_HEADER));
	if (status != NV_OK)
		return status;
	if (spdm->response_bytes != sizeof(SPDM_HEADER))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	os_hash_update(spdm->th, spdm->response, spdm->response_bytes);
	status = os_hash_finish(spdm->th, digest);
	if (status == NV_OK)
		status = rm_spdm_keys_session(spdm, digest);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	return NV_OK;
}

enum nv_status rm_spdm_agree(struct rm_spdm *spdm)
{
	struct os_p384_key *key;
	enum nv_status status;

	status = os_p384_key_create(NULL, &key);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	status = send_key_exchange(spdm, key);
	if (status == NV_OK)
		status = check_form(spdm);
	if (status == NV_OK)
		status = accept_key_exchange(spdm, key);
	os_p384_key_destroy(key);
	if (status == NV_OK)
		status = finish(spdm);
	if (status != NV_OK)
		return status;
	spdm->established = true;
	spdm->have_secret = true;
	return NV_OK;
}

/* -- While it is up ---------------------------------------------------------------------------- */

/* A request that is a header only and is answered by one; a failure ends the session. */
static enum nv_status short_exchange(struct rm_spdm *spdm, u8 code, u8 param1, u8 param2, u8 answer)
{
	SPDM_HEADER *request = rm_spdm_request(spdm, code, sizeof(*request));
	const SPDM_HEADER *response;
	enum nv_status status;

	request->Param1 = param1;
	request->Param2 = param2;
	status = rm_spdm_exchange(spdm, true, answer, sizeof(*response));
	if (status == NV_OK) {
		response = (const SPDM_HEADER *)spdm->response;
		if (spdm->response_bytes != sizeof(*response) || response->Param1 != param1 ||
		    response->Param2 != param2)
			status = rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	}
	if (status != NV_OK)
		rm_spdm_forget(spdm);
	return status;
}

enum nv_status rm_spdm_heartbeat(struct rm_spdm *spdm)
{
	if (!spdm->established)
		return NV_ERR_NOT_READY;
	if (!spdm->heartbeat)
		return NV_ERR_NOT_SUPPORTED;
	return short_exchange(spdm, SPDM_HEARTBEAT, 0, 0, SPDM_HEARTBEAT_ACK);
}

static enum nv_status next_keys(struct rm_spdm *spdm, struct rm_spdm_direction *direction)
{
	enum nv_status status = rm_spdm_keys_next(direction);

	if (status == NV_OK)
		return NV_OK;
	status = rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	rm_spdm_forget(spdm);
	return status;
}

/*
 * The request goes out under the old key and its answer comes under the new one; then the new one
 * of the other direction is proven.
 */
enum nv_status rm_spdm_update_keys(struct rm_spdm *spdm)
{
	enum nv_status status;
	u8 tag[2];

	if (!spdm->established)
		return NV_ERR_NOT_READY;
	status = os_random(tag, sizeof(tag));
	if (status != NV_OK)
		return status;
	spdm->renew_response_keys = true;
	status = short_exchange(spdm, SPDM_KEY_UPDATE, SPDM_KEY_OPERATION_UPDATE_ALL_KEYS, tag[0],
				SPDM_KEY_UPDATE_ACK);
	spdm->renew_response_keys = false;
	if (status == NV_OK)
		status = next_keys(spdm, &spdm->request_keys);
	if (status == NV_OK)
		status = short_exchange(spdm, SPDM_KEY_UPDATE, SPDM_KEY_OPERATION_VERIFY_NEW_KEY,
					tag[1], SPDM_KEY_UPDATE_ACK);
	return status;
}

enum nv_status rm_spdm_end(struct rm_spdm *spdm)
{
	enum nv_status status;

	if (!spdm->established)
		return NV_ERR_NOT_READY;
	status = short_exchange(spdm, SPDM_END_SESSION, 0, 0, SPDM_END_SESSION_ACK);
	rm_spdm_forget(spdm);
	return status;
}
