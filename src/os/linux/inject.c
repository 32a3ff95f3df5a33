// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The allocation that fails on demand, and the count of what is live, in the module's folder of
 * debugfs:
 *
 *	alloc_fail   "N" written: the Nth allocation point from now on fails, once; 0: none.
 *	             "N PID": only points that threads of the process pass are counted.
 *	             Read: "<points counted> <failed>" since then.
 *	live         "<blocks> <bytes>"
 *
 * While nothing is armed a point costs one load.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "os/linux/internal.h"

#define TEXT_SIZE 64u

static struct {
	raw_spinlock_t lock; /* all but armed, which is written under it */
	bool armed;	     /* points are counted */
	u64 nth;
	pid_t pid; /* 0: every thread */
	u64 counted, failed;
} inject = { .lock = __RAW_SPIN_LOCK_UNLOCKED(inject.lock) };

static struct dentry *files[2];

bool account_fails(void)
{
	unsigned long flags;
	bool fails = false;

	if (likely(!READ_ONCE(inject.armed)))
		return false;
	raw_spin_lock_irqsave(&inject.lock, flags);
	if (inject.armed && (!inject.pid || (in_task() && task_tgid_nr(current) == inject.pid))) {
		fails = ++inject.counted == inject.nth;
		inject.failed += fails;
	}
	raw_spin_unlock_irqrestore(&inject.lock, flags);
	return fails;
}

bool os_linux_alloc_fails(void)
{
	return account_fails();
}

void inject_arm(u64 nth, pid_t pid)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&inject.lock, flags);
	inject.nth = nth;
	inject.pid = pid;
	inject.counted = 0;
	inject.failed = 0;
	WRITE_ONCE(inject.armed, nth != 0);
	raw_spin_unlock_irqrestore(&inject.lock, flags);
}

void inject_state(u64 *counted, u64 *failed)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&inject.lock, flags);
	*counted = inject.counted;
	*failed = inject.failed;
	raw_spin_unlock_irqrestore(&inject.lock, flags);
}

static ssize_t fail_write(struct file *file, const char __user *user, size_t size, loff_t *at)
{
	char text[TEXT_SIZE];
	int pid = 0, used = 0;
	u64 nth;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, size))
		return -EFAULT;
	text[size] = '\0';
	if (sscanf(text, "%llu%n %d%n", &nth, &used, &pid, &used) < 1 || pid < 0 ||
	    *skip_spaces(text + used))
		return -EINVAL;
	inject_arm(nth, pid);
	return size;
}

static ssize_t show_two(char __user *user, size_t size, loff_t *at, u64 first, u64 second)
{
	char text[TEXT_SIZE];
	int length = scnprintf(text, sizeof(text), "%llu %llu\n", first, second);

	return simple_read_from_buffer(user, size, at, text, length);
}

static ssize_t fail_read(struct file *file, char __user *user, size_t size, loff_t *at)
{
	u64 counted, failed;

	inject_state(&counted, &failed);
	return show_two(user, size, at, counted, failed);
}

static ssize_t live_read(struct file *file, char __user *user, size_t size, loff_t *at)
{
	u64 blocks, bytes;

	os_linux_live(&blocks, &bytes);
	return show_two(user, size, at, blocks, bytes);
}

static const struct file_operations fail_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = fail_read,
	.write = fail_write,
};

static const struct file_operations live_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = live_read,
};

/* debugfs may be absent or locked down; the module works without it. */
void inject_init(struct dentry *dir)
{
	if (IS_ERR_OR_NULL(dir))
		return;
	files[0] = debugfs_create_file("alloc_fail", 0600, dir, NULL, &fail_fops);
	files[1] = debugfs_create_file("live", 0400, dir, NULL, &live_fops);
}

void inject_exit(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		debugfs_remove(files[i]);
		files[i] = NULL;
	}
}
