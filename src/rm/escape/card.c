// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What GPUs there are and how they do: NV_ESC_CARD_INFO, ATTACH_GPUS_TO_FD, STATUS_CODE and
 * QUERY_DEVICE_INTR.
 */
#include "rm/escape/escape.h"
#include "rm/gpu/gpu.h"

#define INTR_REGISTER 0x100u /* the NV_PMC_INTR word that QUERY_DEVICE_INTR reports */

/* gpu->bars[]: registers, video memory, control. */
#define BAR_REGISTERS 0u
#define BAR_VIDEO_MEMORY 1u

enum rm_ioctl_result escape_query_device_intr(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_query_device_intr *p = data;
	enum rm_ioctl_result result = RM_IOCTL_EINVAL;
	struct rm_gpu *gpu = file->gpu;
	struct rm_call call;

	if (size < sizeof(*p) || gpu->bars[BAR_REGISTERS].size <= INTR_REGISTER)
		return RM_IOCTL_EINVAL;
	/* The device may have gone since the request came in; from here on it stays. */
	rm_gpus_hold(&call, file->rm, file);
	if (!rm_gpu_is_lost(gpu)) {
		p->intrStatus = os_pci_rd32(gpu->pci, 0, INTR_REGISTER);
		p->status = NV_OK;
		result = RM_IOCTL_OK;
	}
	rm_gpus_let_go(&call);
	return result;
}

static void card_fill(nv_ioctl_card_info_t *card, const struct rm_gpu *gpu)
{
	card->valid = true;
	card->pci_info.domain = gpu->location.domain;
	card->pci_info.bus = gpu->location.bus;
	card->pci_info.slot = gpu->location.device;
	card->pci_info.vendor_id = gpu->vendor_id;
	card->pci_info.device_id = gpu->device_id;
	card->gpu_id = gpu->gpu_id;
	card->interrupt_line = (u16)os_pci_irq_number(gpu->pci);
	card->reg_address = gpu->bars[BAR_REGISTERS].address;
	card->reg_size = gpu->bars[BAR_REGISTERS].size;
	card->fb_address = gpu->bars[BAR_VIDEO_MEMORY].address;
	card->fb_size = gpu->bars[BAR_VIDEO_MEMORY].size;
	card->minor_number = gpu->minor;
}

enum rm_ioctl_result escape_card_info(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_card_info_t *cards = data;
	u32 room = size / sizeof(*cards), used = 0, i;
	struct rm_call call;

	os_memset(cards, 0, room * sizeof(*cards));
	rm_gpus_hold(&call, file->rm, file);
	for (i = 0; i < RM_MAX_GPUS && used < room; i++) {
		struct rm_gpu *gpu = rm_gpu_by_instance(file->rm, i);

		if (gpu && !os_load_acquire(&gpu->excluded))
			card_fill(&cards[used++], gpu);
	}
	rm_gpus_let_go(&call);
	return RM_IOCTL_OK;
}

/* Takes the GPUs of ids; on failure none is kept. */
static bool attach_all(struct rm_file *file, const u32 *ids, struct rm_gpu **gpus, u32 count)
{
	struct rm_call call;
	u32 i;

	rm_gpus_hold(&call, file->rm, file);
	for (i = 0; i < count; i++) {
		struct rm_gpu *gpu;

		if (ids[i] == 0)
			continue;
		gpu = rm_gpu_by_id(file->rm, ids[i]);
		if (!gpu || rm_gpu_retain(gpu) != NV_OK)
			break;
		gpus[i] = gpu;
	}
	rm_gpus_let_go(&call);
	if (i == count)
		return true;
	while (i--) {
		if (gpus[i])
			rm_gpu_release(gpus[i]);
	}
	return false;
}

enum rm_ioctl_result escape_attach_gpus(struct rm_file *file, void *data, u32 size)
{
	u32 count = size / sizeof(u32);
	struct rm_gpu **gpus;
	bool taken;

	if (count == 0 || size % sizeof(u32) != 0)
		return RM_IOCTL_EINVAL;
	gpus = os_alloc(count * sizeof(struct rm_gpu *));
	if (!gpus)
		return os_load_relaxed(&file->attached_count) ? RM_IOCTL_EINVAL : RM_IOCTL_ENOMEM;

	os_mutex_lock(&file->rm->file_lock);
	taken = file->attached_count != 0;
	if (!taken)
		file->attached_count = count;
	os_mutex_unlock(&file->rm->file_lock);
	if (taken)
		goto fail;

	if (!attach_all(file, data, gpus, count)) {
		os_mutex_lock(&file->rm->file_lock);
		file->attached_count = 0;
		os_mutex_unlock(&file->rm->file_lock);
		goto fail;
	}
	file->attached = gpus;
	return RM_IOCTL_OK;

fail:
	os_free(gpus);
	return RM_IOCTL_EINVAL;
}

enum rm_ioctl_result escape_status_code(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_status_code_t *p = data;
	enum rm_ioctl_result result = RM_IOCTL_EINVAL;
	struct rm_call call;
	u32 i;

	rm_gpus_hold(&call, file->rm, file);
	for (i = 0; i < RM_MAX_GPUS; i++) {
		struct rm_gpu *gpu = rm_gpu_by_instance(file->rm, i);

		if (!gpu || gpu->location.domain != p->domain || gpu->location.bus != p->bus ||
		    gpu->location.device != p->slot)
			continue;
		/* The result of the system checks of the adapter's start, which it has passed. */
		p->status = NV_OK;
		result = RM_IOCTL_OK;
		break;
	}
	rm_gpus_let_go(&call);
	return result;
}
