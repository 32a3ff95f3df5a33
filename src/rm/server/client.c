// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clients: the table that finds them by handle, whose they are, and how a call locks one. The table
 * has spinlocks of its own, so that a client comes and goes without holding up the calls of
 * another.
 */
#include "rm/api/api.h"
#include "rm/server/internal.h"
#include "rm/trace.h"

#define SHARD_ALIGN 64u

enum nv_status rm_client_table_init(struct rm_server *server)
{
	enum nv_status status;
	u32 i;

	status = handle_map_key_init(&server->handle_key);
	if (status != NV_OK)
		return status;
	server->buckets = os_alloc(RM_CLIENT_BUCKETS * sizeof(*server->buckets));
	server->shard_memory = os_alloc(RM_CLIENT_SHARDS * sizeof(*server->shards) + SHARD_ALIGN);
	if (!server->buckets || !server->shard_memory) {
		os_free(server->shard_memory);
		os_free(server->buckets);
		return NV_ERR_NO_MEMORY;
	}
	server->shards = (void *)(((uintptr_t)server->shard_memory + SHARD_ALIGN - 1) &
				  ~(uintptr_t)(SHARD_ALIGN - 1));
	for (i = 0; i < RM_CLIENT_SHARDS; i++)
		os_spinlock_init(&server->shards[i].lock, "client table");
	os_spinlock_init(&server->owner_lock, "client owners");
	for (i = 0; i < RM_OWNER_BUCKETS; i++)
		list_init(&server->owners[i].clients);
	server->next_serial = 1;
	return NV_OK;
}

void rm_client_table_destroy(struct rm_server *server)
{
	u32 i;

	for (i = 0; i < RM_CLIENT_BUCKETS; i++)
		OS_BUG_ON(server->buckets[i]);
	os_free(server->shard_memory);
	os_free(server->buckets);
}

/* A client's handle is its own choice, so where it falls must not be. */
static u32 bucket_of(const struct rm_server *server, u32 handle)
{
	return handle_map_hash(&server->handle_key, handle) / (((u64)1 << 32) / RM_CLIENT_BUCKETS);
}

static struct rm_client_shard *shard_of(const struct rm_server *server, u32 bucket)
{
	return &server->shards[bucket % RM_CLIENT_SHARDS];
}

static struct rm_owner_bucket *owner_bucket(struct rm_server *server, const void *owner)
{
	return &server->owners[((uintptr_t)owner >> 6) % RM_OWNER_BUCKETS];
}

/* Shard's lock held. */
static struct rm_client *bucket_find(const struct rm_server *server, u32 bucket, u32 handle)
{
	struct rm_client *client = server->buckets[bucket];

	while (client && client->handle != handle)
		client = client->hash_next;
	return client;
}

static inline struct rm_client *client_get(struct rm_server *server, u32 handle)
{
	u32 bucket = bucket_of(server, handle);
	struct rm_client_shard *shard = shard_of(server, bucket);
	struct rm_client *client;

	os_spinlock_lock(&shard->lock);
	client = bucket_find(server, bucket, handle);
	if (client)
		os_fetch_add(&client->refs, 1);
	os_spinlock_unlock(&shard->lock);
	return client;
}

struct rm_client *rm_client_get(struct rm_server *server, u32 handle)
{
	return client_get(server, handle);
}

void rm_client_destroy(struct rm_client *client)
{
	os_mutex_destroy(&client->lock);
	handle_map_destroy(&client->objects);
	os_free(client);
}

static bool table_insert(struct rm_server *server, struct rm_client *client)
{
	u32 bucket = bucket_of(server, client->handle);
	struct rm_client_shard *shard = shard_of(server, bucket);
	bool free;

	os_spinlock_lock(&shard->lock);
	free = !bucket_find(server, bucket, client->handle);
	if (free) {
		client->hash_next = server->buckets[bucket];
		server->buckets[bucket] = client;
	}
	os_spinlock_unlock(&shard->lock);
	if (!free)
		return false;
	os_spinlock_lock(&server->owner_lock);
	list_add_tail(&client->owner_node, &owner_bucket(server, client->owner)->clients);
	os_spinlock_unlock(&server->owner_lock);
	return true;
}

