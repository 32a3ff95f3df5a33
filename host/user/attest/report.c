// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Takes a report apart. Everything has its size, and all sizes together are the report's.
 *
 *   | 11 e0 01 ff | nonce 32 | slot |
 *   | 11 60 .. .. | blocks 1 | size 3 | block ... | nonce 32 | size 2 | field ... | r 48 | s 48 |
 *
 *   block: | index 1 | 01 | size 2 | type 1 | size 2 | digest 48 |     field: | type 2 | size 2 |
 * ... |
 */
#include <string.h>

#include "host/user/attest/internal.h"

#define VBIOS_VERSION_BYTES 8u

struct reader {
	const u8 *at;
	size_t left;
};

/* The next bytes; NULL: there are not as many. */
static const u8 *take(struct reader *reader, size_t bytes)
{
	const u8 *at = reader->at;

	if (bytes > reader->left)
		return NULL;
	reader->at += bytes;
	reader->left -= bytes;
	return at;
}

static u32 little(const u8 *data, u32 bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | data[bytes];
	return value;
}

static const char *parse_request(struct attest_report *report, struct reader *reader)
{
	const SPDM_GET_MEASUREMENTS_REQUEST *request =
		(const SPDM_GET_MEASUREMENTS_REQUEST *)take(reader, sizeof(*request));

	if (!request)
		return "ends within its request";
	if (request->header.SPDMVersion != SPDM_MESSAGE_VERSION_11 ||
	    request->header.RequestResponseCode != SPDM_GET_MEASUREMENTS)
		return "does not begin with GET_MEASUREMENTS of SPDM 1.1";
	if (request->header.Param1 != SPDM_MEASUREMENTS_SIGNED ||
	    request->header.Param2 != SPDM_MEASUREMENTS_ALL || request->SlotIDParam)
		return "answers another request than that for all measurements, signed by slot 0";
	report->nonce = request->Nonce;
	return NULL;
}

static const char *parse_block(struct attest_report *report, struct reader *record)
{
	const SPDM_MEASUREMENT_BLOCK *block =
		(const SPDM_MEASUREMENT_BLOCK *)take(record, sizeof(*block));
	const u8 *digest = block ? take(record, SPDM_HASH_BYTES) : NULL;

	if (!digest)
		return "ends within a measurement";
	if (block->MeasurementSpecification != SPDM_MEASUREMENT_SPEC_DMTF ||
	    block->DMTFSpecMeasurementValueSize != SPDM_HASH_BYTES ||
	    block->MeasurementSize !=
		    sizeof(*block) -
			    offsetof(SPDM_MEASUREMENT_BLOCK, DMTFSpecMeasurementValueType) +
			    SPDM_HASH_BYTES)
		return "has a measurement that is no SHA-384";
	if (!block->Index || report->measurements[block->Index])
		return "has a measurement twice, or one of no number";
	report->measurements[block->Index] = digest;
	report->measurement_count++;
	return NULL;
}

static const char *parse_blocks(struct attest_report *report, struct reader *reader)
{
	const SPDM_MEASUREMENTS_RESPONSE *response =
		(const SPDM_MEASUREMENTS_RESPONSE *)take(reader, sizeof(*response));
	const char *wrong = NULL;
	struct reader record;
	u32 i;

	if (!response)
		return "ends within its response";
	if (response->header.SPDMVersion != SPDM_MESSAGE_VERSION_11 ||
	    response->header.RequestResponseCode != SPDM_MEASUREMENTS)
		return "has no MEASUREMENTS of SPDM 1.1 behind the request";
	record.left = little(response->MeasurementRecordLength,
			     sizeof(response->MeasurementRecordLength));
	record.at = take(reader, record.left);
	if (!record.at)
		return "ends within its measurements";
	for (i = 0; i < response->NumberOfBlocks && !wrong; i++)
		wrong = parse_block(report, &record);
	if (!wrong && record.left)
		wrong = "has more behind its last measurement";
	if (!wrong && !report->measurement_count)
		wrong = "has no measurement";
	return wrong;
}

