// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Config space, BARs, registers and the interrupt tree of the software H100.
 */
#include "h100_driver.h"

#include "base/bits.h"
#include "unit.h"

#define VF(name) (LH_VF_BASE + NV_VIRTUAL_FUNCTION_##name)

static int open_gpu(void **state)
{
	struct driver *d = malloc(sizeof(*d));

	driver_open(d, NULL);
	*state = d;
	return 0;
}

static int close_gpu(void **state)
{
	driver_close(*state);
	free(*state);
	return 0;
}

static u32 cfg(struct driver *d, u32 offset, u32 width)
{
	return h100_cfg_read(d->gpu, offset, width);
}

static void test_identity(void **state)
{
	struct driver *d = *state;

	assert_int_equal(cfg(d, 0, 4), 0x233010de);
	assert_int_equal(cfg(d, 2, 2), 0x2330);
	assert_int_equal(cfg(d, 8, 4), 0x030200a1);
	assert_int_equal(cfg(d, 0xe, 1), 0);
	assert_int_equal(cfg(d, 0x2c, 4), 0x16c110de);
	assert_int_equal(cfg(d, 4, 4), 0x00100006);
	/* Read-only words stay, whatever is written. */
	h100_cfg_write(d->gpu, 0, 4, 0);
	h100_cfg_write(d->gpu, 8, 4, ~0u);
	assert_int_equal(cfg(d, 0, 4), 0x233010de);
	assert_int_equal(cfg(d, 8, 4), 0x030200a1);
	/* Misaligned, too wide and outside: all ones, and no effect. */
	assert_int_equal(cfg(d, 1, 2), 0xffff);
	assert_int_equal(cfg(d, 2, 4), ~0u);
	assert_int_equal(cfg(d, 4096, 4), ~0u);
	assert_int_equal(cfg(d, ~3u, 4), ~0u);
	assert_int_equal(cfg(d, 0, 8), ~0u);
	h100_cfg_write(d->gpu, 4094, 4, 0);
}

static u32 capability(struct driver *d, u32 id)
{
	u32 at = cfg(d, 0x34, 1), hops;

	for (hops = 0; at != 0 && hops < 48; hops++) {
		if (cfg(d, at, 1) == id)
			return at;
		at = cfg(d, at + 1, 1);
	}
	return 0;
}

static u32 extended(struct driver *d, u32 id)
{
	u32 at = 0x100, hops;

	for (hops = 0; at != 0 && hops < 64; hops++) {
		if ((cfg(d, at, 4) & 0xffff) == id)
			return at;
		at = cfg(d, at, 4) >> 20;
	}
	return 0;
}

static void test_capabilities(void **state)
{
	struct driver *d = *state;
	u32 at;

	assert_int_equal(capability(d, 0x01), 0x40);
	assert_int_equal(capability(d, 0x05), 0x48);
	assert_int_equal(capability(d, 0x09), 0x9c);
	at = capability(d, 0x11);
	assert_int_equal(at, 0xb0);
	assert_int_equal(cfg(d, at + 2, 2), 8);
	assert_int_equal(cfg(d, at + 4, 4), 0xb90000);
	assert_int_equal(cfg(d, at + 8, 4), 0xba0000);
	at = capability(d, 0x10);
	assert_int_equal(at, 0x60);
	assert_int_equal(cfg(d, at + 0x12, 2) & 0xf, 5);	/* gen 5 */
	assert_int_equal(cfg(d, at + 0x12, 2) >> 4 & 0x3f, 16); /* lanes */
	assert_int_equal(cfg(d, at + 4, 4) >> 28 & 1, 1);	/* function-level reset */
	assert_int_equal(extended(d, 0x0001), 0x1b8);
	at = extended(d, 0x000b);
	assert_int_equal(at, LH_VSEC_OFFSET);
	assert_int_equal(cfg(d, at + 4, 4), 0x4c48 | 1 << 16 | 0x18 << 20);
	assert_int_equal(cfg(d, at + 8, 4), LH_VSEC_MAGIC_0);
	assert_int_equal(cfg(d, at + 12, 4), LH_VSEC_MAGIC_1);
	/* The mirror in BAR 0 shows the same. */
	assert_int_equal(driver_rd(d, NV_EP_PCFGM__LO + 0x2c), 0x16c110de);
	assert_int_equal(capability(d, 0x77), 0);
}

