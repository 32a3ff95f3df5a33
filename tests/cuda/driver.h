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
typedef u64 cu_memory;	/* physical memory, of cuMemCreate */
typedef struct cu_context *cu_context;
typedef struct cu_stream *cu_stream; /* NULL: the context's own */
typedef struct cu_event *cu_event;
typedef struct cu_pool *cu_pool;
typedef void (*cu_host_function)(void *argument);
typedef void (*cu_callback)(cu_stream stream, cu_result status, void *argument);

enum {
	CU_MULTIPROCESSORS = 16,
	CU_MAJOR = 75,
	CU_MINOR = 76,
};

enum {
	CU_INVALID_VALUE = 1,
	CU_OUT_OF_MEMORY = 2,
	CU_NOT_INITIALIZED = 3,
	CU_INVALID_DEVICE = 101,
	CU_INVALID_CONTEXT = 201,
	CU_PEER_ACCESS_UNSUPPORTED = 217,
	CU_PEER_ACCESS_ALREADY_ENABLED = 704,
	CU_PEER_ACCESS_NOT_ENABLED = 705,
	CU_CONTEXT_IS_DESTROYED = 709,
	CU_NOT_READY = 600,
};

enum {
	CU_CONTEXT_BLOCKING_SYNC = 4,
	CU_STREAM_NON_BLOCKING = 1,
	CU_EVENT_BLOCKING_SYNC = 1,
	CU_EVENT_NO_TIMING = 2,
	CU_EVENT_INTERPROCESS = 4,
	CU_HOST_PORTABLE = 1,
	CU_HOST_DEVICE_MAP = 2,
	CU_HOST_WRITE_COMBINED = 4,
	CU_MANAGED_GLOBAL = 1,
	CU_IPC_LAZY_PEER_ACCESS = 1,
	CU_DEVICE_CPU = -1, /* as a place of managed memory */
};

/* Of a pair of GPUs. */
enum {
	CU_P2P_ACCESS_SUPPORTED = 2,
	CU_P2P_NATIVE_ATOMICS = 3,
	CU_P2P_ARRAYS = 4,
};

enum cu_advice {
	CU_ADVICE_READ_MOSTLY = 1,
	CU_ADVICE_NOT_READ_MOSTLY,
	CU_ADVICE_PREFERRED_LOCATION,
	CU_ADVICE_NO_PREFERRED_LOCATION,
	CU_ADVICE_ACCESSED_BY,
	CU_ADVICE_NOT_ACCESSED_BY,
};

enum cu_kind { CU_HOST = 1, CU_DEVICE = 2 };

/* One side of a copy in two dimensions. */
struct cu_plane {
	size_t x; /* bytes */
	size_t y;
	enum cu_kind kind;
	const void *host;
	cu_pointer device;
	void *array;
	size_t pitch;
};

struct cu_copy_2d {
	struct cu_plane from, to;
	size_t width; /* bytes */
	size_t height;
};

struct cu_box {
	size_t x; /* bytes */
	size_t y, z, level;
	enum cu_kind kind;
	const void *host;
	cu_pointer device;
	void *array, *reserved;
	size_t pitch, height;
};

struct cu_copy_3d {
	struct cu_box from, to;
	size_t width; /* bytes */
	size_t height, depth;
};

struct cu_place {
	int type; /* CU_PLACE_DEVICE */
	int device;
};

enum {
	CU_PLACE_DEVICE = 1,
	CU_MEMORY_PINNED = 1,
	CU_HANDLE_FILE = 1, /* a descriptor */
	CU_ACCESS_READ_WRITE = 3,
	CU_POOL_USED_CURRENT = 7,
};

struct cu_memory_properties {
	int type; /* CU_MEMORY_PINNED */
	int handles;
	struct cu_place place;
	void *metadata;
	u8 flags[8];
};

struct cu_access {
	struct cu_place place;
	int flags;
};

struct cu_pool_properties {
	int type;
	int handles;
	struct cu_place place;
	void *attributes;
	u8 reserved[64];
};

struct cu_ipc {
	u8 bytes[64];
};

