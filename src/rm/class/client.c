// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes NV01_ROOT, NV01_ROOT_NON_PRIV and NV01_ROOT_CLIENT (RmClientResource): the root of a
 * client's objects.
 */
#include "rm/class/client.h"

#include "rm/class/class.h"
#include "rm/class/export.h"

static struct rm_client_root *to_root(struct rm_object *object)
{
	return container_of(object, struct rm_client_root, object);
}

struct rm_client_extra *client_extra(struct rm_object *object)
{
	struct rm_client_root *root = to_root(object);

	if (!root->extra)
		root->extra = os_alloc(sizeof(*root->extra));
	return root->extra;
}

static void client_destruct(struct rm_call *call, struct rm_object *object)
{
	os_free(to_root(object)->extra);
}

static const struct rm_control_handler client_controls[] = {
	{ NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION_V2, client_get_build_version_v2 },
	{ NV0000_CTRL_CMD_SYSTEM_GET_CPU_INFO, client_get_cpu_info },
	{ NV0000_CTRL_CMD_SYSTEM_GET_CHIPSET_INFO, client_get_chipset_info },
	{ NV0000_CTRL_CMD_SYSTEM_GET_FEATURES, client_get_features },
	{ NV0000_CTRL_CMD_SYSTEM_GET_PLATFORM_TYPE, client_get_platform_type },
	{ NV0000_CTRL_CMD_SYSTEM_GET_RM_INSTANCE_ID, client_get_rm_instance_id },
	{ NV0000_CTRL_CMD_SYSTEM_GET_PRIVILEGED_STATUS, client_get_privileged_status },
	{ NV0000_CTRL_CMD_SYSTEM_GET_FABRIC_STATUS, client_get_fabric_status },
	{ NV0000_CTRL_CMD_SYSTEM_NOTIFY_EVENT, client_notify_event },
	{ NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, client_get_p2p_caps },
	{ NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_V2, client_get_p2p_caps_v2 },
	{ NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_MATRIX, client_get_p2p_caps_matrix },
	{ NV0000_CTRL_CMD_GPU_GET_ATTACHED_IDS, client_gpu_get_attached_ids },
	{ NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, client_gpu_get_probed_ids },
	{ NV0000_CTRL_CMD_GPU_ATTACH_IDS, client_gpu_attach_ids },
	{ NV0000_CTRL_CMD_GPU_DETACH_IDS, client_gpu_detach_ids },
	{ NV0000_CTRL_CMD_GPU_GET_ID_INFO, client_gpu_get_id_info },
	{ NV0000_CTRL_CMD_GPU_GET_ID_INFO_V2, client_gpu_get_id_info_v2 },
	{ NV0000_CTRL_CMD_GPU_GET_INIT_STATUS, client_gpu_get_init_status },
	{ NV0000_CTRL_CMD_GPU_GET_DEVICE_IDS, client_gpu_get_device_ids },
	{ NV0000_CTRL_CMD_GPU_GET_PCI_INFO, client_gpu_get_pci_info },
	{ NV0000_CTRL_CMD_GPU_GET_SVM_SIZE, client_gpu_get_svm_size },
	{ NV0000_CTRL_CMD_GPU_GET_UUID_INFO, client_gpu_get_uuid_info },
	{ NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID, client_gpu_get_uuid_from_id },
	{ NV0000_CTRL_CMD_GPU_QUERY_DRAIN_STATE, client_gpu_query_drain },
	{ NV0000_CTRL_CMD_GPU_MODIFY_DRAIN_STATE, client_gpu_modify_drain },
	{ NV0000_CTRL_CMD_GPU_GET_MEMOP_ENABLE, client_gpu_get_memop_enable },
	{ NV0000_CTRL_CMD_GPU_GET_NVLINK_BW_MODE, client_gpu_get_nvlink_bw_mode },
	{ NV0000_CTRL_CMD_GPUACCT_GET_ACCOUNTING_STATE, client_gpu_get_accounting_state },
	{ NV0000_CTRL_CMD_GPUACCT_SET_ACCOUNTING_STATE, client_gpu_set_accounting_state },
	{ NV0000_CTRL_CMD_GPUACCT_GET_PROC_ACCOUNTING_INFO, client_gpu_get_accounting_info },
	{ NV0000_CTRL_CMD_GPUACCT_GET_ACCOUNTING_PIDS, client_gpu_get_accounting_pids },
	{ NV0000_CTRL_CMD_GPUACCT_CLEAR_ACCOUNTING_DATA, client_gpu_clear_accounting },
	{ NV0000_CTRL_CMD_GSYNC_GET_ATTACHED_IDS, client_gsync_get_attached_ids },
	{ NV0000_CTRL_CMD_EVENT_SET_NOTIFICATION, client_event_set_notification },
	{ NV0000_CTRL_CMD_GET_SYSTEM_EVENT_STATUS, client_get_event_status },
	{ NV0000_CTRL_CMD_NVD_GET_TIMESTAMP, client_get_timestamp },
	{ NV0000_CTRL_CMD_SET_SUB_PROCESS_ID, client_set_sub_process },
	{ NV0000_CTRL_CMD_DISABLE_SUB_PROCESS_USERD_ISOLATION, client_disable_sub_process },
	{ NV0000_CTRL_CMD_SYNC_GPU_BOOST_INFO, client_sync_gpu_boost_info },
	{ NV0000_CTRL_CMD_SYNC_GPU_BOOST_GROUP_INFO, client_sync_gpu_boost_group_info },
	{ NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD, client_export_object },
	{ NV0000_CTRL_CMD_OS_UNIX_IMPORT_OBJECT_FROM_FD, client_import_object },
	{ NV0000_CTRL_CMD_OS_UNIX_GET_EXPORT_OBJECT_INFO, client_get_export_info },
	{ NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE, client_get_addr_space_type },
	{ NV0000_CTRL_CMD_CLIENT_GET_HANDLE_INFO, client_get_handle_info },
	{ NV0000_CTRL_CMD_CLIENT_GET_ACCESS_RIGHTS, client_get_access_rights },
	{ NV0000_CTRL_CMD_CLIENT_SET_INHERITED_SHARE_POLICY, client_set_inherited_share_policy },
	{ NV0000_CTRL_CMD_CLIENT_SHARE_OBJECT, client_share_object },
	{ NV0000_CTRL_CMD_CLIENT_GET_CHILD_HANDLE, client_get_child_handle },
	{ NV0000_CTRL_CMD_CLIENT_OBJECTS_ARE_DUPLICATES, client_objects_are_duplicates },
};

const struct rm_class rm_class_client = {
	.iclass = ABI_ICLASS_RmClientResource,
	.object_size = sizeof(struct rm_client_root),
	.destruct = client_destruct,
	.controls = client_controls,
	.control_count = ARRAY_SIZE(client_controls),
};
