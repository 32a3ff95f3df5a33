// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The software PCI bus with a small device of the test's own: addresses, accesses, interrupts in a
 * context of their own, and waiting with and without lending.
 */
#include <pthread.h>

#include "base/bits.h"
#include "base/range.h"
#include "unit.h"

#define MS 1000000ull

/* Three 64-bit BARs of these sizes; registers read back what was written plus the offset. */
struct device {
	u8 config[256];
	u64 sizes[6];
	u64 last_value, last_offset;
	u32 last_bar, last_width;
	bool lends;
	u32 work; /* units left that lending does */
	u32 lent;
	bool done;
	u32 msix[4 * 4]; /* the MSI-X table, at MSIX_TABLE of BAR 2 */
};

/* Where the tests put the MSI-X capability and its table, which has four entries. */
#define MSIX_CAP 0x70u
#define MSIX_TABLE 0x3000u

static u32 cfg_read(void *ctx, u32 offset, u32 width)
{
	struct device *d = ctx;
	u32 value = 0;

	memcpy(&value, d->config + offset, width);
	return value;
}

static void cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
	struct device *d = ctx;

	if (offset == 0x10 || offset == 0x18 || offset == 0x20)
		value = (value & ~0xfu) | (d->config[offset] & 0xfu);
	memcpy(d->config + offset, &value, width);
}

static u64 bar_size(void *ctx, u32 bar)
{
	return ((struct device *)ctx)->sizes[bar];
}

static u64 bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	return 0x1111111100000000ull * (width == 8) + bar * 0x1000000 + offset;
}

static void bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
	struct device *d = ctx;

	if (bar == 2 && width == 4 && offset >= MSIX_TABLE && offset - MSIX_TABLE < sizeof(d->msix))
		d->msix[(offset - MSIX_TABLE) / 4] = (u32)value;
	d->last_bar = bar;
	d->last_offset = offset;
	d->last_width = width;
	d->last_value = value;
}

static bool lend(void *ctx)
{
	struct device *d = ctx;

	d->lent++;
	if (!d->work)
		return false;
	if (--d->work == 0)
		os_store_release(&d->done, true);
	return true;
}

static const struct os_user_pci_ops ops = {
	cfg_read, cfg_write, bar_size, bar_read, bar_write, lend, NULL, NULL,
};

static const struct os_pci_location location = { 0, 0x1a, 0, 0 };

static void device_init(struct device *d)
{
	memset(d, 0, sizeof(*d));
	d->sizes[0] = MIB(16);
	d->sizes[2] = GIB(128);
	d->sizes[4] = MIB(32);
	d->config[0x10] = 0x4; /* 64 bits */
	d->config[0x18] = 0xc; /* 64 bits, prefetchable */
	d->config[0x20] = 0xc;
}

static void test_addresses(void **state)
{
	struct device models[4];
	struct os_pci_dev *devs[4];
	struct range taken[12];
	u64 live = unit_live();
	u32 i, j, k, count = 0;

	for (i = 0; i < 4; i++) {
		struct os_pci_location loc;

		device_init(&models[i]);
		devs[i] = os_user_pci_register(&ops, &models[i],
					       &(struct os_pci_location){ 1, (u8)(i + 2), 3, 4 });
		assert_non_null(devs[i]);
		os_pci_location(devs[i], &loc);
		assert_true(loc.domain == 1 && loc.bus == i + 2 && loc.device == 3 &&
			    loc.function == 4);
		for (j = 0; j < 6; j += 2) {
			u64 address = os_pci_bar_address(devs[i], j), written;

			assert_true(os_pci_bar_size(devs[i], j) == models[i].sizes[j]);
			assert_true(is_aligned(address, models[i].sizes[j]));
			assert_int_equal(address < GIB(4), j == 0);
			written = cfg_read(&models[i], 0x10 + 4 * j, 4) & ~0xfu;
			written |= (u64)cfg_read(&models[i], 0x14 + 4 * j, 4) << 32;
			assert_true(written == address);
			assert_true(range_make(address, models[i].sizes[j], &taken[count]));
			for (k = 0; k < count; k++)
				assert_false(range_overlaps(taken[k], taken[count]));
			count++;
		}
		assert_int_equal(os_pci_bar_size(devs[i], 1), 0);
		assert_int_equal(os_pci_bar_address(devs[i], 6), 0);
		assert_int_equal(os_pci_cfg_read(devs[i], 4, 2), 0x6);
	}
	for (i = 0; i < 4; i++)
		os_user_pci_unregister(devs[i]);
	os_user_pci_unregister(NULL);
	/* what a device leaves is given out again */
	devs[0] = os_user_pci_register(&ops, &models[0], &location);
	assert_true(os_pci_bar_address(devs[0], 2) == taken[1].start);
	os_user_pci_unregister(devs[0]);
	/* more than there is room for */
	models[0].sizes[0] = GIB(2);
	assert_null(os_user_pci_register(&ops, &models[0], &location));
	assert_int_equal(unit_live(), live);
}

