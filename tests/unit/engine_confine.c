// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What engines reach in confidential mode: their GPU's own memory, and nothing else in clear. Each
 * access is made with the mode off as well, where it is done.
 */
#include "unit.h"

#include "base/bits.h"
#include "engine_rig.h"
#include "os/os.h"

#define VIDEO 0x200000000ull
#define VIDEO_AT MIB(1)
#define SYSTEM 0x300000000ull
#define BYTES 0x4000u

#define LAUNCH(name, value) REG_PREP(NVC8B5_LAUNCH_DMA_##name, NVC8B5_LAUNCH_DMA_##name##_##value)
#define COPY                                                                   \
	(LAUNCH(SRC_MEMORY_LAYOUT, PITCH) | LAUNCH(DST_MEMORY_LAYOUT, PITCH) | \
	 LAUNCH(DATA_TRANSFER_TYPE, NON_PIPELINED))
#define SHARED LAUNCH(COPY_TYPE, NONPROT2NONPROT)
#define FOUR_WORDS                                             \
	REG_PREP(NVCBC0_SET_REPORT_SEMAPHORE_D_STRUCTURE_SIZE, \
		 NVCBC0_SET_REPORT_SEMAPHORE_D_STRUCTURE_SIZE_FOUR_WORDS)

static struct rig rig;
static const struct h100_engine_class *class;
static void *object;

static void take_class(u32 id)
{
	free(object);
	class = h100_engine_class_find(id);
	assert_non_null(class);
	object = calloc(1, class->object_bytes);
	assert_non_null(object);
}

static int setup(void **state)
{
	rig_init(&rig, true);
	rig_map_video(&rig, VIDEO, VIDEO_AT, BYTES);
	rig_map_system(&rig, SYSTEM, 0, BYTES);
	rig_flush(&rig);
	rig.memory.confidential = true;
	take_class(HOPPER_DMA_COPY_A);
	return 0;
}

static int teardown(void **state)
{
	free(object);
	object = NULL;
	rig_destroy(&rig);
	return 0;
}

/* Both memories say which they are, from their second page on. */
static void fill(void)
{
	memset(rig.video + VIDEO_AT, 0x11, BYTES);
	memset(rig.system, 0x22, BYTES);
}

static bool unchanged(void)
{
	for (u32 i = 0; i < BYTES; i++)
		if (rig.video[VIDEO_AT + i] != 0x11 || rig.system[i] != 0x22)
			return false;
	return true;
}

static void set(u32 method, u64 data)
{
	assert_int_equal(class->method(&rig.call, object, method, (u32)data), H100_METHOD_OK);
}

static void set_address(u32 upper, u64 address)
{
	set(upper, bits_high32(address));
	set(upper + 4, bits_low32(address));
}

static enum h100_method_result launch(u64 from, u64 to, u64 flags)
{
	memset(&rig.call.fault, 0, sizeof(rig.call.fault));
	set_address(NVC8B5_OFFSET_IN_UPPER, from);
	set_address(NVC8B5_OFFSET_OUT_UPPER, to);
	set(NVC8B5_LINE_LENGTH_IN, 0x1800);
	return class->method(&rig.call, object, NVC8B5_LAUNCH_DMA, (u32)flags);
}

static void expect_fault(enum h100_method_result result, u64 va, bool write)
{
	assert_int_equal(result, H100_METHOD_FAULT);
	assert_int_equal(rig.call.fault.type, H100_FAULT_UNSUPPORTED_APERTURE);
	assert_int_equal(rig.call.fault.va, va);
	assert_int_equal(rig.call.fault.access, write ? H100_ACCESS_WRITE : H100_ACCESS_READ);
}

/* Faults at va, with nothing moved, in the mode; outside of it it is done. */
static void copy_is_confined(u64 from, u64 to, u64 flags, u64 va, bool write)
{
	fill();
	expect_fault(launch(from, to, flags), va, write);
	assert_true(unchanged());
	rig.memory.confidential = false;
	assert_int_equal(launch(from, to, flags), H100_METHOD_OK);
	assert_false(unchanged());
	rig.memory.confidential = true;
}

