// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Encrypted copies (uvm/secret.h). */
#include "uvm/secret.h"

#include "base/bitmap.h"
#include "uvm/queue.h"

#define CHUNK_BYTES KIB(64)
#define CHUNK_PAGES ((u32)(CHUNK_BYTES / UVM_PAGE_4K))

static struct uvm_dma_pool *pool_of(const struct uvm_secrets *s)
{
	return &s->device->dma;
}

static struct uvm_queue *queue_of(const struct uvm_secrets *s)
{
	return &s->device->queues[s->up ? UVM_QUEUE_TO_GPU : UVM_QUEUE_FROM_GPU];
}

static u32 pages_of(u32 bytes)
{
	return (u32)(align_up((u64)bytes, UVM_PAGE_4K) / UVM_PAGE_4K);
}

static u8 *tag_of(const struct uvm_dma_buffer *buffer, u32 page)
{
	return buffer->tags + page * CSL_CRYPT_AUTH_TAG_SIZE;
}

/* -- Messages ---------------------------------------------------------------------------------- */

static void mark(struct uvm_dma_buffer *buffer, u32 page, bool encrypted)
{
	u32 end = page + pages_of(buffer->bytes[page]);

	for (; page < end; page++) {
		if (encrypted)
			bitmap_set(buffer->encrypted, page);
		else
			bitmap_clear(buffer->encrypted, page);
	}
}

/* The engine has been asked to encrypt it: what is to be done with it later. */
static enum nv_status expect(struct uvm_secrets *s, u32 page, u8 *cpu, u32 bytes)
{
	struct uvm_dma_buffer *buffer = s->buffer;
	enum nv_status status = uvm_queue_log_encryption(queue_of(s), &buffer->ivs[page]);

	if (status != NV_OK)
		return status;
	buffer->plain[page] = cpu;
	buffer->bytes[page] = bytes;
	mark(buffer, page, true);
	return NV_OK;
}

/* A message in the open push, which is in its page of the buffer from now on. */
static enum nv_status add_message(struct uvm_secrets *s, u8 *cpu, u64 video, u32 bytes)
{
	u32 page = s->chunk * CHUNK_PAGES + s->used / (u32)UVM_PAGE_4K;
	enum uvm_order order = s->used ? UVM_ORDER_PIPELINED : UVM_ORDER_AFTER;
	struct uvm_dma_buffer *buffer = s->buffer;
	struct uvm_push *push = &s->push;
	struct uvm_secret secret = {
		.plain = { RM_UVM_VIDEO, video },
		.cipher = buffer->text_at + page * UVM_PAGE_4K,
		.tag = buffer->tags_at + page * CSL_CRYPT_AUTH_TAG_SIZE,
		.iv = pool_of(s)->iv_at,
		.bytes = bytes,
	};
	u32 before = push->methods.count;
	enum nv_status status;

	status = s->up ? push->ce->decrypt(push->ce, &push->methods, &secret, order)
		       : push->ce->encrypt(push->ce, &push->methods, &secret, order);
	if (status != NV_OK)
		return status;
	status = s->up ? uvm_queue_encrypt(queue_of(s), bytes, cpu,
					   buffer->text + page * UVM_PAGE_4K, tag_of(buffer, page))
		       : expect(s, page, cpu, bytes);
	if (status != NV_OK) {
		/* The ends do not count alike any more. */
		push->methods.count = before;
		uvm_queues_fail(s->device, status);
		return status;
	}
	s->used += pages_of(bytes) * (u32)UVM_PAGE_4K;
	return NV_OK;
}

/* What the mask has of a chunk, whose push is done. */
static enum nv_status deliver(struct uvm_secrets *s, u32 chunk)
{
	struct uvm_dma_buffer *buffer = s->buffer;
	u32 page = chunk * CHUNK_PAGES, end = page + CHUNK_PAGES;
	enum nv_status status = NV_OK;

	for (; page < end && status == NV_OK; page++) {
		if (!bitmap_test(buffer->encrypted, page))
			continue;
		status = uvm_queue_decrypt(queue_of(s), buffer->bytes[page],
					   buffer->text + page * UVM_PAGE_4K, &buffer->ivs[page],
					   buffer->plain[page], tag_of(buffer, page));
		mark(buffer, page, false);
	}
	if (status != NV_OK) {
		os_log(OS_LOG_ERROR, "unified memory: what comes from the GPU is not its own");
		uvm_queues_fail(s->device, status);
	}
	return status;
}

/* -- Chunks ------------------------------------------------------------------------------------ */

