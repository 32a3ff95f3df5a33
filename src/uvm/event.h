/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Events and counters for tools. A tools file watches one VA space, whose file it keeps, and has
 * memory of its process pinned for what it is told:
 *
 *   a queue    entries [ ][e][e][e][ ][ ]   64 bytes each; written at put, read by the tool at get
 *              control  get_ahead get_behind put_ahead put_behind dropped[type]
 *   counters   control  [0] .. [UVM_TOTAL_COUNTERS - 1]
 *
 * The tool may write all of it: indices are taken modulo the ring, and nothing is read but them.
 */
#ifndef UVM_EVENT_H
#define UVM_EVENT_H

#include "uvm/internal.h"

struct uvm_observer;

/* What all entries of a queue have. */
union uvm_event {
	u8 type; /* UvmEventType*, first in each */
	UvmEventCpuFaultInfo cpu_fault;
	UvmEventMigrationInfo migration;
	u64 words[8];
};
_Static_assert(sizeof(union uvm_event) == 64, "an entry of a queue");

/* Ends the tools file's watch. No lock is held. */
void uvm_observer_close(struct uvm_file *file);
enum uvm_poll uvm_observer_poll(struct uvm_file *file);

/* -- What is told, under the space's lock
 * ---------------------------------------------------------- */

/* Whether anybody asks for events of that type. */
bool uvm_event_is_wanted(const struct uvm_space *space, u32 type);
/* type is below UvmEventNumTypesAll. */
void uvm_event_record(struct uvm_space *space, const union uvm_event *event);
/*
 * A counter, of that processor; aggregate: it counts for who asked for all processors, too. counter
 * is below UVM_TOTAL_COUNTERS.
 */
void uvm_counter_add(struct uvm_space *space, u32 counter, u64 amount,
		     const NvProcessorUuid *processor, bool aggregate);

struct uvm_range;

/* The CPU touched a managed page that it had not mapped. */
void uvm_event_cpu_fault(const struct uvm_range *range, u64 address, bool write);
/*
 * Pages of a block, by their bits in the mask, which begins at that address, went to the GPU's
 * memory or came back; since when, by the CPU's time and the GPU's.
 */
void uvm_event_migrated(struct uvm_space *space, const struct uvm_gpu *gpu, bool to_gpu, u64 base,
			const u64 *mask, u64 began, u64 began_gpu);

#endif
