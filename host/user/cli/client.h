/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Commands that are clients of the driver as any program is: by open and ioctl on its device nodes,
 * in a machine or on a system whose driver is our kernel module.
 */
#ifndef HOST_USER_CLI_CLIENT_H
#define HOST_USER_CLI_CLIENT_H

#include "abi/r535.h"
#include "base/types.h"

#define CLIENT_GPUS_MAX 32u

struct client {
	const char *command; /* before what is told on stderr */
	int ctl;	     /* -1: not open */
	u32 handle;
};

/* A GPU's device and subdevice for one client; closes with the node's descriptor. */
struct client_gpu {
	u32 id;
	char bdf[24];
	int fd;
	u32 subdevice;
};

/* /dev/nvidiactl and a root client of its own. False: told on stderr; close it either way. */
bool client_open(struct client *client, const char *command);
void client_close(struct client *client);

/* Requests, and their status; NV_ERR_OPERATING_SYSTEM: ioctl failed, errno says why. */
u32 client_alloc(const struct client *client, u32 parent, u32 handle, u32 class, void *params);
u32 client_control(const struct client *client, u32 object, u32 cmd, void *params, u32 size);
u32 client_free(const struct client *client, u32 handle);
/* Tells of a status on stderr; false. */
bool client_failed(const struct client *client, const char *what, u32 status);

/* The GPUs there are, in the order of their numbers. False: told on stderr. */
bool client_gpus(const struct client *client, u32 ids[CLIENT_GPUS_MAX], u32 *count);
/* Opens a GPU's node and makes its objects; one GPU at a time. False: told on stderr. */
bool client_gpu_open(const struct client *client, u32 id, struct client_gpu *gpu);
void client_gpu_close(const struct client *client, struct client_gpu *gpu);

/* Whether this system's driver is our own kernel module, whose nodes are there for every program.
 */
bool client_own_module(void);

#endif
