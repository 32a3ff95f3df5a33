/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The resource server: clients, the objects under them, handles, dependants, access rights and the
 * locks of a call. It knows no class; classes describe themselves by struct rm_class.
 *
 *   client --- object tree (parent/children), a handle map (32-bit handle -> object, O(1))
 *                 \-- dependants: freed before what they depend on
 *
 * Locking (docs/locking.md): the set of GPUs changes under the API lock held exclusively; all else
 * runs under the API lock shared, the client's own lock, and, where a class or command asks for it,
 * the lock of the object's GPU. The table of clients has spinlocks of its own.
 */
#ifndef RM_SERVER_SERVER_H
#define RM_SERVER_SERVER_H

#include "abi/r535.h"
#include "abi/tables.h"
#include "base/list.h"
#include "base/handle_map.h"
#include "os/os.h"

struct rm;
struct rm_file;
struct rm_gpu;
struct rm_call;
struct rm_client;
struct rm_object;
struct rm_server;
struct rm_dependency;
struct rm_share_policy_list; /* server/share.h */

/* A handler of one control command: params is a kernel-side block of exactly the size declared. */
typedef enum nv_status (*rm_control_fn)(struct rm_call *call, void *params);

struct rm_control_handler {
	u32 cmd;
	rm_control_fn fn;
};

/* How the objects of one internal class behave; one constant per file in rm/class. */
struct rm_class {
	enum abi_iclass iclass;
	u32 object_size; /* of the structure that begins with struct rm_object */
	/*
	 * params: a kernel copy of params_size bytes, or NULL when none were given. The object is
	 * linked to its parent and has its handle and GPU (its parent's, unless construct sets
	 * another), but no look-up finds it yet. On failure the server frees it without calling
	 * destruct. What it writes to params goes back to the caller. call->object is the parent
	 * (NULL for a root object).
	 */
	enum nv_status (*construct)(struct rm_call *call, struct rm_object *object, void *params,
				    u32 params_size);
	/*
	 * The object has its firmware's twin, and is not found yet: what the firmware is to be told
	 * of it. On failure the object is freed, destruct and all. Not for duplicates. May be NULL.
	 */
	enum nv_status (*constructed)(struct rm_call *call, struct rm_object *object);
	/*
	 * All children and dependants are gone, and the firmware's twin goes next: what the
	 * firmware is to be told before. May be NULL.
	 */
	void (*ending)(struct rm_call *call, struct rm_object *object);
	/* All children and dependants are gone, and the firmware's twin. May be NULL. */
	void (*destruct)(struct rm_call *call, struct rm_object *object);
	/* Makes copy a duplicate of source (of another or the same client). NULL: cannot be
	 * duplicated. */
	enum nv_status (*duplicate)(struct rm_call *call, struct rm_object *copy,
				    const struct rm_object *source);
	/* Commands that this class serves on the CPU side. */
	const struct rm_control_handler *controls;
	u32 control_count;
	/* Its objects begin with struct rm_mappable (class/memory.h). */
	bool mappable;
	/* Its alloc, free, dup are mirrored to the GPU's firmware by RPC under the same handles. */
	bool mirrored;
};

struct rm_object {
	u32 handle;
	u32 class_id;
	const struct rm_class *class;
	const struct abi_class *desc;
	struct rm_client *client;
	struct rm_object *parent; /* NULL for the client's own root object */
	struct list_node sibling;
	struct list children; /* the dead ones last */
	struct rm_dependency *dependants;
	struct rm_dependency *depends_on;
	struct rm_gpu *gpu; /* the GPU that commands on this object reach; NULL for none */
	u32 rights;	    /* RS_ACCESS_* bits that its client holds on it */
	u32 flags;
	u32 singles; /* which single-instance classes it has a child of */
	u32 depth;   /* 0 for the root object */
	struct rm_object *free_next;
	struct rm_share_policy_list *shares; /* NULL: inherits */
};
#define RM_OBJECT_DEAD 0x1u	/* what it depended on is gone, or its GPU: RESOURCE_LOST */
#define RM_OBJECT_MIRRORED 0x2u /* the firmware holds one too */
#define RM_OBJECT_FREEING 0x4u	/* server: on the list of a free under way */
#define RM_OBJECT_ROTATED 0x8u	/* server: put aside in its parent's list during that */
#define RM_OBJECT_LISTED 0x10u	/* server: its handle is in the client's map */

/* One client. Fields without a comment on locking never change after its allocation. */
struct rm_client {
	u32 handle;
	u32 refs; /* atomic: the table's, and one for each call that found it */
	struct rm_server *server;
	struct rm_client *hash_next; /* table's lock */
	struct list_node owner_node; /* table's owner lock */
	const void *owner;	     /* rm_file_owner of the file that made it; NULL: the driver */
	u64 serial;		     /* never reused, unlike the handle */
	struct os_cred cred;	     /* of who allocated it */
	u32 class_id;		     /* NV01_ROOT, NV01_ROOT_CLIENT or NV01_ROOT_NON_PRIV */
	bool kernel;		     /* the driver's own */
	bool gone;	      /* lock: freed; whoever still waits for the lock finds nothing */
	bool fabric_manager;  /* lock: may duplicate what any user client has */
	u32 object_count;     /* atomic, written under the lock: its root is one */
	u32 next_handle;      /* lock: index of the next generated handle */
	struct os_mutex lock; /* LOCK_RANK_CLIENT: everything below, and its objects */
	struct rm_object *root;
	struct handle_map objects;
};

