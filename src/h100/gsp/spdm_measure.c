// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What runs here, and how a verifier is told: GET_MEASUREMENTS. With a signature, request and
 * response together are the attestation report.
 *
 *   | E0 | requester's nonce 32 | slot |                                              37 bytes
 *   | 60 | blocks, size | block ... | nonce 32 | opaque size 2 | field ... | signature 96 |
 *
 *   block: | index | 1 | size 2 | type | size 2 | SHA-384 |     field: | type 2 | size 2 | ... |
 *
 * The signature covers all before it, and what was asked for without one since the last.
 */
#include <stdio.h>

#include "h100/gsp/firmware.h"
#include "h100/gsp/spdm_internal.h"

/* Type of each block, by enum spdm_measurement. */
static const u8 types[SPDM_MEASUREMENT_COUNT] = {
	SPDM_MEASUREMENT_IMMUTABLE_ROM,
	SPDM_MEASUREMENT_MUTABLE_FIRMWARE,
	SPDM_MEASUREMENT_HARDWARE_CONFIGURATION,
	SPDM_MEASUREMENT_FIRMWARE_CONFIGURATION,
};

/* -- Taking them ------------------------------------------------------------------------------- */

/*
 * "96.00.74.00.01" as verifiers take it apart: the first four bytes are one little-endian number,
 * the fifth begins another one.
 */
static void vbios_version(const char *text, u8 version[8])
{
	unsigned part[5] = { 0 };
	u32 i;

	memset(version, 0, 8);
	if (sscanf(text, "%2x.%2x.%2x.%2x.%2x", &part[0], &part[1], &part[2], &part[3], &part[4]) !=
	    5)
		return;
	for (i = 0; i < 4; i++)
		version[3 - i] = (u8)part[i];
	version[4] = (u8)part[4];
}

/* The n-th group of letters and digits of text, or as much of it as there is room for. */
static void take_group(const char *text, u32 n, char *out, u32 room)
{
	u32 i = 0;

	while (n && *text)
		if (*text++ == '-')
			n--;
	while (i + 1 < room && text[i] && text[i] != '-') {
		out[i] = text[i];
		i++;
	}
	out[i] = '\0';
}

bool spdm_measure(struct spdm_measures *measures, const struct h100_profile *profile,
		  const char *profile_text, size_t profile_bytes, const char *scenario_text,
		  size_t scenario_bytes, const u8 boot_firmware[SPDM_HASH_BYTES],
		  const u8 firmware[SPDM_HASH_BYTES])
{
	memset(measures, 0, sizeof(*measures));
	memcpy(measures->value[SPDM_MEASUREMENT_BOOT_FIRMWARE], boot_firmware, SPDM_HASH_BYTES);
	memcpy(measures->value[SPDM_MEASUREMENT_FIRMWARE], firmware, SPDM_HASH_BYTES);
	snprintf(measures->driver_version, sizeof(measures->driver_version), "%s", FW_VERSION);
	/* 692-2G520-0200-000: project G520, SKU 0200; 2330-885-A1: chip 885. */
	take_group(profile->board_part, 1, measures->project, sizeof(measures->project));
	memmove(measures->project, measures->project + (measures->project[0] == '2'),
		sizeof(measures->project) - 1);
	take_group(profile->board_part, 2, measures->project_sku, sizeof(measures->project_sku));
	take_group(profile->gpu_part, 1, measures->chip_sku, sizeof(measures->chip_sku));
	vbios_version(profile->vbios_version, measures->vbios_version);
	return spdm_sha384(profile_text, profile_bytes,
			   measures->value[SPDM_MEASUREMENT_PROFILE]) &&
	       spdm_sha384(scenario_text ? scenario_text : "", scenario_text ? scenario_bytes : 0,
			   measures->value[SPDM_MEASUREMENT_SCENARIO]);
}

/* -- Telling them ------------------------------------------------------------------------------ */

/* Writes behind what is there; the response is large enough for all that is written here. */
struct out {
	u8 *at;
};

static void put(struct out *out, const void *data, u32 bytes)
{
	memcpy(out->at, data, bytes);
	out->at += bytes;
}

static void put_block(struct out *out, const struct spdm_measures *measures, u32 i)
{
	SPDM_MEASUREMENT_BLOCK block = {
		.Index = (u8)(i + 1),
		.MeasurementSpecification = SPDM_MEASUREMENT_SPEC_DMTF,
		.MeasurementSize = sizeof(block) -
				   offsetof(SPDM_MEASUREMENT_BLOCK, DMTFSpecMeasurementValueType) +
				   SPDM_HASH_BYTES,
		.DMTFSpecMeasurementValueType = types[i],
		.DMTFSpecMeasurementValueSize = SPDM_HASH_BYTES,
	};

	put(out, &block, sizeof(block));
	put(out, measures->value[i], SPDM_HASH_BYTES);
}

