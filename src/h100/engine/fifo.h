/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The host engine from inside: channels, runlists, threads, doorbells.
 *
 *   fifo.lock        everything, but what says otherwise; never taken in a burst of accesses
 *   a channel's exec  whoever runs it: its state is RUNNING, and it is its runlist's current
 *
 * States of a channel, and of its place in its group's list:
 *
 *   IDLE --GPPut moved--> PENDING --a worker--> RUNNING --empty--> IDLE (PENDING if rung meanwhile)
 *                            ^                   |   `--semaphore--> BLOCKED --it has come-->
 * PENDING
 *                            `--time slice over--'   `--error--> FAILED, with all of its group
 */
#ifndef H100_ENGINE_FIFO_H
#define H100_ENGINE_FIFO_H

#include <pthread.h>
#include <semaphore.h>

#include "base/list.h"
#include "h100/engine/host.h"
#include "h100/engine/state.h"

#define FIFO_THREADS_MAX 9u
#define FIFO_CLIENT_BUCKETS 64u
#define FIFO_TIMESLICE_US 2000u
/* Of a group, interleaving included: a runlist full of them has had its turns in 52 s. */
#define FIFO_TIMESLICE_MAX_US 25000u
#define FIFO_TURN_NS 2000000u /* of a runlist, when there are more of them than threads */
#define FIFO_WATCHED 64u      /* pages that are looked at all the time */
#define FIFO_PB_WORDS 512u    /* of a pushbuffer, fetched at once */

/* -- Channels -- */

struct fifo_object {
	struct list_node node;
	const struct h100_engine_class *class;
	const struct h100_engine_info *engine;
	u32 refs;
	u64 state[];
};

enum fifo_channel_state {
	FIFO_IDLE,
	FIFO_PENDING,
	FIFO_RUNNING,
	FIFO_BLOCKED,
	FIFO_FAILED,
};

/* A semaphore that a channel waits for. */
struct fifo_acquire {
	u64 address, payload;
	u8 compare; /* NVC86F_SEM_EXECUTE_OPERATION_* */
	bool wide;
	u64 since_ns, next_ns; /* when it began, when to look again */
	u32 pass;	       /* that it was looked at in */
	u32 write;	       /* the last one that it was looked at after */
};

/* How pushbuffer words are read: what the method header under way says. */
struct fifo_header {
	u16 method; /* next one, in words */
	u16 count;  /* of data words to come */
	u8 subchannel;
	bool increment, once; /* once: one increment only */
};

struct h100_channel {
	struct h100_fifo *fifo;
	struct h100_group *group;
	struct h100_channel_config config;
	struct list_node group_node;   /* among all of the group's */
	struct list_node pending_node; /* group's pending */
	struct list_node blocked_node; /* client's blocked */
	struct fifo_client *client;
	u32 client_index; /* in client->channels, while it is scheduled */
	enum fifo_channel_state state;
	bool scheduled; /* by itself */
	bool disabled;	/* stands still, scheduled or not */
	bool active;	/* scheduled, its group too, enabled: looked at when its client rings */
	bool rung;	/* while RUNNING: look at GPPut again */
	u32 held;	/* who waits for it to come off: then it is IDLE, whatever it has to do */

	/* exec */
	u32 gp_get;   /* atomic: the next entry */
	bool stopped; /* in the middle of an engine's method, which the next word is */
	struct h100_secure *secure; /* NULL: it is not */
	u64 extended;		    /* bits of pushbuffer addresses from 40 on */
	u64 pb_at;		    /* the segment under way: next word, words left */
	u32 pb_left;
	bool pb_entry; /* GPGet is to move once the segment is done */
	struct fifo_header header;
	u32 subdevice_mask, stored_mask;
	u32 sem_addr[2], sem_payload[2];
	u32 old_sem[3]; /* SEMAPHOREA to C */
	u32 mem_op[3];	/* MEM_OP_A to C */
	struct fifo_acquire acquire;
	bool acquiring;
	struct fifo_object *subchannel[H100_SUBCHANNELS];

	struct list objects; /* of struct fifo_object; changed while it does not run */
};

struct h100_group {
	struct h100_fifo *fifo;
	struct list_node node; /* fifo's groups */
	struct list channels;
	struct list pending;
	struct list_node pending_node; /* runlist's pending */
	u32 runlist;
	bool scheduled;
	bool failed;
	struct list_node error_node;
	struct h100_fifo_error error;
	u64 timeslice_us;
	u32 interleave;
	u64 used_ns; /* of its slice */
};

struct h100_space {
	struct h100_fifo *fifo;
	struct list_node node;
	u32 refs;
	bool valid;
	struct h100_pdb pdb;
};

