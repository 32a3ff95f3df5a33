/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The unified-memory driver as its hosts see it: /dev/nvidia-uvm (minor 0) and
 * /dev/nvidia-uvm-tools (minor 1). Hosts translate; every rule of the interface is behind these
 * functions.
 *
 * CPU mappings are named by the file and the address, since a mapping's offset is its address. The
 * host tells of each that it makes (uvm_file_mmap) and that goes (uvm_file_munmap), and asks what
 * memory is behind an address when somebody touches it, or at once for all of it (uvm_file_fault).
 */
#ifndef UVM_UVM_H
#define UVM_UVM_H

#include "rm/rm.h"

struct uvm;
struct uvm_extent;
struct uvm_file;

enum uvm_node {
	UVM_NODE_UVM,	/* /dev/nvidia-uvm */
	UVM_NODE_TOOLS, /* /dev/nvidia-uvm-tools */
};

/* How a call ends; hosts map it to errno. Statuses of the interface are inside the structures. */
enum uvm_result {
	UVM_RESULT_OK = 0,
	UVM_RESULT_EINVAL,
	UVM_RESULT_EFAULT,
	UVM_RESULT_ENOMEM,
	UVM_RESULT_EBADFD,     /* mmap of a file that is not initialised */
	UVM_RESULT_EOPNOTSUPP, /* mmap by a process that is not the file's */
	UVM_RESULT_EBUSY,
	UVM_RESULT_EPERM,
	UVM_RESULT_ENODEV,
	UVM_RESULT_EINTR, /* the thread waited for a resume, and has a signal */
	UVM_RESULT_EIO,	  /* what is there cannot be had */
};

/* What uvm asks of its host beyond os.h. */
struct uvm_host_ops {
	/*
	 * The uvm_file behind a descriptor of the calling process, referenced until file_put; NULL
	 * when the descriptor is none of ours.
	 */
	struct uvm_file *(*file_get)(s32 fd);
	void (*file_put)(struct uvm_file *file);
	/*
	 * The calling thread's address space: the same for all threads of a process, another one
	 * after fork and exec, never reused while a file that saw it is open. 0: none (the driver's
	 * own thread).
	 */
	u64 (*current_mm)(void);
	/*
	 * Takes the CPU mappings of [address, address + size) of this file away, in whatever
	 * process; the next access asks uvm_file_fault again, and is a bus error if that fails. On
	 * return no access is under way. False when the host cannot: uvm then keeps the memory that
	 * is mapped until uvm_file_munmap. Called with locks of uvm held; the host must call
	 * nothing of uvm from within. NULL: cannot.
	 */
	bool (*unmap)(void *host_ctx, u64 address, u64 size);
	/*
	 * Instead of unmap, for a host that takes memory away in two steps; all three or none, with
	 * locks as unmap. protect has stores to what is mapped in [address, address + size) of this
	 * file wait, in whatever process, until uvm_file_fault answered for them; reads go on.
	 * False when the host cannot, or not soon. discard is told once what protect held has been
	 * copied elsewhere: its contents go, and all accesses ask uvm_file_fault. movable says, at
	 * no cost, whether protect may succeed at all.
	 */
	bool (*movable)(void *host_ctx, u64 address, u64 size);
	bool (*protect)(void *host_ctx, u64 address, u64 size);
	void (*discard)(void *host_ctx, const struct uvm_extent *extent);
	/*
	 * uvm_file_poll of a tools file may have become readable. Locks of uvm are held; it calls
	 * nothing of uvm. NULL: nobody polls.
	 */
	void (*wake)(void *host_ctx);
};

struct uvm_config {
	struct rm *rm;
	const struct uvm_host_ops *host;
	/*
	 * Memory of managed ranges is made for all of a range where a GPU is to reach it, not when
	 * somebody touches it: for hosts whose pages cost nothing until then.
	 */
	bool populate_managed;
	/* The ioctls of built-in tests (src/uvm/test) are served: a risk to whoever shares the
	 * GPUs. */
	bool builtin_tests;
};

/* NV_ERR_NO_MEMORY; *out is set only on success. The rm outlives it. */
enum nv_status uvm_create(const struct uvm_config *config, struct uvm **out);
/* All files are closed before. */
void uvm_destroy(struct uvm *uvm);

