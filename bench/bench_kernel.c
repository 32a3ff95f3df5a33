// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The kernel modules: a control that the driver answers against a null system call, and one that
 * the firmware answers against the bare hand-off to another process and back. Where no module is
 * loaded it says so. On an emulated processor the figures show no more than that it works.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/r535.h"

#define ROUNDS 10u
#define CALLS 50u
#define ROUTED_CONTROL 0x2080a068u /* as bench_rpc's smallest */
#define DEVICE 0xcaf00001u
#define SUBDEVICE 0xcaf00002u

static int control_fd, gpu_fd;
static u32 client;

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static bool emulated(void)
{
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/cpuinfo", "r");

	while (file && fgets(line, sizeof(line), file))
		found |= strstr(line, "TCG") != NULL;
	if (file)
		fclose(file);
	return found;
}

/* -- What is compared -------------------------------------------------------------------------- */

static void null_call(void)
{
	syscall(SYS_getppid);
}

static u32 control(u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = { .hClient = client,
				.hObject = object,
				.cmd = cmd,
				.params = (NvP64)(uintptr_t)params,
				.paramsSize = size };

	must(ioctl(control_fd, _IOWR('F', NV_ESC_RM_CONTROL, NVOS54_PARAMETERS), &p) == 0,
	     "control");
	return p.status;
}

static void cheap(void)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;

	must(control(client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids, sizeof(ids)) == NV_OK,
	     "probed ids");
}

/* Four bytes that the firmware has to be asked for each time. */
static void routed(void)
{
	u32 params = 0;

	must(control(SUBDEVICE, ROUTED_CONTROL, &params, sizeof(params)) == NV_OK,
	     "routed control");
}

static struct {
	int there, back;
	pid_t pid;
} other;

static void start_other(void)
{
	u64 count;

	other.there = eventfd(0, 0);
	other.back = eventfd(0, 0);
	must(other.there >= 0 && other.back >= 0, "eventfd");
	other.pid = fork();
	must(other.pid >= 0, "fork");
	if (other.pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(other.there, &count, sizeof(count)) == sizeof(count))
		must(write(other.back, &count, sizeof(count)) == sizeof(count), "write");
	_exit(1);
}

static void hand_off(void)
{
	u64 count = 1;

	must(write(other.there, &count, sizeof(count)) == sizeof(count) &&
		     read(other.back, &count, sizeof(count)) == sizeof(count),
	     "hand-off");
}

/* -- Running them ------------------------------------------------------------------------------ */

static void open_gpu(void)
{
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	const struct {
		u32 handle, class_id;
		void *params;
		u32 size;
	} objects[] = {
		{ 0, NV01_ROOT, NULL, 0 },
		{ DEVICE, NV01_DEVICE_0, &device, sizeof(device) },
		{ SUBDEVICE, NV20_SUBDEVICE_0, &subdevice, sizeof(subdevice) },
	};
	u32 parent = 0;

	control_fd = open("/dev/nvidiactl", O_RDWR | O_CLOEXEC);
	gpu_fd = open("/dev/nvidia0", O_RDWR | O_CLOEXEC);
	must(control_fd >= 0 && gpu_fd >= 0, "/dev/nvidia0");
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		NVOS64_PARAMETERS p = { .hRoot = client,
					.hObjectParent = parent,
					.hObjectNew = objects[i].handle,
					.hClass = objects[i].class_id,
					.pAllocParms = (NvP64)(uintptr_t)objects[i].params,
					.paramsSize = objects[i].size };

		must(ioctl(control_fd, _IOWR('F', NV_ESC_RM_ALLOC, NVOS64_PARAMETERS), &p) == 0 &&
			     p.status == NV_OK,
		     "alloc");
		parent = p.hObjectNew;
		if (i == 0)
			client = parent;
	}
}

static double measure(void (*call)(void))
{
	double start = now();

	for (u32 i = 0; i < CALLS; i++)
		call();
	return (now() - start) / CALLS;
}

int main(void)
{
	void (*const calls[])(void) = { null_call, cheap, hand_off, routed };
	double best[] = { 1e18, 1e18, 1e18, 1e18 };
	bool judged = !emulated();
	struct stat st;

	if (stat("/dev/nvidia0", &st) || !S_ISCHR(st.st_mode)) {
		printf("%-58s left out: no GPU of the modules here\n",
		       "controls through the modules");
		return 0;
	}
	open_gpu();
	start_other();
	/* By turns, so that all see the same machine; the best of each. */
	for (u32 round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			double value = measure(calls[i]);

			best[i] = value < best[i] ? value : best[i];
		}
	kill(other.pid, SIGKILL);
	waitpid(other.pid, NULL, 0);
	printf("%-58s %9.2f  goal <= %-7.2f %s\n", "modules: cheap control / null system call",
	       best[1] / best[0], 3.0, judged ? best[1] <= 3 * best[0] ? "PASS" : "MISS" : "(TCG)");
	printf("%-58s %9.2f  goal <= %-7.2f %s\n",
	       "modules: routed control / hand-off to a process", best[3] / best[2], 2.0,
	       judged ? best[3] <= 2 * best[2] ? "PASS" : "MISS" : "(TCG)");
	if (getenv("BENCH_TIMES"))
		printf("null %.0f ns, cheap %.0f ns, hand-off %.0f ns, routed %.0f ns\n", best[0],
		       best[1], best[2], best[3]);
	return 0;
}
