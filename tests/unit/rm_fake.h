/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What stands around the resource server and the RM API in their tests: an instance, files, GPUs
 * whose firmware records what it is asked, and small classes under the numbers of real ones.
 */
#ifndef TESTS_RM_FAKE_H
#define TESTS_RM_FAKE_H

#include "os/user/user.h"
#include "rm/api/api.h"
#include "rm/api/cache.h"
#include "rm/gpu/gpu.h"

struct rm {
	struct rm_server *server;
};

struct rm_file {
	struct rm *rm;
	const void *owner; /* itself, or the control file that it acts for */
};

/* Numbers of the classes that the fakes serve. */
#define FAKE_DEVICE 0x0080u	/* below the client; holds GPU deviceId */
#define FAKE_SUBDEVICE 0x2080u	/* below a device; mirrored; may be duplicated */
#define FAKE_DIAG 0x208fu	/* below a subdevice, single */
#define FAKE_MEMORY 0x003eu	/* below a device; may be duplicated */
#define FAKE_EVENT 0x0079u	/* below anything */
#define FAKE_MANAGEMENT 0x0020u /* below the client, single */
#define FAKE_COMPUTE                                                                \
	0xcb33u /* below the client; depends on the object that its parameters name \
		 */

struct fake_rpc {
	char what; /* 'C'ontrol, 'A'lloc, 'F'ree, 'D'up */
	u32 client, parent, object, number, size;
	bool locked; /* the caller held the GPU's lock */
};

struct fake_gpu {
	struct rm_gpu gpu;
	u32 rpc_count;
	struct fake_rpc rpcs[16]; /* the latest, at rpc_count % 16 */
	enum nv_status rpc_status;
	u32 objects; /* twins alive in the firmware */
};

struct fake {
	struct rm rm;
	struct rm_file files[4];
	struct fake_gpu gpus[2];
	u32 handler_calls;
	u32 alive[ABI_ICLASS_COUNT]; /* objects of each class constructed and not destructed */
	enum nv_status construct_status, handler_status;
	u32 lacking;  /* so many constructors of objects on GPUs find no video memory */
	u32 reclaims; /* asked of unified memory, which has enough unless: */
	bool reclaims_fail;
	u32 gpu_references;
	u32 destruct_count;
	u32 destruct_order[4096]; /* handles */
	/* Called by the handler, with the call's own context. */
	void (*in_handler)(struct rm_call *call, void *params);
};

extern struct fake fake;

/* A server with the fake classes; everything at its start values. */
int fake_setup(void **state);
/* All is freed, and nothing is left allocated. */
int fake_teardown(void **state);

u32 fake_client(struct rm_file *file);
enum nv_status fake_alloc(struct rm_file *file, u32 client, u32 parent, u32 *handle, u32 class_id,
			  void *params);
enum nv_status fake_free(struct rm_file *file, u32 client, u32 handle);
enum nv_status fake_control(struct rm_file *file, u32 client, u32 object, u32 cmd, void *params,
			    u32 size);
enum nv_status fake_dup(struct rm_file *file, u32 client, u32 parent, u32 *handle,
			u32 source_client, u32 source);
enum nv_status fake_share(struct rm_file *file, u32 client, u32 object, u32 type, u32 target,
			  u32 rights, u32 action);
/* The latest message that the firmware got. */
const struct fake_rpc *fake_last_rpc(const struct fake_gpu *gpu);

#endif
