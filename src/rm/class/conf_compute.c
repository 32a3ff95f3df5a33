// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV_CONFIDENTIAL_COMPUTE (ConfidentialComputeApi): which mode CPU and GPUs are in, whether
 * the work of clients is accepted, what of a GPU is protected, and how to know which GPU it is.
 */
#include "rm/cc/session.h"
#include "rm/cc/spdm.h"
#include "rm/class/class.h"
#include "rm/class/state.h"

/* Every chip that this driver boots has the feature; whether it is on is another matter. */
static bool any_capable(struct rm *rm)
{
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		const struct rm_gpu *gpu = rm_gpu_by_instance(rm, i);

		if (gpu && os_load_acquire(&gpu->state) == RM_GPU_RUNNING)
			return true;
	}
	return false;
}

static enum nv_status get_capabilities(struct rm_call *call, void *params)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES_PARAMS *p = params;

	static const u8 cpus[] = {
		[OS_TEE_NONE] = NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_NONE,
		[OS_TEE_SEV] = NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_AMD_SEV,
		[OS_TEE_TDX] = NV_CONF_COMPUTE_SYSTEM_CPU_CAPABILITY_INTEL_TDX,
	};
	u32 cc = os_load_acquire(&call->rm->cc);

	p->cpuCapability = cpus[os_tee()];
	p->gpusCapability = any_capable(call->rm) ? NV_CONF_COMPUTE_SYSTEM_GPUS_CAPABILITY_HCC
						  : NV_CONF_COMPUTE_SYSTEM_GPUS_CAPABILITY_NONE;
	p->environment = cc & RM_CC_ENABLED ? NV_CONF_COMPUTE_SYSTEM_ENVIRONMENT_SIM
					    : NV_CONF_COMPUTE_SYSTEM_ENVIRONMENT_UNAVAILABLE;
	p->ccFeature = cc & RM_CC_ENABLED ? NV_CONF_COMPUTE_SYSTEM_FEATURE_HCC_ENABLED
					  : NV_CONF_COMPUTE_SYSTEM_FEATURE_DISABLED;
	p->devToolsMode = cc & RM_CC_DEVTOOLS ? NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_ENABLED
					      : NV_CONF_COMPUTE_SYSTEM_DEVTOOLS_MODE_DISABLED;
	return NV_OK;
}

static enum nv_status get_gpus_state(struct rm_call *call, void *params)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE_PARAMS *p = params;

	p->bAcceptClientRequest = (os_load_acquire(&call->rm->cc) & RM_CC_READY) != 0;
	return NV_OK;
}

static enum nv_status set_gpus_state(struct rm_call *call, void *params)
{
	const NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE_PARAMS *p = params;

	rm_cc_set_ready(call->rm, p->bAcceptClientRequest != 0);
	return NV_OK;
}

/* Of a GPU that is still there. */
static enum nv_status find_subdevice(struct rm_call *call, u32 handle, struct rm_object **out)
{
	enum nv_status status =
		rm_object_find_class(call->client, handle, ABI_ICLASS_Subdevice, out);

	if (status == NV_OK && !(*out)->gpu)
		status = NV_ERR_GPU_IS_LOST;
	return status;
}

/* In confidential mode all video memory is protected, otherwise none. */
static enum nv_status get_vidmem_size(struct rm_call *call, void *params)
{
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE_PARAMS *p = params;
	struct rm_gpu_objects *objects;
	struct rm_object *subdevice;
	enum nv_status status;
	u64 size;

	status = find_subdevice(call, p->hSubDevice, &subdevice);
	if (status != NV_OK)
		return status;
	status = rm_gpu_heap(subdevice->gpu, &objects);
	if (status != NV_OK)
		return status;
	os_mutex_lock(&objects->lock);
	size = objects->heap.total >> 10;
	os_mutex_unlock(&objects->lock);
	p->protectedMemSizeInKb = rm_cc_is_enabled(call->rm) ? size : 0;
	p->unprotectedMemSizeInKb = rm_cc_is_enabled(call->rm) ? 0 : size;
	return NV_OK;
}