static void test_accesses(void **state)
{
	struct os_pci_dev *dev;
	struct device d;

	device_init(&d);
	dev = os_user_pci_register(&ops, &d, &location);
	assert_int_equal(os_pci_rd32(dev, 2, 0x44), 0x2000044);
	assert_true(os_pci_rd64(dev, 0, 0x48) == 0x1111111100000048ull);
	os_pci_wr32(dev, 4, 0x10, 0xdeadbeef);
	assert_true(d.last_bar == 4 && d.last_offset == 0x10 && d.last_width == 4 &&
		    d.last_value == 0xdeadbeef);
	os_pci_wr64(dev, 0, 0x18, 0x123456789abcdef0ull);
	assert_true(d.last_width == 8 && d.last_value == 0x123456789abcdef0ull);
	os_pci_cfg_write(dev, 0x40, 4, 0x01020304);
	assert_int_equal(os_pci_cfg_read(dev, 0x41, 1), 3);
	os_user_pci_unregister(dev);
}

static u32 root_cfg_read(void *ctx, u32 offset, u32 width)
{
	return 0x100 + ((struct device *)ctx)->config[0x40] + offset + width;
}

/* A device below a root port, and one that is below none. */
static void test_root_port(void **state)
{
	struct os_user_pci_ops below = ops;
	struct os_pci_dev *dev;
	struct device d;

	device_init(&d);
	dev = os_user_pci_register(&ops, &d, &location);
	assert_non_null(dev);
	assert_int_equal(os_pci_root_cfg_read(dev, 0, 4), 0xffffffff);
	assert_int_equal(os_pci_root_cfg_read(dev, 2, 2), 0xffff);
	assert_int_equal(os_pci_root_cfg_read(dev, 3, 1), 0xff);
	os_user_pci_unregister(dev);

	below.root_cfg_read = root_cfg_read;
	d.config[0x40] = 7;
	dev = os_user_pci_register(&below, &d, &location);
	assert_non_null(dev);
	assert_int_equal(os_pci_root_cfg_read(dev, 0x10, 4), 0x11b);
	os_user_pci_unregister(dev);
}

static void test_no_memory(void **state)
{
	u64 live = unit_live(), nth;
	struct os_pci_dev *dev;
	struct device d;

	if (!os_user_fail_alloc(0))
		skip();
	device_init(&d);
	for (nth = 1;; nth++) {
		u64 failed = unit_failed();

		os_user_fail_alloc(nth);
		dev = os_user_pci_register(&ops, &d, &location);
		if (unit_failed() == failed)
			break;
		assert_null(dev);
		assert_int_equal(unit_live(), live);
	}
	os_user_fail_alloc(0);
	assert_true(nth > 2);
	assert_non_null(dev);
	os_user_pci_unregister(dev);
	assert_int_equal(unit_live(), live);
}

struct counts {
	u32 vectors[256];
	pthread_t thread;
	struct os_spinlock lock;
	struct os_event event;
};

static void top(void *arg, u32 vector)
{
	struct counts *c = arg;

	os_spinlock_lock(&c->lock);
	c->thread = pthread_self();
	c->vectors[vector]++;
	os_spinlock_unlock(&c->lock);
	os_event_signal(&c->event);
}

static void interrupt_thread(void *arg)
{
	u32 i;

	for (i = 0; i < 1000; i++)
		os_user_pci_interrupt(arg, i % 3 * 70);
}

