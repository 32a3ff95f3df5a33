// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The GPU's end of SPDM alone: what may be asked when, and what it says to what it should not be
 * asked. Nothing that comes in clear may do more than end a session.
 */
#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "h100/gsp/spdm.h"

struct gpu {
	struct spdm_identity identity;
	struct spdm_measures measures;
	struct spdm_responder *responder;
	u8 answer[SPDM_TRANSPORT_MAX];
	u32 bytes; /* of the answer's message */
	u32 told;  /* how often of a session */
};

static void on_established(void *ctx, const u8 secret[SPDM_HASH_BYTES])
{
	((struct gpu *)ctx)->told++;
}

static int set_up(void **state)
{
	static const struct h100_profile profile = { .vbios_version = "96.00.74.00.01" };
	static const u8 digest[SPDM_HASH_BYTES] = { 1, 2, 3 };
	struct gpu *gpu = calloc(1, sizeof(*gpu));
	struct spdm_responder_config config = {
		.identity = &gpu->identity,
		.measures = &gpu->measures,
		.ctx = gpu,
		.established = on_established,
	};

	*state = gpu;
	assert_true(spdm_measure(&gpu->measures, &profile, "p", 1, NULL, 0, digest, digest));
	assert_int_equal(spdm_identity_create(&gpu->identity, NULL, 0, 3, digest), NV_OK);
	assert_int_equal(spdm_responder_create(&config, &gpu->responder), NV_OK);
	return 0;
}

static int tear_down(void **state)
{
	struct gpu *gpu = *state;

	assert_int_equal(gpu->told, 0);
	spdm_responder_destroy(gpu->responder);
	spdm_identity_destroy(&gpu->identity);
	free(gpu);
	return 0;
}

/* Asks in clear (or says so), and returns the answer's message. */
static const u8 *ask_as(struct gpu *gpu, u32 type, const void *message, u32 bytes)
{
	static u8 request[SPDM_TRANSPORT_MAX];
	NV_SPDM_DESC_HEADER header = { type, bytes };
	u32 size;

	memcpy(request, &header, sizeof(header));
	if (bytes)
		memcpy(request + sizeof(header), message, bytes);
	memset(gpu->answer, 0xee, sizeof(gpu->answer));
	size = spdm_responder_answer(gpu->responder, request, sizeof(header) + bytes, gpu->answer,
				     0);
	assert_in_range(size, sizeof(header) + sizeof(SPDM_HEADER), sizeof(gpu->answer));
	memcpy(&header, gpu->answer, sizeof(header));
	assert_int_equal(header.msgType, NV_SPDM_MESSAGE_TYPE_NORMAL);
	assert_int_equal(header.msgSizeByte, size - sizeof(header));
	gpu->bytes = header.msgSizeByte;
	return gpu->answer + sizeof(header);
}

static const u8 *ask(struct gpu *gpu, const void *message, u32 bytes)
{
	return ask_as(gpu, NV_SPDM_MESSAGE_TYPE_NORMAL, message, bytes);
}

static void assert_error(const u8 *answer, u8 code)
{
	const SPDM_HEADER *error = (const SPDM_HEADER *)answer;

	assert_int_equal(error->RequestResponseCode, SPDM_ERROR);
	assert_int_equal(error->Param1, code);
}

/* -- Requests as they should be ---------------------------------------------------------------- */

static const SPDM_HEADER get_version = { SPDM_MESSAGE_VERSION_10, SPDM_GET_VERSION, 0, 0 };
static const SPDM_HEADER get_digests = { SPDM_MESSAGE_VERSION_11, SPDM_GET_DIGESTS, 0, 0 };
static const SPDM_CAPABILITIES_MESSAGE get_capabilities = {
	.header = { SPDM_MESSAGE_VERSION_11, SPDM_GET_CAPABILITIES, 0, 0 },
	.CTExponent = SPDM_CT_EXPONENT_MAX,
	.Flags = SPDM_CAP_CERT | SPDM_CAP_ENCRYPT | SPDM_CAP_MAC | SPDM_CAP_KEY_EX |
		 SPDM_CAP_KEY_UPD,
};

