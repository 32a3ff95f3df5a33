// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clients' address spaces whose page tables are UVM's (rm/uvm.h). The space is kept; the client's
 * object, by which the firmware knows it, is looked up each time and may be gone.
 */
#include "rm/class/channel_pause.h"
#include "rm/class/vaspace.h"
#include "rm/gpu/tlb.h"
#include "rm/uvm/internal.h"
#include "rm/uvm/vaspace.h"

enum nv_status rm_uvm_vaspace_get(struct rm_gpu *gpu, const struct rm_uvm_object *object,
				  struct rm_uvm_vaspace **out)
{
	struct rm_uvm_vaspace *vaspace = os_alloc(sizeof(*vaspace));
	struct rm_vaspace *space;
	enum nv_status status;
	struct rm_call call;

	if (!vaspace)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_begin(&call, object);
	if (status != NV_OK) {
		os_free(vaspace);
		return status;
	}
	space = rm_vaspace_of(call.object);
	if (!space)
		status = NV_ERR_INVALID_OBJECT_HANDLE;
	else if (rm_vaspace_gpu(space) != gpu)
		status = NV_ERR_INVALID_DEVICE;
	else if (!rm_vaspace_is_external(space))
		status = NV_ERR_INVALID_FLAGS;
	if (status == NV_OK) {
		rm_vaspace_get(space);
		vaspace->gpu = gpu;
		vaspace->space = space;
		vaspace->client = object->client;
		vaspace->serial = call.client->serial;
		vaspace->handle = object->handle;
	}
	rm_api_end(&call);
	if (status == NV_OK)
		*out = vaspace;
	else
		os_free(vaspace);
	return status;
}

void rm_uvm_vaspace_put(struct rm_uvm_vaspace *vaspace)
{
	rm_uvm_vaspace_unset_page_directory(vaspace);
	rm_vaspace_put(vaspace->space);
	os_free(vaspace);
}

static enum nv_status begin(struct rm_call *call, struct rm_uvm_vaspace *vaspace)
{
	enum nv_status status = rm_uvm_begin_own(call, vaspace->gpu->rm, vaspace->client,
						 vaspace->serial, vaspace->handle);

	if (status == NV_OK && rm_vaspace_of(call->object) != vaspace->space) {
		rm_call_end(call);
		status = NV_ERR_OBJECT_NOT_FOUND;
	}
	return status;
}

enum nv_status rm_uvm_vaspace_set_page_directory(struct rm_uvm_vaspace *vaspace,
						 enum rm_uvm_aperture aperture, u64 address,
						 u32 entries)
{
	enum nv_status status;
	struct rm_call call;

	status = begin(&call, vaspace);
	if (status != NV_OK)
		return status;
	status = rm_vaspace_set_page_directory(&call, call.object, address,
					       (enum rm_aperture)aperture, entries);
	rm_call_end(&call);
	vaspace->set = status == NV_OK;
	return status;
}

void rm_uvm_vaspace_unset_page_directory(struct rm_uvm_vaspace *vaspace)
{
	struct rm_call call;

	if (!vaspace->set)
		return;
	vaspace->set = false;
	/* An object that is gone took its directory with it. */
	if (begin(&call, vaspace) != NV_OK)
		return;
	(void)rm_vaspace_unset_page_directory(&call, call.object);
	rm_call_end(&call);
}

enum nv_status rm_uvm_tlb_invalidate(struct rm_gpu *gpu, enum rm_uvm_aperture aperture,
				     u64 page_directory)
{
	return rm_tlb_invalidate(gpu, (enum rm_aperture)aperture, page_directory);
}

bool rm_uvm_tlb_settled(struct rm_gpu *gpu)
{
	return rm_tlb_settled(gpu);
}

enum nv_status rm_uvm_vaspace_pause(struct rm_uvm_vaspace *vaspace)
{
	enum nv_status status;
	struct rm_call call;

	rm_call_begin(&call, vaspace->gpu->rm->server, NULL, true);
	status = rm_channels_pause(vaspace->gpu, vaspace->space);
	rm_call_end(&call);
	return status;
}

void rm_uvm_vaspace_go_on(struct rm_uvm_vaspace *vaspace)
{
	struct rm_call call;

	rm_call_begin(&call, vaspace->gpu->rm->server, NULL, true);
	rm_channels_go_on(vaspace->gpu, vaspace->space);
	rm_call_end(&call);
}
