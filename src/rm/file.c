// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Opening and closing of device nodes. What a close takes down, in this order: the clients that
 * were made through the file, its OS events, the GPUs attached through it, its own GPU, and the
 * reference to its control file.
 */
#include "rm/file.h"

#include "rm/api/api.h"
#include "rm/caps.h"
#include "rm/class/export.h"
#include "rm/class/mapping.h"
#include "rm/gpu/gpu.h"
#include "rm/server/internal.h"

void rm_gpus_hold(struct rm_call *call, struct rm *rm, struct rm_file *file)
{
	rm_call_begin(call, rm->server, file, file == NULL);
}

void rm_gpus_let_go(struct rm_call *call)
{
	rm_call_end(call);
}

static enum nv_status open_gpu(struct rm_file *file)
{
	struct rm_call call;
	struct rm_gpu *gpu;
	enum nv_status status;

	rm_gpus_hold(&call, file->rm, file);
	gpu = rm_gpu_by_minor(file->rm, file->minor);
	status = gpu ? rm_gpu_retain(gpu) : NV_ERR_INVALID_DEVICE;
	rm_gpus_let_go(&call);
	if (status == NV_OK)
		file->gpu = gpu;
	return status;
}

static enum nv_status open_cap(const struct rm_file *file)
{
	u32 mode = rm_cap_mode(file->minor);
	struct os_cred cred;

	if (!mode)
		return NV_ERR_INVALID_DEVICE;
	if (mode == RM_CAP_MODE_ALL)
		return NV_OK;
	os_current_cred(&cred);
	return cred.admin ? NV_OK : NV_ERR_INSUFFICIENT_PERMISSIONS;
}

enum nv_status rm_file_open(struct rm *rm, enum rm_node node, u32 minor, void *host_ctx,
			    struct rm_file **out)
{
	enum nv_status status = NV_OK;
	struct rm_file *file;
	u32 token;

	file = os_alloc(sizeof(*file));
	if (!file)
		return NV_ERR_NO_MEMORY;
	file->rm = rm;
	file->node = node;
	file->minor = minor;
	file->host_ctx = host_ctx;
	os_current_cred(&file->opener);
	list_init(&file->os_events);
	list_init(&file->event_data);

	status = rm_power_enter(rm, &token);
	if (status != NV_OK)
		goto fail_power;
	if (node == RM_NODE_GPU)
		status = open_gpu(file);
	else if (node == RM_NODE_CAP)
		status = open_cap(file);
	rm_power_leave(rm, token);
	if (status != NV_OK)
		goto fail_power;
	if (file->gpu) {
		os_mutex_lock(&rm->file_lock);
		list_add_tail(&file->gpu_node, &rm->gpu_files);
		os_mutex_unlock(&rm->file_lock);
	}
	*out = file;
	return NV_OK;

fail_power:
	os_free(file);
	return status;
}

/* The GPUs that NV_ESC_ATTACH_GPUS_TO_FD took; those that went meanwhile are nobody's any more. */
static void detach_gpus(struct rm_file *file)
{
	u32 i;

	for (i = 0; i < file->attached_count; i++) {
		if (file->attached[i])
			rm_gpu_release(file->attached[i]);
	}
	os_free(file->attached);
}

void rm_file_close(struct rm_file *file)
{
	struct rm *rm;

	if (!file)
		return;
	rm = file->rm;
	/*
	 * A file that acts for another still has the clients made before it did. A capability node
	 * has none, and may be closed from within a call.
	 */
	if (file->node != RM_NODE_CAP)
		rm_api_file_closed(rm, file);
	rm_os_event_free_file(file);
	rm_file_mapping_drop(file);
	rm_file_export_drop(file);
	detach_gpus(file);
	if (file->gpu) {
		os_mutex_lock(&rm->file_lock);
		list_del(&file->gpu_node);
		os_mutex_unlock(&rm->file_lock);
		rm_gpu_release(file->gpu);
	}
	if (file->control)
		rm->host->file_put(file->control);
	os_free(file);
}

struct rm *rm_file_rm(const struct rm_file *file)
{
	return file->rm;
}

const void *rm_file_owner(const struct rm_file *file)
{
	const struct rm_file *control = os_load_acquire(&file->control);

	return control ? control : file;
}

bool rm_file_gpu_accessible(const struct rm_file *file, const struct rm_gpu *gpu,
			    const struct os_cred *who)
{
	const void *owner = file ? rm_file_owner(file) : NULL;
	struct rm_file *open;
	bool found = false;

	if (!file)
		return true;
	os_mutex_lock(&file->rm->file_lock);
	list_for_each_entry (open, &file->rm->gpu_files, gpu_node) {
		if (open->gpu == gpu &&
		    (os_cred_same_process(&open->opener, who) || rm_file_owner(open) == owner)) {
			found = true;
			break;
		}
	}
	os_mutex_unlock(&file->rm->file_lock);
	return found;
}

void *rm_file_host_ctx(const struct rm_file *file)
{
	return file->host_ctx;
}

bool rm_file_is_lost(const struct rm_file *file)
{
	return file_gpu_is_lost(file);
}

bool file_gpu_is_lost(const struct rm_file *file)
{
	return file->gpu && rm_gpu_is_lost(file->gpu);
}
