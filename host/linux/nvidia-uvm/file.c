// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The files that programs open: /dev/nvidia-uvm and /dev/nvidia-uvm-tools. Each open is one
 * uvm_file. The process that initialises one is watched: its end may come before the file's, which
 * others can hold.
 *
 *   file --- struct file_state --- uvm_file
 *                  \-- watch on the process's memory (from UVM_INITIALIZE until the release)
 */
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "host/linux/nvidia-uvm/uvm.h"

struct file_state {
	struct file *file; /* of which this is the private data */
	struct uvm_file *uvm;
	wait_queue_head_t waiting; /* in poll, for events */
	struct mutex lock;    /* UVM_INITIALIZE, mm; taken before the process's memory is locked */
	struct mm_struct *mm; /* watched, and referenced by that; NULL: none */
	struct mmu_notifier watch;
};

int nvidia_uvm_errno(enum uvm_result result)
{
	static const s16 numbers[] = {
		[UVM_RESULT_OK] = 0,
		[UVM_RESULT_EINVAL] = -EINVAL,
		[UVM_RESULT_EFAULT] = -EFAULT,
		[UVM_RESULT_ENOMEM] = -ENOMEM,
		[UVM_RESULT_EBADFD] = -EBADFD,
		[UVM_RESULT_EOPNOTSUPP] = -EOPNOTSUPP,
		[UVM_RESULT_EBUSY] = -EBUSY,
		[UVM_RESULT_EPERM] = -EPERM,
		[UVM_RESULT_ENODEV] = -ENODEV,
		[UVM_RESULT_EIO] = -EIO,
		/* Not begun: done again after the signal, unless its handler is to end calls. */
		[UVM_RESULT_EINTR] = -ERESTARTSYS,
	};

	return (u32)result < ARRAY_SIZE(numbers) ? numbers[result] : -EIO;
}

/* -- The process ------------------------------------------------------------------------------- */

/* It ends, or calls exec; also when the watch is given up, which is before the file's own end. */
static void watch_release(struct mmu_notifier *watch, struct mm_struct *mm)
{
	struct file_state *f = container_of(watch, struct file_state, watch);

	uvm_file_mm_gone(f->uvm);
}

static const struct mmu_notifier_ops watch_ops = { .release = watch_release };

/* f->lock, or nobody else has f. */
static void watch_end(struct file_state *f)
{
	if (!f->mm)
		return;
	mmu_notifier_unregister(&f->watch, f->mm);
	f->mm = NULL;
}

/* f->lock. 0 or -errno. */
static int watch_begin(struct file_state *f)
{
	int rc;

	if (f->mm == current->mm)
		return 0;
	watch_end(f);
	f->watch.ops = &watch_ops;
	rc = os_linux_alloc_fails() ? -ENOMEM : mmu_notifier_register(&f->watch, current->mm);
	if (!rc)
		f->mm = current->mm;
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

/* A file that is to be of this process has it watched before, one that did not become so not after.
 */
static long initialize(struct file_state *f, unsigned int request, unsigned long arg)
{
	long rc = 0;

	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;
	if (!uvm_file_mm(f->uvm))
		rc = watch_begin(f);
	if (!rc)
		rc = nvidia_uvm_errno(uvm_ioctl(f->uvm, request, arg));
	if (uvm_file_mm(f->uvm) != (u64)(uintptr_t)f->mm)
		watch_end(f);
	mutex_unlock(&f->lock);
	return rc;
}

/* -- System calls ------------------------------------------------------------------------------ */

static int uvm_open(struct inode *inode, struct file *file)
{
	enum uvm_node node = iminor(inode) == UVM_NODE_TOOLS ? UVM_NODE_TOOLS : UVM_NODE_UVM;
	struct file_state *f = NULL;

	if (!os_linux_alloc_fails())
		f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->file = file;
	mutex_init(&f->lock);
	init_waitqueue_head(&f->waiting);
	if (uvm_file_open(nvidia_uvm, node, f, &f->uvm) != NV_OK) {
		kfree(f);
		return -ENOMEM;
	}
	file->private_data = f;
	return 0;
}

static int uvm_release(struct inode *inode, struct file *file)
{
	struct file_state *f = file->private_data;

	watch_end(f);
	uvm_file_close(f->uvm);
	kfree(f);
	return 0;
}

static long uvm_file_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	struct file_state *f = file->private_data;

	if (uvm_ioctl_attaches(request))
		return initialize(f, request, arg);
	return nvidia_uvm_errno(uvm_ioctl(f->uvm, request, arg));
}

static __poll_t uvm_poll(struct file *file, poll_table *table)
{
	struct file_state *f = file->private_data;

	if (iminor(file_inode(file)) != UVM_NODE_TOOLS)
		return DEFAULT_POLLMASK;
	/* Before the question, so that what comes after the answer wakes. */
	poll_wait(file, &f->waiting, table);
	switch (uvm_file_poll(f->uvm)) {
	case UVM_POLL_READABLE:
		return EPOLLIN | EPOLLRDNORM;
	case UVM_POLL_ERROR:
		return EPOLLERR;
	default:
		return 0;
	}
}

static int uvm_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct file_state *f = file->private_data;

	return nvidia_uvm_map(f->uvm, vma);
}

const struct file_operations nvidia_uvm_file_ops = {
	.owner = THIS_MODULE,
	.open = uvm_open,
	.release = uvm_release,
	.unlocked_ioctl = uvm_file_ioctl,
	/* Every structure is of one layout for programs of 32 and 64 bits. */
	.compat_ioctl = uvm_file_ioctl,
	.poll = uvm_poll,
	.mmap = uvm_mmap,
};

/* -- What unified memory asks of us ------------------------------------------------------------ */

static struct uvm_file *host_file_get(s32 fd)
{
	struct file *file = fd < 0 ? NULL : fget(fd);
	struct file_state *f;

	if (!file)
		return NULL;
	if (file->f_op != &nvidia_uvm_file_ops) {
		fput(file);
		return NULL;
	}
	f = file->private_data;
	return f->uvm;
}

static void host_file_put(struct uvm_file *uvm)
{
	struct file_state *f = uvm_file_host_ctx(uvm);

	fput(f->file);
}

/* That of a file is not used again for another process's, since it is watched. */
static u64 host_current_mm(void)
{
	return current->flags & PF_KTHREAD ? 0 : (u64)(uintptr_t)current->mm;
}

static bool host_unmap(void *host_ctx, u64 address, u64 size)
{
	struct file_state *f = host_ctx;

	/* Of other files too that have something there: theirs comes back when it is touched. */
	unmap_mapping_range(f->file->f_mapping, (loff_t)address, (loff_t)size, 1);
	return true;
}

static void host_wake(void *host_ctx)
{
	struct file_state *f = host_ctx;

	wake_up_all(&f->waiting);
}

const struct uvm_host_ops nvidia_uvm_host_ops = {
	.file_get = host_file_get,
	.file_put = host_file_put,
	.current_mm = host_current_mm,
	.unmap = host_unmap,
	.wake = host_wake,
};
