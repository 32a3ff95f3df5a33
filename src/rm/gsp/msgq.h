/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The pair of message queues in memory that driver and firmware share.
 *
 *     command queue (we write)                     status queue (the firmware writes)
 *     +0     msgqTxHeader, writePtr ours           +0     msgqTxHeader, writePtr theirs
 *     +32    readPtr ours: of the status queue     +32    readPtr theirs: of the command queue
 *     +4096  elements of 4096 bytes                +4096  elements of 4096 bytes
 *
 * A message takes 1 to 16 elements, wrapping at the end; one element always stays free. Everything
 * in this memory may change at any time and hold anything: what is read is copied once and checked
 * as a copy, and our own pointers are never read back.
 *
 * Nothing here locks: the caller holds the GPU lock. Only gsp_msgq_has_message needs no lock.
 */
#ifndef RM_GSP_MSGQ_H
#define RM_GSP_MSGQ_H

#include "abi/r535.h"
#include "base/bits.h"
#include "os/os.h"

/* How many bytes of a message's elements a header's worth of queue and message header takes. */
#define GSP_MSGQ_OVERHEAD ((u32)sizeof(GSP_MSG_QUEUE_ELEMENT))
/* The longest message: its message header and what follows, without continuation. */
#define GSP_MSGQ_MAX_LENGTH ((u32)GSP_MSG_QUEUE_RPC_SIZE_MAX)

#define GSP_FEW_BYTES 64u /* headers, and the parameters of most controls */

/*
 * Copies whole words of 4 bytes and returns their sum, each read once. For few: they are not worth
 * a call, and a wider load would have to wait for the words that were written just now.
 */
static inline u32 gsp_copy_words(void *to, const void *from, u32 size)
{
	u32 sum = 0, i, word, next;

	for (i = 0; i + 8 <= size; i += 8) {
		__builtin_memcpy(&word, (const u8 *)from + i, 4);
		__builtin_memcpy(&next, (const u8 *)from + i + 4, 4);
		__asm__("" : "+r"(word)); /* lest the compiler make a call of it */
		__asm__("" : "+r"(next));
		sum ^= word ^ next;
		__builtin_memcpy((u8 *)to + i, &word, 4);
		__builtin_memcpy((u8 *)to + i + 4, &next, 4);
	}
	if (i < size) {
		__builtin_memcpy(&word, (const u8 *)from + i, 4);
		sum ^= word;
		__builtin_memcpy((u8 *)to + i, &word, 4);
	}
	return sum;
}

/* os_memcpy for the parts of messages, most of which are few words. */
static inline void gsp_copy(void *to, const void *from, u32 size)
{
	if (__builtin_expect(size > GSP_FEW_BYTES || !is_aligned(size, 4), 0)) {
		os_memcpy(to, from, size);
		return;
	}
	(void)gsp_copy_words(to, from, size);
}

struct gsp_msgq {
	u8 *command, *status; /* the two queues */
	u32 command_size, status_size;
	u32 command_count;    /* elements */
	u32 status_count;     /* once linked */
	u32 entry_offset;     /* of the status queue's elements */
	u32 peer_read_offset; /* of the firmware's read pointer in the status queue */
	u32 write;	      /* next element that we fill */
	u32 read;	      /* next element that we take */
	u32 send_sequence, receive_sequence;
	bool linked;
	/* Messages were thrown away whole, so the next one may be ahead of receive_sequence. */
	bool resync;
	u32 dropped; /* malformed or stale messages, for the log */
};

/* One piece of a message; pieces follow each other without gaps. */
struct gsp_piece {
	const void *data;
	u32 size;
};

/*
 * Where the end of one message's data may go right out of the queue: size bytes, behind head bytes
 * that go to the receiver's buffer like the rest of a message. For a message of this function,
 * sequence and length only; where status_at (in the head) is not ~0, for one with 0 there only.
 */
