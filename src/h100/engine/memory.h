/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Memory as the GPU's engines address it physically: its own, the machine's by DMA address, and
 * other GPUs' by peer id (fabric.h). Nothing else can be reached from here, whatever the address
 * says.
 *
 *   engine thread:  enter | access access access | yield | access access | leave
 *   who moves video memory:       pause waits for that ^ or that ^       | work | resume
 *
 * Between enter and leave neither the backing of video memory nor the mappings of DMA addresses
 * change, so pointers that h100_memory_pointer gave hold until then (or the next yield).
 */
#ifndef H100_ENGINE_MEMORY_H
#define H100_ENGINE_MEMORY_H

#include <pthread.h>

#include "abi/status.h"
#include "base/types.h"
#include "h100/function/chip.h"
#include "h100/h100.h"

struct h100_fabric;
struct h100_state;

/* As in PTEs: the numbers of NV_MMU_VER3_PTE_APERTURE. */
enum h100_aperture {
	H100_APERTURE_VIDEO,
	H100_APERTURE_PEER, /* which one is in the bits above: h100_aperture_peer */
	H100_APERTURE_SYSTEM_COHERENT,
	H100_APERTURE_SYSTEM_NONCOHERENT, /* the same memory */
};

#define H100_PEERS 8u
#define H100_APERTURE_BITS 2u

/* What is called an aperture here is one of the four, or of peers, one with the peer's id. */
static inline u32 h100_aperture_peer(u32 id)
{
	return H100_APERTURE_PEER | id << H100_APERTURE_BITS;
}

static inline bool h100_aperture_is_peer(u32 aperture)
{
	return (aperture & ((1u << H100_APERTURE_BITS) - 1)) == H100_APERTURE_PEER;
}

static inline u32 h100_peer_of(u32 aperture)
{
	return aperture >> H100_APERTURE_BITS & (H100_PEERS - 1);
}

enum h100_memory_op {
	H100_MEMORY_MIN_SIGNED,
	H100_MEMORY_MAX_SIGNED,
	H100_MEMORY_MIN_UNSIGNED,
	H100_MEMORY_MAX_UNSIGNED,
	H100_MEMORY_XOR,
	H100_MEMORY_AND,
	H100_MEMORY_OR,
	H100_MEMORY_ADD,
	H100_MEMORY_INC, /* old >= operand ? 0 : old + 1 */
	H100_MEMORY_DEC, /* old == 0 || old > operand ? operand : old - 1 */
	H100_MEMORY_EXCHANGE,
};

struct h100_memory {
	u8 *video;
	u64 video_bytes;
	const struct h100_host *host;
	struct h100_chip *chip;	  /* may be NULL: always a bus master */
	struct h100_state *state; /* where traffic is accounted, may be NULL */
	/* Confidential mode: engines reach the GPU's own memory, and what is outside where their
	 * access says so (H100_ACCESS_OUTSIDE). Does not change while they work. */
	bool confidential;

	struct h100_fabric *fabric; /* the GPU's links; NULL: none in this process */
	u32 place;		    /* which GPU of it */
	u32 peers[H100_PEERS];	    /* atomic: where they lead (fabric.c) */

	pthread_rwlock_t bursts;       /* readers: who entered */
	pthread_mutex_t atomics;       /* operations on system memory that has no pointer */
	u64 read_bytes, written_bytes; /* atomic: system memory, not accounted yet */
};

/* host, chip and state as gpu_start has them; the memory is whoever's mapped it. NV_ERR_NO_MEMORY.
 */
enum nv_status h100_memory_init(struct h100_memory *m, const struct h100_host *host,
				struct h100_chip *chip, struct h100_state *state, u8 *video,
				u64 video_bytes);
void h100_memory_fini(struct h100_memory *m);

/* Around a burst of accesses. Not nested; what follows is called in between unless it says so. */
void h100_memory_enter(struct h100_memory *m);
void h100_memory_leave(struct h100_memory *m);
/* Lets those in who wait for the burst to end: in long ones every few hundred microseconds. */
void h100_memory_yield(struct h100_memory *m);
/*
 * Outside of a burst: waits for all bursts to end, and for what other GPUs access here, and keeps
 * new ones from beginning.
 */
void h100_memory_pause(struct h100_memory *m);
void h100_memory_resume(struct h100_memory *m);
/* Outside of a burst: waits until the bursts are over that have begun by now. */
void h100_memory_drain(struct h100_memory *m);

/*
 * Any alignment and size, also across pages; false when any byte cannot be reached (then some may
 * have been moved). Aligned accesses of 4 and 8 bytes are single ones, reads acquire and writes
 * release.
 */
bool h100_memory_read(struct h100_memory *m, u32 aperture, u64 address, void *data, u64 size);
bool h100_memory_write(struct h100_memory *m, u32 aperture, u64 address, const void *data,
		       u64 size);
/*
 * An atomic operation on an aligned word of 4 or 8 bytes; the old value to *old (may be NULL).
 * False when it cannot be reached or is not aligned.
 */
bool h100_memory_fetch_op(struct h100_memory *m, u32 aperture, u64 address, u32 width,
			  enum h100_memory_op op, u64 operand, u64 *old);

/*
 * Where the byte lies for the CPU, and how many bytes follow it there (at least up to the end of
 * its 4 KiB page); NULL: it cannot be reached, or only by h100_memory_read and _write. What is
 * moved by it in system memory the caller accounts.
 */
u8 *h100_memory_pointer(struct h100_memory *m, u32 aperture, u64 address, u64 *bytes);
void h100_memory_account(struct h100_memory *m, u32 aperture, u64 read_bytes, u64 written_bytes);

/*
 * A client learns from a word in memory that work is done, and rings for more on another channel:
 * that order goes by way of a process where ThreadSanitizer does not look, so it is told of it.
 */
#ifdef __SANITIZE_THREAD__
extern u32 h100_memory_words; /* atomic: that clients may have seen */
#define h100_memory_tell() ((void)os_fetch_add(&h100_memory_words, 1))
#define h100_memory_asked() ((void)os_load_acquire(&h100_memory_words))
#else
#define h100_memory_tell() ((void)0)
#define h100_memory_asked() ((void)0)
#endif

/* What h100_memory_read, _write and _fetch_op do where there is a pointer. */
void h100_memory_load(void *data, const u8 *at, u64 size);
void h100_memory_store(u8 *at, const void *data, u64 size);
u64 h100_memory_fetch_op_at(u8 *at, u32 width, enum h100_memory_op op, u64 operand);

#endif
