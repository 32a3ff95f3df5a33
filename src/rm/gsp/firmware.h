/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The firmware container: an ELF-64 file whose sections hold the image that GSP loads, the boot
 * firmware that FSP starts, and what they are checked with (docs/boot.md).
 */
#ifndef RM_GSP_FIRMWARE_H
#define RM_GSP_FIRMWARE_H

#include "os/os.h"

/* What os_firmware_get is asked for. */
#define GSP_FIRMWARE_NAME "nvidia/gsp_gh100.bin"
#define GSP_FMC_HASH_SIZE 48u

struct gsp_section {
	const u8 *data;
	size_t size;
};

struct gsp_firmware {
	const void *file;	    /* until gsp_firmware_put */
	struct gsp_section version; /* text, terminated */
	struct gsp_section image;
	struct gsp_section signature;
	struct gsp_section fmc;
	struct gsp_section fmc_hash; /* GSP_FMC_HASH_SIZE bytes */
};

/*
 * NV_ERR_OBJECT_NOT_FOUND: no such file, or a section lacks; NV_ERR_INVALID_DATA: no container;
 * else what os_firmware_get failed with. Nothing is held on failure.
 */
enum nv_status gsp_firmware_get(struct os_pci_dev *dev, struct gsp_firmware *fw);
void gsp_firmware_put(struct gsp_firmware *fw);
/* The same for a container that is in memory. */
enum nv_status gsp_firmware_parse(const void *data, size_t size, struct gsp_firmware *fw);

#endif
