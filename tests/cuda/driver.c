// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The driver API's library. */
#include "driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define NO_LIBRARY 77

const struct cu_driver *cu_load(void)
{
	static struct cu_driver driver;
	void *library = dlopen("libcuda.so.1", RTLD_NOW);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(NO_LIBRARY);
	}
#define X(name, symbol, args)                                   \
	*(void **)&driver.name = dlsym(library, #symbol);       \
	if (!driver.name) {                                     \
		fprintf(stderr, "libcuda lacks %s\n", #symbol); \
		exit(1);                                        \
	}
	CU_FUNCTIONS(X)
#undef X
	return &driver;
}

void cu_check(cu_result result, const char *call, const char *file, int line)
{
	if (!result)
		return;
	fprintf(stderr, "%s:%d: %s = %d\n", file, line, call, result);
	exit(1);
}
