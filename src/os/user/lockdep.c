// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The check of lock order and of sleeping in atomic context, for builds with lock_checks. Each
 * thread keeps the locks it holds; a lock is taken only while all of them have smaller ranks.
 */
#include <stdlib.h>

#include "os/user/internal.h"

#ifdef OS_LOCK_CHECKS

#define MAX_HELD 16u

struct held_lock {
	const void *lock;
	const char *name;
	u32 rank;
};

static OS_TLS struct held_lock held[MAX_HELD];
static OS_TLS u32 held_count;
static OS_TLS u32 irq_depth;

static const char *const rank_names[LOCK_RANK_COUNT] = {
	[LOCK_RANK_POWER] = "POWER",
	[LOCK_RANK_MMAP] = "MMAP",
	[LOCK_RANK_UVM_LISTEN] = "UVM_LISTEN",
	[LOCK_RANK_UVM_GLOBAL] = "UVM_GLOBAL",
	[LOCK_RANK_UVM_SPACE] = "UVM_SPACE",
	[LOCK_RANK_UVM_BLOCK] = "UVM_BLOCK",
	[LOCK_RANK_UVM_DEVICES] = "UVM_DEVICES",
	[LOCK_RANK_UVM_DEVICE] = "UVM_DEVICE",
	[LOCK_RANK_UVM_ACROSS] = "UVM_ACROSS",
	[LOCK_RANK_UVM_LAUNCH] = "UVM_LAUNCH",
	[LOCK_RANK_UVM_POOL] = "UVM_POOL",
	[LOCK_RANK_API] = "API",
	[LOCK_RANK_CLIENT] = "CLIENT",
	[LOCK_RANK_PEER] = "PEER",
	[LOCK_RANK_GPU] = "GPU",
	[LOCK_RANK_LEAF] = "LEAF",
	[LOCK_RANK_LEAF_SPIN] = "LEAF_SPIN",
};

static const char *rank_name(u32 rank)
{
	return rank < LOCK_RANK_COUNT && rank_names[rank] ? rank_names[rank] : "?";
}

static void __attribute__((noreturn, noinline, cold))
violation(const char *what, const char *name, u32 rank, const struct held_lock *other)
{
	u32 i;

	if (other)
		os_log(OS_LOG_ERROR, "lock order: %s \"%s\" (%s) while \"%s\" (%s) is held", what,
		       name, rank_name(rank), other->name, rank_name(other->rank));
	else
		os_log(OS_LOG_ERROR, "lock order: %s \"%s\"", what, name);
	for (i = 0; i < held_count; i++)
		os_log(OS_LOG_ERROR, "  held: \"%s\" (%s)", held[i].name, rank_name(held[i].rank));
	abort();
}

void lockdep_acquire(const void *lock, u32 rank, const char *name, enum lockdep_how how)
{
	u32 i;

	if (irq_depth && rank != LOCK_RANK_LEAF_SPIN)
		violation("in an interrupt, takes", name, rank, NULL);
	for (i = 0; i < held_count; i++) {
		if (held[i].lock == lock)
			violation("takes again", name, rank, &held[i]);
		if (how == LOCKDEP_TRIED || held[i].rank < rank ||
		    (how == LOCKDEP_PAIR && held[i].rank == rank))
			continue;
		violation("takes", name, rank, &held[i]);
	}
	if (held_count == MAX_HELD)
		violation("too many locks, takes", name, rank, NULL);
	held[held_count].lock = lock;
	held[held_count].name = name;
	held[held_count].rank = rank;
	held_count++;
}

void lockdep_release(const void *lock, const char *name)
{
	u32 i = held_count;

	while (i && held[i - 1].lock != lock)
		i--;
	if (!i)
		violation("releases what it does not hold,", name, 0, NULL);
	for (; i < held_count; i++)
		held[i - 1] = held[i];
	held_count--;
}

void lockdep_assert_held(const void *lock, const char *name)
{
	u32 i;

	for (i = 0; i < held_count; i++)
		if (held[i].lock == lock)
			return;
	violation("must hold", name, 0, NULL);
}

void lockdep_may_sleep(const char *what)
{
	u32 i;

	if (irq_depth)
		violation("in an interrupt, may sleep in", what, 0, NULL);
	for (i = 0; i < held_count; i++)
		if (held[i].rank == LOCK_RANK_LEAF_SPIN)
			violation("may sleep in", what, 0, &held[i]);
}

void lockdep_none_held(const char *what)
{
	if (held_count)
		violation("still holds locks:", what, 0, &held[0]);
}

void lockdep_irq_enter(void)
{
	irq_depth++;
}

void lockdep_irq_leave(void)
{
	irq_depth--;
}

#endif