struct gsp_sink {
	u32 function, sequence;
	u32 head; /* a multiple of 8 */
	u32 status_at;
	u8 *data;
	u32 size;
	bool used; /* by the message received last, good or not: the buffer lacks what is here */
};

#define GSP_MSGQ_ELEMENT ((u32)GSP_MSG_QUEUE_ELEMENT_SIZE_MIN)

/* Places in a ring of count elements: none of these needs a division. at, from, to, n < count. */
static inline u32 gsp_ring_move(u32 at, u32 n, u32 count)
{
	at += n;
	return at >= count ? at - count : at;
}

static inline u32 gsp_ring_distance(u32 from, u32 to, u32 count)
{
	return to >= from ? to - from : to + count - from;
}

/* Both sizes are multiples of the page size, with room for 16 elements at least; memory is zeroed.
 */
void gsp_msgq_init(struct gsp_msgq *q, void *command, u32 command_size, void *status,
		   u32 status_size);

/*
 * Looks for the status queue's header, which the firmware writes once it is up. NV_ERR_NOT_READY:
 * not yet. NV_ERR_INVALID_DATA: it is no header of this format.
 */
enum nv_status gsp_msgq_link(struct gsp_msgq *q);

/*
 * Writes one message (message header first) of at most GSP_MSGQ_MAX_LENGTH bytes.
 * NV_ERR_BUSY_RETRY: no room now; NV_ERR_INVALID_PARAM_STRUCT: too short or too long;
 * NV_ERR_INVALID_DATA: the firmware's read pointer is nonsense. Nothing is written on failure.
 */
enum nv_status gsp_msgq_send(struct gsp_msgq *q, const struct gsp_piece *pieces, u32 count);

/* How many elements such a message takes, if gsp_msgq_send would send it; else its status. */
enum nv_status gsp_msgq_fit(const struct gsp_msgq *q, const struct gsp_piece *pieces, u32 count,
			    u32 *elements);

/* Elements that are ours to fill; NV_ERR_INVALID_DATA for a read pointer out of the queue. */
static inline enum nv_status gsp_msgq_room(const struct gsp_msgq *q, u32 *count)
{
	u32 read = 0;

	if (q->linked)
		read = os_load_acquire(
			&((const msgqRxHeader *)(q->status + q->peer_read_offset))->readPtr);
	if (read >= q->command_count)
		return NV_ERR_INVALID_DATA;
	*count = gsp_ring_distance(q->write, read, q->command_count);
	*count = (*count == 0 ? q->command_count : *count) - 1;
	return NV_OK;
}

/* The next element, which is in one piece. */
static inline GSP_MSG_QUEUE_ELEMENT *gsp_msgq_element(const struct gsp_msgq *q)
{
	return (GSP_MSG_QUEUE_ELEMENT *)(q->command + GSP_MSG_QUEUE_HEADER_SIZE +
					 q->write * GSP_MSGQ_ELEMENT);
}

/* Elements that are complete go to the firmware. */
static inline void gsp_msgq_hand_over(struct gsp_msgq *q, u32 elements)
{
	q->write = gsp_ring_move(q->write, elements, q->command_count);
	q->send_sequence++;
	os_store_release(&((msgqTxHeader *)q->command)->writePtr, q->write);
}

/* The message is in its elements: hands them over. sum: of its 32-bit words. */
static inline void gsp_msgq_publish(struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *element,
				    u32 elements, u32 sum)
{
	os_memset(element, 0, GSP_MSG_QUEUE_ELEMENT_HDR_SIZE);
	element->seqNum = q->send_sequence;
	element->elemCount = elements;
	/* The header's other words are zero. */
	element->checkSum = sum ^ q->send_sequence ^ elements;
	gsp_msgq_hand_over(q, elements);
}

