// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Config space of the root ports, one above each GPU: a type 1 header and the PCI Express
 * capability, from which drivers learn what the GPU's link leads to. Resets and presence of what is
 * below are those of the GPU.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/pci_regs.h>
#include <linux/string.h>

#include "host/linux/softh100/internal.h"

#define PORT_VENDOR 0x1eafu /* nobody's */
#define PORT_DEVICE 0x0001u
#define PORT_CLASS 0x060400u
#define PORT_EXPRESS 0x40u
#define COMMAND_WRITABLE 0x0547u
#define BRIDGE_CONTROL_WRITABLE \
	(PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_BUS_RESET)

static u32 get(const u8 *bytes, u32 offset, u32 width)
{
	u32 i, value = 0;

	for (i = 0; i < width; i++)
		value |= (u32)bytes[offset + i] << (8 * i);
	return value;
}

static void put(u8 *bytes, u32 offset, u32 width, u32 value)
{
	u32 i;

	for (i = 0; i < width; i++)
		bytes[offset + i] = (u8)(value >> (8 * i));
}

static void word(struct soft_port *port, u32 offset, u32 value, u32 writable)
{
	put(port->cfg, offset, 4, value);
	put(port->writable, offset, 4, writable);
}

static void init_express(struct soft_port *port, const struct h100_function_identity *identity,
			 u8 bus)
{
	u32 link = identity->link_generation | (u32)identity->link_width << 4;

	word(port, PORT_EXPRESS, PCI_CAP_ID_EXP | (2u | PCI_EXP_TYPE_ROOT_PORT << 4) << 16, 0);
	/* 256-byte payload, role-based errors */
	word(port, PORT_EXPRESS + PCI_EXP_DEVCAP, 1u | PCI_EXP_DEVCAP_RBER, 0);
	word(port, PORT_EXPRESS + PCI_EXP_DEVCTL, 0x0010, 0x7fff);
	word(port, PORT_EXPRESS + PCI_EXP_LNKCAP, link | PCI_EXP_LNKCAP_DLLLARC | (u32)bus << 24,
	     0);
	word(port, PORT_EXPRESS + PCI_EXP_LNKCTL, link << 16, 0x01c3);
	word(port, PORT_EXPRESS + PCI_EXP_RTCTL, 0, 0x001f);
	word(port, PORT_EXPRESS + PCI_EXP_DEVCTL2, 0, 0x045f);
	word(port, PORT_EXPRESS + PCI_EXP_LNKCAP2, ((u32)BIT(identity->link_generation) - 1) << 1,
	     0);
	word(port, PORT_EXPRESS + PCI_EXP_LNKCTL2, identity->link_generation, 0xf);
}

void soft_port_init(struct soft_port *port, const struct h100_function_identity *identity, u8 bus,
		    u64 window_start, u64 window_end)
{
	memset(port, 0, sizeof(*port));
	word(port, PCI_VENDOR_ID, PORT_VENDOR | PORT_DEVICE << 16, 0);
	word(port, PCI_COMMAND, (u32)PCI_STATUS_CAP_LIST << 16, COMMAND_WRITABLE);
	word(port, PCI_CLASS_REVISION, PORT_CLASS << 8, 0);
	word(port, PCI_CACHE_LINE_SIZE, (u32)PCI_HEADER_TYPE_BRIDGE << 16, 0xff);
	word(port, PCI_PRIMARY_BUS, (u32)bus << 8 | (u32)bus << 16, 0x00ffffff);
	/* Windows of I/O and memory that are closed; the prefetchable one around the GPU's BARs. */
	word(port, PCI_IO_BASE, 0x000000f0, 0x0000f0f0);
	word(port, PCI_MEMORY_BASE, 0x0000fff0, 0xfff0fff0);
	word(port, PCI_PREF_MEMORY_BASE,
	     PCI_PREF_RANGE_TYPE_64 | PCI_PREF_RANGE_TYPE_64 << 16 |
		     (lower_32_bits(window_start) >> 16 & 0xfff0u) |
		     (lower_32_bits(window_end) & 0xfff00000u),
	     0xfff0fff0);
	word(port, PCI_PREF_BASE_UPPER32, upper_32_bits(window_start), ~0u);
	word(port, PCI_PREF_LIMIT_UPPER32, upper_32_bits(window_end), ~0u);
	word(port, PCI_CAPABILITY_LIST, PORT_EXPRESS, 0);
	word(port, PCI_INTERRUPT_LINE, 0, (u32)BRIDGE_CONTROL_WRITABLE << 16);
	init_express(port, identity, bus);
}

u8 soft_port_secondary(const struct soft_port *port)
{
	return port->cfg[PCI_SECONDARY_BUS];
}

u32 soft_port_read(struct soft_pci *gpu, u32 offset, u32 width)
{
	struct soft_port *port = &gpu->port;
	u32 status = PORT_EXPRESS + PCI_EXP_LNKSTA;
	u32 link = get(port->cfg, status, 2) & ~PCI_EXP_LNKSTA_DLLLA;

	/* Beyond is extended config space, of which the port has none. */
	if (offset > SOFT_PORT_CFG_BYTES - width)
		return 0;
	if (h100_function_present(&gpu->function))
		link |= PCI_EXP_LNKSTA_DLLLA;
	put(port->cfg, status, 2, link);
	return get(port->cfg, offset, width);
}

bool soft_port_write(struct soft_pci *gpu, u32 offset, u32 width, u32 value)
{
	struct soft_port *port = &gpu->port;
	bool before = get(port->cfg, PCI_BRIDGE_CONTROL, 2) & PCI_BRIDGE_CTL_BUS_RESET;
	u32 i;

	if (offset > SOFT_PORT_CFG_BYTES - width)
		return false;
	for (i = 0; i < width; i++) {
		u8 writable = port->writable[offset + i];

		port->cfg[offset + i] =
			(port->cfg[offset + i] & ~writable) | ((value >> (8 * i)) & writable);
	}
	return !before && (get(port->cfg, PCI_BRIDGE_CONTROL, 2) & PCI_BRIDGE_CTL_BUS_RESET);
}
