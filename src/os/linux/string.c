// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Strings and text of os.h on the kernel's library.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "os/linux/internal.h"

size_t os_strnlen(const char *s, size_t max)
{
	return strnlen(s, max);
}

int os_strcmp(const char *a, const char *b)
{
	return strcmp(a, b);
}

int os_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	/* beyond INT_MAX the kernel takes it for a mistake */
	return vsnprintf(buf, min_t(size_t, size, INT_MAX), fmt, ap);
}

int os_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = os_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return length;
}
