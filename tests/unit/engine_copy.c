// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The copy engine against a model that moves bytes one by one: lines, surfaces, remapped elements,
 * fills, semaphores, errors and faults, and others that wait while it copies.
 */
#include "unit.h"

#include <pthread.h>

#include "base/bits.h"
#include "engine_rig.h"
#include "os/os.h"

#define SOURCE 0x200000000ull
#define DESTINATION 0x7f0000400000ull
#define SEMAPHORE 0x300000000ull
#define REGION (256u * 1024)

#define PITCH_BOTH                                             \
	(REG_PREP(NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT,         \
		  NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT_PITCH) | \
	 REG_PREP(NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT, NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT_PITCH))
#define NON_PIPELINED                                  \
	REG_PREP(NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE, \
		 NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE_NON_PIPELINED)
#define MULTI_LINE REG_PREP(NVC8B5_LAUNCH_DMA_MULTI_LINE_ENABLE, 1)
#define REMAP REG_PREP(NVC8B5_LAUNCH_DMA_REMAP_ENABLE, 1)
#define SCRUB REG_PREP(NVC8B5_LAUNCH_DMA_MEMORY_SCRUB_ENABLE, 1)

static struct rig rig;
static const struct h100_engine_class *class;
static void *object;
static u64 seed;

static u8 source[REGION], destination[REGION], wanted[REGION];

/* Both regions on pages of either kind of memory, in no order. */
static void regions_map(void)
{
	for (u32 i = 0; i < 2 * REGION / OS_PAGE_SIZE; i++) {
		u64 va = i < REGION / OS_PAGE_SIZE
				 ? SOURCE + (u64)i * OS_PAGE_SIZE
				 : DESTINATION + (u64)(i - REGION / OS_PAGE_SIZE) * OS_PAGE_SIZE;
		u64 page = (u64)(i * 37 % 128) * OS_PAGE_SIZE;

		if (i % 3 == 0)
			rig_map_video(&rig, va, MIB(1) + page, OS_PAGE_SIZE);
		else
			rig_map_system(&rig, va, page, OS_PAGE_SIZE);
	}
	rig_map_system(&rig, SEMAPHORE, MIB(2), OS_PAGE_SIZE);
}

static int setup_with(bool pointers)
{
	rig_init(&rig, pointers);
	class = h100_engine_class_find(HOPPER_DMA_COPY_A);
	object = class ? calloc(1, class->object_bytes) : NULL;
	seed = 0x1234567;
	regions_map();
	return object ? 0 : -1;
}

static int setup(void **state)
{
	return setup_with(true);
}

static int setup_by_dma(void **state)
{
	return setup_with(false);
}

static int teardown(void **state)
{
	free(object);
	rig_destroy(&rig);
	return 0;
}

static enum h100_method_result method(u32 method, u64 data)
{
	return class->method(&rig.call, object, method, (u32)data);
}

static void set(u32 number, u64 data)
{
	assert_int_equal(method(number, data), H100_METHOD_OK);
}

static void set_address(u32 upper, u64 address)
{
	set(upper, bits_high32(address));
	set(upper + 4, bits_low32(address));
}

static u32 random_below(u32 limit)
{
	return (u32)(unit_random(&seed) >> 33) % limit;
}

static void regions_fill(void)
{
	for (u32 i = 0; i < REGION; i++) {
		source[i] = (u8)unit_random(&seed);
		destination[i] = (u8)unit_random(&seed);
	}
	assert_true(h100_virtual_write(rig.mmu, &rig.pdb, SOURCE, source, REGION, 0, NULL));
	assert_true(
		h100_virtual_write(rig.mmu, &rig.pdb, DESTINATION, destination, REGION, 0, NULL));
	memcpy(wanted, destination, REGION);
}

