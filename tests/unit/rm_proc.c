// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The texts under /proc/driver/nvidia: what is listed can be shown, and says what is so. */
#include <stdio.h>

#include "rm/gpu/gpu.h"
#include "rm/registry.h"
#include "rm_host.h"
#include "unit.h"

static int start(void **state)
{
	host_start(1);
	return 0;
}

static char text[4096];

static const char *show(const char *path)
{
	size_t length;

	assert_int_equal(rm_proc_show(host.rm, path, text, sizeof(text), &length), NV_OK);
	assert_int_equal(length, strlen(text));
	return text;
}

#define INFORMATION "gpus/0000:01:00.0/information"

static void test_information(void **state)
{
	int gpu;

	/* Of a GPU that nobody opened, only what its ids and its place on the bus tell. */
	assert_non_null(strstr(show(INFORMATION), "Model: \t\t NVIDIA H100 80GB HBM3\n"));
	assert_non_null(strstr(text, "GPU UUID: \t GPU-?\?"));
	assert_non_null(strstr(text, "Video BIOS: \t ?\?.?\?.?\?.?\?.?\?\n"));
	assert_null(strstr(text, "GPU Firmware"));
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	assert_non_null(strstr(show(INFORMATION), "Model: \t\t NVIDIA H100 80GB HBM3\n"));
	assert_non_null(strstr(text, "Video BIOS: \t 96.00.74.00.01\n"));
	assert_non_null(strstr(text, "GPU Firmware: \t " RM_DEFAULT_VERSION "\n"));
	rm_gpu_lose(host.rm_gpus[0], RM_XID_OFF_BUS, "test");
	assert_non_null(strstr(show(INFORMATION), "Video BIOS: \t ?\?.?\?.?\?.?\?.?\?\n"));
	host_close(gpu);
}

static void test_names(void **state)
{
	static const struct {
		const char *profile, *model;
	} boards[] = {
		{ "h100-sxm-80gb", "Model: \t\t NVIDIA H100 80GB HBM3\n" },
		{ "h100-pcie-80gb", "Model: \t\t NVIDIA H100 PCIe\n" },
		{ "h200", "Model: \t\t NVIDIA H200\n" },
	};
	struct rm_gpu *gpu;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(boards); i++) {
		host_remove(0);
		host_add(0, boards[i].profile);
		assert_non_null(strstr(show(INFORMATION), boards[i].model));
	}
	/* Each of the ids counts, and a board that nobody knows has no name. */
	gpu = host.rm_gpus[0];
	gpu->device_id ^= 1;
	assert_non_null(strstr(show(INFORMATION), "Model: \t\t Unknown\n"));
	gpu->device_id ^= 1;
	gpu->subsystem_vendor_id ^= 1;
	assert_non_null(strstr(show(INFORMATION), "Model: \t\t Unknown\n"));
	gpu->subsystem_vendor_id ^= 1;
	gpu->subsystem_id ^= 1;
	assert_non_null(strstr(show(INFORMATION), "Model: \t\t Unknown\n"));
	gpu->subsystem_id ^= 1;
}

static struct {
	char paths[32][64];
	u32 count;
} listed;

static void keep_path(void *ctx, const char *path)
{
	assert_true(listed.count < ARRAY_SIZE(listed.paths));
	snprintf(listed.paths[listed.count++], sizeof(listed.paths[0]), "%s", path);
}

static void test_list(void **state)
{
	size_t length;
	u32 i;

	listed.count = 0;
	rm_proc_list(host.rm, keep_path, NULL);
	assert_int_equal(listed.count, 8);
	for (i = 0; i < listed.count; i++)
		assert_true(strlen(show(listed.paths[i])) > 0);
	assert_int_equal(
		rm_proc_show(host.rm, "gpus/0000:09:00.0/information", text, sizeof(text), &length),
		NV_ERR_OBJECT_NOT_FOUND);
	/* A buffer of any size gets a text that ends, and the length of the whole. */
	assert_int_equal(rm_proc_show(host.rm, "params", text, 8, &length), NV_OK);
	assert_int_equal(strlen(text), 7);
	assert_true(length > 100);
}

static u32 put(const char *path, const char *bytes, size_t size)
{
	return rm_proc_write(host.rm, path, bytes, size);
}

#define GPU_REGISTRY "gpus/0000:01:00.0/registry"
#define CAP "capabilities/mig/config"

static void test_write(void **state)
{
	u8 data[8];
	u32 size = sizeof(data);

	assert_true(rm_proc_writable("registry"));
	assert_true(rm_proc_writable(GPU_REGISTRY));
	assert_true(rm_proc_writable(CAP));
	assert_false(rm_proc_writable("version"));
	assert_false(rm_proc_writable("params"));
	assert_false(rm_proc_writable(INFORMATION));
	assert_int_equal(put("registry", "Key=a\0b", 7), NV_OK);
	assert_int_equal(put(GPU_REGISTRY, "Own=1=2", 7), NV_OK);
	assert_string_equal(show("registry"), "Binary: \"Key\"\n");
	assert_string_equal(show(GPU_REGISTRY), "Binary: \"Own\"\n");
	assert_int_equal(rm_registry_read_binary(host.rm, NULL, "Key", data, &size), NV_OK);
	assert_int_equal(size, 3);
	assert_memory_equal(data, "a\0b", 3);
	size = sizeof(data);
	assert_int_equal(rm_registry_read_binary(host.rm, host.rm_gpus[0], "Own", data, &size),
			 NV_OK);
	assert_int_equal(size, 3);
	assert_memory_equal(data, "1=2", 3);
	assert_int_equal(put("registry", "", 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put("registry", "Key", 3), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put("registry", "Key=", 4), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put("registry", "K\0y=1", 5), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put("version", "a=b", 3), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(put("gpus/0000:09:00.0/registry", "a=b", 3), NV_ERR_OBJECT_NOT_FOUND);
}

static void test_write_capability(void **state)
{
	assert_non_null(strstr(show(CAP), "DeviceFileModify: 1\n"));
	assert_int_equal(put(CAP, "DeviceFileModify: 0\n", 20), NV_OK);
	assert_non_null(strstr(show(CAP), "DeviceFileModify: 0\n"));
	assert_non_null(strstr(show("capabilities/mig/monitor"), "DeviceFileModify: 1\n"));
	assert_int_equal(put(CAP, "DeviceFileModify:-12", 20), NV_OK);
	assert_non_null(strstr(show(CAP), "DeviceFileModify: -12\n"));
	assert_int_equal(put(CAP, "DeviceFileModify: ", 18), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put(CAP, "DeviceFileModify: x", 19), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put(CAP, "DeviceFileMode: 1", 17), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(put(CAP, "", 0), NV_ERR_INVALID_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_information, start, host_end),
		cmocka_unit_test_setup_teardown(test_names, start, host_end),
		cmocka_unit_test_setup_teardown(test_list, start, host_end),
		cmocka_unit_test_setup_teardown(test_write, start, host_end),
		cmocka_unit_test_setup_teardown(test_write_capability, start, host_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
