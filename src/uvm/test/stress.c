// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Very many pushes on queues at random: without anything in them, with looks at what is done, or as
 * streams. A stream's pushes go to one queue after another, of any GPU, each after the one before;
 * each writes its number into the stream's word on that GPU, which must have the last in the end.
 */
#include "uvm/test/test.h"

/* Words of a session's buffer. */
#define STREAMS_MAX 4096u

struct stress {
	const UVM_TEST_CHANNEL_STRESS_PARAMS *p;
	struct uvm_test_random random;
	struct uvm_gpu *gpus[UVM_GPUS];
	u32 gpu_count;
	u64 seen[UVM_GPUS][UVM_QUEUES]; /* pushes that were done once */
	struct uvm_test_words words[UVM_GPUS];
	struct uvm_tracker *streams;
	u32 *last; /* by stream, then GPU: what its word is to have */
};

static enum uvm_queue_kind any_kind(struct stress *s)
{
	return (enum uvm_queue_kind)uvm_test_random_in(&s->random, 0, UVM_QUEUES - 1);
}

static u32 any_gpu(struct stress *s)
{
	return (u32)uvm_test_random_in(&s->random, 0, s->gpu_count - 1);
}

/* Whatever was pushed on any of the GPUs is done. */
static enum nv_status wait_all(struct stress *s)
{
	enum nv_status status = NV_OK, each;
	u32 i, k;

	for (i = 0; i < s->gpu_count; i++) {
		struct uvm_device *device = s->gpus[i]->device;

		/* No channels: nothing was pushed. */
		if (!os_load_acquire(&device->started))
			continue;
		for (k = 0; k < UVM_QUEUES; k++) {
			struct uvm_queue *queue = &device->queues[k];

			each = uvm_queue_wait(queue, os_load_acquire(&queue->pushed));
			if (status == NV_OK)
				status = each;
		}
	}
	return status;
}

static enum nv_status push_nothing(struct stress *s, struct uvm_tracker_entry *entry)
{
	struct uvm_push push;

	TEST_OK(uvm_push_begin(s->gpus[any_gpu(s)]->device, any_kind(s), NULL, &push));
	uvm_push_end(&push, UVM_MEMBAR_NONE, entry);
	return NV_OK;
}

static enum nv_status noop(struct stress *s)
{
	u32 i;

	for (i = 0; i < s->p->iterations; i++) {
		TEST_OK(push_nothing(s, NULL));
		TEST_OK(uvm_test_go_on());
	}
	return NV_OK;
}

/* What was done once stays so, and is never more than what was pushed. */
static enum nv_status check_progress(struct stress *s)
{
	u32 i, k;

	for (i = 0; i < s->gpu_count; i++) {
		for (k = 0; k < UVM_QUEUES; k++) {
			struct uvm_queue *queue = &s->gpus[i]->device->queues[k];
			u64 *seen = &s->seen[i][k];

			if (!os_load_acquire(&s->gpus[i]->device->started))
				continue;
			TEST_CHECK(uvm_queue_is_done(queue, *seen));
			while (*seen < os_load_acquire(&queue->pushed) &&
			       uvm_queue_is_done(queue, *seen + 1))
				(*seen)++;
			/* Others push too: pushed is read after. */
			TEST_CHECK(!uvm_queue_is_done(queue, os_load_acquire(&queue->pushed) +
								     UVM_QUEUE_SLOTS));
		}
	}
	return NV_OK;
}

static enum nv_status update(struct stress *s)
{
	struct uvm_tracker_entry entry;
	u32 i;

	for (i = 0; i < s->p->iterations; i++) {
		TEST_OK(push_nothing(s, &entry));
		TEST_OK(check_progress(s));
		if (uvm_test_random_in(&s->random, 0, 15) == 0) {
			TEST_OK(uvm_entry_wait(&entry));
			TEST_CHECK(uvm_entry_is_done(&entry));
		}
		TEST_OK(uvm_test_go_on());
	}
	return NV_OK;
}

