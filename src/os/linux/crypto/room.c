// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Rooms: see crypto.h. A channel's context takes messages of megabytes and is idle most of the
 * time, so memory of its own for each would be hundreds of megabytes.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "os/linux/crypto/crypto.h"

#define ORDERS 32u

/* The rooms of PAGE_SIZE << its index bytes and a tag. */
struct room_size {
	struct room *unused; /* a list */
	u32 users, rooms;
};

static DEFINE_MUTEX(reserving);	    /* outside of the lock: rooms are made by one at a time */
static DEFINE_SPINLOCK(rooms_lock); /* all of sizes */
static struct room_size sizes[ORDERS];
static DECLARE_WAIT_QUEUE_HEAD(returned);

static size_t bytes_of(const struct room_size *size)
{
	return (PAGE_SIZE << (size - sizes)) + OS_GCM_TAG_SIZE;
}

static void free_room(struct room *room, size_t bytes)
{
	if (!room)
		return;
	os_free_secret(room->bytes, bytes);
	os_free(room->sg);
	os_free(room);
}

/* One entry a page: os_alloc's memory may be contiguous for nobody else. */
static void fill_sg(struct room *room, size_t bytes, u32 entries)
{
	struct scatterlist *sg = room->sg + 1;
	u8 *at = room->bytes;
	size_t part;

	sg_init_table(room->sg, entries);
	for (; bytes; bytes -= part, at += part, sg++) {
		part = min_t(size_t, bytes, PAGE_SIZE - offset_in_page(at));
		sg_set_page(sg, is_vmalloc_addr(at) ? vmalloc_to_page(at) : virt_to_page(at), part,
			    offset_in_page(at));
		if (part == bytes)
			sg_mark_end(sg);
	}
}

static struct room *make_room(size_t bytes)
{
	/* parts of pages at both ends; and the first entry */
	u32 entries = bytes / PAGE_SIZE + 3;
	struct room *room = os_alloc(sizeof(*room));

	if (!room)
		return NULL;
	room->bytes = os_alloc(bytes);
	room->sg = os_alloc(entries * sizeof(*room->sg));
	if (!room->bytes || !room->sg) {
		free_room(room, bytes);
		return NULL;
	}
	fill_sg(room, bytes, entries);
	return room;
}

static u32 rooms_wanted(const struct room_size *size)
{
	return min_t(u32, size->users, num_online_cpus());
}

/* Lock held. */
static void push(struct room_size *size, struct room *room)
{
	room->next = size->unused;
	size->unused = room;
	wake_up(&returned);
}

static struct room *pop(struct room_size *size)
{
	struct room *room = size->unused;

	if (room)
		size->unused = room->next;
	return room;
}

/* Lock held. One that is too many, to be freed without it; those in use come back. */
static struct room *pop_surplus(struct room_size *size)
{
	struct room *room = size->rooms > rooms_wanted(size) ? pop(size) : NULL;

	size->rooms -= room != NULL;
	return room;
}

struct room_size *room_reserve(size_t bytes)
{
	struct room_size *size = &sizes[order_base_2(DIV_ROUND_UP(bytes, PAGE_SIZE))];
	struct room *room = NULL;
	bool enough;

	mutex_lock(&reserving);
	spin_lock(&rooms_lock);
	size->users++;
	enough = size->rooms >= rooms_wanted(size);
	spin_unlock(&rooms_lock);
	if (!enough)
		room = make_room(bytes_of(size));
	spin_lock(&rooms_lock);
	if (room) {
		size->rooms++;
		push(size, room);
	} else if (!enough) {
		size->users--;
	}
	spin_unlock(&rooms_lock);
	mutex_unlock(&reserving);
	return room || enough ? size : NULL;
}

void room_release(struct room_size *size)
{
	struct room *room;

	if (!size)
		return;
	/* One that is being made for those who stay would not be counted yet. */
	mutex_lock(&reserving);
	spin_lock(&rooms_lock);
	size->users--;
	room = pop_surplus(size);
	spin_unlock(&rooms_lock);
	mutex_unlock(&reserving);
	free_room(room, bytes_of(size));
}

static struct room *try_take(struct room_size *size)
{
	struct room *room;

	spin_lock(&rooms_lock);
	room = pop(size);
	spin_unlock(&rooms_lock);
	return room;
}

struct room *room_take(struct room_size *size)
{
	struct room *room;

	wait_event(returned, (room = try_take(size)) != NULL);
	return room;
}

void room_give(struct room_size *size, struct room *room)
{
	spin_lock(&rooms_lock);
	push(size, room);
	room = pop_surplus(size);
	spin_unlock(&rooms_lock);
	free_room(room, bytes_of(size));
}
