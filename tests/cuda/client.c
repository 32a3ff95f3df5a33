// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The client suite of the driver API.
 *
 *   cuda_client TEST...     one after another, each in a process of its own
 */
#include "client.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct cu_driver *cu;

cu_device client_device(int number)
{
	cu_device device;
	int count;

	CU(cuInit(0));
	CU(cuDeviceGetCount(&count));
	CHECK(count > number);
	CU(cuDeviceGet(&device, number));
	return device;
}

cu_context client_context(void)
{
	cu_context context;

	CU(cuCtxCreate(&context, 0, client_device(0)));
	return context;
}

static u8 pattern_next(u32 *x)
{
	*x = *x * 1664525u + 1013904223u;
	return (u8)(*x >> 24);
}

void client_pattern(void *mem, size_t size, u32 seed)
{
	u32 x = seed * 2654435761u + 1;

	for (size_t i = 0; i < size; i++)
		((u8 *)mem)[i] = pattern_next(&x);
}

bool client_pattern_holds(const void *mem, size_t size, u32 seed)
{
	u32 x = seed * 2654435761u + 1;

	for (size_t i = 0; i < size; i++) {
		if (((const u8 *)mem)[i] != pattern_next(&x))
			return false;
	}
	return true;
}

double client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void client_child_good(int pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "streams", test_streams },
	{ "events", test_events },
	{ "waits", test_waits },
	{ "values", test_values },
	{ "callbacks", test_callbacks },
	{ "priorities", test_priorities },
	{ "planes", test_planes },
	{ "boxes", test_boxes },
	{ "sets", test_sets },
	{ "mapped", test_mapped },
	{ "vmm", test_vmm },
	{ "vmm-shared", test_vmm_shared },
	{ "pool", test_pool },
	{ "pool-own", test_pool_own },
	{ "managed", test_managed },
	{ "managed-moves", test_managed_moves },
	{ "managed-threads", test_managed_threads },
	{ "managed-loop", test_managed_loop },
	{ "contexts", test_contexts },
	{ "threads", test_threads },
	{ "ipc-memory", test_ipc_memory },
	{ "ipc-events", test_ipc_events },
	{ "processes", test_processes },
	{ "gpus", test_gpus },
	{ "peers", test_peers },
	{ "peer-access", test_peer_access },
	{ "peer-matrix", test_peer_matrix },
	{ "peer-both", test_peer_both },
	{ "peer-lost", test_peer_lost },
	{ "peer-shared", test_peer_shared },
	{ "peer-ipc", test_peer_ipc },
	{ "exhausted", test_exhausted },
	{ "pointers", test_pointers },
	{ "destroyed", test_destroyed },
	{ "kernel-copy", test_kernel_copy },
	{ "kernel-set", test_kernel_set },
	{ "kernel-managed", test_kernel_managed },
	{ "large", test_large },
	{ "loop", test_loop },
	{ "loop-small", test_loop_small },
	{ "attributes", test_attributes },
};

/* Returns whether there is such a test and it passed. */
static bool test_run(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		double start = client_now();
		int status;
		pid_t pid;

		if (strcmp(name, tests[i].name))
			continue;
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			tests[i].run();
			exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			exit(77);
		printf("%s %s %.2f s\n", name, status ? "failed" : "passed", client_now() - start);
		return status == 0;
	}
	fprintf(stderr, "cuda_client: no test %s\n", name);
	return false;
}

int main(int argc, char **argv)
{
	bool good = argc > 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	cu = cu_load();
	for (int i = 1; i < argc; i++)
		good = test_run(argv[i]) && good;
	return good ? 0 : 1;
}
