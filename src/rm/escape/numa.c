// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Video memory as a NUMA node of the system: NV_ESC_NUMA_INFO and NV_ESC_SET_NUMA_STATUS. A GPU
 * without a node (every one on PCI Express) reports status "disabled" and refuses every other.
 */
#include "rm/escape/escape.h"
#include "rm/gpu/gpu.h"
#include "rm/numa.h"

enum rm_ioctl_result escape_numa_info(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_numa_info_t *p = data;
	struct rm *rm = file->rm;
	struct rm_numa *numa = rm_numa_of(rm, file->gpu);
	struct rm_call call;

	/* The record is the next GPU's once this one is gone. */
	rm_gpus_hold(&call, rm, file);
	if (rm_gpu_is_lost(file->gpu)) {
		rm_gpus_let_go(&call);
		return RM_IOCTL_EBUSY;
	}
	os_mutex_lock(&rm->file_lock);
	p->nid = numa->node;
	p->status = numa->node == RM_NUMA_NO_NODE ? NV_IOCTL_NUMA_STATUS_DISABLED : numa->status;
	p->memblock_size = rm->memblock_size;
	p->numa_mem_addr = numa->address;
	p->numa_mem_size = numa->size;
	p->use_auto_online = 0;
	p->offline_addresses.numEntries = 0;
	os_mutex_unlock(&rm->file_lock);
	rm_gpus_let_go(&call);
	return RM_IOCTL_OK;
}

/*
 * GPU lock and file lock held: users come and go under the one, settings change under the other.
 * What a change does to the memory's users is undone where the change fails.
 */
static enum rm_ioctl_result change_status(struct rm_numa *numa, s32 status, u32 users)
{
	if (status == NV_IOCTL_NUMA_STATUS_OFFLINE_IN_PROGRESS) {
		/* Only the file that asks may use the GPU. */
		if (users > 1)
			return RM_IOCTL_EBUSY;
		numa->online = false;
	}
	if (numa->node == RM_NUMA_NO_NODE) {
		if (status == NV_IOCTL_NUMA_STATUS_OFFLINE_IN_PROGRESS)
			numa->online = true;
		return RM_IOCTL_EINVAL;
	}
	numa->status = status;
	if (status == NV_IOCTL_NUMA_STATUS_ONLINE)
		numa->online = true;
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_set_numa_status(struct rm_file *file, void *data, u32 size)
{
	const nv_ioctl_set_numa_status_t *p = data;
	enum rm_ioctl_result result = RM_IOCTL_OK;
	struct rm *rm = file->rm;
	struct rm_numa *numa;
	struct os_cred cred;
	struct rm_call call;
	s32 current;

	os_current_cred(&cred);
	if (!cred.admin)
		return RM_IOCTL_EACCES;
	if (file->node != RM_NODE_GPU || size != sizeof(*p))
		return RM_IOCTL_EINVAL;

	rm_gpus_hold(&call, rm, file);
	rm_gpu_lock(file->gpu);
	if (rm_gpu_is_lost(file->gpu)) {
		result = RM_IOCTL_EINVAL;
		goto out;
	}
	numa = rm_numa_of(rm, file->gpu);
	os_mutex_lock(&rm->file_lock);
	current = numa->node == RM_NUMA_NO_NODE ? NV_IOCTL_NUMA_STATUS_DISABLED : numa->status;
	if (current != p->status)
		result = change_status(numa, p->status, file->gpu->users);
	os_mutex_unlock(&rm->file_lock);
out:
	rm_gpu_unlock(file->gpu);
	rm_gpus_let_go(&call);
	return result;
}
