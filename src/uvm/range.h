/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Address ranges of a VA space. None overlap; each has one kind:
 *
 *   managed   made by mmap, goes with munmap, may be split; memory in blocks of 2 MiB
 *   external  made empty; allocations of RM are mapped into it, per GPU
 *   channel   an engine's buffers at addresses of ours
 *   sked      a page through which a GPU's compute scheduler is told of work
 *   pool      system memory for semaphores, for GPUs and CPU
 *
 * All of this is under the space's lock.
 */
#ifndef UVM_RANGE_H
#define UVM_RANGE_H

#include "uvm/internal.h"

enum uvm_range_kind {
	UVM_RANGE_MANAGED,
	UVM_RANGE_EXTERNAL,
	UVM_RANGE_CHANNEL,
	UVM_RANGE_SKED,
	UVM_RANGE_POOL,
};

enum uvm_read_duplication {
	UVM_READ_DUPLICATION_UNSET,
	UVM_READ_DUPLICATION_ENABLED,
	UVM_READ_DUPLICATION_DISABLED,
};

struct uvm_policy {
	u32 preferred; /* processor, or UVM_NOBODY */
	uvm_mask accessed_by;
	enum uvm_read_duplication read_duplication;
};

struct uvm_block;
struct uvm_pool;

struct uvm_range {
	struct uvm_node_range node;
	struct uvm_space *space;
	enum uvm_range_kind kind;
	bool cpu_mapped; /* managed: false once its process exited, a zombie; pool: by a process */
	bool begins_mapping; /* managed: else it is one mapping with what is below it */
	bool fail_split;     /* for want of memory, once: a built-in test asked for it */
	bool fail_add;	     /* likewise, of a GPU VA space */
	/* Managed. */
	struct uvm_policy policy;
	struct uvm_block **blocks; /* by 2 MiB of address, first that of node.start */
	/* External: struct uvm_external_map, by GPU. */
	struct uvm_tree maps[UVM_GPUS];
	/* Sked, channel: the one GPU that has it mapped. */
	struct uvm_gpu *gpu;
	u64 page_size;
	struct rm_uvm_segment segment; /* channel */
	u32 uses;		       /* channel: registered channels that have it */
	struct uvm_pool *pool;
};

#define uvm_range_of(n) container_of(n, struct uvm_range, node)

static inline u64 uvm_range_size(const struct uvm_range *range)
{
	return uvm_node_size(&range->node);
}

/*
 * A new range of the space. NV_ERR_NO_MEMORY; NV_ERR_UVM_ADDRESS_IN_USE: it overlaps one.
 */
enum nv_status uvm_range_create(struct uvm_space *space, u64 start, u64 size,
				enum uvm_range_kind kind, struct uvm_range **out);
/* Unmaps it everywhere and frees it with what is in it. */
void uvm_range_destroy(struct uvm_range *range);
struct uvm_range *uvm_range_find(struct uvm_space *space, u64 address);
struct uvm_range *uvm_range_first_in(struct uvm_space *space, u64 start, u64 last);
struct uvm_range *uvm_range_next(const struct uvm_range *range);

/* The GPU VA space came (after tables exist) or goes: maps or unmaps what the range has for it. */
enum nv_status uvm_range_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_range_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu);
/* The GPU is unregistered: policies forget it, memory that it had for the range is released. */
void uvm_range_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu);
/* a reaches b's memory no more. */
void uvm_range_disable_peer(struct uvm_range *range, struct uvm_gpu *a, struct uvm_gpu *b);

/* base and length as the interface wants them: aligned, not empty, not 0, no overflow. */
static inline bool uvm_bad_range(u64 base, u64 length, u64 align)
{
	return !is_aligned(base | length, align) || !base || !length || base + length < base;
}

/* Whether managed ranges, and nothing else, cover base .. base + length - 1. */
bool uvm_managed_covers(struct uvm_space *space, u64 base, u64 length);

