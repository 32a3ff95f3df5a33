// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Streams, events, waits across streams, callbacks. */
#include "client.h"

#include <pthread.h>
#include <unistd.h>

#define STREAMS 6u
#define PIECE MIB(2)

/* Copies in flight on several streams at once, there and back, each stream with data of its own. */
void test_streams(void)
{
	cu_context context = client_context();
	cu_stream streams[STREAMS];
	cu_pointer device[STREAMS];
	void *there[STREAMS], *back[STREAMS];

	for (u32 i = 0; i < STREAMS; i++) {
		CU(cuStreamCreate(&streams[i], i & 1 ? CU_STREAM_NON_BLOCKING : 0));
		CU(cuMemAlloc(&device[i], PIECE));
		CU(cuMemAllocHost(&there[i], PIECE));
		CU(cuMemAllocHost(&back[i], PIECE));
		client_pattern(there[i], PIECE, i);
	}
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < STREAMS; i++)
			memset(back[i], 0, PIECE);
		for (u32 i = 0; i < STREAMS; i++)
			CU(cuMemcpyHtoDAsync(device[i], there[i], PIECE, streams[i]));
		for (u32 i = 0; i < STREAMS; i++)
			CU(cuMemcpyDtoHAsync(back[i], device[i], PIECE, streams[i]));
		for (u32 i = 0; i < STREAMS; i++) {
			CU(cuStreamSynchronize(streams[i]));
			CU(cuStreamQuery(streams[i]));
			CHECK(memcmp(there[i], back[i], PIECE) == 0);
		}
	}
	for (u32 i = 0; i < STREAMS; i++) {
		CU(cuStreamDestroy(streams[i]));
		CU(cuMemFree(device[i]));
		CU(cuMemFreeHost(there[i]));
		CU(cuMemFreeHost(back[i]));
	}
	CU(cuCtxDestroy(context));
}

/* The time between two events is the GPU's clock and lies within the CPU's around it. */
static void event_times(unsigned int flags, size_t size)
{
	cu_event start, end;
	cu_pointer device;
	float took = -1, none = -1;
	double before, around;
	void *host;

	CU(cuEventCreate(&start, flags));
	CU(cuEventCreate(&end, flags));
	CU(cuMemAlloc(&device, size));
	CU(cuMemAllocHost(&host, size));
	before = client_now();
	CU(cuEventRecord(start, NULL));
	CU(cuMemcpyHtoDAsync(device, host, size, NULL));
	CU(cuEventRecord(end, NULL));
	CU(cuEventSynchronize(end));
	around = (client_now() - before) * 1e3;
	CU(cuEventQuery(start));
	CU(cuEventElapsedTime(&took, start, end));
	CU(cuEventElapsedTime(&none, start, start));
	CHECK(none == 0);
	CHECK(took > 0 && took <= around + 0.01);
	CU(cuEventDestroy(start));
	CU(cuEventDestroy(end));
	CU(cuMemFree(device));
	CU(cuMemFreeHost(host));
}

void test_events(void)
{
	cu_context context = client_context();
	cu_event event, other;
	float took;

	event_times(0, MIB(16));
	event_times(CU_EVENT_BLOCKING_SYNC, MIB(16));
	CU(cuEventCreate(&event, CU_EVENT_NO_TIMING));
	CU(cuEventCreate(&other, 0));
	CU(cuEventQuery(event)); /* never recorded: nothing to wait for */
	CU(cuEventRecord(event, NULL));
	CU(cuEventSynchronize(event));
	CHECK(cu->cuEventElapsedTime(&took, event, event) != 0);
	CHECK(cu->cuEventElapsedTime(&took, other, other) != 0);
	CU(cuEventDestroy(event));
	CU(cuEventDestroy(other));
	CU(cuCtxDestroy(context));
}

/* A function of the host's that holds a stream until the test lets it go. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool entered, open;
};

#define GATE                                                                      \
	{                                                                         \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false \
	}

static void gate_wait(void *argument)
{
	struct gate *g = argument;

	pthread_mutex_lock(&g->lock);
	g->entered = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void gate_await_entry(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (!g->entered)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

/*
 * A stream waits for another's event: while the other is held back nothing of the waiting stream
 * happens, a third goes on, and afterwards what was copied last is what was ordered last.
 */
