// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secure channels of a client's at work: copies both ways on a copy engine, signed streams on SEC2,
 * and the words of them that nothing protects.
 *
 *   shared    USERD | messages, tags, IVs, signatures | SEC2's GP entries and pushbuffer
 *   video     GP entries and pushbuffer of the copies | plaintext | what says that work is done
 *
 * Writing to video memory here is the part of what launches secure work on a real system.
 */
#include "hostile.h"

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/gsp/gpu.h"
#include "rm/api/api.h"
#include "rm/cc/csl.h"
#include "rm/class/channel.h"
#include "rm/class/channel_secure.h"
#include "rm/class/memory.h"

#define SPACE 0xe0u
#define RANGE 0xe1u
#define SHARED 0xe2u
#define VIDEO 0xe3u
#define CHANNEL 0x100u
#define OBJECT 0x900u
#define BYTES MIB(1)
#define COPY_ENGINE 3u
#define ENGINE (NV2080_ENGINE_TYPE_COPY0 + COPY_ENGINE)
#define ENTRIES 512u
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))

/* Both memories are laid out alike, channel n at n times this. */
#define PART KIB(256)
#define USERD 0x0u
#define GPFIFO KIB(4)
#define PUSHBUFFER KIB(16)
#define PUSHBUFFER_BYTES KIB(32)
#define DONE KIB(64) /* the last work that is done */
#define MESSAGE KIB(128)
#define MESSAGE_MAX KIB(48)
#define TAG KIB(192)
#define IV (TAG + 0x100u)
#define MAC (TAG + 0x200u)
#define SIDES 0x300u /* bytes of tag, IV and signature */
#define GP_GET offsetof(struct Nvc86fControl, GPGet)
#define GP_PUT offsetof(struct Nvc86fControl, GPPut)
#define NOBODYS 0x5au

#define LAUNCH                                                                \
	((u32)(REG_PREP(NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT,                  \
			NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT_PITCH) |          \
	       REG_PREP(NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT,                  \
			NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT_PITCH) |          \
	       REG_PREP(NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE,                 \
			NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE_NON_PIPELINED) | \
	       REG_PREP(NVC8B5_LAUNCH_DMA_COPY_TYPE, NVC8B5_LAUNCH_DMA_COPY_TYPE_SECURE)))

enum which { COPIES, SIGNED, CHANNELS };

struct secure {
	u32 handle, engine, token;
	bool made;
	struct rm_channel *channel;
	struct csl_context csl;
	u32 put, words, begun; /* GP entries, words of pushbuffer, where the segment begins */
	u32 work;	       /* the number of what was asked for last */
};

static bool based;
static int ctl;
static u64 shared_va, video_va;
static u8 *shared, *video;
static struct secure channels[CHANNELS];
static u8 text[MESSAGE_MAX], got[MESSAGE_MAX];
/* A message that was right, once. */
static struct {
	u8 message[MESSAGE_MAX], tag[CSL_CRYPT_AUTH_TAG_SIZE];
	u32 size;
} before[2];

/* -- Memory and channels ----------------------------------------------------------------------- */

static u8 *at_shared(enum which n, u32 offset)
{
	return shared + n * PART + offset;
}

static u8 *at_video(enum which n, u32 offset)
{
	return video + n * PART + offset;
}

static void make_base(void)
{
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS range = { .hVASpace = SPACE };
	NV_MEMORY_ALLOCATION_PARAMS memory = { .owner = 1, .size = BYTES };
	enum rm_aperture aperture;
	u64 address, contiguous;

	ctl = host_open(RM_NODE_CONTROL, 0);
	assert_true(ctl >= 0);
	host_program.ctl = ctl;
	host_program.client = host_client(ctl);
	assert_int_equal(host_make(host_program.client, HOST_DEVICE, NV01_DEVICE_0, &device),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, HOST_SUBDEVICE, NV20_SUBDEVICE_0, &subdevice),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, RANGE, NV01_MEMORY_VIRTUAL, &range), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, VIDEO, NV01_MEMORY_LOCAL_USER, &memory), NV_OK);
	memory.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI);
	assert_int_equal(host_make(HOST_DEVICE, SHARED, NV01_MEMORY_SYSTEM, &memory), NV_OK);
	shared_va = host_map_to_gpu(RANGE, SHARED, BYTES);
	video_va = host_map_to_gpu(RANGE, VIDEO, BYTES);
	shared = rm_backing_cpu(host_backing(SHARED), 0);
	address = rm_backing_address(host_backing(VIDEO), 0, &aperture, &contiguous);
	assert_true(aperture == RM_APERTURE_VIDEO && contiguous >= BYTES);
	video = host.gpus[VICTIM].model->memory.video + address;
	based = true;
}

