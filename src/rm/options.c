// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Registry keys from text. Whoever loads the driver writes the text, so nothing of it is trusted to
 * have a form.
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
