// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Compiles against any kernel: tells a missing interface from a broken build tree. */
#include <linux/module.h>

int works(void);
int works(void)
{
	return 0;
}
MODULE_LICENSE("Dual MIT/GPL");
