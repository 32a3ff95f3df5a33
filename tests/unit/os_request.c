// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a thread knows of the request it serves (credentials, user memory), and the log, clocks,
 * randomness and firmware.
 */
#include <sys/mman.h>

#include "unit.h"

static void test_cred(void **state)
{
	struct os_cred cred = { 1, 2, 3, false, 4, 5 };

	os_current_cred(&cred);
	assert_true(cred.pid == 0 && cred.uid == 0 && cred.admin);
	cred = (struct os_cred){ 100, 1000, 1001, false, 7, 8 };
	os_user_set_cred(&cred);
	memset(&cred, 0, sizeof(cred));
	os_current_cred(&cred);
	assert_true(cred.pid == 100 && cred.uid == 1000 && cred.gid == 1001 && !cred.admin);
	assert_true(cred.started == 7 && cred.space == 8);
	os_user_set_cred(NULL);
	os_current_cred(&cred);
	assert_true(cred.pid == 0 && cred.admin);
}

static void test_own_memory(void **state)
{
	u8 data[300], copy[300];
	u32 i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (u8)i;
	assert_int_equal(os_copy_from_user(copy, (uintptr_t)data, sizeof(data)), NV_OK);
	assert_memory_equal(copy, data, sizeof(data));
	memset(copy, 0, sizeof(copy));
	assert_int_equal(os_copy_to_user((uintptr_t)copy, data, sizeof(data)), NV_OK);
	assert_memory_equal(copy, data, sizeof(data));
	assert_int_equal(os_copy_from_user(NULL, 0, 0), NV_OK);
	assert_int_equal(os_copy_to_user(0, NULL, 0), NV_OK);
}

