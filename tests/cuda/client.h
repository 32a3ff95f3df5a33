/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The client suite of the driver API: what its parts share. A test is a function that ends the
 * process with 1 when something does not hold; client.c lists them.
 */
#ifndef TESTS_CUDA_CLIENT_H
#define TESTS_CUDA_CLIENT_H

#include "driver.h"
#include "tests/check.h"

extern const struct cu_driver *cu;

/* cuInit and the GPU of that number. */
cu_device client_device(int number);
/* A context on GPU 0, current. */
cu_context client_context(void);
/* Bytes that differ from one seed to another. */
void client_pattern(void *mem, size_t size, u32 seed);
/* Whether they are the ones of that seed. */
bool client_pattern_holds(const void *mem, size_t size, u32 seed);
/* Seconds of the monotonic clock. */
double client_now(void);
/* Waits for a child and checks that it ended with 0. */
void client_child_good(int pid);

void test_streams(void);
void test_events(void);
void test_waits(void);
void test_values(void);
void test_callbacks(void);
void test_priorities(void);
void test_planes(void);
void test_boxes(void);
void test_sets(void);
void test_mapped(void);
void test_vmm(void);
void test_vmm_shared(void);
void test_pool(void);
void test_pool_own(void);
void test_managed(void);
void test_managed_moves(void);
void test_managed_threads(void);
void test_managed_loop(void);
void test_contexts(void);
void test_threads(void);
void test_ipc_memory(void);
void test_ipc_events(void);
void test_processes(void);
void test_gpus(void);
void test_peers(void);
void test_peer_access(void);
void test_peer_matrix(void);
void test_peer_both(void);
void test_peer_lost(void);
void test_peer_shared(void);
void test_peer_ipc(void);
void test_exhausted(void);
void test_pointers(void);
void test_destroyed(void);
void test_kernel_copy(void);
void test_kernel_set(void);
void test_kernel_managed(void);
void test_large(void);
void test_loop(void);
void test_loop_small(void);
void test_attributes(void);

#endif
