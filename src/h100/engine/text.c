// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Word by word reading of profiles and scenarios.
 */
#include "h100/engine/text.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("_.+*-", c) != NULL);
}

static void skip_blanks(struct text_cursor *line)
{
	while (line->at < line->end && (*line->at == ' ' || *line->at == '\t' || *line->at == '\r'))
		line->at++;
}

bool text_next_line(struct text_cursor *file, struct text_cursor *line)
{
	while (file->at < file->end) {
		const char *newline = memchr(file->at, '\n', (size_t)(file->end - file->at));
		bool quoted = false;

		line->at = file->at;
		line->end = newline != NULL ? newline : file->end;
		line->line = ++file->line;
		file->at = newline != NULL ? newline + 1 : file->end;
		for (const char *c = line->at; c < line->end; c++) {
			if (*c == '"')
				quoted = !quoted;
			if (*c == '#' && !quoted) {
				line->end = c;
				break;
			}
		}
		if (!text_ended(line))
			return true;
	}
	return false;
}

bool text_char(struct text_cursor *line, char c)
{
	skip_blanks(line);
	if (line->at == line->end || *line->at != c)
		return false;
	line->at++;
	return true;
}

bool text_word(struct text_cursor *line, char *word, size_t size)
{
	const char *end;
	size_t length;

	skip_blanks(line);
	for (end = line->at; end < line->end && is_word(*end); end++)
		;
	length = (size_t)(end - line->at);
	if (length == 0 || length >= size)
		return false;
	memcpy(word, line->at, length);
	word[length] = '\0';
	line->at = end;
	return true;
}

bool text_quoted(struct text_cursor *line, char *text, size_t size)
{
	const char *start, *end;
	size_t length;

	skip_blanks(line);
	if (line->at == line->end || *line->at != '"')
		return false;
	start = line->at + 1;
	for (end = start; end < line->end && *end != '"'; end++) {
		if (*end < ' ' || *end > '~')
			return false;
	}
	length = (size_t)(end - start);
	if (end == line->end || length >= size)
		return false;
	memcpy(text, start, length);
	text[length] = '\0';
	line->at = end + 1;
	return true;
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Digits of the given base; *count tells how many. False on overflow. */
static bool read_digits(struct text_cursor *line, int base, u64 *value, u32 *count)
{
	*count = 0;
	while (line->at < line->end && digit_value(*line->at) < base) {
		u64 digit = (u64)digit_value(*line->at);

		if (__builtin_mul_overflow(*value, (u64)base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
		line->at++;
		(*count)++;
	}
	return true;
}

static bool read_scale(struct text_cursor *line, const struct text_unit *units, u64 *scale)
{
	const char *end;
	size_t length;

	skip_blanks(line);
	for (end = line->at; end < line->end && (*end == '/' || (*end >= 'a' && *end <= 'z') ||
						 (*end >= 'A' && *end <= 'Z'));
	     end++)
		;
	length = (size_t)(end - line->at);
	for (; units->name != NULL; units++) {
		if (strlen(units->name) == length && memcmp(units->name, line->at, length) == 0) {
			line->at = end;
			*scale = units->scale;
			return true;
		}
	}
	return false;
}

bool text_number(struct text_cursor *line, const struct text_unit *units, u64 *value)
{
	struct text_cursor cursor = *line;
	u64 mantissa = 0, divisor = 1, scale = 1;
	unsigned __int128 product;
	u32 count, fraction;
	int base = 10;

	skip_blanks(&cursor);
	if (cursor.end - cursor.at > 2 && cursor.at[0] == '0' && cursor.at[1] == 'x') {
		cursor.at += 2;
		base = 16;
	}
	if (!read_digits(&cursor, base, &mantissa, &count) || count == 0)
		return false;
	/* Two points are a range, not a fraction. */
	if (base == 10 && cursor.end - cursor.at > 1 && cursor.at[0] == '.' &&
	    is_digit(cursor.at[1])) {
		cursor.at++;
		if (!read_digits(&cursor, 10, &mantissa, &fraction) || fraction > 9)
			return false;
		while (fraction-- > 0)
			divisor *= 10;
	}
	if (units != NULL && !read_scale(&cursor, units, &scale))
		return false;
	product = (unsigned __int128)mantissa * scale;
	if (product % divisor != 0 || product / divisor > UINT64_MAX)
		return false;
	*value = (u64)(product / divisor);
	*line = cursor;
	return true;
}

bool text_ended(struct text_cursor *line)
{
	skip_blanks(line);
	return line->at == line->end;
}
