/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A little memory of either kind for fuzzers of engines, the same at the start of each input, and a
 * peer with as much: by its first peer ids, which are the switches' and those of the GPU beside.
 */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "h100/engine/fabric.h"
#include "h100/engine/mmu.h"
#include "os/os.h"

#define FUZZ_VIDEO_BYTES (128u * 1024)
#define FUZZ_PAGES 16u
#define FUZZ_BUS 0x10000000ull /* pages lie at every other page from here on */

struct fuzz_engine {
	struct h100_host host;
	struct h100_memory memory;
	struct h100_mmu *mmu;
	u8 *video, *pages;
	struct h100_fabric *fabric;
	struct h100_memory peer;
	u8 *peer_video;
};

#define FUZZ_SWITCHED 0u /* peer ids */
#define FUZZ_BESIDE 1u

static inline u8 *fuzz_bus(void *ctx, u64 address, size_t size)
{
	struct fuzz_engine *f = ctx;
	u64 page = (address - FUZZ_BUS) / (2 * OS_PAGE_SIZE);
	u64 offset = (address - FUZZ_BUS) % (2 * OS_PAGE_SIZE);

	if (address < FUZZ_BUS || page >= FUZZ_PAGES || offset >= OS_PAGE_SIZE ||
	    size > OS_PAGE_SIZE - offset)
		return NULL;
	return f->pages + page * OS_PAGE_SIZE + offset;
}

static inline bool fuzz_dma_read(void *ctx, u64 address, void *data, size_t size)
{
	const u8 *at = fuzz_bus(ctx, address, size);

	if (at)
		memcpy(data, at, size);
	return at != NULL;
}

static inline bool fuzz_dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	u8 *at = fuzz_bus(ctx, address, size);

	if (at)
		memcpy(at, data, size);
	return at != NULL;
}

static inline void *fuzz_dma_map_page(void *ctx, u64 address)
{
	return fuzz_bus(ctx, address, OS_PAGE_SIZE);
}

static inline void *fuzz_dma_enter(void *ctx)
{
	return ctx;
}

static inline void fuzz_dma_leave(void *ctx, void *token)
{
	if (ctx != token)
		abort();
}

static inline u64 fuzz_now(void *ctx)
{
	return 1000;
}

/* In a burst when it returns. pointers: as of most hosts; otherwise reads and writes only. */
static inline void fuzz_engine_begin(struct fuzz_engine *f, bool pointers)
{
	memset(f, 0, sizeof(*f));
	f->host = (struct h100_host){
		.ctx = f,
		.dma_read = fuzz_dma_read,
		.dma_write = fuzz_dma_write,
		.now_ns = fuzz_now,
		.dma_map_page = pointers ? fuzz_dma_map_page : NULL,
		.dma_enter = pointers ? fuzz_dma_enter : NULL,
		.dma_leave = pointers ? fuzz_dma_leave : NULL,
	};
	f->video = calloc(1, FUZZ_VIDEO_BYTES);
	f->pages = calloc(FUZZ_PAGES, OS_PAGE_SIZE);
	f->peer_video = calloc(1, FUZZ_VIDEO_BYTES);
	if (!f->video || !f->pages || !f->peer_video ||
	    h100_memory_init(&f->memory, &f->host, NULL, NULL, f->video, FUZZ_VIDEO_BYTES) !=
		    NV_OK ||
	    h100_mmu_create(&f->memory, &f->mmu) != NV_OK ||
	    h100_memory_init(&f->peer, &f->host, NULL, NULL, f->peer_video, FUZZ_VIDEO_BYTES) !=
		    NV_OK ||
	    h100_fabric_create(&f->fabric) != NV_OK ||
	    h100_fabric_plug(f->fabric, 0, &f->memory) != NV_OK ||
	    h100_fabric_plug(f->fabric, 1, &f->peer) != NV_OK)
		abort();
	h100_peer_by_switches(&f->memory, FUZZ_SWITCHED);
	h100_peer_beside(&f->memory, FUZZ_BESIDE, 1);
	h100_peer_enable(&f->memory, FUZZ_SWITCHED, true);
	h100_peer_enable(&f->memory, FUZZ_BESIDE, true);
	h100_memory_enter(&f->memory);
}

static inline void fuzz_engine_end(struct fuzz_engine *f)
{
	h100_memory_leave(&f->memory);
	h100_mmu_destroy(f->mmu);
	h100_fabric_unplug(&f->peer);
	h100_fabric_unplug(&f->memory);
	h100_fabric_destroy(f->fabric);
	h100_memory_fini(&f->peer);
	h100_memory_fini(&f->memory);
	free(f->peer_video);
	free(f->video);
	free(f->pages);
}

#endif
