// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A client of the driver's for UVM's own channels (rm/uvm.h), made of the same objects as any
 * other, and the buffers that they reach.
 *
 *   client --- device --- address space (managed here): buffers are mapped in it, and the doorbell
 *                  \--- channel (rm/uvm/queue.c)
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/cc/key_store.h"
#include "rm/cc/session.h"
#include "rm/class/state.h"
#include "rm/class/vaspace.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/regs.h"
#include "rm/uvm/internal.h"
#include "rm/uvm/queue.h"

#define BUFFER_PAGE KIB(4)

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

/* The doorbell's registers as engines reach them: pages of messages, not of memory. */
static enum nv_status map_usermode(struct rm_uvm_session *session)
{
	const u64 address = NV_VIRTUAL_FUNCTION__LO;
	const struct rm_backing_list registers = {
		.addresses = &address,
		.count = 1,
		.size = NV_VIRTUAL_FUNCTION__HI + 1 - NV_VIRTUAL_FUNCTION__LO,
	};
	struct rm_backing *backing;
	enum nv_status status;

	if (!rm_cc_keys(session->gpu))
		return NV_OK;
	status = rm_backing_of_list(session->gpu, &registers, &backing);
	if (status != NV_OK)
		return status;
	return rm_uvm_buffer_map(session, backing, registers.size, NV_MMU_PTE_KIND_SMSKED_MESSAGE,
				 &session->usermode);
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
	if (status == NV_OK) {
		status = map_usermode(session);
		if (status != NV_OK)
			rm_vaspace_put(session->space);
	}
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
	if (session->usermode)
		rm_uvm_buffer_free(session->usermode);
	rm_kernel_free(session->gpu->rm, session->client, session->client);
	rm_vaspace_put(session->space);
	os_free(session);
}

/* -- Buffers ----------------------------------------------------------------------------------- */

static enum nv_status buffer_map(struct rm_uvm_buffer *buffer, u8 kind, bool read_only)
{
	struct rm_vaspace *space = buffer->session->space;
	struct rm_vaspace_request request = { .size = buffer->size, .align = BUFFER_PAGE };
	struct rm_vaspace_map map = {
		.size = buffer->size,
		.backing = buffer->backing,
		.page_size = BUFFER_PAGE,
		.privileged = true,
		.read_only = read_only,
		.kind = kind,
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
				    u64 size, u8 kind, bool read_only, struct rm_uvm_buffer **out)
{
	struct rm_uvm_buffer *buffer = os_alloc(sizeof(*buffer));
	enum nv_status status = NV_ERR_NO_MEMORY;

	if (!buffer)
		goto put_backing;
	buffer->session = session;
	buffer->backing = backing;
	buffer->size = size;
	status = buffer_map(buffer, kind, read_only);
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

u64 rm_uvm_buffer_address(const struct rm_uvm_buffer *buffer)
{
	return buffer->address;
}

enum nv_status rm_uvm_buffer_map(struct rm_uvm_session *session, struct rm_backing *backing,
				 u64 size, u8 kind, struct rm_uvm_buffer **out)
{
	return buffer_create(session, backing, size, kind, false, out);
}

/* All of a backing, as memory without a layout of its own. */
static enum nv_status create_generic(struct rm_uvm_session *session, struct rm_backing *backing,
				     bool read_only, struct rm_uvm_buffer **out)
{
	return buffer_create(session, backing, rm_backing_size(backing),
			     NV_MMU_PTE_KIND_GENERIC_MEMORY, read_only, out);
}

enum nv_status rm_uvm_buffer_alloc(struct rm_uvm_session *session, u64 size,
				   struct rm_uvm_buffer **out, void **cpu, u64 *address)
{
	struct rm_backing *backing;
	enum nv_status status;

	status = rm_backing_alloc_system(session->gpu, size, &backing);
	if (status == NV_OK)
		status = create_generic(session, backing, false, out);
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
		status = create_generic(session, backing, false, out);
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
		status = create_generic(session, backing, true, out);
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
