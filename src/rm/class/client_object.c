// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A client's own objects: NV0000_CTRL_CMD_CLIENT_*.
 */
#include "rm/class/class.h"
#include "rm/class/client.h"
#include "rm/class/memory.h"
#include "rm/class/memory_control.h"
#include "rm/server/internal.h"
#include "rm/server/share.h"

enum nv_status client_get_addr_space_type(struct rm_call *call, void *params)
{
	NV0000_CTRL_CLIENT_GET_ADDR_SPACE_TYPE_PARAMS *p = params;
	struct rm_object *object;
	enum nv_status status;

	status = rm_object_find(call->client, p->hObject, &object);
	if (status != NV_OK)
		return status;
	if (object->class->mappable)
		p->addrSpaceType = rm_memory_address_space(object);
	else if (object->class == &rm_class_subdevice)
		p->addrSpaceType = NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_REGMEM;
	else
		return NV_ERR_INVALID_OBJECT;
	return NV_OK;
}

enum nv_status client_get_handle_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_CLIENT_GET_HANDLE_INFO_PARAMS *p = params;
	struct rm_object *object;
	enum nv_status status;

	status = rm_object_find(call->client, p->hObject, &object);
	if (status != NV_OK)
		return status;
	switch (p->index) {
	case NV0000_CTRL_CMD_CLIENT_GET_HANDLE_INFO_INDEX_PARENT:
		p->data.hResult = object->parent ? object->parent->handle : 0;
		return NV_OK;
	case NV0000_CTRL_CMD_CLIENT_GET_HANDLE_INFO_INDEX_CLASSID:
		p->data.iResult = object->class_id;
		return NV_OK;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

/* Of the caller's own objects; another client's handles are not told about. */
enum nv_status client_get_access_rights(struct rm_call *call, void *params)
{
	NV0000_CTRL_CLIENT_GET_ACCESS_RIGHTS_PARAMS *p = params;
	struct rm_object *object;
	enum nv_status status;

	if (p->hClient != call->client->handle)
		return NV_ERR_INVALID_CLIENT;
	status = rm_object_find(call->client, p->hObject, &object);
	if (status != NV_OK)
		return status;
	p->maskResult.limbs[0] = object->rights;
	return NV_OK;
}

static enum nv_status share(struct rm_call *call, u32 handle, const RS_SHARE_POLICY *policy)
{
	struct rm_client *target = NULL;
	struct rm_object *object;
	enum nv_status status;

	if (policy->type >= RS_SHARE_TYPE_MAX)
		return NV_ERR_INVALID_ARGUMENT;
	status = rm_object_find(call->client, handle, &object);
	if (status != NV_OK)
		return status;
	if (policy->type == RS_SHARE_TYPE_CLIENT) {
		target = rm_client_get(call->client->server, policy->target);
		if (!target)
			return NV_ERR_INVALID_CLIENT;
	}
	status = rm_share_edit(call, object, policy, target);
	if (target)
		rm_client_put(target);
	return status;
}

enum nv_status client_set_inherited_share_policy(struct rm_call *call, void *params)
{
	const NV0000_CTRL_CLIENT_SET_INHERITED_SHARE_POLICY_PARAMS *p = params;

	return share(call, call->object->handle, &p->sharePolicy);
}

enum nv_status client_share_object(struct rm_call *call, void *params)
{
	const NV0000_CTRL_CLIENT_SHARE_OBJECT_PARAMS *p = params;

	return share(call, p->hObject, &p->sharePolicy);
}

enum nv_status client_get_child_handle(struct rm_call *call, void *params)
{
	NV0000_CTRL_CMD_CLIENT_GET_CHILD_HANDLE_PARAMS *p = params;
	struct rm_object *parent, *child;
	enum nv_status status;

	status = rm_object_find(call->client, p->hParent, &parent);
	if (status != NV_OK)
		return status;
	list_for_each_entry (child, &parent->children, sibling) {
		if (child->class_id == p->classId && !(child->flags & RM_OBJECT_DEAD)) {
			p->hObject = child->handle;
			return NV_OK;
		}
	}
	return NV_ERR_OBJECT_NOT_FOUND;
}

enum nv_status client_objects_are_duplicates(struct rm_call *call, void *params)
{
	NV0000_CTRL_CLIENT_OBJECTS_ARE_DUPLICATES_PARAMS *p = params;
	struct rm_object *first, *second;
	enum nv_status status;

	status = rm_object_find(call->client, p->hObject1, &first);
	if (status != NV_OK)
		return status;
	status = rm_object_find(call->client, p->hObject2, &second);
	if (status != NV_OK)
		return status;
	p->bDuplicates = rm_memory_same(first, second);
	return NV_OK;
}
