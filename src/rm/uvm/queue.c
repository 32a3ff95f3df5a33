// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * UVM's own channels (rm/uvm.h): objects of the session's client.
 *
 *               GPFIFO     USERD (GPPut)                                 rung by
 *   not secure  shared     the driver's page of video or shared memory   the CPU
 *   secure      video      video memory, mapped for other channels       SEC2's work
 *   SEC2's      shared     the driver's page of shared memory            the CPU
 */
#include "rm/uvm/queue.h"

#include "abi/gh100.h"
#include "rm/cc/session.h"
#include "rm/class/channel_group.h"
#include "rm/class/channel_secure.h"
#include "rm/class/state.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/regs.h"
#include "rm/uvm/internal.h"

static bool is_on_sec2(u32 engine)
{
	return engine == RM_UVM_ENGINE_SEC2;
}

/* What its maker writes to, or has written to. */
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
	info->userd_at = 0;
	info->doorbell_at = 0;
	if (!queue->userd_object)
		return NV_OK;
	rm_backing_get(queue->channel->userd);
	status = rm_uvm_buffer_map(session, queue->channel->userd, OS_PAGE_SIZE,
				   NV_MMU_PTE_KIND_GENERIC_MEMORY, &queue->userd);
	if (status != NV_OK)
		return status;
	info->userd_at = rm_uvm_buffer_address(queue->userd);
	info->doorbell_at = rm_uvm_buffer_address(session->usermode) +
			    NV_VIRTUAL_FUNCTION_DOORBELL - NV_VIRTUAL_FUNCTION__LO;
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

	if (is_on_sec2(engine))
		status = rm_kernel_alloc(rm, session->client, queue->handle, &object,
					 HOPPER_SEC2_WORK_LAUNCH_A, NULL, 0);
	else
		status = rm_kernel_alloc(rm, session->client, queue->handle, &object,
					 HOPPER_DMA_COPY_A, &copy, sizeof(copy));
	if (status == NV_OK)
		status = rm_kernel_control(rm, session->client, queue->handle,
					   NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule,
					   sizeof(schedule));
	return status;
}

/* A page of video memory, as a client would have it. */
static enum nv_status make_userd(struct rm_uvm_queue *queue)
{
	NV_MEMORY_ALLOCATION_PARAMS memory = { .owner = queue->session->client,
					       .size = OS_PAGE_SIZE };

	return rm_kernel_alloc(queue->session->gpu->rm, queue->session->client,
			       queue->session->device, &queue->userd_object, NV01_MEMORY_LOCAL_USER,
			       &memory, sizeof(memory));
}

static enum nv_status make_channel(struct rm_uvm_queue *queue, u32 engine, u64 gpfifo, u32 entries)
{
	struct rm_uvm_session *session = queue->session;
	NV_CHANNEL_ALLOC_PARAMS *p = os_alloc(sizeof(*p));
	enum nv_status status;

	if (!p)
		return NV_ERR_NO_MEMORY;
	p->hVASpace = session->space_handle;
	p->engineType =
		is_on_sec2(engine) ? NV2080_ENGINE_TYPE_SEC2 : NV2080_ENGINE_TYPE_COPY0 + engine;
	p->gpFifoOffset = gpfifo;
	p->gpFifoEntries = entries;
	p->hUserdMemory[0] = queue->userd_object;
	if (rm_cc_keys(session->gpu))
		p->flags = (u32)REG_PREP(NVOS04_FLAGS_CC_SECURE, NVOS04_FLAGS_CC_SECURE_TRUE);
	status = rm_kernel_alloc(session->gpu->rm, session->client, session->device, &queue->handle,
				 HOPPER_CHANNEL_GPFIFO_A, p, sizeof(*p));
	os_free(p);
	return status;
}

/* As much of it as there is. */
static void take_apart(struct rm_uvm_queue *queue)
{
	struct rm_uvm_session *session = queue->session;
	struct rm *rm = session->gpu->rm;

	if (queue->channel)
		rm_channel_csl_deinit(queue->channel, &queue->csl);
	if (queue->handle)
		rm_kernel_free(rm, session->client, queue->handle);
	if (queue->userd)
		rm_uvm_buffer_free(queue->userd);
	if (queue->channel)
		rm_channel_put(queue->channel);
	if (queue->userd_object)
		rm_kernel_free(rm, session->client, queue->userd_object);
	os_free(queue);
}

enum nv_status rm_uvm_queue_create(struct rm_uvm_session *session, u32 engine, u64 gpfifo,
				   u32 entries, struct rm_uvm_queue **out,
				   struct rm_uvm_queue_info *info)
{
	bool secure = rm_cc_keys(session->gpu) != NULL;
	struct rm_uvm_queue *queue;
	enum nv_status status = NV_OK;

	if (is_on_sec2(engine) && !secure)
		return NV_ERR_NOT_SUPPORTED;
	queue = os_alloc(sizeof(*queue));
	if (!queue)
		return NV_ERR_NO_MEMORY;
	queue->session = session;
	if (secure && !is_on_sec2(engine))
		status = make_userd(queue);
	if (status == NV_OK)
		status = make_channel(queue, engine, gpfifo, entries);
	if (status == NV_OK)
		status = queue_start(queue, engine);
	if (status == NV_OK)
		status = describe(queue, info);
	if (status == NV_OK && secure)
		status = rm_channel_csl_init(queue->channel, &queue->csl);
	if (status != NV_OK) {
		take_apart(queue);
		return status;
	}
	*out = queue;
	return NV_OK;
}

void rm_uvm_queue_stop(struct rm_uvm_queue *queue)
{
	rm_channel_stop(queue->channel);
}

void rm_uvm_queue_destroy(struct rm_uvm_queue *queue)
{
	take_apart(queue);
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
