// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which questions of the commands that take a list of them have an answer that stays: a fact of the
 * chip, not a state of the GPU. The lists are those that the interface's own driver keeps.
 */
#include "rm/api/cache.h"

#include "abi/r535.h"

#define GPU(index) (1ull << NV2080_CTRL_GPU_INFO_INDEX_##index)
#define FIFO(index) (1ull << NV2080_CTRL_FIFO_INFO_INDEX_##index)
#define BUS(index) (1ull << NV2080_CTRL_BUS_INFO_INDEX_##index)

/* The commands begin with a count, and then have that many pairs of index and data. */
static const struct {
	u32 cmd;
	u32 max;
	u64 fixed; /* a bit for each index below 64 */
} lists[] = {
	{ NV2080_CTRL_CMD_GPU_GET_INFO_V2, 64,
	  GPU(MINOR_REVISION_EXT) | GPU(NETLIST_REV0) | GPU(NETLIST_REV1) | GPU(SYSMEM_ACCESS) |
		  GPU(GEMINI_BOARD) | GPU(SURPRISE_REMOVAL_POSSIBLE) |
		  GPU(GLOBAL_POISON_FUSE_ENABLED) | GPU(GPU_SR_SUPPORT) |
		  GPU(SPLIT_VAS_MGMT_SERVER_CLIENT_RM) | GPU(GPU_SM_VERSION) |
		  GPU(4K_PAGE_ISOLATION_REQUIRED) | GPU(DISPLAY_ENABLED) |
		  GPU(MOBILE_CONFIG_ENABLED) | GPU(GPU_PROFILING_CAPABILITY) |
		  GPU(GPU_DEBUGGING_CAPABILITY) | GPU(CMP_SKU) | GPU(DMABUF_CAPABILITY) },
	{ NV2080_CTRL_CMD_FIFO_GET_INFO, 256,
	  FIFO(INSTANCE_TOTAL) | FIFO(MAX_CHANNEL_GROUPS) | FIFO(MAX_CHANNELS_PER_GROUP) |
		  FIFO(MAX_SUBCONTEXT_PER_GROUP) | FIFO(BAR1_USERD_START_OFFSET) |
		  FIFO(DEFAULT_CHANNEL_TIMESLICE) },
	{ NV2080_CTRL_CMD_BUS_GET_INFO_V2, 52,
	  BUS(TYPE) | BUS(INTLINE) | BUS(CAPS) | BUS(PCIE_DOWNSTREAM_LINK_CAPS) |
		  BUS(COHERENT_DMA_FLAGS) | BUS(NONCOHERENT_DMA_FLAGS) | BUS(BUS_NUMBER) |
		  BUS(DEVICE_NUMBER) | BUS(DOMAIN_NUMBER) | BUS(INTERFACE_TYPE) |
		  BUS(GPU_INTERFACE_TYPE) },
};

static bool all_fixed(const u32 *words, u32 count, u64 fixed)
{
	u32 i;

	for (i = 0; i < count; i++) {
		u32 index = words[1 + 2 * i];

		if (index >= 64 || !(fixed >> index & 1))
			return false;
	}
	return true;
}

bool rm_control_cacheable_input(const struct abi_control *control, const void *params)
{
	const u32 *words = params;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i].cmd == control->cmd)
			return words[0] <= lists[i].max &&
			       all_fixed(words, words[0], lists[i].fixed);
	return true;
}
