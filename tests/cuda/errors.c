// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What must fail, and fail cleanly: the context that did it gets an error, nothing hangs. */
#include "client.h"

#include <sys/mman.h>
#include <unistd.h>

/* Takes all memory in pieces; the last attempt is an error, a smaller one still works, all comes
 * back. */
void test_exhausted(void)
{
	cu_context context = client_context();
	size_t left, after, total, count = 0;
	cu_pointer pieces[256], small;
	cu_memory memory;
	struct cu_memory_properties properties = {
		CU_MEMORY_PINNED, 0, { CU_PLACE_DEVICE, 0 }, NULL, { 0 }
	};
	u8 byte = 0x42;

	CU(cuMemGetInfo(&left, &total));
	while (count < ARRAY_SIZE(pieces) && cu->cuMemAlloc(&pieces[count], GIB(1)) == 0)
		count++;
	CHECK(count >= left / GIB(1) - 1 && count < ARRAY_SIZE(pieces));
	CHECK(cu->cuMemAlloc(&small, GIB(1)) == CU_OUT_OF_MEMORY);
	CHECK(cu->cuMemCreate(&memory, GIB(1), &properties, 0) == CU_OUT_OF_MEMORY);
	CU(cuMemcpyHtoD(pieces[count - 1] + GIB(1) - 1, &byte, 1));
	byte = 0;
	CU(cuMemcpyDtoH(&byte, pieces[count - 1] + GIB(1) - 1, 1));
	CHECK(byte == 0x42);
	CU(cuMemAlloc(&small, 64));
	CU(cuMemFree(small));
	for (size_t i = 0; i < count; i++)
		CU(cuMemFree(pieces[i]));
	CU(cuMemGetInfo(&after, &total));
	printf("%zu times 1 GiB of %zu MiB, %zu bytes left before, %zu after\n", count, total >> 20,
	       left, after);
	/* What the one small allocation took as a block may stay with the library. */
	CHECK(after + MIB(2) >= left);
	CU(cuCtxDestroy(context));
}

/* Pointers and handles that are not there. */
void test_pointers(void)
{
	cu_context context;
	cu_pointer device;
	u8 host[4096];
	void *hole;
	int value;

	CHECK(cu->cuDeviceGetCount(&value) == CU_NOT_INITIALIZED);
	CHECK(cu->cuMemAlloc(&device, 64) == CU_NOT_INITIALIZED);
	client_device(0);
	CHECK(cu->cuMemAlloc(&device, 64) == CU_INVALID_CONTEXT);
	CHECK(cu->cuDeviceGet(&value, 99) == CU_INVALID_DEVICE);
	context = client_context();
	CHECK(cu->cuMemAlloc(&device, 0) == CU_INVALID_VALUE);
	CHECK(cu->cuMemFree(0x1234) != 0);
	CHECK(cu->cuMemFreeHost(host) != 0);
	CHECK(cu->cuMemHostUnregister(host) != 0);
	CHECK(cu->cuMemHostRegister(NULL, 4096, 0) != 0);
	CHECK(cu->cuMemcpyHtoD(0x10, host, sizeof(host)) != 0);
	CHECK(cu->cuMemcpyDtoH(host, 0x7777000000000000, sizeof(host)) != 0);
	CU(cuMemAlloc(&device, sizeof(host)));
	CHECK(cu->cuMemcpyHtoD(device + GIB(64), host, sizeof(host)) != 0);
	hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(hole != MAP_FAILED);
	CHECK(cu->cuMemHostRegister(hole, 4096, 0) != 0);
	CHECK(munmap(hole, 4096) == 0);
	CHECK(cu->cuMemHostRegister(hole, 4096, 0) != 0);
	client_pattern(host, sizeof(host), 1);
	CU(cuMemcpyHtoD(device, host, sizeof(host)));
	memset(host, 0, sizeof(host));
	CU(cuMemcpyDtoH(host, device, sizeof(host)));
	CHECK(client_pattern_holds(host, sizeof(host), 1));
	CU(cuMemFree(device));
	CHECK(cu->cuMemFree(device) == CU_INVALID_VALUE);
	CU(cuCtxDestroy(context));
	CHECK(cu->cuCtxDestroy(context) != 0);
}

