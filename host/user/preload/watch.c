// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Userfaultfds, by which the daemon learns of what this process does with memory: a store to a
 * doorbell's page, and any access to managed memory that a GPU has. The descriptors are the
 * daemon's; none stays here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/preload/conn.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif
/* Linux 6.1. */
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

#define PAGE 4096u
#define DOORBELL_BYTES PAGE /* of a doorbell's mapping: the page that is written */

/* The last connection that was offered a userfaultfd for managed memory, and that took one. */
static u32 offered, monitored;

/* -- A doorbell's page ---------------------------------------------------------------------------
 */

/* A userfaultfd under which the page can be write-protected, or -1. */
static int doorbell_uffd(u64 address)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM };
	struct uffdio_register range = { .range = { address, DOORBELL_BYTES },
					 .mode = UFFDIO_REGISTER_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		return -1;
	if (syscall(SYS_ioctl, fd, UFFDIO_API, &api) ||
	    !(api.features & UFFD_FEATURE_WP_HUGETLBFS_SHMEM) ||
	    syscall(SYS_ioctl, fd, UFFDIO_REGISTER, &range)) {
		syscall(SYS_close, fd);
		return -1;
	}
	return fd;
}

void lh_doorbell_watch(struct lh_chan *chan, u64 mapping, u64 address)
{
	struct lh_msg msg = { .op = LH_OP_WATCH, .args = { mapping, 0, address } };
	sigset_t before;
	int fd;

	lh_own_lock(&before);
	fd = doorbell_uffd(address);
	if (fd >= 0)
		msg.args[1] = lh_descriptor_send(chan, fd);
	lh_own_unlock(&before);
	if (msg.args[1])
		lh_exchange(chan, &msg);
}

/* -- Managed memory ------------------------------------------------------------------------------
 */

/*
 * A userfaultfd by which the kernel's own accesses wait too: with one for user mode alone, a system
 * call on memory that a GPU has would fail. Or -1.
 */
static int monitor_uffd(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), node;

	if (fd >= 0)
		return fd;
	node = (int)syscall(SYS_openat, AT_FDCWD, "/dev/userfaultfd", O_RDWR | O_CLOEXEC, 0);
	if (node < 0)
		return -1;
	fd = (int)syscall(SYS_ioctl, node, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	syscall(SYS_close, node);
	return fd;
}

void lh_monitor_offer(struct lh_chan *chan)
{
	struct lh_msg msg = { .op = LH_OP_MONITOR };
	int saved = errno, fd;
	sigset_t before;

	if (__atomic_exchange_n(&offered, chan->generation, __ATOMIC_ACQ_REL) == chan->generation)
		return;
	lh_own_lock(&before);
	fd = monitor_uffd();
	if (fd >= 0)
		msg.args[0] = lh_descriptor_send(chan, fd);
	lh_own_unlock(&before);
	if (msg.args[0] && lh_exchange(chan, &msg) == 0)
		__atomic_store_n(&monitored, chan->generation, __ATOMIC_RELEASE);
	errno = saved;
}

void lh_monitor_retire(void)
{
	struct lh_msg msg = { .op = LH_OP_RETIRE };
	struct lh_chan *chan;
	int saved = errno;

	if (!lh_generation() || lh_borrowed() ||
	    __atomic_load_n(&monitored, __ATOMIC_ACQUIRE) != lh_generation())
		return;
	chan = lh_enter();
	if (chan) {
		lh_exchange(chan, &msg);
		lh_leave();
	}
	errno = saved;
}
