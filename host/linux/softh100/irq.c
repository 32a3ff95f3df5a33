// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How the GPUs' interrupts reach the kernel. A message names a vector of a small domain of our own,
 * below the kernel's PCI MSI domain; INTA# is an interrupt of a second one, level triggered.
 *
 *	h100/function --msix(address, data)--> vector --irq_work--> generic_handle_domain_irq
 *	              --intx()------------------------irq_work-->        (hard interrupt)
 *
 * A function raises interrupts in any context, its driver's own register accesses included, so that
 * handlers run by irq_work, or by an interrupt of the processor that they are bound to.
 *
 * The kernel would program the MSI-X table by stores to BAR 0, where no memory is. The domain's
 * chip makes these stores register accesses instead. When PCI restores the table after a reset or a
 * suspend it stores by itself; that happens while it enables MSI-X in config space, and the entries
 * as last written are put into the table then.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/pci.h>

#include "abi/gh100.h"
#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

#define VECTORS (SOFT_GPUS_MAX * (H100_MSIX_ENTRIES + 1))
#define MESSAGE_ADDRESS 0xfee00000u /* where messages go on x86 */
#define VECTOR_ANYWHERE (~0u)

struct vector {
	struct irq_work work;
	call_single_data_t call;
	u32 cpu;	      /* where the handler is to run; atomic */
	struct soft_pci *gpu; /* whose messages it takes; atomic */
};

static struct {
	struct mutex lock; /* used */
	DECLARE_BITMAP(used, VECTORS);
	struct vector vector[VECTORS];
	struct fwnode_handle *leaf_fwnode, *msi_fwnode, *intx_fwnode;
	struct irq_domain *leaf, *msi, *intx;
} irqs;

/* -- Vectors ----------------------------------------------------------------------------------- */

/* A message that was under way when its interrupt was shut down finds nobody. */
static void handle(struct vector *v)
{
	if (READ_ONCE(v->gpu))
		generic_handle_domain_irq(irqs.leaf, v - irqs.vector);
}

static void handle_here(struct irq_work *work)
{
	handle(container_of(work, struct vector, work));
}

static void handle_there(void *info)
{
	handle(info);
}

void soft_irq_message(struct soft_pci *gpu, u64 address, u32 data)
{
	struct vector *v;
	u32 cpu;

	/* Any other message is a store to memory, or an interrupt of somebody else's: refused. */
	if (address != MESSAGE_ADDRESS || data >= VECTORS)
		return;
	v = &irqs.vector[data];
	if (READ_ONCE(v->gpu) != gpu)
		return;
	preempt_disable();
	cpu = READ_ONCE(v->cpu);
	if (cpu == VECTOR_ANYWHERE || cpu == smp_processor_id() || !cpu_online(cpu))
		irq_work_queue(&v->work);
	else
		smp_call_function_single_async(cpu, &v->call);
	preempt_enable();
}

static void leaf_nop(struct irq_data *data)
{
}

static void leaf_message(struct irq_data *data, struct msi_msg *message)
{
	message->address_hi = 0;
	message->address_lo = MESSAGE_ADDRESS;
	message->data = data->hwirq;
}

static int leaf_affinity(struct irq_data *data, const struct cpumask *mask, bool force)
{
	u32 cpu = cpumask_first_and(mask, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	WRITE_ONCE(irqs.vector[data->hwirq].cpu, cpu);
	irq_data_update_effective_affinity(data, cpumask_of(cpu));
	return IRQ_SET_MASK_OK_DONE;
}

static struct irq_chip leaf_chip = {
	.name = "softh100",
	.irq_ack = leaf_nop,
	.irq_mask = leaf_nop,
	.irq_unmask = leaf_nop,
	.irq_compose_msi_msg = leaf_message,
	.irq_set_affinity = leaf_affinity,
};

static void leaf_free(struct irq_domain *domain, unsigned int virq, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct irq_data *data = irq_domain_get_irq_data(domain, virq + i);

		if (!data->chip)
			continue;
		WRITE_ONCE(irqs.vector[data->hwirq].gpu, NULL);
		irq_work_sync(&irqs.vector[data->hwirq].work);
		mutex_lock(&irqs.lock);
		clear_bit(data->hwirq, irqs.used);
		mutex_unlock(&irqs.lock);
		irq_domain_reset_irq_data(data);
	}
}

static int leaf_alloc(struct irq_domain *domain, unsigned int virq, unsigned int count, void *arg)
{
	unsigned long number;
	unsigned int i;

	for (i = 0; i < count; i++) {
		mutex_lock(&irqs.lock);
		number = find_first_zero_bit(irqs.used, VECTORS);
		if (number < VECTORS)
			set_bit(number, irqs.used);
		mutex_unlock(&irqs.lock);
		if (number == VECTORS) {
			leaf_free(domain, virq, i);
			return -ENOSPC;
		}
		WRITE_ONCE(irqs.vector[number].cpu, VECTOR_ANYWHERE);
		irq_domain_set_info(domain, virq + i, number, &leaf_chip, NULL, handle_edge_irq,
				    NULL, NULL);
		/* The next message goes to the new processor, without help from a handler. */
		irq_set_status_flags(virq + i, IRQ_MOVE_PCNTXT);
	}
	return 0;
}

