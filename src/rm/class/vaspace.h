/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * GPU virtual address spaces: class FERMI_VASPACE_A, and the one that each device has by default.
 * A space is counted: its object and duplicates, the channels in it and UVM hold it. Its lock
 * (LOCK_RANK_VASPACE, below the GPU's) is taken inside: callers hold none at or below that rank.
 *
 *   managed here     page tables in video memory, PTEs written through the BAR, made as needed
 *   owned elsewhere  (NV_VASPACE_ALLOCATION_FLAGS_IS_EXTERNALLY_OWNED) UVM sets the page directory
 */
#ifndef RM_CLASS_VASPACE_H
#define RM_CLASS_VASPACE_H

#include "base/extents.h"
#include "rm/class/memory.h"

struct rm_vaspace;

/* Of NV_VASPACE_ALLOCATION_PARAMETERS.flags, those that matter here. */
#define RM_VASPACE_SHARED_MANAGEMENT 0x4u
#define RM_VASPACE_EXTERNALLY_OWNED 0x8u
#define RM_VASPACE_ENABLE_ATS 0x10u
#define RM_VASPACE_PAGE_FAULTING 0x40u
#define RM_VASPACE_ALL_FLAGS 0x3fffu

/*
 * What the firmware keeps for its own use in a space that is managed here: it fills the tables
 * below the directories that it is told of (NV90F1_CTRL_CMD_VASPACE_COPY_SERVER_RESERVED_PDES).
 */
#define RM_VASPACE_SERVER_START GIB(4)
#define RM_VASPACE_SERVER_SIZE MIB(512)

/* The space of a FERMI_VASPACE_A object, NULL for any other. As rm_memory_backing: borrowed. */
struct rm_vaspace *rm_vaspace_of(const struct rm_object *object);
/*
 * The space that a client means by handle in requests on a device (or below it): 0 is the device's
 * default, which is made when first asked for. Referenced. Client lock held.
 * NV_ERR_INVALID_OBJECT_HANDLE, NV_ERR_OBJECT_NOT_FOUND, NV_ERR_NO_MEMORY.
 */
enum nv_status rm_vaspace_find(struct rm_object *device, u32 handle, struct rm_vaspace **out);
void rm_vaspace_get(struct rm_vaspace *space);
void rm_vaspace_put(struct rm_vaspace *space);

struct rm_gpu *rm_vaspace_gpu(const struct rm_vaspace *space);
bool rm_vaspace_is_external(const struct rm_vaspace *space);
/*
 * The handle of the object that the space was made with, under which the firmware knows it for that
 * client. Of a device's default space it is one that the driver chose.
 */
u32 rm_vaspace_handle(const struct rm_vaspace *space);
/* NV_VASPACE_ALLOCATION_FLAGS_* that it was made with. */
u32 rm_vaspace_flags(const struct rm_vaspace *space);
/* First and last address that may be mapped. */
void rm_vaspace_limits(const struct rm_vaspace *space, u64 *first, u64 *last);
/*
 * Where the GPU finds the root page directory (PDE4 level of NV_MMU_VER3). False: none is set, of a
 * space owned elsewhere.
 */
bool rm_vaspace_page_directory(struct rm_vaspace *space, enum rm_aperture *aperture, u64 *address);

/*
 * Channels that work in the space (struct rm_channel, space_node), and whether they are to stand
 * still: of class/channel_pause.h, under the lock of the GPU's channels (rm_fifo.lock).
 */
struct list *rm_vaspace_channels(struct rm_vaspace *space);
bool rm_vaspace_is_paused(const struct rm_vaspace *space);
void rm_vaspace_set_paused(struct rm_vaspace *space, bool paused);

/* -- Ranges of a managed space ------------------------------------------------------------------
 */

/*
 * Takes size bytes (a multiple of 4 KiB) at a multiple of align, within lo .. hi, both included; lo
 * .. lo + size - 1 is a fixed address. high: from the end. NV_ERR_NO_MEMORY: no such room;
 * NV_ERR_INVALID_OPERATION: a space owned elsewhere.
 */
struct rm_vaspace_request {
	u64 lo, hi;
	u64 size, align;
	bool high;
};
enum nv_status rm_vaspace_reserve(struct rm_vaspace *space,
				  const struct rm_vaspace_request *request, struct extent **range);
/* Nothing is mapped there any more. */
void rm_vaspace_release(struct rm_vaspace *space, struct extent *range);

struct rm_vaspace_map {
	u64 va, size; /* multiples of page_size, within a reserved range */
	struct rm_backing *backing;
	u64 offset;    /* in backing */
	u64 page_size; /* 4K, 64K, 2M or 512M */
	bool read_only;
	bool atomics_off; /* no atomic operations through it */
	bool privileged;
	bool gpu_uncached; /* NV_MMU_VER3_PTE_PCF_*: volatile */
	u8 kind;	   /* NV_MMU_PTE_KIND_* */
};

/*
 * Writes the PTEs of the range over what is there, and invalidates the TLB.
 * NV_ERR_INVALID_ARGUMENT: a page size or alignment that the memory lacks; NV_ERR_NO_MEMORY: no
 * page table, and nothing has changed; NV_ERR_TIMEOUT: the GPU does not answer, and nothing is
 * there any more. The mapping keeps no reference of the backing.
 */
enum nv_status rm_vaspace_map(struct rm_vaspace *space, const struct rm_vaspace_map *map);
/* Sparse: loads give zero, stores are lost; otherwise they fault again. Invalidates the TLB. */
enum nv_status rm_vaspace_unmap(struct rm_vaspace *space, u64 va, u64 size, bool sparse);

/* -- Spaces owned elsewhere ----------------------------------------------------------------------
 */

/*
 * The page directory that UVM made, told to the firmware for the object's handle and its client's.
 * entries: of the root level. NV_ERR_INVALID_OPERATION: not owned elsewhere; NV_ERR_IN_USE: one is
 * set; the firmware's status. Within a call on the object's client; takes the GPU's lock.
 */
enum nv_status rm_vaspace_set_page_directory(struct rm_call *call, struct rm_object *object,
					     u64 address, enum rm_aperture aperture, u32 entries);
/* Nothing where none is set. */
enum nv_status rm_vaspace_unset_page_directory(struct rm_call *call, struct rm_object *object);

/* -- The TLB -------------------------------------------------------------------------------------
 */

/*
 * Forgets what the GPU's MMUs remember of the space whose root is there; waits for it.
 * NV_ERR_TIMEOUT, NV_ERR_GPU_IS_LOST. Locks down to LOCK_RANK_VASPACE may be held.
 */
enum nv_status rm_tlb_invalidate(struct rm_gpu *gpu, enum rm_aperture aperture, u64 address);

#endif
