/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A GPU's video memory as unified memory has it: root chunks of 2 MiB, got from the resource
 * manager, of which chunks are taken in pages of the GPU's sizes. All of a root is of one kind:
 *
 *   user    data of managed memory: may be evicted (uvm/evict.h), for which each chunk says whose
 *           it is, and at which address
 *   kernel  page tables: stays
 *
 *   root   [ 64 KiB ][ 64 KiB ][4K|4K|  |  | .. ][ free ] ...      taken: a bit a page
 *
 * Neighbours that are free are one piece again at once; a root without chunks goes back. User roots
 * are in the order of their last use, those of which nothing is in use apart.
 */
#ifndef UVM_CHUNK_H
#define UVM_CHUNK_H

#include "base/list.h"
#include "rm/uvm.h"

#define UVM_ROOT_SIZE MIB(2)
#define UVM_ROOT_PAGES ((u32)(UVM_ROOT_SIZE / OS_PAGE_SIZE))
#define UVM_CHUNK_UNIT KIB(64) /* the size between a root and a page */

enum uvm_chunk_kind {
	UVM_CHUNK_USER,
	UVM_CHUNK_KERNEL,
	UVM_CHUNK_KINDS,
};

/* Roots with room, by the largest piece. */
enum uvm_chunk_room {
	UVM_CHUNK_ROOM_UNIT,
	UVM_CHUNK_ROOM_PAGE,
	UVM_CHUNK_ROOMS,
};

struct uvm_space;

struct uvm_chunks {
	struct rm_gpu *gpu;
	struct os_spinlock lock; /* everything below, roots and chunks */
	struct list roots;	 /* struct uvm_root, all of them */
	struct list free[UVM_CHUNK_KINDS][UVM_CHUNK_ROOMS];
	/* User roots without pinned chunks, the least recently used first. */
	struct list unused, used;
	u64 evictable; /* how many these are */
	/* Atomic: that one from now on is not given to others. 0: none. For built-in tests. */
	u32 fail_reclaim;
};

struct uvm_root {
	struct list_node node;	/* of all */
	struct list_node free;	/* of those with room, unless it is full, or being evicted */
	struct list_node order; /* of unused or used, likewise */
	struct uvm_chunks *chunks;
	struct rm_uvm_video *video;
	u64 address; /* in video memory */
	enum uvm_chunk_kind kind;
	bool evicting;			  /* somebody empties it: nothing is taken of it */
	u32 pinned, uses;		  /* chunks that are */
	struct list parts;		  /* struct uvm_chunk */
	u64 taken[UVM_ROOT_PAGES / 64];	  /* by a chunk; or the GPU may remember it */
	u64 written[UVM_ROOT_PAGES / 64]; /* not known to be zero */
};

struct uvm_chunk {
	struct list_node node; /* of the root's */
	struct uvm_root *root;
	u64 address; /* in video memory */
	u64 size;
	bool zero;		 /* all of it was, when it was taken */
	bool used;		 /* something is in it; of user chunks */
	struct uvm_space *owner; /* NULL: a user chunk is pinned */
	u64 start;		 /* address in the owner's space of what is in its first byte */
};

/*
 * One VA space's way to a GPU's chunks, under the space's lock: what it was given for its next
 * ones, and whether the resource manager had no more.
 */
struct uvm_room {
	struct uvm_chunks *chunks;
	struct uvm_root *kept; /* without chunks; or NULL */
	bool lacks;
};

void uvm_chunks_init(struct uvm_chunks *chunks, struct rm_gpu *gpu);
/* All chunks were freed. Of zeroed memory: nothing. */
void uvm_chunks_fini(struct uvm_chunks *chunks);

/*
 * A chunk of 4 KiB, 64 KiB or 2 MiB, aligned to its size; a user chunk is pinned. zero says whether
 * all of it reads as zero. NV_ERR_NO_MEMORY: room->lacks says whether for want of video memory.
 */
enum nv_status uvm_chunk_alloc(struct uvm_room *room, enum uvm_chunk_kind kind, u64 size,
			       struct uvm_chunk **out);
/*
 * Nobody reaches it any more, but for what the GPU remembers of page tables. NULL is ignored; of a
 * part that is none yet (uvm_chunk_divide) the record goes.
 */
void uvm_chunk_free(struct uvm_chunk *chunk);
/* A user chunk is the space's, for what is at that address, and no longer pinned. */
void uvm_chunk_own(struct uvm_chunk *chunk, struct uvm_space *owner, u64 start);
/* Something of the owner's is in it, and was used just now; or nothing is any more. */
void uvm_chunk_use(struct uvm_chunk *chunk, bool used);
/*
 * part, of which size and start are set and all else is zero, becomes that part of a chunk that has
 * an owner. Once all of it is in parts, uvm_chunk_dissolve frees what is left: the record.
 */
void uvm_chunk_divide(struct uvm_chunk *chunk, struct uvm_chunk *part);
void uvm_chunk_dissolve(struct uvm_chunk *chunk);

/* -- Roots that are emptied (uvm/evict.h) --------------------------------------------------------
 */

/* The user root to be evicted next, or NULL; it is the caller's to empty. */
struct uvm_root *uvm_root_pick(struct uvm_chunks *chunks);
/* The root of that chunk, or at that address of video memory, if it can be evicted. */
struct uvm_root *uvm_root_pick_of(struct uvm_chunk *chunk);
struct uvm_root *uvm_root_pick_at(struct uvm_chunks *chunks, u64 address);
/* How many bytes could be evicted. */
u64 uvm_chunks_evictable(struct uvm_chunks *chunks);
/*
 * A space that has chunks of a root that is being evicted, held (uvm_space_put), or NULL: none has.
 */
struct uvm_space *uvm_root_owner(struct uvm_root *root);
/* One of the chunks that it has of it, or NULL. The space's lock. */
struct uvm_chunk *uvm_root_chunk_of(struct uvm_root *root, const struct uvm_space *owner);
/* It was not emptied, and is as any other again, the last to be picked. */
void uvm_root_spare(struct uvm_root *root);
/* It is empty, and goes back to the resource manager. */
void uvm_root_free(struct uvm_root *root);
/*
 * It is empty, and the room's next. False: it went back to the resource manager, since the GPU may
 * remember where it led.
 */
bool uvm_room_keep(struct uvm_room *room, struct uvm_root *root);
/* What is kept goes back, and nothing lacks. */
void uvm_room_clear(struct uvm_room *room);

#endif
