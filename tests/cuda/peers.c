// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* GPUs that reach each other's memory: what is said of a pair, and copies from one to the other. */
#include "client.h"

#include <pthread.h>
#include <unistd.h>

#define SIZE MIB(16)
#define EDGE 64u /* bytes on both sides of a copy that it must leave alone */
#define GPUS_MAX 16

/* A context on a GPU, with memory for the largest copy and its edges. */
struct place {
	cu_context context;
	cu_pointer memory;
};

static struct place places[GPUS_MAX];
static u8 *host, *edges;

static void place_make(int gpu)
{
	CU(cuCtxCreate(&places[gpu].context, 0, client_device(gpu)));
	CU(cuMemAlloc(&places[gpu].memory, SIZE + 2 * EDGE + 16));
}

static int places_make(void)
{
	int count;

	client_device(1);
	CU(cuDeviceGetCount(&count));
	CHECK(count <= GPUS_MAX);
	for (int i = 0; i < count; i++)
		place_make(i);
	host = malloc(SIZE + 2 * EDGE + 16);
	edges = calloc(1, EDGE);
	CHECK(host && edges);
	return count;
}

static void places_end(int count)
{
	for (int i = 0; i < count; i++)
		CU(cuCtxDestroy(places[i].context));
	free(host);
	free(edges);
}

/* Whether the driver says that they reach each other; enabling it from a to b must agree. */
static int enable(int a, int b)
{
	cu_result result;
	int can = -1;

	CU(cuDeviceCanAccessPeer(&can, a, b));
	CHECK(can == 0 || can == 1);
	CU(cuCtxSetCurrent(places[a].context));
	result = cu->cuCtxEnablePeerAccess(places[b].context, 0);
	if (result != (can ? 0 : CU_PEER_ACCESS_UNSUPPORTED))
		printf("%d to %d: can %d, enabling it is %d\n", a, b, can, result);
	CHECK(result == (can ? 0 : CU_PEER_ACCESS_UNSUPPORTED));
	return can;
}

/* From one GPU to the other, with the bytes around the target as they were. */
static void copy(int from, int to, size_t size, size_t in, size_t out, cu_stream stream)
{
	cu_pointer source = places[from].memory + EDGE + in;
	cu_pointer target = places[to].memory + EDGE + out;
	u32 seed = (u32)(size * 31 + in * 7 + out);

	client_pattern(host, size, seed);
	CU(cuCtxSetCurrent(places[from].context));
	CU(cuMemcpyHtoD(source, host, size));
	/* From pageable memory, it may return before its end. */
	CU(cuCtxSynchronize());
	CU(cuCtxSetCurrent(places[to].context));
	CU(cuMemcpyHtoD(target - EDGE, edges, EDGE));
	CU(cuMemcpyHtoD(target + size, edges, EDGE));
	CU(cuCtxSynchronize());
	if (stream) {
		CU(cuMemcpyPeerAsync(target, places[to].context, source, places[from].context, size,
				     stream));
		CU(cuStreamSynchronize(stream));
	} else {
		CU(cuMemcpyPeer(target, places[to].context, source, places[from].context, size));
		/* So may this one. */
		CU(cuCtxSynchronize());
		CU(cuCtxSetCurrent(places[from].context));
		CU(cuCtxSynchronize());
		CU(cuCtxSetCurrent(places[to].context));
	}
	memset(host, 0xa5, size + 2 * EDGE);
	CU(cuMemcpyDtoH(host, target - EDGE, size + 2 * EDGE));
	CHECK(!memcmp(host, edges, EDGE));
	CHECK(client_pattern_holds(host + EDGE, size, seed));
	CHECK(!memcmp(host + EDGE + size, edges, EDGE));
}

/* The same by addresses alone, which tell whose memory it is. */
static void copy_by_address(int from, int to, size_t size)
{
	client_pattern(host, size, (u32)size);
	CU(cuCtxSetCurrent(places[from].context));
	CU(cuMemcpyHtoD(places[from].memory, host, size));
	CU(cuMemcpyDtoD(places[to].memory, places[from].memory, size));
	CU(cuCtxSynchronize());
	CU(cuCtxSetCurrent(places[to].context));
	CU(cuMemcpyDtoH(host, places[to].memory, size));
	CHECK(client_pattern_holds(host, size, (u32)size));
}

