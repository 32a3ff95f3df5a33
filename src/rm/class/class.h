/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The classes of objects that this driver serves, one file each.
 */
#ifndef RM_CLASS_CLASS_H
#define RM_CLASS_CLASS_H

#include "rm/server/server.h"

/* For rm_server_create. */
extern const struct rm_class *const rm_classes[];
extern const u32 rm_class_count;

extern const struct rm_class rm_class_client;
extern const struct rm_class rm_class_device;
extern const struct rm_class rm_class_subdevice;
extern const struct rm_class rm_class_diag;
extern const struct rm_class rm_class_event;
extern const struct rm_class rm_class_system_memory;
extern const struct rm_class rm_class_video_memory;
extern const struct rm_class rm_class_os_descriptor_memory;
extern const struct rm_class rm_class_memory_list;
extern const struct rm_class rm_class_context_dma;
extern const struct rm_class rm_class_vaspace;
extern const struct rm_class rm_class_virtual_memory;
extern const struct rm_class rm_class_virtual_memory_range;
extern const struct rm_class rm_class_mig_config_session;
extern const struct rm_class rm_class_mig_monitor_session;
extern const struct rm_class rm_class_fabric_manager_session;
extern const struct rm_class rm_class_gpu_management;
extern const struct rm_class rm_class_confidential_compute;
extern const struct rm_class rm_class_channel_group;
extern const struct rm_class rm_class_context_share;
extern const struct rm_class rm_class_channel;
extern const struct rm_class rm_class_usermode;
extern const struct rm_class rm_class_generic_engine;
extern const struct rm_class rm_class_p2p;
extern const struct rm_class rm_class_third_party_p2p;
extern const struct rm_class rm_class_graphics_object;
extern const struct rm_class rm_class_copy_object;
extern const struct rm_class rm_class_sec2_object;
extern const struct rm_class rm_class_uvm_software;
extern const struct rm_class rm_class_timed_semaphore;
extern const struct rm_class rm_class_deferred_api;
extern const struct rm_class rm_class_debugger;
extern const struct rm_class rm_class_fault_buffer;

#endif
