// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What clients map: memory of the driver's and of the GPUs' as descriptors on the client's
 * connection, and what has to stay for as long as the client has it mapped. A client that maps what
 * it got in another way than it was told reaches no more than the same memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/dgram.h"
#include "host/user/machine.h"
#include "os/user/user.h"

struct mapping {
	u64 id;
	struct rm_mapping *rm;	 /* of the driver's */
	struct dfile *uvm;	 /* in use: of unified memory, at these addresses */
	struct monitor *monitor; /* in use: of managed memory, there */
	struct area *areas;	 /* of that: where it is mapped */
	u64 address, size;
	struct bell *bell; /* a doorbell's page */
	struct watch *watch;
	struct mapping *next;
};

static u64 last_id; /* of all connections: what is left from a call that was given up is known */

/* -- The end ----------------------------------------------------------------------------------- */

/* May wait for the driver. */
static void mapping_free(struct mapping *mapping)
{
	if (mapping->watch)
		watch_end(mapping->watch);
	if (mapping->bell)
		bell_unmapped(mapping->bell);
	if (mapping->uvm) {
		dfile_unmapped(mapping->uvm, mapping->address, mapping->size);
		areas_end(&mapping->areas);
		dfile_put(mapping->uvm);
	}
	if (mapping->monitor)
		monitor_put(mapping->monitor);
	if (mapping->rm)
		rm_mapping_put(mapping->rm);
	free(mapping);
}

void mappings_free(struct mapping *first)
{
	while (first) {
		struct mapping *next = first->next;

		mapping_free(first);
		first = next;
	}
}

struct mapping *mappings_take(struct conn *conn)
{
	struct mapping *first;

	pthread_mutex_lock(&conn->lock);
	first = conn->mappings;
	conn->mappings = NULL;
	conn->mapping_count = 0;
	pthread_mutex_unlock(&conn->lock);
	return first;
}

/* -- Pieces ------------------------------------------------------------------------------------ */

struct pieces {
	struct conn *conn;
	struct lh_rights packet;
	int fds[LH_RIGHTS_MAX];
	bool opened[LH_RIGHTS_MAX]; /* by us */
	u32 packets;
	u64 at;
};

static void pieces_drop(struct pieces *p)
{
	for (u32 i = 0; i < p->packet.count; i++) {
		if (p->opened[i])
			close(p->fds[i]);
	}
	p->packet.count = 0;
}

/* Sends those that are gathered. 0 or an errno. */
static int pieces_flush(struct pieces *p)
{
	int rc = 0;

	if (!p->packet.count)
		return 0;
	if (p->packets == LH_RIGHTS_PACKETS)
		rc = -ENOMEM;
	else
		rc = dgram_send_all(p->conn->sock.fd, &p->packet, sizeof(p->packet), p->fds,
				    p->packet.count, MSG_DONTWAIT);
	p->packets++;
	pieces_drop(p);
	return rc == -EAGAIN || rc == -ETOOMANYREFS ? ENOMEM : -rc;
}

/* The same memory as somebody may have it who must not store there; -1 with errno. */
static int reopen_read_only(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Makes the last one longer where this goes on there. */
static bool pieces_extend(struct pieces *p, int fd, u64 offset, u64 size, bool writable)
{
	struct lh_map_piece *last;
	u32 i = p->packet.count;

	if (!i-- || !writable || p->opened[i] || p->fds[i] != fd)
		return false;
	last = &p->packet.pieces[i];
	if (last->offset + last->size != offset)
		return false;
	last->size += size;
	p->at += size;
	return true;
}

/* 0 or an errno. */
static int pieces_add(struct pieces *p, int fd, u64 offset, u64 size, bool writable)
{
	int seals = fcntl(fd, F_GET_SEALS);
	u32 i = p->packet.count;
	struct stat st;
	int rc;

	if (pieces_extend(p, fd, offset, size, writable))
		return 0;
	/* Memory that its holder could take away from under us goes to nobody. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		os_log(OS_LOG_ERROR, "memory that is not sealed was to be mapped");
		return EINVAL;
	}
	/*
	 * Nobody else may open it anew by another name, for more than was given. Once: a change
	 * waits for a client that has it already and is in the middle of a write to it.
	 */
	if (fstat(fd, &st) || ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600)))
		return errno;
	p->opened[i] = !writable;
	p->fds[i] = writable ? fd : reopen_read_only(fd);
	if (p->fds[i] < 0)
		return errno;
	p->packet.pieces[i] = (struct lh_map_piece){ p->at, offset, size, writable };
	p->packet.count++;
	p->at += size;
	rc = p->packet.count == LH_RIGHTS_MAX ? pieces_flush(p) : 0;
	return rc;
}

