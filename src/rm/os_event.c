// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * OS events: what NV_ESC_ALLOC_OS_EVENT names, event objects post to, and poll and
 * NV_ESC_RM_GET_EVENT_DATA of a file report.
 *
 * Names are found under a mutex (names_lock). What is posted goes by pointer, under a spinlock
 * (event_lock), since it may come from an interrupt: nothing is searched there.
 *
 *   rm->names: user, container and client, hashed --> struct names --> fd --> event
 */
#include "rm/file.h"

/* The names_lock is given back, and taken again, after so many. */
#define FREED_AT_ONCE 256u

/* The events of one client of one user. */
struct names {
	struct names *next; /* another with that hash */
	u64 space;
	u32 uid;
	u32 client;
	struct handle_map events; /* by fd */
};

/* One to one for the clients of a user, so that nobody makes his own fall together. */
static u32 names_hash(const struct os_cred *who, u32 client)
{
	return client ^ who->uid * 0x9e3779b1u ^ (u32)who->space * 0x85ebca77u;
}

static bool names_are(const struct names *names, const struct os_cred *who, u32 client)
{
	return names->client == client && names->uid == who->uid && names->space == who->space;
}

/* names_lock held. */
static struct names *names_find(struct rm *rm, const struct os_cred *who, u32 client)
{
	struct names *names = handle_map_find(&rm->names, names_hash(who, client));

	while (names && !names_are(names, who, client))
		names = names->next;
	return names;
}

/* names_lock held. NULL when there is no memory. */
static struct names *names_make(struct rm *rm, const struct os_cred *who, u32 client)
{
	struct names *names = os_alloc(sizeof(*names)), *first;
	u32 hash = names_hash(who, client);

	if (!names)
		return NULL;
	names->space = who->space;
	names->uid = who->uid;
	names->client = client;
	handle_map_init(&names->events, &rm->names.key);
	first = handle_map_find(&rm->names, hash);
	if (first) {
		names->next = first->next;
		first->next = names;
	} else if (handle_map_insert(&rm->names, hash, names) != NV_OK) {
		os_free(names);
		return NULL;
	}
	return names;
}

/* names_lock held. Takes no memory: the map's entry stays as long as there is one with its hash. */
static void names_free(struct rm *rm, struct names *names)
{
	struct os_cred who = { .uid = names->uid, .space = names->space };
	u32 hash = names_hash(&who, names->client);
	struct names *first = handle_map_find(&rm->names, hash), *gone = names;

	handle_map_destroy(&names->events);
	if (first != names) {
		while (first->next != names)
			first = first->next;
		first->next = names->next;
	} else if (names->next) {
		gone = names->next;
		*names = *gone;
	} else {
		handle_map_remove(&rm->names, hash);
	}
	os_free(gone);
}

/* names_lock held. The event has a name and is found by it. */
static enum nv_status name_give(struct rm *rm, struct rm_os_event *event, const struct os_cred *who)
{
	struct names *names = names_find(rm, who, event->client);
	enum nv_status status;

	if (!names)
		names = names_make(rm, who, event->client);
	if (!names)
		return NV_ERR_NO_MEMORY;
	status = handle_map_insert(&names->events, event->fd, event);
	if (status != NV_OK) {
		if (!handle_map_count(&names->events))
			names_free(rm, names);
		return status;
	}
	list_add_tail(&event->node, &event->file->os_events);
	event->file->os_event_count++;
	return NV_OK;
}

/*
 * names_lock held. Nobody finds the event any more and its file hears of it no more; names may go
 * with it.
 */
static void name_take(struct rm *rm, struct names *names, struct rm_os_event *event)
{
	handle_map_remove(&names->events, event->fd);
	if (!handle_map_count(&names->events))
		names_free(rm, names);
	list_del(&event->node);
	event->file->os_event_count--;
	os_spinlock_lock(&rm->event_lock);
	event->file = NULL;
	os_spinlock_unlock(&rm->event_lock);
	rm_os_event_put(event);
}

