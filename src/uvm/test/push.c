// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Semaphores, trackers, pushes and channels of UVM's own (uvm/push.h). */
#include "uvm/test/test.h"

static const enum uvm_queue_kind kinds[] = { UVM_QUEUE_TO_GPU, UVM_QUEUE_FROM_GPU,
					     UVM_QUEUE_INTERNAL, UVM_QUEUE_MEMOPS };

/* -- Words that GPUs write -----------------------------------------------------------------------
 */

enum nv_status uvm_test_words_alloc(struct uvm_gpu *gpu, u64 bytes, struct uvm_test_words *words)
{
	void *cpu;

	TEST_OK(uvm_device_start(gpu->device));
	TEST_OK(rm_uvm_buffer_alloc(gpu->device->session, bytes, &words->buffer, &cpu,
				    &words->address));
	words->cpu = cpu;
	return NV_OK;
}

void uvm_test_words_free(struct uvm_test_words *words)
{
	rm_uvm_buffer_free(words->buffer);
}

u32 uvm_test_word(const struct uvm_test_words *words, u32 index)
{
	return os_load_acquire(&words->cpu[index]);
}

enum nv_status uvm_test_write_word(struct uvm_gpu *gpu, enum uvm_queue_kind kind,
				   struct uvm_tracker *after, const struct uvm_test_words *words,
				   u32 index, u32 value, struct uvm_tracker_entry *entry)
{
	u64 at = words->address + (u64)index * sizeof(u32);
	struct uvm_push push;

	TEST_OK(uvm_push_begin(gpu->device, kind, after, &push));
	if (kind == UVM_QUEUE_MEMOPS)
		push.host->semaphore_release(push.host, &push.methods, at, value);
	else
		push.ce->semaphore_release(push.ce, &push.methods, at, value, UVM_MEMBAR_NONE);
	uvm_push_end(&push, UVM_MEMBAR_SYS, entry);
	return NV_OK;
}

/* Runs the test with a page of words; when it is over, so is all work of it. */
static enum nv_status with_words(struct uvm_gpu *gpu, void *ctx,
				 enum nv_status (*run)(struct uvm_gpu *gpu,
						       struct uvm_test_words *words, void *ctx))
{
	struct uvm_tracker_entry entry;
	struct uvm_test_words words;
	enum nv_status status, waited;
	u32 i;

	TEST_OK(uvm_test_words_alloc(gpu, OS_PAGE_SIZE, &words));
	status = run(gpu, &words, ctx);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct uvm_queue *queue = &gpu->device->queues[kinds[i]];

		entry = (struct uvm_tracker_entry){ queue, os_load_acquire(&queue->pushed) };
		waited = uvm_entry_wait(&entry);
		if (status == NV_OK)
			status = waited;
	}
	uvm_test_words_free(&words);
	return status;
}

/* -- Semaphores -----------------------------------------------------------------------------------
 */

/* A queue whose semaphore the CPU writes: 32 bits of a value that has 64. */
static enum nv_status semaphore_run(struct uvm_queue *queue, u64 first)
{
	u32 *semaphore = queue->semaphore;
	u64 value;

	queue->done = first;
	os_store_release(semaphore, bits_low32(first));
	for (value = first; value < first + 3 * UVM_QUEUE_SLOTS; value++) {
		TEST_CHECK(uvm_queue_is_done(queue, value));
		TEST_CHECK(!uvm_queue_is_done(queue, value + 1));
		TEST_CHECK(!uvm_queue_is_done(queue, value + UVM_QUEUE_SLOTS));
		TEST_CHECK(value == first || uvm_queue_is_done(queue, value - 1));
		os_store_release(semaphore, bits_low32(value + 1));
	}
	/* As many at once as there can be. */
	value += UVM_QUEUE_SLOTS;
	os_store_release(semaphore, bits_low32(value));
	TEST_CHECK(uvm_queue_is_done(queue, value) && !uvm_queue_is_done(queue, value + 1));
	return NV_OK;
}

enum nv_status uvm_test_gpu_semaphore_sanity(struct uvm_file *file, void *params)
{
	static const u64 firsts[] = { 0,	  0x7ffffff0,  0xfffffff0,
				      0xffffffff, 0x1fffffff8, 0x123456789abcdefull };
	struct uvm_queue *queue = os_alloc(sizeof(*queue));
	enum nv_status status = NV_ERR_NO_MEMORY;
	u32 i;

	if (!queue)
		return status;
	queue->semaphore = os_alloc(sizeof(*queue->semaphore));
	if (queue->semaphore)
		status = NV_OK;
	for (i = 0; i < ARRAY_SIZE(firsts) && status == NV_OK; i++)
		status = semaphore_run(queue, firsts[i]);
	os_free(queue->semaphore);
	os_free(queue);
	return status;
}

