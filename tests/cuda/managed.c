// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that moves to the GPU and back while the program uses it. Where it is mincore
 * tells: what a GPU has, system memory has not. A test is skipped where the kernel does not let the
 * user have a userfaultfd, since all of it is system memory then.
 */
#include "client.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define SIZE MIB(5)

struct managed {
	cu_context context;
	cu_stream stream;
	cu_pointer pointer;
	u8 *memory;
};

static void managed_begin(struct managed *m)
{
	long fd = syscall(SYS_userfaultfd, 0);

	if (fd < 0)
		exit(77);
	close((int)fd);
	m->context = client_context();
	CU(cuStreamCreate(&m->stream, 0));
	CU(cuMemAllocManaged(&m->pointer, SIZE, CU_MANAGED_GLOBAL));
	m->memory = (u8 *)(uintptr_t)m->pointer;
}

static void managed_end(const struct managed *m)
{
	CU(cuMemFree(m->pointer));
	CU(cuStreamDestroy(m->stream));
	CU(cuCtxDestroy(m->context));
}

static void prefetch(const struct managed *m, size_t at, size_t size, cu_device where)
{
	CU(cuMemPrefetchAsync(m->pointer + at, size, where, m->stream));
	CU(cuStreamSynchronize(m->stream));
}

/* Pages of system memory there. */
static u32 pages_here(const u8 *memory, size_t size)
{
	static unsigned char here[SIZE / PAGE];
	u32 count = 0;

	CHECK(mincore((void *)memory, size, here) == 0);
	for (size_t i = 0; i < size / PAGE; i++)
		count += here[i] & 1;
	return count;
}

/* What was in the system's memory is gone there: what comes back was in the GPU's. */
static void both_ways(const struct managed *m)
{
	client_pattern(m->memory, SIZE, 1);
	CHECK(pages_here(m->memory, SIZE) == SIZE / PAGE);
	prefetch(m, 0, SIZE, 0);
	CHECK(pages_here(m->memory, SIZE) == 0);
	/* what is touched comes back, and no more than around it */
	m->memory[MIB(3)]++;
	CHECK(pages_here(m->memory, SIZE) == 16);
	m->memory[MIB(3)]--;
	CHECK(client_pattern_holds(m->memory, SIZE, 1));
	CHECK(pages_here(m->memory, SIZE) == SIZE / PAGE);
	/* and what is asked for */
	prefetch(m, 0, SIZE, 0);
	prefetch(m, MIB(1), MIB(2), CU_DEVICE_CPU);
	CHECK(pages_here(m->memory, SIZE) == MIB(2) / PAGE);
	CHECK(client_pattern_holds(m->memory, SIZE, 1));
	/* parts, stored to at once */
	for (u32 i = 2; i < 8; i++) {
		prefetch(m, i * 16 * PAGE, MIB(3), 0);
		client_pattern(m->memory, SIZE, i);
		prefetch(m, (i + 1) * 5 * PAGE, MIB(2), 0);
		CHECK(client_pattern_holds(m->memory, SIZE, i));
	}
}

/* The kernel's own accesses. */
static void system_calls(const struct managed *m)
{
	int ends[2];

	CHECK(pipe(ends) == 0);
	client_pattern(m->memory, SIZE, 4);
	for (u32 i = 0; i < 2; i++) {
		prefetch(m, 0, SIZE, 0);
		CHECK(write(ends[1], m->memory + MIB(1) + 5, 3 * PAGE) == 3 * PAGE);
		prefetch(m, 0, SIZE, 0);
		CHECK(read(ends[0], m->memory + MIB(1) + 5, 3 * PAGE) == 3 * PAGE);
	}
	CHECK(client_pattern_holds(m->memory, SIZE, 4));
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* A child has none of it, as with the driver's own memory; the parent has all. */
static void forks(const struct managed *m)
{
	int status;
	pid_t pid;

	client_pattern(m->memory, SIZE, 5);
	prefetch(m, 0, SIZE, 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(m->memory[7]);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(pages_here(m->memory, SIZE) == 0);
	CHECK(client_pattern_holds(m->memory, SIZE, 5));
}

void test_managed_moves(void)
{
	struct managed m;

	managed_begin(&m);
	both_ways(&m);
	system_calls(&m);
	forks(&m);
	managed_end(&m);
}

#define TOUCHERS 3u

static struct {
	u8 *memory;
	u32 stop; /* atomic */
	u64 rounds[TOUCHERS];
	pthread_t threads[TOUCHERS];
} touch;

static u64 *touched(u32 thread, u64 round)
{
	return (u64 *)(touch.memory + round % (SIZE / PAGE) * PAGE) + thread;
}

/* Each store is looked for at once, and in the end all are. */
static void *toucher(void *arg)
{
	const u32 thread = (u32)(uintptr_t)arg;
	u64 round = 0;

	while (!__atomic_load_n(&touch.stop, __ATOMIC_RELAXED)) {
		u64 *word = touched(thread, round);

		__atomic_store_n(word, ++round, __ATOMIC_RELAXED);
		CHECK(__atomic_load_n(word, __ATOMIC_RELAXED) == round);
	}
	touch.rounds[thread] = round;
	return NULL;
}

/* Threads store while it moves, there and back: none of what they stored is lost. */
void test_managed_threads(void)
{
	const double end = client_now() + 2;
	struct managed m;

	managed_begin(&m);
	touch.memory = m.memory;
	for (u32 i = 0; i < TOUCHERS; i++)
		CHECK(pthread_create(&touch.threads[i], NULL, toucher, (void *)(uintptr_t)i) == 0);
	for (u32 i = 0; client_now() < end || i < 20; i++)
		prefetch(&m, i % 3 * MIB(1), MIB(2), i % 4 == 3 ? CU_DEVICE_CPU : 0);
	__atomic_store_n(&touch.stop, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < TOUCHERS; i++) {
		CHECK(pthread_join(touch.threads[i], NULL) == 0);
		for (u64 k = 0; k < SIZE / PAGE && k < touch.rounds[i]; k++) {
			const u64 round = touch.rounds[i] - 1 - k;

			CHECK(*touched(i, round) == round + 1);
		}
	}
	managed_end(&m);
}

/* Moves and touches until it is killed. */
void test_managed_loop(void)
{
	struct managed m;

	managed_begin(&m);
	client_pattern(m.memory, SIZE, 6);
	prefetch(&m, 0, SIZE, 0);
	printf("moving %d\n", (int)getpid());
	fflush(stdout);
	touch.memory = m.memory;
	CHECK(pthread_create(&touch.threads[0], NULL, toucher, NULL) == 0);
	for (;;)
		prefetch(&m, 0, SIZE, 0);
}
