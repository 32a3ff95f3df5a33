/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of os/linux inside the kernel: what the files of this module share.
 */
#ifndef OS_SELFTEST_H
#define OS_SELFTEST_H

#include <linux/kernel.h>

#include "os/linux/internal.h"

/* A check that failed says where; the test goes on. */
#define CHECK(cond) selftest_check(cond, __func__, __LINE__, #cond)
bool selftest_check(bool ok, const char *where, int line, const char *what);

/* Runs fn(arg) in a hard interrupt and waits until it has run. */
void selftest_in_hardirq(void (*fn)(void *arg), void *arg);

struct selftest {
	const char *name;
	void (*run)(void);
};

/* Ended by one without a name. */
extern const struct selftest selftest_memory[], selftest_locks[], selftest_threads[],
	selftest_process[], selftest_crypto[];

#endif
