// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Serialised parameters, from the tables alone: one walk over a structure's fields, which measures,
 * writes or reads.
 */
#include "abi/serial.h"

#include "base/bits.h"
#include "os/os.h"

#define VERSION 0u
#define POINTERS_MAX 8u
/* Structures in structures: the tables have two. */
#define DEPTH_MAX 4u

enum pass { MEASURE, WRITE, READ_DOWN, READ_UP };

struct header {
	u64 version, size, interface, message;
};

struct walk {
	enum pass pass;
	const struct abi_struct *top;
	u8 *bytes; /* of the stream; MEASURE: none */
	u64 at;	   /* bits, behind the header */
	u64 end;
	bool cut; /* something was read past the end */
	const struct abi_serial_memory *memory;
	u64 used;		  /* READ_DOWN: of memory */
	u64 counts[POINTERS_MAX]; /* READ_UP: what each pointer has room for */
};

/* -- Bits -------------------------------------------------------------------------------------- */

static enum nv_status put(struct walk *w, u64 value, u32 bits)
{
	u32 here, shift;
	u8 *byte;

	if (w->pass == MEASURE) {
		w->at += bits;
		return NV_OK;
	}
	if (bits > w->end - w->at)
		return NV_ERR_BUFFER_TOO_SMALL;
	for (; bits != 0; bits -= here, value >>= here, w->at += here) {
		byte = &w->bytes[w->at / 8];
		shift = w->at % 8;
		here = min(8 - shift, bits);
		*byte |= (u8)((value & ((1u << here) - 1)) << shift);
	}
	return NV_OK;
}

/* Past the end there are zeros. */
static u64 get(struct walk *w, u32 bits)
{
	u32 here, shift, got;
	u64 value = 0;

	for (got = 0; got < bits && w->at < w->end; got += here, w->at += here) {
		shift = w->at % 8;
		here = min(8 - shift, bits - got);
		value |= (u64)(w->bytes[w->at / 8] >> shift & ((1u << here) - 1)) << got;
	}
	w->cut |= got < bits;
	return value;
}

static bool reads(const struct walk *w)
{
	return w->pass == READ_DOWN || w->pass == READ_UP;
}

/* That something comes: what each number and element begins with. */
static enum nv_status presence(struct walk *w)
{
	if (!reads(w))
		return put(w, 1, 1);
	return get(w, 1) ? NV_OK : NV_ERR_LIB_RM_VERSION_MISMATCH;
}

static u64 load(const void *from, u32 size)
{
	u64 value = 0;

	os_memcpy(&value, from, size);
	return value;
}

static enum nv_status number(struct walk *w, void *value, u32 size, bool is_bool)
{
	u32 bits = is_bool ? 1 : size * 8;
	enum nv_status status = presence(w);
	u64 wide;

	if (status != NV_OK)
		return status;
	if (!reads(w)) {
		wide = load(value, size);
		return put(w, is_bool ? wide != 0 : wide, bits);
	}
	wide = get(w, bits);
	os_memcpy(value, &wide, size);
	return NV_OK;
}

/* -- Fields ------------------------------------------------------------------------------------ */

static enum nv_status structure(struct walk *w, const struct abi_struct *s, u8 *base, u32 depth);

static enum nv_status elements(struct walk *w, const struct abi_struct *s, u8 *first, u64 count,
			       u32 size, bool is_bool, u32 depth)
{
	enum nv_status status = NV_OK;
	u64 i;

	for (i = 0; i < count && status == NV_OK; i++) {
		if (!s) {
			status = number(w, first + i * size, size, is_bool);
			continue;
		}
		status = presence(w);
		if (status == NV_OK)
			status = structure(w, s, first + i * size, depth + 1);
	}
	return status;
}

static u64 count_of(const struct abi_nested *p, const u8 *base)
{
	return p->count_size ? load(base + p->count_offset, p->count_size) : p->fixed_count;
}

/* Where what is pointed at lies, or is to lie; *there: NULL for nothing. */
static enum nv_status place(struct walk *w, u32 index, u8 *base, u64 count, u8 **there)
{
	const struct abi_nested *p = &w->top->nested[index];
	u64 pointer = load(base + p->pointer_offset, sizeof(pointer)), size;

	*there = (u8 *)(uintptr_t)pointer;
	if (p->max_count && count > p->max_count)
		return NV_ERR_OUT_OF_RANGE;
	size = count * p->element_size;
	if (w->pass == READ_UP) {
		if (!pointer)
			return NV_ERR_INVALID_POINTER;
		return count > w->counts[index] ? NV_ERR_OUT_OF_RANGE : NV_OK;
	}
	if (w->pass == READ_DOWN) {
		if (size == 0)
			return NV_ERR_BUFFER_TOO_SMALL;
		/* A stream that has so many elements would be longer. */
		if (size > w->memory->size - w->used)
			return NV_ERR_LIB_RM_VERSION_MISMATCH;
		*there = (u8 *)w->memory->data + w->used;
		w->used = min(align_up(w->used + size, sizeof(u64)), (u64)w->memory->size);
		pointer = (u64)(uintptr_t)*there;
		os_memset(*there, 0, size);
		os_memcpy(base + p->pointer_offset, &pointer, sizeof(pointer));
		return NV_OK;
	}
	if (pointer && w->memory) {
		u64 offset = pointer - (u64)(uintptr_t)w->memory->data;

		if (offset > w->memory->size || size > w->memory->size - offset)
			return NV_ERR_INVALID_POINTER;
	}
	return NV_OK;
}

