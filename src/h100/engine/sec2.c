// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * SEC2's class (HOPPER_SEC2_WORK_LAUNCH_A). On a channel that is not secure it releases semaphores.
 * On a secure one it also decrypts and scrubs, and takes nothing that is not signed:
 *
 *   a stream   method, data | method, data | ... | EXECUTE or SEMAPHORE_D, data
 *   signed     | offset 4 | data 4 | of each, SET_OBJECT's too | nonce 32 |   HMAC-SHA256
 *
 * The signature lies where METHOD_STREAM_AUTH_TAG_ADDR says. With the stream's end all of its
 * methods are forgotten.
 */
#include <string.h>

#include "base/bits.h"
#include "h100/engine/classes.h"
#include "h100/engine/message.h"
#include "os/os.h"

#define STREAM_METHODS 64u
#define FIRST NVCBA2_DECRYPT_COPY_SRC_ADDR_HI
#define LAST NVCBA2_EXECUTE
#define REGISTERS ((LAST - FIRST) / 4 + 1)
#define POINTER_ALIGNMENT 16u
#define SIZE_UNIT 4u

struct sec2 {
	u32 registers[REGISTERS];
	u32 given; /* which of them this stream has; a bit each */
	u32 count;
	u32 stream[STREAM_METHODS][2]; /* offset and data: x86 has them as they are signed */
	bool stopped;		       /* in the middle of a scrub, which was signed */
	u64 scrubbed;		       /* bytes, of a scrub that was stopped */
};

#define BIT(method) BIT32((NVCBA2_##method - FIRST) / 4)

static u32 get(const struct sec2 *s, u32 method)
{
	return s->registers[(method - FIRST) / 4];
}

static u64 get_address(const struct sec2 *s, u32 upper)
{
	return REG_GET(NVCBA2_DECRYPT_COPY_SRC_ADDR_HI_DATA, get(s, upper)) << 32 |
	       get(s, upper + 4);
}

static enum h100_method_result refuse(struct h100_engine_call *call, u32 info)
{
	call->error = ROBUST_CHANNEL_SEC2_ERROR;
	call->error_info = info;
	return H100_METHOD_ERROR;
}

#define REFUSE(call, why) refuse(call, NVCBA2_ERROR_##why)

static bool method_known(u32 method)
{
	switch (method) {
	case NVCBA2_SEMAPHORE_A:
	case NVCBA2_SEMAPHORE_B:
	case NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER:
	case NVCBA2_SET_SEMAPHORE_PAYLOAD_UPPER:
	case NVCBA2_SEMAPHORE_D:
	case NVCBA2_EXECUTE:
		return true;
	default:
		return is_aligned(method, 4) && method >= NVCBA2_DECRYPT_COPY_SRC_ADDR_HI &&
		       method <= NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_LO;
	}
}

/* -- Semaphores -------------------------------------------------------------------------------- */

static enum h100_method_result release(struct h100_mover *m, const struct sec2 *s, bool wide,
				       bool timestamp)
{
	const struct h100_report report = {
		.address = REG_GET(NVCBA2_SEMAPHORE_A_UPPER, get(s, NVCBA2_SEMAPHORE_A)) << 32 |
			   (get(s, NVCBA2_SEMAPHORE_B) & REG_MASK(NVCBA2_SEMAPHORE_B_LOWER)),
		.payload = (u64)get(s, NVCBA2_SET_SEMAPHORE_PAYLOAD_UPPER) << 32 |
			   get(s, NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER),
		.wide = wide,
		.four_words = timestamp,
		.outside = true,
	};

	if (!is_aligned(report.address, report.four_words ? 16 : report.wide ? 8 : 4))
		return REFUSE(m->call, SEMAPHORE_RELEASE_DMA_NACK);
	return h100_move_report(m, &report);
}

static enum h100_method_result semaphore(struct h100_mover *m, const struct sec2 *s)
{
	u32 data = get(s, NVCBA2_SEMAPHORE_D);
	enum h100_method_result result;

