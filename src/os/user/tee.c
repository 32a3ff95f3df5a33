// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The CPU's confidential computing, as whoever runs the process wants it reported.
 */
#include "os/user/user.h"

static u32 reported; /* atomic: enum os_tee */

enum os_tee os_tee(void)
{
	return (enum os_tee)os_load_acquire(&reported);
}

void os_user_set_tee(enum os_tee tee)
{
	os_store_release(&reported, (u32)tee);
}
