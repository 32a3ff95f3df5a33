// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The compute class without multiprocessors, and SEC2's without confidential mode: inline data,
 * reports, state, and what is an error.
 */
#include "unit.h"

#include "base/bits.h"
#include "engine_rig.h"
#include "h100/engine/surface.h"
#include "os/os.h"

#define VA 0x206400000ull
#define PITCH 0x41u /* what libcuda launches inline transfers with */

static struct rig rig;
static const struct h100_engine_class *class;
static void *object;

static void begin(u32 class_id)
{
	rig_init(&rig, true);
	class = h100_engine_class_find(class_id);
	assert_non_null(class);
	object = calloc(1, class->object_bytes);
	assert_non_null(object);
	rig_map_video(&rig, VA, 0x10000, 0x8000);
	rig_map_system(&rig, VA + 0x8000, 0, 0x8000);
	memset(rig.video + 0x10000, 0xee, 0x8000);
	memset(rig.system, 0xee, 0x8000);
}

static int setup(void **state)
{
	begin(HOPPER_COMPUTE_A);
	return 0;
}

static int setup_sec2(void **state)
{
	begin(HOPPER_SEC2_WORK_LAUNCH_A);
	return 0;
}

static int teardown(void **state)
{
	free(object);
	rig_destroy(&rig);
	return 0;
}

static enum h100_method_result method(u32 number, u32 data)
{
	return class->method(&rig.call, object, number, data);
}

static void set(u32 number, u32 data)
{
	assert_int_equal(method(number, data), H100_METHOD_OK);
}

static void refused(u32 number, u32 data, u32 error)
{
	assert_int_equal(method(number, data), H100_METHOD_ERROR);
	assert_int_equal(rig.call.error, error);
}

static void inline_to(u64 va, u32 length, u32 count, u32 flags)
{
	set(NVCBC0_LINE_LENGTH_IN, length);
	set(NVCBC0_LINE_COUNT, count);
	set(NVCBC0_OFFSET_OUT_UPPER, bits_high32(va));
	set(NVCBC0_OFFSET_OUT, bits_low32(va));
	set(NVCBC0_LAUNCH_DMA, flags);
}

static void load(const u8 *data, u32 bytes)
{
	for (u32 i = 0; i < bytes; i += 4) {
		u32 word = 0;

		memcpy(&word, data + i, min(bytes - i, 4u));
		set(NVCBC0_LOAD_INLINE_DATA, word);
	}
}

/* Any length, over pages and kinds of memory; not a byte more. */
static void inline_data_goes_to_memory(void **state)
{
	static const u32 lengths[] = { 1, 3, 4, 7, 1024, 1025, 5000, 0x6001 };
	u8 data[0x7000], back[0x7002];
	u64 seed = 7;

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)unit_random(&seed);
	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		u32 n = lengths[i];

		memset(back, 0xee, sizeof(back));
		assert_true(h100_virtual_write(rig.mmu, &rig.pdb, VA + 0x3002, back, sizeof(back),
					       0, NULL));
		inline_to(VA + 0x3003, n, 1, PITCH);
		load(data, n);
		assert_true(
			h100_virtual_read(rig.mmu, &rig.pdb, VA + 0x3002, back, n + 2, 0, NULL));
		assert_int_equal(back[0], 0xee);
		assert_memory_equal(back + 1, data, n);
		assert_int_equal(back[n + 1], 0xee);
		refused(NVCBC0_LOAD_INLINE_DATA, 0, ROBUST_CHANNEL_GR_EXCEPTION);
	}
}

/* Each line begins with a word of its own. */
static void lines_are_a_pitch_apart(void **state)
{
	set(NVCBC0_PITCH_OUT, 0x1004);
	inline_to(VA, 5, 3, PITCH);
	for (u32 i = 0; i < 3; i++) {
		set(NVCBC0_LOAD_INLINE_DATA, 0x04030201 + 0x10101010 * i);
		set(NVCBC0_LOAD_INLINE_DATA, 0xffffff05 + 0x10 * i);
	}
	for (u32 i = 0; i < 3; i++) {
		const u8 *at = rig.video + 0x10000 + i * 0x1004;

		for (u32 k = 0; k < 5; k++)
			assert_int_equal(at[k], 0x10 * i + k + 1);
		assert_int_equal(at[5], 0xee);
	}
}