/* The link trains to less, and stays so over a reset of the function. */
static void test_link(void **state)
{
	struct driver *d = *state;
	u32 at = capability(d, 0x10), slot_clock = 0x1000;

	assert_int_equal(cfg(d, at + 0x12, 2), slot_clock | 16 << 4 | 5);
	assert_int_equal(h100_inject(d->gpu, "pcie-link 3 8"), NV_OK);
	assert_int_equal(cfg(d, at + 0x12, 2), slot_clock | 8 << 4 | 3);
	assert_int_equal(cfg(d, at + 0x10, 4) >> 16, slot_clock | 8 << 4 | 3);
	assert_int_equal(cfg(d, at + 0x0c, 4) & 0x3ff, 16 << 4 | 5); /* what it can */
	h100_cfg_write(d->gpu, 0x68, 2, 0x8000 | cfg(d, 0x68, 2));
	assert_true(h100_lend(d->gpu));
	assert_int_equal(cfg(d, at + 0x12, 2), slot_clock | 8 << 4 | 3);
	assert_int_equal(h100_inject(d->gpu, "pcie-link 5 16"), NV_OK);
	assert_int_equal(cfg(d, at + 0x12, 2), slot_clock | 16 << 4 | 5);
}

static u64 size_bar(struct driver *d, u32 offset)
{
	u32 low = cfg(d, offset, 4), high = cfg(d, offset + 4, 4);
	u64 mask;

	h100_cfg_write(d->gpu, offset, 4, ~0u);
	h100_cfg_write(d->gpu, offset + 4, 4, ~0u);
	assert_int_equal(cfg(d, offset, 4) & 0xf, 0xc); /* 64-bit, prefetchable */
	mask = (cfg(d, offset, 4) & ~0xfu) | (u64)cfg(d, offset + 4, 4) << 32;
	h100_cfg_write(d->gpu, offset, 4, low);
	h100_cfg_write(d->gpu, offset + 4, 4, high);
	return ~mask + 1;
}

static void test_bars(void **state)
{
	struct driver *d = *state;

	assert_true(size_bar(d, 0x10) == 16ull << 20);
	assert_true(size_bar(d, 0x18) == 128ull << 30);
	assert_true(size_bar(d, 0x20) == 32ull << 20);
	assert_true(h100_bar_size(d->gpu, 0) == 16ull << 20);
	assert_true(h100_bar_size(d->gpu, 2) == 128ull << 30);
	assert_true(h100_bar_size(d->gpu, 4) == 32ull << 20);
	assert_true(h100_bar_size(d->gpu, 1) == 0);
	assert_true(h100_bar_size(d->gpu, 6) == 0);
	/* Byte by byte, as some firmware programs them. */
	h100_cfg_write(d->gpu, 0x13, 1, 0xab);
	assert_int_equal(cfg(d, 0x10, 4), 0xab00000c);
}

static void test_decode(void **state)
{
	struct driver *d = *state;

	assert_int_equal(driver_rd(d, 0), 0x180000a1);
	h100_cfg_write(d->gpu, 4, 2, 0x4);
	assert_int_equal(driver_rd(d, 0), ~0u);
	h100_cfg_write(d->gpu, 4, 2, 0x2);
	assert_int_equal(driver_rd(d, 0), 0x180000a1);
	assert_true(h100_bar_read(d->gpu, 0, 16u << 20, 4) == ~0u);
	assert_true(h100_bar_read(d->gpu, 0, 2, 4) == ~0u);
	assert_true(h100_bar_read(d->gpu, 0, ~(u64)0 - 3, 4) == ~0u);
	assert_true(h100_bar_read(d->gpu, 1, 0, 4) == ~0u);
	assert_true(h100_bar_read(d->gpu, 0, 0, 3) == 0xffffff);
}

