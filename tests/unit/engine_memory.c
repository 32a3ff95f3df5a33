// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Physical accesses, atomic operations, bursts and those who wait for them. */
#include "unit.h"

#include <pthread.h>

#include "base/bits.h"
#include "engine_rig.h"
#include "h100/engine/state.h"
#include "os/os.h"

#define SYSTEM H100_APERTURE_SYSTEM_COHERENT
#define VIDEO H100_APERTURE_VIDEO

static struct rig rig;

static int setup(void **state)
{
	rig_init(&rig, true);
	return 0;
}

static int setup_by_dma(void **state)
{
	rig_init(&rig, false);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(&rig);
	return 0;
}

static void accesses_of_every_size(void **state)
{
	u8 data[64], back[64];

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i + 1);
	for (u32 size = 1; size <= 64; size++) {
		for (u32 offset = 0; offset < 9; offset++) {
			u64 bus = rig_bus(0x3000 + offset);

			assert_true(h100_memory_write(&rig.memory, SYSTEM, bus, data, size));
			assert_memory_equal(rig.system + 0x3000 + offset, data, size);
			assert_true(h100_memory_read(&rig.memory, SYSTEM, bus, back, size));
			assert_memory_equal(back, data, size);
			assert_true(h100_memory_write(&rig.memory, VIDEO, offset, data, size));
			assert_true(h100_memory_read(&rig.memory, VIDEO, offset, back, size));
			assert_memory_equal(back, data, size);
		}
	}
}

static void nothing_else_is_reached(void **state)
{
	u64 value = 0, bytes;

	assert_true(h100_memory_read(&rig.memory, VIDEO, RIG_VIDEO_BYTES - 8, &value, 8));
	assert_false(h100_memory_read(&rig.memory, VIDEO, RIG_VIDEO_BYTES - 7, &value, 8));
	assert_false(h100_memory_write(&rig.memory, VIDEO, RIG_VIDEO_BYTES, &value, 1));
	assert_false(h100_memory_read(&rig.memory, VIDEO, ~0ull - 3, &value, 8));
	assert_false(h100_memory_read(&rig.memory, H100_APERTURE_PEER, 0, &value, 8));
	assert_false(h100_memory_read(&rig.memory, 4, 0, &value, 8));
	assert_false(h100_memory_read(&rig.memory, SYSTEM, 0, &value, 8));
	assert_false(h100_memory_read(&rig.memory, SYSTEM, rig_bus(0x1000) - 4, &value, 8));
	assert_false(h100_memory_read(&rig.memory, SYSTEM, rig_bus(0xffc), &value, 8));
	assert_false(h100_memory_write(&rig.memory, SYSTEM, (u64)(uintptr_t)rig.system, &value, 8));
	rig.unmapped[2] = true;
	assert_false(h100_memory_write(&rig.memory, SYSTEM, rig_bus(0x2000), &value, 8));
	assert_false(h100_memory_fetch_op(&rig.memory, SYSTEM, rig_bus(0x2000), 4, H100_MEMORY_ADD,
					  1, NULL));
	assert_false(h100_memory_fetch_op(&rig.memory, VIDEO, RIG_VIDEO_BYTES, 4, H100_MEMORY_ADD,
					  1, NULL));
	assert_false(h100_memory_fetch_op(&rig.memory, VIDEO, 4, 8, H100_MEMORY_ADD, 1, NULL));
	assert_false(h100_memory_fetch_op(&rig.memory, VIDEO, 4, 2, H100_MEMORY_ADD, 1, NULL));
	assert_null(h100_memory_pointer(&rig.memory, SYSTEM, rig_bus(0x2000), &bytes));
	assert_null(h100_memory_pointer(&rig.memory, H100_APERTURE_PEER, 0, &bytes));
}

static u64 operated(u32 aperture, u64 address, u32 width, enum h100_memory_op op, u64 old,
		    u64 operand)
{
	u64 before, after = 0;

	assert_true(h100_memory_write(&rig.memory, aperture, address, &old, width));
	assert_true(
		h100_memory_fetch_op(&rig.memory, aperture, address, width, op, operand, &before));
	assert_true(before == (width == 4 ? (u32)old : old));
	assert_true(h100_memory_read(&rig.memory, aperture, address, &after, width));
	return after;
}

