/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Everything that shared code (rm, uvm, kms, h100/function) asks of an operating system.
 * src/os/user implements it for a process, src/os/linux for the kernel modules.
 *
 * Functions may sleep unless they say otherwise. Status codes are the interface's: NV_ERR_NO_MEMORY
 * for any exhausted resource, others as named.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include "abi/status.h"
#include "base/lockorder.h"
#include "base/types.h"
#include "os/storage.h"

/* -- Memory ------------------------------------------------------------------------------------ */

#define OS_PAGE_SIZE 4096u

/* Zeroed memory of size bytes (16-byte aligned), or NULL. Size 0 and sizes of 2 GiB and more give
 * NULL. */
void *os_alloc(size_t size);
/* Frees what os_alloc gave; NULL is ignored. Blocks of at most half a page in any
 * context. */
void os_free(void *mem);
/* Frees after overwriting all of it, in a way that the compiler keeps: keys and other secrets. */
void os_free_secret(void *mem, size_t size);

/* As C's, save that the pointers may be NULL when size is 0. */
static inline void os_memcpy(void *dst, const void *src, size_t size)
{
	if (size)
		__builtin_memcpy(dst, src, size);
}

static inline void os_memset(void *dst, int value, size_t size)
{
	if (size)
		__builtin_memset(dst, value, size);
}

static inline int os_memcmp(const void *a, const void *b, size_t size)
{
	return size ? __builtin_memcmp(a, b, size) : 0;
}

size_t os_strnlen(const char *s, size_t max);
int os_strcmp(const char *a, const char *b);
/* Always terminated; returns what a buffer of any size would have needed, as C's snprintf. */
int os_snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int os_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* -- Atomics: sequentially consistent unless named otherwise ----------------------------------- */

#define os_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define os_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define os_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define os_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define os_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define os_fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define os_fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define os_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define os_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#ifdef __SANITIZE_THREAD__
/* The sanitizer knows no fences; an atomic operation orders as much, whatever it works on. */
static inline void os_fence(void)
{
	u32 word = 0;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}
#else
#define os_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

