/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A client's address space as UVM holds it. */
#ifndef RM_UVM_VASPACE_H
#define RM_UVM_VASPACE_H

#include "rm/uvm.h"

struct rm_vaspace;

struct rm_uvm_vaspace {
	struct rm_gpu *gpu;
	struct rm_vaspace *space; /* referenced */
	u32 client, handle;	  /* of the object that it was named by */
	u64 serial;		  /* of that client */
	bool set;		  /* a page directory of ours */
};

#endif
