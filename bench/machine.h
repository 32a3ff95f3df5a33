/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A whole driver with one software GPU in this process, for benchmarks of what its firmware
 * answers. A failure ends the program.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "os/user/user.h"

struct machine;

/* Boots the GPU; lend: waiting threads run its firmware. */
struct machine *machine_open(bool lend);
void machine_close(struct machine *machine);
/* A control of the subdevice. */
void machine_control(struct machine *machine, u32 cmd, void *params, u32 size);
/* The cheapest control of the client. */
void machine_cheap(struct machine *machine);

#endif
