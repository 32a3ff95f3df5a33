// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A small client for the tests of the user-space host: each subcommand does one thing to the device
 * nodes through plain C library calls and exits with 0, or says what went wrong and exits with 1.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

/* -- Subcommands ------------------------------------------------------------------------------- */

static int cmd_query(int argc, char **argv)
{
	query_version(argc > 0 ? atoi(argv[0]) : open_ctl());
	return 0;
}

/* Requests that fail after their parameters were read. */
static int cmd_refused(int argc, char **argv)
{
	NV0000_CTRL_GPU_ATTACH_IDS_PARAMS attach = { .gpuIds = { 0x123456, 0xffffffff } };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	int fd = open_ctl();
	u32 client = alloc_root(fd);

	CHECK(control(fd, client, client, NV0000_CTRL_CMD_GPU_ATTACH_IDS, &attach,
		      sizeof(attach)) == NV_ERR_INVALID_ARGUMENT);
	CHECK(alloc(fd, client, 0x77, HANDLE_DEVICE, NV01_DEVICE_0, &device) ==
	      NV_ERR_OBJECT_NOT_FOUND);
	return 0;
}

/* The lowest number, the device's numbers, and what a device node does not do. */
/* Unified memory's node is there where its driver is: a module need not be loaded. */
static void check_uvm_node(void)
{
	FILE *devices = fopen("/proc/devices", "r");
	bool listed = false;
	struct stat st;
	char line[128];
	int fd;

	CHECK(devices);
	while (fgets(line, sizeof(line), devices))
		listed |= strstr(line, " nvidia-uvm\n") != NULL;
	fclose(devices);
	fd = open("/dev/nvidia-uvm", O_RDWR);
	if (listed)
		CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && close(fd) == 0);
	else
		CHECK(fd == -1 && errno == ENOENT);
}

