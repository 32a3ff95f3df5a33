// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Plugs software H100s into the software bus of os/user. */
#include "fixture_gpu.h"

#include <fcntl.h>
#include <stdio.h>

#include "abi/gh100.h"
#include "abi/r535.h"
#include "base/bits.h"
#include "rm/gsp/firmware.h"
#include "unit.h"

#define MSI_VECTOR_MASK 0xffffu

static struct h100_fabric *fabric; /* of those that exist */
static u32 fixtures;		   /* that exist: the firmware image stays registered */

/* NULL before the device is on the bus, and after. */
static struct os_pci_dev *pci_of(void *ctx)
{
	return os_load_acquire(&((struct fixture_gpu *)ctx)->pci);
}

static bool dma_read(void *ctx, u64 address, void *data, size_t size)
{
	struct os_pci_dev *pci = pci_of(ctx);

	return pci && os_user_dma_read(pci, address, data, size);
}

static bool dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	struct os_pci_dev *pci = pci_of(ctx);

	return pci && os_user_dma_write(pci, address, data, size);
}

static u32 dma_begin(void *ctx)
{
	struct fixture_gpu *f = ctx;

	f->held = pci_of(f);
	return f->held ? os_user_dma_hold(f->held) : 0;
}

static void dma_end(void *ctx)
{
	struct fixture_gpu *f = ctx;

	if (f->held)
		os_user_dma_release(f->held);
}

static void *dma_map_page(void *ctx, u64 address)
{
	struct os_pci_dev *pci = pci_of(ctx);
	void *cpu;

	return pci && os_user_dma_find(pci, address, OS_PAGE_SIZE, &cpu) ? cpu : NULL;
}

static void *dma_enter(void *ctx)
{
	struct os_pci_dev *pci = pci_of(ctx);

	return pci ? os_user_dma_enter(pci) : NULL;
}

static void dma_leave(void *ctx, void *token)
{
	os_user_dma_leave(token);
}

static void msix(void *ctx, u64 address, u32 data)
{
	struct os_pci_dev *pci = pci_of(ctx);

	os_fetch_add(&((struct fixture_gpu *)ctx)->wakeups, 1);
	if (pci)
		os_user_pci_interrupt(pci, data & MSI_VECTOR_MASK);
}

static u64 now_ns(void *ctx)
{
	return os_time_ns();
}

static u64 coarse_ns(void *ctx)
{
	return os_user_time_coarse_ns();
}

static void log_line(void *ctx, int level, const char *text)
{
	os_log(level, "model: %s", text);
}

static void kick(void *ctx)
{
	struct os_pci_dev *pci = pci_of(ctx);

	if (pci)
		os_user_pci_kick(pci);
}

static bool waiting(void *ctx)
{
	struct os_pci_dev *pci = pci_of(ctx);

	return pci && os_user_pci_waiting(pci);
}

static u32 cfg_read(void *ctx, u32 offset, u32 width)
{
	return h100_cfg_read(((struct fixture_gpu *)ctx)->model, offset, width);
}

static void cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
	h100_cfg_write(((struct fixture_gpu *)ctx)->model, offset, width, value);
}

static u64 bar_size(void *ctx, u32 bar)
{
	return h100_bar_size(((struct fixture_gpu *)ctx)->model, bar);
}

static u64 bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	struct fixture_gpu *f = ctx;
	u64 value;

	if (bar == 0 && offset && offset == f->lost_at)
		h100_inject(f->model, "off-bus");
	value = h100_bar_read(f->model, bar, offset, width);
	if (bar == 0 && offset == LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE &&
	    os_load_relaxed(&f->stuck))
		value |= REG_MASK(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER);
	return value;
}

static void bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
	h100_bar_write(((struct fixture_gpu *)ctx)->model, bar, offset, width, value);
}

static void bar_discard(void *ctx, u32 bar, u64 offset, u64 size)
{
	if (bar == 2)
		h100_video_discard(((struct fixture_gpu *)ctx)->model, offset, size);
}

static bool lend(void *ctx)
{
	return h100_lend(((struct fixture_gpu *)ctx)->model);
}

static const struct os_user_pci_ops bus_ops = {
	.cfg_read = cfg_read,
	.cfg_write = cfg_write,
	.bar_size = bar_size,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.lend = lend,
	.bar_discard = bar_discard,
};

/* The whole file; the caller frees it. */
static char *load_profile(const char *name, size_t *size)
{
	char path[512], *text;
	long length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.profile", FIXTURE_PROFILES,
		 name ? name : "h100-sxm-80gb");
	file = fopen(path, "r");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	length = ftell(file);
	rewind(file);
	assert_true(length > 0);
	text = malloc((size_t)length);
	assert_non_null(text);
	*size = fread(text, 1, (size_t)length, file);
	assert_int_equal(*size, length);
	fclose(file);
	return text;
}

void fixture_gpu_create(struct fixture_gpu *f, const struct fixture_gpu_config *config)
{
	static const struct fixture_gpu_config plain;
	struct h100_host host = {
		.ctx = f,
		.dma_read = dma_read,
		.dma_write = dma_write,
		.dma_begin = dma_begin,
		.dma_end = dma_end,
		.dma_map_page = dma_map_page,
		.dma_enter = dma_enter,
		.dma_leave = dma_leave,
		.msix = msix,
		.now_ns = now_ns,
		.coarse_ns = coarse_ns,
		.log = log_line,
		.kick = kick,
		.waiting = waiting,
	};
	struct os_pci_location location = { .domain = 0 };
	struct h100_config model = { .threads = true };
	bool first = fixtures++ == 0;
	const void *image;
	char *profile;
	size_t size;

	if (!config)
		config = &plain;
	memset(f, 0, sizeof(*f));
	f->lending = !config->no_lending;
	profile = load_profile(config->profile, &model.profile_size);
	if (config->bridged) {
		char *cabling = strstr(profile, " = no\t\t# a bridge");

		assert_non_null(cabling);
		memcpy(cabling, " = yes\t", 7);
	}
	model.profile = profile;
	model.scenario = config->scenario;
	model.scenario_size = config->scenario ? strlen(config->scenario) : 0;
	model.index = config->index;
	model.count = config->count ? config->count : 1;
	model.lending = f->lending;
	model.chaos = config->chaos;
	model.cc = config->cc;
	if (first)
		assert_int_equal(h100_fabric_create(&fabric), NV_OK);
	model.fabric = fabric;
	assert_int_equal(h100_create(&host, &model, &f->model), NV_OK);
	free(profile);
	if (first) {
		image = h100_firmware_image(&size);
		assert_int_equal(os_user_firmware_register(GSP_FIRMWARE_NAME, image, size), NV_OK);
	}
	location.bus = (u8)(config->index + 1);
	os_store_release(&f->pci, os_user_pci_register(&bus_ops, f, &location));
	assert_non_null(f->pci);
	os_user_pci_set_lending(f->pci, f->lending);
	if (config->plugged)
		config->plugged(config->index, f->pci);
}

void fixture_gpu_destroy(struct fixture_gpu *f)
{
	struct os_pci_dev *pci = f->pci;

	h100_destroy(f->model);
	os_store_release(&f->pci, NULL);
	os_user_pci_unregister(pci);
	if (--fixtures == 0) {
		os_user_firmware_unregister(GSP_FIRMWARE_NAME);
		h100_fabric_destroy(fabric);
	}
	memset(f, 0, sizeof(*f));
}

void fixture_gpu_inject(struct fixture_gpu *f, const char *command)
{
	assert_int_equal(h100_inject(f->model, command), NV_OK);
}
