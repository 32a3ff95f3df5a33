// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * os_pci_wait: a few looks at once, since some answers are there at once, then sleep until the next
 * interrupt, for a while that grows where none comes (registers change without one).
 */
#include <linux/processor.h>
#include <linux/sched.h>

#include "os/linux/pci.h"

#define SPINS 64u /* a few microseconds */
#define SLEEP_MIN_NS 50000u
#define SLEEP_MAX_NS 4000000u

void pci_progress(struct os_pci_dev *dev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&dev->progress.lock, flags);
	dev->sequence++;
	waitlist_wake(&dev->progress);
	raw_spin_unlock_irqrestore(&dev->progress.lock, flags);
}

/* Until the sequence is another than seen, or the deadline; true when it is. */
static bool progress_wait(struct os_pci_dev *dev, u64 seen, u64 deadline)
{
	unsigned long flags;
	bool progress;

	raw_spin_lock_irqsave(&dev->progress.lock, flags);
	progress = dev->sequence != seen || waitlist_sleep(&dev->progress, deadline, &flags);
	raw_spin_unlock_irqrestore(&dev->progress.lock, flags);
	return progress;
}

static u64 progress_now(struct os_pci_dev *dev)
{
	unsigned long flags;
	u64 sequence;

	raw_spin_lock_irqsave(&dev->progress.lock, flags);
	sequence = dev->sequence;
	raw_spin_unlock_irqrestore(&dev->progress.lock, flags);
	return sequence;
}

enum nv_status os_pci_wait(struct os_pci_dev *dev, bool (*done)(void *arg), void *arg,
			   u64 timeout_ns)
{
	u64 deadline = deadline_after(timeout_ns), sleep_ns = SLEEP_MIN_NS;
	u32 i;

	might_sleep();
	for (i = 0; i < SPINS; i++) {
		if (done(arg))
			return NV_OK;
		if (need_resched())
			break;
		cpu_relax();
	}
	for (;;) {
		/* before the look: an interrupt after it ends the sleep */
		u64 now, seen = progress_now(dev);

		if (done(arg))
			return NV_OK;
		now = os_time_ns();
		if (now >= deadline || pci_lost(dev))
			return NV_ERR_TIMEOUT;
		if (progress_wait(dev, seen, min(deadline, now + sleep_ns)))
			sleep_ns = SLEEP_MIN_NS;
		else
			sleep_ns = min_t(u64, sleep_ns * 2, SLEEP_MAX_NS);
	}
}

/* Hardware interrupts whoever looks, and softh100.ko does as hardware. */
bool os_pci_expect(struct os_pci_dev *dev)
{
	return true;
}

void os_pci_expect_end(struct os_pci_dev *dev)
{
}