static void operations_do_what_they_say(void **state)
{
	static const struct {
		u32 width;
		enum h100_memory_op op;
		u64 old, operand, result;
	} cases[] = {
		{ 4, H100_MEMORY_MIN_SIGNED, 0x80000000, 1, 0x80000000 },
		{ 4, H100_MEMORY_MIN_UNSIGNED, 0x80000000, 1, 1 },
		{ 4, H100_MEMORY_MAX_SIGNED, 0x80000000, 1, 1 },
		{ 4, H100_MEMORY_MAX_UNSIGNED, 0x80000000, 1, 0x80000000 },
		{ 8, H100_MEMORY_MIN_SIGNED, 1ull << 63, 1, 1ull << 63 },
		{ 8, H100_MEMORY_MAX_SIGNED, 1ull << 63, 1, 1 },
		{ 8, H100_MEMORY_MAX_SIGNED, 0x80000000, 1, 0x80000000 },
		{ 4, H100_MEMORY_XOR, 0xff, 0x1000000f0, 0xf },
		{ 8, H100_MEMORY_AND, 0xff00ff00ff, 0xf00000000f, 0xf00000000f },
		{ 4, H100_MEMORY_OR, 1, 0x80000000, 0x80000001 },
		{ 4, H100_MEMORY_ADD, 0xffffffff, 2, 1 },
		{ 8, H100_MEMORY_ADD, 0xffffffff, 2, 0x100000001 },
		{ 4, H100_MEMORY_INC, 5, 5, 0 },
		{ 4, H100_MEMORY_INC, 4, 5, 5 },
		{ 4, H100_MEMORY_DEC, 0, 5, 5 },
		{ 4, H100_MEMORY_DEC, 6, 5, 5 },
		{ 8, H100_MEMORY_DEC, 5, 5, 4 },
		{ 8, H100_MEMORY_EXCHANGE, 1, ~0ull, ~0ull },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(operated(VIDEO, 0x100, cases[i].width, cases[i].op, cases[i].old,
				     cases[i].operand) == cases[i].result);
		assert_true(operated(SYSTEM, rig_bus(0x1ff8), cases[i].width, cases[i].op,
				     cases[i].old, cases[i].operand) == cases[i].result);
	}
}

static u32 stop;

static void *adder(void *arg)
{
	for (u32 i = 0; i < 2000; i++) {
		h100_memory_enter(&rig.memory);
		for (u32 k = 0; k < 5; k++)
			OS_BUG_ON(!h100_memory_fetch_op(&rig.memory, SYSTEM, rig_bus(0x4000), 4,
							H100_MEMORY_ADD, 1, NULL));
		h100_memory_leave(&rig.memory);
	}
	return NULL;
}

static void *pauser(void *arg)
{
	u32 *pauses = arg;

	while (os_load_acquire(&stop) == 0) {
		h100_memory_pause(&rig.memory);
		OS_BUG_ON(os_load_acquire(&rig.entered) != 0);
		(*pauses)++;
		h100_memory_resume(&rig.memory);
		h100_memory_drain(&rig.memory);
		sched_yield();
	}
	return NULL;
}

/* Bursts of several engines beside one who pauses them: no operation is lost. */
static void bursts_and_pauses(void **state)
{
	pthread_t adders[3], other;
	u32 pauses = 0, sum;

	stop = 0;
	h100_memory_leave(&rig.memory);
	assert_int_equal(pthread_create(&other, NULL, pauser, &pauses), 0);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&adders[i], NULL, adder, NULL), 0);
	for (u32 i = 0; i < 3; i++)
		pthread_join(adders[i], NULL);
	os_store_release(&stop, 1);
	pthread_join(other, NULL);
	h100_memory_enter(&rig.memory);
	memcpy(&sum, rig.system + 0x4000, 4);
	assert_int_equal(sum, 3 * 2000 * 5);
}

static void failing_allocations(void **state)
{
	struct h100_mmu *mmu;
	u64 live = unit_live();

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (u32 n = 1; n <= 2; n++) {
		os_user_fail_alloc_thread(n);
		assert_int_equal(h100_mmu_create(&rig.memory, &mmu), NV_ERR_NO_MEMORY);
		assert_null(mmu);
	}
	os_user_fail_alloc_thread(0);
	assert_int_equal(h100_mmu_create(&rig.memory, &mmu), NV_OK);
	h100_mmu_destroy(mmu);
	h100_mmu_destroy(NULL);
	assert_int_equal(unit_live(), live);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BY_DMA(name)                                           \
	{                                                           \
#name " by DMA", name, setup_by_dma, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accesses_of_every_size),	   TEST_BY_DMA(accesses_of_every_size),
		TEST(nothing_else_is_reached),	   TEST_BY_DMA(nothing_else_is_reached),
		TEST(operations_do_what_they_say), TEST_BY_DMA(operations_do_what_they_say),
		TEST(bursts_and_pauses),	   TEST_BY_DMA(bursts_and_pauses),
		TEST(failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
