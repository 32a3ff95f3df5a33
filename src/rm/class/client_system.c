// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The system and the driver: NV0000_CTRL_CMD_SYSTEM_* and the client's own settings.
 */
#include "base/bits.h"
#include "rm/class/client.h"
#include "rm/class/event.h"

/* The branch that the interface is of. */
#define BUILD_BRANCH "r535_00"
#define BUILD_TITLE "Leafhopper"

static void put_text(char *out, size_t room, const char *text)
{
	os_memset(out, 0, room);
	os_snprintf(out, room, "%s", text);
}

enum nv_status client_get_build_version_v2(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_V2_PARAMS *p = params;

	put_text(p->driverVersionBuffer, sizeof(p->driverVersionBuffer), rm_version(call->rm));
	put_text(p->versionBuffer, sizeof(p->versionBuffer), BUILD_BRANCH);
	put_text(p->titleBuffer, sizeof(p->titleBuffer), BUILD_TITLE);
	p->changelistNumber = 0;
	p->officialChangelistNumber = 0;
	return NV_OK;
}

/* What the operating system interface does not tell of the processor stays unknown. */
enum nv_status client_get_cpu_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_CPU_INFO_PARAMS *p = params;

	os_memset(p, 0, sizeof(*p));
	p->type = NV0000_CTRL_SYSTEM_CPU_TYPE_UNKNOWN;
	return NV_OK;
}

enum nv_status client_get_chipset_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_CHIPSET_INFO_PARAMS *p = params;

	os_memset(p, 0, sizeof(*p));
	p->vendorId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->deviceId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->subSysVendorId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->subSysDeviceId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->HBvendorId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->HBdeviceId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->HBsubSysVendorId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	p->HBsubSysDeviceId = NV0000_SYSTEM_CHIPSET_INVALID_ID;
	return NV_OK;
}

enum nv_status client_get_features(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_FEATURES_PARAMS *p = params;

	p->featuresMask = 0;
	return NV_OK;
}

enum nv_status client_get_platform_type(struct rm_call *call, void *params)
{
	NV0000_CTRL_CMD_SYSTEM_GET_PLATFORM_TYPE_PARAMS *p = params;

	p->systemType = NV0000_CTRL_SYSTEM_GET_PLATFORM_TYPE_DESKTOP;
	return NV_OK;
}

/* One instance a driver: any number that does not change will do. */
enum nv_status client_get_rm_instance_id(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_RM_INSTANCE_ID_PARAMS *p = params;

	p->rm_instance_id = call->rm->instance_id;
	return NV_OK;
}

enum nv_status client_get_privileged_status(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_PARAMS *p = params;

	p->privStatusFlags = 0;
	if (call->kernel)
		p->privStatusFlags |= NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_KERNEL_HANDLE_FLAG;
	if (rm_call_is_admin(call))
		p->privStatusFlags |= NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_PRIV_USER_FLAG |
				      NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_PRIV_HANDLE_FLAG;
	return NV_OK;
}

/* No switches that somebody outside would manage. */
enum nv_status client_get_fabric_status(struct rm_call *call, void *params)
{
	NV0000_CTRL_SYSTEM_GET_FABRIC_STATUS_PARAMS *p = params;

	p->fabricStatus = NV0000_CTRL_GET_SYSTEM_FABRIC_STATUS_SKIP;
	return NV_OK;
}

enum nv_status client_notify_event(struct rm_call *call, void *params)
{
	const NV0000_CTRL_SYSTEM_NOTIFY_EVENT_PARAMS *p = params;

