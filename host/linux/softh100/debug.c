// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * debugfs: softh100/<GPU>/inject, where faults are written in the words of `leafhopper inject`, and
 * softh100/<GPU>/slot, where "remove" pulls the GPU out of its slot and "add" puts it in again; and
 * softh100/<GPU>/tamper, a hostile host: "read BYTES N" or "write BYTES N" changes a bit of the
 * next N pieces of system memory of at least BYTES that the GPU reads or wrote. It reads how many
 * are left.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "host/linux/softh100/internal.h"

/* A line without its end; -EINVAL when it is too long or no text. */
static int get_line(char *line, size_t space, const char __user *user, size_t size)
{
	if (size >= space)
		return -EINVAL;
	if (copy_from_user(line, user, size))
		return -EFAULT;
	if (memchr(line, '\0', size))
		return -EINVAL;
	line[size] = '\0';
	if (size && line[size - 1] == '\n')
		line[size - 1] = '\0';
	return 0;
}

static ssize_t inject_write(struct file *file, const char __user *user, size_t size, loff_t *at)
{
	char line[sizeof_field(struct softh100_command, text)];
	int rc = get_line(line, sizeof(line), user, size);

	if (!rc)
		rc = soft_command_write(file->private_data, line);
	return rc ? rc : size;
}

static ssize_t slot_write(struct file *file, const char __user *user, size_t size, loff_t *at)
{
	struct soft_pci *gpu = file->private_data;
	char line[16];
	int rc = get_line(line, sizeof(line), user, size);

	if (rc)
		return rc;
	if (strcmp(line, "remove") == 0)
		rc = soft_gpu_eject(gpu);
	else if (strcmp(line, "add") == 0)
		rc = soft_gpu_insert(gpu);
	else
		rc = -EINVAL;
	return rc ? rc : size;
}

static ssize_t slot_read(struct file *file, char __user *user, size_t size, loff_t *at)
{
	struct soft_pci *gpu = file->private_data;
	const char *text = "absent\n";

	mutex_lock(&gpu->bind);
	if (gpu->ejected)
		text = "removed\n";
	else if (h100_function_present(&gpu->function))
		text = "present\n";
	mutex_unlock(&gpu->bind);
	return simple_read_from_buffer(user, size, at, text, strlen(text));
}

static ssize_t tamper_write(struct file *file, const char __user *user, size_t size, loff_t *at)
{
	struct soft_pci *gpu = file->private_data;
	struct soft_tamper tamper = { 0 };
	char line[40], word[8];
	int rc = get_line(line, sizeof(line), user, size);

	if (!rc && sscanf(line, "%7s %u %u", word, &tamper.bytes, &tamper.left) != 3)
		rc = -EINVAL;
	if (rc)
		return rc;
	tamper.write = strcmp(word, "write") == 0;
	if (!tamper.write && strcmp(word, "read") != 0)
		return -EINVAL;
	soft_dma_tamper(&gpu->dma, &tamper);
	return size;
}

static ssize_t tamper_read(struct file *file, char __user *user, size_t size, loff_t *at)
{
	struct soft_pci *gpu = file->private_data;
	char text[16];
	int length = snprintf(text, sizeof(text), "%u\n", READ_ONCE(gpu->dma.tamper.left));

	return simple_read_from_buffer(user, size, at, text, length);
}

static const struct file_operations inject_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = inject_write,
};

static const struct file_operations slot_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = slot_read,
	.write = slot_write,
};

static const struct file_operations tamper_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = tamper_read,
	.write = tamper_write,
};

void soft_debug_init(void)
{
	struct soft_pci *gpu;
	char name[8];
	u32 i;

	for (i = 0; i < soft_machine.gpus; i++) {
		gpu = soft_machine.gpu[i];
		snprintf(name, sizeof(name), "%u", i);
		gpu->dir = debugfs_create_dir(name, soft_machine.dir);
		debugfs_create_file("inject", 0200, gpu->dir, gpu, &inject_ops);
		debugfs_create_file("slot", 0600, gpu->dir, gpu, &slot_ops);
		debugfs_create_file("tamper", 0600, gpu->dir, gpu, &tamper_ops);
	}
}

void soft_debug_exit(void)
{
	u32 i;

	for (i = 0; i < soft_machine.gpus; i++)
		debugfs_remove(soft_machine.gpu[i]->dir);
}
