/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Reading the project's plain-text files (profiles, scenarios) word by word. The text may be any
 * bytes and need not be terminated; nothing past a cursor's end is read.
 */
#ifndef H100_ENGINE_TEXT_H
#define H100_ENGINE_TEXT_H

#include "base/types.h"

struct text_cursor {
	const char *at, *end;
	u32 line; /* of the file, from 1; 0 before the first */
};

/* At the start of size bytes; of nothing when text is NULL. */
static inline struct text_cursor text_cursor_of(const char *text, size_t size)
{
	return (struct text_cursor){ text, text ? text + size : NULL, 0 };
}

struct text_unit {
	const char *name; /* NULL ends a table */
	u64 scale;
};

/*
 * The next line of file that is not empty, its comment ("#" outside of quotes) cut off. False at
 * the end of the file. Bytes that are no text stop text_ended from ever being true.
 */
bool text_next_line(struct text_cursor *file, struct text_cursor *line);

/* Each skips blanks first and moves the cursor only when it returns true. */
bool text_char(struct text_cursor *line, char c);
/* Letters, digits and "_.+*-"; false when there is none or it does not fit in size with its NUL. */
bool text_word(struct text_cursor *line, char *word, size_t size);
/* "..." without quotes inside; likewise. */
bool text_quoted(struct text_cursor *line, char *text, size_t size);
/*
 * A number, decimal (with up to nine digits after a point) or 0x..., and after it one of units
 * (required where units is not NULL); *value is their product, which must be whole and fit 64 bits.
 */
bool text_number(struct text_cursor *line, const struct text_unit *units, u64 *value);
/* Nothing but blanks is left. */
bool text_ended(struct text_cursor *line);

#endif
