// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults as a driver finds them: the entry's layout is NVC369_BUF_ENTRY's, 256 bits in 8 words.
 */
#include "h100/engine/fault.h"

#include <string.h>

#include "base/bits.h"
#include "os/os.h"

#define ENTRY_WORDS (NVC369_BUF_SIZE / 4)

/* A field of the entry; its bits are counted over all words, and it may cross from one to the next.
 */
static void field_set(u32 *entry, u32 high, u32 low, u64 value)
{
	for (u32 bit = low; bit <= high; bit++, value >>= 1) {
		if (value & 1)
			entry[bit / 32] |= BIT32(bit % 32);
	}
}

#define FIELD_SET(entry, name, value) \
	field_set(entry, NVC369_BUF_ENTRY_##name##__HI, NVC369_BUF_ENTRY_##name##__LO, (u64)(value))

void h100_fault_entry(const struct h100_fault *fault, u32 entry[NVC369_BUF_SIZE / 4])
{
	memset(entry, 0, NVC369_BUF_SIZE);
	FIELD_SET(entry, INST_APERTURE, fault->instance_aperture);
	FIELD_SET(entry, INST, fault->instance >> 12);
	FIELD_SET(entry, ADDR, fault->va >> 12);
	FIELD_SET(entry, TIMESTAMP, fault->timestamp);
	FIELD_SET(entry, ENGINE_ID, fault->engine_id);
	FIELD_SET(entry, FAULT_TYPE, fault->type);
	FIELD_SET(entry, REPLAYABLE_FAULT, fault->replayable);
	FIELD_SET(entry, REPLAYABLE_FAULT_EN, fault->replayable);
	FIELD_SET(entry, CLIENT, fault->client);
	FIELD_SET(entry, ACCESS_TYPE, fault->access);
	FIELD_SET(entry, MMU_CLIENT_TYPE,
		  fault->gpc_client ? NV_PFAULT_MMU_CLIENT_TYPE_GPC
				    : NV_PFAULT_MMU_CLIENT_TYPE_HUB);
	FIELD_SET(entry, GPC_ID, fault->gpc_client ? fault->gpc : 0);
	FIELD_SET(entry, VALID, NVC369_BUF_ENTRY_VALID_TRUE);
}

bool h100_fault_buffer_write(struct h100_fault_buffer *buffer, struct h100_memory *memory, u32 get,
			     const struct h100_fault *fault)
{
	u32 entry[ENTRY_WORDS], next;
	u64 offset, address;

	if (!buffer->pages || buffer->entries < 2)
		return false;
	next = buffer->put + 1 == buffer->entries ? 0 : buffer->put + 1;
	if (get >= buffer->entries || next == get) {
		buffer->overflow = true;
		return false;
	}
	h100_fault_entry(fault, entry);
	offset = (u64)buffer->put * NVC369_BUF_SIZE;
	address = buffer->pages[offset / OS_PAGE_SIZE] + offset % OS_PAGE_SIZE;
	/* The last word has VALID in it. */
	if (!h100_memory_write(memory, buffer->aperture, address, entry, NVC369_BUF_SIZE - 4) ||
	    !h100_memory_write(memory, buffer->aperture, address + NVC369_BUF_SIZE - 4,
			       &entry[ENTRY_WORDS - 1], 4))
		return false;
	buffer->put = next;
	return true;
}

static const char *const type_texts[] = {
	[H100_FAULT_PDE] = "FAULT_PDE",
	[H100_FAULT_PDE_SIZE] = "FAULT_PDE_SIZE",
	[H100_FAULT_PTE] = "FAULT_PTE",
	[H100_FAULT_VA_LIMIT_VIOLATION] = "FAULT_VA_LIMIT_VIOLATION",
	[H100_FAULT_UNBOUND_INST_BLOCK] = "FAULT_UNBOUND_INST_BLOCK",
	[H100_FAULT_PRIV_VIOLATION] = "FAULT_PRIV_VIOLATION",
	[H100_FAULT_RO_VIOLATION] = "FAULT_RO_VIOLATION",
	[H100_FAULT_WO_VIOLATION] = "FAULT_WO_VIOLATION",
	[H100_FAULT_PITCH_MASK_VIOLATION] = "FAULT_PITCH_MASK_VIOLATION",
	[H100_FAULT_WORK_CREATION] = "FAULT_WORK_CREATION",
	[H100_FAULT_UNSUPPORTED_APERTURE] = "FAULT_UNSUPPORTED_APERTURE",
	[H100_FAULT_COMPRESSION_FAILURE] = "FAULT_COMPRESSION_FAILURE",
	[H100_FAULT_UNSUPPORTED_KIND] = "FAULT_UNSUPPORTED_KIND",
	[H100_FAULT_REGION_VIOLATION] = "FAULT_REGION_VIOLATION",
	[H100_FAULT_POISONED] = "FAULT_POISONED",
	[H100_FAULT_ATOMIC_VIOLATION] = "FAULT_ATOMIC_VIOLATION",
};

static const char *const access_texts[] = {
	[NV_PFAULT_ACCESS_TYPE_VIRT_READ] = "ACCESS_TYPE_VIRT_READ",
	[NV_PFAULT_ACCESS_TYPE_VIRT_WRITE] = "ACCESS_TYPE_VIRT_WRITE",
	[NV_PFAULT_ACCESS_TYPE_VIRT_ATOMIC_STRONG] = "ACCESS_TYPE_VIRT_ATOMIC_STRONG",
	[NV_PFAULT_ACCESS_TYPE_VIRT_PREFETCH] = "ACCESS_TYPE_VIRT_PREFETCH",
	[NV_PFAULT_ACCESS_TYPE_VIRT_ATOMIC_WEAK] = "ACCESS_TYPE_VIRT_ATOMIC_WEAK",
	[NV_PFAULT_ACCESS_TYPE_PHYS_READ] = "ACCESS_TYPE_PHYS_READ",
	[NV_PFAULT_ACCESS_TYPE_PHYS_WRITE] = "ACCESS_TYPE_PHYS_WRITE",
	[NV_PFAULT_ACCESS_TYPE_PHYS_ATOMIC] = "ACCESS_TYPE_PHYS_ATOMIC",
	[NV_PFAULT_ACCESS_TYPE_PHYS_PREFETCH] = "ACCESS_TYPE_PHYS_PREFETCH",
};

static const char *text_of(const char *const *texts, u32 count, u32 index)
{
	return index < count && texts[index] ? texts[index] : "UNKNOWN";
}

const char *h100_fault_type_text(enum h100_fault_type type)
{
	return text_of(type_texts, ARRAY_SIZE(type_texts), type);
}

const char *h100_fault_access_text(u8 access)
{
	return text_of(access_texts, ARRAY_SIZE(access_texts), access);
}