struct negotiate {
	SPDM_NEGOTIATE_ALGORITHMS_REQUEST fixed;
	SPDM_ALG_STRUCT tables[4];
} __attribute__((packed));
static const struct negotiate negotiate = {
	.fixed = { .header = { SPDM_MESSAGE_VERSION_11, SPDM_NEGOTIATE_ALGORITHMS, 4, 0 },
		   .Length = sizeof(struct negotiate),
		   .MeasurementSpecification = SPDM_MEASUREMENT_SPEC_DMTF,
		   .BaseAsymAlgo = SPDM_BASE_ASYM_ECDSA_P384,
		   .BaseHashAlgo = SPDM_BASE_HASH_SHA_384 },
	.tables = { { SPDM_ALG_TYPE_DHE, SPDM_ALG_COUNT_FIXED_2, SPDM_DHE_SECP_384_R1 },
		    { SPDM_ALG_TYPE_AEAD, SPDM_ALG_COUNT_FIXED_2, SPDM_AEAD_AES_256_GCM },
		    { SPDM_ALG_TYPE_REQ_BASE_ASYM, SPDM_ALG_COUNT_FIXED_2, 0 },
		    { SPDM_ALG_TYPE_KEY_SCHEDULE, SPDM_ALG_COUNT_FIXED_2,
		      SPDM_KEY_SCHEDULE_HMAC_HASH } },
};

struct key_exchange {
	SPDM_KEY_EXCHANGE_MESSAGE fixed;
	SPDM_OPAQUE_HEADER opaque;
	SPDM_OPAQUE_ELEMENT element;
	u8 count, versions[4], padding;
} __attribute__((packed));

/* With the point of a fresh key. */
static struct key_exchange key_exchange(void)
{
	struct key_exchange request = {
		.fixed = { .header = { SPDM_MESSAGE_VERSION_11, SPDM_KEY_EXCHANGE, 0, 0 },
			   .SessionID = 0x1234,
			   .OpaqueDataLength = 20 },
		.opaque = { SPDM_OPAQUE_SPEC_ID, SPDM_OPAQUE_VERSION, 1, 0 },
		.element = { 0, 0, 7, SPDM_SM_DATA_VERSION, SPDM_SM_DATA_SUPPORTED_VERSIONS },
		.count = 2,
		.versions = { 0, 0x10, 0, 0x11 },
	};
	EVP_PKEY *key = EVP_EC_gen("P-384");
	u8 *point;

	assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &point), SPDM_POINT_BYTES + 1);
	memcpy(request.fixed.ExchangeData, point + 1, SPDM_POINT_BYTES);
	OPENSSL_free(point);
	EVP_PKEY_free(key);
	return request;
}

static void connect_up_to(struct gpu *gpu, u8 code)
{
	const SPDM_HEADER *answer =
		(const SPDM_HEADER *)ask(gpu, &get_version, sizeof(get_version));

	assert_int_equal(answer->RequestResponseCode, SPDM_VERSION);
	if (code == SPDM_VERSION)
		return;
	answer = (const SPDM_HEADER *)ask(gpu, &get_capabilities, sizeof(get_capabilities));
	assert_int_equal(answer->RequestResponseCode, SPDM_CAPABILITIES);
	if (code == SPDM_CAPABILITIES)
		return;
	answer = (const SPDM_HEADER *)ask(gpu, &negotiate, sizeof(negotiate));
	assert_int_equal(answer->RequestResponseCode, SPDM_ALGORITHMS);
}

/* -- What r535 asks of a GPU ------------------------------------------------------------------- */

