// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The machine that is attacked. All keys that either end takes into use are caught on their way to
 * the ciphers (the linker's --wrap), and nobody may see one of them, or a mask of IVs, in memory
 * that is shared.
 */
#include "hostile.h"

#include <pthread.h>
#include <stdio.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/gsp/gpu.h"
#include "rm/cc/key_store.h"
#include "rm/gpu/regs.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/gsp.h"
#include "rm/gsp/rpc.h"
#include "rm/instance.h"

#define UNKNOWN_CONTROL 0x2080fefeu
#define BOOT_TIMEOUT_MS (UNIT_SANITIZED ? 4000u : 400u)
#define RPC_TIMEOUT_NS 4000000000ull
#define DISTINCT_MIN 12u /* bytes of a secret: what is not random is none */
#define CAUGHT_MAX 512u
#define RETRIES 12u

struct adversary *adversary;
u64 seed_now;
u8 marker[16];
static int victim = -1, bystander = -1;

/* -- Secrets ----------------------------------------------------------------------------------- */

static struct {
	u8 bytes[64];
	u32 size;
} caught[CAUGHT_MAX]; /* of the GPU that stays */
static u32 caught_count;
static bool catching; /* caught are those that the victim is not part of */

void rig_secret(const char *name, const void *bytes, u32 size)
{
	u32 i;

	if (adversary_secret(adversary, name, bytes, size) == NV_OK)
		return;
	/* Those of sessions that are over make room. */
	adversary_give_up(adversary);
	for (i = 0; i < caught_count; i++)
		adversary_secret(adversary, "a key of the other GPU", caught[i].bytes,
				 caught[i].size);
	adversary_secret(adversary, "user data", marker, sizeof(marker));
	adversary_secret(adversary, name, bytes, size);
}

static void catch_secret(const char *name, const void *bytes, u32 size)
{
	bool seen[256] = { false };
	u32 distinct = 0, i;

	for (i = 0; i < size; i++) {
		distinct += !seen[((const u8 *)bytes)[i]];
		seen[((const u8 *)bytes)[i]] = true;
	}
	if (!adversary || distinct < min(DISTINCT_MIN, size - size / 4) || size > 64)
		return;
	if (catching && caught_count < CAUGHT_MAX) {
		memcpy(caught[caught_count].bytes, bytes, size);
		caught[caught_count++].size = size;
	}
	rig_secret(name, bytes, size);
}

enum nv_status __real_os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE]);
enum nv_status __wrap_os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE]);
enum nv_status __real_os_hmac_set_key(struct os_hmac *hmac, const void *key, size_t size);
enum nv_status __wrap_os_hmac_set_key(struct os_hmac *hmac, const void *key, size_t size);
enum nv_status __real_key_store_set_master(struct key_store *store, const u8 master[KEY_SIZE]);
enum nv_status __wrap_key_store_set_master(struct key_store *store, const u8 master[KEY_SIZE]);
enum nv_status __real_key_store_deposit_iv_mask(struct key_store *store, u32 id,
						const u8 mask[KEY_IV_SIZE]);
enum nv_status __wrap_key_store_deposit_iv_mask(struct key_store *store, u32 id,
						const u8 mask[KEY_IV_SIZE]);
bool __real_cc_derive(const u8 master[CC_KEY_BYTES], u32 space, u32 place, u8 key[CC_KEY_BYTES]);
bool __wrap_cc_derive(const u8 master[CC_KEY_BYTES], u32 space, u32 place, u8 key[CC_KEY_BYTES]);

enum nv_status __real_h100_keys_load(struct h100_keys *keys, u32 space, u32 place,
				     const u8 key[H100_KEY_BYTES], const u8 mask[H100_IV_BYTES]);
enum nv_status __wrap_h100_keys_load(struct h100_keys *keys, u32 space, u32 place,
				     const u8 key[H100_KEY_BYTES], const u8 mask[H100_IV_BYTES]);

enum nv_status __wrap_h100_keys_load(struct h100_keys *keys, u32 space, u32 place,
				     const u8 key[H100_KEY_BYTES], const u8 mask[H100_IV_BYTES])
{
	catch_secret("a key of an engine", key, H100_KEY_BYTES);
	catch_secret("an engine's mask of IVs", mask, H100_IV_BYTES);
	return __real_h100_keys_load(keys, space, place, key, mask);
}

enum nv_status __wrap_os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE])
{
	catch_secret("a key of AES-GCM", key, OS_GCM_KEY_SIZE);
	return __real_os_gcm_set_key(gcm, key);
}

enum nv_status __wrap_os_hmac_set_key(struct os_hmac *hmac, const void *key, size_t size)
{
	catch_secret("a key of HMAC", key, (u32)size);
	return __real_os_hmac_set_key(hmac, key, size);
}

