// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The small classes: where an object of each may stand, how many there may be, and what their
 * commands say. Diagnostics, display, confidential computing, fabric manager, GPU management.
 */
#include "rm_host.h"
#include "unit.h"

#include "abi/tables.h"

#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define MEMORY 0xe0u
#define OBJECT 0xf0u
#define SECOND 0xf1u
#define NOWHERE 0xbadu

static int ctl, other;
static u32 client, others;

static void be(u32 uid)
{
	const struct os_cred cred = { .pid = 4000, .uid = uid, .gid = uid, .admin = uid == 0 };

	os_user_set_cred(&cred);
}

static u32 make(u32 root, u32 parent, u32 handle, u32 class_id, void *params)
{
	return host_alloc(ctl, root, parent, &handle, class_id, params, 0);
}

static int start(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = 8192 };
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };

	be(0);
	host_start(1);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	other = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	others = host_client(other);
	assert_int_equal(make(client, client, DEVICE, NV01_DEVICE_0, &d), NV_OK);
	assert_int_equal(make(client, DEVICE, SUBDEVICE, NV20_SUBDEVICE_0, NULL), NV_OK);
	assert_int_equal(make(client, DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &m), NV_OK);
	return 0;
}

static u32 control(u32 object, u32 cmd, void *params, u32 size)
{
	return host_control(ctl, client, object, cmd, params, size);
}

/* -- Places ------------------------------------------------------------------------------------ */