static void regions_check(void)
{
	static u8 now[REGION];

	assert_true(h100_virtual_read(rig.mmu, &rig.pdb, DESTINATION, now, REGION, 0, NULL));
	assert_memory_equal(now, wanted, REGION);
	assert_true(h100_virtual_read(rig.mmu, &rig.pdb, SOURCE, now, REGION, 0, NULL));
	assert_memory_equal(now, source, REGION);
}

/* -- The model --------------------------------------------------------------------------------- */

struct side {
	bool pitch;
	u32 base; /* in the region */
	s32 stride;
	u32 element;
	u32 width, height, depth, rows, slices; /* width in elements; GOBs of a block */
	u32 x, y, z;
};

/* Byte b of element e of a line, in the region. */
static u32 model_at(const struct side *s, u32 line, u32 e, u32 b)
{
	u32 x = (s->x + e) * s->element + b, y = s->y + line;
	u32 block_bytes = 512 * s->rows * s->slices, block_height = 8 * s->rows;
	u32 wide = (s->width * s->element + 63) / 64, high, block, gob;

	if (s->pitch)
		return (u32)((s32)s->base + s->stride * (s32)line) + e * s->element + b;
	high = (s->height + block_height - 1) / block_height;
	block = (s->z / s->slices * high + y / block_height) * wide + x / 64;
	gob = s->z % s->slices * s->rows + y % block_height / 8;
	return s->base + block * block_bytes + gob * 512 + (x % 64 / 32) * 256 + (y % 8 / 2) * 64 +
	       (x % 32 / 16) * 32 + (y % 2) * 16 + x % 16;
}

static u32 surface_bytes(const struct side *s)
{
	u32 wide = (s->width * s->element + 63) / 64;
	u32 high = (s->height + 8 * s->rows - 1) / (8 * s->rows);
	u32 deep = (s->depth + s->slices - 1) / s->slices;

	return wide * high * deep * 512 * s->rows * s->slices;
}

/* One that holds the rectangle within the region; false: try another. */
static bool side_choose(struct side *s, u32 element, u32 elements, u32 lines)
{
	memset(s, 0, sizeof(*s));
	s->element = element;
	s->pitch = random_below(2) == 0;
	if (s->pitch) {
		s->stride = (s32)(elements * element + random_below(50));
		s->base = random_below(9000);
		if (random_below(4) == 0) {
			s->base += (u32)s->stride * lines;
			s->stride = -s->stride;
		}
		return s->base + (u32)abs(s->stride) * (lines + 1) < REGION;
	}
	s->rows = 1u << random_below(4);
	s->slices = 1u << random_below(3);
	s->x = random_below(20);
	s->y = random_below(20);
	s->width = s->x + elements + random_below(40);
	s->height = s->y + lines + random_below(20);
	s->depth = 1 + random_below(4);
	s->z = random_below(s->depth);
	s->base = random_below(20) * 512;
	return s->base + surface_bytes(s) <= REGION;
}

static void side_set(const struct side *s, bool is_source)
{
	u32 block = NVC8B5_SET_DST_BLOCK_SIZE + (is_source ? 0x1c : 0);
	u64 region = is_source ? SOURCE : DESTINATION;

	set_address(is_source ? NVC8B5_OFFSET_IN_UPPER : NVC8B5_OFFSET_OUT_UPPER, region + s->base);
	set(is_source ? NVC8B5_PITCH_IN : NVC8B5_PITCH_OUT, (u32)s->stride);
	set(block,
	    s->pitch ? 0
		     : REG_PREP(NVC8B5_SET_DST_BLOCK_SIZE_HEIGHT, bits_log2(s->rows)) |
			       REG_PREP(NVC8B5_SET_DST_BLOCK_SIZE_DEPTH, bits_log2(s->slices)) |
			       REG_PREP(NVC8B5_SET_DST_BLOCK_SIZE_GOB_HEIGHT, 1));
	set(block + 4, s->width);
	set(block + 8, s->height);
	set(block + 12, s->depth);
	set(block + 16, s->z);
	if (random_below(2) == 0) {
		set(block + 20, s->x | s->y << 16);
	} else {
		set(is_source ? NVC8B5_SRC_ORIGIN_X : NVC8B5_DST_ORIGIN_X, s->x);
		set(is_source ? NVC8B5_SRC_ORIGIN_Y : NVC8B5_DST_ORIGIN_Y, s->y);
	}
}

