// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The user-space host: a control through preload library and daemon against the bare round trip
 * over shared memory with the same way of waiting; and, where NVIDIA's nvidia-smi is unpacked, a
 * machine of its own against a shared one, in time and in CPU time. An idle daemon is to use none.
 */
#include "host.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/r535.h"
#include "host/user/handoff.h"

#define ROUNDS 400 /* short ones: some fall between what else runs on the machine */
#define CALLS 300
#define SMI_RUNS 15
#define SETTLE_US 300000

static char smi[PATH_MAX];

/* -- One control ------------------------------------------------------------------------------- */

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
			host_fail("control");
	}
	return (double)(handoff_now() - begin) / CALLS;
}

/* Runs as a client of a machine of its own. */
static int control_main(void)
{
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	double bare = 1e18, control = 1e18;
	int fd = open("/dev/nvidiactl", O_RDWR);

	if (fd < 0 || ioctl(fd, _IOWR('F', NV_ESC_RM_ALLOC, NVOS21_PARAMETERS), &root) ||
	    root.status)
		host_fail("client");
	/* Both pairs on the same two CPUs, so that both wake and spin alike. */
	host_echo_start(1);
	host_pin_all(host_daemon(NULL), 1);
	host_pin(0, 0);
	/* By turns, so that both see the same machine; the best of each. */
	for (int i = 0; i < ROUNDS; i++) {
		double a = host_echo_ns(CALLS), b = control_ns(fd, root.hObjectNew);

		bare = a < bare ? a : bare;
		control = b < control ? b : control;
	}
	host_echo_stop();
	host_report("control through the daemon / bare round trip", control / bare, 2.0);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f ns; bare round trip %.0f\n", control, bare);
	return 0;
}

/* -- nvidia-smi -------------------------------------------------------------------------------- */

/* Inside of a machine: runs the program, and tells its CPU time and ours through the pipe. */
static int told_main(char **argv)
{
	struct rusage program, ours;
	double told[2], cpu;

	host_spawn_us(argv + 3, &cpu);
	if (getrusage(RUSAGE_CHILDREN, &program) || getrusage(RUSAGE_SELF, &ours))
		host_fail("getrusage");
	told[0] = host_usage_us(&program);
	told[1] = host_usage_us(&ours);
	return write(atoi(argv[2]), told, sizeof(told)) == sizeof(told) ? 0 : 1;
}

/* CPU time of the command, daemon and GPU, from start to end, over that of the program. */
static double cpu_ratio(const char *self)
{
	char run[] = "run", dashes[] = "--", told[] = "told", fd[16];
	char *const argv[] = { host_leafhopper, run, dashes, (char *)self, told, fd, smi, NULL };
	double others = 0, program = 0;
	int pipes[2];

	if (pipe(pipes))
		host_fail("pipe");
	snprintf(fd, sizeof(fd), "%d", pipes[1]);
	for (int i = 0; i < SMI_RUNS; i++) {
		double cpu, got[2];

		host_spawn_us(argv, &cpu);
		if (read(pipes[0], got, sizeof(got)) != sizeof(got))
			host_fail("pipe");
		program += got[0];
		others += cpu - got[0] - got[1];
	}
	close(pipes[0]);
	close(pipes[1]);
	return others / program;
}

static void idle(const char *path)
{
	pid_t daemon = host_daemon(path);

	usleep(SETTLE_US);
	host_report_idle(daemon, "idle daemon", "CPU time of an idle daemon, percent");
}

static void smi_main(const char *self)
{
	char up[] = "up", down[] = "down", enter[] = "enter", run[] = "run", dashes[] = "--";
	char *const start[] = { host_leafhopper, up, NULL };
	char *const stop[] = { host_leafhopper, down, NULL };
	char *const shared[] = { host_leafhopper, enter, dashes, smi, NULL };
	char *const own[] = { host_leafhopper, run, dashes, smi, NULL };
	char dir[] = "/tmp/bench-host-XXXXXX", path[64];
	double shared_us[SMI_RUNS], own_us[SMI_RUNS], cpu;
	bool have = access(smi, X_OK) == 0;

	if (!mkdtemp(dir))
		host_fail("mkdtemp");
	snprintf(path, sizeof(path), "%s/m/socket", dir);
	setenv("LEAFHOPPER_SOCKET", path, 1);
	host_spawn_us(start, &cpu);
	for (int i = 0; have && i < SMI_RUNS; i++) {
		shared_us[i] = host_spawn_us(shared, &cpu);
		own_us[i] = host_spawn_us(own, &cpu);
	}
	idle(path);
	host_spawn_us(stop, &cpu);
	rmdir(dir);
	unsetenv("LEAFHOPPER_SOCKET");
	if (!have) {
		host_skip("nvidia-smi, own machine / shared machine, time",
			  "nvidia-smi is not unpacked");
		host_skip("nvidia-smi, CPU time of daemon and GPU / its own",
			  "nvidia-smi is not unpacked");
		return;
	}
	host_report("nvidia-smi, own machine / shared machine, time",
		    host_median(own_us, SMI_RUNS) / host_median(shared_us, SMI_RUNS), 1.5);
	host_report("nvidia-smi, CPU time of daemon and GPU / its own", cpu_ratio(self), 1.0);
}

int main(int argc, char **argv)
{
	const char *self = host_begin();

	if (argc > 3)
		return told_main(argv);
	if (argc > 1)
		return control_main();
	/* Its folder is next to the libraries'. */
	snprintf(smi, sizeof(smi), "%.*s/../../../nvidia/current/nvidia-smi", PATH_MAX - 64,
		 host_libraries);
	host_run(self, "control");
	smi_main(self);
	return 0;
}
