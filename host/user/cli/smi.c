// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper smi: a small client of the driver's own interface, by open and ioctl on the device
 * nodes as any other. Run outside a machine it takes one of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/r535.h"
#include "abi/tables.h"
#include "host/user/cli/cli.h"

#define H_DEVICE 0xcaf00001u
#define H_SUBDEVICE 0xcaf00002u
#define NO_GPU 0xffffffffu

struct smi {
	int ctl;
	u32 client;
	char version[80];
};

struct card {
	u32 id;
	char name[65];
	char bdf[24];
	char uuid[80];
	u64 total_kib;
	u64 free_kib;
};

static u32 rm_alloc(const struct smi *smi, u32 parent, u32 handle, u32 class, void *params)
{
	NVOS64_PARAMETERS p = {
		.hRoot = smi->client,
		.hObjectParent = parent,
		.hObjectNew = handle,
		.hClass = class,
		.pAllocParms = (NvP64)(uintptr_t)params,
	};

	if (ioctl(smi->ctl, _IOWR('F', NV_ESC_RM_ALLOC, NVOS64_PARAMETERS), &p))
		return NV_ERR_OPERATING_SYSTEM;
	return p.status;
}

static u32 rm_control(const struct smi *smi, u32 object, u32 cmd, void *params, u32 size)
{
	NVOS54_PARAMETERS p = {
		.hClient = smi->client,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = size,
	};

	if (ioctl(smi->ctl, _IOWR('F', NV_ESC_RM_CONTROL, NVOS54_PARAMETERS), &p))
		return NV_ERR_OPERATING_SYSTEM;
	return p.status;
}

static u32 rm_free(const struct smi *smi, u32 handle)
{
	NVOS00_PARAMETERS p = { .hRoot = smi->client, .hObjectOld = handle };

	if (ioctl(smi->ctl, _IOWR('F', NV_ESC_RM_FREE, NVOS00_PARAMETERS), &p))
		return NV_ERR_OPERATING_SYSTEM;
	return p.status;
}

static int failed(const char *what, u32 status)
{
	fprintf(stderr, "leafhopper smi: %s: %s\n", what, abi_status_name(status));
	return EXIT_FAILURE;
}

/* Opens the control node as every client does: root client, driver version. */
static int smi_open(struct smi *smi)
{
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS build = { .sizeOfStrings =
								      sizeof(smi->version) };
	char ignored[sizeof(smi->version)], title[sizeof(smi->version)];
	u32 status;

	smi->ctl = open("/dev/nvidiactl", O_RDWR | O_CLOEXEC);
	if (smi->ctl < 0) {
		fprintf(stderr, "leafhopper smi: /dev/nvidiactl: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	if (ioctl(smi->ctl, _IOWR('F', NV_ESC_RM_ALLOC, NVOS21_PARAMETERS), &root))
		return failed("client", NV_ERR_OPERATING_SYSTEM);
	if (root.status != NV_OK)
		return failed("client", root.status);
	smi->client = root.hObjectNew;
	build.pDriverVersionBuffer = (NvP64)(uintptr_t)smi->version;
	build.pVersionBuffer = (NvP64)(uintptr_t)ignored;
	build.pTitleBuffer = (NvP64)(uintptr_t)title;
	status = rm_control(smi, smi->client, NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION, &build,
			    sizeof(build));
	if (status != NV_OK)
		return failed("driver version", status);
	smi->version[sizeof(smi->version) - 1] = 0;
	return 0;
}

/* Opens the GPU's node and registers it for our client. Negative on failure. */
static int card_open(const struct smi *smi, u32 id, char bdf[24])
{
	static nv_ioctl_card_info_t cards[32];
	int fd;

	memset(cards, 0, sizeof(cards));
	if (ioctl(smi->ctl, _IOC(_IOC_READ | _IOC_WRITE, 'F', NV_ESC_CARD_INFO, sizeof(cards)),
		  cards))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		nv_ioctl_register_fd_t with = { .ctl_fd = smi->ctl };
		char node[32];

		if (!cards[i].valid || cards[i].gpu_id != id)
			continue;
		snprintf(bdf, 24, "%08x:%02x:%02x.%x", cards[i].pci_info.domain,
			 cards[i].pci_info.bus, cards[i].pci_info.slot, cards[i].pci_info.function);
		snprintf(node, sizeof(node), "/dev/nvidia%u", cards[i].minor_number);
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd >= 0 &&
		    ioctl(fd, _IOWR('F', NV_ESC_REGISTER_FD, nv_ioctl_register_fd_t), &with)) {
			close(fd);
			fd = -1;
		}
		return fd;
	}
	errno = ENODEV;
	return -1;
}

