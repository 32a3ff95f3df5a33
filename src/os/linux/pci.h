/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A PCI device as os/linux holds it: its registers (pci.c), interrupts (irq.c), who waits for it
 * (pciwait.c), and the pages it reaches (pages.c).
 */
#ifndef OS_LINUX_PCI_H
#define OS_LINUX_PCI_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "os/linux/internal.h"
#include "os/linux/soft_pci.h"

#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX PCI_IRQ_LEGACY
#endif

struct pci_irq {
	struct mutex change; /* enable and disable */
	u32 types;	     /* that may be used */
	u32 type;	     /* in use; 0: disabled */
	u32 count;	     /* vectors in use */
	void (*top)(void *arg, u32 vector);
	void *arg;
	struct pci_irq_vector *vectors;
};

struct os_pci_dev {
	struct pci_dev *pdev; /* referenced */
	const struct soft_pci_access *access;
	struct soft_pci *soft;
	void __iomem *registers; /* BAR 0, where accesses trap; else NULL */
	u64 registers_size;
	bool lost; /* atomic */
	struct pci_irq irq;
	/* Its lock: sequence, which grows with every interrupt and when the device is lost. */
	struct waitlist progress;
	u64 sequence;
	struct list_head pages; /* struct pages, pages.c's lock */
};

static inline bool pci_lost(struct os_pci_dev *dev)
{
	return READ_ONCE(dev->lost);
}

/* What os_tee says where the kernel says nothing: of the last device that was taken. */
void tee_set_model(enum os_tee tee);

void pci_irq_init(struct os_pci_dev *dev);
/* Something happened that os_pci_wait may wait for. Any context. */
void pci_progress(struct os_pci_dev *dev);
/* Takes all pages of the device out of its reach. */
void pages_detach(struct os_pci_dev *dev);

#endif
