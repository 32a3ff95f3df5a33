// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that clients have mapped: which process has what of a file where, and so whose
 * monitor is to take it away, and which file a process touched.
 *
 *   dfile --- area (address, size) --- monitor of the process, one a connection
 *
 * An area is there from before its client has the memory until unified memory knows that it is
 * unmapped: what no area covers nobody has mapped.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/user/daemon_monitor.h"
#include "os/user/user.h"

#define BLOCK MIB(2)		      /* unified memory moves it in parts of these */
#define PARTS_MAX 8u		      /* of one that moves */
#define AREAS_MAX DAEMON_MAX_MAPPINGS /* of one monitor, as a process's mappings are limited */

struct area {
	struct monitor *monitor;
	struct dfile *file; /* like the monitor, in use by the mapping */
	u64 address, size;
	bool returned; /* what GPUs have of it has been asked back for good */
	struct list_node node;
	struct area *next, **at; /* of the file's, and what points here */
	struct area *sibling;	 /* of the mapping's */
};

/* Outside of monitor->lock; nothing is waited for under it. */
static pthread_mutex_t areas_lock = PTHREAD_MUTEX_INITIALIZER;

/* -- Monitors ---------------------------------------------------------------------------------- */

static struct monitor *monitor_create(const struct conn *conn)
{
	struct monitor *m = calloc(1, sizeof(*m));
	pthread_condattr_t attr;

	if (!m)
		return NULL;
	m->conn = conn->id;
	m->uid = conn->cred.uid;
	m->pid = conn->cred.pid;
	m->uffd = m->wake = m->spare = m->pidfd = -1;
	m->users = 1;
	list_init(&m->areas);
	pthread_mutex_init(&m->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->changed, &attr);
	pthread_condattr_destroy(&attr);
	return m;
}

struct monitor *monitor_of(struct conn *conn)
{
	struct monitor *m;

	pthread_mutex_lock(&conn->lock);
	if (!conn->monitor)
		conn->monitor = monitor_create(conn);
	m = conn->monitor;
	if (m) {
		pthread_mutex_lock(&areas_lock);
		m->users++;
		pthread_mutex_unlock(&areas_lock);
	}
	pthread_mutex_unlock(&conn->lock);
	return m;
}

void monitor_put(struct monitor *m)
{
	bool last;

	pthread_mutex_lock(&areas_lock);
	last = --m->users == 0;
	pthread_mutex_unlock(&areas_lock);
	if (last)
		monitor_end(m);
}

bool monitor_wants(struct monitor *m)
{
	bool wants;

	pthread_mutex_lock(&areas_lock);
	wants = !m->watched && !m->retired;
	pthread_mutex_unlock(&areas_lock);
	return wants;
}

/* -- Areas ------------------------------------------------------------------------------------- */

/* Locked. */
static void area_link(struct area *area, struct area **mapping)
{
	area->next = area->file->areas;
	if (area->next)
		area->next->at = &area->next;
	area->at = &area->file->areas;
	area->file->areas = area;
	area->sibling = *mapping;
	*mapping = area;
	/* Newest first, but for those that were returned. */
	if (area->returned)
		list_add_tail(&area->node, &area->monitor->areas);
	else
		list_add_head(&area->node, &area->monitor->areas);
	area->monitor->area_count++;
}

bool area_add(struct monitor *m, struct dfile *file, struct area **mapping, u64 address, u64 size)
{
	struct area *area = malloc(sizeof(*area));
	bool fits;

	if (!area)
		return false;
	*area = (struct area){ .monitor = m, .file = file, .address = address, .size = size };
	pthread_mutex_lock(&areas_lock);
	fits = m->area_count < AREAS_MAX;
	if (fits)
		area_link(area, mapping);
	pthread_mutex_unlock(&areas_lock);
	if (!fits)
		free(area);
	return fits;
}

static bool overlaps(const struct area *area, u64 address, u64 size)
{
	return area->address < address + size && address < area->address + area->size;
}

/* Locked. *at is one of a mapping's. */
static void area_free(struct area **at)
{
	struct area *area = *at;

	*at = area->sibling;
	*area->at = area->next;
	if (area->next)
		area->next->at = area->at;
	area->file->area_hit = NULL;
	list_del(&area->node);
	area->monitor->area_count--;
	free(area);
}

/* Something is left of it on both sides. */
static bool is_split(const struct area *area, u64 address, u64 size)
{
	return address > area->address && address + size < area->address + area->size;
}