enum nv_status rm_os_event_alloc(struct rm_file *file, const struct os_cred *who, u32 client,
				 u32 fd)
{
	struct rm *rm = file->rm;
	struct rm_os_event *event = os_alloc(sizeof(*event));
	enum nv_status status = NV_ERR_INSUFFICIENT_RESOURCES;

	if (!event)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	event->file = file;
	event->uid = who->uid;
	event->space = who->space;
	event->client = client;
	event->fd = fd;
	event->references = 1;

	os_mutex_lock(&rm->names_lock);
	if (file->os_event_count < RM_FILE_OS_EVENTS_MAX)
		status = name_give(rm, event, who);
	os_mutex_unlock(&rm->names_lock);
	if (status == NV_OK)
		return NV_OK;
	os_free(event);
	return NV_ERR_INSUFFICIENT_RESOURCES;
}

enum nv_status rm_os_event_free(struct rm *rm, const struct os_cred *who, u32 client, u32 fd)
{
	struct rm_os_event *event = NULL;
	struct names *names;

	os_mutex_lock(&rm->names_lock);
	names = names_find(rm, who, client);
	if (names)
		event = handle_map_find(&names->events, fd);
	if (event)
		name_take(rm, names, event);
	os_mutex_unlock(&rm->names_lock);
	return event ? NV_OK : NV_ERR_INVALID_EVENT;
}

/* A part of the client's events; false when there are no more. */
static bool free_some(struct rm *rm, const struct os_cred *who, u32 client)
{
	struct rm_os_event *event;
	struct names *names;
	u32 i;

	os_mutex_lock(&rm->names_lock);
	for (i = 0; i < FREED_AT_ONCE; i++) {
		u64 cursor = 0;

		names = names_find(rm, who, client);
		if (!names)
			break;
		event = handle_map_next(&names->events, &cursor, NULL);
		name_take(rm, names, event);
	}
	os_mutex_unlock(&rm->names_lock);
	return i == FREED_AT_ONCE;
}

void rm_os_event_free_client(struct rm *rm, const struct os_cred *who, u32 client)
{
	while (free_some(rm, who, client))
		;
}

static void free_of_file(struct rm_file *file)
{
	struct rm_os_event *event, *next;
	struct rm *rm = file->rm;

	os_mutex_lock(&rm->names_lock);
	list_for_each_entry_safe (event, next, &file->os_events, node) {
		struct os_cred who = { .uid = event->uid, .space = event->space };

		name_take(rm, names_find(rm, &who, event->client), event);
	}
	os_mutex_unlock(&rm->names_lock);
}

void rm_os_event_free_file(struct rm_file *file)
{
	struct rm_event_data *data, *next;
	struct list unread;

	free_of_file(file);
	list_init(&unread);
	os_spinlock_lock(&file->rm->event_lock);
	list_splice_tail(&file->event_data, &unread);
	file->event_data_count = 0;
	os_spinlock_unlock(&file->rm->event_lock);
	list_for_each_entry_safe (data, next, &unread, node)
		os_free(data);
}

enum nv_status rm_os_event_get(struct rm *rm, const struct os_cred *who, u32 client, u32 fd,
			       struct rm_os_event **out)
{
	struct rm_os_event *event = NULL;
	struct names *names;

	os_mutex_lock(&rm->names_lock);
	names = names_find(rm, who, client);
	if (names)
		event = handle_map_find(&names->events, fd);
	if (event)
		os_fetch_add(&event->references, 1);
	os_mutex_unlock(&rm->names_lock);
	if (!event)
		return NV_ERR_OBJECT_NOT_FOUND;
	*out = event;
	return NV_OK;
}

void rm_os_event_put(struct rm_os_event *event)
{
	if (os_fetch_sub(&event->references, 1) == 1)
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
