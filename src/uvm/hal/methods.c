// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Methods of channels and copy engines: classes C46F and C5B5 (Turing), C56F, C6B5 and C7B5
 * (Ampere), C86F and C8B5 (Hopper). Their methods have the same numbers in all of them, so the
 * names are Hopper's. What differs:
 *
 *              addresses in methods   TLB invalidation   every launch of a copy
 *   Turing     40 bits, copies 49     of all TLBs        -
 *   Ampere     likewise               not of links'      C7B5: no compression after L2
 *   Hopper     57 bits                likewise           likewise; some encrypt or decrypt
 *
 *   header    31:29 1 (incrementing)   28:16 words   15:13 subchannel   11:0 method / 4
 */
#include "uvm/hal/hal.h"

#include "abi/gh100.h"
#include "base/bits.h"

#define COPIES NVA06F_SUBCHANNEL_COPY_ENGINE
#define HOST 0u /* methods below 0x100 are the host's on every subchannel */

void uvm_method(struct uvm_methods *m, u32 subchannel, u32 method, u32 count)
{
	uvm_method_data(m, (u32)(REG_PREP(NV906F_DMA_INCR_OPCODE, NV906F_DMA_INCR_OPCODE_VALUE) |
				 REG_PREP(NV906F_DMA_INCR_COUNT, count) |
				 REG_PREP(NV906F_DMA_INCR_SUBCHANNEL, subchannel) |
				 REG_PREP(NV906F_DMA_INCR_ADDRESS, method / sizeof(u32))));
}

void uvm_method_data(struct uvm_methods *m, u32 word)
{
	OS_BUG_ON(m->count == m->limit);
	m->words[m->count++] = word;
}

static u32 upper(u64 address, u32 bits)
{
	OS_BUG_ON(address >> bits);
	return bits_high32(address);
}

/* -- Channels ---------------------------------------------------------------------------------- */

static void host_semaphore(const struct uvm_host_hal *hal, struct uvm_methods *m, u64 va,
			   u32 payload, u32 execute)
{
	uvm_method(m, HOST, NVC86F_SEM_ADDR_LO, 5);
	uvm_method_data(m, bits_low32(va));
	uvm_method_data(m, upper(va, hal->va_bits));
	uvm_method_data(m, payload);
	uvm_method_data(m, 0);
	uvm_method_data(m, execute);
}

static void host_semaphore_release(const struct uvm_host_hal *hal, struct uvm_methods *m, u64 va,
				   u32 payload)
{
	host_semaphore(
		hal, m, va, payload,
		(u32)(REG_PREP(NVC86F_SEM_EXECUTE_OPERATION, NVC86F_SEM_EXECUTE_OPERATION_RELEASE) |
		      REG_PREP(NVC86F_SEM_EXECUTE_RELEASE_WFI, NVC86F_SEM_EXECUTE_RELEASE_WFI_EN) |
		      REG_PREP(NVC86F_SEM_EXECUTE_PAYLOAD_SIZE,
			       NVC86F_SEM_EXECUTE_PAYLOAD_SIZE_32BIT)));
}

static void host_semaphore_acquire(const struct uvm_host_hal *hal, struct uvm_methods *m, u64 va,
				   u32 payload)
{
	host_semaphore(hal, m, va, payload,
		       (u32)(REG_PREP(NVC86F_SEM_EXECUTE_OPERATION,
				      NVC86F_SEM_EXECUTE_OPERATION_ACQ_CIRC_GEQ) |
			     REG_PREP(NVC86F_SEM_EXECUTE_ACQUIRE_SWITCH_TSG,
				      NVC86F_SEM_EXECUTE_ACQUIRE_SWITCH_TSG_EN) |
			     REG_PREP(NVC86F_SEM_EXECUTE_PAYLOAD_SIZE,
				      NVC86F_SEM_EXECUTE_PAYLOAD_SIZE_32BIT)));
}

static void mem_op(struct uvm_methods *m, u32 a, u32 b, u32 c, u32 d)
{
	uvm_method(m, HOST, NVC86F_MEM_OP_A, 4);
	uvm_method_data(m, a);
	uvm_method_data(m, b);
	uvm_method_data(m, c);
	uvm_method_data(m, d);
}