static void table_remove(struct rm_server *server, struct rm_client *client)
{
	u32 bucket = bucket_of(server, client->handle);
	struct rm_client_shard *shard = shard_of(server, bucket);
	struct rm_client **at;

	os_spinlock_lock(&server->owner_lock);
	list_del(&client->owner_node);
	os_spinlock_unlock(&server->owner_lock);
	os_spinlock_lock(&shard->lock);
	for (at = &server->buckets[bucket]; *at != client; at = &(*at)->hash_next)
		;
	*at = client->hash_next;
	os_spinlock_unlock(&shard->lock);
}

struct rm_client *rm_client_get_of_owner(struct rm_server *server, const void *owner)
{
	struct rm_client *client, *found = NULL;

	os_spinlock_lock(&server->owner_lock);
	list_for_each_entry (client, &owner_bucket(server, owner)->clients, owner_node) {
		if (client->owner == owner) {
			os_fetch_add(&client->refs, 1);
			found = client;
			break;
		}
	}
	os_spinlock_unlock(&server->owner_lock);
	return found;
}

void rm_server_visit_clients(struct rm_server *server,
			     bool (*visit)(void *ctx, const struct rm_client *client), void *ctx)
{
	struct rm_client *client;
	bool more = true;
	u32 i;

	os_spinlock_lock(&server->owner_lock);
	for (i = 0; i < RM_OWNER_BUCKETS && more; i++) {
		list_for_each_entry (client, &server->owners[i].clients, owner_node) {
			more = visit(ctx, client);
			if (!more)
				break;
		}
	}
	os_spinlock_unlock(&server->owner_lock);
}

/* -- Locking ----------------------------------------------------------------------------------- */

/* The call around this one that holds a client lock, or NULL. */
static const struct rm_call *holder(const struct rm_call *call)
{
	for (call = call->outer; call; call = call->outer)
		if (call->locks & (RM_LOCKED_CLIENT | RM_LOCKED_SOURCE))
			return call;
	return NULL;
}

/* Files see their own clients only; the driver sees all. */
static bool is_callers(const struct rm_call *call, const struct rm_client *client)
{
	return call->kernel || client->owner == rm_file_owner(call->file);
}

static void __attribute__((__noinline__)) client_lock_traced(struct rm_client *client)
{
	u64 start = os_time_ns();

	os_mutex_lock(&client->lock);
	rm_trace(RM_TRACE_LOCK, "client", NV_OK, os_time_ns() - start, 2, NULL, 0);
}

/* Whether the call, which has its client's lock, may have the client. */
static inline enum nv_status check_locked(const struct rm_call *call, enum nv_status missing)
{
	if (call->client->gone)
		return missing;
	return is_callers(call, call->client) ? NV_OK : NV_ERR_INVALID_CLIENT;
}

/* Where a call around this one holds the client's lock, nothing is left to take. */
enum nv_status rm_call_lock_found_client(struct rm_call *call, enum nv_status missing)
{
	const struct rm_call *outer = holder(call);

	if (outer && outer->client != call->client && outer->source != call->client)
		return NV_ERR_INVALID_LOCK_STATE;
	if (!outer) {
		if (rm_trace_on())
			client_lock_traced(call->client);
		else
			os_mutex_lock(&call->client->lock);
		call->locks |= RM_LOCKED_CLIENT;
	}
	return check_locked(call, missing);
}

static enum nv_status __attribute__((__noinline__))
lock_client_slow(struct rm_call *call, u32 handle, enum nv_status missing)
{
	enum nv_status status = missing;

	call->client = client_get(call->server, handle);
	if (call->client)
		status = rm_call_lock_found_client(call, missing);
	rm_trace(RM_TRACE_STEP, "rm/server: client", status, handle, 0, NULL, 0);
	return status;
}

enum nv_status rm_call_lock_client(struct rm_call *call, u32 handle, enum nv_status missing)
{
	if (rm_trace_on() || call->outer)
		return lock_client_slow(call, handle, missing);
	call->client = client_get(call->server, handle);
	if (!call->client)
		return missing;
	os_mutex_lock(&call->client->lock);
	call->locks |= RM_LOCKED_CLIENT;
	return check_locked(call, missing);
}

