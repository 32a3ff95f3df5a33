// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Commands of channels, channel groups and address spaces. What the driver's half routes here, and
 * what it hands on when it has done its part (schedule, bind, stop, reset, class to engine).
 */
#include "base/bits.h"
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

static struct fw_node *node_of(const struct fw_call *call)
{
	return container_of((struct fw_object *)call->object, struct fw_node, object);
}

static struct fw_work *work_of(const struct fw_call *call)
{
	return &node_of(call)->work;
}

/* -- Groups ------------------------------------------------------------------------------------ */

static enum nv_status group_schedule(struct fw_call *call, void *params, u32 size)
{
	const NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS *p = params;

	if (!work_of(call)->group)
		return NV_ERR_INVALID_STATE;
	h100_group_schedule(work_of(call)->group, p->bEnable);
	return NV_OK;
}

static enum nv_status group_timeslice(struct fw_call *call, void *params, u32 size)
{
	NVA06C_CTRL_TIMESLICE_PARAMS *p = params;
	struct h100_group *group = work_of(call)->group;
	enum nv_status status;

	if (!group)
		return NV_ERR_INVALID_STATE;
	status = h100_group_set_timeslice(group, p->timesliceUs);
	/* What it is now, which may be less. */
	if (status == NV_OK)
		p->timesliceUs = h100_group_timeslice(group);
	return status;
}

static enum nv_status group_preempt(struct fw_call *call, void *params, u32 size)
{
	const NVA06C_CTRL_PREEMPT_PARAMS *p = params;

	if (!work_of(call)->group)
		return NV_ERR_INVALID_STATE;
	if (p->bManualTimeout && p->timeoutUs > NVA06C_CTRL_CMD_PREEMPT_MAX_MANUAL_TIMEOUT_US)
		return NV_ERR_INVALID_ARGUMENT;
	h100_group_preempt(work_of(call)->group, p->bWait);
	return NV_OK;
}

static enum nv_status group_interleave(struct fw_call *call, void *params, u32 size)
{
	const NVA06C_CTRL_INTERLEAVE_LEVEL_PARAMS *p = params;

	if (!work_of(call)->group)
		return NV_ERR_INVALID_STATE;
	return h100_group_set_interleave(work_of(call)->group, p->tsgInterleaveLevel);
}

/* Methods of a channel that faults are not saved: it is reset. */
static enum nv_status group_method_buffers(struct fw_call *call, void *params, u32 size)
{
	const NVA06C_CTRL_INTERNAL_PROMOTE_FAULT_METHOD_BUFFERS_PARAMS *p = params;

	if (!work_of(call)->group)
		return NV_ERR_INVALID_STATE;
	return p->numValidEntries <= ARRAY_SIZE(p->methodBufferMemdesc) ? NV_OK
									: NV_ERR_INVALID_ARGUMENT;
}

/* -- Channels ---------------------------------------------------------------------------------- */

static enum nv_status channel_schedule(struct fw_call *call, void *params, u32 size)
{
	const NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS *p = params;

	if (!work_of(call)->channel)
		return NV_ERR_INVALID_STATE;
	h100_channel_schedule(work_of(call)->channel, p->bEnable);
	return NV_OK;
}

/* Of the whole group that it is in, its own or one above. */
static enum nv_status channel_interleave(struct fw_call *call, void *params, u32 size)
{
	const NVA06F_CTRL_INTERLEAVE_LEVEL_PARAMS *p = params;
	struct fw_node *node = node_of(call);

	if (!node->work.channel)
		return NV_ERR_INVALID_STATE;
	if (!node->work.group)
		node = node->parent;
	return h100_group_set_interleave(node->work.group, p->channelInterleaveLevel);
}

/* The runlist that a channel is on was fixed when it was made. */
static enum nv_status channel_bind(struct fw_call *call, void *params, u32 size)
{
	const NVA06F_CTRL_BIND_PARAMS *p = params;
	const struct h100_engine_info *engine;

