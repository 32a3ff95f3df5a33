/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The parts of nvidia.ko among themselves. What the driver's interface says is in src/rm; here it
 * is bound to Linux: settings to module parameters, files to character devices, GPUs to the PCI
 * bus, texts to /proc, suspend to the kernel's.
 */
#ifndef HOST_LINUX_NVIDIA_H
#define HOST_LINUX_NVIDIA_H

#include <linux/cdev.h>
#include <linux/device.h>

#include "os/linux/linux.h"
#include "rm/rm.h"

#define NVIDIA_MAJOR 195
#define NVIDIA_CONTROL_MINOR 255
#define NVIDIA_CAP_MINORS 8192

/* The module's one instance: there from before the first node appears until after the last went. */
extern struct rm *nvidia_rm;

/* -- settings.c -- */

/*
 * Fills config from the module's parameters; entries are valid until the module goes, the trusted
 * certificate until nvidia_settings_free. 0, or -errno: there is no such certificate.
 */
int nvidia_settings(struct rm_config *config);
void nvidia_settings_free(void);
/* NVreg_RegisterPCIDriver: whether GPUs are looked for at all. */
bool nvidia_binds_gpus(void);

/* -- status.c -- */

/* 0, or what a system call that ends in status gives. */
int nvidia_errno(enum nv_status status);

/* -- file.c -- */

extern const struct rm_host_ops nvidia_host_ops;
extern const struct file_operations nvidia_file_ops;
extern const struct file_operations nvidia_cap_ops;

/* -- map.c -- */

int nvidia_maps_init(void);
/* No file is open. */
void nvidia_maps_exit(void);
/* mmap: what was prepared on the file. The process's memory is locked. 0 or -errno. */
int nvidia_map(struct file *file, struct rm_file *rm, struct vm_area_struct *vma);
/* From now on, until nvidia_maps_revoke, that GPU's memory can be mapped. At most RM_MAX_GPUS. */
void nvidia_maps_admit(const struct os_pci_dev *pci);
/* The memory of that GPU is mapped nowhere any more: comes before rm_gpu_remove. */
void nvidia_maps_revoke(const struct os_pci_dev *pci);

/* -- node.c -- */

/* Registers the device numbers and makes the nodes that need no GPU. */
int nvidia_nodes_init(void);
void nvidia_nodes_exit(void);
/* The node of a GPU, or NULL when nodes are somebody else's to make; an ERR_PTR. */
struct device *nvidia_node_create(struct device *parent, u32 minor);
void nvidia_node_destroy(struct device *node);
/* The node of a capability that /proc/driver/nvidia lists under path. */
int nvidia_cap_node_create(u32 minor, umode_t mode);

/* -- pci.c, recovery.c -- */

struct nvidia_gpu {
	struct pci_dev *pdev;
	u32 minor;
	struct device *node;   /* may be NULL */
	struct os_pci_dev *os; /* NULL while it could not be started again after a reset */
	struct rm_gpu *rm;     /* likewise */
};

int nvidia_pci_init(void);
void nvidia_pci_exit(void);
/* Takes the device, its registers and interrupts, and gives it to the resource manager. */
int nvidia_gpu_start(struct nvidia_gpu *gpu);
/* The reverse; clients find the GPU lost. */
void nvidia_gpu_stop(struct nvidia_gpu *gpu);

extern const struct pci_error_handlers nvidia_error_handlers;

/* -- proc.c -- */

/* /proc/driver/nvidia and all that is in it without a GPU. */
int nvidia_proc_init(void);
void nvidia_proc_exit(void);
/* Makes or removes the files of GPUs that came or went: whatever the resource manager lists. */
int nvidia_proc_update(void);
void nvidia_proc_remove_gpu(struct pci_dev *pdev);

/* -- power.c -- */

int nvidia_power_init(void);
/* Resumes what is suspended; nothing suspends afterwards. */
void nvidia_power_exit(void);
extern const struct dev_pm_ops nvidia_pm_ops;
extern const struct proc_ops nvidia_suspend_ops;
extern const struct proc_ops nvidia_suspend_depth_ops;

/* -- acpi.c -- */

/* From now on the resource manager hears of changes of the power source, where there are any. */
void nvidia_acpi_init(void);
void nvidia_acpi_exit(void);

#endif
