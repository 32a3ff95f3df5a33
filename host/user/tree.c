// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The files that clients see of the machine, as a real directory tree that the preload library
 * sends their paths to:
 *
 *   root/dev/nvidiactl, nvidiaN, nvidia-uvm, nvidia-caps/, char/195:N   device nodes (see below)
 *   root/proc/driver/nvidia/, devices, modules                texts that the daemon makes when read
 *   root/sys/module/nvidia/, bus/pci/devices/, devices/pci*   real entries as links, the GPUs
 * beside
 *
 * A device node is a regular file whose size is its device number and its mode. A text made when
 * read is an empty file with the sticky bit.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/user/files.h"
#include "host/user/machine.h"

struct tree {
	struct machine *machine;
	int root;
	int rc;		     /* the first failure; later steps do nothing */
	char made[PATH_MAX]; /* the directory made last: most entries lie where the one before does
			      */
};

static void tree_fail(struct tree *t, int rc)
{
	if (!t->rc)
		t->rc = rc;
}

/* Makes the directories above path. */
static void tree_parents(struct tree *t, const char *path)
{
	const char *end = strrchr(path, '/');
	size_t length = end ? (size_t)(end - path) : 0;
	char part[PATH_MAX];

	if (!length || (strncmp(path, t->made, length) == 0 && !t->made[length]))
		return;
	for (const char *slash = strchr(path, '/'); slash && !t->rc;
	     slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(t->root, part, 0755) && errno != EEXIST)
			tree_fail(t, errno);
	}
	if (!t->rc)
		strcpy(t->made, part);
}

static void tree_file(struct tree *t, const char *path, mode_t mode, const char *text, off_t size)
{
	size_t length = text ? strlen(text) : 0;
	int fd;

	tree_parents(t, path);
	if (t->rc)
		return;
	fd = openat(t->root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		tree_fail(t, errno);
		return;
	}
	if (text && write(fd, text, length) != (ssize_t)length)
		tree_fail(t, EIO);
	if ((size && ftruncate(fd, size)) || fchmod(fd, mode))
		tree_fail(t, errno);
	close(fd);
}

static void tree_link(struct tree *t, const char *path, const char *target)
{
	tree_parents(t, path);
	if (!t->rc && symlinkat(target, t->root, path))
		tree_fail(t, errno);
}

static void tree_node(struct tree *t, const char *name, u32 major, u32 minor, mode_t mode)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), "dev/%s", name);
	tree_file(t, path, TREE_NODE_DISK_MODE, NULL, TREE_NODE_SIZE(major, minor, mode));
	snprintf(path, sizeof(path), "dev/char/%u:%u", major, minor);
	snprintf(target, sizeof(target), "../%s", name);
	tree_link(t, path, target);
}

/* -- /proc ------------------------------------------------------------------------------------- */

static u32 text_value(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? (u32)strtoul(at + strlen(key), NULL, 10) : 0;
}

/* A capability's file names the node that stands for it. */
static void tree_capability(struct tree *t, const char *proc)
{
	char text[256], name[64];
	size_t length;
	u32 minor, mode;

	if (rm_proc_show(machine_rm(t->machine), proc, text, sizeof(text), &length) != NV_OK)
		return;
	if (!strstr(text, "DeviceFileMinor:"))
		return;
	minor = text_value(text, "DeviceFileMinor:");
	mode = text_value(text, "DeviceFileMode:");
	snprintf(name, sizeof(name), "nvidia-caps/nvidia-cap%u", minor);
	tree_node(t, name, TREE_CAPS_MAJOR, minor, mode & 0777);
}

static void proc_emit(void *ctx, const char *path)
{
	struct tree *t = ctx;
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "proc/driver/nvidia/%s", path);
	tree_file(t, full, 0444 | S_ISVTX, NULL, 0);
	if (strncmp(path, "capabilities/", 13) == 0)
		tree_capability(t, path);
}

