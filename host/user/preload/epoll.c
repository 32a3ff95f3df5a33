// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * epoll(7) on the driver's descriptors: the kernel's instance watches the sockets, and what it
 * reports of them is asked of the driver before the program sees it.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

#define WATCHES 256u

/* One of ours in one instance; fd is -1 in a free place, -2 while it is written. */
static struct watch {
	int fd;
	int epfd;
	u32 events;
	u64 data;
} watches[WATCHES] = { [0 ... WATCHES - 1] = { .fd = -1 } };
static u32 watch_count;

static struct watch *watch_find(int epfd, int fd)
{
	for (u32 i = 0; i < WATCHES; i++) {
		if (__atomic_load_n(&watches[i].fd, __ATOMIC_ACQUIRE) == fd &&
		    watches[i].epfd == epfd)
			return &watches[i];
	}
	return NULL;
}

static void watch_free(struct watch *watch)
{
	__atomic_store_n(&watch->fd, -1, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&watch_count, 1, __ATOMIC_SEQ_CST);
}

void lh_epoll_forget(int fd)
{
	if (!__atomic_load_n(&watch_count, __ATOMIC_ACQUIRE) || lh_borrowed())
		return;
	for (u32 i = 0; i < WATCHES; i++) {
		if (__atomic_load_n(&watches[i].fd, __ATOMIC_ACQUIRE) == fd)
			watch_free(&watches[i]);
	}
}

static bool watch_add(int epfd, int fd, const struct epoll_event *event)
{
	for (u32 i = 0; i < WATCHES; i++) {
		int none = -1;

		if (!__atomic_compare_exchange_n(&watches[i].fd, &none, -2, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			continue;
		watches[i].epfd = epfd;
		watches[i].events = event->events;
		watches[i].data = event->data.u64;
		__atomic_add_fetch(&watch_count, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&watches[i].fd, fd, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

#define EVENTS_MODE (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct epoll_event socket_event;
	struct watch *watch;
	int rc;

	if (!lh_fd_ours(fd))
		return lh_real()->epoll_ctl(epfd, op, fd, event);
	if (op == EPOLL_CTL_DEL) {
		rc = lh_real()->epoll_ctl(epfd, op, fd, event);
		watch = watch_find(epfd, fd);
		if (!rc && watch)
			watch_free(watch);
		return rc;
	}
	socket_event = (struct epoll_event){ .events = (event->events & EVENTS_MODE) | EPOLLIN,
					     .data = event->data };
	rc = lh_real()->epoll_ctl(epfd, op, fd, &socket_event);
	if (rc)
		return rc;
	watch = watch_find(epfd, fd);
	if (watch) {
		watch->events = event->events;
		watch->data = event->data.u64;
	} else if (!watch_add(epfd, fd, event)) {
		lh_real()->epoll_ctl(epfd, EPOLL_CTL_DEL, fd, NULL);
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

/* Whether anything waits on the descriptor's socket: else an event of equal data is another's. */
static bool socket_has_byte(int fd)
{
	char byte;

	return syscall(SYS_recvfrom, fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK, NULL, NULL) > 0;
}

/* False when there was nothing to report after all. */
static bool event_sort(int epfd, struct epoll_event *event)
{
	for (u32 i = 0; i < WATCHES; i++) {
		struct watch *watch = &watches[i];
		int fd = __atomic_load_n(&watch->fd, __ATOMIC_ACQUIRE);
		u32 got;

		if (fd < 0 || watch->epfd != epfd || watch->data != event->data.u64)
			continue;
		if (!(event->events & EPOLLIN) || !socket_has_byte(fd))
			continue;
		got = (u32)lh_poll_ask(fd) & (watch->events | EPOLLERR | EPOLLHUP);
		if (!got) {
			if (watch->events & EPOLLONESHOT) {
				struct epoll_event again = {
					.events = (watch->events & EVENTS_MODE) | EPOLLIN,
					.data = event->data
				};

				lh_real()->epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &again);
			}
			return false;
		}
		event->events = got;
		return true;
	}
	return true;
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

static int wait(int epfd, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
	u64 until = timeout > 0 ? now_ms() + (u64)timeout : 0;
	int n, kept;

	for (;;) {
		n = lh_real()->epoll_pwait(epfd, events, max, timeout, mask);
		if (n <= 0 || !__atomic_load_n(&watch_count, __ATOMIC_ACQUIRE))
			return n;
		kept = 0;
		for (int i = 0; i < n; i++) {
			if (event_sort(epfd, &events[i]))
				events[kept++] = events[i];
		}
		if (kept || timeout == 0)
			return kept;
		if (timeout > 0) {
			u64 now = now_ms();

			timeout = now < until ? (int)(until - now) : 0;
		}
	}
}

EXPORT int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
	return wait(epfd, events, max, timeout, NULL);
}

EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout,
		       const sigset_t *mask)
{
	return wait(epfd, events, max, timeout, mask);
}

EXPORT int epoll_pwait2(int epfd, struct epoll_event *events, int max,
			const struct timespec *timeout, const sigset_t *mask)
{
	int ms = -1;

	if (timeout)
		ms = (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
	return wait(epfd, events, max, ms, mask);
}
