// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Builds with lock_checks stop at the first lock taken out of order and at the first sleep in
 * atomic context, and name what was held.
 */
#include "unit.h"

#ifdef OS_LOCK_CHECKS

static struct os_mutex gpu, client, client2;
static struct os_rwlock leaf;
static struct os_percpu_rwlock api;
static struct os_spinlock spin, spin2;

static int setup(void **state)
{
	os_mutex_init(&gpu, LOCK_RANK_GPU, "gpu 0");
	os_mutex_init(&client, LOCK_RANK_CLIENT, "client 1");
	os_mutex_init(&client2, LOCK_RANK_CLIENT, "client 2");
	os_spinlock_init(&spin, "spin 1");
	os_spinlock_init(&spin2, "spin 2");
	return os_rwlock_init(&leaf, LOCK_RANK_LEAF, "leaf") != NV_OK ||
	       os_percpu_rwlock_init(&api, LOCK_RANK_API, "api") != NV_OK;
}

static int teardown(void **state)
{
	os_mutex_destroy(&gpu);
	os_mutex_destroy(&client);
	os_mutex_destroy(&client2);
	os_rwlock_destroy(&leaf);
	os_percpu_rwlock_destroy(&api);
	return 0;
}

static void test_right_order(void **state)
{
	u32 token = os_percpu_rwlock_read_lock(&api);

	os_mutex_lock_pair(&client2, &client);
	os_mutex_lock(&gpu);
	os_rwlock_read_lock(&leaf);
	os_spinlock_lock(&spin);
	/* released in another order than taken */
	os_mutex_unlock(&gpu);
	os_spinlock_unlock(&spin);
	os_mutex_unlock_pair(&client, &client2);
	os_rwlock_read_unlock(&leaf);
	os_percpu_rwlock_read_unlock(&api, token);
	/* a lock that is tried cannot deadlock */
	os_mutex_lock(&gpu);
	assert_true(os_mutex_trylock(&client));
	os_mutex_unlock(&client);
	os_mutex_unlock(&gpu);
}

static void client_under_gpu(void)
{
	os_mutex_lock(&gpu);
	os_mutex_lock(&client);
}

static void two_clients(void)
{
	os_mutex_lock(&client);
	os_mutex_lock(&client2);
}

static void same_again(void)
{
	os_mutex_lock(&client);
	os_mutex_lock(&client);
}

static void api_under_client(void)
{
	os_mutex_lock(&client);
	os_percpu_rwlock_write_lock(&api);
}

static void api_nested(void)
{
	os_percpu_rwlock_read_lock(&api);
	os_percpu_rwlock_read_lock(&api);
}

static void gpu_under_leaf(void)
{
	os_rwlock_write_lock(&leaf);
	os_mutex_lock(&gpu);
}

static void two_spinlocks(void)
{
	os_spinlock_lock(&spin);
	os_spinlock_lock(&spin2);
}

static void alloc_under_spinlock(void)
{
	os_spinlock_lock(&spin);
	os_free(os_alloc(8));
}

static void copy_under_spinlock(void)
{
	char c = 0, d;

	os_spinlock_lock(&spin);
	os_copy_from_user(&d, (uintptr_t)&c, 1);
}

static void not_held(void)
{
	os_mutex_assert_held(&client);
}

static void unlock_not_held(void)
{
	os_mutex_unlock(&client);
}

static void thread_that_keeps_a_lock(void *arg)
{
	os_mutex_lock(&gpu);
}

static void lock_kept_at_exit(void)
{
	os_thread_join(os_thread_create("keeper", thread_that_keeps_a_lock, NULL));
}

static void test_wrong_order(void **state)
{
	static const struct {
		void (*fn)(void);
		const char *log;
	} cases[] = {
		{ client_under_gpu, "takes \"client 1\" (CLIENT) while \"gpu 0\" (GPU) is held" },
		{ two_clients, "takes \"client 2\" (CLIENT) while \"client 1\" (CLIENT) is held" },
		{ same_again, "takes again \"client 1\"" },
		{ api_under_client, "takes \"api\" (API) while \"client 1\" (CLIENT) is held" },
		{ api_nested, "takes again \"api\"" },
		{ gpu_under_leaf, "takes \"gpu 0\" (GPU) while \"leaf\" (LEAF) is held" },
		{ two_spinlocks,
		  "takes \"spin 2\" (LEAF_SPIN) while \"spin 1\" (LEAF_SPIN) is held" },
		{ alloc_under_spinlock, "may sleep in \"os_alloc\"" },
		{ copy_under_spinlock, "may sleep in \"os_copy_from_user\"" },
		{ not_held, "must hold \"client 1\"" },
		{ unlock_not_held, "releases what it does not hold, \"client 1\"" },
		{ lock_kept_at_exit, "still holds locks: \"keeper\"" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		unit_assert_aborts(cases[i].fn, cases[i].log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_order),
		cmocka_unit_test(test_wrong_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

#else

int main(void)
{
	return 77; /* skipped: built without lock_checks */
}

#endif
