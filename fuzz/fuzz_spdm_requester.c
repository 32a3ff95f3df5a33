// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A hostile host between the driver's end of SPDM and a GPU: the input says what becomes of each
 * response. A session may come up only if none was changed, and then with the GPU's own secret.
 */
#include <stdlib.h>
#include <string.h>

#include "h100/gsp/spdm.h"
#include "rm/cc/spdm.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 *input;
static size_t left;
static bool changed;
static u8 secret[SPDM_HASH_BYTES];
static struct spdm_responder *responder;

static u8 next8(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

static u32 next16(void)
{
	u32 low = next8();

	return low | (u32)next8() << 8;
}

static void on_established(void *ctx, const u8 export_secret[SPDM_HASH_BYTES])
{
	memcpy(secret, export_secret, sizeof(secret));
}

/* What the input does to a response of that many bytes; returns how many there are then. */
static u32 change(u8 *response, u32 bytes)
{
	static u8 before[SPDM_TRANSPORT_MAX];
	u32 old = bytes, at, take, count;

	memcpy(before, response, sizeof(before));
	switch (next8() % 6) {
	case 1: /* some bytes */
		for (count = next8() % 8; count; count--) {
			at = next16();
			response[at % bytes] ^= next8();
		}
		break;
	case 2: /* another message in the same header */
		at = sizeof(NV_SPDM_DESC_HEADER) + next8() % 64;
		take = next16() % (SPDM_TRANSPORT_MAX - at);
		if (take > left)
			take = (u32)left;
		memcpy(response + at, input, take);
		input += take;
		left -= take;
		bytes = at + take;
		((NV_SPDM_DESC_HEADER *)response)->msgSizeByte =
			bytes - (u32)sizeof(NV_SPDM_DESC_HEADER);
		break;
	case 3: /* cut */
		bytes = next16() % (bytes + 1);
		if (bytes >= sizeof(NV_SPDM_DESC_HEADER))
			((NV_SPDM_DESC_HEADER *)response)->msgSizeByte =
				bytes - (u32)sizeof(NV_SPDM_DESC_HEADER);
		break;
	default:
		break;
	}
	if (bytes != old || memcmp(before, response, bytes) != 0)
		changed = true;
	return bytes;
}

static enum nv_status exchange(void *arg, const void *request, u32 request_bytes, void *response,
			       u32 *response_bytes)
{
	static u8 answer[SPDM_TRANSPORT_MAX];
	u32 bytes = spdm_responder_answer(responder, request, request_bytes, answer, 0);

	if (!bytes)
		abort(); /* the driver keeps to the transport's form */
	bytes = change(answer, bytes);
	memcpy(response, answer, bytes);
	*response_bytes = bytes;
	return NV_OK;
}

static void use(struct rm_spdm *requester)
{
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	static char pem[0x1800];
	u8 nonce[RM_SPDM_NONCE_BYTES] = { 1 }, own[SPDM_HASH_BYTES];
	enum nv_status status;
	u32 bytes;

	if (rm_spdm_start(requester) != NV_OK) {
		if (rm_spdm_established(requester) ||
		    rm_spdm_take_secret(requester, own) != NV_ERR_NOT_READY)
			abort();
		return;
	}
	if (changed || rm_spdm_take_secret(requester, own) != NV_OK ||
	    memcmp(own, secret, sizeof(own)) != 0 ||
	    rm_spdm_certificates(requester, pem, sizeof(pem), &bytes) != NV_OK)
		abort();
	status = rm_spdm_attest(requester, nonce, report, sizeof(report), &bytes);
	if ((status == NV_OK) == changed || rm_spdm_established(requester) != (status == NV_OK))
		abort();
	if (status == NV_OK && (rm_spdm_update_keys(requester) == NV_OK) == changed)
		abort();
	(void)rm_spdm_end(requester);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct h100_profile profile = { .vbios_version = "96.00.74.00.01" };
	static const u8 digest[SPDM_HASH_BYTES];
	static struct spdm_identity identity;
	static struct spdm_measures measures;
	struct spdm_responder_config gpu = {
		.identity = &identity,
		.measures = &measures,
		.established = on_established,
	};
	struct rm_spdm_config driver = {
		.exchange = exchange,
		.root = rm_spdm_test_root,
		.root_bytes = rm_spdm_test_root_bytes,
	};
	struct rm_spdm *requester;

	if (!identity.key && (!spdm_measure(&measures, &profile, "p", 1, "s", 1, digest, digest) ||
			      spdm_identity_create(&identity, NULL, 0, 0, digest) != NV_OK))
		abort();
	if (spdm_responder_create(&gpu, &responder) != NV_OK ||
	    rm_spdm_create(&driver, &requester) != NV_OK)
		abort();
	input = data;
	left = size;
	changed = false;
	use(requester);
	rm_spdm_destroy(requester);
	spdm_responder_destroy(responder);
	return 0;
}