static void says_what_a_hopper_says(void **state)
{
	struct gpu *gpu = *state;
	SPDM_VERSION_RESPONSE version;
	SPDM_CAPABILITIES_MESSAGE capabilities;
	SPDM_ALGORITHMS_RESPONSE algorithms;

	memcpy(&version, ask(gpu, &get_version, sizeof(get_version)), sizeof(version));
	assert_int_equal(gpu->bytes, sizeof(version));
	assert_int_equal(version.header.SPDMVersion, SPDM_MESSAGE_VERSION_10);
	assert_int_equal(version.VersionNumberEntryCount, 1);
	assert_int_equal(version.VersionNumberEntry[0], 0x1100);
	memcpy(&capabilities, ask(gpu, &get_capabilities, sizeof(get_capabilities)),
	       sizeof(capabilities));
	assert_int_equal(gpu->bytes, sizeof(capabilities));
	assert_int_equal(capabilities.Flags, 0x42f2);
	assert_int_equal(capabilities.CTExponent, 0xff);
	memcpy(&algorithms, ask(gpu, &negotiate, sizeof(negotiate)), sizeof(algorithms));
	assert_int_equal(gpu->bytes, sizeof(algorithms));
	assert_int_equal(algorithms.Length, sizeof(algorithms));
	assert_int_equal(algorithms.MeasurementHashAlgo, 4);
	assert_int_equal(algorithms.BaseAsymSel, 0x80);
	assert_int_equal(algorithms.BaseHashSel, 2);
	assert_memory_equal(algorithms.AlgStruct, negotiate.tables, sizeof(negotiate.tables));
}

/* The chain in portions of any size is the same chain, and libcrypto follows it to the root. */
static void hands_out_its_certificates(void **state)
{
	static const u32 portions[] = { 1, 7, 100, 1024, 0xffff };
	static u8 chain[SPDM_MAX_CERT_CHAIN_SIZE];
	struct gpu *gpu = *state;
	const SPDM_CERT_CHAIN *header = (const SPDM_CERT_CHAIN *)chain;
	SPDM_CERTIFICATE_MESSAGE request, answer;
	u8 digest[SPDM_HASH_BYTES], claimed[SPDM_HASH_BYTES];
	const u8 *at, *got;
	EVP_PKEY *by = NULL;
	u32 i, bytes = 0, certificates = 0;

	connect_up_to(gpu, SPDM_ALGORITHMS);
	got = ask(gpu, &get_digests, sizeof(get_digests));
	assert_int_equal(gpu->bytes, sizeof(SPDM_DIGESTS_RESPONSE));
	assert_int_equal(((const SPDM_HEADER *)got)->Param2, 1);
	memcpy(claimed, got + sizeof(SPDM_HEADER), sizeof(claimed));
	for (i = 0; i < ARRAY_SIZE(portions); i++) {
		memset(chain, 0, sizeof(chain));
		bytes = 0;
		do {
			request = (SPDM_CERTIFICATE_MESSAGE){
				.header = { SPDM_MESSAGE_VERSION_11, SPDM_GET_CERTIFICATE, 0, 0 },
				.Offset = (u16)bytes,
				.Length = (u16)portions[i],
			};
			got = ask(gpu, &request, sizeof(request));
			memcpy(&answer, got, sizeof(answer));
			assert_int_equal(answer.header.RequestResponseCode, SPDM_CERTIFICATE);
			assert_int_equal(gpu->bytes, sizeof(answer) + answer.Offset);
			assert_in_range(answer.Offset, 1, portions[i] < 1024 ? portions[i] : 1024);
			memcpy(chain + bytes, got + sizeof(answer), answer.Offset);
			bytes += answer.Offset;
		} while (answer.Length);
		assert_int_equal(header->Length, bytes);
		EVP_Digest(chain, bytes, digest, NULL, EVP_sha384(), NULL);
		assert_memory_equal(digest, claimed, sizeof(digest));
	}
	for (at = chain + sizeof(*header); at < chain + bytes; certificates++) {
		X509 *certificate = d2i_X509(NULL, &at, (long)(chain + bytes - at));

		assert_non_null(certificate);
		if (by)
			assert_int_equal(X509_verify(certificate, by), 1);
		EVP_PKEY_free(by);
		by = X509_get_pubkey(certificate);
		X509_free(certificate);
	}
	assert_int_equal(certificates, 4);
	EVP_PKEY_free(by);
	request.Offset = (u16)bytes;
	assert_error(ask(gpu, &request, sizeof(request)), SPDM_ERROR_CODE_INVALID_REQUEST);
	request.Offset = 0;
	request.header.Param1 = 1;
	assert_error(ask(gpu, &request, sizeof(request)), SPDM_ERROR_CODE_INVALID_REQUEST);
}

