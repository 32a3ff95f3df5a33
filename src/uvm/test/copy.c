// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What copy engines and host engines do for UVM, looked at byte by byte. */
#include "uvm/test/test.h"

#define BAR_VIDEO 2u
#define SYSTEM_BYTES KIB(64)
#define VIDEO_BYTES KIB(64)
#define GUARD 0x5a

/* -- Copies -------------------------------------------------------------------------------------
 */

static enum uvm_queue_kind queue_for(struct uvm_test_bytes to, struct uvm_test_bytes from)
{
	if (to.pages)
		return UVM_QUEUE_FROM_GPU;
	return from.pages ? UVM_QUEUE_TO_GPU : UVM_QUEUE_INTERNAL;
}

static struct uvm_place place_of(struct uvm_test_bytes bytes, u64 offset)
{
	u64 at = bytes.offset + offset;

	if (bytes.pages)
		return (struct uvm_place){ RM_UVM_SYSTEM_COHERENT, os_pages_dma(bytes.pages, at) };
	return (struct uvm_place){ RM_UVM_VIDEO, at };
}

/* Bytes from offset on that are in one piece. */
static u64 piece_of(struct uvm_test_bytes bytes, u64 offset, u64 size)
{
	u64 in_page = OS_PAGE_SIZE - (bytes.offset + offset) % OS_PAGE_SIZE;

	return bytes.pages && in_page < size ? in_page : size;
}

enum nv_status uvm_test_copy(struct uvm_gpu *gpu, struct uvm_test_bytes to,
			     struct uvm_test_bytes from, u64 size, enum uvm_order order)
{
	enum uvm_queue_kind kind = queue_for(to, from);
	struct uvm_push push;
	u64 done = 0;

	while (done < size) {
		TEST_OK(uvm_push_begin(gpu->device, kind, NULL, &push));
		while (done < size && uvm_push_has_room(&push, UVM_METHODS_MAX)) {
			u64 now = piece_of(to, done, piece_of(from, done, size - done));
			struct uvm_place a = place_of(to, done), b = place_of(from, done);

			push.ce->copy(push.ce, &push.methods, &a, &b, (u32)now, order);
			done += now;
		}
		TEST_OK(uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS));
	}
	return NV_OK;
}

static enum nv_status fill(struct uvm_gpu *gpu, struct uvm_place to, u32 value, u32 words)
{
	struct uvm_push push;

	TEST_OK(uvm_push_begin(gpu->device, UVM_QUEUE_INTERNAL, NULL, &push));
	push.ce->fill(push.ce, &push.methods, &to, value, words, UVM_ORDER_AFTER);
	return uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS);
}

/* -- Copy engines ---------------------------------------------------------------------------------
 */

struct copy_test {
	struct uvm_gpu *gpu;
	struct os_pages a, b;
	struct rm_uvm_video *video;
	u64 at; /* of it */
};

static u8 *byte_of(const struct os_pages *pages, u64 offset)
{
	return (u8 *)pages->cpu + offset;
}

/* size bytes with other offsets in their pages at every step: a, video, video, b. */
static enum nv_status check_way(struct copy_test *t, u64 offset, u64 size, enum uvm_order order)
{
	struct uvm_test_bytes a = { &t->a, offset }, b = { &t->b, OS_PAGE_SIZE - 1 };
	struct uvm_test_bytes first = { NULL, t->at + 3 };
	struct uvm_test_bytes second = { NULL, t->at + VIDEO_BYTES / 2 + 5 };
	u64 i;

	for (i = 0; i < SYSTEM_BYTES; i++)
		*byte_of(&t->a, i) = (u8)(i * 7 + i / 256 + size);
	os_memset(t->b.cpu, GUARD, SYSTEM_BYTES);
	TEST_OK(uvm_test_copy(t->gpu, first, a, size, order));
	TEST_OK(uvm_test_copy(t->gpu, second, first, size, order));
	TEST_OK(uvm_test_copy(t->gpu, b, second, size, order));
	for (i = 0; i < SYSTEM_BYTES; i++) {
		bool inside = i >= b.offset && i - b.offset < size;

		TEST_CHECK(*byte_of(&t->b, i) ==
			   (inside ? *byte_of(&t->a, i - b.offset + offset) : GUARD));
	}
	/* Within system memory too. */
	os_memset(t->b.cpu, GUARD, SYSTEM_BYTES);
	TEST_OK(uvm_test_copy(t->gpu, b, a, size, order));
	TEST_CHECK(!os_memcmp(byte_of(&t->b, b.offset), byte_of(&t->a, offset), size));
	TEST_CHECK(*byte_of(&t->b, b.offset - 1) == GUARD &&
		   *byte_of(&t->b, b.offset + size) == GUARD);
	return NV_OK;
}

