// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Chunks of video memory (uvm/chunk.h): taken, given back, evicted. */
#include "uvm/block.h"
#include "uvm/evict.h"
#include "uvm/test/test.h"

#define BAR_VIDEO 2u
#define CHUNKS 8u /* of one size at a time */
#define NAP_MAX_US 1000000u
#define NAP_PIECE_US 10000u

/* -- Many of one size ----------------------------------------------------------------------------
 */

struct chunk_test {
	struct uvm_gpu *gpu;
	enum uvm_chunk_kind kind;
	u64 size;
	struct uvm_chunk *chunks[CHUNKS];
};

static u64 tag_of(const struct chunk_test *t, u32 i)
{
	return t->chunks[i]->address ^ (u64)i << 56 ^ t->size << 32;
}

static enum nv_status chunk_take(struct chunk_test *t, u32 i)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(t->gpu->rm);
	const struct uvm_chunk *chunk;
	u32 k;

	TEST_OK(uvm_chunk_alloc(&t->gpu->room, t->kind, t->size, &t->chunks[i]));
	chunk = t->chunks[i];
	TEST_CHECK(chunk->size == t->size && is_aligned(chunk->address, t->size));
	TEST_CHECK(chunk->address - chunk->root->address < UVM_ROOT_SIZE);
	for (k = 0; k < CHUNKS; k++)
		TEST_CHECK(k == i || !t->chunks[k] || t->chunks[k]->address != chunk->address);
	if (chunk->zero) {
		TEST_CHECK(!os_pci_rd64(pci, BAR_VIDEO, chunk->address));
		TEST_CHECK(!os_pci_rd64(pci, BAR_VIDEO, chunk->address + t->size - 8));
	}
	os_pci_wr64(pci, BAR_VIDEO, chunk->address, tag_of(t, i));
	os_pci_wr64(pci, BAR_VIDEO, chunk->address + t->size - 8, ~tag_of(t, i));
	return NV_OK;
}

static void chunk_give(struct chunk_test *t, u32 i)
{
	uvm_chunk_free(t->chunks[i]);
	t->chunks[i] = NULL;
}

static enum nv_status check_tags(const struct chunk_test *t)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(t->gpu->rm);
	u32 i;

	for (i = 0; i < CHUNKS; i++) {
		if (!t->chunks[i])
			continue;
		TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, t->chunks[i]->address) == tag_of(t, i));
		TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, t->chunks[i]->address + t->size - 8) ==
			   ~tag_of(t, i));
	}
	return NV_OK;
}

static enum nv_status chunks_of_size(struct chunk_test *t)
{
	u32 i, round;

	for (i = 0; i < CHUNKS; i++)
		TEST_OK(chunk_take(t, i));
	TEST_OK(check_tags(t));
	for (round = 0; round < 4; round++) {
		for (i = round % 2; i < CHUNKS; i += 1 + round)
			chunk_give(t, i);
		TEST_OK(check_tags(t));
		for (i = 0; i < CHUNKS; i++) {
			if (!t->chunks[i])
				TEST_OK(chunk_take(t, i));
		}
		TEST_OK(check_tags(t));
	}
	return NV_OK;
}

static enum nv_status pmm_sanity(struct uvm_gpu *gpu, void *ctx)
{
	static const u64 sizes[] = { OS_PAGE_SIZE, UVM_CHUNK_UNIT, UVM_ROOT_SIZE };
	bool full = *(const u32 *)ctx == UvmTestPmmSanityModeFull;
	enum nv_status status = NV_OK;
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(sizes) * UVM_CHUNK_KINDS && status == NV_OK; i++) {
		struct chunk_test t = { .gpu = gpu,
					.kind = i % UVM_CHUNK_KINDS,
					.size = sizes[i / UVM_CHUNK_KINDS] };

		if (!full && t.kind == UVM_CHUNK_KERNEL)
			continue;
		status = chunks_of_size(&t);
		for (k = 0; k < CHUNKS; k++)
			chunk_give(&t, k);
	}
	return status;
}

enum nv_status uvm_test_pmm_sanity(struct uvm_file *file, void *params)
{
	UVM_TEST_PMM_SANITY_PARAMS *p = params;
	u32 mode = p->mode;

	if (mode != UvmTestPmmSanityModeFull && mode != UvmTestPmmSanityModeBasic)
		return NV_ERR_INVALID_ARGUMENT;
	return uvm_test_each_gpu(file, pmm_sanity, &mode);
}

/* -- As many as there are ------------------------------------------------------------------------
 */

struct leak_chunk {
	struct leak_chunk *next;
	struct uvm_chunk *chunk;
};

/* limit ~0: until there is no more. */
static enum nv_status leak_run(struct uvm_gpu *gpu, u64 size, u64 limit, struct leak_chunk **first,
			       u64 *count)
{
	enum nv_status status;

	while (*count < limit) {
		struct leak_chunk *chunk = os_alloc(sizeof(*chunk));

		if (!chunk)
			return NV_ERR_NO_MEMORY;
		status = uvm_chunk_alloc(&gpu->room, UVM_CHUNK_USER, size, &chunk->chunk);
		if (status != NV_OK) {
			os_free(chunk);
			return status == NV_ERR_NO_MEMORY && limit == ~(u64)0 ? NV_OK : status;
		}
		chunk->next = *first;
		*first = chunk;
		(*count)++;
		TEST_CHECK(is_aligned(chunk->chunk->address, size));
		TEST_OK(uvm_test_go_on());
	}
	return NV_OK;
}

