// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The firmware's life: what each kind of work sets going, stopping, crashing, and the events that
 * controls post.
 */
#include "h100/gsp/firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/engine/fabric.h"

#define CRASH_TASK 1u
#define CRASH_REASON 2u
#define CRASH_CODE 0x0fu
#define REFUSED_REASON 3u
#define XID_GSP_ERROR 120u
#define ACCOUNT_NS 1000000ull
/* The driver's own handles are picked by it from other ranges. */
#define INTERNAL_CLIENT 0xc2000001u
#define INTERNAL_DEVICE 0xc2000002u
#define INTERNAL_SUBDEVICE 0xc2000003u

bool fw_dma_read(struct fw *fw, u64 address, void *data, size_t size)
{
	if (!h100_chip_bus_master(fw->chip) ||
	    !fw->host->dma_read(fw->host->ctx, address, data, size))
		return false;
	fw->dma_read_bytes += size;
	return true;
}

bool fw_dma_write(struct fw *fw, u64 address, const void *data, size_t size)
{
	if (!h100_chip_bus_master(fw->chip) ||
	    !fw->host->dma_write(fw->host->ctx, address, data, size))
		return false;
	fw->dma_written_bytes += size;
	return true;
}

void fw_log(struct fw *fw, int level, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	int at;

	at = snprintf(text, sizeof(text), "GSP: ");
	va_start(ap, fmt);
	vsnprintf(text + at, sizeof(text) - at, fmt, ap);
	va_end(ap);
	fw->host->log(fw->host->ctx, level, text);
}

u32 fw_random(struct fw *fw, u32 limit)
{
	if (fw->rng == 0)
		return 0;
	fw->rng ^= fw->rng << 13;
	fw->rng ^= fw->rng >> 7;
	fw->rng ^= fw->rng << 17;
	return (u32)(fw->rng >> 33) % limit;
}

enum nv_status fw_init(struct fw *fw, struct h100_chip *chip, const struct h100_host *host,
		       struct h100_state *state, u8 *video, u64 video_bytes, u32 chaos)
{
	enum nv_status status;

	memset(fw, 0, sizeof(*fw));
	fw->chip = chip;
	fw->host = host;
	fw->state = state;
	fw->video = video;
	fw->video_bytes = video_bytes;
	fw->rng = chaos != 0 ? chaos * 0x9e3779b97f4a7c15ull | 1 : 0;
	fw_queues_close(fw);
	status = fw_store_init(&fw->store, state);
	if (status == NV_OK && (!fw_buffer_grow(&fw->rx, GSP_MSG_QUEUE_ELEMENT_SIZE_MAX, 0) ||
				!fw_buffer_grow(&fw->more, GSP_MSG_QUEUE_ELEMENT_SIZE_MAX, 0)))
		status = NV_ERR_NO_MEMORY;
	if (status == NV_OK)
		status = fw_controls_build(fw);
	if (status != NV_OK)
		fw_destroy(fw);
	return status;
}

void fw_destroy(struct fw *fw)
{
	fw_cc_destroy(fw);
	fw_store_clear(&fw->store);
	fw_queues_close(fw);
	free(fw->rx.data);
	free(fw->more.data);
	fw->rx = fw->more = (struct fw_buffer){ 0 };
	os_free(fw->controls);
	fw->controls = NULL;
}

static void suspend_engines(struct fw *fw, bool on)
{
	bool begun;

	if (!fw->fifo)
		return;
	begun = fw_engines_begin(fw);
	h100_fifo_suspend(fw->fifo, on);
	fw_engines_end(fw, begun);
}

void fw_forget(struct fw *fw)
{
	bool had = fw->kept || fw->stage == FW_STAGE_RUNNING;

	fw_store_clear(&fw->store);
	fw_faults_forget(fw);
	if (fw->kept)
		suspend_engines(fw, false);
	fw->kept = false;
	if (fw->memory)
		h100_peers_reset(fw->memory);
	if (fw->keys)
		h100_keys_wipe(fw->keys);
	fw_cc_reset(fw);
	if (had)
		h100_state_shutdown(fw->state, fw->now_ns);
}

static void halt(struct fw *fw, enum fw_stage stage)
{
	fw_queues_close(fw);
	h100_chip_wpr2_set(fw->chip, 0, 0);
	fw->wpr_start = fw->wpr_end = 0;
	fw->got_system_info = false;
	fw->got_registry = false;
	fw->init_status = NV_OK;
	fw->hung = false;
	fw->stage = stage;
	if (stage == FW_STAGE_SUSPENDED) {
		h100_chip_gsp_set_run(fw->chip, H100_GSP_BOOTING);
		h100_chip_register_set(fw->chip, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0,
				       LIBOS_INTERRUPT_PROCESSOR_SUSPENDED);
	}
}

void fw_stop(struct fw *fw, enum fw_stage stage)
{
	fw_forget(fw);
	halt(fw, stage);
}

