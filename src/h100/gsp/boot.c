// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The boot firmware (GSP-FMC) and the start of RM: from the boot parameters to the queues.
 * docs/boot.md draws the order.
 *
 *   top of video memory
 *   | VGA workspace | WPR2: | FRTS | boot firmware | image | heap | meta data | | non-WPR heap |
 * ...
 */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/gsp/firmware.h"

#define RADIX_ENTRIES (FW_PAGE / sizeof(u64))
#define WPR_ALIGN (128u << 10)
#define FRTS_BYTES (1u << 20)
#define VGA_BYTES (128u << 10)
#define LIBOS_ARGS (FW_PAGE / sizeof(LibosMemoryRegionInitArgument))
#define ID_RMARGS 0x524d41524753ull /* "RMARGS" */

bool fw_sha384_is(const void *data, size_t size, const u8 digest[48])
{
	u8 found[48];

	return SHA384(data, size, found) != NULL && memcmp(found, digest, sizeof(found)) == 0;
}

static bool in_system_memory(u32 target)
{
	return target == GSP_DMA_TARGET_COHERENT_SYSTEM ||
	       target == GSP_DMA_TARGET_NONCOHERENT_SYSTEM;
}

/* One table of addresses; all of them are pages. */
static bool read_table(struct fw *fw, u64 address, u64 *entry, u64 count)
{
	u64 i;

	if (!is_aligned(address, FW_PAGE) || count > RADIX_ENTRIES ||
	    !fw_dma_read(fw, address, entry, count * sizeof(*entry)))
		return false;
	for (i = 0; i < count; i++)
		if (!is_aligned(entry[i], FW_PAGE))
			return false;
	return true;
}

/*
 * Reads size bytes of what the radix3 table at address maps. Returns 0 or
 * LH_GSP_BOOT_BAD_PAGE_TABLE. Level 0 and level 1 cover 512 and 262144 pages: far more than any
 * image.
 */
static u32 read_radix3(struct fw *fw, u64 address, u8 *data, u64 size)
{
	u64 level0[RADIX_ENTRIES], level1[RADIX_ENTRIES], level2[RADIX_ENTRIES];
	u64 pages = div_round_up(size, FW_PAGE), tables = div_round_up(pages, RADIX_ENTRIES);
	u64 i, j;

	if (tables > RADIX_ENTRIES || !read_table(fw, address, level0, 1) ||
	    !read_table(fw, level0[0], level1, tables))
		return LH_GSP_BOOT_BAD_PAGE_TABLE;
	for (i = 0; i < tables; i++) {
		u64 count = min(pages - i * RADIX_ENTRIES, (u64)RADIX_ENTRIES);

		if (!read_table(fw, level1[i], level2, count))
			return LH_GSP_BOOT_BAD_PAGE_TABLE;
		for (j = 0; j < count; j++) {
			u64 at = (i * RADIX_ENTRIES + j) * FW_PAGE;

			if (!fw_dma_read(fw, level2[j], data + at, min(size - at, (u64)FW_PAGE)))
				return LH_GSP_BOOT_BAD_PAGE_TABLE;
		}
	}
	return 0;
}

static u32 read_meta(struct fw *fw, const GSP_FMC_BOOT_PARAMS *params, GspFwWprMeta *meta)
{
	const GSP_ACR_BOOT_GSP_RM_PARAMS *acr = &params->bootGspRmParams;

	if (!in_system_memory(acr->target) || !in_system_memory(params->gspRmParams.target) ||
	    acr->bIsGspRmBoot != 1 || acr->gspRmDescSize != sizeof(*meta))
		return LH_GSP_BOOT_BAD_ARGS;
	if (!fw_dma_read(fw, acr->gspRmDescOffset, meta, sizeof(*meta)))
		return LH_GSP_BOOT_BAD_META;
	if (meta->magic != GSP_FW_WPR_META_MAGIC || meta->revision != GSP_FW_WPR_META_REVISION ||
	    meta->verified == GSP_FW_WPR_META_VERIFIED)
		return LH_GSP_BOOT_BAD_META;
	return meta->sizeOfRadix3Elf == h100_image_size ? 0 : LH_GSP_BOOT_BAD_IMAGE;
}

