// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Encrypted copies of UVM's own on a software H100 in confidential mode, through the real resource
 * manager: the pool of buffers, bytes both ways and none of them in memory that others see, a host
 * that changes, repeats and swaps what it sees and says that work is done, counters that end, and
 * each allocation failing in turn.
 */
#include "uvm_secret_rig.h"

#include "base/bitmap.h"
#include "uvm/secret.h"

#define THREADS 4u
#define ROUNDS 40u
#define FIRST_BUFFERS 4u

static u8 *plain;

static int start(void **state)
{
	secret_start(state);
	plain = malloc(VIDEO + 1); /* and a byte that nobody is to touch */
	assert_non_null(plain);
	return 0;
}

static int end(void **state)
{
	free(plain);
	return secret_end(state);
}

/* -- Copies ------------------------------------------------------------------------------------ */

static void check_size(u64 offset, u64 size)
{
	u8 *back = plain + VIDEO / 2;

	fill_random(plain, size);
	memset(in_video(0), 0x5a, VIDEO / 2 + 64);
	assert_int_equal(uvm_encrypted_memcopy_to_gpu(device, video_at + offset, plain, size, NULL),
			 NV_OK);
	assert_memory_equal(in_video(offset), plain, size);
	assert_int_equal(*in_video(offset + size), 0x5a);
	assert_true(!offset || *in_video(offset - 1) == 0x5a);
	memset(back, 0xa5, size + 1);
	assert_int_equal(
		uvm_encrypted_memcopy_from_gpu(device, back, video_at + offset, size, NULL), NV_OK);
	assert_memory_equal(back, plain, size);
	assert_int_equal(back[size], 0xa5);
	assert_false(host_shares(plain, min(size, (u64)16)) && size >= 16);
}

static void test_memcopy(void **state)
{
	static const u64 sizes[] = { 4,	       16,	     28,	 32,
				     36,       KIB(4),	     KIB(4) + 4, KIB(64) - 4,
				     KIB(64),  KIB(64) + 4,  KIB(68),	 KIB(512),
				     KIB(516), MIB(1) + 100, MIB(2) - 4, MIB(2) };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_size(0, sizes[i]);
		check_size(32, sizes[i] == MIB(2) ? MIB(2) - 64 : sizes[i]);
	}
	/* within a segment */
	check_size(4, 28);
	check_size(20, 12);
	for (i = 0; i < 20; i++)
		check_size(unit_random(&seed) % 1000 * 32, 4 + unit_random(&seed) % MIB(1) / 4 * 4);
}

static void test_memcopy_refused(void **state)
{
	static const struct {
		u64 offset, size;
	} bad[] = { { 0, 0 }, { 0, MIB(2) + 4 }, { 0, 6 }, { 0, 1 }, { 4, 32 }, { 16, KIB(4) } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 at = video_at + bad[i].offset;

		assert_int_equal(uvm_encrypted_memcopy_to_gpu(device, at, plain, bad[i].size, NULL),
				 NV_ERR_INVALID_ARGUMENT);
		assert_int_equal(
			uvm_encrypted_memcopy_from_gpu(device, plain, at, bad[i].size, NULL),
			NV_ERR_INVALID_ARGUMENT);
	}
	/* and no IV was used: the ends count alike */
	check_size(0, KIB(4));
}

/* Pieces from anywhere, of any size, more than the ring holds. */
static void check_pieces(bool up)
{
	struct uvm_secrets s;
	u64 i, from = 0, to = 0;
	u8 *cpu = plain;

	fill_random(plain, MIB(2));
	fill_random(in_video(0), MIB(2));
	assert_int_equal(uvm_secrets_begin(&s, device, up, NULL, NULL), NV_OK);
	for (i = 0; i < 200; i++) {
		u64 size = KIB(4) * (1 + i % 3), v = to, c = from;

		from = (from + KIB(8) * (1 + i % 2)) % MIB(2);
		to = (to + KIB(12)) % MIB(2);
		if (v + size > MIB(2) || c + size > MIB(2))
			continue;
		assert_int_equal(uvm_secrets_add(&s, cpu + c, video_at + v, size), NV_OK);
	}
	assert_int_equal(uvm_secrets_end(&s, UVM_MEMBAR_SYS), NV_OK);
}