static enum nv_status check_fill(struct copy_test *t)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(t->gpu->rm);
	struct uvm_place system = { RM_UVM_SYSTEM_COHERENT, os_pages_dma(&t->a, 16) };
	struct uvm_place video = { RM_UVM_VIDEO, t->at + 8 };
	u32 i;

	os_memset(t->a.cpu, GUARD, OS_PAGE_SIZE);
	TEST_OK(fill(t->gpu, system, 0x01020304, 64));
	for (i = 0; i < OS_PAGE_SIZE; i++) {
		bool inside = i >= 16 && i < 16 + 64 * sizeof(u32);

		TEST_CHECK(*byte_of(&t->a, i) == (inside ? 4 - i % 4 : GUARD));
	}
	TEST_OK(fill(t->gpu, video, 0, VIDEO_BYTES / sizeof(u32) - 2));
	TEST_OK(fill(t->gpu, video, 0xcafef00d, 2));
	TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, t->at + 8) == 0xcafef00dcafef00dull);
	TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, t->at + 16) == 0);
	TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, t->at + VIDEO_BYTES - 8) == 0);
	return NV_OK;
}

static enum nv_status check_copies(struct copy_test *t)
{
	static const u64 sizes[] = {
		1, 2, 255, OS_PAGE_SIZE, OS_PAGE_SIZE + 1, 5 * OS_PAGE_SIZE - 3
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		TEST_OK(check_way(t, 0, sizes[i], UVM_ORDER_AFTER));
		TEST_OK(check_way(t, 4093, sizes[i], UVM_ORDER_PIPELINED));
	}
	return check_fill(t);
}

/* The GPU's time goes on over a copy. */
static enum nv_status check_time(struct copy_test *t)
{
	u64 before, after;

	TEST_OK(uvm_gpu_time(t->gpu, &before));
	TEST_OK(check_way(t, 0, 8, UVM_ORDER_AFTER));
	TEST_OK(uvm_gpu_time(t->gpu, &after));
	TEST_CHECK(before && after > before);
	return NV_OK;
}

static enum nv_status ce_sanity(struct uvm_gpu *gpu, void *ctx)
{
	struct copy_test t = { .gpu = gpu };
	struct os_pci_dev *pci = rm_uvm_gpu_pci(gpu->rm);
	enum nv_status status;

	status = rm_uvm_video_alloc(gpu->rm, VIDEO_BYTES, KIB(64), &t.video, &t.at);
	if (status != NV_OK)
		return status;
	status = os_pages_alloc(pci, SYSTEM_BYTES, OS_PAGES_SHARED, &t.a);
	if (status != NV_OK)
		goto free_video;
	status = os_pages_alloc(pci, SYSTEM_BYTES, OS_PAGES_SHARED, &t.b);
	if (status != NV_OK)
		goto free_a;
	status = check_copies(&t);
	if (status == NV_OK && !*(const bool *)ctx)
		status = check_time(&t);
	os_pages_free(&t.b);
free_a:
	os_pages_free(&t.a);
free_video:
	rm_uvm_video_free(t.video);
	return status;
}

enum nv_status uvm_test_ce_sanity(struct uvm_file *file, void *params)
{
	UVM_TEST_CE_SANITY_PARAMS *p = params;
	bool skip_time = p->skipTimestampTest;

	return uvm_test_each_gpu(file, ce_sanity, &skip_time);
}

/* -- Host engines ---------------------------------------------------------------------------------
 */

