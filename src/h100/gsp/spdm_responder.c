// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The responder: which request may come when, and the ones before there is a session.
 *
 *   GET_VERSION --> GET_CAPABILITIES --> NEGOTIATE_ALGORITHMS --> GET_DIGESTS, GET_CERTIFICATE,
 *   (always; ends a session)                                      GET_MEASUREMENTS, KEY_EXCHANGE
 *
 * in the session, secured: FINISH, then GET_MEASUREMENTS, HEARTBEAT, KEY_UPDATE, END_SESSION. What
 * comes at another time is an ERROR UnexpectedRequest and changes nothing; a record that is not the
 * session's next one is an ERROR DecryptError and ends it (DSP0277, 6.4).
 */
#include "h100/gsp/spdm_internal.h"

#define HEARTBEAT_TOLERANCE 2u
#define NS_PER_S 1000000000u

#define RESPONDER_FLAGS                                                               \
	(SPDM_CAP_CERT | SPDM_CAP_MEAS_SIG | SPDM_CAP_MEAS_FRESH | SPDM_CAP_ENCRYPT | \
	 SPDM_CAP_MAC | SPDM_CAP_KEY_EX | SPDM_CAP_KEY_UPD)
/* What a requester must be able to do. */
#define REQUESTER_FLAGS (SPDM_CAP_ENCRYPT | SPDM_CAP_MAC | SPDM_CAP_KEY_EX)

void *spdm_call_begin(struct spdm_call *call, u8 code, u32 bytes)
{
	SPDM_HEADER *header = (SPDM_HEADER *)call->response;

	memset(header, 0, bytes);
	header->SPDMVersion = SPDM_MESSAGE_VERSION_11;
	header->RequestResponseCode = code;
	call->response_bytes = bytes;
	return header;
}

void spdm_session_end(struct spdm_responder *responder)
{
	bool told = responder->session == SPDM_SESSION_ESTABLISHED;

	responder->session = SPDM_SESSION_NONE;
	responder->update_begun = false;
	spdm_wipe(&responder->keys, sizeof(responder->keys));
	spdm_wipe(responder->plain, sizeof(responder->plain));
	if (told && responder->config.ended)
		responder->config.ended(responder->config.ctx);
}

/* -- Version, capabilities, algorithms --------------------------------------------------------- */

/* Adds request and response to messages A. */
static u8 log_a(struct spdm_call *call)
{
	struct spdm_hash *a = &call->responder->a;

	return spdm_hash_add(a, call->request, call->request_bytes) &&
			       spdm_hash_add(a, call->response, call->response_bytes)
		       ? 0
		       : SPDM_ERROR_CODE_UNSPECIFIED;
}

static u8 serve_version(struct spdm_call *call)
{
	struct spdm_responder *r = call->responder;
	SPDM_VERSION_RESPONSE *response;
	u8 error;

	if (call->request_bytes != sizeof(SPDM_HEADER))
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	spdm_responder_reset(r);
	if (!spdm_hash_init(&r->a))
		return SPDM_ERROR_CODE_UNSPECIFIED;
	response = spdm_call_begin(call, SPDM_VERSION, sizeof(*response));
	response->header.SPDMVersion = SPDM_MESSAGE_VERSION_10;
	response->VersionNumberEntryCount = 1;
	response->VersionNumberEntry[0] = SPDM_MESSAGE_VERSION_11 << 8;
	error = log_a(call);
	if (!error)
		r->state = SPDM_STATE_VERSION;
	return error;
}

static u8 serve_capabilities(struct spdm_call *call)
{
	const SPDM_CAPABILITIES_MESSAGE *request = (const SPDM_CAPABILITIES_MESSAGE *)call->request;
	struct spdm_responder *r = call->responder;
	SPDM_CAPABILITIES_MESSAGE *response;
	u8 error;

	if (call->request_bytes != sizeof(*request) ||
	    (request->Flags & REQUESTER_FLAGS) != REQUESTER_FLAGS)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	response = spdm_call_begin(call, SPDM_CAPABILITIES, sizeof(*response));
	r->requester_flags = request->Flags;
	r->heartbeat = r->config.heartbeat_period && (request->Flags & SPDM_CAP_HBEAT);
	response->CTExponent = SPDM_CT_EXPONENT_MAX;
	response->Flags = RESPONDER_FLAGS | (r->heartbeat ? SPDM_CAP_HBEAT : 0);
	error = log_a(call);
	if (!error)
		r->state = SPDM_STATE_CAPABILITIES;
	return error;
}

