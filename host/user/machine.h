/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The machine inside the daemon: one resource manager and its software GPUs on a PCI bus, and the
 * tree of files (device nodes, /proc/driver/nvidia, sysfs entries) that clients see of them.
 */
#ifndef HOST_USER_MACHINE_H
#define HOST_USER_MACHINE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "host/user/nodes.h"
#include "uvm/uvm.h"

struct machine;
struct h100;
struct h100_doorbell;
struct bell;

/* Confidential mode. */
enum machine_cc { MACHINE_CC_OFF, MACHINE_CC_ON, MACHINE_CC_DEVTOOLS };

struct machine_config {
	const char *version; /* NULL: the driver's default */
	u32 gpus;
	const char *profile;   /* a name or a file */
	const char *scenario;  /* a file, or NULL */
	const char *tree;      /* directory to make for the files; must not exist */
	bool lend;	       /* waiting driver threads run the firmware */
	bool uvm_tests;	       /* the built-in tests of unified memory are served */
	enum machine_cc cc;    /* of all GPUs */
	enum os_tee tee;       /* what the CPU is reported to protect memory with */
	const char *root;      /* file: a certificate, who certifies GPUs; NULL: the project's */
	const char *adversary; /* file: a script of what the host does to the GPUs; or NULL */
	const char *issuer;    /* file, PEM: who certifies these GPUs; NULL: the project's test
				  issuer */
};

/* 0 or an errno, with the reason on stderr. */
int machine_create(const struct machine_config *config, struct machine **out);
/* All files are closed. Removes the tree. */
void machine_destroy(struct machine *machine);

struct rm *machine_rm(struct machine *machine);
struct uvm *machine_uvm(struct machine *machine);
u32 machine_gpu_count(const struct machine *machine);
/* Where GPU index sits: "0000:01:00.0". */
void machine_gpu_bdf(const struct machine *machine, u32 index, char bdf[16]);
struct os_pci_dev *machine_gpu_pci(const struct machine *machine, u32 index);
/* The GPU that the device is; machine_gpu_count when it is none. */
u32 machine_gpu_of(const struct machine *machine, const struct os_pci_dev *pci);

#define MACHINE_BAR_VIDEO 2u /* PCI's index */
#define MACHINE_DOORBELL_SIZE KIB(64)
#define MACHINE_DOORBELL_PAGE 4096u /* with the doorbell in it, the first */

/*
 * The memory file that backs the start of a part of a GPU's video memory and nothing beside it,
 * which stays the GPU's; where in it, and how much of the part. A new one is in the user's share
 * until the memory is freed. 0 or an errno.
 */
int machine_video_export(struct machine *machine, u32 index, uid_t uid, u64 offset, u64 size,
			 int *fd, u64 *fd_offset, u64 *fd_size);
/* Makes a doorbell of an RM client's that is armed by bell_arm(bell). 0 or an errno. */
int machine_doorbell_create(struct machine *machine, u32 index, u32 client, struct bell *bell,
			    int *fd, struct h100_doorbell **out);
/* No bell_arm runs when this returns. */
void machine_doorbell_destroy(struct machine *machine, u32 index, struct h100_doorbell *doorbell);
/* What bell_arm was called for is done. Any thread but bell_arm's. */
void machine_doorbell_armed(struct machine *machine, u32 index, struct h100_doorbell *doorbell);
/* A store came to a page that was armed. Any thread. */
void machine_doorbell_rang(struct machine *machine, u32 index, struct h100_doorbell *doorbell);

/* A scenario line for one GPU. 0 or an errno. */
int machine_inject(struct machine *machine, u32 index, const char *command);

/* Who wants to open something. */
struct machine_user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* more of them */
	u32 group_count;
};

/* Whether a user may open a node with these flags of open(2), by the node's owner and mode. */
bool machine_node_allowed(struct machine *machine, enum tree_node node, u32 minor, u32 flags,
			  const struct machine_user *user);

/*
 * A device node's placeholder says in its length which device it stands for and which mode the node
 * has. Its own mode lets nobody but the tree's owner change it.
 */
#define TREE_NODE_SIZE(major, minor, mode) \
	(((off_t)((mode)&0777) << 32) | ((off_t)(major) << 20) | (off_t)(minor))
#define TREE_NODE_MODE(size) ((mode_t)((size) >> 32) & 0777)
#define TREE_NODE_MAJOR(size) ((u32)((size) >> 20) & 0xfff)
#define TREE_NODE_MINOR(size) ((u32)(size)&0xfffff)
#define TREE_NODE_DISK_MODE 0644

/* What os_firmware_get is asked for by the driver. */
#define MACHINE_FIRMWARE "nvidia/gsp_gh100.bin"

#define CERTIFICATE_FILE_MAX (1u << 20) /* bytes */
/*
 * certificate.c: a certificate in a file, PEM or DER, as DER; malloc'ed. 0 or an errno; EINVAL: it
 * is none.
 */
int certificate_load(const char *path, void **der, size_t *size);

/* -- tree.c ------------------------------------------------------------------------------------ */

/* Makes root and fills it. 0 or an errno; nothing is left on failure. */
int tree_create(struct machine *machine, const char *root);
void tree_destroy(const char *root);
/*
 * What current_link_speed, current_link_width, max_link_speed or max_link_width of a PCI device
 * says; false for any other file, and where there is no link.
 */
bool tree_link_text(struct os_pci_dev *pci, const char *file, char *text, size_t size);
/* Owner, group and permission bits (nothing else in st_mode) of a device node. 0 or an errno. */
int tree_node_stat(const char *root, enum tree_node node, u32 minor, struct stat *st);

#endif
