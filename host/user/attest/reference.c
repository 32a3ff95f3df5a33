// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a GPU is held against, a line each: what it is, which one of several, and its value. Lines
 * that begin with # and empty ones say nothing.
 *
 *   2       <tab> firmware <tab> -             <tab> 96 hexadecimal digits     measurement 2
 *   fwid    <tab> firmware <tab> -             <tab> 96 hexadecimal digits
 *   driver  <tab> version  <tab> -             <tab> 535.309.01
 *   vbios   <tab> version  <tab> h100-sxm-80gb <tab> 96.00.74.00.01
 */
#include <string.h>

#include "host/user/attest/internal.h"

#define INDEX_DIGITS_MAX 3u

/* What is before the next separator, which is taken off; without one: the rest. */
static struct attest_span take_until(struct attest_span *from, char separator)
{
	const char *end = from->bytes ? memchr(from->at, separator, from->bytes) : NULL;
	struct attest_span taken = { from->at, end ? (size_t)(end - from->at) : from->bytes };

	from->at += taken.bytes + (end != NULL);
	from->bytes -= taken.bytes + (end != NULL);
	return taken;
}

static bool parse_kind(struct attest_span kind, struct attest_row *row)
{
	static const struct {
		const char *name;
		enum attest_row_kind kind;
	} names[] = { { "fwid", ATTEST_ROW_FWID },
		      { "driver", ATTEST_ROW_DRIVER_VERSION },
		      { "vbios", ATTEST_ROW_VBIOS_VERSION } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (attest_text_is(kind, names[i].name)) {
			row->kind = names[i].kind;
			return true;
		}
	}
	row->kind = ATTEST_ROW_MEASUREMENT;
	row->index = 0;
	if (!kind.bytes || kind.bytes > INDEX_DIGITS_MAX || kind.at[0] == '0')
		return false;
	for (i = 0; i < kind.bytes; i++) {
		if (kind.at[i] < '0' || kind.at[i] > '9')
			return false;
		row->index = row->index * 10 + (u32)(kind.at[i] - '0');
	}
	return row->index < ATTEST_INDEX_MAX;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_digest(struct attest_span text, u8 digest[SPDM_HASH_BYTES])
{
	u32 i;

	if (text.bytes != 2 * SPDM_HASH_BYTES)
		return false;
	for (i = 0; i < SPDM_HASH_BYTES; i++) {
		int high = digit_value(text.at[2 * i]), low = digit_value(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (u8)(high << 4 | low);
	}
	return true;
}

static const char *parse_row(struct attest_span line, struct attest_row *row)
{
	struct attest_span kind;
	size_t i;

	for (i = 0; i < line.bytes; i++)
		if (line.at[i] != '\t' && !attest_is_printable((u8)line.at[i]))
			return "is not text";
	kind = take_until(&line, '\t');
	row->what = take_until(&line, '\t');
	row->which = take_until(&line, '\t');
	row->value = line;
	if (!row->what.bytes || !row->which.bytes || !line.bytes ||
	    memchr(line.at, '\t', line.bytes))
		return "does not have four columns";
	if (!parse_kind(kind, row))
		return "begins with none of 1 to 255, fwid, driver and vbios";
	if ((row->kind == ATTEST_ROW_MEASUREMENT || row->kind == ATTEST_ROW_FWID) &&
	    !parse_digest(row->value, row->digest))
		return "has no SHA-384";
	return NULL;
}

bool attest_reference_next(struct attest_span *left, struct attest_row *row, const char **wrong)
{
	*wrong = NULL;
	while (left->bytes) {
		struct attest_span line = take_until(left, '\n');

		if (!line.bytes || *line.at == '#')
			continue;
		*wrong = parse_row(line, row);
		return !*wrong;
	}
	return false;
}

const char *attest_reference_check(struct attest_span reference, u32 *line)
{
	struct attest_span left = reference;
	struct attest_row row;
	const char *wrong;
	u32 rows = 0;
	size_t i;

	while (attest_reference_next(&left, &row, &wrong))
		rows++;
	*line = 0;
	if (!wrong)
		return rows ? NULL : "says nothing";
	for (i = 0; i < reference.bytes - left.bytes; i++)
		*line += reference.at[i] == '\n';
	/* The newline of the line has been taken off with it, unless it has none. */
	*line += left.at[-1] != '\n';
	return wrong;
}