void fw_suspend(struct fw *fw)
{
	fw->kept = fw->stage == FW_STAGE_RUNNING;
	if (fw->kept)
		suspend_engines(fw, true);
	halt(fw, FW_STAGE_SUSPENDED);
}

void fw_resume(struct fw *fw)
{
	fw->kept = false;
	suspend_engines(fw, false);
}

void fw_begin(struct fw *fw)
{
	if (!fw->kept)
		fw_forget(fw);
	halt(fw, FW_STAGE_RESET);
}

enum nv_status fw_create_internal(struct fw *fw)
{
	const struct abi_class *device = abi_class_find(NV01_DEVICE_0);
	const struct abi_class *subdevice = abi_class_find(NV20_SUBDEVICE_0);
	struct fw_client *client;
	struct fw_node *node;
	enum nv_status status;

	status = fw_store_add_client(&fw->store, INTERNAL_CLIENT, NV01_ROOT, 0);
	if (status != NV_OK)
		return status;
	client = fw_store_client(&fw->store, INTERNAL_CLIENT);
	status = fw_store_add(&fw->store, client, &client->root, INTERNAL_DEVICE, device, &node);
	if (status == NV_OK)
		status = fw_store_add(&fw->store, client, node, INTERNAL_SUBDEVICE, subdevice,
				      &node);
	if (status != NV_OK) {
		fw_store_remove(&fw->store, &client->root);
		return status;
	}
	fw->internal.client = INTERNAL_CLIENT;
	fw->internal.device = INTERNAL_DEVICE;
	fw->internal.subdevice = INTERNAL_SUBDEVICE;
	return NV_OK;
}

bool fw_waiting(const struct fw *fw)
{
	return fw->queues.out_first != NULL && !fw->hung;
}

/* What the driver sees of an exception: its last message, the error word, and HALT. */
static void halt_with(struct fw *fw, const char *text, u32 reason)
{
	fw->rng = 0; /* nothing is held back any more */
	fw_queue_flush(fw);
	fw_error_log(fw, XID_GSP_ERROR, text);
	fw->stage = FW_STAGE_CRASHED;
	h100_chip_register_set(fw->chip, NV_PGSP_MAILBOX(0),
			       (u32)(REG_PREP(NV_GSP_ERROR_TAG, NV_GSP_ERROR_TAG_VAL) |
				     REG_PREP(NV_GSP_ERROR_TASK, CRASH_TASK) |
				     REG_PREP(NV_GSP_ERROR_REASON, reason) |
				     REG_PREP(NV_GSP_ERROR_CODE, CRASH_CODE)));
	h100_chip_gsp_set_run(fw->chip, H100_GSP_HALTED);
	h100_chip_gsp_interrupt(fw->chip, (u32)(REG_MASK(NV_PFALCON_FALCON_IRQSTAT_HALT) |
						REG_MASK(NV_PFALCON_FALCON_IRQSTAT_SWGEN0)));
	fw->wants_interrupt = false;
}

void fw_crash(struct fw *fw)
{
	char text[96];

	if (fw->stage != FW_STAGE_RUNNING && fw->stage != FW_STAGE_INIT)
		return;
	snprintf(text, sizeof(text), "GSP task exception: task %u, reason 0x%x, code 0x%x",
		 CRASH_TASK, CRASH_REASON, CRASH_CODE);
	halt_with(fw, text, CRASH_REASON);
}

void fw_refuse_messages(struct fw *fw, const char *why)
{
	char text[96];

	snprintf(text, sizeof(text), "GSP message could not be authenticated: %s", why);
	fw_log(fw, OS_LOG_ERROR, "%s", text);
	halt_with(fw, text, REFUSED_REASON);
	fw_cc_reset(fw);
}

void fw_ecc_error(struct fw *fw, bool uncorrected)
{
	rpc_os_error_log_v error = {
		.exceptType = ROBUST_CHANNEL_GPU_ECC_DBE,
		.runlistId = ~0u,
		.chid = ~0u,
		.errString =
			"An uncorrectable double bit error (DBE) has been detected on GPU in the "
			"framebuffer.",
	};

	if (fw->stage != FW_STAGE_RUNNING || fw->hung)
		return;
	if (uncorrected)
		fw_event(fw, NV_VGPU_MSG_EVENT_OS_ERROR_LOG, NV_OK, &error, sizeof(error));
	fw_notify(fw, uncorrected ? NV2080_NOTIFIERS_ECC_DBE : NV2080_NOTIFIERS_ECC_SBE, 0, 0);
	h100_chip_gsp_interrupt(fw->chip, (u32)REG_MASK(NV_PFALCON_FALCON_IRQSTAT_SWGEN0));
}