/* The algorithms that there must be, in the order in which the response names them. */
static const SPDM_ALG_STRUCT algorithms[4] = {
	{ SPDM_ALG_TYPE_DHE, SPDM_ALG_COUNT_FIXED_2, SPDM_DHE_SECP_384_R1 },
	{ SPDM_ALG_TYPE_AEAD, SPDM_ALG_COUNT_FIXED_2, SPDM_AEAD_AES_256_GCM },
	{ SPDM_ALG_TYPE_REQ_BASE_ASYM, SPDM_ALG_COUNT_FIXED_2, 0 },
	{ SPDM_ALG_TYPE_KEY_SCHEDULE, SPDM_ALG_COUNT_FIXED_2, SPDM_KEY_SCHEDULE_HMAC_HASH },
};

/* Whether the request's tables, each type once and in ascending order, offer all of them. */
static bool offers_algorithms(const u8 *at, u32 bytes, u32 count)
{
	u32 next = 0, last_type = 0;

	while (count--) {
		const SPDM_ALG_STRUCT *table = (const SPDM_ALG_STRUCT *)at;
		u32 size;

		if (bytes < sizeof(*table))
			return false;
		size = sizeof(*table) + 4 * (table->AlgCount & 0xfu);
		if (size > bytes || (table->AlgCount & 0xf0u) != SPDM_ALG_COUNT_FIXED_2 ||
		    table->AlgType <= last_type)
			return false;
		last_type = table->AlgType;
		while (next < ARRAY_SIZE(algorithms) && !algorithms[next].AlgSupported)
			next++;
		if (next < ARRAY_SIZE(algorithms) && table->AlgType == algorithms[next].AlgType) {
			if (!(table->AlgSupported & algorithms[next].AlgSupported))
				return false;
			next++;
		}
		at += size;
		bytes -= size;
	}
	return next == ARRAY_SIZE(algorithms) && !bytes;
}

static u8 serve_algorithms(struct spdm_call *call)
{
	const SPDM_NEGOTIATE_ALGORITHMS_REQUEST *request =
		(const SPDM_NEGOTIATE_ALGORITHMS_REQUEST *)call->request;
	struct spdm_responder *r = call->responder;
	SPDM_ALGORITHMS_RESPONSE *response;
	u32 extended;
	u8 error;

	if (call->request_bytes < sizeof(*request) ||
	    call->request_bytes > SPDM_ALGORITHMS_REQUEST_MAX ||
	    request->Length != call->request_bytes)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	extended = 4u * (request->ExtAsymCount + request->ExtHashCount);
	if (extended > call->request_bytes - sizeof(*request) ||
	    !(request->MeasurementSpecification & SPDM_MEASUREMENT_SPEC_DMTF) ||
	    !(request->BaseAsymAlgo & SPDM_BASE_ASYM_ECDSA_P384) ||
	    !(request->BaseHashAlgo & SPDM_BASE_HASH_SHA_384) ||
	    !offers_algorithms(call->request + sizeof(*request) + extended,
			       call->request_bytes - sizeof(*request) - extended,
			       request->header.Param1))
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	response = spdm_call_begin(call, SPDM_ALGORITHMS, sizeof(*response));
	response->header.Param1 = ARRAY_SIZE(algorithms);
	response->Length = sizeof(*response);
	response->MeasurementSpecificationSel = SPDM_MEASUREMENT_SPEC_DMTF;
	response->MeasurementHashAlgo = SPDM_MEASUREMENT_HASH_SHA_384;
	response->BaseAsymSel = SPDM_BASE_ASYM_ECDSA_P384;
	response->BaseHashSel = SPDM_BASE_HASH_SHA_384;
	memcpy(response->AlgStruct, algorithms, sizeof(algorithms));
	error = log_a(call);
	if (!error)
		r->state = SPDM_STATE_NEGOTIATED;
	return error;
}

/* -- Certificates ------------------------------------------------------------------------------ */

static u8 serve_digests(struct spdm_call *call)
{
	SPDM_DIGESTS_RESPONSE *response;

	if (call->request_bytes != sizeof(SPDM_HEADER))
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	response = spdm_call_begin(call, SPDM_DIGESTS, sizeof(*response));
	response->header.Param2 = 1; /* slot 0 */
	memcpy(response->Digest, call->responder->config.identity->chain_digest, SPDM_HASH_BYTES);
	return 0;
}

static u8 serve_certificate(struct spdm_call *call)
{
	const SPDM_CERTIFICATE_MESSAGE *request = (const SPDM_CERTIFICATE_MESSAGE *)call->request;
	const struct spdm_identity *identity = call->responder->config.identity;
	SPDM_CERTIFICATE_MESSAGE *response;
	u32 portion, offset;

	if (call->request_bytes != sizeof(*request) || request->header.Param1 ||
	    request->Offset >= identity->chain_bytes)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	offset = request->Offset;
	portion = identity->chain_bytes - offset;
	if (portion > request->Length)
		portion = request->Length;
	if (portion > SPDM_CERTIFICATE_PORTION_MAX)
		portion = SPDM_CERTIFICATE_PORTION_MAX;
	response = spdm_call_begin(call, SPDM_CERTIFICATE, sizeof(*response));
	response->Offset = (u16)portion;				    /* PortionLength */
	response->Length = (u16)(identity->chain_bytes - offset - portion); /* RemainderLength */
	memcpy(response + 1, identity->chain + offset, portion);
	call->response_bytes += portion;
	return 0;
}

