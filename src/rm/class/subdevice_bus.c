// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The bus that a GPU is on: NV2080_CTRL_CMD_BUS_GET_INFO_V2 and what belongs to it. Link
 * capabilities and state are read from config space; counters and generations are the firmware's.
 */
#include "base/bits.h"
#include "rm/class/subdevice.h"

/* PCI config space. */
#define CFG_CAPABILITIES 0x34u
#define CFG_INTERRUPT_LINE 0x3cu
#define CAP_ID_PCIE 0x10u
#define PCIE_DEVICE_STATUS 0x08u /* control 15:0, status 31:16 */
#define PCIE_LINK_CAPABILITIES 0x0cu
#define PCIE_LINK_STATUS 0x10u
#define CFG_HEADER_CAPS_MAX 48u /* as many capabilities as fit */

#define VA_SIZE_MIB (1ull << 29) /* of the GPU's virtual address space: 49 bits */

/* Of the GPU's own config space, or of the root port's above it. */
typedef u32 (*cfg_read_fn)(struct os_pci_dev *dev, u32 offset, u32 width);

/* Where the PCI Express capability is, or 0. */
static u32 pcie_capability(struct os_pci_dev *pci, cfg_read_fn read)
{
	u32 at = read(pci, CFG_CAPABILITIES, 1) & 0xfc, i;

	for (i = 0; i < CFG_HEADER_CAPS_MAX && at >= 0x40; i++) {
		u32 word = read(pci, at, 2);

		if ((word & 0xff) == CAP_ID_PCIE)
			return at;
		at = (word >> 8) & 0xfc;
	}
	return 0;
}

/* A register of that capability, 0 where there is none. */
static u32 pcie_read_by(struct os_pci_dev *pci, cfg_read_fn read, u32 offset)
{
	u32 at = pcie_capability(pci, read);

	return at ? read(pci, at + offset, 4) : 0;
}

static u32 pcie_read(const struct rm_gpu *gpu, u32 offset)
{
	return pcie_read_by(gpu->pci, os_pci_cfg_read, offset);
}

static u32 root_read(const struct rm_gpu *gpu, u32 offset)
{
	return pcie_read_by(gpu->pci, os_pci_root_cfg_read, offset);
}

static bool is_firmwares(u32 index)
{
	switch (index) {
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GEN_INFO:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GEN2_INFO:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_LINK_WIDTH_SWITCH_ERROR_COUNT:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_LINK_SPEED_SWITCH_ERROR_COUNT:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_CYA_ASPM:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_LINECODE_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CRC_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NAKS_RECEIVED_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FAILED_L0S_EXITS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CORRECTABLE_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NONFATAL_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FATAL_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_UNSUPPORTED_REQUESTS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_ASLM_STATUS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_LINECODE_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CRC_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NAKS_RECEIVED:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FAILED_L0S_EXITS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CORRECTABLE_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NONFATAL_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FATAL_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_UNSUPPORTED_REQUESTS:
		return true;
	default:
		return false;
	}
}

static enum nv_status info_of_firmware(struct rm_gpu *gpu, u32 index, u32 *data)
{
	NV2080_CTRL_BUS_GET_INFO_V2_PARAMS *ask = os_alloc(sizeof(*ask));
	enum nv_status status;

	if (!ask)
		return NV_ERR_NO_MEMORY;
	ask->busInfoListSize = 1;
	ask->busInfoList[0].index = index;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_BUS_GET_INFO_V2, ask, sizeof(*ask));
	*data = ask->busInfoList[0].data;
	os_free(ask);
	return status;
}