static void test_registers(void **state)
{
	struct driver *d = *state;
	u32 lines;

	assert_int_equal(driver_rd(d, NV_PMC_BOOT_1), 0);
	assert_int_equal(driver_rd(d, NV_PMC_BOOT_42), 0x180a1000);
	assert_int_equal(driver_rd(d, NV_USABLE_FB_SIZE_IN_MB), DRIVER_VIDEO_BYTES >> 20);
	assert_int_equal(driver_rd(d, NV_PFB_PRI_MMU_LOCAL_MEMORY_RANGE), 39 << 4 | 11);
	assert_int_equal(h100_bar_read(d->gpu, 0, 0, 1), 0xa1);
	assert_int_equal(h100_bar_read(d->gpu, 0, 2, 2), 0x1800);
	assert_true(h100_bar_read(d->gpu, 0, 0, 8) == 0x180000a1);
	driver_wr(d, 0, 0);
	assert_int_equal(driver_rd(d, 0), 0x180000a1);

	os_store_relaxed(&d->now, 0x123456789abcdefull);
	assert_int_equal(driver_rd(d, NV_PTIMER_TIME_0), 0x89abcde0);
	assert_int_equal(driver_rd(d, NV_PTIMER_TIME_1), 0x01234567);
	assert_int_equal(driver_rd(d, VF(TIME_0)), 0x89abcde0);
	assert_int_equal(driver_rd(d, VF(PRIV_TIMER(1))), 0x01234567);
	os_store_relaxed(&d->now, 0);

	lines = os_load_relaxed(&d->log_lines);
	assert_int_equal(driver_rd(d, 0x600000), LH_PRI_ERROR_NO_REGISTER);
	assert_int_equal(driver_rd(d, 0x600000), LH_PRI_ERROR_NO_REGISTER);
	driver_wr(d, 0x600000, 1);
	assert_int_equal(os_load_relaxed(&d->log_lines), lines + 1);
	driver_wr(d, 0x600004, 1);
	assert_int_equal(os_load_relaxed(&d->log_lines), lines + 2);
	assert_non_null(strstr(d->last_log, "0x600004"));

	/* Head and tail interleave. */
	driver_wr(d, NV_PFSP_QUEUE_TAIL(3), 0x30);
	driver_wr(d, NV_PFSP_QUEUE_HEAD(3), 0x31);
	driver_wr(d, NV_PFSP_MSGQ_TAIL(7), 0x32);
	assert_int_equal(driver_rd(d, NV_PFSP_QUEUE_TAIL(3)), 0x30);
	assert_int_equal(driver_rd(d, NV_PFSP_QUEUE_HEAD(3)), 0x31);
	assert_int_equal(driver_rd(d, NV_PFSP_MSGQ_TAIL(7)), 0x32);
	assert_int_equal(driver_rd(d, NV_PFSP_QUEUE_HEAD(0) + 64), LH_PRI_ERROR_NO_REGISTER);

	/* GSP belongs to FSP until it is started. */
	assert_int_equal(driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_HWCFG2) & 0xffffff00,
			 0xbadf4100);
	assert_int_equal(driver_rd(d, NV_THERM_I2CS_SCRATCH), 0xff);
}

static void test_emem(void **state)
{
	struct driver *d = *state;
	u32 i;

	driver_wr(d, NV_PFSP_EMEMC(0), 1u << 24);
	for (i = 0; i < 256; i++)
		driver_wr(d, NV_PFSP_EMEMD(0), i * 3);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMC(0)), 1u << 24 | 4 << 8);
	driver_wr(d, NV_PFSP_EMEMD(0), 77); /* past the end: lost */
	driver_wr(d, NV_PFSP_EMEMC(0), 1u << 25 | 1 << 8 | 5 << 2);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMD(0)), 69 * 3);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMD(0)), 70 * 3);
	driver_wr(d, NV_PFSP_EMEMC(0), 0);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMD(0)), 0);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMC(0)), 0);
	driver_wr(d, NV_PFSP_EMEMC(0), 0xff << 8);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMD(0)), LH_PRI_ERROR_NO_REGISTER);
}