/* -- Dispatch ---------------------------------------------------------------------------------- */

#define IN_CLEAR 1u	/* may come outside of a session */
#define IN_HANDSHAKE 2u /* in one that waits for FINISH */
#define IN_SESSION 4u	/* in one that is up */

struct spdm_request {
	u8 code;
	u8 where;
	u8 from, to; /* enum spdm_state: those of the connection in which it may come */
	spdm_request_fn serve;
};

static const struct spdm_request requests[] = {
	{ SPDM_GET_VERSION, IN_CLEAR, SPDM_STATE_START, SPDM_STATE_NEGOTIATED, serve_version },
	{ SPDM_GET_CAPABILITIES, IN_CLEAR, SPDM_STATE_VERSION, SPDM_STATE_VERSION,
	  serve_capabilities },
	{ SPDM_NEGOTIATE_ALGORITHMS, IN_CLEAR, SPDM_STATE_CAPABILITIES, SPDM_STATE_CAPABILITIES,
	  serve_algorithms },
	{ SPDM_GET_DIGESTS, IN_CLEAR, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED, serve_digests },
	{ SPDM_GET_CERTIFICATE, IN_CLEAR, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED,
	  serve_certificate },
	{ SPDM_GET_MEASUREMENTS, IN_CLEAR | IN_SESSION, SPDM_STATE_NEGOTIATED,
	  SPDM_STATE_NEGOTIATED, spdm_serve_measurements },
	{ SPDM_KEY_EXCHANGE, IN_CLEAR, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED,
	  spdm_serve_key_exchange },
	{ SPDM_FINISH, IN_HANDSHAKE, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED,
	  spdm_serve_finish },
	{ SPDM_HEARTBEAT, IN_SESSION, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED,
	  spdm_serve_heartbeat },
	{ SPDM_KEY_UPDATE, IN_SESSION, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED,
	  spdm_serve_key_update },
	{ SPDM_END_SESSION, IN_SESSION, SPDM_STATE_NEGOTIATED, SPDM_STATE_NEGOTIATED,
	  spdm_serve_end_session },
};

static const struct spdm_request *find_request(u8 code)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].code == code)
			return &requests[i];
	return NULL;
}

/* The one request that must follow an update of keys, and may not come at another time. */
static bool is_verify_new_key(const SPDM_HEADER *header)
{
	return header->RequestResponseCode == SPDM_KEY_UPDATE &&
	       header->Param1 == SPDM_KEY_OPERATION_VERIFY_NEW_KEY;
}

static u8 serve(struct spdm_call *call)
{
	struct spdm_responder *r = call->responder;
	const SPDM_HEADER *header = spdm_call_header(call);
	const struct spdm_request *request;
	u8 version, where = IN_CLEAR;

	if (call->request_bytes < sizeof(*header) || call->request_bytes > SPDM_REQUEST_MAX)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	request = find_request(header->RequestResponseCode);
	version = header->RequestResponseCode == SPDM_GET_VERSION ? SPDM_MESSAGE_VERSION_10
								  : SPDM_MESSAGE_VERSION_11;
	if (header->SPDMVersion != version)
		return SPDM_ERROR_CODE_VERSION_MISMATCH;
	if (!request)
		return SPDM_ERROR_CODE_UNSUPPORTED_REQUEST;
	if (call->secured)
		where = r->session == SPDM_SESSION_HANDSHAKE ? IN_HANDSHAKE : IN_SESSION;
	if (!(request->where & where) || r->state < request->from || r->state > request->to ||
	    (call->secured && r->update_begun != is_verify_new_key(header)))
		return SPDM_ERROR_CODE_UNEXPECTED_REQUEST;
	if (request->code != SPDM_GET_MEASUREMENTS)
		r->m_used = false;
	return request->serve(call);
}

static void put_error(struct spdm_call *call, u8 code)
{
	SPDM_HEADER *error = spdm_call_begin(call, SPDM_ERROR, sizeof(*error));

	/* Before a version is agreed on there is no other to answer in. */
	if (call->responder->state == SPDM_STATE_START)
		error->SPDMVersion = SPDM_MESSAGE_VERSION_10;
	error->Param1 = code;
	if (code == SPDM_ERROR_CODE_UNSUPPORTED_REQUEST)
		error->Param2 = spdm_call_header(call)->RequestResponseCode;
}