/* One open of a node. NV_ERR_NO_MEMORY. */
enum nv_status uvm_file_open(struct uvm *uvm, enum uvm_node node, void *host_ctx,
			     struct uvm_file **out);
/* The last reference of the descriptor is gone, and with it every CPU mapping of the file. */
void uvm_file_close(struct uvm_file *file);
void *uvm_file_host_ctx(const struct uvm_file *file);
/* The address space that the file belongs to, as current_mm gave it; 0: to none, or to several. */
u64 uvm_file_mm(const struct uvm_file *file);

/* cmd is the whole request word (a plain number), arg the user address of its structure. */
enum uvm_result uvm_ioctl(struct uvm_file *file, u32 cmd, u64 arg);
/* Whether cmd may make the file the calling process's own (uvm_file_mm). */
bool uvm_ioctl_attaches(u32 cmd);

/* What poll(2) says, by its own bits. */
enum uvm_poll {
	UVM_POLL_NOTHING = 0,
	UVM_POLL_READABLE = 1, /* POLLIN: a tools file has as many events as its tool waits for */
	UVM_POLL_ERROR = 8,    /* POLLERR: one that has no queue */
};
enum uvm_poll uvm_file_poll(struct uvm_file *file);

/* -- CPU mappings ------------------------------------------------------------------------------ */

#define UVM_MMAP_READ 0x1u
#define UVM_MMAP_WRITE 0x2u
#define UVM_MMAP_SHARED 0x4u

enum uvm_mmap_kind {
	UVM_MMAP_MANAGED,	 /* a new managed range; pages come by uvm_file_fault */
	UVM_MMAP_SEMAPHORE_POOL, /* memory that exists: uvm_file_fault succeeds for all of it */
};

/*
 * The calling process maps the file at address, size bytes (page aligned, not 0), with the flags
 * UVM_MMAP_*: makes a managed range there, or shows a semaphore pool that is exactly there. A
 * managed mapping is not inherited by fork; of a pool, a child has no access. EBADFD, EOPNOTSUPP,
 * EINVAL (offset is not the address, not shared readable and writable, something else is there),
 * ENOMEM. The host first unmaps what was there before (uvm_file_munmap).
 */
enum uvm_result uvm_file_mmap(struct uvm_file *file, u64 address, u64 size, u64 offset, u32 flags,
			      enum uvm_mmap_kind *kind);
/*
 * The process has no mapping of this file in [address, address + size) any more (munmap, a mapping
 * over it, mremap away, exit): managed ranges there are freed, also in parts; of pools the CPU side
 * ends. What is not mapped there is no error; nor is an address that is none of a page, which does
 * nothing. size is rounded up to pages.
 */
void uvm_file_munmap(struct uvm_file *file, u64 address, u64 size);
/*
 * The address space that the file belongs to is going (exit, exec) while the file may live on in
 * another process: GPU VA spaces end, and the file accepts no GPU any more.
 */
void uvm_file_mm_gone(struct uvm_file *file);

/* Memory of ours to be mapped at address: size bytes from offset in pages, all writable or all not.
 */
struct uvm_extent {
	u64 address;
	u64 size;
	const struct os_pages *pages;
	u64 offset;
	bool writable;
};

/*
 * What is to be mapped at address (any address in a mapping), as much around it as is there:
 * allocates, and brings back what a GPU has. The pages stay until unmap or protect said true for
 * them or uvm_file_munmap. EFAULT: no mapping there; EIO: it was lost with a GPU, or the GPU does
 * not give it back; ENOMEM: all bus errors. map (NULL: none) is called with
 * the extent under uvm's lock, so that nothing takes it away before it is mapped; it calls nothing
 * of uvm. What it returns is the result.
 */
enum uvm_result uvm_file_fault(struct uvm_file *file, u64 address, bool write,
			       struct uvm_extent *out,
			       enum uvm_result (*map)(void *ctx, const struct uvm_extent *extent),
			       void *ctx);
/*
 * What GPUs have of [address, address + size) comes back, as far as it can: before uvm_file_munmap
 * of a process that goes on with the memory it has there.
 */
void uvm_file_bring_back(struct uvm_file *file, u64 address, u64 size);

#endif
