// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Mutexes and spinlocks on futexes and atomics, reader-writer locks on pthread.
 */
#include <pthread.h>
#include <sched.h>

#include "os/user/internal.h"

#define MUTEX_SPINS 100u    /* before sleeping: about a microsecond */
#define SPINLOCK_SPINS 200u /* before letting the holder, which may be preempted, run */

struct mutex {
	struct raw_mutex raw;
	u32 rank;
	const char *name;
};
_Static_assert(sizeof(struct mutex) <= sizeof(struct os_mutex), "os_mutex is too small");

struct rwlock {
	pthread_rwlock_t raw;
	u32 rank;
	const char *name;
};
_Static_assert(sizeof(struct rwlock) <= sizeof(struct os_rwlock), "os_rwlock is too small");

struct spinlock {
	struct raw_spinlock raw;
	const char *name;
};
_Static_assert(sizeof(struct spinlock) <= sizeof(struct os_spinlock), "os_spinlock is too small");

void raw_mutex_lock_slow(struct raw_mutex *m)
{
	u32 i;

	for (i = 0; i < MUTEX_SPINS; i++) {
		cpu_relax();
		if (os_load_relaxed(&m->state) == 0 && raw_mutex_trylock(m))
			return;
	}
	while (__atomic_exchange_n(&m->state, 2, __ATOMIC_ACQUIRE) != 0)
		futex_wait(&m->state, 2, OS_FOREVER);
}

void raw_spinlock_lock_slow(struct raw_spinlock *l)
{
	u32 spins = 0;

	do {
		while (os_load_relaxed(&l->held)) {
			cpu_relax();
			if (++spins % SPINLOCK_SPINS == 0)
				sched_yield();
		}
	} while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE));
}

/* -- Mutexes ----------------------------------------------------------------------------------- */

enum nv_status os_mutex_init(struct os_mutex *lock, enum lock_rank rank, const char *name)
{
	struct mutex *m = (struct mutex *)lock;

	m->raw.state = 0;
	m->rank = rank;
	m->name = name;
	return NV_OK;
}

void os_mutex_destroy(struct os_mutex *lock)
{
	struct mutex *m = (struct mutex *)lock;

	OS_BUG_ON(os_load_relaxed(&m->raw.state) != 0);
}

static inline void mutex_lock(struct mutex *m, enum lockdep_how how)
{
	lockdep_acquire(m, m->rank, m->name, how);
	raw_mutex_lock(&m->raw);
}

void os_mutex_lock(struct os_mutex *lock)
{
	mutex_lock((struct mutex *)lock, LOCKDEP_ORDERED);
}

bool os_mutex_trylock(struct os_mutex *lock)
{
	struct mutex *m = (struct mutex *)lock;

	if (!raw_mutex_trylock(&m->raw))
		return false;
	lockdep_acquire(m, m->rank, m->name, LOCKDEP_TRIED);
	return true;
}

void os_mutex_unlock(struct os_mutex *lock)
{
	struct mutex *m = (struct mutex *)lock;

	lockdep_release(m, m->name);
	raw_mutex_unlock(&m->raw);
}

void os_mutex_assert_held(struct os_mutex *lock)
{
	struct mutex *m = (struct mutex *)lock;

	lockdep_assert_held(m, m->name);
}

void os_mutex_lock_pair(struct os_mutex *a, struct os_mutex *b)
{
	struct mutex *low = (struct mutex *)a, *high = (struct mutex *)b;

	if (low > high) {
		low = (struct mutex *)b;
		high = (struct mutex *)a;
	}
	mutex_lock(low, LOCKDEP_ORDERED);
	if (low != high)
		mutex_lock(high, LOCKDEP_PAIR);
}

void os_mutex_unlock_pair(struct os_mutex *a, struct os_mutex *b)
{
	os_mutex_unlock(a);
	if (a != b)
		os_mutex_unlock(b);
}

/* -- Reader-writer locks ----------------------------------------------------------------------- */

enum nv_status os_rwlock_init(struct os_rwlock *lock, enum lock_rank rank, const char *name)
{
	struct rwlock *l = (struct rwlock *)lock;
	pthread_rwlockattr_t attr;
	int err;

	if (pthread_rwlockattr_init(&attr))
		return NV_ERR_NO_MEMORY;
	/* writers do not starve; the order check keeps readers from nesting */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	err = pthread_rwlock_init(&l->raw, &attr);
	pthread_rwlockattr_destroy(&attr);
	if (err)
		return NV_ERR_NO_MEMORY;
	l->rank = rank;
	l->name = name;
	return NV_OK;
}

void os_rwlock_destroy(struct os_rwlock *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	OS_BUG_ON(pthread_rwlock_destroy(&l->raw) != 0);
}

void os_rwlock_read_lock(struct os_rwlock *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	lockdep_acquire(l, l->rank, l->name, LOCKDEP_ORDERED);
	OS_BUG_ON(pthread_rwlock_rdlock(&l->raw) != 0);
}

void os_rwlock_read_unlock(struct os_rwlock *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	lockdep_release(l, l->name);
	OS_BUG_ON(pthread_rwlock_unlock(&l->raw) != 0);
}

void os_rwlock_write_lock(struct os_rwlock *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	lockdep_acquire(l, l->rank, l->name, LOCKDEP_ORDERED);
	OS_BUG_ON(pthread_rwlock_wrlock(&l->raw) != 0);
}

void os_rwlock_write_unlock(struct os_rwlock *lock)
{
	os_rwlock_read_unlock(lock);
}

/* -- Spinlocks --------------------------------------------------------------------------------- */

void os_spinlock_init(struct os_spinlock *lock, const char *name)
{
	struct spinlock *l = (struct spinlock *)lock;

	l->raw.held = 0;
	l->name = name;
}

void os_spinlock_lock(struct os_spinlock *lock)
{
	struct spinlock *l = (struct spinlock *)lock;

	lockdep_acquire(l, LOCK_RANK_LEAF_SPIN, l->name, LOCKDEP_ORDERED);
	raw_spinlock_lock(&l->raw);
}

void os_spinlock_unlock(struct os_spinlock *lock)
{
	struct spinlock *l = (struct spinlock *)lock;

	lockdep_release(l, l->name);
	raw_spinlock_unlock(&l->raw);
}