/* -- The driver's ------------------------------------------------------------------------------ */

static int status_errno(enum nv_status status)
{
	switch (status) {
	case NV_OK:
		return 0;
	case NV_ERR_NO_MEMORY:
		return ENOMEM;
	case NV_ERR_INSUFFICIENT_PERMISSIONS:
		return EACCES;
	case NV_ERR_SIGNAL_PENDING:
		return EINTR;
	case NV_ERR_GPU_IS_LOST:
		return ENODEV;
	default:
		return EINVAL;
	}
}

static int video_pieces(struct pieces *p, u32 gpu, u64 offset, u64 size, bool writable)
{
	while (size) {
		u64 fd_offset, fd_size;
		int fd, rc;

		rc = machine_video_export(daemon_machine(), gpu, p->conn->cred.uid, offset, size,
					  &fd, &fd_offset, &fd_size);
		if (!rc)
			rc = pieces_add(p, fd, fd_offset, fd_size, writable);
		if (rc)
			return rc;
		offset += fd_size;
		size -= fd_size;
	}
	return 0;
}

static int bar_pieces(struct pieces *p, struct mapping *mapping, const struct rm_map_extent *extent)
{
	struct machine *m = daemon_machine();
	u32 gpu = machine_gpu_of(m, mapping->rm->pci);
	int fd, rc;

	if (gpu == machine_gpu_count(m))
		return ENODEV;
	if (extent->bar == MACHINE_BAR_VIDEO)
		return video_pieces(p, gpu, extent->offset, extent->size, mapping->rm->writable);
	/* One doorbell a mapping: it is watched as a whole. */
	if (extent->bar || mapping->rm->count != 1 || extent->size > MACHINE_DOORBELL_SIZE)
		return EINVAL;
	rc = bell_get(gpu, mapping->rm->client, &fd, &mapping->bell);
	return rc ? rc : pieces_add(p, fd, 0, extent->size, mapping->rm->writable);
}

static int driver_pieces(struct pieces *p, struct mapping *mapping)
{
	const struct rm_mapping *rm = mapping->rm;
	int rc = 0;

	for (u32 i = 0; i < rm->count && !rc; i++) {
		const struct rm_map_extent *extent = &rm->extents[i];

		if (extent->kind == RM_MAP_BAR) {
			rc = bar_pieces(p, mapping, extent);
		} else {
			int fd = os_user_pages_fd(extent->pages);

			rc = fd < 0 ? EINVAL
				    : pieces_add(p, fd, extent->offset, extent->size, rm->writable);
		}
	}
	return rc ? rc : pieces_flush(p);
}

/* -- Unified memory's -------------------------------------------------------------------------- */

int uvm_errno(enum uvm_result result)
{
	static const u16 map[] = {
		[UVM_RESULT_OK] = 0,	      [UVM_RESULT_EINVAL] = EINVAL,
		[UVM_RESULT_EFAULT] = EFAULT, [UVM_RESULT_ENOMEM] = ENOMEM,
		[UVM_RESULT_EBADFD] = EBADFD, [UVM_RESULT_EOPNOTSUPP] = EOPNOTSUPP,
		[UVM_RESULT_EBUSY] = EBUSY,   [UVM_RESULT_EPERM] = EPERM,
		[UVM_RESULT_ENODEV] = ENODEV, [UVM_RESULT_EIO] = EIO,
	};

	return (u32)result < ARRAY_SIZE(map) ? map[result] : EIO;
}

struct uvm_part {
	struct pieces *pieces;
	u64 start, end; /* what is left of the mapping */
	int rc;
};