static enum nv_status set_vidmem_size(struct rm_call *call, void *params)
{
	return NV_OK;
}

/* Its GPU's session, whose lock is held then. NV_ERR_OBJECT_NOT_FOUND: it has none. */
static enum nv_status find_session(struct rm_call *call, u32 handle, struct rm_spdm **session)
{
	struct rm_object *subdevice;
	enum nv_status status = find_subdevice(call, handle, &subdevice);

	if (status != NV_OK)
		return status;
	rm_call_lock_gpu(call, subdevice->gpu);
	if (rm_gpu_is_lost(subdevice->gpu))
		return NV_ERR_GPU_IS_LOST;
	*session = rm_cc_session(subdevice->gpu);
	return *session ? NV_OK : NV_ERR_OBJECT_NOT_FOUND;
}

/* r535 has no chain for key exchange and tells the room for one as its size. */
static enum nv_status get_certificate(struct rm_call *call, void *params)
{
	NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE_PARAMS *p = params;
	struct rm_spdm *session;
	enum nv_status status = find_session(call, p->hSubDevice, &session);

	if (status != NV_OK)
		return status;
	p->certChainSize = sizeof(p->certChain);
	p->attestationCertChainSize = sizeof(p->attestationCertChain);
	return rm_spdm_certificates(session, (char *)p->attestationCertChain,
				    sizeof(p->attestationCertChain), &p->attestationCertChainSize);
}

/* No report of a CEC (the board's own controller): its size is the room for it, as r535 tells. */
static enum nv_status get_report(struct rm_call *call, void *params)
{
	NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT_PARAMS *p = params;
	struct rm_spdm *session;
	enum nv_status status = find_session(call, p->hSubDevice, &session);

	if (status != NV_OK)
		return status;
	p->attestationReportSize = sizeof(p->attestationReport);
	p->isCecAttestationReportPresent = 0;
	p->cecAttestationReportSize = sizeof(p->cecAttestationReport);
	return rm_spdm_attest(session, p->nonce, p->attestationReport, sizeof(p->attestationReport),
			      &p->attestationReportSize);
}

static enum nv_status get_secure_channels(struct rm_call *call, void *params)
{
	NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_NUM_SECURE_CHANNELS_PARAMS *p = params;
	NV2080_CTRL_INTERNAL_FIFO_GET_NUM_SECURE_CHANNELS_PARAMS count;
	struct rm_object *subdevice;
	enum nv_status status = find_subdevice(call, p->hSubDevice, &subdevice);

	if (status != NV_OK)
		return status;
	os_memset(&count, 0, sizeof(count));
	status = rm_gpu_internal_control(subdevice->gpu,
					 NV2080_CTRL_CMD_INTERNAL_FIFO_GET_NUM_SECURE_CHANNELS,
					 &count, sizeof(count));
	if (status != NV_OK)
		return status;
	p->maxSec2Channels = count.maxSec2SecureChannels;
	p->maxCeChannels = count.maxCeSecureChannels;
	return NV_OK;
}

static const struct rm_control_handler controls[] = {
	{ NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES, get_capabilities },
	{ NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_GPUS_STATE, get_gpus_state },
	{ NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_SET_GPUS_STATE, set_gpus_state },
	{ NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_VIDMEM_SIZE, get_vidmem_size },
	{ NV_CONF_COMPUTE_CTRL_CMD_GPU_SET_VIDMEM_SIZE, set_vidmem_size },
	{ NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE, get_certificate },
	{ NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT, get_report },
	{ NV_CONF_COMPUTE_CTRL_CMD_GPU_GET_NUM_SECURE_CHANNELS, get_secure_channels },
};

const struct rm_class rm_class_confidential_compute = {
	.iclass = ABI_ICLASS_ConfidentialComputeApi,
	.object_size = sizeof(struct rm_object),
	.controls = controls,
	.control_count = ARRAY_SIZE(controls),
};
