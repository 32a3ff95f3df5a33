/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The serialised form of a control's parameters, in which those that hold pointers cross to the
 * firmware and back: a header of four 64-bit words and a stream of bits, from each byte's lowest
 * on, filled up to 64.
 *
 *     | version 0 | bytes in all | command >> 8 | command & 0xff | bits ...
 *
 * First the structure's numbers in their order, then the rest of its fields in theirs:
 *
 *     number            1, its bits (NvBool: one)
 *     array             each element as a number, or 1 and the structure's own fields
 *     structure         1, its own fields
 *     pointer           0 for NULL, or 1 and what it points at, as an array
 *
 * Only commands whose table says so (struct abi_control, serialised) have this form. Nothing here
 * allocates or locks, and streams may hold anything.
 */
#ifndef ABI_SERIAL_H
#define ABI_SERIAL_H

#include "abi/status.h"
#include "abi/tables.h"

#define ABI_SERIAL_HEADER 32u

/*
 * How many bytes params takes, whose pointers are to memory in reach. NV_ERR_OUT_OF_RANGE: a count
 * is above its limit, or all is too long for 32 bits.
 */
enum nv_status abi_serial_size(const struct abi_control *control, const void *params, u32 *size);

/* Memory that pointers of a structure point into; each with what its count says. */
struct abi_serial_memory {
	void *data; /* aligned to 8 */
	u32 size;
};

/*
 * Writes params to bytes (size, a multiple of 8, aligned to 8); the rest is zero. memory, if not
 * NULL, is where all that is pointed at must lie: NV_ERR_INVALID_POINTER. NV_ERR_BUFFER_TOO_SMALL,
 * NV_ERR_OUT_OF_RANGE.
 */
enum nv_status abi_serialise(const struct abi_control *control, const void *params, void *bytes,
			     u32 size, const struct abi_serial_memory *memory);

/* How much memory abi_deserialise needs at most for a stream of size bytes. */
u32 abi_serial_memory_size(const struct abi_control *control, u32 size);

/*
 * The way down: fills params (control->params->size bytes, zeroed) and has its pointers point into
 * memory. NV_ERR_LIB_RM_VERSION_MISMATCH: another version, or something is missing;
 * NV_ERR_BUFFER_TOO_SMALL: shorter than it says, or a pointer to nothing; NV_ERR_NOT_SUPPORTED: it
 * is of another command; NV_ERR_OUT_OF_RANGE; NV_ERR_INVALID_ARGUMENT: longer than its fields, or
 * cut in the last.
 */
enum nv_status abi_deserialise(const struct abi_control *control, const void *bytes, u32 size,
			       void *params, const struct abi_serial_memory *memory);

/*
 * The way up: params is what was serialised. Its pointers stay and what they point at is
 * overwritten, never beyond the counts that params has now: NV_ERR_OUT_OF_RANGE. NULL, where the
 * stream has something: NV_ERR_INVALID_POINTER. On failure some may have been overwritten.
 */
enum nv_status abi_deserialise_up(const struct abi_control *control, const void *bytes, u32 size,
				  void *params);

#endif
