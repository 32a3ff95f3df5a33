// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * mmap of the driver's descriptors, and the end of such mappings. The daemon sends the memory
 * behind a mapping as descriptors, which are mapped over the place that was reserved for it, and
 * closed.
 *
 * The list of areas stays locked from before the kernel's mappings change until the daemon knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/dgram.h"
#include "host/user/preload/conn.h"

#define PAGE 4096u

static void *raw_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	/* Allocators call this early: before the C library's own function can be looked up. */
	return (void *)syscall(SYS_mmap, addr, size, prot, flags, fd, offset);
}

static u64 page_up(u64 size)
{
	return (size + PAGE - 1) & ~(u64)(PAGE - 1);
}

/* -- The end of mappings ------------------------------------------------------------------------
 */

void lh_unmapped(const struct lh_area *cut)
{
	bool last = !lh_area_has(cut->kind, cut->number);
	struct lh_msg msg = { .op = LH_OP_UNMAP,
			      .args = { cut->number, cut->start, cut->end - cut->start, last } };
	int saved = errno;
	struct lh_chan *chan;

	if (cut->kind == LH_AREA_PINNED) {
		if (!last)
			return;
		msg = (struct lh_msg){ .op = LH_OP_UNPIN, .args = { cut->number } };
	}
	if (cut->generation != lh_generation())
		return;
	chan = lh_enter_at(__builtin_frame_address(0));
	if (chan) {
		if (chan->generation == cut->generation)
			lh_exchange(chan, &msg);
		lh_leave();
	}
	errno = saved;
}

/* What the kernel unmapped there. Areas locked. */
static void areas_gone(u64 start, u64 size)
{
	struct lh_area cut;

	while (lh_area_cut(start, start + size, &cut))
		lh_unmapped(&cut);
}

EXPORT int munmap(void *addr, size_t size)
{
	u64 start = (u64)(uintptr_t)addr;
	sigset_t before;
	int rc;

	if (!lh_area_near(start, page_up(size)) || !lh_area_lock(&before))
		return (int)syscall(SYS_munmap, addr, size);
	rc = (int)syscall(SYS_munmap, addr, size);
	if (!rc)
		areas_gone(start, page_up(size));
	lh_area_unlock(&before);
	return rc;
}

/* -- Mapping -------------------------------------------------------------------------------------
 */

struct request {
	void *addr;
	size_t size;
	int prot, flags, fd;
	off_t offset;
	bool reserved; /* by us, and nothing of the program's */
};

/* Maps the pieces of one packet. 0 or an errno. */
static int packet_map(const struct request *r, const struct lh_rights *rights, const int *fds,
		      u32 count)
{
	const int flags = (r->flags & ~MAP_FIXED_NOREPLACE) | MAP_FIXED;

	if (count != rights->count)
		return ENOMEM; /* of descriptors */
	for (u32 i = 0; i < count; i++) {
		const struct lh_map_piece *piece = &rights->pieces[i];

		if (piece->address > r->size || piece->size > page_up(r->size) - piece->address)
			return EINVAL;
		if (raw_mmap((char *)r->addr + piece->address, piece->size, r->prot, flags, fds[i],
			     (off_t)piece->offset) == MAP_FAILED)
			return errno;
	}
	return 0;
}

/* Receives and maps all packets of a mapping; others are of calls that came to nothing. */
static int packets_map(struct lh_chan *chan, const struct request *r, u64 mapping, u64 packets)
{
	struct lh_rights rights;
	int fds[LH_RIGHTS_MAX], rc = 0;
	sigset_t before;
	u32 count;

	lh_own_lock(&before);
	while (packets && !rc) {
		int n = lh_own_receive(lh_link_slot(chan->link), &rights, fds, &count);

		if (n == -EMSGSIZE)
			rc = EMFILE;
		else if (n < 0)
			rc = EIO;
		else if (n == sizeof(rights) && rights.magic == LH_MAGIC &&
			 rights.mapping == mapping) {
			rc = packet_map(r, &rights, fds, count);
			packets--;
		}
		while (count)
			syscall(SYS_close, fds[--count]);
	}
	lh_own_unlock(&before);
	return rc;
}

