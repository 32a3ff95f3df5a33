// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The PCI host bridge: a domain of its own with a root port for each GPU on bus 0 and the GPU, when
 * its process is there, as device 0 of the bus below.
 */
#include <linux/dma-map-ops.h>
#include <linux/irqdomain.h>
#include <linux/pci.h>

#include "abi/gh100.h"
#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

#define FIRST_PORT 1u /* device number of GPU 0's port on bus 0 */
#define FIRST_DOMAIN 0x10

static struct {
	struct pci_sysdata sysdata; /* what x86 wants a root bus to have */
	struct resource numbers;
	struct pci_bus *root;
} bus;

/* -- Config space ------------------------------------------------------------------------------ */

static struct soft_pci *gpu_of_port(struct pci_bus *b, unsigned int devfn)
{
	u32 slot = PCI_SLOT(devfn);

	if (!pci_is_root_bus(b) || PCI_FUNC(devfn) != 0 || slot < FIRST_PORT ||
	    slot - FIRST_PORT >= soft_machine.gpus)
		return NULL;
	return soft_machine.gpu[slot - FIRST_PORT];
}

static struct soft_pci *gpu_below(struct pci_bus *b, unsigned int devfn)
{
	u32 i;

	if (pci_is_root_bus(b) || devfn != 0)
		return NULL;
	for (i = 0; i < soft_machine.gpus; i++)
		if (soft_port_secondary(&soft_machine.gpu[i]->port) == b->number)
			return soft_machine.gpu[i];
	return NULL;
}

