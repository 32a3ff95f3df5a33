// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the driver keeps of a GPU ends with it: the next one in its place begins anew, and who heard
 * of the loss does not hear of it again.
 */
#include "rm/gpu/gpu.h"
#include "rm/instance.h"
#include "rm_host.h"
#include "unit.h"

static int start(void **state)
{
	host_start(1);
	return 0;
}

struct gpu_view {
	u32 heap_kib, total_kib;
	u32 compute_rules;
	u32 drain;
	s32 numa_node;
};

static u32 make_subdevice(int ctl, u32 client)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV2080_ALLOC_PARAMETERS s = { .subDeviceId = 0 };
	u32 device = 0, subdevice = 0;

	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &subdevice, NV20_SUBDEVICE_0, &s, 0),
			 NV_OK);
	return subdevice;
}

/* What clients see of the GPU; with change, what one leaves behind after it has looked. */
static struct gpu_view look(bool change)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), subdevice = make_subdevice(ctl, client);
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS fb = { .fbInfoListSize = 2 };
	NV2080_CTRL_GPU_QUERY_COMPUTE_MODE_RULES_PARAMS rules;
	NV0000_CTRL_GPU_QUERY_DRAIN_STATE_PARAMS drain = { .gpuId = host.rm_gpus[0]->gpu_id };
	nv_ioctl_numa_info_t numa;
	struct gpu_view view;

	fb.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_SIZE;
	fb.fbInfoList[1].index = NV2080_CTRL_FB_INFO_INDEX_TOTAL_RAM_SIZE;
	assert_int_equal(host_control(ctl, client, subdevice, NV2080_CTRL_CMD_FB_GET_INFO_V2, &fb,
				      sizeof(fb)),
			 NV_OK);
	view.heap_kib = fb.fbInfoList[0].data;
	view.total_kib = fb.fbInfoList[1].data;
	assert_int_equal(host_control(ctl, client, subdevice,
				      NV2080_CTRL_CMD_GPU_QUERY_COMPUTE_MODE_RULES, &rules,
				      sizeof(rules)),
			 NV_OK);
	view.compute_rules = rules.rules;
	assert_int_equal(host_control(ctl, client, client, NV0000_CTRL_CMD_GPU_QUERY_DRAIN_STATE,
				      &drain, sizeof(drain)),
			 NV_OK);
	view.drain = drain.drainState;
	assert_int_equal(host_ioctl(gpu, NV_ESC_NUMA_INFO, &numa, sizeof(numa)), RM_IOCTL_OK);
	view.numa_node = numa.nid;

	if (change) {
		NV2080_CTRL_GPU_SET_COMPUTE_MODE_RULES_PARAMS set = {
			.rules = NV2080_CTRL_GPU_COMPUTE_MODE_RULES_COMPUTE_PROHIBITED,
		};
		NV0000_CTRL_GPU_MODIFY_DRAIN_STATE_PARAMS modify = {
			.gpuId = host.rm_gpus[0]->gpu_id,
			.newState = NV0000_CTRL_GPU_DRAIN_STATE_ENABLED,
		};

		assert_int_equal(host_control(ctl, client, subdevice,
					      NV2080_CTRL_CMD_GPU_SET_COMPUTE_MODE_RULES, &set,
					      sizeof(set)),
				 NV_OK);
		assert_int_equal(host_control(ctl, client, client,
					      NV0000_CTRL_CMD_GPU_MODIFY_DRAIN_STATE, &modify,
					      sizeof(modify)),
				 NV_OK);
		host.rm->numa[0].node = 3;
	}
	host_close(gpu);
	host_close(ctl);
	return view;
}