void test_waits(void)
{
	cu_context context = client_context();
	cu_stream first, second, third;
	struct gate gate = GATE;
	cu_pointer device, other;
	cu_event event;
	void *there, *back;

	CU(cuStreamCreate(&first, CU_STREAM_NON_BLOCKING));
	CU(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
	CU(cuStreamCreate(&third, CU_STREAM_NON_BLOCKING));
	CU(cuEventCreate(&event, CU_EVENT_NO_TIMING));
	CU(cuMemAlloc(&device, PIECE));
	CU(cuMemAlloc(&other, PIECE));
	CU(cuMemAllocHost(&there, PIECE));
	CU(cuMemAllocHost(&back, PIECE));
	memset(back, 0, PIECE);
	client_pattern(there, PIECE, 1);
	CU(cuMemcpyHtoD(device, back, PIECE));

	CU(cuLaunchHostFunc(first, gate_wait, &gate));
	CU(cuMemcpyHtoDAsync(device, there, PIECE, first));
	CU(cuEventRecord(event, first));
	CU(cuStreamWaitEvent(second, event, 0));
	CU(cuMemcpyDtoHAsync(back, device, PIECE, second));
	gate_await_entry(&gate);
	CHECK(cu->cuEventQuery(event) == CU_NOT_READY);
	CHECK(cu->cuStreamQuery(second) == CU_NOT_READY);
	CU(cuMemcpyHtoDAsync(other, there, PIECE, third));
	CU(cuStreamSynchronize(third));
	CHECK(cu->cuStreamQuery(second) == CU_NOT_READY);
	CHECK(((u8 *)back)[0] == 0 && ((u8 *)back)[PIECE - 1] == 0);
	gate_open(&gate);
	CU(cuStreamSynchronize(second));
	CU(cuEventQuery(event));
	CHECK(memcmp(there, back, PIECE) == 0);

	CU(cuEventDestroy(event));
	CU(cuStreamDestroy(first));
	CU(cuStreamDestroy(second));
	CU(cuStreamDestroy(third));
	CU(cuMemFree(device));
	CU(cuMemFree(other));
	CU(cuMemFreeHost(there));
	CU(cuMemFreeHost(back));
	CU(cuCtxDestroy(context));
}

#define WAIT_AT_LEAST 0u
#define WAIT_EQUAL 1u

/* A stream waits for a word of memory that the CPU, then another stream, writes. */
void test_values(void)
{
	cu_context context = client_context();
	cu_stream waiting, writing;
	volatile u32 *word;
	cu_pointer where;
	void *host;

	CU(cuStreamCreate(&waiting, CU_STREAM_NON_BLOCKING));
	CU(cuStreamCreate(&writing, CU_STREAM_NON_BLOCKING));
	CU(cuMemHostAlloc(&host, 4096, CU_HOST_DEVICE_MAP));
	CU(cuMemHostGetDevicePointer(&where, host, 0));
	word = host;
	word[0] = word[1] = 0;
	CU(cuStreamWaitValue32(waiting, where, 7, WAIT_AT_LEAST));
	CU(cuStreamWriteValue32(waiting, where + 4, 11, 0));
	usleep(20000);
	CHECK(cu->cuStreamQuery(waiting) == CU_NOT_READY && word[1] == 0);
	word[0] = 9;
	CU(cuStreamSynchronize(waiting));
	CHECK(word[1] == 11);
	CU(cuStreamWaitValue32(waiting, where, 3, WAIT_EQUAL));
	usleep(5000);
	CHECK(cu->cuStreamQuery(waiting) == CU_NOT_READY);
	CU(cuStreamWriteValue32(writing, where, 3, 0));
	CU(cuStreamSynchronize(waiting));
	CHECK(word[0] == 3);
	CU(cuStreamDestroy(waiting));
	CU(cuStreamDestroy(writing));
	CU(cuMemFreeHost(host));
	CU(cuCtxDestroy(context));
}

struct order {
	u32 next;
	bool good;
};

struct order_step {
	struct order *order;
	u32 number;
};

static void order_step(void *argument)
{
	struct order_step *s = argument;

	s->order->good &= s->order->next++ == s->number;
}

static void order_callback(cu_stream stream, cu_result status, void *argument)
{
	struct order_step *s = argument;

	(void)stream;
	s->order->good &= status == 0;
	order_step(s);
}

#define STEPS 20u

/* Callbacks come in the stream's order, copies between them included. */
void test_callbacks(void)
{
	cu_context context = client_context();
	struct order order = { 0, true };
	struct order_step steps[STEPS];
	cu_pointer device;
	cu_stream stream;
	void *host;

	CU(cuStreamCreate(&stream, 0));
	CU(cuMemAlloc(&device, KIB(64)));
	CU(cuMemAllocHost(&host, KIB(64)));
	for (u32 i = 0; i < STEPS; i++) {
		steps[i] = (struct order_step){ &order, i };
		CU(cuMemcpyHtoDAsync(device, host, KIB(64), stream));
		if (i & 1)
			CU(cuStreamAddCallback(stream, order_callback, &steps[i], 0));
		else
			CU(cuLaunchHostFunc(stream, order_step, &steps[i]));
	}
	CU(cuStreamSynchronize(stream));
	CHECK(order.good && order.next == STEPS);
	CU(cuStreamDestroy(stream));
	CU(cuMemFree(device));
	CU(cuMemFreeHost(host));
	CU(cuCtxDestroy(context));
}

void test_priorities(void)
{
	cu_context context = client_context();
	u8 there[256], back[256];
	int least, greatest;
	cu_pointer device;

	CU(cuCtxGetStreamPriorityRange(&least, &greatest));
	CHECK(least >= greatest);
	CU(cuMemAlloc(&device, sizeof(there)));
	for (int p = greatest - 1; p <= least + 1; p++) {
		int want = p < greatest ? greatest : p > least ? least : p, got;
		cu_stream stream;

		CU(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, p));
		CU(cuStreamGetPriority(stream, &got));
		CHECK(got == want);
		client_pattern(there, sizeof(there), (u32)(p + 100));
		CU(cuMemcpyHtoDAsync(device, there, sizeof(there), stream));
		CU(cuMemcpyDtoHAsync(back, device, sizeof(back), stream));
		CU(cuStreamSynchronize(stream));
		CHECK(memcmp(there, back, sizeof(there)) == 0);
		CU(cuStreamDestroy(stream));
	}
	printf("stream priorities %d to %d\n", least, greatest);
	CU(cuMemFree(device));
	CU(cuCtxDestroy(context));
}
