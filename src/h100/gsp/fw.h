/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The GSP firmware from inside: its objects and the control commands that it serves. It shares
 * nothing with the driver but messages, and keeps its own objects under the same handles.
 */
#ifndef H100_GSP_FW_H
#define H100_GSP_FW_H

#include "abi/r535.h"
#include "abi/tables.h"
#include "h100/engine/state.h"

struct fw;
struct fw_client;

struct fw_object {
	u32 client;
	u32 handle;
	u32 parent;
	u32 class_id;
	u16 iclass;
};

/* One RPC being served. */
struct fw_call {
	struct fw *fw;
	struct h100_state *state; /* the GPU's own */
	const struct fw_object *object;
	u32 cmd;
};

/* params is exactly size bytes, the firmware's own copy; all out fields are written. */
typedef enum nv_status (*fw_control_fn)(struct fw_call *call, void *params, u32 size);

struct fw_control {
	u32 cmd;
	u32 size; /* of the parameters; another one is INVALID_PARAM_STRUCT */
	fw_control_fn fn;
	bool serialised; /* has pointers, which are to memory of the firmware's while it is served
			  */
	bool engines;	 /* calls the engines: fw_engines_begin */
};

struct fw_control_group {
	const char *name;
	const struct fw_control *controls;
	u32 count;
};

/* Every group there is, NULL-terminated (gsp/controls.c); a command stands in one group only. */
extern const struct fw_control_group *const fw_control_groups[];

/*
 * Posts POST_EVENT to every event object (NV01_EVENT and its kinds) that was allocated for
 * notify_index (its NV01_EVENT_* flag bits are left out of the comparison), with two words that say
 * more. Delivered after the reply of the call under way; lost, with a line in the log, when the
 * driver does not drain its queue. The firmware's own thread of control only: from a control.
 */
void fw_notify(struct fw *fw, u32 notify_index, u32 info32, u16 info16);

#endif
