/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Queues and devices from inside, for the files behind uvm/push.h. */
#ifndef UVM_QUEUE_H
#define UVM_QUEUE_H

#include "base/bits.h"
#include "rm/rm.h"
#include "uvm/chunk.h"
#include "uvm/dma.h"
#include "uvm/launch.h"
#include "uvm/push.h"

#define UVM_QUEUE_ENTRIES 32u /* of the GPFIFO */
#define UVM_QUEUE_SLOTS 16u   /* pushes that wait or work at a time */
#define UVM_SLOT_BYTES KIB(16)
#define UVM_QUEUE_BYTES (2 * OS_PAGE_SIZE + UVM_QUEUE_SLOTS * UVM_SLOT_BYTES)

/* What a queue's pushes wait for of a queue of another device: the last of it, and the last push.
 */
struct uvm_await {
	u64 value, push;
};

struct uvm_queue {
	struct uvm_device *device;
	struct os_mutex lock; /* LOCK_RANK_UVM_DEVICE: everything below, while a push is written */
	struct rm_uvm_queue *rm;
	struct rm_uvm_queue_info info;
	struct rm_uvm_buffer *buffer;
	u8 *cpu;	      /* of the buffer */
	u64 address;	      /* of it on the GPU */
	u32 *semaphore;	      /* of the device's: the last value that is done, its low bits */
	u32 semaphore_offset; /* there */
	u64 pushed;	      /* value of the last push; atomic */
	u64 done;	      /* the last value seen in the semaphore, all bits of it; atomic */
	/*
	 * Of a secure one: where a push is written, and video memory laid out as the buffer, in
	 * whose slots is ciphertext (uvm/launch.h). The buffer's GP entries are not used then.
	 */
	u32 *methods;
	struct rm_uvm_buffer *video;
	u64 video_at;
	struct uvm_seals *seals;
	/* By the other's instance and queue; uvm's across_lock. */
	struct uvm_await awaits[RM_MAX_GPUS][UVM_QUEUES];
};

/* The semaphores of another device, where this one's channels read them; memory NULL: not at all.
 */
struct uvm_sight {
	struct rm_uvm_buffer *memory;
	u64 address;
};

struct uvm_device {
	struct list_node node; /* uvm's list, its devices_lock */
	struct uvm *uvm;
	u32 references;	    /* likewise */
	struct rm_gpu *gpu; /* held */
	u32 instance;
	NvProcessorUuid uuid;
	struct os_pci_dev *pci;
	struct uvm_chunks chunks;
	struct uvm_host_hal host;
	struct uvm_ce_hal ce;
	struct uvm_sec2_hal sec2;   /* in confidential mode */
	struct os_mutex start_lock; /* LOCK_RANK_UVM_DEVICE: started */
	struct rm_uvm_session *session;
	struct rm_uvm_buffer *semaphores; /* a page, of all queues */
	void *semaphores_cpu;
	u64 semaphores_at; /* on the GPU */
	struct uvm_queue queues[UVM_QUEUES];
	struct uvm_sight sights[RM_MAX_GPUS]; /* by instance; uvm's across_lock */
	u32 awaited; /* whose pushes this one's have waited for, by instance; likewise, atomic */
	bool confidential;	       /* then the queues are secure channels, and: */
	struct uvm_launcher *launcher; /* made and gone with them, as: */
	struct uvm_dma_pool dma;
	u32 started; /* atomic */
	u32 status;  /* enum nv_status, atomic: the first error */
};

/* -- queue.c ----------------------------------------------------------------------------------- */

/* On that copy engine. NV_ERR_NO_MEMORY and what the resource manager says: nothing is left. */
enum nv_status uvm_queue_create(struct uvm_queue *queue, struct uvm_device *device, u32 engine);
/* Its work is stopped, if it is not done. Of zeroed memory: nothing. */
void uvm_queue_destroy(struct uvm_queue *queue);
/* Work of a channel that is launched by the CPU is there, up to that GP entry. */
void uvm_device_ring(struct uvm_device *device, const struct rm_uvm_queue_info *info, u32 put);
/* Waits until value is done. NV_OK, or the device's status: nothing of its queues works then. */
enum nv_status uvm_queue_wait(struct uvm_queue *queue, u64 value);
bool uvm_queue_is_done(struct uvm_queue *queue, u64 value);

static inline u64 uvm_queue_semaphore(const struct uvm_queue *queue)
{
	return queue->device->semaphores_at + queue->semaphore_offset;
}

