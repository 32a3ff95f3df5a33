// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A device's interrupts: messages set a bit, a thread of the device's own runs the top half for it.
 * The thread exists while interrupts are enabled and sleeps while no bit is set.
 */
#include <stdio.h>

#include "base/bits.h"
#include "os/user/pci.h"

#define CFG_INTERRUPT_LINE 0x3cu

/* Takes and serves what is pending; false when there was nothing. */
static bool irq_serve(struct os_pci_dev *dev)
{
	struct pci_irq *irq = &dev->irq;
	bool any = false;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(irq->pending); i++) {
		u64 word;

		if (!os_load_relaxed(&irq->pending[i]))
			continue;
		word = os_exchange(&irq->pending[i], 0);
		for (; word; word &= word - 1) {
			if (os_load_acquire(&irq->stop))
				return true;
			lockdep_irq_enter();
			irq->top(irq->arg, i * 64 + bits_first(word));
			lockdep_irq_leave();
			any = true;
		}
	}
	return any;
}

static void irq_main(void *arg)
{
	struct os_pci_dev *dev = arg;
	struct pci_irq *irq = &dev->irq;

	for (;;) {
		u32 key = eventcount_prepare(&irq->event);

		if (os_load_acquire(&irq->stop)) {
			eventcount_cancel(&irq->event);
			return;
		}
		if (irq_serve(dev)) {
			eventcount_cancel(&irq->event);
			/* the top half may have done what somebody waits for */
			os_user_pci_kick(dev);
		} else {
			eventcount_wait(&irq->event, key, OS_FOREVER);
		}
	}
}

enum nv_status os_pci_irq_enable(struct os_pci_dev *dev, u32 count,
				 void (*top)(void *arg, u32 vector), void *arg)
{
	struct pci_irq *irq = &dev->irq;
	enum nv_status status = NV_OK;
	char name[16];
	u32 i;

	if (!count || count > PCI_VECTORS || !top)
		return NV_ERR_INVALID_ARGUMENT;
	raw_mutex_lock(&irq->change);
	if (irq->thread) {
		status = NV_ERR_INVALID_STATE;
		goto unlock;
	}
	irq->top = top;
	irq->arg = arg;
	irq->stop = 0;
	for (i = 0; i < ARRAY_SIZE(irq->pending); i++)
		os_store_relaxed(&irq->pending[i], (u64)0);
	snprintf(name, sizeof(name), "irq/%02x:%02x.%x", dev->location.bus, dev->location.device,
		 dev->location.function);
	irq->thread = os_thread_create(name, irq_main, dev);
	if (!irq->thread) {
		status = NV_ERR_NO_MEMORY;
		goto unlock;
	}
	os_store_release(&irq->count, count);
	msix_enable(dev, count);
unlock:
	raw_mutex_unlock(&irq->change);
	return status;
}

static void irq_stop(struct pci_irq *irq)
{
	raw_mutex_lock(&irq->change);
	os_store_release(&irq->count, 0u);
	if (irq->thread) {
		os_store_release(&irq->stop, 1u);
		eventcount_signal(&irq->event);
		os_thread_join(irq->thread);
		irq->thread = NULL;
	}
	raw_mutex_unlock(&irq->change);
}

void os_pci_irq_disable(struct os_pci_dev *dev)
{
	msix_disable(dev);
	irq_stop(&dev->irq);
}

void pci_irq_destroy(struct pci_irq *irq)
{
	irq_stop(irq);
}

void os_user_pci_interrupt(struct os_pci_dev *dev, u32 vector)
{
	struct pci_irq *irq = &dev->irq;

	if (vector < os_load_acquire(&irq->count)) {
		u64 bit = BIT64(vector % 64);

		if (!(os_fetch_or(&irq->pending[vector / 64], bit) & bit))
			eventcount_signal(&irq->event);
	}
	eventcount_signal(&dev->progress);
}

u32 os_pci_irq_number(struct os_pci_dev *dev)
{
	return os_pci_cfg_read(dev, CFG_INTERRUPT_LINE, 1);
}
