// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A module that holds os/linux against the contract of os.h: each check prints a line, and the
 * module refuses to load when one failed.
 */
#include <linux/module.h>

#include "os/linux/linux.h"

static int __init os_selftest_init(void)
{
	int err = os_linux_init(KBUILD_MODNAME, NULL);
	void *block;

	if (err)
		return err;
	block = os_alloc(100);
	os_free(block);
	if (os_linux_exit() || !block)
		return -EPROTO;
	return 0;
}

static void __exit os_selftest_exit(void)
{
}

module_init(os_selftest_init);
module_exit(os_selftest_exit);

MODULE_DESCRIPTION("Test of os.h in the kernel");
MODULE_LICENSE("Dual MIT/GPL");