static u64 layout_flags(const struct side *from, const struct side *to)
{
	return REG_PREP(NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT, from->pitch) |
	       REG_PREP(NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT, to->pitch);
}

static void random_copies(void **state)
{
	struct side from, to;

	for (u32 i = 0; i < 300;) {
		u32 length = 1 + random_below(random_below(2) ? 200 : 5000), lines;

		lines = 1 + random_below(20);
		if (!side_choose(&from, 1, length, lines) || !side_choose(&to, 1, length, lines))
			continue;
		i++;
		regions_fill();
		side_set(&from, true);
		side_set(&to, false);
		set(NVC8B5_LINE_LENGTH_IN, length);
		set(NVC8B5_LINE_COUNT, lines);
		for (u32 y = 0; y < lines; y++) {
			for (u32 x = 0; x < length; x++)
				wanted[model_at(&to, y, x, 0)] = source[model_at(&from, y, x, 0)];
		}
		set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | MULTI_LINE | layout_flags(&from, &to));
		regions_check();
	}
}

/* Lines without a gap are one long copy, over many pages of both kinds. */
static void lines_that_join(void **state)
{
	regions_fill();
	set_address(NVC8B5_OFFSET_IN_UPPER, SOURCE + 5);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION + 4099);
	set(NVC8B5_PITCH_IN, 1000);
	set(NVC8B5_PITCH_OUT, 1000);
	set(NVC8B5_LINE_LENGTH_IN, 1000);
	set(NVC8B5_LINE_COUNT, 200);
	memcpy(wanted + 4099, source + 5, 200000);
	set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | MULTI_LINE | PITCH_BOTH);
	regions_check();
	/* Without MULTI_LINE there is one, whatever the other registers say. */
	set(NVC8B5_LINE_COUNT, 0);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION);
	memcpy(wanted, source + 5, 1000);
	set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH);
	regions_check();
}

/* So much that it goes past the caches, over pages that repeat: aligned, and not. */
static void large_copies(void **state)
{
	const u64 from = 0x400000000ull, to = 0x500000000ull, size = MIB(17);
	u8 *data = malloc(REGION), back[64];

	assert_non_null(data);
	for (u64 i = 0; i < size + MIB(1); i += OS_PAGE_SIZE) {
		rig_map_system(&rig, from + i, i % REGION, OS_PAGE_SIZE);
		rig_map_video(&rig, to + i, MIB(2) + i % MIB(4), OS_PAGE_SIZE);
	}
	rig_flush(&rig);
	for (u32 shift = 0; shift < 40; shift += 13) {
		for (u32 i = 0; i < REGION; i++)
			data[i] = rig.system[i] = (u8)(unit_random(&seed) | 1);
		memset(rig.video + MIB(2), 0, MIB(4));
		set_address(NVC8B5_OFFSET_IN_UPPER, from + shift);
		set_address(NVC8B5_OFFSET_OUT_UPPER, to + shift * 2);
		set(NVC8B5_LINE_LENGTH_IN, (u32)size + shift);
		set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH);
		for (u64 i = 0; i + 64 <= size + shift; i += 61) {
			assert_true(h100_virtual_read(rig.mmu, &rig.pdb, to + shift * 2 + i, back,
						      sizeof(back), 0, NULL));
			for (u32 k = 0; i > MIB(13) + 64 && k < sizeof(back); k++)
				assert_int_equal(back[k], data[(shift + i + k) % REGION]);
		}
	}
	free(data);
}

