// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What else programs do with the driver's paths: ask for access, make and unmake device nodes and
 * links, change modes and owners. Only the administrator may change anything, as in the real /dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/user/machine.h"
#include "host/user/preload/preload.h"

static int fail(int rc)
{
	errno = rc;
	return -1;
}

static bool admin(void)
{
	return syscall(SYS_geteuid) == 0;
}

/* -- access ------------------------------------------------------------------------------------ */

static int access_at(int dirfd, const char *path, int mode, int flags)
{
	struct lh_where where;
	struct stat st;
	int rc;

	if (!lh_path(dirfd, path, &where))
		return (int)(flags ? syscall(SYS_faccessat2, dirfd, path, mode, flags)
				   : syscall(SYS_faccessat, dirfd, path, mode));
	if (lh_stat(&where, flags, &st) == LH_WHAT_ERROR)
		return -1;
	rc = mode == F_OK ? 0 : lh_allowed(&st, mode, flags & AT_EACCESS);
	return rc ? fail(rc) : 0;
}

EXPORT int access(const char *path, int mode)
{
	return access_at(AT_FDCWD, path, mode, 0);
}

EXPORT int faccessat(int dirfd, const char *path, int mode, int flags)
{
	return access_at(dirfd, path, mode, flags);
}

EXPORT int euidaccess(const char *path, int mode)
{
	return access_at(AT_FDCWD, path, mode, AT_EACCESS);
}

EXPORT int eaccess(const char *path, int mode)
{
	return access_at(AT_FDCWD, path, mode, AT_EACCESS);
}

/* -- Making nodes ------------------------------------------------------------------------------ */

static int node_make(const struct lh_where *where, mode_t mode, dev_t dev)
{
	struct stat st;
	enum tree_node node;
	u32 minor_number;
	int fd, rc = 0;

	if (lh_stat(where, AT_SYMLINK_NOFOLLOW, &st) != LH_WHAT_ERROR)
		return fail(EEXIST);
	if (!admin() || !S_ISCHR(mode) || strncmp(where->virtual, "/dev/", 5) != 0)
		return fail(EPERM);
	if (!lh_node_of(dev, &node, &minor_number))
		return fail(EPERM);
	fd = (int)syscall(SYS_openat, AT_FDCWD, where->tree,
			  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (syscall(SYS_ftruncate, fd, TREE_NODE_SIZE(major(dev), minor(dev), mode)) ||
	    syscall(SYS_fchmod, fd, TREE_NODE_DISK_MODE))
		rc = errno;
	syscall(SYS_close, fd);
	return rc ? fail(rc) : 0;
}

static int mknod_at(int dirfd, const char *path, mode_t mode, dev_t dev)
{
	struct lh_where where;

	if (lh_path(dirfd, path, &where))
		return node_make(&where, mode, dev);
	return (int)syscall(SYS_mknodat, dirfd, path, mode, dev);
}

EXPORT int mknod(const char *path, mode_t mode, dev_t dev)
{
	return mknod_at(AT_FDCWD, path, mode, dev);
}

EXPORT int mknodat(int dirfd, const char *path, mode_t mode, dev_t dev)
{
	return mknod_at(dirfd, path, mode, dev);
}

int __xmknod(int version, const char *path, mode_t mode, dev_t *dev);
int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *dev);

EXPORT int __xmknod(int version, const char *path, mode_t mode, dev_t *dev)
{
	return mknod_at(AT_FDCWD, path, mode, *dev);
}

EXPORT int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *dev)
{
	return mknod_at(dirfd, path, mode, *dev);
}

/* -- Changes that the tree takes as they are, from the administrator -----------------------------
 */

/* 1: not ours; 0: ours and allowed, the path is in where; -1 with errno. */
static int change(int dirfd, const char *path, struct lh_where *where, int refusal)
{
	struct stat st;

	if (!lh_path(dirfd, path, where))
		return 1;
	if (admin())
		return 0;
	/* What is not there is told first. */
	if (lh_stat(where, AT_SYMLINK_NOFOLLOW, &st) == LH_WHAT_ERROR && refusal == EPERM)
		return -1;
	return fail(refusal);
}

static int chmod_at(int dirfd, const char *path, mode_t mode)
{
	struct lh_where where;
	struct stat st;
	int rc = change(dirfd, path, &where, EPERM);

	if (rc < 0)
		return -1;
	if (rc)
		return (int)syscall(SYS_fchmodat, dirfd, path, mode);
	if (lh_stat(&where, 0, &st) == LH_WHAT_NODE)
		return (int)syscall(SYS_truncate, where.tree,
				    TREE_NODE_SIZE(major(st.st_rdev), minor(st.st_rdev), mode));
	return (int)syscall(SYS_fchmodat, AT_FDCWD, where.tree, mode & 0777);
}

