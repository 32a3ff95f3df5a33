// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Confidential mode as clients see it: class NV_CONFIDENTIAL_COMPUTE, protected memory, when the
 * work of clients is refused, and one GPU's loss beside another.
 */
#include "rm_host.h"

#include "base/bits.h"
#include "unit.h"

#define COMPUTE 0xcb01u

static void start(u32 gpus, enum h100_cc cc, enum os_tee tee)
{
	const struct fixture_gpu_config like = { .cc = cc };

	os_user_set_tee(tee);
	host_start_like(gpus, &like);
	host_be(true);
	host_program.gpu = host_open(RM_NODE_GPU, 0);
	host_program.ctl = host_open(RM_NODE_CONTROL, 0);
}

static int end(void **state)
{
	int rc = host_end(state);

	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

static void make_all(void)
{
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS compute = { 0 };

	assert_true(host_program.gpu >= 0);
	assert_true(host_program.ctl >= 0);
	host_program.client = host_client(host_program.ctl);
	compute.hClient = host_program.client;
	assert_int_equal(host_make(host_program.client, HOST_DEVICE, NV01_DEVICE_0, &device),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, HOST_SUBDEVICE, NV20_SUBDEVICE_0, &subdevice),
			 NV_OK);
	assert_int_equal(host_make(host_program.client, COMPUTE, NV_CONFIDENTIAL_COMPUTE, &compute),
			 NV_OK);
}

static void expect_mode(u8 cpu, u8 environment, u8 feature, u8 devtools)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES_PARAMS p;

	memset(&p, 0xff, sizeof(p));
	assert_int_equal(
		host_ask(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES, &p, sizeof(p)),
		NV_OK);
	assert_int_equal(p.cpuCapability, cpu);
	assert_int_equal(p.gpusCapability, NV_CONF_COMPUTE_SYSTEM_GPUS_CAPABILITY_HCC);
	assert_int_equal(p.environment, environment);
	assert_int_equal(p.ccFeature, feature);
	assert_int_equal(p.devToolsMode, devtools);
}

static bool ready(void)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE_PARAMS p = { 0x55 };

	assert_int_equal(
		host_ask(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE, &p, sizeof(p)),
		NV_OK);
	return p.bAcceptClientRequest;
}

static u32 set_ready(bool on)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE_PARAMS p = { on };

	return host_ask(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, &p, sizeof(p));
}

static void on_is_shown(void **state)
{
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE_PARAMS memory = { .hSubDevice =
									       HOST_SUBDEVICE };
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_NUM_SECURE_CHANNELS_PARAMS channels = {
		.hSubDevice = HOST_SUBDEVICE
	};
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS fb = { .fbInfoListSize = 2 };

	start(1, H100_CC_ON, OS_TEE_TDX);
	make_all();
	expect_mode(NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_INTEL_TDX,
		    NV_CONF_COMPUTE_SYSTEM_ENVIRONMENT_SIM,
		    NV_CONF_COMPUTE_SYSTEM_FEATURE_HCC_ENABLED,
		    NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_DISABLED);
	assert_int_equal(host_ask(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE, &memory,
				  sizeof(memory)),
			 NV_OK);
	assert_true(memory.protectedMemSizeInKb > 70u << 20);
	assert_int_equal(memory.unprotectedMemSizeInKb, 0);
	assert_int_equal(host_ask(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_NUM_SECURE_CHANNELS,
				  &channels, sizeof(channels)),
			 NV_OK);
	assert_int_not_equal(channels.maxSec2Channels, 0);
	assert_int_not_equal(channels.maxCeChannels, 0);
	fb.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_PROTECTED_MEM_SIZE_TOTAL_KB;
	fb.fbInfoList[1].index = NV2080_CTRL_FB_INFO_INDEX_PROTECTED_MEM_SIZE_FREE_KB;
	assert_int_equal(host_ask(HOST_SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, &fb, sizeof(fb)),
			 NV_OK);
	assert_int_equal(fb.fbInfoList[0].data, (u32)memory.protectedMemSizeInKb);
	assert_true(fb.fbInfoList[1].data <= fb.fbInfoList[0].data);
	assert_int_not_equal(fb.fbInfoList[1].data, 0);
}

