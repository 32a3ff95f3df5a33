/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What unit tests share: cmocka, a generator of repeatable random numbers, tests of code that must
 * abort, and the check that a test gave everything back.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/user/user.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define UNIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define UNIT_SANITIZED 1
#endif
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED 0
#endif

/* xorshift64*: the same numbers for the same seed on any machine. */
static inline u64 unit_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline void unit_fill(u64 *state, u8 *bytes, u32 size)
{
	while (size-- != 0)
		*bytes++ = (u8)(unit_random(state) >> 24);
}

/* Everything allocated since the call that gave before is freed. */
static inline u64 unit_live(void)
{
	struct os_user_alloc_stats stats;

	os_user_alloc_stats(&stats);
	return stats.live;
}

/*
 * The same once nothing of a GPU's own threads is under way (a boot's last events, say): the count
 * that 40 looks in a row agree on, of two seconds' worth.
 */
static inline u64 unit_live_settled(void)
{
	u64 last = unit_live();
	u32 same = 0, looks;

	for (looks = 0; looks < 1000 && same < 40; looks++) {
		u64 now;

		os_sleep_us(2000);
		now = unit_live();
		same = now == last ? same + 1 : 0;
		last = now;
	}
	return last;
}

/* Whether the count is or soon becomes that one; a leak never does. */
static inline bool unit_live_becomes(u64 live)
{
	u32 looks;

	for (looks = 0; looks < 1000 && unit_live() != live; looks++)
		os_sleep_us(1000);
	return unit_live() == live;
}

static inline u64 unit_failed(void)
{
	struct os_user_alloc_stats stats;

	os_user_alloc_stats(&stats);
	return stats.failed;
}

/*
 * fn in a process of its own must abort, and the log must then hold want. The log goes to the
 * parent through a pipe.
 */
static inline void unit_assert_aborts(void (*fn)(void), const char *want)
{
	char text[4096];
	size_t length = 0;
	int fds[2], status;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while (length < sizeof(text) - 1 &&
	       (got = read(fds[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		fail_msg("no abort (status %#x); log: %s", status, text);
	if (!strstr(text, want))
		fail_msg("\"%s\" is not in: %s", want, text);
}

#endif