static u32 card_query(const struct smi *smi, struct card *card)
{
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
	NV2080_CTRL_GPU_GET_GID_INFO_PARAMS gid = { .flags = 0 };
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS fb = { .fbInfoListSize = 2 };
	u32 status = rm_control(smi, H_SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_NAME_STRING, &name,
				sizeof(name));

	if (status != NV_OK)
		return status;
	snprintf(card->name, sizeof(card->name), "%.64s", (const char *)name.gpuNameString.ascii);
	status = rm_control(smi, H_SUBDEVICE, NV2080_CTRL_CMD_GPU_GET_GID_INFO, &gid, sizeof(gid));
	if (status != NV_OK)
		return status;
	snprintf(card->uuid, sizeof(card->uuid), "%.64s", (const char *)gid.data);
	fb.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_TOTAL_RAM_SIZE;
	fb.fbInfoList[1].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE;
	status = rm_control(smi, H_SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, &fb, sizeof(fb));
	card->total_kib = fb.fbInfoList[0].data;
	card->free_kib = fb.fbInfoList[1].data;
	return status;
}

static int card_read(const struct smi *smi, struct card *card)
{
	NV0000_CTRL_GPU_ATTACH_IDS_PARAMS attach;
	NV0000_CTRL_GPU_GET_ID_INFO_PARAMS info = { .gpuId = card->id };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	u32 status;
	int fd;

	memset(&attach, 0xff, sizeof(attach));
	attach.gpuIds[0] = card->id;
	fd = card_open(smi, card->id, card->bdf);
	if (fd < 0) {
		fprintf(stderr, "leafhopper smi: GPU 0x%x: %s\n", card->id, strerror(errno));
		return EXIT_FAILURE;
	}
	status = rm_control(smi, smi->client, NV0000_CTRL_CMD_GPU_ATTACH_IDS, &attach,
			    sizeof(attach));
	if (status == NV_OK)
		status = rm_control(smi, smi->client, NV0000_CTRL_CMD_GPU_GET_ID_INFO, &info,
				    sizeof(info));
	if (status != NV_OK)
		goto out;
	device.deviceId = info.deviceInstance;
	subdevice.subDeviceId = info.subDeviceInstance;
	status = rm_alloc(smi, smi->client, H_DEVICE, NV01_DEVICE_0, &device);
	if (status != NV_OK)
		goto out;
	status = rm_alloc(smi, H_DEVICE, H_SUBDEVICE, NV20_SUBDEVICE_0, &subdevice);
	if (status == NV_OK)
		status = card_query(smi, card);
	rm_free(smi, H_DEVICE);
out:
	close(fd);
	return status == NV_OK ? 0 : failed("GPU", status);
}

static int smi_print(struct smi *smi)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	u32 status =
		rm_control(smi, smi->client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids, sizeof(ids));

	if (status != NV_OK)
		return failed("GPUs", status);
	printf("Driver version %s\n", smi->version);
	printf("%-3s  %-26s  %-16s  %-21s  %s\n", "GPU", "Name", "Bus-Id", "Memory used / total",
	       "UUID");
	for (u32 i = 0; i < ARRAY_SIZE(ids.gpuIds) && ids.gpuIds[i] != NO_GPU; i++) {
		struct card card = { .id = ids.gpuIds[i] };
		int rc = card_read(smi, &card);

		if (rc)
			return rc;
		printf("%-3u  %-26s  %-16s  %6llu / %6llu MiB    %s\n", i, card.name, card.bdf,
		       (unsigned long long)(card.total_kib - card.free_kib) >> 10,
		       (unsigned long long)card.total_kib >> 10, card.uuid);
	}
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Whether this system's driver is our own kernel module, whose nodes are there for every program.
 */
static bool own_module(void)
{
	FILE *file = fopen("/proc/driver/nvidia/version", "re");
	char line[256];
	bool own = file && fgets(line, sizeof(line), file) && strstr(line, "Leafhopper");

	if (file)
		fclose(file);
	return own;
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
	struct smi smi = { .ctl = -1 };
	int rc;

	if (argc > 1)
		usage_error("smi takes no options");
	if (!getenv("LEAFHOPPER_SOCKET") && !own_module())
		return smi_in_machine(argv);
	rc = smi_open(&smi);
	if (!rc)
		rc = smi_print(&smi);
	if (smi.ctl >= 0)
		close(smi.ctl);
	return rc;
}
