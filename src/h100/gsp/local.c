// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a host calls that has the whole GPU in its own process: making it, and its accesses.
 */
#include "h100/function/local.h"
#include "h100/gsp/gpu.h"
#include "h100/gsp/vram.h"

struct local {
	struct h100 gpu;
	struct h100_chip chip;
	struct vram vram;
};

static struct local *local(struct h100 *gpu)
{
	return container_of(gpu, struct local, gpu);
}

static struct h100_function *function(struct h100 *gpu)
{
	return &local(gpu)->chip.function;
}

static void on_work(void *ctx, u32 work)
{
	runner_work(ctx, work);
}

static void on_msix(void *ctx, u64 address, u32 data)
{
	struct h100 *gpu = ctx;

	gpu->host.msix(gpu->host.ctx, address, data);
}

static u64 on_now(void *ctx)
{
	struct h100 *gpu = ctx;

	return gpu->host.now_ns(gpu->host.ctx);
}

static void on_log(void *ctx, int level, const char *text)
{
	gpu_log(ctx, level, text);
}

static const struct h100_function_ops function_ops = {
	.work = on_work,
	.msix = on_msix,
	.now_ns = on_now,
	.log = on_log,
};

/* The firmware's own way, whatever BARs show. */
static void on_scrub(void *ctx, u64 address, u64 size)
{
	struct h100 *gpu = ctx;

	vram_discard(&local(gpu)->vram, address, size);
}

enum nv_status h100_create(const struct h100_host *host, const struct h100_config *config,
			   struct h100 **out)
{
	struct local *l = os_alloc(sizeof(*l));
	struct h100_function_identity identity;
	enum nv_status status;

	*out = NULL;
	if (!l)
		return NV_ERR_NO_MEMORY;
	status = gpu_init(&l->gpu, host, config);
	if (status != NV_OK)
		goto fail_gpu;
	gpu_identify(&l->gpu, &identity);
	status = vram_create(&l->vram, identity.video_bytes);
	if (status != NV_OK)
		goto fail_video;
	l->vram.host = &l->gpu.host;
	status = h100_function_init(&l->chip.function, &function_ops, &l->gpu, &identity,
				    l->vram.video);
	if (status != NV_OK)
		goto fail_function;
	status = gpu_start(&l->gpu, &l->chip, l->vram.video, config->chaos);
	if (status != NV_OK)
		goto fail_start;
	l->vram.memory = &l->gpu.memory;
	l->gpu.fw.scrub = on_scrub;
	l->gpu.fw.scrub_ctx = &l->gpu;
	*out = &l->gpu;
	return NV_OK;

fail_start:
	h100_function_destroy(&l->chip.function);
fail_function:
	vram_destroy(&l->vram);
fail_video:
	gpu_fini(&l->gpu);
fail_gpu:
	os_free(l);
	return status;
}

void h100_destroy(struct h100 *gpu)
{
	struct local *l;

	if (!gpu)
		return;
	l = local(gpu);
	l->vram.memory = NULL;
	gpu_stop(gpu);
	h100_function_destroy(&l->chip.function);
	vram_destroy(&l->vram);
	gpu_fini(gpu);
	os_free(l);
}

u32 h100_cfg_read(struct h100 *gpu, u32 offset, u32 width)
{
	return h100_function_cfg_read(function(gpu), offset, width);
}

void h100_cfg_write(struct h100 *gpu, u32 offset, u32 width, u32 value)
{
	h100_function_cfg_write(function(gpu), offset, width, value);
}

u64 h100_bar_size(struct h100 *gpu, u32 bar)
{
	return h100_function_bar_size(function(gpu), bar);
}

/* Register accesses are left out of the link's figures: most are a driver's polling. */
static void count_access(struct h100 *gpu, u32 bar, u32 tx_bytes, u32 rx_bytes)
{
	if (bar != 0)
		h100_state_account_pcie(&gpu->state, on_now(gpu), tx_bytes, rx_bytes);
}

u64 h100_bar_read(struct h100 *gpu, u32 bar, u64 offset, u32 width)
{
	count_access(gpu, bar, width, 0);
	return h100_function_bar_read(function(gpu), bar, offset, width);
}

void h100_bar_write(struct h100 *gpu, u32 bar, u64 offset, u32 width, u64 value)
{
	count_access(gpu, bar, 0, width);
	h100_function_bar_write(function(gpu), bar, offset, width, value);
}

enum nv_status h100_video_export(struct h100 *gpu, u32 owner, u64 offset, u64 size, int *fd,
				 u64 *fd_offset, u64 *fd_size)
{
	if (function(gpu)->identity.video_closed)
		return NV_ERR_NOT_SUPPORTED;
	return vram_export(&local(gpu)->vram, owner, offset, size, fd, fd_offset, fd_size);
}

void h100_video_discard(struct h100 *gpu, u64 offset, u64 size)
{
	if (!function(gpu)->identity.video_closed)
		vram_discard(&local(gpu)->vram, offset, size);
}
