// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pushbuffer words: method headers and their data. A header may be followed by its data in a later
 * segment, so where decoding is stays with the channel.
 *
 *   31  29 28    16 15 13 12 11        0
 *   | 1/3/5 | count | subch |-|  method  |   incrementing, not, once: data words follow
 *   |   4   | data  | subch |-|  method  |   the data is in the header
 *   |   0   |  mask operations of subdevices: 17:16 says which, 15:4 the mask; 0 is a no-op
 *   |   7   |  the rest of the segment is skipped
 */
#include <string.h>

#include "base/bits.h"
#include "h100/engine/fifo.h"

#define HOST_METHODS_END 0x40u /* words */
#define METHOD_WORDS 0x1000u
#define SUBDEVICE 0x1u /* this GPU's bit in masks */

enum fifo_result run_error(struct fifo_run *run, u32 code, u32 method, u32 data)
{
	run->error.code = code;
	run->error.has_fault = false;
	run->error.method = method;
	run->error.data = data;
	return FIFO_RESULT_ERROR;
}

enum fifo_result run_fault(struct fifo_run *run, const struct h100_fault *fault)
{
	const struct h100_channel_config *config = &run->channel->config;

	run->error.code = ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT;
	run->error.has_fault = true;
	run->error.fault = *fault;
	run->error.fault.instance = config->instance_address;
	run->error.fault.instance_aperture = config->instance_aperture;
	run->error.fault.timestamp = fifo_now(run->fifo);
	return FIFO_RESULT_ERROR;
}

/* SEC2 has one class, and does without SET_OBJECT, which r535's unified memory does not send it. */
static struct fifo_object *lone_object(const struct fifo_run *run)
{
	struct list_node *node = list_first(&run->channel->objects);

	return node && run->runlist->engine->type == NV2080_ENGINE_TYPE_SEC2
		       ? list_entry(node, struct fifo_object, node)
		       : NULL;
}

static enum fifo_result engine_method(struct fifo_run *run, u32 subchannel, u32 method, u32 data)
{
	struct fifo_object *object = run->channel->subchannel[subchannel];

	run->error.subchannel = subchannel;
	if (!object)
		object = lone_object(run);
	if (!object)
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, method, data);
	run->engine = object->engine;
	run->error.engine_type = object->engine->type;
	run->kinds |= BIT32(object->class->kind);
	run->call.subchannel = subchannel;
	run->call.instance = object->class->kind == H100_ENGINE_KIND_COPY
				     ? object->engine->type - NV2080_ENGINE_TYPE_COPY0
				     : 0;
	run->call.resumed = run->channel->stopped;
	run->channel->stopped = false;
	switch (object->class->method(&run->call, object->state, method, data)) {
	case H100_METHOD_OK:
		return FIFO_RESULT_OK;
	case H100_METHOD_FAULT:
		run->error.method = method;
		run->error.data = data;
		return run_fault(run, &run->call.fault);
	case H100_METHOD_STOPPED:
		run->channel->stopped = true;
		return FIFO_RESULT_PREEMPTED;
	default:
		run->error.info = run->call.error_info;
		return run_error(run, run->call.error, method, data);
	}
}

static enum fifo_result bind(struct fifo_run *run, u32 subchannel, u32 data)
{
	enum fifo_result result = host_method(run, NVC86F_SET_OBJECT, subchannel, data);

	if (result == FIFO_RESULT_OK && run->channel->subchannel[subchannel]->class->hears_binding)
		result = engine_method(run, subchannel, NVC86F_SET_OBJECT, data);
	return result;
}

static enum fifo_result method_do(struct fifo_run *run, u32 subchannel, u32 method, u32 data)
{
	if ((run->channel->subdevice_mask & SUBDEVICE) == 0)
		return FIFO_RESULT_OK;
	if (method == NVC86F_SET_OBJECT / 4)
		return bind(run, subchannel, data);
	if (method < HOST_METHODS_END)
		return host_method(run, method * 4, subchannel, data);
	return engine_method(run, subchannel, method * 4, data);
}

