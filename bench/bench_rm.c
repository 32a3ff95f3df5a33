// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How fast the resource manager answers, as ratios to what was measured in the same run: null
 * system calls, dependent random loads over the same memory, two threads that share nothing.
 *
 *   bench_rm              all of it, one line a goal
 *   bench_rm KIND COUNT   COUNT operations of a kind (control, child, client), for counting the
 *                         instructions of rm_ioctl in them
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

#define FIRST_HANDLE 0x10000u
#define CHILD_HANDLE 0x1000u

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void report(const char *what, double value, double goal, bool at_least)
{
	bool pass = at_least ? value >= goal : value <= goal;

	printf("%-58s %9.2f  goal %s %-7.2f %s\n", what, value, at_least ? ">=" : "<=", goal,
	       pass ? "PASS" : "MISS");
	fflush(stdout);
}

/* -- One operation of each kind ---------------------------------------------------------------- */

enum kind { CONTROL, CHILD, CLIENT, NULL_CALL };

static const char *const kind_names[] = { "control", "child", "client" };

static NOINLINE void bench_step(struct target *target, u32 client, enum kind kind)
{
	u32 made;

	switch (kind) {
	case CONTROL:
		target_control(target, client);
		break;
	case CHILD:
		target_child_alloc(target, client, CHILD_HANDLE);
		target_child_free(target, client, CHILD_HANDLE);
		break;
	case CLIENT:
		made = target_client_alloc(target);
		target_client_free(target, made);
		break;
	case NULL_CALL:
		syscall(SYS_getppid);
		break;
	}
}

/* Nanoseconds an operation: the best of several rounds. */
static double time_of(struct target *target, u32 client, enum kind kind)
{
	double best = 1e18;
	u32 round, i;

	for (round = 0; round < 15; round++) {
		double start = now(), taken;

		for (i = 0; i < 20000; i++)
			bench_step(target, client, kind);
		taken = (now() - start) / i;
		if (taken < best)
			best = taken;
	}
	return best;
}

static void against_null_call(struct target *target)
{
	static const struct {
		enum kind kind;
		const char *what;
		double goal;
	} rows[] = {
		{ CONTROL, "cheap control / null system call", 1.5 },
		{ CHILD, "child alloc and free / null system call", 4 },
		{ CLIENT, "client alloc and free / null system call", 8 },
	};
	u32 client = target_client_alloc(target), i;
	double null = time_of(target, client, NULL_CALL);

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report(rows[i].what, time_of(target, client, rows[i].kind) / null, rows[i].goal,
		       false);
	target_client_free(target, client);
}

/* -- With many objects or clients -------------------------------------------------------------- */

static size_t memory_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Nanoseconds of one load that depends on the one before, at random over so much memory. */
static double random_load(size_t bytes)
{
	size_t lines = bytes / 64 < 64 ? 64 : bytes / 64, i;
	size_t *next = malloc(lines * sizeof(*next));
	char *memory = aligned_alloc(64, lines * 64);
	u64 seed = 88172645463325252ull;
	double best = 1e18;
	char *at;
	u32 round;

	if (!next || !memory)
		exit(2);
	for (i = 0; i < lines; i++)
		next[i] = i;
	/* One cycle through all lines (Sattolo). */
	for (i = lines - 1; i > 0; i--) {
		size_t j = random_next(&seed) % i, swap = next[i];

		next[i] = next[j];
		next[j] = swap;
	}
	for (i = 0; i < lines; i++)
		*(char **)(memory + i * 64) = memory + next[i] * 64;
	at = memory;
	for (round = 0; round < 5; round++) {
		double start = now(), taken;

		for (i = 0; i < 400000; i++)
			at = *(char **)at;
		taken = (now() - start) / i;
		if (taken < best)
			best = taken;
	}
	if (!at)
		exit(2);
	free(memory);
	free(next);
	return best;
}

typedef void (*visit_fn)(struct target *target, u32 client, u32 index);

static u32 *clients;

static void visit_object(struct target *target, u32 client, u32 index)
{
	target_child_control(target, client, FIRST_HANDLE + index);
}

static void visit_client(struct target *target, u32 client, u32 index)
{
	target_control(target, clients[index]);
}

