/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A host of the resource manager for tests: descriptors that name its files, and ioctls as a
 * program makes them.
 */
#ifndef TESTS_RM_HOST_H
#define TESTS_RM_HOST_H

#include "abi/r535.h"
#include "fixture_gpu.h"
#include "rm/rm.h"

#define HOST_FDS 64
#define HOST_GPUS 3

struct rm_host {
	struct rm *rm;
	struct fixture_gpu gpus[HOST_GPUS];
	struct rm_gpu *rm_gpus[HOST_GPUS];
	u32 gpu_count;
	struct {
		struct rm_file *file;
		u32 references;
	} fds[HOST_FDS];
	/* Called when a descriptor is looked up; may be NULL. */
	void (*asked)(void);
	u64 live;		      /* what was allocated before it started */
	u32 notified;		      /* atomic: calls of file_notify */
	struct os_user_signal signal; /* of the thread that started it */
};

extern struct rm_host host;

/* An instance with that many GPUs, nothing opened. */
void host_start(u32 gpus);
/* The same; all GPUs are like that one, but for index and count. */
void host_start_like(u32 gpus, const struct fixture_gpu_config *like);
/* The same, with a setting that is text. */
void host_start_with(u32 gpus, const struct fixture_gpu_config *like, enum rm_option option,
		     const char *text);
/* Closes what is open and takes all down. */
void host_stop(void);
/* A test's teardown: the driver's own thread again, everything stopped and nothing left of it. */
int host_end(void **state);
/* Another GPU in the place of one that host_remove took away; NULL: the usual profile. */
void host_add(u32 index, const char *profile);
/* Takes the GPU off its bus while files may have it open. */
void host_remove(u32 index);
/* A descriptor, or minus the status. */
int host_open(enum rm_node node, u32 minor);
/* Gives the descriptor's reference back; the file goes with the last one. */
void host_close(int fd);

#define REQUEST(number, size) (3u << 30 | (u32)(size) << 16 | 'F' << 8 | (number))

enum rm_ioctl_result host_ioctl(int fd, u32 number, void *arg, u32 size);
/* A client made through fd; the test fails when it cannot be. */
u32 host_client(int fd);
u32 host_alloc(int fd, u32 client, u32 parent, u32 *handle, u32 class_id, void *params, u32 size);
u32 host_control(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size);
u32 host_free(int fd, u32 client, u32 object);
/* Of the GPU of that index, as a client of fd's learns it. */
NvProcessorUuid host_gpu_uuid(int fd, u32 client, u32 index);

/*
 * For tests with one program: it has opened the first GPU and the control node, and has a client
 * with a device and a subdevice, whose handles are these. Its requests follow.
 */
#define HOST_DEVICE 0xd0u
#define HOST_SUBDEVICE 0xd1u

struct host_program {
	int ctl, gpu;
	u32 client;
};

extern struct host_program host_program;

/* From now on the thread's requests are the administrator's, or an ordinary user's. */
void host_be(bool admin);
/* An instance with one GPU, and the program on it. */
void host_program_start(bool admin);
/* The same, with a GPU like that one. */
void host_program_start_like(bool admin, const struct fixture_gpu_config *like);
u32 host_make(u32 parent, u32 handle, u32 class_id, void *params);
u32 host_ask(u32 object, u32 cmd, void *params, u32 size);
u32 host_drop(u32 object);
/* The channel of that handle, which stays until the test frees it. */
struct rm_channel *host_channel(u32 handle);
/* The bytes of the memory of that handle, which stay until the test frees it. */
struct rm_backing *host_backing(u32 handle);
/* Where the first size bytes of the memory are in the address space of the virtual memory range. */
u64 host_map_to_gpu(u32 range, u32 memory, u64 size);
/* Whether the bytes are in any page that the first GPU reaches by DMA, as anybody else does. */
bool host_shares(const void *bytes, size_t size);

#endif
