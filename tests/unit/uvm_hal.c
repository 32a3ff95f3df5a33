// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Methods of each generation's channels and copy engines, word by word, against numbers out of the
 * public class headers (clc46f.h, clc56f.h, clc86f.h; clc5b5.h, clc6b5.h, clc7b5.h, clc8b5.h).
 */
#include "unit.h"

#include "uvm/hal/hal.h"

#define HOST(method, count) (1u << 29 | (count) << 16 | (method) / 4)
#define COPY(method, count) (1u << 29 | (count) << 16 | 4u << 13 | (method) / 4)
#define PLC (1u << 26)

static u32 words[UVM_METHODS_MAX];

static void same(const struct uvm_methods *m, const u32 *want, u32 count)
{
	u32 i;

	for (i = 0; i < count && i < m->count; i++) {
		if (words[i] != want[i])
			fail_msg("word %u is %#x, not %#x", i, words[i], want[i]);
	}
	assert_int_equal(m->count, count);
}

#define SAME(...)                                             \
	do {                                                  \
		const u32 want[] = { __VA_ARGS__ };           \
		same(&m, want, sizeof(want) / sizeof(*want)); \
		m.count = 0;                                  \
	} while (0)

static void host(u32 class_id, u64 va, u32 high, u32 scope)
{
	struct uvm_methods m = { words, 0, UVM_METHODS_MAX };
	struct uvm_host_hal hal;

	assert_int_equal(uvm_host_hal_find(class_id, &hal), NV_OK);
	assert_int_equal(hal.class_id, class_id);
	hal.semaphore_release(&hal, &m, va, 0x12345678);
	SAME(HOST(0x5c, 5), (u32)va, high, 0x12345678, 0, 1u | 1u << 20);
	hal.semaphore_acquire(&hal, &m, va, 0x87654321);
	SAME(HOST(0x5c, 5), (u32)va, high, 0x87654321, 0, 3u | 1u << 12);
	hal.membar(&hal, &m, UVM_MEMBAR_NONE);
	assert_int_equal(m.count, 0);
	hal.membar(&hal, &m, UVM_MEMBAR_GPU);
	SAME(HOST(0x28, 4), 0, 0, 1, 5u << 27);
	hal.membar(&hal, &m, UVM_MEMBAR_SYS);
	SAME(HOST(0x28, 4), 0, 0, 0, 5u << 27);
	/* One page directory, all levels; video memory, then system memory. */
	hal.tlb_invalidate(&hal, &m, RM_UVM_VIDEO, 0x1234567000ull, UVM_MEMBAR_SYS);
	SAME(HOST(0x28, 4), 1u << 11 | scope << 6, 0, 0x34567000u | 1u << 5, 9u << 27 | 0x12);
	hal.tlb_invalidate(&hal, &m, RM_UVM_SYSTEM_COHERENT, 0x7000, UVM_MEMBAR_NONE);
	SAME(HOST(0x28, 4), scope << 6, 0, 0x7000u | 2u << 10, 9u << 27);
	hal.tlb_invalidate(&hal, &m, RM_UVM_VIDEO, 0x7000, UVM_MEMBAR_GPU);
	SAME(HOST(0x28, 4), scope << 6, 0, 0x7000u | 1u << 5, 9u << 27, HOST(0x28, 4), 0, 0, 1,
	     5u << 27);
	assert_true(hal.gp_entry(&hal, 0xa512345678ull, 0x40) ==
		    ((u64)(0x10u << 10 | 0xa5) << 32 | 0x12345678));
}

