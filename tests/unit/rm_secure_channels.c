// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secure channels as clients make them on a GPU in confidential mode: key material that is the
 * GPU's too, rotations that reach it, contexts of the driver's own, and what is refused. Both ends
 * are real; a message goes from the one to the other past the engine's methods, which
 * engine_secure.c and engine_sec2.c test.
 */
#include "base/bits.h"
#include "h100/engine/fifo.h"
#include "h100/gsp/gpu.h"
#include "os/crypto.h"
#include "rm/api/api.h"
#include "rm/cc/csl.h"
#include "rm/class/channel.h"
#include "rm/class/channel_secure.h"
#include "rm_host.h"
#include "unit.h"

#define COMPUTE 0xcb01u
#define SPACE 0xe0u
#define MEMORY 0xe1u
#define CHANNEL 0x100u
#define TEXT 64u

#define ASK(object, cmd, p) host_ask(object, cmd, &(p), sizeof(p))

static void make_base(void)
{
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_ALLOCATION_PARAMS memory = { .owner = 1, .size = 1u << 20 };

	host_program.client = host_client(host_program.ctl);
	assert_int_equal(host_make(host_program.client, HOST_DEVICE, NV01_DEVICE_0, &device),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, HOST_SUBDEVICE, NV20_SUBDEVICE_0, &subdevice),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &memory), NV_OK);
}

static int start_with(enum h100_cc cc)
{
	const struct fixture_gpu_config like = { .cc = cc };
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE_PARAMS ready = { true };
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS compute = { 0 };

	os_user_set_tee(cc == H100_CC_OFF ? OS_TEE_NONE : OS_TEE_TDX);
	host_start_like(1, &like);
	host_be(true);
	host_program.gpu = host_open(RM_NODE_GPU, 0);
	host_program.ctl = host_open(RM_NODE_CONTROL, 0);
	assert_true(host_program.gpu >= 0 && host_program.ctl >= 0);
	make_base();
	if (cc == H100_CC_OFF)
		return 0;
	compute.hClient = host_program.client;
	assert_int_equal(host_make(host_program.client, COMPUTE, NV_CONFIDENTIAL_COMPUTE, &compute),
			 NV_OK);
	assert_int_equal(ASK(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, ready),
			 NV_OK);
	return 0;
}

static int start(void **state)
{
	return start_with(H100_CC_ON);
}

static int start_off(void **state)
{
	return start_with(H100_CC_OFF);
}

static int end(void **state)
{
	int rc = host_end(state);

	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

/* The n-th channel, alone in its group. */
static u32 make_channel(u32 n, u32 engine, bool secure)
{
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = 0x200600000ull + 0x3000ull * n,
		.gpFifoEntries = 0x400,
		.hVASpace = SPACE,
		.hUserdMemory = { MEMORY },
		.userdOffset = { 0x2000 + 0x3000ull * n },
		.engineType = engine,
	};

	if (secure)
		p.flags = (u32)REG_PREP(NVOS04_FLAGS_CC_SECURE, NVOS04_FLAGS_CC_SECURE_TRUE);
	return host_make(HOST_DEVICE, CHANNEL + n, HOPPER_CHANNEL_GPFIFO_A, &p);
}

/* What is live, once all is there that the first channel leaves behind. */
static u64 live_before(void)
{
	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY2, true), NV_OK);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	return unit_live_settled();
}

/* The GPU's end of it, which does nothing by itself meanwhile. */
static struct h100_secure *gpu_end(u32 handle)
{
	struct rm_channel *channel = host_channel(handle);
	struct h100_fifo *fifo = host.gpus[0].model->fifo;
	struct h100_channel *end =
		fifo->channels[channel->runlist * H100_CHANNELS_PER_RUNLIST + channel->chid];

	assert_non_null(end);
	assert_non_null(end->secure);
	return end->secure;
}

static CC_KMB material_of(u32 handle)
{
	NVC56F_CTRL_CMD_GET_KMB_PARAMS p = { 0 };

	assert_int_equal(ASK(handle, NVC56F_CTRL_CMD_GET_KMB, p), NV_OK);
	return p.kmb;
}

/* -- A client's own cryptography --------------------------------------------------------------- */

static struct os_gcm *gcm_of(const CC_AES_CRYPTOBUNDLE *bundle)
{
	struct os_gcm *gcm = os_gcm_create(TEXT);

	assert_int_equal(os_gcm_set_key(gcm, (const u8 *)bundle->key), NV_OK);
	return gcm;
}

