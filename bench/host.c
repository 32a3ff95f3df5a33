// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The surroundings of benchmarks with the user-space host. */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/user/handoff.h"

#define ECHO_SPIN_NS 6000u  /* as the daemon */
#define CALL_SPIN_NS 20000u /* as its clients */
#define IDLE_US 2000000

char host_leafhopper[PATH_MAX], host_libraries[PATH_MAX];

const char *host_begin(void)
{
	static char self[PATH_MAX];
	char top[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		host_fail("self");
	self[n] = 0;
	strcpy(top, self);
	/* BUILD/bench/bench_NAME */
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(top, '/');

		if (slash)
			*slash = 0;
	}
	snprintf(host_leafhopper, PATH_MAX, "%.*s/host/user/leafhopper", PATH_MAX - 128, top);
	snprintf(host_libraries, PATH_MAX, "%.*s/../nvidia/usr/lib/x86_64-linux-gnu/nvidia/current",
		 PATH_MAX - 128, top);
	setenv("LD_LIBRARY_PATH", host_libraries, 1);
	return self;
}

/* -- Lines ------------------------------------------------------------------------------------- */

static void line(const char *what, double value, const char *relation, double goal, bool met)
{
	printf("%-58s %9.2f  goal %s %-7.2f %s\n", what, value, relation, goal,
	       met ? "PASS" : "MISS");
	fflush(stdout);
}

void host_report(const char *what, double value, double goal)
{
	line(what, value, "<=", goal, value <= goal);
}

void host_report_least(const char *what, double value, double goal)
{
	line(what, value, ">=", goal, value >= goal);
}

void host_skip(const char *what, const char *why)
{
	printf("%-58s left out: %s\n", what, why);
	fflush(stdout);
}

void host_fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* -- Programs ---------------------------------------------------------------------------------- */

void host_run(const char *program, const char *argument)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl(host_leafhopper, host_leafhopper, "run", "--", program, argument, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		host_fail("a client of its own");
}

double host_usage_us(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

double host_spawn_us(char *const argv[], double *cpu)
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
		host_fail(argv[argv[1] ? 1 : 0]);
	*cpu = host_usage_us(&usage);
	return (double)(handoff_now() - begin) / 1e3;
}

double host_ran_ns(pid_t pid)
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

void host_report_idle(pid_t pid, const char *name, const char *what)
{
	double before = host_ran_ns(pid), after;

	usleep(IDLE_US);
	after = host_ran_ns(pid);
	if (before < 0 || after < 0)
		host_skip(name, "the kernel does not tell run times");
	else
		host_report(what, (after - before) / (IDLE_US * 10.0), 0);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double host_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

/* -- The daemon, and CPUs ---------------------------------------------------------------------- */

pid_t host_daemon(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred cred = { 0 };
	socklen_t size = sizeof(cred);
	int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (!path)
		path = getenv("LEAFHOPPER_SOCKET");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		host_fail("connect");
	close(sock);
	return cred.pid;
}

static const cpu_set_t *allowed(void)
{
	static cpu_set_t set;

	if (!CPU_COUNT(&set) && sched_getaffinity(0, sizeof(set), &set))
		host_fail("sched_getaffinity");
	return &set;
}

int host_cpus(void)
{
	return CPU_COUNT(allowed());
}

void host_pin(pid_t tid, int number)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, allowed()) && seen++ == number % host_cpus())
			CPU_SET(cpu, &one);
	}
	sched_setaffinity(tid, sizeof(one), &one);
}

void host_pin_all(pid_t pid, int number)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;

	allowed();
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] != '.')
			host_pin(atoi(entry->d_name), number);
	}
	if (tasks)
		closedir(tasks);
}

/* -- The bare round trip ----------------------------------------------------------------------- */

static struct echo {
	_Alignas(64) u32 request;
	u32 caller_sleeps;
	_Alignas(64) u32 reply;
	u32 echo_sleeps;
} * echo;
static pid_t echo_pid;

static void echo_main(void)
{
	u32 seen = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (!handoff_spin(&echo->request, seen, ECHO_SPIN_NS))
			handoff_sleep(&echo->request, seen, &echo->echo_sleeps, NULL);
		if (__atomic_load_n(&echo->request, __ATOMIC_ACQUIRE) == seen)
			continue;
		seen++;
		handoff_post(&echo->reply, seen, &echo->caller_sleeps);
	}
}

void host_echo_start(int cpu)
{
	echo = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (echo == MAP_FAILED)
		host_fail("mmap");
	echo_pid = fork();
	if (echo_pid == 0) {
		host_pin(0, cpu);
		echo_main();
	}
}

double host_echo_ns(u32 count)
{
	static u32 sent;
	u64 begin = handoff_now();

	for (u32 i = 0; i < count; i++) {
		handoff_post(&echo->request, ++sent, &echo->echo_sleeps);
		while (!handoff_spin(&echo->reply, sent - 1, CALL_SPIN_NS))
			handoff_sleep(&echo->reply, sent - 1, &echo->caller_sleeps, NULL);
	}
	return (double)(handoff_now() - begin) / count;
}

void host_echo_stop(void)
{
	kill(echo_pid, SIGKILL);
	waitpid(echo_pid, NULL, 0);
}
