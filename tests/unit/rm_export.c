// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory that a control file stands for: who may give it, who may take it, how long it stays.
 */
#include "base/bits.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define MEMORY 0xe0u
#define TAKEN 0xe1u
#define SIZE MIB(2)
#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))

struct side {
	int ctl;
	u32 client;
};

static struct side giver, taker;

static struct side side_make(u32 instance)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = instance };
	u32 device = DEVICE, subdevice = SUBDEVICE;
	struct side s;

	s.ctl = host_open(RM_NODE_CONTROL, 0);
	s.client = host_client(s.ctl);
	assert_int_equal(host_alloc(s.ctl, s.client, s.client, &device, NV01_DEVICE_0, &d, 0),
			 NV_OK);
	assert_int_equal(host_alloc(s.ctl, s.client, device, &subdevice, NV20_SUBDEVICE_0, NULL, 0),
			 NV_OK);
	return s;
}

static int start(void **state)
{
	host_start(2);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	assert_true(host_open(RM_NODE_GPU, 1) >= 0);
	giver = side_make(0);
	taker = side_make(0);
	return 0;
}

static u32 free_kib(void)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 1 };

	p.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE;
	assert_int_equal(host_control(taker.ctl, taker.client, SUBDEVICE,
				      NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)),
			 NV_OK);
	return p.fbInfoList[0].data;
}

static void make(u32 class_id)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .size = SIZE, .owner = 1 };
	u32 handle = MEMORY;

	if (class_id == NV01_MEMORY_SYSTEM)
		p.attr = FIELD(PCI, NVOS32_ATTR_LOCATION);
	assert_int_equal(host_alloc(giver.ctl, giver.client, DEVICE, &handle, class_id, &p, 0),
			 NV_OK);
}

static u32 give_with(NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS p)
{
	return host_control(giver.ctl, giver.client, giver.client,
			    NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD, &p, sizeof(p));
}

static NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS good(int fd)
{
	NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS p = {
		.object.type = NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TYPE_RM,
		.fd = fd,
	};

	p.object.data.rmObject.hDevice = DEVICE;
	p.object.data.rmObject.hParent = DEVICE;
	p.object.data.rmObject.hObject = MEMORY;
	return p;
}

static u32 give(int fd)
{
	return give_with(good(fd));
}

static u32 take_as(struct side s, int fd, u32 parent, u32 *handle)
{
	NV0000_CTRL_OS_UNIX_IMPORT_OBJECT_FROM_FD_PARAMS p = {
		.fd = fd,
		.object.type = NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TYPE_RM,
	};
	u32 status;

	p.object.data.rmObject.hDevice = DEVICE;
	p.object.data.rmObject.hParent = parent;
	p.object.data.rmObject.hObject = *handle;
	status = host_control(s.ctl, s.client, s.client,
			      NV0000_CTRL_CMD_OS_UNIX_IMPORT_OBJECT_FROM_FD, &p, sizeof(p));
	*handle = p.object.data.rmObject.hObject;
	return status;
}

static u32 take(int fd)
{
	u32 handle = TAKEN;

	return take_as(taker, fd, DEVICE, &handle);
}

static u32 info(int fd, NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS *p)
{
	p->fd = fd;
	return host_control(taker.ctl, taker.client, taker.client,
			    NV0000_CTRL_CMD_OS_UNIX_GET_EXPORT_OBJECT_INFO, p, sizeof(*p));
}

/* The memory stays as long as one of object, file and taken object does. */
static void test_stays(void **state)
{
	static const char orders[][4] = { "oft", "otf", "fot", "fto", "tof", "tfo" };
	u32 before = free_kib(), i, step;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		int fd = host_open(RM_NODE_CONTROL, 0);

		make(NV01_MEMORY_LOCAL_USER);
		assert_int_equal(give(fd), NV_OK);
		assert_int_equal(take(fd), NV_OK);
		for (step = 0; step < 3; step++) {
			assert_int_equal(free_kib(), before - SIZE / 1024);
			if (orders[i][step] == 'o')
				assert_int_equal(host_free(giver.ctl, giver.client, MEMORY), NV_OK);
			else if (orders[i][step] == 'f')
				host_close(fd);
			else
				assert_int_equal(host_free(taker.ctl, taker.client, TAKEN), NV_OK);
		}
		assert_int_equal(free_kib(), before);
	}
}

