/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files of os/user share: futexes and what is made of them, the order checks of locks, the
 * failing-allocation points. The locks here are not checked for order: they are innermost and
 * short.
 */
#ifndef OS_USER_INTERNAL_H
#define OS_USER_INTERNAL_H

#include <errno.h>
#include <linux/futex.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "os/user/user.h"

#define CACHE_LINE 64u
#define OS_TLS __thread __attribute__((tls_model("initial-exec")))
#define OS_FOREVER (~(u64)0)

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* -- Futexes ----------------------------------------------------------------------------------- */

/* Sleeps while *word is value, at most timeout_ns. False on timeout; may return early. */
static inline bool futex_wait(u32 *word, u32 value, u64 timeout_ns)
{
	struct timespec ts = { (time_t)(timeout_ns / 1000000000u),
			       (long)(timeout_ns % 1000000000u) };

	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value,
		       timeout_ns == OS_FOREVER ? NULL : &ts, NULL, 0) == 0 ||
	       errno != ETIMEDOUT;
}

/* word may be gone already: nothing is read from it. */
static inline void futex_wake(u32 *word, int count)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* -- A sleeping lock of one word --------------------------------------------------------------- */

struct raw_mutex {
	u32 state; /* 0 free, 1 held, 2 held and somebody may sleep */
};

void raw_mutex_lock_slow(struct raw_mutex *m);

static inline bool raw_mutex_trylock(struct raw_mutex *m)
{
	u32 expected = 0;

	return __atomic_compare_exchange_n(&m->state, &expected, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void raw_mutex_lock(struct raw_mutex *m)
{
	if (__builtin_expect(!raw_mutex_trylock(m), 0))
		raw_mutex_lock_slow(m);
}

static inline void raw_mutex_unlock(struct raw_mutex *m)
{
	if (__builtin_expect(__atomic_exchange_n(&m->state, 0, __ATOMIC_RELEASE) == 2, 0))
		futex_wake(&m->state, 1);
}

/* -- A spinning lock of one word --------------------------------------------------------------- */

struct raw_spinlock {
	u32 held;
};

void raw_spinlock_lock_slow(struct raw_spinlock *l);

static inline void raw_spinlock_lock(struct raw_spinlock *l)
{
	if (__builtin_expect(__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE) != 0, 0))
		raw_spinlock_lock_slow(l);
}

static inline void raw_spinlock_unlock(struct raw_spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

/* -- Event counts: sleep until something may have changed -------------------------------------- */

/*
 *	key = eventcount_prepare(e);
 *	if (nothing to do)
 *		eventcount_wait(e, key, timeout);
 *	else
 *		eventcount_cancel(e);
 */
struct eventcount {
	u32 sequence;
	u32 waiters;
};

static inline u32 eventcount_prepare(struct eventcount *e)
{
	os_fetch_add(&e->waiters, 1);
	return __atomic_load_n(&e->sequence, __ATOMIC_SEQ_CST);
}

static inline void eventcount_cancel(struct eventcount *e)
{
	os_fetch_sub(&e->waiters, 1);
}

static inline void eventcount_wait(struct eventcount *e, u32 key, u64 timeout_ns)
{
	futex_wait(&e->sequence, key, timeout_ns);
	os_fetch_sub(&e->waiters, 1);
}

static inline void eventcount_signal(struct eventcount *e)
{
	os_fetch_add(&e->sequence, 1);
	if (__atomic_load_n(&e->waiters, __ATOMIC_SEQ_CST))
		futex_wake(&e->sequence, 0x7fffffff);
}

/* -- Which CPU --------------------------------------------------------------------------------- */

/* The thread's own number plus 1, 0: none yet. For where the CPU is not known. */
extern OS_TLS u32 thread_slot;
u32 thread_slot_assign(void);

/* False: neither the CPU nor a number of the thread is known. Calls nothing. */
static inline bool cpu_slot_known(u32 *slot)
{
	const struct rseq *r =
		(const struct rseq *)((const char *)__builtin_thread_pointer() + __rseq_offset);

	*slot = __atomic_load_n(&r->cpu_id, __ATOMIC_RELAXED);
	if (__builtin_expect((s32)*slot >= 0, 1))
		return true;
	*slot = thread_slot - 1;
	return __builtin_expect(thread_slot != 0, 1);
}

/* A small number that threads running at the same time seldom share: the CPU's. */
static inline u32 cpu_slot(void)
{
	u32 slot;

	return cpu_slot_known(&slot) ? slot : thread_slot_assign();
}

/* -- Percpu locks, checked for order only where rank is not 0 ---------------------------------- */

#define LOCK_RANK_UNCHECKED ((enum lock_rank)0)

/* -- Lock order (build option lock_checks) ----------------------------------------------------- */

enum lockdep_how {
	LOCKDEP_ORDERED, /* must rank after all that is held */
	LOCKDEP_PAIR,	 /* ... or equal: the function orders them */
	LOCKDEP_TRIED,	 /* did not wait, so cannot deadlock */
};

#ifdef OS_LOCK_CHECKS
/* Before waiting for a lock; aborts on a violation. */
void lockdep_acquire(const void *lock, u32 rank, const char *name, enum lockdep_how how);
void lockdep_release(const void *lock, const char *name);
void lockdep_assert_held(const void *lock, const char *name);
/* Aborts in an interrupt's top half and under a spinlock. */
void lockdep_may_sleep(const char *what);
/* Aborts when the thread holds any lock. */
void lockdep_none_held(const char *what);
void lockdep_irq_enter(void);
void lockdep_irq_leave(void);
#else
static inline void lockdep_acquire(const void *lock, u32 rank, const char *name,
				   enum lockdep_how how)
{
}

static inline void lockdep_release(const void *lock, const char *name)
{
}

static inline void lockdep_assert_held(const void *lock, const char *name)
{
}

static inline void lockdep_may_sleep(const char *what)
{
}

static inline void lockdep_none_held(const char *what)
{
}

static inline void lockdep_irq_enter(void)
{
}

static inline void lockdep_irq_leave(void)
{
}
#endif

/* -- The request that a thread serves ---------------------------------------------------------- */

/* What os_user_pin_ops.pin says, on behalf of the calling thread; NV_ERR_NOT_SUPPORTED without. */
enum nv_status request_pin(u64 user, size_t size, bool writable, struct os_user_pin_piece *pieces,
			   u32 max, u32 *count);

/* -- Allocation points (build option alloc_faults) --------------------------------------------- */

#ifdef OS_ALLOC_FAULTS
/* True when this allocation is the one to fail. */
bool alloc_must_fail(void);
/* Something that counts as live came or went. */
void alloc_count(size_t bytes);
void alloc_uncount(size_t bytes);
#else
static inline bool alloc_must_fail(void)
{
	return false;
}

static inline void alloc_count(size_t bytes)
{
}

static inline void alloc_uncount(size_t bytes)
{
}
#endif

#endif
