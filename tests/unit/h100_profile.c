// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Profile files: those that come with the project, and every way in which one can be wrong.
 */
#include "engine.h"

static const char *const profiles[] = { "h100-sxm-80gb", "h100-pcie-80gb", "h200" };

static void test_shipped(void **unused)
{
	struct h100_profile p;

	for (u32 i = 0; i < ARRAY_SIZE(profiles); i++) {
		profile_load(profiles[i], &p);
		assert_int_equal(p.vendor_id, 0x10de);
		assert_int_equal(p.mig_count, 7);
		assert_true(p.ecc);
	}
	profile_load("h100-sxm-80gb", &p);
	assert_string_equal(p.name, "NVIDIA H100 80GB HBM3");
	assert_int_equal(p.device_id, 0x2330);
	assert_int_equal(p.subsystem_id, 0x16c1);
	assert_int_equal(p.memory_bytes, MIB(81559));
	assert_int_equal(p.power_idle_mw, 69500);
	assert_int_equal(p.graphics.max_mhz, 1980);
	assert_int_equal(p.memory_clocks_mhz[0], 2619);
	assert_int_equal(p.memory_clocks_mhz[1], 1593);
	assert_int_equal(p.memory_clocks_mhz[2], 0);
	assert_int_equal(p.inforom_ecc.minor, 16);
	assert_int_equal(p.nvlink_count, 18);
	assert_string_equal(p.mig[0].name, "1g.10gb");
	assert_int_equal(p.mig[1].media_extensions, 1);
	assert_int_equal(p.mig[6].sm_count, 132);
	profile_load("h200", &p);
	assert_int_equal(p.device_id, 0x2335);
	assert_int_equal(p.memory_bytes, MIB(143771));
	profile_load("h100-pcie-80gb", &p);
	assert_int_equal(p.device_id, 0x2331);
	assert_int_equal(p.nvlink_connected, false);
}

/* Replaces the line that begins with key (NULL: appends). */
static char *with_line(const char *key, const char *line, size_t *size)
{
	char *text = profile_text("h100-sxm-80gb", size), *at = text + *size, *rest = at;
	char *changed = malloc(H100_PROFILE_MAX_SIZE);
	size_t before;

	assert_non_null(changed);
	text[*size] = '\0';
	if (key != NULL) {
		char needle[64];

		snprintf(needle, sizeof(needle), "\n%s = ", key);
		at = strstr(text, needle);
		assert_non_null(at);
		at++;
		rest = strchr(at, '\n') + 1;
	}
	before = (size_t)(at - text);
	memcpy(changed, text, before);
	*size = before + (size_t)snprintf(changed + before, H100_PROFILE_MAX_SIZE - before,
					  "%s\n%s", line, rest);
	free(text);
	return changed;
}

