/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A secure channel of the software H100's and, as its other end, the driver's key store and CSL
 * context. Plaintext lies in video memory (DATA_VA of h100_host_rig.h), ciphertext in system memory
 * at SYSTEM_VA, all of one session whose master key both ends have.
 */
#ifndef TESTS_SECURE_RIG_H
#define TESTS_SECURE_RIG_H

#include "h100_host_rig.h"
#include "rm/cc/csl.h"

#define SYSTEM_VA 0x300000000ull
#define SYSTEM_BYTES 0x200000u
#define SYSTEM_CHANNELS 4u

struct secure_rig {
	struct host_rig h;
	struct key_store *keys;
	u32 engine; /* NV2080_ENGINE_TYPE_* of what follows */
	struct h100_group *group;
};

/* One of its channels, with a context for its other end, whose rotations reach it. */
struct secure_channel {
	struct secure_rig *rig;
	struct host_channel *c;
	struct csl_context csl;
};

void secure_open(struct secure_rig *r, u32 engine, bool threads);
void secure_close(struct secure_rig *r);
/* Channel n in a group of all such; of the kernel's keys, and privileged, or of clients'. */
enum nv_status secure_channel(struct secure_rig *r, struct secure_channel *s, u32 n, bool kernel);
void secure_channel_end(struct secure_channel *s);
/* Where such a channel's counters begin, by what the driver retrieved. */
struct h100_secure_start secure_start(const struct key_pair *material);

static inline u8 *secure_plain(struct secure_rig *r, u32 offset)
{
	return (u8 *)host_data(&r->h, offset);
}

static inline u8 *secure_system(struct secure_rig *r, u32 offset)
{
	return r->h.rig.system + offset;
}

/* Does what was written to the pushbuffer; false: the channel stopped, and the error says why. */
bool secure_run(struct secure_channel *s, struct h100_fifo_error *error);
/* The same, which is to fail with that; the channel is reset afterwards, and may go on. */
void secure_run_fails(struct secure_channel *s, u32 code, u32 info);

#endif