/* -- Trackers -------------------------------------------------------------------------------------
 */

static bool holds(struct uvm_tracker *tracker, const struct uvm_tracker_entry *entry)
{
	struct uvm_tracker_entry *entries = uvm_tracker_entries(tracker);
	u32 i;

	for (i = 0; i < tracker->count; i++) {
		if (entries[i].queue == entry->queue)
			return entries[i].value >= entry->value;
	}
	return false;
}

/* Of one GPU: the last of each queue, whatever the order in which they come. */
static enum nv_status tracker_of_gpu(struct uvm_gpu *gpu, struct uvm_test_words *words, void *ctx)
{
	struct uvm_tracker_entry first[UVM_QUEUES], second[UVM_QUEUES];
	struct uvm_tracker tracker = { 0 }, *all = ctx;
	u32 i;

	TEST_CHECK(uvm_tracker_is_done(&tracker) && uvm_tracker_wait(&tracker) == NV_OK);
	for (i = 0; i < UVM_QUEUES; i++) {
		TEST_OK(uvm_test_write_word(gpu, kinds[i], NULL, words, i, 1, &first[i]));
		TEST_OK(uvm_test_write_word(gpu, kinds[i], NULL, words, i, 2, &second[i]));
		TEST_CHECK(second[i].value > first[i].value);
		TEST_CHECK(uvm_entry_device(&second[i]) == gpu->device);
	}
	/* As many queues as fit without memory of its own. */
	for (i = 0; i < UVM_QUEUES; i++) {
		TEST_OK(uvm_tracker_add(&tracker, &second[i]));
		TEST_OK(uvm_tracker_add(&tracker, &first[i]));
		/* What is done need not be kept. */
		TEST_CHECK(uvm_entry_is_done(&second[i]) || holds(&tracker, &second[i]));
	}
	TEST_CHECK(tracker.count <= UVM_QUEUES && !tracker.more);
	TEST_OK(uvm_tracker_join(all, &tracker));
	for (i = 0; i < UVM_QUEUES; i++)
		TEST_CHECK(uvm_entry_is_done(&second[i]) || holds(all, &second[i]));
	TEST_OK(uvm_tracker_wait(&tracker));
	TEST_CHECK(!tracker.count && uvm_tracker_is_done(&tracker));
	for (i = 0; i < UVM_QUEUES; i++) {
		TEST_CHECK(uvm_entry_is_done(&first[i]) && uvm_entry_is_done(&second[i]));
		TEST_CHECK(uvm_test_word(words, i) == 2);
	}
	/* What is done needs no place. */
	TEST_OK(uvm_tracker_add(&tracker, &second[0]));
	TEST_CHECK(uvm_tracker_is_done(&tracker) && !tracker.count);
	uvm_tracker_fini(&tracker);
	return NV_OK;
}

static enum nv_status tracker_sanity(struct uvm_gpu *gpu, void *ctx)
{
	return with_words(gpu, ctx, tracker_of_gpu);
}

enum nv_status uvm_test_tracker_sanity(struct uvm_file *file, void *params)
{
	/* Of the queues of all GPUs, which are more than fit in few. */
	struct uvm_tracker all = { 0 };
	enum nv_status status = uvm_test_each_gpu(file, tracker_sanity, &all);

	if (status == NV_OK && !uvm_tracker_is_done(&all))
		status = uvm_test_failed(__FILE__, __LINE__, "all that was waited for is done");
	uvm_tracker_fini(&all);
	return status;
}

/* -- Pushes ---------------------------------------------------------------------------------------
 */

/* One as long as it can be, whose releases are seen in their order. */
static enum nv_status check_long(struct uvm_gpu *gpu, struct uvm_test_words *words)
{
	u32 count = OS_PAGE_SIZE / sizeof(u32), releases = 0, i;
	struct uvm_push push;

	TEST_OK(uvm_push_begin(gpu->device, UVM_QUEUE_MEMOPS, NULL, &push));
	while (uvm_push_has_room(&push, UVM_METHODS_MAX)) {
		push.host->semaphore_release(push.host, &push.methods,
					     words->address + releases % count * sizeof(u32),
					     releases);
		releases++;
	}
	TEST_OK(uvm_push_end_and_wait(&push, UVM_MEMBAR_SYS));
	TEST_CHECK(releases > 100);
	for (i = 0; i < min(releases, count); i++)
		TEST_CHECK(uvm_test_word(words, i) == i + (releases - 1 - i) / count * count);
	return NV_OK;
}

