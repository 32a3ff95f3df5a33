/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The resource server: clients, the objects under them, handles, dependants, access rights and the
 * locks of a call. It knows no class; classes describe themselves by struct rm_class.
 *
 *   client --- object tree (parent/children), a handle map (32-bit handle -> object, O(1))
 *                 \-- dependants: freed before what they depend on
 *
 * Locking: the client table and the tree of GPUs change under the API lock held exclusively; all else
 * runs under the API lock shared, the client's own lock, and, where a class or command asks for it,
 * the lock of the object's GPU.
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
	 * params: a kernel copy of params_size bytes, or NULL when none were given. The object is linked
	 * to its parent and has its handle and GPU, but no look-up finds it yet. On failure the server
	 * frees it without calling destruct. What it writes to params goes back to the caller.
	 */
	enum nv_status (*construct)(struct rm_call *call, struct rm_object *object, void *params,
				    u32 params_size);
	/* All children and dependants are gone. May be NULL. */
	void (*destruct)(struct rm_call *call, struct rm_object *object);
	/* Makes copy a duplicate of source (of another or the same client). NULL: cannot be duplicated. */
	enum nv_status (*duplicate)(struct rm_call *call, struct rm_object *copy,
				    const struct rm_object *source);
	/* Commands that this class serves on the CPU side. */
	const struct rm_control_handler *controls;
	u32 control_count;
	/* Its alloc, free, dup are mirrored to the GPU's firmware by RPC under the same handles. */
	bool mirrored;
};

struct rm_share_policy_list; /* server/share.h */

struct rm_object {
	u32 handle;
	u32 class_id;
	const struct rm_class *class;
	const struct abi_class *desc;
	struct rm_client *client;
	struct rm_object *parent; /* NULL for the client's own root object */
	struct list_node sibling;
	struct list_head children;
	struct list_head dependants; /* of struct rm_dependency */
	struct list_head depends_on;
	struct rm_gpu *gpu;	     /* the GPU that commands on this object reach; NULL for none */
	u32 rights;		     /* RS_ACCESS_* bits that its client holds on it */
	u32 flags;
	struct rm_share_policy_list *shares; /* NULL: inherits */
};
#define RM_OBJECT_DEAD 0x1u	/* its GPU is lost or it is being torn down: RESOURCE_LOST */
#define RM_OBJECT_MIRRORED 0x2u /* the firmware holds one too */

/* One request being served. On the stack of its thread; nested calls restore the outer one. */
struct rm_call {
	struct rm *rm;
	struct rm_file *file;	  /* NULL for the driver's own */
	struct rm_client *client;
	struct rm_object *object; /* what a control acts on, or the parent of an alloc */
	const struct abi_control *control;
	void *params;
	u32 params_size;
	u32 flags;
	u32 locks; /* RM_LOCKED_* */
	u32 api_token;
	struct rm_gpu *locked_gpu;
	struct os_cred cred;
	bool kernel; /* issued by the driver itself: all rights, kernel pointers */
	struct rm_call *outer;
};
#define RM_LOCKED_API_SHARED 0x1u
#define RM_LOCKED_API_EXCLUSIVE 0x2u
#define RM_LOCKED_CLIENT 0x4u
#define RM_LOCKED_GPU 0x8u

/* The call that the calling thread serves, or NULL. */
struct rm_call *rm_call_current(void);

/* Finds an object of the call's client; NV_ERR_OBJECT_NOT_FOUND. Client lock held. */
enum nv_status rm_object_find(struct rm_client *client, u32 handle, struct rm_object **out);
/* The same, and it must be of that internal class: NV_ERR_INVALID_OBJECT_HANDLE otherwise. */
enum nv_status rm_object_find_class(struct rm_client *client, u32 handle, enum abi_iclass iclass,
				    struct rm_object **out);
/* The nearest ancestor (or itself) of that internal class, or NULL. */
struct rm_object *rm_object_ancestor(struct rm_object *object, enum abi_iclass iclass);
/* dependant is freed before on. Both of one client, or the client locks of both held. */
enum nv_status rm_object_depend(struct rm_object *dependant, struct rm_object *on);

#endif
