// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * PCI devices of os.h: config space and BARs by the kernel's PCI core, registers by the access
 * table of softh100.ko, which is taken when a device is probed. No device of silicon gets this far.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "abi/gh100.h"
#include "os/linux/pci.h"

#define BARS 6u
#define BAR_VIDEO 2u

/* The model says in config space what it is; silicon has no such capability. */
static bool is_model(struct pci_dev *pdev)
{
	u32 magic[2] = { 0, 0 };
	u16 at = pci_find_vsec_capability(pdev, pdev->vendor, LH_VSEC_ID);

	if (!at)
		return false;
	pci_read_config_dword(pdev, at + 8, &magic[0]);
	pci_read_config_dword(pdev, at + 12, &magic[1]);
	return magic[0] == LH_VSEC_MAGIC_0 && magic[1] == LH_VSEC_MAGIC_1;
}

/* The table with a reference to its module, and the model's end of the device. */
static int access_get(struct os_pci_dev *dev)
{
	struct pci_dev *pdev = dev->pdev;

	dev->access = symbol_get(softh100_access);
	if (!dev->access) {
		pci_err(pdev, "%s: softh100.ko is not loaded: no access to the registers\n",
			os_module_name);
		return -ENODEV;
	}
	if (dev->access->version != SOFT_PCI_VERSION) {
		pci_err(pdev, "%s: softh100.ko is of another version: %u, not %u\n", os_module_name,
			dev->access->version, SOFT_PCI_VERSION);
		goto put_symbol;
	}
	dev->soft = dev->access->get(pdev);
	if (!dev->soft) {
		pci_err(pdev, "%s: softh100.ko does not know this device\n", os_module_name);
		goto put_symbol;
	}
	return 0;

put_symbol:
	symbol_put(softh100_access);
	return -ENODEV;
}

static void access_put(struct os_pci_dev *dev)
{
	dev->access->put(dev->soft);
	symbol_put(softh100_access);
}

int os_linux_pci_get(struct pci_dev *pdev, struct os_pci_dev **out)
{
	struct os_pci_dev *dev;
	int err;

	if (!pci_device_is_present(pdev)) {
		pci_err(pdev, "%s: off the bus\n", os_module_name);
		return -ENODEV;
	}
	if (!is_model(pdev)) {
		pci_info(pdev, "%s: not the software GPU: this driver does not drive silicon\n",
			 os_module_name);
		return -ENODEV;
	}
	dev = account_alloc(sizeof(*dev), _RET_IP_);
	if (!dev)
		return -ENOMEM;
	dev->pdev = pci_dev_get(pdev);
	waitlist_init(&dev->progress);
	INIT_LIST_HEAD(&dev->pages);
	pci_irq_init(dev);
	err = access_get(dev);
	if (err)
		goto put_dev;
	tee_set_model(dev->access->tee(dev->soft));
	if (dev->access->map)
		dev->registers = dev->access->map(dev->soft, &dev->registers_size);
	*out = dev;
	return 0;

put_dev:
	pci_dev_put(dev->pdev);
	os_free(dev);
	return err;
}

void os_linux_pci_put(struct os_pci_dev *dev)
{
	if (!dev)
		return;
	os_pci_irq_disable(dev);
	pages_detach(dev);
	if (dev->registers)
		dev->access->unmap(dev->soft, dev->registers);
	access_put(dev);
	pci_dev_put(dev->pdev);
	os_free(dev);
}

struct pci_dev *os_linux_pci_dev(struct os_pci_dev *dev)
{
	return dev->pdev;
}

void os_linux_pci_lost(struct os_pci_dev *dev)
{
	WRITE_ONCE(dev->lost, true);
	pci_progress(dev);
}

void os_pci_location(struct os_pci_dev *dev, struct os_pci_location *loc)
{
	loc->domain = pci_domain_nr(dev->pdev->bus);
	loc->bus = dev->pdev->bus->number;
	loc->device = PCI_SLOT(dev->pdev->devfn);
	loc->function = PCI_FUNC(dev->pdev->devfn);
}

/* -- Config space and BARs --------------------------------------------------------------------- */

/* A register that can be reached; else reads are all ones. */
static bool cfg_reachable(struct os_pci_dev *dev, u32 offset, u32 width)
{
	return !pci_lost(dev) && offset < (u32)dev->pdev->cfg_size && offset % width == 0;
}

