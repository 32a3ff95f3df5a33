// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The copy engine's secure copies, by pushbuffers, with a CSL context for their other end: every
 * rule of what is taken broken once, each bit of a message wrong, memory that changes meanwhile,
 * counters at their end.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/bits.h"
#include "os_crypto.h"
#include "secure_rig.h"

#define ENGINE NV2080_ENGINE_TYPE_COPY3 /* LCE1 */
#define ERROR ROBUST_CHANNEL_CE3_ERROR
#define TAG 0x180000u /* in system memory, after the ciphertext */
#define IV 0x180100u
#define SUBCHANNEL 4u
#define LAUNCH                                                          \
	(REG_PREP(NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT,                  \
		  NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT_PITCH) |          \
	 REG_PREP(NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT,                  \
		  NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT_PITCH) |          \
	 REG_PREP(NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE,                 \
		  NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE_NON_PIPELINED) | \
	 REG_PREP(NVC8B5_LAUNCH_DMA_COPY_TYPE, NVC8B5_LAUNCH_DMA_COPY_TYPE_SECURE))
#define SRC_PHYSICAL REG_PREP(NVC8B5_LAUNCH_DMA_SRC_TYPE, NVC8B5_LAUNCH_DMA_SRC_TYPE_PHYSICAL)
#define DST_PHYSICAL REG_PREP(NVC8B5_LAUNCH_DMA_DST_TYPE, NVC8B5_LAUNCH_DMA_DST_TYPE_PHYSICAL)

/* Where a copy goes, what a test may change of it. */
struct copy {
	u64 from, to, tag, iv;
	u32 size, mode;
	u64 launch;
};

static struct secure_rig rig;
static struct secure_channel channel;
static u64 seed;
static u8 text[CSL_MESSAGE_MAX], copied[CSL_MESSAGE_MAX];

static int open_kernel(void **state)
{
	seed = 99;
	secure_open(&rig, ENGINE, false);
	return secure_channel(&rig, &channel, 0, true) == NV_OK ? 0 : -1;
}

static int open_user(void **state)
{
	seed = 98;
	secure_open(&rig, ENGINE, false);
	return secure_channel(&rig, &channel, 0, false) == NV_OK ? 0 : -1;
}

static int close_rig(void **state)
{
	secure_channel_end(&channel);
	secure_close(&rig);
	return 0;
}

/* -- Pushes ------------------------------------------------------------------------------------ */

static void push(const struct secure_channel *s, u32 method, u64 data)
{
	host_do(&s->rig->h, s->c, SUBCHANNEL, method, (u32)data);
}

static void push_address(const struct secure_channel *s, u32 upper, u64 address)
{
	push(s, upper, bits_high32(address));
	push(s, upper + 4, bits_low32(address));
}

static struct copy decryption(u32 size)
{
	return (struct copy){
		.from = SYSTEM_VA,
		.to = DATA_VA,
		.tag = SYSTEM_VA + TAG,
		.size = size,
		.mode = NVC8B5_SET_SECURE_COPY_MODE_MODE_DECRYPT,
		.launch = LAUNCH,
	};
}

static struct copy encryption(u32 size)
{
	return (struct copy){
		.from = DATA_VA,
		.to = SYSTEM_VA,
		.tag = SYSTEM_VA + TAG,
		.iv = SYSTEM_VA + IV,
		.size = size,
		.mode = NVC8B5_SET_SECURE_COPY_MODE_MODE_ENCRYPT,
		.launch = LAUNCH,
	};
}