/* More at once than there are slots; those of a queue are done in their order. */
static enum nv_status check_many(struct uvm_gpu *gpu, struct uvm_test_words *words)
{
	struct uvm_tracker_entry entries[3 * UVM_QUEUE_SLOTS];
	u32 i, k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (i = 0; i < ARRAY_SIZE(entries); i++)
			TEST_OK(uvm_test_write_word(gpu, kinds[k], NULL, words, i, 7 * k + i,
						    &entries[i]));
		for (i = ARRAY_SIZE(entries); i-- > 0;) {
			if (i + 1 < ARRAY_SIZE(entries))
				TEST_CHECK(uvm_entry_is_done(&entries[i]));
			TEST_OK(uvm_entry_wait(&entries[i]));
			TEST_CHECK(uvm_test_word(words, i) == 7 * k + i);
		}
	}
	return NV_OK;
}

/* Each begins after the one before it, on whatever queue: the word has the last one's value. */
static enum nv_status check_chain(struct uvm_gpu *gpu, struct uvm_test_words *words)
{
	struct uvm_tracker_entry entry, earlier;
	struct uvm_tracker tracker = { 0 };
	u32 i;

	for (i = 0; i < 100; i++) {
		TEST_OK(uvm_test_write_word(gpu, kinds[i % 3 + i % 2], i ? &tracker : NULL, words,
					    0, 1000 + i, &entry));
		earlier = i ? uvm_tracker_entries(&tracker)[0] : entry;
		tracker.count = 0;
		TEST_OK(uvm_tracker_add(&tracker, &entry));
		/* Whatever is done has what it came after done too. */
		if (uvm_entry_is_done(&entry))
			TEST_CHECK(uvm_entry_is_done(&earlier));
	}
	TEST_OK(uvm_tracker_wait(&tracker));
	TEST_CHECK(uvm_test_word(words, 0) == 1000 + i - 1);
	uvm_tracker_fini(&tracker);
	return NV_OK;
}

static enum nv_status push_of_gpu(struct uvm_gpu *gpu, struct uvm_test_words *words, void *ctx)
{
	u64 before, after;

	TEST_OK(uvm_gpu_time(gpu, &before));
	TEST_OK(check_long(gpu, words));
	TEST_OK(check_many(gpu, words));
	TEST_OK(check_chain(gpu, words));
	TEST_OK(uvm_gpu_time(gpu, &after));
	if (!*(const bool *)ctx)
		TEST_CHECK(after > before);
	return NV_OK;
}

static enum nv_status push_sanity(struct uvm_gpu *gpu, void *ctx)
{
	return with_words(gpu, ctx, push_of_gpu);
}

enum nv_status uvm_test_push_sanity(struct uvm_file *file, void *params)
{
	UVM_TEST_PUSH_SANITY_PARAMS *p = params;
	bool skip_time = p->skipTimestampTest;

	return uvm_test_each_gpu(file, push_sanity, &skip_time);
}

/* -- Channels -------------------------------------------------------------------------------------
 */

/* Each queue's ring comes round three times, one push at a time and without waiting in turn. */
static enum nv_status channel_of_gpu(struct uvm_gpu *gpu, struct uvm_test_words *words, void *ctx)
{
	struct uvm_tracker_entry entry;
	u32 i, k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct uvm_queue *queue = &gpu->device->queues[kinds[k]];
		u64 before = os_load_acquire(&queue->pushed);

		for (i = 0; i < 3 * UVM_QUEUE_ENTRIES; i++) {
			TEST_OK(uvm_test_write_word(gpu, kinds[k], NULL, words, k, i, &entry));
			TEST_CHECK(entry.queue == queue && entry.value > before);
			before = entry.value;
			if (i % 7 == 0) {
				TEST_OK(uvm_entry_wait(&entry));
				TEST_CHECK(uvm_test_word(words, k) == i);
			}
		}
		TEST_OK(uvm_entry_wait(&entry));
		TEST_CHECK(uvm_test_word(words, k) == i - 1);
		TEST_CHECK(uvm_queue_is_done(queue, before));
	}
	/* None wrote another's. */
	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		TEST_CHECK(uvm_test_word(words, k) == i - 1);
	for (; k < OS_PAGE_SIZE / sizeof(u32); k++)
		TEST_CHECK(!uvm_test_word(words, k));
	return uvm_device_status(gpu->device);
}

static enum nv_status channel_sanity(struct uvm_gpu *gpu, void *ctx)
{
	return with_words(gpu, ctx, channel_of_gpu);
}

enum nv_status uvm_test_channel_sanity(struct uvm_file *file, void *params)
{
	return uvm_test_each_gpu(file, channel_sanity, NULL);
}
