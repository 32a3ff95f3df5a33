/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files of the resource server and the RM API share, and nobody else sees.
 */
#ifndef RM_SERVER_INTERNAL_H
#define RM_SERVER_INTERNAL_H

#include "rm/server/server.h"

/* Handles of clients: a base, and an index that wraps (resserv's ranges, as user space sees them).
 */
#define RM_CLIENT_HANDLE_BASE 0xc1d00000u
#define RM_CLIENT_INTERNAL_HANDLE_BASE 0xc1e00000u
#define RM_CLIENT_HANDLE_MAX 0x100000u
/* Handles that the server chooses for objects, and those that it reserves for the firmware's own.
 */
#define RM_OBJECT_HANDLE_BASE 0xcaf00000u
#define RM_OBJECT_HANDLE_RANGE 0x80000u
#define RM_FIRMWARE_HANDLE_BASE 0xc9f00000u
/* An object may have this many ancestors, its client's root included. */
#define RM_OBJECT_MAX_DEPTH 6u

#define RM_CLIENT_BUCKETS 0x10000u
#define RM_CLIENT_SHARDS 256u
#define RM_OWNER_BUCKETS 1024u

struct rm_client_shard {
	struct os_spinlock lock; /* the buckets whose index has this shard's number as remainder */
} __attribute__((aligned(64)));

struct rm_owner_bucket {
	struct list clients;
};

/* A handler in the server's table, found by internal class and command. */
struct rm_handler_slot {
	u32 cmd;
	u32 iclass;
	rm_control_fn fn; /* NULL: an empty slot */
};

struct rm_server {
	struct rm *rm;
	struct os_percpu_rwlock api_lock;

	/* Never change after creation. */
	const struct rm_class **classes; /* by internal class */
	u32 class_count;
	u32 *single_bits; /* by internal class: its bit of rm_object.singles, 0 if it has no such
			     rule */
	struct rm_handler_slot *handlers;
	u32 handler_mask;
	struct rm_handler_slot *first_handlers; /* by index of the command: of the class it names */
	struct handle_map_key
		handle_key; /* of the table of clients and of every client's objects */

	struct rm_client **buckets;
	void *shard_memory;
	struct rm_client_shard *shards;
	struct os_spinlock owner_lock;
	struct rm_owner_bucket owners[RM_OWNER_BUCKETS]; /* owner_lock */
	u64 next_serial;				 /* atomic */
	u32 next_client;				 /* atomic: index of the next handle */
	u32 next_internal_client;			 /* atomic */
};

/* -- server.c ------------------------------------------------------------------------------------
 */

/*
 * Makes call (zeroed by this) the thread's call and takes the API lock shared, unless a call around
 * it holds the lock.
 */
void rm_call_begin(struct rm_call *call, struct rm_server *server, struct rm_file *file,
		   bool kernel);
/* Releases whatever locks the call took, drops its clients, and restores the call around it. */
void rm_call_end(struct rm_call *call);
void rm_call_unlock_gpu(struct rm_call *call);

/* The handler that the class has for the command, or NULL. */
rm_control_fn rm_server_handler(const struct rm_server *server, enum abi_iclass iclass, u32 cmd);
/* Whether commands of internal class base are commands of internal class iclass too. */
bool rm_iclass_is(enum abi_iclass iclass, enum abi_iclass base);
/* RS_PRIV_LEVEL: what the caller may do. */
enum rm_privilege { RM_PRIVILEGE_USER, RM_PRIVILEGE_ADMIN, RM_PRIVILEGE_KERNEL };

static inline enum rm_privilege rm_call_privilege(const struct rm_call *call)
{
	if (call->kernel)
		return RM_PRIVILEGE_KERNEL;
	return call->cred.admin ? RM_PRIVILEGE_ADMIN : RM_PRIVILEGE_USER;
}

/* -- api/call.c -----------------------------------------------------------------------------------
 */

/* Frees every client of that owner; NULL: the driver's own. */
void rm_api_owner_closed(struct rm_server *server, const void *owner);

/* -- client.c ------------------------------------------------------------------------------------
 */

