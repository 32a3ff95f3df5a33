// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Kinds of memory: mapped, virtual memory management, pools, managed. */
#include "client.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE MIB(4)

/* Host memory that the GPU sees: the device pointer copies like any other. */
void test_mapped(void)
{
	static const unsigned int kinds[] = { CU_HOST_DEVICE_MAP,
					      CU_HOST_DEVICE_MAP | CU_HOST_PORTABLE,
					      CU_HOST_DEVICE_MAP | CU_HOST_WRITE_COMBINED };
	cu_context context = client_context();
	u8 *back = malloc(SIZE);

	CHECK(back);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned int flags;
		cu_pointer device;
		void *host;

		CU(cuMemHostAlloc(&host, SIZE, kinds[i]));
		CU(cuMemHostGetFlags(&flags, host));
		CHECK((flags & kinds[i]) == kinds[i]);
		CU(cuMemHostGetDevicePointer(&device, host, 0));
		client_pattern(host, SIZE, i);
		CU(cuMemcpyDtoH(back, device, SIZE));
		CHECK(client_pattern_holds(back, SIZE, i));
		client_pattern(back, SIZE, i + 10);
		CU(cuMemcpyHtoD(device, back, SIZE));
		CU(cuCtxSynchronize());
		CHECK(client_pattern_holds(host, SIZE, i + 10));
		CU(cuMemFreeHost(host));
	}
	free(back);
	CU(cuCtxDestroy(context));
}

static const struct cu_place place = { CU_PLACE_DEVICE, 0 };

static cu_memory memory_make(size_t size, int handles)
{
	struct cu_memory_properties properties = { CU_MEMORY_PINNED, handles, place, NULL, { 0 } };
	cu_memory memory;

	CU(cuMemCreate(&memory, size, &properties, 0));
	return memory;
}

static void memory_map(cu_pointer where, size_t size, cu_memory memory)
{
	struct cu_access access = { place, CU_ACCESS_READ_WRITE };

	CU(cuMemMap(where, size, 0, memory, 0));
	CU(cuMemSetAccess(where, size, &access, 1));
}

/* Two pieces of memory side by side in one range, one of them twice; all of it goes again. */
void test_vmm(void)
{
	struct cu_memory_properties properties = { CU_MEMORY_PINNED, 0, place, NULL, { 0 } };
	cu_context context = client_context();
	size_t unit, left, left_after, total;
	cu_memory first, second;
	u8 *host, *back;
	cu_pointer base;

	CU(cuMemGetAllocationGranularity(&unit, &properties, 0));
	CHECK(unit >= 4096 && (unit & (unit - 1)) == 0);
	host = malloc(3 * unit);
	back = malloc(3 * unit);
	CHECK(host && back);
	CU(cuMemGetInfo(&left, &total));
	CU(cuMemAddressReserve(&base, 4 * unit, 0, 0, 0));
	first = memory_make(unit, 0);
	second = memory_make(unit, 0);
	memory_map(base, unit, first);
	memory_map(base + unit, unit, second);
	memory_map(base + 2 * unit, unit, first);
	client_pattern(host, 3 * unit, 5);
	CU(cuMemcpyHtoD(base, host, 2 * unit));
	CU(cuMemcpyDtoH(back, base, 3 * unit));
	CHECK(memcmp(back, host, 2 * unit) == 0);
	CHECK(memcmp(back + 2 * unit, host, unit) == 0);
	/* A mapping holds the memory when its handle is gone. */
	CU(cuMemRelease(first));
	CU(cuMemUnmap(base, unit));
	CU(cuMemcpyDtoH(back, base + 2 * unit, unit));
	CHECK(memcmp(back, host, unit) == 0);
	CHECK(cu->cuMemcpyDtoH(back, base, unit) != 0);
	CU(cuMemUnmap(base + unit, 2 * unit));
	CU(cuMemRelease(second));
	CU(cuMemAddressFree(base, 4 * unit));
	CU(cuMemGetInfo(&left_after, &total));
	CHECK(left_after == left);
	free(host);
	free(back);
	CU(cuCtxDestroy(context));
}

