/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Memory that clients map into their processes. NV_ESC_RM_MAP_MEMORY records a mapping with the
 * object and prepares it on the file whose descriptor the client gave; mmap of that file makes it.
 * Of a channel it is the page with its USERD, if the driver made that.
 *
 *   object ---- mappings (cookie or address, bytes of the BAR)       until unmapped, or freed
 *   file ------ struct rm_mapping ---- backing                       until the file closes
 *   host ------/                                                     until rm_mapping_put
 *
 * So a process may keep memory mapped whose object is gone: nobody else gets it until then.
 */
#ifndef RM_CLASS_MAPPING_H
#define RM_CLASS_MAPPING_H

#include "rm/class/memory.h"

struct rm_file;

struct rm_cpu_map {
	struct rm_object *memory;
	struct rm_object *device; /* device or subdevice; NULL: the client itself */
	u64 offset, length;
	u32 flags;	      /* NVOS33_FLAGS_* */
	struct rm_file *file; /* where it is prepared; NULL: the descriptor named none of ours */
};

/* Whether it is an object of which something can be mapped. */
bool rm_cpu_can_map(const struct rm_object *object);
/*
 * *address is what names the mapping from now on. NV_ERR_NOT_SUPPORTED: no memory, memory of the
 * process itself, or video memory in confidential mode; NV_ERR_INVALID_REQUEST: a channel whose
 * USERD is in its client's memory; NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_ARGUMENT: rights, or no
 * such file; NV_ERR_INVALID_BASE, NV_ERR_INVALID_LIMIT: offset, length; NV_ERR_STATE_IN_USE: the
 * file has one; NV_ERR_NO_MEMORY. Client lock held.
 */
enum nv_status rm_cpu_map(struct rm_call *call, const struct rm_cpu_map *map, u64 *address);
/* NV_ERR_OBJECT_NOT_FOUND: no mapping of that name. Client lock held. */
enum nv_status rm_cpu_unmap(struct rm_object *memory, u64 address);
/* The mapping is called by where it is in the process. */
enum nv_status rm_cpu_mapping_rename(struct rm_object *memory, u64 old, u64 address);
/* The object goes: all of them. */
void rm_cpu_mappings_drop(const struct rm_object *object);
/* The file closes: what is prepared on it is no more. */
void rm_file_mapping_drop(struct rm_file *file);

#endif
