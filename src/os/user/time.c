// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clocks, sleep and the system's randomness.
 */
#include <sys/random.h>

#include "os/user/internal.h"

#define NS_PER_S 1000000000ull
#define RANDOM_CHUNK 256u /* the kernel never gives less of that much once it is seeded */

static u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	OS_BUG_ON(clock_gettime(clock, &ts) != 0);
	return (u64)ts.tv_sec * NS_PER_S + (u64)ts.tv_nsec;
}

u64 os_time_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64 os_user_time_coarse_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

u64 os_time_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void os_sleep_us(u64 us)
{
	struct timespec left = { (time_t)(us / 1000000u), (long)(us % 1000000u) * 1000 };

	lockdep_may_sleep("os_sleep_us");
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

enum nv_status os_random(void *buf, size_t size)
{
	char *at = buf;

	while (size) {
		size_t want = size < RANDOM_CHUNK ? size : RANDOM_CHUNK;
		/* early after boot it waits until the system has gathered enough */
		ssize_t got = getrandom(at, want, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return NV_ERR_NOT_READY;
		at += got;
		size -= (size_t)got;
	}
	return NV_OK;
}