/* It is the same memory, taken as often as one likes, also by other users who have the file. */
static void test_same_memory(void **state)
{
	NV0000_CTRL_CLIENT_OBJECTS_ARE_DUPLICATES_PARAMS same = { .hObject1 = MEMORY };
	NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS p;
	int fd = host_open(RM_NODE_CONTROL, 0);
	struct os_cred other = { .pid = 4242, .uid = 1 };
	u32 handle = 0;
	struct side s;

	make(NV01_MEMORY_LOCAL_USER);
	assert_int_equal(give(fd), NV_OK);
	assert_int_equal(take_as(giver, fd, DEVICE, &handle), NV_OK);
	assert_int_not_equal(handle, 0);
	same.hObject2 = handle;
	assert_int_equal(host_control(giver.ctl, giver.client, giver.client,
				      NV0000_CTRL_CMD_CLIENT_OBJECTS_ARE_DUPLICATES, &same,
				      sizeof(same)),
			 NV_OK);
	assert_true(same.bDuplicates);
	assert_int_equal(info(fd, &p), NV_OK);
	assert_int_equal(p.deviceInstance, 0);
	assert_int_equal(p.maxObjects, 1);
	os_user_set_cred(&other);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	s = side_make(0);
	handle = 0;
	assert_int_equal(take_as(s, fd, DEVICE, &handle), NV_OK);
	os_user_set_cred(NULL);
}

