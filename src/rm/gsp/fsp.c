// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages to FSP, the processor that starts all others, through channel 0 of its EMEM. One packet
 * each:
 *
 *   | MCTP header: SOM, EOM, source 0, sequence 0 | message header: PCI vendor 10de, NVDM type |
 * payload |
 *
 * Queue registers hold the offsets of the first and the last word of a packet; equal is empty.
 */
#include "rm/gsp/gsp.h"

#include "rm/gpu/regs.h"

#define CHANNEL FSP_EMEM_CHANNEL_RM
#define HEADER_WORDS 2u
#define CHANNEL_WORDS ((u32)FSP_EMEM_CHANNEL_RM_SIZE / 4u)

/* The response: type byte in the message header, then NVDM_PAYLOAD_COMMAND_RESPONSE. */
struct fsp_response {
	u32 mctp;
	u32 message;
	NVDM_PAYLOAD_COMMAND_RESPONSE body;
};

static bool off_bus(const struct rm_gpu *gpu)
{
	return gpu_rd32(gpu, NV_PMC_BOOT_0) == GPU_OFF_BUS;
}

static bool fsp_ready(void *arg)
{
	u32 status = gpu_rd32(arg, NV_THERM_I2CS_SCRATCH);

	return status == NV_THERM_I2CS_SCRATCH_FSP_BOOT_COMPLETE_STATUS_SUCCESS ||
	       status == GPU_OFF_BUS;
}

enum nv_status gsp_fsp_wait_ready(struct rm_gpu *gpu)
{
	enum nv_status status = os_pci_wait(gpu->pci, fsp_ready, gpu, GSP_FSP_READY_NS);

	if (off_bus(gpu))
		return NV_ERR_GPU_IS_LOST;
	if (status != NV_OK)
		os_log(OS_LOG_ERROR,
		       "NVRM: Timeout while polling for FSP boot complete, 0x%x, 0x%x, 0x%x, 0x%x, "
		       "0x%x",
		       gpu_rd32(gpu, NV_THERM_I2CS_SCRATCH),
		       gpu_rd32(gpu, NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_2(0)),
		       gpu_rd32(gpu, NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_2(1)),
		       gpu_rd32(gpu, NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_2(2)),
		       gpu_rd32(gpu, NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_2(3)));
	return status;
}

static bool queues_empty(void *arg)
{
	const struct rm_gpu *gpu = arg;

	return gpu_rd32(gpu, NV_PFSP_QUEUE_HEAD(CHANNEL)) ==
		       gpu_rd32(gpu, NV_PFSP_QUEUE_TAIL(CHANNEL)) &&
	       gpu_rd32(gpu, NV_PFSP_MSGQ_HEAD(CHANNEL)) ==
		       gpu_rd32(gpu, NV_PFSP_MSGQ_TAIL(CHANNEL));
}

static bool response_there(void *arg)
{
	const struct rm_gpu *gpu = arg;

	/* Off the bus both read as all ones: look for that too. */
	return gpu_rd32(gpu, NV_PFSP_MSGQ_HEAD(CHANNEL)) !=
		       gpu_rd32(gpu, NV_PFSP_MSGQ_TAIL(CHANNEL)) ||
	       off_bus(gpu);
}

/* Points the channel at its first word, with auto-increment of the named kind. */
static void emem_rewind(struct rm_gpu *gpu, u32 increment)
{
	gpu_wr32(gpu, NV_PFSP_EMEMC(CHANNEL), increment);
}

/* Words that the channel's pointer has moved by. */
static u32 emem_position(const struct rm_gpu *gpu)
{
	u32 at = gpu_rd32(gpu, NV_PFSP_EMEMC(CHANNEL));

	return (u32)(REG_GET(NV_PFSP_EMEMC_OFFS, at) + REG_GET(NV_PFSP_EMEMC_BLK, at) * 64);
}

static enum nv_status send_packet(struct rm_gpu *gpu, u32 nvdm_type, const void *payload, u32 size)
{
	u32 words = HEADER_WORDS + (u32)div_round_up(size, 4);
	u32 i, word;

