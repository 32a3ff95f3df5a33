/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * One GPU's firmware, served on the calling thread to the module that has its function, and its
 * engines, on threads of their own or on the same.
 */
#ifndef HOST_LINUX_GPU_SERVE_H
#define HOST_LINUX_GPU_SERVE_H

#include "h100/h100.h"
#include "host/linux/gpu/remote.h"

struct serve;

struct serve_config {
	const struct remote_calls *calls; /* of a file that is bound to no GPU yet */
	void *ctx;
	struct h100_config gpu; /* threads and lending are not looked at, engine_threads is */
	void (*log)(void *ctx, int level, const char *text);
	void *log_ctx;
};

/*
 * Makes the GPU and binds it: from now on it is on the bus. 0 or an errno (EINVAL: profile or
 * scenario malformed, by log, or not the module's; EAGAIN: the system has no entropy yet), and
 * nothing is left.
 */
int serve_open(const struct serve_config *config, struct serve **out);
/*
 * Serves until the GPU is taken away (0), *stop is not 0 (0; whoever sets it interrupts the
 * thread's wait), or the module fails (an errno).
 */
int serve_run(struct serve *serve, const volatile u32 *stop);
/* The file is the caller's: closing it takes the GPU off the bus. */
void serve_close(struct serve *serve);

#endif