static void test_interrupts(void **state)
{
	u64 live = unit_live();
	struct counts c = { 0 };
	struct os_thread *threads[2];
	struct os_pci_dev *dev;
	struct device d;
	u32 before, i;

	device_init(&d);
	os_spinlock_init(&c.lock, "counts");
	assert_int_equal(os_event_init(&c.event), NV_OK);
	dev = os_user_pci_register(&ops, &d, &location);

	os_user_pci_interrupt(dev, 0); /* disabled: nobody sees it */
	assert_int_equal(os_pci_irq_enable(dev, 0, top, &c), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_pci_irq_enable(dev, 257, top, &c), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_pci_irq_enable(dev, 1, NULL, &c), NV_ERR_INVALID_ARGUMENT);
	if (os_user_fail_alloc(1)) {
		assert_int_equal(os_pci_irq_enable(dev, 1, top, &c), NV_ERR_NO_MEMORY);
		os_user_fail_alloc(0);
	}
	assert_int_equal(os_pci_irq_enable(dev, 200, top, &c), NV_OK);
	assert_int_equal(os_pci_irq_enable(dev, 200, top, &c), NV_ERR_INVALID_STATE);
	assert_int_equal(os_event_wait(&c.event, 5 * MS), NV_ERR_TIMEOUT);

	os_user_pci_interrupt(dev, 199);
	assert_int_equal(os_event_wait(&c.event, 10000 * MS), NV_OK);
	os_spinlock_lock(&c.lock);
	assert_int_equal(c.vectors[199], 1);
	assert_false(pthread_equal(c.thread, pthread_self()));
	os_spinlock_unlock(&c.lock);
	os_user_pci_interrupt(dev, 200); /* beyond count */

	/* from many at once: each vector arrives at least once after its last message */
	for (i = 0; i < 2; i++)
		threads[i] = os_thread_create("device", interrupt_thread, dev);
	for (i = 0; i < 2; i++)
		os_thread_join(threads[i]);
	for (i = 0; i < 1000; i++) {
		bool all;

		os_spinlock_lock(&c.lock);
		all = c.vectors[0] && c.vectors[70] && c.vectors[140];
		os_spinlock_unlock(&c.lock);
		if (all)
			break;
		os_sleep_us(10000);
	}
	assert_true(i < 1000);

	os_pci_irq_disable(dev);
	before = c.vectors[0];
	os_user_pci_interrupt(dev, 0);
	os_sleep_us(2000);
	assert_int_equal(c.vectors[0], before);
	assert_int_equal(c.vectors[200], 0);
	os_pci_irq_disable(dev);
	/* what came while disabled stays lost */
	os_event_reset(&c.event);
	assert_int_equal(os_pci_irq_enable(dev, 1, top, &c), NV_OK);
	assert_int_equal(os_event_wait(&c.event, 5 * MS), NV_ERR_TIMEOUT);
	os_user_pci_interrupt(dev, 0);
	assert_int_equal(os_event_wait(&c.event, 10000 * MS), NV_OK);
	os_pci_irq_disable(dev);
	os_user_pci_unregister(dev);
	os_event_destroy(&c.event);
	assert_int_equal(unit_live(), live);
}

/* The machine fills in the MSI-X table and turns it on and off; the device finds it as a real one
 * does. */
