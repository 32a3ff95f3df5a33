/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The parameters of one request in kernel memory. The caller's block, and what its declared
 * pointers point at, are each copied in once; from then on only the copies count. While the request
 * runs the pointers in the block are those of the copies; the caller's are put back before it is
 * copied out.
 */
#ifndef RM_API_PARAMS_H
#define RM_API_PARAMS_H

#include "abi/tables.h"
#include "os/os.h"

/* The most that one block, or what one pointer points at, may hold. */
#define RM_PARAMS_MAX_SIZE (1u << 20)
#define RM_PARAMS_MAX_NESTED 8u
#define RM_PARAMS_INLINE_SIZE 256u

struct rm_nested {
	void *data; /* NULL: the caller gave none */
	u64 user;
	u32 size;
	const struct abi_nested *desc;
};

struct rm_params {
	void *data; /* NULL: none */
	u32 size;
	u32 nested_count;
	bool plain; /* a small block of user space that points at nothing */
	u64 user;
	bool kernel; /* data is the caller's own block */
	struct rm_nested nested[RM_PARAMS_MAX_NESTED];
	u64 small[RM_PARAMS_INLINE_SIZE / sizeof(u64)];
};

/*
 * desc may be NULL (no pointers known). zeroed: the block starts as zeros instead of the caller's
 * bytes. kernel: user is the driver's own block and is used as it is. Not under any lock.
 * NV_ERR_INVALID_ARGUMENT: too large, or a pointer and its count contradict;
 * NV_ERR_INVALID_ADDRESS; NV_ERR_INSUFFICIENT_RESOURCES. Nothing is held on failure.
 */
enum nv_status rm_params_in_any(struct rm_params *params, const struct abi_struct *desc, u64 user,
				u32 size, bool kernel, bool zeroed);

/* The usual case, a small block of user space that points at nothing, without a further call. */
static inline enum nv_status rm_params_in(struct rm_params *params, const struct abi_struct *desc,
					  u64 user, u32 size, bool kernel, bool zeroed)
{
	if (kernel || zeroed || size - 1 >= RM_PARAMS_INLINE_SIZE || (desc && desc->nested_count))
		return rm_params_in_any(params, desc, user, size, kernel, zeroed);
	params->data = params->small;
	params->size = size;
	params->user = user;
	params->plain = true;
	return os_copy_from_user(params->small, user, size);
}

/*
 * Copies out, if copy says so, and frees. Returns NV_ERR_INVALID_ADDRESS when a copy failed.
 */
enum nv_status rm_params_out_any(struct rm_params *params, bool copy);

static inline enum nv_status rm_params_out(struct rm_params *params, bool copy)
{
	if (!params->plain)
		return rm_params_out_any(params, copy);
	return copy ? os_copy_to_user(params->user, params->small, params->size) : NV_OK;
}

#endif
