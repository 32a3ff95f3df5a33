// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who is who: the names of OS events are a user's in one container, a process number that is given
 * anew is another process, and no file has names without end.
 */
#include "rm/file.h"
#include "rm_host.h"
#include "unit.h"

static int start(void **state)
{
	host_start(1);
	return 0;
}

static void be(u32 pid, u64 started, u64 space)
{
	const struct os_cred cred = {
		.pid = pid, .uid = 1000, .gid = 1000, .started = started, .space = space
	};

	os_user_set_cred(&cred);
}

static u32 os_event(int fd, u32 number, u32 client, u32 name)
{
	nv_ioctl_alloc_os_event_t p = { .hClient = client, .fd = name, .Status = 0xffff };

	assert_int_equal(host_ioctl(fd, number, &p, sizeof(p)), RM_IOCTL_OK);
	return p.Status;
}

static u32 name(int fd, u32 client, u32 number)
{
	return os_event(fd, NV_ESC_ALLOC_OS_EVENT, client, number);
}

static u32 unname(int fd, u32 client, u32 number)
{
	return os_event(fd, NV_ESC_FREE_OS_EVENT, client, number);
}

/* Users of one number in two containers share no name, and neither frees the other's. */
static void test_names_of_containers(void **state)
{
	int ctl, other;
	u32 client, i;

	be(100, 1, 7);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	assert_int_equal(name(ctl, client, 5), NV_OK);
	/* Another process of the same user there, a child perhaps, means the same by it. */
	be(101, 2, 7);
	assert_int_equal(name(ctl, client, 5), NV_ERR_INSUFFICIENT_RESOURCES);

	be(100, 1, 8);
	other = host_open(RM_NODE_CONTROL, 0);
	assert_int_equal(unname(other, client, 5), NV_ERR_INVALID_EVENT);
	for (i = 5; i < 10; i++)
		assert_int_equal(name(other, client, i), NV_OK);
	/* The client's end takes its own names. */
	be(100, 1, 7);
	assert_int_equal(host_free(ctl, client, client), NV_OK);
	assert_int_equal(unname(ctl, client, 5), NV_ERR_INVALID_EVENT);
	be(100, 1, 8);
	assert_int_equal(unname(other, client, 5), NV_OK);
	assert_int_equal(unname(other, client, 5), NV_ERR_INVALID_EVENT);
}

/* As many as there may be of a file, of several clients; closing it takes all. */
static void test_limit(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0), other = host_open(RM_NODE_CONTROL, 0);
	u32 i;

	for (i = 0; i < RM_FILE_OS_EVENTS_MAX; i++)
		assert_int_equal(name(ctl, i % 7, i), NV_OK);
	assert_int_equal(name(ctl, 1, ~0u), NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(name(other, 1, ~0u), NV_OK);
	/* From wherever a name is freed, its file has room for another. */
	assert_int_equal(unname(other, 0, 0), NV_OK);
	assert_int_equal(name(ctl, 1, ~0u - 1), NV_OK);
	assert_int_equal(name(ctl, 0, 0), NV_ERR_INSUFFICIENT_RESOURCES);
	host_close(ctl);
	assert_int_equal(unname(other, 1, 1), NV_ERR_INVALID_EVENT);
	assert_int_equal(unname(other, 1, ~0u), NV_OK);
}

/* A client's names in many files go together, those of others stay. */
static void test_client_ends(void **state)
{
	u32 client, i;
	int fds[8];

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = host_open(RM_NODE_CONTROL, 0);
	client = host_client(fds[0]);
	for (i = 0; i < 4000; i++) {
		assert_int_equal(name(fds[i % ARRAY_SIZE(fds)], client, i), NV_OK);
		assert_int_equal(name(fds[i % ARRAY_SIZE(fds)], ~client, i), NV_OK);
	}
	assert_int_equal(host_free(fds[0], client, client), NV_OK);
	for (i = 0; i < 4000; i++) {
		assert_int_equal(unname(fds[0], client, i), NV_ERR_INVALID_EVENT);
		assert_int_equal(unname(fds[0], ~client, i), NV_OK);
	}
}

/*
 * Names whose places in the table are the same: the place is the client's number mixed with the
 * user's and the container's, so that of two users there are such.
 */
