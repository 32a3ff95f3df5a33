// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pushes that wait for those of another GPU. The semaphores of each device are mapped, to be read,
 * in the address space of every other's channels, so that a host engine acquires them as it does
 * those of its own device:
 *
 *   device A   semaphores   a0 a1 a2 a3   <-- read by A's engines and B's
 *   device B   semaphores   b0 b1 b2 b3   <-- read by B's and A's: "acquire b2"
 *
 * Which devices have met is in uvm.met. What A waits for is noted: where B will never do it, A
 * would stand still for good, so A's channels are stopped then, too; and B's semaphores stay until
 * nobody waits for them. In confidential mode memory that two GPUs reach is anybody's to write, and
 * nobody meets: the CPU waits (uvm/push.c), which believes sealed semaphores alone.
 */
#include "uvm/internal.h"
#include "uvm/queue.h"

#define PART_PAUSE_US 100u
#define PART_MAX_NS 60000000000ull /* as of uvm_queue_wait: who waits longer does so in vain */

/* -- What waits for what ----------------------------------------------------------------------- */

u64 uvm_across_await(struct uvm_queue *waiter, u64 push, struct uvm_queue *queue, u64 value)
{
	struct uvm_device *device = waiter->device, *other = queue->device;
	struct uvm_sight *sight = &device->sights[other->instance];
	struct uvm_await *await;
	u64 address = 0;

	/* Of one that has failed the caller is to hear. */
	if (uvm_device_status(other) != NV_OK)
		return 0;
	os_mutex_lock(&device->uvm->across_lock);
	if (sight->memory) {
		address = sight->address + queue->semaphore_offset;
		await = &waiter->awaits[other->instance][queue - other->queues];
		await->value = max(await->value, value);
		await->push = push;
		os_store_relaxed(&device->awaited, device->awaited | BIT32(other->instance));
	}
	os_mutex_unlock(&device->uvm->across_lock);
	return address;
}

/*
 * Whether the queue has work that one of the other device's is to be done before, and which is not;
 * it goes on reading the semaphore a moment longer (reads).
 */
static bool queue_waits(struct uvm_queue *queue, struct uvm_device *other, bool reads)
{
	u32 i;

	for (i = 0; i < UVM_QUEUES; i++) {
		const struct uvm_await *await = &queue->awaits[other->instance][i];

		/* A push that was begun and given up is none. */
		if (await->push <= os_load_acquire(&queue->pushed) &&
		    !uvm_queue_is_done(queue, await->push) &&
		    (reads || !uvm_queue_is_done(&other->queues[i], await->value)))
			return true;
	}
	return false;
}

static bool waits(struct uvm_device *device, struct uvm_device *other, bool reads)
{
	u32 i;

	if (!(device->awaited & BIT32(other->instance)) || uvm_device_status(device) != NV_OK)
		return false;
	for (i = 0; i < UVM_QUEUES; i++) {
		if (queue_waits(&device->queues[i], other, reads))
			return true;
	}
	return false;
}

/* The device fails if it waits for the other in vain. Whether it does so now. */
static bool fails_with(struct uvm_device *device, struct uvm_device *other)
{
	if (!waits(device, other, false))
		return false;
	uvm_queues_check(other);
	/* What was done before the other failed is done. */
	if (uvm_device_status(other) == NV_OK || !waits(device, other, false))
		return false;
	uvm_queues_fail(device, NV_ERR_RC_ERROR);
	return true;
}

/* Until it changes nothing more: whoever fails may be waited for in turn. */
static void look(struct uvm *uvm)
{
	bool again = true;
	u32 i, k;

	while (again) {
		again = false;
		for (i = 0; i < UVM_GPUS; i++) {
			for (k = 0; k < UVM_GPUS; k++) {
				if (i != k && uvm->met[i] && uvm->met[k] &&
				    fails_with(uvm->met[i], uvm->met[k]))
					again = true;
			}
		}
	}
}

void uvm_across_look(struct uvm_device *device)
{
	if (!os_load_relaxed(&device->awaited))
		return;
	os_mutex_lock(&device->uvm->across_lock);
	look(device->uvm);
	os_mutex_unlock(&device->uvm->across_lock);
}

