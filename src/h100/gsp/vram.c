// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Video memory: the mapping, and ranges of it that clients map too.
 *
 * An export's memfd has nothing but the export's bytes in it, and is sealed against a change of
 * size: whoever has it reaches nothing else, and cannot take pages from under this process. After a
 * discard it is nobody's here, so what its clients still do to it is their own affair.
 */
#include "h100/gsp/vram.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "h100/engine/memory.h"
#include "h100/h100.h"
#include "os/os.h"

/* Pieces of one export share its descriptor. */
struct vram_file {
	int fd;
	u32 pieces;
	u32 owner;
};

struct vram_export {
	u64 start, end;	 /* in video memory */
	u64 file_offset; /* of start */
	struct vram_file *file;
};

#define ROOM_MIN 64u
#define RETRIES 100u /* of what must not fail, a millisecond apart */

enum nv_status vram_create(struct vram *v, u64 size)
{
	void *memory = MAP_FAILED;

	memset(v, 0, sizeof(*v));
	v->size = size;
	v->fd = memfd_create("h100 video memory", MFD_CLOEXEC);
	if (v->fd < 0)
		return NV_ERR_NO_MEMORY;
	if (pthread_mutex_init(&v->lock, NULL) != 0)
		goto fail_lock;
	if (ftruncate(v->fd, (off_t)size) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, v->fd,
			      0);
	if (memory == MAP_FAILED)
		goto fail_map;
	/* A core dump of what drives 16 GPUs would be over a terabyte long. */
	madvise(memory, size, MADV_DONTDUMP);
	v->video = memory;
	return NV_OK;

fail_map:
	pthread_mutex_destroy(&v->lock);
fail_lock:
	close(v->fd);
	v->fd = -1;
	return NV_ERR_NO_MEMORY;
}

static bool descriptor_take(struct vram *v, u32 owner)
{
	return !v->host || !v->host->video_take || v->host->video_take(v->host->ctx, owner);
}

static void descriptor_give(struct vram *v, u32 owner)
{
	if (v->host && v->host->video_give)
		v->host->video_give(v->host->ctx, owner);
}

static void file_put(struct vram *v, struct vram_file *file)
{
	if (--file->pieces != 0)
		return;
	close(file->fd);
	descriptor_give(v, file->owner);
	os_free(file);
}

void vram_destroy(struct vram *v)
{
	for (u32 i = 0; i < v->count; i++)
		file_put(v, v->exports[i].file);
	os_free(v->exports);
	munmap(v->video, v->size);
	pthread_mutex_destroy(&v->lock);
	close(v->fd);
}

/* -- The list ---------------------------------------------------------------------------------- */