static void test_video(void **state)
{
	struct driver *d = *state;

	h100_bar_write(d->gpu, 2, 0x12340, 8, 0x1122334455667788ull);
	assert_true(h100_bar_read(d->gpu, 2, 0x12340, 8) == 0x1122334455667788ull);
	assert_true(h100_bar_read(d->gpu, 2, 0x12342, 1) == 0x66);
	assert_true(h100_bar_read(d->gpu, 4, 0x12344, 4) == 0x11223344);
	/* The window: its base is in units of 64 KiB. */
	driver_wr(d, NV_XAL_EP_BAR0_WINDOW, 1);
	assert_int_equal(driver_rd(d, NV_PRAMIN__LO + 0x2340), 0x55667788);
	h100_bar_write(d->gpu, 0, NV_PRAMIN__LO + 0x2341, 1, 0xee);
	assert_true(h100_bar_read(d->gpu, 2, 0x12340, 4) == 0x5566ee88);
	driver_wr(d, NV_XAL_EP_BAR0_WINDOW, ~0u);
	assert_int_equal(driver_rd(d, NV_XAL_EP_BAR0_WINDOW), 0x3fffff);
	assert_int_equal(driver_rd(d, NV_PRAMIN__LO), ~0u);
	/* The last bytes of memory, and what the BAR has beyond. */
	h100_bar_write(d->gpu, 2, DRIVER_VIDEO_BYTES - 4, 4, 0xabcd);
	assert_true(h100_bar_read(d->gpu, 2, DRIVER_VIDEO_BYTES - 4, 4) == 0xabcd);
	h100_bar_write(d->gpu, 2, DRIVER_VIDEO_BYTES, 4, 1);
	assert_true(h100_bar_read(d->gpu, 2, DRIVER_VIDEO_BYTES, 4) == ~0u);
}

static void test_interrupt_tree(void **state)
{
	struct driver *d = *state;
	u32 before;

	driver_interrupts(d);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_TOP_EN_SET(0))), 1 << 3);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), LH_INTR_VECTOR_GSP);
	assert_int_equal(d->msix[3], 1);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_LEAF(6))), 1);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_TOP(0))), 1 << 3);
	/* Pending already: nothing is said twice. */
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), LH_INTR_VECTOR_GSP);
	assert_int_equal(d->msix[3], 1);
	/* A leaf that is not enabled stays silent until it is. */
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), LH_INTR_VECTOR_GSP + 5);
	assert_int_equal(d->msix[3], 1);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_LEAF(6))), 0x21);
	/* Setting TOP_EN while it is pending sends again: what a driver relies on after service. */
	driver_wr(d, VF(PRIV_CPU_INTR_TOP_EN_CLEAR(0)), 1 << 3);
	driver_wr(d, VF(PRIV_CPU_INTR_TOP_EN_SET(0)), 1 << 3);
	assert_int_equal(d->msix[3], 2);
	/* Write 1 to clear, bit by bit. */
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF(6)), 1);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_LEAF(6))), 0x20);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_TOP(0))), 0);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_EN_SET(6)), 0x20);
	assert_int_equal(d->msix[3], 3);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_LEAF_EN_CLEAR(6))), 0x21);
	/* Another leaf of the same subtree while it is pending. */
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_EN_SET(7)), ~0u);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), 7 * 32 + 31);
	assert_int_equal(d->msix[3], 4);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF(6)), ~0u);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF(7)), ~0u);
	/* Vectors past the tree do nothing. */
	before = d->msix[7];
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), 0xfff);
	assert_int_equal(d->msix[7], before);
	driver_wr(d, VF(PRIV_DOORBELL), 0);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_LEAF(4))), 2);
}

static void pulse(struct driver *d)
{
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF(6)), 1);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), LH_INTR_VECTOR_GSP);
}