static void test_copies(void **state)
{
	copy_is_confined(VIDEO, SYSTEM, COPY, SYSTEM, true);
	copy_is_confined(SYSTEM, VIDEO, COPY, SYSTEM, false);
	/* Within what is protected all goes. */
	fill();
	rig.video[VIDEO_AT] = 0x77;
	assert_int_equal(launch(VIDEO, VIDEO + 0x2000, COPY), H100_METHOD_OK);
	assert_int_equal(rig.video[VIDEO_AT + 0x2000], 0x77);
}

static void test_shared_copies(void **state)
{
	/* What is outside may be moved there, if the copy says that it means that. */
	fill();
	expect_fault(launch(SYSTEM, SYSTEM + 0x2000, COPY), SYSTEM, false);
	rig.system[0] = 0x77;
	assert_int_equal(launch(SYSTEM, SYSTEM + 0x2000, COPY | SHARED), H100_METHOD_OK);
	assert_int_equal(rig.system[0x2000], 0x77);
	/* And nothing that is protected on such a copy, either way. */
	copy_is_confined(VIDEO, SYSTEM, COPY | SHARED, VIDEO, false);
	copy_is_confined(SYSTEM, VIDEO, COPY | SHARED, VIDEO, true);
}

static void test_fills(void **state)
{
	const u64 constant = COPY | REG_PREP(NVC8B5_LAUNCH_DMA_REMAP_ENABLE, 1);

	set(NVC8B5_SET_REMAP_CONST_A, 0xabcdef01);
	set(NVC8B5_SET_REMAP_COMPONENTS,
	    REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_DST_X, NVC8B5_SET_REMAP_COMPONENTS_DST_X_CONST_A) |
		    REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_COMPONENT_SIZE,
			     NVC8B5_SET_REMAP_COMPONENTS_COMPONENT_SIZE_FOUR));
	fill();
	memset(&rig.call.fault, 0, sizeof(rig.call.fault));
	set_address(NVC8B5_OFFSET_OUT_UPPER, SYSTEM);
	set(NVC8B5_LINE_LENGTH_IN, 4);
	expect_fault(class->method(&rig.call, object, NVC8B5_LAUNCH_DMA, (u32)constant), SYSTEM,
		     true);
	assert_true(unchanged());
	assert_int_equal(
		class->method(&rig.call, object, NVC8B5_LAUNCH_DMA, (u32)(constant | SHARED)),
		H100_METHOD_OK);
	assert_int_equal(rig.system[0], 0x01);
}

/* A physical end is video memory. */
static void test_physical(void **state)
{
	rig.call.privileged = true;
	set(NVC8B5_SET_DST_PHYS_MODE, REG_PREP(NVC8B5_SET_DST_PHYS_MODE_TARGET,
					       NVC8B5_SET_DST_PHYS_MODE_TARGET_COHERENT_SYSMEM));
	fill();
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(launch(VIDEO, rig_bus(0),
					COPY | LAUNCH(DST_TYPE, PHYSICAL) | (i ? SHARED : 0)),
				 H100_METHOD_ERROR);
	assert_int_equal(rig.call.error_info, NV_PCE_LAUNCHERR_REPORT_INVALID_CONFIG);
	assert_true(unchanged());
	set(NVC8B5_SET_DST_PHYS_MODE,
	    REG_PREP(NVC8B5_SET_DST_PHYS_MODE_TARGET, NVC8B5_SET_DST_PHYS_MODE_TARGET_LOCAL_FB));
	assert_int_equal(launch(VIDEO, VIDEO_AT + 0x2000, COPY | LAUNCH(DST_TYPE, PHYSICAL)),
			 H100_METHOD_OK);
}

static enum h100_method_result copy_semaphore(u64 address)
{
	memset(&rig.call.fault, 0, sizeof(rig.call.fault));
	set_address(NVC8B5_SET_SEMAPHORE_A, address);
	set(NVC8B5_SET_SEMAPHORE_PAYLOAD, 0x5e5e5e5e);
	return class->method(&rig.call, object, NVC8B5_LAUNCH_DMA,
			     (u32)LAUNCH(SEMAPHORE_TYPE, RELEASE_ONE_WORD_SEMAPHORE));
}

static enum h100_method_result report(u64 address)
{
	memset(&rig.call.fault, 0, sizeof(rig.call.fault));
	set_address(NVCBC0_SET_REPORT_SEMAPHORE_A, address);
	set(NVCBC0_SET_REPORT_SEMAPHORE_C, 0x5e5e5e5e);
	return class->method(&rig.call, object, NVCBC0_SET_REPORT_SEMAPHORE_D, (u32)FOUR_WORDS);
}

