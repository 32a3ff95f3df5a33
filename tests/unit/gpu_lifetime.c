// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * When a GPU's firmware stops, and what becomes of the clients' objects on it and of calls that are
 * being served meanwhile.
 */
#include <pthread.h>

#include "rm/gpu/gpu.h"
#include "rm/gsp/gsp.h"
#include "rm/instance.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE 0x5c000001u
#define SUBDEVICE 0x5c000002u

static int control; /* descriptors */
static u32 client;

static int setup(void **state)
{
	host_start(1);
	control = host_open(RM_NODE_CONTROL, 0);
	assert_true(control >= 0);
	client = host_client(control);
	return 0;
}

static int open_gpu(void)
{
	int fd = host_open(RM_NODE_GPU, 0);

	assert_true(fd >= 0);
	return fd;
}

static void make_objects(void)
{
	NV0080_ALLOC_PARAMETERS device = { .deviceId = 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { .subDeviceId = 0 };
	u32 handle = DEVICE;

	assert_int_equal(host_alloc(control, client, client, &handle, NV01_DEVICE_0, &device,
				    sizeof(device)),
			 NV_OK);
	handle = SUBDEVICE;
	assert_int_equal(host_alloc(control, client, DEVICE, &handle, NV20_SUBDEVICE_0, &subdevice,
				    sizeof(subdevice)),
			 NV_OK);
}

/* One that the firmware serves. */
static u32 ask_firmware(void)
{
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS p = { .gpuNameStringFlags = 1 };

	return host_control(control, client, SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_NAME_STRING, &p,
			    sizeof(p));
}

static bool booted(void)
{
	bool is;

	rm_gpu_lock(host.rm_gpus[0]);
	is = host.rm_gpus[0]->gsp != NULL;
	rm_gpu_unlock(host.rm_gpus[0]);
	return is;
}

static bool stops_soon(void)
{
	u32 i;

	for (i = 0; i < 3000 && booted(); i++)
		os_sleep_us(1000);
	return !booted();
}

/* -- Objects ----------------------------------------------------------------------------------- */

static void objects_go_with_the_last_user(void **state)
{
	NV0000_CTRL_GPU_GET_ATTACHED_IDS_PARAMS ids;
	u32 other = host_client(control);
	u32 gid = host.rm_gpus[0]->gpu_id;
	u32 round;
	int fd, second;

	for (round = 0; round < 3; round++) {
		fd = open_gpu();
		make_objects();
		assert_int_equal(ask_firmware(), NV_OK);
		/* Another user keeps them. */
		second = open_gpu();
		host_close(fd);
		assert_int_equal(ask_firmware(), NV_OK);
		host_close(second);
		assert_false(booted());
		assert_int_equal(ask_firmware(), NV_ERR_OBJECT_NOT_FOUND);
		assert_int_equal(host_free(control, client, DEVICE), NV_OK);
		/* The clients themselves stay. */
		assert_int_equal(host_control(control, other, other,
					      NV0000_CTRL_CMD_GPU_GET_ATTACHED_IDS, &ids,
					      sizeof(ids)),
				 NV_OK);
		assert_int_equal(ids.gpuIds[0], NV0000_CTRL_GPU_INVALID_ID);
	}
	/* The handles are free, and a client may have its one device again. */
	fd = open_gpu();
	make_objects();
	assert_int_equal(ask_firmware(), NV_OK);
	assert_int_equal(host_control(control, other, other, NV0000_CTRL_CMD_GPU_GET_ATTACHED_IDS,
				      &ids, sizeof(ids)),
			 NV_OK);
	assert_int_equal(ids.gpuIds[0], gid);
	host_close(fd);
}

static void objects_of_many_clients_go(void **state)
{
	NV0080_ALLOC_PARAMETERS device = { .deviceId = 0 };
	u32 clients[40], i, handle;
	int fd = open_gpu();

	for (i = 0; i < ARRAY_SIZE(clients); i++) {
		clients[i] = host_client(control);
		handle = DEVICE;
		assert_int_equal(host_alloc(control, clients[i], clients[i], &handle, NV01_DEVICE_0,
					    &device, sizeof(device)),
				 NV_OK);
	}
	host_close(fd);
	fd = open_gpu();
	for (i = 0; i < ARRAY_SIZE(clients); i++) {
		handle = DEVICE;
		assert_int_equal(host_alloc(control, clients[i], clients[i], &handle, NV01_DEVICE_0,
					    &device, sizeof(device)),
				 NV_OK);
	}
	host_close(fd);
}

static void persistence_keeps_objects(void **state)
{
	NV0080_CTRL_GPU_MODIFY_SW_STATE_PERSISTENCE_PARAMS p = {
		.newState = NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_ENABLED,
	};
	int fd = open_gpu();

	make_objects();
	assert_int_equal(host_control(control, client, DEVICE,
				      NV0080_CTRL_CMD_GPU_MODIFY_SW_STATE_PERSISTENCE, &p,
				      sizeof(p)),
			 NV_OK);
	host_close(fd);
	assert_true(booted());
	assert_int_equal(ask_firmware(), NV_OK);
	/* Its last user is a call on it: that ends in order, then all goes. */
	p.newState = NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_DISABLED;
	assert_int_equal(host_control(control, client, DEVICE,
				      NV0080_CTRL_CMD_GPU_MODIFY_SW_STATE_PERSISTENCE, &p,
				      sizeof(p)),
			 NV_OK);
	assert_true(stops_soon());
	assert_int_equal(ask_firmware(), NV_ERR_OBJECT_NOT_FOUND);
	fd = open_gpu();
	make_objects();
	assert_int_equal(ask_firmware(), NV_OK);
	host_close(fd);
}

/* A firmware that does not answer is waited for once or twice, however much there is to free. */
static void silent_firmware_does_not_hold_up_the_close(void **state)
{
	NV0080_ALLOC_PARAMETERS device = { .deviceId = 0 };
	u32 i, handle, other;
	u64 start;
	int fd;

	assert_int_equal(rm_registry_write_dword(host.rm, NULL, "RmDefaultTimeout", 200), NV_OK);
	fd = open_gpu();
	for (i = 0; i < 30; i++) {
		other = host_client(control);
		handle = DEVICE;
		assert_int_equal(host_alloc(control, other, other, &handle, NV01_DEVICE_0, &device,
					    sizeof(device)),
				 NV_OK);
	}
	fixture_gpu_inject(&host.gpus[0], "gsp-hang");
	start = os_time_ns();
	host_close(fd);
	assert_true(os_time_ns() - start < 3000000000ull);
	assert_false(booted());
}

/* -- Calls meanwhile --------------------------------------------------------------------------- */

static u32 stop;

static void *uuid_reader(void *arg)
{
	NV0000_CTRL_GPU_GET_UUID_FROM_GPU_ID_PARAMS p = { .gpuId = host.rm_gpus[0]->gpu_id };

	while (!os_load_acquire(&stop))
		host_control(control, client, client, NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID, &p,
			     sizeof(p));
	return NULL;
}

static void *info_reader(void *arg)
{
	NV0000_CTRL_GPU_GET_ID_INFO_V2_PARAMS p = { .gpuId = host.rm_gpus[0]->gpu_id };

	while (!os_load_acquire(&stop))
		host_control(control, client, client, NV0000_CTRL_CMD_GPU_GET_ID_INFO_V2, &p,
			     sizeof(p));
	return NULL;
}

/* Keeps the GPU booted while it asks: it may be the last user itself. */
static void *peer_reader(void *arg)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p = { .gpuIds = { host.rm_gpus[0]->gpu_id },
						     .gpuCount = 1 };

	while (!os_load_acquire(&stop))
		host_control(control, client, client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p,
			     sizeof(p));
	return NULL;
}

