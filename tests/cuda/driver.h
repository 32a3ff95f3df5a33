/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * NVIDIA's driver API as far as the tests call it, by declarations of our own: libcuda.so.1 is
 * loaded when the program runs.
 */
#ifndef TESTS_CUDA_DRIVER_H
#define TESTS_CUDA_DRIVER_H

#include <stddef.h>

#include "base/types.h"

typedef int cu_result; /* 0: success */
typedef int cu_device;
typedef u64 cu_pointer; /* of device memory */
typedef struct cu_context *cu_context;

enum {
	CU_MULTIPROCESSORS = 16,
	CU_MAJOR = 75,
	CU_MINOR = 76,
	CU_INVALID_VALUE = 1,
	CU_OUT_OF_MEMORY = 2,
	CU_NOT_INITIALIZED = 3,
};

#define CU_FUNCTIONS(X)                                                                          \
	X(cuInit, cuInit, (unsigned int flags))                                                  \
	X(cuDriverGetVersion, cuDriverGetVersion, (int *version))                                \
	X(cuDeviceGetCount, cuDeviceGetCount, (int *count))                                      \
	X(cuDeviceGet, cuDeviceGet, (cu_device * device, int ordinal))                           \
	X(cuDeviceGetName, cuDeviceGetName, (char *name, int size, cu_device device))            \
	X(cuDeviceGetAttribute, cuDeviceGetAttribute, (int *value, int which, cu_device device)) \
	X(cuDeviceTotalMem, cuDeviceTotalMem_v2, (size_t * bytes, cu_device device))             \
	X(cuCtxCreate, cuCtxCreate_v2,                                                           \
	  (cu_context * context, unsigned int flags, cu_device device))                          \
	X(cuCtxDestroy, cuCtxDestroy_v2, (cu_context context))                                   \
	X(cuCtxSynchronize, cuCtxSynchronize, (void))                                            \
	X(cuMemGetInfo, cuMemGetInfo_v2, (size_t * left, size_t * total))                        \
	X(cuMemAlloc, cuMemAlloc_v2, (cu_pointer * pointer, size_t size))                        \
	X(cuMemFree, cuMemFree_v2, (cu_pointer pointer))                                         \
	X(cuMemAllocHost, cuMemAllocHost_v2, (void **memory, size_t size))                       \
	X(cuMemFreeHost, cuMemFreeHost, (void *memory))                                          \
	X(cuMemHostRegister, cuMemHostRegister_v2,                                               \
	  (void *memory, size_t size, unsigned int flags))                                       \
	X(cuMemHostUnregister, cuMemHostUnregister, (void *memory))                              \
	X(cuMemcpyHtoD, cuMemcpyHtoD_v2, (cu_pointer to, const void *from, size_t size))         \
	X(cuMemcpyDtoH, cuMemcpyDtoH_v2, (void *to, cu_pointer from, size_t size))

struct cu_driver {
#define X(name, symbol, args) cu_result(*name) args;
	CU_FUNCTIONS(X)
#undef X
};

/* Loads the library; ends the program with 77 where there is none. */
const struct cu_driver *cu_load(void);
/* Ends the program with 1 where result is not 0, naming the call. */
void cu_check(cu_result result, const char *call, const char *file, int line);

#define CU(call) cu_check(cu->call, #call, __FILE__, __LINE__)

#endif
