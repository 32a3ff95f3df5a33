/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A device without BARs, for tests of what it reaches and not of what it does. */
#ifndef TESTS_UNIT_BARE_DEVICE_H
#define TESTS_UNIT_BARE_DEVICE_H

#include "os/user/user.h"

static u32 bare_cfg_read(void *ctx, u32 offset, u32 width)
{
	return 0;
}

static void bare_cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
}

static u64 bare_bar_size(void *ctx, u32 bar)
{
	return 0;
}

static const struct os_user_pci_ops bare_device_ops = {
	.cfg_read = bare_cfg_read,
	.cfg_write = bare_cfg_write,
	.bar_size = bare_bar_size,
};

#endif
