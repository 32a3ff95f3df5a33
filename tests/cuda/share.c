// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Several contexts, processes and GPUs. */
#include "client.h"

#include <pthread.h>
#include <unistd.h>

#define SIZE MIB(4)

/* There and back in the current context. */
static void round_trip(u32 seed)
{
	cu_pointer device;
	void *host, *back;

	CU(cuMemAlloc(&device, SIZE));
	CU(cuMemAllocHost(&host, SIZE));
	CU(cuMemAllocHost(&back, SIZE));
	client_pattern(host, SIZE, seed);
	memset(back, 0, SIZE);
	CU(cuMemcpyHtoD(device, host, SIZE));
	CU(cuMemcpyDtoH(back, device, SIZE));
	CHECK(memcmp(host, back, SIZE) == 0);
	CU(cuMemFree(device));
	CU(cuMemFreeHost(host));
	CU(cuMemFreeHost(back));
}

/* Two contexts of one process; the second goes on when the first is gone. */
void test_contexts(void)
{
	cu_context first = client_context(), second = client_context();
	u8 there[1024], back[1024];
	cu_pointer device;

	CU(cuCtxSetCurrent(second));
	CU(cuMemAlloc(&device, sizeof(there)));
	client_pattern(there, sizeof(there), 8);
	CU(cuMemcpyHtoD(device, there, sizeof(there)));
	CU(cuCtxSetCurrent(first));
	round_trip(1);
	CU(cuCtxDestroy(first));
	CU(cuCtxSetCurrent(second));
	CU(cuMemcpyDtoH(back, device, sizeof(back)));
	CHECK(memcmp(there, back, sizeof(there)) == 0);
	round_trip(2);
	CU(cuCtxDestroy(second));
}

#define THREADS 4u

struct worker {
	pthread_t thread;
	cu_context context;
	u32 number;
};

static void *thread_copies(void *argument)
{
	const struct worker *w = argument;
	cu_pointer device;
	cu_stream stream;
	void *host;

	CU(cuCtxSetCurrent(w->context));
	CU(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CU(cuMemAlloc(&device, MIB(1)));
	CU(cuMemAllocHost(&host, MIB(1)));
	for (u32 round = 0; round < 16; round++) {
		client_pattern(host, MIB(1), w->number * 100 + round);
		CU(cuMemcpyHtoDAsync(device, host, MIB(1), stream));
		CU(cuStreamSynchronize(stream));
		memset(host, 0, MIB(1));
		CU(cuMemcpyDtoHAsync(host, device, MIB(1), stream));
		CU(cuStreamSynchronize(stream));
		CHECK(client_pattern_holds(host, MIB(1), w->number * 100 + round));
	}
	CU(cuStreamDestroy(stream));
	CU(cuMemFree(device));
	CU(cuMemFreeHost(host));
	return NULL;
}

/* Threads in one context that sleeps while it waits, each with a stream of its own. */
void test_threads(void)
{
	struct worker workers[THREADS];
	cu_context context;

	CU(cuCtxCreate(&context, CU_CONTEXT_BLOCKING_SYNC, client_device(0)));
	for (u32 i = 0; i < THREADS; i++) {
		workers[i].context = context;
		workers[i].number = i;
		CHECK(pthread_create(&workers[i].thread, NULL, thread_copies, &workers[i]) == 0);
	}
	for (u32 i = 0; i < THREADS; i++)
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
	CU(cuCtxDestroy(context));
}

/* A pipe each way between a parent and its child. */
struct link {
	int in, out;
};

static void link_make(struct link *parent, struct link *child)
{
	int down[2], up[2];

	CHECK(pipe(down) == 0 && pipe(up) == 0);
	*parent = (struct link){ up[0], down[1] };
	*child = (struct link){ down[0], up[1] };
}

static void link_put(const struct link *l, const void *data, size_t size)
{
	CHECK(write(l->out, data, size) == (ssize_t)size);
}

static void link_get(const struct link *l, void *data, size_t size)
{
	CHECK(read(l->in, data, size) == (ssize_t)size);
}

static void ipc_importer(const struct link *l)
{
	cu_context context = client_context();
	u8 *host = malloc(SIZE);
	struct cu_ipc handle;
	cu_pointer device;

	CHECK(host);
	link_get(l, &handle, sizeof(handle));
	CU(cuIpcOpenMemHandle(&device, handle, CU_IPC_LAZY_PEER_ACCESS));
	CU(cuMemcpyDtoH(host, device, SIZE));
	CHECK(client_pattern_holds(host, SIZE, 1));
	client_pattern(host, SIZE, 2);
	CU(cuMemcpyHtoD(device, host, SIZE));
	CU(cuCtxSynchronize());
	CU(cuIpcCloseMemHandle(device));
	link_put(l, "", 1);
	free(host);
	CU(cuCtxDestroy(context));
}

/* Memory of one process that another opens, reads and writes. */
void test_ipc_memory(void)
{
	struct link parent, child;
	struct cu_ipc handle;
	cu_context context;
	u8 *host = malloc(SIZE), byte;
	cu_pointer device;
	pid_t pid;

	CHECK(host);
	link_make(&parent, &child);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(parent.out);
		ipc_importer(&child);
		exit(0);
	}
	close(child.out);
	context = client_context();
	CU(cuMemAlloc(&device, SIZE));
	client_pattern(host, SIZE, 1);
	CU(cuMemcpyHtoD(device, host, SIZE));
	CU(cuCtxSynchronize());
	CU(cuIpcGetMemHandle(&handle, device));
	link_put(&parent, &handle, sizeof(handle));
	link_get(&parent, &byte, 1);
	CU(cuMemcpyDtoH(host, device, SIZE));
	CHECK(client_pattern_holds(host, SIZE, 2));
	client_child_good(pid);
	CU(cuMemFree(device));
	free(host);
	CU(cuCtxDestroy(context));
}