static enum uvm_result uvm_part_add(void *ctx, const struct uvm_extent *extent)
{
	struct uvm_part *part = ctx;
	u64 skip = part->start - extent->address;
	u64 size = extent->size - skip;
	int fd = os_user_pages_fd(extent->pages);

	if (extent->address > part->start || skip >= extent->size || fd < 0)
		return UVM_RESULT_EINVAL;
	if (size > part->end - part->start)
		size = part->end - part->start;
	part->rc = pieces_add(part->pieces, fd, extent->offset + skip, size, extent->writable);
	part->start += size;
	return part->rc ? UVM_RESULT_ENOMEM : UVM_RESULT_OK;
}

/* All of it at once: uvm leaves there what was given until the client unmaps it. */
static int uvm_pieces(struct pieces *p, const struct mapping *mapping, bool write)
{
	struct uvm_part part = { p, mapping->address, mapping->address + mapping->size, 0 };

	while (part.start < part.end) {
		struct uvm_extent extent;
		enum uvm_result result = uvm_file_fault(mapping->uvm->uvm, part.start, write,
							&extent, uvm_part_add, &part);

		if (result)
			return part.rc ? part.rc : uvm_errno(result);
	}
	return pieces_flush(p);
}

/* -- Requests ---------------------------------------------------------------------------------- */

/* Fills the mapping and sends its pieces. 0 or an errno. */
static int mapping_make(struct mapping *mapping, struct pieces *p, struct dfile *file,
			const struct lh_msg *msg)
{
	u64 address = msg->args[1], offset = msg->args[2], size = msg->args[3];
	bool write = msg->size & LH_MAP_WRITE;
	enum uvm_mmap_kind kind;
	int rc;

	if (!size || size % OS_PAGE_SIZE || offset % OS_PAGE_SIZE || address % OS_PAGE_SIZE ||
	    address + size < address || offset + size < offset)
		return EINVAL;
	if (file->rm) {
		rc = status_errno(rm_file_mmap(file->rm, offset, size, write, &mapping->rm));
		return rc ? rc : driver_pieces(p, mapping);
	}
	rc = uvm_errno(uvm_file_mmap(file->uvm, address, size, offset,
				     msg->size & (UVM_MMAP_READ | UVM_MMAP_WRITE | UVM_MMAP_SHARED),
				     &kind));
	if (rc)
		return rc;
	mapping->uvm = dfile_again(file);
	mapping->address = address;
	mapping->size = size;
	if (kind == UVM_MMAP_MANAGED) {
		mapping->monitor = monitor_of(p->conn);
		if (!mapping->monitor ||
		    !area_add(mapping->monitor, file, &mapping->areas, address, size))
			return ENOMEM;
	}
	return uvm_pieces(p, mapping, true);
}

_Static_assert(LH_MAP_READ == UVM_MMAP_READ && LH_MAP_WRITE == UVM_MMAP_WRITE &&
		       LH_MAP_SHARED == UVM_MMAP_SHARED,
	       "the same bits");

/* Adds it to the connection's. 0 or an errno. */
static int mapping_add(struct conn *conn, struct mapping *mapping)
{
	int rc = 0;

	pthread_mutex_lock(&conn->lock);
	if (os_load_relaxed(&conn->dead)) {
		rc = EPIPE;
	} else if (conn->mapping_count == DAEMON_MAX_MAPPINGS) {
		rc = ENOMEM;
	} else {
		mapping->next = conn->mappings;
		conn->mappings = mapping;
		conn->mapping_count++;
	}
	pthread_mutex_unlock(&conn->lock);
	return rc;
}