static void answers_a_key_exchange(void **state)
{
	struct gpu *gpu = *state;
	struct key_exchange request = key_exchange();
	const SPDM_KEY_EXCHANGE_MESSAGE *answer;

	connect_up_to(gpu, SPDM_ALGORITHMS);
	answer = (const SPDM_KEY_EXCHANGE_MESSAGE *)ask(gpu, &request, sizeof(request));
	assert_int_equal(answer->header.RequestResponseCode, SPDM_KEY_EXCHANGE_RSP);
	assert_int_equal(gpu->bytes, sizeof(*answer) + 16 + 96 + 48);
	assert_int_equal(answer->OpaqueDataLength, 16);
	/* The newest version of secured messages that was offered. */
	assert_int_equal(((const u8 *)(answer + 1))[15], 0x11);
	assert_error(ask(gpu, &request, sizeof(request)), SPDM_ERROR_CODE_SESSION_LIMIT_EXCEEDED);
	request.versions[3] = 0x12;
	ask(gpu, &get_version, sizeof(get_version));
	connect_up_to(gpu, SPDM_ALGORITHMS);
	answer = (const SPDM_KEY_EXCHANGE_MESSAGE *)ask(gpu, &request, sizeof(request));
	assert_int_equal(((const u8 *)(answer + 1))[15], 0x10);
}

/* -- Order ------------------------------------------------------------------------------------- */

static void each_request_has_its_time(void **state)
{
	static const u8 states[] = { 0, SPDM_VERSION, SPDM_CAPABILITIES, SPDM_ALGORITHMS };
	struct gpu *gpu = *state;
	struct key_exchange exchange = key_exchange();
	SPDM_GET_MEASUREMENTS_REQUEST measurements = {
		.header = { SPDM_MESSAGE_VERSION_11, SPDM_GET_MEASUREMENTS,
			    SPDM_MEASUREMENTS_SIGNED, SPDM_MEASUREMENTS_ALL },
	};
	SPDM_CERTIFICATE_MESSAGE certificate = {
		.header = { SPDM_MESSAGE_VERSION_11, SPDM_GET_CERTIFICATE, 0, 0 },
		.Length = 10,
	};
	const struct {
		const void *message;
		u32 bytes;
		u8 state; /* where it belongs */
	} requests[] = {
		{ &get_capabilities, sizeof(get_capabilities), SPDM_VERSION },
		{ &negotiate, sizeof(negotiate), SPDM_CAPABILITIES },
		{ &get_digests, sizeof(get_digests), SPDM_ALGORITHMS },
		{ &certificate, sizeof(certificate), SPDM_ALGORITHMS },
		{ &measurements, sizeof(measurements), SPDM_ALGORITHMS },
		{ &exchange, sizeof(exchange), SPDM_ALGORITHMS },
	};
	u32 s, i;

	for (s = 0; s < ARRAY_SIZE(states); s++) {
		for (i = 0; i < ARRAY_SIZE(requests); i++) {
			const SPDM_HEADER *answer;

			spdm_responder_reset(gpu->responder);
			if (states[s])
				connect_up_to(gpu, states[s]);
			answer = (const SPDM_HEADER *)ask(gpu, requests[i].message,
							  requests[i].bytes);
			if (requests[i].state == states[s])
				assert_int_not_equal(answer->RequestResponseCode, SPDM_ERROR);
			else
				assert_error((const u8 *)answer,
					     SPDM_ERROR_CODE_UNEXPECTED_REQUEST);
			assert_int_equal(answer->SPDMVersion, states[s] ? SPDM_MESSAGE_VERSION_11
									: SPDM_MESSAGE_VERSION_10);
		}
	}
	/* Those of a session do not come in clear, and what comes at a wrong time changes nothing.
	 */
	connect_up_to(gpu, SPDM_VERSION);
	for (i = 0; i < 256; i++) {
		u8 message[64] = { SPDM_MESSAGE_VERSION_11, (u8)i };
		bool known = i == SPDM_FINISH || i == SPDM_HEARTBEAT || i == SPDM_KEY_UPDATE ||
			     i == SPDM_END_SESSION || i == SPDM_GET_DIGESTS ||
			     i == SPDM_GET_CERTIFICATE || i == SPDM_GET_MEASUREMENTS ||
			     i == SPDM_NEGOTIATE_ALGORITHMS || i == SPDM_KEY_EXCHANGE;
		const u8 *answer;

		if (i == SPDM_GET_VERSION || i == SPDM_GET_CAPABILITIES)
			continue;
		answer = ask(gpu, message, sizeof(message));
		assert_error(answer, known ? SPDM_ERROR_CODE_UNEXPECTED_REQUEST
					   : SPDM_ERROR_CODE_UNSUPPORTED_REQUEST);
		assert_int_equal(((const SPDM_HEADER *)answer)->Param2, known ? 0 : i);
	}
	assert_int_equal(
		((const SPDM_HEADER *)ask(gpu, &get_capabilities, sizeof(get_capabilities)))
			->RequestResponseCode,
		SPDM_CAPABILITIES);
}

