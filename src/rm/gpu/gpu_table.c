// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The GPUs of the instance: recognising one on the bus, entering it in the table, and taking it out
 * again while clients may still hold it.
 */
#include "rm/gpu/gpu.h"

#include "rm/api/cache.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/notify.h"
#include "rm/gpu/regs.h"
#include "rm/gsp/rpc.h"
#include "rm/instance.h"
#include "rm/options.h"
#include "rm/registry.h"
#include "rm/server/server.h"
#include "rm/uvm.h"

/* Config space, PCI Local Bus and PCI Express specifications. */
#define CFG_VENDOR_ID 0x00u
#define CFG_DEVICE_ID 0x02u
#define CFG_REVISION 0x08u
#define CFG_SUBSYSTEM_VENDOR_ID 0x2cu
#define CFG_SUBSYSTEM_ID 0x2eu
#define CFG_EXTENDED 0x100u
#define CFG_SIZE 0x1000u
#define EXTENDED_VENDOR_SPECIFIC 0x0bu

#define VENDOR_NVIDIA 0x10deu

/* -- Recognising ------------------------------------------------------------------------------- */

static u32 cfg32(struct os_pci_dev *dev, u32 offset)
{
	return os_pci_cfg_read(dev, offset, 4);
}

static bool is_mark(struct os_pci_dev *dev, u32 at)
{
	u32 id = cfg32(dev, at + 4);

	return at <= CFG_SIZE - LH_VSEC_LENGTH && (id & 0xffff) == LH_VSEC_ID &&
	       ((id >> 16) & 0xf) == LH_VSEC_REVISION && (id >> 20) >= LH_VSEC_LENGTH &&
	       cfg32(dev, at + 8) == LH_VSEC_MAGIC_0 && cfg32(dev, at + 12) == LH_VSEC_MAGIC_1 &&
	       cfg32(dev, at + 16) == LH_VSEC_MODEL_REVISION;
}

/* Whether the capability that marks the software GPU is there (abi/r535/gh100.abi). */
static bool is_software_gpu(struct os_pci_dev *dev)
{
	u32 at = CFG_EXTENDED;
	u32 tries, header;

	/* A list that loops ends after as many steps as there is room for capabilities. */
	for (tries = 0; tries < CFG_SIZE / 8; tries++) {
		header = cfg32(dev, at);
		if (header == 0 || header == GPU_OFF_BUS)
			return false;
		if ((header & 0xffff) == EXTENDED_VENDOR_SPECIFIC && is_mark(dev, at))
			return true;
		at = (header >> 20) & ~3u;
		if (at < CFG_EXTENDED)
			return false;
	}
	return false;
}

static enum nv_status probe(struct rm_gpu *gpu)
{
	static const u32 bars[] = { 0, 2, 4 };
	struct os_pci_dev *dev = gpu->pci;
	u32 i;

	os_pci_location(dev, &gpu->location);
	gpu->vendor_id = (u16)os_pci_cfg_read(dev, CFG_VENDOR_ID, 2);
	gpu->device_id = (u16)os_pci_cfg_read(dev, CFG_DEVICE_ID, 2);
	gpu->revision = (u8)os_pci_cfg_read(dev, CFG_REVISION, 1);
	gpu->subsystem_vendor_id = (u16)os_pci_cfg_read(dev, CFG_SUBSYSTEM_VENDOR_ID, 2);
	gpu->subsystem_id = (u16)os_pci_cfg_read(dev, CFG_SUBSYSTEM_ID, 2);
	gpu->gpu_id =
		(gpu->location.domain << 16) | ((u32)gpu->location.bus << 8) | gpu->location.device;
	if (gpu->vendor_id != VENDOR_NVIDIA || !is_software_gpu(dev)) {
		os_log(OS_LOG_WARN,
		       "NVRM: %04x:%02x:%02x.%x (%04x:%04x) is no GPU that this driver drives",
		       gpu->location.domain, gpu->location.bus, gpu->location.device,
		       gpu->location.function, gpu->vendor_id, gpu->device_id);
		return NV_ERR_NOT_SUPPORTED;
	}
	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		gpu->bars[i].address = os_pci_bar_address(dev, bars[i]);
		gpu->bars[i].size = os_pci_bar_size(dev, bars[i]);
		if (gpu->bars[i].size == 0 || gpu->bars[i].address == 0) {
			os_log(OS_LOG_ERROR, "NVRM: %04x:%02x:%02x.%x: BAR%u is not assigned",
			       gpu->location.domain, gpu->location.bus, gpu->location.device,
			       gpu->location.function, bars[i]);
			return NV_ERR_NOT_SUPPORTED;
		}
		gpu->bar_count++;
	}
	rm_gpu_set_bus_master(gpu, true);
	return NV_OK;
}

/* -- The table --------------------------------------------------------------------------------- */