/* pdev NULL: all ones. */
static u32 cfg_read(struct pci_dev *pdev, u32 offset, u32 width)
{
	u32 value = ~0u;
	u16 half = 0xffff;
	u8 byte = 0xff;

	switch (width) {
	case 1:
		if (pdev)
			pci_read_config_byte(pdev, offset, &byte);
		return byte;
	case 2:
		if (pdev)
			pci_read_config_word(pdev, offset, &half);
		return half;
	case 4:
		if (pdev)
			pci_read_config_dword(pdev, offset, &value);
		return value;
	}
	OS_BUG_ON(true);
	return value;
}

u32 os_pci_cfg_read(struct os_pci_dev *dev, u32 offset, u32 width)
{
	return cfg_read(cfg_reachable(dev, offset, width) ? dev->pdev : NULL, offset, width);
}

/* A device that is on the bus keeps the bridges above it. */
u32 os_pci_root_cfg_read(struct os_pci_dev *dev, u32 offset, u32 width)
{
	struct pci_dev *port = pci_lost(dev) ? NULL : pcie_find_root_port(dev->pdev);

	if (port && (offset >= (u32)port->cfg_size || offset % width))
		port = NULL;
	return cfg_read(port, offset, width);
}

void os_pci_cfg_write(struct os_pci_dev *dev, u32 offset, u32 width, u32 value)
{
	OS_BUG_ON(width != 1 && width != 2 && width != 4);
	if (!cfg_reachable(dev, offset, width))
		return;
	if (width == 1)
		pci_write_config_byte(dev->pdev, offset, value);
	else if (width == 2)
		pci_write_config_word(dev->pdev, offset, value);
	else
		pci_write_config_dword(dev->pdev, offset, value);
}

u64 os_pci_bar_size(struct os_pci_dev *dev, u32 bar)
{
	return bar < BARS ? pci_resource_len(dev->pdev, bar) : 0;
}

u64 os_pci_bar_address(struct os_pci_dev *dev, u32 bar)
{
	return bar < BARS && pci_resource_len(dev->pdev, bar) ? pci_resource_start(dev->pdev, bar)
							      : 0;
}

/* -- Registers --------------------------------------------------------------------------------- */

/* Where a trapping access goes, NULL: through the table. */
static void __iomem *trapping(struct os_pci_dev *dev, u32 bar, u64 offset, u32 width)
{
	if (likely(!dev->registers) || bar != 0 || offset > dev->registers_size - width)
		return NULL;
	return dev->registers + offset;
}

u32 os_pci_rd32(struct os_pci_dev *dev, u32 bar, u64 offset)
{
	void __iomem *at = trapping(dev, bar, offset, 4);

	if (pci_lost(dev))
		return ~0u;
	return at ? readl(at) : (u32)dev->access->read(dev->soft, bar, offset, 4);
}

void os_pci_wr32(struct os_pci_dev *dev, u32 bar, u64 offset, u32 value)
{
	void __iomem *at = trapping(dev, bar, offset, 4);

	if (pci_lost(dev))
		return;
	if (at)
		writel(value, at);
	else
		dev->access->write(dev->soft, bar, offset, 4, value);
}

u64 os_pci_rd64(struct os_pci_dev *dev, u32 bar, u64 offset)
{
	void __iomem *at = trapping(dev, bar, offset, 8);

	if (pci_lost(dev))
		return ~0ull;
	return at ? readq(at) : dev->access->read(dev->soft, bar, offset, 8);
}

void os_pci_wr64(struct os_pci_dev *dev, u32 bar, u64 offset, u64 value)
{
	void __iomem *at = trapping(dev, bar, offset, 8);

	if (pci_lost(dev))
		return;
	if (at)
		writeq(value, at);
	else
		dev->access->write(dev->soft, bar, offset, 8, value);
}

void os_pci_bar_discard(struct os_pci_dev *dev, u32 bar, u64 offset, u64 size)
{
	if (bar == BAR_VIDEO && !pci_lost(dev))
		dev->access->discard(dev->soft, offset, size);
}

struct page *os_linux_pci_bar_page(struct os_pci_dev *dev, u32 bar, u64 offset)
{
	if (bar != BAR_VIDEO || pci_lost(dev))
		return NULL;
	return dev->access->page(dev->soft, offset);
}

/* -- Doorbells --------------------------------------------------------------------------------- */

struct soft_bell *os_linux_bell_get(struct os_pci_dev *dev, u32 client, struct address_space *space,
				    unsigned long first, unsigned long count)
{
	if (pci_lost(dev))
		return NULL;
	return dev->access->bell_get(dev->soft, client, space, first, count);
}

void os_linux_bell_put(struct os_pci_dev *dev, struct soft_bell *bell)
{
	dev->access->bell_put(bell);
}

int os_linux_bell_fault(struct os_pci_dev *dev, struct soft_bell *bell, struct vm_fault *vmf)
{
	return dev->access->bell_fault(bell, vmf);
}
