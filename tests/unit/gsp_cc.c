// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU in confidential mode under the driver's GPU and firmware code: its session at boot, keys on
 * both sides, sealed messages, and a host that changes what lies in shared memory.
 */
#include "gpu_parts.h"
#include "h100/gsp/gpu.h"
#include "h100/gsp/cc.h"
#include "os/crypto.h"
#include "rm/cc/csl.h"
#include "rm/cc/key_store.h"
#include "rm/cc/session.h"
#include "rm/cc/spdm.h"
#include "rm/cc/transfer.h"
#include "rm/gpu/regs.h"
#include "rm/gpu/static_info.h"
#include "rm/gpu/video.h"

#define ELEMENT GSP_MSGQ_ELEMENT
#define HEADER ((u32)GSP_MSG_QUEUE_ELEMENT_HDR_SIZE)
#define FUNCTION NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL

static int setup(void **state)
{
	os_user_set_tee(OS_TEE_TDX);
	parts_cc = H100_CC_ON;
	return parts_setup(state);
}

static int setup_off(void **state)
{
	os_user_set_tee(OS_TEE_NONE);
	parts_cc = H100_CC_OFF;
	return parts_setup(state);
}

static int teardown(void **state)
{
	int rc = parts_teardown(state);

	os_user_set_tee(OS_TEE_NONE);
	parts_cc = H100_CC_OFF;
	return rc;
}

static void boot(void)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_non_null(gpu->cc);
	assert_true(gpu->gsp->sealed);
}

/* -- Session ----------------------------------------------------------------------------------- */

static void boots_and_shuts_down(void **state)
{
	u64 live = 0;
	u32 i;

	for (i = 0; i < 3; i++) {
		boot();
		assert_true(rm_spdm_established(rm_cc_session(gpu)));
		assert_non_null(rm_cc_keys(gpu));
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
		make_objects();
		rm_gpu_release(gpu);
		assert_null(gpu->cc);
		assert_null(gpu->gsp);
		if (i == 0)
			live = unit_live_settled();
		assert_true(unit_live_becomes(live));
	}
	assert_false(logged("Xid"));
	assert_false(logged("did not end"));
}

static void keys_are_derived_and_the_master_key_gone(void **state)
{
	struct key_pair pair;
	u32 space, id;

	boot();
	for (space = KEY_SPACE_SEC2; space < KEY_SPACE_COUNT; space++) {
		id = KEY_ID(space, space == KEY_SPACE_SEC2 ? (u32)KEY_SEC2_DATA_KERNEL
							   : (u32)KEY_LCE_H2D_KERNEL);
		assert_int_equal(
			key_store_retrieve(rm_cc_keys(gpu), id, ROTATE_IV_ALL_VALID, &pair), NV_OK);
		assert_true(pair.send.valid);
		/* The GPU chose its mask: zero by an accident of 2^-96. */
		assert_false(
			os_equal_secret(pair.send.iv_mask, (u8[KEY_IV_SIZE]){ 0 }, KEY_IV_SIZE));
	}
	assert_int_equal(key_store_derive(rm_cc_keys(gpu), KEY_ID(KEY_SPACE_LCE0, KEY_LCE_H2D_P2P)),
			 NV_ERR_INVALID_STATE);
	/* Peers are never derived twice by the firmware either. */
	os_wipe(&pair, sizeof(pair));
	rm_gpu_release(gpu);
}

static void attests(void **state)
{
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	const u8 nonce[RM_SPDM_NONCE_BYTES] = { 1, 2, 3 };
	u32 bytes = 0;

	boot();
	rm_gpu_lock(gpu);
	assert_int_equal(rm_spdm_attest(rm_cc_session(gpu), nonce, report, sizeof(report), &bytes),
			 NV_OK);
	rm_gpu_unlock(gpu);
	assert_true(bytes > 200);
	assert_memory_equal(report + 4, nonce, sizeof(nonce));
	rm_gpu_release(gpu);
}

/* A GPU that an unknown root certified stays closed. */
static void other_root_ends_the_boot(void **state)
{
	u8 root[4096];

	assert_true(rm_spdm_test_root_bytes <= sizeof(root));
	memcpy(root, rm_spdm_test_root, rm_spdm_test_root_bytes);
	root[rm_spdm_test_root_bytes - 1] ^= 1;
	rm.cc_root = root;
	rm.cc_root_bytes = rm_spdm_test_root_bytes;
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_INVALID_DATA);
	assert_true(logged("SPDM session failed"));
	assert_true(logged("(certificate chain)"));
	assert_null(gpu->gsp);
	assert_null(gpu->cc);
	assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
	rm.cc_root = NULL;
	boot();
	rm_gpu_release(gpu);
}

