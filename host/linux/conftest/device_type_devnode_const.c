// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* device_type.devnode takes a const device. */
#include <linux/device.h>

static char *devnode(const struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
{
	return NULL;
}

extern const struct device_type conftest_type;
const struct device_type conftest_type = { .devnode = devnode };