static void test_pieces(void **state)
{
	u8 *want = malloc(MIB(2));
	struct uvm_secrets s;
	u32 i;

	check_pieces(true);
	check_pieces(false);
	/* each to where no other goes: pages in falling order */
	fill_random(plain, MIB(2));
	assert_int_equal(uvm_secrets_begin(&s, device, true, NULL, NULL), NV_OK);
	for (i = 0; i < 512; i++)
		assert_int_equal(uvm_secrets_add(&s, plain + i * KIB(4),
						 video_at + (511 - i) * KIB(4), KIB(4)),
				 NV_OK);
	assert_int_equal(uvm_secrets_end(&s, UVM_MEMBAR_SYS), NV_OK);
	for (i = 0; i < 512; i++)
		assert_memory_equal(in_video((511 - i) * KIB(4)), plain + i * KIB(4), KIB(4));
	memcpy(want, plain, MIB(2));
	memset(plain, 0, MIB(2));
	assert_int_equal(uvm_secrets_begin(&s, device, false, NULL, NULL), NV_OK);
	for (i = 512; i-- > 0;)
		assert_int_equal(uvm_secrets_add(&s, plain + i * KIB(4),
						 video_at + (511 - i) * KIB(4), KIB(4)),
				 NV_OK);
	assert_int_equal(uvm_secrets_end(&s, UVM_MEMBAR_SYS), NV_OK);
	assert_memory_equal(plain, want, MIB(2));
	free(want);
}

static void thread(void *arg)
{
	u64 offset = (u64)(uintptr_t)arg * MIB(1), mine = 99 + offset;
	u8 *bytes = malloc(MIB(1)), *back = malloc(MIB(1));
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u32 size = 4 + (u32)(unit_random(&mine) % (MIB(1) / 4)) * 4;

		size = min(size, (u32)MIB(1));
		unit_fill(&mine, bytes, size);
		assert_int_equal(
			uvm_encrypted_memcopy_to_gpu(device, video_at + offset, bytes, size, NULL),
			NV_OK);
		assert_int_equal(
			uvm_encrypted_memcopy_from_gpu(device, back, video_at + offset, size, NULL),
			NV_OK);
		assert_memory_equal(bytes, back, size);
	}
	free(bytes);
	free(back);
}

static void test_threads(void **state)
{
	struct os_thread *threads[THREADS];
	u64 i;

	for (i = 0; i < THREADS; i++) {
		threads[i] = os_thread_create("copier", thread, (void *)(uintptr_t)i);
		assert_non_null(threads[i]);
	}
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
	/* each has one at a time */
	assert_true(device->dma.count == FIRST_BUFFERS);
}

/* Other queues' work goes before it, and copies that are not encrypted stay within video memory. */
static void test_after(void **state)
{
	struct uvm_place to = { RM_UVM_VIDEO, video_at + MIB(1) },
			 from = { RM_UVM_VIDEO, video_at };
	struct uvm_tracker after = { 0 };
	struct uvm_tracker_entry entry;
	struct uvm_push push;
	u32 i;

	for (i = 0; i < 40; i++) {
		fill_random(plain, KIB(8));
		assert_int_equal(
			uvm_encrypted_memcopy_to_gpu(device, video_at, plain, KIB(8), NULL), NV_OK);
		assert_int_equal(uvm_push_begin(device, UVM_QUEUE_INTERNAL, NULL, &push), NV_OK);
		push.ce->copy(push.ce, &push.methods, &to, &from, KIB(8), UVM_ORDER_AFTER);
		uvm_push_end(&push, UVM_MEMBAR_GPU, &entry);
		assert_int_equal(uvm_tracker_add(&after, &entry), NV_OK);
		assert_int_equal(uvm_encrypted_memcopy_from_gpu(device, plain + KIB(8),
								video_at + MIB(1), KIB(8), &after),
				 NV_OK);
		assert_memory_equal(plain, plain + KIB(8), KIB(8));
		assert_int_equal(uvm_push_begin(device, UVM_QUEUE_MEMOPS, NULL, &push), NV_OK);
		push.host->tlb_invalidate(push.host, &push.methods, RM_UVM_VIDEO, video_at,
					  UVM_MEMBAR_SYS);
		assert_int_equal(uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS), NV_OK);
	}
	uvm_tracker_fini(&after);
}

