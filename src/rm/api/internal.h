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
 * A step of a request, for a trace; gives back its status. traced is rm_trace_on() of the request's
 * beginning: a constant in the busy paths, which exist in both forms.
 */
static inline enum nv_status rm_step(bool traced, const char *name, enum nv_status status,
				     u64 value)
{
	if (traced)
		rm_trace_emit(RM_TRACE_STEP, name, status, value, 0, NULL, 0);
	return status;
}

#define RM_INLINE static inline __attribute__((always_inline))

#endif
