// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The commands on objects: alloc in its three structures, free, control, dup and share. All go
 * straight to the RM API but those whose parameters hold a descriptor: finding its file may take as
 * long as the caller's process likes, so that it is done here, with no lock held, from the one copy
 * of the parameters that the RM API then works on.
 */
#include "rm/escape/escape.h"
#include "rm/escape/legacy.h"

/* Clients and all but events are made through the control node. */
static bool class_needs_control_node(u32 class_id)
{
	switch (class_id) {
	case NV01_EVENT:
	case NV01_EVENT_OS_EVENT:
	case NV01_EVENT_KERNEL_CALLBACK:
	case NV01_EVENT_KERNEL_CALLBACK_EX:
		return false;
	default:
		return true;
	}
}

/* User space gets clients of the one class only, whatever it asks for. */
static u32 class_for_user(u32 class_id)
{
	if (class_id == NV01_ROOT || class_id == NV01_ROOT_NON_PRIV)
		return NV01_ROOT_CLIENT;
	return class_id;
}

/* What proves a right begins with the descriptor of a capability node. */
union session_params {
	u64 cap_descriptor;
	NV000F_ALLOCATION_PARAMETERS fabric;
	NVC639_ALLOCATION_PARAMETERS config;
	NVC640_ALLOCATION_PARAMETERS monitor;
};

static u32 session_params_size(u32 class_id)
{
	switch (class_id) {
	case FABRIC_MANAGER_SESSION:
		return sizeof(NV000F_ALLOCATION_PARAMETERS);
	case AMPERE_SMC_CONFIG_SESSION:
		return sizeof(NVC639_ALLOCATION_PARAMETERS);
	case AMPERE_SMC_MONITOR_SESSION:
		return sizeof(NVC640_ALLOCATION_PARAMETERS);
	default:
		return 0;
	}
}

static void alloc_session(struct rm_file *file, NVOS64_PARAMETERS *p)
{
	u32 size = session_params_size(p->hClass);
	const struct rm_host_ops *host = file->rm->host;
	union session_params params;
	NvP64 user = p->pAllocParms;
	struct rm_file *cap;

	if (!user || os_copy_from_user(&params, (u64)user, size) != NV_OK) {
		/* In the order of the checks that comes later; without a file none succeeds. */
		rm_api_alloc(file, p);
		return;
	}
	cap = host->file_get((s32)params.cap_descriptor);
	p->pAllocParms = (NvP64)(uintptr_t)&params;
	rm_api_alloc_prepared(file, p, &cap);
	p->pAllocParms = user;
	if (cap)
		host->file_put(cap);
	if (p->status == NV_OK && os_copy_to_user((u64)user, &params, size) != NV_OK)
		p->status = NV_ERR_INVALID_ADDRESS;
}

static void alloc_nvos21_as(void (*alloc)(struct rm_file *file, NVOS64_PARAMETERS *p),
			    struct rm_file *file, NVOS21_PARAMETERS *p)
{
	NVOS64_PARAMETERS wide = {
		.hRoot = p->hRoot,
		.hObjectParent = p->hObjectParent,
		.hObjectNew = p->hObjectNew,
		.hClass = p->hClass,
		.pAllocParms = p->pAllocParms,
	};

	alloc(file, &wide);
	p->hObjectNew = wide.hObjectNew;
	p->status = wide.status;
}

enum rm_ioctl_result escape_alloc(struct rm_file *file, void *data, u32 size)
{
	void (*special)(struct rm_file * file, NVOS64_PARAMETERS * p) = NULL;
	NVOS21_PARAMETERS *small = data; /* the two begin alike */
	NVOS64_PARAMETERS *large = data;

