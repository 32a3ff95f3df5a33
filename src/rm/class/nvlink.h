/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A GPU's NVLinks as its firmware tells of them: the wiring, which stays as it is while the
 * firmware runs and is asked for once, and the links' condition, which is asked for each time.
 */
#ifndef RM_CLASS_NVLINK_H
#define RM_CLASS_NVLINK_H

#include "rm/class/state.h"
#include "rm/gpu/static_info.h"

/*
 * The wiring of a GPU that the caller keeps booted; *out stays valid as long. A GPU without links
 * has an empty mask. Statuses of the firmware; NV_ERR_INVALID_DATA: what it says cannot be.
 */
enum nv_status rm_nvlink_get(struct rm_gpu *gpu, const struct rm_nvlink **out);

/*
 * The mask of links over which a reaches b (or itself): those that lead to b, or to a switch when b
 * is on switches too; empty when one of them is not active, as traffic is spread over all. The
 * caller keeps both booted and holds the lock of neither.
 */
enum nv_status rm_nvlink_between(struct rm_gpu *a, struct rm_gpu *b, u32 *links);

/* Asks a booted GPU, the first time only, what it calls itself on its links. GPU lock held. */
void rm_nvlink_learn_name(struct rm_gpu *gpu);
/* The GPU that was found to call itself so, or NULL. API lock held. */
const struct rm_gpu *rm_nvlink_gpu_named(struct rm *rm, u64 sid);

#endif
