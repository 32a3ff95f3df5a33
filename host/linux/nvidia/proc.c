// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * /proc/driver/nvidia: the resource manager lists the files and makes their texts; suspend and
 * suspend_depth are of this host (power.c).
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "host/linux/nvidia/nvidia.h"

#define ROOT "driver/nvidia"
#define TEXT_FIRST 4096u
#define TEXT_MAX (1u << 20)
#define WRITTEN_MAX (2u << 20)
#define CAPABILITIES "capabilities/"

/* A file, or a directory above files; parents come before what is in them. */
struct proc_node {
	struct list_head list;
	bool directory;
	char path[]; /* below ROOT */
};

static struct {
	struct proc_dir_entry *root;
	struct mutex lock; /* nodes */
	struct list_head nodes;
	int rc; /* of an update, the first failure */
} proc = {
	.lock = __MUTEX_INITIALIZER(proc.lock),
	.nodes = LIST_HEAD_INIT(proc.nodes),
};

/* -- One file, open ---------------------------------------------------------------------------- */

struct proc_file {
	const struct proc_node *node;
	struct mutex lock; /* written, size */
	char *written;
	size_t size, room;
};

static int text_show(struct seq_file *m, void *v)
{
	const struct proc_file *f = m->private;
	size_t room = TEXT_FIRST, length;
	enum nv_status status;
	char *text;

	for (;;) {
		text = kvmalloc(room, GFP_KERNEL_ACCOUNT);
		if (!text)
			return -ENOMEM;
		status = rm_proc_show(nvidia_rm, f->node->path, text, room, &length);
		if (status != NV_OK || length < room || room == TEXT_MAX)
			break;
		kvfree(text);
		room = min_t(size_t, length + 1, TEXT_MAX);
	}
	if (status == NV_OK)
		seq_write(m, text, min(length, room - 1));
	kvfree(text);
	return nvidia_errno(status);
}

static int text_open(struct inode *inode, struct file *file)
{
	struct proc_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!f)
		return -ENOMEM;
	f->node = pde_data(inode);
	mutex_init(&f->lock);
	rc = single_open(file, text_show, f);
	if (rc)
		kfree(f);
	return rc;
}

/* What is written is kept until the close, whatever the offsets: a key's bytes may come in pieces.
 */
static ssize_t text_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct proc_file *f = ((struct seq_file *)file->private_data)->private;
	ssize_t rc = count;

	if (!count)
		return -EINVAL;
	mutex_lock(&f->lock);
	if (count > WRITTEN_MAX - f->size) {
		rc = -ENOSPC;
		goto out;
	}
	if (f->size + count > f->room) {
		size_t room = max_t(size_t, TEXT_FIRST, roundup_pow_of_two(f->size + count));
		char *bytes = kvmalloc(room, GFP_KERNEL_ACCOUNT);

		if (!bytes) {
			rc = -ENOMEM;
			goto out;
		}
		if (f->size)
			memcpy(bytes, f->written, f->size);
		kvfree(f->written);
		f->written = bytes;
		f->room = room;
	}
	if (copy_from_user(f->written + f->size, buf, count)) {
		rc = -EFAULT;
		goto out;
	}
	f->size += count;
	*pos = f->size;
out:
	mutex_unlock(&f->lock);
	return rc;
}

static int text_release(struct inode *inode, struct file *file)
{
	struct proc_file *f = ((struct seq_file *)file->private_data)->private;
	int rc = 0;

	if (f->size)
		rc = nvidia_errno(rm_proc_write(nvidia_rm, f->node->path, f->written, f->size));
	single_release(inode, file);
	kvfree(f->written);
	kfree(f);
	return rc;
}

static const struct proc_ops text_ops = {
	.proc_open = text_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = text_release,
};

static const struct proc_ops writable_ops = {
	.proc_open = text_open,
	.proc_read = seq_read,
	.proc_write = text_write,
	.proc_lseek = seq_lseek,
	.proc_release = text_release,
};

