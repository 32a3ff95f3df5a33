/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * An open file of a device node: what clients are bound to, the GPU it keeps booted, the control
 * file it acts for, the GPUs attached through it, and the OS events that make poll return.
 */
#ifndef RM_FILE_H
#define RM_FILE_H

#include "abi/r535.h"
#include "base/list.h"
#include "rm/instance.h"

struct rm_call;

/* A device file acts for a control file (REGISTER_FD) or lends its GPU by descriptor, never both.
 */
enum rm_file_link {
	RM_FILE_LINK_NONE,
	RM_FILE_LINK_REGISTERED,
	RM_FILE_LINK_REFERENCED,
};

struct rm_file {
	struct rm *rm;
	enum rm_node node;
	u32 minor;
	struct rm_gpu *gpu; /* of a GPU node; retained */
	struct os_cred opener;
	struct list_node gpu_node; /* of a GPU node: in rm->gpu_files, file_lock */
	struct list_node closing;  /* released while suspended: in rm->closing, file_lock */
	void *host_ctx;
	struct rm_file
		*control; /* registered control file, referenced; set once, read with acquire */
	u32 link;	  /* enum rm_file_link */

	struct rm_gpu *
		*attached; /* of NV_ESC_ATTACH_GPUS_TO_FD, NULL where the id was 0; file_lock */
	u32 attached_count;
	struct rm_mapping *mapping; /* for mmap (class/mapping.h), or NULL; file_lock */
	struct rm_export *exported; /* what it stands for (class/export.h), or NULL; file_lock */

	struct list os_events; /* struct rm_os_event; rm->names_lock */
	u32 os_event_count;

	/* rm->event_lock */
	bool event_pending; /* an event without data came */
	struct list event_data;
	u32 event_data_count;
};

/* Names a file has at most. */
#define RM_FILE_OS_EVENTS_MAX 1024u

/* Records a file keeps for a client that does not read them; later ones are dropped. */
#define RM_FILE_EVENT_DATA_MAX 4096u

/* An event with data that waits for NV_ESC_RM_GET_EVENT_DATA. */
struct rm_event_data {
	struct list_node node;
	u32 object, index, info32;
	u16 info16;
};

/*
 * What NV_ESC_ALLOC_OS_EVENT makes: a client's name (fd) for the file that poll is called on.
 * Objects of class NV01_EVENT_OS_EVENT hold a reference; once freed it takes no more. Names are a
 * user's own, in one container: handles are small numbers, and nobody shall wake or free what
 * another user named the same.
 */
struct rm_os_event {
	struct list_node node; /* of file's os_events; rm->names_lock */
	struct rm_file *file;  /* NULL once freed; changed under names_lock and event_lock */
	u64 space;	       /* as uid, of struct os_cred */
	u32 uid;
	u32 client;
	u32 fd;
	u32 references; /* atomic; the name holds one */
};

/*
 * NV_ERR_INSUFFICIENT_RESOURCES: no memory, the client has one with this fd, or the file has
 * RM_FILE_OS_EVENTS_MAX.
 */
enum nv_status rm_os_event_alloc(struct rm_file *file, const struct os_cred *who, u32 client,
				 u32 fd);
/* NV_ERR_INVALID_EVENT: no such event. */
enum nv_status rm_os_event_free(struct rm *rm, const struct os_cred *who, u32 client, u32 fd);
/* All of a client that went. */
void rm_os_event_free_client(struct rm *rm, const struct os_cred *who, u32 client);
/* All of a file that closes, and what was queued for it. */
void rm_os_event_free_file(struct rm_file *file);
/* A reference to the client's event; NV_ERR_OBJECT_NOT_FOUND. */
enum nv_status rm_os_event_get(struct rm *rm, const struct os_cred *who, u32 client, u32 fd,
			       struct rm_os_event **out);
void rm_os_event_put(struct rm_os_event *event);
/*
 * Wakes the event's file, with a record for NV_ESC_RM_GET_EVENT_DATA where data is not NULL (the
 * callee owns it, and frees it where the event is dead or the file has too many). Any context.
 */
void rm_os_event_post(struct rm *rm, struct rm_os_event *event, struct rm_event_data *data);
/* The oldest record, the caller's to free; NULL when there is none. */
struct rm_event_data *rm_file_event_data_take(struct rm_file *file, bool *more);

/*
 * Between these the set of GPUs does not change: for what looks GPUs up and is no call on an
 * object. file may be NULL.
 */
void rm_gpus_hold(struct rm_call *call, struct rm *rm, struct rm_file *file);
void rm_gpus_let_go(struct rm_call *call);

/*
 * Whether the caller may use the GPU: its process opened the GPU's node, or a file of that node
 * acts for the control file. file may be NULL (the driver).
 */
bool rm_file_gpu_accessible(const struct rm_file *file, const struct rm_gpu *gpu,
			    const struct os_cred *who);

/* True when the file's GPU (if it has one) is off the bus. */
bool file_gpu_is_lost(const struct rm_file *file);

#endif
