// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory: of the driver's own, system memory that GPUs reach, buffers of UVM's sessions, and chunks
 * of video memory.
 */
#include "uvm/test/test.h"

#define BAR_VIDEO 2u
#define CHUNKS 8u /* of one size at a time */
#define NAP_MAX_US 1000000u
#define NAP_PIECE_US 10000u

/* -- The driver's ------------------------------------------------------------------------------ */

static enum nv_status check_alloc(size_t size)
{
	enum nv_status status = NV_OK;
	u8 *mem = os_alloc(size);
	size_t i;

	if (!mem)
		return NV_ERR_NO_MEMORY;
	for (i = 0; i < size && !mem[i]; i++)
		;
	if (i < size || (u64)(uintptr_t)mem % 16)
		status = uvm_test_failed(__FILE__, __LINE__, "memory is zeroed and aligned");
	os_memset(mem, 0xa5, size);
	os_free(mem);
	return status;
}

enum nv_status uvm_test_kvmalloc(struct uvm_file *file, void *params)
{
	size_t size;

	for (size = 1; size <= MIB(4); size *= 2) {
		TEST_OK(check_alloc(size));
		TEST_OK(check_alloc(size + 1));
		TEST_OK(check_alloc(2 * size - 1));
	}
	TEST_CHECK(!os_alloc(0) && !os_alloc(GIB(2)) && !os_alloc(~(size_t)0));
	os_free(NULL);
	return NV_OK;
}

/* -- System memory, by way of video memory -------------------------------------------------------
 */

static u32 pattern(u64 offset, u32 seed)
{
	return (u32)(offset * 0x9e3779b1u) ^ seed;
}

static void fill(const struct os_pages *pages, u32 seed)
{
	u64 i;

	for (i = 0; i < pages->size; i += sizeof(u32))
		*(u32 *)((u8 *)pages->cpu + i) = pattern(i, seed);
}

static bool holds(const struct os_pages *pages, u32 seed)
{
	u64 i;

	for (i = 0; i < pages->size; i += sizeof(u32)) {
		if (*(const u32 *)((const u8 *)pages->cpu + i) != pattern(i, seed))
			return false;
	}
	return true;
}

static enum nv_status check_addresses(const struct os_pages *pages)
{
	u64 i, k;

	for (i = 0; i < pages->size; i += OS_PAGE_SIZE) {
		u64 at = os_pages_dma(pages, i);

		TEST_CHECK(is_aligned(at, OS_PAGE_SIZE));
		TEST_CHECK(os_pages_dma(pages, i + 8) == at + 8);
		for (k = 0; k < i && k < 16 * OS_PAGE_SIZE; k += OS_PAGE_SIZE)
			TEST_CHECK(os_pages_dma(pages, k) != at);
	}
	return NV_OK;
}

/* There and back into other pages, of which a second view is what the GPU writes. */
static enum nv_status there_and_back(struct uvm_gpu *gpu, const struct os_pages *from,
				     const struct os_pages *to, const struct os_pages *view,
				     u64 video)
{
	struct uvm_test_bytes a = { from, 0 }, b = { NULL, video }, c = { view, 0 };
	u64 i;

	for (i = 0; i < to->size; i++)
		TEST_CHECK(!((const u8 *)to->cpu)[i]);
	TEST_OK(check_addresses(from));
	TEST_OK(check_addresses(view));
	fill(from, 1);
	TEST_OK(uvm_test_copy(gpu, b, a, from->size, UVM_ORDER_PIPELINED));
	for (i = 0; i < from->size; i += OS_PAGE_SIZE)
		TEST_CHECK((u32)os_pci_rd64(rm_uvm_gpu_pci(gpu->rm), BAR_VIDEO, video + i) ==
			   pattern(i, 1));
	fill(from, 2);
	TEST_OK(uvm_test_copy(gpu, c, b, to->size, UVM_ORDER_AFTER));
	TEST_CHECK(holds(to, 1) && holds(from, 2));
	return NV_OK;
}

static enum nv_status check_system(struct uvm_gpu *gpu, u64 size)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(gpu->rm);
	struct os_pages from, to, view;
	struct rm_uvm_video *video;
	enum nv_status status;
	u64 address;

	status = rm_uvm_video_alloc(gpu->rm, size, OS_PAGE_SIZE, &video, &address);
	if (status != NV_OK)
		return status;
	status = os_pages_alloc(pci, size, OS_PAGES_SHARED, &from);
	if (status != NV_OK)
		goto free_video;
	/* As managed memory is made: for nobody, then for each GPU that comes to need it. */
	status = os_pages_alloc(NULL, size, OS_PAGES_SHARED, &to);
	if (status != NV_OK)
		goto free_from;
	status = os_pages_share(&to, pci, &view);
	if (status == NV_OK) {
		status = there_and_back(gpu, &from, &to, &view, address);
		os_pages_free(&view);
	}
	os_pages_free(&to);
