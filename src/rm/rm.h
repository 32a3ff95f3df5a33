/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The resource manager as its hosts see it: one instance, its GPUs, the files that programs open on
 * it, and the texts under /proc/driver/nvidia. Hosts translate; every rule of the interface is
 * behind these functions.
 */
#ifndef RM_RM_H
#define RM_RM_H

#include "os/os.h"

struct rm;
struct rm_file;
struct rm_gpu;

#define RM_MAX_GPUS 16u
#define RM_DEFAULT_VERSION "535.309.01"

/* What rm asks of its host beyond os.h. All run on the thread whose request is served. */
struct rm_host_ops {
	/*
	 * The rm_file behind a descriptor of the calling process, referenced until file_put; NULL
	 * when the descriptor is none of ours.
	 */
	struct rm_file *(*file_get)(s32 fd);
	void (*file_put)(struct rm_file *file);
	/* rm_file_poll may have become true; any context, spinlocks may be held. */
	void (*file_notify)(struct rm_file *file, void *host_ctx);
};

struct rm_registry_entry {
	const char *name; /* as in NVreg_RegistryDwords */
	u32 value;
};

/* Settings that are text, NVreg_<name>; /proc/driver/nvidia/params shows them in this order. */
enum rm_option {
	RM_OPTION_REGISTRY_DWORDS,	      /* "key=value;..." for the global registry */
	RM_OPTION_REGISTRY_DWORDS_PER_DEVICE, /* "pci=domain:bus:device.function;key=value;..." */
	RM_OPTION_RM_MSG,
	RM_OPTION_GPU_BLACKLIST,
	RM_OPTION_TEMPORARY_FILE_PATH,
	RM_OPTION_EXCLUDED_GPUS,
	RM_OPTION_COUNT,
};

struct rm_config {
	const char *version; /* the driver's version string; NULL: RM_DEFAULT_VERSION */
	const struct rm_host_ops *host;
	/* Over what rm/parameters.h says; RM_OPTION_REGISTRY_DWORDS goes over these. */
	const struct rm_registry_entry *registry;
	u32 registry_count;
	const char *options[RM_OPTION_COUNT]; /* copied; NULL: not set */
	u32 uvm_major;			      /* 0: no nvidia-uvm */
	/* The certificate (DER) that GPUs in confidential mode are to be certified by; it stays the
	 * caller's. NULL: the project's test root. */
	const void *cc_root;
	u32 cc_root_bytes;
};

/* NV_ERR_NO_MEMORY; NV_ERR_NOT_READY: no entropy yet; *out is set only on success. */
enum nv_status rm_create(const struct rm_config *config, struct rm **out);
/* All files are closed and all GPUs removed before. */
void rm_destroy(struct rm *rm);
const char *rm_version(const struct rm *rm);
/* What a setting of rm/parameters.h is, or another dword of the global registry; 0: there is none.
 */
u32 rm_setting(struct rm *rm, const char *name);

/*
 * A GPU that the bus found; minor is its device node. Reads config space only: firmware boots when
 * the first client opens the node. NV_ERR_NOT_SUPPORTED for a device that this driver does not
 * drive.
 */
enum nv_status rm_gpu_add(struct rm *rm, struct os_pci_dev *dev, u32 minor, struct rm_gpu **out);
/* Surprise or orderly: clients find the GPU lost from now on; waits for calls in flight. */
void rm_gpu_remove(struct rm_gpu *gpu);
/* The bus says that it is gone: Xid 79, and its clients are told. rm_gpu_remove may follow. */
void rm_gpu_gone(struct rm_gpu *gpu);
/* Whether it is lost: the bus said so, or it did not answer, or its firmware died. */
bool rm_gpu_is_gone(const struct rm_gpu *gpu);

/*
 * Power management. rm_suspend waits for the requests in flight, lets new ones wait and has every
 * running firmware keep its state; a signal to a waiting thread ends its wait
 * (NV_ERR_SIGNAL_PENDING, RM_IOCTL_EINTR); no GPU is touched until rm_resume starts them again,
 * with all objects of all clients as they were (a GPU that does not come back is lost). One thread
 * at a time calls these. On failure, NV_ERR_TIMEOUT and the like, nothing is suspended.
 */
enum nv_status rm_suspend(struct rm *rm);
void rm_resume(struct rm *rm);
/*
 * The platform runs on its battery from now on, or on mains: tells the firmware of GPUs that run,
 * and their clients (NV2080_NOTIFIERS_POWER_EVENT). A GPU that starts later is not told, as in r535
 * on what is no notebook. Sleeps; takes locks, so not from within a request.
 */
void rm_power_source_changed(struct rm *rm, bool battery);

struct rm_statistics {
	u32 clients, objects; /* a client's root is an object too */
	u32 files;	      /* of GPU nodes */
	u64 video_memory;     /* bytes that clients have of all GPUs */
};

/* What clients hold. Waits for no request; while some run the numbers are of no one moment. */
void rm_statistics(struct rm *rm, struct rm_statistics *out);

enum rm_node {
	RM_NODE_CONTROL, /* /dev/nvidiactl */
	RM_NODE_GPU,	 /* /dev/nvidiaN, minor says which */
	RM_NODE_CAP,	 /* /dev/nvidia-caps/nvidia-capN, minor says which */
};

