// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A device's bus addresses. Each page gets a slot; a permutation of the slots scatters them over an
 * address range that nothing else uses, every page followed by a page that is never mapped:
 *
 *   bus address = DMA_BASE + permute(slot) * 8 KiB      slot -> CPU page: table of chunks
 *
 * so no address is physical or virtual, none can be computed from another, and all of them but the
 * mapped ones fault. Slots that became free are used again as late as possible.
 */
#include <linux/membarrier.h>

#include "base/bits.h"
#include "os/user/pci.h"

#define DMA_BASE 0x8000000000ull
#define DMA_SLOT_SHIFT 13u /* a page and its guard */
#define DMA_CHUNK_SLOTS 4096u
#define DMA_CHUNKS (DMA_SLOTS / DMA_CHUNK_SLOTS)
#define DMA_REST 4096u /* free slots that are kept from use while there are fresh ones */
#define DMA_HELD_POLL_US 20u

/* Odd numbers, inverse to each other modulo 2^DMA_SLOT_BITS */
#define DMA_MULTIPLIER 0x2545f49u
#define DMA_INVERSE 0x3eac2f9u

static u32 slot_permute(const struct dma_table *t, u32 slot)
{
	u32 x = ((slot ^ t->key) * DMA_MULTIPLIER) & (DMA_SLOTS - 1);

	return x ^ (x >> (DMA_SLOT_BITS / 2));
}

static u32 slot_restore(const struct dma_table *t, u32 place)
{
	u32 x = place ^ (place >> (DMA_SLOT_BITS / 2));

	return ((x * DMA_INVERSE) & (DMA_SLOTS - 1)) ^ t->key;
}

static u64 *slot_entry(const struct dma_table *t, u32 slot)
{
	return &t->chunks[slot / DMA_CHUNK_SLOTS][slot % DMA_CHUNK_SLOTS];
}

u64 dma_slot_address(const struct dma_table *t, u32 slot)
{
	return DMA_BASE + ((u64)slot_permute(t, slot) << DMA_SLOT_SHIFT);
}