/* clang-format off: one a line, however long */
#define CU_FUNCTIONS(X)                                                                            \
	X(cuInit, cuInit, (unsigned int flags))                                                    \
	X(cuDriverGetVersion, cuDriverGetVersion, (int *version))                                  \
	X(cuDeviceGetCount, cuDeviceGetCount, (int *count))                                        \
	X(cuDeviceGet, cuDeviceGet, (cu_device * device, int ordinal))                             \
	X(cuDeviceGetName, cuDeviceGetName, (char *name, int size, cu_device device))              \
	X(cuDeviceGetAttribute, cuDeviceGetAttribute, (int *value, int which, cu_device device))   \
	X(cuDeviceTotalMem, cuDeviceTotalMem_v2, (size_t * bytes, cu_device device))               \
	X(cuDeviceCanAccessPeer, cuDeviceCanAccessPeer,                                            \
	  (int *can, cu_device device, cu_device peer))                                            \
	X(cuDeviceGetP2PAttribute, cuDeviceGetP2PAttribute,                                        \
	  (int *value, int which, cu_device device, cu_device peer))                               \
	X(cuDeviceGetDefaultMemPool, cuDeviceGetDefaultMemPool,                                    \
	  (cu_pool * pool, cu_device device))                                                      \
	X(cuCtxCreate, cuCtxCreate_v2,                                                             \
	  (cu_context * context, unsigned int flags, cu_device device))                            \
	X(cuCtxDestroy, cuCtxDestroy_v2, (cu_context context))                                     \
	X(cuCtxSynchronize, cuCtxSynchronize, (void))                                              \
	X(cuCtxSetCurrent, cuCtxSetCurrent, (cu_context context))                                  \
	X(cuCtxGetStreamPriorityRange, cuCtxGetStreamPriorityRange, (int *least, int *greatest))   \
	X(cuCtxEnablePeerAccess, cuCtxEnablePeerAccess, (cu_context peer, unsigned int flags))     \
	X(cuCtxDisablePeerAccess, cuCtxDisablePeerAccess, (cu_context peer))                       \
	X(cuMemGetInfo, cuMemGetInfo_v2, (size_t * left, size_t * total))                          \
	X(cuMemAlloc, cuMemAlloc_v2, (cu_pointer * pointer, size_t size))                          \
	X(cuMemFree, cuMemFree_v2, (cu_pointer pointer))                                           \
	X(cuMemAllocHost, cuMemAllocHost_v2, (void **memory, size_t size))                         \
	X(cuMemFreeHost, cuMemFreeHost, (void *memory))                                            \
	X(cuMemHostAlloc, cuMemHostAlloc, (void **memory, size_t size, unsigned int flags))        \
	X(cuMemHostGetDevicePointer, cuMemHostGetDevicePointer_v2,                                 \
	  (cu_pointer * pointer, void *memory, unsigned int flags))                                \
	X(cuMemHostGetFlags, cuMemHostGetFlags, (unsigned int *flags, void *memory))               \
	X(cuMemHostRegister, cuMemHostRegister_v2,                                                 \
	  (void *memory, size_t size, unsigned int flags))                                         \
	X(cuMemHostUnregister, cuMemHostUnregister, (void *memory))                                \
	X(cuMemcpyHtoD, cuMemcpyHtoD_v2, (cu_pointer to, const void *from, size_t size))           \
	X(cuMemcpyDtoH, cuMemcpyDtoH_v2, (void *to, cu_pointer from, size_t size))                 \
	X(cuMemcpyDtoD, cuMemcpyDtoD_v2, (cu_pointer to, cu_pointer from, size_t size))            \
	X(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2,                                                 \
	  (cu_pointer to, const void *from, size_t size, cu_stream stream))                        \
	X(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2,                                                 \
	  (void *to, cu_pointer from, size_t size, cu_stream stream))                              \
	X(cuMemcpyPeer, cuMemcpyPeer,                                                              \
	  (cu_pointer to, cu_context to_context, cu_pointer from, cu_context from_context,         \
	   size_t size))                                                                           \
	X(cuMemcpyPeerAsync, cuMemcpyPeerAsync,                                                    \
	  (cu_pointer to, cu_context to_context, cu_pointer from, cu_context from_context,         \
	   size_t size, cu_stream stream))                                                         \
	X(cuMemcpy2D, cuMemcpy2D_v2, (const struct cu_copy_2d *copy))                              \
	X(cuMemcpy2DUnaligned, cuMemcpy2DUnaligned_v2, (const struct cu_copy_2d *copy))            \
	X(cuMemcpy3D, cuMemcpy3D_v2, (const struct cu_copy_3d *copy))                              \
	X(cuMemsetD8, cuMemsetD8_v2, (cu_pointer to, unsigned char value, size_t count))           \
	X(cuMemsetD16, cuMemsetD16_v2, (cu_pointer to, unsigned short value, size_t count))        \
	X(cuMemsetD32, cuMemsetD32_v2, (cu_pointer to, unsigned int value, size_t count))          \
	X(cuMemsetD8Async, cuMemsetD8Async,                                                        \
	  (cu_pointer to, unsigned char value, size_t count, cu_stream stream))                    \
	X(cuStreamCreate, cuStreamCreate, (cu_stream * stream, unsigned int flags))                \
	X(cuStreamCreateWithPriority, cuStreamCreateWithPriority,                                  \
	  (cu_stream * stream, unsigned int flags, int priority))                                  \
	X(cuStreamGetPriority, cuStreamGetPriority, (cu_stream stream, int *priority))             \
	X(cuStreamDestroy, cuStreamDestroy_v2, (cu_stream stream))                                 \
	X(cuStreamSynchronize, cuStreamSynchronize, (cu_stream stream))                            \
	X(cuStreamQuery, cuStreamQuery, (cu_stream stream))                                        \
	X(cuStreamWaitEvent, cuStreamWaitEvent,                                                    \
	  (cu_stream stream, cu_event event, unsigned int flags))                                  \
	X(cuStreamWaitValue32, cuStreamWaitValue32_v2,                                             \
	  (cu_stream stream, cu_pointer where, u32 value, unsigned int flags))                     \
	X(cuStreamWriteValue32, cuStreamWriteValue32_v2,                                           \
	  (cu_stream stream, cu_pointer where, u32 value, unsigned int flags))                     \
	X(cuStreamAddCallback, cuStreamAddCallback,                                                \
	  (cu_stream stream, cu_callback callback, void *argument, unsigned int flags))            \
	X(cuLaunchHostFunc, cuLaunchHostFunc,                                                      \
	  (cu_stream stream, cu_host_function function, void *argument))                           \
	X(cuEventCreate, cuEventCreate, (cu_event * event, unsigned int flags))                    \
	X(cuEventDestroy, cuEventDestroy_v2, (cu_event event))                                     \
	X(cuEventRecord, cuEventRecord, (cu_event event, cu_stream stream))                        \
	X(cuEventQuery, cuEventQuery, (cu_event event))                                            \
	X(cuEventSynchronize, cuEventSynchronize, (cu_event event))                                \
	X(cuEventElapsedTime, cuEventElapsedTime,                                                  \
	  (float *milliseconds, cu_event start, cu_event end))                                     \
	X(cuMemGetAllocationGranularity, cuMemGetAllocationGranularity,                            \
	  (size_t * size, const struct cu_memory_properties *properties, int option))              \
	X(cuMemAddressReserve, cuMemAddressReserve,                                                \
	  (cu_pointer * pointer, size_t size, size_t align, cu_pointer near, u64 flags))           \
	X(cuMemAddressFree, cuMemAddressFree, (cu_pointer pointer, size_t size))                   \
	X(cuMemCreate, cuMemCreate,                                                                \
	  (cu_memory * memory, size_t size, const struct cu_memory_properties *properties,         \
	   u64 flags))                                                                             \
	X(cuMemRelease, cuMemRelease, (cu_memory memory))                                          \
	X(cuMemMap, cuMemMap,                                                                      \
	  (cu_pointer pointer, size_t size, size_t offset, cu_memory memory, u64 flags))           \
	X(cuMemUnmap, cuMemUnmap, (cu_pointer pointer, size_t size))                               \
	X(cuMemSetAccess, cuMemSetAccess,                                                          \
	  (cu_pointer pointer, size_t size, const struct cu_access *access, size_t count))         \
	X(cuMemExportToShareableHandle, cuMemExportToShareableHandle,                              \
	  (void *handle, cu_memory memory, int type, u64 flags))                                   \
	X(cuMemImportFromShareableHandle, cuMemImportFromShareableHandle,                          \
	  (cu_memory * memory, void *handle, int type))                                            \
	X(cuMemAllocAsync, cuMemAllocAsync, (cu_pointer * pointer, size_t size, cu_stream stream)) \
	X(cuMemFreeAsync, cuMemFreeAsync, (cu_pointer pointer, cu_stream stream))                  \
	X(cuMemPoolCreate, cuMemPoolCreate,                                                        \
	  (cu_pool * pool, const struct cu_pool_properties *properties))                           \
	X(cuMemPoolDestroy, cuMemPoolDestroy, (cu_pool pool))                                      \
	X(cuMemPoolTrimTo, cuMemPoolTrimTo, (cu_pool pool, size_t keep))                           \
	X(cuMemPoolSetAccess, cuMemPoolSetAccess,                                                  \
	  (cu_pool pool, const struct cu_access *access, size_t count))                            \
	X(cuMemPoolGetAttribute, cuMemPoolGetAttribute, (cu_pool pool, int which, void *value))    \
	X(cuMemAllocFromPoolAsync, cuMemAllocFromPoolAsync,                                        \
	  (cu_pointer * pointer, size_t size, cu_pool pool, cu_stream stream))                     \
	X(cuMemAllocManaged, cuMemAllocManaged,                                                    \
	  (cu_pointer * pointer, size_t size, unsigned int flags))                                 \
	X(cuMemPrefetchAsync, cuMemPrefetchAsync,                                                  \
	  (cu_pointer pointer, size_t size, cu_device where, cu_stream stream))                    \
	X(cuMemAdvise, cuMemAdvise,                                                                \
	  (cu_pointer pointer, size_t size, enum cu_advice advice, cu_device device))              \
	X(cuIpcGetMemHandle, cuIpcGetMemHandle, (struct cu_ipc * handle, cu_pointer pointer))      \
	X(cuIpcOpenMemHandle, cuIpcOpenMemHandle_v2,                                               \
	  (cu_pointer * pointer, struct cu_ipc handle, unsigned int flags))                        \
	X(cuIpcCloseMemHandle, cuIpcCloseMemHandle, (cu_pointer pointer))                          \
	X(cuIpcGetEventHandle, cuIpcGetEventHandle, (struct cu_ipc * handle, cu_event event))      \
	X(cuIpcOpenEventHandle, cuIpcOpenEventHandle, (cu_event * event, struct cu_ipc handle))
/* clang-format on */

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