static void test_msix_masks(void **state)
{
	struct driver *d = *state;
	const u32 control = LH_MSIX_TABLE + 16 * 3 + 12;

	assert_int_equal(driver_rd(d, control), 1); /* masked out of reset */
	driver_interrupts(d);
	driver_wr(d, control, ~0u);
	assert_int_equal(driver_rd(d, control), 1);
	pulse(d);
	assert_int_equal(d->msix[3], 0);
	assert_int_equal(driver_rd(d, LH_MSIX_PBA), 1 << 3);
	driver_wr(d, control, 0);
	assert_int_equal(d->msix[3], 1);
	assert_int_equal(driver_rd(d, LH_MSIX_PBA), 0);

	h100_cfg_write(d->gpu, 0xb2, 2, 0xc000); /* function mask */
	pulse(d);
	assert_int_equal(d->msix[3], 1);
	assert_int_equal(driver_rd(d, LH_MSIX_PBA), 1 << 3);
	h100_cfg_write(d->gpu, 0xb2, 2, 0x8000);
	assert_int_equal(d->msix[3], 2);

	/* What has been served meanwhile is not sent when the mask goes. */
	driver_wr(d, control, 1);
	pulse(d);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF(6)), 1);
	assert_int_equal(driver_rd(d, LH_MSIX_PBA), 0);
	driver_wr(d, control, 0);
	assert_int_equal(d->msix[3], 2);

	/* Not the bus's master, or MSI-X off: nothing. */
	h100_cfg_write(d->gpu, 4, 2, 0x2);
	pulse(d);
	assert_int_equal(d->msix[3], 2);
	h100_cfg_write(d->gpu, 4, 2, 0x6);
	h100_cfg_write(d->gpu, 0xb2, 2, 0);
	pulse(d);
	assert_int_equal(d->msix[3], 2);
	/* Turning it on while the condition holds sends it. */
	h100_cfg_write(d->gpu, 0xb2, 2, 0x8000);
	assert_int_equal(d->msix[3], 3);
}

static void test_msix_one_vector(void **state)
{
	struct driver *d = *state;
	u32 i;

	driver_interrupts(d);
	for (i = 1; i < LH_MSIX_VECTORS; i++) {
		driver_wr(d, LH_MSIX_TABLE + 16 * i, 0);
		driver_wr(d, LH_MSIX_TABLE + 16 * i + 8, 0);
	}
	pulse(d);
	assert_int_equal(d->msix[0], 1);
	assert_int_equal(d->msix[3], 0);
}

static void test_msi(void **state)
{
	struct driver *d = *state;

	driver_interrupts(d);
	h100_cfg_write(d->gpu, 0xb2, 2, 0);
	h100_cfg_write(d->gpu, 0x4c, 4, (u32)DRIVER_MSIX_ADDRESS);
	h100_cfg_write(d->gpu, 0x50, 4, 0);
	h100_cfg_write(d->gpu, 0x54, 2, 9);
	h100_cfg_write(d->gpu, 0x4a, 2, 1);
	pulse(d);
	assert_int_equal(d->msix[9], 1);
	assert_int_equal(d->msix[3], 0);
}

static void test_off_bus(void **state)
{
	struct driver *d = *state;

	driver_interrupts(d);
	assert_int_equal(h100_inject(d->gpu, "off-bus"), NV_OK);
	assert_int_equal(cfg(d, 0, 4), ~0u);
	assert_int_equal(cfg(d, 0, 1), 0xff);
	assert_int_equal(driver_rd(d, 0), ~0u);
	assert_true(h100_bar_read(d->gpu, 2, 0, 8) == ~(u64)0);
	driver_wr(d, VF(PRIV_CPU_INTR_LEAF_TRIGGER), LH_INTR_VECTOR_GSP);
	h100_bar_write(d->gpu, 2, 0, 4, 5);
	h100_cfg_write(d->gpu, 4, 2, 0);
	assert_int_equal(d->msix[3], 0);
	assert_int_equal(h100_inject(d->gpu, "on-bus"), NV_OK);
	assert_int_equal(cfg(d, 4, 2), 6);
	assert_int_equal(driver_rd(d, 0), 0x180000a1);
	assert_int_equal(driver_rd(d, VF(PRIV_CPU_INTR_LEAF(6))), 0);
	assert_true(h100_bar_read(d->gpu, 2, 0, 4) == 0);
	assert_int_equal(h100_inject(d->gpu, "of-bus"), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_inject(d->gpu, ""), NV_ERR_INVALID_ARGUMENT);
}

