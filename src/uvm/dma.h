/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Buffers for ciphertext on its way between the CPU and a GPU in confidential mode: memory that
 * both reach, and anybody else, so nothing else is ever in it. A device has a pool of them.
 *
 *   text   2 MiB               [ page ][ page ][ page ] ...
 *   tags   16 bytes a page     [ tag  ][ tag  ][ tag  ] ...
 *   here   for each page       IV to decrypt with; where its plaintext goes
 *
 * A message is one or several pages; what is said of it is at the first.
 */
#ifndef UVM_DMA_H
#define UVM_DMA_H

#include "base/list.h"
#include "uvm/push.h"

#define UVM_DMA_BYTES MIB(2)
#define UVM_DMA_PAGES ((u32)(UVM_DMA_BYTES / UVM_PAGE_4K))

struct uvm_dma_buffer {
	struct list_node node; /* of the pool's, while it is free */
	struct rm_uvm_buffer *text_memory, *tag_memory;
	u8 *text, *tags;      /* for the CPU */
	u64 text_at, tags_at; /* in the address space of the device's channels */
	struct csl_iv ivs[UVM_DMA_PAGES];
	u8 *plain[UVM_DMA_PAGES];
	u32 bytes[UVM_DMA_PAGES];
	/* Pages that the GPU encrypted, or was asked to, and that nobody has decrypted yet. */
	u64 encrypted[UVM_DMA_PAGES / 64];
	struct uvm_tracker tracker; /* while it is free: what still works on it */
};

/* Zeroed: none. */
struct uvm_dma_pool {
	struct uvm_device *device;
	struct os_mutex lock; /* LOCK_RANK_UVM_DEVICE: */
	struct list free;     /* struct uvm_dma_buffer */
	u32 count;	      /* with those that are taken */
	struct rm_uvm_buffer *iv_memory;
	u64 iv_at; /* where engines write IVs that nobody reads */
};

/* The device's session is there. NV_ERR_NO_MEMORY and the like: nothing is left. */
enum nv_status uvm_dma_pool_init(struct uvm_dma_pool *pool, struct uvm_device *device);
/* All buffers are free, and the device's queues are gone. Of zeroed memory: nothing. */
void uvm_dma_pool_fini(struct uvm_dma_pool *pool);
/* Waits for what works on free buffers. */
void uvm_dma_pool_sync(struct uvm_dma_pool *pool);

/*
 * A buffer, none of whose pages is encrypted. If all are taken, there are twice as many from now
 * on, or as many more as there is memory for. What this device still does to it is waited for, or,
 * where after is not NULL, joined to that; what others do is waited for. NV_ERR_NO_MEMORY: not one
 * more; the device's status.
 */
enum nv_status uvm_dma_alloc(struct uvm_dma_pool *pool, struct uvm_tracker *after,
			     struct uvm_dma_buffer **out);
/* after (NULL: nothing): what works on it yet. NULL as the buffer is ignored. */
void uvm_dma_free(struct uvm_dma_pool *pool, struct uvm_dma_buffer *buffer,
		  struct uvm_tracker *after);

#endif
