// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The state of one GPU: its users, its lock, and how it is lost. */
#include "rm/gpu/gpu.h"

#include "base/list.h"
#include "rm/api/cache.h"
#include "rm/cc/session.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/notify.h"
#include "rm/gpu/regs.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/rpc.h"
#include "rm/instance.h"
#include "rm/options.h"
#include "rm/server/server.h"
#include "rm/trace.h"

/* How often the timer's high word may be found changed. */
#define TIME_TRIES 3u

/* PCI Local Bus Specification 3.0, 6.2.2 */
#define CFG_COMMAND 0x04u
#define CFG_COMMAND_BUS_MASTER 0x4u
#define CFG_OFF_BUS 0xffffu

/* -- Lock and references ----------------------------------------------------------------------- */

void rm_gpu_lock(struct rm_gpu *gpu)
{
	u64 start;

	if (!rm_trace_on()) {
		os_mutex_lock(&gpu->lock);
		return;
	}
	start = os_time_ns();
	os_mutex_lock(&gpu->lock);
	rm_trace(RM_TRACE_LOCK, "GPU", NV_OK, os_time_ns() - start, 2, NULL, 0);
}

void rm_gpu_unlock(struct rm_gpu *gpu)
{
	os_mutex_unlock(&gpu->lock);
}

void rm_gpu_get(struct rm_gpu *gpu)
{
	os_fetch_add(&gpu->references, 1);
}

void rm_gpu_put(struct rm_gpu *gpu)
{
	if (os_fetch_sub(&gpu->references, 1) != 1)
		return;
	OS_BUG_ON(gpu->gsp || gpu->interrupts);
	os_free(gpu->info);
	rm_control_cache_destroy(gpu->cache);
	os_mutex_destroy(&gpu->lock);
	os_free(gpu);
}

/* -- Users ------------------------------------------------------------------------------------- */

/* GPU lock held; the firmware has just been booted. It keeps what the firmware said of it. */
static bool exclude(struct rm_gpu *gpu)
{
	const struct rm *rm = gpu->rm;

	if (!rm_options_names_uuid(rm->options[RM_OPTION_EXCLUDED_GPUS], gpu->info->uuid) &&
	    !rm_options_names_uuid(rm->options[RM_OPTION_GPU_BLACKLIST], gpu->info->uuid))
		return false;
	gsp_shutdown(gpu);
	os_store_release(&gpu->excluded, 1);
	os_log(OS_LOG_INFO, "NVRM: GPU%u at %04x:%02x:%02x.%x is excluded", gpu->instance,
	       gpu->location.domain, gpu->location.bus, gpu->location.device,
	       gpu->location.function);
	return true;
}

enum nv_status rm_gpu_retain(struct rm_gpu *gpu)
{
	enum nv_status status = NV_OK;

	rm_gpu_lock(gpu);
	if (rm_gpu_is_lost(gpu)) {
		status = NV_ERR_GPU_IS_LOST;
	} else if (gpu->excluded) {
		status = NV_ERR_ILLEGAL_ACTION;
	} else if (!gpu->gsp) {
		status = gsp_boot(gpu);
		if (status == NV_OK && exclude(gpu))
			status = NV_ERR_ILLEGAL_ACTION;
		if (status == NV_OK) {
			status = rm_cc_attach(gpu);
			if (status != NV_OK)
				gsp_shutdown(gpu);
		}
		/* Lost meanwhile (another thread may say so): boot's result does not count. */
		if (status == NV_OK && !os_cmpxchg32(&gpu->state, RM_GPU_FOUND, RM_GPU_RUNNING)) {
			gsp_shutdown(gpu);
			status = NV_ERR_GPU_IS_LOST;
		}
	}
	if (status == NV_OK) {
		os_store_relaxed(&gpu->users, gpu->users + 1);
		rm_gpu_get(gpu);
	}
	rm_gpu_unlock(gpu);
	return status;
}