static void random_remaps(void **state)
{
	struct side from, to;

	for (u32 i = 0; i < 300;) {
		u32 component = 1 + random_below(4), in = 1 + random_below(4);
		u32 out = 1 + random_below(4), length = 1 + random_below(600);
		u32 lines = 1 + random_below(6), word, pick[4];
		const u32 constants[2] = { (u32)unit_random(&seed), (u32)unit_random(&seed) };

		if (!side_choose(&from, component * in, length, lines) ||
		    !side_choose(&to, component * out, length, lines))
			continue;
		i++;
		for (u32 k = 0; k < 4; k++) {
			pick[k] = random_below(7);
			if (pick[k] < 4 && pick[k] >= in)
				pick[k] = 4;
			if (i % 5 == 0)
				pick[k] = 4 + pick[k] % 2; /* a fill */
		}
		word = pick[0] | pick[1] << 4 | pick[2] << 8 | pick[3] << 12 |
		       (component - 1) << 16 | (in - 1) << 20 | (out - 1) << 24;
		regions_fill();
		side_set(&from, true);
		side_set(&to, false);
		set(NVC8B5_LINE_LENGTH_IN, length);
		set(NVC8B5_LINE_COUNT, lines);
		set(NVC8B5_SET_REMAP_CONST_A, constants[0]);
		set(NVC8B5_SET_REMAP_CONST_B, constants[1]);
		set(NVC8B5_SET_REMAP_COMPONENTS, word);
		for (u32 n = 0; n < lines * length * out * component; n++) {
			u32 b = n % component, k = n / component % out;
			u32 e = n / component / out % length, y = n / component / out / length;
			u8 *byte = &wanted[model_at(&to, y, e, k * component + b)];

			if (pick[k] < 4)
				*byte = source[model_at(&from, y, e, pick[k] * component + b)];
			else if (pick[k] < 6)
				*byte = (u8)(constants[pick[k] - 4] >> (8 * b));
		}
		set(NVC8B5_LAUNCH_DMA,
		    NON_PIPELINED | MULTI_LINE | REMAP | layout_flags(&from, &to));
		regions_check();
	}
}

static void scrubs_are_zeroes(void **state)
{
	regions_fill();
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION + 100);
	set_address(NVC8B5_OFFSET_IN_UPPER, 0); /* not looked at */
	set(NVC8B5_LINE_LENGTH_IN, 100000);
	memset(wanted + 100, 0, 100000);
	set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | SCRUB | PITCH_BOTH);
	regions_check();
}

/* -- Semaphores -------------------------------------------------------------------------------- */

static u64 semaphore_word(u32 offset)
{
	u64 value;

	memcpy(&value, rig.system + MIB(2) + offset, 8);
	return value;
}

static void semaphores_are_released(void **state)
{
	u64 type = REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE,
			    NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE_RELEASE_ONE_WORD_SEMAPHORE);

	memset(rig.system + MIB(2), 0xff, 64);
	set_address(NVC8B5_SET_SEMAPHORE_A, SEMAPHORE + 4);
	set(NVC8B5_SET_SEMAPHORE_PAYLOAD, 0x11223344);
	set(NVC8B5_SET_SEMAPHORE_PAYLOAD_UPPER, 0x55667788);
	set(NVC8B5_LAUNCH_DMA, type);
	assert_true(semaphore_word(0) == 0x11223344ffffffffull);
	assert_true(semaphore_word(8) == ~0ull);
	assert_int_equal(rig.interrupts, 0);
	set_address(NVC8B5_SET_SEMAPHORE_A, SEMAPHORE + 8);
	set(NVC8B5_LAUNCH_DMA, type | REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_PAYLOAD_SIZE, 1));
	assert_true(semaphore_word(8) == 0x5566778811223344ull);
	/* As libcuda does: four words, flushed, with an interrupt. */
	set_address(NVC8B5_SET_SEMAPHORE_A, SEMAPHORE + 16);
	set(NVC8B5_LAUNCH_DMA, 0x54);
	assert_true(semaphore_word(16) == 0x11223344);
	assert_true(semaphore_word(24) == rig.now);
	assert_int_equal(rig.interrupts, 1);
	set(NVC8B5_LAUNCH_DMA, 0x14 | REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_PAYLOAD_SIZE, 1));
	assert_true(semaphore_word(16) == 0x5566778811223344ull);
	assert_true(semaphore_word(32) == ~0ull);
}

