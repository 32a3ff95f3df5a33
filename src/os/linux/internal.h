/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files of os/linux share: accounting of what is allocated, the failing-allocation points,
 * classes of locks, and a place to sleep that may be woken from any context.
 */
#ifndef OS_LINUX_INTERNAL_H
#define OS_LINUX_INTERNAL_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>

#include "os/linux/linux.h"

#define OS_FOREVER (~(u64)0)

/* The module's name, as os_linux_init got it; "os" before. */
extern const char *os_module_name;

/* -- Accounting: account.c --------------------------------------------------------------------- */

/* As os_alloc, for caller (an address in the code), who is named when the block leaks. */
void *account_alloc(size_t size, unsigned long caller);
/* More bytes that hang on a block (pages), for the sums and the report of leaks. May be negative.
 */
void account_add(void *mem, s64 bytes);

/* One more allocation point: true when it is the one to fail. Any context. */
bool account_fails(void);

void account_init(void);
/* Names what is left; how many blocks. */
u32 account_exit(void);

/*
 * inject.c: the nth point from now on fails, of those that threads of process pid (0: any) pass;
 * nth 0: none. Points counted since, and how many failed.
 */
void inject_arm(u64 nth, pid_t pid);
void inject_state(u64 *counted, u64 *failed);
void inject_init(struct dentry *dir);
void inject_exit(void);

/* -- Classes of locks: lockclass.c ------------------------------------------------------------- */

struct os_lock_class {
	struct lock_class_key *key;
	const char *name;
};

/* The class of all locks of one rank and name: what the kernel's lock checker tells apart. */
void lock_class_of(u32 rank, const char *name, struct os_lock_class *class);

/* -- Sleeping until something may have changed: wait.c ----------------------------------------- */

/*
 *	raw_spin_lock_irqsave(&w->lock, flags);
 *	while (nothing to do && waitlist_sleep(w, deadline, &flags))
 *		;
 *	raw_spin_unlock_irqrestore(&w->lock, flags);
 *
 * waitlist_wake may be called in any context, hard interrupts included. Whoever leaves
 * waitlist_sleep holds the lock again, so a waiter may destroy the list once it has given it back.
 */
struct waitlist {
	raw_spinlock_t lock;
	struct list_head waiters;
};

void waitlist_init(struct waitlist *w);
/* Lock held. Wakes all who sleep. */
void waitlist_wake(struct waitlist *w);
/*
 * Lock held; it is given back while sleeping. True when waitlist_wake woke the caller, false when
 * the deadline (os_time_ns, OS_FOREVER: none) came first.
 */
bool waitlist_sleep(struct waitlist *w, u64 deadline, unsigned long *flags);
/* The same; a signal to the calling user thread ends the sleep too, as the deadline does. */
bool waitlist_sleep_signal(struct waitlist *w, u64 deadline, unsigned long *flags);
/* now + timeout, OS_FOREVER where it is beyond time. */
u64 deadline_after(u64 timeout_ns);

/* -- Threads: context.c ------------------------------------------------------------------------ */

/* Warns of threads that end with a context. */
void context_exit(void);

#endif