static void copies(int a, int b, cu_stream on_a, cu_stream on_b)
{
	static const size_t sizes[] = { 1,	2,	    3,		7,	     16,     63,
					64,	1000,	    4096,	4097,	     65535,  65539,
					MIB(1), MIB(1) + 1, MIB(2) + 5, MIB(16) - 3, MIB(16) };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t in = i * 5 % 16, out = i * 3 % 16;

		copy(a, b, sizes[i], in, out, NULL);
		copy(b, a, sizes[i], out, in, NULL);
		copy(a, b, sizes[i], in, out, on_a);
		copy(b, a, sizes[i], in, out, on_b);
	}
}

/* Copies go whether or not the GPUs reach each other: through the host's memory if they do not. */
void test_peers(void)
{
	cu_stream streams[2];
	int count = places_make(), can;

	for (int i = 0; i < 2; i++) {
		CU(cuCtxSetCurrent(places[i].context));
		CU(cuStreamCreate(&streams[i], CU_STREAM_NON_BLOCKING));
	}
	copy(0, 1, 100000, 1, 2, NULL);
	can = enable(0, 1);
	CHECK(enable(1, 0) == can);
	printf("peer access: %d\n", can);
	copies(0, 1, streams[0], streams[1]);
	places_end(count);
}

/* One way at a time, and what is refused. */
void test_peer_access(void)
{
	static const struct {
		int which, wanted;
	} told[] = {
		{ CU_P2P_ACCESS_SUPPORTED, 1 },
		{ CU_P2P_NATIVE_ATOMICS, 1 },
		{ CU_P2P_ARRAYS, 1 },
	};
	int count = places_make(), value;

	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		CU(cuDeviceGetP2PAttribute(&value, told[i].which, 0, 1));
		printf("attribute %d is %d\n", told[i].which, value);
		CHECK(value == told[i].wanted);
	}
	CHECK(cu->cuDeviceGetP2PAttribute(&value, CU_P2P_ACCESS_SUPPORTED, 0, 0) ==
	      CU_INVALID_DEVICE);
	CU(cuDeviceCanAccessPeer(&value, 0, 0));
	CHECK(value == 0);
	CU(cuCtxSetCurrent(places[0].context));
	CHECK(cu->cuCtxDisablePeerAccess(places[1].context) == CU_PEER_ACCESS_NOT_ENABLED);
	CHECK(cu->cuCtxEnablePeerAccess(places[0].context, 0) != 0);
	CHECK(cu->cuCtxEnablePeerAccess(places[1].context, 1) == CU_INVALID_VALUE);
	for (int round = 0; round < 3; round++) {
		CHECK(enable(0, 1));
		CHECK(cu->cuCtxEnablePeerAccess(places[1].context, 0) ==
		      CU_PEER_ACCESS_ALREADY_ENABLED);
		copy(0, 1, 12345, 3, 0, NULL);
		copy(1, 0, 12345, 0, 3, NULL);
		copy_by_address(0, 1, 5000);
		CU(cuCtxSetCurrent(places[0].context));
		CU(cuCtxDisablePeerAccess(places[1].context));
		CHECK(cu->cuCtxDisablePeerAccess(places[1].context) == CU_PEER_ACCESS_NOT_ENABLED);
		copy(0, 1, 54321, 1, 0, NULL);
	}
	/* The other context goes while it is enabled; so does memory that is mapped there. */
	CHECK(enable(0, 1));
	CU(cuCtxDestroy(places[1].context));
	place_make(1);
	CHECK(enable(0, 1));
	copy(0, 1, 100, 1, 2, NULL);
	places_end(count);
}

