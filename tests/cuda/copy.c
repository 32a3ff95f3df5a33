// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A client of NVIDIA's driver API: from cuInit to copies that are verified byte by byte.
 *
 *   cuda_copy init|context|pageable|pinned|registered|memory|speed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "tests/check.h"

static const struct cu_driver *cu;

static cu_device device_get(void)
{
	cu_device device;
	int count;

	CU(cuInit(0));
	CU(cuDeviceGetCount(&count));
	CHECK(count > 0);
	CU(cuDeviceGet(&device, 0));
	return device;
}

static int attribute(cu_device device, int which)
{
	int value = -1;

	CU(cuDeviceGetAttribute(&value, which, device));
	return value;
}

static void test_init(void)
{
	cu_device device = device_get();
	char name[128];
	size_t bytes;
	int version;

	CU(cuDriverGetVersion(&version));
	CU(cuDeviceGetName(name, sizeof(name), device));
	CU(cuDeviceTotalMem(&bytes, device));
	printf("version %d\nname %s\nbytes %zu\ncapability %d.%d\nmultiprocessors %d\n", version,
	       name, bytes, attribute(device, CU_MAJOR), attribute(device, CU_MINOR),
	       attribute(device, CU_MULTIPROCESSORS));
}

static cu_context context_make(void)
{
	cu_context context;

	CU(cuCtxCreate(&context, 0, device_get()));
	return context;
}

static void test_context(void)
{
	cu_context context = context_make();
	size_t left, total;

	CU(cuCtxSynchronize());
	CU(cuMemGetInfo(&left, &total));
	CHECK(left && left < total);
	CU(cuCtxDestroy(context));
}

/* -- Copies --------------------------------------------------------------------------------------
 */

/* Differs at every byte of a size, and from one size to the next. */
static void pattern(u8 *mem, size_t size, u32 seed)
{
	u32 x = seed * 2654435761u + 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525u + 1013904223u;
		mem[i] = (u8)(x >> 24);
	}
}

/* There and back at an odd offset; what lies around it stays as it was. */
static void copy_check(u8 *host, cu_pointer device, size_t size, size_t offset)
{
	static const size_t edge = 64;
	u8 *want = malloc(size + 2 * edge), *got = malloc(size + 2 * edge);

	CHECK(want && got);
	memset(got, 0xee, size + 2 * edge);
	CU(cuMemcpyHtoD(device, got, size + 2 * edge));
	pattern(host, size, (u32)(size + offset));
	memcpy(want, host, size);
	CU(cuMemcpyHtoD(device + edge, host, size));
	memset(host, 0, size);
	CU(cuMemcpyDtoH(host, device + edge, size));
	CHECK(memcmp(host, want, size) == 0);
	CU(cuMemcpyDtoH(got, device, size + 2 * edge));
	for (size_t i = 0; i < edge; i++)
		CHECK(got[i] == 0xee && got[edge + size + i] == 0xee);
	CHECK(memcmp(got + edge, want, size) == 0);
	free(want);
	free(got);
}

static const size_t sizes[] = { 1,     3,     4,       64,     255,	   4096,   65535,
				65536, 65537, 1000003, MIB(1), MIB(4) + 1, MIB(16) };

static void copies(u8 *host, const char *what)
{
	size_t largest = sizes[ARRAY_SIZE(sizes) - 1];
	cu_pointer device;

	CU(cuMemAlloc(&device, largest + KIB(4)));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		copy_check(host, device, sizes[i], 0);
		copy_check(host + 5, device + 13, sizes[i], 5);
	}
	CU(cuMemFree(device));
	printf("%s: %zu sizes up to %zu bytes verified\n", what, ARRAY_SIZE(sizes), largest);
}

#define HOST_BYTES (MIB(16) + KIB(4))

static void test_pageable(void)
{
	cu_context context = context_make();
	u8 *host = malloc(HOST_BYTES);

	CHECK(host);
	copies(host, "pageable");
	free(host);
	CU(cuCtxDestroy(context));
}