/* Of the n-th message, with the mask. */
static void iv_of(const CC_AES_CRYPTOBUNDLE *bundle, u32 n, u8 iv[12])
{
	u32 words[3] = { bundle->iv[0] + n, bundle->iv[1], bundle->iv[2] };

	for (u32 i = 0; i < 3; i++)
		words[i] ^= bundle->ivMask[i];
	memcpy(iv, words, sizeof(words));
}

static enum nv_status send(struct h100_secure *to, const CC_AES_CRYPTOBUNDLE *bundle, u32 n)
{
	u8 text[TEXT], message[TEXT], tag[16], iv[12];
	struct os_gcm *gcm = gcm_of(bundle);
	enum nv_status status;

	memset(text, (int)n, sizeof(text));
	iv_of(bundle, n, iv);
	assert_int_equal(os_gcm_encrypt(gcm, iv, NULL, 0, text, TEXT, message, tag), NV_OK);
	os_gcm_destroy(gcm);
	status = h100_secure_decrypt(to, message, TEXT, tag);
	if (status == NV_OK)
		assert_memory_equal(message, text, TEXT);
	return status;
}

static enum nv_status receive(struct h100_secure *from, const CC_AES_CRYPTOBUNDLE *bundle, u32 n)
{
	u8 message[TEXT], tag[16], iv[12], told[12];
	struct os_gcm *gcm = gcm_of(bundle);
	enum nv_status status;

	memset(message, 0x42, sizeof(message));
	assert_int_equal(h100_secure_encrypt(from, message, TEXT, tag, told), NV_OK);
	iv_of(bundle, n, iv);
	status = os_gcm_decrypt(gcm, iv, NULL, 0, message, TEXT, message, tag);
	os_gcm_destroy(gcm);
	return status;
}

static enum nv_status sign(struct h100_secure *to, const CC_HMAC_CRYPTOBUNDLE *bundle, u32 n)
{
	u8 data[8 + 32] = { 1, 2, 3 }, mac[32];
	u32 nonce[8];

	memcpy(nonce, bundle->nonce, sizeof(nonce));
	nonce[0] += n;
	memcpy(data + 8, nonce, sizeof(nonce));
	assert_int_equal(
		os_hmac_mac(OS_SHA256, bundle->key, sizeof(bundle->key), data, sizeof(data), mac),
		NV_OK);
	return h100_secure_verify(to, data, 8, mac);
}

/* -- Tests ------------------------------------------------------------------------------------- */

static void test_off(void **state)
{
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS rotate = { 0 };
	NVC56F_CTRL_CMD_GET_KMB_PARAMS kmb = { 0 };
	struct csl_context csl = { 0 };

	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY2, true), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY2, false), NV_OK);
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_CMD_GET_KMB, kmb), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, rotate),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(rm_channel_csl_init(host_channel(CHANNEL), &csl), NV_ERR_INVALID_STATE);
	rm_channel_csl_deinit(host_channel(CHANNEL), &csl);
}

static void test_refused(void **state)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE_PARAMS ready = { false };
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS rotate = { 0 };
	NVC56F_CTRL_CMD_GET_KMB_PARAMS kmb = { 0 };
	struct csl_context csl = { 0 };
	u64 held = 0;

	/* Graphics has no keys, nor have the copy engines beside it. Once more leaves nothing. */
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_GR0, true),
				 NV_ERR_INVALID_PARAMETER);
		assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY0, true),
				 NV_ERR_INVALID_PARAMETER);
		if (i == 0)
			held = live_before();
	}
	assert_int_equal(ASK(COMPUTE, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, ready),
			 NV_OK);
	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY2, true), NV_ERR_NOT_READY);
	assert_true(unit_live_becomes(held));
	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY2, false), NV_OK);
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_CMD_GET_KMB, kmb), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, rotate),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(rm_channel_csl_init(host_channel(CHANNEL), &csl), NV_ERR_INVALID_CHANNEL);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	assert_true(unit_live_becomes(held));
}