static void without_a_tee_it_stays_closed(void **state)
{
	os_user_set_tee(OS_TEE_NONE);
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_INVALID_OPERATION);
	assert_true(logged("CPU does not support confidential compute."));
	assert_null(gpu->gsp);
	assert_null(gpu->cc);
	/* The registry insists; without its bit the GPUs need not be set ready then. */
	assert_int_equal(rm_registry_write_dword(&rm, NULL, "RmConfidentialCompute", 1), NV_OK);
	boot();
	assert_int_equal(rm_cc_mode(gpu), RM_CC_ENABLED);
	assert_int_equal(rm_cc_proxy_keys(gpu), 1);
	assert_true(rm_cc_accepts_work(&rm));
	rm_gpu_release(gpu);
	assert_int_equal(rm_registry_write_dword(&rm, NULL, "RmConfidentialCompute", 7), NV_OK);
	assert_int_equal(rm_registry_write_dword(&rm, NULL, "RmConfComputeEarlyInit", 1), NV_OK);
	boot();
	assert_int_equal(rm_cc_mode(gpu), RM_CC_ENABLED | RM_CC_DEVTOOLS | RM_CC_CHECKED);
	assert_int_equal(rm_cc_proxy_keys(gpu), 7);
	assert_true(rm_cc_accepts_work(&rm));
	rm_gpu_release(gpu);
}

/* The registry may insist, but a GPU whose mode is off has no responder. */
static void mode_off_is_off(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_null(gpu->cc);
	assert_false(gpu->gsp->sealed);
	assert_false(rm_cc_is_enabled(&rm));
	assert_true(rm_cc_accepts_work(&rm));
	rm_gpu_release(gpu);
	assert_int_equal(rm_registry_write_dword(&rm, NULL, "RmConfidentialCompute", 1), NV_OK);
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_NOT_SUPPORTED);
	assert_null(gpu->cc);
	assert_true(logged("SPDM session failed"));
}