/* params: what the class needs to be given at all. */
static void refuse_elsewhere(u32 class_id, u32 parent, const u32 *wrong, u32 count, void *params)
{
	u32 i;

	for (i = 0; i < count; i++)
		assert_int_equal(make(client, wrong[i], OBJECT, class_id, params),
				 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(make(client, NOWHERE, OBJECT, class_id, params), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(make(NOWHERE, parent, OBJECT, class_id, params),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(make(0, parent, OBJECT, class_id, params), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(make(others, parent == client ? others : parent, OBJECT, class_id, params),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(make(client, parent, SUBDEVICE, class_id, params),
			 NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(make(client, parent, client, class_id, params),
			 NV_ERR_INVALID_OBJECT_HANDLE);
}

/* Twice: the client's handle map may still be shrinking after what an earlier test freed. */
static void refused_elsewhere(u32 class_id, u32 parent, const u32 *wrong, u32 count, void *params)
{
	u64 held;

	refuse_elsewhere(class_id, parent, wrong, count, params);
	held = unit_live_settled();
	refuse_elsewhere(class_id, parent, wrong, count, params);
	assert_true(unit_live_becomes(held));
}

static const u32 not_the_subdevice[] = { DEVICE, MEMORY };
static const u32 not_the_client[] = { DEVICE, SUBDEVICE, MEMORY };

/* -- NV20_SUBDEVICE_DIAG ----------------------------------------------------------------------- */

static void test_diagnostics(void **state)
{
	NV208F_CTRL_BIF_INFO_PARAMS info = { .index = NV208F_CTRL_BIF_INFO_INDEX_L0S_ENABLED };
	NV208F_CTRL_FB_CLEAR_REMAPPED_ROWS_PARAMS rows = { 0 };
	u8 more[sizeof(info) + 1] = { 0 };
	NV2080_CTRL_GPU_GET_INFO_V2_PARAMS gpu_info = { 0 };

	refused_elsewhere(NV20_SUBDEVICE_DIAG, SUBDEVICE, not_the_subdevice,
			  ARRAY_SIZE(not_the_subdevice), NULL);
	assert_int_equal(make(client, client, OBJECT, NV20_SUBDEVICE_DIAG, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(make(client, SUBDEVICE, OBJECT, NV20_SUBDEVICE_DIAG, NULL), NV_OK);
	assert_int_equal(make(client, SUBDEVICE, SECOND, NV20_SUBDEVICE_DIAG, NULL),
			 NV_ERR_STATE_IN_USE);
	/* The firmware's to answer, and it has no diagnostics. */
	assert_int_equal(control(OBJECT, NV208F_CTRL_CMD_BIF_INFO, &info, sizeof(info)),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(OBJECT, NV208F_CTRL_CMD_BIF_INFO, more, sizeof(more)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(OBJECT, NV208F_CTRL_CMD_BIF_INFO, NULL, 0),
			 NV_ERR_INVALID_ARGUMENT);
	/* Another class's command, and its own to another object. */
	assert_int_equal(
		control(OBJECT, NV2080_CTRL_CMD_GPU_GET_INFO_V2, &gpu_info, sizeof(gpu_info)),
		NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(SUBDEVICE, NV208F_CTRL_CMD_BIF_INFO, &info, sizeof(info)),
			 NV_ERR_NOT_SUPPORTED);
	be(1000);
	assert_int_equal(
		control(OBJECT, NV208F_CTRL_CMD_FB_CLEAR_REMAPPED_ROWS, &rows, sizeof(rows)),
		NV_ERR_INSUFFICIENT_PERMISSIONS);
	be(0);
	assert_int_equal(
		control(OBJECT, NV208F_CTRL_CMD_FB_CLEAR_REMAPPED_ROWS, &rows, sizeof(rows)),
		NV_ERR_NOT_SUPPORTED);
	assert_int_equal(host_free(ctl, client, OBJECT), NV_OK);
	assert_int_equal(control(OBJECT, NV208F_CTRL_CMD_BIF_INFO, &info, sizeof(info)),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(make(client, SUBDEVICE, SECOND, NV20_SUBDEVICE_DIAG, NULL), NV_OK);
}

/* -- Display ----------------------------------------------------------------------------------- */

static void test_no_display(void **state)
{
	static const u32 privileged[] = { NVC570_DISPLAY, NVC670_DISPLAY, NVC770_DISPLAY,
					  NVC372_DISPLAY_SW };
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	u64 held = unit_live_settled();
	u32 i;

	/* Tools ask for it on every GPU, and go on where it is no class. */
	assert_int_equal(make(client, DEVICE, OBJECT, NV04_DISPLAY_COMMON, NULL), 0x22);
	assert_int_equal(NV_ERR_INVALID_CLASS, 0x22);
	assert_int_equal(make(client, SUBDEVICE, OBJECT, NV04_DISPLAY_COMMON, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(make(NOWHERE, DEVICE, OBJECT, NV04_DISPLAY_COMMON, NULL),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	for (i = 0; i < ARRAY_SIZE(privileged); i++) {
		be(1000);
		assert_int_equal(make(client, DEVICE, OBJECT, privileged[i], NULL),
				 NV_ERR_INSUFFICIENT_PERMISSIONS);
		be(0);
		assert_int_equal(make(client, DEVICE, OBJECT, privileged[i], NULL),
				 NV_ERR_INVALID_CLASS);
	}
	/* Nothing stands there that a command could be sent to. */
	assert_int_equal(control(OBJECT, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids, sizeof(ids)),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_true(unit_live_becomes(held));
}

/* -- A subdevice's commands that are partly the firmware's ------------------------------------- */

static void test_memory_facts(void **state)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 3 };

	p.fbInfoList[0].index = NV2080_CTRL_FB_INFO_FBPA_ECC_ENABLED;
	p.fbInfoList[1].index = NV2080_CTRL_FB_INFO_DYNAMIC_PAGE_OFFLINING_ENABLED;
	p.fbInfoList[2].index = NV2080_CTRL_FB_INFO_INDEX_RAM_TYPE;
	assert_int_equal(control(SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)), NV_OK);
	assert_int_equal(p.fbInfoList[0].data, 1);
	assert_int_equal(p.fbInfoList[1].data, 1);
	assert_int_equal(p.fbInfoList[2].data, NV2080_CTRL_FB_INFO_RAM_TYPE_HBM3);
}

static void test_rated_power(void **state)
{
	NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS p = {
		.client = NV2080_CTRL_PERF_RATED_TDP_CLIENT_GLOBAL,
		.input = NV2080_CTRL_PERF_RATED_TDP_ACTION_FORCE_LIMIT,
	};

	assert_int_equal(
		control(SUBDEVICE, NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, &p, sizeof(p)),
		NV_OK);
	p.input = 0;
	assert_int_equal(
		control(SUBDEVICE, NV2080_CTRL_CMD_PERF_RATED_TDP_GET_CONTROL, &p, sizeof(p)),
		NV_OK);
	assert_int_equal(p.input, NV2080_CTRL_PERF_RATED_TDP_ACTION_FORCE_LIMIT);
	p.client = NV2080_CTRL_PERF_RATED_TDP_CLIENT_RM;
	assert_int_equal(
		control(SUBDEVICE, NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, &p, sizeof(p)),
		NV_ERR_INVALID_ARGUMENT);
}

/* What libcuda registers of memory that other devices might be given. */
static void test_third_party(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS vaspace = { 0 };
	NV503C_ALLOC_PARAMETERS params = { .flags = NV503C_ALLOC_PARAMETERS_FLAGS_TYPE_NVLINK };
	NV503C_CTRL_REGISTER_VA_SPACE_PARAMS space = { .hVASpace = MEMORY };
	NV503C_CTRL_UNREGISTER_VA_SPACE_PARAMS no_space = { .hVASpace = OBJECT + 1 };
	NV503C_CTRL_REGISTER_VIDMEM_PARAMS memory = { .hMemory = MEMORY, .size = 8193 };
	NV503C_CTRL_UNREGISTER_VIDMEM_PARAMS no_memory = { .hMemory = MEMORY };
	NV503C_CTRL_REGISTER_PID_PARAMS pid = { .hClient = others };

	assert_int_equal(make(client, SUBDEVICE, OBJECT, NV50_THIRD_PARTY_P2P, &params),
			 NV_ERR_NOT_SUPPORTED);
	params.flags = NV503C_ALLOC_PARAMETERS_FLAGS_TYPE_BAR1;
	assert_int_equal(make(client, SUBDEVICE, OBJECT, NV50_THIRD_PARTY_P2P, &params), NV_OK);
	assert_int_equal(make(client, DEVICE, OBJECT + 1, FERMI_VASPACE_A, &vaspace), NV_OK);
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_VA_SPACE, &space, sizeof(space)),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(
		control(OBJECT, NV503C_CTRL_CMD_UNREGISTER_VA_SPACE, &no_space, sizeof(no_space)),
		NV_ERR_OBJECT_NOT_FOUND);
	space.hVASpace = OBJECT + 1;
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_VA_SPACE, &space, sizeof(space)),
			 NV_OK);
	assert_true(space.vaSpaceToken != 0);
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_VA_SPACE, &space, sizeof(space)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		control(OBJECT, NV503C_CTRL_CMD_UNREGISTER_VA_SPACE, &no_space, sizeof(no_space)),
		NV_OK);
	memory.offset = 1 << 30;
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_VIDMEM, &memory, sizeof(memory)),
			 NV_ERR_INVALID_ARGUMENT);
	memory.offset = 0;
	memory.size = 8192;
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_VIDMEM, &memory, sizeof(memory)),
			 NV_OK);
	assert_int_equal(
		control(OBJECT, NV503C_CTRL_CMD_UNREGISTER_VIDMEM, &no_memory, sizeof(no_memory)),
		NV_OK);
	assert_int_equal(
		control(OBJECT, NV503C_CTRL_CMD_UNREGISTER_VIDMEM, &no_memory, sizeof(no_memory)),
		NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_VIDMEM, &memory, sizeof(memory)),
			 NV_OK);
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_PID, &pid, sizeof(pid)),
			 NV_ERR_INVALID_CLIENT);
	pid.hClient = client;
	assert_int_equal(control(OBJECT, NV503C_CTRL_CMD_REGISTER_PID, &pid, sizeof(pid)), NV_OK);
	assert_int_equal(host_free(ctl, client, OBJECT + 1), NV_OK);
	assert_int_equal(host_free(ctl, client, OBJECT), NV_OK);
}

