// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The host engine: what every pushbuffer header and host method does, semaphores of every kind,
 * channels that block, share a runlist, fail, and are reset. Without threads, so that each step is
 * the test's own.
 */
#include "h100_host_rig.h"

#include <stdlib.h>

#include "base/bits.h"
#include "unit.h"

#define A 0x100u /* words in the data page */
#define B 0x200u
#define C 0x300u
#define HEADER(op, count, subch, method)                             \
	((u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_##op) | \
	       REG_PREP(NVC86F_DMA_METHOD_COUNT, count) |            \
	       REG_PREP(NVC86F_DMA_METHOD_SUBCHANNEL, subch) |       \
	       REG_PREP(NVC86F_DMA_METHOD_ADDRESS, (method) / 4)))
#define EXECUTE(op) NVC86F_SEM_EXECUTE_OPERATION_##op
#define WIDE BIT32(NVC86F_SEM_EXECUTE_PAYLOAD_SIZE__LO)
#define STAMP BIT32(NVC86F_SEM_EXECUTE_RELEASE_TIMESTAMP__LO)

static int open_rig(void **state)
{
	*state = malloc(sizeof(struct host_rig));
	host_open(*state, false);
	return 0;
}

static int close_rig(void **state)
{
	host_close(*state);
	free(*state);
	return 0;
}

static bool take_error(struct host_rig *h, struct h100_fifo_error *error)
{
	h100_fifo_run(h->fifo);
	return h100_fifo_error_take(h->fifo, error);
}

/* -- Headers ----------------------------------------------------------------------------------- */

static void release_words(struct host_rig *h, struct host_channel *c, u32 offset, u32 value)
{
	host_word(h, c, bits_low32(DATA_VA + offset));
	host_word(h, c, bits_high32(DATA_VA + offset));
	host_word(h, c, value);
	host_word(h, c, 0); /* payload above */
	host_word(h, c, EXECUTE(RELEASE));
}

static void test_headers(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));

	/* Incrementing: five methods in a row. */
	host_word(h, c, HEADER(INC_METHOD, 5, 0, NVC86F_SEM_ADDR_LO));
	release_words(h, c, A, 1);
	/* The same method again and again: the last payload counts. */
	host_word(h, c, HEADER(NON_INC_METHOD, 3, 0, NVC86F_SEM_PAYLOAD_LO));
	host_word(h, c, 7);
	host_word(h, c, 8);
	host_word(h, c, 9);
	host_do(h, c, 0, NVC86F_SEM_ADDR_LO, bits_low32(DATA_VA + B));
	/* In the header. */
	host_word(h, c,
		  (u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_IMMD_DATA_METHOD) |
			REG_PREP(NVC86F_DMA_IMMD_DATA, EXECUTE(RELEASE)) |
			REG_PREP(NVC86F_DMA_METHOD_ADDRESS, NVC86F_SEM_EXECUTE / 4)));
	/* One increment: PAYLOAD_HI is written three times, and counts for nothing. */
	host_word(h, c, HEADER(ONE_INC, 4, 0, NVC86F_SEM_PAYLOAD_LO));
	host_word(h, c, 11);
	host_word(h, c, 12);
	host_word(h, c, 13);
	host_word(h, c, 14);
	host_do(h, c, 0, NVC86F_SEM_ADDR_LO, bits_low32(DATA_VA + C));
	host_do(h, c, 0, NVC86F_SEM_EXECUTE, EXECUTE(RELEASE));
	host_word(h, c, NVC86F_DMA_NOP);
	host_word(h, c, HEADER(INC_METHOD, 0, 0, NVC86F_SEM_EXECUTE));
	host_end(h, c);
	host_submit(h, c);
	assert_true(host_wait(h, A, 1));
	assert_true(host_wait(h, B, 9));
	assert_true(host_wait(h, C, 11));
	assert_int_equal(host_gp_get(h, c), 1);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
}

/* A header's data may come in a later segment; the end of a segment skips the rest of it. */
static void test_segments(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));

	host_word(h, c, HEADER(INC_METHOD, 5, 0, NVC86F_SEM_ADDR_LO));
	host_word(h, c, bits_low32(DATA_VA + A));
	host_end(h, c);
	host_word(h, c, bits_high32(DATA_VA + A));
	host_word(h, c, 3);
	host_end(h, c);
	host_word(h, c, 0);
	host_word(h, c, EXECUTE(RELEASE));
	host_word(h, c, (u32)REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_END_PB_SEGMENT));
	host_do(h, c, 0, NVC86F_SEM_PAYLOAD_LO, 4);
	host_do(h, c, 0, NVC86F_SEM_EXECUTE, EXECUTE(RELEASE));
	host_end(h, c);
	host_submit(h, c);
	assert_true(host_wait_empty(h, c));
	assert_int_equal(*host_data(h, A), 3);
}

static void mask(struct host_rig *h, struct host_channel *c, u32 op, u32 bits)
{
	host_word(h, c,
		  (u32)(REG_PREP(NVC86F_DMA_TERT_OP, op) |
			REG_PREP(NVC86F_DMA_SUBDEVICE_MASK, bits)));
}

static void test_subdevices(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));

	host_word(h, c, HEADER(INC_METHOD, 5, 0, NVC86F_SEM_ADDR_LO));
	release_words(h, c, A, 1);
	mask(h, c, NVC86F_DMA_TERT_OP_GRP0_STORE_SUB_DEV_MASK, 0x1);
	mask(h, c, NVC86F_DMA_TERT_OP_GRP0_SET_SUB_DEV_MASK, 0x2);
	host_word(h, c, HEADER(INC_METHOD, 5, 0, NVC86F_SEM_ADDR_LO));
	release_words(h, c, B, 2); /* for another GPU */
	mask(h, c, NVC86F_DMA_TERT_OP_GRP0_USE_SUB_DEV_MASK, 0);
	host_do(h, c, 0, NVC86F_SEM_PAYLOAD_LO, 5);
	host_do(h, c, 0, NVC86F_SEM_EXECUTE, EXECUTE(RELEASE));
	host_end(h, c);
	host_submit(h, c);
	assert_true(host_wait(h, A, 5));
	assert_int_equal(*host_data(h, B), 0);
}

