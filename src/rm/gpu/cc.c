// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The confidential mode of all GPUs together, which r535 keeps in its GPU manager (ccCaps): one
 * word, changed as a whole.
 *
 *   | how many GPUs run, 24 bits | RM_CC_* |
 */
#include "rm/cc/session.h"

#define MODE (RM_CC_ENABLED | RM_CC_DEVTOOLS | RM_CC_CHECKED)

enum nv_status rm_cc_attach(struct rm_gpu *gpu)
{
	u32 mode = rm_cc_mode(gpu), before, after;
	struct rm *rm = gpu->rm;

	do {
		before = os_load_acquire(&rm->cc);
		if (before < RM_CC_COUNT) {
			after = RM_CC_COUNT | mode | (mode & RM_CC_DEVTOOLS ? RM_CC_READY : 0);
		} else if ((before & MODE) == mode) {
			after = before + RM_CC_COUNT;
		} else {
			os_log(OS_LOG_ERROR,
			       "NVRM: GPU%u: confidential mode differs from the other GPUs'",
			       gpu->instance);
			return NV_ERR_INVALID_STATE;
		}
	} while (!os_cmpxchg32(&rm->cc, before, after));
	gpu->cc_attached = true;
	return NV_OK;
}

void rm_cc_detach(struct rm_gpu *gpu)
{
	if (gpu->cc_attached)
		os_fetch_sub(&gpu->rm->cc, RM_CC_COUNT);
	gpu->cc_attached = false;
}

void rm_cc_set_ready(struct rm *rm, bool ready)
{
	if (ready)
		os_fetch_or(&rm->cc, RM_CC_READY);
	else
		os_fetch_and(&rm->cc, ~RM_CC_READY);
}
