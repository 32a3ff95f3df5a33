/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Eviction: managed memory that gives up its place in a GPU's video memory for something else, the
 * least recently used 2 MiB (uvm/chunk.h) first, of whichever VA space. Whoever lacks memory lets
 * go of its space's lock, so that no two are held, and what it does begins anew:
 *
 *   lock space -> no video memory -> unlock -> pick a root -> for each space that has some of it:
 *   lock, bring it back, unlock -> lock space -> the root is the room's -> again
 *
 * A block that moves is not evicted beneath itself: it moves under its space's lock.
 */
#ifndef UVM_EVICT_H
#define UVM_EVICT_H

#include "uvm/internal.h"

/*
 * What ended with *status under the space's lock is to be done again: it was for want of video
 * memory, of which there is some now. The lock was let go of in between: whatever was found under
 * it may be gone. False: it is to be left at *status, and nothing is kept for the next attempt.
 */
bool uvm_evict_retry(struct uvm_space *space, enum nv_status *status);
/* Nothing of the space lacks any more, and nothing is kept for it. Its lock. */
void uvm_rooms_clear(struct uvm_space *space);
/* Whether something of the space found no video memory since. Its lock. */
bool uvm_space_lacks(struct uvm_space *space);

/*
 * Empties a root that was picked, and has it free. No lock of a space is held. What copies fail
 * with, NV_ERR_TIMEOUT: what is left of it stays.
 */
enum nv_status uvm_root_evict(struct uvm_root *root);

/* rm_uvm_listener.reclaim. */
bool uvm_evict_for_others(void *uvm, struct rm_gpu *gpu, u64 bytes);

#endif