static void test_pinned(void)
{
	cu_context context = context_make();
	void *host;

	CU(cuMemAllocHost(&host, HOST_BYTES));
	copies(host, "pinned");
	CU(cuMemFreeHost(host));
	CU(cuCtxDestroy(context));
}

static void test_registered(void)
{
	cu_context context = context_make();
	u8 *host = malloc(HOST_BYTES);

	CHECK(host);
	host[7] = 7;
	CU(cuMemHostRegister(host, HOST_BYTES, 0));
	CHECK(host[7] == 7);
	copies(host, "registered");
	CU(cuMemHostUnregister(host));
	host[8] = 8;
	free(host);
	CU(cuCtxDestroy(context));
}

/* All memory goes and comes back; what is not there is an error and nothing else. */
static void test_memory(void)
{
	cu_context context = context_make();
	size_t before, after, total;
	cu_pointer device;
	u8 byte = 0;

	CU(cuMemGetInfo(&before, &total));
	CHECK(cu->cuMemAlloc(&device, 2 * total) == CU_OUT_OF_MEMORY);
	for (u32 i = 0; i < 8; i++) {
		CU(cuMemAlloc(&device, GIB(1)));
		CU(cuMemcpyHtoD(device + GIB(1) - 1, &byte, 1));
		CU(cuMemFree(device));
	}
	CU(cuMemGetInfo(&after, &total));
	CHECK(after == before);
	CHECK(cu->cuMemFree(device) == CU_INVALID_VALUE);
	CU(cuCtxDestroy(context));
}

/* -- Speed, as a part of what the CPU's own copy of the same pages reaches ------------------------
 */

#define SPEED_BYTES MIB(64)
#define SPEED_ROUNDS 8u

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The best of several rounds, by turns with the others: there, back, and by the CPU. */
static void speed_round(u8 *from, u8 *to, cu_pointer device, double best[3])
{
	double start, took[3];

	start = now();
	CU(cuMemcpyHtoD(device, from, SPEED_BYTES));
	took[0] = now() - start;
	memset(to, 0, SPEED_BYTES);
	start = now();
	CU(cuMemcpyDtoH(to, device, SPEED_BYTES));
	took[1] = now() - start;
	CHECK(memcmp(from, to, SPEED_BYTES) == 0);
	start = now();
	memcpy(to, from, SPEED_BYTES);
	took[2] = now() - start;
	for (u32 i = 0; i < 3; i++) {
		if (best[i] == 0 || took[i] < best[i])
			best[i] = took[i];
	}
}

static void test_speed(void)
{
	static const char *const way[] = { "host to device", "device to host" };
	cu_context context = context_make();
	double best[3] = { 0 };
	cu_pointer device;
	void *from, *to;
	char name[128];

	CU(cuDeviceGetName(name, sizeof(name), 0));
	CU(cuMemAllocHost(&from, SPEED_BYTES));
	CU(cuMemAllocHost(&to, SPEED_BYTES));
	CU(cuMemAlloc(&device, SPEED_BYTES));
	for (u32 i = 0; i < SPEED_ROUNDS; i++) {
		pattern(from, SPEED_BYTES, i);
		speed_round(from, to, device, best);
	}
	printf("%s: %u times %zu MiB of pinned memory there and back, verified\n", name,
	       SPEED_ROUNDS, (size_t)(SPEED_BYTES >> 20));
	for (u32 i = 0; i < ARRAY_SIZE(way); i++)
		printf("%s at %.2f of memcpy's speed by one thread, same pages\n", way[i],
		       best[2] / best[i]);
	CU(cuMemFree(device));
	CU(cuMemFreeHost(to));
	CU(cuMemFreeHost(from));
	CU(cuCtxDestroy(context));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = { { "init", test_init },
		      { "context", test_context },
		      { "pageable", test_pageable },
		      { "pinned", test_pinned },
		      { "registered", test_registered },
		      { "memory", test_memory },
		      { "speed", test_speed } };

	setvbuf(stdout, NULL, _IOLBF, 0);
	cu = cu_load();
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(tests); i++) {
		if (!strcmp(argv[1], tests[i].name)) {
			tests[i].run();
			return 0;
		}
	}
	fprintf(stderr, "cuda_copy: which test?\n");
	return 2;
}
