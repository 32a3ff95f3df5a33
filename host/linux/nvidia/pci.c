// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The PCI driver. It is offered every display device of the vendor, as the documented driver is,
 * and takes only those that softh100.ko made: os/linux looks, and says in the log why not.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "host/linux/nvidia/nvidia.h"

#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX PCI_IRQ_LEGACY
#endif

#define DMA_BITS 52
#define NAME "nvidia"

static const struct pci_device_id nvidia_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID), .class = PCI_CLASS_DISPLAY_VGA << 8,
	  .class_mask = ~0 },
	{ PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID), .class = PCI_CLASS_DISPLAY_3D << 8,
	  .class_mask = ~0 },
	{}
};
MODULE_DEVICE_TABLE(pci, nvidia_ids);

/* The numbers of GPUs' nodes that are in use. */
static struct {
	struct mutex lock;
	DECLARE_BITMAP(taken, RM_MAX_GPUS);
} minors = { .lock = __MUTEX_INITIALIZER(minors.lock) };

static u64 place_of(const struct pci_dev *pdev)
{
	return (u64)pci_domain_nr(pdev->bus) << 16 | pci_dev_id((struct pci_dev *)pdev);
}

/* How many GPUs come before this one in the order of their places. */
static u32 rank_of(const struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;
	u32 rank = 0;

	for_each_pci_dev(other)
	{
		if (pci_match_id(nvidia_ids, other) && place_of(other) < place_of(pdev))
			rank++;
	}
	return rank;
}

/* The rank where that is free, so that numbers do not hang on who was found first. */
static int minor_take(const struct pci_dev *pdev, u32 *minor)
{
	unsigned long bit = rank_of(pdev);
	int rc = -ENOSPC;

	mutex_lock(&minors.lock);
	if (bit >= RM_MAX_GPUS || test_bit(bit, minors.taken))
		bit = find_first_zero_bit(minors.taken, RM_MAX_GPUS);
	if (bit < RM_MAX_GPUS) {
		__set_bit(bit, minors.taken);
		*minor = (u32)bit;
		rc = 0;
	}
	mutex_unlock(&minors.lock);
	return rc;
}

static void minor_give(u32 minor)
{
	mutex_lock(&minors.lock);
	__clear_bit(minor, minors.taken);
	mutex_unlock(&minors.lock);
}

/* -- Starting and stopping --------------------------------------------------------------------- */

/* The BARs are not requested: softh100.ko keeps them busy, since there is nothing to map. */
int nvidia_gpu_start(struct nvidia_gpu *gpu)
{
	u32 types = PCI_IRQ_MSIX | PCI_IRQ_MSI | PCI_IRQ_INTX;
	struct pci_dev *pdev = gpu->pdev;
	enum nv_status status;
	int rc;

	rc = os_linux_pci_get(pdev, &gpu->os);
	if (rc)
		return rc;
	rc = pci_enable_device(pdev);
	if (rc) {
		pci_err(pdev, "NVRM: cannot be enabled (%d)\n", rc);
		goto fail_enable;
	}
	rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(DMA_BITS));
	if (rc) {
		pci_err(pdev, "NVRM: cannot reach memory by addresses of %u bits (%d)\n", DMA_BITS,
			rc);
		goto fail_dma;
	}
	pci_set_master(pdev);
	if (!rm_setting(nvidia_rm, "EnableMSI"))
		types = PCI_IRQ_INTX;
	os_linux_pci_irq_types(gpu->os, types);
	status = rm_gpu_add(nvidia_rm, gpu->os, gpu->minor, &gpu->rm);
	if (status == NV_OK) {
		nvidia_maps_admit(gpu->os);
		return 0;
	}
	rc = nvidia_errno(status);
	pci_err(pdev, "NVRM: the resource manager does not take it: 0x%x\n", status);
	pci_clear_master(pdev);
fail_dma:
	pci_disable_device(pdev);
fail_enable:
	os_linux_pci_put(gpu->os);
	gpu->os = NULL;
	return rc;
}

void nvidia_gpu_stop(struct nvidia_gpu *gpu)
{
	if (!gpu->os)
		return;
	nvidia_maps_revoke(gpu->os);
	rm_gpu_remove(gpu->rm);
	gpu->rm = NULL;
	pci_clear_master(gpu->pdev);
	pci_disable_device(gpu->pdev);
	os_linux_pci_put(gpu->os);
	gpu->os = NULL;
}

