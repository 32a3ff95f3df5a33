// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The names of the boards that the driver drives. */
#include "rm/gpu/name.h"

static const struct {
	u16 device, subsystem_vendor, subsystem;
	const char *name;
} boards[] = {
	{ 0x2330, 0x10de, 0x16c0, "NVIDIA H100 80GB HBM3" },
	{ 0x2330, 0x10de, 0x16c1, "NVIDIA H100 80GB HBM3" },
	{ 0x2331, 0x10de, 0x1626, "NVIDIA H100 PCIe" },
	{ 0x2335, 0x10de, 0x18be, "NVIDIA H200" },
};

const char *rm_gpu_name(const struct rm_gpu *gpu)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(boards); i++)
		if (boards[i].device == gpu->device_id &&
		    boards[i].subsystem_vendor == gpu->subsystem_vendor_id &&
		    boards[i].subsystem == gpu->subsystem_id)
			return boards[i].name;
	return "Unknown";
}