static void put_field(struct out *out, u16 type, const void *data, u32 bytes)
{
	SPDM_OPAQUE_FIELD field = { .DataType = type, .DataSize = (u16)bytes };

	put(out, &field, sizeof(field));
	put(out, data, bytes);
}

static void put_text(struct out *out, u16 type, const char *text)
{
	put_field(out, type, text, (u32)strlen(text) + 1);
}

static void put_opaque(struct out *out, const struct spdm_responder *r)
{
	const struct spdm_measures *measures = r->config.measures;
	u32 changes[SPDM_MEASUREMENT_COUNT] = { 1, 1, 1, 1 }; /* each was taken once */
	u8 nvdec0 = SPDM_NVDEC0_STATUS_DISABLED, *size = out->at;
	u32 bytes;

	out->at += 2;
	put_text(out, SPDM_OPAQUE_FIELD_DRIVER_VERSION, measures->driver_version);
	put_field(out, SPDM_OPAQUE_FIELD_VBIOS_VERSION, measures->vbios_version,
		  sizeof(measures->vbios_version));
	put_field(out, SPDM_OPAQUE_FIELD_NVDEC0_STATUS, &nvdec0, sizeof(nvdec0));
	put_field(out, SPDM_OPAQUE_FIELD_MSRSCNT, changes, sizeof(changes));
	put_text(out, SPDM_OPAQUE_FIELD_CHIP_SKU, measures->chip_sku);
	put_text(out, SPDM_OPAQUE_FIELD_PROJECT, measures->project);
	put_text(out, SPDM_OPAQUE_FIELD_PROJECT_SKU, measures->project_sku);
	put_field(out, SPDM_OPAQUE_FIELD_FWID, r->config.identity->fwid, SPDM_HASH_BYTES);
	bytes = (u32)(out->at - size) - 2;
	size[0] = (u8)bytes;
	size[1] = (u8)(bytes >> 8);
}

/* Measurements asked for elsewhere, or before something else was asked, are not signed with these.
 */
static bool begin_log(struct spdm_call *call)
{
	struct spdm_responder *r = call->responder;

	if (r->m_used && r->m_secured == call->secured)
		return true;
	r->m_secured = call->secured;
	r->m_used = spdm_hash_init(&r->m);
	return r->m_used;
}

u8 spdm_serve_measurements(struct spdm_call *call)
{
	const SPDM_HEADER *request = spdm_call_header(call);
	struct spdm_responder *r = call->responder;
	bool is_signed = request->Param1 & SPDM_MEASUREMENTS_SIGNED;
	u32 expected = is_signed ? sizeof(SPDM_GET_MEASUREMENTS_REQUEST) : sizeof(*request);
	u8 which = request->Param2, digest[SPDM_HASH_BYTES], nonce[SPDM_NONCE_BYTES];
	SPDM_MEASUREMENTS_RESPONSE *response;
	u32 first = 0, count = 0, bytes, i;
	struct out out;

	if (call->request_bytes != expected || request->Param1 & ~SPDM_MEASUREMENTS_SIGNED)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	if (is_signed && ((const SPDM_GET_MEASUREMENTS_REQUEST *)call->request)->SlotIDParam)
		return SPDM_ERROR_CODE_INVALID_REQUEST;
	if (which == SPDM_MEASUREMENTS_ALL) {
		count = SPDM_MEASUREMENT_COUNT;
	} else if (which != SPDM_MEASUREMENTS_COUNT) {
		if (which > SPDM_MEASUREMENT_COUNT)
			return SPDM_ERROR_CODE_INVALID_REQUEST;
		first = which - 1;
		count = 1;
	}
	response = spdm_call_begin(call, SPDM_MEASUREMENTS, sizeof(*response));
	if (which == SPDM_MEASUREMENTS_COUNT)
		response->header.Param1 = SPDM_MEASUREMENT_COUNT;
	response->NumberOfBlocks = (u8)count;
	out.at = (u8 *)(response + 1);
	for (i = 0; i < count; i++)
		put_block(&out, r->config.measures, first + i);
	bytes = (u32)(out.at - (u8 *)(response + 1));
	response->MeasurementRecordLength[0] = (u8)bytes;
	response->MeasurementRecordLength[1] = (u8)(bytes >> 8);
	if (!spdm_random(nonce, sizeof(nonce)))
		return SPDM_ERROR_CODE_UNSPECIFIED;
	put(&out, nonce, sizeof(nonce));
	put_opaque(&out, r);
	call->response_bytes = (u32)(out.at - call->response);
	if (!begin_log(call) || !spdm_hash_add(&r->m, call->request, call->request_bytes) ||
	    !spdm_hash_add(&r->m, call->response, call->response_bytes))
		return SPDM_ERROR_CODE_UNSPECIFIED;
	if (!is_signed)
		return 0;
	r->m_used = false;
	if (!spdm_hash_digest(&r->m, digest) || !spdm_sign(r->config.identity->key, digest, out.at))
		return SPDM_ERROR_CODE_UNSPECIFIED;
	call->response_bytes += SPDM_SIGNATURE_BYTES;
	return 0;
}
