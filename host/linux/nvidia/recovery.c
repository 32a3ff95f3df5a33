// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Errors of the bus, and resets of the function by somebody else. Clients find the GPU lost in any
 * case; after a reset it is taken as a new one, which they may open.
 */
#include <linux/pci.h>

#include "host/linux/nvidia/nvidia.h"

/* The device lock is held in all of these, so that no probe or remove runs. */

static void lose(struct nvidia_gpu *gpu)
{
	if (!gpu->os)
		return;
	os_linux_pci_lost(gpu->os);
	rm_gpu_gone(gpu->rm);
}

static void replace(struct nvidia_gpu *gpu)
{
	int rc;

	nvidia_gpu_stop(gpu);
	rc = nvidia_gpu_start(gpu);
	if (rc)
		pci_err(gpu->pdev, "NVRM: not usable after its reset (%d)\n", rc);
}

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct nvidia_gpu *gpu = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	pci_err(pdev, "NVRM: A fatal error was detected.\n");
	lose(gpu);
	return state == pci_channel_io_frozen ? PCI_ERS_RESULT_NEED_RESET
					      : PCI_ERS_RESULT_DISCONNECT;
}

static pci_ers_result_t mmio_enabled(struct pci_dev *pdev)
{
	struct nvidia_gpu *gpu = pci_get_drvdata(pdev);

	if (pci_device_is_present(pdev))
		return PCI_ERS_RESULT_RECOVERED;
	pci_err(pdev, "NVRM: does not answer; it will not work until it is reset\n");
	lose(gpu);
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	pci_save_state(pdev);
	return pci_device_is_present(pdev) ? PCI_ERS_RESULT_RECOVERED : PCI_ERS_RESULT_DISCONNECT;
}

static void resume(struct pci_dev *pdev)
{
	struct nvidia_gpu *gpu = pci_get_drvdata(pdev);

	/* Also called after an error that needed no reset, and lost nothing. */
	if (!gpu->os || rm_gpu_is_gone(gpu->rm))
		replace(gpu);
}

static void reset_prepare(struct pci_dev *pdev)
{
	lose(pci_get_drvdata(pdev));
}

static void reset_done(struct pci_dev *pdev)
{
	replace(pci_get_drvdata(pdev));
}

const struct pci_error_handlers nvidia_error_handlers = {
	.error_detected = error_detected,
	.mmio_enabled = mmio_enabled,
	.slot_reset = slot_reset,
	.resume = resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
