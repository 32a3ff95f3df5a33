/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Memory objects and what is behind them. An object is what a client names; its backing is the
 * memory itself, counted, shared by duplicates, and kept by whatever maps it or works on it.
 *
 *   object (client, handle) --\
 *   duplicate ----------------- backing ---- pages, or pieces of a GPU's video memory
 *   mapping, channel, PTEs ---/
 */
#ifndef RM_CLASS_MEMORY_H
#define RM_CLASS_MEMORY_H

#include "rm/class/state.h"

enum rm_backing_kind {
	RM_BACKING_VIDEO,  /* of the GPU's heap */
	RM_BACKING_SYSTEM, /* pages of the driver's */
	RM_BACKING_PINNED, /* pages of a process */
	RM_BACKING_BAR,	   /* registers: the doorbell page */
	RM_BACKING_BUS,	   /* bus addresses that somebody listed: the GPU's alone */
};

/* Where an address leads, as in page tables: NV_MMU_VER3_PTE_APERTURE_*. */
enum rm_aperture {
	RM_APERTURE_VIDEO = 0,
	RM_APERTURE_PEER = 1,
	RM_APERTURE_SYSTEM_COHERENT = 2,
	RM_APERTURE_SYSTEM_NONCOHERENT = 3,
};

struct rm_backing;

/*
 * The memory of an object; NULL where it is no memory or a virtual range. The caller holds the lock
 * of the object's client, and takes a reference for anything longer.
 */
struct rm_backing *rm_memory_backing(const struct rm_object *object);
void rm_backing_get(struct rm_backing *backing);
/*
 * With the last reference the memory is scrubbed and free, once the GPU cannot reach it any more
 * (rm/gpu/tlb.h). No lock below LOCK_RANK_GPU is held: the firmware may have to scrub it.
 */
void rm_backing_put(struct rm_backing *backing);

enum rm_backing_kind rm_backing_kind(const struct rm_backing *backing);
/*
 * Whether the driver itself can read and write it (rm_backing_read32 and the others): not video
 * memory that no BAR shows (gpu/video.h).
 */
bool rm_backing_accessible(const struct rm_backing *backing);
/* Whether its pages are others' (rm_backing_of_list). */
bool rm_backing_is_list(const struct rm_backing *backing);
/* The GPU that has or reaches it. */
struct rm_gpu *rm_backing_gpu(const struct rm_backing *backing);
u64 rm_backing_size(const struct rm_backing *backing);
/* The largest page that every part of it can be mapped with, by its alignment: 4K, 64K, 2M, 512M.
 */
u64 rm_backing_page_size(const struct rm_backing *backing);
/*
 * Where the byte at offset (within size) lies for the GPU, and how many bytes are there in one
 * piece. RM_BACKING_BAR has no such address: ~0 and 0 bytes.
 */
u64 rm_backing_address(const struct rm_backing *backing, u64 offset, enum rm_aperture *aperture,
		       u64 *contiguous);
/* The byte at offset for the driver itself; NULL where it is not in system memory. */
void *rm_backing_cpu(const struct rm_backing *backing, u64 offset);
/* The pages of system or pinned memory; NULL for others. */
const struct os_pages *rm_backing_pages(const struct rm_backing *backing);
/*
 * What the CPU maps for the bytes from offset (within size) on, as far as it is in one piece; both
 * page aligned. False: video memory that the BAR does not show.
 */
bool rm_backing_extent(const struct rm_backing *backing, u64 offset, struct rm_map_extent *out);
/* Offset is naturally aligned and within size. Video memory through the BAR: any context. */
u32 rm_backing_read32(const struct rm_backing *backing, u64 offset);
u64 rm_backing_read64(const struct rm_backing *backing, u64 offset);
void rm_backing_write32(const struct rm_backing *backing, u64 offset, u32 value);
void rm_backing_write64(const struct rm_backing *backing, u64 offset, u64 value);

/*
 * Memory of the driver's own, zeroed, by nobody's account: page tables, instance blocks, UVM's
 * chunks. align: a power of 2, at most 512 MiB; video memory is in one piece. NV_ERR_NO_MEMORY,
 * NV_ERR_INVALID_STATE: the GPU is not booted. No lock below LOCK_RANK_VASPACE is held.
 */
