// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The language of the adversary's scripts, a statement a line (docs/adversary.md):
 *
 *   seed NUMBER
 *   record FILE [pages]
 *   on [gpu NUMBER] OBJECT [WHEN] ACTION [raw]
 *
 * Nothing of a script counts before all of it has been understood.
 */
#include <string.h>

#include "host/user/adversary/internal.h"

#define WORD_MAX 256u
#define LINE_WORDS 24u
#define FILE_MAX 0x10000u

struct script {
	struct adversary *a;
	const struct adversary_files *files;
	char *why;
	u32 line;
	/* The words of the line, and which is next. */
	char words[LINE_WORDS][WORD_MAX];
	u32 count, at;

	u64 seed;
	bool seeded, pages;
	char record[WORD_MAX]; /* empty: none */
	struct adversary_rule *rules;
	u32 rule_count;
};

static const struct {
	const char *name;
	s32 code;
} codes[] = {
	{ "GET_DIGESTS", SPDM_GET_DIGESTS },
	{ "GET_CERTIFICATE", SPDM_GET_CERTIFICATE },
	{ "GET_VERSION", SPDM_GET_VERSION },
	{ "GET_CAPABILITIES", SPDM_GET_CAPABILITIES },
	{ "NEGOTIATE_ALGORITHMS", SPDM_NEGOTIATE_ALGORITHMS },
	{ "KEY_EXCHANGE", SPDM_KEY_EXCHANGE },
	{ "DIGESTS", SPDM_DIGESTS },
	{ "CERTIFICATE", SPDM_CERTIFICATE },
	{ "VERSION", SPDM_VERSION },
	{ "CAPABILITIES", SPDM_CAPABILITIES },
	{ "ALGORITHMS", SPDM_ALGORITHMS },
	{ "KEY_EXCHANGE_RSP", SPDM_KEY_EXCHANGE_RSP },
	{ "ERROR", SPDM_ERROR },
};

static bool bad(struct script *s, const char *what, const char *word)
{
	os_snprintf(s->why, ADVERSARY_WHY, "line %u: %s%s%.80s", s->line, what, word ? ": " : "",
		    word ? word : "");
	return false;
}

/* -- Words ------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool split(struct script *s, const char *line, size_t size)
{
	size_t at = 0, n;

	s->count = s->at = 0;
	for (;;) {
		while (at < size && is_space(line[at]))
			at++;
		if (at == size || line[at] == '#')
			return true;
		for (n = 0; at + n < size && !is_space(line[at + n]); n++)
			if ((unsigned char)line[at + n] < ' ')
				return bad(s, "a character that no word has", NULL);
		if (n >= WORD_MAX)
			return bad(s, "a word that is too long", NULL);
		if (s->count == LINE_WORDS)
			return bad(s, "too many words", NULL);
		os_memcpy(s->words[s->count], line + at, n);
		s->words[s->count++][n] = '\0';
		at += n;
	}
}

static const char *peek(const struct script *s)
{
	return s->at < s->count ? s->words[s->at] : "";
}

static bool take(struct script *s, const char *word)
{
	if (s->at == s->count || strcmp(s->words[s->at], word) != 0)
		return false;
	s->at++;
	return true;
}

static u32 digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u32)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (u32)(c - 'A') + 10 : 16;
}

static bool to_number(const char *text, u64 max, u64 *value)
{
	u32 base = 10, digit;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	*value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		digit = digit_of(*text);
		if (digit >= base || *value > (max - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	return true;
}

static bool number(struct script *s, u64 min, u64 max, u64 *value)
{
	if (!to_number(peek(s), max, value) || *value < min)
		return bad(s, "a number is missing, or out of range", peek(s));
	s->at++;
	return true;
}

/* Of 2^32: a decimal fraction up to 1. */
static bool chance(struct script *s, u64 *value)
{
	const char *text = peek(s);
	u64 part = 1ull << 32;
	u32 digit;

	*value = 0;
	if (text[0] == '1' &&
	    (!text[1] || (text[1] == '.' && strspn(text + 2, "0") == strlen(text + 2)))) {
		*value = part;
	} else if (text[0] == '0' && text[1] == '.') {
		for (text += 2; *text; text++) {
			digit = digit_of(*text);
			if (digit > 9)
				return bad(s, "a probability is missing", peek(s));
			part /= 10;
			*value += part * digit;
		}
	}
	if (*value == 0)
		return bad(s, "a probability above 0 and up to 1 is missing", peek(s));
	s->at++;
	return true;
}

