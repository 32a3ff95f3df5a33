// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * GP entries: from GPGet up to GPPut, one segment of pushbuffer each.
 *
 *   63 62        42 41 40 39    32 31             2 1 0
 *   | S |  words   | L |  | VA 39:32 | VA 31:2     |  F |
 *   | 0 |    0     |        |  op  |    operand         |   a control entry
 *
 * S (wait for what came before), L (subroutine) and F (conditional) say how a real host reads
 * ahead; this one takes entries in order and one at a time, so they change nothing.
 */
#include <string.h>

#include "base/bits.h"
#include "h100/engine/fifo.h"

#define BURST_NS 100000ull
#define PB_ADDRESS_BITS 40u /* of an entry; SET_PB_SEGMENT_EXTENDED_BASE has those above */

void fifo_run_init(struct fifo_run *run, struct h100_channel *channel)
{
	struct h100_fifo *fifo = channel->fifo;
	const struct h100_space *space = channel->config.space;

	memset(run, 0, sizeof(*run));
	run->channel = channel;
	run->fifo = fifo;
	run->runlist = &fifo->runlist[channel->group->runlist];
	run->access = channel->config.privileged ? H100_ACCESS_PRIVILEGED : 0;
	run->has_space = space->valid;
	run->call.memory = fifo->config.memory;
	run->call.mmu = fifo->config.mmu;
	run->call.pdb = space->pdb;
	run->call.privileged = channel->config.privileged;
	run->call.secure = channel->secure;
	run->call.chid = channel->config.chid;
	run->call.channel = run;
	run->error.runlist = channel->group->runlist;
	run->error.chid = channel->config.chid;
	run->error.engine_type = run->runlist->engine->type;
	run->error.client = channel->config.client;
	run->error.instance = channel->config.instance_address;
	run->error.instance_aperture = channel->config.instance_aperture;
}

bool gpfifo_put(struct h100_channel *channel, u32 *put)
{
	return h100_memory_read(channel->fifo->config.memory, channel->config.userd_aperture,
				channel->config.userd_address +
					offsetof(struct Nvc86fControl, GPPut),
				put, sizeof(*put));
}

static void put_get(struct h100_channel *channel)
{
	u32 get = os_load_relaxed(&channel->gp_get);

	h100_memory_write(channel->fifo->config.memory, channel->config.userd_aperture,
			  channel->config.userd_address + offsetof(struct Nvc86fControl, GPGet),
			  &get, sizeof(get));
}

static void advance(struct h100_channel *channel)
{
	u32 get = os_load_relaxed(&channel->gp_get);

	os_store_relaxed(&channel->gp_get, (get + 1) & (channel->config.gpfifo_entries - 1));
	put_get(channel);
}

/* In confidential mode a secure channel works from the GPU's own memory; SEC2's is signed. */
static u32 outside_of(const struct fifo_run *run)
{
	return run->call.secure && run->runlist->engine->type != NV2080_ENGINE_TYPE_SEC2
		       ? 0
		       : H100_ACCESS_OUTSIDE;
}

static enum fifo_result fetch(struct fifo_run *run, u64 address, void *data, u32 size)
{
	struct h100_fault fault = { 0 };

	if (!run->has_space) {
		fault.type = H100_FAULT_UNBOUND_INST_BLOCK;
		fault.va = address;
	} else if (h100_virtual_read(run->call.mmu, &run->call.pdb, address, data, size,
				     run->access | outside_of(run), &fault)) {
		return FIFO_RESULT_OK;
	}
	fault.client = NV_PFAULT_CLIENT_HUB_HOST;
	fault.engine_id = (u16)(NV_PFAULT_MMU_ENG_ID_HOST0 + run->channel->group->runlist);
	return run_fault(run, &fault);
}

static enum fifo_result control_entry(struct fifo_run *run, u32 operand, u32 word)
{
	struct h100_channel *channel = run->channel;

	switch (REG_GET(NVC86F_GP_ENTRY1_OPCODE, word)) {
	case NVC86F_GP_ENTRY1_OPCODE_NOP:
		return FIFO_RESULT_OK;
	case NVC86F_GP_ENTRY1_OPCODE_SET_PB_SEGMENT_EXTENDED_BASE:
		channel->extended = (u64)REG_GET(NVC86F_GP_ENTRY0_PB_EXTENDED_BASE_OPERAND, operand)
				    << PB_ADDRESS_BITS;
		return FIFO_RESULT_OK;
	default: /* ILLEGAL, the checks of CRCs (no open definition), and what has no name */
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, 0, word);
	}
}

/* The entry at GPGet becomes the segment under way, or is done at once. */
static enum fifo_result take_entry(struct fifo_run *run)
{
	struct h100_channel *channel = run->channel;
	u64 at = channel->config.gpfifo +
		 (u64)os_load_relaxed(&channel->gp_get) * NVC86F_GP_ENTRY__SIZE;
	enum fifo_result result;
	u32 entry[2], words;

