// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Scenarios: the grammar, the order of events, what each does to the state, and running out of
 * memory.
 */
#include "engine.h"

static enum nv_status parse_one(const char *line, struct h100_event *event)
{
	struct h100_parse_error error;

	return h100_event_parse(line, strlen(line), event, &error);
}

static void test_grammar(void **unused)
{
	struct h100_event event;

	assert_int_equal(parse_one("ecc-sbe 3", &event), NV_OK);
	assert_int_equal(event.kind, H100_EVENT_ECC_SBE);
	assert_int_equal(event.gpu, H100_SCENARIO_ALL_GPUS);
	assert_int_equal(event.value[0], 3);
	assert_int_equal(event.at_ns, 0);
	assert_int_equal(parse_one("  at 1.5s power gpu7 650.5 W # hot\n", &event), NV_OK);
	assert_int_equal(event.at_ns, 1500000000);
	assert_int_equal(event.gpu, 7);
	assert_int_equal(event.value[0], 650500);
	assert_int_equal(parse_one("power gpu* 650", &event), NV_OK);
	assert_int_equal(event.value[0], 650000);
	assert_int_equal(parse_one("at 2 min off-bus", &event), NV_OK);
	assert_int_equal(event.at_ns, 120 * SECOND_NS);
	assert_int_equal(parse_one("at 4611686018427387903ns off-bus", &event), NV_OK);
	assert_int_equal(parse_one("pcie-link 4 8", &event), NV_OK);
	assert_int_equal(event.value[1], 8);
}

static void test_refused(void **unused)
{
	const char *const lines[] = {
		"",
		"# nothing",
		"explode",
		"at",
		"at 5",
		"at 5 off-bus",
		"at 5s",
		"at -5s off-bus",
		"at 99999999999999s off-bus",
		"at 18446744073s off-bus",
		"at 4611686018427387904ns off-bus",
		"ecc-sbe",
		"ecc-sbe 0",
		"ecc-sbe 1000001",
		"ecc-sbe 1 2",
		"off-bus 1",
		"off-bus gpux",
		"off-bus gpu256",
		"off-bus gpu",
		"temperature 151",
		"temperature hot",
		"nvlink-down 18",
		"pcie-link 6 16",
		"pcie-link 5",
		"utilization 101",
		"off-bus\noff-bus",
		"power 1 kW",
		"at 5s at 6s off-bus",
		"\x80\x81",
	};
	struct h100_event event;

	for (u32 i = 0; i < ARRAY_SIZE(lines); i++) {
		if (parse_one(lines[i], &event) != NV_ERR_INVALID_ARGUMENT)
			fail_msg("accepted \"%s\"", lines[i]);
	}
}

static void test_order(void **unused)
{
	const char text[] = "at 3s ecc-sbe gpu1 1\n"
			    "# in between\n"
			    "at 1s ecc-sbe gpu0 2\n"
			    "at 3s ecc-sbe 3\n"
			    "at 2s ecc-sbe gpu1 4\n";
	struct h100_scenario scenario;
	struct h100_parse_error error;
	const u64 expected[] = { 4, 1, 3 }; /* GPU 1's, equal times in the order of lines */

	assert_int_equal(h100_scenario_parse(text, sizeof(text) - 1, &scenario, &error), NV_OK);
	assert_int_equal(scenario.count, 4);
	assert_int_equal(h100_scenario_when(&scenario, 1), 2 * SECOND_NS);
	assert_null(h100_scenario_next(&scenario, 1, 2 * SECOND_NS - 1));
	for (u32 i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct h100_event *event = h100_scenario_next(&scenario, 1, 5 * SECOND_NS);

		assert_non_null(event);
		assert_int_equal(event->value[0], expected[i]);
	}
	assert_null(h100_scenario_next(&scenario, 1, ~0ull));
	assert_true(h100_scenario_when(&scenario, 1) == ~0ull);
	h100_scenario_free(&scenario);
	assert_int_equal(scenario.count, 0);
}