/* One request being served. On the stack of its thread; nested calls restore the outer one. */
struct rm_call {
	struct rm *rm;
	struct rm_server *server;
	struct rm_file *file; /* NULL for the driver's own */
	struct rm_client *client;
	struct rm_client *source; /* a dup's other client (or the same), a share's target */
	struct rm_object *object; /* what a control acts on, or the parent of an alloc */
	const struct abi_control *control;
	rm_control_fn handler; /* server: of control, or NULL */
	void *params;
	/* The file behind a descriptor that params hold; who keeps the reference leaves NULL. */
	struct rm_file *named;
	/* The caller's memory that params name, pinned; who keeps it zeroes this. NULL: none is. */
	struct os_pages *pinned;
	struct rm_gpu *locked_gpu;
	u32 params_size;
	u32 flags; /* NVOS54_FLAGS_*, or those of a dup */
	u32 locks; /* RM_LOCKED_* that this call took itself */
	u32 api_token;
	struct os_cred cred;
	struct rm_gpu *lacks; /* rm_call_lacks; referenced, or NULL */
	u64 lacks_bytes;
	bool kernel; /* issued by the driver itself: all rights, kernel pointers */
	struct rm_call *outer;
};
#define RM_LOCKED_API_SHARED 0x1u
#define RM_LOCKED_API_EXCLUSIVE 0x2u
#define RM_LOCKED_CLIENT 0x4u
#define RM_LOCKED_GPU 0x8u
#define RM_LOCKED_SOURCE 0x10u

/* The call that the calling thread serves, or NULL. */
struct rm_call *rm_call_current(void);
/* Whether the calling thread's call, or one around it, took this GPU's lock. */
bool rm_call_holds_gpu(const struct rm_gpu *gpu);
/*
 * Takes the lock of a GPU for the rest of the call (released with the call's other locks), or does
 * nothing when the thread holds it. One GPU a call.
 */
void rm_call_lock_gpu(struct rm_call *call, struct rm_gpu *gpu);

/*
 * Of a call that makes an object: it ends with NV_ERR_NO_MEMORY since so much of the GPU's video
 * memory is not free. It is made once more when unified memory has given some back.
 */
void rm_call_lacks(struct rm_call *call, struct rm_gpu *gpu, u64 bytes);
/*
 * Has unified memory give back so much of the GPU's video memory that as many bytes are free, or,
 * if they were, that many: in one piece there may be fewer. False: it has not so much. No lock but
 * power's is held.
 */
bool rm_uvm_reclaim(struct rm_gpu *gpu, u64 bytes);

/* Finds an object of the call's client; NV_ERR_OBJECT_NOT_FOUND. Client lock held. */
enum nv_status rm_object_find(struct rm_client *client, u32 handle, struct rm_object **out);
/* The same, and it must be of that internal class: NV_ERR_INVALID_OBJECT_HANDLE otherwise. */
enum nv_status rm_object_find_class(struct rm_client *client, u32 handle, enum abi_iclass iclass,
				    struct rm_object **out);
/* The nearest ancestor (or itself) of that internal class, or NULL. */
struct rm_object *rm_object_ancestor(struct rm_object *object, enum abi_iclass iclass);
/*
 * dependant is torn down before on. Both are of one client (NV_ERR_INVALID_ARGUMENT otherwise),
 * whose lock is held. An ancestor needs no dependency. NV_ERR_NO_MEMORY.
 */
enum nv_status rm_object_depend(struct rm_object *dependant, struct rm_object *on);
/*
 * All objects of a client one after the other, in no particular order: *cursor is 0 at first; NULL
 * at the end. Objects may come and go meanwhile. Client lock held.
 */
struct rm_object *rm_client_next_object(struct rm_client *client, u64 *cursor);

/* -- The instance --------------------------------------------------------------------------------
 */

/*
 * classes stays valid while the server does. NV_ERR_NO_MEMORY; NV_ERR_NOT_READY: no entropy;
 * NV_ERR_INVALID_ARGUMENT: two alike.
 */
enum nv_status rm_server_create(struct rm *rm, const struct rm_class *const *classes, u32 count,
				struct rm_server **out);
/* Frees the driver's own clients; those of files are gone with their files. */
void rm_server_destroy(struct rm_server *server);

/* The API lock, exclusively: no call is being served. For changes of the set of GPUs. */
void rm_server_lock_exclusive(struct rm_server *server);
void rm_server_unlock_exclusive(struct rm_server *server);

/*
 * The GPU goes: tears down every object on it (they are dead from now on: NV_ERR_RESOURCE_LOST) and
 * forgets its pointer. API lock held exclusively; the GPU is marked lost before.
 */
void rm_server_gpu_removed(struct rm_server *server, struct rm_gpu *gpu);
/*
 * The GPU's last user went and its firmware is about to stop: frees every client's devices on it
 * with all below them, handles included, and tears down what else is on it. API lock held
 * exclusively.
 */
void rm_server_gpu_stops(struct rm_server *server, struct rm_gpu *gpu);

/*
 * Calls visit for every client, until it returns false. Under the table's spinlock: visit looks at
 * what never changes of a client, and may not sleep.
 */
void rm_server_visit_clients(struct rm_server *server,
			     bool (*visit)(void *ctx, const struct rm_client *client), void *ctx);

/*
 * The class of that number as this driver serves it, NULL if it does not. (That the number exists
 * at all is abi_class_find's to say.)
 */
const struct rm_class *rm_server_class(struct rm_server *server, enum abi_iclass iclass);

#endif
