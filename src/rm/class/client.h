/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Root objects: commands on the system, its GPUs and the client's own objects, split by subject
 * into client_*.c; the table of them is in client.c.
 */
#ifndef RM_CLASS_CLIENT_H
#define RM_CLASS_CLIENT_H

#include "rm/class/state.h"

#define CLIENT_EVENT_QUEUE 16u /* system events that wait to be asked for */

/* What few clients have, made when first needed. */
struct rm_client_extra {
	u8 actions[NV0000_NOTIFIERS_MAXCOUNT];
	struct {
		u32 event, status;
	} queue[CLIENT_EVENT_QUEUE];
	u32 head, tail;
	u32 sub_process;
	bool sub_process_disabled;
	char sub_process_name[100]; /* as long as the control has it */
};

struct rm_client_root {
	struct rm_object object;
	struct rm_client_extra *extra; /* client lock */
};

/* The root's extra record; NULL when out of memory. Client lock held. */
struct rm_client_extra *client_extra(struct rm_object *root);

/* client_gpu.c */
enum nv_status client_gpu_get_attached_ids(struct rm_call *call, void *params);
enum nv_status client_gpu_get_probed_ids(struct rm_call *call, void *params);
enum nv_status client_gpu_attach_ids(struct rm_call *call, void *params);
enum nv_status client_gpu_detach_ids(struct rm_call *call, void *params);
enum nv_status client_gpu_get_id_info(struct rm_call *call, void *params);
enum nv_status client_gpu_get_id_info_v2(struct rm_call *call, void *params);
enum nv_status client_gpu_get_init_status(struct rm_call *call, void *params);
enum nv_status client_gpu_get_device_ids(struct rm_call *call, void *params);
enum nv_status client_gpu_get_pci_info(struct rm_call *call, void *params);
enum nv_status client_gpu_get_svm_size(struct rm_call *call, void *params);
enum nv_status client_gpu_get_uuid_info(struct rm_call *call, void *params);
enum nv_status client_gpu_get_uuid_from_id(struct rm_call *call, void *params);
enum nv_status client_gpu_query_drain(struct rm_call *call, void *params);
enum nv_status client_gpu_modify_drain(struct rm_call *call, void *params);
enum nv_status client_gpu_get_memop_enable(struct rm_call *call, void *params);
enum nv_status client_gpu_get_nvlink_bw_mode(struct rm_call *call, void *params);
enum nv_status client_gpu_get_accounting_state(struct rm_call *call, void *params);
enum nv_status client_gpu_set_accounting_state(struct rm_call *call, void *params);
enum nv_status client_gpu_get_accounting_info(struct rm_call *call, void *params);
enum nv_status client_gpu_get_accounting_pids(struct rm_call *call, void *params);
enum nv_status client_gpu_clear_accounting(struct rm_call *call, void *params);

/* client_p2p.c */
enum nv_status client_get_p2p_caps(struct rm_call *call, void *params);
enum nv_status client_get_p2p_caps_v2(struct rm_call *call, void *params);
enum nv_status client_get_p2p_caps_matrix(struct rm_call *call, void *params);

/* client_system.c */
enum nv_status client_get_build_version_v2(struct rm_call *call, void *params);
enum nv_status client_get_cpu_info(struct rm_call *call, void *params);
enum nv_status client_get_chipset_info(struct rm_call *call, void *params);
enum nv_status client_get_features(struct rm_call *call, void *params);
enum nv_status client_get_platform_type(struct rm_call *call, void *params);
enum nv_status client_get_rm_instance_id(struct rm_call *call, void *params);
enum nv_status client_get_privileged_status(struct rm_call *call, void *params);
enum nv_status client_get_fabric_status(struct rm_call *call, void *params);
enum nv_status client_notify_event(struct rm_call *call, void *params);
enum nv_status client_event_set_notification(struct rm_call *call, void *params);
enum nv_status client_get_event_status(struct rm_call *call, void *params);
enum nv_status client_set_sub_process(struct rm_call *call, void *params);
enum nv_status client_disable_sub_process(struct rm_call *call, void *params);
enum nv_status client_gsync_get_attached_ids(struct rm_call *call, void *params);
enum nv_status client_get_timestamp(struct rm_call *call, void *params);
enum nv_status client_sync_gpu_boost_info(struct rm_call *call, void *params);
enum nv_status client_sync_gpu_boost_group_info(struct rm_call *call, void *params);

/* client_object.c */
enum nv_status client_get_addr_space_type(struct rm_call *call, void *params);
enum nv_status client_get_handle_info(struct rm_call *call, void *params);
enum nv_status client_get_access_rights(struct rm_call *call, void *params);
enum nv_status client_set_inherited_share_policy(struct rm_call *call, void *params);
enum nv_status client_share_object(struct rm_call *call, void *params);
enum nv_status client_get_child_handle(struct rm_call *call, void *params);
enum nv_status client_objects_are_duplicates(struct rm_call *call, void *params);

#endif
