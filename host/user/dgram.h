/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Datagrams with at most one descriptor, over the daemon's sockets.
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

/*
 * Sends data, with fd unless it is -1. 0 or a negative errno. A raw call: a sanitizer would take
 * the preload library's own descriptors, which come and go unseen, for the program's.
 */
static inline int dgram_send(int sock, const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	for (;;) {
		if (syscall(SYS_sendmsg, sock, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/*
 * Receives without waiting: bytes, 0 at the end, or a negative errno (EMSGSIZE: it did not fit).
 * *fd is the descriptor that came along, or -1; more than one are all closed (EMSGSIZE).
 */
static inline int dgram_receive(int sock, void *data, size_t size, int *fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { data, size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int got;

			memcpy(&got, CMSG_DATA(c) + at, sizeof(got));
			if (*fd < 0) {
				*fd = got;
			} else {
				close(got);
				msg.msg_flags |= MSG_CTRUNC;
			}
		}
	}
	if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return (int)n;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -EMSGSIZE;
}

#endif
