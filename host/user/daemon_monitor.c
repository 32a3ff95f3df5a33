// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that moves away from a client process and back (daemon_monitor.h).
 *
 *   away   protect: stores wait     GPU copies     discard: a hole in the file, all accesses wait
 *   back   GPU copies into the file, whoever waits is let in (UFFDIO_CONTINUE)
 *
 * The process's memory is registered when it first moves, block by block: before that nothing here
 * costs it anything. From then on each first touch of a page is a fault, since no access may see a
 * page while it is being filled. It is answered for the 64 KiB around, and for what follows as far
 * as that is in the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/daemon_monitor.h"

/* Linux 6.6; include/uapi/linux/userfaultfd.h. */
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

#define FEATURES                                                                                  \
	(UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_PAGEFAULT_FLAG_WP | \
	 UFFD_FEATURE_WP_HUGETLBFS_SHMEM)

#define WINDOW KIB(64)
#define RETRY_US 1000u
#define EVENTS 16u /* read at a time */

u64 monitor_hold_ns = 2000000000ull;
u64 monitor_discard_ns = 10000000000ull;

/* -- The process's page tables ----------------------------------------------------------------- */

/* All of these wait for the process while it changes its memory. 0 or an errno. */
static int set_protected(const struct monitor *m, u64 start, u64 size, bool on)
{
	struct uffdio_writeprotect arg = {
		.range = { start, size },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(m->uffd, UFFDIO_WRITEPROTECT, &arg) ? errno : 0;
}

static int set_registered(const struct monitor *m, u64 start, u64 size)
{
	struct uffdio_register arg = {
		.range = { start, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR |
			UFFDIO_REGISTER_MODE_WP,
	};

	return ioctl(m->uffd, UFFDIO_REGISTER, &arg) ? errno : 0;
}

static void wake(const struct monitor *m, u64 start, u64 size)
{
	struct uffdio_range range = { start, size };

	ioctl(m->uffd, UFFDIO_WAKE, &range);
}

/* Maps what of the file's pages is not mapped yet. 0, or the errno of the first page. */
static int map_window(const struct monitor *m, u64 start, u64 size)
{
	u64 at = start, end = start + size;

	while (at < end) {
		struct uffdio_continue arg = { .range = { at, end - at } };

		if (!ioctl(m->uffd, UFFDIO_CONTINUE, &arg))
			return 0;
		/* A part of it, up to a page that cannot be mapped, as the next call says. */
		if (arg.mapped > 0) {
			at += (u64)arg.mapped;
			continue;
		}
		/* Mapped already; or a hole, which the process itself made just now. */
		if (errno != EEXIST && errno != EFAULT)
			return at == start ? errno : 0;
		at += OS_PAGE_SIZE;
	}
	return 0;
}

/* What of it is there and not mapped yet, up to the first page that is not so. */
static void map_more(const struct monitor *m, u64 start, u64 end)
{
	struct uffdio_continue arg = { .range = { start, end - start } };

	if (start < end)
		ioctl(m->uffd, UFFDIO_CONTINUE, &arg);
}

/* Stores and reads go on in [start, start + size), at least in the page, and up to end if need be.
 */
static void let_in(const struct monitor *m, u64 page, u64 start, u64 size, u64 end)
{
	/* Only what is one mapping to the kernel is done at once. */
	if (map_window(m, start, size) == ENOENT)
		map_window(m, page, OS_PAGE_SIZE);
	map_more(m, start + size, end);
	if (set_protected(m, start, size, false)) {
		set_protected(m, page, OS_PAGE_SIZE, false);
		wake(m, page, OS_PAGE_SIZE);
	}
}

/* An access to the page is a bus error from now on, until somebody is let in. */
static void refuse(const struct monitor *m, u64 page)
{
	struct uffdio_poison arg = { .range = { page, OS_PAGE_SIZE } };

	if (m->pidfd >= 0) {
		/* Its thread waits on, and gets the signal there. */
		syscall(SYS_pidfd_send_signal, m->pidfd, SIGBUS, NULL, 0);
		return;
	}
	/* Poison takes no other mark's place. */
	set_protected(m, page, OS_PAGE_SIZE, false);
	ioctl(m->uffd, UFFDIO_POISON, &arg);
	wake(m, page, OS_PAGE_SIZE);
}

/* What is there is no memory of ours any more. */
static void leave_alone(const struct monitor *m, u64 page)
{
	struct uffdio_range range = { page, OS_PAGE_SIZE };

	ioctl(m->uffd, UFFDIO_UNREGISTER, &range);
	wake(m, page, OS_PAGE_SIZE);
}

/* -- Faults ------------------------------------------------------------------------------------ */

struct answer {
	struct monitor *m;
	u64 page;
	u64 start, size; /* the window */
	u64 end;	 /* of the extent */
};

/* Nobody takes the extent away before monitor_hold has seen what is begun here. */
static enum uvm_result answer_begin(void *ctx, const struct uvm_extent *extent)
{
	struct answer *answer = ctx;
	struct monitor *m = answer->m;
	u64 end;

	answer->start = max(align_down(answer->page, WINDOW), extent->address);
	end = min(align_down(answer->page, WINDOW) + WINDOW, extent->address + extent->size);
	answer->size = end - answer->start;
	answer->end = extent->address + extent->size;
	/* Only what is in the file can be mapped: a read makes an empty page. */
	for (u64 at = answer->start; at < end; at += OS_PAGE_SIZE)
		(void)*((const volatile u8 *)extent->pages->cpu + extent->offset +
			(at - extent->address));
	pthread_mutex_lock(&m->lock);
	m->answer_start = answer->start;
	m->answer_size = answer->end - answer->start;
	pthread_mutex_unlock(&m->lock);
	return UVM_RESULT_OK;
}

static void answer_end(struct monitor *m)
{
	pthread_mutex_lock(&m->lock);
	m->answer_size = 0;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

static void answer_fault(struct monitor *m, u64 address)
{
	struct answer answer = { .m = m, .page = align_down(address, OS_PAGE_SIZE) };
	struct uvm_extent extent;

	switch (area_fault(m, answer.page, &extent, answer_begin, &answer)) {
	case UVM_RESULT_OK:
		let_in(m, answer.page, answer.start, answer.size, answer.end);
		answer_end(m);
		break;
	case UVM_RESULT_EFAULT:
		leave_alone(m, answer.page);
		break;
	default:
		refuse(m, answer.page);
		/* Where that does not end the access it comes back at once. */
		os_sleep_us(RETRY_US);
		break;
	}
}

static void *server_main(void *arg)
{
	struct monitor *m = arg;
	struct pollfd fds[] = { { .fd = m->uffd, .events = POLLIN },
				{ .fd = m->wake, .events = POLLIN } };
	struct uffd_msg events[EVENTS];

	while (!os_load_acquire(&m->server_stop)) {
		ssize_t n;

		fds[0].revents = 0;
		poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[0].revents & ~POLLIN) {
			uffd_set_nonblocking(m->uffd);
			os_sleep_us(RETRY_US);
		}
		if (!fds[0].revents || os_load_acquire(&m->server_stop))
			continue;
		n = read(m->uffd, events, sizeof(events));
		for (ssize_t i = 0; i < n / (ssize_t)sizeof(events[0]); i++) {
			if (events[i].event == UFFD_EVENT_PAGEFAULT)
				answer_fault(m, events[i].arg.pagefault.address);
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			break;
	}
	os_store_release(&m->server_stopped, 1);
	return NULL;
}

/* -- Jobs -------------------------------------------------------------------------------------- */

static int job_protect(const struct monitor *m, const struct job *job)
{
	int rc = set_protected(m, job->start, job->size, true);

	if (rc == ENOENT) {
		rc = set_registered(m, job->whole_start, job->whole_size);
		if (!rc)
			rc = set_protected(m, job->start, job->size, true);
	}
	/* Its memory is gone, and nobody stores there. */
	return rc == ESRCH ? 0 : rc;
}

static int job_discard(const struct monitor *m, const struct job *job)
{
	int rc = fallocate(m->spare, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)job->offset,
			   (off_t)job->size)
			 ? errno
			 : 0;

	/* The memory lives no longer than it must. */
	if (dup3(m->wake, m->spare, O_CLOEXEC) < 0)
		os_log(OS_LOG_ERROR, "a memory file stays open");
	return rc;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void monitor_free(struct monitor *m)
{
	close_one(&m->uffd);
	close_one(&m->wake);
	close_one(&m->spare);
	close_one(&m->pidfd);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* Does the jobs; then it waits for the server and frees all, so that nobody else has to. */
static void *worker_main(void *arg)
{
	struct monitor *m = arg;
	const u64 one = 1;

	pthread_detach(pthread_self());
	pthread_mutex_lock(&m->lock);
	while (!m->stop || m->refs) {
		struct job job = m->job;
		int rc;

		if (!m->wanted) {
			pthread_cond_wait(&m->changed, &m->lock);
			continue;
		}
		m->wanted = false;
		pthread_mutex_unlock(&m->lock);
		rc = job.discard ? job_discard(m, &job) : job_protect(m, &job);
		pthread_mutex_lock(&m->lock);
		m->result = rc;
		m->done = true;
		if (m->given_up)
			m->busy = m->given_up = false;
		pthread_cond_broadcast(&m->changed);
	}
	pthread_mutex_unlock(&m->lock);
	if (m->serving) {
		os_store_release(&m->server_stop, 1);
		if (write(m->wake, &one, sizeof(one)) < 0)
			os_log(OS_LOG_ERROR, "a monitor cannot be woken");
		uffd_thread_join(m->server, &m->server_stopped);
	}
	share_drop(m->uid, SHARE_MONITOR);
	monitor_free(m);
	return NULL;
}

/* Locked. False when it is too late. */
static bool wait_until(struct monitor *m, u64 until)
{
	struct timespec at = { (time_t)(until / 1000000000u), (long)(until % 1000000000u) };

	return pthread_cond_timedwait(&m->changed, &m->lock, &at) != ETIMEDOUT;
}

/* Locked. The worker is the caller's: job_run gives it back. False: not in time. */
static bool job_claim(struct monitor *m, u64 until)
{
	while (m->busy) {
		if (m->given_up || !wait_until(m, until))
			return false;
	}
	m->busy = true;
	return true;
}

/* Locked, claimed. */
static bool job_run(struct monitor *m, const struct job *job, u64 until)
{
	m->job = *job;
	m->done = false;
	m->wanted = true;
	pthread_cond_broadcast(&m->changed);
	while (!m->done) {
		if (wait_until(m, until) || m->done)
			continue;
		m->given_up = true;
		return false;
	}
	m->busy = false;
	pthread_cond_broadcast(&m->changed);
	return m->result == 0;
}

/* Locked. */
static bool is_answering(const struct monitor *m, u64 start, u64 size)
{
	return m->answer_size && m->answer_start < start + size &&
	       start < m->answer_start + m->answer_size;
}

bool monitor_hold(struct monitor *m, u64 start, u64 size, u64 whole_start, u64 whole_size)
{
	const u64 until = os_time_ns() + monitor_hold_ns;
	const struct job job = {
		.start = start, .size = size, .whole_start = whole_start, .whole_size = whole_size
	};
	bool held = false;

	pthread_mutex_lock(&m->lock);
	if (!m->serving)
		m->serving =
			uffd_thread_start(&m->server, DAEMON_CHANNEL_STACK, server_main, m) == 0;
	if (!m->serving)
		goto out;
	/* No answer begins that concerns the part: for that uvm's lock is needed. */
	while (is_answering(m, start, size)) {
		if (!wait_until(m, until))
			goto out;
	}
	held = job_claim(m, until) && job_run(m, &job, until);
out:
	pthread_mutex_unlock(&m->lock);
	return held;
}

bool monitor_discard(struct monitor *m, int fd, u64 offset, u64 size)
{
	const u64 until = os_time_ns() + monitor_discard_ns;
	const struct job job = { .discard = true, .offset = offset, .size = size };
	bool done = false;

	pthread_mutex_lock(&m->lock);
	if (job_claim(m, until)) {
		/* Its own number: the caller may be gone when it is the worker's turn. */
		if (dup3(fd, m->spare, O_CLOEXEC) >= 0)
			done = job_run(m, &job, until);
		else
			m->busy = false;
	}
	pthread_mutex_unlock(&m->lock);
	return done;
}

bool monitor_is_stuck(struct monitor *m)
{
	bool stuck;

	pthread_mutex_lock(&m->lock);
	stuck = m->given_up;
	pthread_mutex_unlock(&m->lock);
	return stuck;
}

/* -- Begin and end ----------------------------------------------------------------------------- */

/* Whoever has not been here first chooses the features: that is us, or nobody. 0 or an errno. */
static int set_features(struct monitor *m, int uffd)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES | UFFD_FEATURE_POISON };

	if (ioctl(uffd, UFFDIO_API, &api) == 0)
		return 0;
	api = (struct uffdio_api){ .api = UFFD_API, .features = FEATURES };
	if (ioctl(uffd, UFFDIO_API, &api))
		return errno;
	m->pidfd = (int)syscall(SYS_pidfd_open, m->pid, 0);
	return m->pidfd < 0 ? errno : 0;
}

int monitor_start(struct monitor *m, int uffd)
{
	pthread_t worker;
	int rc;

	if (!uffd_is(uffd)) {
		close(uffd);
		return EINVAL;
	}
	if (!share_take(m->uid, SHARE_MONITOR)) {
		close(uffd);
		return EMFILE;
	}
	rc = set_features(m, uffd);
	if (rc)
		goto fail;
	m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->spare = m->wake < 0 ? -1 : fcntl(m->wake, F_DUPFD_CLOEXEC, 0);
	rc = m->spare < 0 ? errno : 0;
	if (rc)
		goto fail;
	uffd_set_nonblocking(uffd);
	m->uffd = uffd;
	rc = uffd_thread_start(&worker, UFFD_STACK, worker_main, m);
	if (!rc)
		return 0;
	m->uffd = -1;
fail:
	close_one(&m->wake);
	close_one(&m->spare);
	close_one(&m->pidfd);
	close(uffd);
	share_drop(m->uid, SHARE_MONITOR);
	return rc;
}

void monitor_end(struct monitor *m)
{
	if (m->uffd < 0) {
		monitor_free(m);
		return;
	}
	pthread_mutex_lock(&m->lock);
	m->stop = true;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

void monitor_ref(struct monitor *m)
{
	pthread_mutex_lock(&m->lock);
	m->refs++;
	pthread_mutex_unlock(&m->lock);
}

void monitor_unref(struct monitor *m)
{
	pthread_mutex_lock(&m->lock);
	m->refs--;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}
