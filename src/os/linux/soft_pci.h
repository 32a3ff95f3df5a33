/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How the driver's modules reach the registers of a software PCI device: the table that
 * softh100.ko exports and os/linux takes by symbol_get when it probes one. Neither module depends
 * on the other: either may be loaded first, and a device may come and go.
 */
#ifndef OS_LINUX_SOFT_PCI_H
#define OS_LINUX_SOFT_PCI_H

#include "base/types.h"
#include "os/os.h"

struct address_space;
struct page;
struct pci_dev;
struct soft_bell; /* a doorbell of a client's */
struct soft_pci;  /* the model's end of one device */
struct vm_fault;

#define SOFT_PCI_VERSION 5u

/*
 * An attribute of DMA mappings: this memory is shared with the device. Where the CPU protects
 * memory the device reaches what has it, and what its coherent allocator gave, and no other.
 */
#define SOFT_PCI_ATTR_SHARED (1ul << 30)

struct soft_pci_access {
	u32 version; /* SOFT_PCI_VERSION: another one is not used */
	/*
	 * The device behind pdev, NULL when it is none of the model's. The device's memory stays
	 * until put, whatever happens to it on the bus meanwhile. May sleep.
	 */
	struct soft_pci *(*get)(struct pci_dev *pdev);
	void (*put)(struct soft_pci *dev);
	/*
	 * Accesses through a BAR by PCI's index (0, 2, 4), width 1, 2, 4 or 8, naturally aligned.
	 * Any context. Off the bus, or with memory decoding off, reads are all ones and writes are
	 * lost.
	 */
	u64 (*read)(struct soft_pci *dev, u32 bar, u64 offset, u32 width);
	void (*write)(struct soft_pci *dev, u32 bar, u64 offset, u32 width, u64 value);
	/*
	 * The page behind video memory's BAR (2), made where there is none, with a reference; NULL
	 * off the bus, beyond its end, in confidential mode, and without memory. A reset leaves it
	 * to who has it. May sleep.
	 */
	struct page *(*page)(struct soft_pci *dev, u64 offset);
	/*
	 * The pages of that range read as zero from now on, and none handed out is its any more. In
	 * confidential mode nothing happens.
	 */
	void (*discard)(struct soft_pci *dev, u64 offset, u64 size);
	/* What the CPU of the device's machine protects memory with, as the model has it. */
	enum os_tee (*tee)(struct soft_pci *dev);
	/*
	 * A page of doorbells that stands for the register of BAR 0, for one mapping of RM client
	 * client's: count pages of space from page first on, which nothing else of space has, all
	 * show it. An idle page is taken out of them, so that the next store faults. space stays
	 * until bell_put. NULL: no memory, or too many: at all, or of the calling user. May be
	 * called with mmap_lock held.
	 */
	struct soft_bell *(*bell_get)(struct soft_pci *dev, u32 client, struct address_space *space,
				      unsigned long first, unsigned long count);
	/* The mapping is gone or about to be: it is not touched any more. mmap_lock as above. */
	void (*bell_put)(struct soft_bell *bell);
	/* vm_ops' fault: puts the page there and wakes the GPU. 0 or -errno of vm_insert_page. */
	int (*bell_fault)(struct soft_bell *bell, struct vm_fault *vmf);
	/*
	 * For runs in which nothing shall rest on the two above: BAR 0 mapped so that loads and
	 * stores of 4 or 8 bytes trap and reach the model; NULL when accesses do not trap. Both may
	 * be absent. May sleep.
	 */
	void __iomem *(*map)(struct soft_pci *dev, u64 *size);
	void (*unmap)(struct soft_pci *dev, void __iomem *registers);
};

/* The symbol that softh100.ko exports (GPL). */
extern const struct soft_pci_access softh100_access;

#endif