static void push_copy(const struct secure_channel *s, const struct copy *c)
{
	bool encrypts = c->mode == NVC8B5_SET_SECURE_COPY_MODE_MODE_ENCRYPT;

	push(s, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	push(s, NVC8B5_SET_SECURE_COPY_MODE, c->mode);
	push_address(s,
		     encrypts ? NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_UPPER
			      : NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_UPPER,
		     c->tag);
	if (encrypts)
		push_address(s, NVC8B5_SET_ENCRYPT_IV_ADDR_UPPER, c->iv);
	push_address(s, NVC8B5_OFFSET_IN_UPPER, c->from);
	push_address(s, NVC8B5_OFFSET_OUT_UPPER, c->to);
	push(s, NVC8B5_LINE_LENGTH_IN, c->size);
	push(s, NVC8B5_LAUNCH_DMA, c->launch);
}

static void run_copy(struct secure_channel *s, const struct copy *c)
{
	struct h100_fifo_error error;

	push_copy(s, c);
	if (!secure_run(s, &error))
		fail_msg("error %u, report %u", error.code, error.info);
}

static void copy_fails(struct secure_channel *s, const struct copy *c, u32 info)
{
	push_copy(s, c);
	secure_run_fails(s, ERROR, info);
}

#define FAILS(c, why) copy_fails(&channel, c, NV_PCE_LAUNCHERR_REPORT_##why)

/* -- Messages ---------------------------------------------------------------------------------- */

/* The driver's next message, in system memory; text has what it says. */
static void cpu_encrypts(struct secure_channel *s, u32 size)
{
	unit_fill(&seed, text, size);
	assert_int_equal(csl_encrypt(&s->csl, size, text, NULL, NULL, 0, secure_system(&rig, 0),
				     secure_system(&rig, TAG)),
			 NV_OK);
}

static void test_messages(void **state)
{
	static const u32 sizes[] = { 4, 12, 32, 36, 4096, 4100, 65536, 0x40004, 0x100000 };
	struct csl_iv iv;
	struct copy c;

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 size = sizes[i];

		cpu_encrypts(&channel, size);
		memset(secure_plain(&rig, 0), 0x77, min(size + 4, DATA_BYTES));
		c = decryption(size);
		run_copy(&channel, &c);
		assert_memory_equal(secure_plain(&rig, 0), text, size);
		if (size < DATA_BYTES)
			assert_int_equal(secure_plain(&rig, 0)[size], 0x77);

		memset(secure_system(&rig, 0), 0, size);
		c = encryption(size);
		run_copy(&channel, &c);
		assert_int_equal(csl_increment_iv(&channel.csl, CSL_OPERATION_DECRYPT, 1, &iv),
				 NV_OK);
		assert_memory_equal(secure_system(&rig, IV), iv.iv, sizeof(iv.iv));
		assert_int_equal(csl_decrypt(&channel.csl, size, secure_system(&rig, 0), &iv, NULL,
					     0, copied, secure_system(&rig, TAG)),
				 NV_OK);
		assert_memory_equal(copied, text, size);
	}
	assert_int_equal(csl_query_message_pool(&channel.csl, CSL_OPERATION_ENCRYPT, &seed), NV_OK);
	assert_int_equal(seed, 0xffffffffull - ARRAY_SIZE(sizes));
}

/* Without the driver's part: by the key in the slot, and IVs put together by hand. */
static void test_known_answer(void **state)
{
	u8 iv[OS_GCM_IV_SIZE] = { 1 }, masked[OS_GCM_IV_SIZE], wanted[64], tag[OS_GCM_TAG_SIZE];
	struct os_gcm *gcm = os_gcm_create(64);
	struct copy c = encryption(64);
	struct h100_key key;
	u32 i;

	assert_true(h100_keys_get(&rig.h.keys, H100_KEY_SPACE_LCE0 + 1, 3, &key));
	assert_int_equal(os_gcm_set_key(gcm, key.key), NV_OK);
	memcpy(iv + 4, &channel.csl.in.channel, 8);
	unit_fill(&seed, secure_plain(&rig, 0), 64);
	for (u32 message = 1; message < 3; message++) {
		iv[0] = (u8)message;
		for (i = 0; i < sizeof(iv); i++)
			masked[i] = iv[i] ^ key.mask[i];
		assert_int_not_equal(key.mask[0], 0);
		assert_int_equal(os_gcm_encrypt(gcm, masked, NULL, 0, secure_plain(&rig, 0), 64,
						wanted, tag),
				 NV_OK);
		run_copy(&channel, &c);
		assert_memory_equal(secure_system(&rig, 0), wanted, 64);
		assert_memory_equal(secure_system(&rig, TAG), tag, sizeof(tag));
		assert_memory_equal(secure_system(&rig, IV), iv, sizeof(iv));
	}
	os_gcm_destroy(gcm);
}

/* Messages of a channel come in their order, each once; keys of another channel's kind are others.
 */
