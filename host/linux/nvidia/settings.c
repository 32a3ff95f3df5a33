// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The module's parameters: every one that the documented driver has, by its name, type and value.
 * The resource manager is told all of them; those that nothing looks at are shown in
 * /proc/driver/nvidia/params like the others.
 */
#include <linux/kernel.h>
#include <linux/kernel_read_file.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "host/linux/nvidia/nvidia.h"
#include "rm/parameters.h"

#define DEFINE_PARAMETER(name, value)           \
	static int NVreg_##name = (int)(value); \
	module_param(NVreg_##name, int, 0);
RM_PARAMETERS(DEFINE_PARAMETER)

#define PARAMETER(name, number) { #name, (u32)(number) },
static struct rm_registry_entry entries[] = { RM_PARAMETERS(PARAMETER) };

static char *NVreg_RegistryDwords;
module_param(NVreg_RegistryDwords, charp, 0);
static char *NVreg_RegistryDwordsPerDevice;
module_param(NVreg_RegistryDwordsPerDevice, charp, 0);
static char *NVreg_RmMsg;
module_param(NVreg_RmMsg, charp, 0);
static char *NVreg_GpuBlacklist;
module_param(NVreg_GpuBlacklist, charp, 0);
static char *NVreg_TemporaryFilePath;
module_param(NVreg_TemporaryFilePath, charp, 0);
static char *NVreg_ExcludedGpus;
module_param(NVreg_ExcludedGpus, charp, 0);

/* Of parts that this driver has not, or does by other means: taken, so that a configuration loads.
 */
static char *NVreg_RmNvlinkBandwidth;
module_param(NVreg_RmNvlinkBandwidth, charp, 0);
static char *NvSwitchRegDwords;
module_param(NvSwitchRegDwords, charp, 0);
MODULE_PARM_DESC(NvSwitchRegDwords, "Registry keys of NVSwitch devices (unused)");
static char *NvSwitchBlacklist;
module_param(NvSwitchBlacklist, charp, 0);
MODULE_PARM_DESC(NvSwitchBlacklist, "UUIDs of NVSwitch devices to leave out (unused)");
static char *rm_firmware_active;
module_param(rm_firmware_active, charp, 0);

static char *interface_version = RM_DEFAULT_VERSION;
module_param(interface_version, charp, 0444);
MODULE_PARM_DESC(interface_version,
		 "Version of the client libraries, " RM_DEFAULT_VERSION " unless set");

static char *cc_root;
module_param(cc_root, charp, 0444);
MODULE_PARM_DESC(cc_root, "File of the certificate (DER) that is trusted to certify GPUs in "
			  "confidential mode; unset: the project's test root");

#define ROOT_MAX SZ_64K

static void *root; /* its contents */

static int load_root(struct rm_config *config)
{
	size_t size = 0;
	ssize_t got;

	if (!cc_root)
		return 0;
	got = kernel_read_file_from_path(cc_root, 0, &root, ROOT_MAX, &size,
					 READING_X509_CERTIFICATE);
	if (got <= 0) {
		os_log(OS_LOG_ERROR, "NVRM: cc_root: %s: error %zd", cc_root, got ? -got : EINVAL);
		return got ? (int)got : -EINVAL;
	}
	config->cc_root = root;
	config->cc_root_bytes = (u32)got;
	return 0;
}

void nvidia_settings_free(void)
{
	vfree(root);
	root = NULL;
}

int nvidia_settings(struct rm_config *config)
{
	u32 i = 0;

#define TAKE(name, unused) entries[i++].value = (u32)NVreg_##name;
	RM_PARAMETERS(TAKE)
#undef TAKE
	config->version = interface_version;
	config->registry = entries;
	config->registry_count = ARRAY_SIZE(entries);
	config->options[RM_OPTION_REGISTRY_DWORDS] = NVreg_RegistryDwords;
	config->options[RM_OPTION_REGISTRY_DWORDS_PER_DEVICE] = NVreg_RegistryDwordsPerDevice;
	config->options[RM_OPTION_RM_MSG] = NVreg_RmMsg;
	config->options[RM_OPTION_GPU_BLACKLIST] = NVreg_GpuBlacklist;
	config->options[RM_OPTION_TEMPORARY_FILE_PATH] = NVreg_TemporaryFilePath;
	config->options[RM_OPTION_EXCLUDED_GPUS] = NVreg_ExcludedGpus;
	if (NVreg_RmNvlinkBandwidth || NvSwitchRegDwords || NvSwitchBlacklist)
		os_log(OS_LOG_WARN, "NVRM: settings of NVLink and NVSwitch have no effect");
	if (rm_firmware_active)
		os_log(OS_LOG_INFO, "NVRM: the GPU's firmware is active on every GPU");
	return load_root(config);
}

bool nvidia_binds_gpus(void)
{
	return rm_setting(nvidia_rm, "RegisterPCIDriver") != 0;
}
