// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "engine_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "os/os.h"

#define BUS_BASE 0x8000000000ull
#define BUS_STRIDE 0x2000u /* every page is followed by one that is never there */

u64 rig_bus(u64 offset)
{
	return BUS_BASE + offset / OS_PAGE_SIZE * BUS_STRIDE + offset % OS_PAGE_SIZE;
}

static u8 *bus_find(struct rig *rig, u64 address, size_t size)
{
	u64 page = (address - BUS_BASE) / BUS_STRIDE, offset = (address - BUS_BASE) % BUS_STRIDE;

	if (address < BUS_BASE || page >= RIG_SYSTEM_PAGES || rig->unmapped[page] ||
	    offset >= OS_PAGE_SIZE || size > OS_PAGE_SIZE - offset)
		return NULL;
	return rig->system + page * OS_PAGE_SIZE + offset;
}

static bool dma_read(void *ctx, u64 address, void *data, size_t size)
{
	const u8 *at = bus_find(ctx, address, size);

	if (at)
		memcpy(data, at, size);
	return at != NULL;
}

static bool dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	u8 *at = bus_find(ctx, address, size);

	if (at)
		memcpy(at, data, size);
	return at != NULL;
}

static void *dma_map_page(void *ctx, u64 address)
{
	return bus_find(ctx, address, OS_PAGE_SIZE);
}

static void *dma_enter(void *ctx)
{
	struct rig *rig = ctx;

	os_fetch_add(&rig->entered, 1);
	return rig;
}

static void dma_leave(void *ctx, void *token)
{
	struct rig *rig = ctx;

	OS_BUG_ON(token != rig);
	os_fetch_sub(&rig->entered, 1);
}

static u64 host_now(void *ctx)
{
	return ((struct rig *)ctx)->now;
}

static u64 call_now(const struct h100_engine_call *call)
{
	return container_of(call, struct rig, call)->now;
}

static void call_nonstall(const struct h100_engine_call *call)
{
	container_of(call, struct rig, call)->interrupts++;
}

static bool call_stopped(const struct h100_engine_call *call)
{
	struct rig *rig = container_of(call, struct rig, call);

	rig->looks++;
	return rig->stop_after != 0 && rig->looks >= rig->stop_after;
}

void rig_init(struct rig *rig, bool pointers)
{
	memset(rig, 0, sizeof(*rig));
	rig->host = (struct h100_host){
		.ctx = rig,
		.dma_read = dma_read,
		.dma_write = dma_write,
		.now_ns = host_now,
		.dma_map_page = pointers ? dma_map_page : NULL,
		.dma_enter = pointers ? dma_enter : NULL,
		.dma_leave = pointers ? dma_leave : NULL,
	};
	rig->video = calloc(1, RIG_VIDEO_BYTES);
	rig->system = aligned_alloc(OS_PAGE_SIZE, (size_t)RIG_SYSTEM_PAGES * OS_PAGE_SIZE);
	OS_BUG_ON(!rig->video || !rig->system);
	memset(rig->system, 0, (size_t)RIG_SYSTEM_PAGES * OS_PAGE_SIZE);
	OS_BUG_ON(h100_memory_init(&rig->memory, &rig->host, NULL, NULL, rig->video,
				   RIG_VIDEO_BYTES) != NV_OK);
	OS_BUG_ON(h100_mmu_create(&rig->memory, &rig->mmu) != NV_OK);
	rig->tables = RIG_VIDEO_BYTES - OS_PAGE_SIZE;
	rig->pdb = (struct h100_pdb){ H100_APERTURE_VIDEO, rig->tables };
	rig->now = 0x1122334455667788ull;
	rig->call = (struct h100_engine_call){
		.memory = &rig->memory,
		.mmu = rig->mmu,
		.pdb = rig->pdb,
		.now_ns = call_now,
		.nonstall = call_nonstall,
		.stopped = call_stopped,
	};
	h100_memory_enter(&rig->memory);
}

void rig_destroy(struct rig *rig)
{
	h100_memory_leave(&rig->memory);
	OS_BUG_ON(rig->entered != 0);
	h100_mmu_destroy(rig->mmu);
	h100_memory_fini(&rig->memory);
	free(rig->video);
	free(rig->system);
}

u64 rig_pte(u32 aperture, u64 address, u32 pcf, u32 kind)
{
	return NV_MMU_VER3_PTE_VALID_TRUE | REG_PREP(NV_MMU_VER3_PTE_APERTURE, aperture) |
	       REG_PREP(NV_MMU_VER3_PTE_PCF, pcf) | REG_PREP(NV_MMU_VER3_PTE_KIND, kind) |
	       (address & REG_MASK(NV_MMU_VER3_PTE_ADDRESS));
}

void rig_put(struct rig *rig, u64 address, u64 value)
{
	OS_BUG_ON(address > RIG_VIDEO_BYTES - sizeof(value));
	memcpy(rig->video + address, &value, sizeof(value));
}

static u64 rig_get(struct rig *rig, u64 address)
{
	u64 value;

	memcpy(&value, rig->video + address, sizeof(value));
	return value;
}

/* The table that the entry points at; made if there is none. */
static u64 table_of(struct rig *rig, u64 entry)
{
	u64 pde = rig_get(rig, entry);

	if (REG_GET(NV_MMU_VER3_PDE_APERTURE, pde) == 0) {
		rig->tables -= OS_PAGE_SIZE;
		memset(rig->video + rig->tables, 0, OS_PAGE_SIZE);
		pde = rig->tables |
		      REG_PREP(NV_MMU_VER3_PDE_APERTURE, NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY);
		rig_put(rig, entry, pde);
	}
	return pde & REG_MASK(NV_MMU_VER3_PDE_ADDRESS);
}

u64 rig_pde(struct rig *rig, u64 va, u32 shift)
{
	static const u32 shifts[] = { 56, 47, 38, 29, 21 };
	u64 table = rig->pdb.address, entry;

	for (u32 i = 0;; i++) {
		u64 index = (va >> shifts[i]) & (shifts[i] == 56 ? 1 : shifts[i] == 21 ? 255 : 511);

		entry = table + index * (shifts[i] == 21 ? 16 : 8);
		if (shifts[i] == shift)
			return entry;
		table = table_of(rig, entry);
	}
}

u64 rig_entry(struct rig *rig, u64 va, u32 shift)
{
	u64 pde;

	if (shift >= 21)
		return rig_pde(rig, va, shift);
	pde = rig_pde(rig, va, 21);
	if (shift == 16)
		return table_of(rig, pde) + ((va >> 16) & 31) * 8;
	return table_of(rig, pde + 8) + ((va >> 12) & 511) * 8;
}

void rig_map(struct rig *rig, u64 va, u32 shift, u64 pte)
{
	rig_put(rig, rig_entry(rig, va, shift), pte);
}

void rig_map_video(struct rig *rig, u64 va, u64 offset, u64 size)
{
	for (u64 i = 0; i < size; i += OS_PAGE_SIZE)
		rig_map(rig, va + i, 12, rig_pte(H100_APERTURE_VIDEO, offset + i, 0, 6));
}

void rig_map_system(struct rig *rig, u64 va, u64 offset, u64 size)
{
	for (u64 i = 0; i < size; i += OS_PAGE_SIZE)
		rig_map(rig, va + i, 12,
			rig_pte(H100_APERTURE_SYSTEM_COHERENT, rig_bus(offset + i), 0, 0));
}

void rig_flush(struct rig *rig)
{
	h100_mmu_forget(rig->mmu, NULL);
}
