/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files of control commands share.
 */
#ifndef H100_GSP_CONTROLS_H
#define H100_GSP_CONTROLS_H

#include <string.h>

#include "h100/gsp/fw.h"

/* One command: its number, its parameter structure, its function. */
#define FW_CONTROL(number, type, function)                       \
	{                                                        \
		(number), sizeof(type), (function), false, false \
	}

/* The same for one whose parameters come serialised (abi/serial.h). */
#define FW_CONTROL_SERIALISED(number, type, function)           \
	{                                                       \
		(number), sizeof(type), (function), true, false \
	}

/* The same, or neither, for one that calls the engines. */
#define FW_CONTROL_ENGINES(number, type, function, is_serialised)         \
	{                                                                 \
		(number), sizeof(type), (function), (is_serialised), true \
	}

#define FW_CONTROL_GROUP(group_name, group_text, table) \
	const struct fw_control_group group_name = { (group_text), (table), ARRAY_SIZE(table) }

extern const struct fw_control_group fw_controls_identity;
extern const struct fw_control_group fw_controls_info;
extern const struct fw_control_group fw_controls_memory;
extern const struct fw_control_group fw_controls_bus;
extern const struct fw_control_group fw_controls_nvlink;
extern const struct fw_control_group fw_controls_topology;
extern const struct fw_control_group fw_controls_fabric;
extern const struct fw_control_group fw_controls_peer;
extern const struct fw_control_group fw_controls_mig;
extern const struct fw_control_group fw_controls_thermal;
extern const struct fw_control_group fw_controls_clocks;
extern const struct fw_control_group fw_controls_perf;
extern const struct fw_control_group fw_controls_power;
extern const struct fw_control_group fw_controls_event;
extern const struct fw_control_group fw_controls_channel;
extern const struct fw_control_group fw_controls_engines;
extern const struct fw_control_group fw_controls_faults;
extern const struct fw_control_group fw_controls_graphics;
extern const struct fw_control_group fw_controls_cc;
extern const struct fw_control_group fw_controls_transfer;

#define FW_LTCS_PER_FBP 2u
#define FW_SLICES_PER_LTC 4u

/*
 * NV2080_CTRL_FB_INFO_RAM_TYPE_*. The interface has no numbers for the "e" kinds: each counts as
 * what it came from.
 */
static inline u32 fw_ram_type(const struct h100_profile *profile)
{
	return strcmp(profile->memory_type, "HBM2e") == 0 ? NV2080_CTRL_FB_INFO_RAM_TYPE_HBM2
							  : NV2080_CTRL_FB_INFO_RAM_TYPE_HBM3;
}

/* Text into a fixed array of bytes; what is left of it is zero. False when it does not fit. */
static inline bool fw_put_text(void *array, size_t size, const char *text)
{
	size_t length = strlen(text);

	memset(array, 0, size);
	memcpy(array, text, length < size ? length : size);
	return length < size;
}

#endif
