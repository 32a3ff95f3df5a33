/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Controls of older interfaces that are served through their successors.
 */
#ifndef RM_ESCAPE_LEGACY_H
#define RM_ESCAPE_LEGACY_H

#include "rm/escape/escape.h"

bool legacy_control_is(u32 cmd);
/* Serves one of them; the outcome is in p->status. */
void legacy_control(struct rm_file *file, NVOS54_PARAMETERS *p);

#endif