static void host_membar(const struct uvm_host_hal *hal, struct uvm_methods *m, enum uvm_membar kind)
{
	if (kind == UVM_MEMBAR_NONE)
		return;
	mem_op(m, 0, 0,
	       (u32)REG_PREP(NVC86F_MEM_OP_C_MEMBAR_TYPE,
			     kind == UVM_MEMBAR_SYS ? NVC86F_MEM_OP_C_MEMBAR_TYPE_SYS_MEMBAR
						    : NVC86F_MEM_OP_C_MEMBAR_TYPE_MEMBAR),
	       (u32)REG_PREP(NVC86F_MEM_OP_D_OPERATION, NVC86F_MEM_OP_D_OPERATION_MEMBAR));
}

static void host_tlb_invalidate(const struct uvm_host_hal *hal, struct uvm_methods *m,
				enum rm_uvm_aperture aperture, u64 directory,
				enum uvm_membar membar)
{
	bool system = membar == UVM_MEMBAR_SYS;
	u32 ack = membar == UVM_MEMBAR_NONE ? NVC86F_MEM_OP_C_TLB_INVALIDATE_ACK_TYPE_NONE
					    : NVC86F_MEM_OP_C_TLB_INVALIDATE_ACK_TYPE_GLOBALLY;

	mem_op(m,
	       (u32)(REG_PREP(NVC86F_MEM_OP_A_TLB_INVALIDATE_SYSMEMBAR, system) |
		     REG_PREP(NVC86F_MEM_OP_A_TLB_INVALIDATE_INVAL_SCOPE, hal->tlb_scope - 1)),
	       0,
	       (u32)(REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB,
			      NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB_ONE) |
		     REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_GPC,
			      NVC86F_MEM_OP_C_TLB_INVALIDATE_GPC_ENABLE) |
		     REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_ACK_TYPE, ack) |
		     REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_PAGE_TABLE_LEVEL,
			      NVC86F_MEM_OP_C_TLB_INVALIDATE_PAGE_TABLE_LEVEL_ALL) |
		     REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB_APERTURE, aperture) |
		     REG_PREP(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB_ADDR_LO,
			      bits_low32(directory) / KIB(4))),
	       (u32)(REG_PREP(NVC86F_MEM_OP_D_OPERATION,
			      NVC86F_MEM_OP_D_OPERATION_MMU_TLB_INVALIDATE) |
		     REG_PREP(NVC86F_MEM_OP_D_TLB_INVALIDATE_PDB_ADDR_HI, bits_high32(directory))));
	if (membar == UVM_MEMBAR_GPU)
		host_membar(hal, m, membar);
}

static u64 gp_entry(const struct uvm_host_hal *hal, u64 va, u32 bytes)
{
	/* Within 40 bits, whatever the generation: no entry with an extended base goes before it.
	 */
	u64 low = REG_PREP(NVC86F_GP_ENTRY0_GET, bits_low32(va) / sizeof(u32));
	u64 high = REG_PREP(NVC86F_GP_ENTRY1_GET_HI, upper(va, 40)) |
		   REG_PREP(NVC86F_GP_ENTRY1_LENGTH, bytes / sizeof(u32));

	return high << 32 | low;
}

static void host_end(const struct uvm_host_hal *hal, struct uvm_methods *m)
{
	uvm_method_data(m, (u32)REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_END_PB_SEGMENT));
}

const struct uvm_host_hal uvm_host_turing = {
	.class_id = TURING_CHANNEL_GPFIFO_A,
	.va_bits = 40,
	.tlb_scope = 1 + NVC86F_MEM_OP_A_TLB_INVALIDATE_INVAL_SCOPE_ALL_TLBS,
	.semaphore_release = host_semaphore_release,
	.semaphore_acquire = host_semaphore_acquire,
	.membar = host_membar,
	.tlb_invalidate = host_tlb_invalidate,
	.gp_entry = gp_entry,
	.end = host_end,
};

const struct uvm_host_hal uvm_host_ampere = {
	.class_id = AMPERE_CHANNEL_GPFIFO_A,
	.parent = &uvm_host_turing,
	.tlb_scope = 1 + NVC86F_MEM_OP_A_TLB_INVALIDATE_INVAL_SCOPE_NON_LINK_TLBS,
};

