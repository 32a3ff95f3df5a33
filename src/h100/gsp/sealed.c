// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Records of the queues once they are sealed (confidential mode), in r535's form. All of a record's
 * elements are ciphertext behind the element header; its length is in there, so elements are
 * summed and sealed whole:
 *
 *   | authTagBuffer 16 | aadBuffer 16: seqNum, zero | checkSum 4 | seqNum 4 | elemCount 4 | 0 4 |
 *   | ciphertext: message header, data, zeroes up to the end of the last element ...            |
 *
 * Ciphertext is copied out of shared memory before anything is made of it, and into it once it is
 * complete.
 */
#include <string.h>

#include "base/bits.h"
#include "h100/gsp/shared.h"

#define ELEMENT_HEADER ((u32)GSP_MSG_QUEUE_ELEMENT_HDR_SIZE)
#define ELEMENTS_MAX ((u32)(GSP_MSG_QUEUE_ELEMENT_SIZE_MAX / GSP_MSG_QUEUE_ELEMENT_SIZE_MIN))

_Static_assert(sizeof(((GSP_MSG_QUEUE_ELEMENT *)0)->aadBuffer) == CC_AAD_BYTES, "AAD");
_Static_assert(sizeof(((GSP_MSG_QUEUE_ELEMENT *)0)->authTagBuffer) == CC_TAG_BYTES, "tag");

static bool take_element(struct fw *fw, u32 index, u8 *to)
{
	const struct fw_ring *ring = &fw->queues.commands;

	return shared_read(fw, element_offset(ring, ring_move(ring, ring->at, index)), to, FW_PAGE);
}

static bool is_number(const u8 aad[CC_AAD_BYTES], u32 number)
{
	u8 want[CC_AAD_BYTES] = { 0 };

	memcpy(want, &number, sizeof(number));
	return memcmp(aad, want, sizeof(want)) == 0;
}

/* What must hold of the copy in rx before it is worth opening. */
static const char *check(const struct fw *fw, u32 elements)
{
	const GSP_MSG_QUEUE_ELEMENT *element = (const void *)fw->rx.data;

	if (fold(sum_words(element, elements * FW_PAGE)) != 0)
		return "checksum";
	if (element->seqNum != fw->queues.commands.seq)
		return "sequence number";
	if (element->padding != 0)
		return "header";
	if (!is_number((const u8 *)element->aadBuffer, element->seqNum))
		return "associated data";
	return NULL;
}

const char *sealed_read(struct fw *fw, u32 waiting, u32 *elements, u32 *bytes)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)fw->rx.data;
	const char *fault;
	u32 text, count, i;

	*elements = 0;
	fw->queues.in_place = false;
	if (!take_element(fw, 0, fw->rx.data))
		return "memory is gone";
	*elements = 1;
	count = element->elemCount;
	if (count == 0 || count > ELEMENTS_MAX || count > waiting)
		return "element count";
	for (i = 1; i < count; i++)
		if (!take_element(fw, i, fw->rx.data + i * FW_PAGE)) {
			*elements = 0;
			return "memory is gone";
		}
	fault = check(fw, count);
	if (fault)
		return fault;
	text = count * FW_PAGE - ELEMENT_HEADER;
	if (!cc_open(&fw->cc->from_driver, fw->rx.data + ELEMENT_HEADER, text,
		     (const u8 *)element->aadBuffer, (const u8 *)element->authTagBuffer))
		return "tag";
	/* Its sender is known now, and has to know the form. */
	if (element->rpc.length < sizeof(element->rpc) || element->rpc.length > text ||
	    element->rpc.signature != NV_VGPU_MSG_SIGNATURE_VALID ||
	    REG_GET(NV_VGPU_MSG_HEADER_VERSION_MAJOR, element->rpc.header_version) !=
		    NV_VGPU_MSG_HEADER_VERSION_MAJOR_TOT)
		return "form";
	*elements = count;
	*bytes = text;
	return NULL;
}

static bool put_element(struct fw *fw, u32 index, const u8 *from)
{
	const struct fw_ring *ring = &fw->queues.status;
	u64 offset = element_offset(ring, ring_move(ring, ring->at, index));
	u8 *at = shared_at(fw, offset);

	if (!at)
		return shared_write(fw, offset, from, FW_PAGE);
	memcpy(at, from, FW_PAGE);
	fw->dma_written_bytes += FW_PAGE;
	return true;
}

bool sealed_write(struct fw *fw, const rpc_message_header_v *header, const u8 *data, u32 size)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)fw->tx;
	u32 used = (u32)sizeof(*element) + size, i;
	u32 count = (u32)div_round_up(used, FW_PAGE);

	memset(fw->tx, 0, ELEMENT_HEADER);
	memcpy(&element->rpc, header, sizeof(element->rpc));
	memcpy(fw->tx + sizeof(*element), data, size);
	memset(fw->tx + used, 0, count * FW_PAGE - used);
	element->seqNum = fw->queues.status.seq;
	element->elemCount = count;
	memcpy(element->aadBuffer, &element->seqNum, sizeof(element->seqNum));
	if (!cc_seal(&fw->cc->to_driver, fw->tx + ELEMENT_HEADER, count * FW_PAGE - ELEMENT_HEADER,
		     (const u8 *)element->aadBuffer, (u8 *)element->authTagBuffer))
		return false;
	element->checkSum = fold(sum_words(fw->tx, count * FW_PAGE));
	for (i = 0; i < count; i++)
		if (!put_element(fw, i, fw->tx + i * FW_PAGE))
			return false;
	return true;
}
