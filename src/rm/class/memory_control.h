/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The commands on memory objects (NV0041_CTRL_CMD_*), one table for every class of memory. */
#ifndef RM_CLASS_MEMORY_CONTROL_H
#define RM_CLASS_MEMORY_CONTROL_H

#include "rm/class/memory.h"

#define RM_MEMORY_CONTROLS 5u

extern const struct rm_control_handler rm_memory_controls[RM_MEMORY_CONTROLS];
/* NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_* of what the CPU maps. Object of a mappable class. */
u32 rm_memory_address_space(const struct rm_object *object);

#endif