static void test_order(void **state)
{
	struct secure_channel second;
	struct copy c = decryption(64);
	struct csl_iv iv;
	u8 first[64], tag[16];

	cpu_encrypts(&channel, 64);
	run_copy(&channel, &c);
	memcpy(first, secure_system(&rig, 0), 64);
	memcpy(tag, secure_system(&rig, TAG), 16);
	/* Again: it is not the next one. */
	memset(secure_plain(&rig, 0), 0x31, 64);
	FAILS(&c, INVALID_VALUE);
	assert_int_equal(secure_plain(&rig, 0)[0], 0x31);
	assert_int_equal(secure_plain(&rig, 0)[63], 0x31);
	/* That used up an IV: the driver's next message is not the GPU's. */
	assert_int_equal(csl_increment_iv(&channel.csl, CSL_OPERATION_ENCRYPT, 1, &iv), NV_OK);
	cpu_encrypts(&channel, 64);
	run_copy(&channel, &c);
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
	/* One that the driver left out. */
	assert_int_equal(csl_increment_iv(&channel.csl, CSL_OPERATION_ENCRYPT, 1, &iv), NV_OK);
	cpu_encrypts(&channel, 64);
	FAILS(&c, INVALID_VALUE);
	/* Another channel of the same engine and keys has other IVs. */
	assert_int_equal(secure_channel(&rig, &second, 1, true), NV_OK);
	memcpy(secure_system(&rig, 0), first, 64);
	memcpy(secure_system(&rig, TAG), tag, 16);
	push_copy(&second, &c);
	secure_run_fails(&second, ERROR, NV_PCE_LAUNCHERR_REPORT_INVALID_VALUE);
	secure_channel_end(&second);
}

/* -- What is wrong ----------------------------------------------------------------------------- */

static void test_flips(void **state)
{
	static const u32 places[] = { 0, 1, 17, 4095, 4096, 8000, 8191 };
	struct copy c = decryption(8192);
	u32 i;

	memset(secure_plain(&rig, 0), 0x5a, 8192);
	memset(copied, 0x5a, 8192);
	for (i = 0; i < ARRAY_SIZE(places) + 16; i++) {
		cpu_encrypts(&channel, 8192);
		if (i < ARRAY_SIZE(places))
			secure_system(&rig, 0)[places[i]] ^= (u8)(1u << i % 8);
		else
			secure_system(&rig, TAG)[i - ARRAY_SIZE(places)] ^= (u8)(1u << i % 8);
		FAILS(&c, INVALID_VALUE);
		assert_memory_equal(secure_plain(&rig, 0), copied, 8192);
	}
	/* One byte less or more. */
	cpu_encrypts(&channel, 8192);
	c.size = 8188;
	FAILS(&c, INVALID_VALUE);
	cpu_encrypts(&channel, 8188);
	c.size = 8192;
	FAILS(&c, INVALID_VALUE);
	assert_memory_equal(secure_plain(&rig, 0), copied, 8192);
	cpu_encrypts(&channel, 8192);
	run_copy(&channel, &c);
	assert_memory_equal(secure_plain(&rig, 0), text, 8192);
}

/* What is refused by its looks moves no counter, reads and writes nothing. */
static void test_rules(void **state)
{
	struct copy c;
	u32 i;

	cpu_encrypts(&channel, 64);
	memset(secure_plain(&rig, 0), 0x5a, 256);
	memset(copied, 0x5a, 256);

#define WITH(of, field, value, why) \
	do {                        \
		c = of;             \
		c.field = value;    \
		FAILS(&c, why);     \
	} while (0)
	for (i = 0; i < 2; i++) {
		const struct copy good = i ? encryption(64) : decryption(64);

		WITH(good, size, 0, INVALID_VALUE);
		WITH(good, size, H100_SECURE_MESSAGE_MAX + 4, NO_RESOURCES);
		WITH(good, size, 0xfffffffc, NO_RESOURCES);
		WITH(good, size, 62, INVALID_ALIGNMENT);
		WITH(good, tag, SYSTEM_VA + TAG + 8, INVALID_ALIGNMENT);
		WITH(good, tag, SYSTEM_VA + TAG + 4, INVALID_ALIGNMENT);
		/* Not at a segment of 32 bytes, and in two of them */
		WITH(good, from, good.from + 16, INVALID_ALIGNMENT);
		WITH(good, to, good.to + 16, INVALID_ALIGNMENT);
		c = good;
		c.size = 20;
		c.to += 16;
		FAILS(&c, INVALID_ALIGNMENT);
		/* Not one line as it is */
		WITH(good, launch, LAUNCH & ~REG_MASK(NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT),
		     INVALID_CONFIG);
		WITH(good, launch, LAUNCH & ~REG_MASK(NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT),
		     INVALID_CONFIG);
		WITH(good, launch, LAUNCH | REG_PREP(NVC8B5_LAUNCH_DMA_MULTI_LINE_ENABLE, 1),
		     INVALID_CONFIG);
		WITH(good, launch, LAUNCH | REG_PREP(NVC8B5_LAUNCH_DMA_REMAP_ENABLE, 1),
		     INVALID_CONFIG);
		WITH(good, launch, LAUNCH | REG_PREP(NVC8B5_LAUNCH_DMA_MEMORY_SCRUB_ENABLE, 1),
		     INVALID_CONFIG);
		WITH(good, mode,
		     good.mode | (u32)REG_PREP(NVC8B5_SET_SECURE_COPY_MODE_RESERVED_SRC_TARGET, 1),
		     UNUSED_FIELD);
	}
	WITH(encryption(64), iv, SYSTEM_VA + IV + 8, INVALID_ALIGNMENT);
	assert_memory_equal(secure_plain(&rig, 0), copied, 256);
	c = decryption(64);
	run_copy(&channel, &c);
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
}