	switch (p->eventType) {
	case NV0000_CTRL_SYSTEM_EVENT_TYPE_LID_STATE:
	case NV0000_CTRL_SYSTEM_EVENT_TYPE_DOCK_STATE:
	case NV0000_CTRL_SYSTEM_EVENT_TYPE_TRUST_LID:
	case NV0000_CTRL_SYSTEM_EVENT_TYPE_TRUST_DOCK:
	case NV0000_CTRL_SYSTEM_EVENT_TYPE_POWER_SOURCE:
		return NV_ERR_NOT_SUPPORTED;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

enum nv_status client_event_set_notification(struct rm_call *call, void *params)
{
	const NV0000_CTRL_EVENT_SET_NOTIFICATION_PARAMS *p = params;
	struct rm_client_extra *extra;

	if (p->event >= NV0000_NOTIFIERS_MAXCOUNT)
		return NV_ERR_INVALID_ARGUMENT;
	if (!rm_event_has_notifier(call->rm, call->object))
		return NV_ERR_INVALID_STATE;
	extra = client_extra(call->object);
	if (!extra)
		return NV_ERR_NO_MEMORY;
	switch (p->action) {
	case NV0000_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE:
	case NV0000_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT:
		if (extra->actions[p->event] != NV0000_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE)
			return NV_ERR_INVALID_STATE;
		break;
	case NV0000_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE:
		break;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
	extra->actions[p->event] = (u8)p->action;
	return NV_OK;
}

enum nv_status client_get_event_status(struct rm_call *call, void *params)
{
	NV0000_CTRL_GET_SYSTEM_EVENT_STATUS_PARAMS *p = params;
	struct rm_client_extra *extra = client_extra(call->object);

	if (!extra)
		return NV_ERR_NO_MEMORY;
	if (extra->head == extra->tail) {
		p->event = NV0000_NOTIFIERS_EVENT_NONE_PENDING;
		p->status = 0;
		return NV_OK;
	}
	p->event = extra->queue[extra->tail].event;
	p->status = extra->queue[extra->tail].status;
	extra->tail = (extra->tail + 1) % CLIENT_EVENT_QUEUE;
	return NV_OK;
}

enum nv_status client_set_sub_process(struct rm_call *call, void *params)
{
	const NV0000_CTRL_SET_SUB_PROCESS_ID_PARAMS *p = params;
	struct rm_client_extra *extra = client_extra(call->object);

	if (!extra)
		return NV_ERR_NO_MEMORY;
	extra->sub_process = p->subProcessID;
	os_memcpy(extra->sub_process_name, p->subProcessName, sizeof(extra->sub_process_name));
	extra->sub_process_name[sizeof(extra->sub_process_name) - 1] = '\0';
	return NV_OK;
}

enum nv_status client_disable_sub_process(struct rm_call *call, void *params)
{
	const NV0000_CTRL_DISABLE_SUB_PROCESS_USERD_ISOLATION_PARAMS *p = params;
	struct rm_client_extra *extra = client_extra(call->object);

	if (!extra)
		return NV_ERR_NO_MEMORY;
	extra->sub_process_disabled = p->bIsSubProcessDisabled != 0;
	return NV_OK;
}

enum nv_status client_gsync_get_attached_ids(struct rm_call *call, void *params)
{
	NV0000_CTRL_GSYNC_GET_ATTACHED_IDS_PARAMS *p = params;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(p->gsyncIds); i++)
		p->gsyncIds[i] = NV0000_CTRL_GSYNC_INVALID_ID;
	return NV_OK;
}

enum nv_status client_get_timestamp(struct rm_call *call, void *params)
{
	NV0000_CTRL_NVD_GET_TIMESTAMP_PARAMS *p = params;

	if (p->cpuClkId == NV0000_NVD_CPU_TIME_CLK_ID_OSTIME)
		p->timestamp = os_time_real_ns();
	else if (p->cpuClkId == NV0000_NVD_CPU_TIME_CLK_ID_PLATFORM_API ||
		 p->cpuClkId == NV0000_NVD_CPU_TIME_CLK_ID_DEFAULT)
		p->timestamp = os_time_ns();
	else
		return NV_ERR_NOT_SUPPORTED;
	return NV_OK;
}

enum nv_status client_sync_gpu_boost_info(struct rm_call *call, void *params)
{
	NV0000_SYNC_GPU_BOOST_INFO_PARAMS *p = params;

	p->bEnabled = 0;
	return NV_OK;
}

enum nv_status client_sync_gpu_boost_group_info(struct rm_call *call, void *params)
{
	NV0000_SYNC_GPU_BOOST_GROUP_INFO_PARAMS *p = params;

	p->groupCount = 0;
	return NV_OK;
}