/* Locked. Leaves what of it lies outside, which is something. */
static void area_cut_one(struct area *area, struct area **mapping, u64 address, u64 size)
{
	struct area *upper;
	u64 end = area->address + area->size, cut_end = address + size;

	if (is_split(area, address, size)) {
		upper = malloc(sizeof(*upper));
		/* Else what is cut out counts as mapped: it can then be taken from nobody. */
		if (upper) {
			*upper = *area;
			upper->address = cut_end;
			upper->size = end - cut_end;
			list_node_init(&upper->node);
			area_link(upper, mapping);
			area->size = address - area->address;
		}
	} else if (address > area->address) {
		area->size = address - area->address;
	} else {
		area->address = cut_end;
		area->size = end - cut_end;
	}
	area->file->area_hit = NULL;
}

/* As uvm_file_munmap takes it. */
static bool is_range(u64 address, u64 *size)
{
	if (!*size || !is_aligned(address, OS_PAGE_SIZE))
		return false;
	*size = align_up(*size, OS_PAGE_SIZE);
	return true;
}

bool area_may_cut(struct area *const *mapping, u64 address, u64 size)
{
	const struct area *area;
	bool may = true;

	if (!is_range(address, &size))
		return true;
	pthread_mutex_lock(&areas_lock);
	area = *mapping;
	if (area && area->monitor->area_count >= AREAS_MAX) {
		for (; area && may; area = area->sibling)
			may = !is_split(area, address, size);
	}
	pthread_mutex_unlock(&areas_lock);
	return may;
}

void area_cut(struct area **mapping, u64 address, u64 size)
{
	struct area **at = mapping;
	u64 left;

	if (!is_range(address, &size))
		return;
	left = size;
	pthread_mutex_lock(&areas_lock);
	while (*at && left) {
		struct area *area = *at;

		if (overlaps(area, address, size)) {
			left -= min(address + size, area->address + area->size) -
				max(address, area->address);
			if (address <= area->address &&
			    area->address + area->size <= address + size) {
				area_free(at);
				continue;
			}
			area_cut_one(area, mapping, address, size);
		}
		at = &area->sibling;
	}
	pthread_mutex_unlock(&areas_lock);
}

void areas_end(struct area **mapping)
{
	pthread_mutex_lock(&areas_lock);
	while (*mapping)
		area_free(mapping);
	pthread_mutex_unlock(&areas_lock);
}

/* -- Faults ------------------------------------------------------------------------------------ */

/* The nth area that has the address, newest first, its file in use; NULL: there are no more. */
static struct dfile *area_file(struct monitor *m, u64 address, u32 nth)
{
	struct dfile *file = NULL;
	struct area *area;

	pthread_mutex_lock(&areas_lock);
	list_for_each_entry (area, &m->areas, node) {
		if (!overlaps(area, address, 1) || nth--)
			continue;
		file = dfile_again(area->file);
		break;
	}
	pthread_mutex_unlock(&areas_lock);
	return file;
}

enum uvm_result area_fault(struct monitor *m, u64 address, struct uvm_extent *extent,
			   enum uvm_result (*map)(void *ctx, const struct uvm_extent *extent),
			   void *ctx)
{
	enum uvm_result result = UVM_RESULT_EFAULT;
	struct dfile *file;

	for (u32 nth = 0; result == UVM_RESULT_EFAULT && (file = area_file(m, address, nth));
	     nth++) {
		result = uvm_file_fault(file->uvm, address, true, extent, map, ctx);
		dfile_put(file);
	}
	return result;
}

/* -- Taking away ------------------------------------------------------------------------------- */

/* A part of what moves that one process has mapped, and its block there. */
struct part {
	struct monitor *monitor; /* referenced */
	u64 start, size;
	u64 whole_start, whole_size;
};

static bool usable(struct monitor *m)
{
	return m->watched && !m->retired && !monitor_is_stuck(m);
}

/* Locked. */
static void part_set(struct part *part, const struct area *area, u64 address, u64 size)
{
	u64 end = min(address + size, area->address + area->size);
	u64 whole_end = min(align_up(address + size, BLOCK), area->address + area->size);

	part->monitor = area->monitor;
	part->start = max(address, area->address);
	part->size = end - part->start;
	part->whole_start = max(align_down(address, BLOCK), area->address);
	part->whole_size = whole_end - part->whole_start;
	monitor_ref(part->monitor);
}

static void parts_drop(struct part *parts, u32 count)
{
	while (count)
		monitor_unref(parts[--count].monitor);
}

