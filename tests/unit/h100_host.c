// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The function under a host that keeps video memory in pages of its own and has a wire for INTA#,
 * as the kernel module does.
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/function/function.h"
#include "unit.h"

#define PAGES 4u
#define PAGE 4096u
#define STATUS_INTX 8u
#define VF(name) (LH_VF_BASE + NV_VIRTUAL_FUNCTION_##name)

struct host {
	struct h100_function fn;
	u8 pages[PAGES][PAGE];
	u32 reads, writes, asserted, messages, work;
};

static void on_work(void *ctx, u32 work)
{
	((struct host *)ctx)->work |= work;
}

static void on_msix(void *ctx, u64 address, u32 data)
{
	((struct host *)ctx)->messages++;
}

static void on_intx(void *ctx)
{
	struct host *h = ctx;

	assert_true(h100_function_intx(&h->fn));
	h->asserted++;
}

static u64 on_now(void *ctx)
{
	return 0;
}

static void on_log(void *ctx, int level, const char *text)
{
}

static u64 on_video_read(void *ctx, u64 address, u32 width)
{
	struct host *h = ctx;

	h->reads++;
	assert_true(address / PAGE < PAGES);
	return h100_video_load(&h->pages[address / PAGE][address % PAGE], width);
}

static void on_video_write(void *ctx, u64 address, u32 width, u64 value)
{
	struct host *h = ctx;

	h->writes++;
	assert_true(address / PAGE < PAGES);
	h100_video_store(&h->pages[address / PAGE][address % PAGE], width, value);
}

static const struct h100_function_ops ops = {
	.work = on_work,
	.msix = on_msix,
	.intx = on_intx,
	.now_ns = on_now,
	.log = on_log,
	.video_read = on_video_read,
	.video_write = on_video_write,
};

static int open_host(void **state)
{
	static const struct h100_function_identity identity = {
		.vendor_id = 0x10de,
		.device_id = 0x2330,
		.bar_bytes = { MIB(16), MIB(64), MIB(32) },
		.video_bytes = PAGES * PAGE,
	};
	struct host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	assert_int_equal(h100_function_init(&h->fn, &ops, h, &identity, NULL), NV_OK);
	h100_function_cfg_write(&h->fn, 4, 2, 6);
	*state = h;
	return 0;
}

static int close_host(void **state)
{
	struct host *h = *state;

	h100_function_destroy(&h->fn);
	free(h);
	return 0;
}

static void test_video(void **state)
{
	struct host *h = *state;
	struct h100_function *fn = &h->fn;

	h100_function_bar_write(fn, 2, PAGE + 8, 8, 0x1122334455667788ull);
	assert_true(h100_function_bar_read(fn, 4, PAGE + 8, 4) == 0x55667788);
	assert_true(h100_function_bar_read(fn, 2, PAGE + 14, 2) == 0x1122);
	h100_function_bar_write(fn, 0, NV_PRAMIN__LO + PAGE + 8, 1, 0xee);
	assert_true(h100_function_bar_read(fn, 0, NV_PRAMIN__LO + PAGE + 8, 2) == 0x77ee);
	assert_int_equal(h->reads, 3);
	assert_int_equal(h->writes, 2);
	/* Beyond memory and across its end nobody asks the host. */
	assert_true(h100_function_bar_read(fn, 2, PAGES * PAGE, 4) == ~0u);
	h100_function_bar_write(fn, 2, PAGES * PAGE, 4, 1);
	assert_int_equal(h->reads, 3);
	assert_int_equal(h->writes, 2);
}

static u32 status(struct host *h)
{
	return h100_function_cfg_read(&h->fn, 6, 2);
}

static void enable_tree(struct host *h)
{
	u32 leaf = LH_INTR_VECTOR_GSP / 32;

	h100_function_bar_write(&h->fn, 0, VF(PRIV_CPU_INTR_LEAF_EN_SET(leaf)), 4, ~0u);
	h100_function_bar_write(&h->fn, 0, VF(PRIV_CPU_INTR_TOP_EN_SET(0)), 4, ~0u);
}

