// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Share policies: their lists, whom one matches, and NVOS57's edits. */
#include "rm/server/internal.h"
#include "rm/server/share.h"

/* RS_SHARE_POLICY.action */
#define ACTION_REVOKE 0x1u
#define ACTION_REQUIRE 0x2u
#define ACTION_COMPOSE 0x4u

#define DUP_RIGHT (1u << RS_ACCESS_DUP_OBJECT)

/* What holds for an object whose ancestors have no list. */
static const struct rm_share_policy default_policies[] = {
	{ .rights = DUP_RIGHT, .type = RS_SHARE_TYPE_PID },
};
/* What no list can change. */
static const struct rm_share_policy fixed_policies[] = {
	{ .rights = DUP_RIGHT, .type = RS_SHARE_TYPE_SMC_PARTITION, .require = true },
	{ .rights = DUP_RIGHT, .type = RS_SHARE_TYPE_FM_CLIENT },
};

static bool same_gpu(const struct rm_object *object, const struct rm_object *target)
{
	return target && target->gpu && target->gpu == object->gpu;
}

/*
 * Whether the policy of object means that client. A kernel client that duplicates does so for the
 * process whose request is served.
 */
static bool matches(const struct rm_share_policy *policy, const struct rm_call *call,
		    const struct rm_object *object, const struct rm_client *client,
		    const struct rm_object *target)
{
	const struct os_cred *owner = &object->client->cred;
	const struct os_cred *other = client->kernel && target ? &call->cred : &client->cred;

	switch (policy->type) {
	case RS_SHARE_TYPE_ALL:
		return true;
	case RS_SHARE_TYPE_CLIENT:
		return policy->target == client->serial;
	case RS_SHARE_TYPE_PID:
		return os_cred_same_process(owner, other);
	case RS_SHARE_TYPE_OS_SECURITY_TOKEN:
		return !object->client->kernel &&
		       (owner->uid == other->uid || os_cred_same_process(owner, other));
	case RS_SHARE_TYPE_SMC_PARTITION:
		/* No GPU is partitioned: nothing to keep apart, and a share is one with the GPU. */
		return policy->require || same_gpu(object, target);
	case RS_SHARE_TYPE_GPU:
		return (policy->require && !object->gpu) || same_gpu(object, target);
	case RS_SHARE_TYPE_FM_CLIENT:
		return client->fabric_manager && !object->client->kernel;
	default:
		return false;
	}
}

static void active_list(const struct rm_object *object, const struct rm_share_policy **policies,
			u32 *count)
{
	for (; object; object = object->parent) {
		if (object->shares) {
			*policies = object->shares->policies;
			*count = object->shares->count;
			return;
		}
	}
	*policies = default_policies;
	*count = ARRAY_SIZE(default_policies);
}

static void apply(const struct rm_share_policy *policies, u32 count, const struct rm_call *call,
		  const struct rm_object *object, const struct rm_client *client,
		  const struct rm_object *target, u32 *given, u32 *denied)
{
	u32 i;

	for (i = 0; i < count; i++) {
		bool match = matches(&policies[i], call, object, client, target);

		if (match && !policies[i].require)
			*given |= policies[i].rights;
		else if (!match && policies[i].require)
			*denied |= policies[i].rights;
	}
}

u32 rm_share_rights(const struct rm_call *call, const struct rm_object *object,
		    const struct rm_client *client, const struct rm_object *target)
{
	const struct rm_share_policy *policies;
	u32 count, given = 0, denied = 0;

	active_list(object, &policies, &count);
	apply(policies, count, call, object, client, target, &given, &denied);
	apply(fixed_policies, ARRAY_SIZE(fixed_policies), call, object, client, target, &given,
	      &denied);
	return given & ~denied;
}

/* -- Edits ------------------------------------------------------------------------------------- */

static struct rm_share_policy *find(struct rm_share_policy_list *list,
				    const struct rm_share_policy *policy)
{
	u32 i;

	for (i = 0; i < list->count; i++) {
		struct rm_share_policy *p = &list->policies[i];

		if (p->type == policy->type && p->require == policy->require &&
		    (p->type != RS_SHARE_TYPE_CLIENT || p->target == policy->target))
			return p;
	}
	return NULL;
}

static void list_edit(struct rm_share_policy_list *list, const struct rm_share_policy *policy,
		      bool revoke)
{
	struct rm_share_policy *p = find(list, policy);

	if (!revoke && p) {
		p->rights |= policy->rights;
	} else if (!revoke) {
		list->policies[list->count++] = *policy;
	} else if (p) {
		p->rights &= ~policy->rights;
		if (!p->rights)
			*p = list->policies[--list->count];
	}
}

/* A list of the count policies with room for one more. */
static struct rm_share_policy_list *list_copy(const struct rm_share_policy *policies, u32 count)
{
	size_t size =
		sizeof(struct rm_share_policy_list) + (count + 1) * sizeof(struct rm_share_policy);
	struct rm_share_policy_list *list = os_alloc(size);

	if (!list)
		return NULL;
	list->capacity = count + 1;
	list->count = count;
	if (count)
		os_memcpy(list->policies, policies, count * sizeof(*policies));
	return list;
}

enum nv_status rm_share_edit(struct rm_call *call, struct rm_object *object,
			     const RS_SHARE_POLICY *policy, const struct rm_client *target)
{
	const struct rm_share_policy edit = {
		.rights = policy->accessMask.limbs[0],
		.type = policy->type,
		.require = policy->action & ACTION_REQUIRE,
		.target = target ? target->serial : 0,
	};
	bool revoke = policy->action & ACTION_REVOKE;
	const struct rm_share_policy *policies = NULL;
	struct rm_share_policy_list *list;
	u32 count = 0;
	enum nv_status status;

	if (policy->action & ACTION_COMPOSE)
		active_list(object, &policies, &count);
	list = list_copy(policies, count);
	if (!list)
		return NV_ERR_NO_MEMORY;
	if (!revoke) {
		status = rm_rights_grant(call, object, edit.rights);
		if (status != NV_OK) {
			os_free(list);
			return status;
		}
	} else if (target == object->client) {
		object->rights &= ~edit.rights;
	}
	list_edit(list, &edit, revoke);
	os_free(object->shares);
	object->shares = list;
	return NV_OK;
}
