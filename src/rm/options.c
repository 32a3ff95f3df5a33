// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Registry keys and lists of GPUs from text. Whoever loads the driver writes the text, so nothing
 * of it is trusted to have a form.
 */
#include "rm/options.h"

#include "rm/gpu/gpu.h"
#include "rm/instance.h"

#define KEY_PLACE "pci"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A copy without white space, or NULL. */
static char *without_spaces(const char *text)
{
	char *copy = os_alloc(os_strnlen(text, ~(size_t)0) + 1);
	size_t at = 0;

	if (!copy)
		return NULL;
	for (; *text; text++)
		if (!is_space(*text))
			copy[at++] = *text;
	return copy;
}

/* Ends the part of *rest before the separator and returns it; *rest is what follows, or NULL. */
static char *next_part(char **rest, char separator)
{
	char *part = *rest, *at = part;

	if (!part)
		return NULL;
	while (*at && *at != separator)
		at++;
	*rest = *at ? at + 1 : NULL;
	*at = '\0';
	return part;
}

/* 16 and more: no digit. */
static u32 digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u32)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (u32)(c - 'A') + 10;
	return 16;
}

/* The number at *at, which then is behind it; 0 for no digit. base 0: as C tells it. */
static u32 number_at(const char **at, u32 base)
{
	const char *s = *at;
	u32 value = 0;

	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	    digit_of(s[2]) < 16) {
		base = 16;
		s += 2;
	} else if (base == 0) {
		base = s[0] == '0' ? 8 : 10;
	}
	for (; digit_of(*s) < base; s++)
		value = value * base + digit_of(*s);
	*at = s;
	return value;
}

/* False where text is no place of a PCI function. */
static bool parse_place(const char *text, struct os_pci_location *place)
{
	u32 parts[3], count = 0, i;
	const char *at = text;

	os_memset(place, 0, sizeof(*place));
	for (;;) {
		const char *digits = at;

		parts[count++] = number_at(&at, 16);
		if (at == digits)
			return false;
		if (*at != ':' || count == ARRAY_SIZE(parts))
			break;
		at++;
	}
	if (*at == '.') {
		if (at[1] < '0' || at[1] > '7')
			return false;
		place->function = (u8)(at[1] - '0');
		at += 2;
	}
	if (*at || count < 2)
		return false;
	for (i = count - 2; i < count; i++)
		if (parts[i] > 0xff)
			return false;
	place->domain = count == 3 ? parts[0] : 0;
	place->bus = (u8)parts[count - 2];
	place->device = (u8)parts[count - 1];
	return true;
}

static bool same_place(const struct os_pci_location *a, const struct os_pci_location *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device &&
	       a->function == b->function;
}

/* gpu NULL: every key is meant. */
static enum nv_status apply(struct rm *rm, const struct rm_gpu *gpu, const char *text)
{
	enum nv_status status = NV_OK;
	struct os_pci_location place;
	bool meant = !gpu;
	char *copy, *rest;

	if (!text)
		return NV_OK;
	copy = without_spaces(text);
	if (!copy)
		return NV_ERR_NO_MEMORY;
	rest = copy;
	while (rest && status == NV_OK) {
		char *entry = next_part(&rest, ';');
		char *name = next_part(&entry, '=');
		const char *value = next_part(&entry, '=');

		if (!*name || !value || !*value || entry)
			continue;
		if (gpu && os_strcmp(name, KEY_PLACE) == 0) {
			bool valid = parse_place(value, &place);

			meant = valid && same_place(&place, &gpu->location);
			if (!valid)
				os_log(OS_LOG_ERROR, "NVRM: no place of a PCI function: %s", value);
		} else if (meant &&
			   rm_registry_write_dword(rm, gpu, name, number_at(&value, 0)) != NV_OK) {
			status = NV_ERR_NO_MEMORY;
		}
	}
	os_free(copy);
	return status;
}

enum nv_status rm_options_apply(struct rm *rm, const char *text)
{
	return apply(rm, NULL, text);
}

enum nv_status rm_options_apply_gpu(struct rm *rm, const struct rm_gpu *gpu, const char *text)
{
	return apply(rm, gpu, text);
}

/* -- Lists of GPUs ----------------------------------------------------------------------------- */

#define UUID_BYTES 16u

static bool skip_word(const char **at, const char *word)
{
	const char *s = *at;

	for (; *word; word++, s++) {
		char c = *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;

		if (c != *word)
			return false;
	}
	*at = s;
	return true;
}

/* "GPU-" and bytes of two digits with a dash behind the 4th, 6th, 8th and 10th; *at is behind it.
 */
static bool is_uuid(const char **at, const u8 *uuid)
{
	const char *s = *at;
	u32 i;

	if (!skip_word(&s, "GPU-"))
		return false;
	for (i = 0; i < UUID_BYTES; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return false;
		if (digit_of(s[0]) >= 16 || digit_of(s[1]) >= 16 ||
		    (digit_of(s[0]) << 4 | digit_of(s[1])) != uuid[i])
			return false;
		s += 2;
	}
	*at = s;
	return true;
}

bool rm_options_names_uuid(const char *text, const u8 *uuid)
{
	while (text && *text) {
		while (is_space(*text) || *text == ',')
			text++;
		if (is_uuid(&text, uuid)) {
			while (is_space(*text))
				text++;
			if (!*text || *text == ',')
				return true;
		}
		while (*text && *text != ',')
			text++;
	}
	return false;
}
