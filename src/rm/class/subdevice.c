// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV20_SUBDEVICE_0 (Subdevice): one GPU of a device, of which this driver makes one. The
 * firmware has its twin under the same handle.
 */
#include "rm/class/subdevice.h"

#include "rm/class/class.h"
#include "rm/class/nvlink.h"

/* No open header names these. */
#define CLOSED_GPU_INFORMATION 0x20808159u
#define CLOSED_PEER_BYTE 0x20808162u
#define ACQUIRE_COMPUTE_MODE_RESERVATION 0x20800145u
#define RELEASE_COMPUTE_MODE_RESERVATION 0x20800146u

static enum nv_status subdevice_construct(struct rm_call *call, struct rm_object *object,
					  void *params, u32 params_size)
{
	const NV2080_ALLOC_PARAMETERS *p = params;
	struct rm_subdevice *subdevice = to_subdevice(object);
	struct rm_class_state *state = call->rm->classes;
	struct rm_object *sibling;

	if (p && p->subDeviceId != 0)
		return NV_ERR_INVALID_CLASS;
	list_for_each_entry (sibling, &call->object->children, sibling) {
		if (sibling != object && sibling->class == &rm_class_subdevice &&
		    !(sibling->flags & RM_OBJECT_DEAD))
			return NV_ERR_INSUFFICIENT_RESOURCES;
	}
	rm_nvlink_learn_name(object->gpu);
	rm_fabric_probe_start(object->gpu);
	subdevice->pid = object->client->kernel ? 0 : object->client->cred.pid;
	os_mutex_lock(&state->event_lock);
	list_add_tail(&subdevice->node, &rm_gpu_objects_of(object->gpu)->subdevices);
	os_mutex_unlock(&state->event_lock);
	return NV_OK;
}

static void subdevice_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(object->gpu);
	struct rm_class_state *state = call->rm->classes;

	os_mutex_lock(&state->event_lock);
	list_del(&to_subdevice(object)->node);
	os_mutex_unlock(&state->event_lock);
	os_mutex_lock(&objects->lock);
	if (objects->compute_owner == object->client->handle)
		objects->compute_owner = 0;
	os_mutex_unlock(&objects->lock);
}

