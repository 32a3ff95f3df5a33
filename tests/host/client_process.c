// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The tests' client, continued: what must hold of the preload library beside the driver's own
 * calls.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

/* A child in its parent's memory closes its own copies only. */
int cmd_vfork(int argc, char **argv)
{
	int fd = open_ctl(), other = open_ctl();
	u32 client = alloc_root(fd);
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	char byte;
	pid_t pid = vfork();

	if (pid == 0) {
		close(fd);
		dup2(STDERR_FILENO, other);
		close_range(3, ~0u, 0);
		_exit(0);
	}
	wait_child(pid);
	CHECK(read(fd, &byte, 1) == -1 && errno == EINVAL);
	CHECK(read(other, &byte, 1) == -1 && errno == EINVAL);
	CHECK(probed_ids(fd, client, &ids) == NV_OK);
	query_version(other);
	return 0;
}

static bool stop; /* atomic */

static void *until_stopped(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		query_version(*(int *)arg);
	return NULL;
}

static int channel_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "leafhopper-channel") != NULL;
	fclose(f);
	return n;
}

/* Numbers that are free, as the program sees it, and that the connection likes. */
static void *numbers(void *arg)
{
	for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++) {
		const int n = 960 + i % 4;

		CHECK((i & 1 ? dup3(STDERR_FILENO, n, O_CLOEXEC) : dup2(STDERR_FILENO, n)) == n);
		CHECK(close(n) == 0);
		CHECK(close(n) == -1 && errno == EBADF);
		CHECK(close_range(100, i % 8 ? 970 : ~0u, 0) == 0);
	}
	return NULL;
}

/* Neither a new user nor a descriptor in the connection's place breaks calls under way. */
int cmd_moves(int argc, char **argv)
{
	int fd = open_ctl();
	pthread_t caller, mover;

	query_version(fd);
	CHECK(pthread_create(&caller, NULL, until_stopped, &fd) == 0);
	CHECK(pthread_create(&mover, NULL, numbers, NULL) == 0);
	for (int i = 0; i < 100; i++) {
		CHECK(seteuid(geteuid()) == 0);
		if (getuid() == 0)
			CHECK(setegid(i % 2 ? 0 : 65534) == 0);
		query_version(fd);
		usleep(200);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(caller, NULL);
	pthread_join(mover, NULL);
	CHECK(channel_maps() == 1);
	return 0;
}

static sigjmp_buf away;

static void on_alarm_jump(int sig)
{
	siglongjmp(away, 1);
}

/* Handlers that jump out of calls, wherever they are. */
int cmd_jumps(int argc, char **argv)
{
	struct itimerval once = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm_jump };
	volatile int jumps = 0;
	int fd = open_ctl();

	sigaction(SIGALRM, &action, NULL);
	for (volatile int i = 0; i < 2000 && jumps < 200; i++) {
		if (sigsetjmp(away, 1)) {
			jumps++;
			continue;
		}
		once.it_value.tv_usec = 50 + i % 100;
		setitimer(ITIMER_REAL, &once, NULL);
		for (int k = 0; k < 200; k++)
			query_version(fd);
		once.it_value.tv_usec = 0;
		setitimer(ITIMER_REAL, &once, NULL);
	}
	CHECK(jumps > 4);
	query_version(fd);
	CHECK(channel_maps() <= 4);
	return 0;
}

static u32 nvidia_of(DIR *d)
{
	struct dirent *entry;
	u32 n = 0;

	while ((entry = readdir(d)))
		n += !strncmp(entry->d_name, "nvidia", 6);
	closedir(d);
	return n;
}

static int is_nvidia(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "nvidia", 6);
}

