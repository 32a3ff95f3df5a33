// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The server's instance: its tables of classes and handlers, the API lock, and the call of a
 * thread. */
#include "rm/gpu/gpu.h"
#include "rm/server/internal.h"
#include "rm/trace.h"

/* Internal classes whose commands are those of another one as well. */
static const struct {
	u16 iclass;
	u16 base;
} iclass_bases[] = {
	{ ABI_ICLASS_ConsoleMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_ExtendedGpuMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_FlaMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_GpuUserSharedData, ABI_ICLASS_Memory },
	{ ABI_ICLASS_MemoryFabric, ABI_ICLASS_Memory },
	{ ABI_ICLASS_MemoryHwResources, ABI_ICLASS_Memory },
	{ ABI_ICLASS_MemoryList, ABI_ICLASS_Memory },
	{ ABI_ICLASS_MemoryMulticastFabric, ABI_ICLASS_Memory },
	{ ABI_ICLASS_NoDeviceMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_OsDescMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_PhysicalMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_RegisterMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_SystemMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_UserModeApi, ABI_ICLASS_Memory },
	{ ABI_ICLASS_VideoMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_VirtualMemory, ABI_ICLASS_Memory },
	{ ABI_ICLASS_VirtualMemoryRange, ABI_ICLASS_Memory },
	{ ABI_ICLASS_ProfilerDev, ABI_ICLASS_ProfilerBase },
	{ ABI_ICLASS_NvDispApi, ABI_ICLASS_DispObject },
	{ ABI_ICLASS_DispSwObj, ABI_ICLASS_DispObject },
};

bool rm_iclass_is(enum abi_iclass iclass, enum abi_iclass base)
{
	u32 i;

	if (iclass == base)
		return true;
	for (i = 0; i < ARRAY_SIZE(iclass_bases); i++)
		if (iclass_bases[i].iclass == iclass)
			return iclass_bases[i].base == base;
	return false;
}

/* -- Tables ------------------------------------------------------------------------------------ */

static u32 handler_slot(const struct rm_server *server, u32 iclass, u32 cmd)
{
	return ((cmd ^ (iclass << 24)) * 0x9e3779b1u >> 7) & server->handler_mask;
}

rm_control_fn rm_server_handler(const struct rm_server *server, enum abi_iclass iclass, u32 cmd)
{
	u32 at = handler_slot(server, iclass, cmd);
	const struct rm_handler_slot *slot;

	for (slot = &server->handlers[at]; slot->fn;
	     at = (at + 1) & server->handler_mask, slot = &server->handlers[at])
		if (slot->cmd == cmd && slot->iclass == (u32)iclass)
			return slot->fn;
	return NULL;
}

static enum nv_status handlers_add(struct rm_server *server, const struct rm_class *class)
{
	u32 i, at;

	for (i = 0; i < class->control_count; i++) {
		const struct rm_control_handler *handler = &class->controls[i];
		const struct abi_control *control = abi_control_find(handler->cmd);

		if (!control || rm_server_handler(server, class->iclass, handler->cmd))
			return NV_ERR_INVALID_ARGUMENT;
		at = handler_slot(server, class->iclass, handler->cmd);
		while (server->handlers[at].fn)
			at = (at + 1) & server->handler_mask;
		server->handlers[at] =
			(struct rm_handler_slot){ handler->cmd, class->iclass, handler->fn };
		if (!server->first_handlers[control->index].fn)
			server->first_handlers[control->index] = server->handlers[at];
	}
	return NV_OK;
}

static enum nv_status tables_init(struct rm_server *server, const struct rm_class *const *classes,
				  u32 count)
{
	u32 handlers = 0, slots = 64, singles = 0, i;

	for (i = 0; i < count; i++)
		handlers += classes[i]->control_count;
	while (slots < 2 * handlers)
		slots *= 2;
	server->handler_mask = slots - 1;
	server->class_count = ABI_ICLASS_COUNT;
	server->classes = os_alloc(ABI_ICLASS_COUNT * sizeof(*server->classes));
	server->single_bits = os_alloc(ABI_ICLASS_COUNT * sizeof(*server->single_bits));
	server->handlers = os_alloc(slots * sizeof(*server->handlers));
	server->first_handlers = os_alloc(ABI_CONTROL_COUNT * sizeof(*server->first_handlers));
	if (!server->classes || !server->single_bits || !server->handlers ||
	    !server->first_handlers)
		return NV_ERR_NO_MEMORY;

	for (i = 0; i < ABI_CLASS_COUNT; i++) {
		const struct abi_class *desc = abi_class_by_index(i);

		if (desc->multi || server->single_bits[desc->iclass])
			continue;
		OS_BUG_ON(singles == 32);
		server->single_bits[desc->iclass] = 1u << singles++;
	}
	for (i = 0; i < count; i++) {
		const struct rm_class *class = classes[i];
		enum nv_status status;

		if ((u32) class->iclass >= ABI_ICLASS_COUNT || server->classes[class->iclass] ||
		    class->object_size < sizeof(struct rm_object))
			return NV_ERR_INVALID_ARGUMENT;
		server->classes[class->iclass] = class;
		status = handlers_add(server, class);
		if (status != NV_OK)
			return status;
	}
	return NV_OK;
}