/*
 * One open of a node, by the calling thread's credentials. Boots the GPU of a GPU node at its first
 * open. NV_ERR_INVALID_DEVICE: no such node; NV_ERR_GPU_IS_LOST; NV_ERR_INSUFFICIENT_PERMISSIONS;
 * NV_ERR_ILLEGAL_ACTION: the GPU is excluded by a setting.
 */
enum nv_status rm_file_open(struct rm *rm, enum rm_node node, u32 minor, void *host_ctx,
			    struct rm_file **out);
/* The last reference of the descriptor is gone: frees every client of this file. */
void rm_file_close(struct rm_file *file);
/*
 * The same for a host that suspends: waits for nobody. A suspended instance closes the file when it
 * resumes; host_ctx is used no more in any case. Not from within a request.
 */
void rm_file_release(struct rm_file *file);
void *rm_file_host_ctx(const struct rm_file *file);
/* Its GPU is lost: poll(2) is to say so. */
bool rm_file_is_lost(const struct rm_file *file);

/* How an ioctl ends; hosts map it to errno. Refusals that the interface reports inside the
 * structure are RM_IOCTL_OK here. */
enum rm_ioctl_result {
	RM_IOCTL_OK = 0,
	RM_IOCTL_EINVAL,
	RM_IOCTL_EFAULT,
	RM_IOCTL_ENOMEM,
	RM_IOCTL_EBUSY,
	RM_IOCTL_EACCES,
	RM_IOCTL_EPERM,
	RM_IOCTL_ENODEV,
	RM_IOCTL_EINTR,
	RM_IOCTL_EIO,
	RM_IOCTL_ENOTTY,
};
/* request is the whole _IOC word, arg the user address of its structure. */
enum rm_ioctl_result rm_ioctl(struct rm_file *file, u32 request, u64 arg);

/* -- What mmap maps ------------------------------------------------------------------------------
 */

enum rm_map_kind {
	RM_MAP_PAGES, /* system memory: size bytes of pages, from offset */
	RM_MAP_BAR,   /* size bytes of a BAR of the GPU, from offset */
};

enum rm_map_cache {
	RM_MAP_CACHED,
	RM_MAP_UNCACHED,
	RM_MAP_WRITE_COMBINED,
};

struct rm_map_extent {
	enum rm_map_kind kind;
	const struct os_pages *pages; /* RM_MAP_PAGES */
	u32 bar;		      /* RM_MAP_BAR: PCI's index */
	u64 offset, size;	      /* multiples of OS_PAGE_SIZE */
};

/* A mapping as NV_ESC_RM_MAP_MEMORY prepared it: extents side by side, from the lowest address. */
struct rm_mapping {
	struct rm_gpu *gpu; /* referenced */
	struct os_pci_dev *pci;
	bool writable; /* stores are allowed */
	enum rm_map_cache cache;
	u32 client;	/* RM client that prepared it */
	u64 size;	/* of all extents */
	void *memory;	/* the driver's own: what keeps the extents' memory */
	u32 references; /* the driver's own */
	u32 count;
	struct rm_map_extent extents[];
};

/*
 * What mmap of size bytes at offset of the file maps: what NV_ESC_RM_MAP_MEMORY prepared on this
 * file, also again and again. write: stores are asked for; where writable is false they are not
 * allowed all the same. Less than all of system memory's extents may be asked for: size counts. The
 * memory stays until rm_mapping_put, even where its object is freed, and the GPU booted. A mapping
 * of the doorbell page is RM_MAP_BAR with bar 0. NV_ERR_INVALID_ARGUMENT: nothing is prepared, or
 * not this part (offset is 0, size that of BAR extents); NV_ERR_GPU_IS_LOST. Takes a leaf lock
 * alone and does not wait for a suspended instance: a kernel calls it with the process's memory
 * locked.
 */
enum nv_status rm_file_mmap(struct rm_file *file, u64 offset, u64 size, bool write,
			    struct rm_mapping **out);
/*
 * The process's mapping is gone, or was never made. Before the GPU's device goes (rm_gpu_remove).
 * Any thread that may sleep; no request.
 */
void rm_mapping_put(struct rm_mapping *mapping);

/* True once when an OS event is pending on the file, as poll(2) reports it; clears what it
 * reported. */
bool rm_file_poll(struct rm_file *file);

/*
 * The texts under /proc/driver/nvidia. rm_proc_list calls emit for every file there is ("version",
 * "gpus/0000:01:00.0/information", "capabilities/mig/config", ...); rm_proc_show writes one of them
 * (always terminated; returns the length it needs) or NV_ERR_OBJECT_NOT_FOUND. They do not wait for
 * a suspended instance to resume: whoever takes a file away waits for its readers.
 */
void rm_proc_list(struct rm *rm, void (*emit)(void *ctx, const char *path), void *ctx);
enum nv_status rm_proc_show(struct rm *rm, const char *path, char *buf, size_t size,
			    size_t *length);
/* Whether the administrator may write the file. */
bool rm_proc_writable(const char *path);
/* Whether path is a capability's file, and the number and permissions of the node that proves it.
 */
bool rm_proc_cap(const char *path, u32 *minor, u32 *mode);
/*
 * All that was written to the file while it was open: "name=bytes" makes a binary registry key,
 * "DeviceFileModify: number" says whether tools may make a capability's node.
 * NV_ERR_INVALID_ARGUMENT, NV_ERR_NO_MEMORY, and rm_proc_show's.
 */
enum nv_status rm_proc_write(struct rm *rm, const char *path, const char *text, size_t size);

#endif
