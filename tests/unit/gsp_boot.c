// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The driver's GPU and firmware code against the software H100: probe, boot, shutdown. */
#include "gpu_parts.h"
#include "rm/gpu/regs.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/firmware.h"
#include "rm/server/server.h"

/* -- Probe ------------------------------------------------------------------------------------- */

static void probe_reads_config_space(void **state)
{
	assert_int_equal(gpu->vendor_id, 0x10de);
	assert_int_equal(gpu->device_id, 0x2330);
	assert_int_equal(gpu->gpu_id, 0x100);
	assert_int_equal(gpu->minor, 3);
	assert_int_equal(gpu->instance, 3);
	assert_int_equal(gpu->bar_count, 3);
	assert_int_equal(gpu->bars[0].size, MIB(16));
	assert_true(gpu->bars[1].size >= GIB(64));
	assert_int_equal(gpu->bars[0].address, os_pci_bar_address(fixture.pci, 0));
	assert_ptr_equal(rm_gpu_by_instance(&rm, 3), gpu);
	assert_ptr_equal(rm_gpu_by_id(&rm, 0x100), gpu);
	assert_ptr_equal(rm_gpu_by_minor(&rm, 3), gpu);
	assert_null(rm_gpu_by_minor(&rm, 0));
	assert_null(rm_gpu_by_instance(&rm, RM_MAX_GPUS));
	assert_null(rm_gpu_by_id(&rm, 0));
	assert_int_equal(rm_gpu_count(&rm), 1);
	assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
}

static void second_of_the_same_minor_is_refused(void **state)
{
	struct rm_gpu *other = NULL;

	assert_int_equal(rm_gpu_add(&rm, fixture.pci, 3, &other), NV_ERR_STATE_IN_USE);
	assert_null(other);
	assert_int_equal(rm_gpu_count(&rm), 1);
}

/* A real H100 as far as ids go, without the mark of the software one. */
static u32 bent_offset, bent_value;

static u32 bent_cfg_read(void *ctx, u32 offset, u32 width)
{
	if (offset == bent_offset)
		return bent_value;
	return h100_cfg_read(fixture.model, offset, width);
}

static void bent_cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
}

static u64 bent_bar_size(void *ctx, u32 bar)
{
	return 0;
}

static void other_devices_are_refused(void **state)
{
	static const struct os_user_pci_ops ops = {
		.cfg_read = bent_cfg_read,
		.cfg_write = bent_cfg_write,
		.bar_size = bent_bar_size,
	};
	static const struct {
		u32 offset, value;
	} bends[] = {
		{ 0x00, 0x8086 },
		{ LH_VSEC_OFFSET + 4, 0 },
		{ LH_VSEC_OFFSET + 8, 0 },
		{ LH_VSEC_OFFSET + 12, 0x12345678 },
		{ LH_VSEC_OFFSET + 16, 99 },
		{ 0x100, 0 },
		{ 0x100, ~0u },
		{ 0x100, 0x10010001 }, /* points at itself */
		{ ~0u, 0 },	       /* all well, but no BARs */
	};
	const struct os_pci_location location = { .bus = 9 };
	struct rm_gpu *other = NULL;
	struct os_pci_dev *dev;
	u32 i;

	dev = os_user_pci_register(&ops, NULL, &location);
	assert_non_null(dev);
	for (i = 0; i < ARRAY_SIZE(bends); i++) {
		bent_offset = bends[i].offset;
		bent_value = bends[i].value;
		assert_int_equal(rm_gpu_add(&rm, dev, 7, &other), NV_ERR_NOT_SUPPORTED);
		assert_null(other);
	}
	assert_true(logged("0000:09:00.0 (10de:2330) is no GPU that this driver drives"));
	assert_true(logged("0000:09:00.0: BAR0 is not assigned"));
	assert_int_equal(rm_gpu_count(&rm), 1);
	os_user_pci_unregister(dev);
}

/* -- Boot and shutdown ------------------------------------------------------------------------- */

static void boots_and_shuts_down(void **state)
{
	u64 live = 0, time;
	u32 i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(rm_gpu_retain(gpu), NV_OK);
		assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_RUNNING);
		assert_non_null(strstr((char *)gpu->info->config.gpuNameString, "H100"));
		assert_int_equal(gpu->info->sm_count, 132);
		assert_true(gpu->info->fb_size >= GIB(79) && gpu->info->fb_size <= GIB(80));
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
		time = rm_gpu_time(gpu);
		os_sleep_us(100);
		assert_true(rm_gpu_time(gpu) >= time + 100000);
		rm_gpu_release(gpu);
		assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
		assert_null(gpu->gsp);
		/* The first boot makes what stays: the bottom half's queue. */
		if (i == 0)
			live = unit_live_settled();
		assert_true(unit_live_becomes(live));
	}
	assert_false(logged("Xid"));
}

