/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the parts of the tests' client share. A check that does not hold ends the client with 1.
 */
#ifndef TESTS_HOST_CLIENT_H
#define TESTS_HOST_CLIENT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "abi/r535.h"

#define CHECK(cond)                                                                \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "client.c:%d: %s (%s)\n", __LINE__, #cond, \
				strerror(errno));                                  \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

#define IOC(nr, type) _IOWR('F', nr, type)

void query_version(int fd);
u32 alloc_root(int fd);
u32 probed_ids(int fd, u32 client, void *params);
int open_ctl(void);
void wait_child(pid_t pid);
/* A descriptor over a socket, with one byte. */
void send_fd(int sock, int fd);
int receive_fd(int sock);

int cmd_vfork(int argc, char **argv);
int cmd_moves(int argc, char **argv);
int cmd_jumps(int argc, char **argv);
int cmd_listing(int argc, char **argv);
int cmd_inherited(int argc, char **argv);
int cmd_groups(int argc, char **argv);
int cmd_stopped(int argc, char **argv);

#endif