/*
 * -- Holding the mappings without an operation that orders memory --
 *
 *	holder				who changes a mapping
 *	held = 1			changing = 1
 *	(the compiler keeps the order)	membarrier: every thread orders its memory here
 *	changing? then the slow way	held? then wait
 *
 * One of the two sees the other: the kernel's barrier falls before the holder's first line, after
 * its last, or between them, where held has become visible.
 */

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static bool membarrier_register(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

void os_user_dma_prepare(void)
{
	/* Without it, or of no avail: dma_table_init asks again. */
	(void)membarrier_register();
}

static void change_begin(struct dma_table *t)
{
	os_percpu_rwlock_write_lock(&t->lock);
	if (!t->quick)
		return;
	os_store_relaxed(&t->changing, 1);
	OS_BUG_ON(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0);
	while (os_load_acquire(&t->held))
		os_sleep_us(DMA_HELD_POLL_US);
}

static void change_end(struct dma_table *t)
{
	os_store_release(&t->changing, 0);
	os_percpu_rwlock_write_unlock(&t->lock);
}

enum nv_status dma_table_init(struct dma_table *t)
{
	enum nv_status status;

	_Static_assert(((DMA_MULTIPLIER * DMA_INVERSE) & (DMA_SLOTS - 1)) == 1, "not inverse");
	t->chunks = os_alloc(DMA_CHUNKS * sizeof(t->chunks[0]));
	if (!t->chunks)
		return NV_ERR_NO_MEMORY;
	status = os_percpu_rwlock_init(&t->lock, LOCK_RANK_UNCHECKED, "DMA table");
	if (status != NV_OK) {
		os_free(t->chunks);
		return status;
	}
	t->quick = membarrier_register();
	if (os_random(&t->key, sizeof(t->key)) != NV_OK)
		t->key = (u32)os_time_ns();
	t->key &= DMA_SLOTS - 1;
	return NV_OK;
}

void dma_table_destroy(struct dma_table *t)
{
	u32 i;

	OS_BUG_ON(t->free_count != t->used); /* a driver left pages behind */
	for (i = 0; i < DMA_CHUNKS && t->chunks[i]; i++)
		os_free(t->chunks[i]);
	os_free(t->chunks);
	os_percpu_rwlock_destroy(&t->lock);
}

/* Makes room for count more fresh slots; what it allocates stays for later when it fails. */
static enum nv_status table_reserve(struct dma_table *t, u32 count)
{
	u32 i, chunks = (u32)div_round_up((u64)t->used + count, DMA_CHUNK_SLOTS);

	for (i = 0; i < chunks; i++) {
		if (t->chunks[i])
			continue;
		t->chunks[i] = os_alloc(DMA_CHUNK_SLOTS * sizeof(u64));
		if (!t->chunks[i])
			return NV_ERR_NO_MEMORY;
	}
	return NV_OK;
}

/* A free slot's entry holds the next free one, shifted out of the flags. */
static u32 free_pop(struct dma_table *t)
{
	u32 slot = t->free_first - 1;

	t->free_first = (u32)(*slot_entry(t, slot) >> 12);
	t->free_count--;
	if (!t->free_first)
		t->free_last = 0;
	return slot;
}

static void free_push(struct dma_table *t, u32 slot)
{
	*slot_entry(t, slot) = 0;
	if (t->free_last)
		*slot_entry(t, t->free_last - 1) = (u64)(slot + 1) << 12;
	else
		t->free_first = slot + 1;
	t->free_last = slot + 1;
	t->free_count++;
}

/* Pages of one block, which all exist: as they come to be reached, or before they are not. */
static void show_mapped(struct dma_table *t, const u32 *slots, u32 count, bool there)
{
	u64 entry;

	if (!t->observer || !t->observer->mapped)
		return;
	entry = *slot_entry(t, slots[0]);
	if (!(entry & DMA_ENTRY_PRIVATE && t->confidential))
		t->observer->mapped(t->observer_ctx, (void *)(uintptr_t)(entry & ~DMA_ENTRY_FLAGS),
				    (size_t)count * OS_PAGE_SIZE, there);
}

enum nv_status dma_map(struct dma_table *t, void *cpu, u32 count, bool private, u32 owner,
		       u32 *slots)
{
	u64 flags = DMA_ENTRY_USED | (private ? DMA_ENTRY_PRIVATE : 0);
	enum nv_status status;
	u32 i, reused, fresh;

	change_begin(t);
	if (!dma_share_take(t, owner, count)) {
		status = NV_ERR_NO_MEMORY;
		goto unlock;
	}
	reused = t->free_count > DMA_REST ? min(count, t->free_count - DMA_REST) : 0;
	if (count - reused > DMA_SLOTS - t->used)
		reused = count - (DMA_SLOTS - t->used);
	fresh = count - reused;
	status = reused > t->free_count ? NV_ERR_NO_MEMORY : table_reserve(t, fresh);
	if (status != NV_OK) {
		dma_share_drop(t, owner, count);
		goto unlock;
	}
	for (i = 0; i < count; i++) {
		slots[i] = i < reused ? free_pop(t) : t->used++;
		*slot_entry(t, slots[i]) = ((u64)(uintptr_t)cpu + (u64)i * OS_PAGE_SIZE) | flags;
	}
	show_mapped(t, slots, count, true);
unlock:
	change_end(t);
	return status;
}

void dma_unmap(struct dma_table *t, const u32 *slots, u32 count, u32 owner)
{
	u32 i;

	change_begin(t);
	t->removals++;
	show_mapped(t, slots, count, false);
	for (i = 0; i < count; i++)
		free_push(t, slots[i]);
	dma_share_drop(t, owner, count);
	change_end(t);
}

/* Table lock held. NULL when the bytes are not all in one mapped page. */
static char *table_find(const struct dma_table *t, u64 bus_addr, size_t size)
{
	u64 offset = bus_addr - DMA_BASE, entry;
	u32 slot;

	if (bus_addr < DMA_BASE || offset >> (DMA_SLOT_SHIFT + DMA_SLOT_BITS))
		return NULL;
	slot = slot_restore(t, (u32)(offset >> DMA_SLOT_SHIFT));
	offset &= BIT64(DMA_SLOT_SHIFT) - 1;
	if (slot >= t->used || !range_fits(offset, size, OS_PAGE_SIZE) || offset == OS_PAGE_SIZE)
		return NULL;
	entry = *slot_entry(t, slot);
	if (!(entry & DMA_ENTRY_USED) || (entry & DMA_ENTRY_PRIVATE && t->confidential))
		return NULL;
	return (char *)(uintptr_t)(entry & ~DMA_ENTRY_FLAGS) + offset;
}

/* The device whose table this thread holds for many accesses. */
static OS_TLS struct os_pci_dev *held;
static OS_TLS u32 held_token;

#define HELD_QUICKLY (~0u) /* no token of the lock's */

static bool hold_quickly(struct dma_table *t)
{
	if (!t->quick)
		return false;
	OS_BUG_ON(os_load_relaxed(&t->held));
	os_store_relaxed(&t->held, 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(!os_load_acquire(&t->changing), 1))
		return true;
	os_store_release(&t->held, 0);
	return false;
}

u32 os_user_dma_hold(struct os_pci_dev *dev)
{
	OS_BUG_ON(held);
	if (__builtin_expect(hold_quickly(&dev->dma), 1))
		held_token = HELD_QUICKLY;
	else
		held_token = os_percpu_rwlock_read_lock(&dev->dma.lock);
	held = dev;
	return dev->dma.removals;
}

void os_user_dma_release(struct os_pci_dev *dev)
{
	OS_BUG_ON(held != dev);
	held = NULL;
	if (__builtin_expect(held_token == HELD_QUICKLY, 1))
		os_store_release(&dev->dma.held, 0);
	else
		os_percpu_rwlock_read_unlock(&dev->dma.lock, held_token);
}

void *os_user_dma_enter(struct os_pci_dev *dev)
{
	if (held == dev)
		return NULL;
	OS_BUG_ON(held);
	held_token = os_percpu_rwlock_read_lock(&dev->dma.lock);
	held = dev;
	return dev;
}

void os_user_dma_leave(void *token)
{
	if (token)
		os_user_dma_release(token);
}

static u32 access_begin(struct os_pci_dev *dev)
{
	return held == dev ? 0 : os_percpu_rwlock_read_lock(&dev->dma.lock);
}

static void access_end(struct os_pci_dev *dev, u32 token)
{
	if (held != dev)
		os_percpu_rwlock_read_unlock(&dev->dma.lock, token);
}

bool os_user_dma_find(struct os_pci_dev *dev, u64 bus_addr, size_t size, void **cpu)
{
	u32 token = access_begin(dev);

	*cpu = dev->dma.observer ? NULL : table_find(&dev->dma, bus_addr, size);
	access_end(dev, token);
	return *cpu != NULL;
}

/* The table is held. True also where nobody looks. */
static bool show_access(struct os_pci_dev *dev, u64 bus_addr, void *cpu, const void *data,
			size_t size)
{
	const struct dma_table *t = &dev->dma;

	return !cpu || !t->observer || !t->observer->dma ||
	       t->observer->dma(t->observer_ctx, bus_addr, cpu, data, size);
}

bool os_user_dma_read(struct os_pci_dev *dev, u64 bus_addr, void *data, size_t size)
{
	u32 token = access_begin(dev);
	char *cpu = table_find(&dev->dma, bus_addr, size);

	show_access(dev, bus_addr, cpu, NULL, size);
	if (cpu && size == 4 && is_aligned(bus_addr, 4)) {
		u32 value = os_load_acquire((const u32 *)cpu);

		os_memcpy(data, &value, sizeof(value));
	} else if (cpu && size == 8 && is_aligned(bus_addr, 8)) {
		u64 value = os_load_acquire((const u64 *)cpu);

		os_memcpy(data, &value, sizeof(value));
	} else if (cpu) {
		os_memcpy(data, cpu, size);
	}
	access_end(dev, token);
	return cpu != NULL;
}

bool os_user_dma_write(struct os_pci_dev *dev, u64 bus_addr, const void *data, size_t size)
{
	u32 token = access_begin(dev);
	char *cpu = table_find(&dev->dma, bus_addr, size);

	if (!show_access(dev, bus_addr, cpu, data, size)) {
		access_end(dev, token);
		return true;
	}
	if (cpu && size == 4 && is_aligned(bus_addr, 4)) {
		u32 value;

		os_memcpy(&value, data, sizeof(value));
		os_store_release((u32 *)cpu, value);
	} else if (cpu && size == 8 && is_aligned(bus_addr, 8)) {
		u64 value;

		os_memcpy(&value, data, sizeof(value));
		os_store_release((u64 *)cpu, value);
	} else if (cpu) {
		os_memcpy(cpu, data, size);
	}
	access_end(dev, token);
	return cpu != NULL;
}

void os_user_pci_set_confidential(struct os_pci_dev *dev, bool confidential)
{
	change_begin(&dev->dma);
	dev->dma.confidential = confidential;
	dev->dma.removals++;
	change_end(&dev->dma);
}

void os_user_pci_set_observer(struct os_pci_dev *dev, const struct os_user_pci_observer *observer,
			      void *ctx)
{
	change_begin(&dev->dma);
	dev->dma.observer = observer;
	dev->dma.observer_ctx = ctx;
	dev->dma.removals++;
	change_end(&dev->dma);
}
