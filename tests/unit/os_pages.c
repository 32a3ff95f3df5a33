// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pages and their bus addresses: scattered, unlike any other address, faulting when unmapped, safe
 * against being freed under an access, out of reach when private in confidential mode.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bare_device.h"
#include "unit.h"

#define PAGE OS_PAGE_SIZE

static struct os_pci_dev *dev;

static int setup(void **state)
{
	dev = os_user_pci_register(&bare_device_ops, NULL, &(struct os_pci_location){ 0, 1, 0, 0 });
	return !dev;
}

static int teardown(void **state)
{
	os_user_pci_unregister(dev);
	return 0;
}

static void test_alloc(void **state)
{
	u64 live = unit_live(), value;
	struct os_pages pages, plain;
	u32 i;

	assert_int_equal(os_pages_alloc(dev, 0, OS_PAGES_SHARED, &pages), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_pages_alloc(dev, ~(size_t)0, OS_PAGES_SHARED, &pages),
			 NV_ERR_NO_MEMORY);
	assert_null(pages.cpu);
	os_pages_free(&pages);
	/* more than the machine has */
	assert_int_equal(os_pages_alloc(dev, (size_t)sysconf(_SC_PHYS_PAGES) * PAGE + PAGE,
					OS_PAGES_SHARED, &pages),
			 NV_ERR_NO_MEMORY);
	assert_int_equal(os_pages_alloc(dev, 3 * PAGE - 5, OS_PAGES_SHARED, &pages), NV_OK);
	assert_int_equal(pages.size, 3 * PAGE);
	assert_ptr_equal(pages.dev, dev);
	for (i = 0; i < pages.size; i++)
		assert_int_equal(((u8 *)pages.cpu)[i], 0);
	for (i = 0; i < 3; i++) {
		u64 bus = os_pages_dma(&pages, i * PAGE + 40);
		void *cpu;

		assert_int_equal(bus % PAGE, 40);
		value = 0x1122334455667788ull + i;
		assert_true(os_user_dma_write(dev, bus, &value, sizeof(value)));
		assert_memory_equal((u8 *)pages.cpu + i * PAGE + 40, &value, sizeof(value));
		value = 0;
		assert_true(os_user_dma_read(dev, bus, &value, sizeof(value)));
		assert_true(value == 0x1122334455667788ull + i);
		assert_true(os_user_dma_find(dev, bus, 16, &cpu));
		assert_ptr_equal(cpu, (u8 *)pages.cpu + i * PAGE + 40);
	}
	/* memory that no device sees */
	assert_int_equal(os_pages_alloc(NULL, PAGE, OS_PAGES_PRIVATE, &plain), NV_OK);
	((u8 *)plain.cpu)[PAGE - 1] = 1;
	os_pages_free(&plain);
	os_pages_free(&pages);
	assert_null(pages.cpu);
	os_pages_free(&pages);
	/* the device keeps room in its table */
	assert_true(unit_live() <= live + 1);
}

/* Many small pieces of memory leave descriptors to others; what is freed can be had again. */
static void test_descriptors(void **state)
{
	struct rlimit before, few;
	struct os_pages pages[256];
	u32 count, again, i;
	int others[32];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = ARRAY_SIZE(pages);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (again = 0; again < 2; again++) {
		for (count = 0; count < ARRAY_SIZE(pages); count++)
			if (os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages[count]) != NV_OK)
				break;
		for (i = 0; i < ARRAY_SIZE(others); i++)
			others[i] = dup(0);
		for (i = 0; i < ARRAY_SIZE(others); i++)
			close(others[i]);
		for (i = 0; i < count; i++)
			os_pages_free(&pages[i]);
		assert_true(others[ARRAY_SIZE(others) - 1] >= 0);
		assert_in_range(count, 32, ARRAY_SIZE(pages) / 2);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_unaligned(void **state)
{
	struct os_pages pages;
	u8 data[256], copy[256];
	u32 i, size;
	u64 bus;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 + 1);
	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	bus = os_pages_dma(&pages, 0);
	for (i = 0; i < 9; i++) {
		for (size = 0; size <= 17; size++) {
			memset(copy, 0, sizeof(copy));
			assert_true(os_user_dma_write(dev, bus + i, data + 1, size));
			assert_true(os_user_dma_read(dev, bus + i, copy + 3, size));
			assert_memory_equal(copy + 3, data + 1, size);
			assert_int_equal(copy[3 + size], 0);
		}
	}
	assert_true(os_user_dma_write(dev, bus + PAGE - 256, data, 256));
	assert_memory_equal((u8 *)pages.cpu + PAGE - 256, data, 256);
	os_pages_free(&pages);
}

struct freer {
	struct os_pages *pages;
	u32 freed;
};

