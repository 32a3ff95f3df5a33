// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * SEC2's class on secure channels: signed streams of methods with a CSL context that signs them,
 * decryption, scrubbing and semaphores, and each of the errors that it can report.
 */
#include <pthread.h>

#include "base/bits.h"
#include "os_crypto.h"
#include "secure_rig.h"

#define MAC 0x180200u /* in system memory */
#define TAG 0x180000u
#define SEMAPHORE 0x80000u /* in the data page */
#define SUBCHANNEL 1u
#define STREAM_MAX 80u

static struct secure_rig rig;
static struct secure_channel channel;
static u64 seed;
static u8 text[0x200000];

/* A stream of methods as it is signed and as it is pushed. */
static struct {
	u32 words[STREAM_MAX][2];
	u32 count;
} stream;

static int open_kernel(void **state)
{
	seed = 17;
	secure_open(&rig, NV2080_ENGINE_TYPE_SEC2, false);
	return secure_channel(&rig, &channel, 0, true) == NV_OK ? 0 : -1;
}

static int open_user(void **state)
{
	seed = 18;
	secure_open(&rig, NV2080_ENGINE_TYPE_SEC2, false);
	return secure_channel(&rig, &channel, 0, false) == NV_OK ? 0 : -1;
}

static int close_rig(void **state)
{
	secure_channel_end(&channel);
	secure_close(&rig);
	return 0;
}

/* -- Streams ----------------------------------------------------------------------------------- */

static void add(u32 method, u64 data)
{
	assert_true(stream.count < STREAM_MAX);
	stream.words[stream.count][0] = method;
	stream.words[stream.count][1] = (u32)data;
	stream.count++;
}

static void add_address(u32 upper, u64 address)
{
	add(upper, bits_high32(address));
	add(upper + 4, bits_low32(address));
}

static void sign(void)
{
	assert_int_equal(csl_sign(&channel.csl, stream.count * 8, (const u8 *)stream.words,
				  secure_system(&rig, MAC)),
			 NV_OK);
}

/* The method that is changed says nothing of what was signed. */
static void push(void)
{
	for (u32 i = 0; i < stream.count; i++)
		host_do(&rig.h, channel.c, SUBCHANNEL, stream.words[i][0], stream.words[i][1]);
	stream.count = 0;
}

static void run(void)
{
	struct h100_fifo_error error;

	push();
	if (!secure_run(&channel, &error))
		fail_msg("error %u, report %u", error.code, error.info);
}