/* -- What the firmware adds -------------------------------------------------------------------- */

/* Text of any length up to its first zero; behind that is nothing else. False: it is none. */
static bool take_text(char *to, size_t room, const u8 *data, u32 bytes)
{
	u32 length = 0, i;

	if (*to) /* a second one */
		return false;
	while (length < bytes && attest_is_printable(data[length]))
		length++;
	for (i = length; i < bytes; i++)
		if (data[i])
			return false;
	if (!length || length == bytes || length >= room)
		return false;
	memcpy(to, data, length);
	to[length] = '\0';
	return true;
}

/* As nvtrust writes it: the lower four bytes from the highest on, then the fifth. */
static bool take_vbios_version(struct attest_report *report, const u8 *data, u32 bytes)
{
	if (bytes != VBIOS_VERSION_BYTES || *report->vbios_version)
		return false;
	snprintf(report->vbios_version, sizeof(report->vbios_version), "%02x.%02x.%02x.%02x.%02x",
		 data[3], data[2], data[1], data[0], data[4]);
	return true;
}

static bool take_fwid(struct attest_report *report, const u8 *data, u32 bytes)
{
	if (bytes != SPDM_HASH_BYTES || report->fwid)
		return false;
	report->fwid = data;
	return true;
}

/* False: a field that is looked at is not what it should be. */
static bool take_field(struct attest_report *r, u32 type, const u8 *data, u32 bytes)
{
	switch (type) {
	case SPDM_OPAQUE_FIELD_DRIVER_VERSION:
		return take_text(r->driver_version, sizeof(r->driver_version), data, bytes);
	case SPDM_OPAQUE_FIELD_VBIOS_VERSION:
		return take_vbios_version(r, data, bytes);
	case SPDM_OPAQUE_FIELD_CHIP_SKU:
		return take_text(r->chip_sku, sizeof(r->chip_sku), data, bytes);
	case SPDM_OPAQUE_FIELD_PROJECT:
		return take_text(r->project, sizeof(r->project), data, bytes);
	case SPDM_OPAQUE_FIELD_PROJECT_SKU:
		return take_text(r->project_sku, sizeof(r->project_sku), data, bytes);
	case SPDM_OPAQUE_FIELD_FWID:
		return take_fwid(r, data, bytes);
	default:
		return true;
	}
}

static const char *parse_opaque(struct attest_report *report, struct reader *reader)
{
	const u8 *size = take(reader, 2);
	struct reader opaque = { .left = size ? little(size, 2) : 0 };

	opaque.at = size ? take(reader, opaque.left) : NULL;
	if (!opaque.at)
		return "ends within its fields";
	while (opaque.left) {
		const SPDM_OPAQUE_FIELD *field =
			(const SPDM_OPAQUE_FIELD *)take(&opaque, sizeof(*field));
		const u8 *data = field ? take(&opaque, field->DataSize) : NULL;

		if (!data)
			return "ends within a field";
		if (!take_field(report, field->DataType, data, field->DataSize))
			return "has a malformed field, or one twice";
	}
	return NULL;
}

const char *attest_report_parse(struct attest_report *report, const u8 *data, size_t bytes)
{
	struct reader reader = { data, bytes };
	const char *wrong;

	memset(report, 0, sizeof(*report));
	if (bytes > SPDM_ATTESTATION_REPORT_MAX_SIZE)
		return "is longer than any";
	wrong = parse_request(report, &reader);
	if (!wrong)
		wrong = parse_blocks(report, &reader);
	if (!wrong && !take(&reader, SPDM_NONCE_BYTES)) /* the GPU's own: any */
		wrong = "ends within its nonce";
	if (!wrong)
		wrong = parse_opaque(report, &reader);
	if (!wrong && reader.left != SPDM_SIGNATURE_BYTES)
		wrong = reader.left < SPDM_SIGNATURE_BYTES ? "ends within its signature"
							   : "has more behind its signature";
	report->signed_bytes = data;
	report->signed_count = bytes - reader.left;
	report->signature = reader.at;
	return wrong;
}
