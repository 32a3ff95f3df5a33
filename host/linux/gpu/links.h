/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * NVLink to the GPUs of other processes: their video memory, which the module shows, and the page
 * that says which are linked (softh100.h). One thread, the one that serves the GPU.
 */
#ifndef HOST_LINUX_GPU_LINKS_H
#define HOST_LINUX_GPU_LINKS_H

#include "h100/engine/state.h"
#include "h100/h100.h"
#include "host/linux/gpu/remote.h"

struct links {
	struct h100_chip *chip;
	struct h100_fabric *fabric;
	struct softh100_links *page; /* NULL: there is no other GPU */
	u8 *video[SOFTH100_LINKS_MAX];
	u64 video_bytes; /* of each */
	u32 self, count;
	bool linked; /* what the module was told last */
};

/* The fabric, with nothing in it; 0 or ENOMEM. */
int links_init(struct links *links, struct h100_chip *chip, u32 self, u32 count);
/* Brings the other GPUs into it, once the file is bound and before engines run. 0, EINVAL, ENOMEM.
 */
int links_map(struct links *links, u64 video_bytes);
/*
 * Takes over what others counted for this GPU, and tells the module whether its links are up;
 * reset: the function was reset, and the module took the links down by itself.
 */
void links_run(struct links *links, struct h100_state *state, bool reset);
/* Engines are gone. */
void links_close(struct links *links);

#endif
