// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * UVM's own channels in the hand-made resource manager (uvm_fake.h): an engine with numbers of its
 * own that does all that is in a ring when the doorbell rings, as far as semaphores let it.
 */
#include "uvm_fake.h"

#define BUFFERS 64u
#define QUEUES 32u
#define FIRST_VA 0x10000000ull
#define VA_STEP MIB(4)
#define RC_CE0_ERROR 39u

struct rm_uvm_session {
	struct rm_gpu *gpu;
};

struct rm_uvm_buffer {
	struct rm_uvm_session *session;
	u8 *cpu;
	u64 address, size;
	bool shared; /* cpu is another's */
};

struct rm_uvm_queue {
	struct rm_uvm_session *session;
	struct rm_uvm_video *userd;
	u64 gpfifo, put_at;
	u32 entries, get, error, token, bound;
	u32 at;	      /* in the segment: where it goes on */
	bool stalled; /* the semaphore there has not its value yet */
	bool sec2;    /* whose work is never done */
	u32 methods[0x1000 / 4];
};

static struct rm_uvm_buffer *buffers[BUFFERS];
static struct rm_uvm_queue *queues[QUEUES];

enum nv_status rm_uvm_session_create(struct rm_gpu *gpu, struct rm_uvm_session **out, u32 *engines)
{
	if (gpu->lost)
		return NV_ERR_GPU_IS_LOST;
	*out = os_alloc(sizeof(**out));
	if (!*out)
		return NV_ERR_NO_MEMORY;
	(*out)->gpu = gpu;
	*engines = 0x1c;
	fake.sessions++;
	return NV_OK;
}

void rm_uvm_session_destroy(struct rm_uvm_session *session)
{
	assert_true(session->gpu->refs);
	fake.sessions--;
	os_free(session);
}

static struct rm_uvm_buffer *buffer_make(struct rm_uvm_session *session, u8 *cpu, u64 size)
{
	struct rm_uvm_buffer *buffer = os_alloc(sizeof(*buffer));
	u32 i;

	if (!buffer)
		return NULL;
	for (i = 0; i < BUFFERS && buffers[i]; i++)
		;
	assert_true(i < BUFFERS && size <= VA_STEP);
	buffers[i] = buffer;
	buffer->session = session;
	buffer->cpu = cpu;
	buffer->size = size;
	buffer->address = FIRST_VA + i * VA_STEP;
	return buffer;
}

enum nv_status rm_uvm_buffer_alloc(struct rm_uvm_session *session, u64 size,
				   struct rm_uvm_buffer **out, void **cpu, u64 *address)
{
	u8 *memory = os_alloc(size);

	*out = memory ? buffer_make(session, memory, size) : NULL;
	if (!*out) {
		os_free(memory);
		return NV_ERR_NO_MEMORY;
	}
	*cpu = memory;
	*address = (*out)->address;
	return NV_OK;
}

enum nv_status rm_uvm_buffer_share(struct rm_uvm_session *session,
				   const struct rm_uvm_buffer *buffer, struct rm_uvm_buffer **out,
				   u64 *address)
{
	assert_ptr_not_equal(buffer->session, session);
	*out = buffer_make(session, buffer->cpu, buffer->size);
	if (!*out)
		return NV_ERR_NO_MEMORY;
	(*out)->shared = true;
	*address = (*out)->address;
	return NV_OK;
}

void rm_uvm_buffer_free(struct rm_uvm_buffer *buffer)
{
	buffers[(buffer->address - FIRST_VA) / VA_STEP] = NULL;
	if (!buffer->shared)
		os_free(buffer->cpu);
	os_free(buffer);
}

enum nv_status rm_uvm_queue_create(struct rm_uvm_session *session, u32 engine, u64 gpfifo,
				   u32 entries, struct rm_uvm_queue **out,
				   struct rm_uvm_queue_info *info)
{
	struct rm_uvm_queue *queue = os_alloc(sizeof(*queue));
	enum nv_status status = NV_ERR_NO_MEMORY;
	u32 i;

	assert_true((engine >= 2 && engine <= 4) || engine == RM_UVM_ENGINE_SEC2);
	if (!queue)
		return status;
	status = rm_uvm_video_alloc(session->gpu, KIB(4), KIB(4), &queue->userd, &queue->put_at);
	if (status != NV_OK) {
		os_free(queue);
		return status;
	}
	for (i = 0; i < QUEUES && queues[i]; i++)
		;
	assert_true(i < QUEUES);
	queues[i] = queue;
	queue->session = session;
	queue->gpfifo = gpfifo;
	queue->entries = entries;
	queue->sec2 = engine == RM_UVM_ENGINE_SEC2;
	queue->token = 0x50000 + i;
	*info = (struct rm_uvm_queue_info){
		.put = queue->put_at + 0x8c,
		.doorbell = 0xb80000 + 0x30090,
		.token = queue->token,
	};
	*out = queue;
	return NV_OK;
}

