// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The files that programs open: /dev/nvidiactl, /dev/nvidiaN and the nodes of capabilities. What
 * forks, dups and passes descriptors is the kernel's; each open is one rm_file.
 */
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "host/linux/nvidia/nvidia.h"

struct nvidia_file {
	struct file *file; /* of which this is the private data */
	struct rm_file *rm;
	wait_queue_head_t wait;
};

static int open_node(struct file *file, enum rm_node node, u32 minor)
{
	struct nvidia_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	enum nv_status status;

	if (!f)
		return -ENOMEM;
	f->file = file;
	init_waitqueue_head(&f->wait);
	status = rm_file_open(nvidia_rm, node, minor, f, &f->rm);
	if (status != NV_OK) {
		kfree(f);
		return nvidia_errno(status);
	}
	file->private_data = f;
	return 0;
}

static int nvidia_open(struct inode *inode, struct file *file)
{
	u32 minor = iminor(inode);

	if (minor == NVIDIA_CONTROL_MINOR)
		return open_node(file, RM_NODE_CONTROL, 0);
	return open_node(file, RM_NODE_GPU, minor);
}

static int cap_open(struct inode *inode, struct file *file)
{
	return open_node(file, RM_NODE_CAP, iminor(inode));
}

static int nvidia_release(struct inode *inode, struct file *file)
{
	struct nvidia_file *f = file->private_data;

	rm_file_release(f->rm);
	kfree(f);
	return 0;
}

static long nvidia_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	static const s16 numbers[] = {
		[RM_IOCTL_OK] = 0,
		[RM_IOCTL_EINVAL] = -EINVAL,
		[RM_IOCTL_EFAULT] = -EFAULT,
		[RM_IOCTL_ENOMEM] = -ENOMEM,
		[RM_IOCTL_EBUSY] = -EBUSY,
		[RM_IOCTL_EACCES] = -EACCES,
		[RM_IOCTL_EPERM] = -EPERM,
		[RM_IOCTL_ENODEV] = -ENODEV,
		/* Not begun: done again after the signal, unless its handler is to end calls. */
		[RM_IOCTL_EINTR] = -ERESTARTSYS,
		[RM_IOCTL_EIO] = -EIO,
		[RM_IOCTL_ENOTTY] = -ENOTTY,
	};
	struct nvidia_file *f = file->private_data;
	enum rm_ioctl_result result = rm_ioctl(f->rm, request, arg);

	return (u32)result < ARRAY_SIZE(numbers) ? numbers[result] : -EIO;
}

static __poll_t nvidia_poll(struct file *file, poll_table *table)
{
	struct nvidia_file *f = file->private_data;

	if (rm_file_is_lost(f->rm))
		return EPOLLHUP;
	poll_wait(file, &f->wait, table);
	return rm_file_poll(f->rm) ? EPOLLPRI | EPOLLIN : 0;
}

static int nvidia_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct nvidia_file *f = file->private_data;

	return nvidia_map(file, f->rm, vma);
}

const struct file_operations nvidia_file_ops = {
	.owner = THIS_MODULE,
	.open = nvidia_open,
	.release = nvidia_release,
	.unlocked_ioctl = nvidia_ioctl,
	/* Every structure is of one layout for programs of 32 and 64 bits. */
	.compat_ioctl = nvidia_ioctl,
	.poll = nvidia_poll,
	.mmap = nvidia_mmap,
};

const struct file_operations nvidia_cap_ops = {
	.owner = THIS_MODULE,
	.open = cap_open,
	.release = nvidia_release,
};

/* -- What the resource manager asks of us ------------------------------------------------------ */

static struct rm_file *host_file_get(s32 fd)
{
	struct file *file = fd < 0 ? NULL : fget(fd);
	struct nvidia_file *f;

	if (!file)
		return NULL;
	if (file->f_op != &nvidia_file_ops && file->f_op != &nvidia_cap_ops) {
		fput(file);
		return NULL;
	}
	f = file->private_data;
	return f->rm;
}

static void host_file_put(struct rm_file *rm)
{
	struct nvidia_file *f = rm_file_host_ctx(rm);

	fput(f->file);
}

static void host_file_notify(struct rm_file *rm, void *host_ctx)
{
	struct nvidia_file *f = host_ctx;

	wake_up_interruptible_poll(&f->wait, EPOLLPRI | EPOLLIN);
}

const struct rm_host_ops nvidia_host_ops = {
	.file_get = host_file_get,
	.file_put = host_file_put,
	.file_notify = host_file_notify,
};
