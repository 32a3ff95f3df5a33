// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands of confidential mode: the way to the SPDM responder, keys, and sealed messages.
 * Without the mode all but CONF_COMPUTE_GET_STATIC_INFO are not supported.
 */
#include <openssl/crypto.h>

#include "base/bits.h"
#include "h100/engine/engines.h"
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

#define HEADER ((u32)sizeof(NV_SPDM_DESC_HEADER))
#define FALCON_OK 0u
#define FALCON_ERROR 0xffu

/* -- SPDM -------------------------------------------------------------------------------------- */

/* Copies once what the surface holds; 0 for no message of a size that fits. */
static u32 read_request(struct fw *fw)
{
	struct fw_cc *cc = fw->cc;
	NV_SPDM_DESC_HEADER header;

	if (cc->surface == 0 || !fw_dma_read(fw, cc->surface, &header, HEADER) ||
	    header.msgSizeByte > sizeof(cc->request) - HEADER)
		return 0;
	memcpy(cc->request, &header, HEADER);
	if (header.msgSizeByte != 0 &&
	    !fw_dma_read(fw, cc->surface + HEADER, cc->request + HEADER, header.msgSizeByte))
		return 0;
	return HEADER + header.msgSizeByte;
}

static u32 spdm_message(struct fw *fw)
{
	struct fw_cc *cc = fw->cc;
	u32 bytes = read_request(fw);

	if (bytes != 0)
		bytes = spdm_responder_answer(cc->responder, cc->request, bytes, cc->response,
					      fw->now_ns);
	if (bytes == 0 || !fw_dma_write(fw, cc->surface, cc->response, bytes))
		return FALCON_ERROR;
	return FALCON_OK;
}

static u32 spdm_init(struct fw *fw, const RM_GSP_SPDM_CC_INIT_CTX *init)
{
	u64 surface = (u64)init->dmaAddr.hi << 32 | init->dmaAddr.lo;

	if (surface == 0)
		return FALCON_ERROR;
	/* While messages are sealed they stay so: only the responder begins anew. */
	spdm_responder_reset(fw->cc->responder);
	fw->cc->surface = surface;
	fw->cc->guest = init->guestId;
	return FALCON_OK;
}

static u32 spdm_deinit(struct fw *fw)
{
	spdm_responder_reset(fw->cc->responder);
	fw->cc->surface = 0;
	return FALCON_OK;
}

