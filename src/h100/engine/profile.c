// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Profile files: one table says which keys there are, what they hold and within which bounds.
 */
#include "h100/engine/profile.h"

#include <stdio.h>
#include <string.h>

#include "h100/engine/text.h"

static const struct text_unit bytes_units[] = {
	{ "KiB", 1u << 10 }, { "MiB", 1u << 20 }, { "GiB", 1u << 30 }, { NULL, 0 }
};
static const struct text_unit mhz_units[] = { { "MHz", 1 }, { NULL, 0 } };
static const struct text_unit power_units[] = { { "W", 1000 }, { "mW", 1 }, { NULL, 0 } };
static const struct text_unit celsius_units[] = { { "C", 1 }, { NULL, 0 } };
static const struct text_unit time_units[] = { { "ms", 1 }, { "s", 1000 }, { NULL, 0 } };
static const struct text_unit rate_units[] = { { "MB/s", 1 }, { "GB/s", 1000 }, { NULL, 0 } };

enum key_kind { KEY_TEXT, KEY_NUMBER, KEY_BOOL, KEY_VERSION, KEY_RANGE, KEY_CLOCKS };

struct key {
	const char *name;
	enum key_kind kind;
	size_t offset;
	const struct text_unit *units;
	u64 min, max;
};

#define TEXT(field)                                                                \
	{                                                                          \
#field, KEY_TEXT, offsetof(struct h100_profile, field), NULL, 1, 0 \
	}
#define BOOL(field)                                                                \
	{                                                                          \
#field, KEY_BOOL, offsetof(struct h100_profile, field), NULL, 0, 1 \
	}
#define VERSION(field)                                                                  \
	{                                                                               \
#field, KEY_VERSION, offsetof(struct h100_profile, field), NULL, 0, 255 \
	}
#define NUMBER(field, min, max)                                                          \
	{                                                                                \
#field, KEY_NUMBER, offsetof(struct h100_profile, field), NULL, min, max \
	}
/* name is the key's, whose values carry a unit; the field's name ends in the unit that it counts
 * in. */
#define UNIT(name, field, units, min, max)                                              \
	{                                                                               \
		name, KEY_NUMBER, offsetof(struct h100_profile, field), units, min, max \
	}

static const struct key keys[] = {
	TEXT(name),
	TEXT(short_name),
	TEXT(vbios_version),
	TEXT(board_part),
	TEXT(gpu_part),
	TEXT(inforom_image),
	VERSION(inforom_oem),
	VERSION(inforom_ecc),
	VERSION(inforom_power),
	NUMBER(serial, 1, 9999999999999ull),
	NUMBER(vendor_id, 0x10de, 0x10de),
	NUMBER(device_id, 1, 0xfffe),
	NUMBER(subsystem_vendor_id, 1, 0xfffe),
	NUMBER(subsystem_id, 1, 0xfffe),
	NUMBER(revision, 0, 0xff),
	NUMBER(pcie_generation, 1, 5),
	NUMBER(pcie_lanes, 1, 16),
	UNIT("bar0", bar0_bytes, bytes_units, MIB(16), MIB(16)),
	UNIT("bar1", bar1_bytes, bytes_units, MIB(64), GIB(512)),
	UNIT("bar2", bar2_bytes, bytes_units, MIB(16), MIB(64)),
	NUMBER(gpc_count, 1, 12),
	NUMBER(tpc_count, 1, 108),
	NUMBER(sm_count, 1, 216),
	NUMBER(fbp_count, 1, 32),
	TEXT(memory_type),
	NUMBER(memory_bus_bits, 64, 12288),
	UNIT("l2", l2_bytes, bytes_units, MIB(1), GIB(1)),
	NUMBER(copy_engines, 1, 10),
	NUMBER(decoders, 0, 8),
	NUMBER(encoders, 0, 3),
	NUMBER(jpegs, 0, 8),
	NUMBER(ofas, 0, 1),
	NUMBER(nvlink_count, 0, 18),
	UNIT("nvlink_rate", nvlink_mbps, rate_units, 0, 100000),
	BOOL(nvlink_connected),
	BOOL(module),
	UNIT("memory", memory_bytes, bytes_units, MIB(64), GIB(512)),
	UNIT("memory_reserved", memory_reserved_bytes, bytes_units, MIB(1), GIB(16)),
	NUMBER(memory_banks, 1, 0xffff),
	BOOL(ecc),
	{ "graphics_clocks", KEY_RANGE, offsetof(struct h100_profile, graphics), mhz_units, 1,
	  10000 },
	UNIT("graphics_idle", graphics_idle_mhz, mhz_units, 1, 10000),
	UNIT("graphics_application", graphics_application_mhz, mhz_units, 1, 10000),
	{ "memory_clocks", KEY_CLOCKS, offsetof(struct h100_profile, memory_clocks_mhz), mhz_units,
	  1, 20000 },
	{ "video_clocks", KEY_RANGE, offsetof(struct h100_profile, video), mhz_units, 1, 10000 },
	UNIT("video_idle", video_idle_mhz, mhz_units, 1, 10000),
	UNIT("power_idle", power_idle_mw, power_units, 1000, 2000000),
	UNIT("power_min_limit", power_min_limit_mw, power_units, 1000, 2000000),
	UNIT("power_default_limit", power_default_limit_mw, power_units, 1000, 2000000),
	UNIT("power_max_limit", power_max_limit_mw, power_units, 1000, 2000000),
	UNIT("temperature_ambient", temperature_ambient_c, celsius_units, 0, 60),
	UNIT("temperature_full_load", temperature_full_load_c, celsius_units, 1, 120),
	UNIT("temperature_max_operating", temperature_max_operating_c, celsius_units, 1, 120),
	UNIT("temperature_slowdown", temperature_slowdown_c, celsius_units, 1, 120),
	UNIT("temperature_shutdown", temperature_shutdown_c, celsius_units, 1, 120),
	UNIT("memory_temperature_max", memory_temperature_max_c, celsius_units, 1, 120),
	UNIT("thermal_time_constant", thermal_time_constant_ms, time_units, 1, 600000),
};

