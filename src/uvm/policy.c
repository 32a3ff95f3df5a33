// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Advice on managed ranges: where the memory had best be, who uses it, whether it may be
 * duplicated. It is kept with the ranges, which are cut where only a part of them is meant.
 */
#include "uvm/evict.h"
#include "uvm/range.h"

struct advice {
	enum { ADVICE_PREFERRED, ADVICE_ACCESSED_BY, ADVICE_DUPLICATION } what;
	u32 processor;
	bool set;
	enum uvm_read_duplication duplication;
};

static bool has_already(const struct uvm_policy *policy, const struct advice *advice)
{
	switch (advice->what) {
	case ADVICE_PREFERRED:
		return policy->preferred == advice->processor;
	case ADVICE_ACCESSED_BY:
		return uvm_has(policy->accessed_by, advice->processor) == advice->set;
	default:
		return policy->read_duplication == advice->duplication;
	}
}

static void apply(struct uvm_policy *policy, const struct advice *advice)
{
	switch (advice->what) {
	case ADVICE_PREFERRED:
		policy->preferred = advice->processor;
		break;
	case ADVICE_ACCESSED_BY:
		if (advice->set)
			policy->accessed_by |= BIT32(advice->processor);
		else
			policy->accessed_by &= ~BIT32(advice->processor);
		break;
	default:
		policy->read_duplication = advice->duplication;
		break;
	}
}

static enum nv_status split_at(struct uvm_space *space, u64 address, const struct advice *advice)
{
	struct uvm_range *range = uvm_range_find(space, address), *upper;

	if (!range || range->kind != UVM_RANGE_MANAGED || range->node.start == address ||
	    has_already(&range->policy, advice))
		return NV_OK;
	return uvm_managed_split(range, address - 1, &upper);
}

/* A preferred location of its own means that a GPU can hold the memory: not what may not move. */
static bool may_prefer(struct uvm_space *space, const struct advice *advice, u64 start, u64 last)
{
	return advice->what != ADVICE_PREFERRED || advice->processor == UVM_NOBODY ||
	       advice->processor == UVM_CPU || !uvm_has(space->faultable, advice->processor) ||
	       uvm_groups_migratable(space, start, last);
}

static enum nv_status advise(struct uvm_space *space, u64 base, u64 length,
			     const struct advice *advice)
{
	u64 last = base + length - 1;
	struct uvm_range *range;
	struct uvm_gpu *gpu = NULL;
	enum nv_status status;

	status = split_at(space, base, advice);
	if (status == NV_OK)
		status = split_at(space, last + 1, advice);
	if (status != NV_OK)
		return status;
	if (advice->what == ADVICE_ACCESSED_BY && advice->set && advice->processor != UVM_CPU)
		gpu = space->gpus[advice->processor - 1];
	for (range = uvm_range_find(space, base); range && range->node.start <= last;
	     range = uvm_range_next(range)) {
		if (!may_prefer(space, advice, max(base, range->node.start),
				min(last, range->node.last)))
			return NV_ERR_INVALID_DEVICE;
		apply(&range->policy, advice);
		/* Who says that it uses the memory has it mapped from now on. */
		if (gpu && gpu->space) {
			status = uvm_managed_map_gpu(range, gpu, range->node.start,
						     range->node.last);
			if (status != NV_OK)
				return status;
		}
	}
	return NV_OK;
}

static enum nv_status find_processor(struct uvm_space *space, const NvProcessorUuid *uuid, u64 base,
				     u64 length, u32 *processor)
{
	struct uvm_gpu *gpu;

	if (uvm_uuid_is_cpu(uuid)) {
		*processor = UVM_CPU;
		return NV_OK;
	}
	gpu = uvm_gpu_find(space, uuid);
	if (!gpu)
		return NV_ERR_INVALID_DEVICE;
	*processor = gpu->id;
	return uvm_gpu_can_address(gpu, base, length) ? NV_OK : NV_ERR_OUT_OF_RANGE;
}

/* uuid NULL: the advice names no processor. */
static enum nv_status advise_on(struct uvm_space *space, u64 base, u64 length,
				const NvProcessorUuid *uuid, struct advice *advice)
{
	enum nv_status status = NV_OK;

	if (!uvm_managed_covers(space, base, length))
		return NV_ERR_INVALID_ADDRESS;
	if (uuid)
		status = find_processor(space, uuid, base, length, &advice->processor);
	return status == NV_OK ? advise(space, base, length, advice) : status;
}

static enum nv_status advise_range(struct uvm_file *file, u64 base, u64 length,
				   const NvProcessorUuid *uuid, struct advice *advice)
{
	struct uvm_space *space = file->space;
	enum nv_status status;

	if (uvm_bad_range(base, length, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&space->lock);
	do
		status = advise_on(space, base, length, uuid, advice);
	while (uvm_evict_retry(space, &status));
	os_mutex_unlock(&space->lock);
	return status;
}

enum nv_status uvm_set_preferred_location(struct uvm_file *file, void *params)
{
	UVM_SET_PREFERRED_LOCATION_PARAMS *p = params;
	struct advice advice = { .what = ADVICE_PREFERRED };

	return advise_range(file, p->requestedBase, p->length, &p->preferredLocation, &advice);
}

enum nv_status uvm_unset_preferred_location(struct uvm_file *file, void *params)
{
	UVM_UNSET_PREFERRED_LOCATION_PARAMS *p = params;
	struct advice advice = { .what = ADVICE_PREFERRED, .processor = UVM_NOBODY };

	return advise_range(file, p->requestedBase, p->length, NULL, &advice);
}

enum nv_status uvm_set_accessed_by(struct uvm_file *file, void *params)
{
	UVM_SET_ACCESSED_BY_PARAMS *p = params;
	struct advice advice = { .what = ADVICE_ACCESSED_BY, .set = true };

	return advise_range(file, p->requestedBase, p->length, &p->accessedByUuid, &advice);
}

enum nv_status uvm_unset_accessed_by(struct uvm_file *file, void *params)
{
	UVM_UNSET_ACCESSED_BY_PARAMS *p = params;
	struct advice advice = { .what = ADVICE_ACCESSED_BY };

	return advise_range(file, p->requestedBase, p->length, &p->accessedByUuid, &advice);
}

enum nv_status uvm_enable_read_duplication(struct uvm_file *file, void *params)
{
	UVM_ENABLE_READ_DUPLICATION_PARAMS *p = params;
	struct advice advice = { .what = ADVICE_DUPLICATION,
				 .duplication = UVM_READ_DUPLICATION_ENABLED };

	return advise_range(file, p->requestedBase, p->length, NULL, &advice);
}

enum nv_status uvm_disable_read_duplication(struct uvm_file *file, void *params)
{
	UVM_DISABLE_READ_DUPLICATION_PARAMS *p = params;
	struct advice advice = { .what = ADVICE_DUPLICATION,
				 .duplication = UVM_READ_DUPLICATION_DISABLED };

	return advise_range(file, p->requestedBase, p->length, NULL, &advice);
}
