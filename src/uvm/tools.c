// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What debuggers ask: the contents of managed memory, wherever it is. What a GPU in confidential
 * mode has stays there.
 */
#include "uvm/block.h"
#include "uvm/evict.h"

/* The block, if the page is in the video memory of a GPU in confidential mode; else NULL. */
static struct uvm_block *secret_block(const struct uvm_range *range, u64 address)
{
	struct uvm_block *block = range->blocks[uvm_block_index(range, address)];

	return block && uvm_block_is_away(block, address) && block->where->gpu->info.confidential
		       ? block
		       : NULL;
}

/* Calls copy with the page's bytes and ours in turn: a page is read or written under the lock. */
static enum nv_status page_copy(struct uvm_space *space, u64 address, void *bytes, u64 size,
				bool write)
{
	enum nv_status status = NV_ERR_INVALID_ADDRESS;
	struct uvm_extent extent = { 0 };
	struct uvm_block *block = NULL;
	struct uvm_range *range;

	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, address);
	if (range && range->kind == UVM_RANGE_MANAGED) {
		block = secret_block(range, address);
		status = block ? uvm_block_access(block, address, bytes, size, write)
			       : uvm_managed_populate(range, address, &extent);
	}
	if (status == NV_OK && !block) {
		u8 *page = (u8 *)extent.pages->cpu + extent.offset + (address - extent.address);

		if (write)
			os_memcpy(page, bytes, size);
		else
			os_memcpy(bytes, page, size);
	}
	uvm_rooms_clear(space);
	os_mutex_unlock(&space->lock);
	return status;
}

static enum nv_status access_memory(struct uvm_space *space, u64 target, u64 size, u64 user,
				    NvU64 *done, bool write)
{
	enum nv_status status = NV_OK;
	void *page = os_alloc(OS_PAGE_SIZE);

	if (!page)
		return NV_ERR_NO_MEMORY;
	*done = 0;
	while (*done < size) {
		u64 at = target + *done;
		u64 now = min(size - *done, OS_PAGE_SIZE - at % OS_PAGE_SIZE);

		if (write && os_copy_from_user(page, user + *done, now) != NV_OK) {
			status = NV_ERR_INVALID_ARGUMENT;
			break;
		}
		status = page_copy(space, at, page, now, write);
		if (status != NV_OK)
			break;
		if (!write && os_copy_to_user(user + *done, page, now) != NV_OK) {
			status = NV_ERR_INVALID_ARGUMENT;
			break;
		}
		*done += now;
	}
	os_free(page);
	return status;
}

enum nv_status uvm_tools_read_process_memory(struct uvm_file *file, void *params)
{
	UVM_TOOLS_READ_PROCESS_MEMORY_PARAMS *p = params;

	return access_memory(file->space, p->targetVa, p->size, p->buffer, &p->bytesRead, false);
}

enum nv_status uvm_tools_write_process_memory(struct uvm_file *file, void *params)
{
	UVM_TOOLS_WRITE_PROCESS_MEMORY_PARAMS *p = params;

	return access_memory(file->space, p->targetVa, p->size, p->buffer, &p->bytesWritten, true);
}

enum nv_status uvm_tools_flush_events(struct uvm_file *file, void *params)
{
	return NV_OK; /* none wait */
}
