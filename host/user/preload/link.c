// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Reading links and resolving paths: what the kernel answers in terms of the daemon's tree goes
 * back to programs under the names they know.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

static ssize_t readlink_at(int dirfd, const char *path, char *buf, size_t size)
{
	struct lh_where where;
	char link[LH_PATH];
	ssize_t n;

	if (!lh_path(dirfd, path, &where))
		return syscall(SYS_readlinkat, dirfd, path, buf, size);
	n = syscall(SYS_readlinkat, AT_FDCWD, where.tree, link, sizeof(link) - 1);
	if (n < 0)
		return n;
	link[n] = 0;
	lh_path_strip(link);
	n = (ssize_t)strlen(link);
	if ((size_t)n > size)
		n = (ssize_t)size;
	memcpy(buf, link, (size_t)n);
	return n;
}

EXPORT ssize_t readlink(const char *path, char *buf, size_t size)
{
	return readlink_at(AT_FDCWD, path, buf, size);
}

EXPORT ssize_t readlinkat(int dirfd, const char *path, char *buf, size_t size)
{
	return readlink_at(dirfd, path, buf, size);
}

ssize_t __readlink_chk(const char *path, char *buf, size_t size, size_t room);
ssize_t __readlinkat_chk(int dirfd, const char *path, char *buf, size_t size, size_t room);

EXPORT ssize_t __readlink_chk(const char *path, char *buf, size_t size, size_t room)
{
	if (size > room)
		__builtin_trap();
	return readlink_at(AT_FDCWD, path, buf, size);
}

EXPORT ssize_t __readlinkat_chk(int dirfd, const char *path, char *buf, size_t size, size_t room)
{
	if (size > room)
		__builtin_trap();
	return readlink_at(dirfd, path, buf, size);
}

static char *resolve(const char *path, char *out)
{
	struct lh_where where;
	char *resolved;

	if (!path || !lh_path(AT_FDCWD, path, &where))
		return lh_real()->realpath(path, out);
	resolved = lh_real()->realpath(where.tree, out);
	if (resolved)
		lh_path_strip(resolved);
	return resolved;
}

EXPORT char *realpath(const char *path, char *out)
{
	return resolve(path, out);
}

EXPORT char *canonicalize_file_name(const char *path)
{
	return resolve(path, NULL);
}

char *__realpath_chk(const char *path, char *out, size_t room);

EXPORT char *__realpath_chk(const char *path, char *out, size_t room)
{
	if (room < PATH_MAX)
		__builtin_trap();
	return resolve(path, out);
}

EXPORT int chdir(const char *path)
{
	struct lh_where where;

	return lh_real()->chdir(lh_path(AT_FDCWD, path, &where) ? where.tree : path);
}

EXPORT char *getcwd(char *buf, size_t size)
{
	char *cwd = lh_real()->getcwd(buf, size);

	if (cwd && lh_active())
		lh_path_strip(cwd);
	return cwd;
}

/* -- Extended attributes: ours have none ---------------------------------------------------------
 */

static ssize_t no_attribute(int rc)
{
	errno = rc;
	return -1;
}

EXPORT ssize_t getxattr(const char *path, const char *name, void *value, size_t size)
{
	struct lh_where where;

	return lh_path(AT_FDCWD, path, &where) ? no_attribute(ENOTSUP)
					       : syscall(SYS_getxattr, path, name, value, size);
}

EXPORT ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	struct lh_where where;

	return lh_path(AT_FDCWD, path, &where) ? no_attribute(ENOTSUP)
					       : syscall(SYS_lgetxattr, path, name, value, size);
}

EXPORT ssize_t listxattr(const char *path, char *list, size_t size)
{
	struct lh_where where;

	return lh_path(AT_FDCWD, path, &where) ? 0 : syscall(SYS_listxattr, path, list, size);
}

EXPORT ssize_t llistxattr(const char *path, char *list, size_t size)
{
	struct lh_where where;

	return lh_path(AT_FDCWD, path, &where) ? 0 : syscall(SYS_llistxattr, path, list, size);
}
