// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Accesses through the BARs. BAR 0 is registers, the mirror of config space and a 1 MiB window on
 * video memory; PCI BAR 2 and 4 (the driver's BAR1 and BAR2) show video memory at its own
 * addresses, which is what they do before page tables are bound to them. In confidential mode they
 * show none of it: loads give all ones, and stores go nowhere.
 */
#include "h100/function/function.h"

#include "abi/gh100.h"
#include "base/bits.h"

static u64 ones(u32 width)
{
	return width >= 8 ? ~(u64)0 : ~(~(u64)0 << (8 * width));
}

static bool valid(struct h100_function *fn, u32 bar, u64 offset, u32 width)
{
	u64 size = h100_function_bar_size(fn, bar);

	return (width == 1 || width == 2 || width == 4 || width == 8) &&
	       is_aligned(offset, width) && offset < size && width <= size - offset;
}

static bool decoded(struct h100_function *fn)
{
	return h100_function_present(fn) && (os_load_relaxed(&fn->command) & 0x2) != 0;
}

u64 h100_function_bar_size(struct h100_function *fn, u32 bar)
{
	return bar % 2 == 0 && bar / 2 < 3 ? fn->identity.bar_bytes[bar / 2] : 0;
}

static u64 video_read(struct h100_function *fn, u64 address, u32 width)
{
	if (fn->identity.video_closed || address >= fn->identity.video_bytes)
		return ones(width);
	if (!fn->video)
		return fn->ops->video_read(fn->ctx, address, width);
	return h100_video_load(fn->video + address, width);
}

static void video_write(struct h100_function *fn, u64 address, u32 width, u64 value)
{
	if (fn->identity.video_closed || address >= fn->identity.video_bytes)
		return;
	if (!fn->video)
		fn->ops->video_write(fn->ctx, address, width, value);
	else
		h100_video_store(fn->video + address, width, value);
}

static bool in_window(u64 offset)
{
	return offset >= NV_PRAMIN__LO && offset <= NV_PRAMIN__HI;
}

static u64 window_address(struct h100_function *fn, u64 offset)
{
	return ((u64)h100_register_get(fn, NV_XAL_EP_BAR0_WINDOW)
		<< NV_XAL_EP_BAR0_WINDOW_BASE_SHIFT) +
	       (offset - NV_PRAMIN__LO);
}

static bool in_mirror(u64 offset)
{
	return offset >= NV_EP_PCFGM__LO && offset <= NV_EP_PCFGM__HI;
}

static u64 register_space_read(struct h100_function *fn, u64 offset, u32 width)
{
	u32 word = (u32)align_down(offset, 4);
	u64 value;

	if (in_window(offset))
		return video_read(fn, window_address(fn, offset), width);
	if (in_mirror(offset))
		value = h100_function_cfg_read(fn, word - NV_EP_PCFGM__LO, 4);
	else
		value = h100_register_read(fn, word);
	if (width == 8)
		return value | register_space_read(fn, offset + 4, 4) << 32;
	return value >> (8 * (offset - word)) & ones(width);
}

static void word_write(struct h100_function *fn, u64 offset, u32 value)
{
	if (in_window(offset))
		video_write(fn, window_address(fn, offset), 4, value);
	else if (in_mirror(offset))
		h100_function_cfg_write(fn, (u32)offset - NV_EP_PCFGM__LO, 4, value);
	else
		h100_register_write(fn, (u32)offset, value);
}

/* Registers take whole words: narrower writes are lost, as on the PRI bus. */
static void register_space_write(struct h100_function *fn, u64 offset, u32 width, u64 value)
{
	if (in_window(offset) && width != 4) {
		video_write(fn, window_address(fn, offset), width, value);
		return;
	}
	if (width < 4)
		return;
	word_write(fn, offset, (u32)value);
	if (width == 8)
		word_write(fn, offset + 4, (u32)(value >> 32));
}

u64 h100_function_bar_read(struct h100_function *fn, u32 bar, u64 offset, u32 width)
{
	if (!valid(fn, bar, offset, width) || !decoded(fn))
		return ones(width);
	return bar == 0 ? register_space_read(fn, offset, width) : video_read(fn, offset, width);
}

void h100_function_bar_write(struct h100_function *fn, u32 bar, u64 offset, u32 width, u64 value)
{
	/* What most accesses are: a word of BAR 0, whose size is that of every function. */
	if (bar == 0 && width == 4 && offset < H100_BAR0_BYTES && is_aligned(offset, 4)) {
		if (decoded(fn))
			word_write(fn, offset, (u32)value);
		return;
	}
	if (!valid(fn, bar, offset, width) || !decoded(fn))
		return;
	if (bar == 0)
		register_space_write(fn, offset, width, value);
	else
		video_write(fn, offset, width, value);
}
