/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * NVLink: how a GPU's engines reach another one's video memory. The other GPU is in the same
 * process, or in one of its own that shares its memory (h100_fabric_attach).
 *
 *   PTE or copy: aperture PEER, peer id, address
 *      --> the GPU's peer table, which its firmware fills: links to a GPU beside it, or to switches
 *      --> beside: the address is one of that GPU's video memory
 *          switches: bits 38 and up say which GPU (its fabric window), the rest where in its memory
 *      --> the port of the other GPU --> its video memory
 *
 * Nothing is reached while a link of either GPU is down, or one of them is off the bus.
 *
 * Locks: a port's is the last that a thread takes: it is held while bytes are moved and nothing is
 * waited for meanwhile. A thread is in a burst of its own GPU only (memory.h), never in another's,
 * so that GPUs that copy to each other cannot wait for each other. Whoever moves the backing of
 * video memory takes the bursts' lock first, then the port's.
 */
#ifndef H100_ENGINE_FABRIC_H
#define H100_ENGINE_FABRIC_H

#include "h100/engine/memory.h"

#define H100_FABRIC_GPUS 16u
#define H100_FABRIC_WINDOW_SHIFT 38u /* 256 GiB for each GPU: more than any has */

struct h100_remote {
	u8 *video;
	u64 video_bytes;
	const u32 *linked;    /* atomic */
	u64 *sent, *received; /* bytes by that GPU, atomic: this process adds to them */
};

/* Where a GPU's window begins in the addresses of the switches. */
static inline u64 h100_fabric_base(u32 index)
{
	return ((u64)index + 1) << H100_FABRIC_WINDOW_SHIFT;
}

/*
 * The memory becomes GPU index of the fabric: others reach it, it reaches others. No engine runs
 * yet. NV_ERR_INVALID_ARGUMENT: no such place; NV_ERR_IN_USE.
 */
enum nv_status h100_fabric_plug(struct h100_fabric *fabric, u32 index, struct h100_memory *m);
/*
 * GPU index is in another process, which shares its video memory and a word that is not 0 while the
 * GPU has its links up. What becomes of accesses that are under way when it is cleared is that
 * side's to settle. Before engines run; all of it stays until the fabric is destroyed.
 */
void h100_fabric_attach(struct h100_fabric *fabric, u32 index, const struct h100_remote *remote);
/* Waits for accesses under way; none begins any more. Nothing happens if it was not plugged. */
void h100_fabric_unplug(struct h100_memory *m);

/* -- The peer table, the firmware's ------------------------------------------------------------ */

/* Which way a peer id leads; it takes both, a way and being enabled, for the id to be used. */
void h100_peer_by_switches(struct h100_memory *m, u32 id);
void h100_peer_beside(struct h100_memory *m, u32 id, u32 gpu);
void h100_peer_remove(struct h100_memory *m, u32 id);
void h100_peer_enable(struct h100_memory *m, u32 id, bool enable);
void h100_peers_reset(struct h100_memory *m);

/* -- Accesses, in a burst; aperture is a peer's ------------------------------------------------ */

/* False: the id leads nowhere (a fault of its own: UNSUPPORTED_APERTURE). */
bool h100_peer_usable(const struct h100_memory *m, u32 aperture);
/* As h100_memory_read, _write and _fetch_op. */
bool h100_peer_read(struct h100_memory *m, u32 aperture, u64 address, void *data, u64 size);
bool h100_peer_write(struct h100_memory *m, u32 aperture, u64 address, const void *data, u64 size);
bool h100_peer_fetch_op(struct h100_memory *m, u32 aperture, u64 address, u32 width,
			enum h100_memory_op op, u64 operand, u64 *old);

/* -- Who moves the backing of video memory (memory.c) ------------------------------------------ */

void h100_port_pause(struct h100_memory *m);
void h100_port_resume(struct h100_memory *m);

#endif
