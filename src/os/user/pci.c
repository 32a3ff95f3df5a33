// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The software PCI bus: devices register with their callbacks, get addresses as a machine's
 * firmware gives them, and are then reached through os.h. os_pci_wait is here too.
 */
#include "base/bits.h"
#include "os/user/pci.h"

/* Config space (PCI Local Bus Specification 3.0, 6.1 and 6.2.5) */
#define PCI_COMMAND 0x04u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u
#define PCI_BAR(i) (0x10u + 4u * (i))
#define PCI_BAR_IO 0x1u
#define PCI_BAR_TYPE 0x6u
#define PCI_BAR_TYPE_64 0x4u
#define PCI_BAR_FLAGS 0xfu

/* Where BARs go: below 4 GiB those of 32 bits and BAR 0, high up all others (8 TiB). */
static const struct range low_window = { 0xc0000000ull, 0xfc000000ull };
static const struct range high_window = { 0x380000000000ull, 0x400000000000ull };

#define WAIT_SPIN_NS 3000u /* a reply from another CPU takes about this long */
#define WAIT_SPINS_A_LOOK 16u
#define WAIT_SLEEP_MIN_NS 20000u /* for what changes without a kick: registers that are polled */
#define WAIT_SLEEP_MAX_NS 1000000u

static struct {
	struct raw_mutex lock;
	struct list devices;
} bus = { .devices = LIST_INIT(bus.devices) };

/* First fit; bus lock held. False when the window is full. */
static bool bus_assign(struct range window, u64 size, struct range *bar)
{
	u64 align = is_power_of_2(size) ? size : BIT64(bits_log2(size) + 1);
	struct range want = { align_up(window.start, align), 0 };
	const struct os_pci_dev *other;
	bool moved;
	u32 i;

	do {
		moved = false;
		want.end = want.start + size;
		if (!range_contains(window, want))
			return false;
		list_for_each_entry (other, &bus.devices, node) {
			for (i = 0; i < PCI_BARS && !moved; i++) {
				if (!range_overlaps(other->bars[i], want))
					continue;
				want.start = align_up(other->bars[i].end, align);
				moved = true;
			}
			if (moved)
				break;
		}
	} while (moved);
	*bar = want;
	return true;
}

/* Bus lock held; the device is on the bus's list. */
static bool dev_assign_bars(struct os_pci_dev *dev)
{
	u32 i;

	for (i = 0; i < PCI_BARS; i++) {
		u64 size = dev->ops->bar_size(dev->ctx, i);
		u32 flags = dev->ops->cfg_read(dev->ctx, PCI_BAR(i), 4) & PCI_BAR_FLAGS;
		bool wide = (flags & PCI_BAR_TYPE) == PCI_BAR_TYPE_64;

		if (!size || flags & PCI_BAR_IO)
			continue;
		if (size > BIT64(46) ||
		    !bus_assign(wide && i != 0 ? high_window : low_window, size, &dev->bars[i]))
			return false;
		dev->ops->cfg_write(dev->ctx, PCI_BAR(i), 4, bits_low32(dev->bars[i].start));
		if (wide)
			dev->ops->cfg_write(dev->ctx, PCI_BAR(i + 1), 4,
					    bits_high32(dev->bars[i].start));
	}
	return true;
}

