// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * os_alloc and what is known of every block: how many there are, who allocated what is left at
 * unload, and the allocation that fails on demand. Each block is preceded by a header on a list of
 * the CPU that allocated it:
 *
 *	| pad (0 or 8) | struct block | the caller's bytes ...
 *	^ kvmalloc                    ^ 16-byte aligned
 */
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "os/linux/internal.h"

#define ALLOC_MAX 0x7fff0000u /* with the header still what kvmalloc gives */
#define BLOCK_ALIGN 16u
#define BLOCK_LIVE 0x6c697665u
#define BLOCK_FREED 0x66726565u
#define SHARDS 64u
#define LEAKS_SHOWN 64u

struct block {
	struct list_head node; /* of its shard */
	unsigned long caller;
	u64 bytes; /* what the caller asked for, and what hangs on it */
	u32 state;
	u16 shard;
	u16 pad;
} __aligned(BLOCK_ALIGN);

static struct shard {
	raw_spinlock_t lock; /* all of it */
	struct list_head blocks;
	u64 count, bytes;
} ____cacheline_aligned_in_smp shards[SHARDS];

static_assert(ARCH_KMALLOC_MINALIGN >= 8);

static struct shard *shard_of(const struct block *b)
{
	return &shards[b->shard];
}

void *account_alloc(size_t size, unsigned long caller)
{
	/* kmalloc's own alignment may be less */
	size_t before = sizeof(struct block) + (ARCH_KMALLOC_MINALIGN < BLOCK_ALIGN ? 8 : 0);
	/* charged to the client's cgroup; threads of the kernel are in the root's */
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	unsigned long flags;
	struct block *b;
	struct shard *s;
	char *memory;

	if (!size || size > ALLOC_MAX || account_fails())
		return NULL;
	/* what a client asks for may be large: no reason to kill somebody for it */
	if (size > PAGE_SIZE)
		gfp |= __GFP_RETRY_MAYFAIL;
	memory = kvmalloc(before + size, gfp);
	if (!memory)
		return NULL;
	b = PTR_ALIGN((void *)memory, BLOCK_ALIGN);
	b->pad = (char *)b - memory;
	b->caller = caller;
	b->bytes = size;
	b->state = BLOCK_LIVE;
	b->shard = raw_smp_processor_id() % SHARDS;
	s = shard_of(b);
	raw_spin_lock_irqsave(&s->lock, flags);
	list_add_tail(&b->node, &s->blocks);
	s->count++;
	s->bytes += size;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return b + 1;
}

void account_add(void *mem, s64 bytes)
{
	struct block *b = (struct block *)mem - 1;
	struct shard *s = shard_of(b);
	unsigned long flags;

	raw_spin_lock_irqsave(&s->lock, flags);
	b->bytes += bytes;
	s->bytes += bytes;
	raw_spin_unlock_irqrestore(&s->lock, flags);
}

void *os_alloc(size_t size)
{
	might_sleep();
	return account_alloc(size, _RET_IP_);
}

void os_free(void *mem)
{
	struct block *b = (struct block *)mem - 1;
	unsigned long flags;
	struct shard *s;

	if (!mem)
		return;
	if (WARN_ONCE(b->state != BLOCK_LIVE, "%s: %ps frees what is no block: 0x%x\n",
		      os_module_name, (void *)_RET_IP_, b->state))
		return;
	s = shard_of(b);
	raw_spin_lock_irqsave(&s->lock, flags);
	list_del(&b->node);
	s->count--;
	s->bytes -= b->bytes;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	b->state = BLOCK_FREED;
	kvfree((char *)b - b->pad);
}

void os_free_secret(void *mem, size_t size)
{
	if (mem)
		memzero_explicit(mem, size);
	os_free(mem);
}

void os_linux_live(u64 *blocks, u64 *bytes)
{
	unsigned long flags;
	u32 i;

	*blocks = 0;
	*bytes = 0;
	for (i = 0; i < SHARDS; i++) {
		raw_spin_lock_irqsave(&shards[i].lock, flags);
		*blocks += shards[i].count;
		*bytes += shards[i].bytes;
		raw_spin_unlock_irqrestore(&shards[i].lock, flags);
	}
}

void account_init(void)
{
	u32 i;

	for (i = 0; i < SHARDS; i++) {
		raw_spin_lock_init(&shards[i].lock);
		INIT_LIST_HEAD(&shards[i].blocks);
	}
}

/* Nothing of the module runs any more but its exit. */
u32 account_exit(void)
{
	struct block *b;
	u64 bytes = 0;
	u32 i, left = 0;

	for (i = 0; i < SHARDS; i++) {
		list_for_each_entry (b, &shards[i].blocks, node) {
			if (left++ < LEAKS_SHOWN)
				pr_err("%s: leak: %llu bytes of %pS\n", os_module_name, b->bytes,
				       (void *)b->caller);
			bytes += b->bytes;
		}
	}
	if (left)
		pr_err("%s: leak: %u blocks, %llu bytes in all\n", os_module_name, left, bytes);
	return left;
}
