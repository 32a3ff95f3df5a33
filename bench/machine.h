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
/* Ends the program unless it is good. */
void machine_must(bool good, const char *what);
/* A control of the subdevice. */
void machine_control(u32 cmd, void *params, u32 size);
/* Controls that the firmware answers, of sizes from the smallest to one of several records, and how
 * often each is called to be timed. */
#define MACHINE_CONTROLS 4u
extern const struct machine_routed {
	const char *name;
	u32 cmd, size, calls;
} machine_routed[MACHINE_CONTROLS];
/* The cheapest control of the client. */
void machine_cheap(void);
u32 machine_client(void);
/* An object of the client's below the device. */
void machine_make(u32 handle, u32 class_id, void *params);
/* An ioctl of the control node's; the status is in params. */
void machine_request(u32 number, void *params, u32 size);

static inline double machine_now(void)
{
	return (double)os_time_ns();
}
static inline void machine_least(double *best, double value)
{
	if (value < *best)
		*best = value;
}
/* A line: the value, of that size unless empty, and whether it is at most the goal. */
void machine_report(const char *what, const char *size, double value, double goal);

#endif
