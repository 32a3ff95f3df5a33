/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Objects below a channel: what its methods are addressed to.
 */
#ifndef RM_CLASS_ENGINE_OBJECT_H
#define RM_CLASS_ENGINE_OBJECT_H

#include "rm/server/server.h"

/* NV2080_ENGINE_TYPE_* of the engine that runs it; false when the object is none of these. */
bool rm_engine_object_engine(const struct rm_object *object, u32 *type);

/* Processes with an object of that class on the GPU, each once; how many are in pids. */
u32 rm_engine_object_pids(struct rm_gpu *gpu, u32 class_id, u32 *pids, u32 room);

#endif
