// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What clients ask about a memory object. */
#include "rm/class/memory_control.h"

#include "base/bits.h"

u32 rm_memory_address_space(const struct rm_object *object)
{
	switch (rm_backing_kind(to_mappable(object)->backing)) {
	case RM_BACKING_VIDEO:
		return NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_VIDMEM;
	case RM_BACKING_BAR:
		return NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_REGMEM;
	default:
		return NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_SYSMEM;
	}
}

static enum nv_status get_page_size(struct rm_call *call, void *params)
{
	NV0041_CTRL_GET_MEM_PAGE_SIZE_PARAMS *p = params;

	p->pageSize = rm_backing_page_size(to_mappable(call->object)->backing);
	return NV_OK;
}

static enum nv_status surface_info(const struct rm_object *object, NV0041_CTRL_SURFACE_INFO *info)
{
	const struct rm_mappable *memory = to_mappable(object);

	switch (info->index) {
	/* No memory is compressed. */
	case NV0041_CTRL_SURFACE_INFO_INDEX_ATTRS:
	case NV0041_CTRL_SURFACE_INFO_INDEX_COMPR_COVERAGE:
		info->data = 0;
		return NV_OK;
	case NV0041_CTRL_SURFACE_INFO_INDEX_PHYS_SIZE:
		info->data = (u32)(rm_backing_size(memory->backing) /
				   NV0041_CTRL_SURFACE_INFO_PHYS_SIZE_SCALE_FACTOR);
		return NV_OK;
	case NV0041_CTRL_SURFACE_INFO_INDEX_PHYS_ATTR:
		info->data = (u32)(memory->attr & (REG_MASK(NVOS32_ATTR_PAGE_SIZE) |
						   REG_MASK(NVOS32_ATTR_COHERENCY)));
		return NV_OK;
	case NV0041_CTRL_SURFACE_INFO_INDEX_ADDR_SPACE_TYPE:
		info->data = rm_memory_address_space(object);
		return NV_OK;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

static enum nv_status get_surface_info(struct rm_call *call, void *params)
{
	NV0041_CTRL_GET_SURFACE_INFO_PARAMS *p = params;
	NV0041_CTRL_SURFACE_INFO *list = (NV0041_CTRL_SURFACE_INFO *)(uintptr_t)p->surfaceInfoList;
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; list && i < p->surfaceInfoListSize && status == NV_OK; i++)
		status = surface_info(call->object, &list[i]);
	return status;
}

static enum nv_status get_compression_coverage(struct rm_call *call, void *params)
{
	NV0041_CTRL_GET_SURFACE_COMPRESSION_COVERAGE_PARAMS *p = params;

	p->lineMin = 0;
	p->lineMax = 0;
	p->format = 0;
	return NV_OK;
}

static enum nv_status set_tag(struct rm_call *call, void *params)
{
	const NV0041_CTRL_CMD_SET_TAG_PARAMS *p = params;

	to_mappable(call->object)->tag = p->tag;
	return NV_OK;
}

static enum nv_status get_tag(struct rm_call *call, void *params)
{
	NV0041_CTRL_CMD_GET_TAG_PARAMS *p = params;

	p->tag = to_mappable(call->object)->tag;
	return NV_OK;
}

const struct rm_control_handler rm_memory_controls[RM_MEMORY_CONTROLS] = {
	{ NV0041_CTRL_CMD_GET_SURFACE_INFO, get_surface_info },
	{ NV0041_CTRL_CMD_GET_SURFACE_COMPRESSION_COVERAGE, get_compression_coverage },
	{ NV0041_CTRL_CMD_GET_MEM_PAGE_SIZE, get_page_size },
	{ NV0041_CTRL_CMD_SET_TAG, set_tag },
	{ NV0041_CTRL_CMD_GET_TAG, get_tag },
};
