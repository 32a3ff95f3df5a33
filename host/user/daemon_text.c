// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Files whose text is made when they are read: the driver's under /proc/driver/nvidia, the kernel's
 * lists of devices and modules with the driver's own lines added, and a GPU's config space.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/user/daemon.h"
#include "host/user/files.h"
#include "host/user/machine.h"

#define CONFIG_SIZE 4096u
#define CONFIG_SIZE_USER 64u /* what sysfs lets others than the administrator read */

static int proc_text(struct machine *m, const char *path, char **text, size_t *size)
{
	size_t room = 4096, need = 0;

	for (;;) {
		char *buf = malloc(room);
		enum nv_status status;

		if (!buf)
			return ENOMEM;
		status = rm_proc_show(machine_rm(m), path, buf, room, &need);
		if (status == NV_OK && need < room) {
			*text = buf;
			*size = need;
			return 0;
		}
		free(buf);
		if (status != NV_OK)
			return status == NV_ERR_OBJECT_NOT_FOUND ? ENOENT : EIO;
		room = need + 1;
	}
}

/* Puts lines at the end, or after the line that starts a section and before the blank one. */
static int real_with(const char *path, const char *before, const char *lines, char **text,
		     size_t *size)
{
	size_t at, added = strlen(lines);
	char *buf, *cut;
	int rc = file_load(path, text, size);

	/* A kernel without modules has no list of them. */
	if (rc == ENOENT) {
		*text = calloc(1, 1);
		*size = 0;
		rc = *text ? 0 : ENOMEM;
	}
	if (rc)
		return rc;
	cut = before ? strstr(*text, before) : NULL;
	at = cut ? (size_t)(cut - *text) : *size;
	buf = malloc(*size + added + 1);
	if (!buf) {
		free(*text);
		return ENOMEM;
	}
	memcpy(buf, *text, at);
	memcpy(buf + at, lines, added);
	memcpy(buf + at + added, *text + at, *size - at);
	*size += added;
	buf[*size] = 0;
	free(*text);
	*text = buf;
	return 0;
}

/* Where the kernel's modules lie it tells the administrator only, whoever reads for others. */
static void hide_addresses(char *text)
{
	static const char before[] = " 0x";
	char *at = text;

	while ((at = strstr(at, before))) {
		at += sizeof(before) - 1;
		for (; isxdigit((unsigned char)*at); at++)
			*at = '0';
	}
}

static int modules_text(char **text, size_t *size)
{
	static const char drivers[] =
		"nvidia_uvm 1540096 0 - Live 0x0000000000000000 (OE)\n"
		"nvidia 56823808 1 nvidia_uvm, Live 0x0000000000000000 (OE)\n";
	struct os_cred cred;
	int rc = real_with("/proc/modules", NULL, drivers, text, size);

	os_current_cred(&cred);
	if (!rc && !cred.admin)
		hide_addresses(*text);
	return rc;
}

/* Of a GPU's directory: its config space, or how its link is. */
static int pci_text(struct machine *m, const char *path, char **text, size_t *size)
{
	const char *file = strrchr(path, '/') + 1;
	struct os_pci_dev *pci = NULL;
	struct os_cred cred;
	char bdf[16], link[64];
	u32 *words;

	for (u32 i = 0; i < machine_gpu_count(m) && !pci; i++) {
		machine_gpu_bdf(m, i, bdf);
		if (strstr(path, bdf))
			pci = machine_gpu_pci(m, i);
	}
	if (!pci)
		return ENOENT;
	if (strcmp(file, "config") != 0) {
		if (!tree_link_text(pci, file, link, sizeof(link)))
			return ENOENT;
		*text = strdup(link);
		*size = strlen(link);
		return *text ? 0 : ENOMEM;
	}
	words = malloc(CONFIG_SIZE);
	if (!words)
		return ENOMEM;
	for (u32 at = 0; at < CONFIG_SIZE; at += 4)
		words[at / 4] = os_pci_cfg_read(pci, at, 4);
	os_current_cred(&cred);
	*text = (char *)words;
	*size = cred.admin ? CONFIG_SIZE : CONFIG_SIZE_USER;
	return 0;
}

int daemon_text(struct machine *m, const char *path, char **text, size_t *size)
{
	static const char proc[] = "/proc/driver/nvidia/", sys[] = "/sys/";
	char lines[128];

	if (strncmp(path, proc, sizeof(proc) - 1) == 0)
		return proc_text(m, path + sizeof(proc) - 1, text, size);
	if (strcmp(path, "/proc/devices") == 0) {
		snprintf(lines, sizeof(lines),
			 "%u nvidia-frontend\n%u nvidia-uvm\n%u nvidia-caps\n", TREE_NVIDIA_MAJOR,
			 TREE_UVM_MAJOR, TREE_CAPS_MAJOR);
		return real_with(path, "\nBlock devices:", lines, text, size);
	}
	if (strcmp(path, "/proc/modules") == 0)
		return modules_text(text, size);
	if (strncmp(path, sys, sizeof(sys) - 1) == 0)
		return pci_text(m, path, text, size);
	return ENOENT;
}
