/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * For tests of the software GPU's state: profiles from their files, states with a clock of the
 * test's.
 */
#ifndef TESTS_UNIT_ENGINE_H
#define TESTS_UNIT_ENGINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "h100/engine/state.h"

#define START_NS 1000000000000ull
#define SECOND_NS 1000000000ull

/* The text of a profile that comes with the project; the caller frees it. */
static inline char *profile_text(const char *name, size_t *size)
{
	char path[512], *text = malloc(H100_PROFILE_MAX_SIZE);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.profile", H100_PROFILES, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(text);
	*size = fread(text, 1, H100_PROFILE_MAX_SIZE, file);
	fclose(file);
	return text;
}

static inline void profile_load(const char *name, struct h100_profile *profile)
{
	struct h100_parse_error error;
	size_t size;
	char *text = profile_text(name, &size);

	if (h100_profile_parse(text, size, profile, &error) != NV_OK)
		fail_msg("%s:%u: %s", name, error.line, error.text);
	free(text);
}

/* A state of the SXM board, made at START_NS, with a scenario or NULL. */
static inline struct h100_state *state_make(const char *scenario_text, u32 index)
{
	struct h100_state *state = malloc(sizeof(*state));
	struct h100_scenario scenario;
	struct h100_parse_error error;
	struct h100_profile profile;

	assert_non_null(state);
	profile_load("h100-sxm-80gb", &profile);
	if (h100_scenario_parse(scenario_text, scenario_text ? strlen(scenario_text) : 0, &scenario,
				&error) != NV_OK)
		fail_msg("scenario:%u: %s", error.line, error.text);
	h100_state_init(state, &profile, &scenario, index, 8, START_NS);
	return state;
}

/* A state of another product, without a scenario. */
static inline struct h100_state *state_make_like(const char *product)
{
	struct h100_state *state = malloc(sizeof(*state));
	struct h100_profile profile;

	assert_non_null(state);
	profile_load(product, &profile);
	h100_state_init(state, &profile, NULL, 0, 8, START_NS);
	return state;
}

static inline void state_free(struct h100_state *state)
{
	h100_state_destroy(state);
	free(state);
}

static inline void state_move(struct h100_state *state, u64 elapsed_ns)
{
	assert_null(h100_state_update(state, START_NS + elapsed_ns));
}

#endif