/* -- The pool ---------------------------------------------------------------------------------- */

static void test_pool(void **state)
{
	struct uvm_dma_buffer *taken[3 * FIRST_BUFFERS];
	struct uvm_dma_pool *pool = &device->dma;
	u32 i, k;

	assert_int_equal(uvm_device_start(device), NV_OK);
	assert_int_equal(pool->count, FIRST_BUFFERS);
	for (i = 0; i < 3 * FIRST_BUFFERS; i++) {
		assert_int_equal(uvm_dma_alloc(pool, NULL, &taken[i]), NV_OK);
		/* doubled when there is none */
		assert_int_equal(pool->count, i < FIRST_BUFFERS	      ? FIRST_BUFFERS
					      : i < 2 * FIRST_BUFFERS ? 2 * FIRST_BUFFERS
								      : 4 * FIRST_BUFFERS);
		for (k = 0; k < i; k++)
			assert_ptr_not_equal(taken[i], taken[k]);
		memset(taken[i]->text, (int)i, UVM_DMA_BYTES);
		memset(taken[i]->tags, (int)i, UVM_DMA_PAGES * CSL_CRYPT_AUTH_TAG_SIZE);
		memset(taken[i]->encrypted, 0xff, sizeof(taken[i]->encrypted));
	}
	for (i = 0; i < 3 * FIRST_BUFFERS; i++) {
		assert_int_equal(taken[i]->text[UVM_DMA_BYTES - 1], i);
		uvm_dma_free(pool, taken[i], NULL);
	}
	uvm_dma_free(pool, NULL, NULL);
	for (i = 0; i < pool->count; i++) {
		assert_int_equal(uvm_dma_alloc(pool, NULL, &taken[0]), NV_OK);
		for (k = 0; k < UVM_DMA_PAGES / 64; k++)
			assert_true(taken[0]->encrypted[k] == 0);
		uvm_dma_free(pool, taken[0], NULL);
	}
	uvm_dma_pool_sync(pool);
	assert_int_equal(pool->count, 4 * FIRST_BUFFERS);
}

/* A push that waits until the word is 1. */
static struct uvm_tracker_entry push_that_waits(u64 word_at)
{
	struct uvm_tracker_entry entry;
	struct uvm_push push;

	assert_int_equal(uvm_push_begin(device, UVM_QUEUE_INTERNAL, NULL, &push), NV_OK);
	push.host->semaphore_acquire(push.host, &push.methods, word_at, 1);
	uvm_push_end(&push, UVM_MEMBAR_SYS, &entry);
	return entry;
}

static u32 waited;

static void sync_pool(void *arg)
{
	uvm_dma_pool_sync(&device->dma);
	os_store_release(&waited, 1u);
}

