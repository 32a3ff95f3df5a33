// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "uvm_secret_rig.h"

#include "h100/gsp/gpu.h"

static const struct uvm_host_ops ops;
struct uvm *uvm;
struct rm_gpu *gpu;
struct rm_uvm_gpu_info info;
struct uvm_device *device;
static struct rm_uvm_video *video;
u64 video_at;
u64 seed;

static NvProcessorUuid learn_uuid(void)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids = { 0 };
	NV0000_CTRL_GPU_GET_UUID_FROM_GPU_ID_PARAMS p = { 0 };
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl);
	NvProcessorUuid uuid;

	assert_int_equal(host_control(ctl, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids,
				      sizeof(ids)),
			 NV_OK);
	p.gpuId = ids.gpuIds[0];
	p.flags = (u32)REG_PREP(NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID_FLAGS_FORMAT,
				NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID_FLAGS_FORMAT_BINARY);
	assert_int_equal(host_control(ctl, client, client, NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID,
				      &p, sizeof(p)),
			 NV_OK);
	memcpy(uuid.uuid, p.gpuUuid, sizeof(uuid.uuid));
	return uuid;
}

int secret_start(void **state)
{
	const struct fixture_gpu_config like = { .cc = H100_CC_ON };
	struct uvm_config config = { .host = &ops };
	NvProcessorUuid uuid;

	os_user_set_tee(OS_TEE_TDX);
	host_start_like(1, &like);
	config.rm = host.rm;
	seed = 4711;
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	uuid = learn_uuid();
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	assert_int_equal(rm_uvm_gpu_get(host.rm, &uuid, &gpu, &info), NV_OK);
	assert_true(info.confidential);
	assert_int_equal(uvm_device_get(uvm, gpu, &info, &device), NV_OK);
	assert_int_equal(rm_uvm_video_alloc(gpu, VIDEO, KIB(64), &video, &video_at), NV_OK);
	return 0;
}

int secret_end(void **state)
{
	int rc;

	rm_uvm_video_free(video);
	uvm_device_put(device);
	rm_uvm_gpu_put(gpu);
	uvm_destroy(uvm);
	rc = host_end(state);
	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

void secret_renew(void)
{
	uvm_device_put(device);
	assert_int_equal(uvm_device_get(uvm, gpu, &info, &device), NV_OK);
}

u8 *in_video(u64 offset)
{
	return host.gpus[0].model->memory.video + video_at + offset;
}

void fill_random(u8 *bytes, u64 size)
{
	u64 i, value;

	for (i = 0; i < size; i += 4) {
		value = unit_random(&seed);
		memcpy(bytes + i, &value, 4);
	}
}
