// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The interrupt tree of Hopper: TOP has a bit for each pair of leaves, a leaf 32 vectors. The
 * driver enables the vector of the GSP, which reports everything else in messages.
 */
#include "rm/gpu/interrupt.h"

#include "rm/gpu/gpu.h"
#include "rm/gpu/notify.h"
#include "rm/gpu/regs.h"
#include "rm/gsp/gsp.h"

#define GSP_LEAF ((u32)LH_INTR_VECTOR_GSP / 32)
#define GSP_LEAF_BIT (1u << ((u32)LH_INTR_VECTOR_GSP % 32))
#define GSP_SUBTREE_BIT (1u << (GSP_LEAF / 2))
#define LEAVES ((u32)NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF__SIZE_1)
#define ALL_SUBTREES ((1u << LEAVES / 2) - 1)
_Static_assert(LEAVES == RM_INTR_LEAVES, "leaves of the interrupt tree");

#define IRQ_HALT ((u32)REG_PREP(NV_PFALCON_FALCON_IRQSTAT_HALT, 1))
#define IRQ_SWGEN0 ((u32)REG_PREP(NV_PFALCON_FALCON_IRQSTAT_SWGEN0, 1))

/*
 * Reads and clears every pending leaf; true when the GSP's vector was among them. Engines' vectors
 * that anybody waits for are put aside for the bottom half.
 */
static bool clear_tree(struct rm_gpu *gpu, struct rm_gpu_interrupts *irq)
{
	u32 top = gpu_vf_rd32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_TOP(0));
	bool gsp = false, engines = false;
	u32 leaf, value;

	if (top == GPU_OFF_BUS)
		return false;
	for (leaf = 0; leaf < LEAVES; leaf++) {
		if (!(top & (1u << (leaf / 2))))
			continue;
		value = gpu_vf_rd32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(leaf));
		if (value == 0)
			continue;
		gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(leaf), value);
		if (leaf == GSP_LEAF && (value & GSP_LEAF_BIT))
			gsp = true;
		value &= os_load_relaxed(&irq->wanted[leaf]);
		if (value) {
			os_fetch_or(&irq->pending[leaf], value);
			engines = true;
		}
	}
	if (engines)
		os_workqueue_queue(irq->queue, &irq->engine_work);
	return gsp;
}

static void top_half(void *arg, u32 vector)
{
	struct rm_gpu_interrupts *irq = arg;
	struct rm_gpu *gpu = irq->gpu;
	struct rm_gsp *gsp = gpu->gsp; /* stays while interrupts are enabled */
	u32 stat;

	os_fetch_add(&irq->count, 1);
	if (!clear_tree(gpu, irq))
		return;
	stat = gsp_falcon_rd32(gpu, NV_PFALCON_FALCON_IRQSTAT);
	if (stat == GPU_OFF_BUS)
		return;
	/* Clear before looking at the queue: what comes later interrupts again. */
	gsp_falcon_wr32(gpu, NV_PFALCON_FALCON_IRQSCLR, stat & (IRQ_HALT | IRQ_SWGEN0));
	gsp_falcon_wr32(gpu, NV_PFALCON_FALCON_INTR_RETRIGGER(0), 1);
	if (stat & IRQ_HALT)
		os_store_release(&gsp->halted, 1);
	if (!os_load_acquire(&gsp->waiting))
		os_workqueue_queue(irq->queue, &irq->work);
}

static void bottom_half(struct os_work *work)
{
	struct rm_gpu_interrupts *irq = container_of(work, struct rm_gpu_interrupts, work);

	u32 kicks;

	gsp_service(irq->gpu);
	kicks = os_exchange(&irq->kicks, 0);
	if (kicks & RM_GPU_KICK_TELL_LOST)
		rm_gpu_notify_lost(irq->gpu);
	if (kicks & RM_GPU_KICK_STOP_IF_IDLE)
		rm_gpu_stop_if_idle(irq->gpu);
}

static void engine_bottom_half(struct os_work *work)
{
	struct rm_gpu_interrupts *irq = container_of(work, struct rm_gpu_interrupts, engine_work);
	u32 leaf, vectors;

	for (leaf = 0; leaf < LEAVES; leaf++) {
		vectors = os_exchange(&irq->pending[leaf], 0);
		if (vectors)
			rm_gpu_notify_engines(irq->gpu, leaf * 32, vectors);
	}
}

static enum nv_status create(struct rm_gpu *gpu)
{
	struct rm_gpu_interrupts *irq = os_alloc(sizeof(*irq));
	enum nv_status status;