const struct uvm_host_hal uvm_host_hopper = {
	.class_id = HOPPER_CHANNEL_GPFIFO_A,
	.parent = &uvm_host_ampere,
	.va_bits = 57,
};

/* -- Copy engines ------------------------------------------------------------------------------ */

static void ce_bind(const struct uvm_ce_hal *hal, struct uvm_methods *m)
{
	uvm_method(m, COPIES, NVC86F_SET_OBJECT, 1);
	uvm_method_data(m, (u32)REG_PREP(NVC86F_SET_OBJECT_NVCLASS, hal->class_id));
}

static u32 target_of(const struct uvm_place *place)
{
	switch (place->aperture) {
	case RM_UVM_VIDEO:
		return NVC8B5_SET_SRC_PHYS_MODE_TARGET_LOCAL_FB;
	case RM_UVM_SYSTEM_NONCOHERENT:
		return NVC8B5_SET_SRC_PHYS_MODE_TARGET_NONCOHERENT_SYSMEM;
	default:
		return NVC8B5_SET_SRC_PHYS_MODE_TARGET_COHERENT_SYSMEM;
	}
}

static void offset(const struct uvm_ce_hal *hal, struct uvm_methods *m, u32 method, u64 address)
{
	uvm_method(m, COPIES, method, 2);
	uvm_method_data(m, upper(address, hal->va_bits));
	uvm_method_data(m, bits_low32(address));
}

static u32 launch_bits(const struct uvm_ce_hal *hal)
{
	return hal->launch == ~0u ? 0 : hal->launch;
}

static void launch(const struct uvm_ce_hal *hal, struct uvm_methods *m, u32 bits,
		   enum uvm_order order)
{
	u32 transfer = order == UVM_ORDER_PIPELINED
			       ? NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE_PIPELINED
			       : NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE_NON_PIPELINED;

	uvm_method(m, COPIES, NVC8B5_LAUNCH_DMA, 1);
	uvm_method_data(m, bits | launch_bits(hal) |
				   (u32)(REG_PREP(NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE, transfer) |
					 REG_PREP(NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT,
						  NVC8B5_LAUNCH_DMA_SRC_MEMORY_LAYOUT_PITCH) |
					 REG_PREP(NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT,
						  NVC8B5_LAUNCH_DMA_DST_MEMORY_LAYOUT_PITCH)));
}

static void ce_copy(const struct uvm_ce_hal *hal, struct uvm_methods *m, const struct uvm_place *to,
		    const struct uvm_place *from, u32 bytes, enum uvm_order order)
{
	uvm_method(m, COPIES, NVC8B5_SET_SRC_PHYS_MODE, 2);
	uvm_method_data(m, (u32)REG_PREP(NVC8B5_SET_SRC_PHYS_MODE_TARGET, target_of(from)));
	uvm_method_data(m, (u32)REG_PREP(NVC8B5_SET_DST_PHYS_MODE_TARGET, target_of(to)));
	offset(hal, m, NVC8B5_OFFSET_IN_UPPER, from->address);
	offset(hal, m, NVC8B5_OFFSET_OUT_UPPER, to->address);
	uvm_method(m, COPIES, NVC8B5_LINE_LENGTH_IN, 1);
	uvm_method_data(m, bytes);
	launch(hal, m,
	       (u32)(REG_PREP(NVC8B5_LAUNCH_DMA_SRC_TYPE, NVC8B5_LAUNCH_DMA_SRC_TYPE_PHYSICAL) |
		     REG_PREP(NVC8B5_LAUNCH_DMA_DST_TYPE, NVC8B5_LAUNCH_DMA_DST_TYPE_PHYSICAL)),
	       order);
}

