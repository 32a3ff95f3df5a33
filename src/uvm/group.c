// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Range groups: names for sets of managed addresses, whose migration can be forbidden together. An
 * address is in one group at most.
 */
#include "uvm/range.h"

struct uvm_group {
	struct list_node node; /* of the space */
	u64 id;
	bool fixed;	    /* may not migrate */
	struct list ranges; /* struct uvm_group_range */
};

struct uvm_group_range {
	struct uvm_node_range node; /* of the space's tree */
	struct list_node of_group;
	struct uvm_group *group;
};

#define group_range_of(n) container_of(n, struct uvm_group_range, node)

static struct uvm_group *group_find(struct uvm_space *space, u64 id)
{
	struct uvm_group *group;

	list_for_each_entry (group, &space->groups, node) {
		if (group->id == id)
			return group;
	}
	return NULL;
}

static void group_range_destroy(struct uvm_space *space, struct uvm_group_range *range)
{
	uvm_tree_remove(&space->group_ranges, &range->node);
	list_del(&range->of_group);
	os_free(range);
}

static void group_destroy(struct uvm_space *space, struct uvm_group *group)
{
	while (!list_empty(&group->ranges))
		group_range_destroy(space, list_entry(list_first(&group->ranges),
						      struct uvm_group_range, of_group));
	list_del(&group->node);
	os_free(group);
}

void uvm_groups_destroy(struct uvm_space *space)
{
	while (!list_empty(&space->groups))
		group_destroy(space,
			      list_entry(list_first(&space->groups), struct uvm_group, node));
}

/* spare: for the upper part of one that goes on at both sides; taken when used. */
static void group_cut(struct uvm_space *space, u64 start, u64 last, struct uvm_group_range **spare)
{
	struct uvm_node_range *node;

	while ((node = uvm_tree_first_in(&space->group_ranges, start, last))) {
		struct uvm_group_range *range = group_range_of(node);
		u64 end = node->last;

		if (node->start < start) {
			node->last = start - 1;
			if (end > last) {
				struct uvm_group_range *upper = *spare;

				*spare = NULL;
				upper->group = range->group;
				upper->node.start = last + 1;
				upper->node.last = end;
				OS_BUG_ON(!uvm_tree_add(&space->group_ranges, &upper->node));
				list_add_tail(&upper->of_group, &range->group->ranges);
			}
		} else if (end > last) {
			/* Still right of all that is left of it. */
			node->start = last + 1;
		} else {
			group_range_destroy(space, range);
		}
	}
}

static bool needs_spare(struct uvm_space *space, u64 start, u64 last)
{
	struct uvm_node_range *node = uvm_tree_first_in(&space->group_ranges, start, last);

	return node && node->start < start && node->last > last;
}

void uvm_groups_forget(struct uvm_space *space, u64 start, u64 last)
{
	struct uvm_group_range *spare = NULL;

	if (needs_spare(space, start, last)) {
		spare = os_alloc(sizeof(*spare));
		if (!spare) {
			/* The upper part leaves the group too: no more than a hint is lost. */
			struct uvm_node_range *node = uvm_tree_find(&space->group_ranges, start);

			node->last = start - 1;
			return;
		}
	}
	group_cut(space, start, last, &spare);
	os_free(spare);
}

bool uvm_groups_migratable(struct uvm_space *space, u64 start, u64 last)
{
	struct uvm_node_range *node = uvm_tree_first_in(&space->group_ranges, start, last);

	for (; node && node->start <= last; node = uvm_tree_next(node)) {
		if (group_range_of(node)->group->fixed)
			return false;
	}
	return true;
}

static void merge_upper(struct uvm_space *space, struct uvm_group_range *range)
{
	struct uvm_node_range *next = uvm_tree_next(&range->node);
	u64 last;

	if (!next || next->start != range->node.last + 1 ||
	    group_range_of(next)->group != range->group)
		return;
	last = next->last;
	group_range_destroy(space, group_range_of(next));
	range->node.last = last;
}

