// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * GSP's side of the two message queues in the driver's memory. All access is by DMA, so that a
 * driver that takes its memory away costs it messages and nothing else; each record is copied once
 * and then checked.
 *
 *   command queue   | size, msgSize, msgCount, writePtr (driver), ... | readPtr of status (driver)
 * | elements status queue    | ... writePtr (GSP), ...                         | readPtr of
 * commands (GSP)  | elements
 *
 * (MSGQ_FLAGS_SWAP_RX: who writes a queue's elements also writes both pointers in its header.)
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "h100/gsp/firmware.h"
#include "h100/gsp/shared.h"

#define HEADERS ((u32)sizeof(GSP_MSG_QUEUE_ELEMENT))
/* Bytes of a record that are read at once where each access is dear: nearly all are shorter. */
#define FIRST_READ 512u
/* Bytes of one in the driver's memory that are copied by the word. */
#define SHORT_RECORD 336u
#define RX_OFFSET 32u
#define BUFFER_ALIGN 64u

static u32 ring_distance(const struct fw_ring *ring, u32 from, u32 to)
{
	return to >= from ? to - from : to + ring->count - from;
}

static rpc_message_header_v *header_of(u8 *element)
{
	return (rpc_message_header_v *)(element + GSP_MSG_QUEUE_ELEMENT_HDR_SIZE);
}

static bool is_event(const rpc_message_header_v *message)
{
	return message->function >= NV_VGPU_MSG_EVENT_GSP_INIT_DONE;
}

static bool read_page_table(struct fw *fw, u64 address, u32 count)
{
	struct fw_queues *q = &fw->queues;
	u32 i;

	if (count == 0 || count > FW_SHARED_PAGES_MAX || !is_aligned(address, FW_PAGE))
		return false;
	/* The table is at the start of the memory that it describes. */
	for (i = 0; i < count; i += FW_PAGE / sizeof(u64)) {
		u32 here = min(count - i, (u32)(FW_PAGE / sizeof(u64)));
		u64 page = i == 0 ? address : q->page[i / (FW_PAGE / sizeof(u64))];

		if (!fw_dma_read(fw, page, &q->page[i], here * sizeof(u64)))
			return false;
	}
	for (i = 0; i < count; i++)
		if (!is_aligned(q->page[i], FW_PAGE))
			return false;
	q->page_count = count;
	return q->page[0] == address;
}

static bool open_commands(struct fw *fw, u64 offset, u64 size)
{
	struct fw_ring *ring = &fw->queues.commands;
	msgqTxHeader tx;

	if (!shared_read(fw, offset, &tx, sizeof(tx)))
		return false;
	if (tx.version != MSGQ_VERSION || tx.size != size ||
	    tx.msgSize != GSP_MSG_QUEUE_ELEMENT_SIZE_MIN || (tx.flags & MSGQ_FLAGS_SWAP_RX) == 0)
		return false;
	if (tx.entryOff < FW_PAGE || !is_aligned(tx.entryOff, FW_PAGE) || tx.entryOff >= size ||
	    tx.rxHdrOff < sizeof(tx) || !is_aligned(tx.rxHdrOff, sizeof(u32)) ||
	    tx.rxHdrOff > FW_PAGE - sizeof(msgqRxHeader))
		return false;
	if (tx.msgCount < 2 || tx.msgCount != (size - tx.entryOff) / tx.msgSize)
		return false;
	*ring = (struct fw_ring){ .offset = offset,
				  .count = tx.msgCount,
				  .entry_offset = tx.entryOff,
				  .rx_offset = tx.rxHdrOff };
	return true;
}

static bool create_status(struct fw *fw, u64 offset, u64 size)
{
	struct fw_ring *ring = &fw->queues.status;
	msgqTxHeader tx = { .version = MSGQ_VERSION,
			    .size = (u32)size,
			    .msgSize = GSP_MSG_QUEUE_ELEMENT_SIZE_MIN,
			    .msgCount = (u32)((size - FW_PAGE) / FW_PAGE),
			    .flags = MSGQ_FLAGS_SWAP_RX,
			    .rxHdrOff = RX_OFFSET,
			    .entryOff = FW_PAGE };
	const u32 zero = 0;

	*ring = (struct fw_ring){ .offset = offset,
				  .count = tx.msgCount,
				  .entry_offset = FW_PAGE,
				  .rx_offset = RX_OFFSET };
	fw->queues.peer_read = 0;
	return shared_write(fw, offset + RX_OFFSET, &zero, sizeof(zero)) &&
	       shared_write(fw, offset, &tx, sizeof(tx));
}

bool fw_queues_open(struct fw *fw, const MESSAGE_QUEUE_INIT_ARGUMENTS *args)
{
	u64 bytes = (u64)args->pageTableEntryCount * FW_PAGE;
	u64 commands = args->cmdQueueOffset, status = args->statQueueOffset;

	fw_queues_close(fw);
	if (!read_page_table(fw, args->sharedMemPhysAddr, args->pageTableEntryCount))
		return false;
	/* Page table, commands, status, in this order, at least two elements each. */
	if (!is_aligned(commands | status, FW_PAGE) || commands < FW_PAGE || commands >= status ||
	    status >= bytes || status - commands < 3 * FW_PAGE || bytes - status < 3 * FW_PAGE)
		return false;
	return open_commands(fw, commands, status - commands) &&
	       create_status(fw, status, bytes - status);
}

bool fw_buffer_grow(struct fw_buffer *buffer, u32 size, u32 used)
{
	u8 *data;

	if (size <= buffer->size)
		return true;
	size = (u32)align_up(size, FW_PAGE);
	data = aligned_alloc(BUFFER_ALIGN, size);
	if (!data)
		return false;
	if (used != 0)
		memcpy(data, buffer->data, used);
	free(buffer->data);
	buffer->data = data;
	buffer->size = size;
	return true;
}

void fw_queues_close(struct fw *fw)
{
	struct fw_queues *q = &fw->queues;

	while (q->out_first) {
		struct fw_out *out = q->out_first;

		q->out_first = out->next;
		free(out);
	}
	memset(q, 0, sizeof(*q));
	q->out_last = &q->out_first;
}

/* -- Commands ---------------------------------------------------------------------------------- */

/*
 * Copies bytes [from, to) of the record at the ring's place to the same place of a copy that begins
 * at data, and adds what lies before summed to the sum, a page at a time: while it is in the
 * nearest cache.
 */
static bool copy_record(struct fw *fw, u8 *data, u32 from, u32 to, u32 summed, u64 *sum)
{
	const struct fw_ring *ring = &fw->queues.commands;

	while (from < to) {
		u32 here = min(to - from, FW_PAGE - from % FW_PAGE);
		u64 offset = element_offset(ring, ring_move(ring, ring->at, from / FW_PAGE)) +
			     from % FW_PAGE;
		const u8 *at = shared_at(fw, offset);

		if (at && from + here <= align_up(summed, sizeof(u64))) {
			*sum ^= copy_and_sum(data + from, at, here);
			fw->dma_read_bytes += here;
		} else if (!shared_read(fw, offset, data + from, here)) {
			return false;
		} else if (from < summed) {
			*sum ^= sum_words(data + from, min(here, summed - from));
		}
		from += here;
	}
	return true;
}

static bool consume(struct fw *fw, u32 elements)
{
	struct fw_ring *ring = &fw->queues.commands;

	ring->at = ring_move(ring, ring->at, elements);
	return pointer_write(fw, fw->queues.status.offset + fw->queues.status.rx_offset, ring->at);
}

/*
 * How many elements wait; 0 too for a pointer that makes no sense. One look a run is enough:
 * whoever writes more rings the doorbell, which is a run of its own.
 */
static u32 available(struct fw *fw)
{
	struct fw_ring *ring = &fw->queues.commands;
	u32 write = fw->queues.command_write;

	if (fw->queues.looked)
		return ring_distance(ring, ring->at, write);
	fw->queues.looked = true;
	fw->queues.command_write = ring->at;
	if (!pointer_read(fw, ring->offset + offsetof(msgqTxHeader, writePtr), &write))
		return 0;
	if (write >= ring->count) {
		if (!fw->queues.complained)
			fw_log(fw, OS_LOG_ERROR, "command queue: write pointer %u of %u", write,
			       ring->count);
		fw->queues.complained = true;
		return 0;
	}
	fw->queues.command_write = write;
	return ring_distance(ring, ring->at, write);
}

/*
 * Where a copy of the record would have to begin for its data to lie behind what came of the
 * message before; NULL when it does not belong there. Only its data may be put there.
 */
static u8 *behind_message(struct fw *fw, const rpc_message_header_v *record)
{
	const struct fw_queues *q = &fw->queues;

	if (!q->long_message || record->function != NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD ||
	    record->length - sizeof(*record) > q->long_total - q->long_bytes ||
	    !is_aligned(q->long_bytes, sizeof(u64)))
		return NULL;
	return fw->more.data + GSP_MSG_QUEUE_ELEMENT_HDR_SIZE + q->long_bytes - HEADERS;
}

/*
 * What follows the first bytes of a record, which are in fw->rx, and the sum of covered bytes from
 * its start. at: where it begins in memory, or NULL. False: memory is gone.
 */
static bool read_rest(struct fw *fw, const u8 *at, u32 wanted, u32 covered, u64 *sum)
{
	const GSP_MSG_QUEUE_ELEMENT *element = (const void *)fw->rx.data;
	u8 *data = fw->rx.data, *behind = behind_message(fw, &element->rpc);
	u32 got = at ? HEADERS : FIRST_READ;

	fw->queues.in_place = behind != NULL;
	if (at && !behind && wanted <= SHORT_RECORD) {
		/* Nearly all are like this. */
		*sum = sum_words(data, HEADERS) ^
		       copy_in_and_sum(data + HEADERS, at + HEADERS, wanted - HEADERS);
		fw->dma_read_bytes += wanted - HEADERS;
		return true;
	}
	*sum = sum_words(data, min(got, covered));
	if (behind) {
		memcpy(behind + HEADERS, data + HEADERS, min(got, covered) - HEADERS);
		data = behind;
	}
	return copy_record(fw, data, got, wanted, covered, sum);
}

/*
 * Reads and checks the record at the ring's place. Returns why it is bad, or NULL; *elements is
 * what it takes up in either case, 0 when memory is gone.
 */
static const char *read_plain(struct fw *fw, u32 waiting, u32 *elements, u32 *bytes)
{
	const GSP_MSG_QUEUE_ELEMENT *element = (const void *)fw->rx.data;
	u8 *data = fw->rx.data;
	u64 first = element_offset(&fw->queues.commands, fw->queues.commands.at), sum;
	const u8 *at = shared_at(fw, first);
	u32 length, covered, wanted;

	*elements = 0;
	if (at) {
		memcpy(data, at, HEADERS);
		fw->dma_read_bytes += HEADERS;
	} else if (!fw_dma_read(fw, shared_address(fw, first), data, FIRST_READ)) {
		return "memory is gone";
	}
	*elements = 1;
	if (element->elemCount == 0 ||
	    element->elemCount > GSP_MSG_QUEUE_ELEMENT_SIZE_MAX / GSP_MSG_QUEUE_ELEMENT_SIZE_MIN)
		return "element count";
	if (element->elemCount > waiting)
		return "more elements than were written";
	length = element->rpc.length;
	if (length < sizeof(rpc_message_header_v) || length > GSP_MSG_QUEUE_RPC_SIZE_MAX)
		return "length";
	covered = GSP_MSG_QUEUE_ELEMENT_HDR_SIZE + length;
	if (div_round_up(covered, FW_PAGE) != element->elemCount)
		return "length and element count";
	*elements = element->elemCount;
	/* The published driver's allocations carry parameters behind the length that they state. */
	wanted = element->rpc.function == NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC
			 ? element->elemCount * FW_PAGE
			 : (u32)align_up(covered, sizeof(u64));
	if (!read_rest(fw, at, wanted, covered, &sum)) {
		*elements = 0;
		return "memory is gone";
	}
	if (fold(sum) != 0)
		return "checksum";
	if (element->rpc.signature != NV_VGPU_MSG_SIGNATURE_VALID)
		return "signature";
	if (REG_GET(NV_VGPU_MSG_HEADER_VERSION_MAJOR, element->rpc.header_version) !=
	    NV_VGPU_MSG_HEADER_VERSION_MAJOR_TOT)
		return "version";
	*bytes = wanted - GSP_MSG_QUEUE_ELEMENT_HDR_SIZE;
	return NULL;
}

/*
 * The next record where they are sealed. One that is not as it must be was written by somebody
 * else, and nothing behind it can be trusted to be in order: the firmware stops.
 */
static rpc_message_header_v *receive_sealed(struct fw *fw, u32 *bytes)
{
	u32 elements, waiting = available(fw);
	const char *fault;

	if (waiting == 0)
		return NULL;
	fault = sealed_read(fw, waiting, &elements, bytes);
	if (fault && elements != 0 && !fw->cc->seals) {
		/* Nothing was sealed yet, so nothing is lost: the driver may have given up. */
		fw_log(fw, OS_LOG_WARN, "session dropped: the first message is not sealed (%s)",
		       fault);
		fw_cc_reset(fw);
		return fw_queue_receive(fw, bytes);
	}
	if (fault && elements != 0)
		fw_refuse_messages(fw, fault);
	if (fault)
		return NULL;
	fw->queues.commands.seq++;
	return consume(fw, elements) ? header_of(fw->rx.data) : NULL;
}

rpc_message_header_v *fw_queue_receive(struct fw *fw, u32 *bytes)
{
	const GSP_MSG_QUEUE_ELEMENT *element = (const void *)fw->rx.data;
	struct fw_ring *ring = &fw->queues.commands;

	if (__builtin_expect(fw->cc && fw->cc->opens, 0))
		return receive_sealed(fw, bytes);
	for (;;) {
		u32 elements, seq, waiting = available(fw);
		const char *fault;

		if (waiting == 0)
			return NULL;
		fault = read_plain(fw, waiting, &elements, bytes);
		if (elements == 0 || !consume(fw, elements))
			return NULL;
		seq = ring->seq;
		/* A bad record used up its sender's number, whatever it says. */
		ring->seq++;
		if (!fault && element->seqNum != seq) {
			fault = "sequence number";
			/* An old one was seen before; after a gap, go on from behind it. */
			ring->seq = (s32)(element->seqNum - seq) < 0 ? seq : element->seqNum + 1;
		}
		if (!fault)
			return header_of(fw->rx.data);
		fw_log(fw, OS_LOG_ERROR, "command %u dropped: bad %s", seq, fault);
	}
}

/* -- Status ------------------------------------------------------------------------------------ */

/* One element always stays free. */
static u32 ring_space(const struct fw_ring *ring, u32 read)
{
	return ring_distance(ring, ring_move(ring, ring->at, 1), read);
}

static u32 status_space(struct fw *fw, u32 wanted)
{
	struct fw_queues *q = &fw->queues;
	struct fw_ring *ring = &q->status;
	u32 space = ring_space(ring, q->peer_read), read;

	if (space >= wanted)
		return space;
	if (!pointer_read(fw, q->commands.offset + q->commands.rx_offset, &read) ||
	    read >= ring->count)
		return 0;
	q->peer_read = read;
	return ring_space(ring, read);
}

/* What send_record puts into the status queue. */
struct record {
	const rpc_message_header_v *header;
	const u8 *data;
	u32 size; /* of data */
	u32 elements;
};

/*
 * The element's header, whose first half stays zero. Stores of the size that the fields have, to a
 * place that is not read again here: nothing waits for them.
 */
static void fill_element(u8 *at, u32 sum, u32 sequence, u32 elements)
{
	GSP_MSG_QUEUE_ELEMENT *element = (GSP_MSG_QUEUE_ELEMENT *)at;

	memset(at, 0, GSP_MSG_QUEUE_ELEMENT_HDR_SIZE);
	element->checkSum = sum ^ sequence ^ elements;
	element->seqNum = sequence;
	element->elemCount = elements;
}

/*
 * A copy of the message header, and its sum for fold(). By the 8, but for the results, which were
 * written just now.
 */
static inline u64 copy_header(u8 *to, const rpc_message_header_v *header)
{
	const u8 *from = (const u8 *)header;
	const u32 results = offsetof(rpc_message_header_v, rpc_result);

	_Static_assert(offsetof(rpc_message_header_v, rpc_result) == 16 &&
			       sizeof(rpc_message_header_v) == 32,
		       "the results are the third 8 bytes of four");
	return copy_in_and_sum(to, from, results) ^
	       copy_and_sum(to + results, from + results, sizeof(u64)) ^
	       copy_in_and_sum(to + results + 8, from + results + 8, sizeof(u64));
}

/* The record by bus address: put together first, since each access is dear. */
static bool write_by_address(struct fw *fw, const struct record *r)
{
	const struct fw_ring *ring = &fw->queues.status;
	u32 padded = HEADERS + (u32)align_up(r->size, sizeof(u64)), at;
	u64 sum;

	sum = copy_header(fw->tx + GSP_MSG_QUEUE_ELEMENT_HDR_SIZE, r->header);
	sum ^= copy_and_sum(fw->tx + HEADERS, r->data, r->size);
	fill_element(fw->tx, fold(sum), ring->seq, r->elements);
	for (at = 0; at < padded; at += FW_PAGE)
		if (!shared_write(fw, element_offset(ring, ring_move(ring, ring->at, at / FW_PAGE)),
				  fw->tx + at, min(padded - at, FW_PAGE)))
			return false;
	return true;
}

/* The same right into memory; false, with nothing that counts written, where that is not to be. */
static bool write_in_place(struct fw *fw, const struct record *r)
{
	const struct fw_ring *ring = &fw->queues.status;
	u8 *first = shared_at(fw, element_offset(ring, ring->at));
	u32 done = min(r->size, FW_PAGE - HEADERS), here;
	u64 sum;

	if (!first)
		return false;
	sum = copy_header(first + GSP_MSG_QUEUE_ELEMENT_HDR_SIZE, r->header);
	sum ^= copy_and_sum(first + HEADERS, r->data, done);
	for (; done < r->size; done += here) {
		u32 place = ring_move(ring, ring->at, (HEADERS + done) / FW_PAGE);
		u8 *at = shared_at(fw, element_offset(ring, place));

		if (!at)
			return false;
		here = min(r->size - done, FW_PAGE);
		sum ^= copy_and_sum(at, r->data + done, here);
	}
	fill_element(first, fold(sum), ring->seq, r->elements);
	fw->dma_written_bytes += HEADERS + align_up(r->size, sizeof(u64));
	return true;
}

/* Sends a record: size bytes of data behind that header; false when there is no space for it. */
static bool send_record(struct fw *fw, const rpc_message_header_v *header, const u8 *data, u32 size)
{
	struct fw_ring *ring = &fw->queues.status;
	struct record r = { header, data, size, (u32)div_round_up(HEADERS + size, FW_PAGE) };
	u32 next;

	if (status_space(fw, r.elements) < r.elements)
		return false;
	if (__builtin_expect(fw->cc && fw->cc->seals, 0)) {
		if (!sealed_write(fw, header, data, size))
			return true; /* likewise: what follows it will not open */
	} else if (!write_in_place(fw, &r) && !write_by_address(fw, &r)) {
		return true; /* nobody is there to read it */
	}
	next = ring_move(ring, ring->at, r.elements);
	if (pointer_write(fw, ring->offset + offsetof(msgqTxHeader, writePtr), next)) {
		ring->at = next;
		ring->seq++;
		fw->wrote = true;
	}
	return true;
}

/* The next record of a long message; at counts the bytes that went out. */
static bool send_part(struct fw *fw, const rpc_message_header_v *message, u32 *at)
{
	const u32 head = sizeof(*message);
	rpc_message_header_v record = *message;
	u32 start = *at == 0 ? head : *at;
	u32 here = min(message->length - start, GSP_MSG_QUEUE_RPC_SIZE_MAX - head);

	record.length = head + here;
	if (*at != 0)
		record.function = NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD;
	if (!send_record(fw, &record, (const u8 *)message + start, here))
		return false;
	*at = start + here;
	return true;
}

/* A message of one record. */
static bool send_short(struct fw *fw, const rpc_message_header_v *message)
{
	return send_record(fw, message, (const u8 *)(message + 1),
			   message->length - (u32)sizeof(*message));
}

/* The records of a long message from *at on; true when all of it went. */
static bool send_long(struct fw *fw, const rpc_message_header_v *message, u32 *at)
{
	while (*at < message->length)
		if (!send_part(fw, message, at))
			return false;
	return true;
}

/* For later: what is left of a message of which sent bytes went. */
static void keep(struct fw *fw, const rpc_message_header_v *message, u32 sent)
{
	u32 length = message->length;
	struct fw_queues *q = &fw->queues;
	struct fw_out **last = q->out_last;
	struct fw_out *out = NULL;

	if (length <= FW_OUT_MAX_BYTES - q->out_bytes)
		out = malloc(sizeof(*out) + length);
	if (!out) {
		fw_log(fw, OS_LOG_ERROR, "status queue is full: message 0x%x lost",
		       ((const rpc_message_header_v *)message)->function);
		return;
	}
	memcpy(out->message, message, length);
	out->bytes = length;
	out->sent = sent;
	/* What began goes on first: events that chaos holds back may be in the list. */
	out->next = sent != 0 ? q->out_first : NULL;
	if (!out->next)
		q->out_last = &out->next;
	if (sent != 0)
		q->out_first = out;
	else
		*last = out;
	q->out_bytes += length;
}

void fw_queue_send(struct fw *fw, const rpc_message_header_v *message)
{
	struct fw_queues *q = &fw->queues;
	bool event = is_event(message);
	bool wait = q->out_first != NULL;
	u32 sent = 0;

	if (event)
		fw->wants_interrupt = true;
	if (event && fw_cc_holds(fw->cc))
		wait = true;
	/* Chaos holds events back, and lets replies overtake them. */
	if (fw->rng != 0 && fw->stage == FW_STAGE_RUNNING) {
		if (event)
			wait = wait || fw_random(fw, 2) != 0;
		else
			wait = wait && q->out_first->sent != 0;
	}
	if (message->length > GSP_MSG_QUEUE_RPC_SIZE_MAX) {
		if (wait || !send_long(fw, message, &sent))
			keep(fw, message, sent);
	} else if (wait || !send_short(fw, message)) {
		keep(fw, message, 0);
	}
}

/* Sends what it can of the first message that waits; true when all of it went. */
static bool send_first(struct fw *fw, bool *any)
{
	struct fw_out *out = fw->queues.out_first;
	const rpc_message_header_v *message = (const void *)out->message;
	u32 before = out->sent;
	bool all;

	if (out->bytes > GSP_MSG_QUEUE_RPC_SIZE_MAX) {
		all = send_long(fw, message, &out->sent);
	} else {
		all = send_short(fw, message);
		out->sent = all ? out->bytes : 0;
	}
	if (out->sent != before) {
		*any = true;
		if (is_event(message))
			fw->wants_interrupt = true;
	}
	return all;
}

/* An event that is to be sealed once messages are. */
static bool holds_first(const struct fw *fw)
{
	return fw_cc_holds(fw->cc) && is_event((const void *)fw->queues.out_first->message);
}

bool fw_queue_flush(struct fw *fw)
{
	struct fw_queues *q = &fw->queues;
	bool any = false;

	while (q->out_first && !holds_first(fw) && send_first(fw, &any)) {
		struct fw_out *out = q->out_first;

		q->out_first = out->next;
		if (!q->out_first)
			q->out_last = &q->out_first;
		q->out_bytes -= out->bytes;
		free(out);
	}
	return any;
}