/* -- Scheduling -- */

struct fifo_runlist {
	const struct h100_engine_info *engine; /* the first on it */
	struct list pending;		       /* of groups */
	struct h100_channel *current;
	u8 *buffer; /* of secure channels, while there are some: of who runs it */
	u32 buffer_users;
	bool busy;   /* a thread has it */
	u32 preempt; /* atomic: current is wanted off */
};

enum fifo_result {
	FIFO_RESULT_OK, /* goes on; of a whole run: nothing is left */
	FIFO_RESULT_BLOCKED,
	FIFO_RESULT_PREEMPTED,
	FIFO_RESULT_YIELD, /* its group gives up the rest of its slice */
	FIFO_RESULT_ERROR,
};

struct fifo_client {
	struct list_node node;
	u32 handle;
	u32 refs;
	struct h100_channel **channels; /* active ones, dense */
	u32 count, reserved, room;
	struct list blocked;	       /* channels, the next to be looked at first */
	struct list_node blocked_node; /* fifo's blocked, while there are some */
};

enum fifo_doorbell_state {
	FIFO_DOORBELL_ARMED,
	FIFO_DOORBELL_BUSY, /* looked at all the time */
	FIFO_DOORBELL_SLOW, /* looked at from time to time */
};

struct h100_doorbell {
	struct h100_fifo *fifo;
	struct list_node node;	    /* fifo's doorbells */
	struct list_node busy_node; /* while BUSY or SLOW */
	struct fifo_client *client;
	enum fifo_doorbell_state state;
	int fd;	   /* -1: the page is the host's */
	u32 *page; /* its first 4 KiB, mapped */
	void *ctx; /* the host's */
};

struct h100_fifo {
	struct h100_fifo_config config;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a channel came off, a look at pages ended */
	struct fifo_runlist runlist[H100_ENGINES_MAX];
	struct h100_channel **channels; /* by runlist and chid */
	struct list groups, spaces, errors, doorbells, busy;
	struct list blocked; /* clients that have blocked channels, the next in turn first */
	u64 blocked_ns;	     /* when one of them is to be looked at, or later than that */
	u32 blocked_pass;    /* times that blocked channels were looked at */
	u32 blocked_write;   /* times that memory was written: all are to be looked at after it */
	u64 suspended_ns;    /* since when */
	struct list clients[FIFO_CLIENT_BUCKETS];
	u32 recheck; /* atomic: an engine wrote memory: look at blocked channels */

	/* Tokens rung by register: a bit for each channel. */
	u32 *rung; /* atomic words */
	u32 any_rung;

	/* threads.c */
	u32 event;  /* atomic: there is something for the leader */
	u32 asleep; /* atomic: the leader waits for wake */
	sem_t wake;
	pthread_cond_t follow; /* threads that neither lead nor run */
	pthread_t thread[FIFO_THREADS_MAX];
	u32 thread_count, runners, runners_max;
	bool suspended;
	u32 crowded;  /* atomic: a runlist is ready, and there are no more runners */
	u32 turn;     /* of which runlist it is to be looked at first */
	u32 waiting;  /* threads that follow, not by the clock */
	u32 leading;  /* atomic: some thread looks after doorbells and blocked channels */
	bool wanted;  /* a leader is, at once */
	bool looking; /* it looks at pages, without the lock */
	u32 leaving;  /* who waits for that to end */
	bool stop;
	u64 last_ring_ns;
};

static inline u64 fifo_now(const struct h100_fifo *fifo)
{
	return fifo->config.host->now_ns(fifo->config.host->ctx);
}

/* -- channel.c -- */

/* A channel that has work becomes pending; of one that runs it is noted. Lock held, in a burst. */
void channel_look(struct h100_channel *channel);
void channel_pend(struct h100_channel *channel);
/* Stops the group, and queues why. Lock held. */
void channel_fail(struct h100_channel *channel, const struct h100_fifo_error *error);

/* -- runlist.c -- */

/* A runlist with work that nobody runs, those in turn that ran last; NULL: none. Lock held. */
struct fifo_runlist *runlist_ready(struct h100_fifo *fifo);
/* A runlist became ready, or a thread took or left one. Lock held. */
void runlist_crowd(struct h100_fifo *fifo);
/*
 * Runs it until it is empty, or its turn is over and another waits for the thread. Lock held, given
 * up meanwhile.
 */
void runlist_run(struct h100_fifo *fifo, struct fifo_runlist *runlist);
/*
 * Takes the channel off if it runs, and waits for that, also in the middle of a long method: it is
 * taken up again. Lock held, given up meanwhile; the channel stays off until it is given up again.
 */
