// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * NVLink through the device nodes: what tools are told of links that lead to switches, to another
 * card or nowhere, and which GPUs reach each other's memory.
 */
#include <pthread.h>
#include <unistd.h>

#include "h100/engine/fabric.h"
#include "h100/gsp/gpu.h"
#include "rm/class/peer.h"
#include "rm/gsp/gsp.h"
#include "rm_host.h"
#include "unit.h"

#define LINKS 18u
#define CARD_LINKS 12u
#define NVLINK_CAPS 0x1bu /* reads, writes, NVLink, atomics */

/* What a test has open: both GPUs, a client and a subdevice on each. */
static struct {
	int ctl;
	u32 client, ids[2], subdevices[2];
} my;

static void open_all(u32 gpus)
{
	u32 i;

	my.ctl = host_open(RM_NODE_CONTROL, 0);
	my.client = host_client(my.ctl);
	for (i = 0; i < gpus; i++) {
		NV0080_ALLOC_PARAMETERS device = { .deviceId = i };
		NV2080_ALLOC_PARAMETERS subdevice = { 0 };
		u32 handle = 0;

		assert_true(host_open(RM_NODE_GPU, i) >= 0);
		assert_int_equal(host_alloc(my.ctl, my.client, my.client, &handle, NV01_DEVICE_0,
					    &device, sizeof(device)),
				 NV_OK);
		assert_int_equal(host_alloc(my.ctl, my.client, handle, &my.subdevices[i],
					    NV20_SUBDEVICE_0, &subdevice, sizeof(subdevice)),
				 NV_OK);
		my.ids[i] = (i + 1) << 8;
	}
}

static void start_like(const char *profile, bool bridged)
{
	struct fixture_gpu_config like = { .profile = profile, .bridged = bridged };

	memset(&my, 0, sizeof(my));
	host_start_like(2, &like);
}

/* GPUs whose fabric manager is not there yet. */
static int start_without_manager(void **state)
{
	struct fixture_gpu_config like = { .scenario = "fabric-silent\n" };

	memset(&my, 0, sizeof(my));
	host_start_like(2, &like);
	open_all(2);
	return 0;
}

static int start_modules(void **state)
{
	start_like(NULL, false);
	open_all(2);
	return 0;
}

static int start_one_open(void **state)
{
	start_like(NULL, false);
	open_all(1);
	my.ids[1] = 2 << 8;
	return 0;
}

static int start_cards(void **state)
{
	start_like("h100-pcie-80gb", false);
	open_all(2);
	return 0;
}

static int start_bridged(void **state)
{
	start_like("h100-pcie-80gb", true);
	open_all(2);
	return 0;
}

static u32 ask(u32 object, u32 cmd, void *params, u32 size)
{
	return host_control(my.ctl, my.client, object, cmd, params, size);
}

static NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *links_of(u32 gpu)
{
	static NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS links;

	memset(&links, 0xa5, sizeof(links));
	assert_int_equal(ask(my.subdevices[gpu], NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS, &links,
			     sizeof(links)),
			 NV_OK);
	return &links;
}

static NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS peers(u32 a, u32 b)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p = { .gpuIds = { a, b }, .gpuCount = 2 };

	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p)), NV_OK);
	return p;
}

/* -- Links
 * ----------------------------------------------------------------------------------------- */

static void test_caps(void **state)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_CAPS_PARAMS caps = { 0 };

	assert_int_equal(
		ask(my.subdevices[1], NV2080_CTRL_CMD_NVLINK_GET_NVLINK_CAPS, &caps, sizeof(caps)),
		NV_OK);
	assert_int_equal(caps.discoveredLinkMask, (1u << LINKS) - 1);
	assert_int_equal(caps.enabledLinkMask, (1u << LINKS) - 1);
	assert_int_equal(caps.highestNvlinkVersion, NV2080_CTRL_NVLINK_CAPS_NVLINK_VERSION_4_0);
	/* Supported, peers, system memory, atomics on both; power states L0 and L1. */
	assert_int_equal(caps.capsTbl, 0x031f);
}