static void test_names_of_one_place(void **state)
{
	const u32 clients[3] = { 9, 9 ^ 1u * 0x85ebca77u ^ 2u * 0x85ebca77u,
				 9 ^ 1u * 0x85ebca77u ^ 3u * 0x85ebca77u };
	static const u32 orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 }, { 1, 2, 0 } };
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		for (j = 0; j < 3; j++) {
			be(100, 1, j + 1);
			assert_int_equal(name(ctl, clients[j], 1), NV_OK);
			assert_int_equal(name(ctl, clients[j], 2), NV_OK);
		}
		for (j = 0; j < 3; j++) {
			u32 k = orders[i][j];

			be(100, 1, k + 1);
			assert_int_equal(unname(ctl, clients[k], 1), NV_OK);
			assert_int_equal(unname(ctl, clients[k], 2), NV_OK);
			assert_int_equal(unname(ctl, clients[k], 2), NV_ERR_INVALID_EVENT);
		}
	}
}

static void test_no_memory(void **state)
{
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 i, status = NV_ERR_GENERIC;
	u64 live;

	if (!os_user_fail_alloc_thread(0))
		skip();
	live = unit_live_settled();
	for (i = 1; status != NV_OK; i++) {
		os_user_fail_alloc_thread(i);
		status = name(ctl, 1, 5);
		os_user_fail_alloc_thread(0);
		if (status != NV_OK) {
			assert_int_equal(status, NV_ERR_INSUFFICIENT_RESOURCES);
			assert_int_equal(unit_live(), live);
		}
		assert_true(i < 20);
	}
	assert_true(i > 3);
	assert_int_equal(unname(ctl, 1, 5), NV_OK);
	assert_int_equal(unit_live(), live);
}

static u32 make_device(int ctl)
{
	NV0080_ALLOC_PARAMETERS d = { 0 };
	u32 client = host_client(ctl), device = 0;

	return host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0);
}

/* Whoever opened a GPU may use it; one that gets his number after him may not. */
static void test_number_given_anew(void **state)
{
	int gpu, ctl;

	be(100, 1, 7);
	gpu = host_open(RM_NODE_GPU, 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	assert_true(gpu >= 0 && ctl >= 0);
	assert_int_equal(make_device(ctl), NV_OK);
	be(100, 2, 7);
	ctl = host_open(RM_NODE_CONTROL, 0);
	assert_int_not_equal(make_device(ctl), NV_OK);
	be(100, 1, 7);
	assert_int_equal(make_device(ctl), NV_OK);
}

/* A client of a device, for whom asks for both. */
static u32 make_client(int ctl, u32 *device)
{
	NV0080_ALLOC_PARAMETERS d = { 0 };
	u32 client = host_client(ctl);

	*device = 0;
	assert_int_equal(host_alloc(ctl, client, client, device, NV01_DEVICE_0, &d, 0), NV_OK);
	return client;
}

/* Objects are for other clients of their process by default, and not for a later one's. */
static void test_dup_by_number_given_anew(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = MIB(1) };
	u32 client, device, memory = 0, i;
	int ctl;

	be(100, 1, 7);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = make_client(ctl, &device);
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);
	for (i = 1; i <= 2; i++) {
		NVOS55_PARAMETERS dup = { .hClientSrc = client, .hObjectSrc = memory };

		be(100, i, 7);
		assert_true(host_open(RM_NODE_GPU, 0) >= 0);
		dup.hClient = make_client(ctl, &dup.hParent);
		assert_int_equal(host_ioctl(ctl, NV_ESC_RM_DUP_OBJECT, &dup, sizeof(dup)),
				 RM_IOCTL_OK);
		assert_int_equal(dup.status, i == 1 ? NV_OK : NV_ERR_INSUFFICIENT_PERMISSIONS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_of_containers, start, host_end),
		cmocka_unit_test_setup_teardown(test_limit, start, host_end),
		cmocka_unit_test_setup_teardown(test_client_ends, start, host_end),
		cmocka_unit_test_setup_teardown(test_names_of_one_place, start, host_end),
		cmocka_unit_test_setup_teardown(test_no_memory, start, host_end),
		cmocka_unit_test_setup_teardown(test_number_given_anew, start, host_end),
		cmocka_unit_test_setup_teardown(test_dup_by_number_given_anew, start, host_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