static void clear_leaf(struct host *h)
{
	h100_function_bar_write(&h->fn, 0, VF(PRIV_CPU_INTR_LEAF(LH_INTR_VECTOR_GSP / 32)), 4, ~0u);
}

static void test_intx(void **state)
{
	struct host *h = *state;

	h100_intr_raise(&h->fn, LH_INTR_VECTOR_GSP);
	assert_false(h100_function_intx(&h->fn));
	enable_tree(h);
	assert_int_equal(h->asserted, 1);
	assert_int_equal(status(h) & STATUS_INTX, STATUS_INTX);
	/* A level: more of the same says nothing, serving it takes it away. */
	h100_intr_raise(&h->fn, LH_INTR_VECTOR_GSP + 1);
	assert_int_equal(h->asserted, 1);
	clear_leaf(h);
	assert_false(h100_function_intx(&h->fn));
	assert_int_equal(status(h) & STATUS_INTX, 0);
	h100_intr_raise(&h->fn, LH_INTR_VECTOR_GSP);
	assert_int_equal(h->asserted, 2);
	assert_int_equal(h->messages, 0);
}

static void test_intx_disabled(void **state)
{
	struct host *h = *state;

	enable_tree(h);
	h100_function_cfg_write(&h->fn, 4, 2, 0x406);
	h100_intr_raise(&h->fn, LH_INTR_VECTOR_GSP);
	assert_int_equal(h->asserted, 0);
	assert_false(h100_function_intx(&h->fn));
	/* The status bit shows it all the same. */
	assert_int_equal(status(h) & STATUS_INTX, STATUS_INTX);
	h100_function_cfg_write(&h->fn, 4, 2, 0x6);
	assert_int_equal(h->asserted, 1);
	/* Not twice for the same. */
	h100_function_cfg_write(&h->fn, 4, 2, 0x6);
	assert_int_equal(h->asserted, 1);
}

static void test_intx_or_message(void **state)
{
	struct host *h = *state;

	enable_tree(h);
	h100_function_cfg_write(&h->fn, 0x4a, 2, 1); /* MSI */
	h100_intr_raise(&h->fn, LH_INTR_VECTOR_GSP);
	assert_int_equal(h->messages, 1);
	assert_int_equal(h->asserted, 0);
	assert_int_equal(status(h) & STATUS_INTX, 0);
	h100_function_cfg_write(&h->fn, 0x4a, 2, 0);
	assert_int_equal(h->asserted, 1);
	h100_function_cfg_write(&h->fn, 0x4a, 2, 1);
	assert_false(h100_function_intx(&h->fn));
}

static void test_intx_gone(void **state)
{
	struct host *h = *state;

	enable_tree(h);
	h100_intr_raise(&h->fn, LH_INTR_VECTOR_GSP);
	os_store_relaxed(&h->fn.off_bus, 1u);
	assert_false(h100_function_intx(&h->fn));
	os_store_relaxed(&h->fn.off_bus, 0u);
	assert_true(h100_function_intx(&h->fn));
	h100_function_reset(&h->fn);
	assert_int_equal(h->work, H100_WORK_RESET);
	assert_false(h100_function_intx(&h->fn));
}

static void test_audio_quirk(void **state)
{
	struct host *h = *state;

	/* What Linux looks at before it enables the audio function of an NVIDIA GPU. */
	assert_true((h100_function_cfg_read(&h->fn, 0x488, 4) & 1u << 25) != 0);
	assert_int_equal(h100_function_cfg_read(&h->fn, 0xe, 1), 0);
}

#define HOST_TEST(fn) cmocka_unit_test_setup_teardown(fn, open_host, close_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_video),	       HOST_TEST(test_intx),
		HOST_TEST(test_intx_disabled), HOST_TEST(test_intx_or_message),
		HOST_TEST(test_intx_gone),     HOST_TEST(test_audio_quirk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
