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

int secret_start(void **state)
{
	const struct fixture_gpu_config like = { .cc = H100_CC_ON };
	struct uvm_config config = { .host = &ops };
	NvProcessorUuid uuid;
	int ctl;

	os_user_set_tee(OS_TEE_TDX);
	host_start_like(1, &like);
	config.rm = host.rm;
	seed = 4711;
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	uuid = host_gpu_uuid(ctl, host_client(ctl), 0);
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
