/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Engine classes: what a method means to the object that a channel has bound to a subchannel. Host
 * methods (below 0x100) are not theirs but the channel's.
 */
#ifndef H100_ENGINE_CLASS_H
#define H100_ENGINE_CLASS_H

#include "h100/engine/mmu.h"

struct h100_secure;

enum h100_engine_kind {
	H100_ENGINE_KIND_GR,
	H100_ENGINE_KIND_COPY,
	H100_ENGINE_KIND_SEC2,
	H100_ENGINE_KIND_SW,
};

enum h100_method_result {
	H100_METHOD_OK,
	H100_METHOD_FAULT,   /* call->fault says which, client and engine_id included */
	H100_METHOD_ERROR,   /* call->error: ROBUST_CHANNEL_*; call->error_info: see there */
	H100_METHOD_STOPPED, /* call->stopped said so; the same call again goes on (resumed) */
};

/* One method being carried out. The caller fills all but what is marked out. */
struct h100_engine_call {
	struct h100_memory *memory;
	struct h100_mmu *mmu;
	struct h100_pdb pdb;
	bool privileged;	    /* the channel: may address memory physically */
	struct h100_secure *secure; /* the channel's keys; NULL: it is not secure */
	u32 chid;
	u32 subchannel;
	u32 instance; /* of the engine among its kind: which copy engine */
	void *channel;
	u64 (*now_ns)(const struct h100_engine_call *call); /* PTIMER */
	/* Raises the engine's non-stalling interrupt. May be NULL. */
	void (*nonstall)(const struct h100_engine_call *call);

	/* Asked now and then by long methods: others are to have their turn. May be NULL. */
	bool (*stopped)(const struct h100_engine_call *call);
	/* The method was stopped. Its words are the client's and may have changed meanwhile. */
	bool resumed;
	u64 moved; /* bytes since others could last come in between: of all calls of a run */

	struct h100_fault fault; /* out */
	u32 error;		 /* out: ROBUST_CHANNEL_* */
	/* out: of copy engines NV_PCE_LAUNCHERR_REPORT_*, of SEC2 NVCBA2_ERROR_*, else the data */
	u32 error_info;
};

struct h100_engine_class {
	u32 class_id;
	u32 object_bytes; /* of zeroes make a new object, which needs no undoing */
	enum h100_engine_kind kind;
	bool hears_binding; /* SET_OBJECT comes to the object too, as method 0 */
	/*
	 * method is its offset in bytes, a multiple of 4 from 0x100 on, or 0. What it launches is
	 * done when it returns, unless it was stopped. Called in a burst (h100_memory_enter), which
	 * it may end and begin anew (h100_memory_yield). Objects of one channel are one thread's at
	 * a time.
	 */
	enum h100_method_result (*method)(struct h100_engine_call *call, void *object, u32 method,
					  u32 data);
	/* Its channel is reset, and does not run. May be NULL: it stays as it is. */
	void (*reset)(void *object);
};

/* NULL: no class that an engine of this GPU has. */
const struct h100_engine_class *h100_engine_class_find(u32 class_id);

#endif