/* What works on a free buffer is handed to who takes it, or waited for. */
static void test_pool_trackers(void **state)
{
	struct uvm_tracker mine = { 0 }, after = { 0 };
	struct uvm_dma_pool *pool = &device->dma;
	struct uvm_dma_buffer *buffer, *other;
	struct uvm_tracker_entry entry;
	struct rm_uvm_buffer *memory;
	struct os_thread *t;
	void *word;
	u64 at;
	u32 i;

	assert_int_equal(uvm_device_start(device), NV_OK);
	assert_int_equal(rm_uvm_buffer_alloc(device->session, KIB(4), &memory, &word, &at), NV_OK);
	entry = push_that_waits(at);
	assert_int_equal(uvm_tracker_add(&mine, &entry), NV_OK);
	assert_int_equal(uvm_dma_alloc(pool, NULL, &buffer), NV_OK);
	uvm_dma_free(pool, buffer, &mine);
	/* the others come first */
	for (i = 0; i < FIRST_BUFFERS - 1; i++) {
		assert_int_equal(uvm_dma_alloc(pool, &after, &other), NV_OK);
		assert_int_equal(after.count, 0);
		assert_ptr_not_equal(other, buffer);
		uvm_dma_free(pool, other, NULL);
	}
	assert_int_equal(uvm_dma_alloc(pool, &after, &other), NV_OK);
	assert_ptr_equal(other, buffer);
	assert_int_equal(after.count, 1);
	assert_false(uvm_tracker_is_done(&after));
	uvm_dma_free(pool, buffer, &after);
	waited = 0;
	t = os_thread_create("sync", sync_pool, NULL);
	assert_non_null(t);
	os_sleep_us(30000);
	assert_int_equal(os_load_acquire(&waited), 0);
	os_store_release((u32 *)word, 1u);
	os_thread_join(t);
	assert_int_equal(waited, 1);
	assert_true(uvm_tracker_is_done(&mine) && uvm_tracker_is_done(&after));
	uvm_tracker_fini(&mine);
	uvm_tracker_fini(&after);
	rm_uvm_buffer_free(memory);
}

/* As many more as there is memory for; none is an error, and all there were are still there. */
static void test_pool_no_memory(void **state)
{
	struct uvm_dma_buffer *taken[FIRST_BUFFERS + 1];
	u32 i, none = 0, some = 0, last = 0;
	u64 nth;

	if (!os_user_fail_alloc_thread(0))
		skip();
	assert_int_equal(uvm_device_start(device), NV_OK);
	for (nth = 1; last < 2 * FIRST_BUFFERS; nth++) {
		/* one more, which nobody had to enlarge before */
		struct uvm_dma_pool pool = { 0 };
		enum nv_status status;

		assert_int_equal(uvm_dma_pool_init(&pool, device), NV_OK);
		for (i = 0; i < FIRST_BUFFERS; i++)
			assert_int_equal(uvm_dma_alloc(&pool, NULL, &taken[i]), NV_OK);
		os_user_fail_alloc_thread(nth);
		status = uvm_dma_alloc(&pool, NULL, &taken[i]);
		os_user_fail_alloc_thread(0);
		if (status != NV_OK) {
			assert_int_equal(status, NV_ERR_NO_MEMORY);
			assert_int_equal(pool.count, FIRST_BUFFERS);
			none++;
			/* the next one has it */
			assert_int_equal(uvm_dma_alloc(&pool, NULL, &taken[i]), NV_OK);
		} else {
			assert_true(pool.count > FIRST_BUFFERS && pool.count >= last);
			some += pool.count < 2 * FIRST_BUFFERS;
			last = pool.count;
		}
		for (i = 0; i <= FIRST_BUFFERS; i++)
			uvm_dma_free(&pool, taken[i], NULL);
		uvm_dma_pool_fini(&pool);
	}
	assert_true(none >= 3 && some >= 9);
}

/* -- A hostile host ---------------------------------------------------------------------------- */

/* What the GPU gets is not what was encrypted for it: nothing of it arrives. */
static void spoil_to_gpu(void (*spoil)(struct uvm_dma_buffer *buffer))
{
	struct uvm_secrets s;

	memset(in_video(0), 0x77, KIB(12));
	fill_random(plain, KIB(12));
	assert_int_equal(uvm_secrets_begin(&s, device, true, NULL, NULL), NV_OK);
	/* not rung for yet */
	assert_int_equal(uvm_secrets_add(&s, plain, video_at, KIB(4)), NV_OK);
	assert_int_equal(uvm_secrets_add(&s, plain + KIB(4), video_at + KIB(4), KIB(4)), NV_OK);
	spoil(s.buffer);
	assert_int_equal(uvm_secrets_end(&s, UVM_MEMBAR_SYS), NV_ERR_RC_ERROR);
	assert_int_equal(in_video(KIB(4))[0], 0x77);
	assert_memory_equal(in_video(KIB(4)), in_video(KIB(8)), KIB(4));
	assert_int_equal(uvm_device_status(device), NV_ERR_RC_ERROR);
	assert_int_equal(uvm_encrypted_memcopy_to_gpu(device, video_at, plain, KIB(4), NULL),
			 NV_ERR_RC_ERROR);
}

