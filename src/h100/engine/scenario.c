// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Scenario files: the grammar, the table of events, and what each of them does to a GPU's state.
 */
#include "h100/engine/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h100/engine/state.h"
#include "h100/engine/text.h"

#define TIME_END_NS (1ull << 62) /* counted from a machine's start it must not wrap */

static const struct text_unit time_units[] = { { "ns", 1 },
					       { "us", 1000 },
					       { "ms", 1000000 },
					       { "s", 1000000000 },
					       { "min", 60000000000ull },
					       { NULL, 0 } };
static const struct text_unit power_units[] = {
	{ "", 1000 }, { "W", 1000 }, { "mW", 1 }, { NULL, 0 }
};
static const struct text_unit celsius_units[] = { { "", 1 }, { "C", 1 }, { NULL, 0 } };
static const struct text_unit mhz_units[] = { { "", 1 }, { "MHz", 1 }, { NULL, 0 } };
static const struct text_unit plain_units[] = { { "", 1 }, { NULL, 0 } };

struct event_form {
	const char *name;
	u32 values; /* how many follow */
	struct {
		const struct text_unit *units;
		u64 min, max;
	} value[2];
};

/* By enum h100_event_kind; what they do is h100_state_event. */
static const struct event_form forms[H100_EVENT_KIND_COUNT] = {
	[H100_EVENT_OFF_BUS] = { "off-bus", 0 },
	[H100_EVENT_ON_BUS] = { "on-bus", 0 },
	[H100_EVENT_GSP_CRASH] = { "gsp-crash", 0 },
	[H100_EVENT_GSP_HANG] = { "gsp-hang", 0 },
	[H100_EVENT_GSP_WAKE] = { "gsp-wake", 0 },
	[H100_EVENT_FABRIC_SILENT] = { "fabric-silent", 0 },
	[H100_EVENT_FABRIC_ANSWERS] = { "fabric-answers", 0 },
	[H100_EVENT_FABRIC_REFUSES] = { "fabric-refuses", 0 },
	[H100_EVENT_ECC_SBE] = { "ecc-sbe", 1, { { plain_units, 1, 1000000 } } },
	[H100_EVENT_ECC_DBE] = { "ecc-dbe", 1, { { plain_units, 1, 1000000 } } },
	[H100_EVENT_TEMPERATURE] = { "temperature", 1, { { celsius_units, 0, 150 } } },
	[H100_EVENT_MEMORY_TEMPERATURE] = { "memory-temperature",
					    1,
					    { { celsius_units, 0, 150 } } },
	[H100_EVENT_POWER] = { "power", 1, { { power_units, 0, 2000000 } } },
	[H100_EVENT_UTILIZATION] = { "utilization", 1, { { plain_units, 0, 100 } } },
	[H100_EVENT_MEMORY_UTILIZATION] = { "memory-utilization", 1, { { plain_units, 0, 100 } } },
	[H100_EVENT_DECODER_UTILIZATION] = { "decoder-utilization",
					     1,
					     { { plain_units, 0, 100 } } },
	[H100_EVENT_ENCODER_UTILIZATION] = { "encoder-utilization",
					     1,
					     { { plain_units, 0, 100 } } },
	[H100_EVENT_GRAPHICS_CLOCK] = { "graphics-clock", 1, { { mhz_units, 1, 10000 } } },
	[H100_EVENT_RELEASE] = { "release", 0 },
	[H100_EVENT_ROW_REMAP] = { "row-remap",
				   2,
				   { { plain_units, 0, 512 }, { plain_units, 0, 512 } } },
	[H100_EVENT_ROW_REMAP_PENDING] = { "row-remap-pending", 0 },
	[H100_EVENT_ROW_REMAP_FAILURE] = { "row-remap-failure", 0 },
	[H100_EVENT_PCIE_REPLAY] = { "pcie-replay", 1, { { plain_units, 1, 1000000 } } },
	[H100_EVENT_PCIE_LINK] = { "pcie-link",
				   2,
				   { { plain_units, 1, 5 }, { plain_units, 1, 16 } } },
	[H100_EVENT_NVLINK_DOWN] = { "nvlink-down",
				     1,
				     { { plain_units, 0, H100_NVLINK_MAX - 1 } } },
	[H100_EVENT_NVLINK_UP] = { "nvlink-up", 1, { { plain_units, 0, H100_NVLINK_MAX - 1 } } },
	[H100_EVENT_NVLINK_ERROR] = { "nvlink-error",
				      2,
				      { { plain_units, 0, H100_NVLINK_MAX - 1 },
					{ plain_units, 1, 1000000 } } },
	[H100_EVENT_INFOROM_CORRUPT] = { "inforom-corrupt", 0 },
	[H100_EVENT_POWER_BRAKE] = { "power-brake", 1, { { plain_units, 0, 1 } } },
};

