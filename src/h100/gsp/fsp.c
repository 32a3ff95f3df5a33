// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * FSP, the processor that starts GSP: takes the chain-of-trust message from its EMEM channel,
 * checks the boot firmware that it names, and answers.
 *
 *   packet    | MCTP header | message header: type, vendor, NVDM type | payload |
 *   response  | MCTP header | message header: FSP_RESPONSE            | task, command, error |
 */
#include <string.h>

#include "base/bits.h"
#include "h100/gsp/firmware.h"

#define HEADER_WORDS 2u
#define HEADER_BYTES (HEADER_WORDS * 4)
#define COT_VERSION 1u

static u32 message_header(u32 nvdm_type)
{
	return (u32)(REG_PREP(MCTP_MSG_HEADER_TYPE, MCTP_MSG_HEADER_TYPE_VENDOR_PCI) |
		     REG_PREP(MCTP_MSG_HEADER_VENDOR_ID, MCTP_MSG_HEADER_VENDOR_ID_NV) |
		     REG_PREP(MCTP_MSG_HEADER_NVDM_TYPE, nvdm_type));
}

static void respond(struct fw *fw, u32 command, u32 error)
{
	NVDM_PAYLOAD_COMMAND_RESPONSE payload = { .commandNvdmType = command, .errorCode = error };
	u32 packet[HEADER_WORDS + sizeof(payload) / 4];

	packet[0] = (u32)(REG_PREP(MCTP_HEADER_SOM, 1) | REG_PREP(MCTP_HEADER_EOM, 1));
	packet[1] = message_header(NVDM_TYPE_FSP_RESPONSE);
	memcpy(&packet[HEADER_WORDS], &payload, sizeof(payload));
	h100_chip_fsp_send(fw->chip, packet, sizeof(packet));
}

/* Are the boot firmware and its digest the ones that this GPU trusts? */
static u32 check_fmc(struct fw *fw, const NVDM_PAYLOAD_COT *cot)
{
	u8 fmc[FW_PAGE];

	if (cot->version != COT_VERSION || cot->size != sizeof(*cot))
		return FSP_ERR_IFS_ERR_INVALID_DATA;
	if (memcmp(cot->hash384, h100_fmc_sha384, sizeof(h100_fmc_sha384)) != 0 ||
	    !is_aligned(cot->gspFmcSysmemOffset, FW_PAGE) ||
	    !fw_dma_read(fw, cot->gspFmcSysmemOffset, fmc, sizeof(fmc)) ||
	    !fw_sha384_is(fmc, sizeof(fmc), h100_fmc_sha384))
		return FSP_ERR_IFS_ERR_INVALID_DATA;
	return FSP_OK;
}

static void chain_of_trust(struct fw *fw, const u8 *payload, u32 size)
{
	NVDM_PAYLOAD_COT cot;
	u32 error;

	if (size < sizeof(cot)) {
		respond(fw, NVDM_TYPE_COT, FSP_ERR_IFS_ERR_INVALID_DATA);
		return;
	}
	memcpy(&cot, payload, sizeof(cot));
	if (fw->stage != FW_STAGE_RESET && fw->stage != FW_STAGE_SUSPENDED &&
	    fw->stage != FW_STAGE_FAILED) {
		respond(fw, NVDM_TYPE_COT, FSP_ERR_IFS_ERR_INVALID_STATE);
		return;
	}
	error = check_fmc(fw, &cot);
	/* GSP is out of reach before the driver hears that it was started. */
	if (error == FSP_OK)
		h100_chip_gsp_set_run(fw->chip, H100_GSP_LOCKED);
	respond(fw, NVDM_TYPE_COT, error);
	if (error == FSP_OK)
		fw_boot(fw, cot.gspBootArgsSysmemOffset);
	else
		fw_log(fw, OS_LOG_ERROR, "FSP: boot firmware refused (0x%x)", error);
}

void fsp_serve(struct fw *fw)
{
	u32 packet[H100_EMEM_WORDS], bytes, type;

	bytes = h100_chip_fsp_receive(fw->chip, packet, sizeof(packet));
	if (bytes == 0)
		return;
	type = bytes >= HEADER_BYTES ? (u32)REG_GET(MCTP_MSG_HEADER_NVDM_TYPE, packet[1]) : 0;
	/* Messages of several packets belong to services that this FSP has not. */
	if (bytes < HEADER_BYTES || REG_GET(MCTP_HEADER_SOM, packet[0]) == 0 ||
	    REG_GET(MCTP_HEADER_EOM, packet[0]) == 0 || packet[1] != message_header(type))
		respond(fw, type, FSP_ERR_IFS_ERR_INVALID_DATA);
	else if (type == NVDM_TYPE_COT)
		chain_of_trust(fw, (const u8 *)&packet[HEADER_WORDS], bytes - HEADER_BYTES);
	else
		respond(fw, type, FSP_ERR_IFS_ERR_NOT_SUPPORTED);
}