static void other_versions_are_refused(void **state)
{
	struct gpu *gpu = *state;
	SPDM_HEADER version = get_version, digests = get_digests;

	version.SPDMVersion = SPDM_MESSAGE_VERSION_11;
	assert_error(ask(gpu, &version, sizeof(version)), SPDM_ERROR_CODE_VERSION_MISMATCH);
	connect_up_to(gpu, SPDM_ALGORITHMS);
	digests.SPDMVersion = 0x12;
	assert_error(ask(gpu, &digests, sizeof(digests)), SPDM_ERROR_CODE_VERSION_MISMATCH);
	digests.SPDMVersion = SPDM_MESSAGE_VERSION_10;
	assert_error(ask(gpu, &digests, sizeof(digests)), SPDM_ERROR_CODE_VERSION_MISMATCH);
}

/* -- Malformed --------------------------------------------------------------------------------- */

/* What has no form of the transport's gets no answer. */
static void garbage_gets_no_answer(void **state)
{
	struct gpu *gpu = *state;
	static u8 request[SPDM_TRANSPORT_MAX + 64];
	NV_SPDM_DESC_HEADER header = { NV_SPDM_MESSAGE_TYPE_NORMAL, sizeof(get_version) };
	u32 full = sizeof(header) + sizeof(get_version), bytes;

	memcpy(request, &header, sizeof(header));
	memcpy(request + sizeof(header), &get_version, sizeof(get_version));
	for (bytes = 0; bytes < full + 8; bytes++)
		assert_int_equal(
			!!spdm_responder_answer(gpu->responder, request, bytes, gpu->answer, 0),
			bytes == full);
	header = (NV_SPDM_DESC_HEADER){ 2, sizeof(get_version) };
	memcpy(request, &header, sizeof(header));
	assert_int_equal(spdm_responder_answer(gpu->responder, request, full, gpu->answer, 0), 0);
	header = (NV_SPDM_DESC_HEADER){ 0, sizeof(request) - sizeof(header) };
	memcpy(request, &header, sizeof(header));
	assert_int_equal(
		spdm_responder_answer(gpu->responder, request, sizeof(request), gpu->answer, 0), 0);
}