/* -- The driver -------------------------------------------------------------------------------- */

static int nvidia_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nvidia_gpu *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	int rc;

	if (!gpu)
		return -ENOMEM;
	gpu->pdev = pdev;
	rc = minor_take(pdev, &gpu->minor);
	if (rc) {
		pci_err(pdev, "NVRM: there are %u GPUs already\n", RM_MAX_GPUS);
		goto fail_minor;
	}
	rc = nvidia_gpu_start(gpu);
	if (rc)
		goto fail_start;
	gpu->node = nvidia_node_create(&pdev->dev, gpu->minor);
	if (IS_ERR(gpu->node)) {
		rc = PTR_ERR(gpu->node);
		goto fail_node;
	}
	rc = nvidia_proc_update();
	if (rc)
		goto fail_proc;
	pci_set_drvdata(pdev, gpu);
	return 0;

fail_proc:
	nvidia_node_destroy(gpu->node);
fail_node:
	nvidia_gpu_stop(gpu);
	/* also for another GPU's probe, which lists all */
	nvidia_proc_remove_gpu(pdev);
fail_start:
	minor_give(gpu->minor);
fail_minor:
	kfree(gpu);
	return rc;
}

static void nvidia_remove(struct pci_dev *pdev)
{
	struct nvidia_gpu *gpu = pci_get_drvdata(pdev);

	/* Pulled out: nothing may wait for it any more. */
	if (gpu->os && !pci_device_is_present(pdev)) {
		os_linux_pci_lost(gpu->os);
		rm_gpu_gone(gpu->rm);
	}
	nvidia_node_destroy(gpu->node);
	nvidia_gpu_stop(gpu);
	/* Not before: another GPU's probe would list it again. */
	nvidia_proc_remove_gpu(pdev);
	minor_give(gpu->minor);
	pci_set_drvdata(pdev, NULL);
	kfree(gpu);
}

static void nvidia_shutdown(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
}

static struct pci_driver nvidia_driver = {
	.name = NAME,
	.id_table = nvidia_ids,
	.probe = nvidia_probe,
	.remove = nvidia_remove,
	.shutdown = nvidia_shutdown,
	.driver.pm = &nvidia_pm_ops,
	.err_handler = &nvidia_error_handlers,
};

/* Which of the two comes last offers the GPUs again: softh100.ko's end of init or our own. */
static struct {
	struct mutex lock;
	bool registered; /* the driver */
	bool live;	 /* softh100.ko became so before that */
} order = { .lock = __MUTEX_INITIALIZER(order.lock) };

static void offer_again(void)
{
	if (driver_attach(&nvidia_driver.driver))
		os_log(OS_LOG_ERROR, "NVRM: the GPUs of softh100.ko could not be looked at");
}

/*
 * A GPU may appear while softh100.ko is still in its own init, where nobody can take its symbols.
 * Once that is over, what was refused is offered again.
 */
static int module_changed(struct notifier_block *block, unsigned long state, void *data)
{
	const struct module *module = data;
	bool registered;

	if (state != MODULE_STATE_LIVE || strcmp(module->name, "softh100"))
		return NOTIFY_DONE;
	mutex_lock(&order.lock);
	registered = order.registered;
	order.live = true;
	mutex_unlock(&order.lock);
	if (registered)
		offer_again();
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = { .notifier_call = module_changed };

int nvidia_pci_init(void)
{
	bool live;
	int rc;

	if (!nvidia_binds_gpus())
		return 0;
	rc = register_module_notifier(&module_notifier);
	if (rc)
		return rc;
	rc = pci_register_driver(&nvidia_driver);
	if (rc) {
		unregister_module_notifier(&module_notifier);
		return rc;
	}
	mutex_lock(&order.lock);
	order.registered = true;
	live = order.live;
	mutex_unlock(&order.lock);
	if (live)
		offer_again();
	return 0;
}

void nvidia_pci_exit(void)
{
	if (!nvidia_binds_gpus())
		return;
	unregister_module_notifier(&module_notifier);
	pci_unregister_driver(&nvidia_driver);
}
