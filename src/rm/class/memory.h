/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Memory objects: system memory (pages that the GPU can reach) and video memory (a piece of its
 * heap).
 */
#ifndef RM_CLASS_MEMORY_H
#define RM_CLASS_MEMORY_H

#include "rm/class/state.h"

/* False when the object is no memory. */
bool rm_memory_size(const struct rm_object *object, u64 *size);
/* Both are objects of the same memory. */
bool rm_memory_same(const struct rm_object *a, const struct rm_object *b);

#endif