static int cmd_basics(int argc, char **argv)
{
	struct stat st;
	char buf[8];
	u32 client;
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	int other, fd = open("/dev/nvidiactl", O_RDWR);

	CHECK(fd == 3);
	CHECK(fcntl(fd, F_GETFD) == 0);
	CHECK(fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(195, 255));
	errno = 77;
	query_version(fd);
	client = alloc_root(fd);
	CHECK(probed_ids(fd, client, &ids) == NV_OK && ids.gpuIds[0] != 0xffffffffu);
	CHECK(errno == 77);
	CHECK(read(fd, buf, 1) == -1 && errno == EINVAL);
	CHECK(write(fd, buf, 1) == -1 && errno == EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(ioctl(fd, IOC(NV_ESC_CHECK_VERSION_STR, u32), buf) == -1 && errno == EINVAL);
	other = open("/dev/nvidia0", O_RDWR | O_CLOEXEC);
	CHECK(other == 4 && fcntl(other, F_GETFD) == FD_CLOEXEC);
	CHECK(fstat(other, &st) == 0 && st.st_rdev == makedev(195, 0));
	CHECK(open("/dev/nvidia99", O_RDWR) == -1 && errno == ENOENT);
	check_uvm_node();
	CHECK(open("/dev/nvidia-none", O_RDWR) == -1 && errno == ENOENT);
	CHECK(open("/dev/nvidiactl", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
	CHECK(close(other) == 0 && close(fd) == 0);
	CHECK(ioctl(fd, IOC(NV_ESC_CHECK_VERSION_STR, nv_ioctl_rm_api_version_t), buf) == -1 &&
	      errno == EBADF);
	return 0;
}

static int cmd_files(int argc, char **argv)
{
	struct stat st, other;
	char buf[4096], path[PATH_MAX];
	struct dirent *entry;
	bool seen = false;
	int n, dir, fd;
	FILE *f;
	DIR *d;

	CHECK(stat("/dev/nvidia0", &st) == 0 && S_ISCHR(st.st_mode) && (st.st_mode & 0777) == 0666);
	CHECK(stat("/dev/char/195:255", &st) == 0 && st.st_rdev == makedev(195, 255));
	CHECK(stat("/dev/../dev//./nvidiactl", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(access("/dev/nvidiactl", R_OK | W_OK) == 0);
	CHECK(access("/sys/module/nvidia/initstate", R_OK) == 0);
	CHECK(access("/sys/module/nvidia_uvm/initstate", R_OK) == 0);
	CHECK(access("/sys/module/nvidia_drm/initstate", R_OK) == -1 && errno == ENOENT);
	CHECK(stat("/dev/nvidia-uvm", &st) == 0 && S_ISCHR(st.st_mode) && minor(st.st_rdev) == 0);
	CHECK(stat("/dev/nvidia-uvm-tools", &other) == 0 && S_ISCHR(other.st_mode));
	CHECK(other.st_rdev == makedev(major(st.st_rdev), 1));
	f = fopen("/proc/driver/nvidia/version", "r");
	CHECK(f && fgets(buf, sizeof(buf), f) && strstr(buf, "NVRM version"));
	fclose(f);
	CHECK(!fopen("/proc/driver/nvidia/version", "w") && errno == EACCES);
	f = fopen("/proc/devices", "r");
	CHECK(f && (n = (int)fread(buf, 1, sizeof(buf) - 1, f)) > 0);
	buf[n] = 0;
	fclose(f);
	CHECK(strstr(buf, "195 nvidia") && strstr(buf, "nvidia-caps") &&
	      strstr(buf, "Block devices:"));
	CHECK(strstr(buf, "nvidia-caps") < strstr(buf, "Block devices:"));
	CHECK(realpath("/sys/bus/pci/devices/0000:01:00.0", path) != NULL);
	CHECK(strncmp(path, "/sys/devices/", 13) == 0);
	dir = open("/", O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "sys/bus/pci/devices/0000:01:00.0/config", O_RDONLY);
	CHECK(fd >= 0 && read(fd, buf, 64) == 64 && !memcmp(buf, "\xde\x10", 2));
	close(fd);
	close(dir);
	CHECK((d = opendir("/sys/bus/pci/devices")) != NULL);
	while ((entry = readdir(d)))
		seen |= !strcmp(entry->d_name, "0000:01:00.0");
	closedir(d);
	CHECK(seen);
	seen = false;
	CHECK((d = opendir("/dev")) != NULL);
	for (n = 0; (entry = readdir(d)); n++)
		seen |= !strcmp(entry->d_name, "nvidia0");
	closedir(d);
	CHECK(seen && n > 4);
	CHECK(mknod("/dev/nvidiactl", S_IFCHR | 0666, makedev(195, 255)) == -1 && errno == EEXIST);
	CHECK(mkdir("/dev/nvidia-caps", 0755) == -1 && errno == EEXIST);
	CHECK(symlink("../nvidiactl", "/dev/char/195:255") == -1 && errno == EEXIST);
	if (geteuid() == 0) {
		CHECK(unlink("/dev/char/195:255") == 0);
		CHECK(symlink("../nvidiactl", "/dev/char/195:255") == 0);
		CHECK(chmod("/dev/nvidia0", 0600) == 0);
		CHECK(stat("/dev/nvidia0", &st) == 0 && (st.st_mode & 0777) == 0600);
		CHECK(chmod("/dev/nvidia0", 0666) == 0);
		CHECK((fd = open("/dev/nvidia-caps/nvidia-cap1", O_RDONLY)) >= 0);
	} else {
		CHECK(chmod("/dev/nvidia0", 0600) == -1 && errno == EPERM);
		CHECK(unlink("/dev/nvidiactl") == -1 && errno == EACCES);
		CHECK(open("/dev/nvidia-caps/nvidia-cap1", O_RDONLY) == -1 && errno == EACCES);
		CHECK((fd = open("/dev/nvidia-caps/nvidia-cap2", O_RDONLY)) >= 0);
	}
	/* A capability takes no commands. */
	CHECK(ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'F', NV_ESC_CARD_INFO, 0), NULL) == -1 &&
	      errno == ENOTTY);
	return 0;
}

/* Copies of a descriptor in this process, a child, a program it runs, and another process. */
static int cmd_descriptors(int argc, char **argv)
{
	char *const empty[] = { NULL };
	int copies[4], pair[2], fd = open_ctl();
	char number[16];
	u32 client = alloc_root(fd);
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	pid_t pid;

	copies[0] = dup(fd);
	copies[1] = dup2(fd, 100);
	copies[2] = dup3(fd, 101, O_CLOEXEC);
	copies[3] = fcntl(fd, F_DUPFD, 200);
	for (int i = 0; i < 4; i++)
		CHECK(copies[i] >= 0 && probed_ids(copies[i], client, &ids) == NV_OK);
	close(fd);
	for (int i = 0; i < 3; i++)
		close(copies[i]);
	fd = copies[3];
	CHECK(probed_ids(fd, client, &ids) == NV_OK);

	pid = fork();
	if (pid == 0) {
		CHECK(probed_ids(fd, client, &ids) == NV_OK);
		_exit(0);
	}
	wait_child(pid);
	CHECK(probed_ids(fd, client, &ids) == NV_OK);

	snprintf(number, sizeof(number), "%d", fd);
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0) {
			if (i)
				execle("/proc/self/exe", "client", "query", number, NULL, empty);
			else
				execl("/proc/self/exe", "client", "query", number, NULL);
			_exit(9);
		}
		wait_child(pid);
	}

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid = fork();
	if (pid == 0) {
		close(fd);
		query_version(receive_fd(pair[1]));
		_exit(0);
	}
	send_fd(pair[0], fd);
	wait_child(pid);

	/* A program that closes all it does not know still works. */
	for (int i = 3; i < 4096; i++) {
		if (i != fd)
			close(i);
	}
	query_version(fd);
	CHECK(close_range((unsigned int)fd + 1, ~0u, 0) == 0);
	query_version(fd);
	return 0;
}

/* Bad pointers are a status or EFAULT, never a crash. */
static int cmd_faults(int argc, char **argv)
{
	int fd = open_ctl();
	u32 client = alloc_root(fd);
	const u32 version = IOC(NV_ESC_CHECK_VERSION_STR, nv_ioctl_rm_api_version_t);
	char *pages =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	nv_ioctl_rm_api_version_t v = { .cmd = NV_RM_API_VERSION_CMD_QUERY };

	CHECK(pages != MAP_FAILED);
	CHECK(munmap(pages + 2 * 4096, 4096) == 0);
	CHECK(ioctl(fd, version, (void *)16) == -1 && errno == EFAULT);
	CHECK(ioctl(fd, version, pages + 2 * 4096 - 8) == -1 && errno == EFAULT);
	CHECK(ioctl(fd, version, NULL) == -1 && errno == EFAULT);
	CHECK(ioctl(fd, version, (void *)~0ul) == -1 && errno == EFAULT);
	memcpy(pages, &v, sizeof(v));
	CHECK(mprotect(pages, 4096, PROT_READ) == 0);
	CHECK(ioctl(fd, version, pages) == -1 && errno == EFAULT);
	CHECK(probed_ids(fd, client, (void *)16) == NV_ERR_INVALID_ADDRESS);
	CHECK(probed_ids(fd, client, pages) == NV_ERR_INVALID_ADDRESS);
	CHECK(probed_ids(fd, client, pages + 4096) == NV_OK);
	CHECK(probed_ids(fd, client, pages + 2 * 4096 - 128) == NV_ERR_INVALID_ADDRESS);
	return 0;
}

static void *thread_main(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 50; i++)
		query_version(fd);
	return NULL;
}

