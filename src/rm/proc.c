// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The texts under /proc/driver/nvidia, in the formats that tools parse. None of these waits for a
 * suspended instance: what is shown is what the driver knows without the GPU.
 */
#include "rm/caps.h"
#include "rm/class/state.h"
#include "rm/file.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/name.h"
#include "rm/gpu/static_info.h"
#include "rm/parameters.h"
#include "rm/server/server.h"

/* What compiled this; a checker that compiles nothing does not say. */
#ifndef __VERSION__
#define __VERSION__ "unknown"
#endif

/* Text that grows past its buffer is counted but not written. */
struct text {
	char *buf;
	size_t size;
	size_t length;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	size_t room = t->length < t->size ? t->size - t->length : 0;
	char nothing[1];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = os_vsnprintf(room ? t->buf + t->length : nothing, room ? room : sizeof(nothing), fmt,
			 ap);
	va_end(ap);
	if (n > 0)
		t->length += (size_t)n;
}

static void show_version(struct rm *rm, struct text *t)
{
	put(t, "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  %s  Leafhopper\n",
	    rm->version);
	put(t, "GCC version:  %s\n", __VERSION__);
}

#define PARAMETER_NAME(name, value) #name,

/* A text with the quotation marks around it. */
static void put_option(struct rm *rm, struct text *t, const char *name, enum rm_option option)
{
	put(t, "%s: \"%s\"\n", name, rm->options[option] ? rm->options[option] : "");
}

static void show_params(struct rm *rm, struct text *t)
{
	static const char *const names[] = { RM_PARAMETERS(PARAMETER_NAME) };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		put(t, "%s: %u\n", names[i], rm_setting(rm, names[i]));
	put_option(rm, t, "RegistryDwords", RM_OPTION_REGISTRY_DWORDS);
	put_option(rm, t, "RegistryDwordsPerDevice", RM_OPTION_REGISTRY_DWORDS_PER_DEVICE);
	put_option(rm, t, "RmMsg", RM_OPTION_RM_MSG);
	put_option(rm, t, "GpuBlacklist", RM_OPTION_GPU_BLACKLIST);
	put_option(rm, t, "TemporaryFilePath", RM_OPTION_TEMPORARY_FILE_PATH);
	put_option(rm, t, "ExcludedGpus", RM_OPTION_EXCLUDED_GPUS);
}

struct names {
	struct text *text;
	bool any;
};

static void put_name(void *ctx, const char *name)
{
	struct names *names = ctx;

	put(names->text, "%s%s", names->any ? ", " : "", name);
	names->any = true;
}

static void show_registry(struct rm *rm, const struct rm_gpu *gpu, struct text *t)
{
	struct names names = { t, false };

	put(t, "Binary: \"");
	rm_registry_for_each_binary(rm, gpu, put_name, &names);
	put(t, "\"\n");
}

/* -- One GPU -------------------------------------------------------------------------------------
 */

static void put_uuid(struct text *t, const u8 *u)
{
	put(t, "GPU UUID: \t GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-", u[0], u[1], u[2],
	    u[3], u[4], u[5], u[6], u[7], u[8], u[9]);
	put(t, "%02x%02x%02x%02x%02x%02x\n", u[10], u[11], u[12], u[13], u[14], u[15]);
}

/* GPU lock held. What the version is the firmware knows, which is asked once. */
static bool vbios_known(struct rm_gpu *gpu)
{
	NV2080_CTRL_BIOS_GET_INFO_V2_PARAMS p = { .biosInfoListSize = 2 };
	struct rm_gpu_static *info = gpu->info;

	if (info->vbios_known || !gpu->gsp)
		return info->vbios_known;
	p.biosInfoList[0].index = NV2080_CTRL_BIOS_INFO_INDEX_REVISION;
	p.biosInfoList[1].index = NV2080_CTRL_BIOS_INFO_INDEX_OEM_REVISION;
	if (rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_BIOS_GET_INFO_V2, &p, sizeof(p)) != NV_OK)
		return false;
	info->vbios_revision = p.biosInfoList[0].data;
	info->vbios_oem = p.biosInfoList[1].data;
	info->vbios_known = true;
	return true;
}

/* GPU lock held. */
static void put_vbios(struct text *t, struct rm_gpu *gpu, bool running)
{
	u32 revision, oem;

	if (!running || !vbios_known(gpu)) {
		put(t, "Video BIOS: \t ??.??.??.??.??\n");
		return;
	}
	revision = gpu->info->vbios_revision;
	oem = gpu->info->vbios_oem;
	put(t, "Video BIOS: \t %02x.%02x.%02x.%02x.%02x\n", revision >> 24, revision >> 16 & 0xff,
	    revision >> 8 & 0xff, revision & 0xff, oem);
}

