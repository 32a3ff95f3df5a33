// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Copies and ends of descriptors. The kernel does the counting; this only keeps the table of what
 * is ours right, and the connection's own descriptor out of programs' reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

EXPORT int dup(int fd)
{
	int copy = lh_real()->dup(fd);

	if (copy >= 0)
		lh_fd_copy(fd, copy);
	return copy;
}

/* After dup2 or dup3. */
static int replaced(int fd, int to, int rc)
{
	if (rc >= 0) {
		lh_epoll_forget(to);
		lh_fd_copy(fd, to);
	}
	return rc;
}

EXPORT int dup2(int fd, int to)
{
	struct lh_claim claim;
	int rc;

	if (fd == to)
		return lh_real()->dup2(fd, to);
	rc = lh_claim(to, &claim);
	if (rc) {
		errno = rc;
		return -1;
	}
	rc = lh_real()->dup2(fd, to);
	lh_claim_end(&claim);
	return replaced(fd, to, rc);
}

EXPORT int dup3(int fd, int to, int flags)
{
	struct lh_claim claim;
	int rc = lh_claim(to, &claim);

	if (rc) {
		errno = rc;
		return -1;
	}
	rc = lh_real()->dup3(fd, to, flags);
	lh_claim_end(&claim);
	return replaced(fd, to, rc);
}

static int control(int fd, int cmd, void *arg)
{
	int rc = lh_real()->fcntl(fd, cmd, arg);

	if (rc >= 0 && (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC))
		lh_fd_copy(fd, rc);
	return rc;
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return control(fd, cmd, arg);
}

EXPORT int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return control(fd, cmd, arg);
}

/* -- Closing ----------------------------------------------------------------------------------- */

/* The driver's release of a file is over when close returns, as with a device node. */
static void tell_closed(const struct lh_file *file)
{
	struct lh_msg msg = { .op = LH_OP_CLOSED, .args = { file->id } };
	int saved = errno;
	struct lh_chan *chan;

	if (lh_generation() && !lh_borrowed()) {
		chan = lh_enter();
		if (chan) {
			lh_exchange(chan, &msg);
			lh_leave();
		}
	}
	errno = saved;
}

EXPORT int close(int fd)
{
	struct lh_file file;
	bool known = lh_fd_peek(fd, &file);
	int rc;

	if (lh_fd_known(fd)) {
		lh_epoll_forget(fd);
		lh_fd_forget(fd);
	}
	if (lh_active() && !lh_is_theirs(fd)) {
		errno = EBADF;
		return -1;
	}
	rc = lh_real()->close(fd);
	if (known && rc == 0)
		tell_closed(&file);
	return rc;
}

EXPORT int fclose(FILE *stream)
{
	struct lh_file file;
	int rc, saved = errno;
	int fd = lh_real()->fileno(stream);
	bool known;

	errno = saved;
	known = lh_fd_peek(fd, &file);
	if (lh_fd_known(fd))
		lh_fd_forget(fd);
	rc = lh_real()->fclose(stream);
	if (known)
		tell_closed(&file);
	return rc;
}

static void forget_range(unsigned int first, unsigned int last)
{
	int end = lh_fd_end();

	for (unsigned int fd = first; fd < (unsigned int)end && fd <= last; fd++) {
		if (lh_fd_known((int)fd)) {
			lh_epoll_forget((int)fd);
			lh_fd_forget((int)fd);
		}
	}
}

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

static int close_theirs(unsigned int first, unsigned int last, int flags)
{
	for (int hidden; (hidden = lh_hidden_from(first)) >= 0 && (unsigned int)hidden <= last;
	     first = (unsigned int)hidden + 1) {
		int rc = (unsigned int)hidden == first
				 ? 0
				 : (int)syscall(SYS_close_range, first, hidden - 1, flags);

		if (rc || (unsigned int)hidden == last)
			return rc;
	}
	return (int)syscall(SYS_close_range, first, last, flags);
}

/* The connection stays, as close leaves it. */
EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	struct lh_claim claim;
	int rc;

	if (lh_borrowed())
		return (int)syscall(SYS_close_range, first, last, flags);
	if (!(flags & CLOSE_RANGE_CLOEXEC))
		forget_range(first, last);
	lh_claim_all(&claim);
	rc = close_theirs(first, last, flags);
	lh_claim_end(&claim);
	return rc;
}

EXPORT void closefrom(int first)
{
	int saved = errno;

	if (first < 0)
		first = 0;
	if (close_range((unsigned int)first, UINT_MAX, 0) && lh_real()->closefrom)
		lh_real()->closefrom(first);
	errno = saved;
}

/* Descriptors that another process sends. */
EXPORT ssize_t recvmsg(int sock, struct msghdr *msg, int flags)
{
	ssize_t n = lh_real()->recvmsg(sock, msg, flags);

	if (n < 0 || !lh_active() || !msg->msg_controllen)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			lh_fd_forget(fd);
			lh_fd_ours(fd);
		}
	}
	return n;
}