	if (!work_of(call)->channel)
		return NV_ERR_INVALID_STATE;
	engine = h100_engines_find(call->fw->engines, p->engineType);
	if (!engine || engine->runlist != h100_channel_runlist(work_of(call)->channel))
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

static enum nv_status channel_stop(struct fw_call *call, void *params, u32 size)
{
	if (!work_of(call)->channel)
		return NV_ERR_INVALID_STATE;
	h100_channel_schedule(work_of(call)->channel, false);
	return NV_OK;
}

static enum nv_status channel_reset(struct fw_call *call, void *params, u32 size)
{
	if (!work_of(call)->channel)
		return NV_ERR_INVALID_STATE;
	h100_channel_reset(work_of(call)->channel);
	return NV_OK;
}

static enum nv_status class_engine(struct fw_call *call, void *params, u32 size)
{
	NVC36F_CTRL_GET_CLASS_ENGINEID_PARAMS *p = params;
	struct fw_node *node;

	if (fw_store_find(&call->fw->store, call->object->client, p->hObject, &node) != NV_OK ||
	    !node->work.engine || node->parent != node_of(call))
		return NV_ERR_INVALID_OBJECT_HANDLE;
	p->classID = node->object.class_id;
	p->engineID = node->work.engine->type;
	/* What SET_OBJECT takes: hosts look at the class alone. */
	p->classEngineID = node->object.class_id;
	return NV_OK;
}

static enum nv_status channel_fault(struct fw_call *call, void *params, u32 size)
{
	NV906F_CTRL_GET_MMU_FAULT_INFO_PARAMS *p = params;
	struct h100_fifo_error error;

	if (!work_of(call)->channel)
		return NV_ERR_INVALID_STATE;
	memset(p, 0, size);
	if (!h100_channel_error(work_of(call)->channel, &error) || !error.has_fault)
		return NV_OK;
	p->addrHi = bits_high32(error.fault.va);
	p->addrLo = bits_low32(error.fault.va);
	p->faultType = error.fault.type;
	fw_put_text(p->faultString, sizeof(p->faultString) - 1,
		    h100_fault_type_text(error.fault.type));
	return NV_OK;
}

static enum nv_status method_buffer(struct fw_call *call, void *params, u32 size)
{
	return work_of(call)->channel ? NV_OK : NV_ERR_INVALID_STATE;
}

/* Encryption is the driver's, which is decryption here; SEC2 verifies what the driver signs. */
static enum nv_status channel_rotate(struct fw_call *call, void *params, u32 size)
{
	static const u32 which[] = {
		[ROTATE_IV_ENCRYPT] = H100_SECURE_DECRYPT,
		[ROTATE_IV_DECRYPT] = H100_SECURE_ENCRYPT | H100_SECURE_NONCE,
		[ROTATE_IV_HMAC] = H100_SECURE_NONCE,
		[ROTATE_IV_ALL_VALID] =
			H100_SECURE_DECRYPT | H100_SECURE_ENCRYPT | H100_SECURE_NONCE,
	};
	const NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS *p = params;
	struct h100_secure_start start;

	if (!work_of(call)->channel)
		return NV_ERR_INVALID_STATE;
	if (p->rotateIvType >= ARRAY_SIZE(which))
		return NV_ERR_INVALID_ARGUMENT;
	memcpy(start.decrypt, p->updatedKmb.encryptBundle.iv, sizeof(start.decrypt));
	memcpy(start.encrypt, p->updatedKmb.decryptBundle.iv, sizeof(start.encrypt));
	memcpy(start.nonce, p->updatedKmb.hmacBundle.nonce, sizeof(start.nonce));
	return h100_channel_rotate(work_of(call)->channel, which[p->rotateIvType], &start);
}

/* -- Several at once --------------------------------------------------------------------------- */

static enum nv_status disable_channels(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS *p = params;
	struct fw_node *node;
	enum nv_status status;
	u32 i;

	if (p->numChannels > ARRAY_SIZE(p->hChannelList) || p->pRunlistPreemptEvent != 0)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->numChannels; i++) {
		status = fw_store_find(&call->fw->store, p->hClientList[i], p->hChannelList[i],
				       &node);
		if (status != NV_OK)
			return status;
		if (!node->work.channel)
			return NV_ERR_INVALID_OBJECT_HANDLE;
	}
	for (i = 0; i < p->numChannels; i++) {
		fw_store_find(&call->fw->store, p->hClientList[i], p->hChannelList[i], &node);
		h100_channel_enable(node->work.channel, !p->bDisable);
	}
	return NV_OK;
}