static void make_channel(enum which n)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS token = { 0 };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NVB0B5_ALLOCATION_PARAMETERS copy = { .engineType = COPY_ENGINE };
	struct secure *s = &channels[n];
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = (n == COPIES ? video_va : shared_va) + n * PART + GPFIFO,
		.gpFifoEntries = ENTRIES,
		.flags = (u32)REG_PREP(NVOS04_FLAGS_CC_SECURE, NVOS04_FLAGS_CC_SECURE_TRUE),
		.hVASpace = SPACE,
		.hUserdMemory = { SHARED },
		.userdOffset = { n * PART + USERD },
		.engineType = n == COPIES ? ENGINE : NV2080_ENGINE_TYPE_SEC2,
	};

	s->handle = CHANNEL + n;
	s->engine = p.engineType;
	s->put = s->words = s->begun = 0;
	memset(at_shared(n, USERD), 0, 0x200);
	memset(n == COPIES ? at_video(n, GPFIFO) : at_shared(n, GPFIFO), 0, ENTRIES * 8);
	assert_int_equal(host_make(HOST_DEVICE, s->handle, HOPPER_CHANNEL_GPFIFO_A, &p), NV_OK);
	assert_int_equal(host_make(s->handle, OBJECT + n,
				   n == COPIES ? HOPPER_DMA_COPY_A : HOPPER_SEC2_WORK_LAUNCH_A,
				   n == COPIES ? (void *)&copy : NULL),
			 NV_OK);
	assert_int_equal(
		host_ask(s->handle, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
	assert_int_equal(host_ask(s->handle, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &token,
				  sizeof(token)),
			 NV_OK);
	s->token = token.workSubmitToken;
	s->channel = host_channel(s->handle);
	memset(&s->csl, 0, sizeof(s->csl));
	assert_int_equal(rm_channel_csl_init(s->channel, &s->csl), NV_OK);
	s->made = true;
}

static void drop_channel(enum which n)
{
	struct secure *s = &channels[n];

	if (!s->made)
		return;
	rm_channel_csl_deinit(s->channel, &s->csl);
	assert_int_equal(host_drop(s->handle), NV_OK);
	s->made = false;
}

static struct secure *channel_up(enum which n)
{
	rig_up();
	if (!based)
		make_base();
	if (!channels[n].made)
		make_channel(n);
	return &channels[n];
}

void channels_forget(void)
{
	for (u32 n = 0; n < CHANNELS; n++) {
		if (channels[n].made)
			rm_channel_csl_deinit(channels[n].channel, &channels[n].csl);
		channels[n].made = false;
	}
	if (based)
		host_close(ctl);
	based = false;
}

/* -- Work -------------------------------------------------------------------------------------- */

static u64 va_of(enum which n, bool in_shared, u32 offset)
{
	return (in_shared ? shared_va : video_va) + n * PART + offset;
}

static void push(enum which n, u32 subchannel, u32 method, u64 data)
{
	u8 *words = n == COPIES ? at_video(n, PUSHBUFFER) : at_shared(n, PUSHBUFFER);
	struct secure *s = &channels[n];
	const u32 pair[2] = {
		(u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_INC_METHOD) |
		      REG_PREP(NVC86F_DMA_METHOD_COUNT, 1) |
		      REG_PREP(NVC86F_DMA_METHOD_SUBCHANNEL, subchannel) |
		      REG_PREP(NVC86F_DMA_METHOD_ADDRESS, method / 4)),
		(u32)data,
	};

	memcpy(words + 4 * s->words, pair, sizeof(pair));
	s->words += 2;
}

