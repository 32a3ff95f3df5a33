// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Any bytes as a profile file. What is accepted must make a GPU whose model can run.
 */
#include <stdlib.h>

#include "h100/engine/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct h100_profile profile;
	struct h100_parse_error error;
	struct h100_state *state;

	if (h100_profile_parse((const char *)data, size, &profile, &error) != NV_OK)
		return 0;
	state = malloc(sizeof(*state));
	if (state == NULL)
		abort();
	h100_state_init(state, &profile, NULL, 0, 1, 1000);
	h100_state_account_busy(state, H100_ENGINE_GRAPHICS, 2000000000, 1000000000);
	if (h100_state_update(state, 2000000000) != NULL)
		abort();
	if (state->clock_mhz[H100_CLOCK_GRAPHICS] > profile.graphics.max_mhz)
		abort();
	h100_state_destroy(state);
	free(state);
	return 0;
}
