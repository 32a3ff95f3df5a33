/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * os.h in a process: what hosts and tests see of it beyond os.h. Hosts plug software devices, the
 * copies to and from their clients and the log's sink in here; tests make allocations fail.
 */
#ifndef OS_USER_USER_H
#define OS_USER_USER_H

#include "os/os.h"

/* -- Allocation failures and leaks (build option alloc_faults) --------------------------------- */

/*
 * The nth allocation from now (1: the next) fails, once; 0 takes that back. Counts os_alloc,
 * os_pages_alloc, and the creation of events, threads, workqueues and percpu locks, each of which
 * may be several. False when the build lacks alloc_faults: nothing will fail.
 */
bool os_user_fail_alloc(u64 nth);
/* The same for allocations of the calling thread only. Both may be armed. */
bool os_user_fail_alloc_thread(u64 nth);

struct os_user_alloc_stats {
	u64 live;   /* allocations, pages blocks, events, threads, firmware references not yet freed
		     */
	u64 bytes;  /* of memory that those hold, as the allocator rounds it */
	u64 total;  /* allocations made so far */
	u64 failed; /* made to fail by the two functions above */
};
/* Exact while no other thread allocates. All zero when the build lacks alloc_faults. */
void os_user_alloc_stats(struct os_user_alloc_stats *stats);

/* -- The request that a thread serves ---------------------------------------------------------- */

/*
 * Who issued the request that the calling thread serves: what os_current_cred says on it. Copied.
 * NULL: the driver itself, pid 0 and admin, which every thread is at first.
 */
void os_user_set_cred(const struct os_cred *cred);

/*
 * Whether the user thread that a thread serves has a signal to act on: what os_event_wait_signal
 * looks at. Zeroed memory is one that is not raised.
 */
struct os_user_signal {
	u32 raised;    /* atomic */
	u32 lock;      /* waits_on */
	u32 *waits_on; /* of an event, while its thread waits */
};
/* For the calling thread; NULL: nothing ends its waits, as at first. Valid until it is set anew. */
void os_user_set_signal(struct os_user_signal *signal);
/* Any thread; raised until it is cleared. */
void os_user_signal_raise(struct os_user_signal *signal);
void os_user_signal_clear(struct os_user_signal *signal);

struct os_user_copy_ops {
	/* NV_OK or NV_ERR_INVALID_ADDRESS; size is not 0. */
	enum nv_status (*from)(void *ctx, void *dst, u64 user, size_t size);
	enum nv_status (*to)(void *ctx, u64 user, const void *src, size_t size);
};
/*
 * How the calling thread reaches the memory of the process it serves. ops must stay valid; NULL:
 * this process's own memory, where a bad address is a status and not a crash.
 */
void os_user_set_copy_ops(const struct os_user_copy_ops *ops, void *ctx);
/* This process's own memory with no check at all: for benchmarks of what lies behind the copies. */
extern const struct os_user_copy_ops os_user_copy_trusted;

/* A part of a pinned range: size bytes at offset of a memory file, both page aligned. */
struct os_user_pin_piece {
	int fd; /* the callee's own: os/user maps the piece and closes it */
	u64 offset, size;
};

struct os_user_pin_ops {
	/*
	 * Makes the client's range one that stays where it is and is backed by memory files:
	 * pieces[0 .. *count - 1], at most max, cover it in order. The statuses of os_pages_pin;
	 * NV_ERR_NO_MEMORY too where there are more than max. Nothing is open after a failure.
	 */
	enum nv_status (*pin)(void *ctx, u64 user, size_t size, bool writable,
			      struct os_user_pin_piece *pieces, u32 max, u32 *count);
};
/*
 * How the calling thread pins memory of the process that it serves. ops must stay valid; NULL, as
 * at first: os_pages_pin is NV_ERR_NOT_SUPPORTED.
 */
void os_user_set_pin_ops(const struct os_user_pin_ops *ops, void *ctx);