/* The GPU's master control. */
static void test_master(void **state)
{
	NV90E6_CTRL_MASTER_GET_VIRTUAL_FUNCTION_ERROR_CONT_INTR_MASK_PARAMS mask = { ~0u, ~0u };
	NV2080_CTRL_GPU_GET_COMPUTE_POLICY_CONFIG_PARAMS policy = { 0 };

	assert_int_equal(make(client, SUBDEVICE, OBJECT, GF100_SUBDEVICE_MASTER, NULL), NV_OK);
	assert_int_equal(control(OBJECT,
				 NV90E6_CTRL_CMD_MASTER_GET_VIRTUAL_FUNCTION_ERROR_CONT_INTR_MASK,
				 &mask, sizeof(mask)),
			 NV_OK);
	assert_int_equal(mask.eccMask | mask.nvlinkMask, 0);
	assert_int_equal(host_free(ctl, client, OBJECT), NV_OK);
	assert_int_equal(control(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_COMPUTE_POLICY_CONFIG, &policy,
				 sizeof(policy)),
			 NV_OK);
	assert_int_equal(policy.numConfigs, 1);
}

/* -- Classes without objects ------------------------------------------------------------------- */

static void test_listed(void **state)
{
	NV0080_CTRL_GPU_GET_CLASSLIST_V2_PARAMS list = { 0 };
	NV_MEMORY_ALLOCATION_PARAMS memory = { .owner = 1, .size = 8192 };
	NV_CHANNEL_ALLOC_PARAMS channel = { 0 };
	u64 held = unit_live_settled();
	u32 i;

	/* The GPU has them, the driver nothing to make of them. */
	assert_int_equal(NV_ERR_NOT_SUPPORTED, 0x56);
	assert_int_equal(make(client, SUBDEVICE, OBJECT, GF100_SUBDEVICE_INFOROM, NULL), 0x56);
	assert_int_equal(make(client, SUBDEVICE, OBJECT, GF100_ZBC_CLEAR, NULL), 0x56);
	assert_int_equal(make(client, DEVICE, OBJECT, NV50_MEMORY_VIRTUAL, &memory),
			 NV_ERR_INVALID_ARGUMENT);
	/* Of the same kinds, and no class of this GPU. */
	assert_int_equal(make(client, DEVICE, OBJECT, MAXWELL_CHANNEL_GPFIFO_A, &channel),
			 NV_ERR_INVALID_CLASS);
	refused_elsewhere(GF100_SUBDEVICE_INFOROM, SUBDEVICE, not_the_subdevice,
			  ARRAY_SIZE(not_the_subdevice), NULL);
	/* Whatever stands in the list is a class of the interface. */
	assert_int_equal(control(DEVICE, NV0080_CTRL_CMD_GPU_GET_CLASSLIST_V2, &list, sizeof(list)),
			 NV_OK);
	assert_int_equal(list.numClasses, 35);
	for (i = 0; i < list.numClasses; i++)
		assert_non_null(abi_class_find(list.classList[i]));
	assert_true(unit_live_becomes(held));
}