static void tree_proc(struct tree *t)
{
	tree_file(t, "proc/devices", 0444 | S_ISVTX, NULL, 0);
	tree_file(t, "proc/modules", 0444 | S_ISVTX, NULL, 0);
	rm_proc_list(machine_rm(t->machine), proc_emit, t);
}

/* -- /sys -------------------------------------------------------------------------------------- */

/* What the real machine says of itself, or the text given. */
static void real_text(const char *path, const char *otherwise, char *out, size_t size)
{
	char *text;
	size_t length;

	if (file_load(path, &text, &length) == 0) {
		snprintf(out, size, "%s", text);
		free(text);
	} else {
		snprintf(out, size, "%s", otherwise);
	}
}

static void pci_attr(struct tree *t, const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	tree_file(t, path, 0444, text, 0);
}

static void pci_hex(struct tree *t, const char *dir, const char *name, u32 value, int digits)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*x\n", digits, value);
	pci_attr(t, dir, name, text);
}

#define CFG_COMMAND_STATUS 0x04u
#define CFG_CLASS_REVISION 0x08u
#define CFG_BAR0 0x10u
#define CFG_SUBSYSTEM 0x2cu
#define CFG_CAPABILITIES 0x34u
#define CAP_PCIE 0x10u
#define PCIE_LINK_CAP 0x0cu
#define PCIE_LINK_STATUS 0x12u
#define RESOURCE_MEM 0x00000200u
#define RESOURCE_SIZEALIGN 0x00040000u
#define RESOURCE_PREFETCH 0x00002000u
#define RESOURCE_MEM_64 0x00100000u
#define RESOURCES 13u /* six BARs, ROM, six of virtual functions */

static void pci_resource(struct tree *t, const char *dir, struct os_pci_dev *pci)
{
	char text[RESOURCES * 64];
	size_t at = 0;

	for (u32 bar = 0; bar < RESOURCES; bar++) {
		u64 size = bar < 6 ? os_pci_bar_size(pci, bar) : 0;
		u64 start = size ? os_pci_bar_address(pci, bar) : 0;
		u32 raw = size ? os_pci_cfg_read(pci, CFG_BAR0 + bar * 4, 4) & 0xfu : 0;
		u64 flags = size ? RESOURCE_MEM | RESOURCE_SIZEALIGN | raw : 0;

		if (size && (raw & 8u))
			flags |= RESOURCE_PREFETCH;
		if (size && (raw & 4u))
			flags |= RESOURCE_MEM_64;
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "0x%016llx 0x%016llx 0x%016llx\n", (unsigned long long)start,
				       (unsigned long long)(size ? start + size - 1 : 0),
				       (unsigned long long)flags);
	}
	pci_attr(t, dir, "resource", text);
}

static u32 express_capability(struct os_pci_dev *pci)
{
	u32 at = os_pci_cfg_read(pci, CFG_CAPABILITIES, 1);

	for (u32 hops = 0; at && hops < 48; hops++) {
		u32 cap = os_pci_cfg_read(pci, at, 2);

		if ((cap & 0xff) == CAP_PCIE)
			return at;
		at = cap >> 8;
	}
	return 0;
}

bool tree_link_text(struct os_pci_dev *pci, const char *file, char *text, size_t size)
{
	static const char *const speeds[] = { "Unknown",       "2.5 GT/s PCIe",	 "5.0 GT/s PCIe",
					      "8.0 GT/s PCIe", "16.0 GT/s PCIe", "32.0 GT/s PCIe",
					      "64.0 GT/s PCIe" };
	bool most = strncmp(file, "max_", 4) == 0;
	u32 at = express_capability(pci), link, speed;

	if (!at || (!most && strncmp(file, "current_", 8) != 0))
		return false;
	file += most ? 4 : 8;
	link = os_pci_cfg_read(pci, at + (most ? PCIE_LINK_CAP : PCIE_LINK_STATUS), 2);
	speed = link & 0xf;
	if (strcmp(file, "link_speed") == 0)
		snprintf(text, size, "%s\n", speeds[speed < ARRAY_SIZE(speeds) ? speed : 0]);
	else if (strcmp(file, "link_width") == 0)
		snprintf(text, size, "%u\n", (link >> 4) & 0x3f);
	else
		return false;
	return true;
}

