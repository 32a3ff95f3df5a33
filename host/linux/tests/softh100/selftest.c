// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * softh100_selftest.ko: a driver that binds the software GPUs to see what the virtual bus gives
 * one: BARs, interrupts of each kind, DMA addresses. Says a line a test in the log and fails to
 * bind when any of them failed; its folder in debugfs tells a process what it has mapped.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "abi/gh100.h"
#include "os/linux/soft_pci.h"

#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX (1 << 0)
#endif

#define COHERENT_BYTES (64u << 10)
#define BUFFER_ORDER 2
#define BUFFER_BYTES (PAGE_SIZE << BUFFER_ORDER)
#define LEAF (LH_INTR_VECTOR_GSP / 32)
#define SUBTREE (LH_INTR_VECTOR_GSP / 64)
#define VF(name) (LH_VF_BASE + NV_VIRTUAL_FUNCTION_##name)
#define WAIT (2 * HZ)
#define QUIET (HZ / 20)

static bool hold;
module_param(hold, bool, 0444);
MODULE_PARM_DESC(hold, "leave memory mapped when the driver is unbound, as a faulty driver would");

static bool quick;
module_param(quick, bool, 0444);
MODULE_PARM_DESC(quick, "bind without the tests");

static struct dentry *folder;

struct buffer {
	const char *name;
	void *cpu;
	dma_addr_t dma;
	size_t size;
	enum dma_data_direction direction;
};

struct test {
	struct pci_dev *pdev;
	const struct soft_pci_access *access;
	struct soft_pci *gpu;
	u32 failures;
	struct completion seen;
	u32 interrupts;		  /* atomic */
	int irq, cpu;		  /* of the last one */
	struct buffer buffers[3]; /* coherent, to, from */
	bool mapped;
	struct dentry *dir;
};

static void check(struct test *t, bool ok, const char *what)
{
	pci_info(t->pdev, "selftest: %s: %s\n", ok ? "ok" : "FAIL", what);
	if (!ok)
		t->failures++;
}

static u32 rd(struct test *t, u32 offset)
{
	return t->access->read(t->gpu, 0, offset, 4);
}

static void wr(struct test *t, u32 offset, u32 value)
{
	t->access->write(t->gpu, 0, offset, 4, value);
}

/* -- What is there ----------------------------------------------------------------------------- */

static void test_device(struct test *t)
{
	struct pci_dev *port = pci_upstream_bridge(t->pdev);

	check(t, pci_find_vsec_capability(t->pdev, t->pdev->vendor, LH_VSEC_ID) == LH_VSEC_OFFSET,
	      "vendor-specific capability");
	check(t,
	      pci_resource_len(t->pdev, 0) == SZ_16M && pci_resource_len(t->pdev, 2) >= SZ_64M &&
		      pci_resource_len(t->pdev, 4) == SZ_32M,
	      "sizes of BARs");
	check(t, pci_request_regions(t->pdev, "selftest") == -EBUSY, "BARs cannot be requested");
	check(t, port && pci_pcie_type(port) == PCI_EXP_TYPE_ROOT_PORT, "below a root port");
	check(t, rd(t, NV_PMC_BOOT_0) == 0x180000a1, "a register");
	check(t, t->access->read(t->gpu, 0, 1, 4) == ~0u, "not aligned");
	check(t, t->access->read(t->gpu, 1, 0, 4) == ~0u, "no such BAR");
	check(t, t->access->read(t->gpu, 0, SZ_16M, 4) == ~0u, "beyond the BAR");
	t->access->write(t->gpu, 2, 0x5000, 8, 0x1122334455667788ull);
	check(t, t->access->read(t->gpu, 4, 0x5004, 4) == 0x11223344, "video memory");
	check(t, t->access->read(t->gpu, 2, 0x7000, 4) == 0, "video memory that nobody wrote");
}

static void test_decoding(struct test *t)
{
	pci_disable_device(t->pdev);
	pci_write_config_word(t->pdev, PCI_COMMAND, 0);
	check(t, rd(t, NV_PMC_BOOT_0) == ~0u, "memory decoding off");
	check(t, pci_enable_device(t->pdev) == 0, "enabled");
	pci_set_master(t->pdev);
	check(t, rd(t, NV_PMC_BOOT_0) != ~0u, "memory decoding on");
}