static void power_on(struct fw *fw)
{
	fw->link_told = 0; /* the function forgot it with its registers */
	fw_stop(fw, FW_STAGE_RESET);
	h100_chip_gsp_set_run(fw->chip, H100_GSP_LOCKED);
	fw_cc_show(fw);
	h100_chip_fsp_set_ready(fw->chip, true);
}

/* The function shows in config space what the link was trained to. */
static void tell_link(struct fw *fw)
{
	u32 trained = fw->state->pcie_generation | fw->state->pcie_lanes << 4;

	if (trained == fw->link_told)
		return;
	fw->link_told = trained;
	h100_chip_register_set(fw->chip, LH_LINK_TRAINED, trained);
}

/*
 * What went over the link, kept by the millisecond: the figures of each run on its own would cost
 * more than most of its accesses.
 */
static void account_dma(struct fw *fw, u64 now_ns)
{
	if (now_ns - fw->accounted_ns < ACCOUNT_NS)
		return;
	h100_state_account_pcie(fw->state, fw->now_ns, fw->dma_written_bytes, fw->dma_read_bytes);
	fw->dma_written_bytes = 0;
	fw->dma_read_bytes = 0;
	fw->accounted_ns = now_ns;
}

/* Replies need not interrupt a thread that lends itself, or waits: it looks at the queue anyway. */
static bool looked_for(const struct h100_host *host, bool lent)
{
	return host->kick && (lent || (host->waiting && host->waiting(host->ctx)));
}

static void dma_begin(struct fw *fw)
{
	const struct h100_host *host = fw->host;
	u32 number;

	fw->dma_begun = true;
	if (!host->dma_begin)
		return;
	number = host->dma_begin(host->ctx);
	if (__builtin_expect(number != fw->dma_number, 0))
		memset(fw->queues.cpu, 0, sizeof(fw->queues.cpu));
	fw->dma_number = number;
	/*
	 * Pages may be used until dma_end, even of a driver that takes bus mastering away
	 * meanwhile: what is under way then may still end, as on a bus, and its mappings stay until
	 * dma_end.
	 */
	fw->dma_held = host->dma_map_page != NULL && h100_chip_bus_master(fw->chip);
}

static void dma_end(struct fw *fw)
{
	fw->dma_begun = false;
	fw->dma_held = false;
	if (fw->host->dma_end)
		fw->host->dma_end(fw->host->ctx);
}

bool fw_engines_begin(struct fw *fw)
{
	bool begun = fw->dma_begun;

	if (begun)
		dma_end(fw);
	return begun;
}

void fw_engines_end(struct fw *fw, bool begun)
{
	if (begun)
		dma_begin(fw);
}

bool fw_run(struct fw *fw, u32 work, u64 now_ns, bool lent)
{
	const struct h100_host *host = fw->host;
	/* Whoever waits now may have the reply and be gone in a moment. */
	bool polled = looked_for(host, lent), wrote;

	account_dma(fw, now_ns);
	fw->now_ns = now_ns;
	dma_begin(fw);
	if ((work & H100_WORK_RESET) != 0)
		power_on(fw);
	tell_link(fw);
	if (!fw->hung) {
		if ((work & H100_WORK_FSP) != 0)
			fsp_serve(fw);
		if (fw->queues.out_first)
			fw_queue_flush(fw);
		if ((work & H100_WORK_GSP) != 0)
			fw_serve_commands(fw);
		if (fw->state->fabric_waiting)
			fw_fabric_work(fw);
		if ((work & H100_WORK_ERRORS) != 0)
			fw_channel_errors(fw);
	}
	dma_end(fw);
	wrote = fw->wrote;
	if (fw->wants_interrupt || (wrote && !polled))
		h100_chip_gsp_interrupt(fw->chip, (u32)REG_MASK(NV_PFALCON_FALCON_IRQSTAT_SWGEN0));
	fw->wrote = false;
	fw->wants_interrupt = false;
	return wrote;
}

void fw_error_log(struct fw *fw, u32 xid, const char *text)
{
	rpc_os_error_log_v error = { .exceptType = xid, .runlistId = ~0u, .chid = ~0u };

	snprintf(error.errString, sizeof(error.errString), "%s", text);
	fw_event(fw, NV_VGPU_MSG_EVENT_OS_ERROR_LOG, NV_OK, &error, sizeof(error));
}

void fw_notify(struct fw *fw, u32 notify_index, u32 info32, u16 info16)
{
	const struct fw_node *node;

	for (node = fw->store.events; node; node = node->next_event) {
		rpc_post_event_v event = { .hClient = node->event_client,
					   .hEvent = node->event_handle,
					   .notifyIndex = notify_index,
					   .data = info32,
					   .info16 = info16 };

		if (node->notify_index == notify_index && fw_store_armed(node))
			fw_event(fw, NV_VGPU_MSG_EVENT_POST_EVENT, NV_OK, &event, sizeof(event));
	}
	fw_store_disarm_single(&fw->store, notify_index);
}