static enum nv_status pointer(struct walk *w, const struct abi_field *f, u8 *base, u32 depth)
{
	const struct abi_nested *p;
	enum nv_status status;
	u8 *there = NULL;
	u64 count;
	u32 i;

	for (i = 0; i < w->top->nested_count; i++)
		if (w->top->nested[i].pointer_offset == f->offset)
			break;
	OS_BUG_ON(depth != 0 || i == w->top->nested_count);
	p = &w->top->nested[i];
	count = count_of(p, base);
	if (reads(w)) {
		if (!get(w, 1))
			return NV_OK;
		status = place(w, i, base, count, &there);
	} else {
		status = place(w, i, base, count, &there);
		if (status == NV_OK)
			status = put(w, there != NULL, 1);
	}
	if (status != NV_OK || !there)
		return status;
	return elements(w, p->element, there, count, p->element_size, false, depth);
}

static bool is_number(const struct abi_field *f)
{
	return f->count == 1 && f->kind != ABI_POINTER && !f->sub;
}

static enum nv_status structure(struct walk *w, const struct abi_struct *s, u8 *base, u32 depth)
{
	enum nv_status status = NV_OK;
	const struct abi_field *f;

	OS_BUG_ON(depth >= DEPTH_MAX);
	for (f = s->fields; f < s->fields + s->field_count && status == NV_OK; f++)
		if (is_number(f))
			status = number(w, base + f->offset, f->size, f->kind == ABI_BOOL);
	for (f = s->fields; f < s->fields + s->field_count && status == NV_OK; f++) {
		if (is_number(f))
			continue;
		if (f->kind == ABI_POINTER)
			status = pointer(w, f, base, depth);
		else
			status = elements(w, f->sub, base + f->offset, f->count, f->size,
					  f->kind == ABI_BOOL, depth);
	}
	return status;
}

/* -- Whole streams ----------------------------------------------------------------------------- */

static u64 bytes_of(const struct walk *w)
{
	return ABI_SERIAL_HEADER + div_round_up(w->at, 64) * sizeof(u64);
}

enum nv_status abi_serial_size(const struct abi_control *control, const void *params, u32 *size)
{
	struct walk w = { .pass = MEASURE, .top = control->params };
	enum nv_status status = structure(&w, control->params, (u8 *)params, 0); /* only read */

	if (status != NV_OK)
		return status;
	if (bytes_of(&w) > ~0u)
		return NV_ERR_OUT_OF_RANGE;
	*size = (u32)bytes_of(&w);
	return NV_OK;
}

enum nv_status abi_serialise(const struct abi_control *control, const void *params, void *bytes,
			     u32 size, const struct abi_serial_memory *memory)
{
	struct walk w = {
		.pass = WRITE,
		.top = control->params,
		.bytes = (u8 *)bytes + ABI_SERIAL_HEADER,
		.memory = memory,
	};
	struct header h = {
		.version = VERSION,
		.interface = control->cmd >> 8,
		.message = control->cmd & 0xff,
	};
	enum nv_status status;

	if (size < ABI_SERIAL_HEADER)
		return NV_ERR_BUFFER_TOO_SMALL;
	w.end = (u64)(size - ABI_SERIAL_HEADER) / sizeof(u64) * 64;
	os_memset(bytes, 0, size);
	status = structure(&w, control->params, (u8 *)params, 0); /* only read */
	if (status == NV_OK)
		h.size = bytes_of(&w);
	os_memcpy(bytes, &h, sizeof(h));
	return status;
}

u32 abi_serial_memory_size(const struct abi_control *control, u32 size)
{
	/* An element takes a bit more there than here; each begins at a multiple of 8. */
	return size + control->params->nested_count * (u32)sizeof(u64);
}

static enum nv_status read_all(struct walk *w, const struct abi_control *control, const void *bytes,
			       u32 size, void *params)
{
	enum nv_status status;
	struct header h;

	if (size < sizeof(h))
		return NV_ERR_BUFFER_TOO_SMALL;
	os_memcpy(&h, bytes, sizeof(h));
	if (h.version != VERSION)
		return NV_ERR_LIB_RM_VERSION_MISMATCH;
	if (h.size > size || h.size < sizeof(h))
		return NV_ERR_BUFFER_TOO_SMALL;
	if (h.interface != control->cmd >> 8 || h.message != (control->cmd & 0xff))
		return NV_ERR_NOT_SUPPORTED;
	w->top = control->params;
	w->bytes = (u8 *)bytes + ABI_SERIAL_HEADER; /* only read */
	w->end = (u64)(size - ABI_SERIAL_HEADER) / sizeof(u64) * 64;
	status = structure(w, control->params, params, 0);
	if (status != NV_OK)
		return status;
	return !w->cut && h.size == bytes_of(w) ? NV_OK : NV_ERR_INVALID_ARGUMENT;
}

enum nv_status abi_deserialise(const struct abi_control *control, const void *bytes, u32 size,
			       void *params, const struct abi_serial_memory *memory)
{
	struct walk w = { .pass = READ_DOWN, .memory = memory };

	return read_all(&w, control, bytes, size, params);
}

enum nv_status abi_deserialise_up(const struct abi_control *control, const void *bytes, u32 size,
				  void *params)
{
	struct walk w = { .pass = READ_UP };
	u32 i;

	OS_BUG_ON(control->params->nested_count > POINTERS_MAX);
	for (i = 0; i < control->params->nested_count; i++)
		w.counts[i] = count_of(&control->params->nested[i], params);
	return read_all(&w, control, bytes, size, params);
}