/* Before the interrupt's handler goes; msi_write undoes it. */
static void leaf_deactivate(struct irq_domain *domain, struct irq_data *data)
{
	WRITE_ONCE(irqs.vector[data->hwirq].gpu, NULL);
}

static const struct irq_domain_ops leaf_ops = {
	.alloc = leaf_alloc,
	.free = leaf_free,
	.deactivate = leaf_deactivate,
};

/* -- Messages as PCI knows them ---------------------------------------------------------------- */

static struct soft_pci *gpu_of(struct irq_data *data)
{
	return soft_bus_gpu(msi_desc_to_pci_dev(irq_data_get_msi_desc(data)));
}

/* Under the GPU's vectors.lock. */
static void table_store(struct soft_pci *gpu, u32 index)
{
	const struct soft_msix_entry *entry = &gpu->vectors.msix[index];
	const u32 words[4] = { entry->address_low, entry->address_high, entry->data,
			       entry->masked };
	u32 i, at = LH_MSIX_TABLE + index * sizeof(words);

	for (i = 0; i < ARRAY_SIZE(words); i++)
		h100_function_bar_write(&gpu->function, 0, at + 4 * i, 4, words[i]);
}

static void msi_write(struct irq_data *data, struct msi_msg *message)
{
	struct msi_desc *desc = irq_data_get_msi_desc(data);
	struct soft_pci *gpu = gpu_of(data);
	struct soft_msix_entry *entry;
	unsigned long flags;

	if (!gpu)
		return;
	if (message->data < VECTORS && message->address_lo)
		WRITE_ONCE(irqs.vector[message->data].gpu, gpu);
	if (!desc->pci.msi_attrib.is_msix) {
		pci_write_msi_msg(data->irq, message);
		return;
	}
	desc->msg = *message;
	if (desc->msi_index >= H100_MSIX_ENTRIES)
		return;
	entry = &gpu->vectors.msix[desc->msi_index];
	raw_spin_lock_irqsave(&gpu->vectors.lock, flags);
	if (!entry->used)
		entry->masked = true;
	entry->used = true;
	entry->address_low = message->address_lo;
	entry->address_high = message->address_hi;
	entry->data = message->data;
	table_store(gpu, desc->msi_index);
	raw_spin_unlock_irqrestore(&gpu->vectors.lock, flags);
}

/* The function offers no masks for MSI. */
static void msi_set_mask(struct irq_data *data, bool masked)
{
	struct msi_desc *desc = irq_data_get_msi_desc(data);
	struct soft_pci *gpu = gpu_of(data);
	unsigned long flags;

	if (!gpu || !desc->pci.msi_attrib.is_msix || desc->msi_index >= H100_MSIX_ENTRIES)
		return;
	raw_spin_lock_irqsave(&gpu->vectors.lock, flags);
	gpu->vectors.msix[desc->msi_index].masked = masked;
	table_store(gpu, desc->msi_index);
	raw_spin_unlock_irqrestore(&gpu->vectors.lock, flags);
}

static void msi_mask(struct irq_data *data)
{
	msi_set_mask(data, true);
}

static void msi_unmask(struct irq_data *data)
{
	msi_set_mask(data, false);
}

void soft_irq_msix_control(struct soft_pci *gpu)
{
	u32 control = h100_function_cfg_read(&gpu->function,
					     NV_EP_PCFG_GPU_MSIX_CAP_HEADER + PCI_MSIX_FLAGS, 2);
	unsigned long flags;
	u32 i;

	if (control == 0xffff)
		return;
	raw_spin_lock_irqsave(&gpu->vectors.lock, flags);
	for (i = 0; i < H100_MSIX_ENTRIES; i++) {
		if (!(control & PCI_MSIX_FLAGS_ENABLE))
			gpu->vectors.msix[i].used = false;
		else if (gpu->vectors.msix[i].used)
			table_store(gpu, i);
	}
	raw_spin_unlock_irqrestore(&gpu->vectors.lock, flags);
}

void soft_irq_forget(struct soft_pci *gpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&gpu->vectors.lock, flags);
	memset(gpu->vectors.msix, 0, sizeof(gpu->vectors.msix));
	raw_spin_unlock_irqrestore(&gpu->vectors.lock, flags);
}

static struct irq_chip msi_chip = {
	.name = "softh100-MSI",
	.irq_ack = irq_chip_ack_parent,
	.irq_mask = msi_mask,
	.irq_unmask = msi_unmask,
	.irq_write_msi_msg = msi_write,
};

static struct msi_domain_info msi_info = {
	.flags = MSI_FLAG_USE_DEF_DOM_OPS | MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_PCI_MSIX |
		 MSI_FLAG_MULTI_PCI_MSI,
	.chip = &msi_chip,
};

struct irq_domain *soft_irq_domain(void)
{
	return irqs.msi;
}

struct fwnode_handle *soft_irq_fwnode(void)
{
	return irqs.msi_fwnode;
}

/* -- INTA# ------------------------------------------------------------------------------------- */

