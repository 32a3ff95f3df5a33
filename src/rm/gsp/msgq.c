// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The message queues: finding room, splitting a message over elements that wrap, and taking one
 * back out without trusting a byte of it.
 */
#include "rm/gsp/msgq.h"

#include "base/bits.h"

#define ELEMENT GSP_MSGQ_ELEMENT
#define ELEMENT_HEADER ((u32)GSP_MSG_QUEUE_ELEMENT_HDR_SIZE)
#define MAX_ELEMENTS ((u32)(GSP_MSG_QUEUE_ELEMENT_SIZE_MAX / GSP_MSG_QUEUE_ELEMENT_SIZE_MIN))
#define READ_POINTER_OFFSET ((u32)align_up(sizeof(msgqTxHeader), 1u << GSP_MSG_QUEUE_HEADER_ALIGN))

/*
 * So much at a time is summed and copied: it is in the nearest cache for the second of the two. For
 * less than 8 KiB the compiler makes a string move instead of a call, which takes longer to start.
 */
#define CHUNK 12288u

/* How far behind a sequence number may be and still count as seen before. */
#define SEQUENCE_HALF 0x80000000u

_Static_assert(offsetof(GSP_MSG_QUEUE_ELEMENT, rpc) == GSP_MSG_QUEUE_ELEMENT_HDR_SIZE,
	       "element header");

static const msgqTxHeader *status_header(const struct gsp_msgq *q)
{
	return (const msgqTxHeader *)q->status;
}

static u32 *our_read_pointer(const struct gsp_msgq *q)
{
	return &((msgqRxHeader *)(q->command + READ_POINTER_OFFSET))->readPtr;
}

static u64 xor_words(const void *data, u32 size)
{
	const u8 *bytes = data;
	u64 sum = 0, word;
	u32 i;

	for (i = 0; i + 8 <= size; i += 8) {
		__builtin_memcpy(&word, bytes + i, 8);
		sum ^= word;
	}
	if (i < size) {
		word = 0;
		os_memcpy(&word, bytes + i, size - i);
		sum ^= word;
	}
	return sum;
}

static u32 fold(u64 sum)
{
	return bits_high32(sum) ^ bits_low32(sum);
}

u32 gsp_msgq_checksum(const void *data, u32 size)
{
	return fold(xor_words(data, size));
}

void gsp_msgq_init(struct gsp_msgq *q, void *command, u32 command_size, void *status,
		   u32 status_size)
{
	msgqTxHeader header = {
		.version = MSGQ_VERSION,
		.size = command_size,
		.msgSize = ELEMENT,
		.msgCount = (command_size - (u32)GSP_MSG_QUEUE_HEADER_SIZE) / ELEMENT,
		.writePtr = 0,
		.flags = MSGQ_FLAGS_SWAP_RX,
		.rxHdrOff = READ_POINTER_OFFSET,
		.entryOff = GSP_MSG_QUEUE_HEADER_SIZE,
	};

	os_memset(q, 0, sizeof(*q));
	q->command = command;
	q->status = status;
	q->command_size = command_size;
	q->status_size = status_size;
	q->command_count = header.msgCount;
	os_memcpy(q->command, &header, sizeof(header));
	os_store_release(our_read_pointer(q), 0);
}

enum nv_status gsp_msgq_link(struct gsp_msgq *q)
{
	msgqTxHeader header;

	/* The header's size is what the firmware's first look at it is recognised by. */
	if (os_load_acquire(&status_header(q)->size) == 0)
		return NV_ERR_NOT_READY;
	os_memcpy(&header, status_header(q), sizeof(header));
	if (header.size == 0 || header.msgSize == 0 || header.entryOff == 0)
		return NV_ERR_NOT_READY;
	if (header.version != MSGQ_VERSION || header.size != q->status_size ||
	    header.msgSize != ELEMENT || !(header.flags & MSGQ_FLAGS_SWAP_RX))
		return NV_ERR_INVALID_DATA;
	if (header.rxHdrOff < sizeof(msgqTxHeader) || !is_aligned(header.rxHdrOff, sizeof(u32)) ||
	    header.rxHdrOff > q->status_size - sizeof(msgqRxHeader))
		return NV_ERR_INVALID_DATA;
	if (!is_aligned(header.entryOff, ELEMENT) || header.entryOff > q->status_size - ELEMENT ||
	    header.entryOff < header.rxHdrOff + sizeof(msgqRxHeader) ||
	    header.msgCount != (q->status_size - header.entryOff) / ELEMENT || header.msgCount < 2)
		return NV_ERR_INVALID_DATA;
	q->entry_offset = header.entryOff;
	q->peer_read_offset = header.rxHdrOff;
	q->status_count = header.msgCount;
	q->read = 0;
	os_store_release(our_read_pointer(q), 0);
	q->linked = true;
	return NV_OK;
}