static u64 reduced(u32 op, bool is_signed, bool wide, u64 old, u64 payload)
{
	memcpy(rig.system + MIB(2), &old, 8);
	set(NVC8B5_SET_SEMAPHORE_PAYLOAD, payload);
	set(NVC8B5_SET_SEMAPHORE_PAYLOAD_UPPER, payload >> 32);
	set(NVC8B5_LAUNCH_DMA,
	    REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE, 1) |
		    REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_PAYLOAD_SIZE, wide) |
		    REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_ENABLE, 1) |
		    REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_SIGN, is_signed ? 0 : 1) |
		    REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION, op));
	return semaphore_word(0);
}

static void semaphores_are_reduced(void **state)
{
	const u64 minus = 0xfffffffffffffffeull;

	set_address(NVC8B5_SET_SEMAPHORE_A, SEMAPHORE);
	assert_true(reduced(0, true, false, 5, minus) == 0xfffffffe);
	assert_true(reduced(0, false, false, 5, minus) == 5);
	assert_true(reduced(0, true, true, 5, minus) == minus);
	assert_true(reduced(1, true, false, 5, minus) == 5);
	assert_true(reduced(1, false, false, 5, minus) == 0xfffffffe);
	assert_true(reduced(2, true, true, 0xff00ff00ff, 0xf0f0) == 0xff00fff00f);
	assert_true(reduced(3, true, false, 0x7700ff, 0xf0) == 0xf0);
	assert_true(reduced(4, true, false, 0x7700ff, 0xf00) == 0x770fff);
	assert_true(reduced(5, true, false, 0xffffffff, 2) == 1);
	assert_true(reduced(5, true, true, 0xffffffff, 2) == 0x100000001);
	assert_true(reduced(6, true, false, 4, 4) == 0);
	assert_true(reduced(6, true, false, 3, 4) == 4);
	assert_true(reduced(7, true, false, 0, 4) == 4);
	assert_true(reduced(7, true, false, 3, 4) == 2);
}

/* -- Errors and faults ------------------------------------------------------------------------- */

static void refused(u32 number, u64 data, u32 why)
{
	assert_int_equal(method(number, data), H100_METHOD_ERROR);
	assert_int_equal(rig.call.error, ROBUST_CHANNEL_CE3_ERROR);
	assert_int_equal(rig.call.error_info, why);
}

#define REFUSED(data, why) refused(NVC8B5_LAUNCH_DMA, data, NV_PCE_LAUNCHERR_REPORT_##why)