#define FAILS(why)                                                                         \
	do {                                                                               \
		push();                                                                    \
		secure_run_fails(&channel, ROBUST_CHANNEL_SEC2_ERROR, NVCBA2_ERROR_##why); \
	} while (0)

static void add_semaphore(u32 offset, u64 payload)
{
	add_address(NVCBA2_SEMAPHORE_A, DATA_VA + offset);
	add(NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER, payload);
}

/* As r535's unified memory pushes a release. */
static void add_release(u32 offset, u32 payload)
{
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
	add_semaphore(offset, payload);
	add(NVCBA2_SEMAPHORE_D, 0);
}

/* And a decryption. */
static void add_decryption(u64 from, u64 to, u32 size, u64 tag)
{
	add_address(NVCBA2_DECRYPT_COPY_SRC_ADDR_HI, from);
	add_address(NVCBA2_DECRYPT_COPY_DST_ADDR_HI, to);
	add(NVCBA2_DECRYPT_COPY_SIZE, size);
	add_address(NVCBA2_DECRYPT_COPY_AUTH_TAG_ADDR_HI, tag);
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
}

static void cpu_encrypts(u32 size)
{
	unit_fill(&seed, text, size);
	assert_int_equal(csl_encrypt(&channel.csl, size, text, NULL, NULL, 0,
				     secure_system(&rig, 0), secure_system(&rig, TAG)),
			 NV_OK);
}

/* -- What works -------------------------------------------------------------------------------- */

static void test_semaphores(void **state)
{
	u32 vector = h100_engines_find(&rig.h.engines, rig.engine)->nonstall_vector;
	u64 *at = (u64 *)secure_plain(&rig, SEMAPHORE);

	at[0] = ~0ull;
	add_release(SEMAPHORE, 0x11223344);
	sign();
	run();
	assert_true(at[0] == 0xffffffff11223344);
	/* A long one with the time, and an interrupt; SET_OBJECT is signed like all else. */
	add(NVC86F_SET_OBJECT, HOPPER_SEC2_WORK_LAUNCH_A);
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
	add_semaphore(SEMAPHORE, 0x55667788);
	add(NVCBA2_SET_SEMAPHORE_PAYLOAD_UPPER, 0x99);
	add(NVCBA2_SEMAPHORE_D, REG_PREP(NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE, 1) |
					REG_PREP(NVCBA2_SEMAPHORE_D_TIMESTAMP, 1) |
					REG_PREP(NVCBA2_SEMAPHORE_D_NOTIFY_INTR, 1));
	sign();
	run();
	assert_true(at[0] == 0x9955667788);
	assert_int_not_equal(at[1], 0);
	assert_int_equal(rig.h.raised[vector], 1);
}

static void test_decryption(void **state)
{
	static const u32 sizes[] = { 4, 16, 100, 4096, 5000, 0x40000 };
	u64 *at = (u64 *)secure_plain(&rig, SEMAPHORE);

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		cpu_encrypts(sizes[i]);
		secure_plain(&rig, 16)[sizes[i]] = 0x5a;
		add_decryption(SYSTEM_VA, DATA_VA + 16, sizes[i], SYSTEM_VA + TAG);
		add(NVCBA2_EXECUTE, 0);
		sign();
		run();
		assert_memory_equal(secure_plain(&rig, 16), text, sizes[i]);
		assert_int_equal(secure_plain(&rig, 16)[sizes[i]], 0x5a);
	}
	/* With semaphores of its own, before and after. */
	for (u32 on_end = 0; on_end < 2; on_end++) {
		cpu_encrypts(64);
		add_decryption(SYSTEM_VA, DATA_VA, 64, SYSTEM_VA + TAG);
		add_semaphore(SEMAPHORE, 70 + on_end);
		add(NVCBA2_EXECUTE, REG_PREP(NVCBA2_EXECUTE_NOTIFY, 1) |
					    REG_PREP(NVCBA2_EXECUTE_NOTIFY_ON, !on_end) |
					    REG_PREP(NVCBA2_EXECUTE_NOTIFY_INTR, 1));
		sign();
		run();
		assert_int_equal((u32)at[0], 70 + on_end);
		assert_memory_equal(secure_plain(&rig, 0), text, 64);
	}
	/* As many methods as there may be. */
	cpu_encrypts(64);
	while (stream.count < 64 - 10)
		add(NVCBA2_DECRYPT_COPY_SIZE, stream.count);
	add_decryption(SYSTEM_VA, DATA_VA, 64, SYSTEM_VA + TAG);
	add(NVCBA2_EXECUTE, 0);
	assert_int_equal(stream.count, 64);
	sign();
	run();
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
}

static void add_scrub(u64 address, u32 size)
{
	add_address(NVCBA2_DECRYPT_COPY_DST_ADDR_HI, address);
	add(NVCBA2_DECRYPT_COPY_SIZE, size);
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
	add(NVCBA2_EXECUTE, REG_PREP(NVCBA2_EXECUTE_PHYSICAL_SCRUBBER, 1));
	sign();
}

static void test_scrub(void **state)
{
	u64 video = rig.h.rig.memory.video_bytes;
	u8 *at = secure_plain(&rig, 0);

	memset(at, 0x5a, 0x100000);
	add_scrub(DATA_OFFSET + 16, 0xf0000);
	run();
	assert_int_equal(at[15], 0x5a);
	assert_true(all_zero(at + 16, 0xf0000));
	assert_int_equal(at[16 + 0xf0000], 0x5a);
	add_scrub(video, 16);
	FAILS(SCRUBBER_INVALD_ADDRESS);
	add_scrub(video - 16, 32);
	FAILS(SCRUBBER_INVALD_ADDRESS);
	add_scrub(0x1000000000000, 32);
	FAILS(SCRUBBER_INVALD_ADDRESS);
	add_scrub(0, NVCBA2_DECRYPT_SCRUB_SIZE_MAX_BYTES + 4);
	FAILS(SCRUB_SIZE_MAX_EXCEEDED);
	add_scrub(8, 32);
	FAILS(DECRYPT_COPY_DEST_ADDR_MISALIGNED_POINTER);
	add_scrub(16, 30);
	FAILS(MISALIGNED_SIZE);
}

