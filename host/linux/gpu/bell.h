/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Doorbells that clients have mapped, as softh100.ko reports them: each becomes one of the GPU's.
 */
#ifndef HOST_LINUX_GPU_BELL_H
#define HOST_LINUX_GPU_BELL_H

#include "h100/engine/host.h"
#include "host/linux/gpu/remote.h"

struct bells {
	struct h100_chip *chip;
	struct h100_fifo *fifo;
	u8 *pages;			 /* by number, 4 KiB each */
	struct h100_doorbell **doorbell; /* by number; NULL: not there */
};

/* Of an attached file. 0 or ENOMEM. */
int bells_open(struct bells *bells, struct h100_chip *chip);
/* The engines are there from here on; before them nothing is armed. */
void bells_start(struct bells *bells, struct h100_fifo *fifo);
/*
 * SOFTH100_WORK_BELLS: takes some reports, and no more before other work had its turn, since
 * clients may ring faster than anybody takes them. What fails is the chip's error.
 */
void bells_run(struct bells *bells);
/* h100_host's doorbell_arm. */
bool bells_arm(struct bells *bells, struct h100_doorbell *doorbell);
/* The engines, with the doorbells that are left, are gone. */
void bells_close(struct bells *bells);

#endif
