// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper up, down, status and inject: the shared machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/user/cli/cli.h"
#include "host/user/dgram.h"
#include "host/user/proto.h"

/* Connects as the command itself; the socket, or a negative errno. */
static int admin_connect(const struct instance *in)
{
	struct lh_hello hello = { .magic = LH_MAGIC, .version = LH_VERSION, .role = LH_ROLE_ADMIN };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int rc, sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	strcpy(addr.sun_path, in->socket);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		rc = -errno;
	else
		rc = dgram_send(sock, &hello, sizeof(hello), -1);
	if (!rc)
		return sock;
	close(sock);
	return rc;
}

/* One request; the answer in out, terminated. 0 or an errno. With wait: until the daemon is gone.
 */
static int admin_ask(const char *line, char *out, size_t size, bool wait)
{
	struct instance in;
	ssize_t n;
	int sock, rc = instance_shared(&in);

	if (rc)
		return rc;
	sock = admin_connect(&in);
	if (sock < 0)
		return -sock;
	rc = -dgram_send(sock, line, strlen(line), -1);
	if (!rc) {
		n = recv(sock, out, size - 1, 0);
		if (n <= 0)
			rc = n < 0 ? errno : ECONNRESET;
		else
			out[n] = 0;
	}
	while (wait && !rc && recv(sock, &(char){ 0 }, 1, 0) > 0)
		;
	close(sock);
	return rc;
}

static int no_machine(int rc)
{
	fprintf(stderr, "leafhopper: no shared machine: %s\n", strerror(rc));
	return EXIT_FAILURE;
}

/* The place's directory, made or found; one that others may change is no place. 0 or an errno. */
static int place_open(const struct instance *in, mode_t mode)
{
	struct stat st;

	if (mkdir(in->dir, 0700) == 0)
		/* Whatever the umask says. */
		return (mode & 0077) && chmod(in->dir, 0755) ? errno : 0;
	if (errno != EEXIST)
		return errno;
	if (lstat(in->dir, &st))
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	return st.st_uid == geteuid() && !(st.st_mode & 0022) ? 0 : EPERM;
}

/*
 * Makes this the one command that brings a machine up or tidies up here: the descriptor of the lock
 * while it lasts, or a negative errno.
 */
static int place_lock(const struct instance *in)
{
	char path[PATH_MAX + 8];
	struct stat held, there;
	int fd, rc;

	snprintf(path, sizeof(path), "%s/lock", in->dir);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX) || fstat(fd, &held)) {
			rc = -errno;
			break;
		}
		if (lstat(path, &there) == 0 && held.st_ino == there.st_ino &&
		    held.st_dev == there.st_dev)
			return fd;
		/* Whoever had it removed it. */
		close(fd);
	}
	close(fd);
	return rc;
}

/*
 * A place that an earlier daemon left without tidying up is taken over; a live one's is not. *lock
 * is to be closed when the machine is up, or is not.
 */
static int take_place(const struct instance *in, mode_t mode, int *lock)
{
	char tree[PATH_MAX + 8];
	int sock, rc = place_open(in, mode);

	if (rc)
		return rc;
	*lock = place_lock(in);
	if (*lock < 0)
		return -*lock;
	sock = admin_connect(in);
	if (sock >= 0) {
		close(sock);
		rc = EADDRINUSE;
	} else if (unlink(in->socket) && errno != ENOENT) {
		rc = errno;
	}
	if (rc) {
		close(*lock);
		return rc;
	}
	snprintf(tree, sizeof(tree), "%s/root", in->dir);
	tree_destroy(tree);
	return 0;
}

/* Removes what a daemon leaves of its place, unless another is there already. */
static void leave_place(const struct instance *in)
{
	static const char *const names[] = { "log", "lock" };
	char path[PATH_MAX + 8];
	int sock, lock = place_lock(in);

	if (lock < 0)
		return;
	sock = admin_connect(in);
	if (sock >= 0) {
		close(sock);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			snprintf(path, sizeof(path), "%s/%s", in->dir, names[i]);
			unlink(path);
		}
		rmdir(in->dir);
	}
	close(lock);
}

int command_up(int argc, char **argv)
{
	struct options options;
	struct instance in;
	char out[64];
	int rc, lock;

	options_parse(argc, argv, &options);
	if (options.command[0])
		usage_error("up takes no program; see enter");
	rc = instance_shared(&in);
	if (!rc)
		rc = take_place(&in, options.socket_mode, &lock);
	if (rc) {
		fprintf(stderr, "leafhopper: %s: %s\n", in.dir,
			rc == EADDRINUSE ? "a machine is up already" : strerror(rc));
		return EXIT_FAILURE;
	}
	if (options.foreground) {
		struct instance kept = in;

		kept.lock_fd = lock;
		rc = instance_start(&kept, &options, false);
		close(lock);
		if (rc)
			return EXIT_FAILURE;
		waitpid(kept.pid, NULL, 0);
		kept.keep_fd = -1;
		instance_stop(&kept);
		leave_place(&in);
		return EXIT_SUCCESS;
	}
	rc = instance_start(&in, &options, true);
	close(lock);
	if (rc) {
		fprintf(stderr, "leafhopper: it did not start; see %s/log\n", in.dir);
		return EXIT_FAILURE;
	}
	if (instance_environment(&in)) {
		admin_ask("stop", out, sizeof(out), true);
		leave_place(&in);
		return EXIT_FAILURE;
	}
	printf("export LEAFHOPPER_SOCKET='%s'\nexport LD_PRELOAD='%s'\n", in.socket,
	       getenv("LD_PRELOAD"));
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int command_down(int argc, char **argv)
{
	struct instance in;
	char out[4096];
	int rc = admin_ask("stop", out, sizeof(out), true);

	if (rc)
		return no_machine(rc);
	if (strcmp(out, "ok\n") != 0) {
		fprintf(stderr, "leafhopper: %s", out);
		return EXIT_FAILURE;
	}
	if (instance_shared(&in) == 0)
		leave_place(&in);
	return EXIT_SUCCESS;
}

int command_status(int argc, char **argv)
{
	char out[4096];
	int rc = admin_ask("status", out, sizeof(out), false);

	if (rc)
		return no_machine(rc);
	fputs(out, stdout);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int command_inject(int argc, char **argv)
{
	char line[1024] = "inject", out[4096];
	size_t at = strlen(line);
	int rc;

	if (argc < 3)
		usage_error("inject: which GPU, and what?");
	for (int i = 1; i < argc; i++) {
		int n = snprintf(line + at, sizeof(line) - at, " %s", argv[i]);

		if (n < 0 || (size_t)n >= sizeof(line) - at)
			usage_error("inject: too long");
		at += (size_t)n;
	}
	rc = admin_ask(line, out, sizeof(out), false);
	if (rc)
		return no_machine(rc);
	if (strcmp(out, "ok\n") == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "leafhopper: %s", out);
	return EXIT_FAILURE;
}