/* -- NV_CONFIDENTIAL_COMPUTE ------------------------------------------------------------------- */

static void test_confidential_computing(void **state)
{
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS params = { .hClient = NOWHERE };
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES_PARAMS caps;
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE_PARAMS ready = { .bAcceptClientRequest = 7 };
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE_PARAMS set = { .bAcceptClientRequest = 1 };
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE_PARAMS memory = { .hSubDevice = SUBDEVICE };
	NV_CONF_COMPUTE_CTRL_CMD_GPU_SET_VIDMEM_SIZE_PARAMS sizes = { .hSubDevice = SUBDEVICE };
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_NUM_SECURE_CHANNELS_PARAMS channels = {
		.hSubDevice = SUBDEVICE,
		.maxCeChannels = 5,
	};
	static NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE_PARAMS certificate;
	static NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT_PARAMS report;
	const struct {
		u32 cmd, size;
		void *params;
		u32 *subdevice;
		enum nv_status good;
	} of_a_gpu[] = {
		{ NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE, sizeof(memory), &memory,
		  &memory.hSubDevice, NV_OK },
		{ NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_NUM_SECURE_CHANNELS, sizeof(channels), &channels,
		  &channels.hSubDevice, NV_OK },
		{ NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE, sizeof(certificate), &certificate,
		  &certificate.hSubDevice, NV_ERR_OBJECT_NOT_FOUND },
		{ NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT, sizeof(report), &report,
		  &report.hSubDevice, NV_ERR_OBJECT_NOT_FOUND },
	};
	u32 i;

	refused_elsewhere(NV_CONFIDENTIAL_COMPUTE, client, not_the_client,
			  ARRAY_SIZE(not_the_client), &params);
	assert_int_equal(make(client, client, OBJECT, NV_CONFIDENTIAL_COMPUTE, (void *)16),
			 NV_ERR_INVALID_ADDRESS);
	/* The handle in its parameters is looked at by nobody, and as many as one likes. */
	assert_int_equal(make(client, client, OBJECT, NV_CONFIDENTIAL_COMPUTE, &params), NV_OK);
	assert_int_equal(make(client, client, SECOND, NV_CONFIDENTIAL_COMPUTE, NULL), NV_OK);

	memset(&caps, 0xff, sizeof(caps));
	assert_int_equal(control(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES, &caps,
				 sizeof(caps)),
			 NV_OK);
	assert_int_equal(caps.cpuCapability, NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_NONE);
	assert_int_equal(caps.gpusCapability, NV_CONF_COMPUTE_SYSTEM_GPUS_CAPABILITY_HCC);
	assert_int_equal(caps.ccFeature, NV_CONF_COMPUTE_SYSTEM_FEATURE_DISABLED);
	assert_int_equal(caps.devToolsMode, NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_DISABLED);
	assert_int_equal(control(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES, &caps,
				 sizeof(caps) - 1),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES, &caps,
				 sizeof(caps)),
			 NV_ERR_NOT_SUPPORTED);

	for (i = 0; i < ARRAY_SIZE(of_a_gpu); i++) {
		*of_a_gpu[i].subdevice = SUBDEVICE;
		assert_int_equal(
			control(OBJECT, of_a_gpu[i].cmd, of_a_gpu[i].params, of_a_gpu[i].size),
			of_a_gpu[i].good);
		*of_a_gpu[i].subdevice = DEVICE;
		assert_int_equal(
			control(OBJECT, of_a_gpu[i].cmd, of_a_gpu[i].params, of_a_gpu[i].size),
			NV_ERR_INVALID_OBJECT_HANDLE);
		*of_a_gpu[i].subdevice = NOWHERE;
		assert_int_equal(
			control(OBJECT, of_a_gpu[i].cmd, of_a_gpu[i].params, of_a_gpu[i].size),
			NV_ERR_OBJECT_NOT_FOUND);
		assert_int_equal(
			control(OBJECT, of_a_gpu[i].cmd, of_a_gpu[i].params, of_a_gpu[i].size + 8),
			NV_ERR_INVALID_ARGUMENT);
	}
	assert_int_equal(memory.protectedMemSizeInKb, 0);
	assert_true(memory.unprotectedMemSizeInKb > 70u << 20);
	assert_int_equal(channels.maxCeChannels, 0);

	/* Only the administrator changes anything, and everybody sees it. */
	be(1000);
	assert_int_equal(
		control(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, &set, sizeof(set)),
		NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(control(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_GPU_SET_VIDMEM_SIZE, &sizes,
				 sizeof(sizes)),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(control(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE, &ready,
				 sizeof(ready)),
			 NV_OK);
	i = ready.bAcceptClientRequest;
	be(0);
	set.bAcceptClientRequest = !i;
	assert_int_equal(
		control(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, &set, sizeof(set)),
		NV_OK);
	be(1000);
	assert_int_equal(control(SECOND, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE, &ready,
				 sizeof(ready)),
			 NV_OK);
	assert_int_equal(ready.bAcceptClientRequest, !i);
}

/* -- FABRIC_MANAGER_SESSION -------------------------------------------------------------------- */

static void test_fabric_manager(void **state)
{
	int cap, wrong;
	NV000F_ALLOCATION_PARAMETERS params = { .capDescriptor = 50 };
	u32 second = SECOND;
	u8 byte = 0;

	be(1000);
	assert_int_equal(host_open(RM_NODE_CAP, 0), -NV_ERR_INSUFFICIENT_PERMISSIONS);
	be(0);
	cap = host_open(RM_NODE_CAP, 0);
	wrong = host_open(RM_NODE_CAP, 1);
	assert_true(cap >= 0 && wrong >= 0);

	refused_elsewhere(FABRIC_MANAGER_SESSION, client, not_the_client,
			  ARRAY_SIZE(not_the_client), &params);
	/* What proves the right: a descriptor of the one node. */
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, NULL),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, (void *)16),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, &params),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	params.capDescriptor = (u64)wrong;
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, &params),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	params.capDescriptor = (u64)ctl;
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, &params),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	params.capDescriptor = (u64)cap;
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, &params), NV_OK);
	/* One a client by its class, and one altogether by its nature. */
	assert_int_equal(make(client, client, SECOND, FABRIC_MANAGER_SESSION, &params),
			 NV_ERR_STATE_IN_USE);
	assert_int_equal(
		host_alloc(other, others, others, &second, FABRIC_MANAGER_SESSION, &params, 0),
		NV_ERR_STATE_IN_USE);

	assert_int_equal(control(OBJECT, NV000F_CTRL_CMD_SET_FM_STATE, NULL, 0), NV_OK);
	assert_int_equal(control(OBJECT, NV000F_CTRL_CMD_SET_FM_STATE, NULL, 0), NV_OK);
	assert_int_equal(control(OBJECT, NV000F_CTRL_CMD_CLEAR_FM_STATE, NULL, 0), NV_OK);
	assert_int_equal(control(OBJECT, NV000F_CTRL_CMD_SET_FM_STATE, &byte, 1),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, NV000F_CTRL_CMD_SET_FM_STATE, NULL, 0),
			 NV_ERR_NOT_SUPPORTED);

	/* The session keeps its proof, and gives both back. */
	host_close(cap);
	assert_non_null(host.fds[cap].file);
	assert_int_equal(host_free(ctl, client, OBJECT), NV_OK);
	assert_null(host.fds[cap].file);
	params.capDescriptor = (u64)host_open(RM_NODE_CAP, 0);
	assert_int_equal(make(client, client, OBJECT, FABRIC_MANAGER_SESSION, &params), NV_OK);
}