/* What the link is now is told anew to each reader. */
static void pci_link(struct tree *t, const char *dir, struct os_pci_dev *pci)
{
	static const char *const files[] = { "current_link_speed", "current_link_width",
					     "max_link_speed", "max_link_width" };
	char path[160], text[64];

	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		if (!tree_link_text(pci, files[i], text, sizeof(text)))
			return;
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		if (i < 2)
			tree_file(t, path, 0444 | S_ISVTX, NULL, 4096);
		else
			pci_attr(t, dir, files[i], text);
	}
}

static void pci_locality(struct tree *t, const char *dir)
{
	char cpus[4096], list[4096];
	bool numa = access("/sys/devices/system/node/node0", F_OK) == 0;

	real_text("/sys/devices/system/node/node0/cpumap", "1\n", cpus, sizeof(cpus));
	real_text(numa ? "/sys/devices/system/node/node0/cpulist"
		       : "/sys/devices/system/cpu/online",
		  "0\n", list, sizeof(list));
	pci_attr(t, dir, "local_cpus", cpus);
	pci_attr(t, dir, "local_cpulist", list);
	pci_attr(t, dir, "numa_node", numa ? "0\n" : "-1\n");
}

static void tree_gpu(struct tree *t, u32 index)
{
	struct os_pci_dev *pci = machine_gpu_pci(t->machine, index);
	u32 id = os_pci_cfg_read(pci, 0, 4);
	u32 class = os_pci_cfg_read(pci, CFG_CLASS_REVISION, 4);
	u32 subsystem = os_pci_cfg_read(pci, CFG_SUBSYSTEM, 4);
	char bdf[16], dir[128], path[160], text[512];

	machine_gpu_bdf(t->machine, index, bdf);
	/* Each on a root bus of its own, so that no real bridge is above it. */
	snprintf(dir, sizeof(dir), "sys/devices/pci%.7s/%s", bdf, bdf);
	snprintf(path, sizeof(path), "%s/config", dir);
	tree_file(t, path, 0444 | S_ISVTX, NULL, 4096);
	pci_hex(t, dir, "vendor", id & 0xffff, 4);
	pci_hex(t, dir, "device", id >> 16, 4);
	pci_hex(t, dir, "subsystem_vendor", subsystem & 0xffff, 4);
	pci_hex(t, dir, "subsystem_device", subsystem >> 16, 4);
	pci_hex(t, dir, "class", class >> 8, 6);
	pci_hex(t, dir, "revision", class & 0xff, 2);
	pci_attr(t, dir, "irq", "0\n");
	pci_attr(t, dir, "enable", "1\n");
	pci_resource(t, dir, pci);
	pci_link(t, dir, pci);
	pci_locality(t, dir);
	snprintf(text, sizeof(text),
		 "DRIVER=nvidia\nPCI_CLASS=%05X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		 "PCI_SLOT_NAME=%s\n"
		 "MODALIAS=pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n",
		 class >> 8, id & 0xffff, id >> 16, subsystem & 0xffff, subsystem >> 16, bdf,
		 id & 0xffff, id >> 16, subsystem & 0xffff, subsystem >> 16, class >> 24,
		 (class >> 16) & 0xff, (class >> 8) & 0xff);
	pci_attr(t, dir, "uevent", text);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", bdf);
	snprintf(text, sizeof(text), "../../../devices/pci%.7s/%s", bdf, bdf);
	tree_link(t, path, text);
	snprintf(path, sizeof(path), "%s/subsystem", dir);
	tree_link(t, path, "../../../bus/pci");
}

