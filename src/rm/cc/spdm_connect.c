// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What goes before the keys: version, capabilities and algorithms must be those of a Hopper GPU
 * (r535 accepts nothing else), and its certificates must lead to the trusted root.
 *
 * All that is said here in clear goes into the transcript that KEY_EXCHANGE's signature covers, but
 * for the certificates, of which the digest does.
 */
#include "rm/cc/spdm_internal.h"

#define CERTIFICATE_PORTION 1024u
#define NS_PER_S 1000000000u

#define REQUESTER_FLAGS \
	(SPDM_CAP_CERT | SPDM_CAP_ENCRYPT | SPDM_CAP_MAC | SPDM_CAP_KEY_EX | SPDM_CAP_KEY_UPD)
#define RESPONDER_FLAGS                                                               \
	(SPDM_CAP_CERT | SPDM_CAP_MEAS_SIG | SPDM_CAP_MEAS_FRESH | SPDM_CAP_ENCRYPT | \
	 SPDM_CAP_MAC | SPDM_CAP_KEY_EX | SPDM_CAP_KEY_UPD)

static const SPDM_ALG_STRUCT algorithms[4] = {
	{ SPDM_ALG_TYPE_DHE, SPDM_ALG_COUNT_FIXED_2, SPDM_DHE_SECP_384_R1 },
	{ SPDM_ALG_TYPE_AEAD, SPDM_ALG_COUNT_FIXED_2, SPDM_AEAD_AES_256_GCM },
	{ SPDM_ALG_TYPE_REQ_BASE_ASYM, SPDM_ALG_COUNT_FIXED_2, 0 },
	{ SPDM_ALG_TYPE_KEY_SCHEDULE, SPDM_ALG_COUNT_FIXED_2, SPDM_KEY_SCHEDULE_HMAC_HASH },
};

static void log_a(struct rm_spdm *spdm)
{
	os_hash_update(spdm->th, spdm->request, spdm->request_bytes);
	os_hash_update(spdm->th, spdm->response, spdm->response_bytes);
}

/* -- Version, capabilities, algorithms --------------------------------------------------------- */

static enum nv_status get_version(struct rm_spdm *spdm)
{
	const SPDM_VERSION_RESPONSE *response;
	enum nv_status status;
	const u8 *entries;
	u32 fixed = offsetof(SPDM_VERSION_RESPONSE, VersionNumberEntry), i;

	rm_spdm_request(spdm, SPDM_GET_VERSION, sizeof(SPDM_HEADER));
	status = rm_spdm_exchange(spdm, false, SPDM_VERSION, fixed);
	if (status != NV_OK)
		return status;
	response = (const SPDM_VERSION_RESPONSE *)spdm->response;
	if (spdm->response_bytes != fixed + 2u * response->VersionNumberEntryCount)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	log_a(spdm);
	entries = spdm->response + fixed;
	for (i = 0; i < response->VersionNumberEntryCount; i++)
		if (entries[2 * i + 1] == SPDM_MESSAGE_VERSION_11)
			return NV_OK;
	return rm_spdm_fail(spdm, RM_SPDM_FAULT_VERSION, NV_OK);
}

static enum nv_status get_capabilities(struct rm_spdm *spdm)
{
	SPDM_CAPABILITIES_MESSAGE *request;
	const SPDM_CAPABILITIES_MESSAGE *response;
	enum nv_status status;
	u32 flags;

	request = rm_spdm_request(spdm, SPDM_GET_CAPABILITIES, sizeof(*request));
	request->CTExponent = SPDM_CT_EXPONENT_MAX;
	request->Flags = REQUESTER_FLAGS | (spdm->config.heartbeat ? SPDM_CAP_HBEAT : 0);
	status = rm_spdm_exchange(spdm, false, SPDM_CAPABILITIES, sizeof(*response));
	if (status != NV_OK)
		return status;
	response = (const SPDM_CAPABILITIES_MESSAGE *)spdm->response;
	if (spdm->response_bytes != sizeof(*response))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	flags = response->Flags;
	spdm->heartbeat = spdm->config.heartbeat && (flags & SPDM_CAP_HBEAT);
	if (spdm->heartbeat)
		flags &= ~SPDM_CAP_HBEAT;
	if (flags != RESPONDER_FLAGS || response->CTExponent != SPDM_CT_EXPONENT_MAX)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_CAPABILITIES, NV_OK);
	log_a(spdm);
	return NV_OK;
}

static enum nv_status negotiate_algorithms(struct rm_spdm *spdm)
{
	SPDM_NEGOTIATE_ALGORITHMS_REQUEST *request;
	const SPDM_ALGORITHMS_RESPONSE *response;
	u32 bytes = sizeof(*request) + sizeof(algorithms);
	enum nv_status status;