/* A copy whose components come from a constant: elements of four bytes. */
static void ce_fill(const struct uvm_ce_hal *hal, struct uvm_methods *m, const struct uvm_place *to,
		    u32 value, u32 words, enum uvm_order order)
{
	uvm_method(m, COPIES, NVC8B5_SET_DST_PHYS_MODE, 1);
	uvm_method_data(m, (u32)REG_PREP(NVC8B5_SET_DST_PHYS_MODE_TARGET, target_of(to)));
	uvm_method(m, COPIES, NVC8B5_SET_REMAP_CONST_A, 1);
	uvm_method_data(m, value);
	uvm_method(m, COPIES, NVC8B5_SET_REMAP_COMPONENTS, 1);
	uvm_method_data(m, (u32)(REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_DST_X,
					  NVC8B5_SET_REMAP_COMPONENTS_DST_X_CONST_A) |
				 REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_COMPONENT_SIZE,
					  NVC8B5_SET_REMAP_COMPONENTS_COMPONENT_SIZE_FOUR) |
				 REG_PREP(NVC8B5_SET_REMAP_COMPONENTS_NUM_DST_COMPONENTS,
					  NVC8B5_SET_REMAP_COMPONENTS_NUM_DST_COMPONENTS_ONE)));
	offset(hal, m, NVC8B5_OFFSET_OUT_UPPER, to->address);
	uvm_method(m, COPIES, NVC8B5_LINE_LENGTH_IN, 1);
	uvm_method_data(m, words);
	launch(hal, m,
	       (u32)(REG_PREP(NVC8B5_LAUNCH_DMA_REMAP_ENABLE, NVC8B5_LAUNCH_DMA_REMAP_ENABLE_TRUE) |
		     REG_PREP(NVC8B5_LAUNCH_DMA_DST_TYPE, NVC8B5_LAUNCH_DMA_DST_TYPE_PHYSICAL)),
	       order);
}

static void ce_semaphore_release(const struct uvm_ce_hal *hal, struct uvm_methods *m, u64 va,
				 u32 payload, enum uvm_membar membar)
{
	const u32 semaphore = NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE_RELEASE_ONE_WORD_SEMAPHORE;
	const u32 flush = membar == UVM_MEMBAR_GPU ? NVC8B5_LAUNCH_DMA_FLUSH_TYPE_GL
						   : NVC8B5_LAUNCH_DMA_FLUSH_TYPE_SYS;

	uvm_method(m, COPIES, NVC8B5_SET_SEMAPHORE_A, 3);
	uvm_method_data(m, upper(va, hal->va_bits));
	uvm_method_data(m, bits_low32(va));
	uvm_method_data(m, payload);
	uvm_method(m, COPIES, NVC8B5_LAUNCH_DMA, 1);
	uvm_method_data(m, launch_bits(hal) |
				   (u32)(REG_PREP(NVC8B5_LAUNCH_DMA_FLUSH_ENABLE,
						  membar != UVM_MEMBAR_NONE) |
					 REG_PREP(NVC8B5_LAUNCH_DMA_FLUSH_TYPE, flush) |
					 REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE, semaphore)));
}

/* -- Encryption -------------------------------------------------------------------------------- */

static enum nv_status ce_no_secrets(const struct uvm_ce_hal *hal, struct uvm_methods *m,
				    const struct uvm_secret *secret, enum uvm_order order)
{
	return NV_ERR_NOT_SUPPORTED;
}

/* At a segment, or within one. */
static bool place_holds(u64 address, u32 bytes)
{
	return is_aligned(address, UVM_SECRET_SEGMENT) ||
	       address % UVM_SECRET_SEGMENT + bytes <= UVM_SECRET_SEGMENT;
}

static bool secret_is_good(const struct uvm_secret *s, bool encrypt)
{
	return s->bytes && s->bytes <= CSL_MESSAGE_MAX && is_aligned(s->bytes, UVM_SECRET_UNIT) &&
	       s->plain.aperture == RM_UVM_VIDEO && place_holds(s->plain.address, s->bytes) &&
	       place_holds(s->cipher, s->bytes) && is_aligned(s->tag, UVM_SECRET_SIDE_ALIGN) &&
	       (!encrypt || is_aligned(s->iv, UVM_SECRET_SIDE_ALIGN));
}

static void secret_mode(struct uvm_methods *m, u32 mode)
{
	uvm_method(m, COPIES, NVC8B5_SET_SECURE_COPY_MODE, 1);
	uvm_method_data(m, (u32)REG_PREP(NVC8B5_SET_SECURE_COPY_MODE_MODE, mode));
}