static void does_not_suspend(void **state)
{
	boot();
	assert_int_equal(rm_gpu_suspend(gpu), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

static void survives_every_failing_allocation(void **state)
{
	u64 live, failed;
	u32 n, failures = 0;
	enum nv_status status;
	bool again = false;

	boot();
	rm_gpu_release(gpu);
	if (!os_user_fail_alloc_thread(0))
		skip();
	for (n = 1; n < 400; n++) {
		live = unit_live_settled();
		failed = unit_failed();
		os_user_fail_alloc_thread(n);
		status = rm_gpu_retain(gpu);
		os_user_fail_alloc_thread(0);
		if (status == NV_OK)
			rm_gpu_release(gpu);
		if (unit_failed() == failed) {
			assert_int_equal(status, NV_OK);
			break;
		}
		failures++;
		assert_null(gpu->gsp);
		assert_null(gpu->cc);
		if (rm_gpu_is_lost(gpu))
			fail_msg("lost by failing allocation %u", n);
		/* The bus's table of mappings grows now and then. */
		if (!unit_live_becomes(live)) {
			assert_false(again);
			again = true;
			n--;
			continue;
		}
		again = false;
	}
	assert_true(failures > 20);
	assert_true(n < 400);
}

/* -- Both ends' keys --------------------------------------------------------------------------- */

static void gpu_derives_the_same_keys(void **state)
{
	struct key_store *store = key_store_create();
	u8 master[KEY_SIZE], text[64], tag[CC_TAG_BYTES], key[CC_KEY_BYTES];
	struct cc_direction d = { 0 };
	const u8 aad[CC_AAD_BYTES] = { 7 };
	struct csl_context csl = { 0 };
	struct key_pair pair;
	u32 space, place, i;

	assert_non_null(store);
	for (i = 0; i < sizeof(master); i++)
		master[i] = (u8)(i * 3 + 1);
	assert_int_equal(key_store_set_master(store, master), NV_OK);
	for (space = 0; space < KEY_SPACE_COUNT; space++)
		assert_int_equal(key_store_derive_space(store, space), NV_OK);
	/* Of GSP's space the pair that messages have is given out once: below. */
	for (space = KEY_SPACE_SEC2; space < KEY_SPACE_COUNT; space++) {
		for (place = 0; place < 4; place += 2) {
			assert_int_equal(key_store_retrieve(store, KEY_ID(space, place),
							    ROTATE_IV_ALL_VALID, &pair),
					 NV_OK);
			assert_true(cc_derive(master, space, place, key));
			assert_memory_equal(key, pair.send.key, sizeof(key));
			assert_true(cc_derive(master, space, place + 1, key));
			assert_memory_equal(key, pair.receive.key, sizeof(key));
		}
	}
	assert_false(cc_derive(master, 0, 4, key));
	assert_false(cc_derive(master, 1, 4, key));
	assert_false(cc_derive(master, 2, 6, key));
	assert_false(cc_derive(master, 10, 0, key));
	assert_false(cc_derive(master, 0, 8, key));

	/* What the driver seals the GPU opens, and no byte of it may be another one. */
	assert_int_equal(csl_init_key(&csl, store, KEY_ID(0, 0)), NV_OK);
	assert_true(cc_derive(master, 0, 0, key));
	for (i = 0; i < sizeof(text) + sizeof(tag) + sizeof(aad) + 1; i++) {
		u8 changed[CC_AAD_BYTES];
		bool whole = i == sizeof(text) + sizeof(tag) + sizeof(aad);

		memset(text, 'x', sizeof(text));
		memcpy(changed, aad, sizeof(aad));
		assert_int_equal(
			csl_encrypt(&csl, sizeof(text), text, NULL, aad, sizeof(aad), text, tag),
			NV_OK);
		if (i < sizeof(text))
			text[i] ^= 1;
		else if (i < sizeof(text) + sizeof(tag))
			tag[i - sizeof(text)] ^= 0x80;
		else if (!whole)
			changed[i - sizeof(text) - sizeof(tag)] ^= 4;
		assert_true(cc_direction_start(&d, key));
		d.count = i; /* of those before, each by a direction of its own */
		assert_int_equal(cc_open(&d, text, sizeof(text), changed, tag), whole);
		assert_int_equal(text[0], whole ? 'x' : 0);
		cc_direction_stop(&d);
	}
	/* And the other way. */
	assert_true(cc_derive(master, 0, 1, key));
	assert_true(cc_direction_start(&d, key));
	for (i = 0; i < 300; i++) {
		memset(text, 'y', sizeof(text));
		assert_true(cc_seal(&d, text, sizeof(text), aad, tag));
		assert_int_equal(
			csl_decrypt(&csl, sizeof(text), text, NULL, aad, sizeof(aad), text, tag),
			NV_OK);
		assert_int_equal(text[63], 'y');
	}
	d.count = ~(u64)0 - 1;
	assert_true(cc_seal(&d, text, sizeof(text), aad, tag));
	assert_false(cc_seal(&d, text, sizeof(text), aad, tag));
	cc_direction_stop(&d);
	csl_deinit_context(&csl);
	key_store_destroy(store);
}

/* -- Shared memory ----------------------------------------------------------------------------- */

static u8 *queue_at(bool status, u32 element)
{
	const struct gsp_msgq *q = &gpu->gsp->queue;

	if (status)
		return q->status + q->entry_offset + element % q->status_count * ELEMENT;
	return q->command + GSP_MSG_QUEUE_HEADER_SIZE + element % q->command_count * ELEMENT;
}

/* As whoever changes an element would: that it is summed is no protection. */
static void sum_again(u8 *element, u32 count)
{
	GSP_MSG_QUEUE_ELEMENT *e = (void *)element;

	e->checkSum = 0;
	e->checkSum = gsp_msgq_checksum(element, count * ELEMENT);
}

static void nothing_readable_is_shared(void **state)
{
	static const char secret[] = "a parameter that nobody else may read";
	const struct os_pages *shared;
	u8 params[200];
	u32 big = 200000, i;
	u8 *many;

	boot();
	shared = &gpu->gsp->memory.shared;
	memset(params, 0, sizeof(params));
	memcpy(params + 100, secret, sizeof(secret));
	assert_int_equal(gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
					 gpu->info->config.hInternalSubdevice, 0x2080fefe, params,
					 sizeof(params)),
			 NV_ERR_NOT_SUPPORTED);
	/* Long ones, which go in several records. */
	many = malloc(big);
	assert_non_null(many);
	for (i = 0; i + sizeof(secret) < big; i += sizeof(secret))
		memcpy(many + i, secret, sizeof(secret));
	assert_int_equal(gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
					 gpu->info->config.hInternalSubdevice, 0x2080fefe, many,
					 big),
			 NV_ERR_NOT_SUPPORTED);
	free(many);
	assert_null(memmem(shared->cpu, shared->size, secret + 2, 12));
	rm_gpu_release(gpu);
}