/* group NULL: in none. */
static enum nv_status group_assign(struct uvm_space *space, struct uvm_group *group, u64 start,
				   u64 last)
{
	struct uvm_group_range *range = NULL, *spare = NULL;
	struct uvm_node_range *previous;

	if (group)
		range = os_alloc(sizeof(*range));
	if (needs_spare(space, start, last))
		spare = os_alloc(sizeof(*spare));
	if ((group && !range) || (needs_spare(space, start, last) && !spare)) {
		os_free(range);
		os_free(spare);
		return NV_ERR_NO_MEMORY;
	}
	group_cut(space, start, last, &spare);
	if (!group)
		return NV_OK;
	range->group = group;
	range->node.start = start;
	range->node.last = last;
	OS_BUG_ON(!uvm_tree_add(&space->group_ranges, &range->node));
	list_add_tail(&range->of_group, &group->ranges);
	merge_upper(space, range);
	previous = uvm_tree_previous(&range->node);
	if (previous && previous->last + 1 == start && group_range_of(previous)->group == group)
		merge_upper(space, group_range_of(previous));
	return NV_OK;
}

bool uvm_group_at(struct uvm_space *space, u64 address, u64 *start, u64 *last, u64 *id)
{
	struct uvm_node_range *node = uvm_tree_first_in(&space->group_ranges, address, ~(u64)0);
	struct uvm_node_range *before;

	if (node && node->start <= address) {
		*start = node->start;
		*last = node->last;
		*id = group_range_of(node)->group->id;
		return true;
	}
	before = node ? uvm_tree_previous(node) : uvm_tree_last(&space->group_ranges);
	*start = before ? before->last + 1 : 0;
	*last = node ? node->start - 1 : ~(u64)0;
	*id = UVM_RANGE_GROUP_ID_NONE;
	return false;
}

enum nv_status uvm_group_count(struct uvm_space *space, u64 id, u64 *count)
{
	struct uvm_group *group = group_find(space, id);
	struct uvm_group_range *part;

	*count = 0;
	if (!group)
		return NV_ERR_OBJECT_NOT_FOUND;
	list_for_each_entry (part, &group->ranges, of_group)
		(*count)++;
	return NV_OK;
}

enum nv_status uvm_group_assign(struct uvm_space *space, u64 id, u64 start, u64 last)
{
	struct uvm_group *group = group_find(space, id);

	if (!group && id != UVM_RANGE_GROUP_ID_NONE)
		return NV_ERR_OBJECT_NOT_FOUND;
	return group_assign(space, group, start, last);
}

/* -- Ioctls ------------------------------------------------------------------------------------ */

enum nv_status uvm_create_range_group(struct uvm_file *file, void *params)
{
	UVM_CREATE_RANGE_GROUP_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_group *group = os_alloc(sizeof(*group));

	if (!group)
		return NV_ERR_NO_MEMORY;
	list_init(&group->ranges);
	os_mutex_lock(&space->lock);
	group->id = space->next_group++;
	list_add_head(&group->node, &space->groups);
	p->rangeGroupId = group->id;
	os_mutex_unlock(&space->lock);
	return NV_OK;
}

enum nv_status uvm_destroy_range_group(struct uvm_file *file, void *params)
{
	UVM_DESTROY_RANGE_GROUP_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_group *group;

	os_mutex_lock(&space->lock);
	group = group_find(space, p->rangeGroupId);
	if (group)
		group_destroy(space, group);
	os_mutex_unlock(&space->lock);
	return group ? NV_OK : NV_ERR_OBJECT_NOT_FOUND;
}

static enum nv_status group_set(struct uvm_space *space, const UVM_SET_RANGE_GROUP_PARAMS *p)
{
	u64 start = p->requestedBase, last = start + p->length - 1;
	struct uvm_group *group = group_find(space, p->rangeGroupId);
	struct uvm_range *range;