EXPORT int chmod(const char *path, mode_t mode)
{
	return chmod_at(AT_FDCWD, path, mode);
}

EXPORT int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	if (flags)
		return fail(EOPNOTSUPP);
	return chmod_at(dirfd, path, mode);
}

static int chown_at(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	struct lh_where where;
	int rc = change(dirfd, path, &where, EPERM);

	if (rc < 0)
		return -1;
	return rc ? (int)syscall(SYS_fchownat, dirfd, path, uid, gid, flags)
		  : (int)syscall(SYS_fchownat, AT_FDCWD, where.tree, uid, gid,
				 flags & AT_SYMLINK_NOFOLLOW);
}

EXPORT int chown(const char *path, uid_t uid, gid_t gid)
{
	return chown_at(AT_FDCWD, path, uid, gid, 0);
}

EXPORT int lchown(const char *path, uid_t uid, gid_t gid)
{
	return chown_at(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

EXPORT int fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	return chown_at(dirfd, path, uid, gid, flags);
}

static int mkdir_at(int dirfd, const char *path, mode_t mode)
{
	struct lh_where where;
	struct stat st;
	int rc;

	if (lh_path(dirfd, path, &where) &&
	    lh_stat(&where, AT_SYMLINK_NOFOLLOW, &st) != LH_WHAT_ERROR)
		return fail(EEXIST);
	rc = change(dirfd, path, &where, EACCES);
	if (rc < 0)
		return -1;
	return rc ? (int)syscall(SYS_mkdirat, dirfd, path, mode)
		  : (int)syscall(SYS_mkdirat, AT_FDCWD, where.tree, mode);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	return mkdir_at(AT_FDCWD, path, mode);
}

EXPORT int mkdirat(int dirfd, const char *path, mode_t mode)
{
	return mkdir_at(dirfd, path, mode);
}

static int unlink_at(int dirfd, const char *path, int flags)
{
	struct lh_where where;
	int rc = change(dirfd, path, &where, EACCES);

	if (rc < 0)
		return -1;
	return rc ? (int)syscall(SYS_unlinkat, dirfd, path, flags)
		  : (int)syscall(SYS_unlinkat, AT_FDCWD, where.tree, flags);
}

EXPORT int unlink(const char *path)
{
	return unlink_at(AT_FDCWD, path, 0);
}

EXPORT int unlinkat(int dirfd, const char *path, int flags)
{
	return unlink_at(dirfd, path, flags);
}

EXPORT int rmdir(const char *path)
{
	return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}

EXPORT int remove(const char *path)
{
	int saved = errno;

	if (unlink_at(AT_FDCWD, path, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	errno = saved;
	return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}

static int symlink_at(const char *target, int dirfd, const char *path)
{
	struct lh_where where, points;
	const char *to = target;
	struct stat st;
	int rc;

	if (lh_path(dirfd, path, &where) &&
	    lh_stat(&where, AT_SYMLINK_NOFOLLOW, &st) != LH_WHAT_ERROR)
		return fail(EEXIST);
	rc = change(dirfd, path, &where, EACCES);
	if (rc < 0)
		return -1;
	if (rc)
		return (int)syscall(SYS_symlinkat, target, dirfd, path);
	/* An absolute target of ours must lead into the tree. */
	if (target[0] == '/' && lh_path(AT_FDCWD, target, &points))
		to = points.tree;
	return (int)syscall(SYS_symlinkat, to, AT_FDCWD, where.tree);
}

EXPORT int symlink(const char *target, const char *path)
{
	return symlink_at(target, AT_FDCWD, path);
}

EXPORT int symlinkat(const char *target, int dirfd, const char *path)
{
	return symlink_at(target, dirfd, path);
}

static int rename_at(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	struct lh_where a, b;
	int ra = change(from_fd, from, &a, EACCES);
	int rb = ra < 0 ? -1 : change(to_fd, to, &b, EACCES);

	if (ra < 0 || rb < 0)
		return -1;
	if (ra != rb)
		return fail(EXDEV);
	return ra ? (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags)
		  : (int)syscall(SYS_renameat2, AT_FDCWD, a.tree, AT_FDCWD, b.tree, flags);
}

EXPORT int rename(const char *from, const char *to)
{
	return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return rename_at(from_fd, from, to_fd, to, 0);
}

EXPORT int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return rename_at(from_fd, from, to_fd, to, flags);
}
