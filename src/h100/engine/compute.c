// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The compute class (HOPPER_COMPUTE_A) as far as it needs no multiprocessor: data in methods that
 * goes to memory, semaphore releases and reports, and state, which is accepted. What would launch a
 * grid is an exception of the graphics engine: docs/limits.md.
 *
 *   LAUNCH_DMA  LOAD_INLINE_DATA ...          each line begins with a word of its own
 *               | line 0   | line 1   | ...
 */
#include <string.h>

#include "base/bits.h"
#include "h100/engine/classes.h"
#include "h100/engine/move.h"
#include "h100/engine/surface.h"

#define INLINE_BYTES 1024u /* gathered before they are written */

struct compute {
	u32 line_length, line_count;
	u32 offset_upper, offset_lower, pitch;
	u32 block_size, width, height, depth, layer, x, y;
	u32 i2m_semaphore_upper, i2m_semaphore_lower, i2m_payload;
	u32 report_upper, report_lower, report_payload;
	u32 execute_payload_lower, execute_payload_upper, execute_lower, execute_upper;

	/* An inline transfer that waits for data */
	bool loading;
	u32 flags;
	u32 line, filled; /* where in it: filled bytes of the line have come */
	u32 length, count;
	u32 gathered; /* of them, not written yet */
	u8 data[INLINE_BYTES];
};

static enum h100_method_result refuse(struct h100_engine_call *call, u32 error, u32 data)
{
	call->error = error;
	call->error_info = data;
	return H100_METHOD_ERROR;
}

static void mover_init(struct h100_mover *m, struct h100_engine_call *call)
{
	h100_mover_init(m, call, NV_PFAULT_CLIENT_HUB_FE0, NV_PFAULT_MMU_ENG_ID_GRAPHICS);
}

static u64 address_of(u32 upper, u32 lower)
{
	return REG_GET(NVCBC0_OFFSET_OUT_UPPER_VALUE, upper) << 32 | lower;
}

static void interrupt(struct h100_engine_call *call)
{
	if (call->nonstall)
		call->nonstall(call);
}

/* -- Reports ----------------------------------------------------------------------------------- */

/* The three methods that reduce number their operations alike. */
static enum h100_memory_op reduction_of(u64 op, bool is_signed)
{
	switch (op) {
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_ADD:
		return H100_MEMORY_ADD;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_MIN:
		return is_signed ? H100_MEMORY_MIN_SIGNED : H100_MEMORY_MIN_UNSIGNED;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_MAX:
		return is_signed ? H100_MEMORY_MAX_SIGNED : H100_MEMORY_MAX_UNSIGNED;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_INC:
		return H100_MEMORY_INC;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_DEC:
		return H100_MEMORY_DEC;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_AND:
		return H100_MEMORY_AND;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_OR:
		return H100_MEMORY_OR;
	case NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_XOR:
	default:
		return H100_MEMORY_XOR;
	}
}

/* An address that is not aligned to what goes there is an exception. */
static enum h100_method_result release(struct h100_engine_call *call,
				       const struct h100_report *report, u32 data)
{
	u32 alignment = report->four_words ? 16 : report->wide ? 8 : 4;
	struct h100_mover mover;

	if (!is_aligned(report->address, alignment))
		return refuse(call, ROBUST_CHANNEL_GR_EXCEPTION, data);
	mover_init(&mover, call);
	return h100_move_report(&mover, report);
}

static enum h100_method_result report_semaphore(struct h100_engine_call *call,
						const struct compute *c, u32 data)
{
	const struct h100_report report = {
		.address = address_of(c->report_upper, c->report_lower),
		.payload = c->report_payload,
		.four_words = REG_GET(NVCBC0_SET_REPORT_SEMAPHORE_D_STRUCTURE_SIZE, data) ==
			      NVCBC0_SET_REPORT_SEMAPHORE_D_STRUCTURE_SIZE_FOUR_WORDS,
		.reduction = REG_GET(NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_ENABLE, data) != 0,
		.op = reduction_of(
			REG_GET(NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP, data),
			REG_GET(NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_FORMAT, data) ==
				NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_FORMAT_SIGNED_32),
	};
	u64 operation = REG_GET(NVCBC0_SET_REPORT_SEMAPHORE_D_OPERATION, data);
	enum h100_method_result result;

	/* An interrupt and nothing else: CUDA's blocking sync wakes its thread by it. */
	if (operation == NVCBC0_SET_REPORT_SEMAPHORE_D_OPERATION_TRAP) {
		interrupt(call);
		return H100_METHOD_OK;
	}
	if (operation != NVCBC0_SET_REPORT_SEMAPHORE_D_OPERATION_RELEASE)
		return refuse(call, ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY, data);
	result = release(call, &report, data);
	if (result == H100_METHOD_OK &&
	    REG_GET(NVCBC0_SET_REPORT_SEMAPHORE_D_AWAKEN_ENABLE, data) != 0)
		interrupt(call);
	return result;
}

