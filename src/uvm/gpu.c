// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * GPUs of a VA space: registration by UUID, what each processor reaches, and the questions about
 * pageable memory and atomics.
 */
#include "uvm/queue.h"
#include "uvm/range.h"

#include "abi/gh100.h"

#define BAR_REGISTERS 0u

static const NvProcessorUuid cpu_uuid = { .uuid = { 0xa6, 0x5e, 0x0f, 0x4e, 0xd7, 0xd4, 0x7b, 0xa2,
						    0x50, 0x47, 0x41, 0x2c, 0x14, 0x2a, 0x77,
						    0x73 } };

const NvProcessorUuid *uvm_uuid_of_cpu(void)
{
	return &cpu_uuid;
}

bool uvm_uuid_is_cpu(const NvProcessorUuid *uuid)
{
	return !os_memcmp(uuid, &cpu_uuid, sizeof(*uuid));
}

struct uvm_gpu *uvm_gpu_find(struct uvm_space *space, const NvProcessorUuid *uuid)
{
	struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, space)
	{
		if (!os_memcmp(&gpu->info.uuid, uuid, sizeof(*uuid)))
			return gpu;
	}
	return NULL;
}

struct uvm_gpu *uvm_gpu_find_with_space(struct uvm_space *space, const NvProcessorUuid *uuid)
{
	struct uvm_gpu *gpu = uvm_gpu_find(space, uuid);

	return gpu && gpu->space ? gpu : NULL;
}

bool uvm_gpu_can_address(const struct uvm_gpu *gpu, u64 address, u64 size)
{
	const u64 half = BIT64(47); /* of 48 bits, sign extended, as the CPU has them */
	u64 last = address + size - 1;

	if (gpu->hal.mmu->va_bits <= 48)
		return last < BIT64(gpu->hal.mmu->va_bits);
	return last < half || address >= ~(half - 1);
}

enum nv_status uvm_gpu_time(const struct uvm_gpu *gpu, u64 *ns)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(gpu->rm);
	u32 high, again, low;

	do {
		high = os_pci_rd32(pci, BAR_REGISTERS, LH_VF_BASE + NV_VIRTUAL_FUNCTION_TIME_1);
		low = os_pci_rd32(pci, BAR_REGISTERS, LH_VF_BASE + NV_VIRTUAL_FUNCTION_TIME_0);
		again = os_pci_rd32(pci, BAR_REGISTERS, LH_VF_BASE + NV_VIRTUAL_FUNCTION_TIME_1);
	} while (high != again);
	*ns = (u64)high << 32 | low;
	/* One off the bus reads as all ones. */
	return *ns == ~(u64)0 || rm_uvm_gpu_is_lost(gpu->rm) ? NV_ERR_GPU_IS_LOST : NV_OK;
}

/* -- What reaches what ------------------------------------------------------------------------- */

static void masks_set(struct uvm_space *space, const struct uvm_gpu *gpu)
{
	u32 id = gpu->id;
	uvm_mask own = BIT32(id);

	space->registered |= own;
	space->faultable |= own;
	space->system_wide_atomics |= own;
	space->native_atomics[id] |= own;
	space->can_access[id] |= own;
	space->accessible_from[id] |= own;
	/* In confidential mode system memory is the CPU's alone: data crosses by copies. */
	if (!gpu->info.confidential) {
		space->can_access[id] |= BIT32(UVM_CPU);
		space->accessible_from[UVM_CPU] |= own;
	}
	if (gpu->info.coherent) {
		space->native_atomics[id] |= BIT32(UVM_CPU);
		space->can_access[UVM_CPU] |= own;
		space->accessible_from[id] |= BIT32(UVM_CPU);
	}
	space->can_copy_from[id] |= own | BIT32(UVM_CPU);
	space->can_copy_from[UVM_CPU] |= own;
}

