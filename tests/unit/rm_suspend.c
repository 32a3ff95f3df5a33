// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Suspend and resume: requests wait, objects and what the firmware has of them stay, files that
 * close meanwhile are closed, and what does not come back is lost.
 */
#include "rm/gpu/gpu.h"
#include "rm_host.h"
#include "unit.h"

static struct {
	int gpu, ctl;
	u32 client, device, subdevice;
} open;

static void start(void)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };

	host_start(2);
	open.gpu = host_open(RM_NODE_GPU, 0);
	open.ctl = host_open(RM_NODE_CONTROL, 0);
	assert_true(open.gpu >= 0 && open.ctl >= 0);
	open.client = host_client(open.ctl);
	open.device = open.subdevice = 0;
	assert_int_equal(
		host_alloc(open.ctl, open.client, open.client, &open.device, NV01_DEVICE_0, &d, 0),
		NV_OK);
	assert_int_equal(host_alloc(open.ctl, open.client, open.device, &open.subdevice,
				    NV20_SUBDEVICE_0, NULL, 0),
			 NV_OK);
}

/* A command that the firmware serves on its own object of that handle. */
static u32 ask_firmware(void)
{
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS p = { 0 };
	u32 status = host_control(open.ctl, open.client, open.subdevice,
				  NV2080_CTRL_CMD_GPU_GET_NAME_STRING, &p, sizeof(p));

	if (status == NV_OK)
		assert_string_equal((const char *)p.gpuNameString.ascii, "NVIDIA H100 80GB HBM3");
	return status;
}

static void test_objects_stay(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = MIB(4) };
	NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS n = { .event = NV2080_NOTIFIERS_ECC_SBE };
	u64 live = unit_live();
	u32 memory = 0, i;

	start();
	assert_int_equal(host_alloc(open.ctl, open.client, open.device, &memory,
				    NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);
	n.action = NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT;
	host_control(open.ctl, open.client, open.subdevice, NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION,
		     &n, sizeof(n));
	for (i = 0; i < 3; i++) {
		assert_int_equal(rm_suspend(host.rm), NV_OK);
		assert_null(host.rm_gpus[0]->gsp);
		rm_resume(host.rm);
		assert_int_equal(ask_firmware(), NV_OK);
	}
	/* The firmware knows the objects that it is told to free. */
	assert_int_equal(host_free(open.ctl, open.client, memory), NV_OK);
	assert_int_equal(host_free(open.ctl, open.client, open.subdevice), NV_OK);
	/* The GPU that nobody had open is not started by it, and can be opened. */
	assert_null(host.rm_gpus[1]->gsp);
	assert_true(host_open(RM_NODE_GPU, 1) >= 0);
	host_stop();
	assert_true(unit_live_becomes(live));
}

static u32 asked_status;

static void ask(void *arg)
{
	asked_status = ask_firmware();
	os_event_signal(arg);
}

static void test_requests_wait(void **state)
{
	struct os_event done;
	struct os_thread *thread;

	start();
	assert_int_equal(os_event_init(&done), NV_OK);
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	thread = os_thread_create("asks", ask, &done);
	assert_non_null(thread);
	assert_int_equal(os_event_wait(&done, 100000000), NV_ERR_TIMEOUT);
	rm_resume(host.rm);
	os_thread_join(thread);
	assert_int_equal(asked_status, NV_OK);
	os_event_destroy(&done);
	host_stop();
}

static void test_signal_ends_the_wait(void **state)
{
	start();
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	os_user_signal_raise(&host.signal);
	assert_int_equal(host_open(RM_NODE_GPU, 1), -NV_ERR_SIGNAL_PENDING);
	os_user_signal_clear(&host.signal);
	rm_resume(host.rm);
	host_stop();
}

static int opened;

static void open_other(void *arg)
{
	os_user_set_signal(arg);
	opened = host_open(RM_NODE_GPU, 1);
}

/* A thread that waits already. */
static void test_signal_during_the_wait(void **state)
{
	struct os_user_signal signal = { 0 };
	struct os_thread *thread;
	u64 live = unit_live();

	start();
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	thread = os_thread_create("opens", open_other, &signal);
	assert_non_null(thread);
	os_sleep_us(50000);
	os_user_signal_raise(&signal);
	os_thread_join(thread);
	assert_int_equal(opened, -NV_ERR_SIGNAL_PENDING);
	rm_resume(host.rm);
	host_stop();
	assert_true(unit_live_becomes(live));
}

