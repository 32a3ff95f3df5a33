// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* class.devnode takes a const device (6.2). */
#include <linux/device/class.h>

static char *devnode(const struct device *dev, umode_t *mode)
{
	return NULL;
}

extern const struct class conftest_class;
const struct class conftest_class = { .name = "name", .devnode = devnode };
