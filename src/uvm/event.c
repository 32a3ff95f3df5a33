// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Tools files: what they watch, queues and counters in their memory (uvm/event.h). */
#include "uvm/event.h"
#include "uvm/block.h"

#include "base/bitmap.h"

#define EVENTS_OF_TOOLS (BITS_MASK(UvmEventNumTypes - 1, UvmEventTypeInvalid + 1))
#define EVENTS_OF_TESTS (BITS_MASK(UvmEventNumTypesAll - 1, UvmEventTestTypesFirst))

struct uvm_observer {
	struct list_node node; /* of the space that it watches, its lock */
	struct uvm_file *of;   /* whose space that is; referenced through the host */
	struct uvm_file *file;
	bool is_queue;
	u64 enabled; /* a bit an event, or a counter; the space's lock */
	struct os_pages control;
	/* A queue. */
	struct os_pages entries;
	u32 mask; /* of an index */
	struct os_spinlock lock;
	u32 threshold; /* entries that wake the tool */
	bool told;     /* it was woken, for that get_ahead */
	u32 told_at;
	/* Counters. */
	bool all_processors;
	NvProcessorUuid processor;
};

static struct uvm_observer *observer_of(struct uvm_file *file)
{
	return os_load_acquire(&file->state) == UVM_FILE_TOOLS ? file->observer : NULL;
}

static struct uvm_observer *queue_of(struct uvm_file *file)
{
	struct uvm_observer *observer = observer_of(file);

	return observer && observer->is_queue ? observer : NULL;
}

/* -- Begin and end
 * --------------------------------------------------------------------------------- */

