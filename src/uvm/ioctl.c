// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The ioctls of both nodes: a number, the size of its structure and where that holds its status.
 * The structure is copied in whole and out whole, whatever happened in between.
 */
#include "uvm/command.h"
#include "uvm/test/test.h"

/* Structures up to this size are copied to the stack. */
#define STACK_BYTES 288u

static const struct uvm_command commands[] = {
	UVM_COMMAND(UVM_INITIALIZE, false, uvm_initialize),
	UVM_COMMAND(UVM_MM_INITIALIZE, false, uvm_mm_initialize),
	UVM_COMMAND(UVM_PAGEABLE_MEM_ACCESS, true, uvm_pageable_mem_access),
	UVM_COMMAND(UVM_PAGEABLE_MEM_ACCESS_ON_GPU, true, uvm_pageable_mem_access_on_gpu),
	UVM_COMMAND(UVM_REGISTER_GPU, true, uvm_register_gpu),
	UVM_COMMAND(UVM_UNREGISTER_GPU, true, uvm_unregister_gpu),
	UVM_COMMAND(UVM_REGISTER_GPU_VASPACE, true, uvm_register_gpu_vaspace),
	UVM_COMMAND(UVM_UNREGISTER_GPU_VASPACE, true, uvm_unregister_gpu_vaspace),
	UVM_COMMAND(UVM_REGISTER_CHANNEL, true, uvm_register_channel),
	UVM_COMMAND(UVM_UNREGISTER_CHANNEL, true, uvm_unregister_channel),
	UVM_COMMAND(UVM_ENABLE_PEER_ACCESS, true, uvm_enable_peer_access),
	UVM_COMMAND(UVM_DISABLE_PEER_ACCESS, true, uvm_disable_peer_access),
	UVM_COMMAND(UVM_ENABLE_SYSTEM_WIDE_ATOMICS, true, uvm_enable_system_wide_atomics),
	UVM_COMMAND(UVM_DISABLE_SYSTEM_WIDE_ATOMICS, true, uvm_disable_system_wide_atomics),
	UVM_COMMAND(UVM_CREATE_EXTERNAL_RANGE, true, uvm_create_external_range),
	UVM_COMMAND(UVM_MAP_EXTERNAL_ALLOCATION, true, uvm_map_external_allocation),
	UVM_COMMAND(UVM_MAP_EXTERNAL_SPARSE, true, uvm_map_external_sparse),
	UVM_COMMAND(UVM_UNMAP_EXTERNAL, true, uvm_unmap_external),
	UVM_COMMAND(UVM_FREE, true, uvm_free),
	UVM_COMMAND(UVM_MAP_DYNAMIC_PARALLELISM_REGION, true, uvm_map_dynamic_parallelism_region),
	UVM_COMMAND(UVM_ALLOC_SEMAPHORE_POOL, true, uvm_alloc_semaphore_pool),
	UVM_COMMAND(UVM_VALIDATE_VA_RANGE, true, uvm_validate_va_range),
	UVM_COMMAND(UVM_CLEAN_UP_ZOMBIE_RESOURCES, true, uvm_clean_up_zombie_resources),
	UVM_COMMAND(UVM_POPULATE_PAGEABLE, true, uvm_populate_pageable),
	UVM_COMMAND(UVM_CREATE_RANGE_GROUP, true, uvm_create_range_group),
	UVM_COMMAND(UVM_DESTROY_RANGE_GROUP, true, uvm_destroy_range_group),
	UVM_COMMAND(UVM_SET_RANGE_GROUP, true, uvm_set_range_group),
	UVM_COMMAND(UVM_PREVENT_MIGRATION_RANGE_GROUPS, true, uvm_prevent_migration_range_groups),
	UVM_COMMAND(UVM_ALLOW_MIGRATION_RANGE_GROUPS, true, uvm_allow_migration_range_groups),
	UVM_COMMAND(UVM_SET_PREFERRED_LOCATION, true, uvm_set_preferred_location),
	UVM_COMMAND(UVM_UNSET_PREFERRED_LOCATION, true, uvm_unset_preferred_location),
	UVM_COMMAND(UVM_SET_ACCESSED_BY, true, uvm_set_accessed_by),
	UVM_COMMAND(UVM_UNSET_ACCESSED_BY, true, uvm_unset_accessed_by),
	UVM_COMMAND(UVM_ENABLE_READ_DUPLICATION, true, uvm_enable_read_duplication),
	UVM_COMMAND(UVM_DISABLE_READ_DUPLICATION, true, uvm_disable_read_duplication),
	UVM_COMMAND(UVM_MIGRATE, true, uvm_migrate),
	UVM_COMMAND(UVM_MIGRATE_RANGE_GROUP, true, uvm_migrate_range_group),
	UVM_COMMAND(UVM_TOOLS_READ_PROCESS_MEMORY, true, uvm_tools_read_process_memory),
	UVM_COMMAND(UVM_TOOLS_WRITE_PROCESS_MEMORY, true, uvm_tools_write_process_memory),
	UVM_COMMAND(UVM_TOOLS_GET_PROCESSOR_UUID_TABLE, true, uvm_tools_get_processor_uuid_table),
	UVM_COMMAND(UVM_TOOLS_FLUSH_EVENTS, true, uvm_tools_flush_events),
};