static void test_bad_words(void **state)
{
	static const struct {
		u32 word, data;
	} bad[] = {
		{ HEADER(RESERVED6, 1, 0, 0x100), 0 },
		{ 0x00040100, 0 }, /* before Fermi, incrementing */
		{ 0x40040100, 0 }, /* and not */
		{ HEADER(INC_METHOD, 1, 0, NVC86F_ILLEGAL), 0 },
		{ HEADER(INC_METHOD, 1, 0, 0xf8), 0 },	/* no such host method */
		{ HEADER(INC_METHOD, 1, 4, 0x300), 1 }, /* no object there */
		{ HEADER(INC_METHOD, 1, 4, NVC86F_SET_OBJECT), HOPPER_DMA_COPY_A },
		{ HEADER(INC_METHOD, 1, 4, NVC86F_SET_OBJECT), 0x001f0000 },
		{ HEADER(INC_METHOD, 1, 0, NVC86F_SEM_EXECUTE), 7 },
		{ HEADER(INC_METHOD, 1, 0, NVC86F_SEMAPHORED), 0 },
		{ HEADER(INC_METHOD, 1, 0, NVC86F_YIELD), 1 },
		{ HEADER(INC_METHOD, 1, 0, NVC86F_MEM_OP_D), 0 },
		{ HEADER(INC_METHOD, 1, 0, NVC86F_CLEAR_FAULTED), 0 },
		{ HEADER(INC_METHOD, 2, 0, 0x3ffc), 0 }, /* past the last method */
	};
	struct host_rig *h = *state;
	struct host_channel *other = host_channel(h, 1, host_group(h, 0));
	struct h100_fifo_error error;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct h100_group *group = host_group(h, 0);
		struct host_channel *c = host_channel(h, 0, group);

		host_word(h, c, bad[i].word);
		host_word(h, c, bad[i].data);
		host_word(h, c, bad[i].data);
		host_end(h, c);
		host_submit(h, c);
		host_release(h, other, B, i + 1);
		host_submit(h, other);
		if (!take_error(h, &error))
			fail_msg("word %u (%08x) is no error", i, bad[i].word);
		assert_int_equal(error.code, ROBUST_CHANNEL_PBDMA_ERROR);
		assert_int_equal(error.chid, 0);
		assert_int_equal(error.client, CLIENT);
		assert_true(h100_channel_failed(c->channel));
		assert_int_equal(host_gp_get(h, c), 0);
		/* Others run on. */
		assert_true(host_wait(h, B, i + 1));
		assert_false(take_error(h, &error));
		h100_channel_destroy(c->channel);
		h100_group_destroy(group);
	}
}

/* -- Semaphores -------------------------------------------------------------------------------- */

static void execute(struct host_rig *h, struct host_channel *c, u32 offset, u64 payload, u32 word)
{
	host_word(h, c, HEADER(INC_METHOD, 5, 0, NVC86F_SEM_ADDR_LO));
	host_word(h, c, bits_low32(DATA_VA + offset));
	host_word(h, c, bits_high32(DATA_VA + offset));
	host_word(h, c, bits_low32(payload));
	host_word(h, c, bits_high32(payload));
	host_word(h, c, word);
	host_end(h, c);
}

static void test_acquires(void **state)
{
	static const struct {
		u32 operation;
		u64 value, payload;
		bool wide, passes;
	} cases[] = {
		{ EXECUTE(ACQUIRE), 5, 5, false, true },
		{ EXECUTE(ACQUIRE), 6, 5, false, false },
		{ EXECUTE(ACQUIRE), 0x100000005ull, 5, false, true },
		{ EXECUTE(ACQUIRE), 0x100000005ull, 5, true, false },
		{ EXECUTE(ACQUIRE), 0x100000005ull, 0x100000005ull, true, true },
		{ EXECUTE(ACQ_STRICT_GEQ), 5, 5, false, true },
		{ EXECUTE(ACQ_STRICT_GEQ), 6, 5, false, true },
		{ EXECUTE(ACQ_STRICT_GEQ), 4, 5, false, false },
		{ EXECUTE(ACQ_STRICT_GEQ), 2, 0xfffffffe, false, false },
		{ EXECUTE(ACQ_STRICT_GEQ), 0x100000000ull, 5, true, true },
		{ EXECUTE(ACQ_CIRC_GEQ), 5, 5, false, true },
		{ EXECUTE(ACQ_CIRC_GEQ), 4, 5, false, false },
		{ EXECUTE(ACQ_CIRC_GEQ), 2, 0xfffffffe, false, true }, /* went around */
		{ EXECUTE(ACQ_CIRC_GEQ), 0xfffffffe, 2, false, false },
		{ EXECUTE(ACQ_CIRC_GEQ), 2, ~1ull, true, true },
		{ EXECUTE(ACQ_CIRC_GEQ), ~1ull, 2, true, false },
		{ EXECUTE(ACQ_AND), 6, 2, false, true },
		{ EXECUTE(ACQ_AND), 6, 1, false, false },
		{ EXECUTE(ACQ_AND), 1ull << 40, 1ull << 40, true, true },
		{ EXECUTE(ACQ_NOR), 0xf, 0xf0, false, true },
		{ EXECUTE(ACQ_NOR), 0xffff0000, 0x0000ffff, false, false },
		{ EXECUTE(ACQ_NOR), 0xffffffff, 0, true, true },
		{ EXECUTE(ACQ_NOR), ~0ull, 0, true, false },
	};
	struct host_rig *h = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct h100_group *group = host_group(h, 0);
		struct host_channel *c = host_channel(h, 0, group);
		u64 *word = (u64 *)host_data(h, A);

		*word = cases[i].value;
		*host_data(h, B) = 0;
		execute(h, c, A, cases[i].payload, cases[i].operation | (cases[i].wide ? WIDE : 0));
		host_release(h, c, B, 1);
		host_submit(h, c);
		h100_fifo_run(h->fifo);
		if (*host_data(h, B) != cases[i].passes)
			fail_msg("acquire %u: %u", i, *host_data(h, B));
		if (!cases[i].passes) {
			/* It goes on where it was as soon as the value is there. */
			*word = cases[i].operation == EXECUTE(ACQ_NOR) ? 0 : cases[i].payload;
			h100_fifo_run(h->fifo);
			assert_int_equal(*host_data(h, B), 1);
		}
		assert_int_equal(os_load_relaxed(&h->errors), 0);
		h100_channel_destroy(c->channel);
		h100_group_destroy(group);
	}
}

