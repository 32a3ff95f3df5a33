// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The model: identity, work and utilisation, clocks, power, heat, limits, memory, processes, boots.
 */
#include <pthread.h>

#include "engine.h"

static void test_identity(void **unused)
{
	struct h100_state *a = state_make(NULL, 0), *b = state_make(NULL, 1),
			  *again = state_make(NULL, 0);

	assert_string_equal(a->serial, "1652823050001");
	assert_string_equal(b->serial, "1652823050002");
	assert_string_equal(a->uuid_text, again->uuid_text);
	assert_string_not_equal(a->uuid_text, b->uuid_text);
	assert_int_equal(strlen(a->uuid_text), 40);
	assert_int_equal(strncmp(a->uuid_text, "GPU-", 4), 0);
	state_free(a);
	state_free(b);
	state_free(again);
}

static void test_idle(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);

	state_move(s, 60 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_GRAPHICS], 345);
	assert_int_equal(s->clock_mhz[H100_CLOCK_MEMORY], 2619);
	assert_int_equal(s->power_mw, 69500);
	assert_int_equal(h100_state_temperature_c(s), 30);
	assert_int_equal(s->slowdown, H100_SLOWDOWN_IDLE);
	assert_true(s->slowdown_ns[0] == 60 * SECOND_NS);
	assert_int_equal(s->energy_uj, 60 * 69500000ull);
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_GRAPHICS, s->update_ns), 0);
	state_free(s);
}

/* Works at a share for some seconds, reported and moved every 10 ms. */
static void work(struct h100_state *s, u64 from_ns, u64 to_ns, u32 percent)
{
	for (u64 t = from_ns + 10000000; t <= to_ns; t += 10000000) {
		h100_state_account_busy(s, H100_ENGINE_GRAPHICS, START_NS + t, 100000ull * percent);
		h100_state_account_busy(s, H100_ENGINE_MEMORY, START_NS + t, 100000ull * percent);
		state_move(s, t);
	}
}

static void test_load(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	u32 warm;

	work(s, 0, 5 * SECOND_NS, 50);
	assert_in_range(h100_state_utilization(s, H100_ENGINE_GRAPHICS, s->update_ns), 49, 51);
	assert_in_range(h100_state_utilization(s, H100_ENGINE_MEMORY, s->update_ns), 49, 51);
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_DECODER, s->update_ns), 0);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1980);
	assert_int_equal(s->slowdown, 0);
	assert_in_range(s->power_mw, 350000, 400000);
	warm = h100_state_temperature_c(s);
	assert_in_range(warm, 34, 48); /* a third of a time constant */
	work(s, 5 * SECOND_NS, 60 * SECOND_NS, 100);
	assert_in_range(h100_state_temperature_c(s), 62, 68);
	assert_true(h100_state_memory_temperature_c(s) > h100_state_temperature_c(s));
	assert_in_range(s->power_mw, 600000, 700000);
	state_move(s, 62 * SECOND_NS); /* idle for two seconds */
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_GRAPHICS, s->update_ns), 0);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 345);
	state_move(s, 300 * SECOND_NS);
	assert_int_equal(h100_state_temperature_c(s), 30);
	state_free(s);
}

/* The model of the same reports is the same, to the bit. */
static void test_deterministic(void **unused)
{
	struct h100_state *a = state_make(NULL, 0), *b = state_make(NULL, 0);

	work(a, 0, 3 * SECOND_NS, 80);
	work(b, 0, 3 * SECOND_NS, 80);
	assert_memory_equal(&a->temperature_c, &b->temperature_c, sizeof(double));
	assert_true(a->energy_uj == b->energy_uj && a->power_mw == b->power_mw);
	state_free(a);
	state_free(b);
}

/* Work that lasts longer than a window, reported at its end, and time that stands still or goes
 * back. */
static void test_long_work(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);

	h100_state_account_busy(s, H100_ENGINE_GRAPHICS, START_NS + 5 * SECOND_NS, 3 * SECOND_NS);
	state_move(s, 5 * SECOND_NS);
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_GRAPHICS, s->update_ns), 100);
	state_move(s, 5 * SECOND_NS);
	state_move(s, 4 * SECOND_NS);
	assert_true(s->update_ns == START_NS + 5 * SECOND_NS);
	h100_state_account_busy(s, H100_ENGINE_GRAPHICS, START_NS + 6 * SECOND_NS, ~0ull / 2);
	state_move(s, 6 * SECOND_NS);
	assert_int_equal(h100_state_utilization(s, H100_ENGINE_GRAPHICS, s->update_ns), 100);
	state_free(s);
}