/* -- Sending ----------------------------------------------------------------------------------- */

static u32 elements_of(u32 length)
{
	return (u32)div_round_up(ELEMENT_HEADER + length, ELEMENT);
}

bool gsp_msgq_has_room(const struct gsp_msgq *q, u32 length)
{
	u32 count;

	return gsp_msgq_room(q, &count) == NV_OK && count >= elements_of(length);
}

/* A place in the ring of elements, moved by put(). */
struct cursor {
	u8 *base;
	u32 size, at;
};

static inline void put(struct cursor *c, const void *data, u32 size)
{
	u32 first = c->size - c->at;

	if (__builtin_expect(size < first, 1)) {
		gsp_copy(c->base + c->at, data, size);
		c->at += size;
		return;
	}
	os_memcpy(c->base + c->at, data, first);
	os_memcpy(c->base, (const u8 *)data + first, size - first);
	c->at = size - first;
}

/*
 * The same of a few bytes, but for fold() only. They were written a word at a time just now: wider
 * loads, which the compiler would make of this, have to wait until all of that is in the cache.
 */
static u64 xor_few(const u8 *bytes, u32 size)
{
	u32 sum = 0, word, i;

	for (i = 0; i + 4 <= size; i += 4) {
		__builtin_memcpy(&word, bytes + i, 4);
		__asm__("" : "+r"(word));
		sum ^= word;
	}
	for (; i < size; i++)
		sum ^= (u32)bytes[i] << 8 * (i & 3);
	return sum;
}

/* Pieces need not be multiples of 8 bytes: each is summed at the offset where it comes to lie. */
static u64 sum_at(const struct gsp_piece *piece, u32 offset)
{
	u32 lead = offset & 7;
	u64 word = 0;
	u32 head;

	if (piece->size <= GSP_FEW_BYTES && is_aligned(offset, 4))
		return xor_few(piece->data, piece->size);
	if (lead == 0)
		return xor_words(piece->data, piece->size);
	head = min(8 - lead, piece->size);
	os_memcpy((u8 *)&word + lead, piece->data, head);
	return word ^ xor_words((const u8 *)piece->data + head, piece->size - head);
}

static u64 __attribute__((__noinline__))
put_and_sum_many(struct cursor *c, const struct gsp_piece *piece, u32 offset)
{
	const u8 *data = piece->data;
	struct gsp_piece part;
	u64 sum = 0;
	u32 done;

	for (done = 0; done < piece->size; done += CHUNK) {
		part.data = data + done;
		part.size = min(piece->size - done, CHUNK);
		sum ^= sum_at(&part, offset + done);
		put(c, part.data, part.size);
	}
	return sum;
}

/*
 * Puts a piece that comes to lie at offset of the message, and returns its sum for fold(). Few
 * whole words, which nearly all pieces are, are read once for both.
 */
static inline u64 put_and_sum(struct cursor *c, const struct gsp_piece *piece, u32 offset)
{
	u64 sum;

	if (__builtin_expect(piece->size > GSP_FEW_BYTES || !is_aligned(piece->size | offset, 4) ||
				     piece->size >= c->size - c->at,
			     0))
		return put_and_sum_many(c, piece, offset);
	sum = gsp_copy_words(c->base + c->at, piece->data, piece->size);
	c->at += piece->size;
	return sum;
}

/* All pieces, with zeroes up to the next multiple of 8, which the firmware sums too. */
static u64 put_all(struct gsp_msgq *q, const struct gsp_piece *pieces, u32 count)
{
	static const u8 zeroes[8];
	struct cursor c = {
		.base = q->command + GSP_MSG_QUEUE_HEADER_SIZE,
		.size = q->command_count * ELEMENT,
		.at = q->write * ELEMENT + ELEMENT_HEADER,
	};
	u32 done = 0, i;
	u64 sum = 0;

	for (i = 0; i < count; i++) {
		if (pieces[i].size != 0)
			sum ^= put_and_sum(&c, &pieces[i], done);
		done += pieces[i].size;
	}
	if (!is_aligned(done, 8))
		put(&c, zeroes, (u32)align_up(done, 8) - done);
	return sum;
}