struct os_pci_dev *os_user_pci_register(const struct os_user_pci_ops *ops, void *ctx,
					const struct os_pci_location *location)
{
	struct os_pci_dev *dev = os_alloc(sizeof(*dev));
	bool assigned;

	if (!dev)
		return NULL;
	dev->ops = ops;
	dev->ctx = ctx;
	dev->location = *location;
	dev->lending = 1;
	if (dma_table_init(&dev->dma) != NV_OK)
		goto free_dev;

	raw_mutex_lock(&bus.lock);
	list_add_tail(&dev->node, &bus.devices);
	assigned = dev_assign_bars(dev);
	if (!assigned)
		list_del(&dev->node);
	raw_mutex_unlock(&bus.lock);
	if (!assigned)
		goto free_table;

	os_pci_cfg_write(dev, PCI_COMMAND, 2,
			 os_pci_cfg_read(dev, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY |
				 PCI_COMMAND_MASTER);
	return dev;

free_table:
	dma_table_destroy(&dev->dma);
free_dev:
	os_free(dev);
	return NULL;
}

void os_user_pci_unregister(struct os_pci_dev *dev)
{
	if (!dev)
		return;
	pci_irq_destroy(&dev->irq);
	raw_mutex_lock(&bus.lock);
	list_del(&dev->node);
	raw_mutex_unlock(&bus.lock);
	dma_table_destroy(&dev->dma);
	os_free(dev);
}

void os_pci_location(struct os_pci_dev *dev, struct os_pci_location *loc)
{
	*loc = dev->location;
}

u32 os_pci_cfg_read(struct os_pci_dev *dev, u32 offset, u32 width)
{
	return dev->ops->cfg_read(dev->ctx, offset, width);
}

void os_pci_cfg_write(struct os_pci_dev *dev, u32 offset, u32 width, u32 value)
{
	dev->ops->cfg_write(dev->ctx, offset, width, value);
}

u32 os_pci_root_cfg_read(struct os_pci_dev *dev, u32 offset, u32 width)
{
	if (!dev->ops->root_cfg_read)
		return bits_low32(BIT64(8 * width) - 1);
	return dev->ops->root_cfg_read(dev->ctx, offset, width);
}

u64 os_pci_bar_size(struct os_pci_dev *dev, u32 bar)
{
	return bar < PCI_BARS ? range_size(dev->bars[bar]) : 0;
}

u64 os_pci_bar_address(struct os_pci_dev *dev, u32 bar)
{
	return bar < PCI_BARS ? dev->bars[bar].start : 0;
}

u32 os_pci_rd32(struct os_pci_dev *dev, u32 bar, u64 offset)
{
	return (u32)dev->ops->bar_read(dev->ctx, bar, offset, 4);
}

void os_pci_wr32(struct os_pci_dev *dev, u32 bar, u64 offset, u32 value)
{
	dev->ops->bar_write(dev->ctx, bar, offset, 4, value);
}

u64 os_pci_rd64(struct os_pci_dev *dev, u32 bar, u64 offset)
{
	return dev->ops->bar_read(dev->ctx, bar, offset, 8);
}

void os_pci_wr64(struct os_pci_dev *dev, u32 bar, u64 offset, u64 value)
{
	dev->ops->bar_write(dev->ctx, bar, offset, 8, value);
}

void os_pci_bar_discard(struct os_pci_dev *dev, u32 bar, u64 offset, u64 size)
{
	u64 at;

	lockdep_may_sleep("os_pci_bar_discard");
	OS_BUG_ON(!is_aligned(offset | size, OS_PAGE_SIZE) ||
		  !range_fits(offset, size, os_pci_bar_size(dev, bar)));
	if (dev->ops->bar_discard) {
		dev->ops->bar_discard(dev->ctx, bar, offset, size);
		return;
	}
	for (at = 0; at < size; at += sizeof(u64))
		os_pci_wr64(dev, bar, offset + at, 0);
}

/* -- Waiting for the device -------------------------------------------------------------------- */

/*
 * Who waits is counted, by an operation that orders memory too, before it looks: either it is seen
 * here, or it sees what was done.
 */
void os_user_pci_kick(struct os_pci_dev *dev)
{
	if (os_load_relaxed(&dev->waiting) != 0)
		eventcount_signal(&dev->progress);
}

bool os_user_pci_waiting(struct os_pci_dev *dev)
{
	return os_load_acquire(&dev->waiting) != 0;
}

void os_user_pci_set_lending(struct os_pci_dev *dev, bool lend)
{
	os_store_relaxed(&dev->lending, lend);
}

static bool dev_lend(struct os_pci_dev *dev)
{
	return dev->ops->lend && os_load_relaxed(&dev->lending) && dev->ops->lend(dev->ctx);
}

bool os_pci_expect(struct os_pci_dev *dev)
{
	/* A thread that lends itself is there when the device works for it. */
	if (dev->ops->lend && os_load_relaxed(&dev->lending))
		return false;
	os_fetch_add(&dev->waiting, 1);
	return true;
}

void os_pci_expect_end(struct os_pci_dev *dev)
{
	os_fetch_sub(&dev->waiting, 1);
}

/* A few microseconds, less when the device does something; true when done became so. */
static bool wait_spin(struct os_pci_dev *dev, bool (*done)(void *arg), void *arg, u32 key)
{
	u64 end = os_time_ns() + WAIT_SPIN_NS;
	u32 i;

	do {
		for (i = 0; i < WAIT_SPINS_A_LOOK; i++)
			cpu_relax();
		if (done(arg))
			return true;
	} while (os_load_relaxed(&dev->progress.sequence) == key && os_time_ns() < end);
	return false;
}

/* The slow part of os_pci_wait: until done, or the deadline. */
static enum nv_status wait_until(struct os_pci_dev *dev, bool (*done)(void *arg), void *arg,
				 u64 deadline)
{
	u64 now, sleep_ns = WAIT_SLEEP_MIN_NS;

	for (;;) {
		bool lent = dev_lend(dev);
		u32 key = os_load_acquire(&dev->progress.sequence);

		if (done(arg))
			return NV_OK;
		now = os_time_ns();
		if (now >= deadline)
			return NV_ERR_TIMEOUT;
		if (!lent && wait_spin(dev, done, arg, key))
			return NV_OK;
		if (lent || os_load_relaxed(&dev->progress.sequence) != key) {
			sleep_ns = WAIT_SLEEP_MIN_NS;
			continue;
		}
		/* registered before the look, so no kick after it is missed */
		key = eventcount_prepare(&dev->progress);
		if (done(arg)) {
			eventcount_cancel(&dev->progress);
			return NV_OK;
		}
		eventcount_wait(&dev->progress, key, min(sleep_ns, deadline - now));
		if (os_load_relaxed(&dev->progress.sequence) != key)
			sleep_ns = WAIT_SLEEP_MIN_NS;
		else
			sleep_ns = min(sleep_ns * 2, (u64)WAIT_SLEEP_MAX_NS);
	}
}

enum nv_status os_pci_wait(struct os_pci_dev *dev, bool (*done)(void *arg), void *arg,
			   u64 timeout_ns)
{
	u64 now, deadline = OS_FOREVER;
	enum nv_status status;

	lockdep_may_sleep("os_pci_wait");
	/* The usual call of a device's firmware ends here, without a look at the clock. */
	if (done(arg) || (dev_lend(dev) && done(arg)))
		return NV_OK;
	now = os_time_ns();
	if (timeout_ns < OS_FOREVER - now)
		deadline = now + timeout_ns;
	os_fetch_add(&dev->waiting, 1);
	status = wait_until(dev, done, arg, deadline);
	os_fetch_sub(&dev->waiting, 1);
	return status;
}