static void test_releases(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u64 *at = (u64 *)host_data(h, A), before = os_time_ns();

	at[0] = at[1] = ~0ull;
	execute(h, c, A, 0x1122334455667788ull, EXECUTE(RELEASE));
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_true(at[0] == 0xffffffff55667788ull && at[1] == ~0ull);

	execute(h, c, A, 0x1122334455667788ull, EXECUTE(RELEASE) | WIDE);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_true(at[0] == 0x1122334455667788ull && at[1] == ~0ull);

	execute(h, c, A, 42, EXECUTE(RELEASE) | STAMP);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_true(at[0] == 42 && at[1] >= before && at[1] <= os_time_ns());

	at[1] = 0;
	execute(h, c, A, 1ull << 40, EXECUTE(RELEASE) | STAMP | WIDE);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_true(at[0] == 1ull << 40 && at[1] >= before);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
}

static void test_reductions(void **state)
{
#define REDUCE(name) \
	((u32)REG_PREP(NVC86F_SEM_EXECUTE_REDUCTION, NVC86F_SEM_EXECUTE_REDUCTION_##name))
#define UNSIGNED                                            \
	((u32)REG_PREP(NVC86F_SEM_EXECUTE_REDUCTION_FORMAT, \
		       NVC86F_SEM_EXECUTE_REDUCTION_FORMAT_UNSIGNED))
	static const struct {
		u32 word;
		u64 old, payload, result;
	} cases[] = {
		{ REDUCE(IMIN), 1, 0xffffffff, 0xffffffff }, /* -1 is less */
		{ REDUCE(IMIN) | UNSIGNED, 1, 0xffffffff, 1 },
		{ REDUCE(IMAX), 1, 0xffffffff, 1 },
		{ REDUCE(IMAX) | UNSIGNED, 1, 0xffffffff, 0xffffffff },
		{ REDUCE(IXOR), 0xff, 0x0f, 0xf0 },
		{ REDUCE(IAND), 0xff, 0x0f, 0x0f },
		{ REDUCE(IOR), 0xf0, 0x0f, 0xff },
		{ REDUCE(IADD), 0xffffffff, 2, 1 },
		{ REDUCE(IADD) | WIDE, 0xffffffff, 2, 0x100000001ull },
		{ REDUCE(INC), 4, 5, 5 },
		{ REDUCE(INC), 5, 5, 0 },
		{ REDUCE(DEC), 4, 5, 3 },
		{ REDUCE(DEC), 0, 5, 5 },
		{ REDUCE(DEC) | WIDE, 0x100000000ull, ~0ull, 0xffffffff },
	};
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u64 *at = (u64 *)host_data(h, A);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		*at = cases[i].old;
		execute(h, c, A, cases[i].payload, EXECUTE(REDUCTION) | cases[i].word);
		host_submit(h, c);
		h100_fifo_run(h->fifo);
		if (*at != cases[i].result)
			fail_msg("reduction %u: %llx", i, (unsigned long long)*at);
	}
	assert_int_equal(os_load_relaxed(&h->errors), 0);
}

static void test_old_semaphores(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct host_channel *d = host_channel(h, 1, host_group(h, 0));
	static const u32 acquires[] = { NVC86F_SEMAPHORED_OPERATION_ACQUIRE,
					NVC86F_SEMAPHORED_OPERATION_ACQ_GEQ,
					NVC86F_SEMAPHORED_OPERATION_ACQ_AND };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(acquires); i++) {
		*host_data(h, A) = *host_data(h, B) = 0;
		host_word(h, c, HEADER(INC_METHOD, 4, 0, NVC86F_SEMAPHOREA));
		host_word(h, c, bits_high32(DATA_VA + A));
		host_word(h, c, bits_low32(DATA_VA + A));
		host_word(h, c, 6);
		host_word(h, c, acquires[i]);
		host_end(h, c);
		host_release(h, c, B, 1);
		host_submit(h, c);
		h100_fifo_run(h->fifo);
		assert_int_equal(*host_data(h, B), 0);
		host_word(h, d, HEADER(INC_METHOD, 4, 0, NVC86F_SEMAPHOREA));
		host_word(h, d, bits_high32(DATA_VA + A));
		host_word(h, d, bits_low32(DATA_VA + A));
		host_word(h, d, 6);
		host_word(h, d,
			  (u32)(NVC86F_SEMAPHORED_OPERATION_RELEASE |
				REG_PREP(NVC86F_SEMAPHORED_RELEASE_SIZE,
					 NVC86F_SEMAPHORED_RELEASE_SIZE_4BYTE)));
		host_end(h, d);
		host_submit(h, d);
		h100_fifo_run(h->fifo);
		assert_int_equal(*host_data(h, B), 1);
	}
}

static void test_misaligned(void **state)
{
	static const struct {
		u32 offset, word;
	} bad[] = { { A + 4, EXECUTE(RELEASE) | WIDE },
		    { A + 8, EXECUTE(RELEASE) | STAMP },
		    { A + 4, EXECUTE(ACQUIRE) | WIDE } };
	struct host_rig *h = *state;
	struct h100_fifo_error error;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct host_channel *c = host_channel(h, i, host_group(h, 0));

		execute(h, c, bad[i].offset, 1, bad[i].word);
		host_submit(h, c);
		assert_true(take_error(h, &error));
		assert_int_equal(error.code, ROBUST_CHANNEL_PBDMA_ERROR);
		assert_int_equal(error.method, NVC86F_SEM_EXECUTE);
	}
}

/* -- GP entries -------------------------------------------------------------------------------- */

static void test_entries(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u32 i;

	/* Around the ring twice, with no-ops, waits and levels between. */
	for (i = 0; i < 2 * HOST_ENTRIES; i++) {
		host_entry(h, c, 0x1234, NVC86F_GP_ENTRY1_OPCODE_NOP);
		host_release(h, c, A, i);
		*(u32 *)(h->rig.video + ((c->put + HOST_ENTRIES - 1) % HOST_ENTRIES) * 8 + 4) |=
			(u32)(REG_PREP(NVC86F_GP_ENTRY1_SYNC, i & 1) |
			      REG_PREP(NVC86F_GP_ENTRY1_LEVEL, i >> 1 & 1));
		host_submit(h, c);
		assert_true(host_wait_empty(h, c));
		assert_int_equal(*host_data(h, A), i);
	}
	assert_int_equal(os_load_relaxed(&h->errors), 0);
}

