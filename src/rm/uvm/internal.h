/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the files behind rm/uvm.h share: the objects that UVM's clients name. */
#ifndef RM_UVM_INTERNAL_H
#define RM_UVM_INTERNAL_H

#include "rm/api/internal.h"
#include "rm/file.h"
#include "rm/uvm.h"

/*
 * Makes call one on the object, as a request of that file would, with the API and client locks
 * held; rm_api_end ends it. On failure nothing is held. Statuses as rm/uvm.h says.
 */
enum nv_status rm_uvm_begin(struct rm_call *call, const struct rm_uvm_object *object);

/*
 * The driver's own call on an object of a client that may be gone: NV_ERR_OBJECT_NOT_FOUND. serial
 * tells the client from a later one with its handle. rm_call_end ends it.
 */
enum nv_status rm_uvm_begin_own(struct rm_call *call, struct rm *rm, u32 client, u64 serial,
				u32 handle);

#endif
