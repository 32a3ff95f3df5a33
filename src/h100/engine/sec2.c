// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * SEC2's class (HOPPER_SEC2_WORK_LAUNCH_A): semaphores. It decrypts, verifies and scrubs only in
 * confidential mode, which this GPU has not: EXECUTE is an error of the channel.
 */
#include "base/bits.h"
#include "h100/engine/classes.h"
#include "h100/engine/move.h"

struct sec2 {
	u32 upper, lower, payload_lower, payload_upper;
};

static enum h100_method_result refuse(struct h100_engine_call *call, u32 info)
{
	call->error = ROBUST_CHANNEL_SEC2_ERROR;
	call->error_info = info;
	return H100_METHOD_ERROR;
}

static enum h100_method_result release(struct h100_engine_call *call, const struct sec2 *s,
				       u32 data)
{
	const struct h100_report report = {
		.address = REG_GET(NVCBA2_SEMAPHORE_A_UPPER, s->upper) << 32 |
			   (s->lower & REG_MASK(NVCBA2_SEMAPHORE_B_LOWER)),
		.payload = (u64)s->payload_upper << 32 | s->payload_lower,
		.wide = REG_GET(NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE, data) ==
			NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE_64_BIT,
		.four_words = REG_GET(NVCBA2_SEMAPHORE_D_TIMESTAMP, data) ==
			      NVCBA2_SEMAPHORE_D_TIMESTAMP_ENABLE,
	};
	enum h100_method_result result;
	struct h100_mover mover;

	if (!is_aligned(report.address, report.four_words ? 16 : report.wide ? 8 : 4))
		return refuse(call, NVCBA2_ERROR_SEMAPHORE_RELEASE_DMA_NACK);
	h100_mover_init(&mover, call, NV_PFAULT_CLIENT_HUB_SEC, NV_PFAULT_MMU_ENG_ID_SEC);
	result = h100_move_report(&mover, &report);
	if (result == H100_METHOD_OK && call->nonstall &&
	    REG_GET(NVCBA2_SEMAPHORE_D_NOTIFY_INTR, data) == NVCBA2_SEMAPHORE_D_NOTIFY_INTR_ENABLE)
		call->nonstall(call);
	return result;
}

static enum h100_method_result sec2_method(struct h100_engine_call *call, void *object, u32 method,
					   u32 data)
{
	struct sec2 *s = object;

	switch (method) {
	case NVCBA2_SEMAPHORE_A:
		s->upper = data;
		return H100_METHOD_OK;
	case NVCBA2_SEMAPHORE_B:
		s->lower = data;
		return H100_METHOD_OK;
	case NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER:
		s->payload_lower = data;
		return H100_METHOD_OK;
	case NVCBA2_SET_SEMAPHORE_PAYLOAD_UPPER:
		s->payload_upper = data;
		return H100_METHOD_OK;
	case NVCBA2_SEMAPHORE_D:
		return release(call, s, data);
	case NVCBA2_EXECUTE:
		return refuse(call, NVCBA2_ERROR_INTERNAL_SETUP_FAILURE);
	default:
		/* Where encrypted data is: nothing without EXECUTE. */
		if (is_aligned(method, 4) && method >= NVCBA2_DECRYPT_COPY_SRC_ADDR_HI &&
		    method <= NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_LO)
			return H100_METHOD_OK;
		return refuse(call, NVCBA2_ERROR_MISSING_METHODS);
	}
}

const struct h100_engine_class h100_sec2_class = {
	.class_id = HOPPER_SEC2_WORK_LAUNCH_A,
	.object_bytes = sizeof(struct sec2),
	.kind = H100_ENGINE_KIND_SEC2,
	.method = sec2_method,
};