/* -- Interrupts -------------------------------------------------------------------------------- */

static irqreturn_t on_interrupt(int irq, void *arg)
{
	struct test *t = arg;

	if (rd(t, VF(PRIV_CPU_INTR_LEAF(LEAF))) == 0)
		return IRQ_NONE;
	wr(t, VF(PRIV_CPU_INTR_LEAF(LEAF)), ~0u);
	t->irq = irq;
	t->cpu = raw_smp_processor_id();
	t->interrupts++;
	complete(&t->seen);
	return IRQ_HANDLED;
}

static void tree(struct test *t)
{
	wr(t, VF(PRIV_CPU_INTR_LEAF(LEAF)), ~0u);
	wr(t, VF(PRIV_CPU_INTR_LEAF_EN_SET(LEAF)), ~0u);
	wr(t, VF(PRIV_CPU_INTR_TOP_EN_SET(0)), ~0u);
	reinit_completion(&t->seen);
}

static void trigger(struct test *t)
{
	wr(t, VF(PRIV_CPU_INTR_LEAF_TRIGGER), LH_INTR_VECTOR_GSP);
}

static bool comes(struct test *t, unsigned long wait)
{
	return wait_for_completion_timeout(&t->seen, wait) != 0;
}

static void test_masks(struct test *t, int irq, const char *kind)
{
	char text[64];

	disable_irq(irq);
	trigger(t);
	snprintf(text, sizeof(text), "%s: silent while it is disabled", kind);
	check(t, !comes(t, QUIET), text);
	enable_irq(irq);
	snprintf(text, sizeof(text), "%s: comes when it is enabled", kind);
	check(t, comes(t, WAIT), text);
}

static void test_affinity(struct test *t, int irq)
{
	if (num_online_cpus() < 2)
		return;
	check(t, irq_set_affinity(irq, cpumask_of(1)) == 0, "affinity set");
	trigger(t);
	check(t, comes(t, WAIT) && t->cpu == 1, "handled by CPU 1");
	irq_set_affinity(irq, cpumask_of(0));
	trigger(t);
	check(t, comes(t, WAIT) && t->cpu == 0, "handled by CPU 0");
}

/* The kernel puts config space and MSI-X table back after a reset. */
static void test_reset(struct test *t, const char *kind)
{
	char text[64];

	t->access->write(t->gpu, 2, 0x9000, 4, 0x1234);
	snprintf(text, sizeof(text), "%s: function-level reset", kind);
	check(t, pci_reset_function_locked(t->pdev) == 0, text);
	tree(t);
	trigger(t);
	snprintf(text, sizeof(text), "%s: comes after a reset", kind);
	check(t, comes(t, WAIT), text);
	check(t, t->access->read(t->gpu, 2, 0x9000, 4) == 0, "video memory is empty after it");
}

static void test_kind(struct test *t, unsigned int kind, int wanted, const char *name)
{
	int count = pci_alloc_irq_vectors(t->pdev, 1, wanted, kind), irq;
	char text[64];
	u32 before;

	snprintf(text, sizeof(text), "%s: %d vectors (got %d)", name, wanted, count);
	check(t, count == wanted, text);
	if (count < 1)
		return;
	irq = pci_irq_vector(t->pdev, count > 1 ? SUBTREE : 0);
	if (request_irq(irq, on_interrupt, kind == PCI_IRQ_INTX ? IRQF_SHARED : 0, "selftest", t)) {
		check(t, false, "request_irq");
		goto free;
	}
	tree(t);
	before = t->interrupts;
	trigger(t);
	snprintf(text, sizeof(text), "%s: comes", name);
	check(t, comes(t, WAIT) && t->irq == irq, text);
	snprintf(text, sizeof(text), "%s: comes once", name);
	check(t, !comes(t, QUIET) && t->interrupts == before + 1, text);
	test_masks(t, irq, name);
	if (kind != PCI_IRQ_INTX)
		test_affinity(t, irq);
	test_reset(t, name);
	free_irq(irq, t);
free:
	pci_free_irq_vectors(t->pdev);
}

/* -- DMA --------------------------------------------------------------------------------------- */