static void test_msix(void **state)
{
	struct counts c = { 0 };
	struct os_pci_dev *dev;
	struct device d;
	u32 i;

	device_init(&d);
	d.config[0x06] = 0x10; /* status: has capabilities */
	d.config[0x34] = 0x40;
	d.config[0x40] = 0x01; /* power management comes first */
	d.config[0x41] = MSIX_CAP;
	d.config[MSIX_CAP] = 0x11;
	d.config[MSIX_CAP + 2] = 3;    /* table size minus 1 */
	d.config[MSIX_CAP + 3] = 0x40; /* all masked */
	d.config[MSIX_CAP + 4] = 2;
	d.config[MSIX_CAP + 5] = MSIX_TABLE >> 8;
	for (i = 0; i < 4; i++)
		d.msix[4 * i + 3] = 1; /* masked */
	dev = os_user_pci_register(&ops, &d, &location);
	os_spinlock_init(&c.lock, "counts");
	assert_int_equal(os_event_init(&c.event), NV_OK);
	assert_int_equal(os_pci_irq_enable(dev, 3, top, &c), NV_OK);
	assert_int_equal(d.config[MSIX_CAP + 3], 0x80);
	for (i = 0; i < 3; i++) {
		assert_int_equal(d.msix[4 * i + 2], i);
		assert_int_equal(d.msix[4 * i + 3], 0);
	}
	assert_int_equal(d.msix[4 * 3 + 3], 1);
	os_pci_irq_disable(dev);
	assert_int_equal(d.config[MSIX_CAP + 3], 0);

	/* a list of capabilities that goes in a circle, and one off the bus, do no harm */
	d.config[MSIX_CAP] = 0x05;
	d.config[MSIX_CAP + 1] = 0x40;
	assert_int_equal(os_pci_irq_enable(dev, 3, top, &c), NV_OK);
	assert_int_equal(d.config[MSIX_CAP + 3], 0);
	memset(d.config, 0xff, sizeof(d.config));
	os_pci_irq_disable(dev);
	os_user_pci_unregister(dev);
	os_event_destroy(&c.event);
}

#ifdef OS_LOCK_CHECKS
static struct os_mutex gpu_lock;

static void top_takes_a_mutex(void *arg, u32 vector)
{
	os_mutex_lock(&gpu_lock);
}

static void mutex_in_top_half(void)
{
	struct os_pci_dev *dev;
	struct device d;

	device_init(&d);
	os_mutex_init(&gpu_lock, LOCK_RANK_GPU, "gpu");
	dev = os_user_pci_register(&ops, &d, &location);
	os_pci_irq_enable(dev, 1, top_takes_a_mutex, NULL);
	os_user_pci_interrupt(dev, 0);
	os_sleep_us(10000000);
}

static void test_top_half_is_atomic(void **state)
{
	unit_assert_aborts(mutex_in_top_half, "in an interrupt, takes \"gpu\"");
}
#endif

static bool is_done(void *arg)
{
	struct device *d = arg;

	return os_load_acquire(&d->done);
}

static void test_wait_lends(void **state)
{
	struct os_pci_dev *dev;
	struct device d;
	u64 start;

	device_init(&d);
	dev = os_user_pci_register(&ops, &d, &location);
	d.work = 5;
	assert_int_equal(os_pci_wait(dev, is_done, &d, 10000 * MS), NV_OK);
	assert_int_equal(d.lent, 5);
	/* done already: nothing is lent, even with no time */
	assert_int_equal(os_pci_wait(dev, is_done, &d, 0), NV_OK);
	assert_int_equal(d.lent, 5);

	d.done = false;
	start = os_time_ns();
	assert_int_equal(os_pci_wait(dev, is_done, &d, 20 * MS), NV_ERR_TIMEOUT);
	assert_true(os_time_ns() - start >= 20 * MS);
	/* waiting without progress sleeps: looks are rare */
	assert_true(d.lent < 200);
	assert_int_equal(os_pci_wait(dev, is_done, &d, 0), NV_ERR_TIMEOUT);

	/* a device that is busy for ever does not outlast the timeout */
	d.work = ~0u;
	assert_int_equal(os_pci_wait(dev, is_done, &d, 5 * MS), NV_ERR_TIMEOUT);

	os_user_pci_set_lending(dev, false);
	d.work = 5;
	d.lent = 0;
	assert_int_equal(os_pci_wait(dev, is_done, &d, 5 * MS), NV_ERR_TIMEOUT);
	assert_int_equal(d.lent, 0);
	os_user_pci_unregister(dev);
}

struct kicker {
	struct os_pci_dev *dev;
	struct device *d;
	bool kick;
};

static void kick_later(void *arg)
{
	struct kicker *k = arg;

	os_sleep_us(10000);
	(void)os_exchange(&k->d->done, true);
	if (k->kick)
		os_user_pci_kick(k->dev);
}