/* -- Rules ------------------------------------------------------------------------------------- */

static bool object(struct script *s, struct adversary_rule *rule)
{
	char name[2 * WORD_MAX];
	u32 i;

	if (s->count - s->at < 2)
		return bad(s, "what passes is missing", peek(s));
	os_snprintf(name, sizeof(name), "%s %s", s->words[s->at], s->words[s->at + 1]);
	for (i = 0; i < ADVERSARY_OBJECTS; i++)
		if (strcmp(name, adversary_object_name(i)) == 0)
			break;
	if (i == ADVERSARY_OBJECTS)
		return bad(s, "nothing of that name passes", name);
	s->at += 2;
	rule->object = i;
	for (i = 0; rule->object <= ADVERSARY_SPDM_RESPONSE && i < ARRAY_SIZE(codes); i++)
		if (take(s, codes[i].name))
			rule->code = codes[i].code;
	return true;
}

static bool occasion(struct script *s, struct adversary_rule *rule)
{
	u64 value;

	for (;;) {
		if (take(s, "of")) {
			if (rule->object < ADVERSARY_PAGE_READ)
				return bad(s, "of is for pages", NULL);
			if (!number(s, 1, OS_PAGE_SIZE, &value))
				return false;
			rule->bytes = (u32)value;
		} else if (take(s, "nth")) {
			rule->when = ADVERSARY_NTH;
			if (!number(s, 1, ~0ull, &rule->n))
				return false;
		} else if (take(s, "every")) {
			rule->when = ADVERSARY_EVERY;
			if (!number(s, 1, ~0ull, &rule->n))
				return false;
		} else if (take(s, "probability")) {
			rule->when = ADVERSARY_CHANCE;
			if (!chance(s, &rule->n))
				return false;
		} else if (take(s, "times")) {
			if (!number(s, 1, ~0ull, &rule->times))
				return false;
		} else {
			return true;
		}
	}
}

static bool place(struct script *s, struct adversary_rule *rule)
{
	u64 value;

	if (s->at < s->count)
		rule->field = adversary_field(rule->object, peek(s));
	s->at += rule->field != NULL;
	if (take(s, "byte")) {
		if (!number(s, 0, FILE_MAX, &value))
			return false;
		rule->byte = (s32)value;
	}
	if (take(s, "bit")) {
		if (!number(s, 0, 31, &value))
			return false;
		rule->bit = (s32)value;
		/* Of the field's first bytes, as one counts the bits of a word. */
		if (rule->byte == ADVERSARY_ANY)
			rule->byte = 0;
	}
	return true;
}

static bool replacement(struct script *s, struct adversary_rule *rule)
{
	u8 *data = NULL;
	u32 size = 0;

	if (s->at == s->count)
		return bad(s, "the name of a file is missing", NULL);
	if (!s->files->load(s->files->ctx, peek(s), &data, &size))
		return bad(s, "the file cannot be read", peek(s));
	s->at++;
	if (size == 0 || size > FILE_MAX) {
		os_free(data);
		return bad(s, "the file has no bytes, or too many", NULL);
	}
	rule->data = data;
	rule->data_bytes = size;
	return true;
}