static enum nv_status fail(struct h100_parse_error *error, u32 line, const char *what,
			   const char *which)
{
	error->line = line;
	snprintf(error->text, sizeof(error->text), "%s%s%s", which, which[0] != '\0' ? ": " : "",
		 what);
	return NV_ERR_INVALID_ARGUMENT;
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static bool read_bounded(struct text_cursor *line, const struct key *key, u64 *value)
{
	return text_number(line, key->units, value) && *value >= key->min && *value <= key->max;
}

/* "210 MHz .. 1980 MHz step 15 MHz" */
static bool read_range(struct text_cursor *line, const struct key *key,
		       struct h100_clock_range *out)
{
	char word[8];

	return read_bounded(line, key, &out->min_mhz) && text_word(line, word, sizeof(word)) &&
	       strcmp(word, "..") == 0 && read_bounded(line, key, &out->max_mhz) &&
	       text_word(line, word, sizeof(word)) && strcmp(word, "step") == 0 &&
	       read_bounded(line, key, &out->step_mhz) && out->max_mhz > out->min_mhz &&
	       (out->max_mhz - out->min_mhz) % out->step_mhz == 0;
}

/* "2619 MHz, 1593 MHz", highest first */
static bool read_clocks(struct text_cursor *line, const struct key *key, u64 *clocks)
{
	u32 count = 0;

	do {
		if (count == H100_PROFILE_MAX_CLOCKS || !read_bounded(line, key, &clocks[count]))
			return false;
		if (count > 0 && clocks[count] >= clocks[count - 1])
			return false;
		count++;
	} while (text_char(line, ','));
	return true;
}

static bool read_bool(struct text_cursor *line, bool *value)
{
	char word[8];

	if (!text_word(line, word, sizeof(word)))
		return false;
	*value = strcmp(word, "yes") == 0;
	return *value || strcmp(word, "no") == 0;
}

/* "2.1" */
static bool read_version(struct text_cursor *line, const struct key *key, struct h100_version *out)
{
	char word[16];
	struct text_cursor part = { word, word, 0 };
	char *point;

	if (!text_word(line, word, sizeof(word)))
		return false;
	point = strchr(word, '.');
	if (point == NULL)
		return false;
	part.end = point;
	if (!read_bounded(&part, key, &out->major) || !text_ended(&part))
		return false;
	part.at = point + 1;
	part.end = word + strlen(word);
	return read_bounded(&part, key, &out->minor) && text_ended(&part);
}

static bool read_value(struct text_cursor *line, const struct key *key,
		       struct h100_profile *profile)
{
	void *field = (char *)profile + key->offset;

	switch (key->kind) {
	case KEY_TEXT:
		return text_quoted(line, field, H100_PROFILE_TEXT) && ((char *)field)[0] != '\0';
	case KEY_NUMBER:
		return read_bounded(line, key, field);
	case KEY_BOOL:
		return read_bool(line, field);
	case KEY_VERSION:
		return read_version(line, key, field);
	case KEY_RANGE:
		return read_range(line, key, field);
	case KEY_CLOCKS:
		return read_clocks(line, key, field);
	}
	return false;
}

/* mig = NAME id N memory_share N ... in the order of struct h100_mig_profile */
static bool read_mig(struct text_cursor *line, struct h100_mig_profile *mig)
{
	const struct {
		const char *name;
		u64 *value;
		u64 max;
	} columns[] = {
		{ "id", &mig->id, 255 },
		{ "memory_share", &mig->memory_share, 3 },
		{ "compute_share", &mig->compute_share, 7 },
		{ "media", &mig->media_extensions, 1 },
		{ "instances", &mig->instances, 8 },
		{ "mib", &mig->memory_mib, 1u << 20 },
		{ "gpcs", &mig->gpc_count, 12 },
		{ "sms", &mig->sm_count, 216 },
		{ "copy", &mig->copy_engines, 10 },
		{ "dec", &mig->decoders, 8 },
		{ "enc", &mig->encoders, 8 },
		{ "jpeg", &mig->jpegs, 8 },
		{ "ofa", &mig->ofas, 8 },
	};
	char word[16];

	if (!text_word(line, mig->name, sizeof(mig->name)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!text_word(line, word, sizeof(word)) || strcmp(word, columns[i].name) != 0 ||
		    !text_number(line, NULL, columns[i].value) ||
		    *columns[i].value > columns[i].max)
			return false;
	}
	return mig->instances > 0 && mig->memory_mib > 0;
}

static bool vbios_version_valid(const char *version)
{
	unsigned byte[5];
	char again[H100_PROFILE_TEXT];

	if (sscanf(version, "%2x.%2x.%2x.%2x.%2x", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4]) != 5)
		return false;
	snprintf(again, sizeof(again), "%02X.%02X.%02X.%02X.%02X", byte[0], byte[1], byte[2],
		 byte[3], byte[4]);
	return strcmp(version, again) == 0;
}

