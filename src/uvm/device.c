// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Devices: what all VA spaces share of a GPU (uvm/push.h). */
#include "uvm/internal.h"
#include "uvm/queue.h"

#define LET_GO_POLL_US 1000u

static struct uvm_device *find(struct uvm *uvm, const struct rm_gpu *gpu)
{
	struct uvm_device *device;

	list_for_each_entry (device, &uvm->devices, node) {
		if (device->gpu == gpu)
			return device;
	}
	return NULL;
}

static enum nv_status create(struct uvm *uvm, struct rm_gpu *gpu,
			     const struct rm_uvm_gpu_info *info, struct uvm_device **out)
{
	struct uvm_device *device = os_alloc(sizeof(*device));
	struct rm_uvm_gpu_info again;
	enum nv_status status;

	if (!device)
		return NV_ERR_NO_MEMORY;
	/* It may outlive the registration that it was made for. */
	status = rm_uvm_gpu_get(uvm->rm, &info->uuid, &device->gpu, &again);
	if (status != NV_OK) {
		os_free(device);
		return status;
	}
	device->uvm = uvm;
	device->instance = info->instance;
	device->uuid = info->uuid;
	device->pci = rm_uvm_gpu_pci(gpu);
	device->confidential = info->confidential;
	status = uvm_host_hal_find(info->host_class, &device->host);
	if (status == NV_OK)
		status = uvm_ce_hal_find(info->copy_class, &device->ce);
	if (status == NV_OK && device->confidential)
		status = uvm_sec2_hal_find(info->sec2_class, &device->sec2);
	if (status == NV_OK)
		status = os_mutex_init(&device->start_lock, LOCK_RANK_UVM_DEVICE, "uvm device");
	if (status != NV_OK) {
		rm_uvm_gpu_put(device->gpu);
		os_free(device);
		return status;
	}
	uvm_chunks_init(&device->chunks, device->gpu);
	*out = device;
	return NV_OK;
}

enum nv_status uvm_device_get(struct uvm *uvm, struct rm_gpu *gpu,
			      const struct rm_uvm_gpu_info *info, struct uvm_device **out)
{
	enum nv_status status = NV_OK;

	os_mutex_lock(&uvm->devices_lock);
	*out = find(uvm, gpu);
	if (!*out) {
		status = create(uvm, gpu, info, out);
		if (status == NV_OK)
			list_add_tail(&(*out)->node, &uvm->devices);
	}
	if (status == NV_OK)
		(*out)->references++;
	os_mutex_unlock(&uvm->devices_lock);
	return status;
}

static void stop(struct uvm_device *device)
{
	u32 i;

	uvm_across_part(device);
	uvm_launcher_destroy(device);
	for (i = 0; i < UVM_QUEUES; i++)
		uvm_queue_destroy(&device->queues[i]);
	uvm_dma_pool_fini(&device->dma);
	if (device->semaphores)
		rm_uvm_buffer_free(device->semaphores);
	device->semaphores = NULL;
	if (device->session)
		rm_uvm_session_destroy(device->session);
	device->session = NULL;
}

void uvm_device_put(struct uvm_device *device)
{
	struct uvm *uvm = device->uvm;
	bool last;

	os_mutex_lock(&uvm->devices_lock);
	last = !--device->references;
	if (last)
		list_del(&device->node);
	os_mutex_unlock(&uvm->devices_lock);
	if (!last)
		return;
	stop(device);
	uvm_chunks_fini(&device->chunks);
	os_mutex_destroy(&device->start_lock);
	rm_uvm_gpu_put(device->gpu);
	os_free(device);
}

/* -- Without a lock of a space -------------------------------------------------------------------
 */

static void hold(struct uvm_device *device, struct uvm_device_holder *holder)
{
	device->references++;
	holder->device = device;
	holder->gpu = device->gpu;
	list_add_tail(&holder->node, &device->uvm->holders);
}