/* -- The tree ---------------------------------------------------------------------------------- */

static const struct proc_node *node_find(const char *path, size_t length)
{
	const struct proc_node *node;

	list_for_each_entry (node, &proc.nodes, list) {
		if (!strncmp(node->path, path, length) && !node->path[length])
			return node;
	}
	return NULL;
}

static int node_make(const char *path, size_t length, bool directory)
{
	struct proc_node *node;
	struct proc_dir_entry *entry;

	if (node_find(path, length))
		return 0;
	node = kzalloc(sizeof(*node) + length + 1, GFP_KERNEL);
	if (!node)
		return -ENOMEM;
	memcpy(node->path, path, length);
	node->directory = directory;
	if (directory)
		entry = proc_mkdir(node->path, proc.root);
	else if (rm_proc_writable(node->path))
		entry = proc_create_data(node->path, 0644, proc.root, &writable_ops, node);
	else
		entry = proc_create_data(node->path, 0444, proc.root, &text_ops, node);
	if (!entry) {
		kfree(node);
		return -ENOMEM;
	}
	list_add_tail(&node->list, &proc.nodes);
	return 0;
}

/* A capability is a file here and a node under /dev. */
static int cap_make(const char *path)
{
	u32 minor, mode;

	if (!rm_proc_cap(path, &minor, &mode))
		return 0;
	return nvidia_cap_node_create(minor, (umode_t)mode);
}

static void make_path(void *ctx, const char *path)
{
	const char *slash = path;
	size_t length = strlen(path);
	int rc = 0;

	if (proc.rc || node_find(path, length))
		return;
	while (!rc && (slash = strchr(slash, '/'))) {
		rc = node_make(path, slash - path, true);
		slash++;
	}
	if (!rc)
		rc = node_make(path, length, false);
	if (!rc)
		rc = cap_make(path);
	proc.rc = rc;
}

int nvidia_proc_update(void)
{
	int rc;

	mutex_lock(&proc.lock);
	proc.rc = 0;
	rm_proc_list(nvidia_rm, make_path, NULL);
	rc = proc.rc;
	mutex_unlock(&proc.lock);
	return rc;
}

/* Everything at path and below. Whoever reads is waited for. */
static void remove_below(const char *path)
{
	struct proc_node *node, *next;
	size_t length = strlen(path);

	mutex_lock(&proc.lock);
	if (node_find(path, length))
		remove_proc_subtree(path, proc.root);
	list_for_each_entry_safe (node, next, &proc.nodes, list) {
		if (strncmp(node->path, path, length) ||
		    (node->path[length] && node->path[length] != '/'))
			continue;
		list_del(&node->list);
		kfree(node);
	}
	mutex_unlock(&proc.lock);
}

void nvidia_proc_remove_gpu(struct pci_dev *pdev)
{
	char path[48];

	snprintf(path, sizeof(path), "gpus/%04x:%02x:%02x.%x", pci_domain_nr(pdev->bus),
		 pdev->bus->number, PCI_SLOT(pdev->devfn), PCI_FUNC(pdev->devfn));
	remove_below(path);
}

int nvidia_proc_init(void)
{
	int rc = -ENOMEM;

	proc.root = proc_mkdir(ROOT, NULL);
	if (!proc.root)
		return rc;
	if (!proc_create("suspend", 0644, proc.root, &nvidia_suspend_ops) ||
	    !proc_create("suspend_depth", 0644, proc.root, &nvidia_suspend_depth_ops))
		goto fail;
	mutex_lock(&proc.lock);
	rc = node_make("gpus", strlen("gpus"), true);
	mutex_unlock(&proc.lock);
	if (!rc)
		rc = nvidia_proc_update();
	if (!rc)
		return 0;
fail:
	nvidia_proc_exit();
	return rc;
}

void nvidia_proc_exit(void)
{
	struct proc_node *node, *next;

	proc_remove(proc.root);
	list_for_each_entry_safe (node, next, &proc.nodes, list) {
		list_del(&node->list);
		kfree(node);
	}
}
