// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU's session in r535's order: mode, SPDM, GSP's keys, sealed messages, and then the keys of
 * SEC2 and of each copy engine, after which the master key is gone.
 */
#include "rm/cc/session.h"

#include "os/crypto.h"
#include "rm/cc/csl.h"
#include "rm/cc/key_store.h"
#include "rm/cc/spdm.h"
#include "rm/cc/transfer.h"
#include "rm/gpu/regs.h"
#include "rm/gsp/gsp.h"
#include "rm/registry.h"

/* "RmConfidentialCompute" and "RmConfComputeEarlyInit" (nvrm_registry.h) */
#define KEY_ENABLED 0x1u
#define KEY_DEV_MODE 0x2u
#define KEY_READY_CHECK 0x4u
#define KEY_EARLY_INIT 0x1u
/* NVGSP_PROXY_REG_* (gsp_proxy_reg.h) */
#define PROXY_ENABLED 0x1u
#define PROXY_EARLY_INIT 0x2u
#define PROXY_DEV_MODE 0x4u

#define GUEST 1u /* as r535 calls itself */
#define FALCON_OK 0u
/* Messages are shorter than a page: the surface needs no pages that are adjacent on the bus. */
#define SURFACE_SIZE OS_PAGE_SIZE

_Static_assert(RM_CC_TAG_SIZE == CSL_CRYPT_AUTH_TAG_SIZE, "a tag");
_Static_assert(RM_SPDM_SECRET_BYTES >= KEY_SIZE, "the secret's first bytes are the master key");

struct rm_cc {
	struct rm_gpu *gpu;
	bool devtools, ready_check;
	u32 proxy_keys;
	struct os_pages surface; /* size 0: not there */
	bool begun;		 /* the firmware knows of the surface */
	u32 endpoint;		 /* the firmware's, as it said */
	struct rm_spdm *spdm;
	struct key_store *keys;
	struct csl_context messages;
	struct rm_cc_transfer transfer;
};

/* -- Mode -------------------------------------------------------------------------------------- */

struct mode {
	bool enabled, forced, devtools, ready_check, early_init;
};

static void read_mode(struct rm_gpu *gpu, struct mode *mode)
{
	u32 scratch = gpu_rd32(gpu, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20), value;

	os_memset(mode, 0, sizeof(*mode));
	mode->enabled = REG_GET(NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_MODE_ENABLED, scratch) ==
			NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_MODE_ENABLED_TRUE;
	mode->devtools = REG_GET(NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_DEV_ENABLED, scratch) ==
			 NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_DEV_ENABLED_TRUE;
	mode->ready_check = true;
	if (rm_registry_read_dword(gpu->rm, gpu, "RmConfidentialCompute", &value) != NV_OK ||
	    !(value & KEY_ENABLED))
		return;
	mode->enabled = mode->forced = true;
	mode->ready_check = (value & KEY_READY_CHECK) != 0;
	mode->devtools = mode->devtools || (value & KEY_DEV_MODE);
	mode->early_init =
		rm_registry_read_dword(gpu->rm, gpu, "RmConfComputeEarlyInit", &value) == NV_OK &&
		value == KEY_EARLY_INIT;
}

/* By its fuses, which an engineering sample is not asked for. */
static bool gpu_is_capable(const struct rm_gpu *gpu)
{
	const u32 fuse = NV_FUSE_SPARE_BIT_0;

	if (REG_GET(NV_FUSE_OPT_SECURE_GSP_DEBUG_DIS_DATA,
		    gpu_rd32(gpu, NV_FUSE_OPT_SECURE_GSP_DEBUG_DIS)) !=
	    NV_FUSE_OPT_SECURE_GSP_DEBUG_DIS_DATA_YES)
		return true;
	return (gpu_rd32(gpu, fuse) & 1) && (gpu_rd32(gpu, fuse + 4) & 1) &&
	       !(gpu_rd32(gpu, fuse + 8) & 1);
}

static enum nv_status check_mode(const struct rm_gpu *gpu, const struct mode *mode)
{
	if (!mode->forced && os_tee() == OS_TEE_NONE) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: CPU does not support confidential compute.",
		       gpu->instance);
		return NV_ERR_INVALID_OPERATION;
	}
	if (!gpu_is_capable(gpu)) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: GPU does not support confidential compute.",
		       gpu->instance);
		return NV_ERR_INVALID_OPERATION;
	}
	return NV_OK;
}

enum nv_status rm_cc_begin(struct rm_gpu *gpu)
{
	enum nv_status status;
	struct mode mode;
	struct rm_cc *cc;