static int cmd_threads(int argc, char **argv)
{
	pthread_t threads[32];
	int fd = open_ctl();

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
			CHECK(pthread_create(&threads[i], NULL, thread_main, &fd) == 0);
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
			pthread_join(threads[i], NULL);
	}
	return 0;
}

static int signal_fd;
static volatile int signal_calls;

static void on_alarm(int sig)
{
	query_version(signal_fd);
	signal_calls++;
}

/* Handlers that call while a call of their own thread is under way. */
static int cmd_signals(int argc, char **argv)
{
	struct itimerval every = { { 0, 500 }, { 0, 500 } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	signal_fd = open_ctl();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < 20000 && signal_calls < 50; i++)
		query_version(signal_fd);
	CHECK(signal_calls > 0);
	return 0;
}

/* -- Events through poll ----------------------------------------------------------------------- */

static void event_take(struct gpu_client *e, u32 more)
{
	NvUnixEvent event;
	NVOS41_PARAMETERS p = { .pEvent = (NvP64)(uintptr_t)&event };

	CHECK(ioctl(e->gpu, IOC(NV_ESC_RM_GET_EVENT_DATA, NVOS41_PARAMETERS), &p) == 0);
	CHECK(p.status == NV_OK && p.MoreEvents == more);
}

static void *fire_later(void *arg)
{
	usleep(50000);
	gpu_fire(arg);
	return NULL;
}

