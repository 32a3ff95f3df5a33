/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The room, in words of 64 bits, that os/user needs inside os.h's types. os/linux has its own.
 */
#ifndef OS_STORAGE_H
#define OS_STORAGE_H

#define OS_MUTEX_WORDS 8
#define OS_SPINLOCK_WORDS 4
#define OS_RWLOCK_WORDS 10
#define OS_EVENT_WORDS 16

#endif
