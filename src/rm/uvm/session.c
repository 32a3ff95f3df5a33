// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * UVM's own channels (rm/uvm.h): a client of the driver's, made of the same objects as any other.
 *
 *   client --- device --- address space (managed here): buffers are mapped in it
 *                  \--- channel --- object of the copy class
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/cc/key_store.h"
#include "rm/cc/session.h"
#include "rm/class/channel_group.h"
#include "rm/class/channel_secure.h"
#include "rm/class/memory.h"
#include "rm/class/state.h"
#include "rm/class/vaspace.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/regs.h"
#include "rm/uvm/internal.h"
#include "rm/uvm/queue.h"

#define BUFFER_PAGE KIB(4)

struct rm_uvm_session {
	struct rm_gpu *gpu;
	u32 client;
	u64 serial;
	u32 device;
	struct rm_vaspace *space; /* referenced */
	u32 space_handle;
};

struct rm_uvm_buffer {
	struct rm_uvm_session *session;
	struct rm_backing *backing;
	struct extent *range;
	u64 address, size;
};

/* -- The client -------------------------------------------------------------------------------- */

static enum nv_status find_client(struct rm_uvm_session *session)
{
	struct rm_client *client = rm_client_get(rm_server(session->gpu->rm), session->client);

	if (!client)
		return NV_ERR_OBJECT_NOT_FOUND;
	session->serial = client->serial;
	rm_client_put(client);
	return NV_OK;
}

static bool has_keys(u32 engine)
{
	u32 key;

	return key_store_channel_key(engine, true, &key) == NV_OK;
}

/* Copy engines with a runlist of their own, and with keys where those are needed. */
static u32 engines_of(const struct rm_fifo *fifo, bool confidential)
{
	const struct rm_fifo_engine *graphics = rm_fifo_engine(fifo, NV2080_ENGINE_TYPE_GR0);
	u32 i, engines = 0;

	for (i = 0; i < NV2080_ENGINE_TYPE_COPY_SIZE; i++) {
		const struct rm_fifo_engine *engine =
			rm_fifo_engine(fifo, NV2080_ENGINE_TYPE_COPY0 + i);

		if (engine && (!graphics || engine->runlist != graphics->runlist) &&
		    (!confidential || has_keys(NV2080_ENGINE_TYPE_COPY0 + i)))
			engines |= BIT32(i);
	}
	return engines;
}

static enum nv_status find_space(struct rm_uvm_session *session, u32 *engines)
{
	struct rm_fifo *fifo;
	struct rm_call call;
	enum nv_status status;

	status = rm_uvm_begin_own(&call, session->gpu->rm, session->client, session->serial,
				  session->space_handle);
	if (status != NV_OK)
		return status;
	status = rm_fifo_get(session->gpu, &fifo);
	if (status == NV_OK) {
		*engines = engines_of(fifo, rm_cc_keys(session->gpu) != NULL);
		status = *engines ? NV_OK : NV_ERR_NOT_SUPPORTED;
	}
	if (status == NV_OK) {
		session->space = rm_vaspace_of(call.object);
		rm_vaspace_get(session->space);
	}
	rm_call_end(&call);
	return status;
}

enum nv_status rm_uvm_session_create(struct rm_gpu *gpu, struct rm_uvm_session **out, u32 *engines)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { .index = NV_VASPACE_ALLOCATION_INDEX_GPU_NEW };
	NV0080_ALLOC_PARAMETERS device = { .deviceId = gpu->instance };
	struct rm_uvm_session *session = os_alloc(sizeof(*session));
	struct rm *rm = gpu->rm;
	enum nv_status status;

	if (!session)
		return NV_ERR_NO_MEMORY;
	session->gpu = gpu;
	status = rm_kernel_alloc(rm, 0, 0, &session->client, NV01_ROOT, NULL, 0);
	if (status != NV_OK) {
		os_free(session);
		return status;
	}
	status = find_client(session);
	if (status == NV_OK)
		status = rm_kernel_alloc(rm, session->client, session->client, &session->device,
					 NV01_DEVICE_0, &device, sizeof(device));
	if (status == NV_OK)
		status = rm_kernel_alloc(rm, session->client, session->device,
					 &session->space_handle, FERMI_VASPACE_A, &space,
					 sizeof(space));
	if (status == NV_OK)
		status = find_space(session, engines);
	if (status != NV_OK) {
		rm_kernel_free(rm, session->client, session->client);
		os_free(session);
		return status;
	}
	*out = session;
	return NV_OK;
}

