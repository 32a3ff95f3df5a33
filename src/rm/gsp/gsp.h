/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The CPU's side of one GPU's firmware, from inside: what lies between boot and shutdown.
 * Everything in struct rm_gsp is under the GPU lock unless it says otherwise.
 */
#ifndef RM_GSP_GSP_H
#define RM_GSP_GSP_H

#include "base/list.h"
#include "rm/gpu/gpu.h"
#include "rm/gsp/msgq.h"
#include "rm/gsp/rpc.h"

/* Waits for registers during boot, as r535 has them. */
#define GSP_FSP_READY_NS 4000000000ull
#define GSP_DEFAULT_TIMEOUT_MS 4000u
/* How long a message may find the command queue full. */
#define GSP_ROOM_NS 1000000000ull
/* How long unloading waits for a firmware that did not answer last time. */
#define GSP_LAST_WAIT_NS 500000000ull
/* So many timeouts are logged, then one of so many. */
#define GSP_TIMEOUTS_LOGGED 3u
#define GSP_TIMEOUTS_LOG_EACH 30u
/* A wait is cut up so that a GPU that left the bus is noticed. */
#define GSP_WAIT_SLICE_NS 20000000ull

/* The adapter's power level that the firmware is told of while the system sleeps. */
#define GSP_POWER_LEVEL_STANDBY 3u

/* Parameters of one message; the interface's own limit is lower. */
#define GSP_MAX_PARAMS 0x1000000u

/* Events that nobody took yet; more than this are dropped. */
#define GSP_MAX_PENDING_EVENTS 256u

/* What the firmware reads of system memory until it is shut down (boot_memory.c). */
struct gsp_memory {
	struct os_pages args;  /* one page for each structure, GSP_ARGS_* */
	struct os_pages image; /* radix3 page table, then the image */
	struct os_pages fmc;   /* the boot firmware */
	struct os_pages signature;
	struct os_pages shared; /* page table, then both queues */
	struct os_pages logs[3];
};

/* Pages of gsp_memory.args. */
#define GSP_ARGS_FMC 0u
#define GSP_ARGS_WPR_META 1u
#define GSP_ARGS_LIBOS 2u
#define GSP_ARGS_RM 3u
#define GSP_ARGS_PAGES 4u

struct rm_gsp {
	struct rm_gpu *gpu;
	struct gsp_memory memory;
	struct gsp_msgq queue;
	GSP_MSG_QUEUE_ELEMENT *buffer; /* the message received last */
	bool sealed;		       /* messages are; sealed.c has what follows: */
	bool distrusted;	       /* one was not authentic: none is taken any more */
	GSP_MSG_QUEUE_ELEMENT *outgoing;
	struct rm_gpu_static *info; /* while booting; gpu->info afterwards */
	u32 sequence;		    /* of the RPC sent last */
	u64 default_ns;		    /* RmDefaultTimeout */
	u64 timeout_ns;		    /* of an RPC: 1.5 times that */
	u32 timeouts;		    /* RPCs without a reply since boot */
	bool silent;		    /* nothing came of the last RPC */
	bool stopping;		    /* nobody uses it any more: unloading is all that is left */
	u32 halted;	    /* atomic: the processor stopped (interrupt), somebody must look */
	u32 waiting;	    /* atomic: a thread waits for a reply and drains the queue itself */
	bool expects;	    /* the device may interrupt for what that thread waits for */
	struct list events; /* struct gsp_event, oldest first */
	u32 event_count;
};

/* -- boot_memory.c ----------------------------------------------------------------------------- */

struct gsp_firmware;
/*
 * Allocates and fills all that the boot hands to FSP and GSP, queue headers included.
 * NV_ERR_NO_MEMORY (nothing is left then), NV_ERR_INVALID_DATA for an image that is too big.
 */
enum nv_status gsp_memory_alloc(struct rm_gsp *gsp, const struct gsp_firmware *fw);
void gsp_memory_free(struct rm_gsp *gsp);

/* -- fsp.c ------------------------------------------------------------------------------------- */

/* Waits until FSP has booted. NV_ERR_TIMEOUT, NV_ERR_GPU_IS_LOST. */
enum nv_status gsp_fsp_wait_ready(struct rm_gpu *gpu);
/*
 * Sends one message of at most one packet to FSP and takes its response. Statuses: NV_ERR_TIMEOUT,
 * NV_ERR_GPU_IS_LOST, NV_ERR_INSUFFICIENT_RESOURCES (too long, or FSP's queue stays full), what FSP
 * answered, or NV_ERR_INVALID_DATA for an answer that is none.
 */
