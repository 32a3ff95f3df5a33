// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Listing directories: those that are ours lie in the daemon's tree; a listing of the real /dev
 * gets the device nodes at its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

#define LISTINGS 16u /* of /dev that are open at a time; more show the real entries only */

static struct listing {
	DIR *dir; /* NULL: free */
	DIR *ours;
} listings[LISTINGS];

static struct listing *listing_find(DIR *dir)
{
	for (u32 i = 0; dir && i < LISTINGS; i++) {
		if (__atomic_load_n(&listings[i].dir, __ATOMIC_ACQUIRE) == dir)
			return &listings[i];
	}
	return NULL;
}

static void listing_add(DIR *dir)
{
	for (u32 i = 0; i < LISTINGS; i++) {
		DIR *none = NULL;

		if (__atomic_compare_exchange_n(&listings[i].dir, &none, dir, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return;
	}
}

static bool is_dev(const char *path)
{
	return lh_active() && (!strcmp(path, "/dev") || !strcmp(path, "/dev/"));
}

EXPORT DIR *opendir(const char *path)
{
	struct lh_where where;
	DIR *dir;

	if (lh_path(AT_FDCWD, path, &where))
		return lh_real()->opendir(where.tree);
	dir = lh_real()->opendir(path);
	if (dir && is_dev(path))
		listing_add(dir);
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

EXPORT int scandir(const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
		   int (*compare)(const struct dirent **, const struct dirent **))
{
	struct lh_where where;

	return lh_real()->scandir(lh_path(AT_FDCWD, path, &where) ? where.tree : path, list, filter,
				  compare);
}

EXPORT int scandir64(const char *path, struct dirent64 ***list,
		     int (*filter)(const struct dirent64 *),
		     int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
	return scandir(path, (struct dirent ***)list, (int (*)(const struct dirent *))filter,
		       (int (*)(const struct dirent **, const struct dirent **))compare);
}