	if (size != sizeof(*small) && size != sizeof(*large))
		return RM_IOCTL_EINVAL;
	if (file->node != RM_NODE_CONTROL && class_needs_control_node(small->hClass))
		return RM_IOCTL_EINVAL;
	small->hClass = class_for_user(small->hClass);
	if (small->hClass == NV01_MEMORY_SYSTEM_OS_DESCRIPTOR)
		special = escape_alloc_descriptor;
	else if (session_params_size(small->hClass))
		special = alloc_session;
	if (special && size == sizeof(*large))
		special(file, large);
	else if (special)
		alloc_nvos21_as(special, file, small);
	else if (size == sizeof(*large))
		rm_api_alloc(file, large);
	else
		rm_api_alloc_nvos21(file, small);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_alloc_object(struct rm_file *file, void *data, u32 size)
{
	rm_api_alloc_object(file, data);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_free(struct rm_file *file, void *data, u32 size)
{
	NVOS00_PARAMETERS *p = data;
	struct os_cred cred;

	if (rm_api_free(file, p) == NV_OK && p->hObjectOld == p->hRoot) {
		os_current_cred(&cred);
		rm_os_event_free_client(file->rm, &cred, p->hRoot);
	}
	return RM_IOCTL_OK;
}

/*
 * NV00FD_CTRL_CMD_ATTACH_GPU names a device file by descriptor, which then keeps its GPU for the
 * multicast object. The file must not act for a control file.
 */
static enum rm_ioctl_result __attribute__((__noinline__))
control_with_file(struct rm_file *file, NVOS54_PARAMETERS *p)
{
	NV00FD_CTRL_ATTACH_GPU_PARAMS params;
	NvP64 user = p->params;
	struct rm *rm = file->rm;
	struct rm_file *device;
	bool linked;

	if (os_copy_from_user(&params, (u64)user, sizeof(params)) != NV_OK)
		return RM_IOCTL_EINVAL;
	device = rm->host->file_get((s32)params.devDescriptor);
	if (!device)
		return RM_IOCTL_EINVAL;
	os_mutex_lock(&rm->file_lock);
	linked = device->link == RM_FILE_LINK_REGISTERED;
	if (!linked)
		device->link = RM_FILE_LINK_REFERENCED;
	os_mutex_unlock(&rm->file_lock);
	if (linked)
		goto out;
	if (p->paramsSize != sizeof(params)) {
		/* A wrong size is refused, after the checks that come before it. */
		rm_api_control(file, p);
		goto out;
	}
	p->params = (NvP64)(uintptr_t)&params;
	rm_api_control_prepared(file, p, &device);
	p->params = user;
	if (p->status == NV_OK && os_copy_to_user((u64)user, &params, sizeof(params)) != NV_OK)
		p->status = NV_ERR_INVALID_ADDRESS;
out:
	if (device)
		rm->host->file_put(device);
	return linked ? RM_IOCTL_EINVAL : RM_IOCTL_OK;
}

/* Commands on memory that a file stands for: how large their parameters are, and where the file is.
 */
static const struct {
	u32 cmd, size, fd;
} export_controls[] = {
	{ NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD,
	  sizeof(NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS),
	  offsetof(NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS, fd) },
	{ NV0000_CTRL_CMD_OS_UNIX_IMPORT_OBJECT_FROM_FD,
	  sizeof(NV0000_CTRL_OS_UNIX_IMPORT_OBJECT_FROM_FD_PARAMS),
	  offsetof(NV0000_CTRL_OS_UNIX_IMPORT_OBJECT_FROM_FD_PARAMS, fd) },
	{ NV0000_CTRL_CMD_OS_UNIX_GET_EXPORT_OBJECT_INFO,
	  sizeof(NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS),
	  offsetof(NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS, fd) },
};

/* True: it was one of them, and is served. A wrong size is the RM API's to refuse. */
static bool __attribute__((__noinline__)) control_export(struct rm_file *file, NVOS54_PARAMETERS *p)
{
	union {
		NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS to;
		NV0000_CTRL_OS_UNIX_IMPORT_OBJECT_FROM_FD_PARAMS from;
		NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS info;
	} params;
	NvP64 user = p->params;
	struct rm *rm = file->rm;
	struct rm_file *named, *kept;
	u32 i;
	s32 fd;

	for (i = 0; i < ARRAY_SIZE(export_controls); i++) {
		if (export_controls[i].cmd == p->cmd)
			break;
	}
	if (i == ARRAY_SIZE(export_controls) || p->paramsSize != export_controls[i].size ||
	    p->flags)
		return false;
	if (os_copy_from_user(&params, (u64)user, p->paramsSize) != NV_OK) {
		p->status = NV_ERR_INVALID_ADDRESS;
		return true;
	}
	os_memcpy(&fd, (const u8 *)&params + export_controls[i].fd, sizeof(fd));
	named = rm->host->file_get(fd);
	kept = named;
	p->params = (NvP64)(uintptr_t)&params;
	rm_api_control_prepared(file, p, &kept);
	p->params = user;
	if (p->status == NV_OK && os_copy_to_user((u64)user, &params, p->paramsSize) != NV_OK)
		p->status = NV_ERR_INVALID_ADDRESS;
	if (named)
		rm->host->file_put(named);
	return true;
}

enum rm_ioctl_result escape_control(struct rm_file *file, void *data, u32 size)
{
	NVOS54_PARAMETERS *p = data;

	switch (p->cmd) {
	case NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD:
	case NV0000_CTRL_CMD_OS_UNIX_IMPORT_OBJECT_FROM_FD:
	case NV0000_CTRL_CMD_OS_UNIX_GET_EXPORT_OBJECT_INFO:
		if (control_export(file, p))
			return RM_IOCTL_OK;
		break;
	case NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS:
	case NV0000_CTRL_CMD_IDLE_CHANNELS:
		if (escape_control_idle(file, p))
			return RM_IOCTL_OK;
		break;
	case NV00FD_CTRL_CMD_ATTACH_GPU:
		return control_with_file(file, p);
	default:
		break;
	}
	/* An old control with flags is no control at all, which the RM API will find. */
	if (p->flags == 0 && legacy_control_is(p->cmd))
		legacy_control(file, p);
	else
		rm_api_control(file, p);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_dup(struct rm_file *file, void *data, u32 size)
{
	rm_api_dup(file, data);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_share(struct rm_file *file, void *data, u32 size)
{
	rm_api_share(file, data);
	return RM_IOCTL_OK;
}
