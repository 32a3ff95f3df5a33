/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Subdevice objects: one GPU of a device as a client sees it. Its commands are split by subject
 * into subdevice_*.c; the table of them is in subdevice.c.
 */
#ifndef RM_CLASS_SUBDEVICE_H
#define RM_CLASS_SUBDEVICE_H

#include "rm/class/state.h"

struct rm_subdevice {
	struct rm_object object;
	struct list_node node; /* of its GPU's subdevices; event lock */
	u32 pid;	       /* of who made its client; 0: the driver */
	u32 notifier_memory;   /* SET_MEMORY_NOTIFIES; 0: none */
	/* NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_*, by notifier index; event lock. */
	u8 actions[NV2080_NOTIFIERS_MAXCOUNT];
};

static inline struct rm_subdevice *to_subdevice(struct rm_object *object)
{
	return container_of(object, struct rm_subdevice, object);
}

/* Whether the index is armed; a single notification disarms it. Event lock held. */
bool subdevice_take_armed(struct rm_subdevice *subdevice, u32 index);

/* subdevice_event.c */
enum nv_status subdevice_event_set_notification(struct rm_call *call, void *params);
enum nv_status subdevice_event_set_trigger(struct rm_call *call, void *params);
enum nv_status subdevice_event_set_memory_notifies(struct rm_call *call, void *params);

/* subdevice_gpu.c */
enum nv_status subdevice_gpu_get_info_v2(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_cached_info(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_sdm(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_simulation_info(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_compute_policy_config(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_engines_v2(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_id(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_query_mode(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_max_page_size(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_fabric_probe(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_fermi_gpc_info(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_fermi_tpc_info(struct rm_call *call, void *params);
enum nv_status subdevice_mc_get_arch_info(struct rm_call *call, void *params);
enum nv_status subdevice_mc_get_manufacturer(struct rm_call *call, void *params);

/* subdevice_perf.c */
enum nv_status subdevice_perf_set_rated_tdp(struct rm_call *call, void *params);
enum nv_status subdevice_perf_set_power_state(struct rm_call *call, void *params);

/* subdevice_process.c */
enum nv_status subdevice_gpu_get_pids(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_pid_info(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_query_compute_rules(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_set_compute_rules(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_acquire_compute(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_release_compute(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_encoder_capacity(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_nvenc_stats(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_nvenc_sessions(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_nvenc_sessions_v2(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_nvfbc_stats(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_nvfbc_sessions(struct rm_call *call, void *params);

/* subdevice_fb.c */
enum nv_status subdevice_fb_get_info_v2(struct rm_call *call, void *params);
enum nv_status subdevice_fb_get_region_info(struct rm_call *call, void *params);
enum nv_status subdevice_fb_get_numa_info(struct rm_call *call, void *params);

/* subdevice_bus.c */
enum nv_status subdevice_bus_get_pci_info(struct rm_call *call, void *params);
enum nv_status subdevice_bus_get_pci_bar_info(struct rm_call *call, void *params);
enum nv_status subdevice_bus_get_info_v2(struct rm_call *call, void *params);

/* subdevice_nvlink.c */
enum nv_status subdevice_nvlink_get_caps(struct rm_call *call, void *params);
enum nv_status subdevice_nvlink_get_status(struct rm_call *call, void *params);

/* subdevice_graphics.c */
enum nv_status subdevice_gr_get_info(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_info_v2(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_caps_v2(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_issue_rate(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_sm_order(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_gpc_mask(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_tpc_mask(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_tpc_count(struct rm_call *call, void *params);
enum nv_status subdevice_gr_get_buffer_size(struct rm_call *call, void *params);
enum nv_status subdevice_ce_get_all_caps(struct rm_call *call, void *params);
enum nv_status subdevice_ce_get_caps_v2(struct rm_call *call, void *params);
enum nv_status subdevice_mc_service_interrupts(struct rm_call *call, void *params);
enum nv_status subdevice_rc_get_watchdog_info(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_partition_ids(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_closed_information(struct rm_call *call, void *params);
enum nv_status subdevice_gpu_get_closed_byte(struct rm_call *call, void *params);

/* subdevice_timer.c */
enum nv_status subdevice_timer_get_time(struct rm_call *call, void *params);
enum nv_status subdevice_timer_get_register_offset(struct rm_call *call, void *params);
enum nv_status subdevice_timer_get_correlation(struct rm_call *call, void *params);

/* What the firmware answers though the CPU side could: the command as it is. */
enum nv_status subdevice_to_firmware(struct rm_call *call, void *params);

#endif
