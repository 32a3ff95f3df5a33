// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * nvidia-uvm.ko begins and ends: unified memory on nvidia.ko's resource manager, and the nodes that
 * make it reachable. Its symbols name nvidia.ko, without which it does not load and which stays as
 * long as it is there.
 */
#include <linux/cdev.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>

#include "host/linux/nvidia-uvm/uvm.h"

#define NAME "nvidia-uvm"
#define MODE_OF_NODES 0666

static int uvm_enable_builtin_tests;
module_param(uvm_enable_builtin_tests, int, 0444);
MODULE_PARM_DESC(uvm_enable_builtin_tests,
		 "Serve the built-in tests of unified memory (0; a risk to who shares the GPUs)");

struct uvm *nvidia_uvm;
static struct dentry *debug;

static const char *const node_names[] = {
	[UVM_NODE_UVM] = "nvidia-uvm",
	[UVM_NODE_TOOLS] = "nvidia-uvm-tools",
};

static struct {
	struct class class;
	dev_t first;
	struct cdev cdev;
	struct device *made[ARRAY_SIZE(node_names)];
} nodes;

#ifdef HAVE_CLASS_DEVNODE_CONST
static char *node_devnode(const struct device *dev, umode_t *mode)
#else
static char *node_devnode(struct device *dev, umode_t *mode)
#endif
{
	if (mode)
		*mode = MODE_OF_NODES;
	return NULL;
}

static void nodes_remove(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(nodes.made); i++) {
		if (nodes.made[i])
			device_unregister(nodes.made[i]);
		nodes.made[i] = NULL;
	}
}

static int nodes_make(void)
{
	struct device *dev;
	u32 i;

	/* NVreg_ModifyDeviceFiles of nvidia.ko: nodes are somebody else's to make. */
	for (i = 0; i < ARRAY_SIZE(nodes.made) && rm_setting(nvidia_rm, "ModifyDeviceFiles"); i++) {
		dev = os_linux_alloc_fails() ? ERR_PTR(-ENOMEM)
					     : device_create(&nodes.class, NULL, nodes.first + i,
							     NULL, "%s", node_names[i]);
		if (IS_ERR(dev)) {
			nodes_remove();
			return PTR_ERR(dev);
		}
		nodes.made[i] = dev;
	}
	return 0;
}

static int nodes_init(void)
{
	int rc;

	nodes.class.name = NAME;
	nodes.class.devnode = node_devnode;
	rc = class_register(&nodes.class);
	if (rc)
		return rc;
	rc = alloc_chrdev_region(&nodes.first, 0, ARRAY_SIZE(node_names), NAME);
	if (rc)
		goto fail_region;
	cdev_init(&nodes.cdev, &nvidia_uvm_file_ops);
	nodes.cdev.owner = THIS_MODULE;
	rc = cdev_add(&nodes.cdev, nodes.first, ARRAY_SIZE(node_names));
	if (rc)
		goto fail_cdev;
	rc = nodes_make();
	if (rc)
		goto fail_nodes;
	return 0;

fail_nodes:
	cdev_del(&nodes.cdev);
fail_cdev:
	unregister_chrdev_region(nodes.first, ARRAY_SIZE(node_names));
fail_region:
	class_unregister(&nodes.class);
	return rc;
}

static void nodes_exit(void)
{
	nodes_remove();
	cdev_del(&nodes.cdev);
	unregister_chrdev_region(nodes.first, ARRAY_SIZE(node_names));
	class_unregister(&nodes.class);
}

static int __init nvidia_uvm_init(void)
{
	struct uvm_config config = { .rm = nvidia_rm,
				     .host = &nvidia_uvm_host_ops,
				     .builtin_tests = uvm_enable_builtin_tests != 0 };
	int rc;

	debug = debugfs_create_dir(NAME, NULL);
	rc = os_linux_init(NAME, IS_ERR(debug) ? NULL : debug);
	if (rc)
		goto fail_os;
	rc = -ENOMEM;
	if (uvm_create(&config, &nvidia_uvm) != NV_OK)
		goto fail_uvm;
	rc = nodes_init();
	if (rc)
		goto fail_nodes;
	os_log(OS_LOG_INFO, "Loaded the UVM driver, major device number %u.", MAJOR(nodes.first));
	return 0;

fail_nodes:
	uvm_destroy(nvidia_uvm);
fail_uvm:
	os_linux_exit();
fail_os:
	debugfs_remove(debug);
	return rc;
}

static void __exit nvidia_uvm_exit(void)
{
	nodes_exit();
	uvm_destroy(nvidia_uvm);
	os_log(OS_LOG_INFO, "Unloaded the UVM driver.");
	os_linux_exit();
	debugfs_remove(debug);
}

module_init(nvidia_uvm_init);
module_exit(nvidia_uvm_exit);

MODULE_DESCRIPTION("Leafhopper: unified memory");
MODULE_AUTHOR("The Leafhopper authors");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION(RM_DEFAULT_VERSION);
MODULE_INFO(supported, "external");