static void test_status_switched(void **state)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *s = links_of(1);
	u32 i;

	assert_int_equal(s->enabledLinkMask, (1u << LINKS) - 1);
	for (i = 0; i < LINKS; i++) {
		NV2080_CTRL_NVLINK_LINK_STATUS_INFO *link = &s->linkInfo[i];

		assert_int_equal(link->linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_ACTIVE);
		assert_int_equal(link->nvlinkVersion, NV2080_CTRL_NVLINK_STATUS_NVLINK_VERSION_4_0);
		assert_int_equal(link->nvlinkLineRateMbps, 106248);
		assert_true(link->connected);
		assert_int_equal(link->remoteDeviceInfo.deviceType,
				 NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_SWITCH);
		assert_int_equal(link->remoteDeviceInfo.pciDeviceId, ~0u);
		assert_int_equal(link->localDeviceInfo.bus, 2);
		assert_int_equal(link->localDeviceInfo.pciDeviceId, 0x233010de);
		assert_int_equal(link->localDeviceLinkNumber, i);
		assert_true(link->localLinkSid != 0 && link->localLinkSid != link->remoteLinkSid);
	}
	assert_true(s->linkInfo[0].localLinkSid == s->linkInfo[17].localLinkSid);
}

static void test_status_down(void **state)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *s;

	fixture_gpu_inject(&host.gpus[0], "nvlink-down 3");
	s = links_of(0);
	assert_int_equal(s->enabledLinkMask, (1u << LINKS) - 1);
	assert_int_equal(s->linkInfo[3].linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_INIT);
	assert_int_equal(s->linkInfo[3].nvlinkLineRateMbps, 0);
	assert_int_equal(s->linkInfo[4].linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_ACTIVE);
	/* It never came up, so nobody knows what is at its other end. */
	assert_false(s->linkInfo[3].connected);
	assert_int_equal(s->linkInfo[3].remoteDeviceInfo.deviceType,
			 NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE);
	assert_true(s->linkInfo[4].connected);
	fixture_gpu_inject(&host.gpus[0], "nvlink-up 3");
	s = links_of(0);
	assert_true(s->linkInfo[3].connected);
	/* One that fails later has been told. */
	fixture_gpu_inject(&host.gpus[0], "nvlink-down 3");
	s = links_of(0);
	assert_int_equal(s->linkInfo[3].linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_INIT);
	assert_true(s->linkInfo[3].connected);
	s = links_of(1);
	assert_int_equal(s->linkInfo[3].linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_ACTIVE);
}

static void test_status_unconnected(void **state)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *s;
	u32 i;

	/* Nothing comes up where nothing is. */
	fixture_gpu_inject(&host.gpus[0], "nvlink-up 2");
	s = links_of(0);
	assert_int_equal(s->enabledLinkMask, (1u << CARD_LINKS) - 1);
	for (i = 0; i < CARD_LINKS; i++) {
		assert_int_equal(s->linkInfo[i].linkState,
				 NV2080_CTRL_NVLINK_STATUS_LINK_STATE_INIT);
		assert_false(s->linkInfo[i].connected);
		assert_int_equal(s->linkInfo[i].remoteDeviceInfo.deviceType,
				 NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE);
	}
}

static void test_status_bridged(void **state)
{
	u32 gpu, i;

	for (gpu = 0; gpu < 2; gpu++) {
		NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *s = links_of(gpu);

		for (i = 0; i < CARD_LINKS; i++) {
			assert_true(s->linkInfo[i].connected);
			assert_int_equal(s->linkInfo[i].remoteDeviceInfo.deviceType,
					 NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_GPU);
			assert_int_equal(s->linkInfo[i].remoteDeviceInfo.bus, 2 - gpu);
			assert_int_equal(s->linkInfo[i].remoteDeviceLinkNumber, i);
		}
	}
}