/* Ways to list /dev agree; a text's descriptor is the file that its path is; streams of nodes. */
int cmd_listing(int argc, char **argv)
{
	struct dirent **list = NULL;
	struct stat st, other;
	struct statx stx;
	glob_t found = { 0 };
	int fd, off = 0, on = 1;
	char buf[4];
	u32 n;
	FILE *f;

	n = nvidia_of(opendir("/dev"));
	CHECK(n >= 2);
	CHECK((fd = open("/dev", O_RDONLY | O_DIRECTORY)) >= 0);
	CHECK(nvidia_of(fdopendir(fd)) == n);
	CHECK(scandir("/dev", &list, is_nvidia, alphasort) == (int)n);
	CHECK(!strcmp(list[n - 1]->d_name, "nvidiactl"));
	for (u32 i = 0; i < n; i++)
		free(list[i]);
	free(list);
	CHECK(glob("/dev/nvidia*", 0, NULL, &found) == 0 && found.gl_pathc == n);
	globfree(&found);
	CHECK(glob("/proc/driver/nvidia/gpus/*/information", 0, NULL, &found) == 0);
	globfree(&found);

	CHECK((fd = open("/proc/driver/nvidia/version", O_RDONLY)) >= 0);
	CHECK(stat("/proc/driver/nvidia/version", &st) == 0 && fstat(dup(fd), &other) == 0);
	CHECK(st.st_ino == other.st_ino && st.st_dev == other.st_dev &&
	      st.st_mode == other.st_mode);
	CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) == 0);
	CHECK(stx.stx_ino == st.st_ino);

	CHECK((f = fopen("/dev/nvidiactl", "r+")) != NULL);
	query_version(fd = fileno(f));
	errno = 0;
	CHECK(fread(buf, 1, 4, f) == 0 && ferror(f) && errno == EINVAL);
	CHECK(fclose(f) == 0 && fcntl(fd, F_GETFD) == -1 && errno == EBADF);

	fd = open_ctl();
	CHECK(pread(fd, buf, 1, 0) == -1 && errno == EINVAL);
	CHECK(readv(fd, &(struct iovec){ buf, 1 }, 1) == -1 && errno == EINVAL);
	CHECK(writev(fd, &(struct iovec){ buf, 1 }, 1) == -1 && errno == EINVAL);
	CHECK(ioctl(fd, FIONCLEX) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(ioctl(fd, FIOCLEX) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ioctl(fd, FIONBIO, &on) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(ioctl(fd, FIONBIO, &off) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	return 0;
}

/* What exec handed over is known before it is used. */
int cmd_inherited(int argc, char **argv)
{
	struct pollfd pfd = { .events = POLLIN };
	char number[16], byte;
	pid_t pid;
	int fd;

	if (argc > 0) {
		pfd.fd = fd = atoi(argv[0]);
		CHECK(read(fd, &byte, 1) == -1 && errno == EINVAL);
		CHECK(poll(&pfd, 1, 0) == 0);
		return 0;
	}
	snprintf(number, sizeof(number), "%d", open("/dev/nvidia0", O_RDWR));
	pid = fork();
	if (pid == 0) {
		alarm(10);
		execl("/proc/self/exe", "client", "inherited", number, NULL);
		_exit(9);
	}
	wait_child(pid);
	return 0;
}

/* A node of one of the caller's further groups. */
int cmd_groups(int argc, char **argv)
{
	gid_t group = 4321;

	CHECK(chown("/dev/nvidia0", 0, group) == 0 && chmod("/dev/nvidia0", 0660) == 0);
	CHECK(setgroups(1, &group) == 0 && setegid(65534) == 0 && seteuid(65534) == 0);
	CHECK(eaccess("/dev/nvidia0", R_OK | W_OK) == 0);
	CHECK(close(open("/dev/nvidia0", O_RDWR)) == 0);
	CHECK(seteuid(0) == 0 && setgroups(0, NULL) == 0 && seteuid(65534) == 0);
	CHECK(eaccess("/dev/nvidia0", R_OK) == -1 && errno == EACCES);
	CHECK(open("/dev/nvidia0", O_RDWR) == -1 && errno == EACCES);
	/* As before: a process of two users is not even its own to look at, which sanitizers do. */
	CHECK(seteuid(0) == 0 && setegid(0) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
	return 0;
}

static volatile sig_atomic_t alarms;

static void on_alarm_count(int sig)
{
	alarms++;
}

/*
 * The daemon stops while this waits for a line: then a connection or a binding hangs, and an alarm
 * must kill all the same, or its handler run until the daemon goes on.
 */
int cmd_stopped(int argc, char **argv)
{
	const bool binds = argc > 1 && !strcmp(argv[0], "bind");
	const bool kills = argc > 1 && !strcmp(argv[1], "kill");
	const struct sigaction action = { .sa_handler = kills ? SIG_DFL : on_alarm_count };
	const struct itimerval often = { { 0, 300000 }, { 0, 300000 } };
	int fd = -1, pair[2];
	char byte;

	if (binds) {
		fd = open_ctl();
		query_version(fd);
		CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
		send_fd(pair[0], fd);
		fd = receive_fd(pair[1]);
	}
	sigaction(SIGALRM, &action, NULL);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) == 1);
	setitimer(ITIMER_REAL, &often, NULL);
	query_version(binds ? fd : open_ctl());
	CHECK(alarms >= 2);
	return 0;
}
