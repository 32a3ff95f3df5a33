// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The serialised form of parameters: two streams byte by byte, every command that has the form
 * there and back, and streams that are cut, that lie about their lengths, or that are noise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/r535.h"
#include "abi/serial.h"

#define COUNT_MAX 5u

/* One command's parameters with all that they point at. */
struct filled {
	const struct abi_control *control;
	u8 *params;
	void *lists[8];
	u8 *bytes; /* serialised */
	u32 size;
};

static u64 seed = 20;

static u64 roll(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dull;
}

static void roll_bytes(void *data, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		((u8 *)data)[i] = (u8)roll();
}

static void set_pointer(struct filled *f, u32 index, const void *pointer)
{
	u64 value = (u64)(uintptr_t)pointer;

	memcpy(f->params + f->control->params->nested[index].pointer_offset, &value, sizeof(value));
}

static void set_count(struct filled *f, u32 index, u32 count)
{
	memcpy(f->params + f->control->params->nested[index].count_offset, &count, sizeof(count));
}

/* Random numbers; every list has count elements, or is NULL where count is 0. */
static void fill(struct filled *f, const struct abi_control *control, u32 count)
{
	const struct abi_struct *s = control->params;
	u32 i;

	memset(f, 0, sizeof(*f));
	f->control = control;
	f->params = calloc(1, s->size);
	for (i = 0; i < s->field_count; i++)
		if (s->fields[i].kind != ABI_POINTER)
			roll_bytes(f->params + s->fields[i].offset,
				   s->fields[i].size * s->fields[i].count);
	for (i = 0; i < s->nested_count; i++) {
		assert_int_equal(s->nested[i].count_size, 4);
		set_count(f, i, count);
		if (count == 0)
			continue;
		f->lists[i] = malloc(count * s->nested[i].element_size);
		roll_bytes(f->lists[i], count * s->nested[i].element_size);
		set_pointer(f, i, f->lists[i]);
	}
	assert_int_equal(abi_serial_size(control, f->params, &f->size), NV_OK);
	f->bytes = malloc(f->size);
	assert_int_equal(abi_serialise(control, f->params, f->bytes, f->size, NULL), NV_OK);
}

static void empty(struct filled *f)
{
	u32 i;

	for (i = 0; i < 8; i++)
		free(f->lists[i]);
	free(f->params);
	free(f->bytes);
}

/* What a firmware does with size bytes: in memory of exactly the size that it takes. */
static enum nv_status take_down(const struct abi_control *control, const u8 *bytes, u32 size,
				u8 **again)
{
	struct abi_serial_memory memory = { .size = abi_serial_memory_size(control, size) };
	u8 *copy = malloc(size + 1), *params = calloc(1, control->params->size);
	enum nv_status status;

	memcpy(copy, bytes, size);
	copy = realloc(copy, size ? size : 1);
	memory.data = malloc(memory.size);
	status = abi_deserialise(control, copy, size, params, &memory);
	if (status == NV_OK && again) {
		*again = malloc(size);
		status = abi_serialise(control, params, *again, size, &memory);
	}
	free(memory.data);
	free(params);
	free(copy);
	return status;
}

static u64 word(const struct filled *f, u32 index)
{
	u64 value;

	memcpy(&value, f->bytes + index * sizeof(value), sizeof(value));
	return value;
}

static void for_each(void (*fn)(const struct abi_control *control), u32 least)
{
	u32 i, seen = 0;

	for (i = 0; i < ABI_CONTROL_COUNT; i++) {
		const struct abi_control *control = abi_control_by_index(i);

		if (!control->serialised)
			continue;
		fn(control);
		seen++;
	}
	assert_true(seen >= least);
}

/* -- Bytes ------------------------------------------------------------------------------------- */

static void check_stream(u32 cmd, const void *params, const u64 *want, u32 words)
{
	const struct abi_control *control = abi_control_find(cmd);
	u64 bytes[16];
	u32 size;

	assert_int_equal(abi_serial_size(control, params, &size), NV_OK);
	assert_int_equal(size, words * sizeof(u64));
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(abi_serialise(control, params, bytes, size, NULL), NV_OK);
	assert_memory_equal(bytes, want, size);
	assert_int_equal(bytes[words], ~0ull);
	assert_int_equal(abi_serialise(control, params, bytes, size - 8, NULL),
			 NV_ERR_BUFFER_TOO_SMALL);
	assert_int_equal(abi_serialise(control, params, bytes, 31, NULL), NV_ERR_BUFFER_TOO_SMALL);
	/* Room to spare is zeroed, and not counted. */
	assert_int_equal(abi_serialise(control, params, bytes, size + 8, NULL), NV_OK);
	assert_int_equal(bytes[1], size);
	assert_int_equal(bytes[words], 0);
}

