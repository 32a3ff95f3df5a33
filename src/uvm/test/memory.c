// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory: of the driver's own, system memory that GPUs reach, and buffers of UVM's sessions.
 */
#include "uvm/test/test.h"

#define BAR_VIDEO 2u

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
