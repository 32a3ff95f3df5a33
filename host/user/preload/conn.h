/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What connections (conn.c) and the calls on them (call.c) know of each other.
 */
#ifndef HOST_USER_PRELOAD_CONN_H
#define HOST_USER_PRELOAD_CONN_H

#include "host/user/preload/preload.h"

/* A connection; a retired one lives on for the calls that are under way on it. */
struct lh_link {
	u32 generation; /* 0: free */
	u32 calls;
	int sock;
	u64 id;
	u64 secret[2];
};

/* Whose memory this is; only after lh_enter. */
pid_t lh_owner(void);
/* As lh_enter, from within a call of the same thread: no level is taken for jumped out of. */
struct lh_chan *lh_enter_at(const void *frame);
/* As lh_exchange, without ending the connection: false when the daemon is gone. */
bool lh_chan_exchange(struct lh_chan *chan, struct lh_msg *msg);
/*
 * Ends a call that a signal handler jumped out of, wherever it was: its frames are gone, so that
 * nothing more can be read or written there. Every post has one message for an answer.
 */
void lh_chan_settle(struct lh_chan *chan);

#endif
