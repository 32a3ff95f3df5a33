// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory, text, atomics, clocks, pages, and the allocation that fails on demand.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "os_selftest.h"

static void test_alloc(void)
{
	static const size_t sizes[] = { 1, 15, 16, 17, 100, 4096, 5000, 100000, 3 << 20 };
	u64 blocks, bytes, blocks_before, bytes_before;
	void *mem[ARRAY_SIZE(sizes)];
	u32 i;

	os_linux_live(&blocks_before, &bytes_before);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		mem[i] = os_alloc(sizes[i]);
		if (!CHECK(mem[i]))
			continue;
		CHECK((uintptr_t)mem[i] % 16 == 0);
		CHECK(!memchr_inv(mem[i], 0, sizes[i]));
		os_memset(mem[i], 0xa5, sizes[i]);
		bytes_before += sizes[i];
	}
	os_linux_live(&blocks, &bytes);
	CHECK(blocks == blocks_before + ARRAY_SIZE(sizes));
	CHECK(bytes == bytes_before);
	/* a block that held something is zeroed again for the next */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		os_free(mem[i]);
		mem[i] = os_alloc(sizes[i]);
		CHECK(mem[i] && !memchr_inv(mem[i], 0, sizes[i]));
		os_free_secret(mem[i], sizes[i]);
	}
	CHECK(!os_alloc(0));
	CHECK(!os_alloc(0x80000000u));
	CHECK(!os_alloc(~(size_t)0));
	os_free(NULL);
	os_free_secret(NULL, 10);
}

static void free_in_irq(void *arg)
{
	os_free(arg);
}

static void test_free_in_interrupt(void)
{
	void *mem = os_alloc(200);

	if (CHECK(mem))
		selftest_in_hardirq(free_in_irq, mem);
}

static void test_text(void)
{
	char text[8];

	CHECK(os_strnlen("abc", 10) == 3);
	CHECK(os_strnlen("abc", 2) == 2);
	CHECK(os_strnlen("abc", ~(size_t)0) == 3);
	CHECK(os_strcmp("a", "a") == 0);
	CHECK(os_strcmp("a", "b") < 0);
	CHECK(os_snprintf(text, sizeof(text), "%s-%04x", "abcd", 0x12) == 9);
	CHECK(strcmp(text, "abcd-00") == 0);
	CHECK(os_snprintf(NULL, 0, "%llu", ~0ull) == 20);
	CHECK(os_snprintf(text, ~(size_t)0, "%d", -5) == 2);
	CHECK(strcmp(text, "-5") == 0);
	os_memcpy(text, "xyz", 4);
	CHECK(os_memcmp(text, "xyz", 4) == 0);
	os_memcpy(NULL, NULL, 0);
}

static void test_atomics(void)
{
	u32 word = 5;
	u64 wide = 1;

	CHECK(os_fetch_add(&word, 3) == 5 && os_load_acquire(&word) == 8);
	CHECK(os_fetch_sub(&word, 1) == 8 && word == 7);
	CHECK(os_fetch_or(&word, 8) == 7 && os_fetch_and(&word, 9) == 15 && word == 9);
	CHECK(os_exchange(&wide, 1ull << 40) == 1 && wide == 1ull << 40);
	CHECK(os_cmpxchg32(&word, 9, 10) && !os_cmpxchg32(&word, 9, 11) && word == 10);
}

static void test_clocks(void)
{
	u64 before = os_time_ns(), real = os_time_real_ns(), first = 0, second = 0;

	os_sleep_us(3000);
	CHECK(os_time_ns() - before >= 3000000);
	CHECK(os_time_ns() - before < 3000000000ull);
	CHECK(os_time_real_ns() - real >= 2000000);
	CHECK(os_random(&first, sizeof(first)) == NV_OK);
	CHECK(os_random(&second, sizeof(second)) == NV_OK);
	CHECK(first != second);
}

static void test_pages(void)
{
	struct os_pages pages;
	char *at;
	u32 i;

	CHECK(os_pages_alloc(NULL, 0, OS_PAGES_SHARED, &pages) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_pages_alloc(NULL, ~(size_t)0, OS_PAGES_SHARED, &pages) == NV_ERR_NO_MEMORY);
	if (!CHECK(os_pages_alloc(NULL, 3 * OS_PAGE_SIZE - 1, OS_PAGES_PRIVATE, &pages) == NV_OK))
		return;
	CHECK(pages.size == 3 * OS_PAGE_SIZE);
	CHECK(!memchr_inv(pages.cpu, 0, pages.size));
	for (i = 0; i < 3; i++) {
		at = (char *)pages.cpu + i * OS_PAGE_SIZE;
		CHECK(os_linux_pages_page(&pages, i * OS_PAGE_SIZE + 5) == vmalloc_to_page(at));
		*at = (char)i;
	}
	CHECK(!os_linux_pages_page(&pages, 3 * OS_PAGE_SIZE));
	os_pages_free(&pages);
	CHECK(!pages.impl);
	os_pages_free(&pages);
}

static void nothing(void *arg)
{
}

/* Makes and drops one of each that allocates; false when something could not be made. */
static bool make_all(void)
{
	struct os_workqueue *queue = NULL;
	struct os_thread *thread = NULL;
	struct os_percpu_rwlock lock;
	struct os_pages pages;
	bool made = false;

	if (os_percpu_rwlock_init(&lock, LOCK_RANK_LEAF, "selftest made") != NV_OK)
		return false;
	queue = os_workqueue_create("selftest queue");
	if (!queue)
		goto out;
	thread = os_thread_create("selftest thread", nothing, NULL);
	if (!thread)
		goto out;
	if (os_pages_alloc(NULL, 2 * OS_PAGE_SIZE, OS_PAGES_SHARED, &pages) != NV_OK)
		goto out;
	os_pages_free(&pages);
	made = true;
out:
	os_thread_join(thread);
	os_workqueue_destroy(queue);
	os_percpu_rwlock_destroy(&lock);
	return made;
}

static void test_injector(void)
{
	u64 counted = 0, failed, blocks, bytes, blocks_before, bytes_before;
	u32 points = 0, n;

	/* others' points are not counted, nor is any while nothing is armed */
	inject_arm(1, task_tgid_nr(current) + 1);
	CHECK(make_all());
	inject_state(&counted, &failed);
	CHECK(counted == 0 && failed == 0);
	inject_arm(0, 0);
	CHECK(make_all());

	os_linux_live(&blocks_before, &bytes_before);
	for (n = 1; n < 100; n++) {
		bool made;

		inject_arm(n, task_tgid_nr(current));
		made = make_all();
		inject_state(&counted, &failed);
		inject_arm(0, 0);
		os_linux_live(&blocks, &bytes);
		CHECK(blocks == blocks_before && bytes == bytes_before);
		CHECK(made == (failed == 0));
		if (made)
			break;
		points++;
	}
	/* lock 2, queue 3, thread 2, pages: itself, two pages, the mapping */
	CHECK(points == 11 && counted == 11);
	inject_arm(1, 0);
	CHECK(os_linux_alloc_fails() && !os_linux_alloc_fails());
	inject_arm(0, 0);
	CHECK(!os_linux_alloc_fails());
}

const struct selftest selftest_memory[] = {
	{ "memory", test_alloc },
	{ "free in an interrupt", test_free_in_interrupt },
	{ "text", test_text },
	{ "atomics", test_atomics },
	{ "clocks", test_clocks },
	{ "pages", test_pages },
	{ "allocations that fail", test_injector },
	{},
};