static enum nv_status finish(struct uvm_secrets *s, u32 chunk)
{
	enum nv_status status;

	if (!s->ends[chunk].queue)
		return NV_OK;
	status = uvm_entry_wait(&s->ends[chunk]);
	s->ends[chunk].queue = NULL;
	return status == NV_OK && !s->up ? deliver(s, chunk) : status;
}

/* What was in the chunk is done before. */
static enum nv_status open_chunk(struct uvm_secrets *s)
{
	enum nv_status status = finish(s, s->chunk);

	if (status == NV_OK)
		status = uvm_push_begin(s->device, s->up ? UVM_QUEUE_TO_GPU : UVM_QUEUE_FROM_GPU,
					s->after, &s->push);
	if (status != NV_OK)
		return status;
	s->after = NULL;
	s->open = true;
	s->used = 0;
	return NV_OK;
}

/* The CPU is to see ciphertext as soon as it sees the end. */
static void close_chunk(struct uvm_secrets *s, enum uvm_membar membar)
{
	uvm_push_end(&s->push, s->up ? membar : UVM_MEMBAR_SYS, &s->ends[s->chunk]);
	s->open = false;
	s->chunk = (s->chunk + 1) % UVM_SECRET_CHUNKS;
}

/* -- Copies ------------------------------------------------------------------------------------ */

enum nv_status uvm_secrets_begin(struct uvm_secrets *s, struct uvm_device *device, bool up,
				 struct uvm_dma_buffer *reserve, struct uvm_tracker *after)
{
	enum nv_status status;

	os_memset(s, 0, sizeof(*s));
	s->device = device;
	s->up = up;
	s->after = after;
	status = uvm_device_start(device);
	if (status == NV_OK)
		status = uvm_dma_alloc(&device->dma, NULL, &s->buffer);
	if (status != NV_ERR_NO_MEMORY || !reserve)
		return status;
	s->buffer = reserve;
	s->lent = true;
	os_memset(reserve->encrypted, 0, sizeof(reserve->encrypted));
	return NV_OK;
}

enum nv_status uvm_secrets_add(struct uvm_secrets *s, void *cpu, u64 video, u64 bytes)
{
	u8 *at = cpu;

	while (bytes && s->status == NV_OK) {
		u32 now;

		if (s->open &&
		    (s->used == CHUNK_BYTES || !uvm_push_has_room(&s->push, UVM_METHODS_MAX)))
			close_chunk(s, UVM_MEMBAR_NONE);
		if (!s->open)
			s->status = open_chunk(s);
		if (s->status != NV_OK)
			break;
		now = (u32)min(bytes, (u64)(CHUNK_BYTES - s->used));
		s->status = add_message(s, at, video, now);
		at += now;
		video += now;
		bytes -= now;
	}
	return s->status;
}

enum nv_status uvm_secrets_end(struct uvm_secrets *s, enum uvm_membar membar)
{
	u32 i;

	if (s->open)
		close_chunk(s, membar);
	/* The oldest first; also where one failed: nothing is under way on return. */
	for (i = 0; i < UVM_SECRET_CHUNKS; i++) {
		enum nv_status status = finish(s, (s->chunk + i) % UVM_SECRET_CHUNKS);

		if (s->status == NV_OK)
			s->status = status;
	}
	if (!s->lent)
		uvm_dma_free(pool_of(s), s->buffer, NULL);
	return s->status;
}

static enum nv_status memcopy(struct uvm_device *device, bool up, void *plain, u64 video, u64 bytes,
			      struct uvm_tracker *after)
{
	struct uvm_secrets s;
	enum nv_status status;

	if (!bytes || bytes > UVM_DMA_BYTES)
		return NV_ERR_INVALID_ARGUMENT;
	status = uvm_secrets_begin(&s, device, up, NULL, after);
	if (status != NV_OK)
		return status;
	(void)uvm_secrets_add(&s, plain, video, bytes);
	return uvm_secrets_end(&s, UVM_MEMBAR_SYS);
}

enum nv_status uvm_encrypted_memcopy_to_gpu(struct uvm_device *device, u64 video, const void *plain,
					    u64 bytes, struct uvm_tracker *after)
{
	return memcopy(device, true, (void *)(uintptr_t)plain, video, bytes, after);
}

enum nv_status uvm_encrypted_memcopy_from_gpu(struct uvm_device *device, void *plain, u64 video,
					      u64 bytes, struct uvm_tracker *after)
{
	enum nv_status status = memcopy(device, false, plain, video, bytes, after);

	if (status != NV_OK)
		os_memset(plain, 0, bytes);
	return status;
}