/* A pushbuffer above the 40 bits of an entry. */
static void test_extended_base(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u64 high = 3ull << 40;

	h100_memory_enter(&h->rig.memory);
	rig_map_video(&h->rig, high + CHANNEL_VA(0) + 0x1000, 0x1000, 0x1000);
	h100_memory_leave(&h->rig.memory);
	h100_mmu_invalidate(h->rig.mmu, NULL);
	host_entry(h, c, (u32)REG_PREP(NVC86F_GP_ENTRY0_PB_EXTENDED_BASE_OPERAND, 3),
		   NVC86F_GP_ENTRY1_OPCODE_SET_PB_SEGMENT_EXTENDED_BASE);
	host_release(h, c, A, 77);
	host_submit(h, c);
	assert_true(host_wait(h, A, 77));
	assert_int_equal(host_gp_get(h, c), 2);
	/* Where it is not mapped, it faults. */
	host_entry(h, c, (u32)REG_PREP(NVC86F_GP_ENTRY0_PB_EXTENDED_BASE_OPERAND, 4),
		   NVC86F_GP_ENTRY1_OPCODE_SET_PB_SEGMENT_EXTENDED_BASE);
	host_release(h, c, A, 78);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_int_equal(os_load_relaxed(&h->errors), 1);
	assert_int_equal(*host_data(h, A), 77);
}

static void test_bad_entries(void **state)
{
	struct host_rig *h = *state;
	static const u32 opcodes[] = { NVC86F_GP_ENTRY1_OPCODE_ILLEGAL,
				       NVC86F_GP_ENTRY1_OPCODE_GP_CRC,
				       NVC86F_GP_ENTRY1_OPCODE_PB_CRC, 0x7f };
	struct h100_fifo_error error;
	struct host_channel *c;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		c = host_channel(h, i, host_group(h, 0));
		host_entry(h, c, 0, opcodes[i]);
		host_submit(h, c);
		assert_true(take_error(h, &error));
		assert_int_equal(error.code, ROBUST_CHANNEL_PBDMA_ERROR);
	}
	/* GPPut out of the ring. */
	c = host_channel(h, i, host_group(h, 0));
	c->put = HOST_ENTRIES;
	host_submit(h, c);
	assert_true(take_error(h, &error));
	assert_int_equal(error.code, ROBUST_CHANNEL_PBDMA_ERROR);
}

/* -- Faults, errors, resets -------------------------------------------------------------------- */

