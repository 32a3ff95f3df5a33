// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A hostile client of channels: it writes GPFIFO entries, pushbuffers, USERD, semaphores and the
 * page tables of its own address space as it likes, and rings. Whatever it does, the engines reach
 * nothing outside of what its tables map, which here is what the rig has; a guard region of video
 * memory that no table is given must stay as it is.
 *
 * The input is a list of steps, each an opcode and its operands; half of the words written are made
 * of known methods, so that they are understood. Two channels are secure: messages by the right key
 * and signed streams come from whoever has them, and may be changed on their way.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "engine_rig.h"
#include "h100/engine/engines.h"
#include "h100/engine/fifo.h"
#include "input.h"
#include "os/crypto.h"

#define CHANNELS 5u
#define GROUPS 3u
#define SECURE_COPY 3u /* which channels are secure, */
#define SECURE_SEC2 4u /* this one of SEC2 */
#define ENTRIES 32u
#define CHANNEL_BYTES 0x4000u
#define VA 0x100000000ull
#define PB 0x1000u
#define USERD_OFFSET 0x100000u /* not mapped for channels: the client's USERD page */
#define GUARD_OFFSET 0x200000u
#define GUARD_BYTES 0x10000u
#define GUARD_BYTE 0xa5
/* Behind the channels' memory a page that is not mapped, and one of messages: it has a doorbell. */
#define MESSAGE_VA (VA + CHANNELS * CHANNEL_BYTES + 0x1000)
#define SYSTEM_BYTES 0x10000u
#define SYSTEM_VA (VA + 0x100000)
#define MESSAGE_MAX 0x1000u
#define SECURE_LAUNCH \
	(0x182u | (u32)REG_PREP(NVC8B5_LAUNCH_DMA_COPY_TYPE, NVC8B5_LAUNCH_DMA_COPY_TYPE_SECURE))
#define TAG 0x8000u /* in system memory: of messages, */
#define MAC 0x8100u /* of streams */
#define IV 0x8200u
#define MAX_STEPS 200u
#define RUN_NS 1000000u /* what is without end is left, as a host without threads does */

enum step {
	STEP_WORDS,
	STEP_METHOD,
	STEP_SEMAPHORE,
	STEP_ENTRY,
	STEP_PUT,
	STEP_USERD,
	STEP_RING,
	STEP_DATA,
	STEP_SCHEDULE,
	STEP_RESET,
	STEP_SPACE,
	STEP_OBJECT,
	STEP_SUSPEND,
	STEP_MESSAGE,
	STEP_STREAM,
	STEP_ROTATE,
	STEP_RUN,
	STEP_COUNT,
};

