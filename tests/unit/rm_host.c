// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A host of the resource manager, with software H100s on its bus. */
#include "rm_host.h"

#include "base/bits.h"
#include "os/user/pci.h"
#include "rm/api/api.h"
#include "rm/class/channel.h"
#include "rm/class/memory.h"
#include "unit.h"

struct rm_host host;

static struct rm_file *file_get(s32 fd)
{
	if (host.asked)
		host.asked();
	if (fd < 0 || fd >= HOST_FDS || !host.fds[fd].file)
		return NULL;
	os_fetch_add(&host.fds[fd].references, 1);
	return host.fds[fd].file;
}

static void file_put(struct rm_file *file)
{
	u32 fd;

	for (fd = 0; fd < HOST_FDS; fd++) {
		if (host.fds[fd].file != file)
			continue;
		if (os_fetch_sub(&host.fds[fd].references, 1) == 1) {
			host.fds[fd].file = NULL;
			rm_file_close(file);
		}
		return;
	}
	fail_msg("no such file");
}

static void file_notify(struct rm_file *file, void *ctx)
{
	os_fetch_add(&host.notified, 1);
}

static const struct rm_host_ops ops = {
	.file_get = file_get,
	.file_put = file_put,
	.file_notify = file_notify,
};

void host_start(u32 gpus)
{
	static const struct fixture_gpu_config plain;

	host_start_like(gpus, &plain);
}

void host_start_like(u32 gpus, const struct fixture_gpu_config *like)
{
	host_start_with(gpus, like, RM_OPTION_RM_MSG, NULL);
}

void host_start_with(u32 gpus, const struct fixture_gpu_config *like, enum rm_option option,
		     const char *text)
{
	struct rm_config config = { .host = &ops };
	u32 i;

	config.options[option] = text;
	memset(&host, 0, sizeof(host));
	host.live = unit_live();
	os_user_set_signal(&host.signal);
	assert_int_equal(rm_create(&config, &host.rm), NV_OK);
	for (i = 0; i < gpus; i++) {
		struct fixture_gpu_config gpu = *like;

		gpu.index = i;
		gpu.count = gpus;
		fixture_gpu_create(&host.gpus[i], &gpu);
		assert_int_equal(rm_gpu_add(host.rm, host.gpus[i].pci, i, &host.rm_gpus[i]), NV_OK);
	}
	host.gpu_count = gpus;
}

void host_add(u32 index, const char *profile)
{
	struct fixture_gpu_config gpu = {
		.profile = profile,
		.index = index,
		.count = host.gpu_count,
	};

	fixture_gpu_create(&host.gpus[index], &gpu);
	assert_int_equal(rm_gpu_add(host.rm, host.gpus[index].pci, index, &host.rm_gpus[index]),
			 NV_OK);
}

void host_remove(u32 index)
{
	rm_gpu_remove(host.rm_gpus[index]);
	host.rm_gpus[index] = NULL;
	fixture_gpu_destroy(&host.gpus[index]);
}

void host_stop(void)
{
	u32 i;

	for (i = 0; i < HOST_FDS; i++) {
		if (host.fds[i].file)
			host_close((int)i);
	}
	for (i = 0; i < host.gpu_count; i++) {
		if (host.rm_gpus[i])
			host_remove(i);
	}
	rm_destroy(host.rm);
	host.rm = NULL;
	os_user_set_signal(NULL);
}

int host_end(void **state)
{
	os_user_set_cred(NULL);
	host_stop();
	assert_int_equal(unit_live(), host.live);
	return 0;
}

int host_open(enum rm_node node, u32 minor)
{
	enum nv_status status;
	int fd;

	for (fd = 0; fd < HOST_FDS && host.fds[fd].file; fd++)
		;
	assert_true(fd < HOST_FDS);
	status = rm_file_open(host.rm, node, minor, &host.fds[fd], &host.fds[fd].file);
	if (status != NV_OK)
		return -(int)status;
	host.fds[fd].references = 1;
	return fd;
}

void host_close(int fd)
{
	file_put(host.fds[fd].file);
}

enum rm_ioctl_result host_ioctl(int fd, u32 number, void *arg, u32 size)
{
	return rm_ioctl(host.fds[fd].file, REQUEST(number, size), (u64)(uintptr_t)arg);
}