void rm_uvm_session_destroy(struct rm_uvm_session *session)
{
	rm_kernel_free(session->gpu->rm, session->client, session->client);
	rm_vaspace_put(session->space);
	os_free(session);
}

/* -- Buffers ----------------------------------------------------------------------------------- */

static enum nv_status buffer_map(struct rm_uvm_buffer *buffer, bool read_only)
{
	struct rm_vaspace *space = buffer->session->space;
	struct rm_vaspace_request request = { .size = buffer->size, .align = BUFFER_PAGE };
	struct rm_vaspace_map map = {
		.size = buffer->size,
		.backing = buffer->backing,
		.page_size = BUFFER_PAGE,
		.privileged = true,
		.read_only = read_only,
		.kind = NV_MMU_PTE_KIND_GENERIC_MEMORY,
	};
	enum nv_status status;

	rm_vaspace_limits(space, &request.lo, &request.hi);
	/* Within what every generation's methods can name. */
	request.hi = min(request.hi, BIT64(40) - 1);
	status = rm_vaspace_reserve(space, &request, &buffer->range);
	if (status != NV_OK)
		return status;
	map.va = buffer->address = buffer->range->start;
	status = rm_vaspace_map(space, &map);
	if (status != NV_OK)
		rm_vaspace_release(space, buffer->range);
	return status;
}

/* The backing is the buffer's from now on, also if there is none. */
static enum nv_status buffer_create(struct rm_uvm_session *session, struct rm_backing *backing,
				    bool read_only, struct rm_uvm_buffer **out)
{
	struct rm_uvm_buffer *buffer = os_alloc(sizeof(*buffer));
	enum nv_status status = NV_ERR_NO_MEMORY;

	if (!buffer)
		goto put_backing;
	buffer->session = session;
	buffer->size = rm_backing_size(backing);
	buffer->backing = backing;
	status = buffer_map(buffer, read_only);
	if (status != NV_OK)
		goto free_buffer;
	*out = buffer;
	return NV_OK;

free_buffer:
	os_free(buffer);
put_backing:
	rm_backing_put(backing);
	return status;
}

enum nv_status rm_uvm_buffer_alloc(struct rm_uvm_session *session, u64 size,
				   struct rm_uvm_buffer **out, void **cpu, u64 *address)
{
	struct rm_backing *backing;
	enum nv_status status;

	status = rm_backing_alloc_system(session->gpu, size, &backing);
	if (status == NV_OK)
		status = buffer_create(session, backing, false, out);
	if (status != NV_OK)
		return status;
	*cpu = rm_backing_cpu((*out)->backing, 0);
	*address = (*out)->address;
	return NV_OK;
}

enum nv_status rm_uvm_buffer_alloc_video(struct rm_uvm_session *session, u64 size,
					 struct rm_uvm_buffer **out, u64 *address, u64 *video)
{
	struct rm_backing *backing;
	enum rm_aperture aperture;
	enum nv_status status;
	u64 contiguous;

	status = rm_backing_alloc_video(session->gpu, size, BUFFER_PAGE, &backing);
	if (status == NV_OK)
		status = buffer_create(session, backing, false, out);
	if (status != NV_OK)
		return status;
	*address = (*out)->address;
	*video = rm_backing_address(backing, 0, &aperture, &contiguous);
	return NV_OK;
}

enum nv_status rm_uvm_buffer_share(struct rm_uvm_session *session,
				   const struct rm_uvm_buffer *buffer, struct rm_uvm_buffer **out,
				   u64 *address)
{
	struct rm_backing *backing;
	enum nv_status status;

	status = rm_backing_share(buffer->backing, session->gpu, &backing);
	if (status == NV_OK)
		status = buffer_create(session, backing, true, out);
	if (status == NV_OK)
		*address = (*out)->address;
	return status;
}

void rm_uvm_buffer_free(struct rm_uvm_buffer *buffer)
{
	struct rm_vaspace *space = buffer->session->space;

	/* Of a lost GPU this fails, which reaches the memory no more. */
	(void)rm_vaspace_unmap(space, buffer->address, buffer->size, false);
	rm_vaspace_release(space, buffer->range);
	rm_backing_put(buffer->backing);
	os_free(buffer);
}

/* -- Channels ---------------------------------------------------------------------------------- */

/* What its maker writes to. */
static enum nv_status describe(struct rm_uvm_queue *queue, struct rm_uvm_queue_info *info)
{
	struct rm_uvm_session *session = queue->session;
	enum rm_aperture aperture;
	enum nv_status status;
	struct rm_call call;
	u64 bytes;
	u8 *userd;

