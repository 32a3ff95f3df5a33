/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The firmware image that this GPU was built with, and the digests that it trusts (made by
 * image.py).
 */
#ifndef H100_GSP_IMAGE_H
#define H100_GSP_IMAGE_H

#include "base/types.h"

extern const u8 h100_container[]; /* an ELF-64 file; docs/boot.md lists its sections */
extern const size_t h100_container_size;
extern const u32 h100_image_size; /* of .fwimage */
extern const u8 h100_image_sha384[48];
extern const u8 h100_fmc_sha384[48];

#endif
