/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Waiting for a word that the other process changes: spin a little, then sleep on it. The sleeper
 * says so first, so that the other side makes the wake-up call only when somebody sleeps.
 */
#ifndef HOST_USER_HANDOFF_H
#define HOST_USER_HANDOFF_H

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/types.h"

static inline void handoff_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline long handoff_syscall(u32 *word, int op, u32 value, const struct timespec *timeout)
{
	int saved = errno;
	long rc = syscall(SYS_futex, word, op, value, timeout, NULL, 0);

	errno = saved;
	return rc;
}

#define HANDOFF_SPIN_BATCH 32u /* looks between two looks at the clock */

static inline u64 handoff_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

/* One batch of looks: true when *word differs from old. */
static inline bool handoff_look(const u32 *word, u32 old)
{
	for (u32 i = 0; i < HANDOFF_SPIN_BATCH; i++) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != old)
			return true;
		handoff_pause();
	}
	return false;
}

/* Batches for about that time. */
static inline bool handoff_look_for(const u32 *word, u32 old, u32 ns)
{
	u64 until = handoff_now() + ns;

	do {
		if (handoff_look(word, old))
			return true;
	} while (handoff_now() < until);
	return false;
}

/* True when *word differs from old within about that time. */
static inline bool handoff_spin(const u32 *word, u32 old, u32 ns)
{
	if (!ns)
		return __atomic_load_n(word, __ATOMIC_ACQUIRE) != old;
	return handoff_look(word, old) || handoff_look_for(word, old, ns);
}

/* Sleeps until *word differs from old, a wake-up, a signal or the timeout (NULL: none). */
static inline void handoff_sleep(u32 *word, u32 old, u32 *sleeps, const struct timespec *timeout)
{
	__atomic_store_n(sleeps, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == old)
		handoff_syscall(word, FUTEX_WAIT, old, timeout);
	__atomic_store_n(sleeps, 0, __ATOMIC_RELAXED);
}

/* Publishes value and wakes the other side where it sleeps. */
static inline void handoff_post(u32 *word, u32 value, const u32 *sleeps)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(sleeps, __ATOMIC_SEQ_CST))
		handoff_syscall(word, FUTEX_WAKE, 1, NULL);
}

#endif
