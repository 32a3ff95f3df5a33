/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Class NV01_CONTEXT_DMA: a part of a memory object under a handle of its own. Of what earlier GPUs
 * did with it, error notifiers of channels are left.
 */
#ifndef RM_CLASS_CONTEXT_DMA_H
#define RM_CLASS_CONTEXT_DMA_H

#include "rm/class/memory.h"

struct rm_context_dma {
	struct rm_object object;
	struct rm_backing *backing; /* referenced */
	u64 offset, size;	    /* in it; bytes */
};

/* NULL when the object is of another class. */
const struct rm_context_dma *rm_context_dma_of(const struct rm_object *object);

#endif
