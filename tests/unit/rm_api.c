// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The RM API: each check of a control with its status, parameter copies and nested pointers,
 * routing, the reply cache, nested calls, running out of memory at every place, and many threads at
 * once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "rm/api/params.h"
#include "rm/trace.h"
#include "rm_fake.h"

#define FILE_A (&fake.files[0])
#define FILE_B (&fake.files[1])

#define CMD_FEATURES NV0000_CTRL_CMD_SYSTEM_GET_FEATURES	  /* 4 bytes, no privilege */
#define CMD_DRAIN NV0000_CTRL_CMD_GPU_MODIFY_DRAIN_STATE	  /* 12 bytes, administrator */
#define CMD_MEMORY_SIZE NV0000_CTRL_CMD_SYSTEM_SET_MEMORY_SIZE	  /* 4 bytes, kernel */
#define CMD_NUM_SUBDEVICES NV0080_CTRL_CMD_GPU_GET_NUM_SUBDEVICES /* 4 bytes, cacheable */
#define CMD_ON_ERROR \
	NV2080_CTRL_CMD_GR_FECS_BIND_EVTBUF_FOR_UID_V2 /* 24 bytes, copied out on error */
#define CMD_ROUTED 0x20800112u			       /* 12 bytes, to the firmware */
#define CMD_ROUTED_NO_LOCK 0x20802a02u /* 8 bytes, to the firmware, no GPU lock of its own */
#define CMD_ROUTED_RIGHTS 0x20801115u  /* 8 bytes, to the firmware, RS_ACCESS_NICE */
#define CMD_INTERNAL 0x208001b2u       /* 1 byte */
#define CMD_FIFO_INFO NV2080_CTRL_CMD_FIFO_GET_INFO /* 2056 bytes, cacheable by input */
#define CMD_TAG NV0041_CTRL_CMD_GET_TAG		    /* 4 bytes, known by class */

static u32 client;

static int setup(void **state)
{
	u32 handle = 0x10;

	if (fake_setup(state))
		return -1;
	client = fake_client(FILE_A);
	if (fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL) != NV_OK)
		return -1;
	handle = 0x11;
	return fake_alloc(FILE_A, client, 0x10, &handle, FAKE_SUBDEVICE, NULL) == NV_OK ? 0 : -1;
}

static enum nv_status control(u32 object, u32 cmd, void *params, u32 size)
{
	return fake_control(FILE_A, client, object, cmd, params, size);
}

static enum nv_status control_flags(u32 cmd, u32 flags)
{
	u64 params[64] = { 0 };
	const struct abi_control *c = abi_control_find(cmd);
	NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = 0x11,
		.cmd = cmd,
		.flags = flags,
		.params = c->params_size ? (NvP64)(uintptr_t)params : 0,
		.paramsSize = c->params_size,
	};

	return rm_api_control(FILE_A, &p);
}

static void admin(bool yes)
{
	const struct os_cred cred = { .pid = 100, .uid = yes ? 0 : 1000, .admin = yes };

	os_user_set_cred(&cred);
}

static void null_command(void **state)
{
	/* Before anything else is looked at. */
	assert_int_equal(fake_control(FILE_B, 0x99, 0x99, 0, (void *)16, 12345), NV_OK);
	assert_int_equal(fake_control(FILE_B, 0x99, 0x99, 0x20800000, (void *)16, 0), NV_OK);
	assert_int_equal(fake_control(FILE_B, 0x99, 0x99, 0xfedc0000, NULL, 7), NV_OK);
	assert_int_equal(fake_control(FILE_B, 0x99, 0x99, 0x20800100, NULL, 0),
			 NV_ERR_INVALID_CLIENT);
}