struct fuzz {
	struct rig rig;
	struct h100_engines engines;
	struct h100_fifo *fifo;
	struct h100_space *space;
	struct h100_group *group[GROUPS];
	struct h100_keys keys;
	struct os_gcm *gcm;
	struct os_hmac *hmac;
	struct h100_channel *channel[CHANNELS];
	u32 pb[CHANNELS], from[CHANNELS], put[CHANNELS];
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void on_raise(void *ctx, u32 vector)
{
}

static void on_errors(void *ctx)
{
}

static u64 host_now(void *ctx)
{
	struct rig *rig = ctx;

	rig->now += 1000; /* repeatable, and slices end */
	return rig->now;
}

static const struct h100_fifo_ops ops = { .raise = on_raise, .errors = on_errors };

/* Memory and tables are made once: only what is mapped, and USERD, ever changes. */
static void open_rig(struct fuzz *f)
{
	static bool ready;

	f->rig.now = 1;
	if (ready) {
		memset(f->rig.video, 0, CHANNELS * CHANNEL_BYTES);
		memset(f->rig.video + USERD_OFFSET, 0, CHANNELS * 512);
		memset(f->rig.system, 0, SYSTEM_BYTES);
		return;
	}
	ready = true;
	rig_init(&f->rig, true);
	f->rig.host.now_ns = host_now;
	rig_map_video(&f->rig, VA, 0, CHANNELS * CHANNEL_BYTES);
	rig_map_system(&f->rig, VA + 0x100000, 0, SYSTEM_BYTES);
	rig_map(&f->rig, MESSAGE_VA, 12,
		rig_pte(H100_APERTURE_SYSTEM_COHERENT, NV_VIRTUAL_FUNCTION__LO, 0,
			NV_MMU_PTE_KIND_SMSKED_MESSAGE));
	memset(f->rig.video + GUARD_OFFSET, GUARD_BYTE, GUARD_BYTES);
	h100_memory_leave(&f->rig.memory);
}

/* One key for all, which the fuzzer's other end has too. Made once. */
static void open_keys(struct fuzz *f)
{
	static const u8 key[H100_KEY_BYTES] = { 1, 2, 3 }, mask[H100_IV_BYTES] = { 4, 5, 6 };
	u32 i;

	if (f->gcm)
		return;
	f->gcm = os_gcm_create(MESSAGE_MAX);
	f->hmac = os_hmac_create(OS_SHA256);
	OS_BUG_ON(!f->gcm || !f->hmac || os_gcm_set_key(f->gcm, key) != NV_OK ||
		  os_hmac_set_key(f->hmac, key, sizeof(key)) != NV_OK ||
		  h100_keys_init(&f->keys) != NV_OK);
	for (i = 0; i < 2; i++)
		OS_BUG_ON(h100_keys_load(&f->keys, H100_KEY_SPACE_LCE0, i, key, mask) != NV_OK ||
			  h100_keys_load(&f->keys, H100_KEY_SPACE_SEC2, i, key, mask) != NV_OK);
}

static u32 group_of(u32 n)
{
	return n == SECURE_SEC2 ? 2 : n % 2;
}

/* Graphics, COPY2, SEC2 */
static u32 runlist_of(const struct fuzz *f, u32 group)
{
	return group == 2 ? h100_engines_find(&f->engines, NV2080_ENGINE_TYPE_SEC2)->runlist
			  : group;
}

static u32 token_of(const struct fuzz *f, u32 n)
{
	return n | runlist_of(f, group_of(n)) << 16;
}

static void open_fuzz(struct fuzz *f)
{
	struct h100_profile profile = { .copy_engines = 10 };
	struct h100_fifo_config config = { .host = &f->rig.host,
					   .ops = &ops,
					   .engines = &f->engines,
					   .keys = &f->keys,
					   .memory = &f->rig.memory };
	u32 i;

	open_rig(f);
	h100_engines_init(&f->engines, &profile);
	open_keys(f);
	memset(f->pb, 0, sizeof(f->pb));
	memset(f->from, 0, sizeof(f->from));
	memset(f->put, 0, sizeof(f->put));
	config.mmu = f->rig.mmu;
	OS_BUG_ON(h100_fifo_create(&config, &f->fifo) != NV_OK);
	OS_BUG_ON(h100_space_create(f->fifo, &f->space) != NV_OK);
	h100_space_set(f->space, &f->rig.pdb);
	for (i = 0; i < ARRAY_SIZE(f->group); i++) {
		OS_BUG_ON(h100_group_create(f->fifo, runlist_of(f, i), &f->group[i]) != NV_OK);
		/* The clock says so after a few pieces of a long method. */
		OS_BUG_ON(h100_group_set_timeslice(f->group[i], 20) != NV_OK);
	}
	for (i = 0; i < CHANNELS; i++) {
		struct h100_channel_config channel = {
			.group = f->group[group_of(i)],
			.secure = i >= SECURE_COPY,
			.client = 1,
			.chid = i,
			.space = f->space,
			.gpfifo = VA + i * CHANNEL_BYTES,
			.gpfifo_entries = ENTRIES,
			.userd_address = USERD_OFFSET + i * 512,
		};

		OS_BUG_ON(h100_channel_create(f->fifo, &channel, &f->channel[i]) != NV_OK);
		h100_channel_add_object(f->channel[i], HOPPER_DMA_COPY_A, NULL);
		h100_channel_add_object(f->channel[i], HOPPER_SEC2_WORK_LAUNCH_A, NULL);
		h100_channel_add_object(f->channel[i], HOPPER_COMPUTE_A, NULL);
		h100_channel_schedule(f->channel[i], true);
	}
}

static u32 class_of(u32 value)
{
	static const u32 classes[] = { HOPPER_DMA_COPY_A, HOPPER_COMPUTE_A,
				       HOPPER_SEC2_WORK_LAUNCH_A };

	return classes[value / 2 % ARRAY_SIZE(classes)];
}

static void close_fuzz(struct fuzz *f)
{
	const u8 *guard = f->rig.video + GUARD_OFFSET;

	OS_BUG_ON(guard[0] != GUARD_BYTE || memcmp(guard, guard + 1, GUARD_BYTES - 1) != 0);
	h100_space_put(f->space);
	h100_fifo_destroy(f->fifo);
	OS_BUG_ON(f->rig.entered != 0);
}

static void word(struct fuzz *f, u32 n, u32 value)
{
	u32 *at = (u32 *)(f->rig.video + n * CHANNEL_BYTES + PB + f->pb[n]);

	*at = value;
	f->pb[n] = (f->pb[n] + 4) % (CHANNEL_BYTES - PB);
	if (f->pb[n] == 0)
		f->from[n] = 0;
}

static void method(struct fuzz *f, u32 n, u32 subchannel, u32 number, u32 data)
{
	word(f, n,
	     (u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_INC_METHOD) |
		   REG_PREP(NVC86F_DMA_METHOD_COUNT, 1) |
		   REG_PREP(NVC86F_DMA_METHOD_SUBCHANNEL, subchannel) |
		   REG_PREP(NVC86F_DMA_METHOD_ADDRESS, number / 4)));
	word(f, n, data);
}

