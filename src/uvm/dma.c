// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The pool of buffers for ciphertext (uvm/dma.h). */
#include "uvm/queue.h"

#define FIRST_BUFFERS 4u

/* -- Buffers ----------------------------------------------------------------------------------- */

static void buffer_destroy(struct uvm_dma_buffer *buffer)
{
	uvm_tracker_fini(&buffer->tracker);
	if (buffer->tag_memory)
		rm_uvm_buffer_free(buffer->tag_memory);
	if (buffer->text_memory)
		rm_uvm_buffer_free(buffer->text_memory);
	os_free(buffer);
}

static enum nv_status buffer_create(struct uvm_dma_pool *pool)
{
	struct rm_uvm_session *session = pool->device->session;
	struct uvm_dma_buffer *buffer = os_alloc(sizeof(*buffer));
	enum nv_status status;
	void *text, *tags;

	if (!buffer)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_buffer_alloc(session, UVM_DMA_BYTES, &buffer->text_memory, &text,
				     &buffer->text_at);
	if (status == NV_OK)
		status = rm_uvm_buffer_alloc(session, UVM_DMA_PAGES * CSL_CRYPT_AUTH_TAG_SIZE,
					     &buffer->tag_memory, &tags, &buffer->tags_at);
	if (status != NV_OK) {
		buffer_destroy(buffer);
		return status;
	}
	buffer->text = text;
	buffer->tags = tags;
	list_add_tail(&buffer->node, &pool->free);
	pool->count++;
	return NV_OK;
}

/* As many more as that; one is enough. */
static enum nv_status grow(struct uvm_dma_pool *pool, u32 more)
{
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < more && status == NV_OK; i++)
		status = buffer_create(pool);
	return list_empty(&pool->free) ? status : NV_OK;
}

/* -- Pools ------------------------------------------------------------------------------------- */

static void destroy_free(struct uvm_dma_pool *pool)
{
	while (!list_empty(&pool->free)) {
		struct uvm_dma_buffer *buffer =
			list_entry(list_first(&pool->free), struct uvm_dma_buffer, node);

		list_del(&buffer->node);
		buffer_destroy(buffer);
		pool->count--;
	}
}

enum nv_status uvm_dma_pool_init(struct uvm_dma_pool *pool, struct uvm_device *device)
{
	enum nv_status status;
	void *cpu;
	u32 i;

	status = os_mutex_init(&pool->lock, LOCK_RANK_UVM_DEVICE, "uvm dma");
	if (status != NV_OK)
		return status;
	pool->device = device;
	list_init(&pool->free);
	status = rm_uvm_buffer_alloc(device->session, OS_PAGE_SIZE, &pool->iv_memory, &cpu,
				     &pool->iv_at);
	for (i = 0; i < FIRST_BUFFERS && status == NV_OK; i++)
		status = buffer_create(pool);
	if (status != NV_OK)
		uvm_dma_pool_fini(pool);
	return status;
}

void uvm_dma_pool_fini(struct uvm_dma_pool *pool)
{
	if (!pool->device)
		return;
	destroy_free(pool);
	OS_BUG_ON(pool->count);
	if (pool->iv_memory)
		rm_uvm_buffer_free(pool->iv_memory);
	os_mutex_destroy(&pool->lock);
	os_memset(pool, 0, sizeof(*pool));
}

void uvm_dma_pool_sync(struct uvm_dma_pool *pool)
{
	struct uvm_dma_buffer *buffer;

	os_mutex_lock(&pool->lock);
	list_for_each_entry (buffer, &pool->free, node)
		(void)uvm_tracker_wait(&buffer->tracker);
	os_mutex_unlock(&pool->lock);
}

/* -- Taking and giving ------------------------------------------------------------------------- */

/* Until the caller may use it, by the rules of uvm_dma_alloc. */
static enum nv_status wait_for(struct uvm_dma_pool *pool, struct uvm_dma_buffer *buffer,
			       struct uvm_tracker *after)
{
	enum nv_status status;

	if (!after)
		return uvm_tracker_wait(&buffer->tracker);
	status = uvm_tracker_wait_others(&buffer->tracker, pool->device);
	if (status == NV_OK)
		status = uvm_tracker_join(after, &buffer->tracker);
	if (status == NV_OK)
		buffer->tracker.count = 0;
	return status;
}

enum nv_status uvm_dma_alloc(struct uvm_dma_pool *pool, struct uvm_tracker *after,
			     struct uvm_dma_buffer **out)
{
	struct uvm_dma_buffer *buffer = NULL;
	enum nv_status status = NV_OK;

	os_mutex_lock(&pool->lock);
	if (list_empty(&pool->free))
		status = grow(pool, pool->count);
	if (status == NV_OK) {
		buffer = list_entry(list_first(&pool->free), struct uvm_dma_buffer, node);
		list_del(&buffer->node);
	}
	os_mutex_unlock(&pool->lock);
	if (status != NV_OK)
		return status;
	status = wait_for(pool, buffer, after);
	if (status != NV_OK) {
		uvm_dma_free(pool, buffer, NULL);
		return status;
	}
	os_memset(buffer->encrypted, 0, sizeof(buffer->encrypted));
	*out = buffer;
	return NV_OK;
}

void uvm_dma_free(struct uvm_dma_pool *pool, struct uvm_dma_buffer *buffer,
		  struct uvm_tracker *after)
{
	if (!buffer)
		return;
	(void)uvm_tracker_is_done(&buffer->tracker);
	/* What cannot be remembered is waited for. */
	if (after && uvm_tracker_join(&buffer->tracker, after) != NV_OK)
		(void)uvm_tracker_wait(after);
	os_mutex_lock(&pool->lock);
	list_add_tail(&buffer->node, &pool->free);
	os_mutex_unlock(&pool->lock);
}