/* One message of the driver's in its queue, not rung. */
static u32 put_command(u32 size)
{
	rpc_message_header_v03_00 header = {
		.header_version = 0x03000000,
		.signature = NV_VGPU_MSG_SIGNATURE_VALID,
		.function = FUNCTION,
		.sequence = ++gpu->gsp->sequence,
	};
	rpc_gsp_rm_control_v03_00 p = {
		.hClient = gpu->info->config.hInternalClient,
		.hObject = gpu->info->config.hInternalSubdevice,
		.cmd = 0x2080fefe,
		.paramsSize = size,
	};
	u8 *params = calloc(1, size);
	struct gsp_piece pieces[] = { { &header, sizeof(header) },
				      { &p, sizeof(p) },
				      { params, size } };
	u32 at = gpu->gsp->queue.write;

	header.length = (u32)(sizeof(header) + sizeof(p)) + size;
	assert_int_equal(gsp_sealed_send(gpu->gsp, pieces, 3), NV_OK);
	free(params);
	return at;
}

static void ring(void)
{
	gpu_wr32(gpu, NV_PGSP_QUEUE_HEAD(0), 0);
}

static bool firmware_stopped(void)
{
	h100_lend(fixture.model);
	h100_kick(fixture.model);
	return REG_GET(NV_GSP_ERROR_TAG, gpu_rd32(gpu, NV_PGSP_MAILBOX(0))) == NV_GSP_ERROR_TAG_VAL;
}

/* The GPU is lost after what was done; another one, as after its reset, takes its place. */
static void expect_loss(void)
{
	assert_int_equal(unknown_control(), NV_ERR_GPU_IS_LOST);
	assert_true(gpu_lost());
	assert_int_equal(gpu->lost_xid, RM_XID_GSP_ERROR);
}

static void renew(void)
{
	void *none = NULL;

	rm_gpu_release(gpu);
	assert_int_equal(parts_teardown(&none), 0);
	assert_int_equal(parts_setup(&none), 0);
	boot();
}

static void expect_firmware_stops(void)
{
	rm_gpu_lock(gpu);
	ring();
	assert_true(eventually(firmware_stopped));
	rm_gpu_unlock(gpu);
	expect_loss();
	renew();
}

/* Every byte of the header, and one of each stretch of ciphertext. */
static u32 next_byte(u32 at)
{
	return at < HEADER + 16 ? at + 1 : at + 509;
}

static void changed_commands_stop_the_firmware(void **state)
{
	u32 at, where;
	u8 *element;

	boot();
	for (at = 0; at < ELEMENT; at = next_byte(at)) {
		rm_gpu_lock(gpu);
		where = put_command(4);
		element = queue_at(false, where);
		element[at] ^= 0x10;
		if (at < offsetof(GSP_MSG_QUEUE_ELEMENT, checkSum) ||
		    at >= offsetof(GSP_MSG_QUEUE_ELEMENT, seqNum))
			sum_again(element, 1);
		rm_gpu_unlock(gpu);
		expect_firmware_stops();
	}
	rm_gpu_release(gpu);
}