enum nv_status __wrap_key_store_set_master(struct key_store *store, const u8 master[KEY_SIZE])
{
	catch_secret("the export master key", master, KEY_SIZE);
	return __real_key_store_set_master(store, master);
}

enum nv_status __wrap_key_store_deposit_iv_mask(struct key_store *store, u32 id,
						const u8 mask[KEY_IV_SIZE])
{
	catch_secret("a mask of IVs", mask, KEY_IV_SIZE);
	return __real_key_store_deposit_iv_mask(store, id, mask);
}

bool __wrap_cc_derive(const u8 master[CC_KEY_BYTES], u32 space, u32 place, u8 key[CC_KEY_BYTES])
{
	bool done = __real_cc_derive(master, space, place, key);

	if (done)
		catch_secret("a derived key of the GPU", key, CC_KEY_BYTES);
	return done;
}

/* -- Log --------------------------------------------------------------------------------------- */

static char log_text[1 << 16];
static size_t log_used;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_log(void *ctx, enum os_log_level level, const char *line)
{
	pthread_mutex_lock(&log_lock);
	if (log_used < sizeof(log_text) - 512)
		log_used += (size_t)snprintf(log_text + log_used, 512, "%s\n", line);
	pthread_mutex_unlock(&log_lock);
	if (getenv("HOSTILE_LOG"))
		fprintf(stderr, "%s\n", line);
}

void rig_log_begin(void)
{
	pthread_mutex_lock(&log_lock);
	log_used = 0;
	log_text[0] = '\0';
	pthread_mutex_unlock(&log_lock);
}

bool rig_logged(const char *text)
{
	bool found;

	pthread_mutex_lock(&log_lock);
	found = strstr(log_text, text) != NULL;
	pthread_mutex_unlock(&log_lock);
	return found;
}

/* -- Machine ----------------------------------------------------------------------------------- */

struct rm_gpu *rig_gpu(u32 which)
{
	return host.rm_gpus[which];
}

static void plugged(u32 index, struct os_pci_dev *pci)
{
	assert_int_equal(adversary_watch(adversary, index, pci), NV_OK);
}

static void set_ready(void)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE_PARAMS ready = { true };
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS compute = { 0 };
	int ctl = host_open(RM_NODE_CONTROL, 0);
	u32 client = host_client(ctl), handle = 0;

	compute.hClient = client;
	assert_int_equal(
		host_alloc(ctl, client, client, &handle, NV_CONFIDENTIAL_COMPUTE, &compute, 0),
		NV_OK);
	assert_int_equal(host_control(ctl, client, handle,
				      NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, &ready,
				      sizeof(ready)),
			 NV_OK);
	host_close(ctl);
}

void rig_start(u64 seed)
{
	const struct fixture_gpu_config like = { .cc = H100_CC_ON, .plugged = plugged };

	seed_now = seed * 0x9e3779b97f4a7c15ull | 1;
	unit_fill(&seed_now, marker, sizeof(marker));
	os_user_set_tee(OS_TEE_TDX);
	os_user_log_set_sink(keep_log, NULL);
	adversary = adversary_create(seed);
	assert_non_null(adversary);
	assert_int_equal(adversary_secret(adversary, "user data", marker, sizeof(marker)), NV_OK);
	host_start_like(2, &like);
	host_be(true);
	rig_boot_patience(0);
	catching = true;
	bystander = host_open(RM_NODE_GPU, BYSTANDER);
	assert_true(bystander >= 0);
	catching = false;
	set_ready();
	rig_up();
}

void rig_stop(void)
{
	rig_down();
	host_close(bystander);
	os_user_set_cred(NULL);
	host_stop();
	adversary_destroy(adversary);
	adversary = NULL;
	os_user_log_set_sink(NULL, NULL);
	os_user_set_tee(OS_TEE_NONE);
}

u32 rig_boot(void)
{
	int fd;

	assert_int_equal(victim, -1);
	fd = host_open(RM_NODE_GPU, VICTIM);
	if (fd < 0)
		return (u32)-fd;
	victim = fd;
	rig_patience(0);
	return NV_OK;
}

void rig_up(void)
{
	u32 status;

	if (victim >= 0)
		return;
	status = rig_boot();
	if (status != NV_OK)
		fail_msg("the GPU does not start: %#x", status);
}

void rig_down(void)
{
	channels_forget();
	if (victim >= 0)
		host_close(victim);
	victim = -1;
}

void rig_boot_patience(u32 ms)
{
	assert_int_equal(rm_registry_write_dword(host.rm, NULL, "RmDefaultTimeout",
						 ms ? ms : BOOT_TIMEOUT_MS),
			 NV_OK);
}

void rig_patience(u32 ms)
{
	struct rm_gpu *gpu = rig_gpu(VICTIM);

	rm_gpu_lock(gpu);
	if (gpu->gsp)
		gpu->gsp->timeout_ns = ms ? ms * 1000000ull : RPC_TIMEOUT_NS;
	rm_gpu_unlock(gpu);
}