static void surfaces_take_inline_data(void **state)
{
	const struct h100_surface s = {
		.width = 200, .height = 30, .depth = 1, .block_rows_log2 = 1
	};
	u8 data[3][76];

	set(NVCBC0_SET_DST_BLOCK_SIZE, REG_PREP(NVCBC0_SET_DST_BLOCK_SIZE_HEIGHT, 1));
	set(NVCBC0_SET_DST_WIDTH, 200);
	set(NVCBC0_SET_DST_HEIGHT, 30);
	set(NVCBC0_SET_DST_DEPTH, 1);
	set(NVCBC0_SET_DST_ORIGIN_BYTES_X, 50);
	set(NVCBC0_SET_DST_ORIGIN_SAMPLES_Y, 15);
	inline_to(VA, 75, 3, 0);
	for (u32 i = 0; i < sizeof(data); i++)
		data[i / 76][i % 76] = (u8)(i * 5);
	for (u32 y = 0; y < 3; y++)
		load(data[y], 75);
	for (u32 y = 0; y < 3; y++) {
		for (u32 x = 0; x < 75; x++)
			assert_int_equal(
				rig.video[0x10000 + h100_surface_offset(&s, 50 + x, 15 + y, 0)],
				data[y][x]);
	}
	set(NVCBC0_SET_DST_ORIGIN_BYTES_X, 126);
	refused(NVCBC0_LAUNCH_DMA, 0, ROBUST_CHANNEL_GR_EXCEPTION);
	set(NVCBC0_SET_DST_ORIGIN_BYTES_X, 0);
	set(NVCBC0_OFFSET_OUT, bits_low32(VA + 16));
	refused(NVCBC0_LAUNCH_DMA, 0, ROBUST_CHANNEL_GR_EXCEPTION);
}

static u64 word_at(u32 offset)
{
	u64 value;

	memcpy(&value, rig.system + offset, 8);
	return value;
}

static void inline_transfers_release_semaphores(void **state)
{
	u32 flags = 1 |
		    REG_PREP(NVCBC0_LAUNCH_DMA_COMPLETION_TYPE,
			     NVCBC0_LAUNCH_DMA_COMPLETION_TYPE_RELEASE_SEMAPHORE) |
		    REG_PREP(NVCBC0_LAUNCH_DMA_INTERRUPT_TYPE, 1);

	set(NVCBC0_SET_I2M_SEMAPHORE_A, bits_high32(VA));
	set(NVCBC0_SET_I2M_SEMAPHORE_B, bits_low32(VA) + 0x8010);
	set(NVCBC0_SET_I2M_SEMAPHORE_C, 77);
	inline_to(VA, 8, 1, flags);
	set(NVCBC0_LOAD_INLINE_DATA, 1);
	assert_true(word_at(16) == 0xeeeeeeeeeeeeeeeeull);
	set(NVCBC0_LOAD_INLINE_DATA, 2);
	assert_true(word_at(16) == 77);
	assert_true(word_at(24) == rig.now);
	assert_int_equal(rig.interrupts, 1);
	/* No data: done at once; one word with a reduction. */
	inline_to(VA, 8, 0,
		  flags | REG_PREP(NVCBC0_LAUNCH_DMA_SEMAPHORE_STRUCT_SIZE, 1) |
			  REG_PREP(NVCBC0_LAUNCH_DMA_REDUCTION_ENABLE, 1) |
			  REG_PREP(NVCBC0_LAUNCH_DMA_REDUCTION_OP,
				   NVCBC0_LAUNCH_DMA_REDUCTION_OP_RED_ADD));
	assert_true(word_at(16) == 154);
	assert_int_equal(rig.interrupts, 2);
}

