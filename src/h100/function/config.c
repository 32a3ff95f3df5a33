// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Config space: the type 0 header and the capabilities of an H100, each byte with the bits that
 * software may write and those that writing 1 clears. Offsets of capabilities are
 * NV_EP_PCFG_GPU_*'s.
 *
 *   0x40 PM -> 0x48 MSI -> 0x60 PCI Express -> 0x9c vendor specific -> 0xb0 MSI-X
 *   0x100 device serial number -> 0x1b8 AER -> 0xf00 what marks the software GPU
 */
#include "h100/function/function.h"

#include "abi/gh100.h"
#include "base/bits.h"

enum {
	PCI_STATUS_CAPABILITIES = 0x10,
	PCI_CAPABILITY_PM = 0x01,
	PCI_CAPABILITY_MSI = 0x05,
	PCI_CAPABILITY_VENDOR = 0x09,
	PCI_CAPABILITY_EXPRESS = 0x10,
	PCI_CAPABILITY_MSIX = 0x11,
	PCI_EXTENDED_AER = 0x0001,
	PCI_EXTENDED_SERIAL = 0x0003,
	PCI_EXTENDED_VENDOR = 0x000b,
};

enum {
	CFG_COMMAND = NV_EP_PCFG_GPU_CTRL_CMD_AND_STATUS,
	CFG_BAR0 = NV_EP_PCFG_GPU_BARREG0,
	CFG_SUBSYSTEM = NV_EP_PCFG_GPU_SUBSYSTEM_ID,
	CFG_CAPABILITIES = 0x34,
	CFG_INTERRUPT = 0x3c,
	CFG_PM = 0x40,
	CFG_MSI = NV_EP_PCFG_GPU_MSI_64_HEADER,
	CFG_EXPRESS = 0x60,
	CFG_VENDOR = 0x9c,
	CFG_MSIX = NV_EP_PCFG_GPU_MSIX_CAP_HEADER,
	CFG_SERIAL = 0x100,
	CFG_AER = 0x1b8,
	CFG_AUDIO =
		0x488, /* no public name: bit 25 says that the audio function needs no enabling */
};

#define CFG_AUDIO_DONE (1u << 25)

#define COMMAND_MEMORY 0x0002u
#define COMMAND_BUS_MASTER 0x0004u
#define COMMAND_INTX_DISABLE 0x0400u
#define STATUS_INTX 0x0008u
#define COMMAND_WRITABLE 0x0546u /* memory, bus master, parity, SERR#, INTx disable */
#define CFG_LINK_STATUS (NV_EP_PCFG_GPU_LINK_CONTROL_STATUS + 2)
#define LINK_STATUS_TRAINED 0x03ffu /* speed 3:0, width 9:4 */
#define BAR_64BIT_PREFETCHABLE 0xcu
#define PM_RESET_STATE 0x0008u /* no soft reset: D3hot keeps the context */
#define EXPRESS_CAP_FLR (1u << 28)
#define DEVICE_CONTROL_FLR (1u << 15)
#define MSI_ENABLE (1u << 0)
#define MSIX_MASK_ALL (1u << 14)
#define MSIX_ENABLE (1u << 15)

static u32 cfg_get(const struct h100_function *fn, u32 offset, u32 width)
{
	u32 i, value = 0;

	for (i = 0; i < width; i++)
		value |= (u32)fn->cfg[offset + i] << (8 * i);
	return value;
}

static void put(u8 *bytes, u32 offset, u32 width, u32 value)
{
	u32 i;

	for (i = 0; i < width; i++)
		bytes[offset + i] = (u8)(value >> (8 * i));
}

/* A 32-bit word of config space: reset value, writable bits, bits cleared by writing 1. */
static void word(struct h100_function *fn, u32 offset, u32 value, u32 writable, u32 clearable)
{
	put(fn->cfg, offset, 4, value);
	put(fn->cfg_writable, offset, 4, writable);
	put(fn->cfg_clearable, offset, 4, clearable);
}

static void reset_header(struct h100_function *fn)
{
	const struct h100_function_identity *id = &fn->identity;
	u32 i;

	word(fn, NV_EP_PCFG_GPU_ID, id->vendor_id | (u32)id->device_id << 16, 0, 0);
	word(fn, CFG_COMMAND, PCI_STATUS_CAPABILITIES << 16, COMMAND_WRITABLE, 0xf9000000u);
	word(fn, NV_EP_PCFG_GPU_REVISION_ID_AND_CLASSCODE, id->revision | 0x030200u << 8, 0, 0);
	word(fn, 0x0c, 0, 0xff, 0); /* cache line size */
	for (i = 0; i < ARRAY_SIZE(id->bar_bytes); i++) {
		u64 mask = ~(id->bar_bytes[i] - 1);

		word(fn, CFG_BAR0 + 8 * i, BAR_64BIT_PREFETCHABLE, bits_low32(mask) & ~0xfu, 0);
		word(fn, CFG_BAR0 + 8 * i + 4, 0, bits_high32(mask), 0);
	}
	word(fn, CFG_SUBSYSTEM, id->subsystem_vendor_id | (u32)id->subsystem_id << 16, 0, 0);
	word(fn, CFG_CAPABILITIES, CFG_PM, 0, 0);
	word(fn, CFG_INTERRUPT, 0x0100, 0xff, 0); /* INTA# */
}