static void test_channels(void **state)
{
	struct uvm_host_hal hal;

	host(0xc46f, 0xa500000010ull, 0xa5, 0);
	host(0xc56f, 0xa500000010ull, 0xa5, 2);
	host(0xc86f, 0x1aaaaaaa00000010ull >> 4, 0x1aaaaaa, 2);
	assert_int_equal(uvm_host_hal_find(0xc36f, &hal), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(uvm_host_hal_find(0, &hal), NV_ERR_NOT_SUPPORTED);
}

static void copies(u32 class_id, u64 va, u32 high, u32 plc)
{
	const struct uvm_place video = { RM_UVM_VIDEO, va };
	const struct uvm_place system = { RM_UVM_SYSTEM_COHERENT, 0x100000002000ull };
	const struct uvm_place other = { RM_UVM_SYSTEM_NONCOHERENT, 0x3000 };
	const u32 pitch = 1u << 7 | 1u << 8;
	struct uvm_methods m = { words, 0, UVM_METHODS_MAX };
	struct uvm_ce_hal hal;

	assert_int_equal(uvm_ce_hal_find(class_id, &hal), NV_OK);
	hal.bind(&hal, &m);
	SAME(COPY(0, 1), class_id);
	hal.copy(&hal, &m, &video, &system, 0x1000, UVM_ORDER_PIPELINED);
	SAME(COPY(0x260, 2), 1, 0, COPY(0x400, 2), 0x1000, 0x2000, COPY(0x408, 2), high, (u32)va,
	     COPY(0x418, 1), 0x1000, COPY(0x300, 1), 1u | pitch | 1u << 12 | 1u << 13 | plc);
	hal.copy(&hal, &m, &other, &video, 0x20, UVM_ORDER_AFTER);
	SAME(COPY(0x260, 2), 0, 2, COPY(0x400, 2), high, (u32)va, COPY(0x408, 2), 0, 0x3000,
	     COPY(0x418, 1), 0x20, COPY(0x300, 1), 2u | pitch | 1u << 12 | 1u << 13 | plc);
	hal.fill(&hal, &m, &video, 0xdeadbeef, 0x400, UVM_ORDER_AFTER);
	/* X from constant A; components of four bytes, one of them */
	SAME(COPY(0x264, 1), 0, COPY(0x700, 1), 0xdeadbeef, COPY(0x708, 1), 4u | 3u << 16,
	     COPY(0x408, 2), high, (u32)va, COPY(0x418, 1), 0x400, COPY(0x300, 1),
	     2u | pitch | 1u << 10 | 1u << 13 | plc);
	hal.semaphore_release(&hal, &m, va, 7, UVM_MEMBAR_SYS);
	SAME(COPY(0x240, 3), high, (u32)va, 7, COPY(0x300, 1), 1u << 2 | 1u << 3 | plc);
	hal.semaphore_release(&hal, &m, va, 7, UVM_MEMBAR_GPU);
	SAME(COPY(0x240, 3), high, (u32)va, 7, COPY(0x300, 1), 1u << 2 | 1u << 25 | 1u << 3 | plc);
	hal.semaphore_release(&hal, &m, va, 7, UVM_MEMBAR_NONE);
	SAME(COPY(0x240, 3), high, (u32)va, 7, COPY(0x300, 1), 1u << 3 | plc);
}

static void test_copies(void **state)
{
	struct uvm_ce_hal hal;

	copies(0xc5b5, 0x1ffff00000010ull, 0x1ffff, 0);
	copies(0xc6b5, 0x1ffff00000010ull, 0x1ffff, 0);
	copies(0xc7b5, 0x1ffff00000010ull, 0x1ffff, PLC);
	copies(0xc8b5, 0x1ffffff00000010ull, 0x1ffffff, PLC);
	assert_int_equal(uvm_ce_hal_find(0xc3b5, &hal), NV_ERR_NOT_SUPPORTED);
}

/* Secure copies of Hopper's: plaintext by its physical address, all else by the channel's own. */
static void test_secrets(void **state)
{
	const struct uvm_secret s = { .plain = { RM_UVM_VIDEO, 0x1200000020ull },
				      .cipher = 0x3400001000ull,
				      .tag = 0x5600000010ull,
				      .iv = 0x7800000030ull,
				      .bytes = 0x40 };
	const u32 launch = 1u << 7 | 1u << 8 | 1u << 20 | PLC;
	struct uvm_methods m = { words, 0, UVM_METHODS_MAX };
	struct uvm_ce_hal hal;

	assert_int_equal(uvm_ce_hal_find(0xc8b5, &hal), NV_OK);
	assert_int_equal(hal.encrypt(&hal, &m, &s, UVM_ORDER_AFTER), NV_OK);
	SAME(COPY(0x500, 1), 0, COPY(0x530, 2), 0x56, 0x10, COPY(0x538, 2), 0x78, 0x30,
	     COPY(0x260, 1), 0, COPY(0x400, 2), 0x12, 0x20, COPY(0x408, 2), 0x34, 0x1000,
	     COPY(0x418, 1), 0x40, COPY(0x300, 1), 2u | launch | 1u << 12);
	assert_int_equal(hal.encrypt(&hal, &m, &s, UVM_ORDER_PIPELINED), NV_OK);
	assert_int_equal(words[m.count - 1], 1u | launch | 1u << 12);
	m.count = 0;
	assert_int_equal(hal.decrypt(&hal, &m, &s, UVM_ORDER_AFTER), NV_OK);
	SAME(COPY(0x500, 1), 1, COPY(0x514, 2), 0x56, 0x10, COPY(0x264, 1), 0, COPY(0x400, 2), 0x34,
	     0x1000, COPY(0x408, 2), 0x12, 0x20, COPY(0x418, 1), 0x40, COPY(0x300, 1),
	     2u | launch | 1u << 13);
}

/* What an engine would not take is refused before, and what older ones cannot do. */
static void test_secrets_refused(void **state)
{
	static const u32 older[] = { 0xc5b5, 0xc6b5, 0xc7b5 };
	const struct uvm_secret good = { .plain = { RM_UVM_VIDEO, 0x2000 },
					 .cipher = 0x3000,
					 .tag = 0x4000,
					 .iv = 0x5000,
					 .bytes = 0x40 };
	struct uvm_secret bad[] = { good, good, good, good, good, good, good, good, good, good };
	struct uvm_methods m = { words, 0, UVM_METHODS_MAX };
	struct uvm_secret s = good;
	struct uvm_ce_hal hal;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(older); i++) {
		assert_int_equal(uvm_ce_hal_find(older[i], &hal), NV_OK);
		assert_int_equal(hal.encrypt(&hal, &m, &good, UVM_ORDER_AFTER),
				 NV_ERR_NOT_SUPPORTED);
		assert_int_equal(hal.decrypt(&hal, &m, &good, UVM_ORDER_AFTER),
				 NV_ERR_NOT_SUPPORTED);
	}
	assert_int_equal(uvm_ce_hal_find(0xc8b5, &hal), NV_OK);
	bad[0].bytes = 0;
	bad[1].bytes = 0x42;
	bad[2].bytes = MIB(4) + 4;
	bad[3].plain.aperture = RM_UVM_SYSTEM_COHERENT;
	bad[4].plain.address += 16;
	bad[5].cipher += 4;
	bad[6].tag += 8;
	bad[7].plain.address += 28; /* out of its segment */
	bad[7].bytes = 8;
	bad[8].cipher += 12;
	bad[8].bytes = 24;
	bad[9].plain.aperture = RM_UVM_PEER;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(hal.encrypt(&hal, &m, &bad[i], UVM_ORDER_AFTER),
				 NV_ERR_INVALID_ARGUMENT);
		assert_int_equal(hal.decrypt(&hal, &m, &bad[i], UVM_ORDER_AFTER),
				 NV_ERR_INVALID_ARGUMENT);
	}
	assert_int_equal(m.count, 0);
	s.iv += 4; /* which a decryption has not */
	assert_int_equal(hal.encrypt(&hal, &m, &s, UVM_ORDER_AFTER), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(hal.decrypt(&hal, &m, &s, UVM_ORDER_AFTER), NV_OK);
	m.count = 0;
	s = good;
	s.plain.address += 20; /* within one */
	s.cipher += 4;
	s.bytes = 12;
	assert_int_equal(hal.encrypt(&hal, &m, &s, UVM_ORDER_AFTER), NV_OK);
	m.count = 0;
	s = good;
	s.bytes = MIB(4);
	assert_int_equal(hal.decrypt(&hal, &m, &s, UVM_ORDER_AFTER), NV_OK);
}

