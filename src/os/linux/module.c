// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The beginning and the end of os/linux in a module.
 */
#include <linux/module.h>

#include "os/linux/internal.h"

const char *os_module_name = KBUILD_MODNAME;

int os_linux_init(const char *name, struct dentry *dir)
{
	os_module_name = name;
	account_init();
	inject_init(dir);
	return 0;
}

u32 os_linux_exit(void)
{
	inject_exit();
	context_exit();
	return account_exit();
}
