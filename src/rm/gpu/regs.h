/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Register access of one GPU (BAR 0), and the places of the blocks that abi/gh100.h states offsets
 * in. Any context; a GPU off the bus reads as all ones.
 */
#ifndef RM_GPU_REGS_H
#define RM_GPU_REGS_H

#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/gpu/gpu.h"

#define GPU_OFF_BUS 0xffffffffu

static inline u32 gpu_rd32(const struct rm_gpu *gpu, u32 offset)
{
	return os_pci_rd32(gpu->pci, 0, offset);
}

static inline void gpu_wr32(const struct rm_gpu *gpu, u32 offset, u32 value)
{
	os_pci_wr32(gpu->pci, 0, offset, value);
}

/* NV_PFALCON_* of the GSP. */
static inline u32 gsp_falcon_rd32(const struct rm_gpu *gpu, u32 offset)
{
	return gpu_rd32(gpu, NV_PGSP__LO + offset);
}

static inline void gsp_falcon_wr32(const struct rm_gpu *gpu, u32 offset, u32 value)
{
	gpu_wr32(gpu, NV_PGSP__LO + offset, value);
}

/* NV_PRISCV_* of the GSP. */
static inline u32 gsp_riscv_rd32(const struct rm_gpu *gpu, u32 offset)
{
	return gpu_rd32(gpu, NV_FALCON2_GSP_BASE + offset);
}

/* NV_VIRTUAL_FUNCTION_* as the physical function sees it. */
static inline u32 gpu_vf_rd32(const struct rm_gpu *gpu, u32 offset)
{
	return gpu_rd32(gpu, LH_VF_BASE + offset);
}

static inline void gpu_vf_wr32(const struct rm_gpu *gpu, u32 offset, u32 value)
{
	gpu_wr32(gpu, LH_VF_BASE + offset, value);
}

#endif