static int cfg_read(struct pci_bus *b, unsigned int devfn, int where, int size, u32 *value)
{
	struct soft_pci *gpu = gpu_of_port(b, devfn);

	if (gpu) {
		*value = soft_port_read(gpu, where, size);
		return PCIBIOS_SUCCESSFUL;
	}
	gpu = gpu_below(b, devfn);
	if (!gpu || !h100_function_present(&gpu->function)) {
		*value = ~0u >> (32 - 8 * size);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	*value = h100_function_cfg_read(&gpu->function, where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int cfg_write(struct pci_bus *b, unsigned int devfn, int where, int size, u32 value)
{
	struct soft_pci *gpu = gpu_of_port(b, devfn);

	if (gpu) {
		if (soft_port_write(gpu, where, size, value) &&
		    h100_function_present(&gpu->function))
			h100_function_reset(&gpu->function);
		return PCIBIOS_SUCCESSFUL;
	}
	gpu = gpu_below(b, devfn);
	if (!gpu || !h100_function_present(&gpu->function))
		return PCIBIOS_DEVICE_NOT_FOUND;
	soft_gpu_cfg_write(gpu, where, size, value);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops ops = { .read = cfg_read, .write = cfg_write };

/* -- Devices that come and go ------------------------------------------------------------------ */

struct pci_dev *soft_bus_device(struct soft_pci *gpu)
{
	return READ_ONCE(gpu->pdev);
}

struct soft_pci *soft_bus_gpu(struct pci_dev *pdev)
{
	u32 i;

	if (pdev->sysdata != &bus.sysdata)
		return NULL;
	for (i = 0; i < soft_machine.gpus; i++)
		if (READ_ONCE(soft_machine.gpu[i]->pdev) == pdev)
			return soft_machine.gpu[i];
	return NULL;
}

/* A device that is found, before any driver sees it. */
static void found(struct soft_pci *gpu, struct pci_dev *pdev)
{
	u32 i;

	WRITE_ONCE(gpu->pdev, pdev);
	set_dma_ops(&pdev->dev, &soft_dma_ops);
	/* Where INTA# leads; without a pin the platform is not asked for it. */
	pdev->irq = gpu->vectors.intx;
	pdev->pin = 0;
	/*
	 * There is nothing behind a BAR's address to map: whoever would request it, or map it by
	 * sysfs, procfs or /dev/mem, is refused, as if a driver had it.
	 */
	for (i = 0; i < SOFT_BARS; i++)
		pdev->resource[2 * i].flags |= IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE;
}

static void lost(struct soft_pci *gpu)
{
	u32 left;

	WRITE_ONCE(gpu->pdev, NULL);
	soft_irq_forget(gpu);
	left = soft_dma_clear(&gpu->dma);
	if (left)
		os_log(OS_LOG_WARN, "GPU %u: its driver left %u pages mapped for DMA", gpu->index,
		       left);
}

static int notify(struct notifier_block *block, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct soft_pci *gpu;

	if (pdev->sysdata != &bus.sysdata)
		return NOTIFY_DONE;
	if (action == BUS_NOTIFY_ADD_DEVICE) {
		gpu = gpu_below(pdev->bus, pdev->devfn);
		if (gpu)
			found(gpu, pdev);
	} else if (action == BUS_NOTIFY_REMOVED_DEVICE) {
		gpu = soft_bus_gpu(pdev);
		if (gpu)
			lost(gpu);
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = notify };

static struct pci_bus *bus_below(struct soft_pci *gpu)
{
	struct pci_bus *b;

	list_for_each_entry (b, &bus.root->children, node)
		if (b->self && gpu_of_port(bus.root, b->self->devfn) == gpu)
			return b;
	return NULL;
}

void soft_bus_enumerate(struct work_struct *work)
{
	struct soft_pci *gpu = container_of(work, struct soft_pci, enumerate);
	struct pci_bus *below;
	bool claimed = true;
	u32 i;

	pci_lock_rescan_remove();
	below = bus_below(gpu);
	if (!h100_function_present(&gpu->function) || soft_bus_device(gpu))
		goto unlock;
	if (!below) { /* somebody removed the port: it has to be found first */
		pci_rescan_bus(bus.root);
		goto unlock;
	}
	pci_scan_child_bus(below);
	for (i = 0; i < SOFT_BARS && soft_bus_device(gpu); i++)
		if (pci_claim_resource(soft_bus_device(gpu), 2 * i))
			claimed = false;
	if (!claimed)
		pci_assign_unassigned_bus_resources(below);
	pcie_bus_configure_settings(below);
	pci_bus_add_devices(below);
unlock:
	pci_unlock_rescan_remove();
}

void soft_bus_eject(struct soft_pci *gpu)
{
	struct pci_dev *pdev;

	pci_lock_rescan_remove();
	pdev = soft_bus_device(gpu);
	if (pdev) {
		/* Its driver is to know that the device is gone already. */
		pdev->error_state = pci_channel_io_perm_failure;
		pci_stop_and_remove_bus_device(pdev);
	}
	pci_unlock_rescan_remove();
}

/* -- The bridge -------------------------------------------------------------------------------- */

static int free_domain(void)
{
	struct pci_bus *b = NULL;
	int domain = FIRST_DOMAIN;

	while ((b = pci_find_next_bus(b)))
		if (pci_domain_nr(b) >= domain)
			domain = pci_domain_nr(b) + 1;
	return domain;
}

static void config_bridge(struct pci_host_bridge *bridge)
{
	bridge->sysdata = &bus.sysdata;
	bridge->ops = &ops;
	bridge->busnr = 0;
	/* No port has an interrupt for any of these. */
	bridge->native_aer = 0;
	bridge->native_pcie_hotplug = 0;
	bridge->native_shpc_hotplug = 0;
	bridge->native_pme = 0;
	bridge->native_ltr = 0;
	bridge->native_dpc = 0;
	dev_set_msi_domain(&bridge->dev, soft_irq_domain());
}

int soft_bus_init(void)
{
	struct pci_host_bridge *bridge;
	struct pci_bus *child;
	int rc;

	bus.sysdata.domain = free_domain();
	bus.sysdata.node = NUMA_NO_NODE;
	bus.sysdata.fwnode = soft_irq_fwnode();
	bus.numbers = (struct resource){
		.name = "softh100",
		.end = soft_machine.gpus,
		.flags = IORESOURCE_BUS,
	};
	rc = bus_register_notifier(&pci_bus_type, &notifier);
	if (rc)
		return rc;
	bridge = os_linux_alloc_fails() ? NULL : pci_alloc_host_bridge(0);
	if (!bridge) {
		rc = -ENOMEM;
		goto fail_bridge;
	}
	config_bridge(bridge);
	pci_add_resource(&bridge->windows, soft_place_window());
	pci_add_resource(&bridge->windows, &bus.numbers);
	pci_lock_rescan_remove();
	rc = pci_scan_root_bus_bridge(bridge);
	if (rc) {
		pci_unlock_rescan_remove();
		pci_free_host_bridge(bridge);
		goto fail_bridge;
	}
	bus.root = bridge->bus;
	pci_bus_claim_resources(bus.root);
	list_for_each_entry (child, &bus.root->children, node)
		pcie_bus_configure_settings(child);
	pci_bus_add_devices(bus.root);
	pci_unlock_rescan_remove();
	return 0;

fail_bridge:
	bus_unregister_notifier(&pci_bus_type, &notifier);
	return rc;
}

void soft_bus_exit(void)
{
	struct pci_host_bridge *bridge = to_pci_host_bridge(bus.root->bridge);

	pci_lock_rescan_remove();
	pci_stop_root_bus(bus.root);
	pci_remove_root_bus(bus.root);
	pci_unlock_rescan_remove();
	pci_free_host_bridge(bridge);
	bus.root = NULL;
	bus_unregister_notifier(&pci_bus_type, &notifier);
}
