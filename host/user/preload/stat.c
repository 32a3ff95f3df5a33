// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The stat family, the __xstat names that programs built for C libraries before 2.33 call included.
 * struct stat and struct stat64 are one layout on 64-bit machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "64-bit machines only");

/* Of a descriptor of ours that the kernel described as the socket that it is. */
static void node_fill(int fd, struct stat *st)
{
	struct lh_file file;
	struct lh_chan *chan;
	bool known = lh_fd_peek(fd, &file);

	if (!known) {
		chan = lh_enter();
		if (!chan)
			return;
		known = lh_fd_file(chan, fd, &file) == 0;
		lh_leave();
	}
	if (!known)
		return;
	st->st_mode = S_IFCHR | (file.node == TREE_NODE_CAP ? 0444 : 0666);
	st->st_rdev = lh_node_rdev(file.node, file.minor);
	st->st_uid = 0;
	st->st_gid = 0;
	st->st_size = 0;
	st->st_blocks = 0;
}

static int stat_fd(int fd, struct stat *st)
{
	int saved = errno;

	if (syscall(SYS_fstat, fd, st))
		return -1;
	/* A memfd has no name in any directory. */
	if (S_ISREG(st->st_mode) && !st->st_nlink && lh_text_stat(fd, st))
		return 0;
	if (S_ISSOCK(st->st_mode) && lh_fd_ours(fd)) {
		node_fill(fd, st);
		errno = saved;
	}
	return 0;
}

static int stat_at(int dirfd, const char *path, struct stat *st, int flags)
{
	struct lh_where where;

	if (lh_path(dirfd, path, &where))
		return lh_stat(&where, flags, st) == LH_WHAT_ERROR ? -1 : 0;
	if ((flags & AT_EMPTY_PATH) && path && !*path)
		return stat_fd(dirfd, st);
	return (int)syscall(SYS_newfstatat, dirfd, path, st, flags);
}

#define STAT(name, type, flags)                                           \
	EXPORT int name(const char *path, struct type *st)                \
	{                                                                 \
		return stat_at(AT_FDCWD, path, (struct stat *)st, flags); \
	}
#define FSTAT(name, type)                              \
	EXPORT int name(int fd, struct type *st)       \
	{                                              \
		return stat_fd(fd, (struct stat *)st); \
	}
#define FSTATAT(name, type)                                                      \
	EXPORT int name(int dirfd, const char *path, struct type *st, int flags) \
	{                                                                        \
		return stat_at(dirfd, path, (struct stat *)st, flags);           \
	}
#define XSTAT(name, type, flags)                                          \
	int name(int version, const char *path, struct type *st);         \
	EXPORT int name(int version, const char *path, struct type *st)   \
	{                                                                 \
		return stat_at(AT_FDCWD, path, (struct stat *)st, flags); \
	}
#define FXSTAT(name, type)                                    \
	int name(int version, int fd, struct type *st);       \
	EXPORT int name(int version, int fd, struct type *st) \
	{                                                     \
		return stat_fd(fd, (struct stat *)st);        \
	}
#define FXSTATAT(name, type)                                                                  \
	int name(int version, int dirfd, const char *path, struct type *st, int flags);       \
	EXPORT int name(int version, int dirfd, const char *path, struct type *st, int flags) \
	{                                                                                     \
		return stat_at(dirfd, path, (struct stat *)st, flags);                        \
	}

STAT(stat, stat, 0)
STAT(stat64, stat64, 0)
STAT(lstat, stat, AT_SYMLINK_NOFOLLOW)
STAT(lstat64, stat64, AT_SYMLINK_NOFOLLOW)
FSTAT(fstat, stat)
FSTAT(fstat64, stat64)
FSTATAT(fstatat, stat)
FSTATAT(fstatat64, stat64)
XSTAT(__xstat, stat, 0)
XSTAT(__xstat64, stat64, 0)
XSTAT(__lxstat, stat, AT_SYMLINK_NOFOLLOW)
XSTAT(__lxstat64, stat64, AT_SYMLINK_NOFOLLOW)
FXSTAT(__fxstat, stat)
FXSTAT(__fxstat64, stat64)
FXSTATAT(__fxstatat, stat)
FXSTATAT(__fxstatat64, stat64)

static struct statx_timestamp statx_time(const struct timespec *ts)
{
	return (struct statx_timestamp){ .tv_sec = ts->tv_sec, .tv_nsec = (u32)ts->tv_nsec };
}

static void statx_fill(const struct stat *st, struct statx *out)
{
	memset(out, 0, sizeof(*out));
	out->stx_mask = STATX_BASIC_STATS;
	out->stx_blksize = (u32)st->st_blksize;
	out->stx_nlink = (u32)st->st_nlink;
	out->stx_uid = st->st_uid;
	out->stx_gid = st->st_gid;
	out->stx_mode = (u16)st->st_mode;
	out->stx_ino = st->st_ino;
	out->stx_size = (u64)st->st_size;
	out->stx_blocks = (u64)st->st_blocks;
	out->stx_atime = statx_time(&st->st_atim);
	out->stx_mtime = statx_time(&st->st_mtim);
	out->stx_ctime = statx_time(&st->st_ctim);
	out->stx_rdev_major = major(st->st_rdev);
	out->stx_rdev_minor = minor(st->st_rdev);
	out->stx_dev_major = major(st->st_dev);
	out->stx_dev_minor = minor(st->st_dev);
}

EXPORT int statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *out)
{
	struct lh_where where;
	struct stat st;

	if (lh_path(dirfd, path, &where)) {
		if (lh_stat(&where, flags, &st) == LH_WHAT_ERROR)
			return -1;
		statx_fill(&st, out);
		return 0;
	}
	if (syscall(SYS_statx, dirfd, path, flags, mask, out))
		return -1;
	if ((flags & AT_EMPTY_PATH) && (!path || !*path) &&
	    ((S_ISSOCK(out->stx_mode) && lh_fd_ours(dirfd)) ||
	     (S_ISREG(out->stx_mode) && !out->stx_nlink)) &&
	    stat_fd(dirfd, &st) == 0)
		statx_fill(&st, out);
	return 0;
}