/* Packets that nobody took. */
static void packets_drop(struct lh_chan *chan)
{
	struct lh_rights rights;
	int fds[LH_RIGHTS_MAX];
	sigset_t before;
	u32 count;

	lh_own_lock(&before);
	for (;;) {
		int n = lh_own_receive(lh_link_slot(chan->link), &rights, fds, &count);

		while (count)
			syscall(SYS_close, fds[--count]);
		if (n <= 0 && n != -EMSGSIZE)
			break;
	}
	lh_own_unlock(&before);
}

static u32 map_bits(const struct request *r)
{
	const int type = r->flags & MAP_TYPE;

	return (r->prot & PROT_READ ? LH_MAP_READ : 0) | (r->prot & PROT_WRITE ? LH_MAP_WRITE : 0) |
	       (type == MAP_SHARED || type == MAP_SHARED_VALIDATE ? LH_MAP_SHARED : 0);
}

/* Asks the daemon, and maps what it sends. 0 or an errno. Areas locked. */
static int request_serve(struct lh_chan *chan, const struct request *r)
{
	struct lh_area area = { .start = (u64)(uintptr_t)r->addr,
				.end = (u64)(uintptr_t)r->addr + page_up(r->size),
				.kind = LH_AREA_DEVICE };
	struct lh_msg msg;
	struct lh_file file;
	int rc = 0;

	packets_drop(chan);
	for (u32 attempt = 0; attempt < 2; attempt++) {
		rc = lh_fd_file(chan, r->fd, &file);
		if (rc)
			return rc;
		msg = (struct lh_msg){ .op = LH_OP_MAP,
				       .args = { file.id, area.start, (u64)r->offset,
						 page_up(r->size) },
				       .size = map_bits(r) };
		rc = -lh_exchange(chan, &msg);
		if (rc != EBADF)
			break;
		/* The table is out of date, as with an ioctl. */
		lh_fd_unbind(r->fd);
	}
	if (rc)
		return rc == EBADF ? EINVAL : rc;
	area.number = msg.args[LH_MAPPED_ID];
	area.generation = chan->generation;
	area.whole = tree_node_is_uvm(file.node);
	rc = packets_map(chan, r, area.number, msg.args[LH_MAPPED_PACKETS]);
	if (!rc && !lh_area_add(&area))
		rc = ENOMEM;
	if (rc) {
		lh_unmapped(&area);
		return rc;
	}
	if (msg.args[LH_MAPPED_FLAGS] & LH_MAPPED_NO_FORK)
		madvise(r->addr, page_up(r->size), MADV_DONTFORK);
	if (msg.args[LH_MAPPED_FLAGS] & LH_MAPPED_DOORBELL)
		lh_doorbell_watch(chan, area.number, area.start);
	if (msg.args[LH_MAPPED_FLAGS] & LH_MAPPED_MONITOR)
		lh_monitor_offer(chan);
	return 0;
}