static void push_address(enum which n, u32 subchannel, u32 upper, u64 address)
{
	push(n, subchannel, upper, bits_high32(address));
	push(n, subchannel, upper + 4, bits_low32(address));
}

/* Makes what was pushed an entry; the GPU is to look at it once it is rung for. */
static void put(enum which n)
{
	struct secure *s = &channels[n];
	u8 *entries = n == COPIES ? at_video(n, GPFIFO) : at_shared(n, GPFIFO);
	u64 segment = va_of(n, n != COPIES, PUSHBUFFER) + 4 * s->begun;
	const u32 entry[2] = {
		bits_low32(segment),
		bits_high32(segment) | (u32)REG_PREP(NVC86F_GP_ENTRY1_LENGTH, s->words - s->begun),
	};

	memcpy(entries + 8 * s->put, entry, sizeof(entry));
	s->put = (s->put + 1) % ENTRIES;
	s->begun = s->words;
	if (4 * s->words > PUSHBUFFER_BYTES / 2)
		s->words = s->begun = 0;
	os_store_release((u32 *)(at_shared(n, USERD) + GP_PUT), s->put);
}

static void ring(enum which n)
{
	h100_bar_write(host.gpus[VICTIM].model, 0, DOORBELL, 4, channels[n].token);
}

static u32 done_of(enum which n)
{
	return os_load_acquire((u32 *)at_video(n, DONE));
}

#define LONG_US 5000000u
#define SHORT_US 100000u
#define QUIET_LOOKS 250u

enum end { WORK_DONE, WORK_FAILED, WORK_WAITS };

/* The GPU has taken all entries, as far as it says. */
static bool all_taken(enum which n)
{
	return os_load_acquire((u32 *)(at_shared(n, USERD) + GP_GET)) == channels[n].put;
}

/*
 * What becomes of the last work; where nothing does, it waits: for as long, or until nothing has
 * come for a while of entries that are taken.
 */
static enum end await(enum which n, u32 patience_us)
{
	struct secure *s = &channels[n];
	u64 end = os_time_ns() + patience_us * 1000ull;
	u32 quiet = 0;

	for (;;) {
		if (done_of(n) == s->work)
			return WORK_DONE;
		if (os_load_acquire(&s->channel->error))
			return WORK_FAILED;
		quiet = all_taken(n) ? quiet + 1 : 0;
		if (os_time_ns() > end || (patience_us == SHORT_US && quiet > QUIET_LOOKS))
			return WORK_WAITS;
		os_sleep_us(20);
	}
}

/* The end of copies: the host's semaphore, in video memory. */
static void push_done(enum which n)
{
	u64 va = va_of(n, false, DONE);

	push(n, 0, NVC86F_SEM_ADDR_LO, bits_low32(va));
	push(n, 0, NVC86F_SEM_ADDR_HI, bits_high32(va));
	push(n, 0, NVC86F_SEM_PAYLOAD_LO, ++channels[n].work);
	push(n, 0, NVC86F_SEM_EXECUTE,
	     REG_PREP(NVC86F_SEM_EXECUTE_OPERATION, NVC86F_SEM_EXECUTE_OPERATION_RELEASE));
}