static void test_scrub_of_a_client(void **state)
{
	memset(secure_plain(&rig, 0), 0x5a, 64);
	add_scrub(DATA_OFFSET, 64);
	FAILS(SCRUBBER_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(secure_plain(&rig, 0)[0], 0x5a);
}

/* A scrub that its channel is taken off from goes on where it was, and is not signed again. */
static void test_scrub_stopped(void **state)
{
	u8 *at = secure_plain(&rig, 0);
	struct h100_fifo_error error;
	u32 runs = 0;

	assert_int_equal(h100_group_set_timeslice(rig.group, 1), NV_OK);
	memset(at, 0x5a, 0x80000 - 16);
	memset(rig.h.rig.video + 0x100000, 0x5a, 0x600000);
	add_scrub(0x100000, 0x600000);
	push();
	host_end(&rig.h, channel.c);
	host_submit(&rig.h, channel.c);
	while (h100_fifo_run_for(rig.h.fifo, 1))
		runs++;
	assert_false(h100_fifo_error_take(rig.h.fifo, &error));
	assert_true(all_zero(rig.h.rig.video + 0x100000, 0x600000));
	assert_true(runs > 3);
	assert_int_equal(at[0], 0x5a);
	add_release(SEMAPHORE, 5);
	sign();
	run();
	assert_int_equal(*(u32 *)secure_plain(&rig, SEMAPHORE), 5);
}

/* -- What does not ----------------------------------------------------------------------------- */

static void unchanged(void)
{
	for (u32 i = 0; i < 64; i++)
		assert_int_equal(secure_plain(&rig, 0)[i], 0x5a);
	assert_int_equal(*(u32 *)secure_plain(&rig, SEMAPHORE), 0);
}

/* Each bit of what is signed counts, and what is not signed does nothing. */
static void test_signatures(void **state)
{
	u32 i;

	memset(secure_plain(&rig, 0), 0x5a, 64);
	for (i = 0; i < 32; i += 5) {
		add_release(SEMAPHORE, 1);
		sign();
		secure_system(&rig, MAC)[i] ^= (u8)(1u << i % 8);
		FAILS(METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
	}
	/* One word of another value, and one method more, which would change nothing. */
	add_release(SEMAPHORE, 1);
	sign();
	stream.words[4][1] ^= 2;
	FAILS(METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
	add_release(SEMAPHORE, 1);
	sign();
	host_do(&rig.h, channel.c, SUBCHANNEL, NVCBA2_DECRYPT_COPY_SIZE, 4);
	FAILS(METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
	add_release(SEMAPHORE, 1);
	sign();
	host_do(&rig.h, channel.c, SUBCHANNEL, NVC86F_SET_OBJECT, HOPPER_SEC2_WORK_LAUNCH_A);
	FAILS(METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
	unchanged();
	/* Once; not again. */
	add_release(SEMAPHORE, 1);
	sign();
	run();
	*(u32 *)secure_plain(&rig, SEMAPHORE) = 0;
	add_release(SEMAPHORE, 1);
	FAILS(METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
	unchanged();
	/* That used up the nonce of the next one. */
	add_release(SEMAPHORE, 1);
	sign();
	add_release(SEMAPHORE, 1);
	stream.count = 6;
	FAILS(METHOD_STREAM_AUTH_TAG_CHECK_FAILURE);
}

static void test_missing(void **state)
{
	memset(secure_plain(&rig, 0), 0x5a, 64);
	/* No signature at all */
	add_semaphore(SEMAPHORE, 1);
	add(NVCBA2_SEMAPHORE_D, 0);
	FAILS(MISSING_METHODS);
	add(NVCBA2_EXECUTE, 0);
	FAILS(MISSING_METHODS);
	/* Signed, and with nothing to do it with: those of a stream before do not count. */
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
	add(NVCBA2_SEMAPHORE_D, 0);
	sign();
	FAILS(MISSING_METHODS);
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC);
	add(NVCBA2_EXECUTE, 0);
	sign();
	FAILS(MISSING_METHODS);
	cpu_encrypts(64);
	add_decryption(SYSTEM_VA, DATA_VA, 64, SYSTEM_VA + TAG);
	add(NVCBA2_EXECUTE, REG_PREP(NVCBA2_EXECUTE_NOTIFY, 1));
	sign();
	FAILS(MISSING_METHODS);
	add_release(SEMAPHORE, 1);
	stream.words[stream.count - 1][1] = (u32)REG_PREP(NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE, 1);
	sign();
	FAILS(MISSING_METHODS);
	/* No such method */
	add(NVCBA2_EXECUTE + 4, 0);
	FAILS(MISSING_METHODS);
	add(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_LO + 4, 0);
	FAILS(MISSING_METHODS);
	for (u32 i = 0; i < 65; i++)
		add(NVCBA2_DECRYPT_COPY_SIZE, i);
	FAILS(BUFFER_OVERFLOW);
	unchanged();
}

static void decryption_fails(u64 from, u64 to, u32 size, u64 tag, u32 why)
{
	add_decryption(from, to, size, tag);
	add(NVCBA2_EXECUTE, 0);
	sign();
	push();
	secure_run_fails(&channel, ROBUST_CHANNEL_SEC2_ERROR, why);
	unchanged();
}

static void test_rules(void **state)
{
	const u64 from = SYSTEM_VA, to = DATA_VA, tag = SYSTEM_VA + TAG;

	memset(secure_plain(&rig, 0), 0x5a, 64);
	cpu_encrypts(64);
	decryption_fails(from + 8, to, 64, tag,
			 NVCBA2_ERROR_DECRYPT_COPY_SRC_ADDR_MISALIGNED_POINTER);
	decryption_fails(from, to + 4, 64, tag,
			 NVCBA2_ERROR_DECRYPT_COPY_DEST_ADDR_MISALIGNED_POINTER);
	decryption_fails(from, to, 64, tag + 8,
			 NVCBA2_ERROR_DECRYPT_COPY_AUTH_TAG_ADDR_MISALIGNED_POINTER);
	decryption_fails(from, to, 62, tag, NVCBA2_ERROR_MISALIGNED_SIZE);
	decryption_fails(from, to, 0, tag, NVCBA2_ERROR_MISALIGNED_SIZE);
	decryption_fails(from, to, NVCBA2_DECRYPT_COPY_SIZE_MAX_BYTES + 4, tag,
			 NVCBA2_ERROR_DECRYPT_SIZE_MAX_EXCEEDED);
	/* None of them used up an IV. */
	add_decryption(from, to, 64, tag);
	add(NVCBA2_EXECUTE, 0);
	sign();
	run();
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
	memset(secure_plain(&rig, 0), 0x5a, 64);
	cpu_encrypts(64);
	secure_system(&rig, 0)[63] ^= 0x80;
	decryption_fails(from, to, 64, tag, NVCBA2_ERROR_DECRYPT_COPY_AUTH_TAG_MISMATCH);
	cpu_encrypts(64);
	secure_system(&rig, TAG)[15] ^= 1;
	decryption_fails(from, to, 64, tag, NVCBA2_ERROR_DECRYPT_COPY_AUTH_TAG_MISMATCH);
	/* The signature's own address, and a semaphore's */
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + MAC + 8);
	add_semaphore(SEMAPHORE, 1);
	add(NVCBA2_SEMAPHORE_D, 0);
	FAILS(METHOD_STREAM_AUTH_TAG_ADDR_MISALIGNED_POINTER);
	add_release(SEMAPHORE + 8, 1);
	stream.words[stream.count - 1][1] = (u32)REG_PREP(NVCBA2_SEMAPHORE_D_TIMESTAMP, 1);
	sign();
	FAILS(SEMAPHORE_RELEASE_DMA_NACK);
	unchanged();
}

static void test_faults(void **state)
{
	struct h100_fifo_error error;

	add_decryption(SYSTEM_VA, SYSTEM_VA + 0x10000, 64, SYSTEM_VA + TAG);
	cpu_encrypts(64);
	add(NVCBA2_EXECUTE, 0);
	sign();
	push();
	assert_false(secure_run(&channel, &error));
	assert_int_equal(error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_int_equal(error.fault.type, H100_FAULT_UNSUPPORTED_APERTURE);
	assert_int_equal(error.fault.client, NV_PFAULT_CLIENT_HUB_SEC);
	h100_channel_reset(channel.c->channel);
	h100_channel_schedule(channel.c->channel, true);
	add_address(NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, SYSTEM_VA + SYSTEM_BYTES);
	add(NVCBA2_SEMAPHORE_D, 0);
	push();
	assert_false(secure_run(&channel, &error));
	assert_int_equal(error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_true(error.fault.va == SYSTEM_VA + SYSTEM_BYTES);
	h100_channel_reset(channel.c->channel);
	h100_channel_schedule(channel.c->channel, true);
}

/* What a stopped channel had of a stream is gone with its reset. */
static void test_reset(void **state)
{
	add(NVCBA2_DECRYPT_COPY_SIZE, 64);
	run();
	h100_channel_reset(channel.c->channel);
	h100_channel_schedule(channel.c->channel, true);
	add_release(SEMAPHORE, 3);
	sign();
	run();
	assert_int_equal(*(u32 *)secure_plain(&rig, SEMAPHORE), 3);
}

static void test_counters_end(void **state)
{
	struct h100_secure_start near = { .decrypt = { 0xff, 0xff, 0xff, 0xff, 7 } };

	memset(near.nonce, 0xff, 24);
	assert_int_equal(h100_channel_rotate(channel.c->channel, H100_SECURE_DECRYPT, &near),
			 NV_OK);
	memset(secure_plain(&rig, 0), 0x5a, 64);
	cpu_encrypts(64);
	decryption_fails(SYSTEM_VA, DATA_VA, 64, SYSTEM_VA + TAG, NVCBA2_ERROR_IV_OVERFLOW);
	assert_int_equal(h100_channel_rotate(channel.c->channel, H100_SECURE_NONCE, &near), NV_OK);
	add_release(SEMAPHORE, 1);
	sign();
	FAILS(NONCE_OVERFLOW);
	unchanged();
	assert_int_equal(h100_channel_rotate(channel.c->channel, H100_SECURE_ENCRYPT, &near),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(csl_rotate_iv(&channel.csl, CSL_OPERATION_ENCRYPT), NV_OK);
	assert_int_equal(csl_rotate_iv(&channel.csl, CSL_OPERATION_DECRYPT), NV_OK);
	cpu_encrypts(64);
	add_decryption(SYSTEM_VA, DATA_VA, 64, SYSTEM_VA + TAG);
	add(NVCBA2_EXECUTE, 0);
	sign();
	run();
	assert_memory_equal(secure_plain(&rig, 0), text, 64);
}

/* A nonce carries into its next words. */
static void test_nonce_carries(void **state)
{
	struct h100_secure_start near = { 0 };

	memset(near.nonce, 0xff, 16);
	near.nonce[16] = 4;
	near.nonce[24] = 9;
	assert_int_equal(h100_channel_rotate(channel.c->channel, H100_SECURE_NONCE, &near), NV_OK);
	channel.csl.nonce[0] = channel.csl.nonce[1] = 0;
	channel.csl.nonce[2] = 5;
	channel.csl.nonce[3] = 9;
	channel.csl.nonce[0]--;
	channel.csl.nonce[1]--;
	channel.csl.nonce[2]--;
	add_release(SEMAPHORE, 8);
	sign();
	run();
	assert_int_equal(*(u32 *)secure_plain(&rig, SEMAPHORE), 8);
}

/* Without keys it is as it was: nothing is signed, nothing decrypted. */
static void test_not_secure(void **state)
{
	struct secure_channel plain = { .rig = &rig };
	struct h100_fifo_error error;
	u32 i;

	plain.c = host_channel(&rig.h, 1, rig.group);
	assert_int_equal(h100_channel_add_object(plain.c->channel, HOPPER_SEC2_WORK_LAUNCH_A, NULL),
			 NV_OK);
	add(NVC86F_SET_OBJECT, HOPPER_SEC2_WORK_LAUNCH_A);
	add_semaphore(SEMAPHORE, 6);
	add(NVCBA2_SEMAPHORE_D, 0);
	for (i = 0; i < stream.count; i++)
		host_do(&rig.h, plain.c, SUBCHANNEL, stream.words[i][0], stream.words[i][1]);
	stream.count = 0;
	assert_true(secure_run(&plain, &error));
	assert_int_equal(*(u32 *)secure_plain(&rig, SEMAPHORE), 6);
	add_decryption(SYSTEM_VA, DATA_VA, 64, SYSTEM_VA + TAG);
	add(NVCBA2_EXECUTE, 0);
	for (i = 0; i < stream.count; i++)
		host_do(&rig.h, plain.c, SUBCHANNEL, stream.words[i][0], stream.words[i][1]);
	stream.count = 0;
	secure_run_fails(&plain, ROBUST_CHANNEL_SEC2_ERROR, NVCBA2_ERROR_INTERNAL_SETUP_FAILURE);
	h100_channel_destroy(plain.c->channel);
}

#define KERNEL(name) cmocka_unit_test_setup_teardown(name, open_kernel, close_rig)
#define USER(name) cmocka_unit_test_setup_teardown(name, open_user, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL(test_semaphores),    USER(test_semaphores),
		KERNEL(test_decryption),    USER(test_decryption),
		KERNEL(test_scrub),	    USER(test_scrub_of_a_client),
		KERNEL(test_scrub_stopped), KERNEL(test_signatures),
		KERNEL(test_missing),	    USER(test_rules),
		KERNEL(test_faults),	    KERNEL(test_reset),
		KERNEL(test_counters_end),  KERNEL(test_nonce_carries),
		KERNEL(test_not_secure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
