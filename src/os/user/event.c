// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Binary events in one futex word. After the word is set, the signaller touches the event no more,
 * so a waiter may destroy it at once.
 *
 *   word:  31 ......... 8   7 ..... 2     1        0
 *          signals so far    stirs     waiters  signalled
 *
 * The count of signals lets a waiter that sleeps while the event is signalled and reset again know
 * of it; that of stirs keeps one from going to sleep that is just told of a signal to its thread.
 */
#include "os/user/internal.h"

#define EVENT_SIGNALLED 1u
#define EVENT_WAITERS 2u
#define EVENT_STIR_ONE 4u
#define EVENT_STIR_MASK 0xfcu
#define EVENT_COUNT_ONE 0x100u
#define EVENT_COUNT_MASK (~0xffu)

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
		new = old &EVENT_SIGNALLED ? old : old + EVENT_COUNT_ONE;
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

/* The waiters look around, though nothing was signalled. */
static void event_stir(u32 *word)
{
	u32 old = os_load_relaxed(word), new;

	do
		new = (old & ~(EVENT_STIR_MASK | EVENT_WAITERS)) |
		      ((old + EVENT_STIR_ONE) & EVENT_STIR_MASK);
	while (!__atomic_compare_exchange_n(word, &old, new, true, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED));
	futex_wake(word, 0x7fffffff);
}

/* signal NULL: none ends the wait. */
static enum nv_status event_wait(u32 *word, u64 timeout_ns, const struct os_user_signal *signal)
{
	u32 now = os_load_acquire(word), first = now & EVENT_COUNT_MASK;
	u64 deadline = 0, left = OS_FOREVER;

	if (timeout_ns != OS_FOREVER)
		deadline = os_time_ns() + timeout_ns;
	if (deadline < timeout_ns) /* for ever, or so long that it wrapped */
		timeout_ns = OS_FOREVER;
	for (;;) {
		if (now & EVENT_SIGNALLED || (now & EVENT_COUNT_MASK) != first)
			return NV_OK;
		/* After the word was read: who raises it later changes the word. */
		if (signal && os_load_acquire(&signal->raised))
			return NV_ERR_SIGNAL_PENDING;
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

enum nv_status os_event_wait(struct os_event *event, u64 timeout_ns)
{
	u32 *word = &((struct event *)event)->word;

	if (os_load_acquire(word) & EVENT_SIGNALLED)
		return NV_OK;
	if (!timeout_ns)
		return NV_ERR_TIMEOUT;
	lockdep_may_sleep("os_event_wait");
	return event_wait(word, timeout_ns, NULL);
}

/* -- Signals to the thread that is served ------------------------------------------------------ */

static OS_TLS struct os_user_signal *served;

void os_user_set_signal(struct os_user_signal *signal)
{
	served = signal;
}

static void signal_lock(struct os_user_signal *signal)
{
	raw_mutex_lock((struct raw_mutex *)&signal->lock);
}

static void signal_unlock(struct os_user_signal *signal)
{
	raw_mutex_unlock((struct raw_mutex *)&signal->lock);
}

void os_user_signal_raise(struct os_user_signal *signal)
{
	os_store_release(&signal->raised, 1);
	signal_lock(signal);
	if (signal->waits_on)
		event_stir(signal->waits_on);
	signal_unlock(signal);
}

void os_user_signal_clear(struct os_user_signal *signal)
{
	os_store_release(&signal->raised, 0);
}

enum nv_status os_event_wait_signal(struct os_event *event, u64 timeout_ns)
{
	u32 *word = &((struct event *)event)->word;
	struct os_user_signal *signal = served;
	enum nv_status status;

	if (!signal || os_load_acquire(word) & EVENT_SIGNALLED || !timeout_ns) {
		status = os_event_wait(event, timeout_ns);
		return status != NV_OK && signal && os_load_acquire(&signal->raised)
			       ? NV_ERR_SIGNAL_PENDING
			       : status;
	}
	lockdep_may_sleep("os_event_wait_signal");
	signal_lock(signal);
	signal->waits_on = word;
	signal_unlock(signal);
	status = event_wait(word, timeout_ns, signal);
	/* Before the caller may destroy the event. */
	signal_lock(signal);
	signal->waits_on = NULL;
	signal_unlock(signal);
	return status;
}
