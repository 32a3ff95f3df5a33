/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Memory that a control file stands for: NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD gives it to
 * the file, and whoever has a descriptor of that file makes an object of it by
 * NV0000_CTRL_CMD_OS_UNIX_IMPORT_OBJECT_FROM_FD, whatever became of the first.
 *
 *   client's object ---- backing ---- the importing client's object
 *   file ---- struct rm_export --/                  until the file closes
 */
#ifndef RM_CLASS_EXPORT_H
#define RM_CLASS_EXPORT_H

#include "rm/class/memory.h"

struct rm_file;

/* Handlers of a client's commands; call->named is the file behind the descriptor, or NULL. */
enum nv_status client_export_object(struct rm_call *call, void *params);
enum nv_status client_import_object(struct rm_call *call, void *params);
enum nv_status client_get_export_info(struct rm_call *call, void *params);

/* The file closes: it stands for nothing any more. No lock is held. */
void rm_file_export_drop(struct rm_file *file);

#endif
