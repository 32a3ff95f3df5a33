// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A place to sleep on raw spinlocks alone, so that it may be woken from any context: what events
 * and waits for a device are made of. A waiter's record lies on its stack; it is woken under the
 * lock, and takes the lock before it returns.
 */
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "os/linux/internal.h"

#define SLACK_SHIFT 4u /* a timeout may come late by a sixteenth */
#define SLACK_MAX_NS 1000000ul

struct waiter {
	struct list_head node;
	struct task_struct *task;
	bool woken;
};

u64 deadline_after(u64 timeout_ns)
{
	u64 now = os_time_ns();

	/* ktime_t is signed */
	return timeout_ns >= KTIME_MAX - now ? OS_FOREVER : now + timeout_ns;
}

void waitlist_init(struct waitlist *w)
{
	raw_spin_lock_init(&w->lock);
	INIT_LIST_HEAD(&w->waiters);
}

void waitlist_wake(struct waitlist *w)
{
	struct waiter *waiter, *next;

	lockdep_assert_held(&w->lock);
	list_for_each_entry_safe (waiter, next, &w->waiters, node) {
		list_del_init(&waiter->node);
		waiter->woken = true;
		wake_up_process(waiter->task);
	}
}

/* False when the deadline has passed. */
static bool sleep_until(u64 deadline)
{
	ktime_t expires = ns_to_ktime(deadline);
	u64 now, slack;

	if (deadline == OS_FOREVER) {
		schedule();
		return true;
	}
	now = os_time_ns();
	slack = deadline > now ? (deadline - now) >> SLACK_SHIFT : 0;
	return schedule_hrtimeout_range(&expires, min_t(u64, slack, SLACK_MAX_NS),
					HRTIMER_MODE_ABS) != 0;
}

static bool sleep_in(struct waitlist *w, unsigned int state, u64 deadline, unsigned long *flags)
{
	struct waiter waiter = { .task = current };
	bool time_left = true;

	list_add_tail(&waiter.node, &w->waiters);
	while (!waiter.woken && time_left && !signal_pending_state(state, current)) {
		set_current_state(state);
		raw_spin_unlock_irqrestore(&w->lock, *flags);
		time_left = sleep_until(deadline);
		raw_spin_lock_irqsave(&w->lock, *flags);
	}
	__set_current_state(TASK_RUNNING);
	if (!waiter.woken)
		list_del(&waiter.node);
	return waiter.woken;
}

bool waitlist_sleep(struct waitlist *w, u64 deadline, unsigned long *flags)
{
	/* a thread of our own that has nothing to do is no load */
	return sleep_in(w, current->flags & PF_KTHREAD ? TASK_IDLE : TASK_UNINTERRUPTIBLE, deadline,
			flags);
}

bool waitlist_sleep_signal(struct waitlist *w, u64 deadline, unsigned long *flags)
{
	return sleep_in(w, TASK_INTERRUPTIBLE, deadline, flags);
}
