// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The benchmarks' machine: the unit tests' host with one software H100, a client and the objects
 * that controls go to.
 */
#include "machine.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "rm_host.h"

#define DEVICE MACHINE_DEVICE
#define SUBDEVICE 0x1001u

static struct {
	int control, node;
	struct rm_file *file; /* of control */
	u32 client;
} machine;

void machine_must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(2);
}

/* As host_control, without a test's assertions in what is timed. */
static void control(u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = machine.client,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};

	machine_must(rm_ioctl(machine.file, REQUEST(NV_ESC_RM_CONTROL, sizeof(p)),
			      (u64)(uintptr_t)&p) == RM_IOCTL_OK &&
			     p.status == NV_OK,
		     "control");
}

const struct machine_routed machine_routed[MACHINE_CONTROLS] = {
	{ "4 bytes", 0x2080a068, 4, 300 },
	{ "1 KiB", NV2080_CTRL_CMD_GPU_QUERY_ECC_STATUS, 984, 200 },
	{ "7 KiB", 0x2080a618, 6944, 60 },
	{ "86 KiB", 0x2080a637, 88024, 10 },
};

void machine_control(u32 cmd, void *params, u32 size)
{
	control(SUBDEVICE, cmd, params, size);
}

void machine_cheap(void)
{
	NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_PARAMS params = { 0 };

	control(machine.client, NV0000_CTRL_CMD_SYSTEM_GET_PRIVILEGED_STATUS, &params,
		sizeof(params));
}

u32 machine_client(void)
{
	return machine.client;
}

void machine_request(u32 number, void *params, u32 size)
{
	machine_must(rm_ioctl(machine.file, REQUEST(number, size), (u64)(uintptr_t)params) ==
			     RM_IOCTL_OK,
		     "ioctl");
}

static void make(u32 parent, u32 handle, u32 class_id, void *params, u32 size)
{
	machine_must(host_alloc(machine.control, machine.client, parent, &handle, class_id, params,
				size) == NV_OK,
		     "alloc");
}

void machine_make(u32 handle, u32 class_id, void *params)
{
	make(DEVICE, handle, class_id, params, 0);
}

static void open_as(bool lend, enum h100_cc cc)
{
	const struct fixture_gpu_config gpu = { .no_lending = !lend, .cc = cc };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };

	mallopt(M_TRIM_THRESHOLD, (int)MIB(1)); /* as the daemon */
	mallopt(M_MMAP_THRESHOLD, (int)MIB(1));
	os_user_set_copy_ops(&os_user_copy_trusted, NULL);
	os_user_set_tee(cc == H100_CC_OFF ? OS_TEE_NONE : OS_TEE_TDX);
	host_start_like(1, &gpu);
	machine.control = host_open(RM_NODE_CONTROL, 0);
	machine_must(machine.control >= 0, "open");
	machine.node = host_open(RM_NODE_GPU, 0);
	machine_must(machine.node >= 0, "boot");
	machine.file = host.fds[machine.control].file;
	machine.client = host_client(machine.control);
	make(machine.client, DEVICE, NV01_DEVICE_0, &device, sizeof(device));
	make(DEVICE, SUBDEVICE, NV20_SUBDEVICE_0, &subdevice, sizeof(subdevice));
}

void machine_open(bool lend)
{
	open_as(lend, H100_CC_OFF);
}

void machine_open_cc(bool lend)
{
	open_as(lend, H100_CC_ON);
}

void machine_close(void)
{
	host_stop();
}

void machine_report(const char *what, const char *size, double value, double goal)
{
	char text[96];

	snprintf(text, sizeof(text), "%s%s%s", what, *size ? ", " : "", size);
	printf("%-58s %9.2f  goal <= %-7.2f %s\n", text, value, goal,
	       value <= goal ? "PASS" : "MISS");
	fflush(stdout);
}