static enum nv_status fail(struct h100_parse_error *error, u32 line, const char *what)
{
	error->line = line;
	snprintf(error->text, sizeof(error->text), "%s", what);
	return NV_ERR_INVALID_ARGUMENT;
}

/* "gpu3", "gpu*"; absent means all. */
static bool read_gpu(struct text_cursor *line, u32 *gpu)
{
	struct text_cursor start = *line;
	struct text_cursor number;
	char word[16];
	u64 index;

	*gpu = H100_SCENARIO_ALL_GPUS;
	if (!text_word(line, word, sizeof(word)) || strncmp(word, "gpu", 3) != 0) {
		*line = start;
		return true;
	}
	if (strcmp(word, "gpu*") == 0)
		return true;
	number = (struct text_cursor){ word + 3, word + strlen(word), 0 };
	if (!text_number(&number, NULL, &index) || !text_ended(&number) || index > 255)
		return false;
	*gpu = (u32)index;
	return true;
}

static enum nv_status read_event(struct text_cursor *line, struct h100_event *event,
				 struct h100_parse_error *error)
{
	const struct event_form *form;
	char word[32];

	memset(event, 0, sizeof(*event));
	if (!text_word(line, word, sizeof(word)))
		return fail(error, line->line, "a line is \"[at TIME] EVENT [gpuN] [VALUES]\"");
	if (strcmp(word, "at") == 0) {
		if (!text_number(line, time_units, &event->at_ns))
			return fail(error, line->line,
				    "a time is a number and ns, us, ms, s or min");
		if (event->at_ns >= TIME_END_NS)
			return fail(error, line->line, "a time is less than 2^62 ns");
		if (!text_word(line, word, sizeof(word)))
			return fail(error, line->line, "no event after the time");
	}
	for (event->kind = 0; event->kind < H100_EVENT_KIND_COUNT; event->kind++) {
		if (strcmp(word, forms[event->kind].name) == 0)
			break;
	}
	if (event->kind == H100_EVENT_KIND_COUNT)
		return fail(error, line->line, "no such event");
	form = &forms[event->kind];
	if (!read_gpu(line, &event->gpu))
		return fail(error, line->line, "a GPU is gpu0 .. gpu255 or gpu*");
	for (u32 i = 0; i < form->values; i++) {
		if (!text_number(line, form->value[i].units, &event->value[i]) ||
		    event->value[i] < form->value[i].min || event->value[i] > form->value[i].max)
			return fail(error, line->line,
				    "a value is missing, malformed or out of bounds");
	}
	if (!text_ended(line))
		return fail(error, line->line, "something follows the event");
	return NV_OK;
}

enum nv_status h100_event_parse(const char *text, size_t size, struct h100_event *event,
				struct h100_parse_error *error)
{
	struct text_cursor file = text_cursor_of(text, size), line, more;
	enum nv_status status;

	if (text == NULL || size > H100_SCENARIO_MAX_SIZE || !text_next_line(&file, &line))
		return fail(error, 0, "no event");
	status = read_event(&line, event, error);
	if (status == NV_OK && text_next_line(&file, &more))
		return fail(error, more.line, "one event only");
	return status;
}

/* Stable: events of one time stay in the order of their lines. */
static void sort_events(struct h100_event *events, u32 count, struct h100_event *spare)
{
	for (u32 width = 1; width < count; width *= 2) {
		for (u32 start = 0; start < count; start += 2 * width) {
			u32 left = start, middle = start + width < count ? start + width : count;
			u32 right = middle,
			    end = start + 2 * width < count ? start + 2 * width : count;

			for (u32 i = start; i < end; i++) {
				bool take_left =
					left < middle &&
					(right == end || events[left].at_ns <= events[right].at_ns);

				spare[i] = events[take_left ? left++ : right++];
			}
		}
		memcpy(events, spare, count * sizeof(*events));
	}
}

enum nv_status h100_scenario_parse(const char *text, size_t size, struct h100_scenario *scenario,
				   struct h100_parse_error *error)
{
	struct text_cursor file = text_cursor_of(text, size), line;
	struct h100_event *events = NULL, *spare = NULL;
	enum nv_status status = NV_OK;
	u32 count = 0;

	memset(scenario, 0, sizeof(*scenario));
	error->line = 0;
	error->text[0] = '\0';
	if (text == NULL)
		return NV_OK;
	if (size > H100_SCENARIO_MAX_SIZE)
		return fail(error, 0, "more than 1 MiB");
	while (text_next_line(&file, &line))
		count++;
	if (count > H100_SCENARIO_MAX_EVENTS)
		return fail(error, file.line, "more than 4096 events");
	if (count == 0)
		return NV_OK;
	events = os_alloc(count * sizeof(*events));
	spare = os_alloc(count * sizeof(*spare));
	if (events == NULL || spare == NULL) {
		status = NV_ERR_NO_MEMORY;
		goto out;
	}
	file = (struct text_cursor){ text, text + size, 0 };
	for (u32 i = 0; status == NV_OK && text_next_line(&file, &line); i++)
		status = read_event(&line, &events[i], error);
	if (status != NV_OK)
		goto out;
	sort_events(events, count, spare);
	scenario->events = events;
	scenario->count = count;
	events = NULL;
out:
	os_free(spare);
	os_free(events);
	return status;
}

