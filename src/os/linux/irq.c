// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A device's interrupts: MSI-X where the device and the machine have it, else MSI, else a line. The
 * top half runs in the hard interrupt.
 */
#include <linux/interrupt.h>
#include <linux/kernel.h>

#include "os/linux/pci.h"

#define IRQ_TYPES (PCI_IRQ_MSIX | PCI_IRQ_MSI | PCI_IRQ_INTX)

struct pci_irq_vector {
	struct os_pci_dev *dev;
	u32 index;
};

static irqreturn_t irq_handle(int number, void *arg)
{
	struct pci_irq_vector *vector = arg;
	struct os_pci_dev *dev = vector->dev;

	dev->irq.top(dev->irq.arg, vector->index);
	/* it may have done what somebody waits for */
	pci_progress(dev);
	return IRQ_HANDLED;
}

void pci_irq_init(struct os_pci_dev *dev)
{
	mutex_init(&dev->irq.change);
	dev->irq.types = IRQ_TYPES;
}

void os_linux_pci_irq_types(struct os_pci_dev *dev, u32 types)
{
	mutex_lock(&dev->irq.change);
	dev->irq.types = types & IRQ_TYPES;
	mutex_unlock(&dev->irq.change);
}

u32 os_linux_pci_irq_type(struct os_pci_dev *dev)
{
	return READ_ONCE(dev->irq.type);
}

u32 os_pci_irq_number(struct os_pci_dev *dev)
{
	int number = -1;

	mutex_lock(&dev->irq.change);
	if (dev->irq.type)
		number = pci_irq_vector(dev->pdev, 0);
	mutex_unlock(&dev->irq.change);
	return number < 0 ? dev->pdev->irq : (u32)number;
}

/* The first count vectors. */
static void irq_free(struct os_pci_dev *dev, u32 count)
{
	while (count--)
		free_irq(pci_irq_vector(dev->pdev, count), &dev->irq.vectors[count]);
}

static int irq_request(struct os_pci_dev *dev, u32 count)
{
	unsigned long flags = dev->irq.type == PCI_IRQ_INTX ? IRQF_SHARED : 0;
	struct pci_irq *irq = &dev->irq;
	int err = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		irq->vectors[i].dev = dev;
		irq->vectors[i].index = i;
		err = account_fails() ? -ENOMEM
				      : request_irq(pci_irq_vector(dev->pdev, i), irq_handle, flags,
						    os_module_name, &irq->vectors[i]);
		if (err) {
			irq_free(dev, i);
			break;
		}
	}
	return err;
}

static u32 irq_type_taken(struct pci_dev *pdev)
{
	if (pdev->msix_enabled)
		return PCI_IRQ_MSIX;
	return pdev->msi_enabled ? PCI_IRQ_MSI : PCI_IRQ_INTX;
}

static enum nv_status irq_enable(struct os_pci_dev *dev, u32 count)
{
	struct pci_irq *irq = &dev->irq;
	struct pci_dev *pdev = dev->pdev;
	int got;

	irq->vectors = account_alloc(count * sizeof(irq->vectors[0]), _RET_IP_);
	if (!irq->vectors)
		return NV_ERR_NO_MEMORY;
	if (account_fails())
		goto free_vectors;
	/* a line is one vector, and all that some machines have */
	got = pci_alloc_irq_vectors(pdev, 1, count, irq->types);
	if (got <= 0) {
		pci_err(pdev, "%s: no interrupts: %d\n", os_module_name, got);
		goto free_vectors;
	}
	irq->type = irq_type_taken(pdev);
	if (irq_request(dev, got))
		goto free_irqs;
	irq->count = got;
	return NV_OK;

free_irqs:
	irq->type = 0;
	pci_free_irq_vectors(pdev);
free_vectors:
	os_free(irq->vectors);
	irq->vectors = NULL;
	return NV_ERR_NO_MEMORY;
}

enum nv_status os_pci_irq_enable(struct os_pci_dev *dev, u32 count,
				 void (*top)(void *arg, u32 vector), void *arg)
{
	struct pci_irq *irq = &dev->irq;
	enum nv_status status = NV_ERR_INVALID_STATE;

	if (!count || !top)
		return NV_ERR_INVALID_ARGUMENT;
	mutex_lock(&irq->change);
	if (!irq->type) {
		irq->top = top;
		irq->arg = arg;
		status = irq_enable(dev, count);
	}
	mutex_unlock(&irq->change);
	return status;
}

void os_pci_irq_disable(struct os_pci_dev *dev)
{
	struct pci_irq *irq = &dev->irq;

	mutex_lock(&irq->change);
	if (irq->type) {
		irq_free(dev, irq->count);
		pci_free_irq_vectors(dev->pdev);
		os_free(irq->vectors);
		irq->vectors = NULL;
		irq->type = 0;
	}
	mutex_unlock(&irq->change);
}