/* As a system resets a function: config space is kept, and the bit that resets it is written. */
static void reset(struct os_pci_dev *pci)
{
	u32 saved[16], i;

	for (i = 0; i < ARRAY_SIZE(saved); i++)
		saved[i] = os_pci_cfg_read(pci, 4 * i, 4);
	os_pci_cfg_write(pci, NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS, 2, 1u << 15);
	for (i = ARRAY_SIZE(saved); i-- > 1;)
		os_pci_cfg_write(pci, 4 * i, 4, saved[i] | (i == 1 ? 0x6u : 0));
}

void rig_renew(void)
{
	struct os_pci_dev *pci = host.gpus[VICTIM].pci;

	adversary_forget(adversary);
	rig_down();
	rm_gpu_remove(host.rm_gpus[VICTIM]);
	reset(pci);
	assert_int_equal(rm_gpu_add(host.rm, pci, VICTIM, &host.rm_gpus[VICTIM]), NV_OK);
	rig_up();
}

/* -- Calls ------------------------------------------------------------------------------------- */

void fill_user_data(u8 *bytes, u32 size)
{
	u32 at;

	for (at = 0; at + sizeof(marker) <= size; at += sizeof(marker))
		memcpy(bytes + at, marker, sizeof(marker));
	unit_fill(&seed_now, bytes + at, size - at);
}

u32 rig_ask(u32 which, u32 bytes)
{
	struct rm_gpu *gpu = rig_gpu(which);
	u8 *params = malloc(bytes);
	u32 status;

	assert_non_null(params);
	fill_user_data(params, bytes);
	status = gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
				 gpu->info->config.hInternalSubdevice, UNKNOWN_CONTROL, params,
				 bytes);
	free(params);
	return status;
}

void rig_check_bystander(void)
{
	assert_false(rm_gpu_is_lost(rig_gpu(BYSTANDER)));
	assert_int_equal(rig_ask(BYSTANDER, 16), SERVED);
}

s32 rig_arm_nth(const struct cell *cell, u64 nth)
{
	struct adversary_rule rule = cell->rule;
	s32 number;

	rule.gpu = VICTIM;
	rule.times = 1;
	if (nth) {
		rule.when = ADVERSARY_NTH;
		rule.n = nth;
	}
	rule.byte = rule.bit = ADVERSARY_ANY;
	if (rule.code == 0)
		rule.code = ADVERSARY_ANY;
	if (cell->rule_field) {
		rule.field = adversary_field(rule.object, cell->rule_field);
		assert_non_null(rule.field);
	}
	rig_log_begin();
	number = adversary_add(adversary, &rule);
	assert_true(number >= 0);
	return number;
}

s32 rig_arm(const struct cell *cell)
{
	return rig_arm_nth(cell, 0);
}

static bool firmware_stopped(void)
{
	return REG_GET(NV_GSP_ERROR_TAG, gpu_rd32(rig_gpu(VICTIM), NV_PGSP_MAILBOX(0))) ==
	       NV_GSP_ERROR_TAG_VAL;
}

/* Nothing is lost but time, perhaps a call or all of them. */
static enum detector not_lost(u32 status, u32 *later)
{
	u32 i;

	adversary_forget(adversary);
	rig_patience(0);
	if (status == SERVED)
		return NOTHING_LOST;
	/* Until the GPU writes the word anew, which it need not do at once. */
	for (i = 0; i < RETRIES; i++, os_sleep_us(500)) {
		*later = rig_ask(VICTIM, 16);
		if (*later == SERVED)
			return status == NV_ERR_TIMEOUT ? BY_TIMEOUT : BY_CALL;
	}
	return STOPPED;
}

enum detector rig_verdict(u32 status)
{
	struct rm_gpu *gpu = rig_gpu(VICTIM);
	enum detector detector;

	if (!rm_gpu_is_lost(gpu)) {
		detector = not_lost(status, &status);
		if (detector != STOPPED)
			return detector;
		/* What is unprotected can also stop all, without a word that it were lost. */
		if (!rm_gpu_is_lost(gpu)) {
			rig_renew();
			return detector;
		}
	}
	assert_int_equal(gpu->lost_xid, RM_XID_GSP_ERROR);
	assert_true(rig_logged("Xid (PCI:0000:01:00): 120"));
	if (rig_logged("is not authentic")) {
		detector = BY_DRIVER;
		assert_true(status == NV_ERR_INVALID_DATA || status == NV_ERR_GPU_IS_LOST);
	} else {
		detector = BY_FIRMWARE;
		assert_true(firmware_stopped());
		assert_int_equal(status, NV_ERR_GPU_IS_LOST);
	}
	/* It stays lost, whatever is mended. */
	adversary_forget(adversary);
	assert_int_equal(rig_ask(VICTIM, 16), NV_ERR_GPU_IS_LOST);
	rig_renew();
	return detector;
}
