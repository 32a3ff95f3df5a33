// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Copies of a block's pages between system memory and its chunks (uvm/block.h): clear ones, and
 * encrypted ones in confidential mode (uvm/secret.h).
 */
#include "base/bitmap.h"
#include "uvm/block.h"
#include "uvm/queue.h"
#include "uvm/secret.h"

static void submit(struct uvm_push *push, struct uvm_tracker *after)
{
	struct uvm_tracker_entry entry;

	uvm_push_end(push, UVM_MEMBAR_SYS, &entry);
	(void)uvm_tracker_add(after, &entry); /* of one queue: it always fits */
}

/* Page by page, since those of system memory are anywhere on the bus; runs that are not become one
 * copy. Of the pages from start on, those whose bit in the mask is set. Waits for the end. */
static enum nv_status copy_clear(struct uvm_block *block, struct uvm_gpu *gpu, const u64 *mask,
				 bool up)
{
	enum uvm_queue_kind kind = up ? UVM_QUEUE_TO_GPU : UVM_QUEUE_FROM_GPU;
	u64 base = align_down(block->where->start, UVM_BLOCK_SIZE);
	struct uvm_tracker after = { 0 };
	enum nv_status status, waited;
	struct os_pages *view;
	struct uvm_push push;
	bool begun = false;
	u32 page = 0;

	status = uvm_block_view(block, gpu, &view);
	while (status == NV_OK && page < UVM_BLOCK_PAGES) {
		struct uvm_place system = { .aperture = RM_UVM_SYSTEM_COHERENT };
		struct uvm_place video = { .aperture = RM_UVM_VIDEO };
		u64 at = base + (u64)page * OS_PAGE_SIZE, run;
		u32 pages = 1;

		if (!bitmap_test(mask, page)) {
			page++;
			continue;
		}
		system.address = os_pages_dma(view, at - block->memory->start);
		video.address = uvm_block_video(block, at, &run);
		while (pages * OS_PAGE_SIZE < run && bitmap_test(mask, page + pages) &&
		       os_pages_dma(view, at + (u64)pages * OS_PAGE_SIZE - block->memory->start) ==
			       system.address + (u64)pages * OS_PAGE_SIZE)
			pages++;
		if (begun && !uvm_push_has_room(&push, UVM_METHODS_MAX)) {
			submit(&push, &after);
			begun = false;
		}
		if (!begun) {
			status = uvm_push_begin(gpu->device, kind, NULL, &push);
			if (status != NV_OK)
				break;
			begun = true;
		}
		push.ce->copy(push.ce, &push.methods, up ? &video : &system, up ? &system : &video,
			      pages * OS_PAGE_SIZE, UVM_ORDER_PIPELINED);
		page += pages;
	}
	if (begun)
		submit(&push, &after);
	/* Also of those before one that could not begin. */
	waited = uvm_tracker_wait(&after);
	uvm_tracker_fini(&after);
	return status == NV_OK ? waited : status;
}

/*
 * The same, encrypted. Runs may be of any length: both sides' addresses go on from page to page,
 * and so does the channel's own of the buffer.
 */
static enum nv_status copy_encrypted(struct uvm_block *block, struct uvm_gpu *gpu, const u64 *mask,
				     bool up)
{
	u64 base = align_down(block->where->start, UVM_BLOCK_SIZE);
	struct uvm_secrets secrets;
	enum nv_status status;
	u32 page = 0;

	status = uvm_secrets_begin(&secrets, gpu->device, up, gpu->reserve, NULL);
	if (status != NV_OK)
		return status;
	while (page < UVM_BLOCK_PAGES && status == NV_OK) {
		u64 at = base + (u64)page * OS_PAGE_SIZE, video, run;
		u32 pages = 1;

		if (!bitmap_test(mask, page)) {
			page++;
			continue;
		}
		video = uvm_block_video(block, at, &run);
		while (pages * OS_PAGE_SIZE < run && bitmap_test(mask, page + pages))
			pages++;
		status = uvm_secrets_add(
			&secrets, (u8 *)block->memory->pages.cpu + (at - block->memory->start),
			video, (u64)pages * OS_PAGE_SIZE);
		page += pages;
	}
	return uvm_secrets_end(&secrets, UVM_MEMBAR_SYS);
}

enum nv_status uvm_block_copy(struct uvm_block *block, struct uvm_gpu *gpu, const u64 *mask,
			      bool up)
{
	return gpu->info.confidential ? copy_encrypted(block, gpu, mask, up)
				      : copy_clear(block, gpu, mask, up);
}

/* -- In place ---------------------------------------------------------------------------------- */

enum nv_status uvm_block_access(struct uvm_block *block, u64 address, void *bytes, u64 size,
				bool write)
{
	u64 in_page = address % OS_PAGE_SIZE, run;
	u64 video = uvm_block_video(block, address - in_page, &run);
	struct uvm_gpu *gpu = block->where->gpu;
	enum nv_status status;
	u8 *page = os_alloc(OS_PAGE_SIZE);

	if (!page)
		return NV_ERR_NO_MEMORY;
	/* What the GPU's channels write beside it meanwhile would be lost. */
	status = rm_uvm_vaspace_pause(gpu->space->rm);
	if (status != NV_OK) {
		os_free(page);
		return status;
	}
	if (!write || size < OS_PAGE_SIZE)
		status = uvm_encrypted_memcopy_from_gpu(gpu->device, page, video, OS_PAGE_SIZE,
							NULL);
	if (status == NV_OK && write) {
		os_memcpy(page + in_page, bytes, size);
		status = uvm_encrypted_memcopy_to_gpu(gpu->device, video, page, OS_PAGE_SIZE, NULL);
	} else if (status == NV_OK) {
		os_memcpy(bytes, page + in_page, size);
	}
	rm_uvm_vaspace_go_on(gpu->space->rm);
	os_free_secret(page, OS_PAGE_SIZE);
	return status;
}