static void tree_real_pci(struct tree *t)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	char real[PATH_MAX], target[PATH_MAX], path[PATH_MAX];

	while (dir && !t->rc && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(real, sizeof(real), "/sys/bus/pci/devices/%s", entry->d_name);
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", entry->d_name);
		if (!realpath(real, target) ||
		    faccessat(t->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		tree_link(t, path, target);
	}
	if (dir)
		closedir(dir);
}

static void tree_module(struct tree *t)
{
	char text[64];

	tree_file(t, "sys/module/nvidia/initstate", 0444, "live\n", 0);
	snprintf(text, sizeof(text), "%s\n", rm_version(machine_rm(t->machine)));
	tree_file(t, "sys/module/nvidia/version", 0444, text, 0);
	tree_file(t, "sys/module/nvidia/refcnt", 0444, "0\n", 0);
	tree_file(t, "sys/module/nvidia_uvm/initstate", 0444, "live\n", 0);
	tree_file(t, "sys/module/nvidia_uvm/version", 0444, text, 0);
	tree_file(t, "sys/module/nvidia_uvm/refcnt", 0444, "0\n", 0);
}

/* -- The whole --------------------------------------------------------------------------------- */

int tree_create(struct machine *machine, const char *root)
{
	struct tree t = { .machine = machine };
	char name[32];

	if (mkdir(root, 0755))
		return errno;
	t.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t.root < 0) {
		int rc = errno;

		rmdir(root);
		return rc;
	}
	tree_node(&t, "nvidiactl", TREE_NVIDIA_MAJOR, TREE_CONTROL_MINOR, 0666);
	for (u32 i = 0; i < machine_gpu_count(machine); i++) {
		snprintf(name, sizeof(name), "nvidia%u", i);
		tree_node(&t, name, TREE_NVIDIA_MAJOR, i, 0666);
		tree_gpu(&t, i);
	}
	tree_node(&t, "nvidia-uvm", TREE_UVM_MAJOR, 0, 0666);
	tree_node(&t, "nvidia-uvm-tools", TREE_UVM_MAJOR, 1, 0666);
	tree_proc(&t);
	tree_module(&t);
	tree_real_pci(&t);
	close(t.root);
	if (t.rc)
		tree_destroy(root);
	return t.rc;
}

/* Removes all below the directory; follows no link. Depth is bounded: we made every level. */
static void remove_below(int dir_fd, u32 depth)
{
	DIR *dir = depth ? fdopendir(dir_fd) : NULL;
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		int fd;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			remove_below(fd, depth - 1);
		unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void tree_destroy(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		remove_below(fd, 16);
	rmdir(root);
}

int tree_node_stat(const char *root, enum tree_node node, u32 minor, struct stat *st)
{
	char path[PATH_MAX];
	struct stat owner;

	switch (node) {
	case TREE_NODE_CONTROL:
		snprintf(path, sizeof(path), "%s/dev/nvidiactl", root);
		break;
	case TREE_NODE_GPU:
		snprintf(path, sizeof(path), "%s/dev/nvidia%u", root, minor);
		break;
	case TREE_NODE_UVM:
		snprintf(path, sizeof(path), "%s/dev/nvidia-uvm", root);
		break;
	case TREE_NODE_UVM_TOOLS:
		snprintf(path, sizeof(path), "%s/dev/nvidia-uvm-tools", root);
		break;
	default:
		snprintf(path, sizeof(path), "%s/dev/nvidia-caps/nvidia-cap%u", root, minor);
		break;
	}
	if (lstat(path, st) || stat(root, &owner))
		return errno;
	if (!S_ISREG(st->st_mode))
		return ENXIO;
	/* What we made is the administrator's. */
	if (st->st_uid == owner.st_uid)
		st->st_uid = 0;
	if (st->st_gid == owner.st_gid)
		st->st_gid = 0;
	st->st_mode = TREE_NODE_MODE(st->st_size);
	return 0;
}
