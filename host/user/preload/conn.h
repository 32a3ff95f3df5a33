/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What connections (conn.c), the calls on them (call.c) and the library's own descriptors (own.c)
 * know of each other.
 */
#ifndef HOST_USER_PRELOAD_CONN_H
#define HOST_USER_PRELOAD_CONN_H

#include <sys/un.h>

#include "host/user/preload/preload.h"

#define LH_LINKS 8u /* connections at a time, all but one retired */

/* A connection; a retired one lives on for the calls that are under way on it. */
struct lh_link {
	u32 generation; /* 0: free */
	u32 calls;
	u64 id;
	u64 secret[2];
};

/* The connection's socket among the library's own descriptors. */
u32 lh_link_slot(const struct lh_link *link);
/* Whose memory this is; only after lh_enter. */
pid_t lh_owner(void);
/* As lh_enter, from within a call of the same thread: no level is taken for jumped out of. */
struct lh_chan *lh_enter_at(const void *frame);
/*
 * As lh_exchange_within, without ending the connection: 0, LH_RESTART, or -ENODEV when the daemon
 * is gone. patience may be NULL: there is no end to it.
 */
int lh_chan_exchange(struct lh_chan *chan, struct lh_msg *msg, const struct lh_patience *patience);
/*
 * Ends a call that a signal handler jumped out of, wherever it was: its frames are gone, so that
 * nothing more can be read or written there. Every post has one message for an answer.
 */
void lh_chan_settle(struct lh_chan *chan);

/* -- own.c: the library's own descriptors. All return 0 or a negative errno, and none waits. ------
 */

/* All zero in a forked child. */
struct lh_own {
	u32 lock;	   /* the innermost */
	u32 changes;	   /* odd while it is locked */
	int fds[LH_LINKS]; /* plus one; 0: none */
};

/* From then on there may be descriptors. */
void lh_own_begin(struct lh_own *state);
/* In a child of fork, which must not keep the parent's. */
void lh_own_forked(void);
/* Makes a slot's socket. */
int lh_own_socket(u32 slot);
/* EAGAIN: too many others wait to be taken. */
int lh_own_connect(u32 slot, const struct sockaddr_un *addr);
/* Makes a channel's pages and sends hello with them. EAGAIN: the socket is full. */
int lh_own_send_shm(u32 slot, const struct lh_hello *hello, struct lh_shm **shm);
/*
 * Around work with descriptors that live shortly, which no call of the program's then meets. The
 * two below, which do not wait (EAGAIN), only in between.
 */
void lh_own_lock(sigset_t *before);
void lh_own_unlock(const sigset_t *before);
/* Sends hello with fd. */
int lh_own_send(u32 slot, const struct lh_hello *hello, int fd);
/* One packet of memory: its bytes, and *count descriptors, which are the caller's. */
int lh_own_receive(u32 slot, struct lh_rights *rights, int *fds, u32 *count);
/* True when the other end is gone. */
bool lh_own_hangs_up(u32 slot);
void lh_own_close(u32 slot);

/* -- area.c: parts of the address space that are the daemon's memory too --------------------------
 */

enum lh_area_kind {
	LH_AREA_DEVICE, /* mapped through a descriptor: number is the mapping's */
	LH_AREA_PINNED, /* the program's own, made shared: number is the memory's */
};

struct lh_area {
	u64 start, end;
	u64 number;
	u64 offset;	/* in the memory, of start */
	u32 generation; /* of the connection that knows it */
	u8 kind;
	u8 whole; /* a device's: no part of it can be moved; pinned: a child of fork shares it */
};

/*
 * The list is this process's: a child of fork starts with none, having the memory but none of the
 * daemon's knowledge of it. Signals are blocked while it is locked; a lock within map_lock's is not
 * to be taken by a thread that has it.
 */
bool lh_area_lock(sigset_t *before); /* false: no memory for the list */
void lh_area_unlock(const sigset_t *before);
/* Without the lock: false when certainly no area is there, by what the calling thread knows. */
bool lh_area_near(u64 start, u64 size);
/* The following with the lock. The first area that ends behind address, or NULL. */
const struct lh_area *lh_area_next(u64 address);
/* False: no room. It overlaps none. */
bool lh_area_add(const struct lh_area *area);
/* Cuts one area, or the part of one, out of the range: false when none is there. */
bool lh_area_cut(u64 start, u64 end, struct lh_area *cut);
/* Whether any part of the numbered is left. */
bool lh_area_has(u8 kind, u64 number);
/* A number for memory that is pinned. */
u64 lh_area_number(void);

/* -- map.c ---------------------------------------------------------------------------------------
 */

/* The daemon is told that what was cut out is not mapped any more. Areas locked. */
void lh_unmapped(const struct lh_area *cut);

/* -- watch.c -------------------------------------------------------------------------------------
 */

/* Has the daemon watch the page; where that cannot be the GPU looks at it by itself. */
void lh_doorbell_watch(struct lh_chan *chan, u64 mapping, u64 address);
/* Lets the daemon take managed memory away; where that cannot be it stays system memory. */
void lh_monitor_offer(struct lh_chan *chan);
/* The connection is about to be given up, not what is mapped: a GPU gives back what it has. */
void lh_monitor_retire(void);

/* -- pin.c ---------------------------------------------------------------------------------------
 */

/* LH_ASK_PIN: makes answer of the question in the channel. */
void lh_pin(struct lh_chan *chan, struct lh_msg *msg);

/* A lock in memory that a forked child does not get; signals are blocked while it is held. */
void lh_word_lock(u32 *word, sigset_t *before);
void lh_word_unlock(u32 *word, const sigset_t *before);
/* As lh_word_lock, with patience for ns from now on: 0 or LH_RESTART. */
int lh_word_lock_within(u32 *word, struct lh_patience *patience, u64 ns);
/* True when the program must get its signals now. NULL: never. */
bool lh_impatient(const struct lh_patience *patience);

#endif