	result = release(m, s,
			 REG_GET(NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE, data) ==
				 NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE_64_BIT,
			 REG_GET(NVCBA2_SEMAPHORE_D_TIMESTAMP, data) ==
				 NVCBA2_SEMAPHORE_D_TIMESTAMP_ENABLE);
	if (result == H100_METHOD_OK && m->call->nonstall &&
	    REG_GET(NVCBA2_SEMAPHORE_D_NOTIFY_INTR, data) == NVCBA2_SEMAPHORE_D_NOTIFY_INTR_ENABLE)
		m->call->nonstall(m->call);
	return result;
}

/* -- Execution --------------------------------------------------------------------------------- */

#define EXECUTES(data, name, value) \
	(REG_GET(NVCBA2_EXECUTE_##name, data) == NVCBA2_EXECUTE_##name##_##value)

#define COPY_METHODS                                                                              \
	(BIT(DECRYPT_COPY_SRC_ADDR_HI) | BIT(DECRYPT_COPY_SRC_ADDR_LO) |                          \
	 BIT(DECRYPT_COPY_DST_ADDR_HI) | BIT(DECRYPT_COPY_DST_ADDR_LO) | BIT(DECRYPT_COPY_SIZE) | \
	 BIT(DECRYPT_COPY_AUTH_TAG_ADDR_HI) | BIT(DECRYPT_COPY_AUTH_TAG_ADDR_LO))
#define SCRUB_METHODS \
	(BIT(DECRYPT_COPY_DST_ADDR_HI) | BIT(DECRYPT_COPY_DST_ADDR_LO) | BIT(DECRYPT_COPY_SIZE))

static u32 semaphore_methods(bool wide)
{
	return BIT(SEMAPHORE_A) | BIT(SEMAPHORE_B) | BIT(SET_SEMAPHORE_PAYLOAD_LOWER) |
	       (wide ? BIT(SET_SEMAPHORE_PAYLOAD_UPPER) : 0);
}

static enum h100_method_result decrypt_check(struct h100_engine_call *call, const struct sec2 *s)
{
	u32 size = get(s, NVCBA2_DECRYPT_COPY_SIZE);

	if (!is_aligned(get(s, NVCBA2_DECRYPT_COPY_SRC_ADDR_LO), POINTER_ALIGNMENT))
		return REFUSE(call, DECRYPT_COPY_SRC_ADDR_MISALIGNED_POINTER);
	if (!is_aligned(get(s, NVCBA2_DECRYPT_COPY_DST_ADDR_LO), POINTER_ALIGNMENT))
		return REFUSE(call, DECRYPT_COPY_DEST_ADDR_MISALIGNED_POINTER);
	if (!is_aligned(get(s, NVCBA2_DECRYPT_COPY_AUTH_TAG_ADDR_LO), POINTER_ALIGNMENT))
		return REFUSE(call, DECRYPT_COPY_AUTH_TAG_ADDR_MISALIGNED_POINTER);
	if (size == 0 || !is_aligned(size, SIZE_UNIT))
		return REFUSE(call, MISALIGNED_SIZE);
	if (size > NVCBA2_DECRYPT_COPY_SIZE_MAX_BYTES)
		return REFUSE(call, DECRYPT_SIZE_MAX_EXCEEDED);
	return H100_METHOD_OK;
}

static enum h100_method_result decrypt(struct h100_mover *m, const struct sec2 *s)
{
	struct h100_end from = { .outside = true }, to = { .write = true, .video_only = true };
	u32 size = get(s, NVCBA2_DECRYPT_COPY_SIZE);
	enum h100_method_result result;
	u8 tag[H100_TAG_BYTES];

	result = h100_move_read(m, &from, get_address(s, NVCBA2_DECRYPT_COPY_AUTH_TAG_ADDR_HI), tag,
				sizeof(tag));
	if (result == H100_METHOD_OK)
		result = message_read(m, &from, get_address(s, NVCBA2_DECRYPT_COPY_SRC_ADDR_HI),
				      size);
	if (result != H100_METHOD_OK)
		return result;
	switch (message_decrypt(m, size, tag)) {
	case NV_OK:
		return message_write(m, &to, get_address(s, NVCBA2_DECRYPT_COPY_DST_ADDR_HI), size);
	case NV_ERR_INVALID_DATA:
		return REFUSE(m->call, DECRYPT_COPY_AUTH_TAG_MISMATCH);
	case NV_ERR_INSUFFICIENT_RESOURCES:
		return REFUSE(m->call, IV_OVERFLOW);
	default:
		return REFUSE(m->call, AES_GCM_DECRYPTION_FAILURE);
	}
}

/* Video memory by physical address. */
static enum h100_method_result scrub_check(struct h100_engine_call *call, const struct sec2 *s)
{
	u64 address = get_address(s, NVCBA2_DECRYPT_COPY_DST_ADDR_HI);
	u32 size = get(s, NVCBA2_DECRYPT_COPY_SIZE);

	if (!call->privileged)
		return REFUSE(call, SCRUBBER_INSUFFICIENT_PERMISSIONS);
	if (!is_aligned(address, POINTER_ALIGNMENT))
		return REFUSE(call, DECRYPT_COPY_DEST_ADDR_MISALIGNED_POINTER);
	if (size == 0 || !is_aligned(size, SIZE_UNIT))
		return REFUSE(call, MISALIGNED_SIZE);
	if (size > NVCBA2_DECRYPT_SCRUB_SIZE_MAX_BYTES)
		return REFUSE(call, SCRUB_SIZE_MAX_EXCEEDED);
	if (address >= call->memory->video_bytes || size > call->memory->video_bytes - address)
		return REFUSE(call, SCRUBBER_INVALD_ADDRESS);
	return H100_METHOD_OK;
}

static enum h100_method_result scrub(struct h100_mover *m, struct sec2 *s)
{
	struct h100_end to = { .physical = true, .aperture = H100_APERTURE_VIDEO, .write = true };
	u64 address = get_address(s, NVCBA2_DECRYPT_COPY_DST_ADDR_HI);
	u32 size = get(s, NVCBA2_DECRYPT_COPY_SIZE);
	enum h100_method_result result;
	static const u8 zero[1];

	result = h100_move_fill(m, &to, address + s->scrubbed, zero, sizeof(zero),
				size - s->scrubbed);
	s->scrubbed += m->done;
	return result;
}

static enum h100_method_result notify(struct h100_mover *m, const struct sec2 *s, bool at_end)
{
	u32 data = get(s, NVCBA2_EXECUTE);

	if (!EXECUTES(data, NOTIFY, ENABLE) || EXECUTES(data, NOTIFY_ON, END) != at_end)
		return H100_METHOD_OK;
	return release(m, s, EXECUTES(data, PAYLOAD_SIZE, 64_BIT),
		       EXECUTES(data, TIMESTAMP, ENABLE));
}

static enum h100_method_result execute(struct h100_mover *m, struct sec2 *s)
{
	u32 data = get(s, NVCBA2_EXECUTE);
	bool scrubs = EXECUTES(data, PHYSICAL_SCRUBBER, ENABLE);
	enum h100_method_result result;

	result = scrubs ? scrub_check(m->call, s) : decrypt_check(m->call, s);
	if (result == H100_METHOD_OK && !s->stopped)
		result = notify(m, s, false);
	if (result == H100_METHOD_OK)
		result = scrubs ? scrub(m, s) : decrypt(m, s);
	if (result == H100_METHOD_OK)
		result = notify(m, s, true);
	if (result == H100_METHOD_OK && EXECUTES(data, NOTIFY_INTR, ENABLE) && m->call->nonstall)
		m->call->nonstall(m->call);
	return result;
}

/* -- Streams ----------------------------------------------------------------------------------- */

static u32 methods_wanted(const struct sec2 *s, u32 last)
{
	u32 data = get(s, last);

	if (last == NVCBA2_SEMAPHORE_D)
		return semaphore_methods(REG_GET(NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE, data) ==
					 NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE_64_BIT);
	return (EXECUTES(data, PHYSICAL_SCRUBBER, ENABLE) ? SCRUB_METHODS : COPY_METHODS) |
	       (EXECUTES(data, NOTIFY, ENABLE)
			? semaphore_methods(EXECUTES(data, PAYLOAD_SIZE, 64_BIT))
			: 0);
}

static bool has(const struct sec2 *s, u32 methods)
{
	return (s->given & methods) == methods;
}

static enum h100_method_result verify(struct h100_mover *m, const struct sec2 *s)
{
	u64 address = get_address(s, NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI);
	struct h100_end from = { .outside = true };
	enum h100_method_result result;
	u8 mac[H100_MAC_BYTES];

	if (!has(s, BIT(METHOD_STREAM_AUTH_TAG_ADDR_HI) | BIT(METHOD_STREAM_AUTH_TAG_ADDR_LO)))
		return REFUSE(m->call, MISSING_METHODS);
	if (!is_aligned(address, POINTER_ALIGNMENT))
		return REFUSE(m->call, METHOD_STREAM_AUTH_TAG_ADDR_MISALIGNED_POINTER);
	result = h100_move_read(m, &from, address, mac, sizeof(mac));
	if (result != H100_METHOD_OK)
		return result;
	switch (h100_secure_verify(m->call->secure, s->stream, s->count * sizeof(s->stream[0]),
				   mac)) {
	case NV_OK:
		return H100_METHOD_OK;
	case NV_ERR_INVALID_DATA:
		return REFUSE(m->call, METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
	case NV_ERR_INSUFFICIENT_RESOURCES:
		return REFUSE(m->call, NONCE_OVERFLOW);
	default:
		return REFUSE(m->call, METHOD_STREAM_AUTH_TAG_HMAC_CALC_FAILURE);
	}
}

/* Nothing of a stream is looked at before it is known whose it is. */
static enum h100_method_result stream_end(struct h100_mover *m, struct sec2 *s, u32 last)
{
	enum h100_method_result result = H100_METHOD_OK;

	if (!s->stopped)
		result = verify(m, s);
	if (result == H100_METHOD_OK && !has(s, methods_wanted(s, last)))
		result = REFUSE(m->call, MISSING_METHODS);
	if (result == H100_METHOD_OK)
		result = last == NVCBA2_EXECUTE ? execute(m, s) : semaphore(m, s);
	s->stopped = result == H100_METHOD_STOPPED;
	if (!s->stopped)
		memset(s, 0, sizeof(*s));
	return result;
}

static enum h100_method_result secure_method(struct h100_mover *m, struct sec2 *s, u32 method,
					     u32 data)
{
	bool ends = method == NVCBA2_EXECUTE || method == NVCBA2_SEMAPHORE_D;

	/* Whatever the word is by now: what is under way is in the stream. */
	if (s->stopped)
		return stream_end(m, s, NVCBA2_EXECUTE);
	if (method != NVC86F_SET_OBJECT && !method_known(method))
		return REFUSE(m->call, MISSING_METHODS);
	if (s->count == STREAM_METHODS)
		return REFUSE(m->call, BUFFER_OVERFLOW);
	s->stream[s->count][0] = method;
	s->stream[s->count][1] = data;
	s->count++;
	if (method == NVC86F_SET_OBJECT)
		return H100_METHOD_OK;
	s->registers[(method - FIRST) / 4] = data;
	s->given |= BIT32((method - FIRST) / 4);
	return ends ? stream_end(m, s, method) : H100_METHOD_OK;
}

/* -- Methods ----------------------------------------------------------------------------------- */

static enum h100_method_result sec2_method(struct h100_engine_call *call, void *object, u32 method,
					   u32 data)
{
	struct sec2 *s = object;
	struct h100_mover mover;

	h100_mover_init(&mover, call, NV_PFAULT_CLIENT_HUB_SEC, NV_PFAULT_MMU_ENG_ID_SEC);
	if (call->secure)
		return secure_method(&mover, s, method, data);
	if (method == NVC86F_SET_OBJECT)
		return H100_METHOD_OK;
	if (!method_known(method))
		return REFUSE(call, MISSING_METHODS);
	s->registers[(method - FIRST) / 4] = data;
	if (method == NVCBA2_SEMAPHORE_D)
		return semaphore(&mover, s);
	/* There are no keys to decrypt with. */
	return method == NVCBA2_EXECUTE ? REFUSE(call, INTERNAL_SETUP_FAILURE) : H100_METHOD_OK;
}

/* Half a stream is none. */
static void sec2_reset(void *object)
{
	memset(object, 0, sizeof(struct sec2));
}

const struct h100_engine_class h100_sec2_class = {
	.class_id = HOPPER_SEC2_WORK_LAUNCH_A,
	.object_bytes = sizeof(struct sec2),
	.kind = H100_ENGINE_KIND_SEC2,
	.hears_binding = true,
	.method = sec2_method,
	.reset = sec2_reset,
};