void h100_scenario_free(struct h100_scenario *scenario)
{
	os_free(scenario->events);
	memset(scenario, 0, sizeof(*scenario));
}

static bool concerns(const struct h100_event *event, u32 index)
{
	return event->gpu == H100_SCENARIO_ALL_GPUS || event->gpu == index;
}

u64 h100_scenario_when(const struct h100_scenario *scenario, u32 index)
{
	for (u32 i = scenario->next; i < scenario->count; i++) {
		if (concerns(&scenario->events[i], index))
			return scenario->events[i].at_ns;
	}
	return ~0ull;
}

const struct h100_event *h100_scenario_next(struct h100_scenario *scenario, u32 index,
					    u64 elapsed_ns)
{
	while (scenario->next < scenario->count &&
	       scenario->events[scenario->next].at_ns <= elapsed_ns) {
		const struct h100_event *event = &scenario->events[scenario->next++];

		if (concerns(event, index))
			return event;
	}
	return NULL;
}

bool h100_state_event(struct h100_state *state, const struct h100_event *event)
{
	u32 value = (u32)event->value[0], second = (u32)event->value[1];

	switch ((enum h100_event_kind)event->kind) {
	case H100_EVENT_OFF_BUS:
	case H100_EVENT_ON_BUS:
	case H100_EVENT_GSP_CRASH:
	case H100_EVENT_GSP_HANG:
	case H100_EVENT_GSP_WAKE:
	case H100_EVENT_KIND_COUNT:
		return false;
	case H100_EVENT_FABRIC_SILENT:
		state->fabric_manager = H100_FABRIC_SILENT;
		break;
	case H100_EVENT_FABRIC_ANSWERS:
		state->fabric_manager = H100_FABRIC_ANSWERS;
		break;
	case H100_EVENT_FABRIC_REFUSES:
		state->fabric_manager = H100_FABRIC_REFUSES;
		break;
	case H100_EVENT_ECC_SBE:
		h100_state_ecc_error(state, H100_ECC_DRAM, false, value);
		break;
	case H100_EVENT_ECC_DBE:
		h100_state_ecc_error(state, H100_ECC_DRAM, true, value);
		break;
	case H100_EVENT_TEMPERATURE:
		state->held.temperature_c = value;
		break;
	case H100_EVENT_MEMORY_TEMPERATURE:
		state->held.memory_temperature_c = value;
		break;
	case H100_EVENT_POWER:
		state->held.power_mw = value;
		break;
	case H100_EVENT_UTILIZATION:
		state->held.utilization_percent[H100_ENGINE_GRAPHICS] = value;
		break;
	case H100_EVENT_MEMORY_UTILIZATION:
		state->held.utilization_percent[H100_ENGINE_MEMORY] = value;
		break;
	case H100_EVENT_DECODER_UTILIZATION:
		state->held.utilization_percent[H100_ENGINE_DECODER] = value;
		break;
	case H100_EVENT_ENCODER_UTILIZATION:
		state->held.utilization_percent[H100_ENGINE_ENCODER] = value;
		break;
	case H100_EVENT_GRAPHICS_CLOCK:
		state->held.graphics_mhz = value;
		break;
	case H100_EVENT_RELEASE:
		memset(&state->held, 0xff, sizeof(state->held));
		break;
	case H100_EVENT_ROW_REMAP:
		h100_state_remap_rows(state, value, second);
		break;
	case H100_EVENT_ROW_REMAP_PENDING:
		state->remap_pending = true;
		break;
	case H100_EVENT_ROW_REMAP_FAILURE:
		state->remap_failed = true;
		break;
	case H100_EVENT_PCIE_REPLAY:
		os_fetch_add(&state->pcie_replays, value);
		break;
	case H100_EVENT_PCIE_LINK:
		state->pcie_generation = value;
		state->pcie_lanes = second;
		break;
	case H100_EVENT_NVLINK_DOWN:
		h100_state_set_link(state, value, false);
		break;
	case H100_EVENT_NVLINK_UP:
		h100_state_set_link(state, value, true);
		break;
	case H100_EVENT_NVLINK_ERROR:
		if (value < state->profile.nvlink_count)
			state->nvlink[value].crc_flit_errors += second;
		break;
	case H100_EVENT_INFOROM_CORRUPT:
		state->inforom_valid = false;
		break;
	case H100_EVENT_POWER_BRAKE:
		state->power_brake = value != 0;
		break;
	}
	return true;
}
