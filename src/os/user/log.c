// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The log: a ring of the latest lines, as dmesg keeps them, and a sink for those to be seen at
 * once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/user/internal.h"

#define LINE_SIZE 512u
#define RING_SIZE 65536u

static struct {
	struct raw_spinlock lock; /* all but the levels */
	u32 keep, show;		  /* enum os_log_level */
	void (*sink)(void *ctx, enum os_log_level level, const char *line);
	void *ctx;
	u64 written; /* bytes ever; the ring holds the last RING_SIZE of them */
	char ring[RING_SIZE];
} log_state = { .keep = OS_LOG_INFO, .show = OS_LOG_WARN };

void os_user_log_set_levels(enum os_log_level keep, enum os_log_level show)
{
	os_store_relaxed(&log_state.keep, (u32)keep);
	os_store_relaxed(&log_state.show, (u32)show);
}

void os_user_log_set_sink(void (*sink)(void *ctx, enum os_log_level level, const char *line),
			  void *ctx)
{
	raw_spinlock_lock(&log_state.lock);
	log_state.sink = sink;
	log_state.ctx = ctx;
	raw_spinlock_unlock(&log_state.lock);
}

static void ring_put(const char *text, size_t length)
{
	size_t at = log_state.written % RING_SIZE;
	size_t first = length < RING_SIZE - at ? length : RING_SIZE - at;

	memcpy(log_state.ring + at, text, first);
	memcpy(log_state.ring, text + first, length - first);
	log_state.written += length;
}

static void show_on_stderr(char *line, size_t length)
{
	line[length] = '\n';
	while (write(STDERR_FILENO, line, length + 1) < 0 && errno == EINTR)
		;
	line[length] = '\0';
}

static void log_line(enum os_log_level level, const char *fmt, va_list ap)
{
	bool keep = level <= os_load_relaxed(&log_state.keep);
	bool show = level <= os_load_relaxed(&log_state.show);
	void (*sink)(void *ctx, enum os_log_level level, const char *line);
	char line[LINE_SIZE + 1]; /* room for the newline */
	void *ctx;
	u64 now = os_time_ns();
	int length, text;

	length = snprintf(line, LINE_SIZE, "[%5llu.%06llu] ",
			  (unsigned long long)(now / 1000000000u),
			  (unsigned long long)(now / 1000u % 1000000u));
	text = vsnprintf(line + length, LINE_SIZE - (size_t)length, fmt, ap);
	length += text > 0 ? text : 0;
	if ((u32)length > LINE_SIZE - 1)
		length = LINE_SIZE - 1;

	raw_spinlock_lock(&log_state.lock);
	if (keep) {
		ring_put(line, (size_t)length);
		ring_put("\n", 1);
	}
	sink = log_state.sink;
	ctx = log_state.ctx;
	raw_spinlock_unlock(&log_state.lock);
	if (!show)
		return;
	if (sink)
		sink(ctx, level, line);
	else
		show_on_stderr(line, (size_t)length);
}

void os_log(enum os_log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > os_load_relaxed(&log_state.keep) && level > os_load_relaxed(&log_state.show))
		return;
	va_start(ap, fmt);
	log_line(level, fmt, ap);
	va_end(ap);
}

static char ring_at(u64 position)
{
	return log_state.ring[position % RING_SIZE];
}

size_t os_user_log_tail(char *buf, size_t size)
{
	u64 start, end, i;
	size_t length;
	bool partial;

	if (!size)
		return 0;
	raw_spinlock_lock(&log_state.lock);
	end = log_state.written;
	start = end > RING_SIZE ? end - RING_SIZE : 0;
	if (end - start > size - 1)
		start = end - (size - 1);
	/* a line that lost its beginning goes as a whole */
	if (start) {
		partial = end - start == RING_SIZE || ring_at(start - 1) != '\n';
		while (partial && start < end)
			partial = ring_at(start++) != '\n';
	}
	for (i = start; i < end; i++)
		buf[i - start] = ring_at(i);
	raw_spinlock_unlock(&log_state.lock);
	length = (size_t)(end - start);
	buf[length] = '\0';
	return length;
}

void os_bug(const char *file, int line, const char *what)
{
	os_log(OS_LOG_ERROR, "BUG at %s:%d: %s", file, line, what);
	abort();
}