free_from:
	os_pages_free(&from);
free_video:
	rm_uvm_video_free(video);
	return status;
}

static enum nv_status mem_sanity(struct uvm_gpu *gpu, void *ctx)
{
	TEST_OK(check_system(gpu, OS_PAGE_SIZE));
	TEST_OK(check_system(gpu, KIB(64)));
	return check_system(gpu, MIB(1) + OS_PAGE_SIZE);
}

enum nv_status uvm_test_mem_sanity(struct uvm_file *file, void *params)
{
	return uvm_test_each_gpu(file, mem_sanity, NULL);
}

/* -- What the resource manager gives ------------------------------------------------------------
 */

/* The CPU and two engines write to one buffer; each writes its word and no other. */
static enum nv_status check_buffer(struct uvm_gpu *gpu, struct uvm_test_words *words, u32 count)
{
	struct uvm_tracker_entry entry;
	u32 i;

	for (i = 0; i < count; i++)
		TEST_CHECK(!words->cpu[i]);
	for (i = 0; i < count; i++)
		words->cpu[i] = ~i;
	TEST_OK(uvm_test_write_word(gpu, UVM_QUEUE_MEMOPS, NULL, words, 0, 1, &entry));
	TEST_OK(uvm_entry_wait(&entry));
	TEST_OK(uvm_test_write_word(gpu, UVM_QUEUE_FROM_GPU, NULL, words, count - 4, 2, &entry));
	TEST_OK(uvm_entry_wait(&entry));
	TEST_CHECK(uvm_test_word(words, 0) == 1 && uvm_test_word(words, count - 4) == 2);
	for (i = 1; i < count; i++)
		TEST_CHECK(i == count - 4 || words->cpu[i] == ~i);
	return NV_OK;
}

static enum nv_status check_video(struct uvm_gpu *gpu, u64 address, u64 size)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(gpu->rm);
	u64 at;

	TEST_CHECK(is_aligned(address, size));
	for (at = address; at < address + size; at += 512) {
		TEST_CHECK(!os_pci_rd64(pci, BAR_VIDEO, at));
		os_pci_wr64(pci, BAR_VIDEO, at, ~at);
	}
	for (at = address; at < address + size; at += 512)
		TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, at) == ~at);
	return NV_OK;
}

static enum nv_status rm_mem_sanity(struct uvm_gpu *gpu, void *ctx)
{
	static const u64 sizes[] = { OS_PAGE_SIZE, KIB(64), KIB(256) };
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes) && status == NV_OK; i++) {
		struct rm_uvm_video *video;
		struct uvm_test_words words;
		u64 address;

		TEST_OK(uvm_test_words_alloc(gpu, sizes[i], &words));
		status = check_buffer(gpu, &words, (u32)(sizes[i] / sizeof(u32)));
		uvm_test_words_free(&words);
		if (status != NV_OK)
			break;
		TEST_OK(rm_uvm_video_alloc(gpu->rm, sizes[i], sizes[i], &video, &address));
		status = check_video(gpu, address, sizes[i]);
		rm_uvm_video_free(video);
	}
	return status;
}

enum nv_status uvm_test_rm_mem_sanity(struct uvm_file *file, void *params)
{
	return uvm_test_each_gpu(file, rm_mem_sanity, NULL);
}

/* -- Chunks of video memory ----------------------------------------------------------------------
 */

struct chunks {
	struct uvm_gpu *gpu;
	u64 size;
	struct rm_uvm_video *video[CHUNKS];
	u64 address[CHUNKS];
};

static u64 tag_of(const struct chunks *c, u32 i)
{
	return c->address[i] ^ (u64)i << 56 ^ c->size << 32;
}

static enum nv_status chunk_take(struct chunks *c, u32 i)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(c->gpu->rm);
	u32 k;

	TEST_OK(rm_uvm_video_alloc(c->gpu->rm, c->size, c->size, &c->video[i], &c->address[i]));
	TEST_CHECK(is_aligned(c->address[i], c->size));
	for (k = 0; k < CHUNKS; k++)
		TEST_CHECK(k == i || !c->video[k] || c->address[k] != c->address[i]);
	TEST_CHECK(!os_pci_rd64(pci, BAR_VIDEO, c->address[i]));
	TEST_CHECK(!os_pci_rd64(pci, BAR_VIDEO, c->address[i] + c->size - 8));
	os_pci_wr64(pci, BAR_VIDEO, c->address[i], tag_of(c, i));
	os_pci_wr64(pci, BAR_VIDEO, c->address[i] + c->size - 8, ~tag_of(c, i));
	return NV_OK;
}

static void chunk_give(struct chunks *c, u32 i)
{
	if (c->video[i])
		rm_uvm_video_free(c->video[i]);
	c->video[i] = NULL;
}

