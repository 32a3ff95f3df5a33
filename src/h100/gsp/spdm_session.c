// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The responder's session: KEY_EXCHANGE, FINISH, and what keeps it up or ends it.
 *
 *   TH  = A | SHA-384 of the chain | KEY_EXCHANGE | response ...
 *
 *   KEY_EXCHANGE_RSP: | fixed part 138 | version selected 16 | signature 96 | HMAC 48 |
 *                      signature over TH up to it; TH1 up to the HMAC; the HMAC over TH1
 *   FINISH:           | header 4 | HMAC 48 |       the HMAC over TH up to it
 *   FINISH_RSP:       | header 4 |                 TH2 up to its end
 */
#include "h100/gsp/spdm_internal.h"

/* The element that selects a version of secured messages, padded to four bytes as it is. */
struct version_selection {
	SPDM_OPAQUE_HEADER header;
	SPDM_OPAQUE_ELEMENT element;
	u8 version[2];
};

/* The newest version of secured messages that the opaque data offers and there is; 0: none. */
static u16 select_version(const u8 *opaque, u32 bytes)
{
	const SPDM_OPAQUE_HEADER *header = (const SPDM_OPAQUE_HEADER *)opaque;
	u32 elements, at = sizeof(*header), best = 0, i;

	if (bytes < sizeof(*header) || header->SpecID != SPDM_OPAQUE_SPEC_ID ||
	    header->OpaqueVersion != SPDM_OPAQUE_VERSION)
		return 0;
	for (elements = header->TotalElements; elements; elements--) {
		const SPDM_OPAQUE_ELEMENT *element = (const SPDM_OPAQUE_ELEMENT *)(opaque + at);
		u32 data, count, size;

		if (bytes - at < sizeof(*element) || element->VendorLen)
			return 0;
		data = element->OpaqueElementDataLen; /* from SMDataVersion on */
		size = (offsetof(SPDM_OPAQUE_ELEMENT, SMDataVersion) + data + 3) & ~3u;
		if (data < 2 || size > bytes - at)
			return 0;
		if (!element->ID && element->SMDataVersion == SPDM_SM_DATA_VERSION &&
		    element->SMDataID == SPDM_SM_DATA_SUPPORTED_VERSIONS) {
			const u8 *list = (const u8 *)(element + 1);

			count = data > 2 ? list[0] : 0;
			if (data != 3 + 2 * count)
				return 0;
			for (i = 0; i < count; i++) {
				u32 version = list[1 + 2 * i] | (u32)list[2 + 2 * i] << 8;

				if ((version == SPDM_SECURED_VERSION_10 ||
				     version == SPDM_SECURED_VERSION_11) &&
				    version > best)
					best = version;
			}
		}
		at += size;
	}
	return at == bytes ? (u16)best : 0;
}

static void put_selection(struct version_selection *selection, u16 version)
{
	*selection = (struct version_selection){
		.header = { .SpecID = SPDM_OPAQUE_SPEC_ID,
			    .OpaqueVersion = SPDM_OPAQUE_VERSION,
			    .TotalElements = 1 },
		.element = { .OpaqueElementDataLen = 4,
			     .SMDataVersion = SPDM_SM_DATA_VERSION,
			     .SMDataID = SPDM_SM_DATA_VERSION_SELECTION },
		.version = { (u8)version, (u8)(version >> 8) },
	};
}

/* TH anew: what came before the session. */
static bool begin_th(struct spdm_responder *r)
{
	return spdm_hash_copy(&r->th, &r->a) &&
	       spdm_hash_add(&r->th, r->config.identity->chain_digest, SPDM_HASH_BYTES);
}

/* Signs, derives and confirms; response is complete up to its signature at tail. */
static bool conclude_exchange(struct spdm_call *call, u8 *tail, const u8 shared[SPDM_HASH_BYTES])
{
	struct spdm_responder *r = call->responder;
	u8 digest[SPDM_HASH_BYTES];
	u8 *mac = tail + SPDM_SIGNATURE_BYTES;

	if (!begin_th(r) || !spdm_hash_add(&r->th, call->request, call->request_bytes) ||
	    !spdm_hash_add(&r->th, call->response, (size_t)(tail - call->response)) ||
	    !spdm_hash_digest(&r->th, digest) ||
	    !spdm_sign(r->config.identity->key, digest, tail) ||
	    !spdm_hash_add(&r->th, tail, SPDM_SIGNATURE_BYTES) ||
	    !spdm_hash_digest(&r->th, digest) || !spdm_keys_handshake(&r->keys, shared, digest) ||
	    !spdm_hmac(r->keys.response_finished, digest, sizeof(digest), mac) ||
	    !spdm_hash_add(&r->th, mac, SPDM_HASH_BYTES))
		return false;
	call->response_bytes = (u32)(mac + SPDM_HASH_BYTES - call->response);
	return true;
}