static void reports_are_written(void **state)
{
	set(NVCBC0_SET_REPORT_SEMAPHORE_A, bits_high32(VA));
	set(NVCBC0_SET_REPORT_SEMAPHORE_B, bits_low32(VA) + 0x8020);
	set(NVCBC0_SET_REPORT_SEMAPHORE_C, 0xabcd);
	set(NVCBC0_SET_REPORT_SEMAPHORE_D, 4);
	assert_true(word_at(0x20) == 0xabcd);
	assert_true(word_at(0x28) == rig.now);
	assert_int_equal(rig.interrupts, 0);
	set(NVCBC0_SET_REPORT_SEMAPHORE_B, bits_low32(VA) + 0x8034);
	set(NVCBC0_SET_REPORT_SEMAPHORE_D, 1 << 28 | 1 << 20);
	assert_true(word_at(0x30) == 0xabcdeeeeeeeeull);
	assert_int_equal(rig.interrupts, 1);
	set(NVCBC0_SET_REPORT_SEMAPHORE_D,
	    1 << 28 | 1 << 3 |
		    REG_PREP(NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP,
			     NVCBC0_SET_REPORT_SEMAPHORE_D_REDUCTION_OP_RED_XOR));
	assert_true(word_at(0x30) == 0xeeeeeeeeull);
	refused(NVCBC0_SET_REPORT_SEMAPHORE_D, 0, ROBUST_CHANNEL_GR_EXCEPTION); /* not aligned */
	/* Acquiring and reporting alone are not there; a trap is an interrupt and writes nothing.
	 */
	refused(NVCBC0_SET_REPORT_SEMAPHORE_D, 1, ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY);
	refused(NVCBC0_SET_REPORT_SEMAPHORE_D, 2, ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY);
	set(NVCBC0_SET_REPORT_SEMAPHORE_D, 3);
	assert_int_equal(rig.interrupts, 2);
	assert_true(word_at(0x30) == 0xeeeeeeeeull);
	/* The newer methods, with 64 bits */
	set(NVCBC0_SET_REPORT_SEMAPHORE_ADDRESS_UPPER, bits_high32(VA));
	set(NVCBC0_SET_REPORT_SEMAPHORE_ADDRESS_LOWER, bits_low32(VA) + 0x8040);
	set(NVCBC0_SET_REPORT_SEMAPHORE_PAYLOAD_LOWER, 1);
	set(NVCBC0_SET_REPORT_SEMAPHORE_PAYLOAD_UPPER, 2);
	set(NVCBC0_REPORT_SEMAPHORE_EXECUTE,
	    REG_PREP(NVCBC0_REPORT_SEMAPHORE_EXECUTE_PAYLOAD_SIZE64, 1));
	assert_true(word_at(0x40) == 0x200000001);
	assert_true(word_at(0x48) == rig.now);
	refused(NVCBC0_REPORT_SEMAPHORE_EXECUTE, 1, ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY);
}

static void faults_name_the_engine(void **state)
{
	inline_to(VA + 0xfffe, 8, 1, PITCH);
	set(NVCBC0_LOAD_INLINE_DATA, 0);
	assert_int_equal(method(NVCBC0_LOAD_INLINE_DATA, 0), H100_METHOD_FAULT);
	assert_true(rig.call.fault.va == VA + 0x10000);
	assert_int_equal(rig.call.fault.engine_id, NV_PFAULT_MMU_ENG_ID_GRAPHICS);
	assert_int_equal(rig.call.fault.access, H100_ACCESS_WRITE);
	refused(NVCBC0_LOAD_INLINE_DATA, 0, ROBUST_CHANNEL_GR_EXCEPTION);
	set(NVCBC0_SET_REPORT_SEMAPHORE_B, 0x1000);
	assert_int_equal(method(NVCBC0_SET_REPORT_SEMAPHORE_D, 4), H100_METHOD_FAULT);
}

/* Every method of libcuda's that only sets state; a grid is an error, as are methods there are not.
 */
