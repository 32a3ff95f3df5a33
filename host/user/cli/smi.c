// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper smi: the GPUs that a program sees. Run outside a machine it takes one of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/user/cli/cli.h"
#include "host/user/cli/client.h"

struct card {
	char name[65];
	char uuid[80];
	u64 total_kib;
	u64 free_kib;
};

static bool version_print(const struct client *client)
{
	char version[80], ignored[sizeof(version)], title[sizeof(version)];
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS build = {
		.sizeOfStrings = sizeof(version),
		.pDriverVersionBuffer = (NvP64)(uintptr_t)version,
		.pVersionBuffer = (NvP64)(uintptr_t)ignored,
		.pTitleBuffer = (NvP64)(uintptr_t)title,
	};
	u32 status =
		client_control(client, client->handle, NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION,
			       &build, sizeof(build));

	if (status != NV_OK)
		return client_failed(client, "driver version", status);
	version[sizeof(version) - 1] = 0;
	printf("Driver version %s\n", version);
	return true;
}

static u32 card_query(const struct client *client, u32 subdevice, struct card *card)
{
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
	NV2080_CTRL_GPU_GET_GID_INFO_PARAMS gid = { .flags = 0 };
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS fb = { .fbInfoListSize = 2 };
	u32 status = client_control(client, subdevice, NV2080_CTRL_CMD_GPU_GET_NAME_STRING, &name,
				    sizeof(name));

	if (status != NV_OK)
		return status;
	snprintf(card->name, sizeof(card->name), "%.64s", (const char *)name.gpuNameString.ascii);
	status = client_control(client, subdevice, NV2080_CTRL_CMD_GPU_GET_GID_INFO, &gid,
				sizeof(gid));
	if (status != NV_OK)
		return status;
	snprintf(card->uuid, sizeof(card->uuid), "%.64s", (const char *)gid.data);
	fb.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_TOTAL_RAM_SIZE;
	fb.fbInfoList[1].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE;
	status = client_control(client, subdevice, NV2080_CTRL_CMD_FB_GET_INFO_V2, &fb, sizeof(fb));
	card->total_kib = fb.fbInfoList[0].data;
	card->free_kib = fb.fbInfoList[1].data;
	return status;
}

static bool card_print(const struct client *client, u32 number, u32 id)
{
	struct card card;
	struct client_gpu gpu;
	u32 status;

	if (!client_gpu_open(client, id, &gpu))
		return false;
	status = card_query(client, gpu.subdevice, &card);
	client_gpu_close(client, &gpu);
	if (status != NV_OK)
		return client_failed(client, "GPU", status);
	printf("%-3u  %-26s  %-16s  %6llu / %6llu MiB    %s\n", number, card.name, gpu.bdf,
	       (unsigned long long)(card.total_kib - card.free_kib) >> 10,
	       (unsigned long long)card.total_kib >> 10, card.uuid);
	return true;
}

static bool smi_print(const struct client *client)
{
	u32 ids[CLIENT_GPUS_MAX], count;

	if (!version_print(client) || !client_gpus(client, ids, &count))
		return false;
	printf("%-3s  %-26s  %-16s  %-21s  %s\n", "GPU", "Name", "Bus-Id", "Memory used / total",
	       "UUID");
	for (u32 i = 0; i < count; i++)
		if (!card_print(client, i, ids[i]))
			return false;
	return !fflush(stdout);
}

/* Not in a machine: starts again in one. */
static int smi_in_machine(char **argv)
{
	static char run[] = "run", smi[] = "smi", dashes[] = "--", exe[] = "/proc/self/exe";
	char self[PATH_MAX];
	ssize_t n = readlink(exe, self, sizeof(self) - 1);
	char *args[] = { self, run, dashes, self, smi, NULL };

	if (n < 0) {
		fprintf(stderr, "leafhopper smi: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	self[n] = 0;
	execv(self, args);
	fprintf(stderr, "leafhopper smi: %s: %s\n", self, strerror(errno));
	return EXIT_FAILURE;
}

int command_smi(int argc, char **argv)
{
	struct client client;
	bool done;

	if (argc > 1)
		usage_error("smi takes no options");
	if (!getenv("LEAFHOPPER_SOCKET") && !client_own_module())
		return smi_in_machine(argv);
	done = client_open(&client, "smi") && smi_print(&client);
	client_close(&client);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
