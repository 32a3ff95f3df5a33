// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A trace as text: each request in one piece, its fields, its way through the layers, its RPCs, how
 * it ended and how long it took.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/user/trace/trace.h"
#include "rm/rm.h"

#define INDENT 4u
#define FIELDS_INDENT 8u
#define FIELDS_LEVEL 4u /* the same, as the decoder counts */

static const char *result_name(u32 result)
{
	static const char *const names[] = {
		[RM_IOCTL_OK] = "0",	      [RM_IOCTL_EINVAL] = "EINVAL",
		[RM_IOCTL_EFAULT] = "EFAULT", [RM_IOCTL_ENOMEM] = "ENOMEM",
		[RM_IOCTL_EBUSY] = "EBUSY",   [RM_IOCTL_EACCES] = "EACCES",
		[RM_IOCTL_EPERM] = "EPERM",   [RM_IOCTL_ENODEV] = "ENODEV",
		[RM_IOCTL_EINTR] = "EINTR",   [RM_IOCTL_EIO] = "EIO",
		[RM_IOCTL_ENOTTY] = "ENOTTY",
	};

	return result < ARRAY_SIZE(names) ? names[result] : "?";
}

static void put_line(void *ctx, const char *line)
{
	trace_put(ctx, "%s\n", line);
}

/* How many bytes of something we know no fields of are shown. */
#define RAW_SHOWN 64u

static void put_data(struct trace_text *t, const struct abi_struct *s, const void *data,
		     size_t size, u32 dir)
{
	const u8 *bytes = data;

	if (!data || !size)
		return;
	if (s) {
		abi_decode(s, data, size, dir, FIELDS_LEVEL, put_line, t);
		return;
	}
	trace_put(t, "%*s", FIELDS_INDENT, "");
	for (size_t i = 0; i < size && i < RAW_SHOWN; i++)
		trace_put(t, "%02x%s", bytes[i], i % 4 == 3 ? " " : "");
	trace_put(t, "%s(%zu bytes)\n", size > RAW_SHOWN ? "... " : "", size);
}

static double us(u64 ns)
{
	return (double)ns / 1000.0;
}

static void escape_begin(struct trace_request *r, const struct rm_trace_event *e)
{
	const struct abi_struct *params;
	char buf[16];
	const char *name = trace_escape(e->value, &params, buf, sizeof(buf));
	u32 pid, tid;

	trace_caller(&pid, &tid);
	trace_clear(&r->text);
	r->begin_ns = e->time_ns;
	r->open = true;
	trace_put(&r->text, "%llu.%06llu pid %u  ioctl %s (0x%08x, %u bytes)\n",
		  (unsigned long long)(e->time_ns / 1000000000u),
		  (unsigned long long)(e->time_ns / 1000u % 1000000u), pid, name, (u32)e->value,
		  (u32)_IOC_SIZE((u32)e->value));
	trace_put(&r->text, "%*sin\n", INDENT, "");
	put_data(&r->text, params, e->data, e->size, ABI_IN);
}

static void escape_end(struct trace_request *r, const struct rm_trace_event *e)
{
	const struct abi_struct *params;
	char buf[16];

	trace_escape(e->value, &params, buf, sizeof(buf));
	if (e->data && e->size) {
		trace_put(&r->text, "%*sout\n", INDENT, "");
		put_data(&r->text, params, e->data, e->size, ABI_OUT);
	}
	trace_put(&r->text, "%*s= %s  %.1f us\n", INDENT, "", result_name(e->status),
		  us(e->time_ns - r->begin_ns));
	r->open = false;
}

static void params(struct trace_text *t, const struct rm_trace_event *e)
{
	bool in = e->kind == RM_TRACE_PARAMS_IN;
	const struct abi_struct *s = NULL;
	const char *name = "";

	if (e->extra) {
		const struct abi_class *class = abi_class_find((u32)e->value);

		name = class ? class->name : "unknown class";
		s = class ? class->params : NULL;
	} else {
		const struct abi_control *control = abi_control_find((u32)e->value);

		name = control && control->name[0] ? control->name : "no open name";
		s = control ? control->params : NULL;
	}
	trace_put(t, "%*s%s %s 0x%x %s", INDENT, "", e->extra ? "class" : "control", name,
		  (u32)e->value, in ? "in" : "out");
	if (in)
		trace_put(t, "\n");
	else
		trace_put(t, "  %s\n", abi_status_name(e->status));
	put_data(t, s, e->data, e->size, in ? ABI_IN : ABI_OUT);
}

static void rpc(struct trace_request *r, const struct rm_trace_event *e)
{
	const struct abi_rpc *function = abi_rpc_find((u32)e->value);
	bool sent = e->kind == RM_TRACE_RPC_SEND;

	trace_put(&r->text, "%*srpc %s %s (%u) #%llu, %zu bytes", INDENT, "", sent ? "->" : "<-",
		  function ? function->name : "?", (u32)e->value, (unsigned long long)e->extra,
		  e->size);
	if (sent)
		r->rpc_ns = e->time_ns;
	else
		trace_put(&r->text, "  %s  %.1f us", abi_status_name(e->status),
			  us(e->time_ns - r->rpc_ns));
	trace_put(&r->text, "\n");
}

void trace_text_event(struct trace_request *r, const struct rm_trace_event *e)
{
	struct trace_text *t = &r->text;

	/* What the driver does of itself, or when the last descriptor of a file goes. */
	if (!r->open && e->kind != RM_TRACE_ESCAPE_BEGIN)
		trace_put(t, "%llu.%06llu driver", (unsigned long long)(e->time_ns / 1000000000u),
			  (unsigned long long)(e->time_ns / 1000u % 1000000u));
	switch (e->kind) {
	case RM_TRACE_ESCAPE_BEGIN:
		escape_begin(r, e);
		break;
	case RM_TRACE_ESCAPE_END:
		escape_end(r, e);
		break;
	case RM_TRACE_STEP:
		trace_put(t, "%*s%-40s %s\n", INDENT, "", e->name ? e->name : "",
			  abi_status_name(e->status));
		break;
	case RM_TRACE_LOCK:
		trace_put(t, "%*slock %s %s, waited %.1f us\n", INDENT, "", e->name ? e->name : "",
			  e->extra == 1 ? "shared" : "exclusive", us(e->value));
		break;
	case RM_TRACE_PARAMS_IN:
	case RM_TRACE_PARAMS_OUT:
		params(t, e);
		break;
	case RM_TRACE_RPC_SEND:
	case RM_TRACE_RPC_REPLY:
		rpc(r, e);
		break;
	case RM_TRACE_EVENT:
		trace_put(t, "%*sgsp event 0x%llx\n", INDENT, "", (unsigned long long)e->value);
		break;
	}
	if (r->open)
		return;
	if (t->short_of_memory)
		trace_put(t, "(out of memory: incomplete)\n");
	trace_write(t->data, t->size);
	trace_clear(t);
}
