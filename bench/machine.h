/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A whole driver with one software GPU in this process, for benchmarks of what its firmware
 * answers; one at a time. A failure ends the program.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "abi/r535.h"
#include "os/user/user.h"

#define MACHINE_DEVICE 0x1000u /* the client's */

/* Boots the GPU; lend: waiting threads run its firmware. */
void machine_open(bool lend);
/* The same of a GPU in confidential mode. */
void machine_open_cc(bool lend);
void machine_close(void);
/* A control of the subdevice. */
void machine_control(u32 cmd, void *params, u32 size);
/* The cheapest control of the client. */
void machine_cheap(void);
u32 machine_client(void);
/* An object of the client's below the device. */
void machine_make(u32 handle, u32 class_id, void *params);
/* An ioctl of the control node's; the status is in params. */
void machine_request(u32 number, void *params, u32 size);

#endif