static enum nv_status info_of_driver(struct rm_gpu *gpu, u32 index, u32 *data)
{
	switch (index) {
	case NV2080_CTRL_BUS_INFO_INDEX_TYPE:
	case NV2080_CTRL_BUS_INFO_INDEX_INTERFACE_TYPE:
	case NV2080_CTRL_BUS_INFO_INDEX_GPU_INTERFACE_TYPE:
		*data = NV2080_CTRL_BUS_INFO_TYPE_PCI_EXPRESS;
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_INTLINE:
		*data = os_pci_cfg_read(gpu->pci, CFG_INTERRUPT_LINE, 1);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CAPS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_UPSTREAM_LINK_CAPS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_BOARD_LINK_CAPS:
		*data = pcie_read(gpu, PCIE_LINK_CAPABILITIES);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CTRL_STATUS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_UPSTREAM_LINK_CTRL_STATUS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_BOARD_LINK_CTRL_STATUS:
		*data = pcie_read(gpu, PCIE_LINK_STATUS);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_UPSTREAM_GEN_INFO:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_BOARD_GEN_INFO:
		return info_of_firmware(gpu, NV2080_CTRL_BUS_INFO_INDEX_PCIE_GEN_INFO, data);
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_ERRORS:
		*data = pcie_read(gpu, PCIE_DEVICE_STATUS) >> 16 & 0xf;
		return NV_OK;
	/* Without a switch of the board's own, the port above it is the root's. */
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_ROOT_LINK_CAPS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_DOWNSTREAM_LINK_CAPS:
		*data = root_read(gpu, PCIE_LINK_CAPABILITIES);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_ROOT_LINK_CTRL_STATUS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_DOWNSTREAM_LINK_CTRL_STATUS:
		*data = root_read(gpu, PCIE_LINK_STATUS);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_CAPS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_ROOT_LINK_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_AER:
	case NV2080_CTRL_BUS_INFO_INDEX_NONCOHERENT_DMA_FLAGS:
		*data = 0;
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_MSI_INFO:
		*data = NV2080_CTRL_BUS_INFO_MSI_STATUS_ENABLED;
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_COHERENT_DMA_FLAGS:
		*data = (u32)(REG_PREP(NV2080_CTRL_BUS_INFO_COHERENT_DMA_FLAGS_CTXDMA, 1) |
			      REG_PREP(NV2080_CTRL_BUS_INFO_COHERENT_DMA_FLAGS_GPUGART, 1));
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_GPU_GART_SIZE:
		*data = bits_low32(VA_SIZE_MIB);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_GPU_GART_SIZE_HI:
		*data = bits_high32(VA_SIZE_MIB);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_GPU_GART_FLAGS:
		*data = (u32)REG_PREP(NV2080_CTRL_BUS_INFO_GPU_GART_FLAGS_UNIFIED, 1);
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_BUS_NUMBER:
		*data = gpu->location.bus;
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_DEVICE_NUMBER:
		*data = gpu->location.device;
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_DOMAIN_NUMBER:
		*data = gpu->location.domain;
		return NV_OK;
	case NV2080_CTRL_BUS_INFO_INDEX_SYSMEM_CONNECTION_TYPE:
		*data = NV2080_CTRL_BUS_INFO_INDEX_SYSMEM_CONNECTION_TYPE_PCIE;
		return NV_OK;
	default:
		*data = 0;
		return NV_ERR_INVALID_ARGUMENT;
	}
}

enum nv_status subdevice_bus_get_info_v2(struct rm_call *call, void *params)
{
	NV2080_CTRL_BUS_GET_INFO_V2_PARAMS *p = params;
	struct rm_gpu *gpu = call->object->gpu;
	enum nv_status status = NV_OK;
	u32 i;

	if (p->busInfoListSize > ARRAY_SIZE(p->busInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->busInfoListSize && status == NV_OK; i++) {
		NVXXXX_CTRL_XXX_INFO *info = &p->busInfoList[i];

		if (is_firmwares(info->index))
			status = info_of_firmware(gpu, info->index, &info->data);
		else
			status = info_of_driver(gpu, info->index, &info->data);
	}
	return status;
}

enum nv_status subdevice_bus_get_pci_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_BUS_GET_PCI_INFO_PARAMS *p = params;
	const struct rm_gpu *gpu = call->object->gpu;

	p->pciDeviceId = (u32)gpu->device_id << 16 | gpu->vendor_id;
	p->pciSubSystemId = (u32)gpu->subsystem_id << 16 | gpu->subsystem_vendor_id;
	p->pciRevisionId = gpu->revision;
	p->pciExtDeviceId = gpu->device_id;
	return NV_OK;
}

enum nv_status subdevice_bus_get_pci_bar_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_BUS_GET_PCI_BAR_INFO_PARAMS *p = params;
	const struct rm_gpu *gpu = call->object->gpu;
	u32 i;

	os_memset(p, 0, sizeof(*p));
	p->pciBarCount = min(gpu->bar_count, (u32)ARRAY_SIZE(gpu->bars));
	for (i = 0; i < p->pciBarCount; i++) {
		p->pciBarInfo[i].barSize = (u32)(gpu->bars[i].size >> 20);
		p->pciBarInfo[i].barSizeBytes = gpu->bars[i].size;
		p->pciBarInfo[i].barOffset = gpu->bars[i].address;
	}
	return NV_OK;
}