static void push_copy(bool encrypts, u32 size)
{
	const u64 plain = va_of(COPIES, false, MESSAGE), cipher = va_of(COPIES, true, MESSAGE);

	push(COPIES, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	push(COPIES, 4, NVC8B5_SET_SECURE_COPY_MODE,
	     encrypts ? NVC8B5_SET_SECURE_COPY_MODE_MODE_ENCRYPT
		      : NVC8B5_SET_SECURE_COPY_MODE_MODE_DECRYPT);
	push_address(COPIES, 4,
		     encrypts ? NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_UPPER
			      : NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_UPPER,
		     va_of(COPIES, true, TAG));
	if (encrypts)
		push_address(COPIES, 4, NVC8B5_SET_ENCRYPT_IV_ADDR_UPPER, va_of(COPIES, true, IV));
	push_address(COPIES, 4, NVC8B5_OFFSET_IN_UPPER, encrypts ? plain : cipher);
	push_address(COPIES, 4, NVC8B5_OFFSET_OUT_UPPER, encrypts ? cipher : plain);
	push(COPIES, 4, NVC8B5_LINE_LENGTH_IN, size);
	push(COPIES, 4, NVC8B5_LAUNCH_DMA, LAUNCH);
	push_done(COPIES);
	put(COPIES);
}

static u32 draw_size(void)
{
	static const u32 sizes[] = { 64, 512, 4096, 12288, 20000 };

	return sizes[draw(ARRAY_SIZE(sizes))];
}

static bool all_are(const u8 *bytes, u8 value, u32 size)
{
	while (size-- != 0)
		if (*bytes++ != value)
			return false;
	return true;
}

/* The channel stopped: its error is the engine's, the log has its Xid, and it is made anew. */
static void check_stopped(enum which n, u32 error)
{
	char xid[64];

	assert_int_equal(channels[n].channel->error, error);
	snprintf(xid, sizeof(xid), "Xid (PCI:0000:01:00): %u", error);
	for (u32 i = 0; i < 2000 && !rig_logged(xid); i++)
		os_sleep_us(500);
	assert_true(rig_logged(xid));
	assert_false(rm_gpu_is_lost(rig_gpu(VICTIM)));
	drop_channel(n);
}

static bool wants_rotation(const struct cell *cell)
{
	return strcmp(cell->state, "after rotation") == 0;
}

/* The channel is idle a moment after its work is done. */
static void rotate(struct secure *s, enum csl_operation operation)
{
	enum nv_status status;
	u32 i;

	for (i = 0; i < 2000; i++) {
		status = csl_rotate_iv(&s->csl, operation);
		if (status != NV_ERR_INVALID_STATE)
			break;
		os_sleep_us(100);
	}
	assert_int_equal(status, NV_OK);
}

static s32 arm_at(const struct cell *cell, const void *at, size_t bytes, u64 nth)
{
	struct cell there = *cell;

	there.rule.at = at;
	there.rule.at_bytes = bytes;
	return rig_arm_nth(&there, nth);
}

/* -- Copies to the GPU ------------------------------------------------------------------------- */

static void encrypt_next(struct secure *s, u32 size)
{
	fill_user_data(text, size);
	assert_int_equal(csl_encrypt(&s->csl, size, text, NULL, NULL, 0, at_shared(COPIES, MESSAGE),
				     at_shared(COPIES, TAG)),
			 NV_OK);
}

static void keep_message(u32 which, u32 size)
{
	memcpy(before[which].message, at_shared(COPIES, MESSAGE), size);
	memcpy(before[which].tag, at_shared(COPIES, TAG), CSL_CRYPT_AUTH_TAG_SIZE);
	before[which].size = size;
}

/* One that is taken. */
static void copy_down(struct secure *s, u32 size)
{
	encrypt_next(s, size);
	keep_message(0, size);
	push_copy(false, size);
	ring(COPIES);
	assert_int_equal(await(COPIES, LONG_US), WORK_DONE);
	assert_memory_equal(at_video(COPIES, MESSAGE), text, size);
}

/* error: what the channel stops with, if it does; 0: with any. */
static enum detector down_verdict(u32 size, enum end end, u32 error)
{
	if (end == WORK_DONE) {
		assert_memory_equal(at_video(COPIES, MESSAGE), text, size);
		return NOTHING_LOST;
	}
	/* Not a byte of it, or, by what was right before, all. */
	assert_true(all_are(at_video(COPIES, MESSAGE), NOBODYS, size) ||
		    memcmp(at_video(COPIES, MESSAGE), text, size) == 0);
	if (end == WORK_FAILED) {
		check_stopped(COPIES, error ? error : channels[COPIES].channel->error);
		return BY_ENGINE;
	}
	drop_channel(COPIES);
	return STOPPED;
}

static void swap_halves(u8 *bytes, u32 size)
{
	memcpy(got, bytes, size);
	memcpy(bytes, got + size / 2, size / 2);
	memcpy(bytes + size / 2, got, size / 2);
}

static enum detector run_down(const struct cell *cell)
{
	bool tag = cell->rule_field == NULL && strcmp(cell->field, "tag") == 0;
	struct secure *s = channel_up(COPIES);
	u32 size = draw_size();
	s32 rule = ADVERSARY_ANY;
	enum end end;

	copy_down(s, size);
	if (wants_rotation(cell))
		rotate(s, CSL_OPERATION_ENCRYPT);
	encrypt_next(s, size);
	memset(at_video(COPIES, MESSAGE), NOBODYS, size);
	rig_log_begin();
	if (cell->rule.action == ADVERSARY_ROLL_BACK) {
		memcpy(at_shared(COPIES, MESSAGE), before[0].message, size);
		memcpy(at_shared(COPIES, TAG), before[0].tag, sizeof(before[0].tag));
	} else if (cell->rule.action == ADVERSARY_SWAP) {
		swap_halves(at_shared(COPIES, MESSAGE), size);
	} else if (tag) {
		rule = arm_at(cell, at_shared(COPIES, TAG), CSL_CRYPT_AUTH_TAG_SIZE, 0);
	} else {
		rule = arm_at(cell, at_shared(COPIES, MESSAGE), size,
			      1 + draw((u32)div_round_up(size, OS_PAGE_SIZE)));
	}
	push_copy(false, size);
	ring(COPIES);
	end = await(COPIES, LONG_US);
	if (rule != ADVERSARY_ANY)
		assert_int_equal(adversary_done(adversary, rule), 1);
	return down_verdict(size, end, ROBUST_CHANNEL_CE3_ERROR);
}

/* -- Copies from the GPU ----------------------------------------------------------------------- */

static enum detector run_up(const struct cell *cell)
{
	struct secure *s = channel_up(COPIES);
	const u8 *tag = at_shared(COPIES, TAG);
	u32 size = draw_size(), where = MESSAGE, bytes = size;
	struct csl_iv iv;
	enum nv_status status;
	enum end end;
	s32 rule;

	if (wants_rotation(cell))
		rotate(s, CSL_OPERATION_DECRYPT);
	if (strcmp(cell->field, "tag") == 0) {
		where = TAG;
		bytes = CSL_CRYPT_AUTH_TAG_SIZE;
	} else if (strcmp(cell->field, "IV") == 0) {
		where = IV;
		bytes = CSL_IV_SIZE;
	} else if (strcmp(cell->field, "all") == 0) {
		bytes = TAG + SIDES - MESSAGE;
	}
	fill_user_data(text, size);
	memcpy(at_video(COPIES, MESSAGE), text, size);
	if (cell->rule.action == ADVERSARY_DROP && cell->rule.times == 0) {
		struct adversary_rule all = cell->rule;

		/* Whatever the engine writes is lost: what lies there is an older message. */
		all.gpu = VICTIM;
		all.code = ADVERSARY_ANY;
		all.at = at_shared(COPIES, where);
		all.at_bytes = bytes;
		rig_log_begin();
		rule = adversary_add(adversary, &all);
	} else {
		rule = arm_at(cell, at_shared(COPIES, where), bytes, 0);
	}
	push_copy(true, size);
	ring(COPIES);
	end = await(COPIES, LONG_US);
	assert_int_equal(end, WORK_DONE);
	assert_true(adversary_done(adversary, rule) > 0);
	adversary_forget(adversary);
	/* Its own count of IVs says which is due: what the host says of it is not asked. */
	assert_int_equal(csl_increment_iv(&s->csl, CSL_OPERATION_DECRYPT, 1, &iv), NV_OK);
	memset(got, NOBODYS, size);
	status = csl_decrypt(&s->csl, size, at_shared(COPIES, MESSAGE), &iv, NULL, 0, got, tag);
	if (status == NV_OK) {
		assert_memory_equal(got, text, size);
		return NOTHING_LOST;
	}
	assert_int_equal(status, NV_ERR_INVALID_DATA);
	assert_true(all_are(got, 0, size));
	return BY_CLIENT;
}

/* -- Signed work ------------------------------------------------------------------------------- */

static struct {
	u32 words[16][2];
	u32 count;
} stream;

static void add(u32 method, u64 data)
{
	stream.words[stream.count][0] = method;
	stream.words[stream.count++][1] = (u32)data;
}

static void add_address(u32 upper, u64 address)
{
	add(upper, bits_high32(address));
	add(upper + 4, bits_low32(address));
}

/* A decryption, and behind it, as part of the same stream, what says that it is done. */
static void push_signed(struct secure *s, u32 size)
{
	stream.count = 0;
	add_address(NVCBA2_DECRYPT_COPY_SRC_ADDR_HI, va_of(SIGNED, true, MESSAGE));
	add_address(NVCBA2_DECRYPT_COPY_DST_ADDR_HI, va_of(SIGNED, false, MESSAGE));
	add(NVCBA2_DECRYPT_COPY_SIZE, size);
	add_address(NVCBA2_DECRYPT_COPY_AUTH_TAG_ADDR_HI, va_of(SIGNED, true, TAG));
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, va_of(SIGNED, true, MAC));
	add_address(NVCBA2_SEMAPHORE_A, va_of(SIGNED, false, DONE));
	add(NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER, ++s->work);
	add(NVCBA2_EXECUTE, REG_PREP(NVCBA2_EXECUTE_NOTIFY, 1) |
				    REG_PREP(NVCBA2_EXECUTE_NOTIFY_ON, 0)); /* at its end */
	assert_int_equal(csl_sign(&s->csl, stream.count * 8, (const u8 *)stream.words,
				  at_shared(SIGNED, MAC)),
			 NV_OK);
	for (u32 i = 0; i < stream.count; i++)
		push(SIGNED, 1, stream.words[i][0], stream.words[i][1]);
	put(SIGNED);
}