static void flip_text(struct uvm_dma_buffer *buffer)
{
	buffer->text[KIB(4) + 100] ^= 1;
}

static void flip_tag(struct uvm_dma_buffer *buffer)
{
	buffer->tags[CSL_CRYPT_AUTH_TAG_SIZE + 15] ^= 0x80;
}

static void repeat(struct uvm_dma_buffer *buffer)
{
	memcpy(buffer->text + KIB(4), buffer->text, KIB(4));
	memcpy(buffer->tags + CSL_CRYPT_AUTH_TAG_SIZE, buffer->tags, CSL_CRYPT_AUTH_TAG_SIZE);
}

static void test_spoilt_text(void **state)
{
	spoil_to_gpu(flip_text);
}

static void test_spoilt_tag(void **state)
{
	spoil_to_gpu(flip_tag);
}

static void test_repeated(void **state)
{
	spoil_to_gpu(repeat);
}

/* And back: the first 64 KiB have arrived when somebody looks at them. */
static void spoil_from_gpu(void (*spoil)(struct uvm_dma_buffer *buffer))
{
	struct uvm_secrets s;
	u64 i;

	fill_random(in_video(0), KIB(128));
	memset(plain, 0x66, KIB(128));
	assert_int_equal(uvm_secrets_begin(&s, device, false, NULL, NULL), NV_OK);
	for (i = 0; i < KIB(128); i += KIB(4))
		assert_int_equal(uvm_secrets_add(&s, plain + i, video_at + i, KIB(4)), NV_OK);
	assert_int_equal(uvm_entry_wait(&s.ends[0]), NV_OK);
	spoil(s.buffer);
	assert_int_equal(uvm_secrets_end(&s, UVM_MEMBAR_SYS), NV_ERR_INVALID_DATA);
	for (i = 0; i < KIB(4); i++)
		assert_int_equal(plain[KIB(4) + i], 0);
	assert_int_equal(uvm_device_status(device), NV_ERR_INVALID_DATA);
	memset(plain, 0x66, KIB(8));
	assert_int_equal(uvm_encrypted_memcopy_from_gpu(device, plain, video_at, KIB(8), NULL),
			 NV_ERR_INVALID_DATA);
	for (i = 0; i < KIB(8); i++)
		assert_int_equal(plain[i], 0);
}

static void test_spoilt_text_back(void **state)
{
	spoil_from_gpu(flip_text);
}

static void test_spoilt_tag_back(void **state)
{
	spoil_from_gpu(flip_tag);
}

static void test_repeated_back(void **state)
{
	spoil_from_gpu(repeat);
}

/* The semaphore says that work is done which is not. */
static void test_forged_semaphore(void **state)
{
	struct uvm_queue *queue = &device->queues[UVM_QUEUE_INTERNAL];
	struct uvm_tracker_entry entry;

	assert_int_equal(uvm_device_start(device), NV_OK);
	/* until the semaphore of another queue, which has nothing to do */
	entry = push_that_waits(uvm_queue_semaphore(&device->queues[UVM_QUEUE_MEMOPS]));
	assert_false(uvm_entry_is_done(&entry));
	os_store_release(queue->semaphore, (u32)entry.value);
	assert_false(uvm_entry_is_done(&entry));
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_INVALID_DATA);
	assert_int_equal(uvm_device_status(device), NV_ERR_INVALID_DATA);
	/* for good, also with what an earlier push left there */
	os_store_release(queue->semaphore, 0u);
	assert_false(uvm_entry_is_done(&entry));
}

