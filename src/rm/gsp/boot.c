// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Starting and stopping the firmware, in the order of docs/boot.md: memory, the first two messages,
 * FSP, the boot firmware, the queues, GSP_INIT_DONE, the static description of the GPU.
 */
#include "rm/gsp/gsp.h"

#include "rm/cc/session.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/regs.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/firmware.h"
#include "rm/registry.h"

#define MAX_TIMEOUT_MS 3600000u

/* FSP puts the FRTS data this far below the end of video memory. */
#define FRTS_FROM_END 0x200000u
#define FRTS_SIZE \
	((u32)NV_PGC6_AON_FRTS_INPUT_WPR_SIZE_SECURE_SCRATCH_GROUP_03_0_WPR_SIZE_1MB_IN_4K << 12)

static void read_timeouts(struct rm_gsp *gsp)
{
	u32 ms;

	if (rm_registry_read_dword(gsp->gpu->rm, gsp->gpu, "RmDefaultTimeout", &ms) != NV_OK ||
	    ms == 0)
		ms = GSP_DEFAULT_TIMEOUT_MS;
	ms = min(ms, MAX_TIMEOUT_MS);
	gsp->default_ns = (u64)ms * 1000000;
	gsp->timeout_ns = gsp->default_ns + gsp->default_ns / 2;
}

/* Waits for a condition on the GPU's registers, which also holds once they read as all ones. */
static enum nv_status wait_for(struct rm_gsp *gsp, bool (*done)(void *arg), const char *what)
{
	struct rm_gpu *gpu = gsp->gpu;
	enum nv_status status = os_pci_wait(gpu->pci, done, gpu, gsp->default_ns);

	if (gpu_rd32(gpu, NV_PMC_BOOT_0) == GPU_OFF_BUS)
		return NV_ERR_GPU_IS_LOST;
	if (status != NV_OK)
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: timeout waiting for %s", gpu->instance, what);
	return status;
}

static bool target_released(void *arg)
{
	u32 value = gsp_falcon_rd32(arg, NV_PFALCON_FALCON_HWCFG2);

	return value != 0 &&
	       (value & LH_PRI_ERROR_TARGET_LOCKED_MASK) != LH_PRI_ERROR_TARGET_LOCKED;
}

static bool lockdown_released_or_failed(void *arg)
{
	return gsp_falcon_rd32(arg, NV_PFALCON_FALCON_MAILBOX0) != 0 ||
	       REG_GET(NV_PFALCON_FALCON_HWCFG2_RISCV_BR_PRIV_LOCKDOWN,
		       gsp_falcon_rd32(arg, NV_PFALCON_FALCON_HWCFG2)) ==
		       NV_PFALCON_FALCON_HWCFG2_RISCV_BR_PRIV_LOCKDOWN_UNLOCK;
}

static enum nv_status start_by_fsp(struct rm_gsp *gsp, const struct gsp_firmware *fw)
{
	struct rm_gpu *gpu = gsp->gpu;
	NVDM_PAYLOAD_COT cot;

	os_memset(&cot, 0, sizeof(cot));
	cot.version = 1;
	cot.size = sizeof(cot);
	cot.gspFmcSysmemOffset = os_pages_dma(&gsp->memory.fmc, 0);
	cot.frtsVidmemOffset = FRTS_FROM_END;
	cot.frtsVidmemSize = FRTS_SIZE;
	os_memcpy(cot.hash384, fw->fmc_hash.data, sizeof(cot.hash384));
	cot.gspBootArgsSysmemOffset = os_pages_dma(&gsp->memory.args, GSP_ARGS_FMC * OS_PAGE_SIZE);
	return gsp_fsp_send(gpu, NVDM_TYPE_COT, &cot, sizeof(cot), gsp->default_ns);
}

static enum nv_status wait_boot_firmware(struct rm_gsp *gsp)
{
	struct rm_gpu *gpu = gsp->gpu;
	enum nv_status status;
	u32 code;

	status = wait_for(gsp, target_released, "GSP target mask release");
	if (status == NV_OK)
		status = wait_for(gsp, lockdown_released_or_failed, "GSP lockdown release");
	if (status != NV_OK)
		return status;
	code = gsp_falcon_rd32(gpu, NV_PFALCON_FALCON_MAILBOX0);
	if (code != 0) {
		os_log(OS_LOG_ERROR,
		       "NVRM: GPU%u: GSP-FMC reported an error while attempting to boot GSP: 0x%x",
		       gpu->instance, code);
		return NV_ERR_NOT_READY;
	}
	gsp_falcon_wr32(gpu, NV_PFALCON_FALCON_OS, 0);
	if (REG_GET(NV_PRISCV_RISCV_CPUCTL_ACTIVE_STAT,
		    gsp_riscv_rd32(gpu, NV_PRISCV_RISCV_CPUCTL)) !=
	    NV_PRISCV_RISCV_CPUCTL_ACTIVE_STAT_ACTIVE) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP processor did not start", gpu->instance);
		return NV_ERR_NOT_READY;
	}
	return NV_OK;
}

