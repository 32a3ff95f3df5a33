// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Any bytes as a scenario file, and as the line of an injected fault. What is accepted must come
 * out in the order of time.
 */
#include <stdlib.h>

#include "h100/engine/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h100_scenario scenario;
	struct h100_parse_error error;
	const struct h100_event *event;
	struct h100_event one;
	u64 last = 0;

	h100_event_parse((const char *)data, size, &one, &error);
	if (h100_scenario_parse((const char *)data, size, &scenario, &error) != NV_OK) {
		if (scenario.events != NULL)
			abort();
		return 0;
	}
	while ((event = h100_scenario_next(&scenario, 0, ~0ull)) != NULL) {
		if (event->at_ns < last || event->kind >= H100_EVENT_KIND_COUNT)
			abort();
		last = event->at_ns;
	}
	h100_scenario_free(&scenario);
	return 0;
}