#define SEC2(method) (1u << 29 | 1u << 16 | 1u << 13 | (method) / 4)

/* Streams of SEC2's, and what is signed of them: each method and its data. */
static void test_sec2(void **state)
{
	static const struct uvm_sec2_message message = {
		.plain = 0x100000002000010, .cipher = 0x10000040, .tag = 0x200000070, .bytes = 0x24
	};
	struct uvm_methods m = { words, 0, UVM_METHODS_MAX };
	u32 pairs[2 * UVM_SEC2_STREAM_MAX];
	struct uvm_sec2_hal hal;

	assert_int_equal(uvm_sec2_hal_find(0xc8b5, &hal), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(uvm_sec2_hal_find(0xcba2, &hal), NV_OK);
	hal.decrypt(&hal, &m, &message, 0x3000000a0);
	assert_int_equal(uvm_sec2_signed(words, m.count, pairs), 80);
	assert_int_equal(pairs[0], 0x400);
	assert_int_equal(pairs[4], 0x408);
	assert_int_equal(pairs[5], 0x1000000);
	assert_int_equal(pairs[9], 0x24);
	assert_int_equal(pairs[18], 0x470);
	assert_int_equal(pairs[19], 4);
	SAME(SEC2(0x400), 0, SEC2(0x404), 0x10000040, SEC2(0x408), 0x1000000, SEC2(0x40c),
	     0x2000010, SEC2(0x410), 0x24, SEC2(0x414), 2, SEC2(0x418), 0x70, SEC2(0x41c), 3,
	     SEC2(0x420), 0xa0, SEC2(0x470), 4);
	hal.semaphore_release(&hal, &m, 0x100000090, 0x50007, 0x3000000c0);
	assert_int_equal(uvm_sec2_signed(words, m.count, pairs), 48);
	assert_int_equal(pairs[10], 0x450);
	SAME(SEC2(0x41c), 3, SEC2(0x420), 0xc0, SEC2(0x440), 1, SEC2(0x444), 0x90, SEC2(0x448),
	     0x50007, SEC2(0x450), 0);
}

/* An address that a generation's methods cannot name is a bug, never another address. */
static u32 far_class;

static void too_far(void)
{
	struct uvm_methods m = { words, 0, UVM_METHODS_MAX };
	struct uvm_host_hal host;
	struct uvm_ce_hal ce;

	if (uvm_host_hal_find(far_class, &host) == NV_OK)
		host.semaphore_release(&host, &m, 1ull << host.va_bits, 0);
	else if (uvm_ce_hal_find(far_class, &ce) == NV_OK)
		ce.semaphore_release(&ce, &m, 1ull << ce.va_bits, 0, UVM_MEMBAR_NONE);
}

static void test_limits(void **state)
{
	static const u32 classes[] = { 0xc46f, 0xc56f, 0xc86f, 0xc5b5, 0xc6b5, 0xc7b5, 0xc8b5 };
	u32 i;

	for (i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		far_class = classes[i];
		unit_assert_aborts(too_far, "address >> bits");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channels), cmocka_unit_test(test_copies),
		cmocka_unit_test(test_secrets),	 cmocka_unit_test(test_secrets_refused),
		cmocka_unit_test(test_sec2),	 cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