static void repeated_swapped_and_cut_commands_stop_the_firmware(void **state)
{
	u8 copy[ELEMENT], other[ELEMENT];
	GSP_MSG_QUEUE_ELEMENT *element;
	u32 where, next;

	/* Seen before, with the number that is due. */
	boot();
	rm_gpu_lock(gpu);
	where = put_command(4);
	memcpy(copy, queue_at(false, where), ELEMENT);
	next = put_command(4);
	element = (void *)queue_at(false, next);
	memcpy(element, copy, ELEMENT);
	element->seqNum++;
	element->aadBuffer[0]++;
	sum_again((u8 *)element, 1);
	rm_gpu_unlock(gpu);
	expect_firmware_stops();

	rm_gpu_lock(gpu);
	where = put_command(4);
	next = put_command(4);
	memcpy(other, queue_at(false, where), ELEMENT);
	memcpy(queue_at(false, where), queue_at(false, next), ELEMENT);
	memcpy(queue_at(false, next), other, ELEMENT);
	rm_gpu_unlock(gpu);
	expect_firmware_stops();

	rm_gpu_lock(gpu);
	where = put_command(9000);
	element = (void *)queue_at(false, where);
	assert_int_equal(element->elemCount, 3);
	element->elemCount = 2;
	sum_again((u8 *)element, 1);
	rm_gpu_unlock(gpu);
	expect_firmware_stops();

	/* In clear, as before the session. */
	rm_gpu_lock(gpu);
	where = put_command(4);
	element = (void *)queue_at(false, where);
	memset(&element->rpc, 0, ELEMENT - HEADER);
	element->rpc.header_version = 0x03000000;
	element->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	element->rpc.function = NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER;
	element->rpc.length = sizeof(element->rpc) + sizeof(rpc_unloading_guest_driver_v1F_07);
	sum_again((u8 *)element, 1);
	rm_gpu_unlock(gpu);
	expect_firmware_stops();
	rm_gpu_release(gpu);
}

static u32 replies_before;

static bool replied(void)
{
	const msgqTxHeader *tx = (const msgqTxHeader *)gpu->gsp->queue.status;

	h100_lend(fixture.model);
	h100_kick(fixture.model);
	return os_load_acquire(&tx->writePtr) != replies_before;
}

/* A reply of the firmware's in its queue, not taken; the GPU lock is held from here on. */
static u8 *await_reply(void)
{
	rm_gpu_lock(gpu);
	replies_before = gpu->gsp->queue.read;
	put_command(4);
	ring();
	assert_true(eventually(replied));
	return queue_at(true, gpu->gsp->queue.read);
}

static void expect_distrust(void)
{
	u32 i;

	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_ERR_INVALID_DATA);
	for (i = 0; i < ELEMENT; i++)
		assert_int_equal(((u8 *)gpu->gsp->buffer)[i], 0);
	/* Mending it afterwards helps nobody. */
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_ERR_INVALID_DATA);
	rm_gpu_unlock(gpu);
	assert_true(logged("is not authentic"));
	expect_loss();
	renew();
}

static void changed_replies_lose_the_gpu(void **state)
{
	u8 *element;
	u32 at;

	boot();
	element = await_reply();
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_OK);
	assert_int_equal(gpu->gsp->buffer->rpc.function, FUNCTION);
	rm_gpu_unlock(gpu);
	for (at = 0; at < ELEMENT; at = next_byte(at)) {
		element = await_reply();
		element[at] ^= 0x10;
		if (at < offsetof(GSP_MSG_QUEUE_ELEMENT, checkSum) ||
		    at >= offsetof(GSP_MSG_QUEUE_ELEMENT, seqNum))
			sum_again(element, 1);
		expect_distrust();
	}
	rm_gpu_release(gpu);
}

static void repeated_and_clear_replies_lose_the_gpu(void **state)
{
	GSP_MSG_QUEUE_ELEMENT *element;
	u8 copy[ELEMENT];

	boot();
	memcpy(copy, await_reply(), ELEMENT);
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_OK);
	rm_gpu_unlock(gpu);
	element = (void *)await_reply();
	memcpy(element, copy, ELEMENT);
	expect_distrust();

	memcpy(copy, await_reply(), ELEMENT);
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_OK);
	rm_gpu_unlock(gpu);
	element = (void *)await_reply();
	memcpy(element, copy, ELEMENT);
	element->seqNum++;
	element->aadBuffer[0]++;
	sum_again((u8 *)element, 1);
	expect_distrust();

	/* An event in clear, well-formed. */
	element = (void *)await_reply();
	memset(&element->rpc, 0, ELEMENT - HEADER);
	element->rpc.header_version = 0x03000000;
	element->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	element->rpc.function = NV_VGPU_MSG_EVENT_GSP_LOCKDOWN_NOTICE;
	element->rpc.length = sizeof(element->rpc) + 8;
	sum_again((u8 *)element, 1);
	expect_distrust();
	rm_gpu_release(gpu);
}