static void encrypt_signed(struct secure *s, u32 size)
{
	fill_user_data(text, size);
	assert_int_equal(csl_encrypt(&s->csl, size, text, NULL, NULL, 0, at_shared(SIGNED, MESSAGE),
				     at_shared(SIGNED, TAG)),
			 NV_OK);
}

static enum detector signed_verdict(u32 size, enum end end)
{
	if (end == WORK_DONE) {
		assert_memory_equal(at_video(SIGNED, MESSAGE), text, size);
		return NOTHING_LOST;
	}
	assert_true(all_are(at_video(SIGNED, MESSAGE), NOBODYS, size));
	if (end == WORK_FAILED) {
		u32 error = channels[SIGNED].channel->error;

		assert_true(error == ROBUST_CHANNEL_SEC2_ERROR ||
			    error == ROBUST_CHANNEL_PBDMA_ERROR ||
			    error == ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
		check_stopped(SIGNED, error);
		return BY_ENGINE;
	}
	drop_channel(SIGNED);
	return STOPPED;
}

static enum detector run_signed(const struct cell *cell)
{
	struct secure *s = channel_up(SIGNED);
	u32 size = draw_size(), begun, words;
	const char *field = cell->field;
	enum detector detector;
	enum end end;
	s32 rule;

	/* A stream that is right, of which there are copies now. */
	encrypt_signed(s, size);
	push_signed(s, size);
	ring(SIGNED);
	assert_int_equal(await(SIGNED, LONG_US), WORK_DONE);
	assert_memory_equal(at_video(SIGNED, MESSAGE), text, size);
	if (wants_rotation(cell)) {
		rotate(s, CSL_OPERATION_ENCRYPT);
		rotate(s, CSL_OPERATION_DECRYPT);
	}
	memset(at_video(SIGNED, MESSAGE), NOBODYS, size);
	rig_log_begin();
	if (cell->rule.action == ADVERSARY_REPLAY) {
		/* The same entry, pushbuffer, signature and message; the word for done is asked for
		 * once more. */
		os_store_release((u32 *)at_video(SIGNED, DONE), 0u);
		memcpy(at_shared(SIGNED, GPFIFO) + 8 * s->put,
		       at_shared(SIGNED, GPFIFO) + 8 * ((s->put + ENTRIES - 1) % ENTRIES), 8);
		s->put = (s->put + 1) % ENTRIES;
		os_store_release((u32 *)(at_shared(SIGNED, USERD) + GP_PUT), s->put);
		ring(SIGNED);
		return signed_verdict(size, await(SIGNED, LONG_US));
	}
	begun = s->begun;
	words = 2 * stream.count;
	encrypt_signed(s, size);
	push_signed(s, size);
	if (strcmp(field, "signature") == 0)
		rule = arm_at(cell, at_shared(SIGNED, MAC), CSL_SIGN_AUTH_TAG_SIZE, 0);
	else if (strcmp(field, "methods") == 0)
		rule = arm_at(cell, at_shared(SIGNED, PUSHBUFFER) + 4 * begun, 4 * words, 0);
	else if (strcmp(field, "entry") == 0)
		rule = arm_at(cell, at_shared(SIGNED, GPFIFO), 8 * ENTRIES, 0);
	else if (strcmp(field, "tag") == 0)
		rule = arm_at(cell, at_shared(SIGNED, TAG), CSL_CRYPT_AUTH_TAG_SIZE, 0);
	else
		rule = arm_at(cell, at_shared(SIGNED, MESSAGE), size, 0);
	ring(SIGNED);
	end = await(SIGNED, strcmp(field, "methods") == 0 || strcmp(field, "entry") == 0 ? SHORT_US
											 : LONG_US);
	assert_int_equal(adversary_done(adversary, rule), 1);
	detector = signed_verdict(size, end);
	/* What was made of the methods may be waiting for more words: the channel is made anew. */
	if (strcmp(field, "methods") == 0 || strcmp(field, "entry") == 0)
		drop_channel(SIGNED);
	return detector;
}

/* A release by the host's own methods, which nobody signed, to say that work is done that is not.
 */
static enum detector run_forged_release(const struct cell *cell)
{
	struct secure *s = channel_up(SIGNED);

