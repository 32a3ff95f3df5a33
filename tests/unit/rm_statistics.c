// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What the driver says that clients hold: each thing counted while it is there, and not longer. */
#include "base/bits.h"
#include "rm_host.h"
#include "unit.h"

static void expect(u32 clients, u32 objects, u32 files, u64 video_memory)
{
	struct rm_statistics s;

	rm_statistics(host.rm, &s);
	assert_int_equal(s.clients, clients);
	assert_int_equal(s.objects, objects);
	assert_int_equal(s.files, files);
	assert_int_equal(s.video_memory, video_memory);
}

static void test_each_thing_counts_while_it_is_there(void **state)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = MIB(4) };
	u32 device = 0, subdevice = 0, memory = 0, copy = 0xf0, client, second, bad = 0;
	NVOS55_PARAMETERS dup;
	u64 live = unit_live();
	int ctl, gpu;

	host_start(2);
	expect(0, 0, 0, 0);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0 && host_open(RM_NODE_GPU, 1) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	expect(0, 0, 2, 0);
	client = host_client(ctl);
	second = host_client(ctl);
	expect(2, 2, 2, 0);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &subdevice, NV20_SUBDEVICE_0, NULL, 0),
			 NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);
	expect(2, 5, 2, MIB(4));
	/* Not what was refused, and shared memory once. */
	assert_int_equal(host_alloc(ctl, client, device, &bad, NV01_DEVICE_0, &d, 0),
			 NV_ERR_INVALID_OBJECT_PARENT);
	dup = (NVOS55_PARAMETERS){ .hClient = client,
				   .hParent = device,
				   .hObject = copy,
				   .hClientSrc = client,
				   .hObjectSrc = memory };
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_DUP_OBJECT, &dup, sizeof(dup)), RM_IOCTL_OK);
	assert_int_equal(dup.status, NV_OK);
	expect(2, 6, 2, MIB(4));
	assert_int_equal(host_free(ctl, client, memory), NV_OK);
	expect(2, 5, 2, MIB(4));
	/* A device goes with all below it. */
	assert_int_equal(host_free(ctl, client, device), NV_OK);
	expect(2, 2, 2, 0);
	assert_int_equal(host_free(ctl, second, second), NV_OK);
	expect(1, 1, 2, 0);
	host_close(ctl);
	host_close(gpu);
	expect(0, 0, 1, 0);
	host_stop();
	assert_int_equal(unit_live(), live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_thing_counts_while_it_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
