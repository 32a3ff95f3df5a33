/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * softh100.ko's parts: GPUs' functions on a PCI bus of their own, and /dev/softh100, where the
 * process with the engines and the firmware of each attaches. docs/virtual-pci.md has the picture.
 *
 * Locks, outermost first: soft_pci.bind, PCI's rescan lock, soft_video.lock, soft_machine.mapped;
 * soft_pci.bind, a process's mmap_lock, soft_bells.lock; in atomic context soft_vectors.lock or
 * soft_dma's, then those of h100/function.
 */
#ifndef HOST_LINUX_SOFTH100_INTERNAL_H
#define HOST_LINUX_SOFTH100_INTERNAL_H

#include <linux/irq_work.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/swait.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "h100/function/function.h"
#include "host/linux/softh100/softh100.h"
#include "os/linux/soft_pci.h"
#include "os/os.h"

struct dentry;
struct pci_bus;
struct pci_dev;
struct soft_file;
struct vm_area_struct;
struct vm_fault;

#define SOFT_GPUS_MAX 16u
#define SOFT_BARS 3u

/* What the module knows of a profile; identity.index is 0. */
struct soft_profile {
	const char *name;
	struct h100_function_identity identity;
};

/* -- Video memory: video.c --------------------------------------------------------------------- */

struct soft_video {
	struct xarray pages;	  /* by page number; values change under its lock, interrupts off */
	struct rw_semaphore lock; /* readers map pages into processes, a writer takes them away */
	u64 bytes;
	pgoff_t base; /* its first page in every file's address space */
	bool linked;  /* other GPUs reach it. Under lock. */
	bool full;    /* said once that a page was not to be had */
};

void soft_video_init(struct soft_video *video, u32 index, u64 bytes);
/* Any context; in bounds and aligned. */
u64 soft_video_read(struct soft_video *video, u64 address, u32 width);
void soft_video_write(struct soft_video *video, u64 address, u32 width, u64 value);
/* mmap of the device's file: -EINVAL beyond its end, or private. */
int soft_video_mmap(struct soft_video *video, struct vm_area_struct *vma);
/* The same of another GPU's memory, by that one's process. */
int soft_video_mmap_peer(struct soft_video *video, struct vm_area_struct *vma);
/* Others reach it from now on, or nobody does any more once this returns. */
void soft_video_link(struct soft_video *video, bool linked);
/* All of it reads as zero, mappings too. The function is off the bus, and so it stays meanwhile. */
void soft_video_clear(struct soft_video *video);
/* A page for a mapping of its BAR, referenced; NULL: off the bus, beyond the end, no memory. */
struct page *soft_video_page(struct soft_video *video, struct h100_function *function, u64 address);
/* What there is of that range (of whole pages) reads as zero, and its pages are with those who
 * mapped them. Sleeps.
 */
void soft_video_discard(struct soft_video *video, u64 address, u64 size);

/* -- Doorbells of clients: bell.c -------------------------------------------------------------- */

struct soft_bells {
	struct mutex lock;     /* all of it, and what bells have; faults take it, and mappings are
				  undone under it */
	struct xarray slots;   /* struct soft_bell by number */
	struct xarray users;   /* how many each user has but the administrator, by uid */
	u32 counted;	       /* and all of them together */
	struct list_head news; /* bells to be reported */
	struct address_space *mapping; /* of the file of the GPU's process; NULL: nobody serves */
	pgoff_t base;		       /* where number 0 is in it */
};

void soft_bells_init(struct soft_bells *bells, pgoff_t base);
/* All bells are put, and no process is there. */
void soft_bells_destroy(struct soft_bells *bells);
/* A process that knows of no bell takes them up; NULL: it is gone, its mappings too. */
void soft_bells_bind(struct soft_pci *gpu, struct address_space *mapping);
/* soft_pci_access's bell_get, bell_put and bell_fault. */
struct soft_bell *soft_bell_get(struct soft_pci *gpu, u32 client, struct address_space *space,
				unsigned long first, unsigned long count);
void soft_bell_put(struct soft_bell *bell);
int soft_bell_fault(struct soft_bell *bell, struct vm_fault *vmf);
/* SOFTH100_BELLS, BELL_ARM, BELL_FREE. */
void soft_bells_take(struct soft_pci *gpu, struct softh100_bells *out);
int soft_bell_arm(struct soft_pci *gpu, u32 number);
int soft_bell_free(struct soft_pci *gpu, u32 number);
/* mmap of the device's file at SOFTH100_BELLS_OFFSET and on. */
int soft_bells_mmap(struct soft_pci *gpu, struct vm_area_struct *vma);

/* -- System memory by DMA address: dma.c ------------------------------------------------------- */

