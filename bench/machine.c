// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The benchmarks' machine: a software H100 on the bus of os/user, the resource manager, a client.
 */
#include "machine.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/r535.h"
#include "h100/h100.h"
#include "rm/gsp/firmware.h"
#include "rm/rm.h"

/* _IOWR('F', number, type) */
#define REQUEST(number, type) (3u << 30 | (u32)sizeof(type) << 16 | 'F' << 8 | (number))
#define DEVICE 0x1000u
#define SUBDEVICE 0x1001u

struct machine {
	struct h100 *model;
	struct os_pci_dev *pci;
	struct rm *rm;
	struct rm_gpu *gpu;
	struct rm_file *control, *node;
	u32 client;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(2);
}

/* -- The wires between GPU and driver ---------------------------------------------------------- */

static bool dma_read(void *ctx, u64 address, void *data, size_t size)
{
	struct machine *m = ctx;

	return m->pci && os_user_dma_read(m->pci, address, data, size);
}

static bool dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	struct machine *m = ctx;

	return m->pci && os_user_dma_write(m->pci, address, data, size);
}

static void msix(void *ctx, u64 address, u32 data)
{
	struct machine *m = ctx;

	if (m->pci)
		os_user_pci_interrupt(m->pci, data & 0xffffu);
}

static void dma_begin(void *ctx)
{
	struct machine *m = ctx;

	if (m->pci)
		os_user_dma_hold(m->pci);
}

static void dma_end(void *ctx)
{
	struct machine *m = ctx;

	if (m->pci)
		os_user_dma_release(m->pci);
}

static void kick(void *ctx)
{
	struct machine *m = ctx;

	if (m->pci)
		os_user_pci_kick(m->pci);
}

static bool waiting(void *ctx)
{
	struct machine *m = ctx;

	return m->pci && os_user_pci_waiting(m->pci);
}

static u64 now_ns(void *ctx)
{
	return os_time_ns();
}

static void log_line(void *ctx, int level, const char *text)
{
}

static u32 cfg_read(void *ctx, u32 offset, u32 width)
{
	return h100_cfg_read(((struct machine *)ctx)->model, offset, width);
}

static void cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
	h100_cfg_write(((struct machine *)ctx)->model, offset, width, value);
}

static u64 bar_size(void *ctx, u32 bar)
{
	return h100_bar_size(((struct machine *)ctx)->model, bar);
}

static u64 bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	return h100_bar_read(((struct machine *)ctx)->model, bar, offset, width);
}

static void bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
	h100_bar_write(((struct machine *)ctx)->model, bar, offset, width, value);
}

static bool lend_thread(void *ctx)
{
	return h100_lend(((struct machine *)ctx)->model);
}

static const struct os_user_pci_ops bus_ops = {
	.cfg_read = cfg_read,
	.cfg_write = cfg_write,
	.bar_size = bar_size,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.lend = lend_thread,
};

static struct rm_file *file_get(s32 fd)
{
	return NULL;
}

static void file_put(struct rm_file *file)
{
}

static void file_notify(struct rm_file *file, void *host_ctx)
{
}

static const struct rm_host_ops host_ops = {
	.file_get = file_get,
	.file_put = file_put,
	.file_notify = file_notify,
};

/* -- Requests ---------------------------------------------------------------------------------- */

static void request(struct machine *m, u32 request, void *params)
{
	must(rm_ioctl(m->control, request, (u64)(uintptr_t)params) == RM_IOCTL_OK, "ioctl");
}

static u32 make(struct machine *m, u32 parent, u32 handle, u32 class_id, void *params)
{
	NVOS21_PARAMETERS p = {
		.hRoot = m->client,
		.hObjectParent = parent,
		.hObjectNew = handle,
		.hClass = class_id,
		.pAllocParms = (NvP64)(uintptr_t)params,
	};

	request(m, REQUEST(NV_ESC_RM_ALLOC, p), &p);
	must(p.status == NV_OK, "alloc");
	return p.hObjectNew;
}

static void control(struct machine *m, u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = m->client,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};

	request(m, REQUEST(NV_ESC_RM_CONTROL, p), &p);
	must(p.status == NV_OK, "control");
}

void machine_control(struct machine *machine, u32 cmd, void *params, u32 size)
{
	control(machine, SUBDEVICE, cmd, params, size);
}

void machine_cheap(struct machine *machine)
{
	NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_PARAMS params = { 0 };

	control(machine, machine->client, NV0000_CTRL_CMD_SYSTEM_GET_PRIVILEGED_STATUS, &params,
		sizeof(params));
}

/* -- Making and unmaking ----------------------------------------------------------------------- */

static char *load_profile(size_t *size)
{
	FILE *file = fopen(BENCH_PROFILE, "r");
	char *text = malloc(KIB(64));

	must(file && text, "profile");
	*size = fread(text, 1, KIB(64), file);
	fclose(file);
	return text;
}

struct machine *machine_open(bool lend)
{
	static const struct rm_config config = { .host = &host_ops };
	static const struct os_pci_location location = { .bus = 1 };
	struct machine *m = calloc(1, sizeof(*m));
	struct h100_host host = {
		.ctx = m,
		.dma_read = dma_read,
		.dma_write = dma_write,
		.dma_begin = dma_begin,
		.dma_end = dma_end,
		.msix = msix,
		.now_ns = now_ns,
		.log = log_line,
		.kick = kick,
		.waiting = waiting,
	};
	struct h100_config model = { .count = 1, .threads = true, .lending = lend };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	char *profile = load_profile(&model.profile_size);
	const void *image;
	size_t size;

	must(m, "calloc");
	mallopt(M_TRIM_THRESHOLD, (int)MIB(1)); /* as the daemon */
	mallopt(M_MMAP_THRESHOLD, (int)MIB(1));
	os_user_set_copy_ops(&os_user_copy_trusted, NULL);
	model.profile = profile;
	must(h100_create(&host, &model, &m->model) == NV_OK, "h100_create");
	free(profile);
	image = h100_firmware_image(&size);
	must(os_user_firmware_register(GSP_FIRMWARE_NAME, image, size) == NV_OK, "firmware");
	m->pci = os_user_pci_register(&bus_ops, m, &location);
	must(m->pci, "pci");
	os_user_pci_set_lending(m->pci, lend);
	must(rm_create(&config, &m->rm) == NV_OK, "rm_create");
	must(rm_gpu_add(m->rm, m->pci, 0, &m->gpu) == NV_OK, "rm_gpu_add");
	must(rm_file_open(m->rm, RM_NODE_CONTROL, 0, NULL, &m->control) == NV_OK, "open");
	must(rm_file_open(m->rm, RM_NODE_GPU, 0, NULL, &m->node) == NV_OK, "boot");
	m->client = make(m, 0, 0, NV01_ROOT, NULL);
	make(m, m->client, DEVICE, NV01_DEVICE_0, &device);
	make(m, DEVICE, SUBDEVICE, NV20_SUBDEVICE_0, &subdevice);
	return m;
}

void machine_close(struct machine *machine)
{
	struct os_pci_dev *pci = machine->pci;

	rm_file_close(machine->control);
	rm_file_close(machine->node);
	rm_gpu_remove(machine->gpu);
	rm_destroy(machine->rm);
	h100_destroy(machine->model);
	machine->pci = NULL;
	os_user_pci_unregister(pci);
	os_user_firmware_unregister(GSP_FIRMWARE_NAME);
	free(machine);
}