static void test_fault(void **state)
{
	struct host_rig *h = *state;
	struct h100_group *group = host_group(h, 2);
	struct host_channel *c = host_channel(h, 0, group), *twin = host_channel(h, 1, group);
	struct host_channel *other = host_channel(h, 2, host_group(h, 2));
	struct h100_fifo_error error;

	host_acquire(h, twin, C, 1, EXECUTE(ACQUIRE));
	host_submit(h, twin);
	h100_fifo_run(h->fifo);
	execute(h, c, DATA_BYTES + 0x40, 1, EXECUTE(RELEASE)); /* nothing is mapped there */
	host_submit(h, c);
	host_release(h, other, B, 1);
	host_submit(h, other);
	assert_true(take_error(h, &error));
	assert_int_equal(error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_true(error.has_fault);
	assert_int_equal(error.runlist, 2);
	assert_int_equal(error.fault.type, H100_FAULT_PTE);
	assert_int_equal(error.fault.access, NV_PFAULT_ACCESS_TYPE_VIRT_WRITE);
	assert_int_equal(error.fault.client, NV_PFAULT_CLIENT_HUB_HOST);
	assert_int_equal(error.fault.engine_id, NV_PFAULT_MMU_ENG_ID_HOST0 + 2);
	assert_true((error.fault.va & ~0xfffull) == DATA_VA + DATA_BYTES);
	/* The whole group is stopped, blocked ones too; who is in another runs on. */
	assert_true(h100_channel_failed(c->channel) && h100_channel_failed(twin->channel));
	assert_true(host_wait(h, B, 1));
	host_release(h, twin, B, 2);
	host_submit(h, twin);
	*host_data(h, C) = 1;
	h100_fifo_run(h->fifo);
	assert_int_equal(*host_data(h, B), 1);
	assert_true(h100_channel_error(c->channel, &error) && error.has_fault);
	/* Reset, it begins at GPPut. */
	h100_channel_reset(c->channel);
	h100_channel_reset(twin->channel);
	assert_false(h100_channel_failed(c->channel));
	host_release(h, c, B, 3);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_int_equal(*host_data(h, B), 1);
	h100_channel_schedule(c->channel, true);
	assert_true(host_wait(h, B, 3));
	assert_int_equal(host_gp_get(h, c), 2);
}

/* Without a page directory everything faults, and a blocked channel too once it is taken away. */
static void test_no_space(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct host_channel *d = host_channel(h, 1, host_group(h, 0));
	struct h100_fifo_error error;

	host_acquire(h, c, A, 1, EXECUTE(ACQUIRE));
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	h100_space_set(h->space, NULL);
	host_release(h, d, B, 1);
	host_submit(h, d);
	assert_true(take_error(h, &error));
	assert_int_equal(error.fault.type, H100_FAULT_UNBOUND_INST_BLOCK);
	assert_true(take_error(h, &error));
	assert_int_equal(error.fault.type, H100_FAULT_UNBOUND_INST_BLOCK);
	assert_int_equal(*host_data(h, B), 0);
	h100_space_set(h->space, &h->rig.pdb);
}

static void test_acquire_timeout(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct h100_fifo_error error;

	c->channel->config.acquire_timeout_ns = 200000000; /* more than a busy machine takes */
	host_acquire(h, c, A, 1, EXECUTE(ACQUIRE));
	host_submit(h, c);
	assert_false(take_error(h, &error));
	os_sleep_us(201000);
	assert_true(take_error(h, &error));
	assert_int_equal(error.code, ROBUST_CHANNEL_PBDMA_ERROR);
	assert_int_equal(error.method, NVC86F_SEM_EXECUTE);
}

/* -- Who runs ---------------------------------------------------------------------------------- */

/* Channels of a group and of others go on while one waits. */
static void test_blocking(void **state)
{
	struct host_rig *h = *state;
	struct h100_group *group = host_group(h, 0);
	struct host_channel *c[4];
	u32 i;

	for (i = 0; i < 4; i++)
		c[i] = host_channel(h, i, i < 3 ? group : host_group(h, 3));
	/* A chain: each waits for the one after it; the last is of another runlist. */
	for (i = 0; i < 3; i++) {
		host_acquire(h, c[i], A + 0x10 * (i + 1), 7, EXECUTE(ACQ_CIRC_GEQ) | 0x1000);
		host_release(h, c[i], A + 0x10 * i, 7);
		host_submit(h, c[i]);
		h100_fifo_run(h->fifo);
		assert_int_equal(*host_data(h, A + 0x10 * i), 0);
	}
	assert_true(h100_fifo_quiet_ns(h->fifo) < 1000000000);
	host_release(h, c[3], A + 0x30, 7);
	host_submit(h, c[3]);
	assert_true(host_wait(h, A, 7));
	for (i = 0; i < 4; i++)
		assert_true(host_wait_empty(h, c[i]));
}

static void test_schedule(void **state)
{
	struct host_rig *h = *state;
	struct h100_group *group = host_group(h, 0);
	struct host_channel *c = host_channel(h, 0, group), *d = host_channel(h, 1, group);

	h100_channel_schedule(c->channel, false);
	host_release(h, c, A, 1);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_int_equal(*host_data(h, A), 0);
	/* What was rung meanwhile is found. */
	h100_channel_schedule(c->channel, true);
	assert_true(host_wait(h, A, 1));

	h100_group_schedule(group, false);
	host_release(h, c, A, 2);
	host_submit(h, c);
	host_release(h, d, B, 2);
	host_submit(h, d);
	h100_fifo_run(h->fifo);
	assert_int_equal(*host_data(h, A), 1);
	assert_int_equal(*host_data(h, B), 0);
	h100_group_schedule(group, true);
	assert_true(host_wait(h, A, 2) && host_wait(h, B, 2));

	/* One that waits is taken off, and waits again when it is back. */
	host_acquire(h, c, C, 1, EXECUTE(ACQUIRE));
	host_release(h, c, A, 3);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	h100_channel_schedule(c->channel, false);
	*host_data(h, C) = 1;
	h100_fifo_run(h->fifo);
	assert_int_equal(*host_data(h, A), 2);
	h100_channel_schedule(c->channel, true);
	assert_true(host_wait(h, A, 3));
	assert_int_equal(h100_group_set_timeslice(group, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_group_set_timeslice(group, 500), NV_OK);
	assert_int_equal(h100_group_timeslice(group), 500);
	h100_group_preempt(group, true);
}

/* Each yields after one step, so the steps of two groups alternate. */
static void test_turns(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c[2];
	u32 i, step;

	for (i = 0; i < 2; i++)
		c[i] = host_channel(h, i, host_group(h, 0));
	for (step = 0; step < 8; step++) {
		for (i = 0; i < 2; i++) {
			/* Passes only in the right order: word A counts the turns. */
			host_acquire(h, c[i], A, 2 * step + i, EXECUTE(ACQUIRE));
			execute(h, c[i], A, 1,
				EXECUTE(REDUCTION) |
					(u32)REG_PREP(NVC86F_SEM_EXECUTE_REDUCTION,
						      NVC86F_SEM_EXECUTE_REDUCTION_IADD));
			host_do(h, c[i], 0, NVC86F_YIELD, NVC86F_YIELD_OP_TSG);
			host_end(h, c[i]);
		}
	}
	host_submit(h, c[1]);
	host_submit(h, c[0]);
	assert_true(host_wait(h, A, 16));
}

/* A group whose slice is over goes behind the others, though it has work. */
static void test_slices(void **state)
{
	struct host_rig *h = *state;
	struct h100_group *hog_group = host_group(h, 0);
	struct host_channel *hog = host_channel(h, 0, hog_group);
	struct host_channel *c = host_channel(h, 1, host_group(h, 0));
	u32 i;

	assert_int_equal(h100_group_set_timeslice(hog_group, 1), NV_OK);
	for (i = 0; i < 400; i++)
		host_release(h, hog, A, i + 1);
	/* It notes how far the other had come. */
	host_do(h, c, 0, NVC86F_SET_REFERENCE, 5);
	host_end(h, c);
	host_release(h, c, B, 1);
	host_acquire(h, hog, B, 1, EXECUTE(ACQUIRE));
	host_put(h, hog);
	host_put(h, c);
	host_ring(h, hog);
	host_ring(h, c);
	assert_true(host_wait(h, B, 1));
	assert_true(host_wait_empty(h, hog));
	assert_int_equal(
		*(u32 *)(h->rig.video + USERD(1) + offsetof(struct Nvc86fControl, Reference)), 5);
}

/* -- Other host methods ------------------------------------------------------------------------ */

static void test_interrupts(void **state)
{
	struct host_rig *h = *state;
	const struct h100_engine_info *ce2 =
		h100_engines_find(&h->engines, NV2080_ENGINE_TYPE_COPY2);
	struct host_channel *c = host_channel(h, 0, host_group(h, ce2->runlist));

	host_do(h, c, 0, NVC86F_NON_STALL_INTERRUPT, 0);
	host_do(h, c, 0, NVC86F_WFI, NVC86F_WFI_SCOPE_ALL);
	host_do(h, c, 0, NVC86F_FB_FLUSH, 0);
	host_do(h, c, 0, NVC86F_MEM_OP_C, NVC86F_MEM_OP_C_MEMBAR_TYPE_SYS_MEMBAR);
	host_do(h, c, 0, NVC86F_MEM_OP_D,
		(u32)REG_PREP(NVC86F_MEM_OP_D_OPERATION, NVC86F_MEM_OP_D_OPERATION_MEMBAR));
	host_end(h, c);
	host_submit(h, c);
	assert_true(host_wait_empty(h, c));
	assert_int_equal(h->raised[ce2->nonstall_vector], 1);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
}

static void invalidate(struct host_rig *h, struct host_channel *c, bool all)
{
	u64 pdb = h->rig.pdb.address;

	host_do(h, c, 0, NVC86F_MEM_OP_C,
		(u32)(REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB, all) | (pdb & 0xfffff000)));
	host_do(h, c, 0, NVC86F_MEM_OP_D,
		(u32)(REG_PREP(NVC86F_MEM_OP_D_OPERATION,
			       NVC86F_MEM_OP_D_OPERATION_MMU_TLB_INVALIDATE) |
		      REG_PREP(NVC86F_MEM_OP_D_TLB_INVALIDATE_PDB_ADDR_HI, pdb >> 32)));
	host_end(h, c);
}

static void test_invalidate(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct h100_fifo_error error;

	host_release(h, c, A, 1);
	host_submit(h, c);
	assert_true(host_wait(h, A, 1));
	/* The page of A now lies a page further; that is seen after the invalidate. */
	h100_memory_enter(&h->rig.memory);
	rig_map_video(&h->rig, DATA_VA, DATA_OFFSET + 0x1000, 0x1000);
	h100_memory_leave(&h->rig.memory);
	invalidate(h, c, false);
	host_release(h, c, A, 2);
	host_submit(h, c);
	assert_true(host_wait(h, A + 0x1000, 2));
	assert_int_equal(*host_data(h, A), 1);
	/* All spaces: not for everyone. */
	invalidate(h, c, true);
	host_submit(h, c);
	assert_true(take_error(h, &error));
	assert_int_equal(error.method, NVC86F_MEM_OP_D);
}

/* -- Engines ----------------------------------------------------------------------------------- */

static void test_copy(void **state)
{
	struct host_rig *h = *state;
	const struct h100_engine_info *ce =
		h100_engines_find(&h->engines, NV2080_ENGINE_TYPE_COPY3);
	const struct h100_engine_info *engine;
	struct host_channel *c = host_channel(h, 0, host_group(h, ce->runlist));
	u32 i;

	assert_int_equal(h100_channel_add_object(c->channel, HOPPER_COMPUTE_A, NULL),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(h100_channel_add_object(c->channel, HOPPER_DMA_COPY_A, &engine), NV_OK);
	assert_ptr_equal(engine, ce);
	for (i = 0; i < 0x1000; i += 4)
		*host_data(h, 0x10000 + i) = i * 3 + 1;
	host_do(h, c, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	host_do(h, c, 4, NVC8B5_OFFSET_IN_UPPER, bits_high32(DATA_VA + 0x10000));
	host_do(h, c, 4, NVC8B5_OFFSET_IN_LOWER, bits_low32(DATA_VA + 0x10000));
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(DATA_VA + 0x20000));
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(DATA_VA + 0x20000));
	host_do(h, c, 4, NVC8B5_LINE_LENGTH_IN, 0x1000);
	host_do(h, c, 4, NVC8B5_LINE_COUNT, 1);
	host_do(h, c, 4, NVC8B5_LAUNCH_DMA, 0x182);
	host_end(h, c);
	host_release(h, c, A, 1);
	host_submit(h, c);
	assert_true(host_wait(h, A, 1));
	assert_memory_equal(host_data(h, 0x10000), host_data(h, 0x20000), 0x1000);
	/* Gone, it is not found any more. */
	h100_channel_remove_object(c->channel, HOPPER_DMA_COPY_A);
	host_do(h, c, 4, NVC8B5_LINE_COUNT, 1);
	host_end(h, c);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_int_equal(os_load_relaxed(&h->errors), 1);
}

/* Two components of one byte change places. */
#define SWAP                                                                \
	(u32)(REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_NUM_SRC_COMPONENTS, 1) | \
	      REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_NUM_DST_COMPONENTS, 1) | \
	      REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_DST_X,                   \
		       NVC8B5_SET_REMAP_COMPONENTS_DST_X_SRC_Y) |           \
	      REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_DST_Y,                   \
		       NVC8B5_SET_REMAP_COMPONENTS_DST_X_SRC_X))