/* Whether they are idle now: the driver asks again until its time is over. */
static enum nv_status idle_channels(struct fw_call *call, void *params, u32 size)
{
	const NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS *p = params;
	enum nv_status status = NV_OK;
	struct fw_node *node;
	u32 i;

	if (p->numChannels > ARRAY_SIZE(p->hChannels))
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->numChannels; i++) {
		if (fw_store_find(&call->fw->store, call->object->client, p->hChannels[i], &node) !=
			    NV_OK ||
		    !node->work.channel)
			return NV_ERR_OBJECT_NOT_FOUND;
		if (!h100_channel_idle(node->work.channel))
			status = NV_ERR_TIMEOUT;
	}
	return status;
}

static enum nv_status start_selected_channels(struct fw_call *call, void *params, u32 size)
{
	const NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS *p = params;
	const NV0080_CTRL_FIFO_CHANNEL *channels = (const void *)(uintptr_t)p->fifoStartChannelList;
	struct fw_client *client = fw_store_client(&call->fw->store, call->object->client);
	u32 i;

	if (p->fifoStartChannelListCount != 0 && !channels)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->fifoStartChannelListCount; i++) {
		const struct fw_node *node = fw_client_object(client, channels[i].hChannel);

		if (!node || node->object.iclass != ABI_ICLASS_KernelChannel)
			return NV_ERR_INVALID_ARGUMENT;
	}
	for (i = 0; i < p->fifoStartChannelListCount; i++) {
		const struct fw_node *node = fw_client_object(client, channels[i].hChannel);

		if (node->work.channel)
			h100_channel_schedule(node->work.channel, true);
	}
	return NV_OK;
}

/* -- Address spaces ---------------------------------------------------------------------------- */

static bool pdb_ok(const struct fw *fw, const struct h100_pdb *pdb)
{
	if (!is_aligned(pdb->address, FW_PAGE))
		return false;
	return pdb->aperture != H100_APERTURE_VIDEO || pdb->address < fw->video_bytes;
}

/* As GMMU apertures of page directory entries: 1 video, 2 and 3 system. */
static bool pde_aperture(u32 value, u8 *aperture)
{
	switch (value) {
	case NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY:
		*aperture = H100_APERTURE_VIDEO;
		return true;
	case NV_MMU_VER3_PDE_APERTURE_SYSTEM_COHERENT_MEMORY:
		*aperture = H100_APERTURE_SYSTEM_COHERENT;
		return true;
	case NV_MMU_VER3_PDE_APERTURE_SYSTEM_NON_COHERENT_MEMORY:
		*aperture = H100_APERTURE_SYSTEM_NONCOHERENT;
		return true;
	default:
		return false;
	}
}

/* The first of the levels is the root, which is all that is needed: the walk finds the others. */
static enum nv_status space_pdes(struct fw_call *call, void *params, u32 size)
{
	const NV90F1_CTRL_VASPACE_COPY_SERVER_RESERVED_PDES_PARAMS *p = params;
	struct h100_pdb pdb = { .address = p->levels[0].physAddress };

	if (!work_of(call)->space)
		return NV_ERR_INVALID_STATE;
	if (p->numLevelsToCopy == 0 || p->numLevelsToCopy > ARRAY_SIZE(p->levels) ||
	    !pde_aperture(p->levels[0].aperture, &pdb.aperture) || !pdb_ok(call->fw, &pdb))
		return NV_ERR_INVALID_ARGUMENT;
	h100_space_set(work_of(call)->space, &pdb);
	return NV_OK;
}

