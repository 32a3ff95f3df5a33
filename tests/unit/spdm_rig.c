// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * spdm_rig.h
 */
#include "spdm_rig.h"

#include <string.h>

const char spdm_rig_profile[] = "the text of a profile\n";
const char spdm_rig_scenario[] = "at 5s off-bus\n";

static void on_established(void *ctx, const u8 secret[SPDM_HASH_BYTES])
{
	struct spdm_rig *rig = ctx;

	rig->established++;
	memcpy(rig->secret, secret, SPDM_HASH_BYTES);
}

static void on_ended(void *ctx)
{
	struct spdm_rig *rig = ctx;

	rig->ended++;
	memset(rig->secret, 0, SPDM_HASH_BYTES);
}

enum nv_status spdm_rig_exchange(void *arg, const void *request, u32 request_bytes, void *response,
				 u32 *response_bytes)
{
	static u8 copy[SPDM_TRANSPORT_MAX], answer[SPDM_TRANSPORT_MAX];
	struct spdm_rig *rig = arg;
	u32 bytes;

	if (rig->exchange_status != NV_OK)
		return rig->exchange_status;
	memcpy(copy, request, request_bytes);
	rig->code = copy[sizeof(NV_SPDM_DESC_HEADER) + 1];
	if (rig->on_request)
		rig->on_request(rig, copy, &request_bytes);
	bytes = spdm_responder_answer(rig->responder, copy, request_bytes, answer, rig->now_ns);
	if (rig->on_response)
		rig->on_response(rig, answer, &bytes);
	rig->exchange++;
	if (!bytes)
		return NV_ERR_GENERIC;
	memcpy(response, answer, bytes);
	*response_bytes = bytes;
	return NV_OK;
}

const u8 *spdm_rig_ask(struct spdm_rig *rig, const void *message, u32 bytes, u32 *answer_bytes)
{
	static u8 request[SPDM_TRANSPORT_MAX], response[SPDM_TRANSPORT_MAX];
	NV_SPDM_DESC_HEADER header = { NV_SPDM_MESSAGE_TYPE_NORMAL, bytes };
	u32 size;

	memcpy(request, &header, sizeof(header));
	if (bytes)
		memcpy(request + sizeof(header), message, bytes);
	size = spdm_responder_answer(rig->responder, request, sizeof(header) + bytes, response,
				     rig->now_ns);
	*answer_bytes = size ? size - (u32)sizeof(header) : 0;
	return response + sizeof(header);
}

bool spdm_rig_create(struct spdm_rig *rig, const void *root, u32 root_bytes)
{
	static const struct h100_profile profile = {
		.vbios_version = "96.00.74.00.01",
		.board_part = "692-2G520-0200-000",
		.gpu_part = "2330-885-A1",
	};
	struct spdm_responder_config responder = {
		.identity = &rig->identity,
		.measures = &rig->measures,
		.heartbeat_period = rig->heartbeat_period,
		.ctx = rig,
		.established = on_established,
		.ended = on_ended,
	};
	struct rm_spdm_config requester = {
		.exchange = spdm_rig_exchange,
		.arg = rig,
		.root = root ? root : rm_spdm_test_root,
		.root_bytes = root ? root_bytes : rm_spdm_test_root_bytes,
		.heartbeat = rig->heartbeat,
	};
	u8 boot_firmware[SPDM_HASH_BYTES], firmware[SPDM_HASH_BYTES];

	memset(boot_firmware, 0xb0, sizeof(boot_firmware));
	memset(firmware, 0xf1, sizeof(firmware));
	return spdm_measure(&rig->measures, &profile, spdm_rig_profile, strlen(spdm_rig_profile),
			    spdm_rig_scenario, strlen(spdm_rig_scenario), boot_firmware,
			    firmware) &&
	       (rig->identity.key ||
		spdm_identity_create(&rig->identity, NULL, 0, 0, firmware) == NV_OK) &&
	       spdm_responder_create(&responder, &rig->responder) == NV_OK &&
	       rm_spdm_create(&requester, &rig->requester) == NV_OK;
}

void spdm_rig_destroy(struct spdm_rig *rig)
{
	rm_spdm_destroy(rig->requester);
	spdm_responder_destroy(rig->responder);
	spdm_identity_destroy(&rig->identity);
	rig->requester = NULL;
	rig->responder = NULL;
}