static void free_pages(void *arg)
{
	struct freer *f = arg;

	os_pages_free(f->pages);
	os_store_release(&f->freed, 1);
}

/* While one thread holds the mappings it may use them, and who changes one waits. */
static void test_hold(void **state)
{
	struct os_pages pages;
	struct freer f = { .pages = &pages };
	struct os_thread *t;
	u32 value = 7, i;
	u64 bus;

	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	bus = os_pages_dma(&pages, 0);
	os_user_dma_hold(dev);
	t = os_thread_create("free", free_pages, &f);
	assert_non_null(t);
	for (i = 0; i < 20; i++) {
		assert_true(os_user_dma_write(dev, bus, &value, sizeof(value)));
		assert_true(os_user_dma_read(dev, bus, &value, sizeof(value)));
		os_sleep_us(1000);
	}
	assert_int_equal(os_load_acquire(&f.freed), 0);
	os_user_dma_release(dev);
	os_thread_join(t);
	assert_int_equal(f.freed, 1);
	assert_false(os_user_dma_read(dev, bus, &value, sizeof(value)));
}

static u32 hold_number(void)
{
	u32 number = os_user_dma_hold(dev);

	os_user_dma_release(dev);
	return number;
}

/* What was found stays where it is while the number is the same: until any page goes. */
static void test_hold_number(void **state)
{
	struct os_pages pages, more;
	u32 number;

	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	number = hold_number();
	assert_int_equal(hold_number(), number);
	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &more), NV_OK);
	assert_int_equal(hold_number(), number);
	os_pages_free(&more);
	assert_int_not_equal(hold_number(), number);
	number = hold_number();
	os_user_pci_set_confidential(dev, true);
	assert_int_not_equal(hold_number(), number);
	os_user_pci_set_confidential(dev, false);
	os_pages_free(&pages);
}

struct changer {
	u32 stop;
	u32 changes;
};

static void change_pages(void *arg)
{
	struct changer *c = arg;
	struct os_pages pages;

	while (!os_load_acquire(&c->stop)) {
		if (os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages) != NV_OK)
			return;
		memset(pages.cpu, 0x5a, PAGE);
		os_pages_free(&pages);
		os_fetch_add(&c->changes, 1);
	}
}

/* Many short holds beside one that changes mappings: neither starves, accesses go on. */
static void test_hold_often(void **state)
{
	struct os_pages pages;
	struct changer c = { 0 };
	struct os_thread *t;
	u32 value = 7, i;
	u64 bus;

	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	bus = os_pages_dma(&pages, 0);
	t = os_thread_create("changer", change_pages, &c);
	assert_non_null(t);
	for (i = 0; i < 2000 || os_load_acquire(&c.changes) < 100; i++) {
		os_user_dma_hold(dev);
		assert_true(os_user_dma_write(dev, bus, &value, sizeof(value)));
		assert_true(os_user_dma_read(dev, bus, &value, sizeof(value)));
		os_user_dma_release(dev);
	}
	os_store_release(&c.stop, 1);
	os_thread_join(t);
	os_pages_free(&pages);
}

static void assert_faults(u64 bus, size_t size)
{
	u8 data[64] = { 0x5a };
	void *cpu;

	assert_false(os_user_dma_read(dev, bus, data, size));
	assert_int_equal(data[0], 0x5a);
	assert_false(os_user_dma_write(dev, bus, data, size));
	assert_false(os_user_dma_find(dev, bus, size, &cpu));
	assert_null(cpu);
}

