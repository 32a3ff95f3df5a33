// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The copy engine between pinned system memory and video memory, against memcpy of the same bytes:
 * 64 MiB in one launch, system memory by pages of 4 KiB, video memory by pages of 2 MiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/r535.h"
#include "base/bits.h"
#include "fixture_gpu.h"
#include "h100/engine/class.h"
#include "h100/gsp/gpu.h"

#define BYTES MIB(64)
#define ROUNDS 9
#define TABLES GIB(1) /* in video memory: directories, then the tables of system pages */
#define VIDEO GIB(2)  /* the video end, at the same virtual address */
#define SYSTEM GIB(4) /* the system end's virtual address */

static struct fixture_gpu gpu;
static struct os_pages pages;
static struct h100_memory *memory;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void put(u64 address, u64 value)
{
	if (!h100_memory_write(memory, H100_APERTURE_VIDEO, address, &value, sizeof(value)))
		abort();
}

/* All addresses are below 512 GiB: one table each of the upper levels. */
static void map(void)
{
	u64 pd0, table = TABLES + 8 * OS_PAGE_SIZE, i;

	for (i = 0; i < 3; i++)
		put(TABLES + i * OS_PAGE_SIZE, (TABLES + (i + 1) * OS_PAGE_SIZE) | 1u << 1);
	/* Of the fourth, an entry is 512 MiB. */
	pd0 = TABLES + 4 * OS_PAGE_SIZE;
	put(TABLES + 3 * OS_PAGE_SIZE + VIDEO / MIB(512) * 8, pd0 | 1u << 1);
	for (i = 0; i < BYTES / MIB(2); i++)
		put(pd0 + i * 16, (VIDEO + i * MIB(2)) | 6u << 8 | 1);
	pd0 = TABLES + 5 * OS_PAGE_SIZE;
	put(TABLES + 3 * OS_PAGE_SIZE + SYSTEM / MIB(512) * 8, pd0 | 1u << 1);
	for (i = 0; i < BYTES / MIB(2); i++)
		put(pd0 + i * 16 + 8, (table + i * OS_PAGE_SIZE) | 1u << 1);
	for (i = 0; i < BYTES / OS_PAGE_SIZE; i++)
		put(table + i * 8, os_pages_dma(&pages, i * OS_PAGE_SIZE) | 2u << 1 | 1);
}

static u64 call_now(const struct h100_engine_call *call)
{
	return os_time_ns();
}

static double launch(struct h100_engine_call *call, void *object, u64 from, u64 to)
{
	const struct h100_engine_class *class = h100_engine_class_find(HOPPER_DMA_COPY_A);
	const u32 methods[][2] = {
		{ NVC8B5_OFFSET_IN_UPPER, bits_high32(from) },
		{ NVC8B5_OFFSET_IN_LOWER, bits_low32(from) },
		{ NVC8B5_OFFSET_OUT_UPPER, bits_high32(to) },
		{ NVC8B5_OFFSET_OUT_LOWER, bits_low32(to) },
		{ NVC8B5_LINE_LENGTH_IN, (u32)BYTES },
		{ NVC8B5_LAUNCH_DMA, 0x182 },
	};
	double start = now();

	h100_memory_enter(memory);
	for (u32 i = 0; i < ARRAY_SIZE(methods); i++) {
		if (class->method(call, object, methods[i][0], methods[i][1]) != H100_METHOD_OK)
			abort();
	}
	h100_memory_leave(memory);
	return now() - start;
}

static double plain(u8 *to, const u8 *from)
{
	double start = now();

	memcpy(to, from, BYTES);
	return now() - start;
}

static void report(const char *what, double engine, double copy)
{
	char line[80];

	snprintf(line, sizeof(line), "copy engine, 64 MiB %s, times memcpy", what);
	printf("%-58s %9.2f  goal <= %-7.2f %s\n", line, engine / copy, 1.25,
	       engine / copy <= 1.25 ? "PASS" : "MISS");
}

int main(void)
{
	static u64 object[1024];
	double best[4] = { 1e9, 1e9, 1e9, 1e9 };
	struct h100_engine_call call;
	u8 *video;

	fixture_gpu_create(&gpu, NULL);
	h100_cfg_write(gpu.model, 4, 2, 6); /* memory space, bus master */
	memory = &gpu.model->memory;
	if (h100_engine_class_find(HOPPER_DMA_COPY_A)->object_bytes > sizeof(object) ||
	    os_pages_alloc(gpu.pci, BYTES, OS_PAGES_SHARED, &pages) != NV_OK)
		return 1;
	memset(pages.cpu, 1, BYTES);
	video = memory->video + VIDEO;
	memset(video, 2, BYTES);
	map();
	call = (struct h100_engine_call){
		.memory = memory,
		.mmu = gpu.model->mmu,
		.pdb = { H100_APERTURE_VIDEO, TABLES },
		.now_ns = call_now,
	};
	/* In turns, so that all meet the same disturbances. */
	for (u32 i = 0; i < ROUNDS; i++) {
		best[0] = min(best[0], launch(&call, object, SYSTEM, VIDEO));
		best[1] = min(best[1], plain(video, pages.cpu));
		best[2] = min(best[2], launch(&call, object, VIDEO, SYSTEM));
		best[3] = min(best[3], plain(pages.cpu, video));
	}
	report("to video memory", best[0], best[1]);
	report("from video memory", best[2], best[3]);
	os_pages_free(&pages);
	fixture_gpu_destroy(&gpu);
	return 0;
}