/* Every pair of the machine's GPUs, both ways. */
void test_peer_matrix(void)
{
	int count = places_make(), pairs = 0;

	for (int a = 0; a < count; a++)
		for (int b = 0; b < count; b++)
			if (a != b)
				pairs += enable(a, b);
	for (int a = 0; a < count; a++)
		for (int b = 0; b < count; b++)
			if (a != b)
				copy(a, b, 10000 + (size_t)(a * 16 + b), (size_t)a, (size_t)b,
				     NULL);
	places_end(count);
	printf("%d GPUs, %d ways\n", count, pairs);
}

#define BOTH_COPIES 24

struct one_way {
	int from, to;
	cu_pointer source, target;
};

static void *copy_one_way(void *argument)
{
	const struct one_way *way = argument;
	cu_stream stream;

	CU(cuCtxSetCurrent(places[way->from].context));
	CU(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	for (int i = 0; i < BOTH_COPIES; i++) {
		CU(cuMemcpyPeerAsync(way->target, places[way->to].context, way->source,
				     places[way->from].context, MIB(4) - (size_t)i, stream));
		if (i % 8 == 7)
			CU(cuStreamSynchronize(stream));
	}
	CU(cuStreamSynchronize(stream));
	return NULL;
}

/* Two GPUs that copy to each other at once, while memory comes and goes on both. */
void test_peer_both(void)
{
	struct one_way ways[2];
	pthread_t threads[2];
	int count = places_make();

	CHECK(enable(0, 1) && enable(1, 0));
	for (int i = 0; i < 2; i++) {
		ways[i] = (struct one_way){ i, i ^ 1, places[i].memory,
					    places[i ^ 1].memory + MIB(8) };
		client_pattern(host, MIB(4), (u32)i + 1);
		CU(cuCtxSetCurrent(places[i].context));
		CU(cuMemcpyHtoD(ways[i].source, host, MIB(4)));
		CU(cuCtxSynchronize());
	}
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], NULL, copy_one_way, &ways[i]));
	for (int round = 0; round < 20; round++) {
		cu_pointer more;

		CU(cuCtxSetCurrent(places[round & 1].context));
		CU(cuMemAlloc(&more, MIB(8)));
		CU(cuMemcpyHtoD(more, host, 4096));
		CU(cuMemFree(more));
	}
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(threads[i], NULL));
	for (int i = 0; i < 2; i++) {
		CU(cuCtxSetCurrent(places[i ^ 1].context));
		CU(cuMemcpyDtoH(host, ways[i].target, MIB(4)));
		CHECK(client_pattern_holds(host, MIB(4) - BOTH_COPIES, (u32)i + 1));
	}
	places_end(count);
}

/* Memory of GPU 1 in a range that both may use, itself and a second object of it by a descriptor.
 */
static void shared_mappings(void)
{
	struct cu_memory_properties properties = { .type = CU_MEMORY_PINNED,
						   .handles = CU_HANDLE_FILE,
						   .place = { CU_PLACE_DEVICE, 1 } };
	const struct cu_access both[2] = {
		{ { CU_PLACE_DEVICE, 0 }, CU_ACCESS_READ_WRITE },
		{ { CU_PLACE_DEVICE, 1 }, CU_ACCESS_READ_WRITE },
	};
	cu_memory memory, again;
	cu_pointer range;
	int fd = -1;

	CU(cuMemCreate(&memory, MIB(2), &properties, 0));
	CU(cuMemAddressReserve(&range, MIB(4), 0, 0, 0));
	CU(cuMemMap(range, MIB(2), 0, memory, 0));
	CU(cuMemSetAccess(range, MIB(2), both, 2));
	CU(cuMemExportToShareableHandle(&fd, memory, CU_HANDLE_FILE, 0));
	CU(cuMemImportFromShareableHandle(&again, (void *)(uintptr_t)fd, CU_HANDLE_FILE));
	CU(cuMemMap(range + MIB(2), MIB(2), 0, again, 0));
	CU(cuMemSetAccess(range + MIB(2), MIB(2), both, 1));
	client_pattern(host, 100000, 77);
	CU(cuCtxSetCurrent(places[0].context));
	CU(cuMemcpyHtoD(range + 1, host, 100000));
	CU(cuCtxSynchronize());
	for (int i = 0; i < 3; i++) {
		CU(cuCtxSetCurrent(places[i == 1].context));
		memset(host, 0, 100000);
		CU(cuMemcpyDtoH(host, range + 1 + (i == 2 ? MIB(2) : 0), 100000));
		CHECK(client_pattern_holds(host, 100000, 77));
	}
	CU(cuMemUnmap(range, MIB(4)));
	CU(cuMemRelease(again));
	CU(cuMemRelease(memory));
	CU(cuMemAddressFree(range, MIB(4)));
	CHECK(!close(fd));
}

