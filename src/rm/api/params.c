// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Copies of a request's parameters between user space and the driver. */
#include "rm/api/params.h"

static u64 read_field(const void *block, u32 offset, u32 size)
{
	u64 wide = 0;
	u32 narrow;

	if (size == sizeof(wide)) {
		os_memcpy(&wide, (const char *)block + offset, sizeof(wide));
		return wide;
	}
	os_memcpy(&narrow, (const char *)block + offset, sizeof(narrow));
	return narrow;
}

static void write_pointer(void *block, u32 offset, u64 value)
{
	os_memcpy((char *)block + offset, &value, sizeof(value));
}

/* How many bytes the pointer points at; a count may not contradict its pointer. */
static enum nv_status nested_size(const struct abi_nested *desc, const void *block, u64 pointer,
				  u32 *size)
{
	u64 count = desc->count_size ? read_field(block, desc->count_offset, desc->count_size)
				     : desc->fixed_count;

	/* A pointer to a structure of fixed size, and one stated as optional, may be left out. */
	if (!pointer && (!desc->count_size || desc->optional))
		count = 0;
	else if ((count == 0) != (pointer == 0))
		return NV_ERR_INVALID_ARGUMENT;
	if (desc->max_count && count > desc->max_count)
		return NV_ERR_INVALID_ARGUMENT;
	if (count > RM_PARAMS_MAX_SIZE || count * desc->element_size > RM_PARAMS_MAX_SIZE)
		return NV_ERR_INVALID_ARGUMENT;
	*size = (u32)count * desc->element_size;
	return NV_OK;
}

static enum nv_status nested_in(struct rm_params *params, const struct abi_nested *desc)
{
	struct rm_nested *nested = &params->nested[params->nested_count];
	enum nv_status status;
	u32 size = 0;
	u64 pointer;

	if (desc->pointer_offset + sizeof(u64) > params->size ||
	    (desc->count_size && desc->count_offset + desc->count_size > params->size))
		return NV_OK;
	pointer = read_field(params->data, desc->pointer_offset, sizeof(u64));
	status = nested_size(desc, params->data, pointer, &size);
	if (status != NV_OK || !size)
		return status;
	nested->user = pointer;
	nested->size = size;
	nested->desc = desc;
	nested->data = os_alloc(size);
	if (!nested->data)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	params->nested_count++;
	if (desc->dir & ABI_IN)
		return os_copy_from_user(nested->data, pointer, size);
	return NV_OK;
}

/* All pointers are read, and their data copied, before any is replaced. */
static enum nv_status all_nested_in(struct rm_params *params, const struct abi_struct *desc)
{
	u32 i;

	OS_BUG_ON(desc->nested_count > RM_PARAMS_MAX_NESTED);
	for (i = 0; i < desc->nested_count; i++) {
		enum nv_status status = nested_in(params, &desc->nested[i]);

		if (status != NV_OK)
			return status;
	}
	for (i = 0; i < params->nested_count; i++)
		write_pointer(params->data, params->nested[i].desc->pointer_offset,
			      (u64)(uintptr_t)params->nested[i].data);
	return NV_OK;
}

static void params_free(struct rm_params *params)
{
	u32 i;

	for (i = 0; i < params->nested_count; i++)
		os_free(params->nested[i].data);
	params->nested_count = 0;
	if (!params->kernel && params->data != params->small)
		os_free(params->data);
	params->data = NULL;
}

enum nv_status rm_params_in_any(struct rm_params *params, const struct abi_struct *desc, u64 user,
				u32 size, bool kernel, bool zeroed)
{
	enum nv_status status = NV_OK;

	params->data = NULL;
	params->size = size;
	params->user = user;
	params->plain = false;
	params->kernel = kernel;
	params->nested_count = 0;
	if (!size)
		return NV_OK;
	if (kernel) {
		params->data = (void *)(uintptr_t)user;
		if (zeroed)
			os_memset(params->data, 0, size);
		return NV_OK;
	}
	if (size > RM_PARAMS_MAX_SIZE)
		return NV_ERR_INVALID_ARGUMENT;
	params->data = size <= sizeof(params->small) ? params->small : os_alloc(size);
	if (!params->data)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	if (!zeroed)
		status = os_copy_from_user(params->data, user, size);
	else if (params->data == params->small)
		os_memset(params->data, 0, size);
	if (status == NV_OK && desc && desc->nested_count)
		status = all_nested_in(params, desc);
	if (status != NV_OK)
		params_free(params);
	return status;
}

/* Puts the caller's pointers back, and copies out what they point at if copy says so. */
static enum nv_status all_nested_out(struct rm_params *params, bool copy)
{
	enum nv_status status = NV_OK, copied;
	u32 i;

	for (i = 0; i < params->nested_count; i++) {
		const struct rm_nested *nested = &params->nested[i];

		write_pointer(params->data, nested->desc->pointer_offset, nested->user);
		if (!copy || !(nested->desc->dir & ABI_OUT))
			continue;
		copied = os_copy_to_user(nested->user, nested->data, nested->size);
		if (copied != NV_OK)
			status = copied;
	}
	return status;
}

enum nv_status rm_params_out_any(struct rm_params *params, bool copy)
{
	enum nv_status status = NV_OK, copied;

	if (!params->data)
		return NV_OK;
	if (params->nested_count)
		status = all_nested_out(params, copy);
	if (copy && !params->kernel) {
		copied = os_copy_to_user(params->user, params->data, params->size);
		if (copied != NV_OK)
			status = copied;
	}
	params_free(params);
	return status;
}
