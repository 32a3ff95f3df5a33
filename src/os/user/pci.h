/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A software PCI device as os/user holds it: its BARs (pci.c), interrupt thread (irq.c), table of
 * bus addresses (dma.c, dma_share.c).
 */
#ifndef OS_USER_PCI_H
#define OS_USER_PCI_H

#include "base/list.h"
#include "base/range.h"
#include "os/user/internal.h"

#define PCI_BARS 6u
#define PCI_VECTORS 256u

struct pci_irq {
	struct raw_mutex change; /* enable and disable */
	u32 count;		 /* vectors; 0: disabled */
	u32 stop;
	u64 pending[PCI_VECTORS / 64];
	struct eventcount event;
	struct os_thread *thread;
	void (*top)(void *arg, u32 vector);
	void *arg;
};

/* An entry of the table: 0 free, or the page's CPU address and flags. */
#define DMA_ENTRY_USED 1ull
#define DMA_ENTRY_PRIVATE 2ull
#define DMA_ENTRY_FLAGS 0xfffull

#define DMA_SLOT_BITS 26u /* 256 GiB of memory */
#define DMA_SLOTS BIT32(DMA_SLOT_BITS)
#define DMA_NOBODY (~0u) /* whose memory is not counted */

struct dma_user;

struct dma_table {
	struct os_percpu_rwlock lock; /* accesses read, changes write; not checked for order */
	bool quick;		      /* held may stand for the lock: see dma.c */
	u32 held;		      /* atomic: a thread holds the mappings without the lock */
	u32 changing;		      /* atomic: somebody changes one, or waits for held */
	struct dma_user *users;	      /* who has some of it */
	u32 owned;		      /* slots of theirs */
	u32 removals; /* changes after which an address may lead nowhere, or elsewhere */
	u64 **chunks; /* of DMA_CHUNK_SLOTS entries */
	u32 used;     /* slots ever used */
	u32 free_first, free_last; /* those free again, oldest first; plus 1, 0: none */
	u32 free_count;
	u32 key; /* of the permutation */
	bool confidential;
	const struct os_user_pci_observer *observer; /* or NULL */
	void *observer_ctx;
};

struct os_pci_dev {
	const struct os_user_pci_ops *ops;
	void *ctx;
	struct os_pci_location location;
	struct range bars[PCI_BARS];
	u32 lending;
	struct eventcount progress;
	u32 waiting; /* threads that watch for progress, asleep or not, or are about to */
	struct pci_irq irq;
	struct dma_table dma;
	struct list_node node; /* of the bus */
};

/* NV_ERR_NO_MEMORY. */
enum nv_status dma_table_init(struct dma_table *t);
/* No page is mapped any more. */
void dma_table_destroy(struct dma_table *t);
/*
 * Maps count pages that lie one after the other for the CPU, on owner's share; slots[i] then names
 * page i. NV_ERR_NO_MEMORY, also for more than the share, and nothing is mapped.
 */
enum nv_status dma_map(struct dma_table *t, void *cpu, u32 count, bool private, u32 owner,
		       u32 *slots);
/* Waits for accesses under way. */
void dma_unmap(struct dma_table *t, const u32 *slots, u32 count, u32 owner);
/* On whose share what the calling thread's request maps goes. */
u32 dma_share_owner(void);
/* The table's lock held for a change. False: that would be too much, or there is no memory. */
bool dma_share_take(struct dma_table *t, u32 owner, u32 count);
void dma_share_drop(struct dma_table *t, u32 owner, u32 count);
u64 dma_slot_address(const struct dma_table *t, u32 slot);

void pci_irq_destroy(struct pci_irq *irq);

/* msix.c: the device's own side of interrupts; nothing where it has no MSI-X. */
void msix_enable(struct os_pci_dev *dev, u32 count);
void msix_disable(struct os_pci_dev *dev);

#endif
