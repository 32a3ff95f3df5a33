// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clients that make the driver wait: in a copy, or in the look-up of a descriptor. Whatever happens
 * meanwhile is seen when the request goes on, and nobody else waits for it.
 */
#include <pthread.h>

#include "rm/gpu/gpu.h"
#include "rm/instance.h"
#include "rm/server/internal.h"
#include "rm_host.h"
#include "unit.h"

/* Far longer than anything takes that waits for nobody. */
#define PATIENCE_MS 3000u

static const struct os_cred root = { .pid = 1, .admin = true };

/* A request of another thread, and where it is made to wait. */
static struct {
	pthread_t thread;
	int fd;
	u32 number, size;
	void *params;
	enum rm_ioctl_result result;
	u32 skip;	 /* copies that pass before the one that waits */
	u32 waiting, go; /* atomic */
	u32 served;	 /* atomic */
} stalled;

static void stall(void)
{
	os_store_release(&stalled.waiting, 1);
	while (!os_load_acquire(&stalled.go))
		os_sleep_us(100);
}

static enum nv_status copy_from(void *ctx, void *dst, u64 user, size_t size)
{
	memcpy(dst, (void *)(uintptr_t)user, size);
	if (stalled.skip-- == 0)
		stall();
	return NV_OK;
}

static enum nv_status copy_to(void *ctx, u64 user, const void *src, size_t size)
{
	memcpy((void *)(uintptr_t)user, src, size);
	return NV_OK;
}

static const struct os_user_copy_ops stalling_copies = { copy_from, copy_to };
static const struct os_user_copy_ops *copies;

static void *request(void *arg)
{
	os_user_set_cred(&root);
	os_user_set_copy_ops(copies, NULL);
	stalled.result = host_ioctl(stalled.fd, stalled.number, stalled.params, stalled.size);
	os_store_release(&stalled.served, 1);
	return NULL;
}

static void start_request(int fd, u32 number, void *params, u32 size)
{
	stalled.fd = fd;
	stalled.number = number;
	stalled.params = params;
	stalled.size = size;
	assert_int_equal(pthread_create(&stalled.thread, NULL, request, NULL), 0);
}

static void start_stalled(int fd, u32 number, void *params, u32 size)
{
	start_request(fd, number, params, size);
	while (!os_load_acquire(&stalled.waiting))
		os_sleep_us(100);
}

static enum rm_ioctl_result finish_request(void)
{
	os_store_release(&stalled.go, 1);
	pthread_join(stalled.thread, NULL);
	return stalled.result;
}

static int start(void **state)
{
	host_start(1);
	memset(&stalled, 0, sizeof(stalled));
	copies = NULL;
	return 0;
}

/* -- In a copy --------------------------------------------------------------------------------- */

static void test_device_goes_before_its_registers_are_read(void **state)
{
	int gpu = host_open(RM_NODE_GPU, 0);
	nv_ioctl_query_device_intr p = { .status = 7 };

	assert_true(gpu >= 0);
	copies = &stalling_copies;
	start_stalled(gpu, NV_ESC_QUERY_DEVICE_INTR, &p, sizeof(p));
	host_remove(0);
	assert_int_equal(finish_request(), RM_IOCTL_EINVAL);
	assert_int_equal(p.status, 7);
}

static void test_device_goes_before_its_setting_is_written(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	u32 client = host_client(ctl), device = 0xd0, value = 0;
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	const struct rm_gpu *gone = host.rm_gpus[0];
	NVOS38_PARAMETERS p = {
		.hClient = client,
		.hObject = device,
		.AccessType = NVOS38_ACCESS_TYPE_WRITE_DWORD,
		.ParmStrLength = 4,
		.pParmStr = (u64)(uintptr_t) "Test",
		.Data = 7,
	};

	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	copies = &stalling_copies;
	stalled.skip = 1; /* the structure; then comes the name */
	start_stalled(ctl, NV_ESC_RM_ACCESS_REGISTRY, &p, sizeof(p));
	host_remove(0);
	assert_int_equal(finish_request(), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_ERR_RESOURCE_LOST);
	/* Compared only: nothing may be left that a GPU at the same address would inherit. */
	assert_int_equal(rm_registry_read_dword(host.rm, gone, "Test", &value), NV_ERR_GENERIC);
	host_close(gpu);
}

/* -- In the look-up of a descriptor ------------------------------------------------------------ */

static void test_session_waits_for_a_descriptor_alone(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), cap = host_open(RM_NODE_CAP, 1);
	u32 client = host_client(ctl);
	NVC639_ALLOCATION_PARAMETERS params = { .capDescriptor = (u64)cap };
	NVOS21_PARAMETERS session = {
		.hRoot = client,
		.hObjectParent = client,
		.hClass = AMPERE_SMC_CONFIG_SESSION,
		.pAllocParms = (u64)(uintptr_t)&params,
	};
	u32 token;

	host.asked = stall;
	start_stalled(ctl, NV_ESC_RM_ALLOC, &session, sizeof(session));
	/* Neither the API lock, which a change of the set of GPUs takes, nor its client's. */
	host.asked = NULL;
	token = 0;
	for (u32 ms = 0; !token && ms < PATIENCE_MS; ms++) {
		struct rm_client *found;

		found = rm_client_get(host.rm->server, client);
		token = os_mutex_trylock(&found->lock);
		if (token)
			os_mutex_unlock(&found->lock);
		else
			os_sleep_us(1000);
		rm_client_put(found);
	}
	assert_int_equal(finish_request(), RM_IOCTL_OK);
	assert_int_equal(session.status, NV_OK);
	assert_true(token);
	assert_int_equal(host.fds[cap].references, 2);
	assert_int_equal(host_free(ctl, client, session.hObjectNew), NV_OK);
	assert_int_equal(host.fds[cap].references, 1);
}