/* The rest of either: the plain side by its physical address, the other by its virtual one. */
static void secret_launch(const struct uvm_ce_hal *hal, struct uvm_methods *m,
			  const struct uvm_secret *s, bool encrypt, enum uvm_order order)
{
	u32 target = target_of(&s->plain), bits;

	if (encrypt) {
		uvm_method(m, COPIES, NVC8B5_SET_SRC_PHYS_MODE, 1);
		uvm_method_data(m, (u32)REG_PREP(NVC8B5_SET_SRC_PHYS_MODE_TARGET, target));
		bits = (u32)REG_PREP(NVC8B5_LAUNCH_DMA_SRC_TYPE,
				     NVC8B5_LAUNCH_DMA_SRC_TYPE_PHYSICAL);
	} else {
		uvm_method(m, COPIES, NVC8B5_SET_DST_PHYS_MODE, 1);
		uvm_method_data(m, (u32)REG_PREP(NVC8B5_SET_DST_PHYS_MODE_TARGET, target));
		bits = (u32)REG_PREP(NVC8B5_LAUNCH_DMA_DST_TYPE,
				     NVC8B5_LAUNCH_DMA_DST_TYPE_PHYSICAL);
	}
	offset(hal, m, NVC8B5_OFFSET_IN_UPPER, encrypt ? s->plain.address : s->cipher);
	offset(hal, m, NVC8B5_OFFSET_OUT_UPPER, encrypt ? s->cipher : s->plain.address);
	uvm_method(m, COPIES, NVC8B5_LINE_LENGTH_IN, 1);
	uvm_method_data(m, s->bytes);
	launch(hal, m,
	       bits | (u32)REG_PREP(NVC8B5_LAUNCH_DMA_COPY_TYPE,
				    NVC8B5_LAUNCH_DMA_COPY_TYPE_SECURE),
	       order);
}

static enum nv_status ce_encrypt(const struct uvm_ce_hal *hal, struct uvm_methods *m,
				 const struct uvm_secret *s, enum uvm_order order)
{
	if (!secret_is_good(s, true))
		return NV_ERR_INVALID_ARGUMENT;
	secret_mode(m, NVC8B5_SET_SECURE_COPY_MODE_MODE_ENCRYPT);
	offset(hal, m, NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_UPPER, s->tag);
	offset(hal, m, NVC8B5_SET_ENCRYPT_IV_ADDR_UPPER, s->iv);
	secret_launch(hal, m, s, true, order);
	return NV_OK;
}

static enum nv_status ce_decrypt(const struct uvm_ce_hal *hal, struct uvm_methods *m,
				 const struct uvm_secret *s, enum uvm_order order)
{
	if (!secret_is_good(s, false))
		return NV_ERR_INVALID_ARGUMENT;
	secret_mode(m, NVC8B5_SET_SECURE_COPY_MODE_MODE_DECRYPT);
	offset(hal, m, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_UPPER, s->tag);
	secret_launch(hal, m, s, false, order);
	return NV_OK;
}

const struct uvm_ce_hal uvm_ce_turing = {
	.class_id = TURING_DMA_COPY_A,
	.va_bits = 49,
	.launch = ~0u,
	.bind = ce_bind,
	.copy = ce_copy,
	.fill = ce_fill,
	.semaphore_release = ce_semaphore_release,
	.encrypt = ce_no_secrets,
	.decrypt = ce_no_secrets,
};

const struct uvm_ce_hal uvm_ce_ampere_a = {
	.class_id = AMPERE_DMA_COPY_A,
	.parent = &uvm_ce_turing,
};

const struct uvm_ce_hal uvm_ce_ampere_b = {
	.class_id = AMPERE_DMA_COPY_B,
	.parent = &uvm_ce_ampere_a,
	.launch =
		(u32)(REG_PREP(NVC8B5_LAUNCH_DMA_DISABLE_PLC, NVC8B5_LAUNCH_DMA_DISABLE_PLC_TRUE)),
};

const struct uvm_ce_hal uvm_ce_hopper = {
	.class_id = HOPPER_DMA_COPY_A,
	.parent = &uvm_ce_ampere_b,
	.va_bits = 57,
	.encrypt = ce_encrypt,
	.decrypt = ce_decrypt,
};
