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
	/*
	 * True when the calling thread has a signal to act on, which ends its wait for a suspended
	 * instance (RM_IOCTL_EINTR). May be NULL.
	 */
	bool (*interrupted)(void);
};

struct rm_registry_entry {
	const char *name; /* as in NVreg_RegistryDwords */
	u32 value;
};

struct rm_config {
	const char *version; /* the driver's version string; NULL: RM_DEFAULT_VERSION */
	const struct rm_host_ops *host;
	const struct rm_registry_entry *registry;
	u32 registry_count;
	u32 uvm_major; /* 0: no nvidia-uvm */
};

/* NV_ERR_NO_MEMORY; NV_ERR_NOT_READY: no entropy yet; *out is set only on success. */
enum nv_status rm_create(const struct rm_config *config, struct rm **out);
/* All files are closed and all GPUs removed before. */
void rm_destroy(struct rm *rm);
const char *rm_version(const struct rm *rm);

/*
 * A GPU that the bus found; minor is its device node. Reads config space only: firmware boots when
 * the first client opens the node. NV_ERR_NOT_SUPPORTED for a device that this driver does not
 * drive.
 */
enum nv_status rm_gpu_add(struct rm *rm, struct os_pci_dev *dev, u32 minor, struct rm_gpu **out);
/* Surprise or orderly: clients find the GPU lost from now on; waits for calls in flight. */
void rm_gpu_remove(struct rm_gpu *gpu);

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
 * open. NV_ERR_INVALID_DEVICE: no such node; NV_ERR_GPU_IS_LOST; NV_ERR_INSUFFICIENT_PERMISSIONS.
 */
enum nv_status rm_file_open(struct rm *rm, enum rm_node node, u32 minor, void *host_ctx,
			    struct rm_file **out);
/* The last reference of the descriptor is gone: frees every client of this file. */
void rm_file_close(struct rm_file *file);

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

/* True once when an OS event is pending on the file, as poll(2) reports it; clears what it
 * reported. */
bool rm_file_poll(struct rm_file *file);

/*
 * The texts under /proc/driver/nvidia. rm_proc_list calls emit for every file there is ("version",
 * "gpus/0000:01:00.0/information", "capabilities/mig/config", ...); rm_proc_show writes one of them
 * (always terminated; returns the length it needs) or NV_ERR_OBJECT_NOT_FOUND.
 */
void rm_proc_list(struct rm *rm, void (*emit)(void *ctx, const char *path), void *ctx);
enum nv_status rm_proc_show(struct rm *rm, const char *path, char *buf, size_t size,
			    size_t *length);

#endif