/* Within a segment anything goes, by words. */
static void test_small(void **state)
{
	struct copy c;
	u32 at;

	for (at = 0; at <= 20; at += 4) {
		cpu_encrypts(&channel, 12);
		memcpy(copied, secure_system(&rig, 0), 12);
		memcpy(secure_system(&rig, 32 + at), copied, 12);
		memset(secure_plain(&rig, 64), 0x5a, 32);
		c = decryption(12);
		c.from = SYSTEM_VA + 32 + at;
		c.to = DATA_VA + 64 + 20 - at;
		run_copy(&channel, &c);
		assert_memory_equal(secure_plain(&rig, 64 + 20 - at), text, 12);
		assert_int_equal(secure_plain(&rig, 64)[at == 20 ? 12 : 0], 0x5a);
	}
}

static void test_not_secure(void **state)
{
	struct secure_channel plain = { .rig = &rig };
	struct copy c = decryption(64);

	plain.c = host_channel(&rig.h, 1, rig.group);
	assert_int_equal(h100_channel_add_object(plain.c->channel, HOPPER_DMA_COPY_A, NULL), NV_OK);
	push_copy(&plain, &c);
	secure_run_fails(&plain, ERROR, NV_PCE_LAUNCHERR_REPORT_INVALID_CONFIG);
	c = encryption(64);
	push_copy(&plain, &c);
	secure_run_fails(&plain, ERROR, NV_PCE_LAUNCHERR_REPORT_INVALID_CONFIG);
	assert_int_equal(h100_channel_rotate(plain.c->channel, H100_SECURE_DECRYPT,
					     &(struct h100_secure_start){ 0 }),
			 NV_ERR_INVALID_STATE);
	h100_channel_destroy(plain.c->channel);
}

/* -- Addresses --------------------------------------------------------------------------------- */

