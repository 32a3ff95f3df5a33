// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * os_alloc, the allocation that fails on demand, the count of what is live, strings.
 */
#include <pthread.h>

#include "unit.h"

static void test_alloc(void **state)
{
	struct os_user_alloc_stats before, during, after;
	u8 *mem;
	u32 i;

	os_user_alloc_stats(&before);
	mem = os_alloc(1000);
	assert_non_null(mem);
	assert_int_equal((uintptr_t)mem % 16, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(mem[i], 0);
	os_user_alloc_stats(&during);
	if (os_user_fail_alloc(0)) {
		assert_int_equal(during.live, before.live + 1);
		assert_true(during.bytes >= before.bytes + 1000);
		assert_int_equal(during.total, before.total + 1);
	}
	os_memset(mem, 0xaa, 1000);
	os_free_secret(mem, 1000);
	os_user_alloc_stats(&after);
	assert_int_equal(after.live, before.live);
	assert_int_equal(after.bytes, before.bytes);
	assert_null(os_alloc(0));
	assert_null(os_alloc(~(size_t)0 / 2));
	os_free(NULL);
	os_free_secret(NULL, 8);
}

static void test_fail_nth(void **state)
{
	void *mem[4];
	u64 failed = unit_failed();
	u32 i;

	if (!os_user_fail_alloc(3))
		skip();
	for (i = 0; i < 4; i++)
		mem[i] = os_alloc(8);
	assert_true(mem[0] && mem[1] && !mem[2] && mem[3]);
	assert_int_equal(unit_failed(), failed + 1);
	for (i = 0; i < 4; i++)
		os_free(mem[i]);
	os_user_fail_alloc(1);
	os_user_fail_alloc(0);
	mem[0] = os_alloc(8);
	assert_non_null(mem[0]);
	os_free(mem[0]);
}

static void *alloc_in_thread(void *arg)
{
	void **mem = arg;

	*mem = os_alloc(8);
	return NULL;
}

static void test_fail_in_thread(void **state)
{
	void *other = NULL, *mine;
	pthread_t thread;

	if (!os_user_fail_alloc_thread(1))
		skip();
	assert_int_equal(pthread_create(&thread, NULL, alloc_in_thread, &other), 0);
	pthread_join(thread, NULL);
	assert_non_null(other);
	os_free(other);
	mine = os_alloc(8);
	assert_null(mine);
	mine = os_alloc(8);
	assert_non_null(mine);
	os_free(mine);

	os_user_fail_alloc(1);
	assert_int_equal(pthread_create(&thread, NULL, alloc_in_thread, &other), 0);
	pthread_join(thread, NULL);
	assert_null(other);
}

static void test_strings(void **state)
{
	char buf[8];

	assert_int_equal(os_snprintf(buf, sizeof(buf), "%s-%u", "abcdef", 12u), 9);
	assert_string_equal(buf, "abcdef-");
	assert_int_equal(os_snprintf(NULL, 0, "%u", 123u), 3);
	assert_int_equal(os_strnlen("hello", 3), 3);
	assert_int_equal(os_strnlen("hello", 30), 5);
	assert_int_equal(os_strcmp("a", "a"), 0);
	assert_true(os_strcmp("a", "b") < 0);
	os_memcpy(buf, "1234567", 8);
	assert_int_equal(os_memcmp(buf, "1234567", 8), 0);
	assert_true(os_memcmp(buf, "1234568", 8) < 0);
	os_memcpy(NULL, NULL, 0);
	os_memset(NULL, 0, 0);
	assert_int_equal(os_memcmp(NULL, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_fail_nth),
		cmocka_unit_test(test_fail_in_thread),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
