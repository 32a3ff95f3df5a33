/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * softh100.ko and a process behind it, both in the test: the function that the module would have,
 * what it answers to the process's system calls, and a thread that is the process. For the driver
 * it is the GPU of h100.h.
 */
#ifndef TESTS_FAKE_SOFTH100_H
#define TESTS_FAKE_SOFTH100_H

#include <pthread.h>

#include "h100/function/function.h"
#include "h100/h100.h"
#include "host/linux/gpu/serve.h"

struct h100 {
	struct h100_host host;
	struct h100_function_identity identity; /* what the module would have been loaded with */
	struct h100_function fn;
	u8 *video;
	u32 mapped;		     /* of video memory, by the process */
	u8 *bells;		     /* pages of them, once the process has mapped them; atomic */
	struct softh100_links links; /* the module's page of them */
	u32 machine_cc;		     /* the mode that it was loaded with */

	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	u32 work;
	bool attached, interrupted; /* a signal came to the process */
	bool command_waits;
	struct softh100_command command;
	bool answered;
	u32 answer;
	struct softh100_bells reports;
	u32 armed, freed; /* calls of the process */
	u32 last_freed;
	u32 armed_times[SOFTH100_BELLS_MAX]; /* by bell */
	bool storm; /* clients ring faster than reports are taken: there are always more */

	/* How it answers. Calls are counted; from fail_at on (0: never) all of them fail. */
	u64 calls;
	u32 fail_at;
	int fail_errno;
	u32 interrupt_every; /* every so many calls are interrupted first; 0: none */
	u32 no_memory_every; /* the same, for want of memory; waits need none */
	u32 short_bytes;     /* reads and writes move at most so much; 0: all */
	u64 last_timeout_ns, longest_timeout_ns; /* of waits; ~0 is none */

	/* The process */
	struct h100_config config;
	char *profile;
	pthread_t thread;
	bool started, ended;
	u32 stop;
	int result;
};

extern const struct remote_calls fake_calls; /* ctx: a struct h100 */

/* h100_create makes the module and starts its process; with fake_no_process set, the module only.
 */
extern bool fake_no_process;
/* Starts a process (the last one has ended). */
void fake_start(struct h100 *fake);
/* Waits for its end, with SIGTERM first if told to; what it returned. */
int fake_join(struct h100 *fake, bool terminate);
/* Bits of SOFTH100_WORK_*. */
void fake_work(struct h100 *fake, u32 work);
/* A line written to debugfs: the answer, an errno. */
u32 fake_command(struct h100 *fake, const char *text);
u32 fake_command_raw(struct h100 *fake, const struct softh100_command *command);
/* Reports a bell; its page is there until the process frees it. */
void fake_bell(struct h100 *fake, u32 number, u32 client, u32 flags);
/* From now on (until told otherwise) the reports of bells, of many of them, have no end. */
void fake_storm(struct h100 *fake, u32 client, bool storm);
/* The doorbell in the bell's page. */
u32 *fake_bell_word(struct h100 *fake, u32 number);
/* The process is gone, on its own. */
bool fake_ended(struct h100 *fake);

#endif
