// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The calling user thread: who it is, and copies from and to its memory. The driver's own threads
 * have none.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "os/linux/internal.h"

static bool own_thread(void)
{
	return !in_task() || current->flags & PF_KTHREAD;
}

/*
 * A container is what has its own process numbers: processes that share these may as well trace
 * each other. A number is given anew, but never while its namespace has a process.
 */
static u64 current_space(void)
{
	const struct pid_namespace *space = task_active_pid_ns(current);

	return space ? space->ns.inum : 0;
}

void os_current_cred(struct os_cred *cred)
{
	os_memset(cred, 0, sizeof(*cred));
	if (own_thread()) {
		cred->admin = true;
		return;
	}
	cred->pid = task_tgid_nr(current);
	cred->uid = from_kuid(&init_user_ns, current_euid());
	cred->gid = from_kgid(&init_user_ns, current_egid());
	cred->admin = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	cred->started = current->group_leader->start_boottime;
	cred->space = current_space();
}

/* The kernel warns of copies beyond this; nobody has that much to copy at once. */
static bool copy_possible(u64 user, size_t size)
{
	return size <= INT_MAX && user + size >= user && !own_thread() && current->mm;
}

enum nv_status os_copy_from_user(void *dst, u64 user, size_t size)
{
	if (!size)
		return NV_OK;
	if (!copy_possible(user, size) || copy_from_user(dst, u64_to_user_ptr(user), size))
		return NV_ERR_INVALID_ADDRESS;
	return NV_OK;
}

enum nv_status os_copy_to_user(u64 user, const void *src, size_t size)
{
	if (!size)
		return NV_OK;
	if (!copy_possible(user, size) || copy_to_user(u64_to_user_ptr(user), src, size))
		return NV_ERR_INVALID_ADDRESS;
	return NV_OK;
}
