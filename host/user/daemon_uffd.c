// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Userfaultfds that clients passed. A client has the same open file, and may set its flags, read
 * events from it and use it on its own memory as it likes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/user/daemon.h"

#define STOP_SIGNAL (SIGRTMIN + 4)
#define STOP_US 1000u /* between two calls to stop */

static pthread_once_t signal_once = PTHREAD_ONCE_INIT;

bool uffd_is(int fd)
{
	static const char name[] = "anon_inode:[userfaultfd]";
	char path[32], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link));
	return n == sizeof(name) - 1 && memcmp(link, name, sizeof(name) - 1) == 0;
}

void uffd_set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void stop_handler(int sig)
{
}

static void signal_ready(void)
{
	/* Without SA_RESTART: it ends a read. */
	struct sigaction action = { .sa_handler = stop_handler };

	sigaction(STOP_SIGNAL, &action, NULL);
}

int uffd_thread_start(pthread_t *thread, size_t stack, void *(*main)(void *), void *arg)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return rc;
	pthread_once(&signal_once, signal_ready);
	pthread_attr_setstacksize(&attr, stack);
	rc = pthread_create(thread, &attr, main, arg);
	pthread_attr_destroy(&attr);
	return rc;
}

void uffd_thread_join(pthread_t thread, const u32 *stopped)
{
	/* It may be on its way into the read, where only the next one reaches it. */
	while (!os_load_acquire(stopped)) {
		pthread_kill(thread, STOP_SIGNAL);
		os_sleep_us(STOP_US);
	}
	pthread_join(thread, NULL);
}