/* Or more than anybody asked for; or that less is done than was before. */
static void test_semaphore_elsewhere(void **state)
{
	struct uvm_queue *queue = &device->queues[UVM_QUEUE_TO_GPU];
	struct uvm_tracker_entry entry = { queue, 1 };

	check_size(0, KIB(256));
	entry.value = queue->pushed;
	os_store_release(queue->semaphore, 0xfffffff0u);
	assert_true(uvm_entry_is_done(&entry));
	check_size(0, KIB(256));
	os_store_release(queue->semaphore, (u32)queue->pushed + 1);
	entry.value = queue->pushed + 1;
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_INVALID_DATA);
}

/* What an earlier push of the slot said, with a semaphore that fits. */
static void test_repeated_seal(void **state)
{
	struct uvm_queue *queue = &device->queues[UVM_QUEUE_INTERNAL];
	u8 seals[KIB(2)];
	struct uvm_tracker_entry entry;
	struct uvm_push push;
	u32 i;

	for (i = 0; i < UVM_QUEUE_SLOTS; i++) {
		assert_int_equal(uvm_push_begin(device, UVM_QUEUE_INTERNAL, NULL, &push), NV_OK);
		assert_int_equal(uvm_push_end_and_wait(&push, UVM_MEMBAR_NONE), NV_OK);
	}
	memcpy(seals, queue->cpu + UVM_SEALS_AT, sizeof(seals));
	entry = push_that_waits(uvm_queue_semaphore(&device->queues[UVM_QUEUE_MEMOPS]));
	memcpy(queue->cpu + UVM_SEALS_AT, seals, sizeof(seals));
	os_store_release(queue->semaphore, (u32)entry.value);
	assert_int_equal(uvm_entry_wait(&entry), NV_ERR_INVALID_DATA);
}

struct adversary {
	u8 *places[2 * FIRST_BUFFERS + 3];
	u64 sizes[2 * FIRST_BUFFERS + 3];
	u32 count, stop, rounds;
	u64 seed;
};

__attribute__((no_sanitize("thread"))) static void spoil_somewhere(struct adversary *a)
{
	u64 r = unit_random(&a->seed);
	u32 place = (u32)(r % a->count);

	a->places[place][(r >> 8) % a->sizes[place]] ^= (u8)(1 << (r >> 60 & 7));
}

static void adversary_run(void *arg)
{
	struct adversary *a = arg;

	while (!os_load_acquire(&a->stop)) {
		u32 i;

		for (i = 0; i < 1u << a->rounds % 12; i++)
			spoil_somewhere(a);
		a->rounds++;
		os_sleep_us(50);
	}
}

static void adversary_knows(struct adversary *a, u8 *at, u64 size)
{
	a->places[a->count] = at;
	a->sizes[a->count++] = size;
}

/*
 * Somebody changes text, tags, seals and semaphores all the time: either both copies are right, or
 * one of them says that it is not.
 */
