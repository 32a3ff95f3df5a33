// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* GPUs that leave the bus and firmware that crashes, at any time. */
#include <pthread.h>

#include "abi/gh100.h"
#include "gpu_parts.h"

/* -- Loss -------------------------------------------------------------------------------------- */

static void assert_lost(u32 xid, const char *line)
{
	assert_true(rm_gpu_is_lost(gpu));
	assert_int_equal(gpu->lost_xid, xid);
	assert_true(logged(line));
	assert_int_equal(times_logged("NVRM: Xid (PCI:0000:01:00): "), 1);
	assert_true(eventually(told_of_loss));
	assert_int_equal(notified_lost, 1);
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_GPU_IS_LOST);
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, 0, CLIENT), NV_ERR_GPU_IS_LOST);
}

#define OFF_BUS_LINE                                                        \
	"NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, " \
	"GPU has fallen off the bus."

static void off_the_bus_before_boot(void **state)
{
	fixture_gpu_inject(&fixture, "off-bus");
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_GPU_IS_LOST);
	assert_true(logged(OFF_BUS_LINE));
	assert_int_equal(rm_gpu_time(gpu), ~(u64)0);
}

static void off_the_bus_while_fsp_boots(void **state)
{
	fixture.lost_at = NV_THERM_I2CS_SCRATCH;
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_GPU_IS_LOST);
	assert_true(rm_gpu_is_lost(gpu));
	assert_true(logged(OFF_BUS_LINE));
}

static void off_the_bus_between_calls(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "off-bus");
	assert_int_equal(unknown_control(), NV_ERR_GPU_IS_LOST);
	assert_lost(79, OFF_BUS_LINE);
	rm_gpu_release(gpu);
	assert_null(gpu->gsp);
}

static void *inject_later(void *arg)
{
	os_sleep_us(30000);
	h100_inject(fixture.model, arg);
	return NULL;
}

static void while_waiting(const char *command, enum nv_status want)
{
	pthread_t thread;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "gsp-hang");
	assert_int_equal(pthread_create(&thread, NULL, inject_later, (void *)command), 0);
	assert_int_equal(unknown_control(), want);
	pthread_join(thread, NULL);
}

static void off_the_bus_in_the_middle_of_a_call(void **state)
{
	while_waiting("off-bus", NV_ERR_GPU_IS_LOST);
	assert_lost(79, OFF_BUS_LINE);
	rm_gpu_release(gpu);
}

static bool exception_logged(void)
{
	return logged("GSP task exception: task ");
}

static void crash_is_noticed(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "gsp-crash");
	assert_true(eventually(gpu_lost));
	assert_int_equal(unknown_control(), NV_ERR_GPU_IS_LOST);
	assert_true(eventually(told_of_loss));
	assert_true(rm_gpu_is_lost(gpu));
	assert_int_equal(gpu->lost_xid, 120);
	/* The firmware's last message is delivered too; only one of the two is the Xid. */
	assert_true(eventually(exception_logged));
	assert_true(logged("GSP Error: Task "));
	assert_int_equal(times_logged("NVRM: Xid (PCI:0000:01:00): 120, "), 1);
	rm_gpu_release(gpu);
}

struct sabotage {
	const char *command;
	u32 delay_us;
};

static void *sabotage(void *arg)
{
	const struct sabotage *s = arg;

	os_sleep_us(s->delay_us);
	h100_inject(fixture.model, s->command);
	return NULL;
}

static void loss_at_any_time_of_boot_unwinds(void **state)
{
	static const char *const commands[] = { "off-bus", "gsp-crash", "gsp-hang" };
	u32 i;

	for (i = 0; i < 30; i++) {
		struct sabotage s = { commands[i % 3], (i / 3) * 150 };
		enum nv_status status;
		pthread_t thread;

		parts_teardown(state);
		parts_setup(state);
		set_timeout_ms(50);
		assert_int_equal(pthread_create(&thread, NULL, sabotage, &s), 0);
		status = rm_gpu_retain(gpu);
		pthread_join(thread, NULL);
		if (status == NV_OK) {
			assert_int_not_equal(unknown_control(), NV_OK);
			rm_gpu_release(gpu);
		}
		assert_null(gpu->gsp);
	}
}

static void removal_leaves_users_a_lost_gpu(void **state)
{
	struct rm_gpu *old;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	old = gpu;
	rm_gpu_remove(gpu);
	assert_int_equal(objects_removed, 1);
	assert_int_equal(notified_lost, 1);
	assert_int_equal(rm_gpu_count(&rm), 0);
	assert_null(rm_gpu_by_minor(&rm, 3));
	assert_true(rm_gpu_is_lost(old));
	assert_int_equal(rm_gpu_retain(old), NV_ERR_GPU_IS_LOST);
	/* The user's structure is there until it lets go. */
	rm_gpu_release(old);
	/* And the device may come again. */
	assert_int_equal(rm_gpu_add(&rm, fixture.pci, 3, &gpu), NV_OK);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(off_the_bus_before_boot),
		T(off_the_bus_while_fsp_boots),
		T(off_the_bus_between_calls),
		T(off_the_bus_in_the_middle_of_a_call),
		T(crash_is_noticed),
		T(loss_at_any_time_of_boot_unwinds),
		T(removal_leaves_users_a_lost_gpu),
	};

	return parts_run("gsp_loss", tests, ARRAY_SIZE(tests));
}
