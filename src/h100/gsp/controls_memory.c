// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands about the health of memory: ECC configuration and counts, remapped rows,
 * offlined pages.
 */
#include "h100/gsp/controls.h"

#define DRAM_UNIT \
	0 /* of the status list: its order has no open definition, only whether any unit is on */

static enum nv_status get_support(struct fw_call *call, void *params, u32 size)
{
	return call->state->profile.ecc ? NV_OK : NV_ERR_NOT_SUPPORTED;
}

static enum nv_status get_configuration(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_QUERY_ECC_CONFIGURATION_PARAMS *p = params;

	memset(p, 0, size);
	if (!call->state->profile.ecc)
		return NV_ERR_NOT_SUPPORTED;
	/* The configuration is what the next boot takes; the status list says what is in force. */
	p->currentConfiguration = call->state->ecc_pending
					  ? NV2080_CTRL_GPU_ECC_CONFIGURATION_ENABLED
					  : NV2080_CTRL_GPU_ECC_CONFIGURATION_DISABLED;
	p->defaultConfiguration = NV2080_CTRL_GPU_ECC_CONFIGURATION_ENABLED;
	return NV_OK;
}

static enum nv_status set_configuration(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_SET_ECC_CONFIGURATION_PARAMS *p = params;

	if (p->newConfiguration != NV2080_CTRL_GPU_ECC_CONFIGURATION_DISABLE &&
	    p->newConfiguration != NV2080_CTRL_GPU_ECC_CONFIGURATION_ENABLE)
		return NV_ERR_INVALID_ARGUMENT;
	return h100_state_set_ecc(call->state,
				  p->newConfiguration == NV2080_CTRL_GPU_ECC_CONFIGURATION_ENABLE);
}

static enum nv_status reset_errors(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_RESET_ECC_ERROR_STATUS_PARAMS *p = params;
	const u32 known = NV2080_CTRL_GPU_ECC_ERROR_STATUS_VOLATILE |
			  NV2080_CTRL_GPU_ECC_ERROR_STATUS_AGGREGATE;

	if (!call->state->profile.ecc)
		return NV_ERR_NOT_SUPPORTED;
	if ((p->statuses & ~known) != 0)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->statuses & NV2080_CTRL_GPU_ECC_ERROR_STATUS_VOLATILE)
		h100_state_clear_ecc(call->state, false);
	if (p->statuses & NV2080_CTRL_GPU_ECC_ERROR_STATUS_AGGREGATE)
		h100_state_clear_ecc(call->state, true);
	return NV_OK;
}

static enum nv_status get_status(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_QUERY_ECC_STATUS_PARAMS *p = params;
	const struct h100_state *state = call->state;
	NV2080_CTRL_GPU_QUERY_ECC_UNIT_STATUS *dram = &p->units[DRAM_UNIT];

	memset(p->units, 0, sizeof(p->units));
	p->bFatalPoisonError = 0;
	p->uncorrectableError = NV2080_CTRL_GPU_QUERY_ECC_STATUS_UNC_ERR_FALSE;
	if (!state->profile.ecc)
		return NV_ERR_NOT_SUPPORTED;
	dram->supported = 1;
	dram->enabled = state->ecc_enabled;
	dram->scrubComplete = state->ecc_enabled;
	dram->dbe.count = state->ecc_volatile[H100_ECC_DRAM].uncorrected;
	dram->sbe.count = state->ecc_volatile[H100_ECC_DRAM].corrected;
	dram->dbeNonResettable.count = state->ecc_aggregate[H100_ECC_DRAM].uncorrected;
	dram->sbeNonResettable.count = state->ecc_aggregate[H100_ECC_DRAM].corrected;
	if (h100_state_ecc_total(state->ecc_volatile).uncorrected != 0)
		p->uncorrectableError = NV2080_CTRL_GPU_QUERY_ECC_STATUS_UNC_ERR_TRUE;
	return NV_OK;
}

/* Everything but DRAM. */
static struct h100_ecc_counts sram_total(const struct h100_ecc_counts *units)
{
	struct h100_ecc_counts total = h100_state_ecc_total(units);

	total.corrected -= units[H100_ECC_DRAM].corrected;
	total.uncorrected -= units[H100_ECC_DRAM].uncorrected;
	return total;
}

/* L1, registers and the like: what a streaming multiprocessor holds; parity finds errors there. */
static u64 multiprocessor_uncorrected(const struct h100_ecc_counts *units)
{
	return units[H100_ECC_L1].uncorrected + units[H100_ECC_REGISTER_FILE].uncorrected +
	       units[H100_ECC_SHARED_MEMORY].uncorrected + units[H100_ECC_TEXTURE].uncorrected +
	       units[H100_ECC_CBU].uncorrected;
}

static enum nv_status get_volatile(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_ECC_GET_VOLATILE_COUNTS_PARAMS *p = params;
	const struct h100_ecc_counts *units = call->state->ecc_volatile;
	struct h100_ecc_counts sram = sram_total(units);

	memset(p, 0, size);
	if (!call->state->profile.ecc)
		return NV_ERR_NOT_SUPPORTED;
	p->sramCorUni = sram.corrected;
	p->sramUncParityUni = multiprocessor_uncorrected(units);
	p->sramUncSecDedUni = sram.uncorrected - p->sramUncParityUni;
	p->dramCorTot = units[H100_ECC_DRAM].corrected;
	p->dramUncTot = units[H100_ECC_DRAM].uncorrected;
	return NV_OK;
}