/*
 * How many pages of a device's bus addresses (2^26) one user may have, administrator and the
 * process's own user apart, and all of them together: half and three quarters if nobody says so.
 * More is NV_ERR_NO_MEMORY. Before there are requests.
 */
void os_user_limit_dma(u32 pages, u32 pages_all);

/* -- Log --------------------------------------------------------------------------------------- */

/* Lines up to level keep are formatted and kept for os_user_log_tail, those up to show go to the
 * sink too. At first INFO and WARN. */
void os_user_log_set_levels(enum os_log_level keep, enum os_log_level show);
/*
 * Where shown lines go; line ends in no newline. NULL: standard error. The sink may be called on
 * any thread, with spinlocks held, by several threads at once; it must not log.
 */
void os_user_log_set_sink(void (*sink)(void *ctx, enum os_log_level level, const char *line),
			  void *ctx);
/* The latest whole lines that fit, oldest first, as dmesg prints them; always terminated. Returns
 * the length without the terminator. */
size_t os_user_log_tail(char *buf, size_t size);

/* -- Software PCI devices ---------------------------------------------------------------------- */

struct os_user_pci_ops {
	/* As in h100/h100.h. Any thread; never sleep. */
	u32 (*cfg_read)(void *ctx, u32 offset, u32 width);
	void (*cfg_write)(void *ctx, u32 offset, u32 width, u32 value);
	u64 (*bar_size)(void *ctx, u32 bar);
	u64 (*bar_read)(void *ctx, u32 bar, u64 offset, u32 width);
	void (*bar_write)(void *ctx, u32 bar, u64 offset, u32 width, u64 value);
	/* Does some of the device's work on the calling thread; false when there was none. May be
	 * NULL. */
	bool (*lend)(void *ctx);
	/* Config space of the root port above the device. May be NULL: there is none. */
	u32 (*root_cfg_read)(void *ctx, u32 offset, u32 width);
	/* os_pci_bar_discard, in range and page aligned; may sleep. May be NULL: zeros are written.
	 */
	void (*bar_discard)(void *ctx, u32 bar, u64 offset, u64 size);
};

/*
 * For a process that will have devices, while it has one thread: what the bus asks of the kernel
 * then costs nothing, and later a wait for all CPUs (10 to 20 ms). Need not be called.
 */
void os_user_dma_prepare(void);

/*
 * Puts a device on the bus as firmware would: assigns addresses to its BARs (BAR 0 below 4 GiB,
 * large ones above), writes them to config space, enables memory and bus mastering. ops and ctx
 * must stay valid. NULL when out of memory or address space.
 */
struct os_pci_dev *os_user_pci_register(const struct os_user_pci_ops *ops, void *ctx,
					const struct os_pci_location *location);
/* No driver uses the device any more: its interrupts are disabled and its pages freed. */
void os_user_pci_unregister(struct os_pci_dev *dev);

/*
 * The device sends message vector. Any context; the top half runs on the device's own interrupt
 * thread. A message that arrives before the previous one of its vector was taken merges with it,
 * and is lost while interrupts are disabled, as in an MSI-X pending array that nobody reads.
 */
void os_user_pci_interrupt(struct os_pci_dev *dev, u32 vector);
/*
 * The device did something that os_pci_wait may wait for, and after that an atomic operation that
 * orders memory. Nearly free while nobody waits. Any context. Interrupts include this.
 */
void os_user_pci_kick(struct os_pci_dev *dev);
/*
 * True while a thread in os_pci_wait looks again and again, at kicks at the latest, or has said
 * that it will (os_pci_expect). Any context.
 */
bool os_user_pci_waiting(struct os_pci_dev *dev);
/* What os_tee says; OS_TEE_NONE at first. Any thread. */
void os_user_set_tee(enum os_tee tee);

