/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Confidential mode of one GPU, from the registers that say so to the keys: what r535 keeps in
 * ConfidentialCompute. It is made when the firmware is booted and goes when that is stopped.
 *
 *   rm_cc_begin       mode                 before the firmware starts
 *   rm_cc_establish   SPDM, keys, and from then on sealed messages
 *                                          once the firmware is up
 *   rm_cc_end         the firmware forgets the session
 *   rm_cc_destroy     all is wiped
 *
 * All under the GPU lock, unless it says otherwise.
 */
#ifndef RM_CC_SESSION_H
#define RM_CC_SESSION_H

#include "rm/gpu/gpu.h"
#include "rm/instance.h"

struct key_store;
struct rm_cc;
struct rm_cc_transfer;
struct rm_spdm;

#define RM_CC_AAD_SIZE 16u
#define RM_CC_TAG_SIZE 16u

/*
 * Finds the mode, as NV_PGC6_AON_SECURE_SCRATCH_GROUP_20_CC and the registry have it
 * (RmConfidentialCompute, RmConfComputeEarlyInit), and makes gpu->cc where it is on.
 * NV_ERR_INVALID_OPERATION: this CPU protects no memory (and the registry does not insist), or the
 * GPU has not the feature; NV_ERR_NO_MEMORY. FSP has booted: it writes what says the mode.
 */
enum nv_status rm_cc_begin(struct rm_gpu *gpu);
/*
 * The session: an authenticated GPU, all keys, and sealed messages from here on. Whatever fails is
 * in the log, by name; the boot is to fail with it. Statuses of rm/cc/spdm.h and key_store.h.
 */
enum nv_status rm_cc_establish(struct rm_gpu *gpu);
void rm_cc_end(struct rm_gpu *gpu);
/* Wipes it; gpu->cc is NULL then, as it may have been. */
void rm_cc_destroy(struct rm_gpu *gpu);

/* RM_CC_ENABLED, RM_CC_DEVTOOLS and RM_CC_CHECKED as this GPU has them. */
u32 rm_cc_mode(const struct rm_gpu *gpu);
/* Bits for NVGSP_PROXY_REG_*, which the boot firmware is told. */
u32 rm_cc_proxy_keys(const struct rm_gpu *gpu);

/*
 * The GPU's SPDM session, or NULL: no confidential mode, or not booted. It may have ended
 * (rm_spdm_established). Only while the GPU lock is held: its exchanges are messages to the
 * firmware.
 */
struct rm_spdm *rm_cc_session(struct rm_gpu *gpu);
/*
 * The GPU's keys, for csl_init_context; NULL: no confidential mode. They stay until the firmware
 * is stopped, when the GPU's objects are gone; the caller is one of those, and needs no lock.
 */
struct key_store *rm_cc_keys(const struct rm_gpu *gpu);
/* What rm/gpu/video.h writes by; NULL: no confidential mode. GPU lock held. */
struct rm_cc_transfer *rm_cc_transfer(const struct rm_gpu *gpu);

/*
 * Messages of the firmware's queues, in place and in their order; nothing is allocated.
 * rm_cc_open: NV_ERR_INVALID_DATA, and text is all zero, for anything that is not the next one.
 * Both: NV_ERR_INSUFFICIENT_RESOURCES when the counter ends.
 */
enum nv_status rm_cc_seal(struct rm_cc *cc, void *text, u32 size, const u8 aad[RM_CC_AAD_SIZE],
			  u8 tag[RM_CC_TAG_SIZE]);
enum nv_status rm_cc_open(struct rm_cc *cc, void *text, u32 size, const u8 aad[RM_CC_AAD_SIZE],
			  const u8 tag[RM_CC_TAG_SIZE]);

/* -- The mode of all GPUs together (gpu/cc.c); no lock -------------------------------------------
 */

/* Bits of rm->cc; above them counts how many GPUs run. */
#define RM_CC_ENABLED 0x1u
#define RM_CC_DEVTOOLS 0x2u
#define RM_CC_READY 0x4u   /* work of clients is accepted, where that is asked for */
#define RM_CC_CHECKED 0x8u /* it is: GPUS_READY_CHECK */
#define RM_CC_COUNT 0x100u

/*
 * The GPU runs from now on. The first one decides for all, and with it the ready state begins
 * anew: only devtools mode is ready by itself. NV_ERR_INVALID_STATE: its mode is another one.
 */
enum nv_status rm_cc_attach(struct rm_gpu *gpu);
/* It runs no more; nothing where rm_cc_attach was not called. */
void rm_cc_detach(struct rm_gpu *gpu);
void rm_cc_set_ready(struct rm *rm, bool ready);

static inline bool rm_cc_is_enabled(const struct rm *rm)
{
	return (os_load_acquire(&rm->cc) & RM_CC_ENABLED) != 0;
}

/*
 * Whether a client's secure channels may be made; if not, that is NV_ERR_NOT_READY. The driver's
 * own may always.
 */
static inline bool rm_cc_accepts_work(const struct rm *rm)
{
	u32 cc = os_load_acquire(&rm->cc);

	return !(cc & RM_CC_ENABLED) || !(cc & RM_CC_CHECKED) || (cc & RM_CC_READY);
}

#endif
