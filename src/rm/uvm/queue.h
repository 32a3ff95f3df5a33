/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A channel of UVM's own, for the files that serve it. */
#ifndef RM_UVM_QUEUE_H
#define RM_UVM_QUEUE_H

#include "rm/cc/csl.h"
#include "rm/class/channel.h"
#include "rm/uvm.h"

struct rm_uvm_queue {
	struct rm_uvm_session *session;
	u32 handle;
	struct rm_channel *channel; /* referenced */
	struct csl_context csl;	    /* of a secure one */
};

#endif