	emem_rewind(gpu, (u32)REG_PREP(NV_PFSP_EMEMC_AINCW, NV_PFSP_EMEMC_AINCW_TRUE));
	gpu_wr32(gpu, NV_PFSP_EMEMD(CHANNEL),
		 (u32)(REG_PREP(MCTP_HEADER_SOM, 1) | REG_PREP(MCTP_HEADER_EOM, 1)));
	gpu_wr32(gpu, NV_PFSP_EMEMD(CHANNEL),
		 (u32)(REG_PREP(MCTP_MSG_HEADER_TYPE, MCTP_MSG_HEADER_TYPE_VENDOR_PCI) |
		       REG_PREP(MCTP_MSG_HEADER_VENDOR_ID, MCTP_MSG_HEADER_VENDOR_ID_NV) |
		       REG_PREP(MCTP_MSG_HEADER_NVDM_TYPE, nvdm_type)));
	for (i = 0; i < size; i += 4) {
		word = 0;
		os_memcpy(&word, (const u8 *)payload + i, min(4u, size - i));
		gpu_wr32(gpu, NV_PFSP_EMEMD(CHANNEL), word);
	}
	if (emem_position(gpu) != words)
		return NV_ERR_INVALID_STATE;
	/* HEAD last: its write makes FSP look. */
	gpu_wr32(gpu, NV_PFSP_QUEUE_TAIL(CHANNEL), (words - 1) * 4);
	gpu_wr32(gpu, NV_PFSP_QUEUE_HEAD(CHANNEL), 0);
	return NV_OK;
}

static enum nv_status response_status(u32 code)
{
	switch (code) {
	case FSP_OK:
		return NV_OK;
	case FSP_ERR_IFR_FILE_NOT_FOUND:
		return NV_ERR_OBJECT_NOT_FOUND;
	case FSP_ERR_IFS_ERR_INVALID_STATE:
	case FSP_ERR_IFS_ERR_INVALID_DATA:
		return NV_ERR_INVALID_DATA;
	default:
		return NV_ERR_GENERIC;
	}
}

static enum nv_status read_response(struct rm_gpu *gpu, u32 nvdm_type)
{
	u32 head = gpu_rd32(gpu, NV_PFSP_MSGQ_HEAD(CHANNEL));
	u32 tail = gpu_rd32(gpu, NV_PFSP_MSGQ_TAIL(CHANNEL));
	struct fsp_response r;
	u32 words[sizeof(r) / 4], i;
	enum nv_status status = NV_ERR_INVALID_DATA;

	if (tail - head != sizeof(r) - 4) {
		os_log(OS_LOG_ERROR,
		       "NVRM: FSP response packet is invalid size: head=0x%x tail=0x%x", head,
		       tail);
		goto out;
	}
	emem_rewind(gpu, (u32)REG_PREP(NV_PFSP_EMEMC_AINCR, NV_PFSP_EMEMC_AINCR_TRUE));
	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = gpu_rd32(gpu, NV_PFSP_EMEMD(CHANNEL));
	os_memcpy(&r, words, sizeof(r));
	if (!REG_GET(MCTP_HEADER_SOM, r.mctp) || !REG_GET(MCTP_HEADER_EOM, r.mctp) ||
	    REG_GET(MCTP_MSG_HEADER_TYPE, r.message) != MCTP_MSG_HEADER_TYPE_VENDOR_PCI ||
	    REG_GET(MCTP_MSG_HEADER_VENDOR_ID, r.message) != MCTP_MSG_HEADER_VENDOR_ID_NV ||
	    REG_GET(MCTP_MSG_HEADER_NVDM_TYPE, r.message) != NVDM_TYPE_FSP_RESPONSE ||
	    r.body.commandNvdmType != nvdm_type) {
		os_log(OS_LOG_ERROR, "NVRM: FSP response is malformed: 0x%x 0x%x", r.mctp,
		       r.message);
		goto out;
	}
	status = response_status(r.body.errorCode);
	if (status != NV_OK)
		os_log(OS_LOG_ERROR,
		       "NVRM: FSP response reported error. Task ID: 0x%x Command type: 0x%x Error "
		       "code: 0x%x",
		       r.body.taskId, r.body.commandNvdmType, r.body.errorCode);
out:
	/* TAIL = HEAD gives the channel back. */
	gpu_wr32(gpu, NV_PFSP_MSGQ_TAIL(CHANNEL), head);
	gpu_wr32(gpu, NV_PFSP_MSGQ_HEAD(CHANNEL), head);
	return status;
}

enum nv_status gsp_fsp_send(struct rm_gpu *gpu, u32 nvdm_type, const void *payload, u32 size,
			    u64 timeout_ns)
{
	enum nv_status status;

	if (HEADER_WORDS + div_round_up(size, 4) > CHANNEL_WORDS)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	status = os_pci_wait(gpu->pci, queues_empty, gpu, timeout_ns);
	if (off_bus(gpu))
		return NV_ERR_GPU_IS_LOST;
	if (status != NV_OK)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	status = send_packet(gpu, nvdm_type, payload, size);
	if (status == NV_OK)
		status = os_pci_wait(gpu->pci, response_there, gpu, timeout_ns);
	if (off_bus(gpu))
		return NV_ERR_GPU_IS_LOST;
	if (status == NV_OK)
		status = read_response(gpu, nvdm_type);
	return status;
}