enum nv_status gsp_msgq_fit(const struct gsp_msgq *q, const struct gsp_piece *pieces, u32 count,
			    u32 *elements)
{
	u32 length = 0, room, i;
	enum nv_status status;

	for (i = 0; i < count; i++) {
		if (pieces[i].size > GSP_MSGQ_MAX_LENGTH - length)
			return NV_ERR_INVALID_PARAM_STRUCT;
		length += pieces[i].size;
	}
	if (length < sizeof(rpc_message_header_v03_00))
		return NV_ERR_INVALID_PARAM_STRUCT;
	*elements = elements_of(length);
	status = gsp_msgq_room(q, &room);
	if (status != NV_OK)
		return status;
	return room < *elements ? NV_ERR_BUSY_RETRY : NV_OK;
}

enum nv_status gsp_msgq_send(struct gsp_msgq *q, const struct gsp_piece *pieces, u32 count)
{
	GSP_MSG_QUEUE_ELEMENT *element;
	enum nv_status status;
	u32 elements;

	status = gsp_msgq_fit(q, pieces, count, &elements);
	if (status != NV_OK)
		return status;
	element = gsp_msgq_element(q);
	gsp_msgq_publish(q, element, elements, fold(put_all(q, pieces, count)));
	return NV_OK;
}

void gsp_msgq_send_elements(struct gsp_msgq *q, const void *message, u32 elements)
{
	struct cursor c = {
		.base = q->command + GSP_MSG_QUEUE_HEADER_SIZE,
		.size = q->command_count * ELEMENT,
		.at = q->write * ELEMENT,
	};

	put(&c, message, elements * ELEMENT);
	gsp_msgq_hand_over(q, elements);
}

/* -- Receiving --------------------------------------------------------------------------------- */

bool gsp_msgq_has_message(const struct gsp_msgq *q)
{
	return q->linked && os_load_acquire(&status_header(q)->writePtr) != q->read;
}

void gsp_msgq_consume(struct gsp_msgq *q, u32 count)
{
	q->read = gsp_ring_move(q->read, count, q->status_count);
	os_store_release(our_read_pointer(q), q->read);
}

/* Copies size bytes at offset of the message that begins at the read pointer. */
static void take(const struct gsp_msgq *q, u32 offset, void *data, u32 size)
{
	const u8 *base = q->status + q->entry_offset;
	u32 total = q->status_count * ELEMENT;
	u32 at = q->read * ELEMENT + offset;

	if (at >= total)
		at -= total;
	if (__builtin_expect(size <= total - at, 1)) {
		gsp_copy(data, base + at, size);
		return;
	}
	os_memcpy(data, base + at, total - at);
	os_memcpy((u8 *)data + (total - at), base, size - (total - at));
}

/*
 * Copies few bytes, a multiple of 8, and sums them for fold(). By the 8: the firmware wrote them
 * before it said so, so no load has to wait for them.
 */
static inline u64 take_few(const u8 *from, u8 *to, u32 size)
{
	u64 sum = 0, word;
	u32 i;

	for (i = 0; i < size; i += 8) {
		__builtin_memcpy(&word, from + i, 8);
		__asm__("" : "+r"(word)); /* lest the compiler make a call of it */
		sum ^= word;
		__builtin_memcpy(to + i, &word, 8);
	}
	return sum;
}

/* take(), and the sum of the copy for fold(); size is a multiple of 8. */
static inline u64 take_and_sum(const struct gsp_msgq *q, u32 offset, void *data, u32 size)
{
	u32 total = q->status_count * ELEMENT;
	u32 at = q->read * ELEMENT + offset, done, here;
	u64 sum = 0;

	if (__builtin_expect(size > GSP_FEW_BYTES || at >= total || size > total - at, 0)) {
		for (done = 0; done < size; done += here) {
			here = min(size - done, CHUNK);
			take(q, offset + done, (u8 *)data + done, here);
			sum ^= xor_words((u8 *)data + done, here);
		}
		return sum;
	}
	return gsp_copy_words(data, q->status + q->entry_offset + at, size);
}

static enum nv_status refuse(struct gsp_msgq *q, u32 count, const char *why)
{
	q->dropped++;
	os_log(OS_LOG_ERROR, "NVRM: GSP message dropped: %s", why);
	gsp_msgq_consume(q, count);
	q->resync = true;
	return NV_ERR_INVALID_DATA;
}

/* What lies behind the headers into the sink, if it is for this message; its sum for fold(). */
static bool take_to_sink(const struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *buffer,
			 struct gsp_sink *sink, u64 *sum)
{
	const rpc_message_header_v03_00 *header = &buffer->rpc;
	u32 whole = (u32)align_down(sink->size, 8), at = GSP_MSGQ_OVERHEAD + sink->head, status;
	u8 *head = (u8 *)buffer + GSP_MSGQ_OVERHEAD;
	u64 word;