/* Tests: whoever runs the machine changes a bit of the system memory that the GPU looks at. */
struct soft_tamper {
	u32 left;   /* accesses in which he does; 0: none */
	bool write; /* by the GPU, afterwards; else reads, before */
	u32 bytes;  /* of so many and more */
};

struct soft_dma {
	/* By DMA page number: struct page, or a value for a private one, which the GPU does not
	 * reach. Under its lock, interrupts off. */
	struct xarray pages;
	u64 next; /* where to look for free addresses, as a page number; under the lock too */
	struct soft_tamper tamper; /* likewise */
};

struct dma_map_ops;
extern const struct dma_map_ops soft_dma_ops;

int soft_dma_machine_init(void);
void soft_dma_machine_exit(void);
void soft_dma_init(struct soft_dma *dma);
/* Drops what a driver left mapped; how many pages. */
u32 soft_dma_clear(struct soft_dma *dma);
/* pread, or pwrite, which only reads user: bytes, or -EFAULT, -EINVAL, -ENOMEM. */
ssize_t soft_dma_access(struct soft_pci *gpu, char __user *user, size_t size, u64 address,
			bool write);
void soft_dma_tamper(struct soft_dma *dma, const struct soft_tamper *tamper);

/* -- Interrupts: irq.c ------------------------------------------------------------------------- */

/* What the kernel keeps in the MSI-X table; irq.c says why it is here too. */
struct soft_msix_entry {
	bool used, masked;
	u32 address_low, address_high, data;
};

struct soft_vectors {
	raw_spinlock_t lock; /* msix */
	struct soft_msix_entry msix[H100_MSIX_ENTRIES];
	u32 intx;	  /* the kernel's number of INTA#; 0: none */
	bool intx_masked; /* of this irq's descriptor lock */
	struct irq_work intx_work;
};

int soft_irq_machine_init(void);
void soft_irq_machine_exit(void);
/* 0 or -ENOMEM. */
int soft_irq_init(struct soft_pci *gpu);
void soft_irq_exit(struct soft_pci *gpu);
/* Any context but NMI. */
void soft_irq_message(struct soft_pci *gpu, u64 address, u32 data);
void soft_irq_intx(struct soft_pci *gpu);
/* The MSI-X control word was written; under PCI's config lock. */
void soft_irq_msix_control(struct soft_pci *gpu);
/* The GPU's device is gone, and what the kernel put into its table with it. */
void soft_irq_forget(struct soft_pci *gpu);
/* Waits for what is under way; nothing new comes as the function is off the bus. */
void soft_irq_quiesce(struct soft_pci *gpu);
struct irq_domain *soft_irq_domain(void);
struct fwnode_handle *soft_irq_fwnode(void);

/* -- Root ports: port.c ------------------------------------------------------------------------ */

#define SOFT_PORT_CFG_BYTES 256u

struct soft_port {
	u8 cfg[SOFT_PORT_CFG_BYTES]; /* under PCI's config lock */
	u8 writable[SOFT_PORT_CFG_BYTES];
};

/* The window, and bus, that firmware would have given the port. */
void soft_port_init(struct soft_port *port, const struct h100_function_identity *identity, u8 bus,
		    u64 window_start, u64 window_end);
u32 soft_port_read(struct soft_pci *gpu, u32 offset, u32 width);
/* True when the write resets what is below. */
bool soft_port_write(struct soft_pci *gpu, u32 offset, u32 width, u32 value);
u8 soft_port_secondary(const struct soft_port *port);

/* -- The bus: bus.c, place.c ------------------------------------------------------------------- */

/* Where a GPU's BARs are, and the window of its port around them. */
struct soft_place {
	u64 bar[SOFT_BARS];
	u64 window_start, window_end; /* end: last byte */
};

/*
 * Takes a range of the physical address map that nothing is in, for count GPUs or as many as there
 * is room for: how many, 0 when there is none for any, or -errno.
 */
int soft_place_take(const struct h100_function_identity *identity, u32 count);
void soft_place_release(void);
void soft_place_get(u32 index, struct soft_place *place);
struct resource *soft_place_window(void);

/* All ports, no GPU yet. 0 or -errno. */
int soft_bus_init(void);
/* Takes all devices off the bus, and the bus away. */
void soft_bus_exit(void);
/* The GPU's device, if it is enumerated; not referenced. */
struct pci_dev *soft_bus_device(struct soft_pci *gpu);
struct soft_pci *soft_bus_gpu(struct pci_dev *pdev);
/* Has the bus looked at for the GPU, soon; waits for that with flush_work(&gpu->enumerate). */
void soft_bus_enumerate(struct work_struct *work);
/* Takes the GPU's device off the bus as one that was pulled out. */
void soft_bus_eject(struct soft_pci *gpu);