#define LAUNCH_LINES 0x382u /* pitch to pitch, many lines, not pipelined */

/* A slice ends in the middle of a launch, which goes on when its turn comes again. */
static void stopped_launch(struct host_rig *h, u32 flags, u32 length, u32 lines, u32 pitch_in,
			   u32 pitch_out)
{
	const struct h100_engine_info *ce =
		h100_engines_find(&h->engines, NV2080_ENGINE_TYPE_COPY3);
	struct h100_group *group = host_group(h, ce->runlist);
	struct host_channel *c = host_channel(h, 0, group);
	u64 to = DATA_VA + 0x80000;
	u32 calls = 0;

	assert_int_equal(h100_group_set_timeslice(group, 1), NV_OK);
	assert_int_equal(h100_channel_add_object(c->channel, HOPPER_DMA_COPY_A, NULL), NV_OK);
	host_do(h, c, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	host_do(h, c, 4, NVC8B5_OFFSET_IN_UPPER, bits_high32(DATA_VA));
	host_do(h, c, 4, NVC8B5_OFFSET_IN_LOWER, bits_low32(DATA_VA));
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(to));
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(to));
	host_do(h, c, 4, NVC8B5_PITCH_IN, pitch_in);
	host_do(h, c, 4, NVC8B5_PITCH_OUT, pitch_out);
	host_do(h, c, 4, NVC8B5_LINE_LENGTH_IN, length);
	host_do(h, c, 4, NVC8B5_LINE_COUNT, lines);
	host_do(h, c, 4, NVC8B5_SET_REMAP_COMPONENTS, SWAP);
	host_do(h, c, 4, NVC8B5_SET_REMAP_CONST_A, 0);
	host_do(h, c, 4, NVC8B5_LAUNCH_DMA, flags);
	host_do(h, c, 4, NVC86F_SET_REFERENCE, 7);
	host_end(h, c);
	host_submit(h, c);
	while (host_gp_get(h, c) != c->put && calls++ < 100000)
		h100_fifo_run_for(h->fifo, 0);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
	assert_int_equal(host_gp_get(h, c), c->put);
	assert_true(calls > 1);
	h100_channel_destroy(c->channel);
	h100_group_destroy(group);
}

static void test_stopped_launches(void **state)
{
	struct host_rig *h = *state;
	u8 *from = (u8 *)host_data(h, 0), *to = (u8 *)host_data(h, 0x80000);
	u32 i;

	for (i = 0; i < 0x80000; i++)
		from[i] = (u8)(i * 7 + i / 256);
	/* Lines of 16 bytes, 32 apart, to where they have no gaps. */
	stopped_launch(h, LAUNCH_LINES, 16, 0x4000, 32, 16);
	for (i = 0; i < 0x40000; i++)
		assert_int_equal(to[i], from[i / 16 * 32 + i % 16]);
	/* A line each for 256 elements of two bytes. */
	stopped_launch(h, LAUNCH_LINES | (u32)REG_PREP(NVC8B5_LAUNCH_DMA_REMAP_ENABLE, 1), 256,
		       0x400, 512, 512);
	for (i = 0; i < 0x80000; i++)
		assert_int_equal(to[i], from[i ^ 1]);
	stopped_launch(h, LAUNCH_LINES | (u32)REG_PREP(NVC8B5_LAUNCH_DMA_MEMORY_SCRUB_ENABLE, 1),
		       16, 0x4000, 32, 32);
	for (i = 0; i < 0x80000; i++)
		assert_int_equal(to[i], i % 32 < 16 ? 0 : from[i ^ 1]);
}

