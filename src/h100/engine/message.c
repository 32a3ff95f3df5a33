// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages of secure channels.
 */
#include "h100/engine/message.h"

#include "base/bits.h"
#include "os/os.h"

#define PIECE_BYTES KIB(256) /* moved between two turns of others */
#define SHORT_BYTES 16u	     /* may have words that others look at meanwhile: GPPut */

enum h100_method_result message_read(struct h100_mover *m, struct h100_end *from, u64 address,
				     u32 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	u8 *buffer = m->call->secure->buffer;
	u32 at, piece;

	for (at = 0; at < size && result == H100_METHOD_OK; at += piece) {
		piece = min(size - at, (u32)PIECE_BYTES);
		result = h100_move_read(m, from, address + at, buffer + at, piece);
		h100_move_rest(m, from, NULL);
	}
	return result;
}

enum h100_method_result message_write(struct h100_mover *m, struct h100_end *to, u64 address,
				      u32 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	const u8 *buffer = m->call->secure->buffer;
	u32 at, piece;

	for (at = 0; at < size && result == H100_METHOD_OK; at += piece) {
		piece = min(size - at, (u32)(size <= SHORT_BYTES ? sizeof(u64) : PIECE_BYTES));
		result = h100_move_write(m, to, address + at, buffer + at, piece);
		h100_move_rest(m, to, NULL);
	}
	return result;
}

/* Out of the burst: it takes longer than others should wait for one. */
enum nv_status message_encrypt(struct h100_mover *m, u32 size, u8 tag[H100_TAG_BYTES],
			       u8 iv[H100_IV_BYTES])
{
	struct h100_secure *secure = m->call->secure;
	enum nv_status status;

	h100_memory_leave(m->call->memory);
	status = h100_secure_encrypt(secure, secure->buffer, size, tag, iv);
	h100_memory_enter(m->call->memory);
	return status;
}

enum nv_status message_decrypt(struct h100_mover *m, u32 size, const u8 tag[H100_TAG_BYTES])
{
	struct h100_secure *secure = m->call->secure;
	enum nv_status status;

	h100_memory_leave(m->call->memory);
	status = h100_secure_decrypt(secure, secure->buffer, size, tag);
	h100_memory_enter(m->call->memory);
	return status;
}