#define EXECUTE(name, data) REG_GET(NVCBC0_REPORT_SEMAPHORE_EXECUTE_##name, data)

static enum h100_method_result report_execute(struct h100_engine_call *call,
					      const struct compute *c, u32 data)
{
	u64 size = EXECUTE(STRUCTURE_SIZE, data);
	const struct h100_report report = {
		.address = address_of(c->execute_upper, c->execute_lower),
		.payload = (u64)c->execute_payload_upper << 32 | c->execute_payload_lower,
		.wide = EXECUTE(PAYLOAD_SIZE64, data) != 0,
		.four_words =
			size == NVCBC0_REPORT_SEMAPHORE_EXECUTE_STRUCTURE_SIZE_SEMAPHORE_FOUR_WORDS,
		.reduction = EXECUTE(REDUCTION_ENABLE, data) != 0,
		.op = reduction_of(EXECUTE(REDUCTION_OP, data),
				   EXECUTE(REDUCTION_FORMAT, data) ==
					   NVCBC0_REPORT_SEMAPHORE_EXECUTE_REDUCTION_FORMAT_SIGNED),
	};
	enum h100_method_result result;

	if (EXECUTE(OPERATION, data) != NVCBC0_REPORT_SEMAPHORE_EXECUTE_OPERATION_RELEASE ||
	    size > NVCBC0_REPORT_SEMAPHORE_EXECUTE_STRUCTURE_SIZE_SEMAPHORE_TWO_WORDS ||
	    EXECUTE(TRAP_TYPE, data) != NVCBC0_REPORT_SEMAPHORE_EXECUTE_TRAP_TYPE_TRAP_NONE)
		return refuse(call, ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY, data);
	result = release(call, &report, data);
	if (result == H100_METHOD_OK && EXECUTE(AWAKEN_ENABLE, data) != 0)
		interrupt(call);
	return result;
}

/* -- Inline data ------------------------------------------------------------------------------- */

static void surface_of(const struct compute *c, struct h100_surface *s)
{
	*s = (struct h100_surface){
		.width = c->width,
		.height = c->height,
		.depth = c->depth,
		.block_rows_log2 = (u32)REG_GET(NVCBC0_SET_DST_BLOCK_SIZE_HEIGHT, c->block_size),
		.block_slices_log2 = (u32)REG_GET(NVCBC0_SET_DST_BLOCK_SIZE_DEPTH, c->block_size),
	};
}

static bool is_pitch(const struct compute *c)
{
	return REG_GET(NVCBC0_LAUNCH_DMA_DST_MEMORY_LAYOUT, c->flags) ==
	       NVCBC0_LAUNCH_DMA_DST_MEMORY_LAYOUT_PITCH;
}

/* Where byte x of the line goes, and how many follow it there. */
static u64 inline_address(const struct compute *c, u32 x, u32 *run)
{
	u64 base = address_of(c->offset_upper, c->offset_lower);
	struct h100_surface surface;
	u64 at;

	if (is_pitch(c)) {
		*run = ~0u;
		return base + (u64)((s64)(s32)c->pitch * c->line) + x;
	}
	surface_of(c, &surface);
	at = (u64)REG_GET(NVCBC0_SET_DST_ORIGIN_BYTES_X_V, c->x) + x;
	*run = H100_GOB_RUN - (u32)(at % H100_GOB_RUN);
	return base +
	       h100_surface_offset(&surface, at,
				   (u32)REG_GET(NVCBC0_SET_DST_ORIGIN_SAMPLES_Y_V, c->y) + c->line,
				   c->layer);
}

/* Writes what has been gathered: the last bytes of the line so far. */
static enum h100_method_result inline_write(struct h100_engine_call *call, struct compute *c)
{
	struct h100_end end = { .write = true };
	enum h100_method_result result = H100_METHOD_OK;
	u32 x = c->filled - c->gathered, done = 0, run, piece;
	struct h100_mover mover;
	u64 address;

	mover_init(&mover, call);
	while (done < c->gathered && result == H100_METHOD_OK) {
		address = inline_address(c, x + done, &run);
		piece = min(c->gathered - done, run);
		result = h100_move_write(&mover, &end, address, c->data + done, piece);
		done += piece;
	}
	c->gathered = 0;
	return result;
}

static bool reduction_asked(const struct compute *c)
{
	return REG_GET(NVCBC0_LAUNCH_DMA_REDUCTION_ENABLE, c->flags) != 0;
}