static int cmd_poll(int argc, char **argv)
{
	struct gpu_client e;
	struct epoll_event watch = { .events = EPOLLIN | EPOLLPRI, .data = { .u64 = 1234567 } },
			   got;
	struct timeval soon = { .tv_usec = 0 }, later = { .tv_sec = 5 };
	struct pollfd pfd;
	fd_set reads, excepts;
	pthread_t thread;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	gpu_open(&e);
	gpu_event(&e);
	pfd = (struct pollfd){ .fd = e.gpu, .events = POLLIN | POLLPRI };
	CHECK(poll(&pfd, 1, 0) == 0);
	gpu_fire(&e);
	CHECK(poll(&pfd, 1, 5000) == 1 && pfd.revents == (POLLIN | POLLPRI));
	gpu_fire(&e);
	CHECK(poll(&pfd, 1, 0) == 1);
	event_take(&e, 1);
	CHECK(poll(&pfd, 1, 5000) == 1 && pfd.revents == (POLLIN | POLLPRI));
	event_take(&e, 0);
	CHECK(poll(&pfd, 1, 0) == 0);
	CHECK(pthread_create(&thread, NULL, fire_later, &e) == 0);
	CHECK(poll(&pfd, 1, 5000) == 1);
	pthread_join(thread, NULL);
	pfd.events = POLLOUT;
	CHECK(poll(&pfd, 1, 10) == 0);
	event_take(&e, 0);

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, e.gpu, &watch) == 0);
	CHECK(epoll_wait(ep, &got, 1, 0) == 0);
	gpu_fire(&e);
	CHECK(epoll_wait(ep, &got, 1, 5000) == 1 && got.data.u64 == 1234567);
	CHECK(got.events == (EPOLLIN | EPOLLPRI));
	event_take(&e, 0);
	CHECK(epoll_wait(ep, &got, 1, 0) == 0);

	FD_ZERO(&reads);
	FD_ZERO(&excepts);
	FD_SET(e.gpu, &reads);
	FD_SET(e.gpu, &excepts);
	CHECK(select(e.gpu + 1, &reads, NULL, &excepts, &soon) == 0);
	FD_SET(e.gpu, &reads);
	FD_SET(e.gpu, &excepts);
	gpu_fire(&e);
	CHECK(select(e.gpu + 1, &reads, NULL, &excepts, &later) == 2);
	return 0;
}

/* -- Losing ---------------------------------------------------------------------------------------
 */

/* Until it is killed: opens, allocates, copies, closes. */
static int cmd_churn(int argc, char **argv)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	pthread_t thread;
	int fd = open_ctl();

	CHECK(pthread_create(&thread, NULL, thread_main, &fd) == 0);
	for (;;) {
		int ctl = open_ctl();
		u32 client = alloc_root(ctl);

		probed_ids(ctl, client, &ids);
		if (fork() == 0) {
			probed_ids(ctl, client, &ids);
			_exit(0);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		close(ctl);
	}
}

/* Prints its client handle and holds the file until standard input ends. */
static int cmd_hold(int argc, char **argv)
{
	u32 client = alloc_root(open_ctl());
	char byte;

	printf("%u\n", client);
	fflush(stdout);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	return 0;
}

