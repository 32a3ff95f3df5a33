// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes that a GPU lists and this driver has no objects of yet. Each is known: its parents,
 * parameters and rights are checked like any other's. What the kinds below have besides, such as
 * the channels of older GPUs, is no class of this GPU.
 */
#include "rm/class/listed.h"

#include "rm/class/class.h"

/* The classes of a GH100, which tools look up in the list. */
const u32 rm_listed_classes[] = {
	ACCESS_COUNTER_NOTIFY_BUFFER,
	AMPERE_CHANNEL_GPFIFO_A,
	AMPERE_USERMODE_A,
	FERMI_CONTEXT_SHARE_A,
	FERMI_TWOD_A,
	FERMI_VASPACE_A,
	GF100_SUBDEVICE_INFOROM,
	GF100_SUBDEVICE_MASTER,
	GF100_TIMED_SEMAPHORE_SW,
	GF100_ZBC_CLEAR,
	GP100_UVM_SW,
	GT200_DEBUGGER,
	HOPPER_A,
	HOPPER_CHANNEL_GPFIFO_A,
	HOPPER_COMPUTE_A,
	HOPPER_DMA_COPY_A,
	HOPPER_SEC2_WORK_LAUNCH_A,
	HOPPER_USERMODE_A,
	KEPLER_CHANNEL_GROUP_A,
	KEPLER_INLINE_TO_MEMORY_B,
	MMU_FAULT_BUFFER,
	NV01_MEMORY_VIRTUAL,
	NV50_DEFERRED_API_CLASS,
	NV50_MEMORY_VIRTUAL,
	NV50_P2P,
	NV50_THIRD_PARTY_P2P,
	NVB8B0_VIDEO_DECODER,
	NVB8D1_VIDEO_NVJPG,
	NVB8FA_VIDEO_OFA,
	NV_CONFIDENTIAL_COMPUTE,
	RM_USER_SHARED_DATA,
	TURING_CHANNEL_GPFIFO_A,
	TURING_USERMODE_A,
	VOLTA_CHANNEL_GPFIFO_A,
	VOLTA_USERMODE_A,
};
const u32 rm_listed_class_count = ARRAY_SIZE(rm_listed_classes);

bool rm_class_listed(u32 class_id)
{
	u32 i;

	for (i = 0; i < rm_listed_class_count; i++)
		if (rm_listed_classes[i] == class_id)
			return true;
	return false;
}

static enum nv_status listed_construct(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	return rm_class_listed(object->class_id) ? NV_ERR_NOT_SUPPORTED : NV_ERR_INVALID_CLASS;
}

#define DEFINE(name)                                     \
	const struct rm_class rm_listed_##name = {       \
		.iclass = ABI_ICLASS_##name,             \
		.object_size = sizeof(struct rm_object), \
		.construct = listed_construct,           \
	};
RM_LISTED_KINDS(DEFINE)
