// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages: putting long ones together, finding the function that serves one, and sending its
 * reply.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "h100/gsp/firmware.h"

#define HEADER ((u32)sizeof(rpc_message_header_v))
#define EVENT_MAX 504u /* bytes of an event's data */

enum rpc_when { WHEN_RUNNING, WHEN_ALWAYS };

struct rpc_entry {
	u32 function;
	u32 size; /* of the data, at least; the reply has the same */
	enum rpc_when when;
	bool reply;
	fw_rpc_fn fn;
};

static enum nv_status rpc_unload(struct fw *fw, void *data, u32 size)
{
	/* A session does not outlive its driver, and what is kept would. */
	if (fw->cc && ((const rpc_unloading_guest_driver_v *)data)->bInPMTransition)
		return NV_ERR_NOT_SUPPORTED;
	return NV_OK; /* the work is done once the reply is out */
}

/* This firmware has every notifier written before it says so. */
static enum nv_status rpc_notifiers_written(struct fw *fw, void *data, u32 size)
{
	return NV_OK;
}

static const struct rpc_entry entries[] = {
	{ NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, sizeof(rpc_gsp_rm_control_v), WHEN_RUNNING, true,
	  rpc_control },
	{ NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC, sizeof(rpc_gsp_rm_alloc_v), WHEN_RUNNING, true,
	  rpc_alloc },
	{ NV_VGPU_MSG_FUNCTION_FREE, sizeof(rpc_free_v), WHEN_RUNNING, true, rpc_free },
	{ NV_VGPU_MSG_FUNCTION_DUP_OBJECT, sizeof(rpc_dup_object_v), WHEN_RUNNING, true, rpc_dup },
	{ NV_VGPU_MSG_FUNCTION_GET_GSP_STATIC_INFO, sizeof(GspStaticConfigInfo), WHEN_RUNNING, true,
	  rpc_static_info },
	{ NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO, sizeof(GspSystemInfo), WHEN_ALWAYS, false,
	  rpc_system_info },
	{ NV_VGPU_MSG_FUNCTION_SET_REGISTRY, sizeof(PACKED_REGISTRY_TABLE), WHEN_ALWAYS, false,
	  rpc_registry },
	{ NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER, sizeof(rpc_unloading_guest_driver_v),
	  WHEN_ALWAYS, true, rpc_unload },
	{ NV_VGPU_MSG_FUNCTION_ECC_NOTIFIER_WRITE_ACK, 0, WHEN_RUNNING, false,
	  rpc_notifiers_written },
};

static const struct rpc_entry *entry_find(u32 function)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		if (entries[i].function == function)
			return &entries[i];
	return NULL;
}

/* What the message's own fields say that it is long, header included; 0: it is too short to say. */
static u64 declared_length(const rpc_message_header_v *message)
{
	const void *data = message + 1;
	u32 size = message->length - HEADER;

	switch (message->function) {
	case NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL:
		if (size < sizeof(rpc_gsp_rm_control_v))
			return 0;
		return HEADER + sizeof(rpc_gsp_rm_control_v) +
		       (u64)((const rpc_gsp_rm_control_v *)data)->paramsSize;
	case NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC:
		if (size < sizeof(rpc_gsp_rm_alloc_v))
			return 0;
		return HEADER + sizeof(rpc_gsp_rm_alloc_v) +
		       (u64)((const rpc_gsp_rm_alloc_v *)data)->paramsSize;
	case NV_VGPU_MSG_FUNCTION_SET_REGISTRY:
		if (size < sizeof(PACKED_REGISTRY_TABLE))
			return 0;
		return HEADER + (u64)((const PACKED_REGISTRY_TABLE *)data)->size;
	default:
		return message->length;
	}
}

void fw_event(struct fw *fw, u32 event, enum nv_status result, const void *data, u32 size)
{
	u8 bytes[sizeof(rpc_message_header_v) + EVENT_MAX] __attribute__((aligned(8)));
	rpc_message_header_v *message = (void *)bytes;

	OS_BUG_ON(size > EVENT_MAX);
	memset(message, 0, sizeof(*message));
	message->header_version = NV_VGPU_MSG_HEADER_VERSION_MAJOR_TOT
				  << NV_VGPU_MSG_HEADER_VERSION_MAJOR__LO;
	message->signature = NV_VGPU_MSG_SIGNATURE_VALID;
	message->length = HEADER + size;
	message->function = event;
	message->rpc_result = result;
	message->rpc_result_private = result;
	if (size != 0)
		memcpy(message + 1, data, size);
	fw_queue_send(fw, message);
}

/* Both things that RM needs at first are here: it is ready, or says why not. */
static void init_done(struct fw *fw)
{
	rpc_init_done_v data = { 0 };

	if (fw->stage != FW_STAGE_INIT || !fw->got_system_info || !fw->got_registry)
		return;
	if (fw->init_status == NV_OK && fw->kept) {
		fw->stage = FW_STAGE_RUNNING;
		fw_resume(fw);
	} else if (fw->init_status == NV_OK) {
		fw->init_status = fw_create_internal(fw);
	}
	if (fw->init_status == NV_OK && fw->stage != FW_STAGE_RUNNING) {
		fw->stage = FW_STAGE_RUNNING;
		h100_state_boot(fw->state, FW_VERSION, fw->now_ns);
	}
	fw_event(fw, NV_VGPU_MSG_EVENT_GSP_INIT_DONE, fw->init_status, &data, sizeof(data));
	/* What stopped on the way into the suspend. */
	fw_channel_errors(fw);
}