/* Whether os_pci_wait lends its thread to the device; true at first. */
void os_user_pci_set_lending(struct os_pci_dev *dev, bool lend);
/* Where the CPU protects memory the device reaches no OS_PAGES_PRIVATE page. Not at first. */
void os_user_pci_set_confidential(struct os_pci_dev *dev, bool confidential);

/*
 * Whoever runs the machine, and so sees all that is shared and may change it at any time. Callbacks
 * come on the thread that does it; they may change the memory and sleep, but use nothing else of
 * the device. Private pages are not shown while the device is in confidential mode.
 */
struct os_user_pci_observer {
	/*
	 * size bytes at cpu, pages that follow each other there, are reached by the device from now
	 * on, or, once this returns, no more.
	 */
	void (*mapped)(void *ctx, void *cpu, size_t size, bool there);
	/*
	 * The device is about to read size bytes at cpu, in one page (data is NULL), or to write
	 * data there. False: that write is lost.
	 */
	bool (*dma)(void *ctx, u64 bus_addr, void *cpu, const void *data, size_t size);
};
/*
 * Before the device has a driver. The observer must stay valid as long as the device; each access
 * is shown to it then, since os_user_dma_find finds nothing. NULL, as at first: nobody.
 */
void os_user_pci_set_observer(struct os_pci_dev *dev, const struct os_user_pci_observer *observer,
			      void *ctx);

/*
 * The device's bus-master accesses; false, and nothing transferred, when any byte is not mapped for
 * it. Aligned accesses of 4 or 8 bytes are single loads (acquire) and stores (release).
 * os_pages_free waits for accesses under way.
 */
bool os_user_dma_read(struct os_pci_dev *dev, u64 bus_addr, void *data, size_t size);
bool os_user_dma_write(struct os_pci_dev *dev, u64 bus_addr, const void *data, size_t size);
/*
 * Between the two, which the same thread calls, accesses of that thread are cheaper and changes of
 * the device's mappings wait. Not nested; the thread maps and frees no pages of the device. One
 * thread at a time. Returns a number that is the same as long as what os_user_dma_find found before
 * still lies there: it may be used whenever the mappings are held.
 */
u32 os_user_dma_hold(struct os_pci_dev *dev);
void os_user_dma_release(struct os_pci_dev *dev);
/*
 * The same for any number of threads at once, and within a hold of the same thread. Returns what
 * os_user_dma_leave takes.
 */
void *os_user_dma_enter(struct os_pci_dev *dev);
void os_user_dma_leave(void *token);
/*
 * Where the bytes lie for the CPU, all in one page: no two pages are adjacent on the bus. Valid
 * until the driver frees the pages; the caller keeps it from doing so.
 */
bool os_user_dma_find(struct os_pci_dev *dev, u64 bus_addr, size_t size, void **cpu);

/*
 * The memfd behind pages, of pages->size bytes, sealed against a change of size. Owned by pages. -1
 * where pages were pinned: that memory is their process's.
 */
int os_user_pages_fd(const struct os_pages *pages);

/* -- Time -------------------------------------------------------------------------------------- */

/* os_time_ns as of the last tick of the system's clock, some milliseconds ago: cheaper to read. */
u64 os_user_time_coarse_ns(void);

/* -- Cryptography ------------------------------------------------------------------------------ */

/*
 * Ciphers that are created from now on are libcrypto's, or again whatever is fastest. False: they
 * are libcrypto's anyhow. For tests.
 */
bool os_user_gcm_only_libcrypto(bool only);

/* -- Firmware ---------------------------------------------------------------------------------- */

/*
 * Makes data what os_firmware_get gives for name, for any device. Both must stay valid. A second
 * registration of the name replaces the first for later calls. NV_ERR_NO_MEMORY.
 */
enum nv_status os_user_firmware_register(const char *name, const void *data, size_t size);
/* The name is unknown from now on. Nobody holds the image. */
void os_user_firmware_unregister(const char *name);

#endif