static void test_next_gpu_begins_anew(void **state)
{
	struct gpu_view first = look(true), next;

	assert_int_equal(first.drain, NV0000_CTRL_GPU_DRAIN_STATE_DISABLED);
	host_remove(0);
	host_add(0, "h200");
	next = look(false);
	assert_true(next.total_kib > first.total_kib);
	/* The heap is what there is, less what the firmware keeps: not the smaller GPU's. */
	assert_true(next.heap_kib > first.total_kib);
	assert_int_equal(next.compute_rules, NV2080_CTRL_GPU_COMPUTE_MODE_RULES_NONE);
	assert_int_equal(next.drain, NV0000_CTRL_GPU_DRAIN_STATE_DISABLED);
	assert_int_equal(next.numa_node, RM_NUMA_NO_NODE);
}

static void test_loss_is_told_once(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), subdevice = make_subdevice(ctl, client), event = 0, ms;
	nv_ioctl_alloc_os_event_t os_event = { .hClient = client, .fd = 5 };
	NV0005_ALLOC_PARAMETERS params = {
		.hParentClient = client,
		.hSrcResource = subdevice,
		.hClass = NV01_EVENT_OS_EVENT,
		.notifyIndex = NV2080_NOTIFIERS_SW,
		.data = 5,
	};

	assert_int_equal(host_ioctl(ctl, NV_ESC_ALLOC_OS_EVENT, &os_event, sizeof(os_event)),
			 RM_IOCTL_OK);
	assert_int_equal(os_event.Status, NV_OK);
	assert_int_equal(
		host_alloc(ctl, client, subdevice, &event, NV01_EVENT_OS_EVENT, &params, 0), NV_OK);
	assert_false(rm_file_poll(host.fds[ctl].file));

	rm_gpu_lose(host.rm_gpus[0], RM_XID_OFF_BUS, "test");
	for (ms = 0; !os_load_acquire(&host.notified) && ms < 5000; ms++)
		os_sleep_us(1000);
	assert_int_equal(host.notified, 1);
	assert_true(rm_file_poll(host.fds[ctl].file));
	host_remove(0);
	assert_int_equal(host.notified, 1);
	assert_false(rm_file_poll(host.fds[ctl].file));
	host_close(gpu);

	/* Each GPU has its own loss. */
	host_add(0, NULL);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	subdevice = make_subdevice(ctl, client);
	params.hSrcResource = subdevice;
	event = 0;
	assert_int_equal(
		host_alloc(ctl, client, subdevice, &event, NV01_EVENT_OS_EVENT, &params, 0), NV_OK);
	host_remove(0);
	assert_int_equal(host.notified, 2);
}

static struct os_event about_to_lose;

static void lose(void *arg)
{
	struct rm_gpu *gpu = arg;

	os_event_signal(&about_to_lose);
	rm_gpu_lose(gpu, RM_XID_GSP_ERROR, "test");
	rm_gpu_put(gpu);
}

/*
 * Whoever finds that a GPU is lost may hold nothing but the structure, while it is removed. What
 * would be used after it is freed the sanitizers see, whichever of the two comes first.
 */
static void test_lost_while_removed(void **state)
{
	struct os_thread *thread;
	u32 i;

	assert_int_equal(os_event_init(&about_to_lose), NV_OK);
	for (i = 0; i < 30; i++) {
		int gpu = host_open(RM_NODE_GPU, 0);

		assert_true(gpu >= 0);
		os_event_reset(&about_to_lose);
		rm_gpu_get(host.rm_gpus[0]);
		thread = os_thread_create("loses", lose, host.rm_gpus[0]);
		assert_non_null(thread);
		assert_int_equal(os_event_wait(&about_to_lose, ~0ull), NV_OK);
		host_remove(0);
		os_thread_join(thread);
		assert_true(rm_file_is_lost(host.fds[gpu].file));
		host_close(gpu);
		host_add(0, NULL);
	}
	os_event_destroy(&about_to_lose);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_next_gpu_begins_anew, start, host_end),
		cmocka_unit_test_setup_teardown(test_loss_is_told_once, start, host_end),
		cmocka_unit_test_setup_teardown(test_lost_while_removed, start, host_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
