/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the benchmarks of the resource manager call: one instance in this process, without any GPU,
 * with requests that enter where an ioctl does. A failure ends the program.
 */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include "base/types.h"

struct target; /* an instance and a control file of it */

struct target *target_open(void);
/* A further thread is about to make requests. */
void target_thread(void);
void target_close(struct target *target);

/* The cheapest requests of each kind. */
u32 target_client_alloc(struct target *target);
void target_client_free(struct target *target, u32 client);
void target_child_alloc(struct target *target, u32 client, u32 handle);
void target_child_free(struct target *target, u32 client, u32 handle);
/* A control of the client itself; one of a child. */
void target_control(struct target *target, u32 client);
void target_child_control(struct target *target, u32 client, u32 handle);

#endif
