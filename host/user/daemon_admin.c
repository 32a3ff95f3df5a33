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

struct admin {
	struct source sock;
	bool owner;
};

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
		loop_remove(source);
		return;
	}
	line[n] = 0;
	admin_serve(admin, line, out, sizeof(out));
	if (send(source->fd, out, strlen(out), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		loop_remove(source);
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
	admin->owner = cred->uid == 0 || cred->uid == geteuid();
	admin->sock.event = admin_event;
	admin->sock.release = admin_release;
	rc = loop_add(&admin->sock, sock);
	if (rc)
		free(admin);
	return rc;
}