static void test_faults(void **state)
{
	struct os_pages pages;
	u64 bus, seed = 3;
	u32 i;

	assert_int_equal(os_pages_alloc(dev, 2 * PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	bus = os_pages_dma(&pages, 0);
	assert_faults(0, 4);
	assert_faults(~0ull, 4);
	assert_faults(~0ull - 3, 4);
	assert_faults((uintptr_t)pages.cpu, 4);
	assert_faults(bus - 4, 4);
	assert_faults(bus - 2, 4);
	assert_faults(bus + PAGE - 2, 4);
	assert_faults(bus + PAGE, 4);
	assert_faults(bus + PAGE, 0);
	assert_faults(bus + 64, PAGE);
	assert_faults(bus, ~(size_t)0);
	for (i = 0; i < 100000; i++)
		assert_faults(unit_random(&seed) >> (unit_random(&seed) % 40), 4);
	os_pages_free(&pages);
	assert_faults(bus, 4);
}

/* No two pages are neighbours on the bus, and addresses that were freed do not come back at once.
 */
static void test_scattered(void **state)
{
	enum { COUNT = 600 };
	static u64 bus[COUNT];
	struct os_pages pages, next;
	u32 i, j, ascending = 0;

	assert_int_equal(os_pages_alloc(dev, COUNT * PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	for (i = 0; i < COUNT; i++) {
		bus[i] = os_pages_dma(&pages, i * PAGE);
		assert_int_equal(bus[i] % PAGE, 0);
		for (j = 0; j < i; j++) {
			u64 gap = bus[i] > bus[j] ? bus[i] - bus[j] : bus[j] - bus[i];

			assert_true(gap >= 2 * PAGE);
		}
		ascending += i && bus[i] > bus[i - 1];
	}
	assert_true(ascending < COUNT - 10);
	os_pages_free(&pages);
	for (i = 0; i < 50; i++) {
		assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &next), NV_OK);
		for (j = 0; j < COUNT; j++)
			assert_true(os_pages_dma(&next, 0) != bus[j]);
		os_pages_free(&next);
	}
	/* far more than are kept apart: reused, and still right */
	for (i = 0; i < 40; i++) {
		assert_int_equal(os_pages_alloc(dev, 500 * PAGE, OS_PAGES_SHARED, &next), NV_OK);
		for (j = 0; j < 500; j++) {
			void *cpu;

			assert_true(os_user_dma_find(dev, os_pages_dma(&next, j * PAGE), 1, &cpu));
			assert_ptr_equal(cpu, (u8 *)next.cpu + j * PAGE);
		}
		os_pages_free(&next);
	}
}

/* Another device's addresses mean nothing to this one. */
static void test_devices_apart(void **state)
{
	struct os_pci_dev *other = os_user_pci_register(&bare_device_ops, NULL,
							&(struct os_pci_location){ 0, 2, 0, 0 });
	struct os_pages pages;
	u32 value, hits = 0, i;

	assert_non_null(other);
	assert_int_equal(os_pages_alloc(other, 64 * PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	for (i = 0; i < 64; i++)
		hits += os_user_dma_read(dev, os_pages_dma(&pages, i * PAGE), &value, 4);
	assert_int_equal(hits, 0);
	os_pages_free(&pages);
	os_user_pci_unregister(other);
}

static void test_confidential(void **state)
{
	struct os_pages shared, private;
	u32 value;

	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &shared), NV_OK);
	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_PRIVATE, &private), NV_OK);
	assert_true(os_user_dma_read(dev, os_pages_dma(&private, 0), &value, 4));
	os_user_pci_set_confidential(dev, true);
	assert_true(os_user_dma_read(dev, os_pages_dma(&shared, 0), &value, 4));
	assert_faults(os_pages_dma(&private, 0), 4);
	os_user_pci_set_confidential(dev, false);
	assert_true(os_user_dma_read(dev, os_pages_dma(&private, 0), &value, 4));
	os_pages_free(&shared);
	os_pages_free(&private);
}