/* The first export that ends behind offset, or count. */
static u32 export_after(const struct vram *v, u64 offset)
{
	u32 low = 0, high = v->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (v->exports[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool list_reserve(struct vram *v)
{
	u32 room = max(2 * v->room, ROOM_MIN);
	struct vram_export *exports;

	if (v->count < v->room)
		return true;
	exports = os_alloc(room * sizeof(*exports));
	if (!exports)
		return false;
	os_memcpy(exports, v->exports, v->count * sizeof(*exports));
	os_free(v->exports);
	v->exports = exports;
	v->room = room;
	return true;
}

/* There is room. */
static void list_insert(struct vram *v, u32 at, const struct vram_export *e)
{
	memmove(&v->exports[at + 1], &v->exports[at], (v->count - at) * sizeof(*e));
	v->exports[at] = *e;
	v->count++;
}

static void list_remove(struct vram *v, u32 at)
{
	v->count--;
	memmove(&v->exports[at], &v->exports[at + 1], (v->count - at) * sizeof(*v->exports));
}

/* -- Memory ------------------------------------------------------------------------------------ */

static bool map_over(struct vram *v, u64 start, u64 size, int fd, u64 offset)
{
	void *at = v->video + start;

	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd,
		 (off_t)offset) == MAP_FAILED)
		return false;
	madvise(at, size, MADV_DONTDUMP);
	return true;
}

static void base_punch(struct vram *v, u64 start, u64 size)
{
	u32 tries = 0;

	while (fallocate(v->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start,
			 (off_t)size) != 0) {
		OS_BUG_ON(tries++ == RETRIES);
		os_sleep_us(1000);
	}
}

/*
 * The base is behind the range again. What was there must not stay in sight of those who mapped it,
 * so this has to work.
 */
static void map_base(struct vram *v, u64 start, u64 size)
{
	u32 tries = 0;

	while (!map_over(v, start, size, v->fd, start)) {
		OS_BUG_ON(tries++ == RETRIES);
		os_sleep_us(1000);
	}
}

static bool write_all(int fd, const u8 *data, u64 size, u64 offset)
{
	while (size != 0) {
		ssize_t done = pwrite(fd, data, size, (off_t)offset);

		if (done <= 0)
			return false;
		data += done;
		offset += (u64)done;
		size -= (u64)done;
	}
	return true;
}

/* What the base holds of the range, into fd from its start on; holes stay holes. */
static bool copy_base(struct vram *v, u64 start, u64 size, int fd)
{
	u64 at = start, end = start + size;

	while (at < end) {
		off_t data = lseek(v->fd, (off_t)at, SEEK_DATA), hole;

		if (data < 0 || (u64)data >= end)
			return true;
		hole = lseek(v->fd, data, SEEK_HOLE);
		if (hole < 0)
			return false;
		hole = (off_t)min((u64)hole, end);
		if (!write_all(fd, v->video + data, (u64)(hole - data), (u64)data - start))
			return false;
		at = (u64)hole;
	}
	return true;
}

static struct vram_file *file_create(u64 size)
{
	struct vram_file *file = os_alloc(sizeof(*file));

	if (!file)
		return NULL;
	file->pieces = 1;
	file->fd = memfd_create("h100 video memory of a client", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (file->fd < 0)
		goto fail;
	if (ftruncate(file->fd, (off_t)size) == 0 &&
	    fcntl(file->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
		return file;
	close(file->fd);
fail:
	os_free(file);
	return NULL;
}

static void pause_engines(struct vram *v)
{
	if (v->memory)
		h100_memory_pause(v->memory);
}

static void resume_engines(struct vram *v)
{
	if (v->memory)
		h100_memory_resume(v->memory);
}

/* -- Export and discard ------------------------------------------------------------------------ */

static bool range_valid(const struct vram *v, u64 offset, u64 size)
{
	return size != 0 && is_aligned(offset, OS_PAGE_SIZE) && is_aligned(size, OS_PAGE_SIZE) &&
	       offset < v->size && size <= v->size - offset;
}

/* Moves a range that nothing was exported of into a memfd of its own. */
static enum nv_status export_new(struct vram *v, u32 owner, u32 at, u64 start, u64 size)
{
	struct vram_export e = { .start = start, .end = start + size };
	bool moved;

	if (!list_reserve(v))
		return NV_ERR_NO_MEMORY;
	if (!descriptor_take(v, owner))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	e.file = file_create(size);
	if (!e.file) {
		descriptor_give(v, owner);
		return NV_ERR_NO_MEMORY;
	}
	e.file->owner = owner;
	pause_engines(v);
	moved = copy_base(v, start, size, e.file->fd) && map_over(v, start, size, e.file->fd, 0);
	resume_engines(v);
	if (!moved) {
		file_put(v, e.file);
		return NV_ERR_NO_MEMORY;
	}
	base_punch(v, start, size);
	list_insert(v, at, &e);
	return NV_OK;
}

enum nv_status vram_export(struct vram *v, u32 owner, u64 offset, u64 size, int *fd, u64 *fd_offset,
			   u64 *fd_size)
{
	const struct vram_export *e;
	enum nv_status status = NV_OK;
	u32 at;

	if (!range_valid(v, offset, size))
		return NV_ERR_INVALID_ARGUMENT;
	pthread_mutex_lock(&v->lock);
	at = export_after(v, offset);
	if (at == v->count || v->exports[at].start > offset) {
		if (at != v->count)
			size = min(size, v->exports[at].start - offset);
		status = export_new(v, owner, at, offset, size);
	}
	if (status == NV_OK) {
		e = &v->exports[at];
		*fd = e->file->fd;
		*fd_offset = e->file_offset + (offset - e->start);
		*fd_size = min(size, e->end - offset);
	}
	pthread_mutex_unlock(&v->lock);
	return status;
}

/* Its clients lose this part of an export, since there is no memory to remember it by. */
static void give_up(struct vram *v, u64 start, u64 end, const struct vram_file *file,
		    u64 file_offset)
{
	void *from = mmap(NULL, end - start, PROT_READ, MAP_SHARED, file->fd, (off_t)file_offset);
	bool kept = from != MAP_FAILED && write_all(v->fd, from, end - start, start);

	if (from != MAP_FAILED)
		munmap(from, end - start);
	if (!kept)
		base_punch(v, start, end - start);
	map_base(v, start, end - start);
}

/* Takes [start, end) out of the export; true when it is gone altogether. */
static bool export_cut(struct vram *v, u32 at, u64 start, u64 end)
{
	struct vram_export *e = &v->exports[at], rest = *e;

	if (start <= e->start && end >= e->end) {
		file_put(v, e->file);
		list_remove(v, at);
		return true;
	}
	if (start <= e->start) {
		e->file_offset += end - e->start;
		e->start = end;
		return false;
	}
	e->end = start;
	if (end >= rest.end)
		return false;
	rest.file_offset += end - rest.start;
	rest.start = end;
	if (list_reserve(v)) {
		rest.file->pieces++;
		list_insert(v, at + 1, &rest);
	} else {
		give_up(v, rest.start, rest.end, rest.file, rest.file_offset);
	}
	return false;
}

void vram_discard(struct vram *v, u64 offset, u64 size)
{
	u64 end = offset + size, from, to;
	u32 at;

	if (!range_valid(v, offset, size))
		return;
	pthread_mutex_lock(&v->lock);
	pause_engines(v);
	at = export_after(v, offset);
	while (at < v->count && v->exports[at].start < end) {
		from = max(v->exports[at].start, offset);
		to = min(v->exports[at].end, end);
		map_base(v, from, to - from);
		if (!export_cut(v, at, from, to))
			at++;
	}
	/* What was not exported is the base's; what was has been a hole of it all the while. */
	base_punch(v, offset, size);
	resume_engines(v);
	pthread_mutex_unlock(&v->lock);
}