/* Another process's client is out of reach, whoever asks. */
static int cmd_foreign(int argc, char **argv)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	int fd = open_ctl();
	u32 client = argc > 0 ? (u32)strtoul(argv[0], NULL, 10) : 0;

	if (argc > 1) {
		gid_t gid = (gid_t)atoi(argv[1]);
		int other;

		CHECK(setgid(gid) == 0 && setuid((uid_t)gid) == 0);
		other = open_ctl();
		CHECK(probed_ids(other, client, &ids) == NV_ERR_INVALID_CLIENT);
		close(other);
	}
	CHECK(probed_ids(fd, client, &ids) == NV_ERR_INVALID_CLIENT);
	return 0;
}

/* The daemon is gone: an error, and no wait. */
static int cmd_orphan(int argc, char **argv)
{
	nv_ioctl_rm_api_version_t v = { .cmd = NV_RM_API_VERSION_CMD_QUERY };
	int fd = open_ctl();
	char byte;

	query_version(fd);
	printf("ready\n");
	fflush(stdout);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	CHECK(ioctl(fd, IOC(NV_ESC_CHECK_VERSION_STR, nv_ioctl_rm_api_version_t), &v) == -1);
	CHECK(errno == ENXIO || errno == ENODEV || errno == EACCES);
	CHECK(open("/dev/nvidiactl", O_RDWR) == -1);
	return 0;
}

/* The two ends of the GPU's link agree, and both are told. */
static int cmd_link(int argc, char **argv)
{
	NV2080_CTRL_BUS_GET_INFO_V2_PARAMS p = { .busInfoListSize = 5 };
	static const u32 indices[] = { NV2080_CTRL_BUS_INFO_INDEX_PCIE_ROOT_LINK_CAPS,
				       NV2080_CTRL_BUS_INFO_INDEX_PCIE_DOWNSTREAM_LINK_CAPS,
				       NV2080_CTRL_BUS_INFO_INDEX_PCIE_ROOT_LINK_CTRL_STATUS,
				       NV2080_CTRL_BUS_INFO_INDEX_PCIE_DOWNSTREAM_LINK_CTRL_STATUS,
				       NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CTRL_STATUS };
	struct gpu_client c;

	gpu_open(&c);
	for (u32 i = 0; i < ARRAY_SIZE(indices); i++)
		p.busInfoList[i].index = indices[i];
	CHECK(control(c.ctl, c.client, HANDLE_SUBDEVICE, NV2080_CTRL_CMD_BUS_GET_INFO_V2, &p,
		      sizeof(p)) == NV_OK);
	CHECK((p.busInfoList[0].data & 0x3ff) == (16 << 4 | 5));
	CHECK(p.busInfoList[1].data == p.busInfoList[0].data);
	CHECK(p.busInfoList[4].data >> 16 & 0x3ff);
	CHECK((p.busInfoList[2].data >> 16 & 0x3ff) == (p.busInfoList[4].data >> 16 & 0x3ff));
	CHECK(p.busInfoList[3].data == p.busInfoList[2].data);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "query", cmd_query },
	{ "basics", cmd_basics },
	{ "refused", cmd_refused },
	{ "files", cmd_files },
	{ "descriptors", cmd_descriptors },
	{ "faults", cmd_faults },
	{ "threads", cmd_threads },
	{ "signals", cmd_signals },
	{ "poll", cmd_poll },
	{ "churn", cmd_churn },
	{ "hold", cmd_hold },
	{ "foreign", cmd_foreign },
	{ "orphan", cmd_orphan },
	{ "vfork", cmd_vfork },
	{ "moves", cmd_moves },
	{ "jumps", cmd_jumps },
	{ "listing", cmd_listing },
	{ "inherited", cmd_inherited },
	{ "groups", cmd_groups },
	{ "stopped", cmd_stopped },
	{ "link", cmd_link },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	}
	fprintf(stderr, "client: which test?\n");
	return 2;
}