static bool is_chunk_size(u64 size)
{
	return size == OS_PAGE_SIZE || size == UVM_CHUNK_UNIT || size == UVM_ROOT_SIZE;
}

enum nv_status uvm_test_pmm_check_leak(struct uvm_file *file, void *params)
{
	UVM_TEST_PMM_CHECK_LEAK_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct leak_chunk *first = NULL, *chunk;
	struct uvm_gpu *gpu;
	u64 count = 0;

	if (p->alloc_limit < -1 || !is_chunk_size(p->chunk_size))
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	gpu = uvm_gpu_find(file->space, &p->gpu_uuid);
	if (gpu)
		status = leak_run(gpu, p->chunk_size, (u64)p->alloc_limit, &first, &count);
	while ((chunk = first)) {
		first = chunk->next;
		uvm_chunk_free(chunk->chunk);
		os_free(chunk);
	}
	uvm_rooms_clear(file->space);
	os_mutex_unlock(&file->space->lock);
	p->allocated = count;
	return status;
}

/* -- A root, by eviction if need be --------------------------------------------------------------
 */

static enum nv_status take_root(struct uvm_space *space, const NvProcessorUuid *uuid,
				struct uvm_chunk **chunk)
{
	struct uvm_gpu *gpu = uvm_gpu_find(space, uuid);

	return gpu ? uvm_chunk_alloc(&gpu->room, UVM_CHUNK_USER, UVM_ROOT_SIZE, chunk)
		   : NV_ERR_INVALID_DEVICE;
}

enum nv_status uvm_test_pmm_alloc_free_root(struct uvm_file *file, void *params)
{
	UVM_TEST_PMM_ALLOC_FREE_ROOT_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_chunk *chunk = NULL;
	u32 left = p->nap_us_before_free;
	enum nv_status status;

	/* GPUs that go wait for the nap's end. */
	if (left > NAP_MAX_US)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&space->lock);
	do
		status = take_root(space, &p->gpu_uuid, &chunk);
	while (uvm_evict_retry(space, &status));
	while (status == NV_OK && left && !rm_uvm_gpu_is_lost(chunk->root->chunks->gpu)) {
		u32 now = min(left, NAP_PIECE_US);

		status = uvm_test_sleep(now);
		left -= now;
	}
	uvm_chunk_free(chunk);
	os_mutex_unlock(&space->lock);
	return status;
}

/* -- Eviction ------------------------------------------------------------------------------------
 */

/* Whether there is one is no error: *root. */
static enum nv_status pick(struct uvm_space *space, struct uvm_gpu *gpu,
			   UVM_TEST_EVICT_CHUNK_PARAMS *p, struct uvm_root **root)
{
	struct uvm_chunk *chunk = NULL;
	const struct uvm_block *block;
	struct uvm_range *range;

	switch (p->eviction_mode) {
	case UvmTestEvictModeDefault:
		*root = uvm_root_pick(&gpu->device->chunks);
		return NV_OK;
	case UvmTestEvictModeVirtual:
		range = uvm_range_find(space, p->address);
		if (!range || range->kind != UVM_RANGE_MANAGED)
			return NV_ERR_INVALID_ADDRESS;
		block = range->blocks[uvm_block_index(range, p->address)];
		if (block && block->where && block->where->gpu == gpu)
			chunk = uvm_block_chunk(block, p->address);
		*root = chunk ? uvm_root_pick_of(chunk) : NULL;
		if (*root)
			p->chunk_size_backing_virtual = chunk->size;
		return NV_OK;
	case UvmTestEvictModePhysical:
		if (p->address >= align_up(gpu->info.video_memory, UVM_ROOT_SIZE))
			return NV_ERR_INVALID_ADDRESS;
		*root = uvm_root_pick_at(&gpu->device->chunks, p->address);
		return NV_OK;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

enum nv_status uvm_test_evict_chunk(struct uvm_file *file, void *params)
{
	UVM_TEST_EVICT_CHUNK_PARAMS *p = params;
	struct uvm_space *space = file->space;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct uvm_device_holder holder;
	struct uvm_root *root = NULL;
	struct uvm_gpu *gpu;

	p->chunk_was_evicted = false;
	p->evicted_physical_address = 0;
	p->chunk_size_backing_virtual = 0;
	os_mutex_lock(&space->lock);
	gpu = uvm_gpu_find(space, &p->gpu_uuid);
	if (gpu) {
		uvm_device_hold(gpu->device, &holder);
		status = pick(space, gpu, p, &root);
	}
	os_mutex_unlock(&space->lock);
	if (!gpu)
		return status;
	if (root) {
		status = uvm_root_evict(root);
		if (status == NV_OK) {
			p->chunk_was_evicted = true;
			p->evicted_physical_address = root->address;
			uvm_root_free(root);
		}
	}
	uvm_device_let_go(&holder);
	return status;
}

enum nv_status uvm_test_inject_evict_error(struct uvm_file *file, void *params)
{
	UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_gpu *gpu;

	os_mutex_lock(&space->lock);
	gpu = uvm_gpu_find(space, &p->gpu_uuid);
	if (gpu)
		os_store_release(&gpu->device->chunks.fail_reclaim, p->error_after_num_chunks);
	os_mutex_unlock(&space->lock);
	return gpu ? NV_OK : NV_ERR_INVALID_DEVICE;
}
