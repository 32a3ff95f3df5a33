// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A trace in the Trace Event format: a request is a slice (B, E), locks and RPCs are complete
 * slices (X) in it, checks and firmware events are instants; args hold the decoded fields.
 */
#include <stdio.h>
#include <string.h>

#include "host/user/trace/trace.h"

static void put_string(struct trace_text *t, const char *s, size_t size)
{
	trace_put(t, "\"");
	for (size_t i = 0; i < size && s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			trace_put(t, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			trace_put(t, "\\u%04x", c);
		else
			trace_put(t, "%c", c);
	}
	trace_put(t, "\"");
}

/* A line of decoded fields, "  name=value", as a member. */
static void put_field(void *ctx, const char *line)
{
	struct trace_text *t = ctx;
	const char *equals;

	while (*line == ' ' || *line == '\t')
		line++;
	equals = strchr(line, '=');
	trace_put(t, ",");
	put_string(t, line, equals ? (size_t)(equals - line) : strlen(line));
	trace_put(t, ":");
	put_string(t, equals ? equals + 1 : "", equals ? strlen(equals + 1) : 0);
}

static void put_args(struct trace_text *t, const struct abi_struct *s,
		     const struct rm_trace_event *e, u32 dir, const char *status)
{
	trace_put(t, ",\"args\":{\"bytes\":%zu", e->size);
	if (status)
		trace_put(t, ",\"result\":\"%s\"", status);
	if (s && e->data && e->size)
		abi_decode(s, e->data, e->size, dir, 0, put_field, t);
	trace_put(t, "}");
}

static void put_head(struct trace_text *t, const char *name, const char *phase, u64 time_ns)
{
	u32 pid, tid;

	trace_caller(&pid, &tid);
	trace_put(t, "{\"name\":");
	put_string(t, name, strlen(name));
	trace_put(t, ",\"ph\":\"%s\",\"ts\":%llu.%03llu,\"pid\":%u,\"tid\":%u", phase,
		  (unsigned long long)(time_ns / 1000), (unsigned long long)(time_ns % 1000), pid,
		  tid);
}

static void put_duration(struct trace_text *t, u64 ns)
{
	trace_put(t, ",\"dur\":%llu.%03llu", (unsigned long long)(ns / 1000),
		  (unsigned long long)(ns % 1000));
}

static const char *params_name(const struct rm_trace_event *e, const struct abi_struct **s)
{
	*s = NULL;
	if (e->extra) {
		const struct abi_class *class = abi_class_find((u32)e->value);

		*s = class ? class->params : NULL;
		return class ? class->name : "unknown class";
	}
	const struct abi_control *control = abi_control_find((u32)e->value);

	*s = control ? control->params : NULL;
	return control && control->name[0] ? control->name : "control without an open name";
}

void trace_json_event(struct trace_request *r, const struct rm_trace_event *e)
{
	struct trace_text *t = &r->text;
	const struct abi_struct *s;
	const struct abi_rpc *function;
	char buf[16];

	switch (e->kind) {
	case RM_TRACE_ESCAPE_BEGIN:
		r->open = true;
		put_head(t, trace_escape(e->value, &s, buf, sizeof(buf)), "B", e->time_ns);
		put_args(t, s, e, ABI_IN, NULL);
		break;
	case RM_TRACE_ESCAPE_END:
		r->open = false;
		put_head(t, trace_escape(e->value, &s, buf, sizeof(buf)), "E", e->time_ns);
		put_args(t, s, e, ABI_OUT, NULL);
		break;
	case RM_TRACE_PARAMS_IN:
		put_head(t, params_name(e, &s), "B", e->time_ns);
		put_args(t, s, e, ABI_IN, NULL);
		break;
	case RM_TRACE_PARAMS_OUT:
		put_head(t, params_name(e, &s), "E", e->time_ns);
		put_args(t, s, e, ABI_OUT, abi_status_name(e->status));
		break;
	case RM_TRACE_STEP:
		put_head(t, e->name ? e->name : "step", "i", e->time_ns);
		trace_put(t, ",\"s\":\"t\",\"args\":{\"status\":\"%s\"}",
			  abi_status_name(e->status));
		break;
	case RM_TRACE_LOCK:
		put_head(t, e->name ? e->name : "lock", "X", e->time_ns - e->value);
		put_duration(t, e->value);
		trace_put(t, ",\"args\":{\"mode\":\"%s\"}", e->extra == 1 ? "shared" : "exclusive");
		break;
	case RM_TRACE_RPC_SEND:
		r->rpc_ns = e->time_ns;
		return;
	case RM_TRACE_RPC_REPLY:
		function = abi_rpc_find((u32)e->value);
		put_head(t, function ? function->name : "rpc", "X", r->rpc_ns);
		put_duration(t, e->time_ns - r->rpc_ns);
		trace_put(t, ",\"args\":{\"sequence\":%llu,\"bytes\":%zu,\"status\":\"%s\"}",
			  (unsigned long long)e->extra, e->size, abi_status_name(e->status));
		break;
	case RM_TRACE_EVENT:
		snprintf(buf, sizeof(buf), "gsp 0x%x", (u32)e->value);
		put_head(t, buf, "i", e->time_ns);
		trace_put(t, ",\"s\":\"p\"");
		break;
	}
	trace_put(t, "},\n");
	if (r->open)
		return;
	/* An incomplete one would break the file. */
	if (!t->short_of_memory)
		trace_write(t->data, t->size);
	trace_clear(t);
}
