// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The memory that FSP and GSP read during boot and after. Pages of system memory are not adjacent
 * on the bus, so all that is longer than a page is found through tables:
 *
 *   FMC parameters --> WPR meta data --> radix3: one page -> pages -> pages -> the image's pages
 *                  \-> libos arguments --> logs (table of their pages behind the put pointer)
 *                                      \-> RM arguments --> shared memory's page table -> queues
 */
#include "rm/gsp/gsp.h"

#include "base/bits.h"
#include "rm/cc/session.h"
#include "rm/gpu/regs.h"
#include "rm/gsp/firmware.h"
#include "rm/registry.h"

#define PAGE OS_PAGE_SIZE
#define ENTRIES_PER_PAGE (PAGE / (u32)sizeof(u64))

#define COMMAND_QUEUE_SIZE 0x40000u
#define STATUS_QUEUE_SIZE 0x40000u
#define STATUS_QUEUE_MAX_SIZE 0x400000u

#define VGA_WORKSPACE_SIZE 0x20000u
#define NON_WPR_HEAP_SIZE 0x200000u

static const struct {
	const char *id;
	u32 size;
} log_regions[] = {
	{ "LOGINIT", 0x10000 },
	{ "LOGINTR", 0x10000 },
	{ "LOGRM", 0x10000 },
};
_Static_assert(ARRAY_SIZE(log_regions) == ARRAY_SIZE(((struct gsp_memory *)NULL)->logs), "logs");

/* Up to eight letters as one number, the first one highest. */
static u64 region_id(const char *name)
{
	size_t length = os_strnlen(name, 8), i;
	u64 id = 0;

	for (i = 0; i < length; i++)
		id = (id << 8) | (u8)name[i];
	return id;
}

/* Writes the bus address of count pages of block, from offset on. */
static void fill_table(u64 *table, const struct os_pages *block, size_t offset, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		table[i] = os_pages_dma(block, offset + i * PAGE);
}

static void *args_page(struct gsp_memory *m, u32 page)
{
	return (u8 *)m->args.cpu + (size_t)page * PAGE;
}

static u64 args_address(const struct gsp_memory *m, u32 page)
{
	return os_pages_dma(&m->args, (size_t)page * PAGE);
}

/* As os_pages_alloc for the device; block is empty on failure. */
static enum nv_status take_pages(struct rm_gsp *gsp, size_t size, struct os_pages *block)
{
	enum nv_status status = os_pages_alloc(gsp->gpu->pci, size, OS_PAGES_SHARED, block);

	if (status != NV_OK)
		os_memset(block, 0, sizeof(*block));
	return status;
}

static void release(struct os_pages *block)
{
	if (block->cpu)
		os_pages_free(block);
	os_memset(block, 0, sizeof(*block));
}

/* -- The image --------------------------------------------------------------------------------- */

static enum nv_status image_alloc(struct rm_gsp *gsp, const struct gsp_section *image)
{
	struct os_pages *block = &gsp->memory.image;
	size_t data_pages = (size_t)div_round_up(image->size, PAGE);
	size_t level2 = (size_t)div_round_up(data_pages, ENTRIES_PER_PAGE);
	size_t level1 = (size_t)div_round_up(level2, ENTRIES_PER_PAGE);
	size_t data_at = (1 + level1 + level2) * PAGE;
	enum nv_status status;
	u8 *cpu;

	if (level1 > ENTRIES_PER_PAGE)
		return NV_ERR_INVALID_DATA;
	status = take_pages(gsp, data_at + data_pages * PAGE, block);
	if (status != NV_OK)
		return status;
	cpu = block->cpu;
	fill_table((u64 *)cpu, block, PAGE, level1);
	fill_table((u64 *)(cpu + PAGE), block, (1 + level1) * PAGE, level2);
	fill_table((u64 *)(cpu + (1 + level1) * PAGE), block, data_at, data_pages);
	os_memcpy(cpu + data_at, image->data, image->size);
	return NV_OK;
}

/* Memory that the device reads in one piece: adjacent on the bus, or no use. */
static enum nv_status contiguous_alloc(struct rm_gsp *gsp, const struct gsp_section *section,
				       struct os_pages *block)
{
	enum nv_status status;
	size_t at;

