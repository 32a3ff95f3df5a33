// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Requests of the leafhopper command itself: one text line each, answered by one text. Only the
 * user who runs the daemon, and root, may change anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/dgram.h"
#include "host/user/machine.h"

#define LINE_MAX_SIZE 1024

#define IDLE_SECONDS 10u

struct admin {
	struct source sock;
	bool owner;
	u64 heard_ns; /* when it last said something */
	struct admin *next;
};

/* The newest first; of the event loop. */
static struct admin *admins;
static u32 admin_count;

static void admin_remove(struct admin *admin)
{
	for (struct admin **at = &admins; *at; at = &(*at)->next) {
		if (*at == admin) {
			*at = admin->next;
			admin_count--;
			break;
		}
	}
	loop_remove(&admin->sock);
}

/* Makes room: the oldest goes, and others' before those of who may change things. */
static void admin_evict(void)
{
	struct admin *oldest = NULL;

	for (struct admin *admin = admins; admin; admin = admin->next) {
		if (!oldest || oldest->owner || !admin->owner)
			oldest = admin;
	}
	if (oldest)
		admin_remove(oldest);
}

bool admin_expire(void)
{
	u64 now = os_time_ns();

	for (struct admin *admin = admins, *next; admin; admin = next) {
		next = admin->next;
		if (now - admin->heard_ns >= IDLE_SECONDS * 1000000000ull)
			admin_remove(admin);
	}
	return admins != NULL;
}

static void admin_status(char *out, size_t size)
{
	struct machine *m = daemon_machine();
	struct rm_statistics s;
	int at;

	rm_statistics(machine_rm(m), &s);
	at = snprintf(out, size,
		      "driver %s, pid %d, %u processes, %u open files\n"
		      "%u GPUs opened, %u clients, %u objects, %llu MiB of video memory\n",
		      rm_version(machine_rm(m)), (int)getpid(), conn_count(), dfile_count(),
		      s.files, s.clients, s.objects, (unsigned long long)(s.video_memory >> 20));

	for (u32 i = 0; i < machine_gpu_count(m) && at > 0 && (size_t)at < size; i++) {
		char bdf[16];

		machine_gpu_bdf(m, i, bdf);
		at += snprintf(out + at, size - (size_t)at, "GPU %u at %s\n", i, bdf);
	}
}

static void admin_inject(const char *line, char *out, size_t size)
{
	char *rest;
	unsigned long index = strtoul(line, &rest, 10);
	int rc;

	while (*rest == ' ')
		rest++;
	if (rest == line || !*rest)
		rc = EINVAL;
	else
		rc = machine_inject(daemon_machine(),
				    index < RM_MAX_GPUS ? (u32)index : RM_MAX_GPUS, rest);
	snprintf(out, size, "%s\n", rc ? strerror(rc) : "ok");
}

static void admin_serve(struct admin *admin, const char *line, char *out, size_t size)
{
	if (!strcmp(line, "status")) {
		admin_status(out, size);
	} else if (!admin->owner) {
		snprintf(out, size, "%s\n", strerror(EPERM));
	} else if (!strncmp(line, "inject ", 7)) {
		admin_inject(line + 7, out, size);
	} else if (!strcmp(line, "stop")) {
		snprintf(out, size, "ok\n");
		daemon_stop();
	} else {
		snprintf(out, size, "%s\n", strerror(EINVAL));
	}
}

static void admin_event(struct source *source, u32 events)
{
	struct admin *admin = container_of(source, struct admin, sock);
	char line[LINE_MAX_SIZE], out[4 * LINE_MAX_SIZE];
	int fd;
	int n = dgram_receive(source->fd, line, sizeof(line) - 1, &fd);

	if (n == -EAGAIN)
		return;
	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		admin_remove(admin);
		return;
	}
	admin->heard_ns = os_time_ns();
	line[n] = 0;
	admin_serve(admin, line, out, sizeof(out));
	if (send(source->fd, out, strlen(out), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		admin_remove(admin);
}

static void admin_release(struct source *source)
{
	free(container_of(source, struct admin, sock));
}

int admin_create(int sock, const struct ucred *cred)
{
	struct admin *admin = calloc(1, sizeof(*admin));
	int rc;

	if (!admin)
		return ENOMEM;
	if (admin_count >= DAEMON_MAX_ADMINS)
		admin_evict();
	admin->owner = share_privileged(cred->uid);
	admin->heard_ns = os_time_ns();
	admin->sock.event = admin_event;
	admin->sock.release = admin_release;
	rc = loop_add(&admin->sock, sock);
	if (rc) {
		free(admin);
		return rc;
	}
	admin->next = admins;
	admins = admin;
	admin_count++;
	return 0;
}
