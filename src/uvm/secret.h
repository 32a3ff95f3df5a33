/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Copies between the CPU's private memory and a GPU in confidential mode. What crosses is
 * ciphertext in a buffer of uvm/dma.h, used as a ring of chunks: while the engine works on some,
 * the CPU encrypts or decrypts the next.
 *
 *   to the GPU     CPU encrypts a chunk -> push: engine decrypts -> ...
 *   from the GPU   push: engine encrypts a chunk -> CPU decrypts -> ...
 *
 *   text   [ chunk 0 | chunk 1 | ... | chunk 7 | not used ]       64 KiB each, a push each
 *
 * A wrong tag is the device's end: NV_ERR_INVALID_DATA where the CPU finds it, NV_ERR_RC_ERROR
 * where the engine does, and then nothing of the message is delivered.
 */
#ifndef UVM_SECRET_H
#define UVM_SECRET_H

#include "uvm/dma.h"

#define UVM_SECRET_CHUNKS 8u

struct uvm_secrets {
	struct uvm_device *device;
	struct uvm_dma_buffer *buffer;
	bool up, lent; /* to the GPU; the buffer is the caller's */
	bool open;     /* the push of the chunk is being written */
	u32 chunk, used;
	struct uvm_push push;
	struct uvm_tracker *after;			  /* for the first push */
	struct uvm_tracker_entry ends[UVM_SECRET_CHUNKS]; /* queue NULL: nothing is under way */
	enum nv_status status;				  /* the first error */
};

/*
 * Begins copies to or from the GPU, after (NULL: at once) what the tracker has. reserve (or NULL)
 * is a buffer of the pool's for when there is no memory for one; one caller at a time has it.
 * Statuses of uvm_device_start and uvm_dma_alloc: there is nothing to be ended then.
 */
enum nv_status uvm_secrets_begin(struct uvm_secrets *s, struct uvm_device *device, bool up,
				 struct uvm_dma_buffer *reserve, struct uvm_tracker *after);
/*
 * A copy between the CPU's memory and video memory at that address. Order among copies is theirs
 * within a chunk alone. NV_ERR_INVALID_ARGUMENT: as of uvm_ce_hal.encrypt; the device's status.
 */
enum nv_status uvm_secrets_add(struct uvm_secrets *s, void *cpu, u64 video, u64 bytes);
/*
 * Waits for all, of which the last push has that membar; the first error of any. Then no byte of
 * the CPU's memory is to be taken for the GPU's.
 */
enum nv_status uvm_secrets_end(struct uvm_secrets *s, enum uvm_membar membar);

/*
 * One copy of at most UVM_DMA_BYTES, after what the tracker (NULL: nothing) has; waits for it.
 * plain is all zero after an error of the second. NV_ERR_INVALID_ARGUMENT: more, none, or not
 * aligned; else as above.
 */
enum nv_status uvm_encrypted_memcopy_to_gpu(struct uvm_device *device, u64 video, const void *plain,
					    u64 bytes, struct uvm_tracker *after);
enum nv_status uvm_encrypted_memcopy_from_gpu(struct uvm_device *device, void *plain, u64 video,
					      u64 bytes, struct uvm_tracker *after);

#endif
