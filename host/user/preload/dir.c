// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Listing directories: those that are ours lie in the daemon's tree; a listing of the real /dev
 * gets the device nodes at its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

#define LISTINGS 16u /* of /dev that are open at a time; more show the real entries only */

static struct listing {
	DIR *dir; /* NULL: free */
	DIR *ours;
	bool nodes; /* of a directory of ours, whose files are device nodes */
} listings[LISTINGS];

static struct listing *listing_find(DIR *dir)
{
	for (u32 i = 0; dir && i < LISTINGS; i++) {
		if (__atomic_load_n(&listings[i].dir, __ATOMIC_ACQUIRE) == dir)
			return &listings[i];
	}
	return NULL;
}

static void listing_add(DIR *dir, bool nodes)
{
	for (u32 i = 0; i < LISTINGS; i++) {
		DIR *none = NULL;

		if (__atomic_compare_exchange_n(&listings[i].dir, &none, dir, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			listings[i].nodes = nodes;
			return;
		}
	}
}

static bool is_dev(const char *path)
{
	return lh_active() && (!strcmp(path, "/dev") || !strcmp(path, "/dev/"));
}

/* Of a path of ours, as programs name it. */
static bool has_nodes(const char *path)
{
	return strncmp(path, "/dev/", 5) == 0;
}

EXPORT DIR *opendir(const char *path)
{
	struct lh_where where;
	bool ours = lh_path(AT_FDCWD, path, &where);
	DIR *dir = lh_real()->opendir(ours ? where.tree : path);

	if (dir && (ours ? has_nodes(where.virtual) : is_dev(path)))
		listing_add(dir, ours);
	return dir;
}

/* The tree's own entries of /dev that the real one does not have already. */
static struct dirent *ours_next(struct listing *l)
{
	struct dirent *entry;
	struct lh_where where;

	if (!l->ours) {
		if (!lh_path(AT_FDCWD, "/dev/nvidiactl", &where))
			return NULL;
		*strrchr(where.tree, '/') = 0;
		l->ours = lh_real()->opendir(where.tree);
	}
	while (l->ours && (entry = lh_real()->readdir(l->ours))) {
		if (strncmp(entry->d_name, "nvidia", 6) != 0)
			continue;
		if (entry->d_type == DT_REG)
			entry->d_type = DT_CHR;
		return entry;
	}
	return NULL;
}

static struct dirent *next(DIR *dir)
{
	struct listing *l = listing_find(dir);
	struct dirent *entry;

	if (l && l->nodes) {
		entry = lh_real()->readdir(dir);
		if (entry && entry->d_type == DT_REG)
			entry->d_type = DT_CHR;
		return entry;
	}
	do {
		entry = lh_real()->readdir(dir);
	} while (l && entry && !strncmp(entry->d_name, "nvidia", 6));
	return entry || !l ? entry : ours_next(l);
}

_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "64-bit machines only");

EXPORT struct dirent *readdir(DIR *dir)
{
	return next(dir);
}

EXPORT struct dirent64 *readdir64(DIR *dir)
{
	return (struct dirent64 *)next(dir);
}

static void ours_close(struct listing *l)
{
	if (l->ours)
		lh_real()->closedir(l->ours);
	l->ours = NULL;
}

EXPORT void rewinddir(DIR *dir)
{
	struct listing *l = listing_find(dir);

	if (l)
		ours_close(l);
	lh_real()->rewinddir(dir);
}

EXPORT int closedir(DIR *dir)
{
	struct listing *l = listing_find(dir);

	if (l) {
		ours_close(l);
		__atomic_store_n(&l->dir, NULL, __ATOMIC_RELEASE);
	}
	return lh_real()->closedir(dir);
}

EXPORT DIR *fdopendir(int fd)
{
	char link[32], path[LH_PATH];
	DIR *dir = lh_real()->fdopendir(fd);
	int saved = errno;
	ssize_t n;

	if (!dir || !lh_active())
		return dir;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	if (is_dev(path))
		listing_add(dir, false);
	else if (lh_path_strip(path) && has_nodes(path))
		listing_add(dir, true);
	errno = saved;
	return dir;
}

/* Takes what is kept of a directory; -1 with errno. The list is the caller's to free. */
static int list_fill(DIR *dir, struct dirent ***list, int (*filter)(const struct dirent *))
{
	struct dirent **got = NULL, **more, *entry;
	size_t count = 0, room = 0;

	while (errno = 0, (entry = next(dir))) {
		if (filter && !filter(entry))
			continue;
		if (count == room) {
			room = room ? room * 2 : 32;
			more = realloc(got, room * sizeof(*got));
			if (!more)
				goto fail;
			got = more;
		}
		got[count] = malloc(entry->d_reclen);
		if (!got[count])
			goto fail;
		memcpy(got[count++], entry, entry->d_reclen);
	}
	if (errno)
		goto fail;
	*list = got;
	return (int)count;
fail:
	while (count)
		free(got[--count]);
	free(got);
	return -1;
}

EXPORT int scandir(const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
		   int (*compare)(const struct dirent **, const struct dirent **))
{
	int saved = errno, failure, count;
	struct lh_where where;
	bool ours = lh_path(AT_FDCWD, path, &where);
	DIR *dir;

	if (ours ? !has_nodes(where.virtual) : !is_dev(path))
		return lh_real()->scandir(ours ? where.tree : path, list, filter, compare);
	dir = opendir(path);
	if (!dir)
		return -1;
	count = list_fill(dir, list, filter);
	failure = errno;
	closedir(dir);
	if (count > 0 && compare)
		qsort(*list, (size_t)count, sizeof(**list),
		      (int (*)(const void *, const void *))compare);
	errno = count < 0 ? failure : saved;
	return count;
}

EXPORT int scandir64(const char *path, struct dirent64 ***list,
		     int (*filter)(const struct dirent64 *),
		     int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
	return scandir(path, (struct dirent ***)list, (int (*)(const struct dirent *))filter,
		       (int (*)(const struct dirent **, const struct dirent **))compare);
}

/* -- glob -------------------------------------------------------------------------------------- */

static void *glob_opendir(const char *path)
{
	return opendir(path);
}

static struct dirent *glob_readdir(void *dir)
{
	return next(dir);
}

static void glob_closedir(void *dir)
{
	closedir(dir);
}

_Static_assert(sizeof(glob_t) == sizeof(glob64_t), "64-bit machines only");

EXPORT int glob(const char *pattern, int flags, int (*error)(const char *, int), glob_t *found)
{
	glob_t own;
	int rc;

	if (!lh_active() || (flags & GLOB_ALTDIRFUNC))
		return lh_real()->glob(pattern, flags, error, found);
	own = *found;
	own.gl_opendir = glob_opendir;
	own.gl_readdir = glob_readdir;
	own.gl_closedir = glob_closedir;
	own.gl_stat = stat;
	own.gl_lstat = lstat;
	rc = lh_real()->glob(pattern, flags | GLOB_ALTDIRFUNC, error, &own);
	found->gl_pathc = own.gl_pathc;
	found->gl_pathv = own.gl_pathv;
	found->gl_offs = own.gl_offs;
	found->gl_flags = own.gl_flags & ~GLOB_ALTDIRFUNC;
	return rc;
}

EXPORT int glob64(const char *pattern, int flags, int (*error)(const char *, int), glob64_t *found)
{
	return glob(pattern, flags, error, (glob_t *)found);
}
