// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Binary events.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "os/linux/internal.h"

struct event {
	struct waitlist list; /* its lock: signalled too */
	bool signalled;
};
static_assert(sizeof(struct event) <= sizeof(struct os_event));

enum nv_status os_event_init(struct os_event *event)
{
	struct event *e = (struct event *)event;

	waitlist_init(&e->list);
	e->signalled = false;
	return NV_OK;
}

void os_event_destroy(struct os_event *event)
{
	struct event *e = (struct event *)event;

	OS_BUG_ON(!list_empty(&e->list.waiters));
}

void os_event_signal(struct os_event *event)
{
	struct event *e = (struct event *)event;
	unsigned long flags;

	raw_spin_lock_irqsave(&e->list.lock, flags);
	e->signalled = true;
	waitlist_wake(&e->list);
	raw_spin_unlock_irqrestore(&e->list.lock, flags);
}

void os_event_reset(struct os_event *event)
{
	struct event *e = (struct event *)event;
	unsigned long flags;

	raw_spin_lock_irqsave(&e->list.lock, flags);
	e->signalled = false;
	raw_spin_unlock_irqrestore(&e->list.lock, flags);
}

static bool event_wait(struct os_event *event, u64 timeout_ns,
		       bool (*sleep)(struct waitlist *w, u64 deadline, unsigned long *flags))
{
	u64 deadline = timeout_ns ? deadline_after(timeout_ns) : 0;
	struct event *e = (struct event *)event;
	unsigned long flags;
	bool happened;

	if (timeout_ns)
		might_sleep();
	raw_spin_lock_irqsave(&e->list.lock, flags);
	/* woken counts though the event be reset meanwhile */
	happened =
		e->signalled || (timeout_ns && sleep(&e->list, deadline, &flags)) || e->signalled;
	raw_spin_unlock_irqrestore(&e->list.lock, flags);
	return happened;
}

enum nv_status os_event_wait(struct os_event *event, u64 timeout_ns)
{
	return event_wait(event, timeout_ns, waitlist_sleep) ? NV_OK : NV_ERR_TIMEOUT;
}

enum nv_status os_event_wait_signal(struct os_event *event, u64 timeout_ns)
{
	if (current->flags & PF_KTHREAD)
		return os_event_wait(event, timeout_ns);
	if (event_wait(event, timeout_ns, waitlist_sleep_signal))
		return NV_OK;
	return signal_pending(current) ? NV_ERR_SIGNAL_PENDING : NV_ERR_TIMEOUT;
}