	read_mode(gpu, &mode);
	if (!mode.enabled)
		return NV_OK;
	status = check_mode(gpu, &mode);
	if (status != NV_OK)
		return status;
	cc = os_alloc(sizeof(*cc));
	if (!cc)
		return NV_ERR_NO_MEMORY;
	cc->gpu = gpu;
	cc->devtools = mode.devtools;
	cc->ready_check = mode.ready_check;
	cc->proxy_keys = (mode.forced ? PROXY_ENABLED : 0) |
			 (mode.early_init ? PROXY_EARLY_INIT : 0) |
			 (mode.forced && mode.devtools ? PROXY_DEV_MODE : 0);
	gpu->cc = cc;
	return NV_OK;
}

u32 rm_cc_proxy_keys(const struct rm_gpu *gpu)
{
	return gpu->cc ? gpu->cc->proxy_keys : 0;
}

u32 rm_cc_mode(const struct rm_gpu *gpu)
{
	const struct rm_cc *cc = gpu->cc;

	if (!cc)
		return 0;
	return RM_CC_ENABLED | (cc->devtools ? RM_CC_DEVTOOLS : 0) |
	       (cc->ready_check ? RM_CC_CHECKED : 0);
}

/* -- The way to the responder ------------------------------------------------------------------ */

/* One command to it; its answer is checked as r535 checks it. */
static enum nv_status ask_partition(struct rm_cc *cc, NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS *p)
{
	u8 type = p->cmd.cmdType;
	enum nv_status status;

	status = gsp_internal_control(cc->gpu->gsp, NV2080_CTRL_INTERNAL_SPDM_PARTITION, p,
				      sizeof(*p));
	if (status != NV_OK)
		return status;
	if (p->msg.status != FALCON_OK || p->msg.version != NV_SPDM_DESC_HEADER_VERSION_1_0 ||
	    p->msg.guestId != GUEST)
		return NV_ERR_GENERIC;
	if (type != RM_GSP_SPDM_CMD_ID_CC_INIT && p->msg.endpointId != cc->endpoint)
		return NV_ERR_GENERIC;
	return NV_OK;
}

static enum nv_status start_partition(struct rm_cc *cc)
{
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS p;
	u64 address = os_pages_dma(&cc->surface, 0);
	enum nv_status status;

	os_memset(&p, 0, sizeof(p));
	p.cmd.ccInit.cmdType = RM_GSP_SPDM_CMD_ID_CC_INIT;
	p.cmd.ccInit.ccInitCtx.guestId = GUEST;
	p.cmd.ccInit.ccInitCtx.dmaAddr.lo = bits_low32(address);
	p.cmd.ccInit.ccInitCtx.dmaAddr.hi = bits_high32(address);
	status = ask_partition(cc, &p);
	if (status != NV_OK)
		return status;
	cc->endpoint = p.msg.endpointId;
	cc->begun = true;
	os_memset(&p, 0, sizeof(p));
	p.cmd.rmDataInitCmd.cmdType = RM_GSP_SPDM_CMD_ID_CC_INIT_RM_DATA;
	return ask_partition(cc, &p);
}

static enum nv_status exchange(void *arg, const void *request, u32 request_bytes, void *response,
			       u32 *response_bytes)
{
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS p;
	struct rm_cc *cc = arg;
	NV_SPDM_DESC_HEADER header;
	enum nv_status status;

	if (request_bytes > SURFACE_SIZE)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	os_memcpy(cc->surface.cpu, request, request_bytes);
	os_memset(&p, 0, sizeof(p));
	p.cmd.ccCtrl.cmdType = RM_GSP_SPDM_CMD_ID_CC_CTRL;
	p.cmd.ccCtrl.ccCtrlCtx.version = NV_SPDM_DESC_HEADER_VERSION_1_0;
	p.cmd.ccCtrl.ccCtrlCtx.guestId = GUEST;
	p.cmd.ccCtrl.ccCtrlCtx.endpointId = cc->endpoint;
	status = ask_partition(cc, &p);
	if (status != NV_OK)
		return status;
	/* Copied once, as others may write there. */
	os_memcpy(&header, cc->surface.cpu, sizeof(header));
	if (header.msgSizeByte > SURFACE_SIZE - sizeof(header))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	os_memcpy(response, &header, sizeof(header));
	os_memcpy((u8 *)response + sizeof(header), (u8 *)cc->surface.cpu + sizeof(header),
		  header.msgSizeByte);
	*response_bytes = (u32)sizeof(header) + header.msgSizeByte;
	return NV_OK;
}

/* -- Session and keys -------------------------------------------------------------------------- */

