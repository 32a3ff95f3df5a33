// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * One GPU's traffic as it is seen from outside: accesses to shared memory become messages of GSP's
 * queues, of SPDM's surface, pointers, and pages of which nothing more is known.
 *
 * A command is looked at when the GPU reads how far there are any, a status before it says so: the
 * other side cannot have seen it yet.
 */
#include <string.h>

#include "host/user/adversary/internal.h"

#define POINTER_BYTES 4u
#define WRITE_POINTER ((u32)offsetof(msgqTxHeader, writePtr))

/* -- Memory that is shared --------------------------------------------------------------------- */

static bool block_holds(const struct watch *w, const u8 *cpu, size_t size)
{
	for (u32 i = 0; i < w->block_count; i++) {
		const struct block *b = &w->blocks[i];

		if (cpu >= b->cpu && (size_t)(cpu - b->cpu) <= b->size &&
		    size <= b->size - (size_t)(cpu - b->cpu))
			return true;
	}
	return false;
}

static void block_add(struct watch *w, u8 *cpu, size_t size)
{
	if (w->block_count == w->block_room) {
		u32 room = w->block_room ? 2 * w->block_room : 64;
		struct block *more = os_alloc(room * sizeof(*more));

		if (!more) {
			w->blind = true;
			return;
		}
		os_memcpy(more, w->blocks, w->block_count * sizeof(*more));
		os_free(w->blocks);
		w->blocks = more;
		w->block_room = room;
	}
	w->blocks[w->block_count++] = (struct block){ cpu, size };
}

static void queue_forget(struct queue *q)
{
	os_free(q->shadow);
	q->shadow = NULL;
	q->base = NULL;
}

static void block_remove(struct watch *w, const u8 *cpu, size_t size)
{
	u32 i = 0;

	while (i < w->block_count && (w->blocks[i].cpu != cpu || w->blocks[i].size != size))
		i++;
	if (i < w->block_count)
		w->blocks[i] = w->blocks[--w->block_count];
	if (w->command.base && !block_holds(w, w->command.base, w->command.bytes))
		queue_forget(&w->command);
	if (w->status.base && !block_holds(w, w->status.base, w->status.bytes))
		queue_forget(&w->status);
}

static void on_mapped(void *ctx, void *cpu, size_t size, bool there)
{
	struct watch *w = ctx;

	pthread_mutex_lock(&w->lock);
	if (there)
		block_add(w, cpu, size);
	else
		block_remove(w, cpu, size);
	pthread_mutex_unlock(&w->lock);
}

u64 adversary_search(struct adversary *a)
{
	for (u32 n = 0; n < ADVERSARY_GPUS; n++) {
		struct watch *w = a->watches[n];

		if (!w)
			continue;
		pthread_mutex_lock(&w->lock);
		for (u32 i = 0; i < w->block_count; i++)
			watch_look_for(w, w->blocks[i].cpu, w->blocks[i].size);
		pthread_mutex_unlock(&w->lock);
	}
	return os_load_acquire(&a->found);
}

/* -- Queues ------------------------------------------------------------------------------------ */

static u8 *element_of(const struct queue *q, u32 at)
{
	return q->base + GSP_MSG_QUEUE_HEADER_SIZE + (size_t)at * ELEMENT;
}

static u8 *shadow_of(const struct queue *q, u32 at)
{
	return q->shadow + (element_of(q, at) - q->base);
}

static u32 ring_move(u32 at, u32 n, u32 count)
{
	return (at + n) % count;
}

static u32 ring_distance(u32 from, u32 to, u32 count)
{
	return (to + count - from) % count;
}

/* A queue begins here, and all of it is shared: whoever made it has just written its header. */
static bool queue_found(struct watch *w, struct queue *q, const msgqTxHeader *header, u8 *cpu)
{
	if (header->version != MSGQ_VERSION || header->msgSize != ELEMENT ||
	    header->entryOff != GSP_MSG_QUEUE_HEADER_SIZE || header->rxHdrOff != READ_POINTER ||
	    !(header->flags & MSGQ_FLAGS_SWAP_RX) || header->size > QUEUE_MAX ||
	    header->size < 3 * ELEMENT ||
	    header->msgCount != (header->size - GSP_MSG_QUEUE_HEADER_SIZE) / ELEMENT ||
	    !block_holds(w, cpu, header->size))
		return false;
	if (!q->shadow || q->bytes != header->size) {
		queue_forget(q);
		q->shadow = os_alloc(header->size);
		if (!q->shadow) {
			w->blind = true;
			return false;
		}
	}
	q->base = cpu;
	q->bytes = header->size;
	q->count = header->msgCount;
	q->seen = q->counted = 0;
	q->swaps = ADVERSARY_ANY;
	/* Memory of the driver's is zero at first. */
	os_memset(q->shadow, 0, q->bytes);
	/* Where the surface is will be told anew. */
	w->surface = 0;
	return true;
}

