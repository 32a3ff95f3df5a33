// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Controls of older interfaces, which take a pointer to a list where their successors have an
 * array. They are turned into the successor, whose parameters the driver owns, and back.
 */
#include "rm/escape/legacy.h"

/* What all of them but GET_BUILD_VERSION look like, and the successor's beginning. */
struct list_params {
	u32 count;
	u64 list;
};
struct array_params {
	u32 count;
	NVXXXX_CTRL_XXX_INFO list[];
};

static const struct list_control {
	u32 cmd;
	u32 successor;
	u32 successor_size;
} list_controls[] = {
	{ NV2080_CTRL_CMD_GPU_GET_INFO, NV2080_CTRL_CMD_GPU_GET_INFO_V2,
	  sizeof(NV2080_CTRL_GPU_GET_INFO_V2_PARAMS) },
	{ NV2080_CTRL_CMD_BIOS_GET_INFO, NV2080_CTRL_CMD_BIOS_GET_INFO_V2,
	  sizeof(NV2080_CTRL_BIOS_GET_INFO_V2_PARAMS) },
	{ NV2080_CTRL_CMD_BUS_GET_INFO, NV2080_CTRL_CMD_BUS_GET_INFO_V2,
	  sizeof(NV2080_CTRL_BUS_GET_INFO_V2_PARAMS) },
	{ NV2080_CTRL_CMD_FB_GET_INFO, NV2080_CTRL_CMD_FB_GET_INFO_V2,
	  sizeof(NV2080_CTRL_FB_GET_INFO_V2_PARAMS) },
};

static const struct list_control *find(u32 cmd)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(list_controls); i++) {
		if (list_controls[i].cmd == cmd)
			return &list_controls[i];
	}
	return NULL;
}

bool legacy_control_is(u32 cmd)
{
	return cmd == NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION || find(cmd) != NULL;
}

/* The successor, as the caller itself could issue it. */
static enum nv_status issue(struct rm_file *file, const NVOS54_PARAMETERS *p, u32 cmd, void *params,
			    u32 size)
{
	NVOS54_PARAMETERS control = {
		.hClient = p->hClient,
		.hObject = p->hObject,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};
	struct rm_file *none = NULL;

	return rm_api_control_prepared(file, &control, &none);
}

static enum nv_status control_list(struct rm_file *file, const NVOS54_PARAMETERS *p,
				   const struct list_control *control)
{
	struct list_params old;
	struct array_params *new;
	enum nv_status status;
	u64 bytes;

	if (p->paramsSize != sizeof(old))
		return NV_ERR_INVALID_ARGUMENT;
	if (os_copy_from_user(&old, (u64)p->params, sizeof(old)) != NV_OK)
		return NV_ERR_INVALID_ADDRESS;
	bytes = (u64)old.count * sizeof(new->list[0]);
	if (bytes > control->successor_size - sizeof(*new))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	new = os_alloc(control->successor_size);
	if (!new)
		return NV_ERR_NO_MEMORY;
	new->count = old.count;
	if (bytes && os_copy_from_user(new->list, old.list, bytes) != NV_OK) {
		status = NV_ERR_INVALID_ADDRESS;
		goto out;
	}
	status = issue(file, p, control->successor, new, control->successor_size);
	if (status == NV_OK && bytes && os_copy_to_user(old.list, new->list, bytes) != NV_OK)
		status = NV_ERR_INVALID_ADDRESS;
out:
	os_free(new);
	return status;
}

static u32 text_size(const char *text, u32 room)
{
	return (u32)os_strnlen(text, room - 1) + 1;
}

/* Where a pointer is missing the caller wants to know how long the longest text is. */
static enum nv_status copy_texts(NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS *old,
				 const NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_V2_PARAMS *new)
{
	const struct {
		const char *text;
		u64 user;
	} texts[] = {
		{ new->driverVersionBuffer, (u64)old->pDriverVersionBuffer },
		{ new->versionBuffer, (u64)old->pVersionBuffer },
		{ new->titleBuffer, (u64)old->pTitleBuffer },
	};
	u32 i, size, longest = 0;
	bool missing = false;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		size = text_size(texts[i].text, sizeof(new->titleBuffer));
		longest = size > longest ? size : longest;
		missing |= texts[i].user == 0;
	}
	if (missing) {
		old->sizeOfStrings = longest;
		return NV_OK;
	}
	if (old->sizeOfStrings < longest)
		return NV_ERR_INVALID_PARAM_STRUCT;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		size = text_size(texts[i].text, sizeof(new->titleBuffer));
		if (os_copy_to_user(texts[i].user, texts[i].text, size) != NV_OK)
			return NV_ERR_INVALID_PARAM_STRUCT;
	}
	old->changelistNumber = new->changelistNumber;
	old->officialChangelistNumber = new->officialChangelistNumber;
	return NV_OK;
}

static enum nv_status control_build_version(struct rm_file *file, const NVOS54_PARAMETERS *p)
{
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS old;
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_V2_PARAMS *new;
	enum nv_status status;

	if (p->paramsSize != sizeof(old))
		return NV_ERR_INVALID_ARGUMENT;
	new = os_alloc(sizeof(*new));
	if (!new)
		return NV_ERR_NO_MEMORY;
	status = issue(file, p, NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION_V2, new, sizeof(*new));
	if (status != NV_OK)
		goto out;
	if (os_copy_from_user(&old, (u64)p->params, sizeof(old)) != NV_OK) {
		status = NV_ERR_INVALID_ADDRESS;
		goto out;
	}
	status = copy_texts(&old, new);
	if (os_copy_to_user((u64)p->params, &old, sizeof(old)) != NV_OK && status == NV_OK)
		status = NV_ERR_INVALID_ADDRESS;
out:
	os_free(new);
	return status;
}

void __attribute__((__noinline__)) legacy_control(struct rm_file *file, NVOS54_PARAMETERS *p)
{
	const struct list_control *control = find(p->cmd);

	p->status = control ? control_list(file, p, control) : control_build_version(file, p);
}
