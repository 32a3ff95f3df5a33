// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A queue of UVM's: its memory and channel, and waiting for what it does (uvm/push.h). */
#include "uvm/queue.h"

#define BAR_REGISTERS 0u
#define BAR_VIDEO 2u
#define WAIT_PIECE_NS 50000000ull  /* between looks for an error of the channel */
#define WAIT_MAX_NS 60000000000ull /* a copy engine that takes longer is dead */
#define SEMAPHORE_BYTES 16u

enum nv_status uvm_queue_create(struct uvm_queue *queue, struct uvm_device *device, u32 engine)
{
	enum nv_status status;
	u64 gpfifo;
	void *cpu;

	status = os_mutex_init(&queue->lock, LOCK_RANK_UVM_DEVICE, "uvm queue");
	if (status != NV_OK)
		return status;
	queue->device = device;
	status = rm_uvm_buffer_alloc(device->session, UVM_QUEUE_BYTES, &queue->buffer, &cpu,
				     &queue->address);
	if (status != NV_OK)
		goto destroy_lock;
	queue->cpu = cpu;
	queue->semaphore_offset = (u32)(queue - device->queues) * SEMAPHORE_BYTES;
	queue->semaphore = (u32 *)((u8 *)device->semaphores_cpu + queue->semaphore_offset);
	os_store_relaxed(queue->semaphore, 0u);
	if (device->confidential) {
		status = uvm_launch_prepare(queue);
		if (status != NV_OK)
			goto free_buffer;
	}
	gpfifo = queue->methods ? queue->video_at : queue->address;
	status = rm_uvm_queue_create(device->session, engine, gpfifo, UVM_QUEUE_ENTRIES, &queue->rm,
				     &queue->info);
	if (status != NV_OK)
		goto end_launch;
	queue->pushed = 0;
	queue->done = 0;
	if (!device->confidential)
		return NV_OK;
	status = uvm_seals_create(queue);
	if (status != NV_OK)
		goto destroy_queue;
	status = uvm_launch_entries(queue);
	if (status == NV_OK)
		return NV_OK;
	/* SEC2 may be at it. */
	uvm_launcher_stop(device);
	uvm_seals_destroy(queue);
destroy_queue:
	rm_uvm_queue_destroy(queue->rm);
end_launch:
	uvm_launch_end(queue);
free_buffer:
	rm_uvm_buffer_free(queue->buffer);
destroy_lock:
	os_mutex_destroy(&queue->lock);
	queue->device = NULL;
	return status;
}

void uvm_queue_destroy(struct uvm_queue *queue)
{
	if (!queue->device)
		return;
	rm_uvm_queue_destroy(queue->rm);
	uvm_seals_destroy(queue);
	uvm_launch_end(queue);
	rm_uvm_buffer_free(queue->buffer);
	os_mutex_destroy(&queue->lock);
	queue->device = NULL;
}

void uvm_device_ring(struct uvm_device *device, const struct rm_uvm_queue_info *info, u32 put)
{
	os_fence();
	if (info->put_cpu)
		os_store_release(info->put_cpu, put);
	else
		os_pci_wr32(device->pci, BAR_VIDEO, info->put, put);
	os_fence();
	os_pci_wr32(device->pci, BAR_REGISTERS, info->doorbell, info->token);
}

/* What the semaphore says, all bits of it: it is behind pushed by less than the slots. */
static u64 told_value(struct uvm_queue *queue, u64 done)
{
	s32 more = (s32)(os_load_acquire(queue->semaphore) - bits_low32(done));

	return more > 0 ? done + (u32)more : done;
}

/* Whoever looks may be late, so done only grows. */
static u64 done_value(struct uvm_queue *queue)
{
	u64 done = os_load_acquire(&queue->done), now = told_value(queue, done);

	if (queue->seals)
		return now > done && uvm_seal_check(queue, now) ? now
								: os_load_acquire(&queue->done);
	while (now > done) {
		if (__atomic_compare_exchange_n(&queue->done, &done, now, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return now;
		now = max(now, done);
	}
	return done;
}

bool uvm_queue_is_done(struct uvm_queue *queue, u64 value)
{
	return done_value(queue) >= value;
}

struct look {
	struct uvm_queue *queue;
	u64 value;
};

static bool is_done(void *arg)
{
	const struct look *look = arg;
	u64 done = os_load_acquire(&look->queue->done);

	/* Any context: whether it is true is looked at later. */
	return done >= look->value || told_value(look->queue, done) >= look->value ||
	       rm_uvm_gpu_is_lost(look->queue->device->gpu);
}

/* One that fails may be one that this waits for. */
static bool has_error(struct uvm_device *device)
{
	u32 i;

	for (i = 0; i < UVM_QUEUES; i++) {
		if (rm_uvm_queue_error(device->queues[i].rm))
			return true;
	}
	return uvm_launcher_error(device) != 0;
}

/* Those who fail at the same time stop them twice. */
void uvm_queues_fail(struct uvm_device *device, enum nv_status status)
{
	u32 i;

	uvm_launcher_stop(device);
	for (i = 0; i < UVM_QUEUES; i++)
		rm_uvm_queue_stop(device->queues[i].rm);
	uvm_device_fail(device, status);
}

void uvm_queues_check(struct uvm_device *device)
{
	if (has_error(device) && uvm_device_status(device) == NV_OK)
		uvm_queues_fail(device, NV_ERR_RC_ERROR);
}

enum nv_status uvm_queue_wait(struct uvm_queue *queue, u64 value)
{
	struct uvm_device *device = queue->device;
	struct look look = { queue, value };
	u64 began = 0;

	for (;;) {
		bool timeout = os_pci_wait(device->pci, is_done, &look, WAIT_PIECE_NS) != NV_OK;

		if (uvm_queue_is_done(queue, value))
			return NV_OK;
		uvm_queues_check(device);
		uvm_across_look(device);
		if (uvm_device_status(device) != NV_OK)
			return uvm_device_status(device);
		if (timeout && !began)
			began = os_time_ns();
		if (timeout && os_time_ns() - began > WAIT_MAX_NS)
			uvm_queues_fail(device, NV_ERR_TIMEOUT);
	}
}