	result = fetch(run, at, entry, sizeof(entry));
	if (result != FIFO_RESULT_OK)
		return result;
	words = (u32)REG_GET(NVC86F_GP_ENTRY1_LENGTH, entry[1]);
	if (words == 0) {
		result = control_entry(run, entry[0], entry[1]);
		if (result == FIFO_RESULT_OK)
			advance(channel);
		return result;
	}
	channel->pb_at = channel->extended | (u64)REG_GET(NVC86F_GP_ENTRY1_GET_HI, entry[1]) << 32 |
			 (entry[0] & (u32)REG_MASK(NVC86F_GP_ENTRY0_GET));
	channel->pb_left = words;
	channel->pb_entry = true;
	return FIFO_RESULT_OK;
}

static bool turn_is_over(const struct fifo_run *run, u64 now)
{
	const struct h100_fifo *fifo = run->fifo;

	if (now >= run->deadline_ns)
		return true;
	/* Other runlists wait for this thread, or whoever called does. */
	return now >= run->turn_ns && (!fifo->config.threads || os_load_relaxed(&fifo->crowded));
}

/*
 * After each entry, of whatever kind, and piece of a segment: is it somebody else's turn? An entry
 * may be long, and a client may move GPPut as fast as entries are taken.
 */
static bool time_is_up(struct fifo_run *run)
{
	u64 now;

	if (os_load_relaxed(&run->runlist->preempt) != 0)
		return true;
	threads_poll(run->fifo);
	now = fifo_now(run->fifo);
	if (now - run->burst_ns >= BURST_NS) {
		/* Others wait for the end of bursts. */
		h100_memory_yield(run->call.memory);
		run->burst_ns = now;
	}
	return turn_is_over(run, now);
}

static enum fifo_result run_segment(struct fifo_run *run)
{
	struct h100_channel *channel = run->channel;
	u32 words[FIFO_PB_WORDS], count, used;
	enum fifo_result result = FIFO_RESULT_OK;

	while (channel->pb_left != 0 && result == FIFO_RESULT_OK) {
		count = min(channel->pb_left, (u32)FIFO_PB_WORDS);
		result = fetch(run, channel->pb_at, words, count * sizeof(words[0]));
		if (result != FIFO_RESULT_OK)
			return result;
		result = method_decode(run, words, count, &used);
		channel->pb_at += used * sizeof(words[0]);
		channel->pb_left -= used;
		if (result == FIFO_RESULT_OK && channel->pb_left != 0 && time_is_up(run))
			result = FIFO_RESULT_PREEMPTED;
	}
	if (channel->pb_left == 0 && channel->pb_entry && result != FIFO_RESULT_ERROR) {
		channel->pb_entry = false;
		advance(channel);
	}
	return result;
}

static enum fifo_result run_entries(struct fifo_run *run)
{
	struct h100_channel *channel = run->channel;
	enum fifo_result result = FIFO_RESULT_OK;
	u32 put = 0;

	if (channel->acquiring) {
		result = semaphore_check(run);
		if (result != FIFO_RESULT_OK)
			return result;
	}
	for (;;) {
		if (channel->pb_left == 0) {
			if (!gpfifo_put(channel, &put) || put >= channel->config.gpfifo_entries)
				return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, 0, put);
			if (put == os_load_relaxed(&channel->gp_get))
				return FIFO_RESULT_OK;
			h100_memory_asked();
			result = take_entry(run);
			if (result != FIFO_RESULT_OK)
				return result;
		}
		if (channel->pb_left != 0) {
			result = run_segment(run);
			if (result != FIFO_RESULT_OK)
				return result;
		}
		/* Not before something was done: the shortest slice gets on as well. */
		if (time_is_up(run))
			return FIFO_RESULT_PREEMPTED;
	}
}

static u64 call_now(const struct h100_engine_call *call)
{
	const struct fifo_run *run = call->channel;

	return fifo_now(run->fifo);
}

static void call_nonstall(const struct h100_engine_call *call)
{
	const struct fifo_run *run = call->channel;

	run->fifo->config.ops->raise(run->fifo->config.ctx, run->engine->nonstall_vector);
}

static bool call_stopped(const struct h100_engine_call *call)
{
	struct fifo_run *run = call->channel;

	threads_look(run->fifo);
	run->burst_ns = fifo_now(run->fifo);
	return os_load_relaxed(&run->runlist->preempt) != 0 || turn_is_over(run, run->burst_ns);
}

enum fifo_result gpfifo_run(struct fifo_run *run)
{
	enum fifo_result result;

	run->burst_ns = fifo_now(run->fifo);
	run->call.now_ns = call_now;
	run->call.nonstall = call_nonstall;
	run->call.stopped = call_stopped;
	h100_memory_enter(run->call.memory);
	result = run_entries(run);
	h100_memory_leave(run->call.memory);
	return result;
}
