/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The copy engine's parts among themselves: copy.c has the methods, copy_secure.c encrypts and
 * decrypts.
 */
#ifndef H100_ENGINE_COPY_H
#define H100_ENGINE_COPY_H

#include "h100/engine/move.h"

/* H100_METHOD_ERROR, and the engine's error with this NV_PCE_LAUNCHERR_REPORT_*. */
enum h100_method_result copy_refuse(struct h100_engine_call *call, u32 why);

#define COPY_REFUSE(call, why) copy_refuse(call, NV_PCE_LAUNCHERR_REPORT_##why)

/* One message. Tag and IV lie on the ciphertext's side: addresses of the same kind. */
struct copy_secure {
	bool encrypt;
	u32 size;
	struct h100_end plain, cipher;
	u64 plain_at, cipher_at;
	u64 tag, iv; /* addresses; iv: where the IV is told, of an encryption */
};

/* Whether the engine takes it; the channel is secure. */
enum h100_method_result copy_secure_check(struct h100_engine_call *call,
					  const struct copy_secure *c);
/* It is not stopped in its middle. */
enum h100_method_result copy_secure_do(struct h100_mover *m, struct copy_secure *c);

#endif