static enum fifo_result data_word(struct fifo_run *run, u32 data)
{
	struct fifo_header *header = &run->channel->header;
	u32 method = header->method;

	if (method >= METHOD_WORDS)
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, method * 4, data);
	if (header->increment)
		header->method++;
	if (header->once)
		header->increment = false;
	header->count--;
	return method_do(run, header->subchannel, method, data);
}

static enum fifo_result subdevice_word(struct fifo_run *run, u32 word)
{
	u32 mask = (u32)REG_GET(NVC86F_DMA_SUBDEVICE_MASK, word);

	switch (REG_GET(NVC86F_DMA_TERT_OP, word)) {
	case NVC86F_DMA_TERT_OP_GRP0_SET_SUB_DEV_MASK:
		run->channel->subdevice_mask = mask;
		return FIFO_RESULT_OK;
	case NVC86F_DMA_TERT_OP_GRP0_STORE_SUB_DEV_MASK:
		run->channel->stored_mask = mask;
		return FIFO_RESULT_OK;
	case NVC86F_DMA_TERT_OP_GRP0_USE_SUB_DEV_MASK:
		run->channel->subdevice_mask = run->channel->stored_mask;
		return FIFO_RESULT_OK;
	default:
		/* The form of before Fermi; of it, a word of zero is left, which does nothing. */
		if (word == NVC86F_DMA_NOP)
			return FIFO_RESULT_OK;
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, 0, word);
	}
}

/* Sets *skip when the segment is over. */
static enum fifo_result header_word(struct fifo_run *run, u32 word, bool *skip)
{
	struct fifo_header *header = &run->channel->header;
	u32 op = (u32)REG_GET(NVC86F_DMA_SEC_OP, word);

	switch (op) {
	case NVC86F_DMA_SEC_OP_INC_METHOD:
	case NVC86F_DMA_SEC_OP_NON_INC_METHOD:
	case NVC86F_DMA_SEC_OP_ONE_INC:
		header->method = (u16)REG_GET(NVC86F_DMA_METHOD_ADDRESS, word);
		header->count = (u16)REG_GET(NVC86F_DMA_METHOD_COUNT, word);
		header->subchannel = (u8)REG_GET(NVC86F_DMA_METHOD_SUBCHANNEL, word);
		header->increment = op != NVC86F_DMA_SEC_OP_NON_INC_METHOD;
		header->once = op == NVC86F_DMA_SEC_OP_ONE_INC;
		return FIFO_RESULT_OK;
	case NVC86F_DMA_SEC_OP_IMMD_DATA_METHOD:
		return method_do(run, (u32)REG_GET(NVC86F_DMA_METHOD_SUBCHANNEL, word),
				 (u32)REG_GET(NVC86F_DMA_METHOD_ADDRESS, word),
				 (u32)REG_GET(NVC86F_DMA_IMMD_DATA, word));
	case NVC86F_DMA_SEC_OP_GRP0_USE_TERT:
		return subdevice_word(run, word);
	case NVC86F_DMA_SEC_OP_END_PB_SEGMENT:
		*skip = true;
		return FIFO_RESULT_OK;
	default:
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, 0, word);
	}
}

enum fifo_result method_decode(struct fifo_run *run, const u32 *words, u32 count, u32 *used)
{
	struct h100_channel *channel = run->channel;
	enum fifo_result result = FIFO_RESULT_OK;
	struct fifo_header before;
	bool skip = false;
	u32 at = 0;

	while (at < count && result == FIFO_RESULT_OK && !skip) {
		if (os_load_relaxed(&run->runlist->preempt) != 0) {
			result = FIFO_RESULT_PREEMPTED;
			break;
		}
		before = channel->header;
		if (channel->header.count != 0)
			result = data_word(run, words[at]);
		else
			result = header_word(run, words[at], &skip);
		/* A method that was stopped is met again, and goes on. */
		if (result == FIFO_RESULT_PREEMPTED)
			channel->header = before;
		else
			at++;
	}
	if (skip) {
		/* Also what was not fetched yet. */
		at = channel->pb_left;
	}
	*used = at;
	return result;
}