static void devtools_are_shown_and_ready(void **state)
{
	start(1, H100_CC_DEVTOOLS, OS_TEE_SEV);
	make_all();
	expect_mode(NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_AMD_SEV,
		    NV_CONF_COMPUTE_SYSTEM_ENVIRONMENT_SIM,
		    NV_CONF_COMPUTE_SYSTEM_FEATURE_HCC_ENABLED,
		    NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_ENABLED);
	assert_true(ready());
}

static void off_is_shown(void **state)
{
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE_PARAMS memory = { .hSubDevice =
									       HOST_SUBDEVICE };

	start(1, H100_CC_OFF, OS_TEE_NONE);
	make_all();
	expect_mode(NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_NONE,
		    NV_CONF_COMPUTE_SYSTEM_ENVIRONMENT_UNAVAILABLE,
		    NV_CONF_COMPUTE_SYSTEM_FEATURE_DISABLED,
		    NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_DISABLED);
	assert_int_equal(host_ask(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE, &memory,
				  sizeof(memory)),
			 NV_OK);
	assert_int_equal(memory.protectedMemSizeInKb, 0);
	assert_int_not_equal(memory.unprotectedMemSizeInKb, 0);
}

/* A client's secure channel; what is wrong with the rest of it comes after. */
static u32 secure_channel(void)
{
	NV_CHANNEL_ALLOC_PARAMS p = { .flags = (u32)REG_PREP(NVOS04_FLAGS_CC_SECURE,
							     NVOS04_FLAGS_CC_SECURE_TRUE),
				      .engineType = NV2080_ENGINE_TYPE_COPY2 };

	return host_make(HOST_DEVICE, 0xcafeu, HOPPER_CHANNEL_GPFIFO_A, &p);
}

static void work_waits_until_the_gpus_are_ready(void **state)
{
	start(1, H100_CC_ON, OS_TEE_TDX);
	make_all();
	assert_false(ready());
	assert_int_equal(secure_channel(), NV_ERR_NOT_READY);
	host_be(false);
	assert_int_equal(set_ready(true), NV_ERR_INSUFFICIENT_PERMISSIONS);
	host_be(true);
	assert_int_equal(set_ready(true), NV_OK);
	assert_true(ready());
	assert_int_not_equal(secure_channel(), NV_ERR_NOT_READY);
	assert_int_equal(set_ready(false), NV_OK);
	assert_int_equal(secure_channel(), NV_ERR_NOT_READY);
}

/* The first GPU that runs begins anew. */
static void readiness_ends_with_the_last_gpu(void **state)
{
	start(1, H100_CC_ON, OS_TEE_TDX);
	make_all();
	assert_int_equal(set_ready(true), NV_OK);
	host_close(host_program.ctl);
	host_close(host_program.gpu);
	host_program.gpu = host_open(RM_NODE_GPU, 0);
	host_program.ctl = host_open(RM_NODE_CONTROL, 0);
	make_all();
	assert_false(ready());
}

static void a_gpu_is_lost_alone(void **state)
{
	int other;

	start(2, H100_CC_ON, OS_TEE_TDX);
	make_all();
	other = host_open(RM_NODE_GPU, 1);
	assert_true(other >= 0);
	host_close(other);
	fixture_gpu_inject(&host.gpus[1], "gsp-crash");
	other = host_open(RM_NODE_GPU, 1);
	assert_true(ready() == false);
	assert_int_equal(set_ready(true), NV_OK);
	expect_mode(NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_INTEL_TDX,
		    NV_CONF_COMPUTE_SYSTEM_ENVIRONMENT_SIM,
		    NV_CONF_COMPUTE_SYSTEM_FEATURE_HCC_ENABLED,
		    NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_DISABLED);
	if (other >= 0)
		host_close(other);
}

static void without_a_tee_nothing_opens(void **state)
{
	start(1, H100_CC_ON, OS_TEE_NONE);
	assert_true(host_program.gpu < 0);
	host_close(host_program.ctl);
	host_program.ctl = host_program.gpu = -1;
}

#define M(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		M(on_is_shown),
		M(devtools_are_shown_and_ready),
		M(off_is_shown),
		M(work_waits_until_the_gpus_are_ready),
		M(readiness_ends_with_the_last_gpu),
		M(a_gpu_is_lost_alone),
		M(without_a_tee_nothing_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
