/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The engine classes there are, each in a file of its own: class.c finds them by number.
 */
#ifndef H100_ENGINE_CLASSES_H
#define H100_ENGINE_CLASSES_H

#include "h100/engine/class.h"

extern const struct h100_engine_class h100_compute_class; /* compute.c */
extern const struct h100_engine_class h100_copy_class;	  /* copy.c */
extern const struct h100_engine_class h100_sec2_class;	  /* sec2.c */

/* compute_methods.c: whether HOPPER_COMPUTE_A has that method. */
bool h100_compute_method_known(u32 method);

#endif
