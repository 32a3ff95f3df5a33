// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU made from profile and scenario, wherever its function is, and faults on purpose.
 */
#include "h100/gsp/gpu.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"

void gpu_log(struct h100 *gpu, int level, const char *text)
{
	char line[240];

	snprintf(line, sizeof(line), "h100 %u: %s", gpu->index, text);
	gpu->host.log(gpu->host.ctx, level, line);
}

static u64 now_ns(struct h100 *gpu)
{
	return gpu->host.now_ns(gpu->host.ctx);
}

static void complain(struct h100 *gpu, const char *what, const struct h100_parse_error *error)
{
	char text[200];

	snprintf(text, sizeof(text), "%s, line %u: %s", what, error->line, error->text);
	gpu_log(gpu, OS_LOG_ERROR, text);
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
	h100_state_init(&gpu->state, &profile, &scenario, config->index, config->count,
			now_ns(gpu));
	return NV_OK;
}

enum nv_status gpu_init(struct h100 *gpu, const struct h100_host *host,
			const struct h100_config *config)
{
	memset(gpu, 0, sizeof(*gpu));
	gpu->host = *host;
	gpu->index = config->index;
	gpu->threads = config->threads;
	gpu->lending = config->lending;
	return make_state(gpu, config);
}

void gpu_fini(struct h100 *gpu)
{
	h100_state_destroy(&gpu->state);
}

void gpu_identify(const struct h100 *gpu, struct h100_function_identity *identity)
{
	const struct h100_profile *profile = &gpu->state.profile;

	*identity = (struct h100_function_identity){
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
}

enum nv_status gpu_start(struct h100 *gpu, struct h100_chip *chip, u8 *video, u32 chaos)
{
	enum nv_status status;

	gpu->chip = chip;
	status = fw_init(&gpu->fw, chip, &gpu->host, &gpu->state, video,
			 gpu->state.profile.memory_bytes, chaos);
	if (status != NV_OK)
		return status;
	runner_schedule(gpu);
	fw_run(&gpu->fw, H100_WORK_RESET, now_ns(gpu), true);
	status = runner_start(gpu);
	if (status != NV_OK)
		fw_destroy(&gpu->fw);
	return status;
}

void gpu_stop(struct h100 *gpu)
{
	runner_stop(gpu);
	fw_destroy(&gpu->fw);
}

const void *h100_firmware_image(size_t *size)
{
	*size = h100_container_size;
	return h100_container;
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
	runner_lock(gpu);
	if (event.at_ns != 0) {
		status = schedule(gpu, &event);
	} else {
		runner_event(gpu, &event);
		gpu->now_ns = now_ns(gpu);
		fw_run(&gpu->fw, 0, gpu->now_ns, false);
	}
	os_store_relaxed(&gpu->waiting, fw_waiting(&gpu->fw));
	runner_unlock(gpu);
	return status;
}