static void test_file_faults(void **unused)
{
	struct h100_scenario scenario;
	struct h100_parse_error error;
	size_t size = (H100_SCENARIO_MAX_EVENTS + 1) * 8;
	char *many = malloc(size);

	assert_int_equal(h100_scenario_parse(NULL, 0, &scenario, &error), NV_OK);
	assert_int_equal(scenario.count, 0);
	assert_int_equal(h100_scenario_parse("release\nbang\n", 13, &scenario, &error),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(error.line, 2);
	assert_null(scenario.events);
	assert_non_null(many);
	for (size_t i = 0; i < size; i += 8)
		memcpy(many + i, "release\n", 8);
	assert_int_equal(h100_scenario_parse(many, size, &scenario, &error),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_scenario_parse(many, size - 8, &scenario, &error), NV_OK);
	assert_int_equal(scenario.count, H100_SCENARIO_MAX_EVENTS);
	h100_scenario_free(&scenario);
	assert_int_equal(h100_scenario_parse(many, H100_SCENARIO_MAX_SIZE + 1, &scenario, &error),
			 NV_ERR_INVALID_ARGUMENT);
	free(many);
}

static void test_no_memory(void **unused)
{
	struct h100_scenario scenario;
	struct h100_parse_error error;

	if (!os_user_fail_alloc(1))
		skip();
	for (u32 nth = 1; nth <= 2; nth++) {
		os_user_fail_alloc(nth);
		assert_int_equal(h100_scenario_parse("release\n", 8, &scenario, &error),
				 NV_ERR_NO_MEMORY);
		assert_null(scenario.events);
	}
	os_user_fail_alloc(0);
}

/* Every event that the state takes leaves its mark; the others are left to the caller. */
static void test_effects(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	struct h100_event event;
	const char *const outside[] = { "off-bus", "on-bus", "gsp-crash", "gsp-hang", "gsp-wake" };
#define APPLY(line)                                               \
	do {                                                      \
		assert_int_equal(parse_one(line, &event), NV_OK); \
		assert_true(h100_state_event(s, &event));         \
	} while (0)

	for (u32 i = 0; i < ARRAY_SIZE(outside); i++) {
		assert_int_equal(parse_one(outside[i], &event), NV_OK);
		assert_false(h100_state_event(s, &event));
	}
	APPLY("ecc-sbe 5");
	assert_int_equal(s->ecc_volatile[H100_ECC_DRAM].corrected, 5);
	assert_int_equal(s->remapped_uncorrectable, 0);
	APPLY("ecc-dbe 2");
	assert_int_equal(s->ecc_aggregate[H100_ECC_DRAM].uncorrected, 2);
	assert_int_equal(s->remapped_uncorrectable, 2);
	assert_true(s->remap_pending);
	assert_int_equal(s->remap_histogram[0], 2558);
	assert_int_equal(s->remap_histogram[1], 2);
	APPLY("row-remap 3 1");
	assert_int_equal(s->remapped_correctable, 3);
	assert_int_equal(s->remapped_uncorrectable, 3);
	APPLY("row-remap-failure");
	assert_true(s->remap_failed);
	APPLY("temperature 91");
	assert_int_equal(h100_state_temperature_c(s), 91);
	APPLY("memory-temperature 80C");
	assert_int_equal(h100_state_memory_temperature_c(s), 80);
	APPLY("utilization 77");
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_GRAPHICS, START_NS), 77);
	APPLY("memory-utilization 7");
	APPLY("decoder-utilization 8");
	APPLY("encoder-utilization 9");
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_MEMORY, START_NS), 7);
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_DECODER, START_NS), 8);
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_ENCODER, START_NS), 9);
	APPLY("release");
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_GRAPHICS, START_NS), 0);
	assert_int_equal(h100_state_temperature_c(s), 30);
	APPLY("power 300");
	APPLY("graphics-clock 1000MHz");
	state_move(s, SECOND_NS);
	assert_int_equal(s->power_mw, 300000);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1000);
	APPLY("pcie-replay 4");
	assert_int_equal(s->pcie_replays, 4);
	APPLY("pcie-link 3 8");
	assert_int_equal(s->pcie_generation, 3);
	assert_int_equal(s->pcie_lanes, 8);
	APPLY("nvlink-down 17");
	assert_false(s->nvlink[17].up);
	APPLY("nvlink-up 17");
	assert_true(s->nvlink[17].up);
	APPLY("nvlink-error 2 6");
	assert_int_equal(s->nvlink[2].crc_flit_errors, 6);
	APPLY("inforom-corrupt");
	assert_false(s->inforom_valid);
	APPLY("power-brake 1");
	assert_true(s->power_brake);
	state_free(s);
}

/* Events happen at their own time, however late the state is moved; an outside one stops it there.
 */
static void test_time(void **unused)
{
	struct h100_state *s = state_make("at 2s power 100\nat 4s off-bus\nat 6s ecc-sbe 1\n"
					  "at 1s ecc-sbe gpu3 9\n",
					  0);
	const struct h100_event *event;
	u64 energy;

	event = h100_state_update(s, START_NS + 10 * SECOND_NS);
	assert_non_null(event);
	assert_int_equal(event->kind, H100_EVENT_OFF_BUS);
	assert_true(s->update_ns == START_NS + 4 * SECOND_NS);
	energy = s->energy_uj; /* 2 s of 69.5 W and 2 s of 100 W */
	assert_in_range(energy, 338000000, 340000000);
	assert_int_equal(s->ecc_volatile[H100_ECC_DRAM].corrected, 0);
	assert_null(h100_state_update(s, START_NS + 10 * SECOND_NS));
	assert_int_equal(s->ecc_volatile[H100_ECC_DRAM].corrected, 1);
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),	  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_order),	  cmocka_unit_test(test_file_faults),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_effects),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
