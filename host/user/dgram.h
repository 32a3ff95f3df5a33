/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Datagrams with descriptors, over the daemon's sockets.
 */
#ifndef HOST_USER_DGRAM_H
#define HOST_USER_DGRAM_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/types.h"

#define DGRAM_FDS 16u

/*
 * Sends data with count (at most DGRAM_FDS) descriptors. 0 or a negative errno. A raw call: a
 * sanitizer would take the preload library's own descriptors, which come and go unseen, for the
 * program's.
 */
static inline int dgram_send_all(int sock, const void *data, size_t size, const int *fds, u32 count,
				 int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(DGRAM_FDS * sizeof(int))];
	} control;
	struct iovec iov = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (count) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	for (;;) {
		if (syscall(SYS_sendmsg, sock, &msg, MSG_NOSIGNAL | flags) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/* The same, with fd unless it is -1. */
static inline int dgram_send(int sock, const void *data, size_t size, int fd)
{
	return dgram_send_all(sock, data, size, &fd, fd >= 0 ? 1 : 0, 0);
}

/*
 * Receives without waiting: bytes, 0 at the end, or a negative errno (EMSGSIZE: it did not fit).
 * *count descriptors came along, at most max (which is at most DGRAM_FDS); more are all closed
 * (EMSGSIZE).
 */
static inline int dgram_receive_all(int sock, void *data, size_t size, int *fds, u32 max,
				    u32 *count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE((DGRAM_FDS + 3) * sizeof(int))];
	} control;
	struct iovec iov = { data, size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	ssize_t n;

	*count = 0;
	do {
		n = syscall(SYS_recvmsg, sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int got;

			memcpy(&got, CMSG_DATA(c) + at, sizeof(got));
			if (*count < max) {
				fds[(*count)++] = got;
			} else {
				syscall(SYS_close, got);
				msg.msg_flags |= MSG_CTRUNC;
			}
		}
	}
	if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return (int)n;
	while (*count)
		syscall(SYS_close, fds[--*count]);
	return -EMSGSIZE;
}

/* The same with one descriptor at most; *fd is -1 where none came. */
static inline int dgram_receive(int sock, void *data, size_t size, int *fd)
{
	u32 count;
	int rc = dgram_receive_all(sock, data, size, fd, 1, &count);

	if (!count)
		*fd = -1;
	return rc;
}

#endif