/* -- Peers
 * ------------------------------------------------------------------------------------------- */

static void test_peers_nvlink(void **state)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p = peers(my.ids[0], my.ids[1]);
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_V2_PARAMS v2 = { .gpuIds = { my.ids[1], my.ids[0] },
							 .gpuCount = 2 };
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_MATRIX_PARAMS m = { .grpACount = 2 };
	static const u8 ok[] = { NV0000_CTRL_P2P_CAPS_INDEX_READ, NV0000_CTRL_P2P_CAPS_INDEX_WRITE,
				 NV0000_CTRL_P2P_CAPS_INDEX_NVLINK,
				 NV0000_CTRL_P2P_CAPS_INDEX_ATOMICS };
	u32 i;

	assert_int_equal(p.p2pCaps, NVLINK_CAPS);
	for (i = 0; i < ARRAY_SIZE(ok); i++)
		assert_int_equal(p.p2pCapsStatus[ok[i]], NV0000_P2P_CAPS_STATUS_OK);
	assert_int_equal(p.p2pCapsStatus[NV0000_CTRL_P2P_CAPS_INDEX_PCI],
			 NV0000_P2P_CAPS_STATUS_NOT_SUPPORTED);

	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_V2, &v2, sizeof(v2)),
			 NV_OK);
	assert_int_equal(v2.p2pCaps, NVLINK_CAPS);
	for (i = 0; i < 4; i++)
		assert_int_equal(v2.busPeerIds[i], NV0000_CTRL_SYSTEM_GET_P2P_CAPS_INVALID_PEER);

	m.gpuIdGrpA[0] = my.ids[0];
	m.gpuIdGrpA[1] = my.ids[1];
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_MATRIX, &m, sizeof(m)),
			 NV_OK);
	assert_int_equal(m.p2pCaps[1][0], NVLINK_CAPS);
	assert_int_equal(m.p2pCaps[0][1], 0);
	m.grpBCount = 1;
	m.gpuIdGrpB[0] = my.ids[1];
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_MATRIX, &m, sizeof(m)),
			 NV_OK);
	assert_int_equal(m.p2pCaps[0][0], NVLINK_CAPS);
}

/* Modules on switches have no other way; and every link counts, whichever side it failed on. */
static void test_peers_degraded(void **state)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p;
	u32 gpu;

	for (gpu = 0; gpu < 2; gpu++) {
		fixture_gpu_inject(&host.gpus[gpu], "nvlink-down 17");
		p = peers(my.ids[0], my.ids[1]);
		assert_int_equal(p.p2pCaps, 0);
		assert_int_equal(p.p2pCapsStatus[NV0000_CTRL_P2P_CAPS_INDEX_READ],
				 NV0000_P2P_CAPS_STATUS_NOT_SUPPORTED);
		fixture_gpu_inject(&host.gpus[gpu], "nvlink-up 17");
		assert_int_equal(peers(my.ids[0], my.ids[1]).p2pCaps, NVLINK_CAPS);
	}
}

static void test_peers_pcie(void **state)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p = peers(my.ids[0], my.ids[1]);

	assert_int_equal(p.p2pCaps, 0);
	assert_int_equal(p.p2pCapsStatus[NV0000_CTRL_P2P_CAPS_INDEX_READ],
			 NV0000_P2P_CAPS_STATUS_CHIPSET_NOT_SUPPORTED);
	assert_int_equal(p.p2pCapsStatus[NV0000_CTRL_P2P_CAPS_INDEX_NVLINK],
			 NV0000_P2P_CAPS_STATUS_NOT_SUPPORTED);
}