void rm_uvm_queue_stop(struct rm_uvm_queue *queue)
{
	queue->error = RC_CE0_ERROR;
}

void rm_uvm_queue_destroy(struct rm_uvm_queue *queue)
{
	queues[queue->token - 0x50000] = NULL;
	rm_uvm_video_free(queue->userd);
	os_free(queue);
}

u32 rm_uvm_queue_error(struct rm_uvm_queue *queue)
{
	return queue->error;
}

/* -- Encryption: these GPUs have none; one that says so can be registered, and do no work --------
 */

enum nv_status rm_uvm_buffer_alloc_video(struct rm_uvm_session *session, u64 size,
					 struct rm_uvm_buffer **out, u64 *address, u64 *video)
{
	void *cpu;

	*video = 0;
	return rm_uvm_buffer_alloc(session, size, out, &cpu, address);
}

bool rm_uvm_is_confidential(const struct rm *rm)
{
	return false;
}

enum nv_status rm_uvm_csl_increment_iv(struct rm_uvm_queue *queue, enum csl_operation operation,
				       u64 increment, struct csl_iv *iv)
{
	return NV_ERR_INVALID_STATE;
}

enum nv_status rm_uvm_csl_encrypt(struct rm_uvm_queue *queue, u32 size, const void *plain,
				  struct csl_iv *iv, void *cipher, u8 tag[CSL_CRYPT_AUTH_TAG_SIZE])
{
	return queue->sec2 ? NV_OK : NV_ERR_INVALID_STATE;
}

enum nv_status rm_uvm_csl_decrypt(struct rm_uvm_queue *queue, u32 size, const void *cipher,
				  const struct csl_iv *iv, void *plain,
				  const u8 tag[CSL_CRYPT_AUTH_TAG_SIZE])
{
	return NV_ERR_INVALID_STATE;
}

enum nv_status rm_uvm_csl_sign(struct rm_uvm_queue *queue, u32 size, const void *input,
			       u8 mac[CSL_SIGN_AUTH_TAG_SIZE])
{
	return queue->sec2 ? NV_OK : NV_ERR_INVALID_STATE;
}

enum nv_status rm_uvm_csl_rotate_iv(struct rm_uvm_queue *queue, enum csl_operation operation)
{
	return NV_ERR_INVALID_STATE;
}

enum nv_status rm_uvm_csl_query_message_pool(struct rm_uvm_queue *queue,
					     enum csl_operation operation, u64 *messages)
{
	return NV_ERR_INVALID_STATE;
}

/* -- The engine -------------------------------------------------------------------------------- */

static u8 *at_va(const struct rm_uvm_queue *queue, u64 va, u64 size)
{
	u32 i = (u32)((va - FIRST_VA) / VA_STEP);

	assert_true(va >= FIRST_VA && i < BUFFERS && buffers[i]);
	assert_ptr_equal(buffers[i]->session, queue->session);
	assert_true(va + size <= buffers[i]->address + buffers[i]->size);
	return buffers[i]->cpu + (va - buffers[i]->address);
}

static void move(struct rm_gpu *gpu, u32 mode, u64 address, void *data, u64 size, bool write)
{
	u64 page;

	if (mode == 0) {
		assert_true(address + size <= FAKE_VIDEO);
		for (page = address / KIB(4); page <= (address + size - 1) / KIB(4); page++)
			assert_true(gpu->used[page / 64] >> page % 64 & 1);
		if (write)
			memcpy(gpu->video + address, data, size);
		else
			memcpy(data, gpu->video + address, size);
		return;
	}
	assert_int_equal(mode, 1);
	assert_true(write ? os_user_dma_write(gpu->pci, address, data, size)
			  : os_user_dma_read(gpu->pci, address, data, size));
}

static u64 address_at(const struct rm_uvm_queue *queue, u32 upper)
{
	return (u64)queue->methods[upper / 4] << 32 | queue->methods[upper / 4 + 1];
}