/* Of /dev/nvidia-uvm-tools. */
static const struct uvm_command tools_commands[] = {
	UVM_COMMAND(UVM_TOOLS_INIT_EVENT_TRACKER, false, uvm_tools_init_event_tracker),
	UVM_COMMAND(UVM_TOOLS_SET_NOTIFICATION_THRESHOLD, false,
		    uvm_tools_set_notification_threshold),
	UVM_COMMAND(UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS, false,
		    uvm_tools_event_queue_enable_events),
	UVM_COMMAND(UVM_TOOLS_EVENT_QUEUE_DISABLE_EVENTS, false,
		    uvm_tools_event_queue_disable_events),
	UVM_COMMAND(UVM_TOOLS_ENABLE_COUNTERS, false, uvm_tools_enable_counters),
	UVM_COMMAND(UVM_TOOLS_DISABLE_COUNTERS, false, uvm_tools_disable_counters),
};

static enum uvm_result serve(struct uvm_file *file, const struct uvm_command *command, u64 arg,
			     void *params)
{
	enum nv_status status = NV_OK;

	if (os_copy_from_user(params, arg, command->size) != NV_OK)
		return UVM_RESULT_EFAULT;
	if (command->needs_space && os_load_acquire(&file->state) != UVM_FILE_SPACE)
		status = NV_ERR_ILLEGAL_ACTION;
	if (status == NV_OK)
		status = command->serve(file, params);
	*(NV_STATUS *)((u8 *)params + command->status_offset) = status;
	if (os_copy_to_user(arg, params, command->size) != NV_OK)
		return UVM_RESULT_EFAULT;
	return UVM_RESULT_OK;
}

static enum uvm_result serve_on_stack(struct uvm_file *file, const struct uvm_command *command,
				      u64 arg)
{
	u64 params[STACK_BYTES / 8];

	return serve(file, command, arg, params);
}

static enum uvm_result serve_on_heap(struct uvm_file *file, const struct uvm_command *command,
				     u64 arg)
{
	enum uvm_result result;
	void *params = os_alloc(command->size);

	if (!params)
		return UVM_RESULT_ENOMEM;
	result = serve(file, command, arg, params);
	os_free(params);
	return result;
}

bool uvm_ioctl_attaches(u32 cmd)
{
	return cmd == UVM_INITIALIZE;
}

static const struct uvm_command *find_in(const struct uvm_command *all, u32 count, u32 cmd)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (all[i].cmd == cmd)
			return &all[i];
	}
	return NULL;
}

static const struct uvm_command *find(const struct uvm_file *file, u32 cmd)
{
	const struct uvm_command *command;

	if (file->node == UVM_NODE_TOOLS)
		return find_in(tools_commands, ARRAY_SIZE(tools_commands), cmd);
	command = find_in(commands, ARRAY_SIZE(commands), cmd);
	return command || !file->uvm->builtin_tests ? command : uvm_test_command(cmd);
}

enum uvm_result uvm_ioctl(struct uvm_file *file, u32 cmd, u64 arg)
{
	const struct uvm_command *command;
	enum uvm_result result;
	u32 token;

	if (cmd == UVM_DEINITIALIZE && file->node == UVM_NODE_UVM)
		return UVM_RESULT_OK;
	command = find(file, cmd);
	if (!command)
		return UVM_RESULT_EINVAL;
	if (rm_uvm_enter(file->uvm->rm, &token) != NV_OK)
		return UVM_RESULT_EINTR;
	result = command->size <= STACK_BYTES ? serve_on_stack(file, command, arg)
					      : serve_on_heap(file, command, arg);
	rm_uvm_leave(file->uvm->rm, token);
	return result;
}