static void numbers_come_before_lists(void **state)
{
	u32 list[] = { 0x11223344, 5 };
	u8 message[] = { 0xcc };
	const NV2080_CTRL_GPU_GET_ENGINES_PARAMS engines = {
		.engineCount = 2,
		.engineList = (u64)(uintptr_t)list,
	};
	const NV402C_CTRL_I2C_INDEXED_PARAMS indexed = {
		.portId = 3,
		.bIsWrite = 1,
		.address = 0x50,
		.flags = 7,
		.indexLength = 2,
		.index = { 0xaa, 0xbb },
		.messageLength = 1,
		.pMessage = (u64)(uintptr_t)message,
	};
	static const u64 engines_want[] = { 0, 48, 0x208001, 0x23, 0x89119a2600000005, 0x58 };
	static const u64 indexed_want[] = {
		0, 56, 0x402c01, 2, 0x7802840607, 0x6000000050, 0xccc0201bbd540
	};

	check_stream(NV2080_CTRL_CMD_GPU_GET_ENGINES, &engines, engines_want, 6);
	check_stream(NV402C_CTRL_CMD_I2C_INDEXED, &indexed, indexed_want, 7);
}

/* -- There and back ---------------------------------------------------------------------------- */

static void round_trip(const struct abi_control *control)
{
	u32 count;

	for (count = 0; count <= COUNT_MAX; count++) {
		struct filled f, other;
		u8 *again = NULL;

		fill(&f, control, count);
		assert_int_equal(word(&f, 1), f.size);
		assert_int_equal(take_down(control, f.bytes, f.size, &again), NV_OK);
		assert_memory_equal(again, f.bytes, f.size);
		free(again);
		/* Up, over other values of the same counts. */
		fill(&other, control, count);
		assert_int_equal(abi_deserialise_up(control, f.bytes, f.size, other.params), NV_OK);
		assert_int_equal(
			abi_serialise(control, other.params, other.bytes, other.size, NULL), NV_OK);
		assert_memory_equal(other.bytes, f.bytes, f.size);
		empty(&f);
		empty(&other);
	}
}

static void every_command_there_and_back(void **state)
{
	for_each(round_trip, 19);
}

/* A block of a client's has the structure's size, so its own stream never fits in there. */
static void longer_than_the_structure(const struct abi_control *control)
{
	struct filled f;

	fill(&f, control, 0);
	assert_true(f.size > control->params_size);
	empty(&f);
}

static void every_stream_is_longer_than_its_structure(void **state)
{
	for_each(longer_than_the_structure, 19);
}

/* -- Hostile streams --------------------------------------------------------------------------- */

static void cut(const struct abi_control *control)
{
	struct filled f, up;
	u64 size;

	fill(&f, control, 3);
	fill(&up, control, 3);
	for (size = 0; size < f.size; size++) {
		assert_int_equal(take_down(control, f.bytes, (u32)size, NULL),
				 NV_ERR_BUFFER_TOO_SMALL);
		assert_int_equal(abi_deserialise_up(control, f.bytes, (u32)size, up.params),
				 NV_ERR_BUFFER_TOO_SMALL);
	}
	/* One that says how short it is. */
	for (size = ABI_SERIAL_HEADER; size < f.size; size++) {
		memcpy(f.bytes + 8, &size, sizeof(size));
		assert_int_not_equal(take_down(control, f.bytes, (u32)size, NULL), NV_OK);
		assert_int_not_equal(abi_deserialise_up(control, f.bytes, (u32)size, up.params),
				     NV_OK);
	}
	empty(&f);
	empty(&up);
}

static void streams_cut_anywhere(void **state)
{
	for_each(cut, 19);
}

static void bad_header(const struct abi_control *control)
{
	static const struct {
		u32 word;
		u64 flip;
		enum nv_status want;
	} cases[] = {
		{ 0, 1, NV_ERR_LIB_RM_VERSION_MISMATCH },
		{ 0, 1ull << 63, NV_ERR_LIB_RM_VERSION_MISMATCH },
		{ 1, 1ull << 40, NV_ERR_BUFFER_TOO_SMALL },
		{ 2, 1, NV_ERR_NOT_SUPPORTED },
		{ 2, 1ull << 32, NV_ERR_NOT_SUPPORTED },
		{ 3, 0x80, NV_ERR_NOT_SUPPORTED },
	};
	struct filled f;
	u64 value;
	u32 i;

	fill(&f, control, 2);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		value = word(&f, cases[i].word) ^ cases[i].flip;
		memcpy(f.bytes + 8 * cases[i].word, &value, sizeof(value));
		assert_int_equal(take_down(control, f.bytes, f.size, NULL), cases[i].want);
		value ^= cases[i].flip;
		memcpy(f.bytes + 8 * cases[i].word, &value, sizeof(value));
	}
	value = 24;
	memcpy(f.bytes + 8, &value, sizeof(value));
	assert_int_equal(take_down(control, f.bytes, f.size, NULL), NV_ERR_BUFFER_TOO_SMALL);
	value = f.size - 8;
	memcpy(f.bytes + 8, &value, sizeof(value));
	assert_int_equal(take_down(control, f.bytes, f.size, NULL), NV_ERR_INVALID_ARGUMENT);
	empty(&f);
}