/* Pointers are not protected: a wrong one delays or stops, and nothing else. */
static void pointers_only_delay(void **state)
{
	msgqTxHeader *tx;
	u32 right;

	boot();
	await_reply();
	tx = (msgqTxHeader *)gpu->gsp->queue.status;
	right = os_load_acquire(&tx->writePtr);
	os_store_release(&tx->writePtr, 0xffffffffu);
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_ERR_INVALID_DATA);
	os_store_release(&tx->writePtr, gpu->gsp->queue.read);
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_WARN_NOTHING_TO_DO);
	os_store_release(&tx->writePtr, right);
	assert_int_equal(gsp_sealed_receive(gpu->gsp), NV_OK);
	rm_gpu_unlock(gpu);
	assert_false(gpu_lost());
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

/* Events are sealed as well, and come in between. */
static void events_are_sealed(void **state)
{
	static const char *const lines[] = { "ecc-dbe 1", "ecc-dbe 2" };
	u32 i;

	boot();
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		fixture_gpu_inject(&fixture, lines[i]);
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	}
	for (i = 0; i < 2000 && !logged("double bit error"); i++)
		os_sleep_us(1000);
	assert_true(logged("double bit error"));
	assert_false(gpu_lost());
	rm_gpu_release(gpu);
}

/* -- Running ----------------------------------------------------------------------------------- */

/* -- Video memory by way of the firmware ------------------------------------------------------- */

#define AT MIB(64)
#define TEXT 256u

typedef NV2080_CTRL_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP_PARAMS transfer_params;

static enum nv_status transfer(transfer_params *p)
{
	return gsp_internal_control(
		gpu->gsp, NV2080_CTRL_CMD_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP, p, sizeof(*p));
}

static transfer_params to_video(const struct rm_cc_transfer *t, u64 address, u64 size)
{
	return (transfer_params){
		.src = { .baseAddr = os_pages_dma(&t->staging, 0),
			 .size = size,
			 .aperture = ADDR_SYSMEM },
		.dst = { .baseAddr = address, .size = size, .aperture = ADDR_FBMEM },
		.transferSize = size,
		.memop = NV2080_CTRL_MEMMGR_MEMORY_OP_MEMCPY,
	};
}

static void memory_goes_over_sealed(void **state)
{
	u8 text[TEXT], back[TEXT], *video;
	struct rm_cc_transfer *t;
	transfer_params p;
	u32 i;

	boot();
	assert_true(rm_video_is_closed(gpu));
	rm_gpu_lock(gpu);
	t = rm_cc_transfer(gpu);
	video = fixture.model->memory.video + AT;
	for (i = 0; i < TEXT; i++)
		text[i] = (u8)(i * 7 + 1);
	assert_int_equal(rm_cc_transfer_write(t, gpu, AT, text, TEXT), NV_OK);
	assert_memory_equal(video, text, TEXT);
	for (i = 0; i + 8 <= TEXT; i++)
		assert_memory_not_equal(t->staging.cpu, text + i, 8);
	/* Back again, with the tag in the reply. */
	p = to_video(t, AT, TEXT);
	p.dst = p.src;
	p.src = (NV2080_CTRL_INTERNAL_TRANSFER_SURFACE_INFO){ .baseAddr = AT,
							      .size = TEXT,
							      .aperture = ADDR_FBMEM };
	assert_int_equal(transfer(&p), NV_OK);
	assert_memory_not_equal(t->staging.cpu, text, 8);
	assert_int_equal(csl_decrypt(&t->csl, TEXT, t->staging.cpu, NULL, NULL, 0, back, p.authTag),
			 NV_OK);
	assert_memory_equal(back, text, TEXT);
	assert_int_equal(rm_cc_transfer_clear(gpu, AT, OS_PAGE_SIZE), NV_OK);
	assert_int_equal(video[0], 0);
	assert_int_equal(video[TEXT - 1], 0);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
}