static struct mapping **mapping_find(struct conn *conn, u64 id)
{
	struct mapping **at = &conn->mappings;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

void serve_map(struct channel *ch, struct lh_msg *msg)
{
	struct dfile *file = dfile_get(ch->conn, msg->args[0]);
	struct pieces pieces = { .conn = ch->conn };
	struct mapping *mapping;
	int rc = ENOMEM;

	msg->result = -EBADF;
	if (!file)
		return;
	mapping = calloc(1, sizeof(*mapping));
	if (!mapping)
		goto out;
	mapping->id = os_fetch_add(&last_id, 1) + 1;
	pieces.packet.magic = LH_MAGIC;
	pieces.packet.mapping = mapping->id;
	rc = mapping_make(mapping, &pieces, file, msg);
	pieces_drop(&pieces);
	if (!rc) {
		msg->args[LH_MAPPED_ID] = mapping->id;
		msg->args[LH_MAPPED_PACKETS] = pieces.packets;
		msg->args[LH_MAPPED_FLAGS] = mapping->bell ? LH_MAPPED_DOORBELL : 0;
		if (mapping->bell || mapping->uvm)
			msg->args[LH_MAPPED_FLAGS] |= LH_MAPPED_NO_FORK;
		if (mapping->monitor && monitor_wants(mapping->monitor))
			msg->args[LH_MAPPED_FLAGS] |= LH_MAPPED_MONITOR;
		rc = mapping_add(ch->conn, mapping);
	}
	if (rc)
		mapping_free(mapping);
out:
	msg->result = -rc;
	msg->size = 0;
	dfile_put(file);
}

static bool is_part(const struct mapping *mapping, u64 address, u64 size)
{
	return address >= mapping->address && address - mapping->address <= mapping->size &&
	       size <= mapping->size - (address - mapping->address);
}

/* Where the mapping is gone meanwhile, so are its areas. */
static void cut_areas(struct conn *conn, u64 id, u64 address, u64 size)
{
	struct mapping **at;

	pthread_mutex_lock(&conn->lock);
	at = mapping_find(conn, id);
	if (*at)
		area_cut(&(*at)->areas, address, size);
	pthread_mutex_unlock(&conn->lock);
}

void serve_unmap(struct channel *ch, struct lh_msg *msg)
{
	u64 address = msg->args[1], size = msg->args[2];
	struct mapping *ended = NULL, *found, **at;
	struct dfile *uvm = NULL;

	msg->result = -EINVAL;
	pthread_mutex_lock(&ch->conn->lock);
	at = mapping_find(ch->conn, msg->args[0]);
	found = *at;
	if (!found || (found->uvm && !is_part(found, address, size))) {
		pthread_mutex_unlock(&ch->conn->lock);
		return;
	}
	/* As munmap does where the kernel has no more mappings for a process. */
	if (!msg->args[3] && !area_may_cut(&found->areas, address, size)) {
		pthread_mutex_unlock(&ch->conn->lock);
		msg->result = -ENOMEM;
		return;
	}
	if (msg->args[3]) {
		/* What went before may be another mapping's by now. */
		found->address = address;
		found->size = size;
		ended = found;
		*at = ended->next;
		ch->conn->mapping_count--;
	} else if (found->uvm) {
		uvm = dfile_again(found->uvm);
	}
	msg->result = 0;
	pthread_mutex_unlock(&ch->conn->lock);
	if (uvm) {
		dfile_unmapped(uvm, address, size);
		cut_areas(ch->conn, msg->args[0], address, size);
		dfile_put(uvm);
	}
	if (ended)
		mapping_free(ended);
}

void serve_watch(struct channel *ch, struct lh_msg *msg)
{
	int fd = conn_take_right(ch->conn, msg->args[1], true);
	struct mapping **at;
	struct watch *watch;
	struct bell *bell = NULL;

	msg->result = -EINVAL;
	if (fd < 0)
		return;
	pthread_mutex_lock(&ch->conn->lock);
	at = mapping_find(ch->conn, msg->args[0]);
	if (*at && (*at)->bell && !(*at)->watch)
		bell = bell_again((*at)->bell);
	pthread_mutex_unlock(&ch->conn->lock);
	if (!bell) {
		close(fd);
		return;
	}
	watch = watch_begin(bell, fd, msg->args[2], ch->conn->cred.uid);
	if (watch) {
		pthread_mutex_lock(&ch->conn->lock);
		at = mapping_find(ch->conn, msg->args[0]);
		if (*at && !(*at)->watch) {
			(*at)->watch = watch;
			watch = NULL;
			msg->result = 0;
		}
		pthread_mutex_unlock(&ch->conn->lock);
		if (watch)
			watch_end(watch);
	}
	bell_put(bell);
}
