/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * One GPU as the driver holds it: where it is, what state it is in, its lock, and the firmware
 * behind it. Boot (rm/gsp) runs at the first open of its node and its state stays while anyone
 * holds it or persistence mode is on.
 */
#ifndef RM_GPU_GPU_H
#define RM_GPU_GPU_H

#include "abi/r535.h"
#include "os/os.h"

struct rm;
struct rm_cc;
struct rm_gsp;
struct rm_gpu_interrupts;
struct rm_gpu_static;
struct rm_control_cache;

enum rm_gpu_state {
	RM_GPU_FOUND,	/* on the bus, not booted */
	RM_GPU_RUNNING, /* firmware answers */
	RM_GPU_LOST,	/* off the bus, or its firmware is dead */
};

#define RM_BAR_VIDEO 2u /* PCI's index of the BAR that shows video memory at its own addresses */

struct rm_gpu {
	struct rm *rm;
	struct os_pci_dev *pci;
	struct os_pci_location location;
	u32 instance; /* index in rm's table, device instance */
	u32 minor;
	u32 gpu_id; /* what clients call it: (domain << 16) | (bus << 8) | device */
	u16 vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	u8 revision;
	u32 bar_count;
	struct {
		u64 address, size;
	} bars[3];	 /* registers, video memory, control: BAR0, BAR1 (pci 2), BAR2 (pci 4) */
	u32 state;	 /* enum rm_gpu_state; read with os_load_acquire */
	u32 users;	 /* opens and attaches that keep it booted; written under the gpu lock */
	bool persistent; /* likewise */
	u32 accounting;	 /* atomic: processes are accounted for, until the firmware stops */
	u32 excluded;	 /* atomic: a setting names its UUID, so nobody may open it */
	bool suspended;	 /* its firmware's state waits for rm_gpu_resume; GPU lock */
	struct os_mutex lock; /* LOCK_RANK_GPU: RPC queues and all state below */
	struct rm_gsp *gsp;   /* NULL until booted */
	struct rm_cc *cc;     /* confidential mode (cc/session.h); NULL: off, or not booted */
	bool cc_attached;     /* it counts in rm->cc; GPU lock */
	u32 video_closed; /* atomic: no BAR shows its memory (gpu/video.h); GPU lock to change it */
	struct os_spinlock interrupts_lock;
	/* Made under the GPU lock at the first boot; both locks are held to change it, but at the
	 * end.
	 */
	struct rm_gpu_interrupts *interrupts;
	struct rm_control_cache *cache; /* replies of cacheable commands */
	/*
	 * What the firmware said at boot (gpu/static_info.h), set before RUNNING. It goes when the
	 * firmware is stopped in order, under the API lock held exclusively; a lost GPU keeps it.
	 */
	struct rm_gpu_static *info;
	u32 boot_0;	  /* NV_PMC_BOOT_0, once booted */
	u32 references;	  /* atomic; the memory goes with the last one */
	u64 nvlink_sid;	  /* what it calls itself on its links; 0: nothing */
	u32 nvlink_named; /* set with release once that is known */
	u32 lost_told;	  /* atomic: its clients know that it is LOST (rm_gpu_notify_lost) */
	u32 lost_xid;	  /* why it is LOST; 0 while it is not, or when it was removed in order */
	u32 crash_told;	  /* atomic: Xid 120 is in the log, since the last boot */
	u64 event_number; /* atomic: events of the firmware's since ever; written under the GPU lock
			   */
	u32 forgotten;	  /* atomic, set under its objects' lock: it keeps nothing (gpu/tlb.h) */
};

#define RM_XID_OFF_BUS 79u	/* ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS */
#define RM_XID_RPC_TIMEOUT 119u /* GSP_RPC_TIMEOUT */
#define RM_XID_GSP_ERROR 120u	/* GSP_ERROR */

