/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What distinguishes one product from another: a text of "key = value" lines. Everything that a
 * tool shows and that no work changes comes from here.
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
	char name[24];	      /* "1g.10gb" */
	u64 id;		      /* what tools call it: 0, 5, 9, 14, 15, 19, 20 */
	u64 memory_share;     /* NV2080_CTRL_GPU_PARTITION_FLAG_MEMORY_SIZE */
	u64 compute_share;    /* NV2080_CTRL_GPU_PARTITION_FLAG_COMPUTE_SIZE */
	u64 media_extensions; /* 1: needs the JPEG and optical-flow engines */
	u64 instances;	      /* at most, on an empty GPU */
	u64 memory_mib;
	u64 gpc_count;
	u64 sm_count;
	u64 copy_engines;
	u64 decoders;
	u64 encoders;
	u64 jpegs;
	u64 ofas;
};

struct h100_clock_range {
	u64 min_mhz, max_mhz, step_mhz;
};

struct h100_version {
	u64 major, minor; /* 0.0: there is no such object */
};

/* Numbers are u64 whatever their range; the parser checks the ranges (profile.c). */
struct h100_profile {
	/* Names and identities */
	char name[H100_PROFILE_TEXT];	       /* "NVIDIA H100 80GB HBM3" */
	char short_name[H100_PROFILE_TEXT];    /* of the chip */
	char vbios_version[H100_PROFILE_TEXT]; /* "96.00.74.00.01": five bytes in hexadecimal */
	char board_part[H100_PROFILE_TEXT];    /* "692-2G520-0200-000" */
	char gpu_part[H100_PROFILE_TEXT];      /* "2330-885-A1" */
	char inforom_image[H100_PROFILE_TEXT]; /* "G520.0200.00.05" */
	struct h100_version inforom_oem, inforom_ecc, inforom_power;
	u64 serial; /* of the first GPU; the index is added */

	/* PCI */
	u64 vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	u64 revision;	     /* 0xa1 */
	u64 pcie_generation; /* 5 */
	u64 pcie_lanes;
	u64 bar0_bytes; /* registers */
	u64 bar1_bytes; /* PCI BAR 2: video memory aperture */
	u64 bar2_bytes; /* PCI BAR 4: control aperture */

	/* Chip */
	u64 gpc_count, tpc_count, sm_count, fbp_count;
	char memory_type[H100_PROFILE_TEXT]; /* "HBM2e", "HBM3" or "HBM3e" */
	u64 memory_bus_bits;
	u64 l2_bytes;
	u64 copy_engines, decoders, encoders, jpegs, ofas;
	u64 nvlink_count;
	u64 nvlink_mbps;       /* data rate of one link, MB/s each direction */
	bool nvlink_connected; /* cabled: up from the start when there is a switch or another GPU */
	bool module;	       /* an SXM board: sits in a numbered slot */

	/* Memory */
	u64 memory_bytes;	   /* what tools call total */
	u64 memory_reserved_bytes; /* of it, what the firmware keeps for itself */
	u64 memory_banks;	   /* with spare rows */
	bool ecc;		   /* supported, and on from the factory */

	/* Clocks */
	struct h100_clock_range graphics;
	u64 graphics_idle_mhz;
	u64 graphics_application_mhz;			/* default application clock */
	u64 memory_clocks_mhz[H100_PROFILE_MAX_CLOCKS]; /* highest first, 0 ends */
	struct h100_clock_range video;
	u64 video_idle_mhz;

	/* Power */
	u64 power_idle_mw;
	u64 power_min_limit_mw, power_default_limit_mw, power_max_limit_mw;

	/* Temperature */
	u64 temperature_ambient_c;	 /* of the air or coolant */
	u64 temperature_full_load_c;	 /* settles here at the default limit's power */
	u64 temperature_max_operating_c; /* slows down by software above */
	u64 temperature_slowdown_c;	 /* by hardware */
	u64 temperature_shutdown_c;
	u64 memory_temperature_max_c;
	u64 thermal_time_constant_ms;

	u32 mig_count;
	struct h100_mig_profile mig[H100_PROFILE_MAX_MIG];
};

/* Where and why a text was refused. */
struct h100_parse_error {
	u32 line; /* from 1 */
	char text[120];
};

/*
 * Reads size bytes of text (any bytes). Every key but the MIG list must be there once. *profile is
 * written only on success; else NV_ERR_INVALID_ARGUMENT and *error tells the first fault.
 */
enum nv_status h100_profile_parse(const char *text, size_t size, struct h100_profile *profile,
				  struct h100_parse_error *error);

#endif
