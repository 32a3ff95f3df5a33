// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * One pointer for each thread that has one: a hash table of the tasks that are in a call. Only a
 * thread itself makes, changes and drops its entry, so finding one's own needs no lock; a free slot
 * is taken by compare and swap. A bucket that is full continues in a list under a lock; that
 * happens with many hundreds of threads in calls at once.
 */
#include <linux/bug.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "os/linux/internal.h"

#define BUCKET_BITS 9u
#define BUCKET_SLOTS 3u

struct slot {
	struct task_struct *task; /* NULL: free */
	void *context;
};

struct overflow {
	struct overflow *next;
	struct slot slot;
};

static struct bucket {
	struct slot slots[BUCKET_SLOTS];
	struct overflow *more; /* overflow_lock */
} ____cacheline_aligned_in_smp buckets[1u << BUCKET_BITS];
static DEFINE_RAW_SPINLOCK(overflow_lock);

static struct bucket *bucket_of(struct task_struct *task)
{
	return &buckets[hash_ptr(task, BUCKET_BITS)];
}

static struct slot *slot_find(struct bucket *b, struct task_struct *task)
{
	u32 i;

	for (i = 0; i < BUCKET_SLOTS; i++)
		if (READ_ONCE(b->slots[i].task) == task)
			return &b->slots[i];
	return NULL;
}

/* overflow_lock held. What points at the entry, or NULL. */
static struct overflow **overflow_find(struct bucket *b, struct task_struct *task)
{
	struct overflow **at;

	for (at = &b->more; *at; at = &(*at)->next)
		if ((*at)->slot.task == task)
			return at;
	return NULL;
}

/* In the list: the context, exchanged for another where change is set. */
static void *overflow_get(struct bucket *b, bool change, void *context, bool *found)
{
	struct overflow **at, *gone = NULL;
	void *before = NULL;
	unsigned long flags;

	*found = false;
	if (!READ_ONCE(b->more))
		return NULL;
	raw_spin_lock_irqsave(&overflow_lock, flags);
	at = overflow_find(b, current);
	if (at) {
		*found = true;
		before = (*at)->slot.context;
		if (change)
			(*at)->slot.context = context;
		if (change && !context) {
			gone = *at;
			WRITE_ONCE(*at, gone->next);
		}
	}
	raw_spin_unlock_irqrestore(&overflow_lock, flags);
	kfree(gone);
	return before;
}

void *os_thread_context(void)
{
	struct bucket *b;
	struct slot *s;
	bool found;

	/* an interrupt is no part of the thread that it came over */
	if (!in_task())
		return NULL;
	b = bucket_of(current);
	s = slot_find(b, current);
	return s ? s->context : overflow_get(b, false, NULL, &found);
}

/* current has no entry. */
static void context_add(struct bucket *b, void *context)
{
	struct overflow *more;
	unsigned long flags;
	u32 i;

	for (i = 0; i < BUCKET_SLOTS; i++) {
		struct slot *s = &b->slots[i];

		if (!READ_ONCE(s->task) && !cmpxchg(&s->task, NULL, current)) {
			s->context = context;
			return;
		}
	}
	/* so small that the kernel waits rather than fails in any case */
	more = kzalloc(sizeof(*more), GFP_KERNEL | __GFP_NOFAIL);
	more->slot.task = current;
	more->slot.context = context;
	raw_spin_lock_irqsave(&overflow_lock, flags);
	more->next = b->more;
	WRITE_ONCE(b->more, more);
	raw_spin_unlock_irqrestore(&overflow_lock, flags);
}

void os_thread_set_context(void *context)
{
	struct bucket *b = bucket_of(current);
	struct slot *s = slot_find(b, current);
	bool found = true;

	OS_BUG_ON(!in_task());
	if (s) {
		s->context = context;
		if (!context)
			smp_store_release(&s->task, NULL);
		return;
	}
	overflow_get(b, true, context, &found);
	if (!found && context)
		context_add(b, context);
}

void context_exit(void)
{
	u32 i, j, left = 0;

	for (i = 0; i < ARRAY_SIZE(buckets); i++) {
		for (j = 0; j < BUCKET_SLOTS; j++)
			left += buckets[i].slots[j].task != NULL;
		left += buckets[i].more != NULL;
	}
	WARN(left, "%s: %u threads ended in a call\n", os_module_name, left);
}