static void bad_launches_are_errors(void **state)
{
	const u64 copy = NON_PIPELINED | PITCH_BOTH;

	rig.call.instance = 3;
	regions_fill();
	set_address(NVC8B5_OFFSET_IN_UPPER, SOURCE);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION);
	set(NVC8B5_LINE_LENGTH_IN, 100);
	set(NVC8B5_LINE_COUNT, 2);
	set(NVC8B5_PITCH_IN, 99);
	set(NVC8B5_PITCH_OUT, 100);
	REFUSED(copy | MULTI_LINE, SRC_LINE_EXCEEDS_PITCH);
	set(NVC8B5_PITCH_IN, (u32)-99);
	REFUSED(copy | MULTI_LINE, SRC_LINE_EXCEEDS_NEG_PITCH);
	set(NVC8B5_PITCH_OUT, 0);
	REFUSED(copy | MULTI_LINE, DST_LINE_EXCEEDS_PITCH);
	set(NVC8B5_PITCH_OUT, (u32)-5);
	REFUSED(copy | MULTI_LINE, DST_LINE_EXCEEDS_NEG_PITCH);
	REFUSED(3 | PITCH_BOTH, INVALID_VALUE);
	REFUSED(copy | 3 << 5, INVALID_VALUE);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_COPY_TYPE, 1), INVALID_CONFIG);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_VPRMODE, 1), INVALID_CONFIG);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE, 3), INVALID_CONFIG);
	REFUSED(copy | SCRUB | REMAP, INVALID_CONFIG);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_SRC_TYPE, 1), INVALID_OPERATION);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_DST_TYPE, 1), INVALID_OPERATION);
	set_address(NVC8B5_SET_SEMAPHORE_A, SEMAPHORE + 2);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE, 1), INVALID_ALIGNMENT);
	set_address(NVC8B5_SET_SEMAPHORE_A, SEMAPHORE + 8);
	REFUSED(copy | REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE, 2), INVALID_ALIGNMENT);
	REFUSED(REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE, 1) |
			REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_ENABLE, 1) |
			REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION, 0xa),
		INVALID_VALUE);
	set(NVC8B5_SET_REMAP_COMPONENTS, 1); /* Y of one component */
	REFUSED(copy | REMAP, BAD_SRC_PIXEL_COMP_REF);
	set(NVC8B5_SET_REMAP_COMPONENTS, 7);
	REFUSED(copy | REMAP, INVALID_VALUE);
	/* Surfaces */
	REFUSED(NON_PIPELINED, INVALID_VALUE);
	set(NVC8B5_SET_DST_BLOCK_SIZE, 0x1000);
	set(NVC8B5_SET_DST_WIDTH, 100);
	set(NVC8B5_SET_DST_HEIGHT, 1);
	REFUSED(NON_PIPELINED | 1 << 7, 2D_LAYER_EXCEEDS_DEPTH);
	set(NVC8B5_SET_DST_DEPTH, 1);
	set(NVC8B5_DST_ORIGIN_X, 1);
	REFUSED(NON_PIPELINED | 1 << 7, MEM2MEM_RECT_OUT_OF_BOUNDS);
	set(NVC8B5_DST_ORIGIN_X, 0xffffffff);
	REFUSED(NON_PIPELINED | 1 << 7, MEM2MEM_RECT_OUT_OF_BOUNDS);
	set(NVC8B5_DST_ORIGIN_X, 0);
	REFUSED(NON_PIPELINED | MULTI_LINE | 1 << 7, MEM2MEM_RECT_OUT_OF_BOUNDS);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION + 256);
	REFUSED(NON_PIPELINED | 1 << 7, INVALID_ALIGNMENT);
	refused(0x104, 0, NV_PCE_LAUNCHERR_REPORT_INVALID_OPERATION);
	refused(0x754, 0, NV_PCE_LAUNCHERR_REPORT_INVALID_OPERATION);
	refused(0x1ffc, 0, NV_PCE_LAUNCHERR_REPORT_INVALID_OPERATION);
	regions_check();
}