static void entry(struct fuzz *f, u32 n, u32 low, u32 high)
{
	u32 *at = (u32 *)(f->rig.video + n * CHANNEL_BYTES + f->put[n] * 8);

	at[0] = low;
	at[1] = high;
	f->put[n] = (f->put[n] + 1) % ENTRIES;
}

/* Methods that do something: objects, copies, uploads, semaphores of engines. */
static void known_method(struct fuzz *f, u32 n, struct input *in)
{
	static const struct {
		u16 subchannel, number;
	} known[] = {
		{ 4, NVC86F_SET_OBJECT },
		{ 1, NVC86F_SET_OBJECT },
		{ 4, NVC8B5_OFFSET_IN_UPPER },
		{ 4, NVC8B5_OFFSET_IN_LOWER },
		{ 4, NVC8B5_OFFSET_OUT_UPPER },
		{ 4, NVC8B5_OFFSET_OUT_LOWER },
		{ 4, NVC8B5_PITCH_IN },
		{ 4, NVC8B5_PITCH_OUT },
		{ 4, NVC8B5_LINE_LENGTH_IN },
		{ 4, NVC8B5_LINE_COUNT },
		{ 4, NVC8B5_SET_SEMAPHORE_A },
		{ 4, NVC8B5_SET_SEMAPHORE_B },
		{ 4, NVC8B5_SET_SEMAPHORE_PAYLOAD },
		{ 4, NVC8B5_LAUNCH_DMA },
		{ 1, 0x180 },
		{ 1, 0x184 },
		{ 1, 0x188 },
		{ 1, 0x18c },
		{ 1, 0x1b0 },
		{ 1, 0x1b4 },
		{ 0, NVC86F_MEM_OP_C },
		{ 0, NVC86F_MEM_OP_D },
		{ 0, NVC86F_YIELD },
		{ 0, NVC86F_NON_STALL_INTERRUPT },
	};
	u32 which = take(in, 1) % ARRAY_SIZE(known), data = take(in, 4);

	if (known[which].number == NVC86F_SET_OBJECT)
		data = known[which].subchannel == 4 ? HOPPER_DMA_COPY_A : HOPPER_COMPUTE_A;
	else if (known[which].number == NVC8B5_LINE_COUNT)
		data &= 0xff; /* each line takes time */
	else if (take(in, 1) & 1)
		data &= 0xffff; /* small numbers lead somewhere */
	method(f, n, known[which].subchannel, known[which].number, data);
}

static void semaphore(struct fuzz *f, u32 n, struct input *in)
{
	u64 va = VA + take(in, 3) % (CHANNELS * CHANNEL_BYTES + 0x2000);

	if (va >= MESSAGE_VA && va % 4 == 0)
		va = MESSAGE_VA + NV_VIRTUAL_FUNCTION_DOORBELL - NV_VIRTUAL_FUNCTION__LO;
	method(f, n, 0, NVC86F_SEM_ADDR_LO, bits_low32(va));
	method(f, n, 0, NVC86F_SEM_ADDR_HI, bits_high32(va));
	method(f, n, 0, NVC86F_SEM_PAYLOAD_LO, take(in, 4));
	method(f, n, 0, NVC86F_SEM_EXECUTE, take(in, 4));
}

/* -- Secure channels --------------------------------------------------------------------------- */

static void change(u8 *bytes, u32 size, struct input *in)
{
	if (take(in, 1) % 4 == 0)
		bytes[take(in, 2) % size] ^= (u8)take(in, 1);
}

