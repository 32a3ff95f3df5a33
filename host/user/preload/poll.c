// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * poll(2) and select(2) on the driver's descriptors. The socket wakes the waiter; whether an event
 * is there the driver tells, and reporting it takes it, as with the device node.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

#define ON_STACK 64u

short lh_poll_ask(int fd)
{
	struct lh_chan *chan;
	struct lh_file file;
	char byte;
	int saved = errno;
	short events = 0;

	while (syscall(SYS_recvfrom, fd, &byte, 1, MSG_DONTWAIT, NULL, NULL) > 0)
		;
	chan = lh_enter();
	if (!chan) {
		errno = saved;
		return POLLERR | POLLHUP;
	}
	for (u32 attempt = 0; attempt < 2; attempt++) {
		struct lh_msg msg = { .op = LH_OP_POLL };
		s32 rc = -ENODEV;

		if (lh_fd_file(chan, fd, &file) == 0) {
			msg.args[0] = file.id;
			rc = lh_exchange(chan, &msg);
		}
		if (rc == -EBADF && !attempt) {
			lh_fd_unbind(fd);
			continue;
		}
		if (rc < 0)
			events = POLLERR | POLLHUP;
		else if (rc)
			events = rc == POLLERR ? POLLERR : POLLIN | POLLPRI;
		break;
	}
	lh_leave();
	errno = saved;
	return events;
}

/* -- Time left --------------------------------------------------------------------------------- */

static void deadline_set(struct timespec *at, const struct timespec *timeout)
{
	clock_gettime(CLOCK_MONOTONIC, at);
	at->tv_sec += timeout->tv_sec;
	at->tv_nsec += timeout->tv_nsec;
	if (at->tv_nsec >= 1000000000) {
		at->tv_nsec -= 1000000000;
		at->tv_sec++;
	}
}

static void deadline_left(const struct timespec *at, struct timespec *left)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = at->tv_sec - now.tv_sec;
	left->tv_nsec = at->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_nsec += 1000000000;
		left->tv_sec--;
	}
	if (left->tv_sec < 0)
		*left = (struct timespec){ 0 };
}

/* -- poll -------------------------------------------------------------------------------------- */

static bool any_ours(const struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		if (lh_fd_known(fds[i].fd))
			return true;
	}
	return false;
}

#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)

/*
 * The driver is asked once before the first sleep, as the kernel asks it: what waits there waits
 * whether or not its wake-up was taken from the socket before. True when anything is there.
 */
static bool poll_first(struct pollfd *fds, nfds_t n)
{
	bool any = false;

	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (!lh_fd_known(fds[i].fd))
			continue;
		fds[i].revents = lh_poll_ask(fds[i].fd) & (short)(fds[i].events | ALWAYS);
		any |= fds[i].revents != 0;
	}
	return any;
}

/* What our descriptors really have; the number that have anything. */
static int poll_sort(struct pollfd *fds, const struct pollfd *got, nfds_t n)
{
	int count = 0;

	for (nfds_t i = 0; i < n; i++) {
		short events = got[i].revents;

		if (lh_fd_known(fds[i].fd)) {
			if (events & POLLIN)
				events = fds[i].revents ? fds[i].revents : lh_poll_ask(fds[i].fd);
			events &= (short)(fds[i].events | ALWAYS);
			events |= fds[i].revents;
		}
		fds[i].revents = events;
		count += events != 0;
	}
	return count;
}

static int poll_ours(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		     const sigset_t *mask)
{
	struct pollfd stack[ON_STACK];
	struct pollfd *copy = stack;
	const size_t size = n * sizeof(*fds);
	struct timespec until, left;
	bool ready;
	int rc;

	if (n > ON_STACK) {
		copy = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (copy == MAP_FAILED) {
			errno = ENOMEM;
			return -1;
		}
	}
	if (timeout)
		deadline_set(&until, timeout);
	ready = poll_first(fds, n);
	do {
		memcpy(copy, fds, size);
		for (nfds_t i = 0; i < n; i++) {
			if (lh_fd_known(fds[i].fd))
				copy[i].events = copy[i].events & (POLLIN | POLLPRI) ? POLLIN : 0;
		}
		if (ready)
			left = (struct timespec){ 0 };
		else if (timeout)
			deadline_left(&until, &left);
		rc = lh_real()->ppoll(copy, n, ready || timeout ? &left : NULL, mask);
		if (ready && rc <= 0) {
			/* A signal does not hide what is there. */
			for (nfds_t i = 0; i < n; i++)
				copy[i].revents = 0;
			rc = 0;
		}
		if (rc < 0 || (!rc && !ready)) {
			for (nfds_t i = 0; !rc && i < n; i++)
				fds[i].revents = 0;
			break;
		}
		rc = poll_sort(fds, copy, n);
	} while (!rc);
	if (copy != stack)
		munmap(copy, size);
	return rc;
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, (long)(timeout % 1000) * 1000000 };

	if (!any_ours(fds, n))
		return lh_real()->poll(fds, n, timeout);
	return poll_ours(fds, n, timeout < 0 ? NULL : &ts, NULL);
}

EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	if (!any_ours(fds, n))
		return lh_real()->ppoll(fds, n, timeout, mask);
	return poll_ours(fds, n, timeout, mask);
}

int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask,
		size_t room);

EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
	if (room / sizeof(*fds) < n)
		__builtin_trap();
	return poll(fds, n, timeout);
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		       const sigset_t *mask, size_t room)
{
	if (room / sizeof(*fds) < n)
		__builtin_trap();
	return ppoll(fds, n, timeout, mask);
}

/* -- select ------------------------------------------------------------------------------------ */

static bool set_has(const fd_set *set, int fd)
{
	return set && (((const unsigned long *)set)[fd / (8 * (int)sizeof(long))] >>
			       (fd % (8 * (int)sizeof(long))) &
		       1);
}

static void set_put(fd_set *set, int fd, bool value)
{
	unsigned long bit = 1ul << (fd % (8 * (int)sizeof(long)));
	unsigned long *word;

	if (!set)
		return;
	word = &((unsigned long *)set)[fd / (8 * (int)sizeof(long))];
	*word = value ? *word | bit : *word & ~bit;
}

static bool sets_ours(int n, const fd_set *r, const fd_set *w, const fd_set *e)
{
	int end = lh_fd_end() < n ? lh_fd_end() : n;

	for (int fd = 0; fd < end; fd++) {
		if (lh_fd_known(fd) && (set_has(r, fd) || set_has(w, fd) || set_has(e, fd)))
			return true;
	}
	return false;
}

static int select_ours(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
		       const sigset_t *mask)
{
	struct pollfd fds[FD_SETSIZE] = { 0 };
	nfds_t count = 0;
	int rc, bits = 0;

	for (int fd = 0; fd < n && count < FD_SETSIZE; fd++) {
		short events =
			(short)((set_has(r, fd) ? POLLIN : 0) | (set_has(w, fd) ? POLLOUT : 0) |
				(set_has(e, fd) ? POLLPRI : 0));

		if (events)
			fds[count++] = (struct pollfd){ .fd = fd, .events = events };
	}
	rc = poll_ours(fds, count, timeout, mask);
	if (rc < 0)
		return rc;
	for (nfds_t i = 0; i < count; i++) {
		short got = fds[i].revents;
		bool reads = got & (POLLIN | POLLHUP | POLLERR);
		bool writes = got & (POLLOUT | POLLERR);

		if (got & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
		bits += (set_has(r, fds[i].fd) && reads) + (set_has(w, fds[i].fd) && writes) +
			(set_has(e, fds[i].fd) && (got & POLLPRI));
		set_put(r, fds[i].fd, set_has(r, fds[i].fd) && reads);
		set_put(w, fds[i].fd, set_has(w, fds[i].fd) && writes);
		set_put(e, fds[i].fd, set_has(e, fds[i].fd) && (got & POLLPRI));
	}
	return bits;
}

EXPORT int select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	struct timespec ts, until;
	int rc;

	if (!sets_ours(n, r, w, e))
		return lh_real()->select(n, r, w, e, timeout);
	if (!timeout)
		return select_ours(n, r, w, e, NULL, NULL);
	ts = (struct timespec){ timeout->tv_sec, timeout->tv_usec * 1000 };
	deadline_set(&until, &ts);
	rc = select_ours(n, r, w, e, &ts, NULL);
	deadline_left(&until, &ts);
	*timeout = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
	return rc;
}

EXPORT int pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
		   const sigset_t *mask)
{
	if (!sets_ours(n, r, w, e))
		return lh_real()->pselect(n, r, w, e, timeout, mask);
	return select_ours(n, r, w, e, timeout, mask);
}