/* Memory of GPU 0's pool, which GPU 1 may use as well. */
static void shared_pool(void)
{
	const struct cu_access other = { { CU_PLACE_DEVICE, 1 }, CU_ACCESS_READ_WRITE };
	cu_pointer memory;
	cu_pool pool;

	CU(cuCtxSetCurrent(places[0].context));
	CU(cuDeviceGetDefaultMemPool(&pool, 0));
	CU(cuMemPoolSetAccess(pool, &other, 1));
	CU(cuMemAllocAsync(&memory, 100000, NULL));
	client_pattern(host, 100000, 78);
	CU(cuMemcpyHtoD(memory, host, 100000));
	CU(cuCtxSynchronize());
	CU(cuCtxSetCurrent(places[1].context));
	memset(host, 0, 100000);
	CU(cuMemcpyDtoH(host, memory, 100000));
	CHECK(client_pattern_holds(host, 100000, 78));
	CU(cuCtxSetCurrent(places[0].context));
	CU(cuMemFreeAsync(memory, NULL));
	CU(cuCtxSynchronize());
}

void test_peer_shared(void)
{
	int count = places_make();

	shared_mappings();
	shared_pool();
	places_end(count);
}

/* Another process opens GPU 0's memory on GPU 1, reads it there and writes to it. */
void test_peer_ipc(void)
{
	struct cu_ipc handle;
	u8 bytes[4096];
	int ends[2];
	pid_t pid;

	CHECK(!pipe(ends));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		cu_context context;
		cu_pointer memory;

		CHECK(read(ends[0], &handle, sizeof(handle)) == sizeof(handle));
		CU(cuCtxCreate(&context, 0, client_device(1)));
		CU(cuIpcOpenMemHandle(&memory, handle, CU_IPC_LAZY_PEER_ACCESS));
		CU(cuMemcpyDtoH(bytes, memory, sizeof(bytes)));
		CHECK(client_pattern_holds(bytes, sizeof(bytes), 1));
		client_pattern(bytes, sizeof(bytes), 2);
		CU(cuMemcpyHtoD(memory, bytes, sizeof(bytes)));
		CU(cuCtxSynchronize());
		CU(cuIpcCloseMemHandle(memory));
		CU(cuCtxDestroy(context));
		exit(0);
	}
	place_make(0);
	client_pattern(bytes, sizeof(bytes), 1);
	CU(cuMemcpyHtoD(places[0].memory, bytes, sizeof(bytes)));
	CU(cuCtxSynchronize());
	CU(cuIpcGetMemHandle(&handle, places[0].memory));
	CHECK(write(ends[1], &handle, sizeof(handle)) == sizeof(handle));
	client_child_good(pid);
	CU(cuMemcpyDtoH(bytes, places[0].memory, sizeof(bytes)));
	CHECK(client_pattern_holds(bytes, sizeof(bytes), 2));
	CU(cuCtxDestroy(places[0].context));
}

/* Copies until one fails, which it does when a GPU goes; says so at the first and at the end. */
void test_peer_lost(void)
{
	cu_result result = 0;
	int count = places_make();

	CHECK(count == 2 && enable(0, 1) && enable(1, 0));
	CU(cuCtxSetCurrent(places[0].context));
	for (u64 i = 0; !result; i++) {
		result = cu->cuMemcpyPeer(places[1].memory, places[1].context, places[0].memory,
					  places[0].context, SIZE);
		if (!result)
			result = cu->cuCtxSynchronize();
		if (i == 0 && !result)
			printf("copying\n");
	}
	printf("error %d\n", result);
}
