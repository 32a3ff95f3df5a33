// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A requester's life, and how a request gets its answer.
 */
#include "rm/cc/spdm_internal.h"

static const struct {
	const char *name;
	enum nv_status status;
} faults[] = {
	[RM_SPDM_FAULT_NONE] = { "none", NV_OK },
	[RM_SPDM_FAULT_TRANSPORT] = { "transport", NV_ERR_GENERIC },
	[RM_SPDM_FAULT_RESOURCES] = { "resources", NV_ERR_NO_MEMORY },
	[RM_SPDM_FAULT_PEER] = { "peer's error", NV_ERR_GENERIC },
	[RM_SPDM_FAULT_FORM] = { "form", NV_ERR_INVALID_DATA },
	[RM_SPDM_FAULT_VERSION] = { "version", NV_ERR_INVALID_STATE },
	[RM_SPDM_FAULT_CAPABILITIES] = { "capabilities", NV_ERR_INVALID_STATE },
	[RM_SPDM_FAULT_ALGORITHMS] = { "algorithms", NV_ERR_INVALID_STATE },
	[RM_SPDM_FAULT_CHAIN] = { "certificate chain", NV_ERR_INVALID_DATA },
	[RM_SPDM_FAULT_SIGNATURE] = { "signature", NV_ERR_INVALID_DATA },
	[RM_SPDM_FAULT_CONFIRMATION] = { "key confirmation", NV_ERR_INVALID_DATA },
	[RM_SPDM_FAULT_RECORD] = { "secured message", NV_ERR_INVALID_DATA },
};

const char *rm_spdm_fault_name(enum rm_spdm_fault fault)
{
	return (u32)fault < ARRAY_SIZE(faults) ? faults[fault].name : "unknown";
}

enum rm_spdm_fault rm_spdm_fault(const struct rm_spdm *spdm)
{
	return spdm->fault;
}

bool rm_spdm_established(const struct rm_spdm *spdm)
{
	return spdm->established;
}

u32 rm_spdm_heartbeat_period(const struct rm_spdm *spdm)
{
	return spdm->established && spdm->heartbeat ? spdm->heartbeat_period : 0;
}

enum nv_status rm_spdm_fail(struct rm_spdm *spdm, enum rm_spdm_fault fault, enum nv_status status)
{
	const SPDM_HEADER *request = (const SPDM_HEADER *)spdm->request;

	if (spdm->fault == RM_SPDM_FAULT_NONE) {
		spdm->fault = fault;
		os_log(OS_LOG_ERROR, "SPDM: request 0x%02x: %s", request->RequestResponseCode,
		       rm_spdm_fault_name(fault));
	}
	return status == NV_OK ? faults[fault].status : status;
}

void rm_spdm_forget(struct rm_spdm *spdm)
{
	spdm->established = false;
	spdm->have_secret = false;
	os_wipe(spdm->handshake_secret, sizeof(spdm->handshake_secret));
	os_wipe(spdm->request_finished, sizeof(spdm->request_finished));
	os_wipe(spdm->response_finished, sizeof(spdm->response_finished));
	os_wipe(spdm->export_secret, sizeof(spdm->export_secret));
	os_wipe(spdm->request_keys.secret, sizeof(spdm->request_keys.secret));
	os_wipe(spdm->request_keys.salt, sizeof(spdm->request_keys.salt));
	os_wipe(spdm->response_keys.secret, sizeof(spdm->response_keys.secret));
	os_wipe(spdm->response_keys.salt, sizeof(spdm->response_keys.salt));
	os_gcm_destroy(spdm->request_keys.gcm);
	os_gcm_destroy(spdm->response_keys.gcm);
	spdm->request_keys.gcm = NULL;
	spdm->response_keys.gcm = NULL;
	os_wipe(spdm->plain, sizeof(spdm->plain));
}

/* -- Requests ---------------------------------------------------------------------------------- */

void *rm_spdm_request(struct rm_spdm *spdm, u8 code, u32 bytes)
{
	SPDM_HEADER *header = (SPDM_HEADER *)spdm->request;

	os_memset(header, 0, bytes);
	header->SPDMVersion =
		code == SPDM_GET_VERSION ? SPDM_MESSAGE_VERSION_10 : SPDM_MESSAGE_VERSION_11;
	header->RequestResponseCode = code;
	spdm->request_bytes = bytes;
	return header;
}

static enum nv_status send(struct rm_spdm *spdm, bool secured, u32 *in_bytes)
{
	NV_SPDM_DESC_HEADER *out = (NV_SPDM_DESC_HEADER *)spdm->out;
	enum nv_status status;
	u32 bytes = spdm->request_bytes;

	out->msgType = secured ? NV_SPDM_MESSAGE_TYPE_SECURED : NV_SPDM_MESSAGE_TYPE_NORMAL;
	if (secured) {
		status = rm_spdm_record_seal(spdm, spdm->request, spdm->request_bytes, out + 1,
					     &bytes);
		if (status != NV_OK)
			return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	} else {
		os_memcpy(out + 1, spdm->request, bytes);
	}
	out->msgSizeByte = bytes;
	*in_bytes = 0;
	status = spdm->config.exchange(spdm->config.arg, out, sizeof(*out) + bytes, spdm->in,
				       in_bytes);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_TRANSPORT, status);
	return NV_OK;
}

