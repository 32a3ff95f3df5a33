// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The instance, files, GPUs and classes of tests/unit/rm_fake.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rm/gsp/rpc.h"
#include "rm_fake.h"

struct fake fake;
static struct os_user_alloc_stats stats_before;

/* -- What rm, its files and GPUs give ---------------------------------------------------------- */

struct rm_server *rm_server(const struct rm *rm)
{
	return rm->server;
}

struct rm *rm_file_rm(const struct rm_file *file)
{
	return file->rm;
}

const void *rm_file_owner(const struct rm_file *file)
{
	return file->owner;
}

void rm_gpu_lock(struct rm_gpu *gpu)
{
	os_mutex_lock(&gpu->lock);
}

void rm_gpu_unlock(struct rm_gpu *gpu)
{
	os_mutex_unlock(&gpu->lock);
}

void rm_gpu_get(struct rm_gpu *gpu)
{
	os_fetch_add(&fake.gpu_references, 1);
}

void rm_gpu_put(struct rm_gpu *gpu)
{
	os_fetch_sub(&fake.gpu_references, 1);
}

bool rm_uvm_reclaim(struct rm_gpu *gpu, u64 bytes)
{
	assert_ptr_equal(gpu, &fake.gpus[0].gpu);
	assert_int_equal(bytes, KIB(64));
	assert_null(rm_call_current());
	fake.reclaims++;
	return !fake.reclaims_fail;
}

static enum nv_status rpc(struct rm_gpu *gpu, struct fake_rpc message)
{
	struct fake_gpu *g = container_of(gpu, struct fake_gpu, gpu);

	message.locked = rm_call_holds_gpu(gpu);
	if (!message.locked)
		os_mutex_lock(&gpu->lock);
	g->rpcs[g->rpc_count++ % ARRAY_SIZE(g->rpcs)] = message;
	if (g->rpc_status == NV_OK && (message.what == 'A' || message.what == 'D'))
		g->objects++;
	if (message.what == 'F')
		g->objects--;
	if (!message.locked)
		os_mutex_unlock(&gpu->lock);
	return g->rpc_status;
}

const struct fake_rpc *fake_last_rpc(const struct fake_gpu *gpu)
{
	return &gpu->rpcs[(gpu->rpc_count - 1) % ARRAY_SIZE(gpu->rpcs)];
}

enum nv_status gsp_rpc_control(struct rm_gpu *gpu, u32 client, u32 object, u32 cmd, void *params,
			       u32 params_size)
{
	if (params_size)
		((u8 *)params)[0]++;
	return rpc(gpu, (struct fake_rpc){ 'C', client, 0, object, cmd, params_size });
}

enum nv_status gsp_rpc_known_control(struct rm_gpu *gpu, u32 client, u32 object,
				     const struct abi_control *control, void *params,
				     u32 params_size)
{
	return gsp_rpc_control(gpu, client, object, control->cmd, params, params_size);
}

enum nv_status gsp_rpc_alloc(struct rm_gpu *gpu, u32 client, u32 parent, u32 object, u32 class_id,
			     void *params, u32 params_size)
{
	return rpc(gpu, (struct fake_rpc){ 'A', client, parent, object, class_id, params_size });
}

enum nv_status gsp_rpc_free(struct rm_gpu *gpu, u32 client, u32 parent, u32 object)
{
	return rpc(gpu, (struct fake_rpc){ 'F', client, parent, object });
}

enum nv_status gsp_rpc_dup(struct rm_gpu *gpu, u32 client, u32 parent, u32 object,
			   u32 source_client, u32 source_object, u32 flags)
{
	return rpc(gpu, (struct fake_rpc){ 'D', client, parent, object, source_object });
}

/* -- Classes ----------------------------------------------------------------------------------- */

static enum nv_status construct(struct rm_call *call, struct rm_object *object, void *params,
				u32 params_size)
{
	if (fake.construct_status != NV_OK)
		return fake.construct_status;
	if (fake.lacking && object->gpu) {
		fake.lacking--;
		rm_call_lacks(call, object->gpu, KIB(64));
		rm_call_lacks(call, object->gpu, KIB(128)); /* the first is what counts */
		return NV_ERR_NO_MEMORY;
	}
	os_fetch_add(&fake.alive[object->desc->iclass], 1);
	return NV_OK;
}