static void masks_clear(struct uvm_space *space, u32 id)
{
	uvm_mask keep = ~BIT32(id);
	u32 i;

	space->registered &= keep;
	space->faultable &= keep;
	space->system_wide_atomics &= keep;
	for (i = 0; i < UVM_PROCESSORS; i++) {
		uvm_mask mask = i == id ? 0 : keep;

		space->can_access[i] &= mask;
		space->accessible_from[i] &= mask;
		space->can_copy_from[i] &= mask;
		space->native_atomics[i] &= mask;
		space->nvlink[i] &= mask;
	}
}

/* -- Registration ------------------------------------------------------------------------------ */

/* Without a buffer for ciphertext what the GPU has could not be brought back when it goes. */
static enum nv_status reserve_take(struct uvm_gpu *gpu)
{
	enum nv_status status;

	if (!gpu->info.confidential)
		return NV_OK;
	status = uvm_device_start(gpu->device);
	return status == NV_OK ? uvm_dma_alloc(&gpu->device->dma, NULL, &gpu->reserve) : status;
}

static void reserve_give(struct uvm_gpu *gpu)
{
	if (gpu->reserve)
		uvm_dma_free(&gpu->device->dma, gpu->reserve, NULL);
	gpu->reserve = NULL;
}

static enum nv_status check_new(struct uvm_space *space, const struct uvm_gpu *gpu)
{
	struct uvm_gpu *other;
	u32 slot;

	if (gpu->info.instance >= UVM_GPUS)
		return NV_ERR_NOT_SUPPORTED;
	if (space->gpus[gpu->info.instance])
		return NV_ERR_INVALID_DEVICE;
	uvm_for_each_gpu(other, slot, space)
	{
		if (other->info.coherent != gpu->info.coherent)
			return NV_ERR_INVALID_DEVICE;
	}
	return space->no_new_gpus ? NV_ERR_PAGE_TABLE_NOT_AVAIL : NV_OK;
}

enum nv_status uvm_register_gpu(struct uvm_file *file, void *params)
{
	UVM_REGISTER_GPU_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_gpu *gpu = os_alloc(sizeof(*gpu));
	enum nv_status status;

	if (!gpu)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_gpu_get(space->uvm->rm, &p->gpu_uuid, &gpu->rm, &gpu->info);
	if (status != NV_OK) {
		os_free(gpu);
		return status;
	}
	gpu->id = gpu->info.instance + 1;
	status = uvm_hal_find(gpu->info.architecture, &gpu->hal);
	if (status == NV_OK)
		status = uvm_device_get(space->uvm, gpu->rm, &gpu->info, &gpu->device);
	if (status != NV_OK)
		goto put;
	gpu->owner = space;
	gpu->room.chunks = &gpu->device->chunks;
	status = reserve_take(gpu);
	if (status != NV_OK)
		goto put_device;
	os_mutex_lock(&space->lock);
	status = check_new(space, gpu);
	if (status == NV_OK) {
		space->gpus[gpu->info.instance] = gpu;
		/* From here on uvm_spaces_gpu_gone finds it; before, it was lost already. */
		if (rm_uvm_gpu_is_lost(gpu->rm)) {
			space->gpus[gpu->info.instance] = NULL;
			status = NV_ERR_GPU_IS_LOST;
		}
	}
	if (status == NV_OK) {
		masks_set(space, gpu);
		uvm_peers_register(space, gpu);
		p->numaEnabled = false;
		p->numaNodeId = -1;
	}
	os_mutex_unlock(&space->lock);
	if (status == NV_OK)
		return NV_OK;
	reserve_give(gpu);
put_device:
	uvm_device_put(gpu->device);
put:
	rm_uvm_gpu_put(gpu->rm);
	os_free(gpu);
	return status;
}