static u32 message_elements(const struct queue *q, u32 at, u32 left)
{
	u32 count = ((const GSP_MSG_QUEUE_ELEMENT *)element_of(q, at))->elemCount;

	return count == 0 || count > MESSAGE_MAX / ELEMENT || count > left ? 1 : count;
}

static bool is_clear(const struct queue *q, u32 at)
{
	const GSP_MSG_QUEUE_ELEMENT *e = (const void *)element_of(q, at);

	return e->rpc.signature == NV_VGPU_MSG_SIGNATURE_VALID;
}

/* The driver says, in clear, where SPDM's messages will be. */
static void learn_surface(struct watch *w, const struct queue *q, u32 at)
{
	const GSP_MSG_QUEUE_ELEMENT *e = (const void *)element_of(q, at);
	const rpc_gsp_rm_control_v03_00 *control = (const void *)(&e->rpc + 1);
	const NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS *p = (const void *)(control + 1);

	if (e->rpc.function != NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL ||
	    control->cmd != NV2080_CTRL_INTERNAL_SPDM_PARTITION ||
	    p->cmd.cmdType != RM_GSP_SPDM_CMD_ID_CC_INIT)
		return;
	w->surface =
		(u64)p->cmd.ccInit.ccInitCtx.dmaAddr.hi << 32 | p->cmd.ccInit.ccInitCtx.dmaAddr.lo;
}

static struct object message_at(struct queue *q, u32 at, u32 elements, u32 left)
{
	bool clear = is_clear(q, at);
	struct object o = {
		.kind = q->commands ? (clear ? ADVERSARY_CLEAR_COMMAND : ADVERSARY_SEALED_COMMAND)
				    : (clear ? ADVERSARY_CLEAR_STATUS : ADVERSARY_SEALED_STATUS),
		.code = ADVERSARY_ANY,
		.ring = element_of(q, 0),
		.ring_bytes = q->count * ELEMENT,
		.start = at * ELEMENT,
		.size = elements * ELEMENT,
		.queue = q,
		.elements = elements,
		.next = ring_move(at, elements, q->count) * ELEMENT,
	};

	if (elements < left)
		o.next_elements = message_elements(q, o.next / ELEMENT, left - elements);
	return o;
}

static void message_meet(struct watch *w, struct object *o)
{
	if (o->kind == ADVERSARY_CLEAR_COMMAND)
		learn_surface(w, o->queue, o->start / ELEMENT);
	object_record(w, o);
	object_meet(w, o);
	object_keep(w, o);
}

/*
 * What there is up to *write, which is what the reader will be told; less where something is held
 * back.
 */
static u32 queue_look(struct watch *w, struct queue *q, u32 *write)
{
	u32 at = q->seen, delay_us = 0;

	if (*write >= q->count)
		return 0;
	while (at != *write) {
		u32 left = ring_distance(at, *write, q->count);
		u32 elements = message_elements(q, at, left);
		bool fresh = ring_distance(q->seen, at, q->count) >=
			     ring_distance(q->seen, q->counted, q->count);
		struct object o = message_at(q, at, elements, left);

		if (!fresh)
			object_swap_held(w, &o);
		if (fresh) {
			message_meet(w, &o);
			q->counted = ring_move(at, elements, q->count);
			delay_us += o.delay_us;
		}
		if (o.held) {
			*write = at;
			break;
		}
		at = ring_move(at, elements, q->count);
	}
	if (ring_distance(q->seen, q->counted, q->count) < ring_distance(q->seen, at, q->count))
		q->counted = at;
	for (; q->seen != at; q->seen = ring_move(q->seen, 1, q->count))
		os_memcpy(shadow_of(q, q->seen), element_of(q, q->seen), ELEMENT);
	return delay_us;
}