	status = take_pages(gsp, (size_t)align_up(section->size, PAGE), block);
	if (status != NV_OK)
		return status;
	for (at = PAGE; at < block->size; at += PAGE) {
		if (os_pages_dma(block, at) != os_pages_dma(block, 0) + at) {
			release(block);
			return NV_ERR_INVALID_DATA;
		}
	}
	os_memcpy(block->cpu, section->data, section->size);
	return NV_OK;
}

/* -- Queues and logs --------------------------------------------------------------------------- */

static u32 status_queue_size(struct rm_gsp *gsp)
{
	u32 kib;

	if (rm_registry_read_dword(gsp->gpu->rm, gsp->gpu, "RmGspStatusQueueSize", &kib) != NV_OK)
		return STATUS_QUEUE_SIZE;
	kib = min(kib, STATUS_QUEUE_MAX_SIZE / 1024);
	/* Room for the longest message beside the header and the element that stays free. */
	return (u32)align_up(max((u64)kib * 1024, (u64)GSP_MSG_QUEUE_ELEMENT_SIZE_MAX + 2 * PAGE),
			     PAGE);
}

static enum nv_status shared_alloc(struct rm_gsp *gsp)
{
	struct os_pages *block = &gsp->memory.shared;
	MESSAGE_QUEUE_INIT_ARGUMENTS *args =
		&((GSP_ARGUMENTS_CACHED *)args_page(&gsp->memory, GSP_ARGS_RM))
			 ->messageQueueInitArguments;
	u32 status_size = status_queue_size(gsp);
	u32 queues = COMMAND_QUEUE_SIZE + status_size;
	u32 entries = queues / PAGE;
	u32 table_size;
	enum nv_status status;

	entries += (u32)div_round_up(entries * sizeof(u64), PAGE);
	table_size = (u32)align_up(entries * sizeof(u64), PAGE);
	status = take_pages(gsp, table_size + queues, block);
	if (status != NV_OK)
		return status;
	fill_table(block->cpu, block, 0, entries);
	gsp_msgq_init(&gsp->queue, (u8 *)block->cpu + table_size, COMMAND_QUEUE_SIZE,
		      (u8 *)block->cpu + table_size + COMMAND_QUEUE_SIZE, status_size);

	args->sharedMemPhysAddr = os_pages_dma(block, 0);
	args->pageTableEntryCount = entries;
	args->cmdQueueOffset = table_size;
	args->statQueueOffset = table_size + COMMAND_QUEUE_SIZE;
	return NV_OK;
}

static enum nv_status logs_alloc(struct rm_gsp *gsp)
{
	enum nv_status status;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(log_regions); i++) {
		struct os_pages *log = &gsp->memory.logs[i];

		status = take_pages(gsp, log_regions[i].size, log);
		if (status != NV_OK)
			return status;
		fill_table((u64 *)log->cpu + 1, log, 0, log->size / PAGE);
	}
	return NV_OK;
}

/* -- Arguments --------------------------------------------------------------------------------- */

static void fill_libos_args(struct rm_gsp *gsp)
{
	struct gsp_memory *m = &gsp->memory;
	LibosMemoryRegionInitArgument *region = args_page(m, GSP_ARGS_LIBOS);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(log_regions); i++, region++) {
		region->id8 = region_id(log_regions[i].id);
		region->pa = os_pages_dma(&m->logs[i], 0);
		region->size = m->logs[i].size;
		region->kind = LIBOS_MEMORY_REGION_CONTIGUOUS;
		region->loc = LIBOS_MEMORY_REGION_LOC_SYSMEM;
	}
	region->id8 = region_id("RMARGS");
	region->pa = args_address(m, GSP_ARGS_RM);
	region->size = PAGE;
	region->kind = LIBOS_MEMORY_REGION_CONTIGUOUS;
	region->loc = LIBOS_MEMORY_REGION_LOC_SYSMEM;
}