enum nv_status gsp_fsp_send(struct rm_gpu *gpu, u32 nvdm_type, const void *payload, u32 size,
			    u64 timeout_ns);

/* -- boot_args.c ------------------------------------------------------------------------------- */

/* The two messages that the firmware wants in its queue before it says that it is up. */
enum nv_status gsp_send_system_info(struct rm_gsp *gsp);
enum nv_status gsp_send_registry(struct rm_gsp *gsp);

/* -- rpc.c ------------------------------------------------------------------------------------- */

/*
 * Sends function with size bytes of params and waits for nothing: for functions without a reply.
 * Statuses as gsp_rpc_call, less those of the reply.
 */
enum nv_status gsp_rpc_send_async(struct rm_gsp *gsp, u32 function, const void *params, u32 size);

/*
 * One exchange. Parameters are a fixed part, of which nothing but a status is kept when it comes
 * back, and a variable part of var_size bytes, which goes out and comes back in var. The reply must
 * be as long as the request, or end after its fixed part. Returns the status of the transport, or
 * of the message header. GPU lock held.
 */
struct gsp_exchange {
	u32 function;
	const void *fixed;
	u32 fixed_size;
	void *var;
	u32 var_size;
	/*
	 * Where the fixed part holds a status: while that is an error, var stays as it was, unless
	 * copy_on_error. GSP_NO_STATUS: there is none.
	 */
	u32 status_offset;
	bool copy_on_error;
	bool var_valid; /* var holds what came back */
	u32 inner;	/* that status as it came back, when the message is good; NV_OK: none */
};
#define GSP_NO_STATUS (~0u)
enum nv_status gsp_rpc_call(struct rm_gsp *gsp, struct gsp_exchange *x);

/*
 * Waits for an event that boot expects, handling others. NV_ERR_TIMEOUT and the rest of
 * gsp_rpc_call; the event's result when it carries one.
 */
enum nv_status gsp_wait_event(struct rm_gsp *gsp, u32 event);

/*
 * Whether the GPU answers at all and its firmware lives; marks it lost (Xid 79, 120) if not. NV_OK
 * or NV_ERR_GPU_IS_LOST.
 */
enum nv_status gsp_check_alive(struct rm_gsp *gsp);

/*
 * A command of the driver's own to the firmware's internal subdevice, also while booting; whoever
 * calls has the GPU lock. The firmware's status, or that of gsp_rpc_call.
 */
enum nv_status gsp_internal_control(struct rm_gsp *gsp, u32 cmd, void *params, u32 size);
/* The same where one may not run: NV_ERR_GPU_IS_LOST, NV_ERR_INVALID_STATE. GPU lock held. */
enum nv_status gsp_running_control(struct rm_gpu *gpu, u32 cmd, void *params, u32 size);

/* -- sealed.c: confidential mode --------------------------------------------------------------- */

/* From now on every message is sealed, in both directions. NV_ERR_NO_MEMORY. */
enum nv_status gsp_start_sealing(struct rm_gsp *gsp);
/* As gsp_msgq_send, and the statuses of rm_cc_seal. Allocates nothing. */
enum nv_status gsp_sealed_send(struct rm_gsp *gsp, const struct gsp_piece *pieces, u32 count);
/*
 * As gsp_msgq_receive into gsp->buffer, but that NV_ERR_INVALID_DATA for a message that is not the
 * firmware's next one is the end: the GPU is lost, and no message is taken any more.
 */
enum nv_status gsp_sealed_receive(struct rm_gsp *gsp);

/* -- event.c ----------------------------------------------------------------------------------- */

struct gsp_event {
	struct list_node node;
	u64 number; /* rm_gpu.event_number */
	u32 function;
	u32 length; /* of data */
	u8 data[];
};

/* Takes a copy of the message in gsp->buffer, for delivery by the bottom half without the GPU lock.
 */
void gsp_event_keep(struct rm_gsp *gsp);
/* Moves what was kept to the caller's list. */
void gsp_events_take(struct rm_gsp *gsp, struct list *to);
/* Frees without delivering. */
void gsp_events_drop(struct list *events);

#endif