/* A word that says how far a queue is written or read; changed where it lies. */
static u32 pointer_meet(struct watch *w, enum adversary_object kind, u32 *word)
{
	struct object o = {
		.kind = kind,
		.code = ADVERSARY_ANY,
		.ring = (u8 *)word,
		.ring_bytes = POINTER_BYTES,
		.size = POINTER_BYTES,
	};

	object_meet(w, &o);
	object_keep(w, &o);
	return o.delay_us;
}

static u32 commands_read(struct watch *w)
{
	struct queue *q = &w->command;
	u32 *pointer = (u32 *)(q->base + WRITE_POINTER), *read = (u32 *)(q->base + READ_POINTER);
	u32 write = os_load_acquire(pointer), shown = write, delay_us;

	delay_us = queue_look(w, q, &shown);
	if (shown != write)
		os_store_release(pointer, shown);
	delay_us += pointer_meet(w, ADVERSARY_COMMAND_WRITE, pointer);
	return delay_us + pointer_meet(w, ADVERSARY_STATUS_READ, read);
}

/* False: another value was written in place of the GPU's. */
static bool status_written(struct watch *w, u32 *to, const void *data, u32 *delay_us)
{
	u32 write, shown;

	os_memcpy(&write, data, sizeof(write));
	shown = write;
	*delay_us += queue_look(w, &w->status, &shown);
	*delay_us += pointer_meet(w, ADVERSARY_STATUS_WRITE, &shown);
	if (shown == write)
		return true;
	os_store_release(to, shown);
	return false;
}

static bool commands_taken(struct watch *w, u32 *to, const void *data, u32 *delay_us)
{
	u32 read, shown;

	os_memcpy(&read, data, sizeof(read));
	shown = read;
	*delay_us += pointer_meet(w, ADVERSARY_COMMAND_READ, &shown);
	if (shown == read)
		return true;
	os_store_release(to, shown);
	return false;
}

/* -- SPDM and pages ---------------------------------------------------------------------------- */

static void spdm_describe(struct object *o, bool request)
{
	const NV_SPDM_DESC_HEADER *header = (const void *)o->ring;
	bool sealed = header->msgType == NV_SPDM_MESSAGE_TYPE_SECURED;

	o->kind = request ? (sealed ? ADVERSARY_RECORD_REQUEST : ADVERSARY_SPDM_REQUEST)
			  : (sealed ? ADVERSARY_RECORD_RESPONSE : ADVERSARY_SPDM_RESPONSE);
	o->code = ADVERSARY_ANY;
	if (!sealed && o->size > SPDM_HEADER_BYTES + 1)
		o->code = o->ring[SPDM_HEADER_BYTES + offsetof(SPDM_HEADER, RequestResponseCode)];
}

static u32 request_read(struct watch *w, u64 bus_addr, u8 *cpu)
{
	u32 room = PAGE_MAX - (u32)(bus_addr % PAGE_MAX);
	struct object o = { .ring = cpu, .ring_bytes = room, .room = room };
	NV_SPDM_DESC_HEADER header;

	if (room < sizeof(header))
		return 0;
	os_memcpy(&header, cpu, sizeof(header));
	o.size = SPDM_HEADER_BYTES + min(header.msgSizeByte, room - SPDM_HEADER_BYTES);
	spdm_describe(&o, true);
	object_record(w, &o);
	object_meet(w, &o);
	object_keep(w, &o);
	return o.delay_us;
}

/* What the GPU is about to write, by way of a copy that rules may change. */
static bool written(struct watch *w, struct object *o, u8 *cpu, const void *data, u32 size,
		    u32 *delay_us)
{
	object_meet(w, o);
	object_keep(w, o);
	*delay_us += o->delay_us;
	if (o->lost)
		return false;
	if (o->size == size && memcmp(w->scratch, data, size) == 0)
		return true;
	os_memcpy(cpu, w->scratch, o->size);
	return false;
}

static bool response_written(struct watch *w, u64 bus_addr, u8 *cpu, const void *data, u32 size,
			     u32 *delay_us)
{
	u32 room = PAGE_MAX - (u32)(bus_addr % PAGE_MAX);
	struct object o = {
		.ring = w->scratch, .ring_bytes = room, .room = room, .size = size, .before = cpu
	};

	os_memcpy(w->scratch, data, size);
	spdm_describe(&o, false);
	object_record(w, &o);
	return written(w, &o, cpu, data, size, delay_us);
}

