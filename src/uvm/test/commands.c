// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Which built-in tests there are (uvm/test/test.h), and what all of them need. */
#include "uvm/evict.h"
#include "uvm/test/test.h"

static const struct uvm_command commands[] = {
	UVM_COMMAND(UVM_TEST_GET_GPU_REF_COUNT, true, uvm_test_get_gpu_ref_count),
	UVM_COMMAND(UVM_TEST_RNG_SANITY, true, uvm_test_rng_sanity),
	UVM_COMMAND(UVM_TEST_RANGE_TREE_DIRECTED, true, uvm_test_range_tree_directed),
	UVM_COMMAND(UVM_TEST_RANGE_TREE_RANDOM, true, uvm_test_range_tree_random),
	UVM_COMMAND(UVM_TEST_VA_RANGE_INFO, true, uvm_test_va_range_info),
	UVM_COMMAND(UVM_TEST_RM_MEM_SANITY, true, uvm_test_rm_mem_sanity),
	UVM_COMMAND(UVM_TEST_GPU_SEMAPHORE_SANITY, true, uvm_test_gpu_semaphore_sanity),
	UVM_COMMAND(UVM_TEST_PEER_REF_COUNT, true, uvm_test_peer_ref_count),
	UVM_COMMAND(UVM_TEST_VA_RANGE_SPLIT, true, uvm_test_va_range_split),
	UVM_COMMAND(UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR, true,
		    uvm_test_va_range_inject_split_error),
	UVM_COMMAND(UVM_TEST_PAGE_TREE, true, uvm_test_page_tree),
	UVM_COMMAND(UVM_TEST_TRACKER_SANITY, true, uvm_test_tracker_sanity),
	UVM_COMMAND(UVM_TEST_PUSH_SANITY, true, uvm_test_push_sanity),
	UVM_COMMAND(UVM_TEST_CHANNEL_SANITY, true, uvm_test_channel_sanity),
	UVM_COMMAND(UVM_TEST_CHANNEL_STRESS, true, uvm_test_channel_stress),
	UVM_COMMAND(UVM_TEST_CE_SANITY, true, uvm_test_ce_sanity),
	UVM_COMMAND(UVM_TEST_VA_BLOCK_INFO, true, uvm_test_va_block_info),
	UVM_COMMAND(UVM_TEST_LOCK_SANITY, true, uvm_test_lock_sanity),
	UVM_COMMAND(UVM_TEST_KVMALLOC, true, uvm_test_kvmalloc),
	UVM_COMMAND(UVM_TEST_PMM_CHECK_LEAK, true, uvm_test_pmm_check_leak),
	UVM_COMMAND(UVM_TEST_INJECT_TOOLS_EVENT, true, uvm_test_inject_tools_event),
	UVM_COMMAND(UVM_TEST_INCREMENT_TOOLS_COUNTER, true, uvm_test_increment_tools_counter),
	UVM_COMMAND(UVM_TEST_MEM_SANITY, true, uvm_test_mem_sanity),
	UVM_COMMAND(UVM_TEST_VA_RESIDENCY_INFO, true, uvm_test_va_residency_info),
	UVM_COMMAND(UVM_TEST_PMM_SANITY, true, uvm_test_pmm_sanity),
	UVM_COMMAND(UVM_TEST_VA_BLOCK, true, uvm_test_va_block),
	UVM_COMMAND(UVM_TEST_EVICT_CHUNK, true, uvm_test_evict_chunk),
	UVM_COMMAND(UVM_TEST_NV_KTHREAD_Q, true, uvm_test_nv_kthread_q),
	UVM_COMMAND(UVM_TEST_RANGE_GROUP_TREE, true, uvm_test_range_group_tree),
	UVM_COMMAND(UVM_TEST_RANGE_GROUP_RANGE_INFO, true, uvm_test_range_group_range_info),
	UVM_COMMAND(UVM_TEST_RANGE_GROUP_RANGE_COUNT, true, uvm_test_range_group_range_count),
	UVM_COMMAND(UVM_TEST_PMM_ALLOC_FREE_ROOT, true, uvm_test_pmm_alloc_free_root),
	UVM_COMMAND(UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR, true, uvm_test_inject_evict_error),
	UVM_COMMAND(UVM_TEST_CHECK_CHANNEL_VA_SPACE, true, uvm_test_check_channel_va_space),
	UVM_COMMAND(UVM_TEST_GET_GPU_TIME, true, uvm_test_get_gpu_time),
	UVM_COMMAND(UVM_TEST_VA_SPACE_INJECT_ERROR, true, uvm_test_va_space_inject_error),
	UVM_COMMAND(UVM_TEST_GET_PAGEABLE_MEM_ACCESS_TYPE, true, uvm_test_pageable_type),
	UVM_COMMAND(UVM_TEST_HOST_SANITY, true, uvm_test_host_sanity),
	UVM_COMMAND(UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR, true,
		    uvm_test_va_range_inject_add_error),
};

const struct uvm_command *uvm_test_command(u32 cmd)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].cmd == cmd)
			return &commands[i];
	}
	return NULL;
}

enum nv_status uvm_test_failed(const char *file, u32 line, const char *what)
{
	os_log(OS_LOG_ERROR, "built-in test: %s:%u: not so: %s", file, line, what);
	return NV_ERR_INVALID_STATE;
}

enum nv_status uvm_test_sleep(u64 us)
{
	struct os_event never;
	enum nv_status status = os_event_init(&never);

	if (status != NV_OK)
		return status;
	status = os_event_wait_signal(&never, us * 1000);
	os_event_destroy(&never);
	return status == NV_ERR_TIMEOUT ? NV_OK : status;
}

enum nv_status uvm_test_go_on(void)
{
	return uvm_test_sleep(0);
}

enum nv_status uvm_test_each_gpu(struct uvm_file *file,
				 enum nv_status (*run)(struct uvm_gpu *gpu, void *ctx), void *ctx)
{
	struct uvm_space *space = file->space;
	enum nv_status status = NV_OK;
	struct uvm_gpu *gpu;
	u32 slot;

	os_mutex_lock(&space->lock);
	uvm_for_each_gpu(gpu, slot, space)
	{
		if (status == NV_OK && gpu->info.confidential)
			status = NV_ERR_NOT_SUPPORTED;
		if (status == NV_OK)
			status = run(gpu, ctx);
	}
	uvm_rooms_clear(space);
	os_mutex_unlock(&space->lock);
	return status;
}
