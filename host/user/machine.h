/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The machine inside the daemon: one resource manager and its software GPUs on a PCI bus, and the
 * tree of files (device nodes, /proc/driver/nvidia, sysfs entries) that clients see of them.
 */
#ifndef HOST_USER_MACHINE_H
#define HOST_USER_MACHINE_H

#include <sys/types.h>

#include "rm/rm.h"

struct machine;
struct h100;

struct machine_config {
	const char *version; /* NULL: the driver's default */
	u32 gpus;
	const char *profile;  /* a name or a file */
	const char *scenario; /* a file, or NULL */
	const char *tree;     /* directory to make for the files; must not exist */
	bool lend;	      /* waiting driver threads run the firmware */
};

/* 0 or an errno, with the reason on stderr. */
int machine_create(const struct machine_config *config, struct machine **out);
/* All files are closed. Removes the tree. */
void machine_destroy(struct machine *machine);

struct rm *machine_rm(struct machine *machine);
u32 machine_gpu_count(const struct machine *machine);
/* Where GPU index sits: "0000:01:00.0". */
void machine_gpu_bdf(const struct machine *machine, u32 index, char bdf[16]);
struct os_pci_dev *machine_gpu_pci(const struct machine *machine, u32 index);
/* A scenario line for one GPU. 0 or an errno. */
int machine_inject(struct machine *machine, u32 index, const char *command);
/* Whether a user may open a capability node, by the mode that the driver states for it. */
bool machine_cap_allowed(struct machine *machine, u32 minor, uid_t uid);

#define TREE_NVIDIA_MAJOR 195u
#define TREE_CONTROL_MINOR 255u
#define TREE_CAPS_MAJOR 511u

/* What a device node's placeholder is as long as. */
#define TREE_RDEV(major, minor) (((off_t)(major) << 20) | (off_t)(minor))

/* What os_firmware_get is asked for by the driver. */
#define MACHINE_FIRMWARE "nvidia/gsp_gh100.bin"

/* -- tree.c ------------------------------------------------------------------------------------ */

/* Makes root and fills it. 0 or an errno; nothing is left on failure. */
int tree_create(struct machine *machine, const char *root);
void tree_destroy(const char *root);
/* File mode of a capability's node; 0 where there is none. */
u32 tree_cap_mode(const char *root, u32 minor);

#endif
