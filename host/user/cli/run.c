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

/* Of what somebody sends us; the terminal's signals reach the program by themselves. */
static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM,
				 SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT };

/* Waits for the child to end, and hands on to it what is sent to us. 0 or an errno. */
static int wait_forwarding(pid_t child, const sigset_t *awaited, int *status)
{
	siginfo_t info;
	pid_t rc;
	int sig;

	while ((rc = waitpid(child, status, WNOHANG)) == 0) {
		sig = sigwaitinfo(awaited, &info);
		if (sig > 0 && sig != SIGCHLD && info.si_code <= 0 && info.si_pid != child)
			kill(child, sig);
	}
	return rc == child ? 0 : errno;
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
	sigset_t awaited, before;
	int status = 0, rc;
	pid_t child;

	/* Taken from the queue and never delivered: blocked before there is anybody to forward to.
	 */
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&awaited, forwarded[i]);
	sigprocmask(SIG_BLOCK, &awaited, &before);
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(exec_command(command));
	}
	rc = child < 0 ? errno : wait_forwarding(child, &awaited, &status);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		fprintf(stderr, "leafhopper: %s\n", strerror(rc));
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
