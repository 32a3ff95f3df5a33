/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A machine of two GPUs in confidential mode whose host attacks the first one, and the matrix of
 * what he tries: one row a cell, each with what is to become of it.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "../unit/rm_host.h"
#include "../unit/unit.h"
#include "host/user/adversary/adversary.h"
#include "os/crypto.h"
#include "rm/gpu/gpu.h"

#define VICTIM 0u
#define BYSTANDER 1u

/* Who noticed a manipulation, and what came of it. */
enum detector {
	BY_DRIVER,    /* NV_ERR_INVALID_DATA, Xid 120, the GPU is lost */
	BY_FIRMWARE,  /* it stops: NV_ERR_GPU_IS_LOST, Xid 120 */
	BY_BOOT,      /* the GPU does not start, and starts the next time */
	BY_SESSION,   /* the report is refused, and the session over; the GPU works on */
	BY_ENGINE,    /* the channel stops with an error, and nothing was delivered */
	BY_CLIENT,    /* the tag of what came is wrong: NV_ERR_INVALID_DATA */
	BY_TIMEOUT,   /* NV_ERR_TIMEOUT, Xid 119; the next call is served */
	BY_CALL,      /* the call fails; the next one is served */
	STOPPED,      /* work is not done, and nobody is told that it were */
	NOTHING_LOST, /* all is done and right, sooner or later */
	DETECTORS,
};
#define BIT_OF(detector) (1u << (detector))

struct cell {
	const char *state, *object, *field, *change;
	const char *expected; /* for people: the status */
	u32 detectors;	      /* any of these */
	enum detector (*run)(const struct cell *cell);
	struct adversary_rule
		rule; /* what the cell's function arms; times, gpu and seeds are its own */
	const char *rule_field; /* name of the rule's field; NULL: any place */
	u32 weight;		/* how often it is drawn, beyond the once */
	u64 count, seen[DETECTORS];
};

extern struct cell message_cells[], spdm_cells[], channel_cells[], launch_cells[];
extern const u32 message_cell_count, spdm_cell_count, channel_cell_count, launch_cell_count;

/* -- The machine: rig.c ------------------------------------------------------------------------ */

extern struct adversary *adversary;
extern u64 seed_now;  /* of this test's own choices */
extern u8 marker[16]; /* what all of the users' data is made of */

static inline u32 draw(u32 below)
{
	return (u32)(unit_random(&seed_now) >> 33) % below;
}

void rig_start(u64 seed);
void rig_stop(void);
/* The victim is open, its session up; boots it where it is not. */
void rig_up(void);
/* Nobody has it open; it is not lost. */
void rig_down(void);
/* Opens it; what that fails with, or NV_OK. */
u32 rig_boot(void);
/* After its loss: taken off, reset and found again, as a GPU that nvidia-smi resets. */
void rig_renew(void);
/* What was logged since the last call of rig_log_begin. */
void rig_log_begin(void);
bool rig_logged(const char *text);

struct rm_gpu *rig_gpu(u32 which);
/* One call of that many bytes of users' data to the firmware, which serves it and says so by this:
 */
#define SERVED NV_ERR_NOT_SUPPORTED
u32 rig_ask(u32 which, u32 bytes);
/* Nobody may see it in shared memory, from now on. */
void rig_secret(const char *name, const void *bytes, u32 size);
void fill_user_data(u8 *bytes, u32 size);
/* The other GPU serves. */
void rig_check_bystander(void);
/* How long the victim's calls wait for a reply from now on; 0: as at first. */
void rig_patience(u32 ms);
/* The same of what the driver waits for while it boots. */
void rig_boot_patience(u32 ms);
/* Arms the cell's rule, once, for the victim; its number. */
s32 rig_arm(const struct cell *cell);
/* The same, for the nth object that it is for. */
s32 rig_arm_nth(const struct cell *cell, u64 nth);
/* What became of a call that may have cost the GPU, which is renewed then. */
enum detector rig_verdict(u32 status);

/* copies.c: channels of the victim's that are to be made anew. */
void channels_forget(void);

#endif