/* Clients' are in video memory; the driver's channels may tell the CPU where they are. */
static void semaphores_are_confined(enum h100_method_result (*release)(u64 address), u64 at)
{
	fill();
	expect_fault(release(SYSTEM), SYSTEM + at, true);
	assert_true(unchanged());
	assert_int_equal(release(VIDEO), H100_METHOD_OK);
	assert_int_equal(rig.video[VIDEO_AT], 0x5e);
	rig.call.privileged = true;
	assert_int_equal(release(SYSTEM), H100_METHOD_OK);
	assert_int_equal(rig.system[0], 0x5e);
	rig.call.privileged = false;
	fill();
	rig.memory.confidential = false;
	assert_int_equal(release(SYSTEM), H100_METHOD_OK);
	assert_int_equal(rig.system[0], 0x5e);
}

static void test_copy_semaphores(void **state)
{
	semaphores_are_confined(copy_semaphore, 0);
}

static void test_reports(void **state)
{
	take_class(HOPPER_COMPUTE_A);
	semaphores_are_confined(report, 8); /* the time goes first */
}

static void test_inline_data(void **state)
{
	const u32 flags = (u32)(REG_PREP(NVCBC0_LAUNCH_DMA_DST_MEMORY_LAYOUT,
					 NVCBC0_LAUNCH_DMA_DST_MEMORY_LAYOUT_PITCH));
	enum h100_method_result result;
	u32 i;

	take_class(HOPPER_COMPUTE_A);
	for (i = 0; i < 2; i++) {
		fill();
		rig.memory.confidential = i == 0;
		memset(&rig.call.fault, 0, sizeof(rig.call.fault));
		set(NVCBC0_LINE_LENGTH_IN, 4);
		set(NVCBC0_LINE_COUNT, 1);
		set_address(NVCBC0_OFFSET_OUT_UPPER, SYSTEM);
		set(NVCBC0_LAUNCH_DMA, flags);
		result = class->method(&rig.call, object, NVCBC0_LOAD_INLINE_DATA, 0x5e5e5e5e);
		if (i == 0) {
			expect_fault(result, SYSTEM, true);
			assert_true(unchanged());
		} else {
			assert_int_equal(result, H100_METHOD_OK);
			assert_int_equal(rig.system[0], 0x5e);
		}
	}
}

/* Tables are in protected memory, down to the last, and so is the directory. */
static void test_tables(void **state)
{
	const u64 table = OS_PAGE_SIZE, va = VIDEO + GIB(8), entry = rig_entry(&rig, va, 12);
	struct h100_pdb outside = { H100_APERTURE_SYSTEM_COHERENT, rig_bus(0) };
	u64 pde = rig_pde(&rig, va, 21) + 8, pointer, pte;
	struct h100_translation t;
	struct h100_fault fault;

	rig_map_video(&rig, va, VIDEO_AT, OS_PAGE_SIZE);
	rig_flush(&rig);
	assert_true(h100_mmu_translate(rig.mmu, &rig.pdb, va, H100_ACCESS_READ, &t, &fault));
	/* The same table again, outside. */
	memcpy(&pte, rig.video + entry, sizeof(pte));
	memset(rig.system + table, 0, OS_PAGE_SIZE);
	memcpy(rig.system + table + entry % OS_PAGE_SIZE, &pte, sizeof(pte));
	pointer = REG_PREP(NV_MMU_VER3_PDE_APERTURE,
			   NV_MMU_VER3_PDE_APERTURE_SYSTEM_COHERENT_MEMORY) |
		  rig_bus(table);
	rig_put(&rig, pde, pointer);
	rig_flush(&rig);
	h100_mmu_forget(rig.mmu, NULL);
	assert_false(h100_mmu_translate(rig.mmu, &rig.pdb, va, H100_ACCESS_READ, &t, &fault));
	assert_int_equal(fault.type, H100_FAULT_PDE);
	assert_false(h100_mmu_translate(rig.mmu, &outside, va, H100_ACCESS_READ, &t, &fault));
	rig.memory.confidential = false;
	assert_true(h100_mmu_translate(rig.mmu, &rig.pdb, va, H100_ACCESS_READ, &t, &fault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fills, setup, teardown),
		cmocka_unit_test_setup_teardown(test_physical, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_semaphores, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inline_data, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
