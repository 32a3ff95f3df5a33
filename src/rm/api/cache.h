/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Replies of a GPU's cacheable commands. A command whose reply depends on nothing the caller says
 * has one entry; one whose reply depends on its input has an entry for each of the last few inputs.
 *
 * A lock of its own (leaf): callers may hold anything down to the GPU lock.
 */
#ifndef RM_API_CACHE_H
#define RM_API_CACHE_H

#include "abi/tables.h"
#include "os/os.h"

struct rm_control_cache;

/* NV_ERR_NO_MEMORY. rm_gpu.cache points to it; a GPU without one caches nothing. */
enum nv_status rm_control_cache_create(struct rm_control_cache **out);
void rm_control_cache_destroy(struct rm_control_cache *cache);

/* Whether replies of the command may be kept: it needs no rights or privilege to ask. */
bool rm_control_cacheable(const struct abi_control *control);
/* For a command whose reply depends on its input: whether the reply to this input may be kept. */
bool rm_control_cacheable_input(const struct abi_control *control, const void *params);
/*
 * Fills params (control->params_size bytes, holding the input) with the kept reply. When there is
 * none: false, and *generation is what rm_control_cache_put wants to know.
 */
bool rm_control_cache_get(struct rm_control_cache *cache, const struct abi_control *control,
			  void *params, u64 *generation);
/*
 * Keeps a reply to input (NULL where the command does not depend on it). Dropped when anything was
 * invalidated since generation, or without memory.
 */
void rm_control_cache_put(struct rm_control_cache *cache, const struct abi_control *control,
			  const void *input, const void *reply, u64 generation);
/* Forgets the replies of a command; 0: of all. */
void rm_control_cache_invalidate(struct rm_control_cache *cache, u32 cmd);

#endif
