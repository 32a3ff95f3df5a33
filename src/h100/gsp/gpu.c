// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU made from profile and scenario, wherever its function is, and faults on purpose.
 */
#include "h100/gsp/gpu.h"

#include <stdio.h>
#include <string.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/engine/fabric.h"

#define ISSUER_MAX 65536u /* bytes of its text */

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

static void forget_issuer(struct h100 *gpu)
{
	os_free_secret(gpu->issuer, gpu->issuer_bytes);
	gpu->issuer = NULL;
	gpu->issuer_bytes = 0;
}

/* What a confidential mode will be made of, while the texts are there. */
static enum nv_status prepare_cc(struct h100 *gpu, const struct h100_config *config)
{
	gpu->cc = config->cc;
	if (gpu->cc == H100_CC_OFF)
		return NV_OK;
	/* Only these are ever booted. */
	if (!spdm_measure(&gpu->measures, &gpu->state.profile, config->profile,
			  config->profile_size, config->scenario,
			  config->scenario ? config->scenario_size : 0, h100_fmc_sha384,
			  h100_image_sha384))
		return NV_ERR_NO_MEMORY;
	if (!config->issuer)
		return NV_OK;
	if (config->issuer_size == 0 || config->issuer_size > ISSUER_MAX)
		return NV_ERR_INVALID_ARGUMENT;
	gpu->issuer = os_alloc(config->issuer_size);
	if (!gpu->issuer)
		return NV_ERR_NO_MEMORY;
	memcpy(gpu->issuer, config->issuer, config->issuer_size);
	gpu->issuer_bytes = (u32)config->issuer_size;
	return NV_OK;
}

static enum nv_status start_cc(struct h100 *gpu)
{
	const struct fw_cc_config config = { .devtools = gpu->cc == H100_CC_DEVTOOLS,
					     .measures = &gpu->measures,
					     .issuer = gpu->issuer,
					     .issuer_bytes = gpu->issuer_bytes,
					     .index = gpu->index };
	enum nv_status status = NV_OK;

	if (gpu->cc != H100_CC_OFF)
		status = fw_cc_create(&gpu->fw, &config);
	if (status == NV_ERR_INVALID_ARGUMENT)
		gpu_log(gpu, OS_LOG_ERROR, "the issuer of its certificates is none");
	forget_issuer(gpu);
	return status;
}

enum nv_status gpu_init(struct h100 *gpu, const struct h100_host *host,
			const struct h100_config *config)
{
	enum nv_status status;

	memset(gpu, 0, sizeof(*gpu));
	gpu->host = *host;
	gpu->index = config->index;
	gpu->fabric = config->fabric;
	gpu->threads = config->threads;
	gpu->engine_threads = config->threads || config->engine_threads;
	gpu->lending = config->lending;
	status = make_state(gpu, config);
	if (status != NV_OK)
		return status;
	status = prepare_cc(gpu, config);
	if (status != NV_OK)
		gpu_fini(gpu);
	return status;
}

void gpu_fini(struct h100 *gpu)
{
	forget_issuer(gpu);
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
		.video_closed = gpu->cc == H100_CC_ON,
	};
}

/* -- Engines ----------------------------------------------------------------------------------- */

static void on_raise(void *ctx, u32 vector)
{
	struct h100 *gpu = ctx;

	h100_chip_raise(gpu->chip, vector);
}

static void on_errors(void *ctx)
{
	struct h100 *gpu = ctx;

	runner_work(gpu, H100_WORK_ERRORS);
	if (!gpu->threads && gpu->host.errors)
		gpu->host.errors(gpu->host.ctx);
}

static const struct h100_fifo_ops fifo_ops = { .raise = on_raise, .errors = on_errors };

static enum nv_status start_engines(struct h100 *gpu, u8 *video)
{
	struct h100_fifo_config config = {
		.host = &gpu->host,
		.ops = &fifo_ops,
		.ctx = gpu,
		.state = &gpu->state,
		.engines = &gpu->engines,
		.keys = &gpu->keys,
		.memory = &gpu->memory,
		.threads = gpu->engine_threads,
	};
	enum nv_status status;

