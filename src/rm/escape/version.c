// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a client library agrees on with the driver before anything else: NV_ESC_CHECK_VERSION_STR
 * and NV_ESC_SYS_PARAMS.
 */
#include "rm/escape/escape.h"

/* Up to the end of both, or in relaxed mode to the first dot of both. */
static bool version_matches(const char *theirs, const char *ours, bool relaxed)
{
	u32 i;

	for (i = 0; i < NV_RM_API_VERSION_STRING_LENGTH && theirs[i] == ours[i]; i++) {
		if (ours[i] == '\0' || (relaxed && ours[i] == '.'))
			return true;
	}
	return false;
}

/* A client's bytes as one line of the log: terminated, and nothing that a terminal would act on. */
static void make_printable(char *text, u32 size)
{
	u32 i;

	text[size - 1] = '\0';
	for (i = 0; text[i]; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
}

enum rm_ioctl_result escape_check_version(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_rm_api_version_t *p = data;
	const char *ours = file->rm->version;

	p->reply = NV_RM_API_VERSION_REPLY_RECOGNIZED;
	if (p->cmd != NV_RM_API_VERSION_CMD_QUERY &&
	    version_matches(p->versionString, ours, p->cmd == NV_RM_API_VERSION_CMD_RELAXED))
		return RM_IOCTL_OK;
	if (p->cmd != NV_RM_API_VERSION_CMD_QUERY) {
		make_printable(p->versionString, NV_RM_API_VERSION_STRING_LENGTH);
		os_log(OS_LOG_ERROR, "API mismatch: the client has version %s, this driver has %s",
		       p->versionString, ours);
	}
	os_memcpy(p->versionString, ours, os_strnlen(ours, RM_VERSION_LENGTH - 1) + 1);
	return p->cmd == NV_RM_API_VERSION_CMD_QUERY ? RM_IOCTL_OK : RM_IOCTL_EINVAL;
}

enum rm_ioctl_result escape_sys_params(struct rm_file *file, void *data, u32 size)
{
	const nv_ioctl_sys_params_t *p = data;
	struct rm *rm = file->rm;
	enum rm_ioctl_result result = RM_IOCTL_OK;

	os_mutex_lock(&rm->file_lock);
	if (rm->memblock_size == 0)
		rm->memblock_size = p->memblock_size;
	else if (rm->memblock_size != p->memblock_size)
		result = RM_IOCTL_EBUSY;
	os_mutex_unlock(&rm->file_lock);
	return result;
}