static const struct rm_control_handler subdevice_controls[] = {
	{ NV2080_CTRL_CMD_GPU_GET_INFO_V2, subdevice_gpu_get_info_v2 },
	{ NV2080_CTRL_CMD_GPU_GET_CACHED_INFO, subdevice_gpu_get_cached_info },
	{ NV2080_CTRL_CMD_GPU_GET_SDM, subdevice_gpu_get_sdm },
	{ NV2080_CTRL_CMD_GPU_GET_SIMULATION_INFO, subdevice_gpu_get_simulation_info },
	{ NV2080_CTRL_CMD_GPU_GET_COMPUTE_POLICY_CONFIG, subdevice_gpu_get_compute_policy_config },
	{ NV2080_CTRL_CMD_GPU_GET_ENGINES_V2, subdevice_gpu_get_engines_v2 },
	{ NV2080_CTRL_CMD_GPU_GET_ID, subdevice_gpu_get_id },
	{ NV2080_CTRL_CMD_GPU_QUERY_MODE, subdevice_gpu_query_mode },
	{ NV2080_CTRL_CMD_GPU_GET_MAX_SUPPORTED_PAGE_SIZE, subdevice_gpu_get_max_page_size },
	{ NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO, subdevice_gpu_get_fabric_probe },
	{ NV2080_CTRL_CMD_GPU_GET_FERMI_GPC_INFO, subdevice_gpu_get_fermi_gpc_info },
	{ NV2080_CTRL_CMD_GPU_GET_FERMI_TPC_INFO, subdevice_gpu_get_fermi_tpc_info },
	{ NV2080_CTRL_CMD_MC_GET_ARCH_INFO, subdevice_mc_get_arch_info },
	{ NV2080_CTRL_CMD_MC_GET_MANUFACTURER, subdevice_mc_get_manufacturer },
	{ NV2080_CTRL_CMD_GPU_GET_PIDS, subdevice_gpu_get_pids },
	{ NV2080_CTRL_CMD_GPU_GET_PID_INFO, subdevice_gpu_get_pid_info },
	{ NV2080_CTRL_CMD_GPU_QUERY_COMPUTE_MODE_RULES, subdevice_gpu_query_compute_rules },
	{ NV2080_CTRL_CMD_GPU_SET_COMPUTE_MODE_RULES, subdevice_gpu_set_compute_rules },
	{ ACQUIRE_COMPUTE_MODE_RESERVATION, subdevice_gpu_acquire_compute },
	{ RELEASE_COMPUTE_MODE_RESERVATION, subdevice_gpu_release_compute },
	{ NV2080_CTRL_CMD_GPU_GET_ENCODER_CAPACITY, subdevice_gpu_get_encoder_capacity },
	{ NV2080_CTRL_GPU_GET_NVENC_SW_SESSION_STATS, subdevice_gpu_get_nvenc_stats },
	{ NV2080_CTRL_GPU_GET_NVENC_SW_SESSION_INFO, subdevice_gpu_get_nvenc_sessions },
	{ NV2080_CTRL_GPU_GET_NVENC_SW_SESSION_INFO_V2, subdevice_gpu_get_nvenc_sessions_v2 },
	{ NV2080_CTRL_GPU_GET_NVFBC_SW_SESSION_STATS, subdevice_gpu_get_nvfbc_stats },
	{ NV2080_CTRL_GPU_GET_NVFBC_SW_SESSION_INFO, subdevice_gpu_get_nvfbc_sessions },
	{ NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION, subdevice_event_set_notification },
	{ NV2080_CTRL_CMD_EVENT_SET_TRIGGER, subdevice_event_set_trigger },
	{ NV2080_CTRL_CMD_EVENT_SET_MEMORY_NOTIFIES, subdevice_event_set_memory_notifies },
	{ NV2080_CTRL_CMD_FB_GET_INFO_V2, subdevice_fb_get_info_v2 },
	{ NV2080_CTRL_CMD_FB_GET_FB_REGION_INFO, subdevice_fb_get_region_info },
	{ NV2080_CTRL_CMD_FB_GET_NUMA_INFO, subdevice_fb_get_numa_info },
	{ NV2080_CTRL_CMD_BUS_GET_PCI_INFO, subdevice_bus_get_pci_info },
	{ NV2080_CTRL_CMD_BUS_GET_PCI_BAR_INFO, subdevice_bus_get_pci_bar_info },
	{ NV2080_CTRL_CMD_BUS_GET_INFO_V2, subdevice_bus_get_info_v2 },
	{ NV2080_CTRL_CMD_TIMER_GET_TIME, subdevice_timer_get_time },
	{ NV2080_CTRL_CMD_TIMER_GET_REGISTER_OFFSET, subdevice_timer_get_register_offset },
	{ NV2080_CTRL_CMD_TIMER_GET_GPU_CPU_TIME_CORRELATION_INFO,
	  subdevice_timer_get_correlation },
	{ NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, subdevice_perf_set_rated_tdp },
	{ NV2080_CTRL_CMD_PERF_SET_POWERSTATE, subdevice_perf_set_power_state },
	{ NV2080_CTRL_CMD_NVLINK_GET_NVLINK_CAPS, subdevice_nvlink_get_caps },
	{ NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS, subdevice_nvlink_get_status },
	{ NV2080_CTRL_CMD_GR_GET_INFO, subdevice_gr_get_info },
	{ NV2080_CTRL_CMD_GR_GET_INFO_V2, subdevice_gr_get_info_v2 },
	{ NV2080_CTRL_CMD_GR_GET_CAPS_V2, subdevice_gr_get_caps_v2 },
	{ NV2080_CTRL_CMD_GR_GET_SM_ISSUE_RATE_MODIFIER, subdevice_gr_get_issue_rate },
	{ NV2080_CTRL_CMD_GR_GET_GLOBAL_SM_ORDER, subdevice_gr_get_sm_order },
	{ NV2080_CTRL_CMD_GR_GET_GPC_MASK, subdevice_gr_get_gpc_mask },
	{ NV2080_CTRL_CMD_GR_GET_TPC_MASK, subdevice_gr_get_tpc_mask },
	{ NV2080_CTRL_CMD_GR_GET_NUM_TPCS_FOR_GPC, subdevice_gr_get_tpc_count },
	{ NV2080_CTRL_CMD_GR_GET_CTX_BUFFER_SIZE, subdevice_gr_get_buffer_size },
	{ NV2080_CTRL_CMD_CE_GET_ALL_CAPS, subdevice_ce_get_all_caps },
	{ NV2080_CTRL_CMD_CE_GET_CAPS_V2, subdevice_ce_get_caps_v2 },
	{ NV2080_CTRL_CMD_MC_SERVICE_INTERRUPTS, subdevice_mc_service_interrupts },
	{ NV2080_CTRL_CMD_RC_GET_WATCHDOG_INFO, subdevice_rc_get_watchdog_info },
	{ NV2080_CTRL_CMD_GPU_GET_ACTIVE_PARTITION_IDS, subdevice_gpu_get_partition_ids },
	{ CLOSED_GPU_INFORMATION, subdevice_gpu_get_closed_information },
	{ CLOSED_PEER_BYTE, subdevice_gpu_get_closed_byte },
};

const struct rm_class rm_class_subdevice = {
	.iclass = ABI_ICLASS_Subdevice,
	.object_size = sizeof(struct rm_subdevice),
	.construct = subdevice_construct,
	.destruct = subdevice_destruct,
	.controls = subdevice_controls,
	.control_count = ARRAY_SIZE(subdevice_controls),
	.mirrored = true,
};