u8 spdm_serve_key_exchange(struct spdm_call *call)
{
	const SPDM_KEY_EXCHANGE_MESSAGE *request = (const SPDM_KEY_EXCHANGE_MESSAGE *)call->request;
	struct spdm_responder *r = call->responder;
	SPDM_KEY_EXCHANGE_MESSAGE *response;
	struct version_selection *selection;
	u8 shared[SPDM_HASH_BYTES];
	u16 version, own_id;
	bool bad_point, done;

	if (call->request_bytes < sizeof(*request) ||
	    request->OpaqueDataLength != call->request_bytes - sizeof(*request) ||
	    request->OpaqueDataLength > SPDM_OPAQUE_MAX || request->header.Param2 ||
	    request->header.Param1 != SPDM_MEASUREMENT_SUMMARY_NONE)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	if (r->session != SPDM_SESSION_NONE)
		return SPDM_ERROR_CODE_SESSION_LIMIT_EXCEEDED;
	version = select_version((const u8 *)(request + 1), request->OpaqueDataLength);
	if (!version)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	response = spdm_call_begin(call, SPDM_KEY_EXCHANGE_RSP, sizeof(*response));
	selection = (struct version_selection *)(response + 1);
	if (r->heartbeat)
		response->header.Param1 = r->config.heartbeat_period;
	response->OpaqueDataLength = sizeof(*selection);
	put_selection(selection, version);
	if (!spdm_random(response->RandomData, sizeof(response->RandomData)) ||
	    !spdm_random(&own_id, sizeof(own_id)))
		return SPDM_ERROR_CODE_UNSPECIFIED;
	response->SessionID = own_id | 1u; /* the whole id is not 0 */
	done = spdm_key_agree(request->ExchangeData, response->ExchangeData, shared, &bad_point) &&
	       conclude_exchange(call, (u8 *)(selection + 1), shared);
	spdm_wipe(shared, sizeof(shared));
	if (!done) {
		spdm_session_end(r);
		return bad_point ? SPDM_ERROR_CODE_INVALID_REQUEST : SPDM_ERROR_CODE_UNSPECIFIED;
	}
	r->session_id = request->SessionID | (u32)response->SessionID << 16;
	r->session = SPDM_SESSION_HANDSHAKE;
	r->heard_ns = r->now_ns;
	return 0;
}

u8 spdm_serve_finish(struct spdm_call *call)
{
	const SPDM_HEADER *request = spdm_call_header(call);
	struct spdm_responder *r = call->responder;
	u8 digest[SPDM_HASH_BYTES], mac[SPDM_HASH_BYTES];
	const u8 *claimed = (const u8 *)(request + 1);
	u8 error = SPDM_ERROR_CODE_UNSPECIFIED;

	if (call->request_bytes != sizeof(*request) + SPDM_HASH_BYTES || request->Param1)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	if (!spdm_hash_add(&r->th, request, sizeof(*request)) ||
	    !spdm_hash_digest(&r->th, digest) ||
	    !spdm_hmac(r->keys.request_finished, digest, sizeof(digest), mac))
		goto fail;
	if (!spdm_equal(mac, claimed, sizeof(mac))) {
		error = SPDM_ERROR_CODE_DECRYPT_ERROR;
		goto fail;
	}
	spdm_call_begin(call, SPDM_FINISH_RSP, sizeof(SPDM_HEADER));
	if (!spdm_hash_add(&r->th, claimed, SPDM_HASH_BYTES) ||
	    !spdm_hash_add(&r->th, call->response, call->response_bytes))
		goto fail;
	call->finished = true;
	return 0;
fail:
	spdm_session_end(r);
	return error;
}

/* FINISH_RSP has been secured with the handshake's keys: the session's take over. */
bool spdm_session_begin(struct spdm_responder *r)
{
	u8 th2[SPDM_HASH_BYTES];

	if (!spdm_hash_digest(&r->th, th2) || !spdm_keys_session(&r->keys, th2))
		return false;
	r->session = SPDM_SESSION_ESTABLISHED;
	if (r->config.established)
		r->config.established(r->config.ctx, r->keys.export_secret);
	spdm_wipe(r->keys.export_secret, sizeof(r->keys.export_secret));
	return true;
}

u8 spdm_serve_heartbeat(struct spdm_call *call)
{
	if (!call->responder->heartbeat)
		return SPDM_ERROR_CODE_UNSUPPORTED_REQUEST;
	if (call->request_bytes != sizeof(SPDM_HEADER))
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	spdm_call_begin(call, SPDM_HEARTBEAT_ACK, sizeof(SPDM_HEADER));
	return 0;
}

/*
 * The request's key changes once the request is in, the response's before the response goes out.
 * Until VERIFY_NEW_KEY has come under it nothing else may.
 */
u8 spdm_serve_key_update(struct spdm_call *call)
{
	const SPDM_HEADER *request = spdm_call_header(call);
	struct spdm_responder *r = call->responder;
	SPDM_HEADER *response;

	if (!(r->requester_flags & SPDM_CAP_KEY_UPD))
		return SPDM_ERROR_CODE_UNSUPPORTED_REQUEST;
	if (call->request_bytes != sizeof(*request))
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	switch (request->Param1) {
	case SPDM_KEY_OPERATION_UPDATE_KEY:
	case SPDM_KEY_OPERATION_UPDATE_ALL_KEYS:
		if (!spdm_keys_update(&r->keys.request)) {
			call->end_session = true;
			return SPDM_ERROR_CODE_UNSPECIFIED;
		}
		call->update_response_key = request->Param1 == SPDM_KEY_OPERATION_UPDATE_ALL_KEYS;
		r->update_begun = true;
		break;
	case SPDM_KEY_OPERATION_VERIFY_NEW_KEY:
		r->update_begun = false;
		break;
	default:
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	}
	response = spdm_call_begin(call, SPDM_KEY_UPDATE_ACK, sizeof(*response));
	response->Param1 = request->Param1;
	response->Param2 = request->Param2;
	return 0;
}

u8 spdm_serve_end_session(struct spdm_call *call)
{
	if (call->request_bytes != sizeof(SPDM_HEADER))
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	spdm_call_begin(call, SPDM_END_SESSION_ACK, sizeof(SPDM_HEADER));
	call->end_session = true;
	return 0;
}
