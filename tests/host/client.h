/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the parts of the tests' clients share. A check that does not hold ends the client with 1.
 */
#ifndef TESTS_HOST_CLIENT_H
#define TESTS_HOST_CLIENT_H

#include <sys/types.h>

#include "abi/r535.h"
#include "tests/check.h"

#define IOC(nr, type) _IOWR('F', nr, type)

/* -- client_calls.c ---------------------------------------------------------------------------- */

/* The cheapest request that copies in and out: asks for the driver's version. */
void query_version(int fd);
u32 alloc_root(int fd);
/* The status in the structure. */
u32 alloc(int fd, u32 client, u32 parent, u32 handle, u32 class, void *params);
u32 control(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size);
u32 probed_ids(int fd, u32 client, void *params);
int open_ctl(void);
void wait_child(pid_t pid);
/* A descriptor over a socket, with one byte. */
void send_fd(int sock, int fd);
int receive_fd(int sock);

#define HANDLE_DEVICE 0x1000u
#define HANDLE_SUBDEVICE 0x1001u
#define HANDLE_EVENT 0x1002u

/* The first GPU, with a device and a subdevice of these handles. */
struct gpu_client {
	int ctl, gpu;
	u32 client;
};

void gpu_open(struct gpu_client *c);
/* An event of the GPU's, told to the descriptor gpu; gpu_fire is what it tells. */
void gpu_event(const struct gpu_client *c);
void gpu_fire(const struct gpu_client *c);

/* -- client_process.c -------------------------------------------------------------------------- */

int cmd_vfork(int argc, char **argv);
int cmd_moves(int argc, char **argv);
int cmd_jumps(int argc, char **argv);
int cmd_listing(int argc, char **argv);
int cmd_inherited(int argc, char **argv);
int cmd_groups(int argc, char **argv);
int cmd_stopped(int argc, char **argv);

#endif