static void open_and_close_amid(void *(*const *readers)(void *arg), u32 count, u32 rounds)
{
	pthread_t threads[4];
	u32 i;
	int fd;

	os_store_release(&stop, 0);
	for (i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, readers[i], NULL), 0);
	for (i = 0; i < rounds; i++) {
		fd = open_gpu();
		os_sleep_us(300 + i * 7 % 1000);
		host_close(fd);
	}
	os_store_release(&stop, 1);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	assert_true(stops_soon());
}

static void handlers_do_not_see_the_firmware_go(void **state)
{
	static void *(*const readers[])(void *arg) = { uuid_reader, uuid_reader, info_reader };

	open_and_close_amid(readers, ARRAY_SIZE(readers), 200);
}

static void handlers_may_be_the_last_user(void **state)
{
	static void *(*const readers[])(void *arg) = { peer_reader, peer_reader, uuid_reader };

	open_and_close_amid(readers, ARRAY_SIZE(readers), 60);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, host_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(objects_go_with_the_last_user),
		T(objects_of_many_clients_go),
		T(persistence_keeps_objects),
		T(silent_firmware_does_not_hold_up_the_close),
		T(handlers_do_not_see_the_firmware_go),
		T(handlers_may_be_the_last_user),
	};

	return cmocka_run_group_tests_name("gpu_lifetime", tests, NULL, NULL);
}
