// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Commands on the graphics and copy engines of a subdevice. What they are made of the firmware says
 * by commands of its own, of which the first entry is the one engine that there is without MIG.
 */
#include "base/bits.h"
#include "rm/class/subdevice.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/static_info.h"

/*
 * Asks the firmware for a block of size bytes, and hands it to take with the caller's parameters.
 * Blocks are too large for the stack.
 */
static enum nv_status ask(struct rm_call *call, u32 cmd, u32 size,
			  enum nv_status (*take)(const void *block, void *params), void *params)
{
	void *block = os_alloc(size);
	enum nv_status status;

	if (!block)
		return NV_ERR_NO_MEMORY;
	status = rm_gpu_internal_control(call->object->gpu, cmd, block, size);
	if (status == NV_OK)
		status = take(block, params);
	os_free(block);
	return status;
}

/* -- Information ------------------------------------------------------------------------------- */

static enum nv_status fill_list(const NV2080_CTRL_INTERNAL_STATIC_GR_INFO *info,
				NVXXXX_CTRL_XXX_INFO *list, u32 count)
{
	u32 i;

	if (count == 0 || count > NV2080_CTRL_GR_INFO_MAX_SIZE)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < count; i++) {
		if (list[i].index >= ARRAY_SIZE(info->infoList))
			return NV_ERR_INVALID_ARGUMENT;
		list[i].data = info->infoList[list[i].index].data;
	}
	return NV_OK;
}

static enum nv_status take_info(const void *block, void *params)
{
	const NV2080_CTRL_INTERNAL_STATIC_GR_GET_INFO_PARAMS *info = block;
	NV2080_CTRL_GR_GET_INFO_PARAMS *p = params;

	return fill_list(&info->engineInfo[0], (void *)(uintptr_t)p->grInfoList, p->grInfoListSize);
}

static enum nv_status take_info_v2(const void *block, void *params)
{
	const NV2080_CTRL_INTERNAL_STATIC_GR_GET_INFO_PARAMS *info = block;
	NV2080_CTRL_GR_GET_INFO_V2_PARAMS *p = params;

	return fill_list(&info->engineInfo[0], p->grInfoList, p->grInfoListSize);
}

enum nv_status subdevice_gr_get_info(struct rm_call *call, void *params)
{
	return ask(call, NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_INFO,
		   sizeof(NV2080_CTRL_INTERNAL_STATIC_GR_GET_INFO_PARAMS), take_info, params);
}

enum nv_status subdevice_gr_get_info_v2(struct rm_call *call, void *params)
{
	return ask(call, NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_INFO,
		   sizeof(NV2080_CTRL_INTERNAL_STATIC_GR_GET_INFO_PARAMS), take_info_v2, params);
}

static enum nv_status take_caps(const void *block, void *params)
{
	const NV2080_CTRL_INTERNAL_STATIC_GR_GET_CAPS_PARAMS *caps = block;
	NV2080_CTRL_GR_GET_CAPS_V2_PARAMS *p = params;

	os_memcpy(p->capsTbl, &caps->engineCaps[0], sizeof(p->capsTbl));
	p->bCapsPopulated = 1;
	return NV_OK;
}

enum nv_status subdevice_gr_get_caps_v2(struct rm_call *call, void *params)
{
	return ask(call, NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_CAPS,
		   sizeof(NV2080_CTRL_INTERNAL_STATIC_GR_GET_CAPS_PARAMS), take_caps, params);
}

static enum nv_status take_issue_rate(const void *block, void *params)
{
	const NV2080_CTRL_INTERNAL_STATIC_GR_GET_SM_ISSUE_RATE_MODIFIER_PARAMS *rates = block;
	const NV2080_CTRL_INTERNAL_STATIC_GR_SM_ISSUE_RATE_MODIFIER *r =
		&rates->smIssueRateModifier[0];
	NV2080_CTRL_GR_GET_SM_ISSUE_RATE_MODIFIER_PARAMS *p = params;