static enum nv_status check_tags(const struct chunks *c)
{
	struct os_pci_dev *pci = rm_uvm_gpu_pci(c->gpu->rm);
	u32 i;

	for (i = 0; i < CHUNKS; i++) {
		if (!c->video[i])
			continue;
		TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, c->address[i]) == tag_of(c, i));
		TEST_CHECK(os_pci_rd64(pci, BAR_VIDEO, c->address[i] + c->size - 8) ==
			   ~tag_of(c, i));
	}
	return NV_OK;
}

static enum nv_status chunks_of_size(struct chunks *c)
{
	u32 i, round;

	for (i = 0; i < CHUNKS; i++)
		TEST_OK(chunk_take(c, i));
	TEST_OK(check_tags(c));
	for (round = 0; round < 4; round++) {
		for (i = round % 2; i < CHUNKS; i += 1 + round)
			chunk_give(c, i);
		TEST_OK(check_tags(c));
		for (i = 0; i < CHUNKS; i++) {
			if (!c->video[i])
				TEST_OK(chunk_take(c, i));
		}
		TEST_OK(check_tags(c));
	}
	return NV_OK;
}

static enum nv_status pmm_sanity(struct uvm_gpu *gpu, void *ctx)
{
	bool full = *(const u32 *)ctx == UvmTestPmmSanityModeFull;
	enum nv_status status = NV_OK;
	u64 size;
	u32 i;

	for (size = OS_PAGE_SIZE; size <= UVM_BLOCK_SIZE && status == NV_OK; size *= 2) {
		struct chunks chunks = { .gpu = gpu, .size = size };

		if (!full && size != OS_PAGE_SIZE && size != KIB(64) && size != UVM_BLOCK_SIZE)
			continue;
		status = chunks_of_size(&chunks);
		for (i = 0; i < CHUNKS; i++)
			chunk_give(&chunks, i);
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

struct leak_chunk {
	struct leak_chunk *next;
	struct rm_uvm_video *video;
};

/* limit ~0: until there is no more. */
static enum nv_status leak_run(struct uvm_gpu *gpu, u64 size, u64 limit, struct leak_chunk **first,
			       u64 *count)
{
	enum nv_status status;
	u64 address;

	while (*count < limit) {
		struct leak_chunk *chunk = os_alloc(sizeof(*chunk));

		if (!chunk)
			return NV_ERR_NO_MEMORY;
		status = rm_uvm_video_alloc(gpu->rm, size, size, &chunk->video, &address);
		if (status != NV_OK) {
			os_free(chunk);
			return status == NV_ERR_NO_MEMORY && limit == ~(u64)0 ? NV_OK : status;
		}
		chunk->next = *first;
		*first = chunk;
		(*count)++;
		TEST_CHECK(is_aligned(address, size));
		TEST_OK(uvm_test_go_on());
	}
	return NV_OK;
}

enum nv_status uvm_test_pmm_check_leak(struct uvm_file *file, void *params)
{
	UVM_TEST_PMM_CHECK_LEAK_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct leak_chunk *first = NULL, *chunk;
	struct uvm_gpu *gpu;
	u64 count = 0;

	if (p->alloc_limit < -1 || !is_power_of_2(p->chunk_size) || p->chunk_size < OS_PAGE_SIZE ||
	    p->chunk_size > UVM_BLOCK_SIZE)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	gpu = uvm_gpu_find(file->space, &p->gpu_uuid);
	if (gpu)
		status = leak_run(gpu, p->chunk_size, (u64)p->alloc_limit, &first, &count);
	while ((chunk = first)) {
		first = chunk->next;
		rm_uvm_video_free(chunk->video);
		os_free(chunk);
	}
	os_mutex_unlock(&file->space->lock);
	p->allocated = count;
	return status;
}

enum nv_status uvm_test_pmm_alloc_free_root(struct uvm_file *file, void *params)
{
	UVM_TEST_PMM_ALLOC_FREE_ROOT_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct rm_uvm_video *video = NULL;
	u32 left = p->nap_us_before_free;
	struct uvm_gpu *gpu;
	u64 address;

	/* GPUs that go wait for the nap's end. */
	if (left > NAP_MAX_US)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	gpu = uvm_gpu_find(file->space, &p->gpu_uuid);
	if (gpu)
		status = rm_uvm_video_alloc(gpu->rm, UVM_BLOCK_SIZE, UVM_BLOCK_SIZE, &video,
					    &address);
	while (status == NV_OK && left && !rm_uvm_gpu_is_lost(gpu->rm)) {
		u32 now = min(left, NAP_PIECE_US);

		status = uvm_test_sleep(now);
		left -= now;
	}
	if (video)
		rm_uvm_video_free(video);
	os_mutex_unlock(&file->space->lock);
	return status;
}
