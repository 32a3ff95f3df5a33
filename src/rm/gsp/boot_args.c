// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The two messages that wait in the command queue when the firmware comes up: the system that the
 * GPU is in (GSP_SET_SYSTEM_INFO) and the registry (SET_REGISTRY).
 *
 *   | PACKED_REGISTRY_TABLE | PACKED_REGISTRY_ENTRY ... | names, each terminated |
 */
#include "rm/gsp/gsp.h"

#include "base/bits.h"
#include "rm/gpu/regs.h"
#include "rm/registry.h"

/* The highest address that a user mapping may have on x86-64 with four levels, as the interface
 * counts. */
#define MAX_USER_VA 0x7ffffffff000ull

enum nv_status gsp_send_system_info(struct rm_gsp *gsp)
{
	const struct rm_gpu *gpu = gsp->gpu;
	GspSystemInfo info;

	os_memset(&info, 0, sizeof(info));
	info.gpuPhysAddr = gpu->bars[0].address;
	info.gpuPhysFbAddr = gpu->bars[1].address;
	info.gpuPhysInstAddr = gpu->bars[2].address;
	info.nvDomainBusDeviceFunc = ((u64)gpu->location.domain << 32) |
				     ((u64)gpu->location.bus << 8) |
				     ((u64)gpu->location.device << 3) | gpu->location.function;
	info.maxUserVa = MAX_USER_VA;
	info.pciConfigMirrorBase = NV_EP_PCFGM__LO;
	info.pciConfigMirrorSize = NV_EP_PCFGM__HI - NV_EP_PCFGM__LO + 1;
	return gsp_rpc_send_async(gsp, NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO, &info,
				  sizeof(info));
}

/* The registry is walked twice: to measure, then to write; entries that came in between do not fit.
 */
struct packer {
	u8 *table; /* NULL while measuring */
	u32 size, count;
	u32 name_at; /* where the next name goes */
	u32 limit_size, limit_count;
};

static void pack_dword(void *ctx, const char *name, u32 value)
{
	struct packer *p = ctx;
	u32 length = (u32)os_strnlen(name, GSP_MSGQ_MAX_LENGTH) + 1;
	PACKED_REGISTRY_ENTRY entry;

	if (!p->table) {
		if (p->size + sizeof(entry) + length > p->limit_size)
			return;
		p->size += (u32)sizeof(entry) + length;
		p->count++;
		return;
	}
	if (p->count == p->limit_count || length > p->limit_size - p->name_at)
		return;
	os_memset(&entry, 0, sizeof(entry));
	entry.nameOffset = p->name_at;
	entry.type = REGISTRY_TABLE_ENTRY_TYPE_DWORD;
	entry.data = value;
	entry.length = sizeof(value);
	os_memcpy(p->table + sizeof(PACKED_REGISTRY_TABLE) + p->count * sizeof(entry), &entry,
		  sizeof(entry));
	os_memcpy(p->table + p->name_at, name, length);
	p->name_at += length;
	p->count++;
}

enum nv_status gsp_send_registry(struct rm_gsp *gsp)
{
	struct rm *rm = gsp->gpu->rm;
	struct packer p = {
		.size = sizeof(PACKED_REGISTRY_TABLE),
		.limit_size = GSP_MSGQ_MAX_LENGTH - (u32)sizeof(rpc_message_header_v03_00),
	};
	PACKED_REGISTRY_TABLE header;
	enum nv_status status;

	rm_registry_for_each_dword(rm, pack_dword, &p);
	p.table = os_alloc(p.size);
	if (!p.table)
		return NV_ERR_NO_MEMORY;
	p.limit_size = p.size;
	p.limit_count = p.count;
	p.name_at = (u32)(sizeof(header) + p.count * sizeof(PACKED_REGISTRY_ENTRY));
	p.count = 0;
	rm_registry_for_each_dword(rm, pack_dword, &p);
	header.size = p.size;
	header.numEntries = p.count;
	os_memcpy(p.table, &header, sizeof(header));
	status = gsp_rpc_send_async(gsp, NV_VGPU_MSG_FUNCTION_SET_REGISTRY, p.table, p.size);
	os_free(p.table);
	return status;
}