/* All data has come. */
static enum h100_method_result inline_done(struct h100_engine_call *call, struct compute *c)
{
	const struct h100_report report = {
		.address = address_of(c->i2m_semaphore_upper, c->i2m_semaphore_lower),
		.payload = c->i2m_payload,
		.four_words = REG_GET(NVCBC0_LAUNCH_DMA_SEMAPHORE_STRUCT_SIZE, c->flags) ==
			      NVCBC0_LAUNCH_DMA_SEMAPHORE_STRUCT_SIZE_FOUR_WORDS,
		.reduction = reduction_asked(c),
		.op = reduction_of(REG_GET(NVCBC0_LAUNCH_DMA_REDUCTION_OP, c->flags),
				   REG_GET(NVCBC0_LAUNCH_DMA_REDUCTION_FORMAT, c->flags) ==
					   NVCBC0_LAUNCH_DMA_REDUCTION_FORMAT_SIGNED_32),
	};
	enum h100_method_result result = H100_METHOD_OK;

	c->loading = false;
	if (REG_GET(NVCBC0_LAUNCH_DMA_COMPLETION_TYPE, c->flags) ==
	    NVCBC0_LAUNCH_DMA_COMPLETION_TYPE_RELEASE_SEMAPHORE)
		result = release(call, &report, c->flags);
	if (result == H100_METHOD_OK && REG_GET(NVCBC0_LAUNCH_DMA_INTERRUPT_TYPE, c->flags) ==
						NVCBC0_LAUNCH_DMA_INTERRUPT_TYPE_INTERRUPT)
		interrupt(call);
	return result;
}

static bool surface_holds(const struct compute *c)
{
	struct h100_surface s;

	surface_of(c, &s);
	return REG_GET(NVCBC0_SET_DST_BLOCK_SIZE_WIDTH, c->block_size) ==
		       NVCBC0_SET_DST_BLOCK_SIZE_WIDTH_ONE_GOB &&
	       s.block_rows_log2 <= NVCBC0_SET_DST_BLOCK_SIZE_HEIGHT_THIRTYTWO_GOBS &&
	       s.block_slices_log2 <= NVCBC0_SET_DST_BLOCK_SIZE_DEPTH_THIRTYTWO_GOBS &&
	       is_aligned(c->offset_lower, H100_GOB_BYTES) && c->layer < c->depth &&
	       REG_GET(NVCBC0_SET_DST_ORIGIN_BYTES_X_V, c->x) + c->line_length <= c->width &&
	       REG_GET(NVCBC0_SET_DST_ORIGIN_SAMPLES_Y_V, c->y) + c->line_count <= c->height;
}

/* A transfer that still waited for data is given up. */
static enum h100_method_result inline_begin(struct h100_engine_call *call, struct compute *c,
					    u32 data)
{
	c->flags = data;
	c->line = c->filled = c->gathered = 0;
	c->length = c->line_length;
	c->count = c->line_count;
	c->loading = false;
	if (!is_pitch(c) && !surface_holds(c))
		return refuse(call, ROBUST_CHANNEL_GR_EXCEPTION, data);
	c->loading = true;
	return c->length == 0 || c->count == 0 ? inline_done(call, c) : H100_METHOD_OK;
}

static enum h100_method_result inline_load(struct h100_engine_call *call, struct compute *c,
					   u32 data)
{
	enum h100_method_result result = H100_METHOD_OK;
	u32 bytes;

	if (!c->loading)
		return refuse(call, ROBUST_CHANNEL_GR_EXCEPTION, data);
	bytes = min(c->length - c->filled, (u32)sizeof(data));
	memcpy(c->data + c->gathered, &data, bytes);
	c->filled += bytes;
	c->gathered += bytes;
	if (c->filled == c->length || c->gathered == INLINE_BYTES)
		result = inline_write(call, c);
	if (result != H100_METHOD_OK) {
		c->loading = false;
		return result;
	}
	if (c->filled != c->length)
		return H100_METHOD_OK;
	c->filled = 0;
	c->line++;
	return c->line == c->count ? inline_done(call, c) : H100_METHOD_OK;
}

/* -- Methods ----------------------------------------------------------------------------------- */

/* Whether the action only concerns caches, so that nothing would run. */
static bool pcas_is_idle(u32 data)
{
	switch (REG_GET(NVCBC0_SEND_SIGNALING_PCAS2_B_PCAS_ACTION, data)) {
	case NVCBC0_SEND_SIGNALING_PCAS2_B_PCAS_ACTION_NOP:
	case NVCBC0_SEND_SIGNALING_PCAS2_B_PCAS_ACTION_INVALIDATE:
	case NVCBC0_SEND_SIGNALING_PCAS2_B_PCAS_ACTION_PREFETCH:
		return true;
	default:
		return false;
	}
}