static void reset_express(struct h100_function *fn)
{
	const struct h100_function_identity *id = &fn->identity;
	u32 link = id->link_generation | (u32)id->link_width << 4;

	word(fn, CFG_EXPRESS, PCI_CAPABILITY_EXPRESS | CFG_VENDOR << 8 | 0x0002u << 16, 0, 0);
	/* 256-byte payload, extended tags, role-based errors, function-level reset */
	word(fn, NV_EP_PCFG_GPU_DEVICE_CAPABILITIES, 0x1u | 0x20u | 0x8000u | EXPRESS_CAP_FLR, 0,
	     0);
	word(fn, NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS, 0x2910, 0x7fff, 0x000f0000u);
	word(fn, NV_EP_PCFG_GPU_LINK_CAPABILITIES, link | 0x3u << 10 | 0x40u << 16, 0, 0);
	word(fn, NV_EP_PCFG_GPU_LINK_CONTROL_STATUS, (link | 0x1000u) << 16, 0x01c3, 0);
	word(fn, 0x84, 0x00010013, 0, 0); /* completion timeouts, atomics routing off, LTR */
	word(fn, NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS_2, 0, 0x045f, 0);
	word(fn, 0x8c, (u32)(BIT32(id->link_generation) - 1) << 1, 0, 0); /* supported speeds */
	word(fn, 0x90, id->link_generation, 0xf, 0);
}

static void reset_extended(struct h100_function *fn)
{
	word(fn, CFG_SERIAL, PCI_EXTENDED_SERIAL | 1u << 16 | (u32)CFG_AER << 20, 0, 0);
	word(fn, CFG_SERIAL + 4, fn->identity.index, 0, 0);
	word(fn, CFG_SERIAL + 8, 0x48bc02u, 0, 0); /* an NVIDIA company id */

	word(fn, CFG_AER, PCI_EXTENDED_AER | 2u << 16 | (u32)LH_VSEC_OFFSET << 20, 0, 0);
	word(fn, NV_EP_PCFG_GPU_UNCORRECTABLE_ERROR_STATUS, 0, 0, 0x01ff5030u);
	word(fn, CFG_AER + 8, 0x00400000u, 0x01ff5030u, 0);
	word(fn, CFG_AER + 12, 0x00462030u, 0x01ff5030u, 0);
	word(fn, NV_EP_PCFG_GPU_CORRECTABLE_ERROR_STATUS, 0, 0, 0x0000f1c1u);
	word(fn, CFG_AER + 20, 0x00002000u, 0x0000f1c1u, 0);
	word(fn, CFG_AER + 24, 0x000000a0u, 0x00000140u, 0);

	word(fn, CFG_AUDIO, CFG_AUDIO_DONE, 0, 0);

	word(fn, LH_VSEC_OFFSET, PCI_EXTENDED_VENDOR | 1u << 16, 0, 0);
	word(fn, LH_VSEC_OFFSET + 4, LH_VSEC_ID | LH_VSEC_REVISION << 16 | LH_VSEC_LENGTH << 20, 0,
	     0);
	word(fn, LH_VSEC_OFFSET + 8, LH_VSEC_MAGIC_0, 0, 0);
	word(fn, LH_VSEC_OFFSET + 12, LH_VSEC_MAGIC_1, 0, 0);
	word(fn, LH_VSEC_OFFSET + 16, LH_VSEC_MODEL_REVISION, 0, 0);
	word(fn, LH_VSEC_OFFSET + 20, fn->identity.index, 0, 0);
}

/* Link Status as the link is now: its chip may have trained it to less than it can. */
static void refresh_link(struct h100_function *fn)
{
	u32 trained = h100_register_get(fn, LH_LINK_TRAINED) & LINK_STATUS_TRAINED;
	u32 status = cfg_get(fn, CFG_LINK_STATUS, 2) & ~LINK_STATUS_TRAINED;

	if (trained == 0)
		trained = fn->identity.link_generation | (u32)fn->identity.link_width << 4;
	put(fn->cfg, CFG_LINK_STATUS, 2, status | trained);
}

static bool touches(u32 offset, u32 width, u32 first, u32 bytes)
{
	return offset < first + bytes && first < offset + width;
}

