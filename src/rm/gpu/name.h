/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What GPUs are called by their PCI ids, before any of their firmware runs. */
#ifndef RM_GPU_NAME_H
#define RM_GPU_NAME_H

#include "rm/gpu/gpu.h"

/* The product's name, or "Unknown" for a board that is not listed. Never changes. */
const char *rm_gpu_name(const struct rm_gpu *gpu);

#endif