void uvm_gpu_remove(struct uvm_space *space, struct uvm_gpu *gpu)
{
	struct uvm_range *range;

	if (gpu->space)
		uvm_gpu_space_remove(space, gpu);
	uvm_peers_remove(space, gpu);
	for (range = uvm_range_first_in(space, 0, ~(u64)0); range; range = uvm_range_next(range))
		uvm_range_remove_gpu(range, gpu);
	masks_clear(space, gpu->id);
	space->gpus[gpu->info.instance] = NULL;
	uvm_room_clear(&gpu->room);
	reserve_give(gpu);
	uvm_device_put(gpu->device);
	rm_uvm_gpu_put(gpu->rm);
	os_free(gpu);
}

enum nv_status uvm_unregister_gpu(struct uvm_file *file, void *params)
{
	UVM_UNREGISTER_GPU_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_gpu *gpu;

	os_mutex_lock(&space->lock);
	gpu = uvm_gpu_find(space, &p->gpu_uuid);
	if (gpu)
		uvm_gpu_remove(space, gpu);
	os_mutex_unlock(&space->lock);
	return gpu ? NV_OK : NV_ERR_INVALID_DEVICE;
}

/* -- Questions --------------------------------------------------------------------------------- */

enum nv_status uvm_pageable_mem_access(struct uvm_file *file, void *params)
{
	UVM_PAGEABLE_MEM_ACCESS_PARAMS *p = params;

	p->pageableMemAccess = false; /* neither HMM nor ATS: docs/limits.md */
	return NV_OK;
}

enum nv_status uvm_pageable_mem_access_on_gpu(struct uvm_file *file, void *params)
{
	UVM_PAGEABLE_MEM_ACCESS_ON_GPU_PARAMS *p = params;
	struct uvm_space *space = file->space;
	bool found;

	os_mutex_lock(&space->lock);
	found = uvm_gpu_find(space, &p->gpu_uuid) != NULL;
	os_mutex_unlock(&space->lock);
	if (!found)
		return NV_ERR_INVALID_DEVICE;
	p->pageableMemAccess = false;
	return NV_OK;
}

/* GPUs since Volta know the scope of an atomic operation: nothing to be switched. */
static enum nv_status atomics_switch(struct uvm_space *space, const NvProcessorUuid *uuid)
{
	bool found;

	os_mutex_lock(&space->lock);
	found = uvm_gpu_find(space, uuid) != NULL;
	os_mutex_unlock(&space->lock);
	return found ? NV_ERR_NOT_SUPPORTED : NV_ERR_INVALID_DEVICE;
}

enum nv_status uvm_enable_system_wide_atomics(struct uvm_file *file, void *params)
{
	UVM_ENABLE_SYSTEM_WIDE_ATOMICS_PARAMS *p = params;

	return atomics_switch(file->space, &p->gpu_uuid);
}

enum nv_status uvm_disable_system_wide_atomics(struct uvm_file *file, void *params)
{
	UVM_DISABLE_SYSTEM_WIDE_ATOMICS_PARAMS *p = params;

	return atomics_switch(file->space, &p->gpu_uuid);
}

enum nv_status uvm_tools_get_processor_uuid_table(struct uvm_file *file, void *params)
{
	UVM_TOOLS_GET_PROCESSOR_UUID_TABLE_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_gpu *gpu;
	enum nv_status status;
	NvProcessorUuid *table = os_alloc(UVM_PROCESSORS * sizeof(*table));
	u32 slot;

	if (!table)
		return NV_ERR_NO_MEMORY;
	table[UVM_CPU] = cpu_uuid;
	p->count = 1;
	os_mutex_lock(&space->lock);
	uvm_for_each_gpu(gpu, slot, space)
	{
		table[gpu->id] = gpu->info.uuid;
		p->count = gpu->id + 1;
	}
	os_mutex_unlock(&space->lock);
	status = os_copy_to_user(p->tablePtr, table, p->count * sizeof(*table));
	os_free(table);
	return status == NV_OK ? NV_OK : NV_ERR_INVALID_ADDRESS;
}
