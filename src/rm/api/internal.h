/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files of the RM API share. A request is who asks and what; its user pointers are the
 * driver's own where kernel is set.
 */
#ifndef RM_API_INTERNAL_H
#define RM_API_INTERNAL_H

#include "rm/api/api.h"
#include "rm/api/params.h"
#include "rm/server/internal.h"
#include "rm/trace.h"

/*
 * Sends the call's command where it belongs: to the GPU's firmware, with the caller's own handles, or to
 * the handler of the object's class. NV_ERR_NOT_SUPPORTED: nobody serves it.
 */
enum nv_status rm_route(struct rm_call *call);

/* A step of a request, for a trace; gives back its status. */
static inline enum nv_status rm_step(const char *name, enum nv_status status, u64 value)
{
	rm_trace(RM_TRACE_STEP, name, status, value, 0, NULL, 0);
	return status;
}

#endif