	rig_log_begin();
	memset(at_video(SIGNED, MESSAGE), NOBODYS, 64);
	push_done(SIGNED);
	put(SIGNED);
	ring(SIGNED);
	if (await(SIGNED, LONG_US) != WORK_FAILED)
		fail_msg("an unsigned release was done");
	assert_int_not_equal(done_of(SIGNED), s->work);
	return signed_verdict(64, WORK_FAILED);
}

/* -- What nothing protects --------------------------------------------------------------------- */

static enum detector run_userd(const struct cell *cell)
{
	struct secure *s = channel_up(COPIES);
	bool get = strcmp(cell->field, "GPGet") == 0;
	u32 size = draw_size();
	enum detector detector;
	enum end end;
	s32 rule;

	copy_down(s, size);
	encrypt_next(s, size);
	memset(at_video(COPIES, MESSAGE), NOBODYS, size);
	rule = arm_at(cell, at_shared(COPIES, USERD) + (get ? GP_GET : GP_PUT), 4, 0);
	push_copy(false, size);
	ring(COPIES);
	end = await(COPIES, SHORT_US);
	assert_int_equal(adversary_done(adversary, rule), 1);
	detector = down_verdict(size, end, 0);
	/* What the GPU still takes for entries may stop the channel later: it is made anew. */
	drop_channel(COPIES);
	return detector;
}

static enum detector run_doorbell(const struct cell *cell)
{
	struct secure *s = channel_up(COPIES);
	u32 size = draw_size();