static bool in_range(const struct h100_clock_range *range, u64 mhz)
{
	return mhz >= range->min_mhz && mhz <= range->max_mhz;
}

static bool power_of_two(u64 value)
{
	return (value & (value - 1)) == 0;
}

static bool memory_type_known(const char *type)
{
	return strcmp(type, "HBM2e") == 0 || strcmp(type, "HBM3") == 0 ||
	       strcmp(type, "HBM3e") == 0;
}

/* What no single line can get wrong: the name of the rule that is broken, or NULL. */
static const char *find_contradiction(const struct h100_profile *p)
{
	if (!vbios_version_valid(p->vbios_version))
		return "vbios_version is not five bytes, XX.XX.XX.XX.XX";
	if (!memory_type_known(p->memory_type))
		return "memory_type is HBM2e, HBM3 or HBM3e";
	if (!power_of_two(p->bar1_bytes) || !power_of_two(p->bar2_bytes) ||
	    !power_of_two(p->pcie_lanes))
		return "BAR sizes and lanes are powers of two";
	if (p->memory_bytes % MIB(1) != 0 || p->memory_reserved_bytes % MIB(1) != 0 ||
	    p->memory_reserved_bytes >= p->memory_bytes)
		return "memory is in whole MiB and more than memory_reserved";
	if (p->sm_count < p->tpc_count || p->tpc_count < p->gpc_count)
		return "sm_count >= tpc_count >= gpc_count";
	if (!in_range(&p->graphics, p->graphics_idle_mhz) ||
	    !in_range(&p->graphics, p->graphics_application_mhz) ||
	    !in_range(&p->video, p->video_idle_mhz))
		return "idle and application clocks lie within their range";
	if (p->power_idle_mw > p->power_min_limit_mw ||
	    p->power_min_limit_mw > p->power_default_limit_mw ||
	    p->power_default_limit_mw > p->power_max_limit_mw)
		return "power_idle <= power_min_limit <= power_default_limit <= power_max_limit";
	if (p->temperature_ambient_c >= p->temperature_full_load_c ||
	    p->temperature_full_load_c >= p->temperature_shutdown_c ||
	    p->temperature_max_operating_c > p->temperature_slowdown_c ||
	    p->temperature_slowdown_c > p->temperature_shutdown_c)
		return "temperatures: ambient < full_load < shutdown, max_operating <= slowdown <= "
		       "shutdown";
	return NULL;
}

enum nv_status h100_profile_parse(const char *text, size_t size, struct h100_profile *profile,
				  struct h100_parse_error *error)
{
	struct text_cursor file = text_cursor_of(text, size), line;
	struct h100_profile read = { 0 };
	u64 seen[ARRAY_SIZE(keys)] = { 0 };
	const char *contradiction;
	char name[48];

	error->line = 0;
	error->text[0] = '\0';
	if (text == NULL || size > H100_PROFILE_MAX_SIZE)
		return fail(error, 0, "no text, or more than 64 KiB", "profile");
	while (text_next_line(&file, &line)) {
		const struct key *key;

		if (!text_word(&line, name, sizeof(name)) || !text_char(&line, '='))
			return fail(error, line.line, "a line is \"key = value\"", "");
		if (strcmp(name, "mig") == 0) {
			if (read.mig_count == H100_PROFILE_MAX_MIG)
				return fail(error, line.line, "more than 16 instance profiles",
					    name);
			if (!read_mig(&line, &read.mig[read.mig_count++]) || !text_ended(&line))
				return fail(error, line.line, "malformed instance profile", name);
			continue;
		}
		key = find_key(name);
		if (key == NULL)
			return fail(error, line.line, "no such key", name);
		if (seen[key - keys]++ != 0)
			return fail(error, line.line, "given twice", name);
		if (!read_value(&line, key, &read) || !text_ended(&line))
			return fail(error, line.line, "malformed or out of bounds", name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (seen[i] == 0)
			return fail(error, file.line, "missing", keys[i].name);
	}
	contradiction = find_contradiction(&read);
	if (contradiction != NULL)
		return fail(error, file.line, contradiction, "");
	*profile = read;
	return NV_OK;
}
