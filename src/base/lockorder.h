/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The one list of lock ranks, outermost first. A thread may take a lock only while every lock that
 * it holds has a smaller rank; two locks of one rank are taken together only through the functions
 * that order them (os_mutex_lock_pair). Debug builds check this at each acquisition.
 */
#ifndef BASE_LOCKORDER_H
#define BASE_LOCKORDER_H

enum lock_rank {
	LOCK_RANK_POWER = 1,   /* power management: suspend against everything else */
	LOCK_RANK_MMAP,	       /* a file's mapping table */
	LOCK_RANK_UVM_LISTEN,  /* whom the resource manager tells of GPUs that go */
	LOCK_RANK_UVM_GLOBAL,  /* unified memory: all of it */
	LOCK_RANK_UVM_SPACE,   /* ... one VA space */
	LOCK_RANK_UVM_BLOCK,   /* ... one block */
	LOCK_RANK_UVM_DEVICES, /* ... which GPUs have channels of its own */
	LOCK_RANK_UVM_DEVICE,  /* ... one GPU's channels coming to be */
	LOCK_RANK_UVM_ACROSS,  /* ... whose channels wait for another GPU's */
	LOCK_RANK_UVM_LAUNCH,  /* ... one GPU's secure launch */
	LOCK_RANK_UVM_POOL,    /* ... one channel of its own */
	LOCK_RANK_API,	     /* the RM API lock: shared for calls, exclusive for topology changes */
	LOCK_RANK_CLIENT,    /* one client's objects */
	LOCK_RANK_PEER,	     /* peer ids: which GPUs reach each other's memory */
	LOCK_RANK_GPU,	     /* one GPU: its state and its RPC queues */
	LOCK_RANK_VASPACE,   /* one GPU virtual address space: its ranges and page tables */
	LOCK_RANK_CHANNEL,   /* one GPU's channels: ids, groups, notifiers */
	LOCK_RANK_TLB,	     /* one GPU's registers of TLB invalidation */
	LOCK_RANK_LEAF,	     /* everything below: may nest nothing but spinlocks */
	LOCK_RANK_LEAF_SPIN, /* spinlocks, interrupt top halves included */
	LOCK_RANK_COUNT,
};

#endif