static inline bool os_cmpxchg32(u32 *p, u32 expected, u32 desired)
{
	return __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* -- Locks ------------------------------------------------------------------------------------- */

/* Storage for the implementation's own lock; sizes (os/storage.h) are asserted there. Not copyable.
 */
struct os_mutex {
	u64 opaque[OS_MUTEX_WORDS];
};
struct os_spinlock {
	u64 opaque[OS_SPINLOCK_WORDS];
};
struct os_rwlock {
	u64 opaque[OS_RWLOCK_WORDS];
};
/* A reader lock that readers share nothing of: one cache line a CPU; writers pay for all. */
struct os_percpu_rwlock {
	void *impl;
};

enum nv_status os_mutex_init(struct os_mutex *m, enum lock_rank rank, const char *name);
void os_mutex_destroy(struct os_mutex *m);
void os_mutex_lock(struct os_mutex *m);
bool os_mutex_trylock(struct os_mutex *m);
void os_mutex_unlock(struct os_mutex *m);
/* Debug builds stop when the calling thread does not hold it; says "must hold" in code. */
void os_mutex_assert_held(struct os_mutex *m);
/* Both of one rank, in an order that cannot deadlock; a == b locks once. */
void os_mutex_lock_pair(struct os_mutex *a, struct os_mutex *b);
void os_mutex_unlock_pair(struct os_mutex *a, struct os_mutex *b);

enum nv_status os_rwlock_init(struct os_rwlock *l, enum lock_rank rank, const char *name);
void os_rwlock_destroy(struct os_rwlock *l);
void os_rwlock_read_lock(struct os_rwlock *l);
void os_rwlock_read_unlock(struct os_rwlock *l);
void os_rwlock_write_lock(struct os_rwlock *l);
void os_rwlock_write_unlock(struct os_rwlock *l);

enum nv_status os_percpu_rwlock_init(struct os_percpu_rwlock *l, enum lock_rank rank,
				     const char *name);
void os_percpu_rwlock_destroy(struct os_percpu_rwlock *l);
/* Returns a token that the matching unlock takes (the reader's slot). */
u32 os_percpu_rwlock_read_lock(struct os_percpu_rwlock *l);
void os_percpu_rwlock_read_unlock(struct os_percpu_rwlock *l, u32 token);
void os_percpu_rwlock_write_lock(struct os_percpu_rwlock *l);
void os_percpu_rwlock_write_unlock(struct os_percpu_rwlock *l);

/* Atomic context: holders never sleep. Safe against interrupt top halves. */
void os_spinlock_init(struct os_spinlock *l, const char *name);
void os_spinlock_lock(struct os_spinlock *l);
void os_spinlock_unlock(struct os_spinlock *l);

/* -- Events, threads, work --------------------------------------------------------------------- */

/* Binary: signal wakes all waiters and stays until reset. Signal is safe in atomic context. */
struct os_event {
	u64 opaque[OS_EVENT_WORDS];
};
enum nv_status os_event_init(struct os_event *e);
void os_event_destroy(struct os_event *e);
void os_event_signal(struct os_event *e);
void os_event_reset(struct os_event *e);
/* NV_OK, or NV_ERR_TIMEOUT after timeout_ns (0: do not wait; ~0: for ever). */
enum nv_status os_event_wait(struct os_event *e, u64 timeout_ns);
/*
 * The same, and NV_ERR_SIGNAL_PENDING when the user thread whose request this one serves has a
 * signal to act on, from before or from during the wait. No signal ends a wait of the driver's own
 * threads.
 */
enum nv_status os_event_wait_signal(struct os_event *e, u64 timeout_ns);

struct os_thread;
/* Starts fn(arg); the name shows in tools (15 characters). NULL when out of resources. */
struct os_thread *os_thread_create(const char *name, void (*fn)(void *arg), void *arg);
/* Waits for the thread to return and frees it. */
void os_thread_join(struct os_thread *t);

struct os_workqueue;
struct os_work {
	void (*fn)(struct os_work *work);
	struct os_work *next;
	u32 queued;
};
struct os_workqueue *os_workqueue_create(const char *name);
/* Runs what is queued, then stops the thread. */
void os_workqueue_destroy(struct os_workqueue *q);
/* Safe in atomic context, allocates nothing; false when work was queued already. */
bool os_workqueue_queue(struct os_workqueue *q, struct os_work *work);
/* Waits until everything queued before the call has run. */
void os_workqueue_flush(struct os_workqueue *q);

/* One pointer of the calling thread: the RM's call context. NULL at first. */
void *os_thread_context(void);
void os_thread_set_context(void *context);

/* -- Time and randomness ----------------------------------------------------------------------- */

u64 os_time_ns(void);	   /* monotonic */
u64 os_time_real_ns(void); /* since 1970-01-01 UTC */
void os_sleep_us(u64 us);
/* Early after boot it waits. NV_ERR_NOT_READY when the system has no entropy to give. */
enum nv_status os_random(void *buf, size_t size);

/* -- The calling user thread ------------------------------------------------------------------- */

struct os_cred {
	u32 pid; /* thread group */
	u32 uid;
	u32 gid;
	bool admin; /* may do what the driver reserves to the administrator */
	/* When the process began: another that gets its pid has another. 0: not known. */
	u64 started;
	/* Which container's: two users of one number in different ones differ. 0: not known. */
	u64 space;
};
/* Whether both are of one process, were it that one of them has ended. */
static inline bool os_cred_same_process(const struct os_cred *a, const struct os_cred *b)
{
	return a->pid == b->pid && a->started == b->started;
}
/* Who issued the request that this thread serves; the driver's own threads are pid 0, admin. */
void os_current_cred(struct os_cred *cred);

/*
 * Copies between kernel memory and the memory of the process whose request this thread serves.
 * NV_ERR_INVALID_ADDRESS when any byte cannot be reached (bytes before it may have been copied).
 * NV_OK for no bytes, whatever the address. Not under a spinlock.
 */
enum nv_status os_copy_from_user(void *dst, u64 user, size_t size);
enum nv_status os_copy_to_user(u64 user, const void *src, size_t size);

/* -- Log --------------------------------------------------------------------------------------- */

enum os_log_level { OS_LOG_ERROR, OS_LOG_WARN, OS_LOG_INFO, OS_LOG_DEBUG };
/* One line, newline added. Any context. */
void os_log(enum os_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A broken invariant of our own: logs and stops (user space) or warns (kernel). */
#define OS_BUG_ON(cond)                                    \
	do {                                               \
		if (__builtin_expect(!!(cond), 0))         \
			os_bug(__FILE__, __LINE__, #cond); \
	} while (0)
void os_bug(const char *file, int line, const char *what);

/* -- PCI --------------------------------------------------------------------------------------- */

struct os_pci_dev;

struct os_pci_location {
	u32 domain;
	u8 bus;
	u8 device;
	u8 function;
};
void os_pci_location(struct os_pci_dev *dev, struct os_pci_location *loc);

/* width 1, 2 or 4; a device off the bus reads as all ones. */
u32 os_pci_cfg_read(struct os_pci_dev *dev, u32 offset, u32 width);
void os_pci_cfg_write(struct os_pci_dev *dev, u32 offset, u32 width, u32 value);
/*
 * Config space of the PCI Express root port that the device is below, at whatever distance: all
 * ones where there is none that the system knows of. Offset and width as above.
 */
u32 os_pci_root_cfg_read(struct os_pci_dev *dev, u32 offset, u32 width);

/* A BAR by its index (0 registers, 2 video memory aperture, 4 control aperture); 0: absent. */
u64 os_pci_bar_size(struct os_pci_dev *dev, u32 bar);
u64 os_pci_bar_address(struct os_pci_dev *dev, u32 bar);
/* Register access; any context. A device off the bus reads as all ones. */
u32 os_pci_rd32(struct os_pci_dev *dev, u32 bar, u64 offset);
void os_pci_wr32(struct os_pci_dev *dev, u32 bar, u64 offset, u32 value);
u64 os_pci_rd64(struct os_pci_dev *dev, u32 bar, u64 offset);
void os_pci_wr64(struct os_pci_dev *dev, u32 bar, u64 offset, u64 value);
/*
 * The memory behind this part of a BAR (page aligned) reads as zero from now on, and what clients
 * have mapped of it reaches it no more. Nothing where the device is off the bus. May sleep.
 */
void os_pci_bar_discard(struct os_pci_dev *dev, u32 bar, u64 offset, u64 size);

/* Interrupts: top runs in atomic context for each message; vectors are 0 .. count - 1. */
enum nv_status os_pci_irq_enable(struct os_pci_dev *dev, u32 count,
				 void (*top)(void *arg, u32 vector), void *arg);
/*
 * The number by which the system lists the interrupt of message 0, or of the line while none is
 * enabled; on a bus without such numbers, what config space says of the line.
 */
u32 os_pci_irq_number(struct os_pci_dev *dev);
/* No top half runs after this returns. */
void os_pci_irq_disable(struct os_pci_dev *dev);

/*
 * Waits until done(arg) is true, NV_ERR_TIMEOUT after timeout_ns. done is called often and must be
 * cheap; it may be called on no other thread. While waiting, the thread may lend itself to a
 * software device (so an RPC need not switch threads); the caller may hold locks down to the GPU
 * lock.
 */
enum nv_status os_pci_wait(struct os_pci_dev *dev, bool (*done)(void *arg), void *arg,
			   u64 timeout_ns);
/*
 * Said before the device is asked for something that the thread then looks for by os_pci_wait, and
 * looks for once more after os_pci_expect_end: a software device need not interrupt for it. A
 * device may be fast enough to answer before the thread gets to wait. False: the device does the
 * work on the thread itself and interrupts for other things only; no os_pci_expect_end follows.
 */
bool os_pci_expect(struct os_pci_dev *dev);
void os_pci_expect_end(struct os_pci_dev *dev);

/* -- Pages that a device can reach ------------------------------------------------------------- */

enum os_pages_kind {
	OS_PAGES_SHARED,  /* readable by the device (and, in confidential mode, by the host) */
	OS_PAGES_PRIVATE, /* CPU only: never reachable by DMA in confidential mode */
};
struct os_pages {
	void *cpu;   /* contiguous for the CPU, zeroed */
	size_t size; /* bytes, a multiple of OS_PAGE_SIZE */
	enum os_pages_kind kind;
	struct os_pci_dev *dev;
	void *impl;
};
/* Allocates and, where dev is not NULL, maps for DMA. NV_ERR_NO_MEMORY, and nothing is left. */
enum nv_status os_pages_alloc(struct os_pci_dev *dev, size_t size, enum os_pages_kind kind,
			      struct os_pages *pages);
void os_pages_free(struct os_pages *pages);
/*
 * Pins memory of the process whose request this thread serves and, where dev is not NULL, maps it
 * for DMA: cpu, size and bus addresses are as of os_pages_alloc, the bytes are the process's own.
 * Where the CPU protects memory (os_tee) they are private: an access of a device fails.
 * May wait for the process: no lock is held that others need. Address and size are
 * multiples of OS_PAGE_SIZE. NV_ERR_INVALID_ADDRESS: not all of it is there, or it is not writable
 * where writable asks for that; NV_ERR_NOT_SUPPORTED: memory that cannot be pinned;
 * NV_ERR_NO_MEMORY. Nothing is left then. Freed by os_pages_free.
 */
enum nv_status os_pages_pin(struct os_pci_dev *dev, u64 user_address, size_t size, bool writable,
			    struct os_pages *pages);
/*
 * The same memory as another device reaches it, with bus addresses of its own. view is freed by
 * os_pages_free, before pages. NV_ERR_NO_MEMORY, and nothing is left.
 */
enum nv_status os_pages_share(const struct os_pages *pages, struct os_pci_dev *dev,
			      struct os_pages *view);
/* The bus address of the byte at offset. Pages need not be adjacent on the bus. */
u64 os_pages_dma(const struct os_pages *pages, size_t offset);

/* -- The CPU ----------------------------------------------------------------------------------- */

/* What keeps this system's memory from whoever runs the machine. */
enum os_tee { OS_TEE_NONE, OS_TEE_SEV, OS_TEE_TDX };
enum os_tee os_tee(void);

/* -- Firmware and settings --------------------------------------------------------------------- */

/* The named image, read-only until released. NV_ERR_OBJECT_NOT_FOUND. */
enum nv_status os_firmware_get(struct os_pci_dev *dev, const char *name, const void **data,
			       size_t *size);
void os_firmware_put(const void *data);

#endif
