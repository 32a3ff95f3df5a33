// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * cc/session.h in a driver without cryptography: a GPU in confidential mode is not supported, and
 * says so; nothing else here is reached for one.
 */
#include "rm/cc/session.h"

#include "rm/gpu/regs.h"
#include "rm/gsp/gsp.h"

enum nv_status rm_cc_begin(struct rm_gpu *gpu)
{
	enum nv_status status = gsp_fsp_wait_ready(gpu);

	if (status != NV_OK)
		return status;
	if (REG_GET(NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_MODE_ENABLED,
		    gpu_rd32(gpu, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20)) !=
	    NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC_MODE_ENABLED_TRUE)
		return NV_OK;
	os_log(OS_LOG_ERROR,
	       "NVRM: GPU%u: confidential compute is not supported: this driver has no "
	       "cryptography",
	       gpu->instance);
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status rm_cc_establish(struct rm_gpu *gpu)
{
	return NV_OK;
}

void rm_cc_end(struct rm_gpu *gpu)
{
}

void rm_cc_destroy(struct rm_gpu *gpu)
{
}

u32 rm_cc_proxy_keys(const struct rm_gpu *gpu)
{
	return 0;
}

u32 rm_cc_mode(const struct rm_gpu *gpu)
{
	return 0;
}

struct rm_spdm *rm_cc_session(struct rm_gpu *gpu)
{
	return NULL;
}

struct key_store *rm_cc_keys(const struct rm_gpu *gpu)
{
	return NULL;
}

enum nv_status rm_cc_seal(struct rm_cc *cc, void *text, u32 size, const u8 aad[RM_CC_AAD_SIZE],
			  u8 tag[RM_CC_TAG_SIZE])
{
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status rm_cc_open(struct rm_cc *cc, void *text, u32 size, const u8 aad[RM_CC_AAD_SIZE],
			  const u8 tag[RM_CC_TAG_SIZE])
{
	return NV_ERR_NOT_SUPPORTED;
}
