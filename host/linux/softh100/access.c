// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a driver reaches a GPU's registers by: the table of os/linux/soft_pci.h. Whoever has the
 * symbol keeps the module, and GPUs live as long as the module. An access, with its look whether
 * the function is there at all, is a section of RCU's: soft_video_clear waits for all that looked.
 */
#include <linux/export.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>

#include "host/linux/softh100/internal.h"

static struct soft_pci *access_get(struct pci_dev *pdev)
{
	return soft_bus_gpu(pdev);
}

static void access_put(struct soft_pci *gpu)
{
}

static u64 access_read(struct soft_pci *gpu, u32 bar, u64 offset, u32 width)
{
	u64 value;

	rcu_read_lock();
	value = h100_function_bar_read(&gpu->function, bar, offset, width);
	rcu_read_unlock();
	return value;
}

static void access_write(struct soft_pci *gpu, u32 bar, u64 offset, u32 width, u64 value)
{
	rcu_read_lock();
	h100_function_bar_write(&gpu->function, bar, offset, width, value);
	rcu_read_unlock();
}

/* Confidential mode closes video memory's BAR; what is forgotten there the firmware forgets. */
static struct page *access_page(struct soft_pci *gpu, u64 offset)
{
	if (gpu->function.identity.video_closed)
		return NULL;
	return soft_video_page(&gpu->video, &gpu->function, offset);
}

static void access_discard(struct soft_pci *gpu, u64 offset, u64 size)
{
	if (!gpu->function.identity.video_closed)
		soft_video_discard(&gpu->video, offset, size);
}

static enum os_tee access_tee(struct soft_pci *gpu)
{
	return soft_machine.tee;
}

const struct soft_pci_access softh100_access = {
	.version = SOFT_PCI_VERSION,
	.get = access_get,
	.put = access_put,
	.read = access_read,
	.write = access_write,
	.page = access_page,
	.discard = access_discard,
	.tee = access_tee,
	.bell_get = soft_bell_get,
	.bell_put = soft_bell_put,
	.bell_fault = soft_bell_fault,
	.map = soft_trap_map,
	.unmap = soft_trap_unmap,
};
EXPORT_SYMBOL_GPL(softh100_access);
