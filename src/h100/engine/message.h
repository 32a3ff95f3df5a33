/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Messages of secure channels between memory and the runlist's private buffer (secure.h):
 *
 *   encryption   video memory  --read--> buffer --in place----------> buffer --write--> system
 *   decryption   system memory --read--> buffer --in place, proven--> buffer --write--> video
 *
 * The host can write to system memory at any moment, so each byte of it is read once, and what is
 * written is what was proven. All of a message is in the buffer before any byte of it goes out.
 * None of these is stopped in its middle; others have their turn at the memory meanwhile.
 */
#ifndef H100_ENGINE_MESSAGE_H
#define H100_ENGINE_MESSAGE_H

#include "h100/engine/move.h"
#include "h100/engine/secure.h"

/* At most H100_SECURE_MESSAGE_MAX bytes. */
enum h100_method_result message_read(struct h100_mover *m, struct h100_end *from, u64 address,
				     u32 size);
enum h100_method_result message_write(struct h100_mover *m, struct h100_end *to, u64 address,
				      u32 size);
/* As h100_secure_encrypt and _decrypt. What ends knew of the memory is of no use afterwards. */
enum nv_status message_encrypt(struct h100_mover *m, u32 size, u8 tag[H100_TAG_BYTES],
			       u8 iv[H100_IV_BYTES]);
enum nv_status message_decrypt(struct h100_mover *m, u32 size, const u8 tag[H100_TAG_BYTES]);

#endif