static void test_masks_of_dma(struct test *t)
{
	struct device *dev = &t->pdev->dev;

	check(t, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32)) != 0, "32-bit DMA is refused");
	check(t, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(52)) == 0, "52-bit DMA");
}

static void test_addresses(struct test *t)
{
	struct device *dev = &t->pdev->dev;
	struct scatterlist list[3];
	dma_addr_t first, second;
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page) {
		check(t, false, "alloc_page");
		return;
	}
	first = dma_map_page(dev, page, 100, 200, DMA_BIDIRECTIONAL);
	second = dma_map_page(dev, page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	check(t, !dma_mapping_error(dev, first) && !dma_mapping_error(dev, second), "map_page");
	check(t, offset_in_page(first) == 100 && offset_in_page(second) == 0, "offsets are kept");
	check(t, first != page_to_phys(page) && first >= 1ull << 47 && first >> 48 == 0,
	      "no physical or virtual address");
	check(t, second - first > PAGE_SIZE, "a page that is not mapped in between");
	dma_unmap_page(dev, second, PAGE_SIZE, DMA_BIDIRECTIONAL);
	dma_unmap_page(dev, first, 200, DMA_BIDIRECTIONAL);
	second = dma_map_page(dev, page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	check(t, !dma_mapping_error(dev, second) && second > first + PAGE_SIZE,
	      "an address is not used again at once");
	dma_unmap_page(dev, second, PAGE_SIZE, DMA_BIDIRECTIONAL);

	sg_init_table(list, ARRAY_SIZE(list));
	sg_set_page(&list[0], page, 512, 0);
	sg_set_page(&list[1], page, PAGE_SIZE, 0);
	sg_set_page(&list[2], page, 8, 4088);
	check(t, dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 3 && sg_dma_len(&list[1]) == PAGE_SIZE,
	      "map_sg");
	dma_unmap_sg(dev, list, 3, DMA_TO_DEVICE);
#ifndef CONFIG_DMA_API_DEBUG
	/* The kernel's checker counts this as mapped though it is refused. */
	first = dma_map_resource(dev, 0xf0000000, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	check(t, dma_mapping_error(dev, first) != 0, "other devices cannot be mapped");
#endif
	__free_page(page);
}

static int map_buffers(struct test *t)
{
	static const struct buffer plan[3] = {
		{ .name = "coherent", .size = COHERENT_BYTES, .direction = DMA_BIDIRECTIONAL },
		{ .name = "to", .size = BUFFER_BYTES, .direction = DMA_TO_DEVICE },
		{ .name = "from", .size = BUFFER_BYTES, .direction = DMA_FROM_DEVICE },
	};
	struct device *dev = &t->pdev->dev;
	u32 i;

	memcpy(t->buffers, plan, sizeof(plan));
	for (i = 0; i < 3; i++) {
		struct buffer *b = &t->buffers[i];

		if (i == 0) {
			b->cpu = dma_alloc_coherent(dev, b->size, &b->dma, GFP_KERNEL);
		} else {
			b->cpu = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, BUFFER_ORDER);
			if (b->cpu)
				b->dma = dma_map_single(dev, b->cpu, b->size, b->direction);
		}
		if (!b->cpu || dma_mapping_error(dev, b->dma))
			return -ENOMEM;
		memset(b->cpu, 0x11 * (i + 1), b->size);
	}
	t->mapped = true;
	return 0;
}

static void unmap_buffers(struct test *t)
{
	struct device *dev = &t->pdev->dev;

	if (!t->mapped || hold)
		return;
	t->mapped = false;
	dma_free_coherent(dev, t->buffers[0].size, t->buffers[0].cpu, t->buffers[0].dma);
	t->buffers[0].cpu = NULL;
	dma_unmap_single(dev, t->buffers[1].dma, t->buffers[1].size, DMA_TO_DEVICE);
	dma_unmap_single(dev, t->buffers[2].dma, t->buffers[2].size, DMA_FROM_DEVICE);
}

static void free_buffers(struct test *t)
{
	unmap_buffers(t);
	free_pages((unsigned long)t->buffers[1].cpu, BUFFER_ORDER);
	free_pages((unsigned long)t->buffers[2].cpu, BUFFER_ORDER);
}

/* -- debugfs: each buffer's name, DMA address, size, and the byte that it is full of ------------
 */

static int buffers_show(struct seq_file *file, void *data)
{
	struct test *t = file->private;
	u32 i, at;

	for (i = 0; i < 3; i++) {
		const u8 *bytes = t->buffers[i].cpu;

		seq_printf(file, "%s 0x%llx %zu ", t->buffers[i].name, (u64)t->buffers[i].dma,
			   t->buffers[i].size);
		for (at = 0; bytes && at < t->buffers[i].size && bytes[at] == bytes[0]; at++)
			;
		if (bytes && at == t->buffers[i].size)
			seq_printf(file, "0x%x\n", bytes[0]);
		else
			seq_puts(file, "mixed\n");
	}
	return 0;
}

static int buffers_open(struct inode *inode, struct file *file)
{
	return single_open(file, buffers_show, inode->i_private);
}

/* Whatever is written unmaps all. */
static ssize_t buffers_write(struct file *file, const char __user *user, size_t size, loff_t *at)
{
	struct test *t = file_inode(file)->i_private;

	unmap_buffers(t);
	return size;
}

static const struct file_operations buffers_ops = {
	.owner = THIS_MODULE,
	.open = buffers_open,
	.read = seq_read,
	.write = buffers_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* -- Binding ----------------------------------------------------------------------------------- */

static void run(struct test *t)
{
	test_masks_of_dma(t);
	if (quick)
		return;
	test_device(t);
	test_decoding(t);
	test_kind(t, PCI_IRQ_MSIX, LH_MSIX_VECTORS, "MSI-X");
	test_kind(t, PCI_IRQ_MSI, 1, "MSI");
	test_kind(t, PCI_IRQ_INTX, 1, "INTx");
	test_kind(t, PCI_IRQ_MSIX, LH_MSIX_VECTORS, "MSI-X again");
	test_addresses(t);
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct test *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int rc;

	if (!t)
		return -ENOMEM;
	t->pdev = pdev;
	init_completion(&t->seen);
	t->access = symbol_get(softh100_access);
	rc = -ENODEV;
	if (!t->access)
		goto fail_access;
	t->gpu = t->access->get(pdev);
	if (!t->gpu)
		goto fail_gpu;
	rc = pci_enable_device(pdev);
	if (rc)
		goto fail_enable;
	pci_set_master(pdev);
	pci_set_drvdata(pdev, t);
	rc = -ENODEV;
	if (rd(t, NV_PMC_BOOT_0) == ~0u)
		goto fail_gone;
	run(t);
	rc = map_buffers(t);
	if (rc == 0 && t->failures)
		rc = -EIO;
	if (rc)
		goto fail_tests;
	t->dir = debugfs_create_dir(pci_name(pdev), folder);
	debugfs_create_file("buffers", 0600, t->dir, t, &buffers_ops);
	pci_info(pdev, "selftest: passed\n");
	return 0;

fail_tests:
	pci_err(pdev, "selftest: FAIL: %u failures\n", t->failures);
	free_buffers(t);
fail_gone:
	pci_disable_device(pdev);
fail_enable:
	t->access->put(t->gpu);
fail_gpu:
	symbol_put(softh100_access);
fail_access:
	kfree(t);
	return rc;
}

static void remove(struct pci_dev *pdev)
{
	struct test *t = pci_get_drvdata(pdev);

	debugfs_remove(t->dir);
	free_buffers(t);
	if (rd(t, NV_PMC_BOOT_0) == ~0u)
		pci_info(pdev, "selftest: the device was gone already\n");
	pci_disable_device(pdev);
	t->access->put(t->gpu);
	symbol_put(softh100_access);
	kfree(t);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID), .class = PCI_CLASS_DISPLAY_3D << 8,
	  .class_mask = 0xffff00 },
	{ 0 },
};

static struct pci_driver driver = {
	.name = "softh100_selftest",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
};

static int __init selftest_init(void)
{
	int rc;

	folder = debugfs_create_dir("softh100_selftest", NULL);
	rc = pci_register_driver(&driver);
	if (rc)
		debugfs_remove(folder);
	return rc;
}

static void __exit selftest_exit(void)
{
	pci_unregister_driver(&driver);
	debugfs_remove(folder);
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("Tests of the virtual PCI bus of softh100.ko");
MODULE_LICENSE("Dual MIT/GPL");