/* Places everything from the top down; false when it does not fit. */
static bool lay_out(struct fw *fw, GspFwWprMeta *meta)
{
	u64 half = fw->video_bytes / 2, at = fw->video_bytes, needed;

	if (meta->gspFwHeapSize > half || meta->nonWprHeapSize > half ||
	    meta->vgaWorkspaceSize > (16u << 20))
		return false;
	needed = 2 * WPR_ALIGN + FRTS_BYTES + FW_PAGE + h100_image_size + FW_PAGE +
		 max(meta->vgaWorkspaceSize, (u64)VGA_BYTES) + meta->gspFwHeapSize +
		 meta->nonWprHeapSize + 8 * FW_PAGE;
	if (needed > fw->video_bytes)
		return false;
	meta->fbSize = fw->video_bytes;
	meta->vgaWorkspaceSize = max(meta->vgaWorkspaceSize, (u64)VGA_BYTES);
	at -= meta->vgaWorkspaceSize;
	meta->vgaWorkspaceOffset = at;
	at = align_down(at, WPR_ALIGN);
	meta->gspFwWprEnd = at;
	meta->frtsSize = FRTS_BYTES;
	at -= FRTS_BYTES;
	meta->frtsOffset = at;
	at -= FW_PAGE;
	meta->bootBinOffset = at;
	at = align_down(at - h100_image_size, FW_PAGE);
	meta->gspFwOffset = at;
	at = align_down(at - meta->gspFwHeapSize, FW_PAGE);
	meta->gspFwHeapOffset = at;
	at = align_down(at - sizeof(*meta), WPR_ALIGN);
	meta->gspFwWprStart = at;
	at = align_down(at - meta->nonWprHeapSize, FW_PAGE);
	meta->nonWprHeapOffset = at;
	meta->gspFwRsvdStart = at;
	return true;
}

/* The boot firmware: returns why GSP was not started (LH_GSP_BOOT_*), or 0. */
static u32 run_fmc(struct fw *fw, u64 address, GSP_FMC_BOOT_PARAMS *params)
{
	GspFwWprMeta meta;
	u8 *image;
	u32 error;

	if (!fw_dma_read(fw, address, params, sizeof(*params)))
		return LH_GSP_BOOT_BAD_ARGS;
	error = read_meta(fw, params, &meta);
	if (error != 0)
		return error;
	image = malloc(h100_image_size);
	if (!image)
		return LH_GSP_BOOT_NO_MEMORY;
	error = read_radix3(fw, meta.sysmemAddrOfRadix3Elf, image, h100_image_size);
	if (error != 0)
		goto done;
	if (!fw_sha384_is(image, h100_image_size, h100_image_sha384)) {
		error = LH_GSP_BOOT_BAD_IMAGE;
		goto done;
	}
	if (!lay_out(fw, &meta)) {
		error = LH_GSP_BOOT_NO_MEMORY;
		goto done;
	}
	meta.bootCount++;
	meta.verified = GSP_FW_WPR_META_VERIFIED;
	memcpy(fw->video + meta.gspFwOffset, image, h100_image_size);
	memcpy(fw->video + meta.gspFwWprStart, &meta, sizeof(meta));
	fw->wpr_start = meta.gspFwWprStart;
	fw->wpr_end = meta.gspFwWprEnd;
	h100_chip_wpr2_set(fw->chip, fw->wpr_start, fw->wpr_end);

done:
	free(image);
	return error;
}

/* RM's first steps: its arguments, and the queues that they name. */
static u32 start_rm(struct fw *fw, u64 libos_args)
{
	LibosMemoryRegionInitArgument region[LIBOS_ARGS];
	GSP_ARGUMENTS_CACHED args;
	u32 i;

	if (!fw_dma_read(fw, libos_args, region, sizeof(region)))
		return LH_GSP_BOOT_BAD_LIBOS_ARGS;
	for (i = 0; i < LIBOS_ARGS && region[i].id8 != ID_RMARGS; i++)
		if (region[i].id8 == 0)
			return LH_GSP_BOOT_BAD_LIBOS_ARGS;
	if (i == LIBOS_ARGS || region[i].kind != LIBOS_MEMORY_REGION_CONTIGUOUS ||
	    region[i].loc != LIBOS_MEMORY_REGION_LOC_SYSMEM || region[i].size < sizeof(args) ||
	    !fw_dma_read(fw, region[i].pa, &args, sizeof(args)))
		return LH_GSP_BOOT_BAD_LIBOS_ARGS;
	fw->gpu_instance = args.gpuInstance;
	if (!args.srInitArguments.bInPMTransition)
		fw_forget(fw);
	else if (!fw->kept)
		return LH_GSP_BOOT_BAD_ARGS;
	return fw_queues_open(fw, &args.messageQueueInitArguments) ? 0 : LH_GSP_BOOT_BAD_QUEUES;
}

void fw_boot(struct fw *fw, u64 boot_params)
{
	GSP_FMC_BOOT_PARAMS params;
	u32 error;

	fw_begin(fw);
	h100_chip_gsp_set_run(fw->chip, H100_GSP_LOCKED);
	error = run_fmc(fw, boot_params, &params);
	if (error == 0)
		error = start_rm(fw, params.gspRmParams.bootArgsOffset);
	if (error != 0) {
		fw_log(fw, OS_LOG_ERROR, "GSP did not boot: error %u", error);
		fw_stop(fw, FW_STAGE_FAILED);
		h100_chip_register_set(fw->chip, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0, error);
		h100_chip_gsp_set_run(fw->chip, H100_GSP_BOOTING);
		return;
	}
	fw->stage = FW_STAGE_INIT;
	fw->init_status = NV_OK;
	h100_chip_gsp_set_run(fw->chip, H100_GSP_RUNNING);
	fw_serve_commands(fw);
}