/* What a register method sets, or NULL. */
static u32 *register_of(struct compute *c, u32 method)
{
	switch (method) {
	case NVCBC0_LINE_LENGTH_IN:
		return &c->line_length;
	case NVCBC0_LINE_COUNT:
		return &c->line_count;
	case NVCBC0_OFFSET_OUT_UPPER:
		return &c->offset_upper;
	case NVCBC0_OFFSET_OUT:
		return &c->offset_lower;
	case NVCBC0_PITCH_OUT:
		return &c->pitch;
	case NVCBC0_SET_DST_BLOCK_SIZE:
		return &c->block_size;
	case NVCBC0_SET_DST_WIDTH:
		return &c->width;
	case NVCBC0_SET_DST_HEIGHT:
		return &c->height;
	case NVCBC0_SET_DST_DEPTH:
		return &c->depth;
	case NVCBC0_SET_DST_LAYER:
		return &c->layer;
	case NVCBC0_SET_DST_ORIGIN_BYTES_X:
		return &c->x;
	case NVCBC0_SET_DST_ORIGIN_SAMPLES_Y:
		return &c->y;
	case NVCBC0_SET_I2M_SEMAPHORE_A:
		return &c->i2m_semaphore_upper;
	case NVCBC0_SET_I2M_SEMAPHORE_B:
		return &c->i2m_semaphore_lower;
	case NVCBC0_SET_I2M_SEMAPHORE_C:
		return &c->i2m_payload;
	case NVCBC0_SET_REPORT_SEMAPHORE_A:
		return &c->report_upper;
	case NVCBC0_SET_REPORT_SEMAPHORE_B:
		return &c->report_lower;
	case NVCBC0_SET_REPORT_SEMAPHORE_C:
		return &c->report_payload;
	case NVCBC0_SET_REPORT_SEMAPHORE_PAYLOAD_LOWER:
		return &c->execute_payload_lower;
	case NVCBC0_SET_REPORT_SEMAPHORE_PAYLOAD_UPPER:
		return &c->execute_payload_upper;
	case NVCBC0_SET_REPORT_SEMAPHORE_ADDRESS_LOWER:
		return &c->execute_lower;
	case NVCBC0_SET_REPORT_SEMAPHORE_ADDRESS_UPPER:
		return &c->execute_upper;
	default:
		return NULL;
	}
}

static enum h100_method_result compute_method(struct h100_engine_call *call, void *object,
					      u32 method, u32 data)
{
	struct compute *c = object;
	u32 *reg = register_of(c, method);

	if (reg) {
		*reg = data;
		/* A transfer that goes by it is given up, as one whose data never came. */
		if (method >= NVCBC0_LINE_LENGTH_IN && method <= NVCBC0_SET_DST_ORIGIN_SAMPLES_Y)
			c->loading = false;
		return H100_METHOD_OK;
	}
	switch (method) {
	case NVCBC0_LAUNCH_DMA:
		return inline_begin(call, c, data);
	case NVCBC0_LOAD_INLINE_DATA:
		return inline_load(call, c, data);
	case NVCBC0_SET_REPORT_SEMAPHORE_D:
		return report_semaphore(call, c, data);
	case NVCBC0_REPORT_SEMAPHORE_EXECUTE:
		return report_execute(call, c, data);
	case NVCBC0_SEND_SIGNALING_PCAS2_B:
		if (pcas_is_idle(data))
			return H100_METHOD_OK;
		return refuse(call, ROBUST_CHANNEL_GR_EXCEPTION, data);
	case NVCBC0_SEND_SIGNALING_PCAS_B:
		if (REG_GET(NVCBC0_SEND_SIGNALING_PCAS_B_SCHEDULE, data) ==
		    NVCBC0_SEND_SIGNALING_PCAS_B_SCHEDULE_FALSE)
			return H100_METHOD_OK;
		return refuse(call, ROBUST_CHANNEL_GR_EXCEPTION, data);
	case NVCBC0_SEND_PCAS_B:
	case NVCBC0_NOTIFY:
	case NVCBC0_MME_DMA_READ:
	case NVCBC0_MME_DMA_READ_FIFOED:
	case NVCBC0_MME_DMA_WRITE:
	case NVCBC0_MME_DMA_REDUCTION:
		return refuse(call, ROBUST_CHANNEL_GR_EXCEPTION, data);
	default:
		break;
	}
	if (h100_compute_method_known(method))
		return H100_METHOD_OK;
	return refuse(call, ROBUST_CHANNEL_GR_CLASS_ERROR, method);
}

const struct h100_engine_class h100_compute_class = {
	.class_id = HOPPER_COMPUTE_A,
	.object_bytes = sizeof(struct compute),
	.kind = H100_ENGINE_KIND_GR,
	.method = compute_method,
};