void runlist_wait_off(struct h100_fifo *fifo, struct h100_channel *channel);
/*
 * Looks whether what blocked channels wait for has come: all, or those whose time it is; of very
 * many some, the clients in turn. Lock held.
 */
void blocked_check(struct h100_fifo *fifo, bool all);
/* Not blocked any more. Lock held. */
void blocked_remove(struct h100_channel *channel);
/* Between two suspends time stood still for those that wait. Lock held. */
void blocked_resume(struct h100_fifo *fifo, u64 slept_ns);
/* When the next blocked channel is to be looked at; ~0: never. */
u64 blocked_next_ns(struct h100_fifo *fifo);

/* -- gpfifo.c: with the channel's exec, in no burst -- */

struct fifo_run {
	struct h100_channel *channel;
	struct h100_fifo *fifo;
	struct fifo_runlist *runlist;
	struct h100_engine_call call;
	u32 access; /* H100_ACCESS_PRIVILEGED or 0 */
	bool has_space;
	bool yield;
	u64 deadline_ns;		       /* when the slice is over */
	u64 turn_ns;			       /* when threads are to be shared */
	u64 burst_ns;			       /* when the burst began */
	u32 kinds;			       /* bits of enum h100_engine_kind that worked */
	const struct h100_engine_info *engine; /* of the method under way */
	struct h100_fifo_error error;
};

/* Runs the channel until it is empty, blocked, taken off or in error. */
enum fifo_result gpfifo_run(struct fifo_run *run);
/* GPPut as its user left it; false: USERD cannot be reached. In a burst. */
bool gpfifo_put(struct h100_channel *channel, u32 *put);

/* -- method.c, host_method.c, semaphore.c: in a burst -- */

/* The words of a segment; *used says how many of them went. OK: all. */
enum fifo_result method_decode(struct fifo_run *run, const u32 *words, u32 count, u32 *used);
enum fifo_result host_method(struct fifo_run *run, u32 method, u32 subchannel, u32 data);
enum fifo_result semaphore_execute(struct fifo_run *run, u32 data);
enum fifo_result semaphore_old_execute(struct fifo_run *run, u32 data);
/* Whether what the channel acquires has come. OK: yes; BLOCKED: not yet; ERROR. */
enum fifo_result semaphore_check(struct fifo_run *run);
/* ERROR with the code and what the channel was at; a fault of the host's own accesses. */
enum fifo_result run_error(struct fifo_run *run, u32 code, u32 method, u32 data);
enum fifo_result run_fault(struct fifo_run *run, const struct h100_fault *fault);

void fifo_run_init(struct fifo_run *run, struct h100_channel *channel);

/* -- doorbell.c -- */

/* Takes what was rung; channels that have work become pending. Lock held. */
void doorbell_collect(struct h100_fifo *fifo);
/* Arms the pages that are busy; true when work may have come. Lock held, given up meanwhile. */
bool doorbell_arm_all(struct h100_fifo *fifo);
/* Around looks at pages without the lock. Lock held, given up meanwhile by the first. */
void doorbell_look_begin(struct h100_fifo *fifo);
void doorbell_look_end(struct h100_fifo *fifo);
/* The words of pages that are busy; at most FIFO_WATCHED. Lock held. */
u32 doorbell_words(struct h100_fifo *fifo, u32 **words);
/* Does any page need a look by time? Lock held. */
bool doorbell_slow(struct h100_fifo *fifo);
struct fifo_client *client_get(struct h100_fifo *fifo, u32 handle);
void client_put(struct h100_fifo *fifo, struct fifo_client *client);
/* Room for one more channel of the client's: before client_add. NV_ERR_NO_MEMORY. */
enum nv_status client_reserve(struct fifo_client *client);
void client_add(struct fifo_client *client, struct h100_channel *channel);
void client_remove(struct fifo_client *client, struct h100_channel *channel);

/* -- threads.c -- */

enum nv_status threads_init(struct h100_fifo *fifo);
void threads_stop(struct h100_fifo *fifo);
void threads_fini(struct h100_fifo *fifo);
/* For how long there is nothing to do for certain, unless rung; ~0: for ever. Lock held. */
u64 threads_quiet_ns(struct h100_fifo *fifo);
/* The first thread. Lock held. */
enum nv_status threads_start(struct h100_fifo *fifo);
/* There is something for the leader. Any thread, with or without the lock. */
void threads_wake(struct h100_fifo *fifo);
/* From who runs a channel: sees to it that somebody leads if there is a need. No lock. */
void threads_poll(struct h100_fifo *fifo);
/* The same from the middle of a long method: looks at pages too. */
void threads_look(struct h100_fifo *fifo);

#endif