static void test_faults(void **unused)
{
	const struct {
		const char *key, *line, *message;
	} cases[] = {
		{ NULL, "colour = \"green\"", "no such key" },
		{ NULL, "memory = 1 GiB", "given twice" },
		{ "memory", "", "memory: missing" },
		{ "memory", "memory = 80", "malformed" },
		{ "memory", "memory = 80 GB", "malformed" },
		{ "memory", "memory = 99999999999999999999 GiB", "malformed" },
		{ "memory", "memory = 18446744073709551615 GiB", "malformed" },
		{ "memory", "memory = 80 GiB more", "malformed" },
		{ "memory", "memory = -80 GiB", "malformed" },
		{ "memory", "memory = 600 GiB", "malformed" },
		{ "memory", "memory = 83515416.0001 KiB", "malformed" },
		{ "memory", "memory = 83515416.5 KiB", "whole MiB" },
		{ "memory", "memory = 100000.5 MiB", "whole MiB" },
		{ "name", "name = NVIDIA", "malformed" },
		{ "name", "name = \"\"", "malformed" },
		{ "name", "name = \"no end", "malformed" },
		{ "name", "name = \"a\001b\"", "malformed" },
		{ "name",
		  "name = \"0123456789012345678901234567890123456789012345678901234567890123\"",
		  "malformed" },
		{ "ecc", "ecc = maybe", "malformed" },
		{ "inforom_ecc", "inforom_ecc = 7", "malformed" },
		{ "inforom_ecc", "inforom_ecc = 7.999", "malformed" },
		{ "inforom_ecc", "inforom_ecc = 7.1.6", "malformed" },
		{ "graphics_clocks", "graphics_clocks = 345 MHz .. 345 MHz step 15 MHz",
		  "malformed" },
		{ "graphics_clocks", "graphics_clocks = 345 MHz .. 1980 MHz step 16 MHz",
		  "malformed" },
		{ "graphics_clocks", "graphics_clocks = 345 MHz .. 1980 MHz step 0 MHz",
		  "malformed" },
		{ "memory_clocks", "memory_clocks = 1593 MHz, 2619 MHz", "malformed" },
		{ "memory_clocks",
		  "memory_clocks = 9 MHz,8 MHz,7 MHz,6 MHz,5 MHz,4 MHz,3 MHz,2 MHz,1 MHz",
		  "malformed" },
		{ "bar1", "bar1 = 100 GiB", "powers of two" },
		{ "vbios_version", "vbios_version = \"96.00.74\"", "five bytes" },
		{ "vbios_version", "vbios_version = \"96.00.74.00.0Z\"", "five bytes" },
		{ "power_min_limit", "power_min_limit = 800 W", "power_idle <=" },
		{ "temperature_slowdown", "temperature_slowdown = 99 C", "temperatures" },
		{ "graphics_idle", "graphics_idle = 10 MHz", "within their range" },
		{ "tpc_count", "tpc_count = 7", "sm_count >=" },
		{ NULL, "mig = 1g.10gb id 19", "malformed instance" },
		{ NULL, "just words", "key = value" },
		{ NULL, "\xff\xfe", "key = value" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct h100_profile untouched = { .serial = 42 }, profile = untouched;
		struct h100_parse_error error;
		size_t size;
		char *text = with_line(cases[i].key, cases[i].line, &size);

		assert_int_equal(h100_profile_parse(text, size, &profile, &error),
				 NV_ERR_INVALID_ARGUMENT);
		if (strstr(error.text, cases[i].message) == NULL || error.line == 0)
			fail_msg("\"%s\" gave line %u: %s", cases[i].line, error.line, error.text);
		assert_memory_equal(&profile, &untouched, sizeof(profile));
		free(text);
	}
}

static void test_error_line(void **unused)
{
	const char text[] = "# one\n\nname = \"x\"\nname = \"y\"\n";
	struct h100_profile profile;
	struct h100_parse_error error;

	assert_int_equal(h100_profile_parse(text, sizeof(text) - 1, &profile, &error),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(error.line, 4);
	assert_string_equal(error.text, "name: given twice");
}

static void test_size_limits(void **unused)
{
	static char big[H100_PROFILE_MAX_SIZE + 1];
	struct h100_profile profile;
	struct h100_parse_error error;

	memset(big, '\n', sizeof(big));
	assert_int_equal(h100_profile_parse(big, sizeof(big), &profile, &error),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_profile_parse(big, 0, &profile, &error), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(h100_profile_parse(NULL, 0, &profile, &error), NV_ERR_INVALID_ARGUMENT);
}

/* A text that stops anywhere is refused, and nothing past its end is read (the sanitizer looks). */
static void test_truncated(void **unused)
{
	size_t size;
	char *text = profile_text("h100-sxm-80gb", &size);
	const char *last = strstr(text, "thermal_time_constant");
	struct h100_profile profile;
	struct h100_parse_error error;

	assert_non_null(last);
	for (size_t cut = 0; cut < (size_t)(last - text); cut += 7) {
		char *part = malloc(cut + 1);

		assert_non_null(part);
		memcpy(part, text, cut);
		part = realloc(part, cut != 0 ? cut : 1);
		assert_int_equal(h100_profile_parse(part, cut, &profile, &error),
				 NV_ERR_INVALID_ARGUMENT);
		free(part);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),	   cmocka_unit_test(test_faults),
		cmocka_unit_test(test_error_line), cmocka_unit_test(test_size_limits),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