static void flags(void **state)
{
	assert_int_equal(control_flags(CMD_FIFO_INFO, NVOS54_FLAGS_IRQL_RAISED),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control_flags(NV2080_CTRL_CMD_TIMER_GET_TIME, NVOS54_FLAGS_IRQL_RAISED),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control_flags(CMD_ROUTED, NVOS54_FLAGS_LOCK_BYPASS),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control_flags(NV2080_CTRL_CMD_TIMER_GET_TIME, NVOS54_FLAGS_LOCK_BYPASS),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(control_flags(CMD_ROUTED, NVOS54_FLAGS_FINN_SERIALIZED),
			 NV_ERR_LIB_RM_VERSION_MISMATCH);
	assert_int_equal(control_flags(CMD_ROUTED, 0), NV_OK);
}

static void sizes(void **state)
{
	u8 params[64] = { 0 };
	u32 size;

	for (size = 0; size <= 8; size++) {
		enum nv_status right = size == 4 ? NV_OK : NV_ERR_INVALID_ARGUMENT;

		assert_int_equal(control(client, CMD_FEATURES, params, size), right);
		/* Before client and object are looked up. */
		assert_int_equal(fake_control(FILE_A, 0x99, 0x99, CMD_FEATURES, params, size),
				 size == 4 ? NV_ERR_INVALID_CLIENT : NV_ERR_INVALID_ARGUMENT);
	}
	assert_int_equal(control(client, CMD_FEATURES, NULL, 4), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, 0x9999, NULL, 4), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, 0x9999, params, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, 0x9999, params, (1u << 20) + 1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, 0x9999, params, 1u << 31), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(client, 0x9999, params, 64), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(client, 0x9999, NULL, 0), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(fake.handler_calls, 1);
}

