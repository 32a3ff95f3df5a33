// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The interrupt tree and the messages that come out of it.
 *
 *   vector --> LEAF(v / 32) bit (v % 32) --and LEAF_EN--> subtree (v / 64) --and TOP_EN--> MSI-X
 * entry
 *
 * A subtree sends its message when its condition becomes true, and when another enabled leaf bit
 * becomes pending under it. An entry that is masked keeps the message as a pending bit. With
 * neither MSI-X nor MSI, INTA# is asserted as long as any subtree's condition is true.
 */
#include "h100/function/function.h"

#include "base/bits.h"

#define MSIX_ENTRY_MASKED 0x1u

static bool entry_unused(const struct h100_msix_entry *entry)
{
	return entry->word[0] == 0 && entry->word[1] == 0 && entry->word[2] == 0;
}

static u32 subtree_entry(struct h100_function *fn, u32 subtree)
{
	return entry_unused(&fn->intr.msix[subtree]) ? 0 : subtree;
}

static void send_entry(struct h100_function *fn, u32 index, struct h100_messages *out)
{
	const struct h100_msix_entry *entry = &fn->intr.msix[index];

	if (fn->intr.msix_masked || (entry->word[3] & MSIX_ENTRY_MASKED) != 0) {
		fn->intr.pending |= BIT32(index);
		return;
	}
	fn->intr.pending &= ~BIT32(index);
	out->message[out->count].address = entry->word[0] | (u64)entry->word[1] << 32;
	out->message[out->count].data = entry->word[2];
	out->count++;
}

/* The subtrees whose condition is true. */
static u32 conditions(struct h100_function *fn)
{
	u32 i, subtrees = 0;

	for (i = 0; i < H100_INTR_LEAVES; i++)
		if ((fn->intr.leaf[i] & fn->intr.enabled[i]) != 0)
			subtrees |= BIT32(i / 2);
	return subtrees;
}

/* Finds what is to be sent after a change; again: subtrees that send even if they had sent before.
 */
static void evaluate(struct h100_function *fn, u32 again, struct h100_messages *out)
{
	u32 now = conditions(fn) & fn->intr.top_enabled;
	u32 send = now & (~fn->intr.signalled | again);
	u32 i, entries = 0, wanted = 0;
	u32 intx = !fn->intr.msix_on && !fn->intr.msi_on && now != 0;

	out->intx = intx != 0 && fn->intx == 0;
	os_store_relaxed(&fn->intx, intx);
	fn->intr.signalled = now;
	if (fn->intr.msix_on) {
		for (i = 0; i < H100_INTR_SUBTREES; i++) {
			if ((send & BIT32(i)) != 0)
				entries |= BIT32(subtree_entry(fn, i));
			if ((now & BIT32(i)) != 0)
				wanted |= BIT32(subtree_entry(fn, i));
		}
		/* What is no longer true when an entry is unmasked is not sent then. */
		fn->intr.pending &= wanted;
		for (i = 0; i < H100_MSIX_ENTRIES; i++)
			if ((entries & BIT32(i)) != 0)
				send_entry(fn, i, out);
	} else if (fn->intr.msi_on && send != 0) {
		out->message[out->count].address = fn->intr.msi_address;
		out->message[out->count].data = fn->intr.msi_data;
		out->count++;
	}
}

/* Masks were taken away: sends what waited. */
static void flush_pending(struct h100_function *fn, struct h100_messages *out)
{
	u32 i, waiting = fn->intr.pending;

	if (!fn->intr.msix_on)
		return;
	for (i = 0; i < H100_MSIX_ENTRIES; i++)
		if ((waiting & BIT32(i)) != 0)
			send_entry(fn, i, out);
}

static void deliver(struct h100_function *fn, const struct h100_messages *messages)
{
	u32 i;

	if (messages->intx && fn->ops->intx && h100_function_intx(fn))
		fn->ops->intx(fn->ctx);
	for (i = 0; i < messages->count; i++)
		if (h100_function_bus_master(fn))
			fn->ops->msix(fn->ctx, messages->message[i].address,
				      messages->message[i].data);
}

void h100_intr_reset(struct h100_function *fn)
{
	u32 i;

	os_spinlock_lock(&fn->intr_lock);
	os_memset(&fn->intr, 0, sizeof(fn->intr));
	os_store_relaxed(&fn->intx, 0u);
	for (i = 0; i < H100_MSIX_ENTRIES; i++)
		fn->intr.msix[i].word[3] = MSIX_ENTRY_MASKED;
	os_spinlock_unlock(&fn->intr_lock);
}

