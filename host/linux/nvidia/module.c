// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * nvidia.ko begins and ends: the resource manager first, then what makes it reachable, last the
 * bus on which its GPUs are. Either module may be loaded first: without a GPU there is a driver
 * that waits for one.
 */
#include <linux/debugfs.h>
#include <linux/module.h>

#include "host/linux/nvidia/nvidia.h"

#define NAME "nvidia"

struct rm *nvidia_rm;
EXPORT_SYMBOL_GPL(nvidia_rm);
EXPORT_SYMBOL_GPL(rm_setting);

static struct dentry *debug;

static int rm_start(void)
{
	struct rm_config config = { .host = &nvidia_host_ops };
	int rc = nvidia_settings(&config);
	enum nv_status status;

	if (rc)
		return rc;
	status = rm_create(&config, &nvidia_rm);
	if (status != NV_OK) {
		os_log(OS_LOG_ERROR, "NVRM: the resource manager does not start: 0x%x", status);
		nvidia_settings_free();
	}
	return nvidia_errno(status);
}

static void rm_stop(void)
{
	rm_destroy(nvidia_rm);
	nvidia_rm = NULL;
	nvidia_settings_free();
}

static int __init nvidia_init(void)
{
	int rc;

	debug = debugfs_create_dir(NAME, NULL);
	rc = os_linux_init(NAME, IS_ERR(debug) ? NULL : debug);
	if (rc)
		goto fail_os;
	rc = rm_start();
	if (rc)
		goto fail_rm;
	rc = nvidia_maps_init();
	if (rc)
		goto fail_maps;
	rc = nvidia_nodes_init();
	if (rc)
		goto fail_nodes;
	rc = nvidia_proc_init();
	if (rc)
		goto fail_proc;
	rc = nvidia_power_init();
	if (rc)
		goto fail_power;
	rc = nvidia_pci_init();
	if (rc)
		goto fail_pci;
	nvidia_acpi_init();
	os_log(OS_LOG_INFO,
	       "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  %s  Leafhopper",
	       rm_version(nvidia_rm));
	return 0;

fail_pci:
	nvidia_power_exit();
fail_power:
	nvidia_proc_exit();
fail_proc:
	nvidia_nodes_exit();
fail_nodes:
	nvidia_maps_exit();
fail_maps:
	rm_stop();
fail_rm:
	os_linux_exit();
fail_os:
	debugfs_remove(debug);
	return rc;
}

static void __exit nvidia_exit(void)
{
	nvidia_acpi_exit();
	nvidia_power_exit();
	nvidia_pci_exit();
	nvidia_proc_exit();
	nvidia_nodes_exit();
	nvidia_maps_exit();
	rm_stop();
	os_linux_exit();
	debugfs_remove(debug);
}

module_init(nvidia_init);
module_exit(nvidia_exit);

MODULE_DESCRIPTION("Leafhopper: the r535 driver interface on a software H100");
MODULE_AUTHOR("The Leafhopper authors");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION(RM_DEFAULT_VERSION);
MODULE_INFO(supported, "external");
MODULE_ALIAS_CHARDEV_MAJOR(NVIDIA_MAJOR);
MODULE_FIRMWARE("nvidia/gsp_gh100.bin");
