/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The firmware's parts among themselves: FSP, the boot firmware, queues, messages, objects,
 * controls. One thread at a time runs any of it (runner.h); the rest of the GPU sees it only by the
 * registers and memory that it writes.
 */
#ifndef H100_GSP_FIRMWARE_H
#define H100_GSP_FIRMWARE_H

#include "base/handle_map.h"
#include "h100/engine/host.h"
#include "h100/engine/keys.h"
#include "h100/function/chip.h"
#include "h100/gsp/cc.h"
#include "h100/gsp/fw.h"
#include "h100/gsp/image.h"
#include "h100/h100.h"

#define FW_PAGE 4096u
#define FW_SHARED_PAGES_MAX 2048u /* of the queues' shared memory */
#define FW_MESSAGE_MAX (2u << 20) /* bytes of a message put together */
#define FW_OBJECTS_MAX (4u << 20)
#define FW_CLIENTS_MAX (1u << 17)
#define FW_OUT_MAX_BYTES (4u << 20) /* of messages that wait for space in the status queue */
#define FW_VERSION "535.309.01"

enum fw_stage {
	FW_STAGE_RESET, /* waits for FSP */
	FW_STAGE_INIT,	/* RM runs, has not got all that it needs */
	FW_STAGE_RUNNING,
	FW_STAGE_SUSPENDED, /* unloaded */
	FW_STAGE_FAILED,    /* the boot did not succeed */
	FW_STAGE_CRASHED,
};

/* What an object is to the engines; channels.c. All NULL: nothing. */
struct fw_work {
	struct h100_space *space; /* of address spaces, devices (their default), context shares */
	struct h100_group *group; /* of groups, and of channels that are in no other's */
	struct h100_channel *channel;	       /* of channels */
	const struct h100_engine_info *engine; /* of engine objects */
	u32 subcontext;			       /* of context shares */
	u32 chid;			       /* of channels */
};

/* An object with its place in the tree. A client's root is an object with the client's handle. */
struct fw_node {
	struct fw_object object;
	struct fw_node *parent, *first_child, *next, *previous;
	/* Event objects: */
	u32 notify_index;
	u32 event_client, event_handle; /* what POST_EVENT names */
	struct fw_node *next_event, **event_link;
	struct fw_work work;
	/*
	 * Subdevices: NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_* by notifier index, once any was
	 * set; until then every event is posted.
	 */
	u8 *actions;
};

struct fw_client {
	struct fw_node root;
	struct handle_map objects;
	u32 pid; /* of the process, 0: the driver itself */
};

struct fw_store {
	struct handle_map clients;
	u32 object_count;
	struct fw_node *last; /* found last, or NULL: calls come in runs for one object */
	struct fw_node *events;
	struct h100_state *state; /* told about processes */
};

/* One of the two rings in shared memory; offsets from the start of the shared memory. */
struct fw_ring {
	u64 offset;
	u32 count; /* elements */
	u32 entry_offset, rx_offset;
	u32 at;	 /* next element to be read or written */
	u32 seq; /* its sequence number */
};

struct fw_out {
	struct fw_out *next;
	u32 bytes;
	u32 sent;     /* of a long message that is under way */
	u8 message[]; /* from the message header on */
};

struct fw_queues {
	u64 page[FW_SHARED_PAGES_MAX]; /* bus addresses */
	u8 *cpu[FW_SHARED_PAGES_MAX];  /* where they lie for the CPU, once that was looked up */
	u32 page_count;
	struct fw_ring commands, status;
	u32 peer_read;	   /* status elements that the driver had taken when last looked at */
	u32 command_write; /* the driver's write pointer when last looked at */
	bool looked;	   /* since the doorbell that this run is for: no need to look again */
	bool complained;   /* about a write pointer out of range */

	/* A message that arrives in several records is in fw->more, complete up to long_bytes. */
	bool long_message;
	bool in_place; /* the record received last was put right behind it */
	u32 long_bytes, long_total;