/* -- NV0020_GPU_MANAGEMENT --------------------------------------------------------------------- */

static void test_gpu_management(void **state)
{
	NV0020_CTRL_GPU_MGMT_SET_SHUTDOWN_STATE_PARAMS p = { 0 };
	const u32 cmd = NV0020_CTRL_CMD_GPU_MGMT_SET_SHUTDOWN_STATE;
	u32 params = NOWHERE;

	refused_elsewhere(NV0020_GPU_MANAGEMENT, client, not_the_client, ARRAY_SIZE(not_the_client),
			  NULL);
	assert_int_equal(make(client, client, OBJECT, NV0020_GPU_MANAGEMENT, (void *)16),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(make(client, client, OBJECT, NV0020_GPU_MANAGEMENT, &params), NV_OK);
	assert_int_equal(make(client, client, SECOND, NV0020_GPU_MANAGEMENT, NULL),
			 NV_ERR_STATE_IN_USE);
	/* GPUs are not taken out of service: for nobody, and others may not even ask. */
	assert_int_equal(control(OBJECT, cmd, &p, sizeof(p)), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(OBJECT, cmd, &p, sizeof(p) - 1), NV_ERR_INVALID_ARGUMENT);
	be(1000);
	assert_int_equal(control(OBJECT, cmd, &p, sizeof(p)), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(control(OBJECT, cmd, &p, sizeof(p) - 1), NV_ERR_INVALID_ARGUMENT);
	/* One a client. */
	params = SECOND;
	assert_int_equal(host_alloc(other, others, others, &params, NV0020_GPU_MANAGEMENT, NULL, 0),
			 NV_OK);
}

/* -- Serialised parameters --------------------------------------------------------------------- */

static void test_lists_for_the_firmware(void **state)
{
	NV0080_CTRL_FIFO_CHANNEL channels[40] = { { 5 } }, none = { 5 };
	NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS p = { 0 }, before;
	u32 cmd = NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS;

	assert_int_equal(control(DEVICE, cmd, &p, sizeof(p)), NV_OK);
	p.fifoStartChannelListCount = 40;
	p.fifoStartChannelList = (u64)(uintptr_t)channels;
	before = p;
	/* The firmware knows of no channel. */
	assert_int_equal(control(DEVICE, cmd, &p, sizeof(p)), NV_ERR_INVALID_ARGUMENT);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_memory_equal(&channels[0], &none, sizeof(none));
	p.fifoStartChannelList = 0;
	assert_int_equal(control(DEVICE, cmd, &p, sizeof(p)), NV_ERR_INVALID_ARGUMENT);
	p = before;
	assert_int_equal(control(SUBDEVICE, cmd, &p, sizeof(p)), NV_ERR_NOT_SUPPORTED);
	p.fifoStartChannelList = 8;
	assert_int_equal(control(DEVICE, cmd, &p, sizeof(p)), NV_ERR_INVALID_ADDRESS);
}

static u32 serialised_control(u32 object, u32 cmd, const u64 *words, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.flags = NVOS54_FLAGS_FINN_SERIALIZED,
		.params = (u64)(uintptr_t)words,
		.paramsSize = size,
	};

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_CONTROL, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

/* Such a block would have to have the structure's size, into which none fits. */
static void test_blocks_serialised_by_a_client(void **state)
{
	static const struct {
		u64 words[6];
		u32 want;
	} cases[] = {
		{ { 1, 48, 0x8017, 5 }, NV_ERR_LIB_RM_VERSION_MISMATCH },
		{ { 0, 72, 0x8017, 5 }, NV_ERR_BUFFER_TOO_SMALL },
		{ { 0, 31, 0x8017, 5 }, NV_ERR_BUFFER_TOO_SMALL },
		{ { 0, 48, 0x8017, 7 }, NV_ERR_NOT_SUPPORTED },
		{ { 0, 48, 0x8017, 5, 0, 0 }, NV_ERR_LIB_RM_VERSION_MISMATCH },
		{ { 0, 48, 0x8017, 5, ~0ull, ~0ull }, NV_ERR_LIB_RM_VERSION_MISMATCH },
	};
	u64 words[6] = { 0, 48, 0x8017, 5 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (serialised_control(DEVICE, NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS,
				       cases[i].words, 48) != cases[i].want)
			fail_msg("case %u", i);
	assert_int_equal(
		serialised_control(DEVICE, NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS, words, 40),
		NV_ERR_INVALID_ARGUMENT);
	/* Shorter than a header; and a command without that form. */
	assert_int_equal(serialised_control(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_ENGINES, words, 16),
			 NV_ERR_BUFFER_TOO_SMALL);
	assert_int_equal(serialised_control(SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_GID_INFO, words, 16),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		serialised_control(DEVICE, NV0080_CTRL_CMD_GPU_GET_NUM_SUBDEVICES, words, 4),
		NV_ERR_LIB_RM_VERSION_MISMATCH);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, host_end)
	const struct CMUnitTest tests[] = {
		T(test_diagnostics),
		T(test_no_display),
		T(test_memory_facts),
		T(test_rated_power),
		T(test_third_party),
		T(test_master),
		T(test_listed),
		T(test_confidential_computing),
		T(test_fabric_manager),
		T(test_gpu_management),
		T(test_lists_for_the_firmware),
		T(test_blocks_serialised_by_a_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