enum nv_status rm_call_lock_clients(struct rm_call *call, u32 handle, u32 source,
				    enum nv_status missing)
{
	struct rm_server *server = call->server;
	const struct rm_call *outer = call->outer ? holder(call) : NULL;
	enum nv_status status = NV_OK;

	call->client = rm_client_get(server, handle);
	call->source = rm_client_get(server, source);
	if (!call->client || !call->source)
		return missing;
	if (outer) {
		bool held = outer->client == call->client &&
			    (call->source == call->client || outer->source == call->source);

		if (!held)
			return NV_ERR_INVALID_LOCK_STATE;
	} else {
		os_mutex_lock_pair(&call->client->lock, &call->source->lock);
		call->locks |= RM_LOCKED_SOURCE;
	}
	if (call->client->gone || call->source->gone)
		status = missing;
	else if (!is_callers(call, call->client))
		status = NV_ERR_INVALID_CLIENT;
	rm_trace(RM_TRACE_STEP, "rm/server: clients", status, handle, source, NULL, 0);
	return status;
}

/* -- Birth and death --------------------------------------------------------------------------- */

/* Enters the client under the handle it asked for, or under the next free one. */
static enum nv_status assign_handle(struct rm_server *server, struct rm_client *client, u32 *handle)
{
	u32 *next = client->kernel ? &server->next_internal_client : &server->next_client;
	u32 base = client->kernel ? RM_CLIENT_INTERNAL_HANDLE_BASE : RM_CLIENT_HANDLE_BASE;
	u32 tries;

	if (*handle) {
		client->handle = *handle;
		return table_insert(server, client) ? NV_OK : NV_ERR_INSERT_DUPLICATE_NAME;
	}
	for (tries = 0; tries < RM_CLIENT_HANDLE_MAX; tries++) {
		client->handle = base | (os_fetch_add(next, 1) & (RM_CLIENT_HANDLE_MAX - 1));
		if (table_insert(server, client)) {
			*handle = client->handle;
			return NV_OK;
		}
	}
	return NV_ERR_INSUFFICIENT_RESOURCES;
}

enum nv_status rm_client_create(struct rm_call *call, const struct abi_class *desc, u32 *handle,
				void *params, u32 params_size, const u32 *rights_requested)
{
	struct rm_server *server = call->server;
	struct rm_object_request request = {
		.desc = desc,
		.params = params,
		.params_size = params_size,
		.rights_requested = rights_requested,
	};
	struct rm_client *client;
	enum nv_status status;

	/* A new client's lock is taken beside none: the outer call's own would be of the same rank.
	 */
	if (call->outer && holder(call))
		return NV_ERR_INVALID_LOCK_STATE;
	client = os_alloc(sizeof(*client));
	if (!client)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	client->refs = 2; /* the table's and the call's */
	client->server = server;
	client->owner = call->file ? rm_file_owner(call->file) : NULL;
	client->serial = os_fetch_add(&server->next_serial, 1);
	client->cred = call->cred;
	client->class_id = desc->class_id;
	client->kernel = call->kernel;
	handle_map_init(&client->objects, &server->handle_key);
	status = os_mutex_init(&client->lock, LOCK_RANK_CLIENT, "client");
	if (status != NV_OK) {
		os_free(client);
		return status;
	}
	/* Locked before others can find it, so that they find it whole or gone. */
	os_mutex_lock(&client->lock);
	call->locks |= RM_LOCKED_CLIENT;
	call->client = client;
	status = assign_handle(server, client, handle);
	if (status != NV_OK) {
		client->gone = true;
		rm_client_put(client);
		return status;
	}
	request.handle = client->handle;
	status = rm_object_create(call, &request, &client->root);
	if (status != NV_OK) {
		rm_client_free(call);
		return status;
	}
	if (params && params_size >= sizeof(u32))
		os_memcpy(params, &client->handle, sizeof(u32));
	return NV_OK;
}

void rm_client_free(struct rm_call *call)
{
	struct rm_client *client = call->client;

	client->gone = true;
	if (client->root)
		rm_object_free(call, client->root);
	client->root = NULL;
	/* Out of the table last: the handle is taken until all that the firmware knows it by is
	 * gone. */
	table_remove(client->server, client);
	rm_client_put(client);
}
