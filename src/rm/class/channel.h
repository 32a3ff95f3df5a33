/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Channels, the groups that they are scheduled in, and the context shares that give channels of one
 * group address spaces. What the GPU works on is counted, apart from the objects by which clients
 * name it, so that UVM can keep a channel's id and instance memory after its client freed it.
 *
 *   object KEPLER_CHANNEL_GROUP_A --> rm_channel_group --- list of ---> rm_channel
 *   object *_CHANNEL_GPFIFO_A ----------------------------------------/   |   \
 *                                                instance memory, notifier, USERD; address space
 *
 * docs/channels.md has the whole picture. A GPU's channels have one lock (rm_fifo.lock,
 * LOCK_RANK_CHANNEL, below the GPU's); what it guards is marked "fifo".
 */
#ifndef RM_CLASS_CHANNEL_H
#define RM_CLASS_CHANNEL_H

#include "base/list.h"
#include "rm/server/server.h"

struct rm_backing;
struct rm_channel_keys;
struct rm_vaspace;

#define RM_INSTANCE_BYTES 4096u /* NV_RAMIN: RAMFC first, page directories after it */
#define RM_RAMFC_BYTES 512u
#define RM_USERD_BYTES 512u
#define RM_SUBCONTEXTS 64u /* of a group: one for each address space in it (VEID) */
#define RM_RUNQUEUES 2u
#define RM_TIMESLICE_DEFAULT_US 1000u

struct rm_channel_group {
	u32 references; /* atomic */
	struct rm_gpu *gpu;
	u32 engine_type; /* NV2080_ENGINE_TYPE_* */
	u32 runlist;
	u32 id;			  /* on its runlist */
	u32 generation;		  /* of the fifo that gave the id */
	bool implicit;		  /* made by the driver around one channel */
	struct rm_vaspace *space; /* of channels without a context share; NULL: the device's */
	struct os_pages method_buffers[RM_RUNQUEUES]; /* of copy engines that fault */
	/* fifo: */
	struct list channels; /* struct rm_channel, of those not freed */
	u32 channel_count;
	u64 subcontexts; /* in use, a bit each */
	bool legacy;	 /* its channels name no context share, all */
	u64 timeslice_us;
	u32 interleave; /* NVA06C_CTRL_INTERLEAVE_LEVEL_* */
	u32 error;	/* ROBUST_CHANNEL_* of the first error, or 0 */
};

struct rm_channel {
	u32 references; /* atomic */
	struct rm_gpu *gpu;
	u32 chid; /* on its runlist */
	u32 runlist;
	u32 engine_type;
	u32 subcontext;
	u32 client, handle; /* of the object that it was made by */
	u32 pid;	    /* of its client; 0: the driver */
	u32 generation;	    /* of the fifo that gave the id */
	u64 born;	    /* the event that came last before it had its id */
	struct rm_channel_group *group;
	struct rm_vaspace *space;
	struct rm_backing *instance; /* in video memory */
	struct rm_backing *userd;    /* the client's memory, or the driver's own */
	u64 userd_offset;
	bool own_userd;		     /* the driver's, a page of it, which the client may map */
	struct rm_backing *notifier; /* NvNotification[]; NULL: none */
	u64 notifier_offset, notifier_size; /* where in it */
	struct rm_channel_keys *keys;	    /* class/channel_secure.h; NULL: it is not secure */
	/* fifo: */
	struct list_node node;	     /* of its group's channels */
	struct list_node space_node; /* of its address space's */
	struct rm_object *object;    /* NULL once freed, or before all of it is there */
	u32 token_index;	     /* of the notifier that gets the work-submit token */
	u32 error;		     /* ROBUST_CHANNEL_* of the first error, or 0 */
	bool bound;		     /* UVM mapped what its engine needs */
	bool stopped;		     /* it may not be scheduled any more */
	bool paused;		     /* the firmware lets it stand still: class/channel_pause.h */
	u8 actions[NV906F_NOTIFIERS_MAXCOUNT];
};

/* The channel of an object of a channel class; NULL for any other. As the object: borrowed. */
struct rm_channel *rm_channel_of(const struct rm_object *object);
void rm_channel_get(struct rm_channel *channel);
/* The last one frees the id and the memory. No lock below the GPU's is held. */
void rm_channel_put(struct rm_channel *channel);
/* What the doorbell wants: chid, and the runlist above it. */
u32 rm_channel_token(const struct rm_channel *channel);

/*
 * Whether the channel may be scheduled: one of an address space that UVM owns, on the graphics
 * engine, must be bound.
 */
bool rm_channel_schedulable(struct rm_channel *channel);
void rm_channel_set_bound(struct rm_channel *channel);
/*
 * No work of the channel runs any more: it is off its runlist, and preempted. Its client's requests
 * to schedule it are NV_ERR_INVALID_STATE from now on. Nothing happens once its object is freed. No
 * lock below the client's is held.
 */
void rm_channel_stop(struct rm_channel *channel);

struct rm_channel_group *rm_channel_group_of(const struct rm_object *object);

#endif
