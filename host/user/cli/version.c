// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The driver's version when no option names it: that of the client libraries which the program will
 * load, since they refuse any other. It stands in the name of the file behind libnvidia-ml.so.1.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/user/cli/cli.h"

#define LIBRARY "libnvidia-ml.so."

/* Where Debian and most other distributions have it, after what LD_LIBRARY_PATH says. */
static const char *const library_dirs[] = {
	"/usr/lib/x86_64-linux-gnu/nvidia/current",
	"/usr/lib/x86_64-linux-gnu",
	"/usr/lib64",
	"/usr/lib",
};

/* Of "libnvidia-ml.so.535.309.01", at the end of any path. */
static bool version_of_file(const char *path, char *version, size_t size)
{
	const char *name = strrchr(path, '/');
	const char *text, *p;

	name = name ? name + 1 : path;
	if (strncmp(name, LIBRARY, strlen(LIBRARY)) != 0)
		return false;
	text = name + strlen(LIBRARY);
	for (p = text; *p; p++)
		if (!isdigit((unsigned char)*p) && *p != '.')
			return false;
	/* "libnvidia-ml.so.1" is the name that programs ask for, not a release. */
	if (!strchr(text, '.') || strlen(text) >= size)
		return false;
	strcpy(version, text);
	return true;
}

static bool version_in_dir(const char *dir, size_t length, char *version, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX];

	if (!length || snprintf(path, sizeof(path), "%.*s/" LIBRARY "1", (int)length, dir) >=
			       (int)sizeof(path))
		return false;
	return realpath(path, real) && version_of_file(real, version, size);
}

bool version_of_clients(char *version, size_t size)
{
	const char *path = getenv("LD_LIBRARY_PATH");
	size_t i, n;

	for (; path && *path; path += n + (path[n] != 0)) {
		n = strcspn(path, ":;");
		if (version_in_dir(path, n, version, size))
			return true;
	}
	for (i = 0; i < sizeof(library_dirs) / sizeof(*library_dirs); i++)
		if (version_in_dir(library_dirs[i], strlen(library_dirs[i]), version, size))
			return true;
	return false;
}
