// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * OS events: what NV_ESC_ALLOC_OS_EVENT names, event objects post to, and poll and
 * NV_ESC_RM_GET_EVENT_DATA of a file report. One spinlock guards them all, since events are posted
 * from interrupts.
 */
#include "rm/file.h"

/* Event lock held. */
static struct rm_os_event *event_find(struct rm *rm, u32 uid, u32 client, u32 fd)
{
	struct rm_os_event *event;

	list_for_each_entry (event, &rm->os_events, node) {
		if (event->uid == uid && event->client == client && event->fd == fd)
			return event;
	}
	return NULL;
}

/* Event lock held. Takes it out of the list; true when the caller has to free it. */
static bool event_retire(struct rm_os_event *event)
{
	list_del(&event->node);
	event->active = false;
	event->file = NULL;
	return event->references == 0;
}

enum nv_status rm_os_event_alloc(struct rm_file *file, u32 uid, u32 client, u32 fd)
{
	struct rm *rm = file->rm;
	struct rm_os_event *event = os_alloc(sizeof(*event));
	bool taken;

	if (!event)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	event->file = file;
	event->uid = uid;
	event->client = client;
	event->fd = fd;
	event->active = true;

	os_spinlock_lock(&rm->event_lock);
	taken = event_find(rm, uid, client, fd) != NULL;
	if (!taken)
		list_add_tail(&event->node, &rm->os_events);
	os_spinlock_unlock(&rm->event_lock);

	if (taken) {
		os_free(event);
		return NV_ERR_INSUFFICIENT_RESOURCES;
	}
	return NV_OK;
}

enum nv_status rm_os_event_free(struct rm *rm, u32 uid, u32 client, u32 fd)
{
	struct rm_os_event *event;
	bool last = false;

	os_spinlock_lock(&rm->event_lock);
	event = event_find(rm, uid, client, fd);
	if (event)
		last = event_retire(event);
	os_spinlock_unlock(&rm->event_lock);

	if (last)
		os_free(event);
	return event ? NV_OK : NV_ERR_INVALID_EVENT;
}

/* Retires every event of the user's client (file NULL) or of the file. */
static void retire_all(struct rm *rm, u32 uid, u32 client, const struct rm_file *file)
{
	struct rm_os_event *event, *next;
	struct list dead;

	list_init(&dead);
	os_spinlock_lock(&rm->event_lock);
	list_for_each_entry_safe (event, next, &rm->os_events, node) {
		if (file ? event->file != file : event->uid != uid || event->client != client)
			continue;
		if (event_retire(event))
			list_add_tail(&event->node, &dead);
	}
	os_spinlock_unlock(&rm->event_lock);

	list_for_each_entry_safe (event, next, &dead, node)
		os_free(event);
}

void rm_os_event_free_client(struct rm *rm, u32 uid, u32 client)
{
	retire_all(rm, uid, client, NULL);
}

void rm_os_event_free_file(struct rm_file *file)
{
	struct rm_event_data *data, *next;
	struct list unread;

	retire_all(file->rm, 0, 0, file);
	list_init(&unread);
	os_spinlock_lock(&file->rm->event_lock);
	list_splice_tail(&file->event_data, &unread);
	os_spinlock_unlock(&file->rm->event_lock);
	list_for_each_entry_safe (data, next, &unread, node)
		os_free(data);
}

enum nv_status rm_os_event_get(struct rm *rm, u32 uid, u32 client, u32 fd, struct rm_os_event **out)
{
	struct rm_os_event *event;

	os_spinlock_lock(&rm->event_lock);
	event = event_find(rm, uid, client, fd);
	if (event)
		event->references++;
	os_spinlock_unlock(&rm->event_lock);
	if (!event)
		return NV_ERR_OBJECT_NOT_FOUND;
	*out = event;
	return NV_OK;
}

void rm_os_event_put(struct rm *rm, struct rm_os_event *event)
{
	bool last;

	os_spinlock_lock(&rm->event_lock);
	last = --event->references == 0 && !event->active;
	os_spinlock_unlock(&rm->event_lock);
	if (last)
		os_free(event);
}

void rm_os_event_post(struct rm *rm, struct rm_os_event *event, struct rm_event_data *data)
{
	struct rm_file *file;

	os_spinlock_lock(&rm->event_lock);
	file = event->file;
	if (file) {
		if (!data) {
			file->event_pending = true;
		} else if (file->event_data_count < RM_FILE_EVENT_DATA_MAX) {
			list_add_tail(&data->node, &file->event_data);
			file->event_data_count++;
			data = NULL;
		}
		/* Under the lock, so that the file cannot go before its waiters are told. */
		if (rm->host && rm->host->file_notify)
			rm->host->file_notify(file, file->host_ctx);
	}
	os_spinlock_unlock(&rm->event_lock);
	os_free(data);
}

struct rm_event_data *rm_file_event_data_take(struct rm_file *file, bool *more)
{
	struct list_node *node;

	os_spinlock_lock(&file->rm->event_lock);
	node = list_first(&file->event_data);
	if (node) {
		list_del(node);
		file->event_data_count--;
	}
	*more = !list_empty(&file->event_data);
	os_spinlock_unlock(&file->rm->event_lock);
	return node ? list_entry(node, struct rm_event_data, node) : NULL;
}

bool rm_file_poll(struct rm_file *file)
{
	bool pending;

	os_spinlock_lock(&file->rm->event_lock);
	pending = file->event_pending || !list_empty(&file->event_data);
	file->event_pending = false;
	os_spinlock_unlock(&file->rm->event_lock);
	return pending;
}