static double time_random(struct target *target, u32 client, u32 count, visit_fn visit)
{
	double best = 1e18;
	u64 seed = 0x9e3779b97f4a7c15ull;
	u32 round, i;

	for (round = 0; round < 25; round++) {
		double start = now(), taken;

		for (i = 0; i < 100000; i++)
			visit(target, client, random_next(&seed) % count);
		taken = (now() - start) / i;
		if (taken < best)
			best = taken;
	}
	return best;
}

static void many_objects(struct target *target)
{
	static const u32 counts[] = { 10, 1000, 100000, 1000000 };
	u32 client = target_client_alloc(target), made = 0, i;
	double small = 0;
	size_t before = memory_in_use();
	char what[64];

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double taken, limit;
		size_t bytes;

		for (; made < counts[i]; made++)
			target_child_alloc(target, client, FIRST_HANDLE + made);
		bytes = memory_in_use() - before;
		taken = time_random(target, client, made, visit_object);
		if (!small)
			small = taken;
		limit = small + 4 * random_load(bytes);
		snprintf(what, sizeof(what), "%u objects / (10 objects + 4 random loads)", made);
		report(what, taken / limit, 1, false);
		if (counts[i] == 1000000)
			report("bytes an object", (double)bytes / made, 256, false);
	}
	target_client_free(target, client);
}

static void many_clients(struct target *target)
{
	static const u32 counts[] = { 1, 100, 10000, 60000 };
	u32 made = 0, i;
	double small = 0;
	size_t before;
	char what[64];

	clients = calloc(60000, sizeof(*clients));
	if (!clients)
		exit(2);
	before = memory_in_use();
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double taken, limit;
		size_t bytes;

		for (; made < counts[i]; made++)
			clients[made] = target_client_alloc(target);
		bytes = memory_in_use() - before;
		taken = time_random(target, 0, made, visit_client);
		if (!small)
			small = taken;
		limit = small + 4 * random_load(bytes);
		snprintf(what, sizeof(what), "%u clients / (1 client + 4 random loads)", made);
		report(what, taken / limit, 1, false);
		if (counts[i] == 60000)
			report("bytes a client", (double)bytes / made, 1024, false);
	}
	for (i = 0; i < made; i++)
		target_client_free(target, clients[i]);
	free(clients);
}

/* -- Two threads ------------------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	struct target *target;
	u32 client;
	double taken;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	double start;
	u32 i;

	/* The request's copies are the thread's own setting. */
	target_thread();
	pthread_barrier_wait(worker->start);
	start = now();
	for (i = 0; i < 400000; i++)
		bench_step(worker->target, worker->client, CONTROL);
	worker->taken = now() - start;
	return NULL;
}

/* Operations a nanosecond of two threads at once. */
static double two_threads(struct target *a, struct target *b)
{
	struct worker workers[2] = { { .target = a }, { .target = b } };
	double best = 0;
	u32 round, i;

	for (round = 0; round < 7; round++) {
		pthread_barrier_t start;
		double rate = 0;

		pthread_barrier_init(&start, NULL, 2);
		for (i = 0; i < 2; i++) {
			workers[i].start = &start;
			workers[i].client = target_client_alloc(workers[i].target);
		}
		for (i = 0; i < 2; i++)
			if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
				exit(2);
		for (i = 0; i < 2; i++) {
			pthread_join(workers[i].thread, NULL);
			target_client_free(workers[i].target, workers[i].client);
			rate += 1 / workers[i].taken;
		}
		pthread_barrier_destroy(&start);
		if (rate > best)
			best = rate;
	}
	return best;
}

static void threads(struct target *target)
{
	struct target *other = target_open();
	double apart = two_threads(target, other), together = two_threads(target, target);

	report("two clients of one instance / two instances, two threads", together / apart, 0.9,
	       true);
	target_close(other);
}

int main(int argc, char **argv)
{
	struct target *target = target_open();
	u32 kind, i;

	if (argc == 3) {
		u32 client = target_client_alloc(target);

		for (kind = 0; kind < NULL_CALL; kind++)
			if (!strcmp(argv[1], kind_names[kind]))
				break;
		if (kind == NULL_CALL)
			return 2;
		for (i = 0; i < (u32)atoi(argv[2]); i++)
			bench_step(target, client, kind);
		target_client_free(target, client);
	} else {
		against_null_call(target);
		many_objects(target);
		many_clients(target);
		threads(target);
	}
	target_close(target);
	return 0;
}