/* The device's own thread ends the wait, with a kick at once, without one soon. */
static void test_wait_for_device_thread(void **state)
{
	struct os_pci_dev *dev;
	struct os_thread *t;
	struct kicker k;
	struct device d;
	u32 i;

	device_init(&d);
	dev = os_user_pci_register(&ops, &d, &location);
	os_user_pci_set_lending(dev, false);
	for (i = 0; i < 4; i++) {
		d.done = false;
		k = (struct kicker){ dev, &d, i % 2 };
		t = os_thread_create("device", kick_later, &k);
		assert_int_equal(os_pci_wait(dev, is_done, &d, i < 2 ? ~0ull : 10000 * MS), NV_OK);
		os_thread_join(t);
	}
	os_user_pci_unregister(dev);
}

struct watched {
	struct os_pci_dev *dev;
	u32 seen; /* whether the device saw a thread wait */
	u32 done;
};

static bool watched_done(void *arg)
{
	return os_load_acquire(&((struct watched *)arg)->done) != 0;
}

static void watch_waiter(void *arg)
{
	struct watched *w = arg;

	while (!os_user_pci_waiting(w->dev))
		os_sleep_us(100);
	os_store_release(&w->seen, 1);
	os_exchange(&w->done, 1);
	os_user_pci_kick(w->dev);
}

/* The device can tell that somebody waits, spinning or asleep, and that nobody does. */
static void test_waiting_is_seen(void **state)
{
	struct watched w = { 0 };
	struct os_thread *t;
	struct device d;

	device_init(&d);
	w.dev = os_user_pci_register(&ops, &d, &location);
	assert_false(os_user_pci_waiting(w.dev));
	t = os_thread_create("device", watch_waiter, &w);
	assert_int_equal(os_pci_wait(w.dev, watched_done, &w, 10000 * MS), NV_OK);
	os_thread_join(t);
	assert_int_equal(w.seen, 1);
	assert_false(os_user_pci_waiting(w.dev));
	w.done = 0;
	assert_int_equal(os_pci_wait(w.dev, watched_done, &w, MS), NV_ERR_TIMEOUT);
	assert_false(os_user_pci_waiting(w.dev));
	os_user_pci_unregister(w.dev);
}

/* Who says before the wait that it comes counts as waiting, unless its own thread does the work. */
static void test_expecting_is_seen(void **state)
{
	struct os_pci_dev *dev;
	struct device d;

	device_init(&d);
	dev = os_user_pci_register(&ops, &d, &location);
	assert_false(os_pci_expect(dev));
	assert_false(os_user_pci_waiting(dev));
	os_user_pci_set_lending(dev, false);
	assert_true(os_pci_expect(dev));
	assert_true(os_user_pci_waiting(dev));
	assert_int_equal(os_pci_wait(dev, is_done, &d, MS), NV_ERR_TIMEOUT);
	assert_true(os_user_pci_waiting(dev));
	os_pci_expect_end(dev);
	assert_false(os_user_pci_waiting(dev));
	os_user_pci_unregister(dev);
}

static void top_sets_done(void *arg, u32 vector)
{
	struct device *d = arg;

	os_store_release(&d->done, true);
}

static void interrupt_later(void *arg)
{
	os_sleep_us(5000);
	os_user_pci_interrupt(arg, 0);
}

static void test_wait_for_top_half(void **state)
{
	struct os_pci_dev *dev;
	struct os_thread *t;
	struct device d;

	device_init(&d);
	dev = os_user_pci_register(&ops, &d, &location);
	assert_int_equal(os_pci_irq_enable(dev, 1, top_sets_done, &d), NV_OK);
	t = os_thread_create("device", interrupt_later, dev);
	assert_int_equal(os_pci_wait(dev, is_done, &d, 10000 * MS), NV_OK);
	os_thread_join(t);
	os_pci_irq_disable(dev);
	os_user_pci_unregister(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_root_port),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_msix),
#ifdef OS_LOCK_CHECKS
		cmocka_unit_test(test_top_half_is_atomic),
#endif
		cmocka_unit_test(test_wait_lends),
		cmocka_unit_test(test_wait_for_device_thread),
		cmocka_unit_test(test_waiting_is_seen),
		cmocka_unit_test(test_expecting_is_seen),
		cmocka_unit_test(test_wait_for_top_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
