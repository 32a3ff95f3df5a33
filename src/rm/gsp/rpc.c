// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * One exchange with the firmware: send, wait, check the reply. A message that one record cannot
 * hold goes on in continuation records, and its reply comes back likewise:
 *
 *   | header: function, length 65488 | fixed part | variable part ...        |
 *   | header: CONTINUATION_RECORD    | ... more of the variable part         |  as often as needed
 */
#include "rm/gsp/gsp.h"

#include "abi/tables.h"
#include "base/bits.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/regs.h"
#include "rm/trace.h"

#define HEADER ((u32)sizeof(rpc_message_header_v03_00))
#define HEADER_VERSION                                                                            \
	((u32)(REG_PREP(NV_VGPU_MSG_HEADER_VERSION_MAJOR, NV_VGPU_MSG_HEADER_VERSION_MAJOR_TOT) | \
	       REG_PREP(NV_VGPU_MSG_HEADER_VERSION_MINOR, NV_VGPU_MSG_HEADER_VERSION_MINOR_TOT)))
#define FIRST_EVENT ((u32)NV_VGPU_MSG_EVENT_GSP_INIT_DONE)
#define RECORD_PAYLOAD (GSP_MSGQ_MAX_LENGTH - HEADER)
#define SINK_MIN 16384u /* bytes worth going right to where they belong */

static const char *function_name(u32 function)
{
	const struct abi_rpc *rpc = abi_rpc_find(function);

	return rpc ? rpc->name : "unknown";
}

/* -- Health ------------------------------------------------------------------------------------ */

enum nv_status gsp_check_alive(struct rm_gsp *gsp)
{
	struct rm_gpu *gpu = gsp->gpu;
	u32 error;

	if (rm_gpu_is_lost(gpu))
		return NV_ERR_GPU_IS_LOST;
	if (gpu_rd32(gpu, NV_PMC_BOOT_0) != gpu->boot_0) {
		rm_gpu_lose(gpu, RM_XID_OFF_BUS, "GPU has fallen off the bus.");
		return NV_ERR_GPU_IS_LOST;
	}
	if (!os_exchange(&gsp->halted, 0) && !gsp->queue.linked)
		return NV_OK;
	error = gpu_rd32(gpu, NV_PGSP_MAILBOX(0));
	if (REG_GET(NV_GSP_ERROR_TAG, error) == NV_GSP_ERROR_TAG_VAL && error != GPU_OFF_BUS) {
		char text[160];

		os_snprintf(text, sizeof(text),
			    "GSP Error: Task %u raised error code 0x%x for reason 0x%x at 0x%x.  "
			    "The GPU likely needs to be reset.",
			    (u32)REG_GET(NV_GSP_ERROR_TASK, error),
			    (u32)REG_GET(NV_GSP_ERROR_CODE, error),
			    (u32)REG_GET(NV_GSP_ERROR_REASON, error),
			    gpu_rd32(gpu, NV_PGSP_MAILBOX(1)));
		rm_gpu_lose(gpu, RM_XID_GSP_ERROR, text);
		return NV_ERR_GPU_IS_LOST;
	}
	return NV_OK;
}

/* -- Time -------------------------------------------------------------------------------------- */

/*
 * How long an exchange has taken, from its third look at the queue on: most find the reply at the
 * second one and never read the clock. The first look is left out: see next_message.
 */
struct patience {
	u64 start; /* os_time_ns; 0: not read yet */
	u64 elapsed;
	u32 looks;
	bool late;	/* it was over before the last look */
	bool timed_out; /* the exchange ended for that reason */
	bool stuck;	/* or because the firmware takes nothing out of its queue */
};

static bool is_over(const struct rm_gsp *gsp, struct patience *p)
{
	u64 now = os_time_ns();

	if (p->start == 0)
		p->start = now;
	p->elapsed = now - p->start;
	return p->elapsed >= gsp->timeout_ns;
}

static enum nv_status give_up(struct rm_gsp *gsp, struct patience *p)
{
	if (gsp_check_alive(gsp) != NV_OK)
		return NV_ERR_GPU_IS_LOST;
	p->timed_out = true;
	return NV_ERR_TIMEOUT;
}