static void known_by_class(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS memory = { 0 };
	u32 handle = 0x20, tag[2] = { 0 };

	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, FAKE_MEMORY, &memory), NV_OK);
	assert_true(abi_control_find(CMD_TAG)->by_class);
	assert_int_equal(control(0x20, CMD_TAG, tag, 4), NV_OK);
	assert_int_equal(control(0x20, CMD_TAG, tag, 8), NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(control(0x20, CMD_TAG, tag, 8), NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(control(0x10, CMD_TAG, tag, 8), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(0x99, CMD_TAG, tag, 8), NV_ERR_OBJECT_NOT_FOUND);
}

static void objects_and_classes(void **state)
{
	u32 features = 0;

	assert_int_equal(control(0x99, CMD_FEATURES, &features, 4), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(fake_control(FILE_A, 0x99, client, CMD_FEATURES, &features, 4),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(fake_control(FILE_B, client, client, CMD_FEATURES, &features, 4),
			 NV_ERR_INVALID_CLIENT);
	/* A command of another class; one that nobody serves. */
	assert_int_equal(control(0x10, CMD_FEATURES, &features, 4), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(
		control(client, NV0000_CTRL_CMD_SYSTEM_GET_PRIVILEGED_STATUS, &features, 1),
		NV_ERR_NOT_SUPPORTED);
	assert_int_equal(fake.handler_calls, 0);
}

static void rights(void **state)
{
	u8 params[16] = { 0 };

	assert_int_equal(control(client, CMD_DRAIN, params, 12), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(control(client, CMD_MEMORY_SIZE, params, 4),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(control(0x11, CMD_INTERNAL, params, 1), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(0x11, CMD_ROUTED_RIGHTS, params, 8),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	admin(true);
	assert_int_equal(control(client, CMD_DRAIN, params, 12), NV_OK);
	assert_int_equal(control(client, CMD_MEMORY_SIZE, params, 4),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(control(0x11, CMD_INTERNAL, params, 1), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(control(0x11, CMD_ROUTED_RIGHTS, params, 8), NV_OK);
	/* That right is the caller's of the moment, not the object's for ever. */
	admin(false);
	assert_int_equal(control(0x11, CMD_ROUTED_RIGHTS, params, 8),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(rm_kernel_control(&fake.rm, client, client, CMD_MEMORY_SIZE, params, 4),
			 NV_OK);
	assert_int_equal(rm_kernel_control(&fake.rm, client, 0x11, CMD_INTERNAL, params, 1), NV_OK);
}

static void routing(void **state)
{
	struct fake_gpu *gpu = &fake.gpus[0];
	u8 params[16] = { 41 };
	u32 before = gpu->rpc_count;

	assert_int_equal(control(0x11, CMD_ROUTED, params, 12), NV_OK);
	assert_int_equal(gpu->rpc_count, before + 1);
	assert_int_equal(fake_last_rpc(gpu)->what, 'C');
	assert_int_equal(fake_last_rpc(gpu)->client, client);
	assert_int_equal(fake_last_rpc(gpu)->object, 0x11);
	assert_int_equal(fake_last_rpc(gpu)->number, CMD_ROUTED);
	assert_int_equal(fake_last_rpc(gpu)->size, 12);
	assert_true(fake_last_rpc(gpu)->locked);
	assert_int_equal(params[0], 42);
	/* Without the GPU lock of the call's own, the message takes it. */
	assert_int_equal(control(0x11, CMD_ROUTED_NO_LOCK, params, 8), NV_OK);
	assert_false(fake_last_rpc(gpu)->locked);
	/* The firmware's status is the caller's, and nothing is copied out with it. */
	gpu->rpc_status = NV_ERR_INVALID_STATE;
	params[0] = 7;
	assert_int_equal(control(0x11, CMD_ROUTED, params, 12), NV_ERR_INVALID_STATE);
	assert_int_equal(params[0], 7);
	gpu->rpc_status = NV_OK;
	gpu->gpu.state = RM_GPU_LOST;
	assert_int_equal(control(0x11, CMD_ROUTED, params, 12), NV_ERR_GPU_IS_LOST);
	assert_int_equal(fake.gpus[1].rpc_count, 0);
	assert_int_equal(fake.handler_calls, 0);
}

static void copies(void **state)
{
	size_t page = 4096;
	u8 *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *edge = pages + page - 4;
	u8 small[24] = { 9 };

	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	assert_int_equal(control(client, CMD_FEATURES, edge, 4), NV_OK);
	assert_int_equal(edge[0], 1);
	assert_int_equal(control(client, CMD_FEATURES, edge + 1, 4), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(fake.handler_calls, 1);
	assert_int_equal(control(client, CMD_FEATURES, (void *)16, 4), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(control(client, CMD_FEATURES, (void *)~0ull, 4), NV_ERR_INVALID_ADDRESS);
	/* Readable, not writable: served, but the reply has nowhere to go. */
	assert_int_equal(mprotect(pages, page, PROT_READ), 0);
	assert_int_equal(control(client, CMD_FEATURES, edge, 4), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(fake.handler_calls, 2);
	/* Errors: nothing comes back, unless the command says so. */
	fake.handler_status = NV_ERR_INVALID_STATE;
	assert_int_equal(control(client, CMD_FEATURES, small, 4), NV_ERR_INVALID_STATE);
	assert_int_equal(small[0], 9);
	assert_int_equal(control(0x11, CMD_ON_ERROR, small, 24), NV_ERR_INVALID_STATE);
	assert_int_equal(small[0], 10);
	munmap(pages, 2 * page);
}

static void while_asked(struct rm_call *call, void *params)
{
	fake.in_handler = NULL;
	rm_control_cache_invalidate(fake.gpus[0].gpu.cache, CMD_NUM_SUBDEVICES);
}

static void stale_reply(void **state)
{
	u8 params[4] = { 0 };

	/* What became untrue while it was being asked is told once, and not kept. */
	fake.in_handler = while_asked;
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(fake.handler_calls, 1);
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(fake.handler_calls, 2);
	/* The next reply is. */
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(fake.handler_calls, 2);
}

static void cached_replies(void **state)
{
	u8 params[4] = { 200, 201, 202, 203 };
	static NV2080_CTRL_FIFO_GET_INFO_PARAMS info;

	/* No input gets through, and the second reply needs no one. */
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(params[0], 1);
	assert_int_equal(params[3], 0);
	params[0] = 55;
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(params[0], 1);
	assert_int_equal(fake.handler_calls, 1);
	rm_control_cache_invalidate(fake.gpus[0].gpu.cache, CMD_NUM_SUBDEVICES);
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(fake.handler_calls, 2);
	/* A failure is not kept. */
	rm_control_cache_invalidate(fake.gpus[0].gpu.cache, 0);
	fake.handler_status = NV_ERR_INVALID_STATE;
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_ERR_INVALID_STATE);
	fake.handler_status = NV_OK;
	assert_int_equal(control(0x10, CMD_NUM_SUBDEVICES, params, 4), NV_OK);
	assert_int_equal(fake.handler_calls, 4);
	/* The same question, then another one. */
	info.fifoInfoTblSize = 1;
	info.fifoInfoTbl[0].index = NV2080_CTRL_FIFO_INFO_INDEX_MAX_CHANNEL_GROUPS;
	assert_int_equal(control(0x11, CMD_FIFO_INFO, &info, sizeof(info)), NV_OK);
	info.fifoInfoTblSize = 1;
	assert_int_equal(control(0x11, CMD_FIFO_INFO, &info, sizeof(info)), NV_OK);
	assert_int_equal(fake.handler_calls, 5);
	assert_int_equal(info.fifoInfoTblSize, 2);
	info.fifoInfoTblSize = 1;
	info.fifoInfoTbl[0].index = NV2080_CTRL_FIFO_INFO_INDEX_INSTANCE_TOTAL;
	assert_int_equal(control(0x11, CMD_FIFO_INFO, &info, sizeof(info)), NV_OK);
	assert_int_equal(fake.handler_calls, 6);
	/* One whose answer may change is asked for each time. */
	info.fifoInfoTblSize = 1;
	info.fifoInfoTbl[0].index = 0x77;
	assert_int_equal(control(0x11, CMD_FIFO_INFO, &info, sizeof(info)), NV_OK);
	info.fifoInfoTblSize = 1;
	assert_int_equal(control(0x11, CMD_FIFO_INFO, &info, sizeof(info)), NV_OK);
	assert_int_equal(fake.handler_calls, 8);
}

/* -- Nested pointers --------------------------------------------------------------------------- */

struct outer {
	u64 list;
	u32 count;
	u32 pad;
	u64 text;
	u64 spare; /* as many bytes as list has elements, or none */
};

static const struct abi_nested outer_nested[] = {
	{ .pointer_offset = 0,
	  .count_offset = 8,
	  .count_size = 4,
	  .max_count = 100,
	  .element_size = 8,
	  .dir = ABI_INOUT },
	{ .pointer_offset = 16, .fixed_count = 32, .element_size = 1, .dir = ABI_OUT },
	{ .pointer_offset = 24,
	  .count_offset = 8,
	  .count_size = 4,
	  .element_size = 1,
	  .dir = ABI_OUT,
	  .optional = 1 },
};
static const struct abi_struct outer_desc = {
	.name = "outer",
	.size = sizeof(struct outer),
	.nested_count = ARRAY_SIZE(outer_nested),
	.nested = outer_nested,
};

static enum nv_status outer_in(struct rm_params *params, struct outer *outer)
{
	return rm_params_in(params, &outer_desc, (u64)(uintptr_t)outer, sizeof(*outer), false,
			    false);
}

static void nested_pointers(void **state)
{
	u64 list[3] = { 1, 2, 3 };
	char text[32] = "untouched";
	struct outer outer = { (uintptr_t)list, 3, 0, (uintptr_t)text, 0 }, *inner;
	struct rm_params params;

	assert_int_equal(outer_in(&params, &outer), NV_OK);
	inner = params.data;
	assert_ptr_not_equal((void *)(uintptr_t)inner->list, list);
	/* Only the copy counts now. */
	list[1] = 99;
	outer.count = 1;
	outer.list = 16;
	assert_int_equal(((u64 *)(uintptr_t)inner->list)[1], 2);
	((u64 *)(uintptr_t)inner->list)[2] = 30;
	assert_int_equal(((char *)(uintptr_t)inner->text)[0], 0);
	strcpy((char *)(uintptr_t)inner->text, "hello");
	inner->count = 1000000;
	assert_int_equal(rm_params_out(&params, true), NV_OK);
	assert_int_equal(list[1], 2);
	assert_int_equal(list[2], 30);
	assert_string_equal(text, "hello");
	assert_int_equal(outer.list, (uintptr_t)list);
	assert_int_equal(outer.text, (uintptr_t)text);
	assert_int_equal(outer.count, 1000000);
}

static void nested_pointers_refused(void **state)
{
	u64 list[3] = { 1, 2, 3 };
	struct outer good = { (uintptr_t)list, 3, 0, 0, 0 }, outer;
	struct rm_params params;

	assert_int_equal(outer_in(&params, &good), NV_OK);
	assert_int_equal(((struct outer *)params.data)->text, 0);
	rm_params_out(&params, true);
	outer = good;
	outer.spare = 16;
	outer.count = 0;
	assert_int_equal(outer_in(&params, &outer), NV_ERR_INVALID_ARGUMENT);
	outer = good;
	outer.count = 0;
	assert_int_equal(outer_in(&params, &outer), NV_ERR_INVALID_ARGUMENT);
	outer.count = 101;
	assert_int_equal(outer_in(&params, &outer), NV_ERR_INVALID_ARGUMENT);
	outer.count = ~0u;
	assert_int_equal(outer_in(&params, &outer), NV_ERR_INVALID_ARGUMENT);
	outer = good;
	outer.list = 0;
	assert_int_equal(outer_in(&params, &outer), NV_ERR_INVALID_ARGUMENT);
	outer.list = 16;
	assert_int_equal(outer_in(&params, &outer), NV_ERR_INVALID_ADDRESS);
	/* Where it cannot be written, all else is, and the status says so. */
	outer = good;
	outer.text = 16;
	assert_int_equal(outer_in(&params, &outer), NV_OK);
	((u64 *)(uintptr_t)((struct outer *)params.data)->list)[0] = 10;
	assert_int_equal(rm_params_out(&params, true), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(list[0], 10);
}

static void nested_pointers_stay_here(void **state)
{
	const struct abi_control *bios = abi_control_find(NV2080_CTRL_CMD_BIOS_GET_INFO);
	NV2080_CTRL_BIOS_GET_INFO_PARAMS params = { 0 };
	u32 before = fake.gpus[0].rpc_count, i;

	/* It is routed, and has a handler here. */
	assert_true(bios->flags & RMCTRL_FLAGS_ROUTE_TO_PHYSICAL);
	assert_int_equal(bios->params->nested_count, 1);
	assert_int_equal(control(0x11, bios->cmd, &params, sizeof(params)), NV_OK);
	assert_int_equal(fake.gpus[0].rpc_count, before);
	assert_int_equal(fake.handler_calls, 1);
	for (i = 0; i < ABI_STRUCT_COUNT; i++)
		assert_true(abi_struct_by_index(i)->nested_count <= RM_PARAMS_MAX_NESTED);
}

/* -- Calls within calls ------------------------------------------------------------------------ */

static void inside(struct rm_call *call, void *params)
{
	u32 features = 5, handle = 0x30, kernel = 0;
	enum nv_status status;

	fake.in_handler = NULL;
	assert_ptr_equal(rm_call_current(), call);
	assert_ptr_equal(call->object, call->client->root);
	assert_int_equal(call->cred.pid, 100);
	status = rm_kernel_control(&fake.rm, client, client, CMD_FEATURES, &features, 4);
	assert_int_equal(status, NV_OK);
	assert_int_equal(features, 6);
	assert_ptr_equal(rm_call_current(), call);
	status = rm_kernel_alloc(&fake.rm, client, client, &handle, FAKE_DEVICE, NULL, 0);
	assert_int_equal(status, NV_OK);
	assert_int_equal(rm_kernel_free(&fake.rm, client, 0x30), NV_OK);
	/* Another client's lock would be a second one of its rank. */
	status = rm_kernel_alloc(&fake.rm, 0, 0, &kernel, NV01_ROOT, NULL, 0);
	assert_int_equal(status, NV_ERR_INVALID_LOCK_STATE);
	assert_int_equal(rm_kernel_free(&fake.rm, client, client), NV_ERR_INVALID_LOCK_STATE);
}

static void nested_calls(void **state)
{
	u32 features = 0;

	fake.in_handler = inside;
	assert_int_equal(control(client, CMD_FEATURES, &features, 4), NV_OK);
	assert_int_equal(fake.handler_calls, 2);
	assert_null(rm_call_current());
}

static void begin_and_end(void **state)
{
	struct rm_call call;

	assert_int_equal(rm_api_begin(&call, FILE_A, client, 0x11), NV_OK);
	assert_int_equal(call.object->handle, 0x11);
	rm_api_end(&call);
	assert_int_equal(rm_api_begin(&call, FILE_A, client, 0x99), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(rm_api_begin(&call, FILE_A, 0x99, 0x99), NV_ERR_INVALID_CLIENT);
	assert_int_equal(rm_api_begin(&call, FILE_B, client, 0x11), NV_ERR_INVALID_CLIENT);
	assert_null(rm_call_current());
}

/* -- Video memory that unified memory gives back -------------------------------------------------
 */

static u32 alloc_memory(u32 *handle)
{
	NV_MEMORY_ALLOCATION_PARAMS params = { .size = KIB(64) };

	return fake_alloc(FILE_A, client, 0x10, handle, FAKE_MEMORY, &params);
}

static void lacking(struct rm_call *call, void *params)
{
	NV_MEMORY_ALLOCATION_PARAMS memory = { .size = KIB(64) };
	u32 handle = 0x31;

	fake.in_handler = NULL;
	fake.lacking = 1;
	/* With the locks of the outer call there is nobody to be asked. */
	assert_int_equal(rm_kernel_alloc(&fake.rm, client, 0x10, &handle, FAKE_MEMORY, &memory,
					 sizeof(memory)),
			 NV_ERR_NO_MEMORY);
}

static void given_back(void **state)
{
	u32 handle = 0, features = 0;

	/* Once is enough; the handle is what it would have been. */
	fake.lacking = 1;
	assert_int_equal(alloc_memory(&handle), NV_OK);
	assert_int_not_equal(handle, 0);
	assert_int_equal(fake.reclaims, 1);
	assert_int_equal(fake.lacking, 0);
	handle = 0x20;
	fake.lacking = 2;
	assert_int_equal(alloc_memory(&handle), NV_OK);
	assert_int_equal(handle, 0x20);
	assert_int_equal(fake.reclaims, 3);
	/* Not for ever. */
	handle = 0x21;
	fake.lacking = 9;
	assert_int_equal(alloc_memory(&handle), NV_ERR_NO_MEMORY);
	assert_int_equal(fake.reclaims, 5);
	assert_int_equal(fake.lacking, 6);
	fake.reclaims_fail = true;
	assert_int_equal(alloc_memory(&handle), NV_ERR_NO_MEMORY);
	assert_int_equal(fake.reclaims, 6);
	assert_int_equal(fake.lacking, 5);
	fake.reclaims_fail = false;
	fake.lacking = 0;
	fake.in_handler = lacking;
	assert_int_equal(control(client, CMD_FEATURES, &features, 4), NV_OK);
	assert_int_equal(fake.reclaims, 6);
	assert_int_equal(fake.lacking, 0);
}

static u32 traced;

static void count_step(const struct rm_trace_event *event)
{
	traced |= 1u << event->kind;
}

static void traces(void **state)
{
	u8 params[12] = { 0 };

	traced = 0;
	os_store_release(&rm_trace_sink, count_step);
	assert_int_equal(control(0x11, CMD_ROUTED, params, 12), NV_OK);
	os_store_release(&rm_trace_sink, NULL);
	assert_int_equal(traced, 1u << RM_TRACE_STEP | 1u << RM_TRACE_LOCK |
					 1u << RM_TRACE_PARAMS_IN | 1u << RM_TRACE_PARAMS_OUT);
}

/* -- Out of memory ----------------------------------------------------------------------------- */

/* One of each request; stops at the first that fails, having undone what it made. */
static enum nv_status everything(void)
{
	static NV2080_CTRL_FIFO_GET_INFO_PARAMS info;
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS on = { .hClient = 0x11 };
	NVOS21_PARAMETERS p = { .hClass = NV01_ROOT_CLIENT };
	u32 handle = 0x20, copy = 0x21, dependant = 0x22;
	enum nv_status status = rm_api_alloc_nvos21(FILE_A, &p);

	if (status != NV_OK)
		return status;
	info.fifoInfoTblSize = 0;
	status = fake_alloc(FILE_A, p.hObjectNew, p.hObjectNew, &handle, FAKE_DEVICE, NULL);
	if (status == NV_OK)
		status = fake_dup(FILE_A, p.hObjectNew, 0x20, &copy, client, 0x11);
	if (status == NV_OK)
		status = fake_share(FILE_A, p.hObjectNew, 0x20, RS_SHARE_TYPE_ALL, 0, 1, 4);
	if (status == NV_OK)
		status = control(0x11, CMD_FIFO_INFO, &info, sizeof(info));
	if (status == NV_OK)
		status = fake_alloc(FILE_A, client, client, &dependant, FAKE_COMPUTE, &on);
	if (status == NV_OK)
		assert_int_equal(fake_free(FILE_A, client, dependant), NV_OK);
	assert_int_equal(fake_free(FILE_A, p.hObjectNew, p.hObjectNew), NV_OK);
	return status;
}

static void out_of_memory_anywhere(void **state)
{
	struct os_user_alloc_stats before, after;
	u32 alive[ARRAY_SIZE(fake.alive)], failures = 0, nth;
	enum nv_status status;

	assert_int_equal(everything(), NV_OK);
	rm_control_cache_invalidate(fake.gpus[0].gpu.cache, 0);
	os_user_alloc_stats(&before);
	memcpy(alive, fake.alive, sizeof(alive));
	for (nth = 1;; nth++) {
		if (!os_user_fail_alloc_thread(nth))
			skip();
		status = everything();
		os_user_fail_alloc_thread(0);
		rm_control_cache_invalidate(fake.gpus[0].gpu.cache, 0);
		os_user_alloc_stats(&after);
		assert_memory_equal(alive, fake.alive, sizeof(alive));
		/* The client's own table may have grown and stays; nothing else may. */
		assert_true(after.live <= before.live + 2);
		if (after.failed == before.failed + failures)
			break;
		failures++;
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY ||
			    status == NV_ERR_INSUFFICIENT_RESOURCES);
	}
	assert_int_equal(status, NV_OK);
	assert_true(failures > 8);
}

/* -- Threads ----------------------------------------------------------------------------------- */

#define THREADS 4u
#define ROUNDS 400u

static u32 shared_client;
static u32 failures;

static void expect(bool good)
{
	if (!good)
		os_fetch_add(&failures, 1);
}

static void worker(void *arg)
{
	struct rm_file *file = &fake.files[(uintptr_t)arg % ARRAY_SIZE(fake.files)];
	const struct os_cred cred = { .pid = 100, .uid = 1000 };
	u32 i, features;

	os_user_set_cred(&cred);
	for (i = 0; i < ROUNDS; i++) {
		NVOS21_PARAMETERS p = { .hClass = NV01_ROOT_CLIENT };
		u32 handle = 0x10, sub = 0x11, copy = 0, own;
		enum nv_status status;
		u8 params[12] = { 0 };

		expect(rm_api_alloc_nvos21(file, &p) == NV_OK);
		own = p.hObjectNew;
		expect(fake_alloc(file, own, own, &handle, FAKE_DEVICE, NULL) == NV_OK);
		expect(fake_alloc(file, own, 0x10, &sub, FAKE_SUBDEVICE, NULL) == NV_OK);
		expect(fake_control(file, own, 0x11, CMD_ROUTED, params, 12) == NV_OK);
		expect(fake_control(file, own, 0x10, CMD_NUM_SUBDEVICES, params, 4) == NV_OK);
		/* One client that all use, and that one of them frees now and then. */
		status = fake_control(FILE_A, os_load_relaxed(&shared_client),
				      os_load_relaxed(&shared_client), CMD_FEATURES, &features, 4);
		expect(status == NV_OK || status == NV_ERR_INVALID_CLIENT ||
		       status == NV_ERR_OBJECT_NOT_FOUND);
		status = fake_dup(file, own, 0x10, &copy, os_load_relaxed(&shared_client), 0x11);
		expect(status == NV_OK || status == NV_ERR_INVALID_OBJECT_HANDLE ||
		       status == NV_ERR_OBJECT_NOT_FOUND);
		if (arg == NULL && i % 8 == 7) {
			u32 old = os_load_relaxed(&shared_client);

			expect(fake_free(FILE_A, old, old) == NV_OK);
			p = (NVOS21_PARAMETERS){ .hClass = NV01_ROOT_CLIENT };
			expect(rm_api_alloc_nvos21(FILE_A, &p) == NV_OK);
			os_store_relaxed(&shared_client, p.hObjectNew);
		}
		expect(fake_free(file, own, own) == NV_OK);
	}
}

static void many_threads(void **state)
{
	struct os_thread *threads[THREADS];
	uintptr_t i;

	failures = 0;
	shared_client = fake_client(FILE_A);
	for (i = 0; i < THREADS; i++)
		threads[i] = os_thread_create("worker", worker, (void *)i);
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
	assert_int_equal(failures, 0);
}

/* A file that closes while its clients are in use. */
static void user(void *arg)
{
	const struct os_cred cred = { .pid = 100, .uid = 1000 };
	u32 features, i;

	os_user_set_cred(&cred);
	for (i = 0; i < 20000; i++) {
		enum nv_status status =
			fake_control(FILE_B, *(u32 *)arg, *(u32 *)arg, CMD_FEATURES, &features, 4);

		if (status == NV_ERR_INVALID_CLIENT)
			return;
		expect(status == NV_OK);
	}
}

static void freed_under_use(void **state)
{
	u32 round, used;

	failures = 0;
	for (round = 0; round < 50; round++) {
		struct os_thread *a, *b;

		used = fake_client(FILE_B);
		a = os_thread_create("user a", user, &used);
		b = os_thread_create("user b", user, &used);
		os_sleep_us(round * 10);
		rm_api_file_closed(&fake.rm, FILE_B);
		os_thread_join(a);
		os_thread_join(b);
	}
	assert_int_equal(failures, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(null_command),
		TEST(flags),
		TEST(sizes),
		TEST(known_by_class),
		TEST(objects_and_classes),
		TEST(rights),
		TEST(routing),
		TEST(copies),
		TEST(cached_replies),
		TEST(stale_reply),
		TEST(nested_pointers),
		TEST(nested_pointers_refused),
		TEST(nested_pointers_stay_here),
		TEST(nested_calls),
		TEST(begin_and_end),
		TEST(given_back),
		TEST(traces),
		TEST(out_of_memory_anywhere),
		TEST(many_threads),
		TEST(freed_under_use),
	};

	return cmocka_run_group_tests_name("rm_api", tests, NULL, NULL);
}
