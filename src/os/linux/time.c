// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clocks, sleep and the system's randomness.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "os/linux/internal.h"

u64 os_time_ns(void)
{
	return ktime_get_ns();
}

u64 os_time_real_ns(void)
{
	return ktime_get_real_ns();
}

void os_sleep_us(u64 us)
{
	fsleep(us);
}

enum nv_status os_random(void *buf, size_t size)
{
	/* early after boot: gathers what is missing, unless a signal comes */
	if (wait_for_random_bytes())
		return NV_ERR_NOT_READY;
	get_random_bytes(buf, size);
	return NV_OK;
}