/* A channel that is reset in the middle of a launch begins the next one at its beginning. */
static void test_reset_in_launch(void **state)
{
	struct host_rig *h = *state;
	const struct h100_engine_info *ce =
		h100_engines_find(&h->engines, NV2080_ENGINE_TYPE_COPY3);
	struct h100_group *group = host_group(h, ce->runlist);
	struct host_channel *c = host_channel(h, 0, group);
	u8 *to = (u8 *)host_data(h, 0x80000);

	assert_int_equal(h100_group_set_timeslice(group, 1), NV_OK);
	assert_int_equal(h100_channel_add_object(c->channel, HOPPER_DMA_COPY_A, NULL), NV_OK);
	host_do(h, c, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(DATA_VA + 0x80000));
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(DATA_VA + 0x80000));
	host_do(h, c, 4, NVC8B5_LINE_LENGTH_IN, 16);
	host_do(h, c, 4, NVC8B5_PITCH_OUT, 32);
	host_do(h, c, 4, NVC8B5_LINE_COUNT, 0x4000);
	host_do(h, c, 4, NVC8B5_LAUNCH_DMA,
		LAUNCH_LINES | (u32)REG_PREP(NVC8B5_LAUNCH_DMA_MEMORY_SCRUB_ENABLE, 1));
	host_end(h, c);
	host_submit(h, c);
	/* The slice is over long before the end. */
	h100_fifo_run_for(h->fifo, 0);
	h100_fifo_run_for(h->fifo, 0);
	assert_true(c->channel->stopped);
	h100_channel_reset(c->channel);
	h100_channel_schedule(c->channel, true);
	memset(to, 0xff, 0x80000);
	host_do(h, c, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	host_do(h, c, 4, NVC8B5_LAUNCH_DMA,
		LAUNCH_LINES | (u32)REG_PREP(NVC8B5_LAUNCH_DMA_MEMORY_SCRUB_ENABLE, 1));
	host_end(h, c);
	host_submit(h, c);
	assert_true(host_wait_empty(h, c));
	assert_int_equal(to[0], 0);
	assert_int_equal(to[0x3fff * 32], 0);
}

/* Memory that is out of reach meanwhile is no error of a channel's. */
static void test_suspend(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct host_channel *waits = host_channel(h, 1, host_group(h, 1));
	struct h100_pdb nowhere = { .aperture = H100_APERTURE_SYSTEM_COHERENT, .address = 0x1000 };

	host_acquire(h, waits, B, 1, EXECUTE(ACQUIRE));
	host_release(h, waits, B + 4, 1);
	host_submit(h, waits);
	h100_fifo_run(h->fifo);
	host_release(h, c, A, 1);
	host_submit(h, c);
	h100_fifo_suspend(h->fifo, true);
	h100_space_set(h->space, &nowhere);
	h100_fifo_run(h->fifo);
	host_release(h, c, A, 2);
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
	assert_int_equal(*host_data(h, A), 0);
	assert_int_equal(h100_fifo_quiet_ns(h->fifo), ~(u64)0);
	*host_data(h, B) = 1;
	h100_space_set(h->space, &h->rig.pdb);
	h100_fifo_suspend(h->fifo, false);
	assert_true(host_wait(h, A, 2));
	assert_true(host_wait(h, B + 4, 1));
}

/* What a channel waits for cannot come meanwhile: its timeout has that much longer. */
static void test_suspended_acquire(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));

	c->channel->config.acquire_timeout_ns = 400000000;
	host_acquire(h, c, B, 1, EXECUTE(ACQUIRE));
	host_submit(h, c);
	h100_fifo_run(h->fifo);
	h100_fifo_suspend(h->fifo, true);
	os_sleep_us(500000);
	h100_fifo_suspend(h->fifo, false);
	h100_fifo_run(h->fifo);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
	os_sleep_us(500000);
	h100_fifo_run(h->fifo);
	assert_int_equal(os_load_relaxed(&h->errors), 1);
}

/* -- Many that wait ---------------------------------------------------------------------------- */

#define CROWD 1500u

static u32 looks; /* times that somebody asked for the time */

static u64 counting_now(void *ctx)
{
	looks++;
	return os_time_ns();
}

/* A channel that reads what another one's client wrote. */
static void like(struct host_rig *h, const struct host_channel *c, struct h100_group *group,
		 u32 chid)
{
	struct h100_channel_config config = c->channel->config;
	struct h100_channel *channel;

	config.client = CLIENT + 1;
	config.group = group;
	config.chid = chid;
	assert_int_equal(h100_channel_create(h->fifo, &config, &channel), NV_OK);
	h100_channel_schedule(channel, true);
}

/* One client's channels that wait, very many, cost others' work little; each gets its turn. */
static void test_many_blocked(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *works = host_channel(h, 0, host_group(h, 0));
	struct host_channel *waits = host_channel(h, 1, host_group(h, 1));
	struct host_channel *crowd = host_channel(h, 2, host_group(h, 2));
	struct h100_group *group = host_group(h, 2);
	u32 i;

	host_acquire(h, crowd, B, 1, EXECUTE(ACQUIRE));
	host_submit(h, crowd);
	for (i = 0; i < CROWD; i++)
		like(h, crowd, group, HOST_CHANNELS + i);
	host_acquire(h, waits, B + 4, 1, EXECUTE(ACQUIRE));
	host_release(h, waits, B + 8, 1);
	host_submit(h, waits);
	h100_fifo_run(h->fifo);
	h->rig.host.now_ns = counting_now;
	for (i = 1; i <= 10; i++) {
		looks = 0;
		host_release(h, works, A, i);
		host_submit(h, works);
		h100_fifo_run(h->fifo);
		assert_int_equal(*host_data(h, A), i);
		assert_true(looks < CROWD);
	}
	host_release(h, works, B + 4, 1);
	host_submit(h, works);
	h100_fifo_run(h->fifo);
	assert_int_equal(*host_data(h, B + 8), 1);
	/* Not all are looked at before it sleeps, so not for long. */
	assert_true(h100_fifo_quiet_ns(h->fifo) < 1000000);
	*host_data(h, B) = 1;
	for (i = 0; i < CROWD; i++)
		h100_fifo_run(h->fifo);
	assert_int_equal(h100_fifo_quiet_ns(h->fifo), ~(u64)0);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
}