/* In rm's table by instance, gpu_id or minor; NULL when there is none. API lock held. */
struct rm_gpu *rm_gpu_by_instance(struct rm *rm, u32 instance);
struct rm_gpu *rm_gpu_by_id(struct rm *rm, u32 gpu_id);
struct rm_gpu *rm_gpu_by_minor(struct rm *rm, u32 minor);
u32 rm_gpu_count(struct rm *rm);

static inline bool rm_gpu_is_lost(const struct rm_gpu *gpu)
{
	return os_load_acquire(&gpu->state) == RM_GPU_LOST;
}

/*
 * Boots the GPU for its first user and counts one more; NV_ERR_GPU_IS_LOST, NV_ERR_ILLEGAL_ACTION
 * (it is excluded, which its firmware's word of its UUID tells), or what the boot failed with
 * (everything it took is released). Takes the GPU lock.
 */
enum nv_status rm_gpu_retain(struct rm_gpu *gpu);
/* Finds out whether the GPU is excluded, where a setting names any. Boots its firmware for it. */
void rm_gpu_check_excluded(struct rm_gpu *gpu);
/*
 * One user less. Unless persistence mode is on, the last one frees all clients' objects on the GPU
 * and shuts the firmware down: under the API lock held exclusively, so in the middle of a call
 * (whose thread holds it shared) a work item does that after it.
 */
void rm_gpu_release(struct rm_gpu *gpu);
/*
 * Has a running firmware keep its state and stops it: NV_OK, also where none runs, or why it still
 * runs. rm_gpu_resume starts it with that state, or the GPU is lost. No request is being served.
 */
enum nv_status rm_gpu_suspend(struct rm_gpu *gpu);
void rm_gpu_resume(struct rm_gpu *gpu);
/* Stops a firmware that nobody needs any more, as above. No lock held, no call on this thread. */
void rm_gpu_stop_if_idle(struct rm_gpu *gpu);
/* Has a firmware that runs know of it, and clients that it does. No lock held. */
void rm_gpu_tell_power_source(struct rm_gpu *gpu, bool battery);
/*
 * Keeps the structure (not the GPU) in memory: for pointers that may outlive rm_gpu_remove. Every
 * user that rm_gpu_retain counted holds one, so a file needs no more.
 */
void rm_gpu_get(struct rm_gpu *gpu);
void rm_gpu_put(struct rm_gpu *gpu);
/*
 * Sets persistence mode; the firmware of a GPU without users stays up while it is on, and is
 * stopped by a work item when it goes off. GPU lock held.
 */
void rm_gpu_set_persistent(struct rm_gpu *gpu, bool persistent);
/*
 * Whether it may reach anything by itself, where its config space answers. One that is lost may
 * not: its engines go on though its firmware crashed. Any context that may take a spinlock; nobody
 * else writes the command register meanwhile.
 */
void rm_gpu_set_bus_master(struct rm_gpu *gpu, bool on);
/*
 * Marks it lost, logs the Xid (79 off the bus, 120 GSP crash), tells its clients.
 * The first cause counts. Any context that may take a spinlock; the GPU lock may be held.
 */
void rm_gpu_lose(struct rm_gpu *gpu, u32 xid, const char *why);

/* "NVRM: Xid (PCI:0000:01:00): xid, pid=..., name=..., text" as the log has it. Any context. */
void rm_gpu_log_xid(struct rm_gpu *gpu, u32 xid, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for what is not the doing of the request being served: process 0 is nobody's. */
void rm_gpu_log_xid_of(struct rm_gpu *gpu, u32 xid, u32 process, const char *text);

void rm_gpu_lock(struct rm_gpu *gpu);
void rm_gpu_unlock(struct rm_gpu *gpu);

/*
 * Nanoseconds of the GPU's timer (PTIMER), which runs from power-on; all ones off the bus, or when
 * its two words never fit together. Any context.
 */
u64 rm_gpu_time(const struct rm_gpu *gpu);

#endif