/* -- external.c -------------------------------------------------------------------------------- */
void uvm_external_unmap_gpu(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_external_disable_peer(struct uvm_range *range, struct uvm_gpu *a, struct uvm_gpu *b);
void uvm_external_forget_owner(struct uvm_range *range, struct uvm_gpu *owner);

/* -- pool.c ------------------------------------------------------------------------------------ */
enum nv_status uvm_pool_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_pool_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_pool_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_pool_destroy(struct uvm_range *range);
const struct os_pages *uvm_pool_pages(const struct uvm_range *range);
/* A process maps all of it; touches it (false: not mapped there); maps start .. last no more. */
void uvm_pool_mmap(struct uvm_range *range);
bool uvm_pool_fault(struct uvm_range *range, u64 address, struct uvm_extent *extent);
void uvm_pool_munmap(struct uvm_range *range, u64 start, u64 last);

/* -- managed.c --------------------------------------------------------------------------------- */
enum nv_status uvm_managed_init(struct uvm_range *range);
void uvm_managed_destroy(struct uvm_range *range);
enum nv_status uvm_managed_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_managed_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu);
void uvm_managed_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu);
/*
 * The range becomes start .. last and a new one, last + 1 on. last is within, and the byte after it
 * is at a page. NV_ERR_NO_MEMORY: nothing changed.
 */
enum nv_status uvm_managed_split(struct uvm_range *range, u64 last, struct uvm_range **upper);
/*
 * The system memory at address, which is in the range: made if there is none, brought back if a GPU
 * has it. NV_ERR_NO_MEMORY; NV_ERR_GPU_IS_LOST: a GPU took the page along; what copies fail with.
 */
enum nv_status uvm_managed_populate(struct uvm_range *range, u64 address,
				    struct uvm_extent *extent);
/*
 * Maps what was made with the memory at address on the GPUs that can reach it. NV_ERR_NO_MEMORY:
 * some of it not, on some.
 */
enum nv_status uvm_managed_map_around(struct uvm_range *range, u64 address);
/* Makes memory for start .. last. NV_ERR_NO_MEMORY: for some of it. */
enum nv_status uvm_managed_make(struct uvm_range *range, u64 start, u64 last);
/* start .. last comes back from video memory. What copies fail with: for the rest. */
enum nv_status uvm_managed_to_cpu(struct uvm_range *range, u64 start, u64 last);
/*
 * Makes memory for *start .. last, maps it on the GPU and moves it there, where the GPU can reach
 * it and uvm_block_to_gpu moves anything. NV_ERR_NO_MEMORY and others: from *start on it stays
 * where it was.
 */
enum nv_status uvm_managed_to_gpu(struct uvm_range *range, struct uvm_gpu *gpu, u64 *start,
				  u64 last);
/* Makes memory, and maps it on the GPU where that can reach it. */
enum nv_status uvm_managed_map_gpu(struct uvm_range *range, struct uvm_gpu *gpu, u64 start,
				   u64 last);

/* -- group.c ----------------------------------------------------------------------------------- */
/* The part of a group that has the address; false: the gap around it, of no group. */
bool uvm_group_at(struct uvm_space *space, u64 address, u64 *start, u64 *last, u64 *id);
/* How many parts a group has. NV_ERR_OBJECT_NOT_FOUND. */
enum nv_status uvm_group_count(struct uvm_space *space, u64 id, u64 *count);
/*
 * start .. last is the group's, or of none (UVM_RANGE_GROUP_ID_NONE), whatever is there.
 * NV_ERR_OBJECT_NOT_FOUND, NV_ERR_NO_MEMORY: nothing changed.
 */
enum nv_status uvm_group_assign(struct uvm_space *space, u64 id, u64 start, u64 last);
void uvm_groups_destroy(struct uvm_space *space);
/* start .. last leaves its groups. Fails never where a whole managed range goes. */
void uvm_groups_forget(struct uvm_space *space, u64 start, u64 last);
/* Whether all of it may migrate. */
bool uvm_groups_migratable(struct uvm_space *space, u64 start, u64 last);
struct uvm_span {
	u64 start, last;
};
/* The parts of the group, for the caller to os_free. NV_ERR_OBJECT_NOT_FOUND, NV_ERR_NO_MEMORY. */
enum nv_status uvm_group_parts(struct uvm_space *space, u64 id, struct uvm_span **parts,
			       u64 *count);

#endif