static void faults_name_the_engine(void **state)
{
	rig.call.instance = 2;
	regions_fill();
	set_address(NVC8B5_OFFSET_IN_UPPER, SOURCE + REGION - 50);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION);
	set(NVC8B5_LINE_LENGTH_IN, 100);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH), H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.type, H100_FAULT_PTE);
	assert_int_equal(rig.call.fault.access, H100_ACCESS_READ);
	assert_true(rig.call.fault.va == SOURCE + REGION);
	assert_int_equal(rig.call.fault.client, NV_PFAULT_CLIENT_HUB_HSCE2);
	assert_int_equal(rig.call.fault.engine_id, NV_PFAULT_MMU_ENG_ID_CE2);
	set_address(NVC8B5_OFFSET_IN_UPPER, SOURCE);
	rig_map(&rig, DESTINATION, 12,
		rig_pte(H100_APERTURE_VIDEO, 0, NV_MMU_VER3_PTE_PCF_REGULAR_RO_ATOMIC_CACHED_ACE,
			6));
	rig_flush(&rig);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH), H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.type, H100_FAULT_RO_VIOLATION);
	assert_int_equal(rig.call.fault.access, H100_ACCESS_WRITE);
	set_address(NVC8B5_SET_SEMAPHORE_A, 0x10000);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, 0x8), H100_METHOD_FAULT);
	assert_true(rig.call.fault.va == 0x10000);
	assert_int_equal(rig.call.fault.client, NV_PFAULT_CLIENT_HUB_HSCE2);
}

static void privileged_channels_address_physically(void **state)
{
	const u64 flags = NON_PIPELINED | PITCH_BOTH | REG_PREP(NVC8B5_LAUNCH_DMA_SRC_TYPE, 1) |
			  REG_PREP(NVC8B5_LAUNCH_DMA_DST_TYPE, 1);

	rig.call.privileged = true;
	memset(rig.video + 0x5000, 0x42, 0x3000);
	memset(rig.system + MIB(3), 0x17, 0x1000);
	set(NVC8B5_SET_SRC_PHYS_MODE, NVC8B5_SET_SRC_PHYS_MODE_TARGET_LOCAL_FB);
	set(NVC8B5_SET_DST_PHYS_MODE, NVC8B5_SET_SRC_PHYS_MODE_TARGET_COHERENT_SYSMEM);
	set_address(NVC8B5_OFFSET_IN_UPPER, 0x5004);
	set_address(NVC8B5_OFFSET_OUT_UPPER, rig_bus(MIB(3) + 16));
	set(NVC8B5_LINE_LENGTH_IN, 100);
	set(NVC8B5_LAUNCH_DMA, flags);
	assert_int_equal(rig.system[MIB(3) + 15], 0x17);
	assert_int_equal(rig.system[MIB(3) + 16], 0x42);
	assert_int_equal(rig.system[MIB(3) + 115], 0x42);
	assert_int_equal(rig.system[MIB(3) + 116], 0x17);
	/* No page follows it on the bus. */
	set(NVC8B5_LINE_LENGTH_IN, 0x1000);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, flags), H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.access, NV_PFAULT_ACCESS_TYPE_PHYS_WRITE);
	assert_int_equal(rig.call.fault.type, H100_FAULT_REGION_VIOLATION);
	set_address(NVC8B5_OFFSET_IN_UPPER, RIG_VIDEO_BYTES - 10);
	set_address(NVC8B5_OFFSET_OUT_UPPER, rig_bus(MIB(3)));
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, flags), H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.access, NV_PFAULT_ACCESS_TYPE_PHYS_READ);
	assert_true(rig.call.fault.va == RIG_VIDEO_BYTES);
	set(NVC8B5_SET_SRC_PHYS_MODE, NVC8B5_SET_SRC_PHYS_MODE_TARGET_PEERMEM);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, flags), H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.type, H100_FAULT_UNSUPPORTED_APERTURE);
}

static void rendering_may_be_off(void **state)
{
	regions_fill();
	set_address(NVC8B5_OFFSET_IN_UPPER, SOURCE);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION);
	set(NVC8B5_LINE_LENGTH_IN, 100);
	set(NVC8B5_SET_RENDER_ENABLE_C, NVC8B5_SET_RENDER_ENABLE_C_MODE_FALSE);
	set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH);
	regions_check();
	set(NVC8B5_SET_RENDER_ENABLE_C, NVC8B5_SET_RENDER_ENABLE_C_MODE_TRUE);
	set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH);
	memcpy(wanted, source, 100);
	regions_check();
	set(NVC8B5_SET_RENDER_ENABLE_C, NVC8B5_SET_RENDER_ENABLE_C_MODE_CONDITIONAL);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH), H100_METHOD_ERROR);
}