static enum nv_status construct_device(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	NV0080_ALLOC_PARAMETERS *p = params;
	u32 index = p ? p->deviceId : 0;

	if (index >= ARRAY_SIZE(fake.gpus))
		return NV_ERR_INVALID_DEVICE;
	object->gpu = &fake.gpus[index].gpu;
	return construct(call, object, params, params_size);
}

static enum nv_status construct_compute(struct rm_call *call, struct rm_object *object,
					void *params, u32 params_size)
{
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS *p = params;
	struct rm_object *on;
	enum nv_status status;

	if (p && p->hClient) {
		status = rm_object_find(call->client, p->hClient, &on);
		if (status == NV_OK)
			status = rm_object_depend(object, on);
		if (status != NV_OK)
			return status;
	}
	return construct(call, object, params, params_size);
}

static void destruct(struct rm_call *call, struct rm_object *object)
{
	u32 at = os_fetch_add(&fake.destruct_count, 1) % ARRAY_SIZE(fake.destruct_order);

	os_store_relaxed(&fake.destruct_order[at], object->handle);
	os_fetch_sub(&fake.alive[object->desc->iclass], 1);
}

static enum nv_status duplicate(struct rm_call *call, struct rm_object *copy,
				const struct rm_object *source)
{
	return construct(call, copy, NULL, 0);
}

static enum nv_status handler(struct rm_call *call, void *params)
{
	os_fetch_add(&fake.handler_calls, 1);
	if (call->params_size)
		((u8 *)params)[0]++;
	if (fake.in_handler)
		fake.in_handler(call, params);
	return fake.handler_status;
}

static const struct rm_control_handler root_controls[] = {
	{ NV0000_CTRL_CMD_SYSTEM_GET_FEATURES, handler },
	{ NV0000_CTRL_CMD_SYSTEM_GET_CHIPSET_INFO, handler },
	{ NV0000_CTRL_CMD_GPU_MODIFY_DRAIN_STATE, handler },
	{ NV0000_CTRL_CMD_SYSTEM_SET_MEMORY_SIZE, handler },
};
static const struct rm_control_handler device_controls[] = {
	{ NV0080_CTRL_CMD_GPU_GET_NUM_SUBDEVICES, handler },
};
static const struct rm_control_handler subdevice_controls[] = {
	{ NV2080_CTRL_CMD_GPU_GET_INFO_V2, handler },
	{ NV2080_CTRL_CMD_FIFO_GET_INFO, handler },
	{ NV2080_CTRL_CMD_TIMER_GET_TIME, handler },
	{ NV2080_CTRL_CMD_GR_FECS_BIND_EVTBUF_FOR_UID_V2, handler },
	{ NV2080_CTRL_CMD_BIOS_GET_INFO, handler },
};
static const struct rm_control_handler memory_controls[] = {
	{ NV0041_CTRL_CMD_GET_TAG, handler },
};

#define FAKE_CLASS(name, ...)                                                                  \
	static const struct rm_class class_##name = { .iclass = ABI_ICLASS_##name,             \
						      .object_size = sizeof(struct rm_object), \
						      .destruct = destruct,                    \
						      __VA_ARGS__ }
#define CONTROLS(table) .controls = table, .control_count = ARRAY_SIZE(table)

FAKE_CLASS(RmClientResource, .construct = construct, CONTROLS(root_controls));
FAKE_CLASS(Device, .construct = construct_device, CONTROLS(device_controls));
FAKE_CLASS(Subdevice, .construct = construct, .duplicate = duplicate, .mirrored = true,
	   CONTROLS(subdevice_controls));
FAKE_CLASS(DiagApi, .construct = construct);
FAKE_CLASS(SystemMemory, .construct = construct, .duplicate = duplicate, CONTROLS(memory_controls));
FAKE_CLASS(Event, .construct = construct);
FAKE_CLASS(GpuManagementApi, .construct = construct);
FAKE_CLASS(ConfidentialComputeApi, .construct = construct_compute);

static const struct rm_class *const classes[] = {
	&class_RmClientResource, &class_Device,
	&class_Subdevice,	 &class_DiagApi,
	&class_SystemMemory,	 &class_Event,
	&class_GpuManagementApi, &class_ConfidentialComputeApi,
};

