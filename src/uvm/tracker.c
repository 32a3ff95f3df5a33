// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Trackers: which pushes are to be done before something else (uvm/push.h). */
#include "uvm/queue.h"

struct uvm_tracker_entry *uvm_tracker_entries(struct uvm_tracker *tracker)
{
	return tracker->more ? tracker->more : tracker->few;
}

/* Room for one more. */
static enum nv_status grow(struct uvm_tracker *tracker)
{
	u32 capacity = tracker->more ? tracker->capacity : UVM_TRACKER_FEW;
	struct uvm_tracker_entry *more;

	if (tracker->count < capacity)
		return NV_OK;
	more = os_alloc(2 * capacity * sizeof(*more));
	if (!more)
		return NV_ERR_NO_MEMORY;
	os_memcpy(more, uvm_tracker_entries(tracker), tracker->count * sizeof(*more));
	os_free(tracker->more);
	tracker->more = more;
	tracker->capacity = 2 * capacity;
	return NV_OK;
}

enum nv_status uvm_tracker_add(struct uvm_tracker *tracker, const struct uvm_tracker_entry *entry)
{
	struct uvm_tracker_entry *entries = uvm_tracker_entries(tracker);
	enum nv_status status;
	u32 i;

	for (i = 0; i < tracker->count; i++) {
		/* A queue's pushes are done in their order. */
		if (entries[i].queue == entry->queue) {
			entries[i].value = max(entries[i].value, entry->value);
			return NV_OK;
		}
	}
	if (!uvm_tracker_is_done(tracker)) {
		status = grow(tracker);
		if (status != NV_OK)
			return status;
	}
	uvm_tracker_entries(tracker)[tracker->count++] = *entry;
	return NV_OK;
}

enum nv_status uvm_tracker_join(struct uvm_tracker *tracker, const struct uvm_tracker *other)
{
	const struct uvm_tracker_entry *entries = other->more ? other->more : other->few;
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < other->count && status == NV_OK; i++)
		status = uvm_tracker_add(tracker, &entries[i]);
	return status;
}

bool uvm_tracker_is_done(struct uvm_tracker *tracker)
{
	struct uvm_tracker_entry *entries = uvm_tracker_entries(tracker);
	u32 i, kept = 0;

	for (i = 0; i < tracker->count; i++) {
		if (!uvm_entry_is_done(&entries[i]))
			entries[kept++] = entries[i];
	}
	tracker->count = kept;
	return !kept;
}

enum nv_status uvm_tracker_wait(struct uvm_tracker *tracker)
{
	struct uvm_tracker_entry *entries = uvm_tracker_entries(tracker);
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < tracker->count; i++) {
		enum nv_status each = uvm_entry_wait(&entries[i]);

		if (status == NV_OK)
			status = each;
	}
	tracker->count = 0;
	return status;
}

enum nv_status uvm_tracker_wait_others(struct uvm_tracker *tracker, const struct uvm_device *device)
{
	struct uvm_tracker_entry *entries = uvm_tracker_entries(tracker);
	enum nv_status status = NV_OK;
	u32 i, kept = 0;

	for (i = 0; i < tracker->count; i++) {
		enum nv_status each = NV_OK;

		if (entries[i].queue->device == device)
			entries[kept++] = entries[i];
		else
			each = uvm_entry_wait(&entries[i]);
		if (status == NV_OK)
			status = each;
	}
	tracker->count = kept;
	return status;
}

void uvm_tracker_fini(struct uvm_tracker *tracker)
{
	os_free(tracker->more);
	os_memset(tracker, 0, sizeof(*tracker));
}