/* Every size that a request does not have. */
static void requests_have_one_size(void **state)
{
	struct gpu *gpu = *state;
	static u8 message[SPDM_TRANSPORT_MAX - sizeof(NV_SPDM_DESC_HEADER)];
	struct key_exchange exchange = key_exchange();
	const struct {
		const void *message;
		u32 bytes;
		u8 state;
	} requests[] = {
		{ &get_version, sizeof(get_version), 0 },
		{ &get_capabilities, sizeof(get_capabilities), SPDM_VERSION },
		{ &negotiate, sizeof(negotiate), SPDM_CAPABILITIES },
		{ &get_digests, sizeof(get_digests), SPDM_ALGORITHMS },
		{ &exchange, sizeof(exchange), SPDM_ALGORITHMS },
	};
	u32 i, bytes;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		spdm_responder_reset(gpu->responder);
		if (requests[i].state)
			connect_up_to(gpu, requests[i].state);
		memset(message, 0, sizeof(message));
		memcpy(message, requests[i].message, requests[i].bytes);
		for (bytes = 0; bytes <= sizeof(message);
		     bytes += bytes < requests[i].bytes + 8 ? 1 : 997)
			if (bytes != requests[i].bytes)
				assert_error(ask(gpu, message, bytes),
					     SPDM_ERROR_CODE_INVALID_REQUEST);
		assert_int_not_equal(
			((const SPDM_HEADER *)ask(gpu, requests[i].message, requests[i].bytes))
				->RequestResponseCode,
			SPDM_ERROR);
	}
}

static void weaker_algorithms_are_refused(void **state)
{
	struct gpu *gpu = *state;
	struct negotiate request;
	SPDM_CAPABILITIES_MESSAGE capabilities = get_capabilities;
	u32 i;

	connect_up_to(gpu, SPDM_VERSION);
	for (i = 0; i < 3; i++) {
		static const u32 needed[] = { SPDM_CAP_ENCRYPT, SPDM_CAP_MAC, SPDM_CAP_KEY_EX };

		capabilities.Flags = get_capabilities.Flags & ~needed[i];
		assert_error(ask(gpu, &capabilities, sizeof(capabilities)),
			     SPDM_ERROR_CODE_INVALID_REQUEST);
	}
	connect_up_to(gpu, SPDM_CAPABILITIES);
	for (i = 0; i < 11; i++) {
		request = negotiate;
		switch (i) {
		case 0:
			request.fixed.MeasurementSpecification = 2;
			break;
		case 1:
			request.fixed.BaseAsymAlgo = 0x10; /* P-256 */
			break;
		case 2:
			request.fixed.BaseHashAlgo = 1; /* SHA-256 */
			break;
		case 3:
			request.tables[0].AlgSupported = 0x8;
			break;
		case 4:
			request.tables[1].AlgSupported = 1; /* AES-128 */
			break;
		case 5:
			request.tables[3].AlgSupported = 0;
			break;
		case 6:
			request.tables[1].AlgType = SPDM_ALG_TYPE_DHE; /* twice */
			break;
		case 7:
			request.tables[2].AlgCount = 0x2f; /* more than there is */
			break;
		case 8:
			request.fixed.header.Param1 = 3;
			break;
		case 9:
			request.fixed.ExtAsymCount = 0xff;
			break;
		default:
			request.fixed.Length--;
		}
		assert_error(ask(gpu, &request, sizeof(request)), SPDM_ERROR_CODE_INVALID_REQUEST);
	}
	/* More than there must be is fine. */
	request = negotiate;
	request.fixed.BaseHashAlgo = 0x3f;
	request.tables[0].AlgSupported = 0x3f;
	assert_int_equal(
		((const SPDM_HEADER *)ask(gpu, &request, sizeof(request)))->RequestResponseCode,
		SPDM_ALGORITHMS);
}