/* -- Setup ------------------------------------------------------------------------------------- */

int fake_setup(void **state)
{
	static const struct os_cred user = { .pid = 100, .uid = 1000, .gid = 1000 };
	u32 i;

	os_user_alloc_stats(&stats_before);
	fake = (struct fake){ 0 };
	for (i = 0; i < ARRAY_SIZE(fake.files); i++)
		fake.files[i] = (struct rm_file){ &fake.rm, &fake.files[i] };
	for (i = 0; i < ARRAY_SIZE(fake.gpus); i++) {
		struct rm_gpu *gpu = &fake.gpus[i].gpu;

		gpu->instance = i;
		gpu->state = RM_GPU_RUNNING;
		if (os_mutex_init(&gpu->lock, LOCK_RANK_GPU, "fake GPU") != NV_OK ||
		    rm_control_cache_create(&gpu->cache) != NV_OK)
			return -1;
	}
	os_user_set_cred(&user);
	return rm_server_create(&fake.rm, classes, ARRAY_SIZE(classes), &fake.rm.server) == NV_OK
		       ? 0
		       : -1;
}

int fake_teardown(void **state)
{
	struct os_user_alloc_stats after;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(fake.files); i++)
		rm_api_file_closed(&fake.rm, &fake.files[i]);
	rm_server_destroy(fake.rm.server);
	for (i = 0; i < ARRAY_SIZE(fake.gpus); i++) {
		rm_control_cache_destroy(fake.gpus[i].gpu.cache);
		os_mutex_destroy(&fake.gpus[i].gpu.lock);
		assert_int_equal(fake.gpus[i].objects, 0);
	}
	for (i = 0; i < ARRAY_SIZE(fake.alive); i++)
		assert_int_equal(fake.alive[i], 0);
	assert_int_equal(fake.gpu_references, 0);
	os_user_set_cred(NULL);
	os_user_alloc_stats(&after);
	assert_int_equal(after.live, stats_before.live);
	return 0;
}

/* -- Requests ---------------------------------------------------------------------------------- */

u32 fake_client(struct rm_file *file)
{
	NVOS21_PARAMETERS p = { .hClass = NV01_ROOT_CLIENT };

	assert_int_equal(rm_api_alloc_nvos21(file, &p), NV_OK);
	assert_int_not_equal(p.hObjectNew, 0);
	return p.hObjectNew;
}

enum nv_status fake_alloc(struct rm_file *file, u32 client, u32 parent, u32 *handle, u32 class_id,
			  void *params)
{
	NVOS64_PARAMETERS p = {
		.hRoot = client,
		.hObjectParent = parent,
		.hObjectNew = *handle,
		.hClass = class_id,
		.pAllocParms = (NvP64)(uintptr_t)params,
	};
	enum nv_status status = rm_api_alloc(file, &p);

	assert_int_equal(p.status, status);
	*handle = p.hObjectNew;
	return status;
}

enum nv_status fake_free(struct rm_file *file, u32 client, u32 handle)
{
	NVOS00_PARAMETERS p = { .hRoot = client, .hObjectOld = handle };

	rm_api_free(file, &p);
	return p.status;
}

enum nv_status fake_control(struct rm_file *file, u32 client, u32 object, u32 cmd, void *params,
			    u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};

	rm_api_control(file, &p);
	return p.status;
}

enum nv_status fake_dup(struct rm_file *file, u32 client, u32 parent, u32 *handle,
			u32 source_client, u32 source)
{
	NVOS55_PARAMETERS p = {
		.hClient = client,
		.hParent = parent,
		.hObject = *handle,
		.hClientSrc = source_client,
		.hObjectSrc = source,
	};

	rm_api_dup(file, &p);
	*handle = p.hObject;
	return p.status;
}

enum nv_status fake_share(struct rm_file *file, u32 client, u32 object, u32 type, u32 target,
			  u32 rights, u32 action)
{
	NVOS57_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.sharePolicy = { .target = target, .type = type, .action = action },
	};

	p.sharePolicy.accessMask.limbs[0] = rights;
	rm_api_share(file, &p);
	return p.status;
}