/* NV_ERR_INVALID_ADDRESS: not at a page; what pinning says. */
static enum nv_status pin(u64 address, u64 size, struct os_pages *pages)
{
	size = align_up(size, OS_PAGE_SIZE);
	if (uvm_bad_range(address, size, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ADDRESS;
	return os_pages_pin(NULL, address, size, true, pages);
}

static enum nv_status queue_init(struct uvm_observer *observer,
				 const UVM_TOOLS_INIT_EVENT_TRACKER_PARAMS *p)
{
	u64 count = p->queueBufferSize;
	enum nv_status status;

	if (count < 2 || count > ~(u32)0 || !is_power_of_2(count))
		return NV_ERR_INVALID_ARGUMENT;
	observer->is_queue = true;
	observer->mask = (u32)(count - 1);
	observer->threshold = (u32)(count / 2);
	os_spinlock_init(&observer->lock, "uvm events");
	status = pin(p->queueBuffer, count * sizeof(union uvm_event), &observer->entries);
	if (status != NV_OK)
		return status;
	status = pin(p->controlBuffer, sizeof(UvmToolsEventControlData), &observer->control);
	if (status != NV_OK)
		os_pages_free(&observer->entries);
	return status;
}

static enum nv_status counters_init(struct uvm_observer *observer,
				    const UVM_TOOLS_INIT_EVENT_TRACKER_PARAMS *p)
{
	observer->all_processors = p->allProcessors != 0;
	observer->processor = p->processor;
	return pin(p->controlBuffer, UVM_TOTAL_COUNTERS * sizeof(u64), &observer->control);
}

static enum nv_status observer_create(struct uvm_file *file,
				      const UVM_TOOLS_INIT_EVENT_TRACKER_PARAMS *p)
{
	struct uvm_observer *observer = os_alloc(sizeof(*observer));
	enum nv_status status = NV_ERR_INSUFFICIENT_PERMISSIONS;

	if (!observer)
		return NV_ERR_NO_MEMORY;
	observer->file = file;
	observer->of = file->uvm->host->file_get((s32)p->uvmFd);
	if (!observer->of)
		goto free_observer;
	if (observer->of->node != UVM_NODE_UVM || observer->of->uvm != file->uvm)
		goto put_file;
	status = NV_ERR_ILLEGAL_ACTION;
	if (os_load_acquire(&observer->of->state) != UVM_FILE_SPACE)
		goto put_file;
	status = p->queueBufferSize ? queue_init(observer, p) : counters_init(observer, p);
	if (status != NV_OK)
		goto put_file;
	os_mutex_lock(&observer->of->space->lock);
	list_add_tail(&observer->node, &observer->of->space->observers);
	os_mutex_unlock(&observer->of->space->lock);
	file->observer = observer;
	return NV_OK;

put_file:
	file->uvm->host->file_put(observer->of);
free_observer:
	os_free(observer);
	return status;
}

enum nv_status uvm_tools_init_event_tracker(struct uvm_file *file, void *params)
{
	enum nv_status status;

	if (!os_cmpxchg32(&file->state, UVM_FILE_NEW, UVM_FILE_BUSY))
		return NV_ERR_INVALID_ARGUMENT;
	status = observer_create(file, params);
	os_store_release(&file->state, status == NV_OK ? (u32)UVM_FILE_TOOLS : (u32)UVM_FILE_NEW);
	return status;
}

/* What any observer of the space asks for. */
static void wanted_update(struct uvm_space *space)
{
	struct uvm_observer *observer;

	space->events_wanted = space->counters_wanted = 0;
	list_for_each_entry (observer, &space->observers, node) {
		if (observer->is_queue)
			space->events_wanted |= observer->enabled;
		else
			space->counters_wanted |= observer->enabled;
	}
}

void uvm_observer_close(struct uvm_file *file)
{
	struct uvm_observer *observer = file->observer;
	struct uvm_space *space = observer->of->space;

	os_mutex_lock(&space->lock);
	list_del(&observer->node);
	wanted_update(space);
	os_mutex_unlock(&space->lock);
	if (observer->is_queue)
		os_pages_free(&observer->entries);
	os_pages_free(&observer->control);
	file->uvm->host->file_put(observer->of);
	os_free(observer);
}

/* -- What is asked for
 * ------------------------------------------------------------------------------ */

static void enable(struct uvm_observer *observer, u64 set, u64 clear)
{
	struct uvm_space *space = observer->of->space;

	os_mutex_lock(&space->lock);
	observer->enabled = (observer->enabled | set) & ~clear;
	wanted_update(space);
	os_mutex_unlock(&space->lock);
}

enum nv_status uvm_tools_event_queue_enable_events(struct uvm_file *file, void *params)
{
	UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS_PARAMS *p = params;
	u64 known = EVENTS_OF_TOOLS | (file->uvm->builtin_tests ? EVENTS_OF_TESTS : 0);
	struct uvm_observer *observer = queue_of(file);

	if (!observer || p->eventTypeFlags & ~known)
		return NV_ERR_INVALID_ARGUMENT;
	enable(observer, p->eventTypeFlags, 0);
	return NV_OK;
}

enum nv_status uvm_tools_event_queue_disable_events(struct uvm_file *file, void *params)
{
	UVM_TOOLS_EVENT_QUEUE_DISABLE_EVENTS_PARAMS *p = params;
	struct uvm_observer *observer = queue_of(file);

	if (!observer)
		return NV_ERR_INVALID_ARGUMENT;
	enable(observer, 0, p->eventTypeFlags);
	return NV_OK;
}

enum nv_status uvm_tools_enable_counters(struct uvm_file *file, void *params)
{
	UVM_TOOLS_ENABLE_COUNTERS_PARAMS *p = params;
	struct uvm_observer *observer = observer_of(file);

	if (!observer || observer->is_queue)
		return NV_ERR_INVALID_ARGUMENT;
	/* Numbers beyond the last mean nothing. */
	enable(observer, p->counterTypeFlags & BITS_MASK(UVM_TOTAL_COUNTERS - 1, 0), 0);
	return NV_OK;
}

enum nv_status uvm_tools_disable_counters(struct uvm_file *file, void *params)
{
	UVM_TOOLS_DISABLE_COUNTERS_PARAMS *p = params;
	struct uvm_observer *observer = observer_of(file);

	if (!observer || observer->is_queue)
		return NV_ERR_INVALID_ARGUMENT;
	enable(observer, 0, p->counterTypeFlags);
	return NV_OK;
}

/* -- Queues
 * ------------------------------------------------------------------------------------------ */

static UvmToolsEventControlData *control_of(const struct uvm_observer *observer)
{
	return observer->control.cpu;
}

/* Whether there is enough for the tool to be woken. Its lock. */
static bool is_ready(const struct uvm_observer *observer)
{
	UvmToolsEventControlData *control = control_of(observer);
	u32 put = os_load_acquire(&control->put_behind), get = os_load_acquire(&control->get_ahead);

	return ((put - get) & observer->mask) >= observer->threshold;
}

static void wake(const struct uvm_observer *observer)
{
	const struct uvm_host_ops *host = observer->file->uvm->host;

	if (host->wake)
		host->wake(observer->file->host_ctx);
}

/* Writes it, or counts it where the queue is full; whether the tool is to be woken. Its lock. */
static bool put_entry(struct uvm_observer *observer, const union uvm_event *event)
{
	UvmToolsEventControlData *control = control_of(observer);
	u32 get = os_load_acquire(&control->get_behind) & observer->mask;
	u32 put = os_load_acquire(&control->put_behind) & observer->mask;
	u32 next = (put + 1) & observer->mask, ahead;

	if (next == get) {
		os_fetch_add(&control->dropped[event->type], (u64)1);
		return false;
	}
	os_memcpy((union uvm_event *)observer->entries.cpu + put, event, sizeof(*event));
	os_store_release(&control->put_ahead, next);
	os_store_release(&control->put_behind, next);
	/* Once for what the tool has read so far. */
	ahead = os_load_acquire(&control->get_ahead);
	if (!is_ready(observer) || (observer->told && observer->told_at == ahead))
		return false;
	observer->told = true;
	observer->told_at = ahead;
	return true;
}

bool uvm_event_is_wanted(const struct uvm_space *space, u32 type)
{
	return space->events_wanted & BIT64(type);
}

void uvm_event_record(struct uvm_space *space, const union uvm_event *event)
{
	struct uvm_observer *observer;

	list_for_each_entry (observer, &space->observers, node) {
		bool tell;

		if (!observer->is_queue || !(observer->enabled & BIT64(event->type)))
			continue;
		os_spinlock_lock(&observer->lock);
		tell = put_entry(observer, event);
		os_spinlock_unlock(&observer->lock);
		if (tell)
			wake(observer);
	}
}

enum nv_status uvm_tools_set_notification_threshold(struct uvm_file *file, void *params)
{
	UVM_TOOLS_SET_NOTIFICATION_THRESHOLD_PARAMS *p = params;
	struct uvm_observer *observer = queue_of(file);
	bool ready;

	if (!observer)
		return NV_ERR_INVALID_ARGUMENT;
	os_spinlock_lock(&observer->lock);
	observer->threshold = p->notificationThreshold;
	ready = is_ready(observer);
	os_spinlock_unlock(&observer->lock);
	if (ready)
		wake(observer);
	return NV_OK;
}

enum uvm_poll uvm_observer_poll(struct uvm_file *file)
{
	struct uvm_observer *observer = queue_of(file);
	bool ready;

	if (!observer)
		return UVM_POLL_ERROR;
	os_spinlock_lock(&observer->lock);
	observer->told = false;
	ready = is_ready(observer);
	os_spinlock_unlock(&observer->lock);
	return ready ? UVM_POLL_READABLE : UVM_POLL_NOTHING;
}

/* -- Counters
 * ---------------------------------------------------------------------------------------- */

void uvm_counter_add(struct uvm_space *space, u32 counter, u64 amount,
		     const NvProcessorUuid *processor, bool aggregate)
{
	struct uvm_observer *observer;

	if (!(space->counters_wanted & BIT64(counter)))
		return;
	list_for_each_entry (observer, &space->observers, node) {
		if (observer->is_queue || !(observer->enabled & BIT64(counter)))
			continue;
		if ((observer->all_processors && aggregate) ||
		    !os_memcmp(&observer->processor, processor, sizeof(*processor)))
			os_fetch_add((u64 *)observer->control.cpu + counter, amount);
	}
}

/* -- What the core does
 * ------------------------------------------------------------------------------ */

void uvm_event_cpu_fault(const struct uvm_range *range, u64 address, bool write)
{
	struct uvm_space *space = range->space;
	u32 preferred = range->policy.preferred;
	union uvm_event event = { .words = { 0 } };
	struct os_cred cred;

	if (uvm_event_is_wanted(space, UvmEventTypeCpuFault)) {
		os_current_cred(&cred);
		event.cpu_fault = (UvmEventCpuFaultInfo){
			.eventType = UvmEventTypeCpuFault,
			.accessType = write ? UvmEventMemoryAccessTypeWrite
					    : UvmEventMemoryAccessTypeRead,
			.address = address,
			.timeStamp = os_time_ns(),
			.pid = cred.pid,
		};
		uvm_event_record(space, &event);
	}
	uvm_counter_add(space, UvmCounterNameCpuPageFaultCount, 1, uvm_uuid_of_cpu(), true);
	/* For who asked for the one processor that prefers the memory. */
	if (preferred != UVM_NOBODY && preferred != UVM_CPU)
		uvm_counter_add(space, UvmCounterNameCpuPageFaultCount, 1,
				&space->gpus[preferred - 1]->info.uuid, false);
}

void uvm_event_migrated(struct uvm_space *space, const struct uvm_gpu *gpu, bool to_gpu, u64 base,
			const u64 *mask, u64 began, u64 began_gpu)
{
	union uvm_event event = { .words = { 0 } };
	u32 page = 0, end;

	event.migration = (UvmEventMigrationInfo){
		.eventType = UvmEventTypeMigration,
		.migrationCause =
			space->cause ? (u8)space->cause : (u8)UvmEventMigrationCauseCoherence,
		.srcIndex = (u8)(to_gpu ? UVM_CPU : gpu->id),
		.dstIndex = (u8)(to_gpu ? gpu->id : UVM_CPU),
		.beginTimeStamp = began,
		.endTimeStamp = os_time_ns(),
		.beginTimeStampGpu = began_gpu,
	};
	(void)uvm_gpu_time(gpu, &event.migration.endTimeStampGpu);
	for (;; page = end) {
		page = bitmap_find(mask, UVM_BLOCK_PAGES, page, true);
		if (page == BITMAP_NONE)
			break;
		end = bitmap_find(mask, UVM_BLOCK_PAGES, page, false);
		if (end == BITMAP_NONE)
			end = UVM_BLOCK_PAGES;
		event.migration.address = base + (u64)page * OS_PAGE_SIZE;
		event.migration.migratedBytes = (u64)(end - page) * OS_PAGE_SIZE;
		if (uvm_event_is_wanted(space, UvmEventTypeMigration))
			uvm_event_record(space, &event);
		uvm_counter_add(space,
				to_gpu ? UvmCounterNameBytesXferHtD : UvmCounterNameBytesXferDtH,
				event.migration.migratedBytes, &gpu->info.uuid, true);
	}
}