/* What the log says of a message: its command or class or object, and the like. */
static void log_words(const struct gsp_exchange *x, u64 words[2])
{
	words[0] = words[1] = 0;
	if (x->function == NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL) {
		const rpc_gsp_rm_control_v03_00 *p = x->fixed;

		words[0] = p->cmd;
		words[1] = p->paramsSize;
	} else if (x->function == NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC) {
		const rpc_gsp_rm_alloc_v03_00 *p = x->fixed;

		words[0] = p->hClass;
		words[1] = p->paramsSize;
	} else if (x->function == NV_VGPU_MSG_FUNCTION_FREE) {
		const rpc_free_v03_00 *p = x->fixed;

		words[0] = p->params.hObjectOld;
		words[1] = p->params.hObjectParent;
	}
}

/* Xid 119, the first few times and then now and then. The GPU stays: the firmware may come back. */
static void log_timeout(struct rm_gsp *gsp, const struct gsp_exchange *x, const struct patience *p)
{
	const struct rm_gpu *gpu = gsp->gpu;
	u32 count = ++gsp->timeouts;
	u64 words[2];

	if (count == GSP_TIMEOUTS_LOGGED + 1)
		os_log(OS_LOG_ERROR,
		       "NVRM: Rate limiting GSP RPC error prints for GPU at PCI:%04x:%02x:%02x "
		       "(printing 1 of every %u).  The GPU likely needs to be reset.",
		       gpu->location.domain, gpu->location.bus, gpu->location.device,
		       GSP_TIMEOUTS_LOG_EACH);
	if (count > GSP_TIMEOUTS_LOGGED && count % GSP_TIMEOUTS_LOG_EACH != 0)
		return;
	log_words(x, words);
	rm_gpu_log_xid(gsp->gpu, RM_XID_RPC_TIMEOUT,
		       "Timeout after %llus of waiting for RPC response from GPU%u GSP! Expected "
		       "function %u (%s) (0x%llx 0x%llx).",
		       (unsigned long long)(p->elapsed / 1000000000u), gpu->instance, x->function,
		       function_name(x->function), (unsigned long long)words[0],
		       (unsigned long long)words[1]);
}

/* -- Sending ----------------------------------------------------------------------------------- */

static void ring(struct rm_gsp *gsp)
{
	gpu_wr32(gsp->gpu, NV_PGSP_QUEUE_HEAD(0), 0);
}

struct room_wait {
	struct rm_gsp *gsp;
	u32 length;
};

static bool room_or_dead(void *arg)
{
	const struct room_wait *w = arg;

	return gsp_msgq_has_room(&w->gsp->queue, w->length) || os_load_acquire(&w->gsp->halted) ||
	       rm_gpu_is_lost(w->gsp->gpu);
}

static enum nv_status put_record(struct rm_gsp *gsp, const struct gsp_piece *pieces, u32 count)
{
	if (__builtin_expect(gsp->sealed, 0))
		return gsp_sealed_send(gsp, pieces, count);
	return gsp_msgq_send(&gsp->queue, pieces, count);
}

static enum nv_status send_record(struct rm_gsp *gsp, rpc_message_header_v03_00 *header,
				  struct gsp_piece *pieces, u32 count, struct patience *p)
{
	struct room_wait w = { gsp, 0 };
	enum nv_status status;
	u32 i;

	pieces[0].data = header;
	pieces[0].size = HEADER;
	for (i = 0; i < count; i++)
		w.length += pieces[i].size;
	header->length = w.length;
	status = put_record(gsp, pieces, count);
	if (__builtin_expect(status == NV_ERR_BUSY_RETRY, 0)) {
		os_pci_wait(gsp->gpu->pci, room_or_dead, &w, min(GSP_ROOM_NS, gsp->timeout_ns));
		if (gsp_check_alive(gsp) != NV_OK)
			return NV_ERR_GPU_IS_LOST;
		if (is_over(gsp, p))
			return give_up(gsp, p);
		status = put_record(gsp, pieces, count);
	}
	if (status == NV_ERR_BUSY_RETRY) {
		p->stuck = true;
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: GSP command queue is full", gsp->gpu->instance);
		return NV_ERR_GENERIC;
	}
	if (status == NV_OK)
		ring(gsp);
	return status;
}

static void header_init(struct rm_gsp *gsp, rpc_message_header_v03_00 *header, u32 function)
{
	header->header_version = HEADER_VERSION;
	header->signature = NV_VGPU_MSG_SIGNATURE_VALID;
	header->length = 0;
	header->function = function;
	header->rpc_result = NV_VGPU_MSG_RESULT_RPC_PENDING;
	header->rpc_result_private = NV_VGPU_MSG_RESULT_RPC_PENDING;
	header->sequence = ++gsp->sequence;
	header->u.spare = NV_VGPU_MSG_UNION_INIT;
}