void uvm_device_hold(struct uvm_device *device, struct uvm_device_holder *holder)
{
	os_mutex_lock(&device->uvm->devices_lock);
	hold(device, holder);
	os_mutex_unlock(&device->uvm->devices_lock);
}

bool uvm_device_hold_of(struct uvm *uvm, struct rm_gpu *gpu, struct uvm_device_holder *holder)
{
	struct uvm_device *device;

	os_mutex_lock(&uvm->devices_lock);
	device = find(uvm, gpu);
	if (device)
		hold(device, holder);
	os_mutex_unlock(&uvm->devices_lock);
	return device != NULL;
}

void uvm_device_let_go(struct uvm_device_holder *holder)
{
	struct uvm *uvm = holder->device->uvm;

	uvm_device_put(holder->device);
	os_mutex_lock(&uvm->devices_lock);
	list_del(&holder->node);
	os_mutex_unlock(&uvm->devices_lock);
}

static bool is_held(struct uvm *uvm, const struct rm_gpu *gpu)
{
	const struct uvm_device_holder *holder;
	bool held = false;

	os_mutex_lock(&uvm->devices_lock);
	list_for_each_entry (holder, &uvm->holders, node)
		held = held || holder->gpu == gpu;
	os_mutex_unlock(&uvm->devices_lock);
	return held;
}

void uvm_device_wait_let_go(struct uvm *uvm, const struct rm_gpu *gpu)
{
	while (is_held(uvm, gpu))
		os_sleep_us(LET_GO_POLL_US);
}

/* The queues take turns among the engines; with fewer of these, some share one. */
static enum nv_status start(struct uvm_device *device)
{
	enum nv_status status;
	u32 engines, left, i;

	status = rm_uvm_session_create(device->gpu, &device->session, &engines);
	if (status == NV_OK)
		status = rm_uvm_buffer_alloc(device->session, OS_PAGE_SIZE, &device->semaphores,
					     &device->semaphores_cpu, &device->semaphores_at);
	if (status == NV_OK && device->confidential)
		status = uvm_launcher_create(device);
	left = engines;
	for (i = 0; i < UVM_QUEUES && status == NV_OK; i++) {
		u32 engine = bits_first(left);

		status = uvm_queue_create(&device->queues[i], device, engine);
		left &= left - 1;
		if (!left)
			left = engines;
	}
	if (status == NV_OK && device->confidential)
		status = uvm_dma_pool_init(&device->dma, device);
	if (status == NV_OK)
		status = uvm_across_meet(device);
	if (status != NV_OK)
		stop(device);
	return status;
}

enum nv_status uvm_device_start(struct uvm_device *device)
{
	enum nv_status status = uvm_device_status(device);

	if (status != NV_OK || os_load_acquire(&device->started))
		return status;
	os_mutex_lock(&device->start_lock);
	if (!device->started) {
		status = start(device);
		if (status == NV_OK)
			os_store_release(&device->started, 1u);
	}
	os_mutex_unlock(&device->start_lock);
	return status;
}

u32 uvm_device_references(struct uvm *uvm, const NvProcessorUuid *uuid)
{
	struct uvm_device *device;
	u32 references = 0;

	os_mutex_lock(&uvm->devices_lock);
	list_for_each_entry (device, &uvm->devices, node) {
		if (!os_memcmp(&device->uuid, uuid, sizeof(*uuid)))
			references += device->references;
	}
	os_mutex_unlock(&uvm->devices_lock);
	return references;
}

void uvm_device_fail(struct uvm_device *device, enum nv_status status)
{
	if (os_cmpxchg32(&device->status, NV_OK, status))
		os_log(OS_LOG_ERROR, "unified memory: nothing is copied by the GPU any more (0x%x)",
		       status);
}

enum nv_status uvm_device_status(struct uvm_device *device)
{
	if (rm_uvm_gpu_is_lost(device->gpu))
		uvm_device_fail(device, NV_ERR_GPU_IS_LOST);
	return (enum nv_status)os_load_acquire(&device->status);
}