static bool directory_aperture(u32 flags, u8 *aperture)
{
	switch (REG_GET(NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE, flags)) {
	case NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE_VIDMEM:
		*aperture = H100_APERTURE_VIDEO;
		return true;
	case NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE_SYSMEM_COH:
		*aperture = H100_APERTURE_SYSTEM_COHERENT;
		return true;
	case NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_FLAGS_APERTURE_SYSMEM_NONCOH:
		*aperture = H100_APERTURE_SYSTEM_NONCOHERENT;
		return true;
	default:
		return false;
	}
}

static enum nv_status set_page_directory(struct fw_call *call, void *params, u32 size)
{
	const NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_PARAMS *p = params;
	struct h100_pdb pdb = { .address = p->physAddress };
	struct h100_space *space;
	enum nv_status status;

	if (!directory_aperture(p->flags, &pdb.aperture) || !pdb_ok(call->fw, &pdb))
		return NV_ERR_INVALID_ARGUMENT;
	status = fw_work_space(call->fw, node_of(call), p->hVASpace, &space);
	if (status == NV_OK)
		h100_space_set(space, &pdb);
	return status;
}

static enum nv_status unset_page_directory(struct fw_call *call, void *params, u32 size)
{
	const NV0080_CTRL_DMA_UNSET_PAGE_DIRECTORY_PARAMS *p = params;
	struct h100_space *space;
	enum nv_status status;

	status = fw_work_space(call->fw, node_of(call), p->hVASpace, &space);
	if (status == NV_OK)
		h100_space_set(space, NULL);
	return status;
}

/* The space that requests on the device mean by no handle. */
static enum nv_status set_default_space(struct fw_call *call, void *params, u32 size)
{
	const NV0080_CTRL_DMA_SET_DEFAULT_VASPACE_PARAMS *p = params;
	struct fw_work *work = work_of(call);
	struct h100_space *space, *old = work->space;
	enum nv_status status;

	if (!p->hVASpace)
		return NV_ERR_INVALID_ARGUMENT;
	status = fw_work_space(call->fw, node_of(call), p->hVASpace, &space);
	if (status != NV_OK || space == old)
		return status;
	work->space = h100_space_get(space);
	if (old)
		h100_space_put(old);
	return NV_OK;
}

#define WORK_CONTROL(number, type, function) FW_CONTROL_ENGINES(number, type, function, false)
#define WORK_CONTROL_SERIALISED(number, type, function) \
	FW_CONTROL_ENGINES(number, type, function, true)