	struct fw_out *out_first, **out_last;
	u32 out_bytes;
};

/* Room for an element; it grows with the longest message that began in it, and stays so. */
struct fw_buffer {
	u8 *data;
	u32 size;
};

/* A command that is served, and what the interface's table says of it. */
struct fw_slot {
	const struct fw_control *control; /* NULL: free */
	const struct abi_control *info;	  /* or NULL */
};

#define FW_FAULT_PAGES 16u /* of the driver's fault buffer, its queue page not counted */

/* Where the driver wants to see faults (faults.c); no pages: nowhere. */
struct fw_faults {
	struct h100_fault_buffer buffer;
	u64 page[FW_FAULT_PAGES]; /* bus addresses: the buffer's */
	u64 queue;		  /* bus address of the page with get and put */
	u32 lost;		  /* since one found room last */
};

struct fw {
	struct h100_chip *chip;
	const struct h100_host *host;
	struct h100_state *state;
	u8 *video;
	u64 video_bytes;

	enum fw_stage stage;
	bool hung; /* does nothing any more */
	bool got_system_info, got_registry;
	enum nv_status init_status;
	u64 wpr_start, wpr_end;
	u32 gpu_instance;
	u32 link_told; /* what the function was told of the link; 0: nothing */

	struct h100_fifo *fifo; /* NULL: no work can be submitted */
	const struct h100_engines *engines;
	struct h100_memory *memory;
	struct h100_keys *keys; /* of engines; NULL: no slots */
	struct fw_cc *cc;	/* confidential mode; NULL: off */
	/* A page-aligned part of video memory reads as zero from now on, outside of bursts; NULL:
	 * it is written. */
	void (*scrub)(void *ctx, u64 address, u64 size);
	void *scrub_ctx;

	struct fw_queues queues;
	struct fw_store store;
	bool kept;		  /* the store waits for a driver that resumes */
	struct fw_slot *controls; /* hash by command */
	u32 control_mask, control_shift;
	struct {
		u32 client, device, subdevice; /* the driver's own commands go to these */
	} internal;
	struct fw_faults faults; /* stays as long as the store does */

	u64 now_ns;	    /* when the work in hand began */
	bool dma_held;	    /* between the host's dma_begin and dma_end: pages may be used */
	bool dma_begun;	    /* in between, whether they may or not */
	u32 dma_number;	    /* what dma_begin returned last */
	u64 dma_read_bytes; /* not yet in the link's figures */
	u64 dma_written_bytes;
	u64 accounted_ns;     /* when the two were last put there */
	u64 rng;	      /* of chaos; 0: none */
	bool wants_interrupt; /* something was put into the status queue that nobody polls for */
	bool wrote;	      /* anything was put there */
	/*
	 * Element header (48 bytes), message header, data. What comes in goes to rx; a message of
	 * several records is put together in the other buffer. tx: where pages cannot be used.
	 */
	struct fw_buffer rx, more;
	u8 tx[GSP_MSG_QUEUE_ELEMENT_SIZE_MAX] __attribute__((aligned(64)));
};

/* -- firmware.c: life -- */

/* NV_ERR_NO_MEMORY, or NV_ERR_INVALID_STATE: two groups serve one command. */
enum nv_status fw_init(struct fw *fw, struct h100_chip *chip, const struct h100_host *host,
		       struct h100_state *state, u8 *video, u64 video_bytes, u32 chaos);
void fw_destroy(struct fw *fw);
/*
 * Does work (H100_WORK_*) at now_ns; the caller is the only one, and kicks the host. True when it
 * sent anything.
 */
bool fw_run(struct fw *fw, u32 work, u64 now_ns, bool lent);
/* Messages wait for space in the status queue, or were held back. */
bool fw_waiting(const struct fw *fw);
void fw_crash(struct fw *fw);
/* The same for a driver's message that does not open: whoever wrote it, nothing of it is done. */
void fw_refuse_messages(struct fw *fw, const char *why);
/* OS_ERROR_LOG: the driver logs text as an Xid. */
void fw_error_log(struct fw *fw, u32 xid, const char *text);
/* Memory found wrong: events for who asked for them, and an Xid line if it could not be corrected.
 */
