/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The way of a request through the layers, for `leafhopper trace`. Off, a trace point costs one
 * load and a branch. Events of one request come from one thread, between ESCAPE_BEGIN and
 * ESCAPE_END.
 */
#ifndef RM_TRACE_H
#define RM_TRACE_H

#include "os/os.h"

enum rm_trace_kind {
	RM_TRACE_ESCAPE_BEGIN, /* value: request; data: the structure as copied in */
	RM_TRACE_ESCAPE_END,   /* value: request; status: enum rm_ioctl_result; data: copied out */
	RM_TRACE_STEP,	       /* name: layer and check ("api/control: size"); status: its result */
	RM_TRACE_LOCK, /* name: lock; value: nanoseconds waited; extra: 1 shared, 2 exclusive */
	RM_TRACE_PARAMS_IN,  /* value: command or class; extra: 1 for a class; data */
	RM_TRACE_PARAMS_OUT, /* likewise, after each call; no data where none goes back */
	RM_TRACE_RPC_SEND,   /* value: function; extra: sequence; size: bytes of the message */
	RM_TRACE_RPC_REPLY,  /* likewise; status: the firmware's result; data: NULL */
	RM_TRACE_EVENT,	     /* a GSP event: value: event number */
};

struct rm_trace_event {
	enum rm_trace_kind kind;
	u32 status;
	u64 time_ns; /* os_time_ns */
	const char *name;
	u64 value;
	u64 extra;
	const void *data; /* valid during the call of the sink only */
	size_t size;
};

/* NULL: off. The sink is called in the context of the request and must not call back. */
extern void (*rm_trace_sink)(const struct rm_trace_event *event);

static inline bool rm_trace_on(void)
{
	return __builtin_expect(os_load_relaxed(&rm_trace_sink) != NULL, 0);
}

void rm_trace_emit(enum rm_trace_kind kind, const char *name, u32 status, u64 value, u64 extra,
		   const void *data, size_t size);

#define rm_trace(...)                               \
	do {                                        \
		if (rm_trace_on())                  \
			rm_trace_emit(__VA_ARGS__); \
	} while (0)

#endif