static const struct fw_control controls[] = {
	WORK_CONTROL(NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS,
		     group_schedule),
	WORK_CONTROL(NVA06C_CTRL_CMD_INTERNAL_GPFIFO_SCHEDULE, NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS,
		     group_schedule),
	WORK_CONTROL(NVA06C_CTRL_CMD_SET_TIMESLICE, NVA06C_CTRL_TIMESLICE_PARAMS, group_timeslice),
	WORK_CONTROL(NVA06C_CTRL_CMD_INTERNAL_SET_TIMESLICE, NVA06C_CTRL_TIMESLICE_PARAMS,
		     group_timeslice),
	WORK_CONTROL(NVA06C_CTRL_CMD_SET_INTERLEAVE_LEVEL, NVA06C_CTRL_INTERLEAVE_LEVEL_PARAMS,
		     group_interleave),
	WORK_CONTROL(NVA06C_CTRL_CMD_PREEMPT, NVA06C_CTRL_PREEMPT_PARAMS, group_preempt),
	WORK_CONTROL(NVA06C_CTRL_CMD_INTERNAL_PROMOTE_FAULT_METHOD_BUFFERS,
		     NVA06C_CTRL_INTERNAL_PROMOTE_FAULT_METHOD_BUFFERS_PARAMS,
		     group_method_buffers),
	WORK_CONTROL(NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS,
		     channel_schedule),
	WORK_CONTROL(NVC36F_CTRL_CMD_GPFIFO_SCHEDULE, NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS,
		     channel_schedule),
	WORK_CONTROL(NVA06F_CTRL_CMD_SET_INTERLEAVE_LEVEL, NVA06F_CTRL_INTERLEAVE_LEVEL_PARAMS,
		     channel_interleave),
	WORK_CONTROL(NVA06F_CTRL_CMD_BIND, NVA06F_CTRL_BIND_PARAMS, channel_bind),
	WORK_CONTROL(NVC36F_CTRL_CMD_BIND, NVA06F_CTRL_BIND_PARAMS, channel_bind),
	WORK_CONTROL(NVA06F_CTRL_CMD_STOP_CHANNEL, NVA06F_CTRL_STOP_CHANNEL_PARAMS, channel_stop),
	WORK_CONTROL(NV906F_CTRL_CMD_RESET_CHANNEL, NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS,
		     channel_reset),
	WORK_CONTROL(NVA06F_CTRL_CMD_RESET_CHANNEL, NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS,
		     channel_reset),
	WORK_CONTROL(NVC36F_CTRL_CMD_RESET_CHANNEL, NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS,
		     channel_reset),
	WORK_CONTROL(NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV,
		     NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS, channel_rotate),
	WORK_CONTROL(NV506F_CTRL_CMD_RESET_ISOLATED_CHANNEL,
		     NV506F_CTRL_CMD_RESET_ISOLATED_CHANNEL_PARAMS, channel_reset),
	WORK_CONTROL(NV906F_CTRL_GET_CLASS_ENGINEID, NVC36F_CTRL_GET_CLASS_ENGINEID_PARAMS,
		     class_engine),
	WORK_CONTROL(NVA06F_CTRL_GET_CLASS_ENGINEID, NVC36F_CTRL_GET_CLASS_ENGINEID_PARAMS,
		     class_engine),
	WORK_CONTROL(NVC36F_CTRL_GET_CLASS_ENGINEID, NVC36F_CTRL_GET_CLASS_ENGINEID_PARAMS,
		     class_engine),
	WORK_CONTROL(NV906F_CTRL_CMD_GET_MMU_FAULT_INFO, NV906F_CTRL_GET_MMU_FAULT_INFO_PARAMS,
		     channel_fault),
	WORK_CONTROL(NVA06F_CTRL_CMD_GET_MMU_FAULT_INFO, NV906F_CTRL_GET_MMU_FAULT_INFO_PARAMS,
		     channel_fault),
	WORK_CONTROL(NVC36F_CTRL_CMD_GPFIFO_UPDATE_FAULT_METHOD_BUFFER,
		     NVC36F_CTRL_GPFIFO_UPDATE_FAULT_METHOD_BUFFER_PARAMS, method_buffer),
	WORK_CONTROL(NV2080_CTRL_CMD_FIFO_DISABLE_CHANNELS,
		     NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS, disable_channels),
	WORK_CONTROL(NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS, NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS,
		     idle_channels),
	WORK_CONTROL_SERIALISED(NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS,
				NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS,
				start_selected_channels),
	WORK_CONTROL(NV90F1_CTRL_CMD_VASPACE_COPY_SERVER_RESERVED_PDES,
		     NV90F1_CTRL_VASPACE_COPY_SERVER_RESERVED_PDES_PARAMS, space_pdes),
	WORK_CONTROL(NV0080_CTRL_DMA_SET_DEFAULT_VASPACE,
		     NV0080_CTRL_DMA_SET_DEFAULT_VASPACE_PARAMS, set_default_space),
	WORK_CONTROL(NV0080_CTRL_CMD_DMA_SET_PAGE_DIRECTORY,
		     NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_PARAMS, set_page_directory),
	WORK_CONTROL(NV0080_CTRL_CMD_DMA_UNSET_PAGE_DIRECTORY,
		     NV0080_CTRL_DMA_UNSET_PAGE_DIRECTORY_PARAMS, unset_page_directory),
};

FW_CONTROL_GROUP(fw_controls_channel, "channels", controls);
