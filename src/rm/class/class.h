/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The classes of objects that this driver serves, one file each, and what those files share.
 */
#ifndef RM_CLASS_CLASS_H
#define RM_CLASS_CLASS_H

#include "rm/server/server.h"

/* For rm_server_create. */
extern const struct rm_class *const rm_classes[];
extern const u32 rm_class_count;

#endif