/* Whatever the outcome, a file that no object keeps is given back. */
static void test_session_gives_files_back(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), fabric = host_open(RM_NODE_CAP, 0);
	u32 client = host_client(ctl), first = 0, second = 0, wrong = 0;
	NV000F_ALLOCATION_PARAMETERS params = { .capDescriptor = (u64)ctl };
	NVC640_ALLOCATION_PARAMETERS monitor = { .capDescriptor = (u64)fabric };

	assert_int_equal(
		host_alloc(ctl, client, client, &wrong, FABRIC_MANAGER_SESSION, &params, 0),
		NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(host.fds[ctl].references, 1);
	assert_int_equal(
		host_alloc(ctl, client, client, &wrong, AMPERE_SMC_MONITOR_SESSION, &monitor, 0),
		NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(host_alloc(ctl, client, client, &wrong, FABRIC_MANAGER_SESSION, NULL, 0),
			 NV_ERR_INVALID_ARGUMENT);
	params.capDescriptor = (u64)fabric;
	assert_int_equal(host_alloc(ctl, 0xbad, client, &wrong, FABRIC_MANAGER_SESSION, &params, 0),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(host.fds[fabric].references, 1);
	assert_int_equal(
		host_alloc(ctl, client, client, &first, FABRIC_MANAGER_SESSION, &params, 0), NV_OK);
	assert_int_equal(
		host_alloc(ctl, client, client, &second, FABRIC_MANAGER_SESSION, &params, 0),
		NV_ERR_STATE_IN_USE);
	assert_int_equal(host.fds[fabric].references, 2);
	assert_int_equal(host_free(ctl, client, first), NV_OK);
	assert_int_equal(host.fds[fabric].references, 1);
}

/* -- What is fetched twice may have changed ---------------------------------------------------- */

static const void *watched;
static u32 fetched;

static enum nv_status count_from(void *ctx, void *dst, u64 user, size_t size)
{
	fetched += user == (u64)(uintptr_t)watched;
	memcpy(dst, (void *)(uintptr_t)user, size);
	return NV_OK;
}

static void test_descriptors_are_fetched_once(void **state)
{
	static const struct os_user_copy_ops counting = { count_from, copy_to };
	int ctl = host_open(RM_NODE_CONTROL, 0), gpu = host_open(RM_NODE_GPU, 0);
	int cap = host_open(RM_NODE_CAP, 2);
	u32 client = host_client(ctl), session = 0, status;
	NV00FD_CTRL_ATTACH_GPU_PARAMS attach = { .devDescriptor = (u64)gpu };
	NVC640_ALLOCATION_PARAMETERS monitor = { .capDescriptor = (u64)cap };

	os_user_set_copy_ops(&counting, NULL);
	watched = &attach;
	fetched = 0;
	status = host_control(ctl, client, client, NV00FD_CTRL_CMD_ATTACH_GPU, &attach,
			      sizeof(attach));
	os_user_set_copy_ops(NULL, NULL);
	assert_int_equal(status, NV_ERR_NOT_SUPPORTED);
	assert_int_equal(fetched, 1);
	assert_int_equal(host.fds[gpu].references, 1);

	os_user_set_copy_ops(&counting, NULL);
	watched = &monitor;
	fetched = 0;
	status = host_alloc(ctl, client, client, &session, AMPERE_SMC_MONITOR_SESSION, &monitor, 0);
	os_user_set_copy_ops(NULL, NULL);
	assert_int_equal(status, NV_OK);
	assert_int_equal(fetched, 1);
	/* A wrong size and a descriptor of nothing, as before. */
	assert_int_equal(host_control(ctl, client, client, NV00FD_CTRL_CMD_ATTACH_GPU, &attach,
				      sizeof(attach) - 4),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(host.fds[gpu].references, 1);
}

/* -- Between a check and what it allows -------------------------------------------------------- */

/* While the memory's only user takes it offline, nobody becomes a second one. */
static void test_numa_users_stay_as_counted(void **state)
{
	int gpu = host_open(RM_NODE_GPU, 0);
	nv_ioctl_set_numa_status_t p = { .status = NV_IOCTL_NUMA_STATUS_OFFLINE_IN_PROGRESS };
	u32 held = 0, ms;

	host.rm->numa[0].node = 1;
	host.rm->numa[0].status = NV_IOCTL_NUMA_STATUS_ONLINE;
	os_mutex_lock(&host.rm->file_lock);
	start_request(gpu, NV_ESC_SET_NUMA_STATUS, &p, sizeof(p));
	/* It waits for the lock above, then, and holds the one that users are counted under. */
	for (ms = 0; held < 50 && ms < PATIENCE_MS; ms++) {
		if (os_mutex_trylock(&host.rm_gpus[0]->lock)) {
			os_mutex_unlock(&host.rm_gpus[0]->lock);
			held = 0;
		} else {
			held++;
		}
		os_sleep_us(1000);
	}
	os_mutex_unlock(&host.rm->file_lock);
	assert_int_equal(finish_request(), RM_IOCTL_OK);
	assert_int_equal(held, 50);
	assert_false(host.rm->numa[0].online);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_device_goes_before_its_registers_are_read,
						start, host_end),
		cmocka_unit_test_setup_teardown(test_device_goes_before_its_setting_is_written,
						start, host_end),
		cmocka_unit_test_setup_teardown(test_session_waits_for_a_descriptor_alone, start,
						host_end),
		cmocka_unit_test_setup_teardown(test_session_gives_files_back, start, host_end),
		cmocka_unit_test_setup_teardown(test_descriptors_are_fetched_once, start, host_end),
		cmocka_unit_test_setup_teardown(test_numa_users_stay_as_counted, start, host_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
