/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * UVM's own work on a GPU. A device is what all VA spaces share of one GPU: a queue (a channel of
 * UVM's) for each kind of work, made with the first of it. A push is a piece of work: methods that
 * are written, then rung for; it is done when the queue's semaphore has its value.
 *
 *   begin --> methods (uvm/hal/hal.h) --> end --> (queue, value) --> waited for, or kept in a
 * tracker
 *
 *   memory of a queue        GPFIFO | seals | slot of methods | slot of methods | ...
 *   semaphores of a device   a word a queue: value of the last push that is done, its low 32 bits
 *
 * An error of any channel, or one that never ends, is the device's: from then on nothing is begun,
 * and whoever waits gets the status. So is the error of another device for which its work waits:
 * NV_ERR_RC_ERROR.
 */
#ifndef UVM_PUSH_H
#define UVM_PUSH_H

#include "base/list.h"
#include "uvm/hal/hal.h"

struct uvm;
struct uvm_device;
struct uvm_queue;

enum uvm_queue_kind {
	UVM_QUEUE_TO_GPU,   /* copies from system to video memory */
	UVM_QUEUE_FROM_GPU, /* and back */
	UVM_QUEUE_INTERNAL, /* within video memory */
	UVM_QUEUE_MEMOPS,   /* TLB invalidations, membars */
	UVM_QUEUES,
};

/* -- Devices ----------------------------------------------------------------------------------- */

/*
 * The device of that GPU, which the caller holds until it is put. NV_ERR_NO_MEMORY;
 * NV_ERR_NOT_SUPPORTED: channels or copy engines of a class that uvm knows not.
 */
enum nv_status uvm_device_get(struct uvm *uvm, struct rm_gpu *gpu,
			      const struct rm_uvm_gpu_info *info, struct uvm_device **out);
/* The last one ends its channels. Locks down to LOCK_RANK_UVM_SPACE may be held. */
void uvm_device_put(struct uvm_device *device);

/*
 * Who holds a device without a lock that keeps the GPU; for as long as what it does, which whoever
 * takes the GPU away waits for.
 */
struct uvm_device_holder {
	struct list_node node; /* of uvm's, its devices_lock */
	struct uvm_device *device;
	struct rm_gpu *gpu;
};

/* The caller has the device otherwise at that moment. */
void uvm_device_hold(struct uvm_device *device, struct uvm_device_holder *holder);
/* Whether there is a device of that GPU. */
bool uvm_device_hold_of(struct uvm *uvm, struct rm_gpu *gpu, struct uvm_device_holder *holder);
/* As uvm_device_put. */
void uvm_device_let_go(struct uvm_device_holder *holder);
/* Waits until nobody holds a device of that GPU so. No lock that they take is held. */
void uvm_device_wait_let_go(struct uvm *uvm, const struct rm_gpu *gpu);

/*
 * Makes the device's channels, unless they are there. NV_ERR_NO_MEMORY and what the resource
 * manager says: there are none, and the next call tries again; the device's status.
 */
enum nv_status uvm_device_start(struct uvm_device *device);
/* NV_OK, or why nothing works on it any more: NV_ERR_GPU_IS_LOST, NV_ERR_RC_ERROR, NV_ERR_TIMEOUT.
 */
enum nv_status uvm_device_status(struct uvm_device *device);

/* How many hold the device of that UUID; 0: there is none. */
u32 uvm_device_references(struct uvm *uvm, const NvProcessorUuid *uuid);

/* -- Trackers ---------------------------------------------------------------------------------- */

struct uvm_tracker_entry {
	struct uvm_queue *queue;
	u64 value;
};

#define UVM_TRACKER_FEW 4u

/* Pushes that are to be done before something else: of each queue the last. Zeroed: none. */
struct uvm_tracker {
	u32 count, capacity; /* of more, if that is set */
	struct uvm_tracker_entry few[UVM_TRACKER_FEW];
	struct uvm_tracker_entry *more;
};

/* NV_ERR_NO_MEMORY: the tracker is as it was. */
enum nv_status uvm_tracker_add(struct uvm_tracker *tracker, const struct uvm_tracker_entry *entry);
/* Adds all that other has. */
enum nv_status uvm_tracker_join(struct uvm_tracker *tracker, const struct uvm_tracker *other);
/* Forgets what is done; whether nothing is left. */
bool uvm_tracker_is_done(struct uvm_tracker *tracker);
/* Waits for all; the first error. It is empty then. */
enum nv_status uvm_tracker_wait(struct uvm_tracker *tracker);
/* Waits for those of other devices; what is left is of this one. The first error. */
enum nv_status uvm_tracker_wait_others(struct uvm_tracker *tracker,
				       const struct uvm_device *device);
void uvm_tracker_fini(struct uvm_tracker *tracker);
struct uvm_tracker_entry *uvm_tracker_entries(struct uvm_tracker *tracker);

/* -- Pushes ------------------------------------------------------------------------------------ */

struct uvm_push {
	struct uvm_queue *queue;
	struct uvm_methods methods;
	const struct uvm_host_hal *host;
	const struct uvm_ce_hal *ce;
};

/*
 * Begins a push, which others of its queue wait for until it ends. It begins on the GPU when what
 * the tracker (NULL: nothing) has is done: by acquiring on the GPU, but for what other devices do
 * in confidential mode or when they have failed, which is waited for here. The status of a device;
 * NV_ERR_NO_MEMORY and the like when its channels cannot be made.
 */
enum nv_status uvm_push_begin(struct uvm_device *device, enum uvm_queue_kind kind,
			      struct uvm_tracker *after, struct uvm_push *push);
/* Whether so many more words fit. */
bool uvm_push_has_room(const struct uvm_push *push, u32 words);
/* Submits it, to end with that membar. *entry (NULL: nobody asks) is what to wait for. */
void uvm_push_end(struct uvm_push *push, enum uvm_membar membar, struct uvm_tracker_entry *entry);
/* Submits it and waits. */
enum nv_status uvm_push_end_and_wait(struct uvm_push *push, enum uvm_membar membar);

bool uvm_entry_is_done(const struct uvm_tracker_entry *entry);
/* NV_OK once it is done; the device's status. */
enum nv_status uvm_entry_wait(const struct uvm_tracker_entry *entry);
struct uvm_device *uvm_entry_device(const struct uvm_tracker_entry *entry);

#endif