void fw_ecc_error(struct fw *fw, bool uncorrected);
/* The client, device and subdevice that the driver's own commands go to. */
enum nv_status fw_create_internal(struct fw *fw);
/* Everything of a running driver is forgotten. */
void fw_stop(struct fw *fw, enum fw_stage stage);
/* Stops as FW_STAGE_SUSPENDED; what the driver has here is kept for the next one that resumes. */
void fw_suspend(struct fw *fw);
/* That one is there: its channels go on. */
void fw_resume(struct fw *fw);
/* A boot begins: as FW_STAGE_RESET, but that what is kept stays. */
void fw_begin(struct fw *fw);
/* Whoever boots is no driver that resumes. */
void fw_forget(struct fw *fw);

bool fw_dma_read(struct fw *fw, u64 address, void *data, size_t size);
bool fw_dma_write(struct fw *fw, u64 address, const void *data, size_t size);
void fw_log(struct fw *fw, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A number below limit from the chaos generator. */
u32 fw_random(struct fw *fw, u32 limit);

/* -- fsp.c, boot.c -- */

void fsp_serve(struct fw *fw);
/* Boots GSP with the boot parameters at the bus address. */
void fw_boot(struct fw *fw, u64 boot_params);

bool fw_sha384_is(const void *data, size_t size, const u8 digest[48]);

/* -- queue.c -- */

/* Finds both rings in the shared memory and writes the status queue's header. False:
 * LH_GSP_BOOT_BAD_QUEUES. */
bool fw_queues_open(struct fw *fw, const MESSAGE_QUEUE_INIT_ARGUMENTS *args);
void fw_queues_close(struct fw *fw);
/* Makes it at least size bytes long, keeping the first used of them; false: no memory. */
bool fw_buffer_grow(struct fw_buffer *buffer, u32 size, u32 used);
/*
 * The next good record, in fw->rx, the data of a continuation behind what fw->more has of its
 * message if in_place says so; its message header is returned, *bytes is what there is of it
 * (at least its length). NULL when the command queue is empty. Bad records are logged and passed
 * over.
 */
rpc_message_header_v *fw_queue_receive(struct fw *fw, u32 *bytes);
/*
 * Puts a message (header and data, length in the header) into the status queue, in records if it is
 * long; keeps it if there is no space.
 */
void fw_queue_send(struct fw *fw, const rpc_message_header_v *message);
/*
 * sealed.c: the next record opened, in fw->rx, or why it is none (*elements 0: memory is gone); and
 * a record that this one's direction seals, written to its place. False: it is not there, and its
 * number is used up.
 */
const char *sealed_read(struct fw *fw, u32 waiting, u32 *elements, u32 *bytes);
bool sealed_write(struct fw *fw, const rpc_message_header_v *header, const u8 *data, u32 size);
/* What was kept goes out if it can; true when anything did. */
bool fw_queue_flush(struct fw *fw);

/* -- rpc.c, rpc_object.c, rpc_system.c, dispatch.c -- */

void fw_serve_commands(struct fw *fw);
/* An event message with size bytes of data. */
void fw_event(struct fw *fw, u32 event, enum nv_status result, const void *data, u32 size);

/* size: bytes of data after the message header. Results go into data. */
typedef enum nv_status (*fw_rpc_fn)(struct fw *fw, void *data, u32 size);
enum nv_status rpc_control(struct fw *fw, void *data, u32 size);
enum nv_status rpc_alloc(struct fw *fw, void *data, u32 size);
enum nv_status rpc_free(struct fw *fw, void *data, u32 size);
enum nv_status rpc_dup(struct fw *fw, void *data, u32 size);
enum nv_status rpc_static_info(struct fw *fw, void *data, u32 size);
enum nv_status rpc_system_info(struct fw *fw, void *data, u32 size);
enum nv_status rpc_registry(struct fw *fw, void *data, u32 size);

/* controls_fabric.c: hands on what the fabric manager answers to a GPU that waits for it. */
void fw_fabric_work(struct fw *fw);

enum nv_status fw_controls_build(struct fw *fw);
/* One without a control when the command is not served. */
const struct fw_slot *fw_control_find(const struct fw *fw, u32 cmd);

/*
 * Around calls of the engines. They wait for engines, or for locks that are held while an engine
 * enters a burst; and that waits for whoever changes mappings of DMA addresses, who in turn waits
 * for the end of dma_begin. So the firmware lets mappings change meanwhile. Pointers into shared
 * memory do not hold across it.
 */
bool fw_engines_begin(struct fw *fw);
void fw_engines_end(struct fw *fw, bool begun);

/* -- channels.c, channel_error.c -- */

/*
 * A node of the store is new: what it is to the engines is made. params of its class, or none.
 * Statuses of the class; then the node is to be removed.
 */
enum nv_status fw_work_attach(struct fw *fw, struct fw_node *node, const void *params, u32 size);
/* Another name for what the source is. */
enum nv_status fw_work_share(struct fw *fw, struct fw_node *node, const struct fw_node *source);
/* It goes; the children are gone. */
void fw_work_detach(struct fw *fw, struct fw_node *node);
/* The address space that a device's client means by a handle; 0: the device's own. */
enum nv_status fw_work_space(struct fw *fw, struct fw_node *below, u32 handle,
			     struct h100_space **out);
/* What the engines stopped is told to the driver. */
void fw_channel_errors(struct fw *fw);

/* -- faults.c -- */

/* A fault that stopped a channel: into the driver's buffer, if it has one, and told of. */
void fw_fault(struct fw *fw, const struct h100_fault *fault);
void fw_faults_forget(struct fw *fw);

/* -- store.c -- */

/* NV_ERR_NOT_READY: no entropy; the store can be cleared all the same. */
enum nv_status fw_store_init(struct fw_store *store, struct h100_state *state);
/* Frees every client. */
void fw_store_clear(struct fw_store *store);
struct fw_client *fw_store_client(const struct fw_store *store, u32 handle);
struct fw_node *fw_client_object(struct fw_client *client, u32 handle);
/* Both at once. NV_ERR_INVALID_CLIENT, NV_ERR_OBJECT_NOT_FOUND. */
enum nv_status fw_store_find(struct fw_store *store, u32 client, u32 handle, struct fw_node **out);
/* NV_ERR_INSERT_DUPLICATE_NAME, NV_ERR_INSUFFICIENT_RESOURCES, NV_ERR_NO_MEMORY. */
enum nv_status fw_store_add_client(struct fw_store *store, u32 handle, u32 class_id, u32 pid);
/* parent is of client. */
enum nv_status fw_store_add(struct fw_store *store, struct fw_client *client,
			    struct fw_node *parent, u32 handle, const struct abi_class *class_info,
			    struct fw_node **out);
/* With everything under it; the node of a client's root frees the client. */
void fw_store_remove(struct fw_store *store, struct fw_node *node);
/* From now on the node is found by fw_store.events. */
void fw_store_add_event(struct fw_store *store, struct fw_node *node, u32 notify_index,
			u32 event_client, u32 event_handle);
/* Sets what the notifier at object (of the store's own) does about index. NV_ERR_NO_MEMORY. */
enum nv_status fw_store_arm(const struct fw_object *object, u32 index, u32 action);
/* Whether the event's notifier lets it be posted. */
bool fw_store_armed(const struct fw_node *event);
/* Notifiers that were armed for a single notification of index have had it. */
void fw_store_disarm_single(struct fw_store *store, u32 index);

#endif
