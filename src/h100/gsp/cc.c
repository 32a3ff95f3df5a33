// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The firmware's confidential mode: how it comes, how it goes, and what is served in which state.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/gsp/firmware.h"

#define SPACE_GSP 0u
#define PLACE_FROM_DRIVER 0u
#define PLACE_TO_DRIVER 1u
#define PLACE_TRANSFER_IN 2u
#define PLACE_TRANSFER_OUT 3u

static void forget_keys(struct fw_cc *cc)
{
	OPENSSL_cleanse(cc->master, sizeof(cc->master));
	cc->has_master = false;
	cc->derived = 0;
	cc->opens = false;
	cc->seals = false;
	cc_direction_stop(&cc->from_driver);
	cc_direction_stop(&cc->to_driver);
	cc_direction_stop(&cc->transfer_in);
	cc_direction_stop(&cc->transfer_out);
}

static bool start_direction(struct fw_cc *cc, struct cc_direction *d, u32 place)
{
	u8 key[CC_KEY_BYTES];
	bool done = cc_derive(cc->master, SPACE_GSP, place, key) && cc_direction_start(d, key);

	OPENSSL_cleanse(key, sizeof(key));
	return done;
}

/* A session is up: the driver's next message is sealed. */
static void on_established(void *ctx, const u8 secret[SPDM_HASH_BYTES])
{
	struct fw *fw = ctx;
	struct fw_cc *cc = fw->cc;
	u8 masks[CC_PLACES][CC_MASK_BYTES];

	/*
	 * Whoever can write to shared memory could bring up a session of his own. What is sealed
	 * stays sealed with the first one's keys.
	 */
	if (cc->opens)
		return;
	forget_keys(cc);
	memcpy(cc->master, secret, CC_KEY_BYTES);
	cc->has_master = true;
	if (start_direction(cc, &cc->from_driver, PLACE_FROM_DRIVER) &&
	    start_direction(cc, &cc->to_driver, PLACE_TO_DRIVER) &&
	    start_direction(cc, &cc->transfer_in, PLACE_TRANSFER_IN) &&
	    start_direction(cc, &cc->transfer_out, PLACE_TRANSFER_OUT) &&
	    cc_load_space(fw, SPACE_GSP, masks) == NV_OK)
		cc->opens = true;
	else
		forget_keys(cc);
}

/* Messages stay sealed with what came from it, until the driver is gone. */
static void on_ended(void *ctx)
{
	struct fw_cc *cc = ((struct fw *)ctx)->cc;

	OPENSSL_cleanse(cc->master, sizeof(cc->master));
	cc->has_master = false;
}

enum nv_status fw_cc_create(struct fw *fw, const struct fw_cc_config *config)
{
	struct spdm_responder_config responder = {
		.measures = config->measures,
		.ctx = fw,
		.established = on_established,
		.ended = on_ended,
	};
	struct fw_cc *cc = os_alloc(sizeof(*cc));
	enum nv_status status;

	if (!cc)
		return NV_ERR_NO_MEMORY;
	fw->cc = cc;
	cc->devtools = config->devtools;
	status = spdm_identity_create(&cc->identity, config->issuer, config->issuer_bytes,
				      config->index,
				      config->measures->value[SPDM_MEASUREMENT_FIRMWARE]);
	responder.identity = &cc->identity;
	if (status == NV_OK)
		status = spdm_responder_create(&responder, &cc->responder);
	if (status != NV_OK)
		fw_cc_destroy(fw);
	return status;
}

void fw_cc_destroy(struct fw *fw)
{
	struct fw_cc *cc = fw->cc;

	if (!cc)
		return;
	spdm_responder_destroy(cc->responder);
	forget_keys(cc);
	spdm_identity_destroy(&cc->identity);
	os_free_secret(cc, sizeof(*cc));
	fw->cc = NULL;
}

void fw_cc_show(struct fw *fw)
{
	u32 mode = 0;

	if (fw->cc)
		mode = (u32)REG_PREP(NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_MODE_ENABLED,
				     NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_MODE_ENABLED_TRUE) |
		       (u32)REG_PREP(NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_DEV_ENABLED,
				     fw->cc->devtools);
	h100_chip_register_set(fw->chip, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20, mode);
}

void fw_cc_reset(struct fw *fw)
{
	struct fw_cc *cc = fw->cc;

	if (!cc)
		return;
	spdm_responder_reset(cc->responder);
	forget_keys(cc);
	cc->surface = 0;
	OPENSSL_cleanse(cc->request, sizeof(cc->request));
	OPENSSL_cleanse(cc->response, sizeof(cc->response));
}

bool fw_cc_allows(const struct fw *fw, const void *message, u32 bytes)
{
	const rpc_message_header_v *header = message;
	const rpc_gsp_rm_control_v *control = (const void *)(header + 1);

	if (!fw->cc || fw->cc->seals)
		return true;
	switch (header->function) {
	case NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO:
	case NV_VGPU_MSG_FUNCTION_SET_REGISTRY:
	case NV_VGPU_MSG_FUNCTION_GET_GSP_STATIC_INFO:
	case NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER:
		return true;
	case NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL:
		return bytes >= sizeof(*header) + sizeof(*control) &&
		       (control->cmd == NV2080_CTRL_INTERNAL_SPDM_PARTITION ||
			(fw->cc->opens &&
			 control->cmd == NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL));
	default:
		return false;
	}
}
