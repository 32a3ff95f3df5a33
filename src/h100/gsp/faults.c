// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults that are not replayable, handed to a driver that wants to see them: copies of the MMU's
 * entries, in a ring of the driver's own (its client shadow fault buffer).
 *
 *   queue page    | capacity ... entry's size | get: the driver's | put: the firmware's |
 *   other pages   | entry | entry | ...                     one of them is always left empty
 *
 * Only what the host and copy engines found goes there; a fault of any other engine is told by the
 * channel's error alone. The driver can write to all of it, so nothing but get is read back.
 */
#include "abi/fault_queue.h"
#include "base/bits.h"
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

#define BUFFER_BYTES (FW_FAULT_PAGES * FW_PAGE)
#define HOST_LAST (NV_PFAULT_MMU_ENG_ID_HOST0 + H100_ENGINES_MAX - 1)

static bool is_told(const struct h100_fault *fault)
{
	u32 engine = fault->engine_id;

	return !fault->replayable &&
	       ((engine >= NV_PFAULT_MMU_ENG_ID_HOST0 && engine <= HOST_LAST) ||
		(engine >= NV_PFAULT_MMU_ENG_ID_CE0 && engine <= NV_PFAULT_MMU_ENG_ID_CE9));
}

/* In a burst. False: it is lost. */
static bool put_entry(struct fw *fw, const struct h100_fault *fault)
{
	struct fw_faults *faults = &fw->faults;
	u64 get, put;

	if (!h100_memory_read(fw->memory, faults->buffer.aperture,
			      faults->queue + LH_SHADOW_QUEUE_GET, &get, sizeof(get)))
		return false;
	if (!h100_fault_buffer_write(&faults->buffer, fw->memory,
				     (u32)min(get, (u64)faults->buffer.entries), fault))
		return false;
	put = faults->buffer.put;
	return h100_memory_write(fw->memory, faults->buffer.aperture,
				 faults->queue + LH_SHADOW_QUEUE_PUT, &put, sizeof(put));
}

void fw_fault(struct fw *fw, const struct h100_fault *fault)
{
	struct fw_faults *faults = &fw->faults;
	bool begun, told;

	if (!faults->buffer.pages || !fw->memory || !is_told(fault))
		return;
	begun = fw_engines_begin(fw);
	h100_memory_enter(fw->memory);
	told = put_entry(fw, fault);
	h100_memory_leave(fw->memory);
	fw_engines_end(fw, begun);
	if (!told) {
		if (faults->lost++ == 0)
			fw_log(fw, OS_LOG_WARN, "the fault buffer is full: faults are lost");
		return;
	}
	faults->lost = 0;
	fw_event(fw, NV_VGPU_MSG_EVENT_MMU_FAULT_QUEUED, NV_OK, NULL, 0);
}

void fw_faults_forget(struct fw *fw)
{
	memset(&fw->faults, 0, sizeof(fw->faults));
}

static enum nv_status get_static_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_GMMU_GET_STATIC_INFO_PARAMS *p = params;

	/* No fault is replayable, and outside confidential mode an entry has no metadata. */
	memset(p, 0, size);
	p->nonReplayableFaultBufferSize = BUFFER_BYTES;
	return NV_OK;
}

static bool pages_aligned(const u64 *page, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!is_aligned(page[i], FW_PAGE))
			return false;
	return true;
}

static enum nv_status register_shadow(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS *p = params;
	struct fw_faults *faults = &call->fw->faults;

	if (p->shadowFaultBufferType == NV2080_CTRL_FAULT_BUFFER_REPLAYABLE)
		return NV_ERR_NOT_SUPPORTED; /* only in confidential mode */
	if (p->shadowFaultBufferType != NV2080_CTRL_FAULT_BUFFER_NON_REPLAYABLE ||
	    p->shadowFaultBufferSize != BUFFER_BYTES || p->shadowFaultBufferMetadataSize != 0 ||
	    !is_aligned(p->shadowFaultBufferQueuePhysAddr, FW_PAGE) ||
	    !pages_aligned(p->shadowFaultBufferPteArray, FW_FAULT_PAGES))
		return NV_ERR_INVALID_ARGUMENT;
	if (faults->buffer.pages)
		return NV_ERR_IN_USE;
	fw_faults_forget(call->fw);
	memcpy(faults->page, p->shadowFaultBufferPteArray, sizeof(faults->page));
	faults->queue = p->shadowFaultBufferQueuePhysAddr;
	faults->buffer.aperture = H100_APERTURE_SYSTEM_COHERENT;
	faults->buffer.entries = BUFFER_BYTES / NVC369_BUF_SIZE;
	faults->buffer.pages = faults->page;
	return NV_OK;
}

static enum nv_status unregister_shadow(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS *p = params;

	if (p->shadowFaultBufferType != NV2080_CTRL_FAULT_BUFFER_NON_REPLAYABLE)
		return p->shadowFaultBufferType == NV2080_CTRL_FAULT_BUFFER_REPLAYABLE
			       ? NV_ERR_NOT_SUPPORTED
			       : NV_ERR_INVALID_ARGUMENT;
	fw_faults_forget(call->fw);
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GMMU_GET_STATIC_INFO,
		   NV2080_CTRL_INTERNAL_GMMU_GET_STATIC_INFO_PARAMS, get_static_info),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER,
		   NV2080_CTRL_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS,
		   register_shadow),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER,
		   NV2080_CTRL_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS,
		   unregister_shadow),
};

FW_CONTROL_GROUP(fw_controls_faults, "faults", controls);