static void fd_send(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec byte = { (char[]){ 0 }, 1 };
	struct msghdr m = { .msg_iov = &byte,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	CHECK(sendmsg(to, &m, 0) == 1);
}

static int fd_receive(int from)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec byte = { (char[]){ 0 }, 1 };
	struct msghdr m = { .msg_iov = &byte,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd;

	CHECK(recvmsg(from, &m, 0) == 1);
	CHECK(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

/* Maps what a descriptor stands for, checks the other's bytes and writes its own. */
static void vmm_importer(int link, size_t size)
{
	cu_context context = client_context();
	int fd = fd_receive(link);
	u8 *host = malloc(size);
	cu_memory memory;
	cu_pointer where;

	CHECK(host);
	CU(cuMemImportFromShareableHandle(&memory, (void *)(long)fd, CU_HANDLE_FILE));
	close(fd);
	CU(cuMemAddressReserve(&where, size, 0, 0, 0));
	memory_map(where, size, memory);
	CU(cuMemcpyDtoH(host, where, size));
	CHECK(client_pattern_holds(host, size, 1));
	client_pattern(host, size, 2);
	/* A copy from pageable memory returns before its last piece has arrived. */
	CU(cuMemcpyHtoD(where, host, size));
	CU(cuCtxSynchronize());
	CHECK(write(link, "", 1) == 1);
	CU(cuMemUnmap(where, size));
	CU(cuMemRelease(memory));
	CU(cuMemAddressFree(where, size));
	CU(cuCtxDestroy(context));
}

/* Memory that another process gets by a descriptor. */
void test_vmm_shared(void)
{
	size_t size = MIB(2);
	u8 *host = malloc(size), byte;
	cu_context context;
	cu_memory memory;
	cu_pointer where;
	int link[2], fd = -1;
	pid_t pid;

	CHECK(host && socketpair(AF_UNIX, SOCK_STREAM, 0, link) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(link[0]);
		vmm_importer(link[1], size);
		exit(0);
	}
	close(link[1]);
	context = client_context();
	memory = memory_make(size, CU_HANDLE_FILE);
	CU(cuMemAddressReserve(&where, size, 0, 0, 0));
	memory_map(where, size, memory);
	client_pattern(host, size, 1);
	CU(cuMemcpyHtoD(where, host, size));
	CU(cuCtxSynchronize());
	CU(cuMemExportToShareableHandle(&fd, memory, CU_HANDLE_FILE, 0));
	fd_send(link[0], fd);
	close(fd);
	CHECK(read(link[0], &byte, 1) == 1);
	CU(cuMemcpyDtoH(host, where, size));
	CHECK(client_pattern_holds(host, size, 2));
	client_child_good(pid);
	CU(cuMemUnmap(where, size));
	CU(cuMemRelease(memory));
	CU(cuMemAddressFree(where, size));
	free(host);
	CU(cuCtxDestroy(context));
}

static void pool_use(cu_pool pool, cu_stream stream)
{
	void *there, *back;
	u64 used = 1;

	CU(cuMemAllocHost(&there, SIZE));
	CU(cuMemAllocHost(&back, SIZE));
	for (u32 i = 0; i < 4; i++) {
		cu_pointer pieces[3];

		client_pattern(there, SIZE, i);
		for (u32 p = 0; p < ARRAY_SIZE(pieces); p++) {
			if (p & 1)
				CU(cuMemAllocFromPoolAsync(&pieces[p], SIZE, pool, stream));
			else
				CU(cuMemAllocAsync(&pieces[p], SIZE, stream));
			CU(cuMemcpyHtoDAsync(pieces[p], there, SIZE, stream));
		}
		for (u32 p = 0; p < ARRAY_SIZE(pieces); p++) {
			memset(back, 0, SIZE);
			CU(cuMemcpyDtoHAsync(back, pieces[p], SIZE, stream));
			CU(cuMemFreeAsync(pieces[p], stream));
			CU(cuStreamSynchronize(stream));
			CHECK(memcmp(there, back, SIZE) == 0);
		}
	}
	CU(cuMemPoolGetAttribute(pool, CU_POOL_USED_CURRENT, &used));
	CHECK(used == 0);
	CU(cuMemPoolTrimTo(pool, 0));
	CU(cuMemFreeHost(there));
	CU(cuMemFreeHost(back));
}

/* Memory that is allocated and freed in a stream's order, from the device's own pool. */
void test_pool(void)
{
	cu_context context = client_context();
	cu_stream stream;
	cu_pool pool;

	CU(cuStreamCreate(&stream, 0));
	CU(cuDeviceGetDefaultMemPool(&pool, 0));
	pool_use(pool, stream);
	CU(cuStreamDestroy(stream));
	CU(cuCtxDestroy(context));
}

void test_pool_own(void)
{
	struct cu_pool_properties properties = { CU_MEMORY_PINNED, 0, place, NULL, { 0 } };
	cu_context context = client_context();
	cu_stream stream;
	cu_pool pool;

	CU(cuStreamCreate(&stream, 0));
	CU(cuMemPoolCreate(&pool, &properties));
	pool_use(pool, stream);
	CU(cuMemPoolDestroy(pool));
	CU(cuStreamDestroy(stream));
	CU(cuCtxDestroy(context));
}

/* Prefetch and advice change nothing of what the CPU sees. */
void test_managed(void)
{
	static const struct {
		enum cu_advice advice;
		cu_device device;
	} advice[] = {
		{ CU_ADVICE_READ_MOSTLY, 0 },
		{ CU_ADVICE_NOT_READ_MOSTLY, 0 },
		{ CU_ADVICE_PREFERRED_LOCATION, 0 },
		{ CU_ADVICE_PREFERRED_LOCATION, CU_DEVICE_CPU },
		{ CU_ADVICE_NO_PREFERRED_LOCATION, 0 },
		{ CU_ADVICE_ACCESSED_BY, 0 },
		{ CU_ADVICE_NOT_ACCESSED_BY, 0 },
		{ CU_ADVICE_ACCESSED_BY, CU_DEVICE_CPU },
	};
	cu_context context = client_context();
	cu_pointer pointer;
	cu_stream stream;
	u8 *memory;

	CU(cuStreamCreate(&stream, 0));
	CU(cuMemAllocManaged(&pointer, SIZE, CU_MANAGED_GLOBAL));
	memory = (u8 *)(uintptr_t)pointer;
	client_pattern(memory, SIZE, 3);
	for (u32 i = 0; i < ARRAY_SIZE(advice); i++) {
		CU(cuMemAdvise(pointer, SIZE, advice[i].advice, advice[i].device));
		CU(cuMemPrefetchAsync(pointer, SIZE, 0, stream));
		CU(cuStreamSynchronize(stream));
		CHECK(client_pattern_holds(memory, SIZE, 3 + i));
		CU(cuMemPrefetchAsync(pointer + MIB(1), SIZE / 2, CU_DEVICE_CPU, stream));
		CU(cuStreamSynchronize(stream));
		client_pattern(memory, SIZE, 4 + i);
	}
	CU(cuMemFree(pointer));
	CU(cuStreamDestroy(stream));
	CU(cuCtxDestroy(context));
}