	if (!group && p->rangeGroupId != UVM_RANGE_GROUP_ID_NONE)
		return NV_ERR_OBJECT_NOT_FOUND;
	if (!uvm_managed_covers(space, start, p->length))
		return NV_ERR_INVALID_ADDRESS;
	/* What may not migrate must be somewhere. */
	range = uvm_range_find(space, start);
	for (; group && group->fixed && range && range->node.start <= last;
	     range = uvm_range_next(range)) {
		if (range->policy.preferred == UVM_NOBODY)
			return NV_ERR_INVALID_ADDRESS;
	}
	return group_assign(space, group, start, last);
}

enum nv_status uvm_set_range_group(struct uvm_file *file, void *params)
{
	UVM_SET_RANGE_GROUP_PARAMS *p = params;
	enum nv_status status;

	if (uvm_bad_range(p->requestedBase, p->length, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&file->space->lock);
	status = group_set(file->space, p);
	os_mutex_unlock(&file->space->lock);
	return status;
}

/* Whether all ranges of the group may be held where they prefer to be, the CPU's; and puts them
 * there. */
static enum nv_status group_hold(struct uvm_space *space, const struct uvm_group *group)
{
	struct uvm_group_range *part;
	struct uvm_range *range;
	enum nv_status status;

	list_for_each_entry (part, &group->ranges, of_group) {
		range = uvm_range_first_in(space, part->node.start, part->node.last);
		for (; range && range->node.start <= part->node.last;
		     range = uvm_range_next(range)) {
			u32 preferred = range->policy.preferred;

			if (range->kind != UVM_RANGE_MANAGED || preferred == UVM_NOBODY)
				return NV_ERR_INVALID_ARGUMENT;
			/* A GPU that can fault needs no such promise. */
			if (preferred != UVM_CPU && uvm_has(space->faultable, preferred))
				return NV_ERR_INVALID_DEVICE;
			status = uvm_managed_to_cpu(range, max(part->node.start, range->node.start),
						    min(part->node.last, range->node.last));
			if (status != NV_OK)
				return status;
		}
	}
	return NV_OK;
}

static enum nv_status groups_fix(struct uvm_space *space, const u64 *ids, u64 count, bool fixed)
{
	struct uvm_group *group;
	enum nv_status status = NV_OK;
	u64 i;

	if (!count || count > UVM_MAX_RANGE_GROUPS_PER_IOCTL_CALL)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&space->lock);
	/* Those before one that is not there are changed, as the interface has it. */
	for (i = 0; i < count && status == NV_OK; i++) {
		group = group_find(space, ids[i]);
		if (group)
			group->fixed = fixed;
		else
			status = NV_ERR_OBJECT_NOT_FOUND;
	}
	for (i = 0; fixed && i < count && status == NV_OK; i++)
		status = group_hold(space, group_find(space, ids[i]));
	os_mutex_unlock(&space->lock);
	return status;
}

enum nv_status uvm_prevent_migration_range_groups(struct uvm_file *file, void *params)
{
	UVM_PREVENT_MIGRATION_RANGE_GROUPS_PARAMS *p = params;

	return groups_fix(file->space, p->rangeGroupIds, p->numGroupIds, true);
}

enum nv_status uvm_allow_migration_range_groups(struct uvm_file *file, void *params)
{
	UVM_ALLOW_MIGRATION_RANGE_GROUPS_PARAMS *p = params;

	return groups_fix(file->space, p->rangeGroupIds, p->numGroupIds, false);
}

/* -- For migration ----------------------------------------------------------------------------- */

enum nv_status uvm_group_parts(struct uvm_space *space, u64 id, struct uvm_span **parts, u64 *count)
{
	struct uvm_group_range *part;
	enum nv_status status = uvm_group_count(space, id, count);
	u64 i = 0;

	if (status != NV_OK)
		return status;
	*parts = os_alloc((*count + 1) * sizeof((*parts)[0]));
	if (!*parts)
		return NV_ERR_NO_MEMORY;
	list_for_each_entry (part, &group_find(space, id)->ranges, of_group)
		(*parts)[i++] = (struct uvm_span){ part->node.start, part->node.last };
	return NV_OK;
}
