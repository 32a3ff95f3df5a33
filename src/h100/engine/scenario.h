/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Scenarios: what happens to the GPUs of a machine besides the work they are given. One event a
 * line:
 *
 *   # comment
 *   temperature gpu0 90              from the start
 *   at 5s ecc-dbe gpu1 2             five seconds after the GPU was made
 *   at 1500ms power gpu* 650W        on all of them
 *   at 8s off-bus                    no GPU named: all
 *
 *   [at TIME] EVENT [gpuN | gpu*] [VALUES]     TIME: number with ns, us, ms, s or min
 *
 * What each event does stands in the table of scenario.c.
 */
#ifndef H100_ENGINE_SCENARIO_H
#define H100_ENGINE_SCENARIO_H

#include "h100/engine/profile.h"

#define H100_SCENARIO_MAX_SIZE (1u << 20) /* bytes of a scenario file */
#define H100_SCENARIO_MAX_EVENTS 4096u
#define H100_SCENARIO_ALL_GPUS (~0u)

struct h100_state;

enum h100_event_kind {
	H100_EVENT_OFF_BUS,
	H100_EVENT_ON_BUS,
	H100_EVENT_GSP_CRASH,
	H100_EVENT_GSP_HANG,
	H100_EVENT_GSP_WAKE,	  /* a hung firmware goes on with what lies in its queue */
	H100_EVENT_FABRIC_SILENT, /* the fabric manager answers no probe, one anew, or refuses */
	H100_EVENT_FABRIC_ANSWERS,
	H100_EVENT_FABRIC_REFUSES,
	H100_EVENT_ECC_SBE, /* value 0: how many */
	H100_EVENT_ECC_DBE,
	H100_EVENT_TEMPERATURE, /* value 0: degrees C; holds until "release" */
	H100_EVENT_MEMORY_TEMPERATURE,
	H100_EVENT_POWER,	/* value 0: mW; holds until "release" */
	H100_EVENT_UTILIZATION, /* value 0: percent of the graphics engine; holds */
	H100_EVENT_MEMORY_UTILIZATION,
	H100_EVENT_DECODER_UTILIZATION,
	H100_EVENT_ENCODER_UTILIZATION,
	H100_EVENT_GRAPHICS_CLOCK, /* value 0: MHz; holds */
	H100_EVENT_RELEASE,	   /* all held values follow the model again */
	H100_EVENT_ROW_REMAP,	   /* value 0: correctable ones, value 1: uncorrectable ones */
	H100_EVENT_ROW_REMAP_PENDING,
	H100_EVENT_ROW_REMAP_FAILURE,
	H100_EVENT_PCIE_REPLAY, /* value 0: how many */
	H100_EVENT_PCIE_LINK,	/* value 0: generation, value 1: lanes */
	H100_EVENT_NVLINK_DOWN, /* value 0: link */
	H100_EVENT_NVLINK_UP,
	H100_EVENT_NVLINK_ERROR, /* value 0: link, value 1: CRC errors */
	H100_EVENT_INFOROM_CORRUPT,
	H100_EVENT_POWER_BRAKE, /* value 0: 1 asserted, 0 not */
	H100_EVENT_KIND_COUNT,
};

struct h100_event {
	u64 at_ns; /* since the GPU was made */
	u32 gpu;   /* index, or H100_SCENARIO_ALL_GPUS */
	u32 kind;  /* enum h100_event_kind */
	u64 value[2];
};

struct h100_scenario {
	struct h100_event *events; /* in the order of their time, then of their line */
	u32 count;
	u32 next; /* the first that has not happened */
};

/*
 * Reads size bytes of text (any bytes); NULL text gives an empty scenario.
 * NV_ERR_INVALID_ARGUMENT with *error filled, or NV_ERR_NO_MEMORY; *scenario is then empty.
 */
enum nv_status h100_scenario_parse(const char *text, size_t size, struct h100_scenario *scenario,
				   struct h100_parse_error *error);
void h100_scenario_free(struct h100_scenario *scenario);

/* One line ("ecc-sbe 3"); "at" is allowed. NV_ERR_INVALID_ARGUMENT. */
enum nv_status h100_event_parse(const char *line, size_t size, struct h100_event *event,
				struct h100_parse_error *error);

/*
 * The next event of GPU index that is due elapsed_ns after its start, or NULL; it counts as
 * happened. Events of other GPUs are passed over.
 */
const struct h100_event *h100_scenario_next(struct h100_scenario *scenario, u32 index,
					    u64 elapsed_ns);
/* When the next event of GPU index is due, or ~0. */
u64 h100_scenario_when(const struct h100_scenario *scenario, u32 index);

/*
 * Does to the state what the event says; its lock is held. True when that was all; false for what
 * happens outside of the state (on and off the bus, firmware crash and hang): the caller does it.
 */
bool h100_state_event(struct h100_state *state, const struct h100_event *event);

#endif
