/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* UVM's own client and channels, for the files that serve them. */
#ifndef RM_UVM_QUEUE_H
#define RM_UVM_QUEUE_H

#include "rm/cc/csl.h"
#include "rm/class/channel.h"
#include "rm/class/memory.h"
#include "rm/uvm.h"

struct rm_uvm_session {
	struct rm_gpu *gpu;
	u32 client;
	u64 serial;
	u32 device;
	struct rm_vaspace *space; /* referenced */
	u32 space_handle;
	struct rm_uvm_buffer *usermode; /* where engines ring; in confidential mode, else NULL */
};

struct rm_uvm_queue {
	struct rm_uvm_session *session;
	u32 handle;
	u32 userd_object;	     /* video memory, of a secure one on a copy engine; or 0 */
	struct rm_uvm_buffer *userd; /* that, mapped */
	struct rm_channel *channel;  /* referenced */
	struct csl_context csl;	     /* of a secure one */
};

/*
 * size bytes of that memory from its beginning on, in the session's address space, as pages of that
 * kind (NV_MMU_PTE_KIND_*), until rm_uvm_buffer_free. Takes over a reference of the backing,
 * whatever comes of it. NV_ERR_NO_MEMORY, and what the GPU says.
 */
enum nv_status rm_uvm_buffer_map(struct rm_uvm_session *session, struct rm_backing *backing,
				 u64 size, u8 kind, struct rm_uvm_buffer **out);
u64 rm_uvm_buffer_address(const struct rm_uvm_buffer *buffer);

#endif