/* Config space to its reset values; cfg_lock held or nobody else about. */
void h100_config_reset(struct h100_function *fn)
{
	os_memset(fn->cfg, 0, sizeof(fn->cfg));
	os_memset(fn->cfg_writable, 0, sizeof(fn->cfg_writable));
	os_memset(fn->cfg_clearable, 0, sizeof(fn->cfg_clearable));
	reset_header(fn);
	word(fn, CFG_PM, PCI_CAPABILITY_PM | CFG_MSI << 8 | 0x0003u << 16, 0, 0);
	word(fn, CFG_PM + 4, PM_RESET_STATE, 0x0003, 0);
	/* 64-bit, per-vector masking not offered, one message */
	word(fn, CFG_MSI, PCI_CAPABILITY_MSI | CFG_EXPRESS << 8 | 0x0080u << 16, MSI_ENABLE << 16,
	     0);
	word(fn, CFG_MSI + 4, 0, ~3u, 0);
	word(fn, CFG_MSI + 8, 0, ~0u, 0);
	word(fn, CFG_MSI + 12, 0, 0xffff, 0);
	reset_express(fn);
	word(fn, CFG_VENDOR, PCI_CAPABILITY_VENDOR | CFG_MSIX << 8 | 0x14u << 16, 0, 0);
	word(fn, CFG_MSIX, PCI_CAPABILITY_MSIX | (LH_MSIX_VECTORS - 1u) << 16,
	     (MSIX_ENABLE | MSIX_MASK_ALL) << 16, 0);
	word(fn, CFG_MSIX + 4, LH_MSIX_TABLE, 0, 0); /* in BAR 0 */
	word(fn, CFG_MSIX + 8, LH_MSIX_PBA, 0, 0);
	reset_extended(fn);
	os_store_relaxed(&fn->command, 0);
}

bool h100_function_bus_master(struct h100_function *fn)
{
	return h100_function_present(fn) &&
	       (os_load_relaxed(&fn->command) & COMMAND_BUS_MASTER) != 0;
}

bool h100_function_intx(struct h100_function *fn)
{
	return h100_function_present(fn) && os_load_relaxed(&fn->intx) != 0 &&
	       (os_load_relaxed(&fn->command) & COMMAND_INTX_DISABLE) == 0;
}

u32 h100_function_cfg_read(struct h100_function *fn, u32 offset, u32 width)
{
	u32 value;

	if (!h100_function_present(fn) || (width != 1 && width != 2 && width != 4) ||
	    !is_aligned(offset, width) || offset > H100_CFG_BYTES - width)
		return ~0u >> (width < 4 && width > 0 ? 32 - 8 * width : 0);
	os_spinlock_lock(&fn->cfg_lock);
	put(fn->cfg, CFG_COMMAND + 2, 1,
	    PCI_STATUS_CAPABILITIES | (os_load_relaxed(&fn->intx) != 0 ? STATUS_INTX : 0));
	if (touches(offset, width, CFG_LINK_STATUS, 2))
		refresh_link(fn);
	value = cfg_get(fn, offset, width);
	os_spinlock_unlock(&fn->cfg_lock);
	return value;
}

void h100_function_cfg_write(struct h100_function *fn, u32 offset, u32 width, u32 value)
{
	u32 i, msi, msix, msi_data, command;
	u64 msi_address;
	bool reset;

	if (!h100_function_present(fn) || (width != 1 && width != 2 && width != 4) ||
	    !is_aligned(offset, width) || offset > H100_CFG_BYTES - width)
		return;
	os_spinlock_lock(&fn->cfg_lock);
	for (i = 0; i < width; i++) {
		u8 new = (u8)(value >> (8 * i));
		u8 writable = fn->cfg_writable[offset + i];

		fn->cfg[offset + i] = (fn->cfg[offset + i] & ~writable) | (new &writable);
		fn->cfg[offset + i] &= ~(new & fn->cfg_clearable[offset + i]);
	}
	/* The bit that starts a function-level reset reads as zero, so it is looked for in what was
	 * written. */
	reset = touches(offset, width, NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS, 2) &&
		((u64)value << (8 * (offset - NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS)) &
		 DEVICE_CONTROL_FLR) != 0;
	command = os_exchange(&fn->command, cfg_get(fn, CFG_COMMAND, 2));
	msi = cfg_get(fn, CFG_MSI + 2, 2);
	msi_address = cfg_get(fn, CFG_MSI + 4, 4) | (u64)cfg_get(fn, CFG_MSI + 8, 4) << 32;
	msi_data = cfg_get(fn, CFG_MSI + 12, 2);
	msix = cfg_get(fn, CFG_MSIX + 2, 2);
	os_spinlock_unlock(&fn->cfg_lock);

	if (reset) {
		h100_function_reset(fn);
		return;
	}
	if (touches(offset, width, CFG_MSI, 16) || touches(offset, width, CFG_MSIX, 4))
		h100_intr_configure(fn, (msix & MSIX_ENABLE) != 0, (msix & MSIX_MASK_ALL) != 0,
				    (msi & MSI_ENABLE) != 0, msi_address, msi_data);
	if ((command & COMMAND_INTX_DISABLE) != 0 && fn->ops->intx && h100_function_intx(fn))
		fn->ops->intx(fn->ctx);
}