static void bad_key_exchanges_are_refused(void **state)
{
	struct gpu *gpu = *state;
	const struct key_exchange good = key_exchange();
	struct key_exchange request;
	u32 i;

	connect_up_to(gpu, SPDM_ALGORITHMS);
	for (i = 0; i < 14; i++) {
		request = good;
		switch (i) {
		case 0:
			request.fixed.ExchangeData[5] ^= 1; /* not on the curve */
			break;
		case 1:
			memset(request.fixed.ExchangeData, 0, SPDM_POINT_BYTES);
			break;
		case 2:
			memset(request.fixed.ExchangeData, 0xff, SPDM_POINT_BYTES);
			break;
		case 3:
			request.fixed.header.Param1 = 1; /* a summary of measurements */
			break;
		case 4:
			request.fixed.header.Param2 = 1; /* another slot */
			break;
		case 5:
			request.opaque.SpecID++;
			break;
		case 6:
			request.opaque.OpaqueVersion++;
			break;
		case 7:
			request.opaque.TotalElements = 0;
			break;
		case 8:
			request.opaque.TotalElements = 255;
			break;
		case 9:
			request.element.OpaqueElementDataLen = 0xffff;
			break;
		case 10:
			request.element.VendorLen = 1;
			break;
		case 11:
			request.count = 255;
			break;
		case 12:
			request.versions[1] = request.versions[3] = 0x12;
			break;
		default:
			request.element.OpaqueElementDataLen = 1;
		}
		assert_error(ask(gpu, &request, sizeof(request)), SPDM_ERROR_CODE_INVALID_REQUEST);
	}
	/* None of them left anything behind. */
	assert_int_equal(((const SPDM_HEADER *)ask(gpu, &good, sizeof(good)))->RequestResponseCode,
			 SPDM_KEY_EXCHANGE_RSP);
}

/* Records when there is no session, and ones that nobody sealed. */
static void unsealed_records_end_a_handshake(void **state)
{
	struct gpu *gpu = *state;
	struct key_exchange request = key_exchange();
	u8 record[256] = { 0 };
	SPDM_SECURED_HEADER *header = (SPDM_SECURED_HEADER *)record;
	u32 id, bytes;

	for (bytes = 0; bytes < sizeof(record); bytes += 5)
		assert_error(ask_as(gpu, NV_SPDM_MESSAGE_TYPE_SECURED, record, bytes),
			     SPDM_ERROR_CODE_INVALID_SESSION);
	for (bytes = sizeof(*header); bytes < sizeof(record); bytes += 5) {
		connect_up_to(gpu, SPDM_ALGORITHMS);
		id = 0x1234 |
		     (u32)((const SPDM_KEY_EXCHANGE_MESSAGE *)ask(gpu, &request, sizeof(request)))
				     ->SessionID
			     << 16;
		header->SessionID = id ^ 0x10000;
		assert_error(ask_as(gpu, NV_SPDM_MESSAGE_TYPE_SECURED, record, bytes),
			     SPDM_ERROR_CODE_INVALID_SESSION);
		header->SessionID = id;
		header->Length = (u16)(bytes - sizeof(*header));
		assert_error(ask_as(gpu, NV_SPDM_MESSAGE_TYPE_SECURED, record, bytes),
			     SPDM_ERROR_CODE_DECRYPT_ERROR);
		assert_error(ask_as(gpu, NV_SPDM_MESSAGE_TYPE_SECURED, record, bytes),
			     SPDM_ERROR_CODE_INVALID_SESSION);
	}
}

/* -- Measurements ------------------------------------------------------------------------------ */