static enum nv_status spdm_partition(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS *p = params;
	u32 type = p->cmd.cmdType, status;
	struct fw *fw = call->fw;

	if (!fw->cc)
		return NV_ERR_NOT_SUPPORTED;
	switch (type) {
	case RM_GSP_SPDM_CMD_ID_CC_INIT:
		status = spdm_init(fw, &p->cmd.ccInit.ccInitCtx);
		break;
	case RM_GSP_SPDM_CMD_ID_CC_INIT_RM_DATA:
		status = FALCON_OK; /* nothing in it changes what this responder says */
		break;
	case RM_GSP_SPDM_CMD_ID_CC_CTRL:
		status = spdm_message(fw);
		break;
	case RM_GSP_SPDM_CMD_ID_CC_DEINIT:
		status = spdm_deinit(fw);
		break;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
	memset(&p->msg, 0, sizeof(p->msg));
	p->msg.msgType = (u8)type;
	p->msg.version = NV_SPDM_DESC_HEADER_VERSION_1_0;
	p->msg.guestId = fw->cc->guest;
	p->msg.endpointId = CC_ENDPOINT;
	p->msg.status = status;
	return NV_OK;
}

/* -- Keys and messages ------------------------------------------------------------------------- */

/* The reply to "on" is the first that is sealed; that to "off" the first that is not. */
static enum nv_status encryption_control(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL_PARAMS *p = params;
	struct fw_cc *cc = call->fw->cc;

	if (!cc)
		return NV_ERR_NOT_SUPPORTED;
	if (!cc->opens || cc->seals == (p->bEncryptionControl != 0))
		return NV_ERR_INVALID_STATE;
	if (p->bEncryptionControl)
		cc->seals = true;
	else
		fw_cc_reset(call->fw);
	return NV_OK;
}

static void put_mask(NV2080_CTRL_INTERNAL_CONF_COMPUTE_IVMASK *to, const u8 mask[CC_MASK_BYTES])
{
	_Static_assert(sizeof(to->ivMask) == CC_MASK_BYTES, "an IV's mask");
	memcpy(to->ivMask, mask, CC_MASK_BYTES);
}

static enum nv_status derive_sec2(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS_PARAMS *p = params;
	u8 masks[CC_PLACES][CC_MASK_BYTES];
	enum nv_status status;

	if (!call->fw->cc)
		return NV_ERR_NOT_SUPPORTED;
	if (p->engineId != NV2080_ENGINE_TYPE_SEC2)
		return NV_ERR_INVALID_ARGUMENT;
	status = cc_load_space(call->fw, H100_KEY_SPACE_SEC2, masks);
	if (status != NV_OK)
		return status;
	put_mask(&p->ivMaskSet[NV2080_CTRL_INTERNAL_CONF_COMPUTE_IVMASK_SWL_USER], masks[0]);
	put_mask(&p->ivMaskSet[NV2080_CTRL_INTERNAL_CONF_COMPUTE_IVMASK_SWL_KERNEL],
		 masks[H100_KEY_PLACE_KERNEL]);
	return NV_OK;
}

/* The command counts the engines with keys from 0, as the key spaces do: COPY0 is COPY2's. */
static enum nv_status derive_copy(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_LCE_KEYS_PARAMS *p = params;
	u8 masks[CC_PLACES][CC_MASK_BYTES];
	u32 engine = p->engineId - NV2080_ENGINE_TYPE_COPY0, i;
	enum nv_status status;

	if (!call->fw->cc)
		return NV_ERR_NOT_SUPPORTED;
	if (engine >= H100_KEY_SPACES - H100_KEY_SPACE_LCE0)
		return NV_ERR_INVALID_ARGUMENT;
	status = cc_load_space(call->fw, H100_KEY_SPACE_LCE0 + engine, masks);
	if (status != NV_OK)
		return status;
	for (i = 0; i < ARRAY_SIZE(p->ivMaskSet); i++)
		put_mask(&p->ivMaskSet[i], masks[i]);
	return NV_OK;
}

/* What may see protected memory: in devtools mode BAR1 and the bus, else neither. */
static enum nv_status static_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO_PARAMS *p = params;

	memset(p, 0, size);
	p->bIsBar1Trusted = p->bIsPcieTrusted = call->fw->cc && call->fw->cc->devtools;
	return NV_OK;
}

static enum nv_status secure_channels(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_FIFO_GET_NUM_SECURE_CHANNELS_PARAMS *p = params;

	memset(p, 0, sizeof(*p));
	if (call->fw->cc) {
		p->maxSec2SecureChannels = H100_CHANNELS_PER_RUNLIST;
		p->maxCeSecureChannels = H100_CHANNELS_PER_RUNLIST;
	}
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_INTERNAL_SPDM_PARTITION, NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS,
		   spdm_partition),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL,
		   NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL_PARAMS,
		   encryption_control),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS,
		   NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS_PARAMS, derive_sec2),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_DERIVE_LCE_KEYS,
		   NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_LCE_KEYS_PARAMS, derive_copy),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO,
		   NV2080_CTRL_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO_PARAMS, static_info),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_FIFO_GET_NUM_SECURE_CHANNELS,
		   NV2080_CTRL_INTERNAL_FIFO_GET_NUM_SECURE_CHANNELS_PARAMS, secure_channels),
};

FW_CONTROL_GROUP(fw_controls_cc, "confidential computing", controls);