void h100_intr_configure(struct h100_function *fn, bool msix_on, bool msix_masked, bool msi_on,
			 u64 msi_address, u32 msi_data)
{
	struct h100_messages out = { 0 };

	os_spinlock_lock(&fn->intr_lock);
	if (msix_on != fn->intr.msix_on || msi_on != fn->intr.msi_on)
		fn->intr.signalled = 0;
	fn->intr.msix_on = msix_on;
	fn->intr.msix_masked = msix_masked;
	fn->intr.msi_on = msi_on;
	fn->intr.msi_address = msi_address;
	fn->intr.msi_data = msi_data;
	evaluate(fn, 0, &out);
	flush_pending(fn, &out);
	os_spinlock_unlock(&fn->intr_lock);
	deliver(fn, &out);
}

void h100_intr_raise(struct h100_function *fn, u32 vector)
{
	struct h100_messages out = { 0 };
	u32 leaf = vector / 32, bit = BIT32(vector % 32);

	if (leaf >= H100_INTR_LEAVES)
		return;
	os_spinlock_lock(&fn->intr_lock);
	if ((fn->intr.leaf[leaf] & bit) == 0) {
		fn->intr.leaf[leaf] |= bit;
		evaluate(fn, (fn->intr.enabled[leaf] & bit) != 0 ? BIT32(leaf / 2) : 0, &out);
	}
	os_spinlock_unlock(&fn->intr_lock);
	deliver(fn, &out);
}

u32 h100_intr_leaf(struct h100_function *fn, u32 leaf)
{
	u32 value;

	os_spinlock_lock(&fn->intr_lock);
	value = fn->intr.leaf[leaf];
	os_spinlock_unlock(&fn->intr_lock);
	return value;
}

u32 h100_intr_leaf_enabled(struct h100_function *fn, u32 leaf)
{
	u32 value;

	os_spinlock_lock(&fn->intr_lock);
	value = fn->intr.enabled[leaf];
	os_spinlock_unlock(&fn->intr_lock);
	return value;
}

u32 h100_intr_top(struct h100_function *fn)
{
	u32 value;

	os_spinlock_lock(&fn->intr_lock);
	value = conditions(fn);
	os_spinlock_unlock(&fn->intr_lock);
	return value;
}

u32 h100_intr_top_enabled(struct h100_function *fn)
{
	u32 value;

	os_spinlock_lock(&fn->intr_lock);
	value = fn->intr.top_enabled;
	os_spinlock_unlock(&fn->intr_lock);
	return value;
}

void h100_intr_leaf_clear(struct h100_function *fn, u32 leaf, u32 bits)
{
	struct h100_messages out = { 0 };

	os_spinlock_lock(&fn->intr_lock);
	fn->intr.leaf[leaf] &= ~bits;
	evaluate(fn, 0, &out);
	os_spinlock_unlock(&fn->intr_lock);
	deliver(fn, &out);
}

void h100_intr_leaf_enable(struct h100_function *fn, u32 leaf, u32 set, u32 clear)
{
	struct h100_messages out = { 0 };

	os_spinlock_lock(&fn->intr_lock);
	fn->intr.enabled[leaf] = (fn->intr.enabled[leaf] | set) & ~clear;
	evaluate(fn, 0, &out);
	os_spinlock_unlock(&fn->intr_lock);
	deliver(fn, &out);
}

void h100_intr_top_enable(struct h100_function *fn, u32 set, u32 clear)
{
	struct h100_messages out = { 0 };

	os_spinlock_lock(&fn->intr_lock);
	fn->intr.top_enabled = (fn->intr.top_enabled | set) & ~clear;
	evaluate(fn, set, &out);
	os_spinlock_unlock(&fn->intr_lock);
	deliver(fn, &out);
}

u32 h100_msix_table_read(struct h100_function *fn, u32 word)
{
	u32 value;

	os_spinlock_lock(&fn->intr_lock);
	value = fn->intr.msix[word / 4].word[word % 4];
	os_spinlock_unlock(&fn->intr_lock);
	return value;
}

void h100_msix_table_write(struct h100_function *fn, u32 word, u32 value)
{
	static const u32 writable[4] = { ~3u, ~0u, ~0u, MSIX_ENTRY_MASKED };
	struct h100_messages out = { 0 };

	os_spinlock_lock(&fn->intr_lock);
	fn->intr.msix[word / 4].word[word % 4] = value & writable[word % 4];
	if (word % 4 == 3)
		flush_pending(fn, &out);
	os_spinlock_unlock(&fn->intr_lock);
	deliver(fn, &out);
}

u32 h100_msix_pending(struct h100_function *fn)
{
	u32 value;

	os_spinlock_lock(&fn->intr_lock);
	value = fn->intr.pending;
	os_spinlock_unlock(&fn->intr_lock);
	return value;
}
