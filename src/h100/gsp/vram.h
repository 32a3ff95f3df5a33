/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Video memory in this process: one sparse mapping of the GPU's whole memory, which costs what is
 * touched. Behind it is a memfd, save for the ranges that were exported, each of which has one of
 * its own in the same place:
 *
 *   mapping   |        base        | export |    base    | export | export |  base  |
 */
#ifndef H100_GSP_VRAM_H
#define H100_GSP_VRAM_H

#include <pthread.h>

#include "abi/status.h"
#include "base/types.h"

struct h100_host;
struct h100_memory;
struct vram_export;

struct vram {
	u8 *video;
	u64 size;
	int fd;			      /* the base's */
	struct h100_memory *memory;   /* whose engines wait while memory moves; NULL: none run */
	const struct h100_host *host; /* who counts descriptors; NULL: nobody */

	pthread_mutex_t lock;	     /* what follows */
	struct vram_export *exports; /* in order, they do not overlap */
	u32 count, room;
};

/* NV_ERR_NO_MEMORY. */
enum nv_status vram_create(struct vram *v, u64 size);
void vram_destroy(struct vram *v);
/* As h100_video_export and h100_video_discard (h100/h100.h). */
enum nv_status vram_export(struct vram *v, u32 owner, u64 offset, u64 size, int *fd, u64 *fd_offset,
			   u64 *fd_size);
void vram_discard(struct vram *v, u64 offset, u64 size);

#endif
