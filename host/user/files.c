// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whole files, and where the project's own files lie.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/user/files.h"

#define FILE_MAX_SIZE (16u << 20)

int file_load(const char *path, char **data, size_t *size)
{
	size_t room = 4096, have = 0;
	char *buf = malloc(room + 1);
	int fd, rc = 0;

	if (!buf)
		return ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = errno;
		free(buf);
		return rc;
	}
	for (;;) {
		ssize_t n = read(fd, buf + have, room - have);
		char *bigger;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = errno;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (have < room)
			continue;
		bigger = room < FILE_MAX_SIZE ? realloc(buf, room * 2 + 1) : NULL;
		if (!bigger) {
			rc = room < FILE_MAX_SIZE ? ENOMEM : EFBIG;
			break;
		}
		buf = bigger;
		room *= 2;
	}
	close(fd);
	if (rc) {
		free(buf);
		return rc;
	}
	buf[have] = 0;
	*data = buf;
	*size = have;
	return 0;
}

int self_directory(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n < 0)
		return errno;
	path[n] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return ENOENT;
	*slash = 0;
	return 0;
}

/* The first of the places below the command's directory (or absolute) that exists. */
static int find_place(const char *const *places, const char *name, char *path, size_t size)
{
	char self[PATH_MAX];
	int rc = self_directory(self, sizeof(self));

	if (rc)
		return rc;
	for (; *places; places++) {
		int n = snprintf(path, size, "%s%s%s%s", **places == '/' ? "" : self,
				 **places == '/' ? "" : "/", *places, name);

		if (n > 0 && (size_t)n < size && access(path, R_OK) == 0)
			return 0;
	}
	return ENOENT;
}

int profile_load(const char *name, char **data, size_t *size)
{
	static const char *const places[] = { "../share/leafhopper/profiles/",
					      PROFILE_SOURCE_DIR "/", NULL };
	char file[256];
	char path[PATH_MAX];
	int rc;

	if (strchr(name, '/') || access(name, R_OK) == 0)
		return file_load(name, data, size);
	if (snprintf(file, sizeof(file), "%s.profile", name) >= (int)sizeof(file))
		return ENAMETOOLONG;
	rc = find_place(places, file, path, sizeof(path));
	return rc ? rc : file_load(path, data, size);
}

int own_file_path(const char *name, char *path, size_t size)
{
	/* Installed; what the build makes; what it does not. */
	static const char *const places[] = { "../share/leafhopper/", "../../src/h100/",
					      ATTEST_SOURCE_DIR "/", NULL };

	return find_place(places, name, path, size);
}

int preload_path(char *path, size_t size)
{
	static const char *const places[] = { "", "../lib/leafhopper/", NULL };
	const char *env = getenv("LEAFHOPPER_PRELOAD");
	const char *ours;

	if (env && *env) {
		if (strlen(env) >= size)
			return ENAMETOOLONG;
		strcpy(path, env);
		/* Of a list the last is ours: a sanitizer's runtime comes before it. */
		ours = strrchr(env, ':');
		return access(ours ? ours + 1 : env, R_OK) ? errno : 0;
	}
	return find_place(places, "libleafhopper-preload.so", path, size);
}
