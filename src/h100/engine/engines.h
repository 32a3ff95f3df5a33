/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Which engines a GPU's channels can work on, which runlist schedules each, and the vector of the
 * interrupt tree by which each says that work is done. The first copy engines share the graphics
 * engine's runlist; every other engine has one of its own.
 */
#ifndef H100_ENGINE_ENGINES_H
#define H100_ENGINE_ENGINES_H

#include "h100/engine/profile.h"

#define H100_ENGINES_MAX 32u
#define H100_GRAPHICS_COPY_ENGINES 2u	/* those on the graphics engine's runlist */
#define H100_CHANNELS_PER_RUNLIST 2048u /* channel ids 0 .. 2047 */
#define H100_RUNQUEUES 2u		/* PBDMAs of a runlist */
#define H100_FAULT_METHOD_BUFFER_BYTES                            \
	0x5000u /* what a copy engine saves of a faulting channel \
		 */

struct h100_engine_info {
	u32 type; /* NV2080_ENGINE_TYPE_* */
	u32 runlist;
	u32 nonstall_vector; /* leaf * 32 + bit */
	u32 interrupt_index; /* MC_ENGINE_IDX_* */
	char name[16];	     /* "ce2" */
};

struct h100_engines {
	u32 count, runlists;
	struct h100_engine_info info[H100_ENGINES_MAX];
};

void h100_engines_init(struct h100_engines *engines, const struct h100_profile *profile);
/* NULL: the GPU has no such engine. */
const struct h100_engine_info *h100_engines_find(const struct h100_engines *engines, u32 type);

#endif