static void test_give_refusals(void **state)
{
	NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS p;
	int fd = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 before = free_kib();

	make(NV01_MEMORY_LOCAL_USER);
	assert_int_equal(give(-1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(give(999), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(give(gpu), NV_ERR_INVALID_ARGUMENT);
	p = good(fd);
	p.object.type = NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TYPE_NONE;
	assert_int_equal(give_with(p), NV_ERR_INVALID_ARGUMENT);
	p = good(fd);
	p.object.data.rmObject.hObject = 0x1234;
	assert_int_equal(give_with(p), NV_ERR_OBJECT_NOT_FOUND);
	p.object.data.rmObject.hObject = SUBDEVICE;
	assert_int_equal(give_with(p), NV_ERR_INVALID_ARGUMENT);
	p = good(fd);
	p.object.data.rmObject.hDevice = SUBDEVICE;
	assert_int_equal(give_with(p), NV_ERR_INVALID_OBJECT_PARENT);
	p = good(fd);
	p.flags = NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_FLAGS_EMPTY_FD_TRUE;
	assert_int_equal(give_with(p), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(host_control(giver.ctl, giver.client, giver.client,
				      NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD, &p,
				      sizeof(p) - 4),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(host_control(giver.ctl, giver.client, giver.client,
				      NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD, NULL, sizeof(p)),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(host_control(giver.ctl, 0x77, 0x77,
				      NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD, &p, sizeof(p)),
			 NV_ERR_INVALID_CLIENT);
	/* Nothing of these stuck to the file: it takes one, and no second. */
	assert_int_equal(give(fd), NV_OK);
	assert_int_equal(give(fd), NV_ERR_STATE_IN_USE);
	assert_int_equal(host_free(giver.ctl, giver.client, MEMORY), NV_OK);
	host_close(fd);
	assert_int_equal(free_kib(), before);
}

static void test_take_refusals(void **state)
{
	NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS p;
	int fd = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 handle = TAKEN;

	assert_int_equal(take(fd), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(info(fd, &p), NV_ERR_INVALID_ARGUMENT);
	make(NV01_MEMORY_LOCAL_USER);
	assert_int_equal(give(fd), NV_OK);
	assert_int_equal(take(gpu), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(take(-1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(info(-1, &p), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(take_as(taker, fd, 0x1234, &handle), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(take_as(taker, fd, taker.client, &handle), NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(take_as(taker, fd, SUBDEVICE, &handle), NV_ERR_INVALID_OBJECT_PARENT);
	handle = DEVICE;
	assert_int_equal(take_as(taker, fd, DEVICE, &handle), NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(take(fd), NV_OK);
	assert_int_equal(take(fd), NV_ERR_INSERT_DUPLICATE_NAME);
}

/* Another GPU reaches system memory; video memory only its own. */
static void test_other_gpu(void **state)
{
	int video = host_open(RM_NODE_CONTROL, 0), system = host_open(RM_NODE_CONTROL, 0);
	struct side other = side_make(1);
	u32 handle = TAKEN;

	make(NV01_MEMORY_LOCAL_USER);
	assert_int_equal(give(video), NV_OK);
	assert_int_equal(take_as(other, video, DEVICE, &handle), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(host_free(giver.ctl, giver.client, MEMORY), NV_OK);
	make(NV01_MEMORY_SYSTEM);
	assert_int_equal(give(system), NV_OK);
	assert_int_equal(take_as(other, system, DEVICE, &handle), NV_OK);
}

/* A GPU that only a file's memory uses stays booted with it. */
static void test_keeps_gpu(void **state)
{
	int fd = host_open(RM_NODE_CONTROL, 0);
	u32 before = free_kib();

	make(NV01_MEMORY_LOCAL_USER);
	assert_int_equal(give(fd), NV_OK);
	for (int i = 0; i < HOST_FDS; i++) {
		if (host.fds[i].file && i != fd)
			host_close(i);
	}
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	taker = side_make(0);
	assert_int_equal(free_kib(), before - SIZE / 1024);
	assert_int_equal(take(fd), NV_OK);
	assert_int_equal(host_free(taker.ctl, taker.client, TAKEN), NV_OK);
	host_close(fd);
	assert_int_equal(free_kib(), before);
}

static void test_lost_gpu(void **state)
{
	int fd = host_open(RM_NODE_CONTROL, 0);
	u32 status;

	make(NV01_MEMORY_LOCAL_USER);
	assert_int_equal(give(fd), NV_OK);
	rm_gpu_gone(host.rm_gpus[0]);
	status = take(fd);
	assert_true(status == NV_ERR_GPU_IS_LOST || status == NV_ERR_RESOURCE_LOST);
}

static void test_failing_allocations(void **state)
{
	u32 before = free_kib(), n, fails = 0;

	if (!os_user_fail_alloc_thread(0))
		skip();
	make(NV01_MEMORY_LOCAL_USER);
	for (n = 1; n < 20; n++) {
		u64 live = unit_live_settled();
		int fd = host_open(RM_NODE_CONTROL, 0);
		u32 status;

		os_user_fail_alloc_thread(n);
		status = give(fd);
		if (status == NV_OK)
			status = take(fd);
		os_user_fail_alloc_thread(0);
		fails += status != NV_OK;
		if (status != NV_OK)
			assert_true(status == NV_ERR_NO_MEMORY ||
				    status == NV_ERR_INSUFFICIENT_RESOURCES);
		else
			assert_int_equal(host_free(taker.ctl, taker.client, TAKEN), NV_OK);
		host_close(fd);
		assert_true(unit_live_becomes(live));
		assert_int_equal(free_kib(), before - SIZE / 1024);
	}
	assert_true(fails > 1);
	assert_int_equal(host_free(giver.ctl, giver.client, MEMORY), NV_OK);
	assert_int_equal(free_kib(), before);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, start, host_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_stays),	       T(test_same_memory),	    T(test_give_refusals),
		T(test_take_refusals), T(test_other_gpu),	    T(test_keeps_gpu),
		T(test_lost_gpu),      T(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
