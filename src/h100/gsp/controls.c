// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The list of all control commands that the firmware serves, by subject.
 */
#include "h100/gsp/controls.h"

const struct fw_control_group *const fw_control_groups[] = {
	&fw_controls_identity, &fw_controls_info,     &fw_controls_memory,
	&fw_controls_bus,      &fw_controls_nvlink,   &fw_controls_topology,
	&fw_controls_fabric,   &fw_controls_peer,     &fw_controls_mig,
	&fw_controls_thermal,  &fw_controls_clocks,   &fw_controls_perf,
	&fw_controls_power,    &fw_controls_event,    &fw_controls_channel,
	&fw_controls_engines,  &fw_controls_graphics, &fw_controls_faults,
	&fw_controls_cc,       &fw_controls_transfer, NULL,
};
