/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Class MMU_FAULT_BUFFER: one of a GPU, the driver's own. With it the driver registers memory where
 * the firmware puts copies of the MMU's entries (NVC369_BUF_ENTRY_*) of faults that are not
 * replayable: the client shadow fault buffer.
 */
#ifndef RM_CLASS_FAULT_BUFFER_H
#define RM_CLASS_FAULT_BUFFER_H

#include "rm/class/state.h"

/* The ring; outlives its object while somebody reads it. */
struct rm_fault_ring;

/*
 * The ring that is registered with the object, referenced; NULL: none, or it is no such object. The
 * lock of the object's client is held.
 */
struct rm_fault_ring *rm_fault_ring_of(const struct rm_object *object);
void rm_fault_ring_put(struct rm_fault_ring *ring);
/* How many entries it has room for. */
u32 rm_fault_ring_size(const struct rm_fault_ring *ring);
/* Whether there is anything to take. Any context. */
bool rm_fault_ring_pending(const struct rm_fault_ring *ring);
/*
 * Moves at most max of the oldest entries to entries; returns how many. One thread at a time. The
 * GPU may write what it likes: who reads them looks at VALID.
 */
u32 rm_fault_ring_take(struct rm_fault_ring *ring, u32 (*entries)[NVC369_BUF_SIZE / 4], u32 max);

#endif