#define INFORMATION "gpus/0000:01:00.0/information"
#define VBIOS "Video BIOS: \t 96.00.74.00.01\n"

/* Whoever takes a GPU away waits for those who read its texts: they wait for nobody. */
static void test_texts_do_not_wait(void **state)
{
	static const char *const paths[] = {
		"version",
		"params",
		"registry",
		"capabilities/mig/config",
		INFORMATION,
		"gpus/0000:01:00.0/registry",
		"gpus/0000:01:00.0/power",
	};
	u32 i, asked;
	char text[4096];
	size_t length;

	/* Whether or not the firmware was asked for the version before. */
	for (asked = 0; asked < 2; asked++) {
		start();
		if (asked)
			assert_int_equal(
				rm_proc_show(host.rm, INFORMATION, text, sizeof(text), &length),
				NV_OK);
		assert_int_equal(rm_suspend(host.rm), NV_OK);
		for (i = 0; i < ARRAY_SIZE(paths); i++)
			assert_int_equal(
				rm_proc_show(host.rm, paths[i], text, sizeof(text), &length),
				NV_OK);
		assert_int_equal(rm_proc_show(host.rm, INFORMATION, text, sizeof(text), &length),
				 NV_OK);
		assert_non_null(strstr(text, asked ? VBIOS : "Video BIOS: \t ??."));
		assert_int_equal(rm_proc_write(host.rm, "registry", "a=b", 3), NV_OK);
		rm_resume(host.rm);
		assert_int_equal(rm_proc_show(host.rm, INFORMATION, text, sizeof(text), &length),
				 NV_OK);
		assert_non_null(strstr(text, VBIOS));
		host_stop();
	}
}

static void test_files_close_meanwhile(void **state)
{
	struct rm_file *gpu, *ctl;
	struct rm_statistics s;
	u64 live = unit_live();

	start();
	gpu = host.fds[open.gpu].file;
	ctl = host.fds[open.ctl].file;
	host.fds[open.gpu].file = host.fds[open.ctl].file = NULL;
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	rm_file_release(ctl);
	rm_file_release(gpu);
	rm_statistics(host.rm, &s);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.clients, 1);
	rm_resume(host.rm);
	rm_statistics(host.rm, &s);
	assert_int_equal(s.files, 0);
	assert_int_equal(s.clients, 0);
	/* Its last user went: the firmware does not stay up. */
	assert_null(host.rm_gpus[0]->gsp);
	host_stop();
	assert_true(unit_live_becomes(live));
}

static void test_gpu_leaves_meanwhile(void **state)
{
	u64 live = unit_live();

	start();
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	host_remove(0);
	rm_resume(host.rm);
	assert_int_equal(ask_firmware(), NV_ERR_RESOURCE_LOST);
	host_stop();
	assert_true(unit_live_becomes(live));
}

/* With every allocation failed in turn: the GPU is lost, or comes back; nothing else happens. */
static void test_failing_resume(void **state)
{
	u64 live = unit_live();
	bool lost = true;
	u32 i;

	if (!os_user_fail_alloc_thread(0))
		skip();

	for (i = 1; lost; i++) {
		start();
		assert_int_equal(rm_suspend(host.rm), NV_OK);
		os_user_fail_alloc_thread(i);
		rm_resume(host.rm);
		os_user_fail_alloc_thread(0);
		lost = rm_file_is_lost(host.fds[open.gpu].file);
		assert_int_equal(ask_firmware(), lost ? NV_ERR_GPU_IS_LOST : NV_OK);
		host_stop();
		assert_true(unit_live_becomes(live));
		assert_true(i < 200);
	}
	assert_true(i > 3);
}

static void test_lost_while_running(void **state)
{
	start();
	rm_gpu_gone(host.rm_gpus[0]);
	assert_true(rm_file_is_lost(host.fds[open.gpu].file));
	assert_false(rm_file_is_lost(host.fds[open.ctl].file));
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	rm_resume(host.rm);
	assert_int_equal(ask_firmware(), NV_ERR_GPU_IS_LOST);
	host_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_stay),
		cmocka_unit_test(test_requests_wait),
		cmocka_unit_test(test_signal_ends_the_wait),
		cmocka_unit_test(test_signal_during_the_wait),
		cmocka_unit_test(test_texts_do_not_wait),
		cmocka_unit_test(test_files_close_meanwhile),
		cmocka_unit_test(test_gpu_leaves_meanwhile),
		cmocka_unit_test(test_failing_resume),
		cmocka_unit_test(test_lost_while_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
