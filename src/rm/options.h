/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Settings that are text: registry keys and lists of GPUs.
 *
 * Registry keys are "name=value;name=value": how NVreg_RegistryDwords and
 * NVreg_RegistryDwordsPerDevice write them. White space counts nowhere. A value is a number as C
 * writes it, of which 32 bits are kept and what follows it is passed over; an entry that is none is
 * passed over too.
 */
#ifndef RM_OPTIONS_H
#define RM_OPTIONS_H

#include "os/os.h"

struct rm;
struct rm_gpu;

/* Writes every key to the global registry. NV_ERR_NO_MEMORY; text may be NULL. */
enum nv_status rm_options_apply(struct rm *rm, const char *text);
/*
 * Writes to the GPU's own registry the keys behind "pci=" and its place, until the next "pci=": a
 * place is bus:device, domain:bus:device or domain:bus:device.function, in hexadecimal.
 */
enum nv_status rm_options_apply_gpu(struct rm *rm, const struct rm_gpu *gpu, const char *text);
/*
 * Whether text, "GPU-01234567-89ab-...,GPU-..." as nvidia-smi -L prints them, names that binary
 * UUID. Case and white space do not count, nor does a part that is no UUID. text may be NULL.
 */
bool rm_options_names_uuid(const char *text, const u8 *uuid);

#endif
