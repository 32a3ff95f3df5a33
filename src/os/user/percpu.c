// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The reader lock that readers share nothing of. A reader adds itself to the counter of the CPU it
 * runs on and then looks whether a writer has come; a writer announces itself and then waits for
 * every counter to fall to zero. Each does its own step before looking at the other's, so at least
 * one of them sees the other. Readers stand back, so writers do not starve; the next writer lets
 * those in who stood back for the one before, so readers do not starve either.
 */
#include <sched.h>

#include "base/bits.h"
#include "os/user/internal.h"

#define MIN_SLOTS 4u
#define MAX_SLOTS 256u

struct slot {
	u32 readers; /* futex of the writer that waits for it to become 0 */
} __attribute__((aligned(CACHE_LINE)));

struct percpu_rwlock {
	u32 writer; /* 1 while a writer holds it or waits for readers; futex of readers that stand
		       back */
	u32 mask;   /* slots - 1 */
	u32 rank;
	u32 waiting; /* readers that stand back; futex of the next writer, who lets them in first */
	const char *name;
	struct raw_mutex writers; /* one at a time */
	void *memory;
	struct slot slots[] __attribute__((aligned(CACHE_LINE)));
};

OS_TLS u32 thread_slot;

u32 __attribute__((noinline)) thread_slot_assign(void)
{
	static u32 next_slot;

	/* never 0, however many threads come */
	thread_slot = __atomic_add_fetch(&next_slot, 1, __ATOMIC_RELAXED) | 0x80000000u;
	return thread_slot - 1;
}

enum nv_status os_percpu_rwlock_init(struct os_percpu_rwlock *lock, enum lock_rank rank,
				     const char *name)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	u32 slots = MIN_SLOTS;
	struct percpu_rwlock *l;
	void *memory;

	while (slots < MAX_SLOTS && (long)slots < cpus)
		slots *= 2;
	memory = os_alloc(sizeof(*l) + slots * sizeof(struct slot) + CACHE_LINE);
	if (!memory)
		return NV_ERR_NO_MEMORY;
	l = (struct percpu_rwlock *)(uintptr_t)align_up((uintptr_t)memory, CACHE_LINE);
	l->memory = memory;
	l->mask = slots - 1;
	l->rank = rank;
	l->name = name;
	lock->impl = l;
	return NV_OK;
}

void os_percpu_rwlock_destroy(struct os_percpu_rwlock *lock)
{
	struct percpu_rwlock *l = lock->impl;
	u32 i;

	OS_BUG_ON(l->writer);
	for (i = 0; i <= l->mask; i++)
		OS_BUG_ON(l->slots[i].readers);
	os_free(l->memory);
	lock->impl = NULL;
}

/* A reader's token is where its slot is: so many bytes into the slots. */
static inline struct slot *slot_of(struct percpu_rwlock *l, u32 token)
{
	return (struct slot *)((char *)l->slots + token);
}

static inline void slot_leave(struct percpu_rwlock *l, struct slot *s)
{
	if (os_fetch_sub(&s->readers, 1) == 1 &&
	    __builtin_expect(__atomic_load_n(&l->writer, __ATOMIC_SEQ_CST), 0))
		futex_wake(&s->readers, 1);
}

/*
 * A writer has come first: gives back what was taken, and enters after it and before the next one.
 * Returns the token, so that the usual way needs to keep nothing over a call.
 */
static u32 __attribute__((noinline)) read_lock_slow(struct percpu_rwlock *l, u32 token)
{
	struct slot *s = slot_of(l, token);

	slot_leave(l, s);
	os_fetch_add(&l->waiting, 1);
	for (;;) {
		while (__atomic_load_n(&l->writer, __ATOMIC_SEQ_CST))
			futex_wait(&l->writer, 1, OS_FOREVER);
		os_fetch_add(&s->readers, 1);
		if (!__atomic_load_n(&l->writer, __ATOMIC_SEQ_CST))
			break;
		slot_leave(l, s);
	}
	if (os_fetch_sub(&l->waiting, 1) == 1)
		futex_wake(&l->waiting, 1);
	return token;
}

/* always_inline: neither way of taking the lock keeps anything over a call. */
static inline __attribute__((always_inline)) u32 read_lock(struct percpu_rwlock *l, u32 slot)
{
	u32 token = (slot & l->mask) * (u32)sizeof(struct slot);

	os_fetch_add(&slot_of(l, token)->readers, 1);
	if (__builtin_expect(__atomic_load_n(&l->writer, __ATOMIC_SEQ_CST), 0))
		return read_lock_slow(l, token);
	return token;
}

static u32 __attribute__((noinline)) read_lock_first(struct percpu_rwlock *l)
{
	return read_lock(l, thread_slot_assign());
}

u32 os_percpu_rwlock_read_lock(struct os_percpu_rwlock *lock)
{
	struct percpu_rwlock *l = lock->impl;
	u32 slot;

	if (l->rank != LOCK_RANK_UNCHECKED)
		lockdep_acquire(l, l->rank, l->name, LOCKDEP_ORDERED);
	if (__builtin_expect(!cpu_slot_known(&slot), 0))
		return read_lock_first(l);
	return read_lock(l, slot);
}

void os_percpu_rwlock_read_unlock(struct os_percpu_rwlock *lock, u32 token)
{
	struct percpu_rwlock *l = lock->impl;

	if (l->rank != LOCK_RANK_UNCHECKED)
		lockdep_release(l, l->name);
	slot_leave(l, slot_of(l, token));
}

void os_percpu_rwlock_write_lock(struct os_percpu_rwlock *lock)
{
	struct percpu_rwlock *l = lock->impl;
	u32 i, waiting;

	if (l->rank != LOCK_RANK_UNCHECKED)
		lockdep_acquire(l, l->rank, l->name, LOCKDEP_ORDERED);
	raw_mutex_lock(&l->writers);
	/* no reader joins those that wait while there is no writer, so this ends */
	while ((waiting = __atomic_load_n(&l->waiting, __ATOMIC_SEQ_CST)) != 0)
		futex_wait(&l->waiting, waiting, OS_FOREVER);
	__atomic_store_n(&l->writer, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i <= l->mask; i++) {
		u32 readers;

		while ((readers = __atomic_load_n(&l->slots[i].readers, __ATOMIC_SEQ_CST)) != 0)
			futex_wait(&l->slots[i].readers, readers, OS_FOREVER);
	}
}

void os_percpu_rwlock_write_unlock(struct os_percpu_rwlock *lock)
{
	struct percpu_rwlock *l = lock->impl;

	if (l->rank != LOCK_RANK_UNCHECKED)
		lockdep_release(l, l->name);
	__atomic_store_n(&l->writer, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->waiting, __ATOMIC_SEQ_CST))
		futex_wake(&l->writer, 0x7fffffff);
	raw_mutex_unlock(&l->writers);
}
