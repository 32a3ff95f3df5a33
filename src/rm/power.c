// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Suspend and resume of the instance, and the files that are closed in between; and what the power
 * comes from.
 */
#include "rm/file.h"
#include "rm/gpu/gpu.h"
#include "rm/server/server.h"
#include "rm/uvm.h"

/* The GPU in that place of the table, referenced, or NULL. */
static struct rm_gpu *gpu_get(struct rm *rm, u32 instance)
{
	struct rm_call call;
	struct rm_gpu *gpu;

	rm_gpus_hold(&call, rm, NULL);
	gpu = rm_gpu_by_instance(rm, instance);
	if (gpu)
		rm_gpu_get(gpu);
	rm_gpus_let_go(&call);
	return gpu;
}

static void close_released(struct rm *rm)
{
	struct list_node *node;

	for (;;) {
		os_mutex_lock(&rm->file_lock);
		node = list_empty(&rm->closing) ? NULL : rm->closing.root.next;
		if (node)
			list_del(node);
		os_mutex_unlock(&rm->file_lock);
		if (!node)
			return;
		rm_file_close(container_of(node, struct rm_file, closing));
	}
}

static void start_again(struct rm *rm)
{
	struct rm_gpu *gpu;
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		gpu = gpu_get(rm, i);
		if (!gpu)
			continue;
		rm_gpu_resume(gpu);
		rm_gpu_put(gpu);
	}
}

enum nv_status rm_suspend(struct rm *rm)
{
	enum nv_status status = NV_OK;
	struct rm_gpu *gpu;
	u32 i;

	rm_power_suspend(rm);
	os_mutex_lock(&rm->uvm_lock);
	if (rm->uvm)
		rm->uvm->suspend(rm->uvm_ctx);
	os_mutex_unlock(&rm->uvm_lock);
	for (i = 0; i < RM_MAX_GPUS && status == NV_OK; i++) {
		gpu = gpu_get(rm, i);
		if (!gpu)
			continue;
		status = rm_gpu_suspend(gpu);
		rm_gpu_put(gpu);
	}
	if (status != NV_OK)
		rm_resume(rm);
	return status;
}

void rm_resume(struct rm *rm)
{
	struct rm_gpu *gpu;
	u32 i;

	start_again(rm);
	rm_power_resume(rm);
	close_released(rm);
	/* Who let go of a GPU in the meantime could not stop it. */
	for (i = 0; i < RM_MAX_GPUS; i++) {
		gpu = gpu_get(rm, i);
		if (!gpu)
			continue;
		rm_gpu_stop_if_idle(gpu);
		rm_gpu_put(gpu);
	}
}

void rm_power_source_changed(struct rm *rm, bool battery)
{
	struct rm_gpu *gpu;
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		gpu = gpu_get(rm, i);
		if (!gpu)
			continue;
		rm_gpu_tell_power_source(gpu, battery);
		rm_gpu_put(gpu);
	}
}

void rm_file_release(struct rm_file *file)
{
	struct rm *rm = file->rm;
	bool later;
	u32 token;

	/* Nobody is notified through it any more, whenever it is closed. */
	rm_os_event_free_file(file);
	token = os_percpu_rwlock_read_lock(&rm->power.lock);
	later = rm->power.suspended;
	if (later) {
		os_mutex_lock(&rm->file_lock);
		list_add_tail(&file->closing, &rm->closing);
		os_mutex_unlock(&rm->file_lock);
	} else {
		rm_file_close(file);
	}
	os_percpu_rwlock_read_unlock(&rm->power.lock, token);
}
