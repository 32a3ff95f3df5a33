// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Video memory read, written and filled for the driver, which has no BAR to do it by in
 * confidential mode. What passes through system memory then is sealed, a message each, by the keys
 * cpu_gsp_dma and gsp_cpu_dma; its tag travels in the command.
 *
 *   system memory (staging) --open--> video memory       video memory --seal--> system memory
 */
#include <openssl/crypto.h>

#include "base/bits.h"
#include "base/range.h"
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

#define TRANSFER_MAX OS_PAGE_SIZE /* no two pages are adjacent on the bus */

typedef NV2080_CTRL_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP_PARAMS transfer_params;
typedef NV2080_CTRL_INTERNAL_TRANSFER_SURFACE_INFO surface_info;

/* Where size bytes of the surface begin; false: they are not all in it, or it is none. */
static bool surface_range(const struct fw *fw, const surface_info *s, u64 size, u64 *start)
{
	u64 end;

	if (!range_fits(s->offset, size, s->size) || add_overflows(s->baseAddr, s->offset, start) ||
	    add_overflows(*start, size, &end))
		return false;
	if (s->aperture == ADDR_SYSMEM)
		return *start % OS_PAGE_SIZE + size <= OS_PAGE_SIZE;
	/* What the firmware itself lies in is nobody's. */
	return s->aperture == ADDR_FBMEM && end <= fw->video_bytes &&
	       (end <= fw->wpr_start || *start >= fw->wpr_end);
}

static bool video_access(struct fw *fw, u64 address, void *data, u64 size, bool write)
{
	bool done;

	h100_memory_enter(fw->memory);
	done = write ? h100_memory_write(fw->memory, H100_APERTURE_VIDEO, address, data, size)
		     : h100_memory_read(fw->memory, H100_APERTURE_VIDEO, address, data, size);
	h100_memory_leave(fw->memory);
	return done;
}

static enum nv_status fill(struct fw *fw, const transfer_params *p)
{
	u64 address, end, piece;
	u8 data[TRANSFER_MAX];

	if (!surface_range(fw, &p->dst, p->transferSize, &address) || p->dst.aperture != ADDR_FBMEM)
		return NV_ERR_INVALID_ARGUMENT;
	if (fw->scrub && (u8)p->value == 0 && is_aligned(address | p->transferSize, OS_PAGE_SIZE)) {
		fw->scrub(fw->scrub_ctx, address, p->transferSize);
		return NV_OK;
	}
	memset(data, (u8)p->value, sizeof(data));
	for (end = address + p->transferSize; address < end; address += piece) {
		piece = min(end - address, (u64)sizeof(data));
		if (!video_access(fw, address, data, piece, true))
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

static enum nv_status copy(struct fw *fw, transfer_params *p, u8 *data)
{
	struct cc_direction *in = fw->cc ? &fw->cc->transfer_in : NULL;
	struct cc_direction *out = fw->cc ? &fw->cc->transfer_out : NULL;
	bool from_system = p->src.aperture == ADDR_SYSMEM;
	bool to_system = p->dst.aperture == ADDR_SYSMEM;
	u64 from, to;

	if (p->transferSize > TRANSFER_MAX || !surface_range(fw, &p->src, p->transferSize, &from) ||
	    !surface_range(fw, &p->dst, p->transferSize, &to) || (from_system && to_system))
		return NV_ERR_INVALID_ARGUMENT;
	if (from_system ? !fw_dma_read(fw, from, data, p->transferSize)
			: !video_access(fw, from, data, p->transferSize, false))
		return NV_ERR_INVALID_ADDRESS;
	if (from_system && in && !cc_open(in, data, (u32)p->transferSize, NULL, p->authTag))
		return NV_ERR_INVALID_DATA;
	if (to_system && out && !cc_seal(out, data, (u32)p->transferSize, NULL, p->authTag))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	if (to_system ? !fw_dma_write(fw, to, data, p->transferSize)
		      : !video_access(fw, to, data, p->transferSize, true))
		return NV_ERR_INVALID_ADDRESS;
	return NV_OK;
}

static enum nv_status transfer(struct fw_call *call, void *params, u32 size)
{
	transfer_params *p = params;
	enum nv_status status;
	u8 data[TRANSFER_MAX];

	if (p->transferSize == 0 || !call->fw->memory)
		return NV_ERR_INVALID_ARGUMENT;
	switch (p->memop) {
	case NV2080_CTRL_MEMMGR_MEMORY_OP_MEMSET:
		return fill(call->fw, p);
	case NV2080_CTRL_MEMMGR_MEMORY_OP_MEMCPY:
		status = copy(call->fw, p, data);
		OPENSSL_cleanse(data, sizeof(data));
		return status;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

static const struct fw_control controls[] = {
	FW_CONTROL_ENGINES(NV2080_CTRL_CMD_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP,
			   NV2080_CTRL_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP_PARAMS, transfer,
			   false),
};

FW_CONTROL_GROUP(fw_controls_transfer, "memory transfers", controls);
