/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a GPU schedules: its engines and runlists as the firmware told of them, and which channel
 * has which id. A runlist has channel ids of its own; so an error names an engine and an id.
 */
#ifndef RM_CLASS_FIFO_H
#define RM_CLASS_FIFO_H

#include "abi/r535.h"
#include "base/list.h"
#include "os/os.h"

struct rm_channel;
struct rm_gpu;

#define RM_FIFO_ENGINES 48u
#define RM_FIFO_RUNLISTS 48u
#define RM_FIFO_CHANNELS 4096u /* at most, of one runlist */
#define RM_NO_ID 0xffffffffu

struct rm_fifo_engine {
	u32 type; /* NV2080_ENGINE_TYPE_* */
	u32 runlist;
	u32 nonstall_vector; /* of the interrupt tree; RM_NO_ID: none */
};

/* All under the fifo's lock. */
struct rm_runlist {
	u32 channel_count;
	u32 used;
	struct rm_channel **channels; /* by id; made with the first channel */
	u64 *ids;		      /* taken channel ids, then taken group ids */
	u64 *groups;
};

struct rm_fifo {
	struct os_mutex lock; /* LOCK_RANK_CHANNEL: runlists, and what channel.h marks */
	u32 ready;	      /* set with release once what follows is known; then it stays */
	u32 engine_count;
	struct rm_fifo_engine engines[RM_FIFO_ENGINES];
	u32 runlist_count;
	struct rm_runlist runlists[RM_FIFO_RUNLISTS];
	u32 method_buffer_bytes;
	struct list objects; /* lock: struct rm_engine_object, of all its channels */
	u32 generation; /* lock: grows when all is forgotten, ids that are still held included */
};

enum nv_status rm_fifo_init(struct rm_fifo *fifo);
void rm_fifo_fini(struct rm_fifo *fifo);
/* What is known of the GPU is forgotten; no object of a channel is left. */
void rm_fifo_reset(struct rm_fifo *fifo);

/*
 * The GPU's, asking the firmware the first time. NV_ERR_INVALID_STATE: not booted;
 * NV_ERR_INVALID_DATA: nonsense came; the firmware's and gsp_rpc_control's statuses. No lock below
 * the GPU's is held.
 */
enum nv_status rm_fifo_get(struct rm_gpu *gpu, struct rm_fifo **out);
/* NULL: the GPU has no such engine, or none that channels work on. */
const struct rm_fifo_engine *rm_fifo_engine(const struct rm_fifo *fifo, u32 type);

/* -- Ids: the fifo's lock is held ----------------------------------------------------------------
 */

/*
 * Gives channel an id of the runlist: the one wanted (RM_NO_ID: any), or any whose remainder by 8
 * is index (RM_NO_ID: any). NV_ERR_NO_FREE_FIFOS, NV_ERR_NO_MEMORY.
 */
enum nv_status rm_fifo_take_channel(struct rm_fifo *fifo, u32 runlist, u32 wanted, u32 index,
				    struct rm_channel *channel, u32 *chid);
/* Nobody finds the channel by its id any more, which stays taken. */
void rm_fifo_hide_channel(struct rm_fifo *fifo, u32 runlist, u32 chid);
void rm_fifo_free_channel(struct rm_fifo *fifo, u32 runlist, u32 chid);
struct rm_channel *rm_fifo_channel(const struct rm_fifo *fifo, u32 runlist, u32 chid);
/* NV_ERR_NO_FREE_FIFOS, NV_ERR_NO_MEMORY. */
enum nv_status rm_fifo_take_group(struct rm_fifo *fifo, u32 runlist, u32 *id);
void rm_fifo_free_group(struct rm_fifo *fifo, u32 runlist, u32 id);

#endif
