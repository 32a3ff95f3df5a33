// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A module that holds os/linux against the contract of os.h. Loading it runs every test, each of
 * which prints a PASS or FAIL line and leaves nothing allocated; the module does not load when one
 * failed.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>

#include "os_selftest.h"
#include "os/crypto.h"

static bool leak;
module_param(leak, bool, 0);
MODULE_PARM_DESC(leak, "instead of the tests: leave two blocks, which the log must name");

static bool crypto;
module_param(crypto, bool, 0);
MODULE_PARM_DESC(crypto, "instead of the tests: those of os/crypto.h");

static u32 failures; /* atomic */

bool selftest_check(bool ok, const char *where, int line, const char *what)
{
	if (!ok) {
		os_fetch_add(&failures, 1);
		pr_err("os_selftest: %s:%d: %s\n", where, line, what);
	}
	return ok;
}

struct irq_call {
	struct hrtimer timer;
	struct os_event done;
	void (*fn)(void *arg);
	void *arg;
};

static enum hrtimer_restart irq_run(struct hrtimer *timer)
{
	struct irq_call *call = container_of(timer, struct irq_call, timer);

	CHECK(in_hardirq());
	call->fn(call->arg);
	os_event_signal(&call->done);
	return HRTIMER_NORESTART;
}

void selftest_in_hardirq(void (*fn)(void *arg), void *arg)
{
	struct irq_call call = { .fn = fn, .arg = arg };

	os_event_init(&call.done);
	hrtimer_init_on_stack(&call.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	call.timer.function = irq_run;
	hrtimer_start(&call.timer, ns_to_ktime(100000), HRTIMER_MODE_REL_HARD);
	CHECK(os_event_wait(&call.done, 5000000000ull) == NV_OK);
	hrtimer_cancel(&call.timer);
	destroy_hrtimer_on_stack(&call.timer);
	os_event_destroy(&call.done);
}

static void run_all(const struct selftest *test)
{
	u64 blocks, bytes, blocks_before, bytes_before;
	u32 before;

	for (; test->name; test++) {
		before = failures;
		os_linux_live(&blocks_before, &bytes_before);
		test->run();
		os_linux_live(&blocks, &bytes);
		CHECK(blocks == blocks_before);
		CHECK(bytes == bytes_before);
		pr_info("os_selftest: %s %s\n", failures == before ? "PASS" : "FAIL", test->name);
	}
}

/* The log names it, so it stays a function. */
static noinline void *leak_on_purpose(size_t size)
{
	void *mem = os_alloc(size);

	os_memset(mem, 1, mem ? size : 0);
	return mem;
}

static noinline void test_leak(void)
{
	struct os_pages pages;
	void *mem = leak_on_purpose(123);

	CHECK(mem && os_pages_alloc(NULL, OS_PAGE_SIZE, OS_PAGES_SHARED, &pages) == NV_OK);
	CHECK(os_linux_exit() == 2);
	os_pages_free(&pages);
	os_free(mem);
	CHECK(os_linux_exit() == 0);
}

static int __init os_selftest_init(void)
{
	int err = os_linux_init(KBUILD_MODNAME, NULL);

	if (err)
		return err;
	if (leak) {
		test_leak();
		return failures ? -EPROTO : 0;
	}
	if (crypto) {
		if (os_crypto_check() == NV_ERR_NOT_SUPPORTED) {
			os_linux_exit();
			return -EOPNOTSUPP;
		}
		run_all(selftest_crypto);
	} else {
		run_all(selftest_memory);
		run_all(selftest_locks);
		run_all(selftest_threads);
		run_all(selftest_process);
	}
	CHECK(os_linux_exit() == 0);
	pr_info("os_selftest: %s, %u failures\n", failures ? "FAILED" : "passed", failures);
	return failures ? -EPROTO : 0;
}

static void __exit os_selftest_exit(void)
{
}

module_init(os_selftest_init);
module_exit(os_selftest_exit);

MODULE_DESCRIPTION("Test of os.h in the kernel");
MODULE_LICENSE("Dual MIT/GPL");