static enum nv_status stream_step(struct stress *s, u32 stream, u32 number)
{
	struct uvm_tracker *tracker = &s->streams[stream];
	struct uvm_tracker_entry entry;
	u32 i = any_gpu(s);

	TEST_OK(uvm_test_write_word(s->gpus[i], any_kind(s), tracker, &s->words[i], stream, number,
				    &entry));
	s->last[stream * UVM_GPUS + i] = number;
	/* This one includes all before it. */
	tracker->count = 0;
	return uvm_tracker_add(tracker, &entry);
}

static enum nv_status stream_run(struct stress *s)
{
	u32 i, k;

	for (i = 0; i < s->p->iterations; i++) {
		for (k = 0; k < s->p->num_streams; k++) {
			TEST_OK(stream_step(s, k, i + 1));
			TEST_OK(uvm_test_go_on());
		}
	}
	TEST_OK(wait_all(s));
	for (i = 0; i < s->gpu_count; i++) {
		for (k = 0; k < s->p->num_streams; k++)
			TEST_CHECK(uvm_test_word(&s->words[i], k) == s->last[k * UVM_GPUS + i]);
	}
	return NV_OK;
}

static enum nv_status stream(struct stress *s)
{
	enum nv_status status = NV_ERR_NO_MEMORY;
	u32 i, words = 0;

	s->streams = os_alloc(s->p->num_streams * sizeof(s->streams[0]));
	s->last = os_alloc((size_t)s->p->num_streams * UVM_GPUS * sizeof(s->last[0]));
	if (s->streams && s->last)
		status = NV_OK;
	for (; status == NV_OK && words < s->gpu_count; words++) {
		status = uvm_test_words_alloc(s->gpus[words], STREAMS_MAX * sizeof(u32),
					      &s->words[words]);
		if (status != NV_OK)
			break;
	}
	if (status == NV_OK)
		status = stream_run(s);
	/* Nothing writes them any more. */
	(void)wait_all(s);
	for (i = 0; i < words; i++)
		uvm_test_words_free(&s->words[i]);
	for (i = 0; s->streams && i < s->p->num_streams; i++)
		uvm_tracker_fini(&s->streams[i]);
	os_free(s->last);
	os_free(s->streams);
	return status;
}

static enum nv_status run(struct stress *s, struct uvm_space *space)
{
	enum nv_status status, waited;
	struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, space)
	{
		if (gpu->info.confidential)
			return NV_ERR_NOT_SUPPORTED;
		s->gpus[s->gpu_count++] = gpu;
	}
	/* Without GPUs there is nothing that could be pushed. */
	if (!s->gpu_count)
		return NV_OK;
	switch (s->p->mode) {
	case UVM_TEST_CHANNEL_STRESS_MODE_NOOP_PUSH:
		status = noop(s);
		break;
	case UVM_TEST_CHANNEL_STRESS_MODE_UPDATE_CHANNELS:
		status = update(s);
		break;
	default:
		status = stream(s);
		break;
	}
	waited = wait_all(s);
	return status == NV_OK ? waited : status;
}

enum nv_status uvm_test_channel_stress(struct uvm_file *file, void *params)
{
	const UVM_TEST_CHANNEL_STRESS_PARAMS *p = params;
	enum nv_status status;
	struct stress *s;

	if (p->mode > UVM_TEST_CHANNEL_STRESS_MODE_STREAM ||
	    (p->mode == UVM_TEST_CHANNEL_STRESS_MODE_STREAM &&
	     (!p->num_streams || p->num_streams > STREAMS_MAX)))
		return NV_ERR_INVALID_PARAMETER;
	s = os_alloc(sizeof(*s));
	if (!s)
		return NV_ERR_NO_MEMORY;
	s->p = p;
	uvm_test_random_init(&s->random, p->seed);
	os_mutex_lock(&file->space->lock);
	status = run(s, file->space);
	os_mutex_unlock(&file->space->lock);
	os_free(s);
	return status;
}