/* message is whole, bytes of it are there. */
static void serve(struct fw *fw, rpc_message_header_v *message, u32 bytes)
{
	const struct rpc_entry *entry = entry_find(message->function);
	u32 size = bytes - HEADER;
	enum nv_status status;
	bool keep;

	if (!entry)
		status = NV_ERR_NOT_SUPPORTED;
	else if (size < entry->size)
		status = NV_ERR_INVALID_PARAM_STRUCT;
	else if (entry->when == WHEN_RUNNING && fw->stage != FW_STAGE_RUNNING)
		status = NV_ERR_NOT_READY;
	else if (!fw_cc_allows(fw, message, bytes))
		status = NV_ERR_INVALID_STATE;
	else
		status = entry->fn(fw, message + 1, size);

	if (entry && !entry->reply) {
		if (status != NV_OK && fw->init_status == NV_OK)
			fw->init_status = status;
		init_done(fw);
		return;
	}
	if (message->length < bytes && entry && entry->fn == rpc_alloc)
		message->length = (u32)declared_length(message);
	message->rpc_result = status;
	message->rpc_result_private = status;
	keep = entry && entry->fn == rpc_unload &&
	       ((const rpc_unloading_guest_driver_v *)(message + 1))->bInPMTransition;
	fw_queue_send(fw, message);
	if (keep && status == NV_OK)
		fw_suspend(fw);
	else if (entry && entry->fn == rpc_unload && status == NV_OK)
		fw_stop(fw, FW_STAGE_SUSPENDED);
}

static void refuse(struct fw *fw, rpc_message_header_v *message, enum nv_status status)
{
	const struct rpc_entry *entry = entry_find(message->function);

	if (entry && !entry->reply) {
		fw->init_status = status;
		fw->got_registry = true;
		init_done(fw);
		return;
	}
	message->rpc_result = status;
	message->rpc_result_private = status;
	fw_queue_send(fw, message);
}

static void abandon(struct fw *fw, const char *why)
{
	struct fw_queues *q = &fw->queues;

	if (!q->long_message)
		return;
	fw_log(fw, OS_LOG_ERROR, "long message dropped after %u of %u bytes: %s", q->long_bytes,
	       q->long_total, why);
	q->long_message = false;
}

static void swap_buffers(struct fw *fw)
{
	struct fw_buffer rx = fw->rx;

	fw->rx = fw->more;
	fw->more = rx;
}

/* The message's first record is in fw->rx: the rest goes behind it, other records elsewhere. */
static void begin_long(struct fw *fw, rpc_message_header_v *message, u64 total)
{
	struct fw_queues *q = &fw->queues;

	if (total > FW_MESSAGE_MAX || message->length != GSP_MSG_QUEUE_RPC_SIZE_MAX) {
		refuse(fw, message, NV_ERR_INVALID_PARAM_STRUCT);
		return;
	}
	/* With room for the words that the last record fills up. */
	if (!fw_buffer_grow(&fw->rx,
			    GSP_MSG_QUEUE_ELEMENT_HDR_SIZE + (u32)align_up(total, sizeof(u64)),
			    GSP_MSG_QUEUE_ELEMENT_SIZE_MAX)) {
		refuse(fw, message, NV_ERR_NO_MEMORY);
		return;
	}
	swap_buffers(fw);
	q->long_message = true;
	q->long_bytes = GSP_MSG_QUEUE_RPC_SIZE_MAX;
	q->long_total = (u32)total;
}

static void continue_long(struct fw *fw, const rpc_message_header_v *record)
{
	struct fw_queues *q = &fw->queues;
	rpc_message_header_v *message = (void *)(fw->more.data + GSP_MSG_QUEUE_ELEMENT_HDR_SIZE);
	u32 here = record->length - HEADER;

	if (!q->long_message) {
		fw_log(fw, OS_LOG_ERROR, "continuation of nothing dropped");
		return;
	}
	if (here == 0 || here > q->long_total - q->long_bytes) {
		abandon(fw, "continuation of a wrong length");
		return;
	}
	if (!q->in_place)
		memcpy((u8 *)message + q->long_bytes, record + 1, here);
	q->long_bytes += here;
	if (q->long_bytes < q->long_total)
		return;
	/* Served from rx as all are; the next long message finds a buffer there that is as long. */
	q->long_message = false;
	swap_buffers(fw);
	message->length = q->long_total;
	serve(fw, message, q->long_total);
}

void fw_serve_commands(struct fw *fw)
{
	rpc_message_header_v *message;
	u32 bytes;

	fw->queues.looked = false;
	while ((fw->stage == FW_STAGE_INIT || fw->stage == FW_STAGE_RUNNING) && !fw->hung &&
	       (message = fw_queue_receive(fw, &bytes)) != NULL) {
		u64 total;

		if (message->function == NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD) {
			continue_long(fw, message);
			continue;
		}
		abandon(fw, "another message came");
		total = declared_length(message);
		if (total == 0)
			refuse(fw, message, NV_ERR_INVALID_PARAM_STRUCT);
		else if (message->function == NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC && total <= bytes)
			serve(fw, message, (u32)total);
		else if (total > message->length)
			begin_long(fw, message, total);
		else
			serve(fw, message, message->length);
	}
}
