/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The registry: named settings of the driver, global or of one GPU, as dwords or bytes. Names
 * compare without case; a GPU's own entry hides the global one.
 */
#ifndef RM_REGISTRY_H
#define RM_REGISTRY_H

#include "base/list.h"
#include "os/os.h"

struct rm;
struct rm_gpu;
struct rm_registry_entry;

struct rm_registry {
	struct os_mutex lock; /* LOCK_RANK_LEAF */
	struct list keys;
};

enum nv_status rm_registry_init(struct rm_registry *r, const struct rm_registry_entry *entries,
				u32 count);
void rm_registry_fini(struct rm_registry *r);

/*
 * gpu NULL: global only. Statuses: NV_ERR_GENERIC where there is no such entry,
 * NV_ERR_INVALID_ARGUMENT for a NULL name; a write that finds no memory is NV_ERR_GENERIC too, as
 * the interface has it.
 */
enum nv_status rm_registry_read_dword(struct rm *rm, const struct rm_gpu *gpu, const char *name,
				      u32 *value);
enum nv_status rm_registry_write_dword(struct rm *rm, const struct rm_gpu *gpu, const char *name,
				       u32 value);
/* *size: room in, length out; too little room is NV_ERR_GENERIC. */
enum nv_status rm_registry_read_binary(struct rm *rm, const struct rm_gpu *gpu, const char *name,
				       void *data, u32 *size);
enum nv_status rm_registry_write_binary(struct rm *rm, const struct rm_gpu *gpu, const char *name,
					const void *data, u32 size);
/* Forgets the entries of a GPU that goes. */
void rm_registry_forget_gpu(struct rm *rm, const struct rm_gpu *gpu);
/* Calls emit for each dword entry of the global registry, in the order of their making. */
void rm_registry_for_each_dword(struct rm *rm, void (*emit)(void *ctx, const char *name, u32 value),
				void *ctx);
/* Likewise for the binary entries, global (gpu NULL) or of one GPU. */
void rm_registry_for_each_binary(struct rm *rm, const struct rm_gpu *gpu,
				 void (*emit)(void *ctx, const char *name), void *ctx);

#endif
