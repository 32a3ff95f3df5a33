// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a host calls: making a GPU from profile and scenario, its accesses, and faults on purpose.
 */
#include "h100/gsp/gpu.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"

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
	struct h100 *gpu = ctx;
	char line[240];

	snprintf(line, sizeof(line), "h100 %u: %s", gpu->index, text);
	gpu->host.log(gpu->host.ctx, level, line);
}

static const struct h100_function_ops function_ops = {
	.work = on_work,
	.msix = on_msix,
	.now_ns = on_now,
	.log = on_log,
};

static void complain(struct h100 *gpu, const char *what, const struct h100_parse_error *error)
{
	char text[200];

	snprintf(text, sizeof(text), "%s, line %u: %s", what, error->line, error->text);
	on_log(gpu, OS_LOG_ERROR, text);
}

static enum nv_status make_state(struct h100 *gpu, const struct h100_config *config)
{
	struct h100_scenario scenario;
	struct h100_profile profile;
	struct h100_parse_error error;
	enum nv_status status;

	status = h100_profile_parse(config->profile, config->profile_size, &profile, &error);
	if (status != NV_OK) {
		complain(gpu, "profile", &error);
		return status;
	}
	status = h100_scenario_parse(config->scenario ? config->scenario : "",
				     config->scenario ? config->scenario_size : 0, &scenario,
				     &error);
	if (status != NV_OK) {
		complain(gpu, "scenario", &error);
		return status;
	}
	status = h100_state_init(&gpu->state, &profile, &scenario, config->index, config->count,
				 on_now(gpu));
	if (status != NV_OK)
		h100_scenario_free(&scenario);
	return status;
}

static enum nv_status make_function(struct h100 *gpu)
{
	const struct h100_profile *profile = &gpu->state.profile;
	const struct h100_function_identity identity = {
		.vendor_id = profile->vendor_id,
		.device_id = profile->device_id,
		.subsystem_vendor_id = profile->subsystem_vendor_id,
		.subsystem_id = profile->subsystem_id,
		.revision = profile->revision,
		.link_generation = (u8)profile->pcie_generation,
		.link_width = (u8)profile->pcie_lanes,
		.index = gpu->index,
		.bar_bytes = { profile->bar0_bytes, profile->bar1_bytes, profile->bar2_bytes },
		.video_bytes = profile->memory_bytes,
	};

	gpu->video_bytes = profile->memory_bytes;
	return h100_function_init(&gpu->fn, &function_ops, gpu, &identity, gpu->video);
}

enum nv_status h100_create(const struct h100_host *host, const struct h100_config *config,
			   struct h100 **out)
{
	struct h100 *gpu = os_alloc(sizeof(*gpu));
	enum nv_status status = NV_ERR_NO_MEMORY;

	*out = NULL;
	if (!gpu)
		return NV_ERR_NO_MEMORY;
	gpu->host = *host;
	gpu->index = config->index;
	gpu->threads = config->threads;
	gpu->lending = config->lending;
	if (pthread_mutex_init(&gpu->lock, NULL) != 0)
		goto fail_lock;
	status = make_state(gpu, config);
	if (status != NV_OK)
		goto fail_state;
	status = vram_create(gpu->state.profile.memory_bytes, &gpu->video_fd, &gpu->video);
	if (status != NV_OK)
		goto fail_video;
	status = make_function(gpu);
	if (status != NV_OK)
		goto fail_function;
	status = fw_init(&gpu->fw, &gpu->fn, &gpu->host, &gpu->state, gpu->video, gpu->video_bytes,
			 config->chaos);
	if (status != NV_OK)
		goto fail_firmware;
	runner_schedule(gpu);
	fw_run(&gpu->fw, H100_WORK_RESET, on_now(gpu), true);
	status = runner_start(gpu);
	if (status != NV_OK)
		goto fail_thread;
	*out = gpu;
	return NV_OK;

fail_thread:
	fw_destroy(&gpu->fw);
fail_firmware:
	h100_function_destroy(&gpu->fn);
fail_function:
	vram_destroy(gpu->video_fd, gpu->video, gpu->state.profile.memory_bytes);
fail_video:
	h100_state_destroy(&gpu->state);
fail_state:
	pthread_mutex_destroy(&gpu->lock);
fail_lock:
	os_free(gpu);
	return status;
}

void h100_destroy(struct h100 *gpu)
{
	if (!gpu)
		return;
	runner_stop(gpu);
	fw_destroy(&gpu->fw);
	h100_function_destroy(&gpu->fn);
	vram_destroy(gpu->video_fd, gpu->video, gpu->video_bytes);
	h100_state_destroy(&gpu->state);
	pthread_mutex_destroy(&gpu->lock);
	os_free(gpu);
}

u32 h100_cfg_read(struct h100 *gpu, u32 offset, u32 width)
{
	return h100_function_cfg_read(&gpu->fn, offset, width);
}

void h100_cfg_write(struct h100 *gpu, u32 offset, u32 width, u32 value)
{
	h100_function_cfg_write(&gpu->fn, offset, width, value);
}

u64 h100_bar_size(struct h100 *gpu, u32 bar)
{
	return h100_function_bar_size(&gpu->fn, bar);
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
	return h100_function_bar_read(&gpu->fn, bar, offset, width);
}

void h100_bar_write(struct h100 *gpu, u32 bar, u64 offset, u32 width, u64 value)
{
	count_access(gpu, bar, 0, width);
	h100_function_bar_write(&gpu->fn, bar, offset, width, value);
}

const void *h100_firmware_image(size_t *size)
{
	*size = h100_container_size;
	return h100_container;
}

int h100_video_fd(struct h100 *gpu)
{
	return gpu->video_fd;
}

/* Puts an event of the future into the scenario, behind those of the same time. */
static enum nv_status schedule(struct h100 *gpu, const struct h100_event *event)
{
	struct h100_scenario *scenario = &gpu->state.scenario;
	struct h100_event *events = os_alloc((scenario->count + 1) * sizeof(*events));
	u32 at = scenario->next;

	if (!events)
		return NV_ERR_NO_MEMORY;
	while (at < scenario->count && scenario->events[at].at_ns <= event->at_ns)
		at++;
	if (at != 0)
		memcpy(events, scenario->events, at * sizeof(*events));
	events[at] = *event;
	if (at != scenario->count)
		memcpy(&events[at + 1], &scenario->events[at],
		       (scenario->count - at) * sizeof(*events));
	os_free(scenario->events);
	scenario->events = events;
	scenario->count++;
	runner_schedule(gpu);
	return NV_OK;
}

enum nv_status h100_inject(struct h100 *gpu, const char *command)
{
	struct h100_parse_error error;
	struct h100_event event;
	enum nv_status status;

	status = h100_event_parse(command, strlen(command), &event, &error);
	if (status != NV_OK)
		return status;
	if (event.gpu != H100_SCENARIO_ALL_GPUS && event.gpu != gpu->index)
		return NV_OK;
	pthread_mutex_lock(&gpu->lock);
	if (event.at_ns != 0) {
		h100_state_lock(&gpu->state);
		status = schedule(gpu, &event);
		h100_state_unlock(&gpu->state);
	} else {
		runner_event(gpu, &event);
		fw_run(&gpu->fw, 0, on_now(gpu), false);
	}
	os_store_relaxed(&gpu->waiting, fw_waiting(&gpu->fw));
	pthread_mutex_unlock(&gpu->lock);
	if (gpu->threads)
		sem_post(&gpu->wake);
	return status;
}
