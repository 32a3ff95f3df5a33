// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The user-space host: a control through preload library and daemon against the bare round trip
 * over shared memory with the same way of waiting; and, where NVIDIA's nvidia-smi is unpacked, a
 * machine of its own against a shared one, in time and in CPU time. An idle daemon is to use none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/r535.h"
#include "host/user/handoff.h"

#define ROUNDS 400 /* short ones: some fall between what else runs on the machine */
#define CALLS 300
#define SMI_RUNS 15
#define SETTLE_US 300000
#define IDLE_US 2000000
#define ECHO_SPIN_NS 6000u  /* as the daemon */
#define CALL_SPIN_NS 20000u /* as its clients */

static char leafhopper[PATH_MAX];
static char smi[PATH_MAX];

static void report(const char *what, double value, double goal)
{
	printf("%-58s %9.2f  goal <= %-7.2f %s\n", what, value, goal,
	       value <= goal ? "PASS" : "MISS");
	fflush(stdout);
}

static unsigned int skipped;

static void skip(const char *what, const char *why)
{
	printf("%-58s left out: %s\n", what, why);
	skipped++;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_host: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* -- One control ------------------------------------------------------------------------------- */

struct echo {
	_Alignas(64) u32 request;
	u32 caller_sleeps;
	_Alignas(64) u32 reply;
	u32 echo_sleeps;
};

static void echo_main(struct echo *e)
{
	u32 seen = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (!handoff_spin(&e->request, seen, ECHO_SPIN_NS))
			handoff_sleep(&e->request, seen, &e->echo_sleeps, NULL);
		if (__atomic_load_n(&e->request, __ATOMIC_ACQUIRE) == seen)
			continue;
		seen++;
		handoff_post(&e->reply, seen, &e->caller_sleeps);
	}
}

static double echo_ns(struct echo *e)
{
	static u32 sent;
	u64 begin = handoff_now();

	for (u32 i = 0; i < CALLS; i++) {
		handoff_post(&e->request, ++sent, &e->echo_sleeps);
		while (!handoff_spin(&e->reply, sent - 1, CALL_SPIN_NS))
			handoff_sleep(&e->reply, sent - 1, &e->caller_sleeps, NULL);
	}
	return (double)(handoff_now() - begin) / CALLS;
}

static double control_ns(int fd, u32 client)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	u64 begin = handoff_now();

	for (u32 i = 0; i < CALLS; i++) {
		NVOS54_PARAMETERS p = { .hClient = client,
					.hObject = client,
					.cmd = NV0000_CTRL_CMD_GPU_GET_PROBED_IDS,
					.params = (NvP64)(uintptr_t)&ids,
					.paramsSize = sizeof(ids) };

		if (ioctl(fd, _IOWR('F', NV_ESC_RM_CONTROL, NVOS54_PARAMETERS), &p) || p.status)
			fail("control");
	}
	return (double)(handoff_now() - begin) / CALLS;
}

/* Who listens there. */
static pid_t daemon_pid(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred cred = { 0 };
	socklen_t size = sizeof(cred);
	int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		fail("connect");
	close(sock);
	return cred.pid;
}

/* Keeps thread tid on the CPU of that number among those we may use; one CPU serves for all. */
static void pin(pid_t tid, int number)
{
	static cpu_set_t allowed;
	cpu_set_t one;
	int cpus;

	if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof(allowed), &allowed))
		fail("sched_getaffinity");
	cpus = CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && seen++ == number % cpus)
			CPU_SET(cpu, &one);
	}
	sched_setaffinity(tid, sizeof(one), &one);
}

static void pin_all(pid_t pid, int number)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] != '.')
			pin(atoi(entry->d_name), number);
	}
	if (tasks)
		closedir(tasks);
}

