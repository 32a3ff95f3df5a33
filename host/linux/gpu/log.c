// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The log of the GPU's process: standard error, or the kernel's log when there is no terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/linux/gpu/gpu.h"
#include "os/os.h"

#define LINE_BYTES 512

static int kernel_log = -1;

void log_open(bool kernel)
{
	if (kernel)
		kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

void log_line(void *ctx, int level, const char *text)
{
	/* As <syslog.h> counts, user facility. */
	static const int priority[] = { 8 | 3, 8 | 4, 8 | 6, 8 | 7 };
	char line[LINE_BYTES];
	int length;

	if (level < OS_LOG_ERROR || level > OS_LOG_DEBUG)
		level = OS_LOG_INFO;
	if (kernel_log >= 0)
		length = snprintf(line, sizeof(line), "<%d>leafhopper-gpu: %s\n", priority[level],
				  text);
	else
		length = snprintf(line, sizeof(line), "leafhopper-gpu: %s\n", text);
	if (length >= (int)sizeof(line)) {
		length = (int)sizeof(line) - 1;
		line[length - 1] = '\n';
	}
	while (write(kernel_log >= 0 ? kernel_log : STDERR_FILENO, line, (size_t)length) < 0 &&
	       errno == EINTR)
		;
}

void log_print(int level, const char *fmt, ...)
{
	char text[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line(NULL, level, text);
}