/* The records of a message that is longer, or has to wait for room; var may go in several. */
static enum nv_status send_records(struct rm_gsp *gsp, const struct gsp_exchange *x,
				   rpc_message_header_v03_00 header, struct patience *p)
{
	struct gsp_piece pieces[3];
	u32 sent = min(x->var_size, RECORD_PAYLOAD - x->fixed_size);
	enum nv_status status;

	pieces[1].data = x->fixed;
	pieces[1].size = x->fixed_size;
	pieces[2].data = x->var;
	pieces[2].size = sent;
	status = send_record(gsp, &header, pieces, 3, p);
	header.function = NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD;
	while (status == NV_OK && sent < x->var_size) {
		pieces[1].data = (const u8 *)x->var + sent;
		pieces[1].size = min(x->var_size - sent, RECORD_PAYLOAD);
		sent += pieces[1].size;
		status = send_record(gsp, &header, pieces, 2, p);
	}
	return status;
}

static enum nv_status send_message(struct rm_gsp *gsp, const struct gsp_exchange *x,
				   struct patience *p)
{
	rpc_message_header_v03_00 header;
	enum nv_status status;

	header_init(gsp, &header, x->function);
	rm_trace(RM_TRACE_RPC_SEND, function_name(x->function), NV_OK, x->function, header.sequence,
		 NULL, HEADER + x->fixed_size + x->var_size);
	if (__builtin_expect(!gsp->sealed && gsp_msgq_is_few(x->fixed_size, x->var_size), 1)) {
		header.length = HEADER + x->fixed_size + x->var_size;
		status = gsp_msgq_send_few(&gsp->queue, &header, x->fixed, x->fixed_size, x->var,
					   x->var_size);
		if (status == NV_OK)
			ring(gsp);
		if (__builtin_expect(status != NV_ERR_BUSY_RETRY, 1))
			return status;
	}
	return send_records(gsp, x, header, p);
}

enum nv_status gsp_rpc_send_async(struct rm_gsp *gsp, u32 function, const void *params, u32 size)
{
	struct gsp_exchange x = {
		.function = function,
		.var = (void *)params, /* only read */
		.var_size = size,
	};
	struct patience p = { 0 };

	return send_message(gsp, &x, &p);
}

/* -- Waiting ----------------------------------------------------------------------------------- */

static bool message_or_dead(void *arg)
{
	struct rm_gsp *gsp = arg;

	return gsp_msgq_has_message(&gsp->queue) || os_load_relaxed(&gsp->halted) ||
	       os_load_relaxed(&gsp->gpu->state) == RM_GPU_LOST;
}

static inline enum nv_status take_message(struct rm_gsp *gsp, struct gsp_sink *sink)
{
	if (__builtin_expect(gsp->sealed, 0))
		return gsp_sealed_receive(gsp);
	return gsp_msgq_receive_to(&gsp->queue, gsp->buffer, sink);
}

/* The next message, whatever it is, into gsp->buffer, or partly into the sink (NULL: none). */
static inline enum nv_status next_message(struct rm_gsp *gsp, struct gsp_sink *sink,
					  struct patience *p)
{
	enum nv_status status;
	u64 slice;

	for (;;) {
		/* First the clock, then the queue: a thread that slept in between takes its reply.
		 */
		p->late = p->looks > 1 && is_over(gsp, p);
		/* Right after the doorbell there is nothing yet; the wait looks too. */
		status = p->looks++ == 0 ? NV_WARN_NOTHING_TO_DO : take_message(gsp, sink);
		if (status != NV_WARN_NOTHING_TO_DO && status != NV_WARN_MORE_PROCESSING_REQUIRED)
			return status;
		if (p->late)
			return give_up(gsp, p);
		if (status == NV_WARN_MORE_PROCESSING_REQUIRED)
			continue;
		slice = min(gsp->timeout_ns - p->elapsed, GSP_WAIT_SLICE_NS);
		status = os_pci_wait(gsp->gpu->pci, message_or_dead, gsp, slice);
		if (status == NV_OK && gsp_msgq_has_message(&gsp->queue))
			continue;
		if (gsp_check_alive(gsp) != NV_OK && !gsp_msgq_has_message(&gsp->queue))
			return NV_ERR_GPU_IS_LOST;
	}
}