	if (!irq)
		return NV_ERR_NO_MEMORY;
	irq->gpu = gpu;
	irq->work.fn = bottom_half;
	irq->engine_work.fn = engine_bottom_half;
	status = os_mutex_init(&irq->want_lock, LOCK_RANK_LEAF, "gpu engine interrupts");
	if (status != NV_OK) {
		os_free(irq);
		return status;
	}
	irq->queue = os_workqueue_create("gpu events");
	if (!irq->queue) {
		os_mutex_destroy(&irq->want_lock);
		os_free(irq);
		return NV_ERR_NO_MEMORY;
	}
	os_spinlock_lock(&gpu->interrupts_lock);
	gpu->interrupts = irq;
	os_spinlock_unlock(&gpu->interrupts_lock);
	return NV_OK;
}

/* The tree as it is to be; after a boot it is all off. */
static void enable_wanted(struct rm_gpu *gpu)
{
	struct rm_gpu_interrupts *irq = gpu->interrupts;
	u32 subtrees = GSP_SUBTREE_BIT, leaf, vectors;

	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_SET(GSP_LEAF), GSP_LEAF_BIT);
	os_mutex_lock(&irq->want_lock);
	irq->enabled = true;
	for (leaf = 0; leaf < LEAVES; leaf++) {
		vectors = irq->wanted[leaf];
		if (!vectors)
			continue;
		gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_SET(leaf), vectors);
		subtrees |= 1u << (leaf / 2);
	}
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_TOP_EN_SET(0), subtrees);
	os_mutex_unlock(&irq->want_lock);
}

/* What became pending while nobody waited for it is of no interest to who waits now. */
static void set_wanted(struct rm_gpu_interrupts *irq, u32 leaf, u32 bit)
{
	struct rm_gpu *gpu = irq->gpu;

	os_fetch_or(&irq->wanted[leaf], bit);
	if (!irq->enabled)
		return;
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(leaf), bit);
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_SET(leaf), bit);
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_TOP_EN_SET(0), 1u << (leaf / 2));
}

static void clear_wanted(struct rm_gpu_interrupts *irq, u32 leaf, u32 bit)
{
	if (irq->enabled)
		gpu_vf_wr32(irq->gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_CLEAR(leaf), bit);
	os_fetch_and(&irq->wanted[leaf], ~bit);
}

void rm_gpu_interrupts_want(struct rm_gpu *gpu, u32 vector, bool want)
{
	const u32 leaf = vector / 32, bit = 1u << (vector % 32);
	struct rm_gpu_interrupts *irq = gpu->interrupts;

	if (!irq || vector >= RM_INTR_VECTORS || (leaf == GSP_LEAF && bit == GSP_LEAF_BIT))
		return;
	os_mutex_lock(&irq->want_lock);
	if (want && irq->waiting[vector]++ == 0)
		set_wanted(irq, leaf, bit);
	else if (!want && --irq->waiting[vector] == 0)
		clear_wanted(irq, leaf, bit);
	os_mutex_unlock(&irq->want_lock);
}

enum nv_status rm_gpu_interrupts_enable(struct rm_gpu *gpu)
{
	enum nv_status status;

	if (!gpu->interrupts) {
		status = create(gpu);
		if (status != NV_OK)
			return status;
	}
	status = os_pci_irq_enable(gpu->pci, 1, top_half, gpu->interrupts);
	if (status != NV_OK)
		return status;
	enable_wanted(gpu);
	return NV_OK;
}

void rm_gpu_interrupts_disable(struct rm_gpu *gpu)
{
	if (!gpu->interrupts || !gpu->interrupts->enabled)
		return;
	os_mutex_lock(&gpu->interrupts->want_lock);
	gpu->interrupts->enabled = false;
	os_mutex_unlock(&gpu->interrupts->want_lock);
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_TOP_EN_CLEAR(0), ALL_SUBTREES);
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_CLEAR(GSP_LEAF), GSP_LEAF_BIT);
	os_pci_irq_disable(gpu->pci);
}

void rm_gpu_interrupts_kick(struct rm_gpu *gpu, enum rm_gpu_kick what)
{
	struct rm_gpu_interrupts *irq;

	os_spinlock_lock(&gpu->interrupts_lock);
	irq = gpu->interrupts;
	if (irq) {
		os_fetch_or(&irq->kicks, (u32)what);
		os_workqueue_queue(irq->queue, &irq->work);
	}
	os_spinlock_unlock(&gpu->interrupts_lock);
}

void rm_gpu_interrupts_free(struct rm_gpu *gpu)
{
	struct rm_gpu_interrupts *irq;

	os_spinlock_lock(&gpu->interrupts_lock);
	irq = gpu->interrupts;
	gpu->interrupts = NULL;
	os_spinlock_unlock(&gpu->interrupts_lock);
	if (!irq)
		return;
	os_workqueue_destroy(irq->queue);
	os_mutex_destroy(&irq->want_lock);
	os_free(irq);
}