	p->imla0 = r->imla0;
	p->fmla16 = r->fmla16;
	p->dp = r->dp;
	p->fmla32 = r->fmla32;
	p->ffma = r->ffma;
	p->imla1 = r->imla1;
	p->imla2 = r->imla2;
	p->imla3 = r->imla3;
	p->imla4 = r->imla4;
	return NV_OK;
}

enum nv_status subdevice_gr_get_issue_rate(struct rm_call *call, void *params)
{
	return ask(call, NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_SM_ISSUE_RATE_MODIFIER,
		   sizeof(NV2080_CTRL_INTERNAL_STATIC_GR_GET_SM_ISSUE_RATE_MODIFIER_PARAMS),
		   take_issue_rate, params);
}

static enum nv_status take_sm_order(const void *block, void *params)
{
	const NV2080_CTRL_INTERNAL_STATIC_GR_GET_GLOBAL_SM_ORDER_PARAMS *all = block;
	const NV2080_CTRL_INTERNAL_STATIC_GR_GLOBAL_SM_ORDER *order = &all->globalSmOrder[0];
	NV2080_CTRL_GR_GET_GLOBAL_SM_ORDER_PARAMS *p = params;
	u32 i;

	if (order->numSm > ARRAY_SIZE(order->globalSmId))
		return NV_ERR_INVALID_DATA;
	for (i = 0; i < order->numSm; i++) {
		p->globalSmId[i].gpcId = order->globalSmId[i].gpcId;
		p->globalSmId[i].localTpcId = order->globalSmId[i].localTpcId;
		p->globalSmId[i].localSmId = order->globalSmId[i].localSmId;
		p->globalSmId[i].globalTpcId = order->globalSmId[i].globalTpcId;
		p->globalSmId[i].virtualGpcId = order->globalSmId[i].virtualGpcId;
		p->globalSmId[i].migratableTpcId = order->globalSmId[i].migratableTpcId;
	}
	p->numSm = order->numSm;
	p->numTpc = order->numTpc;
	return NV_OK;
}

enum nv_status subdevice_gr_get_sm_order(struct rm_call *call, void *params)
{
	return ask(call, NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_GLOBAL_SM_ORDER,
		   sizeof(NV2080_CTRL_INTERNAL_STATIC_GR_GET_GLOBAL_SM_ORDER_PARAMS), take_sm_order,
		   params);
}

/* -- Masks: known since boot ------------------------------------------------------------------- */

enum nv_status subdevice_gr_get_gpc_mask(struct rm_call *call, void *params)
{
	NV2080_CTRL_GR_GET_GPC_MASK_PARAMS *p = params;
	const struct rm_gpu_static *info = call->object->gpu->info;

	if (!info)
		return NV_ERR_INVALID_STATE;
	p->gpcMask = info->config.gpcInfo.gpcMask;
	return NV_OK;
}

static enum nv_status tpc_mask(const struct rm_call *call, u32 gpc, u32 *mask)
{
	const struct rm_gpu_static *info = call->object->gpu->info;

	if (!info)
		return NV_ERR_INVALID_STATE;
	if (gpc >= ARRAY_SIZE(info->config.tpcInfo) || !(info->config.gpcInfo.gpcMask & BIT32(gpc)))
		return NV_ERR_INVALID_ARGUMENT;
	*mask = info->config.tpcInfo[gpc].tpcMask;
	return NV_OK;
}

enum nv_status subdevice_gr_get_tpc_mask(struct rm_call *call, void *params)
{
	NV2080_CTRL_GR_GET_TPC_MASK_PARAMS *p = params;

	return tpc_mask(call, p->gpcId, &p->tpcMask);
}

enum nv_status subdevice_gr_get_tpc_count(struct rm_call *call, void *params)
{
	NV2080_CTRL_GR_GET_NUM_TPCS_FOR_GPC_PARAMS *p = params;
	enum nv_status status;
	u32 mask = 0;

