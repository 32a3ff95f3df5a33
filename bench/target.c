// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The resource manager's benchmarks' requests, through rm_ioctl. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/r535.h"
#include "os/user/user.h"
#include "rm/rm.h"

/* _IOWR('F', number, type) */
#define REQUEST(number, type) (3u << 30 | (u32)sizeof(type) << 16 | 'F' << 8 | (number))

struct target {
	struct rm *rm;
	struct rm_file *file;
};

static void must(bool good, const char *what, u32 status)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s failed: %#x\n", what, status);
	exit(2);
}

static void file_notify(struct rm_file *file, void *host_ctx)
{
}

static struct rm_file *file_get(s32 fd)
{
	return NULL;
}

static void file_put(struct rm_file *file)
{
}

void target_thread(void)
{
	os_user_set_copy_ops(&os_user_copy_trusted, NULL);
}

struct target *target_open(void)
{
	static const struct rm_host_ops ops = {
		.file_get = file_get,
		.file_put = file_put,
		.file_notify = file_notify,
	};
	const struct rm_config config = { .host = &ops };
	struct target *target = calloc(1, sizeof(*target));

	must(target, "malloc", 0);
	target_thread();
	must(rm_create(&config, &target->rm) == NV_OK, "rm_create", 0);
	must(rm_file_open(target->rm, RM_NODE_CONTROL, 0, NULL, &target->file) == NV_OK, "open", 0);
	return target;
}

void target_close(struct target *target)
{
	rm_file_close(target->file);
	rm_destroy(target->rm);
	free(target);
}

/* Where instructions are counted from: not to be inlined, however the program is linked. */
static enum rm_ioctl_result (*volatile entry)(struct rm_file *file, u32 request,
					      u64 arg) = rm_ioctl;

static void request(struct target *target, u32 request, void *params)
{
	enum rm_ioctl_result result = entry(target->file, request, (u64)(uintptr_t)params);

	must(result == RM_IOCTL_OK, "ioctl", result);
}

u32 target_client_alloc(struct target *target)
{
	NVOS21_PARAMETERS p = { .hClass = NV01_ROOT_CLIENT };

	request(target, REQUEST(NV_ESC_RM_ALLOC, p), &p);
	must(p.status == NV_OK, "alloc of a client", p.status);
	return p.hObjectNew;
}

void target_client_free(struct target *target, u32 client)
{
	target_child_free(target, client, client);
}

void target_child_alloc(struct target *target, u32 client, u32 handle)
{
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS params = { .hClient = client };
	NVOS21_PARAMETERS p = {
		.hRoot = client,
		.hObjectParent = client,
		.hObjectNew = handle,
		.hClass = NV_CONFIDENTIAL_COMPUTE,
		.pAllocParms = (NvP64)(uintptr_t)&params,
	};

	request(target, REQUEST(NV_ESC_RM_ALLOC, p), &p);
	must(p.status == NV_OK, "alloc of a child", p.status);
}

void target_child_free(struct target *target, u32 client, u32 handle)
{
	NVOS00_PARAMETERS p = { .hRoot = client, .hObjectOld = handle };

	request(target, REQUEST(NV_ESC_RM_FREE, p), &p);
	must(p.status == NV_OK, "free", p.status);
}

static u32 control(struct target *target, u32 client, u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};

	request(target, REQUEST(NV_ESC_RM_CONTROL, p), &p);
	return p.status;
}

void target_control(struct target *target, u32 client)
{
	NV0000_CTRL_SYSTEM_GET_PRIVILEGED_STATUS_PARAMS params = { 0 };
	u32 status = control(target, client, client, NV0000_CTRL_CMD_SYSTEM_GET_PRIVILEGED_STATUS,
			     &params, sizeof(params));

	must(status == NV_OK, "control of a client", status);
}

void target_child_control(struct target *target, u32 client, u32 handle)
{
	NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES_PARAMS params = { 0 };
	u32 status =
		control(target, client, handle, NV_CONF_COMPUTE_CTRL_CMD_SYSTEM_GET_CAPABILITIES,
			&params, sizeof(params));

	must(status == NV_OK, "control of a child", status);
}
