/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The RM API: alloc, free, control, dup and share, as the escapes of a file call them (the rm_api_
 * functions, with the interface's own structures already in kernel memory, their pointers still the
 * caller's) and as the driver calls them itself (rm_kernel_, with kernel pointers and all rights).
 *
 * Every rm_api_ function writes the outcome to the structure's status field and returns the same
 * value: a refused request is a success of the ioctl that carried it.
 *
 * Locks: none held by the caller beyond the power lock. Each call takes the API lock shared, the
 * locks of its clients, and the GPU lock where class or command ask for it (docs/locking.md).
 */
#ifndef RM_API_API_H
#define RM_API_API_H

#include "rm/server/server.h"

/* -- What the file layer gives (rm/file.c, rm/rm.c) ----------------------------------------------
 */

/* The instance that a file belongs to. */
struct rm *rm_file_rm(const struct rm_file *file);
/*
 * What clients made through this file are bound to: the file itself, or for a device file that was
 * registered with a control file (NV_ESC_REGISTER_FD) that control file. Never NULL; compared only.
 */
const void *rm_file_owner(const struct rm_file *file);

/* The instance's server, which rm_create makes with rm_server_create. */
struct rm_server *rm_server(const struct rm *rm);

/* -- Requests of user space ----------------------------------------------------------------------
 */

/* NV_ESC_RM_ALLOC, in its two sizes. hRoot and hObjectNew are written back when the driver chose.
 */
enum nv_status rm_api_alloc(struct rm_file *file, NVOS64_PARAMETERS *p);
enum nv_status rm_api_alloc_nvos21(struct rm_file *file, NVOS21_PARAMETERS *p);
/* NV_ESC_RM_ALLOC_OBJECT: an alloc without parameters. */
enum nv_status rm_api_alloc_object(struct rm_file *file, NVOS05_PARAMETERS *p);
enum nv_status rm_api_free(struct rm_file *file, NVOS00_PARAMETERS *p);
enum nv_status rm_api_control(struct rm_file *file, NVOS54_PARAMETERS *p);
enum nv_status rm_api_dup(struct rm_file *file, NVOS55_PARAMETERS *p);
enum nv_status rm_api_share(struct rm_file *file, NVOS57_PARAMETERS *p);

/*
 * The same requests with the same rights, of clients of the same file, but the block of parameters
 * (pAllocParms, params) is the driver's own: a copy that it made, or a request that it made out of
 * the caller's. The block is of the size that class or command has, holds no pointers
 * (NV_ERR_NOT_SUPPORTED where its type does), and is not copied back to anyone. *named: the file
 * behind a descriptor in the block, found before any lock was taken, or NULL; an object that keeps
 * the reference leaves NULL there.
 */
enum nv_status rm_api_alloc_prepared(struct rm_file *file, NVOS64_PARAMETERS *p,
				     struct rm_file **named);
/*
 * The same with memory of the caller's that was pinned before any lock was taken (call->pinned);
 * NULL: there is none. Pointers in the block are the driver's own.
 */
enum nv_status rm_api_alloc_pinned(struct rm_file *file, NVOS64_PARAMETERS *p,
				   struct os_pages *pinned);
enum nv_status rm_api_control_prepared(struct rm_file *file, NVOS54_PARAMETERS *p,
				       struct rm_file **named);

/* Frees every client bound to owner (rm_file_owner of a control or unregistered file). */
void rm_api_file_closed(struct rm *rm, const void *owner);

/*
 * For the escapes that act on an object and are none of the above (mapping, events, ...): finds
 * client and object with all checks that a control makes, takes the API lock shared and the
 * client's lock, and makes call the thread's call, with call->client and call->object set.
 * rm_api_end releases all. NV_ERR_INVALID_CLIENT, NV_ERR_OBJECT_NOT_FOUND, NV_ERR_RESOURCE_LOST:
 * nothing is held.
 */
enum nv_status rm_api_begin(struct rm_call *call, struct rm_file *file, u32 client, u32 object);
void rm_api_end(struct rm_call *call);

/* -- The driver's own requests -------------------------------------------------------------------
 */

/*
 * With kernel pointers and kernel rights; params_size is the exact size of params. Made from within
 * another call (a handler), it names the client that the outer call holds:
 * NV_ERR_INVALID_LOCK_STATE for any other. *object 0: the server chooses.
 */
enum nv_status rm_kernel_alloc(struct rm *rm, u32 client, u32 parent, u32 *object, u32 class_id,
			       void *params, u32 params_size);
enum nv_status rm_kernel_free(struct rm *rm, u32 client, u32 object);
enum nv_status rm_kernel_control(struct rm *rm, u32 client, u32 object, u32 cmd, void *params,
				 u32 params_size);
enum nv_status rm_kernel_dup(struct rm *rm, u32 client, u32 parent, u32 *object, u32 source_client,
			     u32 source_object, u32 flags);

#endif