/* The header is written while we look, so one that makes no sense may yet come to. */
static bool queue_linked_or_dead(void *arg)
{
	struct rm_gsp *gsp = arg;

	return gsp_msgq_link(&gsp->queue) == NV_OK || os_load_acquire(&gsp->halted) ||
	       rm_gpu_is_lost(gsp->gpu);
}

static enum nv_status link_status_queue(struct rm_gsp *gsp)
{
	enum nv_status status;

	status = os_pci_wait(gsp->gpu->pci, queue_linked_or_dead, gsp, gsp->default_ns);
	if (gsp_check_alive(gsp) != NV_OK)
		return NV_ERR_GPU_IS_LOST;
	if (gsp->queue.linked)
		return NV_OK;
	os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP did not make its status queue", gsp->gpu->instance);
	return gsp_msgq_link(&gsp->queue) == NV_ERR_INVALID_DATA ? NV_ERR_INVALID_DATA : status;
}

static enum nv_status get_static_info(struct rm_gsp *gsp)
{
	GspStaticConfigInfo *config = os_alloc(sizeof(*config));
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_GET_GSP_STATIC_INFO,
		.var = config,
		.var_size = sizeof(*config),
		.status_offset = GSP_NO_STATUS,
	};
	enum nv_status status;

	if (!config)
		return NV_ERR_NO_MEMORY;
	status = gsp_rpc_call(gsp, &x);
	if (status == NV_OK && !x.var_valid)
		status = NV_ERR_INVALID_DATA;
	if (status == NV_OK)
		status = rm_gpu_static_set(gsp->info, config);
	os_free(config);
	return status;
}

/* Ends what boot began, whatever it reached. The interrupt is off, so nobody else looks at gsp. */
static void tear_down(struct rm_gpu *gpu)
{
	struct rm_gsp *gsp = gpu->gsp;
	struct list events;

	rm_gpu_interrupts_disable(gpu);
	list_init(&events);
	gsp_events_take(gsp, &events);
	gsp_events_drop(&events);
	gpu->gsp = NULL;
	rm_cc_destroy(gpu);
	gsp_memory_free(gsp);
	os_free(gsp->info);
	os_free_secret(gsp->outgoing, GSP_MSG_QUEUE_ELEMENT_SIZE_MAX);
	os_free_secret(gsp->buffer, gsp->sealed ? GSP_MSG_QUEUE_ELEMENT_SIZE_MAX : 0);
	os_free(gsp);
}

static enum nv_status run_boot(struct rm_gsp *gsp, const struct gsp_firmware *fw)
{
	enum nv_status status;

	status = gsp_send_system_info(gsp);
	if (status == NV_OK)
		status = gsp_send_registry(gsp);
	if (status == NV_OK)
		status = start_by_fsp(gsp, fw);
	if (status == NV_OK)
		status = wait_boot_firmware(gsp);
	if (status == NV_OK)
		status = link_status_queue(gsp);
	if (status == NV_OK)
		status = gsp_wait_event(gsp, NV_VGPU_MSG_EVENT_GSP_INIT_DONE);
	if (status == NV_OK)
		status = get_static_info(gsp);
	if (status == NV_OK)
		status = rm_cc_establish(gsp->gpu);
	return status;
}

/* Tells the firmware to go, keeping its state or not. If it took that, its processor has stopped.
 */
static enum nv_status unload(struct rm_gsp *gsp, bool keep);

static enum nv_status off_bus(struct rm_gpu *gpu)
{
	rm_gpu_lose(gpu, RM_XID_OFF_BUS, "GPU has fallen off the bus.");
	return NV_ERR_GPU_IS_LOST;
}

enum nv_status gsp_boot(struct rm_gpu *gpu)
{
	struct gsp_firmware fw;
	struct rm_gsp *gsp;
	enum nv_status status;

