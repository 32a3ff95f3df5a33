// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the firmware says unasked. A message is copied under the GPU lock, by whoever found it in
 * the queue, and delivered by the bottom half without that lock: who is told takes locks that come
 * before it.
 */
#include "rm/gsp/gsp.h"

#include "base/bits.h"
#include "rm/gpu/notify.h"
#include "rm/trace.h"

#define EVENT_FIRST ((u32)NV_VGPU_MSG_EVENT_GSP_INIT_DONE)

/* Events without a handler, logged when they first come: one bit each. */
static u32 logged_unknown;

void gsp_event_keep(struct rm_gsp *gsp)
{
	const rpc_message_header_v03_00 *header = &gsp->buffer->rpc;
	u32 length = header->length - (u32)sizeof(*header);
	struct gsp_event *event = NULL;

	if (gsp->event_count < GSP_MAX_PENDING_EVENTS)
		event = os_alloc(sizeof(*event) + length);
	if (!event) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP event 0x%x dropped", gsp->gpu->instance,
		       header->function);
		return;
	}
	event->number = os_fetch_add(&gsp->gpu->event_number, 1) + 1;
	event->function = header->function;
	event->length = length;
	os_memcpy(event->data, header + 1, length);
	list_add_tail(&event->node, &gsp->events);
	gsp->event_count++;
}

void gsp_events_take(struct rm_gsp *gsp, struct list *to)
{
	struct list_node *node;

	while (!list_empty(&gsp->events)) {
		node = gsp->events.root.next;
		list_del(node);
		list_add_tail(node, to);
	}
	gsp->event_count = 0;
}

static struct gsp_event *take_first(struct list *events)
{
	struct list_node *node;

	if (list_empty(events))
		return NULL;
	node = events->root.next;
	list_del(node);
	return container_of(node, struct gsp_event, node);
}

void gsp_events_drop(struct list *events)
{
	struct gsp_event *event;

	while ((event = take_first(events)) != NULL)
		os_free(event);
}

/* -- Handlers: data is at least as long as the structure's size that the table names ----------- */

static void post_event(struct rm_gpu *gpu, const struct gsp_event *event)
{
	const u32 data_at = offsetof(rpc_post_event_v17_00, eventData);
	rpc_post_event_v17_00 p;
	struct rm_gpu_notification n;

	os_memcpy(&p, event->data, data_at);
	if (p.eventDataSize > event->length - data_at) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP event data is too long: %u", gpu->instance,
		       p.eventDataSize);
		return;
	}
	os_memset(&n, 0, sizeof(n));
	n.client = p.hClient;
	n.event = p.hEvent;
	n.index = p.notifyIndex;
	n.info32 = p.data;
	n.info16 = p.info16;
	n.status = p.status;
	n.all = p.bNotifyList != 0;
	n.data = p.eventDataSize != 0 ? event->data + data_at : NULL;
	n.data_size = p.eventDataSize;
	rm_gpu_notify(gpu, &n);
}

static void os_error_log(struct rm_gpu *gpu, const struct gsp_event *event)
{
	rpc_os_error_log_v17_00 p;
	u32 i;

	os_memcpy(&p, event->data, sizeof(p));
	p.errString[sizeof(p.errString) - 1] = 0;
	/* One line of printable text, whatever came. */
	for (i = 0; p.errString[i]; i++)
		if ((u8)p.errString[i] < ' ' || (u8)p.errString[i] > '~')
			p.errString[i] = p.errString[i + 1] ? ' ' : 0;
	/* The last word of a firmware whose crash was noticed and logged before it was read. */
	if (p.exceptType == RM_XID_GSP_ERROR && os_exchange(&gpu->crash_told, 1) &&
	    os_load_acquire(&gpu->lost_xid) == RM_XID_GSP_ERROR)
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: %s", gpu->instance, p.errString);
	else
		rm_gpu_log_xid_of(gpu, p.exceptType,
				  rm_gpu_channel_pid(gpu, p.runlistId, p.chid, event->number),
				  p.errString);
}

/* The firmware waits for this before it goes on with an error whose notifiers it left to us. */
static void acknowledge_notifiers(struct rm_gpu *gpu)
{
	rm_gpu_lock(gpu);
	if (gpu->gsp && !rm_gpu_is_lost(gpu))
		gsp_rpc_send_async(gpu->gsp, NV_VGPU_MSG_FUNCTION_ECC_NOTIFIER_WRITE_ACK, NULL, 0);
	rm_gpu_unlock(gpu);
}