	h100_engines_init(&gpu->engines, &gpu->state.profile);
	status = h100_keys_init(&gpu->keys);
	if (status != NV_OK)
		return status;
	status = h100_memory_init(&gpu->memory, &gpu->host, gpu->chip, &gpu->state, video,
				  gpu->state.profile.memory_bytes);
	if (status != NV_OK)
		goto fail_memory;
	gpu->memory.confidential = gpu->cc == H100_CC_ON;
	if (gpu->fabric) {
		status = h100_fabric_plug(gpu->fabric, gpu->index, &gpu->memory);
		if (status != NV_OK)
			goto fail_mmu;
	}
	status = h100_mmu_create(&gpu->memory, &gpu->mmu);
	if (status != NV_OK)
		goto fail_mmu;
	config.mmu = gpu->mmu;
	status = h100_fifo_create(&config, &gpu->fifo);
	if (status != NV_OK)
		goto fail_fifo;
	return NV_OK;

fail_fifo:
	h100_mmu_destroy(gpu->mmu);
fail_mmu:
	h100_fabric_unplug(&gpu->memory);
	h100_memory_fini(&gpu->memory);
fail_memory:
	h100_keys_fini(&gpu->keys);
	return status;
}

static void stop_engines(struct h100 *gpu)
{
	h100_fifo_destroy(gpu->fifo);
	h100_mmu_destroy(gpu->mmu);
	h100_fabric_unplug(&gpu->memory);
	h100_memory_fini(&gpu->memory);
	h100_keys_fini(&gpu->keys);
}

void gpu_doorbells(struct h100 *gpu)
{
	u32 tokens[H100_DOORBELLS_AT_ONCE], count;

	do {
		count = h100_chip_doorbells(gpu->chip, tokens, ARRAY_SIZE(tokens));
		if (count != 0)
			h100_fifo_rang(gpu->fifo, tokens, count);
	} while (count == ARRAY_SIZE(tokens));
}

void gpu_invalidate(struct h100 *gpu)
{
	const u32 base = LH_VF_BASE;
	u32 command =
		h100_chip_register_get(gpu->chip, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE);
	u32 low = h100_chip_register_get(gpu->chip,
					 base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB);
	u32 high = h100_chip_register_get(gpu->chip,
					  base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_UPPER_PDB);
	struct h100_pdb pdb = {
		.address = REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_ADDR, low)
				   << NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_ADDR_ALIGNMENT |
			   (u64)high << 40,
	};
	bool all = REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ALL_PDB, command) != 0 ||
		   /* Which of the two kinds of system memory it is, the register does not say. */
		   REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE, low) !=
			   NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE_VID_MEM;

	pdb.aperture = H100_APERTURE_VIDEO;
	h100_mmu_invalidate(gpu->mmu, all ? NULL : &pdb);
	h100_chip_register_set(
		gpu->chip, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE,
		command & ~(u32)REG_MASK(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER));
}

enum nv_status h100_doorbell_create(struct h100 *gpu, u32 client, int *fd,
				    struct h100_doorbell **out)
{
	return h100_fifo_doorbell_create(gpu->fifo, client, fd, out);
}

void h100_doorbell_destroy(struct h100 *gpu, struct h100_doorbell *doorbell)
{
	h100_fifo_doorbell_destroy(doorbell);
}

void h100_doorbell_armed(struct h100 *gpu, struct h100_doorbell *doorbell)
{
	h100_fifo_doorbell_armed(doorbell);
}

void h100_doorbell_rang(struct h100 *gpu, struct h100_doorbell *doorbell)
{
	h100_fifo_doorbell_rang(doorbell);
}

/* -- Life -------------------------------------------------------------------------------------- */

enum nv_status gpu_start(struct h100 *gpu, struct h100_chip *chip, u8 *video, u32 chaos)
{
	enum nv_status status;

	gpu->chip = chip;
	status = start_engines(gpu, video);
	if (status != NV_OK)
		return status;
	status = fw_init(&gpu->fw, chip, &gpu->host, &gpu->state, video,
			 gpu->state.profile.memory_bytes, chaos);
	if (status != NV_OK)
		goto fail_fw;
	gpu->fw.fifo = gpu->fifo;
	gpu->fw.engines = &gpu->engines;
	gpu->fw.memory = &gpu->memory;
	gpu->fw.keys = &gpu->keys;
	status = start_cc(gpu);
	if (status != NV_OK)
		goto fail_runner;
	runner_schedule(gpu);
	fw_run(&gpu->fw, H100_WORK_RESET, now_ns(gpu), true);
	status = runner_start(gpu);
	if (status != NV_OK)
		goto fail_runner;
	return NV_OK;

fail_runner:
	fw_destroy(&gpu->fw);
fail_fw:
	stop_engines(gpu);
	return status;
}

void gpu_stop(struct h100 *gpu)
{
	h100_fifo_stop(gpu->fifo);
	runner_stop(gpu);
	fw_destroy(&gpu->fw);
	stop_engines(gpu);
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