static void intx_handle(struct irq_work *work)
{
	struct soft_pci *gpu = container_of(work, struct soft_pci, vectors.intx_work);

	if (h100_function_intx(&gpu->function))
		generic_handle_domain_irq(irqs.intx, gpu->index);
}

void soft_irq_intx(struct soft_pci *gpu)
{
	/* against intx_unmask: one of both sees what the other did */
	smp_mb();
	if (!READ_ONCE(gpu->vectors.intx_masked))
		irq_work_queue(&gpu->vectors.intx_work);
}

static void intx_mask(struct irq_data *data)
{
	struct soft_pci *gpu = irq_data_get_irq_chip_data(data);

	WRITE_ONCE(gpu->vectors.intx_masked, true);
}

static void intx_unmask(struct irq_data *data)
{
	struct soft_pci *gpu = irq_data_get_irq_chip_data(data);

	WRITE_ONCE(gpu->vectors.intx_masked, false);
	/* A level that is still there is an interrupt again; it may have come meanwhile. */
	smp_mb();
	if (h100_function_intx(&gpu->function))
		irq_work_queue(&gpu->vectors.intx_work);
}

static struct irq_chip intx_chip = {
	.name = "softh100-INTx",
	.irq_mask = intx_mask,
	.irq_unmask = intx_unmask,
};

static int intx_map(struct irq_domain *domain, unsigned int virq, irq_hw_number_t number)
{
	struct soft_pci *gpu = soft_machine.gpu[number];

	irq_set_chip_and_handler(virq, &intx_chip, handle_level_irq);
	irq_set_chip_data(virq, gpu);
	return 0;
}

static const struct irq_domain_ops intx_ops = { .map = intx_map };

/* -- Beginning and end ------------------------------------------------------------------------- */

int soft_irq_init(struct soft_pci *gpu)
{
	raw_spin_lock_init(&gpu->vectors.lock);
	gpu->vectors.intx_work = IRQ_WORK_INIT_HARD(intx_handle);
	gpu->vectors.intx_masked = true;
	gpu->vectors.intx = irq_create_mapping(irqs.intx, gpu->index);
	return gpu->vectors.intx ? 0 : -ENOMEM;
}

void soft_irq_exit(struct soft_pci *gpu)
{
	if (gpu->vectors.intx)
		irq_dispose_mapping(gpu->vectors.intx);
	irq_work_sync(&gpu->vectors.intx_work);
}

void soft_irq_quiesce(struct soft_pci *gpu)
{
	u32 i;

	irq_work_sync(&gpu->vectors.intx_work);
	for (i = 0; i < VECTORS; i++)
		if (READ_ONCE(irqs.vector[i].gpu) == gpu)
			irq_work_sync(&irqs.vector[i].work);
}

static void nothing(void *info)
{
}

int soft_irq_machine_init(void)
{
	u32 i;

	mutex_init(&irqs.lock);
	for (i = 0; i < VECTORS; i++) {
		irqs.vector[i].work = IRQ_WORK_INIT_HARD(handle_here);
		INIT_CSD(&irqs.vector[i].call, handle_there, &irqs.vector[i]);
	}
	irqs.leaf_fwnode = irq_domain_alloc_named_fwnode("softh100");
	irqs.msi_fwnode = irq_domain_alloc_named_fwnode("softh100-MSI");
	irqs.intx_fwnode = irq_domain_alloc_named_fwnode("softh100-INTx");
	if (!irqs.leaf_fwnode || !irqs.msi_fwnode || !irqs.intx_fwnode || os_linux_alloc_fails())
		goto fail;
	irqs.leaf = irq_domain_create_linear(irqs.leaf_fwnode, VECTORS, &leaf_ops, NULL);
	if (!irqs.leaf)
		goto fail;
	irqs.msi = pci_msi_create_irq_domain(irqs.msi_fwnode, &msi_info, irqs.leaf);
	if (!irqs.msi)
		goto fail;
	irqs.intx = irq_domain_create_linear(irqs.intx_fwnode, SOFT_GPUS_MAX, &intx_ops, NULL);
	if (!irqs.intx)
		goto fail;
	return 0;
fail:
	soft_irq_machine_exit();
	return -ENOMEM;
}

void soft_irq_machine_exit(void)
{
	if (irqs.intx)
		irq_domain_remove(irqs.intx);
	if (irqs.msi)
		irq_domain_remove(irqs.msi);
	if (irqs.leaf)
		irq_domain_remove(irqs.leaf);
	if (irqs.intx_fwnode)
		irq_domain_free_fwnode(irqs.intx_fwnode);
	if (irqs.msi_fwnode)
		irq_domain_free_fwnode(irqs.msi_fwnode);
	if (irqs.leaf_fwnode)
		irq_domain_free_fwnode(irqs.leaf_fwnode);
	irqs.intx = NULL;
	irqs.msi = NULL;
	irqs.leaf = NULL;
	irqs.intx_fwnode = NULL;
	irqs.msi_fwnode = NULL;
	irqs.leaf_fwnode = NULL;
	/* No processor runs a vector's call any more when each has run one after it. */
	on_each_cpu(nothing, NULL, 1);
}
