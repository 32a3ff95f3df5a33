/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What host/linux asks of os/linux beyond os.h. Each module has its own copy of os/linux.
 */
#ifndef OS_LINUX_LINUX_H
#define OS_LINUX_LINUX_H

#include "os/os.h"

struct address_space;
struct dentry;
struct pci_dev;
struct soft_bell;
struct vm_fault;

/* -- The module -------------------------------------------------------------------------------- */

/*
 * Before anything else of os.h, and after all of it. name is the module's, for the log and for
 * interrupts (kept, not copied); dir is the module's directory in debugfs (or NULL), in which
 * "live" and "alloc_fail" appear until os_linux_exit, which comes before dir is removed.
 * os_linux_exit names in the log every allocation that is left, and returns how many. 0 or -errno.
 */
int os_linux_init(const char *name, struct dentry *dir);
u32 os_linux_exit(void);

/* Allocations of os.h that are live: blocks, and bytes of them and of pages. */
void os_linux_live(u64 *blocks, u64 *bytes);
/*
 * One more point of those that "alloc_fail" counts, for what a module allocates by the kernel's own
 * functions: true when it is to fail. Any context.
 */
bool os_linux_alloc_fails(void);

/* What the CPU protects this kernel's memory with, as the kernel found it. */
enum os_tee os_linux_cpu_tee(void);

/* -- PCI devices ------------------------------------------------------------------------------- */

/*
 * A device that softh100.ko made: takes its access table. -ENODEV when pdev is none of the model's
 * (no vendor-specific capability, or no such module), which the log explains; -ENOMEM. The pci_dev
 * is referenced until os_linux_pci_put. Enables nothing.
 */
int os_linux_pci_get(struct pci_dev *pdev, struct os_pci_dev **out);
/*
 * After rm_gpu_remove. Pages that are left of it are out of the device's reach afterwards; their
 * memory stays until os_pages_free.
 */
void os_linux_pci_put(struct os_pci_dev *dev);
struct pci_dev *os_linux_pci_dev(struct os_pci_dev *dev);
/* From now on every read is all ones and every wait ends: the device is gone. Any context. */
void os_linux_pci_lost(struct os_pci_dev *dev);

/*
 * Which interrupts os_pci_irq_enable may ask for, of PCI_IRQ_MSIX, PCI_IRQ_MSI and PCI_IRQ_INTX
 * (PCI_IRQ_LEGACY): the first of this order that works is taken. At first all.
 */
void os_linux_pci_irq_types(struct os_pci_dev *dev, u32 types);
/* The kind taken (one of these), 0 while disabled. */
u32 os_linux_pci_irq_type(struct os_pci_dev *dev);

/* The page behind a BAR, with a reference, to be mapped into user space; NULL: there is none. */
struct page *os_linux_pci_bar_page(struct os_pci_dev *dev, u32 bar, u64 offset);

/*
 * Doorbells mapped into user space: soft_pci_access's bell_get (NULL also when the device is lost),
 * bell_put and bell_fault. Those of a device end before os_linux_pci_put.
 */
struct soft_bell *os_linux_bell_get(struct os_pci_dev *dev, u32 client, struct address_space *space,
				    unsigned long first, unsigned long count);
void os_linux_bell_put(struct os_pci_dev *dev, struct soft_bell *bell);
int os_linux_bell_fault(struct os_pci_dev *dev, struct soft_bell *bell, struct vm_fault *vmf);

/* -- Pages ------------------------------------------------------------------------------------- */

/* The struct page of the byte at offset of pages, for mappings into user space; NULL if beyond. */
struct page *os_linux_pages_page(const struct os_pages *pages, size_t offset);

#endif