/* -- Who sees whose ---------------------------------------------------------------------------- */

static enum nv_status see(struct uvm_device *device, struct uvm_device *other)
{
	struct uvm_sight *sight = &device->sights[other->instance];

	return rm_uvm_buffer_share(device->session, other->semaphores, &sight->memory,
				   &sight->address);
}

static void see_no_more(struct uvm_device *device, struct uvm_device *other)
{
	struct uvm_sight *sight = &device->sights[other->instance];
	u32 i;

	if (sight->memory)
		rm_uvm_buffer_free(sight->memory);
	os_memset(sight, 0, sizeof(*sight));
	for (i = 0; i < UVM_QUEUES; i++)
		os_memset(device->queues[i].awaits[other->instance], 0,
			  sizeof(device->queues[i].awaits[other->instance]));
	os_store_relaxed(&device->awaited, device->awaited & ~BIT32(other->instance));
}

static void part(struct uvm_device *device)
{
	struct uvm *uvm = device->uvm;
	u32 i;

	for (i = 0; i < UVM_GPUS; i++) {
		if (!uvm->met[i] || uvm->met[i] == device)
			continue;
		see_no_more(uvm->met[i], device);
		see_no_more(device, uvm->met[i]);
	}
}

enum nv_status uvm_across_meet(struct uvm_device *device)
{
	struct uvm *uvm = device->uvm;
	enum nv_status status = NV_OK;
	u32 i;

	if (device->confidential)
		return NV_OK;
	os_mutex_lock(&uvm->across_lock);
	OS_BUG_ON(uvm->met[device->instance]);
	for (i = 0; i < UVM_GPUS && status == NV_OK; i++) {
		struct uvm_device *other = uvm->met[i];

		if (!other || uvm_device_status(other) != NV_OK)
			continue;
		status = see(device, other);
		if (status == NV_OK)
			status = see(other, device);
		/* Of one that is just being lost nothing is wanted. */
		if (status != NV_OK && uvm_device_status(device) == NV_OK &&
		    uvm_device_status(other) != NV_OK) {
			see_no_more(device, other);
			status = NV_OK;
		}
	}
	if (status == NV_OK)
		uvm->met[device->instance] = device;
	else
		part(device);
	os_mutex_unlock(&uvm->across_lock);
	return status;
}

/* Whether others read its semaphores; those that have done so for too long are stopped. */
static bool is_awaited(struct uvm_device *device, bool too_long)
{
	bool awaited = false;
	u32 i;

	for (i = 0; i < UVM_GPUS; i++) {
		struct uvm_device *other = device->uvm->met[i];

		if (!other || !waits(other, device, true))
			continue;
		if (too_long)
			uvm_queues_fail(other, NV_ERR_TIMEOUT);
		else
			awaited = true;
	}
	return awaited;
}

/* What it waits for itself is not to be read when it is not there any more. */
static void stop_waiting(struct uvm_device *device)
{
	bool any = false;
	u32 i;

	for (i = 0; i < UVM_GPUS; i++)
		any |= device->uvm->met[i] && waits(device, device->uvm->met[i], true);
	for (i = 0; any && i < UVM_QUEUES; i++)
		rm_uvm_queue_stop(device->queues[i].rm);
}

void uvm_across_part(struct uvm_device *device)
{
	struct uvm *uvm = device->uvm;
	u64 began = 0;

	os_mutex_lock(&uvm->across_lock);
	if (uvm->met[device->instance] != device) {
		os_mutex_unlock(&uvm->across_lock);
		return;
	}
	look(uvm);
	while (is_awaited(device, began && os_time_ns() - began > PART_MAX_NS)) {
		os_mutex_unlock(&uvm->across_lock);
		if (!began)
			began = os_time_ns();
		os_sleep_us(PART_PAUSE_US);
		os_mutex_lock(&uvm->across_lock);
		look(uvm);
	}
	stop_waiting(device);
	part(device);
	uvm->met[device->instance] = NULL;
	os_mutex_unlock(&uvm->across_lock);
}