/* False where there are more than can be dealt with, or one that cannot be. */
static bool parts_find(struct dfile *file, u64 address, u64 size, struct part *parts, u32 *count)
{
	struct area *area;
	bool ok = true;

	*count = 0;
	pthread_mutex_lock(&areas_lock);
	/* Mappings of a file do not overlap. */
	area = file->area_hit;
	if (area && area->address <= address && address + size <= area->address + area->size) {
		ok = usable(area->monitor);
		if (ok)
			part_set(&parts[(*count)++], area, address, size);
		goto out;
	}
	for (area = file->areas; area && ok; area = area->next) {
		if (!overlaps(area, address, size))
			continue;
		ok = *count < PARTS_MAX && usable(area->monitor);
		if (ok)
			part_set(&parts[(*count)++], area, address, size);
		file->area_hit = area;
	}
out:
	pthread_mutex_unlock(&areas_lock);
	if (!ok)
		parts_drop(parts, *count);
	return ok;
}

bool area_movable(void *host_ctx, u64 address, u64 size)
{
	struct part parts[PARTS_MAX];
	u32 count;

	if (!parts_find(host_ctx, address, size, parts, &count))
		return false;
	parts_drop(parts, count);
	return true;
}

bool area_protect(void *host_ctx, u64 address, u64 size)
{
	struct part parts[PARTS_MAX];
	bool held = true;
	u32 count;

	if (!parts_find(host_ctx, address, size, parts, &count))
		return false;
	for (u32 i = 0; i < count && held; i++)
		held = monitor_hold(parts[i].monitor, parts[i].start, parts[i].size,
				    parts[i].whole_start, parts[i].whole_size);
	parts_drop(parts, count);
	return held;
}

void area_discard(void *host_ctx, const struct uvm_extent *extent)
{
	struct dfile *file = host_ctx;
	struct monitor *m = NULL;
	struct area *area;

	/* Any that has some of it mapped: it goes from all. */
	pthread_mutex_lock(&areas_lock);
	for (area = file->areas; area && !m; area = area->next) {
		if (overlaps(area, extent->address, extent->size) && area->monitor->watched)
			m = area->monitor;
	}
	if (m)
		monitor_ref(m);
	pthread_mutex_unlock(&areas_lock);
	/* Mapped by nobody it does no harm where it is. */
	if (!m)
		return;
	if (!monitor_discard(m, os_user_pages_fd(extent->pages), extent->offset, extent->size)) {
		os_log(OS_LOG_WARN, "process %d does not let go of memory that moves", m->pid);
		conn_expel(m->conn);
	}
	monitor_unref(m);
}

/* -- Requests ---------------------------------------------------------------------------------- */

void serve_monitor(struct channel *ch, struct lh_msg *msg)
{
	int fd = conn_take_right(ch->conn, msg->args[0], true);
	struct monitor *m;
	bool wants;

	msg->result = -EINVAL;
	if (fd < 0)
		return;
	m = monitor_of(ch->conn);
	if (!m) {
		close(fd);
		msg->result = -ENOMEM;
		return;
	}
	pthread_mutex_lock(&areas_lock);
	wants = !m->watched && !m->starting;
	if (wants)
		m->starting = true;
	pthread_mutex_unlock(&areas_lock);
	if (wants) {
		msg->result = -monitor_start(m, fd);
		pthread_mutex_lock(&areas_lock);
		m->starting = false;
		m->watched = msg->result == 0;
		pthread_mutex_unlock(&areas_lock);
	} else {
		close(fd);
	}
	monitor_put(m);
}

/* One that is to be asked back, its file in use; NULL: there are no more. Those that were are last.
 */
static struct dfile *area_to_return(struct monitor *m, u64 *address, u64 *size)
{
	struct dfile *file = NULL;
	struct area *area;

	pthread_mutex_lock(&areas_lock);
	list_for_each_entry (area, &m->areas, node) {
		if (area->returned)
			break;
		area->returned = true;
		*address = area->address;
		*size = area->size;
		file = dfile_again(area->file);
		list_del(&area->node);
		list_add_tail(&area->node, &m->areas);
		break;
	}
	pthread_mutex_unlock(&areas_lock);
	return file;
}

void serve_retire(struct channel *ch, struct lh_msg *msg)
{
	struct monitor *m = monitor_of(ch->conn);
	struct dfile *file;
	u64 address, size;

	msg->result = 0;
	if (!m)
		return;
	pthread_mutex_lock(&areas_lock);
	m->retired = true;
	pthread_mutex_unlock(&areas_lock);
	while ((file = area_to_return(m, &address, &size))) {
		uvm_file_bring_back(file->uvm, address, size);
		dfile_put(file);
	}
	monitor_put(m);
}