/* The log's line, an Xid, is a message of its own: os_error_log. */
static void rc_triggered(struct rm_gpu *gpu, const struct gsp_event *event)
{
	const u32 journal_at = offsetof(rpc_rc_triggered_v17_02, rcJournalBuffer);
	rpc_rc_triggered_v17_02 p;
	struct rm_gpu_notification n;

	os_memcpy(&p, event->data, journal_at);
	if (p.exceptType == ROBUST_CHANNEL_FAST_PATH_ERROR) {
		acknowledge_notifiers(gpu);
		return;
	}
	if (p.rcJournalBufferSize > event->length - journal_at) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP error journal is too long: %u",
		       gpu->instance, p.rcJournalBufferSize);
		return;
	}
	os_log(OS_LOG_INFO, "NVRM: GPU%u: robust channel error %u on engine %u channel %u",
	       gpu->instance, p.exceptType, p.nv2080EngineType, p.chid);
	/* A channel that its client freed meanwhile has nobody left to be told. */
	if (!rm_gpu_channel_error(gpu, p.nv2080EngineType, p.chid, p.exceptType, p.scope,
				  event->number))
		os_log(OS_LOG_INFO, "NVRM: GPU%u: there is no such channel", gpu->instance);
	os_memset(&n, 0, sizeof(n));
	n.index = NV2080_NOTIFIERS_RC_ERROR;
	n.info32 = p.exceptType;
	n.info16 = p.partitionAttributionId;
	n.all = true;
	rm_gpu_notify(gpu, &n);
}

static void mmu_fault_queued(struct rm_gpu *gpu, const struct gsp_event *event)
{
	rm_gpu_faults_queued(gpu);
}

static void lockdown_notice(struct rm_gpu *gpu, const struct gsp_event *event)
{
	os_log(OS_LOG_INFO, "NVRM: GPU%u: GSP lockdown %s", gpu->instance,
	       event->data[0] ? "engaging" : "released");
}

static void inband_data(struct rm_gpu *gpu, const struct gsp_event *event)
{
	NV2080_CTRL_NVLINK_INBAND_RECEIVED_DATA_256_PARAMS_v17_00 p;

	os_memcpy(&p, event->data, sizeof(p));
	rm_gpu_inband_data(gpu, p.data, min(p.dataSize, (u32)sizeof(p.data)));
}

static void libos_print(struct rm_gpu *gpu, const struct gsp_event *event)
{
	const u32 text_at = offsetof(rpc_ucode_libos_print_v1E_08, libosPrintBuf);
	rpc_ucode_libos_print_v1E_08 p;

	os_memcpy(&p, event->data, text_at);
	os_log(OS_LOG_DEBUG, "NVRM: GPU%u: engine %u wrote %u bytes to its log", gpu->instance,
	       p.ucodeEngDesc, min(p.libosPrintBufSize, event->length - text_at));
}

static const struct {
	u32 event;
	u32 size;
	void (*handle)(struct rm_gpu *gpu, const struct gsp_event *event);
} handlers[] = {
	{ NV_VGPU_MSG_EVENT_POST_EVENT, offsetof(rpc_post_event_v17_00, eventData), post_event },
	{ NV_VGPU_MSG_EVENT_RC_TRIGGERED, offsetof(rpc_rc_triggered_v17_02, rcJournalBuffer),
	  rc_triggered },
	{ NV_VGPU_MSG_EVENT_MMU_FAULT_QUEUED, 0, mmu_fault_queued },
	{ NV_VGPU_MSG_EVENT_OS_ERROR_LOG, sizeof(rpc_os_error_log_v17_00), os_error_log },
	{ NV_VGPU_MSG_EVENT_GSP_LOCKDOWN_NOTICE, sizeof(rpc_gsp_lockdown_notice_v17_00),
	  lockdown_notice },
	{ NV_VGPU_MSG_EVENT_NVLINK_INBAND_RECEIVED_DATA_256,
	  sizeof(rpc_nvlink_inband_received_data_256_v17_00), inband_data },
	{ NV_VGPU_MSG_EVENT_UCODE_LIBOS_PRINT,
	  offsetof(rpc_ucode_libos_print_v1E_08, libosPrintBuf), libos_print },
};

static void log_unknown_once(struct rm_gpu *gpu, u32 function)
{
	/* Numbers past the last one that exists share its bit. */
	u32 bit = 1u << min(function - EVENT_FIRST, 31u);

	if (!(os_fetch_or(&logged_unknown, bit) & bit))
		os_log(OS_LOG_WARN, "NVRM: GPU%u: unexpected GSP event 0x%x", gpu->instance,
		       function);
}

static void deliver(struct rm_gpu *gpu, const struct gsp_event *event)
{
	u32 i;

	rm_trace(RM_TRACE_EVENT, NULL, NV_OK, event->function, 0, event->data, event->length);
	for (i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (handlers[i].event != event->function)
			continue;
		if (event->length < handlers[i].size)
			os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP event 0x%x is too short: %u",
			       gpu->instance, event->function, event->length);
		else
			handlers[i].handle(gpu, event);
		return;
	}
	log_unknown_once(gpu, event->function);
}

void gsp_events_deliver(struct rm_gpu *gpu, struct list *events)
{
	struct gsp_event *event;

	while ((event = take_first(events)) != NULL) {
		deliver(gpu, event);
		os_free(event);
	}
}