	copy_down(s, size);
	encrypt_next(s, size);
	memset(at_video(COPIES, MESSAGE), NOBODYS, size);
	push_copy(false, size);
	/* The GPU may be looking there by itself, for a moment after work. */
	if (await(COPIES, 500) == WORK_WAITS) {
		assert_true(all_are(at_video(COPIES, MESSAGE), NOBODYS, size));
		ring(COPIES);
	}
	return down_verdict(size, await(COPIES, LONG_US), 0);
}

/* -- Cells ------------------------------------------------------------------------------------- */

#define WHEN(state)                                                                             \
	DOWN(state, "ciphertext", ADVERSARY_FLIP, "a bit", 12),                                 \
		DOWN(state, "ciphertext", ADVERSARY_CUT, "half of a page", 6),                  \
		DOWN(state, "ciphertext", ADVERSARY_SWAP, "halves swapped", 6),                 \
		DOWN(state, "tag", ADVERSARY_FLIP, "a bit", 12),                                \
		DOWN(state, "all", ADVERSARY_ROLL_BACK, "the one before", 6),                   \
		UP(state, "ciphertext", ADVERSARY_FLIP, "a bit", 1, BY_CLIENT, 30),             \
		UP(state, "ciphertext", ADVERSARY_DROP, "a page does not arrive", 1, BY_CLIENT, \
		   10),                                                                         \
		UP(state, "ciphertext", ADVERSARY_CUT, "half of a page", 1, BY_CLIENT, 10),     \
		UP(state, "tag", ADVERSARY_FLIP, "a bit", 1, BY_CLIENT, 30),                    \
		UP(state, "tag", ADVERSARY_DROP, "does not arrive", 1, BY_CLIENT, 10),          \
		UP(state, "all", ADVERSARY_DROP, "the one before", 0, BY_CLIENT, 10),           \
		UP(state, "IV", ADVERSARY_FLIP, "a bit", 1, NOTHING_LOST, 4),                   \
		SIGN(state, "signature", ADVERSARY_FLIP, "a bit", BIT_OF(BY_ENGINE), 8),        \
		SIGN(state, "methods", ADVERSARY_FLIP, "a bit",                                 \
		     BIT_OF(BY_ENGINE) | BIT_OF(STOPPED) | BIT_OF(NOTHING_LOST), 10),           \
		SIGN(state, "entry", ADVERSARY_FLIP, "a bit",                                   \
		     BIT_OF(BY_ENGINE) | BIT_OF(STOPPED) | BIT_OF(NOTHING_LOST), 4),            \
		SIGN(state, "ciphertext", ADVERSARY_FLIP, "a bit", BIT_OF(BY_ENGINE), 6),       \
		SIGN(state, "tag", ADVERSARY_FLIP, "a bit", BIT_OF(BY_ENGINE), 6),              \
		SIGN(state, "all", ADVERSARY_REPLAY, "the stream once more", BIT_OF(BY_ENGINE), 6)
#define DOWN(state, field, way, text, heavy)                                                    \
	{                                                                                       \
		state, "copy to the GPU", field, text, "CE3 error, Xid 70", BIT_OF(BY_ENGINE),  \
			run_down, { .object = ADVERSARY_PAGE_READ, .action = way }, NULL, heavy \
	}
#define UP(state, field, way, text, most, by, heavy)                                              \
	{                                                                                         \
		state, "copy from the GPU", field, text, "INVALID_DATA", BIT_OF(by), run_up,      \
			{ .object = ADVERSARY_PAGE_WRITTEN, .action = way, .times = most }, NULL, \
			heavy                                                                     \
	}
#define SIGN(state, field, way, text, mask, heavy)                                       \
	{                                                                                \
		state, "SEC2 work", field, text, "SEC2 error, Xid 60", mask, run_signed, \
			{ .object = ADVERSARY_PAGE_READ, .action = way }, NULL, heavy    \
	}

struct cell channel_cells[] = {
	WHEN("sealed"),
	WHEN("after rotation"),
	{ "sealed",
	  "SEC2 work",
	  "methods",
	  "a release nobody signed",
	  "PBDMA error, Xid 32",
	  BIT_OF(BY_ENGINE),
	  run_forged_release,
	  { .action = ADVERSARY_FORGE },
	  NULL,
	  2 },
	{ "sealed",
	  "USERD",
	  "GPPut",
	  "a bit",
	  "unprotected: stops, or late",
	  BIT_OF(BY_ENGINE) | BIT_OF(STOPPED) | BIT_OF(NOTHING_LOST),
	  run_userd,
	  { .object = ADVERSARY_PAGE_READ, .action = ADVERSARY_FLIP },
	  NULL,
	  6 },
	{ "sealed",
	  "USERD",
	  "GPGet",
	  "a bit",
	  "unprotected: nothing",
	  BIT_OF(NOTHING_LOST),
	  run_userd,
	  { .object = ADVERSARY_PAGE_WRITTEN, .action = ADVERSARY_FLIP },
	  NULL,
	  2 },
	{ "sealed",
	  "doorbell",
	  "all",
	  "does not arrive",
	  "unprotected: late",
	  BIT_OF(NOTHING_LOST),
	  run_doorbell,
	  { .action = ADVERSARY_HOLD },
	  NULL,
	  1 },
};

const u32 channel_cell_count = ARRAY_SIZE(channel_cells);
