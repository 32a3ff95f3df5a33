/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * leafhopper-gpu's parts: its log, the profiles compiled in, and the processes of its GPUs.
 */
#ifndef HOST_LINUX_GPU_GPU_H
#define HOST_LINUX_GPU_GPU_H

#include <stddef.h>

#include "base/types.h"

/* -- log.c ------------------------------------------------------------------------------------- */

/* Where lines go: standard error, or (kernel) the kernel's log, as far as there is one. */
void log_open(bool kernel);
/* A line at enum os_log_level; what comes from a GPU and from this program alike. */
void log_line(void *ctx, int level, const char *text);
void log_print(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -- profile.c --------------------------------------------------------------------------------- */

struct builtin_profile {
	const char *name, *text;
	size_t size;
};
/* Ends with a name that is NULL; made when the program is built. */
extern const struct builtin_profile builtin_profiles[];

/*
 * The text of a profile, malloc'ed: NAME.profile in directory when that is not NULL; else a file of
 * that name or one of the installed ones; else the one compiled in. 0 or an errno.
 */
int profile_find(const char *name, const char *directory, char **text, size_t *size);

/* -- workers.c --------------------------------------------------------------------------------- */

/*
 * Each GPU has a process of its own, so that what one of them does, its death included, is nothing
 * to the others.
 */
struct workers_config {
	u32 first, count; /* GPUs to serve */
	/*
	 * In the GPU's process: serves it until *stop is set; calls ready() once it is on the bus.
	 * 0 or an errno, which it has logged; EBUSY: another process serves it.
	 */
	int (*serve)(void *ctx, u32 gpu, const volatile u32 *stop, void (*ready)(void));
	void *ctx;
	bool background; /* return as soon as all GPUs are on the bus */
};
/*
 * 0 or an errno: of the first GPU that could not be put on the bus (EBUSY counts only when no other
 * was), or EIO when, in the foreground, service of one failed. GPUs that do work go on whatever
 * becomes of others. In the background only the caller's process returns.
 */
int workers_run(const struct workers_config *config);

#endif
