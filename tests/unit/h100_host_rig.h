/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The host engine on the engines' rig: channels whose GPFIFOs, pushbuffers and USERD a test writes
 * by hand, all in one address space.
 *
 *   channel n at virtual CHANNEL_VA(n):  +0 GPFIFO (512 entries)  +0x1000 pushbuffer
 *   video memory: the same offsets from 0;  USERD of n at USERD(n);  semaphores at DATA_VA
 */
#ifndef TESTS_H100_HOST_RIG_H
#define TESTS_H100_HOST_RIG_H

#include "engine_rig.h"
#include "h100/engine/fifo.h"

#define HOST_CHANNELS 64u
#define HOST_ENTRIES 512u
#define HOST_PB_BYTES 0xf000u
#define CHANNEL_BYTES 0x10000u
#define CHANNEL_VA(n) (0x100000000ull + (u64)(n)*CHANNEL_BYTES)
#define DATA_VA 0x200000000ull
#define DATA_OFFSET 0x800000u /* in video memory */
#define DATA_BYTES 0x100000u
#define USERD_OFFSET 0x700000u
#define USERD(n) (USERD_OFFSET + (n)*0x200u)
#define CLIENT 0xc1d00001u

struct host_channel {
	struct h100_channel *channel;
	u32 n, put;
	u32 pb;	   /* bytes of pushbuffer used */
	u32 entry; /* where the segment being written begins */
};

struct host_rig {
	struct rig rig;
	struct h100_profile profile;
	struct h100_engines engines;
	struct h100_keys keys; /* none loaded */
	struct h100_fifo *fifo;
	struct h100_space *space;
	u32 raised[512]; /* atomic */
	u32 errors;	 /* atomic */
	struct host_channel channel[HOST_CHANNELS];
};

void host_open(struct host_rig *h, bool threads);
void host_close(struct host_rig *h);
/* Channel n in the group, enabled. */
struct host_channel *host_channel(struct host_rig *h, u32 n, struct h100_group *group);
/* The same of what such a channel is to be, which a test may change before. */
struct h100_channel_config host_channel_config(struct host_rig *h, u32 n, struct h100_group *group);
enum nv_status host_channel_make(struct host_rig *h, const struct h100_channel_config *config,
				 struct host_channel **out);
struct h100_group *host_group(struct host_rig *h, u32 runlist);

u32 *host_data(struct host_rig *h, u32 offset);
u32 host_gp_get(struct host_rig *h, const struct host_channel *c);

/* Words of a segment; end makes it a GP entry, which the GPU sees once host_submit moved GPPut. */
void host_word(struct host_rig *h, struct host_channel *c, u32 word);
void host_do(struct host_rig *h, struct host_channel *c, u32 subchannel, u32 method, u32 data);
void host_end(struct host_rig *h, struct host_channel *c);
void host_entry(struct host_rig *h, struct host_channel *c, u32 low, u32 high);
void host_put(struct host_rig *h, struct host_channel *c);
/* The same, and rings by register. */
void host_submit(struct host_rig *h, struct host_channel *c);
void host_ring(struct host_rig *h, const struct host_channel *c);
/* One segment that releases value at DATA_VA + offset. */
void host_release(struct host_rig *h, struct host_channel *c, u32 offset, u32 value);
void host_acquire(struct host_rig *h, struct host_channel *c, u32 offset, u32 value, u32 execute);
/* Until the word is value; false after five seconds. */
bool host_wait(struct host_rig *h, u32 offset, u32 value);
bool host_wait_empty(struct host_rig *h, const struct host_channel *c);

#endif
