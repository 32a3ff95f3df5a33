// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The texts under /proc/driver/nvidia, in the formats that tools parse.
 */
#include "rm/caps.h"
#include "rm/class/state.h"
#include "rm/file.h"
#include "rm/gpu/gpu.h"
#include "rm/gpu/static_info.h"
#include "rm/server/server.h"

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

/* Module parameters and what they are when nobody sets them; a registry key of the name overrides.
 */
static const struct {
	const char *name;
	u32 value;
} parameters[] = {
	{ "ResmanDebugLevel", ~0u },
	{ "RmLogonRC", 1 },
	{ "ModifyDeviceFiles", 1 },
	{ "DeviceFileUID", 0 },
	{ "DeviceFileGID", 0 },
	{ "DeviceFileMode", 0666 },
	{ "InitializeSystemMemoryAllocations", 1 },
	{ "UsePageAttributeTable", ~0u },
	{ "EnableMSI", 1 },
	{ "EnablePCIeGen3", 0 },
	{ "MemoryPoolSize", 0 },
	{ "KMallocHeapMaxSize", 0 },
	{ "VMallocHeapMaxSize", 0 },
	{ "IgnoreMMIOCheck", 0 },
	{ "TCEBypassMode", 0 },
	{ "EnableStreamMemOPs", 0 },
	{ "EnableUserNUMAManagement", 1 },
	{ "NvLinkDisable", 0 },
	{ "RmProfilingAdminOnly", 1 },
	{ "PreserveVideoMemoryAllocations", 0 },
	{ "EnableS0ixPowerManagement", 0 },
	{ "S0ixPowerManagementVideoMemoryThreshold", 256 },
	{ "DynamicPowerManagement", 3 },
	{ "DynamicPowerManagementVideoMemoryThreshold", 200 },
	{ "RegisterPCIDriver", 1 },
	{ "EnablePCIERelaxedOrderingMode", 0 },
	{ "EnableResizableBar", 0 },
	{ "EnableGpuFirmware", 18 },
	{ "EnableGpuFirmwareLogs", 2 },
	{ "EnableDbgBreakpoint", 0 },
	{ "OpenRmEnableUnsupportedGpus", 0 },
	{ "DmaRemapPeerMmio", 1 },
};

struct dwords {
	struct text *text;
	bool any;
};

static void put_dword(void *ctx, const char *name, u32 value)
{
	struct dwords *d = ctx;

	put(d->text, "%s%s=%u", d->any ? ";" : "", name, value);
	d->any = true;
}

static void show_params(struct rm *rm, struct text *t)
{
	struct dwords dwords = { t, false };
	u32 i, value;

	for (i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (rm_registry_read_dword(rm, NULL, parameters[i].name, &value) != NV_OK)
			value = parameters[i].value;
		put(t, "%s: %u\n", parameters[i].name, value);
	}
	put(t, "RegistryDwords: \"");
	rm_registry_for_each_dword(rm, put_dword, &dwords);
	put(t, "\"\nRegistryDwordsPerDevice: \"\"\nRmMsg: \"\"\nGpuBlacklist: \"\"\n"
	       "TemporaryFilePath: \"\"\nExcludedGpus: \"\"\n");
}

static void put_name(void *ctx, const char *name)
{
	struct dwords *d = ctx;

	put(d->text, "%s%s", d->any ? ", " : "", name);
	d->any = true;
}

static void show_registry(struct rm *rm, const struct rm_gpu *gpu, struct text *t)
{
	struct dwords names = { t, false };

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

/* GPU lock held. What the version is the firmware knows; before it runs nobody does. */
static void put_vbios(struct text *t, struct rm_gpu *gpu, bool running)
{
	NV2080_CTRL_BIOS_GET_INFO_V2_PARAMS p = { .biosInfoListSize = 2 };
	u32 revision, oem;

	p.biosInfoList[0].index = NV2080_CTRL_BIOS_INFO_INDEX_REVISION;
	p.biosInfoList[1].index = NV2080_CTRL_BIOS_INFO_INDEX_OEM_REVISION;
	if (!running || rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_BIOS_GET_INFO_V2, &p,
						sizeof(p)) != NV_OK) {
		put(t, "Video BIOS: \t ??.??.??.??.??\n");
		return;
	}
	revision = p.biosInfoList[0].data;
	oem = p.biosInfoList[1].data;
	put(t, "Video BIOS: \t %02x.%02x.%02x.%02x.%02x\n", revision >> 24, revision >> 16 & 0xff,
	    revision >> 8 & 0xff, revision & 0xff, oem);
}

static void show_information(struct rm_call *call, struct rm_gpu *gpu, struct text *t)
{
	const struct rm_gpu_static *info;

	rm_call_lock_gpu(call, gpu);
	info = os_load_acquire(&gpu->state) == RM_GPU_RUNNING ? gpu->info : NULL;
	put(t, "Model: \t\t %s\n", info ? (const char *)info->config.gpuNameString : "Unknown");
	put(t, "IRQ:   \t\t %u\n", os_pci_cfg_read(gpu->pci, 0x3c, 1) & 0xff);
	if (info)
		put_uuid(t, info->uuid);
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
	put(t, "GPU Excluded:\t No\n");
}

static void show_power(struct text *t)
{
	put(t, "Runtime D3 status:          Disabled by default\n");
	put(t, "Video Memory:               Active\n\n");
	put(t, "GPU Hardware Support:\n");
	put(t, " Video Memory Self Refresh: Not Supported\n");
	put(t, " Video Memory Off:          Not Supported\n");
}

static void show_cap(const struct rm_cap *cap, struct text *t)
{
	put(t, "DeviceFileMinor: %u\n", cap->minor);
	put(t, "DeviceFileMode: %u\n", cap->mode);
	put(t, "DeviceFileModify: 1\n");
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

/* The set of GPUs does not change during the call. */
static enum nv_status show(struct rm_call *call, const char *path, struct text *t)
{
	struct rm *rm = call->rm;
	const char *rest;
	char directory[40];
	u32 i;

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
	rest = behind(path, "capabilities/");
	for (i = 0; rest && i < rm_cap_count; i++) {
		if (os_strcmp(rest, rm_caps[i].path) == 0) {
			show_cap(&rm_caps[i], t);
			return NV_OK;
		}
	}
	for (i = 0; i < RM_MAX_GPUS; i++) {
		struct rm_gpu *gpu = rm_gpu_by_instance(rm, i);

		if (!gpu)
			continue;
		gpu_directory(gpu, directory, sizeof(directory));
		rest = behind(path, directory);
		if (rest)
			return show_gpu(call, gpu, rest, t);
	}
	return NV_ERR_OBJECT_NOT_FOUND;
}

enum nv_status rm_proc_show(struct rm *rm, const char *path, char *buf, size_t size, size_t *length)
{
	struct text text = { buf, size, 0 };
	struct rm_call call;
	enum nv_status status;

	if (size)
		buf[0] = '\0';
	rm_gpus_hold(&call, rm, NULL);
	status = show(&call, path, &text);
	rm_gpus_let_go(&call);
	*length = text.length;
	return status;
}

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