static void test_bad_memory(void **state)
{
	u64 page = OS_PAGE_SIZE;
	u8 *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 bad[] = { 0, 8, 0x8000000000001000ull, ~0ull - 3, ~0ull - 64 };
	u8 data[64] = { 1 };
	u32 i;

	assert_true(two != MAP_FAILED);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(os_copy_from_user(data, bad[i], sizeof(data)),
				 NV_ERR_INVALID_ADDRESS);
		assert_int_equal(os_copy_to_user(bad[i], data, sizeof(data)),
				 NV_ERR_INVALID_ADDRESS);
	}
	/* a range that begins well and ends in nothing */
	assert_int_equal(munmap(two + page, page), 0);
	assert_int_equal(os_copy_from_user(data, (uintptr_t)two + page - 32, 64),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(os_copy_to_user((uintptr_t)two + page - 32, data, 64),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(os_copy_to_user((uintptr_t)two + page - 32, data, 32), NV_OK);
	/* one that may only be read */
	assert_int_equal(mprotect(two, page, PROT_READ), 0);
	assert_int_equal(os_copy_from_user(data, (uintptr_t)two, 64), NV_OK);
	assert_int_equal(os_copy_to_user((uintptr_t)two, data, 64), NV_ERR_INVALID_ADDRESS);
	munmap(two, page);
}

struct client {
	u8 memory[16];
	u32 calls;
};

static enum nv_status client_from(void *ctx, void *dst, u64 user, size_t size)
{
	struct client *c = ctx;

	c->calls++;
	if (user < 0x1000 || user + size > 0x1010)
		return NV_ERR_INVALID_ADDRESS;
	memcpy(dst, c->memory + (user - 0x1000), size);
	return NV_OK;
}

static enum nv_status client_to(void *ctx, u64 user, const void *src, size_t size)
{
	struct client *c = ctx;

	c->calls++;
	if (user < 0x1000 || user + size > 0x1010)
		return NV_ERR_INVALID_ADDRESS;
	memcpy(c->memory + (user - 0x1000), src, size);
	return NV_OK;
}

static void other_thread_copies(void *arg)
{
	u32 value = 7, copy = 0;

	/* the other thread's operations are its own */
	OS_BUG_ON(os_copy_from_user(&copy, (uintptr_t)&value, 4) != NV_OK || copy != 7);
}

static void test_copy_ops(void **state)
{
	static const struct os_user_copy_ops ops = { client_from, client_to };
	struct client client = { .memory = "0123456789abcdef" };
	char text[4];
	u32 value = 5, copy = 0;

	os_user_set_copy_ops(&ops, &client);
	assert_int_equal(os_copy_from_user(text, 0x1004, 4), NV_OK);
	assert_memory_equal(text, "4567", 4);
	assert_int_equal(os_copy_to_user(0x1000, "xy", 2), NV_OK);
	assert_memory_equal(client.memory, "xy23", 4);
	assert_int_equal(os_copy_from_user(text, 0x100e, 4), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(client.calls, 3);
	/* nothing to copy and ranges that wrap do not reach the client */
	assert_int_equal(os_copy_from_user(text, 0x1000, 0), NV_OK);
	assert_int_equal(os_copy_from_user(text, ~0ull - 1, 4), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(client.calls, 3);
	os_thread_join(os_thread_create("other", other_thread_copies, NULL));
	os_user_set_copy_ops(&os_user_copy_trusted, NULL);
	assert_int_equal(os_copy_from_user(&copy, (uintptr_t)&value, 4), NV_OK);
	assert_int_equal(copy, 5);
	value = 6;
	assert_int_equal(os_copy_to_user((uintptr_t)&copy, &value, 4), NV_OK);
	assert_int_equal(copy, 6);
	os_user_set_copy_ops(NULL, NULL);
}

/* Copies of every small size are whole, and nothing beside them is touched. */
static void test_trusted_sizes(void **state)
{
	u8 from[96], to[96], want[96];
	u32 size, at, i;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (u8)(i + 1);
	os_user_set_copy_ops(&os_user_copy_trusted, NULL);
	for (size = 0; size <= 72; size++) {
		for (at = 0; at < 8; at++) {
			memset(to, 0xee, sizeof(to));
			memset(want, 0xee, sizeof(want));
			memcpy(want + at, from + 8, size);
			assert_int_equal(os_copy_from_user(to + at, (uintptr_t)(from + 8), size),
					 NV_OK);
			assert_memory_equal(to, want, sizeof(to));
			memset(to, 0xee, sizeof(to));
			assert_int_equal(os_copy_to_user((uintptr_t)(to + at), from + 8, size),
					 NV_OK);
			assert_memory_equal(to, want, sizeof(to));
		}
	}
	/* no bytes can be copied from anywhere */
	assert_int_equal(os_copy_from_user(to, ~(u64)0, 0), NV_OK);
	assert_int_equal(os_copy_to_user(~(u64)0, to, 0), NV_OK);
	os_user_set_copy_ops(NULL, NULL);
	assert_int_equal(os_copy_to_user(0, to, 1), NV_ERR_INVALID_ADDRESS);
}

struct lines {
	u32 count;
	enum os_log_level level;
	char last[600];
};

static void keep_line(void *ctx, enum os_log_level level, const char *line)
{
	struct lines *lines = ctx;

	lines->count++;
	lines->level = level;
	os_snprintf(lines->last, sizeof(lines->last), "%s", line);
}

static void test_log(void **state)
{
	static char tail[70000];
	struct lines lines = { 0 };
	char small[64];
	size_t length;
	u32 i;

	os_user_log_set_sink(keep_line, &lines);
	os_user_log_set_levels(OS_LOG_INFO, OS_LOG_WARN);
	os_log(OS_LOG_ERROR, "first %d", 1);
	os_log(OS_LOG_INFO, "second %s", "two");
	os_log(OS_LOG_DEBUG, "third");
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.level, OS_LOG_ERROR);
	assert_non_null(strstr(lines.last, "] first 1"));
	length = os_user_log_tail(tail, sizeof(tail));
	assert_int_equal(length, strlen(tail));
	assert_non_null(strstr(tail, "] first 1\n["));
	assert_non_null(strstr(tail, "] second two\n"));
	assert_null(strstr(tail, "third"));

	/* whole lines only, the latest ones */
	os_log(OS_LOG_INFO, "abc");
	length = os_user_log_tail(small, sizeof(small));
	assert_true(length > 0 && length < sizeof(small));
	assert_int_equal(small[0], '[');
	assert_string_equal(small + length - 4, "abc\n");
	assert_int_equal(os_user_log_tail(small, 0), 0);
	assert_int_equal(os_user_log_tail(small, 1), 0);
	assert_int_equal(os_user_log_tail(small, 5), 0);

	/* a line longer than any is cut; the ring goes round */
	memset(tail, 'x', 1000);
	tail[1000] = '\0';
	os_log(OS_LOG_WARN, "%s", tail);
	assert_true(strlen(lines.last) == 511);
	for (i = 0; i < 5000; i++)
		os_log(OS_LOG_INFO, "line %u", i);
	length = os_user_log_tail(tail, sizeof(tail));
	assert_true(length > 60000 && length <= 65536);
	assert_int_equal(tail[0], '[');
	assert_non_null(strstr(tail, "line 4999\n"));
	assert_null(strstr(tail, "line 1\n"));
	os_user_log_set_sink(NULL, NULL);
}

static void hit_bug(void)
{
	OS_BUG_ON(1 + 1 == 2);
}

static void test_bug(void **state)
{
	unit_assert_aborts(hit_bug, "1 + 1 == 2");
}

static void test_time_and_random(void **state)
{
	u64 start = os_time_ns(), real = os_time_real_ns();
	u8 a[600] = { 0 }, b[600] = { 0 };

	os_sleep_us(2000);
	assert_true(os_time_ns() - start >= 2000000);
	assert_true(real > 1600000000ull * 1000000000ull);
	assert_int_equal(os_random(a, sizeof(a)), NV_OK);
	assert_int_equal(os_random(b, sizeof(b)), NV_OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 500, (u8[100]){ 0 }, 100);
	assert_int_equal(os_random(NULL, 0), NV_OK);
}

static void test_firmware(void **state)
{
	static const char one[] = "one", two[] = "two!";
	u64 live = unit_live();
	const void *data = NULL, *again;
	size_t size = 0;

	assert_int_equal(os_firmware_get(NULL, "gsp", &data, &size), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(os_user_firmware_register("gsp", one, sizeof(one)), NV_OK);
	assert_int_equal(os_firmware_get(NULL, "gsp", &data, &size), NV_OK);
	assert_ptr_equal(data, one);
	assert_int_equal(size, sizeof(one));
	assert_int_equal(os_firmware_get(NULL, "gs", &again, &size), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(os_user_firmware_register("gsp", two, sizeof(two)), NV_OK);
	assert_int_equal(os_firmware_get(NULL, "gsp", &again, &size), NV_OK);
	assert_ptr_equal(again, two);
	if (os_user_fail_alloc(1)) {
		assert_int_equal(os_firmware_get(NULL, "gsp", &again, &size), NV_ERR_NO_MEMORY);
		os_user_fail_alloc(1);
		assert_int_equal(os_user_firmware_register("b", one, 1), NV_ERR_NO_MEMORY);
		assert_int_equal(unit_live(), live + 3); /* an image, two references */
	}
	os_firmware_put(data);
	os_firmware_put(two);
	os_user_firmware_unregister("gsp");
	os_user_firmware_unregister("gsp");
	assert_int_equal(os_firmware_get(NULL, "gsp", &data, &size), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(unit_live(), live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cred),	      cmocka_unit_test(test_own_memory),
		cmocka_unit_test(test_bad_memory),    cmocka_unit_test(test_copy_ops),
		cmocka_unit_test(test_trusted_sizes), cmocka_unit_test(test_log),
		cmocka_unit_test(test_bug),	      cmocka_unit_test(test_time_and_random),
		cmocka_unit_test(test_firmware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