static u64 set_time;

static u64 settable_now(void *ctx)
{
	return set_time;
}

static void pass(struct host_rig *h, bool all)
{
	/* What a pass leaves over is looked at 200 us later. */
	set_time += 250000;
	pthread_mutex_lock(&h->fifo->lock);
	blocked_check(h->fifo, all);
	pthread_mutex_unlock(&h->fifo->lock);
}

/* A write is seen by those too that have waited long and that its pass did not get to. */
static void test_many_blocked_long(void **state)
{
	struct host_rig *h = *state;
	struct host_channel *crowd = host_channel(h, 0, host_group(h, 0));
	struct h100_group *group = host_group(h, 0);
	u32 i;

	set_time = os_time_ns();
	h->rig.host.now_ns = settable_now;
	host_acquire(h, crowd, B, 1, EXECUTE(ACQUIRE));
	host_submit(h, crowd);
	for (i = 0; i < CROWD; i++)
		like(h, crowd, group, HOST_CHANNELS + i);
	for (i = 0; i <= CROWD; i++)
		h100_fifo_run(h->fifo);
	/* From now on each is looked at every 10 ms, by itself. */
	set_time += 2000000000;
	for (i = 0; i < CROWD / 100; i++)
		pass(h, true);
	*host_data(h, B) = 1;
	pass(h, true);
	assert_false(list_empty(&h->fifo->blocked));
	/* 128 at a time, in less than that. */
	for (i = 0; i < CROWD / 128; i++)
		pass(h, false);
	assert_true(list_empty(&h->fifo->blocked));
}

/* -- Making and freeing ------------------------------------------------------------------------ */

static void test_refused(void **state)
{
	struct host_rig *h = *state;
	struct h100_group *group = host_group(h, 0);
	struct host_channel *c = host_channel(h, 0, group);
	struct h100_channel_config config = c->channel->config, bad;
	struct h100_channel *channel;
	struct h100_group *none;

	assert_int_equal(h100_channel_create(h->fifo, &config, &channel), NV_ERR_IN_USE);
	bad = config;
	bad.chid = H100_CHANNELS_PER_RUNLIST;
	assert_int_equal(h100_channel_create(h->fifo, &bad, &channel), NV_ERR_INVALID_ARGUMENT);
	bad = config;
	bad.chid = 1;
	bad.gpfifo_entries = 3;
	assert_int_equal(h100_channel_create(h->fifo, &bad, &channel), NV_ERR_INVALID_ARGUMENT);
	bad.gpfifo_entries = 0;
	assert_int_equal(h100_channel_create(h->fifo, &bad, &channel), NV_ERR_INVALID_ARGUMENT);
	bad.gpfifo_entries = 4;
	bad.gpfifo = 4;
	assert_int_equal(h100_channel_create(h->fifo, &bad, &channel), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_group_create(h->fifo, 99, &none), NV_ERR_INVALID_ARGUMENT);
	assert_null(channel);
	/* USERD out of reach: an error as soon as it is looked at. */
	bad.gpfifo = config.gpfifo;
	bad.userd_address = RIG_VIDEO_BYTES;
	assert_int_equal(h100_channel_create(h->fifo, &bad, &channel), NV_OK);
	h100_channel_schedule(channel, true);
	h100_fifo_run(h->fifo);
	assert_int_equal(os_load_relaxed(&h->errors), 1);
}

static enum nv_status make_all(struct host_rig *h)
{
	struct h100_channel_config config = { .client = 77,
					      .chid = 5,
					      .gpfifo = CHANNEL_VA(5),
					      .gpfifo_entries = HOST_ENTRIES,
					      .userd_address = USERD(5) };
	static u32 page[1024];
	struct h100_doorbell *doorbell, *attached;
	struct h100_channel *channel;
	struct h100_group *group;
	enum nv_status status;
	int fd;

	status = h100_fifo_doorbell_create(h->fifo, 77, &fd, &doorbell);
	if (status != NV_OK)
		return status;
	status = h100_fifo_doorbell_attach(h->fifo, 78, page, h, &attached);
	if (status != NV_OK)
		goto fail_attach;
	assert_ptr_equal(h100_doorbell_get_ctx(attached), h);
	status = h100_group_create(h->fifo, 1, &group);
	if (status != NV_OK)
		goto fail_group;
	config.group = group;
	status = h100_space_create(h->fifo, &config.space);
	if (status != NV_OK)
		goto fail_space;
	status = h100_channel_create(h->fifo, &config, &channel);
	if (status == NV_OK) {
		status = h100_channel_add_object(channel, HOPPER_DMA_COPY_A, NULL);
		h100_channel_destroy(channel);
	}
	h100_space_put(config.space);
fail_space:
	h100_group_destroy(group);
fail_group:
	h100_fifo_doorbell_destroy(attached);
fail_attach:
	h100_fifo_doorbell_destroy(doorbell);
	return status;
}

static void test_allocations(void **state)
{
	struct host_rig *h = *state;
	enum nv_status status = NV_ERR_NO_MEMORY;
	u64 live = unit_live(), nth;

	for (nth = 1; status != NV_OK; nth++) {
		if (!os_user_fail_alloc(nth))
			skip();
		status = make_all(h);
		os_user_fail_alloc(0);
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY);
		assert_int_equal(unit_live(), live);
	}
	assert_true(nth > 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		TEST(test_headers),
		TEST(test_segments),
		TEST(test_subdevices),
		TEST(test_bad_words),
		TEST(test_acquires),
		TEST(test_releases),
		TEST(test_reductions),
		TEST(test_old_semaphores),
		TEST(test_misaligned),
		TEST(test_entries),
		TEST(test_extended_base),
		TEST(test_bad_entries),
		TEST(test_fault),
		TEST(test_no_space),
		TEST(test_acquire_timeout),
		TEST(test_blocking),
		TEST(test_schedule),
		TEST(test_turns),
		TEST(test_slices),
		TEST(test_interrupts),
		TEST(test_invalidate),
		TEST(test_copy),
		TEST(test_refused),
		TEST(test_allocations),
		TEST(test_stopped_launches),
		TEST(test_reset_in_launch),
		TEST(test_suspend),
		TEST(test_suspended_acquire),
		TEST(test_many_blocked),
		TEST(test_many_blocked_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
