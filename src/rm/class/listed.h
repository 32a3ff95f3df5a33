/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The classes that a GPU has, and those of them that this driver has no objects of: making one is
 * NV_ERR_NOT_SUPPORTED, and NV_ERR_INVALID_CLASS where the kind has it and the GPU does not.
 */
#ifndef RM_CLASS_LISTED_H
#define RM_CLASS_LISTED_H

#include "rm/server/server.h"

extern const u32 rm_listed_classes[];
extern const u32 rm_listed_class_count;
/* Whether the GPU has it. */
bool rm_class_listed(u32 class_id);

/* Kinds (enum abi_iclass) of which there are no objects; each has its rm_listed_KIND. */
/* clang-format off */
#define RM_LISTED_KINDS(X) \
	X(AccessCounterBuffer) X(ZbcApi) \
	X(NvdecContext) X(NvjpgContext) X(OfaContext) \
	X(GpuUserSharedData)
/* clang-format on */

#define RM_LISTED_DECLARE(name) extern const struct rm_class rm_listed_##name;
RM_LISTED_KINDS(RM_LISTED_DECLARE)

#endif