static void test_fd(void **state)
{
	struct os_pages pages;
	u32 *view;
	int fd;

	assert_int_equal(os_pages_alloc(dev, 2 * PAGE, OS_PAGES_SHARED, &pages), NV_OK);
	fd = os_user_pages_fd(&pages);
	assert_true(fd >= 0);
	view = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(view != MAP_FAILED);
	view[PAGE / 4] = 0x12345678;
	assert_int_equal(((u32 *)pages.cpu)[PAGE / 4], 0x12345678);
	/* who gets the descriptor cannot pull the memory away from us */
	assert_int_equal(ftruncate(fd, PAGE), -1);
	assert_int_equal(ftruncate(fd, 4 * PAGE), -1);
	munmap(view, 2 * PAGE);
	os_pages_free(&pages);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_no_memory(void **state)
{
	struct os_pages pages;
	u64 live, nth;

	if (!os_user_fail_alloc(0))
		skip();
	/* enough pages that the table grows */
	for (nth = 1;; nth++) {
		u64 failed = unit_failed();
		enum nv_status status;

		live = unit_live();
		os_user_fail_alloc(nth);
		status = os_pages_alloc(dev, 30000 * PAGE, OS_PAGES_SHARED, &pages);
		os_user_fail_alloc(0);
		if (unit_failed() == failed) {
			assert_int_equal(status, NV_OK);
			break;
		}
		assert_int_equal(status, NV_ERR_NO_MEMORY);
		assert_null(pages.cpu);
		/* room in the table that was made before the failure stays */
		assert_true(unit_live() <= live + 8);
	}
	assert_true(nth > 3);
	os_pages_free(&pages);
}

static u64 shared_bus[8];
static u32 stop;

static void dma_thread(void *arg)
{
	u64 seed = 1 + (uintptr_t)arg;
	u8 data[PAGE];

	memset(data, 0, sizeof(data));
	while (!os_load_relaxed(&stop)) {
		u64 bus = os_load_acquire(&shared_bus[unit_random(&seed) % 8]);

		if (arg)
			os_user_dma_read(dev, bus, data, 4);
		else
			os_user_dma_write(dev, bus, data, 4);
	}
}

/* Pages freed while the device uses their addresses: it faults, and touches no memory that is gone.
 */
/* -- Shares of users --------------------------------------------------------------------------- */

static void be(u32 uid, bool admin)
{
	const struct os_cred cred = { .pid = 100, .uid = uid, .admin = admin };

	os_user_set_cred(&cred);
}

/* A process's memory is a sparse file, however large. */
static enum nv_status pin_sparse(void *ctx, u64 user, size_t size, bool writable,
				 struct os_user_pin_piece *pieces, u32 max, u32 *count)
{
	int fd = memfd_create("sparse", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	pieces[0] = (struct os_user_pin_piece){ fd, 0, size };
	*count = 1;
	return NV_OK;
}

static const struct os_user_pin_ops sparse_ops = { pin_sparse };

/* One user's pins leave others theirs, and all users' leave the administrator his. */
static void test_shares(void **state)
{
	const u32 uid = geteuid() + 1000;
	struct os_pages held[16], other, more;
	u64 live = unit_live();
	u32 i, n = 0, value;

	os_user_limit_dma(1000, 1500);
	os_user_set_pin_ops(&sparse_ops, NULL);
	be(uid, false);
	while (os_pages_pin(dev, PAGE, 100 * PAGE, true, &held[n]) == NV_OK)
		assert_int_not_equal(++n, ARRAY_SIZE(held));
	assert_int_equal(n, 10);
	/* What is allocated, or seen from a device, counts as well. */
	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &more), NV_ERR_NO_MEMORY);
	assert_int_equal(os_pages_share(&held[0], dev, &more), NV_ERR_NO_MEMORY);
	assert_int_equal(os_pages_alloc(NULL, PAGE, OS_PAGES_SHARED, &more), NV_OK);
	os_pages_free(&more);
	be(uid + 1, false);
	assert_int_equal(os_pages_pin(dev, PAGE, 500 * PAGE, true, &other), NV_OK);
	assert_true(os_user_dma_read(dev, os_pages_dma(&other, 0), &value, 4));
	/* A process shares nothing where the CPU protects memory. */
	os_user_pci_set_confidential(dev, true);
	assert_faults(os_pages_dma(&other, 0), 4);
	os_user_pci_set_confidential(dev, false);
	assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &more), NV_ERR_NO_MEMORY);
	be(uid, true);
	assert_int_equal(os_pages_alloc(dev, 2000 * PAGE, OS_PAGES_SHARED, &more), NV_OK);
	os_pages_free(&more);
	be(geteuid(), false);
	assert_int_equal(os_pages_alloc(dev, 2000 * PAGE, OS_PAGES_SHARED, &more), NV_OK);
	/* Whoever frees it, it was somebody's. */
	os_pages_free(&held[--n]);
	be(uid, false);
	os_pages_free(&more);
	assert_int_equal(os_pages_pin(dev, PAGE, 101 * PAGE, true, &more), NV_ERR_NO_MEMORY);
	assert_int_equal(os_pages_pin(dev, PAGE, 100 * PAGE, true, &held[n++]), NV_OK);
	for (i = 0; i < n; i++)
		os_pages_free(&held[i]);
	os_pages_free(&other);
	os_user_set_pin_ops(NULL, NULL);
	os_user_set_cred(NULL);
	os_user_limit_dma(~0u, ~0u);
	assert_int_equal(unit_live(), live);
}

static void test_free_under_access(void **state)
{
	struct os_pages pages[8] = { 0 };
	struct os_thread *threads[2];
	u64 seed = 5;
	u32 i;

	os_store_relaxed(&stop, 0u);
	for (i = 0; i < 2; i++)
		threads[i] = os_thread_create("dma", dma_thread, (void *)(uintptr_t)i);
	for (i = 0; i < 1000; i++) {
		u32 at = unit_random(&seed) % 8;

		os_pages_free(&pages[at]);
		assert_int_equal(os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages[at]), NV_OK);
		os_store_release(&shared_bus[at], os_pages_dma(&pages[at], 0));
	}
	for (i = 0; i < 8; i++)
		os_pages_free(&pages[i]);
	os_store_relaxed(&stop, 1u);
	for (i = 0; i < 2; i++)
		os_thread_join(threads[i]);
}

static void leave_pages_behind(void)
{
	struct os_pages pages;

	if (os_pages_alloc(dev, PAGE, OS_PAGES_SHARED, &pages) == NV_OK)
		os_user_pci_unregister(dev);
}

static void test_pages_left_behind(void **state)
{
	unit_assert_aborts(leave_pages_behind, "BUG at");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_number),
		cmocka_unit_test(test_hold_often),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_devices_apart),
		cmocka_unit_test(test_confidential),
		cmocka_unit_test(test_fd),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_free_under_access),
		cmocka_unit_test(test_pages_left_behind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
