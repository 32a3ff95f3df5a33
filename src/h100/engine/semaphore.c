// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Semaphores in memory: acquire, release, reduce.
 *
 *   release with a timestamp     0        4       8          16
 *                                | payload       | PTIMER ns |     (a payload of 32 bits: 0 above)
 *
 * The payload is written last, so that who sees it sees all that came before.
 */
#include "base/bits.h"
#include "h100/engine/fifo.h"

#define ADDRESS_HI_MASK 0x1ffffffu /* NVC86F_SEM_ADDR_HI_OFFSET */

/* In confidential mode clients' semaphores are in the GPU's memory; the driver knows what it tells.
 */
static u32 access_of(const struct fifo_run *run)
{
	return run->access | (run->access & H100_ACCESS_PRIVILEGED ? H100_ACCESS_OUTSIDE : 0);
}

static enum fifo_result host_fault(struct fifo_run *run, struct h100_fault *fault)
{
	fault->client = NV_PFAULT_CLIENT_HUB_HOST;
	fault->gpc_client = false;
	fault->engine_id = (u16)(NV_PFAULT_MMU_ENG_ID_HOST0 + run->channel->group->runlist);
	return run_fault(run, fault);
}

static enum fifo_result read_word(struct fifo_run *run, u64 address, bool wide, u64 *value)
{
	struct h100_fault fault = { .type = H100_FAULT_UNBOUND_INST_BLOCK, .va = address };

	*value = 0;
	if (run->has_space && h100_virtual_read(run->call.mmu, &run->call.pdb, address, value,
						wide ? 8 : 4, access_of(run), &fault))
		return FIFO_RESULT_OK;
	return host_fault(run, &fault);
}

static enum fifo_result write_bytes(struct fifo_run *run, u64 address, const void *data, u32 size)
{
	struct h100_fault fault = { 0 };

	if (h100_virtual_write(run->call.mmu, &run->call.pdb, address, data, size, access_of(run),
			       &fault))
		return FIFO_RESULT_OK;
	return host_fault(run, &fault);
}

static bool satisfied(const struct fifo_acquire *acquire, u64 value)
{
	u64 payload = acquire->payload, mask = acquire->wide ? ~(u64)0 : 0xffffffffu;

	switch (acquire->compare) {
	case NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE:
		return value == payload;
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_STRICT_GEQ:
		return value >= payload;
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_CIRC_GEQ:
		return acquire->wide ? (s64)(value - payload) >= 0
				     : (s32)(u32)(value - payload) >= 0;
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_AND:
		return (value & payload) != 0;
	default: /* NVC86F_SEM_EXECUTE_OPERATION_ACQ_NOR */
		return ((value | payload) & mask) != mask;
	}
}

enum fifo_result semaphore_check(struct fifo_run *run)
{
	struct h100_channel *channel = run->channel;
	u64 value, now, timeout = channel->config.acquire_timeout_ns;
	enum fifo_result result;

	result = read_word(run, channel->acquire.address, channel->acquire.wide, &value);
	if (result != FIFO_RESULT_OK)
		return result;
	if (satisfied(&channel->acquire, value)) {
		channel->acquiring = false;
		return FIFO_RESULT_OK;
	}
	now = fifo_now(run->fifo);
	if (timeout != 0 && now - channel->acquire.since_ns >= timeout)
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, NVC86F_SEM_EXECUTE,
				 channel->acquire.compare);
	return FIFO_RESULT_BLOCKED;
}

static enum fifo_result acquire(struct fifo_run *run, u64 address, u64 payload, u32 compare,
				bool wide)
{
	struct h100_channel *channel = run->channel;

	channel->acquire = (struct fifo_acquire){ .address = address,
						  .payload = payload,
						  .compare = (u8)compare,
						  .wide = wide,
						  .since_ns = fifo_now(run->fifo) };
	channel->acquiring = true;
	return semaphore_check(run);
}

/*
 * A pushbuffer of a secure channel of SEC2's lies where anybody may write, and what it does is
 * signed: a word that says that work is done, too (NVCBA2_SEMAPHORE_D, NVCBA2_EXECUTE).
 */
static bool must_be_signed(const struct fifo_run *run)
{
	return run->call.secure && run->runlist->engine->type == NV2080_ENGINE_TYPE_SEC2;
}

static enum fifo_result unsigned_write(struct fifo_run *run, u32 operation)
{
	return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, NVC86F_SEM_EXECUTE, operation);
}

static enum fifo_result release(struct fifo_run *run, u64 address, u64 payload, bool wide,
				bool timestamp)
{
	u64 now = fifo_now(run->fifo);
	enum fifo_result result = FIFO_RESULT_OK;
	u32 zero = 0;

	if (must_be_signed(run))
		return unsigned_write(run, NVC86F_SEM_EXECUTE_OPERATION_RELEASE);
	if (timestamp)
		result = write_bytes(run, address + 8, &now, sizeof(now));
	if (timestamp && !wide && result == FIFO_RESULT_OK)
		result = write_bytes(run, address + 4, &zero, sizeof(zero));
	if (result == FIFO_RESULT_OK)
		result = write_bytes(run, address, &payload, wide ? 8 : 4);
	os_store_relaxed(&run->fifo->recheck, 1u);
	return result;
}