	gpu->boot_0 = gpu_rd32(gpu, NV_PMC_BOOT_0);
	if (gpu->boot_0 == GPU_OFF_BUS)
		return off_bus(gpu);
	if (REG_GET(NV_PMC_BOOT_0_ARCHITECTURE, gpu->boot_0) != NV_PMC_BOOT_0_ARCHITECTURE_GH100) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: unknown chip, PMC_BOOT_0 0x%08x", gpu->instance,
		       gpu->boot_0);
		return NV_ERR_NOT_SUPPORTED;
	}
	status = gsp_fsp_wait_ready(gpu);
	if (status == NV_ERR_GPU_IS_LOST)
		return off_bus(gpu);
	if (status == NV_OK)
		status = rm_cc_begin(gpu);
	if (status != NV_OK)
		return status;
	status = gsp_firmware_get(gpu->pci, &fw);
	if (status != NV_OK) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: no usable firmware %s: 0x%x", gpu->instance,
		       GSP_FIRMWARE_NAME, status);
		rm_cc_destroy(gpu);
		return status;
	}

	status = NV_ERR_NO_MEMORY;
	gsp = os_alloc(sizeof(*gsp));
	if (!gsp)
		goto fail_gsp;
	gsp->gpu = gpu;
	list_init(&gsp->events);
	read_timeouts(gsp);
	gsp->buffer = os_alloc(GSP_MSG_QUEUE_ELEMENT_SIZE_MAX);
	gsp->info = os_alloc(sizeof(*gsp->info));
	if (!gsp->buffer || !gsp->info)
		goto fail_memory;
	status = gsp_memory_alloc(gsp, &fw);
	if (status != NV_OK)
		goto fail_memory;
	gpu->gsp = gsp;
	os_store_release(&gpu->crash_told, 0);
	status = rm_gpu_interrupts_enable(gpu);
	if (status == NV_OK)
		status = run_boot(gsp, &fw);
	gsp_firmware_put(&fw);
	if (status == NV_OK) {
		/* Of a GPU that was suspended there is one, which no request reads now. */
		os_free(gpu->info);
		gpu->info = gsp->info;
		gsp->info = NULL;
		return NV_OK;
	}

	os_log(OS_LOG_ERROR, "NVRM: GPU%u: firmware boot failed: 0x%x", gpu->instance, status);
	gsp_check_alive(gsp);
	if (gsp->queue.linked && !rm_gpu_is_lost(gpu))
		unload(gsp, false);
	tear_down(gpu);
	return status;

fail_memory:
	os_free(gsp->info);
	os_free(gsp->buffer);
	os_free(gsp);
fail_gsp:
	rm_cc_destroy(gpu);
	gsp_firmware_put(&fw);
	return status;
}

static bool suspended_or_off_bus(void *arg)
{
	u32 value = gsp_falcon_rd32(arg, NV_PFALCON_FALCON_MAILBOX0);

	return value == LIBOS_INTERRUPT_PROCESSOR_SUSPENDED || value == GPU_OFF_BUS;
}

static enum nv_status unload(struct rm_gsp *gsp, bool keep)
{
	rpc_unloading_guest_driver_v1F_07 params;
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER,
		.fixed = &params,
		.fixed_size = sizeof(params),
		.status_offset = GSP_NO_STATUS,
	};
	enum nv_status status;

	if (!keep)
		rm_cc_end(gsp->gpu);
	os_memset(&params, 0, sizeof(params));
	params.bInPMTransition = keep;
	params.newLevel = keep ? GSP_POWER_LEVEL_STANDBY : 0;
	status = gsp_rpc_call(gsp, &x);
	if (status == NV_OK)
		wait_for(gsp, suspended_or_off_bus, "GSP to suspend");
	return status;
}

enum nv_status gsp_suspend(struct rm_gpu *gpu, struct list *events)
{
	struct rm_gsp *gsp = gpu->gsp;
	enum nv_status status;

	/* A session ends with the firmware that has it, and objects need its keys. */
	if (gpu->cc)
		return NV_ERR_NOT_SUPPORTED;
	status = unload(gsp, true);
	if (status != NV_OK && gsp_check_alive(gsp) == NV_OK)
		return status;
	gsp_events_take(gsp, events);
	tear_down(gpu);
	return status;
}

void gsp_stopping(struct rm_gpu *gpu)
{
	gpu->gsp->stopping = true;
}

void gsp_shutdown(struct rm_gpu *gpu)
{
	struct rm_gsp *gsp = gpu->gsp;

	if (!gsp)
		return;
	/* Others wait for this shutdown, and a firmware that is silent has had its time. */
	if (gsp->silent)
		gsp->timeout_ns = min(gsp->timeout_ns, GSP_LAST_WAIT_NS);
	if (!rm_gpu_is_lost(gpu))
		unload(gsp, false);
	rm_cc_detach(gpu);
	tear_down(gpu);
}
