// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Access rights: what an object's client may do with it. A root object gets what its client is
 * entitled to; everything below inherits, or asks for less. RS_ACCESS_NICE is the administrator's
 * and is looked at again each time it matters.
 */
#include "rm/server/internal.h"
#include "rm/server/share.h"

#define RIGHT(name) (1u << RS_ACCESS_##name)
#define RIGHTS_ALL ((1u << RS_ACCESS_COUNT) - 1)
/* What a client has on its own root object for being its owner. */
#define RIGHTS_OF_OWNER (RIGHT(DUP_OBJECT) | RIGHT(DEBUG))
/* What a privileged caller has at any time, and nobody keeps. */
#define RIGHTS_OF_ADMIN RIGHT(NICE)

/* Those of the wanted rights that the object's client can have on it. */
static u32 grantable(const struct rm_call *call, const struct rm_object *object, u32 wanted)
{
	u32 have = 0;

	if (object->parent)
		have |= object->parent->rights;
	else
		have |= RIGHTS_OF_OWNER;
	if (rm_call_privilege(call) >= RM_PRIVILEGE_ADMIN)
		have |= RIGHTS_OF_ADMIN;
	return wanted & have;
}

enum nv_status rm_rights_grant_new(struct rm_call *call, struct rm_object *object,
				   const u32 *requested, u32 required)
{
	u32 wanted;

	if (requested)
		wanted = *requested & RIGHTS_ALL;
	else if (object->parent)
		wanted = (object->parent->rights | required) & RIGHTS_ALL;
	else
		wanted = RIGHTS_ALL;
	if (!wanted)
		return NV_OK;
	object->rights = grantable(call, object, wanted);
	if (requested && object->rights != wanted)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	if (required & RIGHTS_ALL & ~object->rights)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	return NV_OK;
}

/* Rights that do not last are what the caller is entitled to now. */
static void refresh(const struct rm_call *call, struct rm_object *object, u32 rights)
{
	rights &= RIGHTS_OF_ADMIN;
	if (rm_call_privilege(call) >= RM_PRIVILEGE_ADMIN)
		object->rights |= rights;
	else
		object->rights &= ~rights;
}

enum nv_status rm_rights_check(struct rm_call *call, struct rm_object *object,
			       const struct rm_client *client, const struct rm_object *target,
			       u32 required)
{
	u32 available;

	required &= RIGHTS_ALL;
	if (!required)
		return NV_OK;
	if (object->client == client) {
		refresh(call, object, required);
		available = object->rights;
	} else {
		available = rm_share_rights(call, object, client, target);
	}
	return required & ~available ? NV_ERR_INSUFFICIENT_PERMISSIONS : NV_OK;
}

enum nv_status rm_rights_grant(struct rm_call *call, struct rm_object *object, u32 rights)
{
	u32 missing;

	rights &= RIGHTS_ALL;
	refresh(call, object, rights);
	missing = rights & ~object->rights;
	if (grantable(call, object, missing) != missing)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	object->rights |= missing;
	return NV_OK;
}