static bool header_ok(const rpc_message_header_v03_00 *header)
{
	return header->header_version == HEADER_VERSION &&
	       header->signature == NV_VGPU_MSG_SIGNATURE_VALID;
}

/* Waits for the record of that function and sequence (events have none), keeping other events. */
static inline enum nv_status await(struct rm_gsp *gsp, u32 function, struct gsp_sink *sink,
				   struct patience *p)
{
	const rpc_message_header_v03_00 *header = &gsp->buffer->rpc;
	enum nv_status status;

	for (;;) {
		status = next_message(gsp, sink, p);
		if (status != NV_OK)
			return status;
		if (!header_ok(header))
			return NV_ERR_INVALID_DATA;
		if (header->function == function &&
		    (function >= FIRST_EVENT || header->sequence == gsp->sequence))
			return NV_OK;
		if (header->function >= FIRST_EVENT)
			gsp_event_keep(gsp);
		else
			os_log(OS_LOG_WARN,
			       "NVRM: GPU%u: late GSP reply dropped: function %u sequence %u",
			       gsp->gpu->instance, header->function, header->sequence);
		if (p->late)
			return give_up(gsp, p);
	}
}

/*
 * While a thread waits, the bottom half has no work: the thread drains the queue itself. A
 * device that works on that very thread interrupts for nothing that it waits for.
 */
static void wait_begin(struct rm_gsp *gsp)
{
	gsp->expects = os_pci_expect(gsp->gpu->pci);
	if (gsp->expects)
		os_store_release(&gsp->waiting, 1);
}

static inline void wait_end(struct rm_gsp *gsp)
{
	if (gsp->expects) {
		os_pci_expect_end(gsp->gpu->pci);
		os_exchange(&gsp->waiting, 0);
	}
	if (gsp_msgq_has_message(&gsp->queue) || !list_empty(&gsp->events) ||
	    os_load_acquire(&gsp->halted))
		rm_gpu_interrupts_kick(gsp->gpu, RM_GPU_KICK_MESSAGES);
}

/* The firmware's verdict on the message as such; errors of other layers are in a range of their
 * own. */
static enum nv_status header_status(const rpc_message_header_v03_00 *header)
{
	if (header->rpc_result < (u32)NV_VGPU_MSG_RESULT__VMIOP__LO)
		return header->rpc_result;
	return NV_ERR_GENERIC;
}

enum nv_status gsp_wait_event(struct rm_gsp *gsp, u32 event)
{
	const struct gsp_exchange x = { .function = event };
	struct patience p = { 0 };
	enum nv_status status;

	wait_begin(gsp);
	status = await(gsp, event, NULL, &p);
	if (status == NV_OK)
		status = header_status(&gsp->buffer->rpc);
	if (p.timed_out)
		log_timeout(gsp, &x, &p);
	wait_end(gsp);
	return status;
}

/* -- The reply --------------------------------------------------------------------------------- */

/*
 * Long parameters are copied once, out of the queue to where they belong: NULL where they are not
 * long, or where the caller looks at them even when the message proves bad.
 */
static struct gsp_sink *sink_for(const struct rm_gsp *gsp, const struct gsp_exchange *x, u32 got,
				 u32 size, struct gsp_sink *sink)
{
	if (size < SINK_MIN || x->copy_on_error || gsp->sealed || !is_aligned(x->fixed_size, 8))
		return NULL;
	*sink = (struct gsp_sink){
		.function = got == 0 ? x->function : NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD,
		.sequence = gsp->sequence,
		.head = got == 0 ? x->fixed_size : 0,
		.status_at = got == 0 ? x->status_offset : GSP_NO_STATUS,
		.data = (u8 *)x->var + got,
		.size = size,
	};
	return sink;
}

/* The rest of the variable part, from continuation records; all are taken even if none is wanted.
 */
static enum nv_status receive_rest(struct rm_gsp *gsp, struct gsp_exchange *x, u32 got, bool copy,
				   struct patience *p)
{
	const rpc_message_header_v03_00 *header = &gsp->buffer->rpc;
	struct gsp_sink sink, *to;
	enum nv_status status;
	u32 size;