enum nv_status rm_client_table_init(struct rm_server *server);
void rm_client_table_destroy(struct rm_server *server);
/* Counts a reference, which rm_client_put gives back; NULL when no client has the handle. */
struct rm_client *rm_client_get(struct rm_server *server, u32 handle);
/* For rm_client_put alone. */
void rm_client_destroy(struct rm_client *client);

static inline void rm_client_put(struct rm_client *client)
{
	if (os_fetch_sub(&client->refs, 1) == 1)
		rm_client_destroy(client);
}

/*
 * Finds and locks the call's client and checks that it is the caller's. missing is the status for a
 * handle of no client. NV_ERR_INVALID_CLIENT: it belongs to another file.
 */
enum nv_status rm_call_lock_client(struct rm_call *call, u32 handle, enum nv_status missing);
/* The same for call->client, which was found before. */
enum nv_status rm_call_lock_found_client(struct rm_call *call, enum nv_status missing);
/*
 * Both clients of a dup or share: call->client is checked to be the caller's, call->source is not.
 */
enum nv_status rm_call_lock_clients(struct rm_call *call, u32 handle, u32 source,
				    enum nv_status missing);
/*
 * Makes a client with its root object. *handle 0: the server chooses. params: the NvHandle that
 * class's parameters are, or NULL; receives the handle. NV_ERR_INSERT_DUPLICATE_NAME,
 * NV_ERR_NO_MEMORY, ...
 */
enum nv_status rm_client_create(struct rm_call *call, const struct abi_class *desc, u32 *handle,
				void *params, u32 params_size, const u32 *rights_requested);
/* Takes the call's client out of the table and tears down all that it has. Locked by the call. */
void rm_client_free(struct rm_call *call);
/* A client of that owner, referenced, or NULL. */
struct rm_client *rm_client_get_of_owner(struct rm_server *server, const void *owner);

/* -- object.c ------------------------------------------------------------------------------------
 */

struct rm_object_request {
	struct rm_object *parent; /* NULL: a root object */
	const struct abi_class *desc;
	u32 handle; /* already checked by rm_object_handle */
	void *params;
	u32 params_size;
	const struct rm_object *source; /* of a dup */
	const u32 *rights_requested;	/* NULL: inherited */
	u32 rights_required;
};

/* Checks a handle that the client chose, or chooses one where it is 0. */
enum nv_status rm_object_handle(struct rm_client *client, u32 *handle);
/* Makes the object and its firmware's twin; nothing is left on failure. Client lock held. */
enum nv_status rm_object_create(struct rm_call *call, const struct rm_object_request *request,
				struct rm_object **out);

/* -- teardown.c ----------------------------------------------------------------------------------
 */

/*
 * Frees the object with all below it, children and dependants first. A dependant that is not below
 * it is torn down too, but keeps its handle: dead. Client lock held.
 */
void rm_object_free(struct rm_call *call, struct rm_object *object);
/* As for an object whose construction failed: unlinks and frees the memory, no destruct. */
void rm_object_discard(struct rm_object *object);
/* Removes every dependency from and to the object. */
void rm_object_undepend(struct rm_object *object);

/* -- rights.c ------------------------------------------------------------------------------------
 */

/* Sets the new object's rights; NV_ERR_INSUFFICIENT_PERMISSIONS. requested may be NULL. */
enum nv_status rm_rights_grant_new(struct rm_call *call, struct rm_object *object,
				   const u32 *requested, u32 required);
/*
 * Whether client, the object's own or another, has all these rights on it. target: the parent of a
 * dup, NULL otherwise. NV_ERR_INSUFFICIENT_PERMISSIONS.
 */
enum nv_status rm_rights_check(struct rm_call *call, struct rm_object *object,
			       const struct rm_client *client, const struct rm_object *target,
			       u32 required);
/*
 * Gives the object's client those of the rights that it lacks, all or none.
 * NV_ERR_INSUFFICIENT_PERMISSIONS.
 */
enum nv_status rm_rights_grant(struct rm_call *call, struct rm_object *object, u32 rights);

#endif
