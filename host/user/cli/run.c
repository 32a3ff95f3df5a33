// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper run and trace: a machine of its own for one command, whose exit status is ours.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/user/cli/cli.h"

static volatile pid_t child;

/* The terminal's signals reach the program by themselves; what somebody sent us is for it. */
static void forward(int sig, siginfo_t *info, void *context)
{
	if (child > 0 && info->si_code <= 0 && info->si_pid != child)
		kill(child, sig);
}

static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM,
				 SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT };

static void signals_forward(void)
{
	struct sigaction action = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART };

	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaction(forwarded[i], &action, NULL);
}

static void signals_restore(const sigset_t *mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		signal(forwarded[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

static int exec_command(char **command)
{
	int rc;

	execvp(command[0], command);
	rc = errno;
	fprintf(stderr, "leafhopper: %s: %s\n", command[0], strerror(rc));
	return rc == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int run_command(char **command)
{
	sigset_t all, before;
	int status;

	/* Nothing is lost between fork and the handlers. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child < 0) {
		fprintf(stderr, "leafhopper: %s\n", strerror(errno));
		sigprocmask(SIG_SETMASK, &before, NULL);
		return EXIT_NO_DAEMON;
	}
	if (child == 0) {
		signals_restore(&before);
		_exit(exec_command(command));
	}
	signals_forward();
	sigprocmask(SIG_SETMASK, &before, NULL);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_NO_DAEMON;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run(int argc, char **argv, bool trace)
{
	struct options options;
	struct instance instance;
	int rc;

	options_parse(argc, argv, &options);
	if (!options.command[0])
		usage_error("%s: which program?", argv[0]);
	if (options.output && !trace)
		usage_error("--output is for trace");
	options.trace = trace;
	rc = instance_private(&instance);
	if (rc) {
		fprintf(stderr, "leafhopper: no place for a socket: %s\n", strerror(rc));
		return EXIT_NO_DAEMON;
	}
	rc = instance_start(&instance, &options, false);
	if (!rc)
		rc = instance_environment(&instance);
	rc = rc ? EXIT_NO_DAEMON : run_command(options.command);
	instance_stop(&instance);
	return rc;
}

int command_run(int argc, char **argv)
{
	return run(argc, argv, false);
}

int command_trace(int argc, char **argv)
{
	return run(argc, argv, true);
}

int command_enter(int argc, char **argv)
{
	struct instance instance;
	struct options options;
	int rc;

	options_parse(argc, argv, &options);
	if (!options.command[0])
		usage_error("enter: which program?");
	rc = instance_shared(&instance);
	if (!rc && access(instance.socket, F_OK))
		rc = errno;
	if (rc) {
		fprintf(stderr, "leafhopper: no shared machine: %s\n", strerror(rc));
		return EXIT_NO_DAEMON;
	}
	if (instance_environment(&instance))
		return EXIT_NO_DAEMON;
	return exec_command(options.command);
}