static void bad_headers(void **state)
{
	for_each(bad_header, 19);
}

/* Where the stream has the number that is at that offset of the structure, in bits. */
static u64 bit_of(const struct abi_struct *s, u32 offset)
{
	u64 bit = ABI_SERIAL_HEADER * 8;
	u32 i;

	for (i = 0; i < s->field_count; i++) {
		const struct abi_field *f = &s->fields[i];

		if (f->count != 1 || f->kind == ABI_POINTER || f->sub)
			continue;
		if (f->offset == offset)
			return bit + 1;
		bit += 1 + f->size * 8;
	}
	fail_msg("no number");
	return 0;
}

/* The stream has three elements, whatever its count says; it cannot have memory overrun. */
static void bad_count(const struct abi_control *control)
{
	static const u32 counts[] = { 0, 4, 100, 0x10000, 0x7fffffff, ~0u };
	const struct abi_struct *s = control->params;
	struct filled f, up;
	u32 i, j;

	if (s->nested_count == 0)
		return;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		u64 bit = bit_of(s, s->nested[0].count_offset);

		fill(&f, control, 3);
		fill(&up, control, 3);
		for (j = 0; j < 32; j++, bit++) {
			f.bytes[bit / 8] &= (u8) ~(1u << bit % 8);
			f.bytes[bit / 8] |= (u8)((counts[i] >> j & 1) << bit % 8);
		}
		assert_int_not_equal(take_down(control, f.bytes, f.size, NULL), NV_OK);
		if (counts[i] > 3)
			assert_int_equal(abi_deserialise_up(control, f.bytes, f.size, up.params),
					 NV_ERR_OUT_OF_RANGE);
		empty(&f);
		empty(&up);
	}
	/* Up, where the one that asked has nothing. */
	fill(&f, control, 3);
	fill(&up, control, 3);
	set_pointer(&up, 0, NULL);
	assert_int_equal(abi_deserialise_up(control, f.bytes, f.size, up.params),
			 NV_ERR_INVALID_POINTER);
	set_count(&f, 0, s->nested[0].max_count + 1);
	assert_int_equal(abi_serial_size(control, f.params, &i), NV_ERR_OUT_OF_RANGE);
	empty(&f);
	empty(&up);
}

static void counts_that_lie(void **state)
{
	for_each(bad_count, 19);
}

static void noise(const struct abi_control *control)
{
	struct filled f, up;
	u32 round;

	for (round = 0; round < 400; round++) {
		u32 flips = 1 + roll() % 6, size;

		fill(&f, control, 1 + round % COUNT_MAX);
		fill(&up, control, 1 + roll() % COUNT_MAX);
		size = f.size;
		while (flips-- != 0)
			f.bytes[ABI_SERIAL_HEADER + roll() % (size - ABI_SERIAL_HEADER)] ^=
				(u8)(1u << roll() % 8);
		take_down(control, f.bytes, size, NULL);
		abi_deserialise_up(control, f.bytes, size, up.params);
		empty(&f);
		empty(&up);
	}
}

static void noise_stays_in_its_memory(void **state)
{
	for_each(noise, 19);
}

static void pointers_out_of_the_memory(void **state)
{
	const struct abi_control *control = abi_control_find(NV2080_CTRL_CMD_GPU_GET_ENGINES);
	u32 list[8] = { 0 };
	const struct abi_serial_memory memory = { .data = list + 2, .size = 16 };
	NV2080_CTRL_GPU_GET_ENGINES_PARAMS p = { 0 };
	static const struct {
		u32 first, count;
		enum nv_status want;
	} cases[] = {
		{ 2, 4, NV_OK },
		{ 5, 1, NV_OK },
		{ 2, 5, NV_ERR_INVALID_POINTER },
		{ 1, 1, NV_ERR_INVALID_POINTER },
		{ 6, 1, NV_ERR_INVALID_POINTER },
		{ 7, 1, NV_ERR_INVALID_POINTER },
	};
	u64 bytes[32];
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p.engineCount = cases[i].count;
		p.engineList = (u64)(uintptr_t)(list + cases[i].first);
		assert_int_equal(abi_serialise(control, &p, bytes, sizeof(bytes), &memory),
				 cases[i].want);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_before_lists),
		cmocka_unit_test(every_command_there_and_back),
		cmocka_unit_test(every_stream_is_longer_than_its_structure),
		cmocka_unit_test(streams_cut_anywhere),
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(counts_that_lie),
		cmocka_unit_test(noise_stays_in_its_memory),
		cmocka_unit_test(pointers_out_of_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