static void test_peers_refused(void **state)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p = { .gpuIds = { 0x100 } };
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_MATRIX_PARAMS m = { .grpACount = 9 };

	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	p.gpuCount = ARRAY_SIZE(p.gpuIds) + 1;
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	p.gpuCount = 2;
	p.gpuIds[1] = 0x300; /* there is none */
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	p.gpuIds[1] = my.ids[1]; /* nobody has opened it */
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	p.gpuIds[1] = p.gpuIds[0]; /* itself: by the switches */
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p)), NV_OK);
	assert_int_equal(p.p2pCaps, NVLINK_CAPS);
	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_MATRIX, &m, sizeof(m)),
			 NV_ERR_INVALID_ARGUMENT);
}

/* -- Objects of class NV50_P2P ----------------------------------------------------------------- */

#define NO_PEER NV0000_CTRL_SYSTEM_GET_P2P_CAPS_INVALID_PEER

static u32 p2p_masks(u32 *handle, u32 from, u32 to, u32 mask, u32 back)
{
	NV503B_ALLOC_PARAMETERS p = { .hSubDevice = from,
				      .hPeerSubDevice = to,
				      .subDevicePeerIdMask = mask,
				      .peerSubDevicePeerIdMask = back };
	u32 status;

	*handle = 0;
	status = host_alloc(my.ctl, my.client, my.client, handle, NV50_P2P, &p, sizeof(p));
	if (status == NV_OK) {
		assert_true(p.l2pBar1P2PDmaInfo.dma_address == ~(u64)0);
		assert_true(p.p2lBar1P2PDmaInfo.dma_address == ~(u64)0);
		assert_int_equal(p.l2pBar1P2PDmaInfo.dma_size, 0);
	}
	return status;
}

static u32 p2p(u32 *handle, u32 from, u32 to)
{
	return p2p_masks(handle, my.subdevices[from], my.subdevices[to], 0, 0);
}

/* The number by which one GPU names the other's memory. */
static u32 peer_id(u32 from, u32 to)
{
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_V2_PARAMS v2 = { .gpuIds = { my.ids[from], my.ids[to] },
							 .gpuCount = 2 };

	assert_int_equal(ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS_V2, &v2, sizeof(v2)),
			 NV_OK);
	return v2.busPeerIds[from == to ? 0 : 1];
}

/* What the GPU itself does with that number. */
static bool usable(u32 gpu, u32 id)
{
	return h100_peer_usable(&host.gpus[gpu].model->memory, h100_aperture_peer(id));
}

static void test_p2p(void **state)
{
	u32 first, second;

	assert_int_equal(peer_id(0, 1), NO_PEER);
	assert_int_equal(p2p(&first, 0, 1), NV_OK);
	assert_int_equal(peer_id(0, 1), 0);
	assert_int_equal(peer_id(1, 0), 0);
	assert_int_equal(peer_id(0, 0), NO_PEER);
	assert_true(usable(0, 0) && usable(1, 0) && !usable(0, 1));
	assert_int_equal(p2p(&second, 1, 0), NV_OK);
	assert_int_equal(host_free(my.ctl, my.client, first), NV_OK);
	assert_int_equal(peer_id(0, 1), 0);
	assert_true(usable(0, 0) && usable(1, 0));
	assert_int_equal(host_free(my.ctl, my.client, second), NV_OK);
	assert_int_equal(peer_id(0, 1), NO_PEER);
	assert_false(usable(0, 0) || usable(1, 0));
	/* A number of the client's choice, free as all are. */
	assert_int_equal(p2p_masks(&first, my.subdevices[0], my.subdevices[1], 1 << 5, 1 << 7),
			 NV_OK);
	assert_int_equal(peer_id(0, 1), 5);
	assert_int_equal(peer_id(1, 0), 7);
	assert_true(usable(0, 5) && usable(1, 7) && !usable(0, 0));
	assert_int_equal(p2p_masks(&second, my.subdevices[0], my.subdevices[1], 1 << 4, 0),
			 NV_ERR_IN_USE);
	assert_int_equal(p2p(&second, 0, 1), NV_OK);
	/* It goes with either subdevice. */
	assert_int_equal(host_free(my.ctl, my.client, my.subdevices[1]), NV_OK);
	assert_int_equal(peer_id(0, 1), NO_PEER);
	assert_false(usable(0, 5) || usable(1, 7));
	assert_int_equal(host_free(my.ctl, my.client, first), NV_OK);
	assert_int_equal(host_free(my.ctl, my.client, second), NV_OK);
}

