// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What becomes of a channel's error: a line for the log (its Xid), and the event by which the
 * driver writes notifiers and tells clients. The host engine has stopped the group by then.
 */
#include <stdio.h>

#include "base/bits.h"
#include "h100/gsp/firmware.h"

static void describe_fault(char *text, size_t size, const struct h100_fifo_error *error,
			   const char *engine)
{
	const struct h100_fault *fault = &error->fault;

	snprintf(text, size,
		 "Ch %08x, intr 00000000. MMU Fault: ENGINE %s %s%u faulted @ 0x%x_%08x. Fault is "
		 "of "
		 "type %s %s",
		 error->chid, engine, fault->gpc_client ? "GPCCLIENT_" : "HUBCLIENT_",
		 fault->client, bits_high32(fault->va), bits_low32(fault->va),
		 h100_fault_type_text(fault->type), h100_fault_access_text(fault->access));
}

static void describe(char *text, size_t size, const struct h100_fifo_error *error,
		     const char *engine)
{
	if (error->has_fault)
		describe_fault(text, size, error, engine);
	else
		snprintf(text, size,
			 "Ch %08x, engine %s, runlist %u, subchannel %u, method %04x, data %08x, "
			 "report %x",
			 error->chid, engine, error->runlist, error->subchannel, error->method,
			 error->data, error->info);
}

static void report(struct fw *fw, const struct h100_fifo_error *error)
{
	const struct h100_engine_info *engine = h100_engines_find(fw->engines, error->engine_type);
	rpc_os_error_log_v line = { .exceptType = error->code,
				    .runlistId = error->runlist,
				    .chid = error->chid };
	rpc_rc_triggered_v event = { .nv2080EngineType = error->engine_type,
				     .chid = error->chid,
				     .exceptType = error->code,
				     .scope = RC_NOTIFIER_SCOPE_TSG };

	if (error->has_fault)
		fw_fault(fw, &error->fault);
	describe(line.errString, sizeof(line.errString), error, engine ? engine->name : "host");
	fw_event(fw, NV_VGPU_MSG_EVENT_OS_ERROR_LOG, NV_OK, &line, sizeof(line));
	fw_event(fw, NV_VGPU_MSG_EVENT_RC_TRIGGERED, NV_OK, &event, sizeof(event));
	fw->wants_interrupt = true;
}

static bool take_error(struct fw *fw, struct h100_fifo_error *error)
{
	bool begun = fw_engines_begin(fw);
	bool any = h100_fifo_error_take(fw->fifo, error);

	fw_engines_end(fw, begun);
	return any;
}

void fw_channel_errors(struct fw *fw)
{
	struct h100_fifo_error error;

	if (fw->stage != FW_STAGE_RUNNING || !fw->fifo)
		return;
	while (take_error(fw, &error))
		report(fw, &error);
}
