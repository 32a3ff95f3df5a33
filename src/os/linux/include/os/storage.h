/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The room, in words of 64 bits, that os/linux needs inside os.h's types: the kernel's own locks,
 * which grow where it checks them. os/user has its own.
 */
#ifndef OS_STORAGE_H
#define OS_STORAGE_H

#if defined(CONFIG_DEBUG_LOCK_ALLOC) || defined(CONFIG_DEBUG_SPINLOCK) || \
	defined(CONFIG_DEBUG_MUTEXES) || defined(CONFIG_PREEMPT_RT)
#define OS_MUTEX_WORDS 28
#define OS_SPINLOCK_WORDS 14
#define OS_RWLOCK_WORDS 28
#define OS_EVENT_WORDS 16
#else
#define OS_MUTEX_WORDS 5
#define OS_SPINLOCK_WORDS 3
#define OS_RWLOCK_WORDS 6
#define OS_EVENT_WORDS 5
#endif

#endif