static void test_limits(void **unused)
{
	struct h100_state *s = state_make("utilization 100\nmemory-utilization 100\n", 0);

	assert_int_equal(h100_state_set_power_limit(s, 199999), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_set_power_limit(s, 700001), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_set_power_limit(s, 300000), NV_OK);
	state_move(s, SECOND_NS);
	assert_true(s->slowdown & H100_SLOWDOWN_POWER_CAP);
	assert_true(s->clock_mhz[H100_CLOCK_SM] < 1980);
	assert_in_range(s->power_mw, 250000, 300000);
	assert_int_equal(h100_state_set_power_limit(s, 700000), NV_OK);

	assert_int_equal(h100_state_lock_graphics_clock(s, 1000, 900), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_lock_graphics_clock(s, 100, 900), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_lock_graphics_clock(s, 600, 900), NV_OK);
	state_move(s, 2 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_GRAPHICS], 900);
	assert_int_equal(h100_state_lock_graphics_clock(s, 0, 0), NV_OK);

	assert_int_equal(h100_state_set_application_clocks(s, 2619, 1201), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_set_application_clocks(s, 2000, 1200), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_set_application_clocks(s, 1593, 1200), NV_OK);
	state_move(s, 3 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_GRAPHICS], 1200);
	assert_int_equal(s->clock_mhz[H100_CLOCK_MEMORY], 1593);
	assert_true(s->slowdown & H100_SLOWDOWN_APPLICATION_CLOCKS);
	h100_state_reset_application_clocks(s);
	assert_int_equal(h100_state_lock_memory_clock(s, 1593, 2000), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_lock_memory_clock(s, 1593, 1593), NV_OK);
	state_move(s, 4 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_MEMORY], 1593);

	s->held.temperature_c = 88;
	state_move(s, 5 * SECOND_NS);
	assert_int_equal(s->slowdown, H100_SLOWDOWN_THERMAL_SOFTWARE);
	s->held.temperature_c = 89;
	state_move(s, 6 * SECOND_NS);
	assert_int_equal(s->slowdown, H100_SLOWDOWN_HARDWARE | H100_SLOWDOWN_THERMAL_HARDWARE);
	s->held.temperature_c = 40;
	s->power_brake = true;
	state_move(s, 7 * SECOND_NS);
	assert_int_equal(s->slowdown, H100_SLOWDOWN_HARDWARE | H100_SLOWDOWN_POWER_BRAKE);
	assert_int_equal(h100_state_set_compute_mode(s, 4), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_set_compute_mode(s, H100_COMPUTE_PROHIBITED), NV_OK);
	state_free(s);
}