static void ipc_waiter(const struct link *l)
{
	cu_context context = client_context();
	struct cu_ipc handle;
	cu_event event;
	u8 byte;

	link_get(l, &handle, sizeof(handle));
	CU(cuIpcOpenEventHandle(&event, handle));
	link_put(l, "", 1);
	link_get(l, &byte, 1);
	CU(cuEventSynchronize(event));
	CU(cuEventQuery(event));
	CU(cuEventDestroy(event));
	link_put(l, "", 1);
	CU(cuCtxDestroy(context));
}

void test_ipc_events(void)
{
	struct link parent, child;
	struct cu_ipc handle;
	cu_context context;
	cu_event event;
	pid_t pid;
	u8 byte;

	link_make(&parent, &child);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(parent.out);
		ipc_waiter(&child);
		exit(0);
	}
	close(child.out);
	context = client_context();
	CU(cuEventCreate(&event, CU_EVENT_NO_TIMING | CU_EVENT_INTERPROCESS));
	CU(cuIpcGetEventHandle(&handle, event));
	link_put(&parent, &handle, sizeof(handle));
	link_get(&parent, &byte, 1);
	CU(cuEventRecord(event, NULL));
	link_put(&parent, "", 1);
	link_get(&parent, &byte, 1);
	client_child_good(pid);
	CU(cuEventDestroy(event));
	CU(cuCtxDestroy(context));
}

#define PROCESSES 4u

void test_processes(void)
{
	pid_t pids[PROCESSES];

	for (u32 i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0);
		if (!pids[i]) {
			cu_context context = client_context();

			for (u32 round = 0; round < 8; round++)
				round_trip(i * 100 + round);
			CU(cuCtxDestroy(context));
			exit(0);
		}
	}
	for (u32 i = 0; i < PROCESSES; i++)
		client_child_good(pids[i]);
}

/* Every GPU of the machine in one process: a context on each, all alive at once. */
void test_gpus(void)
{
	cu_context contexts[16];
	cu_pointer device[16];
	u8 back[4096], want[4096];
	int count;

	client_device(0);
	CU(cuDeviceGetCount(&count));
	CHECK(count <= 16);
	for (int i = 0; i < count; i++) {
		CU(cuCtxCreate(&contexts[i], 0, i));
		CU(cuMemAlloc(&device[i], sizeof(want)));
		client_pattern(want, sizeof(want), (u32)i);
		CU(cuMemcpyHtoD(device[i], want, sizeof(want)));
	}
	for (int i = 0; i < count; i++) {
		CU(cuCtxSetCurrent(contexts[i]));
		CU(cuMemcpyDtoH(back, device[i], sizeof(back)));
		CHECK(client_pattern_holds(back, sizeof(back), (u32)i));
		round_trip((u32)i);
	}
	for (int i = 0; i < count; i++)
		CU(cuCtxDestroy(contexts[i]));
	printf("%d GPUs\n", count);
}

/* Copies until it is killed; says when the first is done. */
static void copy_for_ever(size_t size)
{
	cu_pointer device;
	void *host;

	client_context();
	CU(cuMemAlloc(&device, 16 * size));
	CU(cuMemAllocHost(&host, size));
	for (u64 i = 0;; i++) {
		CU(cuMemcpyHtoD(device + i % 16 * size, host, size));
		CU(cuMemcpyDtoH(host, device + i % 16 * size, size));
		if (i == 0)
			printf("copying %d\n", (int)getpid());
	}
}

void test_loop(void)
{
	copy_for_ever(MIB(64));
}

void test_loop_small(void)
{
	copy_for_ever(MIB(1));
}