	status = rm_uvm_begin_own(&call, session->gpu->rm, session->client, session->serial,
				  queue->handle);
	if (status != NV_OK)
		return status;
	queue->channel = rm_channel_of(call.object);
	rm_channel_get(queue->channel);
	rm_call_end(&call);
	/* No client's memory: it is the driver's page of video or shared memory. */
	info->put = rm_backing_address(queue->channel->userd, queue->channel->userd_offset,
				       &aperture, &bytes) +
		    offsetof(Nvc86fControl, GPPut);
	userd = rm_backing_cpu(queue->channel->userd, queue->channel->userd_offset);
	info->put_cpu = userd ? (u32 *)(userd + offsetof(Nvc86fControl, GPPut)) : NULL;
	info->doorbell = LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL;
	info->token = rm_channel_token(queue->channel);
	return NV_OK;
}

static enum nv_status queue_start(struct rm_uvm_queue *queue, u32 engine)
{
	struct rm_uvm_session *session = queue->session;
	NVB0B5_ALLOCATION_PARAMETERS copy = { .version = NVB0B5_ALLOCATION_PARAMETERS_VERSION_0,
					      .engineType = engine };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	struct rm *rm = session->gpu->rm;
	enum nv_status status;
	u32 object = 0;

	status = rm_kernel_alloc(rm, session->client, queue->handle, &object, HOPPER_DMA_COPY_A,
				 &copy, sizeof(copy));
	if (status == NV_OK)
		status = rm_kernel_control(rm, session->client, queue->handle,
					   NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule,
					   sizeof(schedule));
	return status;
}

enum nv_status rm_uvm_queue_create(struct rm_uvm_session *session, u32 engine, u64 gpfifo,
				   u32 entries, struct rm_uvm_queue **out,
				   struct rm_uvm_queue_info *info)
{
	NV_CHANNEL_ALLOC_PARAMS *p = os_alloc(sizeof(*p));
	struct rm_uvm_queue *queue = os_alloc(sizeof(*queue));
	enum nv_status status = NV_ERR_NO_MEMORY;

	if (!p || !queue)
		goto free_queue;
	queue->session = session;
	p->hVASpace = session->space_handle;
	p->engineType = NV2080_ENGINE_TYPE_COPY0 + engine;
	p->gpFifoOffset = gpfifo;
	p->gpFifoEntries = entries;
	if (rm_cc_keys(session->gpu))
		p->flags = (u32)REG_PREP(NVOS04_FLAGS_CC_SECURE, NVOS04_FLAGS_CC_SECURE_TRUE);
	status = rm_kernel_alloc(session->gpu->rm, session->client, session->device, &queue->handle,
				 HOPPER_CHANNEL_GPFIFO_A, p, sizeof(*p));
	if (status != NV_OK)
		goto free_queue;
	status = queue_start(queue, engine);
	if (status == NV_OK)
		status = describe(queue, info);
	if (status == NV_OK && rm_cc_keys(session->gpu)) {
		status = rm_channel_csl_init(queue->channel, &queue->csl);
		if (status != NV_OK)
			rm_channel_put(queue->channel);
	}
	if (status != NV_OK)
		goto free_channel;
	os_free(p);
	*out = queue;
	return NV_OK;

free_channel:
	rm_kernel_free(session->gpu->rm, session->client, queue->handle);
free_queue:
	os_free(queue);
	os_free(p);
	return status;
}

void rm_uvm_queue_stop(struct rm_uvm_queue *queue)
{
	rm_channel_stop(queue->channel);
}

void rm_uvm_queue_destroy(struct rm_uvm_queue *queue)
{
	rm_channel_csl_deinit(queue->channel, &queue->csl);
	rm_kernel_free(queue->session->gpu->rm, queue->session->client, queue->handle);
	rm_channel_put(queue->channel);
	os_free(queue);
}

u32 rm_uvm_queue_error(struct rm_uvm_queue *queue)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(queue->channel->gpu)->fifo;
	struct rm_gpu *gpu = queue->channel->gpu;
	u32 error;

	if (!rm_gpu_is_lost(gpu) && gpu_rd32(gpu, NV_PMC_BOOT_0) == GPU_OFF_BUS)
		rm_gpu_lose(gpu, RM_XID_OFF_BUS, "GPU has fallen off the bus.");
	os_mutex_lock(&fifo->lock);
	error = queue->channel->error ? queue->channel->error : queue->channel->group->error;
	os_mutex_unlock(&fifo->lock);
	return error;
}