static enum nv_status start_session(struct rm_cc *cc)
{
	const struct rm *rm = cc->gpu->rm;
	const struct rm_spdm_config config = {
		.exchange = exchange,
		.arg = cc,
		.root = rm->cc_root ? rm->cc_root : rm_spdm_test_root,
		.root_bytes = rm->cc_root ? rm->cc_root_bytes : rm_spdm_test_root_bytes,
	};
	enum nv_status status;

	status = os_pages_alloc(cc->gpu->pci, SURFACE_SIZE, OS_PAGES_SHARED, &cc->surface);
	if (status != NV_OK) {
		os_memset(&cc->surface, 0, sizeof(cc->surface));
		return status;
	}
	status = start_partition(cc);
	if (status == NV_OK)
		status = rm_spdm_create(&config, &cc->spdm);
	if (status == NV_OK)
		status = rm_spdm_start(cc->spdm);
	return status;
}

static enum nv_status take_master(struct rm_cc *cc)
{
	u8 secret[RM_SPDM_SECRET_BYTES];
	enum nv_status status;

	cc->keys = key_store_create();
	if (!cc->keys)
		return NV_ERR_NO_MEMORY;
	status = rm_spdm_take_secret(cc->spdm, secret);
	if (status == NV_OK)
		status = key_store_set_master(cc->keys, secret);
	os_wipe(secret, sizeof(secret));
	return status;
}

/* The command itself is the first message that is sealed. */
static enum nv_status start_sealing(struct rm_cc *cc)
{
	NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL_PARAMS p = {
		.bEncryptionControl = 1,
	};
	struct rm_gsp *gsp = cc->gpu->gsp;
	enum nv_status status;

	status = key_store_derive_space(cc->keys, KEY_SPACE_GSP);
	if (status == NV_OK)
		status = csl_init_key(&cc->messages, cc->keys,
				      KEY_ID(KEY_SPACE_GSP, KEY_CPU_GSP_LOCKED_RPC));
	if (status == NV_OK)
		status = gsp_start_sealing(gsp);
	if (status == NV_OK)
		status = gsp_internal_control(
			gsp, NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL, &p,
			sizeof(p));
	return status;
}

static enum nv_status deposit(struct rm_cc *cc, u32 space, u32 key,
			      const NV2080_CTRL_INTERNAL_CONF_COMPUTE_IVMASK *mask)
{
	return key_store_deposit_iv_mask(cc->keys, KEY_ID(space, key), (const u8 *)mask->ivMask);
}

static enum nv_status derive_sec2(struct rm_cc *cc)
{
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS_PARAMS p;
	enum nv_status status;

	os_memset(&p, 0, sizeof(p));
	p.engineId = NV2080_ENGINE_TYPE_SEC2;
	status = gsp_internal_control(
		cc->gpu->gsp, NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS, &p, sizeof(p));
	if (status == NV_OK)
		status = key_store_derive_space(cc->keys, KEY_SPACE_SEC2);
	if (status == NV_OK)
		status = deposit(cc, KEY_SPACE_SEC2, KEY_SEC2_DATA_USER,
				 &p.ivMaskSet[NV2080_CTRL_INTERNAL_CONF_COMPUTE_IVMASK_SWL_USER]);
	if (status == NV_OK)
		status = deposit(cc, KEY_SPACE_SEC2, KEY_SEC2_DATA_KERNEL,
				 &p.ivMaskSet[NV2080_CTRL_INTERNAL_CONF_COMPUTE_IVMASK_SWL_KERNEL]);
	os_wipe(&p, sizeof(p));
	return status;
}

/* The command counts the engines with keys from COPY0 on, as the key spaces do. */
static enum nv_status derive_copy(struct rm_cc *cc, u32 index)
{
	static const u32 places[] = { KEY_LCE_H2D_USER, KEY_LCE_D2H_USER, KEY_LCE_H2D_KERNEL,
				      KEY_LCE_D2H_KERNEL };
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_LCE_KEYS_PARAMS p;
	u32 space = KEY_SPACE_LCE0 + index, i;
	enum nv_status status;

	os_memset(&p, 0, sizeof(p));
	p.engineId = NV2080_ENGINE_TYPE_COPY0 + index;
	status = gsp_internal_control(
		cc->gpu->gsp, NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_DERIVE_LCE_KEYS, &p, sizeof(p));
	if (status == NV_OK)
		status = key_store_derive_space(cc->keys, space);
	for (i = 0; status == NV_OK && i < ARRAY_SIZE(places); i++)
		status = deposit(cc, space, places[i], &p.ivMaskSet[i]);
	os_wipe(&p, sizeof(p));
	return status;
}

static enum nv_status derive_engines(struct rm_cc *cc)
{
	enum nv_status status = derive_sec2(cc);
	u32 i;

