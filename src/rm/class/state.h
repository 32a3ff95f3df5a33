/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the classes of objects keep beyond their objects: for each GPU its video memory heap, its
 * subdevices and its rules, and for the whole instance the list of event objects. Indexed by a
 * GPU's instance; a record is reset when the GPU it belonged to is gone.
 */
#ifndef RM_CLASS_STATE_H
#define RM_CLASS_STATE_H

#include "rm/class/fabric.h"
#include "rm/class/fifo.h"
#include "rm/class/heap.h"
#include "rm/class/peer.h"
#include "rm/gpu/gpu.h"
#include "rm/instance.h"
#include "rm/server/server.h"

struct rm_gpu_objects {
	struct os_mutex tlb_lock; /* LOCK_RANK_TLB: the registers of TLB invalidation */
	struct os_mutex lock;	  /* LOCK_RANK_LEAF: all of this */
	u32 tlb_stale;		  /* atomic, set under tlb_lock: an invalidation timed out */
	struct list kept;	  /* struct rm_tlb_late: what is freed after the next (gpu/tlb.h) */
	struct rm_heap heap;	  /* video memory; ready once a device was made on the booted GPU */
	u64 bar_mapped;		  /* bytes of video memory that clients have mapped */
	struct list subdevices;	  /* struct rm_subdevice */
	u32 compute_rules;	  /* NV2080_CTRL_GPU_COMPUTE_MODE_RULES_* */
	u32 compute_owner;	  /* client that holds the compute mode reservation, or 0 */
	struct rm_fabric_probe fabric;
	struct rm_fifo fifo;		      /* has a lock of its own */
	const struct rm_object *fault_buffer; /* the one MMU_FAULT_BUFFER; NULL: none */
	bool draining, removing; /* drain state: no new users; to be removed when idle */
};

struct rm_class_state {
	struct rm_gpu_objects gpus[RM_MAX_GPUS];
	struct rm_peers peers;
	struct os_mutex
		event_lock; /* LOCK_RANK_LEAF: events and what subdevices and clients armed */
	struct list events; /* struct rm_event */
	struct os_mutex session_lock; /* LOCK_RANK_LEAF */
	bool fabric_manager;	      /* a fabric manager session exists */
	bool fabric_initialized;      /* ... and said so */
};

enum nv_status rm_class_state_create(struct rm *rm);
void rm_class_state_destroy(struct rm *rm);

static inline struct rm_gpu_objects *rm_gpu_objects_of(const struct rm_gpu *gpu)
{
	return &gpu->rm->classes->gpus[gpu->instance];
}

/* The heap, made from what the firmware said of video memory. NV_ERR_INVALID_STATE: not booted. */
enum nv_status rm_gpu_heap(struct rm_gpu *gpu, struct rm_gpu_objects **out);

/* A control of the driver's own on the firmware's internal subdevice. */
enum nv_status rm_gpu_internal_control(struct rm_gpu *gpu, u32 cmd, void *params, u32 size);

/* The caller may do what is reserved to the administrator. */
bool rm_call_is_admin(const struct rm_call *call);

#endif