static void show_information(struct rm_call *call, struct rm_gpu *gpu, struct text *t)
{
	const struct rm_gpu_static *info;

	rm_call_lock_gpu(call, gpu);
	info = os_load_acquire(&gpu->state) == RM_GPU_RUNNING ? gpu->info : NULL;
	put(t, "Model: \t\t %s\n", rm_gpu_name(gpu));
	put(t, "IRQ:   \t\t %u\n", os_pci_irq_number(gpu->pci));
	if (info || gpu->excluded)
		put_uuid(t, gpu->info->uuid);
	else
		put(t, "GPU UUID: \t GPU-???????\?-???\?-???\?-???\?-???????????\?\n");
	put_vbios(t, gpu, info != NULL);
	put(t, "Bus Type: \t PCIe\n");
	put(t, "DMA Size: \t 52 bits\n");
	put(t, "DMA Mask: \t 0x%llx\n", 0xfffffffffffffull);
	put(t, "Bus Location: \t %04x:%02x:%02x.%x\n", gpu->location.domain, gpu->location.bus,
	    gpu->location.device, gpu->location.function);
	put(t, "Device Minor: \t %u\n", gpu->minor);
	if (info)
		put(t, "GPU Firmware: \t %s\n", call->rm->version);
	put(t, "GPU Excluded:\t %s\n", gpu->excluded ? "Yes" : "No");
}

static void show_power(struct text *t)
{
	put(t, "Runtime D3 status:          Disabled by default\n");
	put(t, "Video Memory:               Active\n\n");
	put(t, "GPU Hardware Support:\n");
	put(t, " Video Memory Self Refresh: Not Supported\n");
	put(t, " Video Memory Off:          Not Supported\n");
}

static void show_cap(struct rm *rm, const struct rm_cap *cap, struct text *t)
{
	s32 modify;

	os_mutex_lock(&rm->file_lock);
	modify = rm->cap_modify[cap - rm_caps];
	os_mutex_unlock(&rm->file_lock);
	put(t, "DeviceFileMinor: %u\n", cap->minor);
	put(t, "DeviceFileMode: %u\n", cap->mode);
	put(t, "DeviceFileModify: %d\n", modify);
}

static void gpu_directory(const struct rm_gpu *gpu, char *out, size_t size)
{
	os_snprintf(out, size, "gpus/%04x:%02x:%02x.%x/", gpu->location.domain, gpu->location.bus,
		    gpu->location.device, gpu->location.function);
}

/* What is left of path behind prefix, or NULL. */
static const char *behind(const char *path, const char *prefix)
{
	while (*prefix && *path == *prefix) {
		path++;
		prefix++;
	}
	return *prefix ? NULL : path;
}

static enum nv_status show_gpu(struct rm_call *call, struct rm_gpu *gpu, const char *name,
			       struct text *t)
{
	if (os_strcmp(name, "information") == 0)
		show_information(call, gpu, t);
	else if (os_strcmp(name, "registry") == 0)
		show_registry(call->rm, gpu, t);
	else if (os_strcmp(name, "power") == 0)
		show_power(t);
	else
		return NV_ERR_OBJECT_NOT_FOUND;
	return NV_OK;
}

/* The GPU whose directory path is in, and the name that is left; the set of GPUs stays. */
static struct rm_gpu *gpu_of_path(struct rm *rm, const char *path, const char **name)
{
	char directory[40];
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		struct rm_gpu *gpu = rm_gpu_by_instance(rm, i);

		if (!gpu)
			continue;
		gpu_directory(gpu, directory, sizeof(directory));
		*name = behind(path, directory);
		if (*name)
			return gpu;
	}
	return NULL;
}

static const struct rm_cap *cap_of_path(const char *path)
{
	const char *rest = behind(path, "capabilities/");
	u32 i;

	for (i = 0; rest && i < rm_cap_count; i++)
		if (os_strcmp(rest, rm_caps[i].path) == 0)
			return &rm_caps[i];
	return NULL;
}

/* The set of GPUs does not change during the call. */
static enum nv_status show(struct rm_call *call, const char *path, struct text *t)
{
	const struct rm_cap *cap = cap_of_path(path);
	struct rm *rm = call->rm;
	struct rm_gpu *gpu;
	const char *name;

	if (os_strcmp(path, "version") == 0) {
		show_version(rm, t);
		return NV_OK;
	}
	if (os_strcmp(path, "params") == 0) {
		show_params(rm, t);
		return NV_OK;
	}
	if (os_strcmp(path, "registry") == 0) {
		show_registry(rm, NULL, t);
		return NV_OK;
	}
	if (cap) {
		show_cap(rm, cap, t);
		return NV_OK;
	}
	gpu = gpu_of_path(rm, path, &name);
	return gpu ? show_gpu(call, gpu, name, t) : NV_ERR_OBJECT_NOT_FOUND;
}

