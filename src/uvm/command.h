/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What an ioctl is: a number, the size of its structure and where that holds its status. */
#ifndef UVM_COMMAND_H
#define UVM_COMMAND_H

#include "uvm/internal.h"

struct uvm_command {
	u32 cmd;
	u32 size;
	u32 status_offset;
	bool needs_space;
	enum nv_status (*serve)(struct uvm_file *file, void *params);
};

#define UVM_COMMAND(number, needs, fn)                                                      \
	{                                                                                   \
		.cmd = number, .size = sizeof(number##_PARAMS),                             \
		.status_offset = offsetof(number##_PARAMS, rmStatus), .needs_space = needs, \
		.serve = fn                                                                 \
	}

#endif