u32 host_client(int fd)
{
	NVOS21_PARAMETERS p = { .hClass = NV01_ROOT };

	assert_int_equal(host_ioctl(fd, NV_ESC_RM_ALLOC, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	assert_int_not_equal(p.hObjectNew, 0);
	return p.hObjectNew;
}

u32 host_alloc(int fd, u32 client, u32 parent, u32 *handle, u32 class_id, void *params, u32 size)
{
	NVOS64_PARAMETERS p = {
		.hRoot = client,
		.hObjectParent = parent,
		.hObjectNew = *handle,
		.hClass = class_id,
		.pAllocParms = (u64)(uintptr_t)params,
		.paramsSize = size,
	};

	assert_int_equal(host_ioctl(fd, NV_ESC_RM_ALLOC, &p, sizeof(p)), RM_IOCTL_OK);
	*handle = p.hObjectNew;
	return p.status;
}

u32 host_control(int fd, u32 client, u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.params = (u64)(uintptr_t)params,
		.paramsSize = size,
	};

	assert_int_equal(host_ioctl(fd, NV_ESC_RM_CONTROL, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

u32 host_free(int fd, u32 client, u32 object)
{
	NVOS00_PARAMETERS p = { .hRoot = client, .hObjectOld = object };

	assert_int_equal(host_ioctl(fd, NV_ESC_RM_FREE, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

NvProcessorUuid host_gpu_uuid(int fd, u32 client, u32 index)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids = { 0 };
	NV0000_CTRL_GPU_GET_UUID_FROM_GPU_ID_PARAMS p = { 0 };
	NvProcessorUuid uuid;

	assert_int_equal(host_control(fd, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids,
				      sizeof(ids)),
			 NV_OK);
	p.gpuId = ids.gpuIds[index];
	p.flags = (u32)REG_PREP(NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID_FLAGS_FORMAT,
				NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID_FLAGS_FORMAT_BINARY);
	assert_int_equal(host_control(fd, client, client, NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID,
				      &p, sizeof(p)),
			 NV_OK);
	memcpy(uuid.uuid, p.gpuUuid, sizeof(uuid.uuid));
	return uuid;
}

/* -- One program ------------------------------------------------------------------------------- */

struct host_program host_program;

void host_be(bool admin)
{
	const struct os_cred cred = { .pid = 4000, .uid = admin ? 0 : 7, .admin = admin };

	os_user_set_cred(&cred);
}

void host_program_start(bool admin)
{
	const struct fixture_gpu_config plain = { 0 };

	host_program_start_like(admin, &plain);
}

void host_program_start_like(bool admin, const struct fixture_gpu_config *like)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	struct host_program *p = &host_program;

	host_be(admin);
	host_start_like(1, like);
	p->gpu = host_open(RM_NODE_GPU, 0);
	p->ctl = host_open(RM_NODE_CONTROL, 0);
	assert_true(p->gpu >= 0 && p->ctl >= 0);
	p->client = host_client(p->ctl);
	assert_int_equal(host_make(p->client, HOST_DEVICE, NV01_DEVICE_0, &d), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, HOST_SUBDEVICE, NV20_SUBDEVICE_0, NULL), NV_OK);
}

u32 host_make(u32 parent, u32 handle, u32 class_id, void *params)
{
	return host_alloc(host_program.ctl, host_program.client, parent, &handle, class_id, params,
			  0);
}

u32 host_ask(u32 object, u32 cmd, void *params, u32 size)
{
	return host_control(host_program.ctl, host_program.client, object, cmd, params, size);
}

u32 host_drop(u32 object)
{
	return host_free(host_program.ctl, host_program.client, object);
}

struct rm_channel *host_channel(u32 handle)
{
	struct rm_channel *channel;
	struct rm_call call;

	assert_int_equal(
		rm_api_begin(&call, host.fds[host_program.ctl].file, host_program.client, handle),
		NV_OK);
	channel = rm_channel_of(call.object);
	rm_api_end(&call);
	return channel;
}

struct rm_backing *host_backing(u32 handle)
{
	struct rm_backing *backing;
	struct rm_call call;

	assert_int_equal(
		rm_api_begin(&call, host.fds[host_program.ctl].file, host_program.client, handle),
		NV_OK);
	backing = rm_memory_backing(call.object);
	rm_api_end(&call);
	return backing;
}

u64 host_map_to_gpu(u32 range, u32 memory, u64 size)
{
	NVOS46_PARAMETERS p = { .hClient = host_program.client,
				.hDevice = HOST_DEVICE,
				.hDma = range,
				.hMemory = memory,
				.length = size };

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)),
			 RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	return p.dmaOffset;
}

/* Whoever looks at shared memory asks nobody: no race of the driver's. */
__attribute__((no_sanitize("thread"))) static bool page_has(const u8 *page, const u8 *bytes,
							    size_t size)
{
	size_t at, i;

	for (at = 0; at + size <= OS_PAGE_SIZE; at++) {
		for (i = 0; i < size && page[at + i] == bytes[i]; i++)
			;
		if (i == size)
			return true;
	}
	return false;
}

bool host_shares(const void *bytes, size_t size)
{
	const struct dma_table *t = &host.gpus[0].pci->dma;
	u32 slot;

	for (slot = 0; slot < t->used; slot++) {
		u64 entry = t->chunks[slot / 4096][slot % 4096];

		if ((entry & DMA_ENTRY_USED) && !(entry & DMA_ENTRY_PRIVATE) &&
		    page_has((const u8 *)(uintptr_t)(entry & ~DMA_ENTRY_FLAGS), bytes, size))
			return true;
	}
	return false;
}
