/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The parts of nvidia-uvm.ko among themselves. What unified memory is says src/uvm. */
#ifndef HOST_LINUX_NVIDIA_UVM_H
#define HOST_LINUX_NVIDIA_UVM_H

#include <linux/fs.h>

#include "os/linux/linux.h"
#include "uvm/uvm.h"

/* nvidia.ko's instance, which it exports: there as long as that module is. */
extern struct rm *nvidia_rm;
/* Of rm/uvm.h, with which the kernel's headers do not go: a name there is a macro of theirs. */
bool rm_uvm_is_confidential(const struct rm *rm);

/* -- module.c -- */

/* The module's one instance: there from before the first node appears until after the last went. */
extern struct uvm *nvidia_uvm;

/* -- file.c -- */

extern const struct file_operations nvidia_uvm_file_ops;
extern const struct uvm_host_ops nvidia_uvm_host_ops;

/* 0, or what a system call that ends so gives. */
int nvidia_uvm_errno(enum uvm_result result);

/* -- map.c -- */

/* mmap of the node. The process's memory is locked. 0 or -errno. */
int nvidia_uvm_map(struct uvm_file *uvm, struct vm_area_struct *vma);

#endif