static u32 answer_in_clear(struct spdm_call *call, u8 error, NV_SPDM_DESC_HEADER *out)
{
	call->response = (u8 *)(out + 1);
	if (error)
		put_error(call, error);
	out->msgType = NV_SPDM_MESSAGE_TYPE_NORMAL;
	out->msgSizeByte = call->response_bytes;
	return sizeof(*out) + call->response_bytes;
}

static u32 answer_normal(struct spdm_call *call, NV_SPDM_DESC_HEADER *out)
{
	call->response = (u8 *)(out + 1);
	return answer_in_clear(call, serve(call), out);
}

static u32 answer_secured(struct spdm_call *call, const void *record, u32 record_bytes,
			  NV_SPDM_DESC_HEADER *out)
{
	struct spdm_responder *r = call->responder;
	u32 bytes;
	u8 error;

	call->request = NULL;
	if (r->session == SPDM_SESSION_NONE || record_bytes < sizeof(SPDM_SECURED_HEADER) ||
	    ((const SPDM_SECURED_HEADER *)record)->SessionID != r->session_id)
		return answer_in_clear(call, SPDM_ERROR_CODE_INVALID_SESSION, out);
	if (!spdm_record_open(&r->keys.request, r->session_id, record, record_bytes, r->plain,
			      &call->request, &call->request_bytes)) {
		spdm_session_end(r);
		return answer_in_clear(call, SPDM_ERROR_CODE_DECRYPT_ERROR, out);
	}
	r->heard_ns = r->now_ns;
	call->secured = true;
	call->response = r->response;
	error = serve(call);
	if (error)
		put_error(call, error);
	if (r->session == SPDM_SESSION_NONE) /* FINISH that was wrong */
		return answer_in_clear(call, error, out);
	if ((call->update_response_key && !spdm_keys_update(&r->keys.response)) ||
	    !spdm_record_seal(&r->keys.response, r->session_id, call->response,
			      call->response_bytes, out + 1, &bytes) ||
	    (call->finished && !spdm_session_begin(r))) {
		spdm_session_end(r);
		return answer_in_clear(call, SPDM_ERROR_CODE_UNSPECIFIED, out);
	}
	out->msgType = NV_SPDM_MESSAGE_TYPE_SECURED;
	out->msgSizeByte = bytes;
	if (call->end_session)
		spdm_session_end(r);
	return sizeof(*out) + bytes;
}

u32 spdm_responder_answer(struct spdm_responder *responder, const void *request, u32 request_bytes,
			  void *response, u64 now_ns)
{
	const NV_SPDM_DESC_HEADER *header = request;
	struct spdm_call call = { .responder = responder };
	u32 bytes;

	responder->now_ns = now_ns;
	spdm_responder_tick(responder, now_ns);
	if (request_bytes < sizeof(*header) || request_bytes > SPDM_TRANSPORT_MAX ||
	    header->msgSizeByte != request_bytes - sizeof(*header))
		return 0;
	if (header->msgType == NV_SPDM_MESSAGE_TYPE_SECURED) {
		bytes = answer_secured(&call, header + 1, header->msgSizeByte, response);
		spdm_wipe(responder->plain, sizeof(responder->plain));
		return bytes;
	}
	if (header->msgType != NV_SPDM_MESSAGE_TYPE_NORMAL)
		return 0;
	call.request = (const u8 *)(header + 1);
	call.request_bytes = header->msgSizeByte;
	return answer_normal(&call, response);
}

/* -- Life -------------------------------------------------------------------------------------- */

void spdm_responder_tick(struct spdm_responder *responder, u64 now_ns)
{
	u64 patience = (u64)responder->config.heartbeat_period * HEARTBEAT_TOLERANCE * NS_PER_S;

	if (responder->session != SPDM_SESSION_NONE && responder->heartbeat &&
	    now_ns - responder->heard_ns > patience)
		spdm_session_end(responder);
}

void spdm_responder_reset(struct spdm_responder *responder)
{
	spdm_session_end(responder);
	responder->state = SPDM_STATE_START;
	responder->requester_flags = 0;
	responder->heartbeat = false;
	responder->m_used = false;
}

bool spdm_responder_established(const struct spdm_responder *responder)
{
	return responder->session == SPDM_SESSION_ESTABLISHED;
}

enum nv_status spdm_responder_create(const struct spdm_responder_config *config,
				     struct spdm_responder **out)
{
	struct spdm_responder *responder = os_alloc(sizeof(*responder));

	*out = responder;
	if (!responder)
		return NV_ERR_NO_MEMORY;
	responder->config = *config;
	return NV_OK;
}

void spdm_responder_destroy(struct spdm_responder *responder)
{
	if (!responder)
		return;
	spdm_session_end(responder);
	spdm_hash_fini(&responder->a);
	spdm_hash_fini(&responder->th);
	spdm_hash_fini(&responder->m);
	os_free_secret(responder, sizeof(*responder));
}