static void test_memory(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	u64 free_bytes = h100_state_memory_free_bytes(s);

	assert_int_equal(free_bytes, MIB(81559 - 551));
	assert_int_equal(h100_state_process_add(s, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_state_process_add(s, 100), NV_OK);
	assert_int_equal(h100_state_process_add(s, 100), NV_OK);
	assert_int_equal(h100_state_memory_take(s, 100, free_bytes + 1), NV_ERR_NO_MEMORY);
	assert_int_equal(h100_state_memory_take(s, 100, free_bytes), NV_OK);
	assert_int_equal(h100_state_memory_take(s, 100, 1), NV_ERR_NO_MEMORY);
	assert_int_equal(h100_state_process_find(s, 100)->memory_bytes, free_bytes);
	h100_state_memory_give(s, 100, MIB(1));
	assert_int_equal(h100_state_memory_free_bytes(s), MIB(1));
	h100_state_process_remove(s, 100);
	assert_non_null(h100_state_process_find(s, 100));
	h100_state_process_remove(s, 100); /* the last client: what it left is free again */
	assert_null(h100_state_process_find(s, 100));
	assert_int_equal(h100_state_memory_free_bytes(s), free_bytes);
	h100_state_process_remove(s, 100);
	for (u32 i = 1; i <= H100_MAX_PROCESSES; i++)
		assert_int_equal(h100_state_process_add(s, i), NV_OK);
	assert_int_equal(h100_state_process_add(s, 9999), NV_ERR_INSUFFICIENT_RESOURCES);
	state_free(s);
}

static void test_boot(void **unused)
{
	struct h100_state *s = state_make("ecc-dbe 1\n", 0);

	state_move(s, SECOND_NS);
	assert_int_equal(h100_state_set_ecc(s, false), NV_OK);
	assert_true(s->ecc_enabled);
	h100_state_set_power_limit(s, 400000);
	h100_state_set_compute_mode(s, H100_COMPUTE_EXCLUSIVE_PROCESS);
	h100_state_shutdown(s, START_NS + SECOND_NS);
	assert_int_equal(s->power_limit_mw, 700000);
	assert_int_equal(s->compute_mode, H100_COMPUTE_DEFAULT);
	h100_state_boot(s, "535.309.01", START_NS + SECOND_NS);
	assert_string_equal(s->firmware_version, "535.309.01");
	assert_false(s->ecc_enabled);
	assert_false(s->remap_pending);
	assert_int_equal(s->energy_uj, 0);
	assert_int_equal(s->ecc_volatile[H100_ECC_DRAM].uncorrected, 0);
	assert_int_equal(s->ecc_aggregate[H100_ECC_DRAM].uncorrected, 1);
	h100_state_ecc_error(s, H100_ECC_L2, true, 5); /* ECC is off: none is noticed */
	assert_int_equal(h100_state_ecc_total(s->ecc_aggregate).uncorrected, 1);
	h100_state_clear_ecc(s, true);
	assert_int_equal(h100_state_ecc_total(s->ecc_aggregate).uncorrected, 0);
	s->profile.ecc = false;
	assert_int_equal(h100_state_set_ecc(s, true), NV_ERR_NOT_SUPPORTED);
	state_free(s);
}

static void test_rows_run_out(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);

	s->profile.memory_banks = 2;
	s->remap_histogram[0] = 2;
	h100_state_remap_rows(s, 0, 2);
	assert_false(s->remap_failed);
	h100_state_remap_rows(s, 1, 0);
	assert_true(s->remap_failed);
	state_free(s);
}

static void test_pcie(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);

	state_move(s, 5 * SECOND_NS);
	for (u32 i = 0; i < 10; i++)
		h100_state_account_pcie(s, START_NS + 4 * SECOND_NS + i * 100000000ull, 100000000,
					200000000);
	assert_in_range(h100_state_pcie_tx_kbps(s, START_NS + 5 * SECOND_NS - 1), 990000, 1010000);
	assert_in_range(h100_state_pcie_rx_kbps(s, START_NS + 5 * SECOND_NS - 1), 1980000, 2020000);
	assert_int_equal(h100_state_pcie_tx_kbps(s, START_NS + 7 * SECOND_NS), 0);
	assert_int_equal(s->pcie_tx_bytes, 1000000000);
	h100_state_account_pcie(s, START_NS + 7 * SECOND_NS, ~0ull >> 4, 0); /* stays in its word */
	assert_true(h100_state_pcie_tx_kbps(s, START_NS + 7 * SECOND_NS) > 0);
	state_free(s);
}

struct adder {
	struct h100_state *state;
	pthread_t thread;
};

static void *add_work(void *arg)
{
	struct adder *adder = arg;

	for (u32 i = 0; i < 20000; i++) {
		h100_state_account_busy(adder->state, H100_ENGINE_COPY, START_NS + 50000000, 3);
		h100_state_account_pcie(adder->state, START_NS + 50000000, 1, 2);
	}
	return NULL;
}

/* Accounting takes no lock and loses nothing. */
static void test_accounting_threads(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	struct adder adders[4];

	for (u32 i = 0; i < ARRAY_SIZE(adders); i++) {
		adders[i].state = s;
		assert_int_equal(pthread_create(&adders[i].thread, NULL, add_work, &adders[i]), 0);
	}
	for (u32 i = 0; i < 100; i++)
		state_move(s, 50000000);
	for (u32 i = 0; i < ARRAY_SIZE(adders); i++)
		pthread_join(adders[i].thread, NULL);
	assert_int_equal(s->busy_ns[H100_ENGINE_COPY], 240000);
	assert_int_equal(
		(u32)s->busy_slots[H100_ENGINE_COPY]
				  [((START_NS + 49999999) / H100_BUSY_SLOT_NS) % H100_BUSY_SLOTS],
		240000);
	assert_int_equal(s->pcie_tx_bytes, 80000);
	assert_int_equal(s->pcie_rx_bytes, 160000);
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_long_work),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_rows_run_out),
		cmocka_unit_test(test_pcie),
		cmocka_unit_test(test_accounting_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
