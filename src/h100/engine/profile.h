/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What distinguishes one product from another: a text of "key = value" lines. Everything that a tool
 * shows and that no work changes comes from here.
 *
 *   # comment
 *   name = "NVIDIA H100 80GB HBM3"
 *   memory_bytes = 80 GiB
 *   graphics_clocks_mhz = 210..1980 step 15
 */
#ifndef H100_ENGINE_PROFILE_H
#define H100_ENGINE_PROFILE_H

#include "abi/status.h"
#include "base/types.h"

#define H100_PROFILE_TEXT 64u	     /* bytes of any text value, its NUL included */
#define H100_PROFILE_MAX_SIZE 65536u /* bytes of a profile file */
#define H100_PROFILE_MAX_CLOCKS 8u   /* memory clocks that can be chosen */
#define H100_PROFILE_MAX_MIG 16u

/* A MIG instance profile, as the product's documentation lists them. */
struct h100_mig_profile {
	char name[24];	   /* "1g.10gb" */
	u32 id;		   /* what tools call it: 0, 5, 9, 14, 15, 19, 20 */
	u32 flags;	   /* NV2080_CTRL_GPU_PARTITION_FLAG: memory | compute sizes */
	u32 instances;	   /* at most, on an empty GPU */
	u32 memory_mib;
	u32 sm_count;
	u32 gpc_count;
	u32 copy_engines;
	u32 decoders;
	u32 encoders;
	u32 jpegs;
	u32 ofas;
	bool peer_to_peer;
};

struct h100_profile {
	/* Names and identities */
	char name[H100_PROFILE_TEXT];	     /* "NVIDIA H100 80GB HBM3" */
	char short_name[H100_PROFILE_TEXT];  /* of the chip, "GH100-A" */
	char vbios_version[H100_PROFILE_TEXT]; /* "96.00.74.00.01" */
	char board_part[H100_PROFILE_TEXT];  /* "692-2G520-0200-000" */
	char gpu_part[H100_PROFILE_TEXT];    /* "2330-885-A1" */
	char inforom_image[H100_PROFILE_TEXT]; /* "G520.0200.00.05" */
	u32 inforom_oem_version[2];	     /* major, minor; 0.0: no such object */
	u32 inforom_ecc_version[2];
	u32 inforom_power_version[2];
	u32 serial_base; /* the first GPU's; the index is added */
	u64 serial_prefix;

	/* PCI */
	u16 vendor_id;
	u16 device_id;
	u16 subsystem_vendor_id;
	u16 subsystem_id;
	u8 revision;
	u32 pcie_generation; /* 5 */
	u32 pcie_width;	     /* lanes */
	u64 bar0_bytes;
	u64 bar1_bytes; /* PCI BAR 2: video memory aperture */
	u64 bar2_bytes; /* PCI BAR 4 */

	/* Chip */
	u32 gpc_count;
	u32 tpc_count;
	u32 sm_count;
	u32 fbp_count;
	u32 memory_bus_bits;
	u32 l2_bytes;
	u32 copy_engines;
	u32 decoders;
	u32 encoders;
	u32 jpegs;
	u32 ofas;
	u32 nvlink_count;
	u32 nvlink_mbps;     /* data rate of one link, MB/s each direction */
	bool nvlink_connected; /* links are up when there is another GPU or a switch */

	/* Memory */
	u64 memory_bytes;	   /* what the GPU has; a multiple of 1 MiB */
	u64 memory_reserved_bytes; /* what firmware keeps for itself */
	u64 memory_total_bytes;	   /* what tools call total (RAM less carve-outs) */
	u32 row_remap_banks;	   /* banks with spare rows */
	bool ecc;		   /* supported, and on at first */

	/* Clocks, MHz */
	u32 graphics_min_mhz, graphics_max_mhz, graphics_step_mhz;
	u32 graphics_idle_mhz;
	u32 graphics_default_mhz; /* default application clock */
	u32 memory_clocks_mhz[H100_PROFILE_MAX_CLOCKS]; /* highest first, 0 ends */
	u32 video_idle_mhz, video_max_mhz;

	/* Power, mW */
	u32 power_idle_mw;
	u32 power_min_limit_mw, power_default_limit_mw, power_max_limit_mw;

	/* Temperature, degrees Celsius */
	u32 temperature_ambient_c;	  /* of the coolant */
	u32 temperature_full_load_c;	  /* settles here at the default limit's power */
	u32 temperature_max_operating_c;  /* "T.Limit" is counted down to this one */
	u32 temperature_slowdown_c;
	u32 temperature_shutdown_c;
	u32 memory_temperature_max_c;
	u32 thermal_time_constant_ms;

	u32 mig_count;
	struct h100_mig_profile mig[H100_PROFILE_MAX_MIG];
};

/* Where and why a text was refused. */
struct h100_parse_error {
	u32 line;	 /* from 1 */
	char text[120];
};

/*
 * Reads size bytes of text (any bytes). Every key but the MIG list must be there once. *profile is
 * written only on success; else NV_ERR_INVALID_ARGUMENT and *error tells the first fault.
 */
enum nv_status h100_profile_parse(const char *text, size_t size, struct h100_profile *profile,
				  struct h100_parse_error *error);

#endif
