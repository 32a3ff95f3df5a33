/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Peer ids: by which of its eight numbers a GPU's page tables name another GPU's memory, and how
 * often each pair of GPUs is in use. The firmware is told when the first user of a number comes and
 * when its last one goes.
 *
 *   GPUs side by side: a number for each GPU, the address is one of that GPU's memory
 *   GPUs on switches:  one number for all; the address is one of the fabric, in which each GPU has
 *                      a window
 */
#ifndef RM_CLASS_PEER_H
#define RM_CLASS_PEER_H

#include "rm/rm.h"
#include "rm/gpu/gpu.h"

#define RM_PEER_IDS 8u
#define RM_PEER_ANY (~0u)

struct rm_peers {
	struct os_mutex lock; /* LOCK_RANK_PEER: all of this is written under it */
	struct rm_peer_gpu {
		u32 id_users[RM_PEER_IDS]; /* pairs that use the number */
		struct {
			u32 users, id; /* id: atomic, RM_PEER_ANY without users */
		} to[RM_MAX_GPUS];     /* by instance */
	} gpus[RM_MAX_GPUS];
};

/* One direction. */
struct rm_peer_way {
	u32 id;	   /* in a PTE of the aperture PEER; to rm_peer_create the one wanted, or ANY */
	u32 links; /* how many lead there */
	u64 base;  /* what is added to an address of the other GPU's memory */
};

/*
 * a reaches b's memory and b a's, until as many calls of rm_peer_destroy. Both are booted, and a
 * may be b (through switches). The API lock is held, no GPU lock. NV_ERR_NOT_SUPPORTED: no links
 * between them, or none that a GPU's memory is reached by; NV_ERR_INVALID_ARGUMENT: no such number;
 * NV_ERR_IN_USE: it leads elsewhere; NV_ERR_INSUFFICIENT_RESOURCES: none is free; what the firmware
 * says.
 */
enum nv_status rm_peer_create(struct rm_gpu *a, struct rm_gpu *b, struct rm_peer_way *ab,
			      struct rm_peer_way *ba);
/* Either GPU may be lost. */
void rm_peer_destroy(struct rm_gpu *a, struct rm_gpu *b);
/* The number by which a names b's memory now; RM_PEER_ANY: none. Waits for nobody. */
u32 rm_peer_id(struct rm_gpu *a, struct rm_gpu *b);

/* rm/class/state.c */
enum nv_status rm_peers_init(struct rm_peers *peers);
void rm_peers_fini(struct rm_peers *peers);

#endif