	status = tpc_mask(call, p->gpcId, &mask);
	p->numTpcs = bits_count(mask);
	return status;
}

/* -- Contexts ---------------------------------------------------------------------------------- */

static enum nv_status take_buffers(const void *block, void *params)
{
	const NV2080_CTRL_INTERNAL_STATIC_GR_GET_CONTEXT_BUFFERS_INFO_PARAMS *all = block;
	NV2080_CTRL_GR_GET_CTX_BUFFER_SIZE_PARAMS *p = params;
	u32 i;

	p->totalBufferSize = 0;
	for (i = 0; i < ARRAY_SIZE(all->engineContextBuffersInfo[0].engine); i++)
		p->totalBufferSize += all->engineContextBuffersInfo[0].engine[i].size;
	return NV_OK;
}

enum nv_status subdevice_gr_get_buffer_size(struct rm_call *call, void *params)
{
	const NV2080_CTRL_GR_GET_CTX_BUFFER_SIZE_PARAMS *p = params;
	struct rm_object *channel;
	enum nv_status status;

	status =
		rm_object_find_class(call->client, p->hChannel, ABI_ICLASS_KernelChannel, &channel);
	if (status != NV_OK)
		return status;
	return ask(call, NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_CONTEXT_BUFFERS_INFO,
		   sizeof(NV2080_CTRL_INTERNAL_STATIC_GR_GET_CONTEXT_BUFFERS_INFO_PARAMS),
		   take_buffers, params);
}

/* -- Copy engines ------------------------------------------------------------------------------ */

enum nv_status subdevice_ce_get_all_caps(struct rm_call *call, void *params)
{
	return rm_gpu_internal_control(call->object->gpu, NV2080_CTRL_CMD_CE_GET_ALL_PHYSICAL_CAPS,
				       params, call->params_size);
}

enum nv_status subdevice_ce_get_caps_v2(struct rm_call *call, void *params)
{
	const NV2080_CTRL_CE_GET_CAPS_V2_PARAMS *p = params;

	if (p->ceEngineType < NV2080_ENGINE_TYPE_COPY0 ||
	    p->ceEngineType > NV2080_ENGINE_TYPE_COPY9)
		return NV_ERR_INVALID_ARGUMENT;
	return rm_gpu_internal_control(call->object->gpu, NV2080_CTRL_CMD_CE_GET_PHYSICAL_CAPS,
				       params, call->params_size);
}

/* -- What else a client asks while it waits for work ------------------------------------------- */

/* Interrupts find their way without being asked for; whoever waits may have them looked at now. */
enum nv_status subdevice_mc_service_interrupts(struct rm_call *call, void *params)
{
	rm_gpu_interrupts_kick(call->object->gpu, RM_GPU_KICK_MESSAGES);
	return NV_OK;
}

/* No work of the driver's own watches over a display. */
enum nv_status subdevice_rc_get_watchdog_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_RC_GET_WATCHDOG_INFO_PARAMS *p = params;

	p->watchdogStatusFlags = NV2080_CTRL_RC_GET_WATCHDOG_INFO_FLAGS_DISABLED;
	return NV_OK;
}

/* The GPU is not divided. */
enum nv_status subdevice_gpu_get_partition_ids(struct rm_call *call, void *params)
{
	os_memset(params, 0, call->params_size);
	return NV_OK;
}

/* In no open header; a list of numbered values, none of which this GPU has. */
enum nv_status subdevice_gpu_get_closed_information(struct rm_call *call, void *params)
{
	const closed_gpu_information *p = params;

	return p->count > ARRAY_SIZE(p->list) ? NV_ERR_INVALID_ARGUMENT : NV_OK;
}

/* In no open header; CUDA asks it before it says that GPUs reach each other, and reads no reply. */
enum nv_status subdevice_gpu_get_closed_byte(struct rm_call *call, void *params)
{
	return NV_OK;
}
