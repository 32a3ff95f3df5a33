// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Files that act for others and files that are waited on: NV_ESC_REGISTER_FD, ALLOC_OS_EVENT,
 * FREE_OS_EVENT and RM_GET_EVENT_DATA.
 */
#include "rm/escape/escape.h"

enum rm_ioctl_result escape_register_fd(struct rm_file *file, void *data, u32 size)
{
	const nv_ioctl_register_fd_t *p = data;
	struct rm *rm = file->rm;
	struct rm_file *control;

	control = rm->host->file_get(p->ctl_fd);
	if (!control)
		return RM_IOCTL_EINVAL;
	if (control->rm != rm || control->node != RM_NODE_CONTROL || control == file)
		goto fail_control;

	os_mutex_lock(&rm->file_lock);
	/* One link a file, and no chains of them. */
	if (file->control || control->control || file->link != RM_FILE_LINK_NONE)
		goto fail_linked;
	file->link = RM_FILE_LINK_REGISTERED;
	/* Read without the lock; set once, and the reference lasts as long as the file. */
	os_store_release(&file->control, control);
	os_mutex_unlock(&rm->file_lock);
	return RM_IOCTL_OK;

fail_linked:
	os_mutex_unlock(&rm->file_lock);
fail_control:
	rm->host->file_put(control);
	return RM_IOCTL_EINVAL;
}

enum rm_ioctl_result escape_alloc_os_event(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_alloc_os_event_t *p = data;
	struct os_cred cred;

	os_current_cred(&cred);
	p->Status = rm_os_event_alloc(file, &cred, p->hClient, p->fd);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_free_os_event(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_free_os_event_t *p = data;
	struct os_cred cred;

	os_current_cred(&cred);
	p->Status = rm_os_event_free(file->rm, &cred, p->hClient, p->fd);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_get_event_data(struct rm_file *file, void *data, u32 size)
{
	NVOS41_PARAMETERS *p = data;
	struct rm_event_data *event;
	NvUnixEvent out;
	bool more;

	event = rm_file_event_data_take(file, &more);
	if (!event) {
		p->status = NV_ERR_OPERATING_SYSTEM;
		return RM_IOCTL_OK;
	}
	/* Its padding goes out too. */
	os_memset(&out, 0, sizeof(out));
	out.hObject = event->object;
	out.NotifyIndex = event->index;
	out.info32 = event->info32;
	out.info16 = event->info16;
	os_free(event);
	p->MoreEvents = more;
	p->status = os_copy_to_user((u64)p->pEvent, &out, sizeof(out)) == NV_OK
			    ? NV_OK
			    : NV_ERR_OPERATING_SYSTEM;
	return RM_IOCTL_OK;
}
