// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* class_create takes a name alone (6.4). */
#include <linux/device/class.h>

struct class *conftest(void);
struct class *conftest(void)
{
	return class_create("name");
}