static void measurements_are_numbered(void **state)
{
	struct gpu *gpu = *state;
	SPDM_HEADER request = { SPDM_MESSAGE_VERSION_11, SPDM_GET_MEASUREMENTS, 0, 0 };
	const SPDM_MEASUREMENTS_RESPONSE *answer;
	const SPDM_MEASUREMENT_BLOCK *block;
	u32 i;

	connect_up_to(gpu, SPDM_ALGORITHMS);
	answer = (const SPDM_MEASUREMENTS_RESPONSE *)ask(gpu, &request, sizeof(request));
	assert_int_equal(answer->header.Param1, SPDM_MEASUREMENT_COUNT);
	assert_int_equal(answer->NumberOfBlocks, 0);
	for (i = 1; i < 255; i++) {
		request.Param2 = (u8)i;
		answer = (const SPDM_MEASUREMENTS_RESPONSE *)ask(gpu, &request, sizeof(request));
		if (i > SPDM_MEASUREMENT_COUNT) {
			assert_error((const u8 *)answer, SPDM_ERROR_CODE_INVALID_REQUEST);
			continue;
		}
		block = (const SPDM_MEASUREMENT_BLOCK *)(answer + 1);
		assert_int_equal(answer->NumberOfBlocks, 1);
		assert_int_equal(answer->MeasurementRecordLength[0],
				 sizeof(*block) + SPDM_HASH_BYTES);
		assert_int_equal(block->Index, i);
		assert_memory_equal(block + 1, gpu->measures.value[i - 1], SPDM_HASH_BYTES);
	}
	request.Param1 = 2; /* raw bit streams */
	assert_error(ask(gpu, &request, sizeof(request)), SPDM_ERROR_CODE_INVALID_REQUEST);
}

/*
 * The signature covers what was asked for without one right before it (DSP0274 1.1, L1/L2), and
 * nothing that something else was asked after.
 */
static void a_signature_covers_what_came_before(void **state)
{
	struct gpu *gpu = *state;
	SPDM_HEADER unsigned_request = { SPDM_MESSAGE_VERSION_11, SPDM_GET_MEASUREMENTS, 0, 2 };
	SPDM_GET_MEASUREMENTS_REQUEST request = {
		.header = { SPDM_MESSAGE_VERSION_11, SPDM_GET_MEASUREMENTS,
			    SPDM_MEASUREMENTS_SIGNED, SPDM_MEASUREMENTS_ALL },
	};
	u32 before;

	for (before = 0; before < 3; before++) {
		EVP_MD_CTX *hash = EVP_MD_CTX_new();
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(gpu->identity.key, NULL);
		ECDSA_SIG *sig = ECDSA_SIG_new();
		u8 digest[SPDM_HASH_BYTES], der[128], *end = der;
		const u8 *answer, *signature;
		u32 i;
		int size;

		connect_up_to(gpu, SPDM_ALGORITHMS);
		ask(gpu, &unsigned_request, sizeof(unsigned_request));
		ask(gpu, &get_digests, sizeof(get_digests)); /* that one is forgotten */
		EVP_DigestInit_ex(hash, EVP_sha384(), NULL);
		for (i = 0; i < before; i++) {
			EVP_DigestUpdate(hash, &unsigned_request, sizeof(unsigned_request));
			answer = ask(gpu, &unsigned_request, sizeof(unsigned_request));
			EVP_DigestUpdate(hash, answer, gpu->bytes);
		}
		answer = ask(gpu, &request, sizeof(request));
		signature = answer + gpu->bytes - SPDM_SIGNATURE_BYTES;
		EVP_DigestUpdate(hash, &request, sizeof(request));
		EVP_DigestUpdate(hash, answer, gpu->bytes - SPDM_SIGNATURE_BYTES);
		EVP_DigestFinal_ex(hash, digest, NULL);
		ECDSA_SIG_set0(sig, BN_bin2bn(signature, 48, NULL),
			       BN_bin2bn(signature + 48, 48, NULL));
		size = i2d_ECDSA_SIG(sig, &end);
		assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
		assert_int_equal(EVP_PKEY_verify(ctx, der, (size_t)size, digest, sizeof(digest)),
				 1);
		ECDSA_SIG_free(sig);
		EVP_PKEY_CTX_free(ctx);
		EVP_MD_CTX_free(hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(says_what_a_hopper_says),	     TEST(hands_out_its_certificates),
		TEST(answers_a_key_exchange),	     TEST(each_request_has_its_time),
		TEST(other_versions_are_refused),    TEST(garbage_gets_no_answer),
		TEST(requests_have_one_size),	     TEST(weaker_algorithms_are_refused),
		TEST(bad_key_exchanges_are_refused), TEST(unsealed_records_end_a_handshake),
		TEST(measurements_are_numbered),     TEST(a_signature_covers_what_came_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
