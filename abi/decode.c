// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Prints a structure of the interface field by field, from the tables alone. The data may come from
 * anybody: it may be shorter than the structure, and its counts and selectors may be nonsense.
 */
#include "abi/tables.h"
#include "os/os.h"

#define LINE_SIZE 160u
#define BYTES_SHOWN 64u
#define INDENT_MAX 20u

struct decoder {
	const u8 *data;
	size_t size;
	u32 dir;
	void (*emit)(void *ctx, const char *line);
	void *ctx;
	char line[LINE_SIZE];
	u32 used;
};

static void decode_field(struct decoder *d, const struct abi_struct *s, const struct abi_field *f,
			 size_t base, u32 indent);
static void decode_struct(struct decoder *d, const struct abi_struct *s, size_t base, u32 indent);

static void line_add(struct decoder *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line_add(struct decoder *d, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = os_vsnprintf(d->line + d->used, LINE_SIZE - d->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		d->used += n;
	if (d->used > LINE_SIZE - 1)
		d->used = LINE_SIZE - 1;
}

static void line_start(struct decoder *d, u32 indent)
{
	d->used = 0;
	for (u32 i = 0; i < indent && i < INDENT_MAX; i++)
		line_add(d, "  ");
}

static void line_end(struct decoder *d)
{
	d->emit(d->ctx, d->line);
	d->used = 0;
}

/* The little-endian number of width bytes at offset at, which lies within the data. */
static u64 load(const struct decoder *d, size_t at, u32 width)
{
	u64 value = 0;

	for (u32 i = 0; i < width; i++)
		value |= (u64)d->data[at + i] << (8 * i);
	return value;
}

static s64 sign_extend(u64 value, u32 width)
{
	u32 shift = 64 - 8 * width;

	return (s64)(value << shift) >> shift;
}

static bool is_number(u32 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool is_zero(const struct decoder *d, size_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (d->data[at + i])
			return false;
	return true;
}

static void add_value(struct decoder *d, const struct abi_field *f, size_t at)
{
	u64 value = load(d, at, f->size);
	const struct abi_control *control;
	const struct abi_class *class;

	switch (f->kind) {
	case ABI_INT:
		line_add(d, "%lld", (long long)sign_extend(value, f->size));
		return;
	case ABI_BOOL:
		if (value > 1)
			line_add(d, "%llu", (unsigned long long)value);
		else
			line_add(d, value ? "true" : "false");
		return;
	case ABI_FD:
		line_add(d, "fd %d", (int)value);
		return;
	case ABI_CLASS:
		class = abi_class_find((u32)value);
		line_add(d, "0x%llx%s%s", (unsigned long long)value, class ? " " : "",
			 class ? class->name : "");
		return;
	case ABI_COMMAND:
		control = abi_control_find((u32)value);
		line_add(d, "0x%08llx%s%s", (unsigned long long)value,
			 control && control->name[0] ? " " : "", control ? control->name : "");
		return;
	case ABI_STATUS:
		line_add(d, "0x%llx %s", (unsigned long long)value, abi_status_name((u32)value));
		return;
	case ABI_HANDLE:
	case ABI_POINTER:
		line_add(d, "0x%llx", (unsigned long long)value);
		return;
	default:
		line_add(d, f->hex ? "0x%llx" : "%llu", (unsigned long long)value);
		return;
	}
}

static void add_string(struct decoder *d, size_t at, size_t size)
{
	line_add(d, "\"");
	for (size_t i = 0; i < size && d->data[at + i]; i++) {
		u8 c = d->data[at + i];

		if (d->used > LINE_SIZE - 12) {
			line_add(d, "\"...");
			return;
		}
		if (c < 0x20 || c > 0x7e)
			line_add(d, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			line_add(d, "\\%c", c);
		else
			line_add(d, "%c", c);
	}
	line_add(d, "\"");
}

static void add_bytes(struct decoder *d, size_t at, size_t size)
{
	if (is_zero(d, at, size)) {
		line_add(d, "0 x %llu", (unsigned long long)size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (i == BYTES_SHOWN || d->used > LINE_SIZE - 24) {
			line_add(d, "... (%llu bytes)", (unsigned long long)size);
			return;
		}
		line_add(d, "%02x", d->data[at + i]);
	}
}

/* How many of the field's elements to show: those that are there and, if counted, that count. */
static u32 element_count(const struct decoder *d, const struct abi_struct *s,
			 const struct abi_field *f, size_t base, size_t at)
{
	size_t room = (d->size - at) / f->size;
	u64 count = f->count;

	if (!f->count || room < count)
		count = room;
	if (f->counted_by < s->field_count) {
		const struct abi_field *c = &s->fields[f->counted_by];

		if (is_number(c->size) && c->offset < d->size - base &&
		    c->size <= d->size - base - c->offset) {
			u64 valid = load(d, base + c->offset, c->size);

			if (valid < count)
				count = valid;
		}
	}
	return count > ~0u ? ~0u : (u32)count;
}

/* Elements from i on that are all zero, up to count. */
static u32 zero_run(const struct decoder *d, const struct abi_field *f, size_t at, u32 i, u32 count)
{
	u32 end = i;

	while (end < count && is_zero(d, at + (size_t)end * f->size, f->size))
		end++;
	return end - i;
}

static void decode_numbers(struct decoder *d, const struct abi_field *f, size_t at, u32 count,
			   u32 indent)
{
	u32 i = 0;

	line_start(d, indent);
	line_add(d, "%s=[", f->name);
	while (i < count) {
		u32 zeros = zero_run(d, f, at, i, count);

		if (d->used > LINE_SIZE - 72) {
			line_end(d);
			line_start(d, indent + 1);
		}
		if (zeros > 2) {
			line_add(d, "0 x %u", zeros);
			i += zeros;
		} else {
			add_value(d, f, at + (size_t)i * f->size);
			i++;
		}
		if (i < count)
			line_add(d, ", ");
	}
	line_add(d, "]");
	line_end(d);
}

static void decode_structs(struct decoder *d, const struct abi_field *f, size_t at, u32 count,
			   u32 indent)
{
	u32 i = 0;

	while (i < count) {
		u32 zeros = zero_run(d, f, at, i, count);

		line_start(d, indent);
		if (zeros > 1) {
			line_add(d, "%s[%u..%u]=0", f->name, i, i + zeros - 1);
			line_end(d);
			i += zeros;
			continue;
		}
		line_add(d, "%s[%u]:", f->name, i);
		line_end(d);
		decode_struct(d, f->sub, at + (size_t)i * f->size, indent + 1);
		i++;
	}
}

/* The member that the selector picks, or NULL. */
static const struct abi_field *union_member(const struct decoder *d, const struct abi_struct *s,
					    const struct abi_field *f, size_t base)
{
	const struct abi_field *c;
	u64 value;

	if (f->selector >= s->field_count)
		return NULL;
	c = &s->fields[f->selector];
	if (!is_number(c->size) || c->offset >= d->size - base ||
	    c->size > d->size - base - c->offset)
		return NULL;
	value = load(d, base + c->offset, c->size);
	for (u32 i = 0; i < f->sub->field_count; i++)
		for (u32 k = 0; k < f->sub->fields[i].when_count; k++)
			if (f->sub->fields[i].when[k] == value)
				return &f->sub->fields[i];
	return NULL;
}

static bool holds_secret(const struct abi_struct *s)
{
	for (u32 i = 0; i < s->field_count; i++)
		if (s->fields[i].secret || (s->fields[i].sub && holds_secret(s->fields[i].sub)))
			return true;
	return false;
}

static void decode_plain(struct decoder *d, const struct abi_struct *s, const struct abi_field *f,
			 size_t base, u32 indent)
{
	size_t at = base + f->offset;
	size_t room = d->size - at;
	const struct abi_struct *sub = f->sub;
	const struct abi_field *member;
	u32 count;

	if (f->kind == ABI_UNION && f->count == 1) {
		member = union_member(d, s, f, base);
		if (member) {
			line_start(d, indent);
			line_add(d, "%s:", f->name);
			line_end(d);
			if (member->offset < room)
				decode_field(d, f->sub, member, at, indent + 1);
			return;
		}
	}
	if (f->kind == ABI_BYTES || f->kind == ABI_STRING || f->kind == ABI_UNION) {
		size_t size = f->count ? (size_t)f->size * f->count : room;

		if (size > room)
			size = room;
		if (f->kind == ABI_BYTES && f->size == 1)
			size = element_count(d, s, f, base, at);
		line_start(d, indent);
		line_add(d, "%s=", f->name);
		if (f->kind == ABI_STRING)
			add_string(d, at, size);
		else
			add_bytes(d, at, size);
		line_end(d);
		return;
	}
	if (sub && f->count == 1) {
		line_start(d, indent);
		line_add(d, "%s:", f->name);
		line_end(d);
		decode_struct(d, sub, at, indent + 1);
		return;
	}
	if (f->size > room || (!sub && !is_number(f->size)))
		return;
	if (f->count == 1) {
		line_start(d, indent);
		line_add(d, "%s=", f->name);
		add_value(d, f, at);
		line_end(d);
		return;
	}
	count = element_count(d, s, f, base, at);
	if (sub)
		decode_structs(d, f, at, count, indent);
	else
		decode_numbers(d, f, at, count, indent);
}

static void decode_field(struct decoder *d, const struct abi_struct *s, const struct abi_field *f,
			 size_t base, u32 indent)
{
	/* A union whose member is not known is shown as bytes, so one secret in it hides it all. */
	bool opaque = f->kind == ABI_UNION && (f->count != 1 || !union_member(d, s, f, base));

	if (!f->secret && !(opaque && holds_secret(f->sub))) {
		decode_plain(d, s, f, base, indent);
		return;
	}
	line_start(d, indent);
	line_add(d, "%s=<secret>", f->name);
	line_end(d);
}

static void decode_struct(struct decoder *d, const struct abi_struct *s, size_t base, u32 indent)
{
	for (u32 i = 0; i < s->field_count; i++) {
		const struct abi_field *f = &s->fields[i];

		if ((f->dir & d->dir) && f->offset < d->size - base)
			decode_field(d, s, f, base, indent);
	}
}

void abi_decode(const struct abi_struct *s, const void *data, size_t size, u32 dir, u32 indent,
		void (*emit)(void *ctx, const char *line), void *ctx)
{
	struct decoder d = { .data = data, .size = size, .dir = dir, .emit = emit, .ctx = ctx };

	if (size)
		decode_struct(&d, s, 0, indent);
}
