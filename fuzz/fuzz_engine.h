/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A little memory of either kind for fuzzers of engines, the same at the start of each input.
 */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
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
};

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
	if (!f->video || !f->pages ||
	    h100_memory_init(&f->memory, &f->host, NULL, NULL, f->video, FUZZ_VIDEO_BYTES) !=
		    NV_OK ||
	    h100_mmu_create(&f->memory, &f->mmu) != NV_OK)
		abort();
	h100_memory_enter(&f->memory);
}

static inline void fuzz_engine_end(struct fuzz_engine *f)
{
	h100_memory_leave(&f->memory);
	h100_mmu_destroy(f->mmu);
	h100_memory_fini(&f->memory);
	free(f->video);
	free(f->pages);
}

#endif