static void push_modes(u32 source, u32 destination)
{
	push(&channel, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	push(&channel, NVC8B5_SET_SRC_PHYS_MODE, source);
	push(&channel, NVC8B5_SET_DST_PHYS_MODE, destination);
}

#define VIDEO NVC8B5_SET_SRC_PHYS_MODE_TARGET_LOCAL_FB
#define SYSTEM NVC8B5_SET_SRC_PHYS_MODE_TARGET_COHERENT_SYSMEM
#define UNCACHED NVC8B5_SET_SRC_PHYS_MODE_TARGET_NONCOHERENT_SYSMEM
#define PEER NVC8B5_SET_SRC_PHYS_MODE_TARGET_PEERMEM

/* Tag and IV are meant as the ciphertext is. */
static void test_physical(void **state)
{
	struct copy in = decryption(64), out = encryption(64);
	struct csl_iv iv;

	in.from = rig_bus(0);
	in.tag = rig_bus(TAG);
	in.to = DATA_OFFSET;
	in.launch |= SRC_PHYSICAL | DST_PHYSICAL;
	cpu_encrypts(&channel, 64);
	push_modes(SYSTEM, VIDEO);
	run_copy(&channel, &in);
	assert_memory_equal(secure_plain(&rig, 0), text, 64);

	out.to = rig_bus(0);
	out.tag = rig_bus(TAG);
	out.iv = rig_bus(IV);
	out.launch |= DST_PHYSICAL;
	push_modes(PEER, UNCACHED); /* the source is virtual */
	run_copy(&channel, &out);
	assert_int_equal(csl_increment_iv(&channel.csl, CSL_OPERATION_DECRYPT, 1, &iv), NV_OK);
	assert_memory_equal(secure_system(&rig, IV), iv.iv, sizeof(iv.iv));
	assert_int_equal(csl_decrypt(&channel.csl, 64, secure_system(&rig, 0), &iv, NULL, 0, copied,
				     secure_system(&rig, TAG)),
			 NV_OK);
	assert_memory_equal(copied, text, 64);

	/* Ciphertext elsewhere, plaintext elsewhere */
	push_modes(VIDEO, VIDEO);
	FAILS(&in, INVALID_CONFIG);
	push_modes(PEER, VIDEO);
	FAILS(&in, INVALID_CONFIG);
	push_modes(SYSTEM, SYSTEM);
	FAILS(&in, INVALID_CONFIG);
	push_modes(SYSTEM, PEER);
	FAILS(&in, INVALID_CONFIG);
	push_modes(VIDEO, VIDEO);
	FAILS(&out, INVALID_CONFIG);
	out.launch |= SRC_PHYSICAL;
	out.from = rig_bus(0x1000);
	push_modes(SYSTEM, SYSTEM);
	FAILS(&out, INVALID_CONFIG);
}

static void test_unprivileged(void **state)
{
	struct copy in = decryption(64);

	/* Clients' channels have clients' keys, and no physical addresses. */
	cpu_encrypts(&channel, 64);
	run_copy(&channel, &in);
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
	in.launch |= DST_PHYSICAL;
	FAILS(&in, INVALID_OPERATION);
}

static void fails_by_fault(const struct copy *c, u64 va, u32 type, u32 access)
{
	struct h100_fifo_error error;

	push_copy(&channel, c);
	assert_false(secure_run(&channel, &error));
	assert_int_equal(error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_true(error.fault.va == va);
	assert_int_equal(error.fault.type, type);
	assert_int_equal(error.fault.access, access);
	assert_int_equal(error.fault.engine_id, NV_PFAULT_MMU_ENG_ID_CE0 + 3);
	h100_channel_reset(channel.c->channel);
	h100_channel_schedule(channel.c->channel, true);
}

static void test_faults(void **state)
{
	struct copy c;

	/* Plaintext goes to no memory but the GPU's, whatever the tables say. */
	cpu_encrypts(&channel, 64);
	c = decryption(64);
	c.to = SYSTEM_VA + 0x1000;
	fails_by_fault(&c, c.to, H100_FAULT_UNSUPPORTED_APERTURE, H100_ACCESS_WRITE);
	c = encryption(64);
	c.from = SYSTEM_VA + 0x1000;
	fails_by_fault(&c, c.from, H100_FAULT_UNSUPPORTED_APERTURE, H100_ACCESS_READ);
	/* Nothing there: no counter moves. */
	c = decryption(64);
	c.tag = SYSTEM_VA + SYSTEM_BYTES;
	fails_by_fault(&c, c.tag, H100_FAULT_PDE, H100_ACCESS_READ);
	c = decryption(64);
	c.from = SYSTEM_VA + SYSTEM_BYTES;
	fails_by_fault(&c, c.from, H100_FAULT_PDE, H100_ACCESS_READ);
	c = decryption(128);
	c.from = SYSTEM_VA + SYSTEM_BYTES - 64;
	fails_by_fault(&c, SYSTEM_VA + SYSTEM_BYTES, H100_FAULT_PDE, H100_ACCESS_READ);
	cpu_encrypts(&channel, 64);
	c = decryption(64);
	run_copy(&channel, &c);
	c = encryption(64);
	c.iv = SYSTEM_VA + SYSTEM_BYTES;
	fails_by_fault(&c, c.iv, H100_FAULT_PDE, H100_ACCESS_WRITE);
}

/* -- Counters ---------------------------------------------------------------------------------- */

static void test_counters_end(void **state)
{
	const struct h100_secure_start near = { .decrypt = { 0xfe, 0xff, 0xff, 0xff, 7 },
						.encrypt = { 0xfe, 0xff, 0xff, 0xff, 9 } };
	u8 iv[] = { 0xff, 0xff, 0xff, 0xff, 9, 0, 0, 0, 0, 0, 0, 0 };
	struct copy in = decryption(64), out = encryption(64);
	struct csl_iv next;

	assert_int_equal(
		h100_channel_rotate(channel.c->channel,
				    H100_SECURE_DECRYPT | H100_SECURE_ENCRYPT | H100_SECURE_NONCE,
				    &near),
		NV_OK);
	assert_int_equal(h100_channel_rotate(channel.c->channel, H100_SECURE_NONCE, &near),
			 NV_ERR_INVALID_ARGUMENT);
	run_copy(&channel, &out);
	assert_memory_equal(secure_system(&rig, IV), iv, sizeof(iv));
	memset(secure_system(&rig, 0), 0x5a, 64);
	FAILS(&out, NO_RESOURCES);
	FAILS(&out, NO_RESOURCES);
	assert_int_equal(secure_system(&rig, 0)[0], 0x5a);
	/* The last one of the other direction is a wrong message; then there is none. */
	FAILS(&in, INVALID_VALUE);
	FAILS(&in, NO_RESOURCES);
	/* A rotation, from the driver. */
	assert_int_equal(csl_rotate_iv(&channel.csl, CSL_OPERATION_ENCRYPT), NV_OK);
	assert_int_equal(csl_rotate_iv(&channel.csl, CSL_OPERATION_DECRYPT), NV_OK);
	cpu_encrypts(&channel, 64);
	run_copy(&channel, &in);
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
	run_copy(&channel, &out);
	assert_int_equal(csl_increment_iv(&channel.csl, CSL_OPERATION_DECRYPT, 1, &next), NV_OK);
	assert_memory_equal(secure_system(&rig, IV), next.iv, sizeof(next.iv));
}

/* Neither an error nor a reset brings an IV back; a channel with work is not rotated. */
static void test_counters_stay(void **state)
{
	const struct h100_secure_start start = { 0 };
	struct copy c = encryption(64);
	u8 before[12];

	run_copy(&channel, &c);
	memcpy(before, secure_system(&rig, IV), 12);
	c.size = 62;
	FAILS(&c, INVALID_ALIGNMENT);
	c.size = 64;
	run_copy(&channel, &c);
	assert_int_equal(secure_system(&rig, IV)[0], before[0] + 1);
	assert_memory_equal(secure_system(&rig, IV) + 1, before + 1, 11);
	push_copy(&channel, &c);
	host_end(&rig.h, channel.c);
	host_put(&rig.h, channel.c);
	assert_int_equal(h100_channel_rotate(channel.c->channel, H100_SECURE_ENCRYPT, &start),
			 NV_ERR_INVALID_STATE);
	host_ring(&rig.h, channel.c);
	h100_fifo_run(rig.h.fifo);
	assert_int_equal(secure_system(&rig, IV)[0], before[0] + 2);
}

/* -- Memory that others write to --------------------------------------------------------------- */

static u32 changing; /* atomic */

static void *changer(void *arg)
{
	u8 *at = secure_system(&rig, 0x5000);

	while (os_load_acquire(&changing) != 0) {
		__atomic_fetch_xor(at, 0x10, __ATOMIC_RELAXED);
		sched_yield();
		__atomic_fetch_xor(at, 0x10, __ATOMIC_RELAXED);
		sched_yield();
	}
	return NULL;
}

/* What the host changes at the wrong moment is found out, and never half of it: all or nothing. */
static void test_changing(void **state)
{
	struct copy c = decryption(0x8000);
	u32 good = 0, bad = 0;
	struct h100_fifo_error error;
	pthread_t thread;

#if defined(__SANITIZE_THREAD__)
	skip(); /* the race is the point */
#endif
	os_store_release(&changing, 1);
	assert_int_equal(pthread_create(&thread, NULL, changer, NULL), 0);
	for (u32 i = 0; i < 400; i++) {
		cpu_encrypts(&channel, 0x8000);
		memset(secure_plain(&rig, 0), 0x5a, 0x8000);
		push_copy(&channel, &c);
		if (secure_run(&channel, &error)) {
			assert_memory_equal(secure_plain(&rig, 0), text, 0x8000);
			good++;
			continue;
		}
		assert_int_equal(error.code, ERROR);
		assert_int_equal(error.info, NV_PCE_LAUNCHERR_REPORT_INVALID_VALUE);
		memset(copied, 0x5a, 0x8000);
		assert_memory_equal(secure_plain(&rig, 0), copied, 0x8000);
		bad++;
		h100_channel_reset(channel.c->channel);
		h100_channel_schedule(channel.c->channel, true);
	}
	os_store_release(&changing, 0);
	pthread_join(thread, NULL);
	assert_int_equal(good + bad, 400);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static void test_no_allocation(void **state)
{
	struct os_user_alloc_stats before, after;
	struct copy c = encryption(0x10000);
	u64 of_library;

	run_copy(&channel, &c);
	cpu_encrypts(&channel, 0x10000);
	os_user_alloc_stats(&before);
	of_library = library_allocations;
	c = decryption(0x10000);
	run_copy(&channel, &c);
	c = encryption(0x10000);
	run_copy(&channel, &c);
	os_user_alloc_stats(&after);
	assert_int_equal(after.total, before.total);
	assert_int_equal(library_allocations, of_library);
}

/* In confidential mode such a channel takes its methods from the GPU's memory alone. */
static void test_own_memory(void **state)
{
	const u64 pushbuffer = SYSTEM_VA + 0x100000;
	const u32 length = (u32)REG_PREP(NVC86F_GP_ENTRY1_LENGTH, 4);
	struct copy c = encryption(0x1000);
	struct h100_fifo_error error;

	memset(secure_system(&rig, 0x100000), 0, 16); /* no-ops */
	host_entry(&rig.h, channel.c, bits_low32(pushbuffer), bits_high32(pushbuffer) | length);
	host_word(&rig.h, channel.c, 0);
	rig.h.rig.memory.confidential = false;
	assert_true(secure_run(&channel, &error));
	rig.h.rig.memory.confidential = true;
	host_entry(&rig.h, channel.c, bits_low32(pushbuffer), bits_high32(pushbuffer) | length);
	host_word(&rig.h, channel.c, 0);
	secure_run_fails(&channel, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT, 0);
	/* from where it belongs it goes on */
	run_copy(&channel, &c);
}

static enum nv_status channel_comes_and_goes(void)
{
	struct h100_channel_config config = host_channel_config(&rig.h, 2, rig.group);
	struct host_channel *c;
	enum nv_status status;

	config.secure = true;
	status = host_channel_make(&rig.h, &config, &c);
	if (status == NV_OK)
		h100_channel_destroy(c->channel);
	return status;
}

static void test_no_memory(void **state)
{
	secure_channel_end(&channel); /* the last user of the runlist's buffer */
	fail_each_of(channel_comes_and_goes, 0);
	assert_int_equal(secure_channel(&rig, &channel, 0, true), NV_OK);
}

static void test_no_keys(void **state)
{
	struct h100_channel_config config = host_channel_config(&rig.h, 2, rig.group);
	struct h100_channel *made;

	config.secure = true;
	h100_keys_wipe(&rig.h.keys);
	assert_int_equal(h100_channel_create(rig.h.fifo, &config, &made), NV_ERR_INVALID_STATE);
	/* Graphics, and the copy engines beside it, have none. */
	config.group = host_group(&rig.h, 0);
	assert_int_equal(h100_channel_create(rig.h.fifo, &config, &made), NV_ERR_INVALID_ARGUMENT);
	assert_null(made);
}

#define KERNEL(name) cmocka_unit_test_setup_teardown(name, open_kernel, close_rig)
#define USER(name) cmocka_unit_test_setup_teardown(name, open_user, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL(test_messages),	    USER(test_messages),     KERNEL(test_known_answer),
		KERNEL(test_order),	    KERNEL(test_flips),	     KERNEL(test_rules),
		USER(test_small),	    KERNEL(test_not_secure), KERNEL(test_physical),
		USER(test_unprivileged),    KERNEL(test_faults),     KERNEL(test_counters_end),
		KERNEL(test_counters_stay), KERNEL(test_changing),   KERNEL(test_no_allocation),
		KERNEL(test_own_memory),    KERNEL(test_no_memory),  KERNEL(test_no_keys),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
