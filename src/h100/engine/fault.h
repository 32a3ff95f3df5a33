/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Faults of the MMU: what one says, and the buffer where a driver finds it. A buffer is a ring of
 * entries of NVC369_BUF_SIZE bytes (NVC369_BUF_ENTRY_*) in pages that the driver gave:
 *
 *   get ---> oldest unread ... newest <--- put        one entry is always left empty
 */
#ifndef H100_ENGINE_FAULT_H
#define H100_ENGINE_FAULT_H

#include "abi/r535.h"
#include "h100/engine/memory.h"

/* The address space of a channel: where its first page directory lies. */
struct h100_pdb {
	u8 aperture; /* enum h100_aperture */
	u64 address; /* 4 KiB aligned */
};

enum h100_fault_type {
	H100_FAULT_PDE = NV_PFAULT_FAULT_TYPE_PDE,
	H100_FAULT_PDE_SIZE = NV_PFAULT_FAULT_TYPE_PDE_SIZE,
	H100_FAULT_PTE = NV_PFAULT_FAULT_TYPE_PTE,
	H100_FAULT_VA_LIMIT_VIOLATION = NV_PFAULT_FAULT_TYPE_VA_LIMIT_VIOLATION,
	H100_FAULT_UNBOUND_INST_BLOCK = NV_PFAULT_FAULT_TYPE_UNBOUND_INST_BLOCK,
	H100_FAULT_PRIV_VIOLATION = NV_PFAULT_FAULT_TYPE_PRIV_VIOLATION,
	H100_FAULT_RO_VIOLATION = NV_PFAULT_FAULT_TYPE_RO_VIOLATION,
	H100_FAULT_WO_VIOLATION = NV_PFAULT_FAULT_TYPE_WO_VIOLATION,
	H100_FAULT_PITCH_MASK_VIOLATION = NV_PFAULT_FAULT_TYPE_PITCH_MASK_VIOLATION,
	H100_FAULT_WORK_CREATION = NV_PFAULT_FAULT_TYPE_WORK_CREATION,
	H100_FAULT_UNSUPPORTED_APERTURE = NV_PFAULT_FAULT_TYPE_UNSUPPORTED_APERTURE,
	H100_FAULT_COMPRESSION_FAILURE = NV_PFAULT_FAULT_TYPE_COMPRESSION_FAILURE,
	H100_FAULT_UNSUPPORTED_KIND = NV_PFAULT_FAULT_TYPE_UNSUPPORTED_KIND,
	H100_FAULT_REGION_VIOLATION = NV_PFAULT_FAULT_TYPE_REGION_VIOLATION,
	H100_FAULT_POISONED = NV_PFAULT_FAULT_TYPE_POISONED,
	H100_FAULT_ATOMIC_VIOLATION = NV_PFAULT_FAULT_TYPE_ATOMIC_VIOLATION,
};

/*
 * The MMU fills type, access, va and pdb; the engine that made the access client and engine_id; who
 * runs the channel instance and timestamp.
 */
struct h100_fault {
	enum h100_fault_type type;
	u8 access; /* NV_PFAULT_ACCESS_TYPE_VIRT_* or _PHYS_* */
	u8 client; /* NV_PFAULT_CLIENT_HUB_*, or with gpc_client _GPC_* */
	bool gpc_client;
	u8 gpc;	       /* with gpc_client */
	u16 engine_id; /* NV_PFAULT_MMU_ENG_ID_* */
	u64 va;	       /* the byte; an entry holds its page */
	struct h100_pdb pdb;
	u8 instance_aperture; /* enum h100_aperture: the channel's instance block */
	u64 instance;
	u64 timestamp; /* ns, as PTIMER */
	bool replayable;
};

struct h100_fault_buffer {
	u32 aperture;
	const u64 *pages; /* of 4 KiB; NULL: no buffer */
	u32 entries;	  /* at most what the pages hold */
	u32 put;
	bool overflow; /* a fault found it full, and is lost */
};

/* The entry as the driver reads it; VALID is set. */
void h100_fault_entry(const struct h100_fault *fault, u32 entry[NVC369_BUF_SIZE / 4]);

/*
 * Writes the entry at put and moves put; get is how far the driver has read (from memory that it
 * can write: values out of the ring count as a full one). False: no buffer, full (overflow is set)
 * or its memory cannot be reached; then nothing has changed. VALID is written last. In a burst.
 */
bool h100_fault_buffer_write(struct h100_fault_buffer *buffer, struct h100_memory *memory, u32 get,
			     const struct h100_fault *fault);

/* "FAULT_PTE" and the like, as Xid lines have it. */
const char *h100_fault_type_text(enum h100_fault_type type);
/* "ACCESS_TYPE_VIRT_WRITE" and the like. */
const char *h100_fault_access_text(u8 access);

#endif
