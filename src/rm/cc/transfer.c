// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Video memory by way of the firmware (rm/cc/transfer.h). */
#include "rm/cc/transfer.h"

#include "os/crypto.h"
#include "rm/cc/key_store.h"
#include "rm/gsp/gsp.h"

typedef NV2080_CTRL_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP_PARAMS transfer_params;

enum nv_status rm_cc_transfer_init(struct rm_cc_transfer *t, struct rm_gpu *gpu,
				   struct key_store *keys)
{
	enum nv_status status;

	status = os_pages_alloc(gpu->pci, OS_PAGE_SIZE, OS_PAGES_SHARED, &t->staging);
	if (status != NV_OK) {
		os_memset(&t->staging, 0, sizeof(t->staging));
		return status;
	}
	return csl_init_key(&t->csl, keys, KEY_ID(KEY_SPACE_GSP, KEY_CPU_GSP_DMA));
}

void rm_cc_transfer_fini(struct rm_cc_transfer *t)
{
	csl_deinit_context(&t->csl);
	if (t->staging.size)
		os_pages_free(&t->staging);
	os_wipe(t, sizeof(*t));
}

static enum nv_status command(struct rm_gpu *gpu, transfer_params *p)
{
	return gsp_running_control(gpu, NV2080_CTRL_CMD_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP, p,
				   sizeof(*p));
}

static NV2080_CTRL_INTERNAL_TRANSFER_SURFACE_INFO surface(u32 aperture, u64 address, u64 size)
{
	return (NV2080_CTRL_INTERNAL_TRANSFER_SURFACE_INFO){
		.baseAddr = address,
		.size = size,
		.aperture = aperture,
	};
}

enum nv_status rm_cc_transfer_write(struct rm_cc_transfer *t, struct rm_gpu *gpu, u64 address,
				    const void *data, u32 size)
{
	transfer_params p = {
		.src = surface(ADDR_SYSMEM, os_pages_dma(&t->staging, 0), size),
		.dst = surface(ADDR_FBMEM, address, size),
		.transferSize = size,
		.memop = NV2080_CTRL_MEMMGR_MEMORY_OP_MEMCPY,
	};
	enum nv_status status;

	status = csl_encrypt(&t->csl, size, data, NULL, NULL, 0, t->staging.cpu, p.authTag);
	return status == NV_OK ? command(gpu, &p) : status;
}

enum nv_status rm_cc_transfer_clear(struct rm_gpu *gpu, u64 address, u64 size)
{
	transfer_params p = {
		.dst = surface(ADDR_FBMEM, address, size),
		.transferSize = size,
		.memop = NV2080_CTRL_MEMMGR_MEMORY_OP_MEMSET,
	};

	return command(gpu, &p);
}
