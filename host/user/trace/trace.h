/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Traces of every request, as the resource manager tells of it: text for people, or the JSON that
 * Chrome's and Perfetto's viewers read. Fields that the interface's data calls secret are not
 * shown.
 */
#ifndef HOST_USER_TRACE_H
#define HOST_USER_TRACE_H

#include "abi/tables.h"
#include "rm/trace.h"

/* Traces go to standard error as text, or as JSON to the file. 0 or an errno. Before any client. */
int trace_start(const char *json_file);
/* All clients are gone. Nothing happens when no trace was started. */
void trace_stop(void);

/* -- record.c: what one request gathers on its thread
 * ---------------------------------------------- */

/* Text that grows; after a failed allocation it stays as it is and says so at its end. */
struct trace_text {
	char *data;
	size_t size;
	size_t room;
	bool short_of_memory;
};
void trace_put(struct trace_text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void trace_clear(struct trace_text *text);

struct trace_request {
	struct trace_text text;
	u64 begin_ns;
	u64 rpc_ns; /* when the RPC under way was sent */
	u32 status; /* of the structure, where it has one */
	bool open;
	bool has_status;
};
/* The calling thread's; freed when the thread ends. NULL when out of memory. */
struct trace_request *trace_request(void);
/* "NV_ESC_RM_CONTROL" and the structure that its data has; params may become NULL. */
const char *trace_escape(u64 request, const struct abi_struct **params, char *buf, size_t size);
/* The process and thread that the calling thread serves; 0, 0 for the driver's own. */
void trace_caller(u32 *pid, u32 *tid);
/* Writes out under the lock of the output. */
void trace_write(const char *data, size_t size);

/* -- text.c, json.c
 * -------------------------------------------------------------------------------- */

void trace_text_event(struct trace_request *request, const struct rm_trace_event *event);
void trace_json_event(struct trace_request *request, const struct rm_trace_event *event);

#endif
