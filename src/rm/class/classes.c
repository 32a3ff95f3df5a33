// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Every class that this driver serves. Any other that the interface has is INVALID_CLASS, as on a
 * GPU without the unit behind it: an H100 has no display.
 */
#include "rm/class/class.h"
#include "rm/class/listed.h"

#define POINTER(name) &rm_listed_##name,

/* clang-format off */
const struct rm_class *const rm_classes[] = {
	&rm_class_client,
	&rm_class_device,
	&rm_class_subdevice,
	&rm_class_diag,
	&rm_class_event,
	&rm_class_system_memory,
	&rm_class_video_memory,
	&rm_class_os_descriptor_memory,
	&rm_class_memory_list,
	&rm_class_context_dma,
	&rm_class_vaspace,
	&rm_class_virtual_memory,
	&rm_class_virtual_memory_range,
	&rm_class_mig_config_session,
	&rm_class_mig_monitor_session,
	&rm_class_fabric_manager_session,
	&rm_class_gpu_management,
	&rm_class_confidential_compute,
	&rm_class_usermode,
	&rm_class_channel_group,
	&rm_class_context_share,
	&rm_class_channel,
	&rm_class_graphics_object,
	&rm_class_copy_object,
	&rm_class_sec2_object,
	&rm_class_uvm_software,
	&rm_class_timed_semaphore,
	&rm_class_deferred_api,
	&rm_class_debugger,
	&rm_class_fault_buffer,
	&rm_class_generic_engine,
	&rm_class_p2p,
	&rm_class_third_party_p2p,
	RM_LISTED_KINDS(POINTER)
};
/* clang-format on */
const u32 rm_class_count = ARRAY_SIZE(rm_classes);