	for (i = 0; status == NV_OK && i < KEY_LCES; i++)
		status = derive_copy(cc, i);
	if (status == NV_OK)
		key_store_clear_master(cc->keys);
	return status;
}

static enum nv_status get_static_info(struct rm_cc *cc)
{
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO_PARAMS p;
	enum nv_status status;

	os_memset(&p, 0, sizeof(p));
	status = gsp_internal_control(
		cc->gpu->gsp, NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO, &p, sizeof(p));
	if (status != NV_OK)
		return status;
	os_log(OS_LOG_INFO, "NVRM: GPU%u: BAR1 trusted: %u, PCIe trusted: %u", cc->gpu->instance,
	       p.bIsBar1Trusted, p.bIsPcieTrusted);
	status = rm_cc_transfer_init(&cc->transfer, cc->gpu, cc->keys);
	/* As r535 has it: one that is not trusted closes all BARs. */
	if (status == NV_OK && !(p.bIsBar1Trusted && p.bIsPcieTrusted))
		os_store_relaxed(&cc->gpu->video_closed, 1u);
	return status;
}

enum nv_status rm_cc_establish(struct rm_gpu *gpu)
{
	static const struct {
		enum nv_status (*step)(struct rm_cc *cc);
		const char *what;
	} steps[] = {
		{ start_session, "SPDM session" },     { take_master, "export master key" },
		{ start_sealing, "sealed messages" },  { get_static_info, "static information" },
		{ derive_engines, "keys of engines" },
	};
	struct rm_cc *cc = gpu->cc;
	enum nv_status status;
	u32 i;

	if (!cc)
		return NV_OK;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		status = steps[i].step(cc);
		if (status == NV_OK)
			continue;
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: confidential compute: %s failed: 0x%x (%s)",
		       gpu->instance, steps[i].what, status,
		       cc->spdm ? rm_spdm_fault_name(rm_spdm_fault(cc->spdm)) : "none");
		return status;
	}
	os_log(OS_LOG_INFO, "NVRM: GPU%u: confidential compute is on%s", gpu->instance,
	       cc->devtools ? ", in devtools mode" : "");
	return NV_OK;
}

void rm_cc_end(struct rm_gpu *gpu)
{
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS p;
	struct rm_cc *cc = gpu->cc;

	if (!cc || !cc->begun)
		return;
	cc->begun = false;
	os_memset(&p, 0, sizeof(p));
	p.cmd.ccDeinit.cmdType = RM_GSP_SPDM_CMD_ID_CC_DEINIT;
	p.cmd.ccDeinit.ccDeinitCtx.guestId = GUEST;
	p.cmd.ccDeinit.ccDeinitCtx.endpointId = cc->endpoint;
	p.cmd.ccDeinit.ccDeinitCtx.flags = DEINIT_FLAGS_FORCE_CLEAR;
	if (ask_partition(cc, &p) != NV_OK)
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: the firmware did not end its SPDM session",
		       gpu->instance);
}

void rm_cc_destroy(struct rm_gpu *gpu)
{
	struct rm_cc *cc = gpu->cc;

	if (!cc)
		return;
	gpu->cc = NULL;
	os_store_relaxed(&gpu->video_closed, 0u);
	rm_cc_transfer_fini(&cc->transfer);
	csl_deinit_context(&cc->messages);
	rm_spdm_destroy(cc->spdm);
	key_store_destroy(cc->keys);
	if (cc->surface.cpu)
		os_pages_free(&cc->surface);
	os_free_secret(cc, sizeof(*cc));
}

struct rm_spdm *rm_cc_session(struct rm_gpu *gpu)
{
	return gpu->cc ? gpu->cc->spdm : NULL;
}

struct rm_cc_transfer *rm_cc_transfer(const struct rm_gpu *gpu)
{
	return gpu->cc ? &gpu->cc->transfer : NULL;
}

struct key_store *rm_cc_keys(const struct rm_gpu *gpu)
{
	return gpu->cc ? gpu->cc->keys : NULL;
}

/* -- Messages ---------------------------------------------------------------------------------- */

enum nv_status rm_cc_seal(struct rm_cc *cc, void *text, u32 size, const u8 aad[RM_CC_AAD_SIZE],
			  u8 tag[RM_CC_TAG_SIZE])
{
	return csl_encrypt(&cc->messages, size, text, NULL, aad, RM_CC_AAD_SIZE, text, tag);
}

enum nv_status rm_cc_open(struct rm_cc *cc, void *text, u32 size, const u8 aad[RM_CC_AAD_SIZE],
			  const u8 tag[RM_CC_TAG_SIZE])
{
	return csl_decrypt(&cc->messages, size, text, NULL, aad, RM_CC_AAD_SIZE, text, tag);
}