/* Whether gsp_msgq_send_few takes a message of two such parts behind its header. */
static inline bool gsp_msgq_is_few(u32 first, u32 second)
{
	return first <= GSP_FEW_BYTES && second <= GSP_FEW_BYTES && is_aligned(first | second, 4);
}

/*
 * gsp_msgq_send for what nearly all messages are: a header and two parts of few words. Inline, so
 * that a header that was made just now need not be in memory before it is in the queue.
 */
static inline enum nv_status gsp_msgq_send_few(struct gsp_msgq *q,
					       const rpc_message_header_v03_00 *header,
					       const void *first, u32 first_size,
					       const void *second, u32 second_size)
{
	GSP_MSG_QUEUE_ELEMENT *element = gsp_msgq_element(q);
	rpc_message_header_v03_00 *to = (rpc_message_header_v03_00 *)&element->rpc;
	u8 *data = (u8 *)(to + 1);
	enum nv_status status;
	u32 free, sum;

	status = gsp_msgq_room(q, &free);
	if (status != NV_OK)
		return status;
	if (free == 0)
		return NV_ERR_BUSY_RETRY;
	to->header_version = header->header_version;
	to->signature = header->signature;
	to->length = header->length;
	to->function = header->function;
	to->rpc_result = header->rpc_result;
	to->rpc_result_private = header->rpc_result_private;
	to->sequence = header->sequence;
	to->u.spare = header->u.spare;
	sum = header->header_version ^ header->signature ^ header->length ^ header->function ^
	      header->rpc_result ^ header->rpc_result_private ^ header->sequence ^ header->u.spare;
	sum ^= gsp_copy_words(data, first, first_size);
	sum ^= gsp_copy_words(data + first_size, second, second_size);
	/* The firmware sums up to the next multiple of 8, which is half a word away at most. */
	__builtin_memset(data + first_size + second_size, 0, 4);
	gsp_msgq_publish(q, element, 1, sum);
	return NV_OK;
}

/* Whether gsp_msgq_send would find room for length bytes. */
bool gsp_msgq_has_room(const struct gsp_msgq *q, u32 length);

/* The firmware's write pointer is not where we read. Any context. */
bool gsp_msgq_has_message(const struct gsp_msgq *q);

/*
 * Copies the next message to buffer (16-byte aligned, GSP_MSG_QUEUE_ELEMENT_SIZE_MAX bytes), whose
 * element header and message header are then valid: length is at least the message header and lies
 * in the elements. NV_WARN_NOTHING_TO_DO: there is none. NV_ERR_INVALID_DATA: a malformed one, or a
 * gap in the sequence; it is consumed and the queue goes on. NV_WARN_MORE_PROCESSING_REQUIRED: one
 * that was seen before, and dropped. Takes one message a call, so that a firmware which never stops
 * sending holds nobody here.
 */
enum nv_status gsp_msgq_receive(struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *buffer);

/* The same; data of the message that the sink is for goes there, even if it then proves bad. */
enum nv_status gsp_msgq_receive_to(struct gsp_msgq *q, GSP_MSG_QUEUE_ELEMENT *buffer,
				   struct gsp_sink *sink);

/*
 * For messages that are sealed, which are looked at by elements (sealed.c). How many wait:
 * statuses of gsp_msgq_receive. Copies those from first to end of the message that is next to the
 * same places from buffer on. Takes it out of the queue.
 */
enum nv_status gsp_msgq_available(const struct gsp_msgq *q, u32 *elements);
void gsp_msgq_copy_elements(const struct gsp_msgq *q, void *buffer, u32 first, u32 end);
void gsp_msgq_consume(struct gsp_msgq *q, u32 elements);
/* Hands over a message that is complete, its elements' headers among it; there is room for it. */
void gsp_msgq_send_elements(struct gsp_msgq *q, const void *message, u32 elements);

/* The exclusive or of a message's 32-bit words, zero-padded to 8 bytes. */
u32 gsp_msgq_checksum(const void *data, u32 size);

#endif
