// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * When the system sleeps, and /proc/driver/nvidia/suspend, by which tools have the driver suspend
 * first. The GPU's firmware is a process: it must be stopped while processes still run. So the
 * work is done by a notifier of the power management, which comes before tasks are frozen, and the
 * device's own callbacks find it done.
 */
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pm.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/uaccess.h>

#include "host/linux/nvidia/nvidia.h"

enum power_state { POWER_RUNNING, POWER_SUSPENDED, POWER_HIBERNATED };

static struct {
	struct mutex lock;
	enum power_state state;
	bool by_notifier; /* who suspended resumes */
	bool closed;	  /* the driver goes: nothing suspends any more */
} power = { .lock = __MUTEX_INITIALIZER(power.lock) };

/* Lock held. */
static int power_set(enum power_state state)
{
	enum nv_status status;

	if (state == power.state)
		return 0;
	if (state == POWER_RUNNING) {
		rm_resume(nvidia_rm);
		power.state = state;
		return 0;
	}
	if (power.closed)
		return -ENODEV;
	/* From one way of sleeping there is no way to the other. */
	if (power.state != POWER_RUNNING)
		return -EIO;
	status = rm_suspend(nvidia_rm);
	if (status != NV_OK) {
		os_log(OS_LOG_ERROR, "NVRM: a GPU could not be suspended: 0x%x", status);
		return -EIO;
	}
	power.state = state;
	return 0;
}

/* -- The system's power management ------------------------------------------------------------- */

static int prepare(enum power_state state)
{
	int rc = 0;

	mutex_lock(&power.lock);
	if (power.state == POWER_RUNNING &&
	    rm_setting(nvidia_rm, "PreserveVideoMemoryAllocations")) {
		os_log(OS_LOG_ERROR,
		       "NVRM: PreserveVideoMemoryAllocations is set: the system sleeps "
		       "only after /proc/driver/nvidia/suspend was written");
		rc = -EIO;
	} else if (power.state == POWER_RUNNING) {
		rc = power_set(state);
		power.by_notifier = !rc;
	}
	mutex_unlock(&power.lock);
	return rc;
}

static void finish(void)
{
	mutex_lock(&power.lock);
	if (power.by_notifier)
		power_set(POWER_RUNNING);
	power.by_notifier = false;
	mutex_unlock(&power.lock);
}

static int notified(struct notifier_block *block, unsigned long action, void *data)
{
	switch (action) {
	case PM_SUSPEND_PREPARE:
		return notifier_from_errno(prepare(POWER_SUSPENDED));
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		return notifier_from_errno(prepare(POWER_HIBERNATED));
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		finish();
		return NOTIFY_OK;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = notified };

static int __maybe_unused device_suspend(struct device *dev)
{
	return READ_ONCE(power.state) == POWER_RUNNING ? -EBUSY : 0;
}

static int __maybe_unused device_resume(struct device *dev)
{
	return 0;
}

const struct dev_pm_ops nvidia_pm_ops = { SET_SYSTEM_SLEEP_PM_OPS(device_suspend, device_resume) };

int nvidia_power_init(void)
{
	return register_pm_notifier(&notifier);
}

void nvidia_power_exit(void)
{
	unregister_pm_notifier(&notifier);
	mutex_lock(&power.lock);
	power.closed = true;
	power_set(POWER_RUNNING);
	mutex_unlock(&power.lock);
}

/* -- /proc/driver/nvidia/suspend and suspend_depth --------------------------------------------- */

/* The letters at the beginning of what is written, of at least shortest and at most size - 1. */
static int take_word(const char __user *buf, size_t count, size_t shortest, char *word, size_t size)
{
	size_t i, length;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (count < shortest || count > size)
		return -EINVAL;
	if (copy_from_user(word, buf, count))
		return -EFAULT;
	length = min(count, size - 1);
	for (i = 0; i < length && isalpha(word[i]); i++)
		;
	word[i] = '\0';
	return 0;
}

static ssize_t suspend_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char word[sizeof("hibernate\n")];
	enum power_state state;
	int rc = take_word(buf, count, strlen("resume"), word, sizeof(word));

	if (rc)
		return rc;
	if (!strcasecmp(word, "suspend"))
		state = POWER_SUSPENDED;
	else if (!strcasecmp(word, "hibernate"))
		state = POWER_HIBERNATED;
	else if (!strcasecmp(word, "resume"))
		state = POWER_RUNNING;
	else
		return -EINVAL;
	mutex_lock(&power.lock);
	rc = power_set(state);
	mutex_unlock(&power.lock);
	return rc ? rc : (ssize_t)min(count, sizeof(word) - 1);
}

static int suspend_show(struct seq_file *m, void *v)
{
	seq_puts(m, "suspend hibernate resume\n");
	return 0;
}

static int suspend_open(struct inode *inode, struct file *file)
{
	return single_open(file, suspend_show, NULL);
}

const struct proc_ops nvidia_suspend_ops = {
	.proc_open = suspend_open,
	.proc_read = seq_read,
	.proc_write = suspend_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

/* How far a suspend goes. Whatever is written, all of the driver sleeps: that is never too little.
 */
static ssize_t depth_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char word[sizeof("modeset\n")];
	int rc = take_word(buf, count, strlen("uvm"), word, sizeof(word));

	if (rc)
		return rc;
	if (strcasecmp(word, "default") && strcasecmp(word, "modeset") && strcasecmp(word, "uvm"))
		return -EINVAL;
	return min(count, sizeof(word) - 1);
}

static int depth_show(struct seq_file *m, void *v)
{
	seq_puts(m, "default modeset uvm\n");
	return 0;
}

static int depth_open(struct inode *inode, struct file *file)
{
	return single_open(file, depth_show, NULL);
}

const struct proc_ops nvidia_suspend_depth_ops = {
	.proc_open = depth_open,
	.proc_read = seq_read,
	.proc_write = depth_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};