/* What a host changed in between, or has there again, is not written. */
static void changed_memory_is_not_written(void **state)
{
	static const u32 places[] = { 0, TEXT - 1, ~0u, ~1u };
	struct rm_cc_transfer *t;
	u8 text[TEXT], *video;
	transfer_params p;
	u32 i;

	boot();
	rm_gpu_lock(gpu);
	t = rm_cc_transfer(gpu);
	video = fixture.model->memory.video + AT;
	memset(text, 0x5a, TEXT);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		p = to_video(t, AT, TEXT);
		assert_int_equal(
			csl_encrypt(&t->csl, TEXT, text, NULL, NULL, 0, t->staging.cpu, p.authTag),
			NV_OK);
		if (places[i] == ~0u)
			p.authTag[3] ^= 1;
		else if (places[i] != ~1u)
			((u8 *)t->staging.cpu)[places[i]] ^= 1;
		assert_int_equal(transfer(&p), places[i] == ~1u ? NV_OK : NV_ERR_INVALID_DATA);
		assert_int_equal(video[0], places[i] == ~1u ? 0x5a : 0);
	}
	memset(video, 0, TEXT);
	assert_int_equal(transfer(&p), NV_ERR_INVALID_DATA);
	assert_int_equal(video[0], 0);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
}

static void transfers_are_checked(void **state)
{
	const u64 end = fixture.model->memory.video_bytes;
	struct rm_cc_transfer *t;
	transfer_params p;
	u32 i;

	boot();
	rm_gpu_lock(gpu);
	t = rm_cc_transfer(gpu);
	for (i = 0; i < 9; i++) {
		p = to_video(t, AT, TEXT);
		switch (i) {
		case 0:
			p.transferSize = 0;
			break;
		case 1:
			p.transferSize = TEXT + 1; /* more than the surfaces */
			break;
		case 2:
			p = to_video(t, AT, OS_PAGE_SIZE + 1);
			break;
		case 3:
			p.dst.baseAddr = end - TEXT + 1;
			break;
		case 4:
			p.dst.baseAddr = ~(u64)0 - 8;
			break;
		case 5:
			p.src.offset = 1;
			break;
		case 6:
			p.dst = p.src;
			break;
		case 7:
			p.dst.baseAddr = fixture.model->fw.wpr_start;
			break;
		case 8:
			p.memop = 7;
			break;
		}
		assert_int_equal(transfer(&p), NV_ERR_INVALID_ARGUMENT);
	}
	/* Filling, too. */
	assert_int_equal(rm_cc_transfer_clear(gpu, end, OS_PAGE_SIZE), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(rm_cc_transfer_clear(gpu, fixture.model->fw.wpr_start, OS_PAGE_SIZE),
			 NV_ERR_INVALID_ARGUMENT);
	p = to_video(t, AT, TEXT);
	p.dst = p.src;
	p.memop = NV2080_CTRL_MEMMGR_MEMORY_OP_MEMSET;
	assert_int_equal(transfer(&p), NV_ERR_INVALID_ARGUMENT);
	p = to_video(t, AT + 5, 3 * OS_PAGE_SIZE);
	p.memop = NV2080_CTRL_MEMMGR_MEMORY_OP_MEMSET;
	p.value = 0x77;
	assert_int_equal(transfer(&p), NV_OK);
	assert_int_equal(fixture.model->memory.video[AT + 4], 0);
	assert_int_equal(fixture.model->memory.video[AT + 5], 0x77);
	assert_int_equal(fixture.model->memory.video[AT + 4 + 3 * OS_PAGE_SIZE], 0x77);
	assert_int_equal(fixture.model->memory.video[AT + 5 + 3 * OS_PAGE_SIZE], 0);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
}

#define C(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest everywhere[] = {
		C(boots_and_shuts_down),
		C(keys_are_derived_and_the_master_key_gone),
		C(attests),
		C(other_root_ends_the_boot),
		C(without_a_tee_it_stays_closed),
		C(does_not_suspend),
		C(nothing_readable_is_shared),
		C(events_are_sealed),
		C(memory_goes_over_sealed),
		C(transfers_are_checked),
		cmocka_unit_test_setup_teardown(mode_off_is_off, setup_off, teardown),
	};
	const struct CMUnitTest once[] = {
		cmocka_unit_test(gpu_derives_the_same_keys),
		C(survives_every_failing_allocation),
		C(changed_commands_stop_the_firmware),
		C(repeated_swapped_and_cut_commands_stop_the_firmware),
		C(changed_replies_lose_the_gpu),
		C(repeated_and_clear_replies_lose_the_gpu),
		C(pointers_only_delay),
		C(changed_memory_is_not_written),
	};

	return parts_run("confidential mode", everywhere, ARRAY_SIZE(everywhere)) +
	       cmocka_run_group_tests_name("confidential mode, hostile host", once, NULL, NULL);
}
