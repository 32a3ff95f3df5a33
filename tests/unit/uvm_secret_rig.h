/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A device of unified memory's on a software H100 in confidential mode, through the real resource
 * manager, with some video memory to work on, and eyes for what others see.
 */
#ifndef TESTS_UVM_SECRET_RIG_H
#define TESTS_UVM_SECRET_RIG_H

#include "rm_host.h"
#include "unit.h"

#include "uvm/internal.h"
#include "uvm/queue.h"

#define VIDEO MIB(4)

extern struct uvm *uvm;
extern struct rm_gpu *gpu;
extern struct rm_uvm_gpu_info info;
extern struct uvm_device *device;
extern u64 video_at; /* VIDEO bytes of it */
extern u64 seed;

/* A case's set-up and end. */
int secret_start(void **state);
int secret_end(void **state);
/* Another device in the place of the one there is, which may have failed. */
void secret_renew(void);
u8 *in_video(u64 offset);
void fill_random(u8 *bytes, u64 size);

#endif
