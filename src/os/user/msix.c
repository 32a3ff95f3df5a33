// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Programs a device's MSI-X table when its driver enables interrupts, as a machine's interrupt
 * controller does: entry i sends data i, which whoever wires the device to the bus gives to
 * os_user_pci_interrupt.
 */
#include "os/user/pci.h"

/* PCI Local Bus Specification 3.0, 6.7 and 6.8.2 */
#define PCI_STATUS 0x06u
#define PCI_STATUS_CAPABILITIES 0x10u
#define PCI_CAPABILITIES 0x34u
#define PCI_CAPABILITY_MSIX 0x11u
#define PCI_CAPABILITIES_MAX 48u /* as many as config space has room for */

#define MSIX_CONTROL 2u
#define MSIX_CONTROL_ENABLE 0x8000u
#define MSIX_CONTROL_MASK_ALL 0x4000u
#define MSIX_CONTROL_SIZE 0x7ffu
#define MSIX_TABLE 4u
#define MSIX_TABLE_BAR 0x7u
#define MSIX_ENTRY_SIZE 16u

/* Where messages go on x86; software devices do not look at it. */
#define MSI_ADDRESS 0xfee00000u

/* The capability's place in config space; 0: the device has none. */
static u32 msix_find(struct os_pci_dev *dev)
{
	u32 at, i;

	if (!(os_pci_cfg_read(dev, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
		return 0;
	at = os_pci_cfg_read(dev, PCI_CAPABILITIES, 1) & ~3u;
	for (i = 0; at != 0 && i < PCI_CAPABILITIES_MAX; i++) {
		if (os_pci_cfg_read(dev, at, 1) == PCI_CAPABILITY_MSIX)
			return at;
		at = os_pci_cfg_read(dev, at + 1, 1) & ~3u;
	}
	return 0;
}

void msix_enable(struct os_pci_dev *dev, u32 count)
{
	u32 at = msix_find(dev), table, bar, control, i;

	if (!at)
		return;
	control = os_pci_cfg_read(dev, at + MSIX_CONTROL, 2);
	table = os_pci_cfg_read(dev, at + MSIX_TABLE, 4);
	bar = table & MSIX_TABLE_BAR;
	table &= ~MSIX_TABLE_BAR;
	for (i = 0; i < count && i <= (control & MSIX_CONTROL_SIZE); i++) {
		os_pci_wr32(dev, bar, table + i * MSIX_ENTRY_SIZE, MSI_ADDRESS);
		os_pci_wr32(dev, bar, table + i * MSIX_ENTRY_SIZE + 4, 0);
		os_pci_wr32(dev, bar, table + i * MSIX_ENTRY_SIZE + 8, i);
		os_pci_wr32(dev, bar, table + i * MSIX_ENTRY_SIZE + 12, 0);
	}
	os_pci_cfg_write(dev, at + MSIX_CONTROL, 2,
			 (control & ~MSIX_CONTROL_MASK_ALL) | MSIX_CONTROL_ENABLE);
}

void msix_disable(struct os_pci_dev *dev)
{
	u32 at = msix_find(dev);

	if (at)
		os_pci_cfg_write(dev, at + MSIX_CONTROL, 2,
				 os_pci_cfg_read(dev, at + MSIX_CONTROL, 2) & ~MSIX_CONTROL_ENABLE);
}
