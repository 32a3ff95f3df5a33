// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Engines by kind, as many as the profile says. Runlists and vectors are counted through.
 */
#include "h100/engine/engines.h"

#include <stdio.h>

#include "abi/gh100.h"
#include "abi/r535.h"

struct kind {
	const char *name;
	u32 type, interrupt_index, limit;
};

static void add(struct h100_engines *engines, const struct kind *kind, u64 count)
{
	u32 i;

	for (i = 0; i < count && i < kind->limit && engines->count < H100_ENGINES_MAX; i++) {
		struct h100_engine_info *info = &engines->info[engines->count];
		bool shares =
			kind->type == NV2080_ENGINE_TYPE_COPY0 && i < H100_GRAPHICS_COPY_ENGINES;

		info->type = kind->type + i;
		info->runlist = shares ? 0 : engines->runlists++;
		info->nonstall_vector = LH_INTR_VECTOR_NONSTALL + engines->count;
		info->interrupt_index = kind->interrupt_index + i;
		snprintf(info->name, sizeof(info->name), "%s%u", kind->name, i);
		engines->count++;
	}
}

void h100_engines_init(struct h100_engines *engines, const struct h100_profile *profile)
{
	static const struct kind graphics = { "gr", NV2080_ENGINE_TYPE_GR0, MC_ENGINE_IDX_GR0, 1 };
	static const struct kind copy = { "ce", NV2080_ENGINE_TYPE_COPY0, MC_ENGINE_IDX_CE0,
					  NV2080_ENGINE_TYPE_COPY_SIZE };
	static const struct kind sec2 = { "sec", NV2080_ENGINE_TYPE_SEC2, MC_ENGINE_IDX_SEC2, 1 };
	static const struct kind decoder = { "nvdec", NV2080_ENGINE_TYPE_NVDEC0,
					     MC_ENGINE_IDX_NVDEC0, NV2080_ENGINE_TYPE_NVDEC_SIZE };
	static const struct kind jpeg = { "nvjpg", NV2080_ENGINE_TYPE_NVJPEG0,
					  MC_ENGINE_IDX_NVJPEG0, NV2080_ENGINE_TYPE_NVJPEG_SIZE };
	static const struct kind ofa = { "ofa", NV2080_ENGINE_TYPE_OFA, MC_ENGINE_IDX_OFA0, 1 };

	engines->count = 0;
	engines->runlists = 0;
	add(engines, &graphics, 1);
	add(engines, &copy, profile->copy_engines);
	add(engines, &sec2, 1);
	add(engines, &decoder, profile->decoders);
	add(engines, &jpeg, profile->jpegs);
	add(engines, &ofa, profile->ofas);
}

const struct h100_engine_info *h100_engines_find(const struct h100_engines *engines, u32 type)
{
	u32 i;

	for (i = 0; i < engines->count; i++)
		if (engines->info[i].type == type)
			return &engines->info[i];
	return NULL;
}
