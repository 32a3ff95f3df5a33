// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The locks of os.h, each the kernel's own one of that kind. Their order is checked by the kernel's
 * lock checker, where it has one.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/percpu-rwsem.h>
#include <linux/rwsem.h>

#include "os/linux/internal.h"

struct irq_spinlock {
	raw_spinlock_t raw;  /* taken in hard interrupts */
	unsigned long flags; /* of the holder */
};
static_assert(sizeof(struct mutex) <= sizeof(struct os_mutex));
static_assert(sizeof(struct rw_semaphore) <= sizeof(struct os_rwlock));
static_assert(sizeof(struct irq_spinlock) <= sizeof(struct os_spinlock));

/* -- Mutexes ----------------------------------------------------------------------------------- */

static struct mutex *mutex_of(struct os_mutex *lock)
{
	return (struct mutex *)lock;
}

enum nv_status os_mutex_init(struct os_mutex *lock, enum lock_rank rank, const char *name)
{
	struct os_lock_class class;

	lock_class_of(rank, name, &class);
	mutex_init(mutex_of(lock));
	lockdep_set_class_and_name(mutex_of(lock), class.key, class.name);
	return NV_OK;
}

void os_mutex_destroy(struct os_mutex *lock)
{
	OS_BUG_ON(mutex_is_locked(mutex_of(lock)));
	mutex_destroy(mutex_of(lock));
}

void os_mutex_lock(struct os_mutex *lock)
{
	mutex_lock(mutex_of(lock));
}

bool os_mutex_trylock(struct os_mutex *lock)
{
	return mutex_trylock(mutex_of(lock));
}

void os_mutex_unlock(struct os_mutex *lock)
{
	mutex_unlock(mutex_of(lock));
}

void os_mutex_assert_held(struct os_mutex *lock)
{
	OS_BUG_ON(!mutex_is_locked(mutex_of(lock)));
	lockdep_assert_held(mutex_of(lock));
}

void os_mutex_lock_pair(struct os_mutex *a, struct os_mutex *b)
{
	mutex_lock(mutex_of(a < b ? a : b));
	if (a != b)
		mutex_lock_nested(mutex_of(a < b ? b : a), SINGLE_DEPTH_NESTING);
}

void os_mutex_unlock_pair(struct os_mutex *a, struct os_mutex *b)
{
	mutex_unlock(mutex_of(a));
	if (a != b)
		mutex_unlock(mutex_of(b));
}

/* -- Reader-writer locks ----------------------------------------------------------------------- */

static struct rw_semaphore *rwsem_of(struct os_rwlock *lock)
{
	return (struct rw_semaphore *)lock;
}

enum nv_status os_rwlock_init(struct os_rwlock *lock, enum lock_rank rank, const char *name)
{
	struct os_lock_class class;

	lock_class_of(rank, name, &class);
	init_rwsem(rwsem_of(lock));
	lockdep_set_class_and_name(rwsem_of(lock), class.key, class.name);
	return NV_OK;
}

void os_rwlock_destroy(struct os_rwlock *lock)
{
	OS_BUG_ON(rwsem_is_locked(rwsem_of(lock)));
}

void os_rwlock_read_lock(struct os_rwlock *lock)
{
	down_read(rwsem_of(lock));
}

void os_rwlock_read_unlock(struct os_rwlock *lock)
{
	up_read(rwsem_of(lock));
}

void os_rwlock_write_lock(struct os_rwlock *lock)
{
	down_write(rwsem_of(lock));
}

void os_rwlock_write_unlock(struct os_rwlock *lock)
{
	up_write(rwsem_of(lock));
}

/* -- Reader locks that readers share nothing of ------------------------------------------------ */

enum nv_status os_percpu_rwlock_init(struct os_percpu_rwlock *lock, enum lock_rank rank,
				     const char *name)
{
	struct percpu_rw_semaphore *sem = account_alloc(sizeof(*sem), _RET_IP_);
	struct os_lock_class class;

	lock->impl = NULL;
	if (!sem)
		return NV_ERR_NO_MEMORY;
	lock_class_of(rank, name, &class);
	if (account_fails() || __percpu_init_rwsem(sem, class.name, class.key)) {
		os_free(sem);
		return NV_ERR_NO_MEMORY;
	}
	lock->impl = sem;
	return NV_OK;
}

void os_percpu_rwlock_destroy(struct os_percpu_rwlock *lock)
{
	percpu_free_rwsem(lock->impl);
	os_free(lock->impl);
	lock->impl = NULL;
}

u32 os_percpu_rwlock_read_lock(struct os_percpu_rwlock *lock)
{
	percpu_down_read(lock->impl);
	return 0;
}

void os_percpu_rwlock_read_unlock(struct os_percpu_rwlock *lock, u32 token)
{
	percpu_up_read(lock->impl);
}

void os_percpu_rwlock_write_lock(struct os_percpu_rwlock *lock)
{
	percpu_down_write(lock->impl);
}

void os_percpu_rwlock_write_unlock(struct os_percpu_rwlock *lock)
{
	percpu_up_write(lock->impl);
}

/* -- Spinlocks --------------------------------------------------------------------------------- */

void os_spinlock_init(struct os_spinlock *lock, const char *name)
{
	struct irq_spinlock *l = (struct irq_spinlock *)lock;
	struct os_lock_class class;

	lock_class_of(LOCK_RANK_LEAF_SPIN, name, &class);
	raw_spin_lock_init(&l->raw);
	lockdep_set_class_and_name(&l->raw, class.key, class.name);
}

void os_spinlock_lock(struct os_spinlock *lock) __acquires(lock)
{
	struct irq_spinlock *l = (struct irq_spinlock *)lock;
	unsigned long flags;

	raw_spin_lock_irqsave(&l->raw, flags);
	l->flags = flags;
}

void os_spinlock_unlock(struct os_spinlock *lock) __releases(lock)
{
	struct irq_spinlock *l = (struct irq_spinlock *)lock;

	raw_spin_unlock_irqrestore(&l->raw, l->flags);
}
