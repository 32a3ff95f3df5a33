// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Reads the adversary's script and the files that it names, and logs what he does. */
#include "host/user/adversary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/user/adversary/adversary.h"
#include "host/user/files.h"

#define SCRIPT_MAX 0x100000u
#define SEED 1u

static bool load(void *ctx, const char *name, u8 **data, u32 *size)
{
	size_t bytes;
	char *text;

	if (file_load(name, &text, &bytes))
		return false;
	*size = bytes > SCRIPT_MAX ? 0 : (u32)bytes;
	*data = os_alloc(*size ? *size : 1);
	if (*data)
		os_memcpy(*data, text, *size);
	free(text);
	return *data != NULL;
}

/* Only its owner may read what passed. */
static FILE *open_record(void *ctx, const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

static void tell(void *ctx, const struct adversary_deed *deed, const char *line)
{
	os_log(OS_LOG_WARN, "%s", line);
}

static void summary(void *ctx, const char *line)
{
	os_log(OS_LOG_WARN, "%s", line);
}

int machine_adversary_create(const char *script, struct adversary **out)
{
	static const struct adversary_files files = { .load = load, .open_record = open_record };
	char why[ADVERSARY_WHY], *text;
	struct adversary *a;
	size_t size;
	int rc = file_load(script, &text, &size);

	if (rc) {
		fprintf(stderr, "leafhopper: adversary %s: %s\n", script, strerror(rc));
		return rc;
	}
	a = size > SCRIPT_MAX ? NULL : adversary_create(SEED);
	if (!a) {
		rc = size > SCRIPT_MAX ? EFBIG : ENOMEM;
		fprintf(stderr, "leafhopper: adversary %s: %s\n", script, strerror(rc));
	} else if (!adversary_load(a, text, size, &files, why)) {
		fprintf(stderr, "leafhopper: adversary %s: %s\n", script, why);
		adversary_destroy(a);
		rc = EINVAL;
	} else {
		adversary_set_tell(a, tell, NULL);
		*out = a;
	}
	free(text);
	return rc;
}

void machine_adversary_destroy(struct adversary *a)
{
	if (!a)
		return;
	adversary_summary(a, summary, NULL);
	adversary_destroy(a);
}
