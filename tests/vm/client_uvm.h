/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the parts of the client that use /dev/nvidia-uvm share. */
#ifndef TESTS_VM_CLIENT_UVM_H
#define TESTS_VM_CLIENT_UVM_H

#include <sys/ioctl.h>

#include "client.h"

#define PAGE 4096u

/* 0 or the negative errno; the structure has its status itself. */
#define CALL(fd, number, p) (ioctl(fd, number, p) == 0 ? 0 : -errno)
/* Status; the ioctl itself must succeed. */
#define STATUS(fd, number, p) status_of(fd, number, p, &(p)->rmStatus)

static inline u32 status_of(int fd, u32 number, void *params, const NV_STATUS *status)
{
	CHECK_IS(CALL(fd, number, params), 0);
	return *status;
}

/* Whether this is the modules' host: there mappings are taken away, and come back by faults. */
bool on_modules(void);
int open_uvm(void);
/* UVM_INITIALIZE's status. */
u32 initialize(int fd, u64 flags);
/* Addresses that nothing else takes. */
u8 *reserve(u64 size);
/* Maps the file there as it wants it. 0 or the negative errno. */
int map_at(int fd, u8 *at, u64 size);
/* Of the first GPU. */
void learn_uuid(int ctl, u32 client, NvProcessorUuid *uuid);

/* A file with the first GPU's address space. */
struct joined {
	int fd, alive, ctl, node;
	u32 client;
	NvProcessorUuid uuid;
};
struct joined join(void);
void leave(const struct joined *j);
/* Managed memory moves to the GPU, or to the CPU: UVM_MIGRATE's status. */
u32 try_migrate(const struct joined *j, u8 *base, u64 size, bool to_gpu);

#endif