/* What the firmware's heap needs: fixed parts, and one that grows with video memory. */
static u64 heap_size(struct rm_gsp *gsp)
{
	u64 fb = MIB(gpu_rd32(gsp->gpu, NV_USABLE_FB_SIZE_IN_MB));
	u64 per_gib = GSP_FW_HEAP_PARAM_SIZE_PER_GB_FB * div_round_up(fb, GIB(1));
	u64 size;

	size = GSP_FW_HEAP_PARAM_OS_SIZE_LIBOS3 + GSP_FW_HEAP_PARAM_BASE_RM_SIZE_GH100 +
	       align_up(per_gib, MIB(1)) + align_up(GSP_FW_HEAP_PARAM_CLIENT_ALLOC_SIZE, MIB(1));
	return max(size, MIB(GSP_FW_HEAP_SIZE_OVERRIDE_LIBOS3_BAREMETAL_MIN_MB));
}

static void fill_wpr_meta(struct rm_gsp *gsp, const struct gsp_firmware *fw)
{
	struct gsp_memory *m = &gsp->memory;
	GspFwWprMeta *meta = args_page(m, GSP_ARGS_WPR_META);

	meta->magic = GSP_FW_WPR_META_MAGIC;
	meta->revision = GSP_FW_WPR_META_REVISION;
	meta->sysmemAddrOfRadix3Elf = os_pages_dma(&m->image, 0);
	meta->sizeOfRadix3Elf = fw->image.size;
	meta->sysmemAddrOfBootloader = os_pages_dma(&m->fmc, 0);
	meta->sizeOfBootloader = fw->fmc.size;
	meta->sysmemAddrOfSignature = os_pages_dma(&m->signature, 0);
	meta->sizeOfSignature = fw->signature.size;
	meta->vgaWorkspaceSize = VGA_WORKSPACE_SIZE;
	meta->nonWprHeapSize = NON_WPR_HEAP_SIZE;
	meta->gspFwHeapSize = heap_size(gsp);
}

static void fill_boot_params(struct rm_gsp *gsp)
{
	struct gsp_memory *m = &gsp->memory;
	GSP_FMC_BOOT_PARAMS *p = args_page(m, GSP_ARGS_FMC);
	GSP_ARGUMENTS_CACHED *rm = args_page(m, GSP_ARGS_RM);

	p->initParams.regkeys = rm_cc_proxy_keys(gsp->gpu);
	p->bootGspRmParams.target = GSP_DMA_TARGET_COHERENT_SYSTEM;
	p->bootGspRmParams.gspRmDescOffset = args_address(m, GSP_ARGS_WPR_META);
	p->bootGspRmParams.gspRmDescSize = sizeof(GspFwWprMeta);
	p->bootGspRmParams.bIsGspRmBoot = 1;
	p->gspRmParams.target = GSP_DMA_TARGET_COHERENT_SYSTEM;
	p->gspRmParams.bootArgsOffset = args_address(m, GSP_ARGS_LIBOS);
	rm->gpuInstance = gsp->gpu->instance;
	rm->srInitArguments.bInPMTransition = gsp->gpu->suspended;
	rm->srInitArguments.oldLevel = gsp->gpu->suspended ? GSP_POWER_LEVEL_STANDBY : 0;
}

enum nv_status gsp_memory_alloc(struct rm_gsp *gsp, const struct gsp_firmware *fw)
{
	struct gsp_memory *m = &gsp->memory;
	enum nv_status status;

	status = take_pages(gsp, GSP_ARGS_PAGES * PAGE, &m->args);
	if (status == NV_OK)
		status = image_alloc(gsp, &fw->image);
	if (status == NV_OK)
		status = contiguous_alloc(gsp, &fw->fmc, &m->fmc);
	if (status == NV_OK)
		status = contiguous_alloc(gsp, &fw->signature, &m->signature);
	if (status == NV_OK)
		status = shared_alloc(gsp);
	if (status == NV_OK)
		status = logs_alloc(gsp);
	if (status != NV_OK) {
		gsp_memory_free(gsp);
		return status;
	}
	fill_libos_args(gsp);
	fill_wpr_meta(gsp, fw);
	fill_boot_params(gsp);
	return NV_OK;
}

void gsp_memory_free(struct rm_gsp *gsp)
{
	struct gsp_memory *m = &gsp->memory;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(m->logs); i++)
		release(&m->logs[i]);
	release(&m->shared);
	release(&m->signature);
	release(&m->fmc);
	release(&m->image);
	release(&m->args);
}