/* A context that goes while its copies are under way; the next one has all its memory. */
void test_destroyed(void)
{
	size_t before = 0, left, total;

	for (u32 round = 0; round < 4; round++) {
		cu_context context = client_context();
		cu_stream stream;
		cu_pointer device;
		void *host;

		CU(cuMemGetInfo(&left, &total));
		CHECK(round == 0 || left == before);
		before = left;
		CU(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
		CU(cuMemAlloc(&device, MIB(256)));
		CU(cuMemAllocHost(&host, MIB(256)));
		for (u32 i = 0; i < 8; i++)
			CU(cuMemcpyHtoDAsync(device, host, MIB(256), stream));
		CU(cuCtxDestroy(context));
	}
}

/* -- Work that needs a multiprocessor -------------------------------------------------------------
 */

#define SECONDS_AT_MOST 10.0

/* The error that a context has after work of that kind; it must come, and soon. */
static void kernel_fails(cu_result (*work)(cu_pointer to, cu_pointer from))
{
	double start = client_now(), took;
	cu_pointer from, to;
	cu_context context = client_context();
	cu_result result, after;
	u8 host[64] = { 0 };

	CU(cuMemAlloc(&from, MIB(1)));
	CU(cuMemAlloc(&to, MIB(1)));
	start = client_now();
	result = work(to, from);
	if (!result)
		result = cu->cuCtxSynchronize();
	took = client_now() - start;
	after = cu->cuMemcpyHtoD(to, host, sizeof(host));
	printf("error %d after %.2f s, then %d\n", result, took, after);
	CHECK(result != 0 && after != 0);
	CHECK(took < SECONDS_AT_MOST);
	cu->cuCtxDestroy(context);
}

/* Another context in a process of its own lives through it. */
static void kernel_fails_beside(cu_result (*work)(cu_pointer to, cu_pointer from))
{
	int ready[2], over[2];
	pid_t pid;
	u8 byte;

	CHECK(pipe(ready) == 0 && pipe(over) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		cu_context context = client_context();
		u8 there[4096], back[4096];
		cu_pointer device;
		u32 rounds = 0;

		close(over[1]);
		CU(cuMemAlloc(&device, sizeof(there)));
		CHECK(write(ready[1], "", 1) == 1);
		CHECK(read(over[0], &byte, 1) == 0);
		for (; rounds < 50; rounds++) {
			client_pattern(there, sizeof(there), rounds);
			CU(cuMemcpyHtoD(device, there, sizeof(there)));
			CU(cuMemcpyDtoH(back, device, sizeof(back)));
			CHECK(memcmp(there, back, sizeof(there)) == 0);
		}
		CU(cuMemFree(device));
		CU(cuCtxDestroy(context));
		exit(0);
	}
	close(over[0]);
	CHECK(read(ready[0], &byte, 1) == 1);
	kernel_fails(work);
	close(over[1]);
	client_child_good(pid);
}

static cu_result copy_between(cu_pointer to, cu_pointer from)
{
	return cu->cuMemcpyDtoD(to, from, 4096);
}

static cu_result set_large(cu_pointer to, cu_pointer from)
{
	(void)from;
	return cu->cuMemsetD8(to, 1, MIB(1));
}

static cu_result copy_managed(cu_pointer to, cu_pointer from)
{
	cu_pointer managed;

	(void)to;
	CU(cuMemAllocManaged(&managed, 4096, CU_MANAGED_GLOBAL));
	return cu->cuMemcpyDtoD(from, managed, 4096);
}

void test_kernel_copy(void)
{
	kernel_fails_beside(copy_between);
}

void test_kernel_set(void)
{
	kernel_fails_beside(set_large);
}

void test_kernel_managed(void)
{
	kernel_fails_beside(copy_managed);
}
