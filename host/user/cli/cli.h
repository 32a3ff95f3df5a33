/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The leafhopper command: what its parts share.
 */
#ifndef HOST_USER_CLI_H
#define HOST_USER_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "host/user/machine.h"

#define EXIT_USAGE 2
#define EXIT_NOT_CONFIDENTIAL 3 /* attest: the GPU is in no confidential mode */
#define EXIT_NOT_ATTESTED 4	/* attest: nothing is known about the GPU */
#define EXIT_NO_DAEMON 125	/* as env(1) and timeout(1): ours, not the program's */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

#define PRELOAD_NAME "libleafhopper-preload" /* and "-sanitized" */

struct options {
	struct machine_config machine;
	mode_t socket_mode;
	bool trace;
	bool foreground;
	const char *output; /* of a trace */
	char version[64];   /* of the client libraries; machine.version may point at it */
	char **command;	    /* what follows "--", NULL-terminated; may be empty */
};

/* Reads the options that begin at argv[1]; exits with EXIT_USAGE on a wrong one. */
void options_parse(int argc, char **argv, struct options *options);
void usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The release of the client libraries that a program would load now; false when there are none. */
bool version_of_clients(char *version, size_t size);

/* -- instance.c: a daemon's directory and life ----------------------------------------------------
 */

struct instance {
	char dir[PATH_MAX];
	char socket[PATH_MAX];
	pid_t pid;
	int keep_fd; /* the daemon ends when this is closed; -1 for one that stays */
	int lock_fd; /* the daemon does not keep this; -1: none */
};

/* The shared daemon's place: LEAFHOPPER_SOCKET, or in the runtime directory. 0 or an errno. */
int instance_shared(struct instance *instance);
/* A directory of its own. 0 or an errno. */
int instance_private(struct instance *instance);
/* Starts the daemon and waits until clients can connect. 0 or an errno, told on stderr. */
int instance_start(struct instance *instance, const struct options *options, bool stays);
/* Ends a private daemon and removes what is left of it. */
void instance_stop(struct instance *instance);
/* Puts the variables that make a program its client into the environment. 0 or an errno. */
int instance_environment(const struct instance *instance);

/* -- Commands: their exit status -----------------------------------------------------------------
 */

int command_run(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_up(int argc, char **argv);
int command_down(int argc, char **argv);
int command_status(int argc, char **argv);
int command_enter(int argc, char **argv);
int command_inject(int argc, char **argv);
int command_smi(int argc, char **argv);
int command_attest(int argc, char **argv);

#endif
