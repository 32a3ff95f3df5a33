/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The function as the firmware and engines that run on the GPU reach it. Which of two
 * implementations a program has is chosen when it is linked: function/chip.c, where the function is
 * in the same process, or host/linux/gpu/remote.c, where it is in the kernel.
 */
#ifndef H100_FUNCTION_CHIP_H
#define H100_FUNCTION_CHIP_H

#include "base/types.h"

/* Each implementation has its own. */
struct h100_chip;

/* Work that an access left for the firmware; bits. */
enum h100_work {
	H100_WORK_FSP = 1u << 0,	/* FSP's command queue was rung */
	H100_WORK_GSP = 1u << 1,	/* GSP's command queue was rung */
	H100_WORK_RESET = 1u << 2,	/* the function was reset: all that ran on it is gone */
	H100_WORK_DOORBELL = 1u << 3,	/* channels were rung: h100_chip_doorbells says which */
	H100_WORK_INVALIDATE = 1u << 4, /* of TLBs: NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE says
					   what; its trigger is cleared when it is done */
	/* Not of the function's: */
	H100_WORK_ERRORS = 1u << 5, /* engines stopped channels */
};

/* What distinguishes this GPU from others. */
struct h100_function_identity {
	u16 vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	u8 revision;
	u8 link_generation, link_width; /* PCIe */
	u32 index;
	u64 bar_bytes[3]; /* powers of 2: registers (16 MiB), video memory, control */
	u64 video_bytes;
	bool video_closed; /* no BAR or window shows video memory: confidential mode */
};

#define H100_EMEM_WORDS 256u /* FSP's channel 0 */

/* A register that holds a value, by its offset in BAR 0; as software on the chip sees it. */
u32 h100_chip_register_get(struct h100_chip *chip, u32 offset);
void h100_chip_register_set(struct h100_chip *chip, u32 offset, u32 value);

/*
 * Tokens that were written to the doorbell register (as NVC86F work-submit tokens: channel id, the
 * runlist above it), at most max (no less than H100_DOORBELLS_AT_ONCE); each once, however often it
 * was rung since. That many: there may be more.
 */
#define H100_DOORBELLS_AT_ONCE 62u
u32 h100_chip_doorbells(struct h100_chip *chip, u32 *tokens, u32 max);

/* A vector of the interrupt tree becomes pending. */
void h100_chip_raise(struct h100_chip *chip, u32 vector);

/*
 * The packet that the driver put into FSP's command queue: its bytes in data (at most size), 0 when
 * there is none or it does not fit. Gives the queue back to the driver.
 */
u32 h100_chip_fsp_receive(struct h100_chip *chip, void *data, u32 size);
/* Puts a packet into FSP's message queue; a multiple of 4 bytes, at most H100_EMEM_WORDS * 4. */
void h100_chip_fsp_send(struct h100_chip *chip, const void *data, u32 size);
/* FSP has booted (or not: the driver waits). */
void h100_chip_fsp_set_ready(struct h100_chip *chip, bool ready);

enum h100_gsp_run {
	H100_GSP_LOCKED,  /* FSP holds it: reads say so */
	H100_GSP_BOOTING, /* visible, not unlocked */
	H100_GSP_RUNNING,
	H100_GSP_HALTED,
};
void h100_chip_gsp_set_run(struct h100_chip *chip, enum h100_gsp_run run);
/* Sets bits of GSP's IRQSTAT and raises its vector. */
void h100_chip_gsp_interrupt(struct h100_chip *chip, u32 bits);
/* Video memory [start, end) becomes WPR2; start == end: none. */
void h100_chip_wpr2_set(struct h100_chip *chip, u64 start, u64 end);

/* May the function reach system memory? True where each access is checked by itself. */
bool h100_chip_bus_master(struct h100_chip *chip);
/* Takes the function off the bus, or puts it back as it was. */
void h100_chip_set_present(struct h100_chip *chip, bool present);

#endif