enum nv_status rm_proc_show(struct rm *rm, const char *path, char *buf, size_t size, size_t *length)
{
	struct text text = { buf, size, 0 };
	struct rm_call call;
	enum nv_status status;

	*length = 0;
	if (size)
		buf[0] = '\0';
	rm_gpus_hold(&call, rm, NULL);
	status = show(&call, path, &text);
	rm_gpus_let_go(&call);
	*length = text.length;
	return status;
}

/* -- Writing ----------------------------------------------------------------------------------- */

/* What precedes the first "=", the rest being the key's bytes. */
static enum nv_status write_key(struct rm *rm, const struct rm_gpu *gpu, const char *text,
				size_t size)
{
	size_t length = 0;
	enum nv_status status;
	char *name;

	while (length < size && text[length] && text[length] != '=')
		length++;
	if (length == size || text[length] != '=' || length + 1 == size || size - length - 1 > ~0u)
		return NV_ERR_INVALID_ARGUMENT;
	name = os_alloc(length + 1);
	if (!name)
		return NV_ERR_NO_MEMORY;
	os_memcpy(name, text, length);
	status = rm_registry_write_binary(rm, gpu, name, text + length + 1,
					  (u32)(size - length - 1));
	os_free(name);
	return status == NV_ERR_GENERIC ? NV_ERR_NO_MEMORY : status;
}

static enum nv_status write_cap(struct rm *rm, const struct rm_cap *cap, const char *text,
				size_t size)
{
	static const char key[] = "DeviceFileModify:";
	size_t at = sizeof(key) - 1;
	bool negative, any = false;
	s32 value = 0;

	if (size < at || os_memcmp(text, key, at) != 0)
		return NV_ERR_INVALID_ARGUMENT;
	while (at < size && (text[at] == ' ' || text[at] == '\t'))
		at++;
	negative = at < size && text[at] == '-';
	if (negative)
		at++;
	for (; at < size && text[at] >= '0' && text[at] <= '9' && value < 100000000; at++) {
		value = value * 10 + (text[at] - '0');
		any = true;
	}
	if (!any)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&rm->file_lock);
	rm->cap_modify[cap - rm_caps] = negative ? -value : value;
	os_mutex_unlock(&rm->file_lock);
	return NV_OK;
}

bool rm_proc_cap(const char *path, u32 *minor, u32 *mode)
{
	const struct rm_cap *cap = cap_of_path(path);

	if (!cap)
		return false;
	*minor = cap->minor;
	*mode = cap->mode;
	return true;
}

bool rm_proc_writable(const char *path)
{
	const char *rest = behind(path, "gpus/");

	if (os_strcmp(path, "registry") == 0 || behind(path, "capabilities/"))
		return true;
	while (rest && *rest && *rest != '/')
		rest++;
	return rest && os_strcmp(rest, "/registry") == 0;
}

enum nv_status rm_proc_write(struct rm *rm, const char *path, const char *text, size_t size)
{
	const struct rm_cap *cap = cap_of_path(path);
	enum nv_status status;
	struct rm_call call;
	struct rm_gpu *gpu;
	const char *name;

	rm_gpus_hold(&call, rm, NULL);
	gpu = gpu_of_path(rm, path, &name);
	if (cap)
		status = write_cap(rm, cap, text, size);
	else if (os_strcmp(path, "registry") == 0)
		status = write_key(rm, NULL, text, size);
	else if (gpu && os_strcmp(name, "registry") == 0)
		status = write_key(rm, gpu, text, size);
	else
		status = NV_ERR_OBJECT_NOT_FOUND;
	rm_gpus_let_go(&call);
	return status;
}

/* -- What there is ----------------------------------------------------------------------------- */

void rm_proc_list(struct rm *rm, void (*emit)(void *ctx, const char *path), void *ctx)
{
	static const char *const of_gpu[] = { "information", "registry", "power" };
	char path[64], directory[40];
	struct rm_call call;
	u32 i, j;

	emit(ctx, "version");
	emit(ctx, "params");
	emit(ctx, "registry");
	for (i = 0; i < rm_cap_count; i++) {
		os_snprintf(path, sizeof(path), "capabilities/%s", rm_caps[i].path);
		emit(ctx, path);
	}
	rm_gpus_hold(&call, rm, NULL);
	for (i = 0; i < RM_MAX_GPUS; i++) {
		struct rm_gpu *gpu = rm_gpu_by_instance(rm, i);

		if (!gpu)
			continue;
		gpu_directory(gpu, directory, sizeof(directory));
		for (j = 0; j < ARRAY_SIZE(of_gpu); j++) {
			os_snprintf(path, sizeof(path), "%s%s", directory, of_gpu[j]);
			emit(ctx, path);
		}
	}
	rm_gpus_let_go(&call);
}
