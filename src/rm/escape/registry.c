// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * NV_ESC_RM_ACCESS_REGISTRY: reads and writes settings, global ones by the client's own handle or a
 * GPU's by a device or subdevice. Writing is the administrator's: keys decide about confidential
 * computing and the memory they take is the driver's.
 */
#include "rm/escape/escape.h"

struct registry_request {
	NVOS38_PARAMETERS *p;
	const struct rm_gpu *gpu; /* NULL: the global registry */
	char name[NVOS38_MAX_REGISTRY_STRING_LENGTH];
	bool named;
	u8 *bytes; /* of the binary types */
	u32 size;
};

/* Of the structure's two strings; lengths do not count the terminator, which has to be there. */
static enum nv_status copy_string(char *out, u64 user, u32 length, bool terminated)
{
	if (length >= NVOS38_MAX_REGISTRY_STRING_LENGTH)
		return NV_ERR_INVALID_STRING_LENGTH;
	if (os_copy_from_user(out, user, length + 1) != NV_OK)
		return NV_ERR_OPERATING_SYSTEM;
	if (terminated && out[length] != '\0')
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

static bool is_binary(u32 type)
{
	return type == NVOS38_ACCESS_TYPE_READ_BINARY || type == NVOS38_ACCESS_TYPE_WRITE_BINARY;
}

static bool is_write(u32 type)
{
	return type == NVOS38_ACCESS_TYPE_WRITE_DWORD || type == NVOS38_ACCESS_TYPE_WRITE_BINARY;
}

static enum nv_status copy_in(struct registry_request *r)
{
	NVOS38_PARAMETERS *p = r->p;
	enum nv_status status;

	if (p->DevNodeLength) {
		status = copy_string(r->name, (u64)p->pDevNode, p->DevNodeLength, false);
		if (status != NV_OK)
			return status;
	}
	if (p->ParmStrLength) {
		status = copy_string(r->name, (u64)p->pParmStr, p->ParmStrLength, true);
		if (status != NV_OK)
			return status;
		r->named = true;
	}
	if (!is_binary(p->AccessType))
		return NV_OK;
	r->size = p->BinaryDataLength;
	if (r->size == 0 || r->size > NVOS38_MAX_REGISTRY_BINARY_LENGTH)
		return NV_ERR_INVALID_STRING_LENGTH;
	r->bytes = os_alloc(r->size);
	if (!r->bytes)
		return NV_ERR_OPERATING_SYSTEM;
	if (is_write(p->AccessType) &&
	    os_copy_from_user(r->bytes, (u64)p->pBinaryData, r->size) != NV_OK)
		return NV_ERR_OPERATING_SYSTEM;
	return NV_OK;
}

static enum nv_status access_registry(struct rm *rm, struct registry_request *r)
{
	NVOS38_PARAMETERS *p = r->p;
	const char *name = r->named ? r->name : NULL;
	struct os_cred cred;

	os_current_cred(&cred);
	if (is_write(p->AccessType) && !cred.admin)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	switch (p->AccessType) {
	case NVOS38_ACCESS_TYPE_READ_DWORD:
		return rm_registry_read_dword(rm, r->gpu, name, &p->Data);
	case NVOS38_ACCESS_TYPE_WRITE_DWORD:
		return rm_registry_write_dword(rm, r->gpu, name, p->Data);
	case NVOS38_ACCESS_TYPE_READ_BINARY:
		return rm_registry_read_binary(rm, r->gpu, name, r->bytes, &r->size);
	case NVOS38_ACCESS_TYPE_WRITE_BINARY:
		return rm_registry_write_binary(rm, r->gpu, name, r->bytes, r->size);
	default:
		return NV_ERR_INVALID_ACCESS_TYPE;
	}
}

/*
 * Finds client and object, and the GPU that the object names, which stays until rm_api_end. On
 * failure nothing is held.
 */
static enum nv_status scope_begin(struct rm_call *call, struct rm_file *file,
				  struct registry_request *r)
{
	enum nv_status status = rm_api_begin(call, file, r->p->hClient, r->p->hObject);

	if (status != NV_OK)
		return status;
	if (r->p->hObject == r->p->hClient) {
		r->gpu = NULL;
		return NV_OK;
	}
	if (call->object->class->iclass == ABI_ICLASS_Device ||
	    call->object->class->iclass == ABI_ICLASS_Subdevice) {
		r->gpu = call->object->gpu;
		return NV_OK;
	}
	rm_api_end(call);
	return NV_ERR_INVALID_OBJECT_HANDLE;
}

/*
 * The object is looked at before the caller's memory is, as the interface has it, and once more for
 * the access itself: copying may take as long as the caller likes, and holds nothing meanwhile.
 */
static enum nv_status serve(struct rm_file *file, struct registry_request *r)
{
	struct rm_call call;
	enum nv_status status;

	status = scope_begin(&call, file, r);
	if (status != NV_OK)
		return status;
	rm_api_end(&call);
	status = copy_in(r);
	if (status != NV_OK)
		return status;
	status = scope_begin(&call, file, r);
	if (status != NV_OK)
		return status;
	status = access_registry(file->rm, r);
	rm_api_end(&call);
	return status;
}

enum rm_ioctl_result escape_access_registry(struct rm_file *file, void *data, u32 size)
{
	NVOS38_PARAMETERS *p = data;
	struct registry_request r = { .p = p };
	enum nv_status status = serve(file, &r);

	if (r.bytes) {
		u32 length = 0;

		if (status == NV_OK && p->AccessType == NVOS38_ACCESS_TYPE_READ_BINARY) {
			length = r.size;
			if (os_copy_to_user((u64)p->pBinaryData, r.bytes, length) != NV_OK)
				status = NV_ERR_OPERATING_SYSTEM;
		}
		p->BinaryDataLength = length;
		os_free(r.bytes);
	}
	p->status = status;
	return RM_IOCTL_OK;
}

/* ctrl and status are common to all of NV_NVLOG_CTRL_PARAMS. */
struct nvlog_head {
	u32 ctrl;
	u32 status;
};

enum rm_ioctl_result escape_nvlog(struct rm_file *file, void *data, u32 size)
{
	struct nvlog_head *head = data;
	struct os_cred cred;

	if (size < sizeof(*head))
		return RM_IOCTL_EINVAL;
	/* There is no NvLog here, so that nothing is to be had of it by anyone. */
	os_current_cred(&cred);
	head->status = cred.admin ? NV_ERR_NOT_SUPPORTED : NV_ERR_INSUFFICIENT_PERMISSIONS;
	return RM_IOCTL_EINVAL;
}