/* The first page has GP entries, the second what seals a semaphore (seal.c). */
static inline u64 uvm_queue_slot(u64 value)
{
	return 2 * OS_PAGE_SIZE + value % UVM_QUEUE_SLOTS * UVM_SLOT_BYTES;
}

/*
 * How many pushes may be on their way. In a secure queue one fewer than slots: a push is done a
 * moment before the GPU has read its end, and for certain once the next one is.
 */
static inline u64 uvm_queue_room(const struct uvm_queue *queue)
{
	return queue->methods ? UVM_QUEUE_SLOTS - 1 : UVM_QUEUE_SLOTS;
}

/*
 * Stops all queues of the device for good, and then says so. What they work on is about to be
 * somebody else's: whoever sees the status frees it.
 */
void uvm_queues_fail(struct uvm_device *device, enum nv_status status);
/* Looks whether one of its channels has had an error; then it fails. */
void uvm_queues_check(struct uvm_device *device);
/* Nothing works on the device any more, from the first such call on. */
void uvm_device_fail(struct uvm_device *device, enum nv_status status);

/* -- across.c: pushes that wait for another device's ---------------------------------------------
 */

/*
 * All others that have queues, and are not in confidential mode, see the device's semaphores from
 * now on, and it theirs. NV_ERR_NO_MEMORY and what the resource manager says: nobody does.
 */
enum nv_status uvm_across_meet(struct uvm_device *device);
/*
 * They do so no more: once what they wait for is done, or will never be and they have failed for
 * it. What the device waits for itself is stopped. Of one that has not met anybody: nothing.
 */
void uvm_across_part(struct uvm_device *device);
/*
 * The push of that value, which is being written to the waiter, is to wait for another device's
 * push: where to acquire it. 0: the CPU is to wait. Lock of the waiter.
 */
u64 uvm_across_await(struct uvm_queue *waiter, u64 push, struct uvm_queue *queue, u64 value);
/* Fails the device if it waits for one that has failed, and whoever else does. */
void uvm_across_look(struct uvm_device *device);

/* -- seal.c: secure queues ----------------------------------------------------------------------
 */

/* Messages of a push, at most: each is of 20 words, and one more is its end's. */
#define UVM_PUSH_MESSAGES (UVM_SLOT_BYTES / sizeof(u32) / 20u + 1)

/*
 * A semaphore lies where others may write to it. So the engine writes the value to video memory
 * first, where other queues of the device wait for it, and encrypts it from there; only what
 * decrypts to it is believed. In the second page of the queue's memory, for each slot:
 *
 *   0        4             32        48        64
 *   | value  |             | tag     | IV      |
 */
#define UVM_SEALS_AT OS_PAGE_SIZE
#define UVM_SEAL_BYTES 64u
static inline u64 uvm_seal_at(u64 value)
{
	return UVM_SEALS_AT + value % UVM_QUEUE_SLOTS * UVM_SEAL_BYTES;
}

enum nv_status uvm_seals_create(struct uvm_queue *queue);
void uvm_seals_destroy(struct uvm_queue *queue); /* of a queue that has none: nothing */
/* The word in video memory, in the address space of the device's channels. */
u64 uvm_seals_semaphore(const struct uvm_queue *queue);
/* Writes what encrypts the value of the push. Lock of the queue. */
enum nv_status uvm_seal_push(struct uvm_push *push, u64 value);
/*
 * The semaphore says so: whether it is true, and done is at least that much. False fails the
 * device: NV_ERR_INVALID_DATA.
 */
bool uvm_seal_check(struct uvm_queue *queue, u64 value);
/*
 * There are IVs for one more push: if there were not, the queue has waited for what it does, and
 * both ends have begun anew. Lock of the queue.
 */
enum nv_status uvm_seals_renew(struct uvm_queue *queue);

/* As rm_uvm_csl_rotate_iv, once what is done has ended. The caller has the context to itself. */
enum nv_status uvm_csl_rotate(struct rm_uvm_queue *queue, enum csl_operation operation);

/* The CPU's end of the channel, one caller at a time; NV_ERR_INVALID_DATA and others of rm/uvm.h.
 */
enum nv_status uvm_queue_log_encryption(struct uvm_queue *queue, struct csl_iv *iv);
enum nv_status uvm_queue_encrypt(struct uvm_queue *queue, u32 bytes, const void *plain,
				 void *cipher, void *tag);
/* The tag may be in memory that others write to. */
enum nv_status uvm_queue_decrypt(struct uvm_queue *queue, u32 bytes, const void *cipher,
				 const struct csl_iv *iv, void *plain, const void *tag);

#endif