static bool page_accessed(struct watch *w, enum adversary_object kind, u8 *cpu, const void *data,
			  u32 size, u32 *delay_us)
{
	struct object o = {
		.kind = kind,
		.code = ADVERSARY_ANY,
		.ring = data ? w->scratch : cpu,
		.ring_bytes = size,
		.size = size,
		.before = cpu,
	};

	if (data)
		os_memcpy(w->scratch, data, size);
	object_record(w, &o);
	if (data)
		return written(w, &o, cpu, data, size, delay_us);
	object_meet(w, &o);
	object_keep(w, &o);
	*delay_us += o.delay_us;
	return true;
}

/* -- Accesses ---------------------------------------------------------------------------------- */

static bool in_queue(const struct queue *q, const u8 *cpu)
{
	return q->base && cpu >= q->base && cpu < q->base + q->bytes;
}

static bool access_meet(struct watch *w, u64 bus_addr, u8 *cpu, const void *data, u32 size,
			u32 *delay_us)
{
	bool pointer = size == POINTER_BYTES;
	msgqTxHeader header;

	if (size == sizeof(header)) {
		os_memcpy(&header, data ? data : cpu, sizeof(header));
		if (queue_found(w, data ? &w->status : &w->command, &header, cpu))
			return page_accessed(
				w, data ? ADVERSARY_STATUS_HEADER : ADVERSARY_COMMAND_HEADER, cpu,
				data, size, delay_us);
	}
	if (pointer && !data && w->command.base && cpu == w->command.base + WRITE_POINTER) {
		*delay_us = commands_read(w);
		return true;
	}
	if (pointer && data && w->status.base && cpu == w->status.base + WRITE_POINTER)
		return status_written(w, (u32 *)cpu, data, delay_us);
	if (pointer && data && w->status.base && cpu == w->status.base + READ_POINTER)
		return commands_taken(w, (u32 *)cpu, data, delay_us);
	if (in_queue(&w->command, cpu) || in_queue(&w->status, cpu))
		return true; /* looked at as messages */
	if (w->surface != 0 && bus_addr == w->surface && !data && size == SPDM_HEADER_BYTES) {
		*delay_us = request_read(w, bus_addr, cpu);
		return true;
	}
	if (w->surface != 0 && bus_addr == w->surface && data && size >= SPDM_HEADER_BYTES)
		return response_written(w, bus_addr, cpu, data, size, delay_us);
	if (w->surface != 0 && bus_addr == w->surface + SPDM_HEADER_BYTES)
		return true; /* the rest of that request */
	return page_accessed(w, data ? ADVERSARY_PAGE_WRITTEN : ADVERSARY_PAGE_READ, cpu, data,
			     size, delay_us);
}

static bool on_dma(void *ctx, u64 bus_addr, void *cpu, const void *data, size_t size)
{
	struct watch *w = ctx;
	u32 delay_us = 0;
	bool passes;

	if (size > PAGE_MAX)
		return true; /* os/user shows none such */
	pthread_mutex_lock(&w->lock);
	watch_look_for(w, data ? data : cpu, size);
	passes = access_meet(w, bus_addr, cpu, data, (u32)size, &delay_us);
	pthread_mutex_unlock(&w->lock);
	if (delay_us)
		os_sleep_us(delay_us);
	return passes;
}

/* -- Life -------------------------------------------------------------------------------------- */

struct watch *watch_create(struct adversary *a, u32 index)
{
	struct watch *w = os_alloc(sizeof(*w));

	if (!w)
		return NULL;
	if (pthread_mutex_init(&w->lock, NULL) != 0) {
		os_free(w);
		return NULL;
	}
	w->a = a;
	w->index = index;
	/* xorshift's state is not zero. */
	w->random = (a->seed + index) * 0x9e3779b97f4a7c15ull | 1;
	w->command.commands = true;
	w->observer.mapped = on_mapped;
	w->observer.dma = on_dma;
	return w;
}

void watch_destroy(struct watch *w)
{
	if (!w)
		return;
	queue_forget(&w->command);
	queue_forget(&w->status);
	for (u32 i = 0; i < ARRAY_SIZE(w->kept); i++)
		os_free(w->kept[i].bytes);
	for (u32 i = 0; i < ARRAY_SIZE(w->spdm); i++)
		os_free(w->spdm[i].bytes);
	os_free(w->blocks);
	pthread_mutex_destroy(&w->lock);
	os_free(w);
}
