// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Binary events in one futex word. After the word is set, the signaller touches the event no more,
 * so a waiter may destroy it at once.
 *
 *   word:  31 ............ 2     1        0
 *          signals so far     waiters  signalled
 *
 * The count lets a waiter that sleeps while the event is signalled and reset again know of it.
 */
#include "os/user/internal.h"

#define EVENT_SIGNALLED 1u
#define EVENT_WAITERS 2u
#define EVENT_COUNT_ONE 4u
#define EVENT_COUNT_MASK (~3u)

struct event {
	u32 word;
};
_Static_assert(sizeof(struct event) <= sizeof(struct os_event), "os_event is too small");

enum nv_status os_event_init(struct os_event *event)
{
	struct event *e = (struct event *)event;

	if (alloc_must_fail())
		return NV_ERR_NO_MEMORY;
	e->word = 0;
	alloc_count(0);
	return NV_OK;
}

void os_event_destroy(struct os_event *event)
{
	alloc_uncount(0);
}

void os_event_signal(struct os_event *event)
{
	u32 *word = &((struct event *)event)->word;
	u32 old = os_load_relaxed(word), new;

	do {
		new = old &EVENT_SIGNALLED ? old : (old & EVENT_COUNT_MASK) + EVENT_COUNT_ONE;
		new |= EVENT_SIGNALLED;
		new &= ~EVENT_WAITERS;
	} while (!__atomic_compare_exchange_n(word, &old, new, true, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	if (old & EVENT_WAITERS)
		futex_wake(word, 0x7fffffff);
}

void os_event_reset(struct os_event *event)
{
	os_fetch_and(&((struct event *)event)->word, ~EVENT_SIGNALLED);
}

enum nv_status os_event_wait(struct os_event *event, u64 timeout_ns)
{
	u32 *word = &((struct event *)event)->word;
	u32 now = os_load_acquire(word), first = now & EVENT_COUNT_MASK;
	u64 deadline = 0, left = OS_FOREVER;

	if (now & EVENT_SIGNALLED)
		return NV_OK;
	if (!timeout_ns)
		return NV_ERR_TIMEOUT;
	lockdep_may_sleep("os_event_wait");
	if (timeout_ns != OS_FOREVER)
		deadline = os_time_ns() + timeout_ns;
	if (deadline < timeout_ns) /* for ever, or so long that it wrapped */
		timeout_ns = OS_FOREVER;
	for (;;) {
		if (now & EVENT_SIGNALLED || (now & EVENT_COUNT_MASK) != first)
			return NV_OK;
		if (timeout_ns != OS_FOREVER) {
			u64 time = os_time_ns();

			if (time >= deadline)
				return NV_ERR_TIMEOUT;
			left = deadline - time;
		}
		if (now & EVENT_WAITERS ||
		    __atomic_compare_exchange_n(word, &now, now | EVENT_WAITERS, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			futex_wait(word, now | EVENT_WAITERS, left);
		now = os_load_acquire(word);
	}
}
