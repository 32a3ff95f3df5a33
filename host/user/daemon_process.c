// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who a client's process is beyond its number, from /proc: when it began, so that one which gets
 * the number later is another, and whose process numbers it has, which is what makes a container.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/user/daemon.h"

/* Of /proc/PID/stat, the process' name being the second; see proc(5). */
#define FIELD_STARTED 22u

/* The field'th of line; the name may hold blanks and brackets, and ends at the last bracket. */
static bool stat_field(const char *line, u32 field, unsigned long long *value)
{
	const char *at = strrchr(line, ')');
	u32 i;

	for (i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, "%llu", value) == 1;
}

/* 0: not to be had, from outside of the process' namespace or where /proc is hidden. */
static u64 started(pid_t pid)
{
	unsigned long long value = 0;
	char path[32], line[1024];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	line[length] = '\0';
	/* Ticks since boot: 0 is the first process alone. */
	return stat_field(line, FIELD_STARTED, &value) ? value + 1 : 0;
}

static u64 space(pid_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat(path, &st) ? 0 : (u64)st.st_ino;
}

void daemon_process_identify(struct conn *conn)
{
	conn->started = started(conn->cred.pid);
	/* A connection is one process': that at least differs. */
	if (!conn->started)
		conn->started = 1ull << 63 | conn->id;
	conn->space = space(conn->cred.pid);
}