void rm_gpu_check_excluded(struct rm_gpu *gpu)
{
	struct rm *rm = gpu->rm;
	u32 token;

	if (!rm->options[RM_OPTION_EXCLUDED_GPUS] && !rm->options[RM_OPTION_GPU_BLACKLIST])
		return;
	/* Of a suspended instance no GPU is touched: the first open tells. */
	token = os_percpu_rwlock_read_lock(&rm->power.lock);
	if (!rm->power.suspended && rm_gpu_retain(gpu) == NV_OK)
		rm_gpu_release(gpu);
	os_percpu_rwlock_read_unlock(&rm->power.lock, token);
}

/* GPU lock held. */
static bool is_idle(const struct rm_gpu *gpu)
{
	return gpu->users == 0 && (!gpu->persistent || rm_gpu_is_lost(gpu)) && gpu->gsp;
}

void rm_gpu_stop_if_idle(struct rm_gpu *gpu)
{
	struct rm_server *server = gpu->rm->server;
	bool idle;

	/* From here on no call is served, and nobody becomes a user. */
	rm_server_lock_exclusive(server);
	rm_gpu_lock(gpu);
	idle = is_idle(gpu);
	if (idle)
		gsp_stopping(gpu);
	rm_gpu_unlock(gpu);
	if (!idle)
		goto out;
	rm_server_gpu_stops(server, gpu);
	rm_gpu_lock(gpu);
	gsp_shutdown(gpu);
	rm_control_cache_invalidate(gpu->cache, 0);
	if (os_cmpxchg32(&gpu->state, RM_GPU_RUNNING, RM_GPU_FOUND)) {
		os_free(gpu->info);
		gpu->info = NULL;
		os_store_relaxed(&gpu->accounting, 0);
	}
	rm_gpu_unlock(gpu);
out:
	rm_server_unlock_exclusive(server);
}

void rm_gpu_release(struct rm_gpu *gpu)
{
	bool in_call = rm_call_current() != NULL;
	bool idle;

	rm_gpu_lock(gpu);
	OS_BUG_ON(gpu->users == 0);
	os_store_relaxed(&gpu->users, gpu->users - 1);
	idle = is_idle(gpu);
	if (idle && in_call)
		rm_gpu_interrupts_kick(gpu, RM_GPU_KICK_STOP_IF_IDLE);
	rm_gpu_unlock(gpu);
	if (idle && !in_call)
		rm_gpu_stop_if_idle(gpu);
	rm_gpu_put(gpu);
}

void rm_gpu_set_persistent(struct rm_gpu *gpu, bool persistent)
{
	os_store_relaxed(&gpu->persistent, persistent);
	if (is_idle(gpu))
		rm_gpu_interrupts_kick(gpu, RM_GPU_KICK_STOP_IF_IDLE);
}

/* -- Power source, suspend and resume ---------------------------------------------------------- */

void rm_gpu_tell_power_source(struct rm_gpu *gpu, bool battery)
{
	NV2080_CTRL_PERF_SET_POWERSTATE_PARAMS p = {
		.powerStateInfo.powerState = battery ? NV2080_CTRL_PERF_POWER_SOURCE_BATTERY
						     : NV2080_CTRL_PERF_POWER_SOURCE_AC,
	};

	if (gsp_rpc_internal_control(gpu, NV2080_CTRL_CMD_PERF_SET_POWERSTATE, &p, sizeof(p)) ==
	    NV_OK)
		rm_gpu_notify_index(gpu, NV2080_NOTIFIERS_POWER_EVENT);
}

enum nv_status rm_gpu_suspend(struct rm_gpu *gpu)
{
	enum nv_status status = NV_OK;
	struct list events;

