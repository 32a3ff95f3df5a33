// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The firmware's objects: clients by handle, in each its objects by handle, and the tree of
 * parents. A freed object takes all that is under it along, leaves first, without recursion.
 */
#include "h100/gsp/firmware.h"

enum nv_status fw_store_init(struct fw_store *store, struct h100_state *state)
{
	struct handle_map_key key;
	enum nv_status status = handle_map_key_init(&key);

	if (status != NV_OK)
		return status;
	handle_map_init(&store->clients, &key);
	store->object_count = 0;
	store->last = NULL;
	store->events = NULL;
	store->state = state;
	return NV_OK;
}

struct fw_client *fw_store_client(const struct fw_store *store, u32 handle)
{
	return handle_map_find(&store->clients, handle);
}

struct fw_node *fw_client_object(struct fw_client *client, u32 handle)
{
	if (handle == client->root.object.handle)
		return &client->root;
	return handle_map_find(&client->objects, handle);
}

enum nv_status fw_store_find(struct fw_store *store, u32 client, u32 handle, struct fw_node **out)
{
	const struct fw_node *last = store->last;
	struct fw_client *of;

	if (last && last->object.client == client && last->object.handle == handle) {
		*out = store->last;
		return NV_OK;
	}
	of = fw_store_client(store, client);
	if (!of)
		return NV_ERR_INVALID_CLIENT;
	*out = fw_client_object(of, handle);
	if (!*out)
		return NV_ERR_OBJECT_NOT_FOUND;
	store->last = *out;
	return NV_OK;
}

enum nv_status fw_store_add_client(struct fw_store *store, u32 handle, u32 class_id, u32 pid)
{
	struct fw_client *client;
	enum nv_status status;

	if (handle_map_count(&store->clients) >= FW_CLIENTS_MAX)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	client = os_alloc(sizeof(*client));
	if (!client)
		return NV_ERR_NO_MEMORY;
	status = handle_map_insert(&store->clients, handle, client);
	if (status != NV_OK)
		goto fail_insert;
	handle_map_init(&client->objects, &store->clients.key);
	client->root.object.client = handle;
	client->root.object.handle = handle;
	client->root.object.class_id = class_id;
	client->root.object.iclass = ABI_ICLASS_RmClientResource;
	if (pid != 0) {
		status = h100_state_process_add(store->state, pid);
		/* A full table costs the process its line in accounting, not its client. */
		client->pid = status == NV_OK ? pid : 0;
	}
	return NV_OK;

fail_insert:
	os_free(client);
	return status;
}

enum nv_status fw_store_add(struct fw_store *store, struct fw_client *client,
			    struct fw_node *parent, u32 handle, const struct abi_class *class_info,
			    struct fw_node **out)
{
	struct fw_node *node;
	enum nv_status status;

	if (handle == client->root.object.handle)
		return NV_ERR_INSERT_DUPLICATE_NAME;
	if (store->object_count >= FW_OBJECTS_MAX)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	node = os_alloc(sizeof(*node));
	if (!node)
		return NV_ERR_NO_MEMORY;
	status = handle_map_insert(&client->objects, handle, node);
	if (status != NV_OK)
		goto fail_insert;
	node->object.client = client->root.object.handle;
	node->object.handle = handle;
	node->object.parent = parent->object.handle;
	node->object.class_id = class_info->class_id;
	node->object.iclass = class_info->iclass;
	node->parent = parent;
	node->next = parent->first_child;
	if (node->next)
		node->next->previous = node;
	parent->first_child = node;
	store->object_count++;
	*out = node;
	return NV_OK;

fail_insert:
	os_free(node);
	return status;
}

void fw_store_add_event(struct fw_store *store, struct fw_node *node, u32 notify_index,
			u32 event_client, u32 event_handle)
{
	node->notify_index = notify_index;
	node->event_client = event_client;
	node->event_handle = event_handle;
	node->next_event = store->events;
	node->event_link = &store->events;
	if (store->events)
		store->events->event_link = &node->next_event;
	store->events = node;
}

enum nv_status fw_store_arm(const struct fw_object *object, u32 index, u32 action)
{
	struct fw_node *node = container_of((struct fw_object *)object, struct fw_node, object);

	if (!node->actions)
		node->actions = os_alloc(NV2080_NOTIFIERS_MAXCOUNT);
	if (!node->actions)
		return NV_ERR_NO_MEMORY;
	node->actions[index] = (u8)action;
	return NV_OK;
}

bool fw_store_armed(const struct fw_node *event)
{
	const u8 *actions = event->parent->actions;

	return !actions || event->notify_index >= NV2080_NOTIFIERS_MAXCOUNT ||
	       actions[event->notify_index] != NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE;
}

void fw_store_disarm_single(struct fw_store *store, u32 index)
{
	struct fw_node *event;

	if (index >= NV2080_NOTIFIERS_MAXCOUNT)
		return;
	for (event = store->events; event; event = event->next_event) {
		u8 *actions = event->parent->actions;

		if (event->notify_index == index && actions &&
		    actions[index] == NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE)
			actions[index] = NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE;
	}
}

static void forget_event(struct fw_node *node)
{
	*node->event_link = node->next_event;
	if (node->next_event)
		node->next_event->event_link = node->event_link;
}

static void free_client(struct fw_store *store, struct fw_client *client)
{
	store->last = NULL;
	handle_map_remove(&store->clients, client->root.object.handle);
	handle_map_destroy(&client->objects);
	if (client->pid != 0) {
		h100_state_process_remove(store->state, client->pid);
	}
	os_free(client);
}

/* A node without children. */
static void free_leaf(struct fw_store *store, struct fw_client *client, struct fw_node *node)
{
	store->last = NULL;
	fw_work_detach(container_of(store, struct fw, store), node);
	if (node->previous)
		node->previous->next = node->next;
	else
		node->parent->first_child = node->next;
	if (node->next)
		node->next->previous = node->previous;
	if (node->event_link)
		forget_event(node);
	handle_map_remove(&client->objects, node->object.handle);
	store->object_count--;
	os_free(node->actions);
	os_free(node);
}

void fw_store_remove(struct fw_store *store, struct fw_node *node)
{
	struct fw_client *client = fw_store_client(store, node->object.client);
	struct fw_node *at = node, *parent;

	for (;;) {
		while (at->first_child)
			at = at->first_child;
		if (at == &client->root) {
			free_client(store, client);
			return;
		}
		parent = at->parent;
		free_leaf(store, client, at);
		if (at == node)
			return;
		at = parent;
	}
}

void fw_store_clear(struct fw_store *store)
{
	struct fw_client *client;
	u64 cursor = 0;

	while ((client = handle_map_next(&store->clients, &cursor, NULL)) != NULL)
		fw_store_remove(store, &client->root);
	handle_map_destroy(&store->clients);
}