static void test_adversary(void **state)
{
	u32 round, refused = 0, i;

	for (round = 0; round < 20; round++) {
		struct adversary a = { .seed = round + 1, .rounds = round };
		struct uvm_dma_buffer *buffer;
		enum nv_status status = NV_OK;
		struct os_thread *t;

		secret_renew();
		assert_int_equal(uvm_device_start(device), NV_OK);
		list_for_each_entry (buffer, &device->dma.free, node) {
			adversary_knows(&a, buffer->text, KIB(512));
			adversary_knows(&a, buffer->tags,
					KIB(512) / KIB(4) * CSL_CRYPT_AUTH_TAG_SIZE);
		}
		adversary_knows(&a, device->semaphores_cpu, KIB(1));
		adversary_knows(&a, device->queues[UVM_QUEUE_TO_GPU].cpu + UVM_SEALS_AT, KIB(1));
		adversary_knows(&a, device->queues[UVM_QUEUE_FROM_GPU].cpu + UVM_SEALS_AT, KIB(1));
		t = os_thread_create("adversary", adversary_run, &a);
		assert_non_null(t);
		for (i = 0; i < 50 && status == NV_OK; i++) {
			fill_random(plain, KIB(256));
			status = uvm_encrypted_memcopy_to_gpu(device, video_at, plain, KIB(256),
							      NULL);
			if (status == NV_OK)
				assert_memory_equal(in_video(0), plain, KIB(256));
			if (status == NV_OK)
				status = uvm_encrypted_memcopy_from_gpu(device, plain + MIB(1),
									video_at, KIB(256), NULL);
			if (status == NV_OK)
				assert_memory_equal(plain + MIB(1), plain, KIB(256));
		}
		os_store_release(&a.stop, 1u);
		os_thread_join(t);
		if (status == NV_OK)
			continue;
		assert_true(status == NV_ERR_INVALID_DATA || status == NV_ERR_RC_ERROR ||
			    status == NV_ERR_TIMEOUT);
		refused++;
	}
	assert_true(refused > 0);
}

/* -- Counters ---------------------------------------------------------------------------------- */

/* They are begun anew, at both ends, before they end. */
static void test_rotation(void **state)
{
	static const enum uvm_queue_kind kinds[] = { UVM_QUEUE_TO_GPU, UVM_QUEUE_FROM_GPU };
	static const enum csl_operation operations[] = { CSL_OPERATION_ENCRYPT,
							 CSL_OPERATION_DECRYPT };
	u32 i, k;

	check_size(0, KIB(256));
	for (i = 0; i < 2; i++) {
		for (k = 0; k < 2; k++) {
			struct rm_uvm_queue *queue = device->queues[kinds[i]].rm;
			u64 left;

			assert_int_equal(rm_uvm_csl_query_message_pool(queue, operations[k], &left),
					 NV_OK);
			assert_int_equal(
				rm_uvm_csl_increment_iv(queue, operations[k], left - 3, NULL),
				NV_OK);
			check_size(0, KIB(256));
			assert_int_equal(rm_uvm_csl_query_message_pool(queue, operations[k], &left),
					 NV_OK);
			assert_true(left > 0xffffff00u);
		}
	}
}

/* -- Memory ------------------------------------------------------------------------------------ */

/* The device's channels and buffers with each allocation failing in turn. */
static u64 fail_in_turn(u64 held)
{
	u64 nth, failed;

	for (nth = 1;; nth++) {
		enum nv_status status;

		failed = unit_failed();
		os_user_fail_alloc_thread(nth);
		status = uvm_device_start(device);
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed || status == NV_OK) {
			assert_int_equal(status, NV_OK);
			return nth;
		}
		assert_true(!held || unit_live_becomes(held));
	}
}

static void test_no_memory(void **state)
{
	u64 nth = 1, failed;

	if (!os_user_fail_alloc_thread(0))
		skip();
	/* What the resource manager and the firmware keep from the first time on. */
	fail_in_turn(0);
	secret_renew();
	assert_true(fail_in_turn(unit_live_settled()) > 100);
	check_size(0, KIB(256));
	/* Copies take none, once there are buffers. */
	failed = unit_failed();
	os_user_fail_alloc_thread(nth);
	check_size(0, KIB(256));
	os_user_fail_alloc_thread(0);
	assert_true(unit_failed() == failed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_memcopy),
		TEST(test_memcopy_refused),
		TEST(test_pieces),
		TEST(test_threads),
		TEST(test_after),
		TEST(test_pool),
		TEST(test_pool_trackers),
		TEST(test_pool_no_memory),
		TEST(test_spoilt_text),
		TEST(test_spoilt_tag),
		TEST(test_repeated),
		TEST(test_spoilt_text_back),
		TEST(test_spoilt_tag_back),
		TEST(test_repeated_back),
		TEST(test_forged_semaphore),
		TEST(test_semaphore_elsewhere),
		TEST(test_repeated_seal),
		TEST(test_adversary),
		TEST(test_rotation),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