static enum nv_status enter(struct rm *rm, struct rm_gpu *gpu)
{
	u32 slot = RM_MAX_GPUS, i;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		if (!rm->gpus[i])
			slot = min(slot, i);
		else if (rm->gpus[i]->minor == gpu->minor || rm->gpus[i]->gpu_id == gpu->gpu_id)
			return NV_ERR_STATE_IN_USE;
	}
	if (slot == RM_MAX_GPUS)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	/* The same order by both numbers, in whatever order the bus finds them. */
	if (gpu->minor < RM_MAX_GPUS && !rm->gpus[gpu->minor])
		slot = gpu->minor;
	gpu->instance = slot;
	rm->gpus[slot] = gpu;
	rm->gpu_count++;
	return NV_OK;
}

enum nv_status rm_gpu_add(struct rm *rm, struct os_pci_dev *dev, u32 minor, struct rm_gpu **out)
{
	enum nv_status status;
	struct rm_gpu *gpu;

	gpu = os_alloc(sizeof(*gpu));
	if (!gpu)
		return NV_ERR_NO_MEMORY;
	gpu->rm = rm;
	gpu->pci = dev;
	gpu->minor = minor;
	gpu->state = RM_GPU_FOUND;
	gpu->references = 1;
	os_spinlock_init(&gpu->interrupts_lock, "gpu interrupts");
	status = os_mutex_init(&gpu->lock, LOCK_RANK_GPU, "gpu");
	if (status != NV_OK)
		goto fail_lock;
	status = rm_control_cache_create(&gpu->cache);
	if (status != NV_OK)
		goto fail_cache;
	status = probe(gpu);
	if (status != NV_OK)
		goto fail_probe;
	status = rm_options_apply_gpu(rm, gpu, rm->options[RM_OPTION_REGISTRY_DWORDS_PER_DEVICE]);
	if (status != NV_OK)
		goto fail_enter;
	rm_server_lock_exclusive(rm->server);
	status = enter(rm, gpu);
	rm_server_unlock_exclusive(rm->server);
	if (status != NV_OK)
		goto fail_enter;
	os_log(OS_LOG_INFO, "NVRM: GPU%u at %04x:%02x:%02x.%x (%04x:%04x)", gpu->instance,
	       gpu->location.domain, gpu->location.bus, gpu->location.device,
	       gpu->location.function, gpu->vendor_id, gpu->device_id);
	rm_gpu_check_excluded(gpu);
	*out = gpu;
	return NV_OK;

fail_enter:
	rm_registry_forget_gpu(rm, gpu);
fail_probe:
	rm_control_cache_destroy(gpu->cache);
fail_cache:
	os_mutex_destroy(&gpu->lock);
fail_lock:
	os_free(gpu);
	return status;
}

/* Unified memory lets go of it (rm_uvm_listen). No lock is held. */
static void tell_uvm(struct rm_gpu *gpu)
{
	struct rm *rm = gpu->rm;

	os_mutex_lock(&rm->uvm_lock);
	if (rm->uvm)
		rm->uvm->gone(rm->uvm_ctx, gpu);
	os_mutex_unlock(&rm->uvm_lock);
}

void rm_gpu_remove(struct rm_gpu *gpu)
{
	struct rm *rm = gpu->rm;

	/* No call is being served: the firmware goes in order if it still can. */
	rm_server_lock_exclusive(rm->server);
	rm_gpu_lock(gpu);
	gsp_shutdown(gpu);
	/* Firmware that does not answer leaves engines running. */
	rm_gpu_set_bus_master(gpu, false);
	/* What clients still have of it is out of their reach, and shall be out of the next ones'.
	 */
	os_pci_bar_discard(gpu->pci, RM_BAR_VIDEO, 0, gpu->bars[1].size);
	os_store_release(&gpu->state, RM_GPU_LOST);
	rm_gpu_unlock(gpu);
	rm_server_unlock_exclusive(rm->server);

	rm_gpu_notify_lost(gpu);
	tell_uvm(gpu);

	rm_server_lock_exclusive(rm->server);
	rm_server_gpu_removed(rm->server, gpu);
	rm_gpu_forget_objects(gpu);
	rm->gpus[gpu->instance] = NULL;
	rm->gpu_count--;
	rm_server_unlock_exclusive(rm->server);

	rm_registry_forget_gpu(rm, gpu);
	rm_gpu_interrupts_free(gpu);
	rm_gpu_put(gpu);
}

void rm_gpu_gone(struct rm_gpu *gpu)
{
	rm_gpu_lose(gpu, RM_XID_OFF_BUS, "GPU has fallen off the bus.");
}

bool rm_gpu_is_gone(const struct rm_gpu *gpu)
{
	return rm_gpu_is_lost(gpu);
}

struct rm_gpu *rm_gpu_by_instance(struct rm *rm, u32 instance)
{
	return instance < RM_MAX_GPUS ? rm->gpus[instance] : NULL;
}

struct rm_gpu *rm_gpu_by_id(struct rm *rm, u32 gpu_id)
{
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++)
		if (rm->gpus[i] && rm->gpus[i]->gpu_id == gpu_id)
			return rm->gpus[i];
	return NULL;
}

struct rm_gpu *rm_gpu_by_minor(struct rm *rm, u32 minor)
{
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++)
		if (rm->gpus[i] && rm->gpus[i]->minor == minor)
			return rm->gpus[i];
	return NULL;
}

u32 rm_gpu_count(struct rm *rm)
{
	return rm->gpu_count;
}
