// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The user-space host: a control through preload library and daemon against the bare round trip
 * over shared memory with the same way of waiting; and, where NVIDIA's nvidia-smi is unpacked, a
 * machine of its own against a shared one, in time and in CPU time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/r535.h"
#include "host/user/handoff.h"

#define ROUNDS 15
#define CALLS 4000
#define SMI_RUNS 7
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
	pid = fork();
	if (pid == 0)
		echo_main(e);
	/* By turns, so that both see the same machine; the best of each. */
	for (int i = 0; i < ROUNDS; i++) {
		double a = echo_ns(e), b = control_ns(fd, root.hObjectNew);

		bare = a < bare ? a : bare;
		control = b < control ? b : control;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	report("control through the daemon / bare round trip", control / bare, 2.0);
	return 0;
}

/* -- nvidia-smi -------------------------------------------------------------------------------- */

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
	*cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return (double)(handoff_now() - begin) / 1e3;
}

static void smi_main(void)
{
	char up[] = "up", down[] = "down", enter[] = "enter", run[] = "run", dashes[] = "--";
	char *const start[] = { leafhopper, up, NULL };
	char *const stop[] = { leafhopper, down, NULL };
	char *const shared[] = { leafhopper, enter, dashes, smi, NULL };
	char *const own[] = { leafhopper, run, dashes, smi, NULL };
	char dir[] = "/tmp/bench-host-XXXXXX", path[64];
	double best_shared = 1e18, best_own = 1e18, cpu_shared = 0, cpu_own = 0, cpu;

	if (!mkdtemp(dir))
		fail("mkdtemp");
	snprintf(path, sizeof(path), "%s/m/socket", dir);
	setenv("LEAFHOPPER_SOCKET", path, 1);
	spawn_us(start, &cpu);
	for (int i = 0; i < SMI_RUNS; i++) {
		double us = spawn_us(shared, &cpu);

		best_shared = us < best_shared ? us : best_shared;
		cpu_shared += cpu;
		us = spawn_us(own, &cpu);
		best_own = us < best_own ? us : best_own;
		cpu_own += cpu;
	}
	spawn_us(stop, &cpu);
	rmdir(dir);
	report("nvidia-smi, own machine / shared machine, time", best_own / best_shared, 1.5);
	/* The daemon and its GPU are children of "run": what they add to the program's own. */
	report("nvidia-smi, CPU time of daemon and GPU / its own",
	       (cpu_own - cpu_shared) / cpu_shared, 1.0);
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

int main(void)
{
	char self[PATH_MAX], run[] = "run", dashes[] = "--", libs[PATH_MAX];
	char *const as_client[] = { leafhopper, run, dashes, self, NULL };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	pid_t pid;
	int status;

	if (n < 0)
		fail("self");
	self[n] = 0;
	if (getenv("LEAFHOPPER_SOCKET"))
		return control_main();
	places(self);
	pid = fork();
	if (pid == 0) {
		execv(leafhopper, as_client);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("a client of its own");
	if (access(smi, X_OK)) {
		printf("nvidia-smi is not unpacked: its ratios are left out\n");
		return 0;
	}
	snprintf(libs, sizeof(libs), "%.*s", PATH_MAX - 64, smi);
	libs[strlen(libs) - strlen("/nvidia/current/nvidia-smi")] = 0;
	strcat(libs, "/x86_64-linux-gnu/nvidia/current");
	setenv("LD_LIBRARY_PATH", libs, 1);
	smi_main();
	return 0;
}
