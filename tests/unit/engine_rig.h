/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * An engine's surroundings without a GPU: video memory, system memory of scattered DMA pages, and
 * page tables that a test fills by hand.
 *
 *   video:  page tables from the end downwards ... the test's own from 0 upwards
 */
#ifndef ENGINE_RIG_H
#define ENGINE_RIG_H

#include "h100/engine/class.h"
#include "h100/h100.h"

#define RIG_VIDEO_BYTES (16u << 20)
#define RIG_SYSTEM_PAGES 1024u

struct rig {
	struct h100_host host;
	struct h100_memory memory;
	struct h100_mmu *mmu;
	struct h100_pdb pdb;
	u8 *video, *system;
	bool unmapped[RIG_SYSTEM_PAGES]; /* pages that DMA does not find */
	u64 tables;			 /* where the lowest table lies */
	u64 now;
	u32 entered; /* atomic: dma_enter less dma_leave */

	struct h100_engine_call call;
	u32 interrupts;
	u64 looks;	/* how often stopped was asked */
	u64 stop_after; /* it says so from then on; 0: never */
};

/* pointers: the host gives pointers to its pages; otherwise only reads and writes. In a burst. */
void rig_init(struct rig *rig, bool pointers);
void rig_destroy(struct rig *rig);

/* The bus address of a byte of system memory. */
u64 rig_bus(u64 offset);

/* PTEs and what leads to them: */
u64 rig_pte(u32 aperture, u64 address, u32 pcf, u32 kind);
/* Puts an entry of the size of page (12, 16, 21 or 29) for va; tables are made as needed. */
void rig_map(struct rig *rig, u64 va, u32 shift, u64 pte);
/* The address in video memory of the entry that rig_map would write; for dual PDEs of the half. */
u64 rig_entry(struct rig *rig, u64 va, u32 shift);
/* Likewise of the PDE at that bit (56, 47, 38, 29, 21) of va, with the tables above it. */
u64 rig_pde(struct rig *rig, u64 va, u32 shift);
void rig_put(struct rig *rig, u64 address, u64 value);

/* size bytes from offset on at va, by pages of 4 KiB; writable. */
void rig_map_video(struct rig *rig, u64 va, u64 offset, u64 size);
void rig_map_system(struct rig *rig, u64 va, u64 offset, u64 size);

/* The address space of what is mapped now: forgets what the TLB knew. */
void rig_flush(struct rig *rig);

#endif
