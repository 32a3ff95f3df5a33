// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libcuda as a client of the user-space host: what driver and GPU use while it makes a context,
 * copies of pinned memory, and two copies at once. Left out where libcuda is not unpacked.
 */
#include "host.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "host/user/handoff.h"
#include "tests/cuda/driver.h"

#define CONTEXTS 12
#define SETTLE_US 5000 /* until the GPU has nothing to do */
#define COPY_BYTES MIB(64)
#define COPIES 20
#define CPUS_FOR_TWO 4

#define CONTEXT "cuCtxCreate, CPU time of driver and GPU / libcuda's"
#define TWO "two copy engines at once, blocking sync, times one"
#define COPY "pinned memory, 64 MiB, part of memcpy's speed"

/* -- A context's channels ---------------------------------------------------------------------- */

static double own_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static cu_device device(const struct cu_driver *cu)
{
	cu_device device;

	CU(cuInit(0));
	CU(cuDeviceGet(&device, 0));
	return device;
}

/* A client. Tells the least that the daemon used for a context, and the least of libcuda's. */
static void context_main(int out)
{
	const struct cu_driver *cu = cu_load();
	cu_device gpu = device(cu);
	pid_t pid = host_daemon(NULL);
	double told[2] = { 1e18, 1e18 };

	for (u32 i = 0; i < CONTEXTS; i++) {
		cu_context context;
		double daemon, own;

		usleep(SETTLE_US);
		daemon = host_ran_ns(pid);
		own = own_ns();
		CU(cuCtxCreate(&context, 0, gpu));
		own = own_ns() - own;
		usleep(SETTLE_US);
		if (daemon < 0)
			told[0] = -1;
		else
			told[0] = min(told[0], host_ran_ns(pid) - daemon);
		told[1] = min(told[1], own);
		CU(cuCtxDestroy(context));
	}
	if (write(out, told, sizeof(told)) != sizeof(told))
		host_fail("pipe");
}

/* What a client told, on so many CPUs (0: all). */
static void ask_context(const char *self, int cpus, double told[2])
{
	int pipes[2], status;
	char word[32];
	pid_t pid;

	if (pipe(pipes))
		host_fail("pipe");
	snprintf(word, sizeof(word), "context%d", pipes[1]);
	pid = fork();
	if (pid == 0) {
		if (cpus)
			host_pin(0, 0);
		host_run(self, word);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status ||
	    read(pipes[0], told, 2 * sizeof(*told)) != 2 * (ssize_t)sizeof(*told))
		host_fail("a client of libcuda");
	close(pipes[0]);
	close(pipes[1]);
}

/*
 * libcuda's own time is that of a machine with one CPU, where nobody spins until the other answers;
 * what the preload library does on its way is in it.
 */
static void contexts(const char *self)
{
	double all[2], one[2];

	ask_context(self, 0, all);
	ask_context(self, 1, one);
	if (all[0] < 0) {
		host_skip(CONTEXT, "the kernel does not tell run times");
		return;
	}
	host_report(CONTEXT, all[0] / one[1], 1);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f us; libcuda %.0f, waiting included %.0f\n", all[0] / 1e3,
		       one[1] / 1e3, all[1] / 1e3);
}

/* -- Copies ------------------------------------------------------------------------------------ */

struct copies {
	const struct cu_driver *cu;
	cu_stream stream[2];
	cu_pointer device[2];
	void *host[2];
};

/* Starts the copy on the stream: the first's into video memory, the other's out of it. */
static void start(const struct copies *c, u32 which)
{
	const struct cu_driver *cu = c->cu;

	if (which == 0)
		CU(cuMemcpyHtoDAsync(c->device[0], c->host[0], COPY_BYTES, c->stream[0]));
	else
		CU(cuMemcpyDtoHAsync(c->host[1], c->device[1], COPY_BYTES, c->stream[1]));
}

static double copy_ns(const struct copies *c, bool first, bool second)
{
	const struct cu_driver *cu = c->cu;
	u64 begin = handoff_now();

	if (first)
		start(c, 0);
	if (second)
		start(c, 1);
	if (first)
		CU(cuStreamSynchronize(c->stream[0]));
	if (second)
		CU(cuStreamSynchronize(c->stream[1]));
	return (double)(handoff_now() - begin);
}

/* A client: one after the other takes how many times as long as both at once. */
static void two_main(bool judged)
{
	const struct cu_driver *cu = cu_load();
	double first = 1e18, second = 1e18, both = 1e18;
	struct copies c = { .cu = cu };
	cu_context context;

	CU(cuCtxCreate(&context, CU_CONTEXT_BLOCKING_SYNC, device(cu)));
	for (u32 i = 0; i < 2; i++) {
		CU(cuStreamCreate(&c.stream[i], CU_STREAM_NON_BLOCKING));
		CU(cuMemAlloc(&c.device[i], COPY_BYTES));
		CU(cuMemAllocHost(&c.host[i], COPY_BYTES));
		memset(c.host[i], (int)i, COPY_BYTES);
	}
	for (u32 i = 0; i < COPIES; i++) {
		first = min(first, copy_ns(&c, true, false));
		second = min(second, copy_ns(&c, false, true));
		both = min(both, copy_ns(&c, true, true));
	}
	if (judged)
		host_report_least(TWO, (first + second) / both, 1.5);
	if (getenv("BENCH_TIMES"))
		printf("  %.2f with %d CPUs: %.0f us and %.0f us, at once %.0f us\n",
		       (first + second) / both, host_cpus(), first / 1e3, second / 1e3, both / 1e3);
	CU(cuCtxDestroy(context));
}

static void two(const char *self)
{
	const bool judged = host_cpus() >= CPUS_FOR_TWO;

	if (!judged)
		host_skip(TWO, "fewer than 4 CPUs");
	if (judged || getenv("BENCH_TIMES"))
		host_run(self, judged ? "two" : "shown");
}

/* The tests' client measures it, and verifies what it copied. */
static void speed(const char *self)
{
	char command[2 * PATH_MAX], line[256];
	u32 seen = 0;
	FILE *client;

	/* BUILD/bench/bench_cuda, BUILD/tests/cuda/cuda_copy */
	snprintf(command, sizeof(command), "%s run -- %.*s/../tests/cuda/cuda_copy speed",
		 host_leafhopper, (int)(strrchr(self, '/') - self), self);
	client = popen(command, "r");
	while (client && fgets(line, sizeof(line), client)) {
		const char *part = strstr(line, " at ");
		char what[96];

		if (!part)
			continue;
		snprintf(what, sizeof(what), COPY "%s", seen++ ? ", back" : "");
		host_report_least(what, atof(part + strlen(" at ")), 0.8);
	}
	if (!client || pclose(client) || seen != 2)
		host_fail("cuda_copy");
}

int main(int argc, char **argv)
{
	const char *self = host_begin();
	char library[PATH_MAX + 32];

	if (argc > 1 && !strncmp(argv[1], "context", strlen("context"))) {
		context_main(atoi(argv[1] + strlen("context")));
		return 0;
	}
	if (argc > 1) {
		two_main(!strcmp(argv[1], "two"));
		return 0;
	}
	snprintf(library, sizeof(library), "%s/libcuda.so.1", host_libraries);
	if (access(library, R_OK)) {
		host_skip(CONTEXT, "libcuda is not unpacked");
		host_skip(TWO, "libcuda is not unpacked");
		host_skip(COPY, "libcuda is not unpacked");
		return 0;
	}
	contexts(self);
	speed(self);
	two(self);
	return 0;
}