static void users_share_one_boot(void **state)
{
	struct rm_gsp *gsp;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	gsp = gpu->gsp;
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_ptr_equal(gpu->gsp, gsp);
	rm_gpu_release(gpu);
	assert_ptr_equal(gpu->gsp, gsp);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
	assert_null(gpu->gsp);
	assert_int_equal(gsp_rpc_free(gpu, 1, 0, 2), NV_ERR_INVALID_STATE);
}

static bool gpu_stopped(void)
{
	bool stopped;

	rm_gpu_lock(gpu);
	stopped = !gpu->gsp;
	rm_gpu_unlock(gpu);
	return stopped && os_load_acquire(&gpu->state) == RM_GPU_FOUND;
}

static void persistence_keeps_it_booted(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_lock(gpu);
	rm_gpu_set_persistent(gpu, true);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
	assert_non_null(gpu->gsp);
	assert_int_equal(objects_freed, 0);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	/* Whoever says so may be in the middle of a call: a work item stops it. */
	rm_gpu_lock(gpu);
	rm_gpu_set_persistent(gpu, false);
	assert_non_null(gpu->gsp);
	rm_gpu_unlock(gpu);
	assert_true(eventually(gpu_stopped));
	assert_int_equal(objects_freed, 1);
}

static void last_user_within_a_call_stops_it_afterwards(void **state)
{
	struct rm_call call;

	memset(&call, 0, sizeof(call));
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_server_lock_exclusive(rm.server);
	os_thread_set_context(&call);
	rm_gpu_release(gpu);
	assert_non_null(gpu->gsp);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(objects_freed, 0);
	os_thread_set_context(NULL);
	rm_server_unlock_exclusive(rm.server);
	assert_true(eventually(gpu_stopped));
	assert_int_equal(objects_freed, 1);
}

static void boot_survives_every_failing_allocation(void **state)
{
	u64 live, failed;
	u32 n, failures = 0;
	enum nv_status status;
	bool again = false;

	/* Once, so that what stays between boots is there. */
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	if (!os_user_fail_alloc_thread(0))
		skip();
	for (n = 1; n < 200; n++) {
		/*
		 * Taken each time: the bus's table of mappings grows now and then. A boot's last
		 * event may still be held, so what differs is tried again from rest.
		 */
		live = again ? unit_live_settled() : unit_live();
		failed = unit_failed();
		os_user_fail_alloc_thread(n);
		status = rm_gpu_retain(gpu);
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed) {
			assert_int_equal(status, NV_OK);
			rm_gpu_release(gpu);
			break;
		}
		failures++;
		if (status == NV_OK) {
			/* An event's copy: lost, and said so. */
			rm_gpu_release(gpu);
		} else {
			assert_null(gpu->gsp);
			assert_null(gpu->info);
			assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
		}
		if (!unit_live_becomes(live)) {
			assert_false(again);
			again = true;
			n--;
			continue;
		}
		again = false;
		assert_int_equal(rm_gpu_retain(gpu), NV_OK);
		rm_gpu_release(gpu);
	}
	assert_true(failures > 10);
	assert_true(n < 200);
}

static void boot_without_firmware_fails(void **state)
{
	static const u8 rubbish[100] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	size_t size;
	const void *image = h100_firmware_image(&size);

	os_user_firmware_unregister(GSP_FIRMWARE_NAME);
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_OBJECT_NOT_FOUND);
	os_user_firmware_register(GSP_FIRMWARE_NAME, rubbish, sizeof(rubbish));
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_INVALID_DATA);
	os_user_firmware_register(GSP_FIRMWARE_NAME, image, size);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
}

static void firmware_that_was_changed_does_not_start(void **state)
{
	size_t size, i;
	const u8 *image = h100_firmware_image(&size);
	u8 *copy = malloc(size);
	u32 refused = 0;

	set_timeout_ms(200);
	for (i = 0; i < 12; i++) {
		memcpy(copy, image, size);
		copy[64 + i * (size - 64) / 12] ^= 0x10;
		os_user_firmware_register(GSP_FIRMWARE_NAME, copy, size);
		if (rm_gpu_retain(gpu) == NV_OK)
			rm_gpu_release(gpu);
		else
			refused++;
		assert_null(gpu->gsp);
	}
	assert_true(refused >= 4);
	os_user_firmware_register(GSP_FIRMWARE_NAME, image, size);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	free(copy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(probe_reads_config_space),
		T(second_of_the_same_minor_is_refused),
		T(other_devices_are_refused),
		T(boots_and_shuts_down),
		T(users_share_one_boot),
		T(persistence_keeps_it_booted),
		T(last_user_within_a_call_stops_it_afterwards),
		T(boot_survives_every_failing_allocation),
		T(boot_without_firmware_fails),
		T(firmware_that_was_changed_does_not_start),
	};

	return parts_run("gsp_boot", tests, ARRAY_SIZE(tests));
}
