/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * One instance of the resource manager from inside: what rm_create makes, and the power lock that
 * every request of a file runs under.
 */
#ifndef RM_INSTANCE_H
#define RM_INSTANCE_H

#include "base/handle_map.h"
#include "base/list.h"
#include "rm/numa.h"
#include "rm/registry.h"
#include "rm/rm.h"

#define RM_VERSION_LENGTH 64u /* NV_RM_API_VERSION_STRING_LENGTH */
#define RM_CAPS 2u	      /* of caps.h's table */

struct rm_server;
struct rm_class_state;
struct rm_uvm_listener;

/*
 * Power management against everything else: requests hold it shared, a suspended instance lets them
 * wait until it resumes or the waiting thread is interrupted.
 */
struct rm_power {
	struct os_percpu_rwlock lock; /* LOCK_RANK_POWER */
	bool suspended;		      /* written under the lock held exclusively */
	struct os_event resumed;
};

struct rm {
	char version[RM_VERSION_LENGTH];
	const struct rm_host_ops *host;
	u32 uvm_major;
	struct os_mutex uvm_lock; /* LOCK_RANK_UVM_LISTEN: both below, and every call of them */
	const struct rm_uvm_listener *uvm; /* rm_uvm_listen; NULL: nobody */
	void *uvm_ctx;
	char *options[RM_OPTION_COUNT]; /* NULL: not set */
	u64 instance_id;		/* tells instances of one system apart */
	struct rm_power power;
	struct rm_server *server;
	struct rm_registry registry;

	/* By instance; rm/gpu fills and empties it under the API lock held exclusively. */
	struct rm_gpu *gpus[RM_MAX_GPUS];
	u32 gpu_count;
	void *gpu_state;		/* rm/gpu's own, if it keeps any */
	struct rm_class_state *classes; /* class/state.h */

	u32 cc;		     /* atomic: RM_CC_* (cc/session.h), and how many GPUs run */
	const void *cc_root; /* DER: who certifies GPUs; of rm_config */
	u32 cc_root_bytes;

	struct os_mutex names_lock;    /* LOCK_RANK_LEAF */
	struct handle_map names;       /* of OS events; names_lock */
	struct os_spinlock event_lock; /* where OS events go to, and every file's queue */

	struct os_mutex file_lock; /* registered control files, attached GPUs, numa settings */
	struct list gpu_files;	   /* open files of GPU nodes; file_lock */
	struct list closing;	   /* files released while suspended; file_lock */
	s32 cap_modify[RM_CAPS];   /* as written to the files of rm_caps[]; file_lock */
	struct rm_numa numa[RM_MAX_GPUS]; /* by GPU instance; file_lock */
	u64 memblock_size;		  /* NV_ESC_SYS_PARAMS; 0: not set. file_lock */
};

/* For rm_power_enter alone, which found the instance suspended. */
enum nv_status rm_power_wait(struct rm *rm, u32 *token);

/* NV_OK with the lock held shared, or NV_ERR_SIGNAL_PENDING. */
static inline enum nv_status rm_power_enter(struct rm *rm, u32 *token)
{
	*token = os_percpu_rwlock_read_lock(&rm->power.lock);
	return __builtin_expect(rm->power.suspended, 0) ? rm_power_wait(rm, token) : NV_OK;
}

static inline void rm_power_leave(struct rm *rm, u32 token)
{
	os_percpu_rwlock_read_unlock(&rm->power.lock, token);
}

/* Waits for every request in flight, then keeps new ones waiting. Idempotent, as is its reverse. */
void rm_power_suspend(struct rm *rm);
void rm_power_resume(struct rm *rm);

#endif