static void test_p2p_refused(void **state)
{
	u32 handle, on = my.subdevices[0], to = my.subdevices[1];
	NV503B_ALLOC_PARAMETERS spa = { .hSubDevice = on, .hPeerSubDevice = to, .flags = 1 };

	assert_int_equal(p2p_masks(&handle, on, 0x77, 0, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(p2p_masks(&handle, my.client, to, 0, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(p2p_masks(&handle, on, to, 3, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(p2p_masks(&handle, on, to, 0, 6), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(p2p_masks(&handle, on, to, 1 << 8, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(p2p_masks(&handle, on, on, 1, 2), NV_ERR_INVALID_ARGUMENT);
	handle = 0;
	assert_int_equal(
		host_alloc(my.ctl, my.client, my.client, &handle, NV50_P2P, &spa, sizeof(spa)),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(host_alloc(my.ctl, my.client, on, &handle, NV50_P2P, &spa, sizeof(spa)),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(peer_id(0, 1), NO_PEER);
	assert_false(usable(0, 0) || usable(1, 0));
}

/* To itself by the switches; cards side by side have no such way. */
static void test_p2p_itself(void **state)
{
	bool switched = host.gpus[0].model->state.profile.module;
	u32 handle;

	assert_int_equal(p2p(&handle, 0, 0), switched ? NV_OK : NV_ERR_NOT_SUPPORTED);
	assert_int_equal(peer_id(0, 0), switched ? 0 : NO_PEER);
	assert_int_equal(usable(0, 0), switched);
	if (switched)
		assert_int_equal(host_free(my.ctl, my.client, handle), NV_OK);
	assert_int_equal(peer_id(0, 0), NO_PEER);
	assert_false(usable(0, 0));
}

static void test_p2p_no_links(void **state)
{
	u32 handle;

	assert_int_equal(p2p(&handle, 0, 1), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(peer_id(0, 1), NO_PEER);
}

/* One link is down, at either end: no way, and what there was of one is taken back. */
static void test_p2p_degraded(void **state)
{
	u32 gpu, handle;

	for (gpu = 0; gpu < 2; gpu++) {
		fixture_gpu_inject(&host.gpus[gpu], "nvlink-down 3");
		assert_int_equal(p2p(&handle, 0, 1), NV_ERR_NOT_SUPPORTED);
		assert_false(usable(0, 0) || usable(1, 0));
		fixture_gpu_inject(&host.gpus[gpu], "nvlink-up 3");
	}
	assert_int_equal(p2p(&handle, 0, 1), NV_OK);
	/* A link that goes down later: the number stays, its use is a fault. */
	fixture_gpu_inject(&host.gpus[1], "nvlink-down 3");
	assert_true(usable(0, 0));
}

/* A GPU leaves the bus, with the objects there; then the client goes. */
static void test_p2p_gpu_removed(void **state)
{
	u32 handle, again;

	assert_int_equal(p2p(&handle, 0, 1), NV_OK);
	host_remove(1);
	assert_false(usable(0, 0));
	assert_int_equal(p2p(&again, 0, 1), NV_ERR_GPU_IS_LOST);
	assert_int_equal(host_free(my.ctl, my.client, handle), NV_OK);
}

static void test_p2p_client_closed(void **state)
{
	u32 handle;

	assert_int_equal(p2p(&handle, 0, 1), NV_OK);
	host_close(my.ctl);
	assert_false(usable(0, 0) || usable(1, 0));
}

/* The firmware keeps its peer table while it sleeps. */
static void test_p2p_suspended(void **state)
{
	u32 handle;

	assert_int_equal(p2p(&handle, 0, 1), NV_OK);
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	rm_resume(host.rm);
	assert_int_equal(peer_id(0, 1), 0);
	assert_true(usable(0, 0) && usable(1, 0));
	assert_int_equal(host_free(my.ctl, my.client, handle), NV_OK);
	assert_false(usable(0, 0) || usable(1, 0));
}

static void test_p2p_lost(void **state)
{
	u32 handle;

	assert_int_equal(p2p(&handle, 0, 1), NV_OK);
	fixture_gpu_inject(&host.gpus[1], "off-bus");
	assert_int_equal(host_free(my.ctl, my.client, handle), NV_OK);
	assert_false(usable(0, 0));
	assert_int_not_equal(p2p(&handle, 0, 1), NV_OK);
	assert_false(usable(0, 0));
}

struct freeing {
	u32 handle, status, done;
};

static void *free_p2p(void *arg)
{
	struct freeing *f = arg;

	f->status = host_free(my.ctl, my.client, f->handle);
	os_store_release(&f->done, 1);
	return NULL;
}

/* Silent firmware is asked once, and who reads what ids there are does not wait for that. */
static void test_p2p_silent(void **state)
{
	struct rm_gsp *gsp = host.rm_gpus[0]->gsp;
	struct freeing f = { 0 };
	pthread_t thread;
	u32 timeouts, id;
	u64 usual = gsp->timeout_ns;

	assert_int_equal(p2p(&f.handle, 0, 1), NV_OK);
	gsp->timeout_ns = 2000000000;
	timeouts = gsp->timeouts;
	fixture_gpu_inject(&host.gpus[0], "gsp-hang");
	assert_int_equal(pthread_create(&thread, NULL, free_p2p, &f), 0);
	do {
		id = rm_peer_id(host.rm_gpus[0], host.rm_gpus[1]);
		usleep(1000);
	} while (id != RM_PEER_ANY);
	assert_int_equal(os_load_acquire(&f.done), 0);
	pthread_join(thread, NULL);
	assert_int_equal(f.status, NV_OK);
	assert_int_equal(gsp->timeouts - timeouts, 1);
	gsp->timeout_ns = usual;
	fixture_gpu_inject(&host.gpus[0], "gsp-wake");
	assert_int_equal(p2p(&f.handle, 0, 1), NV_OK);
	assert_true(usable(0, 0) && usable(1, 0));
}

/* -- Without memory
 * ---------------------------------------------------------------------------------- */

static void test_p2p_failing_allocations(void **state)
{
	u32 nth, refused = 0, status = NV_ERR_GENERIC, handle;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (nth = 1; nth < 200 && status != NV_OK; nth++) {
		u64 failed = unit_failed();

		os_user_fail_alloc_thread(nth);
		status = p2p(&handle, 0, 1);
		os_user_fail_alloc_thread(0);
		if (status == NV_OK)
			break;
		assert_true(unit_failed() != failed);
		assert_true(status == NV_ERR_NO_MEMORY || status == NV_ERR_INSUFFICIENT_RESOURCES);
		assert_int_equal(peer_id(0, 1), NO_PEER);
		assert_false(usable(0, 0) || usable(1, 0));
		refused++;
	}
	assert_int_equal(status, NV_OK);
	assert_true(refused > 2);
}

/* -- The fabric of switches -------------------------------------------------------------------- */

/* As often as it takes: what a GPU is sent over its links comes by the way. */
static NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO_PARAMS probe_until(u32 gpu, u32 wanted)
{
	NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO_PARAMS p;
	u32 tries = 0;

	do {
		memset(&p, 0xa5, sizeof(p));
		assert_int_equal(ask(my.subdevices[gpu], NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO,
				     &p, sizeof(p)),
				 NV_OK);
		if (p.state != wanted)
			usleep(1000);
	} while (p.state != wanted && ++tries < 5000);
	assert_int_equal(p.state, wanted);
	return p;
}

static void test_fabric_answers(void **state)
{
	NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO_PARAMS p =
		probe_until(1, NV2080_CTRL_GPU_FABRIC_PROBE_STATE_COMPLETE);

	assert_int_equal(p.status, NV_OK);
	assert_int_equal(p.fabricCaps, NV2080_CTRL_GPU_FABRIC_PROBE_CAP_MC_SUPPORTED);
	assert_int_equal(p.fabricPartitionId, 1);
}

static void test_fabric_waits(void **state)
{
	NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO_PARAMS p;
	u32 i;

	for (i = 0; i < 3; i++)
		probe_until(0, NV2080_CTRL_GPU_FABRIC_PROBE_STATE_IN_PROGRESS);
	fixture_gpu_inject(&host.gpus[0], "fabric-refuses");
	p = probe_until(0, NV2080_CTRL_GPU_FABRIC_PROBE_STATE_COMPLETE);
	assert_int_equal(p.status, NV_ERR_GENERIC);
	assert_int_equal(p.fabricCaps, 0);
	fixture_gpu_inject(&host.gpus[1], "fabric-answers");
	p = probe_until(1, NV2080_CTRL_GPU_FABRIC_PROBE_STATE_COMPLETE);
	assert_int_equal(p.status, NV_OK);
}

static void test_no_fabric(void **state)
{
	NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO_PARAMS p =
		probe_until(0, NV2080_CTRL_GPU_FABRIC_PROBE_STATE_UNSUPPORTED);

	assert_int_equal(p.status, 0);
}

static void test_failing_allocations(void **state)
{
	NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS_PARAMS *s = calloc(1, sizeof(*s));
	NV0000_CTRL_SYSTEM_GET_P2P_CAPS_PARAMS p = { .gpuIds = { my.ids[0], my.ids[1] },
						     .gpuCount = 2 };
	u32 nth, refused = 0;

	assert_non_null(s);
	if (!os_user_fail_alloc_thread(0))
		skip();
	for (nth = 1; nth < 200; nth++) {
		u64 failed = unit_failed();
		u32 status;

		os_user_fail_alloc_thread(nth);
		status = ask(my.subdevices[0], NV2080_CTRL_CMD_NVLINK_GET_NVLINK_STATUS, s,
			     sizeof(*s));
		if (status == NV_OK)
			status = ask(my.client, NV0000_CTRL_CMD_SYSTEM_GET_P2P_CAPS, &p, sizeof(p));
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed)
			break;
		/* The second: there was no room for a copy of the parameters. */
		assert_true(status == NV_ERR_NO_MEMORY || status == NV_ERR_INSUFFICIENT_RESOURCES);
		refused++;
	}
	assert_true(refused > 3);
	assert_int_equal(p.p2pCaps, NVLINK_CAPS);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_caps, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_status_switched, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_status_down, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_status_unconnected, start_cards, host_end),
		cmocka_unit_test_setup_teardown(test_status_bridged, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_peers_nvlink, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_peers_nvlink, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_peers_degraded, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_peers_pcie, start_cards, host_end),
		cmocka_unit_test_setup_teardown(test_peers_refused, start_one_open, host_end),
		cmocka_unit_test_setup_teardown(test_p2p, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_refused, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_itself, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_itself, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_no_links, start_cards, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_degraded, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_degraded, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_gpu_removed, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_gpu_removed, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_client_closed, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_lost, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_silent, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_suspended, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_p2p_failing_allocations, start_modules,
						host_end),
		cmocka_unit_test_setup_teardown(test_fabric_answers, start_modules, host_end),
		cmocka_unit_test_setup_teardown(test_fabric_waits, start_without_manager, host_end),
		cmocka_unit_test_setup_teardown(test_no_fabric, start_cards, host_end),
		cmocka_unit_test_setup_teardown(test_no_fabric, start_bridged, host_end),
		cmocka_unit_test_setup_teardown(test_failing_allocations, start_modules, host_end),
	};

	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
