// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Profiles by name. Those compiled in serve where no file system has any: an initramfs.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/linux/gpu/gpu.h"
#include "host/user/files.h"

static int builtin_copy(const char *name, char **text, size_t *size)
{
	const struct builtin_profile *profile = builtin_profiles;

	while (profile->name && strcmp(profile->name, name) != 0)
		profile++;
	if (!profile->name)
		return ENOENT;
	*text = malloc(profile->size);
	if (!*text)
		return ENOMEM;
	memcpy(*text, profile->text, profile->size);
	*size = profile->size;
	return 0;
}

int profile_find(const char *name, const char *directory, char **text, size_t *size)
{
	char path[PATH_MAX];
	int rc;

	if (directory) {
		if (strchr(name, '/'))
			return EINVAL;
		if (snprintf(path, sizeof(path), "%s/%s.profile", directory, name) >=
		    (int)sizeof(path))
			return ENAMETOOLONG;
		return file_load(path, text, size);
	}
	rc = profile_load(name, text, size);
	return rc == ENOENT ? builtin_copy(name, text, size) : rc;
}