/* What the client was told is what the GPU has, on every engine that has keys. */
static void test_material(void **state)
{
	u32 n;

	for (n = 0; n < 8; n++) {
		CC_KMB kmb, again;
		struct h100_secure *gpu;

		assert_int_equal(make_channel(n, NV2080_ENGINE_TYPE_COPY2 + n, true), NV_OK);
		kmb = material_of(CHANNEL + n);
		again = material_of(CHANNEL + n);
		assert_memory_equal(&kmb, &again, sizeof(kmb));
		gpu = gpu_end(CHANNEL + n);
		assert_int_equal(kmb.bIsWorkLaunch, false);
		assert_int_equal(kmb.encryptBundle.iv[0], 0);
		assert_int_equal(send(gpu, &kmb.encryptBundle, 1), NV_OK);
		assert_int_equal(send(gpu, &kmb.encryptBundle, 2), NV_OK);
		assert_int_equal(send(gpu, &kmb.encryptBundle, 2), NV_ERR_INVALID_DATA);
		assert_int_equal(receive(gpu, &kmb.decryptBundle, 1), NV_OK);
		assert_int_equal(receive(gpu, &kmb.decryptBundle, 2), NV_OK);
		assert_int_equal(receive(gpu, &kmb.encryptBundle, 3), NV_ERR_INVALID_DATA);
	}
	/* A second one of the engine has the same keys, and counters of its own. */
	assert_int_equal(make_channel(8, NV2080_ENGINE_TYPE_COPY2, true), NV_OK);
	{
		CC_KMB first = material_of(CHANNEL), second = material_of(CHANNEL + 8);

		assert_memory_equal(first.encryptBundle.key, second.encryptBundle.key, 32);
		assert_int_not_equal(first.encryptBundle.iv[1], second.encryptBundle.iv[1]);
		assert_int_not_equal(first.decryptBundle.iv[1], second.decryptBundle.iv[1]);
		assert_int_equal(send(gpu_end(CHANNEL + 8), &first.encryptBundle, 1),
				 NV_ERR_INVALID_DATA);
		assert_int_equal(send(gpu_end(CHANNEL + 8), &second.encryptBundle, 2), NV_OK);
	}
}

static void test_sec2(void **state)
{
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS p = { .rotateIvType = ROTATE_IV_HMAC };
	struct h100_secure *gpu;
	CC_KMB kmb;

	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_SEC2, true), NV_OK);
	kmb = material_of(CHANNEL);
	gpu = gpu_end(CHANNEL);
	assert_int_equal(kmb.bIsWorkLaunch, true);
	assert_int_equal(send(gpu, &kmb.encryptBundle, 1), NV_OK);
	assert_int_equal(sign(gpu, &kmb.hmacBundle, 1), NV_OK);
	assert_int_equal(sign(gpu, &kmb.hmacBundle, 2), NV_OK);
	assert_int_equal(sign(gpu, &kmb.hmacBundle, 2), NV_ERR_INVALID_DATA);
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p), NV_OK);
	assert_int_equal(p.updatedKmb.bIsWorkLaunch, true);
	assert_int_equal(sign(gpu, &p.updatedKmb.hmacBundle, 1), NV_OK);
	assert_int_equal(send(gpu, &kmb.encryptBundle, 2), NV_OK);
}

static void test_rotation(void **state)
{
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS p = { .rotateIvType = ROTATE_IV_ENCRYPT };
	struct h100_secure *gpu;
	CC_KMB kmb, now;

	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY4, true), NV_OK);
	kmb = material_of(CHANNEL);
	gpu = gpu_end(CHANNEL);
	assert_int_equal(send(gpu, &kmb.encryptBundle, 1), NV_OK);
	assert_int_equal(receive(gpu, &kmb.decryptBundle, 1), NV_OK);
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p), NV_OK);
	assert_int_equal(p.rotateIvType, ROTATE_IV_ENCRYPT);
	assert_int_not_equal(p.updatedKmb.encryptBundle.iv[1], kmb.encryptBundle.iv[1]);
	assert_int_equal(send(gpu, &p.updatedKmb.encryptBundle, 1), NV_OK);
	assert_int_equal(send(gpu, &kmb.encryptBundle, 2), NV_ERR_INVALID_DATA);
	assert_int_equal(receive(gpu, &kmb.decryptBundle, 2), NV_OK);
	now = material_of(CHANNEL);
	assert_memory_equal(&now.encryptBundle, &p.updatedKmb.encryptBundle,
			    sizeof(now.encryptBundle));
	assert_memory_equal(&now.decryptBundle, &kmb.decryptBundle, sizeof(now.decryptBundle));
	p.rotateIvType = ROTATE_IV_DECRYPT;
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p), NV_OK);
	assert_int_equal(receive(gpu, &p.updatedKmb.decryptBundle, 1), NV_OK);
	p.rotateIvType = ROTATE_IV_ALL_VALID;
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p), NV_OK);
	assert_int_equal(receive(gpu, &p.updatedKmb.decryptBundle, 1), NV_OK);
	assert_int_equal(send(gpu, &p.updatedKmb.encryptBundle, 1), NV_OK);
	now = material_of(CHANNEL);
	assert_memory_equal(&now, &p.updatedKmb, sizeof(now));
	p.rotateIvType = ROTATE_IV_ALL_VALID + 1;
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p),
			 NV_ERR_INVALID_ARGUMENT);
}

