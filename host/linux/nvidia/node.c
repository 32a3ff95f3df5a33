// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The nodes under /dev. The documented driver leaves them to a setuid helper; here they appear as
 * the kernel's own do, with the owner and mode that the settings ask for, unless
 * NVreg_ModifyDeviceFiles says that they are the administrator's.
 */
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/slab.h>

#include "host/linux/nvidia/nvidia.h"

#define MODE_OF_ALL 0777

struct node {
	struct device dev;
	umode_t mode;
	u32 uid, gid;
};

static struct {
	struct class class;
	dev_t caps;
	struct cdev caps_cdev;
	struct device *control;
	struct device *cap[8]; /* in the order of their making */
	u32 cap_count;
} nodes = {
	.class = { .name = "nvidia" },
};

/* -- Nodes ------------------------------------------------------------------------------------- */

#ifdef HAVE_DEVICE_TYPE_DEVNODE_CONST
static char *node_devnode(const struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
#else
static char *node_devnode(struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
#endif
{
	const struct node *node = container_of(dev, struct node, dev);

	if (mode)
		*mode = node->mode;
	if (uid)
		*uid = KUIDT_INIT(node->uid);
	if (gid)
		*gid = KGIDT_INIT(node->gid);
	/* The name is the device's, in which "!" stands for the slash. */
	return NULL;
}

static const struct device_type node_type = { .name = "nvidia", .devnode = node_devnode };

static void node_release(struct device *dev)
{
	kfree(container_of(dev, struct node, dev));
}

static bool nodes_are_ours(void)
{
	return rm_setting(nvidia_rm, "ModifyDeviceFiles") != 0;
}

static struct node *node_alloc(struct device *parent, dev_t devt)
{
	struct node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return NULL;
	device_initialize(&node->dev);
	node->dev.class = &nodes.class;
	node->dev.type = &node_type;
	node->dev.parent = parent;
	node->dev.devt = devt;
	node->dev.release = node_release;
	return node;
}

static struct device *node_add(struct node *node, int named)
{
	int rc = named;

	if (!rc)
		rc = device_add(&node->dev);
	if (rc) {
		put_device(&node->dev);
		return ERR_PTR(rc);
	}
	return &node->dev;
}

static struct device *device_node(struct device *parent, u32 minor)
{
	struct node *node;

	if (!nodes_are_ours())
		return NULL;
	node = node_alloc(parent, MKDEV(NVIDIA_MAJOR, minor));
	if (!node)
		return ERR_PTR(-ENOMEM);
	node->mode = rm_setting(nvidia_rm, "DeviceFileMode") & MODE_OF_ALL;
	node->uid = rm_setting(nvidia_rm, "DeviceFileUID");
	node->gid = rm_setting(nvidia_rm, "DeviceFileGID");
	return node_add(node, minor == NVIDIA_CONTROL_MINOR
				      ? dev_set_name(&node->dev, "nvidiactl")
				      : dev_set_name(&node->dev, "nvidia%u", minor));
}

struct device *nvidia_node_create(struct device *parent, u32 minor)
{
	return device_node(parent, minor);
}

void nvidia_node_destroy(struct device *node)
{
	if (!IS_ERR_OR_NULL(node))
		device_unregister(node);
}

int nvidia_cap_node_create(u32 minor, umode_t mode)
{
	struct device *dev;
	struct node *node;

	if (!nodes_are_ours())
		return 0;
	if (nodes.cap_count == ARRAY_SIZE(nodes.cap))
		return -ENOSPC;
	node = node_alloc(NULL, MKDEV(MAJOR(nodes.caps), minor));
	if (!node)
		return -ENOMEM;
	node->mode = mode & MODE_OF_ALL;
	dev = node_add(node, dev_set_name(&node->dev, "nvidia-caps!nvidia-cap%u", minor));
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	nodes.cap[nodes.cap_count++] = dev;
	return 0;
}

/* -- Device numbers ---------------------------------------------------------------------------- */

static int caps_init(void)
{
	int rc = alloc_chrdev_region(&nodes.caps, 0, NVIDIA_CAP_MINORS, "nvidia-caps");

	if (rc)
		return rc;
	cdev_init(&nodes.caps_cdev, &nvidia_cap_ops);
	nodes.caps_cdev.owner = nvidia_cap_ops.owner;
	rc = cdev_add(&nodes.caps_cdev, nodes.caps, NVIDIA_CAP_MINORS);
	if (rc)
		unregister_chrdev_region(nodes.caps, NVIDIA_CAP_MINORS);
	return rc;
}

static void caps_exit(void)
{
	while (nodes.cap_count)
		nvidia_node_destroy(nodes.cap[--nodes.cap_count]);
	cdev_del(&nodes.caps_cdev);
	unregister_chrdev_region(nodes.caps, NVIDIA_CAP_MINORS);
}

int nvidia_nodes_init(void)
{
	int rc = class_register(&nodes.class);

	if (rc)
		return rc;
	rc = caps_init();
	if (rc)
		goto fail_caps;
	rc = register_chrdev(NVIDIA_MAJOR, "nvidia-frontend", &nvidia_file_ops);
	if (rc) {
		os_log(OS_LOG_ERROR, "NVRM: the major device number %u is taken (%d)", NVIDIA_MAJOR,
		       rc);
		goto fail_chrdev;
	}
	nodes.control = device_node(NULL, NVIDIA_CONTROL_MINOR);
	if (IS_ERR(nodes.control)) {
		rc = PTR_ERR(nodes.control);
		goto fail_control;
	}
	return 0;

fail_control:
	unregister_chrdev(NVIDIA_MAJOR, "nvidia-frontend");
fail_chrdev:
	caps_exit();
fail_caps:
	class_unregister(&nodes.class);
	return rc;
}

void nvidia_nodes_exit(void)
{
	nvidia_node_destroy(nodes.control);
	unregister_chrdev(NVIDIA_MAJOR, "nvidia-frontend");
	caps_exit();
	class_unregister(&nodes.class);
}