/* A message that the channel would take next, and the methods that take it, or encrypt one. */
static u32 encrypt(struct fuzz *f, u32 n, struct input *in)
{
	const struct h100_counter *counter = &f->channel[n]->secure->in;
	u32 size = (take(in, 2) % (MESSAGE_MAX / 4) + 1) * 4, text[MESSAGE_MAX / 4], message, i;
	u8 iv[H100_IV_BYTES];

	for (i = 0; i < size / 4; i++)
		text[i] = i ^ size;
	message = counter->message + 1;
	memcpy(iv, &message, 4);
	memcpy(iv + 4, counter->channel, sizeof(counter->channel));
	for (i = 0; i < sizeof(iv); i++)
		iv[i] ^= counter->mask[i];
	OS_BUG_ON(os_gcm_encrypt(f->gcm, iv, NULL, 0, text, size, f->rig.system,
				 f->rig.system + TAG) != NV_OK);
	change(f->rig.system, size, in);
	change(f->rig.system + TAG, H100_TAG_BYTES, in);
	return size;
}

static u32 plain_place(struct input *in)
{
	return 0x2000 + take(in, 2) % 0x1000 / 32 * 32;
}

static void message(struct fuzz *f, struct input *in)
{
	const u32 n = SECURE_COPY;
	bool decrypts = take(in, 1) & 1;
	u64 plain = VA + plain_place(in), cipher = SYSTEM_VA;
	u32 size = decrypts ? encrypt(f, n, in) : (take(in, 2) % (MESSAGE_MAX / 4) + 1) * 4;
	u64 from = decrypts ? cipher : plain, to = decrypts ? plain : cipher;

	method(f, n, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	method(f, n, 4, NVC8B5_SET_SECURE_COPY_MODE, decrypts);
	method(f, n, 4, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_UPPER, bits_high32(SYSTEM_VA));
	method(f, n, 4, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_LOWER,
	       bits_low32(SYSTEM_VA + TAG));
	method(f, n, 4, NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_UPPER, bits_high32(SYSTEM_VA));
	method(f, n, 4, NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_LOWER, bits_low32(SYSTEM_VA + TAG));
	method(f, n, 4, NVC8B5_SET_ENCRYPT_IV_ADDR_UPPER, bits_high32(SYSTEM_VA));
	method(f, n, 4, NVC8B5_SET_ENCRYPT_IV_ADDR_LOWER, bits_low32(SYSTEM_VA + IV));
	method(f, n, 4, NVC8B5_OFFSET_IN_UPPER, bits_high32(from));
	method(f, n, 4, NVC8B5_OFFSET_IN_LOWER, bits_low32(from));
	method(f, n, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(to));
	method(f, n, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(to));
	method(f, n, 4, NVC8B5_LINE_LENGTH_IN, size);
	method(f, n, 4, NVC8B5_LAUNCH_DMA, SECURE_LAUNCH ^ (take(in, 1) % 4 ? 0 : take(in, 4)));
}

struct signed_stream {
	u32 words[72][2];
	u32 count;
};

static void add(struct signed_stream *s, u32 number, u64 data)
{
	s->words[s->count][0] = number;
	s->words[s->count][1] = (u32)data;
	s->count++;
}

static void add_address(struct signed_stream *s, u32 upper, u64 address)
{
	add(s, upper, bits_high32(address));
	add(s, upper + 4, bits_low32(address));
}

/* Signed with the next nonce; some of what comes then is pushed otherwise. */
static void push_signed(struct fuzz *f, struct signed_stream *s, struct input *in)
{
	u64 nonce[4];
	u32 i;

	memcpy(nonce, f->channel[SECURE_SEC2]->secure->nonce, sizeof(nonce));
	for (i = 0; i < 3 && ++nonce[i] == 0; i++)
		;
	os_hmac_update(f->hmac, s->words, s->count * sizeof(s->words[0]));
	os_hmac_update(f->hmac, nonce, sizeof(nonce));
	OS_BUG_ON(os_hmac_finish(f->hmac, f->rig.system + MAC) != NV_OK);
	change(f->rig.system + MAC, H100_MAC_BYTES, in);
	for (i = 0; i < s->count; i++)
		method(f, SECURE_SEC2, 1, s->words[i][0], s->words[i][1]);
}

static void stream(struct fuzz *f, struct input *in)
{
	u32 kind = take(in, 1), extra = take(in, 1) % 8, size, i;
	struct signed_stream s = { .count = 0 };

	for (i = 0; i < extra; i++)
		add(&s, NVCBA2_DECRYPT_COPY_SRC_ADDR_HI + take(in, 1) % 32 * 4, take(in, 4));
	add_address(&s, NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
	add_address(&s, NVCBA2_SEMAPHORE_A, VA + take(in, 2) / 4 * 4);
	add(&s, NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER, take(in, 4));
	if (kind & 1) {
		add(&s, NVCBA2_SEMAPHORE_D, take(in, 1));
	} else {
		size = encrypt(f, SECURE_SEC2, in);
		add_address(&s, NVCBA2_DECRYPT_COPY_SRC_ADDR_HI, SYSTEM_VA);
		add_address(&s, NVCBA2_DECRYPT_COPY_DST_ADDR_HI, VA + plain_place(in));
		add(&s, NVCBA2_DECRYPT_COPY_SIZE, size);
		add_address(&s, NVCBA2_DECRYPT_COPY_AUTH_TAG_ADDR_HI, SYSTEM_VA + TAG);
		add(&s, NVCBA2_EXECUTE, take(in, 1));
	}
	push_signed(f, &s, in);
}

/* To what was never there, and sometimes near the end. */
static void rotate(struct fuzz *f, u32 n, struct input *in)
{
	u8 channel = (u8)take(in, 1);
	struct h100_secure_start start = { .decrypt = { [5] = channel },
					   .encrypt = { [6] = channel } };

	if (take(in, 1) & 1) {
		memset(start.decrypt, 0xff, 4);
		memset(start.encrypt, 0xff, 4);
		memset(start.nonce, 0xff, 24);
		start.nonce[0] = start.decrypt[0] = start.encrypt[0] = 0xfe;
	}
	h100_channel_rotate(f->channel[n], take(in, 1) % 8, &start);
}

static void step(struct fuzz *f, struct input *in)
{
	u32 op = take(in, 1) % STEP_COUNT, n = take(in, 1) % CHANNELS, i, count, value;
	u32 *userd = (u32 *)(f->rig.video + USERD_OFFSET + n * 512);
	struct h100_fifo_error error;
	u64 va;

	switch (op) {
	case STEP_WORDS:
		for (i = 0, count = take(in, 1) % 32; i < count; i++)
			word(f, n, take(in, 4));
		break;
	case STEP_METHOD:
		known_method(f, n, in);
		break;
	case STEP_SEMAPHORE:
		semaphore(f, n, in);
		break;
	case STEP_ENTRY:
		/* What was written since the last one, or anything. */
		va = VA + n * CHANNEL_BYTES + PB + f->from[n];
		if (take(in, 1) & 3)
			entry(f, n, bits_low32(va),
			      (u32)(bits_high32(va) | ((f->pb[n] - f->from[n]) / 4) << 10));
		else
			entry(f, n, take(in, 4), take(in, 4));
		f->from[n] = f->pb[n];
		break;
	case STEP_PUT:
		userd[offsetof(struct Nvc86fControl, GPPut) / 4] = f->put[n];
		break;
	case STEP_USERD:
		userd[take(in, 1) % 128] = take(in, 4);
		break;
	case STEP_RING: {
		u32 token = take(in, 1) & 1 ? token_of(f, n) : take(in, 4);

		h100_fifo_rang(f->fifo, &token, 1);
		break;
	}
	case STEP_DATA:
		*(u32 *)(f->rig.video + take(in, 2) % (CHANNELS * CHANNEL_BYTES / 4) * 4) =
			take(in, 4);
		break;
	case STEP_SCHEDULE:
		h100_channel_schedule(f->channel[n], take(in, 1) & 1);
		break;
	case STEP_RESET:
		h100_channel_reset(f->channel[n]);
		h100_channel_schedule(f->channel[n], true);
		break;
	case STEP_SPACE:
		h100_space_set(f->space, take(in, 1) & 7 ? &f->rig.pdb : NULL);
		break;
	case STEP_OBJECT:
		value = take(in, 1);
		if (value & 1)
			h100_channel_remove_object(f->channel[n], class_of(value));
		else
			h100_channel_add_object(f->channel[n], class_of(value), NULL);
		h100_group_preempt(f->group[group_of(n)], true);
		break;
	case STEP_SUSPEND:
		h100_fifo_suspend(f->fifo, take(in, 1) & 1);
		break;
	case STEP_MESSAGE:
		message(f, in);
		break;
	case STEP_STREAM:
		stream(f, in);
		break;
	case STEP_ROTATE:
		rotate(f, n, in);
		break;
	default:
		h100_fifo_run_for(f->fifo, RUN_NS);
		while (h100_fifo_error_take(f->fifo, &error))
			OS_BUG_ON(error.code == 0 || error.chid >= CHANNELS);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct fuzz f;
	struct input in = { data, size };
	u32 i;

	open_fuzz(&f);
	for (i = 0; i < MAX_STEPS && in.left != 0; i++)
		step(&f, &in);
	for (i = 0; i < CHANNELS; i++) {
		u32 token = token_of(&f, i);

		h100_fifo_rang(f.fifo, &token, 1);
	}
	h100_fifo_run_for(f.fifo, RUN_NS);
	close_fuzz(&f);
	return 0;
}