/* A context of the driver's has the channel to itself, and none that follows has its IVs. */
static void test_contexts(void **state)
{
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS p = { .rotateIvType = ROTATE_IV_ENCRYPT };
	u8 text[TEXT] = { 9, 8, 7 }, message[TEXT], tag[CSL_CRYPT_AUTH_TAG_SIZE], iv[12];
	struct csl_context csl = { 0 }, second = { 0 };
	struct rm_channel *channel;
	struct h100_secure *gpu;
	u32 i;

	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_COPY5, true), NV_OK);
	channel = host_channel(CHANNEL);
	gpu = gpu_end(CHANNEL);
	for (i = 0; i < 3; i++) {
		u8 counter[8];

		memcpy(counter, gpu->in.channel, sizeof(counter));
		assert_int_equal(rm_channel_csl_init(channel, &csl), NV_OK);
		/* The first one has what the channel was made with; then the GPU was told. */
		if (i == 0)
			assert_memory_equal(counter, gpu->in.channel, sizeof(counter));
		else
			assert_memory_not_equal(counter, gpu->in.channel, sizeof(counter));
		assert_int_equal(rm_channel_csl_init(channel, &csl), NV_ERR_IN_USE);
		assert_int_equal(rm_channel_csl_init(channel, &second), NV_ERR_IN_USE);
		assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p),
				 NV_ERR_IN_USE);
		assert_int_equal(csl_encrypt(&csl, TEXT, text, NULL, NULL, 0, message, tag), NV_OK);
		assert_int_equal(h100_secure_decrypt(gpu, message, TEXT, tag), NV_OK);
		assert_memory_equal(message, text, TEXT);
		assert_int_equal(h100_secure_encrypt(gpu, message, TEXT, tag, iv), NV_OK);
		assert_int_equal(csl_decrypt(&csl, TEXT, message, NULL, NULL, 0, message, tag),
				 NV_OK);
		assert_memory_equal(message, text, TEXT);
		assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_ENCRYPT), NV_OK);
		assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_DECRYPT), NV_OK);
		assert_int_equal(csl_encrypt(&csl, TEXT, text, NULL, NULL, 0, message, tag), NV_OK);
		assert_int_equal(h100_secure_decrypt(gpu, message, TEXT, tag), NV_OK);
		assert_int_equal(h100_secure_encrypt(gpu, message, TEXT, tag, iv), NV_OK);
		assert_int_equal(csl_decrypt(&csl, TEXT, message, NULL, NULL, 0, message, tag),
				 NV_OK);
		rm_channel_csl_deinit(channel, &csl);
		rm_channel_csl_deinit(channel, &csl);
	}
	assert_int_equal(ASK(CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, p), NV_OK);
	assert_int_equal(send(gpu, &p.updatedKmb.encryptBundle, 1), NV_OK);
}

/* SEC2's context signs. */
static void test_signing_context(void **state)
{
	u8 data[16] = { 1 }, mac[CSL_SIGN_AUTH_TAG_SIZE];
	struct csl_context csl = { 0 };
	struct h100_secure *gpu;

	assert_int_equal(make_channel(0, NV2080_ENGINE_TYPE_SEC2, true), NV_OK);
	gpu = gpu_end(CHANNEL);
	assert_int_equal(rm_channel_csl_init(host_channel(CHANNEL), &csl), NV_OK);
	assert_int_equal(csl_sign(&csl, sizeof(data), data, mac), NV_OK);
	assert_int_equal(h100_secure_verify(gpu, data, sizeof(data), mac), NV_OK);
	assert_int_equal(csl_rotate_iv(&csl, CSL_OPERATION_DECRYPT), NV_OK);
	assert_int_equal(csl_sign(&csl, sizeof(data), data, mac), NV_OK);
	assert_int_equal(h100_secure_verify(gpu, data, sizeof(data), mac), NV_OK);
	rm_channel_csl_deinit(host_channel(CHANNEL), &csl);
}

/* Whatever runs out of memory: no channel, and nothing left of it. */
static void test_allocations(void **state)
{
	u32 status = NV_ERR_NO_MEMORY;
	u64 nth, held = live_before();

	for (nth = 1; status != NV_OK; nth++) {
		if (!os_user_fail_alloc_thread(nth))
			skip();
		status = make_channel(0, NV2080_ENGINE_TYPE_COPY2, true);
		os_user_fail_alloc_thread(0);
		if (status != NV_OK)
			assert_true(unit_live_becomes(held));
	}
	assert_true(nth > 5);
	assert_int_equal(send(gpu_end(CHANNEL), &(CC_KMB){ 0 }.encryptBundle, 1),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
}

#define ON(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_off, start_off, end),
		ON(test_refused),
		ON(test_material),
		ON(test_sec2),
		ON(test_rotation),
		ON(test_contexts),
		ON(test_signing_context),
		ON(test_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