/* Runs as a client of a machine of its own. */
static int control_main(void)
{
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	struct echo *e =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double bare = 1e18, control = 1e18;
	pid_t pid;
	int fd = open("/dev/nvidiactl", O_RDWR);

	if (e == MAP_FAILED || fd < 0 ||
	    ioctl(fd, _IOWR('F', NV_ESC_RM_ALLOC, NVOS21_PARAMETERS), &root) || root.status)
		fail("client");
	/* Both pairs on the same two CPUs, so that both wake and spin alike. */
	pid = fork();
	if (pid == 0) {
		pin(0, 1);
		echo_main(e);
	}
	pin_all(daemon_pid(getenv("LEAFHOPPER_SOCKET")), 1);
	pin(0, 0);
	/* By turns, so that both see the same machine; the best of each. */
	for (int i = 0; i < ROUNDS; i++) {
		double a = echo_ns(e), b = control_ns(fd, root.hObjectNew);

		bare = a < bare ? a : bare;
		control = b < control ? b : control;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	report("control through the daemon / bare round trip", control / bare, 2.0);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f ns; bare round trip %.0f\n", control, bare);
	return 0;
}

/* -- nvidia-smi -------------------------------------------------------------------------------- */

static double usage_us(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Microseconds from start to end; CPU time of the program and all it waited for in *cpu. */
static double spawn_us(char *const argv[], double *cpu)
{
	struct rusage usage;
	u64 begin = handoff_now();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) != pid || status)
		fail(argv[argv[1] ? 1 : 0]);
	*cpu = usage_us(&usage);
	return (double)(handoff_now() - begin) / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

/* Inside of a machine: runs the program, and tells its CPU time and ours through the pipe. */
static int told_main(char **argv)
{
	struct rusage program, ours;
	double told[2], cpu;

	spawn_us(argv + 3, &cpu);
	if (getrusage(RUSAGE_CHILDREN, &program) || getrusage(RUSAGE_SELF, &ours))
		fail("getrusage");
	told[0] = usage_us(&program);
	told[1] = usage_us(&ours);
	return write(atoi(argv[2]), told, sizeof(told)) == sizeof(told) ? 0 : 1;
}

/* CPU time of the command, daemon and GPU, from start to end, over that of the program. */
static double cpu_ratio(char *self)
{
	char run[] = "run", dashes[] = "--", told[] = "told", fd[16];
	char *const argv[] = { leafhopper, run, dashes, self, told, fd, smi, NULL };
	double others = 0, program = 0;
	int pipes[2];

	if (pipe(pipes))
		fail("pipe");
	snprintf(fd, sizeof(fd), "%d", pipes[1]);
	for (int i = 0; i < SMI_RUNS; i++) {
		double cpu, got[2];

		spawn_us(argv, &cpu);
		if (read(pipes[0], got, sizeof(got)) != sizeof(got))
			fail("pipe");
		program += got[0];
		others += cpu - got[0] - got[1];
	}
	close(pipes[0]);
	close(pipes[1]);
	return others / program;
}

/* Nanoseconds that all threads of the process ran so far; -1 when the kernel does not say. */
static double ran_ns(pid_t pid)
{
	char path[300];
	struct dirent *entry;
	double sum = 0, ns;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return -1;
	while ((entry = readdir(tasks))) {
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
		file = fopen(path, "r");
		if (!file || fscanf(file, "%lf", &ns) != 1)
			sum = -1;
		else if (sum >= 0)
			sum += ns;
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return sum;
}

static void idle(const char *path)
{
	pid_t pid = daemon_pid(path);
	double before, after;

	usleep(SETTLE_US);
	before = ran_ns(pid);
	usleep(IDLE_US);
	after = ran_ns(pid);
	if (before < 0 || after < 0)
		skip("idle daemon", "the kernel does not tell run times");
	else
		report("CPU time of an idle daemon, percent", (after - before) / (IDLE_US * 10.0),
		       0);
}

static void smi_main(char *self)
{
	char up[] = "up", down[] = "down", enter[] = "enter", run[] = "run", dashes[] = "--";
	char *const start[] = { leafhopper, up, NULL };
	char *const stop[] = { leafhopper, down, NULL };
	char *const shared[] = { leafhopper, enter, dashes, smi, NULL };
	char *const own[] = { leafhopper, run, dashes, smi, NULL };
	char dir[] = "/tmp/bench-host-XXXXXX", path[64];
	double shared_us[SMI_RUNS], own_us[SMI_RUNS], cpu;
	bool have = access(smi, X_OK) == 0;

	if (!mkdtemp(dir))
		fail("mkdtemp");
	snprintf(path, sizeof(path), "%s/m/socket", dir);
	setenv("LEAFHOPPER_SOCKET", path, 1);
	spawn_us(start, &cpu);
	for (int i = 0; have && i < SMI_RUNS; i++) {
		shared_us[i] = spawn_us(shared, &cpu);
		own_us[i] = spawn_us(own, &cpu);
	}
	idle(path);
	spawn_us(stop, &cpu);
	rmdir(dir);
	unsetenv("LEAFHOPPER_SOCKET");
	if (!have) {
		skip("nvidia-smi, own machine / shared machine, time",
		     "nvidia-smi is not unpacked");
		skip("nvidia-smi, CPU time of daemon and GPU / its own",
		     "nvidia-smi is not unpacked");
		return;
	}
	report("nvidia-smi, own machine / shared machine, time",
	       median(own_us, SMI_RUNS) / median(shared_us, SMI_RUNS), 1.5);
	report("nvidia-smi, CPU time of daemon and GPU / its own", cpu_ratio(self), 1.0);
}

static void places(const char *self)
{
	char *slash;

	snprintf(leafhopper, sizeof(leafhopper), "%s", self);
	for (int i = 0; i < 2; i++) {
		slash = strrchr(leafhopper, '/');
		if (slash)
			*slash = 0;
	}
	snprintf(smi, sizeof(smi), "%.*s/../nvidia/usr/lib/nvidia/current/nvidia-smi",
		 PATH_MAX - 64, leafhopper);
	strncat(leafhopper, "/host/user/leafhopper", sizeof(leafhopper) - strlen(leafhopper) - 1);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX], run[] = "run", dashes[] = "--", control[] = "control", libs[PATH_MAX];
	char *const as_client[] = { leafhopper, run, dashes, self, control, NULL };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	pid_t pid;
	int status;

	if (n < 0)
		fail("self");
	self[n] = 0;
	if (argc > 3)
		return told_main(argv);
	if (argc > 1)
		return control_main();
	places(self);
	pid = fork();
	if (pid == 0) {
		execv(leafhopper, as_client);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("a client of its own");
	snprintf(libs, sizeof(libs), "%.*s", PATH_MAX - 64, smi);
	libs[strlen(libs) - strlen("/nvidia/current/nvidia-smi")] = 0;
	strcat(libs, "/x86_64-linux-gnu/nvidia/current");
	setenv("LD_LIBRARY_PATH", libs, 1);
	smi_main(self);
	if (skipped)
		printf("%u left out\n", skipped);
	return 0;
}
