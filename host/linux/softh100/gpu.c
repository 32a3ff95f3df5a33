// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * One GPU's function: what the model asks of its host, and how a process takes it up and loses it.
 */
#include <linux/kernel.h>

#include "abi/gh100.h"
#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

/* Why the function is off the bus: bits of its off_bus. */
enum {
	ABSENT_UNSERVED = 1u << 0, /* no process, or out of its slot */
	ABSENT_WANTED = 1u << 1,   /* its process wants it so */
	ABSENT_RESET = 1u << 2,	   /* a reset is under way */
};

#define BAR_CFG(i) (NV_EP_PCFG_GPU_BARREG0 + 8 * (i))

/* -- What h100/function calls ------------------------------------------------------------------ */

static void on_work(void *ctx, u32 work)
{
	struct soft_pci *gpu = ctx;

	if (!os_load_acquire(&gpu->attached))
		return;
	/*
	 * What was in video memory goes first, and the process hears of it then. Until it is done
	 * the device is not ready again: PCI's code, which did the reset, waits for it.
	 */
	if (work & H100_WORK_RESET) {
		os_fetch_or(&gpu->function.off_bus, ABSENT_RESET);
		queue_work(soft_machine.queue, &gpu->reset);
	}
	work &= ~(u32)H100_WORK_RESET;
	if (work)
		soft_gpu_work(gpu, work);
}

static void on_msix(void *ctx, u64 address, u32 data)
{
	soft_irq_message(ctx, address, data);
}

static void on_intx(void *ctx)
{
	soft_irq_intx(ctx);
}

static u64 on_now(void *ctx)
{
	return os_time_ns();
}

static void on_log(void *ctx, int level, const char *text)
{
	struct soft_pci *gpu = ctx;

	os_log(level, "GPU %u: %s", gpu->index, text);
}

static u64 on_video_read(void *ctx, u64 address, u32 width)
{
	return soft_video_read(&((struct soft_pci *)ctx)->video, address, width);
}

static void on_video_write(void *ctx, u64 address, u32 width, u64 value)
{
	soft_video_write(&((struct soft_pci *)ctx)->video, address, width, value);
}

static const struct h100_function_ops ops = {
	.work = on_work,
	.msix = on_msix,
	.intx = on_intx,
	.now_ns = on_now,
	.log = on_log,
	.video_read = on_video_read,
	.video_write = on_video_write,
};

/* -- Work for the process ---------------------------------------------------------------------- */

void soft_gpu_work(struct soft_pci *gpu, u32 work)
{
	os_fetch_or(&gpu->work, work);
	swake_up_one(&gpu->waiters);
}

static void set_linked(struct soft_pci *gpu, bool linked)
{
	u32 *word = &soft_machine.links->gpu[gpu->index].linked;

	if (!linked)
		os_store_release(word, 0u);
	soft_video_link(&gpu->video, linked);
	if (linked)
		os_store_release(word, 1u);
}

static void reset_work(struct work_struct *work)
{
	struct soft_pci *gpu = container_of(work, struct soft_pci, reset);

	set_linked(gpu, false);
	soft_video_clear(&gpu->video);
	os_fetch_and(&gpu->function.off_bus, ~(u32)ABSENT_RESET);
	soft_gpu_work(gpu, H100_WORK_RESET);
}

void soft_gpu_cfg_write(struct soft_pci *gpu, u32 offset, u32 width, u32 value)
{
	u32 msix = NV_EP_PCFG_GPU_MSIX_CAP_HEADER;

	h100_function_cfg_write(&gpu->function, offset, width, value);
	if (offset < msix + 4 && msix + 2 < offset + width)
		soft_irq_msix_control(gpu);
}

/* -- The process comes and goes ---------------------------------------------------------------- */

/* As the machine's firmware leaves a device: addresses given, decoding off. */
static void place_bars(struct soft_pci *gpu)
{
	u32 i;

	for (i = 0; i < SOFT_BARS; i++) {
		h100_function_cfg_write(&gpu->function, BAR_CFG(i), 4,
					lower_32_bits(gpu->place.bar[i]));
		h100_function_cfg_write(&gpu->function, BAR_CFG(i) + 4, 4,
					upper_32_bits(gpu->place.bar[i]));
	}
}

static void bind_mapping(struct soft_pci *gpu, struct address_space *mapping)
{
	down_write(&soft_machine.mapped);
	gpu->mapping = mapping;
	up_write(&soft_machine.mapped);
	soft_bells_bind(gpu, mapping);
}

int soft_gpu_attach(struct soft_pci *gpu, struct soft_file *file, struct address_space *mapping)
{
	int rc = 0;

	mutex_lock(&gpu->bind);
	if (gpu->ejected)
		rc = -ENODEV;
	else if (gpu->file)
		rc = -EBUSY;
	if (rc)
		goto unlock;
	gpu->file = file;
	/* Before clients' doorbells may leave work for this process. */
	os_store_relaxed(&gpu->work, 0u);
	bind_mapping(gpu, mapping);
	h100_function_reset(&gpu->function);
	os_store_release(&gpu->attached, 1u);
	os_store_release(&gpu->function.off_bus, 0u);
	place_bars(gpu);
	os_log(OS_LOG_INFO, "GPU %u is on the bus", gpu->index);
	queue_work(soft_machine.queue, &gpu->enumerate);
	wake_up_all(&soft_machine.attached);
unlock:
	mutex_unlock(&gpu->bind);
	return rc;
}