static bool action(struct script *s, struct adversary_rule *rule)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < ADVERSARY_CALL; i++)
		if (take(s, adversary_action_name(i)))
			break;
	if (i == ADVERSARY_CALL)
		return bad(s, "what is to be done is missing", peek(s));
	rule->action = i;
	switch (rule->action) {
	case ADVERSARY_FLIP:
		return place(s, rule);
	case ADVERSARY_SET:
		if (!place(s, rule) || !number(s, 0, 0xffffffffu, &value))
			return false;
		rule->value = (u32)value;
		return true;
	case ADVERSARY_DELAY:
		if (!number(s, 1, 10000000u, &value))
			return false;
		rule->delay_us = (u32)value;
		return true;
	case ADVERSARY_REPLACE:
		return replacement(s, rule);
	default:
		return true;
	}
}

static bool on(struct script *s)
{
	struct adversary_rule *rule;
	u64 value;

	if (s->rule_count == ADVERSARY_RULES)
		return bad(s, "too many rules", NULL);
	rule = &s->rules[s->rule_count];
	*rule = (struct adversary_rule){ .gpu = ADVERSARY_ANY,
					 .code = ADVERSARY_ANY,
					 .byte = ADVERSARY_ANY,
					 .bit = ADVERSARY_ANY };
	/* Its data is freed with the others' from here on. */
	s->rule_count++;
	if (take(s, "gpu")) {
		if (!number(s, 0, ADVERSARY_GPUS - 1, &value))
			return false;
		rule->gpu = (s32)value;
	}
	if (!object(s, rule) || !occasion(s, rule) || !action(s, rule))
		return false;
	rule->raw = take(s, "raw");
	return true;
}

/* -- Statements -------------------------------------------------------------------------------- */

static bool record(struct script *s)
{
	if (s->at == s->count)
		return bad(s, "the name of a file is missing", NULL);
	if (s->record[0])
		return bad(s, "there is a record already", NULL);
	os_memcpy(s->record, s->words[s->at++], WORD_MAX);
	s->pages = take(s, "pages");
	return true;
}

static bool statement(struct script *s, const char *line, size_t size)
{
	bool understood;

	s->line++;
	if (!split(s, line, size))
		return false;
	if (s->count == 0)
		return true;
	if (take(s, "seed")) {
		s->seeded = true;
		understood = number(s, 0, ~0ull, &s->seed);
	} else if (take(s, "record")) {
		understood = record(s);
	} else if (take(s, "on")) {
		understood = on(s);
	} else {
		return bad(s, "no such statement", peek(s));
	}
	if (understood && s->at != s->count)
		return bad(s, "what follows means nothing", peek(s));
	return understood;
}

static bool parse(struct script *s, const char *text, size_t size)
{
	size_t at = 0, end;

	while (at < size) {
		for (end = at; end < size && text[end] != '\n'; end++)
			;
		if (!statement(s, text + at, end - at))
			return false;
		at = end + 1;
	}
	return true;
}

static bool start(struct script *s)
{
	FILE *file = NULL;

	if (s->record[0]) {
		file = s->files->open_record(s->files->ctx, s->record);
		if (!file)
			return bad(s, "the record cannot be written", s->record);
	}
	for (u32 i = 0; i < s->rule_count; i++) {
		if (adversary_add(s->a, &s->rules[i]) != ADVERSARY_ANY)
			continue;
		if (file)
			fclose(file);
		adversary_forget(s->a);
		return bad(s, "there is no room for the rules", NULL);
	}
	if (file)
		adversary_record(s->a, file, s->pages);
	if (s->seeded)
		s->a->seed = s->seed;
	return true;
}

bool adversary_load(struct adversary *a, const char *text, size_t size,
		    const struct adversary_files *files, char why[ADVERSARY_WHY])
{
	struct script *s = os_alloc(sizeof(*s));
	bool done = false;

	os_snprintf(why, ADVERSARY_WHY, "no memory");
	if (s)
		s->rules = os_alloc(ADVERSARY_RULES * sizeof(s->rules[0]));
	if (s && s->rules) {
		s->a = a;
		s->files = files;
		s->why = why;
		done = parse(s, text, size) && start(s);
		for (u32 i = 0; i < s->rule_count; i++)
			os_free((void *)(uintptr_t)s->rules[i].data);
	}
	if (s)
		os_free(s->rules);
	os_free(s);
	return done;
}
