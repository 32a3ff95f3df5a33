// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A root port with a link of generation 5 and 16 lanes, as servers have for an H100: a type 1
 * header and the PCI Express capability (PCI Express Base Specification 5.0, 7.5.1 and 7.5.3).
 */
#include "host/user/root_port.h"

/* The identity that virtual machines give a port of no maker's. */
#define VENDOR 0x1b36u
#define DEVICE 0x000cu

#define COMMAND_MEMORY_AND_MASTER 0x6u
#define STATUS_CAPABILITIES 0x10u
#define CLASS_BRIDGE 0x060400u
#define HEADER_BRIDGE 0x01u

#define CAP_PCIE 0x40u
#define CAP_ID_PCIE 0x10u
#define PCIE_VERSION 2u
#define PCIE_ROOT_PORT 4u

#define SPEED_32GT 5u
#define LANES 16u
#define LINK_ACTIVE_REPORTING (1u << 20)
#define LINK_ACTIVE (1u << 13)
#define LINK_SPEED 0xfu
#define LINK_WIDTH (0x3fu << 4)
#define SPEEDS_TO_32GT (0x1fu << 1)

#define CONFIG_SIZE 256u

struct field {
	u32 offset;
	u32 value;
};

u32 root_port_cfg_read(u8 bus, u16 status, u32 offset, u32 width)
{
	const bool gone = status == 0xffff;
	const u32 link = gone ? 1 : (status & (LINK_SPEED | LINK_WIDTH)) | LINK_ACTIVE;
	const struct field fields[] = {
		{ 0x00, DEVICE << 16 | VENDOR },
		{ 0x04, STATUS_CAPABILITIES << 16 | COMMAND_MEMORY_AND_MASTER },
		{ 0x08, CLASS_BRIDGE << 8 },
		{ 0x0c, HEADER_BRIDGE << 16 },
		{ 0x18, (u32)bus << 16 | (u32)bus << 8 }, /* subordinate, secondary, primary 0 */
		{ 0x34, CAP_PCIE },
		{ CAP_PCIE, (PCIE_ROOT_PORT << 4 | PCIE_VERSION) << 16 | CAP_ID_PCIE },
		{ CAP_PCIE + 0x0c,
		  (u32)bus << 24 | LINK_ACTIVE_REPORTING | LANES << 4 | SPEED_32GT },
		{ CAP_PCIE + 0x10, link << 16 },
		{ CAP_PCIE + 0x2c, SPEEDS_TO_32GT },
		{ CAP_PCIE + 0x30, SPEED_32GT },
	};
	u32 word = 0;

	if (offset >= CONFIG_SIZE)
		return (u32)((1ull << 8 * width) - 1);
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].offset == (offset & ~3u))
			word = fields[i].value;
	}
	word >>= 8 * (offset & 3);
	return (u32)(word & ((1ull << 8 * width) - 1));
}
