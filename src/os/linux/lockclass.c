// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes for the kernel's lock checker: one for each rank and name of os.h, since a single
 * initialiser serves all locks here. A kernel without the checker needs none.
 */
#include <linux/spinlock.h>
#include <linux/string.h>

#include "os/linux/internal.h"

#ifdef CONFIG_LOCKDEP

#define CLASSES 128u

static struct entry {
	struct lock_class_key key;
	const char *name;
	u32 rank;
} classes[CLASSES];
static DEFINE_RAW_SPINLOCK(classes_lock);
static u32 class_count;

void lock_class_of(u32 rank, const char *name, struct os_lock_class *class)
{
	unsigned long flags;
	u32 i;

	raw_spin_lock_irqsave(&classes_lock, flags);
	for (i = 0; i < class_count; i++)
		if (classes[i].rank == rank && strcmp(classes[i].name, name) == 0)
			break;
	if (i == class_count && i < CLASSES) {
		classes[i].rank = rank;
		classes[i].name = name;
		class_count++;
	}
	raw_spin_unlock_irqrestore(&classes_lock, flags);
	/* the last class takes all that come too late: wrong reports are better than none */
	if (WARN_ON_ONCE(i == CLASSES))
		i = CLASSES - 1;
	class->key = &classes[i].key;
	class->name = classes[i].name;
}

#else

void lock_class_of(u32 rank, const char *name, struct os_lock_class *class)
{
	static struct lock_class_key none;

	class->key = &none;
	class->name = name;
}

#endif
