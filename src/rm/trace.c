// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The one place where trace events are made: fills in the time and hands the event to the sink. */
#include "rm/trace.h"

void (*rm_trace_sink)(const struct rm_trace_event *event);

void rm_trace_emit(enum rm_trace_kind kind, const char *name, u32 status, u64 value, u64 extra,
		   const void *data, size_t size)
{
	void (*sink)(const struct rm_trace_event *event) = os_load_acquire(&rm_trace_sink);
	struct rm_trace_event event = {
		.kind = kind,
		.status = status,
		.time_ns = os_time_ns(),
		.name = name,
		.value = value,
		.extra = extra,
		.data = data,
		.size = size,
	};

	if (sink)
		sink(&event);
}