/* The answer to a KEY_UPDATE comes under the new key. */
static enum nv_status renew(struct rm_spdm *spdm)
{
	enum nv_status status = rm_spdm_keys_next(&spdm->response_keys);

	return status == NV_OK ? NV_OK : rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
}

/* Finds the message in what came; an ERROR may come in clear where a record is expected. */
static enum nv_status unwrap(struct rm_spdm *spdm, bool secured, u32 in_bytes)
{
	const NV_SPDM_DESC_HEADER *in = (const NV_SPDM_DESC_HEADER *)spdm->in;
	enum nv_status status;

	if (in_bytes < sizeof(*in) || in_bytes > sizeof(spdm->in) ||
	    in->msgSizeByte != in_bytes - sizeof(*in))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	spdm->response = (const u8 *)(in + 1);
	spdm->response_bytes = in->msgSizeByte;
	if (in->msgType == NV_SPDM_MESSAGE_TYPE_NORMAL) {
		if (secured &&
		    (spdm->response_bytes < sizeof(SPDM_HEADER) ||
		     ((const SPDM_HEADER *)spdm->response)->RequestResponseCode != SPDM_ERROR))
			return rm_spdm_fail(spdm, RM_SPDM_FAULT_RECORD, NV_OK);
		return NV_OK;
	}
	if (in->msgType != NV_SPDM_MESSAGE_TYPE_SECURED || !secured)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	status = rm_spdm_record_open(spdm, in + 1, in->msgSizeByte, &spdm->response,
				     &spdm->response_bytes);
	if (status == NV_ERR_INVALID_DATA)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RECORD, NV_OK);
	if (status != NV_OK)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_RESOURCES, status);
	return NV_OK;
}

enum nv_status rm_spdm_exchange(struct rm_spdm *spdm, bool secured, u8 code, u32 bytes)
{
	const SPDM_HEADER *request = (const SPDM_HEADER *)spdm->request;
	const SPDM_HEADER *response;
	enum nv_status status;
	u32 in_bytes;

	status = send(spdm, secured, &in_bytes);
	if (status == NV_OK && spdm->renew_response_keys)
		status = renew(spdm);
	if (status == NV_OK)
		status = unwrap(spdm, secured, in_bytes);
	if (status != NV_OK)
		return status;
	response = (const SPDM_HEADER *)spdm->response;
	if (spdm->response_bytes < sizeof(*response))
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	if (response->RequestResponseCode == SPDM_ERROR) {
		os_log(OS_LOG_ERROR, "SPDM: request 0x%02x: the GPU answers with error 0x%02x",
		       request->RequestResponseCode, response->Param1);
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_PEER, NV_OK);
	}
	if (response->SPDMVersion != request->SPDMVersion)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_VERSION, NV_OK);
	if (response->RequestResponseCode != code || spdm->response_bytes < bytes)
		return rm_spdm_fail(spdm, RM_SPDM_FAULT_FORM, NV_OK);
	return NV_OK;
}

/* -- Life -------------------------------------------------------------------------------------- */

enum nv_status rm_spdm_create(const struct rm_spdm_config *config, struct rm_spdm **out)
{
	enum nv_status status = os_crypto_check();
	struct rm_spdm *spdm;

	*out = NULL;
	if (status != NV_OK)
		return status;
	spdm = os_alloc(sizeof(*spdm));
	if (!spdm)
		return NV_ERR_NO_MEMORY;
	spdm->config = *config;
	spdm->th = os_hash_create(OS_SHA384);
	if (!spdm->th) {
		os_free(spdm);
		return NV_ERR_NO_MEMORY;
	}
	*out = spdm;
	return NV_OK;
}

void rm_spdm_destroy(struct rm_spdm *spdm)
{
	if (!spdm)
		return;
	rm_spdm_forget(spdm);
	os_hash_destroy(spdm->th);
	os_free_secret(spdm, sizeof(*spdm));
}

enum nv_status rm_spdm_start(struct rm_spdm *spdm)
{
	enum nv_status status;

	if (spdm->established)
		return NV_ERR_INVALID_STATE;
	spdm->fault = RM_SPDM_FAULT_NONE;
	status = rm_spdm_connect(spdm);
	if (status == NV_OK)
		status = rm_spdm_authenticate(spdm);
	if (status == NV_OK)
		status = rm_spdm_agree(spdm);
	if (status != NV_OK)
		rm_spdm_forget(spdm);
	return status;
}

enum nv_status rm_spdm_take_secret(struct rm_spdm *spdm, u8 secret[RM_SPDM_SECRET_BYTES])
{
	if (!spdm->established || !spdm->have_secret)
		return NV_ERR_NOT_READY;
	os_memcpy(secret, spdm->export_secret, RM_SPDM_SECRET_BYTES);
	os_wipe(spdm->export_secret, sizeof(spdm->export_secret));
	spdm->have_secret = false;
	return NV_OK;
}
