// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * NV_ESC_RM_ALLOC_MEMORY of the classes NV01_MEMORY_LIST_*: the old structure (Nv01MemoryList),
 * with the page numbers behind it, is copied before any lock is taken and becomes
 * NV_MEMORY_LIST_ALLOCATION_PARAMS.
 */
#include "rm/escape/escape.h"

#define PAGES_MAX 0x20000u /* as NV_MEMORY_LIST_ALLOCATION_PARAMS */

/* Nv01MemoryList up to its pageNumber[]. */
struct old_list {
	NvHandle hClient, hParent, hObject, hHwResClient, hHwResDevice, hHwResHandle;
	NvU32 pteAdjust, type, flags, attr, attr2, height, width, format, comprcovg, zcullcovg;
	NvU32 pageCount, heapOwner, reserved_1, padding;
	NvU64 guestId, rangeBegin, rangeEnd;
	NvU32 pitch, ctagOffset;
	NvU64 size, align;
};
_Static_assert(sizeof(struct old_list) == 128, "offset of Nv01MemoryList.pageNumber");

static enum nv_status alloc(struct rm_file *file, const NVOS02_PARAMETERS *p,
			    const struct old_list *old, u64 *numbers)
{
	NV_MEMORY_LIST_ALLOCATION_PARAMS params = {
		.hClient = old->hClient,
		.hParent = old->hParent,
		.hObject = old->hObject,
		.hHwResClient = old->hHwResClient,
		.hHwResDevice = old->hHwResDevice,
		.hHwResHandle = old->hHwResHandle,
		.pteAdjust = old->pteAdjust,
		.type = old->type,
		.flags = old->flags,
		.attr = old->attr,
		.attr2 = old->attr2,
		.height = old->height,
		.width = old->width,
		.format = old->format,
		.comprcovg = old->comprcovg,
		.zcullcovg = old->zcullcovg,
		.pageCount = old->pageCount,
		.heapOwner = old->heapOwner,
		.guestId = old->guestId,
		.rangeBegin = old->rangeBegin,
		.rangeEnd = old->rangeEnd,
		.pitch = old->pitch,
		.ctagOffset = old->ctagOffset,
		.size = old->size,
		.align = old->align,
		.pageNumberList = (NvP64)(uintptr_t)numbers,
		.limit = p->limit,
		.flagsOs02 = p->flags,
	};
	NVOS64_PARAMETERS request = {
		.hRoot = p->hRoot,
		.hObjectParent = p->hObjectParent,
		.hObjectNew = p->hObjectNew,
		.hClass = p->hClass,
		.pAllocParms = (NvP64)(uintptr_t)&params,
		.paramsSize = sizeof(params),
	};

	return rm_api_alloc_pinned(file, &request, NULL);
}

enum nv_status escape_alloc_list(struct rm_file *file, const NVOS02_PARAMETERS *p)
{
	const u64 user = (u64)p->pMemory;
	enum nv_status status;
	struct old_list old;
	u64 *numbers, bytes;

	if (!user)
		return NV_ERR_INVALID_ARGUMENT;
	if (os_copy_from_user(&old, user, sizeof(old)) != NV_OK)
		return NV_ERR_INVALID_ADDRESS;
	if (old.pageCount == 0 || old.pageCount > PAGES_MAX)
		return NV_ERR_INVALID_ARGUMENT;
	bytes = (u64)old.pageCount * sizeof(numbers[0]);
	numbers = os_alloc(bytes);
	if (!numbers)
		return NV_ERR_NO_MEMORY;
	if (os_copy_from_user(numbers, user + sizeof(old), bytes) != NV_OK)
		status = NV_ERR_INVALID_ADDRESS;
	else
		status = alloc(file, p, &old, numbers);
	os_free(numbers);
	return status;
}