static void launch(struct rm_uvm_queue *queue, u32 word)
{
	struct rm_gpu *gpu = queue->session->gpu;
	u32 length = queue->methods[0x418 / 4];
	u64 to = address_at(queue, 0x408), from = address_at(queue, 0x400);
	u8 *data;

	assert_int_equal(queue->bound, 0xc8b5);
	if (word & 3) {
		fake.launches++;
		assert_true(gpu->paused || fake.copies_run);
		if (fake.fail_launch && !--fake.fail_launch) {
			queue->error = RC_CE0_ERROR;
			return;
		}
		if (fake.lose_launch && !--fake.lose_launch) {
			gpu->lost = true;
			queue->error = RC_CE0_ERROR;
			return;
		}
		assert_true(word & 1 << 13); /* physical memory */
		if (word & 1 << 10) {
			u32 i;

			assert_int_equal(queue->methods[0x708 / 4], 0x00030004);
			data = malloc((size_t)length * 4);
			for (i = 0; i < length; i++)
				memcpy(data + 4ull * i, &queue->methods[0x700 / 4], 4);
			length *= 4;
		} else {
			assert_true(word & 1 << 12);
			data = malloc(length);
			move(gpu, queue->methods[0x260 / 4] & 3, from, data, length, false);
			if (fake.spoil_copy && !--fake.spoil_copy)
				data[length - 1] ^= 1;
		}
		move(gpu, queue->methods[0x264 / 4] & 3, to, data, length, true);
		free(data);
		fake.copied += length;
	}
	if ((word >> 3 & 3) == 1)
		memcpy(at_va(queue, address_at(queue, 0x240), 4), &queue->methods[0x248 / 4], 4);
}

static void semaphore(struct rm_uvm_queue *queue, u32 word)
{
	u8 *at = at_va(queue, (u64)queue->methods[0x60 / 4] << 32 | queue->methods[0x5c / 4], 4);
	u32 payload = queue->methods[0x64 / 4], now;

	memcpy(&now, at, 4);
	if ((word & 7) == 1) {
		if (!fake.drop_release || --fake.drop_release)
			memcpy(at, &payload, 4);
	} else {
		assert_int_equal(word & 7, 3);
		queue->stalled = (s32)(now - payload) < 0;
	}
}

static void method(struct rm_uvm_queue *queue, u32 subchannel, u32 number, u32 data)
{
	assert_true(subchannel == (number < 0x100 && number ? 0 : 4));
	queue->methods[number / 4] = data;
	if (number == 0)
		queue->bound = data;
	else if (number == 0x6c)
		semaphore(queue, data);
	else if (number == 0x300)
		launch(queue, data);
	else if (number == 0x34)
		fake.mem_ops++;
}

static void segment(struct rm_uvm_queue *queue, const u32 *words, u32 count)
{
	u32 i = queue->at;

	queue->stalled = false;
	while (i < count && !queue->error) {
		u32 begin = i, header = words[i++], n = header >> 16 & 0x1fff, k;

		assert_int_equal(header >> 29, 1);
		assert_true(i + n <= count);
		for (k = 0; k < n && !queue->error; k++)
			method(queue, header >> 13 & 7, (header & 0xfff) * 4 + 4 * k, words[i++]);
		if (queue->stalled) {
			queue->at = begin;
			return;
		}
	}
	queue->at = 0;
}

/* Whether it got any further. */
static bool drain(struct rm_uvm_queue *queue)
{
	u32 put, before = queue->get;

	memcpy(&put, queue->session->gpu->video + queue->put_at + 0x8c, 4);
	assert_true(put < queue->entries);
	while (queue->get != put && !queue->error && !queue->session->gpu->lost) {
		u64 entry, va;

		memcpy(&entry, at_va(queue, queue->gpfifo + 8ull * queue->get, 8), 8);
		va = (entry & 0xfffffffc) | (entry >> 32 & 0xff) << 32;
		segment(queue, (const u32 *)at_va(queue, va, (entry >> 42 & 0x1fffff) * 4),
			(u32)(entry >> 42 & 0x1fffff));
		if (queue->stalled)
			break;
		queue->get = (queue->get + 1) % queue->entries;
	}
	return queue->get != before;
}

void fake_doorbell(struct rm_gpu *gpu, u64 offset, u32 token)
{
	struct rm_uvm_queue *queue = queues[token - 0x50000];
	bool moved;
	u32 i;

	assert_int_equal(offset, 0xb80000 + 0x30090);
	assert_non_null(queue);
	assert_ptr_equal(queue->session->gpu, gpu);
	if (queue->sec2)
		return;
	drain(queue);
	do {
		moved = false;
		for (i = 0; i < QUEUES; i++)
			moved |= queues[i] && queues[i]->stalled && drain(queues[i]);
	} while (moved);
}
