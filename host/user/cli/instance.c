// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A daemon's directory and life: its socket, its tree of files, the process. A private one ends
 * with whoever holds its pipe; a shared one with "leafhopper down".
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/user/cli/cli.h"
#include "host/user/daemon.h"
#include "host/user/files.h"
#include "host/user/trace/trace.h"
#include "os/user/user.h"

#define HEAP_SPARE (1 << 20)
#define TREE_NAME "root" /* beside the socket: the preload library knows */

static int instance_places(struct instance *in)
{
	if (snprintf(in->socket, sizeof(in->socket), "%s/socket", in->dir) >=
		    (int)sizeof(in->socket) ||
	    strlen(in->socket) > LH_PATH_MAX)
		return ENAMETOOLONG;
	in->pid = -1;
	in->keep_fd = -1;
	in->lock_fd = -1;
	return 0;
}

int instance_shared(struct instance *in)
{
	const char *env = getenv("LEAFHOPPER_SOCKET");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *slash;

	if (env && *env == '/') {
		if (strlen(env) >= sizeof(in->dir) || strlen(env) > LH_PATH_MAX)
			return ENAMETOOLONG;
		strcpy(in->dir, env);
		slash = strrchr(in->dir, '/');
		if (strcmp(slash, "/socket") != 0 || slash == in->dir)
			return EINVAL;
		*slash = 0;
		return instance_places(in);
	}
	if (geteuid() == 0)
		snprintf(in->dir, sizeof(in->dir), "/run/leafhopper");
	else if (runtime && *runtime == '/')
		snprintf(in->dir, sizeof(in->dir), "%s/leafhopper", runtime);
	else
		snprintf(in->dir, sizeof(in->dir), "/tmp/leafhopper-%u", (unsigned int)geteuid());
	return instance_places(in);
}

int instance_private(struct instance *in)
{
	const char *dirs[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/dev/shm", "/tmp" };
	int rc = ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (!dirs[i] || dirs[i][0] != '/' || strlen(dirs[i]) > LH_PATH_MAX / 2)
			continue;
		snprintf(in->dir, sizeof(in->dir), "%s/leafhopper-XXXXXX", dirs[i]);
		if (mkdtemp(in->dir))
			return instance_places(in);
		rc = errno;
	}
	return rc;
}

int instance_environment(const struct instance *in)
{
	char lib[PATH_MAX];
	char value[2 * PATH_MAX];
	const char *old = getenv("LD_PRELOAD");
	int rc = preload_path(lib, sizeof(lib));

	if (rc) {
		fprintf(stderr, "leafhopper: the preload library: %s\n", strerror(rc));
		return rc;
	}
	if (old && *old && !strstr(old, lib))
		snprintf(value, sizeof(value), "%s:%s", lib, old);
	else
		snprintf(value, sizeof(value), "%s", old && *old ? old : lib);
	if (setenv("LD_PRELOAD", value, 1) || setenv("LEAFHOPPER_SOCKET", in->socket, 1))
		return errno;
	return 0;
}

/* -- The daemon's process ---------------------------------------------------------------------- */

static void log_file(void *ctx, enum os_log_level level, const char *line)
{
	dprintf(*(int *)ctx, "%s\n", line);
}

static int daemon_main(const struct instance *in, const struct options *options, int ready,
		       int keep)
{
	static int log_fd = STDERR_FILENO;
	struct machine_config config = options->machine;
	struct daemon_config serve = { .socket_path = in->socket,
				       .socket_mode = options->socket_mode,
				       .ready_fd = ready,
				       .parent_fd = keep };
	char tree[PATH_MAX];
	int rc;

	snprintf(tree, sizeof(tree), "%.*s/" TREE_NAME, PATH_MAX - 8, in->dir);
	config.tree = tree;
	/* Buffers of long messages come and go with each call: their memory stays with the heap. */
	mallopt(M_TRIM_THRESHOLD, HEAP_SPARE);
	mallopt(M_MMAP_THRESHOLD, HEAP_SPARE);
	os_user_log_set_sink(log_file, &log_fd);
	os_user_dma_prepare();
	if (options->trace) {
		rc = trace_start(options->output);
		if (rc) {
			fprintf(stderr, "leafhopper: %s: %s\n", options->output, strerror(rc));
			return rc;
		}
	}
	rc = machine_create(&config, &serve.machine);
	if (rc)
		goto out;
	rc = daemon_run(&serve);
	if (rc)
		fprintf(stderr, "leafhopper: %s: %s\n", in->socket, strerror(rc));
	machine_destroy(serve.machine);
out:
	trace_stop();
	return rc;
}

/*
 * The log of a daemon that stays is a file; its terminal is not its own, nor is anything else that
 * the caller had open.
 */
static void detach(const struct instance *in, int ready)
{
	char path[PATH_MAX + 8];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log;

	snprintf(path, sizeof(path), "%s/log", in->dir);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (log >= 0 || null >= 0)
		dup2(log >= 0 ? log : null, STDERR_FILENO);
	if (ready > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)ready - 1, 0);
	close_range((unsigned int)ready + 1, ~0u, 0);
	if (chdir("/"))
		return; /* only keeps a file system busy */
}

static void signals_default(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int wait_ready(int ready, pid_t pid)
{
	char byte;
	int status;
	ssize_t n;

	do {
		n = read(ready, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EIO;
}

int instance_start(struct instance *in, const struct options *options, bool stays)
{
	int ready[2], keep[2] = { -1, -1 };
	int rc;

	if (pipe2(ready, O_CLOEXEC))
		return errno;
	if (!stays && pipe2(keep, O_CLOEXEC)) {
		rc = errno;
		goto out;
	}
	fflush(NULL);
	in->pid = fork();
	if (in->pid < 0) {
		rc = errno;
		goto out;
	}
	if (in->pid == 0) {
		/* Signals of the terminal are the program's. */
		setsid();
		signals_default();
		close(ready[0]);
		if (stays)
			detach(in, ready[1]);
		else
			close(keep[1]);
		if (!stays && in->lock_fd >= 0)
			close(in->lock_fd);
		rc = daemon_main(in, options, ready[1], keep[0]);
		_exit(rc > 125 ? 125 : rc);
	}
	close(ready[1]);
	ready[1] = -1;
	rc = wait_ready(ready[0], in->pid);
	if (!rc && !stays) {
		in->keep_fd = keep[1];
		keep[1] = -1;
	}
out:
	close(ready[0]);
	if (ready[1] >= 0)
		close(ready[1]);
	for (int i = 0; i < 2; i++) {
		if (keep[i] >= 0)
			close(keep[i]);
	}
	return rc;
}

void instance_stop(struct instance *in)
{
	char tree[PATH_MAX + 8];

	if (in->keep_fd >= 0) {
		close(in->keep_fd);
		while (waitpid(in->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	/* Gone already, unless the daemon was killed. */
	unlink(in->socket);
	snprintf(tree, sizeof(tree), "%s/" TREE_NAME, in->dir);
	tree_destroy(tree);
	rmdir(in->dir);
}