	list_init(&events);
	rm_gpu_lock(gpu);
	if (gpu->gsp && !rm_gpu_is_lost(gpu)) {
		status = gsp_suspend(gpu, &events);
		gpu->suspended = status == NV_OK;
		/* Of a GPU that was lost by it nothing runs either. */
		if (rm_gpu_is_lost(gpu))
			status = NV_OK;
	}
	rm_gpu_unlock(gpu);
	gsp_events_deliver(gpu, &events);
	return status;
}

void rm_gpu_resume(struct rm_gpu *gpu)
{
	bool lost = false;

	rm_gpu_lock(gpu);
	if (gpu->suspended && !rm_gpu_is_lost(gpu))
		lost = gsp_boot(gpu) != NV_OK;
	gpu->suspended = false;
	rm_gpu_unlock(gpu);
	if (lost)
		rm_gpu_lose(gpu, RM_XID_GSP_ERROR, "GSP did not resume.");
}

/* -- Loss -------------------------------------------------------------------------------------- */

void rm_gpu_log_xid_of(struct rm_gpu *gpu, u32 xid, u32 process, const char *text)
{
	char pid[16] = "'<unknown>'";

	if (process != 0)
		os_snprintf(pid, sizeof(pid), "%u", process);
	os_log(OS_LOG_ERROR, "NVRM: Xid (PCI:%04x:%02x:%02x): %u, pid=%s, name=<unknown>, %s",
	       gpu->location.domain, gpu->location.bus, gpu->location.device, xid, pid, text);
}

void rm_gpu_log_xid(struct rm_gpu *gpu, u32 xid, const char *fmt, ...)
{
	const struct rm_call *call = rm_call_current();
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	os_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rm_gpu_log_xid_of(gpu, xid, call ? call->cred.pid : 0, text);
}

void rm_gpu_set_bus_master(struct rm_gpu *gpu, bool on)
{
	u32 command = os_pci_cfg_read(gpu->pci, CFG_COMMAND, 2);

	if (command != CFG_OFF_BUS && ((command & CFG_COMMAND_BUS_MASTER) != 0) != on)
		os_pci_cfg_write(gpu->pci, CFG_COMMAND, 2, command ^ CFG_COMMAND_BUS_MASTER);
}

void rm_gpu_lose(struct rm_gpu *gpu, u32 xid, const char *why)
{
	if (!os_cmpxchg32(&gpu->state, RM_GPU_RUNNING, RM_GPU_LOST) &&
	    !os_cmpxchg32(&gpu->state, RM_GPU_FOUND, RM_GPU_LOST))
		return;
	rm_gpu_set_bus_master(gpu, false);
	os_store_release(&gpu->lost_xid, xid);
	/* The firmware may have told of its own crash before it was noticed. */
	if (xid == RM_XID_GSP_ERROR && os_exchange(&gpu->crash_told, 1))
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: %s", gpu->instance, why);
	else
		rm_gpu_log_xid(gpu, xid, "%s", why);
	if (xid == RM_XID_OFF_BUS)
		os_log(OS_LOG_ERROR, "NVRM: GPU %04x:%02x:%02x.%x: GPU has fallen off the bus.",
		       gpu->location.domain, gpu->location.bus, gpu->location.device,
		       gpu->location.function);
	rm_gpu_interrupts_kick(gpu, RM_GPU_KICK_TELL_LOST);
}

/* -- Time -------------------------------------------------------------------------------------- */

u64 rm_gpu_time(const struct rm_gpu *gpu)
{
	u32 high, low, again = gpu_rd32(gpu, NV_PTIMER_TIME_1);
	u32 tries = 0;

	/* The high word may carry between the two reads, every few seconds once. */
	do {
		high = again;
		low = gpu_rd32(gpu, NV_PTIMER_TIME_0);
		again = gpu_rd32(gpu, NV_PTIMER_TIME_1);
	} while (again != high && ++tries < TIME_TRIES);
	if (again != high || high == GPU_OFF_BUS)
		return ~(u64)0;
	return (REG_GET(NV_PTIMER_TIME_1_NSEC, high) << 32) | low;
}
