/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Queues and devices from inside, for the files behind uvm/push.h. */
#ifndef UVM_QUEUE_H
#define UVM_QUEUE_H

#include "base/bits.h"
#include "uvm/push.h"

#define UVM_QUEUE_ENTRIES 32u /* of the GPFIFO */
#define UVM_QUEUE_SLOTS 16u   /* pushes that wait or work at a time */
#define UVM_SLOT_BYTES KIB(16)

struct uvm_queue {
	struct uvm_device *device;
	struct os_mutex lock; /* LOCK_RANK_UVM_POOL: everything below, while a push is written */
	struct rm_uvm_queue *rm;
	struct rm_uvm_queue_info info;
	struct rm_uvm_buffer *buffer;
	u8 *cpu;     /* of the buffer */
	u64 address; /* of it on the GPU */
	u64 pushed;  /* value of the last push; atomic */
	u64 done;    /* the last value seen in the semaphore, all bits of it; atomic */
};

struct uvm_device {
	struct list_node node; /* uvm's list, its devices_lock */
	struct uvm *uvm;
	u32 references; /* likewise */
	struct rm_gpu *gpu;
	NvProcessorUuid uuid;
	struct os_pci_dev *pci;
	struct uvm_host_hal host;
	struct uvm_ce_hal ce;
	struct os_mutex start_lock; /* LOCK_RANK_UVM_DEVICE: started */
	struct rm_uvm_session *session;
	struct uvm_queue queues[UVM_QUEUES];
	u32 started; /* atomic */
	u32 status;  /* enum nv_status, atomic: the first error */
};

/* -- queue.c ----------------------------------------------------------------------------------- */

/* On that copy engine. NV_ERR_NO_MEMORY and what the resource manager says: nothing is left. */
enum nv_status uvm_queue_create(struct uvm_queue *queue, struct uvm_device *device, u32 engine);
/* Its work is stopped, if it is not done. Of zeroed memory: nothing. */
void uvm_queue_destroy(struct uvm_queue *queue);
/* Waits until value is done. NV_OK, or the device's status: nothing of its queues works then. */
enum nv_status uvm_queue_wait(struct uvm_queue *queue, u64 value);
bool uvm_queue_is_done(struct uvm_queue *queue, u64 value);

static inline u64 uvm_queue_semaphore(const struct uvm_queue *queue)
{
	return queue->address + OS_PAGE_SIZE;
}

static inline u64 uvm_queue_slot(u64 value)
{
	return 2 * OS_PAGE_SIZE + value % UVM_QUEUE_SLOTS * UVM_SLOT_BYTES;
}

/* Nothing works on the device any more, from the first such call on. */
void uvm_device_fail(struct uvm_device *device, enum nv_status status);

#endif