	while (got < x->var_size) {
		size = min(x->var_size - got, RECORD_PAYLOAD);
		to = copy ? sink_for(gsp, x, got, size, &sink) : NULL;
		status = await(gsp, NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD, to, p);
		if (status != NV_OK)
			return status;
		size = header->length - HEADER;
		if (size != min(x->var_size - got, RECORD_PAYLOAD))
			return NV_ERR_INVALID_DATA;
		if (copy && !(to && to->used))
			os_memcpy((u8 *)x->var + got, header + 1, size);
		got += size;
	}
	x->var_valid = copy;
	return NV_OK;
}

static enum nv_status receive_reply(struct rm_gsp *gsp, struct gsp_exchange *x, struct patience *p)
{
	const rpc_message_header_v03_00 *header = &gsp->buffer->rpc;
	u32 first = min(x->var_size, RECORD_PAYLOAD - x->fixed_size);
	struct gsp_sink sink, *to = sink_for(gsp, x, 0, first, &sink);
	enum nv_status status, result;
	bool copy;
	u32 size;

	status = await(gsp, x->function, to, p);
	if (status != NV_OK)
		return status;
	result = header_status(header);
	size = header->length - HEADER;
	if (size < x->fixed_size)
		return result != NV_OK ? result : NV_ERR_INVALID_DATA;
	if (x->status_offset != GSP_NO_STATUS)
		__builtin_memcpy(&x->inner, (const u8 *)(header + 1) + x->status_offset,
				 sizeof(x->inner));
	if (x->var_size == 0 || size == x->fixed_size)
		return size == x->fixed_size ? result : NV_ERR_INVALID_DATA;
	if (size != x->fixed_size + first)
		return NV_ERR_INVALID_DATA;
	copy = x->inner == NV_OK || x->copy_on_error;
	if (copy && !(to && to->used))
		gsp_copy(x->var, (const u8 *)(header + 1) + x->fixed_size, first);
	status = receive_rest(gsp, x, first, copy, p);
	return status != NV_OK ? status : result;
}

enum nv_status gsp_rpc_call(struct rm_gsp *gsp, struct gsp_exchange *x)
{
	struct patience p = { 0 };
	enum nv_status status;

	if (rm_gpu_is_lost(gsp->gpu))
		return NV_ERR_GPU_IS_LOST;
	x->var_valid = false;
	x->inner = NV_OK;
	wait_begin(gsp);
	status = send_message(gsp, x, &p);
	if (status == NV_OK)
		status = receive_reply(gsp, x, &p);
	if (p.timed_out)
		log_timeout(gsp, x, &p);
	gsp->silent = p.timed_out || p.stuck;
	wait_end(gsp);
	rm_trace(RM_TRACE_RPC_REPLY, function_name(x->function), status, x->function, gsp->sequence,
		 NULL, HEADER + x->fixed_size + x->var_size);
	return status;
}

/* -- The bottom half --------------------------------------------------------------------------- */

/* Takes what lies in the queue, but no more than fits in it: false when there is more. */
static bool drain(struct rm_gsp *gsp)
{
	const rpc_message_header_v03_00 *header = &gsp->buffer->rpc;
	enum nv_status status;
	u32 read, i;

	for (i = 0; i < gsp->queue.status_count; i++) {
		read = gsp->queue.read;
		status = take_message(gsp, NULL);
		if (status == NV_WARN_NOTHING_TO_DO)
			return true;
		if (status == NV_ERR_INVALID_DATA && gsp->queue.read == read)
			return true; /* a pointer out of the queue: until the firmware mends it */
		if (status == NV_OK && header_ok(header) && header->function >= FIRST_EVENT)
			gsp_event_keep(gsp);
		else if (status == NV_OK)
			os_log(OS_LOG_WARN, "NVRM: GPU%u: unexpected GSP message %u dropped",
			       gsp->gpu->instance, header->function);
	}
	return !gsp_msgq_has_message(&gsp->queue);
}

void gsp_service(struct rm_gpu *gpu)
{
	struct list events;
	bool more = false;

	list_init(&events);
	rm_gpu_lock(gpu);
	if (gpu->gsp) {
		more = !drain(gpu->gsp);
		if (os_load_acquire(&gpu->gsp->halted))
			gsp_check_alive(gpu->gsp);
		gsp_events_take(gpu->gsp, &events);
	}
	rm_gpu_unlock(gpu);
	gsp_events_deliver(gpu, &events);
	if (more)
		rm_gpu_interrupts_kick(gpu, RM_GPU_KICK_MESSAGES);
}
