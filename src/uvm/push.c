// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Pushes: work is written into a slot, submitted, and waited for (uvm/push.h). */
#include "uvm/queue.h"

/* Where the GPU can wait for that; 0: nowhere. */
static u64 semaphore_for(struct uvm_push *push, struct uvm_queue *queue, u64 value)
{
	if (!uvm_push_has_room(push, 2 * UVM_METHODS_MAX))
		return 0;
	if (queue->device != push->queue->device)
		return uvm_across_await(push->queue, push->queue->pushed + 1, queue, value);
	return queue->seals ? uvm_seals_semaphore(queue) : uvm_queue_semaphore(queue);
}

/* What is to be done first: waited for by the GPU where it can, else before this goes on. */
static enum nv_status acquire(struct uvm_push *push, struct uvm_tracker *after)
{
	struct uvm_tracker_entry *entries = uvm_tracker_entries(after);
	enum nv_status status;
	u32 i;

	for (i = 0; i < after->count; i++) {
		struct uvm_queue *queue = entries[i].queue;
		u64 semaphore;

		if (queue == push->queue || uvm_queue_is_done(queue, entries[i].value))
			continue;
		semaphore = semaphore_for(push, queue, entries[i].value);
		if (semaphore) {
			push->host->semaphore_acquire(push->host, &push->methods, semaphore,
						      bits_low32(entries[i].value));
			continue;
		}
		status = uvm_queue_wait(queue, entries[i].value);
		if (status != NV_OK)
			return status;
	}
	return NV_OK;
}

static u32 *words_of(struct uvm_queue *queue, u64 value)
{
	return queue->methods ? queue->methods : (u32 *)(queue->cpu + uvm_queue_slot(value));
}

enum nv_status uvm_push_begin(struct uvm_device *device, enum uvm_queue_kind kind,
			      struct uvm_tracker *after, struct uvm_push *push)
{
	struct uvm_queue *queue = &device->queues[kind];
	enum nv_status status = uvm_device_start(device);
	u64 value;

	if (status != NV_OK)
		return status;
	os_mutex_lock(&queue->lock);
	status = uvm_seals_renew(queue);
	value = queue->pushed + 1;
	/* The slot's last push is done: so is the GP entry's, of which there are more. */
	if (status == NV_OK && value > uvm_queue_room(queue))
		status = uvm_queue_wait(queue, value - uvm_queue_room(queue));
	if (status == NV_OK) {
		*push = (struct uvm_push){
			.queue = queue,
			.methods = { .words = words_of(queue, value),
				     .limit = UVM_SLOT_BYTES / sizeof(u32) },
			.host = &device->host,
			.ce = &device->ce,
		};
		if (value == 1)
			push->ce->bind(push->ce, &push->methods);
		if (after)
			status = acquire(push, after);
	}
	if (status != NV_OK)
		os_mutex_unlock(&queue->lock);
	return status;
}

/* Room for the end is kept. */
bool uvm_push_has_room(const struct uvm_push *push, u32 words)
{
	return push->methods.limit - push->methods.count >= words + 3 * UVM_METHODS_MAX;
}

static void submit(struct uvm_queue *queue, u64 value, u32 words)
{
	struct uvm_device *device = queue->device;
	u64 *gpfifo = (u64 *)queue->cpu;

	gpfifo[(value - 1) % UVM_QUEUE_ENTRIES] = device->host.gp_entry(
		&device->host, queue->address + uvm_queue_slot(value), words * (u32)sizeof(u32));
	uvm_device_ring(device, &queue->info, (u32)(value % UVM_QUEUE_ENTRIES));
}

void uvm_push_end(struct uvm_push *push, enum uvm_membar membar, struct uvm_tracker_entry *entry)
{
	struct uvm_queue *queue = push->queue;
	u64 value = queue->pushed + 1, semaphore = uvm_queue_semaphore(queue);
	enum nv_status status = uvm_seal_push(push, value);

	if (queue == &queue->device->queues[UVM_QUEUE_MEMOPS]) {
		push->host->membar(push->host, &push->methods, membar);
		push->host->semaphore_release(push->host, &push->methods, semaphore,
					      bits_low32(value));
	} else {
		push->ce->semaphore_release(push->ce, &push->methods, semaphore, bits_low32(value),
					    membar);
	}
	os_store_release(&queue->pushed, value);
	if (queue->methods) {
		push->host->end(push->host, &push->methods);
		if (status == NV_OK)
			status = uvm_launch(queue, value, push->methods.count);
	} else {
		submit(queue, value, push->methods.count);
	}
	if (entry)
		*entry = (struct uvm_tracker_entry){ queue, value };
	os_mutex_unlock(&queue->lock);
	if (status != NV_OK)
		uvm_queues_fail(queue->device, status);
}

enum nv_status uvm_push_end_and_wait(struct uvm_push *push, enum uvm_membar membar)
{
	struct uvm_tracker_entry entry;

	uvm_push_end(push, membar, &entry);
	return uvm_entry_wait(&entry);
}

bool uvm_entry_is_done(const struct uvm_tracker_entry *entry)
{
	return uvm_queue_is_done(entry->queue, entry->value);
}

enum nv_status uvm_entry_wait(const struct uvm_tracker_entry *entry)
{
	return uvm_queue_wait(entry->queue, entry->value);
}

struct uvm_device *uvm_entry_device(const struct uvm_tracker_entry *entry)
{
	return entry->queue->device;
}
