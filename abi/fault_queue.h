/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The queue of a client's shadow fault buffer, which r535's two halves share in a page of system
 * memory; the entries (NVC369_BUF_ENTRY_*) are in pages of their own. Offsets of its 64-bit words
 * are those of struct Queue (containers/queue.h of the published driver) on x86-64; its pointers
 * mean nothing here.
 *
 *   0x00 capacity | 0x18 bytes of an entry | 0x40 get: the driver's | 0x80 put: the firmware's
 */
#ifndef ABI_FAULT_QUEUE_H
#define ABI_FAULT_QUEUE_H

#define LH_SHADOW_QUEUE_CAPACITY 0x00u
#define LH_SHADOW_QUEUE_ENTRY_BYTES 0x18u
#define LH_SHADOW_QUEUE_GET 0x40u
#define LH_SHADOW_QUEUE_PUT 0x80u

#endif