const struct rm_class *rm_server_class(struct rm_server *server, enum abi_iclass iclass)
{
	return (u32)iclass < server->class_count ? server->classes[iclass] : NULL;
}

enum nv_status rm_server_create(struct rm *rm, const struct rm_class *const *classes, u32 count,
				struct rm_server **out)
{
	struct rm_server *server = os_alloc(sizeof(*server));
	enum nv_status status;

	if (!server)
		return NV_ERR_NO_MEMORY;
	server->rm = rm;
	status = os_percpu_rwlock_init(&server->api_lock, LOCK_RANK_API, "API");
	if (status != NV_OK)
		goto fail_free;
	status = rm_client_table_init(server);
	if (status != NV_OK)
		goto fail_lock;
	status = tables_init(server, classes, count);
	if (status != NV_OK)
		goto fail_tables;
	*out = server;
	return NV_OK;

fail_tables:
	os_free(server->first_handlers);
	os_free(server->handlers);
	os_free(server->single_bits);
	os_free(server->classes);
	rm_client_table_destroy(server);
fail_lock:
	os_percpu_rwlock_destroy(&server->api_lock);
fail_free:
	os_free(server);
	return status;
}

void rm_server_destroy(struct rm_server *server)
{
	if (!server)
		return;
	rm_api_owner_closed(server, NULL);
	os_free(server->first_handlers);
	os_free(server->handlers);
	os_free(server->single_bits);
	os_free(server->classes);
	rm_client_table_destroy(server);
	os_percpu_rwlock_destroy(&server->api_lock);
	os_free(server);
}

void rm_server_lock_exclusive(struct rm_server *server)
{
	os_percpu_rwlock_write_lock(&server->api_lock);
}

void rm_server_unlock_exclusive(struct rm_server *server)
{
	os_percpu_rwlock_write_unlock(&server->api_lock);
}

/* -- Calls ------------------------------------------------------------------------------------- */

struct rm_call *rm_call_current(void)
{
	return os_thread_context();
}

static void __attribute__((__noinline__))
api_lock_traced(struct rm_call *call, struct rm_server *server)
{
	u64 start = os_time_ns();

	call->api_token = os_percpu_rwlock_read_lock(&server->api_lock);
	rm_trace(RM_TRACE_LOCK, "API", NV_OK, os_time_ns() - start, 1, NULL, 0);
}

void rm_call_lacks(struct rm_call *call, struct rm_gpu *gpu, u64 bytes)
{
	if (call->lacks)
		return;
	rm_gpu_get(gpu);
	call->lacks = gpu;
	call->lacks_bytes = bytes;
}

void rm_call_begin(struct rm_call *call, struct rm_server *server, struct rm_file *file,
		   bool kernel)
{
	call->server = server;
	call->file = file;
	call->rm = server->rm;
	call->client = NULL;
	call->source = NULL;
	call->object = NULL;
	call->control = NULL;
	call->handler = NULL;
	call->params = NULL;
	call->params_size = 0;
	call->named = NULL;
	call->flags = 0;
	call->locks = 0;
	call->locked_gpu = NULL;
	call->lacks = NULL;
	call->kernel = kernel;
	os_current_cred(&call->cred);
	call->outer = rm_call_current();
	os_thread_set_context(call);
	if (call->outer)
		return;
	if (rm_trace_on())
		api_lock_traced(call, server);
	else
		call->api_token = os_percpu_rwlock_read_lock(&server->api_lock);
	call->locks = RM_LOCKED_API_SHARED;
}

bool rm_call_holds_gpu(const struct rm_gpu *gpu)
{
	const struct rm_call *call;

	for (call = rm_call_current(); call; call = call->outer)
		if (call->locked_gpu == gpu)
			return true;
	return false;
}

void rm_call_lock_gpu(struct rm_call *call, struct rm_gpu *gpu)
{
	if (rm_call_holds_gpu(gpu))
		return;
	rm_gpu_lock(gpu);
	call->locked_gpu = gpu;
	call->locks |= RM_LOCKED_GPU;
}

void rm_call_unlock_gpu(struct rm_call *call)
{
	struct rm_gpu *gpu = call->locked_gpu;

	if (!(call->locks & RM_LOCKED_GPU))
		return;
	call->locks &= ~RM_LOCKED_GPU;
	call->locked_gpu = NULL;
	rm_gpu_unlock(gpu);
}

void rm_call_end(struct rm_call *call)
{
	struct rm_client *client = call->client, *source = call->source;

	if (call->locks & RM_LOCKED_GPU)
		rm_call_unlock_gpu(call);
	if (call->locks & RM_LOCKED_CLIENT)
		os_mutex_unlock(&client->lock);
	else if (call->locks & RM_LOCKED_SOURCE)
		os_mutex_unlock_pair(&client->lock, &source->lock);
	if (client)
		rm_client_put(client);
	if (source)
		rm_client_put(source);
	os_thread_set_context(call->outer);
	if (call->locks & RM_LOCKED_API_SHARED)
		os_percpu_rwlock_read_unlock(&call->server->api_lock, call->api_token);
}