static enum fifo_result reduce(struct fifo_run *run, u64 address, u64 payload, u32 op, bool wide,
			       bool is_signed)
{
	static const enum h100_memory_op ops[][2] = {
		/* by NVC86F_SEM_EXECUTE_REDUCTION_*: unsigned, signed */
		{ H100_MEMORY_MIN_UNSIGNED, H100_MEMORY_MIN_SIGNED },
		{ H100_MEMORY_MAX_UNSIGNED, H100_MEMORY_MAX_SIGNED },
		{ H100_MEMORY_XOR, H100_MEMORY_XOR },
		{ H100_MEMORY_AND, H100_MEMORY_AND },
		{ H100_MEMORY_OR, H100_MEMORY_OR },
		{ H100_MEMORY_ADD, H100_MEMORY_ADD },
		{ H100_MEMORY_INC, H100_MEMORY_INC },
		{ H100_MEMORY_DEC, H100_MEMORY_DEC },
	};
	struct h100_fault fault = { 0 };

	if (must_be_signed(run))
		return unsigned_write(run, NVC86F_SEM_EXECUTE_OPERATION_REDUCTION);
	if (op >= ARRAY_SIZE(ops))
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, NVC86F_SEM_EXECUTE, op);
	os_store_relaxed(&run->fifo->recheck, 1u);
	if (h100_virtual_fetch_op(run->call.mmu, &run->call.pdb, address, wide ? 8 : 4,
				  ops[op][is_signed], payload, NULL, access_of(run), &fault))
		return FIFO_RESULT_OK;
	return host_fault(run, &fault);
}

enum fifo_result semaphore_execute(struct fifo_run *run, u32 data)
{
	const struct h100_channel *channel = run->channel;
	bool wide = REG_GET(NVC86F_SEM_EXECUTE_PAYLOAD_SIZE, data) != 0;
	bool timestamp = REG_GET(NVC86F_SEM_EXECUTE_RELEASE_TIMESTAMP, data) != 0;
	u64 address = (channel->sem_addr[0] & ~3u) | (u64)(channel->sem_addr[1] & ADDRESS_HI_MASK)
							     << 32;
	u64 payload = channel->sem_payload[0] | (wide ? (u64)channel->sem_payload[1] << 32 : 0);
	u32 operation = (u32)REG_GET(NVC86F_SEM_EXECUTE_OPERATION, data);

	if (operation != NVC86F_SEM_EXECUTE_OPERATION_RELEASE)
		timestamp = false;
	if (!is_aligned(address, timestamp ? 16 : wide ? 8 : 4))
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, NVC86F_SEM_EXECUTE, data);
	switch (operation) {
	case NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE:
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_STRICT_GEQ:
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_CIRC_GEQ:
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_AND:
	case NVC86F_SEM_EXECUTE_OPERATION_ACQ_NOR:
		return acquire(run, address, payload, operation, wide);
	case NVC86F_SEM_EXECUTE_OPERATION_RELEASE:
		return release(run, address, payload, wide, timestamp);
	case NVC86F_SEM_EXECUTE_OPERATION_REDUCTION:
		return reduce(run, address, payload,
			      (u32)REG_GET(NVC86F_SEM_EXECUTE_REDUCTION, data), wide,
			      REG_GET(NVC86F_SEM_EXECUTE_REDUCTION_FORMAT, data) ==
				      NVC86F_SEM_EXECUTE_REDUCTION_FORMAT_SIGNED);
	default:
		return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, NVC86F_SEM_EXECUTE, data);
	}
}

/* The methods of before Volta: 40-bit addresses, 32-bit payloads. */
enum fifo_result semaphore_old_execute(struct fifo_run *run, u32 data)
{
	const u32 *old = run->channel->old_sem;
	u64 address = (old[1] & ~3u) | (u64)(old[0] & 0xffu) << 32;
	bool stamp = REG_GET(NVC86F_SEMAPHORED_RELEASE_SIZE, data) ==
		     NVC86F_SEMAPHORED_RELEASE_SIZE_16BYTE;

	switch (REG_GET(NVC86F_SEMAPHORED_OPERATION, data)) {
	case NVC86F_SEMAPHORED_OPERATION_ACQUIRE:
		return acquire(run, address, old[2], NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE, false);
	case NVC86F_SEMAPHORED_OPERATION_ACQ_GEQ:
		return acquire(run, address, old[2], NVC86F_SEM_EXECUTE_OPERATION_ACQ_CIRC_GEQ,
			       false);
	case NVC86F_SEMAPHORED_OPERATION_ACQ_AND:
		return acquire(run, address, old[2], NVC86F_SEM_EXECUTE_OPERATION_ACQ_AND, false);
	case NVC86F_SEMAPHORED_OPERATION_RELEASE:
		if (stamp && !is_aligned(address, 16))
			break;
		return release(run, address, old[2], false, stamp);
	case NVC86F_SEMAPHORED_OPERATION_REDUCTION:
		return reduce(run, address, old[2], (u32)REG_GET(NVC86F_SEMAPHORED_REDUCTION, data),
			      false,
			      REG_GET(NVC86F_SEMAPHORED_FORMAT, data) ==
				      NVC86F_SEMAPHORED_FORMAT_SIGNED);
	default:
		break;
	}
	return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, NVC86F_SEMAPHORED, data);
}