static void test_function_reset(void **state)
{
	struct driver *d = *state;

	driver_interrupts(d);
	h100_cfg_write(d->gpu, 0x10, 4, 0xf0000000);
	driver_wr(d, NV_PFSP_QUEUE_TAIL(1), 8);
	h100_cfg_write(d->gpu, 0x68, 2, 0x8000 | cfg(d, 0x68, 2));
	assert_int_equal(cfg(d, 4, 2), 0);
	assert_int_equal(cfg(d, 0x10, 4), 0xc);
	assert_int_equal(cfg(d, 0xb2, 2), 8);
	assert_int_equal(cfg(d, 0x68, 2) & 0x8000, 0);
	h100_cfg_write(d->gpu, 4, 2, 6);
	assert_int_equal(driver_rd(d, NV_PFSP_QUEUE_TAIL(1)), 0);
	assert_int_equal(driver_rd(d, LH_MSIX_TABLE + 8), 0);
	/* FSP has to boot first. */
	assert_int_equal(driver_rd(d, NV_THERM_I2CS_SCRATCH), 0);
	assert_true(h100_lend(d->gpu));
	assert_int_equal(driver_rd(d, NV_THERM_I2CS_SCRATCH), 0xff);
}

static void test_sixteen(void **state)
{
	struct h100_config config = { .count = 16 };
	struct driver *d = calloc(16, sizeof(*d));
	u32 i;

	assert_non_null(d);
	for (i = 0; i < 16; i++) {
		config.index = i;
		driver_open(&d[i], &config);
		h100_bar_write(d[i].gpu, 2, DRIVER_VIDEO_BYTES - 8, 8, i + 1);
	}
	for (i = 0; i < 16; i++) {
		assert_true(h100_bar_read(d[i].gpu, 2, DRIVER_VIDEO_BYTES - 8, 8) == i + 1);
		assert_int_equal(h100_cfg_read(d[i].gpu, LH_VSEC_OFFSET + 20, 4), i);
	}
	for (i = 0; i < 16; i++)
		driver_close(&d[i]);
	free(d);
}

static void test_create_failures(void **state)
{
	struct driver *d = malloc(sizeof(*d));
	u64 live, n;

	assert_non_null(d);
	if (!os_user_fail_alloc(0)) {
		free(d);
		skip();
	}
	live = unit_live();
	for (n = 1; n < 200; n++) {
		u64 failed = unit_failed();

		os_user_fail_alloc(n);
		if (driver_try_open(d, NULL) == NV_OK) {
			os_user_fail_alloc(0);
			driver_close(d);
			assert_int_equal(unit_failed(), failed);
			break;
		}
		assert_int_equal(unit_live(), live);
	}
	assert_true(n > 3);
	assert_int_equal(unit_live(), live);
	free(d);
}

#define GPU_TEST(fn) cmocka_unit_test_setup_teardown(fn, open_gpu, close_gpu)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GPU_TEST(test_identity),
		GPU_TEST(test_capabilities),
		GPU_TEST(test_link),
		GPU_TEST(test_bars),
		GPU_TEST(test_decode),
		GPU_TEST(test_registers),
		GPU_TEST(test_emem),
		GPU_TEST(test_video),
		GPU_TEST(test_interrupt_tree),
		GPU_TEST(test_msix_masks),
		GPU_TEST(test_msix_one_vector),
		GPU_TEST(test_msi),
		GPU_TEST(test_off_bus),
		GPU_TEST(test_function_reset),
		cmocka_unit_test(test_sixteen),
		cmocka_unit_test(test_create_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
