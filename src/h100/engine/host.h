/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The host engine: what fetches the work of channels and hands it to the engines.
 *
 *   doorbell (page or register)
 *      |  names a client, or a channel
 *      v
 *   channels of the client whose GPPut (USERD) moved --> pending on their runlist
 *      |
 *      v  a worker takes a runlist; its groups take turns by time slice
 *   GP entry --> pushbuffer --> method header --> host method: semaphores, barriers, interrupts
 *                                             `-> engine method (class.h)
 *
 * A runlist is run by one worker at a time. A channel that waits for a semaphore leaves the runlist
 * to others and is looked at again after each release by an engine, and by time. An error stops the
 * channel's group, is queued for the firmware, and leaves all others alone.
 *
 * Locks: everything here is the FIFO's own lock's. Configuration calls (create, destroy, bind,
 * schedule) come from the firmware, one at a time; those that stop something wait until it is off
 * its engine. That takes no longer than half a megabyte, or what is secure four: a longer method is
 * stopped in its middle, and taken up again when its channel runs next.
 */
#ifndef H100_ENGINE_HOST_H
#define H100_ENGINE_HOST_H

#include "h100/engine/class.h"
#include "h100/engine/engines.h"
#include "h100/engine/mmu.h"
#include "h100/engine/secure.h"
#include "h100/h100.h"

#define H100_SUBCHANNELS 8u

struct h100_state;
struct h100_fifo;
struct h100_channel;
struct h100_group;
struct h100_space;

/* What stopped a group. */
struct h100_fifo_error {
	u32 runlist, chid;
	u32 engine_type; /* NV2080_ENGINE_TYPE_* of the engine or, for the host's own, of the
			    runlist */
	u32 code;	 /* ROBUST_CHANNEL_* */
	u32 client;	 /* RM client of the channel */
	bool has_fault;	 /* an MMU fault: fault says which */
	struct h100_fault fault;
	u64 instance; /* address and aperture of the channel's instance block */
	u8 instance_aperture;
	u32 method, data, subchannel; /* what it was at */
	u32 info; /* what the engine reports of its own errors (class.h), else 0 */
};

struct h100_fifo_ops {
	/* A vector of the interrupt tree becomes pending. Any thread. */
	void (*raise)(void *ctx, u32 vector);
	/* Errors wait for h100_fifo_error_take. Any thread, with locks held: wakes and returns. */
	void (*errors)(void *ctx);
};

struct h100_fifo_config {
	const struct h100_host *host; /* clock, log, doorbell_arm; outlives the FIFO */
	const struct h100_fifo_ops *ops;
	void *ctx;		  /* of ops */
	struct h100_state *state; /* accounting */
	const struct h100_engines *engines;
	struct h100_keys *keys; /* of secure channels; NULL: there are none */
	struct h100_memory *memory;
	struct h100_mmu *mmu;
	bool threads; /* false: works only in h100_fifo_run */
};

/* NV_ERR_NO_MEMORY. Starts no thread: the first work does. */
enum nv_status h100_fifo_create(const struct h100_fifo_config *config, struct h100_fifo **out);
/* Stops the threads; channels, groups, spaces and doorbells that are left are freed. */
void h100_fifo_destroy(struct h100_fifo *fifo);
/* Frees every channel, group and space: the driver is gone. Doorbells stay. */
void h100_fifo_reset(struct h100_fifo *fifo);
/*
 * While the GPU is suspended nothing runs and nothing is looked at, since memory may be out of
 * reach; it returns once all channels are off. They go on as if nothing had been.
 */
void h100_fifo_suspend(struct h100_fifo *fifo, bool on);
/* Before h100_fifo_destroy, where others still call: no thread of its own is left. */
void h100_fifo_stop(struct h100_fifo *fifo);
/* Without threads: for how long h100_fifo_run has nothing to do for certain, unless rung. */
u64 h100_fifo_quiet_ns(struct h100_fifo *fifo);
/*
 * Without threads: does what there is to do on this thread, all of it or for so long (there may be
 * no end of it); true when there was anything.
 */
bool h100_fifo_run(struct h100_fifo *fifo);
bool h100_fifo_run_for(struct h100_fifo *fifo, u64 ns);
/* Tokens were rung by register. Any context that may wake a thread. */
void h100_fifo_rang(struct h100_fifo *fifo, const u32 *tokens, u32 count);
/* The oldest error that nobody took yet; false: none. */
bool h100_fifo_error_take(struct h100_fifo *fifo, struct h100_fifo_error *error);
/* -- Address spaces: a page directory that may change, shared by channels; counted -- */

enum nv_status h100_space_create(struct h100_fifo *fifo, struct h100_space **out);
struct h100_space *h100_space_get(struct h100_space *space);
void h100_space_put(struct h100_space *space);
/* NULL: none, and every access faults. The translations of the old one are forgotten. */
void h100_space_set(struct h100_space *space, const struct h100_pdb *pdb);
bool h100_space_pdb(struct h100_space *space, struct h100_pdb *pdb);

/* -- Doorbells: as those of h100.h -- */

enum nv_status h100_fifo_doorbell_create(struct h100_fifo *fifo, u32 client, int *fd,
					 struct h100_doorbell **out);
/* The host has a page of its own (4 KiB), which stays until destroy; ctx is get_ctx's. */
enum nv_status h100_fifo_doorbell_attach(struct h100_fifo *fifo, u32 client, void *page, void *ctx,
					 struct h100_doorbell **out);
void h100_fifo_doorbell_destroy(struct h100_doorbell *doorbell);
void h100_fifo_doorbell_armed(struct h100_doorbell *doorbell);
void h100_fifo_doorbell_rang(struct h100_doorbell *doorbell);

/* -- Groups -- */

enum nv_status h100_group_create(struct h100_fifo *fifo, u32 runlist, struct h100_group **out);
/* All of its channels are gone. */
void h100_group_destroy(struct h100_group *group);
/* Takes all of its channels off or puts them on; on: those that are enabled by themselves too. */
void h100_group_schedule(struct h100_group *group, bool on);
/* Of 25 ms (FIFO_TIMESLICE_MAX_US) at most, interleaving included; more is that.
 * NV_ERR_INVALID_ARGUMENT: 0. */
enum nv_status h100_group_set_timeslice(struct h100_group *group, u64 us);
u64 h100_group_timeslice(struct h100_group *group);
/* NVA06C_CTRL_INTERLEAVE_LEVEL_*: each level doubles its slice. NV_ERR_INVALID_ARGUMENT. */
enum nv_status h100_group_set_interleave(struct h100_group *group, u32 level);
/* Takes the group off its engine; with wait, returns once it is off. */
void h100_group_preempt(struct h100_group *group, bool wait);

/* -- Channels -- */

struct h100_channel_config {
	struct h100_group *group;
	u32 client; /* RM client whose doorbell page rings it; 0: the driver's */
	u32 chid;
	struct h100_space *space; /* gets a reference */
	u64 gpfifo;		  /* virtual address of its GP entries */
	u32 gpfifo_entries;	  /* a power of 2, at least 2 */
	u8 userd_aperture;	  /* enum h100_aperture */
	u64 userd_address;
	u8 instance_aperture;
	u64 instance_address;
	bool privileged; /* may use physical addresses, and invalidate all TLBs */
	bool secure;	 /* has keys, and its counters begin at start */
	bool kernel;	 /* those of the driver's own channels, not of clients' */
	struct h100_secure_start start;
	u64 acquire_timeout_ns; /* 0: never */
};

/*
 * NV_ERR_INVALID_ARGUMENT, NV_ERR_IN_USE (chid), NV_ERR_NO_MEMORY; of a secure one as
 * h100_secure_create. Not scheduled.
 */
enum nv_status h100_channel_create(struct h100_fifo *fifo, const struct h100_channel_config *config,
				   struct h100_channel **out);
void h100_channel_destroy(struct h100_channel *channel);
void h100_channel_schedule(struct h100_channel *channel, bool on);
/*
 * A channel that is not enabled does nothing, whatever is scheduled, and goes on where it was. On
 * return it is off its engine.
 */
void h100_channel_enable(struct h100_channel *channel, bool on);
/*
 * Undoes an error: empty, at GPPut, with no object on any subchannel. What a secure one has counted
 * stays so. Not scheduled.
 */
void h100_channel_reset(struct h100_channel *channel);
bool h100_channel_failed(struct h100_channel *channel);
/* Nothing of it runs or waits, and GPPut says that there is nothing to come; or it failed. */
bool h100_channel_idle(struct h100_channel *channel);
/* What stopped its group last; false: nothing has. */
bool h100_channel_error(struct h100_channel *channel, struct h100_fifo_error *error);
u32 h100_channel_runlist(const struct h100_channel *channel);
/*
 * Counters of a secure channel (H100_SECURE_* bits) begin anew from there.
 * NV_ERR_INVALID_STATE: it is not secure, has work, or failed; NV_ERR_INVALID_ARGUMENT: it has no
 * such counter.
 */
enum nv_status h100_channel_rotate(struct h100_channel *channel, u32 which,
				   const struct h100_secure_start *start);
/*
 * Makes the state of a class's object, so that SET_OBJECT finds it. NV_ERR_INVALID_CLASS: no engine
 * of the runlist serves it; NV_ERR_NO_MEMORY. A class may be added many times. *engine (may be
 * NULL): which engine it is of.
 */
enum nv_status h100_channel_add_object(struct h100_channel *channel, u32 class_id,
				       const struct h100_engine_info **engine);
void h100_channel_remove_object(struct h100_channel *channel, u32 class_id);

#endif