enum nv_status rm_backing_alloc_video(struct rm_gpu *gpu, u64 size, u64 align,
				      struct rm_backing **out);
enum nv_status rm_backing_alloc_system(struct rm_gpu *gpu, u64 size, struct rm_backing **out);
/* System memory that no GPU reaches where the CPU protects memory (os_tee); elsewhere the same. */
enum nv_status rm_backing_alloc_private(struct rm_gpu *gpu, u64 size, struct rm_backing **out);

/* A client's video memory; zeroed. */
struct rm_video_request {
	u64 size, page_size; /* size is a multiple of page_size */
	u64 align;	     /* of the whole: a power of 2, at least page_size */
	u64 lo, hi;	     /* where it may lie, both included */
	bool high;	     /* from the end of video memory */
	bool scattered;	     /* in as many pieces as it takes, should one not do */
	u32 pid;	     /* whose account it is on */
};
enum nv_status rm_backing_alloc_client(struct rm_gpu *gpu, const struct rm_video_request *request,
				       struct rm_backing **out);
/* The pages become the backing's own: of a client (pinned) or the driver's. NV_ERR_NO_MEMORY. */
enum nv_status rm_backing_of_pages(struct rm_gpu *gpu, struct os_pages *pages, bool pinned,
				   struct rm_backing **out);
/* System or pinned memory as another GPU reaches it. NV_ERR_NO_MEMORY. */
enum nv_status rm_backing_share(struct rm_backing *backing, struct rm_gpu *gpu,
				struct rm_backing **out);
/* Parts of video memory or of the bus by their addresses, whosever they are. */
struct rm_backing_list {
	bool video;
	const u64 *addresses;  /* 4 KiB aligned */
	u64 count, size;       /* how many, and bytes of each, a multiple of 4 KiB; neither is 0 */
	struct rm_backing *of; /* kept as long; NULL: nobody is, and they go and stay as ever */
};
/* NV_ERR_NO_MEMORY. */
enum nv_status rm_backing_of_list(struct rm_gpu *gpu, const struct rm_backing_list *list,
				  struct rm_backing **out);
/* The same memory, whoever's addresses it is reached by. */
bool rm_backing_same(const struct rm_backing *a, const struct rm_backing *b);
/*
 * Registers of the GPU as memory that can be mapped by the CPU only: size bytes at offset of a BAR.
 * For the usermode classes. NV_ERR_NO_MEMORY.
 */
enum nv_status rm_backing_of_bar(struct rm_gpu *gpu, u32 bar, u64 offset, u64 size,
				 struct rm_backing **out);

/*
 * What an object that NV_ESC_RM_MAP_MEMORY maps begins with (rm_class.mappable): memory, and the
 * registers that a client may have. Its class sets backing in its constructor and calls
 * rm_mappable_fini in its destructor.
 */
struct rm_mappable {
	struct rm_object object;
	struct rm_backing *backing;
	u32 attr, attr2; /* NVOS32_ATTR_*, NVOS32_ATTR2_* as they became */
	u32 type, tag;
	u32 flags;		  /* NVOS32_ALLOC_FLAGS_* */
	struct list dma_mappings; /* class/virtual_memory.c: of the client; likewise */
	struct list mappings;	  /* class/mapping.c: of the client; initialised by the first */
};

/* Forgets the client's mappings and puts the backing. */
void rm_mappable_fini(struct rm_mappable *mappable);

static inline struct rm_mappable *to_mappable(const struct rm_object *object)
{
	return container_of(object, struct rm_mappable, object);
}

/* rm_class.duplicate of memory objects. */
enum nv_status rm_memory_duplicate(struct rm_call *call, struct rm_object *copy,
				   const struct rm_object *source);

/* NV_MMU_PTE_KIND_* that memory of these attributes has. */
u8 rm_memory_kind(u32 attr);
/* False when the object is no memory. */
bool rm_memory_size(const struct rm_object *object, u64 *size);
/* Both are objects of the same memory. */
bool rm_memory_same(const struct rm_object *a, const struct rm_object *b);

#endif
