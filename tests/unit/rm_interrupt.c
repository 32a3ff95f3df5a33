// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * QUERY_DEVICE_INTR: the word that the GPU's register holds, and nothing taken away by asking.
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/gpu/gpu.h"
#include "rm_host.h"
#include "unit.h"

#define INTR 0x100u
/* A vector that no driver has enabled: it stays pending and sends nothing. */
#define VECTOR 17u
#define LEAF NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(VECTOR / 32)
#define TRIGGER NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_TRIGGER
#define UNTOUCHED 0xa5a5a5a5u

static int gpu;

static int start(void **state)
{
	host_start(1);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	return 0;
}

static u32 model_read(u32 offset)
{
	return (u32)h100_bar_read(host.gpus[0].model, 0, offset, 4);
}

static enum rm_ioctl_result query(nv_ioctl_query_device_intr *p)
{
	*p = (nv_ioctl_query_device_intr){ .intrStatus = UNTOUCHED, .status = UNTOUCHED };
	return host_ioctl(gpu, NV_ESC_QUERY_DEVICE_INTR, p, sizeof(*p));
}

static void test_the_registers_word(void **state)
{
	const u32 leaf = (u32)(LH_VF_BASE + LEAF), trigger = (u32)(LH_VF_BASE + TRIGGER);
	nv_ioctl_query_device_intr p;

	assert_int_equal(query(&p), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	assert_int_equal(p.intrStatus, model_read(INTR));

	h100_bar_write(host.gpus[0].model, 0, trigger, 4, VECTOR);
	assert_int_equal(model_read(leaf) & BIT32(VECTOR % 32), BIT32(VECTOR % 32));
	assert_int_equal(query(&p), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	assert_int_equal(p.intrStatus, model_read(INTR));
	/* Asking is not serving. */
	assert_int_equal(model_read(leaf) & BIT32(VECTOR % 32), BIT32(VECTOR % 32));
}

/* What the register holds when it holds something: the same word, and read, not remembered. */
static void test_each_answer_is_read(void **state)
{
	nv_ioctl_query_device_intr p;

	assert_int_equal(query(&p), RM_IOCTL_OK);
	assert_int_not_equal(p.intrStatus, ~0u);
	/* Off the bus, before the driver noticed, every register reads as ones. */
	fixture_gpu_inject(&host.gpus[0], "off-bus");
	assert_int_equal(model_read(INTR), ~0u);
	if (query(&p) == RM_IOCTL_OK)
		assert_int_equal(p.intrStatus, ~0u);
	else
		assert_int_equal(p.intrStatus, UNTOUCHED);
	/* Noticed: no word of a GPU that is not there. */
	rm_gpu_lose(host.rm_gpus[0], RM_XID_OFF_BUS, "test");
	assert_int_equal(query(&p), RM_IOCTL_EINVAL);
	assert_int_equal(p.intrStatus, UNTOUCHED);
	assert_int_equal(p.status, UNTOUCHED);
}

static void test_registers_that_are_not_mapped(void **state)
{
	u64 *size = &host.rm_gpus[0]->bars[0].size, whole = *size;
	nv_ioctl_query_device_intr p;

	*size = 0;
	assert_int_equal(query(&p), RM_IOCTL_EINVAL);
	assert_int_equal(p.intrStatus, UNTOUCHED);
	assert_int_equal(p.status, UNTOUCHED);
	*size = INTR;
	assert_int_equal(query(&p), RM_IOCTL_EINVAL);
	*size = whole;
	assert_int_equal(query(&p), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, host_end)
	const struct CMUnitTest tests[] = {
		T(test_the_registers_word),
		T(test_each_answer_is_read),
		T(test_registers_that_are_not_mapped),
	};

	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
