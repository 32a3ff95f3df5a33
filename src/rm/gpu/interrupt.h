/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Interrupts of one GPU: of its firmware, for everything that must be seen to, and of its engines,
 * for work that is done, where anybody waits for that. The top half reads the interrupt tree,
 * clears what it finds and queues the bottom half, one work item for either; it touches nothing but
 * registers and atomics.
 */
#ifndef RM_GPU_INTERRUPT_H
#define RM_GPU_INTERRUPT_H

#include "os/os.h"

struct rm_gpu;

#define RM_INTR_LEAVES 16u /* of 32 vectors each */
#define RM_INTR_VECTORS (RM_INTR_LEAVES * 32u)

struct rm_gpu_interrupts {
	struct rm_gpu *gpu;
	struct os_workqueue *queue;
	struct os_work work;
	struct os_work engine_work;
	u32 pending[RM_INTR_LEAVES];  /* atomic: engines' vectors that came, not yet told */
	struct os_mutex want_lock;    /* LOCK_RANK_LEAF: who waits, and the tree's enabled bits */
	u32 wanted[RM_INTR_LEAVES];   /* atomic, written under want_lock */
	u16 waiting[RM_INTR_VECTORS]; /* want_lock: how many want the vector */
	u64 count;		      /* atomic: messages taken */
	u32 kicks;		      /* atomic: enum rm_gpu_kick, not yet done */
	bool enabled;		      /* gpu lock */
};

/* Lets the GPU's firmware interrupt. gpu->gsp is set. NV_ERR_NO_MEMORY. GPU lock held. */
enum nv_status rm_gpu_interrupts_enable(struct rm_gpu *gpu);
/* No top half runs after this; a bottom half may, and finds what the GPU lock tells. GPU lock held.
 */
void rm_gpu_interrupts_disable(struct rm_gpu *gpu);
/* What a bottom half does beside looking at the firmware's messages. */
enum rm_gpu_kick {
	RM_GPU_KICK_MESSAGES = 0,
	RM_GPU_KICK_TELL_LOST = 1u << 0,    /* clients do not know yet that the GPU is lost */
	RM_GPU_KICK_STOP_IF_IDLE = 1u << 1, /* rm_gpu_stop_if_idle waits for the end of the call */
};
/*
 * Runs the bottom half soon, to do that too. Any context, also while the GPU is removed, which then
 * does it or has done it, and after.
 */
void rm_gpu_interrupts_kick(struct rm_gpu *gpu, enum rm_gpu_kick what);
/*
 * One more, or one less, waits for an engine's vector: it interrupts as long as anybody does, and
 * rm_gpu_notify_engines is called. Nothing happens for RM_INTR_VECTORS and more. The caller has an
 * object on the GPU.
 */
void rm_gpu_interrupts_want(struct rm_gpu *gpu, u32 vector, bool want);
/* Waits for bottom halves and frees everything. GPU lock not held, interrupts disabled. */
void rm_gpu_interrupts_free(struct rm_gpu *gpu);

#endif
