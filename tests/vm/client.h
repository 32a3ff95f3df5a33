/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A client of raw system calls on the device nodes, for either host: what its parts share. A check
 * that does not hold says so and ends the client with 1.
 */
#ifndef TESTS_VM_CLIENT_H
#define TESTS_VM_CLIENT_H

#include "abi/r535.h"
#include "tests/check.h"

/* Both as numbers; what was there is printed. */
#define CHECK_IS(got, wanted)                                                                  \
	do {                                                                                   \
		long long got_ = (long long)(got), wanted_ = (long long)(wanted);              \
		if (got_ != wanted_) {                                                         \
			fprintf(stderr, "%s:%d: %s is %#llx, wanted %s\n", __FILE__, __LINE__, \
				#got, got_, #wanted);                                          \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

/* An address at which nothing is. */
#define BAD_POINTER ((void *)16)

/* 0, or the negative errno, of an ioctl with this number and size. */
int escape(int fd, u32 number, void *data, u32 size);

int open_control(void);
int open_gpu(u32 index);

/* Status of the structure; the ioctl itself must succeed. */
u32 control(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size);
u32 control_flags(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size, u32 flags);
u32 alloc(int fd, u32 client, u32 parent, u32 *handle, u32 class_id, void *params, u32 size);
u32 free_object(int fd, u32 client, u32 object);
/* A client of its own; its handle. */
u32 make_client(int fd);
/* A device and a subdevice of GPU 0 with these handles. */
void make_subdevice(int fd, u32 client, u32 device, u32 subdevice);

int row_order(void);
int row_shapes(void);
int row_information(void);
int row_version(void);
int row_settings(void);
int row_files(void);
int row_controls(void);
int row_objects(void);
int row_parts(void);
int row_rights(void);
int row_hold(void);
int row_busy(void);
int row_survive(void);
int row_greedy(void);
int row_loud(void);
int row_maps(void);
int row_userd(void);
int row_hold_maps(void);
int row_bells(void);
int row_bell_storm(void);
int row_uvm(void);
int row_hold_uvm(void);
int row_uvm_opens(void);
int row_uvm_survive(void);
int row_uvm_tests(void);
int row_uvm_tests_off(void);
int row_uvm_tools(void);
int row_uvm_secret(void);
int row_hold_secret(void);

#endif