	if (header->function != sink->function || header->sequence != sink->sequence ||
	    header->length != sizeof(*header) + sink->head + sink->size)
		return false;
	*sum ^= take_and_sum(q, GSP_MSGQ_OVERHEAD, head, sink->head);
	if (sink->status_at != ~0u) {
		os_memcpy(&status, head + sink->status_at, sizeof(status));
		if (status != NV_OK) {
			/* All of it goes to the buffer, and is summed there. */
			*sum ^= xor_words(head, sink->head);
			return false;
		}
	}
	*sum ^= take_and_sum(q, at, sink->data, whole);
	if (whole != sink->size) {
		*sum ^= take_and_sum(q, at + whole, &word, sizeof(word));
		os_memcpy(sink->data + whole, &word, sink->size - whole);
	}
	return true;
}

/* The first message of what is available. */
static enum nv_status receive_one(struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *buffer, u32 available,
				  struct gsp_sink *sink)
{
	u32 count, length, total, rest, ahead;
	/* The first element is in one piece, whatever wraps behind it. */
	const u8 *first = q->status + q->entry_offset + q->read * ELEMENT;
	u64 sum;

	__builtin_memcpy(buffer, first, GSP_MSGQ_OVERHEAD);
	count = buffer->elemCount;
	length = buffer->rpc.length;
	/* Without a good count there is no telling where the next message begins. */
	if (count == 0 || count > MAX_ELEMENTS || count > available)
		return refuse(q, available, "bad element count");
	if (length < sizeof(rpc_message_header_v03_00) ||
	    length > count * ELEMENT - ELEMENT_HEADER || elements_of(length) != count)
		return refuse(q, count, "bad length");

	total = ELEMENT_HEADER + length;
	rest = (u32)align_up(total, 8) - GSP_MSGQ_OVERHEAD;
	sum = xor_words(buffer, GSP_MSGQ_OVERHEAD);
	if (rest <= GSP_FEW_BYTES)
		sum ^= take_few(first + GSP_MSGQ_OVERHEAD, (u8 *)buffer + GSP_MSGQ_OVERHEAD, rest);
	else if (sink && take_to_sink(q, buffer, sink, &sum))
		sink->used = true;
	else
		sum ^= take_and_sum(q, GSP_MSGQ_OVERHEAD, (u8 *)buffer + GSP_MSGQ_OVERHEAD, rest);
	if (fold(sum) != 0)
		return refuse(q, count, "bad checksum");

	ahead = buffer->seqNum - q->receive_sequence;
	if (ahead >= SEQUENCE_HALF) {
		q->dropped++;
		gsp_msgq_consume(q, count);
		return NV_WARN_MORE_PROCESSING_REQUIRED;
	}
	if (ahead != 0 && !q->resync) {
		q->receive_sequence = buffer->seqNum + 1;
		refuse(q, count, "gap in the sequence");
		q->resync = false;
		return NV_ERR_INVALID_DATA;
	}
	q->receive_sequence = buffer->seqNum + 1;
	q->resync = false;
	gsp_msgq_consume(q, count);
	return NV_OK;
}

enum nv_status gsp_msgq_available(const struct gsp_msgq *q, u32 *elements)
{
	u32 write;

	if (!q->linked)
		return NV_WARN_NOTHING_TO_DO;
	write = os_load_acquire(&status_header(q)->writePtr);
	if (write == q->read)
		return NV_WARN_NOTHING_TO_DO;
	if (write >= q->status_count)
		return NV_ERR_INVALID_DATA;
	*elements = gsp_ring_distance(q->read, write, q->status_count);
	return NV_OK;
}

void gsp_msgq_copy_elements(const struct gsp_msgq *q, void *buffer, u32 first, u32 end)
{
	take(q, first * ELEMENT, (u8 *)buffer + first * ELEMENT, (end - first) * ELEMENT);
}

enum nv_status gsp_msgq_receive_to(struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *buffer,
				   struct gsp_sink *sink)
{
	enum nv_status status;
	u32 available;

	if (sink)
		sink->used = false;
	status = gsp_msgq_available(q, &available);
	return status == NV_OK ? receive_one(q, buffer, available, sink) : status;
}

enum nv_status gsp_msgq_receive(struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *buffer)
{
	return gsp_msgq_receive_to(q, buffer, NULL);
}