void soft_gpu_detach(struct soft_pci *gpu)
{
	mutex_lock(&gpu->bind);
	os_fetch_or(&gpu->function.off_bus, ABSENT_UNSERVED);
	os_store_release(&gpu->attached, 0u);
	soft_irq_quiesce(gpu);
	cancel_work_sync(&gpu->reset);
	soft_command_cancel(gpu);
	bind_mapping(gpu, NULL);
	set_linked(gpu, false);
	soft_video_clear(&gpu->video);
	gpu->file = NULL;
	os_log(OS_LOG_INFO, "GPU %u is off the bus: nobody serves it", gpu->index);
	mutex_unlock(&gpu->bind);
}

int soft_gpu_set_present(struct soft_pci *gpu, bool present)
{
	int rc = 0;

	mutex_lock(&gpu->bind);
	if (gpu->ejected)
		rc = -ENODEV;
	else if (present)
		os_fetch_and(&gpu->function.off_bus, ~(u32)ABSENT_WANTED);
	else
		os_fetch_or(&gpu->function.off_bus, ABSENT_WANTED);
	mutex_unlock(&gpu->bind);
	if (!rc && present && h100_function_intx(&gpu->function))
		soft_irq_intx(gpu);
	return rc;
}

int soft_gpu_link(struct soft_pci *gpu, bool linked)
{
	int rc = 0;

	mutex_lock(&gpu->bind);
	if (gpu->ejected)
		rc = -ENODEV;
	else
		set_linked(gpu, linked);
	mutex_unlock(&gpu->bind);
	return rc;
}

int soft_gpu_eject(struct soft_pci *gpu)
{
	mutex_lock(&gpu->bind);
	gpu->ejected = true;
	os_fetch_or(&gpu->function.off_bus, ABSENT_UNSERVED);
	soft_gpu_work(gpu, SOFTH100_WORK_REMOVED);
	mutex_unlock(&gpu->bind);
	flush_work(&gpu->enumerate);
	soft_bus_eject(gpu);
	return 0;
}

int soft_gpu_insert(struct soft_pci *gpu)
{
	int rc = 0;

	mutex_lock(&gpu->bind);
	if (gpu->file)
		rc = -EBUSY;
	else
		gpu->ejected = false;
	mutex_unlock(&gpu->bind);
	return rc || !soft_machine.process[0] ? rc : soft_process_start(gpu->index);
}

/* -- Beginning and end ------------------------------------------------------------------------- */

struct soft_pci *soft_gpu_create(u32 index)
{
	struct soft_pci *gpu = os_alloc(sizeof(*gpu));
	struct h100_function_identity identity = soft_machine.profile->identity;

	if (!gpu)
		return NULL;
	gpu->index = index;
	identity.index = index;
	identity.video_closed = soft_machine.cc == SOFTH100_CC_ON;
	soft_video_init(&gpu->video, index, identity.video_bytes);
	soft_bells_init(&gpu->bells,
			gpu->video.base + (pgoff_t)(SOFTH100_BELLS_OFFSET >> PAGE_SHIFT));
	soft_dma_init(&gpu->dma);
	soft_command_init(gpu);
	mutex_init(&gpu->bind);
	init_swait_queue_head(&gpu->waiters);
	INIT_WORK(&gpu->reset, reset_work);
	INIT_WORK(&gpu->enumerate, soft_bus_enumerate);
	soft_place_get(index, &gpu->place);
	soft_port_init(&gpu->port, &identity, (u8)(index + 1), gpu->place.window_start,
		       gpu->place.window_end);
	if (h100_function_init(&gpu->function, &ops, gpu, &identity, NULL) != NV_OK)
		goto fail_function;
	os_store_release(&gpu->function.off_bus, (u32)ABSENT_UNSERVED);
	soft_machine.gpu[index] = gpu;
	if (soft_irq_init(gpu))
		goto fail_irq;
	return gpu;

fail_irq:
	soft_machine.gpu[index] = NULL;
	h100_function_destroy(&gpu->function);
fail_function:
	os_free(gpu);
	return NULL;
}

void soft_gpu_destroy(struct soft_pci *gpu)
{
	soft_irq_exit(gpu);
	soft_machine.gpu[gpu->index] = NULL;
	soft_video_clear(&gpu->video);
	xa_destroy(&gpu->video.pages);
	soft_bells_destroy(&gpu->bells);
	soft_dma_clear(&gpu->dma);
	xa_destroy(&gpu->dma.pages);
	h100_function_destroy(&gpu->function);
	os_free(gpu);
}