/* -- Long ones --------------------------------------------------------------------------------- */

static u32 copying, paused;

static void *pauser(void *arg)
{
	while (os_load_acquire(&copying) == 0)
		sched_yield();
	for (u32 i = 0; i < 20; i++) {
		h100_memory_pause(&rig.memory);
		OS_BUG_ON(os_load_acquire(&rig.entered) != 0);
		paused++;
		h100_memory_resume(&rig.memory);
	}
	/* Now the copy may end. */
	__atomic_store_n(&rig.stop_after, 1, __ATOMIC_RELEASE);
	return NULL;
}

static bool stopped_by_pauser(const struct h100_engine_call *call)
{
	os_store_release(&copying, 1);
	return os_load_acquire(&rig.stop_after) != 0;
}

/* A copy that would take years: others get their turn, and the channel may go away. */
static void long_copies_let_others_in(void **state)
{
	pthread_t thread;

	copying = paused = 0;
	rig.call.stopped = stopped_by_pauser;
	assert_int_equal(pthread_create(&thread, NULL, pauser, NULL), 0);
	set_address(NVC8B5_OFFSET_IN_UPPER, SOURCE);
	set_address(NVC8B5_OFFSET_OUT_UPPER, DESTINATION);
	set(NVC8B5_LINE_LENGTH_IN, 0xffffffff);
	set(NVC8B5_LINE_COUNT, 0xffffffff);
	/* A source and a destination that are nothing, and have no end. */
	rig_put(&rig, rig_pde(&rig, SOURCE, 47),
		REG_PREP(NV_MMU_VER3_PDE_PCF, NV_MMU_VER3_PDE_PCF_SPARSE_ATS_ALLOWED));
	rig_put(&rig, rig_pde(&rig, DESTINATION, 47),
		REG_PREP(NV_MMU_VER3_PDE_PCF, NV_MMU_VER3_PDE_PCF_SPARSE_ATS_ALLOWED));
	rig_flush(&rig);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, NON_PIPELINED | PITCH_BOTH),
			 H100_METHOD_STOPPED);
	pthread_join(thread, NULL);
	assert_int_equal(paused, 20);
	/* Billions of short lines too. */
	rig.looks = 0;
	set(NVC8B5_LINE_LENGTH_IN, 1);
	set(NVC8B5_PITCH_IN, 1);
	set(NVC8B5_PITCH_OUT, 2);
	assert_int_equal(method(NVC8B5_LAUNCH_DMA, NON_PIPELINED | MULTI_LINE | PITCH_BOTH),
			 H100_METHOD_STOPPED);
	/* And of those that have no bytes at all. */
	set(NVC8B5_LINE_LENGTH_IN, 0);
	set(NVC8B5_LAUNCH_DMA, NON_PIPELINED | MULTI_LINE | PITCH_BOTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BY_DMA(name)                                           \
	{                                                           \
#name " by DMA", name, setup_by_dma, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_copies),
		TEST_BY_DMA(random_copies),
		TEST(lines_that_join),
		TEST_BY_DMA(lines_that_join),
		TEST(large_copies),
		TEST_BY_DMA(large_copies),
		TEST(random_remaps),
		TEST_BY_DMA(random_remaps),
		TEST(scrubs_are_zeroes),
		TEST(semaphores_are_released),
		TEST_BY_DMA(semaphores_are_released),
		TEST(semaphores_are_reduced),
		TEST_BY_DMA(semaphores_are_reduced),
		TEST(bad_launches_are_errors),
		TEST(faults_name_the_engine),
		TEST_BY_DMA(faults_name_the_engine),
		TEST(privileged_channels_address_physically),
		TEST_BY_DMA(privileged_channels_address_physically),
		TEST(rendering_may_be_off),
		TEST(long_copies_let_others_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
