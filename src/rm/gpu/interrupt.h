/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Interrupts of one GPU. The top half reads the interrupt tree, clears what it finds and queues the
 * bottom half, one work item a GPU; it touches nothing but registers and atomics.
 */
#ifndef RM_GPU_INTERRUPT_H
#define RM_GPU_INTERRUPT_H

#include "os/os.h"

struct rm_gpu;

struct rm_gpu_interrupts {
	struct rm_gpu *gpu;
	struct os_workqueue *queue;
	struct os_work work;
	u64 count;	  /* atomic: messages taken */
	u32 tell_lost;	  /* atomic: clients do not know yet that the GPU is lost */
	u32 stop_if_idle; /* atomic: rm_gpu_stop_if_idle waits for the end of the call */
	bool enabled;	  /* gpu lock */
};

/* Lets the GPU's firmware interrupt. gpu->gsp is set. NV_ERR_NO_MEMORY. GPU lock held. */
enum nv_status rm_gpu_interrupts_enable(struct rm_gpu *gpu);
/* No top half runs after this; a bottom half may, and finds what the GPU lock tells. GPU lock held.
 */
void rm_gpu_interrupts_disable(struct rm_gpu *gpu);
/* Runs the bottom half soon. Any context. */
void rm_gpu_interrupts_kick(struct rm_gpu *gpu);
/* Waits for bottom halves and frees everything. GPU lock not held, interrupts disabled. */
void rm_gpu_interrupts_free(struct rm_gpu *gpu);

#endif