/* -- One GPU: gpu.c ---------------------------------------------------------------------------- */

enum soft_command_state {
	SOFT_COMMAND_NONE,
	SOFT_COMMAND_QUEUED,
	SOFT_COMMAND_TAKEN,
	SOFT_COMMAND_ANSWERED,
	SOFT_COMMAND_ABANDONED, /* taken, but who wrote it is gone */
};

struct soft_pci {
	u32 index;
	struct h100_function function;
	struct soft_port port;
	struct soft_place place;
	struct soft_video video;
	struct soft_bells bells;
	struct soft_dma dma;
	struct soft_vectors vectors;

	struct mutex bind;	/* file, ejected */
	struct soft_file *file; /* whose process serves this GPU */
	struct address_space
		*mapping; /* that file's; NULL: nobody serves. Under soft_machine.mapped. */
	bool ejected;	  /* out of its slot */

	u32 attached; /* atomic: the function may leave work */
	u32 work;     /* atomic: bits of SOFTH100_WORK_* and H100_WORK_* */
	struct swait_queue_head waiters;
	struct work_struct reset; /* what of a function's reset cannot be done at once */
	struct work_struct enumerate;

	struct pci_dev *pdev; /* as long as it is in the device tree; atomic */

	struct mutex inject;	 /* one writer at a time */
	spinlock_t command_lock; /* the next four */
	enum soft_command_state command_state;
	struct softh100_command command;
	int answer; /* 0 or -errno */
	wait_queue_head_t answered;
	struct dentry *dir;
};

struct soft_machine {
	const struct soft_profile *profile;
	u32 gpus;
	u32 cc;		 /* SOFTH100_CC_*, of all GPUs */
	enum os_tee tee; /* protects memory: a GPU reaches only what is shared with it */
	struct soft_pci *gpu[SOFT_GPUS_MAX];
	struct workqueue_struct *queue;
	wait_queue_head_t attached;   /* somebody attached */
	struct softh100_links *links; /* a page */
	struct rw_semaphore mapped;   /* every GPU's mapping */
	struct dentry *dir;
	const char *process; /* the program to start; empty: none */
};
extern struct soft_machine soft_machine;

/* NULL: out of memory. Off the bus and served by nobody. */
struct soft_pci *soft_gpu_create(u32 index);
void soft_gpu_destroy(struct soft_pci *gpu);
/* Leaves work and wakes one who waits for it. Any context but NMI. */
void soft_gpu_work(struct soft_pci *gpu, u32 work);
/*
 * file's process serves the GPU from now on: reset, its BARs where firmware puts them, on the bus.
 * 0, -EBUSY, -ENODEV (ejected).
 */
int soft_gpu_attach(struct soft_pci *gpu, struct soft_file *file, struct address_space *mapping);
void soft_gpu_detach(struct soft_pci *gpu);
/* 0, or -ENODEV when it was ejected. */
int soft_gpu_set_present(struct soft_pci *gpu, bool present);
/* SOFTH100_LINKED; -ENODEV when nobody serves it. */
int soft_gpu_link(struct soft_pci *gpu, bool linked);
/* Out of its slot, and in again. 0 or -errno. */
int soft_gpu_eject(struct soft_pci *gpu);
int soft_gpu_insert(struct soft_pci *gpu);
/* A configuration write that may have reset the function or changed MSI-X. */
void soft_gpu_cfg_write(struct soft_pci *gpu, u32 offset, u32 width, u32 value);

/* Starts the machine's program, for one GPU or (~0) for all. 0 or -errno. */
int soft_process_start(u32 index);

/* -- Commands for the process: command.c ------------------------------------------------------- */

void soft_command_init(struct soft_pci *gpu);
/* 0 or what the process answered (-errno); -ENODEV without one; -EINTR. Text is terminated. */
int soft_command_write(struct soft_pci *gpu, const char *text);
/* -EAGAIN: there is none. */
int soft_command_take(struct soft_pci *gpu, struct softh100_command *command);
/* -EINVAL: nobody asked, or no errno. */
int soft_command_answer(struct soft_pci *gpu, u32 answer);
/* Nobody will answer. */
void soft_command_cancel(struct soft_pci *gpu);

/* -- Registers that trap: trap.c --------------------------------------------------------------- */

/* soft_pci_access's map and unmap. */
void __iomem *soft_trap_map(struct soft_pci *gpu, u64 *size);
void soft_trap_unmap(struct soft_pci *gpu, void __iomem *registers);

/* -- Files ------------------------------------------------------------------------------------- */

/* device.c: /dev/softh100. 0 or -errno. */
int soft_device_init(void);
void soft_device_exit(void);

/* debug.c: debugfs, without which the module works too. */
void soft_debug_init(void);
void soft_debug_exit(void);

#endif
