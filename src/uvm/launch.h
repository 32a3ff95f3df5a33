/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Secure launch: how pushes get to the queues of a device in confidential mode, whose GP entries,
 * methods and USERD are in video memory. SEC2 takes them there, by methods that the driver signs:
 * who writes to shared memory can stop work, and no more.
 *
 *   private            shared                                   video memory, of each queue
 *   push      --csl--> slot of the queue, tag --decrypted-----> slot
 *   GPPut     --csl--> a word, tag            --decrypted-----> USERD
 *                      token                  --semaphore-----> doorbell     of the GPU
 *   GP entries --csl--> once, at the beginning --decrypted----> GP entries
 *
 *                      the streams of methods that do this, signed: of SEC2's channel, with
 *                      its GP entries and GPPut, which the CPU rings for
 *
 * GP entries stay as they are: each leads to one slot and all of it, and a push has an end in it.
 * Nobody waits for SEC2, or believes its semaphores: that a push is done, which its queue proves
 * (uvm/queue.h), says that SEC2 is through with it, and with what was launched before.
 */
#ifndef UVM_LAUNCH_H
#define UVM_LAUNCH_H

#include "uvm/push.h"

/*
 * The launcher's memory, which is shared: GP entries | slot | slot | ..., as many as the queues
 * have together. A slot:
 *
 *   streams of methods | signature of each | tag of each | the word for GPPut
 */
#define UVM_LAUNCH_STREAMS 3u /* at most: methods, GPPut, doorbell */
#define UVM_LAUNCH_STREAM_BYTES (2 * UVM_SEC2_STREAM_MAX * (u32)sizeof(u32))
#define UVM_LAUNCH_SIGNATURES (UVM_LAUNCH_STREAMS * UVM_LAUNCH_STREAM_BYTES)
#define UVM_LAUNCH_TAGS (UVM_LAUNCH_SIGNATURES + UVM_LAUNCH_STREAMS * CSL_SIGN_AUTH_TAG_SIZE)
#define UVM_LAUNCH_PUT (UVM_LAUNCH_TAGS + UVM_LAUNCH_STREAMS * CSL_CRYPT_AUTH_TAG_SIZE)
#define UVM_LAUNCH_SLOT_BYTES 1024u

struct uvm_launcher {
	struct uvm_sec2_hal hal;
	struct os_mutex lock; /* LOCK_RANK_UVM_LAUNCH: all that follows */
	struct rm_uvm_queue *rm;
	struct rm_uvm_queue_info info;
	struct rm_uvm_buffer *buffer;
	u8 *cpu;
	u64 address;
	u64 count;		  /* of launches */
	u64 launched[UVM_QUEUES]; /* the last value of each */
};

/* Where the slot for the queue's push of that value is in the launcher's memory. */
u32 uvm_launch_slot(const struct uvm_queue *queue, u64 value);

/* Before the device's queues. NV_ERR_NO_MEMORY and what the resource manager says: there is none.
 */
enum nv_status uvm_launcher_create(struct uvm_device *device);
/* Before they go: nothing writes to their memory then. Where there is none: nothing. */
void uvm_launcher_destroy(struct uvm_device *device);
/* As rm_uvm_queue_stop and _error, of SEC2's channel; without a launcher nothing, and no error. */
void uvm_launcher_stop(struct uvm_device *device);
u32 uvm_launcher_error(struct uvm_device *device);

/* Memory of a queue's own for it: where pushes are written, and video memory. NV_ERR_NO_MEMORY. */
enum nv_status uvm_launch_prepare(struct uvm_queue *queue);
/* Has GP entries written: once, with the queue's channel there. As uvm_launch. */
enum nv_status uvm_launch_entries(struct uvm_queue *queue);
/* Of a queue that has none: nothing. */
void uvm_launch_end(struct uvm_queue *queue);
/*
 * The push of that value, so many words, which lie where it was written; queue->pushed says so. An
 * error is the device's end: NV_ERR_NO_MEMORY (libcrypto's), and those of a rotation.
 */
enum nv_status uvm_launch(struct uvm_queue *queue, u64 value, u32 words);

#endif