static void state_is_accepted(void **state)
{
	static const u16 used[] = { 0x100,  0x200,  0x204,  0x208,  0x23c,  0x248,  0x288,
				    0x2a0,  0x2a4,  0x2b4,  0x2e4,  0x2e8,  0x2ec,  0x310,
				    0x510,  0x790,  0x794,  0x7ac,  0x7b0,  0x7b4,  0x155c,
				    0x1560, 0x1564, 0x1574, 0x1578, 0x157c, 0x1698, 0x25f8,
				    0x25fc, 0x3400, 0x3404, 0x3408, 0x320,  0x49c };
	static const u16 none[] = { 0x128, 0x1b8, 0x49d, 0x4a0, 0x600, 0x1b10, 0x3800, 0x1ffc };

	for (u32 i = 0; i < ARRAY_SIZE(used); i++)
		set(used[i], 0x5a5a5a5a);
	for (u32 i = 0; i < ARRAY_SIZE(none); i++)
		refused(none[i], 0, ROBUST_CHANNEL_GR_CLASS_ERROR);
	set(NVCBC0_SEND_SIGNALING_PCAS2_B, NVCBC0_SEND_SIGNALING_PCAS2_B_PCAS_ACTION_INVALIDATE);
	refused(NVCBC0_SEND_SIGNALING_PCAS2_B, 0xa, ROBUST_CHANNEL_GR_EXCEPTION);
	refused(NVCBC0_SEND_PCAS_B, 0, ROBUST_CHANNEL_GR_EXCEPTION);
	set(NVCBC0_SEND_SIGNALING_PCAS_B, 1);
	refused(NVCBC0_SEND_SIGNALING_PCAS_B, 3, ROBUST_CHANNEL_GR_EXCEPTION);
	refused(NVCBC0_MME_DMA_WRITE, 0, ROBUST_CHANNEL_GR_EXCEPTION);
}

/* A transfer whose registers change is given up: nothing of the new ones goes by the old. */
static void changed_transfers_are_given_up(void **state)
{
	inline_to(VA, 64, 1, PITCH);
	set(NVCBC0_LOAD_INLINE_DATA, 1);
	set(NVCBC0_LINE_LENGTH_IN, 0xffffffff);
	refused(NVCBC0_LOAD_INLINE_DATA, 2, ROBUST_CHANNEL_GR_EXCEPTION);
	assert_int_equal(rig.video[0x10000], 0xee);
}

static void sec2_releases_semaphores(void **state)
{
	set(NVCBA2_SEMAPHORE_A, bits_high32(VA));
	set(NVCBA2_SEMAPHORE_B, bits_low32(VA) + 0x8000);
	set(NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER, 5);
	set(NVCBA2_SET_SEMAPHORE_PAYLOAD_UPPER, 6);
	set(NVCBA2_SEMAPHORE_D, 0);
	assert_true(word_at(0) == 0xeeeeeeee00000005ull);
	set(NVCBA2_SEMAPHORE_D, 7);
	assert_true(word_at(0) == 0x600000005ull);
	assert_true(word_at(8) == rig.now);
	assert_int_equal(rig.interrupts, 1);
	set(NVCBA2_DECRYPT_COPY_SIZE, 64);
	refused(NVCBA2_EXECUTE, 0, ROBUST_CHANNEL_SEC2_ERROR);
	refused(0x480, 0, ROBUST_CHANNEL_SEC2_ERROR);
	set(NVCBA2_SEMAPHORE_B, 0x1000);
	assert_int_equal(method(NVCBA2_SEMAPHORE_D, 0), H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.engine_id, NV_PFAULT_MMU_ENG_ID_SEC);
}

static void other_classes_are_unknown(void **state)
{
	assert_null(h100_engine_class_find(0));
	assert_null(h100_engine_class_find(0xc7c0));
	assert_int_equal(class->kind, H100_ENGINE_KIND_GR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inline_data_goes_to_memory),
		TEST(lines_are_a_pitch_apart),
		TEST(surfaces_take_inline_data),
		TEST(inline_transfers_release_semaphores),
		TEST(reports_are_written),
		TEST(faults_name_the_engine),
		TEST(state_is_accepted),
		TEST(changed_transfers_are_given_up),
		cmocka_unit_test_setup_teardown(sec2_releases_semaphores, setup_sec2, teardown),
		TEST(other_classes_are_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