static enum nv_status get_exposed(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_ECC_GET_CLIENT_EXPOSED_COUNTERS_PARAMS *p = params;
	const struct h100_ecc_counts *units = call->state->ecc_aggregate;
	struct h100_ecc_counts sram = sram_total(units);

	memset(p, 0, size);
	if (!call->state->profile.ecc)
		return NV_ERR_NOT_SUPPORTED;
	p->sramCorrectedUnique = sram.corrected;
	p->sramBucketSM = multiprocessor_uncorrected(units);
	p->sramBucketL2 = units[H100_ECC_L2].uncorrected;
	p->sramBucketOther = units[H100_ECC_SRAM].uncorrected;
	p->sramParityUncorrectedUnique = p->sramBucketSM;
	p->sramSecDedUncorrectedUnique = sram.uncorrected - p->sramParityUncorrectedUnique;
	p->dramCorrectedTotal = units[H100_ECC_DRAM].corrected;
	p->dramUncorrectedTotal = units[H100_ECC_DRAM].uncorrected;
	return NV_OK;
}

static void put_rows(NV2080_CTRL_FB_GET_REMAPPED_ROWS_PARAMS *p, u32 rows, u8 source, u32 fbps)
{
	while (rows-- > 0 && p->entryCount < ARRAY_SIZE(p->entries)) {
		NV2080_CTRL_FB_REMAP_ENTRY *entry = &p->entries[p->entryCount];

		entry->fbpa = (u8)(p->entryCount % fbps);
		entry->source = source;
		p->entryCount++;
	}
}

static enum nv_status get_remapped_rows(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_FB_GET_REMAPPED_ROWS_PARAMS *p = params;
	const struct h100_state *state = call->state;
	u32 fbps = (u32)state->profile.fbp_count;

	memset(p, 0, size);
	put_rows(p, state->remapped_correctable, NV2080_CTRL_FB_REMAPPED_ROW_SOURCE_SBE_FIELD,
		 fbps);
	put_rows(p, state->remapped_uncorrectable, NV2080_CTRL_FB_REMAPPED_ROW_SOURCE_DBE_FIELD,
		 fbps);
	if (state->remap_pending)
		p->flags |= NV2080_CTRL_FB_GET_REMAPPED_ROWS_FLAGS_PENDING_TRUE; /* bit 0 */
	if (state->remap_failed)
		p->flags |= NV2080_CTRL_FB_GET_REMAPPED_ROWS_FLAGS_FAILURE_TRUE
			    << NV2080_CTRL_FB_GET_REMAPPED_ROWS_FLAGS_FAILURE__LO;
	return NV_OK;
}

static enum nv_status get_histogram(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_FB_GET_ROW_REMAPPER_HISTOGRAM_PARAMS *p = params;

	for (u32 i = 0; i < ARRAY_SIZE(p->histogram); i++)
		p->histogram[i] = call->state->remap_histogram[i];
	return NV_OK;
}

/* What the memory is: the same for the whole of a boot. There is no compression in the model. */
static enum nv_status get_static_configuration(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_MEMSYS_GET_STATIC_CONFIG_PARAMS *p = params;
	const struct h100_state *state = call->state;

	memset(p, 0, size);
	p->bEnabledEccFBPA = state->ecc_enabled;
	p->bFbpaPresent = true;
	p->bDisableCompbitBacking = true;
	p->bDisablePostL2Compression = true;
	p->l2CacheSize = state->profile.l2_bytes;
	p->ramType = fw_ram_type(&state->profile);
	p->ltcCount = (u32)state->profile.fbp_count * FW_LTCS_PER_FBP;
	p->ltsPerLtcCount = FW_SLICES_PER_LTC;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_MEMSYS_GET_STATIC_CONFIG,
		   NV2080_CTRL_INTERNAL_MEMSYS_GET_STATIC_CONFIG_PARAMS, get_static_configuration),
	{ NV2080_CTRL_CMD_GPU_QUERY_INFOROM_ECC_SUPPORT, 0, get_support },
	FW_CONTROL(NV2080_CTRL_CMD_GPU_QUERY_ECC_CONFIGURATION,
		   NV2080_CTRL_GPU_QUERY_ECC_CONFIGURATION_PARAMS, get_configuration),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_SET_ECC_CONFIGURATION,
		   NV2080_CTRL_GPU_SET_ECC_CONFIGURATION_PARAMS, set_configuration),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_RESET_ECC_ERROR_STATUS,
		   NV2080_CTRL_GPU_RESET_ECC_ERROR_STATUS_PARAMS, reset_errors),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_QUERY_ECC_STATUS, NV2080_CTRL_GPU_QUERY_ECC_STATUS_PARAMS,
		   get_status),
	FW_CONTROL(NV2080_CTRL_CMD_ECC_GET_VOLATILE_COUNTS,
		   NV2080_CTRL_ECC_GET_VOLATILE_COUNTS_PARAMS, get_volatile),
	FW_CONTROL(NV2080_CTRL_CMD_ECC_GET_CLIENT_EXPOSED_COUNTERS,
		   NV2080_CTRL_ECC_GET_CLIENT_EXPOSED_COUNTERS_PARAMS, get_exposed),
	FW_CONTROL(NV2080_CTRL_CMD_FB_GET_REMAPPED_ROWS, NV2080_CTRL_FB_GET_REMAPPED_ROWS_PARAMS,
		   get_remapped_rows),
	FW_CONTROL(NV2080_CTRL_CMD_FB_GET_ROW_REMAPPER_HISTOGRAM,
		   NV2080_CTRL_FB_GET_ROW_REMAPPER_HISTOGRAM_PARAMS, get_histogram),
};

FW_CONTROL_GROUP(fw_controls_memory, "memory", controls);