	request = rm_spdm_request(spdm, SPDM_NEGOTIATE_ALGORITHMS, bytes);
	request->header.Param1 = ARRAY_SIZE(algorithms);
	request->Length = (u16)bytes;
	request->MeasurementSpecification = SPDM_MEASUREMENT_SPEC_DMTF;
	request->BaseAsymAlgo = SPDM_BASE_ASYM_ECDSA_P384;
	request->BaseHashAlgo = SPDM_BASE_HASH_SHA_384;
	os_memcpy(request + 1, algorithms, sizeof(algorithms));
	status = rm_spdm_exchange(spdm, false, SPDM_ALGORITHMS, sizeof(*response));
	if (status != NV_OK)
		return status;
	response = (const SPDM_ALGORITHMS_RESPONSE *)spdm->response;
	if (spdm->response_bytes != sizeof(*response) || response->Length != sizeof(*response))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	if (response->header.Param1 != ARRAY_SIZE(algorithms) ||
	    response->MeasurementSpecificationSel != SPDM_MEASUREMENT_SPEC_DMTF ||
	    response->MeasurementHashAlgo != SPDM_MEASUREMENT_HASH_SHA_384 ||
	    response->BaseAsymSel != SPDM_BASE_ASYM_ECDSA_P384 ||
	    response->BaseHashSel != SPDM_BASE_HASH_SHA_384 || response->ExtAsymSelCount ||
	    response->ExtHashSelCount ||
	    os_memcmp(response->AlgStruct, algorithms, sizeof(algorithms)) != 0)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_ALGORITHMS, NV_OK);
	log_a(spdm);
	return NV_OK;
}

enum nv_status rm_spdm_connect(struct rm_spdm *spdm)
{
	enum nv_status status;

	rm_spdm_forget(spdm);
	os_hash_begin(spdm->th);
	status = get_version(spdm);
	if (status == NV_OK)
		status = get_capabilities(spdm);
	if (status == NV_OK)
		status = negotiate_algorithms(spdm);
	return status;
}

/* -- Certificates ------------------------------------------------------------------------------ */

static enum nv_status get_digest(struct rm_spdm *spdm, u8 digest[SPDM_HASH_BYTES])
{
	const SPDM_DIGESTS_RESPONSE *response;
	enum nv_status status;

	rm_spdm_request(spdm, SPDM_GET_DIGESTS, sizeof(SPDM_HEADER));
	status = rm_spdm_exchange(spdm, false, SPDM_DIGESTS, sizeof(*response));
	if (status != NV_OK)
		return status;
	/* A GPU has the one chain, in slot 0. */
	response = (const SPDM_DIGESTS_RESPONSE *)spdm->response;
	if (spdm->response_bytes != sizeof(*response) || response->header.Param1 ||
	    response->header.Param2 != 1)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	os_memcpy(digest, response->Digest, SPDM_HASH_BYTES);
	return NV_OK;
}

/* The next portion; *remainder is what is left after it. */
static enum nv_status get_portion(struct rm_spdm *spdm, u32 *remainder)
{
	SPDM_CERTIFICATE_MESSAGE *request;
	const SPDM_CERTIFICATE_MESSAGE *response;
	enum nv_status status;
	u32 portion, rest;

	request = rm_spdm_request(spdm, SPDM_GET_CERTIFICATE, sizeof(*request));
	request->Offset = (u16)spdm->chain_bytes;
	request->Length = CERTIFICATE_PORTION;
	status = rm_spdm_exchange(spdm, false, SPDM_CERTIFICATE, sizeof(*response));
	if (status != NV_OK)
		return status;
	response = (const SPDM_CERTIFICATE_MESSAGE *)spdm->response;
	portion = response->Offset;
	rest = response->Length;
	if (response->header.Param1 || response->header.Param2 || !portion ||
	    portion > CERTIFICATE_PORTION || spdm->response_bytes != sizeof(*response) + portion ||
	    portion + rest > sizeof(spdm->chain) - spdm->chain_bytes ||
	    (spdm->chain_bytes && portion + rest != *remainder))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	os_memcpy(spdm->chain + spdm->chain_bytes, response + 1, portion);
	spdm->chain_bytes += portion;
	*remainder = rest;
	return NV_OK;
}

static enum nv_status check_chain(struct rm_spdm *spdm)
{
	const SPDM_CERT_CHAIN *header = (const SPDM_CERT_CHAIN *)spdm->chain;
	u8 root[SPDM_HASH_BYTES];
	enum nv_status status;

	if (spdm->chain_bytes <= sizeof(*header) || header->Length != spdm->chain_bytes ||
	    header->reserved)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_CHAIN, NV_OK);
	status = os_hash_digest(OS_SHA384, spdm->config.root, spdm->config.root_bytes, root);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	if (os_memcmp(header->RootHash, root, sizeof(root)) != 0)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_CHAIN, NV_OK);
	status = os_x509_verify_chain(spdm->config.root, spdm->config.root_bytes, header + 1,
				      spdm->chain_bytes - sizeof(*header),
				      os_time_real_ns() / NS_PER_S, spdm->peer_key);
	if (status == NV_ERR_INVALID_DATA)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_CHAIN, NV_OK);
	return status == NV_OK ? NV_OK : rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
}

enum nv_status rm_spdm_authenticate(struct rm_spdm *spdm)
{
	u8 claimed[SPDM_HASH_BYTES], digest[SPDM_HASH_BYTES];
	enum nv_status status;
	u32 remainder = 0;

	status = get_digest(spdm, claimed);
	if (status != NV_OK)
		return status;
	spdm->chain_bytes = 0;
	do {
		status = get_portion(spdm, &remainder);
		if (status != NV_OK)
			return status;
	} while (remainder);
	status = os_hash_digest(OS_SHA384, spdm->chain, spdm->chain_bytes, digest);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	if (os_memcmp(digest, claimed, sizeof(digest)) != 0)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_CHAIN, NV_OK);
	status = check_chain(spdm);
	if (status == NV_OK)
		os_hash_update(spdm->th, digest, sizeof(digest));
	return status;
}