/* Releases and acquires within one push and across two; every kind of membar in between. */
static enum nv_status check_semaphores(struct uvm_gpu *gpu, struct uvm_test_words *words)
{
	static const enum uvm_membar membars[] = { UVM_MEMBAR_NONE, UVM_MEMBAR_GPU,
						   UVM_MEMBAR_SYS };
	struct uvm_push push;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(membars); i++) {
		TEST_OK(uvm_push_begin(gpu->device, UVM_QUEUE_MEMOPS, NULL, &push));
		push.host->semaphore_release(push.host, &push.methods, words->address, i + 1);
		push.host->membar(push.host, &push.methods, membars[i]);
		push.host->semaphore_acquire(push.host, &push.methods, words->address, i + 1);
		push.host->semaphore_release(push.host, &push.methods, words->address + 64,
					     100 + i);
		TEST_OK(uvm_push_end_and_wait(&push, membars[i]));
		TEST_CHECK(uvm_test_word(words, 0) == i + 1);
		TEST_CHECK(uvm_test_word(words, 16) == 100 + i);
	}
	/* A word that has passed the value is as good, round the end of 32 bits too. */
	words->cpu[0] = 5;
	TEST_OK(uvm_push_begin(gpu->device, UVM_QUEUE_MEMOPS, NULL, &push));
	push.host->semaphore_acquire(push.host, &push.methods, words->address, 4);
	push.host->semaphore_acquire(push.host, &push.methods, words->address, ~0u);
	push.host->semaphore_release(push.host, &push.methods, words->address + 64, 200);
	TEST_OK(uvm_push_end_and_wait(&push, UVM_MEMBAR_NONE));
	TEST_CHECK(uvm_test_word(words, 16) == 200);
	return NV_OK;
}

/*
 * An engine waits for what it is told only later: not done before, done after. The CPU tells it: a
 * push to another queue might be behind one that waits for what is behind this one. Such a push
 * follows all the same: engines look at what they wait for when there is other work, at the latest.
 */
static enum nv_status check_wait(struct uvm_gpu *gpu, struct uvm_test_words *words)
{
	struct uvm_tracker_entry entry, other;
	struct uvm_push push;
	bool early;

	os_store_release(&words->cpu[32], 0u);
	TEST_OK(uvm_push_begin(gpu->device, UVM_QUEUE_MEMOPS, NULL, &push));
	push.host->semaphore_acquire(push.host, &push.methods, words->address + 128, 1);
	push.host->semaphore_release(push.host, &push.methods, words->address + 64, 300);
	uvm_push_end(&push, UVM_MEMBAR_NONE, &entry);
	os_sleep_us(1000);
	early = uvm_entry_is_done(&entry) || uvm_test_word(words, 16) == 300;
	os_store_release(&words->cpu[32], 1u);
	TEST_OK(uvm_test_write_word(gpu, UVM_QUEUE_TO_GPU, NULL, words, 48, 1, &other));
	TEST_OK(uvm_entry_wait(&entry));
	TEST_OK(uvm_entry_wait(&other));
	TEST_CHECK(!early && uvm_test_word(words, 16) == 300);
	return NV_OK;
}

static enum nv_status check_invalidations(struct uvm_gpu *gpu)
{
	static const enum uvm_membar membars[] = { UVM_MEMBAR_NONE, UVM_MEMBAR_GPU,
						   UVM_MEMBAR_SYS };
	struct uvm_page_tree tree = { 0 };
	struct uvm_push push;
	enum nv_status status;
	u32 i, entries;

	/* Of tables that nothing walks. */
	TEST_OK(uvm_page_tree_init(&tree, &gpu->room, &gpu->hal));
	status = NV_OK;
	for (i = 0; i < ARRAY_SIZE(membars) && status == NV_OK; i++) {
		status = uvm_push_begin(gpu->device, UVM_QUEUE_MEMOPS, NULL, &push);
		if (status != NV_OK)
			break;
		push.host->tlb_invalidate(push.host, &push.methods, RM_UVM_VIDEO,
					  uvm_page_tree_root(&tree, &entries), membars[i]);
		status = uvm_push_end_and_wait(&push, UVM_MEMBAR_NONE);
	}
	uvm_page_tree_fini(&tree);
	return status;
}

static enum nv_status host_sanity(struct uvm_gpu *gpu, void *ctx)
{
	struct uvm_test_words words;
	enum nv_status status;

	TEST_OK(uvm_test_words_alloc(gpu, OS_PAGE_SIZE, &words));
	status = check_semaphores(gpu, &words);
	if (status == NV_OK)
		status = check_wait(gpu, &words);
	if (status == NV_OK)
		status = check_invalidations(gpu);
	uvm_test_words_free(&words);
	return status;
}

enum nv_status uvm_test_host_sanity(struct uvm_file *file, void *params)
{
	return uvm_test_each_gpu(file, host_sanity, NULL);
}