/* The place: the program's choice, or one that is reserved until the map is made. 0 or an errno. */
static int request_place(struct request *r)
{
	const int kept = r->flags & (MAP_FIXED_NOREPLACE | MAP_32BIT);
	void *at;

	if ((r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == MAP_FIXED) {
		if ((uintptr_t)r->addr % PAGE)
			return EINVAL;
		/* As the kernel does: what was there goes first. */
		if (lh_area_near((u64)(uintptr_t)r->addr, page_up(r->size))) {
			if (syscall(SYS_munmap, r->addr, r->size))
				return errno;
			areas_gone((u64)(uintptr_t)r->addr, page_up(r->size));
		}
		return 0;
	}
	at = raw_mmap(r->addr, r->size, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | kept, -1, 0);
	if (at == MAP_FAILED)
		return errno;
	r->addr = at;
	r->reserved = true;
	return 0;
}

static int request_check(const struct request *r)
{
	const int type = r->flags & MAP_TYPE;

	if (!r->size || (r->offset & (PAGE - 1)) || page_up(r->size) < r->size)
		return EINVAL;
	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return EINVAL;
	return 0;
}

static void *device_map(struct request *r)
{
	int saved = errno, rc = request_check(r);
	struct lh_chan *chan = NULL;
	sigset_t before;

	if (!rc) {
		chan = lh_enter();
		if (!chan)
			return MAP_FAILED;
		rc = lh_area_lock(&before) ? 0 : ENOMEM;
	}
	if (!rc) {
		rc = request_place(r);
		if (!rc) {
			rc = request_serve(chan, r);
			if (rc && r->reserved)
				syscall(SYS_munmap, r->addr, r->size);
		}
		lh_area_unlock(&before);
	}
	if (chan)
		lh_leave();
	errno = rc ? rc : saved;
	return rc ? MAP_FAILED : r->addr;
}

static void *mapping(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	struct request r = { addr, size, prot, flags, fd, offset, false };
	const bool device = fd >= 0 && !(flags & MAP_ANONYMOUS);
	int saved = errno;
	sigset_t before;
	void *mem;

	if (device && lh_fd_known(fd) && !lh_borrowed())
		return device_map(&r);
	if ((flags & MAP_FIXED) && lh_area_near((u64)(uintptr_t)addr, page_up(size)) &&
	    lh_area_lock(&before)) {
		mem = raw_mmap(addr, size, prot, flags, fd, offset);
		if (mem != MAP_FAILED)
			areas_gone((u64)(uintptr_t)addr, page_up(size));
		lh_area_unlock(&before);
	} else {
		mem = raw_mmap(addr, size, prot, flags, fd, offset);
	}
	if (mem == MAP_FAILED && errno == ENODEV && device && lh_fd_ours(fd) && !lh_borrowed())
		return device_map(&r);
	if (mem != MAP_FAILED)
		errno = saved;
	return mem;
}

EXPORT void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	return mapping(addr, size, prot, flags, fd, offset);
}

EXPORT void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off64_t offset)
{
	return mapping(addr, size, prot, flags, fd, offset);
}

/* -- mremap --------------------------------------------------------------------------------------
 */

/* The areas of [from, from + size) are by that much further up now. Areas locked. */
static void areas_moved(u64 from, u64 distance, u64 size)
{
	const u64 end = from + size;
	struct lh_area cut;

	/* The kernel does not move onto what it moves: none is met again. */
	while (lh_area_cut(from, end, &cut)) {
		cut.start += distance;
		cut.end += distance;
		lh_area_add(&cut);
	}
}

/* Whether the kernel would let the driver's mapping be made so. 0 or an errno. Areas locked. */
static int remap_allowed(u64 from, u64 old_size, u64 new_size)
{
	const struct lh_area *area = lh_area_next(from);

	if (!area || area->start >= from + (old_size ? old_size : 1) ||
	    area->kind != LH_AREA_DEVICE)
		return 0;
	if (area->whole)
		return EINVAL;
	/* They do not grow, and nothing is mapped twice. */
	return new_size > old_size || !old_size ? EFAULT : 0;
}

static void *remap(u64 from, u64 old_size, u64 new_size, int flags, void *target)
{
	int rc = remap_allowed(from, old_size, new_size);
	void *to;

	if (rc) {
		errno = rc;
		return MAP_FAILED;
	}
	to = (void *)syscall(SYS_mremap, from, old_size, new_size, flags, target);
	if (to == MAP_FAILED)
		return to;
	if (flags & MREMAP_FIXED)
		areas_gone((u64)(uintptr_t)to, new_size);
	if (new_size < old_size)
		areas_gone(from + new_size, old_size - new_size);
	if ((u64)(uintptr_t)to != from)
		areas_moved(from, (u64)(uintptr_t)to - from,
			    new_size < old_size ? new_size : old_size);
	return to;
}

EXPORT void *mremap(void *old, size_t old_size, size_t new_size, int flags, ...)
{
	u64 from = (u64)(uintptr_t)old;
	void *target = NULL, *to;
	sigset_t before;
	va_list ap;

	if (flags & MREMAP_FIXED) {
		va_start(ap, flags);
		target = va_arg(ap, void *);
		va_end(ap);
	}
	old_size = page_up(old_size);
	new_size = page_up(new_size);
	if ((!lh_area_near(from, old_size ? old_size : 1) &&
	     (!target || !lh_area_near((u64)(uintptr_t)target, new_size))) ||
	    !lh_area_lock(&before))
		return (void *)syscall(SYS_mremap, old, old_size, new_size, flags, target);
	to = remap(from, old_size, new_size, flags, target);
	lh_area_unlock(&before);
	return to;
}
