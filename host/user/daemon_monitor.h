/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A monitor of a client process, by the userfaultfd that it passed: takes managed memory that the
 * process has mapped away from it, and answers those of its threads that touch what is away. Two
 * threads, since both may have to wait for the process for as long as it likes: one reads faults,
 * one does what others ask for and wait for within a bound.
 *
 * The process has the same userfaultfd, its memory and the memory files in hand: what it does with
 * them harms its own data, and whoever waits for it gives up.
 */
#ifndef HOST_USER_DAEMON_MONITOR_H
#define HOST_USER_DAEMON_MONITOR_H

#include "base/bits.h"
#include "base/list.h"
#include "host/user/daemon.h"

struct monitor {
	/* Under the lock of areas (daemon_area.c). */
	u32 users; /* the connection and its mappings */
	bool starting, watched, retired;
	struct list areas; /* struct area, newest first, returned ones last */
	u32 area_count;
	/* Of the connection. */
	u64 conn;
	uid_t uid;
	pid_t pid;
	/* Written once, before watched. */
	int uffd;
	int wake;  /* eventfd: the server is to stop */
	int spare; /* a number for the memory that is discarded */
	int pidfd; /* where a page cannot be made a bus error; -1 */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under lock, like all below. */
	u32 refs; /* of who asks it for something */
	bool stop;
	bool busy;     /* with somebody's job */
	bool wanted;   /* which is not begun */
	bool given_up; /* which nobody waits for any more */
	bool done;
	struct job {
		bool discard; /* else protect */
		u64 start, size;
		u64 whole_start, whole_size; /* to be registered where that is not */
		u64 offset;		     /* in spare */
	} job;
	int result;		       /* 0 or an errno */
	u64 answer_start, answer_size; /* what a thread is being let into; size 0: nothing */
	bool serving;
	pthread_t server;
	u32 server_stop, server_stopped; /* atomic */
};

/* How long a process has to let its stores be held, and to let go of what the GPU has. */
extern u64 monitor_hold_ns, monitor_discard_ns;

/* Who has what the process touched: any file of an area there. */
enum uvm_result area_fault(struct monitor *monitor, u64 address, struct uvm_extent *extent,
			   enum uvm_result (*map)(void *ctx, const struct uvm_extent *extent),
			   void *ctx);

/*
 * Has stores to a part of the process's memory wait until they are answered: false when it cannot,
 * or does not in time. The part is not being answered afterwards. Locks of uvm's held.
 */
bool monitor_hold(struct monitor *monitor, u64 start, u64 size, u64 whole_start, u64 whole_size);
/* The bytes at offset of the memory file go, from everywhere: false when that takes too long. */
bool monitor_discard(struct monitor *monitor, int fd, u64 offset, u64 size);
/* Whether somebody gave up waiting for it. */
bool monitor_is_stuck(struct monitor *monitor);
/* Makes monitor one that has the userfaultfd, which is taken over in every case. 0 or an errno. */
int monitor_start(struct monitor *monitor, int uffd);
/* Nobody uses it any more: it ends when it can, and is freed. Waits for nothing. */
void monitor_end(struct monitor *monitor);
void monitor_ref(struct monitor *monitor);
void monitor_unref(struct monitor *monitor);

#endif
