// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages of the queues once they are sealed (confidential mode), in r535's form. All of a
 * message's elements are ciphertext behind the element header; its length is in there, so elements
 * are summed and sealed whole:
 *
 *   | authTagBuffer 16 | aadBuffer 16: seqNum, zero | checkSum 4 | seqNum 4 | elemCount 4 | 0 4 |
 *   | ciphertext: message header, data, zeroes up to the end of the last element ...            |
 *
 * Plaintext is in memory of the driver's own alone. A message is copied there before anything is
 * made of it, and what is sent is put into shared memory once it is sealed.
 */
#include "base/bits.h"
#include "rm/cc/session.h"
#include "rm/gsp/gsp.h"

#define ELEMENT GSP_MSGQ_ELEMENT
#define ELEMENT_HEADER ((u32)GSP_MSG_QUEUE_ELEMENT_HDR_SIZE)
#define MAX_ELEMENTS ((u32)(GSP_MSG_QUEUE_ELEMENT_SIZE_MAX / GSP_MSG_QUEUE_ELEMENT_SIZE_MIN))

_Static_assert(sizeof(((GSP_MSG_QUEUE_ELEMENT *)0)->aadBuffer) == RM_CC_AAD_SIZE, "AAD");
_Static_assert(sizeof(((GSP_MSG_QUEUE_ELEMENT *)0)->authTagBuffer) == RM_CC_TAG_SIZE, "tag");

static void make_aad(u32 number, u8 aad[RM_CC_AAD_SIZE])
{
	os_memset(aad, 0, RM_CC_AAD_SIZE);
	os_memcpy(aad, &number, sizeof(number));
}

enum nv_status gsp_start_sealing(struct rm_gsp *gsp)
{
	gsp->outgoing = os_alloc(GSP_MSG_QUEUE_ELEMENT_SIZE_MAX);
	if (!gsp->outgoing)
		return NV_ERR_NO_MEMORY;
	gsp->sealed = true;
	return NV_OK;
}

/* -- Sending ----------------------------------------------------------------------------------- */

/* All pieces, and zeroes behind them. */
static void gather(u8 *to, u32 size, const struct gsp_piece *pieces, u32 count)
{
	u32 at = 0, i;

	for (i = 0; i < count; i++) {
		os_memcpy(to + at, pieces[i].data, pieces[i].size);
		at += pieces[i].size;
	}
	os_memset(to + at, 0, size - at);
}

enum nv_status gsp_sealed_send(struct rm_gsp *gsp, const struct gsp_piece *pieces, u32 count)
{
	GSP_MSG_QUEUE_ELEMENT *element = gsp->outgoing;
	u8 *text = (u8 *)element + ELEMENT_HEADER;
	struct gsp_msgq *q = &gsp->queue;
	enum nv_status status;
	u32 elements, size;

	status = gsp_msgq_fit(q, pieces, count, &elements);
	if (status != NV_OK)
		return status;
	size = elements * ELEMENT - ELEMENT_HEADER;
	gather(text, size, pieces, count);
	os_memset(element, 0, ELEMENT_HEADER);
	element->seqNum = q->send_sequence;
	element->elemCount = elements;
	make_aad(element->seqNum, element->aadBuffer);
	status = rm_cc_seal(gsp->gpu->cc, text, size, element->aadBuffer, element->authTagBuffer);
	if (status != NV_OK)
		return status;
	element->checkSum = gsp_msgq_checksum(element, elements * ELEMENT);
	gsp_msgq_send_elements(q, element, elements);
	return NV_OK;
}

/* -- Receiving --------------------------------------------------------------------------------- */

/* What must hold of a copy before it is worth opening; NULL: it does. */
static const char *check(const struct gsp_msgq *q, const GSP_MSG_QUEUE_ELEMENT *element)
{
	u8 aad[RM_CC_AAD_SIZE];

	if (gsp_msgq_checksum(element, element->elemCount * ELEMENT) != 0)
		return "bad checksum";
	if (element->seqNum != q->receive_sequence)
		return "bad sequence number";
	if (element->padding != 0)
		return "bad header";
	make_aad(element->seqNum, aad);
	if (os_memcmp(element->aadBuffer, aad, sizeof(aad)) != 0)
		return "bad associated data";
	return NULL;
}

/* The next message into the buffer; NULL, or why it is none. */
static const char *open_next(struct rm_gsp *gsp, u32 available)
{
	GSP_MSG_QUEUE_ELEMENT *element = gsp->buffer;
	struct gsp_msgq *q = &gsp->queue;
	const char *fault;
	u32 text;

	gsp_msgq_copy_elements(q, element, 0, 1);
	if (element->elemCount == 0 || element->elemCount > MAX_ELEMENTS ||
	    element->elemCount > available)
		return "bad element count";
	gsp_msgq_copy_elements(q, element, 1, element->elemCount);
	fault = check(q, element);
	if (fault)
		return fault;
	text = element->elemCount * ELEMENT - ELEMENT_HEADER;
	if (rm_cc_open(gsp->gpu->cc, (u8 *)element + ELEMENT_HEADER, text, element->aadBuffer,
		       element->authTagBuffer) != NV_OK)
		return "it does not open";
	if (element->rpc.length < sizeof(element->rpc) || element->rpc.length > text)
		return "bad length";
	return NULL;
}

enum nv_status gsp_sealed_receive(struct rm_gsp *gsp)
{
	struct gsp_msgq *q = &gsp->queue;
	const char *fault;
	u32 available;
	enum nv_status status;

	status = gsp_msgq_available(q, &available);
	if (status != NV_OK)
		return status;
	/* What follows one that somebody else wrote is no more to be trusted. */
	if (gsp->distrusted)
		return NV_ERR_INVALID_DATA;
	fault = open_next(gsp, available);
	if (!fault) {
		q->receive_sequence++;
		gsp_msgq_consume(q, gsp->buffer->elemCount);
		return NV_OK;
	}
	gsp->distrusted = true;
	os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP message is not authentic: %s", gsp->gpu->instance,
	       fault);
	os_memset(gsp->buffer, 0, GSP_MSG_QUEUE_ELEMENT_SIZE_MAX);
	rm_gpu_lose(gsp->gpu, RM_XID_GSP_ERROR,
		    "GSP message could not be authenticated.  The GPU likely needs to be reset.");
	return NV_ERR_INVALID_DATA;
}
